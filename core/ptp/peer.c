/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The peer-to-peer delay mechanism as an extension of the instance: which frames are of the link,
 * when requests are due, what is sent.
 *
 * Each port drives the peer that it is given, in any state in which it hears, whether it receives
 * time, serves it or neither.  A peer that is shared is driven by one port only; the others read.
 */
#include "ptp/peer_private.h"

#define SEVERAL_MOST 3 /* exchanges in a row that several stations may answer */
#define START_SHARE  8 /* the first request comes within this part of the interval */

void mt_peer_config_init(struct mt_peer_config *self)
{
    *self = (struct mt_peer_config){
        .minor_version = 1,
        .allowed_lost_responses = 3,
        .mean_link_delay_thresh = MT_INTERVAL_TOO_LARGE,
        .stored_delay = MT_INTERVAL_TOO_LARGE,
    };
}

void mt_peer_count(struct mt_peer *self, enum mt_peer_counter counter)
{
    mt_count(&self->counters[counter]);
}

void mt_peer_forget(struct mt_peer *self)
{
    memset(&self->delay, 0, sizeof self->delay);
    memset(&self->rate, 0, sizeof self->rate);
    memset(self->exchanges, 0, sizeof self->exchanges);
    self->there.is_new = false;
    self->back.is_new = false;
    self->has_identity = false;
    self->lost_in_a_row = 0;
    self->several_in_a_row = 0;
    self->strange_in_a_row = 0;
    if (!mt_interval_is_too_large(self->config.stored_delay)) {
        self->delay.is_stored = true;
        self->delay.mean_q16 = self->config.stored_delay.q16;
    }
    mt_peer_judge(self);
}

void mt_peer_init(struct mt_peer *self, const struct mt_peer_config *config)
{
    memset(self, 0, sizeof *self);
    self->config = *config;
    self->next_request = MT_MONO_NEVER;
    mt_peer_forget(self);
}

void mt_peer_set_interval(struct mt_peer *self, int8_t log_request_interval)
{
    self->config.log_request_interval = log_request_interval;
}

/* ---- what is known --------------------------------------------------------------------------- */

static bool has_several(const struct mt_peer *self)
{
    return self->several_in_a_row > SEVERAL_MOST;
}

static bool is_capable(const struct mt_peer *self)
{
    const struct mt_interval *most = &self->config.mean_link_delay_thresh;
    return self->has_identity && self->delay.count > 0 && mt_link_rate_is_valid(&self->rate) &&
           self->lost_in_a_row <= self->config.allowed_lost_responses && !has_several(self) &&
           self->delay.mean_q16 <= most->q16;
}

void mt_peer_judge(struct mt_peer *self)
{
    bool was_capable = self->is_as_capable;
    self->is_as_capable = !self->config.is_gptp || is_capable(self);
    if (was_capable && !self->is_as_capable) { /* it is to prove itself anew */
        memset(&self->rate, 0, sizeof self->rate);
    }
}

void mt_peer_get(const struct mt_peer *self, struct mt_peer_report *ret_report)
{
    const struct mt_link_delay *delay = &self->delay;
    *ret_report = (struct mt_peer_report){
        .has_delay = (delay->count > 0 || delay->is_stored) && !has_several(self),
        .has_rate_ratio = mt_link_rate_is_valid(&self->rate),
        .has_identity = self->has_identity,
        .is_as_capable = self->is_as_capable,
        .has_several = has_several(self),
        .is_in_doubt = delay->refused > 0,
        .delay = {delay->mean_q16},
        .spread = {mt_link_delay_spread_q16(delay)},
        .sigma = {mt_link_delay_sigma_q16(delay)},
        .rate_ratio = self->rate.ratio,
        .identity = self->identity,
        .exchanges = delay->count,
    };
}

/* ---- reception ------------------------------------------------------------------------------- */

static enum mt_verdict check(const struct mt_instance *self, const struct mt_port *port,
                             const struct mt_incoming *in)
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
    return MT_VERDICT_ACCEPTED;
}

static bool is_asking(const struct mt_port *port, const struct mt_peer *peer)
{
    return mt_port_delay_mechanism(port) != MT_DELAY_E2E || peer->is_asked;
}

