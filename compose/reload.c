/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * A new configuration while the node runs.  It is compared, key by key, with what is in force, and
 * that is a copy of the first configuration with all that reloads and the control socket have
 * changed since: so a key that was refused is told again at the next reload, and one that was
 * applied is not.  What `set` may change is taken over, by the same commands; NTP servers come and
 * go (ntp_again.c), and the rules of our own change (server.c); all else needs a restart.
 */
#include "compose/compose_private.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "meantime/ptp_management.h"
#include "status/control.h"

/* ---- what is taken over ---------------------------------------------------------------------- */

static void time_properties(const struct mt_composition *self, uint16_t index,
                            struct mt_time_properties *ret_time)
{
    uint16_t clock = self->node.instances[index].clock;
    enum mt_timescale scale = self->node.clocks[clock].discipline.scale;
    mt_compose_time_properties(&self->in_force.instances[index], &self->facts, scale, ret_time);
}

static void announce_time(struct mt_composition *self, uint16_t index, struct mt_mono now)
{
    struct mt_command time = {.kind = MT_COMMAND_TIME_PROPERTIES};
    time_properties(self, index, &time.value.time);
    mt_node_command(&self->node, index, &time, now);
}

static void take_over(struct mt_composition *self, uint16_t index, struct mt_mono now)
{
    const struct mt_config_instance *config = &self->in_force.instances[index];
    struct mt_command priorities = {
        .kind = MT_COMMAND_PRIORITIES,
        .value.priorities = {config->ptp.priority1, config->ptp.priority2},
    };
    struct mt_quality_ladder ladder;
    struct mt_time_properties time;
    mt_compose_ladder(config, &ladder);
    time_properties(self, index, &time);
    mt_foreign_time_configure(&self->node, index, &ladder, &config->ptp.quality, &time, now);
    mt_node_command(&self->node, index, &priorities, now);
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

static void note_quality(struct mt_config_instance *config, const struct mt_node_instance *instance)
{
    struct mt_clock_quality own;
    mt_foreign_time_own_quality(&instance->foreign_time, &instance->ptp, &own);
    config->ladder.class_is_auto &= own.clock_class == config->ptp.quality.clock_class;
    config->ladder.variance_is_auto &= own.variance == config->ptp.quality.variance;
    config->ptp.quality = own;
}

static void note_description(struct mt_config_instance *config,
                             const struct mt_node_instance *instance)
{
    const char *text = instance->ptp.config.more->management->user_description;
    config->user_description = text[0] != '\0' ? text : NULL;
}

/* The control socket and management messages change the node, not the configuration. */
static void note_what_was_set(struct mt_composition *self)
{
    for (uint16_t i = 0; i < self->node.instance_count; i++) {
        const struct mt_node_instance *instance = &self->node.instances[i];
        struct mt_config_instance *config = &self->in_force.instances[i];
        struct mt_time_properties otherwise;
        struct mt_time_properties own;
        mt_compose_time_properties(config, &self->facts,
                                   self->node.clocks[instance->clock].discipline.scale, &otherwise);
        config->ptp.priority1 = instance->ptp.config.priority1;
        config->ptp.priority2 = instance->ptp.config.priority2;
        note_quality(config, instance);
        note_description(config, instance);
        mt_foreign_time_own_time(&instance->foreign_time, &instance->ptp, &own);
        note_time(config, &otherwise, &own);
    }
}

void mt_composition_make_utc_offset_auto(struct mt_composition *self, uint16_t index,
                                         struct mt_mono now)
{
    if (index >= self->node.instance_count) { /* a log may say anything */
        return;
    }
    note_what_was_set(self);
    self->in_force.instances[index].utc_offset_is_auto = true;
    announce_time(self, index, now);
}

bool mt_compose_are_same_facts(const struct mt_compose_facts *a, const struct mt_compose_facts *b)
{
    return a->tai_utc_known == b->tai_utc_known && a->tai_minus_utc_s == b->tai_minus_utc_s &&
           a->leap_s == b->leap_s && a->by == b->by && a->slack_s == b->slack_s &&
           a->kernel_s == b->kernel_s;
}

struct mt_compose_facts mt_compose_facts_of(const struct mt_log_facts *facts)
{
    return (struct mt_compose_facts){facts->tai_utc_known, facts->tai_minus_utc_s,
                                     facts->leap_s,        (enum mt_leap_by)facts->by,
                                     facts->slack_s,       facts->kernel_s};
}

struct mt_log_facts mt_compose_log_facts(const struct mt_compose_facts *facts)
{
    return (struct mt_log_facts){facts->tai_utc_known, facts->tai_minus_utc_s, facts->leap_s,
                                 (uint8_t)facts->by,   facts->slack_s,         facts->kernel_s};
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
        mt_leap_duty_know(&self->node.clocks[i].leap, facts->by, facts->slack_s, facts->kernel_s);
    }
    for (uint16_t i = 0; i < self->node.instance_count; i++) {
        struct mt_instance_more *more = self->node.instances[i].ptp.config.more;
        announce_time(self, i, now);
        mt_compose_zone(self, i, more->management);
    }
}

