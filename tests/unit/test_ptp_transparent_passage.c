/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Transparent clocks: what is not changed, what does not pass, and what happens at the limits.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "ptp_transparent_bench.h"

static struct mt_ptp_message announce(uint16_t sequence)
{
    struct mt_ptp_message message = tc_message(MT_PTP_ANNOUNCE, sequence, &tc_gm);
    message.body.announce = (struct mt_ptp_announce){
        .priority1 = 10,
        .quality = {.clock_class = 6, .accuracy = 0x20, .variance = 0x4000},
        .grandmaster = tc_gm.clock,
        .steps_removed = 3,
    };
    message.header.log_interval = 1;
    return message;
}

static void follow(uint16_t port)
{
    for (uint16_t i = 0; i < MT_FOREIGN_THRESHOLD; i++) {
        const struct mt_ptp_message message = announce((uint16_t)(100 + i));
        tc_rx(port, &message);
    }
    assert_int_equal(mt_instance_receiving_port(&tc_bench.instance), port);
    bench_clear(&tc_bench);
}

/* ---- what is not changed --------------------------------------------------------------------- */

static void transparent_changes_no_octet_when_it_forwards_general_messages(void **state)
{
    const uint8_t tlvs[] = {0x7F, 0x01, 0, 4, 1, 2, 3, 4,        /* nobody knows it */
                            0x80, 0x09, 0, 6, 9, 8, 7, 6, 5, 4}; /* AUTHENTICATION */
    const enum mt_ptp_type types[] = {MT_PTP_ANNOUNCE, MT_PTP_SIGNALING, MT_PTP_MANAGEMENT};
    (void)state;
    tc_start(3, 64);
    follow(2);
    bench_clock(&tc_bench, true, 1000); /* it could say something of its own accuracy */
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        uint8_t octets[200];
        struct mt_ptp_message message = tc_message(types[i], 5, &tc_gm);
        message.tlvs = tlvs;
        message.tlvs_length = sizeof tlvs;
        size_t length = mt_ptp_write(&message, octets, sizeof octets);
        octets[5] = 0;
        octets[16] = 0xAB; /* messageTypeSpecific */
        octets[1] = 0x52;  /* a minor version to come */
        octets[7] |= 0x80; /* a reserved flag */
        tc_rx_octets(2, octets, length, false);
        assert_int_equal(bench_count(&tc_bench, 0, types[i]), 2);
        const struct bench_frame *frame = bench_newest(&tc_bench, 1, types[i], 0);
        assert_int_equal(frame->tx.length, length);
        assert_memory_equal(frame->octets, octets, length);
        assert_false(frame->tx.is_event);
        assert_int_equal(frame->tx.token, 0);
        assert_int_equal(frame->tx.destination, MT_TO_ALL);
    }
}

static void transparent_changes_only_the_correction_of_a_follow_up_with_tlvs(void **state)
{
    const uint8_t tlvs[] = {0x7F, 0x01, 0, 4, 1, 2, 3, 4};
    uint8_t octets[100];
    struct mt_ptp_message message;
    (void)state;
    tc_start(2, 64);
    message = tc_message(MT_PTP_FOLLOW_UP, 7, &tc_gm);
    message.tlvs = tlvs;
    message.tlvs_length = sizeof tlvs;
    size_t length = mt_ptp_write(&message, octets, sizeof octets);
    tc_sync(1, 7, MT_PTP_TWO_STEP);
    tc_rx_octets(1, octets, length, false);
    tc_wait(1000);
    tc_stamp(2, MT_PTP_SYNC);
    const struct bench_frame *frame = bench_newest(&tc_bench, 2, MT_PTP_FOLLOW_UP, 0);
    assert_int_equal(frame->tx.length, length);
    assert_memory_equal(frame->octets, octets, 8);
    assert_memory_equal(frame->octets + 16, octets + 16, length - 16);
    assert_int_equal(tc_added(2, MT_PTP_FOLLOW_UP), 1000 * Q16);
}

