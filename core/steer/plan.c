/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * When to correct the clock, and by how much.
 *
 * A large offset is stepped away, by the user's thresholds; everything else is done by rate.  The
 * rate is the one that keeps the distance to the reference even, plus a slew that removes the
 * estimated offset within a time constant.  That time is short against the estimator's own, so
 * that the steered clock adds little to its error, and not shorter, so that it follows quietly:
 * the estimator takes about 1 / K samples to change its mind, K being its gain.  After a change
 * of source the new estimate is at first much worse than the clock itself; then the offset is
 * believed in the proportion of the two variances, unless it is beyond doubt.
 *
 * The estimator is told of every correction with the rate that the clock really took, so nothing
 * winds up when the range is exhausted.  A slew knows when it will be done; without new samples
 * the clock then goes back to the even rate.
 */
#include "steer/steer_private.h"

#define EVEN_ENOUGH     1e-12 /* s/s: smaller changes of rate are not worth a correction */
#define FOLLOW_SHARE    0.1   /* slew time, in time constants of the estimator */
#define DOUBTLESS_SIGMA 5
#define STEP_SIGMA      3

mt_real mt_steer_even_rate(const struct mt_discipline *self)
{
    return (1 + self->rate) / (1 + self->model.frequency) - 1;
}

static void hand_out_rate(struct mt_discipline *self, mt_real rate)
{
    mt_real range = self->config.max_rate;
    mt_real even = mt_steer_even_rate(self);

    self->is_saturated = mt_real_abs(even) > range;
    rate = mt_real_clamp(rate, -range, range);
    self->has_next = mt_real_abs(rate - self->rate) > EVEN_ENOUGH;
    self->next = (struct mt_correction){.kind = MT_CORRECT_RATE, .rate = rate};
}

void mt_steer_level(struct mt_discipline *self)
{
    self->slew_end = MT_MONO_NEVER;
    if (!self->awaits_applied && !self->config.estimates_only && self->model.is_known &&
        !self->sets_rate) {
        hand_out_rate(self, mt_steer_even_rate(self));
    }
}

static bool wants_step(const struct mt_discipline *self, const struct mt_discipline_source *source,
                       const struct mt_estimate *estimate)
{
    struct mt_span size = mt_span_abs(estimate->offset);
    bool is_later = self->has_locked_once || self->has_stepped;
    bool is_never = is_later ? self->config.never_step_later : self->config.never_step_at_start;

    if (source->scale != self->scale) {
        return true;
    }
    if (is_never || mt_span_to_real(size) < STEP_SIGMA * estimate->offset_sigma) {
        return false;
    }
    return mt_span_compare(size, is_later ? self->config.step_later : self->config.step_at_start) >
           0;
}

/* s: in which the estimated offset shall be removed */
static mt_real slew_time(const struct mt_discipline *self, const struct mt_estimate *estimate,
                         mt_real interval, mt_real offset)
{
    mt_real variance = estimate->offset_sigma * estimate->offset_sigma;
    mt_real noise = estimate->noise[MT_SAMPLE_FORWARD];
    mt_real settled = self->lock.settled_once;
    mt_real time;

    if (noise < estimate->noise[MT_SAMPLE_OFFSET]) {
        noise = estimate->noise[MT_SAMPLE_OFFSET];
    }
    time = FOLLOW_SHARE * interval * (1 + noise * noise / variance);
    if (settled > 0 && mt_real_abs(offset) < DOUBTLESS_SIGMA * estimate->offset_sigma) {
        time *= 1 + variance / (settled * settled);
    }
    return time > interval ? time : interval;
}

static int64_t to_ns(mt_real s)
{
    return mt_span_to_ns(mt_span_from_real(s));
}

static void slew(struct mt_discipline *self, const struct mt_estimate *estimate, mt_real interval,
                 struct mt_mono now)
{
    mt_real offset = mt_span_to_real(estimate->offset);
    mt_real time = slew_time(self, estimate, interval, offset);
    mt_real most = self->config.max_slew;
    mt_real slew = mt_real_clamp(offset / time, -most, most);
    mt_real spacing = time / 4;

    if (slew != 0) {
        time = offset / slew;
    }
    hand_out_rate(self, (1 + mt_steer_even_rate(self)) * (1 - slew) - 1);
    if (spacing < interval * 3 / 4) {
        spacing = interval * 3 / 4;
    }
    if (spacing < estimate->delay / 2) { /* the history must reach back over the path */
        spacing = estimate->delay / 2;
    }
    self->next_correction_at = mt_mono_plus(now, to_ns(spacing));
    self->slew_end = mt_mono_plus(now, to_ns(time > spacing ? time : spacing));
}

void mt_steer_plan(struct mt_discipline *self, struct mt_mono now)
{
    const struct mt_discipline_source *source = mt_steer_selected(self);
    const struct mt_estimator *estimator;
    struct mt_estimate estimate;

    if (source == 0 || self->awaits_applied || self->config.estimates_only ||
        now.ns < self->next_correction_at.ns) {
        return;
    }
    if (self->sets_rate) {
        self->next = (struct mt_correction){.kind = MT_CORRECT_RATE, .rate = self->rate};
        self->has_next = true;
        return;
    }
    estimator = &source->estimator;
    if (!mt_estimator_predict(estimator, &self->model, estimator->track.at, &estimate) ||
        !estimate.is_complete) {
        return;
    }
    if (wants_step(self, source, &estimate)) {
        self->next = (struct mt_correction){.kind = MT_CORRECT_STEP,
                                            .step = mt_span_negate(estimate.offset),
                                            .scale = source->scale};
        self->has_next = true;
        self->slew_end = MT_MONO_NEVER;
        return;
    }
    slew(self, &estimate, source->interval, now);
}
