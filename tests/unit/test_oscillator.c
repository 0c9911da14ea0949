/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What is learned of an oscillator over hours, and what is predicted from it.
 */
#include "meantime/steer_oscillator.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "meantime/prng.h"

#define STEP_S 8

/* A truth of which the estimator sees a little less. */
struct truth {
    struct mt_prng prng;
    double frequency;
    double ageing;      /* per s */
    double coefficient; /* per K */
    double wander;      /* per sqrt(s) */
    double noise;
    double swing;     /* K, up and down within two hours */
    double unrelated; /* the sensor sees this of something else, K */
    double t_s;
};

static double normal(struct mt_prng *prng)
{
    double sum = 0;
    for (int i = 0; i < 12; i++) {
        sum += (double)mt_prng_next_u32(prng) / 4294967296.0;
    }
    return sum - 6;
}

static double kelvin_of(const struct truth *self)
{
    return self->swing * sin(self->t_s * 6.283185307 / 7200);
}

static void run(struct mt_steer_oscillator *oscillator, struct truth *truth, double seconds,
                bool has_sensor)
{
    for (double end_s = truth->t_s + seconds; truth->t_s < end_s; truth->t_s += STEP_S) {
        truth->frequency += truth->wander * sqrt(STEP_S) * normal(&truth->prng);
        truth->frequency += truth->ageing * STEP_S;
        double kelvin = kelvin_of(truth);
        double sensor = 300 + kelvin + truth->unrelated * sin(truth->t_s * 6.283185307 / 5000);
        double frequency = truth->frequency + truth->coefficient * kelvin;
        mt_steer_oscillator_observe(
            oscillator, (mt_real)(frequency + truth->noise * normal(&truth->prng)),
            (mt_real)truth->noise, 4, has_sensor ? (mt_real)sensor : (mt_real)NAN,
            (struct mt_mono){(int64_t)(truth->t_s * 1e9)});
    }
}

static void begin(struct mt_steer_oscillator *oscillator, struct truth *truth, unsigned seed)
{
    mt_steer_oscillator_init(oscillator);
    mt_prng_init(&truth->prng, seed);
}

static bool is_within(double x, double least, double most)
{
    if (!(x >= least && x <= most)) {
        print_message("%g is not within %g and %g\n", x, least, most);
    }
    return x >= least && x <= most;
}

static void oscillator_learns_the_walk_when_there_is_nothing_else(void **state)
{
    for (unsigned seed = 1; seed <= 20; seed++) {
        struct mt_steer_oscillator oscillator;
        struct truth truth = {.frequency = 3e-6, .wander = 1e-10, .noise = 1e-10};
        begin(&oscillator, &truth, seed);
        run(&oscillator, &truth, 1700, false);
        assert_false(mt_steer_oscillator_is_known(&oscillator));
        run(&oscillator, &truth, 4 * 3600, false);
        assert_true(mt_steer_oscillator_is_known(&oscillator));
        /* never less than it is, and no more than twice the deviation */
        assert_true(is_within(sqrt(oscillator.known.wander), 0.95e-10, 2.2e-10));
        assert_false(oscillator.known.uses_temperature);
        assert_true(is_within(oscillator.frequency - truth.frequency, -2e-9, 2e-9));
    }
}

static void oscillator_finds_ageing_when_it_is_beyond_doubt(void **state)
{
    const struct mt_steer_oscillator_past past = {.age_s = 3600};
    for (unsigned seed = 1; seed <= 20; seed++) {
        struct mt_steer_oscillator oscillator;
        struct truth truth = {.ageing = 1e-12, .wander = 1e-12, .noise = 1e-11};
        begin(&oscillator, &truth, seed);
        run(&oscillator, &truth, 6 * 3600, false);
        assert_true(is_within(oscillator.known.ageing, 0.9e-12, 1.1e-12));
        assert_true(
            is_within(mt_steer_oscillator_change(&oscillator, &past), 0.9 * 3.6e-9, 1.1 * 3.6e-9));
        truth = (struct truth){.ageing = 1e-15, .wander = 1e-10, .noise = 1e-11};
        begin(&oscillator, &truth, seed);
        run(&oscillator, &truth, 6 * 3600, false);
        assert_true(mt_steer_oscillator_change(&oscillator, &past) == 0);
    }
}

