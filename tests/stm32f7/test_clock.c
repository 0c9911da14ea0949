/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The clock's table (hal/clock.h) over the hardware: corrections, and which of them a stamp has
 * had.
 */
#include "bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct mt_hal_clock *hal(void)
{
    return &bench.clock.hal;
}

static struct mt_applied run_at(double rate)
{
    const struct mt_correction correction = {.kind = MT_CORRECT_RATE, .rate = (mt_real)rate};
    struct mt_applied applied;
    hal()->ops->apply(hal(), &correction, &applied);
    return applied;
}

static struct mt_applied step_by(struct mt_span step)
{
    const struct mt_correction correction = {
        .kind = MT_CORRECT_STEP, .step = step, .scale = MT_SCALE_TAI};
    struct mt_applied applied;
    hal()->ops->apply(hal(), &correction, &applied);
    return applied;
}

static struct mt_stamp stamp_of_frame(void)
{
    static const uint8_t bytes[60];
    struct mt_stm32f7_arrival arrival;
    struct mt_stamp stamp = {.corrections = UINT32_MAX};
    assert_true(model_receive(bytes, sizeof bytes, 0));
    assert_true(mt_stm32f7_mac_next_arrival(&bench.mac, &arrival));
    assert_true(arrival.has_stamp);
    hal()->ops->stamp(hal(), mt_stm32f7_clock_base(&bench.clock, arrival.stamp), &stamp);
    mt_stm32f7_mac_release(&bench.mac);
    return stamp;
}

static void stm32f7_clock_tells_what_it_did_when_rate_is_applied(void **state)
{
    (void)state;
    const struct mt_applied applied = run_at(-123.4567e-6);
    assert_false(applied.is_refused);
    assert_int_equal(applied.corrections, 1);
    assert_true((double)applied.rate < -123.4566e-6 && (double)applied.rate > -123.4568e-6);
    struct mt_clock_reading reading;
    hal()->ops->read(hal(), &reading);
    assert_true((double)reading.rate_q64 / 0x1p64 - (double)applied.rate < 1e-15);
    assert_true((double)reading.rate_q64 / 0x1p64 - (double)applied.rate > -1e-15);
    assert_int_equal(reading.local.corrections, 1);
    assert_true(mt_instant_compare(reading.local.at, applied.at) > 0);
}

static void stm32f7_clock_tells_what_it_did_when_rate_is_out_of_range(void **state)
{
    (void)state;
    const struct mt_applied applied = run_at(0.5);
    assert_false(applied.is_refused);
    assert_true((double)applied.rate > 0.999e-3 && (double)applied.rate < 1.001e-3);
}

static void stm32f7_clock_takes_the_scale_when_stepped(void **state)
{
    (void)state;
    assert_int_equal(hal()->scale, MT_SCALE_ARB);
    const struct mt_applied applied = step_by((struct mt_span){1700000000, 250000000, 0});
    assert_false(applied.is_refused);
    assert_int_equal(applied.step.s, 1700000000);
    assert_int_equal(applied.step.ns, 250000000);
    assert_int_equal(applied.at.scale, MT_SCALE_TAI);
    assert_int_equal(applied.at.s, 1700000000);
    assert_int_equal(stamp_of_frame().at.scale, MT_SCALE_TAI);
    assert_int_equal(stamp_of_frame().at.s, 1700000000);
}

static void stm32f7_clock_counts_corrections_when_stamps_are_older(void **state)
{
    (void)state;
    static const uint8_t bytes[60];
    assert_int_equal(stamp_of_frame().corrections, 0);
    run_at(1e-6);
    assert_int_equal(stamp_of_frame().corrections, 1);
    assert_true(model_receive(bytes, sizeof bytes, 0));
    model_pass_us(100);
    for (unsigned i = 0; i < 6; i++) {
        run_at(1e-6 * i);
        model_pass_us(100);
    }
    struct mt_stm32f7_arrival arrival;
    struct mt_stamp stamp;
    assert_true(mt_stm32f7_mac_next_arrival(&bench.mac, &arrival));
    hal()->ops->stamp(hal(), mt_stm32f7_clock_base(&bench.clock, arrival.stamp), &stamp);
    assert_int_equal(stamp.corrections, 1);
    mt_stm32f7_mac_release(&bench.mac);
    assert_int_equal(stamp_of_frame().corrections, 7);
}

