/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Frames, stamps and tokens through the rings of descriptors.
 */
#include "bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static bool departs(uint32_t token, bool has_stamp)
{
    struct mt_stm32f7_departure departure;
    return mt_stm32f7_mac_next_departure(&bench.mac, &departure) && departure.token == token &&
           departure.has_stamp == has_stamp;
}

static bool nothing_departs(void)
{
    struct mt_stm32f7_departure departure;
    return !mt_stm32f7_mac_next_departure(&bench.mac, &departure);
}

static bool come(unsigned number, size_t length)
{
    uint8_t bytes[4096];
    memset(bytes, (int)number, length);
    return model_receive(bytes, length, 0);
}

/* Takes the next frame, which must be of this number and length, and gives it back. */
static struct mt_stm32f7_arrival take(unsigned number, size_t length)
{
    struct mt_stm32f7_arrival arrival = {0};
    assert_true(mt_stm32f7_mac_next_arrival(&bench.mac, &arrival));
    assert_int_equal(arrival.length, length);
    assert_int_equal(arrival.bytes[0], number & 0xFF);
    assert_int_equal(arrival.bytes[length - 1], number & 0xFF);
    mt_stm32f7_mac_release(&bench.mac);
    return arrival;
}

static bool nothing_comes(void)
{
    struct mt_stm32f7_arrival arrival;
    return !mt_stm32f7_mac_next_arrival(&bench.mac, &arrival);
}

/* ---- sending ------------------------------------------------------------------------------- */

static void stm32f7_mac_sends_frames_whole_when_ring_wraps(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 23; i++) {
        assert_true(bench_send(i, 60 + i, 1000 + i));
        assert_int_equal(model.sent_count, i + 1);
        assert_int_equal(model.sent[i].length, 60 + i);
        assert_int_equal(model.sent[i].bytes[0], i);
        assert_int_equal(model.sent[i].bytes[59 + i], i);
        assert_true(departs(1000 + i, true));
        assert_true(nothing_departs());
    }
    assert_int_equal(bench.mac.counters.sent, 23);
}

static void stm32f7_mac_gives_each_token_its_own_stamp_when_many_are_under_way(void **state)
{
    (void)state;
    struct mt_stm32f7_departure departure;
    model_set_clock(1700000000, 999999000);
    model.holds_frames = true;
    for (unsigned round = 0; round < 5; round++) {
        model.sent_count = 0;
        for (unsigned i = 0; i < MT_STM32F7_SENDING; i++) {
            assert_true(bench_send(i, 90, 10 * round + i + 1));
        }
        assert_true(nothing_departs());
        model_transmit();
        for (unsigned i = 0; i < MT_STM32F7_SENDING; i++) {
            assert_true(mt_stm32f7_mac_next_departure(&bench.mac, &departure));
            assert_int_equal(departure.token, 10 * round + i + 1);
            assert_true(departure.has_stamp);
            assert_int_equal(departure.stamp.s, model.sent[i].s);
            assert_int_equal(departure.stamp.ns, model.sent[i].ns);
        }
        assert_true(nothing_departs());
    }
}

static void stm32f7_mac_asks_for_no_stamp_when_there_is_no_token(void **state)
{
    (void)state;
    model.holds_frames = true;
    assert_true(bench_send(1, 60, 0));
    assert_true(bench_send(2, 60, 77));
    assert_true(bench_send(3, 60, 0));
    model_transmit();
    assert_false(model.sent[0].is_stamped);
    assert_true(model.sent[1].is_stamped);
    assert_true(departs(77, true));
    assert_true(nothing_departs());
    assert_int_equal(bench.mac.counters.sent, 3);
    assert_int_equal(bench.mac.counters.send_stamps_lost, 0);
}

static void stm32f7_mac_refuses_frames_when_all_are_under_way(void **state)
{
    (void)state;
    model.holds_frames = true;
    for (unsigned i = 0; i < MT_STM32F7_SENDING; i++) {
        assert_true(bench_send(i, 60, i + 1));
    }
    assert_false(bench_send(9, 60, 9));
    assert_false(bench_send(9, 60, 9));
    assert_int_equal(bench.mac.counters.send_ring_full, 2);
    model_transmit();
    assert_false(bench_send(9, 60, 9)); /* the answers were not taken */
    assert_true(departs(1, true));
    assert_true(bench_send(9, 60, 9));
    model_transmit();
    assert_true(departs(2, true) && departs(3, true) && departs(4, true) && departs(9, true));
    assert_int_equal(model.sent_count, MT_STM32F7_SENDING + 1);
}

