/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The estimator alone, on a clock that nobody corrects: start, both directions, the gate, steps,
 * learning of noise and wander, late samples, hygiene of the covariance.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "estimator_bench.h"

static void estimator_finds_offset_and_delay_when_both_directions_arrive(void **state)
{
    struct bench bench;
    struct mt_estimate estimate;

    (void)state;
    begin(&bench, 1);
    bench.offset = -3e-6;
    bench.frequency = 20e-6;
    exchange(&bench, 50);
    assert_true(predict(&bench, 50, &estimate));
    assert_true(estimate.is_complete);
    assert_true(mt_real_abs(error_at(&bench, 50)) < 100e-9);
    assert_true(mt_real_abs(estimate.delay - 10e-6) < 100e-9);
    assert_true(mt_real_abs(estimate.frequency - 20e-6) < 40e-9);
    assert_true(estimate.offset_sigma > 5e-9 && estimate.offset_sigma < 100e-9);
    assert_sound(&bench.estimator);
}

static void estimator_is_exact_when_the_clock_is_in_1970(void **state)
{
    struct bench bench;

    (void)state;
    begin(&bench, 2);
    bench.base = (struct mt_span){-1690000000, 5, 7};
    bench.jitter = 1e-9;
    exchange(&bench, 20);
    assert_true(mt_real_abs(error_at(&bench, 20)) < 5e-9);
}

static void estimator_says_nothing_when_samples_are_too_few(void **state)
{
    struct bench bench;
    struct mt_estimate estimate;

    (void)state;
    begin(&bench, 3);
    exchange(&bench, 2);
    feed(&bench, MT_SAMPLE_FORWARD, 2);
    assert_false(predict(&bench, 2, &estimate));
    assert_false(bench.model.is_known);
    feed(&bench, MT_SAMPLE_REVERSE, 2.3);
    assert_true(predict(&bench, 2.3, &estimate));
    assert_true(bench.model.is_known);
}

static void estimator_learns_noise_of_each_direction_when_they_differ(void **state)
{
    static const double jitters[] = {10e-9, 1e-6, 100e-6, 10e-3};

    (void)state;
    for (int i = 0; i < 4; i++) {
        struct bench bench;
        struct mt_estimate estimate;

        begin(&bench, 4);
        bench.delay[0] = bench.delay[1] = 10 * jitters[i];
        bench.frequency = 50e-6;
        for (int n = 0; n < 2000; n++) {
            bench.jitter = jitters[i];
            feed(&bench, MT_SAMPLE_FORWARD, n);
            bench.jitter = jitters[i] * 4;
            feed(&bench, MT_SAMPLE_REVERSE, n + 0.5);
        }
        assert_true(predict(&bench, 2000, &estimate));
        assert_true(estimate.noise[MT_SAMPLE_FORWARD] > 0.7 * jitters[i]);
        assert_true(estimate.noise[MT_SAMPLE_FORWARD] < 1.4 * jitters[i]);
        assert_true(estimate.noise[MT_SAMPLE_REVERSE] > 0.7 * 4 * jitters[i]);
        assert_true(estimate.noise[MT_SAMPLE_REVERSE] < 1.4 * 4 * jitters[i]);
        assert_sound(&bench.estimator);
    }
}

static void estimator_is_incomplete_when_only_one_direction_arrives(void **state)
{
    static const enum mt_sample_kind kinds[2] = {MT_SAMPLE_FORWARD, MT_SAMPLE_REVERSE};

    (void)state;
    for (int first = 0; first < 2; first++) {
        struct bench bench;
        struct mt_estimate estimate;

        begin(&bench, 5);
        bench.frequency = -30e-6;
        bench.offset = 1e-3;
        for (int n = 0; n < 40; n++) {
            feed(&bench, kinds[first], n);
        }
        assert_true(predict(&bench, 40, &estimate));
        assert_false(estimate.is_complete);
        assert_true(mt_real_abs(estimate.frequency + 30e-6) < 40e-9);
        feed(&bench, kinds[!first], 39.5);
        assert_true(predict(&bench, 40, &estimate));
        assert_true(estimate.is_complete);
        assert_true(mt_real_abs(error_at(&bench, 40)) < 300e-9);
        assert_true(mt_real_abs(estimate.delay - 10e-6) < 300e-9);
        assert_sound(&bench.estimator);
    }
}

