/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What the discipline of one clock does and tells: steps and slews, scales, corrections and
 * their answers, lock, bound, late samples across corrections.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "discipline_worlds.h"

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
    assert_int_equal(report.reference, MT_BOUND_PARENT);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
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
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
