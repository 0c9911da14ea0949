/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Peer delay for one port in a fifth of the octets of peer.c and its kin: one exchange at a time in
 * either direction, and the median of the last few as the delay of the link [1588-2019 11.4].
 *
 * The port's own mechanism is the end-to-end one, whose timer is stopped here.  A Sync measures
 * offset and delay; the delay is taken from it while it is still the port's.  The median's error is
 * no larger than what the largest of them is off, so twice the largest is the round trip that the
 * sample names, of which the error bound is made.
 */
#include "meantime/ptp_small.h"
#include "ptp/ptp_private.h"

#define HAS_DEPARTURE 1u
#define HAS_RESPONSE  2u
#define HAS_FOLLOW_UP 4u
#define HAS_ALL       7u
#define ENOUGH        3 /* delays of which there is a median */
#define LOST_MOST     4 /* unanswered in a row: nobody is there */
#define START_SHARE   8 /* the first request comes within this part of the interval */

enum answer_state { ANSWER_NONE, ANSWER_RESP, ANSWER_STAMP, ANSWER_FOLLOW_UP, ANSWER_DONE };

/* Null for a port that measures end to end. */
static struct mt_plain_peer *peer_of(const struct mt_port *port)
{
    const struct mt_port_more *more = port->config.more;
    return more != NULL && more->delay_mechanism == MT_DELAY_P2P ? more->plain_peer : NULL;
}

/* ---- what is known --------------------------------------------------------------------------- */

bool mt_plain_peer_delay(const struct mt_plain_peer *self, struct mt_interval *ret_delay,
                         struct mt_interval *ret_most)
{
    int64_t sorted[MT_PLAIN_DELAYS];
    if (self->count < ENOUGH) {
        return false;
    }
    for (unsigned i = 0; i < self->count; i++) {
        unsigned at = i;
        for (; at > 0 && sorted[at - 1] > self->delays_q16[i]; at--) {
            sorted[at] = sorted[at - 1];
        }
        sorted[at] = self->delays_q16[i];
    }
    ret_delay->q16 = sorted[self->count / 2];
    ret_most->q16 = sorted[self->count - 1];
    return true;
}

/* A delay of a second or more is none. */
static void complete(struct mt_plain_peer *peer)
{
    struct mt_span whole;
    struct mt_span turnaround;
    if (peer->have != HAS_ALL) {
        return;
    }
    peer->request_token = 0;
    mt_span_between(&peer->departure, &peer->arrival, &whole);
    mt_span_between(&peer->received, &peer->sent, &turnaround);
    mt_span_subtract(&whole, &turnaround);
    if (whole.s != 0 && whole.s != -1) {
        return;
    }
    int64_t ns = (int64_t)whole.ns + (whole.s < 0 ? -MT_NS_PER_S : 0);
    peer->delays_q16[peer->next] = (ns * 65536 + whole.frac) / 2;
    peer->next = (uint8_t)((peer->next + 1) % MT_PLAIN_DELAYS);
    if (peer->count < MT_PLAIN_DELAYS) {
        peer->count++;
    }
}

/* ---- reception ------------------------------------------------------------------------------- */

static enum mt_verdict take_request(struct mt_plain_peer *peer, const struct mt_port *port,
                                    const struct mt_incoming *in)
{
    const struct mt_ptp_header *request = &in->message.header;
    struct mt_plain_answer *answer = &peer->answer;
    if (answer->state != ANSWER_NONE && answer->sequence == request->sequence &&
        mt_port_identity_equal(&answer->requester, &request->source)) {
        return MT_VERDICT_STALE;
    }
    if (answer->state == ANSWER_RESP || answer->state == ANSWER_FOLLOW_UP) {
        return MT_VERDICT_QUEUE_FULL;
    }
    answer->state = ANSWER_RESP;
    answer->sequence = request->sequence;
    answer->requester = request->source;
    answer->correction = request->correction;
    answer->at = in->stamp->at;
    mt_instant_subtract(&answer->at, &port->config.ingress_latency);
    return MT_VERDICT_ACCEPTED;
}

