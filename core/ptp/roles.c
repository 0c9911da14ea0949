/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Whom a port follows where that is not left to the best transmitter clock algorithm alone.
 *
 * A role that is given [1588-2019 17.6] takes the place of the decision, not of the comparison: the
 * data sets still come from the Announces that the receiving port hears.  Where there are none, as
 * in cars, whoever sends Sync is taken for a grandmaster of whom nothing is known; its record is
 * made here and lives on its Syncs.  A receiving port that hears nobody starts over in LISTENING.
 *
 * Refused before anything else sees them are Announces of a clockClass that is too bad, and those
 * of a transmitter whose Sync has failed, until the time to wait for it has passed: otherwise it
 * would be chosen again at once, for its Announces have not failed.  The sync receipt timeout ends
 * as the announce receipt timeout does, through the same timer.
 */
#include "ptp/profile_private.h"

void mt_profile_init(struct mt_profile *self)
{
    memset(self, 0, sizeof *self);
    self->max_clock_class = UINT8_MAX;
}

void mt_port_profile_init(struct mt_port_profile *self)
{
    memset(self, 0, sizeof *self);
    self->sync_heard = MT_MONO_NEVER;
}

static enum mt_port_role role_of(const struct mt_port *port)
{
    const struct mt_port_profile *profile = mt_port_profile_of(port);
    return profile != NULL ? profile->role : MT_PORT_ROLE_AUTO;
}

/* ---- decisions ------------------------------------------------------------------------------- */

static const struct mt_port *receiver_of(const struct mt_instance *self)
{
    for (const struct mt_port *port = self->ports; port < self->ports_end; port++) {
        if (role_of(port) == MT_PORT_ROLE_RECEIVER && port->erbest != NULL) {
            return port;
        }
    }
    return NULL;
}

static enum mt_decision decide(const struct mt_instance *self, const struct mt_port *port,
                               enum mt_decision decision)
{
    const struct mt_port *receiver = receiver_of(self);
    switch (role_of(port)) {
    case MT_PORT_ROLE_AUTO:
        decision = mt_boundary.decide(self, port, decision);
        return decision == MT_S1 && receiver != NULL ? MT_P2 : decision;
    case MT_PORT_ROLE_TRANSMITTER:
        return mt_boundary.decide(self, port, receiver != NULL ? MT_M3 : MT_M2);
    case MT_PORT_ROLE_RECEIVER:
        return port->erbest == NULL ? MT_STAY : port == receiver ? MT_S1 : MT_P2;
    case MT_PORT_ROLE_PASSIVE:
        break;
    }
    return MT_P2;
}

static void hear(struct mt_instance *self, struct mt_port *port, const struct mt_ptp_header *header)
{
    mt_boundary.hear(self, port, header);
}

static void gate(struct mt_instance *self)
{
    mt_boundary.gate(self);
}

const struct mt_boundary_part mt_boundary_roles = {hear, decide, gate};

/* ---- who sends Sync without Announce --------------------------------------------------------- */

static void describe_sender(const struct mt_instance *self, const struct mt_port *port,
                            const struct mt_ptp_header *sync, struct mt_foreign *ret_foreign)
{
    struct mt_ptp_dataset *dataset = &ret_foreign->dataset;
    memset(ret_foreign, 0, sizeof *ret_foreign);
    ret_foreign->is_used = true;
    ret_foreign->log_announce_interval = port->config.log_announce_interval;
    ret_foreign->time.flags = self->config.sdo_id >> 8 == 1 ? MT_PTP_TIMESCALE : 0;
    dataset->priority1 = UINT8_MAX;
    dataset->quality = (struct mt_clock_quality){248, 0xFE, 0xFFFF};
    dataset->priority2 = UINT8_MAX;
    dataset->local_priority = port->config.local_priority;
    dataset->grandmaster = sync->source.clock;
    dataset->sender = sync->source;
    dataset->receiver = port->identity;
    ret_foreign->reference_bound = MT_INTERVAL_TOO_LARGE;
}

