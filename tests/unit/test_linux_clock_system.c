/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The machine's clock, over a machine of the test's own.
 */
#include "linux_machine.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct mt_clock_request system_request = {
    .kind = MT_CLOCK_SYSTEM, .name = "s", .tai_utc_known = true, .tai_minus_utc_s = 37};

/* ---- system ------------------------------------------------------------------------------ */

static void system_touches_nothing_when_it_is_opened(void **state)
{
    struct machine machine;
    struct mt_hal_clock *clock;

    (void)state;
    machine_init(&machine);
    clock = mt_clock_system_new(&system_request, &machine.os);
    assert_int_equal(machine.changes, 0);
    assert_true(clock->is_adjustable);
    assert_false(clock->adopts_scale);
    assert_int_equal(clock->scale, MT_SCALE_TAI);
    assert_int_equal(local_ns(clock), NOON + 37 * SECOND);
    assert_int_equal(read_clock(clock).rate_q64, 0);
    free(clock);
}

static void system_refuses_when_it_may_not_be_adjusted(void **state)
{
    struct machine machine;
    struct mt_hal_clock *clock;
    struct mt_clock_request request = system_request;

    (void)state;
    machine_init(&machine);
    machine.is_forbidden = true;
    request.tai_utc_known = false;
    clock = mt_clock_system_new(&request, &machine.os);
    assert_false(clock->is_adjustable);
    assert_string_equal(clock->refusal, "Operation not permitted (CAP_SYS_TIME is missing, or a "
                                        "sandbox forbids it)");
    assert_int_equal(clock->scale, MT_SCALE_UTC);
    assert_true(step(clock, SECOND).is_refused);
    assert_true(set_rate(clock, 1e-6).is_refused);
    assert_int_equal(read_clock(clock).local.corrections, 0);
    assert_int_equal(local_ns(clock), NOON);
    free(clock);
}

static void system_says_what_the_kernel_said_when_it_may_not_be_adjusted(void **state)
{
    struct machine machine;
    struct mt_hal_clock *clock;

    (void)state;
    machine_init(&machine);
    machine.is_forbidden = true;
    machine.refusal = ENOSYS;
    clock = mt_clock_system_new(&system_request, &machine.os);
    assert_false(clock->is_adjustable);
    assert_string_equal(clock->refusal, "Function not implemented");
    free(clock);
    machine.is_forbidden = false;
    clock = mt_clock_system_new(&system_request, &machine.os);
    assert_null(clock->refusal);
    free(clock);
}

/* Each reason has a remedy of its own: a right is no help against a value that cannot be. */
static void system_says_why_when_a_correction_is_refused_later(void **state)
{
    struct machine machine;
    struct mt_hal_clock *clock;

    (void)state;
    machine_init(&machine);
    clock = mt_clock_system_new(&system_request, &machine.os);
    assert_false(set_rate(clock, 1e-6).is_refused);
    assert_null(clock->refusal);
    machine.is_forbidden = true;
    machine.refusal = EINVAL;
    assert_true(step(clock, SECOND).is_refused);
    assert_string_equal(clock->refusal, "Invalid argument (the kernel's clock shows no time before "
                                        "1970, nor any such rate)");
    machine.refusal = 0;
    assert_true(step(clock, SECOND).is_refused);
    assert_non_null(strstr(clock->refusal, "CAP_SYS_TIME"));
    free(clock);
}

static void system_stops_what_others_left_running_when_first_corrected(void **state)
{
    struct machine machine;
    struct mt_hal_clock *clock;

    (void)state;
    machine_init(&machine);
    machine.kernel.status = STA_PLL | STA_PPSFREQ | STA_INS;
    machine.kernel.offset = 500;
    machine.kernel.tick = 10010;
    clock = mt_clock_system_new(&system_request, &machine.os);
    assert_int_equal(machine.kernel.status, STA_PLL | STA_PPSFREQ | STA_INS);
    set_rate(clock, 1e-6);
    assert_int_equal(machine.kernel.status, STA_INS | STA_UNSYNC);
    assert_int_equal(machine.kernel.offset, 0);
    assert_int_equal(machine.kernel.tick, 10000);
    assert_int_equal(machine.kernel.freq, 65536);
    free(clock);
}

