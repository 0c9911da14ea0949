/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Reference clocks as sources of a node's clock, and that clock as the reference of others, over a
 * clock made of numbers whose base shows true UTC.
 */
#include "runtime/refclock_duty.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "rate_clock.h"
#include "runtime/node.h"

#define SOURCES 2
#define EXPORT  2 /* link, behind those of the sources */
#define S_NS    INT64_C(1000000000)
#define START_S INT64_C(1801382400) /* on the last day of a month */
#define TAI_UTC 37

struct bench {
    struct mt_node node;
    struct mt_node_clock clock;
    struct mt_discipline_source sources[SOURCES];
    struct mt_node_refclock refclocks[SOURCES];
    struct mt_node_export exports[1];
    struct mt_hal_link link;
    struct mt_hal_link *links[SOURCES + 1];
    struct mt_clock_page exported;
    unsigned export_count;
    struct rate_clock number;
    struct mt_arbiter_member members[SOURCES];
    struct mt_arbiter_source judged[SOURCES];
    struct mt_arbiter_opinion opinions[SOURCES];
};
static struct bench *bench;

static bool take_export(struct mt_hal_link *self, const struct mt_link_frame *frame)
{
    assert_int_equal(frame->length, sizeof bench->exported);
    memcpy(&bench->exported, frame->bytes, sizeof bench->exported);
    bench->export_count++;
    return true;
}

static const struct mt_hal_link_ops link_ops = {.send = take_export};

static int set_up(void **state)
{
    struct mt_steer_config steer;
    bench = calloc(1, sizeof *bench);
    mt_steer_config_init(&steer);
    rate_clock_init(&bench->number, START_S * S_NS, TAI_UTC * S_NS + 250000000, 20e-6);
    bench->clock.hal = &bench->number.hal;
    bench->clock.tai_utc_known = true;
    bench->clock.tai_minus_utc_s = TAI_UTC;
    mt_discipline_init(&bench->clock.discipline, &steer, bench->sources, SOURCES, MT_SCALE_TAI, 0,
                       0, false);
    bench->link.ops = &link_ops;
    bench->node.clocks = &bench->clock;
    bench->node.clock_count = 1;
    bench->node.local_link = MT_NODE_NO_LINK;
    bench->node.links = bench->links;
    bench->node.refclocks = bench->refclocks;
    bench->node.refclock_count = SOURCES;
    bench->node.exports = bench->exports;
    bench->node.export_count = 1;
    bench->exports[0] = (struct mt_node_export){.link = EXPORT, .interval_ns = S_NS};
    for (uint16_t i = 0; i <= SOURCES; i++) {
        bench->links[i] = &bench->link;
    }
    for (uint16_t i = 0; i < SOURCES; i++) {
        bench->refclocks[i].link = i;
        bench->refclocks[i].source = i;
        bench->refclocks[i].config = (struct mt_refclock_config){
            .scale = MT_SCALE_UTC, .max_error = mt_interval_from_ns(100), .silence_ns = 10 * S_NS};
    }
    for (uint16_t i = 0; i < SOURCES; i++) {
        bench->members[i] = (struct mt_arbiter_member){
            .kind = MT_ARBITER_REFCLOCK, .index = i, .source = MT_SOURCE_NONE};
    }
    bench->clock.arbiter = (struct mt_arbiter){
        .is_used = true,
        .count = SOURCES,
        .members = bench->members,
        .sources = bench->judged,
        .opinions = bench->opinions,
        .config = {.min_sources = 1, .max_bound = 3},
        .result = {.selected = MT_ARBITER_NOBODY},
        .steering = MT_ARBITER_NOBODY,
    };
    mt_node_start(&bench->node, (struct mt_mono){bench->number.now_ns});
    return 0;
}

static int tear_down(void **state)
{
    free(bench);
    return 0;
}

/* Time passes up to `until_ns`, with all that falls due. */
static void pass_until(int64_t until_ns)
{
    while (mt_node_deadline(&bench->node).ns < until_ns) {
        int64_t due_ns = mt_node_deadline(&bench->node).ns;
        bench->number.now_ns = due_ns > bench->number.now_ns ? due_ns : bench->number.now_ns + 1;
        mt_node_input(&bench->node,
                      &(struct mt_input){.kind = MT_INPUT_NONE, .now = {bench->number.now_ns}});
    }
    bench->number.now_ns = until_ns;
}

