/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The grantor: what is asked for, what is granted, what is sent, and that the books are right.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "unicast_bench.h"

#define CLIENT 20

static struct grantor_bench g;
static struct mt_address at;

static int begin(void **state)
{
    (void)state;
    grantor_init(&g);
    at = unicast_address(CLIENT);
    return 0;
}

static int end(void **state)
{
    (void)state;
    grantor_check(&g);
    return 0;
}

static uint32_t ask(enum mt_ptp_type message, int8_t log_interval, uint32_t duration_s)
{
    return unicast_ask(&g.bench, CLIENT, &at, message, log_interval, duration_s);
}

/* ---- service --------------------------------------------------------------------------------- */

static void grantor_sends_two_step_syncs_when_granted(void **state)
{
    (void)state;
    grantor_start(&g);
    assert_int_equal(ask(MT_PTP_SYNC, -2, 60), 60);
    bench_clear(&g.bench);
    bench_pass(&g.bench, BENCH_S(10));
    assert_in_range(unicast_count(&g.bench, MT_PTP_SYNC, &at), 39, 40);
    assert_int_equal(unicast_count(&g.bench, MT_PTP_FOLLOW_UP, &at),
                     unicast_count(&g.bench, MT_PTP_SYNC, &at));
    const struct bench_frame *follow_up = bench_newest(&g.bench, 1, MT_PTP_FOLLOW_UP, 0);
    uint16_t sequence = follow_up->message.header.sequence;
    for (size_t i = 0; i < g.bench.frame_count; i++) {
        const struct bench_frame *sync = &g.bench.frames[i];
        if (sync->message.header.type == MT_PTP_SYNC && sync->tx.destination == MT_TO_ADDRESS &&
            sync->message.header.sequence == sequence) {
            assert_int_equal(sync->message.header.flags, MT_PTP_UNICAST | MT_PTP_TWO_STEP);
            assert_int_equal(sync->message.header.log_interval, MT_PTP_LOG_INTERVAL_NONE);
            assert_true(sync->tx.is_event && sync->tx.token != 0);
            assert_int_equal(follow_up->message.body.origin.s,
                             sync->at.ns / MT_NS_PER_S + BENCH_EPOCH_S);
            return;
        }
    }
    fail_msg("no Sync of that Follow_Up");
}

static void grantor_announces_at_the_granted_interval_when_granted(void **state)
{
    (void)state;
    grantor_start(&g);
    assert_int_equal(ask(MT_PTP_ANNOUNCE, 0, 60), 60);
    bench_clear(&g.bench);
    bench_pass(&g.bench, BENCH_S(10.5));
    assert_int_equal(unicast_count(&g.bench, MT_PTP_ANNOUNCE, &at), 11);
    const struct bench_frame *frame = bench_newest(&g.bench, 1, MT_PTP_ANNOUNCE, 0);
    if (frame->tx.destination != MT_TO_ADDRESS) {
        frame = bench_newest(&g.bench, 1, MT_PTP_ANNOUNCE, 1);
    }
    assert_int_equal(frame->message.header.log_interval, 0);
    assert_true((frame->message.header.flags & MT_PTP_UNICAST) != 0);
    assert_true(mt_clock_identity_equal(&frame->message.body.announce.grandmaster,
                                        &g.bench.config.identity));
    assert_false(frame->tx.is_event);
}

static void grantor_numbers_by_client_and_type_when_several_are_served(void **state)
{
    (void)state;
    const struct mt_address other = unicast_address(21);
    uint16_t newest[2] = {0};
    bool is_first[2] = {true, true};
    grantor_start(&g);
    ask(MT_PTP_SYNC, 0, 60);
    ask(MT_PTP_ANNOUNCE, 0, 60);
    unicast_ask(&g.bench, 21, &other, MT_PTP_SYNC, 0, 60);
    bench_pass(&g.bench, BENCH_S(10));
    for (size_t i = 0; i < g.bench.frame_count; i++) {
        const struct bench_frame *frame = &g.bench.frames[i];
        uint16_t sequence = frame->message.header.sequence;
        unsigned which = mt_address_equal(&frame->tx.to, &other);
        if (frame->message.header.type != MT_PTP_SYNC || frame->tx.destination != MT_TO_ADDRESS) {
            continue;
        }
        assert_true(is_first[which] || sequence == (uint16_t)(newest[which] + 1));
        newest[which] = sequence;
        is_first[which] = false;
    }
    assert_false(is_first[0] || is_first[1]);
    assert_int_not_equal(newest[0], newest[1]);
    is_first[0] = true;
    for (size_t i = 0; i < g.bench.frame_count; i++) {
        const struct bench_frame *frame = &g.bench.frames[i];
        uint16_t sequence = frame->message.header.sequence;
        if (frame->message.header.type == MT_PTP_ANNOUNCE &&
            frame->tx.destination == MT_TO_ADDRESS) {
            assert_true(is_first[0] || sequence == (uint16_t)(newest[0] + 1));
            newest[0] = sequence;
            is_first[0] = false;
        }
    }
}