/* ---- what is told of it ---------------------------------------------------------------------- */

/* Where there is no room, what is not in force goes before what is. */
static struct mt_compose_change *next_change(struct mt_composition *self, bool is_applied)
{
    if (self->change_count < MT_COMPOSE_CHANGES_MAX) {
        return &self->changes[self->change_count++];
    }
    for (size_t i = self->change_count; i-- > 0 && !is_applied;) {
        if (self->changes[i].is_applied) {
            return &self->changes[i];
        }
    }
    return &self->unseen_change;
}

static void tell(struct mt_composition *self, bool is_applied, const char *format,
                 va_list arguments)
{
    struct mt_compose_change *told = next_change(self, is_applied);
    told->is_applied = is_applied;
    self->applied_count += is_applied;
    self->refused_count += !is_applied;
    vsnprintf(told->text, sizeof told->text, format, arguments);
}

void mt_compose_tell_applied(struct mt_composition *self, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    tell(self, true, format, arguments);
    va_end(arguments);
}

void mt_compose_take_back(struct mt_composition *self, const char *format, ...)
{
    char text[MT_COMPOSE_CHANGE_SIZE];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    self->applied_count--;
    for (size_t i = 0; i < self->change_count; i++) {
        if (self->changes[i].is_applied && strcmp(self->changes[i].text, text) == 0) {
            self->change_count--;
            memmove(&self->changes[i], &self->changes[i + 1],
                    (self->change_count - i) * sizeof self->changes[0]);
            return;
        }
    }
}

void mt_compose_tell_refused(struct mt_composition *self, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    tell(self, false, format, arguments);
    va_end(arguments);
}

void mt_compose_tell_unread(struct mt_composition *self, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    tell(self, false, format, arguments);
    va_end(arguments);
    self->unread_count++;
}

/* ---- reload ---------------------------------------------------------------------------------- */

static bool is_description(const struct mt_config_change *change)
{
    return change->key->scope == MT_CONFIG_INSTANCE &&
           strcmp(change->key->name, "user_description") == 0;
}

static bool may_change(const struct mt_config *config, const struct mt_config_change *change)
{
    if (change->kind != MT_CONFIG_CHANGED) {
        return false;
    }
    if (change->key->scope == MT_CONFIG_SERVER) {
        return mt_compose_is_server_key(change->key->name);
    }
    if (change->key->scope == MT_CONFIG_PORT) {
        return strcmp(change->key->name, "active_key_id") == 0 ||
               mt_compose_is_unicast_key(config, change->index, change->key->name);
    }
    if (change->key->scope != MT_CONFIG_INSTANCE) {
        return false;
    }
    if (is_description(change)) {
        return true;
    }
    for (unsigned i = 0; i < MT_CONTROL_SETTING_COUNT; i++) {
        if (strcmp(mt_control_setting_name((enum mt_control_setting)i), change->key->name) == 0) {
            return true;
        }
    }
    return false;
}

static void say_refused(struct mt_composition *self, const struct mt_config_change *change)
{
    bool has_name = change->name[0] != '\0';
    switch (change->kind) {
    case MT_CONFIG_CHANGED:
        mt_compose_tell_refused(self, "%s = %.40s (%s%s%s) needs a restart; until then it is %.40s",
                                change->key->name, change->after, change->section,
                                has_name ? " " : "", change->name,
                                change->before[0] != '\0' ? change->before : "not set");
        return;
    case MT_CONFIG_ADDED:
        mt_compose_tell_refused(self, "%s%s%s is new and needs a restart", change->section,
                                has_name ? " " : "", change->name);
        return;
    case MT_CONFIG_REMOVED:
        mt_compose_tell_refused(self, "%s%s%s is gone from the file, which needs a restart",
                                change->section, has_name ? " " : "", change->name);
        return;
    }
}

static void say_applied(struct mt_composition *self, const struct mt_config_change *change)
{
    bool has_name = change->name[0] != '\0';
    switch (change->kind) {
    case MT_CONFIG_CHANGED:
        mt_compose_tell_applied(self, "%s = %.80s (%s%s%s)", change->key->name, change->after,
                                change->section, has_name ? " " : "", change->name);
        return;
    case MT_CONFIG_ADDED:
        mt_compose_tell_applied(self, "%s %s is new", change->section, change->name);
        return;
    case MT_CONFIG_REMOVED:
        mt_compose_tell_applied(self, "%s %s is gone", change->section, change->name);
        return;
    }
}

struct reload {
    struct mt_composition *composition;
    const struct mt_config *wanted;
    struct mt_compose_ntp_plan *ntp;
    bool is_unicast; /* that of a port has changed */
    bool is_server;
};

