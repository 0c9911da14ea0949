/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * TLVs: the iterator, and the types that the standard itself defines.  mt_tlv_next() is the only
 * place that believes a lengthField; decoders get a bounded view and read it with a cursor, so a
 * value that is too short shows as a failed cursor at the end, or with a table of fields if all of
 * it is fixed.  A value that is longer than we know is accepted: later editions append.
 *
 * One exception to the rule of lengthField: C37.238-2011 prints 12 for its TLV, which counts the
 * dataField and forgets organizationId and subtype, and devices do as it prints.  Its dataField
 * is 12 octets in any case, so such a TLV is taken to have 18 if there are as many.
 */
#include "meantime/ptp_tlv.h"

#include "base/cursor.h"
#include "base/memory.h"
#include "wire/fields.h"

#define HEADER_SIZE    4
#define POWER_2011_ALL 18
#define NAME_MAX       10 /* of a time zone [16.3.3.8] */

bool mt_tlv_next(const uint8_t **tlvs, size_t *length, struct mt_tlv *ret_tlv)
{
    static const uint8_t power_2011[] = {0, 3, 0, 12, 0x1C, 0x12, 0x9D, 0, 0, 1};
    const uint8_t *tlv = *tlvs;
    size_t left = *length - HEADER_SIZE;
    uint16_t value_length;

    if (*length < HEADER_SIZE) {
        return false;
    }
    value_length = mt_octets_u16(tlv + 2);
    if (left >= POWER_2011_ALL && memcmp(tlv, power_2011, sizeof power_2011) == 0) {
        value_length = POWER_2011_ALL;
    }
    if (value_length > left || value_length % 2 != 0) {
        return false;
    }
    ret_tlv->type = mt_octets_u16(tlv);
    ret_tlv->length = value_length;
    ret_tlv->value = tlv + HEADER_SIZE;
    *tlvs = ret_tlv->value + value_length;
    *length = left - value_length;
    return true;
}

bool mt_tlv_is_valid(const uint8_t *tlvs, size_t length)
{
    struct mt_tlv tlv;

    while (mt_tlv_next(&tlvs, &length, &tlv)) {
    }
    return length == 0;
}

bool mt_tlv_find(const uint8_t *tlvs, size_t length, enum mt_tlv_type type, struct mt_tlv *ret_tlv)
{
    struct mt_tlv tlv;

    while (mt_tlv_next(&tlvs, &length, &tlv)) {
        if (tlv.type == type) {
            *ret_tlv = tlv;
            return true;
        }
    }
    return false;
}

static void write_header(uint16_t type, uint16_t value_length, uint8_t *buffer)
{
    mt_octets_put_u16(buffer, type);
    mt_octets_put_u16(buffer + 2, value_length);
}

size_t mt_tlv_write(uint16_t type, const uint8_t *value, size_t value_length, uint8_t *buffer,
                    size_t capacity)
{
    size_t padded = value_length + value_length % 2;

    if (value_length >= UINT16_MAX || capacity < HEADER_SIZE + padded) {
        return 0;
    }
    write_header(type, (uint16_t)padded, buffer);
    if (value_length > 0) {
        memmove(buffer + HEADER_SIZE, value, value_length);
    }
    if (padded > value_length) {
        buffer[HEADER_SIZE + value_length] = 0;
    }
    return HEADER_SIZE + padded;
}

bool mt_tlv_is_propagated(uint16_t type)
{
    return 0x4000 <= type && type <= 0x7FFF;
}

size_t mt_tlv_path_count(const struct mt_tlv *tlv)
{
    if (tlv->type != MT_TLV_PATH_TRACE || tlv->length % sizeof(struct mt_clock_identity) != 0) {
        return 0;
    }
    return tlv->length / sizeof(struct mt_clock_identity);
}

const struct mt_clock_identity *mt_tlv_path_at(const struct mt_tlv *tlv, size_t i)
{
    return (const struct mt_clock_identity *)tlv->value + i; /* octets, in both */
}

