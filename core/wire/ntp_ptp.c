/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * NTP in PTP messages, as octets.  What is sent is always a Delay_Req of version 2.0 with one
 * organization extension TLV; as draft-ietf-ntp-over-ptp wants it, Sync, version 2.1 and the TLV
 * type that is not to be propagated are understood as well.
 *
 *      0  messageType, versionPTP, messageLength, domainNumber 123, minorSdoId
 *      6  flags: unicast
 *      8  correctionField, messageTypeSpecific, sourcePortIdentity, sequenceId ...
 *     34  originTimestamp 0
 *     44  TLV type and length, 00-00-5E-00-00-01, 2 octets to align
 *     56  NTP
 * The early form has NTP in a TLV of a type of its own, at 48.
 */
#include "meantime/ntp_ptp.h"

#include "base/memory.h"
#include "wire/fields.h"

#define SYNC                    0
#define DELAY_REQ               1
#define VERSION                 2
#define MINOR_MOST              1
#define UNICAST                 0x04
#define CONTROL_DELAY_REQ       1
#define NO_INTERVAL             0x7F
#define TLV                     44
#define TLV_HEAD                4
#define TLV_EARLY               0x2023
#define TLV_ORGANIZATION        0x0003
#define TLV_ORGANIZATION_NO_FWD 0x8000
#define CORRECTION_MOST_S       86400
#define SECOND_Q16              INT64_C(65536000000000)
#define FRACTION_UP             1953125 /* 2^-32 s is 1953125 / 128 of 2^-16 ns */
#define FRACTION_DOWN           128

static const uint8_t organization[] = {0x00, 0x00, 0x5E, 0x00, 0x00, 0x01};

static uint64_t get_u64(const uint8_t *octets)
{
    return (uint64_t)mt_octets_u32(octets) << 32 | mt_octets_u32(octets + 4);
}

static void put_u16(uint8_t *octets, size_t value)
{
    octets[0] = (uint8_t)(value >> 8);
    octets[1] = (uint8_t)value;
}

/* ---- the message ----------------------------------------------------------------------------- */

static bool is_carrier(const uint8_t *octets)
{
    uint8_t minor = octets[1] >> 4;
    bool is_type = octets[0] == SYNC || octets[0] == DELAY_REQ; /* and majorSdoId 0 */
    bool is_version = (octets[1] & 0xFu) == VERSION && minor <= MINOR_MOST;
    return is_type && is_version && octets[4] == MT_NTP_PTP_DOMAIN &&
           (minor == 0 || octets[5] == 0);
}

size_t mt_ntp_ptp_head(enum mt_ntp_ptp_form form)
{
    return form == MT_NTP_PTP_EARLY ? TLV + TLV_HEAD : MT_NTP_PTP_HEAD;
}

/* False if it is no TLV with NTP in it. */
static bool find_form(const uint8_t *octets, size_t length, enum mt_ntp_ptp_form *ret_form)
{
    uint16_t type = mt_octets_u16(octets + TLV);
    bool is_organization = type == TLV_ORGANIZATION || type == TLV_ORGANIZATION_NO_FWD;
    *ret_form = type == TLV_EARLY ? MT_NTP_PTP_EARLY : MT_NTP_PTP_DRAFT;
    return type == TLV_EARLY ||
           (is_organization && length >= MT_NTP_PTP_HEAD &&
            memcmp(octets + TLV + TLV_HEAD, organization, sizeof organization) == 0);
}

bool mt_ntp_ptp_parse(const uint8_t *octets, size_t length, struct mt_ntp_ptp *ret_message)
{
    enum mt_ntp_ptp_form form;
    if (length < TLV + TLV_HEAD || !is_carrier(octets) || !find_form(octets, length, &form)) {
        return false;
    }
    size_t whole = mt_octets_u16(octets + 2);
    size_t value = mt_octets_u16(octets + TLV + 2);
    size_t fixed = mt_ntp_ptp_head(form) - TLV - TLV_HEAD;
    if (whole > length || value < fixed || TLV + TLV_HEAD + value > whole) {
        return false;
    }
    *ret_message = (struct mt_ntp_ptp){
        .form = form,
        .packet = octets + mt_ntp_ptp_head(form),
        .length = value - fixed,
        .sequence_id = mt_octets_u16(octets + 30),
        .correction = {(int64_t)get_u64(octets + 8)},
    };
    return true;
}

size_t mt_ntp_ptp_write(enum mt_ntp_ptp_form form, uint16_t sequence_id, size_t length,
                        uint8_t *octets, size_t capacity)
{
    size_t head = mt_ntp_ptp_head(form);
    bool is_early = form == MT_NTP_PTP_EARLY;
    if (length > UINT16_MAX - head || head + length > capacity) {
        return 0;
    }
    memset(octets, 0, head);
    octets[0] = DELAY_REQ;
    octets[1] = VERSION;
    put_u16(octets + 2, head + length);
    octets[4] = MT_NTP_PTP_DOMAIN;
    octets[6] = UNICAST;
    put_u16(octets + 30, sequence_id);
    octets[32] = CONTROL_DELAY_REQ;
    octets[33] = NO_INTERVAL;
    put_u16(octets + TLV, is_early ? TLV_EARLY : TLV_ORGANIZATION);
    put_u16(octets + TLV + 2, head - TLV - TLV_HEAD + length);
    if (!is_early) {
        memcpy(octets + TLV + TLV_HEAD, organization, sizeof organization);
    }
    return head + length;
}

/* ---- the extension field --------------------------------------------------------------------- */

size_t mt_ntp_correction_write(struct mt_interval correction, uint8_t *octets, size_t capacity)
{
    uint8_t value[8];
    int64_t s = correction.q16 / SECOND_Q16 - (correction.q16 % SECOND_Q16 < 0);
    int64_t rest_q16 = correction.q16 - s * SECOND_Q16;
    int64_t number = s * (INT64_C(1) << 32) + rest_q16 * FRACTION_DOWN / FRACTION_UP;
    if (s > CORRECTION_MOST_S || s < -CORRECTION_MOST_S) {
        return 0;
    }
    for (unsigned i = 0; i < sizeof value; i++) {
        value[i] = (uint8_t)((uint64_t)number >> (56 - 8 * i));
    }
    return mt_ntp_extension_write(MT_NTP_EXT_NETWORK_CORRECTION, value, sizeof value,
                                  MT_NTP_EXTENSION_LAST, octets, capacity);
}

bool mt_ntp_correction_read(const struct mt_ntp_packet *packet, struct mt_interval *ret_correction)
{
    struct mt_ntp_extension field = {0};
    const uint8_t *at = packet->extensions;
    size_t left = packet->extensions_length;
    while (field.type != MT_NTP_EXT_NETWORK_CORRECTION) {
        if (!mt_ntp_extension_next(&at, &left, &field) ||
            field.type == MT_NTP_EXT_NTS_AUTHENTICATOR) { /* what follows anybody may have put */
            return false;
        }
    }
    if (field.length != MT_NTP_EXTENSION_LAST - MT_NTP_EXTENSION_HEAD) {
        return false;
    }
    int64_t s = (int32_t)mt_octets_u32(field.value);
    int64_t fraction = mt_octets_u32(field.value + 4);
    ret_correction->q16 = s * (s > CORRECTION_MOST_S || s < -CORRECTION_MOST_S ? 0 : SECOND_Q16) +
                          (fraction * FRACTION_UP + FRACTION_DOWN / 2) / FRACTION_DOWN;
    return s <= CORRECTION_MOST_S && s >= -CORRECTION_MOST_S;
}
