/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What refused samples tell.  Those that are about equal, of either direction, are a step of the
 * source or of the path; a few that are not are outliers.  Where outliers are frequent, more is
 * asked of a step.
 */
#include "servo/estimator_private.h"

#define STEP_SAMPLES 3 /* consistent refused samples that make a step */
#define STEP_WARY    5 /* and where outliers are frequent */
#define WARY_LIMIT   128
#define EQUAL_SIGMA  5

bool mt_servo_is_step(struct mt_estimator *self, enum mt_sample_kind kind, mt_real innovation,
                      mt_real sigma)
{
    struct mt_servo_noise *noise = &self->noise[kind];
    int needed = self->wary < WARY_LIMIT ? STEP_SAMPLES : STEP_WARY;
    mt_real limit = EQUAL_SIGMA * sigma;
    mt_real loose = limit + mt_real_abs(innovation) / 8; /* with a changed frequency */
    int consistent = 1;
    int own = 1;

    noise->is_confirmed = false;
    for (int i = 0; i < MT_SAMPLE_KIND_COUNT; i++) {
        const struct mt_servo_noise *other = &self->noise[i];
        mt_real apart = mt_real_abs(other->refused - innovation);

        if (other->refused_in_a_row > 0 && apart < loose) {
            noise->is_confirmed = true;
            if (apart < limit) { /* equal but for noise */
                consistent += other->consistent_in_a_row;
                own += i == (int)kind ? other->consistent_in_a_row : 0;
            }
        }
    }
    noise->consistent_in_a_row = (uint8_t)own;
    noise->refused = innovation;
    noise->refused_in_a_row++;
    /* one more for each that did not agree */
    return consistent >= needed + noise->refused_in_a_row - noise->consistent_in_a_row;
}

mt_real mt_estimator_doubt(const struct mt_estimator *self)
{
    mt_real doubt = 0;

    for (int kind = 0; kind < MT_SAMPLE_KIND_COUNT; kind++) {
        const struct mt_servo_noise *noise = &self->noise[kind];
        mt_real refused = mt_real_abs(noise->refused);

        if (noise->refused_in_a_row > 0 && noise->is_confirmed && refused > doubt) {
            doubt = refused;
        }
    }
    return doubt;
}
