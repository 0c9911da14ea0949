/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * TAI - UTC around a leap second, whenever the machine hears of it.
 */
#include "runtime/leap_duty.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "runtime/node.h"

#define MIDNIGHT (20000 * INT64_C(86400) + 37) /* TAI, by the old TAI - UTC */

static struct mt_node_clock clock;

static int set_up(void **state)
{
    memset(&clock, 0, sizeof clock);
    clock.tai_utc_known = true;
    clock.tai_minus_utc_s = 37;
    return 0;
}

static void publish(int64_t tai_s, int32_t leap_s)
{
    clock.page = (struct mt_clock_page){
        .anchor_s = tai_s,
        .scale = MT_SCALE_TAI,
        .state = MT_CLOCK_LOCKED,
        .tai_utc_valid = 1,
        .tai_minus_utc_s = 37,
        .leap_s = leap_s,
    };
    mt_leap_duty_watch(&clock.leap, &clock.page);
}

static int32_t offset_at(int64_t tai_s)
{
    return mt_leap_duty_offset(&clock, &(struct mt_instant){tai_s, 0, 0, MT_SCALE_TAI});
}

static bool is_doubtful(int64_t tai_s)
{
    return mt_leap_duty_is_doubtful(&clock, &(struct mt_instant){tai_s, 0, 0, MT_SCALE_TAI});
}

static void leap_duty_changes_the_offset_when_a_leap_second_is_announced(void **state)
{
    publish(MIDNIGHT - 100, 1);
    assert_int_equal(offset_at(MIDNIGHT - 1), 37);
    assert_int_equal(offset_at(MIDNIGHT), 38);
    publish(MIDNIGHT - 90, 0);
    assert_int_equal(offset_at(MIDNIGHT), 37);
    publish(MIDNIGHT - 80, -1);
    assert_int_equal(offset_at(MIDNIGHT - 2), 37);
    assert_int_equal(offset_at(MIDNIGHT - 1), 36);
}

static void leap_duty_goes_by_the_machine_when_that_knows(void **state)
{
    publish(MIDNIGHT - 100, 1);
    clock.tai_minus_utc_s = 38;
    assert_int_equal(offset_at(MIDNIGHT - 1), 37); /* a sample that comes late */
    assert_int_equal(offset_at(MIDNIGHT), 38);
    clock.tai_minus_utc_s = 40;
    assert_int_equal(offset_at(MIDNIGHT), 40);
}

static void leap_duty_doubts_samples_when_they_are_near_the_leap_second(void **state)
{
    assert_false(is_doubtful(MIDNIGHT));
    publish(MIDNIGHT - 100, 1);
    assert_false(is_doubtful(MIDNIGHT - 3));
    assert_true(is_doubtful(MIDNIGHT - 2));
    assert_true(is_doubtful(MIDNIGHT + 1));
    assert_false(is_doubtful(MIDNIGHT + 2));
}

static void leap_duty_hears_of_no_other_one_when_one_is_just_over(void **state)
{
    publish(MIDNIGHT - 100, 1);
    publish(MIDNIGHT + 100, 1);
    assert_int_equal(clock.leap.at_s, MIDNIGHT);
    publish(MIDNIGHT + 4000, 1);
    assert_int_equal(clock.leap.at_s, MIDNIGHT + 86400);
}

static void leap_duty_hears_nothing_when_the_clock_is_not_set_yet(void **state)
{
    publish(MIDNIGHT - 100, 0);
    clock.page.leap_s = 1;
    clock.page.state = MT_CLOCK_ACQUIRING;
    mt_leap_duty_watch(&clock.leap, &clock.page);
    assert_int_equal(clock.leap.change_s, 0);
}

/* ---- what satellites say --------------------------------------------------------------------- */

#define NEW_YEAR INT64_C(1798761600) /* UTC, 2027 */

static struct mt_hal_clock hal = {.scale = MT_SCALE_TAI};
static struct mt_node node = {.clocks = &clock, .clock_count = 1};

static const struct mt_leap_choice *choose(int64_t utc_s, const struct mt_leap_news *news)
{
    clock.hal = &hal;
    clock.page = (struct mt_clock_page){.magic = MT_CLOCK_PAGE_MAGIC,
                                        .anchor_s = utc_s + 38,
                                        .scale = MT_SCALE_TAI,
                                        .state = MT_CLOCK_LOCKED};
    mt_leap_duty_gnss(&node, 0, 0, news);
    mt_leap_duty_choose(&node, 0);
    return &clock.leap.choice;
}

