/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The oscillator of a simulated node: a frequency error that walks at random, noise of the phase,
 * and what changes by plan (sim_drift.h).  The walk's phase is a piecewise linear function of true
 * time, drawn slot by slot, so whoever looks, and how often, makes no difference to it.
 * Thread rule: one thread at a time for each object.
 */
#ifndef MEANTIME_SIM_OSCILLATOR_H
#define MEANTIME_SIM_OSCILLATOR_H

#include "platform/sim/sim_drift.h"
#include "platform/sim/sim_phase.h"

#define MT_SIM_SLOT_NS INT64_C(100000000)
#define MT_SIM_SLOTS   64 /**< that are remembered: 6.4 s */

struct mt_sim_oscillator {
    const struct mt_sim_noise *noise;
    struct mt_prng prng;
    mt_real frequency; /**< at the end of the newest slot */
    mt_real wander;
    mt_real wander_per_slot;
    int64_t start_ns;
    int64_t newest; /**< slots before it since the start */
    int64_t newest_start_ns;
    struct mt_sim_slot {
        int64_t gain_q16; /**< at its start: what the oscillator has counted, less true time */
        mt_real rate;     /**< s/s, minus one */
    } slots[MT_SIM_SLOTS];
    struct mt_sim_drift drift;
    struct mt_sim_phase phase;
};

/** Starts with no gain at `start_ns` of the base; `noise` must outlive the object. */
void mt_sim_oscillator_init(struct mt_sim_oscillator *self, const struct mt_sim_noise *noise,
                            struct mt_prng prng, mt_real frequency, mt_real wander,
                            int64_t start_ns);
/** Changes the walk from the next slot on. */
void mt_sim_oscillator_set_wander(struct mt_sim_oscillator *self, mt_real wander);
/** What it has counted since the start, less true time, at `at`: the present or the recent past;
 * saturates at 39 h. */
struct mt_interval mt_sim_oscillator_gain(struct mt_sim_oscillator *self, struct mt_base_time at);
/** Its rate at `at`, minus one, without the noise of the phase. */
mt_real mt_sim_oscillator_rate(struct mt_sim_oscillator *self, struct mt_base_time at);

#endif
