/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What is told of the sources of all clocks that have an arbiter.
 */
#include <math.h>

#include "compose/compose_private.h"
#include "status/report.h"

size_t mt_compose_member_count(const struct mt_composition *self)
{
    size_t count = 0;
    for (uint16_t i = 0; i < self->node.clock_count; i++) {
        count += self->node.clocks[i].arbiter.count;
    }
    return count;
}

static const char *kind_name(enum mt_arbiter_kind kind)
{
    static const char *const names[] = {
        [MT_ARBITER_PTP] = "ptp",
        [MT_ARBITER_NTP] = "ntp",
        [MT_ARBITER_REFCLOCK] = "refclock",
        [MT_ARBITER_CLOCK] = "clock",
    };
    return names[kind];
}

static void fill(const struct mt_composition *self, uint16_t clock_index, uint16_t at,
                 struct mt_report_source *report)
{
    const struct mt_node_clock *clock = &self->node.clocks[clock_index];
    const struct mt_arbiter_member *member = &clock->arbiter.members[at];
    *report = (struct mt_report_source){
        .name = mt_compose_member_name(self, member->kind, member->index),
        .kind = kind_name(member->kind),
        .clock = self->config->clocks[clock_index].name,
        .facts = &clock->arbiter.sources[at],
        .opinion = &clock->arbiter.opinions[at],
        .fault_reason = mt_compose_source_fault(self, member, clock->arbiter.opinions[at].verdict),
        .offset = member->offset,
        .delay = member->delay,
        .reference = member->reference,
        .interval_s = NAN,
        .reach = -1,
    };
    if (member->source != MT_SOURCE_NONE && report->facts->is_measured) {
        uint32_t interval = clock->discipline.sources[member->source].interval;
        report->interval_s = (mt_real)interval * 1.024e-6;
    }
    if (member->kind == MT_ARBITER_NTP) {
        const struct mt_node_ntp *ntp = &self->node.ntp[member->index];
        report->address = &ntp->server;
        if (ntp->link != MT_NODE_NO_LINK && self->node.links[ntp->link] != NULL) {
            report->stamping = self->node.links[ntp->link]->stamping;
            report->transport = mt_compose_carrier_name(ntp->carrier);
        }
        report->reach = ntp->client.reach;
        report->interval_s = (mt_real)mt_ntp_client_interval_ns(&ntp->client) / 1e9;
    }
}

size_t mt_compose_report_sources(const struct mt_composition *self,
                                 struct mt_report_source *ret_reports)
{
    size_t count = 0;
    for (uint16_t i = 0; i < self->node.clock_count; i++) {
        for (uint16_t at = 0; at < self->node.clocks[i].arbiter.count; at++) {
            fill(self, i, at, &ret_reports[count++]);
        }
    }
    return count;
}
