/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What the path explains of refused samples.
 *
 * A clock that is elsewhere moves both directions to the same side of the offset.  Both late, or
 * both early, is the path: it has another length, if both are off by the same, or, where they are
 * late and by no means equal, queues have grown on both ways.  Neither says anything of offset and
 * frequency, so these are kept, and with them the lock of all that follow; to begin anew would cost
 * microseconds where the load does.  What one direction alone says waits until the other one has
 * been heard.
 */
#include "servo/estimator_private.h"

#define LEAN    MT_REAL(2.5) /* sigma: innovations that do not fit well */
#define YOUNG   24           /* samples after a start until when the state may rest on chance ... */
#define SETTLED 64           /* ... and until when nothing waits for the other direction */
#define QUEUE   MT_REAL(0.25) /* mean of queues, in what the last sample was late */

/* of both directions: a clock's doing, of one: anybody's */
static uint8_t share_of_path(const struct mt_skew_side *side, enum mt_sample_kind kind)
{
    int both = side[kind].leans_to * side[1 - kind].leans_to;

    return (uint8_t)(both < 0 ? MT_ESTIMATOR_STRAY : both > 0 ? 0 : MT_ESTIMATOR_STRAY / 2);
}

void mt_servo_note_side(struct mt_estimator *self, enum mt_sample_kind kind,
                        const struct mt_measurement *measured)
{
    struct mt_skew_side *side = self->skewness->side;
    bool is_large = measured->energy > MT_GATE * MT_GATE || mt_real_abs(measured->central) >= LEAN;
    int to = measured->residual > 0 ? 1 : -1;

    self->path_share = 0;
    if (kind != MT_SAMPLE_OFFSET) {
        side[kind].is_answer = self->noise[1 - kind].refused_in_a_row > 0;
        side[kind].leans_to = (int8_t)(is_large ? to : 0);
        self->path_share = share_of_path(side, kind);
    }
}

/* as much late, or early, in both directions */
static bool is_even(const struct mt_estimator *self)
{
    mt_real apart = self->noise[MT_SAMPLE_FORWARD].refused + self->noise[MT_SAMPLE_REVERSE].refused;

    return apart * apart < MT_GATE * MT_GATE *
                               (mt_servo_variance(self, MT_SAMPLE_FORWARD) +
                                mt_servo_variance(self, MT_SAMPLE_REVERSE));
}

static void change_length(struct mt_estimator *self)
{
    mt_real forward = self->noise[MT_SAMPLE_FORWARD].refused;
    mt_real reverse = self->noise[MT_SAMPLE_REVERSE].refused;

    self->track.x[2] += (forward - reverse) / 2;
    self->track.p[2][2] +=
        mt_servo_variance(self, MT_SAMPLE_FORWARD) + mt_servo_variance(self, MT_SAMPLE_REVERSE);
}

/* The noise that was may have been normal: then its tails move no offset. */
static void begin_tails(struct mt_estimator *self)
{
    struct mt_track *track = &self->track;
    mt_real offset = track->x[0];
    mt_real moved;

    mt_servo_set_skewed(self, true);
    moved = track->x[0] - offset;
    track->x[0] = offset;
    track->p[0][0] += moved * moved;
}

static void change_load(struct mt_estimator *self)
{
    if (!self->skewness->is_skewed) {
        begin_tails(self);
    }
    for (int kind = 0; kind < 2; kind++) {
        struct mt_skew_side *side = &self->skewness->side[kind];
        mt_real late = mt_real_abs(self->noise[kind].refused);

        side->tail = mt_real_larger(side->tail, QUEUE * late);
        side->information = 0;
    }
}

static bool may_wait(const struct mt_estimator *self, enum mt_sample_kind kind)
{
    return self->fresh > SETTLED && self->noise[kind].refused_in_a_row < MT_EXCUSED &&
           self->skewness->side[kind].excused < MT_EXCUSED;
}

/* Since this direction has refused samples, or twice: not one outlier of before. */
static bool is_heard(const struct mt_estimator *self, int kind)
{
    int refused = self->noise[kind].refused_in_a_row;

    return refused > 1 || (refused == 1 && self->skewness->side[kind].is_answer);
}

/* Both directions have refused samples, and not on the same side. */
static bool change_path(struct mt_estimator *self, enum mt_sample_kind kind, bool is_step)
{
    bool is_late = mt_servo_sign(kind) * self->noise[kind].refused > 0;

    if (self->fresh <= YOUNG) {
        return false;
    }
    if (!is_step && !self->skewness->side[kind].is_steady && is_late) {
        change_load(self);
    } else if (is_even(self)) {
        change_length(self);
    } else {
        return is_late && may_wait(self, kind);
    }
    self->noise[MT_SAMPLE_FORWARD].refused_in_a_row = 0;
    self->noise[MT_SAMPLE_REVERSE].refused_in_a_row = 0;
    return true;
}

bool mt_servo_explain(struct mt_estimator *self, enum mt_sample_kind kind, bool is_step)
{
    bool is_explained = false;

    if (self->is_complete && kind != MT_SAMPLE_OFFSET) {
        const struct mt_servo_noise *own = &self->noise[kind];
        const struct mt_servo_noise *other = &self->noise[1 - kind];

        if (!is_heard(self, 1 - (int)kind)) {
            self->skewness->side[kind].is_steady |= is_step;
            is_explained = may_wait(self, kind);
        } else if (own->refused * other->refused < 0) {
            is_explained = change_path(self, kind, is_step);
        } else {
            return false;
        }
    }
    if (!is_explained && !is_step) {
        mt_servo_forget_skew(self);
    }
    return is_explained;
}
