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
enum mt_mac {
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

/** A part of a message. */
struct mt_piece {
    const uint8_t *octets;
    size_t length;
};

struct mt_crypto {
    /** The code over the pieces, one after the other.  False if the key's length does not suit:
     * 16 octets for AES-128, 32 for AES-256, 1 to MT_MAC_KEY_MAX for HMAC. */
    bool (*mac)(enum mt_mac kind, const uint8_t *key, size_t key_length,
                const struct mt_piece *pieces, size_t count, uint8_t ret_code[MT_MAC_SIZE]);
    /** The digest of the pieces, one after the other; 16, 20, 32 or 64 octets.  False: this back
     * end has it not.  Null: it has none. */
    bool (*digest)(enum mt_digest kind, const struct mt_piece *pieces, size_t count,
                   uint8_t ret_digest[MT_DIGEST_SIZE]);
};

/** Octets of a code: 16 or 32. */
static inline size_t mt_mac_size(enum mt_mac kind)
{
    return kind == MT_MAC_HMAC_SHA256 ? 32 : 16;
}

#endif