static void transparent_drops_padding_when_it_is_behind_the_message(void **state)
{
    uint8_t octets[60] = {0};
    const struct mt_ptp_message message = tc_message(MT_PTP_SYNC, 7, &tc_gm);
    (void)state;
    tc_start(2, 64);
    assert_int_equal(mt_ptp_write(&message, octets, sizeof octets), 44);
    memset(octets + 44, 0xEE, sizeof octets - 44);
    tc_rx_octets(1, octets, sizeof octets, true);
    assert_int_equal(bench_newest(&tc_bench, 2, MT_PTP_SYNC, 0)->tx.length, 44);
}

/* ---- what does not pass ---------------------------------------------------------------------- */

/* Every length of every type, and a messageLength that is not true: nothing reads or writes beyond
 * the end (the sanitizers look), and nothing malformed leaves. */
static void transparent_forwards_nothing_malformed(void **state)
{
    static const enum mt_ptp_type types[] = {
        MT_PTP_SYNC,       MT_PTP_DELAY_REQ,
        MT_PTP_PDELAY_REQ, MT_PTP_PDELAY_RESP,
        MT_PTP_FOLLOW_UP,  MT_PTP_DELAY_RESP,
        MT_PTP_ANNOUNCE,   MT_PTP_SIGNALING,
        MT_PTP_MANAGEMENT, MT_PTP_PDELAY_RESP_FOLLOW_UP,
    };
    (void)state;
    tc_start(2, 64);
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        uint8_t octets[100];
        const struct mt_ptp_message message = tc_message(types[i], 7, &tc_gm);
        size_t length = mt_ptp_write(&message, octets, sizeof octets);
        for (size_t cut = 0; cut < length; cut++) {
            uint8_t exact[100];
            memcpy(exact, octets, cut);
            assert_true(tc_rx_octets(1, exact, cut, true) <= MT_VERDICT_FIELD);
            exact[2] = 0;
            exact[3] = (uint8_t)cut; /* short, and says so */
            assert_true(tc_rx_octets(1, exact, cut, true) <= MT_VERDICT_FIELD);
        }
        octets[3]++;
        tc_rx_octets(1, octets, length, true);
    }
    assert_int_equal(tc_bench.frame_count, 0);
    assert_int_equal(tc_count(FORWARDED), 0);
}

static void transparent_forwards_no_event_without_timestamp(void **state)
{
    uint8_t octets[44];
    const struct mt_ptp_message message = tc_message(MT_PTP_SYNC, 7, &tc_gm);
    (void)state;
    tc_start(2, 64);
    mt_ptp_write(&message, octets, sizeof octets);
    assert_int_equal(tc_rx_octets(1, octets, sizeof octets, false), MT_VERDICT_NO_TIMESTAMP);
    assert_int_equal(tc_bench.frame_count, 0);
}

static void transparent_forwards_nothing_of_its_own_identity(void **state)
{
    (void)state;
    tc_start(2, 64);
    tc_gm.clock = tc_bench.config.identity;
    assert_int_equal(tc_sync(1, 7, MT_PTP_TWO_STEP), MT_VERDICT_OWN);
    assert_int_equal(tc_bench.frame_count, 0);
}

static void transparent_keeps_answers_to_itself(void **state)
{
    (void)state;
    tc_start(2, 64);
    tc_requester.clock = tc_bench.config.identity;
    tc_delay_resp(1, 7);
    struct mt_ptp_message message = tc_message(MT_PTP_MANAGEMENT, 7, &tc_gm);
    message.body.management.target = tc_requester;
    tc_rx(1, &message);
    assert_int_equal(tc_bench.frame_count, 0);
    memset(&message.body.management.target, 0xFF, sizeof message.body.management.target);
    tc_rx(1, &message); /* but what is for all goes on */
    assert_int_equal(bench_count(&tc_bench, 2, MT_PTP_MANAGEMENT), 1);
}

