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

/** Begins a Signaling message to all ports of the link; the port has `more`. */
static inline void mt_profile_begin_signaling(const struct mt_instance *self,
                                              const struct mt_port *port, struct mt_outgoing *out)
{
    struct mt_ptp_header *header = &out->message.header;
    memset(&out->message, 0, sizeof out->message);
    header->type = MT_PTP_SIGNALING;
    header->sdo_id = self->config.sdo_id;
    header->minor_version = self->config.minor_version;
    header->domain = self->config.domain;
    header->source = port->identity;
    header->sequence = port->config.more->signaling_sequence++;
    header->log_interval = MT_PTP_LOG_INTERVAL_NONE;
    memset(&out->message.body.target.clock, 0xFF, sizeof out->message.body.target.clock);
    out->message.body.target.port = UINT16_MAX;
}

#endif