/* One that was taken from the hardware before a step back, and reads like one of the new time. */
static void stm32f7_clock_knows_old_stamps_when_stepped_back(void **state)
{
    (void)state;
    struct mt_stamp stamp;
    run_at(1e-6);
    run_at(2e-6);
    model_pass_us(1000);
    const struct mt_instant at = mt_stm32f7_ptp_read(&bench.ptp);
    const struct mt_stm32f7_raw_time raw = {(uint32_t)at.s, at.ns};
    const struct mt_base_time old = mt_stm32f7_clock_base(&bench.clock, raw);
    step_by((struct mt_span){-1, 999990000, 0});
    run_at(3e-6);
    model_pass_us(100000);
    hal()->ops->stamp(hal(), old, &stamp);
    assert_int_equal(stamp.corrections, 2);
    hal()->ops->stamp(hal(), mt_stm32f7_clock_base(&bench.clock, raw), &stamp);
    assert_int_equal(stamp.corrections, 3);
    step_by((struct mt_span){-1, 999990000, 0});
    hal()->ops->stamp(hal(), old, &stamp);
    assert_int_equal(stamp.corrections, 2);
}

/* Frames that were there before a step, or came while it was made, have no stamp. */
static void stm32f7_clock_keeps_no_stamp_when_stepped(void **state)
{
    (void)state;
    static const uint8_t bytes[60];
    struct mt_stm32f7_arrival arrival;
    struct mt_stm32f7_departure departure;
    assert_true(model_receive(bytes, sizeof bytes, 0));
    assert_true(bench_send(1, 60, 5));
    const uint64_t before = model.cycles;
    step_by((struct mt_span){-1, 999990000, 0});
    assert_true(model.cycles - before > 1230 * MODEL_CYCLES_PER_US);
    assert_true(mt_stm32f7_mac_next_arrival(&bench.mac, &arrival));
    assert_false(arrival.has_stamp);
    mt_stm32f7_mac_release(&bench.mac);
    assert_true(mt_stm32f7_mac_next_departure(&bench.mac, &departure));
    assert_int_equal(departure.token, 5);
    assert_false(departure.has_stamp);
    assert_int_equal(stamp_of_frame().corrections, 1);
}

static void stm32f7_clock_loses_no_time_when_stepped(void **state)
{
    (void)state;
    struct mt_clock_reading before;
    struct mt_clock_reading after;
    hal()->ops->read(hal(), &before);
    step_by((struct mt_span){100, 5, 0});
    hal()->ops->read(hal(), &after);
    const int64_t apart_ns =
        mt_span_to_ns(mt_instant_minus(after.local.at, before.local.at)) - 100000000005;
    const int64_t passed_ns = after.base.ns - before.base.ns;
    assert_true(apart_ns - passed_ns < 1500 && apart_ns - passed_ns > -1500);
    assert_true(passed_ns > 1000000);
}

static void stm32f7_clock_refuses_when_hardware_does_not_answer(void **state)
{
    (void)state;
    model.is_clock_stuck = true;
    const struct mt_applied stepped = step_by((struct mt_span){1, 0, 0});
    assert_true(stepped.is_refused);
    assert_int_equal(stepped.corrections, 0);
    assert_int_equal(hal()->scale, MT_SCALE_ARB);
    assert_true(run_at(5e-6).is_refused);
    assert_false(hal()->ops->disturbed(hal(), NULL));
}

#define ON_BENCH(test) cmocka_unit_test_setup_teardown(test, bench_start, bench_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_BENCH(stm32f7_clock_tells_what_it_did_when_rate_is_applied),
        ON_BENCH(stm32f7_clock_tells_what_it_did_when_rate_is_out_of_range),
        ON_BENCH(stm32f7_clock_takes_the_scale_when_stepped),
        ON_BENCH(stm32f7_clock_counts_corrections_when_stamps_are_older),
        ON_BENCH(stm32f7_clock_knows_old_stamps_when_stepped_back),
        ON_BENCH(stm32f7_clock_keeps_no_stamp_when_stepped),
        ON_BENCH(stm32f7_clock_loses_no_time_when_stepped),
        cmocka_unit_test_setup(stm32f7_clock_refuses_when_hardware_does_not_answer, bench_start),
    };
    return cmocka_run_group_tests_name("stm32f7_clock", tests, NULL, NULL);
}
