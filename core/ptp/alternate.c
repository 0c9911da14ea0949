/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Alternate transmitters [1588-2019 17.3].
 *
 * What is marked with the flag is taken here and never reaches the port, so it cannot qualify a
 * transmitter, whatever its data sets claim; a table beside the foreign transmitters holds it.
 * From the same table follows whether this port is among the best few and sends, too.  Sequence
 * numbers are those of the port: who hears it before and after it becomes the transmitter sees one
 * sender.
 *
 * An alternate serves no Delay_Req, so only its Syncs are measured: the offset assumes that the way
 * to it is as long as that to the parent, and is for people to look at.  A clock that follows
 * another one but is not locked has no time to send, and announces itself only.
 */
#include "meantime/ptp_alternate.h"

#include "ptp/profile_private.h"

#define FRAME(name) (1u << MT_FRAME_##name)

void mt_alternate_init(struct mt_alternate *self)
{
    memset(self, 0, sizeof *self);
}

static struct mt_alternate *alternate_of(const struct mt_port *port)
{
    return port->config.more != NULL ? port->config.more->alternate : NULL;
}

/* ---- those that are heard -------------------------------------------------------------------- */

static struct mt_alternate_heard *find(struct mt_alternate *self,
                                       const struct mt_port_identity *sender)
{
    for (unsigned i = 0; i < MT_ALTERNATES_HEARD; i++) {
        struct mt_alternate_heard *heard = &self->heard[i];
        if (heard->is_used && mt_port_identity_equal(&heard->dataset.sender, sender)) {
            return heard;
        }
    }
    return NULL;
}

/* A free place, or that of the worst if the newcomer is better; else null. */
static struct mt_alternate_heard *place_for(const struct mt_instance *self,
                                            struct mt_alternate *alternate,
                                            const struct mt_ptp_dataset *newcomer)
{
    struct mt_alternate_heard *worst = &alternate->heard[0];
    for (unsigned i = 0; i < MT_ALTERNATES_HEARD; i++) {
        struct mt_alternate_heard *heard = &alternate->heard[i];
        if (!heard->is_used) {
            return heard;
        }
        if (mt_instance_prefers(self, &worst->dataset, &heard->dataset)) {
            worst = heard;
        }
    }
    return mt_instance_prefers(self, newcomer, &worst->dataset) ? worst : NULL;
}

static enum mt_verdict hear_announce(struct mt_instance *self, struct mt_port *port,
                                     struct mt_alternate *alternate,
                                     const struct mt_ptp_message *message)
{
    struct mt_foreign foreign;
    memset(&foreign, 0, sizeof foreign);
    mt_announce_read(self, port, message, &foreign);
    struct mt_alternate_heard *heard = find(alternate, &foreign.dataset.sender);
    if (message->body.announce.steps_removed >= self->config.max_steps_removed) {
        return MT_VERDICT_STEPS_REMOVED;
    }
    if (heard == NULL) {
        heard = place_for(self, alternate, &foreign.dataset);
        if (heard == NULL) {
            return MT_VERDICT_FOREIGN_FULL;
        }
        memset(heard, 0, sizeof *heard);
    }
    heard->is_used = true;
    heard->dataset = foreign.dataset;
    heard->until = mt_mono_plus(self->now, mt_log2s_to_ns(port->config.log_announce_interval) *
                                               port->config.announce_receipt_timeout);
    return MT_VERDICT_ACCEPTED;
}

static void measure(const struct mt_instance *self, const struct mt_port *port,
                    struct mt_alternate_heard *heard)
{
    struct mt_sync_receipt *sync = &heard->sync;
    struct mt_span ahead;
    if (!sync->sync.is_there || !sync->follow_up.is_there ||
        sync->sync.sequence != sync->follow_up.sequence) {
        return;
    }
    sync->sync.is_there = false;
    sync->follow_up.is_there = false;
    mt_instant_add(&sync->departure, &sync->correction);
    mt_instant_add(&sync->departure, &port->config.delay_asymmetry);
    mt_instant_add(&sync->departure, &self->clock.mean_delay);
    mt_span_between(&sync->departure, &sync->arrival.at, &ahead);
    heard->offset = mt_span_to_interval(ahead);
    heard->has_offset = self->receiving_port != 0;
}