static void estimator_keeps_offset_when_one_direction_pauses(void **state)
{
    struct bench bench;

    (void)state;
    begin(&bench, 6);
    bench.frequency = 10e-6;
    exchange(&bench, 100);
    for (int n = 100; n < 400; n++) {
        feed(&bench, MT_SAMPLE_FORWARD, n);
    }
    assert_true(mt_real_abs(error_at(&bench, 400)) < 100e-9);
}

static void estimator_takes_offset_samples_when_delay_is_removed(void **state)
{
    struct bench bench;
    struct mt_estimate estimate;

    (void)state;
    begin(&bench, 7);
    bench.offset = 0.5;
    for (int n = 0; n < 100; n++) {
        feed(&bench, MT_SAMPLE_OFFSET, n);
    }
    assert_true(predict(&bench, 100, &estimate));
    assert_true(estimate.is_complete);
    assert_true(mt_real_abs(error_at(&bench, 100)) < 100e-9);
    assert_true(mt_real_abs(estimate.delay - 10e-6) < 1e-12);
    assert_int_equal(feed(&bench, MT_SAMPLE_FORWARD, 101), MT_SAMPLE_REFUSED);
}

static void estimator_refuses_outliers_when_they_are_single(void **state)
{
    struct bench bench;
    double before;

    (void)state;
    begin(&bench, 8);
    exchange(&bench, 100);
    before = error_at(&bench, 100);
    for (int n = 0; n < 20; n++) {
        assert_int_equal(feed_value(&bench, MT_SAMPLE_FORWARD, bench.t + 0.5, 1e-3),
                         MT_SAMPLE_OUTLIER);
        exchange(&bench, 2);
        assert_int_equal(feed_value(&bench, MT_SAMPLE_REVERSE, bench.t + 0.5, 3e-3),
                         MT_SAMPLE_OUTLIER);
        exchange(&bench, 2);
    }
    assert_true(mt_real_abs(error_at(&bench, 180) - before) < 100e-9);
}

/* 37 s of UTC taken for TAI, a path delay of 1.2 ms: never judged by the raw value */
static void estimator_does_not_restart_when_delay_exceeds_any_offset(void **state)
{
    static const double delays[] = {100e-9, 800e-6, 1.2e-3, 50e-3, 0.1};

    (void)state;
    for (int i = 0; i < 5; i++) {
        struct bench bench;

        begin(&bench, 9);
        bench.delay[0] = bench.delay[1] = delays[i];
        exchange(&bench, 300);
        assert_int_equal(bench.estimator.fresh, 600);
        assert_true(mt_real_abs(error_at(&bench, 300)) < 100e-9);
    }
}

static void estimator_recognises_a_step_when_three_samples_agree(void **state)
{
    static const double steps[] = {1e-6, 1e-3, 1, -37};

    (void)state;
    for (int i = 0; i < 4; i++) {
        struct bench bench;
        struct mt_estimate estimate;

        begin(&bench, 10);
        bench.frequency = 20e-6;
        exchange(&bench, 100);
        bench.offset += steps[i];
        assert_int_equal(feed(&bench, MT_SAMPLE_FORWARD, 100), MT_SAMPLE_OUTLIER);
        assert_int_equal(feed(&bench, MT_SAMPLE_REVERSE, 100.3), MT_SAMPLE_OUTLIER);
        assert_int_equal(feed(&bench, MT_SAMPLE_FORWARD, 101), MT_SAMPLE_STEP);
        feed(&bench, MT_SAMPLE_REVERSE, 101.3);
        bench.t = 102;
        exchange(&bench, 5);
        assert_true(mt_real_abs(error_at(&bench, 107)) < 300e-9);
        assert_true(predict(&bench, 107, &estimate));
        assert_true(mt_real_abs(estimate.frequency - 20e-6) < 30e-9);
    }
}

