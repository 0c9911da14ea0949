/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The page says where the clock is now, how fast it runs against its base, and how wrong it may
 * be.  The reading window is part of the bound: base and clock were not read at once.
 */
#include "runtime/page.h"

#include <string.h>

#define LARGEST_GROWTH 1e6 /* s/s: nobody can make use of more */

static int64_t to_ppb_rounded_up(mt_real rate)
{
    return (int64_t)(mt_real_clamp(rate, 0, LARGEST_GROWTH) * 1e9) + 1;
}

static uint8_t state_of(const struct mt_page_facts *facts)
{
    enum mt_clock_state state = facts->report->state;
    return (uint8_t)(facts->is_serving && state == MT_CLOCK_FREE_RUN ? MT_CLOCK_SERVING : state);
}

void mt_page_make(const struct mt_page_facts *facts, struct mt_clock_page *ret_page)
{
    const struct mt_clock_reading *reading = facts->reading;
    const struct mt_clock_quality_report *report = facts->report;
    *ret_page = (struct mt_clock_page){
        .magic = MT_CLOCK_PAGE_MAGIC,
        .version = MT_CLOCK_PAGE_VERSION,
        .size = sizeof *ret_page,
        .base = (uint16_t)facts->base,
        .scale = (uint8_t)reading->local.at.scale,
        .state = state_of(facts),
        .base_at_anchor_ns = reading->base.ns,
        .anchor_s = reading->local.at.s,
        .anchor_ns = reading->local.at.ns,
        .anchor_frac = reading->local.at.frac,
        .bound_reference = (uint8_t)report->reference,
        .tai_utc_valid = facts->tai_utc_known && reading->local.at.scale != MT_SCALE_ARB,
        .rate_q64 = reading->rate_q64,
        .bound_ns = mt_interval_to_ns(report->bound) + 1 + reading->window_ns,
        .bound_growth_ppb = to_ppb_rounded_up(report->bound_growth),
        .valid_until_base_ns = reading->base.ns + facts->valid_ns,
        .tai_minus_utc_s = facts->tai_minus_utc_s,
        .leap_s = facts->leap_s,
        .corrections = reading->local.corrections,
        .steps = facts->steps,
        .parts = report->parts,
    };
    ret_page->parts.granularity_ns += reading->window_ns + 1;
    if (facts->grandmaster != NULL) {
        memcpy(ret_page->grandmaster, facts->grandmaster->octet, sizeof ret_page->grandmaster);
    }
}