static void grantor_goes_on_when_sequence_numbers_wrap(void **state)
{
    (void)state;
    grantor_start(&g);
    ask(MT_PTP_SYNC, 0, 60);
    struct mt_client *client = &g.clients[0];
    client->grants[MT_SERVICE_SYNC].sequence = 0xFFFE;
    bench_clear(&g.bench);
    bench_pass(&g.bench, BENCH_S(4.5));
    assert_in_range(unicast_count(&g.bench, MT_PTP_FOLLOW_UP, &at), 4, 5);
    assert_in_range(client->grants[MT_SERVICE_SYNC].sequence, 2, 3);
}

static void grantor_sends_no_follow_up_to_another_when_a_record_is_used_again(void **state)
{
    (void)state;
    const struct mt_address other = unicast_address(21);
    const struct mt_unicast_word cancel =
        unicast_word(MT_TLV_CANCEL_UNICAST_TRANSMISSION, MT_PTP_SYNC, 0, 0);
    g.policy.is_multicast_off = true;
    grantor_start(&g);
    ask(MT_PTP_SYNC, 0, 60);
    g.bench.holds_stamps = true;
    bench_pass(&g.bench, BENCH_S(1.1));
    uint32_t token = bench_newest(&g.bench, 1, MT_PTP_SYNC, 0)->tx.token;
    unicast_say(&g.bench, CLIENT, &at, &cancel, 1);
    unicast_ask(&g.bench, 21, &other, MT_PTP_SYNC, 0, 60);
    assert_true(mt_address_equal(&g.clients[0].address, &other)); /* the record of the first */
    const struct mt_stamp stamp = bench_stamp(&g.bench);
    mt_instance_tx_done(&g.bench.instance, token, &stamp, g.bench.now);
    bench_drain(&g.bench);
    assert_int_equal(bench_count(&g.bench, 1, MT_PTP_FOLLOW_UP), 0);
}

static void grantor_keeps_its_pace_when_renewed_often(void **state)
{
    (void)state;
    struct mt_mono before = {0};
    g.policy.is_multicast_off = true;
    grantor_start(&g);
    for (unsigned i = 0; i < 200; i++) {
        ask(MT_PTP_SYNC, 0, 60);
        bench_pass(&g.bench, BENCH_S(0.1));
    }
    assert_in_range(bench_count(&g.bench, 1, MT_PTP_SYNC), 19, 20);
    for (size_t i = 0; i < g.bench.frame_count; i++) {
        if (g.bench.frames[i].message.header.type == MT_PTP_SYNC) {
            int64_t distance_ns = g.bench.frames[i].at.ns - before.ns;
            assert_true(before.ns == 0 ||
                        (distance_ns > BENCH_S(0.997) && distance_ns < BENCH_S(1.003)));
            before = g.bench.frames[i].at;
        }
    }
}

static void grantor_counts_lost_stamps_when_the_ring_is_full(void **state)
{
    (void)state;
    grantor_start(&g);
    ask(MT_PTP_SYNC, -3, 60);
    g.bench.holds_stamps = true;
    bench_pass(&g.bench, BENCH_S(10)); /* 80 Syncs and no stamp, and 10 of multicast */
    assert_in_range(bench_counter(&g.bench, 1, MT_COUNT_TX_STAMP_LOST), 60, 86);
    assert_in_range(unicast_count(&g.bench, MT_PTP_SYNC, &at), 79, 81);
}

/* ---- the life of a grant --------------------------------------------------------------------- */

