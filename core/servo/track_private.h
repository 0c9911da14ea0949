/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The measurement half of mt_track; for core/servo and its tests only.
 */
#ifndef MEANTIME_SERVO_TRACK_PRIVATE_H
#define MEANTIME_SERVO_TRACK_PRIVATE_H

#include "meantime/servo.h"

/** x[i] becomes a x[i] + b x[j], and the covariance with it. */
void mt_track_combine(struct mt_track *track, int i, int j, mt_real a, mt_real b);

/** A measurement of h'x with noise variance `noise`, made ready: returns its standard deviation
 * as predicted; *ret_gain is the gain for an innovation counted in that. */
mt_real mt_track_weigh(const struct mt_track *track, const mt_real h[3], mt_real noise,
                       mt_real ret_gain[3]);
/** Takes in a weighed measurement; innovation in standard deviations. */
void mt_track_absorb(struct mt_track *track, const mt_real gain[3], mt_real innovation);

#endif
