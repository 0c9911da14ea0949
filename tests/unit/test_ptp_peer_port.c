/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * A port with a peer: how it answers, what it makes of Sync and Delay_Req, and the mechanisms
 * that it can use.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "peer_bench.h"

/* ---- responder ------------------------------------------------------------------------------- */

static void ptp_peer_port_answers_in_two_steps_when_it_is_asked(void **state)
{
    assert_int_equal(request_from(STRANGER, 77, 5 * 65536), MT_VERDICT_ACCEPTED);
    const struct bench_frame *response = bench_newest(&bench, 1, MT_PTP_PDELAY_RESP, 0);
    const struct bench_frame *follow_up = bench_newest(&bench, 1, MT_PTP_PDELAY_RESP_FOLLOW_UP, 0);
    const struct mt_ptp_timestamp now = timestamp(local_ns());
    assert_int_equal(response->tx.destination, MT_TO_PEER);
    assert_int_equal(response->message.header.sequence, 77);
    assert_int_equal(response->message.header.flags, MT_PTP_TWO_STEP);
    assert_int_equal(response->message.header.correction.q16, 0);
    assert_int_equal(response->message.body.response.at.s, now.s);
    assert_int_equal(response->message.body.response.requester.clock.octet[7], STRANGER);
    assert_int_equal(follow_up->message.header.sequence, 77);
    assert_int_equal(follow_up->message.header.correction.q16, 5 * 65536);
    assert_int_equal(follow_up->message.body.response.at.ns, now.ns);
    assert_false(follow_up->tx.is_event);
}

static void ptp_peer_port_sends_fractions_with_the_sign_of_1588(void **state)
{
    uint8_t buffer[MT_PTP_MESSAGE_MAX];
    const struct mt_ptp_message request = {.header = {.type = MT_PTP_PDELAY_REQ,
                                                      .sdo_id = far_end.config.sdo_id,
                                                      .source = {bench_identity(STRANGER), 1}}};
    struct mt_stamp stamp = bench_stamp(&bench);
    stamp.at.frac = 300;
    size_t length = mt_ptp_write(&request, buffer, sizeof buffer);
    mt_instance_rx(&bench.instance, 1, buffer, length, &stamp, NULL, bench.now);
    bench_drain(&bench);
    int64_t fraction = link_config.is_gptp ? 300 : -300;
    assert_int_equal(bench_newest(&bench, 1, MT_PTP_PDELAY_RESP, 0)->message.header.correction.q16,
                     fraction);
}

static void ptp_peer_port_answers_once_when_a_request_comes_twice(void **state)
{
    assert_int_equal(request_from(STRANGER, 77, 0), MT_VERDICT_ACCEPTED);
    assert_int_equal(request_from(STRANGER, 77, 0), MT_VERDICT_STALE);
    assert_int_equal(bench_count(&bench, 1, MT_PTP_PDELAY_RESP), 1);
}

static void ptp_peer_port_sends_no_follow_up_when_the_timestamp_is_lost(void **state)
{
    bench.holds_stamps = true;
    request_from(STRANGER, 77, 0);
    const struct bench_frame *response = bench_newest(&bench, 1, MT_PTP_PDELAY_RESP, 0);
    mt_instance_tx_done(&bench.instance, response->tx.token, NULL, bench.now);
    bench_drain(&bench);
    for (uint16_t i = 0; i < 20; i++) { /* nor are there places that never become free */
        assert_int_equal(request_from(STRANGER, (uint16_t)(100 + i), 0), MT_VERDICT_ACCEPTED);
    }
    assert_int_equal(bench_count(&bench, 1, MT_PTP_PDELAY_RESP_FOLLOW_UP), 0);
    assert_int_equal(bench_count(&bench, 1, MT_PTP_PDELAY_RESP), 21);
}

static void ptp_peer_port_lets_the_link_insert_when_it_is_one_step(void **state)
{
    set_up(MT_DELAY_P2P);
    link_config.is_one_step = true;
    bench.port_configs[0].egress_latency = mt_interval_from_ns(30);
    bench.port_configs[0].ingress_latency = mt_interval_from_ns(50);
    start();
    request_from(STRANGER, 77, 5 * 65536);
    const struct bench_frame *response = bench_newest(&bench, 1, MT_PTP_PDELAY_RESP, 0);
    assert_int_equal(response->message.header.flags, 0);
    assert_int_equal(response->message.body.response.at.s, 0);
    assert_int_equal(response->message.header.correction.q16, 85 * 65536);
    assert_int_equal(response->tx.insertion, MT_INSERT_RESIDENCE);
    assert_int_equal(mt_instant_to_ns(response->tx.arrival), local_ns());
    assert_int_equal(response->tx.token, 0);
    assert_int_equal(bench_count(&bench, 1, MT_PTP_PDELAY_RESP_FOLLOW_UP), 0);
}

