/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The estimator: from samples of one source to offset, frequency and path delay with their
 * uncertainties.  It tunes itself: timestamp noise is learned for each direction, oscillator
 * wander for the clock.  It only estimates; when to step or slew is core/steer's business.
 * core/steer owns one mt_estimator for each source and one mt_clock_model for each clock:
 * frequency and wander survive a change of source, offset and delay do not.
 * No allocation, no globals; equal inputs give equal bits.
 * Thread rule: one thread at a time for each object.
 */
#ifndef MEANTIME_SERVO_H
#define MEANTIME_SERVO_H

#include "meantime/real.h"
#include "meantime/sample.h"

/** What is known of a steered clock's oscillator, whoever it is compared with.  `frequency` is
 * the local clock's present rate against the reference minus one, with the correction that is
 * applied to it now: after a perfect correction it is 0. */
struct mt_clock_model {
    mt_real frequency;          /**< s/s; positive: the local clock gains */
    mt_real frequency_variance; /**< (s/s)^2 */
    mt_real wander;             /**< random walk of the frequency, (s/s)^2 per second */
    struct mt_instant at;       /**< local time for which the values hold */
    bool is_known;              /**< false: nothing has been learned yet */
};

/** frequency 0 with the variance of a +-100 ppm oscillator and a guessed wander. */
void mt_clock_model_init(struct mt_clock_model *self);

enum mt_sample_verdict {
    MT_SAMPLE_USED,
    MT_SAMPLE_OUTLIER, /**< refused by the innovation gate; counted */
    MT_SAMPLE_STEP,    /**< the gate recognised a real step: the estimate was restarted on it */
    MT_SAMPLE_OLD,     /**< before the estimate's time by more than it can go back */
    MT_SAMPLE_REFUSED, /**< its timescale is not the clock's */
};
#define MT_SAMPLE_VERDICT_COUNT 5

/** The estimate at one local instant. */
struct mt_estimate {
    struct mt_instant at;  /**< local time */
    struct mt_span offset; /**< local - source */
    mt_real offset_sigma;  /**< s */
    mt_real frequency;     /**< s/s, as in mt_clock_model */
    mt_real frequency_sigma;
    mt_real delay; /**< mean one-way path delay, s */
    mt_real delay_sigma;
    mt_real half_round_trip; /**< s; half the round trip as measured, an upper limit of asymmetry */
    mt_real noise[MT_SAMPLE_KIND_COUNT]; /**< learned timestamp noise, sigma in s, for each kind */
    mt_real innovation; /**< of the last sample used, in sigmas of its prediction */
    bool is_complete;   /**< both directions (or an offset sample) have been seen */
};

#define MT_NOISE_WINDOW 8 /**< differences kept for the first noise estimate of a direction */

/** Everything the estimator remembers.  Members are private to core/servo. */
struct mt_estimator {
    struct mt_span base;  /**< coarse offset; the state below is relative to it */
    struct mt_instant at; /**< local time of the state */
    mt_real x[3];         /**< offset s, frequency s/s, delay s */
    mt_real p[6];         /**< covariance, upper triangle: oo of od ff fd dd */
    struct mt_servo_noise {
        mt_real variance; /**< s^2 */
        mt_real last_residual;
        struct mt_instant last_at;
        uint16_t count;
        uint8_t refused_in_a_row;
        int8_t refused_sign;
    } noise[MT_SAMPLE_KIND_COUNT];
    mt_real granularity;     /**< s: floor of the learned noise */
    mt_real minimum_delay;   /**< s: smallest forward + reverse seen, halved */
    mt_real wander_check[6]; /**< a second, only predicted, state that judges the wander */
    struct mt_instant wander_check_at;
    int8_t wander_score;
    mt_real innovation;
    uint32_t samples;
    uint32_t outliers;
    bool is_started;
    bool is_complete;
};

/** Starts without offset and delay; frequency and wander come from `clock`.
 * granularity_ns: of the timestamps, at least 1. */
void mt_estimator_init(struct mt_estimator *self, const struct mt_clock_model *clock,
                       uint32_t granularity_ns);

/** Feeds one sample, whose local time must already count the clock's present corrections.
 * Updates `clock` with what was learned of frequency and wander. */
enum mt_sample_verdict mt_estimator_update(struct mt_estimator *self, struct mt_clock_model *clock,
                                           const struct mt_sample *sample);

/** Tells that the local clock was stepped by `by` (its reading jumped) when it read `at`
 * (afterwards). */
void mt_estimator_stepped(struct mt_estimator *self, struct mt_span by, struct mt_instant at);
/** Tells that the local clock's rate changed by `delta` (s/s) when it read `at`. */
void mt_estimator_rate_changed(struct mt_estimator *self, mt_real delta, struct mt_instant at);

/** The estimate extrapolated to local time `at`.  False while there is none. */
bool mt_estimator_predict(const struct mt_estimator *self, const struct mt_clock_model *clock,
                          struct mt_instant at, struct mt_estimate *ret_estimate);

#endif
