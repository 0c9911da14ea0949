/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What the path explains of refused samples.
 *
 * A clock that is elsewhere moves both directions to the same side of the offset.  Both late, or
 * both early, is the path: it has another length, or, where they are late and by no means equal,
 * queues have grown on both ways.  Neither says anything of offset and frequency, so these are
 * kept, and with them the lock of all that follow; to begin anew would cost microseconds where the
 * load does.  What is late in one direction alone waits until the other one has been heard.
 */
#include "servo/estimator_private.h"

#define LEAN    MT_REAL(2.5) /* sigma: innovations that do not fit well */
#define SETTLED 64           /* samples after a start until when the state itself may be wrong */

/* What is late may have waited, and counts half; what both directions say is of the path alone. */
static uint8_t excuse(const struct mt_skew_side *side, enum mt_sample_kind kind)
{
    if (side[kind].leans_to == -side[1 - kind].leans_to) {
        return MT_ESTIMATOR_STRAY;
    }
    return mt_servo_sign(kind) * (mt_real)side[kind].leans_to > 0 ? MT_ESTIMATOR_STRAY / 2 : 0;
}

void mt_servo_note_side(struct mt_estimator *self, enum mt_sample_kind kind,
                        const struct mt_measurement *measured)
{
    struct mt_skew_side *side = self->skewness->side;
    bool is_large = measured->energy > MT_GATE * MT_GATE || mt_real_abs(measured->central) >= LEAN;
    int to = measured->residual > 0 ? 1 : -1;

    self->excuse = 0;
    if (kind != MT_SAMPLE_OFFSET) {
        side[kind].leans_to = (int8_t)(is_large ? to : 0);
        self->excuse = excuse(side, kind);
    }
}

/* The mean of both tells by how much; what they differ by may be of the path, too. */
static void change_length(struct mt_estimator *self)
{
    mt_real forward = self->noise[MT_SAMPLE_FORWARD].refused;
    mt_real reverse = self->noise[MT_SAMPLE_REVERSE].refused;

    self->track.x[2] += (forward - reverse) / 2;
    self->track.p[2][2] += (forward + reverse) * (forward + reverse) / 4 +
                           mt_servo_variance(self, MT_SAMPLE_FORWARD) +
                           mt_servo_variance(self, MT_SAMPLE_REVERSE);
}

static void change_load(struct mt_estimator *self)
{
    if (!self->skewness->is_skewed) {
        mt_servo_set_skewed(self, true);
    }
    for (int kind = 0; kind < 2; kind++) {
        struct mt_skew_side *side = &self->skewness->side[kind];

        side->tail = mt_real_larger(side->tail, mt_real_abs(self->noise[kind].refused));
        side->information = 0;
    }
}

static bool may_wait(const struct mt_estimator *self, enum mt_sample_kind kind)
{
    return self->fresh > SETTLED && self->noise[kind].refused_in_a_row < MT_EXCUSED &&
           self->skewness->side[kind].excused < MT_EXCUSED;
}

bool mt_servo_explain(struct mt_estimator *self, enum mt_sample_kind kind, bool is_step)
{
    struct mt_servo_noise *own = &self->noise[kind];
    struct mt_servo_noise *other = &self->noise[1 - kind];
    bool is_late = mt_servo_sign(kind) * own->refused > 0;

    if (!self->is_complete || kind == MT_SAMPLE_OFFSET) {
        return false;
    }
    if (other->refused_in_a_row == 0) {
        if (is_late && may_wait(self, kind)) {
            return true;
        }
        if (!is_step) {
            mt_servo_forget_skew(self);
        }
        return false;
    }
    if (own->refused * other->refused > 0) {
        return false;
    }
    if (is_step || !is_late) {
        change_length(self);
    } else {
        change_load(self);
    }
    own->refused_in_a_row = 0;
    other->refused_in_a_row = 0;
    return true;
}
