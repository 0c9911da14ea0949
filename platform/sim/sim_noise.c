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

bool mt_sim_chance(struct mt_prng *prng, mt_real probability)
{
    return probability > 0 && mt_sim_uniform(prng) < probability;
}

void mt_sim_stream(struct mt_prng *prng, uint64_t seed, uint32_t kind, uint32_t index)
{
    uint64_t name = (uint64_t)kind << 32 | index;

    mt_prng_init(prng, seed ^ (name + 1) * UINT64_C(0xD1342543DE82EF95));
}