static void oscillator_uses_temperature_when_it_explains_the_frequency(void **state)
{
    const struct mt_steer_oscillator_past past = {.age_s = 600, .kelvin = 2};
    for (unsigned seed = 1; seed <= 20; seed++) {
        struct mt_steer_oscillator oscillator;
        struct truth truth = {.coefficient = 5e-8, .wander = 1e-11, .noise = 1e-11, .swing = 1};
        begin(&oscillator, &truth, seed);
        run(&oscillator, &truth, 6 * 3600, true);
        assert_true(oscillator.known.uses_temperature);
        assert_true(is_within(oscillator.known.coefficient, 4.9e-8, 5.1e-8));
        assert_true(is_within(mt_steer_oscillator_change(&oscillator, &past), 0.95e-7, 1.05e-7));
        /* what is left is much less than what temperature does */
        assert_true(is_within(sqrt(oscillator.known.wander), 1e-11, 1e-9));
    }
}

static void oscillator_leaves_temperature_alone_when_it_explains_nothing(void **state)
{
    const struct mt_steer_oscillator_past past = {.age_s = 600, .kelvin = 2};
    for (unsigned seed = 1; seed <= 20; seed++) {
        struct mt_steer_oscillator oscillator;
        struct truth truth = {.wander = 1e-10, .noise = 1e-11, .unrelated = 3};
        begin(&oscillator, &truth, seed);
        run(&oscillator, &truth, 6 * 3600, true);
        assert_false(oscillator.known.uses_temperature);
        assert_true(mt_steer_oscillator_change(&oscillator, &past) == 0);
    }
}

static void oscillator_learns_nothing_while_its_thermometer_is_silent(void **state)
{
    for (unsigned seed = 1; seed <= 20; seed++) {
        struct mt_steer_oscillator oscillator;
        struct truth truth = {.coefficient = 5e-8, .wander = 1e-11, .noise = 1e-11, .swing = 1};
        begin(&oscillator, &truth, seed);
        run(&oscillator, &truth, 6 * 3600, true);
        for (unsigned i = 0; i < 8; i++) { /* so often that it would show in all that is learned */
            run(&oscillator, &truth, 900, false);
            run(&oscillator, &truth, 1800, true);
        }
        assert_true(oscillator.known.uses_temperature);
        assert_true(is_within(oscillator.known.coefficient, 4.9e-8, 5.1e-8));
        assert_true(is_within(sqrt(oscillator.known.wander), 1e-11, 1e-9));
    }
}

static void oscillator_is_learned_anew_when_its_thermometer_is_gone(void **state)
{
    const struct mt_steer_oscillator_past past = {.age_s = 600, .kelvin = 2};
    struct mt_steer_oscillator oscillator;
    struct truth truth = {.coefficient = 5e-8, .wander = 1e-11, .noise = 1e-11, .swing = 1};
    begin(&oscillator, &truth, 1);
    run(&oscillator, &truth, 6 * 3600, true);
    run(&oscillator, &truth, 1300, false);
    assert_false(mt_steer_oscillator_is_known(&oscillator));
    run(&oscillator, &truth, 6 * 3600, false);
    assert_true(mt_steer_oscillator_is_known(&oscillator));
    assert_false(oscillator.known.uses_temperature);
    assert_true(mt_steer_oscillator_change(&oscillator, &past) == 0);
    /* what temperature does in half a swing */
    assert_true(oscillator.known.wander * 3600 > 0.1 * 5e-8 * 5e-8);
}

/* A restart that takes so many seconds. */
static void remember(struct mt_steer_oscillator *after, const struct mt_steer_oscillator *before,
                     struct truth *truth, double away_s)
{
    struct mt_steer_oscillator_memory memory;
    const struct mt_mono now = {(int64_t)(truth->t_s * 1e9)};
    assert_true(mt_steer_oscillator_recall(before, &memory, now));
    assert_true(mt_steer_oscillator_is_sound(&memory));
    truth->frequency += truth->wander * sqrt(away_s) * normal(&truth->prng);
    truth->frequency += truth->ageing * away_s;
    truth->t_s += away_s;
    memory.age_s += (mt_real)away_s;
    mt_steer_oscillator_remember(after, &memory, (struct mt_mono){12345}); /* booted just now */
    truth->t_s = 0;
}

static void oscillator_knows_what_it_knew_when_it_is_begun_again(void **state)
{
    struct mt_steer_oscillator before;
    struct mt_steer_oscillator after;
    struct truth truth = {.coefficient = 5e-8, .wander = 1e-11, .noise = 1e-11, .swing = 1};
    const struct mt_steer_oscillator_past past = {.age_s = 600, .kelvin = 2};
    begin(&before, &truth, 1);
    run(&before, &truth, 6 * 3600, true);
    remember(&after, &before, &truth, 60);
    assert_false(mt_steer_oscillator_is_known(&after));
    assert_true(mt_steer_oscillator_change(&after, &past) == 0);
    run(&after, &truth, 80, true);
    assert_int_equal(after.memory, MT_STEER_MEMORY_BELIEVED);
    assert_true(mt_steer_oscillator_is_known(&after));
    assert_true(mt_steer_oscillator_change(&after, &past) ==
                mt_steer_oscillator_change(&before, &past));
    run(&after, &truth, 1800, true);
    assert_true(is_within(after.known.coefficient, 4.9e-8, 5.1e-8));
    assert_true(after.known.uses_temperature);
}

