/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Storage is laid out in one go from the counts of the configuration, then filled from the ground
 * up: clocks, links, instances.
 */
#include "compose/compose_private.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "meantime/ptp_transparent.h"
#include "meantime/steer_servos.h"

void mt_compose_note(struct mt_composition *self, const char *format, ...)
{
    if (self->note_count == MT_COMPOSE_NOTES_MAX) {
        return;
    }
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(self->notes[self->note_count++], MT_HAL_REASON_SIZE, format, arguments);
    va_end(arguments);
}

static bool refuse(char reason[MT_HAL_REASON_SIZE], const char *text)
{
    snprintf(reason, MT_HAL_REASON_SIZE, "%s", text);
    return false;
}

/* ---- storage --------------------------------------------------------------------------------- */

static void free_node(struct mt_node *node)
{
    for (uint16_t i = 0; node->clocks != NULL && i < node->clock_count; i++) {
        free(node->clocks[i].discipline.sources);
        free(node->clocks[i].discipline.config.skewness);
        free(node->clocks[i].discipline.config.servo_storage);
        mt_compose_free_arbiter(&node->clocks[i].arbiter);
    }
    for (uint16_t i = 0; node->instances != NULL && i < node->instance_count; i++) {
        struct mt_instance *ptp = &node->instances[i].ptp;
        free(ptp->config.path);
        mt_compose_free_more(ptp->config.more);
        free(ptp->ports);
        free(node->instances[i].ports);
    }
    free(node->clocks);
    free(node->instances);
    free(node->ntp);
    free(node->links);
    free(node->stamps);
    free(node->refclocks);
    free(node->gnss);
    free(node->exports);
}

static bool allocate_node(struct mt_composition *self)
{
    struct mt_node *node = &self->node;
    const struct mt_config *config = self->config;
    node->clock_count = (uint16_t)config->clock_count;
    node->instance_count = (uint16_t)config->instance_count;
    node->clocks = calloc(config->clock_count, sizeof *node->clocks);
    node->instances = calloc(config->instance_count, sizeof *node->instances);
    self->link_room = config->port_count + mt_compose_ntp_count(config) +
                      2 * config->refclock_count + /* a receiver has pulses, too */
                      config->export_count + config->clock_count + /* thermometers */ 2u;
    node->links = calloc(self->link_room, sizeof(struct mt_hal_link *));
    node->stamps = calloc(self->link_room, sizeof *node->stamps);
    node->local_link = MT_NODE_NO_LINK;
    return node->stamps != NULL && node->clocks != NULL && node->instances != NULL &&
           node->links != NULL;
}

/* ---- clocks ---------------------------------------------------------------------------------- */

static enum mt_clock_kind kind_of(enum mt_config_clock_kind kind)
{
    switch (kind) {
    case MT_CONFIG_CLOCK_SYSTEM:
        return MT_CLOCK_SYSTEM;
    case MT_CONFIG_CLOCK_LAB:
        return MT_CLOCK_LAB;
    case MT_CONFIG_CLOCK_PHC:
    case MT_CONFIG_CLOCK_VCLOCK:
    case MT_CONFIG_CLOCK_AUTO:
        return MT_CLOCK_PHC;
    case MT_CONFIG_CLOCK_OVERLAY:
        break;
    }
    return MT_CLOCK_OVERLAY;
}

/* Where the clock's stamps come from first. */
static const char *first_interface(const struct mt_config *config, size_t clock)
{
    for (size_t i = 0; i < config->instance_count; i++) {
        if (config->instances[i].clock_index == clock && config->instances[i].port_count > 0) {
            return config->ports[config->instances[i].first_port].interface;
        }
    }
    return "";
}

/* Words for what the configuration asked for. */
static const char *wish_of(const struct mt_config_clock *clock)
{
    return clock->kind == MT_CONFIG_CLOCK_SYSTEM ? "system clock" : "hardware clock";
}

