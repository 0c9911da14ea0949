/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * A transparent clock: what passes, out of which ports, and what is written into it.
 *
 * Every frame that may pass takes a place in the ring and gets a leg for each port that it leaves
 * by.  Event messages leave at once, before anything is known of them: their timestamps come back
 * by token and become residences, for which the results wait (transparent_result.c).  The frame is
 * kept as it came and changed only in the copy that leaves: so each leg can differ, and nothing
 * else changes.
 *
 * The instance hears what passes as every receiver does: its clock follows the transmitter, and
 * where it does not run at the transmitter's rate, the difference is taken out of the residence.
 */
#include "meantime/ptp_peer.h"
#include "ptp/transparent_private.h"

#include "wire/fields.h"

#define FLAGS_OCTET   6
#define TWO_STEP      0x02 /* in that octet */
#define CORRECTION    8
#define STEPS_REMOVED 61 /* of an Announce */

/* ---- what may pass --------------------------------------------------------------------------- */

static bool is_own_domain(const struct mt_instance *self, const struct mt_ptp_header *header)
{
    return header->domain == self->config.domain && header->sdo_id == self->config.sdo_id;
}

/* The other values of majorSdoId are of protocols that end at each link, or of other standards. */
static bool is_domain_passed(const struct mt_instance *self, const struct mt_ptp_header *header)
{
    const struct mt_transparent *tc = mt_transparent_of(self);
    bool is_known_sdo = header->sdo_id >> 8 == 0 || header->sdo_id == self->config.sdo_id;
    return is_own_domain(self, header) || (is_known_sdo && !tc->config.keeps_to_domain);
}

/* An answer or an order for this clock itself ends here. */
static bool is_for_us(const struct mt_instance *self, const struct mt_transparent_key *key)
{
    return mt_clock_identity_equal(&key->other.clock, &self->config.identity);
}

static bool is_pdelay(uint8_t type)
{
    return type == MT_PTP_PDELAY_REQ || type == MT_PTP_PDELAY_RESP ||
           type == MT_PTP_PDELAY_RESP_FOLLOW_UP;
}

static bool is_delay(uint8_t type)
{
    return type == MT_PTP_DELAY_REQ || type == MT_PTP_DELAY_RESP;
}

/* True if the port itself wants the message, too; the second time, only to know of another way. */
static bool is_wanted(const struct mt_instance *self, const struct mt_port *port,
                      const struct mt_ptp_header *header, enum mt_verdict verdict)
{
    if (verdict == MT_VERDICT_STALE && header->type != MT_PTP_ANNOUNCE) {
        return false;
    }
    switch (header->type) {
    case MT_PTP_ANNOUNCE:
    case MT_PTP_SIGNALING:
    case MT_PTP_MANAGEMENT:
        return is_own_domain(self, header);
    case MT_PTP_SYNC:
    case MT_PTP_FOLLOW_UP:
        return is_own_domain(self, header) && mt_port_is_receiving(port) &&
               mt_is_parent(self, &header->source);
    case MT_PTP_DELAY_REQ:
    case MT_PTP_DELAY_RESP:
    case MT_PTP_PDELAY_REQ:
    case MT_PTP_PDELAY_RESP:
    case MT_PTP_PDELAY_RESP_FOLLOW_UP:
        break;
    }
    return false;
}

/* Along the tree time flows out of the receiving port and requests flow into it. */
static bool is_on_tree(const struct mt_instance *self, const struct mt_transparent_frame *frame,
                       const struct mt_port *egress)
{
    switch ((enum mt_ptp_type)frame->key.type) {
    case MT_PTP_ANNOUNCE:
    case MT_PTP_SYNC:
        return frame->ingress == self->receiving_port && egress->decision != MT_P1 &&
               egress->decision != MT_P2;
    case MT_PTP_DELAY_REQ:
        return egress->identity.port == self->receiving_port;
    case MT_PTP_PDELAY_REQ:
    case MT_PTP_PDELAY_RESP:
    case MT_PTP_FOLLOW_UP:
    case MT_PTP_DELAY_RESP:
    case MT_PTP_PDELAY_RESP_FOLLOW_UP:
    case MT_PTP_SIGNALING:
    case MT_PTP_MANAGEMENT:
        break;
    }
    return true;
}

