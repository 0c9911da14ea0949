/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Proportional and integral steering of one clock in as few octets as do it well.
 *
 * The delay is half the sum of a way there and the next way back, averaged over the last few; an
 * offset is a way there less the delay.  The first two offsets after a step give the frequency by
 * their difference, so the integral begins near the truth.  After that
 *
 *     rate = -(drift + kp offset),    drift += ki offset elapsed
 *
 * with kp = 0.7 and ki = 0.3 per second, whatever the interval, which is a damping of 0.64; for
 * intervals longer than a second both are counted per interval, so that it does not swing.  While
 * the clock's range is exceeded the drift stands still.
 *
 * The first large offset is stepped away at once, others when LARGE_MOST of them come in a row: one
 * alone is a packet that has waited, and is left out.  What was stamped before a step
 * means nothing after it; what was stamped before a change of rate is off by that change times its
 * age, which is nothing beside the jitter.
 */
#include "meantime/steer_follower.h"

#include "base/memory.h"
#include "steer/seconds.h"

#define KP          MT_REAL(0.7)
#define KI          MT_REAL(0.3)
#define FIRST_GAP   MT_REAL(0.5)     /* s between the offsets that tell the frequency */
#define LEAST_GAP   MT_REAL(0x1p-10) /* s: what comes sooner is left out */
#define DELAYS_MOST 16               /* round trips in the mean */
#define DELAY_LIMIT MT_REAL(0.5)     /* s */
#define LARGE_MOST  3
#define LOCKED      8 /* offsets in a row */

void mt_follower_init(struct mt_follower *self)
{
    memset(self, 0, sizeof *self);
    self->max_rate = MT_REAL(500e-6);
    self->step_over = MT_REAL(5e-3);
}

static void begin(struct mt_follower *self)
{
    self->has_forward = false;
    self->offsets = 0;
    self->large_in_a_row = 0;
}

static void set_rate(struct mt_follower *self, mt_real rate)
{
    self->next.kind = MT_CORRECT_RATE;
    self->next.rate = mt_real_limit(rate, self->max_rate);
    self->has_next = true;
}

void mt_follower_forget(struct mt_follower *self)
{
    begin(self);
    self->delays = 0;
    self->delay = 0;
    set_rate(self, -self->drift);
}

static void steer(struct mt_follower *self, mt_real offset, mt_real elapsed)
{
    mt_real slow = mt_real_larger(elapsed, 1);
    mt_real growth = KI * offset * elapsed / (slow * slow);
    mt_real wanted;

    if (self->offsets == 1) {
        growth = (offset - self->offset) / elapsed;
    }
    wanted = self->drift + growth + KP * offset / slow;
    set_rate(self, -wanted);
    if (self->offsets == 1 || self->next.rate == -wanted) {
        self->drift = mt_real_limit(self->drift + growth, self->max_rate);
    } else { /* nothing winds up, and it is not there yet */
        self->offsets = 2;
    }
}

/* False: it is so far off that it is not one to steer by. */
static bool is_small(struct mt_follower *self, const struct mt_sample *sample)
{
    mt_real off = mt_real_abs(self->forward - self->delay);

    if (off <= self->step_over) {
        self->large_in_a_row = 0;
        return true;
    }
    if (self->stepped == 0 || ++self->large_in_a_row == LARGE_MOST) {
        self->next.kind = MT_CORRECT_STEP;
        self->next.step = (struct mt_span){0, (uint32_t)(self->delay * MT_NS_PER_S), 0};
        mt_span_subtract(&self->next.step, &sample->value);
        self->next.scale = sample->scale;
        self->has_next = true;
    }
    return false;
}

static void take_offset(struct mt_follower *self, const struct mt_sample *sample)
{
    mt_real offset = self->forward - self->delay;
    mt_real elapsed;
    struct mt_span since;

    mt_span_between(&self->at, &sample->local.at, &since);
    elapsed = mt_steer_seconds(&since);

    if (self->offsets > 0) {
        if (elapsed < (self->offsets == 1 ? FIRST_GAP : LEAST_GAP)) {
            return;
        }
        steer(self, offset, elapsed);
    }
    self->at = sample->local.at;
    self->offset = offset;
    if (self->offsets < LOCKED) {
        self->offsets++;
    }
}

static void take_delay(struct mt_follower *self, mt_real back)
{
    if (self->delays < DELAYS_MOST) {
        self->delays++;
    }
    self->delay += ((self->forward + back) / 2 - self->delay) / self->delays;
    self->delay = mt_real_clamp(self->delay, 0, DELAY_LIMIT);
}

void mt_follower_sample(struct mt_follower *self, const struct mt_sample *sample)
{
    mt_real value = mt_steer_seconds(&sample->value);

    if (self->awaits_applied || (int32_t)(sample->local.corrections - self->stepped) < 0) {
        return;
    }
    if (sample->kind == MT_SAMPLE_REVERSE) {
        if (self->has_forward) {
            take_delay(self, value);
            self->has_forward = false;
        }
        return;
    }
    self->forward = value;
    self->has_forward = is_small(self, sample);
    if (self->has_forward && (self->delays > 0 || sample->kind == MT_SAMPLE_OFFSET)) {
        take_offset(self, sample);
    }
}

bool mt_follower_next_correction(struct mt_follower *self, struct mt_correction *ret_correction)
{
    if (!self->has_next || self->awaits_applied) {
        return false;
    }
    *ret_correction = self->next;
    self->has_next = false;
    self->awaits_applied = true;
    return true;
}

void mt_follower_applied(struct mt_follower *self, const struct mt_applied *applied)
{
    self->awaits_applied = false;
    if (applied->kind == MT_CORRECT_STEP) {
        self->stepped = applied->corrections;
        begin(self);
        set_rate(self, -self->drift);
    }
}

bool mt_follower_is_locked(const struct mt_follower *self)
{
    return self->offsets == LOCKED;
}
