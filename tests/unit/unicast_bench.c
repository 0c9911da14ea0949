/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * See unicast_bench.h.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "unicast_bench.h"

struct mt_address unicast_address(uint8_t last)
{
    return (struct mt_address){
        .network = MT_NETWORK_UDP_IPV4, .octets = {192, 0, 2, last}, .udp_port = 320};
}

void grantor_init(struct grantor_bench *self)
{
    memset(self, 0, sizeof *self);
    bench_init(&self->bench, 1);
    mt_grantor_policy_init(&self->policy);
    self->more.grantor = &self->grantor;
    self->bench.port_configs[0].more = &self->more;
    const struct mt_grantor_storage storage = {
        .clients = self->clients,
        .client_count = CLIENTS,
        .buckets = self->buckets,
        .bucket_count = BUCKETS,
        .slots = self->slots,
        .slot_count = SLOTS,
        .tokens = self->tokens,
        .token_count = TOKENS,
    };
    mt_grantor_init(&self->grantor, &self->policy, &storage, 7);
}

void grantor_start(struct grantor_bench *self)
{
    self->grantor.policy = self->policy;
    bench_start(&self->bench);
    bench_pass(&self->bench, BENCH_S(20));
    assert_int_equal(bench_state(&self->bench, 1), MT_STATE_TRANSMITTER);
    bench_clear(&self->bench);
}

void grantor_check(const struct grantor_bench *self)
{
    uint64_t active = 0;
    for (unsigned service = 0; service < MT_SERVICE_COUNT; service++) {
        const struct mt_grant_book *book = &self->grantor.books[service];
        uint64_t of_service = 0;
        for (unsigned i = 0; i < CLIENTS; i++) {
            of_service += self->clients[i].is_used && self->clients[i].grants[service].place != 0;
        }
        assert_int_equal(book->active, of_service);
        assert_int_equal(book->granted,
                         book->active + book->cancelled + book->withdrawn + book->expired);
        assert_int_equal(book->requested, book->granted + book->renewed + book->denied);
        active += of_service;
    }
    assert_true(active != 0 || self->grantor.client_count == 0);
}

enum mt_verdict unicast_rx(struct ptp_bench *self, const struct mt_ptp_message *message,
                           const struct mt_address *from)
{
    uint8_t buffer[MT_PTP_MESSAGE_MAX];
    const struct mt_stamp stamp = bench_stamp(self);
    size_t length = mt_ptp_write(message, buffer, sizeof buffer);
    assert_true(length != 0);
    enum mt_verdict verdict =
        mt_instance_rx(&self->instance, 1, buffer, length, &stamp, from, self->now);
    bench_drain(self);
    return verdict;
}

enum mt_verdict unicast_say(struct ptp_bench *self, uint8_t id, const struct mt_address *from,
                            const struct mt_unicast_word *words, size_t count)
{
    uint8_t tlvs[256];
    struct mt_ptp_message message = {
        .header = {.type = MT_PTP_SIGNALING,
                   .minor_version = 1,
                   .flags = MT_PTP_UNICAST,
                   .source = {bench_identity(id), 1},
                   .log_interval = MT_PTP_LOG_INTERVAL_NONE},
        .tlvs = tlvs,
    };
    memset(&message.body.target, 0xFF, sizeof message.body.target);
    for (size_t i = 0; i < count; i++) {
        message.tlvs_length +=
            mt_tlv_write_unicast((enum mt_tlv_type)words[i].type, &words[i].value,
                                 tlvs + message.tlvs_length, sizeof tlvs - message.tlvs_length);
    }
    return unicast_rx(self, &message, from);
}

struct mt_unicast_word unicast_word(enum mt_tlv_type type, enum mt_ptp_type message,
                                    int8_t log_interval, uint32_t duration_s)
{
    return (struct mt_unicast_word){
        .type = (uint16_t)type,
        .value = {.message = message, .log_interval = log_interval, .duration_s = duration_s}};
}

uint32_t unicast_ask(struct ptp_bench *self, uint8_t id, const struct mt_address *from,
                     enum mt_ptp_type message, int8_t log_interval, uint32_t duration_s)
{
    struct mt_unicast_word answers[MT_UNICAST_TLVS];
    const struct mt_unicast_word word =
        unicast_word(MT_TLV_REQUEST_UNICAST_TRANSMISSION, message, log_interval, duration_s);
    size_t before = bench_count(self, 1, MT_PTP_SIGNALING);
    assert_int_equal(unicast_say(self, id, from, &word, 1), MT_VERDICT_ACCEPTED);
    assert_int_equal(bench_count(self, 1, MT_PTP_SIGNALING), before + 1);
    const struct bench_frame *frame = bench_newest(self, 1, MT_PTP_SIGNALING, 0);
    assert_int_equal(unicast_words(frame, answers), 1);
    assert_int_equal(answers[0].type, MT_TLV_GRANT_UNICAST_TRANSMISSION);
    assert_int_equal(answers[0].value.message, message);
    assert_true(mt_address_equal(&frame->tx.to, from));
    return answers[0].value.duration_s;
}

size_t unicast_words(const struct bench_frame *frame, struct mt_unicast_word words[MT_UNICAST_TLVS])
{
    const uint8_t *tlvs = frame->message.tlvs;
    size_t length = frame->message.tlvs_length;
    struct mt_tlv tlv;
    size_t count = 0;
    while (mt_tlv_next(&tlvs, &length, &tlv)) {
        assert_true(count < MT_UNICAST_TLVS);
        words[count].type = tlv.type;
        assert_true(mt_tlv_parse_unicast(&tlv, &words[count].value));
        count++;
    }
    return count;
}

size_t unicast_count(const struct ptp_bench *self, enum mt_ptp_type type,
                     const struct mt_address *to)
{
    size_t count = 0;
    for (size_t i = 0; i < self->frame_count; i++) {
        const struct bench_frame *frame = &self->frames[i];
        count += frame->message.header.type == type && frame->tx.destination == MT_TO_ADDRESS &&
                 mt_address_equal(&frame->tx.to, to);
    }
    return count;
}
