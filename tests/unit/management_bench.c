/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "management_bench.h"

struct managed clock_;

const struct mt_address local_writer = {MT_NETWORK_LOCAL_READ_WRITE, {7}, 0};
const struct mt_address local_reader = {MT_NETWORK_LOCAL_READ_ONLY, {8}, 0};
const struct mt_address station = {MT_NETWORK_UDP_IPV4, {10, 0, 0, 9}, 320};

void begin(uint16_t port_count)
{
    memset(&clock_, 0, sizeof clock_);
    bench_init(&clock_.bench, port_count);
    mt_management_init(&clock_.management, clock_.ports, port_count);
    clock_.more.management = &clock_.management;
    clock_.bench.config.more = &clock_.more;
    clock_.management.product = "maker;model;1";
    clock_.management.revision = "a;b;c";
    clock_.ports[0].interface = "eth0";
    clock_.ports[0].physical_layer = "IEEE 802.3";
    clock_.ports[0].physical = (struct mt_address){MT_NETWORK_IEEE_802_3, {2, 0, 0, 1, 2, 3}, 0};
    clock_.ports[0].protocol = (struct mt_address){MT_NETWORK_UDP_IPV4, {10, 0, 0, 1}, 0};
    bench_start(&clock_.bench);
    bench_clear(&clock_.bench);
}

int begin_one(void **state)
{
    (void)state;
    begin(1);
    return 0;
}

int begin_three(void **state)
{
    (void)state;
    begin(PORTS);
    return 0;
}

/* ---- asking ---------------------------------------------------------------------------------- */

const struct mt_port_identity everybody = {{{0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF}},
                                           0xFFFF};

size_t write_request(const struct request *request, uint8_t *frame)
{
    uint8_t value[512] = {(uint8_t)(request->id >> 8), (uint8_t)request->id};
    uint8_t tlv[520];
    struct mt_ptp_message message = {
        .header = {.type = MT_PTP_MANAGEMENT,
                   .minor_version = 1,
                   .source = {bench_identity(STATION), 0x1234},
                   .sequence = 77},
        .body.management = {.target = request->target,
                            .starting_hops = request->hops,
                            .hops = request->hops,
                            .action = (uint8_t)request->action},
        .tlvs = tlv,
    };
    if (request->length > 0) {
        memcpy(value + 2, request->data, request->length);
    }
    message.tlvs_length =
        mt_tlv_write(MT_TLV_MANAGEMENT, value, 2 + request->length, tlv, sizeof tlv);
    return mt_ptp_write(&message, frame, MT_PTP_MESSAGE_MAX);
}

enum mt_verdict ask(const struct request *request, const struct mt_address *from)
{
    uint8_t frame[MT_PTP_MESSAGE_MAX];
    struct ptp_bench *bench = &clock_.bench;
    size_t length = write_request(request, frame);
    enum mt_verdict verdict;
    bench_clear(bench);
    if (from == &local_writer || from == &local_reader) {
        verdict = mt_management_local(&bench->instance, frame, length, from, bench->now);
    } else {
        verdict = mt_instance_rx(&bench->instance, 1, frame, length, NULL, from, bench->now);
    }
    bench_drain(bench);
    return verdict;
}

void get(uint16_t id, const struct mt_address *from)
{
    const struct request request = {MT_ACTION_GET, id, NULL, 0, 0, everybody};
    assert_int_equal(ask(&request, from), MT_VERDICT_ACCEPTED);
}

void set(uint16_t id, const uint8_t *data, size_t length, const struct mt_address *from)
{
    const struct request request = {MT_ACTION_SET, id, data, length, 0, everybody};
    assert_int_equal(ask(&request, from), MT_VERDICT_ACCEPTED);
}

void command(uint16_t id, uint16_t port, const uint8_t *data, size_t length)
{
    struct request request = {MT_ACTION_COMMAND, id, data, length, 0, everybody};
    request.target.port = port;
    assert_int_equal(ask(&request, &local_writer), MT_VERDICT_ACCEPTED);
}

/* ---- answers --------------------------------------------------------------------------------- */

const struct bench_frame *answer(size_t i)
{
    size_t count = bench_count(&clock_.bench, 0, MT_PTP_MANAGEMENT);
    assert_true(i < count);
    return bench_newest(&clock_.bench, 0, MT_PTP_MANAGEMENT, count - 1 - i);
}

void assert_answers(size_t count)
{
    assert_int_equal(bench_count(&clock_.bench, 0, MT_PTP_MANAGEMENT), count);
}

void assert_data(size_t i, uint16_t id, const uint8_t *data, size_t length)
{
    const struct bench_frame *frame = answer(i);
    const uint8_t *tlv = frame->octets + DATA_AT - 6;
    assert_int_equal(frame->message.body.management.action, MT_ACTION_RESPONSE);
    assert_int_equal(tlv[0] << 8 | tlv[1], MT_TLV_MANAGEMENT);
    assert_int_equal(tlv[2] << 8 | tlv[3], 2 + length);
    assert_int_equal(tlv[4] << 8 | tlv[5], id);
    assert_int_equal(frame->message.header.length, DATA_AT + length);
    assert_memory_equal(frame->octets + DATA_AT, data, length);
}

void assert_error(size_t i, uint16_t id, enum mt_management_error error)
{
    const uint8_t *octets = answer(i)->octets;
    assert_int_equal(octets[48] << 8 | octets[49], MT_TLV_MANAGEMENT_ERROR_STATUS);
    assert_int_equal(octets[50] << 8 | octets[51], 8);
    assert_int_equal(octets[ERROR_AT] << 8 | octets[ERROR_AT + 1], error);
    assert_int_equal(octets[ERROR_AT + 2] << 8 | octets[ERROR_AT + 3], id);
}
