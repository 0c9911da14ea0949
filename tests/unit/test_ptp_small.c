/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What small ordinary clocks take: a plain peer's delay, and answers to GET.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "meantime/ptp_management.h"
#include "meantime/ptp_small.h"
#include "ptp_bench.h"
#include "wire/fields.h"

#define NEIGHBOUR 9
#define STRANGER  10
#define TURN_NS   1000000
#define DELAY_NS  300
#define AHEAD_NS  (INT64_C(5000) * MT_NS_PER_S)

static struct ptp_bench bench;
static struct bench_peer parent;
static struct mt_plain_peer peer;
static struct mt_getter getter;
static struct mt_port_more port_more;
static struct mt_instance_more more;

static int start(enum mt_delay_mechanism mechanism)
{
    static const struct mt_extension *const extensions[] = {&mt_plain_peer_extension,
                                                            &mt_getter_extension, NULL};
    static const struct mt_ptp_features features = {
        .compare = mt_dataset_compare,
        .decide = mt_decide,
        .states = &mt_states_full,
        .transmitter = &mt_transmitter,
        .delay = &mt_delay_e2e,
        .reference = mt_reference,
        .extend = &mt_extend,
        .extensions = extensions,
    };
    peer = (struct mt_plain_peer){.log_request_interval = 0};
    getter = (struct mt_getter){.requests = 0};
    port_more = (struct mt_port_more){.delay_mechanism = mechanism, .plain_peer = &peer};
    more = (struct mt_instance_more){.getter = &getter};
    bench_init(&bench, 1);
    bench.config.features = &features;
    bench.config.more = &more;
    bench.port_configs[0].more = &port_more;
    peer_init(&parent, 1);
    return 0;
}

static int p2p(void **state)
{
    start(MT_DELAY_P2P);
    bench_start(&bench);
    return 0;
}

static int e2e(void **state)
{
    start(MT_DELAY_E2E);
    bench_start(&bench);
    return 0;
}

/* ---- the neighbour's side -------------------------------------------------------------------- */

static struct mt_ptp_timestamp timestamp(int64_t ns)
{
    return (struct mt_ptp_timestamp){(uint64_t)(ns / MT_NS_PER_S), (uint32_t)(ns % MT_NS_PER_S)};
}

static const struct bench_frame *next_request(void)
{
    size_t before = bench_count(&bench, 1, MT_PTP_PDELAY_REQ);
    for (unsigned i = 0; bench_count(&bench, 1, MT_PTP_PDELAY_REQ) == before; i++) {
        assert_true(i < 100000);
        bench_pass(&bench, BENCH_S(0.001));
    }
    return bench_newest(&bench, 1, MT_PTP_PDELAY_REQ, 0);
}

static struct mt_ptp_message message_of(enum mt_ptp_type type, uint8_t id,
                                        const struct bench_frame *request)
{
    return (struct mt_ptp_message){
        .header = {.type = type,
                   .source = {bench_identity(id), 1},
                   .sequence = request->message.header.sequence,
                   .log_interval = MT_PTP_LOG_INTERVAL_NONE},
        .body.response.requester = request->message.header.source,
    };
}

/* In one step or two; what the request's correctionField says comes back. */
static enum mt_verdict answer(uint8_t id, const struct bench_frame *request, int64_t delay_ns,
                              bool is_two_step)
{
    int64_t request_ns = request->at.ns + BENCH_EPOCH_S * MT_NS_PER_S;
    int64_t asked_q16 = request->message.header.correction.q16;
    struct mt_ptp_message response = message_of(MT_PTP_PDELAY_RESP, id, request);
    struct mt_ptp_message follow_up = message_of(MT_PTP_PDELAY_RESP_FOLLOW_UP, id, request);
    bench_pass(&bench, TURN_NS + 2 * delay_ns - (bench.now.ns - request->at.ns));
    if (!is_two_step) {
        response.header.correction.q16 = asked_q16 + TURN_NS * INT64_C(65536);
        return bench_rx(&bench, 1, &response);
    }
    response.header.flags = MT_PTP_TWO_STEP;
    response.body.response.at = timestamp(request_ns + delay_ns + AHEAD_NS);
    follow_up.body.response.at = timestamp(request_ns + delay_ns + TURN_NS + AHEAD_NS);
    follow_up.header.correction.q16 = asked_q16;
    enum mt_verdict verdict = bench_rx(&bench, 1, &response);
    return verdict == MT_VERDICT_ACCEPTED ? bench_rx(&bench, 1, &follow_up) : verdict;
}

