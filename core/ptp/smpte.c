/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Synchronization Metadata: see ptp_smpte.h.
 *
 * It travels in a Management message for everybody with the action COMMAND, which nobody answers
 * and boundary clocks pass on.  What it says depends on the time of day, which an instance does not
 * know but for its own transmit stamps: that in the newest Follow_Up and the monotonic time since
 * make the seconds that are needed here.  Without one (in one step, the hardware alone knows), or
 * where the clock does not show the PTP timescale, jumps and jams are left out.
 *
 * Local time is ahead of PTP time by what the configuration says of UTC, less TAI - UTC.  The next
 * jump is that of the configuration or that of a leap second, whichever comes first.
 */
#include "meantime/ptp_smpte.h"

#include "ptp/profile_private.h"

#define DAY_S            86400
#define NS_PER_S         INT64_C(1000000000)
#define CLASS_LOCKED     6
#define CLASS_LOCKED_ARB 13
#define ACTION_COMMAND   3

void mt_smpte_init(struct mt_smpte *self)
{
    memset(self, 0, sizeof *self);
    self->rate_numerator = 30000;
    self->rate_denominator = 1001;
    self->locking = MT_SMPTE_AUTO_LOCKING;
}

static struct mt_smpte *smpte_of(const struct mt_instance *self)
{
    return self->config.more != NULL ? self->config.more->smpte : NULL;
}

static bool is_grandmaster(const struct mt_instance *self)
{
    return self->receiving_port == 0 && !self->config.is_receiver_only;
}

/* ---- local time ------------------------------------------------------------------------------ */

struct jump {
    int32_t by_s;
    uint64_t at_s;
    bool is_leap;
};

static bool find_time(const struct mt_instance *self, const struct mt_smpte *smpte, int64_t *ret_s)
{
    if (!smpte->has_time) {
        return false;
    }
    *ret_s =
        (int64_t)smpte->time.s + (self->now.ns - smpte->time_at.ns + smpte->time.ns) / NS_PER_S;
    return true;
}

static int32_t local_offset(const struct mt_instance *self, const struct mt_smpte *smpte)
{
    return smpte->offset_s - self->time.utc_offset + (smpte->has_jumped ? smpte->jump_s : 0);
}

/* At the end of the UTC day the clocks of the house are set back or forth with UTC. */
static struct jump leap_jump(const struct mt_instance *self, int64_t now_s)
{
    struct jump jump = {0};
    if ((self->time.flags & (MT_PTP_LEAP_61 | MT_PTP_LEAP_59)) != 0) {
        bool is_inserted = (self->time.flags & MT_PTP_LEAP_61) != 0;
        int64_t day = (now_s - self->time.utc_offset) / DAY_S + 1;
        jump.by_s = is_inserted ? -1 : 1;
        jump.at_s = (uint64_t)(day * DAY_S + self->time.utc_offset - jump.by_s);
        jump.is_leap = true;
    }
    return jump;
}

static struct jump next_jump(const struct mt_instance *self, const struct mt_smpte *smpte,
                             int64_t now_s)
{
    struct jump leap = leap_jump(self, now_s);
    bool is_planned = smpte->jump_s != 0 && !smpte->has_jumped;
    if (is_planned && (leap.by_s == 0 || smpte->jump_at_s <= leap.at_s)) {
        return (struct jump){smpte->jump_s, smpte->jump_at_s, false};
    }
    return leap;
}

/* The first PTP time after `now_s` at which it is `jam_s` o'clock, `offset_s` ahead. */
static int64_t jam_after(int64_t now_s, int32_t offset_s, uint32_t jam_s)
{
    int64_t local_s = now_s + offset_s;
    int64_t jam = local_s - local_s % DAY_S + (int64_t)jam_s;
    return (jam > local_s ? jam : jam + DAY_S) - offset_s;
}

