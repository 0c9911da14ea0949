/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Whom to believe on TAI - UTC and on leap seconds, and who is named. */
#include "meantime/steer_leap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define DAY      INT64_C(86400)
#define NEW_YEAR INT64_C(1798761600) /* 2027-01-01 00:00 UTC */
#define EVENING  (NEW_YEAR - 3600)   /* of a day that may end with a leap second */
#define ANY_DAY  (NEW_YEAR - 10 * DAY + DAY / 2)
#define AN_OLD   MT_LEAP_BY_OLD_LIST
#define IN_FORCE MT_LEAP_BY_LIST

static struct mt_leap_claim claims[MT_LEAP_CLAIMS_MAX];
static unsigned count;

static int set_up(void **state)
{
    memset(claims, 0, sizeof claims);
    count = 0;
    return 0;
}

static void says(enum mt_leap_by by, int32_t tai_minus_utc_s, int32_t leap_s)
{
    claims[count] = (struct mt_leap_claim){.by = by,
                                           .index = (uint16_t)count,
                                           .has_offset = tai_minus_utc_s != 99,
                                           .tai_minus_utc_s = tai_minus_utc_s,
                                           .has_leap = leap_s != 99,
                                           .leap_s = leap_s,
                                           .may_come_soon = by == MT_LEAP_BY_NTP};
    count++;
}

static struct mt_leap_choice choose(int32_t slack_s, int64_t utc_s)
{
    struct mt_leap_choice choice;
    mt_leap_choose(claims, count, slack_s, utc_s, &choice);
    return choice;
}

static void expect(int32_t slack_s, int64_t utc_s, int32_t tai_minus_utc_s, enum mt_leap_by by,
                   int32_t leap_s, enum mt_leap_quarrel quarrel)
{
    struct mt_leap_choice choice = choose(slack_s, utc_s);
    assert_true(choice.is_known);
    assert_int_equal(choice.tai_minus_utc_s, tai_minus_utc_s);
    assert_string_equal(mt_leap_by_name(choice.by), mt_leap_by_name(by));
    assert_int_equal(choice.leap_s, leap_s);
    assert_string_equal(mt_leap_quarrel_name(choice.quarrel), mt_leap_quarrel_name(quarrel));
}

static void steer_leap_knows_nothing_when_nobody_says_anything(void **state)
{
    struct mt_leap_choice choice = choose(MT_LEAP_SLACK_S, EVENING);
    assert_false(choice.is_known);
    assert_int_equal(choice.leap_s, 0);
    assert_int_equal(choice.quarrel, MT_LEAP_AGREED);
}

static void steer_leap_goes_by_the_list_while_it_is_in_force(void **state)
{
    says(IN_FORCE, 37, 0);
    says(MT_LEAP_BY_GNSS, 38, 0);
    expect(0, ANY_DAY, 37, IN_FORCE, 0, MT_LEAP_DIFFERS);
    assert_int_equal(choose(0, ANY_DAY).with.by, MT_LEAP_BY_GNSS);
}

static void steer_leap_believes_in_this_order_when_the_list_has_expired(void **state)
{
    static const enum mt_leap_by order[] = {MT_LEAP_BY_GNSS, MT_LEAP_BY_LEADER, MT_LEAP_BY_PTP,
                                            MT_LEAP_BY_MEMORY, MT_LEAP_BY_KERNEL};
    for (size_t best = 0; best < sizeof order / sizeof order[0]; best++) {
        set_up(NULL);
        says(AN_OLD, 37, 99);
        for (size_t i = sizeof order / sizeof order[0]; i-- > best;) {
            says(order[i], i == best ? 38 : 39, 99);
        }
        assert_int_equal(choose(2, ANY_DAY).tai_minus_utc_s, 38);
        assert_int_equal(choose(2, ANY_DAY).by, order[best]);
    }
}

