/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * From sections to objects.  An object's members are written in layers, the later ones winning:
 * the defaults of the schema, the profile of the instance, the section for all objects of the kind
 * ([clock], [ptp]), for a port its instance's section, and its own section.  That is the whole rule
 * of inheritance. */
#include <string.h>

#include "config/profile.h"
#include "config/source_private.h"
#include "config/value_private.h"

struct resolver {
    struct mt_config *config;
    const struct mt_config_source *source;
    bool is_out_of_memory;
};

static void complain_of_memory(struct resolver *self)
{
    if (self->is_out_of_memory) {
        return;
    }
    self->is_out_of_memory = true;
    mt_config_problem_add(self->source->problems, self->source->path, 0, "out of memory");
}

static void apply(struct resolver *self, const struct mt_config_key *key, const char *text,
                  void *object)
{
    if (!mt_config_value_parse(key, text, object, &self->config->pool)) {
        complain_of_memory(self); /* the text is known to be good */
    }
}

/* Each piece of a list is known to be good, but not how many there are. */
static void apply_setting(struct resolver *self, const struct mt_config_setting *setting,
                          void *object)
{
    if (setting->room > 0 && mt_config_stations_count(setting->text) > MT_CONFIG_STATIONS_MAX) {
        mt_config_problem_add(self->source->problems, self->source->path, setting->line,
                              "%s: expected a list of at most %d", setting->key->name,
                              MT_CONFIG_STATIONS_MAX);
    } else {
        apply(self, setting->key, setting->text, object);
    }
}

static void apply_defaults(struct resolver *self, enum mt_config_scope scope, void *object)
{
    size_t count;
    const struct mt_config_key *keys = mt_config_keys(&count);
    for (size_t i = 0; i < count; i++) {
        if (keys[i].scope == scope && keys[i].fallback[0] != '\0') {
            apply(self, &keys[i], keys[i].fallback, object);
        }
    }
}

static void apply_section(struct resolver *self, enum mt_config_section_kind kind, const char *name,
                          enum mt_config_scope scope, void *object)
{
    const struct mt_config_source *source = self->source;
    for (size_t i = 0; i < source->setting_count; i++) {
        const struct mt_config_setting *setting = &source->settings[i];
        const struct mt_config_section *section = &source->sections[setting->section];
        if (section->kind == kind && strcmp(section->name, name) == 0 &&
            setting->key->scope == scope) {
            apply_setting(self, setting, object);
        }
    }
}

/* The profile that is written for an instance. */
static enum mt_config_profile profile_of(const struct resolver *self, const char *instance)
{
    const struct mt_config_setting *setting =
        mt_config_source_find(self->source, MT_CONFIG_SECTION_INSTANCE, instance, "profile");
    struct mt_config_instance scratch = {.profile = MT_CONFIG_PROFILE_NONE};
    if (setting == NULL) {
        setting = mt_config_source_find(self->source, MT_CONFIG_SECTION_PTP, "", "profile");
    }
    if (setting != NULL) {
        (void)mt_config_value_parse(setting->key, setting->text, &scratch, &self->config->pool);
    }
    return scratch.profile;
}

/* What is not there yet is left as it is; the check tells of it. */
static void apply_profile(struct resolver *self, const char *instance, enum mt_config_scope scope,
                          void *object)
{
    enum mt_config_profile profile = profile_of(self, instance);
    const struct mt_config_profile_row *row;
    size_t index = 0;
    while ((row = mt_config_profile_next(profile, &index)) != NULL) {
        const struct mt_config_key *key = mt_config_profile_key(row, scope);
        if (key != NULL && row->value[0] != '\0') {
            (void)mt_config_value_parse(key, row->value, object, &self->config->pool);
        }
    }
}

static const char *keep(struct resolver *self, const char *text)
{
    const char *copy = mt_config_pool_text(&self->config->pool, text);
    if (copy == NULL) {
        complain_of_memory(self);
    }
    return copy == NULL ? "" : copy;
}

