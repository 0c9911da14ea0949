/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The state of a clock: what it enters, when, and what it remembers.
 */
#include "runtime/holdover_duty.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "runtime/node.h"

#define S  INT64_C(1000000000)
#define US INT64_C(1000)

struct bench {
    struct mt_node node;
    struct mt_node_clock clocks[2];
    struct mt_hal_clock hal;
    struct mt_node_refclock refclock;
};
static struct bench *bench;
static struct mt_node_clock *clock_0;

static int set_up(void **state)
{
    bench = calloc(1, sizeof *bench);
    clock_0 = &bench->clocks[0];
    bench->node.clocks = bench->clocks;
    bench->node.clock_count = 2;
    bench->node.refclocks = &bench->refclock;
    bench->node.refclock_count = 1;
    bench->clocks[0].hal = &bench->hal;
    bench->clocks[1].hal = &bench->hal;
    bench->refclock.clock = 0;
    bench->refclock.source = 0;
    bench->clocks[1].discipline.selected = MT_SOURCE_NONE;
    return 0;
}

static int tear_down(void **state)
{
    free(bench);
    return 0;
}

static void judge_at(int64_t now_ns, enum mt_steer_phase phase, int64_t bound_ns)
{
    bool is_known = bound_ns >= 0;
    clock_0->discipline.phase = phase;
    clock_0->report.reference = is_known ? MT_BOUND_TRACEABLE : MT_BOUND_NONE;
    clock_0->page.state = (uint8_t)phase;
    clock_0->page.bound_reference = (uint8_t)clock_0->report.reference;
    clock_0->page.bound_ns = is_known ? bound_ns : 0;
    clock_0->page.base_at_anchor_ns = now_ns + 7;
    mt_holdover_judge(&bench->node, 0, (struct mt_mono){now_ns});
}

static void assert_state(enum mt_quality_state state, enum mt_quality_rung rung, int64_t since_ns)
{
    assert_int_equal(clock_0->holdover.state, state);
    assert_int_equal(clock_0->holdover.rung, rung);
    assert_int_equal(clock_0->holdover.since.ns, since_ns);
    assert_int_equal(clock_0->holdover.since_base_ns, since_ns + 7);
}

static unsigned events_of(enum mt_node_event_kind kind)
{
    struct mt_node_event event;
    unsigned count = 0;
    while (mt_node_next_event(&bench->node, &event)) {
        count += event.kind == kind;
    }
    return count;
}

static void holdover_goes_through_all_states_when_a_source_comes_and_goes(void **state)
{
    clock_0->holdover.accuracy_ns = 2 * US;
    judge_at(1 * S, MT_STEER_IDLE, -1);
    assert_state(MT_QUALITY_STATE_FREE_RUN, MT_QUALITY_FREE, 1 * S);
    judge_at(2 * S, MT_STEER_ACQUIRING, US);
    assert_state(MT_QUALITY_STATE_ACQUIRING, MT_QUALITY_FREE, 2 * S);
    judge_at(3 * S, MT_STEER_LOCKED, US);
    assert_state(MT_QUALITY_STATE_LOCKED, MT_QUALITY_LOCKED, 3 * S);
    judge_at(4 * S, MT_STEER_LOCKED, US);
    assert_state(MT_QUALITY_STATE_LOCKED, MT_QUALITY_LOCKED, 3 * S);
    judge_at(5 * S, MT_STEER_HOLDOVER, US);
    assert_state(MT_QUALITY_STATE_HOLDOVER, MT_QUALITY_HOLDOVER, 5 * S);
    judge_at(6 * S, MT_STEER_HOLDOVER, 2 * US);
    assert_state(MT_QUALITY_STATE_HOLDOVER, MT_QUALITY_HOLDOVER, 5 * S);
    assert_int_equal(events_of(MT_NODE_BEYOND), 0);
    judge_at(7 * S, MT_STEER_HOLDOVER, 2 * US + 1);
    assert_state(MT_QUALITY_STATE_BEYOND, MT_QUALITY_BEYOND, 7 * S);
    assert_int_equal(events_of(MT_NODE_BEYOND), 1);
    judge_at(8 * S, MT_STEER_ACQUIRING, US); /* worth no more before it is locked */
    assert_state(MT_QUALITY_STATE_ACQUIRING, MT_QUALITY_BEYOND, 8 * S);
    judge_at(9 * S, MT_STEER_LOCKED, US);
    assert_state(MT_QUALITY_STATE_LOCKED, MT_QUALITY_LOCKED, 9 * S);
    assert_int_equal(clock_0->holdover.entered[MT_QUALITY_STATE_LOCKED], 2);
    assert_int_equal(clock_0->holdover.changes, 7);
}

