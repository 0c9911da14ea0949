/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What is published while sources step, fall silent, or show what cannot be: as the runtime does
 * it, ten times a second.
 */
#include "discipline_worlds.h"

#define HOUR_S 3600
#define PART   0.1 /* s between publications */

struct reader {
    struct mt_published published;
    struct mt_stamp at;
    unsigned without; /* publications that had neither estimate nor bound */
};

static void publish(struct reader *reader, const struct world *world)
{
    const struct mt_stamp now = {world_local(world), world->corrections};
    struct mt_clock_quality_report report;
    struct mt_published published;

    mt_discipline_report(&world->discipline, now.at, &report);
    mt_discipline_published(&world->discipline, &report, &published);
    reader->without += !published.is_estimate;
    mt_discipline_go_on(&world->discipline, &reader->published, &reader->at, &now, &published);
    reader->published = published;
    reader->at = now;
}

/* s: how far the published time is ahead of true time */
static double error_of(const struct reader *reader, const struct world *world)
{
    return world_offset(world) - mt_span_to_real(reader->published.lead);
}

static void run(struct reader *reader, struct world *world, double seconds)
{
    for (double end = world->t + seconds - PART / 2; world->t < end;) {
        world_run(world, PART);
        publish(reader, world);
    }
}

/* a clock that is an hour off and may not be touched */
static struct world *watching_world(uint64_t seed)
{
    struct world *world = usual_world(seed);
    struct mt_steer_config config;

    mt_steer_config_init(&config);
    config.estimates_only = true;
    world->base.s = HOUR_S;
    world_start(world, &config);
    return world;
}

/* each publication shows the time before the step or that after it, and nothing else */
static void assert_either(struct reader *reader, struct world *world, double step, double seconds)
{
    for (double end = world->t + seconds; world->t < end;) {
        double error;

        run(reader, world, PART);
        error = error_of(reader, world);
        assert_true(mt_real_abs(error) < 2e-6 || mt_real_abs(error - step) < 2e-6);
        assert_true(mt_real_abs(reader->published.gain - world->frequency) < 1e-6);
    }
}

static void published_goes_on_when_the_source_steps(void **state)
{
    static const double steps[] = {0.01, -0.5, 86400};

    (void)state;
    for (unsigned i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        struct world *world = watching_world(60 + i);
        struct reader reader = {.without = 0};

        run(&reader, world, 100);
        assert_true(mt_real_abs(error_of(&reader, world)) < 1e-6);
        reader.without = 0;
        world->source_error[0] = steps[i];
        assert_either(&reader, world, steps[i], 20);
        assert_true(mt_real_abs(error_of(&reader, world) - steps[i]) < 2e-6);
        assert_int_equal(world->verdicts[MT_SAMPLE_STEP], 1);
        assert_in_range(reader.without, 10, 50);
    }
}

/* an estimate that was never locked is followed no less */
static void published_goes_on_when_the_source_steps_before_the_lock(void **state)
{
    struct world *world = watching_world(64);
    struct reader reader = {.without = 0};

    (void)state;
    while (!reader.published.is_estimate) {
        run(&reader, world, PART);
    }
    run(&reader, world, 2);
    assert_true(world->locked_at < 0);
    reader.without = 0;
    world->source_error[0] = 1;
    assert_either(&reader, world, 1, 5);
    assert_true(mt_real_abs(error_of(&reader, world) - 1) < 2e-6);
    assert_in_range(reader.without, 10, 30);
}

static void correct(struct world *world, enum mt_correction_kind kind, struct mt_span step,
                    double rate)
{
    struct mt_applied applied = {.kind = kind, .step = step, .rate = rate};

    if (kind == MT_CORRECT_STEP) {
        world->base = mt_span_plus(world->base, step);
    } else {
        world->rate = rate;
    }
    applied.at = world_local(world);
    applied.corrections = ++world->corrections;
    mt_discipline_applied(&world->discipline, &applied);
}

static void published_goes_on_when_the_clock_is_corrected_meanwhile(void **state)
{
    struct world *world = watching_world(65);
    struct reader reader = {.without = 0};

    (void)state;
    run(&reader, world, 100);
    mt_discipline_reset_source(&world->discipline, 0);
    mt_discipline_new_reference(&world->discipline, false);
    world->has_forward = world->has_reverse = false;
    run(&reader, world, 2);
    for (int i = 0; i < 3; i++) {
        correct(world, MT_CORRECT_RATE, (struct mt_span){0, 0, 0}, 400e-6 * (1 - i));
        correct(world, MT_CORRECT_STEP, span_ns(-7 * MS), 0);
        run(&reader, world, 10);
        assert_true(mt_real_abs(error_of(&reader, world)) < 5e-6);
    }
    assert_true(reader.without > 300);
}

