/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The requester of Pdelay: when it asks, what it makes of the answers, who counts as the
 * neighbour, and asCapable.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "peer_bench.h"

/* ---- requester ------------------------------------------------------------------------------- */

static void ptp_peer_asks_when_the_port_only_listens(void **state)
{
    const struct bench_frame *request = next_request();
    assert_int_equal(bench_state(&bench, 1), MT_STATE_LISTENING);
    assert_int_equal(request->tx.destination, MT_TO_PEER);
    assert_true(request->tx.is_event);
    assert_int_equal(request->message.header.log_interval, MT_PTP_LOG_INTERVAL_NONE);
    bench_pass(&bench, BENCH_S(10));
    assert_int_equal(bench_count(&bench, 1, MT_PTP_PDELAY_REQ), 11);
    assert_int_equal(count_of(MT_PEER_COUNT_SENT_REQ), 11);
}

static void ptp_peer_names_its_interval_when_it_is_gptp(void **state)
{
    assert_int_equal(next_request()->message.header.log_interval, 0);
    mt_peer_set_interval(&far_end, -2);
    assert_int_equal(next_request()->message.header.log_interval, -2);
}

static void ptp_peer_asks_when_the_port_transmits(void **state)
{
    bench_pass(&bench, BENCH_S(20));
    assert_int_equal(bench_state(&bench, 1), MT_STATE_TRANSMITTER);
    bench_clear(&bench);
    bench_pass(&bench, BENCH_S(10));
    assert_int_equal(bench_count(&bench, 1, MT_PTP_PDELAY_REQ), 10);
}

static void ptp_peer_is_silent_when_the_link_is_down(void **state)
{
    exchange(5, DELAY_NS);
    bench_link(&bench, 1, false);
    bench_clear(&bench);
    bench_pass(&bench, BENCH_S(10));
    assert_int_equal(bench_count(&bench, 0, MT_PTP_PDELAY_REQ), 0);
    assert_false(report().has_delay); /* it may be plugged elsewhere */
    assert_false(report().has_identity);
    bench_link(&bench, 1, true);
    exchange(1, DELAY_NS);
    assert_int_equal(delay_ns(), DELAY_NS);
}

static void ptp_peer_keeps_the_interval_when_it_is_another(void **state)
{
    set_up(MT_DELAY_P2P);
    link_config.log_request_interval = -3;
    start();
    bench_pass(&bench, BENCH_S(1.1));
    bench_clear(&bench);
    bench_pass(&bench, BENCH_S(10));
    assert_int_equal(bench_count(&bench, 1, MT_PTP_PDELAY_REQ), 80);
    mt_peer_set_interval(&far_end, MT_PEER_INTERVAL_STOP);
    bench_pass(&bench, BENCH_S(1));
    bench_clear(&bench);
    bench_pass(&bench, BENCH_S(10));
    assert_int_equal(bench_count(&bench, 1, MT_PTP_PDELAY_REQ), 0);
}

static void ptp_peer_asks_at_once_more_often_when_the_interval_becomes_shorter(void **state)
{
    set_up(MT_DELAY_P2P);
    link_config.log_request_interval = 4;
    start();
    bench_pass(&bench, BENCH_S(20));
    bench_clear(&bench);
    mt_peer_set_interval(&far_end, 0);
    bench_pass(&bench, BENCH_S(4));
    assert_in_range(bench_count(&bench, 1, MT_PTP_PDELAY_REQ), 3, 4);
}

static void ptp_peer_measures_the_link_when_the_answer_is_two_step(void **state)
{
    assert_int_equal(answer(NEIGHBOUR, next_request(), DELAY_NS, 0, 0), MT_VERDICT_ACCEPTED);
    assert_int_equal(delay_ns(), DELAY_NS);
    assert_true(report().has_identity);
    assert_int_equal(report().identity.clock.octet[7], NEIGHBOUR);
    assert_int_equal(count_of(MT_PEER_COUNT_EXCHANGES), 1);
}

static void ptp_peer_measures_the_link_when_the_answer_is_one_step(void **state)
{
    const struct bench_frame *request = next_request();
    struct mt_ptp_message response = message_of(MT_PTP_PDELAY_RESP, NEIGHBOUR, request);
    bench_pass(&bench, TURN_NS + 2 * DELAY_NS - (bench.now.ns - request->at.ns));
    response.header.correction = mt_interval_from_ns(TURN_NS);
    assert_int_equal(bench_rx(&bench, 1, &response), MT_VERDICT_ACCEPTED);
    assert_int_equal(delay_ns(), DELAY_NS);
}

