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
 * what the local clock gains on the reference in a second of its own, with the correction that is
 * applied to it now: after a perfect correction it is 0. */
struct mt_clock_model {
    mt_real frequency;          /**< s/s; positive: the local clock gains */
    mt_real frequency_variance; /**< (s/s)^2 */
    mt_real wander;             /**< random walk of the frequency, (s/s)^2 per second */
    struct mt_instant at;       /**< local time for which the values hold */
    bool is_known;              /**< false: nothing has been learned yet */
    mt_real pace;               /**< of learning the wander: 1 to begin with */
};

/** frequency 0 with the variance of a +-100 ppm oscillator and a guessed wander. */
void mt_clock_model_init(struct mt_clock_model *self);

enum mt_sample_verdict {
    MT_SAMPLE_USED,
    MT_SAMPLE_OUTLIER, /**< refused by the innovation gate; counted */
    MT_SAMPLE_STEP,    /**< the gate recognised a real step: the estimate was restarted on it */
    MT_SAMPLE_OLD,     /**< before the estimate's time by more than it can go back */
    MT_SAMPLE_REFUSED, /**< its timescale is not the clock's */
    MT_SAMPLE_RUNAWAY, /**< with it the source runs as no clock does: the estimate begins anew */
};
#define MT_SAMPLE_VERDICT_COUNT 6

/** The estimate at one local instant. */
struct mt_estimate {
    struct mt_instant at;  /**< local time */
    struct mt_span offset; /**< local - source */
    mt_real offset_sigma;  /**< s */
    mt_real frequency;     /**< s/s: the local clock's rate against the reference minus one */
    mt_real frequency_sigma;
    mt_real delay; /**< one-way path delay, s: the mean, or the floor where noise is one-sided */
    mt_real delay_sigma;
    mt_real age;   /**< s since the last sample that was used */
    mt_real doubt; /**< s: samples that were refused, but agree, say that the offset is so much
                        beside the estimate; and what noise of unequal shape may do to it */
    mt_real noise[MT_SAMPLE_KIND_COUNT]; /**< learned timestamp noise, sigma in s, for each kind */
    mt_real innovation; /**< of the last sample used, in sigmas of its prediction; positive: the
                             local clock was farther ahead than predicted */
    mt_real tail[2];    /**< learned one-sided part of the noise, forward and reverse: mean of what
                             packets are late, s; 0: noise is normal.  `noise` includes it */
    bool is_complete;   /**< both directions (or an offset sample) have been seen */
};

/** Offset, frequency and delay with their covariance, carried along one clock: what an estimator
 * knows, and what core/steer keeps of it when its source goes away.  The frequency here is per
 * second of local time, g = f / (1 + f), which makes the prediction exactly linear. */
struct mt_track {
    struct mt_instant at; /**< local time of the state */
    struct mt_span base;  /**< coarse offset: the offset is base + x[0] */
    union {
        struct {
            mt_real p[3][3]; /**< covariance, symmetric */
            mt_real x[3];    /**< offset s, frequency g, delay s */
        };
        mt_real rows[4][3]; /**< both, since what is done to the columns of p is done to x */
    };
};

/** Seconds from one reading to another. */
mt_real mt_seconds(const struct mt_instant *from, const struct mt_instant *to);
/** Predicts to local time `at`, before or after track->at; `wander` as in mt_clock_model. */
void mt_track_predict(struct mt_track *track, mt_real wander, const struct mt_instant *at);
/** The clock was stepped by `by`. */
void mt_track_stepped(struct mt_track *track, const struct mt_span *by);
/** The clock's rate was multiplied by 1 + delta when it read `at`: the state is expressed on a
 * clock that has always run at the new rate, so nothing is predicted and nothing is lost. */
void mt_track_rate_changed(struct mt_track *track, mt_real delta, const struct mt_instant *at);

/** The state at local time `at` as an estimate; sigmas are multiplied by `tail`. */
void mt_track_estimate(const struct mt_track *track, mt_real wander, const struct mt_instant *at,
                       mt_real tail, struct mt_estimate *ret_estimate);

#define MT_ESTIMATOR_STRAY 2 /**< what a sample that is far off says against an estimate */
#define MT_ESTIMATOR_START 6 /**< samples from which the first noise estimate is made */

/** What is known of one-sided noise: packets wait in queues, and never arrive early.  Optional
 * storage of the caller's, one for each estimator: without, noise is taken as normal. */
