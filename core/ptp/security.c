/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * AUTHENTICATION TLVs (see ptp_security.h), and those that are verified at once; those whose key
 * comes later are security_delayed.c's.
 *
 * The code covers the message from its first octet to the TLV's key id; so the TLV is the last
 * one, and whoever adds TLVs to a frame comes before this extension in finish() and after it in
 * rx().  Codes are compared in constant time.  Only a message that has verified is remembered,
 * so that nobody without a key can fill the table of senders or push a sequence number ahead.
 * Answers carry the sequence number of their question and are matched with it elsewhere, so they
 * have no sequence here.  A message that comes to several ports, because they are on one network,
 * is new to each of them: who heard nothing there would serve beside the transmitter.
 *
 * A port that verifies hears nothing else that it would act on: not Pdelay in common for several
 * domains, nor answers of CSPTP, which has no codes, nor what says that it comes from another port
 * of this clock.
 */
#include "ptp/security_private.h"

#include "meantime/ptp_management.h"
#include "meantime/ptp_peer.h"
#include "meantime/ptp_stateless.h"

#define CORRECTION_OFFSET 8
#define CORRECTION_SIZE   8
#define SOURCE_OFFSET     20
#define CLOCK_SIZE        8

/* ---- policy and keys ------------------------------------------------------------------------- */

static struct mt_port_security *policy_of(const struct mt_instance *self,
                                          const struct mt_port *port)
{
    const struct mt_instance_more *of_all = self->config.more;
    struct mt_port_more *more = port->config.more;
    if (of_all == NULL || of_all->security == NULL || more == NULL ||
        (more->security.spp == MT_SECURITY_OFF && !more->security.is_delayed)) {
        return NULL;
    }
    return &more->security;
}

const struct mt_security_association *mt_security_find(const struct mt_security *self, int16_t spp)
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

bool mt_security_code(const struct mt_security *self, bool is_mutable,
                      const struct mt_security_key *key, const uint8_t *message, size_t length,
                      uint8_t ret_code[MT_MAC_SIZE])
{
    static const uint8_t zeros[CORRECTION_SIZE];
    const size_t behind = CORRECTION_OFFSET + CORRECTION_SIZE;
    const struct mt_piece pieces[] = {
        {message, CORRECTION_OFFSET},
        {is_mutable ? zeros : message + CORRECTION_OFFSET, CORRECTION_SIZE},
        {message + behind, length - behind},
    };
    return self->crypto->mac(key->mac, key->octets, key->length, pieces,
                             sizeof pieces / sizeof pieces[0], ret_code);
}

bool mt_security_equal(const uint8_t *a, const uint8_t *b, size_t length)
{
    unsigned difference = 0;
    for (size_t i = 0; i < length; i++) {
        difference |= (unsigned)(a[i] ^ b[i]);
    }
    return difference == 0;
}

/* The last two TLVs of a message as far as they are AUTHENTICATION TLVs, the last one first. */
static unsigned find_last(const struct mt_ptp_message *message,
                          struct mt_tlv_authentication ret_tlvs[2])
{
    const uint8_t *tlvs = message->tlvs;
    size_t length = message->tlvs_length;
    struct mt_tlv tlv;
    unsigned count = 0;
    while (mt_tlv_next(&tlvs, &length, &tlv)) {
        struct mt_tlv_authentication value;
        if (!mt_tlv_parse_authentication(&tlv, &value)) {
            count = 0;
            continue;
        }
        ret_tlvs[1] = ret_tlvs[0];
        ret_tlvs[0] = value;
        count = count < 2 ? count + 1 : 2;
    }
    return count;
}

static enum mt_verdict verify(const struct mt_security *self, int16_t spp,
                              const struct mt_incoming *in, const struct mt_tlv_authentication *tlv)
{
    const struct mt_security_association *association = mt_security_find(self, spp);
    uint8_t code[MT_MAC_SIZE];
    if (tlv == NULL) {
        return MT_VERDICT_UNAUTHENTICATED;
    }
    if (association == NULL || tlv->spp != spp || tlv->flags != 0) {
        return MT_VERDICT_FORGED;
    }
    const struct mt_security_key *key = find_key(association, tlv->key_id);
    if (key == NULL || tlv->rest_length != mt_mac_size(key->mac) ||
        !mt_security_code(self, association->allows_mutable, key, in->frame,
                          (size_t)(tlv->rest - in->frame), code) ||
        !mt_security_equal(code, tlv->rest, tlv->rest_length)) {
        return MT_VERDICT_FORGED;
    }
    return MT_VERDICT_ACCEPTED;
}