/* Room for one object for each section and the one that is implied. */
static void *take_array(struct resolver *self, size_t size)
{
    void *array =
        mt_config_pool_take(&self->config->pool, (self->source->section_count + 1) * size);
    if (array == NULL) {
        complain_of_memory(self);
    }
    return array;
}

/* ---- daemon ------------------------------------------------------------------------------- */

static void resolve_daemon(struct resolver *self)
{
    struct mt_config_daemon *daemon = &self->config->daemon;
    apply_defaults(self, MT_CONFIG_DAEMON, daemon);
    apply_section(self, MT_CONFIG_SECTION_DAEMON, "", MT_CONFIG_DAEMON, daemon);
    if (daemon->control_socket == NULL && daemon->run_directory != NULL) {
        char path[MT_CONFIG_PATH_MAX + 16];
        snprintf(path, sizeof path, "%s/control", daemon->run_directory);
        daemon->control_socket = keep(self, path);
    }
}

/* ---- server ------------------------------------------------------------------------------- */

#define LOCAL_STRATUM 10

static void resolve_server(struct resolver *self)
{
    struct mt_config_server *server = &self->config->server;
    self->config->has_server =
        mt_config_source_find_section(self->source, MT_CONFIG_SECTION_SERVER, "") != NULL;
    apply_defaults(self, MT_CONFIG_SERVER, server);
    apply_section(self, MT_CONFIG_SECTION_SERVER, "", MT_CONFIG_SERVER, server);
}

/* What its clock is, and whether that has anything to follow. */
static void connect_server(struct mt_config *config)
{
    struct mt_config_server *server = &config->server;
    bool follows = false;
    for (size_t c = 0; server->clock != NULL && c < config->clock_count; c++) {
        if (strcmp(server->clock, config->clocks[c].name) == 0) {
            server->clock_index = c;
            follows = config->clocks[c].follow != NULL;
        }
    }
    for (size_t i = 0; i < config->instance_count; i++) {
        follows |= server->clock != NULL && strcmp(config->instances[i].clock, server->clock) == 0;
    }
    for (size_t i = 0; i < config->ntp_count; i++) {
        follows |= server->clock != NULL && strcmp(config->ntps[i].clock, server->clock) == 0;
    }
    for (size_t i = 0; i < config->refclock_count; i++) {
        follows |= server->clock != NULL && strcmp(config->refclocks[i].clock, server->clock) == 0;
    }
    if (server->local_stratum_is_auto) {
        server->local_stratum = follows && !server->is_orphan ? 0 : LOCAL_STRATUM;
    }
}

/* ---- ports -------------------------------------------------------------------------------- */

static bool is_written(const struct resolver *self, const struct mt_config_section *section,
                       const struct mt_config_port *port, const char *key)
{
    const struct mt_config_source *source = self->source;
    return mt_config_source_find(source, section->kind, section->name, key) != NULL ||
           (port->instance != NULL && mt_config_source_find(source, MT_CONFIG_SECTION_INSTANCE,
                                                            port->instance, key) != NULL) ||
           mt_config_source_find(source, MT_CONFIG_SECTION_PTP, "", key) != NULL;
}

static void add_port(struct resolver *self, const struct mt_config_section *section)
{
    struct mt_config_port *port = &self->config->ports[self->config->port_count++];
    port->name = keep(self, section->name);
    mt_port_config_init(&port->ptp);
    mt_port_profile_init(&port->profile);
    mt_peer_config_init(&port->peer);
    apply_defaults(self, MT_CONFIG_OWN_PORT, port);
    apply_section(self, section->kind, section->name, MT_CONFIG_OWN_PORT, port);
    apply_defaults(self, MT_CONFIG_PORT, port);
    if (port->instance != NULL) {
        apply_profile(self, port->instance, MT_CONFIG_PORT, port);
    }
    apply_section(self, MT_CONFIG_SECTION_PTP, "", MT_CONFIG_PORT, port);
    if (port->instance != NULL) {
        apply_section(self, MT_CONFIG_SECTION_INSTANCE, port->instance, MT_CONFIG_PORT, port);
    }
    apply_section(self, section->kind, section->name, MT_CONFIG_PORT, port);
    if (port->unicast.transmitters.count != 0 && !is_written(self, section, port, "unicast")) {
        port->unicast.mode = MT_CONFIG_UNICAST_NEGOTIATED;
    }
    if (port->interface == NULL) {
        port->interface = port->name;
    }
    port->ptp.acceptable = port->acceptable.identity;
    port->ptp.acceptable_count = (uint16_t)port->acceptable.count;
}

