/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The smallest discipline: one clock that follows one source by proportion and integral, for
 * receivers that have room for nothing else.  The caller feeds samples, takes corrections and
 * answers each with what was applied, as with a discipline (steer.h).
 * It learns no noise, states no error bound and does not find its own gains: what it does with
 * jitter depends on the sync interval, and it is the caller who knows whether that suffices.
 * No allocation, no globals; equal inputs give equal bits.
 * Thread rule: one thread at a time for each object.
 */
#ifndef MEANTIME_STEER_FOLLOWER_H
#define MEANTIME_STEER_FOLLOWER_H

#include "meantime/steer.h"

struct mt_follower {
    mt_real max_rate;  /**< s/s: range of the clock's adjustment; the caller may set it */
    mt_real step_over; /**< s: what is farther off is stepped; likewise */
    /* private */
    mt_real drift;          /**< s/s that the clock gains when it is left alone */
    mt_real offset;         /**< s: the last one */
    mt_real delay;          /**< s: mean of the round trips, halved */
    mt_real forward;        /**< s: the last way there, in which the delay is contained */
    struct mt_instant at;   /**< the clock when that was measured */
    uint32_t stepped;       /**< the clock's corrections at its last step: older samples are void */
    uint8_t delays;         /**< measured, up to those that the mean goes back */
    uint8_t offsets;        /**< since the last step, up to those that make a lock */
    uint8_t large_in_a_row; /**< samples beyond step_over */
    bool has_forward;       /**< since the last step */
    bool has_next;          /**< `next` waits to be taken */
    bool awaits_applied;    /**< it was taken and not answered yet */
    struct mt_correction next;
};

/** A clock with a range of 500 ppm; steps over 5 ms, which must be more than the oscillator is off
 * in three sync intervals. */
void mt_follower_init(struct mt_follower *self);
/** Another source from now on, or none: the clock keeps the frequency that was learned. */
void mt_follower_forget(struct mt_follower *self);
/** A one-way measurement.  Both directions are needed, or kind MT_SAMPLE_OFFSET. */
void mt_follower_sample(struct mt_follower *self, const struct mt_sample *sample);
/** Takes the correction to apply now, if there is one.  At most one is outstanding. */
bool mt_follower_next_correction(struct mt_follower *self, struct mt_correction *ret_correction);
/** Answers it. */
void mt_follower_applied(struct mt_follower *self, const struct mt_applied *applied);
/** Several offsets in a row were so small that the range of the clock sufficed: 0.7 ms with that of
 * 500 ppm. */
bool mt_follower_is_locked(const struct mt_follower *self);

#endif
