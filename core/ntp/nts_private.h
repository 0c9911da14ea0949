/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What client and server of NTS share: finding the fields, and the authenticator.
 * Thread rule: pure functions; any thread.
 */
#ifndef MEANTIME_NTS_PRIVATE_H
#define MEANTIME_NTS_PRIVATE_H

#include "meantime/nts.h"

#define MT_NTS_AUTHENTICATOR_HEAD                                                                  \
    (MT_NTP_EXTENSION_HEAD + 4 + MT_NTS_NONCE_SIZE) /* before what is sealed */

/** Up to the authenticator; what follows it is anybody's. */
struct mt_nts_fields {
    struct mt_ntp_extension unique;
    struct mt_ntp_extension cookie;
    struct mt_ntp_extension authenticator;
    uint8_t unique_count;
    uint8_t cookie_count;
    bool has_authenticator;
};

void mt_nts_find(const struct mt_ntp_packet *packet, struct mt_nts_fields *ret_fields);
/** Placeholders before the authenticator with room for `length` octets, 255 at most. */
uint8_t mt_nts_count_placeholders(const struct mt_ntp_packet *packet, size_t length);

bool mt_nts_make_nonce(const struct mt_crypto *crypto, const struct mt_nts_ring *ring,
                       struct mt_prng *random, uint8_t ret_nonce[MT_NTS_NONCE_SIZE]);
/** Appends an authenticator of all `length` octets with `plain` sealed in it.  The new length; 0:
 * no room, or the key is not for it. */
size_t mt_nts_seal(const struct mt_crypto *crypto, enum mt_aead aead, const uint8_t *key,
                   const uint8_t nonce[MT_NTS_NONCE_SIZE], const struct mt_piece *plain,
                   uint8_t *packet, size_t length, size_t capacity);
/** Opens the authenticator of the packet that begins at `octets`; *ret_plain has room for
 * MT_NTP_PACKET_MAX octets. */
bool mt_nts_open(const struct mt_crypto *crypto, enum mt_aead aead, const uint8_t *key,
                 const uint8_t *octets, const struct mt_ntp_extension *authenticator,
                 uint8_t *ret_plain, size_t *ret_length);

#endif