/* Who writes into it would make its code wrong. */
static void ptp_peer_port_answers_in_two_steps_when_it_signs(void **state)
{
    set_up(MT_DELAY_P2P);
    link_config.is_one_step = true;
    more.security.spp = 1;
    start();
    request_from(STRANGER, 77, 0);
    const struct bench_frame *response = bench_newest(&bench, 1, MT_PTP_PDELAY_RESP, 0);
    assert_int_equal(response->message.header.flags, MT_PTP_TWO_STEP);
    assert_int_equal(response->tx.insertion, MT_INSERT_NOTHING);
    assert_int_equal(bench_count(&bench, 1, MT_PTP_PDELAY_RESP_FOLLOW_UP), 1);
}

/* 802.1AS knows no other answer. */
static void ptp_peer_port_answers_in_two_steps_when_it_is_gptp(void **state)
{
    const struct mt_ptp_message request = {.header = {.type = MT_PTP_PDELAY_REQ,
                                                      .sdo_id = 0x100,
                                                      .source = {bench_identity(STRANGER), 1}}};
    set_up(MT_DELAY_P2P);
    link_config.is_one_step = true;
    link_config.sdo_id = 0x100;
    bench.config.sdo_id = 0x100;
    start();
    assert_int_equal(bench_rx(&bench, 1, &request), MT_VERDICT_ACCEPTED);
    const struct bench_frame *response = bench_newest(&bench, 1, MT_PTP_PDELAY_RESP, 0);
    assert_int_equal(response->message.header.flags, MT_PTP_TWO_STEP);
    assert_int_equal(response->tx.insertion, MT_INSERT_NOTHING);
    assert_int_equal(bench_count(&bench, 1, MT_PTP_PDELAY_RESP_FOLLOW_UP), 1);
}

static void ptp_peer_port_refuses_requests_when_they_are_of_another_domain(void **state)
{
    struct mt_ptp_message request = {.header = {.type = MT_PTP_PDELAY_REQ,
                                                .domain = 3,
                                                .source = {bench_identity(STRANGER), 1}}};
    assert_int_equal(bench_rx(&bench, 1, &request), MT_VERDICT_DOMAIN);
    request.header.domain = 0;
    request.header.sdo_id = 0x200;
    assert_int_equal(bench_rx(&bench, 1, &request), MT_VERDICT_DOMAIN);
    request.header.sdo_id = 0;
    request.header.source.clock = bench.config.identity;
    assert_int_equal(bench_rx(&bench, 1, &request), MT_VERDICT_OWN);
}

/* ---- the port -------------------------------------------------------------------------------- */

static void ptp_peer_port_makes_offsets_when_the_parent_is_beyond_the_neighbour(void **state)
{
    peer_init(&peer, 3); /* a transparent clock is between */
    exchange(6, DELAY_NS);
    bench_follow(&bench, 1, &peer);
    bench_clear(&bench);
    bench_sync(&bench, 1, &peer, DELAY_NS, 700);
    assert_int_equal(bench_sample_ns(&bench, MT_SAMPLE_OFFSET), -700);
    const struct mt_sample *sample = &bench_newest_event(&bench, MT_EVENT_SAMPLE)->value.sample;
    assert_in_range(sample->delay.q16, 2 * DELAY_NS * 65536, (2 * DELAY_NS + 10) * 65536);
    bench_pass(&bench, BENCH_S(5));
    assert_int_equal(bench_count(&bench, 1, MT_PTP_DELAY_REQ), 0);
}

