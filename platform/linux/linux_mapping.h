/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * A piecewise linear function from one time to another, with its recent past: what a steered
 * clock reads when its base reads x, and what it read when the base read less.  The overlay
 * clock's corrections are one such function, the frequency walk of the lab oscillator another.
 * Exact: the only rounding is the floor of one product to 2^-32 ns for each evaluation.
 * Thread rule: one thread at a time for each object.
 */
#ifndef MEANTIME_LINUX_MAPPING_H
#define MEANTIME_LINUX_MAPPING_H

#include "hal/clock.h"

/** Nanoseconds times 2^32. */
__extension__ typedef __int128 mt_q32;

#define MT_MAPPING_SEGMENTS 64 /**< that are remembered; evaluating further back extrapolates */

struct mt_segment {
    mt_q32 x; /**< where it begins */
    mt_q32 y; /**< the value there */
    int64_t rate_q64;
    uint32_t count; /**< segments before this one since the start */
    enum mt_timescale scale;
};

struct mt_mapping {
    struct mt_segment segments[MT_MAPPING_SEGMENTS]; /**< ring; count picks the place */
    uint32_t newest;                                 /**< count of the newest segment */
};

void mt_mapping_init(struct mt_mapping *self, mt_q32 x, mt_q32 y, int64_t rate_q64,
                     enum mt_timescale scale);
/** Begins a new segment at x with the value that the function has there, plus `step`. */
void mt_mapping_turn(struct mt_mapping *self, mt_q32 x, mt_q32 step, int64_t rate_q64,
                     enum mt_timescale scale);
/** The segment in force at x. */
const struct mt_segment *mt_mapping_at(const struct mt_mapping *self, mt_q32 x);
const struct mt_segment *mt_mapping_newest(const struct mt_mapping *self);
mt_q32 mt_segment_value(const struct mt_segment *self, mt_q32 x);

mt_q32 mt_q32_from_ns(int64_t ns);
mt_q32 mt_q32_from_base(struct mt_base_time base);
/** Saturates at +-36 billion years, so that no sum of two overflows. */
mt_q32 mt_q32_from_span(struct mt_span span);
struct mt_instant mt_q32_to_instant(mt_q32 value, enum mt_timescale scale);
/** `rate` in s/s, limited to +-limit; what is not a number counts as 0. */
int64_t mt_rate_to_q64(mt_real rate, mt_real limit);
mt_real mt_rate_from_q64(int64_t rate_q64);
/** The rate of a clock that runs at `a` over a clock that runs at `b`. */
int64_t mt_rate_compose_q64(int64_t a_q64, int64_t b_q64);

#endif
