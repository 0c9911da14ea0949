/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The client of stateless PTP against servers made of the two pure functions: what an exchange
 * measures, which answers count, whom it follows and when it changes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "meantime/ptp_more.h"
#include "meantime/ptp_stateless.h"
#include "ptp_bench.h"

#define DELAY_NS 25000
#define AHEAD_NS 4000 /* the client's clock */
#define STEP_NS  5000000

static struct ptp_bench bench;
static struct mt_stateless_client client;
static struct mt_port_more more;
static struct mt_stateless_server server;
static struct mt_served served[2];
static bool is_silent[2];
static struct mt_interval request_transit; /* put into correctionFields by the network */
static struct mt_interval answer_transit;
static size_t seen;
static unsigned answers;

static struct mt_address address_of(uint8_t host)
{
    return (struct mt_address){
        .network = MT_NETWORK_UDP_IPV4, .octets = {192, 0, 2, host}, .udp_port = 319};
}

static struct mt_instant later(struct mt_instant at, int64_t ns)
{
    return mt_instant_plus(at, mt_span_from_ns(ns));
}

static void put_correction(uint8_t *frame, struct mt_interval correction)
{
    uint64_t sum = 0;
    for (unsigned i = 8; i < 16; i++) {
        sum = sum << 8 | frame[i];
    }
    sum += (uint64_t)correction.q16;
    for (unsigned i = 15; i >= 8; i--) {
        frame[i] = (uint8_t)sum;
        sum >>= 8;
    }
}

static enum mt_verdict hand_in(const uint8_t *frame, size_t length, const struct mt_instant *at,
                               uint8_t host)
{
    const struct mt_address from = address_of(host);
    const struct mt_stamp stamp = {.at = at != NULL ? *at : (struct mt_instant){0}};
    enum mt_verdict verdict = mt_instance_rx(&bench.instance, 1, frame, length,
                                             at != NULL ? &stamp : NULL, &from, bench.now);
    bench_drain(&bench);
    return verdict;
}

/* What server `i` says to a request. */
static void answer(const struct bench_frame *request, uint8_t i)
{
    const struct mt_address from = address_of(250);
    struct mt_instant t3 = later(bench_stamp(&bench).at, request->at.ns - bench.now.ns);
    struct mt_instant t4 = later(t3, DELAY_NS - AHEAD_NS);
    struct mt_instant t1 = later(t4, 3000);
    struct mt_instant t2 = later(t1, DELAY_NS + AHEAD_NS);
    struct mt_stateless_answer first;
    uint8_t second[MT_STATELESS_FRAME_MAX];
    uint8_t asked[256];
    memcpy(asked, request->octets, request->tx.length);
    put_correction(asked, request_transit);
    t4 = later(t4, request_transit.q16 / 65536);
    assert_int_equal(
        mt_stateless_answer(&server, &served[i], asked, request->tx.length, &t4, &from, &first),
        MT_STATELESS_ANSWERED);
    size_t length = mt_stateless_finish(&served[i], &first.rest, &t1, second, sizeof second);
    put_correction(first.frame, answer_transit);
    t2 = later(t2, answer_transit.q16 / 65536);
    assert_int_equal(hand_in(first.frame, first.length, &t2, (uint8_t)(i + 1)),
                     MT_VERDICT_ACCEPTED);
    assert_int_equal(hand_in(second, length, NULL, (uint8_t)(i + 1)), MT_VERDICT_ACCEPTED);
    answers++;
}

static void run(int64_t ns)
{
    for (int64_t end = bench.now.ns + ns; bench.now.ns < end;) {
        bench_pass(&bench, STEP_NS);
        for (; seen < bench.frame_count; seen++) {
            const struct bench_frame *frame = &bench.frames[seen];
            uint8_t i = (uint8_t)(frame->tx.to.octets[3] - 1);
            assert_int_equal(frame->tx.destination, MT_TO_ADDRESS);
            if (i < 2 && !is_silent[i]) {
                answer(frame, i);
            }
        }
        if (bench.frame_count > BENCH_LOG_MAX / 2 || bench.event_count > BENCH_LOG_MAX / 2) {
            bench_clear(&bench);
            seen = 0;
        }
    }
}