static void grantor_stops_when_the_grant_expires(void **state)
{
    (void)state;
    grantor_start(&g);
    ask(MT_PTP_SYNC, 0, 10);
    ask(MT_PTP_ANNOUNCE, 1, 10);
    ask(MT_PTP_DELAY_RESP, 0, 10);
    assert_int_equal(g.grantor.client_count, 1);
    bench_pass(&g.bench, BENCH_S(11));
    assert_in_range(unicast_count(&g.bench, MT_PTP_SYNC, &at), 9, 10);
    for (unsigned service = 0; service < MT_SERVICE_COUNT; service++) {
        assert_int_equal(g.grantor.books[service].expired, 1);
        assert_int_equal(g.grantor.books[service].active, 0);
    }
    assert_int_equal(g.grantor.client_count, 0);
    bench_clear(&g.bench);
    bench_pass(&g.bench, BENCH_S(30));
    assert_int_equal(unicast_count(&g.bench, MT_PTP_SYNC, &at), 0);
    assert_int_equal(unicast_count(&g.bench, MT_PTP_ANNOUNCE, &at), 0);
}

static void grantor_goes_on_without_a_gap_when_renewed(void **state)
{
    (void)state;
    grantor_start(&g);
    ask(MT_PTP_SYNC, 0, 10);
    for (unsigned i = 0; i < 10; i++) {
        bench_pass(&g.bench, BENCH_S(5));
        assert_int_equal(ask(MT_PTP_SYNC, 0, 10), 10);
    }
    assert_in_range(unicast_count(&g.bench, MT_PTP_SYNC, &at), 49, 51);
    assert_int_equal(g.grantor.books[MT_SERVICE_SYNC].granted, 1);
    assert_int_equal(g.grantor.books[MT_SERVICE_SYNC].renewed, 10);
}

static void grantor_changes_pace_when_renewed_with_another_interval(void **state)
{
    (void)state;
    grantor_start(&g);
    ask(MT_PTP_SYNC, 2, 60);
    bench_pass(&g.bench, BENCH_S(8));
    ask(MT_PTP_SYNC, -2, 60);
    bench_clear(&g.bench);
    bench_pass(&g.bench, BENCH_S(8));
    assert_in_range(unicast_count(&g.bench, MT_PTP_SYNC, &at), 31, 33);
}

static void grantor_stops_and_acknowledges_when_the_client_cancels(void **state)
{
    (void)state;
    struct mt_unicast_word words[MT_UNICAST_TLVS];
    const struct mt_unicast_word cancels[] = {
        unicast_word(MT_TLV_CANCEL_UNICAST_TRANSMISSION, MT_PTP_SYNC, 0, 0),
        unicast_word(MT_TLV_CANCEL_UNICAST_TRANSMISSION, MT_PTP_ANNOUNCE, 0, 0),
    };
    grantor_start(&g);
    ask(MT_PTP_SYNC, 0, 60);
    ask(MT_PTP_ANNOUNCE, 0, 60);
    bench_clear(&g.bench);
    assert_int_equal(unicast_say(&g.bench, CLIENT, &at, cancels, 2), MT_VERDICT_ACCEPTED);
    assert_int_equal(unicast_words(bench_newest(&g.bench, 1, MT_PTP_SIGNALING, 0), words), 2);
    assert_int_equal(words[0].type, MT_TLV_ACKNOWLEDGE_CANCEL_UNICAST_TRANSMISSION);
    assert_int_equal(words[0].value.message, MT_PTP_SYNC);
    assert_int_equal(words[1].value.message, MT_PTP_ANNOUNCE);
    bench_clear(&g.bench);
    bench_pass(&g.bench, BENCH_S(5));
    assert_int_equal(unicast_count(&g.bench, MT_PTP_SYNC, &at), 0);
    assert_int_equal(g.grantor.books[MT_SERVICE_SYNC].cancelled, 1);
    assert_int_equal(g.grantor.client_count, 0);
}

