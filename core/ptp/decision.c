/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The state decision for all ports at once, between two inputs: that is the whole stop-the-world
 * step of a boundary clock [1588-2019 9.2.3, 9.3.2].
 *
 * First the snapshot: Erbest of each port and Ebest among them.  Then each port's decision, from
 * the snapshot alone.  Only then are data sets and states written, data sets first, since entering
 * a state reads them.
 */
#include "ptp/ptp_private.h"

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

void mt_decide(struct mt_instance *self)
{
    struct mt_foreign own;
    struct mt_port *receiving = NULL;
    const struct mt_foreign *ebest = take_snapshot(self);
    self->needs_decision = false;
    mt_describe_own(self, &own);
    for (struct mt_port *port = self->ports; port < self->ports_end; port++) {
        enum mt_decision decision =
            decide(self, port, self->config.is_receiver_only ? NULL : &own.dataset, ebest);
        port->decision = (uint8_t)decision;
        receiving = decision == MT_S1 ? port : receiving;
    }
    bool is_new = receiving != NULL
                      ? mt_take_parent(self, receiving->erbest, receiving->identity.port)
                      : mt_take_parent(self, &own, 0);
    for (struct mt_port *port = self->ports; port < self->ports_end; port++) {
        apply(self, port, is_new);
    }
    if (receiving != NULL && is_new) { /* what is half known is of the old one */
        mt_port_forget_exchanges(receiving);
        self->config.features->delay->start(self, receiving);
    }
}