/* A reading of UTC that is `ahead_ns` wrong, taken now. */
static void read_frame(uint16_t link, int64_t ahead_ns, const struct mt_refclock_reading *as)
{
    struct mt_refclock_reading reading = *as;
    uint8_t bytes[MT_REFCLOCK_READING_SIZE];
    reading.s = (bench->number.now_ns + ahead_ns) / S_NS;
    reading.ns = (uint32_t)((bench->number.now_ns + ahead_ns) % S_NS);
    mt_refclock_reading_write(&reading, bytes);
    mt_node_input(&bench->node, &(struct mt_input){.kind = MT_INPUT_FRAME,
                                                   .link = link,
                                                   .now = {bench->number.now_ns},
                                                   .bytes = bytes,
                                                   .length = sizeof bytes,
                                                   .has_stamp = true,
                                                   .stamp = {.ns = bench->number.now_ns}});
}

static const struct mt_refclock_reading plain;

static void hear(uint16_t link, int64_t ahead_ns, unsigned count, int64_t interval_ns)
{
    for (unsigned i = 0; i < count; i++) {
        pass_until(bench->number.now_ns + interval_ns);
        read_frame(link, ahead_ns, &plain);
    }
}

static int64_t off_ns(void)
{
    return rate_clock_at(&bench->number, bench->number.now_ns) - bench->number.now_ns -
           TAI_UTC * S_NS;
}

static void assert_near(int64_t value, int64_t wanted, int64_t within)
{
    if (value < wanted - within || value > wanted + within) {
        fail_msg("%lld ns instead of %lld", (long long)value, (long long)wanted);
    }
}

static uint64_t counted(uint16_t refclock, enum mt_refclock_count what)
{
    return bench->refclocks[refclock].counts[what];
}

/* ---- samples ------------------------------------------------------------------------------- */

static void refclock_sets_and_locks_the_clock_when_it_reads_utc(void **state)
{
    hear(0, 0, 60, S_NS);
    assert_near(off_ns(), 0, 20);
    assert_int_equal(bench->clock.discipline.phase, MT_STEER_LOCKED);
    assert_int_equal(bench->clock.page.bound_reference, MT_BOUND_TRACEABLE);
    assert_true(mt_refclock_duty_selected(&bench->node, 0) == &bench->refclocks[0]);
}

static void refclock_is_taken_as_tai_when_it_is_said_to_read_that(void **state)
{
    bench->refclocks[0].config.scale = MT_SCALE_TAI;
    hear(0, TAI_UTC * S_NS, 60, S_NS);
    assert_near(off_ns(), 0, 20);
}

static void refclock_is_corrected_when_its_readings_are_late(void **state)
{
    bench->refclocks[0].config.offset = mt_interval_from_ns(123456789);
    hear(0, -123456789, 60, S_NS);
    assert_near(off_ns(), 0, 20);
}

static void refclock_says_nothing_of_utc_when_its_error_is_not_known(void **state)
{
    bench->refclocks[0].config.max_error = MT_INTERVAL_TOO_LARGE;
    hear(0, 0, 60, S_NS);
    assert_int_equal(bench->clock.page.bound_reference, MT_BOUND_SOURCE);
}

static void refclock_counts_delay_and_precision_when_it_says_how_wrong_it_is(void **state)
{
    hear(0, 0, 60, S_NS);
    int64_t plain_ns = bench->clock.page.bound_ns;
    bench->refclocks[0].config.delay = mt_interval_from_ns(20000);
    bench->refclocks[0].config.precision = mt_interval_from_ns(5000);
    mt_discipline_reset_source(&bench->clock.discipline, 0);
    hear(0, 0, 60, S_NS);
    assert_near(bench->clock.page.bound_ns - plain_ns, 15000, 1500);
}

