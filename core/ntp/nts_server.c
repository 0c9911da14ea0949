/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The server's side of NTS: a pure function, too, for all that it knows of a client is in the
 * client's cookie.
 *
 * The answer is made in two steps.  What does not depend on its departure, which are the fresh
 * cookies above all, is made first and lies ready in its place; then the departure is read and
 * written, and the whole is sealed.  A fresh cookie takes as many octets as the one that came, or
 * as the placeholder that asked for it, so the answer is never longer than its question.
 */
#include "base/memory.h"
#include "ntp/nts_private.h"

#define PLAIN_PLACE (MT_NTS_AUTHENTICATOR_HEAD + MT_AEAD_TAG)

/* ---- questions ------------------------------------------------------------------------------- */

static bool is_well_formed(const struct mt_nts_fields *fields)
{
    return fields->unique_count == 1 && fields->unique.length >= MT_NTS_UNIQUE_SIZE &&
           fields->unique.length <= MT_NTS_UNIQUE_MAX && fields->cookie_count == 1 &&
           fields->has_authenticator;
}

static enum mt_nts_verdict judge(const struct mt_nts_server *self, const uint8_t *octets,
                                 const struct mt_ntp_packet *packet, struct mt_nts_reply *ret_reply)
{
    uint8_t plain[MT_NTP_PACKET_MAX];
    size_t length;
    struct mt_nts_fields fields;
    memset(ret_reply, 0, sizeof *ret_reply);
    mt_nts_find(packet, &fields);
    if (fields.cookie_count == 0 && !fields.has_authenticator) {
        return MT_NTS_ABSENT;
    }
    if (!is_well_formed(&fields)) {
        ret_reply->verdict = MT_NTS_FORGED;
        return MT_NTS_FORGED;
    }
    ret_reply->unique = fields.unique.value - MT_NTP_EXTENSION_HEAD;
    ret_reply->unique_size = (uint16_t)(fields.unique.length + MT_NTP_EXTENSION_HEAD);
    ret_reply->verdict = MT_NTS_REFUSED;
    if (mt_nts_cookie_open(self->crypto, &self->ring, fields.cookie.value, fields.cookie.length,
                           &ret_reply->keys) &&
        mt_nts_open(self->crypto, ret_reply->keys.aead, ret_reply->keys.c2s, octets,
                    &fields.authenticator, plain, &length)) {
        unsigned wanted = 1u + mt_nts_count_placeholders(packet, fields.cookie.length);
        ret_reply->wanted = (uint8_t)(wanted < MT_NTS_COOKIES ? wanted : MT_NTS_COOKIES);
        ret_reply->verdict = MT_NTS_GENUINE;
    }
    return ret_reply->verdict;
}

/* ---- answers --------------------------------------------------------------------------------- */

/* The fresh cookies as fields, `most` octets of them; returns how many octets they are. */
static size_t lay_out_cookies(const struct mt_nts_server *self, struct mt_prng *random,
                              const struct mt_nts_reply *reply, uint8_t *at, size_t most)
{
    uint8_t cookie[MT_NTS_OWN_COOKIE_MAX];
    size_t length = 0;
    for (unsigned i = 0; i < reply->wanted; i++) {
        size_t octets = mt_nts_cookie_make(self->crypto, &self->ring, &reply->keys, random, cookie);
        size_t size = mt_ntp_extension_size(octets, MT_NTP_EXTENSION_MIN);
        if (octets == 0 || size > most - length) {
            break;
        }
        length += mt_ntp_extension_write(MT_NTP_EXT_NTS_COOKIE, cookie, octets, size, at + length,
                                         most - length);
    }
    return length;
}

static size_t begin(const struct mt_nts_server *self, struct mt_prng *random,
                    struct mt_nts_reply *reply, uint8_t *packet, size_t length, size_t most)
{
    if (reply->unique_size > most || length > most - reply->unique_size) {
        return 0;
    }
    memcpy(packet + length, reply->unique, reply->unique_size);
    length += reply->unique_size;
    reply->unique = NULL;
    if (reply->verdict == MT_NTS_GENUINE) {
        if (most - length < PLAIN_PLACE ||
            !mt_nts_make_nonce(self->crypto, &self->ring, random, reply->nonce)) {
            return 0;
        }
        reply->plain_length = lay_out_cookies(self, random, reply, packet + length + PLAIN_PLACE,
                                              most - length - PLAIN_PLACE);
    }
    return length;
}

static size_t finish(const struct mt_nts_server *self, const struct mt_nts_reply *reply,
                     uint8_t *packet, size_t length, size_t capacity)
{
    uint8_t plain[MT_NTS_PACKET_MAX];
    const struct mt_piece piece = {plain, reply->plain_length};
    if (reply->verdict != MT_NTS_GENUINE) {
        return length;
    }
    if (piece.length > sizeof plain || length + PLAIN_PLACE + piece.length > capacity) {
        return 0;
    }
    memcpy(plain, packet + length + PLAIN_PLACE, piece.length);
    return mt_nts_seal(self->crypto, reply->keys.aead, reply->keys.s2c, reply->nonce, &piece,
                       packet, length, capacity);
}

static const struct mt_nts_server_ops ops = {judge, begin, finish};

void mt_nts_server_init(struct mt_nts_server *self, const struct mt_crypto *crypto)
{
    memset(self, 0, sizeof *self);
    self->ops = &ops;
    self->crypto = crypto;
}