static void transparent_forwards_once_when_a_frame_comes_again(void **state)
{
    (void)state;
    tc_start(3, 64);
    tc_sync(1, 7, MT_PTP_TWO_STEP);
    assert_int_equal(tc_sync(2, 7, MT_PTP_TWO_STEP), MT_VERDICT_STALE); /* round a loop */
    tc_sync(1, 7, MT_PTP_TWO_STEP);                                     /* doubled by the network */
    assert_int_equal(bench_count(&tc_bench, 0, MT_PTP_SYNC), 2);
    assert_int_equal(tc_count(DUPLICATE), 2);
    tc_follow_up(2, 7); /* of the Sync that was not forwarded */
    tc_follow_up(1, 7);
    tc_wait(10);
    tc_stamp(2, MT_PTP_SYNC);
    tc_stamp(3, MT_PTP_SYNC);
    assert_int_equal(bench_count(&tc_bench, 0, MT_PTP_FOLLOW_UP), 2);
    tc_wait(MT_TRANSPARENT_HOLD_NS); /* a sender that begins again is no loop for ever */
    tc_sync(1, 7, MT_PTP_TWO_STEP);
    assert_int_equal(bench_count(&tc_bench, 0, MT_PTP_SYNC), 4);
}

static void transparent_forwards_all_domains_unless_told_otherwise(void **state)
{
    (void)state;
    for (unsigned keeps = 0; keeps < 2; keeps++) {
        struct mt_ptp_message message;
        tc_config.keeps_to_domain = keeps != 0;
        tc_start(2, 64);
        message = tc_message(MT_PTP_SYNC, 7, &tc_gm);
        message.header.domain = 44;
        message.header.flags = MT_PTP_TWO_STEP;
        tc_rx(1, &message);
        assert_int_equal(bench_count(&tc_bench, 2, MT_PTP_SYNC), !keeps);
        message.header.domain = 0; /* the same otherwise */
        tc_rx(1, &message);
        assert_int_equal(bench_count(&tc_bench, 2, MT_PTP_SYNC), 2 - keeps);
        message.header.sdo_id = 0x100; /* 802.1AS ends at each link */
        tc_rx(1, &message);
        assert_int_equal(bench_count(&tc_bench, 2, MT_PTP_SYNC), 2 - keeps);
    }
    tc_config.keeps_to_domain = false;
}

static void transparent_forwards_no_unicast_message(void **state)
{
    (void)state;
    tc_start(2, 64);
    tc_sync(1, 7, MT_PTP_TWO_STEP | MT_PTP_UNICAST);
    assert_int_equal(tc_bench.frame_count, 0);
    assert_int_equal(tc_count(UNICAST), 1);
}

static void transparent_leaves_out_ports_whose_link_is_down(void **state)
{
    (void)state;
    tc_start(3, 64);
    bench_link(&tc_bench, 2, false);
    tc_sync(1, 7, MT_PTP_TWO_STEP);
    assert_int_equal(bench_count(&tc_bench, 2, MT_PTP_SYNC), 0);
    assert_int_equal(bench_count(&tc_bench, 3, MT_PTP_SYNC), 1);
    assert_int_equal(tc_sync(2, 8, MT_PTP_TWO_STEP), MT_VERDICT_DISABLED);
    assert_int_equal(bench_count(&tc_bench, 0, MT_PTP_SYNC), 1);
}

/* ---- limits ---------------------------------------------------------------------------------- */

static void transparent_gives_up_the_oldest_when_the_table_is_full(void **state)
{
    (void)state;
    tc_start(2, 4);
    tc_sync(1, 1, MT_PTP_TWO_STEP);
    uint32_t oldest = tc_token(2, MT_PTP_SYNC);
    for (uint16_t sequence = 2; sequence <= 5; sequence++) {
        tc_sync(1, sequence, MT_PTP_TWO_STEP);
    }
    assert_int_equal(tc_count(GIVEN_UP), 1);
    const struct mt_stamp stamp = bench_stamp(&tc_bench);
    mt_instance_tx_done(&tc_bench.instance, oldest, &stamp, tc_bench.now);
    assert_int_equal(bench_counter(&tc_bench, 1, MT_COUNT_TX_STAMP_UNKNOWN), 1);
    tc_stamp(2, MT_PTP_SYNC); /* of 5 */
    tc_follow_up(1, 5);       /* takes the place of 2 */
    assert_int_equal(bench_count(&tc_bench, 2, MT_PTP_FOLLOW_UP), 1);
    tc_follow_up(1, 1);
    assert_int_equal(bench_count(&tc_bench, 2, MT_PTP_FOLLOW_UP), 1);
    assert_int_equal(tc_count(GIVEN_UP), 3);
}

