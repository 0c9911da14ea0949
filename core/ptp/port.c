/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * One port: its state, its timers and its outgoing frames.
 *
 * set_state() is the single writer of `state`.  It stops the timers that the new state does not
 * name and starts those that it newly names, so no other place has to think of them.  Frames to
 * send are bits in `pending`, built when they are drained: a frame that is not drained in time is
 * merged with the next of its kind, and counted.
 */
#include "ptp/ptp_private.h"

void mt_count(uint64_t *counter)
{
    ++*counter;
}

void mt_port_count(struct mt_port *port, enum mt_port_counter counter)
{
    mt_count(&port->counters[counter]);
}

void mt_port_request(struct mt_port *port, enum mt_port_frame frame)
{
    if ((port->pending & 1u << frame) != 0) {
        mt_port_count(port, MT_COUNT_TX_DROPPED);
    }
    port->pending |= (uint8_t)(1u << frame);
}

/* ---- timers ---------------------------------------------------------------------------------- */

void mt_timer_arm(struct mt_instance *self, struct mt_port *port, enum mt_port_timer timer,
                  int64_t in_ns)
{
    port->timers[timer] = mt_mono_plus(self->now, in_ns);
    self->has_moved_timers = true;
}

int64_t mt_random_ns(struct mt_instance *self, int64_t interval_ns)
{
    return mt_prng_interval_ns(&self->random, interval_ns - 1) + 1;
}

void mt_port_await_announce(struct mt_instance *self, struct mt_port *port)
{
    int64_t interval_ns = mt_log2s_to_ns(port->config.log_announce_interval);
    int64_t timeout_ns = interval_ns * port->config.announce_receipt_timeout;
    mt_timer_arm(self, port, MT_TIMER_ANNOUNCE_RECEIPT,
                 timeout_ns + mt_random_ns(self, interval_ns));
}

static void start_timer(struct mt_instance *self, struct mt_port *port, enum mt_port_timer timer)
{
    switch (timer) {
    case MT_TIMER_ANNOUNCE_RECEIPT:
        mt_port_await_announce(self, port);
        break;
    case MT_TIMER_QUALIFICATION:
    case MT_TIMER_ANNOUNCE:
    case MT_TIMER_SYNC:
        self->config.features->transmitter->start(self, port, timer);
        break;
    case MT_TIMER_DELAY_REQ:
        self->config.features->delay->start(self, port);
        break;
    case MT_TIMER_SIBLING: /* boundary.c's */
        break;
    }
}

static void switch_timers(struct mt_instance *self, struct mt_port *port, unsigned ran)
{
    unsigned run = self->config.features->states->timers[port->state];
    self->has_moved_timers = true;
    for (unsigned timer = 0; timer < MT_STATE_TIMER_COUNT; timer++) {
        if ((run & 1u << timer) == 0) {
            port->timers[timer] = MT_MONO_NEVER;
        } else if ((ran & 1u << timer) == 0) {
            start_timer(self, port, (enum mt_port_timer)timer);
        }
    }
}

/* ---- state ----------------------------------------------------------------------------------- */

void mt_port_forget_exchanges(struct mt_port *port)
{
    memset(&port->sync, 0, sizeof port->sync);
    memset(port->delay.exchange, 0, sizeof port->delay.exchange);
    port->has_sample = false;
}

/* Between LISTENING and the states before it: the port begins, or ends, with nothing heard. */
static void forget_others(struct mt_instance *self, struct mt_port *port)
{
    port->has_listened = false;
    port->timers[MT_TIMER_SIBLING] = MT_MONO_NEVER;
    port->best = NULL;
    memset(port->foreign, 0, sizeof port->foreign);
    self->needs_decision = true;
}

static void set_state(struct mt_instance *self, struct mt_port *port, enum mt_port_state state)
{
    const struct mt_ptp_features *features = self->config.features;
    unsigned ran = features->states->timers[port->state];
    bool was_active = mt_port_is_active(port);
    bool was_receiving = mt_port_is_receiving(port);
    port->state = state;
    port->is_qualified = false;
    self->was_calibrated |= state == MT_STATE_RECEIVER;
    if (mt_port_is_active(port) != was_active) {
        forget_others(self, port);
    }
    if (!was_receiving || !mt_port_is_receiving(port)) {
        port->pending = 0;
        mt_port_forget_exchanges(port);
    }
    if (state != MT_STATE_TRANSMITTER && features->transmitter != NULL) {
        features->transmitter->stop(port);
    }
    switch_timers(self, port, ran);
}

void mt_port_event(struct mt_instance *self, struct mt_port *port, enum mt_port_event event)
{
    uint8_t next = self->config.features->states->next[port->state][event];
    if (next != 0 && next != (uint8_t)port->state) {
        set_state(self, port, (enum mt_port_state)next);
    }
}

void mt_port_refresh(struct mt_instance *self, struct mt_port *port)
{
    if (!port->is_enabled) {
        mt_port_event(self, port, MT_PE_DESIGNATED_DISABLED);
        return;
    }
    mt_port_event(self, port, MT_PE_DESIGNATED_ENABLED);
    if (port->is_faulty || !port->is_link_up) {
        mt_port_event(self, port, MT_PE_FAULT_DETECTED);
        return;
    }
    mt_port_event(self, port, MT_PE_FAULT_CLEARED);
    mt_port_event(self, port, MT_PE_INITIALIZED);
}

/* ---- time passes ----------------------------------------------------------------------------- */

/* Whom the port followed or yielded to has fallen silent: the others decide among themselves. */
static void announce_timed_out(struct mt_instance *self, struct mt_port *port)
{
    mt_port_count(port, MT_COUNT_ANNOUNCE_TIMEOUT);
    if (port->best != NULL) {
        port->best->is_used = false;
        port->best = NULL;
    }
    port->has_listened = true;
    self->needs_decision = true;
    mt_port_await_announce(self, port);
}

void mt_port_timer_due(struct mt_instance *self, struct mt_port *port, enum mt_port_timer timer,
                       struct mt_mono was)
{
    switch (timer) {
    case MT_TIMER_ANNOUNCE_RECEIPT:
        announce_timed_out(self, port);
        break;
    case MT_TIMER_QUALIFICATION:
    case MT_TIMER_ANNOUNCE:
    case MT_TIMER_SYNC:
        self->config.features->transmitter->due(self, port, timer, was);
        break;
    case MT_TIMER_DELAY_REQ:
        self->config.features->delay->due(self, port);
        break;
    case MT_TIMER_SIBLING: /* the lower port on the same path has fallen silent */
        self->needs_decision = true;
        break;
    }
}
