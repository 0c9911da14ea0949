/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * One worker: what its thread does, over and over, and what it does it with.
 * Thread rule: the worker's, but for the counters and what `all` says.
 */
#ifndef MEANTIME_LINUX_WORKER_H
#define MEANTIME_LINUX_WORKER_H

#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>

#include "platform/linux/linux_departures.h"
#include "platform/linux/linux_pace.h"
#include "platform/linux/linux_snapshot.h"
#include "platform/linux/linux_workers.h"

#define MT_WORKER_BATCH        64
#define MT_WORKER_REQUEST_SIZE 512
#define MT_WORKER_CONTROL_SIZE 128

struct mt_worker_snapshot {
    struct mt_served served;
    struct mt_clock_page page;
};

MT_SNAPSHOT_FITS(struct mt_worker_snapshot);

struct mt_worker_control {
    _Alignas(struct cmsghdr) uint8_t octets[MT_WORKER_CONTROL_SIZE];
};

/** Storage of one batch, in one direction. */
struct mt_worker_batch {
    struct mmsghdr messages[MT_WORKER_BATCH];
    struct iovec pieces[MT_WORKER_BATCH];
    union mt_socket_address addresses[MT_WORKER_BATCH];
    struct mt_worker_control controls[MT_WORKER_BATCH];
    uint8_t octets[MT_WORKER_BATCH][MT_WORKER_REQUEST_SIZE];
    unsigned count;
};

struct mt_worker {
    struct mt_workers *all;
    pthread_t thread;
    bool is_running;
    int event_fd;
    int general_fd;
    int64_t base_minus_stamp_ns;
    struct mt_worker_snapshot snapshot;
    struct mt_departures departures;
    struct mt_stateless_answer answers[MT_WORKER_BATCH];
    struct mt_pace pace; /* of frames that say themselves when they leave */
    struct mt_worker_batch in;
    struct mt_worker_batch out;
    _Atomic uint64_t counters[MT_STATELESS_COUNTER_COUNT];
};

struct mt_workers {
    struct mt_workers_options options;
    _Atomic bool is_stopping;
    struct mt_snapshot snapshot; /* of a struct mt_worker_snapshot */
    struct mt_worker *workers[MT_WORKERS_MAX];
};

/** Waits a while for requests, and answers them. */
void mt_worker_turn(struct mt_worker *self);
/** Copies what was published last. */
void mt_worker_take_snapshot(struct mt_worker *self);
int64_t mt_worker_read_ns(clockid_t clock);
/** Reads a page's base, and what it is ahead of CLOCK_REALTIME, in which the kernel stamps. */
int64_t mt_worker_compare(enum mt_base_clock base, int64_t *ret_base_minus_stamp_ns);
void mt_worker_sender(const union mt_socket_address *sender, struct mt_address *ret_from);

#endif