/* ---- repetition ------------------------------------------------------------------------------ */

static bool is_answer(const struct mt_ptp_message *management)
{
    uint8_t action = management->body.management.action;
    return action == MT_ACTION_RESPONSE || action == MT_ACTION_ACKNOWLEDGE;
}

/* The row of a type in a sender's table; MT_SECURITY_TYPES: it has no sequence of its own. */
static unsigned row_of(const struct mt_ptp_message *message)
{
    switch (message->header.type) {
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
        return is_answer(message) ? MT_SECURITY_TYPES : 6;
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
                                              const struct mt_ptp_header *header)
{
    const bool is_unicast = (header->flags & MT_PTP_UNICAST) != 0;
    struct mt_security_sender *oldest = self->senders;
    for (struct mt_security_sender *sender = self->senders;
         sender < self->senders + self->sender_count; sender++) {
        if (sender->is_used && sender->is_unicast == is_unicast &&
            mt_port_identity_equal(&sender->source, &header->source)) {
            return sender;
        }
        if (oldest->is_used &&
            (!sender->is_used || last_heard_ns(sender) < last_heard_ns(oldest))) {
            oldest = sender;
        }
    }
    memset(oldest, 0, sizeof *oldest);
    oldest->is_used = true;
    oldest->is_unicast = is_unicast;
    oldest->source = header->source;
    return oldest;
}

/* How far ahead of one that was heard so long ago a message may be.  However many were lost, one
 * that is older than it is too far ahead, but for those of 65 000 messages before. */
static int64_t farthest(enum mt_ptp_type type, uint16_t window, int64_t since_ns)
{
    const int64_t shortest_ns = mt_log2s_to_ns(MT_LOG_INTERVAL_LOWEST);
    return type == MT_PTP_SIGNALING || type == MT_PTP_MANAGEMENT ? INT16_MAX
                                                                 : window + since_ns / shortest_ns;
}

bool mt_security_is_repeated(struct mt_security *self, uint16_t window,
                             const struct mt_ptp_message *message, uint16_t port,
                             struct mt_mono now)
{
    const struct mt_ptp_header *header = &message->header;
    const uint64_t way = UINT64_C(1) << (port - 1);
    unsigned row = row_of(message);
    if (window == 0 || row == MT_SECURITY_TYPES || self->sender_count == 0) {
        return false;
    }
    struct mt_security_sender *sender = find_sender(self, header);
    uint16_t ahead = (uint16_t)(header->sequence - sender->newest[row]);
    int64_t since_ns = now.ns - sender->heard[row].ns;
    bool is_known = (sender->known & 1u << row) != 0 && since_ns < MT_SECURITY_SILENCE_NS;
    if (is_known && ahead == 0) {
        bool is_new_here = (sender->ways[row] & way) == 0;
        sender->ways[row] |= way;
        return !is_new_here;
    }
    if (is_known && ahead > farthest(header->type, window, since_ns)) {
        return true;
    }
    sender->known |= (uint8_t)(1u << row);
    sender->newest[row] = header->sequence;
    sender->heard[row] = now;
    sender->ways[row] = way;
    return false;
}

/* ---- the extension --------------------------------------------------------------------------- */

/* Other domains are dealt with elsewhere, but for what the port itself has to do with them. */
static bool is_of_concern(const struct mt_instance *self, const struct mt_port *port,
                          const struct mt_ptp_header *header)
{
    const struct mt_port_more *more = port->config.more;
    const struct mt_peer *peer = more->shares_peer ? NULL : more->peer;
    return (header->domain == self->config.domain && header->sdo_id == self->config.sdo_id) ||
           (peer != NULL && header->domain == peer->config.domain &&
            header->sdo_id == peer->config.sdo_id) ||
           (more->stateless != NULL && header->sdo_id == MT_CSPTP_SDO_ID);
}

static enum mt_verdict check_now(struct mt_instance *self, const struct mt_port *port,
                                 const struct mt_port_security *policy,
                                 const struct mt_incoming *in,
                                 const struct mt_tlv_authentication *tlv)
{
    struct mt_security *security = self->config.more->security;
    const struct mt_ptp_header *header = &in->message.header;
    enum mt_verdict verdict = verify(security, policy->spp, in, tlv);
    if (verdict == MT_VERDICT_ACCEPTED &&
        !mt_clock_identity_equal(&header->source.clock, &self->config.identity)) {
        uint16_t window = mt_security_find(security, policy->spp)->sequence_window;
        if (mt_security_is_repeated(security, window, &in->message, port->identity.port,
                                    self->now)) {
            return MT_VERDICT_STALE;
        }
    }
    return verdict;
}

/* A message that is to wait, too, has to be right first. */
static bool check(struct mt_instance *self, const struct mt_port *port,
                  const struct mt_port_security *policy, struct mt_incoming *in,
                  enum mt_verdict *ret_verdict)
{
    struct mt_security *security = self->config.more->security;
    const bool is_immediate = policy->spp != MT_SECURITY_OFF;
    struct mt_tlv_authentication tlvs[2] = {{.rest = NULL}};
    struct mt_tlv_authentication delayed;
    unsigned count = find_last(&in->message, tlvs);
    if (is_immediate) {
        *ret_verdict = check_now(self, port, policy, in, count > 0 ? tlvs : NULL);
        if (*ret_verdict != MT_VERDICT_ACCEPTED) {
            return true;
        }
    }
    if (!policy->is_delayed || !mt_delayed_covers(in->message.header.type) ||
        mt_clock_identity_equal(&in->message.header.source.clock, &self->config.identity)) {
        in->is_authenticated = is_immediate;
        return false;
    }
    if (!mt_delayed_find(security, tlvs, count, &delayed)) {
        *ret_verdict = MT_VERDICT_UNAUTHENTICATED;
        return true;
    }
    *ret_verdict = mt_delayed_rx(self, port, in, &delayed, is_immediate);
    return true;
}

void mt_security_tally(struct mt_port_security *self, enum mt_verdict verdict)
{
    if (verdict == MT_VERDICT_ACCEPTED) {
        mt_count(&self->verified);
    } else if (verdict == MT_VERDICT_UNAUTHENTICATED) {
        mt_count(&self->missing);
    } else if (verdict == MT_VERDICT_FORGED) {
        mt_count(&self->forged);
    } else if (verdict == MT_VERDICT_STALE) {
        mt_count(&self->repeated);
    }
}

static bool rx(struct mt_instance *self, struct mt_port *port, struct mt_incoming *in,
               enum mt_verdict *ret_verdict)
{
    struct mt_port_security *policy = policy_of(self, port);
    if (policy == NULL || !mt_port_is_active(port) ||
        !is_of_concern(self, port, &in->message.header)) {
        return false;
    }
    struct mt_security *security = self->config.more->security;
    if (security->is_releasing) {
        in->is_authenticated = true;
        return false;
    }
    const uint64_t kept = security->held_order;
    bool is_done = check(self, port, policy, in, ret_verdict);
    if (security->held_order != kept) { /* it will be counted when it has been verified */
        port->counters[MT_COUNT_RECEIVED]--;
        port->verdicts[MT_VERDICT_ACCEPTED]--;
    } else if (is_done ? *ret_verdict != MT_VERDICT_ACCEPTED : in->is_authenticated) {
        mt_security_tally(policy, is_done ? *ret_verdict : MT_VERDICT_ACCEPTED);
    }
    return is_done;
}

/* What was measured on a port that verifies is authentic: both ways of it.  Of a delay that another
 * instance measures nothing is known. */
static bool measures_authentic(const struct mt_instance *self, const struct mt_port *port)
{
    const struct mt_port_security *policy = policy_of(self, port);
    const struct mt_port_more *more = port->config.more;
    return policy != NULL &&
           (policy->spp != MT_SECURITY_OFF ? !more->shares_peer : more->peer == NULL);
}

static struct mt_mono settle(struct mt_instance *self)
{
    const struct mt_instance_more *more = self->config.more;
    for (struct mt_port *port = self->ports; port < self->ports_end; port++) {
        port->sample.authenticated = measures_authentic(self, port);
    }
    return more != NULL && more->security != NULL ? mt_delayed_settle(self) : MT_MONO_NEVER;
}

void mt_security_write_head(uint8_t *at, uint8_t spp, uint8_t flags, uint32_t key_id,
                            size_t rest_length)
{
    const size_t length = MT_AUTHENTICATION_HEAD - 4 + rest_length;
    const uint8_t head[MT_AUTHENTICATION_HEAD] = {MT_TLV_AUTHENTICATION >> 8,
                                                  MT_TLV_AUTHENTICATION & 0xFF,
                                                  (uint8_t)(length >> 8),
                                                  (uint8_t)length,
                                                  spp,
                                                  flags,
                                                  (uint8_t)(key_id >> 24),
                                                  (uint8_t)(key_id >> 16),
                                                  (uint8_t)(key_id >> 8),
                                                  (uint8_t)key_id};
    memcpy(at, head, sizeof head);
}

static const struct mt_security_key *immediate_key(const struct mt_security *self,
                                                   const struct mt_port_security *policy)
{
    const struct mt_security_association *association =
        policy->spp != MT_SECURITY_OFF ? mt_security_find(self, policy->spp) : NULL;
    return association != NULL ? find_key(association, policy->key_id) : NULL;
}

/* Both TLVs are there before either code is made: messageLength, which is covered, counts both.
 * False if a code is missing that ought to be there. */
static bool sign(struct mt_security *self, const struct mt_port_security *policy,
                 struct mt_outgoing *out, struct mt_tx *tx, struct mt_mono now)
{
    const struct mt_security_key *key = immediate_key(self, policy);
    const size_t own = key != NULL ? MT_AUTHENTICATION_HEAD + mt_mac_size(key->mac) : 0;
    struct mt_security_key delayed;
    uint8_t code[MT_MAC_SIZE];
    if (tx->length + own > out->capacity) {
        return false;
    }
    size_t before =
        mt_delayed_write(self, policy, out->message.header.type, out->buffer + tx->length,
                         out->capacity - tx->length - own, now, &delayed);
    size_t end = tx->length + before;
    mt_frame_appended(out, tx, before + own);
    if (before > 0 &&
        mt_security_code(self, true, &delayed, out->buffer, end - mt_mac_size(delayed.mac), code)) {
        memcpy(out->buffer + end - mt_mac_size(delayed.mac), code, mt_mac_size(delayed.mac));
    }
    if (own > 0) {
        size_t covered = end + MT_AUTHENTICATION_HEAD;
        mt_security_write_head(out->buffer + end, (uint8_t)policy->spp, 0, key->id,
                               mt_mac_size(key->mac));
        if (mt_security_code(self, mt_security_find(self, policy->spp)->allows_mutable, key,
                             out->buffer, covered, code)) {
            memcpy(out->buffer + covered, code, mt_mac_size(key->mac));
        }
    }
    return (own > 0) == (policy->spp != MT_SECURITY_OFF) &&
           (before > 0) == mt_delayed_signs(self, policy, out->message.header.type);
}

/* What only passes through this clock keeps the code of its sender.  A frame that cannot be signed
 * leaves as it is: whoever asks for codes refuses it. */
static void finish(struct mt_instance *self, struct mt_outgoing *out, struct mt_tx *tx)
{
    const struct mt_port *port = tx->port != 0 ? &self->ports[tx->port - 1] : NULL;
    struct mt_port_security *policy = port != NULL ? policy_of(self, port) : NULL;
    if (policy == NULL ||
        memcmp(out->buffer + SOURCE_OFFSET, self->config.identity.octet, CLOCK_SIZE) != 0) {
        return;
    }
    struct mt_security *security = self->config.more->security;
    if (policy->spp != MT_SECURITY_OFF ||
        mt_delayed_signs(security, policy, out->message.header.type)) {
        bool is_signed = sign(security, policy, out, tx, self->now);
        mt_count(is_signed ? &policy->sent_signed : &policy->sent_unsigned);
    }
}

static bool is_used(const struct mt_instance_more *instance, const struct mt_port_more *port)
{
    (void)port;
    return instance->security != NULL;
}

const struct mt_extension mt_security_extension = {
    .rx = rx,
    .settle = settle,
    .finish = finish,
    .is_used = is_used,
};
