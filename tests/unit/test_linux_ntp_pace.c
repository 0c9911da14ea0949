/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "platform/linux/linux_ntp_pace.h"

#define USUAL_NS   INT64_C(10000)
#define HELD_UP_NS INT64_C(3000000)

static void learn(struct mt_ntp_pace *pace, int64_t took_ns, unsigned times)
{
    for (unsigned i = 0; i < times; i++) {
        mt_ntp_pace_learn(pace, took_ns, 1);
    }
}

static void pace_expects_nothing_when_few_answers_have_left(void **state)
{
    struct mt_ntp_pace pace = {0};
    mt_ntp_pace_learn(&pace, HELD_UP_NS, 1);
    assert_int_equal(mt_ntp_pace_after_ns(&pace, 0), 0);
    learn(&pace, USUAL_NS, MT_NTP_PACE_FIRST - 2);
    assert_int_equal(mt_ntp_pace_after_ns(&pace, 0), 0);
}

static void pace_is_that_of_the_quickest_when_first_answers_are_held_up(void **state)
{
    struct mt_ntp_pace pace = {0};
    learn(&pace, HELD_UP_NS, MT_NTP_PACE_FIRST - 1);
    learn(&pace, USUAL_NS, 1);
    assert_int_equal(mt_ntp_pace_after_ns(&pace, 0), USUAL_NS / 2);
    assert_int_equal(mt_ntp_pace_after_ns(&pace, 3), USUAL_NS / 2 + 3 * USUAL_NS);
}

static void pace_is_known_at_once_when_many_leave_together(void **state)
{
    struct mt_ntp_pace pace = {0};
    mt_ntp_pace_learn(&pace, 16 * USUAL_NS, 16);
    assert_int_equal(mt_ntp_pace_after_ns(&pace, 0), USUAL_NS / 2);
}

static void pace_hardly_rises_when_one_answer_is_held_up(void **state)
{
    struct mt_ntp_pace pace = {0};
    learn(&pace, USUAL_NS, 100);
    learn(&pace, HELD_UP_NS, 1);
    assert_in_range(mt_ntp_pace_after_ns(&pace, 0), USUAL_NS / 2, USUAL_NS / 2 * 65 / 64);
}

static void pace_falls_quickly_and_rises_slowly_when_it_changes(void **state)
{
    struct mt_ntp_pace pace = {0};
    learn(&pace, 4 * USUAL_NS, 100);
    learn(&pace, USUAL_NS, 4);
    assert_in_range(mt_ntp_pace_after_ns(&pace, 0), USUAL_NS / 2, USUAL_NS / 2 * 102 / 100);
    learn(&pace, 4 * USUAL_NS, 4);
    assert_in_range(mt_ntp_pace_after_ns(&pace, 0), USUAL_NS / 2, USUAL_NS / 2 * 120 / 100);
    learn(&pace, 4 * USUAL_NS, 1000);
    assert_in_range(mt_ntp_pace_after_ns(&pace, 0), USUAL_NS * 19 / 10, 2 * USUAL_NS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pace_expects_nothing_when_few_answers_have_left),
        cmocka_unit_test(pace_is_that_of_the_quickest_when_first_answers_are_held_up),
        cmocka_unit_test(pace_is_known_at_once_when_many_leave_together),
        cmocka_unit_test(pace_hardly_rises_when_one_answer_is_held_up),
        cmocka_unit_test(pace_falls_quickly_and_rises_slowly_when_it_changes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
