/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The MAC's clock: how fast it runs, to what it is stepped, how it is read.
 */
#include "bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define NS_PER_S INT64_C(1000000000)

static uint64_t now_us(void)
{
    return mt_stm32f7_board_now_us(&bench.counter);
}

static int64_t read_ns(void)
{
    const struct mt_instant now = mt_stm32f7_ptp_read(&bench.ptp);
    return now.s * NS_PER_S + now.ns;
}

/* ---- rate ---------------------------------------------------------------------------------- */

static void stm32f7_ptp_runs_at_nominal_rate_when_started(void **state)
{
    (void)state;
    assert_int_equal(model_peek(ETH_PTPTSAR), 0x7684BDA1);
    assert_int_equal(model_peek(ETH_PTPSSIR), 10);
}

static int64_t to_q40(double rate)
{
    return (int64_t)(rate * 0x1p40);
}

/* What the clock gains on the processor's cycles, in s/s, over a time at a rate. */
static double gain_at(double rate, uint64_t seconds, uint64_t tick_us)
{
    assert_true(mt_stm32f7_ptp_set_rate(&bench.ptp, to_q40(rate), now_us()));
    const uint64_t begin = model.cycles;
    const uint64_t begin_ns = model_clock_ns();
    while (model.cycles - begin < seconds * 216000000) {
        model_pass_us(tick_us);
        assert_true(mt_stm32f7_ptp_tick(&bench.ptp, now_us()));
    }
    const double passed_ns = (double)(model.cycles - begin) / 0.216;
    return ((double)(model_clock_ns() - begin_ns) - passed_ns) / passed_ns;
}

static void assert_rate(double wanted, uint64_t seconds, uint64_t tick_us)
{
    const double rate = (double)to_q40(wanted) / 0x1p40;
    const double gain = gain_at(wanted, seconds, tick_us);
    const double granule = 20.0 / ((double)seconds * 1e9);
    if (!(gain - rate < granule && rate - gain < granule)) {
        fail_msg("rate %.4f ppb became %.4f ppb", rate * 1e9, gain * 1e9);
    }
}

static void stm32f7_ptp_runs_at_wanted_rate_when_within_500_ppm(void **state)
{
    (void)state;
    for (int ppm = -500; ppm <= 500; ppm += 25) {
        assert_rate(ppm * 1e-6, 100, 100000);
    }
}

static void stm32f7_ptp_tells_rates_apart_when_1_ppb_apart(void **state)
{
    (void)state;
    for (int ppb = -12; ppb <= 12; ppb++) {
        assert_rate(ppb * 1e-9, 1000, 100000);
        assert_rate(499.999988e-6 + ppb * 1e-9, 1000, 100000);
    }
}

static void stm32f7_ptp_is_exact_in_the_mean_when_addend_has_a_fraction(void **state)
{
    (void)state;
    /* a tenth of what one addend makes, over a day: 2 ps/s would be 200 ns */
    assert_rate(0.05e-9, 86400, 1000000);
    assert_rate(-333.333333333e-6, 86400, 1000000);
}

static void stm32f7_ptp_is_exact_in_the_mean_when_ticks_are_irregular(void **state)
{
    (void)state;
    const double rate = 220 / 0x1p40; /* 0.2 ppb */
    assert_true(mt_stm32f7_ptp_set_rate(&bench.ptp, to_q40(rate), now_us()));
    const uint64_t begin = model.cycles;
    const uint64_t begin_ns = model_clock_ns();
    while (model.cycles - begin < UINT64_C(20000) * 216000000) {
        /* whoever counts ticks instead of time is lost: the higher addend stays longer */
        model_pass_us(bench.ptp.addend % 2 == 0 ? 900000 : 50000);
        assert_true(mt_stm32f7_ptp_tick(&bench.ptp, now_us()));
    }
    const double passed_ns = (double)(model.cycles - begin) / 0.216;
    const double error_ns = (double)(model_clock_ns() - begin_ns) - passed_ns * (1 + rate);
    assert_true(error_ns < 12 && error_ns > -12);
}

static void stm32f7_ptp_stays_within_a_nanosecond_when_rate_changes_often(void **state)
{
    (void)state;
    double wanted_ns = (double)model_clock_ns();
    const double begin_ns = wanted_ns;
    for (int i = 0; i < 20000; i++) {
        const double rate = (i % 7 - 3) * 151 / 0x1p40;
        const uint64_t begin = model.cycles;
        assert_true(mt_stm32f7_ptp_set_rate(&bench.ptp, to_q40(rate), now_us()));
        model_pass_us(100000);
        wanted_ns += (double)(model.cycles - begin) / 0.216 * (1 + rate);
    }
    assert_true(begin_ns < wanted_ns);
    const double error_ns = (double)model_clock_ns() - wanted_ns;
    assert_true(error_ns < 15 && error_ns > -15);
}

