/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Transparent clocks: what passes, by which ports, and what is added to it, in every order in which
 * event messages, timestamps and results can come.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "ptp_transparent_bench.h"

/* ---- Sync and Follow_Up ---------------------------------------------------------------------- */

static void transparent_forwards_sync_at_once_when_it_comes(void **state)
{
    (void)state;
    tc_start(3, 64);
    tc_sync(1, 7, MT_PTP_TWO_STEP);
    assert_int_equal(bench_count(&tc_bench, 1, MT_PTP_SYNC), 0);
    for (uint16_t port = 2; port <= 3; port++) {
        const struct bench_frame *sync = bench_newest(&tc_bench, port, MT_PTP_SYNC, 0);
        assert_true(sync->tx.token != 0);
        assert_true(sync->tx.is_event);
        assert_int_equal(sync->message.header.correction.q16, TC_CORRECTION);
        assert_true(mt_port_identity_equal(&sync->message.header.source, &tc_gm));
        assert_int_equal(sync->message.header.flags, MT_PTP_TWO_STEP);
    }
    assert_int_equal(tc_count(FORWARDED), 2);
}

/* 0: Sync, 1: Follow_Up, 2: timestamps of both ports; a timestamp never comes before its Sync */
static void transparent_adds_each_ports_residence_in_every_order(void **state)
{
    static const unsigned orders[][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}};
    (void)state;
    for (size_t order = 0; order < 3; order++) {
        tc_start(3, 64);
        for (size_t i = 0; i < 3; i++) {
            if (orders[order][i] == 0) {
                tc_sync(1, 7, MT_PTP_TWO_STEP);
            } else if (orders[order][i] == 1) {
                tc_follow_up(1, 7);
            } else {
                tc_wait(1234);
                tc_stamp(2, MT_PTP_SYNC);
                assert_int_equal(bench_count(&tc_bench, 2, MT_PTP_FOLLOW_UP), order != 1);
                assert_int_equal(bench_count(&tc_bench, 3, MT_PTP_FOLLOW_UP), 0);
                tc_wait(766);
                tc_stamp(3, MT_PTP_SYNC);
            }
        }
        assert_int_equal(tc_added(2, MT_PTP_FOLLOW_UP), 1234 * Q16);
        assert_int_equal(tc_added(3, MT_PTP_FOLLOW_UP), 2000 * Q16);
        assert_int_equal(bench_count(&tc_bench, 0, MT_PTP_FOLLOW_UP), 2);
        assert_int_equal(tc_count(HELD), order != 1);
        assert_int_equal(tc.residence.least.q16, 1234 * Q16);
        assert_int_equal(tc.residence.most.q16, 2000 * Q16);
        assert_int_equal(mt_transparent_mean_ns(&tc), 1617);
        assert_int_equal(tc.queued + tc.held + tc.awaited, 0);
    }
}

static void transparent_sends_no_follow_up_where_the_stamp_is_lost(void **state)
{
    (void)state;
    tc_start(3, 64);
    tc_sync(1, 7, MT_PTP_TWO_STEP);
    tc_follow_up(1, 7);
    tc_lose(2, MT_PTP_SYNC);
    tc_stamp(3, MT_PTP_SYNC);
    assert_int_equal(bench_count(&tc_bench, 2, MT_PTP_FOLLOW_UP), 0);
    assert_int_equal(bench_count(&tc_bench, 3, MT_PTP_FOLLOW_UP), 1);
    assert_int_equal(tc_count(STAMP_LOST), 1);
    assert_int_equal(bench_counter(&tc_bench, 2, MT_COUNT_TX_STAMP_LOST), 1);
}

static void transparent_takes_the_rate_out_of_the_residence_when_it_is_known(void **state)
{
    const struct mt_transparent_clock clock = {.scaled_rate = 219902326}; /* 100 ppm fast */
    (void)state;
    for (unsigned is_free = 0; is_free < 2; is_free++) {
        tc_config.is_free_running = is_free != 0;
        tc_start(2, 64);
        mt_transparent_set_clock(&tc, &clock);
        tc_sync(1, 7, MT_PTP_TWO_STEP);
        tc_follow_up(1, 7);
        tc_wait(10000000);
        tc_stamp(2, MT_PTP_SYNC);
        int64_t added_ns = tc_added(2, MT_PTP_FOLLOW_UP) / Q16;
        assert_in_range(added_ns, is_free ? 10000000 : 9998999, is_free ? 10000000 : 9999001);
    }
    tc_config.is_free_running = false;
}