static void transparent_forgets_without_a_count_when_time_is_over(void **state)
{
    (void)state;
    tc_start(2, 4);
    for (uint16_t sequence = 1; sequence <= 12; sequence++) {
        tc_delay_req(2, sequence); /* nobody answers */
        tc_wait(MT_TRANSPARENT_HOLD_NS / 2);
    }
    assert_int_equal(tc_count(GIVEN_UP), 0);
    tc_follow_up(1, 1); /* without a Sync */
    for (uint16_t sequence = 1; sequence <= 4; sequence++) {
        tc_wait(MT_TRANSPARENT_HOLD_NS);
        tc_delay_req(2, sequence);
    }
    assert_int_equal(tc_count(UNMATCHED), 1);
    assert_int_equal(tc.held, 0);
}

static void transparent_counts_what_is_longer_than_its_room(void **state)
{
    uint8_t octets[1600] = {0};
    const struct mt_ptp_message message = tc_message(MT_PTP_SIGNALING, 7, &tc_gm);
    (void)state;
    tc_start(2, 64);
    mt_ptp_write(&message, octets, sizeof octets);
    octets[2] = 1548 >> 8;
    octets[3] = 1548 & 0xFF;
    octets[44] = 0x7F;
    octets[46] = 1500 >> 8;
    octets[47] = 1500 & 0xFF;
    tc_rx_octets(1, octets, 1548, false);
    assert_int_equal(tc_bench.frame_count, 0);
    assert_int_equal(tc_count(TOO_LONG), 1);
}

static void transparent_drops_what_does_not_fit_into_the_callers_buffer(void **state)
{
    uint8_t buffer[44];
    struct mt_tx tx;
    uint8_t octets[64];
    const struct mt_ptp_message message = announce(1);
    (void)state;
    tc_start(2, 64);
    size_t length = mt_ptp_write(&message, octets, sizeof octets);
    mt_instance_rx(&tc_bench.instance, 1, octets, length, NULL, NULL, tc_bench.now);
    assert_false(mt_instance_next_tx(&tc_bench.instance, buffer, sizeof buffer, &tx));
    assert_int_equal(bench_counter(&tc_bench, 2, MT_COUNT_TX_DROPPED), 1);
    assert_int_equal(tc.queued, 0);
}

/* ---- the clock itself ------------------------------------------------------------------------ */

static void transparent_follows_the_transmitter_and_sends_its_own_requests(void **state)
{
    (void)state;
    tc_start(3, 64);
    follow(2);
    tc_sync(2, 7, MT_PTP_TWO_STEP);
    tc_follow_up(2, 7);
    assert_int_equal(bench_event_count(&tc_bench, MT_EVENT_SAMPLE), 1);
    tc_bench.holds_stamps = false;
    bench_pass(&tc_bench, BENCH_S(2.5));
    assert_true(bench_count(&tc_bench, 2, MT_PTP_DELAY_REQ) >= 1);
    assert_int_equal(bench_count(&tc_bench, 1, MT_PTP_DELAY_REQ), 0);
    assert_int_equal(bench_count(&tc_bench, 0, MT_PTP_ANNOUNCE), 0);
    const struct bench_frame *request = bench_newest(&tc_bench, 2, MT_PTP_DELAY_REQ, 0);
    tc_requester = request->message.header.source;
    tc_delay_resp(2, request->message.header.sequence);
    assert_int_equal(bench_event_count(&tc_bench, MT_EVENT_SAMPLE), 2);
    assert_int_equal(bench_count(&tc_bench, 0, MT_PTP_DELAY_RESP), 0);
}

