/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * One port: its state, its timers and its outgoing frames.
 *
 * set_state() is the single writer of `state`.  It stops the timers that the new state does not
 * name and starts those that it newly names, so no other place has to think of them.  Frames to
 * send are bits in `pending`, built when they are drained: a frame that is not drained in time
 * is merged with the next of its kind, and counted.
 */
#include "ptp/ptp_private.h"

#include "base/deadline.h"

void mt_port_count(struct mt_port *port, enum mt_port_counter counter)
{
    port->counters[counter]++;
}

bool mt_port_is_active(const struct mt_port *port)
{
    return port->state >= MT_STATE_LISTENING;
}

bool mt_port_is_receiving(const struct mt_port *port)
{
    return port->state == MT_STATE_UNCALIBRATED || port->state == MT_STATE_RECEIVER;
}

bool mt_port_runs(const struct mt_instance *self, const struct mt_port *port,
                  enum mt_port_timer timer)
{
    return (self->config.features->states->timers[port->state] & 1u << timer) != 0;
}

void mt_port_request(struct mt_port *port, enum mt_port_frame frame)
{
    if ((port->pending & 1u << frame) != 0) {
        mt_port_count(port, MT_COUNT_TX_DROPPED);
    }
    port->pending |= (uint8_t)(1u << frame);
}

/* ---- timers ------------------------------------------------------------------------------- */

void mt_timer_arm(struct mt_port *port, enum mt_port_timer timer, struct mt_mono at)
{
    port->timers[timer] = at;
}

void mt_timer_repeat(struct mt_port *port, enum mt_port_timer timer, int64_t interval_ns,
                     struct mt_mono was, struct mt_mono now)
{
    struct mt_mono next = mt_mono_plus(was, interval_ns);
    mt_timer_arm(port, timer, next.ns > now.ns ? next : mt_mono_plus(now, interval_ns));
}

int64_t mt_random_ns(struct mt_instance *self, int64_t interval_ns)
{
    return mt_prng_interval_ns(&self->random, interval_ns - 1) + 1;
}

void mt_port_await_announce(struct mt_instance *self, struct mt_port *port, struct mt_mono now)
{
    int64_t interval_ns = mt_log2s_to_ns(port->config.log_announce_interval);
    int64_t timeout_ns = interval_ns * port->config.announce_receipt_timeout;
    mt_timer_arm(port, MT_TIMER_ANNOUNCE_RECEIPT,
                 mt_mono_plus(now, timeout_ns + mt_random_ns(self, interval_ns)));
}

static void start_timer(struct mt_instance *self, struct mt_port *port, enum mt_port_timer timer,
                        struct mt_mono now)
{
    int64_t announce_ns = mt_log2s_to_ns(port->config.log_announce_interval);
    switch (timer) {
    case MT_TIMER_ANNOUNCE_RECEIPT:
        mt_port_await_announce(self, port, now);
        break;
    case MT_TIMER_QUALIFICATION: /* [9.2.6.11] */
        mt_timer_arm(port, timer,
                     mt_mono_plus(now, announce_ns * (self->parent.steps_removed + 1)));
        break;
    case MT_TIMER_ANNOUNCE:
    case MT_TIMER_SYNC:
        mt_timer_arm(port, timer, now);
        break;
    case MT_TIMER_DELAY_REQ:
        self->config.features->delay->start(self, port, now);
        break;
    }
}

static void switch_timers(struct mt_instance *self, struct mt_port *port, uint8_t ran,
                          struct mt_mono now)
{
    for (unsigned timer = 0; timer < MT_TIMER_COUNT; timer++) {
        bool runs = mt_port_runs(self, port, (enum mt_port_timer)timer);
        if (!runs) {
            mt_timer_arm(port, (enum mt_port_timer)timer, MT_MONO_NEVER);
        } else if ((ran & 1u << timer) == 0) {
            start_timer(self, port, (enum mt_port_timer)timer, now);
        }
    }
}

/* ---- state -------------------------------------------------------------------------------- */

void mt_port_forget_exchanges(struct mt_port *port)
{
    port->sync = (struct mt_sync_receipt){0};
    memset(port->delay.exchange, 0, sizeof port->delay.exchange);
    port->has_sample = false;
}

