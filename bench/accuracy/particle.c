/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Particles are moved by the oscillator's own random walk.  The likelihood of a forward value z is
 * exp((o - b) / J) for o <= b = z - floor and 0 above; of a reverse value the mirror image.  Over
 * the spread of the particles the slope is small where J is large, and where J is small the walk
 * between two messages is not much smaller than what a message cuts away: the prior is a good
 * proposal in all cells, and what it does between two cuts spreads the copies of a resampled
 * particle before they are needed.
 *
 * Random numbers come from a table of normal numbers, read from random places on, and sums are
 * made in lanes, so that the compiler can work on several particles at once.
 */
#include "particle.h"

#include <math.h>

#include "platform/sim/sim_noise.h"

#define LANES          8
#define INVERSE_ROOT12 0.28867513f
#define ENOUGH         0.5 /* of the particles are effective: no resampling */
#define EXPONENT_MOST  40.0f

void particle_init(struct particle *self, uint64_t seed, double wander, double jitter_ns,
                   double floor_ns)
{
    static struct mt_sim_noise noise;

    mt_sim_noise_init(&noise);
    self->wander_ns = wander * 1e9;
    self->jitter_ns = jitter_ns;
    self->floor_ns = floor_ns;
    self->is_started = false;
    self->updates = self->resampled = self->rescued = 0;
    mt_prng_init(&self->prng, seed ^ UINT64_C(0x5041525449434C45));
    for (int i = 0; i < PARTICLE_DICE; i++) {
        self->dice[i] = (float)mt_sim_normal(&noise, &self->prng);
    }
    for (int i = 0; i < PARTICLES; i++) {
        self->dice[PARTICLE_DICE + i] = self->dice[i];
    }
}

static const float *throw_dice(struct particle *self)
{
    return &self->dice[mt_prng_next_u32(&self->prng) % PARTICLE_DICE];
}

void particle_start(struct particle *self, const struct kalman *from)
{
    const float *a = throw_dice(self);
    const float *b = throw_dice(self);
    double root = sqrt(from->p[0]);
    double rest = sqrt(from->p[2] - from->p[1] * from->p[1] / from->p[0]);

    self->is_started = true;
    self->at_s = from->at_s;
    self->offset_ns = from->x[0];
    self->frequency_ns = from->x[1];
    self->mean[0] = self->mean[1] = 0;
    for (int i = 0; i < PARTICLES; i++) {
        self->offset[i] = (float)(root * a[i]);
        self->frequency[i] = (float)(from->p[1] / root * a[i] + rest * b[i]);
        self->weight[i] = 1;
    }
}

static void walk(struct particle *self, double at_s)
{
    double dt = at_s > self->at_s ? at_s - self->at_s : 0;
    float step = (float)dt;
    float turn = (float)(self->wander_ns * sqrt(dt));
    float way = (float)(self->wander_ns * sqrt(dt) * dt);
    const float *restrict a = throw_dice(self);
    const float *restrict b = throw_dice(self);
    float *restrict offset = self->offset;
    float *restrict frequency = self->frequency;

    self->offset_ns += self->frequency_ns * dt;
    self->at_s += dt;
    for (int i = 0; i < PARTICLES; i++) {
        offset[i] += frequency[i] * step + way * (a[i] * 0.5f + b[i] * INVERSE_ROOT12);
        frequency[i] += turn * a[i];
    }
}

/* e^x, relative error below 1e-5: 2^n times a polynomial of the rest */
static inline float exponential(float x)
{
    x = x > EXPONENT_MOST ? EXPONENT_MOST : x < -EXPONENT_MOST ? -EXPONENT_MOST : x;
    float y = x * 1.44269504f;
    int n = (int)(y + 64.5f) - 64;
    float f = (y - (float)n) * 0.69314718f;
    float e = 1 + f * (1 + f * (0.5f + f * (0.16666667f + f * (0.041666667f + f * 0.0083333f))));
    union {
        int32_t bits;
        float value;
    } power = {(n + 127) << 23};

    return e * power.value;
}

