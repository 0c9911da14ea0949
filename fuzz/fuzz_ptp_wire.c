/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * PTP messages and TLVs out of any octets: what is accepted must survive being written and
 * parsed again, views must lie inside the input, and TLVs that can be written must come back
 * octet for octet.  The input is also taken as a bare sequence of TLVs, which reaches the
 * decoders without a header around it.
 */
#include "fuzz.h"

#include <string.h>

#include "meantime/ptp_tlv.h"

static volatile uint8_t sink;

/* reads each octet of a view, for the address sanitizer to see */
static void touch(const uint8_t *octets, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        sink ^= octets[i];
    }
}

static void decode_organization(const struct mt_tlv *tlv)
{
    struct mt_tlv_organization organization;
    struct mt_tlv_follow_up_information information;
    struct mt_tlv_message_interval_request request;
    struct mt_tlv_gptp_capable capable;
    struct mt_tlv_power power;
    uint8_t written[32];

    if (mt_tlv_parse_organization(tlv, &organization)) {
        touch(organization.data, organization.length);
    }
    if (mt_tlv_parse_follow_up_information(tlv, &information)) {
        fuzz_require(mt_tlv_write_follow_up_information(&information, written, sizeof written) ==
                     sizeof written);
        fuzz_require(memcmp(written + 4, tlv->value, sizeof written - 4) == 0);
    }
    (void)mt_tlv_parse_message_interval_request(tlv, &request);
    (void)mt_tlv_parse_gptp_capable(tlv, &capable);
    if (mt_tlv_parse_power(tlv, &power)) {
        fuzz_require(power.total_inaccuracy_ns >= power.gm_inaccuracy_ns &&
                     power.total_inaccuracy_ns >= power.network_inaccuracy_ns);
    }
}

static void decode_accuracy_metrics(const struct mt_tlv *tlv)
{
    struct mt_tlv_accuracy_metrics metrics;
    uint8_t written[MT_TLV_ACCURACY_METRICS_SIZE];

    if (mt_tlv_parse_accuracy_metrics(tlv, &metrics)) {
        fuzz_require(mt_tlv_write_accuracy_metrics(&metrics, written, sizeof written) ==
                     sizeof written);
        fuzz_require(memcmp(written + 4, tlv->value, 2) == 0);
        fuzz_require(memcmp(written + 8, tlv->value + 4, sizeof written - 8) == 0);
    }
}

static void decode_others(const struct mt_tlv *tlv)
{
    struct mt_tlv_alternate_time_offset zone;
    struct mt_tlv_management management;
    struct mt_tlv_unicast unicast;
    struct mt_tlv_authentication authentication;
    struct mt_tlv_port_address address;
    uint16_t flags;
    int32_t scaled;

    if (mt_tlv_parse_alternate_time_offset(tlv, &zone)) {
        fuzz_require(zone.name_length <= 10);
        touch(zone.name, zone.name_length);
    }
    if (mt_tlv_parse_management(tlv, &management)) {
        touch(management.data, management.length);
    }
    if (mt_tlv_parse_unicast(tlv, &unicast)) {
        fuzz_require((unsigned)unicast.message < 16);
    }
    if (mt_tlv_parse_authentication(tlv, &authentication)) {
        touch(authentication.rest, authentication.rest_length);
    }
    if (mt_tlv_parse_protocol_address(tlv, &address)) {
        touch(address.address, address.length);
    }
    (void)mt_tlv_parse_l1_sync(tlv, &flags);
    (void)mt_tlv_parse_cumulative_rate_ratio(tlv, &scaled);
}

static void decode(const struct mt_tlv *tlv)
{
    size_t count = mt_tlv_path_count(tlv);

    touch(tlv->value, tlv->length);
    for (size_t i = 0; i < count; i++) {
        sink ^= mt_tlv_path_at(tlv, i)->octet[7];
    }
    decode_organization(tlv);
    decode_accuracy_metrics(tlv);
    decode_others(tlv);
}

