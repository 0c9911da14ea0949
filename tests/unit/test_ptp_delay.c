/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What is measured: Sync and Follow_Up, Delay_Req and Delay_Resp, their corrections, latencies,
 * asymmetry and fractions, the spacing of requests, and transmit timestamps that come late, twice
 * or never.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ptp_bench.h"

static struct ptp_bench bench;
static struct bench_peer peer;

static int receiving(void **state)
{
    bench_init(&bench, 1);
    bench_start(&bench);
    peer_init(&peer, 1);
    bench_follow(&bench, 1, &peer);
    return 0;
}

static int holding_stamps(void **state)
{
    receiving(state);
    bench.holds_stamps = true;
    return 0;
}

/* ---- the peer's side of an exchange ---------------------------------------------------------- */

static struct mt_ptp_message header_of(enum mt_ptp_type type, uint16_t sequence, int64_t q16)
{
    return (struct mt_ptp_message){.header = {.type = type,
                                              .source = peer.identity,
                                              .sequence = sequence,
                                              .correction = {q16},
                                              .log_interval = MT_PTP_LOG_INTERVAL_NONE}};
}

static enum mt_verdict sync(uint16_t sequence, bool is_two_step, int64_t origin_ns,
                            int64_t correction_q16)
{
    struct mt_ptp_message message = header_of(MT_PTP_SYNC, sequence, correction_q16);
    message.header.flags = is_two_step ? MT_PTP_TWO_STEP : 0;
    message.body.origin = (struct mt_ptp_timestamp){(uint64_t)(origin_ns / MT_NS_PER_S),
                                                    (uint32_t)(origin_ns % MT_NS_PER_S)};
    return bench_rx(&bench, 1, &message);
}

static enum mt_verdict follow_up(uint16_t sequence, int64_t origin_ns, int64_t correction_q16)
{
    struct mt_ptp_message message = header_of(MT_PTP_FOLLOW_UP, sequence, correction_q16);
    message.body.origin = (struct mt_ptp_timestamp){(uint64_t)(origin_ns / MT_NS_PER_S),
                                                    (uint32_t)(origin_ns % MT_NS_PER_S)};
    return bench_rx(&bench, 1, &message);
}

static int64_t local_ns(void)
{
    return mt_instant_to_ns(bench_stamp(&bench).at);
}

/* Waits for the next Delay_Req, the parent announcing all the while. */
static const struct bench_frame *next_request(void)
{
    size_t before = bench_count(&bench, 1, MT_PTP_DELAY_REQ);
    for (unsigned i = 0; bench_count(&bench, 1, MT_PTP_DELAY_REQ) == before; i++) {
        assert_true(i < 1000000);
        bench_pass(&bench, BENCH_S(0.001));
        if (i % 2000 == 0) {
            bench_announce(&bench, 1, &peer);
        }
    }
    return bench_newest(&bench, 1, MT_PTP_DELAY_REQ, 0);
}

static struct mt_ptp_message response_to(const struct bench_frame *request, int64_t at_ns,
                                         int64_t correction_q16)
{
    struct mt_ptp_message message =
        header_of(MT_PTP_DELAY_RESP, request->message.header.sequence, correction_q16);
    message.body.response.requester = request->message.header.source;
    message.body.response.at =
        (struct mt_ptp_timestamp){(uint64_t)(at_ns / MT_NS_PER_S), (uint32_t)(at_ns % MT_NS_PER_S)};
    return message;
}

static enum mt_verdict respond(const struct bench_frame *request, int64_t at_ns,
                               int64_t correction_q16)
{
    const struct mt_ptp_message message = response_to(request, at_ns, correction_q16);
    return bench_rx(&bench, 1, &message);
}

static struct mt_sample newest_sample(void)
{
    return bench_newest_event(&bench, MT_EVENT_SAMPLE)->value.sample;
}

static int64_t q16_of(int64_t ns)
{
    return ns * 65536;
}

/* ---- forward --------------------------------------------------------------------------------- */

static void ptp_delay_measures_forward_when_sync_is_two_step(void **state)
{
    sync(5, true, 0, q16_of(100));
    assert_int_equal(bench_event_count(&bench, MT_EVENT_SAMPLE), 0);
    follow_up(5, local_ns() - 5000, q16_of(200));
    assert_int_equal(bench_sample_ns(&bench, MT_SAMPLE_FORWARD), 4700);
    assert_int_equal(mt_instant_to_ns(newest_sample().local.at), local_ns());
}