static void resolve_ports(struct resolver *self)
{
    self->config->ports = take_array(self, sizeof *self->config->ports);
    for (size_t i = 0; self->config->ports != NULL && i < self->source->section_count; i++) {
        const struct mt_config_section *section = &self->source->sections[i];
        if (section->kind == MT_CONFIG_SECTION_PORT ||
            section->kind == MT_CONFIG_SECTION_PTP_PORT) {
            add_port(self, section);
        }
    }
}

/* Puts the ports of each instance together; the order within one is kept. */
static void group_ports(struct mt_config *config)
{
    size_t placed = 0;
    for (size_t i = 0; i < config->instance_count; i++) {
        struct mt_config_instance *instance = &config->instances[i];
        instance->first_port = placed;
        for (size_t p = placed; p < config->port_count; p++) {
            if (strcmp(config->ports[p].instance, instance->name) != 0) {
                continue;
            }
            struct mt_config_port port = config->ports[p];
            memmove(&config->ports[placed + 1], &config->ports[placed], (p - placed) * sizeof port);
            port.instance_index = i;
            config->ports[placed++] = port;
        }
        instance->port_count = placed - instance->first_port;
    }
}

/* ---- instances ---------------------------------------------------------------------------- */

void mt_config_settle_quality(struct mt_config_instance *instance)
{
    struct mt_clock_quality *quality = &instance->ptp.quality;
    if (instance->ladder.class_is_auto) {
        quality->clock_class = instance->ptp.is_receiver_only ? 255 /* [1588-2019 7.6.2.5] */
                                                              : instance->ladder.free_run_class;
    }
    if (instance->ladder.variance_is_auto) {
        quality->variance = 0xFFFF;
    }
}

static void add_instance(struct resolver *self, const char *name)
{
    struct mt_config_instance *instance = &self->config->instances[self->config->instance_count++];
    instance->name = keep(self, name);
    mt_instance_config_init(&instance->ptp);
    apply_defaults(self, MT_CONFIG_INSTANCE, instance);
    apply_profile(self, name, MT_CONFIG_INSTANCE, instance);
    apply_section(self, MT_CONFIG_SECTION_PTP, "", MT_CONFIG_INSTANCE, instance);
    apply_section(self, MT_CONFIG_SECTION_INSTANCE, name, MT_CONFIG_INSTANCE, instance);
    if (mt_config_is_transparent(instance) || mt_config_is_stateless_client(instance)) {
        instance->ptp.is_receiver_only = true;
    }
    mt_config_settle_quality(instance);
}

static bool main_is_implied(const struct mt_config *config)
{
    for (size_t p = 0; p < config->port_count; p++) {
        if (config->ports[p].instance != NULL &&
            strcmp(config->ports[p].instance, MT_CONFIG_MAIN) == 0) {
            return true;
        }
    }
    return false;
}

static void resolve_instances(struct resolver *self)
{
    const struct mt_config_source *source = self->source;
    self->config->instances = take_array(self, sizeof *self->config->instances);
    if (self->config->instances == NULL) {
        return;
    }
    bool main_is_written =
        mt_config_source_find_section(source, MT_CONFIG_SECTION_INSTANCE, MT_CONFIG_MAIN) != NULL;
    if (!main_is_written && main_is_implied(self->config)) {
        add_instance(self, MT_CONFIG_MAIN);
    }
    for (size_t i = 0; i < source->section_count; i++) {
        if (source->sections[i].kind == MT_CONFIG_SECTION_INSTANCE) {
            add_instance(self, source->sections[i].name);
        }
    }
}

