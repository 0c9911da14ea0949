/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Codes by symmetric keys.  The old kinds are plain digests of the key and then the packet, which
 * is how everybody does it and not how one would do it now; CMAC is.
 */
#include "meantime/ntp_key.h"

#include "base/memory.h"
#include "wire/fields.h"

#define ID_SIZE     4
#define DIGEST_CUT  20 /* octets of a digest in version 4, at most; and SHA-1 */
#define CMAC_SIZE   16
#define MD5_SIZE    16
#define SHA256_SIZE 32
#define SHA512_SIZE 64

const struct mt_ntp_key *mt_ntp_key_find(const struct mt_ntp_keys *keys, uint32_t id)
{
    for (uint16_t i = 0; keys != NULL && id != 0 && i < keys->count; i++) {
        if (keys->key[i].id == id) {
            return &keys->key[i];
        }
    }
    return NULL;
}

static size_t digest_size(enum mt_ntp_key_kind kind)
{
    switch (kind) {
    case MT_NTP_KEY_AES128_CMAC:
    case MT_NTP_KEY_AES256_CMAC:
        return CMAC_SIZE;
    case MT_NTP_KEY_MD5:
        return MD5_SIZE;
    case MT_NTP_KEY_SHA256:
        return SHA256_SIZE;
    case MT_NTP_KEY_SHA512:
        return SHA512_SIZE;
    case MT_NTP_KEY_SHA1:
        break;
    }
    return DIGEST_CUT;
}

size_t mt_ntp_key_code_size(const struct mt_ntp_key *key, uint8_t version)
{
    size_t size = digest_size(key->kind);
    return ID_SIZE + (version >= MT_NTP_VERSION && size > DIGEST_CUT ? DIGEST_CUT : size);
}

static bool digest(const struct mt_crypto *crypto, enum mt_digest kind,
                   const struct mt_ntp_key *key, const struct mt_piece *packet, uint8_t *ret_octets)
{
    const struct mt_piece pieces[] = {{key->octets, key->length}, *packet};
    return crypto->digest != NULL && crypto->digest(kind, pieces, 2, ret_octets);
}

static bool make(const struct mt_crypto *crypto, const struct mt_ntp_key *key,
                 const uint8_t *octets, size_t length, uint8_t ret_digest[MT_DIGEST_SIZE])
{
    const struct mt_piece packet = {octets, length};
    switch (key->kind) {
    case MT_NTP_KEY_AES128_CMAC:
        return crypto->mac(MT_MAC_AES128_CMAC, key->octets, key->length, &packet, 1, ret_digest);
    case MT_NTP_KEY_AES256_CMAC:
        return crypto->mac(MT_MAC_AES256_CMAC, key->octets, key->length, &packet, 1, ret_digest);
    case MT_NTP_KEY_SHA1:
        return digest(crypto, MT_DIGEST_SHA1, key, &packet, ret_digest);
    case MT_NTP_KEY_SHA256:
        return digest(crypto, MT_DIGEST_SHA256, key, &packet, ret_digest);
    case MT_NTP_KEY_SHA512:
        return digest(crypto, MT_DIGEST_SHA512, key, &packet, ret_digest);
    case MT_NTP_KEY_MD5:
        return digest(crypto, MT_DIGEST_MD5, key, &packet, ret_digest);
    }
    return false;
}

size_t mt_ntp_key_sign(const struct mt_ntp_keys *keys, const struct mt_ntp_key *key,
                       uint8_t *packet, size_t length, size_t capacity)
{
    uint8_t octets[MT_DIGEST_SIZE];
    size_t size = mt_ntp_key_code_size(key, packet[0] >> 3 & 7);
    if (size > capacity - length || capacity < length ||
        !make(keys->crypto, key, packet, length, octets)) {
        return 0;
    }
    mt_octets_put_u16(packet + length, (uint16_t)(key->id >> 16));
    mt_octets_put_u16(packet + length + 2, (uint16_t)key->id);
    memcpy(packet + length + ID_SIZE, octets, size - ID_SIZE);
    return size;
}

static bool is_equal(const uint8_t *a, const uint8_t *b, size_t length)
{
    unsigned difference = 0;
    for (size_t i = 0; i < length; i++) {
        difference |= (unsigned)(a[i] ^ b[i]);
    }
    return difference == 0;
}

const struct mt_ntp_key *mt_ntp_key_verify(const struct mt_ntp_keys *keys, const uint8_t *octets,
                                           const struct mt_ntp_packet *packet)
{
    uint8_t right[MT_DIGEST_SIZE];
    if (packet->mac_length <= ID_SIZE) {
        return NULL;
    }
    const struct mt_ntp_key *key = mt_ntp_key_find(keys, mt_octets_u32(packet->mac));
    if (key == NULL || packet->mac_length != mt_ntp_key_code_size(key, packet->header.version) ||
        !make(keys->crypto, key, octets, (size_t)(packet->mac - octets), right) ||
        !is_equal(right, packet->mac + ID_SIZE, packet->mac_length - ID_SIZE)) {
        return NULL;
    }
    return key;
}
