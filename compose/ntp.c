/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * NTP servers: each one of the configuration is a link, a client and a source of its clock; a pool
 * is as many as are asked of it at a time.  They come after all ports, in links and in sources.
 */
#include "compose/compose_private.h"

#include <stdio.h>
#include <stdlib.h>

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

static bool open_link(struct mt_node *node, struct mt_node_ntp *ntp,
                      const struct mt_config_ntp *config, struct mt_hal_provider *provider,
                      char reason[MT_HAL_REASON_SIZE])
{
    const struct mt_link_request request = {
        .interface = config->interface != NULL ? config->interface : "",
        .transport = MT_TRANSPORT_NTP,
    };
    struct mt_hal_link *link =
        provider->ops->open_link(provider, node->link_count, &request, reason);
    if (link != NULL) {
        ntp->link = node->link_count;
        node->links[node->link_count++] = link;
    }
    return link != NULL;
}

static void set_address(struct mt_composition *self, uint16_t index,
                        const struct mt_address *address, struct mt_mono now)
{
    struct mt_address server = *address;
    server.udp_port = mt_compose_ntp_of(self->config, index)->port;
    mt_ntp_duty_set_address(&self->node, index, &server, now);
}

bool mt_compose_ntp(struct mt_composition *self, struct mt_hal_provider *provider,
                    char reason[MT_HAL_REASON_SIZE])
{
    struct mt_node *node = &self->node;
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
        if (!open_link(node, ntp, config, provider, reason)) {
            return false;
        }
        set_address(self, i, &config->address.station[0].address, self->started);
    }
    return true;
}

/* ---- names ----------------------------------------------------------------------------------- */

static bool find(struct mt_composition *self, const char *name, struct mt_mono now,
                 struct mt_address *ret_address)
{
    static const enum mt_network networks[] = {MT_NETWORK_UDP_IPV4, MT_NETWORK_UDP_IPV6};
    for (unsigned i = 0; i < sizeof networks / sizeof networks[0]; i++) {
        if (self->names->ops->find(self->names, name, networks[i], now, ret_address)) {
            return true;
        }
    }
    return false;
}

bool mt_compose_ntp_resolve(struct mt_composition *self, struct mt_mono now)
{
    bool is_changed = false;
    for (uint16_t i = 0; i < self->node.ntp_count; i++) {
        const struct mt_config_station *station =
            &mt_compose_ntp_of(self->config, i)->address.station[0];
        struct mt_address address;
        if (station->address.network == MT_NETWORK_NONE &&
            self->node.ntp[i].server.network == MT_NETWORK_NONE &&
            find(self, station->name, now, &address)) {
            set_address(self, i, &address, now);
            is_changed = true;
        }
    }
    return is_changed;
}
