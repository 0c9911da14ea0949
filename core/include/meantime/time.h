/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Time: four types that the compiler keeps apart, and the arithmetic between them.
 * Used by every other header.  All functions are pure; none fails: what cannot be represented
 * saturates, and saturation is stable (saturated values compare greater than all others).
 *
 * Sign convention, once for the whole project:
 *     offset = local clock - reference clock;  offset > 0 means that the local clock is ahead.
 * Resolution everywhere is 2^-16 ns, that of the PTP TimeInterval [1588-2019 5.3.2].
 * Thread rule: values only; any thread.
 */
#ifndef MEANTIME_TIME_H
#define MEANTIME_TIME_H

#include <stdbool.h>
#include <stdint.h>

#define MT_NS_PER_S 1000000000

/** Which seconds an instant counts. */
enum mt_timescale {
    MT_SCALE_ARB, /**< Arbitrary epoch: only differences mean something [1588-2019 7.2.1]. */
    MT_SCALE_TAI, /**< PTP timescale: TAI seconds since 1970-01-01 00:00:00 TAI. */
    MT_SCALE_UTC, /**< POSIX seconds: leap seconds are repeated or skipped. */
    MT_SCALE_SMEARED_UTC, /**< POSIX seconds with leap seconds smeared. */
};
#define MT_SCALE_COUNT 4

/** A reading of a clock.  ns < 1e9; frac counts 2^-16 ns. */
struct mt_instant {
    int64_t s;
    uint32_t ns;
    uint16_t frac;
    enum mt_timescale scale;
};

/** A delay, correction or steady offset: units of 2^-16 ns, about +-39 hours; saturating. */
struct mt_interval {
    int64_t q16;
};

/** A difference of two instants of any size: s + (ns + frac/65536) * 1e-9, floor form:
 * 0 <= ns < 1e9 also for negative spans (-0.25 s is {-1, 750000000, 0}). */
struct mt_span {
    int64_t s;
    uint32_t ns;
    uint16_t frac;
};

/** The monotonic time that drives timers; never leaves the machine, never steps. */
struct mt_mono {
    int64_t ns;
};

/** "Too large to represent" on the wire; such a correction makes a message unusable for time. */
#define MT_INTERVAL_TOO_LARGE ((struct mt_interval){INT64_MAX})
/** A deadline that never comes. */
#define MT_MONO_NEVER ((struct mt_mono){INT64_MAX})

/* ---- spans ------------------------------------------------------------------------------ */

/** a - b.  The timescales are the caller's business: they must already agree. */
struct mt_span mt_instant_minus(struct mt_instant a, struct mt_instant b);
/** a + by, in a's timescale. */
struct mt_instant mt_instant_plus(struct mt_instant a, struct mt_span by);
/** -1, 0 or 1 as a is before, at or after b; timescales as for mt_instant_minus(). */
int mt_instant_compare(struct mt_instant a, struct mt_instant b);

/** In place: firmware that adds to what lies in memory anyway is smaller by these.  No two may be
 * one object. */
void mt_span_between(const struct mt_instant *from, const struct mt_instant *to,
                     struct mt_span *ret);
void mt_span_add(struct mt_span *to, const struct mt_span *by);
void mt_span_subtract(struct mt_span *from, const struct mt_span *by);
void mt_instant_move(struct mt_instant *at, const struct mt_span *by);

struct mt_span mt_span_plus(struct mt_span a, struct mt_span b);
struct mt_span mt_span_minus(struct mt_span a, struct mt_span b);
struct mt_span mt_span_negate(struct mt_span a);
/** -1, 0 or 1 as a is less than, equal to or greater than b. */
int mt_span_compare(struct mt_span a, struct mt_span b);
/** |a|. */
struct mt_span mt_span_abs(struct mt_span a);
/** Whole nanoseconds, any sign. */
struct mt_span mt_span_from_ns(int64_t ns);
struct mt_span mt_span_from_interval(struct mt_interval a);
/** Nearest interval; beyond +-39 h it saturates. */
struct mt_interval mt_span_to_interval(struct mt_span a);
/** Nanoseconds, rounded towards minus infinity; saturates beyond +-292 years. */
int64_t mt_span_to_ns(struct mt_span a);
/** Half of a, rounded towards minus infinity at 2^-16 ns. */
struct mt_span mt_span_half(struct mt_span a);

/* ---- intervals -------------------------------------------------------------------------- */

/** Too large plus or minus anything, and anything minus too large, stays too large. */
struct mt_interval mt_interval_plus(struct mt_interval a, struct mt_interval b);
struct mt_interval mt_interval_minus(struct mt_interval a, struct mt_interval b);
struct mt_interval mt_interval_from_ns(int64_t ns);
/** Nanoseconds, rounded towards minus infinity. */
int64_t mt_interval_to_ns(struct mt_interval a);
/** True for MT_INTERVAL_TOO_LARGE only. */
bool mt_interval_is_too_large(struct mt_interval a);

/* ---- monotonic time and instants from integers ------------------------------------------- */

/** Saturating sum; by_ns of either sign.  Never stays never. */
struct mt_mono mt_mono_plus(struct mt_mono a, int64_t by_ns);
/** The earlier of two deadlines. */
struct mt_mono mt_mono_earlier(struct mt_mono a, struct mt_mono b);
/** 2^log2s seconds in nanoseconds, rounded to nearest; log2s outside -30..33 saturates to those. */
int64_t mt_log2s_to_ns(int8_t log2s);
/** ns since the epoch of `scale`. */
struct mt_instant mt_instant_from_ns(int64_t ns, enum mt_timescale scale);
/** ns since the epoch; fractions dropped; saturates in the year 2262 and before 1678. */
int64_t mt_instant_to_ns(struct mt_instant a);

#endif
