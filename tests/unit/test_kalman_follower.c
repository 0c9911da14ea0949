/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The follower that tunes itself, on a clock with a frequency error, over a path with jitter.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "meantime/prng.h"
#include "meantime/steer_kalman.h"

#define EPOCH_S 1700000000

static struct world {
    struct mt_kalman_follower follower;
    struct mt_prng random;
    double t;         /* s, true */
    double offset;    /* s, of the clock */
    double frequency; /* s/s that the oscillator is fast */
    double rate;      /* s/s of the correction */
    double interval;  /* s between Syncs */
    double delay;     /* s */
    double jitter;    /* s, at most */
    double wrong;     /* s that the source is behind */
    uint32_t corrections;
    int steps;
} world;

static int setup(void **state)
{
    (void)state;
    world = (struct world){.frequency = 50e-6, .interval = 0.125, .delay = 100e-6};
    mt_prng_init(&world.random, 1);
    mt_kalman_follower_init(&world.follower, MT_SCALE_TAI, 0, 0);
    return 0;
}

static struct mt_mono now(void)
{
    return (struct mt_mono){(int64_t)(world.t * 1e9)};
}

static struct mt_instant local_time(void)
{
    struct mt_instant at = {.s = EPOCH_S, .scale = MT_SCALE_TAI};
    struct mt_span since = mt_span_from_real(world.t + world.offset);
    mt_instant_move(&at, &since);
    return at;
}

static void apply(void)
{
    struct mt_correction correction;
    while (mt_kalman_follower_next_correction(&world.follower, &correction)) {
        struct mt_applied applied = {.kind = correction.kind,
                                     .step = correction.step,
                                     .rate = correction.rate,
                                     .corrections = ++world.corrections};
        if (correction.kind == MT_CORRECT_STEP) {
            world.offset += mt_span_to_real(correction.step);
            world.steps++;
        } else {
            assert_true(mt_real_abs(correction.rate) <= world.follower.max_rate);
            world.rate = correction.rate;
        }
        applied.at = local_time();
        mt_kalman_follower_applied(&world.follower, &applied);
    }
}

static double late(void)
{
    return world.jitter * mt_prng_below(&world.random, 1000) / 1000;
}

static void measure(enum mt_sample_kind kind, double more)
{
    double offset = world.offset + world.wrong;
    double value = (kind == MT_SAMPLE_REVERSE ? -offset : offset) + world.delay + late() + more;
    struct mt_sample sample = {
        .kind = kind,
        .local = {.at = local_time(), .corrections = world.corrections},
        .value = mt_span_from_real(value),
        .scale = MT_SCALE_TAI,
    };
    mt_kalman_follower_sample(&world.follower, &sample, now());
    apply();
}

static void pass_on(double s)
{
    world.t += s;
    world.offset += s * ((1 + world.frequency) * (1 + world.rate) - 1);
}

/* with what falls due on the way */
static void pass(double s)
{
    double end = world.t + s;
    double due = (double)mt_kalman_follower_deadline(&world.follower).ns / 1e9;

    for (; due <= end; due = (double)mt_kalman_follower_deadline(&world.follower).ns / 1e9) {
        pass_on(due > world.t ? due - world.t : 0);
        world.t = due > world.t ? due : world.t;
        mt_kalman_follower_tick(&world.follower, mt_kalman_follower_deadline(&world.follower));
        apply();
    }
    pass_on(end - world.t);
}

/* true: the clock stayed within `limit` of the source */
static bool run(double s, double limit)
{
    bool is_near = true;
    for (double end = world.t + s; world.t < end;) {
        pass(world.interval * 0.9);
        measure(MT_SAMPLE_FORWARD, 0);
        is_near &= mt_real_abs(world.offset + world.wrong) < limit;
        pass(world.interval * 0.1);
        measure(MT_SAMPLE_REVERSE, 0);
    }
    return is_near;
}

static void kalman_follower_steps_once_and_locks_when_it_starts_far_off(void **state)
{
    world.offset = -1e9;
    run(60, 1e10);
    assert_int_equal(world.steps, 1);
    assert_true(mt_kalman_follower_is_locked(&world.follower));
    assert_true(run(10, 20e-9));
    assert_true(mt_real_abs(world.rate + world.frequency) < 1e-7);
}

static void kalman_follower_stays_near_when_packets_jitter(void **state)
{
    world.jitter = 2e-6;
    run(60, 1);
    assert_true(run(1000, 4e-6));
    assert_int_equal(world.steps, 0);
}