static void oscillator_forgets_what_it_knew_when_it_is_another_one(void **state)
{
    for (unsigned seed = 1; seed <= 20; seed++) {
        struct mt_steer_oscillator before;
        struct mt_steer_oscillator after;
        struct truth truth = {.frequency = 3e-6, .wander = 1e-11, .noise = 1e-11};
        begin(&before, &truth, seed);
        run(&before, &truth, 6 * 3600, false);
        remember(&after, &before, &truth, 60);
        truth.frequency += seed % 2 == 0 ? 1e-7 : -1e-7;
        run(&after, &truth, 80, false);
        assert_int_equal(after.memory, MT_STEER_MEMORY_REFUTED);
        assert_false(mt_steer_oscillator_is_known(&after));
        assert_true(after.known.wander == 1e-18);
        assert_true(is_within(after.frequency - truth.frequency, -1e-9, 1e-9));
        run(&after, &truth, 4 * 3600, false); /* it is learned as if there had been nothing */
        assert_true(mt_steer_oscillator_is_known(&after));
        assert_true(is_within(after.known.observed_s, 3.5 * 3600, 4.1 * 3600));
        assert_true(is_within(sqrt(after.known.wander), 0.9e-11, 2.2e-11));
    }
}

/* It is where it was, but more restless: seen at once, or by the walk that is learned. */
static void oscillator_forgets_or_widens_when_it_is_more_restless_than_it_was(void **state)
{
    unsigned refuted = 0;
    for (unsigned seed = 1; seed <= 20; seed++) {
        struct mt_steer_oscillator before;
        struct mt_steer_oscillator after;
        struct truth truth = {.frequency = 3e-6, .wander = 1e-12, .noise = 1e-12};
        begin(&before, &truth, seed);
        run(&before, &truth, 6 * 3600, false);
        remember(&after, &before, &truth, 60);
        truth.wander = 5e-11;
        run(&after, &truth, 20 * 64, false);
        refuted += after.memory == MT_STEER_MEMORY_REFUTED;
        assert_true(after.known.wander > 1e-21);
    }
    assert_in_range(refuted, 15, 20);
}

/* So much can have happened that any oscillator could be where this one is. */
static void oscillator_believes_nothing_when_it_was_away_for_too_long(void **state)
{
    static const struct {
        double away_s;
        enum mt_steer_memory_state state;
    } cases[] = {{60, MT_STEER_MEMORY_BELIEVED},
                 {3600, MT_STEER_MEMORY_BELIEVED},
                 {30 * 86400.0, MT_STEER_MEMORY_REFUTED}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct mt_steer_oscillator before;
        struct mt_steer_oscillator after;
        struct truth truth = {.frequency = 3e-6, .wander = 1e-10, .noise = 1e-10};
        begin(&before, &truth, 1);
        run(&before, &truth, 6 * 3600, false);
        remember(&after, &before, &truth, cases[i].away_s);
        run(&after, &truth, 80, false);
        assert_int_equal(after.memory, cases[i].state);
    }
}

static void oscillator_needs_its_thermometer_when_it_remembers_temperature(void **state)
{
    struct mt_steer_oscillator before;
    struct mt_steer_oscillator after;
    struct truth truth = {.coefficient = 5e-8, .wander = 1e-11, .noise = 1e-11, .swing = 1};
    begin(&before, &truth, 1);
    run(&before, &truth, 6 * 3600, true);
    remember(&after, &before, &truth, 60);
    run(&after, &truth, 80, false);
    assert_int_equal(after.memory, MT_STEER_MEMORY_REFUTED);
    assert_false(after.known.uses_temperature);
}