static void refclock_is_not_believed_when_it_says_so_itself(void **state)
{
    const struct mt_refclock_reading lost = {.leap = MT_REFCLOCK_UNSYNCHRONISED};
    for (int i = 0; i < 20; i++) {
        pass_until(bench->number.now_ns + S_NS);
        read_frame(0, 0, &lost);
    }
    assert_int_equal(counted(0, MT_REFCLOCK_NOT_READY), 20);
    assert_int_equal(bench->clock.discipline.phase, MT_STEER_IDLE);
}

static void refclock_counts_what_is_no_reading(void **state)
{
    mt_node_input(&bench->node, &(struct mt_input){.kind = MT_INPUT_FRAME,
                                                   .now = {bench->number.now_ns},
                                                   .bytes = (const uint8_t *)"",
                                                   .has_stamp = true});
    hear(0, 0, 1, S_NS);
    read_frame(0, 0, &plain); /* the same once more */
    assert_int_equal(counted(0, MT_REFCLOCK_MALFORMED), 1);
    assert_int_equal(counted(0, MT_REFCLOCK_REPEATED), 1);
    assert_int_equal(counted(0, MT_REFCLOCK_READINGS), 3);
}

static void refclock_tells_the_leap_second_when_it_is_followed(void **state)
{
    const struct mt_refclock_reading leap = {.leap = MT_REFCLOCK_INSERT};
    hear(0, 0, 60, S_NS);
    assert_int_equal(mt_refclock_duty_leap(&bench->node, 0), 0);
    pass_until(bench->number.now_ns + S_NS);
    read_frame(1, 0, &leap);
    assert_int_equal(mt_refclock_duty_leap(&bench->node, 0), 0);
    read_frame(0, 0, &leap);
    assert_int_equal(mt_refclock_duty_leap(&bench->node, 0), 1);
    assert_int_equal(bench->clock.page.leap_s, 1);
}

/* ---- pulses -------------------------------------------------------------------------------- */

static void refclock_pulses_wait_when_nobody_knows_the_second(void **state)
{
    const struct mt_refclock_reading pulse = {.is_pulse = true};
    pass_until(bench->number.now_ns + S_NS);
    read_frame(0, 0, &pulse);
    assert_int_equal(counted(0, MT_REFCLOCK_NO_SECOND), 1);
    assert_int_equal(counted(0, MT_REFCLOCK_SAMPLES), 0);
}

static void refclock_pulses_wait_when_the_second_is_in_doubt(void **state)
{
    const struct mt_refclock_reading pulse = {.is_pulse = true};
    bench->refclocks[0].config.max_error = mt_interval_from_ns(450000000);
    hear(0, 0, 30, S_NS);
    assert_int_equal(bench->clock.discipline.phase, MT_STEER_LOCKED);
    pass_until(bench->number.now_ns + S_NS);
    read_frame(1, 0, &pulse);
    assert_int_equal(counted(1, MT_REFCLOCK_NO_SECOND), 1);
}

/* whatever second the pulse is said to be of */
static void refclock_pulses_steer_when_another_one_knows_the_second(void **state)
{
    const struct mt_refclock_reading pulse = {.is_pulse = true};
    bench->refclocks[0].config.max_error = mt_interval_from_ns(5000000);
    bench->members[1].is_preferred = true;
    hear(0, 3000000, 30, S_NS);
    assert_near(off_ns(), 3000000, 100);
    for (int i = 0; i < 60; i++) {
        pass_until(bench->number.now_ns + S_NS);
        read_frame(0, 3000000, &plain);
        read_frame(1, 5 * S_NS, &pulse);
    }
    assert_near(off_ns(), 0, 20);
    /* while the clock goes from one to the other, a few are not of use */
    assert_in_range(counted(1, MT_REFCLOCK_SAMPLES), 45, 60);
}

/* ---- windows ------------------------------------------------------------------------------- */

static void refclock_makes_one_sample_of_a_window_when_readings_are_many(void **state)
{
    bench->refclocks[0].config.median_over_ns = S_NS;
    hear(0, 0, 400, S_NS / 10);
    assert_in_range(counted(0, MT_REFCLOCK_SAMPLES), 36, 40);
    assert_near(off_ns(), 0, 20);
}

