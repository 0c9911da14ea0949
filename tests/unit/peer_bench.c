/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The far end of a link: see peer_bench.h.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "peer_bench.h"

struct ptp_bench bench;
struct bench_peer peer; /* the transmitter, which is the neighbour, too */
struct mt_peer far_end;
struct mt_peer_config link_config;
struct mt_port_more more;
int64_t neighbour_ahead_ns;

void set_up(enum mt_delay_mechanism mechanism)
{
    bench_init(&bench, 1);
    neighbour_ahead_ns = BENCH_S(5000);
    mt_peer_config_init(&link_config);
    more = (struct mt_port_more){
        .delay_mechanism = mechanism, .peer = &far_end, .security.spp = MT_SECURITY_OFF};
    bench.port_configs[0].more = &more;
    peer_init(&peer, NEIGHBOUR);
}

void start(void)
{
    mt_peer_init(&far_end, &link_config);
    bench_start(&bench);
}

int p2p(void **state)
{
    set_up(MT_DELAY_P2P);
    start();
    return 0;
}

int gptp(void **state)
{
    set_up(MT_DELAY_P2P);
    link_config.is_gptp = true;
    link_config.sdo_id = 0x100;
    bench.config.sdo_id = 0x100;
    link_config.mean_link_delay_thresh = mt_interval_from_ns(800);
    start();
    return 0;
}

int automatic(void **state)
{
    set_up(MT_DELAY_AUTO);
    start();
    return 0;
}
/* ---- the neighbour's side -------------------------------------------------------------------- */

struct mt_ptp_timestamp timestamp(int64_t ns)
{
    return (struct mt_ptp_timestamp){(uint64_t)(ns / MT_NS_PER_S), (uint32_t)(ns % MT_NS_PER_S)};
}

int64_t local_ns(void)
{
    return mt_instant_to_ns(bench_stamp(&bench).at);
}

const struct bench_frame *next_request(void)
{
    size_t before = bench_count(&bench, 1, MT_PTP_PDELAY_REQ);
    for (unsigned i = 0; bench_count(&bench, 1, MT_PTP_PDELAY_REQ) == before; i++) {
        assert_true(i < 100000);
        bench_pass(&bench, BENCH_S(0.001));
    }
    return bench_newest(&bench, 1, MT_PTP_PDELAY_REQ, 0);
}

struct mt_ptp_message message_of(enum mt_ptp_type type, uint8_t id,
                                 const struct bench_frame *request)
{
    return (struct mt_ptp_message){
        .header = {.type = type,
                   .sdo_id = far_end.config.sdo_id,
                   .source = {bench_identity(id), 1},
                   .sequence = request->message.header.sequence,
                   .log_interval = MT_PTP_LOG_INTERVAL_NONE},
        .body.response.requester = request->message.header.source,
    };
}

/* Answers as a two-step responder behind `delay_ns`; corrections in 2^-16 ns. */
enum mt_verdict answer(uint8_t id, const struct bench_frame *request, int64_t delay_ns,
                       int64_t response_q16, int64_t follow_up_q16)
{
    int64_t request_ns = request->at.ns + BENCH_EPOCH_S * MT_NS_PER_S;
    struct mt_ptp_message response = message_of(MT_PTP_PDELAY_RESP, id, request);
    struct mt_ptp_message follow_up = message_of(MT_PTP_PDELAY_RESP_FOLLOW_UP, id, request);
    response.header.flags = MT_PTP_TWO_STEP;
    response.header.correction.q16 = response_q16;
    response.body.response.at = timestamp(request_ns + delay_ns + neighbour_ahead_ns);
    bench_pass(&bench, TURN_NS + 2 * delay_ns - (bench.now.ns - request->at.ns));
    enum mt_verdict verdict = bench_rx(&bench, 1, &response);
    follow_up.body.response.at = timestamp(local_ns() - delay_ns + neighbour_ahead_ns);
    follow_up.header.correction.q16 =
        follow_up_q16 + request->message.header.correction.q16; /* 1588: comes back */
    bench_rx(&bench, 1, &follow_up);
    return verdict;
}

void exchange(unsigned count, int64_t delay_ns)
{
    for (unsigned i = 0; i < count; i++) {
        answer(NEIGHBOUR, next_request(), delay_ns, 0, 0);
    }
}

struct mt_peer_report report(void)
{
    struct mt_peer_report is;
    mt_peer_get(&far_end, &is);
    return is;
}

int64_t delay_ns(void)
{
    assert_true(report().has_delay);
    return mt_interval_to_ns(report().delay);
}

uint64_t count_of(enum mt_peer_counter counter)
{
    return far_end.counters[counter];
}

enum mt_verdict request_from(uint8_t id, uint16_t sequence, int64_t correction_q16)
{
    const struct mt_ptp_message message = {.header = {.type = MT_PTP_PDELAY_REQ,
                                                      .source = {bench_identity(id), 1},
                                                      .sequence = sequence,
                                                      .correction = {correction_q16},
                                                      .log_interval = MT_PTP_LOG_INTERVAL_NONE}};
    return bench_rx(&bench, 1, &message);
}