static bool may_leave(const struct mt_instance *self, const struct mt_transparent_frame *frame,
                      const struct mt_port *egress)
{
    const struct mt_transparent *tc = mt_transparent_of(self);
    bool is_in_tree = tc->config.follows_tree && frame->key.domain == self->config.domain &&
                      frame->key.sdo_id == self->config.sdo_id;
    return egress->identity.port != frame->ingress && mt_port_is_active(egress) &&
           (frame->to.network == 0 || egress->identity.port == frame->only_port) &&
           (!is_in_tree || is_on_tree(self, frame, egress));
}

bool mt_transparent_link_delay(const struct mt_port *port, struct mt_interval *ret_delay)
{
    const struct mt_port_more *more = port->config.more;
    struct mt_peer_report report = {0};
    if (more != NULL && more->peer != NULL) {
        mt_peer_get(more->peer, &report);
    }
    *ret_delay = report.delay;
    return report.has_delay;
}

/* ---- what comes ------------------------------------------------------------------------------ */

static void queue_everywhere(struct mt_instance *self, struct mt_transparent_frame *frame)
{
    struct mt_transparent *tc = mt_transparent_of(self);
    for (const struct mt_port *port = self->ports; port < self->ports_end; port++) {
        if (may_leave(self, frame, port)) {
            mt_transparent_set(tc, frame, mt_transparent_leg(tc, frame, port->identity.port),
                               MT_LEG_QUEUED);
        }
    }
    if (frame->open_legs == 0 && tc->config.follows_tree) {
        mt_transparent_count(tc, MT_TRANSPARENT_BLOCKED);
    }
}

static void queue_back(struct mt_instance *self, struct mt_transparent_frame *response)
{
    struct mt_transparent *tc = mt_transparent_of(self);
    struct mt_transparent_frame *request = mt_transparent_request(tc, response, self->now);
    if (request == NULL || request->ingress == response->ingress) {
        mt_transparent_count(tc, MT_TRANSPARENT_UNMATCHED);
        return;
    }
    response->request = request->serial;
    request->awaits_result = false;
    mt_transparent_set(tc, response, mt_transparent_leg(tc, response, request->ingress),
                       MT_LEG_QUEUED);
}

static bool is_two_step(const struct mt_incoming *in)
{
    return (in->message.header.flags & MT_PTP_TWO_STEP) != 0;
}

static void pass_event(struct mt_instance *self, const struct mt_port *port,
                       struct mt_transparent_frame *frame, const struct mt_incoming *in)
{
    bool is_answer = frame->key.type == MT_PTP_PDELAY_RESP;
    bool has_result = frame->key.type == MT_PTP_SYNC || is_answer;
    frame->arrival = *in->stamp;
    mt_instant_subtract(&frame->arrival.at, &port->config.ingress_latency);
    if (has_result) { /* from the transmitter, or as if: [11.6] */
        frame->on_ingress = port->config.delay_asymmetry;
    }
    if (frame->key.type == MT_PTP_SYNC && mt_transparent_of(self)->config.is_peer_to_peer) {
        struct mt_interval delay = {0};
        (void)mt_transparent_link_delay(port, &delay);
        frame->on_ingress = mt_interval_plus(frame->on_ingress, delay);
    }
    frame->is_one_step = has_result && !is_two_step(in);
    frame->awaits_result = !frame->is_one_step;
    if (is_answer) {
        queue_back(self, frame);
    } else {
        queue_everywhere(self, frame);
    }
    if (!has_result) {
        return;
    }
    if (!frame->is_one_step) {
        mt_transparent_event_rx(self, frame);
    } else if (frame->open_legs > 0) {
        mt_transparent_convert(self, frame);
    }
}

