/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Which delay mechanism a port uses, so that the ports of one clock may use different ones.
 *
 * End-to-end is delay_e2e.c's.  With the others nothing is asked of the transmitter, and what a
 * Sync measures is the offset plus the link's delay: it becomes a sample of the offset here, when
 * it is still the port's.  The link delay's own error is the same for many samples, so no
 * averaging removes it: five of its sigmas are added to the delay that the sample names, of which
 * the bound is made.  While newer exchanges speak against the delay, the sample is void.
 * Without any mechanism the delay is not known: what it may be at most is added to what the
 * source says of its own error.
 *
 * Where the parent itself is at the other end of the link, and its answers are stamped by the
 * clock that it serves, a Pdelay exchange tells the offset as well as a Sync does, and better,
 * since it needs no delay.  Nothing says so in the messages: it is found out from the stamps.
 *
 * AUTO is E2E until a Pdelay_Req is heard, then P2P until the link goes down.
 */
#include "ptp/peer_private.h"

#define BOUND_SIGMA 5
#define SAME        3
#define GATE        8
#define GRANULARITY (INT64_C(8) * 65536) /* stamps may be so coarse */

enum mt_delay_mechanism mt_port_delay_mechanism(const struct mt_port *port)
{
    const struct mt_port_more *more = port->config.more;
    if (more == NULL || more->delay_mechanism == MT_DELAY_NONE) {
        return more == NULL ? MT_DELAY_E2E : MT_DELAY_NONE;
    }
    if (more->peer == NULL || (unsigned)more->delay_mechanism == 0) {
        return MT_DELAY_E2E;
    }
    if (more->delay_mechanism == MT_DELAY_AUTO) {
        return more->peer->is_heard ? MT_DELAY_P2P : MT_DELAY_E2E;
    }
    return more->delay_mechanism;
}

static bool is_e2e(const struct mt_port *port)
{
    return mt_port_delay_mechanism(port) == MT_DELAY_E2E;
}

/* ---- the part -------------------------------------------------------------------------------- */

static void start(struct mt_instance *self, struct mt_port *port)
{
    if (is_e2e(port)) {
        mt_delay_e2e.start(self, port);
    }
}

static void due(struct mt_instance *self, struct mt_port *port)
{
    if (is_e2e(port)) {
        mt_delay_e2e.due(self, port);
    }
}

static void fill(struct mt_port *port, struct mt_outgoing *out)
{
    mt_delay_e2e.fill(port, out);
}

static enum mt_verdict response(struct mt_instance *self, struct mt_port *port,
                                const struct mt_ptp_message *message)
{
    return is_e2e(port) ? mt_delay_e2e.response(self, port, message) : MT_VERDICT_UNSUPPORTED;
}

static bool tx_done(struct mt_instance *self, struct mt_port *port, uint32_t token,
                    const struct mt_stamp *stamp)
{
    return mt_delay_e2e.tx_done(self, port, token, stamp);
}

const struct mt_delay_part mt_delay_any = {start, due, fill, response, tx_done};

/* ---- AUTO ------------------------------------------------------------------------------------ */

void mt_delay_heard_peer(struct mt_instance *self, struct mt_port *port)
{
    struct mt_peer *peer = mt_peer_of(port);
    bool was_e2e = is_e2e(port);
    peer->is_heard = true;
    if (!was_e2e || is_e2e(port)) {
        return;
    }
    port->timers[MT_TIMER_DELAY_REQ] = MT_MONO_NEVER;
    self->has_moved_timers = true;
    port->pending &= (uint8_t) ~(1u << MT_FRAME_DELAY_REQ);
    mt_port_forget_exchanges(port);
    if (mt_port_is_receiving(port)) { /* its samples are of another kind from now on */
        self->has_new_parent = true;
        self->clock.is_locked = false;
        mt_port_event(self, port, MT_PE_RS_NEW_PARENT);
    }
}

