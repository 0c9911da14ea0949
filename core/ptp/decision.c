/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The state decision for all ports at once, between two inputs: that is the whole
 * stop-the-world step of a boundary clock [1588-2019 9.2.3, 9.3.2].
 *
 * First the snapshot: Erbest of each port and Ebest among them.  Then each port's decision,
 * from the snapshot alone.  Only then are data sets and states written, data sets first, since
 * entering a state reads them.
 *
 * Second half: the gate.  A boundary clock serves what its receiving port has; while that is not
 * good enough the other ports wait in PRE_TRANSMITTER.
 */
#include "ptp/ptp_private.h"

static struct mt_ptp_dataset own_dataset(const struct mt_instance *self)
{
    const struct mt_instance_config *config = &self->config;
    struct mt_port_identity identity = {config->identity, 0};
    return (struct mt_ptp_dataset){
        .priority1 = config->priority1,
        .quality = config->quality,
        .priority2 = config->priority2,
        .grandmaster = config->identity,
        .sender = identity,
        .receiver = identity,
    };
}

/* ---- data sets ------------------------------------------------------------------------------ */

static void forget_path(struct mt_instance *self)
{
    if (self->config.path != NULL) {
        self->config.path->count = 0;
    }
}

/* Who is not calibrated yet begins anew when the parent changes its grandmaster: it may serve
 * another time from then on.  Who is calibrated goes on, and its estimator sees a step. */
static bool set_parent(struct mt_instance *self, const struct mt_ptp_dataset *parent,
                       uint16_t receiving_port)
{
    bool is_same = receiving_port == self->receiving_port &&
                   mt_port_identity_equal(&parent->sender, &self->parent.sender) &&
                   (self->clock.is_locked ||
                    mt_clock_identity_equal(&parent->grandmaster, &self->parent.grandmaster));
    self->has_new_parent |= !is_same;
    if (!is_same) {
        self->clock.is_locked = false;
        forget_path(self);
    }
    self->parent = *parent;
    self->receiving_port = receiving_port;
    return is_same;
}

/* A grandmaster that changes behind the same parent makes no event, but it is the one that the
 * next parent is compared with. */
static void set_reference(struct mt_instance *self, const struct mt_foreign *parent,
                          bool is_same_parent)
{
    const uint16_t traceable = MT_PTP_TIME_TRACEABLE | MT_PTP_TIMESCALE;
    const struct mt_clock_identity *grandmaster = &parent->dataset.grandmaster;
    bool is_traceable = (parent->time.flags & traceable) == traceable &&
                        !mt_interval_is_too_large(parent->reference_bound);
    if (!is_same_parent) {
        self->is_same_reference &= mt_clock_identity_equal(grandmaster, &self->last_followed) ||
                                   (is_traceable && self->was_traceable);
    }
    self->last_followed = *grandmaster;
    self->was_traceable = is_traceable;
}

static void set_time_properties(struct mt_instance *self, const struct mt_time_properties *time)
{
    self->has_new_time |= time->utc_offset != self->time.utc_offset ||
                          time->flags != self->time.flags ||
                          time->time_source != self->time.time_source;
    self->time = *time;
}

void mt_instance_become_own_parent(struct mt_instance *self)
{
    struct mt_ptp_dataset own = own_dataset(self);
    (void)set_parent(self, &own, 0);
    set_time_properties(self, &self->config.time);
    self->parent_bound = MT_INTERVAL_TOO_LARGE;
    self->reference_bound = MT_INTERVAL_TOO_LARGE;
    self->bound_since = (struct mt_mono){0};
}

void mt_instance_follow(struct mt_instance *self, struct mt_port *port,
                        const struct mt_foreign *parent)
{
    struct mt_ptp_dataset dataset = parent->dataset;
    dataset.steps_removed++;
    bool is_same_parent = set_parent(self, &dataset, port->identity.port);
    set_reference(self, parent, is_same_parent);
    set_time_properties(self, &parent->time);
    self->parent_bound = parent->bound;
    self->reference_bound = parent->reference_bound;
    /* a grandmaster's bound against itself does not age */
    self->bound_since = parent->dataset.steps_removed != 0 ? parent->heard[0] : (struct mt_mono){0};
}

/* ---- decision -------------------------------------------------------------------------------- */

static bool takes_part(const struct mt_port *port)
{
    return mt_port_is_active(port);
}

static const struct mt_ptp_dataset *dataset_of(const struct mt_foreign *foreign)
{
    return foreign != NULL ? &foreign->dataset : NULL;
}

static const struct mt_foreign *take_snapshot(struct mt_instance *self, struct mt_mono now)
{
    const struct mt_foreign *ebest = NULL;
    for (uint16_t i = 0; i < self->port_count; i++) {
        struct mt_port *port = &self->ports[i];
        bool listens = takes_part(port) && !port->config.is_transmitter_only;
        port->erbest = listens ? mt_foreign_best(port, now) : NULL;
        if (port->erbest != NULL &&
            (ebest == NULL || mt_dataset_is_better(&port->erbest->dataset, &ebest->dataset))) {
            ebest = port->erbest;
        }
    }
    return ebest;
}

