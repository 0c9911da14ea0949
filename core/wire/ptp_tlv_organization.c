/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * TLVs that other organisations define inside the three ORGANIZATION_EXTENSION types.  Which of
 * the three carries them differs between editions (802.1AS-2011 and -2020, for example), so it
 * is not looked at: organizationId and subtype say what it is.
 */
#include "meantime/ptp_tlv.h"

#include "base/cursor.h"
#include "base/memory.h"
#include "wire/fields.h"

#define AS_FOLLOW_UP_INFORMATION    1
#define AS_MESSAGE_INTERVAL_REQUEST 2
#define AS_GPTP_CAPABLE             4
#define POWER_2011                  1
#define POWER_2017                  2
#define SMPTE_METADATA              1
#define ITU_INTERFACE_RATE          2
#define FOLLOW_UP_DATA              22
#define SMPTE_DATA                  42
#define INTERFACE_RATE_DATA         12

bool mt_tlv_parse_organization(const struct mt_tlv *tlv, struct mt_tlv_organization *ret_value)
{
    struct mt_reader r;
    struct mt_tlv_organization value;
    size_t length;

    if (tlv->type != MT_TLV_ORGANIZATION_EXTENSION &&
        tlv->type != MT_TLV_ORGANIZATION_EXTENSION_PROPAGATE &&
        tlv->type != MT_TLV_ORGANIZATION_EXTENSION_DO_NOT_PROPAGATE) {
        return false;
    }
    mt_reader_init(&r, tlv->value, tlv->length);
    value.oui = mt_reader_u24(&r);
    value.subtype = mt_reader_u24(&r);
    value.data = mt_reader_rest(&r, &length);
    value.length = (uint16_t)length;
    if (r.failed) {
        return false;
    }
    *ret_value = value;
    return true;
}

/* a reader of the data if the TLV is one of `oui`; the subtype, else 0, which none of them is */
static uint32_t open_data(const struct mt_tlv *tlv, uint32_t oui, struct mt_reader *ret_reader)
{
    struct mt_tlv_organization organization;

    if (!mt_tlv_parse_organization(tlv, &organization) || organization.oui != oui) {
        return 0;
    }
    mt_reader_init(ret_reader, organization.data, organization.length);
    return organization.subtype;
}

static const struct mt_field follow_up_fields[] = {
    MT_FIELD(struct mt_tlv_follow_up_information, cumulative_scaled_rate_offset), /* 0 */
    MT_FIELD(struct mt_tlv_follow_up_information, gm_time_base_indicator),        /* 4 */
    MT_FIELD_OCTETS(struct mt_tlv_follow_up_information, last_gm_phase_change),   /* 6 */
    MT_FIELD(struct mt_tlv_follow_up_information, scaled_last_gm_freq_change),    /* 18 */
};

bool mt_tlv_parse_follow_up_information(const struct mt_tlv *tlv,
                                        struct mt_tlv_follow_up_information *ret_value)
{
    struct mt_reader r;

    if (open_data(tlv, MT_OUI_IEEE_802_1, &r) != AS_FOLLOW_UP_INFORMATION ||
        r.left < FOLLOW_UP_DATA) {
        return false;
    }
    mt_fields_move(MT_FROM_WIRE, follow_up_fields, (uint8_t *)r.at, FOLLOW_UP_DATA, ret_value);
    return true;
}

size_t mt_tlv_write_follow_up_information(const struct mt_tlv_follow_up_information *value,
                                          uint8_t *buffer, size_t capacity)
{
    static const uint8_t head[] = {
        0, MT_TLV_ORGANIZATION_EXTENSION, 0, 6 + FOLLOW_UP_DATA, 0x00, 0x80, 0xC2, 0,
        0, AS_FOLLOW_UP_INFORMATION};

    if (capacity < sizeof head + FOLLOW_UP_DATA) {
        return 0;
    }
    memcpy(buffer, head, sizeof head);
    mt_fields_move(MT_TO_WIRE, follow_up_fields, buffer + sizeof head, FOLLOW_UP_DATA,
                   (void *)value);
    return sizeof head + FOLLOW_UP_DATA;
}

bool mt_tlv_parse_message_interval_request(const struct mt_tlv *tlv,
                                           struct mt_tlv_message_interval_request *ret_value)
{
    struct mt_reader r;
    struct mt_tlv_message_interval_request value;

    if (open_data(tlv, MT_OUI_IEEE_802_1, &r) != AS_MESSAGE_INTERVAL_REQUEST) {
        return false;
    }
    value.log_link_delay = mt_reader_i8(&r);
    value.log_time_sync = mt_reader_i8(&r);
    value.log_announce = mt_reader_i8(&r);
    value.flags = mt_reader_u8(&r);
    if (r.failed) {
        return false;
    }
    *ret_value = value;
    return true;
}

bool mt_tlv_parse_gptp_capable(const struct mt_tlv *tlv, struct mt_tlv_gptp_capable *ret_value)
{
    struct mt_reader r;
    struct mt_tlv_gptp_capable value;

    if (open_data(tlv, MT_OUI_IEEE_802_1, &r) != AS_GPTP_CAPABLE) {
        return false;
    }
    value.log_message_interval = mt_reader_i8(&r);
    value.flags = mt_reader_u8(&r);
    if (r.failed) {
        return false;
    }
    *ret_value = value;
    return true;
}