static void start(enum mt_stateless_form form, unsigned layout, int8_t log_interval, size_t count)
{
    const struct mt_address addresses[] = {address_of(1), address_of(2)};
    server = (struct mt_stateless_server){
        .serves_sptp = true, .serves_csptp = true, .layout = &mt_csptp_layouts[layout]};
    for (uint8_t i = 0; i < 2; i++) {
        served[i] = (struct mt_served){
            .is_serving = true,
            .flags = MT_PTP_TIMESCALE | MT_PTP_UTC_OFFSET_VALID,
            .utc_offset = 37,
            .dataset = {.priority1 = (uint8_t)(10 + i),
                        .quality = {.clock_class = 6, .accuracy = 0x21, .variance = 0x59E0},
                        .priority2 = 2,
                        .grandmaster = bench_identity((uint8_t)(100 + i))},
            .identity = {bench_identity((uint8_t)(100 + i)), 1},
        };
        is_silent[i] = false;
    }
    request_transit.q16 = 0;
    answer_transit.q16 = 0;
    seen = 0;
    answers = 0;
    mt_stateless_client_init(&client, form, server.layout, log_interval, addresses, count);
    more = (struct mt_port_more){.stateless = &client};
    bench_init(&bench, 1);
    bench.config.is_receiver_only = true;
    bench.port_configs[0].more = &more;
    bench_start(&bench);
}

static void assert_follows(uint8_t i)
{
    assert_memory_equal(&mt_instance_parent(&bench.instance)->grandmaster,
                        &served[i].dataset.grandmaster, 8);
    assert_true(mt_instance_receiving_port(&bench.instance) == 1);
}

/* ---- what is measured ------------------------------------------------------------------------ */

static void stateless_client_measures_both_ways(void **state)
{
    for (unsigned form = 0; form <= 1; form++) {
        for (unsigned layout = 0; layout < MT_CSPTP_LAYOUT_COUNT; layout++) {
            start(form == 0 ? MT_STATELESS_SPTP : MT_STATELESS_CSPTP, layout, 0, 1);
            run(BENCH_S(6));
            assert_follows(0);
            assert_int_equal(bench_sample_ns(&bench, MT_SAMPLE_FORWARD), DELAY_NS + AHEAD_NS);
            assert_int_equal(bench_sample_ns(&bench, MT_SAMPLE_REVERSE), DELAY_NS - AHEAD_NS);
            assert_int_equal(mt_instance_time_properties(&bench.instance)->utc_offset, 37);
            assert_int_equal(bench_newest_event(&bench, MT_EVENT_SAMPLE)->value.sample.scale,
                             MT_SCALE_TAI);
            assert_int_equal(bench_count(&bench, 1, MT_PTP_DELAY_REQ) +
                                 bench_count(&bench, 1, MT_PTP_SYNC),
                             answers);
            assert_in_range(answers, 5, 7);
            /* as many one way as the other, and none before there is a parent */
            assert_int_equal(bench_event_count(&bench, MT_EVENT_SAMPLE), 2 * (answers - 1));
            assert_int_equal(client.bogus, 0);
        }
    }
}

static void stateless_client_takes_transit_times_off_the_right_way(void **state)
{
    for (unsigned form = 0; form <= 1; form++) {
        start(form == 0 ? MT_STATELESS_SPTP : MT_STATELESS_CSPTP, 0, 0, 1);
        request_transit = mt_interval_from_ns(70000);
        answer_transit = mt_interval_from_ns(110000);
        run(BENCH_S(6));
        assert_int_equal(bench_sample_ns(&bench, MT_SAMPLE_FORWARD), DELAY_NS + AHEAD_NS);
        assert_int_equal(bench_sample_ns(&bench, MT_SAMPLE_REVERSE), DELAY_NS - AHEAD_NS);
    }
}