static void holdover_keeps_what_it_is_worth_when_a_source_is_acquired_within_it(void **state)
{
    judge_at(1 * S, MT_STEER_LOCKED, US);
    judge_at(2 * S, MT_STEER_HOLDOVER, US);
    judge_at(3 * S, MT_STEER_ACQUIRING, US);
    assert_state(MT_QUALITY_STATE_ACQUIRING, MT_QUALITY_HOLDOVER, 3 * S);
}

static void holdover_is_worth_nothing_when_the_bound_is_lost(void **state)
{
    judge_at(1 * S, MT_STEER_LOCKED, US);
    judge_at(2 * S, MT_STEER_HOLDOVER, -1);
    assert_state(MT_QUALITY_STATE_BEYOND, MT_QUALITY_FREE, 2 * S);
    judge_at(3 * S, MT_STEER_ACQUIRING, US); /* of another one, which may be wrong */
    assert_state(MT_QUALITY_STATE_ACQUIRING, MT_QUALITY_FREE, 3 * S);
}

static void holdover_ends_its_specification_when_it_has_lasted_too_long(void **state)
{
    clock_0->holdover.limit_ns = 10 * S;
    judge_at(1 * S, MT_STEER_LOCKED, US);
    judge_at(5 * S, MT_STEER_HOLDOVER, US);
    judge_at(15 * S, MT_STEER_HOLDOVER, US);
    assert_state(MT_QUALITY_STATE_HOLDOVER, MT_QUALITY_HOLDOVER, 5 * S);
    judge_at(15 * S + 1, MT_STEER_HOLDOVER, US);
    assert_state(MT_QUALITY_STATE_BEYOND, MT_QUALITY_BEYOND, 15 * S + 1);
}

static void holdover_allows_four_times_the_locked_bound_when_nothing_is_configured(void **state)
{
    judge_at(1 * S, MT_STEER_LOCKED, 100);
    assert_int_equal(mt_holdover_accuracy_ns(&clock_0->holdover), 1000);
    judge_at(2 * S, MT_STEER_LOCKED, 3 * US);
    assert_int_equal(mt_holdover_accuracy_ns(&clock_0->holdover), 12 * US);
    judge_at(3 * S, MT_STEER_HOLDOVER, 12 * US);
    assert_state(MT_QUALITY_STATE_HOLDOVER, MT_QUALITY_HOLDOVER, 3 * S);
    judge_at(4 * S, MT_STEER_HOLDOVER, 12 * US + 1);
    assert_state(MT_QUALITY_STATE_BEYOND, MT_QUALITY_BEYOND, 4 * S);
}

static void holdover_remembers_its_source_when_that_is_gone(void **state)
{
    judge_at(1 * S, MT_STEER_LOCKED, US);
    clock_0->discipline.selected = MT_SOURCE_NONE;
    judge_at(2 * S, MT_STEER_HOLDOVER, US);
    assert_int_equal(clock_0->holdover.source, MT_QUALITY_FROM_REFCLOCK);
    assert_true(clock_0->holdover.is_primary);
    bench->refclock.config.stratum = 1;
    clock_0->discipline.selected = 0;
    judge_at(3 * S, MT_STEER_LOCKED, US);
    assert_false(clock_0->holdover.is_primary);
}

/* It may still be selected when the instance has lost it. */
static void holdover_keeps_what_it_knows_when_the_transmitter_is_just_gone(void **state)
{
    struct mt_node_port port = {.source = 4};
    struct mt_node_instance instance = {.ports = &port, .ptp = {.port_count = 1}};
    bench->node.instances = &instance;
    bench->node.instance_count = 1;
    clock_0->discipline.selected = 4;
    clock_0->holdover.source = MT_QUALITY_FROM_PTP;
    clock_0->holdover.is_primary = true;
    clock_0->holdover.is_traceable = true;
    clock_0->report.reference = MT_BOUND_SOURCE;
    clock_0->page.state = MT_CLOCK_LOCKED;
    mt_holdover_judge(&bench->node, 0, (struct mt_mono){1 * S});
    assert_int_equal(clock_0->holdover.source, MT_QUALITY_FROM_PTP);
    assert_true(clock_0->holdover.is_primary);
    assert_true(clock_0->holdover.is_traceable);
}

