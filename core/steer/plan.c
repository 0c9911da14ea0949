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

#define EVEN_ENOUGH     MT_REAL(0x1p-40) /* s/s: smaller changes are not worth a correction */
#define FOLLOW_SHARE    MT_REAL(0x3p-5)  /* slew time, in time constants of the estimator */
#define MOST_SAMPLES    64
#define DOUBTLESS_SIGMA 5
#define STEP_SIGMA      3

mt_real mt_steer_even_rate(const struct mt_discipline *self)
{
    /* (1 + rate) (1 - frequency) - 1, without the ones, beside which small rates have few digits */
    return self->rate - self->model.frequency * (1 + self->rate);
}

/* the even rate less `slew` */
static void hand_out_rate(struct mt_discipline *self, mt_real slew)
{
    mt_real range = self->config.max_rate;
    mt_real even = mt_steer_even_rate(self);
    mt_real rate = mt_real_clamp(even - slew, -range, range);

    self->is_saturated = mt_real_abs(even) > range;
    self->has_next = mt_real_abs(rate - self->rate) > EVEN_ENOUGH;
    self->next.kind = MT_CORRECT_RATE;
    self->next.rate = rate;
}

void mt_steer_level(struct mt_discipline *self)
{
    self->slew_end = MT_MONO_NEVER;
    if (!self->awaits_applied && self->model.is_known && !self->config.estimates_only &&
        !self->sets_rate) {
        hand_out_rate(self, 0);
    }
}

static bool wants_step(const struct mt_discipline *self, const struct mt_estimate *estimate,
                       mt_real size)
{
    const struct mt_span *threshold = &self->config.step_later;
    bool is_never = self->config.never_step_later;

    if (!self->has_locked_once && !self->has_stepped) {
        threshold = &self->config.step_at_start;
        is_never = self->config.never_step_at_start;
    }
    return !is_never && size > STEP_SIGMA * estimate->offset_sigma &&
           size > mt_span_to_real(*threshold);
}

static struct mt_mono later(const struct mt_discipline *self, mt_real s)
{
    return (struct mt_mono){self->last_sample.ns + mt_steer_ns(s)};
}

static mt_real larger(mt_real a, mt_real b)
{
    return a > b ? a : b;
}

static void slew(struct mt_discipline *self, const struct mt_discipline_source *source,
                 const struct mt_estimate *estimate, mt_real offset)
{
    mt_real size = mt_real_abs(offset);
    mt_real sigma = estimate->offset_sigma;
    /* a source has either one-way or offset samples; the other noise is 0 */
    mt_real noise =
        (estimate->noise[MT_SAMPLE_FORWARD] + estimate->noise[MT_SAMPLE_OFFSET]) / sigma;
    mt_real doubt = size < DOUBTLESS_SIGMA * sigma ? sigma / self->settled_sigma : 0;
    mt_real samples = mt_real_clamp(1 + FOLLOW_SHARE * noise * noise, 1, MOST_SAMPLES);
    mt_real time = MT_REAL(1.024e-6) * (mt_real)source->interval * samples;

    /* the history of corrections must reach back over the path */
    time = larger(time, estimate->delay / 2);
    self->next_correction_at = later(self, MT_REAL(0.75) * time);
    time = larger(time * (1 + doubt * doubt), size / self->config.max_slew);
    hand_out_rate(self, offset / time);
    self->slew_end = later(self, time);
}

void mt_steer_plan(struct mt_discipline *self, const struct mt_estimate *estimate)
{
    const struct mt_discipline_source *source = mt_steer_selected(self);
    mt_real offset;

    if (self->awaits_applied || self->config.estimates_only ||
        self->last_sample.ns < self->next_correction_at.ns) {
        return;
    }
    if (self->sets_rate) {
        self->next.kind = MT_CORRECT_RATE;
        self->next.rate = self->rate;
        self->has_next = true;
        return;
    }
    offset = mt_span_to_real(estimate->offset);
    if (source->origin.scale != self->scale || wants_step(self, estimate, mt_real_abs(offset))) {
        self->next.kind = MT_CORRECT_STEP;
        self->next.step = (struct mt_span){0, 0, 0};
        mt_span_subtract(&self->next.step, &estimate->offset);
        self->next.scale = source->origin.scale;
        self->has_next = true;
        self->slew_end = MT_MONO_NEVER;
        return;
    }
    slew(self, source, estimate, offset);
}
