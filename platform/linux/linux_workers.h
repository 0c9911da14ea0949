/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Threads that answer the requests of SPTP and CSPTP, beside the one loop: each has its own pair of
 * sockets on one address, among which the kernel divides the clients (SO_REUSEPORT).  They know
 * nothing but the snapshot that the loop hands them: what is announced, and the clock's page, by
 * which they translate the kernel's timestamps.  Requests that come to this address are theirs
 * alone; what is no such request is counted and dropped.
 * Thread rule: all functions belong to the loop's thread.
 */
#ifndef MEANTIME_LINUX_WORKERS_H
#define MEANTIME_LINUX_WORKERS_H

#include "hal/provider.h"
#include "meantime/clock_page.h"
#include "meantime/ptp_stateless.h"

#define MT_WORKERS_MAX 64

struct mt_workers_options {
    unsigned count;            /**< threads, 1..MT_WORKERS_MAX */
    struct mt_address address; /**< over UDP: where requests come to */
    const char *interface;     /**< bound to it; null: to none */
    struct mt_stateless_server server;
};

struct mt_workers;

/** Null with a reason if a socket or a thread cannot be had.  They serve nothing before the first
 * mt_workers_publish(). */
struct mt_workers *mt_workers_start(const struct mt_workers_options *options,
                                    char reason[MT_HAL_REASON_SIZE]);
/** What is served from now on. */
void mt_workers_publish(struct mt_workers *self, const struct mt_served *served,
                        const struct mt_clock_page *page);
/** What has become of requests so far, by enum mt_stateless_counter, over all threads. */
void mt_workers_count(const struct mt_workers *self,
                      uint64_t ret_counters[MT_STATELESS_COUNTER_COUNT]);
/** Processor time that the threads have used. */
int64_t mt_workers_cpu_ns(const struct mt_workers *self);
void mt_workers_stop(struct mt_workers *self);

#endif
