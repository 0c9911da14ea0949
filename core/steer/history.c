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

void mt_steer_carry(struct mt_track *track, const struct mt_steer_change *change)
{
    if (change->kind == MT_CORRECT_STEP) {
        mt_track_stepped(track, &change->by.step);
    } else {
        mt_track_rate_changed(track, change->by.ratio, &change->at);
    }
}

bool mt_steer_translate(const struct mt_discipline *self, struct mt_sample *sample)
{
    struct mt_track moved = {.at = sample->local.at};
    uint32_t missed = self->corrections - sample->local.corrections;

    if (missed > self->history_count) {
        return false;
    }
    for (; missed > 0; missed--) {
        mt_steer_carry(&moved, &self->history[(self->history_at - missed) % MT_CORRECTION_HISTORY]);
    }
    sample->local.at = moved.at;
    sample->local.at.scale = self->scale;
    if (sample->kind == MT_SAMPLE_REVERSE) {
        mt_span_subtract(&sample->value, &moved.base);
    } else {
        mt_span_add(&sample->value, &moved.base);
    }
    return true;
}

void mt_steer_forget_all(struct mt_discipline *self)
{
    self->history_count = 0;
    self->has_anchor = false;
    for (uint16_t i = 0; i < self->source_count; i++) {
        mt_discipline_reset_source(self, i);
    }
}

void mt_steer_record(struct mt_discipline *self, const struct mt_applied *applied)
{
    struct mt_steer_change *change = &self->history[self->history_at];

    if (applied->corrections != self->corrections + 1) {
        mt_steer_forget_all(self); /* nobody knows where the clock has been moved to */
    }
    change->kind = applied->kind;
    change->at = applied->at;
    if (applied->kind == MT_CORRECT_STEP) {
        change->by.step = applied->step;
        self->model.at = applied->at; /* its knowledge is hardly older than that */
        self->scale = applied->at.scale;
        self->steps++;
    } else {
        mt_real ratio = (applied->rate - self->rate) / (1 + self->rate);

        change->by.ratio = ratio;
        self->model.frequency = (self->model.frequency + ratio) / (1 + ratio);
        self->rate = applied->rate;
    }
    for (unsigned i = 0; i < self->source_count; i++) {
        mt_steer_carry(&self->sources[i].estimator.track, change);
    }
    mt_steer_carry(&self->anchor.track, change);
    self->history_at = (uint8_t)((self->history_at + 1) % MT_CORRECTION_HISTORY);
    if (self->history_count < MT_CORRECTION_HISTORY) {
        self->history_count++;
    }
    self->corrections = applied->corrections;
    if (self->config.servo != 0) {
        self->config.servo->corrected(self, change);
    }
}
