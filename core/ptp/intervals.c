/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Initial and operational intervals: see ptp_intervals.h.
 *
 * Settled is a clock that is locked and has been within the threshold for ten Syncs in a row; one
 * that is not locked any more for a few, or has another transmitter, goes back.  A request may get
 * lost, and nothing answers it, so it is repeated until the transmitter's Syncs name the interval
 * that was asked for, a few times at most: a transmitter that does not obey is asked no further.
 */
#include "meantime/ptp_intervals.h"

#include "meantime/ptp_peer.h"
#include "meantime/ptp_tlv.h"
#include "ptp/profile_private.h"

#define KEEP       (-128)
#define INITIAL    126
#define TLV_SIZE   16
#define BOTH_FLAGS 3 /* computeNeighborRateRatio, computeNeighborPropDelay: as before */
#define RETRY_NS   INT64_C(1000000000)

void mt_intervals_init(struct mt_intervals *self)
{
    memset(self, 0, sizeof *self);
    self->keeps_sync = true;
    self->keeps_announce = true;
    self->keeps_pdelay = true;
}

bool mt_intervals_awaits(const struct mt_intervals *self, int8_t *ret_log_interval)
{
    *ret_log_interval = self->log_sync_interval;
    return self->is_following && self->is_operational && !self->keeps_sync && self->tries > 0 &&
           self->tries < MT_INTERVALS_TRIES && self->log_sync_heard != self->log_sync_interval;
}

static bool is_used(const struct mt_intervals *self)
{
    return self != NULL && !(self->keeps_sync && self->keeps_announce && self->keeps_pdelay);
}

static struct mt_intervals *intervals_of(const struct mt_port *port)
{
    struct mt_intervals *self = port->config.more != NULL ? port->config.more->intervals : NULL;
    return is_used(self) ? self : NULL;
}

static bool rx(struct mt_instance *self, struct mt_port *port, struct mt_incoming *in,
               enum mt_verdict *ret_verdict)
{
    struct mt_intervals *intervals = intervals_of(port);
    const struct mt_ptp_header *header = &in->message.header;
    (void)ret_verdict;
    if (intervals != NULL && header->type == MT_PTP_SYNC &&
        mt_profile_concerns(self, port, header) && mt_is_parent(self, &header->source)) {
        intervals->log_sync_heard = header->log_interval;
    }
    return false;
}

/* ---- when ------------------------------------------------------------------------------------ */

static void set_pdelay(const struct mt_port *port, struct mt_intervals *intervals)
{
    struct mt_peer *peer = port->config.more->peer;
    if (!intervals->keeps_pdelay && peer != NULL && !port->config.more->shares_peer) {
        mt_peer_set_interval(peer, intervals->is_operational ? intervals->log_pdelay_interval
                                                             : intervals->log_pdelay_initial);
    }
}

static void change(struct mt_instance *self, const struct mt_port *port,
                   struct mt_intervals *intervals, bool is_operational)
{
    intervals->is_operational = is_operational;
    intervals->settled = 0;
    intervals->unlocked = 0;
    intervals->tries = 0;
    intervals->try_at = self->now;
    set_pdelay(port, intervals);
}

static void begin(struct mt_instance *self, const struct mt_port *port,
                  struct mt_intervals *intervals)
{
    const struct mt_peer *peer = port->config.more->peer;
    if (peer != NULL && !intervals->is_operational) {
        intervals->log_pdelay_initial = peer->config.log_request_interval;
    }
    intervals->is_following = true;
    intervals->parent = self->parent.sender;
    intervals->newest_sync = port->sync.done.sequence;
    intervals->log_sync_heard = MT_PTP_LOG_INTERVAL_NONE;
    change(self, port, intervals, false);
}

static void end(struct mt_instance *self, const struct mt_port *port,
                struct mt_intervals *intervals)
{
    if (intervals->is_following) {
        change(self, port, intervals, false);
    }
    intervals->is_following = false;
    intervals->wants_request = false;
}

static bool is_within(const struct mt_instance *self, const struct mt_intervals *intervals)
{
    int64_t off_q16 = self->clock.offset.q16;
    return intervals->threshold.q16 == 0 ||
           (off_q16 < 0 ? -off_q16 : off_q16) <= intervals->threshold.q16;
}

