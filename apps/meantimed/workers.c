/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Threads that answer SPTP and CSPTP for instances that want them.  They are started when the
 * daemon has given up what it does not need, so that they have no more rights than it has; one that
 * cannot be started is told of, and the loop answers as it does without.  What they serve is
 * renewed four times a second: far more often than anything in it changes but the clock's page,
 * which says itself how it goes on.
 */
#include <arpa/inet.h>
#include <ifaddrs.h>
#include <stdlib.h>
#include <string.h>

#include "apps/meantimed/daemon.h"
#include "meantime/ptp_more.h"
#include "platform/linux/linux_workers.h"

#define RENEW_NS 250000000

static struct mt_address address_of(const struct sockaddr *any)
{
    struct mt_address address = {.network = MT_NETWORK_NONE};
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    if (any->sa_family == AF_INET6) {
        memcpy(&v6, any, sizeof v6);
        address.network = MT_NETWORK_UDP_IPV6;
        memcpy(address.octets, &v6.sin6_addr, sizeof v6.sin6_addr);
    } else if (any->sa_family == AF_INET) {
        memcpy(&v4, any, sizeof v4);
        address.network = MT_NETWORK_UDP_IPV4;
        memcpy(address.octets, &v4.sin_addr, sizeof v4.sin_addr);
    }
    return address;
}

static bool is_link_local(const struct mt_address *address)
{
    return address->network == MT_NETWORK_UDP_IPV6 && address->octets[0] == 0xFE &&
           (address->octets[1] & 0xC0) == 0x80;
}

/* The first one; of IPv6, the first one that is known beyond the link, if there is such. */
static bool find_address(const char *interface, enum mt_network network,
                         struct mt_address *ret_address)
{
    struct ifaddrs *all;
    struct mt_address found = {.network = MT_NETWORK_NONE};
    if (getifaddrs(&all) != 0) {
        return false;
    }
    for (const struct ifaddrs *at = all; at != NULL; at = at->ifa_next) {
        if (at->ifa_addr == NULL || strcmp(at->ifa_name, interface) != 0) {
            continue;
        }
        const struct mt_address address = address_of(at->ifa_addr);
        if (address.network == network && (found.network == MT_NETWORK_NONE ||
                                           (is_link_local(&found) && !is_link_local(&address)))) {
            found = address;
        }
    }
    freeifaddrs(all);
    *ret_address = found;
    return found.network != MT_NETWORK_NONE;
}

static void start(struct mt_daemon *self, size_t index)
{
    const struct mt_config_instance *instance = &self->config->instances[index];
    const struct mt_instance *ptp = &self->composition->node.instances[index].ptp;
    const struct mt_config_port *port = &self->config->ports[instance->first_port];
    bool is_v6 = port->transport == MT_CONFIG_TRANSPORT_UDP6;
    char reason[MT_HAL_REASON_SIZE] = "";
    struct mt_workers_options options = {
        .count = instance->stateless.workers,
        .interface = port->interface,
    };
    if (options.count == 0 || ptp->config.more->stateless == NULL) {
        return;
    }
    if (mt_config_is_stateless_client(instance)) { /* they would take the answers to it */
        mt_journal_write(&self->journal, MT_JOURNAL_WARNING, 0,
                         "instance %s: no workers, since it is a client", instance->name);
        return;
    }
    options.server = ptp->config.more->stateless->server;
    options.server.csptp_one_step = instance->stateless.csptp_one_step;
    if (!find_address(port->interface, is_v6 ? MT_NETWORK_UDP_IPV6 : MT_NETWORK_UDP_IPV4,
                      &options.address)) {
        mt_journal_write(&self->journal, MT_JOURNAL_WARNING, 0,
                         "instance %s: no workers, since %s has no IPv%c address", instance->name,
                         port->interface, is_v6 ? '6' : '4');
        return;
    }
    self->workers[index] = mt_workers_start(&options, reason);
    if (self->workers[index] == NULL) {
        mt_journal_write(&self->journal, MT_JOURNAL_WARNING, 0, "instance %s: %s", instance->name,
                         reason);
    }
}

void mt_daemon_start_workers(struct mt_daemon *self)
{
    self->workers = calloc(self->config->instance_count, sizeof(struct mt_workers *));
    for (size_t i = 0; self->workers != NULL && i < self->config->instance_count; i++) {
        start(self, i);
    }
}

void mt_daemon_feed_workers(struct mt_daemon *self, struct mt_mono now)
{
    struct mt_node *node = &self->composition->node;
    if (self->workers == NULL || now.ns - self->workers_fed.ns < RENEW_NS) {
        return;
    }
    self->workers_fed = now;
    for (uint16_t i = 0; i < node->instance_count; i++) {
        struct mt_node_instance *instance = &node->instances[i];
        struct mt_served served;
        if (self->workers[i] != NULL) {
            mt_served_take(&instance->ptp, instance->ptp.ports, &served);
            mt_workers_publish(self->workers[i], &served, &node->clocks[instance->clock].page);
            mt_workers_count(self->workers[i], instance->ptp.config.more->stateless->by_workers);
        }
    }
}

void mt_daemon_stop_workers(struct mt_daemon *self)
{
    for (size_t i = 0; self->workers != NULL && i < self->config->instance_count; i++) {
        mt_workers_stop(self->workers[i]);
    }
    free(self->workers);
    self->workers = NULL;
}