/* ---- NTP servers -------------------------------------------------------------------------- */

static void add_ntp(struct resolver *self, const char *name)
{
    struct mt_config_ntp *ntp = &self->config->ntps[self->config->ntp_count++];
    ntp->name = keep(self, name);
    mt_ntp_client_config_init(&ntp->client);
    apply_defaults(self, MT_CONFIG_NTP, ntp);
    apply_section(self, MT_CONFIG_SECTION_NTP_DEFAULTS, "", MT_CONFIG_NTP, ntp);
    apply_section(self, MT_CONFIG_SECTION_NTP, name, MT_CONFIG_NTP, ntp);
    if (ntp->address.count == 0 && mt_config_is_host(name)) {
        apply(self, mt_config_key_find(MT_CONFIG_NTP, "address"), name, ntp);
    }
}

static void resolve_ntp_defaults(struct resolver *self)
{
    struct mt_config_ntp *defaults = &self->config->ntp_defaults;
    self->config->has_ntp_defaults =
        mt_config_source_find_section(self->source, MT_CONFIG_SECTION_NTP_DEFAULTS, "") != NULL;
    defaults->name = "";
    mt_ntp_client_config_init(&defaults->client);
    apply_defaults(self, MT_CONFIG_NTP, defaults);
    apply_section(self, MT_CONFIG_SECTION_NTP_DEFAULTS, "", MT_CONFIG_NTP, defaults);
}

static void resolve_ntp(struct resolver *self)
{
    const struct mt_config_source *source = self->source;
    resolve_ntp_defaults(self);
    self->config->ntps = take_array(self, sizeof *self->config->ntps);
    for (size_t i = 0; self->config->ntps != NULL && i < source->section_count; i++) {
        if (source->sections[i].kind == MT_CONFIG_SECTION_NTP) {
            add_ntp(self, source->sections[i].name);
        }
    }
}

/* ---- reference clocks and exports ------------------------------------------------------------ */

static void add_refclock(struct resolver *self, const struct mt_config_section *section)
{
    struct mt_config_refclock *refclock = &self->config->refclocks[self->config->refclock_count++];
    bool is_gnss = section->kind == MT_CONFIG_SECTION_GNSS;
    enum mt_config_scope scope = is_gnss ? MT_CONFIG_GNSS : MT_CONFIG_REFCLOCK;
    refclock->name = keep(self, section->name);
    refclock->scale = MT_SCALE_UTC;
    refclock->driver = is_gnss ? MT_CONFIG_REFCLOCK_GNSS : MT_CONFIG_REFCLOCK_SHM;
    apply_defaults(self, scope, refclock);
    apply_section(self, section->kind, section->name, scope, refclock);
}

static void add_export(struct resolver *self, const char *name)
{
    struct mt_config_export *export = &self->config->exports[self->config->export_count++];
    export->name = keep(self, name);
    apply_defaults(self, MT_CONFIG_EXPORT, export);
    apply_section(self, MT_CONFIG_SECTION_EXPORT, name, MT_CONFIG_EXPORT, export);
}

static void resolve_refclocks(struct resolver *self)
{
    self->config->refclocks = take_array(self, sizeof *self->config->refclocks);
    self->config->exports = take_array(self, sizeof *self->config->exports);
    for (size_t i = 0; !self->is_out_of_memory && i < self->source->section_count; i++) {
        const struct mt_config_section *section = &self->source->sections[i];
        if (section->kind == MT_CONFIG_SECTION_REFCLOCK ||
            section->kind == MT_CONFIG_SECTION_GNSS) {
            add_refclock(self, section);
        } else if (section->kind == MT_CONFIG_SECTION_EXPORT) {
            add_export(self, section->name);
        }
    }
}