static void exchange(unsigned count, int64_t delay_ns, bool is_two_step)
{
    for (unsigned i = 0; i < count; i++) {
        assert_int_equal(answer(NEIGHBOUR, next_request(), delay_ns, is_two_step),
                         MT_VERDICT_ACCEPTED);
    }
}

/* -1: not known */
static int64_t delay_ns(void)
{
    struct mt_interval delay;
    struct mt_interval most;
    return mt_plain_peer_delay(&peer, &delay, &most) ? mt_interval_to_ns(delay) : -1;
}

/* ---- the delay of the link ------------------------------------------------------------------- */

static void ptp_small_measures_the_link_when_the_neighbour_answers_in_two_steps(void **state)
{
    assert_int_equal(delay_ns(), -1);
    exchange(2, DELAY_NS, true);
    assert_int_equal(delay_ns(), -1);
    exchange(1, DELAY_NS, true);
    assert_int_equal(delay_ns(), DELAY_NS);
}

static void ptp_small_measures_the_link_when_the_neighbour_answers_in_one_step(void **state)
{
    exchange(3, DELAY_NS, false);
    assert_int_equal(delay_ns(), DELAY_NS);
}

static void ptp_small_counts_latencies_and_asymmetry_once(void **state)
{
    start(MT_DELAY_P2P);
    bench.port_configs[0].delay_asymmetry = mt_interval_from_ns(40);
    bench.port_configs[0].ingress_latency = mt_interval_from_ns(100);
    bench.port_configs[0].egress_latency = mt_interval_from_ns(60);
    bench_start(&bench);
    exchange(3, DELAY_NS, true);
    assert_int_equal(delay_ns(), DELAY_NS - 80);
    exchange(5, DELAY_NS, false);
    assert_int_equal(delay_ns(), DELAY_NS - 80);
}

static void ptp_small_takes_the_median_when_an_exchange_is_far_off(void **state)
{
    exchange(3, DELAY_NS, true);
    exchange(1, 500000, true);
    assert_int_equal(delay_ns(), DELAY_NS);
    exchange(3, 2 * DELAY_NS, true);
    assert_int_equal(delay_ns(), 2 * DELAY_NS);
}

static void ptp_small_knows_no_delay_when_the_neighbour_is_gone(void **state)
{
    exchange(3, DELAY_NS, true);
    bench_pass(&bench, BENCH_S(4));
    assert_int_equal(delay_ns(), DELAY_NS);
    bench_pass(&bench, BENCH_S(4));
    assert_int_equal(delay_ns(), -1);
}

static void ptp_small_begins_anew_when_the_link_was_down(void **state)
{
    exchange(3, DELAY_NS, true);
    bench_link(&bench, 1, false);
    assert_int_equal(delay_ns(), -1);
    size_t before = bench_count(&bench, 1, MT_PTP_PDELAY_REQ);
    bench_pass(&bench, BENCH_S(10));
    assert_int_equal(bench_count(&bench, 1, MT_PTP_PDELAY_REQ), before);
    bench_link(&bench, 1, true);
    exchange(3, DELAY_NS, true);
    assert_int_equal(delay_ns(), DELAY_NS);
}

static void ptp_small_hears_the_first_when_several_answer(void **state)
{
    const struct bench_frame *request = next_request();
    struct mt_ptp_message other = message_of(MT_PTP_PDELAY_RESP, STRANGER, request);
    struct mt_ptp_message response = message_of(MT_PTP_PDELAY_RESP, NEIGHBOUR, request);
    response.header.flags = MT_PTP_TWO_STEP;
    assert_int_equal(bench_rx(&bench, 1, &response), MT_VERDICT_ACCEPTED);
    assert_int_equal(bench_rx(&bench, 1, &response), MT_VERDICT_STALE);
    assert_int_equal(bench_rx(&bench, 1, &other), MT_VERDICT_NOT_REQUESTED);
    other = message_of(MT_PTP_PDELAY_RESP, NEIGHBOUR, request);
    other.body.response.requester.port = 7;
    assert_int_equal(bench_rx(&bench, 1, &other), MT_VERDICT_ACCEPTED); /* to somebody else */
    other = message_of(MT_PTP_PDELAY_RESP, NEIGHBOUR, request);
    other.header.sequence++;
    assert_int_equal(bench_rx(&bench, 1, &other), MT_VERDICT_NOT_REQUESTED);
}

