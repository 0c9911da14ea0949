/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The particle filter that knows everything: wander, the mean of the exponential jitter, and the
 * floor of the path delay.  The yardstick for one-sided jitter, where it is far below the Kalman
 * filter: a message whose jitter happens to be small says nearly exactly where the clock is not.
 */
#ifndef MEANTIME_BENCH_ACCURACY_PARTICLE_H
#define MEANTIME_BENCH_ACCURACY_PARTICLE_H

#include <stdbool.h>
#include <stdint.h>

#include "kalman.h"
#include "meantime/prng.h"

#define PARTICLES     2000
#define PARTICLE_DICE 65536

struct particle {
    double wander_ns;
    double jitter_ns;
    double floor_ns;
    bool is_started;
    double at_s;
    double offset_ns; /**< that those of the particles are relative to */
    double frequency_ns;
    double mean[2]; /**< offset (relative), frequency (relative) */
    struct mt_prng prng;
    unsigned long updates;
    unsigned long resampled;
    unsigned long rescued; /**< no particle was possible */
    float offset[PARTICLES];
    float frequency[PARTICLES];
    float weight[PARTICLES];
    float spare[2][PARTICLES];
    float dice[PARTICLE_DICE + PARTICLES]; /**< normal numbers */
};

void particle_init(struct particle *self, uint64_t seed, double wander, double jitter_ns,
                   double floor_ns);
/** Draws the particles from what a Kalman filter knows. */
void particle_start(struct particle *self, const struct kalman *from);
void particle_update(struct particle *self, double at_s, double value_ns, bool is_forward);
double particle_offset_ns(const struct particle *self, double at_s);

#endif