static void ptp_peer_port_measures_both_ways_when_the_parent_is_the_neighbour(void **state)
{
    neighbour_ahead_ns = 700;
    exchange(4, DELAY_NS);
    bench_follow(&bench, 1, &peer);
    exchange(1, DELAY_NS);
    assert_int_equal(bench_event_count(&bench, MT_EVENT_SAMPLE), 0); /* is it that clock? */
    bench_sync(&bench, 1, &peer, DELAY_NS, 700);
    assert_int_equal(bench_sample_ns(&bench, MT_SAMPLE_FORWARD), DELAY_NS - 700);
    bench_announce(&bench, 1, &peer); /* any input */
    assert_int_equal(bench_sample_ns(&bench, MT_SAMPLE_REVERSE), DELAY_NS + 700);
    bench_announce(&bench, 1, &peer);
    bench_clear(&bench);
    exchange(1, DELAY_NS);
    assert_int_equal(bench_sample_ns(&bench, MT_SAMPLE_REVERSE), DELAY_NS + 700);
    assert_false(bench.events[0].event.value.sample.is_extra);
    bench_announce(&bench, 1, &peer);
    assert_int_equal(bench_sample_ns(&bench, MT_SAMPLE_FORWARD), DELAY_NS - 700);
    assert_true(bench_newest_event(&bench, MT_EVENT_SAMPLE)->value.sample.is_extra);
    assert_int_equal(bench_event_count(&bench, MT_EVENT_SAMPLE), 2);
}

static void ptp_peer_port_counts_the_asymmetry_once_when_it_measures_both_ways(void **state)
{
    set_up(MT_DELAY_P2P);
    neighbour_ahead_ns = 0;
    bench.port_configs[0].delay_asymmetry = mt_interval_from_ns(80);
    start();
    exchange(4, DELAY_NS); /* it is symmetric: so the clock is said to be off by 80 ns */
    bench_follow(&bench, 1, &peer);
    bench_sync(&bench, 1, &peer, DELAY_NS, 0);
    exchange(1, DELAY_NS);
    assert_int_equal(bench_sample_ns(&bench, MT_SAMPLE_FORWARD), DELAY_NS - 80);
    assert_int_equal(bench_sample_ns(&bench, MT_SAMPLE_REVERSE), DELAY_NS + 80);
    bench_clear(&bench);
    bench_announce(&bench, 1, &peer); /* any input: there is room for the way back */
    assert_int_equal(bench_sample_ns(&bench, MT_SAMPLE_FORWARD), DELAY_NS - 80);
    assert_int_equal(delay_ns(), DELAY_NS);
}

static void ptp_peer_port_makes_offsets_when_the_parent_answers_with_another_clock(void **state)
{
    exchange(4, DELAY_NS);
    bench_follow(&bench, 1, &peer);
    bench_clear(&bench);
    for (unsigned i = 0; i < 3; i++) {
        exchange(1, DELAY_NS);
        bench_sync(&bench, 1, &peer, DELAY_NS, 700);
    }
    assert_int_equal(bench_sample_ns(&bench, MT_SAMPLE_OFFSET), -700);
    assert_int_equal(bench_event_count(&bench, MT_EVENT_PARENT), 1); /* an estimate begins anew */
    for (size_t i = 0; i < bench.event_count; i++) {
        assert_false(bench.events[i].event.kind == MT_EVENT_SAMPLE &&
                     bench.events[i].event.value.sample.kind == MT_SAMPLE_REVERSE);
    }
}

static void ptp_peer_port_makes_offsets_when_the_answer_is_one_step(void **state)
{
    const struct bench_frame *request = next_request();
    struct mt_ptp_message response = message_of(MT_PTP_PDELAY_RESP, NEIGHBOUR, request);
    bench_pass(&bench, TURN_NS + 2 * DELAY_NS - (bench.now.ns - request->at.ns));
    response.header.correction = mt_interval_from_ns(TURN_NS);
    bench_rx(&bench, 1, &response);
    bench_follow(&bench, 1, &peer);
    bench_sync(&bench, 1, &peer, DELAY_NS, 700);
    assert_int_equal(bench_sample_ns(&bench, MT_SAMPLE_OFFSET), -700);
}

static void ptp_peer_port_makes_no_samples_when_the_delay_is_not_known(void **state)
{
    bench_follow(&bench, 1, &peer);
    bench_sync(&bench, 1, &peer, DELAY_NS, 700);
    assert_int_equal(bench_event_count(&bench, MT_EVENT_SAMPLE), 0);
    exchange(1, DELAY_NS);
    bench_sync(&bench, 1, &peer, DELAY_NS, 700);
    assert_int_equal(bench_event_count(&bench, MT_EVENT_SAMPLE), 1);
}

static void ptp_peer_port_makes_no_samples_when_the_delay_is_in_doubt(void **state)
{
    peer_init(&peer, 3);
    exchange(10, DELAY_NS);
    bench_follow(&bench, 1, &peer);
    exchange(2, 20000); /* a longer path, perhaps: what does a Sync mean? */
    bench_sync(&bench, 1, &peer, 20000, 0);
    assert_int_equal(bench_event_count(&bench, MT_EVENT_SAMPLE), 0);
    exchange(1, 20000);
    bench_sync(&bench, 1, &peer, 20000, 0);
    assert_int_equal(bench_sample_ns(&bench, MT_SAMPLE_OFFSET), 0);
}