static void hear_sync(struct mt_port *port, struct mt_sync_receipt *sync,
                      const struct mt_ptp_message *message, const struct mt_stamp *stamp)
{
    sync->sync = (struct mt_sync_half){message->header.sequence, true};
    sync->arrival = *stamp;
    mt_instant_subtract(&sync->arrival.at, &port->config.ingress_latency);
    sync->correction = message->header.correction;
    if ((message->header.flags & MT_PTP_TWO_STEP) == 0) {
        sync->follow_up = sync->sync;
        sync->departure = mt_ptp_timestamp_to_instant(&message->body.origin, MT_SCALE_ARB);
    }
}

static void hear_follow_up(struct mt_sync_receipt *sync, const struct mt_ptp_message *message)
{
    sync->follow_up = (struct mt_sync_half){message->header.sequence, true};
    sync->departure = mt_ptp_timestamp_to_instant(&message->body.origin, MT_SCALE_ARB);
    mt_instant_add(&sync->departure, &message->header.correction);
}

static enum mt_verdict hear_time(struct mt_instance *self, struct mt_port *port,
                                 struct mt_alternate *alternate, const struct mt_incoming *in)
{
    struct mt_alternate_heard *heard = find(alternate, &in->message.header.source);
    if (mt_interval_is_too_large(in->message.header.correction)) {
        return MT_VERDICT_CORRECTION;
    }
    if (heard == NULL) {
        return MT_VERDICT_ALTERNATE;
    }
    if (in->message.header.type == MT_PTP_FOLLOW_UP) {
        hear_follow_up(&heard->sync, &in->message);
    } else if (in->stamp == NULL) {
        return MT_VERDICT_NO_TIMESTAMP;
    } else {
        hear_sync(port, &heard->sync, &in->message, in->stamp);
    }
    measure(self, port, heard);
    return MT_VERDICT_ACCEPTED;
}

static bool rx(struct mt_instance *self, struct mt_port *port, struct mt_incoming *in,
               enum mt_verdict *ret_verdict)
{
    struct mt_alternate *alternate = alternate_of(port);
    const struct mt_ptp_header *header = &in->message.header;
    if (alternate == NULL || (header->flags & MT_PTP_ALTERNATE) == 0 ||
        self->config.accepts_alternate || !mt_profile_concerns(self, port, header) ||
        (self->config.features->acceptable != NULL &&
         !self->config.features->acceptable(port, &header->source))) {
        return false;
    }
    if (header->type == MT_PTP_ANNOUNCE) {
        *ret_verdict = hear_announce(self, port, alternate, &in->message);
        return true;
    }
    if (header->type == MT_PTP_SYNC || header->type == MT_PTP_FOLLOW_UP) {
        *ret_verdict = hear_time(self, port, alternate, in);
        return true;
    }
    return false;
}

/* ---- whether this port is one ---------------------------------------------------------------- */

/* A passive port of a clock that follows on another one would serve its parent's time; any other
 * port that of the clock itself. */
static bool would_relay(const struct mt_instance *self, const struct mt_port *port)
{
    return self->receiving_port != 0 && self->receiving_port != port->identity.port;
}

static void describe(const struct mt_instance *self, const struct mt_port *port,
                     struct mt_foreign *ret_own)
{
    mt_describe_own(self, ret_own);
    if (would_relay(self, port)) {
        ret_own->dataset = self->parent;
        ret_own->time = self->time;
    }
}

/* Announces of this port that others would compare with those of the alternates that it hears. */
static bool is_among_the_best(const struct mt_instance *self, const struct mt_port *port,
                              const struct mt_alternate *alternate)
{
    struct mt_foreign own;
    unsigned better = 0;
    describe(self, port, &own);
    own.dataset.sender = port->identity;
    for (unsigned i = 0; i < MT_ALTERNATES_HEARD; i++) {
        const struct mt_alternate_heard *heard = &alternate->heard[i];
        better +=
            heard->is_used && mt_instance_prefers(self, &heard->dataset, &own.dataset) ? 1 : 0;
    }
    return better < alternate->count;
}

static bool may_send(const struct mt_instance *self, const struct mt_port *port)
{
    return !self->config.is_receiver_only && self->config.features->transmitter != NULL &&
           port->best != NULL && (port->state == MT_STATE_PASSIVE || mt_port_is_receiving(port));
}

