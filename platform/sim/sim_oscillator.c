/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * A random walk of the frequency over slots of 0.1 s.  For a walk f with w per square root of a
 * second, the change of f over a slot of length T and the mean of f within it are jointly normal;
 * with two independent normal numbers a and b
 *
 *     change = w sqrt(T) a          mean - start = w sqrt(T) (a / 2 + b / sqrt(12))
 *
 * so frequency and phase are exact at the slots' ends, however long the slots are.
 */
#include "platform/sim/sim_oscillator.h"

#define INVERSE_ROOT_12 0.28867513459481288
#define LIMIT           0.1 /* s/s */

static struct mt_sim_slot *place(struct mt_sim_oscillator *self, int64_t number)
{
    return &self->slots[(uint64_t)number % MT_SIM_SLOTS];
}

/* Draws the frequency for one slot more. */
static mt_real draw_rate(struct mt_sim_oscillator *self)
{
    mt_real rate = self->frequency;

    if (self->wander_per_slot > 0) {
        mt_real a = mt_sim_normal(self->noise, &self->prng);
        mt_real b = mt_sim_normal(self->noise, &self->prng);

        rate += self->wander_per_slot * (a / 2 + b * INVERSE_ROOT_12);
        self->frequency = mt_real_clamp(self->frequency + self->wander_per_slot * a, -LIMIT, LIMIT);
    }
    return mt_real_clamp(rate, -LIMIT, LIMIT);
}

void mt_sim_oscillator_init(struct mt_sim_oscillator *self, const struct mt_sim_noise *noise,
                            struct mt_prng prng, mt_real frequency, mt_real wander,
                            int64_t start_ns)
{
    *self = (struct mt_sim_oscillator){
        .noise = noise,
        .prng = prng,
        .frequency = mt_real_clamp(frequency, -LIMIT, LIMIT),
        .start_ns = start_ns,
        .newest_start_ns = start_ns,
    };
    mt_sim_oscillator_set_wander(self, wander);
    self->slots[0].rate = draw_rate(self);
}

void mt_sim_oscillator_set_wander(struct mt_sim_oscillator *self, mt_real wander)
{
    if (wander != self->wander) {
        self->wander = wander;
        self->wander_per_slot = wander * mt_real_sqrt((mt_real)MT_SIM_SLOT_NS / 1e9);
    }
}

static void advance(struct mt_sim_oscillator *self)
{
    const struct mt_sim_slot *last = place(self, self->newest);
    int64_t gain_q16 = last->gain_q16 + mt_sim_q16(last->rate * (mt_real)MT_SIM_SLOT_NS);

    self->newest++;
    self->newest_start_ns += MT_SIM_SLOT_NS;
    *place(self, self->newest) = (struct mt_sim_slot){gain_q16, draw_rate(self)};
}

/* The slot in force, drawn if need be; what is older than the oldest is taken for that one.  Nearly
 * always it is the newest, or the one after. */
static const struct mt_sim_slot *slot_at(struct mt_sim_oscillator *self, struct mt_base_time at,
                                         int64_t *ret_start_ns)
{
    while (at.ns - self->newest_start_ns >= MT_SIM_SLOT_NS) {
        advance(self);
    }
    int64_t number = self->newest;
    int64_t oldest = self->newest < MT_SIM_SLOTS ? 0 : self->newest - MT_SIM_SLOTS + 1;
    int64_t start_ns = self->newest_start_ns;

    while (at.ns < start_ns && number > oldest) {
        number--;
        start_ns -= MT_SIM_SLOT_NS;
    }
    *ret_start_ns = start_ns;
    return place(self, number);
}

struct mt_interval mt_sim_oscillator_gain(struct mt_sim_oscillator *self, struct mt_base_time at)
{
    int64_t start_ns;
    const struct mt_sim_slot *slot = slot_at(self, at, &start_ns);
    mt_real elapsed_ns = (mt_real)(at.ns - start_ns) + (mt_real)at.frac / 65536;
    int64_t gain_q16 = slot->gain_q16 + mt_sim_q16(slot->rate * elapsed_ns);

    if (self->drift.pieces > 0) {
        gain_q16 += mt_sim_drift_gain_q16(&self->drift, at);
    }
    if (self->phase.white_ns > 0 || self->phase.flicker_ns > 0) {
        gain_q16 += mt_sim_q16(mt_sim_phase_ns(&self->phase, self->noise, at));
    }
    return (struct mt_interval){gain_q16};
}

mt_real mt_sim_oscillator_rate(struct mt_sim_oscillator *self, struct mt_base_time at)
{
    int64_t start_ns;

    return slot_at(self, at, &start_ns)->rate + mt_sim_drift_rate(&self->drift, at);
}