static void ptp_delay_measures_forward_when_follow_up_comes_first(void **state)
{
    int64_t departure_ns = local_ns() - 5000;
    follow_up(5, departure_ns, q16_of(200));
    bench_pass(&bench, 1000);
    sync(5, true, 0, q16_of(100));
    assert_int_equal(bench_sample_ns(&bench, MT_SAMPLE_FORWARD), 5700);
}

static void ptp_delay_measures_forward_when_sync_is_one_step(void **state)
{
    sync(5, false, local_ns() - 5000, q16_of(100));
    assert_int_equal(bench_sample_ns(&bench, MT_SAMPLE_FORWARD), 4900);
    sync(6, false, local_ns() - 7000, q16_of(100));
    assert_int_equal(bench_sample_ns(&bench, MT_SAMPLE_FORWARD), 6900);
    assert_int_equal(bench_counter(&bench, 1, MT_COUNT_SAMPLES), 2);
}

static void ptp_delay_measures_a_clock_of_1970_when_the_offset_is_decades(void **state)
{
    sync(5, true, 0, 0);
    follow_up(5, 1700000000 * (int64_t)MT_NS_PER_S, 0);
    assert_int_equal(newest_sample().value.s,
                     mt_instant_to_ns(bench_stamp(&bench).at) / MT_NS_PER_S - 1700000000);
}

static void ptp_delay_pairs_by_sequence_when_a_half_is_lost(void **state)
{
    sync(5, true, 0, 0); /* its Follow_Up is lost */
    sync(6, true, 0, 0);
    follow_up(6, local_ns() - 600, 0);
    follow_up(7, local_ns() - 700, 0); /* its Sync is lost */
    sync(8, true, 0, 0);
    follow_up(8, local_ns() - 800, 0);
    assert_int_equal(bench_counter(&bench, 1, MT_COUNT_SAMPLES), 2);
    assert_int_equal(bench_sample_ns(&bench, MT_SAMPLE_FORWARD), 800);
    assert_int_equal(bench_counter(&bench, 1, MT_COUNT_SYNC_UNMATCHED), 2);
}

/* The one that was overtaken comes last and must not push the newer out. */
static void ptp_delay_keeps_the_newer_half_when_an_older_comes_late(void **state)
{
    sync(6, true, 0, 0);
    assert_int_equal(sync(5, true, 0, 0), MT_VERDICT_STALE);
    follow_up(6, local_ns() - 600, 0);
    assert_int_equal(bench_sample_ns(&bench, MT_SAMPLE_FORWARD), 600);
    follow_up(8, local_ns() - 800, 0);
    assert_int_equal(follow_up(7, local_ns() - 700, 0), MT_VERDICT_STALE);
    sync(8, true, 0, 0);
    assert_int_equal(bench_sample_ns(&bench, MT_SAMPLE_FORWARD), 800);
    assert_int_equal(sync(6, true, 0, 0), MT_VERDICT_STALE);
}

static void ptp_delay_goes_on_when_the_parents_sequence_starts_again(void **state)
{
    bench_sync(&bench, 1, &peer, 500, 0);
    peer.sync_sequence = 40000;
    bench_sync(&bench, 1, &peer, 500, 0);
    peer.sync_sequence = 0;
    bench_sync(&bench, 1, &peer, 500, 0);
    peer.sync_sequence = 20000;
    bench_sync(&bench, 1, &peer, 500, 0);
    peer.sync_sequence = 3;
    bench_sync(&bench, 1, &peer, 500, 0);
    assert_int_equal(bench_counter(&bench, 1, MT_COUNT_SAMPLES), 5);
}

/* ---- reverse --------------------------------------------------------------------------------- */

static void ptp_delay_measures_reverse_when_answered(void **state)
{
    const struct bench_frame *request = next_request();
    int64_t sent_ns = local_ns() - (bench.now.ns - request->at.ns);
    assert_int_equal(respond(request, sent_ns + 9000, q16_of(300)), MT_VERDICT_ACCEPTED);
    assert_int_equal(bench_sample_ns(&bench, MT_SAMPLE_REVERSE), 8700);
    assert_int_equal(mt_instant_to_ns(newest_sample().local.at), sent_ns);
    assert_int_equal(request->message.header.log_interval, MT_PTP_LOG_INTERVAL_NONE);
    assert_int_equal(request->message.header.correction.q16, 0);
}