static void transparent_sends_no_follow_up_when_the_clock_was_stepped_meanwhile(void **state)
{
    const struct mt_transparent_clock clock = {.stepped_at = 1};
    (void)state;
    tc_start(2, 64);
    tc_sync(1, 7, MT_PTP_TWO_STEP);
    tc_follow_up(1, 7);
    mt_transparent_set_clock(&tc, &clock);
    tc_stamp(2, MT_PTP_SYNC);
    assert_int_equal(bench_count(&tc_bench, 2, MT_PTP_FOLLOW_UP), 0);
    assert_int_equal(tc_count(STEPPED), 1);
    tc_bench_corrections = 1; /* and what comes after the step is right again */
    tc_sync(1, 8, MT_PTP_TWO_STEP);
    tc_follow_up(1, 8);
    tc_stamp(2, MT_PTP_SYNC);
    assert_int_equal(bench_count(&tc_bench, 2, MT_PTP_FOLLOW_UP), 1);
    tc_bench_corrections = 0;
}

static void transparent_gives_up_a_residence_beyond_reason(void **state)
{
    (void)state;
    tc_start(2, 64);
    tc_sync(1, 7, MT_PTP_TWO_STEP);
    tc_follow_up(1, 7);
    struct mt_stamp late = bench_stamp(&tc_bench);
    late.at.s += 3;
    mt_instance_tx_done(&tc_bench.instance, tc_token(2, MT_PTP_SYNC), &late, tc_bench.now);
    bench_drain(&tc_bench);
    assert_int_equal(bench_count(&tc_bench, 2, MT_PTP_FOLLOW_UP), 0);
    assert_int_equal(tc_count(STAMP_LOST), 1);
}

static void transparent_adds_latencies_and_asymmetry_where_they_belong(void **state)
{
    (void)state;
    tc_start(2, 64);
    tc_bench.ports[0].config.ingress_latency = mt_interval_from_ns(10);
    tc_bench.ports[0].config.delay_asymmetry = mt_interval_from_ns(500);
    tc_bench.ports[1].config.egress_latency = mt_interval_from_ns(3);
    tc_bench.ports[1].config.delay_asymmetry = mt_interval_from_ns(7000);
    tc_sync(1, 7, MT_PTP_TWO_STEP);
    tc_follow_up(1, 7);
    tc_wait(1000);
    tc_stamp(2, MT_PTP_SYNC);
    assert_int_equal(tc_added(2, MT_PTP_FOLLOW_UP), (1000 + 10 + 3 + 500) * Q16);
    /* a request leaves towards the transmitter by port 1: the other way round */
    tc_delay_req(2, 9);
    tc_wait(1000);
    tc_stamp(1, MT_PTP_DELAY_REQ);
    tc_delay_resp(1, 9);
    assert_int_equal(tc_added(2, MT_PTP_DELAY_RESP), (1000 - 500) * Q16);
}

static void transparent_leaves_a_correction_too_large_as_it_is(void **state)
{
    struct mt_ptp_message message = tc_message(MT_PTP_FOLLOW_UP, 7, &tc_gm);
    (void)state;
    tc_start(2, 64);
    tc_sync(1, 7, MT_PTP_TWO_STEP);
    message.header.correction = MT_INTERVAL_TOO_LARGE;
    tc_rx(1, &message);
    tc_wait(1000);
    tc_stamp(2, MT_PTP_SYNC);
    const struct bench_frame *frame = bench_newest(&tc_bench, 2, MT_PTP_FOLLOW_UP, 0);
    assert_true(mt_interval_is_too_large(frame->message.header.correction));
}

/* ---- one-step -------------------------------------------------------------------------------- */

static void transparent_turns_one_step_into_two_step(void **state)
{
    (void)state;
    tc_start(3, 64);
    tc_sync(1, 7, MT_PTP_PROFILE_SPECIFIC_1);
    const struct bench_frame *sync = bench_newest(&tc_bench, 2, MT_PTP_SYNC, 0);
    assert_int_equal(sync->message.header.flags, MT_PTP_TWO_STEP | MT_PTP_PROFILE_SPECIFIC_1);
    assert_int_equal(sync->message.header.correction.q16, TC_CORRECTION);
    tc_wait(1234);
    tc_stamp(3, MT_PTP_SYNC);
    assert_int_equal(bench_count(&tc_bench, 2, MT_PTP_FOLLOW_UP), 0);
    const struct bench_frame *made = bench_newest(&tc_bench, 3, MT_PTP_FOLLOW_UP, 0);
    assert_int_equal(made->message.header.correction.q16, 1234 * Q16);
    assert_int_equal(made->message.header.flags, MT_PTP_PROFILE_SPECIFIC_1);
    assert_int_equal(made->message.header.sequence, 7);
    assert_int_equal(made->message.header.length, 44);
    assert_int_equal(made->octets[32], 2);
    assert_true(mt_port_identity_equal(&made->message.header.source, &tc_gm));
    assert_int_equal(made->message.body.origin.s, TC_ORIGIN_S);
    assert_int_equal(made->message.body.origin.ns, TC_ORIGIN_NS);
    tc_stamp(2, MT_PTP_SYNC);
    assert_int_equal(bench_count(&tc_bench, 2, MT_PTP_FOLLOW_UP), 1);
    assert_int_equal(tc_count(CONVERTED), 1);
    /* a Follow_Up that somebody sends all the same is not believed */
    tc_follow_up(1, 7);
    assert_int_equal(bench_count(&tc_bench, 0, MT_PTP_FOLLOW_UP), 2);
}