bool mt_tlv_parse_alternate_time_offset(const struct mt_tlv *tlv,
                                        struct mt_tlv_alternate_time_offset *ret_value)
{
    struct mt_reader r;
    struct mt_tlv_alternate_time_offset value;

    mt_reader_init(&r, tlv->value, tlv->length);
    value.key = mt_reader_u8(&r);
    value.current_offset_s = mt_reader_i32(&r);
    value.jump_seconds = mt_reader_i32(&r);
    value.time_of_next_jump_s = mt_reader_u48(&r);
    value.name_length = mt_reader_u8(&r);
    value.name = mt_reader_octets(&r, value.name_length);
    if (tlv->type != MT_TLV_ALTERNATE_TIME_OFFSET_INDICATOR || r.failed ||
        value.name_length > NAME_MAX) {
        return false;
    }
    *ret_value = value;
    return true;
}

/* five pairs of a maximum and a variance, of 64 bits each */
_Static_assert(sizeof(struct mt_tlv_accuracy_metrics) ==
                   offsetof(struct mt_tlv_accuracy_metrics, max_gm) + 10 * sizeof(uint64_t),
               "they lie side by side");

static const struct mt_field accuracy_fields[] = {
    MT_FIELDS(2, struct mt_tlv_accuracy_metrics, boundary_hops), /* 0 */
    MT_RESERVED,                                                 /* 2 */
    MT_RESERVED,                                                 /* 3 */
    MT_FIELDS(10, struct mt_tlv_accuracy_metrics, max_gm.q16),   /* 4 */
};

bool mt_tlv_parse_accuracy_metrics(const struct mt_tlv *tlv,
                                   struct mt_tlv_accuracy_metrics *ret_value)
{
    const size_t length = MT_TLV_ACCURACY_METRICS_SIZE - HEADER_SIZE;

    if (tlv->type != MT_TLV_ENHANCED_ACCURACY_METRICS || tlv->length < length) {
        return false;
    }
    mt_fields_move(MT_FROM_WIRE, accuracy_fields, (uint8_t *)tlv->value, length, ret_value);
    return true;
}

size_t mt_tlv_write_accuracy_metrics(const struct mt_tlv_accuracy_metrics *value, uint8_t *buffer,
                                     size_t capacity)
{
    if (capacity < MT_TLV_ACCURACY_METRICS_SIZE) {
        return 0;
    }
    write_header(MT_TLV_ENHANCED_ACCURACY_METRICS, MT_TLV_ACCURACY_METRICS_SIZE - HEADER_SIZE,
                 buffer);
    buffer[6] = 0; /* reserved */
    buffer[7] = 0;
    mt_fields_move(MT_TO_WIRE, accuracy_fields, buffer + HEADER_SIZE,
                   MT_TLV_ACCURACY_METRICS_SIZE - HEADER_SIZE, (void *)value);
    return MT_TLV_ACCURACY_METRICS_SIZE;
}

bool mt_tlv_parse_management(const struct mt_tlv *tlv, struct mt_tlv_management *ret_value)
{
    struct mt_reader r;
    struct mt_tlv_management value = {0};
    size_t length;

    mt_reader_init(&r, tlv->value, tlv->length);
    if (tlv->type == MT_TLV_MANAGEMENT) {
        value.id = mt_reader_u16(&r);
    } else if (tlv->type == MT_TLV_MANAGEMENT_ERROR_STATUS) {
        value.error = mt_reader_u16(&r);
        value.id = mt_reader_u16(&r);
        (void)mt_reader_u32(&r); /* reserved */
    } else {
        return false;
    }
    value.data = mt_reader_rest(&r, &length);
    value.length = (uint16_t)length;
    if (r.failed) {
        return false;
    }
    *ret_value = value;
    return true;
}