static void ptp_delay_measures_reverse_when_the_timestamp_comes_after_the_answer(void **state)
{
    const struct bench_frame *request = next_request();
    struct mt_stamp stamp = bench_stamp(&bench);
    stamp.corrections = 7;
    respond(request, mt_instant_to_ns(stamp.at) + 9000, 0);
    assert_int_equal(bench_event_count(&bench, MT_EVENT_SAMPLE), 0);
    bench_pass(&bench, BENCH_S(0.01));
    mt_instance_tx_done(&bench.instance, request->tx.token, &stamp, bench.now);
    bench_drain(&bench);
    assert_int_equal(bench_sample_ns(&bench, MT_SAMPLE_REVERSE), 9000);
    assert_int_equal(newest_sample().local.corrections, 7);
}

static void ptp_delay_loses_one_exchange_when_its_timestamp_is_lost(void **state)
{
    const struct bench_frame *request = next_request();
    mt_instance_tx_done(&bench.instance, request->tx.token, NULL, bench.now);
    assert_int_equal(bench_counter(&bench, 1, MT_COUNT_TX_STAMP_LOST), 1);
    assert_int_equal(respond(request, local_ns(), 0), MT_VERDICT_NOT_REQUESTED);
    assert_int_equal(bench_state(&bench, 1), MT_STATE_UNCALIBRATED);
    request = next_request();
    const struct mt_stamp stamp = bench_stamp(&bench);
    mt_instance_tx_done(&bench.instance, request->tx.token, &stamp, bench.now);
    respond(request, local_ns() + 400, 0);
    assert_int_equal(bench_sample_ns(&bench, MT_SAMPLE_REVERSE), 400);
}

static void ptp_delay_counts_unknown_when_a_token_is_used_up_or_invented(void **state)
{
    const struct bench_frame *request = next_request();
    const struct mt_stamp stamp = bench_stamp(&bench);
    const uint32_t strange[] = {0, request->tx.token + 1, UINT32_MAX};
    mt_instance_tx_done(&bench.instance, request->tx.token, &stamp, bench.now);
    mt_instance_tx_done(&bench.instance, request->tx.token, &stamp, bench.now);
    assert_int_equal(bench_counter(&bench, 1, MT_COUNT_TX_STAMP_UNKNOWN), 1);
    for (unsigned i = 0; i < 3; i++) {
        mt_instance_tx_done(&bench.instance, strange[i], &stamp, bench.now);
    }
    assert_int_equal(bench_counter(&bench, 1, MT_COUNT_TX_STAMP_UNKNOWN), 4);
    respond(request, local_ns() + 400, 0);
    assert_int_equal(bench_counter(&bench, 1, MT_COUNT_SAMPLES), 1);
    mt_instance_tx_done(&bench.instance, request->tx.token, &stamp, bench.now);
    assert_int_equal(bench_counter(&bench, 1, MT_COUNT_TX_STAMP_UNKNOWN), 5);
    assert_int_equal(bench_counter(&bench, 1, MT_COUNT_SAMPLES), 1);
}

static void ptp_delay_counts_the_oldest_unanswered_when_too_many_are_under_way(void **state)
{
    const struct bench_frame *oldest = next_request();
    for (unsigned i = 1; i < MT_DELAY_OUTSTANDING; i++) {
        next_request();
    }
    assert_int_equal(bench_counter(&bench, 1, MT_COUNT_DELAY_UNANSWERED), 0);
    assert_int_equal(respond(oldest, local_ns(), 0), MT_VERDICT_ACCEPTED);
    next_request();
    next_request();
    assert_int_equal(bench_counter(&bench, 1, MT_COUNT_DELAY_UNANSWERED), 1);
}

static void ptp_delay_counts_the_timestamp_lost_when_only_the_answer_came(void **state)
{
    bench.holds_stamps = true;
    for (unsigned i = 0; i < MT_DELAY_OUTSTANDING; i++) {
        respond(next_request(), local_ns(), 0);
    }
    assert_int_equal(bench_counter(&bench, 1, MT_COUNT_TX_STAMP_LOST), 0);
    next_request();
    assert_int_equal(bench_counter(&bench, 1, MT_COUNT_TX_STAMP_LOST), 1);
    assert_int_equal(bench_counter(&bench, 1, MT_COUNT_DELAY_UNANSWERED), 0);
}