/* The record of a transmitter that nothing but its Syncs tell of. */
static void hear_sync(struct mt_instance *self, struct mt_port *port,
                      const struct mt_ptp_header *sync)
{
    bool is_new = port->best == NULL;
    struct mt_foreign *foreign = is_new ? &port->foreign[0] : port->best;
    if (is_new) {
        describe_sender(self, port, sync, foreign);
        self->needs_decision = true;
    } else if (!mt_port_identity_equal(&foreign->dataset.sender, &sync->source)) {
        return;
    }
    for (unsigned i = 0; i < MT_FOREIGN_THRESHOLD; i++) {
        foreign->heard[i].ns = self->now.ns != 0 ? self->now.ns : 1;
    }
    mt_port_await_announce(self, port);
}

/* ---- who is not followed --------------------------------------------------------------------- */

static bool is_barred(const struct mt_instance *self, const struct mt_profile *profile,
                      const struct mt_port_identity *sender)
{
    for (unsigned i = 0; i < MT_PROFILE_BARRED_MAX; i++) {
        const struct mt_barred *barred = &profile->barred[i];
        if (barred->until.ns > self->now.ns && mt_port_identity_equal(&barred->sender, sender)) {
            return true;
        }
    }
    return false;
}

static void bar(struct mt_instance *self, struct mt_profile *profile,
                const struct mt_port_identity *sender, bool for_sync)
{
    struct mt_barred *place = profile->barred;
    if (profile->wait_to_restore_ns == 0) {
        return;
    }
    for (struct mt_barred *barred = profile->barred;
         barred < profile->barred + MT_PROFILE_BARRED_MAX; barred++) {
        if (mt_port_identity_equal(&barred->sender, sender)) {
            place = barred;
            break;
        }
        if (barred->until.ns < place->until.ns) {
            place = barred;
        }
    }
    /* to give it up for want of Sync looks like the announce receipt timeout a moment later */
    place->for_sync = for_sync || (place->for_sync && place->until.ns > self->now.ns &&
                                   mt_port_identity_equal(&place->sender, sender));
    place->sender = *sender;
    place->until = mt_mono_plus(self->now, profile->wait_to_restore_ns);
}

static bool is_refused(const struct mt_instance *self, const struct mt_profile *profile,
                       const struct mt_ptp_message *announce)
{
    return announce->body.announce.quality.clock_class > profile->max_clock_class ||
           is_barred(self, profile, &announce->header.source);
}

/* ---- the extension --------------------------------------------------------------------------- */

static bool is_time(enum mt_ptp_type type)
{
    return type == MT_PTP_SYNC || type == MT_PTP_FOLLOW_UP || type == MT_PTP_DELAY_RESP;
}

static void hear_time(struct mt_instance *self, struct mt_port *port,
                      struct mt_port_profile *profile, struct mt_ptp_header *header)
{
    bool is_fixed = profile->role == MT_PORT_ROLE_RECEIVER;
    if (is_fixed && profile->ignores_source && port->best != NULL) {
        header->source = port->best->dataset.sender;
    }
    if (is_fixed && profile->inhibits_announce && header->type == MT_PTP_SYNC) {
        hear_sync(self, port, header);
    }
    if (header->type == MT_PTP_SYNC && mt_is_parent(self, &header->source)) {
        profile->log_sync_interval = header->log_interval;
    }
}

static bool rx(struct mt_instance *self, struct mt_port *port, struct mt_incoming *in,
               enum mt_verdict *ret_verdict)
{
    const struct mt_profile *profile = mt_profile_of(self);
    struct mt_port_profile *of_port = mt_port_profile_of(port);
    struct mt_ptp_header *header = &in->message.header;
    if (!mt_profile_concerns(self, port, header)) {
        return false;
    }
    if (of_port != NULL && is_time(header->type)) {
        hear_time(self, port, of_port, header);
    }
    if (profile == NULL || header->type != MT_PTP_ANNOUNCE ||
        !is_refused(self, profile, &in->message)) {
        return false;
    }
    *ret_verdict = MT_VERDICT_NOT_ACCEPTABLE;
    return true;
}

