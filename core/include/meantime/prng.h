/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * A seeded generator of random numbers for spreading timers and for simulations.  The same seed
 * gives the same numbers on every platform, for ever.  Not for keys or cookies: whoever sees a
 * few numbers can tell the others.
 * Thread rule: one generator, one thread.
 */
#ifndef MEANTIME_PRNG_H
#define MEANTIME_PRNG_H

#include <stdint.h>

struct mt_prng {
    uint32_t state[4]; /**< the last one counts the numbers */
};

/** Any seed is good, 0 too; the numbers of two seeds have nothing to do with each other. */
void mt_prng_init(struct mt_prng *prng, uint64_t seed);
uint32_t mt_prng_next_u32(struct mt_prng *prng);
/** Uniform in 0..n-1, without bias; 0 if n is 0. */
uint32_t mt_prng_below(struct mt_prng *prng, uint32_t n);
/** Uniform in 0..max_ns, both included, without bias; 0 if max_ns is negative. */
int64_t mt_prng_interval_ns(struct mt_prng *prng, int64_t max_ns);

#endif
