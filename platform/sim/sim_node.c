/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * A node's platform: the tables of hal/ over the simulated world.
 *
 * The wait table does not wait: the world puts an input into `pending` and calls the loop, which
 * takes it out.  Clocks outlive the process, as far as the hardware does: the oscillator always,
 * what was set only for a clock of kind MT_CLOCK_SYSTEM.
 */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "platform/sim/sim_private.h"

#define BOOT_NS  INT64_C(1000000000000) /* between the boots of two nodes */
#define ANY_RATE 0.1
#define DAY_S    86400

#define NODE_OF(member, pointer)                                                                   \
    ((struct mt_sim_node *)(void *)((char *)(pointer)-offsetof(struct mt_sim_node, member)))

int64_t mt_sim_node_boot_ns(const struct mt_sim_node *node)
{
    return (node->number + 1) * BOOT_NS;
}

/* ---- waiting, seeds, what is kept ------------------------------------------------------------ */

static struct mt_mono wait_now(struct mt_hal_wait *hal)
{
    const struct mt_sim_node *node = NODE_OF(wait, hal);

    return (struct mt_mono){node->world->t_ns + mt_sim_node_boot_ns(node)};
}

static void wait_next(struct mt_hal_wait *hal, struct mt_mono deadline, struct mt_input *ret_input)
{
    struct mt_sim_node *node = NODE_OF(wait, hal);
    const struct mt_sim_event *event = node->pending;

    *ret_input = (struct mt_input){.kind = MT_INPUT_NONE, .now = wait_now(hal)};
    if (event == NULL) {
        return;
    }
    node->pending = NULL;
    ret_input->kind = (enum mt_input_kind)event->kind;
    ret_input->link = event->link;
    ret_input->token = event->token;
    ret_input->has_stamp = event->has_stamp;
    ret_input->is_up = event->is_up;
    ret_input->stamp = event->stamp;
    if (event->frame != NULL) {
        ret_input->bytes = event->frame->bytes;
        ret_input->length = event->frame->length;
        ret_input->from = event->frame->sender;
        node->links[event->link]->hal.counters.received++;
    }
}

static const struct mt_hal_wait_ops wait_ops = {.next = wait_next, .now = wait_now};

static uint64_t seed(struct mt_hal_entropy *hal)
{
    struct mt_sim_node *node = NODE_OF(entropy, hal);
    uint64_t high = mt_prng_next_u32(&node->prng);

    return high << 32 | mt_prng_next_u32(&node->prng);
}

static void publish(struct mt_hal_store *hal, uint16_t index, const struct mt_clock_page *page)
{
    struct mt_sim_node *node = NODE_OF(store, hal);

    if (index < MT_WORLD_CLOCKS_MAX) {
        node->pages[index] = *page;
    }
}

static bool load_drift(struct mt_hal_store *hal, uint16_t index, mt_real *ret_rate)
{
    const struct mt_sim_node *node = NODE_OF(store, hal);
    bool is_known = index < MT_WORLD_CLOCKS_MAX && node->has_drift[index];

    if (is_known) {
        *ret_rate = node->drift[index];
    }
    return is_known;
}

static void save_drift(struct mt_hal_store *hal, uint16_t index, mt_real rate)
{
    struct mt_sim_node *node = NODE_OF(store, hal);

    if (index < MT_WORLD_CLOCKS_MAX) {
        node->has_drift[index] = true;
        node->drift[index] = rate;
    }
}

static bool load_oscillator(struct mt_hal_store *hal, uint16_t index,
                            struct mt_steer_oscillator_memory *ret_memory,
                            char reason[MT_HAL_REASON_SIZE])
{
    const struct mt_sim_node *node = NODE_OF(store, hal);

    reason[0] = '\0';
    if (index >= MT_WORLD_CLOCKS_MAX || !node->learned[index].is_known) {
        return false;
    }
    int64_t away_ns = mt_sim_base(node->world).ns - node->learned[index].at_ns;
    *ret_memory = node->learned[index].memory;
    ret_memory->age_s += (mt_real)away_ns * MT_REAL(1e-9);
    return true;
}