/* A jump before the jam moves the jam; what it leaps over comes the day after. */
static void add_jams(const struct mt_smpte *smpte, int64_t now_s, struct mt_tlv_smpte *value)
{
    int64_t next = jam_after(now_s, value->local_offset_s, smpte->jam_s);
    int64_t previous = next - DAY_S;
    int32_t previous_offset = value->local_offset_s;
    if (value->jump_s != 0 && (int64_t)value->next_jump_s <= next) {
        next = jam_after((int64_t)value->next_jump_s - 1, value->local_offset_s + value->jump_s,
                         smpte->jam_s);
    }
    if (smpte->has_jumped && previous < (int64_t)smpte->jump_at_s) {
        previous_offset -= smpte->jump_s;
        previous = jam_after((int64_t)smpte->jump_at_s - DAY_S, previous_offset, smpte->jam_s);
        value->daylight_saving |= smpte->daylight_saving ? 4 : 0;
    } else {
        value->daylight_saving |= (value->daylight_saving & 1) != 0 ? 4 : 0;
    }
    value->next_jam_s = (uint64_t)next;
    value->previous_jam_s = (uint64_t)previous;
    value->previous_jam_offset_s = previous_offset;
}

static uint8_t locking_of(const struct mt_instance *self, const struct mt_smpte *smpte)
{
    uint8_t clock_class = self->config.quality.clock_class;
    if (smpte->locking != MT_SMPTE_AUTO_LOCKING) {
        return smpte->locking;
    }
    return clock_class == CLASS_LOCKED || clock_class == CLASS_LOCKED_ARB ? MT_SMPTE_LOCKED
                                                                          : MT_SMPTE_FREE_RUN;
}

static void describe(const struct mt_instance *self, const struct mt_smpte *smpte,
                     struct mt_tlv_smpte *value)
{
    bool is_saving = smpte->has_jumped ? smpte->daylight_saving_next : smpte->daylight_saving;
    int64_t now_s;
    memset(value, 0, sizeof *value);
    value->rate_numerator = smpte->rate_numerator;
    value->rate_denominator = smpte->rate_denominator;
    value->locking = locking_of(self, smpte);
    value->time_address_flags = smpte->time_address_flags;
    value->local_offset_s = local_offset(self, smpte);
    value->daylight_saving = is_saving ? 3 : 0;
    if (!find_time(self, smpte, &now_s)) {
        return;
    }
    struct jump jump = next_jump(self, smpte, now_s);
    value->jump_s = jump.by_s;
    value->next_jump_s = jump.at_s;
    value->leap_second_jump = jump.is_leap ? 1 : 0;
    if (jump.by_s != 0 && !jump.is_leap) {
        value->daylight_saving =
            (uint8_t)((smpte->daylight_saving ? 1 : 0) | (smpte->daylight_saving_next ? 2 : 0));
    }
    if (smpte->has_jam) {
        add_jams(smpte, now_s, value);
    }
}

bool mt_smpte_metadata(const struct mt_instance *self, struct mt_tlv_smpte *ret_value)
{
    const struct mt_smpte *smpte = smpte_of(self);
    if (smpte == NULL) {
        return false;
    }
    if (is_grandmaster(self) && smpte->is_sent) {
        describe(self, smpte, ret_value);
        return true;
    }
    if (smpte->has_heard) {
        *ret_value = smpte->heard;
    }
    return smpte->has_heard;
}

/* ---- reception ------------------------------------------------------------------------------- */

/* Management sees it next, and passes it on. */
static bool rx(struct mt_instance *self, struct mt_port *port, struct mt_incoming *in,
               enum mt_verdict *ret_verdict)
{
    struct mt_smpte *smpte = smpte_of(self);
    const struct mt_ptp_header *header = &in->message.header;
    const uint8_t *tlvs = in->message.tlvs;
    size_t length = in->message.tlvs_length;
    struct mt_tlv tlv;
    (void)ret_verdict;
    if (smpte == NULL || header->type != MT_PTP_MANAGEMENT ||
        !mt_profile_concerns(self, port, header) || self->receiving_port != port->identity.port ||
        !mt_clock_identity_equal(&header->source.clock, &self->parent.grandmaster)) {
        return false;
    }
    if (mt_tlv_next(&tlvs, &length, &tlv) && mt_tlv_parse_smpte(&tlv, &smpte->heard)) {
        smpte->has_heard = true;
        smpte->heard_until =
            mt_mono_plus(self->now, MT_SMPTE_TIMEOUT * mt_log2s_to_ns(smpte->log_interval));
        mt_count(&smpte->received);
    }
    return false;
}

