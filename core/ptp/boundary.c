/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What a clock of several ports needs beyond an ordinary one.
 *
 * Siblings: a port that hears a lower port of its own clock is on the same path, and yields to it
 * [1588-2019 9.5.2.3].  At the start no port serves before the others have listened.  And the gate:
 * a boundary clock serves what its receiving port has; while that is not good enough the other
 * ports wait in PRE_TRANSMITTER.
 */
#include "ptp/ptp_private.h"

/* ---- siblings -------------------------------------------------------------------------------- */

/* What claims to be of a port that does not transmit, or not to be its newest, is not ours. */
static void hear(struct mt_instance *self, struct mt_port *port, const struct mt_ptp_header *header)
{
    uint16_t number = header->source.port;
    if (!mt_clock_identity_equal(&header->source.clock, &self->config.identity) ||
        header->domain != self->config.domain || header->sdo_id != self->config.sdo_id ||
        !mt_port_is_active(port) || header->type != MT_PTP_ANNOUNCE || number == 0 ||
        number >= port->identity.port) {
        return;
    }
    const struct mt_port *sibling = &self->ports[number - 1];
    uint16_t age = (uint16_t)(sibling->transmission.announce_sequence - header->sequence);
    if (sibling->state != MT_STATE_TRANSMITTER || age != 1) {
        return;
    }
    int64_t interval_ns = mt_log2s_to_ns(sibling->config.log_announce_interval);
    self->needs_decision |= port->timers[MT_TIMER_SIBLING].ns == MT_MONO_NEVER.ns;
    mt_timer_arm(self, port, MT_TIMER_SIBLING,
                 interval_ns * (port->config.announce_receipt_timeout + 1));
}

static bool has_sibling(const struct mt_instance *self, const struct mt_port *port)
{
    struct mt_mono until = port->timers[MT_TIMER_SIBLING];
    return until.ns != MT_MONO_NEVER.ns && until.ns > self->now.ns;
}

/* ---- decisions ------------------------------------------------------------------------------- */

static bool another_listens(const struct mt_instance *self, const struct mt_port *port)
{
    for (const struct mt_port *other = self->ports; other < self->ports_end; other++) {
        if (other != port && mt_port_is_listening(other)) {
            return true;
        }
    }
    return false;
}

static enum mt_decision decide(const struct mt_instance *self, const struct mt_port *port,
                               enum mt_decision decision)
{
    bool is_grandmaster = decision == MT_M1 || decision == MT_M2;
    /* at its start a boundary clock shall not serve its own time, because a worse clock is heard on
     * this port, just before it finds a better one on another */
    if (is_grandmaster && port->state == MT_STATE_LISTENING && another_listens(self, port)) {
        return MT_STAY;
    }
    bool serves = is_grandmaster || decision == MT_M3;
    return serves && has_sibling(self, port) ? MT_P2 : decision;
}

/* ---- the gate -------------------------------------------------------------------------------- */

static bool has_time(const struct mt_instance *self)
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

/* A port becomes qualified when a timer is due, and changes its state together with its timers. */
static void gate(struct mt_instance *self)
{
    bool is_open = has_time(self);
    if (is_open == self->is_open && !self->has_moved_timers) {
        return;
    }
    self->is_open = is_open;
    for (struct mt_port *port = self->ports; port < self->ports_end; port++) {
        if (!is_open) {
            mt_port_event(self, port, MT_PE_TIME_LOST);
        } else if (port->is_qualified) {
            mt_port_event(self, port, MT_PE_QUALIFIED);
        }
    }
}

const struct mt_boundary_part mt_boundary = {hear, decide, gate};
