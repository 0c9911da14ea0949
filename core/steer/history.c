/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Corrections as changes of coordinates.
 *
 * All estimates are held on the clock as it is *now*: as if its present rate and phase had been
 * in force for ever.  When a correction has been applied, everything that is remembered is moved
 * to the new coordinates (mt_track_stepped, mt_track_rate_changed); when a sample arrives that
 * was stamped before, it is moved through each correction it missed, in order.  In both cases a
 * step shifts local time and offset by the step, and a change of rate by the factor 1 + ratio at
 * reading T shifts those of reading t by (t - T) ratio.  The shift s changes local time and the
 * measured value alike: a forward value by s, a reverse value by -s, as offset enters them.
 */
#include "steer/steer_private.h"

static struct mt_span shift_of(const struct mt_steer_change *change, struct mt_instant then)
{
    if (change->kind == MT_CORRECT_STEP) {
        return change->by.step;
    }
    return mt_rate_shift(change->by.ratio, change->at, then);
}

bool mt_steer_translate(const struct mt_discipline *self, struct mt_sample *sample)
{
    uint32_t missed = self->corrections - sample->local.corrections;

    if (missed > self->history_count) {
        return false;
    }
    for (; missed > 0; missed--) {
        unsigned at = (self->history_at - missed) % MT_CORRECTION_HISTORY;
        struct mt_span shift = shift_of(&self->history[at], sample->local.at);

        sample->local.at = mt_instant_plus(sample->local.at, shift);
        sample->value = sample->kind == MT_SAMPLE_REVERSE ? mt_span_minus(sample->value, shift)
                                                          : mt_span_plus(sample->value, shift);
    }
    sample->local.corrections = self->corrections;
    sample->local.at.scale = self->scale;
    return true;
}

static void carry_sources(struct mt_discipline *self, const struct mt_applied *applied,
                          mt_real ratio)
{
    for (unsigned i = 0; i < self->source_count; i++) {
        struct mt_estimator *estimator = &self->sources[i].estimator;

        if (!self->sources[i].is_used) {
            continue;
        }
        if (applied->kind == MT_CORRECT_STEP) {
            mt_estimator_stepped(estimator, applied->step, applied->at);
        } else {
            mt_estimator_rate_changed(estimator, ratio, applied->at);
        }
    }
}

void mt_steer_record(struct mt_discipline *self, const struct mt_applied *applied)
{
    struct mt_steer_change *change = &self->history[self->history_at];
    mt_real ratio = 0;

    if (applied->corrections != self->corrections + 1) {
        self->history_count = 0; /* we have not been told of all: older samples are lost */
    }
    change->kind = applied->kind;
    change->at = applied->at;
    if (applied->kind == MT_CORRECT_STEP) {
        change->by.step = applied->step;
        mt_track_stepped(&self->anchor.track, applied->step, applied->at.scale);
        self->model.at = mt_instant_plus(self->model.at, applied->step);
        self->scale = applied->at.scale;
        self->steps++;
    } else {
        ratio = (applied->rate - self->rate) / (1 + self->rate);
        change->by.ratio = ratio;
        mt_track_rate_changed(&self->anchor.track, ratio, applied->at);
        self->model.frequency += ratio * (1 + self->model.frequency);
        self->rate = applied->rate;
    }
    carry_sources(self, applied, ratio);
    self->history_at = (uint8_t)((self->history_at + 1) % MT_CORRECTION_HISTORY);
    if (self->history_count < MT_CORRECTION_HISTORY) {
        self->history_count++;
    }
    self->corrections = applied->corrections;
}
