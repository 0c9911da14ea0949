/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What the extensions for profiles share.
 */
#ifndef MEANTIME_PROFILE_PRIVATE_H
#define MEANTIME_PROFILE_PRIVATE_H

#include "meantime/ptp_more.h"
#include "ptp/ptp_private.h"

/** Null: none. */
static inline struct mt_profile *mt_profile_of(const struct mt_instance *self)
{
    return self->config.more != NULL ? self->config.more->profile : NULL;
}

/** Null: none. */
static inline struct mt_port_profile *mt_port_profile_of(const struct mt_port *port)
{
    return port->config.more != NULL ? port->config.more->profile : NULL;
}

/** Another clock's message of the instance's own domain. */
static inline bool mt_profile_concerns(const struct mt_instance *self, const struct mt_port *port,
                                       const struct mt_ptp_header *header)
{
    return mt_port_is_active(port) && header->domain == self->config.domain &&
           header->sdo_id == self->config.sdo_id &&
           !mt_clock_identity_equal(&header->source.clock, &self->config.identity);
}

/** The transmitter that the port follows has failed: the announce receipt timeout is over. */
static inline void mt_port_give_up(struct mt_instance *self, struct mt_port *port)
{
    port->timers[MT_TIMER_ANNOUNCE_RECEIPT] = self->now;
    self->has_moved_timers = true;
}

#endif