static struct mt_hal_clock *open_clock(struct mt_composition *self,
                                       const struct mt_config_clock *clock,
                                       struct mt_hal_provider *provider,
                                       const struct mt_compose_facts *facts,
                                       char reason[MT_HAL_REASON_SIZE])
{
    struct mt_clock_request request = {
        .kind = kind_of(clock->kind),
        .name = clock->name,
        .tai_utc_known = facts->tai_utc_known,
        .tai_minus_utc_s = facts->tai_minus_utc_s,
        .sets_rtc = clock->sets_rtc,
        .is_virtual = clock->kind == MT_CONFIG_CLOCK_VCLOCK,
        .lab_offset_s = clock->lab_offset_s,
        .lab_frequency = clock->lab_frequency,
        .lab_wander = clock->lab_wander,
        .lab_seed = clock->lab_seed,
    };
    if (mt_config_is_phc(clock)) {
        request.device =
            clock->device != NULL
                ? clock->device
                : first_interface(self->config, (size_t)(clock - self->config->clocks));
    }
    struct mt_hal_clock *hal = provider->ops->open_clock(provider, &request, reason);
    bool is_optional = clock->kind == MT_CONFIG_CLOCK_AUTO;
    if (hal == NULL ? !is_optional : hal->is_adjustable) {
        return hal;
    }
    char *why = self->fallback_reasons[clock - self->config->clocks];
    if (hal == NULL) {
        snprintf(why, MT_HAL_REASON_SIZE, "%s", reason);
    } else {
        snprintf(why, MT_HAL_REASON_SIZE, "the %s may not be adjusted: %s", wish_of(clock),
                 hal->refusal != NULL ? hal->refusal : "the reason is not known");
    }
    if (!is_optional) {
        mt_compose_note(self, "%s; clock %s carries on as an overlay, readable through libmeantime",
                        why, clock->name);
    }
    request.kind = MT_CLOCK_OVERLAY;
    return provider->ops->open_clock(provider, &request, reason);
}

uint16_t mt_compose_port_sources(const struct mt_config *config, size_t clock)
{
    size_t count = 0;
    for (size_t i = 0; i < config->instance_count; i++) {
        count += config->instances[i].clock_index == clock ? config->instances[i].port_count : 0;
    }
    return (uint16_t)count;
}

static uint16_t sources_of(const struct mt_config *config, size_t clock)
{
    return (uint16_t)(mt_compose_port_sources(config, clock) +
                      mt_compose_ntp_sources(config, clock));
}

/* What a clock follows on this machine is the last of its sources. */
static void set_follow(struct mt_node_clock *clock, const struct mt_config *config, uint16_t index)
{
    const struct mt_config_clock *leader = mt_config_leader(config, &config->clocks[index]);
    if (leader != NULL) {
        clock->follow = (struct mt_follow){.is_used = true,
                                           .leader = (uint16_t)(leader - config->clocks),
                                           .source = sources_of(config, index)};
    }
}

static const struct mt_steer_servo *servo_of(enum mt_config_servo servo)
{
    switch (servo) {
    case MT_CONFIG_SERVO_ADAPTIVE:
        break;
    case MT_CONFIG_SERVO_PI:
        return &mt_steer_servo_pi;
    case MT_CONFIG_SERVO_LINREG:
        return &mt_steer_servo_linreg;
    case MT_CONFIG_SERVO_KALMAN:
        return &mt_steer_servo_kalman;
    }
    return NULL;
}

static bool init_discipline(struct mt_node_clock *clock, const struct mt_config *config,
                            uint16_t index, struct mt_hal_store *store)
{
    struct mt_steer_config steer = config->clocks[index].steer;
    uint16_t source_count = (uint16_t)(sources_of(config, index) + clock->follow.is_used +
                                       mt_compose_refclocks_of(config, index));
    struct mt_discipline_source *sources = calloc(source_count, sizeof *sources);
    steer.skewness = calloc(source_count, sizeof *steer.skewness);
    steer.servo = servo_of(config->clocks[index].servo);
    steer.servo_storage = calloc(1, sizeof *steer.servo_storage);
    if (sources == NULL || steer.skewness == NULL || steer.servo_storage == NULL) {
        free(sources);
        free(steer.skewness);
        free(steer.servo_storage);
        return false;
    }
    for (uint16_t i = 0; i < source_count; i++) {
        mt_skewness_init(&steer.skewness[i]);
    }
    steer.granularity_ns = clock->hal->granularity_ns;
    steer.adopts_scale = clock->hal->adopts_scale;
    if (config->clocks[index].max_rate_is_auto || steer.max_rate > clock->hal->max_rate) {
        steer.max_rate = clock->hal->max_rate;
    }
    mt_real rate = 0;
    bool is_known = clock->keeps_drift && store != NULL && store->ops->load_drift != NULL &&
                    store->ops->load_drift(store, index, &rate);
    struct mt_clock_reading reading;
    clock->hal->ops->read(clock->hal, &reading);
    mt_discipline_init(&clock->discipline, &steer, sources, source_count, clock->hal->scale,
                       reading.local.corrections, rate, is_known);
    return true;
}