/* a fifth of the readings, all to one side */
static void refclock_leaves_outliers_aside_when_it_has_a_window(void **state)
{
    bench->refclocks[0].config.median_over_ns = S_NS;
    for (int i = 0; i < 600; i++) {
        pass_until(bench->number.now_ns + S_NS / 10);
        read_frame(0, i % 10 == 3 || i % 10 == 8 ? -40000000 : 0, &plain);
    }
    assert_near(off_ns(), 0, 20);
}

static void refclock_ends_its_window_in_time_when_nothing_more_comes(void **state)
{
    bench->refclocks[0].config.median_over_ns = S_NS;
    hear(0, 0, 3, S_NS / 10);
    assert_int_equal(counted(0, MT_REFCLOCK_SAMPLES), 0);
    pass_until(bench->number.now_ns + S_NS);
    assert_int_equal(counted(0, MT_REFCLOCK_SAMPLES), 1);
}

/* ---- which one ----------------------------------------------------------------------------- */

static void refclock_is_followed_when_the_better_one_is_silent(void **state)
{
    bench->refclocks[0].config.max_error = mt_interval_from_ns(10000);
    bench->refclocks[1].config.max_error = mt_interval_from_ns(10000);
    bench->members[1].is_preferred = true;
    for (int i = 0; i < 40; i++) {
        pass_until(bench->number.now_ns + S_NS);
        read_frame(0, 0, &plain);
        read_frame(1, 7000, &plain);
    }
    assert_near(off_ns(), 7000, 20);
    hear(0, 0, 60, S_NS);
    assert_true(mt_refclock_duty_selected(&bench->node, 0) == &bench->refclocks[0]);
    assert_near(off_ns(), 0, 50);
}

/* each claims to be right within 100 ns */
static void refclock_is_not_followed_when_two_contradict_each_other(void **state)
{
    for (int i = 0; i < 40; i++) {
        pass_until(bench->number.now_ns + S_NS);
        read_frame(0, 0, &plain);
        read_frame(1, 7000, &plain);
    }
    assert_true(mt_refclock_duty_selected(&bench->node, 0) == NULL);
    assert_int_equal(bench->opinions[0].verdict, MT_ARBITER_NO_MAJORITY);
    bench->members[1].is_trusted = true;
    for (int i = 0; i < 90; i++) {
        pass_until(bench->number.now_ns + S_NS);
        read_frame(0, 0, &plain);
        read_frame(1, 7000, &plain);
    }
    assert_near(off_ns(), 7000, 20);
    assert_int_equal(bench->opinions[0].verdict, MT_ARBITER_FALSETICKER);
}

static void refclock_holds_over_when_all_are_silent(void **state)
{
    hear(0, 0, 40, S_NS);
    pass_until(bench->number.now_ns + 60 * S_NS);
    assert_int_equal(bench->clock.discipline.phase, MT_STEER_HOLDOVER);
    assert_near(off_ns(), 0, 1000);
}

/* ---- stalls -------------------------------------------------------------------------------- */

static const struct mt_refclock_reading useless = {.leap = MT_REFCLOCK_UNSYNCHRONISED};

static void nothing_more_comes(void)
{
    mt_node_input(&bench->node,
                  &(struct mt_input){.kind = MT_INPUT_NONE, .now = {bench->number.now_ns}});
}

static unsigned count_changes_of_phase(void)
{
    unsigned count = 0;
    struct mt_node_event event;
    while (mt_node_next_event(&bench->node, &event)) {
        count += event.kind == MT_NODE_PHASE;
    }
    return count;
}

static void refclock_is_kept_when_its_reading_lies_behind_another_one(void **state)
{
    hear(0, 0, 40, S_NS);
    assert_int_equal(count_changes_of_phase(), 2); /* measures, locked */
    bench->number.now_ns += 60 * S_NS;
    read_frame(1, 0, &useless);
    read_frame(0, 0, &plain);
    nothing_more_comes();
    assert_true(bench->refclocks[0].is_heard);
    assert_int_equal(bench->clock.discipline.phase, MT_STEER_LOCKED);
    assert_int_equal(count_changes_of_phase(), 0);
}