static void steer_leap_takes_no_utc_for_tai(void **state)
{
    says(AN_OLD, 37, 99);
    says(MT_LEAP_BY_PTP, 0, 0);
    expect(4, ANY_DAY, 37, AN_OLD, 0, MT_LEAP_IS_UTC);
    claims[0].by = IN_FORCE;
    expect(0, ANY_DAY, 37, IN_FORCE, 0, MT_LEAP_IS_UTC);
    claims[1].tai_minus_utc_s = 18;
    expect(0, ANY_DAY, 37, IN_FORCE, 0, MT_LEAP_IS_GPS);
    claims[1].tai_minus_utc_s = 19;
    expect(0, ANY_DAY, 37, IN_FORCE, 0, MT_LEAP_IS_GPS);
    claims[1].tai_minus_utc_s = -37;
    expect(0, ANY_DAY, 37, IN_FORCE, 0, MT_LEAP_IMPLAUSIBLE);
    claims[1].by = MT_LEAP_BY_KERNEL;
    claims[1].tai_minus_utc_s = 0;
    expect(0, ANY_DAY, 37, IN_FORCE, 0, MT_LEAP_IS_UTC);
}

static void steer_leap_takes_no_utc_for_tai_when_there_is_no_list(void **state)
{
    says(MT_LEAP_BY_PTP, 0, 0);
    assert_false(choose(MT_LEAP_SLACK_S, ANY_DAY).is_known);
    assert_int_equal(choose(MT_LEAP_SLACK_S, ANY_DAY).quarrel, MT_LEAP_IS_UTC);
    claims[0].tai_minus_utc_s = 38;
    expect(MT_LEAP_SLACK_S, ANY_DAY, 38, MT_LEAP_BY_PTP, 0, MT_LEAP_AGREED);
}

static void steer_leap_believes_no_more_than_can_have_happened(void **state)
{
    says(AN_OLD, 37, 99);
    says(MT_LEAP_BY_PTP, 39, 0);
    expect(1, ANY_DAY, 37, AN_OLD, 0, MT_LEAP_DIFFERS);
    expect(2, ANY_DAY, 39, MT_LEAP_BY_PTP, 0, MT_LEAP_AGREED);
    claims[1].tai_minus_utc_s = 42;
    expect(1, ANY_DAY, 37, AN_OLD, 0, MT_LEAP_IMPLAUSIBLE);
}

/* What is remembered, and what the machine itself has of old, contradicts nobody. */
static void steer_leap_names_no_memory(void **state)
{
    says(IN_FORCE, 37, 0);
    says(MT_LEAP_BY_MEMORY, 38, 99);
    expect(0, ANY_DAY, 37, IN_FORCE, 0, MT_LEAP_AGREED);
}

/* ---- leap seconds ---------------------------------------------------------------------------- */

static void steer_leap_goes_by_the_list_for_leap_seconds(void **state)
{
    says(IN_FORCE, 37, 0);
    says(MT_LEAP_BY_PTP, 37, 1);
    expect(0, EVENING, 37, IN_FORCE, 0, MT_LEAP_NOT_LISTED);
    claims[0].leap_s = 1;
    expect(0, EVENING, 37, IN_FORCE, 1, MT_LEAP_AGREED);
    claims[1].leap_s = 0;
    expect(0, EVENING, 37, IN_FORCE, 1, MT_LEAP_NOT_HEARD);
    expect(0, NEW_YEAR - DAY / 2, 37, IN_FORCE, 1, MT_LEAP_AGREED); /* it will come yet */
}

static void steer_leap_hears_the_grandmaster_when_the_list_has_expired(void **state)
{
    says(AN_OLD, 37, 99);
    says(MT_LEAP_BY_PTP, 37, 1);
    says(MT_LEAP_BY_NTP, 99, 0);
    expect(1, EVENING, 37, MT_LEAP_BY_PTP, 1, MT_LEAP_AGREED);
    claims[1].has_leap = false;
    expect(1, EVENING, 37, MT_LEAP_BY_PTP, 0, MT_LEAP_AGREED);
    claims[2].leap_s = -1;
    expect(1, EVENING, 37, MT_LEAP_BY_PTP, -1, MT_LEAP_AGREED);
}

static void steer_leap_lets_servers_vote(void **state)
{
    says(MT_LEAP_BY_NTP, 99, 1);
    assert_int_equal(choose(1, EVENING).leap_s, 1);
    says(MT_LEAP_BY_NTP, 99, 0);
    assert_int_equal(choose(1, EVENING).leap_s, 0);
    assert_int_equal(choose(1, EVENING).quarrel, MT_LEAP_NOT_LISTED);
    says(MT_LEAP_BY_NTP, 99, 1);
    assert_int_equal(choose(1, EVENING).leap_s, 1);
}