static void save_oscillator(struct mt_hal_store *hal, uint16_t index,
                            const struct mt_steer_oscillator_memory *memory)
{
    struct mt_sim_node *node = NODE_OF(store, hal);

    if (index < MT_WORLD_CLOCKS_MAX) {
        node->learned[index] = (struct mt_sim_learned){
            .is_known = true, .at_ns = mt_sim_base(node->world).ns, .memory = *memory};
    }
}

static const struct mt_hal_store_ops store_ops = {
    .publish = publish,
    .load_drift = load_drift,
    .save_drift = save_drift,
    .load_oscillator = load_oscillator,
    .save_oscillator = save_oscillator,
};

/* ---- clocks ---------------------------------------------------------------------------------- */

static struct mt_sim_clock *new_clock(struct mt_sim_node *node)
{
    struct mt_sim_clock *clock = calloc(1, sizeof *clock);

    if (clock != NULL) {
        clock->world = node->world;
        clock->node = node->number;
        clock->index = node->clock_count;
        clock->oscillator = &node->oscillator;
        node->clocks[node->clock_count] = clock;
    }
    return clock;
}

/* A lab clock brings its oscillator along. */
static void give_oscillator(struct mt_sim_clock *clock, const struct mt_clock_request *request)
{
    struct mt_prng prng;

    mt_prng_init(&prng, request->lab_seed);
    mt_sim_oscillator_init(&clock->own, &clock->world->noise, prng, request->lab_frequency,
                           request->lab_wander, mt_sim_base(clock->world).ns);
    clock->oscillator = &clock->own;
}

static void set_clock(struct mt_sim_clock *clock, const struct mt_sim_node *node,
                      const struct mt_clock_request *request)
{
    mt_real offset_s =
        request->kind == MT_CLOCK_LAB ? request->lab_offset_s : node->config.offset_s;
    enum mt_timescale scale = request->tai_utc_known ? MT_SCALE_TAI : MT_SCALE_ARB;
    int64_t more_s = (request->tai_utc_known ? request->tai_minus_utc_s : 0);
    struct mt_world_utc utc = mt_world_utc(node->world);
    struct mt_instant local = mt_instant_from_ns(mt_sim_base(node->world).ns, scale);

    local = mt_instant_plus(local, (struct mt_span){more_s - utc.tai_minus_utc_s, 0, 0});
    local = mt_instant_plus(local, mt_span_from_real(offset_s));
    mt_sim_clock_init(clock, local);
}

static struct mt_hal_clock *open_clock(struct mt_hal_provider *provider,
                                       const struct mt_clock_request *request,
                                       char reason[MT_HAL_REASON_SIZE])
{
    struct mt_sim_node *node = NODE_OF(provider, provider);
    struct mt_sim_clock *clock =
        node->clock_count < MT_WORLD_CLOCKS_MAX ? node->clocks[node->clock_count] : NULL;
    bool was_set = clock != NULL && clock->is_open;

    if (clock == NULL && node->clock_count < MT_WORLD_CLOCKS_MAX) {
        clock = new_clock(node);
    }
    if (clock == NULL) {
        snprintf(reason, MT_HAL_REASON_SIZE, "a simulated node has %d clocks at most",
                 MT_WORLD_CLOCKS_MAX);
        return NULL;
    }
    node->clock_count++;
    clock->hal = (struct mt_hal_clock){
        .ops = &mt_sim_clock_ops,
        .base = MT_BASE_VIRTUAL,
        .scale = clock->hal.scale,
        .granularity_ns = node->config.granularity_ns > 0 ? node->config.granularity_ns : 1,
        .max_rate = node->config.max_rate > 0 ? node->config.max_rate : ANY_RATE,
        .adopts_scale = request->kind != MT_CLOCK_SYSTEM,
        .is_adjustable = true,
    };
    if (request->kind == MT_CLOCK_LAB) {
        give_oscillator(clock, request);
    }
    if (!was_set || request->kind != MT_CLOCK_SYSTEM) {
        set_clock(clock, node, request);
    }
    clock->is_open = true;
    return &clock->hal;
}

