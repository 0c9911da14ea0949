/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The discipline when others interfere or when little is known: corrections by someone else,
 * sources that are not followed, bad oscillators, stored rates.
 */
#include "discipline_worlds.h"

static void discipline_learns_the_wander_when_the_oscillator_is_bad(void **state)
{
    static const struct {
        double jitter;
        double interval;
        double limit; /* 1.5 x Kalman */
    } cells[] = {{1e-6, 0.125, 630e-9}, {10e-6, 1, 7.7e-6}};

    (void)state;
    for (int i = 0; i < 2; i++) {
        struct world *world = usual_world((uint64_t)(3 + i));

        world->jitter[0] = world->jitter[1] = cells[i].jitter;
        world->interval = cells[i].interval;
        world->wander = 1e-6;
        world_start(world, NULL);
        world_run(world, 300 * cells[i].interval);
        world_forget(world);
        world_run(world, 2000 * cells[i].interval);
        assert_true(world_estimate_rms(world) < cells[i].limit);
        assert_int_equal(world->sums.outside_bound, 0);
        assert_true(world->discipline.model.wander > 0.1e-12);
        assert_true(world->discipline.model.wander < 10e-12);
    }
}

/* what a filter that has grown stiff would take for noise */
static void discipline_follows_when_the_oscillator_turns_bad(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 2; seed++) {
        struct world *world = usual_world(seed);

        world->jitter[0] = world->jitter[1] = 1e-6;
        world->wander = 1e-10;
        world->reading_interval = 4;
        world_start(world, NULL);
        world_run(world, 8000);
        assert_true(world->discipline.model.wander < 1e-18);
        world->wander = 1e-7;
        world_run(world, 300);
        world_forget(world);
        world_run(world, 2000);
        assert_true(world_estimate_rms(world) < 900e-9);
        assert_int_equal(world->sums.outside_bound, 0);
    }
}

static void discipline_loses_lock_when_all_samples_are_refused(void **state)
{
    struct world *world = locked_world(2);

    (void)state;
    world->jitter[0] = world->jitter[1] = 1e-3;
    world_run(world, 4.6);
    assert_int_equal(world->verdicts[MT_SAMPLE_STEP], 0);
    assert_int_equal(world->discipline.phase, MT_STEER_ACQUIRING);
}

/* the published time does not need the range */
static void discipline_publishes_the_time_when_the_clock_wanders_out_of_range(void **state)
{
    unsigned saturated = 0;

    (void)state;
    for (uint64_t seed = 1; seed <= 3; seed++) {
        struct world *world = usual_world(seed);

        world->frequency = 495e-6;
        world->wander = 1e-6;
        world_start(world, NULL);
        world_run(world, 100);
        for (int i = 0; i < 1900; i++) {
            struct mt_clock_quality_report report;
            struct mt_published published;

            world_run(world, 1);
            mt_discipline_report(&world->discipline, world_local(world), &report);
            mt_discipline_published(&world->discipline, &report, &published);
            assert_true(mt_real_abs(world_offset(world) - mt_span_to_real(published.lead)) < 1e-5);
            assert_true(report.is_saturated || world->frequency < 510e-6);
            assert_true(!report.is_saturated || world->frequency > 490e-6);
            saturated += report.is_saturated;
        }
        assert_true(world->rate >= -500e-6);
        assert_int_equal(world->sums.outside_bound, 0);
        assert_in_range(world->sums.steps, 1, 3); /* back, if it ran 100 ms away */
    }
    assert_in_range(saturated, 500, 3 * 1900 - 500);
}

static void discipline_steps_once_when_jitter_is_huge(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 10; seed++) {
        struct world *world = usual_world(seed);

        world->jitter[0] = world->jitter[1] = 5e-3;
        world->delay[0] = world->delay[1] = 0.05;
        world_start(world, NULL);
        world_run(world, 300);
        assert_int_equal(world->discipline.steps, 1);
    }
}

static void discipline_keeps_late_samples_when_path_is_long_and_interval_short(void **state)
{
    struct world *world = usual_world(2);

    (void)state;
    world->interval = 1.0 / 64;
    world->delay[0] = world->delay[1] = 0.1;
    world_start(world, NULL);
    world_run(world, 30);
    assert_int_equal(world->verdicts[MT_SAMPLE_OLD], 0);
    assert_true(mt_real_abs(world_offset(world)) < 200e-9);
}