static void transparent_keeps_to_the_tree_when_asked(void **state)
{
    struct mt_ptp_message message;
    (void)state;
    tc_config.follows_tree = true;
    tc_start(3, 64);
    message = announce(50);
    tc_rx(1, &message); /* nobody is followed yet */
    assert_int_equal(tc_bench.frame_count, 0);
    assert_int_equal(tc_count(BLOCKED), 1);
    follow(1);
    message = announce(60);
    tc_rx(1, &message);
    assert_int_equal(bench_count(&tc_bench, 0, MT_PTP_ANNOUNCE), 2);
    assert_int_equal(
        bench_newest(&tc_bench, 3, MT_PTP_ANNOUNCE, 0)->message.body.announce.steps_removed, 4);
    tc_sync(1, 7, MT_PTP_TWO_STEP);
    assert_int_equal(bench_count(&tc_bench, 0, MT_PTP_SYNC), 2);
    tc_sync(2, 8, MT_PTP_TWO_STEP); /* against the tree */
    assert_int_equal(bench_count(&tc_bench, 0, MT_PTP_SYNC), 2);
    tc_delay_req(2, 9);
    assert_int_equal(bench_count(&tc_bench, 0, MT_PTP_DELAY_REQ), 1);
    assert_int_equal(bench_count(&tc_bench, 1, MT_PTP_DELAY_REQ), 1);
    tc_config.follows_tree = false;
}

/* Another way to the same grandmaster is on port 2: what goes out there would come back. */
static void transparent_is_silent_where_the_tree_is_closed(void **state)
{
    (void)state;
    tc_config.follows_tree = true;
    tc_start(3, 64);
    follow(1);
    for (uint16_t i = 0; i < 3; i++) {
        struct mt_ptp_message message = announce((uint16_t)(200 + i));
        message.header.source.clock = bench_identity(5); /* below ours: it is ours to yield */
        message.body.announce.steps_removed = 4;
        tc_rx(2, &message);
    }
    bench_clear(&tc_bench);
    tc_sync(1, 7, MT_PTP_TWO_STEP);
    assert_int_equal(bench_count(&tc_bench, 2, MT_PTP_SYNC), 0);
    assert_int_equal(bench_count(&tc_bench, 3, MT_PTP_SYNC), 1);
    tc_config.follows_tree = false;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(transparent_changes_no_octet_when_it_forwards_general_messages),
        cmocka_unit_test(transparent_changes_only_the_correction_of_a_follow_up_with_tlvs),
        cmocka_unit_test(transparent_drops_padding_when_it_is_behind_the_message),
        cmocka_unit_test(transparent_forwards_nothing_malformed),
        cmocka_unit_test(transparent_forwards_no_event_without_timestamp),
        cmocka_unit_test(transparent_forwards_nothing_of_its_own_identity),
        cmocka_unit_test(transparent_keeps_answers_to_itself),
        cmocka_unit_test(transparent_forwards_once_when_a_frame_comes_again),
        cmocka_unit_test(transparent_forwards_all_domains_unless_told_otherwise),
        cmocka_unit_test(transparent_forwards_no_unicast_message),
        cmocka_unit_test(transparent_leaves_out_ports_whose_link_is_down),
        cmocka_unit_test(transparent_gives_up_the_oldest_when_the_table_is_full),
        cmocka_unit_test(transparent_forgets_without_a_count_when_time_is_over),
        cmocka_unit_test(transparent_counts_what_is_longer_than_its_room),
        cmocka_unit_test(transparent_drops_what_does_not_fit_into_the_callers_buffer),
        cmocka_unit_test(transparent_follows_the_transmitter_and_sends_its_own_requests),
        cmocka_unit_test(transparent_keeps_to_the_tree_when_asked),
        cmocka_unit_test(transparent_is_silent_where_the_tree_is_closed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