static void steer_leap_makes_none_when_the_month_does_not_end(void **state)
{
    says(AN_OLD, 37, 99);
    says(MT_LEAP_BY_PTP, 37, 1);
    expect(1, ANY_DAY, 37, MT_LEAP_BY_PTP, 0, MT_LEAP_WRONG_DAY);
    claims[1].may_come_soon = true; /* as NTP has it */
    expect(1, ANY_DAY, 37, MT_LEAP_BY_PTP, 0, MT_LEAP_AGREED);
    claims[1].may_come_soon = false;
    expect(1, NEW_YEAR + 600, 37, MT_LEAP_BY_PTP, 0, MT_LEAP_AGREED); /* forgotten for a while */
    expect(1, NEW_YEAR + 4000, 37, MT_LEAP_BY_PTP, 0, MT_LEAP_WRONG_DAY);
    expect(1, MT_LEAP_NO_TIME, 37, MT_LEAP_BY_PTP, 1, MT_LEAP_AGREED);
}

static void steer_leap_does_what_the_user_says_on_any_day(void **state)
{
    says(MT_LEAP_BY_USER, 99, -1);
    assert_int_equal(choose(1, ANY_DAY).leap_s, -1);
}

/* ---- others ---------------------------------------------------------------------------------- */

static void steer_leap_knows_the_last_days_of_months(void **state)
{
    static const int64_t lasts[] = {19782, 19843, 20088, 10956};
    /* 2024-02-29, 2024-04-30, 2024-12-31, 1999-12-31 */
    for (size_t i = 0; i < sizeof lasts / sizeof lasts[0]; i++) {
        assert_true(mt_leap_is_last_day(lasts[i] * DAY));
        assert_true(mt_leap_is_last_day(lasts[i] * DAY + DAY - 1));
        assert_false(mt_leap_is_last_day(lasts[i] * DAY - 1));
        assert_false(mt_leap_is_last_day(lasts[i] * DAY + DAY));
    }
    unsigned months = 0;
    for (int64_t day = 0; day < 146097; day++) { /* 400 years */
        months += mt_leap_is_last_day(day * DAY);
    }
    assert_int_equal(months, 4800);
    assert_false(mt_leap_is_last_day(-1));
}

static void steer_leap_sees_tai_beside_utc(void **state)
{
    assert_true(mt_leap_looks_confused(37.2, 37));
    assert_true(mt_leap_looks_confused(-36.9, 37));
    assert_false(mt_leap_looks_confused(36.4, 37));
    assert_false(mt_leap_looks_confused(0, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(steer_leap_knows_nothing_when_nobody_says_anything, set_up),
        cmocka_unit_test_setup(steer_leap_goes_by_the_list_while_it_is_in_force, set_up),
        cmocka_unit_test_setup(steer_leap_believes_in_this_order_when_the_list_has_expired, set_up),
        cmocka_unit_test_setup(steer_leap_takes_no_utc_for_tai, set_up),
        cmocka_unit_test_setup(steer_leap_takes_no_utc_for_tai_when_there_is_no_list, set_up),
        cmocka_unit_test_setup(steer_leap_believes_no_more_than_can_have_happened, set_up),
        cmocka_unit_test_setup(steer_leap_names_no_memory, set_up),
        cmocka_unit_test_setup(steer_leap_goes_by_the_list_for_leap_seconds, set_up),
        cmocka_unit_test_setup(steer_leap_hears_the_grandmaster_when_the_list_has_expired, set_up),
        cmocka_unit_test_setup(steer_leap_lets_servers_vote, set_up),
        cmocka_unit_test_setup(steer_leap_makes_none_when_the_month_does_not_end, set_up),
        cmocka_unit_test_setup(steer_leap_does_what_the_user_says_on_any_day, set_up),
        cmocka_unit_test_setup(steer_leap_knows_the_last_days_of_months, set_up),
        cmocka_unit_test_setup(steer_leap_sees_tai_beside_utc, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
