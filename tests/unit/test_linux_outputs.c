/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Pulses that a hardware clock makes.
 */
#include "pulse_bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>
#include <time.h>

static const struct mt_link_request output = {
    .transport = MT_TRANSPORT_PEROUT,
    .interface = PTP0,
    .pulse = {.pin = 0, .channel = 0, .period_ns = 1000 * MS, .width_ns = 100 * MS}};

static bool give_page(void)
{
    return link_of_test->ops->send(link_of_test, &(struct mt_link_frame){0});
}

static void linux_outputs_leave_while_pages_come_and_end_with_the_daemon(void **state)
{
    (void)state;
    assert_true(open_as(&output));
    assert_int_equal(device.pins[0].func, PTP_PF_PEROUT);
    assert_int_equal(device.perouts, 0); /* the clock may have no time yet */
    assert_true(give_page());
    assert_int_equal(device.perout.period.sec, 1);
    assert_int_equal(device.perout.flags, PTP_PEROUT_PHASE | PTP_PEROUT_DUTY_CYCLE);
    assert_int_equal(device.perout.phase.sec, 0);
    assert_int_equal(device.perout.phase.nsec, 0);
    assert_int_equal(device.perout.on.nsec, 100 * MS);
    assert_true(give_page());
    assert_int_equal(device.perouts, 1);
    mt_linux_close(platform);
    assert_int_equal(device.perout.period.sec, 0);
    assert_int_equal(device.perouts, 2);
    assert_int_equal(device.pins[0].func, PTP_PF_NONE);
}

static void linux_outputs_are_refused_when_another_clock_is_steered(void **state)
{
    struct mt_link_request request = output;
    (void)state;
    request.clock = "/dev/ptp7";
    assert_false(open_as(&request));
    assert_string_equal(reason, "the clock is /dev/ptp7, but the pulses would be those of " PTP0);
    request.clock = "";
    assert_false(open_as(&request));
    assert_non_null(strstr(reason, "the clock is no hardware clock"));
    assert_int_equal(device.pins[0].func, PTP_PF_NONE);
    request.clock = PTP0;
    assert_true(open_as(&request));
    mt_linux_close(platform);
}

static void linux_outputs_begin_at_a_full_second_when_a_driver_knows_no_phase(void **state)
{
    struct timespec now;
    (void)state;
    device.is_phase_refused = true;
    assert_true(open_as(&output));
    clock_gettime(CLOCK_REALTIME, &now);
    assert_true(give_page());
    assert_int_equal(device.perout.flags, PTP_PEROUT_DUTY_CYCLE);
    assert_int_equal(device.perout.start.nsec, 0);
    assert_true(device.perout.start.sec >= now.tv_sec + 37 + 1);
    assert_true(device.perout.start.sec <= now.tv_sec + 37 + 3);
    mt_linux_close(platform);
}

static void linux_outputs_begin_anew_when_the_clock_was_stepped(void **state)
{
    struct timespec pause = {0, 200 * MS};
    (void)state;
    assert_true(open_as(&output));
    assert_true(give_page());
    nanosleep(&pause, 0);
    assert_true(give_page());
    assert_int_equal(device.perouts, 1);
    device.ahead_s += 3;
    nanosleep(&pause, 0);
    assert_true(give_page());
    nanosleep(&pause, 0);
    assert_true(give_page());
    assert_int_equal(device.perouts, 3); /* off, and on */
    mt_linux_close(platform);
}

static void linux_outputs_leave_again_when_the_driver_was_loaded_anew(void **state)
{
    (void)state;
    assert_true(open_as(&output));
    assert_true(give_page());
    assert_int_equal(device.perouts, 1);
    (void)turns_in(200 * MS);
    unload();
    (void)turns_in(700 * MS);
    assert_false(give_page());
    assert_int_not_equal(mt_linux_link_reason(platform, 3)[0], '\0');
    device.is_gone = false;
    device.pins[0].func = PTP_PF_NONE;
    (void)turns_in(1700 * MS);
    assert_true(give_page());
    assert_int_equal(device.perouts, 2);
    assert_int_equal(device.pins[0].func, PTP_PF_PEROUT);
    assert_string_equal(mt_linux_link_reason(platform, 3), "");
    mt_linux_close(platform);
}

/* As when somebody steps it and we put it right before the next page. */
static void linux_outputs_begin_anew_when_the_clock_was_stepped_to_and_fro(void **state)
{
    struct timespec pause = {0, 200 * MS};
    (void)state;
    assert_true(open_as(&output));
    assert_true(give_page());
    nanosleep(&pause, 0);
    device.ahead_s += 3;
    mt_linux_cards_look(platform);
    nanosleep(&pause, 0);
    device.ahead_s -= 3;
    nanosleep(&pause, 0);
    assert_true(give_page());
    assert_int_equal(device.perouts, 3); /* ended and begun */
    assert_true(give_page());
    assert_int_equal(device.perouts, 3);
    mt_linux_close(platform);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(linux_outputs_leave_while_pages_come_and_end_with_the_daemon),
        TEST(linux_outputs_are_refused_when_another_clock_is_steered),
        TEST(linux_outputs_begin_at_a_full_second_when_a_driver_knows_no_phase),
        TEST(linux_outputs_begin_anew_when_the_clock_was_stepped),
        TEST(linux_outputs_leave_again_when_the_driver_was_loaded_anew),
        TEST(linux_outputs_begin_anew_when_the_clock_was_stepped_to_and_fro),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
