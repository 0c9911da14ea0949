/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The discipline of one clock, most of it in a closed loop with a wandering oscillator
 * (servo_world): accuracy, bound, lock, steps and slews, scales, holdover, change of source,
 * late samples across corrections, and equal bits whatever the compiler.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "servo_world.h"

#define MS 1000000

static struct mt_span span_ns(int64_t ns)
{
    return mt_span_from_ns(ns);
}

static struct mt_mono mono_s(double s)
{
    return (struct mt_mono){(int64_t)(s * 1e9)};
}

static struct world *new_world(uint64_t seed)
{
    static struct world world;

    world_init(&world, seed);
    return &world;
}

/* a receiver 20 ppm off, in the second of its start */
static struct world *usual_world(uint64_t seed)
{
    struct world *world = new_world(seed);

    world->is_random = true;
    world->frequency = 20e-6;
    world->offset = 0.3;
    return world;
}

static struct world *locked_world(uint64_t seed)
{
    struct world *world = usual_world(seed);

    world_start(world, NULL);
    world_run(world, 200);
    assert_int_equal(world->discipline.phase, MT_STEER_LOCKED);
    world_forget(world);
    return world;
}

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
        double rate = world->discipline.rate;

        world->source_error[0] = steps[i];
        world_run(world, 3);
        assert_int_equal(world->discipline.phase, MT_STEER_ACQUIRING);
        assert_int_equal(world->verdicts[MT_SAMPLE_STEP], 1);
        world_run(world, 100);
        assert_int_equal(world->sums.steps, mt_real_abs(steps[i]) > 0.1);
        assert_int_equal(world->discipline.phase, MT_STEER_LOCKED);
        assert_true(mt_real_abs(world_offset(world) - steps[i]) < 300e-9);
        assert_true(mt_real_abs(world->discipline.rate - rate) < 100e-9);
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

/* ---- steps and slews ------------------------------------------------------------------------- */

