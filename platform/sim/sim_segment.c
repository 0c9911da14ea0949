/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Frames on their way.  A frame leaves at once, unless the wire to a switch is still busy with the
 * one that the node has sent before: a Sync that follows an Announce leaves, and is stamped, when
 * that has gone.  Each other interface of the segment gets a copy of its own delay and its own
 * luck.  The stamp of its arrival is what the model says, even if the jitter has made the way
 * shorter than nothing; the node gets the frame when that time has come, and never before it was
 * sent.
 */
#include "platform/sim/sim_private.h"

#define EVENT_PORT   319
#define GENERAL_PORT 320
#define PATIENCE_NS  INT64_C(1000000000) /* after which a missing transmit stamp is given up */

bool mt_sim_port_is_up(const struct mt_world *self, const struct mt_sim_port *port)
{
    const struct mt_sim_segment *segment = self->segments[port->segment];

    return port->is_plugged && segment->is_up && segment->switches_down == 0;
}

void mt_sim_link_tell(const struct mt_sim_link *link)
{
    struct mt_sim_event *event = mt_sim_new_event(link->world, link->node, MT_INPUT_LINK);

    if (event != NULL) {
        event->link = link->index;
        event->has_stamp = true;
        event->is_up = link->port != NULL && mt_sim_port_is_up(link->world, link->port);
        mt_sim_queue_add(&link->world->queue, link->world->t_ns, event);
    }
}

void mt_sim_port_tell(struct mt_world *self, const struct mt_sim_port *port)
{
    for (const struct mt_sim_link *link = port->links; link != NULL; link = link->next_at_port) {
        mt_sim_link_tell(link);
    }
}

/* ---- the way --------------------------------------------------------------------------------- */

static bool is_before(struct mt_base_time a, struct mt_base_time b)
{
    return a.ns != b.ns ? a.ns < b.ns : a.frac < b.frac;
}

/* A frame for a switch, if `at_switch` is not null, or for a link of a node. */
static void hand_over(struct mt_world *self, uint32_t node, struct mt_sim_port *at_switch,
                      uint16_t link, const struct mt_sim_event *model)
{
    struct mt_sim_event *event = mt_sim_new_event(self, node, MT_INPUT_FRAME);
    int64_t t_ns = mt_sim_t_of(model->arrival);

    if (event == NULL) {
        return;
    }
    event->frame = model->frame;
    event->hops = model->hops;
    event->arrival = model->arrival;
    event->stamp = model->stamp;
    event->has_stamp = model->frame->is_event;
    event->link = link;
    event->port = at_switch;
    mt_sim_queue_add(&self->queue, t_ns > self->t_ns ? t_ns : self->t_ns + 1, event);
}

static void deliver_ntp(struct mt_world *self, const struct mt_sim_port *to,
                        const struct mt_sim_event *model)
{
    uint16_t link = 0;

    if (mt_sim_ntp_deliver(self, to, model->frame, &link)) {
        hand_over(self, to->node, NULL, link, model);
    }
}

/* A node's NIC stamps the event messages that arrive; each link above the interface that is of the
 * frame's network gets what arrives. */
static void deliver(struct mt_world *self, struct mt_sim_port *to, struct mt_base_time arrival,
                    struct mt_sim_frame *frame, uint8_t hops)
{
    struct mt_sim_event model = {.arrival = arrival, .frame = frame, .hops = hops};

    if (to->at_switch != NULL) {
        hand_over(self, to->node, to, 0, &model);
        return;
    }
    if (frame->is_event) {
        model.stamp = mt_sim_node_stamp(self->nodes[to->node], arrival);
    }
    if (frame->udp_port != 0) {
        deliver_ntp(self, to, &model);
        return;
    }
    for (const struct mt_sim_link *link = to->links; link != NULL; link = link->next_at_port) {
        if (link->address.network == frame->sender.network && link->vlan == frame->vlan) {
            hand_over(self, to->node, NULL, link->index, &model);
        }
    }
}

