/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * A small closed loop for the tests of core/servo and core/steer: a wandering oscillator, a clock
 * above it that the discipline steers, sources, a path with jitter, and two-way traffic.  True
 * time is that of the reference.  Deterministic by seed, without libm.
 * Set the members you care about between world_init() and the first world_run().
 */
#ifndef MEANTIME_TESTS_SERVO_WORLD_H
#define MEANTIME_TESTS_SERVO_WORLD_H

#include "meantime/prng.h"
#include "meantime/steer.h"

#define WORLD_SOURCES 2
#define WORLD_PENDING 64

enum world_noise {
    WORLD_NORMAL,
    WORLD_EXPONENTIAL, /**< one-sided, standard deviation = jitter, mean removed */
    WORLD_HEAVY,       /**< normal, every tenth sample ten times as wide */
};

/** What was seen since the last world_forget(). */
struct world_sums {
    double count;
    double clock_sum; /**< true offset of the steered clock */
    double clock_squares;
    double clock_max;
    double estimate_squares; /**< error of the published estimate */
    double estimate_sum;
    double estimate_count;
    double bound_sum;
    double bound_max;
    unsigned outside_bound;
    double innovation_squares;
    double innovation_count;
    unsigned corrections;
    unsigned steps;
    double rate_max;
};

struct world {
    /* what the tests set */
    double interval; /**< s between forward samples, and the mean between reverse ones */
    double delay[2]; /**< s: forward, reverse */
    double jitter[2];
    enum world_noise noise;
    double outliers;                    /**< share of samples delayed by 10 us to 5 ms more */
    double wander;                      /**< per sqrt(s) */
    double frequency;                   /**< of the oscillator, s/s */
    double response;                    /**< s: the answer to a reverse sample takes this longer */
    double source_error[WORLD_SOURCES]; /**< s: how far a source is ahead of true time */
    uint16_t source;                    /**< that traffic comes from */
    bool has_forward;
    bool has_reverse;
    bool is_random; /**< reverse samples at random distances */
    bool refuses;   /**< the platform cannot correct */
    double rate_granularity;
    double reading_interval; /**< s; 0: eight readings for each forward sample */
    enum mt_timescale source_scale;
    struct mt_interval source_bound;
    double source_bound_age; /**< s since the source said so; 0: it does not age */
    struct mt_interval reference_bound;
    int64_t variance_q16;
    double told_delay; /**< s; not 0: forward samples are offsets, less this, which they tell */

    /* the world's own */
    struct mt_prng prng;
    struct mt_discipline discipline;
    struct mt_discipline_source sources[WORLD_SOURCES];
    double t;            /**< true time since start */
    struct mt_span base; /**< the clock's offset is base + offset */
    double offset;
    double rate;
    uint32_t corrections;
    enum mt_timescale scale;
    double next_forward;
    double next_reverse;
    double next_reading;
    struct world_pending {
        struct mt_sample sample;
        double due;
    } pending[WORLD_PENDING];
    unsigned pending_count;
    double spare;
    bool has_spare;
    uint64_t hash;    /**< of all corrections and estimates */
    double locked_at; /**< < 0: not yet */
    struct world_sums sums;
    unsigned refusals;
    unsigned verdicts[MT_SAMPLE_VERDICT_COUNT];
    enum mt_sample_verdict last_verdict;
};

/** T = 1 s, 10 us of delay, 100 ns of jitter, wander 1e-9, everything else even. */
void world_init(struct world *world, uint64_t seed);
/** Starts the discipline with this configuration and selects source 0. */
void world_start(struct world *world, const struct mt_steer_config *config);
void world_run(struct world *world, double seconds);
void world_forget(struct world *world);
/** The clock's true offset. */
double world_offset(const struct world *world);
double world_normal(struct world *world);
double world_uniform(struct world *world);
double world_clock_rms(const struct world *world);
double world_clock_sd(const struct world *world);
double world_estimate_rms(const struct world *world);
struct mt_instant world_local(const struct world *world);
struct mt_mono world_now(const struct world *world);
/** Applies what the discipline wants. */
void world_drain(struct world *world);

#endif
