/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * NTP in PTP messages needs a link as PTP ports have them, on an interface over UDP: there can be
 * but one, so it is that of a port if one has it, or of another server that is asked so, else a new
 * one.
 */
#include "compose/compose_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/ntp_in_ptp.h"

#define TTL 64

static bool is_over(enum mt_config_transport transport, enum mt_network network)
{
    return (transport == MT_CONFIG_TRANSPORT_UDP4 && network == MT_NETWORK_UDP_IPV4) ||
           (transport == MT_CONFIG_TRANSPORT_UDP6 && network == MT_NETWORK_UDP_IPV6);
}

static bool find_link(const struct mt_composition *self, const char *interface,
                      enum mt_network network, uint16_t *ret_link)
{
    const struct mt_config *config = self->config;
    for (size_t i = 0; i < config->port_count; i++) {
        const struct mt_config_port *port = &config->ports[i];
        if (strcmp(port->interface, interface) == 0 && is_over(port->transport, network)) {
            *ret_link = mt_compose_link_of(config, i);
            return true;
        }
    }
    for (unsigned i = 0; i < self->ptp_link_count; i++) {
        const struct mt_compose_ptp_link *link = &self->ptp_links[i];
        if (strcmp(link->interface, interface) == 0 && link->network == network) {
            *ret_link = link->index;
            return true;
        }
    }
    return false;
}

static bool open_link(struct mt_composition *self, const char *interface, enum mt_network network,
                      enum mt_stamper stamper, struct mt_hal_provider *provider, uint16_t *ret_link,
                      char reason[MT_HAL_REASON_SIZE])
{
    struct mt_node *node = &self->node;
    const struct mt_link_request request = {
        .interface = interface,
        .transport = network == MT_NETWORK_UDP_IPV6 ? MT_TRANSPORT_UDP_IPV6 : MT_TRANSPORT_UDP_IPV4,
        .stamper = stamper,
        .ttl = TTL,
    };
    if (self->ptp_link_count == MT_COMPOSE_PTP_LINKS) {
        snprintf(reason, MT_HAL_REASON_SIZE,
                 "cannot have NTP in PTP messages on so many interfaces: the limit is %d",
                 MT_COMPOSE_PTP_LINKS);
        return false;
    }
    if (!mt_compose_reserve_link(self)) {
        snprintf(reason, MT_HAL_REASON_SIZE, "out of memory");
        return false;
    }
    struct mt_hal_link *link =
        provider->ops->open_link(provider, node->link_count, &request, reason);
    if (link == NULL) {
        return false;
    }
    *ret_link = node->link_count;
    node->links[node->link_count++] = link;
    const char *name = mt_compose_copy_text(&self->reload_pool, interface); /* it may outlive it */
    self->ptp_links[self->ptp_link_count++] = (struct mt_compose_ptp_link){
        .interface = name != NULL ? name : "", .network = network, .index = *ret_link};
    return true;
}

/* A link that is there for answers alone may be asked over later. */
static void ask_over(struct mt_composition *self, uint16_t index)
{
    self->node.links[index]->carries_ntp = true;
    for (unsigned i = 0; i < self->ptp_link_count; i++) {
        self->ptp_links[i].is_spare &= self->ptp_links[i].index != index;
    }
}

bool mt_compose_ntp_in_ptp(struct mt_composition *self, uint16_t index,
                           struct mt_hal_provider *provider, char reason[MT_HAL_REASON_SIZE])
{
    struct mt_node_ntp *ntp = &self->node.ntp[index];
    const struct mt_config_ntp *config = mt_composition_ntp(self, index);
    enum mt_network network = config->address.station[0].address.network;
    network = network == MT_NETWORK_NONE ? MT_NETWORK_UDP_IPV4 : network;
    if (index >= MT_NTP_IN_PTP_CLIENTS) {
        snprintf(reason, MT_HAL_REASON_SIZE,
                 "[ntp %.60s]: transport = ptp: only the first %d servers can be asked so",
                 config->name, MT_NTP_IN_PTP_CLIENTS);
        return false;
    }
    ntp->carrier =
        config->transport == MT_CONFIG_NTP_PTP_EARLY ? MT_NTP_IN_PTP_EARLY : MT_NTP_IN_PTP;
    ntp->config.asks_for_correction = ntp->carrier == MT_NTP_IN_PTP;
    if (!find_link(self, config->interface, network, &ntp->link) &&
        !open_link(self, config->interface, network, mt_compose_stamper(config->timestamping),
                   provider, &ntp->link, reason)) {
        return false;
    }
    ask_over(self, ntp->link);
    return true;
}