static bool has_time(const struct mt_instance *self)
{
    return self->receiving_port == 0 || self->clock.is_locked;
}

static void begin(struct mt_instance *self, struct mt_alternate *alternate)
{
    alternate->is_sending = true;
    alternate->next_announce = self->now;
    alternate->next_sync = self->now;
}

static void end(struct mt_alternate *alternate)
{
    alternate->is_sending = false;
    alternate->pending = 0;
    memset(alternate->sent, 0, sizeof alternate->sent);
}

/* The frame is wanted if it is due; when the next one is. */
static struct mt_mono send_periodic(struct mt_instance *self, struct mt_alternate *alternate,
                                    unsigned frame, struct mt_mono due, int8_t log_interval)
{
    if (due.ns > self->now.ns) {
        return due;
    }
    alternate->pending |= (uint8_t)frame;
    int64_t interval_ns = mt_log2s_to_ns(log_interval);
    struct mt_mono next = mt_mono_plus(due, interval_ns);
    return next.ns > self->now.ns ? next : mt_mono_plus(self->now, interval_ns);
}

static struct mt_mono send(struct mt_instance *self, const struct mt_port *port,
                           struct mt_alternate *alternate)
{
    if (alternate->count == 0 || !may_send(self, port) ||
        !is_among_the_best(self, port, alternate)) {
        if (alternate->is_sending) {
            end(alternate);
        }
        return MT_MONO_NEVER;
    }
    if (!alternate->is_sending) {
        begin(self, alternate);
    }
    alternate->next_announce =
        send_periodic(self, alternate, FRAME(ANNOUNCE), alternate->next_announce,
                      port->config.log_announce_interval);
    if (!alternate->sends_sync) {
        return alternate->next_announce;
    }
    alternate->next_sync = send_periodic(self, alternate, FRAME(SYNC), alternate->next_sync,
                                         alternate->log_sync_interval);
    if (!has_time(self)) {
        alternate->pending &= (uint8_t)~FRAME(SYNC);
    }
    return mt_mono_earlier(alternate->next_announce, alternate->next_sync);
}

static struct mt_mono forget_silent(const struct mt_instance *self, struct mt_alternate *alternate,
                                    bool is_active)
{
    struct mt_mono earliest = MT_MONO_NEVER;
    for (unsigned i = 0; i < MT_ALTERNATES_HEARD; i++) {
        struct mt_alternate_heard *heard = &alternate->heard[i];
        heard->is_used &= is_active && heard->until.ns > self->now.ns;
        if (heard->is_used) {
            earliest = mt_mono_earlier(earliest, heard->until);
        }
    }
    return earliest;
}

static struct mt_mono settle(struct mt_instance *self)
{
    struct mt_mono deadline = MT_MONO_NEVER;
    for (struct mt_port *port = self->ports; port < self->ports_end; port++) {
        struct mt_alternate *alternate = alternate_of(port);
        if (alternate == NULL) {
            continue;
        }
        deadline =
            mt_mono_earlier(deadline, forget_silent(self, alternate, mt_port_is_active(port)));
        deadline = mt_mono_earlier(deadline, send(self, port, alternate));
    }
    return deadline;
}

/* ---- what is sent ---------------------------------------------------------------------------- */

static void fill_announce(const struct mt_instance *self, struct mt_port *port,
                          struct mt_ptp_message *message)
{
    struct mt_ptp_announce *announce = &message->body.announce;
    struct mt_foreign own;
    describe(self, port, &own);
    announce->utc_offset = own.time.utc_offset;
    announce->priority1 = own.dataset.priority1;
    announce->quality = own.dataset.quality;
    announce->priority2 = own.dataset.priority2;
    announce->grandmaster = own.dataset.grandmaster;
    announce->steps_removed = own.dataset.steps_removed;
    announce->time_source = own.time.time_source;
    message->header.flags = own.time.flags;
    if (self->clock.shows == MT_CLOCK_SHOWS_PTP) {
        message->header.flags |= MT_PTP_TIMESCALE;
    }
    message->header.sequence = port->transmission.announce_sequence++;
    message->header.log_interval = port->config.log_announce_interval;
}