static void stm32f7_ptp_cuts_rates_when_beyond_a_thousandth(void **state)
{
    (void)state;
    assert_true(mt_stm32f7_ptp_set_rate(&bench.ptp, INT64_C(1) << 38, now_us()));
    assert_int_equal(bench.ptp.rate_q40, MT_STM32F7_RATE_MAX_Q40);
    assert_true(mt_stm32f7_ptp_set_rate(&bench.ptp, MT_STM32F7_RATE_MAX_Q40 / 2 * 3, now_us()));
    assert_int_equal(bench.ptp.rate_q40, MT_STM32F7_RATE_MAX_Q40);
    assert_true(mt_stm32f7_ptp_set_rate(&bench.ptp, -(INT64_C(1) << 38), now_us()));
    assert_int_equal(bench.ptp.rate_q40, -MT_STM32F7_RATE_MAX_Q40);
    assert_rate(-1e-3, 10, 100000);
}

static void stm32f7_ptp_leaves_the_addend_alone_when_it_need_not_change(void **state)
{
    (void)state;
    assert_true(mt_stm32f7_ptp_tick(&bench.ptp, now_us()));
    const size_t writes = model.write_count;
    assert_true(mt_stm32f7_ptp_tick(&bench.ptp, now_us()));
    assert_true(mt_stm32f7_ptp_tick(&bench.ptp, now_us()));
    assert_true(model.write_count - writes <= 2);
}

/* A silence is made good as far as ten seconds of it. */
static void stm32f7_ptp_repays_ten_seconds_at_most_when_it_was_not_called(void **state)
{
    (void)state;
    const int64_t rate_q40 = 250; /* not a whole addend */
    assert_true(mt_stm32f7_ptp_set_rate(&bench.ptp, rate_q40, now_us()));
    model_pass_us(1000000000);
    assert_true(mt_stm32f7_ptp_tick(&bench.ptp, now_us()));
    const int64_t most_q32 = INT64_C(10000000) << 32;
    assert_true(bench.ptp.debt_q32 > -most_q32 && bench.ptp.debt_q32 < most_q32);
    assert_true(bench.ptp.debt_q32 > most_q32 / 10 || bench.ptp.debt_q32 < -most_q32 / 10);
}

/* ---- reading ------------------------------------------------------------------------------- */

static void stm32f7_ptp_reads_whole_when_seconds_move_on(void **state)
{
    (void)state;
    int torn = 0;
    for (uint32_t cycles = 1; cycles <= 40; cycles++) {
        model.cycles_per_access = cycles;
        for (uint32_t ns = 999999000; ns < 1000000000; ns += 10) {
            model_set_clock(77, ns);
            const int64_t before_ns = (int64_t)model_clock_ns();
            const int64_t found_ns = read_ns();
            const int64_t after_ns = (int64_t)model_clock_ns();
            assert_true(found_ns >= before_ns && found_ns <= after_ns);
            torn += before_ns / NS_PER_S != after_ns / NS_PER_S;
        }
    }
    assert_true(torn > 100);
}

static void stm32f7_ptp_counts_on_when_32_bits_of_seconds_are_full(void **state)
{
    (void)state;
    model_set_clock(0x7FFFFFF0, 5);
    assert_int_equal(mt_stm32f7_ptp_read(&bench.ptp).s, 0x7FFFFFF0);
    model_set_clock(0xF0000000, 5);
    assert_int_equal(mt_stm32f7_ptp_read(&bench.ptp).s, 0xF0000000);
    model_set_clock(0xFFFFFFFE, 5);
    assert_int_equal(mt_stm32f7_ptp_read(&bench.ptp).s, 0xFFFFFFFE);
    model_set_clock(3, 7);
    const struct mt_instant now = mt_stm32f7_ptp_read(&bench.ptp);
    assert_int_equal(now.s, INT64_C(0x100000003));
}

