/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * From single Pdelay exchanges to the mean link delay and the neighbour's rate.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "meantime/prng.h"
#include "ptp/peer_private.h"

static struct mt_link_delay delay;
static struct mt_link_rate rate;
static struct mt_prng random_numbers;

static int begin(void **state)
{
    memset(&delay, 0, sizeof delay);
    memset(&rate, 0, sizeof rate);
    mt_prng_init(&random_numbers, 1);
    return 0;
}

static int64_t q16_of(int64_t ns)
{
    return ns * 65536;
}

/* nearly normal, with the deviation given */
static int64_t noise_ns(int64_t sigma_ns)
{
    int64_t sum = 0;
    for (unsigned i = 0; i < 12; i++) {
        sum += mt_prng_interval_ns(&random_numbers, 2000);
    }
    return (sum - 12000) * sigma_ns / 2000;
}

static void take_many(int64_t mean_ns, int64_t sigma_ns, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        (void)mt_link_delay_take(&delay, q16_of(mean_ns + noise_ns(sigma_ns)), false);
    }
}

static int64_t mean_ns(void)
{
    return delay.mean_q16 / 65536;
}

/* ---- delay ----------------------------------------------------------------------------------- */

static void ptp_peer_measure_knows_the_delay_when_there_is_one_exchange(void **state)
{
    assert_int_equal(mt_link_delay_take(&delay, q16_of(350), false), MT_LINK_USED);
    assert_int_equal(mean_ns(), 350);
    assert_true(mt_link_delay_sigma_q16(&delay) >= q16_of(350)); /* anything may be wrong with it */
}

static void ptp_peer_measure_averages_when_there_is_noise(void **state)
{
    int64_t squares = 0;
    take_many(500, 100, 300);
    for (unsigned i = 0; i < 1000; i++) {
        take_many(500, 100, 1);
        squares += (mean_ns() - 500) * (mean_ns() - 500);
    }
    assert_in_range(squares / 1000, 1, 15 * 15); /* a seventh of one exchange's noise, at most */
    assert_in_range(mt_link_delay_spread_q16(&delay) / 65536, 70, 130);
    assert_in_range(mt_link_delay_sigma_q16(&delay) / 65536, 6, 13);
}

static void ptp_peer_measure_is_not_led_astray_when_the_first_exchange_is_an_outlier(void **state)
{
    (void)mt_link_delay_take(&delay, q16_of(90000), false);
    take_many(500, 10, 4);
    assert_in_range(mean_ns(), 480, 520);
    take_many(500, 10, 20);
    assert_in_range(mean_ns(), 490, 510);
}

static void ptp_peer_measure_refuses_an_exchange_when_it_is_an_outlier(void **state)
{
    take_many(500, 10, 50);
    int64_t before = delay.mean_q16;
    assert_int_equal(mt_link_delay_take(&delay, q16_of(5000), false), MT_LINK_REFUSED);
    assert_int_equal(mt_link_delay_take(&delay, q16_of(-7000), false), MT_LINK_REFUSED);
    assert_int_equal(delay.mean_q16, before);
    assert_int_equal(delay.refused, 1); /* they do not agree */
    take_many(500, 10, 1);
    assert_int_equal(delay.refused, 0);
}

static void ptp_peer_measure_follows_when_the_path_changes(void **state)
{
    take_many(500, 10, 100);
    take_many(2500, 10, 3);
    assert_in_range(mean_ns(), 2470, 2530);
    take_many(500, 10, 3);
    assert_in_range(mean_ns(), 470, 530);
}

static void ptp_peer_measure_follows_when_the_path_changes_by_little(void **state)
{
    unsigned exchanges = 0;
    take_many(500, 20, 200);
    while (mean_ns() < 560) { /* by four sigma: inside the gate */
        take_many(580, 20, 1);
        assert_true(++exchanges < 12);
    }
    take_many(580, 20, 50);
    assert_in_range(mean_ns(), 570, 590);
}

static void ptp_peer_measure_follows_when_the_path_becomes_noisy(void **state)
{
    take_many(500, 5, 100);
    take_many(900, 400, 200);
    assert_in_range(mean_ns(), 750, 1050);
    assert_true(mt_link_delay_spread_q16(&delay) > q16_of(200));
}

static void ptp_peer_measure_takes_no_step_for_a_path_when_the_clock_was_corrected(void **state)
{
    take_many(500, 10, 50);
    for (unsigned i = 0; i < 5; i++) {
        assert_int_equal(mt_link_delay_take(&delay, q16_of(100000), true), MT_LINK_VOID);
        assert_int_equal(delay.refused, 0);
    }
    assert_int_equal(mt_link_delay_take(&delay, q16_of(500), true), MT_LINK_USED);
    assert_in_range(mean_ns(), 490, 510);
}

static void ptp_peer_measure_does_not_overflow_when_values_are_absurd(void **state)
{
    take_many(500, 10, 5);
    assert_int_equal(mt_link_delay_take(&delay, INT64_MAX, false), MT_LINK_VOID);
    assert_int_equal(mt_link_delay_take(&delay, INT64_MIN, false), MT_LINK_VOID);
    for (unsigned i = 0; i < 100; i++) {
        int64_t most = INT64_C(1) << 52;
        (void)mt_link_delay_take(&delay, (i & 1) != 0 ? most : -most, false);
    }
    take_many(500, 10, 2000);
    assert_in_range(mean_ns(), 480, 520);
}