static enum mt_verdict receive(struct mt_instance *self, struct mt_port *port, struct mt_peer *peer,
                               const struct mt_incoming *in)
{
    enum mt_ptp_type type = in->message.header.type;
    enum mt_verdict verdict = check(self, port, in);
    if (verdict != MT_VERDICT_ACCEPTED) {
        return verdict;
    }
    if (type == MT_PTP_PDELAY_REQ) {
        peer->is_asked = true;
        return mt_peer_request(peer, port, in);
    }
    if (!is_asking(port, peer)) {
        return MT_VERDICT_NOT_REQUESTED;
    }
    return type == MT_PTP_PDELAY_RESP ? mt_peer_response(peer, port, in)
                                      : mt_peer_follow_up(peer, port, in);
}

/* With AUTO whoever is behind the port may use the one or the other. */
static bool answers_delay_req(const struct mt_port *port)
{
    const struct mt_port_more *more = port->config.more;
    return mt_port_delay_mechanism(port) == MT_DELAY_E2E ||
           (more != NULL && more->delay_mechanism == MT_DELAY_AUTO);
}

static bool rx(struct mt_instance *self, struct mt_port *port, struct mt_incoming *in,
               enum mt_verdict *ret_verdict)
{
    const struct mt_ptp_header *header = &in->message.header;
    struct mt_peer *peer = mt_peer_driven_by(port);
    bool is_own_domain =
        header->domain == self->config.domain && header->sdo_id == self->config.sdo_id;
    switch (header->type) {
    case MT_PTP_PDELAY_REQ:
    case MT_PTP_PDELAY_RESP:
    case MT_PTP_PDELAY_RESP_FOLLOW_UP:
        if (peer == NULL || header->domain != peer->config.domain ||
            header->sdo_id != peer->config.sdo_id) {
            return false;
        }
        *ret_verdict = receive(self, port, peer, in);
        return true;
    case MT_PTP_DELAY_REQ:
        if (!mt_port_is_active(port) || !is_own_domain || answers_delay_req(port)) {
            return false;
        }
        *ret_verdict = MT_VERDICT_UNSUPPORTED;
        return true;
    case MT_PTP_SYNC:
    case MT_PTP_FOLLOW_UP:
    case MT_PTP_DELAY_RESP:
    case MT_PTP_ANNOUNCE:
    case MT_PTP_SIGNALING:
    case MT_PTP_MANAGEMENT:
        break;
    }
    return false;
}

static bool tx_done(struct mt_instance *self, struct mt_port *port, uint32_t token,
                    const struct mt_stamp *stamp)
{
    struct mt_peer *peer = mt_peer_driven_by(port);
    (void)self;
    return peer != NULL && (mt_peer_request_sent(peer, port, token, stamp) ||
                            mt_peer_response_sent(peer, token, stamp));
}

/* ---- time ------------------------------------------------------------------------------------ */

static void stop(struct mt_peer *peer)
{
    peer->is_running = false;
    peer->is_asked = false;
    peer->is_heard = false;
    peer->wants_request = false;
    peer->next_request = MT_MONO_NEVER;
    memset(peer->answers, 0, sizeof peer->answers);
    mt_peer_forget(peer);
}

static void ask(struct mt_instance *self, struct mt_peer *peer, int64_t interval_ns)
{
    struct mt_mono latest = mt_mono_plus(self->now, interval_ns);
    if (peer->next_request.ns == MT_MONO_NEVER.ns) { /* it begins, or may ask again */
        peer->next_request = mt_mono_plus(self->now, mt_random_ns(self, interval_ns / START_SHARE));
    }
    if (peer->next_request.ns > self->now.ns) {
        peer->next_request = mt_mono_earlier(peer->next_request, latest); /* it was longer */
        return;
    }
    mt_peer_begin_request(peer);
    peer->next_request = mt_mono_plus(peer->next_request, interval_ns);
    if (peer->next_request.ns <= self->now.ns) { /* it has fallen behind */
        peer->next_request = latest;
    }
}

static void drive(struct mt_instance *self, struct mt_port *port, struct mt_peer *peer)
{
    int8_t log_interval = peer->config.log_request_interval;
    if (!mt_port_is_active(port)) {
        if (peer->is_running) {
            stop(peer);
        }
        return;
    }
    peer->is_running = true;
    if (peer->is_asked && peer->has_identity) {
        mt_delay_heard_peer(self, port);
    }
    if (!is_asking(port, peer) || log_interval == MT_PEER_INTERVAL_STOP) {
        peer->next_request = MT_MONO_NEVER;
        return;
    }
    ask(self, peer, mt_log2s_to_ns(log_interval));
}