static void holdover_knows_the_origin_when_the_clock_follows_another_one(void **state)
{
    struct mt_node_clock *other = &bench->clocks[1];
    judge_at(1 * S, MT_STEER_LOCKED, US);
    other->follow.is_used = true;
    other->follow.source = 3;
    other->discipline.selected = 3;
    other->discipline.phase = MT_STEER_LOCKED;
    other->page.state = MT_CLOCK_LOCKED;
    mt_holdover_judge(&bench->node, 1, (struct mt_mono){2 * S});
    assert_int_equal(other->holdover.source, MT_QUALITY_FROM_REFCLOCK);
    assert_true(other->holdover.is_primary);
}

/* ---- temperature ---------------------------------------------------------------------------- */

static void warm(double kelvin_then, double kelvin)
{
    struct mt_holdover *self = &clock_0->holdover;
    self->learns = true;
    self->read_every_ns = 100 * S;
    self->oscillator.known = (struct mt_steer_oscillator_memory){
        .uses_temperature = true, .kelvin_low = 290, .kelvin_high = 310, .coefficient = 1e-8};
    self->has_kelvin_then = kelvin_then > 0;
    self->kelvin_then = (mt_real)kelvin_then;
    self->has_kelvin = kelvin > 0;
    self->kelvin = (mt_real)kelvin;
}

static void assert_past(double kelvin, double kelvin_s, double beyond)
{
    assert_true(clock_0->holdover.past.kelvin == (mt_real)kelvin);
    assert_true(clock_0->holdover.past.kelvin_s == (mt_real)kelvin_s);
    assert_true(clock_0->holdover.past.beyond == (mt_real)beyond);
}

static void holdover_goes_on_to_count_temperature_when_a_source_is_acquired(void **state)
{
    warm(300, 302);
    judge_at(1 * S, MT_STEER_LOCKED, US);
    judge_at(9 * S, MT_STEER_HOLDOVER, US);
    judge_at(17 * S, MT_STEER_HOLDOVER, US);
    assert_past(2, 32, 0);
    judge_at(25 * S, MT_STEER_ACQUIRING, US);
    assert_past(2, 48, 0);
    warm(300, 312);
    judge_at(33 * S, MT_STEER_ACQUIRING, US);
    assert_past(12, 144, 16);
}

static void holdover_counts_all_temperatures_when_that_at_its_start_is_not_known(void **state)
{
    warm(0, 302); /* it speaks again */
    judge_at(1 * S, MT_STEER_LOCKED, US);
    judge_at(9 * S, MT_STEER_HOLDOVER, US);
    assert_past(0, 0, 160);
    warm(300, 0);
    judge_at(17 * S, MT_STEER_HOLDOVER, US);
    assert_past(0, 0, 320);
}

static void holdover_is_on_the_page_when_it_was_judged(void **state)
{
    struct mt_clock_page page = {0};
    judge_at(1 * S, MT_STEER_LOCKED, US);
    mt_holdover_mark(&clock_0->holdover, &page);
    assert_int_equal(page.holdover, MT_HOLDOVER_NONE);
    assert_int_equal(page.state_since_base_ns, 1 * S + 7);
    assert_int_equal(page.state_changes, 1);
    judge_at(2 * S, MT_STEER_HOLDOVER, US);
    mt_holdover_mark(&clock_0->holdover, &page);
    assert_int_equal(page.holdover, MT_HOLDOVER_IN_SPECIFICATION);
    judge_at(3 * S, MT_STEER_HOLDOVER, S);
    mt_holdover_mark(&clock_0->holdover, &page);
    assert_int_equal(page.holdover, MT_HOLDOVER_OUT_OF_SPECIFICATION);
    assert_int_equal(page.state_since_base_ns, 3 * S + 7);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(holdover_goes_through_all_states_when_a_source_comes_and_goes),
        TEST(holdover_keeps_what_it_is_worth_when_a_source_is_acquired_within_it),
        TEST(holdover_is_worth_nothing_when_the_bound_is_lost),
        TEST(holdover_ends_its_specification_when_it_has_lasted_too_long),
        TEST(holdover_allows_four_times_the_locked_bound_when_nothing_is_configured),
        TEST(holdover_remembers_its_source_when_that_is_gone),
        TEST(holdover_keeps_what_it_knows_when_the_transmitter_is_just_gone),
        TEST(holdover_knows_the_origin_when_the_clock_follows_another_one),
        TEST(holdover_is_on_the_page_when_it_was_judged),
        TEST(holdover_goes_on_to_count_temperature_when_a_source_is_acquired),
        TEST(holdover_counts_all_temperatures_when_that_at_its_start_is_not_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
