/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * core/servo/linreg: its arithmetic, worked out by hand.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "meantime/servo_laws.h"

static struct mt_linreg linreg;
static mt_real rate;

static bool is_near(mt_real a, mt_real b)
{
    return mt_real_abs(a - b) < MT_REAL(1e-5) * mt_real_abs(b);
}

/* one second later */
static enum mt_law_answer update_at(mt_real offset, mt_real present_rate, bool is_large)
{
    const struct mt_law_input input = {.offset = offset,
                                       .elapsed = 1,
                                       .interval = 1,
                                       .rate = present_rate,
                                       .max_rate = MT_REAL(500e-6),
                                       .is_large = is_large};

    return mt_linreg_update(&linreg, &input, &rate);
}

static enum mt_law_answer update(mt_real offset)
{
    return update_at(offset, 0, false);
}

static int set_up(void **state)
{
    (void)state;
    mt_linreg_init(&linreg);
    return 0;
}

static void begin(mt_real a, mt_real b, mt_real c, mt_real d)
{
    assert_int_equal(update(a), MT_LAW_WAITS);
    assert_int_equal(update(b), MT_LAW_WAITS);
    assert_int_equal(update(c), MT_LAW_WAITS);
    assert_int_equal(update(d), MT_LAW_JUMPS);
}

static void linreg_takes_slope_and_offset_off_when_it_has_four_points(void **state)
{
    (void)state;
    begin(0, MT_REAL(1e-6), MT_REAL(2e-6), MT_REAL(3e-6));
    assert_true(is_near(rate, MT_REAL(-4e-6)));
    set_up(state);
    begin(0, MT_REAL(2e-6), MT_REAL(1e-6), MT_REAL(3e-6)); /* slope 0.8, 2.7 at the end */
    assert_true(is_near(rate, MT_REAL(-3.5e-6)));
}

static void linreg_leaves_the_offset_to_the_step_when_it_is_large(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(update_at(1 + MT_REAL(1e-5) * (mt_real)i, 0, true), MT_LAW_WAITS);
    }
    assert_int_equal(update_at(MT_REAL(1.00003), 0, true), MT_LAW_JUMPS);
    assert_true(mt_real_abs(rate + MT_REAL(1e-5)) < MT_REAL(2e-7));
}

static void linreg_begins_anew_when_an_offset_is_to_be_stepped(void **state)
{
    (void)state;
    begin(0, MT_REAL(1e-6), MT_REAL(2e-6), MT_REAL(3e-6));
    for (int i = 0; i < 3; i++) {
        assert_int_equal(update_at(1, 0, true), MT_LAW_WAITS);
    }
    assert_int_equal(update_at(1, 0, true), MT_LAW_JUMPS);
    assert_true(mt_real_abs(rate) < MT_REAL(1e-9));
}

static void linreg_keeps_its_line_when_the_clock_is_corrected(void **state)
{
    (void)state;
    begin(0, MT_REAL(1e-6), MT_REAL(2e-6), MT_REAL(3e-6));
    mt_linreg_rate_changed(&linreg, MT_REAL(-1e-6), MT_REAL(0.5)); /* when it is 3.5 us ahead */
    assert_int_equal(update_at(MT_REAL(3.5e-6), MT_REAL(-1e-6), false), MT_LAW_RUNS);
    assert_true(is_near(rate, MT_REAL(-4.5e-6)));
    mt_linreg_stepped(&linreg, MT_REAL(-3e-6));
    assert_int_equal(update_at(MT_REAL(0.5e-6), MT_REAL(-1e-6), false), MT_LAW_RUNS);
    assert_true(is_near(rate, MT_REAL(-1.5e-6)));
}

/* 4 points follow each of them, 64 hardly any */
static void linreg_looks_far_back_when_there_is_noise(void **state)
{
    (void)state;
    for (int i = 0; i < 30; i++) {
        update(MT_REAL(100e-9) * (mt_real)(i % 2 == 0 ? 1 : -1));
    }
    assert_true(mt_real_abs(rate) > MT_REAL(12e-9)); /* so far 16 */
    for (int i = 0; i < 60; i++) {
        update(MT_REAL(100e-9) * (mt_real)(i % 2 == 0 ? 1 : -1));
    }
    assert_true(mt_real_abs(rate) < MT_REAL(4e-9));
}

/* whose slope is followed within a few points */
static void linreg_looks_back_shortly_when_the_frequency_changes(void **state)
{
    mt_real offset = 0;

    (void)state;
    for (int i = 0; i < 100; i++) {
        update(0);
    }
    for (int i = 0; i < 60; i++) {
        offset += MT_REAL(1e-9) * (mt_real)i; /* ever faster */
        update(offset);
    }
    /* slope 57.5 ns/s in the middle of the last four, 1680 ns + 90 ns */
    assert_true(mt_real_abs(rate + MT_REAL(57.5e-9) + offset) < MT_REAL(2e-9));
}

static void linreg_stays_in_range_when_the_offset_is_huge(void **state)
{
    (void)state;
    begin(MT_REAL(1e-3), MT_REAL(1e-3), MT_REAL(1e-3), MT_REAL(1e-3));
    assert_true(rate == -MT_REAL(500e-6));
}

int main(void)
{
#define LINREG_TEST(name) cmocka_unit_test_setup(name, set_up)
    const struct CMUnitTest tests[] = {
        LINREG_TEST(linreg_takes_slope_and_offset_off_when_it_has_four_points),
        LINREG_TEST(linreg_leaves_the_offset_to_the_step_when_it_is_large),
        LINREG_TEST(linreg_begins_anew_when_an_offset_is_to_be_stepped),
        LINREG_TEST(linreg_keeps_its_line_when_the_clock_is_corrected),
        LINREG_TEST(linreg_looks_far_back_when_there_is_noise),
        LINREG_TEST(linreg_looks_back_shortly_when_the_frequency_changes),
        LINREG_TEST(linreg_stays_in_range_when_the_offset_is_huge),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