/* A path of 50 ms with 64 requests a second: several are under way at once. */
static void ptp_delay_measures_every_exchange_when_the_path_is_longer_than_the_interval(
    void **state)
{
    bench.port_configs[0].log_min_delay_req_interval = -5;
    bench_start(&bench);
    bench_follow(&bench, 1, &peer);
    size_t answered = 0;
    for (unsigned ms = 0; ms < 4000; ms++) {
        bench_pass(&bench, BENCH_S(0.001));
        if (ms % 1000 == 0) {
            bench_announce(&bench, 1, &peer);
        }
        while (answered < bench_count(&bench, 1, MT_PTP_DELAY_REQ)) {
            size_t behind = bench_count(&bench, 1, MT_PTP_DELAY_REQ) - 1 - answered;
            const struct bench_frame *request = bench_newest(&bench, 1, MT_PTP_DELAY_REQ, behind);
            if (bench.now.ns < request->at.ns + BENCH_S(0.05)) {
                break;
            }
            answered++;
            if (respond(request, local_ns() - 20, 0) == MT_VERDICT_ACCEPTED) {
                assert_in_range(bench_sample_ns(&bench, MT_SAMPLE_REVERSE), BENCH_S(0.05) - 20,
                                BENCH_S(0.051));
            }
        }
    }
    assert_true(bench_counter(&bench, 1, MT_COUNT_SAMPLES) > 100);
    assert_true(bench_counter(&bench, 1, MT_COUNT_DELAY_UNANSWERED) <
                bench_counter(&bench, 1, MT_COUNT_SAMPLES) / 10);
}

/* The network doubles the answer before the timestamp of the request is there. */
static void ptp_delay_takes_the_first_answer_when_two_come_before_the_timestamp(void **state)
{
    const struct bench_frame *request = next_request();
    const struct mt_stamp stamp = bench_stamp(&bench);
    assert_int_equal(respond(request, local_ns() + 400, 0), MT_VERDICT_ACCEPTED);
    assert_int_equal(respond(request, local_ns() + 900, 0), MT_VERDICT_NOT_REQUESTED);
    mt_instance_tx_done(&bench.instance, request->tx.token, &stamp, bench.now);
    bench_drain(&bench);
    assert_int_equal(bench_sample_ns(&bench, MT_SAMPLE_REVERSE), 400);
    assert_int_equal(bench_counter(&bench, 1, MT_COUNT_SAMPLES), 1);
}

/* ---- spacing --------------------------------------------------------------------------------- */

/* The gaps of some 4000 requests: all in (0, 2 x], mean x, spread like a uniform one. */
static void assert_spacing(int8_t log_interval)
{
    double interval_ns = (double)mt_log2s_to_ns(log_interval);
    double sum = 0;
    double squares = 0;
    double smallest = 1e18;
    double largest = 0;
    struct mt_mono before = next_request()->at;
    unsigned count = 4000;
    for (unsigned i = 0; i < count; i++) {
        do {
            bench_clear(&bench);
            bench.now = mt_mono_earlier(mt_instance_deadline(&bench.instance),
                                        mt_mono_plus(bench.now, BENCH_S(2)));
            mt_instance_tick(&bench.instance, bench.now);
            bench_drain(&bench);
            bench_announce(&bench, 1, &peer);
        } while (bench_count(&bench, 1, MT_PTP_DELAY_REQ) == 0);
        double gap = (double)(bench.now.ns - before.ns);
        before = bench.now;
        assert_true(gap > 0 && gap <= 2 * interval_ns + 1);
        sum += gap;
        squares += gap * gap;
        smallest = gap < smallest ? gap : smallest;
        largest = gap > largest ? gap : largest;
    }
    double mean = sum / count;
    double variance = squares / count - mean * mean;
    /* sigma of the mean is interval / sqrt(3 * 4000) = 0.9 % */
    assert_true(mean > 0.96 * interval_ns && mean < 1.04 * interval_ns);
    assert_true(variance > 0.29 * interval_ns * interval_ns &&
                variance < 0.38 * interval_ns * interval_ns);
    assert_true(smallest < 0.02 * interval_ns && largest > 1.98 * interval_ns);
}