static void fill_sync(struct mt_port *port, struct mt_alternate *alternate, struct mt_outgoing *out)
{
    struct mt_sync_sent *sent = &alternate->sent[alternate->next_sent];
    alternate->next_sent = (uint8_t)((alternate->next_sent + 1) % MT_ALTERNATE_OUTSTANDING);
    sent->token = out->token;
    sent->sequence = port->transmission.sync_sequence++;
    out->message.header.sequence = sent->sequence;
    out->message.header.flags = MT_PTP_TWO_STEP;
    out->message.header.log_interval = alternate->log_sync_interval;
}

static void fill_follow_up(const struct mt_alternate *alternate, struct mt_ptp_message *message)
{
    mt_ptp_timestamp_from_instant(&alternate->follow_up, &message->body.origin,
                                  &message->header.correction);
    message->header.sequence = alternate->follow_up_sequence;
    message->header.log_interval = alternate->log_sync_interval;
}

static void fill(struct mt_instance *self, struct mt_port *port, struct mt_alternate *alternate,
                 enum mt_ptp_type type, struct mt_outgoing *out)
{
    struct mt_ptp_header *header = &out->message.header;
    memset(&out->message, 0, sizeof out->message);
    header->type = type;
    if (type == MT_PTP_ANNOUNCE) {
        fill_announce(self, port, &out->message);
        alternate->announced++;
    } else if (type == MT_PTP_SYNC) {
        fill_sync(port, alternate, out);
    } else {
        fill_follow_up(alternate, &out->message);
    }
    header->flags |= MT_PTP_ALTERNATE;
    header->sdo_id = self->config.sdo_id;
    header->minor_version = self->config.minor_version;
    header->domain = self->config.domain;
    header->source = port->identity;
}

static bool take(struct mt_instance *self, struct mt_port *port, struct mt_alternate *alternate,
                 struct mt_outgoing *out, struct mt_tx *ret_tx)
{
    static const struct {
        uint8_t frame;
        uint8_t type; /* enum mt_ptp_type */
    } order[] = {{FRAME(FOLLOW_UP), MT_PTP_FOLLOW_UP},
                 {FRAME(ANNOUNCE), MT_PTP_ANNOUNCE},
                 {FRAME(SYNC), MT_PTP_SYNC}};
    for (unsigned i = 0; i < sizeof order / sizeof *order; i++) {
        bool is_event = order[i].type == MT_PTP_SYNC;
        if ((alternate->pending & order[i].frame) == 0) {
            continue;
        }
        alternate->pending &= (uint8_t)~order[i].frame;
        out->token = is_event ? mt_next_token(self) : 0;
        fill(self, port, alternate, (enum mt_ptp_type)order[i].type, out);
        size_t length = mt_ptp_write(&out->message, out->buffer, out->capacity);
        if (length > 0) {
            *ret_tx = (struct mt_tx){.port = port->identity.port,
                                     .is_event = is_event,
                                     .token = out->token,
                                     .length = length};
            return true;
        }
    }
    return false;
}

static bool next_tx(struct mt_instance *self, struct mt_outgoing *out, struct mt_tx *ret_tx)
{
    for (struct mt_port *port = self->ports; port < self->ports_end; port++) {
        struct mt_alternate *alternate = alternate_of(port);
        if (alternate != NULL && take(self, port, alternate, out, ret_tx)) {
            return true;
        }
    }
    return false;
}

static bool tx_done(struct mt_instance *self, struct mt_port *port, uint32_t token,
                    const struct mt_stamp *stamp)
{
    struct mt_alternate *alternate = alternate_of(port);
    for (unsigned i = 0; alternate != NULL && i < MT_ALTERNATE_OUTSTANDING; i++) {
        struct mt_sync_sent *sent = &alternate->sent[i];
        if (sent->token != token) {
            continue;
        }
        sent->token = 0;
        if (stamp != NULL) {
            alternate->follow_up = stamp->at;
            alternate->follow_up_sequence = sent->sequence;
            alternate->pending |= FRAME(FOLLOW_UP);
        }
        return true;
    }
    return false;
}

static bool is_used(const struct mt_instance_more *instance, const struct mt_port_more *port)
{
    (void)instance;
    return port != NULL && port->alternate != NULL;
}

const struct mt_extension mt_alternate_extension = {
    .is_used = is_used,
    .rx = rx,
    .tx_done = tx_done,
    .settle = settle,
    .next_tx = next_tx,
};
