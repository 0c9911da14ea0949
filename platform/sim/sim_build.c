/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Building a world and taking it down.  Everything has a number that never changes and a random
 * stream named after it, so what is added later disturbs nothing that is there.
 */
#include <stdlib.h>
#include <string.h>

#include "platform/sim/sim_private.h"

struct mt_world *mt_world_new(uint64_t seed)
{
    struct mt_world *self = calloc(1, sizeof *self);

    if (self != NULL) {
        self->seed = seed;
        self->tai_minus_utc_s = MT_WORLD_TAI_MINUS_UTC;
        mt_sim_noise_init(&self->noise);
    }
    return self;
}

static void free_switch(struct mt_sim_switch *freed)
{
    for (uint32_t i = 0; i < freed->port_count; i++) {
        free(freed->ports[i]->egress);
        free(freed->ports[i]);
    }
    free(freed->learned);
    free(freed->ports);
    free(freed);
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
    for (uint32_t i = 0; i < self->switch_count; i++) {
        free_switch(self->switches[i]);
    }
    free(self->nodes);
    free(self->segments);
    free(self->switches);
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
    mt_sim_stream(&segment->burst.prng, self->seed, MT_SIM_STREAM_BURST, self->segment_count);
    return self->segment_count++;
}

uint32_t mt_world_add_switch(struct mt_world *self, const struct mt_sim_switch_config *config)
{
    struct mt_sim_switch **switches =
        mt_sim_grown(self->switches, self->switch_count, sizeof *switches);
    struct mt_sim_switch *added = calloc(1, sizeof *added);

    self->switches = switches != NULL ? switches : self->switches;
    if (added == NULL || switches == NULL) {
        free(added);
        return MT_WORLD_NONE;
    }
    switches[self->switch_count] = added;
    added->config = *config;
    added->number = self->switch_count;
    return self->switch_count++;
}

/* ---- joining --------------------------------------------------------------------------------- */

static struct mt_sim_port *new_port(const struct mt_world *self, uint32_t segment, uint32_t node)
{
    struct mt_sim_port *port = calloc(1, sizeof *port);
    uint32_t order = self->segments[segment]->member_count;

    if (port != NULL) {
        port->node = node;
        port->segment = segment;
        port->order = order;
        port->is_plugged = true;
        mt_sim_stream(&port->path.prng, self->seed, MT_SIM_STREAM_MEMBER + (order << 8), segment);
    }
    return port;
}

static bool list_port(struct mt_sim_port ***list, size_t count, struct mt_sim_port *port)
{
    struct mt_sim_port **grown = mt_sim_grown(*list, count, sizeof(struct mt_sim_port *));

    *list = grown != NULL ? grown : *list;
    if (grown != NULL) {
        grown[count] = port;
    }
    return grown != NULL;
}

bool mt_world_join(struct mt_world *self, uint32_t segment, uint32_t node, const char *interface)
{
    struct mt_sim_segment *joined = self->segments[segment];
    struct mt_sim_node *owner = self->nodes[node];

    if (strlen(interface) > MT_WORLD_NAME_MAX || owner->port_count == UINT8_MAX ||
        mt_sim_find_port(owner, interface) != NULL) {
        return false;
    }
    struct mt_sim_port *port = new_port(self, segment, node);
    if (port == NULL || !list_port(&joined->members, joined->member_count, port) ||
        !list_port(&owner->ports, owner->port_count, port)) {
        free(port);
        return false;
    }
    port->number = owner->port_count++;
    port->serial = self->serial_count++;
    joined->member_count++;
    strcpy(port->name, interface);
    return true;
}

bool mt_world_join_switch(struct mt_world *self, uint32_t segment, uint32_t number)
{
    struct mt_sim_segment *joined = self->segments[segment];
    struct mt_sim_switch *owner = self->switches[number];
    struct mt_sim_port *port = new_port(self, segment, MT_WORLD_NONE);
    struct mt_sim_egress *egress = calloc(1, sizeof *egress);

    if (port == NULL || egress == NULL ||
        !list_port(&joined->members, joined->member_count, port) ||
        !list_port(&owner->ports, owner->port_count, port)) {
        free(port);
        free(egress);
        return false;
    }
    mt_sim_stream(&egress->prng, self->seed, MT_SIM_STREAM_QUEUE + (port->order << 8), segment);
    port->egress = egress;
    port->at_switch = owner;
    joined->at_switch = owner;
    owner->port_count++;
    joined->member_count++;
    joined->switches_down += owner->is_down;
    return true;
}

/* ---- what is in force ------------------------------------------------------------------------ */

struct mt_sim_node_config *mt_world_node_config(struct mt_world *self, uint32_t node)
{
    return &self->nodes[node]->config;
}

struct mt_sim_segment_config *mt_world_segment_config(struct mt_world *self, uint32_t segment)
{
    return &self->segments[segment]->config;
}

struct mt_sim_switch_config *mt_world_switch_config(struct mt_world *self, uint32_t number)
{
    return &self->switches[number]->config;
}

void mt_world_observe(struct mt_world *self, const struct mt_world_observer *observer)
{
    self->observer = *observer;
}

const struct mt_world_counters *mt_world_count(const struct mt_world *self)
{
    return &self->counters;
}
