/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Test support: one PTP instance on a bench.  The bench keeps the time, ticks the instance at its
 * deadlines, writes the frames of invented peers and takes down all that the instance puts out.
 * The local clock reads `now` plus BENCH_EPOCH_S; whoever wants to measure gives the peers
 * another one.  Transmit timestamps are reported at once unless a test holds them back.
 */
#ifndef MEANTIME_TESTS_PTP_BENCH_H
#define MEANTIME_TESTS_PTP_BENCH_H

#include "meantime/ptp.h"

#define BENCH_EPOCH_S INT64_C(1000000)
#define BENCH_LOG_MAX 4096
#define BENCH_S(s)    ((int64_t)((s)*1e9))

struct bench_frame {
    struct mt_mono at;
    struct mt_tx tx;
    struct mt_ptp_message message; /**< its tlvs point into `octets` */
    uint8_t octets[256];           /**< longer frames are cut; the message stays right */
};

struct bench_event {
    struct mt_mono at;
    struct mt_event event;
};

struct ptp_bench {
    struct mt_instance instance;
    struct mt_port ports[MT_INSTANCE_PORTS_MAX];
    struct mt_instance_config config;
    struct mt_port_config port_configs[MT_INSTANCE_PORTS_MAX];
    struct mt_path path;
    uint16_t port_count;
    uint64_t seed;
    struct mt_mono now;
    bool holds_stamps; /**< the test calls mt_instance_tx_done() itself */
    struct bench_frame frames[BENCH_LOG_MAX];
    size_t frame_count;
    struct bench_event events[BENCH_LOG_MAX];
    size_t event_count;
};

/** A transmitter on the far side. */
struct bench_peer {
    struct mt_port_identity identity;
    struct mt_ptp_announce announce;
    uint16_t flags;
    uint16_t announce_sequence;
    uint16_t sync_sequence;
    int8_t log_announce_interval;
    const uint8_t *tlvs; /**< of its Announces */
    size_t tlvs_length;
};

/** Identity 8, defaults of the library, one to MT_INSTANCE_PORTS_MAX ports; edit the configs
 * before bench_start(). */
void bench_init(struct ptp_bench *self, uint16_t port_count);
/** mt_instance_init(), then all links come up. */
void bench_start(struct ptp_bench *self);
/** A peer whose clock identity ends in `id`, port 1; better than the bench: priority1 10. */
void peer_init(struct bench_peer *self, uint8_t id);
struct mt_clock_identity bench_identity(uint8_t id);

/** Time passes: ticks at each deadline, drains after each. */
void bench_pass(struct ptp_bench *self, int64_t ns);
/** Takes everything that can be taken; tests call it after calls of their own. */
void bench_drain(struct ptp_bench *self);
/** Forgets what was taken down. */
void bench_clear(struct ptp_bench *self);
struct mt_stamp bench_stamp(const struct ptp_bench *self);

enum mt_verdict bench_rx(struct ptp_bench *self, uint16_t port,
                         const struct mt_ptp_message *message);
enum mt_verdict bench_announce(struct ptp_bench *self, uint16_t port, struct bench_peer *peer);
/** A two-step Sync that left `delay_ns` ago, and its Follow_Up; the peer's clock is `ahead_ns`
 * ahead. */
void bench_sync(struct ptp_bench *self, uint16_t port, struct bench_peer *peer, int64_t delay_ns,
                int64_t ahead_ns);
/** Announces every two seconds (and at once) until `count` have been sent. */
void bench_announces(struct ptp_bench *self, uint16_t port, struct bench_peer *peer,
                     unsigned count);
/** Announces until the port is UNCALIBRATED; fails the test if it does not get there. */
void bench_follow(struct ptp_bench *self, uint16_t port, struct bench_peer *peer);

bool bench_link(struct ptp_bench *self, uint16_t port, bool is_up);
bool bench_command(struct ptp_bench *self, const struct mt_command *command);
/** The clock is locked or not; bound_ns < 0: it has none. */
void bench_clock(struct ptp_bench *self, bool is_locked, int64_t bound_ns);

/** Frames taken down on `port` (0: any) of `type`. */
size_t bench_count(const struct ptp_bench *self, uint16_t port, enum mt_ptp_type type);
/** The i-th of them from the end, 0 the newest; fails the test if there is none. */
const struct bench_frame *bench_newest(const struct ptp_bench *self, uint16_t port,
                                       enum mt_ptp_type type, size_t i);
/** Events of a kind, and the newest of them. */
size_t bench_event_count(const struct ptp_bench *self, enum mt_event_kind kind);
const struct mt_event *bench_newest_event(const struct ptp_bench *self, enum mt_event_kind kind);
/** The newest sample's value in ns. */
int64_t bench_sample_ns(const struct ptp_bench *self, enum mt_sample_kind kind);

enum mt_port_state bench_state(const struct ptp_bench *self, uint16_t port);
uint64_t bench_verdicts(const struct ptp_bench *self, uint16_t port, enum mt_verdict verdict);
uint64_t bench_counter(const struct ptp_bench *self, uint16_t port, enum mt_port_counter counter);
/** received == sum of verdicts, at most one receiving port ...: fails the test if not. */
void bench_check(const struct ptp_bench *self);
const char *bench_state_name(enum mt_port_state state);

/** A boundary clock: port 1 receives from `peer`, port 2 serves. */
void bench_relay(struct ptp_bench *self, struct bench_peer *peer);
/** The Announce that the peer's next one leads to on `port`. */
const struct mt_ptp_message *bench_relayed_announce(struct ptp_bench *self, struct bench_peer *peer,
                                                    uint16_t port);

#endif