/* the sum of both is all that one direction shows: offset and delay take half each */
static void estimator_halves_it_when_one_direction_steps(void **state)
{
    struct bench bench;
    struct mt_estimate estimate;
    int steps = 0;

    (void)state;
    begin(&bench, 11);
    exchange(&bench, 100);
    bench.delay[0] += 40e-6;
    for (int n = 100; n < 120; n++) {
        steps += feed(&bench, MT_SAMPLE_FORWARD, n) == MT_SAMPLE_STEP;
        assert_int_equal(feed(&bench, MT_SAMPLE_REVERSE, n + 0.3), MT_SAMPLE_USED);
    }
    assert_int_equal(steps, 1);
    assert_true(predict(&bench, 120, &estimate));
    assert_true(mt_real_abs(error_at(&bench, 120) - 20e-6) < 100e-9);
    assert_true(mt_real_abs(estimate.delay - 30e-6) < 100e-9);
}

static void estimator_follows_when_the_path_is_rerouted(void **state)
{
    struct bench bench;
    struct mt_estimate estimate;

    (void)state;
    begin(&bench, 12);
    exchange(&bench, 100);
    bench.delay[0] = bench.delay[1] = 300e-6;
    exchange(&bench, 20);
    assert_true(predict(&bench, 120, &estimate));
    assert_true(mt_real_abs(error_at(&bench, 120)) < 200e-9);
    assert_true(mt_real_abs(estimate.delay - 300e-6) < 200e-9);
}

static void estimator_follows_when_the_frequency_jumps(void **state)
{
    struct bench bench;
    double before;

    (void)state;
    begin(&bench, 13);
    exchange(&bench, 100);
    before = mt_span_to_real(offset_at(&bench, 100));
    bench.frequency = 100e-6;
    bench.offset = before - 100 * bench.frequency;
    exchange(&bench, 60);
    assert_true(mt_real_abs(error_at(&bench, 160)) < 300e-9);
    assert_sound(&bench.estimator);
}

static void estimator_learns_anew_when_jitter_changes(void **state)
{
    struct bench bench;
    struct mt_estimate estimate;

    (void)state;
    begin(&bench, 14);
    bench.delay[0] = bench.delay[1] = 1e-3;
    exchange(&bench, 200);
    bench.jitter = 10e-6;
    exchange(&bench, 300);
    assert_true(predict(&bench, 500, &estimate));
    assert_true(estimate.noise[MT_SAMPLE_FORWARD] > 5e-6);
    bench.jitter = 100e-9;
    exchange(&bench, 500);
    assert_true(predict(&bench, 1000, &estimate));
    assert_true(estimate.noise[MT_SAMPLE_FORWARD] < 300e-9);
    assert_true(mt_real_abs(error_at(&bench, 1000)) < 200e-9);
}

static void estimator_survives_when_the_first_samples_are_outliers(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct bench bench;

        begin(&bench, seed);
        bench.frequency = 40e-6;
        feed_value(&bench, MT_SAMPLE_FORWARD, 0, seed % 3 == 0 ? 3e-3 : 0);
        feed_value(&bench, MT_SAMPLE_REVERSE, 0.3, seed % 3 == 1 ? 3e-3 : 0);
        bench.t = 1;
        exchange(&bench, 1);
        feed_value(&bench, MT_SAMPLE_REVERSE, 1.5, seed % 3 == 2 ? 3e-3 : 0);
        bench.t = 2;
        exchange(&bench, 60);
        assert_true(mt_real_abs(error_at(&bench, 62)) < 500e-9);
    }
}