static void leap_duty_believes_satellites_when_the_list_has_expired(void **state)
{
    const struct mt_leap_news news = {.is_known = true,
                                      .tai_minus_utc_s = 38,
                                      .knows_leap = true,
                                      .change_s = -1,
                                      .at_utc_s = NEW_YEAR};
    mt_leap_duty_know(&clock.leap, MT_LEAP_BY_OLD_LIST, 2, 0);
    const struct mt_leap_choice *choice = choose(NEW_YEAR - 90000, &news);
    assert_int_equal(choice->tai_minus_utc_s, 38);
    assert_int_equal(choice->by, MT_LEAP_BY_GNSS);
    assert_int_equal(choice->leap_s, 0); /* that is tomorrow */
    assert_int_equal(choose(NEW_YEAR - 3600, &news)->leap_s, -1);
    choice = choose(NEW_YEAR - 3600, &(struct mt_leap_news){.is_known = false});
    assert_int_equal(choice->tai_minus_utc_s, 38); /* is remembered */
    assert_int_equal(choice->by, MT_LEAP_BY_MEMORY);
}

static void leap_duty_keeps_the_list_when_it_is_in_force(void **state)
{
    const struct mt_leap_news news = {.is_known = true, .tai_minus_utc_s = 38};
    mt_leap_duty_know(&clock.leap, MT_LEAP_BY_LIST, 0, 0);
    const struct mt_leap_choice *choice = choose(NEW_YEAR - 3600, &news);
    assert_int_equal(choice->tai_minus_utc_s, 37);
    assert_int_equal(choice->quarrel, MT_LEAP_DIFFERS);
    assert_int_equal(choice->with.by, MT_LEAP_BY_GNSS);
}

/* Another receiver that has lost its fix says nothing of what this one knows. */
static void leap_duty_loses_no_news_when_another_receiver_is_silent(void **state)
{
    const struct mt_leap_news news = {.is_known = true, .tai_minus_utc_s = 38};
    mt_leap_duty_know(&clock.leap, MT_LEAP_BY_OLD_LIST, 2, 0);
    choose(NEW_YEAR, &news);
    mt_leap_duty_gnss(&node, 0, 1, &(struct mt_leap_news){.is_known = false});
    mt_leap_duty_choose(&node, 0);
    assert_int_equal(clock.leap.choice.by, MT_LEAP_BY_GNSS);
}

/* What was known before is known all the time that a leap second is announced. */
static void leap_duty_forgets_nothing_when_a_leap_second_is_announced(void **state)
{
    const struct mt_leap_news news = {.is_known = true, .tai_minus_utc_s = 38, .knows_leap = true};
    clock.tai_utc_known = false;
    mt_leap_duty_know(&clock.leap, MT_LEAP_BY_KERNEL, 3, 39);
    choose(NEW_YEAR - 3600, &news);
    const struct mt_leap_duty before = clock.leap;
    clock.page.tai_utc_valid = 1;
    clock.page.tai_minus_utc_s = 38;
    clock.page.leap_s = 1;
    mt_leap_duty_watch(&clock.leap, &clock.page);
    assert_int_equal(clock.leap.at_s, NEW_YEAR + 38);
    assert_int_equal(offset_at(NEW_YEAR), 38); /* not what the machine does not know */
    assert_int_equal(offset_at(NEW_YEAR + 38), 39);
    assert_int_equal(clock.leap.choice.by, MT_LEAP_BY_GNSS);
    assert_int_equal(clock.leap.machine_by, before.machine_by);
    assert_int_equal(clock.leap.slack_s, before.slack_s);
    assert_int_equal(clock.leap.kernel_s, before.kernel_s);
    assert_int_equal(clock.leap.remembered_s, 38);
    assert_true(clock.leap.gnss.is_known);
}

/* ---- conversions ----------------------------------------------------------------------------- */

static void expect_converted(enum mt_sample_kind kind, enum mt_timescale from, int64_t value_s,
                             enum mt_timescale to)
{
    struct mt_sample sample = {.kind = kind, .scale = from, .value = {.s = 100}};
    mt_leap_duty_convert(&clock, &sample);
    assert_int_equal(sample.scale, to);
    assert_int_equal(sample.value.s, value_s);
}

static void leap_duty_converts_nothing_when_nobody_knows_tai_minus_utc(void **state)
{
    clock.discipline.config.adopts_scale = true;
    expect_converted(MT_SAMPLE_FORWARD, MT_SCALE_UTC, 100, MT_SCALE_UTC);
    expect_converted(MT_SAMPLE_OFFSET, MT_SCALE_TAI, 100, MT_SCALE_TAI);
    clock.discipline.config.adopts_scale = false;
    clock.discipline.scale = MT_SCALE_ARB;
    expect_converted(MT_SAMPLE_OFFSET, MT_SCALE_UTC, 100, MT_SCALE_ARB);
}