static void stateless_client_counts_the_asymmetry_once_each_way(void **state)
{
    for (unsigned form = 0; form <= 1; form++) {
        start(form == 0 ? MT_STATELESS_SPTP : MT_STATELESS_CSPTP, 0, 0, 1);
        bench.port_configs[0].delay_asymmetry = mt_interval_from_ns(500);
        bench.port_configs[0].ingress_latency = mt_interval_from_ns(30);
        bench.port_configs[0].egress_latency = mt_interval_from_ns(20);
        bench_start(&bench);
        run(BENCH_S(6));
        assert_int_equal(bench_sample_ns(&bench, MT_SAMPLE_FORWARD),
                         DELAY_NS + AHEAD_NS - 500 - 30);
        assert_int_equal(bench_sample_ns(&bench, MT_SAMPLE_REVERSE),
                         DELAY_NS - AHEAD_NS + 500 - 20);
    }
}

static void stateless_client_asks_at_every_interval(void **state)
{
    for (int8_t log_interval = -7; log_interval <= 4; log_interval++) {
        start(MT_STATELESS_CSPTP, 0, log_interval, 1);
        run(4 * mt_log2s_to_ns(log_interval) + BENCH_S(2));
        double expected =
            (double)(bench.now.ns - BENCH_S(1)) / (double)mt_log2s_to_ns(log_interval);
        assert_true((double)client.peers[0].asked <= expected + 1);
        assert_true((double)client.peers[0].asked >= 0.7 * expected - 1);
        assert_int_equal(client.peers[0].timeouts, 0);
        assert_follows(0);
    }
}

static void stateless_client_stays_with_its_server_when_an_exchange_fails(void **state)
{
    for (int8_t log_interval = -7; log_interval <= 4; log_interval++) {
        start(MT_STATELESS_SPTP, 0, log_interval, 1);
        run(4 * mt_log2s_to_ns(log_interval) + BENCH_S(2));
        assert_follows(0);
        uint64_t asked = client.peers[0].asked;
        uint64_t given_up = bench_counter(&bench, 1, MT_COUNT_ANNOUNCE_TIMEOUT); /* in LISTENING */
        is_silent[0] = true;
        while (client.peers[0].asked == asked) {
            run(STEP_NS);
        }
        while (client.peers[0].timeouts == 0) {
            run(STEP_NS);
        }
        is_silent[0] = false;
        run(mt_log2s_to_ns(log_interval) + BENCH_S(1));
        assert_int_equal(bench_counter(&bench, 1, MT_COUNT_ANNOUNCE_TIMEOUT), given_up);
        assert_follows(0);
    }
}

static void stateless_client_pads_requests_for_any_answer(void **state)
{
    for (unsigned layout = 0; layout < MT_CSPTP_LAYOUT_COUNT; layout++) {
        start(MT_STATELESS_CSPTP, layout, 0, 1);
        served[0].parent.network = MT_NETWORK_UDP_IPV6;
        run(BENCH_S(6)); /* the server would leave out the status of a request too short */
        assert_follows(0);
    }
    start(MT_STATELESS_SPTP, 0, 0, 1);
    server.sptp_padded_only = true;
    client.pads_requests = true;
    client.path = 5;
    run(BENCH_S(6));
    assert_follows(0);
    assert_int_equal(bench_newest(&bench, 1, MT_PTP_DELAY_REQ, 0)->tx.length, 108);
}

/* ---- who is believed ------------------------------------------------------------------------- */

