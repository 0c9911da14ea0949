/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What a receiver does with Announce, Sync and Follow_Up.
 *
 * The halves of a two-step Sync arrive in either order, over two sockets.  One of each is kept, the
 * newer replaces the older, and when both carry the same sequence number they become one forward
 * measurement, (t2 - t1): an upper bound on how far wrong a lost half can lead is one exchange.
 */
#include "ptp/ptp_private.h"

#define SEQUENCE_WINDOW 4    /* messages by which one can be overtaken */
#define TIME_FLAGS      0x7F /* octet 1 of flagField without its reserved bit */

void mt_instant_add(struct mt_instant *at, const struct mt_interval *by)
{
    const struct mt_span span = mt_span_from_interval(*by);
    mt_instant_move(at, &span);
}

void mt_instant_subtract(struct mt_instant *at, const struct mt_interval *by)
{
    const struct mt_interval negative = mt_interval_minus((struct mt_interval){0}, *by);
    mt_instant_add(at, &negative);
}

bool mt_sequence_is_stale(uint16_t newest, uint16_t sequence)
{
    return (uint16_t)(newest - sequence) < SEQUENCE_WINDOW;
}

bool mt_log_interval_is_allowed(int8_t log_interval)
{
    return log_interval >= MT_LOG_INTERVAL_LOWEST && log_interval <= MT_LOG_INTERVAL_HIGHEST;
}

/* ---- Announce -------------------------------------------------------------------------------- */

void mt_announce_read(const struct mt_instance *self, const struct mt_port *port,
                      const struct mt_ptp_message *message, struct mt_foreign *ret_foreign)
{
    const struct mt_ptp_announce *announce = &message->body.announce;
    const struct mt_accuracy_part *accuracy = self->config.features->accuracy;
    struct mt_ptp_dataset *dataset = &ret_foreign->dataset;
    ret_foreign->is_used = true;
    ret_foreign->log_announce_interval = message->header.log_interval;
    ret_foreign->sequence = message->header.sequence;
    ret_foreign->time.utc_offset = announce->utc_offset;
    ret_foreign->time.flags = message->header.flags & TIME_FLAGS;
    ret_foreign->time.time_source = announce->time_source;
    dataset->priority1 = announce->priority1;
    dataset->quality = announce->quality;
    dataset->priority2 = announce->priority2;
    dataset->local_priority = port->config.local_priority;
    dataset->grandmaster = announce->grandmaster;
    dataset->steps_removed = announce->steps_removed;
    dataset->sender = message->header.source;
    dataset->receiver = port->identity;
    ret_foreign->reference_bound = MT_INTERVAL_TOO_LARGE;
    ret_foreign->bound = MT_INTERVAL_TOO_LARGE;
    if (announce->steps_removed == 0) {
        ret_foreign->bound.q16 = 0;
    }
    if (accuracy != NULL) {
        accuracy->read(message, ret_foreign);
    }
}

enum mt_verdict mt_announce_rx(struct mt_instance *self, struct mt_port *port,
                               const struct mt_ptp_message *message)
{
    const struct mt_path_part *path_trace = self->config.features->path_trace;
    if (message->body.announce.steps_removed >= self->config.max_steps_removed) {
        return MT_VERDICT_STEPS_REMOVED;
    }
    if (path_trace != NULL && path_trace->is_loop(self, message)) {
        return MT_VERDICT_PATH_LOOP;
    }
    enum mt_verdict verdict = mt_foreign_hear(self, port, message);
    if (verdict != MT_VERDICT_ACCEPTED) {
        return verdict;
    }
    if (self->needs_decision) { /* before the path, which is of the parent that comes out of it */
        mt_instance_decide(self);
    }
    if (path_trace != NULL && mt_port_is_receiving(port) &&
        mt_is_parent(self, &message->header.source)) {
        path_trace->follow(self, message);
    }
    if (port->best != NULL &&
        mt_port_identity_equal(&port->best->dataset.sender, &message->header.source)) {
        mt_port_await_announce(self, port);
    }
    return MT_VERDICT_ACCEPTED;
}

/* ---- Sync and Follow_Up ---------------------------------------------------------------------- */

void mt_port_measured(struct mt_instance *self, struct mt_port *port, enum mt_sample_kind kind,
                      const struct mt_stamp *local)
{
    struct mt_sample *sample = &port->sample;
    unsigned steps = self->parent.steps_removed;
    sample->kind = kind;
    sample->local = *local;
    sample->bound = self->parent_bound;
    sample->bound_since = self->bound_since;
    sample->hops = (uint8_t)(steps > UINT8_MAX ? UINT8_MAX : steps - 1);
    sample->reference_bound = self->reference_bound;
    sample->scale = (self->time.flags & MT_PTP_TIMESCALE) != 0 ? MT_SCALE_TAI : MT_SCALE_ARB;
    port->has_sample = true;
    mt_port_count(port, MT_COUNT_SAMPLES);
}

static bool is_stale(const struct mt_sync_half *half, uint16_t sequence)
{
    return half->is_there && mt_sequence_is_stale(half->sequence, sequence);
}

/* False for one that was overtaken: it must not push out the newer one. */
static bool accept(struct mt_port *port, struct mt_sync_half *half, uint16_t sequence)
{
    if (is_stale(&port->sync.done, sequence) || is_stale(half, sequence)) {
        return false;
    }
    if (half->is_there) {
        mt_port_count(port, MT_COUNT_SYNC_UNMATCHED);
    }
    half->sequence = sequence;
    half->is_there = true;
    return true;
}

static void complete_sync(struct mt_instance *self, struct mt_port *port)
{
    struct mt_sync_receipt *sync = &port->sync;
    if (!sync->sync.is_there || !sync->follow_up.is_there ||
        sync->sync.sequence != sync->follow_up.sequence) {
        return;
    }
    sync->done = sync->sync;
    sync->sync.is_there = false;
    sync->follow_up.is_there = false;
    mt_instant_add(&sync->departure, &sync->correction);
    mt_instant_add(&sync->departure, &port->config.delay_asymmetry);
    mt_span_between(&sync->departure, &sync->arrival.at, &port->sample.value);
    mt_port_measured(self, port, MT_SAMPLE_FORWARD, &sync->arrival);
}

enum mt_verdict mt_sync_rx(struct mt_instance *self, struct mt_port *port,
                           const struct mt_ptp_message *message, const struct mt_stamp *stamp)
{
    struct mt_sync_receipt *sync = &port->sync;
    if (!accept(port, &sync->sync, message->header.sequence)) {
        return MT_VERDICT_STALE;
    }
    sync->arrival = *stamp;
    mt_instant_subtract(&sync->arrival.at, &port->config.ingress_latency);
    sync->correction = message->header.correction;
    if ((message->header.flags & MT_PTP_TWO_STEP) == 0) {
        sync->follow_up = sync->sync;
        sync->departure = mt_ptp_timestamp_to_instant(&message->body.origin, MT_SCALE_ARB);
    }
    complete_sync(self, port);
    return MT_VERDICT_ACCEPTED;
}

enum mt_verdict mt_follow_up_rx(struct mt_instance *self, struct mt_port *port,
                                const struct mt_ptp_message *message)
{
    struct mt_sync_receipt *sync = &port->sync;
    if (!accept(port, &sync->follow_up, message->header.sequence)) {
        return MT_VERDICT_STALE;
    }
    sync->departure = mt_ptp_timestamp_to_instant(&message->body.origin, MT_SCALE_ARB);
    mt_instant_add(&sync->departure, &message->header.correction);
    complete_sync(self, port);
    return MT_VERDICT_ACCEPTED;
}
