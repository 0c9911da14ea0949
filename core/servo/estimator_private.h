/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What the files of the estimator share; for core/servo and its tests only.
 */
#ifndef MEANTIME_SERVO_ESTIMATOR_PRIVATE_H
#define MEANTIME_SERVO_ESTIMATOR_PRIVATE_H

#include "servo/track_private.h"

#define MT_QUIET   MT_REAL(0.25) /* innovations squared below this say little */
#define MT_GATE    5             /* sigma of an innovation: above it is strange */
#define MT_EXCUSED 16            /* samples that are late in one direction without proving a step */

/** What skewed noise makes of a measurement: everything that is different from normal noise. */
struct mt_skew_ops {
    /** Changes a weighed measurement so that it counts as one with one-sided noise; the state is
     * known worse where it, and no noise, made the measurement strange. */
    void (*weigh)(struct mt_estimator *self, enum mt_sample_kind kind,
                  struct mt_measurement *measured);
    /** Learns from a measurement that is used. */
    void (*learn)(struct mt_estimator *self, enum mt_sample_kind kind,
                  struct mt_measurement *measured, struct mt_clock_model *clock);
    /** Adds to an estimate what noise of unequal shape may make of it. */
    void (*tell)(const struct mt_estimator *self, struct mt_estimate *estimate);
    /** Refused samples are a step, or no step but too many: true if the path explains them, and the
     * state goes on. */
    bool (*explain)(struct mt_estimator *self, enum mt_sample_kind kind, bool is_step);
};

/** +1 if delays make what the sample says of the offset larger, -1 if smaller. */
mt_real mt_servo_sign(enum mt_sample_kind kind);
/** By how much one-sided noise moves samples of this kind on average, s; 0: it is not one-sided. */
mt_real mt_servo_tail(const struct mt_estimator *self, enum mt_sample_kind kind);
/** Variance of the noise of this kind, one-sided part included. */
mt_real mt_servo_variance(const struct mt_estimator *self, enum mt_sample_kind kind);

/** Predicts to a later sample, with damping by how many clocks lie between the source and its
 * grandmaster. */
void mt_servo_advance(struct mt_estimator *self, mt_real wander, mt_real elapsed,
                      const struct mt_sample *sample);
void mt_servo_change_wander(struct mt_clock_model *clock, mt_real factor);
/** Learns the wander from a measurement that is about to be absorbed. */
void mt_servo_learn_wander(struct mt_estimator *self, struct mt_clock_model *clock,
                           const struct mt_measurement *measured);
/** A sum of scores and their information has begun anew. */
void mt_servo_reset_wander(struct mt_estimator *self);

/** Compares a few ratios of wander to noise on the first samples; `measured` is weighed anew
 * where another one than the present one was far better. */
void mt_servo_compare(struct mt_estimator *self, enum mt_sample_kind kind,
                      struct mt_measurement *measured, struct mt_clock_model *clock);

/** A sample of this kind fits: what the other direction refused is no sign of a step. */
void mt_servo_excuse(struct mt_estimator *self, enum mt_sample_kind kind);
/** What is excused so, s, though the other direction is so noisy that it would fit all the same. */
mt_real mt_servo_unseen_doubt(const struct mt_estimator *self);

/** True if both directions say that the source has moved by little: the state is known worse by
 * that, and `measured` is weighed anew.  With storage for one-sided noise only, as the above. */
bool mt_servo_yield(struct mt_estimator *self, enum mt_sample_kind kind,
                    struct mt_measurement *measured);
/** Begun anew: no sample leans to a side. */
void mt_servo_stand(struct mt_skewness *skewness);
/** For a while after that: what a sample that is used adds to the rate ... */
void mt_servo_follow_move(struct mt_estimator *self, const struct mt_measurement *measured);
/** ... and what it does to an estimate if the move ends meanwhile. */
void mt_servo_tell_move(const struct mt_estimator *self, struct mt_estimate *estimate);

/** Noise is one-sided from now on, or no longer; its spread stays. */
void mt_servo_set_skewed(struct mt_estimator *self, bool is_skewed);
/** Notes on which side a measurement is, and how much of that both directions lay to the path. */
void mt_servo_note_side(struct mt_estimator *self, enum mt_sample_kind kind,
                        const struct mt_measurement *measured);
/** Noise is as good as unknown: back to normal noise of the same spread. */
void mt_servo_forget_skew(struct mt_estimator *self);
/** As in struct mt_skew_ops; where it is false and no step, noise is normal from now on, but for a
 * run-away. */
bool mt_servo_explain(struct mt_estimator *self, enum mt_sample_kind kind, bool is_step);

/** Counts a refused sample; true if it and those before it, of either direction, are a step. */
bool mt_servo_is_step(struct mt_estimator *self, enum mt_sample_kind kind, mt_real innovation,
                      mt_real sigma);

#endif