static void published_is_the_clock_when_corrections_were_missed(void **state)
{
    struct world *world = watching_world(66);
    struct reader reader = {.without = 0};

    (void)state;
    run(&reader, world, 100);
    world->corrections++;
    correct(world, MT_CORRECT_STEP, span_ns(-7 * MS), 0);
    publish(&reader, world);
    assert_false(reader.published.is_estimate);
    assert_true(reader.published.lead.s == 0 && reader.published.lead.ns == 0);
}

/* s/s: what a source shows from `begin` on, and how fast that grows */
static void misbehave(struct reader *reader, struct world *world, double rate, double growth)
{
    const double begin = world->t;
    const double possible = world->discipline.config.max_rate + 0.01;

    for (int i = 0; i < 600; i++) {
        double since = world->t - begin;

        /* between the samples, which come on the second and shortly after */
        world->source_error[0] = since * (rate + growth * since / 2);
        run(reader, world, 1);
        assert_true(mt_real_abs(reader->published.gain) < possible);
        assert_true(mt_real_abs(world->discipline.model.frequency) < possible);
    }
    assert_true(world->discipline.phase != MT_STEER_LOCKED);
    if (world->locked_at < 0 && growth >= 0) { /* else it is a step, again and again */
        assert_true(world->sources[0].verdicts[MT_SAMPLE_RUNAWAY] > 100);
    }
}

static void published_rate_stays_possible_when_the_source_shows_no_clock(void **state)
{
    static const struct {
        double rate, growth;
    } sources[] = {{-1, 0}, {-0.5, 0}, {0.02, 0}, {10, 0}, {0, 1e-4}, {0, -0.1}};

    (void)state;
    for (unsigned i = 0; i < 4 * sizeof sources / sizeof sources[0]; i++) {
        struct world *world = i % 2 == 0 ? watching_world(70 + i) : usual_world(70 + i);
        struct reader reader = {.without = 0};

        if (i % 2 != 0) {
            world_start(world, NULL);
        }
        world->is_random = false;
        run(&reader, world, i / 2 % 2 == 0 ? 0.5 : 100.5);
        misbehave(&reader, world, sources[i / 4].rate, sources[i / 4].growth);
    }
}

/* such a source is one again as soon as it behaves */
static void published_time_is_right_again_when_the_source_is_a_clock_again(void **state)
{
    struct world *world = watching_world(76);
    struct reader reader = {.without = 0};

    (void)state;
    world->is_random = false;
    run(&reader, world, 0.5);
    misbehave(&reader, world, -1, 0);
    world->source_error[0] = 0;
    run(&reader, world, 200);
    assert_int_equal(world->discipline.phase, MT_STEER_LOCKED);
    assert_true(mt_real_abs(error_of(&reader, world)) < 1e-6);
}

/* a laboratory's clock may be turned far, and then its oscillator may be far off */
static void published_rate_is_possible_when_the_clock_has_the_range(void **state)
{
    static const double ranges[] = {500e-6, 0.09};

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        struct world *world = new_world(77);
        struct mt_steer_config config;

        mt_steer_config_init(&config);
        config.max_rate = ranges[i];
        world->frequency = 0.05;
        world_start(world, &config);
        world_run(world, 100);
        assert_int_equal(world->discipline.phase == MT_STEER_LOCKED, i == 1);
        assert_int_equal(world->verdicts[MT_SAMPLE_RUNAWAY] > 0, i == 0);
    }
}

/* a lag is worth while only where it is small beside the error that there is anyhow */
static void published_turns_faster_when_the_oscillator_wanders_more(void **state)
{
    struct world *world = usual_world(78);
    struct reader reader = {.without = 0};
    struct mt_steer_config config;
    mt_real follow;

    (void)state;
    mt_steer_config_init(&config);
    world_start(world, &config);
    run(&reader, world, 100);
    world->discipline.settled_sigma = 1; /* no patience with a new source */
    publish(&reader, world);
    follow = reader.published.follow;
    assert_true(reader.published.max_slew == config.max_slew);
    world->discipline.model.wander = 1e-14;
    publish(&reader, world);
    assert_true(reader.published.max_slew == config.max_slew);
    world->discipline.model.wander = 1e-8;
    publish(&reader, world);
    assert_true(reader.published.max_slew > 10 * config.max_slew);
    assert_true(reader.published.max_slew < 0.2); /* it never stands still */
    assert_true(reader.published.follow < follow / 100);
    world->discipline.model.wander = 1e-4;
    publish(&reader, world);
    assert_true(reader.published.max_slew == 0.25);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_goes_on_when_the_source_steps),
        cmocka_unit_test(published_goes_on_when_the_source_steps_before_the_lock),
        cmocka_unit_test(published_goes_on_when_the_clock_is_corrected_meanwhile),
        cmocka_unit_test(published_is_the_clock_when_corrections_were_missed),
        cmocka_unit_test(published_rate_stays_possible_when_the_source_shows_no_clock),
        cmocka_unit_test(published_time_is_right_again_when_the_source_is_a_clock_again),
        cmocka_unit_test(published_rate_is_possible_when_the_clock_has_the_range),
        cmocka_unit_test(published_turns_faster_when_the_oscillator_wanders_more),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