static void discipline_learns_nothing_when_a_source_is_not_followed(void **state)
{
    struct world *world = locked_world(3);
    struct mt_clock_model before;

    (void)state;
    world->has_forward = world->has_reverse = false;
    world_run(world, 5);
    before = world->discipline.model;
    world->has_forward = world->has_reverse = true;
    world->source = 1;
    for (int n = 0; n < 30; n++) { /* it runs away by 50 ppm */
        world->source_error[1] += 50e-6;
        world_run(world, 1);
    }
    assert_true(world->sources[1].verdicts[MT_SAMPLE_USED] > 40);
    assert_true(world->discipline.model.frequency == before.frequency);
    assert_true(world->discipline.model.wander == before.wander);
    assert_int_equal(world->discipline.phase, MT_STEER_HOLDOVER); /* the other one is silent */
}

static void someone_steps(struct world *world, struct mt_span by)
{
    struct mt_applied applied = {.kind = MT_CORRECT_STEP, .step = by};

    world->base = mt_span_plus(world->base, by);
    applied.at = world_local(world);
    applied.corrections = ++world->corrections;
    mt_discipline_applied(&world->discipline, &applied);
}

static void discipline_bound_contains_a_step_when_made_in_holdover(void **state)
{
    struct world *world = locked_world(4);
    struct mt_clock_quality_report report;

    (void)state;
    mt_discipline_select(&world->discipline, MT_SOURCE_NONE, world_now(world));
    world_drain(world);
    assert_true(mt_discipline_deadline(&world->discipline).ns == MT_MONO_NEVER.ns);
    mt_discipline_reset_source(&world->discipline, 0);
    mt_discipline_report(&world->discipline, world_local(world), &report);
    assert_in_range(report.parts.asymmetry_ns, 9000, 11000);
    assert_in_range(report.parts.steering_ns, 0, 1000);
    someone_steps(world, span_ns(-3 * MS));
    mt_discipline_report(&world->discipline, world_local(world), &report);
    assert_false(report.has_estimate);
    assert_in_range(report.parts.steering_ns, 2999000, 3001000);
}

static void discipline_plans_anew_when_someone_else_was_first(void **state)
{
    struct world *world = usual_world(5);
    struct mt_correction correction;
    struct mt_sample sample = {.scale = MT_SCALE_TAI};

    (void)state;
    world_start(world, NULL);
    for (int i = 0; i < 7; i++) {
        sample.kind = i % 2 ? MT_SAMPLE_REVERSE : MT_SAMPLE_FORWARD;
        sample.local.at = (struct mt_instant){1000, (uint32_t)i * 10 * MS, 0, MT_SCALE_TAI};
        sample.value = span_ns(i % 2 ? -1000 * MS + i : 1000 * MS);
        mt_discipline_sample(&world->discipline, &sample, mono_s(i * 0.01));
    }
    assert_true(world->discipline.has_next);
    someone_steps(world, (struct mt_span){-5, 0, 0});
    assert_true(mt_discipline_next_correction(&world->discipline, &correction));
    assert_int_equal(correction.kind, MT_CORRECT_STEP); /* not the 1 s back of before */
    assert_true(mt_real_abs(mt_span_to_real(correction.step) - 4) < 1e-6);
}

static void discipline_drops_its_plan_when_someone_else_was_first(void **state)
{
    struct world *world = locked_world(10);
    struct mt_correction correction;
    struct mt_applied applied = {.kind = MT_CORRECT_RATE, .rate = world->rate + 1e-6};

    (void)state;
    world->discipline.has_next = true; /* planned, not fetched yet */
    world->discipline.next.kind = MT_CORRECT_RATE;
    applied.at = world_local(world);
    applied.corrections = world->corrections + 1;
    mt_discipline_applied(&world->discipline, &applied);
    assert_false(mt_discipline_next_correction(&world->discipline, &correction));
}

