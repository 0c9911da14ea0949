/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Two clocks that follow each other, as a card's clock with PTP and the machine's with NTP do: each
 * has a source of its own that comes and goes.
 */
#include "runtime/follow.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "number_clock.h"
#include "runtime/node.h"

#define STEP_NS INT64_C(125000000)
#define SECOND  INT64_C(1000000000)
#define OWN     0 /* sources */
#define OTHER   1

struct bench {
    struct mt_node node;
    struct mt_node_clock clocks[2];
    struct number_clock numbers[2];
    struct mt_discipline_source sources[2][2];
    bool has_source[2];
    struct mt_mono now;
};

enum { CARD, MACHINE };

static int64_t true_ns(const struct bench *self)
{
    return NUMBER_CLOCK_START_NS + self->now.ns;
}

static struct bench *bench_new(void)
{
    struct bench *self = calloc(1, sizeof *self);
    struct mt_steer_config steer;
    assert_non_null(self);
    mt_steer_config_init(&steer);
    self->now.ns = SECOND;
    self->node.clocks = self->clocks;
    self->node.clock_count = 2;
    self->node.local_link = MT_NODE_NO_LINK;
    for (int i = 0; i < 2; i++) {
        struct number_clock *number = &self->numbers[i];
        number_clock_init(number, &self->now, MT_SCALE_TAI);
        number->ns = true_ns(self) + (i == CARD ? 40000000 : -70000000);
        number->error = i == CARD ? 30e-6 : -12e-6;
        self->clocks[i].hal = &number->hal;
        self->clocks[i].follow =
            (struct mt_follow){.is_used = true, .leader = (uint16_t)(1 - i), .source = OTHER};
        mt_discipline_init(&self->clocks[i].discipline, &steer, self->sources[i], 2, MT_SCALE_TAI,
                           0, 0, false);
    }
    mt_node_start(&self->node, self->now);
    return self;
}

/* as an instance does that finds a transmitter, or loses it */
static void set_source(struct bench *self, int clock, bool has_source)
{
    struct mt_discipline *discipline = &self->clocks[clock].discipline;
    self->has_source[clock] = has_source;
    if (has_source) {
        mt_discipline_reset_source(discipline, OWN);
        mt_discipline_select(discipline, OWN, self->now);
    } else if (discipline->selected == OWN) {
        mt_discipline_select(discipline, MT_SOURCE_NONE, self->now);
    }
}

static void sample(struct bench *self, int clock)
{
    struct number_clock *number = &self->numbers[clock];
    const struct mt_sample sample = {
        .kind = MT_SAMPLE_OFFSET,
        .local = {mt_instant_from_ns(number->ns, MT_SCALE_TAI), number->corrections},
        .value = mt_span_from_ns(number->ns - true_ns(self)),
        .scale = MT_SCALE_TAI,
        .source = OWN,
        .bound = mt_interval_from_ns(100),
        .reference_bound = mt_interval_from_ns(100),
    };
    mt_discipline_sample(&self->clocks[clock].discipline, &sample, self->now);
}

static void run(struct bench *self, int64_t ns)
{
    for (int64_t i = 0; i < ns; i += STEP_NS) {
        self->now.ns += STEP_NS;
        for (int clock = 0; clock < 2; clock++) {
            number_clock_pass(&self->numbers[clock], STEP_NS);
        }
        for (int clock = 0; clock < 2; clock++) {
            if (self->has_source[clock]) {
                sample(self, clock);
            }
        }
        mt_node_input(&self->node, &(struct mt_input){.kind = MT_INPUT_NONE, .now = self->now});
    }
}

static int64_t error_of(const struct bench *self, int clock)
{
    return llabs((long long)(self->numbers[clock].ns - true_ns(self)));
}

static uint16_t selected(const struct bench *self, int clock)
{
    return self->clocks[clock].discipline.selected;
}

static void follow_leads_nobody_when_neither_clock_has_the_time(void **state)
{
    struct bench *bench = bench_new();
    run(bench, 20 * SECOND);
    assert_int_equal(selected(bench, CARD), MT_SOURCE_NONE);
    assert_int_equal(selected(bench, MACHINE), MT_SOURCE_NONE);
    assert_int_equal(bench->numbers[CARD].corrections, 0);
    assert_int_equal(bench->numbers[MACHINE].corrections, 0);
    free(bench);
}

static void follow_changes_its_direction_when_the_other_clock_has_the_source(void **state)
{
    struct bench *bench = bench_new();
    set_source(bench, CARD, true);
    run(bench, 30 * SECOND);
    assert_int_equal(selected(bench, MACHINE), OTHER);
    assert_true(error_of(bench, CARD) < 20);
    assert_true(error_of(bench, MACHINE) < 40);
    /* PTP is lost: the card's clock holds over, and leads on */
    set_source(bench, CARD, false);
    run(bench, 10 * SECOND);
    assert_int_equal(selected(bench, CARD), MT_SOURCE_NONE);
    assert_int_equal(selected(bench, MACHINE), OTHER);
    /* NTP is chosen for the machine's */
    mt_real before = bench->numbers[CARD].rate;
    set_source(bench, MACHINE, true);
    run(bench, SECOND);
    assert_int_equal(selected(bench, MACHINE), OWN);
    for (int i = 0; i < 240; i++) { /* it follows as soon as the other one has locked */
        run(bench, STEP_NS);
        assert_true(error_of(bench, CARD) < 200);
        assert_true(error_of(bench, MACHINE) < 200);
        assert_true(fabs((double)(bench->numbers[CARD].rate - before)) < 1e-6);
    }
    assert_int_equal(selected(bench, CARD), OTHER);
    assert_true(error_of(bench, CARD) < 40);
    free(bench);
}

static void follow_goes_in_no_circle_when_all_sources_are_lost(void **state)
{
    struct bench *bench = bench_new();
    set_source(bench, MACHINE, true);
    run(bench, 30 * SECOND);
    assert_int_equal(selected(bench, CARD), OTHER);
    set_source(bench, MACHINE, false);
    for (int i = 0; i < 800; i++) {
        run(bench, STEP_NS);
        assert_true(selected(bench, CARD) != OTHER || selected(bench, MACHINE) != OTHER);
        assert_int_equal(selected(bench, MACHINE),
                         MT_SOURCE_NONE); /* was right last, so it leads */
        assert_int_equal(selected(bench, CARD), OTHER);
    }
    set_source(bench, CARD, true); /* and PTP comes */
    run(bench, 20 * SECOND);
    assert_int_equal(selected(bench, CARD), OWN);
    assert_int_equal(selected(bench, MACHINE), OTHER);
    assert_true(error_of(bench, CARD) < 20);
    assert_true(error_of(bench, MACHINE) < 40);
    free(bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(follow_leads_nobody_when_neither_clock_has_the_time),
        cmocka_unit_test(follow_changes_its_direction_when_the_other_clock_has_the_source),
        cmocka_unit_test(follow_goes_in_no_circle_when_all_sources_are_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
