/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * AUTHENTICATION TLVs, written and verified at once (see ptp_security.h).
 *
 * The code covers the message from its first octet to the TLV's key id; so the TLV is the last
 * one, and whoever adds TLVs to a frame comes before this extension in finish() and after it in
 * rx().  Codes are compared in constant time.  Only a message that has verified is remembered,
 * so that nobody without a key can fill the table of senders or push a sequence number ahead.
 * Answers carry the sequence number of their question and are matched with it elsewhere, so they
 * have no sequence here.
 */
#include "meantime/ptp_more.h"
#include "meantime/ptp_security.h"
#include "meantime/ptp_tlv.h"
#include "ptp/ptp_private.h"

#define TLV_HEAD          10 /* type, length, SPP, secParamIndicator, keyID */
#define CORRECTION_OFFSET 8
#define CORRECTION_SIZE   8
#define SOURCE_OFFSET     20
#define CLOCK_SIZE        8

/* ---- policy and keys ------------------------------------------------------------------------- */

static const struct mt_port_security *policy_of(const struct mt_instance *self,
                                                const struct mt_port *port)
{
    const struct mt_instance_more *of_all = self->config.more;
    const struct mt_port_more *more = port->config.more;
    if (of_all == NULL || of_all->security == NULL || more == NULL ||
        more->security.spp == MT_SECURITY_OFF) {
        return NULL;
    }
    return &more->security;
}

static const struct mt_security_association *find_association(const struct mt_security *self,
                                                              int16_t spp)
{
    for (unsigned i = 0; i < self->association_count; i++) {
        if (self->associations[i].spp == spp) {
            return &self->associations[i];
        }
    }
    return NULL;
}

static const struct mt_security_key *find_key(const struct mt_security_association *association,
                                              uint32_t id)
{
    for (unsigned i = 0; i < association->key_count; i++) {
        if (association->keys[i].id == id) {
            return &association->keys[i];
        }
    }
    return NULL;
}

/* ---- codes ----------------------------------------------------------------------------------- */

/* Over the first `length` octets of a message. */
static bool make_code(const struct mt_security *self,
                      const struct mt_security_association *association,
                      const struct mt_security_key *key, const uint8_t *message, size_t length,
                      uint8_t ret_code[MT_MAC_SIZE])
{
    static const uint8_t zeros[CORRECTION_SIZE];
    const size_t behind = CORRECTION_OFFSET + CORRECTION_SIZE;
    const struct mt_piece pieces[] = {
        {message, CORRECTION_OFFSET},
        {association->allows_mutable ? zeros : message + CORRECTION_OFFSET, CORRECTION_SIZE},
        {message + behind, length - behind},
    };
    return self->crypto->mac(key->mac, key->octets, key->length, pieces,
                             sizeof pieces / sizeof pieces[0], ret_code);
}

static bool is_equal(const uint8_t *a, const uint8_t *b, size_t length)
{
    unsigned difference = 0;
    for (size_t i = 0; i < length; i++) {
        difference |= (unsigned)(a[i] ^ b[i]);
    }
    return difference == 0;
}

/* The last TLV of a message, if it is an AUTHENTICATION TLV. */
static bool find_last(const struct mt_ptp_message *message, struct mt_tlv_authentication *ret_value)
{
    const uint8_t *tlvs = message->tlvs;
    size_t length = message->tlvs_length;
    struct mt_tlv tlv;
    bool is_there = false;
    while (mt_tlv_next(&tlvs, &length, &tlv)) {
        is_there = mt_tlv_parse_authentication(&tlv, ret_value);
    }
    return is_there;
}

static enum mt_verdict verify(const struct mt_security *self, int16_t spp,
                              const struct mt_incoming *in)
{
    const struct mt_security_association *association = find_association(self, spp);
    struct mt_tlv_authentication tlv;
    uint8_t code[MT_MAC_SIZE];
    if (!find_last(&in->message, &tlv)) {
        return MT_VERDICT_UNAUTHENTICATED;
    }
    if (association == NULL || tlv.spp != spp || tlv.flags != 0) {
        return MT_VERDICT_FORGED;
    }
    const struct mt_security_key *key = find_key(association, tlv.key_id);
    if (key == NULL || tlv.rest_length != mt_mac_size(key->mac) ||
        !make_code(self, association, key, in->frame, (size_t)(tlv.rest - in->frame), code) ||
        !is_equal(code, tlv.rest, tlv.rest_length)) {
        return MT_VERDICT_FORGED;
    }
    return MT_VERDICT_ACCEPTED;
}

/* ---- repetition ------------------------------------------------------------------------------ */

/* The row of a type in a sender's table; MT_SECURITY_TYPES: it has no sequence of its own. */
static unsigned row_of(enum mt_ptp_type type)
{
    switch (type) {
    case MT_PTP_SYNC:
        return 0;
    case MT_PTP_FOLLOW_UP:
        return 1;
    case MT_PTP_ANNOUNCE:
        return 2;
    case MT_PTP_DELAY_REQ:
        return 3;
    case MT_PTP_PDELAY_REQ:
        return 4;
    case MT_PTP_SIGNALING:
        return 5;
    case MT_PTP_MANAGEMENT:
        return 6;
    case MT_PTP_DELAY_RESP:
    case MT_PTP_PDELAY_RESP:
    case MT_PTP_PDELAY_RESP_FOLLOW_UP:
        break;
    }
    return MT_SECURITY_TYPES;
}