static void estimator_predicts_back_when_samples_are_late(void **state)
{
    struct bench bench;
    int outliers = 0;

    (void)state;
    begin(&bench, 15);
    bench.frequency = 200e-6;
    for (int n = 0; n < 200; n++) {
        outliers += feed(&bench, MT_SAMPLE_FORWARD, n) != MT_SAMPLE_USED;
        if (n > 3) {
            outliers += feed(&bench, MT_SAMPLE_REVERSE, n - 2.7) != MT_SAMPLE_USED;
        }
    }
    assert_true(mt_real_abs(error_at(&bench, 200)) < 100e-9);
    assert_int_equal(outliers, 0);
}

static void estimator_drops_a_sample_when_it_is_far_too_old(void **state)
{
    struct bench bench;
    int old = 0;

    (void)state;
    begin(&bench, 16);
    bench.t = 1000;
    exchange(&bench, 20);
    assert_int_equal(feed(&bench, MT_SAMPLE_FORWARD, 900), MT_SAMPLE_OLD);
    exchange(&bench, 1);
    for (bench.t = 0; bench.t < 20; bench.t += 1) { /* the clock was set back untold */
        old += feed(&bench, MT_SAMPLE_FORWARD, bench.t) == MT_SAMPLE_OLD;
        feed(&bench, MT_SAMPLE_REVERSE, bench.t + 0.3);
    }
    assert_in_range(old, 3, 5);
    assert_true(mt_real_abs(error_at(&bench, 20)) < 500e-9);
}

static void estimator_keeps_within_limits_when_wander_is_absurd(void **state)
{
    struct bench bench;

    (void)state;
    begin(&bench, 17);
    bench.jitter = 0;
    exchange(&bench, 5000);
    assert_true(bench.model.wander >= 0x1p-80);
    for (int n = 0; n < 5000; n++) {
        bench.offset = 0.05 * world_normal(&bench.random);
        exchange(&bench, 1);
    }
    assert_true(bench.model.wander <= 1.01e-6);
    assert_sound(&bench.estimator);
}

static void estimator_stays_sound_when_anything_arrives(void **state)
{
    struct bench bench;
    struct mt_prng prng;
    struct mt_estimate estimate;

    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        begin(&bench, seed);
        mt_prng_init(&prng, seed);
        for (int n = 0; n < 2000; n++) {
            struct mt_sample sample = {.kind = mt_prng_below(&prng, 2)};

            sample.local.at.s = (int64_t)mt_prng_next_u32(&prng) >> mt_prng_below(&prng, 33);
            sample.local.at.ns = mt_prng_below(&prng, MT_NS_PER_S);
            sample.value.s =
                (int64_t)((uint64_t)mt_prng_next_u32(&prng) << 31) >> mt_prng_below(&prng, 64);
            sample.value.s *= mt_prng_below(&prng, 2) ? 1 : -1;
            sample.value.ns = mt_prng_below(&prng, MT_NS_PER_S);
            sample.variance_q16 = (int64_t)mt_prng_next_u32(&prng) << mt_prng_below(&prng, 31);
            mt_estimator_update(&bench.estimator, &bench.model, &sample);
            if (mt_prng_below(&prng, 50) == 0) {
                mt_track_stepped(&bench.estimator.track, &sample.value);
                mt_track_rate_changed(&bench.estimator.track, 1e-4, &sample.local.at);
            }
            assert_true(bench.model.wander >= 0x1p-80 && bench.model.wander <= 1.01e-6);
            if (mt_estimator_predict(&bench.estimator, &bench.model, sample.local.at, &estimate)) {
                assert_true(estimate.offset_sigma >= 0);
                assert_true(estimate.frequency == estimate.frequency);
                assert_true(estimate.frequency_sigma >= 0);
                assert_true(estimate.delay == estimate.delay);
            }
            assert_true(bench.model.frequency == bench.model.frequency);
        }
    }
}