static enum mt_verdict take_answer(struct mt_plain_peer *peer, const struct mt_port *port,
                                   const struct mt_incoming *in)
{
    const struct mt_ptp_message *message = &in->message;
    const struct mt_ptp_header *header = &message->header;
    bool is_response = header->type == MT_PTP_PDELAY_RESP;
    unsigned part = is_response ? HAS_RESPONSE : HAS_FOLLOW_UP;
    struct mt_instant at = mt_ptp_timestamp_to_instant(&message->body.response.at, MT_SCALE_ARB);
    if (!mt_port_identity_equal(&message->body.response.requester, &port->identity)) {
        return MT_VERDICT_ACCEPTED; /* everybody hears the answers to everybody */
    }
    if (peer->request_token == 0 || header->sequence != peer->sequence ||
        ((peer->have & (HAS_RESPONSE | HAS_FOLLOW_UP)) != 0 &&
         !mt_port_identity_equal(&peer->responder, &header->source))) {
        return MT_VERDICT_NOT_REQUESTED;
    }
    if ((peer->have & part) != 0) {
        return MT_VERDICT_STALE;
    }
    peer->responder = header->source;
    peer->lost = 0;
    if (is_response) {
        peer->arrival = in->stamp->at;
        mt_instant_subtract(&peer->arrival, &port->config.ingress_latency);
        mt_instant_subtract(&peer->arrival, &header->correction);
        mt_instant_subtract(&peer->arrival, &port->config.delay_asymmetry);
        peer->received = at;
        if ((header->flags & MT_PTP_TWO_STEP) == 0) { /* the turnaround is in the correction */
            peer->sent = at;
            part = HAS_RESPONSE | HAS_FOLLOW_UP;
        }
    } else {
        peer->sent = at;
        mt_instant_add(&peer->sent, &header->correction);
    }
    peer->have |= (uint8_t)part;
    complete(peer);
    return MT_VERDICT_ACCEPTED;
}

static enum mt_verdict receive(const struct mt_instance *self, struct mt_port *port,
                               struct mt_plain_peer *peer, const struct mt_incoming *in)
{
    const struct mt_ptp_header *header = &in->message.header;
    if (!mt_port_is_active(port)) {
        return MT_VERDICT_DISABLED;
    }
    if (mt_clock_identity_equal(&header->source.clock, &self->config.identity)) {
        return MT_VERDICT_OWN;
    }
    if (mt_ptp_is_event(header->type) && in->stamp == NULL) {
        return MT_VERDICT_NO_TIMESTAMP;
    }
    if (mt_interval_is_too_large(header->correction)) {
        return MT_VERDICT_CORRECTION;
    }
    return header->type == MT_PTP_PDELAY_REQ ? take_request(peer, port, in)
                                             : take_answer(peer, port, in);
}

static bool rx(struct mt_instance *self, struct mt_port *port, struct mt_incoming *in,
               enum mt_verdict *ret_verdict)
{
    const struct mt_ptp_header *header = &in->message.header;
    struct mt_plain_peer *peer = peer_of(port);
    const unsigned pdelay =
        1u << MT_PTP_PDELAY_REQ | 1u << MT_PTP_PDELAY_RESP | 1u << MT_PTP_PDELAY_RESP_FOLLOW_UP;
    if (peer == NULL || header->domain != self->config.domain ||
        header->sdo_id != self->config.sdo_id) {
        return false;
    }
    if (header->type == MT_PTP_DELAY_REQ) {
        *ret_verdict = MT_VERDICT_UNSUPPORTED;
        return true;
    }
    if ((1u << header->type & pdelay) == 0) {
        return false;
    }
    *ret_verdict = receive(self, port, peer, in);
    return true;
}

static bool tx_done(struct mt_instance *self, struct mt_port *port, uint32_t token,
                    const struct mt_stamp *stamp)
{
    struct mt_plain_peer *peer = peer_of(port);
    if (peer == NULL) {
        return false;
    }
    if (peer->request_token == token && (peer->have & HAS_DEPARTURE) == 0) {
        peer->request_token = stamp != NULL ? token : 0;
        if (stamp != NULL) {
            peer->departure = stamp->at;
            peer->have |= HAS_DEPARTURE;
            complete(peer);
        }
        return true;
    }
    if (peer->answer.state == ANSWER_STAMP && peer->answer.token == token) {
        peer->answer.state = stamp != NULL ? ANSWER_FOLLOW_UP : ANSWER_DONE;
        if (stamp != NULL) {
            peer->answer.at = stamp->at;
        }
        return true;
    }
    return false;
}

/* ---- time ------------------------------------------------------------------------------------ */

static void stop(struct mt_plain_peer *peer)
{
    peer->is_running = false;
    peer->wants_request = false;
    peer->request_token = 0;
    peer->count = 0;
    peer->next = 0;
    peer->lost = 0;
    peer->answer.state = ANSWER_NONE;
}

static void ask(struct mt_instance *self, struct mt_plain_peer *peer)
{
    int64_t interval_ns = mt_log2s_to_ns(peer->log_request_interval);
    if (!peer->is_running) {
        peer->is_running = true;
        peer->next_request = mt_mono_plus(self->now, mt_random_ns(self, interval_ns / START_SHARE));
    }
    if (peer->next_request.ns > self->now.ns) {
        return;
    }
    peer->wants_request = true;
    peer->next_request = mt_mono_plus(peer->next_request, interval_ns);
    if (peer->next_request.ns <= self->now.ns) { /* it has fallen behind */
        peer->next_request = mt_mono_plus(self->now, interval_ns);
    }
}

