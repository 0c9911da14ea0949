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

#include <stddef.h>
#include <stdio.h>

#include "platform/sim/sim_private.h"
#include "runtime/loop.h"

#define EPOCH_NS        (MT_WORLD_EPOCH_S * MT_NS_PER_S)
#define IDLE_WAKES_MOST 1000
#define CACHE_LINE      64
#define PORT_HOT        offsetof(struct mt_port, foreign)

/* ---- time ------------------------------------------------------------------------------------ */

struct mt_base_time mt_sim_base(const struct mt_world *self)
{
    return (struct mt_base_time){.ns = EPOCH_NS + self->t_ns};
}

struct mt_base_time mt_sim_base_plus(struct mt_base_time base, struct mt_interval by)
{
    int64_t whole_ns = mt_interval_to_ns(by);
    int64_t frac = by.q16 - whole_ns * 65536 + base.frac;

    return (struct mt_base_time){base.ns + whole_ns + (frac >> 16), (uint16_t)(frac & 0xFFFF), 0};
}

struct mt_base_time mt_sim_base_plus_ns(struct mt_base_time base, mt_real by_ns)
{
    return mt_sim_base_plus(base, (struct mt_interval){mt_sim_q16(by_ns)});
}

int64_t mt_sim_t_of(struct mt_base_time base)
{
    return base.ns - EPOCH_NS + (base.frac != 0);
}

