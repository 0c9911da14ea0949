/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Switches.  What waits in front of a port is worked out only when one of our frames gets there:
 * the other traffic since the last one, frame by frame, as a Lindley recursion (the backlog falls
 * with time and rises by one frame's time at each arrival, unless the queue is full).  A queue
 * forgets: at load r it is in its stationary state after some 1/(1 - sqrt(r))^2 frames, so only
 * the last RELAXATIONS times as many are played, from an empty queue.  In overload it never
 * forgets, but stays full: the play begins there.
 *
 * They learn: a frame for one receiver is flooded only until that one has been heard.
 *
 * A frame is stamped at its beginning, so it leaves one frame's time after it has come.
 *
 * A transparent one is a one-step end-to-end transparent clock in hardware [1588-2019 10.2].  A
 * frame that leaves by several ports has a copy for each, since it is held for longer at some.
 */
#include <stdlib.h>

#include "platform/sim/sim_private.h"

#define OVERHEAD_OCTETS   66 /* UDP, IPv4, Ethernet with its check, preamble and gap */
#define LEAST_OCTETS      84 /* the smallest frame on the wire */
#define LARGEST_OCTETS    1538
#define RELAXATIONS       16
#define FRAMES_PLAYED_MAX 20000
#define HOPS_MAX          32
#define CORRECTION_AT     8
#define CORRECTION_SIZE   8

static mt_real time_of_ns(const struct mt_sim_switch_config *config, mt_real octets)
{
    return config->rate_bps > 0 ? octets * 8e9 / config->rate_bps : 0;
}

static mt_real octets_on_wire(const struct mt_sim_frame *frame)
{
    int octets = frame->length + OVERHEAD_OCTETS;

    return octets > LEAST_OCTETS ? octets : LEAST_OCTETS;
}

static mt_real other_frame_ns(const struct mt_sim_switch_config *config)
{
    return time_of_ns(config, config->load_octets > 0 ? config->load_octets : LARGEST_OCTETS);
}

static mt_real limit_ns(const struct mt_sim_switch_config *config)
{
    return config->queue_octets > 0 ? time_of_ns(config, config->queue_octets) : 1e18;
}

mt_real mt_sim_switch_frame_ns(const struct mt_sim_switch *self, const struct mt_sim_frame *frame)
{
    return time_of_ns(&self->config, octets_on_wire(frame));
}

/* ---- other traffic --------------------------------------------------------------------------- */

/* For how long the past matters. */
static mt_real memory_ns(const struct mt_sim_switch_config *config)
{
    mt_real slack = config->load < 1 ? 1 - mt_real_sqrt(config->load) : 0;
    mt_real frames = RELAXATIONS / (slack * slack + RELAXATIONS / (mt_real)FRAMES_PLAYED_MAX);

    return frames * other_frame_ns(config) / config->load;
}

static void play_load(struct mt_sim_egress *self, const struct mt_sim_switch_config *config,
                      mt_real elapsed_ns)
{
    mt_real frame_ns = other_frame_ns(config);
    mt_real room_ns = limit_ns(config) - frame_ns;
    mt_real memory = memory_ns(config);

    if (elapsed_ns > memory) {
        elapsed_ns = memory;
        self->backlog_ns = config->load < 1 || config->queue_octets == 0 ? 0 : room_ns;
    }
    for (;;) {
        mt_real gap_ns = mt_sim_exponential(&self->prng) * frame_ns / config->load;

        if (gap_ns >= elapsed_ns) {
            break;
        }
        elapsed_ns -= gap_ns;
        self->backlog_ns = self->backlog_ns > gap_ns ? self->backlog_ns - gap_ns : 0;
        self->backlog_ns += self->backlog_ns <= room_ns ? frame_ns : 0;
    }
    self->backlog_ns = self->backlog_ns > elapsed_ns ? self->backlog_ns - elapsed_ns : 0;
}

/* The queue as it is at `now_ns`; our frames come in the order of this or nearly so. */
static void bring_up(struct mt_sim_egress *self, const struct mt_sim_switch_config *config,
                     int64_t now_ns)
{
    mt_real elapsed_ns = now_ns > self->seen_ns ? (mt_real)(now_ns - self->seen_ns) : 0;
    bool plays = config->load > 0 && config->rate_bps > 0 && !config->prefers_ptp;

    self->seen_ns = now_ns > self->seen_ns ? now_ns : self->seen_ns;
    if (plays) {
        play_load(self, config, elapsed_ns);
    } else {
        self->backlog_ns = self->backlog_ns > elapsed_ns ? self->backlog_ns - elapsed_ns : 0;
    }
}

/* With priority, our frame waits for ours, and for what is left of another one at its start. */
static mt_real residue_ns(struct mt_sim_egress *self, const struct mt_sim_switch_config *config)
{
    if (!config->prefers_ptp || self->backlog_ns > 0 || !mt_sim_chance(&self->prng, config->load)) {
        return 0;
    }
    return mt_sim_uniform(&self->prng) * other_frame_ns(config);
}

/* ---- forwarding ------------------------------------------------------------------------------ */

/* The frame with the correction; null: no memory. */
static struct mt_sim_frame *corrected(struct mt_world *self, const struct mt_sim_frame *frame,
                                      int64_t held_q16)
{
    struct mt_sim_frame *copy = mt_sim_queue_new_frame(&self->queue, frame->bytes, frame->length);
    uint64_t correction = 0;

    if (copy == NULL) {
        return NULL;
    }
    copy->is_event = frame->is_event;
    copy->from = frame->from;
    copy->to = frame->to;
    copy->sender = frame->sender;
    copy->vlan = frame->vlan;
    copy->departure = frame->departure;
    for (unsigned i = 0; i < CORRECTION_SIZE; i++) {
        correction = correction << 8 | copy->bytes[CORRECTION_AT + i];
    }
    correction += (uint64_t)held_q16;
    for (unsigned i = 0; i < CORRECTION_SIZE; i++) {
        copy->bytes[CORRECTION_AT + i] = (uint8_t)(correction >> (56 - 8 * i));
    }
    return copy;
}

static void carry_on(struct mt_world *self, const struct mt_sim_switch *through,
                     const struct mt_sim_port *port, struct mt_base_time departure,
                     const struct mt_sim_event *event)
{
    const struct mt_sim_frame *frame = event->frame;
    uint8_t hops = (uint8_t)(event->hops + 1);
    int64_t held_q16 =
        (departure.ns - event->arrival.ns) * 65536 + departure.frac - event->arrival.frac;
    struct mt_sim_frame *copy = NULL;

    if (through->config.is_transparent && frame->is_event && frame->udp_port == 0 &&
        frame->length >= CORRECTION_AT + CORRECTION_SIZE) {
        copy = corrected(self, frame, held_q16);
    }
    mt_sim_carry(self, port, departure, copy != NULL ? copy : event->frame, hops);
    mt_sim_queue_give_back(&self->queue, copy);
}

static void leave(struct mt_world *self, const struct mt_sim_switch *through,
                  const struct mt_sim_port *port, const struct mt_sim_event *event)
{
    const struct mt_sim_switch_config *config = &through->config;
    struct mt_sim_egress *egress = port->egress;
    mt_real frame_ns = mt_sim_switch_frame_ns(through, event->frame);
    struct mt_base_time ready = mt_sim_base_plus_ns(event->arrival, frame_ns + config->latency_ns);

    bring_up(egress, config, ready.ns);
    if (egress->backlog_ns + frame_ns > limit_ns(config)) {
        self->counters.dropped++;
        return;
    }
    egress->backlog_ns += residue_ns(egress, config);
    carry_on(self, through, port, mt_sim_base_plus_ns(ready, egress->backlog_ns), event);
    egress->backlog_ns += frame_ns;
}

/* Without memory it learns nothing, and goes on flooding. */
static void learn(struct mt_sim_switch *self, const struct mt_sim_event *event)
{
    uint32_t serial = event->frame->from->serial;

    if (serial >= self->learned_count) {
        uint32_t count = 2 * (serial + 1);
        const struct mt_sim_port **grown = realloc(self->learned, count * sizeof *grown);

        if (grown == NULL) {
            return;
        }
        for (uint32_t i = self->learned_count; i < count; i++) {
            grown[i] = NULL;
        }
        self->learned = grown;
        self->learned_count = count;
    }
    self->learned[serial] = event->port;
}

/* A frame for one receiver leaves by one port, once that receiver has been heard. */
static bool may_leave(const struct mt_sim_switch *self, const struct mt_sim_port *port,
                      const struct mt_sim_frame *frame)
{
    const struct mt_sim_port *only = frame->to != NULL && frame->to->serial < self->learned_count
                                         ? self->learned[frame->to->serial]
                                         : NULL;

    return only == NULL || only == port;
}

void mt_sim_switch_forward(struct mt_world *self, const struct mt_sim_event *event)
{
    struct mt_sim_switch *through = event->port->at_switch;

    if (event->hops >= HOPS_MAX) {
        mt_sim_complain(self, "switches form a loop: a frame has passed too many of them");
        return;
    }
    learn(through, event);
    for (uint32_t i = 0; !through->is_down && i < through->port_count; i++) {
        const struct mt_sim_port *port = through->ports[i];

        if (port != event->port && may_leave(through, port, event->frame) &&
            mt_sim_port_is_up(self, port)) {
            leave(self, through, port, event);
        }
    }
}
