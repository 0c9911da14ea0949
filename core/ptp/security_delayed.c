/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Delayed verification [1588-2019 16.14, P.2.1.2.2; RFC 4082].
 *
 * A code proves who sent a message only while nobody but the sender knows its key.  So the receiver
 * asks first whether the sender can have disclosed that key by now: the local clock's reading plus
 * its error is the latest that it can be at the sender.  That error is the bound that is published
 * anyway, or, for a clock that has none yet, what the chain's owner vouches for.  A message that is
 * safe is kept, with its receive stamp, until a later message discloses its key or one after it;
 * then mt_security_next() hands it in as if it had just come.  Keys prove themselves by the chain,
 * so one is believed whoever brings it, and a gap in what is heard is closed by the next one.
 *
 * Whoever is on the network can bring messages that will not verify; with the immediate code beside
 * the delayed one nobody without that key can.  Which ones stay then is security_store.c's.  The
 * code leaves correctionField out: transparent clocks change it and have no key [P.2.1.1].
 *
 * A message that waits has not been received as far as the port's counters are concerned: each
 * message is counted once, with what became of it in the end.
 */
#include "ptp/security_private.h"

#define NS_PER_MS INT64_C(1000000)

bool mt_delayed_covers(enum mt_ptp_type type)
{
    return type == MT_PTP_ANNOUNCE || type == MT_PTP_SYNC || type == MT_PTP_FOLLOW_UP ||
           type == MT_PTP_DELAY_RESP;
}

static struct mt_chain *chain_of(const struct mt_security *self, int16_t spp)
{
    const struct mt_security_association *association = mt_security_find(self, spp);
    return association != NULL ? association->chain : NULL;
}

/* ---- time ------------------------------------------------------------------------------------ */

void mt_security_tell_time(struct mt_security *self, struct mt_instant reading, struct mt_mono now)
{
    self->has_time = true;
    self->time_ns = mt_instant_to_ns(reading);
    self->time_told = now;
}

static int64_t time_ns(const struct mt_security *self, struct mt_mono now)
{
    return self->time_ns + (now.ns - self->time_told.ns);
}

/* The latest interval that it can be at the sender. */
static int64_t latest_interval(const struct mt_instance *self, const struct mt_chain *chain)
{
    const struct mt_clock_condition *clock = &self->clock;
    int64_t error_ns = chain->max_error_ns;
    if (clock->has_bound) {
        error_ns = mt_interval_to_ns(clock->bound) + 1;
    }
    return mt_chain_interval(chain, time_ns(self->config.more->security, self->now) + error_ns);
}

/* ---- the sender ------------------------------------------------------------------------------ */

bool mt_delayed_signs(const struct mt_security *self, const struct mt_port_security *policy,
                      enum mt_ptp_type type)
{
    const struct mt_chain *chain = policy->is_delayed ? chain_of(self, policy->delayed_spp) : NULL;
    return chain != NULL && chain->has_seed && mt_delayed_covers(type);
}

size_t mt_delayed_write(struct mt_security *self, const struct mt_port_security *policy,
                        enum mt_ptp_type type, uint8_t *at, size_t capacity, struct mt_mono now,
                        struct mt_security_key *ret_key)
{
    const uint8_t *disclosed;
    struct mt_chain *chain = chain_of(self, policy->delayed_spp);
    if (!mt_delayed_signs(self, policy, type)) {
        return 0;
    }
    if (!self->has_time ||
        !mt_chain_sign(chain, self->crypto, mt_chain_interval(chain, time_ns(self, now)), ret_key,
                       &disclosed)) {
        mt_count(&self->not_signed);
        return 0;
    }
    size_t rest = mt_mac_size(ret_key->mac) + (disclosed != NULL ? MT_CHAIN_KEY_SIZE : 0);
    if (MT_AUTHENTICATION_HEAD + rest > capacity) {
        mt_count(&self->not_signed);
        return 0;
    }
    mt_security_write_head(at, policy->delayed_spp, disclosed != NULL ? MT_AUTHENTICATION_OFFER : 0,
                           ret_key->id, rest);
    if (disclosed != NULL) {
        memcpy(at + MT_AUTHENTICATION_HEAD, disclosed, MT_CHAIN_KEY_SIZE);
    }
    return MT_AUTHENTICATION_HEAD + rest;
}

/* ---- the receiver ---------------------------------------------------------------------------- */

bool mt_delayed_find(const struct mt_security *self, const struct mt_tlv_authentication *tlvs,
                     unsigned count, struct mt_tlv_authentication *ret_tlv)
{
    for (unsigned i = 0; i < count; i++) {
        if (chain_of(self, tlvs[i].spp) != NULL) {
            *ret_tlv = tlvs[i];
            return true;
        }
    }
    return false;
}

