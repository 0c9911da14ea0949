/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The instance: its eight calls, and the way of a received frame.
 *
 * Each call that takes input sets `now` and ends in settle(): the state decision if anything asked
 * for one, then the gate, then the deadline if a timer was moved.  So between two inputs all ports
 * agree, and a caller never sees them halfway.  Reception is a chain of refusals, cheapest
 * first; each ends in one verdict, counted in one place.
 */
#include "ptp/ptp_private.h"

void mt_instance_config_init(struct mt_instance_config *self)
{
    *self = (struct mt_instance_config){
        .minor_version = 1,
        .priority1 = 128,
        .priority2 = 128,
        .quality = {.clock_class = 248, .accuracy = 0xFE, .variance = 0xFFFF},
        .time = {.time_source = 0xA0},
        .announces_accuracy = true,
        .max_steps_removed = 255,
        .local_priority = 128,
        .announces_to_skip = MT_FOREIGN_THRESHOLD - 1,
        .serve_bound = {.q16 = INT64_C(50000) << 16}, /* 50 us */
    };
}

void mt_port_config_init(struct mt_port_config *self)
{
    *self = (struct mt_port_config){
        .log_announce_interval = 1,
        .announce_receipt_timeout = 3,
        .local_priority = 128,
    };
}

static void init_port(struct mt_instance *self, struct mt_port *port,
                      const struct mt_port_config *config)
{
    memset(port, 0, sizeof *port);
    port->config = *config;
    port->identity.clock = self->config.identity;
    port->identity.port = (uint16_t)(port - self->ports + 1);
    port->state = MT_STATE_INITIALIZING;
    port->reported_state = MT_STATE_INITIALIZING;
    port->is_enabled = true;
    for (unsigned timer = 0; timer < MT_TIMER_COUNT; timer++) {
        port->timers[timer] = MT_MONO_NEVER;
    }
}

void mt_instance_init(struct mt_instance *self, const struct mt_instance_config *config,
                      struct mt_port *ports, const struct mt_port_config *configs,
                      uint16_t port_count, uint64_t seed, struct mt_mono now)
{
    memset(self, 0, sizeof *self);
    self->now = now;
    self->deadline = MT_MONO_NEVER;
    self->config = *config;
    if (config->features->transmitter == NULL) {
        self->config.is_receiver_only = true;
    }
    if (self->config.is_receiver_only) {
        self->config.quality.clock_class = 255; /* [7.6.2.5] */
    }
    self->ports = ports;
    self->port_count = config->features->boundary != NULL ? port_count : 1;
    self->ports_end = ports + self->port_count;
    self->parent_bound = MT_INTERVAL_TOO_LARGE;
    self->reference_bound = MT_INTERVAL_TOO_LARGE;
    mt_prng_init(&self->random, seed);
    for (struct mt_port *port = ports; port < self->ports_end; port++) {
        init_port(self, port, configs++);
    }
    mt_instance_decide(self); /* it is its own parent, which is no news */
    self->has_new_parent = false;
    self->has_new_reference = false;
    self->has_new_time = false;
    self->is_same_grandmaster = true;
    self->is_same_reference = true; /* until a change of parents says otherwise */
}

static void settle(struct mt_instance *self)
{
    const struct mt_extend_part *extend = self->config.features->extend;
    if (self->needs_decision) {
        mt_instance_decide(self);
    }
    if (extend != NULL) {
        extend->settle(self);
    } else if (self->has_moved_timers) {
        mt_instance_find_deadline(self);
    }
}

static struct mt_port *find_port(struct mt_instance *self, uint16_t port)
{
    return port >= 1 && port <= self->port_count ? &self->ports[port - 1] : NULL;
}

/* ---- reception ------------------------------------------------------------------------------- */

bool mt_is_parent(const struct mt_instance *self, const struct mt_port_identity *source)
{
    return mt_port_identity_equal(&self->parent.sender, source);
}

