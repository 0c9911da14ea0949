/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * White noise is a number for each nanosecond.  Flicker noise is the sum of noises that hold a
 * number for 2^24, 2^25 ... 2^43 ns (17 ms to 2.4 h): one with deviation s that holds for T has
 * the spectrum 2 s^2 T sinc^2(pi f T), and the sum over octaves comes near to its integral over T,
 *
 *     S(f) = 1/ln 2  integral of 2 s^2 sinc^2(pi f T) dT = s^2 / (ln 2 f)
 *
 * A phase with the spectrum h/f has TVAR = h ln(256/27) / 2 at all times, so for a given TDEV
 * s = TDEV sqrt(2 ln 2 / ln(256/27)).  The octaves do not change at once: each is shifted by a
 * part of its own.
 */
#include "platform/sim/sim_phase.h"

#define FIRST_OCTAVE  24
#define S_OF_TDEV     0.78505 /* sqrt(2 ln 2 / ln(256/27)) */
#define GOLDEN        UINT64_C(0x9E3779B97F4A7C15)
#define STREAM_OF_ALL 64 /* keys of the octaves differ in their low bits */

void mt_sim_phase_init(struct mt_sim_phase *self, uint64_t key)
{
    *self = (struct mt_sim_phase){.key = key * STREAM_OF_ALL};
}

static mt_real octave_value(struct mt_sim_phase *self, const struct mt_sim_noise *noise,
                            unsigned octave, int64_t ns)
{
    unsigned shift = FIRST_OCTAVE + octave;
    uint64_t lag = (self->key + octave + 1) * GOLDEN >> (64 - shift);
    int64_t index = (int64_t)(((uint64_t)ns + lag) >> shift) + 1;

    if (self->octaves[octave].index != index) {
        self->octaves[octave].index = index;
        self->octaves[octave].value =
            mt_sim_normal_at(noise, self->key + octave + 1, (uint64_t)index);
    }
    return self->octaves[octave].value;
}

mt_real mt_sim_phase_ns(struct mt_sim_phase *self, const struct mt_sim_noise *noise,
                        struct mt_base_time at)
{
    mt_real sum_ns = 0;

    if (self->white_ns > 0) {
        sum_ns += self->white_ns * mt_sim_normal_at(noise, self->key, (uint64_t)at.ns);
    }
    for (unsigned i = 0; self->flicker_ns > 0 && i < MT_SIM_PHASE_OCTAVES; i++) {
        sum_ns += self->flicker_ns * S_OF_TDEV * octave_value(self, noise, i, at.ns);
    }
    return sum_ns;
}