static void ptp_delay_spreads_requests_when_nobody_asks_for_an_interval(void **state)
{
    assert_spacing(0);
}

static void ptp_delay_follows_the_interval_when_the_parent_asks_for_it(void **state)
{
    static const int8_t intervals[] = {-4, 3, MT_LOG_INTERVAL_LOWEST, 1};
    for (unsigned i = 0; i < sizeof intervals; i++) {
        struct mt_ptp_message message = response_to(next_request(), local_ns(), 0);
        message.header.log_interval = intervals[i];
        assert_int_equal(bench_rx(&bench, 1, &message), MT_VERDICT_ACCEPTED);
        next_request(); /* was due by the interval before */
        assert_spacing(intervals[i]);
    }
    assert_int_equal(bench_counter(&bench, 1, MT_COUNT_INTERVAL_REFUSED), 0);
}

static void ptp_delay_refuses_the_interval_when_it_is_hostile(void **state)
{
    static const int8_t hostile[] = {
        -128, -127, -10, MT_LOG_INTERVAL_LOWEST - 1, MT_LOG_INTERVAL_HIGHEST + 1, 22, 100, 126};
    for (unsigned i = 0; i < sizeof hostile; i++) {
        struct mt_ptp_message message = response_to(next_request(), local_ns(), 0);
        message.header.log_interval = hostile[i];
        assert_int_equal(bench_rx(&bench, 1, &message), MT_VERDICT_ACCEPTED);
        assert_int_equal(bench_counter(&bench, 1, MT_COUNT_INTERVAL_REFUSED), i + 1);
    }
    assert_int_equal(bench.ports[0].delay.log_interval, 0);
    respond(next_request(), local_ns(), 0); /* 0x7F: says nothing */
    assert_int_equal(bench_counter(&bench, 1, MT_COUNT_INTERVAL_REFUSED), sizeof hostile);
    assert_int_equal(bench_counter(&bench, 1, MT_COUNT_SAMPLES), sizeof hostile + 1);
}

static void ptp_delay_goes_back_to_its_own_interval_when_the_parent_changes(void **state)
{
    struct bench_peer other;
    struct mt_ptp_message message = response_to(next_request(), local_ns(), 0);
    message.header.log_interval = 4;
    bench_rx(&bench, 1, &message);
    assert_int_equal(bench.ports[0].delay.log_interval, 4);
    peer_init(&other, 2);
    other.announce.priority1 = 5;
    bench_announces(&bench, 1, &other, 2);
    assert_int_equal(bench.ports[0].delay.log_interval, 0);
}

/* ---- what is measured belongs to the parent -------------------------------------------------- */

static void ptp_delay_makes_no_sample_when_the_port_stopped_receiving(void **state)
{
    const struct bench_frame *request = next_request();
    const struct mt_stamp stamp = bench_stamp(&bench);
    respond(request, local_ns() + 400, 0);
    assert_true(bench_command(
        &bench, &(struct mt_command){.kind = MT_COMMAND_PRIORITIES, .value.priorities = {1, 1}}));
    assert_int_equal(bench_state(&bench, 1), MT_STATE_TRANSMITTER);
    mt_instance_tx_done(&bench.instance, request->tx.token, &stamp, bench.now);
    bench_drain(&bench);
    assert_int_equal(bench_event_count(&bench, MT_EVENT_SAMPLE), 0);
    assert_int_equal(bench_counter(&bench, 1, MT_COUNT_TX_STAMP_UNKNOWN), 1);
}

/* A sample that was not drained in time must not be taken for one of the next parent. */
static void ptp_delay_drops_the_undrained_sample_when_the_parent_is_gone(void **state)
{
    static const enum mt_command_kind kinds[] = {MT_COMMAND_PRIORITIES, MT_COMMAND_LINK};
    for (unsigned i = 0; i < 2; i++) {
        uint8_t buffer[MT_PTP_MESSAGE_MAX];
        struct mt_event event;
        struct mt_ptp_message message = header_of(MT_PTP_SYNC, 900, 0);
        receiving(state);
        size_t length = mt_ptp_write(&message, buffer, sizeof buffer);
        const struct mt_stamp stamp = bench_stamp(&bench);
        mt_instance_rx(&bench.instance, 1, buffer, length, &stamp, NULL, bench.now);
        assert_int_equal(bench_counter(&bench, 1, MT_COUNT_SAMPLES), 1);
        const struct mt_command command = {.kind = kinds[i], .port = 1, .value.priorities = {0, 0}};
        mt_instance_command(&bench.instance, &command, bench.now);
        while (mt_instance_next_event(&bench.instance, &event)) {
            assert_int_not_equal(event.kind, MT_EVENT_SAMPLE);
        }
    }
}