static enum mt_verdict check_header(struct mt_instance *self, struct mt_port *port,
                                    const struct mt_ptp_header *header,
                                    const struct mt_stamp *stamp)
{
    if (!mt_port_is_active(port)) {
        return MT_VERDICT_DISABLED;
    }
    if (header->domain != self->config.domain || header->sdo_id != self->config.sdo_id) {
        return MT_VERDICT_DOMAIN;
    }
    if (mt_clock_identity_equal(&header->source.clock, &self->config.identity)) {
        return MT_VERDICT_OWN;
    }
    if (mt_ptp_is_event(header->type) && stamp == NULL) {
        return MT_VERDICT_NO_TIMESTAMP;
    }
    if (mt_interval_is_too_large(header->correction)) {
        return MT_VERDICT_CORRECTION;
    }
    return MT_VERDICT_ACCEPTED;
}

/* Messages by which a transmitter is chosen and followed. */
static enum mt_verdict check_transmitter(const struct mt_instance *self, const struct mt_port *port,
                                         const struct mt_ptp_header *header)
{
    if ((header->flags & MT_PTP_ALTERNATE) != 0 && !self->config.accepts_alternate) {
        return MT_VERDICT_ALTERNATE;
    }
    if (self->config.features->acceptable != NULL &&
        !self->config.features->acceptable(port, &header->source)) {
        return MT_VERDICT_NOT_ACCEPTABLE;
    }
    if (header->type == MT_PTP_ANNOUNCE) {
        return port->config.is_transmitter_only ? MT_VERDICT_STATE : MT_VERDICT_ACCEPTED;
    }
    if (!mt_port_is_receiving(port)) {
        return MT_VERDICT_STATE;
    }
    return mt_is_parent(self, &header->source) ? MT_VERDICT_ACCEPTED : MT_VERDICT_NOT_PARENT;
}

static enum mt_verdict from_transmitter(struct mt_instance *self, struct mt_port *port,
                                        const struct mt_ptp_message *message,
                                        const struct mt_stamp *stamp)
{
    enum mt_verdict verdict = check_transmitter(self, port, &message->header);
    if (verdict != MT_VERDICT_ACCEPTED) {
        return verdict;
    }
    if (message->header.type == MT_PTP_ANNOUNCE) {
        return mt_announce_rx(self, port, message);
    }
    if (message->header.type == MT_PTP_SYNC) {
        return mt_sync_rx(self, port, message, stamp);
    }
    if (message->header.type == MT_PTP_FOLLOW_UP) {
        return mt_follow_up_rx(self, port, message);
    }
    return self->config.features->delay->response(self, port, message);
}

static enum mt_verdict dispatch(struct mt_instance *self, struct mt_port *port,
                                const struct mt_incoming *in)
{
    const struct mt_ptp_message *message = &in->message;
    const struct mt_stamp *stamp = in->stamp;
    switch (message->header.type) {
    case MT_PTP_SYNC:
    case MT_PTP_FOLLOW_UP:
    case MT_PTP_DELAY_RESP:
    case MT_PTP_ANNOUNCE:
        return from_transmitter(self, port, message, stamp);
    case MT_PTP_DELAY_REQ:
        if (self->config.features->transmitter == NULL || port->state != MT_STATE_TRANSMITTER) {
            return MT_VERDICT_STATE;
        }
        return self->config.features->transmitter->delay_req(port, message, stamp);
    case MT_PTP_PDELAY_REQ:
    case MT_PTP_PDELAY_RESP:
    case MT_PTP_PDELAY_RESP_FOLLOW_UP:
    case MT_PTP_SIGNALING:
    case MT_PTP_MANAGEMENT:
        break;
    }
    return MT_VERDICT_UNSUPPORTED;
}

static enum mt_verdict receive(struct mt_instance *self, struct mt_port *port,
                               struct mt_incoming *in)
{
    const struct mt_extend_part *extend = self->config.features->extend;
    enum mt_verdict verdict = mt_ptp_parse(in->frame, in->length, &in->message);
    if (verdict != MT_VERDICT_ACCEPTED ||
        (extend != NULL && extend->rx(self, port, in, &verdict))) {
        return verdict;
    }
    verdict = check_header(self, port, &in->message.header, in->stamp);
    return verdict == MT_VERDICT_ACCEPTED ? dispatch(self, port, in) : verdict;
}