static void grantor_withdraws_everything_when_it_serves_no_more(void **state)
{
    (void)state;
    struct bench_peer better;
    struct mt_unicast_word words[MT_UNICAST_TLVS];
    grantor_start(&g);
    ask(MT_PTP_SYNC, 0, 600);
    ask(MT_PTP_ANNOUNCE, 0, 600);
    ask(MT_PTP_DELAY_RESP, 0, 600);
    peer_init(&better, 3);
    bench_announces(&g.bench, 1, &better, 4);
    assert_true(bench_state(&g.bench, 1) >= MT_STATE_UNCALIBRATED);
    bench_clear(&g.bench);
    bench_pass(&g.bench, BENCH_S(2));
    assert_int_equal(unicast_count(&g.bench, MT_PTP_SYNC, &at), 0);
    assert_int_equal(g.grantor.client_count, 0);
    assert_int_equal(g.grantor.books[MT_SERVICE_DELAY_RESP].withdrawn, 1);
    const struct mt_unicast_word acknowledge =
        unicast_word(MT_TLV_ACKNOWLEDGE_CANCEL_UNICAST_TRANSMISSION, MT_PTP_SYNC, 0, 0);
    (void)words;
    assert_int_equal(unicast_say(&g.bench, CLIENT, &at, &acknowledge, 1), MT_VERDICT_ACCEPTED);
    assert_int_equal(g.grantor.acknowledged, 1);
    bench_clear(&g.bench);
    assert_int_equal(ask(MT_PTP_SYNC, 0, 60), 0); /* and it denies */
}

static void grantor_says_so_in_one_message_when_it_withdraws(void **state)
{
    (void)state;
    struct bench_peer better;
    struct mt_unicast_word words[MT_UNICAST_TLVS];
    grantor_start(&g);
    ask(MT_PTP_SYNC, -1, 600);
    ask(MT_PTP_ANNOUNCE, 0, 600);
    ask(MT_PTP_DELAY_RESP, 0, 600);
    bench_clear(&g.bench);
    peer_init(&better, 3);
    bench_announces(&g.bench, 1, &better, 4);
    bench_pass(&g.bench, BENCH_S(1));
    assert_int_equal(bench_count(&g.bench, 1, MT_PTP_SIGNALING), 1);
    assert_int_equal(unicast_words(bench_newest(&g.bench, 1, MT_PTP_SIGNALING, 0), words), 3);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(words[i].type, MT_TLV_CANCEL_UNICAST_TRANSMISSION);
    }
    grantor_check(&g);
}

/* ---- policy ---------------------------------------------------------------------------------- */

static void grantor_denies_when_the_policy_says_so(void **state)
{
    (void)state;
    const struct mt_address_range allowed = {unicast_address(16), 28};
    const struct mt_address outside = unicast_address(32);
    g.policy.max_duration_s = 100;
    g.policy.shortest_log_interval[MT_SERVICE_SYNC] = -1;
    g.policy.allowed = &allowed;
    g.policy.allowed_count = 1;
    grantor_start(&g);
    assert_int_equal(ask(MT_PTP_SYNC, -2, 60), 0);
    assert_int_equal(ask(MT_PTP_SYNC, 11, 60), 0);
    assert_int_equal(ask(MT_PTP_SYNC, 0, 0), 0);
    assert_int_equal(ask(MT_PTP_PDELAY_RESP, 0, 60), 0);
    assert_int_equal(unicast_ask(&g.bench, 32, &outside, MT_PTP_SYNC, 0, 60), 0);
    assert_int_equal(g.grantor.client_count, 0);
    assert_int_equal(ask(MT_PTP_SYNC, -1, 60), 60);
    assert_int_equal(ask(MT_PTP_SYNC, -1, UINT32_MAX), 100);
    assert_int_equal(g.grantor.books[MT_SERVICE_SYNC].denied, 4);
}

static void grantor_denies_newcomers_when_full(void **state)
{
    (void)state;
    grantor_start(&g);
    for (uint8_t i = 0; i < CLIENTS; i++) {
        const struct mt_address address = unicast_address((uint8_t)(40 + i));
        assert_int_equal(unicast_ask(&g.bench, (uint8_t)(40 + i), &address, MT_PTP_SYNC, 0, 60),
                         60);
    }
    assert_int_equal(ask(MT_PTP_SYNC, 0, 60), 0);
    const struct mt_address first = unicast_address(40);
    assert_int_equal(unicast_ask(&g.bench, 40, &first, MT_PTP_SYNC, 0, 60), 60);
    bench_pass(&g.bench, BENCH_S(61));
    assert_int_equal(g.grantor.client_count, 0);
    assert_int_equal(ask(MT_PTP_SYNC, 0, 60), 60);
}

