/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The smallest discipline that tunes itself: one clock that follows one source by a Kalman filter
 * (servo_kalman.h), for ordinary clocks in 16 KiB of code.  The caller feeds samples, takes
 * corrections, answers each with what was applied, and lets time pass, as with a discipline
 * (steer.h).  It needs no gains: noise and wander are learned, whatever the sync interval is.
 * What a discipline has beyond it: several sources, corrections that late samples need further back
 * than the last one, one-sided noise, error bounds.
 * No allocation, no globals; equal inputs give equal bits.
 * Thread rule: one thread at a time for each object.
 */
#ifndef MEANTIME_STEER_KALMAN_H
#define MEANTIME_STEER_KALMAN_H

#include "meantime/servo_kalman.h"
#include "meantime/steer.h"

/** The caller may set the first four, after mt_kalman_follower_init(), which sets the defaults. */
struct mt_kalman_follower {
    mt_real max_rate;      /**< s/s: range of the clock's adjustment; 500e-6 */
    mt_real max_slew;      /**< s/s: beyond the frequency, to remove an offset; 500e-6 */
    mt_real step_at_start; /**< s: a first offset beyond it is stepped away; 10e-6 */
    mt_real step_later;    /**< s: and any later one beyond this; 0.1 */
    /* private */
    bool has_stepped; /**< the first offset has been dealt with */
    bool has_forward; /**< since the last step */
    bool has_next;
    bool awaits_applied;
    bool has_change;          /**< the last correction was one of rate */
    uint8_t near;             /**< samples in a row that found the clock where it should be */
    enum mt_timescale scale;  /**< of the clock */
    uint32_t corrections;     /**< the clock's */
    mt_real rate;             /**< applied */
    mt_real interval;         /**< s between samples, mean */
    mt_real ratio;            /**< of the last change of rate: see mt_steer_change */
    struct mt_instant change; /**< when that took effect */
    struct mt_instant at;     /**< the latest sample, as it was stamped ... */
    mt_real lag;              /**< ... and so much earlier, as the clock runs now */
    struct mt_span forward;   /**< the last way there */
    struct mt_mono slew_end;
    struct mt_mono again; /**< no correction before */
    struct mt_correction next;
    struct mt_kalman filter;
};

/** A clock with a range of 500 ppm, which shows `scale`, was corrected `corrections` times and runs
 * at its nominal rate.  start_rate, if not 0, was kept from before and is the first correction. */
void mt_kalman_follower_init(struct mt_kalman_follower *self, enum mt_timescale scale,
                             uint32_t corrections, mt_real start_rate);
/** Another source from now on, or none: the clock keeps the frequency that was learned. */
void mt_kalman_follower_forget(struct mt_kalman_follower *self);
/** A one-way measurement.  Both directions are needed, or kind MT_SAMPLE_OFFSET. */
void mt_kalman_follower_sample(struct mt_kalman_follower *self, const struct mt_sample *sample,
                               struct mt_mono now);
/** Passage of time: ends a slew. */
void mt_kalman_follower_tick(struct mt_kalman_follower *self, struct mt_mono now);
struct mt_mono mt_kalman_follower_deadline(const struct mt_kalman_follower *self);
/** Takes the correction to apply now, if there is one.  At most one is outstanding. */
bool mt_kalman_follower_next_correction(struct mt_kalman_follower *self,
                                        struct mt_correction *ret_correction);
/** Answers it.  Also tells of corrections that someone else made to the clock. */
void mt_kalman_follower_applied(struct mt_kalman_follower *self, const struct mt_applied *applied);
/** The last 8 samples found the clock within 5 sigma of the source, as far as the filter knows. */
bool mt_kalman_follower_is_locked(const struct mt_kalman_follower *self);
/** What it has measured, to the nanosecond: the clock's offset (positive: the clock is ahead), and
 * the path's delay or 0.  False while it knows none. */
bool mt_kalman_follower_measured(const struct mt_kalman_follower *self,
                                 struct mt_interval *ret_offset, struct mt_interval *ret_delay);
/** The rate to keep for the next start; false while it is not settled. */
bool mt_kalman_follower_drift(const struct mt_kalman_follower *self, mt_real *ret_rate);

#endif
