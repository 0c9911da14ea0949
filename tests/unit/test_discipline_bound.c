/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The published bound where it is easily wrong: another reference, a step of the source, a source
 * that is itself somewhere on the way, a path that seems shorter than nothing.
 * The world counts readings outside the bound against the source that is followed.
 */
#include "discipline_worlds.h"

static void report_of(const struct world *world, struct mt_clock_quality_report *ret_report)
{
    mt_discipline_report(&world->discipline, world_local(world), ret_report);
}

static int64_t bound_ns(const struct world *world)
{
    struct mt_clock_quality_report report;

    report_of(world, &report);
    return mt_interval_to_ns(report.bound);
}

static bool has_bound(const struct world *world)
{
    struct mt_clock_quality_report report;

    report_of(world, &report);
    return report.reference != MT_BOUND_NONE;
}

static void discipline_has_no_bound_when_the_reference_is_another(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 3; seed++) {
        struct world *world = locked_world(seed);

        assert_true(has_bound(world));
        world->source_error[0] = 5e-3;
        mt_discipline_reset_source(&world->discipline, 0);
        mt_discipline_new_reference(&world->discipline, false);
        assert_false(has_bound(world));
        world_forget(world);
        world_run(world, 1);
        assert_false(has_bound(world));
        assert_int_equal(world->sums.estimate_count, 0);
        mt_discipline_select(&world->discipline, MT_SOURCE_NONE, world_now(world));
        assert_false(has_bound(world)); /* nor in holdover */
        mt_discipline_select(&world->discipline, 0, world_now(world));
        world_run(world, 200);
        assert_true(has_bound(world));
        assert_true(world->sums.estimate_count > 0);
        assert_int_equal(world->sums.outside_bound, 0);
    }
}

static void discipline_keeps_its_bound_when_the_reference_is_the_same(void **state)
{
    struct world *world = locked_world(4);

    (void)state;
    world->source_bound = (struct mt_interval){0};
    world_run(world, 2);
    world_forget(world);
    mt_discipline_reset_source(&world->discipline, 0);
    assert_true(has_bound(world));
    world_run(world, 2);
    assert_int_equal(world->sums.estimate_count, 0);
    assert_true(has_bound(world));
    world_run(world, 60);
    assert_int_equal(world->sums.outside_bound, 0);
}

/* what no sample has seen yet cannot be in the bound; the second that agrees is believed */
static void discipline_bound_contains_a_step_of_the_source_when_seen_twice(void **state)
{
    static const double steps[] = {5e-6, 1e-3, -20e-3, 0.5};

    (void)state;
    for (unsigned i = 0; i < sizeof steps / sizeof *steps; i++) {
        struct world *world = locked_world(5 + i);
        unsigned refused = world->verdicts[MT_SAMPLE_OUTLIER];

        world->has_reverse = i % 2 == 0;
        world->source_error[0] += steps[i];
        for (int part = 0; part < 400 && world->verdicts[MT_SAMPLE_OUTLIER] < refused + 2; part++) {
            world_run(world, world->interval / 8);
        }
        assert_int_equal(world->verdicts[MT_SAMPLE_OUTLIER], refused + 2);
        assert_true(bound_ns(world) > (int64_t)(1e9 * mt_real_abs(steps[i])));
        world_forget(world);
        world_run(world, 2 * world->interval);
        assert_int_equal(world->sums.outside_bound, 0);
        world->has_reverse = true;
        world_forget(world);
        world_run(world, 200);
        assert_int_equal(world->sums.outside_bound, 0);
        assert_true(has_bound(world));
    }
}

static void discipline_bound_grows_when_the_source_has_not_spoken_for_long(void **state)
{
    struct world *world = locked_world(9);
    struct mt_clock_quality_report report;
    mt_real growth;

    (void)state;
    world->source_bound = mt_interval_from_ns(500);
    world_run(world, 2);
    report_of(world, &report);
    assert_int_equal(report.parts.source_ns, 500);
    growth = report.bound_growth;
    world->source_bound_age = 4;
    world_run(world, 2);
    report_of(world, &report);
    assert_in_range(report.parts.source_ns, 4490, 4510); /* 1 ppm of 4 s */
    assert_true(report.bound_growth >= 2e-6);            /* its drift and our own */
    world->source_bound = (struct mt_interval){0};
    world->source_bound_age = 0;
    world_run(world, 2);
    report_of(world, &report);
    assert_true(report.bound_growth < growth);
}

static void discipline_bound_is_to_the_parent_when_that_says_nothing(void **state)
{
    struct world *world = locked_world(10);
    struct mt_clock_quality_report report;

    (void)state;
    world->source_bound = MT_INTERVAL_TOO_LARGE;
    world->source_bound_age = 4;
    world_run(world, 2);
    report_of(world, &report);
    assert_int_equal(report.reference, MT_BOUND_PARENT);
    assert_int_equal(report.parts.source_ns, 0);
    assert_false(mt_interval_is_too_large(report.bound));
}