static void grantor_denies_more_clients_when_an_address_has_its_share(void **state)
{
    (void)state;
    g.policy.max_per_address = 2;
    grantor_start(&g);
    assert_int_equal(unicast_ask(&g.bench, 40, &at, MT_PTP_SYNC, 0, 60), 60);
    assert_int_equal(unicast_ask(&g.bench, 41, &at, MT_PTP_SYNC, 0, 60), 60);
    assert_int_equal(unicast_ask(&g.bench, 42, &at, MT_PTP_SYNC, 0, 60), 0);
    assert_int_equal(unicast_ask(&g.bench, 41, &at, MT_PTP_ANNOUNCE, 0, 60), 60);
}

/* ---- Signaling ------------------------------------------------------------------------------- */

static void grantor_answers_in_order_when_asked_for_several(void **state)
{
    (void)state;
    static const enum mt_ptp_type types[] = {MT_PTP_ANNOUNCE, MT_PTP_SYNC, MT_PTP_DELAY_RESP};
    grantor_start(&g);
    for (unsigned first = 0; first < 3; first++) {
        for (unsigned second = 0; second < 3; second++) {
            struct mt_unicast_word asked[3];
            struct mt_unicast_word said[MT_UNICAST_TLVS];
            if (first == second) {
                continue;
            }
            const unsigned order[] = {first, second, 3 - first - second};
            for (unsigned i = 0; i < 3; i++) {
                asked[i] =
                    unicast_word(MT_TLV_REQUEST_UNICAST_TRANSMISSION, types[order[i]], 0, 60 + i);
            }
            bench_clear(&g.bench);
            unicast_say(&g.bench, CLIENT, &at, asked, 3);
            assert_int_equal(bench_count(&g.bench, 1, MT_PTP_SIGNALING), 1);
            assert_int_equal(unicast_words(bench_newest(&g.bench, 1, MT_PTP_SIGNALING, 0), said),
                             3);
            for (unsigned i = 0; i < 3; i++) {
                assert_int_equal(said[i].value.message, types[order[i]]);
                assert_int_equal(said[i].value.duration_s, 60 + i);
                assert_int_equal(said[i].value.flags, 1);
            }
        }
    }
}

static void grantor_sends_no_more_than_it_gets_when_flooded_with_words(void **state)
{
    (void)state;
    struct mt_unicast_word asked[16];
    grantor_start(&g);
    for (unsigned i = 0; i < 16; i++) {
        asked[i] = unicast_word(MT_TLV_REQUEST_UNICAST_TRANSMISSION, MT_PTP_ANNOUNCE, 0, 60);
    }
    unicast_say(&g.bench, CLIENT, &at, asked, 16);
    assert_int_equal(bench_count(&g.bench, 1, MT_PTP_SIGNALING), 1);
    assert_true(bench_newest(&g.bench, 1, MT_PTP_SIGNALING, 0)->tx.length <= 44 + 16 * 10);
    bench_pass(&g.bench, BENCH_S(0.01));
    assert_int_equal(unicast_count(&g.bench, MT_PTP_ANNOUNCE, &at), 1);
}

static void grantor_keeps_silent_when_the_message_is_not_for_it(void **state)
{
    (void)state;
    uint8_t tlvs[32];
    const struct mt_unicast_word word =
        unicast_word(MT_TLV_REQUEST_UNICAST_TRANSMISSION, MT_PTP_SYNC, 0, 60);
    struct mt_ptp_message message = {
        .header = {.type = MT_PTP_SIGNALING,
                   .flags = MT_PTP_UNICAST,
                   .source = {bench_identity(CLIENT), 1}},
        .body.target = {bench_identity(9), 1},
        .tlvs = tlvs,
        .tlvs_length = mt_tlv_write_unicast(MT_TLV_REQUEST_UNICAST_TRANSMISSION, &word.value, tlvs,
                                            sizeof tlvs),
    };
    grantor_start(&g);
    unicast_rx(&g.bench, &message, &at);
    message.body.target = (struct mt_port_identity){bench_identity(8), 2};
    unicast_rx(&g.bench, &message, &at);
    message.body.target.port = 1;
    message.header.domain = 1;
    unicast_rx(&g.bench, &message, &at);
    message.header.domain = 0;
    message.header.flags = 0;
    unicast_rx(&g.bench, &message, &at);
    message.header.flags = MT_PTP_UNICAST;
    unicast_rx(&g.bench, &message, NULL);
    assert_int_equal(bench_count(&g.bench, 1, MT_PTP_SIGNALING), 0);
    assert_int_equal(g.grantor.books[MT_SERVICE_SYNC].requested, 0);
    unicast_rx(&g.bench, &message, &at);
    assert_int_equal(g.grantor.books[MT_SERVICE_SYNC].granted, 1);
}

