/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Normal numbers by the ziggurat method (Marsaglia and Tsang, "The ziggurat method for generating
 * random variables", 2000): the area under the density is cut into layers of equal size; a point
 * is drawn in one of them, and nearly always its layer alone shows that it lies under the curve.
 * The tables are worked out with the core's own exp, log and square root, so the numbers are the
 * same everywhere.
 */
#include "platform/sim/sim_noise.h"

#define TAIL_FROM  3.442619855899 /* where the outermost layer's rectangle ends */
#define LAYER_AREA 9.91256303526217e-3

void mt_sim_noise_init(struct mt_sim_noise *self)
{
    mt_real edge = TAIL_FROM;

    self->density[0] = mt_real_exp(-edge * edge / 2);
    self->edge[0] = LAYER_AREA / self->density[0];
    self->edge[1] = edge;
    self->density[1] = self->density[0];
    for (int i = 2; i < MT_SIM_NOISE_LAYERS; i++) {
        mt_real density = LAYER_AREA / edge + self->density[i - 1];

        edge = mt_real_sqrt(-2 * mt_real_log(density));
        self->edge[i] = edge;
        self->density[i] = density;
    }
    self->edge[MT_SIM_NOISE_LAYERS] = 0;
    self->density[MT_SIM_NOISE_LAYERS] = 1;
}

mt_real mt_sim_uniform(struct mt_prng *prng)
{
    return ((mt_real)mt_prng_next_u32(prng) + 0.5) / 4294967296.0;
}

mt_real mt_sim_exponential(struct mt_prng *prng)
{
    return -mt_real_log(mt_sim_uniform(prng));
}

static mt_real tail(struct mt_prng *prng)
{
    mt_real x;
    mt_real y;

    do {
        x = mt_sim_exponential(prng) / TAIL_FROM;
        y = mt_sim_exponential(prng);
    } while (2 * y < x * x);
    return TAIL_FROM + x;
}

/* Whether x of a layer, beyond the edge of the next, is under the curve after all. */
static bool is_under(const struct mt_sim_noise *self, unsigned layer, mt_real x,
                     struct mt_prng *prng)
{
    mt_real below = self->density[layer];
    mt_real height = self->density[layer + 1] - below;

    return below + height * mt_sim_uniform(prng) < mt_real_exp(-x * x / 2);
}

mt_real mt_sim_normal(const struct mt_sim_noise *self, struct mt_prng *prng)
{
    for (;;) {
        uint32_t bits = mt_prng_next_u32(prng);
        unsigned layer = bits % MT_SIM_NOISE_LAYERS;
        bool is_negative = (bits & MT_SIM_NOISE_LAYERS) != 0;
        mt_real x = mt_sim_uniform(prng) * self->edge[layer];

        if (x >= self->edge[layer + 1]) {
            if (layer == 0) {
                x = tail(prng);
            } else if (!is_under(self, layer, x, prng)) {
                continue;
            }
        }
        return is_negative ? -x : x;
    }
}

/* Marsaglia and Tsang, "A simple method for generating gamma variables", 2000, for k >= 1. */
static mt_real draw_gamma(const struct mt_sim_noise *self, struct mt_prng *prng, mt_real shape)
{
    mt_real d = shape - 1.0 / 3;
    mt_real c = 1 / mt_real_sqrt(9 * d);

    for (;;) {
        mt_real x = mt_sim_normal(self, prng);
        mt_real v = 1 + c * x;

        if (v <= 0) {
            continue;
        }
        v = v * v * v;
        if (mt_real_log(mt_sim_uniform(prng)) < x * x / 2 + d - d * v + d * mt_real_log(v)) {
            return d * v;
        }
    }
}

/* Below shape 1, that of one more is shrunk by a power of a uniform number. */
mt_real mt_sim_gamma(const struct mt_sim_noise *self, struct mt_prng *prng, mt_real shape)
{
    mt_real shrunk = 1;

    if (shape < 1) {
        shrunk = mt_real_exp(mt_real_log(mt_sim_uniform(prng)) / shape);
    }
    return shrunk * draw_gamma(self, prng, shape < 1 ? shape + 1 : shape) / mt_real_sqrt(shape);
}

mt_real mt_sim_pareto(struct mt_prng *prng, mt_real shape)
{
    mt_real scale = (shape - 1) * mt_real_sqrt((shape - 2) / shape);

    return scale * (mt_real_exp(mt_sim_exponential(prng) / shape) - 1);
}

/* The finaliser of splitmix64 (Steele, Lea, Flood, 2014): each bit of input moves half of them. */
static uint64_t scatter(uint64_t x)
{
    x = (x ^ x >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    x = (x ^ x >> 27) * UINT64_C(0x94D049BB133111EB);
    return x ^ x >> 31;
}

mt_real mt_sim_normal_at(const struct mt_sim_noise *self, uint64_t key, uint64_t index)
{
    struct mt_prng prng;

    mt_prng_init(&prng, scatter(key + index * UINT64_C(0x9E3779B97F4A7C15)));
    return mt_sim_normal(self, &prng);
}

bool mt_sim_chance(struct mt_prng *prng, mt_real probability)
{
    return probability > 0 && mt_sim_uniform(prng) < probability;
}

void mt_sim_stream(struct mt_prng *prng, uint64_t seed, uint32_t kind, uint32_t index)
{
    uint64_t name = (uint64_t)kind << 32 | index;

    mt_prng_init(prng, seed ^ (name + 1) * UINT64_C(0xD1342543DE82EF95));
}