/* Where the code lies behind the optional fields; null if they are not what they should be. */
static const uint8_t *find_code(const struct mt_chain *chain,
                                const struct mt_tlv_authentication *tlv)
{
    const size_t offer = (tlv->flags & MT_AUTHENTICATION_OFFER) != 0 ? MT_CHAIN_KEY_SIZE : 0;
    if ((tlv->flags & ~MT_AUTHENTICATION_OFFER) != 0 ||
        tlv->rest_length != offer + mt_mac_size(chain->mac)) {
        return NULL;
    }
    return tlv->rest + offer;
}

/* False if what the message discloses is not of the chain. */
static bool learn(struct mt_security *self, struct mt_chain *chain,
                  const struct mt_tlv_authentication *tlv, struct mt_mono now)
{
    if ((tlv->flags & MT_AUTHENTICATION_OFFER) == 0) {
        return true;
    }
    if (tlv->key_id <= chain->disclosure_delay ||
        mt_chain_disclose(chain, self->crypto, tlv->key_id - chain->disclosure_delay, tlv->rest,
                          now) == MT_CHAIN_WRONG) {
        mt_count(&self->wrong_keys);
        return false;
    }
    return true;
}

static void let_go(struct mt_security *self, struct mt_security_held *held)
{
    held->is_used = false;
    self->held_count--;
}

/* It has not been received until now. */
static void count_at_last(struct mt_instance *self, const struct mt_security_held *held,
                          enum mt_verdict verdict)
{
    struct mt_port *port = &self->ports[held->port - 1];
    mt_port_count(port, MT_COUNT_RECEIVED);
    mt_count(&port->verdicts[verdict]);
    mt_security_tally(&port->config.more->security, verdict);
}

/* An answer comes to its port when the question may have been given up for newer ones, so it takes
 * its question along.  Without departure stamp there is nothing yet to take. */
static void keep_question(struct mt_security_held *held, const struct mt_port *port,
                          const struct mt_ptp_header *header)
{
    held->question.token = 0;
    for (unsigned i = 0; header->type == MT_PTP_DELAY_RESP && i < MT_DELAY_OUTSTANDING; i++) {
        const struct mt_delay_exchange *exchange = &port->delay.exchange[i];
        if (exchange->token != 0 && exchange->sequence == header->sequence &&
            exchange->has_departure && !exchange->has_arrival) {
            held->question = *exchange;
        }
    }
}

static void keep(struct mt_security_held *held, const struct mt_port *port,
                 const struct mt_incoming *in)
{
    held->is_used = true;
    keep_question(held, port, &in->message.header);
    held->port = port->identity.port;
    held->length = (uint16_t)in->length;
    held->has_stamp = in->stamp != NULL;
    if (in->stamp != NULL) {
        held->stamp = *in->stamp;
    }
    held->has_from = in->from != NULL;
    if (in->from != NULL) {
        held->from = *in->from;
    }
    memcpy(held->frame, in->frame, in->length);
}

enum mt_verdict mt_delayed_rx(struct mt_instance *self, const struct mt_port *port,
                              const struct mt_incoming *in, const struct mt_tlv_authentication *tlv,
                              bool is_verified)
{
    struct mt_security *security = self->config.more->security;
    if (in->message.header.type == MT_PTP_DELAY_RESP &&
        !mt_port_identity_equal(&in->message.body.response.requester, &port->identity)) {
        return MT_VERDICT_ACCEPTED; /* everybody hears the answers to everybody */
    }
    struct mt_chain *chain = chain_of(security, tlv->spp);
    const uint8_t *code = find_code(chain, tlv);
    const int64_t latest = security->has_time ? latest_interval(self, chain) : 0;
    if (code == NULL || tlv->key_id == 0 || tlv->key_id > chain->length ||
        (chain->has_sender &&
         !mt_clock_identity_equal(&chain->sender, &in->message.header.source.clock))) {
        return MT_VERDICT_FORGED;
    }
    if (tlv->key_id > latest) { /* nobody can have come so far, or we cannot tell */
        mt_count(&security->unsafe);
        return MT_VERDICT_FORGED;
    }
    if (!learn(security, chain, tlv, self->now)) {
        return MT_VERDICT_FORGED;
    }
    if (tlv->key_id + (int64_t)chain->disclosure_delay <= latest || tlv->key_id <= chain->known) {
        mt_count(&security->unsafe);
        return MT_VERDICT_FORGED;
    }
    struct mt_security_held *held =
        in->length <= sizeof held->frame ? mt_delayed_place(self, in) : NULL;
    if (held == NULL || held->is_used) {
        mt_count(&security->full);
    }
    if (held == NULL) {
        return MT_VERDICT_QUEUE_FULL;
    }
    if (held->is_used) { /* it gives way */
        count_at_last(self, held, MT_VERDICT_QUEUE_FULL);
        let_go(security, held);
    }
    keep(held, port, in);
    held->is_verified = is_verified;
    held->spp = tlv->spp;
    held->interval = tlv->key_id;
    held->covered = (uint16_t)(code - in->frame);
    held->order = security->held_order++;
    held->until =
        mt_mono_plus(self->now, MT_SECURITY_WAIT_NS + (chain->disclosure_delay + 1) *
                                                          (chain->interval_ms * NS_PER_MS));
    mt_count(&security->held_total);
    security->held_count++;
    return MT_VERDICT_ACCEPTED;
}

