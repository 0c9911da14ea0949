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
 * Where the parent itself is at the other end of the link, and its answers are stamped by the clock
 * that it serves, each Pdelay exchange is two one-way measurements of the offset.  Then Syncs stay
 * what they are, and the estimator finds offset and delay from all of them, as with E2E.  Nothing
 * says so in the messages: it is found out from the stamps, and until then no way back is given
 * to the estimator, so it cannot complete.
 *
 * AUTO is E2E until a Pdelay_Req is heard and the neighbour has answered one of ours, then P2P
 * until the link goes down: one message, which anybody can send, takes no delay away.
 */
#include "ptp/peer_private.h"

#define BOUND_SIGMA 5
#define GATE        8  /* spreads of the link delay that a Sync may be beside the neighbour */
#define FAILED_MOST 32 /* Syncs in a row that may be farther off, in a slew or under load */
#define MEAN        64
#define MS          (INT64_C(1000000) * 65536)
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
    mt_timer_disarm(self, port, MT_TIMER_DELAY_REQ);
    port->pending &= (uint8_t) ~(1u << MT_FRAME_DELAY_REQ);
    mt_port_forget_exchanges(port);
    if (mt_port_is_receiving(port)) { /* its samples are of another kind from now on */
        self->has_new_parent = true;
        self->clock.is_locked = false;
        mt_port_event(self, port, MT_PE_RS_NEW_PARENT);
    }
}

/* ---- the parent and the neighbour ------------------------------------------------------------ */

/* Samples are of another kind from now on. */
static void begin_anew(struct mt_instance *self, struct mt_port *port)
{
    self->has_new_parent = true;
    self->clock.is_locked = false;
    mt_port_event(self, port, MT_PE_RS_NEW_PARENT);
}

/* What is known of the parent: nothing of a new one. */
static struct mt_peer_parent *parent_of(const struct mt_instance *self, struct mt_peer *peer)
{
    struct mt_peer_parent *parent = &peer->parent;
    if (!mt_is_parent(self, &parent->identity)) {
        *parent = (struct mt_peer_parent){.identity = self->parent.sender};
        peer->there.is_new = false;
        peer->back.is_new = false;
    }
    return parent;
}

/* Who was the neighbour's clock does not easily become another: messages may be late for many
 * reasons.  Of one who never was, that no slew explains it says enough. */
static void compare_failed(struct mt_peer_parent *parent, bool is_absurd)
{
    unsigned failed = parent->failed + 1u;
    if (is_absurd && parent->compared == 0) {
        failed += FAILED_MOST / 2;
    }
    parent->failed = (uint8_t)(failed < FAILED_MOST ? failed : FAILED_MOST);
}

static bool is_within(int64_t value, int64_t limit)
{
    return value <= limit && value >= -limit;
}

/* The Sync's transmitter shows the time that the neighbour's stamps do, or not. */
static void compare(struct mt_peer *peer, struct mt_peer_parent *parent,
                    const struct mt_sample *sync)
{
    const struct mt_span ahead = mt_span_negate(sync->value);
    int64_t spread_q16 = mt_link_delay_spread_q16(&peer->delay) + GRANULARITY;
    int64_t delay_q16 = peer->delay.mean_q16 > 0 ? peer->delay.mean_q16 : 0;
    int64_t apart_q16 = 0;
    int64_t tolerance_q16 = 0;
    bool reaches =
        mt_link_rate_compare(&peer->rate, &sync->local.at, &ahead, &apart_q16, &tolerance_q16);
    if (!mt_link_rate_is_valid(&peer->rate)) {
        return;
    }
    parent->is_compared = true;
    tolerance_q16 += GATE * spread_q16 + delay_q16; /* asymmetry can be as large */
    if (!reaches || !is_within(apart_q16, tolerance_q16)) {
        compare_failed(parent, !reaches || !is_within(apart_q16, 4 * tolerance_q16 + MS));
        return;
    }
    parent->failed = 0;
    parent->apart_q16 += (apart_q16 - parent->apart_q16) / MEAN;
    if (parent->compared < UINT8_MAX) {
        parent->compared++;
    }
    if (parent->compared > MEAN &&
        !is_within(parent->apart_q16, GATE / 2 * spread_q16 + delay_q16)) {
        parent->failed = FAILED_MOST;
    }
}