static void ptp_peer_port_refuses_delay_req_when_the_port_is_p2p(void **state)
{
    bench_pass(&bench, BENCH_S(20));
    const struct mt_ptp_message request = {
        .header = {.type = MT_PTP_DELAY_REQ, .source = {bench_identity(STRANGER), 1}}};
    assert_int_equal(bench_rx(&bench, 1, &request), MT_VERDICT_UNSUPPORTED);
    const struct mt_ptp_message response = {
        .header = {.type = MT_PTP_DELAY_RESP, .source = {bench_identity(STRANGER), 1}}};
    assert_int_equal(bench_rx(&bench, 1, &response), MT_VERDICT_STATE);
    assert_int_equal(bench_count(&bench, 1, MT_PTP_DELAY_RESP), 0);
}

static void ptp_peer_port_uses_no_delay_when_there_is_no_mechanism(void **state)
{
    set_up(MT_DELAY_NONE);
    more.peer = NULL;
    more.max_delay = mt_interval_from_ns(1000000);
    start();
    bench_follow(&bench, 1, &peer);
    bench_sync(&bench, 1, &peer, 4000, 0);
    assert_int_equal(bench_sample_ns(&bench, MT_SAMPLE_OFFSET), 4000);
    const struct mt_sample *sample = &bench_newest_event(&bench, MT_EVENT_SAMPLE)->value.sample;
    assert_int_equal(sample->bound.q16, 1000000 * INT64_C(65536));
    bench_pass(&bench, BENCH_S(5));
    assert_int_equal(bench_count(&bench, 1, MT_PTP_DELAY_REQ), 0);
    assert_int_equal(request_from(STRANGER, 1, 0), MT_VERDICT_UNSUPPORTED);
}

static void ptp_peer_port_begins_with_e2e_when_it_is_automatic(void **state)
{
    bench_follow(&bench, 1, &peer);
    bench_pass(&bench, BENCH_S(4));
    assert_int_equal(bench_count(&bench, 1, MT_PTP_PDELAY_REQ), 0);
    assert_true(bench_count(&bench, 1, MT_PTP_DELAY_REQ) > 0);
    bench_sync(&bench, 1, &peer, DELAY_NS, 0);
    assert_int_equal(bench_sample_ns(&bench, MT_SAMPLE_FORWARD), DELAY_NS);
}

/* Anybody can send one, and a port that nobody answers measures no delay any more. */
static void ptp_peer_port_stays_with_e2e_when_it_is_automatic_and_nobody_answers(void **state)
{
    bench_follow(&bench, 1, &peer);
    bench_clock(&bench, true, 1000);
    assert_int_equal(request_from(STRANGER, 1, 0), MT_VERDICT_ACCEPTED);
    for (unsigned i = 0; i < 20; i++) {
        bench_announce(&bench, 1, &peer);
        bench_pass(&bench, BENCH_S(1));
    }
    assert_true(bench_count(&bench, 1, MT_PTP_PDELAY_REQ) > 10);
    assert_int_equal(mt_port_delay_mechanism(&bench.ports[0]), MT_DELAY_E2E);
    assert_int_equal(bench_state(&bench, 1), MT_STATE_RECEIVER);
    bench_clear(&bench);
    bench_pass(&bench, BENCH_S(4));
    assert_true(bench_count(&bench, 1, MT_PTP_DELAY_REQ) > 0);
}

static void ptp_peer_port_changes_to_p2p_when_it_is_automatic_and_answered(void **state)
{
    bench_follow(&bench, 1, &peer);
    bench_clock(&bench, true, 1000);
    bench_clear(&bench);
    assert_int_equal(request_from(NEIGHBOUR, 1, 0), MT_VERDICT_ACCEPTED);
    assert_int_equal(bench_count(&bench, 1, MT_PTP_PDELAY_RESP_FOLLOW_UP), 1);
    assert_int_equal(bench_event_count(&bench, MT_EVENT_PARENT), 0);
    assert_int_equal(bench_state(&bench, 1), MT_STATE_RECEIVER);
    exchange(1, DELAY_NS);
    assert_int_equal(bench_event_count(&bench, MT_EVENT_PARENT), 1); /* an estimate begins anew */
    assert_int_equal(bench_state(&bench, 1), MT_STATE_UNCALIBRATED);
    bench_clear(&bench);
    exchange(3, DELAY_NS);
    assert_int_equal(bench_count(&bench, 1, MT_PTP_DELAY_REQ), 0);
    bench_announce(&bench, 1, &peer);
    bench_sync(&bench, 1, &peer, DELAY_NS, 0);
    assert_int_equal(bench_sample_ns(&bench, MT_SAMPLE_FORWARD), DELAY_NS);
    bench_link(&bench, 1, false);
    bench_link(&bench, 1, true);
    assert_int_equal(mt_port_delay_mechanism(&bench.ports[0]), MT_DELAY_E2E);
}