bool mt_config_is_pool(const struct mt_config_ntp *self)
{
    const char *label = self->address.count > 0 ? self->address.station[0].name : "";
    bool is_name =
        self->address.count > 0 && self->address.station[0].address.network == MT_NETWORK_NONE;
    if (self->pool != MT_CONFIG_POOL_AUTO) {
        return is_name && self->pool == MT_CONFIG_POOL_YES;
    }
    while (is_name && *label != '\0') {
        size_t length = strcspn(label, ".");
        if (length == 4 && strncmp(label, "pool", length) == 0) {
            return true;
        }
        label += length + (label[length] == '.');
    }
    return false;
}

/* ---- clocks ------------------------------------------------------------------------------- */

static bool is_of_main(const char *clock)
{
    return clock != NULL && strcmp(clock, MT_CONFIG_MAIN) == 0;
}

/* By what is no instance. */
static bool main_is_used_otherwise(const struct mt_config *config)
{
    for (size_t i = 0; i < config->refclock_count; i++) {
        if (is_of_main(config->refclocks[i].clock)) {
            return true;
        }
    }
    for (size_t i = 0; i < config->export_count; i++) {
        if (is_of_main(config->exports[i].clock)) {
            return true;
        }
    }
    return false;
}

static void add_clock(struct resolver *self, const char *name)
{
    struct mt_config_clock *clock = &self->config->clocks[self->config->clock_count++];
    clock->name = keep(self, name);
    mt_steer_config_init(&clock->steer);
    mt_real default_rate = clock->steer.max_rate;
    mt_real default_drift = clock->steer.max_drift;
    apply_defaults(self, MT_CONFIG_CLOCK, clock);
    apply_section(self, MT_CONFIG_SECTION_CLOCK_DEFAULTS, "", MT_CONFIG_CLOCK, clock);
    apply_section(self, MT_CONFIG_SECTION_CLOCK, name, MT_CONFIG_CLOCK, clock);
    if (clock->max_drift_is_auto) {
        clock->steer.max_drift = default_drift;
    }
    if (clock->max_rate_is_auto) {
        clock->steer.max_rate = default_rate; /* until the clock is opened */
    }
}

static void resolve_clocks(struct resolver *self)
{
    const struct mt_config_source *source = self->source;
    const struct mt_config_server *server = &self->config->server;
    bool main_is_used = main_is_used_otherwise(self->config) ||
                        (self->config->has_server && server->clock != NULL &&
                         strcmp(server->clock, MT_CONFIG_MAIN) == 0);
    self->config->clocks = take_array(self, sizeof *self->config->clocks);
    if (self->config->clocks == NULL) {
        return;
    }
    for (size_t i = 0; i < self->config->instance_count; i++) {
        if (strcmp(self->config->instances[i].clock, MT_CONFIG_MAIN) == 0) {
            main_is_used = true;
        }
    }
    for (size_t i = 0; i < self->config->ntp_count; i++) {
        main_is_used = main_is_used || strcmp(self->config->ntps[i].clock, MT_CONFIG_MAIN) == 0;
    }
    if (main_is_used &&
        mt_config_source_find_section(source, MT_CONFIG_SECTION_CLOCK, MT_CONFIG_MAIN) == NULL) {
        add_clock(self, MT_CONFIG_MAIN);
    }
    for (size_t i = 0; i < source->section_count; i++) {
        if (source->sections[i].kind == MT_CONFIG_SECTION_CLOCK) {
            add_clock(self, source->sections[i].name);
        }
    }
}

/* Where an instance is only watched, something has to tell it from what is followed. */
static bool has_watched(const struct mt_config *config, const struct mt_config_clock *self)
{
    for (size_t i = 0; i < config->instance_count; i++) {
        const struct mt_config_instance *instance = &config->instances[i];
        if (!instance->choice.is_selectable && strcmp(instance->clock, self->name) == 0) {
            return true;
        }
    }
    return false;
}

