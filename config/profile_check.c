/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What leaves a profile.  The values in force are looked at, not the lines of the file: a general
 * line that a nearer one replaces is no offence.  What nobody wrote cannot leave the profile,
 * unless a key or value of the profile itself is not there yet. */
#include <string.h>

#include "config/profile.h"
#include "config/source_private.h"

struct checker {
    const struct mt_config *config;
    const struct mt_config_source *source;
    const struct mt_config_instance *instance;
};

/* Where the key was written, nearest first: the port's section (null for a key of the instance),
 * the instance's, [ptp]. */
static const struct mt_config_setting *find_setting(const struct checker *self,
                                                    const struct mt_config_port *port,
                                                    const struct mt_config_key *key)
{
    const struct {
        enum mt_config_section_kind kind;
        const char *name;
    } places[] = {
        {MT_CONFIG_SECTION_PORT, port != NULL ? port->name : NULL},
        {MT_CONFIG_SECTION_PTP_PORT, port != NULL ? port->name : NULL},
        {MT_CONFIG_SECTION_INSTANCE, self->instance->name},
        {MT_CONFIG_SECTION_PTP, ""},
    };
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        const struct mt_config_setting *setting =
            places[i].name == NULL
                ? NULL
                : mt_config_source_find(self->source, places[i].kind, places[i].name, key->name);
        if (setting != NULL && setting->key == key) {
            return setting;
        }
    }
    return NULL;
}

static void check_value(const struct checker *self, const struct mt_config_profile_row *row,
                        const struct mt_config_key *key, const struct mt_config_port *port)
{
    const void *object = port != NULL ? (const void *)port : self->instance;
    const struct mt_config_setting *setting = find_setting(self, port, key);
    char expected[160];
    if (setting == NULL || mt_config_profile_allows(row, key, object)) {
        return;
    }
    mt_config_profile_expected(row, expected, sizeof expected);
    mt_config_problem_add(self->source->problems, self->source->path, setting->line,
                          "%s = %s: profile %s allows %s; profile_strict = no takes it all the "
                          "same",
                          key->name, setting->text, mt_config_profile_name(self->instance->profile),
                          expected);
}

/* A key of [ptp] or [instance] that several ports have is complained of once. */
static bool was_told(const struct checker *self, const struct mt_config_key *key, size_t port)
{
    const struct mt_config_port *ports = &self->config->ports[self->instance->first_port];
    for (size_t p = 0; p < port; p++) {
        if (find_setting(self, &ports[p], key) == find_setting(self, &ports[port], key)) {
            return true;
        }
    }
    return false;
}

static void check_row(const struct checker *self, const struct mt_config_profile_row *row)
{
    const struct mt_config_key *of_instance = mt_config_profile_key(row, MT_CONFIG_INSTANCE);
    const struct mt_config_key *of_port = mt_config_profile_key(row, MT_CONFIG_PORT);
    if (of_instance != NULL) {
        check_value(self, row, of_instance, NULL);
    }
    for (size_t p = 0; of_port != NULL && p < self->instance->port_count; p++) {
        if (!was_told(self, of_port, p)) {
            check_value(self, row, of_port, &self->config->ports[self->instance->first_port + p]);
        }
    }
}

static void complain_of_missing(const struct checker *self, unsigned line,
                                const struct mt_config_profile_row *row)
{
    mt_config_problem_add(self->source->problems, self->source->path, line,
                          "profile = %s: it needs %s = %s, which is not there yet; profile_strict "
                          "= no does without",
                          mt_config_profile_name(self->instance->profile), row->key, row->value);
}

static void check_instance(const struct checker *self)
{
    const struct mt_config_key *key = mt_config_key_find(MT_CONFIG_INSTANCE, "profile");
    const struct mt_config_setting *setting = find_setting(self, NULL, key);
    const struct mt_config_profile_row *row;
    size_t index = 0;
    while ((row = mt_config_profile_next(self->instance->profile, &index)) != NULL) {
        check_row(self, row);
        if (!mt_config_profile_is_there(row)) {
            complain_of_missing(self, setting != NULL ? setting->line : 0, row);
        }
    }
}

/* ---- profiles of unicast alone -------------------------------------------------------------- */

static void check_idle(const struct checker *self, const struct mt_config_port *port)
{
    const struct mt_config_unicast *unicast = &port->unicast;
    const struct mt_config_key *key = mt_config_key_find(MT_CONFIG_INSTANCE, "profile");
    const struct mt_config_setting *setting = find_setting(self, NULL, key);
    enum mt_config_profile profile = self->instance->profile;
    bool is_unicast = profile == MT_CONFIG_PROFILE_G8265_1 || profile == MT_CONFIG_PROFILE_G8275_2;
    if (is_unicast && !unicast->sends_multicast && unicast->mode == MT_CONFIG_UNICAST_OFF &&
        !unicast->is_grantor && unicast->receivers.count == 0) {
        mt_config_problem_add(self->source->problems, self->source->path,
                              setting != NULL ? setting->line : 0,
                              "[port %s]: profile %s is for unicast alone, and nobody is named: "
                              "add unicast_transmitters to follow them, or unicast_grants = yes "
                              "to serve",
                              port->name, mt_config_profile_name(profile));
    }
}

/* ---- roles -------------------------------------------------------------------------------- */

static void complain_of_role(const struct checker *self, const struct mt_config_port *port,
                             const char *problem)
{
    const struct mt_config_key *key = mt_config_key_find(MT_CONFIG_PORT, "role");
    const struct mt_config_setting *setting = find_setting(self, port, key);
    mt_config_problem_add(self->source->problems, self->source->path,
                          setting != NULL ? setting->line : 0, "[port %s]: role: %s", port->name,
                          problem);
}

static void check_roles(const struct checker *self)
{
    const struct mt_config_port *ports = &self->config->ports[self->instance->first_port];
    size_t count = self->instance->port_count;
    size_t receivers = 0;
    for (size_t p = 0; p < count; p++) {
        enum mt_port_role role = ports[p].profile.role;
        if ((role == MT_PORT_ROLE_AUTO) != (ports[0].profile.role == MT_PORT_ROLE_AUTO)) {
            complain_of_role(self, &ports[p], "all ports of an instance have one, or none has");
            return;
        }
        receivers += role == MT_PORT_ROLE_RECEIVER ? 1 : 0;
        if (role == MT_PORT_ROLE_RECEIVER && receivers > 1) {
            complain_of_role(self, &ports[p], "another port of the instance is receiver already");
        }
    }
}

void mt_config_check_profiles(const struct mt_config *self, const struct mt_config_source *source)
{
    for (size_t i = 0; i < self->instance_count; i++) {
        const struct checker checker = {self, source, &self->instances[i]};
        if (self->instances[i].profile_strict) {
            check_instance(&checker);
        }
        if (self->instances[i].port_count > 0) {
            check_roles(&checker);
        }
        for (size_t p = 0; p < self->instances[i].port_count; p++) {
            check_idle(&checker, &self->ports[self->instances[i].first_port + p]);
        }
    }
}
