/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What a receiver does with Announce, Sync and Follow_Up.
 *
 * The halves of a two-step Sync arrive in either order, over two sockets.  One of each is kept,
 * the newer replaces the older, and when both carry the same sequence number they become one
 * forward measurement, (t2 - t1): an upper bound on how far wrong a lost half can lead is one
 * exchange.
 */
#include "meantime/ptp_tlv.h"
#include "ptp/ptp_private.h"

#define SEQUENCE_WINDOW 4 /* messages by which one can be overtaken */

struct mt_instant mt_instant_plus_interval(struct mt_instant at, struct mt_interval by)
{
    return mt_instant_plus(at, mt_span_from_interval(by));
}

bool mt_sequence_is_stale(uint16_t newest, uint16_t sequence)
{
    return (uint16_t)(newest - sequence) < SEQUENCE_WINDOW;
}

bool mt_log_interval_is_allowed(int8_t log_interval)
{
    return log_interval >= MT_LOG_INTERVAL_LOWEST && log_interval <= MT_LOG_INTERVAL_HIGHEST;
}

/* ---- Announce ------------------------------------------------------------------------------- */

/* clockAccuracy [Table 5]: 0x17 is 1 ps, then 2.5, 10, 25, 100, 250 ps and so on. */
static struct mt_interval accuracy_bound(uint8_t accuracy)
{
    static const uint8_t first = 0x17;
    static const uint8_t last = 0x30; /* 10 s */
    static const uint8_t seconds = 0x2F;
    if (accuracy < first || accuracy > last) {
        return MT_INTERVAL_TOO_LARGE;
    }
    if (accuracy >= seconds) {
        return mt_interval_from_ns(accuracy == last ? 10 * (int64_t)MT_NS_PER_S : MT_NS_PER_S);
    }
    int64_t picoseconds_q16 = INT64_C(1) << 16;
    for (uint8_t step = first; step < accuracy; step++) {
        /* 1 -> 2.5 -> 10 */
        picoseconds_q16 = (step - first) % 2 == 0 ? picoseconds_q16 / 2 * 5 : picoseconds_q16 * 4;
    }
    return (struct mt_interval){picoseconds_q16 / 1000 + 1};
}

/* A boundary clock that does not know the TLV passes it on as it is, without its own part: then
 * fewer clocks have counted themselves than have counted the steps. */
static struct mt_interval metrics_bound(const struct mt_tlv_accuracy_metrics *metrics,
                                        uint16_t steps_removed)
{
    const struct mt_interval parts[] = {metrics->max_transient, metrics->max_dynamic,
                                        metrics->max_static_instance, metrics->max_static_medium};
    struct mt_interval sum = {0};
    if (metrics->boundary_hops < steps_removed) {
        return MT_INTERVAL_TOO_LARGE;
    }
    for (unsigned i = 0; i < sizeof parts / sizeof *parts; i++) {
        if (parts[i].q16 < 0) {
            return MT_INTERVAL_TOO_LARGE;
        }
        sum = mt_interval_plus(sum, parts[i]);
    }
    return sum;
}

void mt_announce_accuracy(const struct mt_ptp_message *announce, struct mt_interval *ret_bound,
                          struct mt_interval *ret_reference_bound)
{
    struct mt_tlv tlv;
    struct mt_tlv_accuracy_metrics metrics;
    const uint16_t traceable = MT_PTP_TIME_TRACEABLE;
    /* who is not sure of its time cannot vouch for the grandmaster's */
    bool is_traceable =
        (announce->header.flags & (MT_PTP_TIME_TRACEABLE | MT_PTP_UNCERTAIN)) == traceable;
    *ret_bound = announce->body.announce.steps_removed == 0 ? (struct mt_interval){0}
                                                            : MT_INTERVAL_TOO_LARGE;
    *ret_reference_bound = is_traceable ? accuracy_bound(announce->body.announce.quality.accuracy)
                                        : MT_INTERVAL_TOO_LARGE;
    if (mt_tlv_find(announce->tlvs, announce->tlvs_length, MT_TLV_ENHANCED_ACCURACY_METRICS,
                    &tlv) &&
        mt_tlv_parse_accuracy_metrics(&tlv, &metrics)) {
        *ret_bound = metrics_bound(&metrics, announce->body.announce.steps_removed);
    }
}

static bool path_holds(const struct mt_ptp_message *announce, struct mt_clock_identity identity)
{
    struct mt_tlv tlv;
    if (!mt_tlv_find(announce->tlvs, announce->tlvs_length, MT_TLV_PATH_TRACE, &tlv)) {
        return false;
    }
    for (size_t i = 0; i < mt_tlv_path_count(&tlv); i++) {
        if (mt_clock_identity_equal(mt_tlv_path_at(&tlv, i), &identity)) {
            return true;
        }
    }
    return false;
}