static void system_says_what_the_kernel_made_of_a_correction(void **state)
{
    struct machine machine;
    struct mt_hal_clock *clock;
    struct mt_applied applied;
    struct mt_correction correction = {.kind = MT_CORRECT_STEP, .step = {-1, 750000000, 0x9000}};

    (void)state;
    machine_init(&machine);
    clock = mt_clock_system_new(&system_request, &machine.os);
    applied = set_rate(clock, 1.00000001e-6);
    assert_int_equal(machine.kernel.freq, 65536);
    assert_true(applied.rate > 0.9999999999e-6 && applied.rate < 1.0000000001e-6);
    assert_int_equal(applied.corrections, 1);
    applied = set_rate(clock, -1);
    assert_int_equal(machine.kernel.freq, -32768000);
    assert_true(applied.rate > -500.001e-6 && applied.rate < -499.999e-6);
    clock->ops->apply(clock, &correction, &applied);
    assert_int_equal(machine.realtime_ns, NOON - 250 * MS + 1);
    assert_int_equal(mt_span_to_ns(applied.step), -250 * MS + 1);
    assert_int_equal(mt_instant_to_ns(applied.at), NOON + 37 * SECOND - 250 * MS + 1);
    assert_int_equal(applied.corrections, 3);
    assert_false(clock->ops->disturbed(clock, &applied));
    free(clock);
}

static void system_counts_corrections_for_stamps_of_the_past(void **state)
{
    struct machine machine;
    struct mt_hal_clock *clock;

    (void)state;
    machine_init(&machine);
    machine.cost_ns = 20;
    clock = mt_clock_system_new(&system_request, &machine.os);
    machine_pass(&machine, SECOND);
    set_rate(clock, 1e-6); /* at 1 s */
    machine_pass(&machine, SECOND);
    step(clock, 10 * SECOND); /* at 2 s, which becomes 12 s */
    machine_pass(&machine, SECOND);
    assert_int_equal(stamp(clock, NOON + SECOND / 2).corrections, 0);
    assert_int_equal(stamp(clock, NOON + 3 * SECOND / 2).corrections, 1);
    assert_int_equal(stamp(clock, NOON + 25 * SECOND / 2).corrections, 2);
    step(clock, -5 * SECOND); /* at 13 s, which becomes 8 s */
    assert_int_equal(stamp(clock, NOON + 13 * SECOND - MS).corrections, 2);
    machine_pass(&machine, SECOND);
    assert_int_equal(stamp(clock, NOON + 17 * SECOND / 2).corrections, 3);
    assert_int_equal(mt_instant_to_ns(stamp(clock, NOON + 17 * SECOND / 2).at),
                     NOON + 37 * SECOND + 17 * SECOND / 2);
    free(clock);
}

static void system_tells_when_others_step_it(void **state)
{
    struct machine machine;
    struct mt_hal_clock *clock;
    struct mt_applied applied;

    (void)state;
    machine_init(&machine);
    clock = mt_clock_system_new(&system_request, &machine.os);
    assert_false(clock->ops->disturbed(clock, &applied));
    machine_pass(&machine, SECOND);
    machine.realtime_ns -= 400 * MS;
    assert_true(clock->ops->disturbed(clock, &applied));
    assert_int_equal(applied.kind, MT_CORRECT_STEP);
    assert_int_equal(mt_span_to_ns(applied.step), -400 * MS);
    assert_int_equal(applied.corrections, 1);
    assert_false(applied.is_refused);
    assert_int_equal(mt_instant_to_ns(applied.at), NOON + 37 * SECOND + 600 * MS);
    assert_false(clock->ops->disturbed(clock, &applied));
    assert_int_equal(machine.changes, 0);
    free(clock);
}

static void system_tells_when_others_step_it_by_little(void **state)
{
    struct machine machine;
    struct mt_hal_clock *clock;
    struct mt_applied applied;

    (void)state;
    machine_init(&machine);
    machine.cost_ns = 20;
    clock = mt_clock_system_new(&system_request, &machine.os);
    (void)clock->ops->disturbed(clock, &applied);
    machine_pass(&machine, SECOND);
    machine.realtime_ns += MS / 10;
    assert_true(clock->ops->disturbed(clock, &applied));
    assert_between(mt_span_to_ns(applied.step), MS / 10 - 40, MS / 10 + 40);
    assert_false(clock->ops->disturbed(clock, &applied));
    free(clock);
}

/* The page that is read now does not move, nor does the next one before the step was told; stamps
 * from both sides of it say the same time. */
