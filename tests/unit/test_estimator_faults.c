/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The estimator when something is wrong: what it takes for a step and what for outliers, clocks
 * set back, noise that it is told, limits of the wander.
 */
#include "estimator_bench.h"

/* every tenth sample an outlier: chance agreement of three is no step any more */
static void estimator_wants_more_proof_when_outliers_are_frequent(void **state)
{
    struct bench bench;

    (void)state;
    begin(&bench, 1);
    exchange(&bench, 100);
    for (int n = 0; n < 20; n++) {
        assert_int_equal(feed_value(&bench, MT_SAMPLE_FORWARD, bench.t, 1e-3 * (n + 1)),
                         MT_SAMPLE_OUTLIER);
        exchange(&bench, 5);
    }
    for (int n = 0; n < 4; n++) {
        assert_int_equal(feed_value(&bench, MT_SAMPLE_FORWARD, bench.t + n, 50e-6),
                         MT_SAMPLE_OUTLIER);
    }
    assert_int_equal(feed_value(&bench, MT_SAMPLE_FORWARD, bench.t + 4, 50e-6), MT_SAMPLE_STEP);
}

static void estimator_is_not_wary_when_outliers_are_long_past(void **state)
{
    struct bench bench;

    (void)state;
    begin(&bench, 2);
    exchange(&bench, 100);
    for (int n = 0; n < 10; n++) {
        feed_value(&bench, MT_SAMPLE_FORWARD, bench.t, 1e-3 * (n + 1));
        exchange(&bench, 1);
    }
    exchange(&bench, 200);
    for (int n = 0; n < 2; n++) {
        assert_int_equal(feed_value(&bench, MT_SAMPLE_FORWARD, bench.t + n, 50e-6),
                         MT_SAMPLE_OUTLIER);
    }
    assert_int_equal(feed_value(&bench, MT_SAMPLE_FORWARD, bench.t + 2, 50e-6), MT_SAMPLE_STEP);
}

static void estimator_sees_no_step_when_refused_samples_disagree(void **state)
{
    static const double values[] = {1e-3, 5e-3, 2e-3, 9e-3, 3e-3};
    struct bench bench;

    (void)state;
    begin(&bench, 3);
    exchange(&bench, 100);
    for (int n = 0; n < 5; n++) {
        assert_int_equal(feed_value(&bench, MT_SAMPLE_FORWARD, bench.t + n, values[n]),
                         MT_SAMPLE_OUTLIER);
    }
    /* but when nothing fits any more, everything begins anew, the noise too */
    assert_int_equal(feed_value(&bench, MT_SAMPLE_FORWARD, bench.t + 5, 7e-3), MT_SAMPLE_STEP);
    assert_true(bench.estimator.noise[MT_SAMPLE_REVERSE].variance > 7e-3 * 7e-3);
}

static void estimator_counts_from_zero_when_a_step_is_done(void **state)
{
    static const double values[] = {1e-3, 5e-3, 2e-3};
    struct bench bench;

    (void)state;
    begin(&bench, 4);
    exchange(&bench, 100);
    bench.offset += 1e-3;
    for (int n = 0; n < 3; n++) {
        feed(&bench, MT_SAMPLE_FORWARD, bench.t + n);
    }
    bench.t += 3;
    feed(&bench, MT_SAMPLE_REVERSE, bench.t);
    for (int n = 0; n < 3; n++) {
        assert_int_equal(feed_value(&bench, MT_SAMPLE_FORWARD, bench.t + n, values[n]),
                         MT_SAMPLE_OUTLIER);
    }
}

static void estimator_begins_anew_when_only_old_samples_come(void **state)
{
    struct bench bench;

    (void)state;
    begin(&bench, 5);
    bench.t = 1000;
    exchange(&bench, 20);
    for (int n = 0; n < 5; n++) {
        assert_int_equal(feed(&bench, MT_SAMPLE_FORWARD, n), MT_SAMPLE_OLD);
    }
    exchange(&bench, 1); /* a few stray ones do not add up */
    for (int n = 0; n < 7; n++) {
        assert_int_equal(feed(&bench, MT_SAMPLE_FORWARD, n), MT_SAMPLE_OLD);
    }
    assert_int_equal(feed(&bench, MT_SAMPLE_FORWARD, 8), MT_SAMPLE_STEP);
}

static void estimator_believes_the_variance_when_it_is_told(void **state)
{
    struct bench bench;
    struct mt_sample sample = {.kind = MT_SAMPLE_FORWARD};

    (void)state;
    begin(&bench, 6);
    exchange(&bench, 100);
    sample.local.at = local_at(&bench, bench.t);
    sample.value = mt_span_plus(offset_at(&bench, bench.t), mt_span_from_real(25e-6));
    sample.variance_q16 = INT64_C(10000) * 10000 * 65536; /* (10 us)^2 */
    assert_int_equal(mt_estimator_update(&bench.estimator, &bench.model, &sample), MT_SAMPLE_USED);
    assert_true(bench.estimator.innovation > 1 && bench.estimator.innovation < 2);
    assert_true(mt_real_abs(error_at(&bench, bench.t)) < 50e-9);
    sample.variance_q16 = 0;
    assert_int_equal(mt_estimator_update(&bench.estimator, &bench.model, &sample),
                     MT_SAMPLE_OUTLIER);
}