static void kalman_follower_converges_when_the_interval_is(void **state)
{
    static const double intervals[] = {1.0 / 128, 1, 4, 16};
    for (size_t i = 0; i < sizeof intervals / sizeof *intervals; i++) {
        setup(NULL);
        world.interval = intervals[i];
        world.jitter = 100e-9;
        world.offset = 5;
        world.frequency = 100e-6;
        run(100 + 200 * world.interval, 10);
        assert_int_equal(world.steps, 1);
        assert_true(run(100 + 100 * world.interval, 2e-6));
    }
}

static void kalman_follower_converges_when_the_path_is_longer_than_what_is_stepped(void **state)
{
    world.delay = 0.03;
    world.offset = 1;
    run(120, 2);
    assert_true(run(100, 100e-9));
    assert_true(world.steps <= 3);
}

static void kalman_follower_does_not_step_when_one_packet_is_late(void **state)
{
    world.offset = 1;
    run(60, 2);
    for (int i = 0; i < 20; i++) {
        measure(MT_SAMPLE_FORWARD, 0.02);
        assert_true(run(1, 1e-6));
    }
    assert_int_equal(world.steps, 1);
    assert_true(mt_kalman_follower_is_locked(&world.follower));
}

static void kalman_follower_steps_when_the_source_has_stepped(void **state)
{
    world.offset = 1;
    run(60, 2);
    world.wrong = 0.2;
    run(1, 1);
    assert_int_equal(world.steps, 2);
    run(10, 1);
    assert_true(run(10, 100e-9));
    world.wrong = 0.25; /* less than what is stepped */
    run(180, 1);
    assert_int_equal(world.steps, 2);
    assert_true(run(10, 100e-9));
}

static void kalman_follower_finds_the_frequency_when_it_starts(void **state)
{
    world.frequency = 200e-6;
    assert_true(run(60, 150e-6)); /* it would be 200 before the integral has found it */
}

static void kalman_follower_does_not_overshoot_when_it_slews_for_long(void **state)
{
    world.frequency = 0;
    world.offset = 4e-3;
    world.follower.step_at_start = 0.1;
    for (int i = 0; i < 600; i++) {
        run(0.1, 1);
        assert_true(world.offset > -10e-6);
        /* and the samples fit, whatever rate it is just slewed with */
        assert_true(world.follower.filter.noise < 1e-18 || world.follower.filter.count < 8);
    }
    assert_int_equal(world.steps, 0);
    assert_true(mt_real_abs(world.offset) < 1e-6);
}

static void kalman_follower_forgets_the_path_when_its_source_is_another(void **state)
{
    world.delay = 0.03;
    run(120, 1);
    int steps = world.steps;
    mt_kalman_follower_forget(&world.follower);
    world.delay = 100e-6;
    assert_true(run(60, 1e-4));
    assert_int_equal(world.steps, steps);
}

static void kalman_follower_keeps_the_frequency_when_its_source_is_gone(void **state)
{
    run(60, 1);
    world.offset = 50e-6; /* so that it is just being slewed away */
    while (mt_real_abs(world.rate + world.frequency) < 20e-6) {
        pass(0.1);
        measure(MT_SAMPLE_FORWARD, 0);
        measure(MT_SAMPLE_REVERSE, 0);
    }
    mt_kalman_follower_forget(&world.follower);
    apply();
    assert_true(mt_real_abs(world.rate + world.frequency) < 1e-6);
    assert_false(mt_kalman_follower_is_locked(&world.follower));
}

/* Two packets a 64th of a second apart say little of the frequency when they jitter. */
static void kalman_follower_leaves_the_rate_when_its_source_goes_before_it_is_learned(void **state)
{
    world.frequency = 0;
    world.jitter = 100e-6;
    world.follower.step_at_start = 1;
    world.interval = 1.0 / 32;
    while (world.follower.filter.count < 4) {
        run(world.interval, 1);
    }
    mt_kalman_follower_forget(&world.follower);
    mt_kalman_follower_forget(&world.follower);
    apply();
    assert_true(world.rate == 0);
}

static void kalman_follower_is_not_wound_up_when_the_range_was_exceeded(void **state)
{
    world.frequency = 700e-6;
    run(60, 1);
    assert_true(world.rate == -world.follower.max_rate);
    assert_false(mt_kalman_follower_is_locked(&world.follower));
    world.frequency = 100e-6;
    run(60, 1); /* 12 ms at 400 ppm */
    assert_true(run(10, 1e-6));
}

static void kalman_follower_ignores_what_was_stamped_before_a_step(void **state)
{
    struct mt_sample old = {.kind = MT_SAMPLE_FORWARD, .value = {100, 0, 0}};
    world.offset = 1;
    run(60, 2);
    for (int i = 0; i < 10; i++) {
        old.local.at = local_time();
        mt_kalman_follower_sample(&world.follower, &old, now());
        apply();
    }
    assert_int_equal(world.steps, 1);
    assert_true(run(10, 100e-9));
}

