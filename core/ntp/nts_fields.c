/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The fields of NTS.  The authenticator covers all of the packet that is before it, and says itself
 * how long its nonce and what it seals are, each padded to four octets; behind them there may be
 * more padding, which lets an answer have a longer nonce than its question [RFC 8915 5.6].
 */
#include "base/memory.h"
#include "ntp/nts_private.h"
#include "wire/fields.h"

#define LENGTHS        4 /* octets of the lengths before the nonce */
#define GCM_NONCE_SIZE 12

/* ---- finding --------------------------------------------------------------------------------- */

static void note(uint8_t *count, struct mt_ntp_extension *place,
                 const struct mt_ntp_extension *found)
{
    if (*count < UINT8_MAX) {
        (*count)++;
    }
    *place = *found;
}

void mt_nts_find(const struct mt_ntp_packet *packet, struct mt_nts_fields *ret_fields)
{
    const uint8_t *at = packet->extensions;
    size_t left = packet->extensions_length;
    struct mt_ntp_extension field;
    memset(ret_fields, 0, sizeof *ret_fields);
    while (!ret_fields->has_authenticator && mt_ntp_extension_next(&at, &left, &field)) {
        if (field.type == MT_NTP_EXT_UNIQUE_IDENTIFIER) {
            note(&ret_fields->unique_count, &ret_fields->unique, &field);
        } else if (field.type == MT_NTP_EXT_NTS_COOKIE) {
            note(&ret_fields->cookie_count, &ret_fields->cookie, &field);
        } else if (field.type == MT_NTP_EXT_NTS_AUTHENTICATOR) {
            ret_fields->authenticator = field;
            ret_fields->has_authenticator = true;
        }
    }
}

uint8_t mt_nts_count_placeholders(const struct mt_ntp_packet *packet, size_t length)
{
    const uint8_t *at = packet->extensions;
    size_t left = packet->extensions_length;
    struct mt_ntp_extension field;
    uint8_t count = 0;
    while (mt_ntp_extension_next(&at, &left, &field) &&
           field.type != MT_NTP_EXT_NTS_AUTHENTICATOR) {
        if (field.type == MT_NTP_EXT_NTS_PLACEHOLDER && field.length >= length &&
            count < UINT8_MAX) {
            count++;
        }
    }
    return count;
}

/* ---- the authenticator ----------------------------------------------------------------------- */

static size_t padded(size_t length)
{
    return (length + 3) & ~(size_t)3;
}

static size_t nonce_size(enum mt_aead aead)
{
    return aead == MT_AEAD_AES128_GCM_SIV ? GCM_NONCE_SIZE : MT_NTS_NONCE_SIZE;
}

size_t mt_nts_seal(const struct mt_crypto *crypto, enum mt_aead aead, const uint8_t *key,
                   const uint8_t nonce[MT_NTS_NONCE_SIZE], const struct mt_piece *plain,
                   uint8_t *packet, size_t length, size_t capacity)
{
    size_t nonce_length = nonce_size(aead);
    size_t sealed_length = plain->length + MT_AEAD_TAG;
    /* as much as the longest nonce takes, whichever is used */
    size_t size = MT_NTS_AUTHENTICATOR_HEAD + padded(sealed_length);
    const struct mt_piece associated[] = {{packet, length}, {nonce, nonce_length}};
    uint8_t *at = packet + length;
    if (length > capacity || size > capacity - length || crypto->seal == NULL) {
        return 0;
    }
    memset(at, 0, size);
    mt_octets_put_u16(at, MT_NTP_EXT_NTS_AUTHENTICATOR);
    mt_octets_put_u16(at + 2, (uint16_t)size);
    mt_octets_put_u16(at + 4, (uint16_t)nonce_length);
    mt_octets_put_u16(at + 6, (uint16_t)sealed_length);
    at += MT_NTP_EXTENSION_HEAD + LENGTHS;
    memcpy(at, nonce, nonce_length);
    if (!crypto->seal(aead, key, mt_aead_key_size(aead), associated, 2, plain,
                      at + padded(nonce_length))) {
        return 0;
    }
    return length + size;
}

bool mt_nts_open(const struct mt_crypto *crypto, enum mt_aead aead, const uint8_t *key,
                 const uint8_t *octets, const struct mt_ntp_extension *authenticator,
                 uint8_t *ret_plain, size_t *ret_length)
{
    const uint8_t *value = authenticator->value;
    const uint8_t *end = value - MT_NTP_EXTENSION_HEAD; /* of what is authenticated */
    if (authenticator->length < LENGTHS || crypto->open == NULL) {
        return false;
    }
    size_t nonce_length = mt_octets_u16(value);
    size_t sealed_length = mt_octets_u16(value + 2);
    if (nonce_length == 0 || sealed_length < MT_AEAD_TAG ||
        LENGTHS + padded(nonce_length) + padded(sealed_length) > authenticator->length) {
        return false;
    }
    const uint8_t *nonce = value + LENGTHS;
    const struct mt_piece associated[] = {{octets, (size_t)(end - octets)}, {nonce, nonce_length}};
    const struct mt_piece sealed = {nonce + padded(nonce_length), sealed_length};
    *ret_length = sealed_length - MT_AEAD_TAG;
    return *ret_length <= MT_NTP_PACKET_MAX &&
           crypto->open(aead, key, mt_aead_key_size(aead), associated, 2, &sealed, ret_plain);
}
