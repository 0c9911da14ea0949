/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * From one-way measurements to corrections, with the filter of core/servo/kalman.c between them.
 *
 * The filter's state is that of the clock as it runs now, as if it had always done so.  A change of
 * rate moves the state, and a sample that was stamped before the last change is moved across it;
 * one that has missed more than that is void.  So corrections are not closer to one another than
 * the path is long.
 *
 * Each sample gives the rate that keeps the distance even, and a slew beyond it that removes the
 * offset within a quarter of an interval, or a thirty-second of the samples that it takes to change
 * the filter's mind; then the clock goes back to the even rate, so it does not run away when no
 * sample comes.
 *
 * An offset that is too large is stepped away as soon as the filter has no state: at the start, and
 * when it has found that the source is elsewhere.  Its size is taken from a round trip in whole
 * nanoseconds, for it may be decades.
 */
#include "meantime/steer_kalman.h"

#include "base/memory.h"
#include "steer/seconds.h"

#define EVEN_ENOUGH MT_REAL(0x1p-40) /* s/s: smaller changes are not worth a correction */
#define LEAST_SHARE MT_REAL(0.25)    /* slew time, in sample distances, */
#define GAIN_SHARE  MT_REAL(0x1p-5)  /* or in those that change the filter's mind, */
#define LEAST_TIME  MT_REAL(0x3p-5)  /* and in s */
#define MOST_TIME   2000
#define NEAR        25 /* variances */
#define LOCKED      8  /* samples in a row */

void mt_kalman_follower_init(struct mt_kalman_follower *self, enum mt_timescale scale,
                             uint32_t corrections, mt_real start_rate)
{
    memset(self, 0, sizeof *self);
    self->max_rate = self->max_slew = MT_REAL(500e-6);
    self->step_at_start = MT_REAL(10e-6);
    self->step_later = MT_REAL(0.1);
    self->scale = scale;
    self->corrections = corrections;
    self->slew_end = MT_MONO_NEVER;
    self->next.rate = start_rate;
    self->next.kind = MT_CORRECT_RATE;
    self->has_next = start_rate != 0;
    mt_kalman_init(&self->filter);
}

static mt_real seconds_between(const struct mt_instant *from, const struct mt_instant *to)
{
    struct mt_span since;

    mt_span_between(from, to, &since);
    return mt_steer_seconds(&since);
}

static struct mt_mono later(struct mt_mono now, mt_real s)
{
    s = mt_real_limit(s, MOST_TIME);
    return mt_mono_plus(now, (int64_t)(int32_t)(s * 1000000) * 1000);
}

static mt_real even_rate(const struct mt_kalman_follower *self)
{
    return self->rate - self->filter.rate * (1 + self->rate);
}

static void hand_out(struct mt_kalman_follower *self, mt_real slew)
{
    mt_real rate = mt_real_limit(even_rate(self) - slew, self->max_rate);

    self->next.kind = MT_CORRECT_RATE;
    self->next.rate = rate;
    self->has_next = mt_real_abs(rate - self->rate) > EVEN_ENOUGH;
}

static void level(struct mt_kalman_follower *self)
{
    self->slew_end = MT_MONO_NEVER;
    hand_out(self, 0);
}

/* ---- samples ---- */

static void halve(struct mt_span *a)
{
    a->frac = (uint16_t)(a->frac / 2);
    a->ns /= 2;
    if (a->s % 2 != 0) {
        a->ns += 500000000;
        a->s--;
    }
    a->s /= 2;
}

/* While there is no state: true if it was so far off that it is being stepped. */
static bool steps(struct mt_kalman_follower *self, const struct mt_sample *sample)
{
    struct mt_span offset = sample->value;
    mt_real limit = self->has_stepped ? self->step_later : self->step_at_start;

    if (sample->kind == MT_SAMPLE_FORWARD) {
        self->forward = sample->value;
        self->has_forward = true;
        return false;
    }
    if (sample->kind == MT_SAMPLE_REVERSE) {
        if (!self->has_forward) {
            return false;
        }
        offset = self->forward;
        mt_span_subtract(&offset, &sample->value);
        halve(&offset);
    }
    self->has_stepped = true;
    if (sample->scale == self->scale && mt_real_abs(mt_steer_seconds(&offset)) <= limit) {
        return false;
    }
    self->next.kind = MT_CORRECT_STEP;
    self->next.step = (struct mt_span){0, 0, 0};
    mt_span_subtract(&self->next.step, &offset);
    self->next.scale = sample->scale;
    self->has_next = true;
    return true;
}

static void slew(struct mt_kalman_follower *self, struct mt_mono now)
{
    mt_real offset = self->filter.offset;
    mt_real share = mt_real_larger(GAIN_SHARE / mt_kalman_gain(&self->filter), LEAST_SHARE);
    mt_real apart = 2 * self->filter.delay;
    mt_real time = mt_real_larger(self->interval * share, LEAST_TIME);

    time = mt_real_larger(mt_real_larger(time, apart), mt_real_abs(offset) / self->max_slew);
    hand_out(self, offset / time);
    self->slew_end = later(now, time);
    self->again = later(now, apart);
}