/* Once for each Sync that is complete. */
static void judge(struct mt_instance *self, const struct mt_port *port,
                  struct mt_intervals *intervals)
{
    bool is_locked = self->clock.is_locked;
    if (!port->sync.done.is_there || port->sync.done.sequence == intervals->newest_sync) {
        return;
    }
    intervals->newest_sync = port->sync.done.sequence;
    intervals->settled = is_locked && is_within(self, intervals) ? intervals->settled + 1u : 0u;
    intervals->unlocked = is_locked ? 0u : intervals->unlocked + 1u;
    if (intervals->settled >= MT_INTERVALS_SETTLED && !intervals->is_operational) {
        change(self, port, intervals, true);
    }
    if (intervals->unlocked >= MT_INTERVALS_LOST && intervals->is_operational) {
        change(self, port, intervals, false);
    }
}

/* The transmitter does what was asked for, as far as that can be seen. */
static bool is_obeyed(const struct mt_intervals *intervals)
{
    if (intervals->tries == 0) {
        return false;
    }
    return intervals->keeps_sync || !intervals->is_operational ||
           intervals->log_sync_heard == intervals->log_sync_interval;
}

static struct mt_mono ask(struct mt_instance *self, struct mt_intervals *intervals)
{
    if ((intervals->keeps_sync && intervals->keeps_announce) ||
        intervals->tries >= MT_INTERVALS_TRIES || is_obeyed(intervals)) {
        return MT_MONO_NEVER;
    }
    if (intervals->try_at.ns <= self->now.ns) {
        intervals->wants_request = true;
        intervals->tries++;
        intervals->try_at =
            mt_mono_plus(self->now, RETRY_NS + 2 * mt_log2s_to_ns(intervals->log_sync_interval));
    }
    return intervals->try_at;
}

static struct mt_mono settle(struct mt_instance *self)
{
    struct mt_mono deadline = MT_MONO_NEVER;
    for (struct mt_port *port = self->ports; port < self->ports_end; port++) {
        struct mt_intervals *intervals = intervals_of(port);
        if (intervals == NULL) {
            continue;
        }
        if (!mt_port_is_receiving(port)) {
            end(self, port, intervals);
            continue;
        }
        if (!intervals->is_following ||
            !mt_port_identity_equal(&intervals->parent, &self->parent.sender)) {
            begin(self, port, intervals);
        }
        judge(self, port, intervals);
        deadline = mt_mono_earlier(deadline, ask(self, intervals));
    }
    return deadline;
}

/* ---- what is sent ---------------------------------------------------------------------------- */

static uint8_t wanted(bool keeps, bool is_operational, int8_t log_interval)
{
    int asked = keeps ? KEEP : is_operational ? log_interval : INITIAL;
    return (uint8_t)asked;
}

static bool next_tx(struct mt_instance *self, struct mt_outgoing *out, struct mt_tx *ret_tx)
{
    uint8_t tlv[TLV_SIZE] = {
        0, MT_TLV_ORGANIZATION_EXTENSION, 0, TLV_SIZE - 4, 0x00, 0x80, 0xC2, 0, 0, 2};
    for (struct mt_port *port = self->ports; port < self->ports_end; port++) {
        struct mt_intervals *intervals = intervals_of(port);
        if (intervals == NULL || !intervals->wants_request) {
            continue;
        }
        bool is_operational = intervals->is_operational;
        intervals->wants_request = false;
        mt_profile_begin_signaling(self, port, out);
        tlv[10] = (uint8_t)KEEP; /* the transmitter's own Pdelay_Reqs */
        tlv[11] = wanted(intervals->keeps_sync, is_operational, intervals->log_sync_interval);
        tlv[12] =
            wanted(intervals->keeps_announce, is_operational, intervals->log_announce_interval);
        tlv[13] = BOTH_FLAGS;
        out->message.tlvs = tlv;
        out->message.tlvs_length = sizeof tlv;
        size_t length = mt_ptp_write(&out->message, out->buffer, out->capacity);
        if (length > 0) {
            intervals->requests++;
            *ret_tx = (struct mt_tx){.port = port->identity.port, .length = length};
            return true;
        }
    }
    return false;
}

static bool is_used_by(const struct mt_instance_more *instance, const struct mt_port_more *port)
{
    (void)instance;
    return port != NULL && is_used(port->intervals);
}

const struct mt_extension mt_intervals_extension = {
    .is_used = is_used_by,
    .rx = rx,
    .settle = settle,
    .next_tx = next_tx,
};
