/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The state decision for all ports at once, between two inputs: that is the whole stop-the-world
 * step of a boundary clock [1588-2019 9.2.3, 9.3.2].
 *
 * First the snapshot: Erbest of each port and Ebest among them.  Then each port's decision, from
 * the snapshot alone.  Only then are data sets and states written, data sets first, since entering
 * a state reads them.
 *
 * The data sets are taken from the parent's record.  A clock that follows nobody describes itself
 * in such a record, too.
 */
#include "ptp/ptp_private.h"

static void describe_own(const struct mt_instance *self, struct mt_foreign *ret_own)
{
    const struct mt_instance_config *config = &self->config;
    struct mt_ptp_dataset *dataset = &ret_own->dataset;
    memset(ret_own, 0, sizeof *ret_own);
    dataset->priority1 = config->priority1;
    dataset->quality = config->quality;
    dataset->priority2 = config->priority2;
    dataset->local_priority = config->local_priority;
    dataset->grandmaster = config->identity;
    dataset->sender.clock = config->identity;
    dataset->receiver.clock = config->identity;
    ret_own->time = config->time;
    if (self->clock.shows == MT_CLOCK_SHOWS_PTP) {
        ret_own->time.flags |= MT_PTP_TIMESCALE;
    } else if (self->clock.shows == MT_CLOCK_SHOWS_ARBITRARY) {
        ret_own->time.flags &= MT_PTP_FREQUENCY_TRACEABLE;
    }
    ret_own->bound = MT_INTERVAL_TOO_LARGE;
    ret_own->reference_bound = MT_INTERVAL_TOO_LARGE;
}

/* ---- data sets ------------------------------------------------------------------------------- */

/* Who is not calibrated yet begins anew when the parent changes its grandmaster: it may serve
 * another time from then on.  Who is calibrated goes on, and its estimator sees a step. */
static bool is_another_parent(const struct mt_instance *self, const struct mt_ptp_dataset *parent,
                              uint16_t receiving_port)
{
    return receiving_port != self->receiving_port ||
           !mt_port_identity_equal(&parent->sender, &self->parent.sender) ||
           (!self->clock.is_locked &&
            !mt_clock_identity_equal(&parent->grandmaster, &self->parent.grandmaster));
}

static void begin_with_parent(struct mt_instance *self)
{
    const struct mt_path_part *path_trace = self->config.features->path_trace;
    self->has_new_parent = true;
    self->clock.is_locked = false;
    if (path_trace != NULL) {
        path_trace->follow(self, NULL);
    }
}

/* From one traceable grandmaster to another: through TAI, to which both have their own error. */
static void keep_bound_to_tai(struct mt_instance *self, const struct mt_foreign *parent)
{
    struct mt_interval to_tai = mt_interval_plus(self->clock.bound, self->reference_bound);
    self->clock.bound = mt_interval_plus(to_tai, parent->reference_bound);
    if (mt_interval_is_too_large(self->clock.bound)) {
        self->clock.has_bound = false;
    }
}

/* What is known of the clock's error is against one grandmaster; against another that is traceable
 * as well it still says something, but only whoever steers the clock can tell how much. */
static void set_reference(struct mt_instance *self, const struct mt_foreign *parent, bool is_new)
{
    const uint16_t traceable = MT_PTP_TIME_TRACEABLE | MT_PTP_TIMESCALE;
    const struct mt_clock_identity *grandmaster = &parent->dataset.grandmaster;
    bool is_traceable = (parent->time.flags & traceable) == traceable &&
                        !mt_interval_is_too_large(parent->reference_bound);
    if (!mt_clock_identity_equal(grandmaster, &self->last_followed)) {
        self->is_same_grandmaster = false;
        if (is_new && is_traceable && self->was_traceable) {
            keep_bound_to_tai(self, parent);
        } else {
            self->has_new_reference = !is_new;
            self->is_same_reference = false;
            self->clock.has_bound = false;
        }
    }
    self->last_followed = *grandmaster;
    self->was_traceable = is_traceable;
}

static void set_time_properties(struct mt_instance *self, const struct mt_time_properties *time)
{
    if (time->utc_offset != self->time.utc_offset || time->flags != self->time.flags ||
        time->time_source != self->time.time_source) {
        self->has_new_time = true;
    }
    self->time = *time;
}

/* Takes what the parent's Announce says into the data sets; receiving_port 0: it is this clock.
 * True for a new parent. */