static int64_t last_heard_ns(const struct mt_security_sender *sender)
{
    int64_t last_ns = 0;
    for (unsigned row = 0; row < MT_SECURITY_TYPES; row++) {
        if ((sender->known & 1u << row) != 0 && sender->heard[row].ns > last_ns) {
            last_ns = sender->heard[row].ns;
        }
    }
    return last_ns;
}

static struct mt_security_sender *find_sender(struct mt_security *self,
                                              const struct mt_port_identity *source)
{
    struct mt_security_sender *oldest = self->senders;
    for (struct mt_security_sender *sender = self->senders;
         sender < self->senders + self->sender_count; sender++) {
        if (sender->is_used && mt_port_identity_equal(&sender->source, source)) {
            return sender;
        }
        if (oldest->is_used &&
            (!sender->is_used || last_heard_ns(sender) < last_heard_ns(oldest))) {
            oldest = sender;
        }
    }
    memset(oldest, 0, sizeof *oldest);
    oldest->is_used = true;
    oldest->source = *source;
    return oldest;
}

/* Of a message that has verified. */
static bool is_repeated(struct mt_security *self, uint16_t window,
                        const struct mt_ptp_header *header, struct mt_mono now)
{
    unsigned row = row_of(header->type);
    if (window == 0 || row == MT_SECURITY_TYPES || self->sender_count == 0) {
        return false;
    }
    struct mt_security_sender *sender = find_sender(self, &header->source);
    uint16_t ahead = (uint16_t)(header->sequence - sender->newest[row]);
    bool is_known =
        (sender->known & 1u << row) != 0 && now.ns - sender->heard[row].ns < MT_SECURITY_SILENCE_NS;
    if (is_known && (ahead == 0 || ahead > window)) {
        return true;
    }
    sender->known |= (uint8_t)(1u << row);
    sender->newest[row] = header->sequence;
    sender->heard[row] = now;
    return false;
}

/* ---- the extension --------------------------------------------------------------------------- */

/* Other domains, and what comes back of our own, are dealt with elsewhere. */
static bool is_of_concern(const struct mt_instance *self, const struct mt_ptp_header *header)
{
    return header->domain == self->config.domain && header->sdo_id == self->config.sdo_id &&
           !mt_clock_identity_equal(&header->source.clock, &self->config.identity);
}

static bool rx(struct mt_instance *self, struct mt_port *port, struct mt_incoming *in,
               enum mt_verdict *ret_verdict)
{
    const struct mt_port_security *policy = policy_of(self, port);
    if (policy == NULL || !mt_port_is_active(port) || !is_of_concern(self, &in->message.header)) {
        return false;
    }
    struct mt_security *security = self->config.more->security;
    enum mt_verdict verdict = verify(security, policy->spp, in);
    if (verdict == MT_VERDICT_ACCEPTED) {
        uint16_t window = find_association(security, policy->spp)->sequence_window;
        if (!is_repeated(security, window, &in->message.header, self->now)) {
            in->is_authenticated = true;
            return false;
        }
        verdict = MT_VERDICT_STALE;
    }
    *ret_verdict = verdict;
    return true;
}

/* What was measured on a port that verifies is authentic. */
static struct mt_mono settle(struct mt_instance *self)
{
    for (struct mt_port *port = self->ports; port < self->ports_end; port++) {
        port->sample.authenticated = policy_of(self, port) != NULL;
    }
    return MT_MONO_NEVER;
}

static void write_head(uint8_t *at, const struct mt_security_key *key, uint8_t spp)
{
    const size_t length = TLV_HEAD - 4 + mt_mac_size(key->mac);
    const uint8_t head[TLV_HEAD] = {MT_TLV_AUTHENTICATION >> 8,
                                    MT_TLV_AUTHENTICATION & 0xFF,
                                    (uint8_t)(length >> 8),
                                    (uint8_t)length,
                                    spp,
                                    0,
                                    (uint8_t)(key->id >> 24),
                                    (uint8_t)(key->id >> 16),
                                    (uint8_t)(key->id >> 8),
                                    (uint8_t)key->id};
    memcpy(at, head, sizeof head);
}

/* What only passes through this clock keeps the code of its sender.  A frame that cannot be signed
 * leaves as it is: whoever asks for codes refuses it. */
static void finish(struct mt_instance *self, struct mt_outgoing *out, struct mt_tx *tx)
{
    const struct mt_port *port = tx->port != 0 ? &self->ports[tx->port - 1] : NULL;
    const struct mt_port_security *policy = port != NULL ? policy_of(self, port) : NULL;
    if (policy == NULL ||
        memcmp(out->buffer + SOURCE_OFFSET, self->config.identity.octet, CLOCK_SIZE) != 0) {
        return;
    }
    const struct mt_security *security = self->config.more->security;
    const struct mt_security_association *association = find_association(security, policy->spp);
    const struct mt_security_key *key =
        association != NULL ? find_key(association, policy->key_id) : NULL;
    uint8_t code[MT_MAC_SIZE];
    if (key == NULL || tx->length + TLV_HEAD + mt_mac_size(key->mac) > out->capacity) {
        return;
    }
    size_t covered = tx->length + TLV_HEAD;
    write_head(out->buffer + tx->length, key, association->spp);
    mt_frame_appended(out, tx, TLV_HEAD + mt_mac_size(key->mac));
    if (make_code(security, association, key, out->buffer, covered, code)) {
        memcpy(out->buffer + covered, code, mt_mac_size(key->mac));
    }
}

const struct mt_extension mt_security_extension = {
    .rx = rx,
    .settle = settle,
    .finish = finish,
};