static void refclock_is_given_up_when_nothing_of_it_lies_in_wait(void **state)
{
    hear(0, 0, 40, S_NS);
    bench->number.now_ns += 60 * S_NS;
    read_frame(1, 0, &useless);
    assert_true(bench->refclocks[0].is_heard);
    assert_int_equal(bench->clock.discipline.phase, MT_STEER_LOCKED);
    nothing_more_comes();
    assert_false(bench->refclocks[0].is_heard);
    assert_int_equal(bench->clock.discipline.phase, MT_STEER_HOLDOVER);
}

static void refclock_is_given_up_when_others_never_stop(void **state)
{
    hear(0, 0, 40, S_NS);
    bench->number.now_ns += 60 * S_NS;
    for (unsigned i = 0; i < 1000; i++) {
        read_frame(1, 0, &useless);
    }
    assert_true(bench->refclocks[0].is_heard);
    read_frame(1, 0, &useless);
    assert_false(bench->refclocks[0].is_heard);
    assert_int_equal(bench->clock.discipline.phase, MT_STEER_HOLDOVER);
}

static void refclock_is_given_up_at_once_when_its_time_has_just_run_out(void **state)
{
    hear(0, 0, 40, S_NS);
    pass_until(bench->refclocks[0].heard_at.ns + bench->refclocks[0].config.silence_ns);
    bench->number.now_ns += 4000000;
    read_frame(1, 0, &useless);
    assert_false(bench->refclocks[0].is_heard);
}

/* ---- exports ------------------------------------------------------------------------------- */

static void export_gives_utc_when_the_clock_is_locked(void **state)
{
    hear(0, 0, 10, S_NS);
    unsigned before = bench->export_count;
    hear(0, 0, 50, S_NS);
    assert_in_range(bench->export_count - before, 30, 51);
    assert_int_equal(bench->exported.scale, MT_SCALE_UTC);
    assert_near(mt_instant_to_ns(mt_clock_page_time(&bench->exported, bench->number.now_ns)),
                bench->number.now_ns, 50);
}

static void export_gives_nothing_when_the_clock_has_no_time(void **state)
{
    pass_until(bench->number.now_ns + 20 * S_NS);
    assert_int_equal(bench->export_count, 0);
    assert_in_range(bench->exports[0].withheld, 19, 21);
    bench->clock.tai_utc_known = false;
    bench->refclocks[0].config.scale = MT_SCALE_TAI;
    hear(0, TAI_UTC * S_NS, 60, S_NS);
    assert_int_equal(bench->clock.discipline.phase, MT_STEER_LOCKED);
    assert_int_equal(bench->export_count, 0); /* what UTC is, nobody knows */
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(refclock_sets_and_locks_the_clock_when_it_reads_utc),
        TEST(refclock_is_taken_as_tai_when_it_is_said_to_read_that),
        TEST(refclock_is_corrected_when_its_readings_are_late),
        TEST(refclock_says_nothing_of_utc_when_its_error_is_not_known),
        TEST(refclock_counts_delay_and_precision_when_it_says_how_wrong_it_is),
        TEST(refclock_is_not_believed_when_it_says_so_itself),
        TEST(refclock_counts_what_is_no_reading),
        TEST(refclock_tells_the_leap_second_when_it_is_followed),
        TEST(refclock_pulses_wait_when_nobody_knows_the_second),
        TEST(refclock_pulses_wait_when_the_second_is_in_doubt),
        TEST(refclock_pulses_steer_when_another_one_knows_the_second),
        TEST(refclock_makes_one_sample_of_a_window_when_readings_are_many),
        TEST(refclock_leaves_outliers_aside_when_it_has_a_window),
        TEST(refclock_ends_its_window_in_time_when_nothing_more_comes),
        TEST(refclock_is_followed_when_the_better_one_is_silent),
        TEST(refclock_is_not_followed_when_two_contradict_each_other),
        TEST(refclock_holds_over_when_all_are_silent),
        TEST(refclock_is_kept_when_its_reading_lies_behind_another_one),
        TEST(refclock_is_given_up_when_nothing_of_it_lies_in_wait),
        TEST(refclock_is_given_up_when_others_never_stop),
        TEST(refclock_is_given_up_at_once_when_its_time_has_just_run_out),
        TEST(export_gives_utc_when_the_clock_is_locked),
        TEST(export_gives_nothing_when_the_clock_has_no_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