/* Two parents that count alike: halves of different ones must not meet. */
static void ptp_delay_forgets_the_half_when_the_parent_changes(void **state)
{
    struct bench_peer other;
    peer_init(&other, 2);
    other.announce.priority1 = 5;
    sync(5, true, 0, 0);
    bench_announces(&bench, 1, &other, 2);
    assert_int_equal(bench_state(&bench, 1), MT_STATE_UNCALIBRATED);
    peer = other;
    assert_int_equal(follow_up(5, local_ns(), 0), MT_VERDICT_ACCEPTED);
    assert_int_equal(bench_counter(&bench, 1, MT_COUNT_SAMPLES), 0);
}

static enum mt_verdict rx_undrained(const struct mt_ptp_message *message)
{
    uint8_t buffer[MT_PTP_MESSAGE_MAX];
    size_t length = mt_ptp_write(message, buffer, sizeof buffer);
    const struct mt_stamp stamp = bench_stamp(&bench);
    return mt_instance_rx(&bench.instance, 1, buffer, length,
                          mt_ptp_is_event(message->header.type) ? &stamp : NULL, NULL, bench.now);
}

/* Between two drains: a sample, then another parent and a second decision that brings no news. */
static void ptp_delay_tells_of_the_parent_and_no_sample_when_drained_late(void **state)
{
    struct bench_peer other;
    struct mt_event event;
    unsigned parents = 0;
    peer_init(&other, 2);
    other.announce.priority1 = 5;
    bench_announce(&bench, 1, &other);
    const struct mt_ptp_message one_step = header_of(MT_PTP_SYNC, 900, 0);
    struct mt_ptp_message announce = {
        .header = {.type = MT_PTP_ANNOUNCE, .source = other.identity, .sequence = 1},
        .body.announce = other.announce,
    };
    assert_int_equal(rx_undrained(&one_step), MT_VERDICT_ACCEPTED);
    assert_int_equal(rx_undrained(&announce), MT_VERDICT_ACCEPTED);
    announce.header.sequence++;
    assert_int_equal(rx_undrained(&announce), MT_VERDICT_ACCEPTED);
    while (mt_instance_next_event(&bench.instance, &event)) {
        assert_int_not_equal(event.kind, MT_EVENT_SAMPLE);
        parents += event.kind == MT_EVENT_PARENT;
    }
    assert_int_equal(parents, 1);
}

/* ---- latencies and asymmetry ----------------------------------------------------------------- */

static void ptp_delay_takes_latencies_off_when_they_are_configured(void **state)
{
    bench.port_configs[0].egress_latency = mt_interval_from_ns(300);
    bench.port_configs[0].ingress_latency = mt_interval_from_ns(70);
    bench_start(&bench);
    bench_follow(&bench, 1, &peer);
    sync(5, true, 0, 0);
    follow_up(5, local_ns() - 5000, 0);
    /* it was on the wire 70 ns before the stamp */
    assert_int_equal(bench_sample_ns(&bench, MT_SAMPLE_FORWARD), 5000 - 70);
    assert_int_equal(mt_instant_to_ns(newest_sample().local.at), local_ns() - 70);
    const struct bench_frame *request = next_request();
    int64_t stamped_ns = local_ns() - (bench.now.ns - request->at.ns);
    respond(request, stamped_ns + 5000, 0);
    /* it was on the wire 300 ns after the stamp */
    assert_int_equal(bench_sample_ns(&bench, MT_SAMPLE_REVERSE), 5000 - 300);
    assert_int_equal(mt_instant_to_ns(newest_sample().local.at), stamped_ns + 300);
}

