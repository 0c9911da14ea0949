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

/* how many refused samples in a row are equal to this one but for noise, or for a changed
 * frequency */
static int count_equal(const struct mt_servo_noise *noise, mt_real innovation, mt_real limit)
{
    if (noise->refused_in_a_row == 0 || mt_real_abs(noise->refused - innovation) >= limit) {
        return 0;
    }
    return noise->consistent_in_a_row;
}

bool mt_servo_is_step(struct mt_estimator *self, enum mt_sample_kind kind, mt_real innovation,
                      mt_real sigma)
{
    struct mt_servo_noise *noise = self->noise;
    int needed = self->wary < WARY_LIMIT ? STEP_SAMPLES : STEP_WARY;
    int equal[MT_SAMPLE_KIND_COUNT];
    int consistent = 1;
    int similar = 0;

    for (int i = 0; i < MT_SAMPLE_KIND_COUNT; i++) {
        mt_real limit = EQUAL_SIGMA * sigma;

        equal[i] = count_equal(&noise[i], innovation, limit);
        consistent += equal[i];
        similar += count_equal(&noise[i], innovation, limit + mt_real_abs(innovation) / 8);
    }
    noise += kind;
    noise->consistent_in_a_row = (uint8_t)(equal[kind] + 1);
    noise->is_confirmed = similar > 0;
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
