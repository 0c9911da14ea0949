/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The storage of unicast service.  A port that may serve always has a grantor, since it answers
 * Delay_Reqs that come by unicast to their sender alone; clients cost memory only where they are
 * allowed.
 */
#include "compose/compose_private.h"

#include <stdlib.h>

#include "meantime/ptp_interface_rate.h"
#include "meantime/ptp_more.h"
#include "meantime/ptp_stateless.h"

#define TOKENS_LEAST       16
#define TOKENS_MOST        65536 /* Syncs under way: of a second and 65 000 clients at 1 Hz */
#define SLOTS_FEW          256
#define SLOTS_MANY         4096
#define MANY               256
#define ONE_WAY_DURATION_S 60 /* the shortest that ITU-T profiles ask for */
#define TABLE_LEAST        16 /* transmitters that management may set */

static uint32_t power_of_two(uint32_t least, uint32_t most, uint32_t wanted)
{
    uint32_t power = least;
    while (power < wanted && power < most) {
        power *= 2;
    }
    return power;
}

/* ---- grantor --------------------------------------------------------------------------------- */

static void free_storage(const struct mt_grantor_storage *storage)
{
    free(storage->clients);
    free(storage->buckets);
    free(storage->slots);
    free(storage->tokens);
}

static bool allocate(uint32_t clients, struct mt_grantor_storage *ret_storage)
{
    struct mt_grantor_storage storage = {.client_count = clients};
    if (clients == 0) {
        *ret_storage = storage;
        return true;
    }
    storage.bucket_count = power_of_two(1, UINT32_C(1) << 20, clients);
    storage.slot_count = clients > MANY ? SLOTS_MANY : SLOTS_FEW;
    storage.token_count = power_of_two(TOKENS_LEAST, TOKENS_MOST, clients);
    storage.clients = calloc(clients, sizeof *storage.clients);
    storage.buckets = calloc(storage.bucket_count, sizeof *storage.buckets);
    storage.slots = calloc(storage.slot_count, sizeof *storage.slots);
    storage.tokens = calloc(storage.token_count, sizeof *storage.tokens);
    if (storage.clients == NULL || storage.buckets == NULL || storage.slots == NULL ||
        storage.tokens == NULL) {
        free_storage(&storage);
        return false;
    }
    *ret_storage = storage;
    return true;
}

static struct mt_address_range *ranges_of(const struct mt_config_stations *list)
{
    struct mt_address_range *ranges = calloc(list->count, sizeof *ranges);
    for (size_t i = 0; ranges != NULL && i < list->count; i++) {
        const struct mt_config_station *station = &list->station[i];
        size_t bits = 8 * mt_address_length(&station->address);
        ranges[i].address = station->address;
        ranges[i].prefix_bits =
            (uint8_t)(station->has_number && station->number < bits ? station->number : bits);
    }
    return ranges;
}

static bool set_policy(const struct mt_config_unicast *config, struct mt_grantor_policy *ret_policy)
{
    mt_grantor_policy_init(ret_policy);
    ret_policy->negotiates = config->is_grantor;
    ret_policy->answers_all = config->sends_multicast;
    ret_policy->is_multicast_off = !config->sends_multicast;
    ret_policy->max_per_address = config->max_clients_per_address;
    ret_policy->max_duration_s = config->max_duration_s;
    ret_policy->first_duration_s = config->first_duration_s;
    ret_policy->one_way_duration_s = ONE_WAY_DURATION_S;
    ret_policy->shortest_log_interval[MT_SERVICE_ANNOUNCE] = config->log_min_announce_interval;
    ret_policy->shortest_log_interval[MT_SERVICE_SYNC] = config->log_min_sync_interval;
    ret_policy->shortest_log_interval[MT_SERVICE_DELAY_RESP] = config->log_min_sync_interval;
    if (config->allowed.count == 0) {
        return true;
    }
    ret_policy->allowed = ranges_of(&config->allowed);
    ret_policy->allowed_count = (uint16_t)config->allowed.count;
    return ret_policy->allowed != NULL;
}