static void stm32f7_ptp_extends_stamps_when_seconds_wrapped_since(void **state)
{
    (void)state;
    model_set_clock(0x7FFFFFF0, 0);
    (void)mt_stm32f7_ptp_read(&bench.ptp);
    model_set_clock(0xF0000000, 0);
    (void)mt_stm32f7_ptp_read(&bench.ptp);
    model_set_clock(1, 0);
    (void)mt_stm32f7_ptp_read(&bench.ptp);
    const struct mt_stm32f7_raw_time before = {0xFFFFFFFF, 999999999};
    const struct mt_stm32f7_raw_time after = {2, 10};
    assert_int_equal(mt_stm32f7_ptp_extend(&bench.ptp, before).s, INT64_C(0xFFFFFFFF));
    assert_int_equal(mt_stm32f7_ptp_extend(&bench.ptp, before).ns, 999999999);
    assert_int_equal(mt_stm32f7_ptp_extend(&bench.ptp, after).s, INT64_C(0x100000002));
}

static void stm32f7_ptp_refuses_stamps_when_they_are_no_time(void **state)
{
    (void)state;
    const struct mt_stm32f7_raw_time lost = {0xFFFFFFFF, 0xFFFFFFFF};
    const struct mt_stm32f7_raw_time none = {5, 1000000000};
    const struct mt_stm32f7_raw_time last = {0xFFFFFFFF, 999999999};
    const struct mt_stm32f7_raw_time zero = {0, 0};
    assert_false(mt_stm32f7_ptp_is_time(lost));
    assert_false(mt_stm32f7_ptp_is_time(none));
    assert_true(mt_stm32f7_ptp_is_time(last));
    assert_true(mt_stm32f7_ptp_is_time(zero));
}

/* ---- stepping ------------------------------------------------------------------------------ */

/* From `from`, by `by`: the clock jumps by exactly that and loses no time. */
static void check_step(int64_t from_ns, struct mt_span by, int64_t by_ns)
{
    struct mt_span done;
    model_set_clock((uint32_t)(from_ns / NS_PER_S), (uint32_t)(from_ns % NS_PER_S));
    bench.ptp.s = from_ns / NS_PER_S;
    const uint64_t begin = model.cycles;
    assert_true(mt_stm32f7_ptp_step(&bench.ptp, by, &done));
    const int64_t found_ns = read_ns();
    const int64_t passed_ns = (int64_t)((double)(model.cycles - begin) / 0.216);
    const int64_t error_ns = found_ns - (from_ns + by_ns + passed_ns);
    assert_int_equal(mt_span_to_ns(done), by_ns);
    if (error_ns > 40 || error_ns < -40) {
        fail_msg("step by %lld ns missed by %lld ns", (long long)by_ns, (long long)error_ns);
    }
}

static void stm32f7_ptp_steps_by_sub_seconds_when_forward_and_back(void **state)
{
    (void)state;
    static const int64_t parts_ns[] = {0,         1,         10,        999,       123456789,
                                       500000000, 750000000, 999999990, 999999999, 400000001};
    static const int64_t seconds[] = {0, 1, 2, 86400, 1700000000};
    for (size_t i = 0; i < sizeof parts_ns / sizeof parts_ns[0]; i++) {
        for (size_t j = 0; j < sizeof seconds / sizeof seconds[0]; j++) {
            const int64_t by_ns = seconds[j] * NS_PER_S + parts_ns[i];
            for (int64_t from_ns = 0; from_ns < NS_PER_S; from_ns += 250000000) {
                const int64_t at_ns = 1750000000 * NS_PER_S + from_ns;
                check_step(at_ns, mt_span_from_ns(by_ns), by_ns);
                check_step(at_ns, mt_span_from_ns(-by_ns), -by_ns);
            }
        }
    }
}

static void stm32f7_ptp_rounds_steps_when_they_have_fractions_of_ns(void **state)
{
    (void)state;
    const struct mt_span up = {0, 4, 0x8000};
    const struct mt_span down = {0, 4, 0x7FFF};
    const struct mt_span back = {-1, 999999990, 0x4000};   /* -9.75 ns */
    const struct mt_span carried = {2, 999999999, 0xFFFF}; /* 3 s */
    check_step(5 * NS_PER_S, up, 5);
    check_step(5 * NS_PER_S, down, 4);
    check_step(5 * NS_PER_S, back, -10);
    check_step(5 * NS_PER_S, carried, 3 * NS_PER_S);
}

static void stm32f7_ptp_steps_when_the_span_has_more_than_32_bits_of_seconds(void **state)
{
    (void)state;
    struct mt_span done;
    const struct mt_span far = {INT64_C(0x200000010), 500000000, 0};
    const struct mt_span back = {-INT64_C(0x200000011), 500000000, 0};
    model_set_clock(100, 0);
    (void)read_ns();
    assert_true(mt_stm32f7_ptp_step(&bench.ptp, far, &done));
    struct mt_instant now = mt_stm32f7_ptp_read(&bench.ptp);
    assert_int_equal(now.s, INT64_C(0x200000074));
    assert_true(now.ns >= 500000000 && now.ns < 500001000);
    assert_true(mt_stm32f7_ptp_step(&bench.ptp, back, &done));
    now = mt_stm32f7_ptp_read(&bench.ptp);
    assert_int_equal(now.s, 100);
    assert_true(now.ns < 1000);
}