static void stateless_client_refuses_what_it_did_not_ask_for(void **state)
{
    for (unsigned form = 0; form <= 1; form++) {
        start(form == 0 ? MT_STATELESS_SPTP : MT_STATELESS_CSPTP, 0, 0, 2);
        run(BENCH_S(6));
        is_silent[0] = true;
        bench_pass(&bench, BENCH_S(2));
        bench_clear(&bench);
        seen = 0;
        while (bench.frame_count == 0 || bench.frames[bench.frame_count - 1].tx.to.octets[3] != 1) {
            bench_pass(&bench, STEP_NS);
        }
        const struct bench_frame *request = &bench.frames[bench.frame_count - 1];
        const struct mt_address from = address_of(250);
        const struct mt_instant now = bench_stamp(&bench).at;
        struct mt_stateless_answer first;
        mt_stateless_answer(&server, &served[0], request->octets, request->tx.length, &now, &from,
                            &first);
        uint64_t samples = bench_counter(&bench, 1, MT_COUNT_SAMPLES);
        uint64_t bogus = client.bogus;
        /* of another address, sequence, domain, sdoId; without timestamp; twice */
        assert_int_equal(hand_in(first.frame, first.length, &now, 9), MT_VERDICT_NOT_REQUESTED);
        assert_int_equal(hand_in(first.frame, first.length, &now, 2), MT_VERDICT_NOT_REQUESTED);
        static const uint8_t octets[] = {31, 4, 5, 0};
        for (unsigned i = 0; i < sizeof octets; i++) {
            first.frame[octets[i]] ^= 0x10;
            assert_int_equal(hand_in(first.frame, first.length, &now, 1), MT_VERDICT_NOT_REQUESTED);
            first.frame[octets[i]] ^= 0x10;
        }
        first.frame[6] ^= 4; /* not unicast: the server's multicast, no answer at all */
        assert_int_equal(hand_in(first.frame, first.length, &now, 1), MT_VERDICT_NOT_REQUESTED);
        first.frame[6] ^= 4;
        assert_int_equal(hand_in(first.frame, first.length, NULL, 1), MT_VERDICT_NOT_REQUESTED);
        assert_int_equal(hand_in(first.frame, first.length, &now, 1), MT_VERDICT_ACCEPTED);
        assert_int_equal(hand_in(first.frame, first.length, &now, 1), MT_VERDICT_NOT_REQUESTED);
        assert_int_equal(client.bogus, bogus + 8);
        assert_int_equal(bench_counter(&bench, 1, MT_COUNT_SAMPLES), samples);
    }
}

static void stateless_client_is_deaf_to_ordinary_transmitters(void **state)
{
    struct bench_peer peer;
    start(MT_STATELESS_SPTP, 0, 0, 1);
    peer_init(&peer, 50);
    peer.announce.priority1 = 1;
    for (unsigned i = 0; i < 10; i++) {
        assert_int_equal(bench_announce(&bench, 1, &peer), MT_VERDICT_NOT_REQUESTED);
        run(BENCH_S(1));
    }
    assert_follows(0);
}

/* An exchange that is not answered costs no more than its own interval. */
static void stateless_client_gives_up_when_answers_do_not_come(void **state)
{
    start(MT_STATELESS_SPTP, 0, 0, 1);
    run(BENCH_S(6));
    uint64_t measured = client.peers[0].measured;
    is_silent[0] = true;
    run(BENCH_S(1));
    assert_in_range(client.peers[0].timeouts, 1, 2);
    is_silent[0] = false;
    run(BENCH_S(2));
    assert_follows(0);
    assert_in_range(client.peers[0].measured, measured + 1, measured + 3);
}

static void stateless_client_gives_up_when_its_timestamp_is_lost(void **state)
{
    start(MT_STATELESS_CSPTP, 0, 0, 1);
    run(BENCH_S(6));
    uint64_t samples = bench_counter(&bench, 1, MT_COUNT_SAMPLES);
    bench.holds_stamps = true;
    run(BENCH_S(2));
    assert_int_equal(bench_counter(&bench, 1, MT_COUNT_SAMPLES), samples);
    bench.holds_stamps = false;
    run(BENCH_S(2));
    assert_true(bench_counter(&bench, 1, MT_COUNT_SAMPLES) > samples);
}

/* ---- several servers ------------------------------------------------------------------------- */