/* decodes all; those that fit are written again, which must give what was read */
static void walk(const uint8_t *tlvs, size_t length)
{
    static uint8_t written[70000];
    const uint8_t *at = tlvs;
    size_t left = length;
    struct mt_tlv tlv;

    while (mt_tlv_next(&at, &left, &tlv)) {
        size_t size = mt_tlv_write(tlv.type, tlv.value, tlv.length, written, sizeof written);

        fuzz_require(size == (size_t)tlv.length + 4 && mt_tlv_is_valid(written, size));
        fuzz_require(tlv.value >= tlvs + 4 && tlv.value + tlv.length == at);
        decode(&tlv);
    }
    fuzz_require(mt_tlv_is_valid(tlvs, length) == (left == 0));
    fuzz_require(at + left == tlvs + length);
}

static bool time_equal(const struct mt_ptp_timestamp *a, const struct mt_ptp_timestamp *b)
{
    return a->s == b->s && a->ns == b->ns;
}

static bool header_equal(const struct mt_ptp_header *a, const struct mt_ptp_header *b)
{
    return a->type == b->type && a->sdo_id == b->sdo_id && a->minor_version == b->minor_version &&
           a->domain == b->domain && a->length == b->length && a->flags == b->flags &&
           a->correction.q16 == b->correction.q16 && a->type_specific == b->type_specific &&
           mt_port_identity_equal(&a->source, &b->source) && a->sequence == b->sequence &&
           a->log_interval == b->log_interval;
}

static bool announce_equal(const struct mt_ptp_announce *a, const struct mt_ptp_announce *b)
{
    return time_equal(&a->origin, &b->origin) && a->utc_offset == b->utc_offset &&
           a->priority1 == b->priority1 && a->quality.clock_class == b->quality.clock_class &&
           a->quality.accuracy == b->quality.accuracy &&
           a->quality.variance == b->quality.variance && a->priority2 == b->priority2 &&
           mt_clock_identity_equal(&a->grandmaster, &b->grandmaster) &&
           a->steps_removed == b->steps_removed && a->time_source == b->time_source;
}

static bool management_equal(const struct mt_ptp_management *a, const struct mt_ptp_management *b)
{
    return mt_port_identity_equal(&a->target, &b->target) && a->starting_hops == b->starting_hops &&
           a->hops == b->hops && a->action == b->action;
}

static bool body_equal(const struct mt_ptp_message *a, const struct mt_ptp_message *b)
{
    switch (a->header.type) {
    case MT_PTP_SYNC:
    case MT_PTP_DELAY_REQ:
    case MT_PTP_PDELAY_REQ:
    case MT_PTP_FOLLOW_UP:
        return time_equal(&a->body.origin, &b->body.origin);
    case MT_PTP_PDELAY_RESP:
    case MT_PTP_DELAY_RESP:
    case MT_PTP_PDELAY_RESP_FOLLOW_UP:
        return time_equal(&a->body.response.at, &b->body.response.at) &&
               mt_port_identity_equal(&a->body.response.requester, &b->body.response.requester);
    case MT_PTP_ANNOUNCE:
        return announce_equal(&a->body.announce, &b->body.announce);
    case MT_PTP_SIGNALING:
        return mt_port_identity_equal(&a->body.target, &b->body.target);
    case MT_PTP_MANAGEMENT:
        return management_equal(&a->body.management, &b->body.management);
    }
    return false;
}

static void check_message(const struct mt_ptp_message *message, const uint8_t *frame, size_t size)
{
    static uint8_t written[2 * MT_PTP_MESSAGE_MAX];
    struct mt_ptp_message again;
    size_t length = mt_ptp_write(message, written, sizeof written);

    fuzz_require(message->header.length <= size);
    fuzz_require(message->tlvs + message->tlvs_length == frame + message->header.length);
    fuzz_require(mt_tlv_is_valid(message->tlvs, message->tlvs_length));
    walk(message->tlvs, message->tlvs_length);
    if (message->header.length > MT_PTP_MESSAGE_MAX) {
        fuzz_require(length == 0);
        return;
    }
    fuzz_require(length == message->header.length);
    fuzz_require(mt_ptp_parse(written, length, &again) == MT_VERDICT_ACCEPTED);
    fuzz_require(header_equal(&message->header, &again.header));
    fuzz_require(body_equal(message, &again));
    fuzz_require(again.tlvs_length == message->tlvs_length);
    fuzz_require(memcmp(again.tlvs, message->tlvs, message->tlvs_length) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mt_ptp_message message;

    if (mt_ptp_parse(data, size, &message) == MT_VERDICT_ACCEPTED) {
        check_message(&message, data, size);
    }
    walk(data, size);
    return 0;
}
