/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What the core asks of cryptography: a table of pure functions that the application hands over at
 * init; null where authentication is not built in.  On Linux crypto/ fills it from nettle; firmware
 * may use what its chip has.  The functions neither keep nor change what they are given.
 * Thread rule: pure functions; any thread.
 */
#ifndef MEANTIME_CRYPTO_H
#define MEANTIME_CRYPTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Message authentication codes. */
enum mt_mac_kind {
    MT_MAC_HMAC_SHA256_128, /**< HMAC-SHA256, the first 128 bits [RFC 4868] */
    MT_MAC_HMAC_SHA256,
    MT_MAC_AES128_CMAC, /**< RFC 4493 */
    MT_MAC_AES256_CMAC,
};
#define MT_MAC_COUNT   4
#define MT_MAC_SIZE    32 /**< octets of the longest code */
#define MT_MAC_KEY_MAX 64 /**< octets of the longest key */

/** Plain digests, for what cannot be changed any more. */
enum mt_digest { MT_DIGEST_MD5, MT_DIGEST_SHA1, MT_DIGEST_SHA256, MT_DIGEST_SHA512 };
#define MT_DIGEST_SIZE 64 /**< octets of the longest one */

/** Authenticated encryption, by the numbers that IANA gave it [RFC 5116]. */
enum mt_aead {
    MT_AEAD_AES_SIV_CMAC_256 = 15, /**< RFC 5297 */
    MT_AEAD_AES_SIV_CMAC_512 = 17,
    MT_AEAD_AES128_GCM_SIV = 30, /**< RFC 8452 */
};
#define MT_AEAD_KEY_MAX 64 /**< octets of the longest key */
#define MT_AEAD_TAG     16 /**< octets that sealing adds */

/** A part of a message. */
struct mt_piece {
    const uint8_t *octets;
    size_t length;
};

struct mt_crypto {
    /** The code over the pieces, one after the other.  False if the key's length does not suit:
     * 16 octets for AES-128, 32 for AES-256, 1 to MT_MAC_KEY_MAX for HMAC. */
    bool (*mac)(enum mt_mac_kind kind, const uint8_t *key, size_t key_length,
                const struct mt_piece *pieces, size_t count, uint8_t ret_code[MT_MAC_SIZE]);
    /** The digest of the pieces, one after the other; 16, 20, 32 or 64 octets.  False: this back
     * end has it not.  Null: it has none. */
    bool (*digest)(enum mt_digest kind, const struct mt_piece *pieces, size_t count,
                   uint8_t ret_digest[MT_DIGEST_SIZE]);
    /** Encrypts and authenticates `plain`, and authenticates the associated pieces, each for
     * itself and in this order; the last one is the nonce.  Writes plain->length + MT_AEAD_TAG
     * octets, which must not overlap what is read.  False: this back end has it not, the key's
     * length is not mt_aead_key_size(), or it takes no such pieces.  Null: it has none. */
    bool (*seal)(enum mt_aead kind, const uint8_t *key, size_t key_length,
                 const struct mt_piece *associated, size_t count, const struct mt_piece *plain,
                 uint8_t *ret_sealed);
    /** The opposite: writes sealed->length - MT_AEAD_TAG octets.  False too if anything has been
     * changed; then what was written is zeros. */
    bool (*open)(enum mt_aead kind, const uint8_t *key, size_t key_length,
                 const struct mt_piece *associated, size_t count, const struct mt_piece *sealed,
                 uint8_t *ret_plain);
};

/** Octets of a code: 16 or 32. */
static inline size_t mt_mac_size(enum mt_mac_kind kind)
{
    return kind == MT_MAC_HMAC_SHA256 ? 32 : 16;
}

/** Octets of a key; 0: there is no such algorithm. */
static inline size_t mt_aead_key_size(enum mt_aead kind)
{
    switch (kind) {
    case MT_AEAD_AES_SIV_CMAC_256:
        return 32;
    case MT_AEAD_AES_SIV_CMAC_512:
        return 64;
    case MT_AEAD_AES128_GCM_SIV:
        return 16;
    }
    return 0;
}

#endif