static void discipline_slews_the_rest_when_the_first_offset_is_stepped(void **state)
{
    struct world *world = usual_world(11);

    (void)state;
    world_start(world, NULL);
    while (world->discipline.steps == 0) {
        world_run(world, 0.01);
    }
    world->offset += 60e-6; /* six times what would be stepped at the start */
    world_run(world, 100);
    assert_int_equal(world->discipline.steps, 1);
    assert_true(mt_real_abs(world_offset(world)) < 300e-9);
}

static void discipline_sets_the_rate_at_once_when_it_has_stepped(void **state)
{
    struct world *world = usual_world(6);

    (void)state;
    world->interval = 16;
    world->frequency = 100e-6;
    world_start(world, NULL);
    while (world->discipline.steps == 0) {
        world_run(world, 0.001);
    }
    assert_true(mt_real_abs(world->rate + world->frequency) < 1e-6);
}

static void discipline_keeps_the_stored_rate_when_jitter_is_large(void **state)
{
    struct world *world = new_world(7);
    struct mt_steer_config config;
    mt_real rate;

    (void)state;
    mt_steer_config_init(&config);
    world->frequency = 30e-6;
    world->jitter[0] = world->jitter[1] = 1e-3;
    world_start(world, &config);
    mt_discipline_init(&world->discipline, &config, world->sources, WORLD_SOURCES, MT_SCALE_TAI, 0,
                       -30e-6, true);
    mt_discipline_select(&world->discipline, 0, mono_s(0));
    world_drain(world);
    for (int n = 0; n < 10; n++) {
        world_run(world, 1);
        rate = world->rate - world->discipline.model.frequency; /* even, without a slew */
        assert_true(mt_real_abs(rate + 30e-6) < 15e-6);
    }
    assert_true(world->discipline.model.is_known);

    config.estimates_only = true; /* then nobody has set the rate, and nothing may be stored */
    world_init(world, 8);
    world_start(world, &config);
    mt_discipline_init(&world->discipline, &config, world->sources, WORLD_SOURCES, MT_SCALE_TAI, 0,
                       -30e-6, true);
    mt_discipline_select(&world->discipline, 0, mono_s(0));
    world_run(world, 60);
    assert_true(world->discipline.has_locked_once);
    assert_false(mt_discipline_drift(&world->discipline, &rate));
}

static void discipline_claims_no_traceability_when_the_scale_is_arbitrary(void **state)
{
    struct world *world = usual_world(9);
    struct mt_clock_quality_report report;

    (void)state;
    world->scale = world->source_scale = MT_SCALE_ARB;
    world->source_bound = mt_interval_from_ns(10);
    world->reference_bound = mt_interval_from_ns(20);
    world_start(world, NULL);
    world_run(world, 60);
    mt_discipline_report(&world->discipline, world_local(world), &report);
    assert_int_equal(report.reference, MT_BOUND_SOURCE);
    assert_int_equal(report.parts.source_ns, 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(discipline_learns_the_wander_when_the_oscillator_is_bad),
        cmocka_unit_test(discipline_follows_when_the_oscillator_turns_bad),
        cmocka_unit_test(discipline_loses_lock_when_all_samples_are_refused),
        cmocka_unit_test(discipline_publishes_the_time_when_the_clock_wanders_out_of_range),
        cmocka_unit_test(discipline_steps_once_when_jitter_is_huge),
        cmocka_unit_test(discipline_keeps_late_samples_when_path_is_long_and_interval_short),
        cmocka_unit_test(discipline_learns_nothing_when_a_source_is_not_followed),
        cmocka_unit_test(discipline_bound_contains_a_step_when_made_in_holdover),
        cmocka_unit_test(discipline_plans_anew_when_someone_else_was_first),
        cmocka_unit_test(discipline_drops_its_plan_when_someone_else_was_first),
        cmocka_unit_test(discipline_slews_the_rest_when_the_first_offset_is_stepped),
        cmocka_unit_test(discipline_sets_the_rate_at_once_when_it_has_stepped),
        cmocka_unit_test(discipline_keeps_the_stored_rate_when_jitter_is_large),
        cmocka_unit_test(discipline_claims_no_traceability_when_the_scale_is_arbitrary),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