static void stateless_client_follows_the_best_and_fails_over(void **state)
{
    for (unsigned form = 0; form <= 1; form++) {
        start(form == 0 ? MT_STATELESS_SPTP : MT_STATELESS_CSPTP, 2, 0, 2);
        run(BENCH_S(6));
        assert_follows(0);
        uint64_t others = client.peers[1].measured;
        run(BENCH_S(3));
        assert_int_equal(client.peers[1].measured, others); /* only the parent is measured */
        is_silent[0] = true;
        run(BENCH_S(5)); /* announce receipt timeout: 3 to 4 intervals */
        assert_follows(1);
        is_silent[0] = false;
        run(BENCH_S(5));
        assert_follows(0);
        served[0].dataset.quality.clock_class = 187;
        served[0].dataset.priority1 = 200;
        run(BENCH_S(3));
        assert_follows(1);
    }
}

static void stateless_client_rests_while_the_link_is_down(void **state)
{
    start(MT_STATELESS_CSPTP, 0, 0, 1);
    run(BENCH_S(6));
    bench_link(&bench, 1, false);
    uint64_t asked = client.peers[0].asked;
    run(BENCH_S(5));
    assert_int_equal(client.peers[0].asked, asked);
    bench_link(&bench, 1, true);
    run(BENCH_S(5));
    assert_follows(0);
}

static void stateless_client_waits_when_an_address_is_not_known(void **state)
{
    const struct mt_address unknown = {.network = MT_NETWORK_NONE};
    const struct mt_address first = address_of(1);
    const struct mt_address second = address_of(2);
    start(MT_STATELESS_SPTP, 0, 0, 1);
    client.peers[0].address = unknown;
    run(BENCH_S(5));
    assert_int_equal(client.peers[0].asked, 0);
    mt_stateless_client_set_address(&client, 0, &first);
    run(BENCH_S(6));
    assert_follows(0);
    mt_stateless_client_set_address(&client, 0, &second);
    mt_stateless_client_set_address(&client, 1, &first); /* there is none */
    run(BENCH_S(6));
    assert_follows(1);
    assert_int_equal(client.bogus, 0);
    assert_in_range(client.peers[0].finished, 8, 12);
}

static void stateless_client_gives_up_when_the_address_changes(void **state)
{
    const struct mt_address second = address_of(2);
    start(MT_STATELESS_CSPTP, 0, 0, 1);
    is_silent[0] = true;
    while (client.peers[0].asked == 0 || !client.peers[0].is_asking) {
        run(STEP_NS);
    }
    uint16_t sequence = client.peers[0].sequence;
    mt_stateless_client_set_address(&client, 0, &second);
    assert_false(client.peers[0].is_asking);
    run(BENCH_S(2));
    assert_int_equal(client.peers[0].timeouts, 0);
    assert_int_not_equal(client.peers[0].sequence, (uint16_t)(sequence + 1)); /* a new number */
    assert_in_range(client.peers[0].finished, 1, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stateless_client_measures_both_ways),
        cmocka_unit_test(stateless_client_takes_transit_times_off_the_right_way),
        cmocka_unit_test(stateless_client_counts_the_asymmetry_once_each_way),
        cmocka_unit_test(stateless_client_asks_at_every_interval),
        cmocka_unit_test(stateless_client_stays_with_its_server_when_an_exchange_fails),
        cmocka_unit_test(stateless_client_pads_requests_for_any_answer),
        cmocka_unit_test(stateless_client_refuses_what_it_did_not_ask_for),
        cmocka_unit_test(stateless_client_is_deaf_to_ordinary_transmitters),
        cmocka_unit_test(stateless_client_gives_up_when_answers_do_not_come),
        cmocka_unit_test(stateless_client_gives_up_when_its_timestamp_is_lost),
        cmocka_unit_test(stateless_client_follows_the_best_and_fails_over),
        cmocka_unit_test(stateless_client_rests_while_the_link_is_down),
        cmocka_unit_test(stateless_client_waits_when_an_address_is_not_known),
        cmocka_unit_test(stateless_client_gives_up_when_the_address_changes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
