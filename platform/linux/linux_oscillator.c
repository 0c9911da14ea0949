/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The lab oscillator.  Its phase is the integral of a frequency that is constant for 50 ms at a
 * time, so it is a piecewise linear function and the mapping does the work.  The walk is drawn
 * when somebody first asks for a time in its slot; slots are counted from the start, so whether
 * one asks often or seldom makes no difference to the result.
 */
#include "platform/linux/linux_oscillator.h"

#define LIMIT      0.1 /* s/s: whoever sets more has made a mistake in units */
#define NORMAL_SUM 12  /* uniform numbers in a sum of variance 1 */

void mt_oscillator_init(struct mt_oscillator *self, mt_q32 x0, mt_q32 y0, mt_real frequency,
                        mt_real wander, uint64_t seed)
{
    mt_prng_init(&self->prng, seed);
    mt_mapping_init(&self->mapping, x0, y0, mt_rate_to_q64(frequency, LIMIT), MT_SCALE_ARB);
    self->next_x = x0 + mt_q32_from_ns(MT_OSCILLATOR_STEP_NS);
    self->frequency = frequency;
    self->wander_per_step = wander * mt_real_sqrt(MT_OSCILLATOR_STEP_NS / 1e9);
}

static mt_real next_normal(struct mt_prng *prng)
{
    int64_t sum = 0;

    for (int i = 0; i < NORMAL_SUM; i++) {
        sum += mt_prng_next_u32(prng);
    }
    return (mt_real)(sum - NORMAL_SUM / 2 * (INT64_C(1) << 32)) / (mt_real)(INT64_C(1) << 32);
}

static void walk(struct mt_oscillator *self)
{
    self->frequency += self->wander_per_step * next_normal(&self->prng);
    mt_mapping_turn(&self->mapping, self->next_x, 0, mt_rate_to_q64(self->frequency, LIMIT),
                    MT_SCALE_ARB);
    self->next_x += mt_q32_from_ns(MT_OSCILLATOR_STEP_NS);
}

mt_q32 mt_oscillator_value(struct mt_oscillator *self, mt_q32 x)
{
    while (self->wander_per_step > 0 && x >= self->next_x) {
        walk(self);
    }
    return mt_segment_value(mt_mapping_at(&self->mapping, x), x);
}

int64_t mt_oscillator_rate_q64(const struct mt_oscillator *self)
{
    return mt_mapping_newest(&self->mapping)->rate_q64;
}
