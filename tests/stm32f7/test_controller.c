/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The chip as an application sees it, through the table of embed/mac.h.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "bench.h"
#include "platform/stm32f7/stm32f7_controller.h"

static struct mt_stm32f7_controller controller;

static struct mt_mac *mac(void)
{
    return &controller.interface;
}

static int start(void **state)
{
    bench_board(state);
    assert_int_equal(mt_stm32f7_controller_start(&controller, &model.rings, MT_SCALE_ARB),
                     MT_STM32F7_STARTED);
    (void)mac()->ops->is_up(mac()); /* it was down since the PHY was last asked */
    assert_true(mac()->ops->is_up(mac()));
    return 0;
}

static bool send(unsigned number, size_t length, uint32_t token)
{
    uint8_t bytes[MT_STM32F7_FRAME_MAX + 2];
    memset(bytes, (int)number, sizeof bytes);
    return mac()->ops->send(mac(), bytes, length, token);
}

static bool come(unsigned number, size_t length)
{
    uint8_t bytes[MT_STM32F7_FRAME_MAX];
    memset(bytes, (int)number, sizeof bytes);
    return model_receive(bytes, length, 0);
}

static bool takes(unsigned number, size_t length, size_t capacity)
{
    uint8_t bytes[MT_STM32F7_FRAME_MAX + 1] = {0};
    struct mt_mac_received received;
    return mac()->ops->receive(mac(), bytes, capacity, &received) && received.length == length &&
           bytes[0] == number && bytes[length - 1] == number && bytes[length] == 0;
}

static bool nothing_comes(void)
{
    uint8_t bytes[64];
    struct mt_mac_received received;
    return !mac()->ops->receive(mac(), bytes, sizeof bytes, &received);
}

static void stm32f7_controller_tells_what_is_missing_when_it_cannot_start(void **state)
{
    model.has_no_phy = true;
    assert_int_equal(mt_stm32f7_controller_start(&controller, &model.rings, MT_SCALE_ARB),
                     MT_STM32F7_NO_PHY);
    bench_board(state);
    model.has_no_reference_clock = true;
    assert_int_equal(mt_stm32f7_controller_start(&controller, &model.rings, MT_SCALE_ARB),
                     MT_STM32F7_NO_REFERENCE_CLOCK);
    bench_board(state);
    model.is_clock_stuck = true;
    assert_int_equal(mt_stm32f7_controller_start(&controller, &model.rings, MT_SCALE_ARB),
                     MT_STM32F7_NO_CLOCK);
}

static void stm32f7_controller_shows_a_scale_when_told(void **state)
{
    (void)state;
    assert_true(controller.clock.hal.adopts_scale);
    assert_int_equal(controller.clock.hal.scale, MT_SCALE_ARB);
    assert_int_equal(mt_stm32f7_controller_start(&controller, &model.rings, MT_SCALE_TAI),
                     MT_STM32F7_STARTED);
    assert_false(controller.clock.hal.adopts_scale);
    assert_int_equal(controller.clock.hal.scale, MT_SCALE_TAI);
}

static void stm32f7_controller_follows_the_link_when_it_changes(void **state)
{
    (void)state;
    assert_int_equal(model_peek(ETH_MACCR) & ETH_MACCR_FES, ETH_MACCR_FES);
    assert_int_equal(model_peek(GPIO('B') + 0x14), BIT(7));
    model.is_link_down = true;
    assert_false(mac()->ops->is_up(mac()));
    assert_int_equal(model_peek(GPIO('B') + 0x14), 0);
    model.is_link_down = false;
    model.is_10_mbit = true;
    assert_false(mac()->ops->is_up(mac()));
    assert_true(mac()->ops->is_up(mac()));
    assert_int_equal(model_peek(ETH_MACCR) & ETH_MACCR_FES, 0);
    assert_true(send(1, 60, 0) && come(1, 60) && takes(1, 60, 100));
    const size_t writes = model.write_count;
    assert_true(mac()->ops->is_up(mac()));
    for (size_t i = writes; i < model.write_count; i++) {
        assert_int_not_equal(model.writes[i].address, ETH_MACCR);
    }
}

static void stm32f7_controller_sends_and_answers_when_there_is_room(void **state)
{
    (void)state;
    struct mt_mac_sent sent;
    model_set_clock(1700000000, 500);
    assert_true(send(5, 90, 42));
    assert_int_equal(model.sent[0].length, 90);
    assert_int_equal(model.sent[0].bytes[89], 5);
    assert_true(mac()->ops->sent(mac(), &sent));
    assert_int_equal(sent.token, 42);
    assert_true(sent.has_stamp);
    assert_false(mac()->ops->sent(mac(), &sent));
    assert_false(send(5, MT_STM32F7_FRAME_MAX + 1, 0));
    assert_true(send(6, MT_STM32F7_FRAME_MAX, 0));
    model.holds_frames = true;
    for (unsigned i = 0; i < MT_STM32F7_SENDING; i++) {
        (void)mac()->ops->sent(mac(), &sent);
        assert_true(send(7, 60, i + 1));
    }
    assert_false(send(7, 60, 9));
}