static void estimator_trusts_the_model_when_jitter_is_large(void **state)
{
    struct bench bench;

    (void)state;
    begin(&bench, 18);
    bench.model.frequency = 20e-6;
    bench.model.frequency_variance = 1e-18;
    bench.model.is_known = true;
    bench.model.at = local_at(&bench, 0);
    bench.model.wander = 1e-18;
    bench.frequency = 20e-6;
    bench.jitter = 1e-3;
    bench.delay[0] = bench.delay[1] = 5e-3;
    exchange(&bench, 10);
    assert_true(mt_real_abs(bench.model.frequency - 20e-6) < 5e-9);
}

/* a correction changes the coordinates, nothing else */
static void estimator_predicts_the_same_when_the_clock_is_corrected(void **state)
{
    struct bench bench;
    struct mt_estimate before;
    struct mt_estimate after;
    struct mt_instant at;
    struct mt_span by = {-12, 345, 6};

    (void)state;
    begin(&bench, 19);
    bench.frequency = 80e-6;
    exchange(&bench, 50);
    at = local_at(&bench, 60);
    assert_true(mt_estimator_predict(&bench.estimator, &bench.model, at, &before));
    mt_track_rate_changed(&bench.estimator.track, -70e-6, &at);
    assert_true(mt_estimator_predict(&bench.estimator, &bench.model, at, &after));
    assert_true(mt_real_abs(mt_span_to_real(mt_span_minus(after.offset, before.offset))) < 1e-13);
    assert_true(mt_real_abs(1 + after.frequency - (1 + before.frequency) * (1 - 70e-6)) < 1e-15);
    mt_track_stepped(&bench.estimator.track, &by);
    assert_true(
        mt_estimator_predict(&bench.estimator, &bench.model, mt_instant_plus(at, by), &before));
    assert_true(mt_span_compare(before.offset, mt_span_plus(after.offset, by)) == 0);
    assert_true(before.offset_sigma == after.offset_sigma);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(estimator_finds_offset_and_delay_when_both_directions_arrive),
        cmocka_unit_test(estimator_is_exact_when_the_clock_is_in_1970),
        cmocka_unit_test(estimator_says_nothing_when_samples_are_too_few),
        cmocka_unit_test(estimator_learns_noise_of_each_direction_when_they_differ),
        cmocka_unit_test(estimator_is_incomplete_when_only_one_direction_arrives),
        cmocka_unit_test(estimator_keeps_offset_when_one_direction_pauses),
        cmocka_unit_test(estimator_takes_offset_samples_when_delay_is_removed),
        cmocka_unit_test(estimator_refuses_outliers_when_they_are_single),
        cmocka_unit_test(estimator_does_not_restart_when_delay_exceeds_any_offset),
        cmocka_unit_test(estimator_recognises_a_step_when_three_samples_agree),
        cmocka_unit_test(estimator_halves_it_when_one_direction_steps),
        cmocka_unit_test(estimator_follows_when_the_path_is_rerouted),
        cmocka_unit_test(estimator_follows_when_the_frequency_jumps),
        cmocka_unit_test(estimator_learns_anew_when_jitter_changes),
        cmocka_unit_test(estimator_survives_when_the_first_samples_are_outliers),
        cmocka_unit_test(estimator_predicts_back_when_samples_are_late),
        cmocka_unit_test(estimator_drops_a_sample_when_it_is_far_too_old),
        cmocka_unit_test(estimator_keeps_within_limits_when_wander_is_absurd),
        cmocka_unit_test(estimator_stays_sound_when_anything_arrives),
        cmocka_unit_test(estimator_trusts_the_model_when_jitter_is_large),
        cmocka_unit_test(estimator_predicts_the_same_when_the_clock_is_corrected),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
