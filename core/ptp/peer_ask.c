/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The requester of Pdelay [1588-2019 11.4.2, 802.1AS-2020 11.2.19].
 *
 * Each request opens an exchange; t1 comes back with its token, Pdelay_Resp and its Follow_Up in
 * either order; when all are there it is measured.  What the exchange amounts to besides is
 * judged when the next one begins: nobody answered, or somebody else, or more than one.
 *
 * Who has answered so far is preferred: the answer of another station is noted, but pushes
 * nothing out.  Another one becomes the neighbour when it alone has answered STRANGE times.
 * So one stray answer changes nothing; a link with several stations is found out, and is a link
 * again with the first exchange that one station alone answers.
 *
 * The configured asymmetry travels in the request's correctionField and comes back in the
 * answer, where it is taken out again; 802.1AS has none of that, but names the interval.
 */
#include "ptp/peer_private.h"

#define STRANGE 2

/* ---- what an exchange amounts to ------------------------------------------------------------- */

static bool is_answered(const struct mt_peer_exchange *exchange)
{
    return exchange->has_response && exchange->has_follow_up;
}

static void become_neighbour(struct mt_peer *self, const struct mt_port_identity *identity)
{
    if (self->has_identity) {
        mt_peer_count(self, MT_PEER_COUNT_CHANGED);
        mt_peer_forget(self);
    }
    self->has_identity = true;
    self->identity = *identity;
}

static void judge_stranger(struct mt_peer *self, const struct mt_peer_exchange *exchange)
{
    if (exchange->has_several || !is_answered(exchange) ||
        mt_port_identity_equal(&exchange->responder, &self->identity)) {
        self->strange_in_a_row = 0;
        return;
    }
    if (!mt_port_identity_equal(&exchange->responder, &self->stranger)) {
        self->strange_in_a_row = 0;
    }
    self->stranger = exchange->responder;
    if (++self->strange_in_a_row == STRANGE) {
        become_neighbour(self, &self->stranger);
        self->strange_in_a_row = 0;
    }
}

static void increase(uint8_t *count)
{
    if (*count < UINT8_MAX) {
        ++*count;
    }
}

/* The newest exchange, as the next one begins. */
static void judge_exchange(struct mt_peer *self, const struct mt_peer_exchange *exchange)
{
    if (exchange->token == 0) {
        return;
    }
    if (!is_answered(exchange)) {
        increase(&self->lost_in_a_row);
        mt_peer_count(self, MT_PEER_COUNT_UNANSWERED);
    }
    if (exchange->has_several) {
        increase(&self->several_in_a_row);
        mt_peer_count(self, MT_PEER_COUNT_SEVERAL);
    } else if (is_answered(exchange)) {
        self->several_in_a_row = 0;
    }
    if (self->has_identity) {
        judge_stranger(self, exchange);
    }
}

static bool is_fraction(struct mt_interval correction)
{
    return correction.q16 >= -65536 && correction.q16 <= 65536;
}

/* What the answer says of the time from t2 to t3. */
static struct mt_interval turnaround(const struct mt_peer *self, const struct mt_port *port,
                                     const struct mt_peer_exchange *exchange)
{
    struct mt_span told;
    mt_span_between(&exchange->received, &exchange->sent, &told);
    struct mt_interval there =
        mt_interval_plus(mt_span_to_interval(told), exchange->follow_up_correction);
    if (mt_peer_has_gptp_signs(self)) {
        return mt_interval_minus(there, exchange->response_correction);
    }
    there = mt_interval_plus(there, exchange->response_correction);
    return mt_interval_plus(there, port->config.delay_asymmetry);
}

/* With stamps of its own clock and no other clock on the way, the exchange is two one-way
 * measurements as well. */