struct mt_skew_ops;
#define MT_BANK_SIZE 4 /**< of the filters that a start compares */
struct mt_skewness {
    const struct mt_skew_ops *ops;
    bool is_skewed;
    bool is_apart;    /**< the directions' normal parts are learned each by itself */
    int8_t leaning;   /**< large innovations in a row, on one side: positive or negative */
    uint8_t moving;   /**< samples to come until the source, which has moved, counts as standing */
    uint8_t turns;    /**< how often it has moved to the other side meanwhile */
    bool moves_ahead; /**< the side that it has moved to last */
    mt_real gained;   /**< s/s: what those since have said of the rate ... */
    mt_real speed;    /**< ... the most that it was, without sign ... */
    mt_real surprise; /**< ... and what the last one was beside its prediction, s */
    mt_real evidence; /**< log likelihood ratio against is_skewed */
    mt_real late;     /**< how late the last sample was, in sigmas of its prediction ... */
    mt_real width;    /**< ... and that sigma in tails: the two give its probability */
    /** Added to the offset that is told: what other sources say of this one, see
     * mt_discipline_set_shift(); 0 after a restart. */
    struct mt_span shift;
    struct mt_skew_side {
        mt_real tail; /**< s: mean of the exponential part of the noise */
        mt_real information;
        mt_real score; /**< d ln(likelihood) / d ln(variance of the normal part) */
        mt_real score_information;
        mt_real pace;
        mt_real sum;             /**< of scores, while both directions have one normal part */
        mt_real sum_information; /**< of those, or since they have one each */
        bool is_answer;  /**< the last sample came after refused ones of the other direction */
        bool is_steady;  /**< refused ones have been equal */
        int8_t leans_to; /**< the side of the last innovation, if it was large, or else 0 */
        uint8_t high_in_a_row; /**< samples that came nowhere near the floor */
        uint8_t excused;       /**< refused ones since the last used: the other direction fitted */
    } side[2];                 /**< forward, reverse */
    /** The first samples after a start, as other ratios of wander to noise see them. */
    struct mt_bank {
        uint8_t count;  /**< samples so far */
        uint8_t length; /**< that are judged */
        uint16_t fresh; /**< the estimator's, at the last one */
        mt_real time;   /**< s: two sample distances */
        mt_real noise;  /**< variance, the same for all */
        struct mt_bank_filter {
            mt_real p[6]; /**< covariance: its upper half, row by row */
            mt_real x[3]; /**< offset, frequency, delay, less the estimate's */
            mt_real wander;
            mt_real energy; /**< sum of normalised innovations squared */
            mt_real spread; /**< sum of ln(variance of the innovation / noise) */
        } filters[MT_BANK_SIZE];
    } bank;
};
void mt_skewness_init(struct mt_skewness *self);

/** Everything the estimator remembers.  Members are private to core/servo; the small ones come
 * first because firmware reaches them with shorter instructions. */
struct mt_estimator {
    bool is_started;
    bool is_scaled; /**< the first noise estimate is made */
    bool is_complete;
    uint8_t first_kind; /**< of the sample that (re)started it */
    uint8_t wary;       /**< rises with each refused sample, falls with each used one */
    uint8_t old_in_a_row;
    uint8_t run;        /**< innovations to the same side in a row */
    bool is_ahead;      /**< that side */
    uint8_t path_share; /**< of MT_ESTIMATOR_STRAY: what the last sample says of the path alone */
    uint16_t fresh;     /**< samples used since the last (re)start */
    struct mt_servo_noise {
        uint16_t count;
        uint8_t refused_in_a_row;
        uint8_t consistent_in_a_row; /**< and about equal */
        bool is_confirmed;           /**< the last refused one, nearly, by one before of any kind */
        uint8_t quiet_in_a_row;      /**< innovations far below their sigma */
        mt_real variance;            /**< s^2, without one-sided noise */
        mt_real refused;             /**< s: innovation of the last refused sample */
    } noise[MT_SAMPLE_KIND_COUNT];
    struct mt_track track;
    struct mt_skewness *skewness; /**< null: noise is normal */
    mt_real slope[2];             /**< d offset, d frequency / d ln(wander) */
    mt_real score;                /**< d ln(likelihood) / d ln(wander) */
    mt_real information;          /**< that the score rests on */
    mt_real unseen;               /**< s by which the state was predicted without a used sample */
    mt_real granularity_variance; /**< s^2: floor of the learned noise */
    mt_real start_energy;         /**< sum of the normalised innovations squared at the start */
    mt_real innovation;
};

/** Starts without offset and delay; frequency and wander come from the clock, when they are
 * needed.  granularity_ns: of the timestamps; 0: below 0.1 ns.  `skewness`: initialised, or
 * null. */
void mt_estimator_init(struct mt_estimator *self, uint32_t granularity_ns,
                       struct mt_skewness *skewness);

/** Feeds one sample, whose local time must already count the clock's present corrections.
 * Updates `clock` with what was learned of frequency and wander. */
enum mt_sample_verdict mt_estimator_update(struct mt_estimator *self, struct mt_clock_model *clock,
                                           const struct mt_sample *sample);

/** As in mt_estimate: > 0 while refused samples that agree say that the source may have stepped. */
mt_real mt_estimator_doubt(const struct mt_estimator *self);

/** The estimate extrapolated to local time `at`.  False while there is none: until the noise is
 * known (MT_ESTIMATOR_START samples), and for a few samples after a step. */
bool mt_estimator_predict(const struct mt_estimator *self, const struct mt_clock_model *clock,
                          struct mt_instant at, struct mt_estimate *ret_estimate);

#endif
