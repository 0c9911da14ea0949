/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * How well a disciplined clock keeps time, in a closed loop with a wandering oscillator
 * (servo_world): accuracy, disturbances, holdover, and equal bits whatever the compiler.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "discipline_worlds.h"

/* ---- accuracy ------------------------------------------------------------------------------- */

/* limits: 1.5 times the steady-state Kalman filter that knows jitter and wander */
static void discipline_is_near_the_limit_when_noise_is_normal(void **state)
{
    static const struct {
        double interval;
        double jitter;
        double limit;
        double seconds;
    } cells[] = {
        {1, 100e-9, 29.0e-9, 4000},     {1, 1e-6, 163e-9, 8000},      {1, 100e-6, 5157e-9, 40000},
        {0.125, 100e-9, 13.3e-9, 1000}, {0.125, 10e-6, 420e-9, 3000},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cells / sizeof cells[0]; i++) {
        struct world *world = usual_world(3 + i);

        world->interval = cells[i].interval;
        world->jitter[0] = world->jitter[1] = cells[i].jitter;
        world_start(world, NULL);
        world_run(world, cells[i].seconds / 4);
        assert_int_equal(world->sums.outside_bound, 0);
        world_forget(world);
        world_run(world, cells[i].seconds);
        assert_true(world_estimate_rms(world) < 1.4 * cells[i].limit);
        assert_true(world_clock_rms(world) < 1.5 * cells[i].limit);
        assert_true(mt_real_abs(world->sums.clock_sum / world->sums.count) < 0.6 * cells[i].limit);
        assert_int_equal(world->sums.outside_bound, 0);
        assert_int_equal(world->sums.steps, 0);
        assert_true(world->sums.innovation_squares / world->sums.innovation_count > 0.9);
        assert_true(world->sums.innovation_squares / world->sums.innovation_count < 1.1);
    }
}

static void discipline_is_quiet_when_software_stamps_have_outliers(void **state)
{
    static const double shares[] = {0.001, 0.01, 0.05};

    (void)state;
    for (uint64_t seed = 1; seed <= 12; seed++) {
        struct world *world = usual_world(seed);

        world->interval = 0.125;
        world->delay[0] = world->delay[1] = 2e-6;
        world->jitter[0] = world->jitter[1] = 400e-9;
        world->outliers = shares[seed % 3];
        world->wander = seed % 2 ? 1e-9 : 1e-8;
        world->frequency = seed % 4 < 2 ? 40e-6 : -40e-6;
        world->response = 100e-6;
        world_start(world, NULL);
        world_run(world, 30);
        assert_int_equal(world->sums.outside_bound, 0);
        world_forget(world);
        world_run(world, 60);
        assert_true(world_clock_sd(world) < 300e-9);
        assert_true(world->sums.clock_max < 2e-6);
        assert_true(world->sums.bound_max < 10e-6);
        assert_int_equal(world->sums.outside_bound, 0);
        assert_int_equal(world->sums.steps, 0);
    }
}

static void discipline_survives_when_noise_is_not_normal(void **state)
{
    static const double intervals[] = {1.0 / 128, 1, 16};

    (void)state;
    for (int noise = WORLD_EXPONENTIAL; noise <= WORLD_HEAVY; noise++) {
        for (int i = 0; i < 3; i++) {
            struct world *world = usual_world((uint64_t)(10 + i));

            world->noise = (enum world_noise)noise;
            world->interval = intervals[i];
            world->jitter[0] = world->jitter[1] = 1e-6;
            world->frequency = 400e-6;
            world_start(world, NULL);
            world_run(world, intervals[i] * 200);
            world_forget(world);
            world_run(world, intervals[i] * 500);
            assert_int_equal(world->sums.outside_bound, 0);
            assert_true(world_clock_rms(world) < (intervals[i] > 1 ? 1.2e-6 : 300e-9));
        }
    }
}

static void discipline_converges_when_jitter_is_extreme(void **state)
{
    static const double jitters[] = {0, 10e-9, 10e-3};

    (void)state;
    for (int i = 0; i < 3; i++) {
        struct world *world = usual_world((uint64_t)(20 + i));

        world->jitter[0] = world->jitter[1] = jitters[i];
        world->delay[0] = world->delay[1] = 0.05;
        world->frequency = -450e-6;
        world_start(world, NULL);
        world_run(world, 300);
        world_forget(world);
        world_run(world, 300);
        assert_int_equal(world->sums.outside_bound, 0);
        assert_true(world->sums.clock_max < 5 * jitters[i] + 20e-9);
    }
}

