/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Random numbers with the shapes that clocks and networks have, out of seeded generators.
 * Thread rule: constant tables once initialised; one generator, one thread.
 */
#ifndef MEANTIME_SIM_NOISE_H
#define MEANTIME_SIM_NOISE_H

#include <stdbool.h>

#include "meantime/prng.h"
#include "meantime/real.h"

#define MT_SIM_NOISE_LAYERS 128

struct mt_sim_noise {
    mt_real edge[MT_SIM_NOISE_LAYERS + 1];    /**< of the layers, outermost first, 0 at the end */
    mt_real density[MT_SIM_NOISE_LAYERS + 1]; /**< exp(-edge^2 / 2) */
};

void mt_sim_noise_init(struct mt_sim_noise *self);
/** Mean 0, standard deviation 1. */
mt_real mt_sim_normal(const struct mt_sim_noise *self, struct mt_prng *prng);
/** Mean 1, standard deviation 1, never negative. */
mt_real mt_sim_exponential(struct mt_prng *prng);
/** Of shape k > 0, scaled to standard deviation 1: mean sqrt(k), never negative. */
mt_real mt_sim_gamma(const struct mt_sim_noise *self, struct mt_prng *prng, mt_real shape);
/** Pareto II (Lomax) of tail index a > 2, scaled to standard deviation 1; never negative. */
mt_real mt_sim_pareto(struct mt_prng *prng, mt_real shape);
/** Number `index` of a sequence of normal numbers that can be had in any order. */
mt_real mt_sim_normal_at(const struct mt_sim_noise *self, uint64_t key, uint64_t index);
/** Between 0 and 1, neither included. */
mt_real mt_sim_uniform(struct mt_prng *prng);
/** True with this probability; draws no number if it is 0 or less. */
bool mt_sim_chance(struct mt_prng *prng, mt_real probability);
/** Nanoseconds in units of 2^-16 ns, to the nearest; beyond half of what 64 bits hold it saturates,
 * which is 19 h. */
static inline int64_t mt_sim_q16(mt_real ns)
{
    mt_real q16 = ns * 65536;

    if (!(q16 < 4.5e18 && q16 > -4.5e18)) {
        return q16 < 0 ? INT64_MIN / 2 : INT64_MAX / 2;
    }
    return (int64_t)(q16 + (q16 < 0 ? -0.5 : 0.5));
}

/** Starts a generator of its own for thing `index` of a kind in the world with this seed. */
void mt_sim_stream(struct mt_prng *prng, uint64_t seed, uint32_t kind, uint32_t index);

#endif