/* A servo leaves out the extra samples of Pdelay exchanges, but not all that come after them. */
static void ptp_peer_port_makes_regular_samples_when_it_is_automatic_and_e2e_again(void **state)
{
    neighbour_ahead_ns = 700;
    request_from(NEIGHBOUR, 1, 0);
    exchange(4, DELAY_NS);
    bench_follow(&bench, 1, &peer);
    exchange(1, DELAY_NS);
    bench_sync(&bench, 1, &peer, DELAY_NS, 700);
    exchange(1, DELAY_NS);
    bench_announce(&bench, 1, &peer); /* any input: there is room for the way back */
    assert_true(bench_newest_event(&bench, MT_EVENT_SAMPLE)->value.sample.is_extra);
    bench_link(&bench, 1, false);
    bench_link(&bench, 1, true);
    assert_int_equal(mt_port_delay_mechanism(&bench.ports[0]), MT_DELAY_E2E);
    bench_follow(&bench, 1, &peer);
    bench_clear(&bench);
    bench_sync(&bench, 1, &peer, DELAY_NS, 700);
    assert_int_equal(bench_sample_ns(&bench, MT_SAMPLE_FORWARD), DELAY_NS - 700);
    assert_false(bench_newest_event(&bench, MT_EVENT_SAMPLE)->value.sample.is_extra);
}

static void ptp_peer_port_answers_both_when_it_is_automatic_and_transmits(void **state)
{
    const struct mt_ptp_message request = {
        .header = {.type = MT_PTP_DELAY_REQ, .source = {bench_identity(STRANGER), 1}}};
    request_from(NEIGHBOUR, 1, 0);
    exchange(3, DELAY_NS);
    bench_pass(&bench, BENCH_S(10));
    assert_int_equal(bench_state(&bench, 1), MT_STATE_TRANSMITTER);
    assert_int_equal(mt_port_delay_mechanism(&bench.ports[0]), MT_DELAY_P2P);
    assert_int_equal(bench_rx(&bench, 1, &request), MT_VERDICT_ACCEPTED);
    assert_int_equal(bench_count(&bench, 1, MT_PTP_DELAY_RESP), 1);
}

static void ptp_peer_port_mixes_mechanisms_when_ports_are_of_one_clock(void **state)
{
    bench_init(&bench, 2);
    mt_peer_config_init(&link_config);
    mt_peer_init(&far_end, &link_config);
    more = (struct mt_port_more){.delay_mechanism = MT_DELAY_P2P, .peer = &far_end};
    bench.port_configs[1].more = &more;
    peer_init(&peer, NEIGHBOUR);
    bench_start(&bench);
    bench_relay(&bench, &peer);
    assert_true(bench_count(&bench, 1, MT_PTP_DELAY_REQ) > 3);
    assert_int_equal(bench_count(&bench, 1, MT_PTP_PDELAY_REQ), 0);
    assert_true(bench_count(&bench, 2, MT_PTP_PDELAY_REQ) > 3);
    const struct mt_ptp_message request = {
        .header = {.type = MT_PTP_DELAY_REQ, .source = {bench_identity(STRANGER), 1}}};
    assert_int_equal(bench_rx(&bench, 2, &request), MT_VERDICT_UNSUPPORTED);
}