static void ptp_peer_measures_the_link_when_the_follow_up_comes_first(void **state)
{
    const struct bench_frame *request = next_request();
    struct mt_ptp_message response = message_of(MT_PTP_PDELAY_RESP, NEIGHBOUR, request);
    struct mt_ptp_message follow_up = message_of(MT_PTP_PDELAY_RESP_FOLLOW_UP, NEIGHBOUR, request);
    int64_t request_ns = request->at.ns + BENCH_EPOCH_S * MT_NS_PER_S;
    response.header.flags = MT_PTP_TWO_STEP;
    response.body.response.at = timestamp(request_ns + DELAY_NS);
    follow_up.body.response.at = timestamp(request_ns + DELAY_NS + TURN_NS);
    bench_pass(&bench, TURN_NS + 2 * DELAY_NS - 100 - (bench.now.ns - request->at.ns));
    assert_int_equal(bench_rx(&bench, 1, &follow_up), MT_VERDICT_ACCEPTED);
    assert_false(report().has_delay);
    bench_pass(&bench, 100);
    assert_int_equal(bench_rx(&bench, 1, &response), MT_VERDICT_ACCEPTED);
    assert_int_equal(delay_ns(), DELAY_NS);
}

/* a transparent clock on the way, or fractions: 1588 subtracts both */
static void ptp_peer_subtracts_both_corrections_when_it_is_1588(void **state)
{
    answer(NEIGHBOUR, next_request(), DELAY_NS, 100 * 65536, 40 * 65536);
    assert_int_equal(delay_ns(), DELAY_NS - 70);
}

static void ptp_peer_adds_the_first_correction_when_it_is_gptp(void **state)
{
    answer(NEIGHBOUR, next_request(), DELAY_NS, 100 * 65536, 40 * 65536);
    assert_int_equal(delay_ns(), DELAY_NS + 30);
}

static void ptp_peer_measures_the_mean_when_the_link_is_asymmetric(void **state)
{
    set_up(MT_DELAY_P2P);
    bench.port_configs[0].delay_asymmetry = mt_interval_from_ns(80);
    start();
    assert_int_equal(next_request()->message.header.correction.q16, -80 * 65536);
    exchange(1, DELAY_NS);
    assert_int_equal(delay_ns(), DELAY_NS);
}

static void ptp_peer_counts_latencies_when_they_are_configured(void **state)
{
    set_up(MT_DELAY_P2P);
    bench.port_configs[0].egress_latency = mt_interval_from_ns(30);
    bench.port_configs[0].ingress_latency = mt_interval_from_ns(50);
    start();
    exchange(1, DELAY_NS);
    assert_int_equal(delay_ns(), DELAY_NS - 40);
}

static void ptp_peer_corrects_the_turnaround_when_the_neighbour_runs_faster(void **state)
{
    for (unsigned i = 0; i < 8; i++) { /* answers are 100 ms behind, 100 ppm of that is 10 us */
        const struct bench_frame *request = next_request();
        struct mt_ptp_message response = message_of(MT_PTP_PDELAY_RESP, NEIGHBOUR, request);
        struct mt_ptp_message follow_up =
            message_of(MT_PTP_PDELAY_RESP_FOLLOW_UP, NEIGHBOUR, request);
        int64_t since_ns = request->at.ns;
        response.header.flags = MT_PTP_TWO_STEP;
        response.body.response.at = timestamp(since_ns + DELAY_NS + since_ns / 10000);
        bench_pass(&bench, BENCH_S(0.1) - (bench.now.ns - request->at.ns));
        bench_rx(&bench, 1, &response);
        since_ns = bench.now.ns - DELAY_NS;
        follow_up.body.response.at = timestamp(since_ns + since_ns / 10000);
        bench_rx(&bench, 1, &follow_up);
    }
    assert_in_range(delay_ns(), DELAY_NS - 2, DELAY_NS + 2);
    assert_true(report().has_rate_ratio);
    assert_in_range((int64_t)report().rate_ratio * 1000000 / (INT64_C(1) << 41), 99, 100);
}

static void ptp_peer_does_not_use_the_exchange_when_its_timestamp_is_lost(void **state)
{
    bench.holds_stamps = true;
    const struct bench_frame *request = next_request();
    mt_instance_tx_done(&bench.instance, request->tx.token, NULL, bench.now);
    answer(NEIGHBOUR, request, DELAY_NS, 0, 0);
    assert_false(report().has_delay);
    assert_int_equal(bench_state(&bench, 1), MT_STATE_LISTENING);
    assert_int_equal(count_of(MT_PEER_COUNT_STAMP_LOST), 1);
    bench.holds_stamps = false;
    exchange(1, DELAY_NS);
    assert_int_equal(delay_ns(), DELAY_NS);
    assert_int_equal(count_of(MT_PEER_COUNT_UNANSWERED), 0);
}