/* An oscillator has become quieter: the old walk counts until as much has been seen. */
static void oscillator_counts_what_it_sees_alone_when_it_has_seen_as_much(void **state)
{
    struct mt_steer_oscillator before;
    struct mt_steer_oscillator after;
    struct truth truth = {.wander = 1e-10, .noise = 1e-11};
    begin(&before, &truth, 1);
    run(&before, &truth, 3 * 3600, false);
    remember(&after, &before, &truth, 60);
    truth.wander = 1e-12;
    run(&after, &truth, 2.9 * 3600, false);
    assert_int_equal(after.memory, MT_STEER_MEMORY_BELIEVED);
    assert_true(after.known.wander == before.known.wander);
    assert_true(after.known.observed_s == before.known.observed_s);
    run(&after, &truth, 0.2 * 3600, false);
    assert_int_equal(after.memory, MT_STEER_MEMORY_REPLACED);
    assert_true(is_within(sqrt(after.known.wander), 1e-12, 2e-11));
    assert_true(is_within(after.known.observed_s, 0.88 * 3 * 3600, 3.2 * 3600));
}

static void oscillator_gives_nothing_to_keep_when_it_has_learned_nothing(void **state)
{
    struct mt_steer_oscillator oscillator;
    struct mt_steer_oscillator_memory memory;
    struct truth truth = {.wander = 1e-10, .noise = 1e-11};
    begin(&oscillator, &truth, 1);
    assert_false(mt_steer_oscillator_recall(&oscillator, &memory, (struct mt_mono){0}));
    run(&oscillator, &truth, 1700, false);
    assert_false(mt_steer_oscillator_recall(&oscillator, &memory, (struct mt_mono){0}));
    run(&oscillator, &truth, 500, false);
    assert_true(mt_steer_oscillator_recall(&oscillator, &memory,
                                           (struct mt_mono){(int64_t)(truth.t_s * 1e9) + 5}));
    assert_true(is_within(memory.age_s, 0, 80));
    mt_steer_oscillator_remember(&oscillator, &memory, (struct mt_mono){0});
    assert_false(mt_steer_oscillator_recall(&oscillator, &memory, (struct mt_mono){0}));
}

static void oscillator_finds_a_memory_unsound_when_a_number_is_out_of_range(void **state)
{
    static const struct mt_steer_oscillator_memory sound = {.ageing_sigma = 1e-13,
                                                            .coefficient_sigma = 1e-6,
                                                            .kelvin = 40,
                                                            .kelvin_low = 39,
                                                            .kelvin_high = 41,
                                                            .wander = 1e-20,
                                                            .observed_s = 3600,
                                                            .frequency_sigma = 1e-9};
    static const mt_real spoilt[] = {(mt_real)NAN, (mt_real)INFINITY, -(mt_real)INFINITY, 1e30,
                                     -1e30};
    static const size_t members[] = {
        offsetof(struct mt_steer_oscillator_memory, ageing),
        offsetof(struct mt_steer_oscillator_memory, ageing_sigma),
        offsetof(struct mt_steer_oscillator_memory, coefficient),
        offsetof(struct mt_steer_oscillator_memory, coefficient_sigma),
        offsetof(struct mt_steer_oscillator_memory, kelvin),
        offsetof(struct mt_steer_oscillator_memory, kelvin_low),
        offsetof(struct mt_steer_oscillator_memory, kelvin_high),
        offsetof(struct mt_steer_oscillator_memory, wander),
        offsetof(struct mt_steer_oscillator_memory, observed_s),
        offsetof(struct mt_steer_oscillator_memory, frequency),
        offsetof(struct mt_steer_oscillator_memory, frequency_sigma),
        offsetof(struct mt_steer_oscillator_memory, age_s),
    };
    assert_true(mt_steer_oscillator_is_sound(&sound));
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        for (size_t j = 0; j < sizeof spoilt / sizeof spoilt[0]; j++) {
            struct mt_steer_oscillator_memory memory = sound;
            struct mt_steer_oscillator oscillator;
            memcpy((char *)&memory + members[i], &spoilt[j], sizeof spoilt[j]);
            assert_false(mt_steer_oscillator_is_sound(&memory));
            mt_steer_oscillator_remember(&oscillator, &memory, (struct mt_mono){0});
            assert_int_equal(oscillator.memory, MT_STEER_MEMORY_NONE);
        }
    }
    struct mt_steer_oscillator_memory memory = sound;
    memory.wander = 0; /* no oscillator is that good */
    assert_false(mt_steer_oscillator_is_sound(&memory));
}

/* ---- the bound ------------------------------------------------------------------------------- */

static double bound_us(const struct mt_steer_oscillator *oscillator, double age_s, double beyond)
{
    static struct mt_discipline discipline;
    struct mt_clock_quality_report report = {.bound = mt_interval_from_ns(100)};
    const struct mt_steer_oscillator_past past = {.age_s = (mt_real)age_s,
                                                  .beyond = (mt_real)beyond};
    mt_real growth;
    mt_steer_oscillator_report(oscillator, &discipline, &past, &report, &growth);
    assert_true(growth > 0);
    assert_true(mt_interval_to_ns(report.bound) == report.parts.estimate_ns + 100);
    return (double)report.parts.estimate_ns / 1e3;
}