static void discipline_synchronises_when_delay_is_tiny_or_huge(void **state)
{
    static const double delays[] = {100e-9, 700e-6, 1.2e-3, 10e-3, 50e-3, 0.1};

    (void)state;
    for (int i = 0; i < 6; i++) {
        for (double interval = 1; interval > 0.05; interval /= 8) {
            struct world *world = usual_world((uint64_t)(30 + i));

            world->interval = interval;
            world->delay[0] = world->delay[1] = delays[i];
            world_start(world, NULL);
            world_run(world, 100 * interval);
            world_forget(world);
            world_run(world, 400 * interval);
            assert_true(world->sums.clock_max < 300e-9);
            assert_int_equal(world->sums.outside_bound, 0);
            assert_int_equal(world->sums.steps, 0);
            assert_int_equal(world->verdicts[MT_SAMPLE_STEP], 0);
            assert_int_equal(world->verdicts[MT_SAMPLE_OLD], 0);
        }
    }
}

static void discipline_locks_soon_when_it_starts_cold(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct world *world = usual_world(seed);

        world->jitter[0] = world->jitter[1] = 20e-9;
        world_start(world, NULL);
        world_run(world, 4.5);
        world_forget(world);
        world_run(world, 1);
        assert_true(world->sums.clock_max < 1e-6);
        world_run(world, 25);
        assert_true(world->locked_at > 4 && world->locked_at < 30);
        assert_int_equal(world->sums.steps, 0); /* it was taken before */
        assert_int_equal(world->discipline.steps, 1);
    }
}

/* ---- disturbances ---------------------------------------------------------------------------- */

static void discipline_keeps_frequency_when_samples_pause(void **state)
{
    struct world *world = locked_world(40);

    (void)state;
    world->has_forward = world->has_reverse = false;
    world_run(world, 100);
    assert_int_equal(world->discipline.phase, MT_STEER_HOLDOVER);
    assert_true(world->sums.clock_max < 5e-6);
    assert_int_equal(world->sums.outside_bound, 0);
    world->has_forward = world->has_reverse = true;
    world_run(world, 30);
    assert_int_equal(world->discipline.phase, MT_STEER_LOCKED);
    world_forget(world);
    world_run(world, 100);
    assert_true(world->sums.clock_max < 200e-9);
    assert_int_equal(world->sums.outside_bound, 0);
}

static void discipline_carries_on_when_only_forward_samples_come(void **state)
{
    struct world *world = locked_world(41);

    (void)state;
    world->has_reverse = false;
    world_run(world, 200);
    assert_int_equal(world->discipline.phase, MT_STEER_LOCKED);
    assert_true(world->sums.clock_max < 300e-9);
    assert_int_equal(world->sums.outside_bound, 0);
}

static void discipline_follows_when_the_source_steps(void **state)
{
    static const double steps[] = {50e-6, 20e-3, 1, -1};

    (void)state;
    for (int i = 0; i < 4; i++) {
        struct world *world = locked_world((uint64_t)(42 + i));
        mt_real rate;
        mt_real drift;

        assert_true(mt_discipline_drift(&world->discipline, &rate));
        world->source_error[0] = steps[i];
        world_run(world, 3);
        assert_int_equal(world->discipline.phase, MT_STEER_ACQUIRING);
        assert_int_equal(world->verdicts[MT_SAMPLE_STEP], 1);
        world_run(world, 100);
        assert_int_equal(world->sums.steps, mt_real_abs(steps[i]) > 0.1);
        assert_int_equal(world->discipline.phase, MT_STEER_LOCKED);
        assert_true(mt_real_abs(world_offset(world) - steps[i]) < 300e-9);
        assert_true(mt_discipline_drift(&world->discipline, &drift));
        assert_true(mt_real_abs(drift - rate) < 100e-9);
    }
}

static void discipline_follows_when_frequency_jumps(void **state)
{
    struct world *world = locked_world(46);

    (void)state;
    world->frequency += 5e-6;
    world_run(world, 60);
    world_forget(world);
    world_run(world, 100);
    assert_true(world->sums.clock_max < 300e-9);
    assert_int_equal(world->discipline.phase, MT_STEER_LOCKED);
    assert_int_equal(world->sums.steps, 0);
}