static void note_ways(struct mt_peer *self, const struct mt_port *port,
                      const struct mt_peer_exchange *exchange)
{
    const struct mt_interval none = {0};
    const struct mt_interval *asymmetry = &port->config.delay_asymmetry;
    struct mt_instant received = exchange->received;
    struct mt_instant sent = exchange->sent;
    struct mt_interval fraction = exchange->response_correction;
    struct mt_interval added = exchange->follow_up_correction;
    if (!mt_peer_has_gptp_signs(self)) {
        fraction = mt_interval_minus(none, fraction);
        added = mt_interval_plus(added, *asymmetry);
    }
    self->parent.is_compared = false;
    self->tells_ways = sent.s != 0 && is_fraction(fraction) && is_fraction(added);
    fraction = mt_interval_plus(fraction, *asymmetry);
    added = mt_interval_plus(added, *asymmetry);
    mt_instant_add(&received, &fraction);
    mt_instant_add(&sent, &added);
    self->there.at = exchange->departure;
    self->back.at = exchange->arrival;
    mt_span_between(&exchange->departure.at, &received, &self->there.value);
    mt_span_between(&sent, &exchange->arrival.at, &self->back.value);
    if (exchange->sent.s != 0) { /* else it told the turnaround only */
        mt_link_rate_take(&self->rate, &exchange->arrival.at, &sent,
                          mt_link_delay_spread_q16(&self->delay));
    }
    self->there.is_new = self->tells_ways;
    self->back.is_new = self->there.is_new;
}

static void measure(struct mt_peer *self, const struct mt_port *port,
                    struct mt_peer_exchange *exchange)
{
    struct mt_span here;
    bool is_across = exchange->departure.corrections != exchange->arrival.corrections;
    mt_span_between(&exchange->departure.at, &exchange->arrival.at, &here);
    struct mt_interval whole = mt_span_to_interval(here);
    struct mt_interval there = turnaround(self, port, exchange);
    enum mt_link_fit fit = MT_LINK_VOID;
    if (mt_span_compare(mt_span_abs(here), (struct mt_span){.s = 60}) < 0) {
        whole.q16 = mt_link_rate_apply_q16(&self->rate, whole.q16);
        fit = mt_link_delay_take(&self->delay, mt_interval_minus(whole, there).q16 / 2, is_across);
    }
    note_ways(self, port, exchange);
    mt_peer_count(self, fit == MT_LINK_USED ? MT_PEER_COUNT_EXCHANGES : MT_PEER_COUNT_REFUSED);
}

static void complete(struct mt_peer *self, const struct mt_port *port,
                     struct mt_peer_exchange *exchange)
{
    if (is_answered(exchange)) {
        self->lost_in_a_row = 0;
    }
    if (!exchange->has_departure || !is_answered(exchange) || exchange->is_done) {
        return;
    }
    if (!self->has_identity) {
        become_neighbour(self, &exchange->responder);
    }
    if (mt_port_identity_equal(&exchange->responder, &self->identity)) {
        exchange->is_done = true;
        measure(self, port, exchange);
        mt_peer_judge(self);
    }
}

/* ---- requests -------------------------------------------------------------------------------- */

static struct mt_peer_exchange *newest(struct mt_peer *self)
{
    return &self->exchanges[(self->next_exchange + MT_PEER_OUTSTANDING - 1) % MT_PEER_OUTSTANDING];
}

void mt_peer_begin_request(struct mt_peer *self)
{
    judge_exchange(self, newest(self));
    mt_peer_judge(self);
    self->wants_request = true;
}

void mt_peer_fill_request(struct mt_peer *self, const struct mt_port *port, struct mt_outgoing *out)
{
    struct mt_peer_exchange *exchange = &self->exchanges[self->next_exchange];
    struct mt_ptp_header *header = &out->message.header;
    self->next_exchange = (uint8_t)((self->next_exchange + 1) % MT_PEER_OUTSTANDING);
    *exchange = (struct mt_peer_exchange){.token = out->token, .sequence = self->sequence++};
    header->sequence = exchange->sequence;
    header->log_interval =
        self->config.is_gptp ? self->config.log_request_interval : MT_PTP_LOG_INTERVAL_NONE;
    if (!mt_peer_has_gptp_signs(self)) {
        header->correction = mt_interval_minus(header->correction, port->config.delay_asymmetry);
    }
}