/* One copy on its way to one receiver. */
static void travel(struct mt_world *self, const struct mt_sim_port *from, struct mt_sim_port *to,
                   struct mt_base_time departure, struct mt_sim_frame *frame, uint8_t hops,
                   bool is_in_burst)
{
    const struct mt_sim_segment_config *config = &self->segments[from->segment]->config;
    bool is_forward = to->order > from->order;
    mt_real half_ns = is_forward ? config->asymmetry_ns / 2 : -config->asymmetry_ns / 2;
    mt_real jitter_ns =
        mt_sim_path_jitter_ns(&to->path, &self->noise, config, is_forward, is_in_burst);
    struct mt_base_time arrival =
        mt_sim_base_plus_ns(departure, config->delay_ns + half_ns + jitter_ns);

    if (mt_sim_chance(&to->path.prng, config->reordering)) {
        self->counters.reordered++;
        arrival = mt_sim_base_plus_ns(arrival, config->reorder_ns);
    } else if (config->keeps_order) {
        arrival = is_before(arrival, to->last_arrival) ? to->last_arrival : arrival;
        to->last_arrival = arrival;
    }
    deliver(self, to, arrival, frame, hops);
}

void mt_sim_carry(struct mt_world *self, const struct mt_sim_port *from,
                  struct mt_base_time departure, struct mt_sim_frame *frame, uint8_t hops)
{
    struct mt_sim_segment *segment = self->segments[from->segment];
    const struct mt_sim_segment_config *config = &segment->config;
    bool is_in_burst = mt_sim_burst_is_on(&segment->burst, &config->burst, self->t_ns);

    for (uint32_t i = 0; i < segment->member_count; i++) {
        struct mt_sim_port *to = segment->members[i];

        if (to == from || (frame->to != NULL && to->at_switch == NULL && to != frame->to)) {
            continue;
        }
        if (!mt_sim_port_is_up(self, to) || to->part != from->part ||
            mt_sim_path_loses(&to->path, config, is_in_burst)) {
            self->counters.lost++;
            continue;
        }
        travel(self, from, to, departure, frame, hops, is_in_burst);
        if (mt_sim_chance(&to->path.prng, config->duplication)) {
            self->counters.duplicated++;
            travel(self, from, to, departure, frame, hops, is_in_burst);
        }
    }
}

/* ---- sending --------------------------------------------------------------------------------- */

/* The wire has the rate of the switch; where there is none, frames take no time. */
struct mt_base_time mt_sim_departure(const struct mt_world *self, struct mt_sim_port *port,
                                     const struct mt_sim_frame *frame, struct mt_base_time ready)
{
    const struct mt_sim_switch *at_switch = self->segments[port->segment]->at_switch;
    struct mt_sim_node *node = self->nodes[port->node];
    mt_real wait_ns = node->config.egress_wait_ns;
    struct mt_base_time departure = ready;

    if (wait_ns > 0) {
        departure = mt_sim_base_plus_ns(departure, mt_sim_exponential(&node->prng) * wait_ns);
    }
    if (at_switch != NULL || wait_ns > 0) {
        departure = is_before(departure, port->free_from) ? port->free_from : departure;
        port->free_from = departure;
    }
    if (at_switch != NULL) {
        port->free_from = mt_sim_base_plus_ns(departure, mt_sim_switch_frame_ns(at_switch, frame));
    }
    return departure;
}

void mt_sim_promise_stamp(struct mt_world *self, const struct mt_sim_link *link, uint32_t token,
                          struct mt_base_time departure)
{
    struct mt_sim_node *node = self->nodes[link->node];
    const struct mt_sim_node_config *config = &node->config;
    bool is_lost = mt_sim_chance(&node->prng, config->tx_stamp_loss);
    bool is_late = mt_sim_chance(&node->prng, config->tx_stamp_late);
    int64_t after_ns = config->tx_stamp_delay_ns + (is_late ? config->tx_stamp_late_ns : 0);
    struct mt_sim_event *event = mt_sim_new_event(self, link->node, MT_INPUT_TX_STAMP);

