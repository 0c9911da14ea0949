/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Reading hardware clocks and steering them, over a device and a machine of the test's own.
 */
#include "linux_device.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define YEAR (365 * 86400 * SECOND)

static const struct mt_clock_request phc_request = {
    .kind = MT_CLOCK_PHC, .name = "p", .tai_utc_known = true, .tai_minus_utc_s = 37};

struct bench {
    struct machine machine;
    struct device device;
    struct mt_phc *phc;
    struct mt_hal_clock *clock;
};

static struct bench *bench_new(void)
{
    struct bench *self = calloc(1, sizeof *self);

    assert_non_null(self);
    machine_init(&self->machine);
    device_init(&self->device, &self->machine);
    return self;
}

static void bench_open(struct bench *self)
{
    self->phc = mt_phc_new(3, &self->device.os, &self->machine.os);
    assert_non_null(self->phc);
    self->clock = mt_clock_phc_new(&phc_request, self->phc, &self->machine.os);
    assert_non_null(self->clock);
}

static void bench_free(struct bench *self)
{
    mt_phc_free(self->phc);
    free(self->clock);
    free(self);
}

/* Time passes as it does for the daemon: with a reading now and then. */
static void run(struct bench *self, int64_t ns)
{
    struct mt_applied applied;

    for (int64_t i = 0; i < ns; i += 50 * MS) {
        device_pass(&self->device, 50 * MS);
        mt_phc_look(self->phc);
        assert_false(self->clock->ops->disturbed(self->clock, &applied));
    }
}

static int64_t error_now(struct bench *self)
{
    return local_ns(self->clock) - self->device.ns;
}

static struct mt_stamp stamp_of(struct bench *self, int64_t device_ns)
{
    struct mt_stamp at;

    self->clock->ops->stamp(
        self->clock, (struct mt_base_time){.ns = device_ns, .counter = mt_counter_of_phc(3)}, &at);
    return at;
}

/* ---- reading ------------------------------------------------------------------------------- */

static void phc_reads_precisely_when_the_driver_can(void **state)
{
    struct bench *bench = bench_new();

    (void)state;
    bench->device.has_precise = true;
    bench_open(bench);
    assert_int_equal(bench->phc->method, MT_PHC_PRECISE);
    assert_int_equal(bench->device.asked, 0);
    bench_free(bench);
}

static void phc_reads_another_way_when_the_driver_cannot(void **state)
{
    struct bench *bench = bench_new();

    (void)state;
    bench_open(bench);
    assert_int_equal(bench->phc->method, MT_PHC_EXTENDED);
    bench_free(bench);
    bench = bench_new();
    bench->device.has_extended = false;
    bench_open(bench);
    assert_int_equal(bench->phc->method, MT_PHC_BASIC);
    bench_free(bench);
}

/* As when the kernel leaves the counter that the card can latch, or the bus cannot any more. */
static void phc_reads_another_way_when_the_one_is_lost(void **state)
{
    static const int errors[] = {ENODEV, ETIMEDOUT};

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        struct bench *bench = bench_new();

        bench->device.has_precise = true;
        bench_open(bench);
        assert_int_equal(bench->phc->method, MT_PHC_PRECISE);
        bench->device.precise_error = errors[i];
        for (int turn = 0; turn < 20; turn++) {
            device_pass(&bench->device, MT_PHC_EVERY_NS);
            mt_phc_look(bench->phc);
        }
        assert_int_equal(bench->phc->method, MT_PHC_EXTENDED);
        assert_int_equal(bench->device.opened, 1);
        assert_true(read_clock(bench->clock).window_ns < 2000);
        bench_free(bench);
    }
}

static void phc_takes_the_tightest_sample_when_others_are_disturbed(void **state)
{
    struct bench *bench = bench_new();
    struct mt_phc_reading reading;

    (void)state;
    for (int has_extended = 0; has_extended < 2; has_extended++) {
        bench->device.has_extended = has_extended;
        bench_open(bench);
        bench->device.spike_ns = 100000;
        bench->device.calm_sample = 4;
        assert_true(mt_phc_read(bench->phc, &reading));
        assert_int_equal(reading.window_ns, 500);
        assert_int_equal(reading.device_ns - reading.realtime_ns, 37 * SECOND);
        mt_phc_free(bench->phc);
        free(bench->clock);
        bench->device.spike_ns = 0;
    }
    free(bench);
}