static void kalman_follower_is_back_at_the_even_rate_when_samples_end_in_a_slew(void **state)
{
    run(60, 1);
    world.offset = 50e-6;
    while (mt_real_abs(world.rate + world.frequency) < 20e-6) {
        pass(0.1);
        measure(MT_SAMPLE_FORWARD, 0);
        measure(MT_SAMPLE_REVERSE, 0);
    }
    pass(1000);
    assert_true(mt_real_abs(world.rate + world.frequency) < 1e-8);
    assert_true(mt_real_abs(world.offset) < 10e-6);
    assert_true(run(10, 10e-6));
    assert_true(run(10, 1e-6));
}

/* t3 of an exchange is from before the correction that a Sync has led to: to be moved, for the
 * clock has run 50 ppm slower since then, and a tenth of a second is 5 us of that */
static void kalman_follower_moves_a_sample_when_it_has_missed_a_change_of_rate(void **state)
{
    struct mt_sample old = {.kind = MT_SAMPLE_REVERSE, .scale = MT_SCALE_TAI};
    struct mt_applied applied = {.kind = MT_CORRECT_RATE};

    world.jitter = 20e-9;
    run(60, 1);
    mt_kalman_follower_tick(&world.follower, MT_MONO_NEVER);
    apply();
    old.local = (struct mt_stamp){local_time(), world.corrections};
    old.value = mt_span_from_real(world.delay + world.jitter / 2 - world.offset);
    pass_on(0.1);
    world.rate -= 50e-6;
    applied.rate = world.rate;
    applied.corrections = ++world.corrections;
    applied.at = local_time();
    mt_kalman_follower_applied(&world.follower, &applied);
    pass_on(0.1);
    mt_kalman_follower_sample(&world.follower, &old, now());
    assert_int_equal(world.follower.filter.outliers, 0);
    pass_on(0.1);
    measure(MT_SAMPLE_FORWARD, 0);
    assert_int_equal(world.follower.filter.outliers, 0);
    assert_true(mt_real_abs(world.follower.filter.offset - world.offset) < 30e-9);
}

static void kalman_follower_leaves_a_sample_out_when_it_has_missed_more(void **state)
{
    run(60, 1);
    struct mt_sample old = {.kind = MT_SAMPLE_FORWARD, .scale = MT_SCALE_TAI};
    old.local = (struct mt_stamp){local_time(), world.corrections - 2};
    struct mt_kalman before = world.follower.filter;
    mt_kalman_follower_sample(&world.follower, &old, now());
    old.local.corrections = world.corrections + 1; /* nobody has told of that one */
    mt_kalman_follower_sample(&world.follower, &old, now());
    assert_memory_equal(&before, &world.follower.filter, sizeof before);
}

static void kalman_follower_learns_noise_when_it_steers(void **state)
{
    world.jitter = 2e-6; /* uniform: variance of jitter^2 / 12 */
    run(600, 1);
    double noise = world.follower.filter.noise * 12 / (world.jitter * world.jitter);
    assert_true(noise > 0.7 && noise < 1.4);
    assert_true(run(100, 0.3e-6));
    struct mt_interval offset;
    struct mt_interval delay;
    assert_true(mt_kalman_follower_measured(&world.follower, &offset, &delay));
    assert_true(mt_real_abs((mt_real)delay.q16 / 65536 - 101000) < 100); /* half the jitter */
    assert_true(mt_real_abs((mt_real)offset.q16 / 65536) < 300);
}

static void kalman_follower_steers_by_offsets_alone_when_the_delay_is_known(void **state)
{
    world.delay = 0;
    world.offset = 3;
    for (int i = 0; i < 400; i++) {
        pass(0.125);
        measure(MT_SAMPLE_OFFSET, 0);
    }
    assert_int_equal(world.steps, 1);
    assert_true(mt_kalman_follower_is_locked(&world.follower));
    assert_true(mt_real_abs(world.offset) < 10e-9);
}

static void kalman_follower_begins_at_the_rate_that_was_kept_when_it_starts_again(void **state)
{
    mt_real rate = 0;

    assert_false(mt_kalman_follower_drift(&world.follower, &rate));
    run(60, 1);
    assert_true(mt_kalman_follower_drift(&world.follower, &rate));
    assert_true(mt_real_abs(rate + world.frequency) < 1e-8);
    mt_kalman_follower_init(&world.follower, MT_SCALE_TAI, world.corrections, rate);
    world.rate = 0;
    apply();
    assert_true(world.rate == rate);
    assert_true(run(60, 1e-6));
}

