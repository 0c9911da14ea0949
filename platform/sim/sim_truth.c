/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What only the world knows: true time, TAI and UTC, and how far clocks and pages are from it.
 */
#include <string.h>

#include "platform/sim/sim_private.h"

struct mt_world_utc mt_world_utc(const struct mt_world *self)
{
    const struct mt_sim_leap *leap = &self->leap;
    int64_t notice_t_ns = leap->t_ns - leap->notice_ns;
    struct mt_world_utc utc = {self->tai_minus_utc_s, 0, INT64_MAX};

    if (leap->change_s == 0) {
        return utc;
    }
    if (self->t_ns >= leap->t_ns) {
        utc.tai_minus_utc_s += leap->change_s;
    } else if (self->t_ns >= notice_t_ns) {
        utc.leap_s = leap->change_s;
        utc.changes_t_ns = leap->t_ns;
    } else {
        utc.changes_t_ns = notice_t_ns;
    }
    return utc;
}

/* True time as a clock of this timescale should read it. */
static struct mt_instant true_time(const struct mt_world *self, enum mt_timescale scale)
{
    struct mt_instant now = mt_instant_from_ns(mt_sim_base(self).ns, scale);

    if (scale == MT_SCALE_UTC || scale == MT_SCALE_SMEARED_UTC) {
        now.s -= mt_world_utc(self).tai_minus_utc_s;
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

struct mt_interval mt_world_oscillator_gain(const struct mt_world *self, uint32_t node,
                                            int64_t t_ns)
{
    struct mt_base_time at = {.ns = mt_sim_base(self).ns - self->t_ns + t_ns};

    return mt_sim_oscillator_gain(&self->nodes[node]->oscillator, at);
}

bool mt_world_read_page(const struct mt_world *self, uint32_t node, uint16_t clock,
                        struct mt_world_reading *ret_reading)
{
    const struct mt_clock_page *page = &self->nodes[node]->pages[clock];
    int64_t base_ns = mt_sim_base(self).ns;

    if (page->magic != MT_CLOCK_PAGE_MAGIC) {
        return false;
    }
    int64_t elapsed_ns = base_ns - page->base_at_anchor_ns;
    struct mt_instant read = mt_clock_page_time(page, base_ns);
    struct mt_span error = mt_instant_minus(read, true_time(self, read.scale));
    *ret_reading = (struct mt_world_reading){
        .error_ns = mt_span_to_ns(error),
        .bound_ns =
            page->bound_ns + (int64_t)((mt_real)page->bound_growth_ppb * (mt_real)elapsed_ns / 1e9),
        .reference = (enum mt_bound_reference)page->bound_reference,
        .has_bound =
            page->bound_reference == MT_BOUND_SOURCE || page->bound_reference == MT_BOUND_TRACEABLE,
        .is_stale = mt_sim_base(self).ns > page->valid_until_base_ns,
        .state = (enum mt_clock_state)page->state,
        .tai_utc_valid = page->tai_utc_valid != 0,
        .tai_minus_utc_s = page->tai_minus_utc_s,
        .leap_s = page->leap_s,
    };
    memcpy(ret_reading->grandmaster.octet, page->grandmaster, sizeof page->grandmaster);
    return true;
}