static void grantor_keeps_grants_when_cancelled_by_a_stranger(void **state)
{
    (void)state;
    const struct mt_address elsewhere = unicast_address(99);
    const struct mt_unicast_word cancel =
        unicast_word(MT_TLV_CANCEL_UNICAST_TRANSMISSION, MT_PTP_SYNC, 0, 0);
    grantor_start(&g);
    ask(MT_PTP_SYNC, 0, 60);
    unicast_say(&g.bench, CLIENT, &elsewhere, &cancel, 1);
    unicast_say(&g.bench, 77, &at, &cancel, 1);
    assert_int_equal(g.grantor.books[MT_SERVICE_SYNC].active, 1);
}

/* ---- Delay_Req ------------------------------------------------------------------------------- */

static enum mt_verdict delay_req(uint16_t sequence, uint16_t flags)
{
    const struct mt_ptp_message message = {
        .header = {.type = MT_PTP_DELAY_REQ,
                   .flags = flags,
                   .sequence = sequence,
                   .correction = {5 * 65536},
                   .source = {bench_identity(CLIENT), 1}},
    };
    return unicast_rx(&g.bench, &message, &at);
}

static void grantor_answers_delay_req_to_its_sender_when_granted(void **state)
{
    (void)state;
    const struct mt_clock_identity client = bench_identity(CLIENT);
    g.policy.answers_all = false;
    grantor_start(&g);
    assert_int_equal(delay_req(1, MT_PTP_UNICAST), MT_VERDICT_UNSUPPORTED);
    assert_int_equal(g.grantor.delay_req_denied, 1);
    ask(MT_PTP_DELAY_RESP, 0, 60);
    assert_int_equal(delay_req(2, MT_PTP_UNICAST), MT_VERDICT_ACCEPTED);
    assert_int_equal(delay_req(2, MT_PTP_UNICAST), MT_VERDICT_STALE);
    assert_int_equal(bench_count(&g.bench, 1, MT_PTP_DELAY_RESP), 1);
    const struct bench_frame *frame = bench_newest(&g.bench, 1, MT_PTP_DELAY_RESP, 0);
    assert_int_equal(frame->tx.destination, MT_TO_ADDRESS);
    assert_true(mt_address_equal(&frame->tx.to, &at));
    assert_int_equal(frame->tx.to.udp_port, 0);
    assert_int_equal(frame->message.header.sequence, 2);
    assert_int_equal(frame->message.header.correction.q16, 5 * 65536);
    assert_int_equal(frame->message.header.log_interval, MT_PTP_LOG_INTERVAL_NONE);
    assert_true(mt_clock_identity_equal(&frame->message.body.response.requester.clock, &client));
    assert_int_equal(delay_req(3, 0), MT_VERDICT_ACCEPTED); /* multicast: to everybody */
    assert_int_equal(bench_newest(&g.bench, 1, MT_PTP_DELAY_RESP, 0)->tx.destination, MT_TO_ALL);
}

static void grantor_answers_anybody_when_hybrid(void **state)
{
    (void)state;
    g.policy.negotiates = false;
    grantor_start(&g);
    assert_int_equal(delay_req(1, MT_PTP_UNICAST), MT_VERDICT_ACCEPTED);
    assert_int_equal(bench_newest(&g.bench, 1, MT_PTP_DELAY_RESP, 0)->tx.destination,
                     MT_TO_ADDRESS);
    const struct mt_unicast_word word =
        unicast_word(MT_TLV_REQUEST_UNICAST_TRANSMISSION, MT_PTP_SYNC, 0, 60);
    assert_int_equal(unicast_say(&g.bench, CLIENT, &at, &word, 1), MT_VERDICT_UNSUPPORTED);
}

