/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * core/steer beside a known servo: how well each does against the figures of the original in the
 * same world, and what the discipline still does itself.
 */
#include "discipline_worlds.h"
#include "meantime/steer_servos.h"

static struct mt_servo_storage storage;

static void start(struct world *world, const struct mt_steer_servo *servo)
{
    struct mt_steer_config config;

    mt_steer_config_init(&config);
    config.servo = servo;
    config.servo_storage = &storage;
    storage = (struct mt_servo_storage){0};
    world_start(world, &config);
}

static const struct mt_steer_servo *const servos[] = {&mt_steer_servo_pi, &mt_steer_servo_linreg,
                                                      &mt_steer_servo_kalman};
#define COUNT (sizeof servos / sizeof servos[0])

/* exponential noise, 20 000 s of the original: docs/design/estimator.md */
static void servo_is_as_good_as_the_original_when_noise_is_exponential(void **state)
{
    static const struct {
        double interval;
        double jitter;
        double rms[2]; /* PI, linear regression */
    } cases[] = {
        {1, 10e-9, {10.2e-9, 8.66e-9}},
        {1, 100e-9, {99.3e-9, 47.5e-9}},
        {1, 1e-6, {992e-9, 278e-9}},
        {0.125, 100e-9, {41.9e-9, 27.0e-9}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (size_t law = 0; law < 2; law++) {
            struct world *world = new_world(5);
            double mean;

            world->interval = cases[i].interval;
            world->jitter[0] = world->jitter[1] = cases[i].jitter;
            world->noise = WORLD_EXPONENTIAL;
            world->frequency = 5e-6;
            world->offset = 0.3;
            start(world, servos[law]);
            world_run(world, 300 * world->interval);
            assert_int_equal(world->sums.steps, 1);
            world_forget(world);
            world_run(world, 10000 * world->interval);
            assert_true(world_clock_rms(world) < 1.1 * cases[i].rms[law]);
            assert_true(world_clock_rms(world) > 0.9 * cases[i].rms[law]);
            mean = world->sums.clock_sum / world->sums.count / world->jitter[0];
            assert_true(mean < -0.05 && mean > -0.25); /* the median is no mean */
            assert_int_equal(world->sums.outside_bound, 0);
            assert_int_equal(world->sums.steps, 0);
        }
    }
}

static void servo_is_told_what_was_applied_when_the_rate_is_coarse(void **state)
{
    (void)state;
    for (size_t law = 0; law < COUNT; law++) {
        struct world *world = new_world(6);

        world->rate_granularity = 1e-8;
        world->frequency = 5.003e-6;
        start(world, servos[law]);
        world_run(world, 100);
        world_forget(world);
        world_run(world, 1000);
        assert_true(world_clock_rms(world) < 120e-9);
        assert_int_equal(world->sums.outside_bound, 0);
    }
}

static void servo_steps_when_the_user_wants_it_and_not_else(void **state)
{
    (void)state;
    for (size_t law = 0; law < COUNT; law++) {
        struct world *world = new_world(7);

        world->offset = 8e-6;
        start(world, servos[law]);
        world_run(world, 100);
        assert_int_equal(world->sums.steps, 0);
        world->source_error[0] = 0.05;
        world_run(world, 600);
        assert_int_equal(world->sums.steps, 0);
        assert_true(mt_real_abs(world_offset(world) - 0.05) < 1e-6);
        world->source_error[0] = -0.2;
        world_run(world, 100);
        assert_int_equal(world->sums.steps, 1);
        assert_true(mt_real_abs(world_offset(world) + 0.2) < 1e-6);
    }
}

static void servo_sets_the_rate_at_once_when_it_has_stepped(void **state)
{
    (void)state;
    for (size_t law = 0; law < 2; law++) { /* a Kalman filter learns it afterwards */
        struct world *world = new_world(8);

        world->frequency = 30e-6;
        world->offset = -3;
        world->jitter[0] = world->jitter[1] = 10e-9;
        start(world, servos[law]);
        while (world->sums.steps == 0) {
            world_run(world, 1);
        }
        assert_int_equal(world->sums.corrections, 2);
        assert_true(mt_real_abs(world->rate + 30e-6) < 1e-7);
    }
}

/* it runs away, is stepped back, and is itself again as soon as its range suffices */
static void servo_does_not_wind_up_when_the_range_ends(void **state)
{
    (void)state;
    for (size_t law = 0; law < COUNT; law++) {
        struct world *world = usual_world(12);

        world->frequency = 700e-6;
        start(world, servos[law]);
        world_run(world, 100);
        assert_true(world->discipline.is_saturated);
        assert_true(world->rate == -500e-6);
        world_forget(world);
        world_run(world, 1000);
        assert_true(world->sums.clock_max < 0.11);
        assert_int_equal(world->sums.outside_bound, 0);
        world->frequency = 100e-6;
        world_run(world, 400);
        assert_false(world->discipline.is_saturated);
        assert_true(mt_real_abs(world_offset(world)) < 10e-6);
    }
}

static void servo_begins_anew_when_the_source_changes(void **state)
{
    (void)state;
    for (size_t law = 0; law < COUNT; law++) {
        struct world *world = new_world(9);

        world->frequency = 5e-6;
        start(world, servos[law]);
        world_run(world, 100);
        world->source = 1;
        world->delay[0] = world->delay[1] = 5e-3;
        world->pending_count = 0;
        mt_discipline_reset_source(&world->discipline, 1);
        mt_discipline_select(&world->discipline, 1, world_now(world));
        assert_int_equal(storage.delay_count, 0);
        assert_false(storage.has_last);
        world_forget(world);
        world_run(world, 100);
        assert_true(world->sums.clock_max < 1e-6); /* it ran on at the rate that was known */
    }
}

/* against the optimum, which knows noise and wander: docs/design/estimator.md; the published time
 * is the clock */
static void servo_is_near_the_optimum_when_it_is_a_kalman_filter(void **state)
{
    static const struct {
        double interval;
        double jitter;
        double wander;
        double optimum; /* s, steady state, averaged over the interval */
    } cases[] = {
        {1, 10e-9, 1e-9, 5.22e-9},     {1, 1e-6, 1e-9, 163e-9},      {1, 10e-6, 1e-9, 917e-9},
        {0.125, 10e-9, 1e-9, 2.37e-9}, {0.125, 1e-6, 1e-9, 74.8e-9},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct world *world = new_world(21);

        world->interval = cases[i].interval;
        world->jitter[0] = world->jitter[1] = cases[i].jitter;
        world->wander = cases[i].wander;
        world->frequency = 5e-6;
        world->offset = 0.3;
        start(world, &mt_steer_servo_kalman);
        world_run(world, 2000 * world->interval);
        assert_int_equal(world->sums.steps, 1);
        world_forget(world);
        world_run(world, 10000 * world->interval);
        assert_true(world_clock_rms(world) < 1.2 * cases[i].optimum);
        assert_true(world_clock_rms(world) > 0.8 * cases[i].optimum);
        assert_int_equal(world->sums.outside_bound, 0);
        assert_int_equal(world->sums.steps, 0);
    }
}

/* The servos of linuxptp go on at the rate that they had, slew and all. */
static void servo_levels_the_clock_when_its_source_is_gone_and_it_is_a_kalman_filter(void **state)
{
    struct world *world = new_world(22);

    (void)state;
    world->jitter[0] = world->jitter[1] = 1e-6;
    world->wander = 0;
    world->frequency = 5e-6;
    start(world, &mt_steer_servo_kalman);
    world_run(world, 300);
    mt_discipline_select(&world->discipline, MT_SOURCE_NONE, world_now(world));
    world->source = 1; /* nobody */
    world_forget(world);
    world_run(world, 1000);
    assert_true(mt_real_abs(world->rate + 5e-6) < 5e-9);
    assert_true(world->sums.clock_max < 10e-6);
    assert_true(world->sums.corrections <= 2);
}

/* Later the next source may be half known, and nothing to go back to. */
static void servo_ends_its_slew_when_the_source_is_another_and_it_is_a_kalman_filter(void **state)
{
    struct world *world = new_world(23);

    (void)state;
    world->jitter[0] = world->jitter[1] = 1e-6;
    world->wander = 0;
    world->frequency = 5e-6;
    start(world, &mt_steer_servo_kalman);
    world_run(world, 300);
    world->offset += 50e-6;
    for (int i = 0; i < 600 && mt_real_abs(world->rate + 5e-6) < 20e-6; i++) {
        world_run(world, 0.05);
    }
    assert_true(mt_real_abs(world->rate + 5e-6) >= 20e-6);
    mt_discipline_reset_source(&world->discipline, 0);
    world_drain(world);
    assert_true(mt_real_abs(world->rate + 5e-6) < 0.2e-6);
    assert_true(world->discipline.slew_end.ns == MT_MONO_NEVER.ns);
}

static void servo_leaves_the_clock_alone_when_it_only_estimates(void **state)
{
    struct mt_steer_config config;
    struct world *world = new_world(10);

    (void)state;
    mt_steer_config_init(&config);
    config.servo_storage = &storage;
    config.estimates_only = true;
    for (size_t law = 0; law < COUNT; law++) {
        config.servo = servos[law];
        world_init(world, 10);
        world_start(world, &config);
        world_run(world, 100);
        assert_int_equal(world->sums.corrections, 0);
    }
}

static void servo_has_the_clock_published_when_it_steers(void **state)
{
    struct world *world = new_world(11);
    struct mt_clock_quality_report report;
    struct mt_published published;

    (void)state;
    start(world, &mt_steer_servo_pi);
    world_run(world, 100.3);
    mt_discipline_report(&world->discipline, world_local(world), &report);
    mt_discipline_published(&world->discipline, &report, &published);
    assert_true(mt_span_to_real(published.lead) == 0 && published.gain == 0);
    assert_true(published.off_estimate == mt_real_abs(mt_span_to_real(report.estimate.offset)));
    assert_true(published.bound_growth == report.bound_growth);
    world->discipline.config.servo = NULL;
    mt_discipline_published(&world->discipline, &report, &published);
    assert_int_equal(mt_span_compare(published.lead, report.estimate.offset), 0);
    assert_true(published.off_estimate == 0 && published.gain == report.estimate.frequency);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(servo_is_as_good_as_the_original_when_noise_is_exponential),
        cmocka_unit_test(servo_is_told_what_was_applied_when_the_rate_is_coarse),
        cmocka_unit_test(servo_steps_when_the_user_wants_it_and_not_else),
        cmocka_unit_test(servo_sets_the_rate_at_once_when_it_has_stepped),
        cmocka_unit_test(servo_does_not_wind_up_when_the_range_ends),
        cmocka_unit_test(servo_begins_anew_when_the_source_changes),
        cmocka_unit_test(servo_is_near_the_optimum_when_it_is_a_kalman_filter),
        cmocka_unit_test(servo_levels_the_clock_when_its_source_is_gone_and_it_is_a_kalman_filter),
        cmocka_unit_test(servo_ends_its_slew_when_the_source_is_another_and_it_is_a_kalman_filter),
        cmocka_unit_test(servo_leaves_the_clock_alone_when_it_only_estimates),
        cmocka_unit_test(servo_has_the_clock_published_when_it_steers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
