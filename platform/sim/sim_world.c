/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The world: one queue of inputs, and nodes that are called when one of theirs is due.
 *
 * A node's deadline is an event like any other.  The queue holds at most one that counts for each
 * node (`wake_t_ns`); when it comes up and the deadline has meanwhile moved away, it is put
 * back; when the deadline has come nearer, a new one is added and the old one is ignored later.
 * So a node whose timers move with each frame costs little.
 */
#include "platform/sim/sim_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "platform/sim/sim_private.h"
#include "runtime/loop.h"

#define EPOCH_NS        (MT_WORLD_EPOCH_S * MT_NS_PER_S)
#define IDLE_WAKES_MOST 1000

/* ---- time ------------------------------------------------------------------------------------ */

struct mt_base_time mt_sim_base(const struct mt_world *self)
{
    return (struct mt_base_time){EPOCH_NS + self->t_ns, 0};
}

struct mt_base_time mt_sim_base_plus(struct mt_base_time base, struct mt_interval by)
{
    int64_t whole_ns = mt_interval_to_ns(by);
    int64_t frac = by.q16 - whole_ns * 65536 + base.frac;

    return (struct mt_base_time){base.ns + whole_ns + (frac >> 16), (uint16_t)(frac & 0xFFFF)};
}

int64_t mt_sim_t_of(struct mt_base_time base)
{
    return base.ns - EPOCH_NS + (base.frac != 0);
}

int64_t mt_world_t_ns(const struct mt_world *self)
{
    return self->t_ns;
}

/* ---- what it is made of ---------------------------------------------------------------------- */

struct mt_world *mt_world_new(uint64_t seed)
{
    struct mt_world *self = calloc(1, sizeof *self);

    if (self != NULL) {
        self->seed = seed;
        mt_sim_noise_init(&self->noise);
    }
    return self;
}

void mt_world_free(struct mt_world *self)
{
    if (self == NULL) {
        return;
    }
    for (uint32_t i = 0; i < self->node_count; i++) {
        mt_sim_node_free(self->nodes[i]);
    }
    for (uint32_t i = 0; i < self->segment_count; i++) {
        free(self->segments[i]->members);
        free(self->segments[i]);
    }
    free(self->nodes);
    free(self->segments);
    mt_sim_queue_free(&self->queue);
    free(self);
}

/* Grows by doubling: the sizes at which to grow follow from the count alone. */
void *mt_sim_grown(void *array, size_t count, size_t element_size)
{
    if ((count & (count - 1)) != 0) {
        return array;
    }
    return realloc(array, (count != 0 ? 2 * count : 1) * element_size);
}

uint32_t mt_world_add_node(struct mt_world *self, const struct mt_sim_node_config *config)
{
    struct mt_sim_node **nodes = mt_sim_grown(self->nodes, self->node_count, sizeof *nodes);
    struct mt_sim_node *node = calloc(1, sizeof *node);

    self->nodes = nodes != NULL ? nodes : self->nodes;
    if (node == NULL || nodes == NULL) {
        free(node);
        return MT_WORLD_NONE;
    }
    nodes[self->node_count] = node;
    node->world = self;
    node->number = self->node_count++;
    node->config = *config;
    mt_sim_node_init(node);
    return node->number;
}

uint32_t mt_world_add_segment(struct mt_world *self, const struct mt_sim_segment_config *config)
{
    struct mt_sim_segment **segments =
        mt_sim_grown(self->segments, self->segment_count, sizeof *segments);
    struct mt_sim_segment *segment = calloc(1, sizeof *segment);

    self->segments = segments != NULL ? segments : self->segments;
    if (segment == NULL || segments == NULL) {
        free(segment);
        return MT_WORLD_NONE;
    }
    segments[self->segment_count] = segment;
    segment->config = *config;
    segment->is_up = true;
    mt_sim_stream(&segment->prng, self->seed, MT_SIM_STREAM_SEGMENT, self->segment_count);
    return self->segment_count++;
}

/* Puts a port into the lists of its segment and of its node. */
static bool list_port(struct mt_sim_segment *segment, struct mt_sim_node *node,
                      struct mt_sim_port *port)
{
    struct mt_sim_port **members =
        mt_sim_grown(segment->members, segment->member_count, sizeof(struct mt_sim_port *));
    struct mt_sim_port **ports =
        mt_sim_grown(node->ports, node->port_count, sizeof(struct mt_sim_port *));

    segment->members = members != NULL ? members : segment->members;
    node->ports = ports != NULL ? ports : node->ports;
    if (members == NULL || ports == NULL) {
        return false;
    }
    members[segment->member_count++] = port;
    ports[node->port_count++] = port;
    return true;
}

