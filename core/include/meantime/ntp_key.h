/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Symmetric keys of NTP: the code at the end of a packet is a key's number and a digest of the key
 * and the packet [RFC 5905 7.3, RFC 8573].  Client and server share the table; it is the caller's.
 * Thread rule: pure functions; any thread.
 */
#ifndef MEANTIME_NTP_KEY_H
#define MEANTIME_NTP_KEY_H

#include "meantime/crypto.h"
#include "meantime/ntp_wire.h"

enum mt_ntp_key_kind {
    MT_NTP_KEY_AES128_CMAC,
    MT_NTP_KEY_AES256_CMAC,
    MT_NTP_KEY_SHA1,
    MT_NTP_KEY_SHA256,
    MT_NTP_KEY_SHA512,
    MT_NTP_KEY_MD5,
};
#define MT_NTP_KEY_KIND_COUNT 6
#define MT_NTP_KEY_MAX        64 /**< octets of a key */
#define MT_NTP_CODE_MAX       68 /**< version 4 cuts longer digests to 20 octets [RFC 7822 7.5] */

struct mt_ntp_key {
    uint32_t id; /**< not 0 */
    enum mt_ntp_key_kind kind;
    uint8_t length;
    uint8_t octets[MT_NTP_KEY_MAX];
};

struct mt_ntp_keys {
    const struct mt_crypto *crypto;
    const struct mt_ntp_key *key;
    uint16_t count;
};

/** Null: unknown.  `keys` may be null. */
const struct mt_ntp_key *mt_ntp_key_find(const struct mt_ntp_keys *keys, uint32_t id);
/** The octets of a code by this key, its number included: 20 or 24, before version 4 up to 68. */
size_t mt_ntp_key_code_size(const struct mt_ntp_key *key, uint8_t version);
/** Writes the code of a packet of `length` octets right behind it.  0: it does not fit, or the key
 * does not suit its kind. */
size_t mt_ntp_key_sign(const struct mt_ntp_keys *keys, const struct mt_ntp_key *key,
                       uint8_t *packet, size_t length, size_t capacity);
/** The key whose code ends the packet that begins at `octets`; null: it has none that is right.
 * Takes as long for a wrong digest as for a right one. */
const struct mt_ntp_key *mt_ntp_key_verify(const struct mt_ntp_keys *keys, const uint8_t *octets,
                                           const struct mt_ntp_packet *packet);

#endif