static void estimator_limits_the_wander_when_it_would_leave_all_sense(void **state)
{
    struct bench bench;

    (void)state;
    begin(&bench, 7);
    bench.model.wander = 1.2e-24;
    exchange(&bench, 400);
    for (int n = 0; n < 200; n++) { /* as white as can be, and much stiffer than it looks */
        bench.estimator.score = -3;
        exchange(&bench, 1);
    }
    assert_true(bench.model.wander >= 0.8e-24);
    for (int n = 0; n < 400; n++) {
        bench.estimator.score = 3;
        exchange(&bench, 1);
    }
    assert_true(bench.model.wander <= 1e-6);
    assert_true(bench.model.wander > 1e-7);
}

/* a clock set to another age, and nobody told: no prediction holds so long */
static void estimator_begins_anew_when_local_time_leaps(void **state)
{
    static const double leaps_s[] = {1.4e14, 100 * 365 * 86400.0};

    (void)state;
    for (unsigned i = 0; i < sizeof leaps_s / sizeof *leaps_s; i++) {
        struct bench bench;
        struct mt_estimate estimate;

        begin(&bench, 7);
        exchange(&bench, 100);
        bench.t += leaps_s[i];
        assert_int_equal(feed(&bench, MT_SAMPLE_FORWARD, bench.t), MT_SAMPLE_STEP);
        assert_false(predict(&bench, bench.t, &estimate));
        exchange(&bench, 20);
        assert_sound(&bench.estimator);
        assert_true(predict(&bench, bench.t, &estimate));
        assert_true(estimate.offset_sigma > 0 && estimate.offset_sigma < 1e-6);
    }
}

/* exponential, mean 10 us */
static double queue(struct bench *bench)
{
    double a = world_normal(&bench->random);
    double b = world_normal(&bench->random);

    return 10e-6 * (a * a + b * b) / 2;
}

/* nothing comes near the floor while there is one direction only, and then the other one comes */
static void estimator_stays_sound_when_skewed_noise_loses_a_direction(void **state)
{
    (void)state;
    for (int first = MT_SAMPLE_FORWARD; first <= MT_SAMPLE_REVERSE; first++) {
        struct mt_skewness skewness;
        struct bench bench;

        begin(&bench, 21);
        bench.jitter = 0;
        mt_skewness_init(&skewness);
        mt_estimator_init(&bench.estimator, 1, &skewness);
        for (int n = 0; n < 4000; n++) {
            bench.t += 0.0625;
            feed_value(&bench, (enum mt_sample_kind)(n % 2), bench.t, queue(&bench));
        }
        assert_true(skewness.is_skewed);
        bench.offset += 1;
        for (int n = 0; n < 100; n++) {
            bench.t += 0.0625;
            feed_value(&bench, (enum mt_sample_kind)first, bench.t,
                       queue(&bench) + (n < 20 ? 0 : 30e-6));
        }
        for (int n = 0; n < 2000; n++) {
            bench.t += 0.0625;
            feed_value(&bench, (enum mt_sample_kind)((first + n + 1) % 2), bench.t, queue(&bench));
            assert_sound(&bench.estimator);
        }
        assert_true(mt_real_abs(error_at(&bench, bench.t)) < 20e-6);
    }
}

/* a source that steps again and again says nothing of our oscillator */
static void estimator_keeps_the_wander_when_a_source_steps_every_few_samples(void **state)
{
    (void)state;
    for (int every = 3; every <= 12; every += 3) {
        struct bench bench;

        begin(&bench, 22);
        exchange(&bench, 300);
        for (int i = 0; i < 60; i++) {
            bench.offset += i % 2 ? -1e-3 : 1e-3;
            exchange(&bench, every);
            assert_true(bench.model.wander < 1e-16);
        }
        exchange(&bench, 10);
        assert_true(mt_real_abs(error_at(&bench, bench.t)) < 300e-9);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(estimator_keeps_the_wander_when_a_source_steps_every_few_samples),
        cmocka_unit_test(estimator_stays_sound_when_skewed_noise_loses_a_direction),
        cmocka_unit_test(estimator_wants_more_proof_when_outliers_are_frequent),
        cmocka_unit_test(estimator_is_not_wary_when_outliers_are_long_past),
        cmocka_unit_test(estimator_sees_no_step_when_refused_samples_disagree),
        cmocka_unit_test(estimator_counts_from_zero_when_a_step_is_done),
        cmocka_unit_test(estimator_begins_anew_when_only_old_samples_come),
        cmocka_unit_test(estimator_begins_anew_when_local_time_leaps),
        cmocka_unit_test(estimator_believes_the_variance_when_it_is_told),
        cmocka_unit_test(estimator_limits_the_wander_when_it_would_leave_all_sense),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