bool mt_compose_grantor_again(const struct mt_config_unicast *config, struct mt_grantor *grantor)
{
    struct mt_grantor_policy policy;
    if (!set_policy(config, &policy)) {
        return false;
    }
    free((void *)grantor->policy.allowed);
    grantor->policy = policy;
    return true;
}

/* Drawn only where it is needed: simulations count what they draw. */
static uint32_t secret_of(struct mt_hal_entropy *entropy)
{
    uint64_t seed = entropy->seed(entropy);
    return (uint32_t)(seed ^ seed >> 32);
}

static bool make_grantor(const struct mt_config_port *config, struct mt_hal_entropy *entropy,
                         struct mt_port_more *more)
{
    const struct mt_config_unicast *unicast = &config->unicast;
    uint32_t clients =
        (unicast->is_grantor ? unicast->max_clients : 0) + (uint32_t)unicast->receivers.count;
    struct mt_grantor_policy policy;
    struct mt_grantor_storage storage;
    struct mt_grantor *grantor = calloc(1, sizeof *grantor);
    if (grantor == NULL || !set_policy(unicast, &policy)) {
        free(grantor);
        return false;
    }
    if (!allocate(clients, &storage)) {
        free((void *)policy.allowed);
        free(grantor);
        return false;
    }
    mt_grantor_init(grantor, &policy, &storage, clients != 0 ? secret_of(entropy) : 0);
    for (size_t i = 0; i < unicast->receivers.count; i++) {
        (void)mt_grantor_add_static(grantor, &unicast->receivers.station[i].address,
                                    config->ptp.log_announce_interval,
                                    config->ptp.log_sync_interval);
    }
    more->grantor = grantor;
    return true;
}

/* ---- requester ------------------------------------------------------------------------------- */

static bool make_requester(const struct mt_config_port *config, struct mt_port_more *more)
{
    const struct mt_config_stations *list = &config->unicast.transmitters;
    uint16_t capacity = (uint16_t)(list->count > TABLE_LEAST ? list->count : TABLE_LEAST);
    struct mt_unicast_transmitter *table = calloc(capacity, sizeof *table);
    more->requester = calloc(1, sizeof *more->requester);
    if (table == NULL || more->requester == NULL) {
        free(table);
        return false;
    }
    for (size_t i = 0; i < list->count; i++) {
        const struct mt_config_station *station = &list->station[i];
        table[i].address = station->address;
        table[i].local_priority =
            station->has_number ? (uint8_t)station->number : config->ptp.local_priority;
    }
    mt_requester_init(more->requester, table, (uint16_t)list->count,
                      config->unicast.mode == MT_CONFIG_UNICAST_NEGOTIATED,
                      config->unicast.duration_s);
    more->requester->capacity = capacity;
    more->requester->local_priority = config->ptp.local_priority;
    return true;
}

/* ---- a port ---------------------------------------------------------------------------------- */

static enum mt_network network_of(enum mt_config_transport transport)
{
    switch (transport) {
    case MT_CONFIG_TRANSPORT_UDP4:
        break;
    case MT_CONFIG_TRANSPORT_UDP6:
        return MT_NETWORK_UDP_IPV6;
    case MT_CONFIG_TRANSPORT_L2:
        return MT_NETWORK_IEEE_802_3;
    }
    return MT_NETWORK_UDP_IPV4;
}

static bool make_interface_rate(const struct mt_config_port *config, struct mt_port_more *more)
{
    if (config->unicast.interface_rate_mbit == 0) {
        return true;
    }
    more->interface_rate = calloc(1, sizeof *more->interface_rate);
    if (more->interface_rate != NULL) {
        mt_interface_rate_init(more->interface_rate, config->unicast.interface_rate_mbit,
                               network_of(config->transport));
    }
    return more->interface_rate != NULL;
}

