/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Messages by type, for PORT_STATS_NP, and what management may say in an Announce.  Its extension
 * comes next to security, so it sees what others deal with, and changes nothing that is signed.
 */
#include "ptp/management_private.h"

#define FLAGS_AT 7 /* octet of the flags that tell about time */

static bool rx(struct mt_instance *self, struct mt_port *port, struct mt_incoming *in,
               enum mt_verdict *ret_verdict)
{
    struct mt_management *management = mt_management_of(self);
    if (management != NULL) {
        mt_count(&management->ports[port - self->ports].received[in->message.header.type & 0xF]);
    }
    return false;
}

/* SYNCHRONIZATION_UNCERTAIN_NP: somebody knows better than this clock. */
static void set_uncertainty(const struct mt_management *management, uint8_t *flags)
{
    if (management->uncertainty == 1) {
        *flags = (uint8_t)(*flags | MT_PTP_UNCERTAIN);
    } else if (management->uncertainty == 0) {
        *flags = (uint8_t)(*flags & ~MT_PTP_UNCERTAIN);
    }
}

static void finish(struct mt_instance *self, struct mt_outgoing *out, struct mt_tx *ret_tx)
{
    struct mt_management *management = mt_management_of(self);
    if (management == NULL || ret_tx->port == 0) {
        return;
    }
    mt_count(&management->ports[ret_tx->port - 1].sent[out->buffer[0] & 0xF]);
    if (out->message.header.type == MT_PTP_ANNOUNCE && !out->is_forwarded) {
        set_uncertainty(management, &out->buffer[FLAGS_AT]);
    }
}

static bool is_used(const struct mt_instance_more *instance, const struct mt_port_more *port)
{
    (void)port;
    return instance->management != NULL;
}

const struct mt_extension mt_message_counts = {.rx = rx, .finish = finish, .is_used = is_used};