static void expect_no_step_before_it_is_told(int64_t step_ns)
{
    struct machine machine;
    struct mt_hal_clock *clock;
    struct mt_applied applied;
    struct mt_clock_reading page;
    int64_t earlier_ns;

    machine_init(&machine);
    clock = mt_clock_system_new(&system_request, &machine.os);
    assert_int_equal(clock->base, MT_BASE_BOOTTIME);
    page = read_clock(clock);
    machine_pass(&machine, 100 * MS);
    (void)clock->ops->disturbed(clock, &applied);
    earlier_ns = machine.realtime_ns;
    machine.realtime_ns += step_ns;
    machine_pass(&machine, 100 * MS);
    assert_int_equal(mt_instant_to_ns(page.local.at) + machine.boottime_ns - page.base.ns,
                     NOON + 37 * SECOND + 200 * MS);
    assert_int_equal(local_ns(clock), NOON + 37 * SECOND + 200 * MS);
    assert_int_equal(read_clock(clock).local.corrections, 0);
    assert_int_equal(mt_instant_to_ns(stamp(clock, machine.realtime_ns).at), local_ns(clock));
    assert_int_equal(mt_instant_to_ns(stamp(clock, earlier_ns).at), NOON + 37 * SECOND + 100 * MS);
    assert_true(clock->ops->disturbed(clock, &applied));
    assert_int_equal(mt_span_to_ns(applied.step), step_ns);
    assert_int_equal(mt_instant_to_ns(applied.at), NOON + 37 * SECOND + 200 * MS + step_ns);
    assert_int_equal(local_ns(clock), NOON + 37 * SECOND + 200 * MS + step_ns);
    assert_int_equal(stamp(clock, machine.realtime_ns).corrections, 1);
    assert_int_equal(stamp(clock, earlier_ns).corrections, 0);
    free(clock);
}

static void system_reads_on_when_a_step_by_others_is_not_told_yet(void **state)
{
    (void)state;
    expect_no_step_before_it_is_told(SECOND);
    expect_no_step_before_it_is_told(-SECOND);
    expect_no_step_before_it_is_told(-3600 * SECOND);
}

static void system_tells_nothing_when_the_machine_slept(void **state)
{
    struct machine machine;
    struct mt_hal_clock *clock;
    struct mt_applied applied;

    (void)state;
    machine_init(&machine);
    clock = mt_clock_system_new(&system_request, &machine.os);
    machine_sleep(&machine, 3600 * SECOND);
    assert_false(clock->ops->disturbed(clock, &applied));
    assert_int_equal(local_ns(clock), NOON + 3637 * SECOND);
    free(clock);
}

static void system_tells_when_others_change_its_frequency(void **state)
{
    struct machine machine;
    struct mt_hal_clock *clock;
    struct mt_applied applied;

    (void)state;
    machine_init(&machine);
    machine.kernel.freq = 10 * 65536; /* from an earlier run */
    clock = mt_clock_system_new(&system_request, &machine.os);
    assert_true(clock->ops->disturbed(clock, &applied));
    assert_int_equal(applied.kind, MT_CORRECT_RATE);
    assert_true(applied.rate > 9.999e-6 && applied.rate < 10.001e-6);
    assert_false(clock->ops->disturbed(clock, &applied));
    machine.kernel.tick = 10001;
    machine_pass(&machine, SECOND);
    assert_true(clock->ops->disturbed(clock, &applied));
    assert_true(applied.rate > 109.999e-6 && applied.rate < 110.001e-6);
    assert_int_equal(applied.corrections, 2);
    free(clock);
}

static void system_goes_on_when_a_leap_second_comes(void **state)
{
    struct machine machine;
    struct mt_hal_clock *clock;
    struct mt_applied applied;
    int64_t before_ns;

    (void)state;
    machine_init(&machine);
    machine.realtime_ns = MIDNIGHT - 100 * MS;
    clock = mt_clock_system_new(&system_request, &machine.os);
    assert_false(clock->ops->disturbed(clock, &applied));
    before_ns = local_ns(clock);
    machine_pass(&machine, 200 * MS);
    machine.realtime_ns -= SECOND;
    assert_false(clock->ops->disturbed(clock, &applied));
    assert_int_equal(local_ns(clock), before_ns + 200 * MS);
    assert_int_equal(read_clock(clock).local.corrections, 0);
    machine_pass(&machine, 12 * 3600 * SECOND); /* the same at noon is somebody's doing */
    assert_false(clock->ops->disturbed(clock, &applied));
    machine.realtime_ns -= SECOND;
    assert_true(clock->ops->disturbed(clock, &applied));
    free(clock);
}