/* Mean delay 1000 ns, transmitter to receiver 40 longer: 1040 and 960 must both read 1000. */
static void measure_asymmetry(bool is_two_step)
{
    bench.port_configs[0].delay_asymmetry = mt_interval_from_ns(40);
    bench_start(&bench);
    bench_follow(&bench, 1, &peer);
    sync(5, is_two_step, local_ns() - 1040, 0);
    if (is_two_step) {
        follow_up(5, local_ns() - 1040, 0);
    }
    assert_int_equal(bench_sample_ns(&bench, MT_SAMPLE_FORWARD), 1000);
    const struct bench_frame *request = next_request();
    int64_t sent_ns = local_ns() - (bench.now.ns - request->at.ns);
    assert_int_equal(request->message.header.correction.q16, -q16_of(40));
    respond(request, sent_ns + 960, request->message.header.correction.q16);
    assert_int_equal(bench_sample_ns(&bench, MT_SAMPLE_REVERSE), 1000);
}

static void ptp_delay_counts_asymmetry_once_when_sync_is_two_step(void **state)
{
    measure_asymmetry(true);
}

static void ptp_delay_counts_asymmetry_once_when_sync_is_one_step(void **state)
{
    measure_asymmetry(false);
}

static void ptp_delay_survives_when_corrections_are_extreme(void **state)
{
    static const int64_t extremes[] = {INT64_MIN, INT64_MIN + 1, INT64_MAX - 1};
    for (unsigned i = 0; i < 3; i++) {
        uint16_t sequence = (uint16_t)(100 + 10 * i);
        assert_int_equal(sync(sequence, true, 0, extremes[i]), MT_VERDICT_ACCEPTED);
        assert_int_equal(follow_up(sequence, local_ns(), extremes[i]), MT_VERDICT_ACCEPTED);
        assert_int_equal(respond(next_request(), local_ns(), extremes[i]), MT_VERDICT_ACCEPTED);
    }
    assert_int_equal(bench_counter(&bench, 1, MT_COUNT_SAMPLES), 6);
}

#define RECEIVING(test) cmocka_unit_test_setup(ptp_delay_##test, receiving)
#define HOLDING(test)   cmocka_unit_test_setup(ptp_delay_##test, holding_stamps)

int main(void)
{
    const struct CMUnitTest tests[] = {
        RECEIVING(measures_forward_when_sync_is_two_step),
        RECEIVING(measures_forward_when_follow_up_comes_first),
        RECEIVING(measures_forward_when_sync_is_one_step),
        RECEIVING(measures_a_clock_of_1970_when_the_offset_is_decades),
        RECEIVING(pairs_by_sequence_when_a_half_is_lost),
        RECEIVING(keeps_the_newer_half_when_an_older_comes_late),
        RECEIVING(goes_on_when_the_parents_sequence_starts_again),
        RECEIVING(measures_reverse_when_answered),
        HOLDING(measures_reverse_when_the_timestamp_comes_after_the_answer),
        HOLDING(loses_one_exchange_when_its_timestamp_is_lost),
        HOLDING(counts_unknown_when_a_token_is_used_up_or_invented),
        HOLDING(takes_the_first_answer_when_two_come_before_the_timestamp),
        RECEIVING(counts_the_oldest_unanswered_when_too_many_are_under_way),
        RECEIVING(counts_the_timestamp_lost_when_only_the_answer_came),
        RECEIVING(measures_every_exchange_when_the_path_is_longer_than_the_interval),
        RECEIVING(spreads_requests_when_nobody_asks_for_an_interval),
        RECEIVING(follows_the_interval_when_the_parent_asks_for_it),
        RECEIVING(refuses_the_interval_when_it_is_hostile),
        RECEIVING(goes_back_to_its_own_interval_when_the_parent_changes),
        HOLDING(makes_no_sample_when_the_port_stopped_receiving),
        RECEIVING(drops_the_undrained_sample_when_the_parent_is_gone),
        RECEIVING(forgets_the_half_when_the_parent_changes),
        RECEIVING(tells_of_the_parent_and_no_sample_when_drained_late),
        RECEIVING(takes_latencies_off_when_they_are_configured),
        RECEIVING(counts_asymmetry_once_when_sync_is_two_step),
        RECEIVING(counts_asymmetry_once_when_sync_is_one_step),
        RECEIVING(survives_when_corrections_are_extreme),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