/* ---- links ----------------------------------------------------------------------------------- */

struct mt_sim_port *mt_sim_find_port(const struct mt_sim_node *node, const char *interface)
{
    for (uint8_t i = 0; i < node->port_count; i++) {
        if (strcmp(node->ports[i]->name, interface) == 0) {
            return node->ports[i];
        }
    }
    return NULL;
}

/* Whatever the network, the last three octets name node and interface. */
struct mt_address mt_sim_port_address(const struct mt_sim_port *port, enum mt_network network)
{
    struct mt_address address = {.network = (uint8_t)network};
    const uint8_t name[] = {(uint8_t)(port->node >> 8), (uint8_t)port->node, port->number};

    switch (network) {
    case MT_NETWORK_NONE:
        return address;
    case MT_NETWORK_UDP_IPV4:
        address.octets[0] = 10;
        break;
    case MT_NETWORK_UDP_IPV6:
        address.octets[0] = 0xFD;
        break;
    case MT_NETWORK_IEEE_802_3:
        address.octets[0] = 0x02;
        address.octets[2] = 0x5E;
        break;
    }
    memcpy(address.octets + mt_address_length(&address) - sizeof name, name, sizeof name);
    return address;
}

bool mt_sim_is_inside(const struct mt_address *address)
{
    return (address->network == MT_NETWORK_UDP_IPV4 && address->octets[0] == 10) ||
           (address->network == MT_NETWORK_UDP_IPV6 && address->octets[0] == 0xFD);
}

bool mt_world_address(const struct mt_world *self, uint32_t node, const char *interface,
                      enum mt_network network, struct mt_address *ret_address)
{
    const struct mt_sim_port *port = mt_sim_find_port(self->nodes[node], interface);

    if (port != NULL) {
        *ret_address = mt_sim_port_address(port, network);
    }
    return port != NULL;
}

static enum mt_network network_of(enum mt_transport transport)
{
    switch (transport) {
    case MT_TRANSPORT_UDP_IPV4:
    case MT_TRANSPORT_NTP:
        break;
    case MT_TRANSPORT_UDP_IPV6:
        return MT_NETWORK_UDP_IPV6;
    case MT_TRANSPORT_IEEE_802_3:
        return MT_NETWORK_IEEE_802_3;
    case MT_TRANSPORT_LOCAL:
    case MT_TRANSPORT_REFCLOCK_SHM:
    case MT_TRANSPORT_REFCLOCK_SOCK:
    case MT_TRANSPORT_EXPORT_SHM:
    case MT_TRANSPORT_EXPORT_SOCK:
    case MT_TRANSPORT_PPS:
    case MT_TRANSPORT_EXTTS:
    case MT_TRANSPORT_GNSS:
    case MT_TRANSPORT_PEROUT:
    case MT_TRANSPORT_TEMPERATURE:
        return MT_NETWORK_NONE;
    }
    return MT_NETWORK_UDP_IPV4;
}

static struct mt_sim_link *add_link(struct mt_sim_node *node)
{
    struct mt_sim_link **links = mt_sim_grown(node->links, node->link_count, sizeof *links);
    struct mt_sim_link *link = calloc(1, sizeof *link);

    node->links = links != NULL ? links : node->links;
    if (link == NULL || links == NULL) {
        free(link);
        return NULL;
    }
    link->hal.ops = &mt_sim_link_ops;
    link->hal.inserts_stamps = node->config.inserts_stamps;
    link->world = node->world;
    link->node = node->number;
    link->index = node->link_count;
    links[node->link_count++] = link;
    return link;
}

/* The next one, or one that was closed. */
static struct mt_sim_link *take_link(struct mt_sim_node *node, uint16_t index)
{
    if (index < node->link_count && node->links[index]->is_closed) {
        node->links[index]->is_closed = false;
        return node->links[index];
    }
    return index == node->link_count ? add_link(node) : NULL;
}