static void kalman_follower_tries_again_when_a_correction_was_refused(void **state)
{
    const struct mt_applied refused = {.is_refused = true};
    struct mt_correction correction;

    world.jitter = 20e-9;
    run(60, 1);
    pass(0.1);
    struct mt_sample sample = {
        .kind = MT_SAMPLE_FORWARD,
        .local = {.at = local_time(), .corrections = world.corrections},
        .value = mt_span_from_real(world.offset + world.delay + world.jitter),
        .scale = MT_SCALE_TAI,
    };
    mt_kalman_follower_sample(&world.follower, &sample, now());
    assert_true(mt_kalman_follower_next_correction(&world.follower, &correction));
    assert_false(mt_kalman_follower_next_correction(&world.follower, &correction));
    mt_kalman_follower_applied(&world.follower, &refused);
    assert_true(world.follower.corrections == world.corrections);
    run(10, 1);
    assert_true(run(10, 20e-9));
}

static void kalman_follower_slews_no_faster_when_it_may_not(void **state)
{
    world.frequency = 0;
    world.offset = 4e-3;
    world.follower.step_at_start = 0.1;
    world.follower.max_slew = 100e-6;
    for (int i = 0; i < 300; i++) {
        run(0.1, 1);
        assert_true(world.rate > -101e-6);
    }
    assert_true(world.offset > 0.1e-3 && world.offset < 0.6e-3); /* 37 s of it */
}

/* so that what is on its way has missed no more than one correction */
static void kalman_follower_waits_for_the_path_when_that_is_long(void **state)
{
    world.delay = 0.5;
    world.jitter = 1e-6;
    run(60, 2);
    uint32_t corrections = world.corrections;
    run(60, 2);
    assert_true(world.corrections > corrections + 20);
    assert_true(world.corrections < corrections + 121); /* one a second, and its end */
}

/* Someone else has set the clock. */
static void kalman_follower_places_the_clock_anew_when_others_step_it(void **state)
{
    run(60, 1);
    struct mt_applied others = {.kind = MT_CORRECT_STEP,
                                .step = mt_span_from_real(MT_REAL(5)),
                                .corrections = ++world.corrections};
    world.offset += 5;
    others.at = local_time();
    mt_kalman_follower_applied(&world.follower, &others);
    assert_false(mt_kalman_follower_is_locked(&world.follower));
    run(10, 10);
    assert_int_equal(world.steps, 1);
    assert_true(run(10, 10e-9));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(kalman_follower_steps_once_and_locks_when_it_starts_far_off, setup),
        cmocka_unit_test_setup(kalman_follower_stays_near_when_packets_jitter, setup),
        cmocka_unit_test_setup(kalman_follower_converges_when_the_interval_is, setup),
        cmocka_unit_test_setup(
            kalman_follower_converges_when_the_path_is_longer_than_what_is_stepped, setup),
        cmocka_unit_test_setup(kalman_follower_does_not_step_when_one_packet_is_late, setup),
        cmocka_unit_test_setup(kalman_follower_steps_when_the_source_has_stepped, setup),
        cmocka_unit_test_setup(kalman_follower_finds_the_frequency_when_it_starts, setup),
        cmocka_unit_test_setup(kalman_follower_does_not_overshoot_when_it_slews_for_long, setup),
        cmocka_unit_test_setup(kalman_follower_forgets_the_path_when_its_source_is_another, setup),
        cmocka_unit_test_setup(kalman_follower_keeps_the_frequency_when_its_source_is_gone, setup),
        cmocka_unit_test_setup(
            kalman_follower_leaves_the_rate_when_its_source_goes_before_it_is_learned, setup),
        cmocka_unit_test_setup(kalman_follower_is_not_wound_up_when_the_range_was_exceeded, setup),
        cmocka_unit_test_setup(kalman_follower_ignores_what_was_stamped_before_a_step, setup),
        cmocka_unit_test_setup(kalman_follower_is_back_at_the_even_rate_when_samples_end_in_a_slew,
                               setup),
        cmocka_unit_test_setup(kalman_follower_moves_a_sample_when_it_has_missed_a_change_of_rate,
                               setup),
        cmocka_unit_test_setup(kalman_follower_leaves_a_sample_out_when_it_has_missed_more, setup),
        cmocka_unit_test_setup(kalman_follower_learns_noise_when_it_steers, setup),
        cmocka_unit_test_setup(kalman_follower_steers_by_offsets_alone_when_the_delay_is_known,
                               setup),
        cmocka_unit_test_setup(
            kalman_follower_begins_at_the_rate_that_was_kept_when_it_starts_again, setup),
        cmocka_unit_test_setup(kalman_follower_tries_again_when_a_correction_was_refused, setup),
        cmocka_unit_test_setup(kalman_follower_slews_no_faster_when_it_may_not, setup),
        cmocka_unit_test_setup(kalman_follower_waits_for_the_path_when_that_is_long, setup),
        cmocka_unit_test_setup(kalman_follower_places_the_clock_anew_when_others_step_it, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