/* The link's delay is known, but Sync waits, and the exchanges that measured it did not. */
static void discipline_allows_for_waiting_when_one_direction_tells_the_offset(void **state)
{
    const double delay = 100e-9;
    const double wait = 2e-6;

    (void)state;
    for (uint64_t seed = 1; seed <= 10; seed++) {
        struct world *world = usual_world(seed);

        world->noise = WORLD_EXPONENTIAL;
        world->jitter[0] = wait;
        world->delay[0] = delay + wait;
        world->has_reverse = false;
        world->told_delay = delay;
        world_start(world, NULL);
        world_run(world, 200);
        world_forget(world);
        world_run(world, 1000);
        assert_int_equal(world->sums.outside_bound, 0);
    }
}

static void discipline_allows_for_asymmetry_when_the_delay_seems_negative(void **state)
{
    struct world *world = usual_world(11);
    struct mt_clock_quality_report report;

    (void)state;
    world->delay[0] = world->delay[1] = -3e-6; /* latencies taken off too much */
    world_start(world, NULL);
    world_run(world, 100);
    report_of(world, &report);
    assert_in_range(report.parts.asymmetry_ns, 3000, 4000);

    world = usual_world(12);
    world->delay[0] = 200e-9; /* short, and all of it in one direction */
    world->delay[1] = 0;
    world_start(world, NULL);
    world_run(world, 50);
    world_forget(world);
    world_run(world, 400);
    assert_int_equal(world->sums.outside_bound, 0);
}

/* What a refused sample shows is not known: it does not make the estimate younger. */
static void discipline_bound_ages_when_samples_are_refused(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 5; seed++) {
        struct world *world = usual_world(seed);

        world->delay[0] = world->delay[1] = 200e-9;
        world->jitter[0] = world->jitter[1] = 20e-9;
        world_start(world, NULL);
        world_run(world, 400);
        world_forget(world);
        world->frequency += 0.9e-6; /* less than max_drift */
        world_run(world, 60);
        assert_true(world->verdicts[MT_SAMPLE_OUTLIER] > 0);
        assert_int_equal(world->sums.outside_bound, 0);
    }
}

/* the same grandmaster behind both, they say, but neither says how far it is from it */
static void discipline_leaves_its_bound_behind_when_it_leaves_a_silent_parent(void **state)
{
    struct world *world = usual_world(15);

    (void)state;
    world->source_bound = MT_INTERVAL_TOO_LARGE;
    world_start(world, NULL);
    world_run(world, 100);
    mt_discipline_select(&world->discipline, MT_SOURCE_NONE, world_now(world));
    assert_true(has_bound(world)); /* still against that parent */
    world->source_error[0] = 5e-3;
    mt_discipline_reset_source(&world->discipline, 0);
    mt_discipline_select(&world->discipline, 0, world_now(world));
    assert_false(has_bound(world));
    world_drain(world);
    world_forget(world);
    world_run(world, 60);
    assert_true(has_bound(world));
    assert_int_equal(world->sums.outside_bound, 0);
}

static void discipline_bound_is_to_the_parent_when_that_changes_its_grandmaster(void **state)
{
    struct world *world = locked_world(16);
    struct mt_clock_quality_report report;

    (void)state;
    world->source_bound = mt_interval_from_ns(500);
    world_run(world, 2);
    mt_discipline_new_reference(&world->discipline, false);
    report_of(world, &report);
    assert_int_equal(report.reference, MT_BOUND_PARENT);
    assert_int_equal(world->discipline.phase, MT_STEER_LOCKED);
    world_run(world, 2);
    report_of(world, &report);
    assert_int_equal(report.reference, MT_BOUND_SOURCE);
}

static void step_until_in_doubt(struct world *world, double step)
{
    unsigned refused = world->verdicts[MT_SAMPLE_OUTLIER];

    world->source_error[0] += step;
    for (int part = 0; part < 400 && world->verdicts[MT_SAMPLE_OUTLIER] < refused + 2; part++) {
        world_run(world, world->interval / 8);
    }
    assert_int_equal(world->verdicts[MT_SAMPLE_OUTLIER], refused + 2);
}

/* the grandmaster starts again: a step, and then silence */
static void discipline_has_no_bound_when_its_source_goes_in_doubt(void **state)
{
    struct world *world = usual_world(18);

    (void)state;
    world->source_bound = (struct mt_interval){0};
    world_start(world, NULL);
    world_run(world, 200);
    step_until_in_doubt(world, 1e-3);
    assert_true(has_bound(world));
    world->has_forward = world->has_reverse = false;
    world_forget(world);
    world_run(world, 20); /* in holdover, but the doubt is still known */
    assert_true(has_bound(world));
    assert_int_equal(world->sums.outside_bound, 0);
    mt_discipline_select(&world->discipline, MT_SOURCE_NONE, world_now(world));
    assert_false(has_bound(world));
}