/* ---- samples --------------------------------------------------------------------------------- */

static void ptp_small_makes_offsets_when_the_delay_is_known(void **state)
{
    bench_follow(&bench, 1, &parent);
    bench_sync(&bench, 1, &parent, DELAY_NS, 0);
    assert_int_equal(bench_event_count(&bench, MT_EVENT_SAMPLE), 0);
    exchange(3, DELAY_NS, true);
    bench_sync(&bench, 1, &parent, DELAY_NS, -77);
    const struct mt_sample *sample = &bench_newest_event(&bench, MT_EVENT_SAMPLE)->value.sample;
    assert_int_equal(sample->kind, MT_SAMPLE_OFFSET);
    assert_int_equal(mt_span_to_ns(sample->value), 77);
    assert_int_equal(mt_interval_to_ns(sample->delay), 2 * DELAY_NS);
    assert_int_equal(bench_count(&bench, 1, MT_PTP_DELAY_REQ), 0);
}

static void ptp_small_asks_the_transmitter_when_it_measures_end_to_end(void **state)
{
    struct mt_ptp_message request = {
        .header = {.type = MT_PTP_PDELAY_REQ, .source = {bench_identity(NEIGHBOUR), 1}}};
    bench_follow(&bench, 1, &parent);
    bench_pass(&bench, BENCH_S(5));
    assert_true(bench_count(&bench, 1, MT_PTP_DELAY_REQ) > 1);
    assert_int_equal(bench_count(&bench, 1, MT_PTP_PDELAY_REQ), 0);
    assert_int_equal(bench_rx(&bench, 1, &request), MT_VERDICT_UNSUPPORTED);
    bench_sync(&bench, 1, &parent, DELAY_NS, 0);
    assert_int_equal(bench_newest_event(&bench, MT_EVENT_SAMPLE)->value.sample.kind,
                     MT_SAMPLE_FORWARD);
}

/* ---- answers to the neighbour ---------------------------------------------------------------- */

static struct mt_ptp_message request_from(uint8_t id, uint16_t sequence)
{
    return (struct mt_ptp_message){.header = {.type = MT_PTP_PDELAY_REQ,
                                              .source = {bench_identity(id), 1},
                                              .sequence = sequence,
                                              .correction = {5 << 16}}};
}

static void ptp_small_answers_in_two_steps_when_it_is_asked(void **state)
{
    const struct mt_ptp_message request = request_from(NEIGHBOUR, 7);
    const struct mt_ptp_timestamp now = timestamp(bench.now.ns + BENCH_EPOCH_S * MT_NS_PER_S);
    assert_int_equal(bench_rx(&bench, 1, &request), MT_VERDICT_ACCEPTED);
    assert_int_equal(bench_rx(&bench, 1, &request), MT_VERDICT_STALE);
    assert_int_equal(bench_count(&bench, 1, MT_PTP_PDELAY_RESP), 1);
    const struct bench_frame *response = bench_newest(&bench, 1, MT_PTP_PDELAY_RESP, 0);
    const struct bench_frame *follow_up = bench_newest(&bench, 1, MT_PTP_PDELAY_RESP_FOLLOW_UP, 0);
    assert_int_equal(response->tx.destination, MT_TO_PEER);
    assert_true(response->tx.is_event && !follow_up->tx.is_event);
    assert_int_equal(response->message.header.sequence, 7);
    assert_true(response->message.header.flags & MT_PTP_TWO_STEP);
    assert_int_equal(response->message.header.correction.q16, 0);
    assert_int_equal(response->message.body.response.at.s, now.s);
    assert_int_equal(follow_up->message.header.sequence, 7);
    assert_int_equal(follow_up->message.header.correction.q16, 5 << 16);
    assert_memory_equal(&follow_up->message.body.response.requester, &request.header.source,
                        sizeof request.header.source);
}

static void ptp_small_sends_no_follow_up_when_the_timestamp_is_lost(void **state)
{
    const struct mt_ptp_message first = request_from(NEIGHBOUR, 7);
    const struct mt_ptp_message second = request_from(NEIGHBOUR, 8);
    bench.holds_stamps = true;
    assert_int_equal(bench_rx(&bench, 1, &first), MT_VERDICT_ACCEPTED);
    const struct bench_frame *response = bench_newest(&bench, 1, MT_PTP_PDELAY_RESP, 0);
    mt_instance_tx_done(&bench.instance, response->tx.token, NULL, bench.now);
    bench_drain(&bench);
    assert_int_equal(bench_count(&bench, 1, MT_PTP_PDELAY_RESP_FOLLOW_UP), 0);
    assert_int_equal(bench_rx(&bench, 1, &second), MT_VERDICT_ACCEPTED);
}