/* ---- what becomes of it ---------------------------------------------------------------------- */

struct mt_mono mt_delayed_settle(struct mt_instance *self)
{
    struct mt_security *security = self->config.more->security;
    struct mt_mono next = MT_MONO_NEVER;
    if (security->held_count == 0) {
        return next;
    }
    for (struct mt_security_held *held = security->held; held < security->held + security->held_max;
         held++) {
        if (held->is_used && held->until.ns <= self->now.ns) {
            let_go(security, held);
            mt_count(&security->expired);
            count_at_last(self, held, MT_VERDICT_UNAUTHENTICATED);
        } else if (held->is_used) {
            next = mt_mono_earlier(next, held->until);
        }
    }
    return next;
}

/* The oldest message whose key is known; one whose chain has gone waits in vain. */
static struct mt_security_held *find_ready(const struct mt_security *self)
{
    struct mt_security_held *oldest = NULL;
    for (struct mt_security_held *held = self->held; held < self->held + self->held_max; held++) {
        const struct mt_chain *chain = held->is_used ? chain_of(self, held->spp) : NULL;
        if (chain != NULL && held->interval <= chain->known &&
            (oldest == NULL || held->order < oldest->order)) {
            oldest = held;
        }
    }
    return oldest;
}

static enum mt_verdict verify(struct mt_security *self, const struct mt_security_held *held,
                              struct mt_mono now)
{
    const struct mt_security_association *association = mt_security_find(self, held->spp);
    struct mt_security_key key;
    struct mt_ptp_message message;
    uint8_t code[MT_MAC_SIZE];
    mt_chain_verifies_with(association->chain, self->crypto, held->interval, &key);
    if (held->covered + mt_mac_size(key.mac) > held->length ||
        mt_ptp_parse(held->frame, held->length, &message) != MT_VERDICT_ACCEPTED ||
        !mt_security_code(self, true, &key, held->frame, held->covered, code) ||
        !mt_security_equal(code, held->frame + held->covered, mt_mac_size(key.mac))) {
        return MT_VERDICT_FORGED;
    }
    mt_count(&self->verified);
    if (!held->is_verified &&
        mt_security_is_repeated(self, association->sequence_window, &message, held->port, now)) {
        return MT_VERDICT_STALE;
    }
    return MT_VERDICT_ACCEPTED;
}

static bool is_asking(const struct mt_port *port, const struct mt_delay_exchange *question)
{
    for (unsigned i = 0; i < MT_DELAY_OUTSTANDING; i++) {
        if (port->delay.exchange[i].token == question->token) {
            return true;
        }
    }
    return question->token == 0;
}

/* With its question in the place of another one for as long as that takes. */
static void hand_in(struct mt_instance *self, const struct mt_security_held *held,
                    struct mt_mono now)
{
    struct mt_port *port = &self->ports[held->port - 1];
    struct mt_delay_exchange *place = &port->delay.exchange[port->delay.next];
    const struct mt_delay_exchange other = *place;
    const bool is_lent = !is_asking(port, &held->question);
    if (is_lent) {
        *place = held->question;
    }
    self->config.more->security->is_releasing = true;
    (void)mt_instance_rx(self, held->port, held->frame, held->length,
                         held->has_stamp ? &held->stamp : NULL, held->has_from ? &held->from : NULL,
                         now);
    self->config.more->security->is_releasing = false;
    if (is_lent) {
        *place = other;
    }
}

bool mt_security_next(struct mt_instance *self, struct mt_mono now)
{
    struct mt_security *security = self->config.more != NULL ? self->config.more->security : NULL;
    struct mt_security_held *held =
        security != NULL && security->held_count > 0 ? find_ready(security) : NULL;
    if (held == NULL) {
        return false;
    }
    enum mt_verdict verdict = verify(security, held, now);
    if (verdict == MT_VERDICT_ACCEPTED) {
        mt_security_tally(&self->ports[held->port - 1].config.more->security, verdict);
        hand_in(self, held, now);
    } else {
        count_at_last(self, held, verdict);
    }
    let_go(security, held);
    return true;
}