static int64_t sync_timeout_ns(const struct mt_port *port, const struct mt_port_profile *profile)
{
    int8_t log_interval = mt_log_interval_is_allowed(profile->log_sync_interval)
                              ? profile->log_sync_interval
                              : port->config.log_sync_interval;
    return mt_log2s_to_ns(log_interval) * profile->sync_receipt_timeout;
}

static void note_sync(struct mt_instance *self, struct mt_port *port,
                      struct mt_port_profile *profile)
{
    const struct mt_sync_half *done = &port->sync.done;
    bool is_new = !profile->is_following || profile->has_pair != done->is_there ||
                  (done->is_there && profile->pair != done->sequence);
    if (!profile->is_following) {
        profile->log_sync_interval = MT_PTP_LOG_INTERVAL_NONE;
    }
    profile->is_following = true;
    profile->has_pair = done->is_there;
    profile->pair = done->sequence;
    if (is_new) {
        profile->sync_heard = self->now;
    }
}

/* When the port's transmitter will have failed for want of Sync; what is due is done. */
static struct mt_mono watch_sync(struct mt_instance *self, struct mt_port *port,
                                 struct mt_port_profile *profile)
{
    if (profile->sync_receipt_timeout == 0 || !mt_port_is_receiving(port) || port->best == NULL) {
        profile->is_following = false;
        return MT_MONO_NEVER;
    }
    note_sync(self, port, profile);
    struct mt_mono due = mt_mono_plus(profile->sync_heard, sync_timeout_ns(port, profile));
    if (due.ns > self->now.ns) {
        return due;
    }
    struct mt_profile *of_all = mt_profile_of(self);
    if (of_all != NULL) {
        bar(self, of_all, &port->best->dataset.sender, true);
    }
    profile->sync_timeouts++;
    profile->is_following = false;
    mt_port_give_up(self, port);
    return MT_MONO_NEVER;
}

/* A fixed receiver that follows nobody any more starts over. */
static void start_over(struct mt_instance *self, struct mt_port *port)
{
    if (mt_port_is_receiving(port) && port->best == NULL) {
        mt_port_event(self, port, MT_PE_FAULT_DETECTED);
        mt_port_refresh(self, port);
    }
}

/* PTSF-lossAnnounce: whoever was followed has fallen silent. */
static void watch_announce(struct mt_instance *self, struct mt_port *port,
                           struct mt_port_profile *profile)
{
    struct mt_profile *of_all = mt_profile_of(self);
    uint64_t timeouts = port->counters[MT_COUNT_ANNOUNCE_TIMEOUT];
    if (of_all != NULL && timeouts != profile->announce_timeouts && profile->followed.port != 0) {
        bar(self, of_all, &profile->followed, false);
    }
    profile->announce_timeouts = timeouts;
    profile->followed.port = 0;
    if (mt_port_is_receiving(port) && port->best != NULL) {
        profile->followed = port->best->dataset.sender;
    }
}

static struct mt_mono settle(struct mt_instance *self)
{
    struct mt_mono deadline = MT_MONO_NEVER;
    for (struct mt_port *port = self->ports; port < self->ports_end; port++) {
        struct mt_port_profile *profile = mt_port_profile_of(port);
        if (profile == NULL) {
            continue;
        }
        if (profile->inhibits_announce) {
            port->pending &= (uint8_t) ~(1u << MT_FRAME_ANNOUNCE);
        }
        if (profile->role == MT_PORT_ROLE_RECEIVER) {
            start_over(self, port);
        }
        watch_announce(self, port, profile);
        deadline = mt_mono_earlier(deadline, watch_sync(self, port, profile));
    }
    return deadline;
}

static bool is_used(const struct mt_instance_more *instance, const struct mt_port_more *port)
{
    const struct mt_port_profile *profile = port->profile;
    return (instance->profile != NULL && (instance->profile->max_clock_class < UINT8_MAX ||
                                          instance->profile->wait_to_restore_ns > 0)) ||
           (profile != NULL && (profile->role != MT_PORT_ROLE_AUTO || profile->inhibits_announce ||
                                profile->sync_receipt_timeout > 0));
}

const struct mt_extension mt_roles_extension = {
    .rx = rx,
    .settle = settle,
    .is_used = is_used,
};