bool mt_peer_request_sent(struct mt_peer *self, const struct mt_port *port, uint32_t token,
                          const struct mt_stamp *stamp)
{
    for (unsigned i = 0; i < MT_PEER_OUTSTANDING; i++) {
        struct mt_peer_exchange *exchange = &self->exchanges[i];
        if (exchange->token != token || exchange->has_departure) {
            continue;
        }
        if (stamp == NULL) {
            exchange->token = 0;
            mt_peer_count(self, MT_PEER_COUNT_STAMP_LOST);
            return true;
        }
        exchange->has_departure = true;
        exchange->departure = *stamp;
        complete(self, port, exchange);
        return true;
    }
    return false;
}

/* ---- answers --------------------------------------------------------------------------------- */

/* Whose answer it is: null if it is to no request that waits, or not of the station to be heard. */
static struct mt_peer_exchange *find_exchange(struct mt_peer *self,
                                              const struct mt_ptp_message *message)
{
    const struct mt_port_identity *source = &message->header.source;
    struct mt_peer_exchange *exchange = NULL;
    for (unsigned i = 0; i < MT_PEER_OUTSTANDING; i++) {
        if (self->exchanges[i].token != 0 &&
            self->exchanges[i].sequence == message->header.sequence) {
            exchange = &self->exchanges[i];
        }
    }
    if (exchange == NULL) {
        return NULL;
    }
    if (exchange->has_responder && !mt_port_identity_equal(&exchange->responder, source)) {
        exchange->has_several = true;
        if (!self->has_identity || !mt_port_identity_equal(&self->identity, source)) {
            return NULL;
        }
        exchange->has_response = false;
        exchange->has_follow_up = false;
    }
    exchange->has_responder = true;
    exchange->responder = *source;
    return exchange;
}

static bool is_for(const struct mt_port *port, const struct mt_ptp_message *message)
{
    return mt_port_identity_equal(&message->body.response.requester, &port->identity);
}

enum mt_verdict mt_peer_response(struct mt_peer *self, const struct mt_port *port,
                                 const struct mt_incoming *in)
{
    const struct mt_ptp_message *message = &in->message;
    if (!is_for(port, message)) {
        return MT_VERDICT_ACCEPTED; /* everybody hears the answers to everybody */
    }
    struct mt_peer_exchange *exchange = find_exchange(self, message);
    if (exchange == NULL) {
        return MT_VERDICT_NOT_REQUESTED;
    }
    if (exchange->has_response) {
        return MT_VERDICT_STALE;
    }
    exchange->has_response = true;
    exchange->response_correction = message->header.correction;
    exchange->arrival = *in->stamp;
    mt_instant_subtract(&exchange->arrival.at, &port->config.ingress_latency);
    exchange->received = mt_ptp_timestamp_to_instant(&message->body.response.at, MT_SCALE_ARB);
    if ((message->header.flags & MT_PTP_TWO_STEP) == 0) {
        exchange->has_follow_up = true;
        exchange->follow_up_correction.q16 = 0;
        exchange->received = (struct mt_instant){.scale = MT_SCALE_ARB};
        exchange->sent = exchange->received;
        if (mt_peer_has_gptp_signs(self)) { /* it is no fraction of t2, but the turnaround */
            exchange->response_correction =
                mt_interval_minus((struct mt_interval){0}, exchange->response_correction);
        }
    }
    complete(self, port, exchange);
    return MT_VERDICT_ACCEPTED;
}

enum mt_verdict mt_peer_follow_up(struct mt_peer *self, const struct mt_port *port,
                                  const struct mt_incoming *in)
{
    const struct mt_ptp_message *message = &in->message;
    if (!is_for(port, message)) {
        return MT_VERDICT_ACCEPTED;
    }
    struct mt_peer_exchange *exchange = find_exchange(self, message);
    if (exchange == NULL) {
        return MT_VERDICT_NOT_REQUESTED;
    }
    if (exchange->has_follow_up) {
        return MT_VERDICT_STALE;
    }
    exchange->has_follow_up = true;
    exchange->follow_up_correction = message->header.correction;
    exchange->sent = mt_ptp_timestamp_to_instant(&message->body.response.at, MT_SCALE_ARB);
    complete(self, port, exchange);
    return MT_VERDICT_ACCEPTED;
}
