/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Frames on their way.  A frame leaves at once; each other interface of the segment gets a copy of
 * its own delay and its own luck.  The stamp of its arrival is what the model says, even if the
 * jitter has made the way shorter than nothing; the node gets the frame when that time has come,
 * and never before it was sent.
 */
#include "platform/sim/sim_private.h"

#define PATIENCE_NS INT64_C(1000000000) /* after which a missing transmit stamp is given up */

bool mt_sim_port_is_up(const struct mt_world *self, const struct mt_sim_port *port)
{
    return port->is_plugged && self->segments[port->segment]->is_up;
}

void mt_sim_port_tell(struct mt_world *self, const struct mt_sim_port *port)
{
    const struct mt_sim_node *node = self->nodes[port->node];

    for (uint16_t i = 0; i < node->link_count; i++) {
        if (node->links[i]->port == port) {
            mt_sim_post(self, self->t_ns,
                        &(struct mt_sim_event){.kind = MT_INPUT_LINK,
                                               .node = port->node,
                                               .link = i,
                                               .is_up = mt_sim_port_is_up(self, port)});
        }
    }
}

/* ---- the way --------------------------------------------------------------------------------- */

static mt_real draw_jitter_ns(const struct mt_world *self, struct mt_sim_segment *segment)
{
    mt_real jitter_ns = segment->config.jitter_ns;

    switch (segment->config.jitter) {
    case MT_SIM_JITTER_NORMAL:
        return jitter_ns * mt_sim_normal(&self->noise, &segment->prng);
    case MT_SIM_JITTER_EXPONENTIAL:
        return jitter_ns * mt_sim_exponential(&segment->prng);
    case MT_SIM_JITTER_NONE:
        break;
    }
    return 0;
}

static void deliver(struct mt_world *self, const struct mt_sim_port *to, struct mt_sim_frame *frame,
                    mt_real way_ns)
{
    struct mt_sim_node *node = self->nodes[to->node];
    struct mt_span way = mt_span_from_real(way_ns / 1e9);
    struct mt_base_time arrival = mt_sim_base_plus(mt_sim_base(self), mt_span_to_interval(way));
    int64_t t_ns = mt_sim_t_of(arrival);
    struct mt_sim_event event = {
        .kind = MT_INPUT_FRAME,
        .node = to->node,
        .has_stamp = true,
        .stamp = mt_sim_node_stamp(node, arrival),
        .frame = frame,
    };

    for (uint16_t i = 0; i < node->link_count; i++) {
        if (node->links[i]->port == to) {
            event.link = i;
            mt_sim_post(self, t_ns > self->t_ns ? t_ns : self->t_ns + 1, &event);
        }
    }
}

static void carry(struct mt_world *self, const struct mt_sim_port *from, struct mt_sim_frame *frame)
{
    struct mt_sim_segment *segment = self->segments[from->segment];
    const struct mt_sim_segment_config *config = &segment->config;

    for (uint32_t i = 0; i < segment->member_count; i++) {
        const struct mt_sim_port *to = segment->members[i];
        mt_real half_ns =
            to->order > from->order ? config->asymmetry_ns / 2 : -config->asymmetry_ns / 2;

        if (to == from) {
            continue;
        }
        if (!mt_sim_port_is_up(self, to) || to->part != from->part ||
            mt_sim_chance(&segment->prng, config->loss)) {
            self->counters.lost++;
            continue;
        }
        deliver(self, to, frame, config->delay_ns + half_ns + draw_jitter_ns(self, segment));
    }
}

/* ---- sending --------------------------------------------------------------------------------- */

static void promise_stamp(struct mt_world *self, const struct mt_sim_link *link, uint32_t token)
{
    struct mt_sim_node *node = self->nodes[link->node];
    const struct mt_sim_node_config *config = &node->config;
    bool is_lost = mt_sim_chance(&node->prng, config->tx_stamp_loss);
    bool is_late = mt_sim_chance(&node->prng, config->tx_stamp_late);
    int64_t after_ns = config->tx_stamp_delay_ns + (is_late ? config->tx_stamp_late_ns : 0);
    const struct mt_sim_event event = {
        .kind = MT_INPUT_TX_STAMP,
        .node = link->node,
        .link = link->index,
        .token = token,
        .has_stamp = !is_lost,
        .stamp = mt_sim_node_stamp(node, mt_sim_base(self)),
    };

    mt_sim_post(self, self->t_ns + (is_lost ? PATIENCE_NS : after_ns), &event);
}

static void observe(const struct mt_world *self, const struct mt_sim_link *link,
                    const struct mt_link_frame *frame)
{
    const struct mt_world_frame told = {
        .t_ns = self->t_ns,
        .node = link->node,
        .segment = link->port->segment,
        .interface = link->port->name,
        .bytes = frame->bytes,
        .length = frame->length,
        .is_event = frame->is_event,
    };

    if (self->observer.frame != NULL) {
        self->observer.frame(self->observer.context, &told);
    }
}

static bool link_send(struct mt_hal_link *hal, const struct mt_link_frame *frame)
{
    struct mt_sim_link *link = (struct mt_sim_link *)hal;
    struct mt_world *self = link->world;
    struct mt_sim_frame *copy = NULL;

    if (link->port != NULL && mt_sim_port_is_up(self, link->port)) {
        copy = mt_sim_queue_new_frame(&self->queue, frame->bytes, frame->length);
    }
    if (copy == NULL) {
        hal->counters.send_failed++;
        return false;
    }
    hal->counters.sent++;
    self->counters.sent++;
    observe(self, link, frame);
    carry(self, link->port, copy);
    mt_sim_queue_give_back(&self->queue, copy);
    if (frame->is_event) {
        promise_stamp(self, link, frame->token);
    }
    return true;
}

const struct mt_hal_link_ops mt_sim_link_ops = {.send = link_send};
