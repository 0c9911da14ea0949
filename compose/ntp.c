/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * NTP servers: each one of the configuration is a link, a client and a source of its clock; a pool
 * is as many as are asked of it at a time.  They come after all ports, in links and in sources.
 *
 * A name is looked up when an address is wanted: at first, and when the one that there is does not
 * answer.  So a good server is kept, whatever the name has become since.
 */
#include "compose/compose_private.h"

#include <stdio.h>
#include <stdlib.h>

#include "config/ntp_keys.h"
#include "crypto/crypto.h"

uint16_t mt_compose_ntp_members(const struct mt_config_ntp *ntp)
{
    return mt_config_is_pool(ntp) ? ntp->count : 1;
}

uint16_t mt_compose_ntp_count(const struct mt_config *config)
{
    size_t count = 0;
    for (size_t i = 0; i < config->ntp_count; i++) {
        count += mt_compose_ntp_members(&config->ntps[i]);
    }
    return (uint16_t)count;
}

uint16_t mt_compose_ntp_sources(const struct mt_config *config, size_t clock)
{
    size_t count = 0;
    for (size_t i = 0; i < config->ntp_count; i++) {
        if (config->ntps[i].clock_index == clock) {
            count += mt_compose_ntp_members(&config->ntps[i]);
        }
    }
    return (uint16_t)count;
}

const struct mt_config_ntp *mt_compose_ntp_of(const struct mt_config *config, uint16_t index)
{
    for (size_t i = 0; i < config->ntp_count; i++) {
        uint16_t members = mt_compose_ntp_members(&config->ntps[i]);
        if (index < members) {
            return &config->ntps[i];
        }
        index = (uint16_t)(index - members);
    }
    return NULL;
}

const struct mt_config_ntp *mt_composition_ntp(const struct mt_composition *self, uint16_t index)
{
    return mt_compose_ntp_of(self->config, index);
}

static bool open_link(struct mt_node *node, struct mt_node_ntp *ntp,
                      const struct mt_config_ntp *config, struct mt_hal_provider *provider,
                      char reason[MT_HAL_REASON_SIZE])
{
    const struct mt_link_request request = {
        .interface = config->interface != NULL ? config->interface : "",
        .transport = MT_TRANSPORT_NTP,
        .stamper = mt_compose_stamper(config->timestamping),
    };
    struct mt_hal_link *link =
        provider->ops->open_link(provider, node->link_count, &request, reason);
    if (link != NULL) {
        ntp->link = node->link_count;
        node->links[node->link_count++] = link;
    }
    return link != NULL;
}

/* The file is read for each server that has one: they are few. */
static bool set_keys(struct mt_composition *self, uint16_t index,
                     const struct mt_config_ntp *config, char reason[MT_HAL_REASON_SIZE])
{
    struct mt_config_problems problems = {0};
    struct mt_ntp_keys *keys = &self->ntp_keys[index];
    if (config->client.key == 0) {
        return true;
    }
    if (!mt_config_ntp_keys_load(config->key_file, &self->ntp_pool, &problems, keys)) {
        snprintf(reason, MT_HAL_REASON_SIZE, "%.*s", MT_HAL_REASON_SIZE - 1,
                 problems.problem[0].text);
        return false;
    }
    if (mt_ntp_key_find(keys, config->client.key) == NULL) {
        snprintf(reason, MT_HAL_REASON_SIZE, "[ntp %.60s]: there is no key %u in %.120s",
                 config->name, (unsigned)config->client.key, config->key_file);
        return false;
    }
    keys->crypto = &mt_crypto_nettle;
    self->node.ntp[index].config.keys = keys;
    return true;
}

void mt_compose_free_ntp(struct mt_composition *self)
{
    for (uint16_t i = 0; self->node.ntp != NULL && i < self->node.ntp_count; i++) {
        free(self->node.ntp[i].config.nts);
    }
    mt_config_pool_free(&self->ntp_pool);
    free(self->ntp_keys);
}

static bool set_nts(struct mt_node_ntp *ntp, const struct mt_config_ntp *config,
                    char reason[MT_HAL_REASON_SIZE])
{
    if (!config->nts) {
        return true;
    }
    ntp->config.nts = calloc(1, sizeof *ntp->config.nts);
    if (ntp->config.nts == NULL) {
        snprintf(reason, MT_HAL_REASON_SIZE, "out of memory");
        return false;
    }
    mt_nts_client_init(ntp->config.nts, &mt_crypto_nettle);
    return true;
}