static void phc_is_not_opened_when_it_cannot_be_read(void **state)
{
    struct bench *bench = bench_new();

    (void)state;
    bench->device.is_dead = true;
    assert_null(mt_phc_new(3, &bench->device.os, &bench->machine.os));
    assert_int_equal(errno, ENODEV);
    assert_int_equal(bench->device.opened, 0);
    assert_null(mt_phc_new(4, &bench->device.os, &bench->machine.os));
    assert_int_equal(errno, ENOENT);
    free(bench);
}

static void phc_is_not_asked_more_often_than_need_be(void **state)
{
    struct bench *bench = bench_new();
    int asked;

    (void)state;
    bench_open(bench);
    asked = bench->device.asked;
    for (int i = 0; i < 100; i++) {
        device_pass(&bench->device, MS);
        (void)read_clock(bench->clock);
    }
    assert_int_equal(bench->device.asked, asked);
    bench_free(bench);
}

/* ---- following ----------------------------------------------------------------------------- */

static void phc_follows_the_device_when_its_oscillator_is_off(void **state)
{
    struct bench *bench = bench_new();
    struct mt_clock_reading reading;

    (void)state;
    bench->device.error = 23e-6;
    bench_open(bench);
    run(bench, 5 * SECOND);
    device_pass(&bench->device, 100 * MS);
    assert_between(error_now(bench), -3, 3);
    reading = read_clock(bench->clock);
    assert_between((double)reading.rate_q64 / 18446744073709551616.0, 22.99e-6, 23.01e-6);
    assert_between(reading.window_ns, 1, 700);
    bench_free(bench);
}

static void phc_follows_the_device_when_the_system_clock_is_slewed(void **state)
{
    struct bench *bench = bench_new();
    struct machine *machine = &bench->machine;

    (void)state;
    bench_open(bench);
    run(bench, 3 * SECOND);
    for (int i = 0; i < 200; i++) { /* the kernel's clocks run 100 ppm faster, by its own word */
        if (i == 0) {
            machine->kernel.freq = 6553600;
            bench->device.error = -100e-6 / (1 + 100e-6);
            mt_phc_look(bench->phc);
        }
        device_pass(&bench->device, 10 * MS);
        assert_between(error_now(bench), -1100, 1100);
    }
    run(bench, 5 * SECOND);
    assert_between(error_now(bench), -5, 5);
    bench_free(bench);
}

static void phc_converts_stamps_of_the_kernel_when_it_is_the_clock(void **state)
{
    struct bench *bench = bench_new();
    struct mt_stamp at;

    (void)state;
    bench->device.error = 10e-6;
    bench->device.ns += 12345;
    bench_open(bench);
    run(bench, 3 * SECOND);
    at = stamp(bench->clock, bench->machine.realtime_ns);
    assert_between(mt_instant_to_ns(at.at) - bench->device.ns, -3, 3);
    assert_between(mt_phc_realtime_of(bench->phc, bench->device.ns) - bench->machine.realtime_ns,
                   -3, 3);
    bench_free(bench);
}

static void phc_goes_on_when_the_system_clock_is_set(void **state)
{
    struct bench *bench = bench_new();

    (void)state;
    bench_open(bench);
    run(bench, SECOND);
    bench->machine.realtime_ns += 5 * SECOND;
    run(bench, SECOND);
    assert_between(error_now(bench), -3, 3);
    bench->device.set_after_ns = 3 * SECOND;
    run(bench, SECOND);
    assert_between(error_now(bench), -3, 3);
    bench->device.set_between_ns = -7 * SECOND;
    run(bench, SECOND);
    assert_between(error_now(bench), -3, 3);
    assert_between(mt_phc_realtime_of(bench->phc, bench->device.ns) - bench->machine.realtime_ns,
                   -3, 3);
    bench_free(bench);
}

/* ---- steering ------------------------------------------------------------------------------ */

