/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The measurement half of mt_track; for core/servo and its tests only.
 */
#ifndef MEANTIME_SERVO_TRACK_PRIVATE_H
#define MEANTIME_SERVO_TRACK_PRIVATE_H

#include "meantime/servo.h"

/** x[i] becomes a x[i] + b x[j], and the covariance with it. */
void mt_track_combine(struct mt_track *track, int i, int j, mt_real a, mt_real b);

/** A measurement on its way through the filter: value + h'x is 0 but for noise. */
struct mt_measurement {
    mt_real h[3];
    mt_real value;
    mt_real noise;    /**< variance */
    mt_real sigma;    /**< of value, as predicted */
    mt_real energy;   /**< innovation squared */
    mt_real share;    /**< of the noise in sigma squared: 1 less the gain */
    mt_real residual; /**< value + h'x, in sigmas */
    mt_real central;  /**< residual less its mean, in spreads: 1 mean square */
    mt_real spread;   /**< sigma, one-sided noise included */
    mt_real bite;     /**< how much of the covariance goes: 1, or less for a late packet */
    union {
        struct {
            mt_real gain[3];    /**< of -x, for an innovation in sigmas */
            mt_real innovation; /**< how much it pulls: the residual, or less for a late packet */
        };
        mt_real column[4]; /**< both: how much of each row of the track goes */
    };
};

/** Works out the rest from h, value and noise. */
void mt_track_weigh(const struct mt_track *track, struct mt_measurement *measurement);
/** Takes a weighed measurement in. */
void mt_track_absorb(struct mt_track *track, const struct mt_measurement *measurement);

#endif