static void stm32f7_ptp_keeps_its_rate_when_stepped(void **state)
{
    (void)state;
    struct mt_span done;
    assert_true(mt_stm32f7_ptp_set_rate(&bench.ptp, to_q40(100e-6), now_us()));
    const uint32_t addend = model_peek(ETH_PTPTSAR);
    assert_true(mt_stm32f7_ptp_step(&bench.ptp, mt_span_from_ns(12345), &done));
    assert_int_equal(model_peek(ETH_PTPTSAR), addend);
    const uint64_t begin_ns = model_clock_ns();
    const uint64_t begin = model.cycles;
    model_pass_us(1000000);
    const double passed_ns = (double)(model.cycles - begin) / 0.216;
    const double gained_ns = (double)(model_clock_ns() - begin_ns) - passed_ns;
    assert_true(gained_ns > 99980 && gained_ns < 100020);
}

/* ---- failing ------------------------------------------------------------------------------- */

static void stm32f7_ptp_says_so_when_hardware_does_not_answer(void **state)
{
    (void)state;
    struct mt_span done = {7, 7, 7};
    struct mt_stm32f7_ptp other;
    model.is_clock_stuck = true;
    assert_false(mt_stm32f7_ptp_step(&bench.ptp, mt_span_from_ns(5), &done));
    assert_int_equal(done.s, 7);
    model_poke(ETH_PTPTSCR, 0);
    bench_reset(NULL);
    assert_true(mt_stm32f7_board_init());
    model.is_clock_stuck = true;
    assert_false(mt_stm32f7_ptp_init(&other, 0));
}

static void stm32f7_ptp_makes_one_pulse_a_second_when_asked(void **state)
{
    (void)state;
    model_poke(ETH_PTPPPSCR, 5);
    mt_stm32f7_ptp_start_pps();
    assert_int_equal(model_peek(ETH_PTPPPSCR), 0);
    assert_int_equal(model_peek(GPIO('B') + GPIO_AFR) >> 20 & 15, 11);
    assert_int_equal(model_peek(GPIO('B') + GPIO_MODER) >> 10 & 3, 2);
}

#define ON_BENCH(test) cmocka_unit_test_setup_teardown(test, bench_start, bench_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_BENCH(stm32f7_ptp_runs_at_nominal_rate_when_started),
        ON_BENCH(stm32f7_ptp_runs_at_wanted_rate_when_within_500_ppm),
        ON_BENCH(stm32f7_ptp_tells_rates_apart_when_1_ppb_apart),
        ON_BENCH(stm32f7_ptp_is_exact_in_the_mean_when_addend_has_a_fraction),
        ON_BENCH(stm32f7_ptp_is_exact_in_the_mean_when_ticks_are_irregular),
        ON_BENCH(stm32f7_ptp_stays_within_a_nanosecond_when_rate_changes_often),
        ON_BENCH(stm32f7_ptp_cuts_rates_when_beyond_a_thousandth),
        ON_BENCH(stm32f7_ptp_leaves_the_addend_alone_when_it_need_not_change),
        ON_BENCH(stm32f7_ptp_repays_ten_seconds_at_most_when_it_was_not_called),
        ON_BENCH(stm32f7_ptp_reads_whole_when_seconds_move_on),
        ON_BENCH(stm32f7_ptp_counts_on_when_32_bits_of_seconds_are_full),
        ON_BENCH(stm32f7_ptp_extends_stamps_when_seconds_wrapped_since),
        ON_BENCH(stm32f7_ptp_refuses_stamps_when_they_are_no_time),
        ON_BENCH(stm32f7_ptp_steps_by_sub_seconds_when_forward_and_back),
        ON_BENCH(stm32f7_ptp_rounds_steps_when_they_have_fractions_of_ns),
        ON_BENCH(stm32f7_ptp_steps_when_the_span_has_more_than_32_bits_of_seconds),
        ON_BENCH(stm32f7_ptp_keeps_its_rate_when_stepped),
        cmocka_unit_test_setup(stm32f7_ptp_says_so_when_hardware_does_not_answer, bench_start),
        ON_BENCH(stm32f7_ptp_makes_one_pulse_a_second_when_asked),
    };
    return cmocka_run_group_tests_name("stm32f7_ptp", tests, NULL, NULL);
}