/* ---- the server ------------------------------------------------------------------------------ */

static void init_worker(struct mt_node_ntp_in_ptp *self, const struct mt_config_server *config,
                        struct mt_hal_entropy *entropy)
{
    struct mt_ntp_worker *worker = &self->worker;
    mt_prng_init(&worker->random, entropy->seed(entropy));
    mt_ntp_departures_init(&worker->departures, self->departures,
                           config->interleaved ? MT_NTP_IN_PTP_DEPARTURES : 0);
    mt_ntp_limit_init(&worker->limit, self->limited,
                      config->has_no_limit ? 0 : MT_NTP_IN_PTP_LIMITED, config->log_rate_limit,
                      config->rate_burst, mt_prng_next_u32(&worker->random));
}

/* An interface need not have IPv6, so that one is opened if it can be, and nobody is told when it
 * is not up. */
static bool serve_on(struct mt_composition *self, enum mt_network network,
                     struct mt_hal_provider *provider, char reason[MT_HAL_REASON_SIZE])
{
    struct mt_node_ntp_in_ptp *in_ptp = self->node.server->in_ptp;
    const char *interface = self->config->server.ptp_interface;
    uint16_t *link = &in_ptp->links[in_ptp->link_count];
    bool is_found = find_link(self, interface, network, link);
    if (!is_found &&
        !open_link(self, interface, network, MT_STAMPER_AUTO, provider, link, reason)) {
        return false;
    }
    if (!is_found) {
        self->ptp_links[self->ptp_link_count - 1].is_spare = network == MT_NETWORK_UDP_IPV6;
    }
    self->node.links[*link]->carries_ntp = true;
    in_ptp->link_count++;
    return true;
}

bool mt_compose_server_in_ptp(struct mt_composition *self, struct mt_hal_provider *provider,
                              char reason[MT_HAL_REASON_SIZE])
{
    const struct mt_config_server *config = &self->config->server;
    struct mt_node_server *server = self->node.server;
    struct mt_node_ntp_in_ptp *in_ptp;
    char without[MT_HAL_REASON_SIZE];
    if (server == NULL || config->ptp_interface == NULL) {
        return true;
    }
    in_ptp = server->in_ptp = calloc(1, sizeof *in_ptp);
    if (in_ptp == NULL) {
        snprintf(reason, MT_HAL_REASON_SIZE, "out of memory");
        return false;
    }
    init_worker(in_ptp, config, provider->entropy);
    if (!serve_on(self, MT_NETWORK_UDP_IPV4, provider, reason)) {
        return false;
    }
    (void)serve_on(self, MT_NETWORK_UDP_IPV6, provider, without);
    return true;
}

bool mt_compose_is_spare_link(const struct mt_composition *self, uint16_t link)
{
    for (unsigned i = 0; i < self->ptp_link_count; i++) {
        if (self->ptp_links[i].index == link) {
            return self->ptp_links[i].is_spare;
        }
    }
    return false;
}

/* ---- names ----------------------------------------------------------------------------------- */

const char *mt_compose_link_name(const struct mt_composition *self, uint16_t link)
{
    for (unsigned i = 0; i < self->ptp_link_count; i++) {
        if (self->ptp_links[i].index == link) {
            return self->ptp_links[i].interface;
        }
    }
    return self->config->ports[mt_compose_first_port(self->config, link)].name;
}