bool mt_world_join(struct mt_world *self, uint32_t segment, uint32_t node, const char *interface)
{
    struct mt_sim_segment *joined = self->segments[segment];
    struct mt_sim_node *owner = self->nodes[node];

    if (strlen(interface) > MT_WORLD_NAME_MAX || owner->port_count == UINT8_MAX ||
        mt_sim_find_port(owner, interface) != NULL) {
        return false;
    }
    struct mt_sim_port *port = calloc(1, sizeof *port);
    if (port == NULL) {
        return false;
    }
    *port = (struct mt_sim_port){
        .node = node,
        .segment = segment,
        .order = joined->member_count,
        .number = owner->port_count,
        .is_plugged = true,
    };
    strcpy(port->name, interface);
    if (!list_port(joined, owner, port)) {
        free(port);
        return false;
    }
    return true;
}

struct mt_sim_node_config *mt_world_node_config(struct mt_world *self, uint32_t node)
{
    return &self->nodes[node]->config;
}

struct mt_sim_segment_config *mt_world_segment_config(struct mt_world *self, uint32_t segment)
{
    return &self->segments[segment]->config;
}

void mt_world_observe(struct mt_world *self, const struct mt_world_observer *observer)
{
    self->observer = *observer;
}

const struct mt_world_counters *mt_world_count(const struct mt_world *self)
{
    return &self->counters;
}

/* ---- running --------------------------------------------------------------------------------- */

void mt_sim_complain(struct mt_world *self, const char *sentence)
{
    if (self->complaint[0] == '\0') {
        snprintf(self->complaint, sizeof self->complaint, "%s", sentence);
    }
}

const char *mt_world_complaint(const struct mt_world *self)
{
    return self->complaint;
}

void mt_sim_post(struct mt_world *self, int64_t t_ns, const struct mt_sim_event *event)
{
    struct mt_sim_event living = *event;

    living.life = self->nodes[event->node]->life;
    if (!mt_sim_queue_add(&self->queue, t_ns, &living)) {
        mt_sim_complain(self, "out of memory for what will happen");
    }
}

struct mt_hal_provider *mt_world_provider(struct mt_world *self, uint32_t node)
{
    return &self->nodes[node]->provider;
}

/* When a node wants to be called, or now if that is past. */
static int64_t deadline_t_ns(const struct mt_world *self, const struct mt_sim_node *node)
{
    struct mt_mono deadline = mt_node_deadline(node->runtime);

    if (deadline.ns == MT_MONO_NEVER.ns) {
        return MT_SIM_FOREVER;
    }
    int64_t t_ns = deadline.ns - mt_sim_node_boot_ns(node);
    return t_ns > self->t_ns ? t_ns : self->t_ns;
}

static void arm(struct mt_world *self, struct mt_sim_node *node)
{
    int64_t t_ns = node->runtime != NULL ? deadline_t_ns(self, node) : MT_SIM_FOREVER;

    if (t_ns < node->wake_t_ns) {
        node->wake_t_ns = t_ns;
        mt_sim_post(self, t_ns, &(struct mt_sim_event){.node = node->number});
    }
}

/* False if the wake-up is void or too early. */
static bool is_due(struct mt_world *self, struct mt_sim_node *node)
{
    if (node->wake_t_ns != self->t_ns) {
        return false;
    }
    node->wake_t_ns = MT_SIM_FOREVER;
    if (deadline_t_ns(self, node) > self->t_ns) {
        arm(self, node);
        return false;
    }
    node->idle_wakes = node->last_wake_t_ns == self->t_ns ? node->idle_wakes + 1 : 0;
    node->last_wake_t_ns = self->t_ns;
    if (node->idle_wakes > IDLE_WAKES_MOST) {
        mt_sim_complain(self, "a node asks to be called again and again while no time passes");
    }
    return true;
}

static void take_place(struct mt_world *self, const struct mt_sim_event *event)
{
    struct mt_sim_node *node = self->nodes[event->node];

    if (node->runtime == NULL || event->life != node->life ||
        (event->kind == MT_INPUT_NONE && !is_due(self, node))) {
        return;
    }
    self->counters.steps++;
    self->counters.delivered += event->kind == MT_INPUT_FRAME;
    node->pending = *event;
    node->has_pending = true;
    mt_loop_once(node->runtime, node->waits_by);
    arm(self, node);
}

void mt_world_start(struct mt_world *self, uint32_t node, struct mt_node *runtime,
                    struct mt_hal_wait *wait)
{
    self->nodes[node]->runtime = runtime;
    self->nodes[node]->waits_by = wait;
    arm(self, self->nodes[node]);
}

void mt_world_kill(struct mt_world *self, uint32_t node)
{
    mt_sim_node_forget(self->nodes[node]);
}