static void discipline_is_calm_when_the_source_changes_and_time_does_not(void **state)
{
    static double squares[80];
    double worst = 0;
    double steady = 0;

    (void)state;
    memset(squares, 0, sizeof squares);
    for (uint64_t seed = 1; seed <= 40; seed++) {
        struct world *world = locked_world(seed);

        steady += world_offset(world) * world_offset(world) / 40;
        world->source = 1;
        mt_discipline_reset_source(&world->discipline, 1);
        mt_discipline_select(&world->discipline, 1, world_now(world));
        world->pending_count = 0;
        for (int i = 0; i < 80; i++) {
            world_run(world, 1);
            squares[i] += world_offset(world) * world_offset(world) / 40;
        }
        assert_int_equal(world->sums.outside_bound, 0);
        assert_int_equal(world->sums.steps, 0);
        assert_int_equal(world->discipline.phase, MT_STEER_LOCKED);
    }
    for (int i = 0; i < 80; i++) {
        worst = squares[i] > worst ? squares[i] : worst;
    }
    assert_true(steady < 45e-9 * 45e-9);
    assert_true(worst < 3 * 3 * steady);
}

static void discipline_moves_over_when_the_new_source_differs(void **state)
{
    struct world *world = locked_world(48);

    (void)state;
    world->source = 1;
    world->source_error[1] = 3e-6;
    mt_discipline_select(&world->discipline, 1, world_now(world));
    world_run(world, 60);
    assert_true(mt_real_abs(world_offset(world) - 3e-6) < 200e-9);
    assert_int_equal(world->sums.steps, 0);
}

/* ---- holdover -------------------------------------------------------------------------------- */

static void discipline_bound_holds_when_in_holdover(void **state)
{
    struct mt_steer_config config;
    int outside_prediction = 0;

    (void)state;
    mt_steer_config_init(&config);
    for (uint64_t seed = 1; seed <= 200; seed++) {
        struct world *world = usual_world(seed);
        struct mt_clock_quality_report report;

        config.max_drift = 1e-6;
        world->next_reading = 1e9;
        world_start(world, &config);
        world_run(world, 600);
        world->has_forward = world->has_reverse = false;
        world_run(world, 2000);
        mt_discipline_report(&world->discipline, world_local(world), &report);
        assert_int_equal(report.state, MT_CLOCK_HOLDOVER);
        assert_true(mt_real_abs(world_offset(world)) < (double)report.bound.q16 / 65536e9);
        assert_true(report.bound.q16 > (int64_t)1900000 * 65536); /* max_drift x age */
        world->discipline.config.max_drift = 0;                   /* the learned wander alone */
        mt_discipline_report(&world->discipline, world_local(world), &report);
        outside_prediction +=
            mt_real_abs(world_offset(world)) > (double)report.parts.estimate_ns * 1e-9;
    }
    assert_in_range(outside_prediction, 0, 2);
}

static void discipline_holds_over_when_nothing_is_selected(void **state)
{
    struct world *world = locked_world(50);
    double rate = world->discipline.rate;

    (void)state;
    world->has_forward = world->has_reverse = false;
    mt_discipline_select(&world->discipline, MT_SOURCE_NONE, world_now(world));
    world_drain(world);
    assert_int_equal(world->discipline.phase, MT_STEER_HOLDOVER);
    world_run(world, 60);
    assert_int_equal(world->discipline.phase, MT_STEER_HOLDOVER);
    assert_true(mt_real_abs(world->discipline.rate - rate) < 100e-9);
    assert_true(world->sums.clock_max < 2e-6);
    assert_int_equal(world->sums.outside_bound, 0);
    assert_true(mt_discipline_deadline(&world->discipline).ns == MT_MONO_NEVER.ns);
    mt_discipline_reset_source(&world->discipline, 0); /* nor does the bound need the source */
    world_run(world, 60);
    assert_int_equal(world->sums.outside_bound, 0);
    assert_int_equal(world->sums.estimate_count, 0);
}

