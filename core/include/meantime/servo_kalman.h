/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * A self-tuning Kalman filter of one source in as few octets as do it well: offset, rate and path
 * delay from one-way measurements, the noise of the path and the oscillator's wander from its
 * innovations.  For small firmware (steer_kalman.h); where there is room, servo.h has the
 * estimator that also knows one-sided noise, chains of clocks and several sources.
 * Offsets are local - source in s, rates in s/s, positive: fast.
 * No allocation, no globals; equal inputs give equal bits.
 * Thread rule: one thread at a time for each object.
 */
#ifndef MEANTIME_SERVO_KALMAN_H
#define MEANTIME_SERVO_KALMAN_H

#include <stdbool.h>
#include <stdint.h>

#include "meantime/real.h"
#include "meantime/sample.h"

enum mt_kalman_verdict {
    MT_KALMAN_LEARNS,  /**< it was used, the noise is not known yet: nothing to steer by */
    MT_KALMAN_USED,    /**< it was used */
    MT_KALMAN_OUTLIER, /**< it was left out */
    MT_KALMAN_LOST,    /**< so was it, and it is one too many: the state has begun anew */
};

struct mt_kalman {
    mt_real offset;                 /**< s, at the last sample */
    mt_real rate;                   /**< s/s, as the clock runs now */
    mt_real delay;                  /**< s, one way */
    mt_real oo, ro, od, rr, rd, dd; /**< their covariance */
    mt_real noise;                  /**< s^2: variance of one measurement */
    mt_real wander;                 /**< (s/s)^2 per s */
    mt_real offset_slope;           /**< derivatives of the state by ln wander */
    mt_real rate_slope;
    mt_real score; /**< of ln wander: what the samples ask for, and how sure they are */
    mt_real information;
    mt_real pace;
    mt_real energy;     /**< of the innovations while the noise is not known */
    mt_real since;      /**< s since the first forward sample, until there is a state */
    mt_real reverse_at; /**< likewise, of the last reverse one */
    uint8_t count;      /**< of samples, up to those that make it settled */
    uint8_t outliers;   /**< in a row */
    bool knows_rate;    /**< and the noise, from before */
    bool has_forward;
    bool has_reverse;
};

/** Nothing is known. */
void mt_kalman_init(struct mt_kalman *self);
/** The offset and the path are others from now on.  The wander is kept; noise and rate are, if they
 * were trusted.  A rate that is not known yet is 0. */
void mt_kalman_begin(struct mt_kalman *self);
/** One measurement, `elapsed` s of local time after the latest one before; negative: it comes late.
 * With one-way kinds both directions are needed before there is a state. */
enum mt_kalman_verdict mt_kalman_update(struct mt_kalman *self, enum mt_sample_kind kind,
                                        mt_real value, mt_real elapsed);
/** The clock's rate was multiplied by 1 + ratio, `since` s of local time after the latest sample.
 * What was collected without a state is void. */
void mt_kalman_rate_changed(struct mt_kalman *self, mt_real ratio, mt_real since);
/** What the last sample weighed, 0 to 1. */
mt_real mt_kalman_gain(const struct mt_kalman *self);
/** Noise and rate are known so well that surprises count as outliers. */
bool mt_kalman_is_settled(const struct mt_kalman *self);

#endif