static enum mt_rivals_policy rivals_policy_of(enum mt_config_shared when_shared)
{
    switch (when_shared) {
    case MT_CONFIG_SHARED_WARN:
        break;
    case MT_CONFIG_SHARED_YIELD:
        return MT_RIVALS_YIELD;
    case MT_CONFIG_SHARED_INSIST:
        return MT_RIVALS_INSIST;
    }
    return MT_RIVALS_WARN;
}

static bool compose_clock(struct mt_composition *self, uint16_t index,
                          struct mt_hal_provider *provider, const struct mt_compose_facts *facts,
                          char reason[MT_HAL_REASON_SIZE])
{
    struct mt_node_clock *clock = &self->node.clocks[index];
    clock->keeps_drift = self->config->clocks[index].keeps_drift;
    clock->panics = !self->config->clocks[index].never_panics;
    clock->panic = self->config->clocks[index].panic;
    clock->rivals.policy = rivals_policy_of(self->config->clocks[index].when_shared);
    mt_compose_holdover(&self->config->clocks[index], &clock->holdover);
    clock->tai_utc_known = facts->tai_utc_known;
    clock->tai_minus_utc_s = facts->tai_minus_utc_s;
    clock->leap_s = facts->leap_s;
    mt_leap_duty_know(&clock->leap, facts->by, facts->slack_s, facts->kernel_s);
    mt_compose_standby(self, index);
    set_follow(clock, self->config, index);
    clock->hal = open_clock(self, &self->config->clocks[index], provider, facts, reason);
    if (clock->hal == NULL) {
        return false;
    }
    if (!init_discipline(clock, self->config, index, provider->store)) {
        return refuse(reason, "out of memory");
    }
    mt_compose_oscillator(self, index, provider);
    return true;
}

/* ---- links and instances --------------------------------------------------------------------- */

/* A daemon that cannot be asked keeps time all the same. */
static void open_local_link(struct mt_composition *self, struct mt_hal_provider *provider)
{
    struct mt_node *node = &self->node;
    char reason[MT_HAL_REASON_SIZE] = "";
    const struct mt_link_request request = {
        .interface = self->config->daemon.run_directory,
        .transport = MT_TRANSPORT_LOCAL,
        .local_socket = self->config->daemon.linuxptp_socket,
    };
    struct mt_hal_link *link =
        provider->ops->open_link(provider, node->link_count, &request, reason);
    if (link != NULL) {
        node->local_link = node->link_count;
        node->links[node->link_count++] = link;
    } else if (reason[0] != '\0') {
        mt_compose_note(self, "%s", reason);
    }
}

static bool find_identity(const struct mt_composition *self,
                          const struct mt_config_instance *instance,
                          struct mt_hal_provider *provider, struct mt_clock_identity *ret_identity)
{
    for (size_t i = 0; i < instance->port_count; i++) {
        const char *interface = self->config->ports[instance->first_port + i].interface;
        if (provider->ops->identity(provider, interface, ret_identity)) {
            return true;
        }
    }
    return false;
}

/* No interface there yet: a random identity with the local bit set is as good as any. */
static struct mt_clock_identity random_identity(struct mt_hal_provider *provider)
{
    struct mt_clock_identity identity;
    uint64_t seed = provider->entropy->seed(provider->entropy);
    memcpy(identity.octet, &seed, sizeof identity.octet);
    identity.octet[0] = (uint8_t)((identity.octet[0] | 0x02u) & 0xFEu);
    identity.octet[3] = 0xFF;
    identity.octet[4] = 0xFE;
    return identity;
}

void mt_compose_time_properties(const struct mt_config_instance *instance,
                                const struct mt_compose_facts *facts, enum mt_timescale scale,
                                struct mt_time_properties *ret_time)
{
    *ret_time = instance->ptp.time;
    if (instance->utc_offset_is_auto) {
        ret_time->utc_offset = (int16_t)(facts->tai_utc_known ? facts->tai_minus_utc_s : 0);
    }
    if (facts->tai_utc_known || !instance->utc_offset_is_auto) {
        ret_time->flags |= MT_PTP_UTC_OFFSET_VALID;
    }
    if (scale == MT_SCALE_TAI) {
        ret_time->flags |= MT_PTP_TIMESCALE;
    }
    if (facts->leap_s != 0) {
        ret_time->flags |= facts->leap_s > 0 ? MT_PTP_LEAP_61 : MT_PTP_LEAP_59;
    }
}