bool mt_compose_ntp(struct mt_composition *self, struct mt_hal_provider *provider,
                    char reason[MT_HAL_REASON_SIZE])
{
    struct mt_node *node = &self->node;
    self->ntp_keys = calloc(node->ntp_count, sizeof *self->ntp_keys);
    if (self->ntp_keys == NULL) {
        snprintf(reason, MT_HAL_REASON_SIZE, "out of memory");
        return false;
    }
    for (uint16_t i = 0; i < node->ntp_count; i++) {
        const struct mt_config_ntp *config = mt_compose_ntp_of(self->config, i);
        struct mt_node_ntp *ntp = &node->ntp[i];
        uint16_t before = 0; /* of the same clock */
        for (uint16_t other = 0; other < i; other++) {
            before = (uint16_t)(before + (node->ntp[other].clock == config->clock_index));
        }
        ntp->config = config->client;
        ntp->clock = (uint16_t)config->clock_index;
        ntp->source = (uint16_t)(mt_compose_port_sources(self->config, ntp->clock) + before);
        if (!set_keys(self, i, config, reason) || !set_nts(ntp, config, reason) ||
            !(config->transport == MT_CONFIG_NTP_UDP
                  ? open_link(node, ntp, config, provider, reason)
                  : mt_compose_ntp_in_ptp(self, i, provider, reason))) {
            return false;
        }
        struct mt_address server = {.network = MT_NETWORK_NONE};
        if (!config->nts) { /* else the key exchange says where */
            server = config->address.station[0].address;
        }
        server.udp_port = config->port;
        mt_ntp_duty_set_address(node, i, &server, self->started);
    }
    return true;
}

/* ---- names ----------------------------------------------------------------------------------- */

/* Another one of the same server or pool has it. */
static bool is_taken(const struct mt_composition *self, uint16_t index,
                     const struct mt_address *address)
{
    const struct mt_config_ntp *config = mt_compose_ntp_of(self->config, index);
    for (uint16_t i = 0; i < self->node.ntp_count; i++) {
        if (i != index && mt_compose_ntp_of(self->config, i) == config &&
            mt_address_equal(&self->node.ntp[i].server, address)) {
            return true;
        }
    }
    return false;
}

/* The one after that which was no good, or the first. */
static bool find_other(const struct mt_composition *self, uint16_t index,
                       const struct mt_address *addresses, size_t count,
                       struct mt_address *ret_address)
{
    const struct mt_address *present = &self->node.ntp[index].server;
    size_t first = 0;
    while (first < count && !mt_address_equal(&addresses[first], present)) {
        first++;
    }
    first = first < count ? first + 1 : 0;
    for (size_t i = 0; i < count; i++) {
        const struct mt_address *address = &addresses[(first + i) % count];
        if (!mt_address_equal(address, present) && !is_taken(self, index, address)) {
            *ret_address = *address;
            return true;
        }
    }
    return false;
}

static void resolve(struct mt_composition *self, uint16_t index, struct mt_mono now)
{
    const struct mt_config_ntp *config = mt_compose_ntp_of(self->config, index);
    struct mt_address addresses[MT_NAMES_ADDRESSES];
    struct mt_order order = {.kind = MT_ORDER_ADDRESS, .now = now, .instance = index};
    size_t count = self->names->ops->find_all(self->names, config->address.station[0].name, now,
                                              addresses, MT_NAMES_ADDRESSES);
    if (find_other(self, index, addresses, count, &order.address)) {
        order.address.udp_port = config->port;
        mt_recorder_begin(self->recorder, &order);
        mt_node_set_ntp_address(&self->node, index, &order.address, now);
        mt_recorder_end(self->recorder);
    }
}

void mt_compose_ntp_resolve(struct mt_composition *self, struct mt_mono now)
{
    for (uint16_t i = 0; i < self->node.ntp_count; i++) {
        const struct mt_node_ntp *ntp = &self->node.ntp[i];
        bool is_name = mt_compose_ntp_of(self->config, i)->address.station[0].address.network ==
                       MT_NETWORK_NONE;
        if (is_name && ntp->config.nts == NULL &&
            (ntp->server.network == MT_NETWORK_NONE || mt_ntp_duty_is_lost(ntp))) {
            resolve(self, i, now);
        }
    }
}