static void ptp_small_refuses_delay_req_when_the_link_is_measured(void **state)
{
    const struct mt_ptp_message request = {
        .header = {.type = MT_PTP_DELAY_REQ, .source = {bench_identity(NEIGHBOUR), 1}}};
    bench_pass(&bench, BENCH_S(9));
    assert_int_equal(bench_state(&bench, 1), MT_STATE_TRANSMITTER);
    assert_int_equal(bench_rx(&bench, 1, &request), MT_VERDICT_UNSUPPORTED);
}

/* ---- GET ------------------------------------------------------------------------------------- */

static struct mt_ptp_message management(uint8_t action, uint16_t id, uint8_t *tlv)
{
    mt_octets_put_u16(tlv, MT_TLV_MANAGEMENT);
    mt_octets_put_u16(tlv + 2, 2);
    mt_octets_put_u16(tlv + 4, id);
    return (struct mt_ptp_message){
        .header = {.type = MT_PTP_MANAGEMENT,
                   .source = {bench_identity(STRANGER), 3},
                   .sequence = 99},
        .body.management = {.target = {bench_identity(8), 0xFFFF},
                            .starting_hops = 2,
                            .hops = 1,
                            .action = action},
        .tlvs = tlv,
        .tlvs_length = 6,
    };
}

/* The answer's TLV: from its type on. */
static const uint8_t *ask(uint8_t action, uint16_t id)
{
    uint8_t tlv[6];
    const struct mt_ptp_message request = management(action, id, tlv);
    bench_clear(&bench);
    assert_int_equal(bench_rx(&bench, 1, &request), MT_VERDICT_ACCEPTED);
    assert_int_equal(bench_count(&bench, 1, MT_PTP_MANAGEMENT), 1);
    const struct mt_ptp_message *answer = &bench_newest(&bench, 1, MT_PTP_MANAGEMENT, 0)->message;
    assert_int_equal(answer->header.sequence, 99);
    assert_memory_equal(&answer->body.management.target, &request.header.source,
                        sizeof request.header.source);
    assert_int_equal(answer->body.management.hops, 1);
    assert_int_equal(answer->tlvs_length, mt_octets_u16(answer->tlvs + 2) + 4);
    return answer->tlvs;
}

static void ptp_small_tells_the_data_sets_when_it_is_asked(void **state)
{
    static const struct {
        uint16_t id;
        uint16_t octets; /* of data [15.5.3] */
    } cases[] = {
        {MT_ID_NULL_PTP_MANAGEMENT, 0},      {MT_ID_DEFAULT_DATA_SET, 20},
        {MT_ID_CURRENT_DATA_SET, 18},        {MT_ID_PARENT_DATA_SET, 32},
        {MT_ID_TIME_PROPERTIES_DATA_SET, 4}, {MT_ID_PORT_DATA_SET, 26},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const uint8_t *tlv = ask(MT_ACTION_GET, cases[i].id);
        assert_int_equal(mt_octets_u16(tlv), MT_TLV_MANAGEMENT);
        assert_int_equal(mt_octets_u16(tlv + 2), cases[i].octets + 2);
        assert_int_equal(mt_octets_u16(tlv + 4), cases[i].id);
    }
    assert_int_equal(getter.requests, 6);
    assert_int_equal(getter.dropped, 0);
}

static void ptp_small_tells_of_its_port_when_it_is_asked(void **state)
{
    exchange(3, DELAY_NS, true);
    const uint8_t *data = ask(MT_ACTION_GET, MT_ID_PORT_DATA_SET) + 6;
    const struct mt_clock_identity own = bench_identity(8);
    assert_memory_equal(data, own.octet, sizeof own.octet);
    assert_int_equal(mt_octets_u16(data + 8), 1);
    assert_int_equal(data[10], MT_STATE_LISTENING);
    assert_int_equal(mt_octets_u32(data + 16), DELAY_NS << 16);
    assert_int_equal(data[23], MT_DELAY_P2P);
    assert_int_equal(data[25], 0x12);
}