static uint32_t sum_saturated(uint32_t a, uint32_t b)
{
    return a > UINT32_MAX - b ? UINT32_MAX : a + b;
}

/* A 2011 form that was cut short by its own lengthField lacks the network's share: that is then
 * the largest, which the standard reads as unknown. */
static void read_power_2011(struct mt_reader *r, struct mt_tlv_power *power)
{
    power->gm_inaccuracy_ns = mt_reader_u32(r);
    power->network_inaccuracy_ns = r->left > 0 ? mt_reader_u32(r) : UINT32_MAX;
    power->total_inaccuracy_ns =
        sum_saturated(power->gm_inaccuracy_ns, power->network_inaccuracy_ns);
}

bool mt_tlv_parse_power(const struct mt_tlv *tlv, struct mt_tlv_power *ret_value)
{
    struct mt_reader r;
    struct mt_tlv_power value = {0};
    uint32_t subtype = open_data(tlv, MT_OUI_IEEE_C37_238, &r);

    if (subtype != POWER_2011 && subtype != POWER_2017) {
        return false;
    }
    value.grandmaster_id = mt_reader_u16(&r);
    if (subtype == POWER_2011) {
        read_power_2011(&r, &value);
    } else {
        value.year_2017 = 1;
        (void)mt_reader_u32(&r); /* reserved */
        value.total_inaccuracy_ns = mt_reader_u32(&r);
    }
    if (r.failed) {
        return false;
    }
    *ret_value = value;
    return true;
}

static const struct mt_field smpte_fields[] = {
    MT_FIELDS(2, struct mt_tlv_smpte, rate_numerator),    /* 0 */
    MT_FIELDS(2, struct mt_tlv_smpte, locking),           /* 8 */
    MT_FIELDS(2, struct mt_tlv_smpte, local_offset_s),    /* 10 */
    MT_FIELD_48(struct mt_tlv_smpte, next_jump_s),        /* 18 */
    MT_FIELD_48(struct mt_tlv_smpte, next_jam_s),         /* 24 */
    MT_FIELD_48(struct mt_tlv_smpte, previous_jam_s),     /* 30 */
    MT_FIELD(struct mt_tlv_smpte, previous_jam_offset_s), /* 36 */
    MT_FIELDS(2, struct mt_tlv_smpte, daylight_saving),   /* 40 */
};

bool mt_tlv_parse_smpte(const struct mt_tlv *tlv, struct mt_tlv_smpte *ret_value)
{
    struct mt_reader r;
    struct mt_tlv_smpte value = {0};

    if (open_data(tlv, MT_OUI_SMPTE, &r) != SMPTE_METADATA || r.left < SMPTE_DATA) {
        return false;
    }
    mt_fields_move(MT_FROM_WIRE, smpte_fields, (uint8_t *)r.at, SMPTE_DATA, &value);
    *ret_value = value;
    return true;
}

size_t mt_tlv_write_smpte(const struct mt_tlv_smpte *value, uint8_t *buffer, size_t capacity)
{
    static const uint8_t head[] = {0,    MT_TLV_ORGANIZATION_EXTENSION,
                                   0,    6 + SMPTE_DATA,
                                   0x68, 0x97,
                                   0xE8, 0,
                                   0,    SMPTE_METADATA};

    if (capacity < sizeof head + SMPTE_DATA) {
        return 0;
    }
    memcpy(buffer, head, sizeof head);
    mt_fields_move(MT_TO_WIRE, smpte_fields, buffer + sizeof head, SMPTE_DATA, (void *)value);
    return sizeof head + SMPTE_DATA;
}

static const struct mt_field interface_rate_fields[] = {
    MT_FIELD(struct mt_tlv_interface_rate, bit_period_as),   /* 0 */
    MT_FIELDS(2, struct mt_tlv_interface_rate, bits_before), /* 8 */
};

bool mt_tlv_parse_interface_rate(const struct mt_tlv *tlv, struct mt_tlv_interface_rate *ret_value)
{
    struct mt_reader r;

    if (open_data(tlv, MT_OUI_ITU_T, &r) != ITU_INTERFACE_RATE || r.left < INTERFACE_RATE_DATA) {
        return false;
    }
    mt_fields_move(MT_FROM_WIRE, interface_rate_fields, (uint8_t *)r.at, INTERFACE_RATE_DATA,
                   ret_value);
    return true;
}

size_t mt_tlv_write_interface_rate(const struct mt_tlv_interface_rate *value, uint8_t *buffer,
                                   size_t capacity)
{
    static const uint8_t head[] = {0,    MT_TLV_ORGANIZATION_EXTENSION,
                                   0,    6 + INTERFACE_RATE_DATA,
                                   0x00, 0x19,
                                   0xA7, 0,
                                   0,    ITU_INTERFACE_RATE};

    if (capacity < sizeof head + INTERFACE_RATE_DATA) {
        return 0;
    }
    memcpy(buffer, head, sizeof head);
    mt_fields_move(MT_TO_WIRE, interface_rate_fields, buffer + sizeof head, INTERFACE_RATE_DATA,
                   (void *)value);
    return sizeof head + INTERFACE_RATE_DATA;
}
