/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * See ptp_transparent_bench.h.
 */
#include "ptp_transparent_bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "meantime/ptp_peer.h"

#define FRAMES_MAX 64
#define PORTS_MAX  4

struct ptp_bench tc_bench;
struct mt_transparent tc;
struct mt_transparent_config tc_config;
struct mt_port_identity tc_gm;
struct mt_port_identity tc_requester;
uint32_t tc_bench_corrections;

static struct mt_instance_more more = {.transparent = &tc};
static struct mt_transparent_frame frames[FRAMES_MAX];
static struct mt_transparent_leg legs[FRAMES_MAX * PORTS_MAX];
static uint8_t octets[FRAMES_MAX * MT_PTP_MESSAGE_MAX];
static struct mt_peer peers[PORTS_MAX];
static struct mt_port_more port_more[PORTS_MAX];

/* Links of 150 ns. */
static void use_peers(uint16_t ports)
{
    struct mt_peer_config config;
    mt_peer_config_init(&config);
    config.stored_delay = mt_interval_from_ns(TC_LINK_NS);
    config.log_request_interval = MT_PEER_INTERVAL_STOP;
    for (uint16_t i = 0; i < ports; i++) {
        mt_peer_init(&peers[i], &config);
        port_more[i] = (struct mt_port_more){.delay_mechanism = MT_DELAY_P2P, .peer = &peers[i]};
        tc_bench.port_configs[i].more = &port_more[i];
    }
}

void tc_start(uint16_t ports, uint32_t frame_count)
{
    const struct mt_transparent_storage storage = {
        frames, legs, octets, frame_count, MT_PTP_MESSAGE_MAX, ports,
    };
    tc_gm = (struct mt_port_identity){bench_identity(TC_GM), 1};
    tc_requester = (struct mt_port_identity){bench_identity(TC_REQUESTER), 1};
    memset(frames, 0xA5, sizeof frames); /* init owes nothing to what was there */
    memset(legs, 0xA5, sizeof legs);
    mt_transparent_init(&tc, &tc_config, &storage);
    bench_init(&tc_bench, ports);
    tc_bench.config.features = &mt_ptp_transparent_features;
    tc_bench.config.path = NULL;
    tc_bench.config.more = &more;
    tc_bench.holds_stamps = true;
    if (tc_config.is_peer_to_peer) {
        use_peers(ports);
    }
    bench_start(&tc_bench);
}

void tc_wait(int64_t ns)
{
    tc_bench.now.ns += ns;
}

struct mt_ptp_message tc_message(enum mt_ptp_type type, uint16_t sequence,
                                 const struct mt_port_identity *source)
{
    struct mt_ptp_message message = {
        .header = {.type = type,
                   .minor_version = 1,
                   .source = *source,
                   .sequence = sequence,
                   .correction = {TC_CORRECTION}},
    };
    if (type != MT_PTP_SIGNALING && type != MT_PTP_MANAGEMENT && type != MT_PTP_ANNOUNCE) {
        message.body.origin = (struct mt_ptp_timestamp){TC_ORIGIN_S, TC_ORIGIN_NS};
    }
    return message;
}

static struct mt_stamp stamp_now(void)
{
    struct mt_stamp stamp = bench_stamp(&tc_bench);
    stamp.corrections = tc_bench_corrections;
    return stamp;
}

enum mt_verdict tc_rx_octets(uint16_t port, const uint8_t *frame, size_t length, bool has_stamp)
{
    const struct mt_stamp stamp = stamp_now();
    enum mt_verdict verdict = mt_instance_rx(&tc_bench.instance, port, frame, length,
                                             has_stamp ? &stamp : NULL, NULL, tc_bench.now);
    bench_drain(&tc_bench);
    return verdict;
}

enum mt_verdict tc_rx(uint16_t port, const struct mt_ptp_message *message)
{
    uint8_t buffer[MT_PTP_MESSAGE_MAX];
    size_t length = mt_ptp_write(message, buffer, sizeof buffer);
    assert_true(length > 0);
    return tc_rx_octets(port, buffer, length, mt_ptp_is_event(message->header.type));
}

static enum mt_verdict rx_plain(uint16_t port, enum mt_ptp_type type, uint16_t sequence,
                                const struct mt_port_identity *source, uint16_t flags)
{
    struct mt_ptp_message message = tc_message(type, sequence, source);
    message.header.flags = flags;
    return tc_rx(port, &message);
}

static enum mt_verdict rx_answer(uint16_t port, enum mt_ptp_type type, uint16_t sequence,
                                 uint16_t flags)
{
    struct mt_ptp_message message = tc_message(type, sequence, &tc_gm);
    message.header.flags = flags;
    message.body.response.requester = tc_requester;
    return tc_rx(port, &message);
}

enum mt_verdict tc_sync(uint16_t port, uint16_t sequence, uint16_t flags)
{
    return rx_plain(port, MT_PTP_SYNC, sequence, &tc_gm, flags);
}

enum mt_verdict tc_follow_up(uint16_t port, uint16_t sequence)
{
    return rx_plain(port, MT_PTP_FOLLOW_UP, sequence, &tc_gm, 0);
}

enum mt_verdict tc_delay_req(uint16_t port, uint16_t sequence)
{
    return rx_plain(port, MT_PTP_DELAY_REQ, sequence, &tc_requester, 0);
}

enum mt_verdict tc_delay_resp(uint16_t port, uint16_t sequence)
{
    return rx_answer(port, MT_PTP_DELAY_RESP, sequence, 0);
}

enum mt_verdict tc_pdelay_req(uint16_t port, uint16_t sequence)
{
    return rx_plain(port, MT_PTP_PDELAY_REQ, sequence, &tc_requester, 0);
}

enum mt_verdict tc_pdelay_resp(uint16_t port, uint16_t sequence, uint16_t flags)
{
    return rx_answer(port, MT_PTP_PDELAY_RESP, sequence, flags);
}

enum mt_verdict tc_pdelay_resp_follow_up(uint16_t port, uint16_t sequence)
{
    return rx_answer(port, MT_PTP_PDELAY_RESP_FOLLOW_UP, sequence, 0);
}

uint32_t tc_token(uint16_t port, enum mt_ptp_type type)
{
    return bench_newest(&tc_bench, port, type, 0)->tx.token;
}

void tc_stamp(uint16_t port, enum mt_ptp_type type)
{
    const struct mt_stamp stamp = stamp_now();
    mt_instance_tx_done(&tc_bench.instance, tc_token(port, type), &stamp, tc_bench.now);
    bench_drain(&tc_bench);
}

void tc_lose(uint16_t port, enum mt_ptp_type type)
{
    mt_instance_tx_done(&tc_bench.instance, tc_token(port, type), NULL, tc_bench.now);
    bench_drain(&tc_bench);
}

int64_t tc_added(uint16_t port, enum mt_ptp_type type)
{
    return bench_newest(&tc_bench, port, type, 0)->message.header.correction.q16 - TC_CORRECTION;
}
