/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The overlay clock while others slew the kernel's clocks.
 */
#include "linux_machine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "platform/linux/linux_tune.h"

static const struct mt_clock_request overlay_request = {
    .kind = MT_CLOCK_OVERLAY, .name = "o", .tai_utc_known = true, .tai_minus_utc_s = 37};

/* An NTP daemon retunes the kernel's clocks; `true_ns` goes by meanwhile. */
static void pass_at(struct machine *machine, mt_real rate, int64_t true_ns)
{
    machine_pass(machine, true_ns + (int64_t)((mt_real)true_ns * rate));
}

static void overlay_keeps_its_rate_when_others_slew_the_base(void **state)
{
    static const mt_real ppm[] = {10, -20, 35, 500, 0};
    struct machine machine;
    struct mt_hal_clock *clock;
    int64_t error_ns = 0;
    int64_t missed_ns = 0;

    (void)state;
    machine_init(&machine);
    clock = mt_clock_overlay_new(&overlay_request, &machine.os);
    for (int i = 0; i < 5; i++) {
        struct mt_clock_reading page = read_clock(clock);
        mt_real change = ppm[i] - (i > 0 ? ppm[i - 1] : 0);

        machine.kernel.freq = (long)(ppm[i] * 65536);
        pass_at(&machine, ppm[i] * 1e-6, 20 * MS); /* until we look: half of it is guessed */
        missed_ns += (int64_t)(mt_real_abs(change) * 10) + 1;
        (void)local_ns(clock);
        for (int j = 0; j < 49; j++) {
            pass_at(&machine, ppm[i] * 1e-6, 20 * MS);
            error_ns = local_ns(clock) - (NOON + 37 * SECOND + i * SECOND + (j + 2) * 20 * MS);
            assert_between(error_ns, -missed_ns - 100, missed_ns + 100);
        }
        assert_int_equal(read_clock(clock).local.corrections, 0);
        if (i > 1) { /* and a reader who still has the old page? */
            assert_true(page.window_ns >= (int64_t)(mt_real_abs(ppm[i - 1] - ppm[i - 2]) * 1000));
        }
    }
    assert_true(error_ns != 0);
    free(clock);
}

static void overlay_starts_at_the_oscillator_s_rate_when_the_kernel_is_tuned(void **state)
{
    struct machine machine;
    struct mt_hal_clock *clock;

    (void)state;
    machine_init(&machine);
    machine.kernel.freq = 100 * 65536;
    machine.kernel.status = STA_PLL | STA_NANO;
    machine.kernel.offset =
        315000; /* ns left, after a second's share of 5 us, which is 2^-6 of all */
    machine.kernel.constant = 4;
    clock = mt_clock_overlay_new(&overlay_request, &machine.os);
    assert_int_equal(read_clock(clock).window_ns, 0);
    pass_at(&machine, 105e-6, SECOND);
    assert_between(local_ns(clock) - (NOON + 38 * SECOND), -2, 2);
    free(clock);
}

static void overlay_doubts_for_a_minute_that_others_slew_the_base_again(void **state)
{
    struct machine machine;
    struct mt_hal_clock *clock;

    (void)state;
    machine_init(&machine);
    clock = mt_clock_overlay_new(&overlay_request, &machine.os);
    assert_int_equal(read_clock(clock).window_ns, 0);
    machine.kernel.tick = 10001; /* 100 ppm */
    machine_pass(&machine, SECOND);
    assert_between(read_clock(clock).window_ns, 150000, 150002);
    machine_pass(&machine, 59 * SECOND);
    assert_between(read_clock(clock).window_ns, 150000, 150002);
    machine_pass(&machine, 2 * SECOND);
    assert_between(read_clock(clock).window_ns, 50000, 50001); /* what was guessed stays ... */
    machine_pass(&machine, 100000 * SECOND);
    assert_between(read_clock(clock).window_ns, 50000, 50001);
    for (int i = 0; i < 200; i++) { /* ... until samples have come in */
        set_rate(clock, 1e-6);
    }
    assert_int_equal(read_clock(clock).window_ns, 0);
    assert_int_equal(machine.changes, 0);
    free(clock);
}

static void expect_error_in_window(struct machine *machine, struct mt_hal_clock *clock,
                                   int64_t true_ns)
{
    struct mt_clock_reading reading = read_clock(clock);
    int64_t error_ns = mt_instant_to_ns(reading.local.at) - (NOON + 37 * SECOND) - true_ns;

    assert_int_equal(machine->boottime_ns, reading.base.ns);
    assert_between(error_ns, -reading.window_ns - 2, reading.window_ns + 2);
}

/* as the kernel does it: at the beginning of each of its seconds, the share of that second leaves
 * the rest; `phase_ms` into a second adjtime() is called */
