/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The page is of the published time, which may be better than the steered clock; the operating
 * system has only that clock, so its own bound counts here, and how far it is off the estimate.
 *
 * Holdover counts as synchronised: what the bound says is true, and it says it longer and larger.
 * A clock that serves without a reference is its own truth, and nobody else's.  So is one whose
 * step was refused because it was too large: the source and the clock contradict each other.
 */
#include "runtime/standing.h"

#include "runtime/node.h"

#define SIGMAS 5 /* in parts.estimate_ns */
#define PPB    MT_REAL(1e9)

static bool is_synchronised(const struct mt_node_clock *clock)
{
    const struct mt_clock_page *page = &clock->page;
    bool is_right = page->state == MT_CLOCK_LOCKED || page->state == MT_CLOCK_HOLDOVER;
    return is_right && page->scale != MT_SCALE_ARB && !clock->is_in_panic &&
           clock->report.reference != MT_BOUND_NONE &&
           !mt_interval_is_too_large(clock->report.bound);
}

void mt_standing_of(const struct mt_node_clock *clock, struct mt_clock_standing *ret_standing)
{
    const struct mt_clock_quality_report *report = &clock->report;
    int64_t window_ns = clock->page.parts.granularity_ns - report->parts.granularity_ns;
    *ret_standing = (struct mt_clock_standing){
        .is_synchronised = is_synchronised(clock),
        .is_tai_utc_known = clock->page.tai_utc_valid != 0,
        .tai_minus_utc_s = clock->page.tai_minus_utc_s,
    };
    if (ret_standing->is_synchronised) {
        ret_standing->error_ns = report->parts.estimate_ns / SIGMAS + report->parts.steering_ns;
        ret_standing->bound_ns = mt_interval_to_ns(report->bound) + window_ns + 1;
        ret_standing->growth_ppb =
            mt_real_round(mt_real_clamp(report->bound_growth, 0, 1) * PPB) + 1;
    }
}

void mt_standing_tell(const struct mt_node_clock *clock)
{
    struct mt_clock_standing standing;
    if (clock->hal->ops->tell != NULL && !mt_rivals_yields(clock)) {
        mt_standing_of(clock, &standing);
        clock->hal->ops->tell(clock->hal, &standing);
    }
}

void mt_standing_end(const struct mt_node_clock *clock)
{
    if (clock->hal->ops->tell != NULL) {
        clock->hal->ops->tell(clock->hal, &(struct mt_clock_standing){.is_synchronised = false});
    }
}
