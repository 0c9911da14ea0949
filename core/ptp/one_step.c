/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * One-step Sync: on a link that can write the time of departure into a frame, a port's Sync carries
 * its own time, so there is no timestamp to wait for and no Follow_Up.  The exchange that the
 * transmitter has begun, or the grantor for one of its clients, is taken back: only a token of
 * their own is known there, so Syncs of others are left alone.  A signed message cannot be written
 * into.  In 802.1AS a Follow_Up tells what the hardware does not know, so there it is always sent.
 */
#include "ptp/profile_private.h"
#include "wire/fields.h"

#define FLAGS_OCTET 6
#define TWO_STEP    0x02 /* in that octet */
#define CORRECTION  8

static bool sends_one_step(const struct mt_instance *self, const struct mt_port *port)
{
    const struct mt_port_more *more = port->config.more;
    const struct mt_profile *profile = mt_profile_of(self);
    return more != NULL && more->sends_one_step && more->security.spp == MT_SECURITY_OFF &&
           !more->security.is_delayed && (profile == NULL || !profile->is_gptp);
}

static bool take_back(struct mt_instance *self, struct mt_port *port, uint32_t token)
{
    const struct mt_transmitter_part *transmitter = self->config.features->transmitter;
    return transmitter != NULL && (transmitter->tx_done(port, token, NULL) ||
                                   (port->config.more->grantor != NULL &&
                                    mt_grantor_extension.tx_done(self, port, token, NULL)));
}

static void finish(struct mt_instance *self, struct mt_outgoing *out, struct mt_tx *ret_tx)
{
    struct mt_port *port = ret_tx->port != 0 ? &self->ports[ret_tx->port - 1] : NULL;
    if (port == NULL || out->is_forwarded || out->message.header.type != MT_PTP_SYNC ||
        !sends_one_step(self, port) || !take_back(self, port, ret_tx->token)) {
        return;
    }
    uint64_t latency = (uint64_t)port->config.egress_latency.q16;
    out->buffer[FLAGS_OCTET] &= (uint8_t)~TWO_STEP;
    for (unsigned i = 0; i < 8; i++) { /* the hardware adds its fraction of a nanosecond */
        out->buffer[CORRECTION + i] = (uint8_t)(latency >> (56 - 8 * i));
    }
    ret_tx->insertion = MT_INSERT_ORIGIN;
    ret_tx->token = 0;
}

static bool is_used(const struct mt_instance_more *instance, const struct mt_port_more *port)
{
    (void)instance;
    return port->sends_one_step;
}

const struct mt_extension mt_one_step_extension = {.finish = finish, .is_used = is_used};