static bool make(const struct mt_config_instance *instance, const struct mt_config_port *port,
                 struct mt_hal_entropy *entropy, struct mt_port_more *more)
{
    if (mt_config_is_transparent(instance)) {
        return true;
    }
    if (!make_interface_rate(port, more) ||
        (!instance->ptp.is_receiver_only && !make_grantor(port, entropy, more))) {
        return false;
    }
    switch (port->unicast.mode) {
    case MT_CONFIG_UNICAST_OFF:
        break;
    case MT_CONFIG_UNICAST_NEGOTIATED:
    case MT_CONFIG_UNICAST_STATIC:
        return make_requester(port, more);
    case MT_CONFIG_UNICAST_HYBRID:
        more->hybrid = calloc(1, sizeof *more->hybrid);
        return more->hybrid != NULL;
    }
    return true;
}

static void release(const struct mt_port_more *more)
{
    if (more->grantor != NULL) {
        free_storage(&more->grantor->storage);
        free((void *)more->grantor->policy.allowed);
    }
    if (more->requester != NULL) {
        free(more->requester->table);
    }
    free(more->grantor);
    free(more->requester);
    free(more->hybrid);
    free(more->interface_rate);
}

bool mt_compose_unicast(struct mt_composition *self, struct mt_hal_entropy *entropy)
{
    for (size_t i = 0; i < self->config->port_count; i++) {
        const struct mt_config_port *port = &self->config->ports[i];
        const struct mt_config_instance *instance = &self->config->instances[port->instance_index];
        if (!make(instance, port, entropy, &self->port_storage[i].more)) {
            return false;
        }
    }
    return true;
}

void mt_compose_free_unicast(struct mt_composition *self)
{
    for (size_t i = 0; self->port_storage != NULL && i < self->config->port_count; i++) {
        release(&self->port_storage[i].more);
    }
}

/* ---- names ----------------------------------------------------------------------------------- */

#define ASK_AGAIN_NS INT64_C(500000000)

/* True if the station is a name and has another address than `known`. */
static bool is_elsewhere(struct mt_composition *self, const struct mt_config_station *station,
                         enum mt_network network, const struct mt_address *known,
                         struct mt_mono now, struct mt_address *ret_address)
{
    return station->address.network == MT_NETWORK_NONE &&
           self->names->ops->find(self->names, station->name, network, now, ret_address) &&
           !mt_address_equal(ret_address, known);
}

/* True if a transmitter or a server has another address than before. */
static bool resolve_port(struct mt_composition *self, size_t port, struct mt_mono now)
{
    const struct mt_config_port *config = &self->config->ports[port];
    const struct mt_config_instance *instance = &self->config->instances[config->instance_index];
    const enum mt_network network = network_of(config->transport);
    struct mt_requester *requester = self->port_storage[port].more.requester;
    struct mt_stateless_client *client = self->port_storage[port].more.stateless;
    struct mt_address address;
    bool is_changed = false;
    for (uint16_t i = 0; requester != NULL && !requester->is_set && i < requester->count; i++) {
        if (is_elsewhere(self, &config->unicast.transmitters.station[i], network,
                         &requester->table[i].address, now, &address)) {
            mt_requester_set_address(requester, i, &address);
            is_changed = true;
        }
    }
    for (uint16_t i = 0; client != NULL && i < client->peer_count; i++) {
        if (is_elsewhere(self, &instance->stateless.servers.station[i], network,
                         &client->peers[i].address, now, &address)) {
            mt_stateless_client_set_address(client, i, &address);
            is_changed = true;
        }
    }
    return is_changed;
}

void mt_composition_resolve(struct mt_composition *self, struct mt_mono now)
{
    bool is_changed = false;
    if (self->names == NULL || now.ns < self->names_at.ns) {
        return;
    }
    self->names_at = mt_mono_plus(now, ASK_AGAIN_NS);
    for (size_t i = 0; i < self->config->port_count && self->recorder == NULL; i++) {
        if (resolve_port(self, i, now)) {
            mt_instance_tick(&self->node.instances[self->config->ports[i].instance_index].ptp, now);
            is_changed = true;
        }
    }
    mt_compose_ntp_resolve(self, now);
    if (is_changed) { /* what they ask for now leaves */
        mt_node_input(&self->node, &(struct mt_input){.kind = MT_INPUT_NONE, .now = now});
    }
}