static bool is_listening(const struct mt_port *port)
{
    return port->state == MT_STATE_LISTENING && !port->has_listened &&
           !port->config.is_transmitter_only;
}

static bool another_listens(const struct mt_instance *self, const struct mt_port *port)
{
    for (uint16_t i = 0; i < self->port_count; i++) {
        if (&self->ports[i] != port && is_listening(&self->ports[i])) {
            return true;
        }
    }
    return false;
}

static enum mt_decision decide(const struct mt_instance *self, const struct mt_port *port,
                               const struct mt_ptp_dataset *own, const struct mt_foreign *ebest,
                               struct mt_mono now)
{
    enum mt_decision decision =
        mt_bmca_decide(own, dataset_of(ebest), dataset_of(port->erbest), is_listening(port));
    bool is_grandmaster = decision == MT_M1 || decision == MT_M2;
    /* at its start a boundary clock shall not serve its own time, because a worse clock is heard
     * on this port, just before it finds a better one on another */
    if (is_grandmaster && port->state == MT_STATE_LISTENING && another_listens(self, port)) {
        return MT_STAY;
    }
    /* two ports of this clock on one path: the higher yields [9.5.2.3] */
    bool serves = is_grandmaster || decision == MT_M3;
    return serves && port->sibling_until.ns > now.ns ? MT_P2 : decision;
}

static void apply(struct mt_instance *self, struct mt_port *port, enum mt_decision decision,
                  struct mt_mono now)
{
    bool follows = decision == MT_S1 || decision == MT_P1 || decision == MT_P2;
    bool is_another = follows && port->erbest != NULL && !port->erbest->is_best;
    mt_foreign_mark_best(port, follows ? port->erbest : NULL);
    switch (decision) {
    case MT_STAY:
        break;
    case MT_M1:
    case MT_M2:
        mt_port_event(self, port, MT_PE_RS_GRANDMASTER, now);
        break;
    case MT_M3:
        mt_port_event(self, port, MT_PE_RS_TRANSMITTER, now);
        break;
    case MT_S1:
        mt_port_event(self, port, self->has_new_parent ? MT_PE_RS_NEW_PARENT : MT_PE_RS_RECEIVER,
                      now);
        break;
    case MT_P1:
    case MT_P2:
        mt_port_event(self, port, MT_PE_RS_PASSIVE, now);
        break;
    }
    if (is_another) { /* what is left of the timeout was for the one before */
        mt_port_await_announce(self, port, now);
    }
}

/* Forgets what was half known of the old parent. */
static void begin_with_parent(struct mt_instance *self, struct mt_port *port, struct mt_mono now)
{
    mt_port_forget_exchanges(port);
    self->config.features->delay->start(self, port, now);
}

void mt_instance_decide(struct mt_instance *self, struct mt_mono now)
{
    self->needs_decision = false;
    const struct mt_ptp_dataset d0 = own_dataset(self);
    const struct mt_ptp_dataset *own = self->config.is_receiver_only ? NULL : &d0;
    const struct mt_foreign *ebest = take_snapshot(self, now);
    enum mt_decision decisions[MT_INSTANCE_PORTS_MAX];
    struct mt_port *receiving = NULL;
    for (uint16_t i = 0; i < self->port_count; i++) {
        struct mt_port *port = &self->ports[i];
        decisions[i] = takes_part(port) ? decide(self, port, own, ebest, now) : MT_STAY;
        receiving = decisions[i] == MT_S1 ? port : receiving;
    }
    bool had_news = self->has_new_parent;
    self->has_new_parent = false;
    if (receiving != NULL) {
        mt_instance_follow(self, receiving, receiving->erbest);
    } else {
        mt_instance_become_own_parent(self);
    }
    for (uint16_t i = 0; i < self->port_count; i++) {
        apply(self, &self->ports[i], decisions[i], now);
    }
    if (receiving != NULL && self->has_new_parent) {
        begin_with_parent(self, receiving, now);
    }
    self->has_new_parent |= had_news;
}

/* ---- the gate -------------------------------------------------------------------------------- */

bool mt_instance_has_time(const struct mt_instance *self)
{
    if (self->receiving_port == 0 || self->config.serves_uncertain) {
        return true;
    }
    const struct mt_port *port = &self->ports[self->receiving_port - 1];
    const struct mt_clock_condition *clock = &self->clock;
    bool is_good = clock->has_bound && clock->bound.q16 >= 0 &&
                   clock->bound.q16 <= self->config.serve_bound.q16;
    return port->state == MT_STATE_RECEIVER || (self->was_calibrated && is_good);
}

void mt_instance_gate(struct mt_instance *self, struct mt_mono now)
{
    bool has_time = mt_instance_has_time(self);
    for (uint16_t i = 0; i < self->port_count; i++) {
        struct mt_port *port = &self->ports[i];
        if (!has_time) {
            mt_port_event(self, port, MT_PE_TIME_LOST, now);
        } else if (port->is_qualified) {
            mt_port_event(self, port, MT_PE_QUALIFIED, now);
        }
    }
}
