/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * A synthetic oscillator over a real clock: an offset, a frequency error and a random walk of the
 * frequency, which steps every 50 ms.  The same seed gives the same walk.  So several nodes on
 * one machine, which all stamp packets with one kernel clock, have different clocks, and the true
 * offset between them is known.
 * Thread rule: one thread at a time for each object.
 */
#ifndef MEANTIME_LINUX_OSCILLATOR_H
#define MEANTIME_LINUX_OSCILLATOR_H

#include "meantime/prng.h"
#include "platform/linux/linux_mapping.h"

#define MT_OSCILLATOR_STEP_NS 50000000

struct mt_oscillator {
    struct mt_mapping mapping;
    struct mt_prng prng;
    mt_q32 next_x; /**< where the frequency steps next */
    mt_real frequency;
    mt_real wander_per_step;
};

/** Reads y0 at x0.  `frequency` in s/s; `wander` in s/s per sqrt(s), 0 for none. */
void mt_oscillator_init(struct mt_oscillator *self, mt_q32 x0, mt_q32 y0, mt_real frequency,
                        mt_real wander, uint64_t seed);
/** Its reading at x: exact for what lies ahead and for the last 3 s. */
mt_q32 mt_oscillator_value(struct mt_oscillator *self, mt_q32 x);
/** The rate at the latest x that was asked for. */
int64_t mt_oscillator_rate_q64(const struct mt_oscillator *self);

#endif