/* sign: +1 the offset is below the bound, -1 above */
static void weigh(struct particle *self, float bound, float sign)
{
    float slope = sign / (float)self->jitter_ns;
    float *restrict weight = self->weight;
    const float *restrict offset = self->offset;

    for (int i = 0; i < PARTICLES; i++) {
        float possible = sign * (bound - offset[i]) >= 0 ? 1.0f : 0.0f;

        weight[i] *= possible * exponential(slope * offset[i]);
    }
}

struct sums {
    double weight;
    double squares;
    double offset;
    double frequency;
};

static struct sums add_up(const struct particle *self)
{
    float lane[4][LANES] = {{0}};
    struct sums sums = {0, 0, 0, 0};

    for (int i = 0; i < PARTICLES; i += LANES) {
        for (int j = 0; j < LANES; j++) {
            float weight = self->weight[i + j];

            lane[0][j] += weight;
            lane[1][j] += weight * weight;
            lane[2][j] += weight * self->offset[i + j];
            lane[3][j] += weight * self->frequency[i + j];
        }
    }
    for (int j = 0; j < LANES; j++) {
        sums.weight += lane[0][j];
        sums.squares += lane[1][j];
        sums.offset += lane[2][j];
        sums.frequency += lane[3][j];
    }
    return sums;
}

/* Copies particles as often as their weights say, and makes offsets relative to the mean again. */
static void resample(struct particle *self, double total)
{
    double spacing = total / PARTICLES;
    double mark = spacing * mt_sim_uniform(&self->prng);
    float offset = (float)self->mean[0];
    float frequency = (float)self->mean[1];
    double sum = 0;
    int made = 0;

    for (int i = 0; i < PARTICLES; i++) {
        self->spare[0][i] = self->offset[i];
        self->spare[1][i] = self->frequency[i];
    }
    for (int i = 0; i < PARTICLES; i++) {
        sum += self->weight[i];
        while (made < PARTICLES && (mark < sum || i == PARTICLES - 1)) {
            self->offset[made] = self->spare[0][i] - offset;
            self->frequency[made] = self->spare[1][i] - frequency;
            made++;
            mark += spacing;
        }
    }
    for (int i = 0; i < PARTICLES; i++) {
        self->weight[i] = 1;
    }
    self->offset_ns += offset;
    self->frequency_ns += frequency;
    self->mean[0] -= offset;
    self->mean[1] -= frequency;
    self->resampled++;
}

/* All particles are beyond the bound: they are moved to its other side, nearest first. */
static void rescue(struct particle *self, float bound, float sign)
{
    for (int i = 0; i < PARTICLES; i++) {
        float beyond = sign * (self->offset[i] - bound);

        if (beyond > 0) {
            self->offset[i] = bound - sign * beyond * 0.1f;
        }
        self->weight[i] = 1;
    }
    self->rescued++;
}

static void scale(struct particle *self, double total)
{
    float factor = (float)(PARTICLES / total);

    for (int i = 0; i < PARTICLES; i++) {
        self->weight[i] *= factor;
    }
}

void particle_update(struct particle *self, double at_s, double value_ns, bool is_forward)
{
    float sign = is_forward ? 1.0f : -1.0f;

    walk(self, at_s);
    double bound_ns = sign * (value_ns - self->floor_ns) - self->offset_ns;
    weigh(self, (float)bound_ns, sign);
    struct sums sums = add_up(self);
    if (!(sums.weight > 1e-20)) {
        rescue(self, (float)bound_ns, sign);
        sums = add_up(self);
    }
    self->updates++;
    self->mean[0] = sums.offset / sums.weight;
    self->mean[1] = sums.frequency / sums.weight;
    if (sums.weight * sums.weight < ENOUGH * PARTICLES * sums.squares) {
        resample(self, sums.weight);
    } else {
        scale(self, sums.weight);
    }
}

double particle_offset_ns(const struct particle *self, double at_s)
{
    double dt = at_s - self->at_s;

    return self->offset_ns + self->mean[0] + (self->frequency_ns + self->mean[1]) * dt;
}
