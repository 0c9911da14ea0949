/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The published time.  What a program reads need not wait until the steered clock has been slewed:
 * it is the estimate itself, on the same base.  So it is as good as the estimate, whatever the
 * range of the clock, and its bound has no part for steering.
 *
 * After a sample the estimate is another.  Published time must not run backwards, so it follows
 * within a short time: an eighth of a sample distance, which costs some per mille of the error,
 * and longer when a new source is known worse than the clock (plan.c), no faster than the clock
 * may be slewed.  What the user wants to be stepped is stepped: until the first lock all that is
 * larger than step_at_start, for until then nobody knows the time; then what step_later says.
 *
 * Beside another servo it is the steered clock, as those are used to it who choose one.
 */
#include "steer/steer_private.h"

/* as for the steered clock (report.c), but it does not run off the estimate */
static mt_real growth_of(const struct mt_discipline *self, const struct mt_steer_origin *origin,
                         const struct mt_estimate *estimate)
{
    mt_real drift = self->config.max_drift;
    mt_real growth = MT_STEER_BOUND_SIGMA * estimate->frequency_sigma;

    growth = growth > drift ? growth : drift;
    return origin->bound.q16 > 0 ? growth + drift : growth;
}

void mt_discipline_published(const struct mt_discipline *self,
                             const struct mt_clock_quality_report *report,
                             struct mt_published *ret_published)
{
    const struct mt_discipline_source *source = mt_steer_selected(self);
    const struct mt_steer_origin *origin = &self->anchor.origin;
    const struct mt_estimate *estimate = &report->estimate;

    *ret_published = (struct mt_published){
        .bound_growth = report->bound_growth,
        .max_slew = self->config.max_slew,
        .most = mt_steer_step_size(self),
    };
    if (!self->has_locked_once && !self->config.never_step_at_start) {
        ret_published->most = mt_span_to_real(self->config.step_at_start);
    }
    if (!report->has_estimate && !self->has_anchor) {
        return;
    }
    if (report->has_estimate) {
        origin = &source->origin;
        ret_published->follow = mt_steer_follow_time(self, estimate);
    }
    if (self->config.servo != 0) {
        ret_published->off_estimate = mt_real_abs(mt_span_to_real(estimate->offset));
        return;
    }
    ret_published->lead = estimate->offset;
    ret_published->gain = estimate->frequency;
    ret_published->bound_growth = growth_of(self, origin, estimate);
}
