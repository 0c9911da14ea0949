/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What a transmitter sends: Announce, two-step Sync, Follow_Up, Delay_Resp.
 *
 * A Delay_Req is answered once: the newest few are remembered beyond their answer.  A Sync goes out
 * without a timestamp and is remembered by its token; the stamp that comes back makes its
 * Follow_Up.  Only the newest stamp is worth a Follow_Up, so one place suffices.  A stamp that
 * never comes costs that Sync and nothing else.
 */
#include "ptp/ptp_private.h"

/* ---- timers ---------------------------------------------------------------------------------- */

static void start(struct mt_instance *self, struct mt_port *port, enum mt_port_timer timer)
{
    int64_t in_ns = 0;
    if (timer == MT_TIMER_QUALIFICATION) { /* [9.2.6.11] */
        in_ns =
            mt_log2s_to_ns(port->config.log_announce_interval) * (self->parent.steps_removed + 1);
    }
    mt_timer_arm(self, port, timer, in_ns);
}

/* The next is due an interval after the last was, unless that has fallen behind. */
static void due(struct mt_instance *self, struct mt_port *port, enum mt_port_timer timer,
                struct mt_mono was)
{
    if (timer == MT_TIMER_QUALIFICATION) {
        port->is_qualified = true;
        return;
    }
    bool is_sync = timer == MT_TIMER_SYNC;
    int64_t interval_ns = mt_log2s_to_ns(is_sync ? port->config.log_sync_interval
                                                 : port->config.log_announce_interval);
    int64_t in_ns = was.ns - self->now.ns + interval_ns;
    mt_port_request(port, is_sync ? MT_FRAME_SYNC : MT_FRAME_ANNOUNCE);
    mt_timer_arm(self, port, timer, in_ns > 0 ? in_ns : interval_ns);
}

/* ---- transmit timestamps --------------------------------------------------------------------- */

static void fill_sync(struct mt_port *port, struct mt_outgoing *out)
{
    struct mt_transmission *tx = &port->transmission;
    struct mt_ptp_header *header = &out->message.header;
    struct mt_sync_sent *sync = &tx->sync[tx->next_sync];
    if (sync->token != 0) {
        mt_port_count(port, MT_COUNT_TX_STAMP_LOST);
    }
    tx->next_sync = (uint8_t)((tx->next_sync + 1) % MT_SYNC_OUTSTANDING);
    sync->token = out->token;
    sync->sequence = tx->sync_sequence++;
    header->sequence = sync->sequence;
    header->flags = MT_PTP_TWO_STEP;
    header->log_interval = port->config.log_sync_interval;
}

static bool tx_done(struct mt_port *port, uint32_t token, const struct mt_stamp *stamp)
{
    struct mt_transmission *tx = &port->transmission;
    for (unsigned i = 0; i < MT_SYNC_OUTSTANDING; i++) {
        struct mt_sync_sent *sync = &tx->sync[i];
        if (sync->token != token) {
            continue;
        }
        if (stamp != NULL) {
            tx->follow_up = stamp->at;
            mt_instant_add(&tx->follow_up, &port->config.egress_latency);
            tx->follow_up_sequence = sync->sequence;
            mt_port_request(port, MT_FRAME_FOLLOW_UP);
        }
        sync->token = 0;
        return true;
    }
    return false;
}

static void stop(struct mt_port *port)
{
    struct mt_transmission *tx = &port->transmission;
    memset(tx->sync, 0, sizeof tx->sync);
    memset(tx->answer, 0, sizeof tx->answer);
    tx->answer_count = 0;
}

/* ---- Delay_Req ------------------------------------------------------------------------------- */

/* The same request over two ways, or twice over one, gets one answer. */
static bool is_known(const struct mt_transmission *tx, const struct mt_ptp_header *request)
{
    for (unsigned i = 0; i < MT_ANSWERS_MAX; i++) {
        const struct mt_answer *answer = &tx->answer[i];
        if (answer->sequence == request->sequence &&
            mt_port_identity_equal(&answer->requester, &request->source)) {
            return true;
        }
    }
    return false;
}