/* receiver: null if it is sent to all. */
static void pass(struct mt_instance *self, const struct mt_port *port, const struct mt_incoming *in,
                 const struct mt_transparent_key *key,
                 const struct mt_transparent_receiver *receiver)
{
    struct mt_transparent *tc = mt_transparent_of(self);
    struct mt_transparent_frame *frame = mt_transparent_add(
        tc, key, in->frame, in->message.header.length, port->identity.port, self->now);
    if (in->from != NULL) {
        frame->from = *in->from;
    }
    if (receiver != NULL) {
        frame->to = receiver->address;
        frame->only_port = receiver->port;
    }
    if (mt_ptp_is_event((enum mt_ptp_type)key->type)) {
        pass_event(self, port, frame, in);
    } else if (mt_transparent_is_result(key->type)) {
        mt_transparent_result_rx(self, frame);
    } else {
        queue_everywhere(self, frame);
    }
}

/* Why a frame that would pass does not; ACCEPTED: it does. */
static enum mt_verdict check(struct mt_instance *self, const struct mt_port *port,
                             const struct mt_incoming *in, const struct mt_transparent_key *key)
{
    struct mt_transparent *tc = mt_transparent_of(self);
    uint16_t ingress = key->type == MT_PTP_FOLLOW_UP ? port->identity.port : 0;
    struct mt_interval delay;
    if (mt_ptp_is_event((enum mt_ptp_type)key->type) && in->stamp == NULL) {
        return MT_VERDICT_NO_TIMESTAMP;
    }
    if (tc->config.is_peer_to_peer && is_delay(key->type)) {
        return MT_VERDICT_UNSUPPORTED;
    }
    if (in->message.header.length > tc->storage.frame_size) {
        mt_transparent_count(tc, MT_TRANSPARENT_TOO_LONG);
        return MT_VERDICT_LENGTH;
    }
    if (mt_transparent_find(tc, key, ingress, self->now) != NULL) {
        mt_transparent_count(tc, MT_TRANSPARENT_DUPLICATE);
        return MT_VERDICT_STALE;
    }
    if (tc->config.is_peer_to_peer && key->type == MT_PTP_SYNC &&
        !mt_transparent_link_delay(port, &delay)) {
        mt_transparent_count(tc, MT_TRANSPARENT_NO_LINK_DELAY);
        return MT_VERDICT_STATE;
    }
    return MT_VERDICT_ACCEPTED;
}

static bool rx(struct mt_instance *self, struct mt_port *port, struct mt_incoming *in,
               enum mt_verdict *ret_verdict)
{
    struct mt_transparent *tc = mt_transparent_of(self);
    const struct mt_ptp_header *header = &in->message.header;
    bool is_unicast = (header->flags & MT_PTP_UNICAST) != 0;
    struct mt_transparent_receiver receiver;
    struct mt_transparent_key key;
    if (tc == NULL || !mt_port_is_active(port) || !is_domain_passed(self, header) ||
        mt_clock_identity_equal(&header->source.clock, &self->config.identity)) {
        return false;
    }
    mt_transparent_identify(&in->message, &key);
    if (is_for_us(self, &key) || (tc->config.is_peer_to_peer && is_pdelay(key.type))) {
        return false;
    }
    if (is_unicast && !mt_transparent_find_receiver(self, &key, &receiver)) {
        mt_transparent_count(tc, MT_TRANSPARENT_UNICAST);
        return false;
    }
    *ret_verdict = check(self, port, in, &key);
    if (*ret_verdict == MT_VERDICT_ACCEPTED) {
        pass(self, port, in, &key, is_unicast ? &receiver : NULL);
    }
    return !is_wanted(self, port, header, *ret_verdict);
}

/* ---- timestamps ------------------------------------------------------------------------------ */

static void take_down(struct mt_transparent_residence *self, struct mt_interval residence)
{
    if (self->count == 0 || residence.q16 < self->least.q16) {
        self->least = residence;
    }
    if (self->count == 0 || residence.q16 > self->most.q16) {
        self->most = residence;
    }
    self->count++;
    self->sum_ns += mt_interval_to_ns(residence);
}