static void ptp_small_says_what_is_wrong_when_it_cannot_answer(void **state)
{
    const uint8_t *tlv = ask(MT_ACTION_SET, MT_ID_DEFAULT_DATA_SET);
    assert_int_equal(mt_octets_u16(tlv), MT_TLV_MANAGEMENT_ERROR_STATUS);
    assert_int_equal(mt_octets_u16(tlv + 2), 8);
    assert_int_equal(mt_octets_u16(tlv + 4), MT_MANAGEMENT_NOT_SETABLE);
    assert_int_equal(mt_octets_u16(tlv + 6), MT_ID_DEFAULT_DATA_SET);
    tlv = ask(MT_ACTION_GET, MT_ID_CLOCK_DESCRIPTION);
    assert_int_equal(mt_octets_u16(tlv), MT_TLV_MANAGEMENT_ERROR_STATUS);
    assert_int_equal(mt_octets_u16(tlv + 4), MT_MANAGEMENT_NOT_SUPPORTED);
}

static void ptp_small_drops_a_request_when_another_one_waits(void **state)
{
    uint8_t tlv[6];
    uint8_t frame[128];
    struct mt_ptp_message request = management(MT_ACTION_GET, MT_ID_DEFAULT_DATA_SET, tlv);
    size_t length = mt_ptp_write(&request, frame, sizeof frame);
    assert_int_equal(mt_instance_rx(&bench.instance, 1, frame, length, NULL, NULL, bench.now),
                     MT_VERDICT_ACCEPTED);
    assert_int_equal(mt_instance_rx(&bench.instance, 1, frame, length, NULL, NULL, bench.now),
                     MT_VERDICT_QUEUE_FULL);
    bench_drain(&bench);
    assert_int_equal(bench_count(&bench, 1, MT_PTP_MANAGEMENT), 1);
    assert_int_equal(getter.dropped, 1);
}

static void ptp_small_answers_nobody_when_others_are_meant(void **state)
{
    uint8_t tlv[6];
    struct mt_ptp_message request = management(MT_ACTION_GET, MT_ID_DEFAULT_DATA_SET, tlv);
    request.body.management.target.clock = bench_identity(NEIGHBOUR);
    assert_int_equal(bench_rx(&bench, 1, &request), MT_VERDICT_ACCEPTED);
    request = management(MT_ACTION_RESPONSE, MT_ID_DEFAULT_DATA_SET, tlv);
    assert_int_equal(bench_rx(&bench, 1, &request), MT_VERDICT_ACCEPTED);
    request = management(MT_ACTION_GET, MT_ID_DEFAULT_DATA_SET, tlv);
    request.body.management.target.port = 2;
    assert_int_equal(bench_rx(&bench, 1, &request), MT_VERDICT_ACCEPTED);
    request = management(MT_ACTION_GET, MT_ID_DEFAULT_DATA_SET, tlv);
    request.tlvs_length = 0;
    assert_int_equal(bench_rx(&bench, 1, &request), MT_VERDICT_TLV);
    assert_int_equal(bench_count(&bench, 1, MT_PTP_MANAGEMENT), 0);
}

#define IN(setup, test) cmocka_unit_test_setup(ptp_small_##test, setup)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN(p2p, measures_the_link_when_the_neighbour_answers_in_two_steps),
        IN(p2p, measures_the_link_when_the_neighbour_answers_in_one_step),
        IN(p2p, counts_latencies_and_asymmetry_once),
        IN(p2p, takes_the_median_when_an_exchange_is_far_off),
        IN(p2p, knows_no_delay_when_the_neighbour_is_gone),
        IN(p2p, begins_anew_when_the_link_was_down),
        IN(p2p, hears_the_first_when_several_answer),
        IN(p2p, makes_offsets_when_the_delay_is_known),
        IN(e2e, asks_the_transmitter_when_it_measures_end_to_end),
        IN(p2p, answers_in_two_steps_when_it_is_asked),
        IN(p2p, sends_no_follow_up_when_the_timestamp_is_lost),
        IN(p2p, refuses_delay_req_when_the_link_is_measured),
        IN(p2p, tells_the_data_sets_when_it_is_asked),
        IN(p2p, tells_of_its_port_when_it_is_asked),
        IN(p2p, says_what_is_wrong_when_it_cannot_answer),
        IN(p2p, drops_a_request_when_another_one_waits),
        IN(p2p, answers_nobody_when_others_are_meant),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
