/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The follower on a clock with a frequency error, over a path with jitter.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "meantime/prng.h"
#include "meantime/steer_follower.h"

#define EPOCH_S 1700000000

static struct world {
    struct mt_follower follower;
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
    mt_follower_init(&world.follower);
    return 0;
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
    while (mt_follower_next_correction(&world.follower, &correction)) {
        struct mt_applied applied = {.kind = correction.kind, .corrections = ++world.corrections};
        if (correction.kind == MT_CORRECT_STEP) {
            world.offset += mt_span_to_real(correction.step);
            world.steps++;
        } else {
            assert_true(mt_real_abs(correction.rate) <= world.follower.max_rate);
            world.rate = correction.rate;
        }
        mt_follower_applied(&world.follower, &applied);
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
    mt_follower_sample(&world.follower, &sample);
    apply();
}

static void pass(double s)
{
    world.t += s;
    world.offset += s * (world.frequency + world.rate);
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

static void follower_steps_once_and_locks_when_it_starts_far_off(void **state)
{
    world.offset = -1e9;
    run(60, 1e10);
    assert_int_equal(world.steps, 1);
    assert_true(mt_follower_is_locked(&world.follower));
    assert_true(run(10, 20e-9));
    assert_true(mt_real_abs(world.rate + world.frequency) < 1e-7);
}

static void follower_stays_near_when_packets_jitter(void **state)
{
    world.jitter = 2e-6;
    run(60, 1);
    assert_true(run(1000, 4e-6));
    assert_int_equal(world.steps, 0);
}

static void follower_converges_when_the_interval_is(void **state)
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

static void follower_converges_when_the_path_is_longer_than_what_is_stepped(void **state)
{
    world.delay = 0.03;
    world.offset = 1;
    run(120, 2);
    assert_true(run(100, 100e-9));
    assert_true(world.steps <= 3);
}

static void follower_does_not_step_when_one_packet_is_late(void **state)
{
    world.offset = 1;
    run(60, 2);
    for (int i = 0; i < 20; i++) {
        measure(MT_SAMPLE_FORWARD, 0.02);
        assert_true(run(1, 1e-6));
    }
    assert_int_equal(world.steps, 1);
    assert_true(mt_follower_is_locked(&world.follower));
}

static void follower_steps_when_the_source_has_stepped(void **state)
{
    world.offset = 1;
    run(60, 2);
    world.wrong = 0.02;
    run(1, 1);
    assert_int_equal(world.steps, 2);
    run(60, 1);
    assert_true(run(10, 100e-9));
}

static void follower_finds_the_frequency_when_it_starts(void **state)
{
    world.frequency = 200e-6;
    assert_true(run(60, 150e-6)); /* it would be 200 before the integral has found it */
}

static void follower_does_not_overshoot_when_it_slews_for_long(void **state)
{
    world.frequency = 0;
    world.offset = 4e-3;
    for (int i = 0; i < 600; i++) {
        run(0.1, 1);
        assert_true(world.offset > -200e-6);
    }
    assert_int_equal(world.steps, 0);
    assert_true(mt_real_abs(world.offset) < 1e-6);
}

static void follower_forgets_the_path_when_its_source_is_another(void **state)
{
    world.delay = 0.03;
    run(120, 1);
    int steps = world.steps;
    mt_follower_forget(&world.follower);
    world.delay = 100e-6;
    assert_true(run(60, 1e-4));
    assert_int_equal(world.steps, steps);
}

static void follower_keeps_the_frequency_when_its_source_is_gone(void **state)
{
    run(60, 1);
    world.offset = 50e-6; /* so that it is just being slewed away */
    pass(1);
    measure(MT_SAMPLE_FORWARD, 0);
    assert_true(mt_real_abs(world.rate + world.frequency) > 20e-6);
    mt_follower_forget(&world.follower);
    apply();
    assert_true(mt_real_abs(world.rate + world.frequency) < 20e-6);
    assert_false(mt_follower_is_locked(&world.follower));
}

static void follower_is_not_wound_up_when_the_range_was_exceeded(void **state)
{
    world.frequency = 700e-6;
    run(60, 1);
    assert_true(world.rate == -500e-6);
    world.frequency = 100e-6;
    run(30, 1);
    assert_true(run(10, 1e-6));
}

static void follower_ignores_what_was_stamped_before_a_step(void **state)
{
    struct mt_sample old = {.kind = MT_SAMPLE_FORWARD, .value = {100, 0, 0}};
    world.offset = 1;
    run(60, 2);
    for (int i = 0; i < 10; i++) {
        old.local.at = local_time();
        mt_follower_sample(&world.follower, &old);
        apply();
    }
    assert_int_equal(world.steps, 1);
    assert_true(run(10, 100e-9));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(follower_steps_once_and_locks_when_it_starts_far_off, setup),
        cmocka_unit_test_setup(follower_stays_near_when_packets_jitter, setup),
        cmocka_unit_test_setup(follower_converges_when_the_interval_is, setup),
        cmocka_unit_test_setup(follower_converges_when_the_path_is_longer_than_what_is_stepped,
                               setup),
        cmocka_unit_test_setup(follower_does_not_step_when_one_packet_is_late, setup),
        cmocka_unit_test_setup(follower_steps_when_the_source_has_stepped, setup),
        cmocka_unit_test_setup(follower_finds_the_frequency_when_it_starts, setup),
        cmocka_unit_test_setup(follower_does_not_overshoot_when_it_slews_for_long, setup),
        cmocka_unit_test_setup(follower_forgets_the_path_when_its_source_is_another, setup),
        cmocka_unit_test_setup(follower_keeps_the_frequency_when_its_source_is_gone, setup),
        cmocka_unit_test_setup(follower_is_not_wound_up_when_the_range_was_exceeded, setup),
        cmocka_unit_test_setup(follower_ignores_what_was_stamped_before_a_step, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
