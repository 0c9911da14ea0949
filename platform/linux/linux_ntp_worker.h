/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * One thread that answers NTP requests: what it does, over and over, and what it does it with.
 * Thread rule: the thread's, but for the outcomes and what `all` says.
 */
#ifndef MEANTIME_LINUX_NTP_WORKER_H
#define MEANTIME_LINUX_NTP_WORKER_H

#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>

#include "platform/linux/linux_departures.h"
#include "platform/linux/linux_ntp_rules.h"
#include "platform/linux/linux_ntp_workers.h"
#include "platform/linux/linux_pace.h"
#include "platform/linux/linux_snapshot.h"

#define MT_NTP_BATCH        64
#define MT_NTP_CONTROL_SIZE 192

struct mt_ntp_snapshot {
    struct mt_ntp_serving serving;
    bool has_ring;
    struct mt_nts_ring ring;
    struct mt_clock_page page;
};
MT_SNAPSHOT_FITS(struct mt_ntp_snapshot);

struct mt_ntp_control {
    _Alignas(struct cmsghdr) uint8_t octets[MT_NTP_CONTROL_SIZE];
};

/** Requests as they come. */
struct mt_ntp_requests {
    struct mmsghdr messages[MT_NTP_BATCH];
    struct iovec pieces[MT_NTP_BATCH];
    union mt_socket_address addresses[MT_NTP_BATCH];
    struct mt_ntp_control controls[MT_NTP_BATCH];
    uint8_t octets[MT_NTP_BATCH][MT_NTP_PACKET_MAX];
    unsigned used; /**< what the kernel may have changed */
};

/** Answers as they leave; the addresses are those of the requests. */
struct mt_ntp_answers {
    struct mmsghdr messages[MT_NTP_BATCH];
    struct iovec pieces[MT_NTP_BATCH];
    struct mt_ntp_control controls[MT_NTP_BATCH];
    struct mt_ntp_answer made[MT_NTP_BATCH];
    unsigned count;
};

/** Served time near a timestamp of the kernel. */
struct mt_ntp_line {
    bool is_good;
    int64_t stamp_ns;
    struct mt_instant at;
    int64_t gain_q16; /**< in so many nanoseconds as the line is long */
};

/** The first answer of a group, of whose departure the pace is learnt. */
struct mt_ntp_probe {
    bool is_awaited;
    mt_ntp_time receive; /**< what it is remembered by */
    int64_t begin_ns;    /**< when its group was begun ... */
    int64_t ready_ns;    /**< ... and finished, by the kernel's CLOCK_REALTIME */
};

struct mt_ntp_thread {
    struct mt_ntp_workers *all;
    pthread_t thread;
    bool is_running;
    int fd;
    int64_t base_minus_stamp_ns;
    struct mt_ntp_snapshot snapshot;
    struct mt_ntp_line line;
    struct mt_ntp_rules_user user;
    uint32_t limited;            /**< room for so many limited clients */
    struct mt_ntp_server server; /**< as it is for all, with NTS if there are keys ... */
    struct mt_nts_server nts;    /**< ... which are those of the snapshot */
    struct mt_ntp_worker worker;
    struct mt_pace pace;
    struct mt_ntp_probe probe;
    unsigned awaited;  /**< departures that the kernel has been asked for */
    unsigned patience; /**< how often it is asked again */
    struct mt_ntp_requests in;
    struct mt_ntp_answers out;
    _Atomic uint64_t outcomes[MT_NTP_OUTCOME_COUNT];
};

struct mt_ntp_workers {
    struct mt_ntp_rules rules;
    const struct mt_crypto *crypto;
    uint32_t clients; /**< that a thread remembers if they are limited */
    _Atomic bool is_stopping;
    unsigned count;
    struct mt_snapshot snapshot; /* of a struct mt_ntp_snapshot */
    struct mt_ntp_thread *threads[MT_NTP_WORKERS_MAX * MT_NTP_ADDRESSES_MAX];
};

/** Readies the storage of its batches. */
void mt_ntp_thread_init(struct mt_ntp_thread *self);
/** Waits a while for requests, and answers them. */
void mt_ntp_thread_turn(struct mt_ntp_thread *self);

#endif
