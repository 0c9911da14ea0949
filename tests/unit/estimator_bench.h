/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * An estimator on a clock that nobody corrects, for its tests: local = true + offset(t).
 */
#ifndef MEANTIME_TESTS_ESTIMATOR_BENCH_H
#define MEANTIME_TESTS_ESTIMATOR_BENCH_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "servo_world.h"

#define EPOCH_S 1700000000

/* a free-running clock: local = true + offset(t), offset(t) = begin + frequency t */
struct bench {
    struct mt_estimator estimator;
    struct mt_clock_model model;
    struct world random; /* for its normal numbers only */
    struct mt_span base;
    double offset;
    double frequency;
    double delay[2];
    double jitter;
    double t;
};

static inline void begin(struct bench *bench, uint64_t seed)
{
    *bench = (struct bench){.delay = {10e-6, 10e-6}, .jitter = 100e-9};
    world_init(&bench->random, seed);
    mt_clock_model_init(&bench->model);
    mt_estimator_init(&bench->estimator, 1, NULL);
}

static inline struct mt_span offset_at(const struct bench *bench, double t)
{
    return mt_span_plus(bench->base, mt_span_from_real(bench->offset + bench->frequency * t));
}

static inline struct mt_instant local_at(const struct bench *bench, double t)
{
    struct mt_instant epoch = {EPOCH_S, 0, 0, MT_SCALE_TAI};

    return mt_instant_plus(mt_instant_plus(epoch, mt_span_from_real(t)), offset_at(bench, t));
}

static inline enum mt_sample_verdict feed_value(struct bench *bench, enum mt_sample_kind kind,
                                                double t, double more)
{
    struct mt_span offset = offset_at(bench, t);
    struct mt_sample sample = {.kind = kind, .local = {local_at(bench, t), 0}};
    double path = kind == MT_SAMPLE_OFFSET ? 0 : bench->delay[kind];

    if (kind == MT_SAMPLE_REVERSE) {
        offset = mt_span_negate(offset);
    }
    sample.value = mt_span_plus(offset, mt_span_from_real(path + more));
    sample.delay = (struct mt_interval){kind == MT_SAMPLE_OFFSET ? 20000 * 65536 : 0};
    return mt_estimator_update(&bench->estimator, &bench->model, &sample);
}

static inline enum mt_sample_verdict feed(struct bench *bench, enum mt_sample_kind kind, double t)
{
    return feed_value(bench, kind, t, bench->jitter * world_normal(&bench->random));
}

/* `pairs` exchanges, one a second */
static inline void exchange(struct bench *bench, int pairs)
{
    for (int i = 0; i < pairs; i++) {
        feed(bench, MT_SAMPLE_FORWARD, bench->t);
        feed(bench, MT_SAMPLE_REVERSE, bench->t + 0.3);
        bench->t += 1;
    }
}

static inline bool predict(const struct bench *bench, double t, struct mt_estimate *estimate)
{
    return mt_estimator_predict(&bench->estimator, &bench->model, local_at(bench, t), estimate);
}

/* error of the estimated offset at true time t */
static inline double error_at(const struct bench *bench, double t)
{
    struct mt_estimate estimate;

    assert_true(predict(bench, t, &estimate));
    return mt_span_to_real(mt_span_minus(estimate.offset, offset_at(bench, t)));
}

static inline void assert_sound(const struct mt_estimator *estimator)
{
    const mt_real(*p)[3] = estimator->track.p;

    for (int i = 0; i < 3; i++) {
        assert_true(estimator->track.x[i] == estimator->track.x[i]);
        assert_true(p[i][i] >= 0);
        for (int j = 0; j < 3; j++) {
            assert_true(p[i][j] == p[j][i]);
            assert_true(p[i][j] * p[i][j] <= p[i][i] * p[j][j] * (1 + 1e-6));
        }
    }
}

#endif
