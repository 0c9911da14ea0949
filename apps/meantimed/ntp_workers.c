/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Threads that answer NTP requests.  They are started, as those of stateless PTP are, when the
 * daemon has given up what it does not need.  What they serve is renewed with each page of the
 * clock, for all that is told of it is then.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "apps/meantimed/daemon.h"
#include "crypto/crypto.h"
#include "platform/linux/linux_ntp_workers.h"
#include "runtime/ntp_in_ptp.h"
#include "runtime/ntp_serve.h"

#define DEPARTURES 4096 /* clients in interleaved mode that a thread knows, about */
#define CLIENTS    16384

static const struct mt_address everywhere[] = {{.network = MT_NETWORK_UDP_IPV4},
                                               {.network = MT_NETWORK_UDP_IPV6}};

static uint64_t random_seed(void)
{
    uint64_t seed;
    return getrandom(&seed, sizeof seed, 0) == (ssize_t)sizeof seed ? seed : (uint64_t)getpid();
}

static unsigned find_addresses(const struct mt_config_stations *list,
                               struct mt_address ret_addresses[MT_NTP_ADDRESSES_MAX])
{
    if (list->count == 0) {
        memcpy(ret_addresses, everywhere, sizeof everywhere);
        return sizeof everywhere / sizeof everywhere[0];
    }
    for (size_t i = 0; i < list->count; i++) {
        ret_addresses[i] = list->station[i].address;
    }
    return (unsigned)list->count;
}

static struct mt_ntp_ruling present_ruling(const struct mt_composition *composition)
{
    const struct mt_config_server *config = &composition->config->server;
    return (struct mt_ntp_ruling){
        .server = composition->node.server->rules,
        .is_limited = !config->has_no_limit,
        .log_interval = config->log_rate_limit,
        .burst = config->rate_burst,
    };
}

bool mt_daemon_start_ntp_workers(struct mt_daemon *self)
{
    const struct mt_config_server *config = &self->config->server;
    struct mt_address addresses[MT_NTP_ADDRESSES_MAX];
    char reason[MT_HAL_REASON_SIZE] = "";
    if (self->composition->node.server == NULL) {
        return true;
    }
    const struct mt_ntp_workers_options options = {
        .count = config->workers,
        .is_pinned = config->pin_workers,
        .addresses = addresses,
        .address_count = find_addresses(&config->listen, addresses),
        .port = config->port,
        .ruling = present_ruling(self->composition),
        .crypto = &mt_crypto_nettle,
        .departures = config->interleaved ? DEPARTURES : 0,
        .clients = CLIENTS,
        .seed = random_seed(),
    };
    self->ntp_workers = mt_ntp_workers_start(&options, reason);
    if (self->ntp_workers == NULL) {
        mt_journal_write(&self->journal, MT_JOURNAL_ERROR, 0, "%s", reason);
    }
    mt_daemon_feed_ntp_workers(self);
    return self->ntp_workers != NULL;
}

/* A reload has changed them.  The old ones go as soon as every thread has had a turn, which is now
 * or at one of the next wake-ups, whether the clock's page is renewed or not. */
static void feed_rules(struct mt_daemon *self)
{
    const struct mt_ntp_ruling ruling = present_ruling(self->composition);
    if (self->ntp_rules_fed != self->composition->server_changes &&
        mt_ntp_workers_rule(self->ntp_workers, &ruling)) {
        self->ntp_rules_fed = self->composition->server_changes;
        self->has_old_ntp_rules = true;
    }
    self->has_old_ntp_rules = self->has_old_ntp_rules && !mt_ntp_workers_clean(self->ntp_workers);
}

void mt_daemon_feed_ntp_workers(struct mt_daemon *self)
{
    const struct mt_node *node = &self->composition->node;
    if (self->ntp_workers == NULL) {
        return;
    }
    feed_rules(self);
    const struct mt_clock_page *page = &node->clocks[node->server->clock].page;
    bool is_new = self->ntp_fed_ns != page->base_at_anchor_ns;
    if (is_new) {
        self->ntp_fed_ns = page->base_at_anchor_ns;
        mt_ntp_workers_publish(self->ntp_workers, &node->server->serving, mt_daemon_nts_ring(self),
                               page);
        mt_ntp_workers_count(self->ntp_workers, node->server->by_workers);
        for (unsigned i = 0; node->server->in_ptp != NULL && i < MT_NTP_OUTCOME_COUNT; i++) {
            node->server->by_workers[i] += node->server->in_ptp->worker.outcomes[i];
        }
    }
}

void mt_daemon_stop_ntp_workers(struct mt_daemon *self)
{
    mt_ntp_workers_stop(self->ntp_workers);
    self->ntp_workers = NULL;
}
