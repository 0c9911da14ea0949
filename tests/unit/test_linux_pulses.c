/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Pulses that are stamped: by the kernel, and by a hardware clock.
 */
#include "pulse_bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>
#include <linux/pps.h>

static void linux_pulses_come_with_their_stamp_when_the_kernel_makes_them(void **state)
{
    struct mt_input input;
    (void)state;
    atomic_store(&device.pps_sequence, 5);
    assert_true(
        open_as(&(struct mt_link_request){.transport = MT_TRANSPORT_PPS, .interface = PPS0}));
    assert_int_equal(device.pps_mode & PPS_CAPTUREASSERT, PPS_CAPTUREASSERT);
    assert_false(next_frame(&input)); /* the one from before is none */
    for (int i = 6; i < 9; i++) {
        atomic_store(&device.pps_sequence, i);
        assert_true(next_frame(&input));
        assert_pulse(&input, (1000 + i) * INT64_C(1000000000) + 42, 0);
    }
    assert_int_equal(link_of_test->counters.received, 3);
    mt_linux_close(platform);
}

static void linux_pulses_need_no_privilege_when_the_edge_is_captured_already(void **state)
{
    (void)state;
    device.is_mode_refused = true;
    assert_false(
        open_as(&(struct mt_link_request){.transport = MT_TRANSPORT_PPS, .interface = PPS0}));
    assert_non_null(strstr(reason, "start as root"));
    device.pps_mode = PPS_CAPTUREASSERT;
    assert_true(
        open_as(&(struct mt_link_request){.transport = MT_TRANSPORT_PPS, .interface = PPS0}));
    mt_linux_close(platform);
}

static const struct mt_link_request kernel_pulses = {.transport = MT_TRANSPORT_PPS,
                                                     .interface = PPS0};

static void await_kernel_pulse(int sequence)
{
    struct mt_input input;
    assert_false(next_frame(&input));
    atomic_store(&device.pps_sequence, sequence);
    assert_true(next_frame(&input));
    assert_pulse(&input, (1000 + sequence) * INT64_C(1000000000) + 42, 0);
}

static void linux_pulses_are_waited_for_when_their_device_is_not_there_yet(void **state)
{
    (void)state;
    atomic_store(&device.pps_sequence, 5);
    device.has_no_pps = true;
    assert_true(open_as(&kernel_pulses));
    await_link(false, 1000 * MS);
    assert_non_null(strstr(mt_linux_link_reason(platform, 3), "cannot open " PPS0));
    device.has_no_pps = false;
    await_link(true, 2500 * MS);
    assert_string_equal(mt_linux_link_reason(platform, 3), "");
    await_kernel_pulse(6);
    mt_linux_close(platform);
}

static void linux_pulses_come_again_when_their_device_was_gone(void **state)
{
    (void)state;
    atomic_store(&device.pps_sequence, 5);
    assert_true(open_as(&kernel_pulses));
    await_kernel_pulse(6);
    device.has_no_pps = true;
    await_link(false, 2500 * MS);
    assert_string_equal(mt_linux_link_reason(platform, 3), PPS0 " is gone; waiting for it");
    device.has_no_pps = false;
    device.pps_number = 1;
    await_link(true, 3500 * MS);
    await_kernel_pulse(8);
    device.pps_number = 0; /* ldattach was started anew, and udev quicker than we */
    await_link(false, 2500 * MS);
    await_link(true, 3500 * MS);
    await_kernel_pulse(10);
    mt_linux_close(platform);
}

static const struct mt_link_request stamps = {
    .transport = MT_TRANSPORT_EXTTS, .interface = PTP0, .pulse = {.pin = 1, .channel = 1}};

static void linux_pulses_come_with_their_stamp_when_a_card_makes_them(void **state)
{
    struct mt_input input;
    (void)state;
    device.pins[1].func = PTP_PF_PEROUT;
    assert_true(open_as(&stamps));
    assert_int_equal(device.pins[1].func, PTP_PF_EXTTS);
    assert_int_equal(device.pins[1].chan, 1);
    assert_true(device.has_extts);
    assert_int_equal(device.extts.index, 1);
    assert_int_equal(device.extts.flags & PTP_EXTTS_EDGES, PTP_RISING_EDGE);
    put_event(0, 7, 8); /* another channel's */
    put_event(1, 1000, 17);
    assert_true(next_frame(&input));
    assert_pulse(&input, INT64_C(1000000000017), 1);
    mt_linux_close(platform);
    assert_false(device.has_extts);
    assert_int_equal(device.pins[1].func, PTP_PF_PEROUT);
}