static void discipline_ends_a_slew_when_samples_stop(void **state)
{
    struct world *world = locked_world(51);
    double error;

    (void)state;
    world->source_error[0] = 1e-3;
    world_run(world, 7); /* on its way, 500 ppm faster */
    world->has_forward = world->has_reverse = false;
    error = 1e-3 - world_offset(world);
    world_run(world, 20);
    assert_true(mt_real_abs(world_offset(world) - 1e-3) < 1e-6 + mt_real_abs(error) / 10);
}

/* ---- determinism ----------------------------------------------------------------------------- */

/* what is served is the steered clock, so it must not lag */
static void discipline_steers_close_to_the_estimate_when_locked(void **state)
{
    static const struct {
        double interval;
        double jitter;
    } cases[] = {{1, 10e-9}, {1, 1e-6}, {0.125, 100e-9}, {1.0 / 128, 100e-9}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct world *world = usual_world(31);

        world->interval = cases[i].interval;
        world->jitter[0] = world->jitter[1] = cases[i].jitter;
        world_start(world, NULL);
        world_run(world, 500 * world->interval);
        world_forget(world);
        world_run(world, 3000 * world->interval);
        assert_true(world_clock_rms(world) < 1.04 * world_estimate_rms(world));
    }
}

/* a poor estimate of a new source does not spoil a clock that is known better */
static void discipline_trusts_the_clock_when_a_source_is_new(void **state)
{
    double steady = 0;
    double worst = 0;
    double squares[100] = {0};

    (void)state;
    for (uint64_t seed = 1; seed <= 10; seed++) {
        struct world *world = usual_world(seed);

        world->interval = 0.125;
        world->jitter[0] = world->jitter[1] = 10e-6;
        world_start(world, NULL);
        world_run(world, 600);
        world_forget(world);
        world_run(world, 600);
        steady += world->sums.clock_squares / world->sums.count / 10;
        mt_discipline_reset_source(&world->discipline, 0);
        for (int i = 0; i < 100; i++) {
            world_run(world, 1);
            squares[i] += world_offset(world) * world_offset(world) / 10;
        }
    }
    for (int i = 0; i < 100; i++) {
        worst = squares[i] > worst ? squares[i] : worst;
    }
    assert_true(worst < 3 * 3 * steady);
}

/* gcc and clang, any optimisation, host and firmware: change the number only with the maths */
#define GOLDEN_HASH 0x7c6c4839111b9432u

static void discipline_gives_equal_bits_when_compiled_otherwise(void **state)
{
    struct world *world = usual_world(93);

    (void)state;
    world->noise = WORLD_HEAVY;
    world->outliers = 0.01;
    world_start(world, NULL);
    world_run(world, 500);
    world->source_error[0] = 0.5;
    world_run(world, 100);
    world->has_reverse = false;
    world_run(world, 100);
    if (world->hash != GOLDEN_HASH) {
        print_message("hash 0x%016llx\n", (unsigned long long)world->hash);
    }
    assert_true(world->hash == GOLDEN_HASH);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(discipline_is_near_the_limit_when_noise_is_normal),
        cmocka_unit_test(discipline_is_quiet_when_software_stamps_have_outliers),
        cmocka_unit_test(discipline_survives_when_noise_is_not_normal),
        cmocka_unit_test(discipline_converges_when_jitter_is_extreme),
        cmocka_unit_test(discipline_synchronises_when_delay_is_tiny_or_huge),
        cmocka_unit_test(discipline_locks_soon_when_it_starts_cold),
        cmocka_unit_test(discipline_keeps_frequency_when_samples_pause),
        cmocka_unit_test(discipline_carries_on_when_only_forward_samples_come),
        cmocka_unit_test(discipline_follows_when_the_source_steps),
        cmocka_unit_test(discipline_follows_when_frequency_jumps),
        cmocka_unit_test(discipline_is_calm_when_the_source_changes_and_time_does_not),
        cmocka_unit_test(discipline_moves_over_when_the_new_source_differs),
        cmocka_unit_test(discipline_bound_holds_when_in_holdover),
        cmocka_unit_test(discipline_holds_over_when_nothing_is_selected),
        cmocka_unit_test(discipline_ends_a_slew_when_samples_stop),
        cmocka_unit_test(discipline_steers_close_to_the_estimate_when_locked),
        cmocka_unit_test(discipline_trusts_the_clock_when_a_source_is_new),
        cmocka_unit_test(discipline_gives_equal_bits_when_compiled_otherwise),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