/* ---- sending --------------------------------------------------------------------------------- */

/* A Follow_Up says what time it was a moment ago. */
static void finish(struct mt_instance *self, struct mt_outgoing *out, struct mt_tx *tx)
{
    struct mt_smpte *smpte = smpte_of(self);
    (void)tx;
    if (smpte != NULL && out->message.header.type == MT_PTP_FOLLOW_UP && !out->is_forwarded) {
        smpte->has_time = (self->time.flags & MT_PTP_TIMESCALE) != 0;
        smpte->time = out->message.body.origin;
        smpte->time_at = self->now;
    }
}

static void keep_jump(const struct mt_instance *self, struct mt_smpte *smpte)
{
    int64_t now_s;
    if (find_time(self, smpte, &now_s)) {
        smpte->has_jumped = smpte->jump_s != 0 && now_s >= (int64_t)smpte->jump_at_s;
    }
}

static struct mt_mono settle(struct mt_instance *self)
{
    struct mt_smpte *smpte = smpte_of(self);
    if (smpte == NULL) {
        return MT_MONO_NEVER;
    }
    if (smpte->heard_until.ns <= self->now.ns || self->receiving_port == 0) {
        smpte->has_heard = false;
    }
    if (!smpte->is_sent || !is_grandmaster(self)) {
        smpte->pending = 0;
        return smpte->has_heard ? smpte->heard_until : MT_MONO_NEVER;
    }
    if (smpte->next.ns <= self->now.ns) {
        smpte->next = mt_mono_plus(self->now, mt_log2s_to_ns(smpte->log_interval));
        keep_jump(self, smpte);
        for (const struct mt_port *port = self->ports; port < self->ports_end; port++) {
            bool is_serving = port->state == MT_STATE_TRANSMITTER;
            smpte->pending |= is_serving ? UINT64_C(1) << (port - self->ports) : 0;
        }
        smpte->sequence++;
    }
    return smpte->next;
}

static void begin_message(const struct mt_instance *self, const struct mt_port *port,
                          uint16_t sequence, struct mt_ptp_message *message)
{
    struct mt_ptp_header *header = &message->header;
    struct mt_ptp_management *body = &message->body.management;
    memset(message, 0, sizeof *message);
    header->type = MT_PTP_MANAGEMENT;
    header->sdo_id = self->config.sdo_id;
    header->minor_version = self->config.minor_version;
    header->domain = self->config.domain;
    header->source = port->identity;
    header->sequence = sequence;
    header->log_interval = MT_PTP_LOG_INTERVAL_NONE;
    memset(&body->target.clock, 0xFF, sizeof body->target.clock);
    body->target.port = UINT16_MAX;
    body->starting_hops = MT_SMPTE_HOPS;
    body->hops = MT_SMPTE_HOPS;
    body->action = ACTION_COMMAND;
}

static bool next_tx(struct mt_instance *self, struct mt_outgoing *out, struct mt_tx *ret_tx)
{
    struct mt_smpte *smpte = smpte_of(self);
    struct mt_port *port = self->ports;
    struct mt_tlv_smpte value;
    uint8_t tlv[MT_TLV_SMPTE_SIZE];
    if (smpte == NULL || smpte->pending == 0) {
        return false;
    }
    while ((smpte->pending & UINT64_C(1) << (port - self->ports)) == 0) {
        port++;
    }
    smpte->pending &= smpte->pending - 1;
    describe(self, smpte, &value);
    begin_message(self, port, smpte->sequence, &out->message);
    out->message.tlvs = tlv;
    out->message.tlvs_length = mt_tlv_write_smpte(&value, tlv, sizeof tlv);
    size_t length = mt_ptp_write(&out->message, out->buffer, out->capacity);
    if (length > 0) {
        mt_count(&smpte->sent);
        *ret_tx = (struct mt_tx){.port = port->identity.port, .length = length};
    }
    return length > 0;
}

static bool is_used(const struct mt_instance_more *instance, const struct mt_port_more *port)
{
    (void)port;
    return instance->smpte != NULL;
}

const struct mt_extension mt_smpte_extension = {
    .rx = rx,
    .settle = settle,
    .next_tx = next_tx,
    .finish = finish,
    .is_used = is_used,
};