static void system_has_the_kernel_make_the_leap_second_when_one_is_announced(void **state)
{
    struct machine machine;
    struct mt_hal_clock *clock;

    (void)state;
    machine_init(&machine);
    machine.kernel.status = STA_UNSYNC | STA_INS;
    clock = mt_clock_system_new(&system_request, &machine.os);
    clock->ops->announce(clock, -1);
    assert_int_equal(machine.kernel.status, STA_UNSYNC | STA_INS); /* it is not ours yet */
    set_rate(clock, 1e-6);
    clock->ops->announce(clock, 0);
    assert_int_equal(machine.kernel.status, STA_UNSYNC | STA_INS); /* of somebody else */
    clock->ops->announce(clock, -1);
    assert_int_equal(machine.kernel.status, STA_UNSYNC);
    machine_pass(&machine, SECOND);
    clock->ops->announce(clock, -1);
    assert_int_equal(machine.kernel.status, STA_UNSYNC); /* it need not have noticed */
    machine_pass(&machine, SECOND);
    clock->ops->announce(clock, -1);
    assert_int_equal(machine.kernel.status, STA_UNSYNC | STA_DEL);
    clock->ops->announce(clock, 1);
    assert_int_equal(machine.kernel.status, STA_UNSYNC | STA_INS);
    machine.changes = 0;
    clock->ops->announce(clock, 1);
    assert_int_equal(machine.changes, 0);
    machine.realtime_ns += 43200 * SECOND;
    clock->ops->announce(clock, 0);
    assert_int_equal(machine.kernel.status, STA_UNSYNC | STA_INS); /* it may be about to make it */
    machine.realtime_ns += 3 * SECOND;
    clock->ops->announce(clock, 0);
    assert_int_equal(machine.kernel.status, STA_UNSYNC);
    free(clock);
}

/* What a source has taught, or a leap second that the kernel has missed: TAI goes on. */
static void system_puts_utc_right_when_it_is_told_another_tai_utc(void **state)
{
    const struct mt_clock_standing standing = {
        .is_synchronised = true, .bound_ns = 1000, .is_tai_utc_known = true, .tai_minus_utc_s = 38};
    struct mt_clock_request request = system_request;
    struct machine machine;
    struct mt_hal_clock *clock;
    struct mt_applied applied;

    (void)state;
    machine_init(&machine);
    request.sets_rtc = true;
    clock = mt_clock_system_new(&request, &machine.os);
    clock->ops->tell(clock, &standing);
    machine_pass(&machine, 3 * SECOND);
    clock->ops->tell(clock, &standing);
    assert_int_equal(machine.realtime_ns, NOON + 3 * SECOND); /* it is not ours */
    set_rate(clock, 1e-6);
    clock->ops->tell(clock, &standing);
    machine_pass(&machine, SECOND);
    clock->ops->tell(clock, &standing);
    assert_int_equal(machine.realtime_ns, NOON + 4 * SECOND); /* nor is it sure */
    machine_pass(&machine, SECOND);
    int64_t before_ns = machine.realtime_ns - MS;
    clock->ops->tell(clock, &standing);
    assert_int_equal(machine.realtime_ns, NOON + 4 * SECOND);
    assert_int_equal(machine.kernel.tai, 38);
    assert_int_equal(machine.kernel.status & STA_UNSYNC, 0);
    assert_int_equal(local_ns(clock), NOON + 42 * SECOND);
    assert_int_equal(mt_instant_to_ns(stamp(clock, before_ns).at), NOON + 42 * SECOND - MS);
    assert_false(clock->ops->disturbed(clock, &applied));
    machine_pass(&machine, 5 * SECOND);
    clock->ops->tell(clock, &standing);
    assert_int_equal(machine.realtime_ns, NOON + 9 * SECOND);
    free(clock);
}

/* a packet of before the leap that is converted after it */
static void expect_right_stamps_around_a_leap_second(int64_t leap_ns, int64_t ago_ns)
{
    struct machine machine;
    struct mt_hal_clock *clock;
    int64_t before_ns;
    int64_t right_ns;

    machine_init(&machine);
    machine.realtime_ns = MIDNIGHT - 500 * MS;
    clock = mt_clock_system_new(&system_request, &machine.os);
    machine_pass(&machine, 500 * MS - 2 * ago_ns);
    before_ns = machine.realtime_ns;
    right_ns = mt_instant_to_ns(stamp(clock, before_ns).at);
    assert_int_equal(right_ns, local_ns(clock));
    machine_pass(&machine, ago_ns);
    machine.realtime_ns += leap_ns;
    machine_pass(&machine, ago_ns);
    assert_int_equal(mt_instant_to_ns(stamp(clock, before_ns).at), right_ns);
    assert_int_equal(mt_instant_to_ns(stamp(clock, machine.realtime_ns).at), right_ns + 2 * ago_ns);
    machine_pass(&machine, 10 * SECOND); /* and stays behind when the clock is stepped */
    step(clock, -3600 * SECOND);
    machine_pass(&machine, SECOND);
    assert_int_equal(mt_instant_to_ns(stamp(clock, machine.realtime_ns).at), local_ns(clock));
    free(clock);
}

