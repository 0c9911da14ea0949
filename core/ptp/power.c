/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The TLV of C37.238 in Announce messages: who the grandmaster is, and how wrong the time may be.
 * A boundary clock passes on what it hears of its parent and adds its own part, saturating: a sum
 * that does not fit is unknown, never small.  The 2011 TLV is sent with its true length; what the
 * 2011 text has (12) is understood.
 */
#include "ptp/profile_private.h"

#define TLV_HEAD  10 /* type, length, organisation, subtype */
#define DATA_2011 12
#define DATA_2017 12

static uint32_t sum_ns(uint32_t a, uint32_t b)
{
    return a > UINT32_MAX - b ? UINT32_MAX : a + b;
}

static void put_u32(uint8_t *at, uint32_t value)
{
    at[0] = (uint8_t)(value >> 24);
    at[1] = (uint8_t)(value >> 16);
    at[2] = (uint8_t)(value >> 8);
    at[3] = (uint8_t)value;
}

/* C37.238-2011: who does not tell the local time is no transmitter. */
static bool tells_zone(const struct mt_ptp_message *announce)
{
    const uint8_t *tlvs = announce->tlvs;
    size_t length = announce->tlvs_length;
    struct mt_tlv tlv;
    struct mt_tlv_alternate_time_offset zone;
    while (mt_tlv_next(&tlvs, &length, &tlv)) {
        if (mt_tlv_parse_alternate_time_offset(&tlv, &zone)) {
            return true;
        }
    }
    return false;
}

static bool rx(struct mt_instance *self, struct mt_port *port, struct mt_incoming *in,
               enum mt_verdict *ret_verdict)
{
    struct mt_profile *profile = mt_profile_of(self);
    const uint8_t *tlvs = in->message.tlvs;
    size_t length = in->message.tlvs_length;
    struct mt_tlv tlv;
    if (profile == NULL || in->message.header.type != MT_PTP_ANNOUNCE ||
        !mt_profile_concerns(self, port, &in->message.header)) {
        return false;
    }
    if (profile->demands_zone && !tells_zone(&in->message)) {
        *ret_verdict = MT_VERDICT_NOT_ACCEPTABLE;
        return true;
    }
    if (self->receiving_port == 0 || !mt_is_parent(self, &in->message.header.source)) {
        return false;
    }
    profile->has_parent_power = false;
    while (mt_tlv_next(&tlvs, &length, &tlv)) {
        if (mt_tlv_parse_power(&tlv, &profile->parent_power)) {
            profile->has_parent_power = true;
        }
    }
    return false;
}

static struct mt_mono settle(struct mt_instance *self)
{
    struct mt_profile *profile = mt_profile_of(self);
    if (profile != NULL && self->receiving_port == 0) {
        profile->has_parent_power = false;
    }
    return MT_MONO_NEVER;
}

/* The 2017 form has one sum of all, the network's share with it. */
static uint32_t gm_inaccuracy_of(const struct mt_tlv_power *parent)
{
    return parent->year_2017 != 0 ? parent->total_inaccuracy_ns : parent->gm_inaccuracy_ns;
}

static void write_data(const struct mt_profile *profile, uint8_t *data)
{
    const struct mt_power_profile *own = &profile->power;
    const struct mt_tlv_power *parent = &profile->parent_power;
    bool follows = profile->has_parent_power;
    uint16_t grandmaster = follows ? parent->grandmaster_id : own->grandmaster_id;
    data[0] = (uint8_t)(grandmaster >> 8);
    data[1] = (uint8_t)grandmaster;
    if (own->version == MT_POWER_2017) {
        put_u32(data + 6, follows ? sum_ns(parent->total_inaccuracy_ns, own->total_inaccuracy_ns)
                                  : own->total_inaccuracy_ns);
        return;
    }
    put_u32(data + 2, follows ? gm_inaccuracy_of(parent) : own->gm_inaccuracy_ns);
    put_u32(data + 6, follows ? sum_ns(parent->network_inaccuracy_ns, own->network_inaccuracy_ns)
                              : own->network_inaccuracy_ns);
}

static void finish(struct mt_instance *self, struct mt_outgoing *out, struct mt_tx *tx)
{
    const struct mt_profile *profile = mt_profile_of(self);
    uint8_t tlv[TLV_HEAD + DATA_2017] = {
        0, MT_TLV_ORGANIZATION_EXTENSION, 0, sizeof tlv - 4, 0x1C, 0x12, 0x9D};
    if (profile == NULL || profile->power.version == MT_POWER_NONE || out->is_forwarded ||
        out->message.header.type != MT_PTP_ANNOUNCE || tx->length + sizeof tlv > out->capacity) {
        return;
    }
    tlv[TLV_HEAD - 1] = profile->power.version == MT_POWER_2017 ? 2 : 1;
    write_data(profile, tlv + TLV_HEAD);
    memcpy(out->buffer + tx->length, tlv, sizeof tlv);
    mt_frame_appended(out, tx, sizeof tlv);
}

static bool is_used(const struct mt_instance_more *instance, const struct mt_port_more *port)
{
    (void)port;
    return instance->profile != NULL &&
           (instance->profile->power.version != MT_POWER_NONE || instance->profile->demands_zone);
}

const struct mt_extension mt_power_extension = {
    .rx = rx,
    .settle = settle,
    .finish = finish,
    .is_used = is_used,
};