static void linux_pulses_are_the_leading_edges_when_a_card_stamps_both(void **state)
{
    struct mt_input input;
    (void)state;
    device.is_strict_refused = true;
    assert_true(open_as(&stamps));
    assert_non_null(strstr(link_of_test->stamping, "both edges"));
    for (int64_t s = 1000; s < 1003; s++) {
        put_event(1, s, 0);
        put_event(1, s, 100 * MS);
        assert_true(next_frame(&input));
        assert_pulse(&input, s * 1000000000, 1);
        assert_false(next_frame(&input));
    }
    mt_linux_close(platform);
}

/* The kernel says POLLERR for a device whose driver is gone, at once and again and again. */
static void linux_pulses_come_again_when_the_driver_was_loaded_anew(void **state)
{
    struct mt_input input;
    (void)state;
    assert_true(open_as(&stamps));
    put_event(1, 1000, 17);
    assert_true(next_frame(&input));
    unload();
    assert_in_range(await_link(false, 1000 * MS), 1, 5);
    assert_non_null(strstr(mt_linux_link_reason(platform, 3), "stamps no pulses any more"));
    assert_in_range(turns_in(1500 * MS), 1, 20);
    device.is_gone = false;
    await_link(true, 2500 * MS);
    assert_true(device.has_extts);
    put_event(1, 1010, 18);
    assert_true(next_frame(&input));
    assert_pulse(&input, INT64_C(1010000000018), 1);
    assert_string_equal(mt_linux_link_reason(platform, 3), "");
    mt_linux_close(platform);
}

static void linux_pulses_are_asked_for_again_when_a_card_was_reset(void **state)
{
    struct mt_input input;
    (void)state;
    assert_true(open_as(&stamps));
    device.has_extts = false;
    (void)turns_in(2000 * MS);
    put_event(1, 1000, 17); /* as long as they come there is no reason to */
    assert_true(next_frame(&input));
    (void)turns_in(2000 * MS);
    assert_false(device.has_extts);
    (void)turns_in(1500 * MS);
    assert_true(device.has_extts);
    mt_linux_close(platform);
}

static void linux_pulses_leave_the_pins_alone_when_one_is_wired_already(void **state)
{
    struct mt_link_request request = stamps;
    (void)state;
    request.pulse.pin = MT_PIN_AUTO;
    device.pins[0].func = PTP_PF_EXTTS;
    device.pins[0].chan = 1;
    assert_true(open_as(&request));
    assert_int_equal(device.pins[0].func, PTP_PF_EXTTS);
    assert_int_equal(device.pins[1].func, PTP_PF_NONE);
    mt_linux_close(platform);
    assert_int_equal(device.pins[0].func, PTP_PF_EXTTS);
}

static void linux_pulses_are_refused_when_there_is_no_such_pin(void **state)
{
    struct mt_link_request request = stamps;
    (void)state;
    request.pulse.pin = 5;
    assert_false(open_as(&request));
    assert_non_null(strstr(reason, "pin 5 of the hardware clock"));
    assert_non_null(strstr(reason, "it has 2 pins"));
    mt_linux_close(platform);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(linux_pulses_come_with_their_stamp_when_the_kernel_makes_them),
        TEST(linux_pulses_need_no_privilege_when_the_edge_is_captured_already),
        TEST(linux_pulses_are_waited_for_when_their_device_is_not_there_yet),
        TEST(linux_pulses_come_again_when_their_device_was_gone),
        TEST(linux_pulses_come_with_their_stamp_when_a_card_makes_them),
        TEST(linux_pulses_are_the_leading_edges_when_a_card_stamps_both),
        TEST(linux_pulses_come_again_when_the_driver_was_loaded_anew),
        TEST(linux_pulses_are_asked_for_again_when_a_card_was_reset),
        TEST(linux_pulses_leave_the_pins_alone_when_one_is_wired_already),
        TEST(linux_pulses_are_refused_when_there_is_no_such_pin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