static void stm32f7_controller_copies_frames_when_they_fit(void **state)
{
    (void)state;
    uint8_t bytes[128];
    struct mt_mac_received received;
    struct mt_stamp stamp;
    assert_true(nothing_comes());
    model_set_clock(77, 123450000);
    assert_true(come(5, 100));
    assert_true(come(6, 101));
    assert_true(come(7, 100));
    assert_true(mac()->ops->receive(mac(), bytes, 100, &received));
    assert_true(received.has_stamp);
    controller.clock.hal.ops->stamp(&controller.clock.hal, received.stamp, &stamp);
    assert_int_equal(stamp.at.s, 77);
    assert_int_equal(stamp.at.ns / 1000, 123450);
    assert_true(takes(7, 100, 100)); /* the one between is too long */
    assert_true(nothing_comes());
}

static void stm32f7_controller_sleeps_when_nothing_waits(void **state)
{
    (void)state;
    assert_true(nothing_comes());
    const struct mt_mono now = mac()->ops->now(mac());
    mac()->ops->idle(mac(), now);
    assert_int_equal(model.sleeps, 0);
    mac()->ops->idle(mac(), mt_mono_plus(now, 500000000));
    assert_int_equal(model.sleeps, 1);
    assert_true(mac()->ops->now(mac()).ns - now.ns >= 1000000);
}

/* Between the look and the sleep: the interrupt ends the sleep before it begins. */
static void stm32f7_controller_misses_no_frame_when_it_comes_before_sleep(void **state)
{
    (void)state;
    assert_true(send(1, 60, 0));
    assert_true(nothing_comes());
    assert_true(come(5, 60));
    const struct mt_mono now = mac()->ops->now(mac());
    mac()->ops->idle(mac(), mt_mono_plus(now, 500000000));
    assert_true(mac()->ops->now(mac()).ns - now.ns < 100000);
    assert_true(takes(5, 60, 100));
    assert_true(nothing_comes());
    mac()->ops->idle(mac(), mt_mono_plus(now, 500000000));
    assert_true(mac()->ops->now(mac()).ns - now.ns >= 1000000);
}

static void stm32f7_controller_spreads_fractions_of_the_rate_when_polled(void **state)
{
    (void)state;
    uint32_t changes = 0;
    uint32_t addend = model_peek(ETH_PTPTSAR);
    for (unsigned i = 0; i < 10000; i++) {
        model_pass_us(1000);
        assert_true(nothing_comes());
        changes += model_peek(ETH_PTPTSAR) != addend;
        addend = model_peek(ETH_PTPTSAR);
    }
    assert_in_range(changes, 20, 100); /* a fraction of 0.185: 18 times in 100 ticks, and back */
}

static void stm32f7_controller_resynchronises_when_all_frames_are_damaged(void **state)
{
    (void)state;
    model_poke(ETH_MMCRFCECR, 9);
    assert_true(mac()->ops->is_up(mac()));
    assert_int_equal(controller.resyncs, 0);
    model_poke(ETH_MMCRFCECR, 10);
    assert_true(mac()->ops->is_up(mac()));
    assert_int_equal(controller.resyncs, 1);
    assert_true(mac()->ops->is_up(mac()));
    assert_int_equal(controller.resyncs, 1);
    model_poke(ETH_MMCRFCECR, 50); /* but some are whole */
    assert_true(come(1, 60) && takes(1, 60, 100));
    assert_true(mac()->ops->is_up(mac()));
    assert_int_equal(controller.resyncs, 1);
}

static void stm32f7_controller_starts_anew_when_the_bus_failed(void **state)
{
    (void)state;
    assert_true(nothing_comes());
    assert_int_equal(model_peek(SCB_AIRCR), 0);
    model_poke(ETH_DMASR, ETH_DMASR_FBES);
    assert_true(nothing_comes());
    assert_int_equal(model_peek(SCB_AIRCR), 0x05FA0004);
}

#define ON_BENCH(test) cmocka_unit_test_setup_teardown(test, start, bench_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(stm32f7_controller_tells_what_is_missing_when_it_cannot_start,
                               bench_board),
        ON_BENCH(stm32f7_controller_shows_a_scale_when_told),
        ON_BENCH(stm32f7_controller_follows_the_link_when_it_changes),
        ON_BENCH(stm32f7_controller_sends_and_answers_when_there_is_room),
        ON_BENCH(stm32f7_controller_copies_frames_when_they_fit),
        ON_BENCH(stm32f7_controller_sleeps_when_nothing_waits),
        ON_BENCH(stm32f7_controller_misses_no_frame_when_it_comes_before_sleep),
        ON_BENCH(stm32f7_controller_spreads_fractions_of_the_rate_when_polled),
        ON_BENCH(stm32f7_controller_resynchronises_when_all_frames_are_damaged),
        ON_BENCH(stm32f7_controller_starts_anew_when_the_bus_failed),
    };
    return cmocka_run_group_tests_name("stm32f7_controller", tests, NULL, NULL);
}