static void stm32f7_mac_answers_without_stamp_when_hardware_lost_it(void **state)
{
    (void)state;
    model.loses_stamps = true;
    assert_true(bench_send(1, 60, 5));
    assert_true(departs(5, false));
    assert_int_equal(bench.mac.counters.send_stamps_lost, 1);
    assert_int_equal(bench.mac.counters.sent, 1);
    model.loses_stamps = false;
    assert_true(bench_send(1, 60, 6));
    assert_true(departs(6, true));
    assert_int_equal(bench.mac.counters.send_stamps_lost, 1);
}

static void stm32f7_mac_answers_without_stamp_when_sending_failed(void **state)
{
    (void)state;
    model.fails_to_send = true;
    assert_true(bench_send(1, 60, 5));
    assert_true(departs(5, false));
    assert_int_equal(bench.mac.counters.send_failed, 1);
    assert_int_equal(bench.mac.counters.sent, 0);
    assert_int_equal(bench.mac.counters.send_stamps_lost, 0);
}

/* A descriptor that comes back without its stamp must not show that of its last use. */
static void stm32f7_mac_takes_no_old_stamp_when_descriptor_is_used_again(void **state)
{
    (void)state;
    for (unsigned i = 0; i < MT_STM32F7_SENDING; i++) {
        assert_true(bench_send(i, 60, i + 1));
        assert_true(departs(i + 1, true));
    }
    model.holds_frames = true;
    assert_true(bench_send(7, 60, 70));
    model.rings.sending[0][DES_STATUS] &= ~TDES0_OWN; /* done, says the hardware */
    model.rings.sending[0][DES_STATUS] |= TDES0_TTSS;
    assert_true(departs(70, false));
}

static void stm32f7_mac_answers_without_stamp_when_descriptor_says_so(void **state)
{
    (void)state;
    model.holds_frames = true;
    assert_true(bench_send(7, 60, 70));
    model.rings.sending[0][DES_STAMP_S] = 5;
    model.rings.sending[0][DES_STAMP_NS] = 5;
    model.rings.sending[0][DES_STATUS] &= ~TDES0_OWN;
    assert_true(departs(70, false));
    assert_int_equal(bench.mac.counters.send_stamps_lost, 1);
}

/* ---- receiving ----------------------------------------------------------------------------- */

static void stm32f7_mac_hands_on_frames_whole_when_ring_wraps(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 29; i++) {
        model_set_clock(1000 + i, 5000 + i);
        assert_true(come(i, 60 + i));
        const struct mt_stm32f7_arrival arrival = take(i, 60 + i);
        assert_true(arrival.has_stamp);
        assert_int_equal(arrival.stamp.s, 1000 + i);
        assert_int_equal(arrival.stamp.ns, 5000 + i);
        assert_true(nothing_comes());
    }
    assert_int_equal(bench.mac.counters.received, 29);
}

static void stm32f7_mac_keeps_order_when_frames_wait(void **state)
{
    (void)state;
    for (unsigned round = 0; round < 4; round++) {
        for (unsigned i = 0; i < MT_STM32F7_RECEIVING; i++) {
            assert_true(come(16 * round + i, 100));
        }
        for (unsigned i = 0; i < MT_STM32F7_RECEIVING; i++) {
            take(16 * round + i, 100);
        }
    }
    assert_int_equal(model.missed, 0);
}

static void stm32f7_mac_receives_again_when_ring_was_exhausted(void **state)
{
    (void)state;
    for (unsigned i = 0; i < MT_STM32F7_RECEIVING; i++) {
        assert_true(come(i, 100));
    }
    assert_false(come(8, 100));
    assert_false(come(9, 100));
    assert_false(mt_stm32f7_mac_attend(&bench.mac));
    assert_int_equal(bench.mac.counters.receive_missed, 2);
    for (unsigned i = 0; i < MT_STM32F7_RECEIVING; i++) {
        take(i, 100);
    }
    for (unsigned i = 0; i < 2 * MT_STM32F7_RECEIVING; i++) {
        assert_true(come(20 + i, 100));
        take(20 + i, 100);
    }
    assert_false(mt_stm32f7_mac_attend(&bench.mac));
    assert_int_equal(bench.mac.counters.receive_missed, 2);
}

static void stm32f7_mac_drops_frames_when_damaged(void **state)
{
    (void)state;
    uint8_t bytes[64] = {1};
    assert_true(model_receive(bytes, sizeof bytes, RDES0_ES | BIT(1)));
    assert_true(nothing_comes());
    assert_int_equal(bench.mac.counters.receive_failed, 1);
    assert_true(model_receive(bytes, sizeof bytes, RDES0_ES | BIT(1)));
    assert_true(come(5, 80));
    take(5, 80);
    assert_int_equal(bench.mac.counters.receive_failed, 2);
    assert_int_equal(bench.mac.counters.received, 1);
}