/* ---- samples --------------------------------------------------------------------------------- */

/* What must have been the neighbour's clock, if it was SAME times in a row, and is on the average:
 * then the parent is the neighbour and answers with the stamps that it sends time with. */
static void compare_clocks(struct mt_peer *peer, const struct mt_sample *sample)
{
    const struct mt_span ahead = mt_span_negate(sample->value);
    int64_t spread_q16 = mt_link_delay_spread_q16(&peer->delay) + GRANULARITY;
    int64_t apart_q16;
    int64_t tolerance_q16;
    if (!mt_link_rate_compare(&peer->rate, &sample->local.at, &ahead, &apart_q16, &tolerance_q16) ||
        apart_q16 > tolerance_q16 + GATE * spread_q16 ||
        apart_q16 < -tolerance_q16 - GATE * spread_q16) {
        peer->same_clock = 0;
        return;
    }
    if (peer->same_clock == 0) {
        peer->clocks_apart_q16 = apart_q16;
    }
    peer->clocks_apart_q16 += (apart_q16 - peer->clocks_apart_q16) / 8;
    if (peer->same_clock < UINT8_MAX) {
        peer->same_clock++;
    }
}

/* False: what the sample measures cannot be told. */
static bool remove_link_delay(const struct mt_peer *peer, struct mt_sample *sample)
{
    struct mt_peer_report link;
    mt_peer_get(peer, &link);
    if (!link.has_delay || link.is_in_doubt) {
        return false;
    }
    const struct mt_span delay = mt_span_from_interval(link.delay);
    mt_span_subtract(&sample->value, &delay);
    sample->delay.q16 = 2 * (link.delay.q16 + BOUND_SIGMA * link.sigma.q16);
    return true;
}

static void convert_forward(struct mt_port *port, enum mt_delay_mechanism mechanism)
{
    struct mt_sample *sample = &port->sample;
    struct mt_peer *peer = mt_peer_of(port);
    if (mechanism == MT_DELAY_NONE) {
        sample->delay.q16 = 0;
        sample->bound = mt_interval_plus(sample->bound, port->config.more->max_delay);
    } else {
        if (peer == mt_peer_driven_by(port)) {
            compare_clocks(peer, sample);
        }
        port->has_sample = remove_link_delay(peer, sample);
    }
    sample->kind = MT_SAMPLE_OFFSET;
    sample->is_extra = false;
}

/* The exchange has measured the offset from the neighbour, which is the parent. */
static void take_offset(struct mt_instance *self, struct mt_port *port, struct mt_peer *peer)
{
    struct mt_sample *sample = &port->sample;
    int64_t most_q16 = mt_link_delay_spread_q16(&peer->delay) + GRANULARITY;
    bool is_same = peer->same_clock >= SAME && peer->clocks_apart_q16 <= most_q16 &&
                   peer->clocks_apart_q16 >= -most_q16;
    if (!is_same || !mt_port_is_receiving(port) || !mt_is_parent(self, &peer->identity)) {
        return;
    }
    struct mt_span none = {0, 0, 0};
    sample->value = none;
    if (!remove_link_delay(peer, sample)) {
        return;
    }
    sample->value = peer->offset.value;
    sample->is_extra = true;
    mt_port_measured(self, port, MT_SAMPLE_OFFSET, &peer->offset.at);
}

void mt_delay_convert_sample(struct mt_instance *self, struct mt_port *port)
{
    enum mt_delay_mechanism mechanism = mt_port_delay_mechanism(port);
    struct mt_peer *peer = mt_peer_driven_by(port);
    if (port->has_sample && port->sample.kind == MT_SAMPLE_FORWARD && mechanism != MT_DELAY_E2E) {
        convert_forward(port, mechanism);
    }
    if (peer != NULL && peer->offset.is_new) {
        peer->offset.is_new = false;
        if (!port->has_sample) {
            take_offset(self, port, peer);
        }
    }
}