static void transparent_keeps_one_step_where_the_link_inserts_stamps(void **state)
{
    (void)state;
    tc_config.inserting = 1u << 1; /* port 2 */
    tc_start(3, 64);
    tc_bench.ports[0].config.delay_asymmetry = mt_interval_from_ns(5);
    struct mt_instant arrival = bench_stamp(&tc_bench).at;
    tc_sync(1, 7, 0);
    const struct bench_frame *sync = bench_newest(&tc_bench, 2, MT_PTP_SYNC, 0);
    assert_int_equal(sync->message.header.flags, 0);
    assert_int_equal(sync->tx.insertion, MT_INSERT_RESIDENCE);
    assert_int_equal(sync->tx.token, 0);
    assert_true(sync->tx.is_event);
    assert_int_equal(mt_instant_compare(sync->tx.arrival, arrival), 0);
    assert_int_equal(sync->message.header.correction.q16, TC_CORRECTION + 5 * Q16);
    tc_stamp(3, MT_PTP_SYNC);
    assert_int_equal(bench_count(&tc_bench, 2, MT_PTP_FOLLOW_UP), 0);
    assert_int_equal(bench_count(&tc_bench, 3, MT_PTP_FOLLOW_UP), 1);
    /* of a two-step Sync the Follow_Up passes, and nothing is added twice */
    tc_sync(1, 8, MT_PTP_TWO_STEP);
    tc_follow_up(1, 8);
    assert_int_equal(tc_added(2, MT_PTP_FOLLOW_UP), 0);
    tc_config.inserting = 0;
}

static void transparent_believes_no_follow_up_of_a_one_step_sync(void **state)
{
    (void)state;
    tc_config.inserting = 1u << 1;
    tc_start(2, 64);
    tc_sync(1, 7, 0);
    tc_follow_up(1, 7);
    assert_int_equal(bench_count(&tc_bench, 0, MT_PTP_FOLLOW_UP), 0);
    assert_int_equal(tc_count(CONVERTED), 0);
    tc_config.inserting = 0;
}

/* The answer could take its own residence along, but not that of the request. */
static void transparent_converts_a_pdelay_answer_when_only_one_link_inserts(void **state)
{
    (void)state;
    for (unsigned both = 0; both < 2; both++) {
        tc_config.inserting = both ? 3 : 2; /* port 2, and 1 */
        tc_start(2, 64);
        tc_pdelay_req(2, 5);
        if (!both) {
            tc_wait(100);
            tc_stamp(1, MT_PTP_PDELAY_REQ);
        }
        tc_pdelay_resp(1, 5, 0);
        const struct bench_frame *answer = bench_newest(&tc_bench, 2, MT_PTP_PDELAY_RESP, 0);
        assert_int_equal(answer->message.header.flags, both ? 0 : MT_PTP_TWO_STEP);
        assert_int_equal(answer->tx.insertion, MT_INSERT_RESIDENCE);
        assert_int_equal(bench_count(&tc_bench, 2, MT_PTP_PDELAY_RESP_FOLLOW_UP), !both);
        if (!both) {
            assert_int_equal(tc_added(2, MT_PTP_PDELAY_RESP_FOLLOW_UP), 100 * Q16 - TC_CORRECTION);
        }
    }
    tc_config.inserting = 0;
}

/* ---- Delay_Req and Delay_Resp ---------------------------------------------------------------- */

