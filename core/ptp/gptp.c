/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * 802.1AS-2020: end station and relay.
 *
 * A port takes part only while its link is asCapable; in domains other than 0 its neighbour must
 * have said so itself, too (the gPTP-capable TLV, which every port sends once a second).  Time is
 * taken from Follow_Ups (or one-step Syncs) only that carry the Follow_Up information.
 *
 * A relay is a boundary clock that does not serve its own clock: when a Sync is complete, Syncs go
 * out on the other ports, and their Follow_Ups give the grandmaster's time at their own departure,
 * extrapolated from the last arrival by the accumulated rate ratio (the one that came with the Sync
 * times the neighbour's).  A port whose own interval is shorter than the upstream's sends between
 * these as well, for whoever is behind it waits no longer (PortSyncSyncSend).  So nothing of the
 * local clock's own error is passed on but its rate's over the residence.  Without a parent the
 * ports go back to their timers and to the local clock, unless the clock is no grandmaster at all
 * (priority1 255): then there is no time to be had.
 */
#include "meantime/ptp_peer.h"
#include "ptp/profile_private.h"

#define RESIDENCE_NS        INT64_C(1000000000) /* of a time that is extrapolated */
#define RESIDENCE_MOST_NS   INT64_C(4000000000)
#define SYNCS_MISSED        3 /* after which nothing more is sent on */
#define CAPABLE_INTERVAL_NS INT64_C(1000000000)
#define CAPABLE_TIMEOUT     9 /* intervals of the neighbour's gPTP-capable TLV [10.7.3.3] */
#define CAPABLE_TLV_SIZE    16
#define TIME_FLAGS_OFFSET   7   /* octet 1 of flagField */
#define EARLY_SHARE         8   /* of its interval by which a Sync sent on may be early */
#define NO_GRANDMASTER      255 /* priority1 [8.6.2.1] */

static struct mt_profile *gptp_of(const struct mt_instance *self)
{
    struct mt_profile *profile = mt_profile_of(self);
    return profile != NULL && profile->is_gptp ? profile : NULL;
}

static void get_link(const struct mt_port *port, struct mt_peer_report *ret_link)
{
    memset(ret_link, 0, sizeof *ret_link);
    if (port->config.more->peer != NULL) {
        mt_peer_get(port->config.more->peer, ret_link);
    }
}

/* ---- reception ------------------------------------------------------------------------------- */

static bool find_information(const struct mt_ptp_message *message,
                             struct mt_tlv_follow_up_information *ret_value)
{
    const uint8_t *tlvs = message->tlvs;
    size_t length = message->tlvs_length;
    struct mt_tlv tlv;
    while (mt_tlv_next(&tlvs, &length, &tlv)) {
        if (mt_tlv_parse_follow_up_information(&tlv, ret_value)) {
            return true;
        }
    }
    return false;
}

/* The port will say so, too: what comes again, or too late, is not sent on once more. */
static bool is_stale(const struct mt_port *port, uint16_t sequence)
{
    return port->sync.done.is_there && mt_sequence_is_stale(port->sync.done.sequence, sequence);
}

/* What a Sync says of the grandmaster's time, in its Follow_Up or in itself. */
static enum mt_verdict hear_time(const struct mt_instance *self, const struct mt_port *port,
                                 struct mt_gptp_relay *relay, const struct mt_ptp_message *message)
{
    struct mt_tlv_follow_up_information information;
    if (message->header.type == MT_PTP_SYNC && (message->header.flags & MT_PTP_TWO_STEP) != 0) {
        return MT_VERDICT_ACCEPTED;
    }
    if (!find_information(message, &information)) {
        return MT_VERDICT_UNSUPPORTED;
    }
    if (mt_is_parent(self, &message->header.source) && !is_stale(port, message->header.sequence)) {
        relay->has_information = true;
        relay->sequence = message->header.sequence;
        relay->log_sync_interval = message->header.log_interval;
        relay->origin = message->body.origin;
        relay->information = information;
    }
    return MT_VERDICT_ACCEPTED;
}

/* True if the message says nothing else. */
static bool hear_signaling(const struct mt_instance *self, struct mt_port_profile *profile,
                           const struct mt_ptp_message *message)
{
    const uint8_t *tlvs = message->tlvs;
    size_t length = message->tlvs_length;
    struct mt_tlv tlv;
    struct mt_tlv_gptp_capable capable;
    bool is_all = true;
    while (mt_tlv_next(&tlvs, &length, &tlv)) {
        if (!mt_tlv_parse_gptp_capable(&tlv, &capable)) {
            is_all = false;
        } else if (mt_log_interval_is_allowed(capable.log_message_interval)) {
            profile->has_capable = true;
            profile->capable_until = mt_mono_plus(
                self->now, CAPABLE_TIMEOUT * mt_log2s_to_ns(capable.log_message_interval));
        }
    }
    return is_all;
}

static bool rx(struct mt_instance *self, struct mt_port *port, struct mt_incoming *in,
               enum mt_verdict *ret_verdict)
{
    struct mt_profile *profile = gptp_of(self);
    struct mt_port_profile *of_port = mt_port_profile_of(port);
    const struct mt_ptp_message *message = &in->message;
    enum mt_ptp_type type = message->header.type;
    if (profile == NULL || of_port == NULL || !mt_profile_concerns(self, port, &message->header)) {
        return false;
    }
    *ret_verdict = MT_VERDICT_ACCEPTED;
    if (type == MT_PTP_SIGNALING) {
        return hear_signaling(self, of_port, message);
    }
    if (type != MT_PTP_SYNC && type != MT_PTP_FOLLOW_UP && type != MT_PTP_ANNOUNCE) {
        return false;
    }
    if (!of_port->is_capable) {
        *ret_verdict = MT_VERDICT_NOT_CAPABLE;
    } else if (type != MT_PTP_ANNOUNCE && mt_port_is_receiving(port)) {
        *ret_verdict = hear_time(self, port, &profile->relay, message);
    }
    return *ret_verdict != MT_VERDICT_ACCEPTED;
}

/* ---- asCapable ------------------------------------------------------------------------------- */

static bool is_capable(const struct mt_instance *self, const struct mt_port *port,
                       const struct mt_port_profile *profile)
{
    struct mt_peer_report link;
    if (profile->is_always_capable) {
        return true;
    }
    get_link(port, &link);
    bool has_said_so = profile->has_capable && profile->capable_until.ns > self->now.ns;
    return link.is_as_capable && (self->config.domain == 0 || has_said_so);
}

/* gmPresent is false: nobody has time to serve.  Who has a role does what it says. */
static bool lacks_grandmaster(const struct mt_instance *self, const struct mt_port_profile *profile)
{
    return self->receiving_port == 0 && self->config.priority1 == NO_GRANDMASTER &&
           profile->role == MT_PORT_ROLE_AUTO;
}

static void judge(struct mt_instance *self, struct mt_port *port, struct mt_port_profile *profile)
{
    profile->is_capable = is_capable(self, port, profile);
    if (lacks_grandmaster(self, profile)) {
        port->pending &= (uint8_t) ~(1u << MT_FRAME_SYNC);
    }
    if (profile->is_capable) {
        return;
    }
    port->pending &=
        (uint8_t) ~(1u << MT_FRAME_ANNOUNCE | 1u << MT_FRAME_SYNC | 1u << MT_FRAME_FOLLOW_UP);
    if (port->best != NULL) {
        mt_port_give_up(self, port);
    }
}

/* The next gPTP-capable TLV, and the end of the neighbour's. */
static struct mt_mono signal_capable(struct mt_instance *self, const struct mt_port *port,
                                     struct mt_port_profile *profile)
{
    if (!mt_port_is_active(port)) {
        profile->has_capable = false;
        profile->wants_capable = false;
        return MT_MONO_NEVER;
    }
    if (profile->next_capable.ns <= self->now.ns) {
        profile->wants_capable = true;
        profile->next_capable = mt_mono_plus(self->now, CAPABLE_INTERVAL_NS);
    }
    bool ends = profile->has_capable && profile->capable_until.ns > self->now.ns;
    return ends ? mt_mono_earlier(profile->next_capable, profile->capable_until)
                : profile->next_capable;
}

/* ---- relay ----------------------------------------------------------------------------------- */

static bool serves(const struct mt_port *port)
{
    return port->state == MT_STATE_TRANSMITTER;
}

/* What is on its way out is of the time before. */
static void change_source(struct mt_instance *self, struct mt_profile *profile)
{
    profile->relay_port = self->receiving_port;
    memset(&profile->relay, 0, sizeof profile->relay);
    for (struct mt_port *port = self->ports; port < self->ports_end; port++) {
        port->pending &= (uint8_t) ~(1u << MT_FRAME_SYNC | 1u << MT_FRAME_FOLLOW_UP);
        if (self->config.features->transmitter != NULL) {
            self->config.features->transmitter->stop(port);
        }
    }
}

static int32_t product(int32_t a, int32_t b)
{
    int64_t sum = (int64_t)a + b; /* (1 + a)(1 + b) but for a b, which is below 2^-20 of it */
    return sum > INT32_MAX ? INT32_MAX : sum < INT32_MIN ? INT32_MIN : (int32_t)sum;
}

/* True for a Sync that is complete and new. */
static bool take_time(const struct mt_instance *self, struct mt_gptp_relay *relay,
                      const struct mt_port *port)
{
    const struct mt_sync_receipt *sync = &port->sync;
    struct mt_peer_report link;
    if (!relay->has_information || !sync->done.is_there || sync->done.sequence != relay->sequence) {
        return false;
    }
    relay->has_information = false; /* taken */
    get_link(port, &link);
    relay->has_time = link.has_delay;
    relay->heard = self->now;
    relay->arrival = sync->arrival.at;
    relay->corrections = sync->arrival.corrections;
    relay->grandmaster = sync->departure;
    mt_instant_add(&relay->grandmaster, &link.delay);
    relay->rate_ratio = product(relay->information.cumulative_scaled_rate_offset, link.rate_ratio);
    return relay->has_time;
}

/* How long after its last Sync the next one may leave, with news from upstream and without.  One
 * whose own interval is longer than the upstream's leaves some out. */
static int64_t wait_ns(const struct mt_instance *self, const struct mt_port *port,
                       const struct mt_gptp_relay *relay, bool has_new)
{
    const int64_t interval_ns = mt_log2s_to_ns(port->config.log_sync_interval);
    const int64_t upstream_ns = mt_log2s_to_ns(relay->log_sync_interval);
    bool is_quicker = relay->has_time && mt_log_interval_is_allowed(relay->log_sync_interval) &&
                      interval_ns < upstream_ns;
    if (is_quicker && self->now.ns - relay->heard.ns < SYNCS_MISSED * upstream_ns) {
        return has_new ? interval_ns / 2 : interval_ns;
    }
    if (!has_new) {
        return INT64_MAX;
    }
    return interval_ns <= upstream_ns ? 0 : interval_ns - interval_ns / EARLY_SHARE;
}

/* When the next Sync is due, if it does not wait for one to come. */
static struct mt_mono send_on(struct mt_instance *self, struct mt_port *port,
                              struct mt_port_profile *profile, const struct mt_gptp_relay *relay,
                              bool has_new)
{
    const int64_t since_ns = self->now.ns - profile->relayed.ns;
    bool is_first = has_new && profile->relayed.ns == 0;
    if (!profile->is_capable) {
        return MT_MONO_NEVER;
    }
    if (is_first || since_ns >= wait_ns(self, port, relay, has_new)) {
        profile->relayed.ns = self->now.ns != 0 ? self->now.ns : 1;
        mt_port_request(port, MT_FRAME_SYNC);
    }
    const int64_t next_ns = wait_ns(self, port, relay, false);
    return next_ns != INT64_MAX ? mt_mono_plus(profile->relayed, next_ns) : MT_MONO_NEVER;
}

static struct mt_mono relay(struct mt_instance *self, struct mt_profile *profile)
{
    struct mt_mono deadline = MT_MONO_NEVER;
    bool follows = self->receiving_port != 0;
    if (profile->relay_port != self->receiving_port) {
        change_source(self, profile);
    }
    bool has_new =
        follows && take_time(self, &profile->relay, &self->ports[self->receiving_port - 1]);
    if (profile->relay.corrections < profile->stepped_at) {
        /* its stamps do not tell any more how long ago it was */
        profile->relay.has_time = false;
        has_new = false;
    }
    for (struct mt_port *port = self->ports; port < self->ports_end; port++) {
        struct mt_port_profile *of_port = mt_port_profile_of(port);
        if (!serves(port) || of_port == NULL) {
            continue;
        }
        if (follows) {
            mt_timer_disarm(self, port, MT_TIMER_SYNC);
        } else if (port->timers[MT_TIMER_SYNC].ns == MT_MONO_NEVER.ns) {
            mt_timer_arm(self, port, MT_TIMER_SYNC, 0);
        }
        if (follows) {
            deadline =
                mt_mono_earlier(deadline, send_on(self, port, of_port, &profile->relay, has_new));
        }
    }
    return deadline;
}

static struct mt_mono settle(struct mt_instance *self)
{
    struct mt_profile *profile = gptp_of(self);
    struct mt_mono deadline = MT_MONO_NEVER;
    if (profile == NULL) {
        return deadline;
    }
    for (struct mt_port *port = self->ports; port < self->ports_end; port++) {
        struct mt_port_profile *of_port = mt_port_profile_of(port);
        if (of_port != NULL) {
            judge(self, port, of_port);
            deadline = mt_mono_earlier(deadline, signal_capable(self, port, of_port));
        }
    }
    return mt_mono_earlier(deadline, relay(self, profile));
}

/* ---- what is sent ---------------------------------------------------------------------------- */

static bool next_tx(struct mt_instance *self, struct mt_outgoing *out, struct mt_tx *ret_tx)
{
    static const uint8_t tlv[CAPABLE_TLV_SIZE] = {
        0, MT_TLV_ORGANIZATION_EXTENSION, 0, CAPABLE_TLV_SIZE - 4, 0x00, 0x80, 0xC2, 0, 0, 4};
    for (struct mt_port *port = self->ports; port < self->ports_end; port++) {
        struct mt_port_profile *profile = mt_port_profile_of(port);
        if (profile == NULL || !profile->wants_capable) {
            continue;
        }
        profile->wants_capable = false;
        mt_profile_begin_signaling(self, port, out);
        out->message.tlvs = tlv;
        out->message.tlvs_length = sizeof tlv;
        size_t length = mt_ptp_write(&out->message, out->buffer, out->capacity);
        if (length > 0) {
            *ret_tx = (struct mt_tx){.port = port->identity.port, .length = length};
            return true;
        }
    }
    return false;
}

/* More is the work of a clock that was stepped. */
static int64_t longest_residence_ns(const struct mt_gptp_relay *relay)
{
    int64_t longest_ns = RESIDENCE_NS;
    if (mt_log_interval_is_allowed(relay->log_sync_interval)) {
        longest_ns += SYNCS_MISSED * mt_log2s_to_ns(relay->log_sync_interval);
    }
    return longest_ns < RESIDENCE_MOST_NS ? longest_ns : RESIDENCE_MOST_NS;
}

/* The grandmaster's time when the Sync left, in place of the local clock's. */
static void rewrite(const struct mt_gptp_relay *relay, const struct mt_instant *departure,
                    struct mt_ptp_message *follow_up)
{
    struct mt_span residence;
    struct mt_span correction;
    mt_span_between(&relay->arrival, departure, &residence);
    int64_t residence_ns = mt_span_to_ns(residence);
    follow_up->body.origin = relay->origin;
    follow_up->header.correction = MT_INTERVAL_TOO_LARGE;
    if (!relay->has_time || residence_ns < 0 || residence_ns > longest_residence_ns(relay)) {
        return;
    }
    struct mt_interval by = mt_span_to_interval(residence);
    by.q16 += residence_ns * relay->rate_ratio / (INT64_C(1) << 25); /* 2^41 to 2^16 */
    struct mt_instant now = relay->grandmaster;
    mt_instant_add(&now, &by);
    struct mt_instant origin = mt_ptp_timestamp_to_instant(&relay->origin, MT_SCALE_ARB);
    mt_span_between(&origin, &now, &correction);
    follow_up->header.correction = mt_span_to_interval(correction);
}

static void finish_follow_up(const struct mt_instance *self, const struct mt_profile *profile,
                             struct mt_outgoing *out, struct mt_tx *tx)
{
    struct mt_tlv_follow_up_information information = {0};
    if (self->receiving_port != 0) {
        const struct mt_port *port = &self->ports[tx->port - 1];
        rewrite(&profile->relay, &port->transmission.follow_up, &out->message);
        (void)mt_ptp_write(&out->message, out->buffer, out->capacity); /* as long as before */
        information = profile->relay.information;
        information.cumulative_scaled_rate_offset = profile->relay.rate_ratio;
    }
    mt_frame_appended(out, tx,
                      mt_tlv_write_follow_up_information(&information, out->buffer + tx->length,
                                                         out->capacity - tx->length));
}

static void finish(struct mt_instance *self, struct mt_outgoing *out, struct mt_tx *tx)
{
    const struct mt_profile *profile = gptp_of(self);
    if (profile == NULL || out->is_forwarded) {
        return;
    }
    if (out->message.header.type == MT_PTP_FOLLOW_UP) {
        finish_follow_up(self, profile, out, tx);
    } else if (out->message.header.type == MT_PTP_ANNOUNCE && self->receiving_port != 0) {
        out->buffer[TIME_FLAGS_OFFSET] = (uint8_t)self->time.flags; /* whatever this clock shows */
    }
}

static bool is_used(const struct mt_instance_more *instance, const struct mt_port_more *port)
{
    (void)port;
    return instance->profile != NULL && instance->profile->is_gptp;
}

const struct mt_extension mt_gptp_extension = {
    .rx = rx,
    .settle = settle,
    .next_tx = next_tx,
    .finish = finish,
    .is_used = is_used,
};
