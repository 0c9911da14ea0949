/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What the kernel is told of its clock, over a machine of the test's own.
 */
#include "linux_machine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#define MINUTE (60 * SECOND)

struct bench {
    struct machine machine;
    struct mt_hal_clock *clock;
    struct mt_clock_standing standing;
};

static struct bench *bench;

static void open_clock(bool sets_rtc, bool tai_utc_known)
{
    const struct mt_clock_request request = {.kind = MT_CLOCK_SYSTEM,
                                             .name = "s",
                                             .tai_utc_known = tai_utc_known,
                                             .tai_minus_utc_s = tai_utc_known ? 37 : 0,
                                             .sets_rtc = sets_rtc};

    free(bench->clock);
    bench->clock = mt_clock_system_new(&request, &bench->machine.os);
}

static int set_up(void **state)
{
    (void)state;
    bench = calloc(1, sizeof *bench);
    machine_init(&bench->machine);
    open_clock(true, true);
    bench->standing = (struct mt_clock_standing){.is_synchronised = true,
                                                 .error_ns = 1500,
                                                 .bound_ns = 20001,
                                                 .growth_ppb = 1000,
                                                 .is_tai_utc_known = true,
                                                 .tai_minus_utc_s = 37};
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    free(bench->clock);
    free(bench);
    return 0;
}

static void tell(void)
{
    bench->clock->ops->tell(bench->clock, &bench->standing);
}

static void lose(void)
{
    bench->clock->ops->tell(bench->clock, &(struct mt_clock_standing){.is_synchronised = false});
}

static bool is_unsynchronised(void)
{
    return (bench->machine.kernel.status & STA_UNSYNC) != 0;
}

static void assert_unknown(void)
{
    assert_true(is_unsynchronised());
    assert_int_equal(bench->machine.kernel.maxerror, LARGEST_ERROR_US);
    assert_int_equal(bench->machine.kernel.esterror, LARGEST_ERROR_US);
}

static void standing_is_told_when_the_clock_is_synchronised(void **state)
{
    (void)state;
    set_rate(bench->clock, 1e-6);
    tell();
    assert_false(is_unsynchronised());
    assert_int_equal(bench->machine.kernel.maxerror, 22); /* 20.001 us, and 1 us in a second */
    assert_int_equal(bench->machine.kernel.esterror, 2);
    assert_int_equal(bench->machine.kernel.tai, 37);
    assert_int_equal(bench->machine.kernel.freq, 65536);
    assert_int_equal(bench->machine.kernel.tick, 10000);
}

/* What others know of it is theirs. */
static void standing_is_not_told_when_the_clock_was_never_corrected(void **state)
{
    (void)state;
    bench->machine.changes = 0;
    tell();
    assert_true(is_unsynchronised());
    bench->machine.kernel.status = STA_PLL;
    bench->machine.kernel.maxerror = 7;
    lose();
    assert_int_equal(bench->machine.kernel.status, STA_PLL);
    assert_int_equal(bench->machine.kernel.maxerror, 7);
    assert_int_equal(bench->machine.changes, 0);
}

static void standing_is_taken_back_when_another_ones_clock_is_taken_over(void **state)
{
    (void)state;
    bench->machine.kernel.status = STA_PLL | STA_FREQHOLD;
    bench->machine.kernel.maxerror = 7;
    bench->machine.kernel.esterror = 7;
    set_rate(bench->clock, 1e-6);
    assert_unknown();
    assert_int_equal(bench->machine.kernel.status, STA_UNSYNC);
}

static void standing_is_taken_back_when_the_bound_is_lost(void **state)
{
    (void)state;
    set_rate(bench->clock, 1e-6);
    tell();
    machine_pass(&bench->machine, MS);
    lose();
    assert_unknown();
    tell();
    assert_false(is_unsynchronised());
    bench->standing.bound_ns = 16 * SECOND;
    tell();
    assert_unknown();
}

/* Once we said that we know nothing, others may say what they know. */
static void standing_is_told_no_more_when_the_bound_is_lost_already(void **state)
{
    (void)state;
    set_rate(bench->clock, 1e-6);
    bench->machine.kernel.status = 0;
    bench->machine.kernel.maxerror = 7;
    for (int i = 0; i < 10; i++) {
        lose();
        machine_pass(&bench->machine, 100 * MS);
    }
    assert_false(is_unsynchronised());
}

/* At every moment of a holdover the kernel's error is larger than the true bound, and it is told
 * no more than four times a second; then the daemon is killed. */
static void standing_never_lies_when_the_bound_grows(void **state)
{
    struct machine *machine = &bench->machine;
    int64_t at_start_ns = bench->standing.bound_ns;
    int64_t elapsed_ns = 0;

    (void)state;
    bench->standing.growth_ppb = 500000;
    machine->realtime_ns += 123456789;
    set_rate(bench->clock, 1e-6);
    machine->changes = 0;
    for (int i = 0; i < 6000; i++) {
        int64_t bound_ns = at_start_ns + elapsed_ns / 2000;
        bench->standing.bound_ns = bound_ns;
        if (i < 3000 && i % 7 == 0) { /* each 70 ms */
            tell();
        }
        assert_true(machine->kernel.maxerror * 1000 >= bound_ns);
        machine_pass(machine, 10 * MS);
        elapsed_ns += 10 * MS;
    }
    assert_between(machine->changes, 60, 450);
    assert_false(is_unsynchronised());
    machine_pass(machine, 32000 * SECOND);
    assert_true(is_unsynchronised());
}