static void transparent_adds_the_residence_of_a_delay_request_to_its_answer(void **state)
{
    (void)state;
    tc_start(3, 64);
    tc_delay_req(3, 9);
    assert_int_equal(bench_count(&tc_bench, 0, MT_PTP_DELAY_REQ), 2);
    tc_wait(300);
    tc_stamp(2, MT_PTP_DELAY_REQ);
    tc_wait(700);
    tc_delay_resp(1, 9); /* before the timestamp of the way that it has gone */
    assert_int_equal(bench_count(&tc_bench, 0, MT_PTP_DELAY_RESP), 0);
    tc_stamp(1, MT_PTP_DELAY_REQ);
    assert_int_equal(bench_count(&tc_bench, 0, MT_PTP_DELAY_RESP), 1);
    assert_int_equal(tc_added(3, MT_PTP_DELAY_RESP), 1000 * Q16);
}

static void transparent_forwards_no_answer_when_the_request_did_not_pass(void **state)
{
    (void)state;
    tc_start(3, 64);
    tc_delay_resp(1, 9);
    assert_int_equal(bench_count(&tc_bench, 0, MT_PTP_DELAY_RESP), 0);
    assert_int_equal(tc_count(UNMATCHED), 1);
    tc_delay_req(3, 10);
    tc_stamp(1, MT_PTP_DELAY_REQ);
    tc_delay_resp(3, 10); /* from the port of the requester: they hear each other without us */
    assert_int_equal(bench_count(&tc_bench, 0, MT_PTP_DELAY_RESP), 0);
    tc_pdelay_req(3, 11);
    tc_pdelay_resp(3, 11, MT_PTP_TWO_STEP);
    assert_int_equal(bench_count(&tc_bench, 0, MT_PTP_PDELAY_RESP), 0);
}

static void transparent_keeps_answers_apart_when_requesters_use_one_sequence(void **state)
{
    (void)state;
    tc_start(3, 64);
    tc_delay_req(2, 9);
    tc_wait(100);
    tc_stamp(1, MT_PTP_DELAY_REQ);
    tc_requester.clock = bench_identity(77);
    tc_delay_req(3, 9);
    tc_wait(50);
    tc_stamp(1, MT_PTP_DELAY_REQ);
    tc_delay_resp(1, 9);
    tc_requester.clock = bench_identity(TC_REQUESTER);
    tc_delay_resp(1, 9);
    assert_int_equal(tc_added(3, MT_PTP_DELAY_RESP), 50 * Q16);
    assert_int_equal(tc_added(2, MT_PTP_DELAY_RESP), 100 * Q16);
    assert_int_equal(bench_count(&tc_bench, 0, MT_PTP_DELAY_RESP), 2);
}

/* ---- Pdelay ---------------------------------------------------------------------------------- */

static void transparent_adds_both_residences_to_pdelay_when_end_to_end(void **state)
{
    (void)state;
    tc_start(3, 64);
    tc_pdelay_req(3, 5);
    const struct bench_frame *request = bench_newest(&tc_bench, 1, MT_PTP_PDELAY_REQ, 0);
    assert_int_equal(request->tx.destination, MT_TO_PEER);
    tc_wait(100);
    tc_stamp(1, MT_PTP_PDELAY_REQ);
    tc_pdelay_resp_follow_up(1, 5); /* overtakes */
    tc_pdelay_resp(1, 5, MT_PTP_TWO_STEP);
    assert_int_equal(bench_count(&tc_bench, 0, MT_PTP_PDELAY_RESP), 1);
    tc_wait(20);
    tc_stamp(3, MT_PTP_PDELAY_RESP);
    assert_int_equal(tc_added(3, MT_PTP_PDELAY_RESP_FOLLOW_UP), 120 * Q16);
    assert_int_equal(bench_count(&tc_bench, 0, MT_PTP_PDELAY_RESP_FOLLOW_UP), 1);
}

static void transparent_waits_for_the_requests_stamp_when_it_comes_last(void **state)
{
    (void)state;
    tc_start(2, 64);
    tc_pdelay_req(2, 5);
    tc_pdelay_resp(1, 5, MT_PTP_TWO_STEP);
    tc_pdelay_resp_follow_up(1, 5);
    tc_stamp(2, MT_PTP_PDELAY_RESP);
    assert_int_equal(bench_count(&tc_bench, 0, MT_PTP_PDELAY_RESP_FOLLOW_UP), 0);
    tc_wait(40);
    tc_stamp(1, MT_PTP_PDELAY_REQ);
    assert_int_equal(tc_added(2, MT_PTP_PDELAY_RESP_FOLLOW_UP), 40 * Q16);
}