bool mt_tlv_parse_unicast(const struct mt_tlv *tlv, struct mt_tlv_unicast *ret_value)
{
    struct mt_reader r;
    struct mt_tlv_unicast value = {.log_interval = MT_PTP_LOG_INTERVAL_NONE};
    uint8_t first;

    if (tlv->type < MT_TLV_REQUEST_UNICAST_TRANSMISSION ||
        tlv->type > MT_TLV_ACKNOWLEDGE_CANCEL_UNICAST_TRANSMISSION) {
        return false;
    }
    mt_reader_init(&r, tlv->value, tlv->length);
    first = mt_reader_u8(&r);
    value.message = (enum mt_ptp_type)(first >> 4);
    if (tlv->type == MT_TLV_REQUEST_UNICAST_TRANSMISSION ||
        tlv->type == MT_TLV_GRANT_UNICAST_TRANSMISSION) {
        value.log_interval = mt_reader_i8(&r);
        value.duration_s = mt_reader_u32(&r);
        if (tlv->type == MT_TLV_GRANT_UNICAST_TRANSMISSION) {
            (void)mt_reader_u8(&r); /* reserved */
            value.flags = mt_reader_u8(&r) & 1;
        }
    } else {
        value.flags = first & 0x0F;
        (void)mt_reader_u8(&r); /* reserved */
    }
    if (r.failed) {
        return false;
    }
    *ret_value = value;
    return true;
}

size_t mt_tlv_write_unicast(enum mt_tlv_type type, const struct mt_tlv_unicast *value,
                            uint8_t *buffer, size_t capacity)
{
    bool is_grant = type == MT_TLV_GRANT_UNICAST_TRANSMISSION;
    bool has_duration = is_grant || type == MT_TLV_REQUEST_UNICAST_TRANSMISSION;
    const uint8_t octets[] = {
        (uint8_t)((unsigned)value->message << 4 | (has_duration ? 0u : value->flags & 0x0Fu)),
        has_duration ? (uint8_t)value->log_interval : 0,
        (uint8_t)(value->duration_s >> 24),
        (uint8_t)(value->duration_s >> 16),
        (uint8_t)(value->duration_s >> 8),
        (uint8_t)value->duration_s,
        0, /* reserved */
        value->flags & 1u,
    };
    return mt_tlv_write((uint16_t)type, octets,
                        is_grant       ? 8
                        : has_duration ? 6
                                       : 2,
                        buffer, capacity);
}

bool mt_tlv_parse_l1_sync(const struct mt_tlv *tlv, uint16_t *ret_flags)
{
    struct mt_reader r;

    if (tlv->type != MT_TLV_L1_SYNC || tlv->length < 2) {
        return false;
    }
    mt_reader_init(&r, tlv->value, tlv->length);
    *ret_flags = mt_reader_u16(&r);
    return true;
}

bool mt_tlv_parse_cumulative_rate_ratio(const struct mt_tlv *tlv, int32_t *ret_scaled)
{
    struct mt_reader r;

    if (tlv->type != MT_TLV_CUMULATIVE_RATE_RATIO || tlv->length < 4) {
        return false;
    }
    mt_reader_init(&r, tlv->value, tlv->length);
    *ret_scaled = mt_reader_i32(&r);
    return true;
}

bool mt_tlv_parse_authentication(const struct mt_tlv *tlv, struct mt_tlv_authentication *ret_value)
{
    struct mt_reader r;
    struct mt_tlv_authentication value;
    size_t length;

    mt_reader_init(&r, tlv->value, tlv->length);
    value.spp = mt_reader_u8(&r);
    value.flags = mt_reader_u8(&r);
    value.key_id = mt_reader_u32(&r);
    value.rest = mt_reader_rest(&r, &length);
    value.rest_length = (uint16_t)length;
    if (tlv->type != MT_TLV_AUTHENTICATION || r.failed) {
        return false;
    }
    *ret_value = value;
    return true;
}

bool mt_tlv_parse_protocol_address(const struct mt_tlv *tlv, struct mt_tlv_port_address *ret_value)
{
    struct mt_reader r;
    struct mt_tlv_port_address value;

    mt_reader_init(&r, tlv->value, tlv->length);
    value.protocol = mt_reader_u16(&r);
    value.length = mt_reader_u16(&r);
    value.address = mt_reader_octets(&r, value.length);
    if (tlv->type != MT_TLV_PROTOCOL_ADDRESS || r.failed) {
        return false;
    }
    *ret_value = value;
    return true;
}
