/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * sfc32 ("small fast chaotic", Doty-Humphrey, PractRand): 32-bit additions, shifts and
 * exclusive-ors only, 16 octets of state.  One word of it is a counter, so that no state comes
 * again before 2^32 numbers, whatever the seed; on average a period is 2^127.  The step is
 * not linear: a dozen numbers after a seed that differs in one bit, everything differs.
 * Bounded numbers are drawn by masking and trying again, which is unbiased and needs fewer than
 * two draws on average.
 */
#include "meantime/prng.h"

#define STIR 16 /* numbers thrown away after seeding; 12 are enough to hide equal bits */

void mt_prng_init(struct mt_prng *prng, uint64_t seed)
{
    *prng = (struct mt_prng){{(uint32_t)(seed & UINT32_MAX), (uint32_t)(seed >> 32), 0, 1}};
    for (int i = 0; i < STIR; i++) {
        mt_prng_next_u32(prng);
    }
}

uint32_t mt_prng_next_u32(struct mt_prng *prng)
{
    uint32_t *s = prng->state;
    uint32_t result = s[0] + s[1] + s[3]++;

    s[0] = s[1] ^ s[1] >> 9;
    s[1] = s[2] + (s[2] << 3);
    s[2] = (s[2] << 21 | s[2] >> 11) + result;
    return result;
}

uint32_t mt_prng_below(struct mt_prng *prng, uint32_t n)
{
    uint32_t mask;
    uint32_t drawn;

    if (n == 0) {
        return 0;
    }
    mask = n - 1;
    for (int by = 1; by < 32; by *= 2) { /* all ones from the highest downwards */
        mask |= mask >> by;
    }
    do {
        drawn = mt_prng_next_u32(prng) & mask;
    } while (drawn >= n);
    return drawn;
}

int64_t mt_prng_interval_ns(struct mt_prng *prng, int64_t max_ns)
{
    uint64_t mask = INT64_MAX;
    uint64_t drawn;

    if (max_ns <= 0) {
        return 0;
    }
    while (mask / 2 >= (uint64_t)max_ns) {
        mask /= 2;
    }
    do {
        drawn = (uint64_t)mt_prng_next_u32(prng) << 32;
        drawn = (drawn | mt_prng_next_u32(prng)) & mask;
    } while (drawn > (uint64_t)max_ns);
    return (int64_t)drawn;
}
