/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The responder of Pdelay [1588-2019 11.4.2].
 *
 * Each request is answered once; the newest few are remembered beyond their answer, so that one
 * that comes twice is recognised.  Two-step: Pdelay_Resp tells t2, its Follow_Up t3 when the
 * timestamp has come, and takes the request's correctionField back with it.  One-step: the link
 * adds t3 - t2 to the correctionField as the frame leaves, and no timestamp is wanted; a message
 * that is signed cannot be written into, so it is two-step again, as 802.1AS always is.
 * 1588 subtracts the fraction of t2 from the correctionField, 802.1AS adds it.
 */
#include "ptp/peer_private.h"

static bool is_known(const struct mt_peer *self, const struct mt_ptp_header *request)
{
    for (unsigned i = 0; i < MT_PEER_ANSWERS_MAX; i++) {
        const struct mt_peer_answer *answer = &self->answers[i];
        if (answer->sequence == request->sequence &&
            mt_port_identity_equal(&answer->requester, &request->source)) {
            return true;
        }
    }
    return false;
}

enum mt_verdict mt_peer_request(struct mt_peer *self, const struct mt_port *port,
                                const struct mt_incoming *in)
{
    const struct mt_ptp_header *request = &in->message.header;
    struct mt_peer_answer *answer = &self->answers[self->next_answer];
    if (is_known(self, request)) {
        return MT_VERDICT_STALE;
    }
    if (answer->state == MT_ANSWER_RESP || answer->state == MT_ANSWER_FOLLOW_UP) {
        return MT_VERDICT_QUEUE_FULL;
    }
    if (answer->state == MT_ANSWER_STAMP) {
        mt_peer_count(self, MT_PEER_COUNT_STAMP_LOST);
    }
    self->next_answer = (uint8_t)((self->next_answer + 1) % MT_PEER_ANSWERS_MAX);
    answer->state = MT_ANSWER_RESP;
    answer->sequence = request->sequence;
    answer->requester = request->source;
    answer->correction = request->correction;
    answer->arrival = in->stamp->at;
    mt_instant_subtract(&answer->arrival, &port->config.ingress_latency);
    return MT_VERDICT_ACCEPTED;
}

struct mt_peer_answer *mt_peer_find_answer(struct mt_peer *self, enum mt_peer_answer_state state)
{
    for (unsigned i = 0; i < MT_PEER_ANSWERS_MAX; i++) {
        unsigned at = (self->next_answer + i) % MT_PEER_ANSWERS_MAX;
        if (self->answers[at].state == state) {
            return &self->answers[at];
        }
    }
    return NULL;
}

static void address(struct mt_ptp_message *message, const struct mt_peer_answer *answer)
{
    message->header.sequence = answer->sequence;
    message->header.log_interval = MT_PTP_LOG_INTERVAL_NONE;
    message->body.response.requester = answer->requester;
}

/* The link subtracts the reading of its own stamp point: both latencies are ours to add. */
static void fill_one_step(const struct mt_port *port, struct mt_peer_answer *answer,
                          struct mt_outgoing *out, struct mt_tx *tx)
{
    struct mt_interval latency =
        mt_interval_plus(port->config.ingress_latency, port->config.egress_latency);
    out->message.header.correction = mt_interval_plus(answer->correction, latency);
    tx->insertion = MT_INSERT_RESIDENCE;
    tx->arrival = answer->arrival;
    mt_instant_add(&tx->arrival, &port->config.ingress_latency);
    out->token = 0;
    answer->state = MT_ANSWER_DONE;
}

void mt_peer_fill_response(struct mt_peer *self, const struct mt_port *port,
                           struct mt_peer_answer *answer, struct mt_outgoing *out, struct mt_tx *tx)
{
    struct mt_ptp_message *message = &out->message;
    address(message, answer);
    if (self->config.is_one_step && port->config.more->security.spp == MT_SECURITY_OFF &&
        !mt_peer_has_gptp_signs(self)) {
        fill_one_step(port, answer, out, tx);
        return;
    }
    struct mt_interval fraction;
    mt_ptp_timestamp_from_instant(&answer->arrival, &message->body.response.at, &fraction);
    message->header.flags = MT_PTP_TWO_STEP;
    message->header.correction = mt_peer_has_gptp_signs(self)
                                     ? fraction
                                     : mt_interval_minus((struct mt_interval){0}, fraction);
    answer->state = MT_ANSWER_STAMP;
    answer->token = out->token;
}

void mt_peer_fill_follow_up(struct mt_peer *self, struct mt_peer_answer *answer,
                            struct mt_outgoing *out)
{
    struct mt_interval fraction;
    (void)self;
    address(&out->message, answer);
    mt_ptp_timestamp_from_instant(&answer->departure, &out->message.body.response.at, &fraction);
    out->message.header.correction = mt_interval_plus(answer->correction, fraction);
    answer->state = MT_ANSWER_DONE;
}

bool mt_peer_response_sent(struct mt_peer *self, uint32_t token, const struct mt_stamp *stamp)
{
    for (unsigned i = 0; i < MT_PEER_ANSWERS_MAX; i++) {
        struct mt_peer_answer *answer = &self->answers[i];
        if (answer->state != MT_ANSWER_STAMP || answer->token != token) {
            continue;
        }
        answer->state = MT_ANSWER_DONE;
        if (stamp == NULL) {
            mt_peer_count(self, MT_PEER_COUNT_STAMP_LOST);
        } else {
            answer->state = MT_ANSWER_FOLLOW_UP;
            answer->departure = stamp->at;
        }
        return true;
    }
    return false;
}
