/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * A new configuration while the node runs.  It is compared, key by key, with what is in force, and
 * that is a copy of the first configuration with all that reloads and the control socket have
 * changed since: so a key that was refused is told again at the next reload, and one that was
 * applied is not.  What `set` may change is taken over, by the same commands; all else needs a
 * restart.
 */
#include "compose/compose_private.h"

#include <stdio.h>
#include <string.h>

#include "status/control.h"

/* ---- what is taken over ---------------------------------------------------------------------- */

static void announce_time(struct mt_composition *self, uint16_t index,
                          const struct mt_config_instance *config, struct mt_mono now)
{
    const struct mt_node_instance *instance = &self->node.instances[index];
    enum mt_timescale scale = self->node.clocks[instance->clock].discipline.scale;
    struct mt_command time = {.kind = MT_COMMAND_TIME_PROPERTIES};
    mt_compose_time_properties(config, &self->facts, scale, &time.value.time);
    mt_node_command(&self->node, index, &time, now);
}

static void take_over(struct mt_composition *self, uint16_t index,
                      const struct mt_config_instance *config, struct mt_mono now)
{
    struct mt_command priorities = {
        .kind = MT_COMMAND_PRIORITIES,
        .value.priorities = {config->ptp.priority1, config->ptp.priority2},
    };
    struct mt_command quality = {
        .kind = MT_COMMAND_QUALITY,
        .value.quality = config->ptp.quality,
    };
    mt_node_command(&self->node, index, &priorities, now);
    mt_node_command(&self->node, index, &quality, now);
    announce_time(self, index, config, now);
}

/* ---- what is in force ------------------------------------------------------------------------ */

static bool differs(uint16_t a, uint16_t b, uint16_t flag)
{
    return ((a ^ b) & flag) != 0;
}

/* Time properties that somebody set, by what they would be otherwise. */
static void note_time(struct mt_config_instance *config, const struct mt_time_properties *otherwise,
                      const struct mt_time_properties *now)
{
    static const uint16_t flags[] = {MT_PTP_LEAP_61, MT_PTP_LEAP_59, MT_PTP_TIME_TRACEABLE,
                                     MT_PTP_FREQUENCY_TRACEABLE};
    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++) {
        if (differs(otherwise->flags, now->flags, flags[i])) {
            config->ptp.time.flags =
                (uint16_t)((config->ptp.time.flags & ~flags[i]) | (now->flags & flags[i]));
        }
    }
    if (now->utc_offset != otherwise->utc_offset ||
        differs(otherwise->flags, now->flags, MT_PTP_UTC_OFFSET_VALID)) {
        config->utc_offset_is_auto = false;
        config->ptp.time.utc_offset = now->utc_offset;
    }
    config->ptp.time.time_source = now->time_source;
}

/* The control socket changes the node, not the configuration. */
static void note_what_was_set(struct mt_composition *self)
{
    for (uint16_t i = 0; i < self->node.instance_count; i++) {
        const struct mt_node_instance *instance = &self->node.instances[i];
        struct mt_config_instance *config = &self->in_force.instances[i];
        struct mt_time_properties otherwise;
        mt_compose_time_properties(config, &self->facts,
                                   self->node.clocks[instance->clock].discipline.scale, &otherwise);
        config->ptp.priority1 = instance->ptp.config.priority1;
        config->ptp.priority2 = instance->ptp.config.priority2;
        config->ptp.quality = *mt_foreign_time_own_quality(&instance->foreign_time, &instance->ptp);
        note_time(config, &otherwise,
                  mt_foreign_time_own_time(&instance->foreign_time, &instance->ptp));
    }
}

void mt_composition_set_facts(struct mt_composition *self, const struct mt_compose_facts *facts,
                              struct mt_mono now)
{
    note_what_was_set(self);
    self->facts = *facts;
    for (uint16_t i = 0; i < self->node.clock_count; i++) {
        self->node.clocks[i].tai_utc_known = facts->tai_utc_known;
        self->node.clocks[i].tai_minus_utc_s = facts->tai_minus_utc_s;
        self->node.clocks[i].leap_s = facts->leap_s;
    }
    for (uint16_t i = 0; i < self->node.instance_count; i++) {
        struct mt_instance_more *more = self->node.instances[i].ptp.config.more;
        announce_time(self, i, &self->config->instances[i], now);
        mt_compose_zone(self, i, more->management);
    }
}

/* ---- reload ---------------------------------------------------------------------------------- */

static bool may_change(const struct mt_config *config, const struct mt_config_change *change)
{
    if (change->kind != MT_CONFIG_CHANGED) {
        return false;
    }
    if (change->key->scope == MT_CONFIG_PORT) {
        return strcmp(change->key->name, "active_key_id") == 0 ||
               mt_compose_is_unicast_key(config, change->index, change->key->name);
    }
    if (change->key->scope != MT_CONFIG_INSTANCE) {
        return false;
    }
    for (unsigned i = 0; i < MT_CONTROL_SETTING_COUNT; i++) {
        if (strcmp(mt_control_setting_name((enum mt_control_setting)i), change->key->name) == 0) {
            return true;
        }
    }
    return false;
}