static void clock_is_tai_when_it_agrees_with_the_machine(void **state)
{
    struct bench *bench = bench_new();

    (void)state;
    bench_open(bench);
    assert_int_equal(bench->clock->scale, MT_SCALE_TAI);
    assert_true(bench->clock->is_adjustable);
    bench_free(bench);
    bench = bench_new();
    bench->device.ns -= 37 * SECOND; /* a driver that starts with the system's UTC */
    bench_open(bench);
    assert_int_equal(bench->clock->scale, MT_SCALE_ARB);
    bench_free(bench);
}

static void clock_stamps_with_the_count_that_was_in_force(void **state)
{
    struct bench *bench = bench_new();
    int64_t before;
    int64_t between;

    (void)state;
    bench_open(bench);
    run(bench, SECOND);
    before = bench->device.ns;
    device_pass(&bench->device, MS);
    assert_false(set_rate(bench->clock, 5e-6).is_refused);
    device_pass(&bench->device, MS);
    between = bench->device.ns;
    device_pass(&bench->device, MS);
    step(bench->clock, -3 * SECOND);
    assert_int_equal(stamp_of(bench, before).corrections, 0);
    assert_int_equal(mt_instant_to_ns(stamp_of(bench, before).at), before);
    assert_int_equal(stamp_of(bench, between).corrections, 1);
    assert_int_equal(stamp_of(bench, bench->device.ns).corrections, 2);
    bench_free(bench);
}

static void clock_is_steered_when_it_is_corrected(void **state)
{
    struct bench *bench = bench_new();
    struct mt_applied applied;

    (void)state;
    bench->device.error = 23e-6;
    bench_open(bench);
    run(bench, SECOND);
    applied = set_rate(bench->clock, -23e-6);
    assert_false(applied.is_refused);
    assert_between((double)applied.rate, -23.001e-6, -22.999e-6);
    run(bench, 10 * MS);
    assert_between(error_now(bench), -20, 20);
    applied = step(bench->clock, 37 * SECOND + 5);
    assert_false(applied.is_refused);
    assert_between(error_now(bench), -20, 20);
    run(bench, 4 * SECOND);
    assert_between(error_now(bench), -3, 3);
    assert_between((double)read_clock(bench->clock).rate_q64, -1.9e10, 1.9e10); /* 1 ppb */
    bench_free(bench);
}

static void clock_says_how_far_it_was_stepped_when_the_driver_is_inexact(void **state)
{
    struct bench *bench = bench_new();
    struct mt_applied applied;

    (void)state;
    bench->device.step_error_ns = -25000;
    bench_open(bench);
    run(bench, 3 * SECOND);
    applied = step(bench->clock, 2 * SECOND);
    assert_between(mt_span_to_ns(applied.step) - 2 * SECOND, -25010, -24990);
    run(bench, SECOND); /* nobody else is suspected */
    assert_between(error_now(bench), -10, 10);
    bench_free(bench);
}

static void clock_tells_when_others_step_it(void **state)
{
    struct bench *bench = bench_new();
    struct mt_applied applied;
    int64_t expected;
    int64_t stamped;

    (void)state;
    bench_open(bench);
    run(bench, 2 * SECOND);
    bench->device.ns -= 50 * YEAR; /* reset to a date of its own */
    device_pass(&bench->device, 200 * MS);
    stamped = bench->device.ns;
    expected = stamped + 50 * YEAR;
    assert_between(local_ns(bench->clock) - expected, -3, 100000);
    assert_between(mt_instant_to_ns(stamp_of(bench, stamped).at) - expected, -3, 3);
    assert_true(bench->clock->ops->disturbed(bench->clock, &applied));
    assert_int_equal(applied.kind, MT_CORRECT_STEP);
    assert_int_equal(applied.corrections, 1);
    assert_between(mt_span_to_ns(applied.step) + 50 * YEAR, -3, 3);
    assert_between(error_now(bench), -3, 3);
    assert_int_equal(mt_instant_to_ns(stamp_of(bench, stamped).at), stamped);
    run(bench, SECOND);
    bench_free(bench);
}