int64_t mt_world_t_ns(const struct mt_world *self)
{
    return self->t_ns;
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

struct mt_sim_event *mt_sim_new_event(struct mt_world *self, uint32_t node, enum mt_input_kind kind)
{
    struct mt_sim_event *event = mt_sim_queue_new_event(&self->queue);

    if (event == NULL) {
        mt_sim_complain(self, "out of memory for what will happen");
        return NULL;
    }
    event->node = node;
    event->life = node != MT_WORLD_NONE ? self->nodes[node]->life : 0;
    event->kind = (uint8_t)kind;
    return event;
}

struct mt_hal_provider *mt_world_provider(struct mt_world *self, uint32_t node)
{
    return &self->nodes[node]->provider;
}

/* When a node wants to be called, or now if that is past.  Once it may run again, what lies in wait
 * comes first. */
static int64_t deadline_t_ns(const struct mt_world *self, const struct mt_sim_node *node)
{
    struct mt_mono deadline = node->program != NULL
                                  ? node->program->deadline(node->program->context)
                                  : mt_node_deadline(node->runtime);

    if (deadline.ns == MT_MONO_NEVER.ns) {
        return MT_SIM_FOREVER;
    }
    int64_t t_ns = deadline.ns - mt_sim_node_boot_ns(node);
    t_ns = t_ns > self->t_ns ? t_ns : self->t_ns;
    return t_ns >= node->resumes_t_ns ? t_ns : node->resumes_t_ns + 1;
}

static bool is_running(const struct mt_sim_node *node)
{
    return node->runtime != NULL || node->program != NULL;
}

static void arm(struct mt_world *self, struct mt_sim_node *node)
{
    int64_t t_ns = is_running(node) ? deadline_t_ns(self, node) : MT_SIM_FOREVER;

    if (t_ns < node->wake_t_ns) {
        struct mt_sim_event *event = mt_sim_new_event(self, node->number, MT_INPUT_NONE);

        if (event != NULL) {
            node->wake_t_ns = t_ns;
            mt_sim_queue_add(&self->queue, t_ns, event);
        }
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

static void tell_arrival(const struct mt_world *self, const struct mt_sim_event *event)
{
    const struct mt_sim_frame *frame = event->frame;
    const struct mt_sim_link *link = self->nodes[event->node]->links[event->link];
    const struct mt_world_arrival told = {
        .t_ns = self->t_ns,
        .node = event->node,
        .interface = link->port->name,
        .from_node = frame->from->node,
        .from_interface = frame->from->name,
        .departure = frame->departure,
        .arrival = event->arrival,
        .bytes = frame->bytes,
        .length = frame->length,
    };

    self->observer.arrival(self->observer.context, &told);
}

static void put_off(struct mt_world *self, const struct mt_sim_node *node,
                    const struct mt_sim_event *event)
{
    struct mt_sim_event *again = mt_sim_new_event(self, event->node, event->kind);

    if (again != NULL) {
        *again = *event;
        mt_sim_queue_add(&self->queue, node->resumes_t_ns, again);
    }
}

static void take_place(struct mt_world *self, const struct mt_sim_event *event)
{
    if (event->port != NULL) {
        mt_sim_switch_forward(self, event);
        return;
    }
    struct mt_sim_node *node = self->nodes[event->node];

    if (!is_running(node) || event->life != node->life ||
        (event->kind == MT_INPUT_NONE && !is_due(self, node))) {
        return;
    }
    if (self->t_ns < node->resumes_t_ns) {
        put_off(self, node, event);
        return;
    }
    self->counters.delivered += event->kind == MT_INPUT_FRAME;
    if (mt_sim_ntp_is_question(event)) {
        mt_sim_ntp_serve(node, event);
        return;
    }
    self->counters.steps++;
    if (self->observer.arrival != NULL && event->kind == MT_INPUT_FRAME && event->frame->is_event &&
        event->frame->udp_port == 0) {
        tell_arrival(self, event);
    }
    node->pending = event;
    if (event->kind == MT_INPUT_FRAME && node->links[event->link]->is_refclock) {
        mt_sim_refclock_next(node, event->link);
    }
    if (event->kind == MT_INPUT_FRAME && node->links[event->link]->hears != MT_SIM_HEARS_NOTHING) {
        mt_sim_gnss_next(node, event->link);
    }
    if (event->kind == MT_INPUT_FRAME) {
        mt_sim_thermometer_next(node, event->link);
    }
    if (node->program != NULL) {
        node->program->once(node->program->context);
    } else {
        mt_loop_once(node->runtime, node->waits_by);
    }
    arm(self, node);
}

/* Asks for what the next event will look at, while this one takes place: a world of hundreds of
 * nodes is larger than the nearest cache. */
static void fetch(const void *object, size_t size)
{
    for (size_t i = 0; i < size; i += CACHE_LINE) {
        __builtin_prefetch((const char *)object + i);
    }
}

static void fetch_for(const struct mt_world *self, const struct mt_sim_event *event)
{
    if (event == NULL || event->port != NULL) {
        return;
    }
    const struct mt_sim_node *node = self->nodes[event->node];
    const struct mt_node *runtime = node->runtime;

    if (runtime == NULL || runtime->instance_count == 0 || node->clock_count == 0) {
        return;
    }
    const struct mt_node_instance *instance = runtime->instances;
    const struct mt_sim_clock *clock = node->clocks[0];

    fetch(instance, sizeof *instance);
    fetch(runtime->clocks, sizeof *runtime->clocks);
    fetch(&clock->pieces[clock->corrections % MT_SIM_CLOCK_PAST], sizeof *clock->pieces);
    if (event->link < instance->ptp.port_count) {
        fetch(&instance->ptp.ports[event->link], PORT_HOT);
    }
}

void mt_world_start(struct mt_world *self, uint32_t node, struct mt_node *runtime,
                    struct mt_hal_wait *wait)
{
    self->nodes[node]->runtime = runtime;
    self->nodes[node]->waits_by = wait;
    arm(self, self->nodes[node]);
}

void mt_world_start_program(struct mt_world *self, uint32_t node,
                            const struct mt_sim_program *program)
{
    self->nodes[node]->program = program;
    arm(self, self->nodes[node]);
}

void mt_world_kill(struct mt_world *self, uint32_t node)
{
    mt_sim_node_forget(self->nodes[node]);
}

bool mt_world_run_until(struct mt_world *self, int64_t t_ns)
{
    for (uint32_t i = 0; i < self->node_count; i++) {
        mt_sim_node_reconfigure(self->nodes[i]);
        arm(self, self->nodes[i]); /* commands may have moved its deadline */
    }
    while (self->complaint[0] == '\0' && mt_sim_queue_next_t(&self->queue) <= t_ns) {
        self->t_ns = mt_sim_queue_next_t(&self->queue);
        struct mt_sim_event *event = mt_sim_queue_take(&self->queue);
        fetch_for(self, mt_sim_queue_next(&self->queue));
        take_place(self, event);
        mt_sim_queue_end_event(&self->queue, event);
    }
    if (self->complaint[0] == '\0' && t_ns > self->t_ns) {
        self->t_ns = t_ns;
    }
    return self->complaint[0] == '\0';
}
