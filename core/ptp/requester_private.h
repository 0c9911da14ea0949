/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The requester's two halves: what it hears (requester_rx.c) and what it asks for (requester.c).
 */
#ifndef MEANTIME_REQUESTER_PRIVATE_H
#define MEANTIME_REQUESTER_PRIVATE_H

#include "meantime/ptp_more.h"
#include "meantime/ptp_peer.h"
#include "ptp/unicast_private.h"

static inline struct mt_requester *mt_requester_of(const struct mt_port *port)
{
    return port->config.more != NULL ? port->config.more->requester : NULL;
}

/** After an answer that was none, or another reason to wait: when to try again. */
void mt_requester_back_off(struct mt_instance *self, const struct mt_requester *requester,
                           struct mt_unicast_service *service);
/** The transmitter does not serve: it is left at once, and not listened to for a while. */
void mt_requester_hold(struct mt_instance *self, struct mt_port *port,
                       struct mt_unicast_transmitter *transmitter);

/** Nothing more is wanted of it, and its Announces are forgotten. */
void mt_requester_leave(struct mt_instance *self, struct mt_port *port,
                        struct mt_unicast_transmitter *transmitter);

bool mt_requester_rx(struct mt_instance *self, struct mt_port *port, struct mt_incoming *in,
                     enum mt_verdict *ret_verdict);

#endif
