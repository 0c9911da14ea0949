/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What a transmitter sends: Announce, two-step Sync, Follow_Up, Delay_Resp.
 *
 * A Delay_Req is answered once: the newest few are remembered beyond their answer.
 * A Sync goes out without a timestamp and is remembered by its token; the stamp that comes back
 * makes its Follow_Up.  Only the newest stamp is worth a Follow_Up, so one place suffices.  A stamp
 * that never comes costs that Sync and nothing else.
 */
#include "meantime/ptp_tlv.h"
#include "ptp/ptp_private.h"

/* ---- transmit timestamps --------------------------------------------------------------------- */

static void sync_sent(struct mt_port *port, uint32_t token, struct mt_ptp_message *message)
{
    struct mt_transmission *tx = &port->transmission;
    struct mt_sync_sent *sync = &tx->sync[tx->next_sync];
    if (sync->token != 0) {
        mt_port_count(port, MT_COUNT_TX_STAMP_LOST);
    }
    tx->next_sync = (uint8_t)((tx->next_sync + 1) % MT_SYNC_OUTSTANDING);
    *sync = (struct mt_sync_sent){token, tx->sync_sequence++};
    message->header.sequence = sync->sequence;
    message->header.flags |= MT_PTP_TWO_STEP;
    message->header.log_interval = port->config.log_sync_interval;
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
            tx->follow_up_sequence = sync->sequence;
            mt_port_request(port, MT_FRAME_FOLLOW_UP);
        }
        *sync = (struct mt_sync_sent){0};
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
    struct mt_interval latency =
        mt_interval_minus((struct mt_interval){0}, port->config.ingress_latency);
    tx->answer[(tx->first_answer + tx->answer_count++) % MT_ANSWERS_MAX] = (struct mt_answer){
        .requester = message->header.source,
        .sequence = message->header.sequence,
        .arrival = mt_instant_plus_interval(stamp->at, latency),
        .correction = message->header.correction,
    };
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
    message->body.announce = (struct mt_ptp_announce){
        .utc_offset = self->time.utc_offset,
        .priority1 = parent->priority1,
        .quality = parent->quality,
        .priority2 = parent->priority2,
        .grandmaster = parent->grandmaster,
        .steps_removed = parent->steps_removed,
        .time_source = self->time.time_source,
    };
    message->header.flags |= self->time.flags;
    if (self->receiving_port != 0 && !self->clock.is_locked) {
        message->header.flags |= MT_PTP_UNCERTAIN;
    }
    message->header.sequence = port->transmission.announce_sequence++;
    message->header.log_interval = port->config.log_announce_interval;
}

/* A boundary clock says how wrong it may be, so that the bound grows honestly along a chain. */
static size_t write_accuracy(const struct mt_instance *self, uint8_t *buffer, size_t capacity)
{
    const struct mt_clock_condition *clock = &self->clock;
    struct mt_tlv_accuracy_metrics metrics = {
        .boundary_hops =
            (uint8_t)(self->parent.steps_removed < 255 ? self->parent.steps_removed : 255),
        .max_gm = self->reference_bound,
        .max_dynamic = MT_INTERVAL_TOO_LARGE,
        .max_static_medium = {0},
    };
    if (clock->has_bound) {
        metrics.max_dynamic = mt_interval_minus(clock->bound, clock->bound_static);
        metrics.max_static_medium = clock->bound_static;
    }
    return mt_tlv_write_accuracy_metrics(&metrics, buffer, capacity);
}

static size_t write_announce_tlvs(const struct mt_instance *self, uint8_t *buffer, size_t capacity)
{
    size_t length = 0;
    if (self->config.features->path_trace != NULL && self->config.path != NULL) {
        length += self->config.features->path_trace->write(self, buffer, capacity);
    }
    if (self->config.announces_accuracy && self->receiving_port != 0) {
        length += write_accuracy(self, buffer + length, capacity - length);
    }
    return length;
}

/* The TLVs are written where they will lie, so that the message needs no second buffer. */
static size_t write_announce(const struct mt_instance *self, struct mt_ptp_message *message,
                             uint8_t *buffer, size_t capacity)
{
    if (capacity < MT_PTP_ANNOUNCE_SIZE) {
        return 0;
    }
    message->tlvs = buffer + MT_PTP_ANNOUNCE_SIZE;
    message->tlvs_length =
        write_announce_tlvs(self, buffer + MT_PTP_ANNOUNCE_SIZE, capacity - MT_PTP_ANNOUNCE_SIZE);
    return mt_ptp_write(message, buffer, capacity);
}

static enum mt_ptp_type type_of(enum mt_port_frame frame)
{
    static const enum mt_ptp_type types[MT_FRAME_COUNT] = {
        [MT_FRAME_FOLLOW_UP] = MT_PTP_FOLLOW_UP, [MT_FRAME_DELAY_RESP] = MT_PTP_DELAY_RESP,
        [MT_FRAME_ANNOUNCE] = MT_PTP_ANNOUNCE,   [MT_FRAME_SYNC] = MT_PTP_SYNC,
        [MT_FRAME_DELAY_REQ] = MT_PTP_DELAY_REQ,
    };
    return types[frame];
}

static size_t write(struct mt_instance *self, struct mt_port *port, enum mt_port_frame frame,
                    uint32_t token, uint8_t *buffer, size_t capacity)
{
    struct mt_ptp_message message = {0};
    mt_header_init(self, port, type_of(frame), &message.header);
    switch (frame) {
    case MT_FRAME_FOLLOW_UP:
        fill_follow_up(port, &message);
        break;
    case MT_FRAME_DELAY_RESP:
        take_answer(port, &message);
        break;
    case MT_FRAME_ANNOUNCE:
        fill_announce(self, port, &message);
        return write_announce(self, &message, buffer, capacity);
    case MT_FRAME_SYNC:
        sync_sent(port, token, &message);
        break;
    case MT_FRAME_DELAY_REQ:
        break; /* the delay mechanism's */
    }
    return mt_ptp_write(&message, buffer, capacity);
}

const struct mt_transmitter_part mt_transmitter = {delay_req, tx_done, write, stop};
