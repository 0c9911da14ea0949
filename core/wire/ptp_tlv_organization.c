/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * TLVs that other organisations define inside the three ORGANIZATION_EXTENSION types.  Which of
 * the three carries them differs between editions (802.1AS-2011 and -2020, for example), so it
 * is not looked at: organizationId and subtype say what it is.
 */
#include "meantime/ptp_tlv.h"

#include "base/cursor.h"
#include "base/memory.h"

#define AS_FOLLOW_UP_INFORMATION    1
#define AS_MESSAGE_INTERVAL_REQUEST 2
#define AS_GPTP_CAPABLE             4
#define AS_GPTP_INTERVAL_REQUEST    5
#define POWER_2011                  1
#define POWER_2017                  2
#define FOLLOW_UP_VALUE             28
#define KEEP_INTERVAL               (-128)

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

bool mt_tlv_parse_follow_up_information(const struct mt_tlv *tlv,
                                        struct mt_tlv_follow_up_information *ret_value)
{
    struct mt_reader r;
    const uint8_t *phase_change;

    if (open_data(tlv, MT_OUI_IEEE_802_1, &r) != AS_FOLLOW_UP_INFORMATION ||
        tlv->length < FOLLOW_UP_VALUE) {
        return false;
    }
    ret_value->cumulative_scaled_rate_offset = mt_reader_i32(&r);
    ret_value->gm_time_base_indicator = mt_reader_u16(&r);
    phase_change = mt_reader_octets(&r, sizeof ret_value->last_gm_phase_change);
    memcpy(ret_value->last_gm_phase_change, phase_change, sizeof ret_value->last_gm_phase_change);
    ret_value->scaled_last_gm_freq_change = mt_reader_i32(&r);
    return true;
}

size_t mt_tlv_write_follow_up_information(const struct mt_tlv_follow_up_information *value,
                                          uint8_t *buffer, size_t capacity)
{
    struct mt_writer w;

    mt_writer_init(&w, buffer, capacity);
    mt_writer_u16(&w, MT_TLV_ORGANIZATION_EXTENSION);
    mt_writer_u16(&w, FOLLOW_UP_VALUE);
    mt_writer_u24(&w, MT_OUI_IEEE_802_1);
    mt_writer_u24(&w, AS_FOLLOW_UP_INFORMATION);
    mt_writer_i32(&w, value->cumulative_scaled_rate_offset);
    mt_writer_u16(&w, value->gm_time_base_indicator);
    mt_writer_octets(&w, value->last_gm_phase_change, sizeof value->last_gm_phase_change);
    mt_writer_i32(&w, value->scaled_last_gm_freq_change);
    return mt_writer_length(&w);
}

bool mt_tlv_parse_message_interval_request(const struct mt_tlv *tlv,
                                           struct mt_tlv_message_interval_request *ret_value)
{
    struct mt_reader r;
    struct mt_tlv_message_interval_request value = {KEEP_INTERVAL, KEEP_INTERVAL, KEEP_INTERVAL, 0};
    uint32_t subtype = open_data(tlv, MT_OUI_IEEE_802_1, &r);

    if (subtype != AS_MESSAGE_INTERVAL_REQUEST && subtype != AS_GPTP_INTERVAL_REQUEST) {
        return false;
    }
    value.log_link_delay = mt_reader_i8(&r);
    if (subtype == AS_MESSAGE_INTERVAL_REQUEST) {
        value.log_time_sync = mt_reader_i8(&r);
        value.log_announce = mt_reader_i8(&r);
        value.flags = mt_reader_u8(&r);
    }
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