static void system_stamps_are_right_when_a_leap_second_came_since(void **state)
{
    (void)state;
    expect_right_stamps_around_a_leap_second(-SECOND, MS);
    expect_right_stamps_around_a_leap_second(-SECOND, 100 * MS);
    expect_right_stamps_around_a_leap_second(SECOND, MS);
}

static void system_tells_when_others_step_it_and_reading_is_slow(void **state)
{
    struct machine machine;
    struct mt_hal_clock *clock;
    struct mt_applied applied;

    (void)state;
    machine_init(&machine);
    machine.cost_ns = 30000;
    clock = mt_clock_system_new(&system_request, &machine.os);
    machine_pass(&machine, SECOND);
    machine.realtime_ns += 3600 * SECOND;
    assert_true(clock->ops->disturbed(clock, &applied));
    assert_between(mt_span_to_ns(applied.step), 3600 * SECOND - 60000, 3600 * SECOND + 60000);
    machine.cost_ns = 0;
    assert_between(read_clock(clock).window_ns, 30000, 120000); /* how large was it? */
    for (int i = 0; i < 200; i++) {
        set_rate(clock, 1e-6);
    }
    assert_int_equal(read_clock(clock).window_ns, 0);
    free(clock);
}

static void system_tells_when_others_slew_it_and_ends_that(void **state)
{
    struct machine machine;
    struct mt_hal_clock *clock;
    struct mt_applied applied;

    (void)state;
    machine_init(&machine);
    clock = mt_clock_system_new(&system_request, &machine.os);
    set_rate(clock, 1e-6);
    machine_pass(&machine, SECOND);
    assert_false(clock->ops->disturbed(clock, &applied));
    machine.kernel.status |= STA_PLL | STA_NANO; /* as ntpd does */
    machine.kernel.constant = 2;
    machine.kernel.offset = 150000; /* ns: a fifteenth of it each second */
    machine_pass(&machine, SECOND);
    assert_true(clock->ops->disturbed(clock, &applied));
    assert_int_equal(applied.kind, MT_CORRECT_RATE);
    assert_between(applied.rate, 10.99e-6, 11.01e-6);
    set_rate(clock, 1e-6);
    assert_int_equal(machine.kernel.offset, 0);
    assert_int_equal(machine.kernel.status & STA_PLL, 0);
    machine_pass(&machine, SECOND);
    assert_false(clock->ops->disturbed(clock, &applied));
    machine.singleshot_us = -2000; /* as adjtime() does */
    machine_pass(&machine, SECOND);
    assert_true(clock->ops->disturbed(clock, &applied));
    assert_between(applied.rate, -499.1e-6, -498.9e-6);
    set_rate(clock, 1e-6);
    assert_int_equal(machine.singleshot_us, 0);
    free(clock);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(system_tells_when_others_slew_it_and_ends_that),
        cmocka_unit_test(system_touches_nothing_when_it_is_opened),
        cmocka_unit_test(system_refuses_when_it_may_not_be_adjusted),
        cmocka_unit_test(system_says_what_the_kernel_said_when_it_may_not_be_adjusted),
        cmocka_unit_test(system_says_why_when_a_correction_is_refused_later),
        cmocka_unit_test(system_stops_what_others_left_running_when_first_corrected),
        cmocka_unit_test(system_says_what_the_kernel_made_of_a_correction),
        cmocka_unit_test(system_counts_corrections_for_stamps_of_the_past),
        cmocka_unit_test(system_tells_when_others_step_it),
        cmocka_unit_test(system_tells_when_others_step_it_by_little),
        cmocka_unit_test(system_reads_on_when_a_step_by_others_is_not_told_yet),
        cmocka_unit_test(system_tells_nothing_when_the_machine_slept),
        cmocka_unit_test(system_tells_when_others_change_its_frequency),
        cmocka_unit_test(system_goes_on_when_a_leap_second_comes),
        cmocka_unit_test(system_has_the_kernel_make_the_leap_second_when_one_is_announced),
        cmocka_unit_test(system_puts_utc_right_when_it_is_told_another_tai_utc),
        cmocka_unit_test(system_stamps_are_right_when_a_leap_second_came_since),
        cmocka_unit_test(system_tells_when_others_step_it_and_reading_is_slow),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
