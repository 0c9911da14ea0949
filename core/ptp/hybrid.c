/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Hybrid end-to-end: Announce and Sync come by multicast, Delay_Req goes to the parent alone, and
 * its answer comes back to this port alone.
 *
 * The parent's address is the one that its Announces and Syncs come from.  As long as it is not
 * known, requests go to the multicast address as usual.
 */
#include "meantime/ptp_more.h"
#include "ptp/unicast_private.h"

static struct mt_hybrid *hybrid_of(const struct mt_port *port)
{
    return port->config.more != NULL ? port->config.more->hybrid : NULL;
}

static bool rx(struct mt_instance *self, struct mt_port *port, struct mt_incoming *in,
               enum mt_verdict *ret_verdict)
{
    struct mt_hybrid *hybrid = hybrid_of(port);
    const struct mt_ptp_header *header = &in->message.header;
    (void)ret_verdict;
    if (hybrid != NULL && (header->type == MT_PTP_ANNOUNCE || header->type == MT_PTP_SYNC) &&
        mt_port_is_receiving(port) && mt_unicast_concerns(self, port, in) &&
        mt_is_parent(self, &header->source)) {
        hybrid->is_known = true;
        hybrid->parent = header->source;
        hybrid->address = *in->from;
    }
    return false;
}

static void finish(struct mt_instance *self, struct mt_outgoing *out, struct mt_tx *ret_tx)
{
    const struct mt_hybrid *hybrid =
        ret_tx->port != 0 ? hybrid_of(&self->ports[ret_tx->port - 1]) : NULL;
    if (hybrid != NULL && hybrid->is_known && mt_is_parent(self, &hybrid->parent)) {
        mt_unicast_redirect(out, ret_tx, &hybrid->address);
    }
}

static bool is_used(const struct mt_instance_more *instance, const struct mt_port_more *port)
{
    (void)instance;
    return port->hybrid != NULL;
}

const struct mt_extension mt_hybrid_extension = {.rx = rx, .finish = finish, .is_used = is_used};
