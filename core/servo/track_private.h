/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The measurement half of mt_track; for core/servo and its tests only.
 */
#ifndef MEANTIME_SERVO_TRACK_PRIVATE_H
#define MEANTIME_SERVO_TRACK_PRIVATE_H

#include "meantime/servo.h"

/** *ret_ph = P h; returns h' P h, the variance of what h observes. */
mt_real mt_track_project(const struct mt_track *track, const mt_real h[3], mt_real ret_ph[3]);
/** Takes in a measurement of noise variance `noise` whose innovation and gain are known. */
void mt_track_measure(struct mt_track *track, const mt_real h[3], const mt_real gain[3],
                      mt_real innovation, mt_real noise);

#endif