static bool is_refclock(enum mt_transport transport)
{
    return transport == MT_TRANSPORT_REFCLOCK_SHM || transport == MT_TRANSPORT_REFCLOCK_SOCK;
}

static enum mt_sim_hears heard_by(enum mt_transport transport)
{
    bool is_pulse = transport == MT_TRANSPORT_PPS || transport == MT_TRANSPORT_EXTTS;
    return is_pulse                         ? MT_SIM_HEARS_PULSES
           : transport == MT_TRANSPORT_GNSS ? MT_SIM_HEARS_SENTENCES
                                            : MT_SIM_HEARS_NOTHING;
}

/* Like every platform, says at once whether the link is up. */
static struct mt_hal_link *open_link(struct mt_hal_provider *provider, uint16_t index,
                                     const struct mt_link_request *request,
                                     char reason[MT_HAL_REASON_SIZE])
{
    struct mt_sim_node *node = NODE_OF(provider, provider);
    if (request->transport == MT_TRANSPORT_LOCAL) { /* there are no other programs */
        reason[0] = '\0';
        return NULL;
    }
    struct mt_sim_link *link = take_link(node, index);

    if (link == NULL) {
        snprintf(reason, MT_HAL_REASON_SIZE, "link %u is open already, or memory ran out", index);
        return NULL;
    }
    if (request->transport == MT_TRANSPORT_NTP) {
        link->port = mt_sim_find_port(node, request->interface);
        return mt_sim_ntp_open(node, link) ? &link->hal : NULL;
    }
    if (network_of(request->transport) == MT_NETWORK_NONE) {
        link->is_refclock = is_refclock(request->transport);
        link->hears = heard_by(request->transport);
        link->thermometer_ns =
            request->transport == MT_TRANSPORT_TEMPERATURE ? request->poll_ns : 0;
        if (link->is_refclock) {
            mt_sim_refclock_next(node, index);
        } else if (link->hears != MT_SIM_HEARS_NOTHING) {
            mt_sim_gnss_open(node, link);
        }
        mt_sim_thermometer_next(node, index);
        return &link->hal;
    }
    link->port = mt_sim_find_port(node, request->interface);
    link->vlan = request->vlan;
    if (link->port != NULL) {
        link->address = mt_sim_port_address(link->port, network_of(request->transport));
        struct mt_sim_link **end = &link->port->links;

        while (*end != NULL) {
            end = &(*end)->next_at_port;
        }
        *end = link;
    }
    mt_sim_link_tell(link);
    return &link->hal;
}

/* What is still on its way to it is nobody's. */
static void close_link(struct mt_hal_provider *provider, uint16_t index)
{
    struct mt_sim_link *link = NODE_OF(provider, provider)->links[index];

    link->is_closed = true;
    link->udp_port = 0;
}

static bool identity(struct mt_hal_provider *provider, const char *interface,
                     struct mt_clock_identity *ret_identity)
{
    const struct mt_sim_node *node = NODE_OF(provider, provider);
    const struct mt_sim_port *port = mt_sim_find_port(node, interface);

    if (port == NULL) {
        return false;
    }
    *ret_identity =
        (struct mt_clock_identity){{0x02, 0x00, 0x5E, 0xFF, 0xFE, (uint8_t)(node->number >> 8),
                                    (uint8_t)node->number, port->number}};
    return true;
}

static const struct mt_hal_provider_ops provider_ops = {
    .open_clock = open_clock,
    .open_link = open_link,
    .close_link = close_link,
    .identity = identity,
};

/* ---- the whole ------------------------------------------------------------------------------- */