static void set_state(struct mt_instance *self, struct mt_port *port, enum mt_port_state state,
                      struct mt_mono now)
{
    uint8_t ran = self->config.features->states->timers[port->state];
    bool was_active = mt_port_is_active(port);
    bool was_receiving = mt_port_is_receiving(port);
    port->state = state;
    port->is_qualified = false;
    self->was_calibrated |= state == MT_STATE_RECEIVER;
    if (mt_port_is_active(port) != was_active) {
        port->has_listened = false;
        port->sibling_until = (struct mt_mono){0};
        mt_foreign_forget_all(port);
        self->needs_decision = true;
    }
    if (!was_receiving || !mt_port_is_receiving(port)) {
        port->pending = 0;
        mt_port_forget_exchanges(port);
    }
    if (state != MT_STATE_TRANSMITTER && self->config.features->transmitter != NULL) {
        self->config.features->transmitter->stop(port);
    }
    switch_timers(self, port, ran, now);
}

void mt_port_event(struct mt_instance *self, struct mt_port *port, enum mt_port_event event,
                   struct mt_mono now)
{
    uint8_t next = self->config.features->states->next[port->state][event];
    if (next != 0 && next != (uint8_t)port->state) {
        set_state(self, port, (enum mt_port_state)next, now);
    }
}

void mt_port_refresh(struct mt_instance *self, struct mt_port *port, struct mt_mono now)
{
    if (!port->is_enabled) {
        mt_port_event(self, port, MT_PE_DESIGNATED_DISABLED, now);
        return;
    }
    mt_port_event(self, port, MT_PE_DESIGNATED_ENABLED, now);
    if (port->is_faulty || !port->is_link_up) {
        mt_port_event(self, port, MT_PE_FAULT_DETECTED, now);
        return;
    }
    mt_port_event(self, port, MT_PE_FAULT_CLEARED, now);
    mt_port_event(self, port, MT_PE_INITIALIZED, now);
}

/* ---- time passes ---------------------------------------------------------------------------- */

/* Whom the port followed or yielded to has fallen silent: the others decide among themselves. */
static void announce_timed_out(struct mt_instance *self, struct mt_port *port)
{
    mt_port_count(port, MT_COUNT_ANNOUNCE_TIMEOUT);
    mt_foreign_forget_best(port);
    port->has_listened = true;
    self->needs_decision = true;
}

static void timer_due(struct mt_instance *self, struct mt_port *port, enum mt_port_timer timer,
                      struct mt_mono was, struct mt_mono now)
{
    switch (timer) {
    case MT_TIMER_ANNOUNCE_RECEIPT:
        announce_timed_out(self, port);
        mt_port_await_announce(self, port, now);
        break;
    case MT_TIMER_QUALIFICATION:
        port->is_qualified = true;
        break;
    case MT_TIMER_ANNOUNCE:
        mt_port_request(port, MT_FRAME_ANNOUNCE);
        mt_timer_repeat(port, timer, mt_log2s_to_ns(port->config.log_announce_interval), was, now);
        break;
    case MT_TIMER_SYNC:
        mt_port_request(port, MT_FRAME_SYNC);
        mt_timer_repeat(port, timer, mt_log2s_to_ns(port->config.log_sync_interval), was, now);
        break;
    case MT_TIMER_DELAY_REQ:
        self->config.features->delay->due(self, port, now);
        break;
    }
}

/* The lower port on the same path has fallen silent. */
static void forget_sibling(struct mt_instance *self, struct mt_port *port)
{
    port->sibling_until = (struct mt_mono){0};
    self->needs_decision = true;
}

void mt_port_tick(struct mt_instance *self, struct mt_port *port, struct mt_mono now)
{
    if (port->sibling_until.ns != 0 && port->sibling_until.ns <= now.ns) {
        forget_sibling(self, port);
    }
    struct mt_deadlines set = {port->timers, MT_TIMER_COUNT};
    for (;;) {
        struct mt_mono was = mt_deadlines_earliest(&set);
        uint8_t timer;
        if (!mt_deadlines_next_due(&set, &timer, now)) {
            return;
        }
        timer_due(self, port, (enum mt_port_timer)timer, was, now);
    }
}

struct mt_mono mt_port_deadline(const struct mt_port *port)
{
    struct mt_mono earliest = port->sibling_until.ns != 0 ? port->sibling_until : MT_MONO_NEVER;
    for (unsigned timer = 0; timer < MT_TIMER_COUNT; timer++) {
        earliest = mt_mono_earlier(earliest, port->timers[timer]);
    }
    return earliest;
}