    if (event != NULL) {
        event->link = link->index;
        event->token = token;
        event->has_stamp = !is_lost;
        event->stamp = mt_sim_node_stamp(node, departure);
        after_ns += departure.ns - mt_sim_base(self).ns;
        mt_sim_queue_add(&self->queue, self->t_ns + (is_lost ? PATIENCE_NS : after_ns), event);
    }
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
        .to = frame->destination == MT_LINK_ADDRESS ? &frame->to : NULL,
    };

    if (self->observer.frame != NULL) {
        self->observer.frame(self->observer.context, &told);
    }
}

const struct mt_sim_port *mt_sim_find_addressed(const struct mt_world *self,
                                                const struct mt_address *to)
{
    size_t length = mt_address_length(to);
    uint32_t node = length > 0 ? (uint32_t)to->octets[length - 3] << 8 | to->octets[length - 2] : 0;
    const struct mt_sim_port *port = NULL;

    if (length > 0 && node < self->node_count &&
        to->octets[length - 1] < self->nodes[node]->port_count) {
        port = self->nodes[node]->ports[to->octets[length - 1]];
    }
    if (port != NULL) {
        struct mt_address address = mt_sim_port_address(port, (enum mt_network)to->network);

        port = mt_address_equal(&address, to) ? port : NULL;
    }
    return port;
}

static uint16_t udp_port_of(const struct mt_sim_link *link, bool is_event)
{
    if (link->address.network == MT_NETWORK_IEEE_802_3) {
        return 0;
    }
    return is_event ? EVENT_PORT : GENERAL_PORT;
}

/* A frame as it leaves; null: the network refuses it, or there is no memory. */
static struct mt_sim_frame *new_frame(struct mt_world *self, const struct mt_sim_link *link,
                                      const struct mt_link_frame *frame)
{
    bool is_addressed = frame->destination == MT_LINK_ADDRESS;
    struct mt_sim_frame *copy = NULL;

    if (link->port != NULL && mt_sim_port_is_up(self, link->port) &&
        (!is_addressed || frame->to.network == link->address.network)) {
        copy = mt_sim_queue_new_frame(&self->queue, frame->bytes, frame->length);
    }
    if (copy != NULL) {
        copy->is_event = frame->is_event;
        copy->from = link->port;
        copy->to = is_addressed ? mt_sim_find_addressed(self, &frame->to) : NULL;
        copy->sender = link->address;
        copy->sender.udp_port = udp_port_of(link, frame->is_event);
        copy->vlan = link->vlan;
    }
    return copy;
}

static bool link_send(struct mt_hal_link *hal, const struct mt_link_frame *frame)
{
    struct mt_sim_link *link = (struct mt_sim_link *)hal;
    struct mt_world *self = link->world;
    struct mt_sim_frame *copy = new_frame(self, link, frame);

    if (copy == NULL) {
        hal->counters.send_failed++;
        return false;
    }
    hal->counters.sent++;
    self->counters.sent++;
    observe(self, link, frame);
    struct mt_base_time departure = mt_sim_departure(self, link->port, copy, mt_sim_base(self));
    copy->departure = departure;
    if (frame->insertion != MT_INSERT_NOTHING) {
        mt_sim_insert(self->nodes[link->node], frame, departure, copy->bytes);
    }
    if (frame->destination == MT_LINK_ADDRESS && copy->to == NULL) {
        self->counters.lost++; /* nobody has that address */
    } else {
        mt_sim_carry(self, link->port, departure, copy, 0);
    }
    mt_sim_queue_give_back(&self->queue, copy);
    if (frame->is_event && frame->token != 0) {
        mt_sim_promise_stamp(self, link, frame->token, departure);
    }
    return true;
}

const struct mt_hal_link_ops mt_sim_link_ops = {.send = link_send};