static struct mt_mono settle(struct mt_instance *self)
{
    struct mt_mono deadline = MT_MONO_NEVER;
    for (struct mt_port *port = self->ports; port < self->ports_end; port++) {
        struct mt_peer *peer = mt_peer_driven_by(port);
        if (peer != NULL) {
            drive(self, port, peer);
            deadline = mt_mono_earlier(deadline, peer->next_request);
        }
        mt_delay_convert_sample(self, port);
    }
    return deadline;
}

/* ---- frames that leave ----------------------------------------------------------------------- */

static void begin_frame(struct mt_instance *self, const struct mt_port *port,
                        const struct mt_peer *peer, enum mt_ptp_type type, struct mt_outgoing *out)
{
    struct mt_ptp_header *header = &out->message.header;
    memset(&out->message, 0, sizeof out->message);
    header->type = type;
    header->sdo_id = peer->config.sdo_id;
    header->minor_version = peer->config.minor_version;
    header->domain = peer->config.domain;
    header->source = port->identity;
    out->token = mt_ptp_is_event(type) ? mt_next_token(self) : 0;
}

/* Fills what is to be sent first; false: nothing is. */
static bool fill(struct mt_instance *self, struct mt_port *port, struct mt_peer *peer,
                 struct mt_outgoing *out, struct mt_tx *tx, enum mt_peer_counter *ret_counter)
{
    struct mt_peer_answer *answer = mt_peer_find_answer(peer, MT_ANSWER_FOLLOW_UP);
    if (answer != NULL) {
        begin_frame(self, port, peer, MT_PTP_PDELAY_RESP_FOLLOW_UP, out);
        mt_peer_fill_follow_up(peer, answer, out);
        *ret_counter = MT_PEER_COUNT_SENT_FOLLOW_UP;
        return true;
    }
    answer = mt_peer_find_answer(peer, MT_ANSWER_RESP);
    if (answer != NULL) {
        begin_frame(self, port, peer, MT_PTP_PDELAY_RESP, out);
        mt_peer_fill_response(peer, port, answer, out, tx);
        *ret_counter = MT_PEER_COUNT_SENT_RESP;
        return true;
    }
    if (peer->wants_request) {
        begin_frame(self, port, peer, MT_PTP_PDELAY_REQ, out);
        mt_peer_fill_request(peer, port, out);
        peer->wants_request = false;
        *ret_counter = MT_PEER_COUNT_SENT_REQ;
        return true;
    }
    return false;
}

static bool next_of_port(struct mt_instance *self, struct mt_port *port, struct mt_peer *peer,
                         struct mt_outgoing *out, struct mt_tx *ret_tx)
{
    enum mt_peer_counter counter;
    ret_tx->insertion = MT_INSERT_NOTHING;
    while (fill(self, port, peer, out, ret_tx, &counter)) {
        size_t length = mt_ptp_write(&out->message, out->buffer, out->capacity);
        if (length != 0) {
            mt_peer_count(peer, counter);
            ret_tx->port = port->identity.port;
            ret_tx->destination = MT_TO_PEER;
            ret_tx->is_event = mt_ptp_is_event(out->message.header.type);
            ret_tx->token = out->token;
            ret_tx->length = length;
            return true;
        }
        mt_port_count(port, MT_COUNT_TX_DROPPED);
        (void)tx_done(self, port, out->token, NULL);
        ret_tx->insertion = MT_INSERT_NOTHING;
    }
    return false;
}

static bool next_tx(struct mt_instance *self, struct mt_outgoing *out, struct mt_tx *ret_tx)
{
    for (struct mt_port *port = self->ports; port < self->ports_end; port++) {
        struct mt_peer *peer = mt_peer_driven_by(port);
        if (peer != NULL && next_of_port(self, port, peer, out, ret_tx)) {
            return true;
        }
    }
    return false;
}

static bool is_used(const struct mt_instance_more *instance, const struct mt_port_more *port)
{
    (void)instance;
    return port->peer != NULL || port->delay_mechanism == MT_DELAY_NONE;
}

const struct mt_extension mt_peer_extension = {
    .rx = rx,
    .tx_done = tx_done,
    .settle = settle,
    .next_tx = next_tx,
    .is_used = is_used,
};