static void leap_duty_converts_by_whoever_has_taught_tai_minus_utc(void **state)
{
    const struct mt_leap_news news = {.is_known = true, .tai_minus_utc_s = 38};
    clock.tai_utc_known = false;
    clock.discipline.config.adopts_scale = true;
    clock.discipline.scale = MT_SCALE_UTC; /* not locked yet */
    choose(NEW_YEAR - 90000, &news);
    assert_int_equal(mt_leap_duty_scale(&clock), MT_SCALE_TAI);
    expect_converted(MT_SAMPLE_FORWARD, MT_SCALE_UTC, 62, MT_SCALE_TAI);
    expect_converted(MT_SAMPLE_REVERSE, MT_SCALE_UTC, 138, MT_SCALE_TAI);
    expect_converted(MT_SAMPLE_OFFSET, MT_SCALE_UTC, 62, MT_SCALE_TAI);
    expect_converted(MT_SAMPLE_OFFSET, MT_SCALE_TAI, 100, MT_SCALE_TAI);
    expect_converted(MT_SAMPLE_OFFSET, MT_SCALE_ARB, 100, MT_SCALE_ARB);
}

static void leap_duty_converts_to_utc_when_the_clock_shows_that(void **state)
{
    const struct mt_leap_news news = {.is_known = true, .tai_minus_utc_s = 38};
    clock.tai_utc_known = false;
    clock.discipline.scale = MT_SCALE_UTC;
    for (int i = 0; i < 2; i++) {
        clock.discipline.config.adopts_scale = i != 0;
        clock.discipline.has_locked_once = i != 0;
        choose(NEW_YEAR - 90000, &news);
        assert_int_equal(mt_leap_duty_scale(&clock), MT_SCALE_UTC);
        expect_converted(MT_SAMPLE_FORWARD, MT_SCALE_UTC, 100, MT_SCALE_UTC);
        expect_converted(MT_SAMPLE_FORWARD, MT_SCALE_TAI, 138, MT_SCALE_UTC);
        expect_converted(MT_SAMPLE_REVERSE, MT_SCALE_TAI, 62, MT_SCALE_UTC);
    }
}

/* What was measured before was UTC, and is no measure of TAI. */
static void leap_duty_begins_servers_anew_when_tai_minus_utc_becomes_known(void **state)
{
    const struct mt_leap_news nothing = {0};
    const struct mt_leap_news news = {.is_known = true, .tai_minus_utc_s = 38};
    static struct mt_discipline_source sources[2];
    struct mt_node_ntp server = {.source = 1};
    struct mt_steer_config steer;
    mt_steer_config_init(&steer);
    steer.adopts_scale = true;
    mt_discipline_init(&clock.discipline, &steer, sources, 2, MT_SCALE_UTC, 0, 0, false);
    clock.tai_utc_known = false;
    node.ntp = &server;
    node.ntp_count = 1;
    for (int is_locked = 0; is_locked < 2; is_locked++) {
        clock.discipline.has_locked_once = is_locked != 0;
        choose(NEW_YEAR - 90000, &nothing);
        clock.leap.remembered_s = 0;
        choose(NEW_YEAR - 90000, &nothing);
        for (int i = 0; i < 2; i++) {
            sources[i].is_used = true;
            sources[i].verdicts[MT_SAMPLE_USED] = 9;
        }
        choose(NEW_YEAR - 90000, &news);
        assert_int_equal(sources[0].verdicts[MT_SAMPLE_USED], 9); /* PTP's */
        assert_int_equal(sources[1].verdicts[MT_SAMPLE_USED], is_locked ? 9 : 0);
    }
    node.ntp_count = 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(leap_duty_changes_the_offset_when_a_leap_second_is_announced,
                               set_up),
        cmocka_unit_test_setup(leap_duty_goes_by_the_machine_when_that_knows, set_up),
        cmocka_unit_test_setup(leap_duty_doubts_samples_when_they_are_near_the_leap_second, set_up),
        cmocka_unit_test_setup(leap_duty_hears_of_no_other_one_when_one_is_just_over, set_up),
        cmocka_unit_test_setup(leap_duty_hears_nothing_when_the_clock_is_not_set_yet, set_up),
        cmocka_unit_test_setup(leap_duty_believes_satellites_when_the_list_has_expired, set_up),
        cmocka_unit_test_setup(leap_duty_keeps_the_list_when_it_is_in_force, set_up),
        cmocka_unit_test_setup(leap_duty_loses_no_news_when_another_receiver_is_silent, set_up),
        cmocka_unit_test_setup(leap_duty_forgets_nothing_when_a_leap_second_is_announced, set_up),
        cmocka_unit_test_setup(leap_duty_converts_nothing_when_nobody_knows_tai_minus_utc, set_up),
        cmocka_unit_test_setup(leap_duty_converts_by_whoever_has_taught_tai_minus_utc, set_up),
        cmocka_unit_test_setup(leap_duty_converts_to_utc_when_the_clock_shows_that, set_up),
        cmocka_unit_test_setup(leap_duty_begins_servers_anew_when_tai_minus_utc_becomes_known,
                               set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