enum mt_verdict mt_instance_rx(struct mt_instance *self, uint16_t port_number, const uint8_t *frame,
                               size_t length, const struct mt_stamp *stamp,
                               const struct mt_address *from, struct mt_mono now)
{
    struct mt_incoming in;
    struct mt_port *port = find_port(self, port_number);
    self->now = now;
    if (port == NULL) {
        return MT_VERDICT_DISABLED;
    }
    in.frame = frame;
    in.length = length;
    in.stamp = stamp;
    in.from = from;
    enum mt_verdict verdict = receive(self, port, &in);
    mt_port_count(port, MT_COUNT_RECEIVED);
    mt_count(&port->verdicts[verdict]);
    settle(self);
    return verdict;
}

/* ---- other inputs ---------------------------------------------------------------------------- */

bool mt_port_tx_done(struct mt_instance *self, struct mt_port *port, uint32_t token,
                     const struct mt_stamp *stamp)
{
    const struct mt_ptp_features *features = self->config.features;
    return (features->transmitter != NULL && features->transmitter->tx_done(port, token, stamp)) ||
           features->delay->tx_done(self, port, token, stamp) ||
           (features->extend != NULL && features->extend->tx_done(self, port, token, stamp));
}

void mt_instance_tx_done(struct mt_instance *self, uint32_t token, const struct mt_stamp *stamp,
                         struct mt_mono now)
{
    self->now = now;
    for (struct mt_port *port = self->ports; port < self->ports_end; port++) {
        if (token != 0 && mt_port_tx_done(self, port, token, stamp)) {
            if (stamp == NULL) {
                mt_port_count(port, MT_COUNT_TX_STAMP_LOST);
            }
            settle(self);
            return;
        }
    }
    mt_port_count(self->ports, MT_COUNT_TX_STAMP_UNKNOWN);
}

void mt_instance_tick(struct mt_instance *self, struct mt_mono now)
{
    self->now = now;
    for (struct mt_port *port = self->ports; port < self->ports_end; port++) {
        for (unsigned timer = 0; timer < MT_TIMER_COUNT; timer++) {
            struct mt_mono was = port->timers[timer];
            if (was.ns <= now.ns && was.ns != MT_MONO_NEVER.ns) {
                port->timers[timer] = MT_MONO_NEVER;
                self->has_moved_timers = true;
                mt_port_timer_due(self, port, (enum mt_port_timer)timer, was);
            }
        }
    }
    settle(self);
}

struct mt_mono mt_instance_deadline(const struct mt_instance *self)
{
    return self->deadline;
}

static bool command_port(struct mt_instance *self, const struct mt_command *command)
{
    struct mt_port *port = find_port(self, command->port);
    if (port == NULL) {
        return false;
    }
    bool is_on = command->value.is_on;
    if (command->kind == MT_COMMAND_LINK) {
        port->is_link_up = is_on;
    } else if (command->kind == MT_COMMAND_PORT_ENABLE) {
        port->is_enabled = is_on;
    } else {
        port->is_faulty = is_on;
    }
    mt_port_refresh(self, port);
    return true;
}

static void command_clock(struct mt_instance *self, const struct mt_clock_condition *clock)
{
    if (clock->shows != self->clock.shows) {
        self->needs_decision = true;
    }
    self->clock = *clock;
    if (self->receiving_port != 0) {
        mt_port_event(self, &self->ports[self->receiving_port - 1],
                      clock->is_locked ? MT_PE_CLOCK_SELECTED : MT_PE_SYNCHRONIZATION_FAULT);
    }
}

static bool command_instance(struct mt_instance *self, const struct mt_command *command)
{
    switch (command->kind) {
    case MT_COMMAND_CLOCK:
        command_clock(self, &command->value.clock);
        return true;
    case MT_COMMAND_PRIORITIES:
        self->config.priority1 = command->value.priorities.priority1;
        self->config.priority2 = command->value.priorities.priority2;
        break;
    case MT_COMMAND_QUALITY:
        if (self->config.is_receiver_only && command->value.quality.clock_class != 255) {
            return false;
        }
        self->config.quality = command->value.quality;
        break;
    case MT_COMMAND_TIME_PROPERTIES:
        self->config.time = command->value.time;
        break;
    case MT_COMMAND_LINK:
    case MT_COMMAND_PORT_ENABLE:
    case MT_COMMAND_FAULT:
        return command_port(self, command);
    }
    self->needs_decision = true;
    return true;
}

