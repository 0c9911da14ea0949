/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What the files of core/steer share; for them and their tests only.
 */
#ifndef MEANTIME_STEER_PRIVATE_H
#define MEANTIME_STEER_PRIVATE_H

#include "meantime/steer.h"

/* ---- history.c ---- */

/** Records an applied correction and carries model, estimators and anchor across it. */
void mt_steer_record(struct mt_discipline *self, const struct mt_applied *applied);
/** Carries a state across one of them. */
void mt_steer_carry(struct mt_track *track, const struct mt_steer_change *change);
/** The clock's past means nothing any more: all sources begin anew. */
void mt_steer_forget_all(struct mt_discipline *self);
/** Expresses a sample on the clock as it is now; false: older than the history. */
bool mt_steer_translate(const struct mt_discipline *self, struct mt_sample *sample);

#define MT_STEER_BOUND_SIGMA 5 /* k of the bound */
#define MT_STEER_HUGE_S      0x1p30

/* ---- plan.c ---- */

/** The rate at which the clock would keep its distance from the reference, unlimited. */
mt_real mt_steer_even_rate(const struct mt_discipline *self);
/** Decides by the estimate at the selected source's last sample whether to correct the clock. */
void mt_steer_plan(struct mt_discipline *self, const struct mt_estimate *estimate);
/** Takes note of how well the clock itself is known, once for each estimate after a sample. */
void mt_steer_settle(struct mt_discipline *self, const struct mt_estimate *estimate);
/** Not locked, or not any more: the criterion begins anew. */
void mt_steer_lose_lock(struct mt_discipline *self, enum mt_steer_phase phase);
/** s in which the published time follows the selected source's estimate. */
mt_real mt_steer_follow_time(const struct mt_discipline *self, const struct mt_estimate *estimate);
/** s/s: and no faster. */
mt_real mt_steer_follow_rate(const struct mt_discipline *self);
/** The size from which on an offset is stepped, in s; huge: none is. */
mt_real mt_steer_step_size(const struct mt_discipline *self);
/** Hands out the even rate less `slew`, within the clock's range. */
void mt_steer_hand_out(struct mt_discipline *self, mt_real slew);
/** Ends a slew: back to the plain frequency. */
void mt_steer_level(struct mt_discipline *self);

/* ---- discipline.c ---- */

/** Seconds in nanoseconds, to nearest; at most +-2^50 (13 days), so that a few can be added and the
 * sum is still more than any TimeInterval. */
int64_t mt_steer_ns(mt_real s);
/** The selected source's estimate at local time `at` (null: of its last sample).  False if there
 * is none. */
bool mt_steer_estimate(const struct mt_discipline *self, const struct mt_instant *at,
                       struct mt_estimate *ret_estimate);

/** The selected source; null if there is none. */
struct mt_discipline_source *mt_steer_selected(const struct mt_discipline *self);

/* ---- estimate.c ---- */

/** Noise of one sample, s: a source has either one-way or offset samples; the other is 0. */
mt_real mt_steer_noise(const struct mt_estimate *estimate);
/** Samples that it takes to change an estimate with this sigma. */
mt_real mt_steer_inertia(const struct mt_estimate *estimate, mt_real sigma);
/** The clock is off the estimate by more than `limit`, s. */
bool mt_steer_is_off(const struct mt_estimate *estimate, mt_real limit);

#endif