static void stm32f7_mac_drops_frames_when_longer_than_a_buffer(void **state)
{
    (void)state;
    assert_true(come(5, 2000));
    assert_true(come(6, 60));
    take(6, 60);
    assert_int_equal(bench.mac.counters.receive_failed, 2); /* its beginning and its end */
    assert_true(come(7, MT_STM32F7_FRAME_MAX));
    take(7, MT_STM32F7_FRAME_MAX);
}

static void stm32f7_mac_ends_when_everything_is_damaged(void **state)
{
    (void)state;
    uint8_t bytes[64] = {1};
    for (unsigned i = 0; i < MT_STM32F7_RECEIVING; i++) {
        assert_true(model_receive(bytes, sizeof bytes, RDES0_ES));
    }
    assert_true(nothing_comes());
    assert_int_equal(bench.mac.counters.receive_failed, MT_STM32F7_RECEIVING);
    assert_true(come(1, 60));
    take(1, 60);
}

static void stm32f7_mac_has_no_stamp_when_hardware_lost_it(void **state)
{
    (void)state;
    model.loses_stamps = true;
    assert_true(come(1, 60));
    assert_false(take(1, 60).has_stamp);
    assert_int_equal(bench.mac.counters.receive_stamps_lost, 1);
    model.loses_stamps = false;
    assert_true(come(1, 60));
    assert_true(take(1, 60).has_stamp);
}

static void stm32f7_mac_has_no_stamp_when_descriptor_says_so(void **state)
{
    (void)state;
    assert_true(come(1, 60));
    model.rings.receiving[0][DES_STATUS] &= ~RDES0_TSV;
    assert_false(take(1, 60).has_stamp);
}

/* ---- steps of the clock -------------------------------------------------------------------- */

static void stm32f7_mac_voids_stamps_when_clock_was_stepped(void **state)
{
    (void)state;
    model.holds_frames = true;
    assert_true(bench_send(1, 60, 1));
    assert_true(bench_send(2, 60, 2));
    assert_true(come(1, 60) && come(2, 60) && come(3, 60));
    take(1, 60);
    mt_stm32f7_mac_void_stamps(&bench.mac);
    assert_true(come(4, 60));
    assert_true(bench_send(3, 60, 3));
    model_transmit();
    assert_true(departs(1, false) && departs(2, false) && departs(3, true));
    assert_false(take(2, 60).has_stamp);
    assert_false(take(3, 60).has_stamp);
    assert_true(take(4, 60).has_stamp);
    assert_int_equal(bench.mac.counters.stamps_voided, 4);
    assert_int_equal(bench.mac.counters.send_stamps_lost, 0);
    model.holds_frames = false;
    for (unsigned i = 4; i < 4 + MT_STM32F7_SENDING; i++) {
        assert_true(bench_send(i, 60, i));
        assert_true(departs(i, true));
    }
}

static void stm32f7_mac_voids_all_when_all_descriptors_are_taken(void **state)
{
    (void)state;
    assert_true(come(0, 60));
    take(0, 60);
    for (unsigned i = 0; i < MT_STM32F7_RECEIVING; i++) {
        assert_true(come(i, 60));
    }
    mt_stm32f7_mac_void_stamps(&bench.mac);
    for (unsigned i = 0; i < MT_STM32F7_RECEIVING; i++) {
        assert_false(take(i, 60).has_stamp);
    }
    assert_true(come(9, 60));
    assert_true(take(9, 60).has_stamp);
}

/* ---- beside -------------------------------------------------------------------------------- */

static void stm32f7_mac_lets_the_next_interrupt_come_when_attended(void **state)
{
    (void)state;
    assert_true(come(1, 60));
    assert_true(bench_send(1, 60, 0));
    assert_int_not_equal(model_peek(ETH_DMASR) & (ETH_DMASR_RS | ETH_DMASR_TS), 0);
    assert_false(mt_stm32f7_mac_attend(&bench.mac));
    assert_int_equal(model_peek(ETH_DMASR) & (ETH_DMASR_RS | ETH_DMASR_TS | ETH_DMASR_NIS), 0);
}

static void stm32f7_mac_says_so_when_the_bus_failed(void **state)
{
    (void)state;
    model_poke(ETH_DMASR, ETH_DMASR_FBES | ETH_DMASR_AIS);
    assert_true(mt_stm32f7_mac_attend(&bench.mac));
    assert_int_equal(bench.mac.counters.bus_errors, 1);
    assert_false(mt_stm32f7_mac_attend(&bench.mac));
}

