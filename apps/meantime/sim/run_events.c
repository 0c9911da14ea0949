/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What the timeline says, done to the world.
 */
#include <string.h>

#include "apps/meantime/sim/run_private.h"

static void plug(struct run *self, const struct mt_topology_event *event, bool is_plugged)
{
    for (uint32_t i = 0; i < self->topology->link_count; i++) {
        const struct mt_topology_link *link = &self->topology->links[i];
        for (uint32_t k = 0; k < link->end_count; k++) {
            const struct mt_topology_end *end = &link->ends[k];
            if (end->node == event->index &&
                (event->interface == NULL || strcmp(event->interface, end->interface) == 0)) {
                mt_world_set_plugged(self->world, event->index, end->interface, is_plugged);
            }
        }
    }
}

static void set_up(struct run *self, const struct mt_topology_event *event, bool is_up)
{
    if (event->target == MT_TOPOLOGY_LINK) {
        mt_world_set_segment_up(self->world, event->index, is_up);
    } else {
        mt_world_set_switch_up(self->world, event->index, is_up);
    }
}

/* Load on a link lasts: one burst follows the other without a gap. */
static void load(struct run *self, const struct mt_topology_event *event)
{
    if (event->target == MT_TOPOLOGY_SWITCH) {
        mt_world_switch_config(self->world, event->index)->load = (mt_real)event->amount;
        return;
    }
    struct mt_sim_segment_config *physics = mt_world_segment_config(self->world, event->index);
    physics->burst = event->amount > 0
                         ? (struct mt_sim_burst){.period_ns = MT_NS_PER_S,
                                                 .length_ns = MT_NS_PER_S,
                                                 .jitter_ns = (mt_real)(event->amount * 1e9)}
                         : self->topology->links[event->index].physics.burst;
}

static void change(struct run *self, const struct mt_topology_event *event)
{
    void *physics = NULL;

    switch (event->target) {
    case MT_TOPOLOGY_NODE:
        physics = mt_world_node_config(self->world, event->index);
        break;
    case MT_TOPOLOGY_LINK:
        physics = mt_world_segment_config(self->world, event->index);
        break;
    case MT_TOPOLOGY_SWITCH:
        physics = mt_world_switch_config(self->world, event->index);
        break;
    }
    mt_topology_change(event->key, event->value, event->target, physics);
}

void mt_run_happen(struct run *self, const struct mt_topology_event *event)
{
    switch (event->verb) {
    case MT_TOPOLOGY_KILL:
        mt_run_kill(self, event->index);
        return;
    case MT_TOPOLOGY_STOP:
        mt_run_stop(self, event->index);
        return;
    case MT_TOPOLOGY_START:
        mt_run_start(self, event->index);
        return;
    case MT_TOPOLOGY_UNPLUG:
    case MT_TOPOLOGY_PLUG:
        plug(self, event, event->verb == MT_TOPOLOGY_PLUG);
        return;
    case MT_TOPOLOGY_DOWN:
    case MT_TOPOLOGY_UP:
        set_up(self, event, event->verb == MT_TOPOLOGY_UP);
        return;
    case MT_TOPOLOGY_STEP:
        if (self->nodes[event->index].composition != NULL) {
            mt_world_step_clock(self->world, event->index, 0,
                                mt_span_from_real((mt_real)event->amount));
        }
        return;
    case MT_TOPOLOGY_LIE:
        mt_world_set_lie(self->world, event->index, (mt_real)event->amount, (mt_real)event->rate);
        return;
    case MT_TOPOLOGY_LOAD:
        load(self, event);
        return;
    case MT_TOPOLOGY_TEMPERATURE:
        mt_world_set_temperature(self->world, event->index, (mt_real)event->amount,
                                 event->within_ns);
        return;
    case MT_TOPOLOGY_SET:
        change(self, event);
        return;
    case MT_TOPOLOGY_LEAP: /* it has been in the world's diary from the start */
        return;
    }
}
