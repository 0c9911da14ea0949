/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * An estimator with storage for one-sided noise, and both directions of exchanges to feed it with.
 */
#ifndef MEANTIME_TESTS_SKEW_BENCH_H
#define MEANTIME_TESTS_SKEW_BENCH_H

#include "estimator_bench.h"

#define JITTER 1e-6

enum shape { NORMAL, LATE, LATE_FORWARD };

struct skew_bench {
    struct bench bench;
    struct mt_skewness skewness;
    enum shape shape;
    double walk; /* of the frequency, per sqrt(s) */
    uint8_t hops;
};

static inline void set_up(struct skew_bench *self, uint64_t seed, enum shape shape,
                          bool is_looked_for)
{
    begin(&self->bench, seed);
    self->shape = shape;
    self->walk = 0;
    self->hops = 0;
    mt_skewness_init(&self->skewness);
    mt_estimator_init(&self->bench.estimator, 1, is_looked_for ? &self->skewness : NULL);
}

static inline double noise(struct skew_bench *self, enum mt_sample_kind kind)
{
    double a = world_normal(&self->bench.random);
    double b = world_normal(&self->bench.random);
    bool is_late = self->shape == LATE || (self->shape == LATE_FORWARD && kind == 0);

    return JITTER * (is_late ? (a * a + b * b) / 2 : a);
}

static inline enum mt_sample_verdict send_one(struct skew_bench *self, enum mt_sample_kind kind,
                                              double t, double more)
{
    struct bench *bench = &self->bench;
    struct mt_span offset = offset_at(bench, t);
    struct mt_sample sample = {.kind = kind, .local = {local_at(bench, t), 0}, .hops = self->hops};

    if (kind == MT_SAMPLE_REVERSE) {
        offset = mt_span_negate(offset);
    }
    sample.value = mt_span_plus(offset, mt_span_from_real(bench->delay[kind] + more));
    return mt_estimator_update(&bench->estimator, &bench->model, &sample);
}

/* both directions within a second */
static inline void pass_second(struct skew_bench *self)
{
    struct bench *bench = &self->bench;

    for (int kind = MT_SAMPLE_FORWARD; kind <= MT_SAMPLE_REVERSE; kind++) {
        double step = self->walk * mt_real_sqrt(0.5) * world_normal(&bench->random);

        bench->frequency += step; /* the offset goes on from where it is */
        bench->offset -= step * bench->t;
        send_one(self, (enum mt_sample_kind)kind, bench->t, noise(self, (enum mt_sample_kind)kind));
        bench->t += 0.5;
    }
}

static inline void pass(struct skew_bench *self, int seconds)
{
    for (int i = 0; i < seconds; i++) {
        pass_second(self);
    }
}

#endif