bool mt_world_run_until(struct mt_world *self, int64_t t_ns)
{
    struct mt_sim_event event;

    for (uint32_t i = 0; i < self->node_count; i++) {
        arm(self, self->nodes[i]); /* commands may have moved its deadline */
    }
    while (self->complaint[0] == '\0' && mt_sim_queue_next_t(&self->queue) <= t_ns) {
        self->t_ns = mt_sim_queue_next_t(&self->queue);
        mt_sim_queue_take(&self->queue, &event);
        take_place(self, &event);
        mt_sim_queue_give_back(&self->queue, event.frame);
    }
    if (self->complaint[0] == '\0' && t_ns > self->t_ns) {
        self->t_ns = t_ns;
    }
    return self->complaint[0] == '\0';
}

/* ---- faults ---------------------------------------------------------------------------------- */

void mt_world_set_plugged(struct mt_world *self, uint32_t node, const char *interface,
                          bool is_plugged)
{
    struct mt_sim_port *port = mt_sim_find_port(self->nodes[node], interface);

    if (port != NULL && port->is_plugged != is_plugged) {
        port->is_plugged = is_plugged;
        mt_sim_port_tell(self, port);
    }
}

void mt_world_set_segment_up(struct mt_world *self, uint32_t segment, bool is_up)
{
    struct mt_sim_segment *changed = self->segments[segment];

    if (changed->is_up == is_up) {
        return;
    }
    changed->is_up = is_up;
    for (uint32_t i = 0; i < changed->member_count; i++) {
        mt_sim_port_tell(self, changed->members[i]);
    }
}

void mt_world_set_part(struct mt_world *self, uint32_t node, const char *interface, uint32_t part)
{
    struct mt_sim_port *port = mt_sim_find_port(self->nodes[node], interface);

    if (port != NULL) {
        port->part = part;
    }
}

void mt_world_step_clock(struct mt_world *self, uint32_t node, uint16_t clock, struct mt_span by)
{
    if (clock < self->nodes[node]->clock_count) {
        mt_sim_clock_disturb(self->nodes[node]->clocks[clock], by);
    }
}

/* ---- the truth ------------------------------------------------------------------------------- */

/* True time as a clock of this timescale should read it. */
static struct mt_instant true_time(const struct mt_world *self, enum mt_timescale scale)
{
    struct mt_instant now = mt_instant_from_ns(mt_sim_base(self).ns, scale);

    if (scale == MT_SCALE_UTC || scale == MT_SCALE_SMEARED_UTC) {
        now.s -= MT_WORLD_TAI_MINUS_UTC;
    }
    return now;
}

struct mt_span mt_world_true_offset(const struct mt_world *self, uint32_t node, uint16_t clock)
{
    const struct mt_sim_node *owner = self->nodes[node];

    if (clock >= owner->clock_count) {
        return (struct mt_span){0, 0, 0};
    }
    struct mt_instant reading = mt_sim_clock_stamp(owner->clocks[clock], mt_sim_base(self)).at;
    return mt_instant_minus(reading, true_time(self, reading.scale));
}

bool mt_world_read_page(const struct mt_world *self, uint32_t node, uint16_t clock,
                        struct mt_world_reading *ret_reading)
{
    const struct mt_clock_page *page = &self->nodes[node]->pages[clock];
    struct mt_instant anchor = {page->anchor_s, page->anchor_ns, page->anchor_frac,
                                (enum mt_timescale)page->scale};

    if (page->magic != MT_CLOCK_PAGE_MAGIC) {
        return false;
    }
    int64_t elapsed_ns = mt_sim_base(self).ns - page->base_at_anchor_ns;
    mt_real more_s = (mt_real)elapsed_ns * ((mt_real)page->rate_q64 / 18446744073709551616.0) / 1e9;
    struct mt_span more = mt_span_plus(mt_span_from_ns(elapsed_ns), mt_span_from_real(more_s));
    struct mt_span error =
        mt_instant_minus(mt_instant_plus(anchor, more), true_time(self, anchor.scale));
    *ret_reading = (struct mt_world_reading){
        .error_ns = mt_span_to_ns(error),
        .bound_ns =
            page->bound_ns + (int64_t)((mt_real)page->bound_growth_ppb * (mt_real)elapsed_ns / 1e9),
        .reference = (enum mt_bound_reference)page->bound_reference,
        .has_bound =
            page->bound_reference == MT_BOUND_SOURCE || page->bound_reference == MT_BOUND_TRACEABLE,
        .is_stale = mt_sim_base(self).ns > page->valid_until_base_ns,
        .state = (enum mt_clock_state)page->state,
    };
    memcpy(ret_reading->grandmaster.octet, page->grandmaster, sizeof page->grandmaster);
    return true;
}