static void say_refused(const struct mt_config_change *change, char *text, size_t size)
{
    bool has_name = change->name[0] != '\0';
    switch (change->kind) {
    case MT_CONFIG_CHANGED:
        snprintf(text, size, "%s = %.40s (%s%s%s) needs a restart; until then it is %.40s",
                 change->key->name, change->after, change->section, has_name ? " " : "",
                 change->name, change->before[0] != '\0' ? change->before : "not set");
        return;
    case MT_CONFIG_ADDED:
        snprintf(text, size, "%s %s is new and needs a restart", change->section, change->name);
        return;
    case MT_CONFIG_REMOVED:
        snprintf(text, size, "%s %s is gone from the file, which needs a restart", change->section,
                 change->name);
        return;
    }
}

struct reload {
    struct mt_composition *composition;
    const struct mt_config *wanted;
    bool is_unicast; /* that of a port has changed */
};

static const struct mt_config_port *find_port(const struct mt_config *config, const char *name)
{
    size_t i = 0;
    while (strcmp(config->ports[i].name, name) != 0) { /* it is there: it has been compared */
        i++;
    }
    return &config->ports[i];
}

static bool take(struct reload *self, const struct mt_config_change *change)
{
    struct mt_composition *composition = self->composition;
    struct mt_config_pool pool = {NULL}; /* none of these values needs memory */
    if (!may_change(composition->config, change)) {
        return false;
    }
    if (change->key->scope == MT_CONFIG_PORT &&
        mt_compose_is_unicast_key(composition->config, change->index, change->key->name)) {
        self->is_unicast = true;
        return mt_compose_unicast_take(composition, change,
                                       &find_port(self->wanted, change->name)->unicast);
    }
    void *object = change->key->scope == MT_CONFIG_PORT
                       ? (void *)&composition->in_force.ports[change->index]
                       : (void *)&composition->in_force.instances[change->index];
    return mt_config_value_parse(change->key, change->after, object, &pool);
}

static void consider(void *context, const struct mt_config_change *change)
{
    struct reload *reload = context;
    struct mt_composition *self = reload->composition;
    struct mt_compose_change unseen;
    bool has_room = self->change_count < MT_COMPOSE_CHANGES_MAX;
    struct mt_compose_change *told = has_room ? &self->changes[self->change_count++] : &unseen;
    told->is_applied = take(reload, change);
    if (!told->is_applied) {
        self->refused_count++;
        say_refused(change, told->text, sizeof told->text);
        return;
    }
    self->applied_count++;
    snprintf(told->text, sizeof told->text, "%s = %s (%s %s)", change->key->name, change->after,
             change->section, change->name);
}

/* What requesters ask for now, and no longer, leaves. */
static void settle_unicast(struct mt_composition *self, struct mt_mono now)
{
    for (uint16_t i = 0; i < self->node.instance_count; i++) {
        mt_instance_tick(&self->node.instances[i].ptp, now);
    }
    mt_node_input(&self->node, &(struct mt_input){.kind = MT_INPUT_NONE, .now = now});
}

static void name_first_refused(const struct mt_composition *self, char reason[MT_HAL_REASON_SIZE])
{
    for (size_t i = 0; i < self->change_count; i++) {
        if (!self->changes[i].is_applied) {
            snprintf(reason, MT_HAL_REASON_SIZE, "%s", self->changes[i].text);
            return;
        }
    }
    snprintf(reason, MT_HAL_REASON_SIZE, "%zu changes need a restart", self->refused_count);
}

/* Keys are files of their own, which may have changed though no key of the configuration has. */
static void read_keys_again(struct mt_composition *self)
{
    for (uint16_t i = 0; i < self->node.instance_count; i++) {
        const struct mt_config_instance *instance = &self->in_force.instances[i];
        struct mt_compose_change unseen;
        char reason[MT_HAL_REASON_SIZE];
        if (instance->security_file == NULL) {
            continue;
        }
        bool is_read =
            mt_compose_security_again(self->config, i, &self->node.instances[i].ptp, reason);
        bool has_room = self->change_count < MT_COMPOSE_CHANGES_MAX;
        struct mt_compose_change *told = has_room ? &self->changes[self->change_count++] : &unseen;
        told->is_applied = is_read;
        if (is_read) {
            self->applied_count++;
            snprintf(told->text, sizeof told->text, "keys of %.60s (instance %s)",
                     instance->security_file, instance->name);
        } else {
            self->refused_count++;
            self->unread_count++;
            snprintf(told->text, sizeof told->text, "%.*s; the old keys stay in force",
                     (int)sizeof told->text - 40, reason);
        }
    }
}

bool mt_composition_reload(struct mt_composition *self, const struct mt_config *config,
                           struct mt_mono now, char ret_reason[MT_HAL_REASON_SIZE])
{
    self->change_count = 0;
    self->applied_count = 0;
    self->refused_count = 0;
    self->unread_count = 0;
    struct reload reload = {.composition = self, .wanted = config};
    note_what_was_set(self);
    mt_config_compare(&self->in_force, config, consider, &reload);
    read_keys_again(self);
    if (reload.is_unicast) {
        settle_unicast(self, now);
    }
    for (uint16_t i = 0; self->applied_count > 0 && i < self->node.instance_count; i++) {
        take_over(self, i, &self->in_force.instances[i], now);
    }
    if (self->refused_count > 0) {
        name_first_refused(self, ret_reason);
    }
    return self->refused_count == 0;
}