static bool take(struct mt_instance *self, const struct mt_foreign *parent, uint16_t receiving_port)
{
    bool is_new = is_another_parent(self, &parent->dataset, receiving_port);
    if (is_new) {
        begin_with_parent(self);
    }
    self->bound_since.ns = 0;
    self->parent = parent->dataset;
    if (receiving_port != 0) {
        set_reference(self, parent, is_new);
        self->parent.steps_removed++;
    }
    if (parent->dataset.steps_removed != 0) { /* a grandmaster's bound does not age */
        self->bound_since = parent->heard[0];
    }
    self->receiving_port = receiving_port;
    self->parent_bound = parent->bound;
    self->reference_bound = parent->reference_bound;
    set_time_properties(self, &parent->time);
    return is_new;
}

/* ---- decision -------------------------------------------------------------------------------- */

static const struct mt_ptp_dataset *dataset_of(const struct mt_foreign *foreign)
{
    return foreign != NULL ? &foreign->dataset : NULL;
}

static const struct mt_foreign *take_snapshot(struct mt_instance *self)
{
    const struct mt_foreign *ebest = NULL;
    for (struct mt_port *port = self->ports; port < self->ports_end; port++) {
        port->erbest = NULL;
        if (mt_port_is_active(port) && !port->config.is_transmitter_only) {
            port->erbest = mt_foreign_best(self, port);
        }
        if (port->erbest != NULL &&
            (ebest == NULL || mt_instance_prefers(self, &port->erbest->dataset, &ebest->dataset))) {
            ebest = port->erbest;
        }
    }
    return ebest;
}

bool mt_port_is_listening(const struct mt_port *port)
{
    return port->state == MT_STATE_LISTENING && !port->has_listened &&
           !port->config.is_transmitter_only;
}

static enum mt_decision decide(const struct mt_instance *self, const struct mt_port *port,
                               const struct mt_ptp_dataset *own, const struct mt_foreign *ebest)
{
    const struct mt_boundary_part *boundary = self->config.features->boundary;
    if (!mt_port_is_active(port)) {
        return MT_STAY;
    }
    enum mt_decision decision =
        mt_bmca_decide(self->config.features->compare, own, dataset_of(ebest),
                       dataset_of(port->erbest), mt_port_is_listening(port));
    return boundary != NULL ? boundary->decide(self, port, decision) : decision;
}

static void apply(struct mt_instance *self, struct mt_port *port, bool has_new_parent)
{
    static const uint8_t events[] = {
        [MT_STAY] = MT_PE_COUNT,        [MT_M1] = MT_PE_RS_GRANDMASTER,
        [MT_M2] = MT_PE_RS_GRANDMASTER, [MT_M3] = MT_PE_RS_TRANSMITTER,
        [MT_S1] = MT_PE_RS_RECEIVER,    [MT_P1] = MT_PE_RS_PASSIVE,
        [MT_P2] = MT_PE_RS_PASSIVE,
    };
    unsigned event = events[port->decision];
    struct mt_foreign *old = port->best;
    port->best = port->decision >= MT_S1 ? port->erbest : NULL; /* follows or yields */
    if (port->decision == MT_S1 && has_new_parent) {
        event = MT_PE_RS_NEW_PARENT;
    }
    if (event != MT_PE_COUNT) {
        mt_port_event(self, port, (enum mt_port_event)event);
    }
    if (port->best != NULL && port->best != old) { /* the rest of the timeout was for that one */
        mt_port_await_announce(self, port);
    }
}

void mt_instance_decide(struct mt_instance *self)
{
    struct mt_foreign own;
    struct mt_port *receiving = NULL;
    const struct mt_foreign *ebest = take_snapshot(self);
    self->needs_decision = false;
    describe_own(self, &own);
    for (struct mt_port *port = self->ports; port < self->ports_end; port++) {
        enum mt_decision decision =
            decide(self, port, self->config.is_receiver_only ? NULL : &own.dataset, ebest);
        port->decision = (uint8_t)decision;
        receiving = decision == MT_S1 ? port : receiving;
    }
    bool is_new = receiving != NULL ? take(self, receiving->erbest, receiving->identity.port)
                                    : take(self, &own, 0);
    for (struct mt_port *port = self->ports; port < self->ports_end; port++) {
        apply(self, port, is_new);
    }
    if (receiving != NULL && is_new) { /* what is half known is of the old one */
        mt_port_forget_exchanges(receiving);
        self->config.features->delay->start(self, receiving);
    }
}