/* ---- rate ------------------------------------------------------------------------------------ */

static struct mt_instant at_ns(int64_t ns)
{
    return mt_instant_from_ns(ns, MT_SCALE_ARB);
}

/* exchanges: the neighbour gains `gain_ppb` and is ahead by `ahead_ns` at the start */
static void run_rate(int64_t from_s, unsigned count, int64_t ahead_ns, int64_t gain_ppb,
                     int64_t jitter_ns)
{
    for (unsigned i = 0; i < count; i++) {
        int64_t ours_ns = (from_s + i) * MT_NS_PER_S;
        const struct mt_instant ours = at_ns(ours_ns);
        const struct mt_instant theirs =
            at_ns(ours_ns + ahead_ns + (int64_t)i * gain_ppb + noise_ns(jitter_ns));
        mt_link_rate_take(&rate, &ours, &theirs, jitter_ns * 65536);
    }
}

static int64_t ppb(void)
{
    return (int64_t)rate.ratio * 1000000000 / (INT64_C(1) << 41);
}

static void ptp_peer_measure_knows_no_rate_when_there_is_one_point(void **state)
{
    run_rate(1000, 1, 5, 0, 0);
    assert_false(mt_link_rate_is_valid(&rate));
    run_rate(1001, 1, 5, 0, 0);
    assert_true(mt_link_rate_is_valid(&rate));
}

static void ptp_peer_measure_finds_the_rate_when_clocks_are_decades_apart(void **state)
{
    run_rate(1000, 30, INT64_C(1700000000000000000), 37000, 0);
    assert_in_range(ppb(), 36998, 37001);
}

static void ptp_peer_measure_finds_a_negative_rate_when_stamps_jitter(void **state)
{
    run_rate(1000, 40, 0, -90000, 40);
    assert_in_range(ppb() + 1000000, 1000000 - 90016, 1000000 - 89984); /* 802.1AS: 0.1 ppm */
}

static void ptp_peer_measure_begins_a_new_window_when_a_clock_is_stepped(void **state)
{
    run_rate(1000, 20, 0, 5000, 10);
    run_rate(1020, 1, 2000000, 5000, 10);
    assert_int_equal(rate.count, 1);
    assert_in_range(ppb(), 4980, 5020); /* a step says nothing of the rate */
    run_rate(1021, 20, 2000000, 5000, 10);
    assert_in_range(ppb(), 4980, 5020);
}

static void ptp_peer_measure_begins_a_new_window_when_time_runs_backwards(void **state)
{
    run_rate(1000, 20, 0, 5000, 0);
    run_rate(900, 1, 0, 5000, 0);
    assert_int_equal(rate.count, 1);
    run_rate(INT32_MAX, 1, INT64_MAX / 2, 0, 0); /* and after a long time */
    assert_int_equal(rate.count, 1);
}

static void ptp_peer_measure_scales_an_interval_when_the_rate_is_known(void **state)
{
    run_rate(1000, 20, 0, 100000, 0);
    assert_in_range(mt_link_rate_apply_q16(&rate, q16_of(1000000)), q16_of(1000100) - 9,
                    q16_of(1000100) + 9);
    assert_in_range(mt_link_rate_apply_q16(&rate, -q16_of(1000000)) + q16_of(2000000),
                    q16_of(999900) - 9, q16_of(999900) + 9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(ptp_peer_measure_knows_the_delay_when_there_is_one_exchange, begin),
        cmocka_unit_test_setup(ptp_peer_measure_averages_when_there_is_noise, begin),
        cmocka_unit_test_setup(
            ptp_peer_measure_is_not_led_astray_when_the_first_exchange_is_an_outlier, begin),
        cmocka_unit_test_setup(ptp_peer_measure_refuses_an_exchange_when_it_is_an_outlier, begin),
        cmocka_unit_test_setup(ptp_peer_measure_follows_when_the_path_changes, begin),
        cmocka_unit_test_setup(ptp_peer_measure_follows_when_the_path_changes_by_little, begin),
        cmocka_unit_test_setup(ptp_peer_measure_follows_when_the_path_becomes_noisy, begin),
        cmocka_unit_test_setup(
            ptp_peer_measure_takes_no_step_for_a_path_when_the_clock_was_corrected, begin),
        cmocka_unit_test_setup(ptp_peer_measure_does_not_overflow_when_values_are_absurd, begin),
        cmocka_unit_test_setup(ptp_peer_measure_knows_no_rate_when_there_is_one_point, begin),
        cmocka_unit_test_setup(ptp_peer_measure_finds_the_rate_when_clocks_are_decades_apart,
                               begin),
        cmocka_unit_test_setup(ptp_peer_measure_finds_a_negative_rate_when_stamps_jitter, begin),
        cmocka_unit_test_setup(ptp_peer_measure_begins_a_new_window_when_a_clock_is_stepped, begin),
        cmocka_unit_test_setup(ptp_peer_measure_begins_a_new_window_when_time_runs_backwards,
                               begin),
        cmocka_unit_test_setup(ptp_peer_measure_scales_an_interval_when_the_rate_is_known, begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