static void stm32f7_mac_counts_what_the_queue_missed_when_attended(void **state)
{
    (void)state;
    model_poke(ETH_DMAMFBOCR, UINT32_C(3) << 17 | BIT(16) | BIT(28) | 4);
    assert_false(mt_stm32f7_mac_attend(&bench.mac));
    assert_int_equal(bench.mac.counters.receive_missed, 7);
    model_poke(ETH_MMCRFCECR, 11);
    assert_int_equal(mt_stm32f7_mac_checksum_errors(), 11);
}

static void stm32f7_mac_says_so_when_there_is_no_reference_clock(void **state)
{
    (void)state;
    struct mt_stm32f7_mac mac = {0};
    const uint8_t address[6] = {2, 0, 0, 0, 0, 1};
    model.has_no_reference_clock = true;
    assert_false(mt_stm32f7_mac_init(&mac, &model.rings, address));
    assert_int_equal(model_peek(ETH_DMAOMR), 0);
}

static void stm32f7_mac_goes_on_when_initialised_again(void **state)
{
    (void)state;
    const uint8_t address[6] = {2, 0, 0, 0, 0, 1};
    model.holds_frames = true;
    assert_true(bench_send(1, 60, 1));
    assert_true(come(1, 60));
    take(1, 60);
    assert_true(mt_stm32f7_mac_init(&bench.mac, &model.rings, address));
    assert_true(nothing_departs());
    assert_true(nothing_comes());
    assert_int_equal(bench.mac.counters.received, 1);
    assert_true(mt_stm32f7_ptp_init(&bench.ptp, mt_stm32f7_board_now_us(&bench.counter)));
    mt_stm32f7_mac_start(true, true);
    model.holds_frames = false;
    assert_true(bench_send(2, 60, 2));
    assert_true(departs(2, true));
    assert_true(come(3, 60));
    take(3, 60);
}

static void stm32f7_mac_follows_the_phy_when_started(void **state)
{
    (void)state;
    const uint32_t both = ETH_MACCR_RE | ETH_MACCR_TE | ETH_MACCR_RESERVED;
    assert_int_equal(model_peek(ETH_MACCR), both | ETH_MACCR_FES | ETH_MACCR_DM);
    mt_stm32f7_mac_start(false, true);
    assert_int_equal(model_peek(ETH_MACCR), both | ETH_MACCR_DM);
    mt_stm32f7_mac_start(true, false);
    assert_int_equal(model_peek(ETH_MACCR), both | ETH_MACCR_FES);
    assert_true(come(1, 60));
    take(1, 60);
}

#define ON_BENCH(test) cmocka_unit_test_setup_teardown(test, bench_start, bench_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_BENCH(stm32f7_mac_sends_frames_whole_when_ring_wraps),
        ON_BENCH(stm32f7_mac_gives_each_token_its_own_stamp_when_many_are_under_way),
        ON_BENCH(stm32f7_mac_asks_for_no_stamp_when_there_is_no_token),
        ON_BENCH(stm32f7_mac_refuses_frames_when_all_are_under_way),
        ON_BENCH(stm32f7_mac_answers_without_stamp_when_hardware_lost_it),
        ON_BENCH(stm32f7_mac_answers_without_stamp_when_sending_failed),
        ON_BENCH(stm32f7_mac_takes_no_old_stamp_when_descriptor_is_used_again),
        ON_BENCH(stm32f7_mac_answers_without_stamp_when_descriptor_says_so),
        ON_BENCH(stm32f7_mac_hands_on_frames_whole_when_ring_wraps),
        ON_BENCH(stm32f7_mac_keeps_order_when_frames_wait),
        ON_BENCH(stm32f7_mac_receives_again_when_ring_was_exhausted),
        ON_BENCH(stm32f7_mac_drops_frames_when_damaged),
        ON_BENCH(stm32f7_mac_drops_frames_when_longer_than_a_buffer),
        ON_BENCH(stm32f7_mac_ends_when_everything_is_damaged),
        ON_BENCH(stm32f7_mac_has_no_stamp_when_hardware_lost_it),
        ON_BENCH(stm32f7_mac_has_no_stamp_when_descriptor_says_so),
        ON_BENCH(stm32f7_mac_voids_stamps_when_clock_was_stepped),
        ON_BENCH(stm32f7_mac_voids_all_when_all_descriptors_are_taken),
        ON_BENCH(stm32f7_mac_lets_the_next_interrupt_come_when_attended),
        ON_BENCH(stm32f7_mac_says_so_when_the_bus_failed),
        ON_BENCH(stm32f7_mac_counts_what_the_queue_missed_when_attended),
        ON_BENCH(stm32f7_mac_says_so_when_there_is_no_reference_clock),
        ON_BENCH(stm32f7_mac_goes_on_when_initialised_again),
        ON_BENCH(stm32f7_mac_follows_the_phy_when_started),
    };
    return cmocka_run_group_tests_name("stm32f7_mac", tests, NULL, NULL);
}
