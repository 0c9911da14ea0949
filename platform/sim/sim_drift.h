/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What is not random in an oscillator: ageing, temperature, jumps of its frequency, and lies.
 * The phase is a chain of parabolas of true time.
 * Private to platform/sim.
 * Thread rule: one thread at a time for each object.
 */
#ifndef MEANTIME_SIM_DRIFT_H
#define MEANTIME_SIM_DRIFT_H

#include <stdbool.h>

#include "hal/clock.h"

#define MT_SIM_DRIFT_PIECES                                                                        \
    16 /**< changes, of which ramps of temperature count twice, that are
                                    remembered */

/** What adds up. */
struct mt_sim_drift_terms {
    mt_real frequency;    /**< s/s */
    mt_real ageing_per_s; /**< s/s per s */
    mt_real coefficient;  /**< s/s per kelvin */
    mt_real kelvin;       /**< to be reached within this time */
    int64_t within_ns;
    mt_real lie_offset_s;
    mt_real lie_frequency;
};

struct mt_sim_drift {
    struct mt_sim_drift_terms terms;
    mt_real aged;        /**< s/s by now */
    mt_real lied_ns;     /**< the lie's phase by now */
    mt_real kelvin_from; /**< when the ramp began */
    int64_t ramp_begin_ns;
    int64_t now_ns;  /**< of the last change */
    uint32_t pieces; /**< so far; 0: no gain at all */
    struct mt_sim_drift_piece {
        int64_t start_ns;
        int64_t gain_q16; /**< at its start */
        mt_real rate;     /**< s/s, likewise */
        mt_real per_s;    /**< how that changes */
    } piece[MT_SIM_DRIFT_PIECES];
};

/** The terms are these from `now_ns` of the base on, which is not before the last call's.  The
 * phase goes on where it is, but that a lie's offset is that of `terms` if `begins_lie`. */
void mt_sim_drift_change(struct mt_sim_drift *self, const struct mt_sim_drift_terms *terms,
                         bool begins_lie, int64_t now_ns);
/** Like those of an oscillator. */
int64_t mt_sim_drift_gain_q16(const struct mt_sim_drift *self, struct mt_base_time at);
mt_real mt_sim_drift_rate(const struct mt_sim_drift *self, struct mt_base_time at);
/** Its temperature, less what it is at home. */
mt_real mt_sim_drift_kelvin(const struct mt_sim_drift *self, int64_t base_ns);

#endif
