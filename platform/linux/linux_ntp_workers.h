/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Threads that answer NTP requests, beside the one loop: each has a socket of its own, and the
 * kernel divides the clients of an address among its threads by their addresses, so that one client
 * always meets the same thread, which remembers when its last answer left and how often it asks.
 * They know nothing but what the loop hands them: the clock's page, and what is served of it.
 * Thread rule: all functions belong to the loop's thread.
 */
#ifndef MEANTIME_LINUX_NTP_WORKERS_H
#define MEANTIME_LINUX_NTP_WORKERS_H

#include "hal/provider.h"
#include "platform/linux/linux_ntp_rules.h"
#include "runtime/ntp_served.h"

#define MT_NTP_WORKERS_MAX   64
#define MT_NTP_ADDRESSES_MAX 16

struct mt_ntp_workers_options {
    unsigned count;                     /**< threads of each address, 1..MT_NTP_WORKERS_MAX */
    bool is_pinned;                     /**< to one processor each */
    const struct mt_address *addresses; /**< zeros: all of the network */
    unsigned address_count;             /**< 1..MT_NTP_ADDRESSES_MAX */
    uint16_t port;                      /**< where an address has none */
    const struct mt_crypto *crypto;     /**< of NTS */
    uint32_t departures;                /**< of each thread; 0: no interleaved mode */
    struct mt_ntp_ruling ruling;        /**< to begin with; its NTS is theirs to set */
    uint32_t clients;                   /**< that each thread remembers while they are limited */
    uint64_t seed;
};

struct mt_ntp_workers;

/** Null with a reason if a socket or a thread cannot be had.  They say that nothing is synchronised
 * before the first mt_ntp_workers_publish(). */
struct mt_ntp_workers *mt_ntp_workers_start(const struct mt_ntp_workers_options *options,
                                            char reason[MT_HAL_REASON_SIZE]);
/** What is served from now on; `ring` null: NTS is not spoken. */
void mt_ntp_workers_publish(struct mt_ntp_workers *self, const struct mt_ntp_serving *serving,
                            const struct mt_nts_ring *ring, const struct mt_clock_page *page);
/** By these rules from now on; false: no memory, and they go by those before. */
bool mt_ntp_workers_rule(struct mt_ntp_workers *self, const struct mt_ntp_ruling *ruling);
/** Frees rules that no thread goes by any more; true: there are none but the present ones. */
bool mt_ntp_workers_clean(struct mt_ntp_workers *self);
/** What has become of requests so far, over all threads. */
void mt_ntp_workers_count(const struct mt_ntp_workers *self,
                          uint64_t ret_outcomes[MT_NTP_OUTCOME_COUNT]);
void mt_ntp_workers_stop(struct mt_ntp_workers *self);

#endif