static bool fill_instance_config(struct mt_composition *self, uint16_t index,
                                 struct mt_hal_provider *provider,
                                 const struct mt_compose_facts *facts,
                                 struct mt_instance_config *ret_config)
{
    const struct mt_config_instance *instance = &self->config->instances[index];
    const struct mt_node_clock *clock = &self->node.clocks[instance->clock_index];
    *ret_config = instance->ptp;
    ret_config->features = mt_config_is_transparent(instance) ? &mt_ptp_transparent_features
                           : instance->ptp.is_receiver_only   ? &mt_ptp_receiver_features
                                                              : &mt_ptp_all_features;
    ret_config->features = mt_compose_variant(self, index, ret_config->features, ret_config);
    if (instance->identity_is_auto &&
        !find_identity(self, instance, provider, &ret_config->identity)) {
        ret_config->identity = random_identity(provider);
    }
    mt_compose_time_properties(instance, facts, clock->hal->scale, &ret_config->time);
    self->node.instances[index].minor.is_auto = instance->minor_is_auto;
    if (instance->path_trace && !instance->ptp.is_receiver_only) {
        ret_config->path = calloc(1, sizeof *ret_config->path);
        return ret_config->path != NULL;
    }
    return true;
}

/* The sources of a clock are numbered through all ports of all its instances. */
static uint16_t first_source_of(const struct mt_config *config, uint16_t index)
{
    size_t source = 0;
    for (size_t i = 0; i < index; i++) {
        if (config->instances[i].clock_index == config->instances[index].clock_index) {
            source += config->instances[i].port_count;
        }
    }
    return (uint16_t)source;
}

static bool fill_configs(struct mt_composition *self, uint16_t index,
                         struct mt_hal_provider *provider, const struct mt_compose_facts *facts,
                         struct mt_instance_config *ret_instance, struct mt_port_config *ret_ports,
                         char reason[MT_HAL_REASON_SIZE])
{
    const struct mt_config_instance *config = &self->config->instances[index];
    struct mt_node_instance *instance = &self->node.instances[index];
    for (size_t i = 0; i < config->port_count; i++) {
        ret_ports[i] = self->config->ports[config->first_port + i].ptp;
        ret_ports[i].more = mt_compose_port_more(self, config->first_port + i);
        instance->ports[i].link = mt_compose_link_of(self->config, config->first_port + i);
        mt_compose_latencies(&self->config->ports[config->first_port + i],
                             &instance->ports[i].latencies);
        instance->ports[i].source = (uint16_t)(first_source_of(self->config, index) + i);
    }
    if (!fill_instance_config(self, index, provider, facts, ret_instance)) {
        return refuse(reason, "out of memory");
    }
    return mt_compose_more(self, index, ret_instance, ret_ports, reason) &&
           (mt_compose_stateless(config, &self->config->ports[config->first_port].unicast.allowed,
                                 ret_instance->more, ret_ports) ||
            refuse(reason, "out of memory"));
}

static bool compose_instance(struct mt_composition *self, uint16_t index,
                             struct mt_hal_provider *provider, const struct mt_compose_facts *facts,
                             char reason[MT_HAL_REASON_SIZE])
{
    const struct mt_config_instance *config = &self->config->instances[index];
    struct mt_node_instance *instance = &self->node.instances[index];
    struct mt_instance_config ptp = {0};
    struct mt_port *ports = calloc(config->port_count, sizeof *ports);
    struct mt_port_config *port_configs = calloc(config->port_count, sizeof *port_configs);
    instance->ports = calloc(config->port_count, sizeof *instance->ports);
    instance->clock = (uint16_t)config->clock_index;
    instance->arb_is_utc = config->arb_timescale == MT_CONFIG_ARB_IS_UTC;
    mt_compose_ladder(config, &instance->foreign_time.ladder);
    bool has_memory = ports != NULL && port_configs != NULL && instance->ports != NULL;
    bool is_ready = has_memory
                        ? fill_configs(self, index, provider, facts, &ptp, port_configs, reason)
                        : refuse(reason, "out of memory");
    if (is_ready) {
        mt_compose_choose(self, index, &ptp, port_configs);
        mt_instance_init(&instance->ptp, &ptp, ports, port_configs, (uint16_t)config->port_count,
                         provider->entropy->seed(provider->entropy), self->started);
    } else {
        mt_compose_free_more(ptp.more);
        free(ptp.path);
        free(ports);
    }
    free(port_configs);
    return is_ready;
}