bool mt_config_is_arbitrated(const struct mt_config *config, const struct mt_config_clock *self)
{
    for (size_t i = 0; i < config->ntp_count; i++) {
        if (strcmp(config->ntps[i].clock, self->name) == 0) {
            return true;
        }
    }
    for (size_t i = 0; i < config->refclock_count; i++) {
        if (strcmp(config->refclocks[i].clock, self->name) == 0) {
            return true;
        }
    }
    return self->arbiter == MT_CONFIG_ARBITER_ALWAYS || has_watched(config, self);
}

bool mt_config_is_phc(const struct mt_config_clock *self)
{
    return self->kind == MT_CONFIG_CLOCK_PHC || self->kind == MT_CONFIG_CLOCK_VCLOCK ||
           self->kind == MT_CONFIG_CLOCK_AUTO;
}

bool mt_config_is_transparent(const struct mt_config_instance *self)
{
    return self->clock_type == MT_CONFIG_TYPE_E2E_TRANSPARENT ||
           self->clock_type == MT_CONFIG_TYPE_P2P_TRANSPARENT;
}

bool mt_config_is_stateless_client(const struct mt_config_instance *self)
{
    return self->stateless.sptp == MT_CONFIG_STATELESS_CLIENT ||
           self->stateless.csptp == MT_CONFIG_STATELESS_CLIENT;
}

/* Such a clock is measured, but not corrected. */
static void release_clocks(struct mt_config *config)
{
    for (size_t i = 0; i < config->instance_count; i++) {
        const struct mt_config_instance *instance = &config->instances[i];
        if (mt_config_is_transparent(instance) &&
            instance->transparent.syntonise != MT_CONFIG_SYNTONISE_YES) {
            config->clocks[instance->clock_index].steer.estimates_only = true;
        }
    }
}

/* The index of a clock by its name; their count: there is none of that name. */
static size_t find_clock(const struct mt_config *config, const char *name)
{
    size_t index = 0;
    while (index < config->clock_count && strcmp(config->clocks[index].name, name) != 0) {
        index++;
    }
    return index;
}

static void connect_refclocks(struct mt_config *config)
{
    for (size_t i = 0; i < config->refclock_count; i++) {
        config->refclocks[i].clock_index = find_clock(config, config->refclocks[i].clock);
    }
    for (size_t i = 0; i < config->export_count; i++) {
        config->exports[i].clock_index = find_clock(config, config->exports[i].clock);
    }
}

static void connect_clocks(struct mt_config *config)
{
    for (size_t i = 0; i < config->instance_count; i++) {
        for (size_t c = 0; c < config->clock_count; c++) {
            if (strcmp(config->instances[i].clock, config->clocks[c].name) == 0) {
                config->instances[i].clock_index = c;
            }
        }
    }
    for (size_t i = 0; i < config->ntp_count; i++) {
        for (size_t c = 0; c < config->clock_count; c++) {
            if (strcmp(config->ntps[i].clock, config->clocks[c].name) == 0) {
                config->ntps[i].clock_index = c;
            }
        }
    }
}

bool mt_config_resolve(struct mt_config *self, const struct mt_config_source *source)
{
    struct resolver resolver = {self, source, false};
    resolve_daemon(&resolver);
    resolve_server(&resolver);
    resolve_ports(&resolver);
    if (!resolver.is_out_of_memory) {
        resolve_instances(&resolver);
        resolve_ntp(&resolver);
    }
    if (resolver.is_out_of_memory) {
        return false;
    }
    group_ports(self);
    resolve_refclocks(&resolver);
    resolve_clocks(&resolver);
    connect_clocks(self);
    mt_config_settle(self);
    connect_server(self);
    connect_refclocks(self);
    release_clocks(self);
    return !resolver.is_out_of_memory;
}