static void clock_tells_when_others_change_its_frequency(void **state)
{
    struct bench *bench = bench_new();
    struct mt_applied applied;

    (void)state;
    bench->device.freq = 655360; /* 10 ppm were there before us */
    bench_open(bench);
    assert_true(bench->clock->ops->disturbed(bench->clock, &applied));
    assert_int_equal(applied.kind, MT_CORRECT_RATE);
    assert_between((double)applied.rate, 9.999e-6, 10.001e-6);
    run(bench, SECOND);
    bench->device.freq = 0;
    device_pass(&bench->device, 200 * MS);
    assert_true(bench->clock->ops->disturbed(bench->clock, &applied));
    assert_int_equal(applied.kind, MT_CORRECT_RATE);
    assert_true(applied.rate == 0);
    bench_free(bench);
}

static void clock_refuses_when_it_was_opened_for_reading(void **state)
{
    struct bench *bench = bench_new();

    (void)state;
    bench->device.is_read_only = true;
    bench_open(bench);
    assert_false(bench->clock->is_adjustable);
    assert_non_null(strstr(bench->clock->refusal, "/dev/ptp3"));
    assert_true(set_rate(bench->clock, 1e-6).is_refused);
    assert_int_equal(read_clock(bench->clock).local.corrections, 0);
    bench_free(bench);
}

static int64_t realtime_of(void *context, uint16_t counter, int64_t ns)
{
    struct bench *bench = context;

    assert_int_equal(counter, mt_counter_of_phc(3));
    return mt_phc_realtime_of(bench->phc, ns);
}

static int64_t machine_clock(void *context)
{
    return ((struct bench *)context)->machine.realtime_ns;
}

static int64_t machine_boottime(void *context)
{
    return ((struct bench *)context)->machine.boottime_ns;
}

static int64_t machine_monotonic(void *context)
{
    return ((struct bench *)context)->machine.monotonic_ns;
}

static int machine_adjust(void *context, struct timex *change)
{
    struct machine *machine = &((struct bench *)context)->machine;

    return machine->os.adjust(machine, change);
}

static void system_converts_stamps_of_a_card(void **state)
{
    struct bench *bench = bench_new();
    struct mt_os_time os = {machine_clock,  machine_monotonic, machine_boottime,
                            machine_adjust, realtime_of,       bench,
                            false};
    const struct mt_base_time of_card = {.counter = mt_counter_of_phc(3)};
    struct mt_base_time now = of_card;
    struct mt_hal_clock *clocks[2];
    struct mt_stamp at;

    (void)state;
    bench->device.error = 40e-6;
    bench->device.ns -= 1000 * SECOND;
    bench_open(bench);
    clocks[0] = mt_clock_system_new(&phc_request, &os);
    clocks[1] = mt_clock_overlay_new(&phc_request, &os);
    run(bench, 3 * SECOND);
    for (int i = 0; i < 2; i++) {
        now.ns = bench->device.ns;
        clocks[i]->ops->stamp(clocks[i], now, &at);
        assert_between(mt_instant_to_ns(at.at) - local_ns(clocks[i]), -3, 3);
        free(clocks[i]);
    }
    bench_free(bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(phc_reads_precisely_when_the_driver_can),
        cmocka_unit_test(phc_reads_another_way_when_the_driver_cannot),
        cmocka_unit_test(phc_reads_another_way_when_the_one_is_lost),
        cmocka_unit_test(phc_takes_the_tightest_sample_when_others_are_disturbed),
        cmocka_unit_test(phc_is_not_opened_when_it_cannot_be_read),
        cmocka_unit_test(phc_is_not_asked_more_often_than_need_be),
        cmocka_unit_test(phc_follows_the_device_when_its_oscillator_is_off),
        cmocka_unit_test(phc_follows_the_device_when_the_system_clock_is_slewed),
        cmocka_unit_test(phc_converts_stamps_of_the_kernel_when_it_is_the_clock),
        cmocka_unit_test(phc_goes_on_when_the_system_clock_is_set),
        cmocka_unit_test(clock_is_tai_when_it_agrees_with_the_machine),
        cmocka_unit_test(clock_stamps_with_the_count_that_was_in_force),
        cmocka_unit_test(clock_is_steered_when_it_is_corrected),
        cmocka_unit_test(clock_says_how_far_it_was_stepped_when_the_driver_is_inexact),
        cmocka_unit_test(clock_tells_when_others_step_it),
        cmocka_unit_test(clock_tells_when_others_change_its_frequency),
        cmocka_unit_test(clock_refuses_when_it_was_opened_for_reading),
        cmocka_unit_test(system_converts_stamps_of_a_card),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
