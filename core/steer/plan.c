/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * When to correct the clock, and by how much.
 *
 * A large offset is stepped away, by the user's thresholds; everything else is done by rate.  The
 * rate is the one that keeps the distance to the reference even, plus a slew that removes the
 * estimated offset within a time; then the clock goes back to the even rate.  What is served is
 * the steered clock, so the time is short: a quarter of a sample distance, a few per cent of the
 * estimator's own time where that is longer (it takes about noise^2 / sigma^2 samples to change its
 * mind).  Each sample may begin another slew.  So the clock lags behind the estimate without ever
 * overshooting it, but a lag in each clock of a chain is what makes its errors grow.
 *
 * After a change of source the new estimate is at first much worse than the clock itself.  Each
 * sample then moves the clock by the share of what is known that has come with it, unless the
 * offset is beyond doubt.  What was known of the clock fades as it would if there were no samples
 * at all: in a steady state each sample takes away as much variance as one interval brings.
 *
 * The estimator is told of every correction with the rate that the clock really took, so nothing
 * winds up when the range is exhausted.
 */
#include "steer/steer_private.h"

#define EVEN_ENOUGH     MT_REAL(0x1p-40) /* s/s: smaller changes are not worth a correction */
#define FOLLOW_SHARE    MT_REAL(0x1p-5)  /* slew time, in time constants of the estimator, */
#define LEAST_SAMPLES   MT_REAL(0.25)    /* at least, in sample distances, */
#define LEAST_TIME      MT_REAL(0x3p-5)  /* and in s: more would be restless */
#define AGAIN_SHARE     MT_REAL(0x1p-5)  /* of its time a slew is not replaced by another one */
#define PUBLISHED_SHARE MT_REAL(0.125)   /* of a sample distance: published time turns faster */
#define WALK_RATE       640 /* 5 sigma of what the oscillator does, in 1/128 of that time */
#define FASTEST         MT_REAL(0.25) /* readers must see time go on */
#define DOUBTLESS_SIGMA 5
#define STEP_SIGMA      3

mt_real mt_steer_even_rate(const struct mt_discipline *self)
{
    /* (1 + rate) (1 - frequency) - 1, without the ones, beside which small rates have few digits */
    return self->rate - self->model.frequency * (1 + self->rate);
}

void mt_steer_hand_out(struct mt_discipline *self, mt_real slew)
{
    mt_real range = self->config.max_rate;
    mt_real even = mt_steer_even_rate(self);
    mt_real rate = mt_real_limit(even - slew, range);

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
        mt_steer_hand_out(self, 0);
    }
}

mt_real mt_steer_step_size(const struct mt_discipline *self)
{
    const struct mt_span *threshold = &self->config.step_later;
    bool is_never = self->config.never_step_later;

    if (!self->has_locked_once && !self->has_stepped) {
        threshold = &self->config.step_at_start;
        is_never = self->config.never_step_at_start;
    }
    return is_never ? MT_REAL(0x1p60) : mt_span_to_real(*threshold);
}

static bool wants_step(const struct mt_discipline *self, const struct mt_estimate *estimate)
{
    return mt_steer_is_off(estimate, STEP_SIGMA * estimate->offset_sigma) &&
           mt_steer_is_off(estimate, mt_steer_step_size(self));
}

static struct mt_mono later(const struct mt_discipline *self, mt_real s)
{
    return (struct mt_mono){self->last_sample.ns + mt_steer_ns(s)};
}

void mt_steer_lose_lock(struct mt_discipline *self, enum mt_steer_phase phase)
{
    self->phase = phase;
    self->settled = 0;
    self->astray = 0;
    self->sharpness = MT_STEER_HUGE_S;
}

void mt_steer_settle(struct mt_discipline *self, const struct mt_estimate *estimate)
{
    mt_real sigma = self->settled_sigma;

    sigma += sigma / (2 * mt_steer_inertia(estimate, sigma));
    if (sigma > estimate->offset_sigma || !self->has_locked_once ||
        mt_steer_is_off(estimate, DOUBTLESS_SIGMA * estimate->offset_sigma)) {
        sigma = estimate->offset_sigma;
    }
    self->settled_sigma = sigma;
}

/* by how many samples to follow more slowly, since the clock is known better than the estimate */
static mt_real patience(const struct mt_discipline *self, const struct mt_estimate *estimate,
                        mt_real inertia)
{
    mt_real doubt = estimate->offset_sigma / self->settled_sigma;

    return inertia * mt_real_larger(doubt * doubt - 1, 0);
}

static mt_real distance_of(const struct mt_discipline_source *source)
{
    return MT_REAL(1.024e-6) * (mt_real)source->interval;
}

mt_real mt_steer_follow_time(const struct mt_discipline *self, const struct mt_estimate *estimate)
{
    mt_real inertia = mt_steer_inertia(estimate, estimate->offset_sigma);
    mt_real distance = distance_of(mt_steer_selected(self));
    mt_real noise = mt_steer_noise(estimate);
    mt_real walk = self->model.wander * distance * distance * distance;
    mt_real share = PUBLISHED_SHARE * noise * noise / mt_real_larger(walk, noise * noise);

    return distance * (share + patience(self, estimate, inertia));
}

/* An oscillator that wanders so much: what max_slew kept of a lag would be most of the error. */
mt_real mt_steer_follow_rate(const struct mt_discipline *self)
{
    mt_real walk = self->model.wander * distance_of(mt_steer_selected(self));
    mt_real rate = mt_real_limit(WALK_RATE * mt_real_sqrt(walk), FASTEST);

    return mt_real_larger(self->config.max_slew, rate);
}

static void slew(struct mt_discipline *self, const struct mt_discipline_source *source,
                 const struct mt_estimate *estimate)
{
    mt_real offset = mt_span_to_real(estimate->offset);
    mt_real distance = distance_of(source);
    mt_real inertia = mt_steer_inertia(estimate, estimate->offset_sigma);
    mt_real time = distance * mt_real_larger(FOLLOW_SHARE * inertia, LEAST_SAMPLES);

    time = mt_real_larger(time, LEAST_TIME);
    /* the history of corrections must reach back over the path */
    self->next_correction_at = later(self, AGAIN_SHARE * time + estimate->delay);
    time += distance * patience(self, estimate, inertia);
    time = mt_real_larger(mt_real_abs(offset) / self->config.max_slew, time);
    mt_steer_hand_out(self, offset / time);
    self->slew_end = later(self, time);
}

void mt_steer_plan(struct mt_discipline *self, const struct mt_estimate *estimate)
{
    const struct mt_discipline_source *source = mt_steer_selected(self);

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
    if (self->config.servo != 0) {
        return;
    }
    if (source->origin.scale != self->scale || wants_step(self, estimate)) {
        self->next.kind = MT_CORRECT_STEP;
        self->next.step = (struct mt_span){0, 0, 0};
        mt_span_subtract(&self->next.step, &estimate->offset);
        self->next.scale = source->origin.scale;
        self->has_next = true;
        self->slew_end = MT_MONO_NEVER;
        return;
    }
    slew(self, source, estimate);
}
