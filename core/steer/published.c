/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The published time.  What a program reads need not wait until the steered clock has been slewed:
 * it is the estimate itself, on the same base.  So it is as good as the estimate, whatever the
 * range of the clock, and its bound has no part for steering.
 *
 * After a sample the estimate is another.  Published time must not run backwards, so it follows
 * within a short time: an eighth of a sample distance, which costs some per mille of the error,
 * and longer when a new source is known worse than the clock (plan.c), no faster than the clock
 * may be slewed.  Where the oscillator wanders by more than the noise, samples change the estimate
 * by most of the error, and the lag would be the rest: there it ends sooner, and faster.  What the
 * user wants to be stepped is stepped: until the first lock all that is larger than step_at_start,
 * for until then nobody knows the time; then what step_later says.
 *
 * There may be no estimate for a while, and nothing that says how wrong the one before is by now: a
 * step was recognised, the reference is another.  Then the one before goes on, without a bound,
 * until the next: the steered clock may be anywhere.
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
    if (report->has_estimate) {
        ret_published->max_slew = mt_steer_follow_rate(self);
    }
    ret_published->is_estimate = true;
    ret_published->lead = estimate->offset;
    ret_published->gain = estimate->frequency;
    ret_published->bound_growth = growth_of(self, origin, estimate);
}

void mt_discipline_go_on(const struct mt_discipline *self, const struct mt_published *before,
                         const struct mt_stamp *then, const struct mt_stamp *now,
                         struct mt_published *published)
{
    struct mt_track track = {.at = then->at, .base = before->lead};
    uint32_t missed = self->corrections - then->corrections;
    struct mt_estimate estimate;

    if (published->is_estimate || !before->is_estimate || self->config.servo != 0 ||
        missed > self->history_count) {
        return;
    }
    track.x[1] = before->gain / (1 + before->gain);
    for (; missed > 0; missed--) {
        mt_steer_carry(&track, &self->history[(self->history_at - missed) % MT_CORRECTION_HISTORY]);
    }
    mt_track_estimate(&track, 0, &now->at, 1, &estimate);
    published->lead = estimate.offset;
    published->gain = estimate.frequency;
    published->is_estimate = true;
}
