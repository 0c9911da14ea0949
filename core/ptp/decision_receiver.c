/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The state decision of a clock with one port that only receives.  It follows the best transmitter
 * that it hears and waits while there is none; nothing is compared with its own data set, and there
 * is no other port to look at.  The outcome is that of decision.c.
 */
#include "ptp/ptp_private.h"

static void wait(struct mt_instance *self, struct mt_port *port)
{
    struct mt_foreign own;
    mt_describe_own(self, &own);
    (void)mt_take_parent(self, &own, 0);
    mt_port_event(self, port, MT_PE_RS_GRANDMASTER); /* the table leads to LISTENING */
}

void mt_decide_receiver(struct mt_instance *self)
{
    struct mt_port *port = self->ports;
    struct mt_foreign *old = port->best;
    struct mt_foreign *best = mt_port_is_active(port) ? mt_foreign_best(self, port) : NULL;
    self->needs_decision = false;
    if (best == NULL) {
        wait(self, port);
        return;
    }
    bool is_new = mt_take_parent(self, best, port->identity.port);
    port->best = best;
    mt_port_event(self, port, is_new ? MT_PE_RS_NEW_PARENT : MT_PE_RS_RECEIVER);
    if (best != old) { /* the rest of the timeout was for that one */
        mt_port_await_announce(self, port);
    }
    if (is_new) { /* what is half known is of the old one */
        mt_port_forget_exchanges(port);
        self->config.features->delay->start(self, port);
    }
}