static void expect_calm_under_adjtime(long slew_us, int phase_ms, int look_every_ms)
{
    struct machine machine;
    struct mt_hal_clock *clock;
    int64_t true_ns = 0;
    long share_us = 0;

    machine_init(&machine);
    clock = mt_clock_overlay_new(&overlay_request, &machine.os);
    for (int i = 0; i < 30000; i++) {
        if (i == phase_ms) {
            machine.singleshot_us = slew_us;
        }
        if (i % 1000 == 0) {
            share_us = machine.singleshot_us > 500    ? 500
                       : machine.singleshot_us < -500 ? -500
                                                      : machine.singleshot_us;
            machine.singleshot_us -= share_us;
        }
        machine_pass(&machine, MS + share_us);
        true_ns += MS;
        if (i % look_every_ms == 0) {
            expect_error_in_window(&machine, clock, true_ns);
        }
    }
    assert_int_equal(machine.singleshot_us, 0);
    machine_pass(&machine, 3600 * SECOND);
    expect_error_in_window(&machine, clock, true_ns + 3600 * SECOND);
    assert_between(read_clock(clock).window_ns, 1, 1251000);
    free(clock);
}

static void overlay_stays_when_adjtime_slews_the_base(void **state)
{
    (void)state;
    expect_calm_under_adjtime(10000, 1, 10);
    expect_calm_under_adjtime(10000, 999, 10);
    expect_calm_under_adjtime(-9999, 500, 500);
    expect_calm_under_adjtime(10001, 501, 100);
    expect_calm_under_adjtime(-300, 10, 100);
}

/* Slews by tick of an NTP daemon that is in a hurry.  The worst moment for a change: the last
 * question was long ago, or is soon. */
static void overlay_doubts_on_when_the_moment_of_a_change_was_guessed(void **state)
{
    (void)state;
    for (int from_ms = 1; from_ms < 500; from_ms += 83) {
        struct machine machine;
        struct mt_hal_clock *clock;
        int64_t true_ns = 0;

        machine_init(&machine);
        clock = mt_clock_overlay_new(&overlay_request, &machine.os);
        for (int i = 1; i <= 200000; i++) {
            machine.kernel.tick = i > 1000 + from_ms && i <= 7500 ? 10833 : 10000;
            machine_pass(&machine, machine.kernel.tick == 10000 ? MS : MS + MS * 833 / 10000);
            true_ns += MS;
            if (i % 500 == 0) {
                expect_error_in_window(&machine, clock, true_ns);
            }
        }
        free(clock);
    }
}

/* 2^-3 of what is to slew leaves the figure at the beginning of each second */
static void overlay_stays_when_the_loop_of_the_kernel_slews_the_base(void **state)
{
    struct machine machine;
    struct mt_hal_clock *clock;
    int64_t true_ns = 0;
    long share_ns = 0;

    (void)state;
    machine_init(&machine);
    machine.kernel.status = STA_PLL | STA_NANO;
    machine.kernel.constant = 1;
    clock = mt_clock_overlay_new(&overlay_request, &machine.os);
    machine.kernel.offset = 8000000;
    for (int i = 0; i < 60000; i++) {
        if (i % 1000 == 0) {
            share_ns = machine.kernel.offset / 8;
            machine.kernel.offset -= share_ns;
        }
        machine_pass(&machine, MS + (i % 1000 + 1) * share_ns / 1000 - i % 1000 * share_ns / 1000);
        true_ns += MS;
        if (i % 20 == 19) {
            expect_error_in_window(&machine, clock, true_ns);
        }
    }
    /* of 8 ms, the looks have missed less than 2^-3 of 20 ms */
    assert_between(local_ns(clock) - (NOON + 37 * SECOND) - true_ns, -25000, 25000);
    free(clock);
}

static int refuse(void *context, struct timex *change)
{
    (void)context;
    (void)change;
    return -1;
}

static void tune_watch_says_when_the_kernel_refuses(void **state)
{
    struct machine machine;
    struct mt_hal_clock *clock;

    (void)state;
    machine_init(&machine);
    assert_true(mt_tune_can_ask(&machine.os));
    machine.os.adjust = refuse;
    assert_false(mt_tune_can_ask(&machine.os));
    clock = mt_clock_overlay_new(&overlay_request, &machine.os);
    machine_pass(&machine, SECOND);
    assert_int_equal(local_ns(clock), NOON + 38 * SECOND);
    free(clock);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(overlay_keeps_its_rate_when_others_slew_the_base),
        cmocka_unit_test(overlay_starts_at_the_oscillator_s_rate_when_the_kernel_is_tuned),
        cmocka_unit_test(overlay_doubts_for_a_minute_that_others_slew_the_base_again),
        cmocka_unit_test(overlay_stays_when_adjtime_slews_the_base),
        cmocka_unit_test(overlay_doubts_on_when_the_moment_of_a_change_was_guessed),
        cmocka_unit_test(overlay_stays_when_the_loop_of_the_kernel_slews_the_base),
        cmocka_unit_test(tune_watch_says_when_the_kernel_refuses),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
