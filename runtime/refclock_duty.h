/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Reference clocks of other programs as sources of the node's clocks: each is a link that only
 * hears.  A reading becomes a sample of kind MT_SAMPLE_OFFSET at once, or several become one when
 * `median_over` has passed; every reference clock of a clock is measured all the time.  Which one
 * is followed, the clock's arbiter says.
 * Thread rule: that of the node.
 */
#ifndef MEANTIME_RUNTIME_REFCLOCK_DUTY_H
#define MEANTIME_RUNTIME_REFCLOCK_DUTY_H

#include "hal/wait.h"
#include "meantime/sample.h"
#include "runtime/refclock_reading.h"

#define MT_REFCLOCK_WINDOW 64 /**< readings of which one sample is made */

struct mt_node;

/** What became of readings: for status. */
enum mt_refclock_count {
    MT_REFCLOCK_READINGS,
    MT_REFCLOCK_SAMPLES,   /**< that the estimator used */
    MT_REFCLOCK_REFUSED,   /**< that it did not */
    MT_REFCLOCK_MALFORMED, /**< readings that are none */
    MT_REFCLOCK_NOT_READY, /**< the reference clock said itself that it is not synchronised */
    MT_REFCLOCK_REPEATED,  /**< not newer than the one before */
    MT_REFCLOCK_NO_SECOND, /**< pulses, while this clock does not know which second it is */
};
#define MT_REFCLOCK_COUNTS 7

struct mt_refclock_config {
    const char *name;
    enum mt_timescale scale;
    struct mt_interval offset; /**< added to what it reads */
    struct mt_interval delay;
    struct mt_interval precision;
    struct mt_interval max_error; /**< too large: not known */
    int64_t median_over_ns;       /**< 0: each reading is a sample */
    int64_t silence_ns;           /**< after which it is not heard any more */
    uint32_t reference_id;
    uint8_t stratum;
    bool prefer;
    bool trust;
    bool require;
    bool select;
};

struct mt_refclock_point {
    struct mt_stamp local;
    struct mt_span value; /**< local - reference */
};

struct mt_node_refclock {
    struct mt_refclock_config config;
    uint16_t link;
    uint16_t clock;
    uint16_t source; /**< index among the sources of the clock */
    bool is_heard;   /**< there was a sample, and not too long ago */
    struct mt_mono heard_at;
    struct mt_stamp last; /**< when the last reading was taken */
    bool has_last;
    int8_t precision_log2s; /**< that it told */
    enum mt_refclock_leap leap;
    struct mt_span value; /**< of the last sample */
    uint64_t counts[MT_REFCLOCK_COUNTS];
    uint8_t point_count;
    struct mt_mono window_end;
    struct mt_refclock_point points[MT_REFCLOCK_WINDOW];
};

/** Takes a frame; false if it is not of a reference clock's link. */
bool mt_refclock_duty_rx(struct mt_node *node, const struct mt_input *input);
/** Makes samples of windows that have ended, notices silence, selects. */
void mt_refclock_duty_tick(struct mt_node *node, struct mt_mono now);
struct mt_mono mt_refclock_duty_deadline(const struct mt_node *node);
struct mt_node_clock;
/** Whether the clock is known well enough to say which second it is. */
bool mt_refclock_duty_knows_second(const struct mt_node_clock *clock, struct mt_instant at);
/** A sample that somebody else has made of what this reference clock reads; its source is set.
 * False: nobody can say in which of two seconds it was taken. */
bool mt_refclock_duty_offer(struct mt_node *node, struct mt_node_refclock *self,
                            const struct mt_sample *sample, struct mt_mono now);
/** The leap second that the selected reference clock of a clock tells: -1, 0 or +1. */
int32_t mt_refclock_duty_leap(const struct mt_node *node, uint16_t clock);
/** The one that a clock follows now; null: none. */
const struct mt_node_refclock *mt_refclock_duty_selected(const struct mt_node *node,
                                                         uint16_t clock);

#endif