/* ---- the whole ------------------------------------------------------------------------------- */

static bool compose_all(struct mt_composition *self, struct mt_hal_provider *provider,
                        const struct mt_compose_facts *facts, char reason[MT_HAL_REASON_SIZE])
{
    struct mt_node *node = &self->node;
    if (!allocate_node(self)) {
        return refuse(reason, "out of memory");
    }
    for (uint16_t i = 0; i < node->clock_count; i++) {
        if (!compose_clock(self, i, provider, facts, reason)) {
            return false;
        }
    }
    if (!mt_compose_links(node, self->config, provider, reason) || !mt_compose_ntp(self, reason) ||
        !mt_compose_refclocks(self, provider, reason)) {
        return false;
    }
    mt_compose_thermometers(self, provider);
    if (self->config->daemon.management_sockets) {
        open_local_link(self, provider);
    }
    if (!mt_compose_unicast(self, provider->entropy)) {
        return refuse(reason, "out of memory");
    }
    for (uint16_t i = 0; i < node->instance_count; i++) {
        if (!compose_instance(self, i, provider, facts, reason)) {
            return false;
        }
    }
    for (uint16_t i = 0; i < node->clock_count; i++) {
        if (!mt_compose_arbiter(self, i)) {
            return refuse(reason, "out of memory");
        }
    }
    return mt_compose_server(self, reason) && mt_compose_server_in_ptp(self, provider, reason);
}

static void *copy_of(const void *array, size_t count, size_t size)
{
    void *copy = malloc(count * size + 1); /* of none, too */
    if (copy != NULL && count > 0) {
        memcpy(copy, array, count * size);
    }
    return copy;
}

/* Instances and ports have values of their own, since a reload changes them. */
static bool put_in_force(struct mt_composition *self, const struct mt_config *config)
{
    self->in_force = *config;
    self->in_force.instances =
        copy_of(config->instances, config->instance_count, sizeof *config->instances);
    self->in_force.ports = copy_of(config->ports, config->port_count, sizeof *config->ports);
    self->fallback_reasons = calloc(config->clock_count, sizeof *self->fallback_reasons);
    self->variants = calloc(config->instance_count, sizeof *self->variants);
    self->profiles = calloc(config->instance_count, sizeof *self->profiles);
    self->port_storage = calloc(config->port_count, sizeof *self->port_storage);
    self->config = &self->in_force;
    return self->in_force.instances != NULL && self->in_force.ports != NULL &&
           self->fallback_reasons != NULL && self->variants != NULL && self->profiles != NULL &&
           self->port_storage != NULL;
}

struct mt_composition *mt_compose(const struct mt_config *config, struct mt_hal_provider *provider,
                                  const struct mt_compose_facts *facts,
                                  char reason[MT_HAL_REASON_SIZE])
{
    struct mt_composition *self = calloc(1, sizeof *self);
    if (self == NULL) {
        refuse(reason, "out of memory");
        return NULL;
    }
    self->facts = *facts;
    self->provider = provider;
    self->node.store = provider->store;
    self->node.entropy = provider->entropy;
    self->started = provider->wait->ops->now(provider->wait);
    if (!put_in_force(self, config)) {
        refuse(reason, "out of memory");
        mt_composition_free(self);
        return NULL;
    }
    if (!compose_all(self, provider, facts, reason)) {
        mt_composition_free(self);
        return NULL;
    }
    mt_node_start(&self->node, self->started);
    return self;
}

void mt_composition_free(struct mt_composition *self)
{
    if (self != NULL) {
        mt_compose_free_ntp(self);
        free_node(&self->node);
        free(self->in_force.instances);
        free(self->in_force.ports);
        mt_config_pool_free(&self->reload_pool);
        mt_compose_free_server(self);
        mt_compose_free_unicast(self);
        free(self->port_storage);
        free(self->fallback_reasons);
        free(self->variants);
        free(self->profiles);
        free(self);
    }
}

int mt_composition_find_instance(const struct mt_composition *self, const char *name)
{
    for (size_t i = 0; i < self->config->instance_count; i++) {
        if (strcmp(self->config->instances[i].name, name) == 0) {
            return (int)i;
        }
    }
    return -1;
}