enum mt_verdict mt_announce_rx(struct mt_instance *self, struct mt_port *port,
                               const struct mt_ptp_message *message, struct mt_mono now)
{
    if (message->body.announce.steps_removed >= self->config.max_steps_removed) {
        return MT_VERDICT_STEPS_REMOVED;
    }
    if (path_holds(message, self->config.identity)) {
        return MT_VERDICT_PATH_LOOP;
    }
    enum mt_verdict verdict = mt_foreign_hear(self, port, message, now);
    if (verdict != MT_VERDICT_ACCEPTED) {
        return verdict;
    }
    if (self->needs_decision) { /* before the path, which is of the parent that comes out of it */
        mt_instance_decide(self, now);
    }
    const struct mt_path_part *path_trace = self->config.features->path_trace;
    if (mt_port_is_receiving(port) && mt_is_parent(self, message->header.source) &&
        path_trace != NULL && self->config.path != NULL) {
        path_trace->follow(self->config.path, message);
    }
    if (mt_foreign_is_followed(port, message->header.source)) {
        mt_port_await_announce(self, port, now);
    }
    return MT_VERDICT_ACCEPTED;
}

/* ---- Sync and Follow_Up ---------------------------------------------------------------------- */

void mt_port_measured(struct mt_instance *self, struct mt_port *port, enum mt_sample_kind kind,
                      const struct mt_stamp *local, struct mt_span value)
{
    bool is_ptp_scale = (self->time.flags & MT_PTP_TIMESCALE) != 0;
    port->sample = (struct mt_sample){
        .kind = kind,
        .local = *local,
        .value = value,
        .bound = self->parent_bound,
        .reference_bound = self->reference_bound,
        .bound_since = self->bound_since,
        .scale = is_ptp_scale ? MT_SCALE_TAI : MT_SCALE_ARB,
    };
    port->has_sample = true;
    mt_port_count(port, MT_COUNT_SAMPLES);
}

static void complete_sync(struct mt_instance *self, struct mt_port *port)
{
    struct mt_sync_receipt *sync = &port->sync;
    if (!sync->has_sync || !sync->has_follow_up ||
        sync->sync_sequence != sync->follow_up_sequence) {
        return;
    }
    sync->has_sync = false;
    sync->has_follow_up = false;
    sync->has_done = true;
    sync->done_sequence = sync->sync_sequence;
    struct mt_instant departure = mt_instant_plus_interval(sync->departure, sync->correction);
    struct mt_span value = mt_instant_minus(sync->arrival.at, departure);
    value = mt_span_minus(value, mt_span_from_interval(port->config.delay_asymmetry));
    mt_port_measured(self, port, MT_SAMPLE_FORWARD, &sync->arrival, value);
}

/* One that was overtaken must not push out the newer one. */
static bool is_stale(const struct mt_sync_receipt *sync, bool has_half, uint16_t half_sequence,
                     uint16_t sequence)
{
    return (sync->has_done && mt_sequence_is_stale(sync->done_sequence, sequence)) ||
           (has_half && mt_sequence_is_stale(half_sequence, sequence));
}

enum mt_verdict mt_sync_rx(struct mt_instance *self, struct mt_port *port,
                           const struct mt_ptp_message *message, const struct mt_stamp *stamp)
{
    struct mt_sync_receipt *sync = &port->sync;
    uint16_t sequence = message->header.sequence;
    if (is_stale(sync, sync->has_sync, sync->sync_sequence, sequence)) {
        return MT_VERDICT_STALE;
    }
    if (sync->has_sync) {
        mt_port_count(port, MT_COUNT_SYNC_UNMATCHED);
    }
    struct mt_interval latency =
        mt_interval_minus((struct mt_interval){0}, port->config.ingress_latency);
    sync->has_sync = true;
    sync->sync_sequence = sequence;
    sync->arrival = *stamp;
    sync->arrival.at = mt_instant_plus_interval(stamp->at, latency);
    sync->correction = message->header.correction;
    if ((message->header.flags & MT_PTP_TWO_STEP) == 0) {
        sync->has_follow_up = true;
        sync->follow_up_sequence = sequence;
        sync->departure = mt_ptp_timestamp_to_instant(&message->body.origin, MT_SCALE_ARB);
    }
    complete_sync(self, port);
    return MT_VERDICT_ACCEPTED;
}

enum mt_verdict mt_follow_up_rx(struct mt_instance *self, struct mt_port *port,
                                const struct mt_ptp_message *message)
{
    struct mt_sync_receipt *sync = &port->sync;
    uint16_t sequence = message->header.sequence;
    if (is_stale(sync, sync->has_follow_up, sync->follow_up_sequence, sequence)) {
        return MT_VERDICT_STALE;
    }
    if (sync->has_follow_up) {
        mt_port_count(port, MT_COUNT_SYNC_UNMATCHED);
    }
    sync->has_follow_up = true;
    sync->follow_up_sequence = sequence;
    sync->departure =
        mt_instant_plus_interval(mt_ptp_timestamp_to_instant(&message->body.origin, MT_SCALE_ARB),
                                 message->header.correction);
    complete_sync(self, port);
    return MT_VERDICT_ACCEPTED;
}