bool mt_instance_command(struct mt_instance *self, const struct mt_command *command,
                         struct mt_mono now)
{
    self->now = now;
    bool is_done = command_instance(self, command);
    settle(self);
    return is_done;
}

void mt_instance_link(struct mt_instance *self, uint16_t port, bool is_up, struct mt_mono now)
{
    self->now = now;
    self->ports[port - 1].is_link_up = is_up;
    mt_port_refresh(self, &self->ports[port - 1]);
    settle(self);
}

void mt_instance_clock(struct mt_instance *self, const struct mt_clock_condition *clock,
                       struct mt_mono now)
{
    self->now = now;
    command_clock(self, clock);
    settle(self);
}

/* ---- outputs --------------------------------------------------------------------------------- */

bool mt_instance_next_tx(struct mt_instance *self, uint8_t *buffer, size_t capacity,
                         struct mt_tx *ret_tx)
{
    const struct mt_extend_part *extend = self->config.features->extend;
    struct mt_outgoing out;
    out.buffer = buffer;
    out.capacity = capacity;
    for (struct mt_port *port = self->ports; port < self->ports_end; port++) {
        if (port->pending != 0 && mt_port_next_tx(self, port, &out, ret_tx)) {
            return true;
        }
    }
    return extend != NULL && extend->next_tx(self, &out, ret_tx);
}

static bool next_event_of_port(struct mt_port *port, struct mt_event *ret_event)
{
    if (port->state != port->reported_state) {
        ret_event->kind = MT_EVENT_STATE;
        ret_event->value.state.from = port->reported_state;
        ret_event->value.state.to = port->state;
        port->reported_state = port->state;
    } else if (port->has_sample) {
        ret_event->kind = MT_EVENT_SAMPLE;
        ret_event->value.sample = port->sample;
        port->has_sample = false;
    } else {
        return false;
    }
    ret_event->port = port->identity.port;
    return true;
}

bool mt_instance_next_event(struct mt_instance *self, struct mt_event *ret_event)
{
    ret_event->port = self->receiving_port;
    if (self->has_new_parent || self->has_new_reference) {
        ret_event->kind = self->has_new_parent ? MT_EVENT_PARENT : MT_EVENT_REFERENCE;
        bool follows = self->receiving_port != 0;
        ret_event->value.parent.is_same_grandmaster = follows && self->is_same_grandmaster;
        ret_event->value.parent.is_same_reference = follows && self->is_same_reference;
        self->is_same_grandmaster = true;
        self->has_new_parent = false;
        self->has_new_reference = false;
        self->is_same_reference = true;
        return true;
    }
    if (self->has_new_time) {
        self->has_new_time = false;
        ret_event->kind = MT_EVENT_TIME_PROPERTIES;
        return true;
    }
    for (struct mt_port *port = self->ports; port < self->ports_end; port++) {
        if (next_event_of_port(port, ret_event)) {
            return true;
        }
    }
    return false;
}

/* ---- data sets ------------------------------------------------------------------------------- */

enum mt_port_state mt_port_state_of(const struct mt_instance *self, uint16_t port)
{
    return port >= 1 && port <= self->port_count ? self->ports[port - 1].state : MT_STATE_DISABLED;
}

const struct mt_ptp_dataset *mt_instance_parent(const struct mt_instance *self)
{
    return &self->parent;
}

const struct mt_clock_identity *mt_instance_last_followed(const struct mt_instance *self)
{
    return &self->last_followed;
}

const struct mt_time_properties *mt_instance_time_properties(const struct mt_instance *self)
{
    return &self->time;
}

uint16_t mt_instance_receiving_port(const struct mt_instance *self)
{
    return self->receiving_port;
}
