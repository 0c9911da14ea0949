/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * core/servo/pi: its arithmetic, worked out by hand.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "meantime/servo_laws.h"

static struct mt_pi pi;
static mt_real rate;

static bool is_near(mt_real a, mt_real b)
{
    return mt_real_abs(a - b) < MT_REAL(2e-6) * mt_real_abs(b);
}

static enum mt_law_answer update(mt_real offset, mt_real elapsed, mt_real interval, bool is_large)
{
    const struct mt_law_input input = {.offset = offset,
                                       .elapsed = elapsed,
                                       .interval = interval,
                                       .max_rate = MT_REAL(500e-6),
                                       .is_large = is_large};

    return mt_pi_update(&pi, &input, &rate);
}

/* 5 ppm fast, and it is known */
static int run(void **state)
{
    (void)state;
    mt_pi_init(&pi, 0);
    assert_int_equal(update(MT_REAL(1e-3), 0, 1, true), MT_LAW_WAITS);
    assert_int_equal(update(MT_REAL(1.005e-3), 1, 1, true), MT_LAW_JUMPS);
    return 0;
}

static void pi_has_the_gains_when_the_interval_is_given(void **state)
{
    (void)state;
    assert_true(is_near(mt_pi_kp(1), MT_REAL(0.7)));
    assert_true(is_near(mt_pi_ki(1), MT_REAL(0.3)));
    assert_true(mt_real_abs(mt_pi_kp(MT_REAL(0.125)) - MT_REAL(1.3062)) < MT_REAL(1e-4));
    assert_true(mt_real_abs(mt_pi_ki(MT_REAL(0.125)) - MT_REAL(0.1306)) < MT_REAL(1e-4));
    assert_true(is_near(mt_pi_kp(2), MT_REAL(0.35)));
    assert_true(is_near(mt_pi_ki(2), MT_REAL(0.15)));
    assert_true(is_near(mt_pi_kp(16), MT_REAL(0.04375)));
    assert_true(is_near(mt_pi_ki(16), MT_REAL(0.01875)));
}

static void pi_finds_the_frequency_when_it_has_two_offsets(void **state)
{
    (void)state;
    assert_true(is_near(rate, MT_REAL(-5e-6)));
    mt_pi_init(&pi, MT_REAL(-20e-6)); /* corrected by that much already */
    assert_int_equal(update(0, 0, 1, false), MT_LAW_WAITS);
    assert_int_equal(update(MT_REAL(10e-6), 2, 1, false), MT_LAW_JUMPS);
    assert_true(is_near(rate, MT_REAL(-24.9999e-6)));
}

static void pi_waits_when_the_first_offsets_are_close_together(void **state)
{
    (void)state;
    mt_pi_init(&pi, 0);
    assert_int_equal(update(0, 0, 16, false), MT_LAW_WAITS);
    assert_int_equal(update(MT_REAL(1e-6), MT_REAL(0.5), 16, false), MT_LAW_WAITS);
    assert_int_equal(update(MT_REAL(1.8e-6), MT_REAL(0.4), 16, false), MT_LAW_JUMPS);
    assert_true(is_near(rate, MT_REAL(-2e-6)));
}

static void pi_begins_anew_when_the_clock_is_corrected_meanwhile(void **state)
{
    (void)state;
    mt_pi_init(&pi, 0);
    assert_int_equal(update(0, 0, 1, false), MT_LAW_WAITS);
    mt_pi_corrected(&pi);
    assert_int_equal(update(MT_REAL(1e-3), 1, 1, false), MT_LAW_WAITS);
    assert_int_equal(update(MT_REAL(1e-3), 1, 1, false), MT_LAW_JUMPS);
    assert_true(rate == 0);
    mt_pi_corrected(&pi); /* it runs: nothing is lost */
    assert_int_equal(update(0, 1, 1, false), MT_LAW_RUNS);
}

static void pi_adds_up_when_it_runs(void **state)
{
    (void)state;
    assert_int_equal(update(MT_REAL(100e-9), 1, 1, false), MT_LAW_RUNS);
    assert_true(is_near(rate, MT_REAL(-5.1e-6)));
    assert_int_equal(update(MT_REAL(-50e-9), 1, 1, false), MT_LAW_RUNS);
    assert_true(is_near(rate, MT_REAL(-4.98e-6)));
    assert_int_equal(update(0, 1, 1, false), MT_LAW_RUNS);
    assert_true(is_near(rate, MT_REAL(-5.015e-6)));
}

static void pi_does_not_wind_up_when_the_range_ends(void **state)
{
    (void)state;
    for (int i = 0; i < 100; i++) {
        assert_int_equal(update(MT_REAL(1e-3), 1, 1, false), MT_LAW_RUNS);
        assert_true(rate == -MT_REAL(500e-6));
    }
    assert_int_equal(update(0, 1, 1, false), MT_LAW_RUNS);
    assert_true(is_near(rate, MT_REAL(-5e-6)));
}

static void pi_begins_anew_when_an_offset_is_to_be_stepped(void **state)
{
    (void)state;
    assert_int_equal(update(1, 1, 1, true), MT_LAW_WAITS);
    assert_int_equal(update(1, 1, 1, true), MT_LAW_WAITS);
    assert_int_equal(update(1, 1, 1, true), MT_LAW_JUMPS);
    assert_true(is_near(rate, MT_REAL(-5e-6)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pi_has_the_gains_when_the_interval_is_given),
        cmocka_unit_test_setup(pi_finds_the_frequency_when_it_has_two_offsets, run),
        cmocka_unit_test(pi_waits_when_the_first_offsets_are_close_together),
        cmocka_unit_test(pi_begins_anew_when_the_clock_is_corrected_meanwhile),
        cmocka_unit_test_setup(pi_adds_up_when_it_runs, run),
        cmocka_unit_test_setup(pi_does_not_wind_up_when_the_range_ends, run),
        cmocka_unit_test_setup(pi_begins_anew_when_an_offset_is_to_be_stepped, run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
