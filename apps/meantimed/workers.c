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

static bool find_address(const char *interface, struct mt_address *ret_address)
{
    struct ifaddrs *all;
    *ret_address = (struct mt_address){.network = MT_NETWORK_NONE};
    if (getifaddrs(&all) != 0) {
        return false;
    }
    for (const struct ifaddrs *at = all; at != NULL; at = at->ifa_next) {
        if (at->ifa_addr != NULL && at->ifa_addr->sa_family == AF_INET &&
            strcmp(at->ifa_name, interface) == 0 && ret_address->network == MT_NETWORK_NONE) {
            struct sockaddr_in address;
            memcpy(&address, at->ifa_addr, sizeof address);
            ret_address->network = MT_NETWORK_UDP_IPV4;
            memcpy(ret_address->octets, &address.sin_addr, sizeof address.sin_addr);
        }
    }
    freeifaddrs(all);
    return ret_address->network != MT_NETWORK_NONE;
}

static void start(struct mt_daemon *self, size_t index)
{
    const struct mt_config_instance *instance = &self->config->instances[index];
    const struct mt_instance *ptp = &self->composition->node.instances[index].ptp;
    const char *interface = self->config->ports[instance->first_port].interface;
    char reason[MT_HAL_REASON_SIZE] = "";
    struct mt_workers_options options = {
        .count = instance->stateless.workers,
        .interface = interface,
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
    if (!find_address(interface, &options.address)) {
        mt_journal_write(&self->journal, MT_JOURNAL_WARNING, 0,
                         "instance %s: no workers, since %s has no IPv4 address", instance->name,
                         interface);
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
