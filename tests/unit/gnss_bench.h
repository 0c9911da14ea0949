/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Test support: a node whose one clock has one GNSS receiver as its source, and that receiver: each
 * second a pulse and behind it a sentence, NMEA or UBX, which tells what the test has set.
 */
#ifndef MEANTIME_TESTS_GNSS_BENCH_H
#define MEANTIME_TESTS_GNSS_BENCH_H

#include "meantime/prng.h"
#include "rate_clock.h"
#include "runtime/node.h"

#define STREAM  0 /**< links */
#define PULSES  1
#define S_NS    INT64_C(1000000000)
#define START_S INT64_C(1795348800)
#define TAI_UTC 37

struct gnss_bench {
    struct mt_node node;
    struct mt_node_clock clock;
    struct mt_discipline_source sources[1];
    struct mt_node_refclock refclocks[1];
    struct mt_node_gnss gnss[1];
    struct mt_prng noise;
    struct mt_hal_link link;
    struct mt_hal_link *links[2];
    struct rate_clock number;
    struct mt_arbiter_member members[1];
    struct mt_arbiter_source judged[1];
    struct mt_arbiter_opinion opinions[1];
    unsigned told[16]; /**< events, by enum mt_gnss_node_event */
    unsigned steps;
    /* the receiver */
    bool is_ubx;
    bool has_fix;
    int64_t ahead_s; /**< of UTC, in what it says */
    int32_t leap_s;  /**< GPS - UTC that it reckons with */
    int64_t delay_ns;
    int64_t pulse_ns;  /**< noise of pulses */
    int64_t uneven_ns; /**< of sentences, on a busy machine */
    unsigned lose_one_in;
};
extern struct gnss_bench *bench;

/** A clock that was never set, and a receiver with a fix and pulses. */
int set_up(void **state);
int tear_down(void **state);
/** The receiver anew. */
void configure(bool has_pulses);
void give(struct mt_input input);
void pass_until(int64_t until_ns);
void hear(const void *octets, size_t length);
/** A sentence: what is between '$' and '*'. */
void hear_nmea(const char *body);
void hear_ubx(uint8_t class, uint8_t id, const uint8_t *payload, size_t length);
void hear_pulse(int64_t late_ns);
/** Little-endian. */
void put_le(uint8_t *at, uint64_t value, unsigned count);
/** What the receiver says of that second. */
void speak(int64_t utc_s);
void seconds(unsigned count);
/** What the clock is off TAI. */
int64_t off_ns(void);
void assert_near(int64_t value, int64_t wanted, int64_t within);
uint64_t counted(enum mt_gnss_pulse_verdict verdict);
bool is_locked(void);

#endif