static void standing_is_told_at_once_when_it_is_worse(void **state)
{
    (void)state;
    set_rate(bench->clock, 1e-6);
    tell();
    bench->standing.bound_ns = 10000;
    machine_pass(&bench->machine, MS);
    tell();
    assert_int_equal(bench->machine.kernel.maxerror, 22);
    bench->standing.bound_ns = 40000;
    tell();
    assert_int_equal(bench->machine.kernel.maxerror, 41);
    machine_pass(&bench->machine, 300 * MS);
    bench->standing.bound_ns = 10000;
    tell();
    assert_int_equal(bench->machine.kernel.maxerror, 11);
}

/* No number that the kernel keeps is large enough. */
static void standing_is_unknown_when_the_bound_grows_faster_than_the_kernels_error(void **state)
{
    (void)state;
    set_rate(bench->clock, 1e-6);
    bench->standing.growth_ppb = 500001;
    tell();
    assert_unknown();
}

static void standing_is_told_again_when_the_kernel_forgot_it(void **state)
{
    (void)state;
    set_rate(bench->clock, 1e-6);
    tell();
    step(bench->clock, SECOND);
    assert_unknown();
    machine_pass(&bench->machine, 500 * MS);
    tell();
    assert_false(is_unsynchronised());
    bench->machine.kernel.status |= STA_UNSYNC; /* somebody else's doing */
    machine_pass(&bench->machine, 500 * MS);
    tell();
    assert_false(is_unsynchronised());
}

static void standing_leaves_the_real_time_clock_alone_when_told_to(void **state)
{
    (void)state;
    open_clock(false, true);
    set_rate(bench->clock, 1e-6);
    tell();
    assert_true(is_unsynchronised());
    assert_int_equal(bench->machine.kernel.maxerror, 22);
    assert_int_equal(bench->machine.kernel.esterror, 2);
    assert_int_equal(bench->machine.kernel.tai, 37);
    lose();
    assert_unknown();
}

static void standing_keeps_an_announced_leap_second(void **state)
{
    (void)state;
    set_rate(bench->clock, 1e-6);
    bench->clock->ops->announce(bench->clock, 1);
    tell();
    assert_int_equal(bench->machine.kernel.status, STA_INS);
    lose();
    assert_int_equal(bench->machine.kernel.status, STA_INS | STA_UNSYNC);
}

/* CLOCK_TAI is what the clock goes by, whatever a grandmaster says. */
static void standing_sets_tai_by_the_clocks_own_offset(void **state)
{
    (void)state;
    set_rate(bench->clock, 1e-6);
    bench->standing.tai_minus_utc_s = 36;
    tell();
    assert_int_equal(bench->machine.kernel.tai, 37);
    open_clock(true, false);
    bench->machine.kernel.tai = 0;
    set_rate(bench->clock, 1e-6);
    bench->standing.is_tai_utc_known = false;
    tell();
    assert_int_equal(bench->machine.kernel.tai, 0);
    bench->standing.is_tai_utc_known = true;
    machine_pass(&bench->machine, SECOND);
    tell();
    assert_int_equal(bench->machine.kernel.tai, 36);
}

/* The kernel changes it itself, a moment before or after us. */
static void standing_leaves_tai_to_the_kernel_when_it_makes_a_leap_second(void **state)
{
    struct machine *machine = &bench->machine;

    (void)state;
    machine->realtime_ns = MIDNIGHT - SECOND;
    open_clock(true, true);
    set_rate(bench->clock, 1e-6);
    machine_pass(machine, 1500 * MS);
    machine->kernel.tai = 38; /* it has, we have not seen it yet */
    tell();
    assert_int_equal(machine->kernel.tai, 38);
    machine->realtime_ns -= SECOND;
    tell();
    machine_pass(machine, MINUTE);
    tell();
    assert_int_equal(machine->kernel.tai, 38);
    machine->kernel.tai = 37; /* nobody but us knows better */
    machine_pass(machine, SECOND);
    tell();
    assert_int_equal(machine->kernel.tai, 38);
}

static void standing_is_no_matter_when_the_kernel_refuses(void **state)
{
    (void)state;
    set_rate(bench->clock, 1e-6);
    bench->machine.is_forbidden = true;
    tell();
    assert_true(is_unsynchronised());
    bench->machine.is_forbidden = false;
    tell();
    assert_false(is_unsynchronised());
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(standing_is_told_when_the_clock_is_synchronised),
        TEST(standing_is_not_told_when_the_clock_was_never_corrected),
        TEST(standing_is_taken_back_when_another_ones_clock_is_taken_over),
        TEST(standing_is_taken_back_when_the_bound_is_lost),
        TEST(standing_is_told_no_more_when_the_bound_is_lost_already),
        TEST(standing_never_lies_when_the_bound_grows),
        TEST(standing_is_told_at_once_when_it_is_worse),
        TEST(standing_is_unknown_when_the_bound_grows_faster_than_the_kernels_error),
        TEST(standing_is_told_again_when_the_kernel_forgot_it),
        TEST(standing_leaves_the_real_time_clock_alone_when_told_to),
        TEST(standing_keeps_an_announced_leap_second),
        TEST(standing_sets_tai_by_the_clocks_own_offset),
        TEST(standing_leaves_tai_to_the_kernel_when_it_makes_a_leap_second),
        TEST(standing_is_no_matter_when_the_kernel_refuses),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
