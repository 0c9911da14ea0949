/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What goes wrong in a world, by order of the caller.  What a real machine would notice is told as
 * an input; the rest shows only in stamps and readings.
 */
#include "platform/sim/sim_private.h"

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

void mt_world_set_switch_up(struct mt_world *self, uint32_t number, bool is_up)
{
    struct mt_sim_switch *changed = self->switches[number];

    if (changed->is_down == !is_up) {
        return;
    }
    changed->is_down = !is_up;
    for (uint32_t i = 0; i < changed->port_count; i++) {
        struct mt_sim_segment *segment = self->segments[changed->ports[i]->segment];

        segment->switches_down += is_up ? UINT32_MAX : 1;
        for (uint32_t k = 0; k < segment->member_count; k++) {
            mt_sim_port_tell(self, segment->members[k]);
        }
    }
}

void mt_world_set_part(struct mt_world *self, uint32_t node, const char *interface, uint32_t part)
{
    struct mt_sim_port *port = mt_sim_find_port(self->nodes[node], interface);

    if (port != NULL) {
        port->part = part;
    }
}

void mt_world_stall(struct mt_world *self, uint32_t node, int64_t for_ns)
{
    self->nodes[node]->resumes_t_ns = self->t_ns + for_ns;
}

void mt_world_step_clock(struct mt_world *self, uint32_t node, uint16_t clock, struct mt_span by)
{
    if (clock < self->nodes[node]->clock_count) {
        mt_sim_clock_disturb(self->nodes[node]->clocks[clock], by);
    }
}

void mt_world_set_temperature(struct mt_world *self, uint32_t node, mt_real kelvin,
                              int64_t within_ns)
{
    struct mt_sim_node *changed = self->nodes[node];

    mt_sim_node_reconfigure(changed);
    struct mt_sim_drift_terms terms = changed->terms;
    terms.kelvin = kelvin;
    terms.within_ns = within_ns > 0 ? within_ns : 0;
    mt_sim_node_drift(changed, &terms, false);
}

void mt_world_set_lie(struct mt_world *self, uint32_t node, mt_real offset_s, mt_real frequency)
{
    struct mt_sim_node *changed = self->nodes[node];

    mt_sim_node_reconfigure(changed);
    struct mt_sim_drift_terms terms = changed->terms;
    terms.lie_offset_s = offset_s;
    terms.lie_frequency = frequency;
    mt_sim_node_drift(changed, &terms, true);
}

void mt_world_schedule_leap(struct mt_world *self, int64_t t_ns, int32_t change_s,
                            int64_t notice_ns)
{
    self->tai_minus_utc_s = mt_world_utc(self).tai_minus_utc_s;
    self->leap = (struct mt_sim_leap){
        .t_ns = t_ns > self->t_ns ? t_ns : self->t_ns,
        .notice_ns = notice_ns > 0 ? notice_ns : 0,
        .change_s = change_s,
    };
}