void mt_sim_node_init(struct mt_sim_node *node)
{
    struct mt_world *world = node->world;
    struct mt_prng walk;

    mt_sim_stream(&walk, world->seed, MT_SIM_STREAM_OSCILLATOR, node->number);
    mt_sim_stream(&node->prng, world->seed, MT_SIM_STREAM_NODE, node->number);
    mt_sim_stream(&node->refclock_prng, world->seed, MT_SIM_STREAM_REFCLOCK, node->number);
    mt_sim_oscillator_init(&node->oscillator, &world->noise, walk, node->config.frequency,
                           node->config.wander, mt_sim_base(world).ns);
    mt_sim_stream(&walk, world->seed, MT_SIM_STREAM_PHASE, node->number);
    uint64_t high = mt_prng_next_u32(&walk);
    mt_sim_phase_init(&node->oscillator.phase, high << 32 | mt_prng_next_u32(&walk));
    node->start_frequency = node->config.frequency;
    mt_sim_node_reconfigure(node);
    node->wait.ops = &wait_ops;
    node->store.ops = &store_ops;
    node->entropy.seed = seed;
    node->provider =
        (struct mt_hal_provider){&provider_ops, &node->wait, &node->store, &node->entropy};
    node->wake_t_ns = MT_SIM_FOREVER;
}

void mt_sim_node_drift(struct mt_sim_node *node, const struct mt_sim_drift_terms *terms,
                       bool begins_lie)
{
    node->terms = *terms;
    mt_sim_drift_change(&node->oscillator.drift, terms, begins_lie, mt_sim_base(node->world).ns);
}

void mt_sim_node_reconfigure(struct mt_sim_node *node)
{
    const struct mt_sim_node_config *config = &node->config;
    struct mt_sim_drift_terms terms = node->terms;

    mt_sim_oscillator_set_wander(&node->oscillator, config->wander);
    node->oscillator.phase.white_ns = config->white_phase_ns;
    node->oscillator.phase.flicker_ns = config->flicker_phase_ns;
    terms.frequency = config->frequency - node->start_frequency;
    terms.ageing_per_s = config->ageing_per_day / DAY_S;
    terms.coefficient = config->temperature_coefficient;
    if (terms.frequency != node->terms.frequency ||
        terms.ageing_per_s != node->terms.ageing_per_s ||
        terms.coefficient != node->terms.coefficient) {
        mt_sim_node_drift(node, &terms, false);
    }
}

void mt_sim_node_forget(struct mt_sim_node *node)
{
    for (uint16_t i = 0; i < node->link_count; i++) {
        free(node->links[i]);
    }
    for (uint8_t i = 0; i < node->port_count; i++) {
        node->ports[i]->links = NULL;
    }
    mt_sim_ntp_end_worker(node);
    free(node->links);
    node->links = NULL;
    node->link_count = 0;
    node->clock_count = 0;
    node->runtime = NULL;
    node->program = NULL;
    node->waits_by = NULL;
    node->wake_t_ns = MT_SIM_FOREVER;
    node->resumes_t_ns = 0;
    node->pending = NULL;
    node->life++;
}

void mt_sim_node_free(struct mt_sim_node *node)
{
    mt_sim_node_forget(node);
    mt_sim_ntp_close(node);
    for (size_t i = 0; i < MT_WORLD_CLOCKS_MAX; i++) {
        free(node->clocks[i]);
    }
    for (uint8_t i = 0; i < node->port_count; i++) {
        free(node->ports[i]);
    }
    free(node->ports);
    free(node);
}

/* What is cut off by the granularity is what the node's own oscillator has counted since its
 * last tick. */
struct mt_base_time mt_sim_node_stamp(struct mt_sim_node *node, struct mt_base_time base)
{
    if (node->config.stamp_noise_ns > 0) {
        mt_real noise_ns =
            node->config.stamp_noise_ns * mt_sim_normal(&node->world->noise, &node->prng);
        struct mt_span noise = mt_span_from_real(noise_ns / 1e9);

        base = mt_sim_base_plus(base, mt_span_to_interval(noise));
    }
    if (node->config.granularity_ns > 0) {
        int64_t grain_q16 = (int64_t)node->config.granularity_ns * 65536;
        int64_t counted_q16 = base.ns % node->config.granularity_ns * 65536 + base.frac +
                              mt_sim_oscillator_gain(&node->oscillator, base).q16 % grain_q16;
        int64_t since_tick_q16 = (counted_q16 % grain_q16 + grain_q16) % grain_q16;

        base = mt_sim_base_plus(base, (struct mt_interval){-since_tick_q16});
    }
    return base;
}