static void take_delay_off(struct mt_port *port, const struct mt_plain_peer *peer)
{
    struct mt_sample *sample = &port->sample;
    struct mt_interval delay;
    struct mt_interval most;
    if (!port->has_sample || sample->kind != MT_SAMPLE_FORWARD) {
        return;
    }
    port->has_sample = mt_plain_peer_delay(peer, &delay, &most);
    if (port->has_sample) {
        const struct mt_span span = mt_span_from_interval(delay);
        mt_span_subtract(&sample->value, &span);
        sample->delay.q16 = 2 * most.q16;
        sample->kind = MT_SAMPLE_OFFSET;
    }
}

static struct mt_mono settle(struct mt_instance *self)
{
    struct mt_port *port = self->ports;
    struct mt_plain_peer *peer = peer_of(port);
    if (peer == NULL) {
        return MT_MONO_NEVER;
    }
    if (!mt_port_is_active(port)) {
        stop(peer);
        return MT_MONO_NEVER;
    }
    mt_timer_disarm(self, port, MT_TIMER_DELAY_REQ); /* nothing is asked of the transmitter */
    ask(self, peer);
    take_delay_off(port, peer);
    return peer->next_request;
}

/* ---- frames that leave ----------------------------------------------------------------------- */

static void begin_request(struct mt_plain_peer *peer, const struct mt_port *port,
                          struct mt_outgoing *out)
{
    struct mt_ptp_header *header = &out->message.header;
    peer->wants_request = false;
    peer->have = 0;
    peer->request_token = out->token;
    header->sequence = ++peer->sequence;
    header->correction = mt_interval_minus(header->correction, port->config.delay_asymmetry);
    if (peer->lost < LOST_MOST) {
        peer->lost++;
    } else {
        peer->count = 0;
        peer->next = 0;
    }
}

static void fill_answer(struct mt_plain_answer *answer, struct mt_outgoing *out)
{
    struct mt_ptp_header *header = &out->message.header;
    struct mt_interval fraction;
    mt_ptp_timestamp_from_instant(&answer->at, &out->message.body.response.at, &fraction);
    out->message.body.response.requester = answer->requester;
    header->sequence = answer->sequence;
    if (header->type == MT_PTP_PDELAY_RESP) { /* t2's fraction goes in with the other sign */
        header->flags = MT_PTP_TWO_STEP;
        header->correction = mt_interval_minus(header->correction, fraction);
        answer->token = out->token;
        answer->state = ANSWER_STAMP;
    } else {
        header->correction = mt_interval_plus(answer->correction, fraction);
        answer->state = ANSWER_DONE;
    }
}

static void fill(struct mt_plain_peer *peer, const struct mt_port *port, struct mt_outgoing *out)
{
    if (out->message.header.type == MT_PTP_PDELAY_REQ) {
        begin_request(peer, port, out);
    } else {
        fill_answer(&peer->answer, out);
    }
}

/* False: nothing waits. */
static bool choose(const struct mt_plain_peer *peer, enum mt_ptp_type *ret_type)
{
    if (peer->answer.state == ANSWER_FOLLOW_UP) {
        *ret_type = MT_PTP_PDELAY_RESP_FOLLOW_UP;
    } else if (peer->answer.state == ANSWER_RESP) {
        *ret_type = MT_PTP_PDELAY_RESP;
    } else {
        *ret_type = MT_PTP_PDELAY_REQ;
        return peer->wants_request;
    }
    return true;
}

static bool next_tx(struct mt_instance *self, struct mt_outgoing *out, struct mt_tx *ret_tx)
{
    struct mt_port *port = self->ports;
    struct mt_plain_peer *peer = peer_of(port);
    struct mt_ptp_header *header = &out->message.header;
    enum mt_ptp_type type;
    if (peer == NULL || !choose(peer, &type)) {
        return false;
    }
    memset(ret_tx, 0, sizeof *ret_tx);
    memset(&out->message, 0, sizeof out->message);
    header->type = type;
    header->sdo_id = self->config.sdo_id;
    header->minor_version = self->config.minor_version;
    header->domain = self->config.domain;
    header->source = port->identity;
    header->log_interval = MT_PTP_LOG_INTERVAL_NONE;
    ret_tx->port = port->identity.port;
    ret_tx->destination = MT_TO_PEER;
    ret_tx->is_event = mt_ptp_is_event(type);
    ret_tx->token = ret_tx->is_event ? mt_next_token(self) : 0;
    out->token = ret_tx->token;
    fill(peer, port, out);
    ret_tx->length = mt_ptp_write(&out->message, out->buffer, out->capacity);
    if (ret_tx->length == 0) {
        mt_port_count(port, MT_COUNT_TX_DROPPED);
        (void)tx_done(self, port, out->token, NULL);
    }
    return ret_tx->length != 0;
}

const struct mt_extension mt_plain_peer_extension = {
    .rx = rx,
    .tx_done = tx_done,
    .settle = settle,
    .next_tx = next_tx,
};