/* False: the parent cannot be told from its stamps any more, or never could. */
static bool is_neighbour(const struct mt_peer *peer, const struct mt_peer_parent *parent)
{
    return !peer->config.is_gptp && peer->tells_ways && parent->failed < FAILED_MOST &&
           mt_port_identity_equal(&peer->identity, &parent->identity);
}

/* ---- samples --------------------------------------------------------------------------------- */

/* False: what the sample measures cannot be told. */
static bool remove_link_delay(const struct mt_peer_report *link, struct mt_sample *sample)
{
    if (!link->has_delay || link->is_in_doubt) {
        return false;
    }
    const struct mt_span delay = mt_span_from_interval(link->delay);
    mt_span_subtract(&sample->value, &delay);
    sample->delay.q16 = 2 * (link->delay.q16 + BOUND_SIGMA * link->sigma.q16);
    sample->kind = MT_SAMPLE_OFFSET;
    return true;
}

/* Where the parent is the neighbour, the Sync stays a one-way measurement. */
static bool stays_one_way(struct mt_instance *self, struct mt_port *port, struct mt_peer *peer)
{
    struct mt_peer_parent *parent;
    if (peer != mt_peer_driven_by(port)) {
        return false;
    }
    parent = parent_of(self, peer);
    if (parent->where == MT_PARENT_IS_BEYOND) {
        return false;
    }
    if (!parent->is_compared) {
        compare(peer, parent, &port->sample);
    }
    if (is_neighbour(peer, parent)) {
        if (parent->compared > 0) {
            parent->where = MT_PARENT_IS_NEIGHBOUR;
        }
        return true;
    }
    if (parent->is_used) {
        begin_anew(self, port);
    }
    parent->where = MT_PARENT_IS_BEYOND;
    return false;
}

static void convert_sync(struct mt_instance *self, struct mt_port *port)
{
    struct mt_sample *sample = &port->sample;
    struct mt_peer *peer = mt_peer_of(port);
    struct mt_peer_report link;
    sample->is_extra = false;
    if (mt_port_delay_mechanism(port) == MT_DELAY_NONE) {
        sample->delay.q16 = 0;
        sample->bound = mt_interval_plus(sample->bound, port->config.more->max_delay);
        sample->kind = MT_SAMPLE_OFFSET;
        return;
    }
    mt_peer_get(peer, &link);
    if (!link.has_identity && !link.has_delay) {
        port->has_sample = false;
    } else if (stays_one_way(self, port, peer)) {
        peer->parent.is_used = true;
    } else {
        port->has_sample = remove_link_delay(&link, sample);
    }
}

/* One way of the newest exchange, when there is room for a sample: the way there first, which
 * only these measure. */
static void take_way(struct mt_instance *self, struct mt_port *port, struct mt_peer *peer)
{
    bool is_there = peer->there.is_new;
    struct mt_peer_way *way = is_there ? &peer->there : &peer->back;
    struct mt_peer_report link;
    mt_peer_get(peer, &link);
    if (!way->is_new || !mt_port_is_receiving(port) ||
        parent_of(self, peer)->where != MT_PARENT_IS_NEIGHBOUR || link.has_several) {
        return;
    }
    way->is_new = false;
    port->sample.value = way->value;
    port->sample.is_extra = !is_there;
    mt_port_measured(self, port, is_there ? MT_SAMPLE_REVERSE : MT_SAMPLE_FORWARD, &way->at);
}

void mt_delay_convert_sample(struct mt_instance *self, struct mt_port *port)
{
    struct mt_peer *peer = mt_peer_driven_by(port);
    const uint64_t *samples = &port->counters[MT_COUNT_SAMPLES];
    if (mt_port_delay_mechanism(port) == MT_DELAY_E2E) {
        port->sample.is_extra = false; /* AUTO may have measured ways of exchanges before */
        return;
    }
    if (port->has_sample && port->sample.kind == MT_SAMPLE_FORWARD &&
        (peer == NULL || peer->samples != *samples)) {
        convert_sync(self, port);
    }
    if (peer != NULL && !port->has_sample) {
        take_way(self, port, peer);
    }
    if (peer != NULL) {
        peer->samples = *samples;
    }
}
