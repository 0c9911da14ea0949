/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Both directions together tell what refused samples mean.
 *
 * A clock that steps or is slewed does so for both.  While those of one direction fit, what the
 * other one refuses are packets that wait: they prove no step, however equal they are, unless it
 * lasts.  Where both are off to the same side, the source has moved: a grandmaster that follows NTP
 * is slewed after each of its own samples, by more than the noise of a quiet link.  The state is
 * then known that much worse, and goes on; to begin anew, as after a large step, would cost the
 * estimate, and with it the lock of all that follow.  Nobody says when a slew ends: for a while the
 * rate that it has shown may be gone at any time, and already the first refused sample may say so.
 *
 * An oscillator that has just been met may wander so; then it is the wander that must be learned.
 */
#include "servo/estimator_private.h"

#define SETTLED    64               /* samples after a start until when all may be wander ... */
#define STEADY     512              /* ... and what leans only a little */
#define NEARBY     64               /* sigma of a step that need not be one */
#define LEANING    4                /* so many on one side in a row are no chance */
#define LEAST_TIME MT_REAL(0x1p-10) /* s */
#define TURNS      2                /* of the source to the other side while it moves */
#define MOVING     16               /* samples after a move until the source stands */

void mt_servo_excuse(struct mt_estimator *self, enum mt_sample_kind kind)
{
    struct mt_servo_noise *other = &self->noise[1 - kind];
    struct mt_skew_side *side = self->skewness->side;
    bool is_late = mt_servo_sign((enum mt_sample_kind)(1 - kind)) * other->refused > 0;

    side[kind].excused = 0;
    side[kind].is_steady = false;
    if (other->refused_in_a_row > 0 && is_late && side[1 - kind].excused < MT_EXCUSED) {
        side[1 - kind].excused++;
        other->refused_in_a_row = 0;
    }
}

mt_real mt_servo_unseen_doubt(const struct mt_estimator *self)
{
    mt_real doubt = 0;

    for (int kind = 0; kind < 2; kind++) {
        mt_real refused = mt_real_abs(self->noise[kind].refused);
        mt_real seen = mt_servo_variance(self, (enum mt_sample_kind)(1 - kind));

        if (self->skewness->side[kind].excused > 1 &&
            refused * refused < MT_GATE * MT_GATE * seen) {
            doubt = mt_real_larger(doubt, refused);
        }
    }
    return doubt;
}

void mt_servo_follow_move(struct mt_estimator *self, const struct mt_measurement *measured)
{
    struct mt_skewness *skewness = self->skewness;

    if (skewness->moving > 0) {
        skewness->moving--;
        skewness->gained -= measured->gain[1] * measured->innovation;
        skewness->surprise = mt_real_abs(measured->residual * measured->sigma);
        skewness->speed = mt_real_larger(skewness->speed, mt_real_abs(skewness->gained));
    }
}

void mt_servo_tell_move(const struct mt_estimator *self, struct mt_estimate *estimate)
{
    const struct mt_skewness *skewness = self->skewness;

    if (skewness->moving > 0) {
        estimate->doubt = mt_real_larger(estimate->doubt, skewness->surprise);
        for (int kind = 0; kind < 2; kind++) {
            const struct mt_servo_noise *noise = &self->noise[kind];

            if (noise->refused_in_a_row > 0) {
                estimate->doubt = mt_real_larger(estimate->doubt, mt_real_abs(noise->refused));
            }
        }
        estimate->doubt += skewness->speed * mt_real_larger(estimate->age, 0);
    }
}

void mt_servo_stand(struct mt_skewness *skewness)
{
    skewness->leaning = 0;
    skewness->turns = 0;
    for (int kind = 0; kind < 2; kind++) {
        skewness->side[kind].leans_to = 0;
    }
}

/* The other direction was refused, too, and all on this side. */
static bool is_confirmed(const struct mt_estimator *self, enum mt_sample_kind kind,
                         mt_real innovation)
{
    const struct mt_servo_noise *own = &self->noise[kind];
    const struct mt_servo_noise *other = &self->noise[1 - kind];
    bool is_own_here = own->refused_in_a_row == 0 || own->refused * innovation > 0;

    return is_own_here && other->refused_in_a_row > 0 && other->refused * innovation > 0;
}

/* Counts those in a row that are large and on one side; true: together they are strange.  What is
 * late counts where the other direction is on that side, too: or else it may have waited. */
static bool lean(struct mt_skewness *self, enum mt_sample_kind kind)
{
    int to = self->side[kind].leans_to;
    bool is_late = to == (kind == MT_SAMPLE_REVERSE ? -1 : 1);

    if (self->leaning * to <= 0) {
        self->leaning = 0;
    }
    if ((!is_late || self->side[1 - kind].leans_to == to) && self->leaning * to < LEANING) {
        self->leaning = (int8_t)(self->leaning + to);
    }
    return self->leaning >= LEANING || self->leaning <= -LEANING;
}

/* The source is slewed, or has stepped by little. */
static bool judge_move(const struct mt_estimator *self, enum mt_sample_kind kind,
                       mt_real innovation, const struct mt_measurement *measured)
{
    if (kind == MT_SAMPLE_OFFSET || self->fresh <= SETTLED) {
        return false;
    }
    if (measured->energy > MT_GATE * MT_GATE) {
        return measured->energy < NEARBY * NEARBY && is_confirmed(self, kind, innovation);
    }
    return lean(self->skewness, kind) && self->fresh > STEADY;
}

/* It moves to and fro: that is noise, which has grown. */
static bool is_restless(struct mt_skewness *self, mt_real innovation)
{
    bool is_ahead = innovation > 0;

    if (self->moving == 0) {
        self->turns = 0;
    } else if (is_ahead != self->moves_ahead) {
        self->turns++;
    }
    self->moves_ahead = is_ahead;
    return self->turns >= TURNS;
}

static void become_loud(struct mt_estimator *self, struct mt_measurement *measured,
                        mt_real innovation)
{
    for (int kind = 0; kind < 2; kind++) {
        self->noise[kind].variance += innovation * innovation;
    }
    measured->noise += innovation * innovation;
    self->skewness->turns = 0;
}

bool mt_servo_yield(struct mt_estimator *self, enum mt_sample_kind kind,
                    struct mt_measurement *measured)
{
    struct mt_track *track = &self->track;
    mt_real innovation = measured->residual * measured->sigma;
    mt_real speed = innovation / mt_real_larger(self->unseen, LEAST_TIME);

    if (!judge_move(self, kind, innovation, measured)) {
        return false;
    }
    track->p[0][0] += innovation * innovation;
    track->p[1][1] += speed * speed;
    self->skewness->leaning = 0;
    if (self->skewness->moving == 0) {
        self->skewness->gained = 0;
        self->skewness->speed = 0;
        self->skewness->surprise = 0;
    }
    if (is_restless(self->skewness, innovation)) {
        become_loud(self, measured, innovation);
    }
    self->skewness->moving = MOVING;
    mt_track_weigh(track, measured);
    return true;
}
