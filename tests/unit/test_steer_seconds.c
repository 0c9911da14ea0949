/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "steer/seconds.h"

static void assert_about(struct mt_span span, double s)
{
    double is = mt_steer_seconds(&span);
    double off = is > s ? is - s : s - is;
    assert_true(off <= (s > 0 ? s : -s) * 4 * (double)MT_REAL_EPSILON);
}

static void seconds_keep_their_digits_when_they_are_next_to_nothing(void **state)
{
    assert_about((struct mt_span){0, 0, 0}, 0);
    assert_about((struct mt_span){0, 20, 0x8000}, 20.5e-9);
    assert_about((struct mt_span){-1, 999999980, 0}, -20e-9);
    assert_about((struct mt_span){-1, 999999979, 0x8000}, -20.5e-9);
}

static void seconds_are_those_of_the_span_when_it_is_shorter_than_hours(void **state)
{
    assert_about((struct mt_span){1, 500000000, 0}, 1.5);
    assert_about((struct mt_span){-2, 500000000, 0}, -1.5);
    assert_about((struct mt_span){-1, 0, 0}, -1);
    assert_about((struct mt_span){3600, 250000000, 0}, 3600.25);
}

static void seconds_are_some_hours_when_the_span_is_longer(void **state)
{
    static const int64_t longer[] = {10000, INT64_C(1) << 32, INT64_MAX};
    for (unsigned i = 0; i < sizeof longer / sizeof longer[0]; i++) {
        assert_about((struct mt_span){longer[i], 0, 0}, 10000);
        assert_about((struct mt_span){-longer[i], 0, 0}, -10000);
    }
    assert_about((struct mt_span){INT64_MIN, 0, 0}, -10000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(seconds_keep_their_digits_when_they_are_next_to_nothing),
        cmocka_unit_test(seconds_are_those_of_the_span_when_it_is_shorter_than_hours),
        cmocka_unit_test(seconds_are_some_hours_when_the_span_is_longer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
