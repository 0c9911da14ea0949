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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(leap_duty_changes_the_offset_when_a_leap_second_is_announced,
                               set_up),
        cmocka_unit_test_setup(leap_duty_goes_by_the_machine_when_that_knows, set_up),
        cmocka_unit_test_setup(leap_duty_doubts_samples_when_they_are_near_the_leap_second, set_up),
        cmocka_unit_test_setup(leap_duty_hears_of_no_other_one_when_one_is_just_over, set_up),
        cmocka_unit_test_setup(leap_duty_hears_nothing_when_the_clock_is_not_set_yet, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