static void transparent_turns_a_one_step_pdelay_answer_into_two_step(void **state)
{
    (void)state;
    tc_start(2, 64);
    tc_pdelay_req(2, 5);
    tc_wait(100);
    tc_stamp(1, MT_PTP_PDELAY_REQ);
    tc_pdelay_resp(1, 5, 0);
    tc_wait(20);
    tc_stamp(2, MT_PTP_PDELAY_RESP);
    const struct bench_frame *answer = bench_newest(&tc_bench, 2, MT_PTP_PDELAY_RESP, 0);
    assert_int_equal(answer->message.header.flags, MT_PTP_TWO_STEP);
    assert_int_equal(answer->message.header.correction.q16, TC_CORRECTION);
    const struct bench_frame *made = bench_newest(&tc_bench, 2, MT_PTP_PDELAY_RESP_FOLLOW_UP, 0);
    assert_int_equal(made->message.header.correction.q16, 120 * Q16);
    assert_int_equal(made->message.body.response.at.s, 0);
    assert_int_equal(made->message.body.response.at.ns, 0);
    assert_true(mt_port_identity_equal(&made->message.body.response.requester, &tc_requester));
}

/* ---- peer-to-peer ---------------------------------------------------------------------------- */

static void transparent_ends_pdelay_and_drops_delay_requests_when_peer_to_peer(void **state)
{
    (void)state;
    tc_config.is_peer_to_peer = true;
    tc_start(3, 64);
    tc_pdelay_req(2, 5);
    assert_int_equal(bench_count(&tc_bench, 2, MT_PTP_PDELAY_RESP), 1); /* it is answered here */
    assert_int_equal(bench_count(&tc_bench, 0, MT_PTP_PDELAY_REQ), 0);
    tc_delay_req(2, 9);
    tc_delay_resp(1, 9);
    assert_int_equal(tc_bench.frame_count, 1);
    assert_int_equal(bench_verdicts(&tc_bench, 2, MT_VERDICT_UNSUPPORTED), 1);
    tc_sync(1, 7, MT_PTP_TWO_STEP);
    tc_follow_up(1, 7);
    tc_wait(10);
    tc_stamp(2, MT_PTP_SYNC);
    assert_int_equal(tc_added(2, MT_PTP_FOLLOW_UP), (10 + TC_LINK_NS) * Q16);
    tc_config.is_peer_to_peer = false;
}

/* Without it, whoever is behind would be wrong by as much. */
static void transparent_forwards_no_sync_while_the_links_delay_is_not_known(void **state)
{
    (void)state;
    tc_config.is_peer_to_peer = true;
    tc_start(2, 64);
    tc_bench.ports[0].config.more = NULL;
    tc_sync(1, 7, MT_PTP_TWO_STEP);
    tc_follow_up(1, 7);
    assert_int_equal(tc_bench.frame_count, 0);
    assert_int_equal(tc_count(NO_LINK_DELAY), 1);
    tc_config.is_peer_to_peer = false;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(transparent_forwards_sync_at_once_when_it_comes),
        cmocka_unit_test(transparent_adds_each_ports_residence_in_every_order),
        cmocka_unit_test(transparent_sends_no_follow_up_where_the_stamp_is_lost),
        cmocka_unit_test(transparent_takes_the_rate_out_of_the_residence_when_it_is_known),
        cmocka_unit_test(transparent_sends_no_follow_up_when_the_clock_was_stepped_meanwhile),
        cmocka_unit_test(transparent_gives_up_a_residence_beyond_reason),
        cmocka_unit_test(transparent_adds_latencies_and_asymmetry_where_they_belong),
        cmocka_unit_test(transparent_leaves_a_correction_too_large_as_it_is),
        cmocka_unit_test(transparent_turns_one_step_into_two_step),
        cmocka_unit_test(transparent_keeps_one_step_where_the_link_inserts_stamps),
        cmocka_unit_test(transparent_believes_no_follow_up_of_a_one_step_sync),
        cmocka_unit_test(transparent_converts_a_pdelay_answer_when_only_one_link_inserts),
        cmocka_unit_test(transparent_adds_the_residence_of_a_delay_request_to_its_answer),
        cmocka_unit_test(transparent_forwards_no_answer_when_the_request_did_not_pass),
        cmocka_unit_test(transparent_keeps_answers_apart_when_requesters_use_one_sequence),
        cmocka_unit_test(transparent_adds_both_residences_to_pdelay_when_end_to_end),
        cmocka_unit_test(transparent_waits_for_the_requests_stamp_when_it_comes_last),
        cmocka_unit_test(transparent_turns_a_one_step_pdelay_answer_into_two_step),
        cmocka_unit_test(transparent_ends_pdelay_and_drops_delay_requests_when_peer_to_peer),
        cmocka_unit_test(transparent_forwards_no_sync_while_the_links_delay_is_not_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