static const struct mt_config_port *find_port(const struct mt_config *config, const char *name)
{
    size_t i = 0;
    while (strcmp(config->ports[i].name, name) != 0) { /* it is there: it has been compared */
        i++;
    }
    return &config->ports[i];
}

/* It is in force where it is told from. */
static void take_description(struct reload *self, const struct mt_config_change *change)
{
    struct mt_composition *composition = self->composition;
    struct mt_node_instance *instance = &composition->node.instances[change->index];
    size_t i = 0;
    while (strcmp(self->wanted->instances[i].name, change->name) != 0) { /* it is there, too */
        i++;
    }
    mt_compose_user_description(&self->wanted->instances[i], instance->ptp.config.more->management);
    note_description(&composition->in_force.instances[change->index], instance);
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
    if (change->key->scope == MT_CONFIG_SERVER) {
        self->is_server = true;
        return mt_compose_server_take(composition, change, &self->wanted->server);
    }
    if (change->key->scope == MT_CONFIG_PORT) {
        return mt_config_value_parse(change->key, change->after,
                                     &composition->in_force.ports[change->index], &pool);
    }
    if (is_description(change)) {
        take_description(self, change);
        return true;
    }
    struct mt_config_instance *instance = &composition->in_force.instances[change->index];
    bool is_taken = mt_config_value_parse(change->key, change->after, instance, &pool);
    mt_config_settle_quality(instance);
    return is_taken;
}

static void consider(void *context, const struct mt_config_change *change)
{
    struct reload *reload = context;
    struct mt_composition *self = reload->composition;
    const char *refusal = NULL;
    bool is_ntp = strcmp(change->section, "ntp") == 0;
    if (is_ntp ? mt_compose_ntp_takes(reload->ntp, change, &refusal) : take(reload, change)) {
        say_applied(self, change);
    } else if (refusal != NULL) {
        mt_compose_tell_refused(self, "ntp %.60s needs a restart: %s", change->name, refusal);
    } else {
        say_refused(self, change);
    }
}

/* What is asked for now, and no longer, leaves. */
static void settle(struct mt_composition *self, bool is_unicast, struct mt_mono now)
{
    for (uint16_t i = 0; is_unicast && i < self->node.instance_count; i++) {
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
        char reason[MT_HAL_REASON_SIZE];
        if (instance->security_file == NULL) {
            continue;
        }
        if (mt_compose_security_again(self->config, i, &self->node.instances[i].ptp, reason)) {
            mt_compose_tell_applied(self, "keys of %.60s (instance %s)", instance->security_file,
                                    instance->name);
        } else {
            mt_compose_tell_unread(self, "%.*s; the old keys stay in force",
                                   MT_COMPOSE_CHANGE_SIZE - 40, reason);
        }
    }
}

static void begin_telling(struct mt_composition *self)
{
    self->change_count = 0;
    self->applied_count = 0;
    self->refused_count = 0;
    self->unread_count = 0;
    self->is_unchanged = false;
}

/* Works out what may be wrong, while nothing has changed. */
static bool plan(struct reload *self, char ret_reason[MT_HAL_REASON_SIZE])
{
    struct mt_composition *composition = self->composition;
    if (!mt_compose_server_plan(composition, self->wanted, ret_reason)) {
        return false;
    }
    self->ntp = mt_compose_ntp_plan(composition, self->wanted, ret_reason);
    return self->ntp != NULL;
}

static void carry_out(struct reload *self, struct mt_mono now)
{
    struct mt_composition *composition = self->composition;
    mt_config_compare(&composition->in_force, self->wanted, consider, self);
    read_keys_again(composition);
    bool has_memory = mt_compose_ntp_again(composition, self->ntp, now);
    has_memory &= mt_compose_server_again(composition, self->wanted, self->is_server);
    if (!has_memory) {
        mt_compose_tell_refused(composition, "out of memory");
    }
    if (self->is_unicast || self->is_server || mt_compose_ntp_is_any(self->ntp)) {
        settle(composition, self->is_unicast, now);
    }
    mt_compose_ntp_unplan(self->ntp);
    for (uint16_t i = 0; composition->applied_count > 0 && i < composition->node.instance_count;
         i++) {
        take_over(composition, i, now);
    }
}

bool mt_composition_reload(struct mt_composition *self, const struct mt_config *config,
                           struct mt_mono now, char ret_reason[MT_HAL_REASON_SIZE])
{
    struct reload reload = {.composition = self, .wanted = config};
    begin_telling(self);
    note_what_was_set(self);
    if (!plan(&reload, ret_reason)) {
        begin_telling(self);
        self->is_unchanged = true;
        return false;
    }
    carry_out(&reload, now);
    if (self->refused_count > 0) {
        name_first_refused(self, ret_reason);
    }
    return self->refused_count == 0;
}