/* ---- others ---------------------------------------------------------------------------------- */

static void grantor_keeps_off_multicast_when_told_to(void **state)
{
    (void)state;
    g.policy.is_multicast_off = true;
    grantor_start(&g);
    ask(MT_PTP_SYNC, 0, 60);
    bench_clear(&g.bench);
    bench_pass(&g.bench, BENCH_S(10));
    assert_int_equal(bench_count(&g.bench, 1, MT_PTP_SYNC),
                     unicast_count(&g.bench, MT_PTP_SYNC, &at));
    assert_int_equal(bench_count(&g.bench, 1, MT_PTP_ANNOUNCE), 0);
    assert_int_equal(delay_req(1, 0), MT_VERDICT_UNSUPPORTED);
}

static void grantor_serves_static_clients_when_nobody_asks(void **state)
{
    (void)state;
    g.policy.negotiates = false;
    g.policy.answers_all = false;
    assert_true(mt_grantor_add_static(&g.grantor, &at, 1, 0));
    assert_false(mt_grantor_add_static(&g.grantor, &at, 1, 0));
    grantor_start(&g);
    bench_pass(&g.bench, BENCH_S(100));
    assert_in_range(unicast_count(&g.bench, MT_PTP_SYNC, &at), 99, 101);
    assert_in_range(unicast_count(&g.bench, MT_PTP_ANNOUNCE, &at), 49, 51);
    assert_int_equal(delay_req(1, MT_PTP_UNICAST), MT_VERDICT_ACCEPTED);
    g.grantor.books[MT_SERVICE_SYNC].requested++; /* it never asked */
    g.grantor.books[MT_SERVICE_ANNOUNCE].requested++;
}

static void address_is_within_when_its_first_bits_agree(void **state)
{
    (void)state;
    struct mt_address_range range = {unicast_address(0x90), 28};
    for (unsigned last = 0; last < 256; last++) {
        const struct mt_address address = unicast_address((uint8_t)last);
        assert_int_equal(mt_address_is_within(&address, &range, 1), last / 16 == 9);
    }
    range.prefix_bits = 128;
    range.address.network = MT_NETWORK_UDP_IPV6;
    assert_false(mt_address_is_within(&at, &range, 1));
    assert_true(mt_address_is_within(&range.address, &range, 1));
    range.prefix_bits = 0;
    range.address.network = MT_NETWORK_UDP_IPV4;
    assert_true(mt_address_is_within(&at, &range, 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
        TEST(grantor_sends_two_step_syncs_when_granted),
        TEST(grantor_announces_at_the_granted_interval_when_granted),
        TEST(grantor_numbers_by_client_and_type_when_several_are_served),
        TEST(grantor_goes_on_when_sequence_numbers_wrap),
        TEST(grantor_sends_no_follow_up_to_another_when_a_record_is_used_again),
        TEST(grantor_keeps_its_pace_when_renewed_often),
        TEST(grantor_counts_lost_stamps_when_the_ring_is_full),
        TEST(grantor_stops_when_the_grant_expires),
        TEST(grantor_goes_on_without_a_gap_when_renewed),
        TEST(grantor_changes_pace_when_renewed_with_another_interval),
        TEST(grantor_stops_and_acknowledges_when_the_client_cancels),
        TEST(grantor_withdraws_everything_when_it_serves_no_more),
        TEST(grantor_says_so_in_one_message_when_it_withdraws),
        TEST(grantor_denies_when_the_policy_says_so),
        TEST(grantor_denies_newcomers_when_full),
        TEST(grantor_denies_more_clients_when_an_address_has_its_share),
        TEST(grantor_answers_in_order_when_asked_for_several),
        TEST(grantor_sends_no_more_than_it_gets_when_flooded_with_words),
        TEST(grantor_keeps_silent_when_the_message_is_not_for_it),
        TEST(grantor_keeps_grants_when_cancelled_by_a_stranger),
        TEST(grantor_answers_delay_req_to_its_sender_when_granted),
        TEST(grantor_answers_anybody_when_hybrid),
        TEST(grantor_keeps_off_multicast_when_told_to),
        TEST(grantor_serves_static_clients_when_nobody_asks),
        TEST(address_is_within_when_its_first_bits_agree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