/* By the transmitter's clock.  False if the stamps cannot be compared. */
static bool measure(struct mt_instance *self, const struct mt_transparent_frame *frame,
                    const struct mt_stamp *departure, struct mt_interval *ret_residence)
{
    struct mt_transparent *tc = mt_transparent_of(self);
    const struct mt_interval limit = mt_interval_from_ns(MT_TRANSPARENT_HOLD_NS);
    struct mt_interval residence =
        mt_span_to_interval(mt_instant_minus(departure->at, frame->arrival.at));
    if (frame->arrival.corrections < tc->clock.stepped_at) {
        mt_transparent_count(tc, MT_TRANSPARENT_STEPPED);
        return false;
    }
    if (residence.q16 > limit.q16 || residence.q16 < -limit.q16) {
        return false;
    }
    if (!tc->config.is_free_running) {
        residence.q16 -= mt_interval_to_ns(residence) * tc->clock.scaled_rate / (1 << 25);
    }
    take_down(&tc->residence, residence);
    *ret_residence = residence;
    return true;
}

/* What does not depend on the time inside; a request's asymmetry is that of the port which it
 * leaves by [11.6]. */
static struct mt_interval fixed_part(const struct mt_transparent_frame *frame,
                                     const struct mt_port *egress)
{
    bool is_request = frame->key.type == MT_PTP_DELAY_REQ || frame->key.type == MT_PTP_PDELAY_REQ;
    return is_request ? mt_interval_minus((struct mt_interval){0}, egress->config.delay_asymmetry)
                      : frame->on_ingress;
}

static void stamped(struct mt_instance *self, const struct mt_port *port,
                    struct mt_transparent_frame *frame, const struct mt_stamp *stamp)
{
    struct mt_transparent *tc = mt_transparent_of(self);
    struct mt_transparent_leg *leg = mt_transparent_leg(tc, frame, port->identity.port);
    struct mt_interval residence;
    if (stamp != NULL && measure(self, frame, stamp, &residence)) {
        leg->correction = mt_interval_plus(residence, fixed_part(frame, port));
        mt_transparent_set(tc, frame, leg, MT_LEG_STAMPED);
    } else {
        mt_transparent_count(tc, MT_TRANSPARENT_STAMP_LOST);
        mt_transparent_set(tc, frame, leg, MT_LEG_LOST);
    }
    mt_transparent_resolve(self, frame);
}

static bool tx_done(struct mt_instance *self, struct mt_port *port, uint32_t token,
                    const struct mt_stamp *stamp)
{
    struct mt_transparent *tc = mt_transparent_of(self);
    for (uint64_t serial = tc != NULL && tc->awaited > 0 ? tc->newest : 0; serial != 0; serial--) {
        struct mt_transparent_frame *frame = mt_transparent_at(tc, serial, self->now);
        if (frame == NULL) {
            break;
        }
        const struct mt_transparent_leg *leg = mt_transparent_leg(tc, frame, port->identity.port);
        if (leg->state == MT_LEG_SENT && leg->token == token) {
            stamped(self, port, frame, stamp);
            return true;
        }
    }
    return false;
}

/* ---- what leaves ----------------------------------------------------------------------------- */

static bool inserts(const struct mt_transparent *self, uint16_t port)
{
    return (self->config.inserting >> (port - 1) & 1) != 0;
}

/* A Pdelay_Resp needs the residence of its request in it as well. */
bool mt_transparent_stays_one_step(const struct mt_transparent *self,
                                   const struct mt_transparent_frame *event, uint16_t port)
{
    return inserts(self, port) && (event->key.type == MT_PTP_SYNC || inserts(self, event->ingress));
}

static void correct(uint8_t *frame, struct mt_interval by)
{
    struct mt_interval correction = {(int64_t)((uint64_t)mt_octets_u32(frame + CORRECTION) << 32 |
                                               mt_octets_u32(frame + CORRECTION + 4))};
    uint64_t sum = (uint64_t)mt_interval_plus(correction, by).q16;
    for (unsigned i = 0; i < 8; i++) {
        frame[CORRECTION + i] = (uint8_t)(sum >> (56 - 8 * i));
    }
}

