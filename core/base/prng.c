/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * xoshiro128++ (Blackman and Vigna, "Scrambled linear pseudorandom number generators", 2021):
 * 32-bit operations only, 16 octets of state, period 2^128 - 1.  The seed is spread over the
 * state by splitmix64 (Steele, Lea and Flood, 2014), a bijection of a counter, so that two of
 * its outputs in a row are never both zero.  Bounded numbers are drawn by masking and trying
 * again, which is unbiased and needs fewer than two draws on average.
 */
#include "meantime/prng.h"

static uint64_t splitmix64(uint64_t *counter)
{
    uint64_t z = *counter += UINT64_C(0x9E3779B97F4A7C15);

    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return z ^ z >> 31;
}

static uint32_t rotate_left(uint32_t x, int by)
{
    return x << by | x >> (32 - by);
}

void mt_prng_init(struct mt_prng *prng, uint64_t seed)
{
    for (int i = 0; i < 4; i += 2) {
        uint64_t mixed = splitmix64(&seed);

        prng->state[i] = (uint32_t)(mixed & UINT32_MAX);
        prng->state[i + 1] = (uint32_t)(mixed >> 32);
    }
}

uint32_t mt_prng_next_u32(struct mt_prng *prng)
{
    uint32_t *s = prng->state;
    uint32_t result = rotate_left(s[0] + s[3], 7) + s[0];
    uint32_t shifted = s[1] << 9;

    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= shifted;
    s[3] = rotate_left(s[3], 11);
    return result;
}

/* all ones from the highest bit of x downwards */
static uint32_t mask_over(uint32_t x)
{
    for (int by = 1; by < 32; by *= 2) {
        x |= x >> by;
    }
    return x;
}

uint32_t mt_prng_below(struct mt_prng *prng, uint32_t n)
{
    uint32_t mask;
    uint32_t drawn;

    if (n == 0) {
        return 0;
    }
    mask = mask_over(n - 1);
    do {
        drawn = mt_prng_next_u32(prng) & mask;
    } while (drawn >= n);
    return drawn;
}

/* The high word is drawn only when there is one: short intervals cost one draw of 32 bits. */
int64_t mt_prng_interval_ns(struct mt_prng *prng, int64_t max_ns)
{
    uint32_t high;
    uint32_t high_mask;
    uint32_t low_mask;
    int64_t drawn;

    if (max_ns <= 0) {
        return 0;
    }
    high = (uint32_t)(max_ns >> 32);
    high_mask = mask_over(high);
    low_mask = high > 0 ? UINT32_MAX : mask_over((uint32_t)max_ns);
    do {
        drawn = high > 0 ? (int64_t)(mt_prng_next_u32(prng) & high_mask) << 32 : 0;
        drawn |= mt_prng_next_u32(prng) & low_mask;
    } while (drawn > max_ns);
    return drawn;
}