static void ptp_peer_measures_the_link_when_the_timestamp_comes_last(void **state)
{
    bench.holds_stamps = true;
    const struct bench_frame *request = next_request();
    struct mt_stamp departure = {
        mt_instant_from_ns(request->at.ns + BENCH_EPOCH_S * MT_NS_PER_S, MT_SCALE_TAI), 0};
    uint32_t token = request->tx.token;
    answer(NEIGHBOUR, request, DELAY_NS, 0, 0);
    assert_false(report().has_delay);
    mt_instance_tx_done(&bench.instance, token, &departure, bench.now);
    assert_int_equal(delay_ns(), DELAY_NS);
}

static void ptp_peer_ignores_answers_when_they_are_to_others(void **state)
{
    struct bench_frame request = *next_request();
    request.message.header.source.clock = bench_identity(9);
    assert_int_equal(answer(NEIGHBOUR, &request, DELAY_NS, 0, 0), MT_VERDICT_ACCEPTED);
    request = *bench_newest(&bench, 1, MT_PTP_PDELAY_REQ, 0);
    request.message.header.sequence += 100;
    assert_int_equal(answer(NEIGHBOUR, &request, DELAY_NS, 0, 0), MT_VERDICT_NOT_REQUESTED);
    assert_false(report().has_delay);
}

static void ptp_peer_counts_what_is_lost_when_nobody_answers(void **state)
{
    exchange(5, DELAY_NS);
    bench_pass(&bench, BENCH_S(20.5));
    assert_in_range(count_of(MT_PEER_COUNT_UNANSWERED), 19, 20);
    assert_int_equal(delay_ns(), DELAY_NS); /* the link is still as long */
    assert_true(report().is_as_capable);
}

static void ptp_peer_leaves_a_step_out_when_the_clock_is_stepped_in_an_exchange(void **state)
{
    exchange(8, DELAY_NS);
    const struct bench_frame *request = next_request();
    bench.holds_stamps = true;
    struct mt_ptp_message response = message_of(MT_PTP_PDELAY_RESP, NEIGHBOUR, request);
    struct mt_ptp_message follow_up = message_of(MT_PTP_PDELAY_RESP_FOLLOW_UP, NEIGHBOUR, request);
    uint8_t buffer[MT_PTP_MESSAGE_MAX];
    response.header.flags = MT_PTP_TWO_STEP;
    response.body.response.at = timestamp(local_ns());
    follow_up.body.response.at = timestamp(local_ns());
    struct mt_stamp stamp = bench_stamp(&bench);
    stamp.corrections = 1;
    stamp.at.s += 3;
    size_t length = mt_ptp_write(&response, buffer, sizeof buffer);
    mt_instance_rx(&bench.instance, 1, buffer, length, &stamp, NULL, bench.now);
    bench_rx(&bench, 1, &follow_up);
    assert_int_equal(count_of(MT_PEER_COUNT_REFUSED), 1);
    assert_int_equal(delay_ns(), DELAY_NS);
    assert_false(report().is_in_doubt);
}

/* ---- several stations ------------------------------------------------------------------------ */

static void ptp_peer_stays_with_its_neighbour_when_a_stranger_answers_too(void **state)
{
    exchange(6, DELAY_NS);
    for (unsigned i = 0; i < 3; i++) {
        const struct bench_frame *request = next_request();
        struct mt_ptp_message stray = message_of(MT_PTP_PDELAY_RESP, STRANGER, request);
        assert_int_equal(bench_rx(&bench, 1, &stray),
                         MT_VERDICT_ACCEPTED); /* before the real one */
        answer(NEIGHBOUR, request, DELAY_NS, 0, 0);
        assert_int_equal(delay_ns(), DELAY_NS);
    }
    assert_int_equal(count_of(MT_PEER_COUNT_EXCHANGES), 9); /* the stranger's half gave way */
    exchange(1, DELAY_NS);
    assert_int_equal(report().identity.clock.octet[7], NEIGHBOUR);
    assert_false(report().has_several);
    assert_int_equal(count_of(MT_PEER_COUNT_SEVERAL), 3);
    assert_int_equal(bench_counter(&bench, 1, MT_COUNT_TX_DROPPED), 0);
}

static void ptp_peer_tells_no_delay_when_several_answer_again_and_again(void **state)
{
    exchange(6, DELAY_NS);
    for (unsigned i = 0; i < 5; i++) {
        const struct bench_frame *request = next_request();
        struct mt_ptp_message second = message_of(MT_PTP_PDELAY_RESP, STRANGER, request);
        answer(NEIGHBOUR, request, DELAY_NS, 0, 0);
        bench_rx(&bench, 1, &second);
    }
    next_request();
    assert_true(report().has_several);
    assert_false(report().has_delay);
    assert_int_equal(bench_state(&bench, 1), MT_STATE_TRANSMITTER); /* and not FAULTY */
    exchange(2, DELAY_NS);
    assert_int_equal(delay_ns(), DELAY_NS);
}