static void judge(struct mt_kalman_follower *self)
{
    const struct mt_kalman *filter = &self->filter;

    if (filter->offset * filter->offset > NEAR * (filter->oo + filter->noise)) {
        self->near = 0;
    } else if (self->near < LOCKED) {
        self->near++;
    }
}

/* By how much it was earlier, and the clock less ahead, as it runs now.  False: it has missed more
 * than is known of. */
static bool translate(const struct mt_kalman_follower *self, const struct mt_sample *sample,
                      mt_real *ret_moved)
{
    *ret_moved = 0;
    if (sample->local.corrections == self->corrections) {
        return true;
    }
    if (sample->local.corrections + 1 != self->corrections || !self->has_change) {
        return false;
    }
    *ret_moved = self->ratio * seconds_between(&sample->local.at, &self->change);
    return true;
}

void mt_kalman_follower_sample(struct mt_kalman_follower *self, const struct mt_sample *sample,
                               struct mt_mono now)
{
    mt_real value = mt_steer_seconds(&sample->value);
    mt_real elapsed;
    mt_real moved;
    enum mt_kalman_verdict verdict;

    if (self->awaits_applied || !translate(self, sample, &moved)) {
        return;
    }
    value += sample->kind == MT_SAMPLE_REVERSE ? moved : -moved;
    if (self->filter.count == 0 && steps(self, sample)) {
        return;
    }
    elapsed = seconds_between(&self->at, &sample->local.at) + self->lag - moved;
    if (elapsed > 0 || self->filter.count == 0) {
        self->at = sample->local.at;
        self->lag = moved;
    }
    if (elapsed > 0 && self->filter.count > 0) {
        self->interval += self->interval > 0 ? (elapsed - self->interval) / 8 : elapsed;
    }
    verdict = mt_kalman_update(&self->filter, sample->kind, value, elapsed);
    if (verdict == MT_KALMAN_USED && mt_real_abs(self->filter.offset) > self->step_later) {
        verdict = MT_KALMAN_LOST;
    }
    if (verdict == MT_KALMAN_LOST) {
        mt_kalman_follower_forget(self);
    } else if (verdict == MT_KALMAN_USED) {
        judge(self);
        if (now.ns >= self->again.ns) {
            slew(self, now);
        }
    }
}

/* ---- corrections ---- */

void mt_kalman_follower_forget(struct mt_kalman_follower *self)
{
    mt_kalman_begin(&self->filter);
    level(self);
    self->near = 0;
    self->has_forward = false;
}

void mt_kalman_follower_tick(struct mt_kalman_follower *self, struct mt_mono now)
{
    if (now.ns >= self->slew_end.ns) {
        level(self);
    }
}

struct mt_mono mt_kalman_follower_deadline(const struct mt_kalman_follower *self)
{
    return self->slew_end;
}

bool mt_kalman_follower_next_correction(struct mt_kalman_follower *self,
                                        struct mt_correction *ret_correction)
{
    if (!self->has_next || self->awaits_applied) {
        return false;
    }
    *ret_correction = self->next;
    self->has_next = false;
    self->awaits_applied = true;
    return true;
}

void mt_kalman_follower_applied(struct mt_kalman_follower *self, const struct mt_applied *applied)
{
    self->awaits_applied = false;
    if (applied->is_refused) {
        return;
    }
    self->corrections = applied->corrections;
    self->has_change = applied->kind == MT_CORRECT_RATE;
    if (self->has_change) {
        mt_real since = seconds_between(&self->at, &applied->at) + self->lag;

        self->ratio = (applied->rate - self->rate) / (1 + self->rate);
        self->rate = applied->rate;
        self->change = applied->at;
        self->lag += self->ratio * since;
        mt_kalman_rate_changed(&self->filter, self->ratio, since);
    } else {
        self->scale = applied->at.scale;
        mt_kalman_follower_forget(self);
    }
}

bool mt_kalman_follower_is_locked(const struct mt_kalman_follower *self)
{
    return self->near == LOCKED;
}

static struct mt_interval to_interval(mt_real s)
{
    int32_t ns = (int32_t)(mt_real_limit(s, 2) * 1000000000);

    return (struct mt_interval){(int64_t)ns * 65536};
}

bool mt_kalman_follower_measured(const struct mt_kalman_follower *self,
                                 struct mt_interval *ret_offset, struct mt_interval *ret_delay)
{
    *ret_offset = to_interval(self->filter.offset);
    *ret_delay = to_interval(self->filter.delay);
    return self->filter.count > 0;
}

bool mt_kalman_follower_drift(const struct mt_kalman_follower *self, mt_real *ret_rate)
{
    if (!mt_kalman_is_settled(&self->filter)) {
        return false;
    }
    *ret_rate = even_rate(self);
    return true;
}