static void discipline_steps_when_policy_says_so(void **state)
{
    static const struct {
        int64_t at_start_ns;
        bool never_at_start;
        int64_t later_ns;
        bool never_later;
        double first;
        unsigned first_steps;
        double second;
        unsigned second_steps;
    } policies[] = {
        {10000, false, 100 * MS, false, 0.3, 1, 0.05, 0},
        {10000, false, 100 * MS, false, 0.3, 1, 0.15, 1},
        {10000, false, 100 * MS, true, 0.3, 1, 0.15, 0},
        {10000, false, 100 * MS, false, 2e-6, 0, 0.15, 1},
        /* not a first offset of that size, but still too large when locked */
        {500 * MS, false, 1 * MS, false, 0.02, 1, 0.02, 1},
        {10000, true, 100 * MS, false, 0.02, 0, -0.2, 1},
        {10000, true, 100 * MS, true, -0.02, 0, 0.02, 0},
        {0, false, 0, true, -1e-6, 1, 1e-3, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof policies / sizeof policies[0]; i++) {
        struct world *world = new_world(60 + i);
        struct mt_steer_config config;

        mt_steer_config_init(&config);
        config.step_at_start = span_ns(policies[i].at_start_ns);
        config.never_step_at_start = policies[i].never_at_start;
        config.step_later = span_ns(policies[i].later_ns);
        config.never_step_later = policies[i].never_later;
        world->offset = policies[i].first;
        world_start(world, &config);
        world_run(world, 100);
        assert_int_equal(world->discipline.steps, policies[i].first_steps);
        assert_true(mt_real_abs(world_offset(world)) < 1e-6);
        world->source_error[0] = -policies[i].second;
        world_run(world, 20);
        assert_int_equal(world->discipline.steps - policies[i].first_steps,
                         policies[i].second_steps);
        assert_true(world->sums.rate_max <= 500e-6);
        world_run(world, 450);
        assert_true(mt_real_abs(world_offset(world) + policies[i].second) < 1e-6);
    }
}

static void discipline_slews_no_faster_when_limited(void **state)
{
    struct world *world = new_world(70);
    struct mt_steer_config config;

    (void)state;
    mt_steer_config_init(&config);
    config.never_step_at_start = true;
    config.max_slew = 20e-6;
    world->offset = 1e-3;
    world_start(world, &config);
    world_run(world, 30);
    assert_true(world->rate < -19.8e-6 && world->rate > -20.2e-6);
    world_run(world, 60);
    assert_true(mt_real_abs(world_offset(world)) < 200e-9);
    assert_int_equal(world->discipline.steps, 0);
}

static void discipline_does_not_wind_up_when_saturated(void **state)
{
    struct world *world = usual_world(71);
    struct mt_clock_quality_report report;

    (void)state;
    world->frequency = 700e-6;
    world_start(world, NULL);
    world_run(world, 100);
    mt_discipline_report(&world->discipline, world_local(world), &report);
    assert_true(report.is_saturated);
    assert_true(world->rate >= -500e-6);
    world_forget(world);
    world_run(world, 1000);
    assert_int_equal(world->sums.outside_bound, 0);
    assert_true(world->sums.clock_max < 0.11); /* it runs away and is stepped back */
    world->frequency = 100e-6;
    world_run(world, 300);
    mt_discipline_report(&world->discipline, world_local(world), &report);
    assert_false(report.is_saturated);
    assert_true(mt_real_abs(world_offset(world)) < 300e-9);
}

static void discipline_needs_no_correction_when_nothing_changes(void **state)
{
    struct world *world = new_world(72);

    (void)state;
    world->jitter[0] = world->jitter[1] = 0;
    world->wander = 0;
    world_start(world, NULL);
    world_run(world, 300);
    world_forget(world);
    world_run(world, 100);
    assert_true(world->sums.corrections < 30);
    assert_true(world->sums.clock_max < 1e-9);
}

static void discipline_tells_the_estimator_when_the_rate_is_coarse(void **state)
{
    struct world *world = usual_world(73);

    (void)state;
    world->rate_granularity = 119e-9; /* an 82576 */
    world_start(world, NULL);
    world_run(world, 200);
    world_forget(world);
    world_run(world, 500);
    assert_true(world->sums.clock_max < 500e-9);
    assert_int_equal(world->sums.outside_bound, 0);
}

/* ---- scales ---------------------------------------------------------------------------------- */

static void discipline_takes_the_scale_when_it_may(void **state)
{
    struct world *world = usual_world(80);
    struct mt_steer_config config;

    (void)state;
    mt_steer_config_init(&config);
    config.adopts_scale = true;
    config.never_step_at_start = true;
    world->offset = 1e-6; /* however small */
    world->scale = MT_SCALE_ARB;
    world_start(world, &config);
    world_run(world, 60);
    assert_int_equal(world->scale, MT_SCALE_TAI);
    assert_int_equal(world->discipline.scale, MT_SCALE_TAI);
    assert_int_equal(world->discipline.steps, 1);
    assert_int_equal(world->discipline.phase, MT_STEER_LOCKED);
    assert_true(mt_real_abs(world_offset(world)) < 200e-9);
}

static void discipline_refuses_when_the_scale_is_not_its_own(void **state)
{
    struct world *world = usual_world(81);

    (void)state;
    world->source_scale = MT_SCALE_ARB;
    world_start(world, NULL);
    world_run(world, 20);
    assert_int_equal(world->last_verdict, MT_SAMPLE_REFUSED);
    assert_int_equal(world->verdicts[MT_SAMPLE_USED], 0);
    assert_int_equal(world->sums.corrections, 0);
    assert_true(world->sources[0].verdicts[MT_SAMPLE_REFUSED] > 30);
}

/* ---- who may be touched ---------------------------------------------------------------------- */

static void discipline_touches_nothing_when_no_source_is_selected(void **state)
{
    struct world *world = usual_world(82);
    struct mt_clock_quality_report report;

    (void)state;
    world_start(world, NULL);
    mt_discipline_select(&world->discipline, MT_SOURCE_NONE, world_now(world));
    world_run(world, 50);
    assert_int_equal(world->sums.corrections, 0);
    mt_discipline_report(&world->discipline, world_local(world), &report);
    assert_int_equal(report.state, MT_CLOCK_FREE_RUN);
    assert_int_equal(report.reference, MT_BOUND_NONE);
    assert_true(mt_interval_is_too_large(report.bound));
    mt_discipline_select(&world->discipline, 0, world_now(world));
    world_run(world, 50); /* what was measured meanwhile is not lost */
    assert_true(world->locked_at > 50 && world->locked_at < 60);
}

static void discipline_only_estimates_when_told_so(void **state)
{
    struct world *world = usual_world(83);
    struct mt_steer_config config;

    (void)state;
    mt_steer_config_init(&config);
    config.estimates_only = true;
    world_start(world, &config);
    world_run(world, 100);
    world_forget(world);
    world_run(world, 100);
    assert_int_equal(world->discipline.corrections, 0);
    assert_int_equal(world->discipline.phase, MT_STEER_LOCKED);
    assert_true(world_estimate_rms(world) < 100e-9);
    assert_int_equal(world->sums.outside_bound, 0);
}

static void discipline_waits_when_the_platform_refuses(void **state)
{
    struct world *world = usual_world(84);

    (void)state;
    world->refuses = true;
    world_start(world, NULL);
    world_run(world, 100);
    assert_int_equal(world->discipline.corrections, 0);
    assert_in_range(world->refusals, 8, 10);
    world->refuses = false;
    world_run(world, 60);
    assert_true(mt_real_abs(world_offset(world)) < 300e-9);
}

static void discipline_hands_out_one_correction_when_one_is_outstanding(void **state)
{
    struct world *world = usual_world(85);
    struct mt_correction correction;
    struct mt_correction second;
    struct mt_sample sample = {.scale = MT_SCALE_TAI};

    (void)state;
    world_start(world, NULL);
    for (int i = 0; i < 12; i++) {
        sample.kind = i % 2 ? MT_SAMPLE_REVERSE : MT_SAMPLE_FORWARD;
        sample.local.at = (struct mt_instant){1000, (uint32_t)i * 10 * MS, 0, MT_SCALE_TAI};
        sample.value = span_ns(i % 2 ? -1000 * MS + i : 1000 * MS);
        mt_discipline_sample(&world->discipline, &sample, mono_s(i * 0.01));
        if (i == 7) {
            assert_true(mt_discipline_next_correction(&world->discipline, &correction));
        }
        if (i >= 7) {
            assert_false(mt_discipline_next_correction(&world->discipline, &second));
        }
    }
    assert_int_equal(correction.kind, MT_CORRECT_STEP);
    assert_int_equal(correction.scale, MT_SCALE_TAI);
    assert_true(mt_real_abs(mt_span_to_real(correction.step) + 1) < 1e-6);
}

static void discipline_sets_the_stored_rate_when_first_selected(void **state)
{
    struct world *world = new_world(86);
    struct mt_steer_config config;
    struct mt_correction correction;
    mt_real rate;

    (void)state;
    mt_steer_config_init(&config);
    world->frequency = 30e-6;
    world_start(world, &config);
    mt_discipline_init(&world->discipline, &config, world->sources, WORLD_SOURCES, MT_SCALE_TAI, 0,
                       -30e-6, true);
    assert_false(mt_discipline_next_correction(&world->discipline, &correction));
    assert_false(mt_discipline_drift(&world->discipline, &rate));
    mt_discipline_select(&world->discipline, 0, mono_s(0));
    world_drain(world);
    assert_true(world->rate == -30e-6);
    world_run(world, 60);
    assert_true(mt_real_abs(world_offset(world)) < 200e-9);
    assert_true(mt_discipline_drift(&world->discipline, &rate));
    assert_true(mt_real_abs(rate + 30e-6) < 50e-9);
}

/* ---- lock ------------------------------------------------------------------------------------ */

static void discipline_unlocks_when_innovations_stay_large(void **state)
{
    struct world *world = locked_world(87);
    bool was_unlocked = false;

    (void)state;
    world->jitter[0] = world->jitter[1] = 30e-6;
    for (int i = 0; i < 30; i++) {
        world_run(world, 1);
        was_unlocked = was_unlocked || world->discipline.phase == MT_STEER_ACQUIRING;
    }
    assert_true(was_unlocked);
    world_run(world, 400);
    assert_int_equal(world->discipline.phase, MT_STEER_LOCKED);
    assert_int_equal(world->sums.outside_bound, 0);
}

static void discipline_is_in_holdover_when_patience_ends(void **state)
{
    static const double intervals[] = {0.125, 1, 4};

    (void)state;
    for (int i = 0; i < 3; i++) {
        struct world *world = usual_world(88);
        double patience = intervals[i] > 1 ? 2 * intervals[i] : 2;

        world->is_random = false;
        world->interval = intervals[i];
        world_start(world, NULL);
        world_run(world, 100 * intervals[i]);
        world->has_forward = world->has_reverse = false;
        world_run(world, patience - intervals[i] - 0.1 * patience);
        assert_int_equal(world->discipline.phase, MT_STEER_LOCKED);
        world_run(world, intervals[i] + 0.3 * patience);
        assert_int_equal(world->discipline.phase, MT_STEER_HOLDOVER);
    }
}

/* ---- bound ----------------------------------------------------------------------------------- */

static void discipline_names_the_parts_when_it_reports_a_bound(void **state)
{
    struct world *world = usual_world(89);
    struct mt_steer_config config;
    struct mt_clock_quality_report report;
    int64_t own_ns;

    (void)state;
    mt_steer_config_init(&config);
    config.granularity_ns = 8;
    world_start(world, &config);
    world_run(world, 100);
    mt_discipline_report(&world->discipline, world_local(world), &report);
    assert_int_equal(report.reference, MT_BOUND_SOURCE);
    assert_int_equal(report.parts.source_ns, 0);
    assert_int_equal(report.parts.granularity_ns, 8 + 4);
    assert_in_range(report.parts.asymmetry_ns, 9300, 10100); /* half the least round trip */
    own_ns = report.parts.estimate_ns + report.parts.asymmetry_ns + report.parts.granularity_ns +
             report.parts.steering_ns;
    assert_int_equal(mt_interval_to_ns(report.bound), own_ns);
    assert_true(report.bound_growth >= 1e-6);

    world->source_bound = mt_interval_from_ns(300);
    world_run(world, 2);
    mt_discipline_report(&world->discipline, world_local(world), &report);
    assert_int_equal(report.reference, MT_BOUND_SOURCE);
    assert_int_equal(report.parts.source_ns, 300);
    assert_int_equal(report.reference_bound.q16, 0);

    world->reference_bound = mt_interval_from_ns(25);
    world->discipline.config.max_asymmetry = mt_interval_from_ns(777);
    world_run(world, 2);
    mt_discipline_report(&world->discipline, world_local(world), &report);
    assert_int_equal(report.reference, MT_BOUND_TRACEABLE);
    assert_int_equal(report.parts.source_ns, 325);
    assert_int_equal(mt_interval_to_ns(report.reference_bound), 25);
    assert_int_equal(report.parts.asymmetry_ns, 777);
}

static void discipline_bound_covers_asymmetry_when_it_cannot_be_seen(void **state)
{
    struct world *world = usual_world(90);

    (void)state;
    world->delay[0] = 1e-6;
    world->delay[1] = 80e-6;
    world_start(world, NULL);
    world_run(world, 100);
    world_forget(world);
    world_run(world, 200);
    assert_true(mt_real_abs(world->sums.clock_sum / world->sums.count - 39.5e-6) < 200e-9);
    assert_int_equal(world->sums.outside_bound, 0);
}

/* ---- late samples and corrections ------------------------------------------------------------ */

#define LATE 6

struct twin {
    struct mt_discipline discipline;
    struct mt_discipline_source source;
    struct mt_span offset; /* true */
    double rate;
    uint32_t corrections;
    struct mt_sample late[LATE];
};

static struct mt_instant twin_reading(const struct twin *twin, double t)
{
    struct mt_instant epoch = {1700000000, 0, 0, MT_SCALE_TAI};

    return mt_instant_plus(epoch, mt_span_plus(mt_span_from_real(t), twin->offset));
}

static void twin_init(struct twin *twin)
{
    struct mt_steer_config config;

    memset(twin, 0, sizeof *twin);
    mt_steer_config_init(&config);
    config.estimates_only = true;
    mt_discipline_init(&twin->discipline, &config, &twin->source, 1, MT_SCALE_TAI, 0, 0, false);
    mt_discipline_select(&twin->discipline, 0, mono_s(0));
}

/* the sample just measured goes into the queue; the oldest of it is delivered */
static enum mt_sample_verdict twin_feed(struct twin *twin, enum mt_sample_kind kind, double t,
                                        double path, bool is_late)
{
    struct mt_sample sample = {
        .kind = kind, .local = {twin_reading(twin, t), twin->corrections}, .scale = MT_SCALE_TAI};
    struct mt_sample oldest = twin->late[0];

    sample.value =
        mt_span_plus(kind == MT_SAMPLE_REVERSE ? mt_span_negate(twin->offset) : twin->offset,
                     mt_span_from_real(path));
    if (!is_late) {
        return mt_discipline_sample(&twin->discipline, &sample, mono_s(t));
    }
    memmove(twin->late, twin->late + 1, sizeof twin->late - sizeof twin->late[0]);
    twin->late[LATE - 1] = sample;
    if (oldest.local.at.s == 0) {
        return MT_SAMPLE_USED;
    }
    return mt_discipline_sample(&twin->discipline, &oldest, mono_s(t));
}

static void twin_advance(struct twin *twin, double dt)
{
    double rate = (1 + 25e-6) * (1 + twin->rate) - 1;

    twin->offset = mt_span_plus(twin->offset, mt_span_from_real(rate * dt));
}

static void twin_correct(struct twin *twin, double t, double rate, struct mt_span step)
{
    struct mt_applied applied = {.kind = MT_CORRECT_RATE, .rate = rate};

    if (mt_span_compare(step, (struct mt_span){0, 0, 0}) != 0) {
        applied.kind = MT_CORRECT_STEP;
        applied.step = step;
        twin->offset = mt_span_plus(twin->offset, step);
    } else {
        twin->rate = rate;
    }
    applied.corrections = ++twin->corrections;
    applied.at = twin_reading(twin, t);
    mt_discipline_applied(&twin->discipline, &applied);
}

static double twin_error(const struct twin *twin, double t)
{
    struct mt_estimate estimate;

    assert_true(mt_estimator_predict(&twin->source.estimator, &twin->discipline.model,
                                     twin_reading(twin, t), &estimate));
    return mt_span_to_real(mt_span_minus(estimate.offset, twin->offset));
}

/* the same oscillator and the same noise, once left alone and once corrected at every turn,
 * with reverse samples that come six exchanges late */
static void discipline_estimates_the_same_when_the_clock_was_corrected_meanwhile(void **state)
{
    static struct twin free_twin;
    static struct twin corrected;
    struct world *random = new_world(91);
    double worst = 0;

    (void)state;
    twin_init(&free_twin);
    twin_init(&corrected);
    for (int n = 0; n < 400; n++) {
        double t = n;
        double forward = 10e-6 + 1e-7 * world_normal(random);
        double reverse = 10e-6 + 1e-7 * world_normal(random);

        twin_feed(&free_twin, MT_SAMPLE_FORWARD, t, forward, false);
        assert_int_not_equal(twin_feed(&corrected, MT_SAMPLE_FORWARD, t, forward, false),
                             MT_SAMPLE_OLD);
        twin_advance(&free_twin, 0.3);
        twin_advance(&corrected, 0.3);
        t += 0.3;
        twin_feed(&free_twin, MT_SAMPLE_REVERSE, t, reverse, true);
        assert_int_not_equal(twin_feed(&corrected, MT_SAMPLE_REVERSE, t, reverse, true),
                             MT_SAMPLE_OLD);
        twin_advance(&free_twin, 0.2);
        twin_advance(&corrected, 0.2);
        t += 0.2;
        if (n % 7 == 3) {
            twin_correct(&corrected, t, 0, mt_span_from_real(3 * world_normal(random)));
        } else {
            twin_correct(&corrected, t, 5e-5 * world_normal(random), (struct mt_span){0, 0, 0});
        }
        twin_advance(&free_twin, 0.5);
        twin_advance(&corrected, 0.5);
        if (n > 20) {
            double difference = twin_error(&corrected, t + 0.5) - twin_error(&free_twin, t + 0.5);

            worst = mt_real_abs(difference) > worst ? mt_real_abs(difference) : worst;
        }
    }
    assert_true(worst < 5e-11);
    assert_true(mt_real_abs(twin_error(&corrected, 400)) < 100e-9);
    for (int verdict = 0; verdict < MT_SAMPLE_VERDICT_COUNT; verdict++) {
        assert_int_equal(corrected.source.verdicts[verdict], free_twin.source.verdicts[verdict]);
    }
    assert_int_equal(corrected.source.verdicts[MT_SAMPLE_STEP], 0);
}

static void discipline_calls_a_sample_old_when_the_history_is_too_short(void **state)
{
    static struct twin twin;
    struct mt_sample sample;

    (void)state;
    twin_init(&twin);
    sample = (struct mt_sample){.local = {twin_reading(&twin, 0), 0}, .scale = MT_SCALE_TAI};
    for (int n = 0; n < MT_CORRECTION_HISTORY; n++) {
        twin_correct(&twin, n, 1e-6 * n, (struct mt_span){0, 0, 0});
    }
    assert_int_equal(mt_discipline_sample(&twin.discipline, &sample, mono_s(9)), MT_SAMPLE_USED);
    twin_correct(&twin, 9, 1e-5, (struct mt_span){0, 0, 0});
    assert_int_equal(mt_discipline_sample(&twin.discipline, &sample, mono_s(9)), MT_SAMPLE_OLD);
    sample.local.corrections = 8;
    assert_int_equal(mt_discipline_sample(&twin.discipline, &sample, mono_s(9)), MT_SAMPLE_USED);
    twin.corrections += 2; /* two that nobody told of */
    twin_correct(&twin, 10, 1e-6, (struct mt_span){0, 0, 0});
    sample.local.corrections = 10;
    assert_int_equal(mt_discipline_sample(&twin.discipline, &sample, mono_s(9)), MT_SAMPLE_OLD);
    sample.local.corrections = 13; /* from the future */
    assert_int_equal(mt_discipline_sample(&twin.discipline, &sample, mono_s(9)), MT_SAMPLE_OLD);
    sample.source = 5;
    assert_int_equal(mt_discipline_sample(&twin.discipline, &sample, mono_s(9)), MT_SAMPLE_REFUSED);
}

static void discipline_forgives_when_someone_else_steps_the_clock(void **state)
{
    struct world *world = locked_world(92);
    struct mt_applied applied = {.kind = MT_CORRECT_STEP, .step = {5, 0, 0}};

    (void)state;
    world->base = mt_span_plus(world->base, applied.step);
    applied.at = world_local(world);
    applied.corrections = ++world->corrections;
    mt_discipline_applied(&world->discipline, &applied);
    world_drain(world);
    world_run(world, 4);
    assert_true(mt_real_abs(world_offset(world)) < 1e-6);
    assert_int_equal(world->verdicts[MT_SAMPLE_STEP], 0);
    assert_int_equal(world->verdicts[MT_SAMPLE_OUTLIER], 0);
}

/* ---- determinism ----------------------------------------------------------------------------- */

/* gcc and clang, any optimisation, host and firmware: change the number only with the maths */
#define GOLDEN_HASH 0x229f6df696de2a4bu

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
        cmocka_unit_test(discipline_steps_when_policy_says_so),
        cmocka_unit_test(discipline_slews_no_faster_when_limited),
        cmocka_unit_test(discipline_does_not_wind_up_when_saturated),
        cmocka_unit_test(discipline_needs_no_correction_when_nothing_changes),
        cmocka_unit_test(discipline_tells_the_estimator_when_the_rate_is_coarse),
        cmocka_unit_test(discipline_takes_the_scale_when_it_may),
        cmocka_unit_test(discipline_refuses_when_the_scale_is_not_its_own),
        cmocka_unit_test(discipline_touches_nothing_when_no_source_is_selected),
        cmocka_unit_test(discipline_only_estimates_when_told_so),
        cmocka_unit_test(discipline_waits_when_the_platform_refuses),
        cmocka_unit_test(discipline_hands_out_one_correction_when_one_is_outstanding),
        cmocka_unit_test(discipline_sets_the_stored_rate_when_first_selected),
        cmocka_unit_test(discipline_unlocks_when_innovations_stay_large),
        cmocka_unit_test(discipline_is_in_holdover_when_patience_ends),
        cmocka_unit_test(discipline_names_the_parts_when_it_reports_a_bound),
        cmocka_unit_test(discipline_bound_covers_asymmetry_when_it_cannot_be_seen),
        cmocka_unit_test(discipline_estimates_the_same_when_the_clock_was_corrected_meanwhile),
        cmocka_unit_test(discipline_calls_a_sample_old_when_the_history_is_too_short),
        cmocka_unit_test(discipline_forgives_when_someone_else_steps_the_clock),
        cmocka_unit_test(discipline_gives_equal_bits_when_compiled_otherwise),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