static void ptp_peer_takes_another_neighbour_when_only_that_one_answers(void **state)
{
    exchange(6, DELAY_NS);
    answer(STRANGER, next_request(), 900, 0, 0);
    assert_int_equal(delay_ns(), DELAY_NS);
    answer(STRANGER, next_request(), 900, 0, 0);
    assert_int_equal(delay_ns(), DELAY_NS);
    answer(STRANGER, next_request(), 900, 0, 0);
    assert_int_equal(report().identity.clock.octet[7], STRANGER);
    assert_int_equal(delay_ns(), 900);
    assert_int_equal(count_of(MT_PEER_COUNT_CHANGED), 1);
}

/* ---- asCapable ------------------------------------------------------------------------------- */

static void ptp_peer_is_capable_when_delay_and_rate_are_known(void **state)
{
    assert_false(report().is_as_capable);
    exchange(1, DELAY_NS);
    assert_false(report().is_as_capable);
    exchange(1, DELAY_NS);
    assert_true(report().is_as_capable);
}

static void ptp_peer_is_not_capable_when_the_delay_is_too_long(void **state)
{
    exchange(10, 801);
    assert_false(report().is_as_capable);
    exchange(30, 799);
    assert_true(report().is_as_capable);
}

static void ptp_peer_is_not_capable_when_answers_are_lost(void **state)
{
    exchange(4, DELAY_NS);
    bench_pass(&bench, BENCH_S(3.5));
    assert_true(report().is_as_capable); /* three are allowed */
    bench_pass(&bench, BENCH_S(1.5));
    assert_false(report().is_as_capable);
    assert_false(report().has_rate_ratio);
    exchange(1, DELAY_NS);
    assert_false(report().is_as_capable);
    exchange(1, DELAY_NS);
    assert_true(report().is_as_capable);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(ptp_peer_asks_when_the_port_only_listens, p2p),
        cmocka_unit_test_setup(ptp_peer_names_its_interval_when_it_is_gptp, gptp),
        cmocka_unit_test_setup(ptp_peer_asks_when_the_port_transmits, p2p),
        cmocka_unit_test_setup(ptp_peer_is_silent_when_the_link_is_down, p2p),
        cmocka_unit_test(ptp_peer_asks_at_once_more_often_when_the_interval_becomes_shorter),
        cmocka_unit_test(ptp_peer_keeps_the_interval_when_it_is_another),
        cmocka_unit_test_setup(ptp_peer_measures_the_link_when_the_answer_is_two_step, p2p),
        cmocka_unit_test_setup(ptp_peer_measures_the_link_when_the_answer_is_one_step, p2p),
        cmocka_unit_test_setup(ptp_peer_measures_the_link_when_the_answer_is_one_step, gptp),
        cmocka_unit_test_setup(ptp_peer_measures_the_link_when_the_follow_up_comes_first, p2p),
        cmocka_unit_test_setup(ptp_peer_subtracts_both_corrections_when_it_is_1588, p2p),
        cmocka_unit_test_setup(ptp_peer_adds_the_first_correction_when_it_is_gptp, gptp),
        cmocka_unit_test(ptp_peer_measures_the_mean_when_the_link_is_asymmetric),
        cmocka_unit_test(ptp_peer_counts_latencies_when_they_are_configured),
        cmocka_unit_test_setup(ptp_peer_corrects_the_turnaround_when_the_neighbour_runs_faster,
                               p2p),
        cmocka_unit_test_setup(ptp_peer_does_not_use_the_exchange_when_its_timestamp_is_lost, p2p),
        cmocka_unit_test_setup(ptp_peer_measures_the_link_when_the_timestamp_comes_last, p2p),
        cmocka_unit_test_setup(ptp_peer_ignores_answers_when_they_are_to_others, p2p),
        cmocka_unit_test_setup(ptp_peer_counts_what_is_lost_when_nobody_answers, p2p),
        cmocka_unit_test_setup(ptp_peer_leaves_a_step_out_when_the_clock_is_stepped_in_an_exchange,
                               p2p),
        cmocka_unit_test_setup(ptp_peer_stays_with_its_neighbour_when_a_stranger_answers_too, p2p),
        cmocka_unit_test_setup(ptp_peer_tells_no_delay_when_several_answer_again_and_again, p2p),
        cmocka_unit_test_setup(ptp_peer_takes_another_neighbour_when_only_that_one_answers, p2p),
        cmocka_unit_test_setup(ptp_peer_is_capable_when_delay_and_rate_are_known, gptp),
        cmocka_unit_test_setup(ptp_peer_is_not_capable_when_the_delay_is_too_long, gptp),
        cmocka_unit_test_setup(ptp_peer_is_not_capable_when_answers_are_lost, gptp),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