/* 5 sigma of the walk w t^(3/2) / sqrt(3), and more where nobody has looked. */
static void oscillator_bounds_more_than_the_walk_when_time_passes(void **state)
{
    for (unsigned seed = 1; seed <= 20; seed++) {
        struct mt_steer_oscillator oscillator;
        struct truth truth = {.wander = 1e-10, .noise = 1e-10};
        begin(&oscillator, &truth, seed);
        run(&oscillator, &truth, 4 * 3600, false);
        for (double t = 100; t < 100000; t *= 3) {
            double walk_us = 1e-10 * t * sqrt(t / 3) * 1e6;
            assert_true(bound_us(&oscillator, t, 0) > 4.5 * walk_us);
            assert_true(bound_us(&oscillator, t, 0) < 40 * walk_us);
        }
        /* 10 K s outside of what was seen, and up to 1 ppm / K */
        assert_true(
            is_within(bound_us(&oscillator, 100, 10) - bound_us(&oscillator, 100, 0), 9, 11));
    }
}

/* The frequency changes from now on; until now nothing does. */
static void discipline_gains_more_from_now_on_when_its_frequency_is_shifted(void **state)
{
    struct mt_discipline discipline = {.selected = MT_SOURCE_NONE,
                                       .phase = MT_STEER_HOLDOVER,
                                       .has_anchor = true,
                                       .slew_end = MT_MONO_NEVER,
                                       .model = {.is_known = true, .wander = MT_REAL(1e-20)},
                                       .config = {.max_rate = MT_REAL(1e-4)}};
    const struct mt_instant now = {.s = 1000, .scale = MT_SCALE_TAI};
    const struct mt_instant later = {.s = 1100, .scale = MT_SCALE_TAI};
    struct mt_clock_quality_report report;
    struct mt_correction correction;
    discipline.anchor.track.at = (struct mt_instant){.s = 400, .scale = MT_SCALE_TAI};
    discipline.anchor.track.x[1] = MT_REAL(1e-9);
    mt_discipline_shift_frequency(&discipline, MT_REAL(1e-7), &now);
    mt_discipline_report(&discipline, now, &report);
    assert_int_equal(mt_span_to_ns(report.estimate.offset), 600);
    mt_discipline_report(&discipline, later, &report);
    assert_int_equal(mt_span_to_ns(report.estimate.offset), 600 + 100 + 10000);
    assert_true(mt_discipline_next_correction(&discipline, &correction));
    assert_true(is_within(correction.rate, -1.001e-7, -0.999e-7));
    discipline.phase = MT_STEER_LOCKED; /* then the source knows better */
    mt_discipline_shift_frequency(&discipline, MT_REAL(1e-7), &now);
    assert_true(is_within(discipline.model.frequency, 0.999e-7, 1.001e-7));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(oscillator_learns_the_walk_when_there_is_nothing_else),
        cmocka_unit_test(oscillator_finds_ageing_when_it_is_beyond_doubt),
        cmocka_unit_test(oscillator_uses_temperature_when_it_explains_the_frequency),
        cmocka_unit_test(oscillator_leaves_temperature_alone_when_it_explains_nothing),
        cmocka_unit_test(oscillator_learns_nothing_while_its_thermometer_is_silent),
        cmocka_unit_test(oscillator_is_learned_anew_when_its_thermometer_is_gone),
        cmocka_unit_test(oscillator_knows_what_it_knew_when_it_is_begun_again),
        cmocka_unit_test(oscillator_forgets_what_it_knew_when_it_is_another_one),
        cmocka_unit_test(oscillator_forgets_or_widens_when_it_is_more_restless_than_it_was),
        cmocka_unit_test(oscillator_believes_nothing_when_it_was_away_for_too_long),
        cmocka_unit_test(oscillator_needs_its_thermometer_when_it_remembers_temperature),
        cmocka_unit_test(oscillator_counts_what_it_sees_alone_when_it_has_seen_as_much),
        cmocka_unit_test(oscillator_gives_nothing_to_keep_when_it_has_learned_nothing),
        cmocka_unit_test(oscillator_finds_a_memory_unsound_when_a_number_is_out_of_range),
        cmocka_unit_test(oscillator_bounds_more_than_the_walk_when_time_passes),
        cmocka_unit_test(discipline_gains_more_from_now_on_when_its_frequency_is_shifted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
