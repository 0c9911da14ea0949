/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The client's side of NTS.
 *
 * A cookie is taken out of the jar before it is sent, whatever becomes of the question, for who
 * sees one twice knows that both are of the same client.  With placeholders a question asks for as
 * many as are missing, and is as long as the answer that it wants.
 *
 * A refusal is not authenticated: who can see the question can make one up.  So it only counts if
 * no answer comes until the next question is due.
 */
#include "base/memory.h"
#include "ntp/nts_private.h"

void mt_nts_client_set_keys(struct mt_nts_client *self, const struct mt_nts_keys *keys)
{
    self->keys = *keys;
    self->has_keys = true;
    self->has_answered = false;
    self->is_refused = false;
    self->count = 0;
}

bool mt_nts_client_add_cookie(struct mt_nts_client *self, const uint8_t *octets, size_t length)
{
    if (self->count >= MT_NTS_COOKIES || length < MT_NTS_COOKIE_LEAST ||
        length > MT_NTS_COOKIE_MAX || length % 4 != 0) {
        return false;
    }
    struct mt_nts_cookie *cookie = &self->jar[self->count++];
    cookie->length = (uint16_t)length;
    memcpy(cookie->octets, octets, length);
    return true;
}

bool mt_nts_client_needs_keys(const struct mt_nts_client *self)
{
    return !self->has_keys || self->count == 0;
}

/* ---- questions ------------------------------------------------------------------------------- */

/* The oldest one. */
static struct mt_nts_cookie take_cookie(struct mt_nts_client *self)
{
    const struct mt_nts_cookie cookie = self->jar[0];
    self->count--;
    memmove(&self->jar[0], &self->jar[1], self->count * sizeof self->jar[0]);
    return cookie;
}

/* All that are missing, if there is room for them behind `length` octets. */
static size_t add_placeholders(const struct mt_nts_client *self, size_t size, uint8_t *packet,
                               size_t length, size_t most)
{
    for (unsigned held = self->count + 1u; held < MT_NTS_COOKIES; held++) {
        if (length + size + MT_NTS_AUTHENTICATOR_HEAD + MT_AEAD_TAG > most) {
            break;
        }
        length += mt_ntp_extension_write(MT_NTP_EXT_NTS_PLACEHOLDER, NULL, 0, size, packet + length,
                                         most - length);
    }
    return length;
}

static size_t sign(struct mt_nts_client *self, const uint8_t random[MT_NTS_CLIENT_RANDOM],
                   uint8_t *packet, size_t length, size_t capacity)
{
    const struct mt_piece nothing = {packet, 0};
    size_t most = capacity < MT_NTS_PACKET_MAX ? capacity : MT_NTS_PACKET_MAX;
    if (mt_nts_client_needs_keys(self)) {
        return 0;
    }
    const struct mt_nts_cookie cookie = take_cookie(self);
    size_t size = mt_ntp_extension_size(cookie.length, MT_NTP_EXTENSION_MIN);
    size_t unique_size = mt_ntp_extension_size(MT_NTS_UNIQUE_SIZE, MT_NTP_EXTENSION_MIN);
    if (length + unique_size + size > most) {
        return 0;
    }
    memcpy(self->unique, random, MT_NTS_UNIQUE_SIZE);
    self->is_refused = false;
    length += mt_ntp_extension_write(MT_NTP_EXT_UNIQUE_IDENTIFIER, random, MT_NTS_UNIQUE_SIZE,
                                     unique_size, packet + length, most - length);
    length += mt_ntp_extension_write(MT_NTP_EXT_NTS_COOKIE, cookie.octets, cookie.length, size,
                                     packet + length, most - length);
    length = add_placeholders(self, size, packet, length, most);
    return mt_nts_seal(self->crypto, self->keys.aead, self->keys.c2s, random + MT_NTS_UNIQUE_SIZE,
                       &nothing, packet, length, most);
}

static void give_up(struct mt_nts_client *self)
{
    if (self->is_refused) {
        self->is_refused = false;
        self->has_keys = false;
        self->count = 0;
        self->refusals++;
    }
}

/* ---- answers --------------------------------------------------------------------------------- */

static bool is_to_us(const struct mt_nts_client *self, const struct mt_nts_fields *fields)
{
    return fields->unique_count == 1 && fields->unique.length == MT_NTS_UNIQUE_SIZE &&
           memcmp(fields->unique.value, self->unique, MT_NTS_UNIQUE_SIZE) == 0;
}

static bool is_refusal(const struct mt_ntp_header *header)
{
    static const uint8_t letters[4] = {'N', 'T', 'S', 'N'};
    return header->stratum == 0 && memcmp(header->reference_id, letters, sizeof letters) == 0;
}

/* True if all of it is fields. */
static bool is_made_of_fields(const uint8_t *at, size_t left)
{
    struct mt_ntp_extension field;
    while (mt_ntp_extension_next(&at, &left, &field)) {
    }
    return left == 0;
}

static void take_cookies(struct mt_nts_client *self, const uint8_t *at, size_t left)
{
    struct mt_ntp_extension field;
    while (mt_ntp_extension_next(&at, &left, &field)) {
        if (field.type == MT_NTP_EXT_NTS_COOKIE) {
            (void)mt_nts_client_add_cookie(self, field.value, field.length);
        }
    }
}

static enum mt_nts_verdict verify(struct mt_nts_client *self, const uint8_t *octets,
                                  const struct mt_ntp_packet *packet)
{
    uint8_t plain[MT_NTP_PACKET_MAX];
    size_t length;
    struct mt_nts_fields fields;
    mt_nts_find(packet, &fields);
    if (!self->has_keys || packet->mac_length > 0 || !is_to_us(self, &fields)) {
        return MT_NTS_FORGED;
    }
    if (!fields.has_authenticator) {
        self->is_refused = self->is_refused || is_refusal(&packet->header);
        return is_refusal(&packet->header) ? MT_NTS_REFUSED : MT_NTS_FORGED;
    }
    if (!mt_nts_open(self->crypto, self->keys.aead, self->keys.s2c, octets, &fields.authenticator,
                     plain, &length) ||
        !is_made_of_fields(plain, length)) {
        return MT_NTS_FORGED;
    }
    take_cookies(self, plain, length);
    self->has_answered = true;
    self->is_refused = false;
    return MT_NTS_GENUINE;
}

static const struct mt_nts_client_ops ops = {sign, verify, give_up};

void mt_nts_client_init(struct mt_nts_client *self, const struct mt_crypto *crypto)
{
    memset(self, 0, sizeof *self);
    self->ops = &ops;
    self->crypto = crypto;
}
