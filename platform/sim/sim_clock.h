/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The steered clock of a simulated node: an offset and a rate over its oscillator, with the
 * recent past, as hal/clock.h asks.
 * Thread rule: one thread at a time for each object.
 */
#ifndef MEANTIME_SIM_CLOCK_H
#define MEANTIME_SIM_CLOCK_H

#include "platform/sim/sim_oscillator.h"

#define MT_SIM_CLOCK_PAST 16 /**< corrections that old stamps may lie before */

struct mt_world;

struct mt_sim_clock {
    struct mt_hal_clock hal;
    struct mt_world *world;
    uint32_t node;
    uint16_t index;
    struct mt_sim_oscillator *oscillator; /**< the node's, or its own */
    struct mt_sim_oscillator own;
    struct mt_sim_piece { /**< between two corrections */
        int64_t start_ns; /**< of the base */
        struct mt_interval gain_at_start;
        struct mt_instant local_at_start;
        mt_real rate; /**< s/s against the oscillator */
    } pieces[MT_SIM_CLOCK_PAST];
    uint32_t corrections; /**< = number of the newest piece */
    bool is_open;
    bool is_disturbed; /**< `disturbance` has not been told yet */
    struct mt_applied disturbance;
};

/** Sets the clock to `local` and to its nominal rate; its count of corrections starts at 0. */
void mt_sim_clock_init(struct mt_sim_clock *self, struct mt_instant local);
/** What it reads at `base`, now or in the recent past. */
struct mt_stamp mt_sim_clock_stamp(struct mt_sim_clock *self, struct mt_base_time base);
/** Somebody else steps it. */
void mt_sim_clock_disturb(struct mt_sim_clock *self, struct mt_span by);

extern const struct mt_hal_clock_ops mt_sim_clock_ops;

#endif