static void write_event(struct mt_instance *self, struct mt_transparent_frame *frame,
                        const struct mt_port *port, const struct mt_outgoing *out,
                        struct mt_tx *ret_tx)
{
    struct mt_transparent *tc = mt_transparent_of(self);
    uint16_t number = port->identity.port;
    struct mt_transparent_leg *leg = mt_transparent_leg(tc, frame, number);
    ret_tx->is_event = true;
    if (frame->is_one_step && !mt_transparent_stays_one_step(tc, frame, number)) {
        out->buffer[FLAGS_OCTET] |= TWO_STEP;
    }
    if (inserts(tc, number)) {
        ret_tx->insertion = MT_INSERT_RESIDENCE;
        ret_tx->arrival = frame->arrival.at;
        correct(out->buffer, fixed_part(frame, port));
        leg->correction.q16 = 0;
        mt_transparent_set(tc, frame, leg, MT_LEG_STAMPED);
        mt_transparent_resolve(self, frame);
        return;
    }
    leg->token = mt_next_token(self);
    ret_tx->token = leg->token;
    mt_transparent_set(tc, frame, leg, MT_LEG_SENT);
}

static void write_other(struct mt_instance *self, struct mt_transparent_frame *frame,
                        struct mt_transparent_leg *leg, uint8_t *buffer)
{
    struct mt_transparent *tc = mt_transparent_of(self);
    if (mt_transparent_is_result(frame->key.type)) {
        correct(buffer, leg->correction);
    } else if (frame->key.type == MT_PTP_ANNOUNCE && tc->config.follows_tree) {
        uint16_t steps = mt_octets_u16(buffer + STEPS_REMOVED);
        mt_octets_put_u16(buffer + STEPS_REMOVED, (uint16_t)(steps + (steps < UINT16_MAX)));
    }
    mt_transparent_set(tc, frame, leg, MT_LEG_DONE);
}

static bool write(struct mt_instance *self, struct mt_transparent_frame *frame,
                  struct mt_port *port, struct mt_outgoing *out, struct mt_tx *ret_tx)
{
    struct mt_transparent *tc = mt_transparent_of(self);
    struct mt_transparent_leg *leg = mt_transparent_leg(tc, frame, port->identity.port);
    if (frame->length > out->capacity) {
        mt_port_count(port, MT_COUNT_TX_DROPPED);
        mt_transparent_set(tc, frame, leg, MT_LEG_LOST);
        mt_transparent_resolve(self, frame);
        return false;
    }
    memcpy(out->buffer, mt_transparent_octets(tc, frame), frame->length);
    memset(ret_tx, 0, sizeof *ret_tx);
    ret_tx->port = port->identity.port;
    ret_tx->destination = frame->to.network != 0       ? MT_TO_ADDRESS
                          : is_pdelay(frame->key.type) ? MT_TO_PEER
                                                       : MT_TO_ALL;
    ret_tx->to = frame->to;
    ret_tx->length = frame->length;
    out->is_forwarded = true;
    out->message.header.type = (enum mt_ptp_type)frame->key.type;
    if (mt_ptp_is_event((enum mt_ptp_type)frame->key.type)) {
        write_event(self, frame, port, out, ret_tx);
    } else {
        write_other(self, frame, leg, out->buffer);
    }
    mt_transparent_count(tc, MT_TRANSPARENT_FORWARDED);
    return true;
}

static bool write_one(struct mt_instance *self, struct mt_transparent_frame *frame,
                      struct mt_outgoing *out, struct mt_tx *ret_tx)
{
    struct mt_transparent *tc = mt_transparent_of(self);
    for (struct mt_port *port = self->ports; port < self->ports_end; port++) {
        if (mt_transparent_leg(tc, frame, port->identity.port)->state == MT_LEG_QUEUED &&
            write(self, frame, port, out, ret_tx)) {
            return true;
        }
    }
    return false;
}

static bool next_tx(struct mt_instance *self, struct mt_outgoing *out, struct mt_tx *ret_tx)
{
    struct mt_transparent *tc = mt_transparent_of(self);
    while (tc != NULL && tc->queued > 0 && tc->first <= tc->newest) {
        struct mt_transparent_frame *frame = mt_transparent_at(tc, tc->first, self->now);
        if (frame != NULL && write_one(self, frame, out, ret_tx)) {
            return true;
        }
        tc->first++;
    }
    return false;
}

static bool is_used(const struct mt_instance_more *instance, const struct mt_port_more *port)
{
    (void)port;
    return instance->transparent != NULL;
}

const struct mt_extension mt_transparent_extension = {
    .rx = rx, .tx_done = tx_done, .next_tx = next_tx, .is_used = is_used};