static void ptp_peer_port_is_driven_by_one_port_when_it_is_shared(void **state)
{
    static struct ptp_bench other;
    struct mt_port_more reader = {
        .delay_mechanism = MT_DELAY_COMMON_P2P, .peer = &far_end, .shares_peer = true};
    set_up(MT_DELAY_COMMON_P2P);
    link_config.sdo_id = 0x200;
    start();
    bench_init(&other, 1);
    other.config.domain = 5;
    other.port_configs[0].more = &reader;
    bench_start(&other);
    const struct bench_frame *request = next_request();
    assert_int_equal(request->message.header.sdo_id, 0x200);
    int64_t request_ns = request->at.ns + BENCH_EPOCH_S * MT_NS_PER_S;
    struct mt_ptp_message response = message_of(MT_PTP_PDELAY_RESP, NEIGHBOUR, request);
    response.header.sdo_id = 0x200;
    bench_pass(&bench, TURN_NS + 2 * DELAY_NS - (local_ns() - request_ns));
    response.header.correction = mt_interval_from_ns(TURN_NS);
    assert_int_equal(bench_rx(&bench, 1, &response), MT_VERDICT_ACCEPTED);
    bench_pass(&other, BENCH_S(5));
    assert_int_equal(bench_count(&other, 1, MT_PTP_PDELAY_REQ), 0);
    assert_int_equal(mt_port_delay_mechanism(&other.ports[0]), MT_DELAY_COMMON_P2P);
    assert_int_equal(delay_ns(), DELAY_NS);
}

static void ptp_peer_port_believes_a_stored_delay_when_nothing_was_measured(void **state)
{
    set_up(MT_DELAY_P2P);
    link_config.stored_delay = mt_interval_from_ns(444);
    start();
    assert_int_equal(delay_ns(), 444);
    exchange(1, DELAY_NS);
    assert_int_equal(delay_ns(), DELAY_NS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(ptp_peer_port_answers_in_two_steps_when_it_is_asked, p2p),
        cmocka_unit_test_setup(ptp_peer_port_sends_fractions_with_the_sign_of_1588, p2p),
        cmocka_unit_test_setup(ptp_peer_port_sends_fractions_with_the_sign_of_1588, gptp),
        cmocka_unit_test_setup(ptp_peer_port_answers_once_when_a_request_comes_twice, p2p),
        cmocka_unit_test_setup(ptp_peer_port_sends_no_follow_up_when_the_timestamp_is_lost, p2p),
        cmocka_unit_test(ptp_peer_port_lets_the_link_insert_when_it_is_one_step),
        cmocka_unit_test(ptp_peer_port_answers_in_two_steps_when_it_signs),
        cmocka_unit_test(ptp_peer_port_answers_in_two_steps_when_it_is_gptp),
        cmocka_unit_test_setup(ptp_peer_port_refuses_requests_when_they_are_of_another_domain, p2p),
        cmocka_unit_test_setup(ptp_peer_port_makes_offsets_when_the_parent_is_beyond_the_neighbour,
                               p2p),
        cmocka_unit_test_setup(ptp_peer_port_measures_both_ways_when_the_parent_is_the_neighbour,
                               p2p),
        cmocka_unit_test(ptp_peer_port_counts_the_asymmetry_once_when_it_measures_both_ways),
        cmocka_unit_test_setup(
            ptp_peer_port_makes_offsets_when_the_parent_answers_with_another_clock, p2p),
        cmocka_unit_test_setup(ptp_peer_port_makes_offsets_when_the_answer_is_one_step, p2p),
        cmocka_unit_test_setup(ptp_peer_port_makes_no_samples_when_the_delay_is_not_known, p2p),
        cmocka_unit_test_setup(ptp_peer_port_makes_no_samples_when_the_delay_is_in_doubt, p2p),
        cmocka_unit_test_setup(ptp_peer_port_refuses_delay_req_when_the_port_is_p2p, p2p),
        cmocka_unit_test(ptp_peer_port_uses_no_delay_when_there_is_no_mechanism),
        cmocka_unit_test_setup(ptp_peer_port_begins_with_e2e_when_it_is_automatic, automatic),
        cmocka_unit_test_setup(ptp_peer_port_stays_with_e2e_when_it_is_automatic_and_nobody_answers,
                               automatic),
        cmocka_unit_test_setup(ptp_peer_port_changes_to_p2p_when_it_is_automatic_and_answered,
                               automatic),
        cmocka_unit_test_setup(
            ptp_peer_port_makes_regular_samples_when_it_is_automatic_and_e2e_again, automatic),
        cmocka_unit_test_setup(ptp_peer_port_answers_both_when_it_is_automatic_and_transmits,
                               automatic),
        cmocka_unit_test(ptp_peer_port_mixes_mechanisms_when_ports_are_of_one_clock),
        cmocka_unit_test(ptp_peer_port_is_driven_by_one_port_when_it_is_shared),
        cmocka_unit_test(ptp_peer_port_believes_a_stored_delay_when_nothing_was_measured),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