static void discipline_believes_no_claim_when_its_sample_is_refused(void **state)
{
    struct world *world = usual_world(19);
    struct mt_clock_quality_report report;
    unsigned refused;

    (void)state;
    world->source_bound = mt_interval_from_ns(500);
    world_start(world, NULL);
    world_run(world, 200);
    mt_discipline_new_reference(&world->discipline, false);
    world->source_error[0] = 5e-3;
    refused = world->verdicts[MT_SAMPLE_OUTLIER];
    for (int part = 0; part < 100 && world->verdicts[MT_SAMPLE_OUTLIER] == refused; part++) {
        world_run(world, world->interval / 8);
    }
    assert_int_equal(world->verdicts[MT_SAMPLE_OUTLIER], refused + 1);
    report_of(world, &report);
    assert_int_equal(report.reference, MT_BOUND_PARENT);
}

/* that the old one says so now does not tell when it was measured */
static void discipline_needs_a_traceable_measurement_when_both_are_traceable(void **state)
{
    (void)state;
    for (int was_traceable = 0; was_traceable < 2; was_traceable++) {
        struct world *world = usual_world(19);

        world->source_bound = (struct mt_interval){0};
        world->reference_bound = was_traceable ? mt_interval_from_ns(100) : MT_INTERVAL_TOO_LARGE;
        world_start(world, NULL);
        world_run(world, 200);
        mt_discipline_reset_source(&world->discipline, 0);
        mt_discipline_new_reference(&world->discipline, true);
        assert_int_equal(has_bound(world), was_traceable);
    }
}

/* in 1970, and forbidden to step: what cannot be said in a TimeInterval is not claimed */
static void discipline_has_no_bound_when_the_clock_is_years_off(void **state)
{
    struct world *world = usual_world(14);
    struct mt_steer_config config;
    struct mt_clock_quality_report report;

    (void)state;
    mt_steer_config_init(&config);
    config.never_step_at_start = true;
    config.never_step_later = true;
    world->base.s = INT64_C(-56) * 365 * 86400;
    world_start(world, &config);
    world_run(world, 60);
    report_of(world, &report);
    assert_true(report.has_estimate);
    assert_false(has_bound(world));
    assert_true(mt_interval_is_too_large(report.bound));
}

static void discipline_has_no_bound_when_corrections_were_missed(void **state)
{
    struct world *world = locked_world(13);
    struct mt_applied applied = {.kind = MT_CORRECT_STEP, .step = span_ns(1000)};

    (void)state;
    assert_true(has_bound(world));
    world->base = mt_span_plus(world->base, span_ns(5 * MS)); /* of which we are not told ... */
    world->corrections += 2;
    applied.at = world_local(world);
    applied.corrections = world->corrections;
    mt_discipline_applied(&world->discipline, &applied);
    assert_false(has_bound(world));
    world_forget(world);
    world_run(world, 60);
    assert_true(has_bound(world));
    assert_int_equal(world->sums.outside_bound, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(discipline_has_no_bound_when_the_reference_is_another),
        cmocka_unit_test(discipline_keeps_its_bound_when_the_reference_is_the_same),
        cmocka_unit_test(discipline_bound_contains_a_step_of_the_source_when_seen_twice),
        cmocka_unit_test(discipline_bound_grows_when_the_source_has_not_spoken_for_long),
        cmocka_unit_test(discipline_bound_is_to_the_parent_when_that_says_nothing),
        cmocka_unit_test(discipline_allows_for_waiting_when_one_direction_tells_the_offset),
        cmocka_unit_test(discipline_allows_for_asymmetry_when_the_delay_seems_negative),
        cmocka_unit_test(discipline_bound_ages_when_samples_are_refused),
        cmocka_unit_test(discipline_leaves_its_bound_behind_when_it_leaves_a_silent_parent),
        cmocka_unit_test(discipline_bound_is_to_the_parent_when_that_changes_its_grandmaster),
        cmocka_unit_test(discipline_has_no_bound_when_its_source_goes_in_doubt),
        cmocka_unit_test(discipline_believes_no_claim_when_its_sample_is_refused),
        cmocka_unit_test(discipline_needs_a_traceable_measurement_when_both_are_traceable),
        cmocka_unit_test(discipline_has_no_bound_when_the_clock_is_years_off),
        cmocka_unit_test(discipline_has_no_bound_when_corrections_were_missed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