static enum mt_verdict delay_req(struct mt_port *port, const struct mt_ptp_message *message,
                                 const struct mt_stamp *stamp)
{
    struct mt_transmission *tx = &port->transmission;
    if (is_known(tx, &message->header)) {
        return MT_VERDICT_STALE;
    }
    if (tx->answer_count == MT_ANSWERS_MAX) {
        return MT_VERDICT_QUEUE_FULL;
    }
    unsigned place = (tx->first_answer + tx->answer_count) % MT_ANSWERS_MAX;
    struct mt_answer *answer = &tx->answer[place];
    tx->answer_count++;
    answer->requester = message->header.source;
    answer->sequence = message->header.sequence;
    answer->correction = message->header.correction;
    answer->arrival = stamp->at;
    mt_instant_subtract(&answer->arrival, &port->config.ingress_latency);
    port->pending |= 1u << MT_FRAME_DELAY_RESP;
    return MT_VERDICT_ACCEPTED;
}

static void take_answer(struct mt_port *port, struct mt_ptp_message *message)
{
    struct mt_transmission *tx = &port->transmission;
    const struct mt_answer *answer = &tx->answer[tx->first_answer];
    struct mt_interval fraction;
    tx->first_answer = (uint8_t)((tx->first_answer + 1) % MT_ANSWERS_MAX);
    tx->answer_count--;
    mt_ptp_timestamp_from_instant(&answer->arrival, &message->body.response.at, &fraction);
    message->body.response.requester = answer->requester;
    message->header.sequence = answer->sequence;
    message->header.log_interval = port->config.log_min_delay_req_interval;
    /* the receiver subtracts it, so t4's fraction goes in with the other sign [11.3.2] */
    message->header.correction = mt_interval_minus(answer->correction, fraction);
    if (tx->answer_count > 0) {
        port->pending |= 1u << MT_FRAME_DELAY_RESP;
    }
}

/* ---- Follow_Up and Announce ------------------------------------------------------------------ */

static void fill_follow_up(struct mt_port *port, struct mt_ptp_message *message)
{
    const struct mt_transmission *tx = &port->transmission;
    mt_ptp_timestamp_from_instant(&tx->follow_up, &message->body.origin,
                                  &message->header.correction);
    message->header.sequence = tx->follow_up_sequence;
    message->header.log_interval = port->config.log_sync_interval;
}

static void fill_announce(const struct mt_instance *self, struct mt_port *port,
                          struct mt_ptp_message *message)
{
    const struct mt_ptp_dataset *parent = &self->parent;
    struct mt_ptp_announce *announce = &message->body.announce;
    announce->utc_offset = self->time.utc_offset;
    announce->priority1 = parent->priority1;
    announce->quality = parent->quality;
    announce->priority2 = parent->priority2;
    announce->grandmaster = parent->grandmaster;
    announce->steps_removed = parent->steps_removed;
    announce->time_source = self->time.time_source;
    message->header.flags = self->time.flags;
    if (self->clock.shows == MT_CLOCK_SHOWS_PTP) { /* though its parent's time may be UTC */
        message->header.flags |= MT_PTP_TIMESCALE;
    }
    if (self->receiving_port != 0 && !self->clock.is_locked) {
        message->header.flags |= MT_PTP_UNCERTAIN;
    }
    message->header.sequence = port->transmission.announce_sequence++;
    message->header.log_interval = port->config.log_announce_interval;
}

static void fill(struct mt_instance *self, struct mt_port *port, struct mt_outgoing *out)
{
    switch (out->frame) {
    case MT_FRAME_FOLLOW_UP:
        fill_follow_up(port, &out->message);
        break;
    case MT_FRAME_DELAY_RESP:
        take_answer(port, &out->message);
        break;
    case MT_FRAME_ANNOUNCE:
        fill_announce(self, port, &out->message);
        break;
    case MT_FRAME_SYNC:
        fill_sync(port, out);
        break;
    case MT_FRAME_DELAY_REQ:
        break; /* the delay mechanism's */
    }
}

const struct mt_transmitter_part mt_transmitter = {start, due, delay_req, tx_done, fill, stop};
