/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * White and flicker noise of an oscillator's phase, as functions of time: they can be had at any
 * time in any order, so whoever looks, and how often, makes no difference.
 * Private to platform/sim.
 * Thread rule: one thread at a time for each object.
 */
#ifndef MEANTIME_SIM_PHASE_H
#define MEANTIME_SIM_PHASE_H

#include "hal/clock.h"
#include "platform/sim/sim_noise.h"

#define MT_SIM_PHASE_OCTAVES 20

struct mt_sim_phase {
    uint64_t key;
    mt_real white_ns;   /**< standard deviation */
    mt_real flicker_ns; /**< TDEV */
    struct {
        int64_t index; /**< of the value, plus 1; 0: none yet */
        mt_real value;
    } octaves[MT_SIM_PHASE_OCTAVES]; /**< the last one used of each */
};

/** `key` says which noise of all. */
void mt_sim_phase_init(struct mt_sim_phase *self, uint64_t key);
/** 0 if both deviations are. */
mt_real mt_sim_phase_ns(struct mt_sim_phase *self, const struct mt_sim_noise *noise,
                        struct mt_base_time at);

#endif
