/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Each receiver has random numbers of its own, so what one gets does not hang on how many others
 * listen.  What a configuration does not ask for draws none.
 */
#include "platform/sim/sim_path.h"

#define PARETO_SHAPE       3
#define PARETO_LEAST_SHAPE 2.01 /* the deviation of smaller ones is hardly finite */

/* ---- bursts ---------------------------------------------------------------------------------- */

static int64_t draw_length_ns(struct mt_sim_burst_state *self, const struct mt_sim_burst *burst)
{
    int64_t mean_ns = self->is_on ? burst->length_ns : burst->period_ns - burst->length_ns;
    mt_real length_ns = (mt_real)mean_ns * mt_sim_exponential(&self->prng);

    return length_ns > 1 ? mt_real_round(length_ns) : 1;
}

bool mt_sim_burst_is_on(struct mt_sim_burst_state *self, const struct mt_sim_burst *burst,
                        int64_t t_ns)
{
    if (burst->period_ns <= 0) {
        return false;
    }
    if (!burst->is_random || burst->length_ns >= burst->period_ns) {
        return t_ns % burst->period_ns < burst->length_ns;
    }
    if (!self->is_begun) {
        self->is_begun = true;
        self->until_t_ns = t_ns + draw_length_ns(self, burst);
    }
    while (self->until_t_ns <= t_ns) {
        self->is_on = !self->is_on;
        self->until_t_ns += draw_length_ns(self, burst);
    }
    return self->is_on;
}

/* ---- jitter ---------------------------------------------------------------------------------- */

static mt_real next_in_trace(struct mt_sim_path *self, const struct mt_sim_segment_config *config)
{
    if (config->trace_ns == NULL || config->trace_count == 0) {
        return 0;
    }
    if (!self->has_trace) {
        self->has_trace = true;
        self->next_in_trace = mt_prng_below(&self->prng, config->trace_count < UINT32_MAX
                                                             ? (uint32_t)config->trace_count
                                                             : UINT32_MAX);
    }
    return config->trace_ns[self->next_in_trace++ % config->trace_count];
}

static mt_real draw_ns(struct mt_sim_path *self, const struct mt_sim_noise *noise,
                       const struct mt_sim_segment_config *config)
{
    mt_real jitter_ns = config->jitter_ns;
    mt_real shape = config->jitter_shape;

    switch (config->jitter) {
    case MT_SIM_JITTER_NORMAL:
        return jitter_ns * mt_sim_normal(noise, &self->prng);
    case MT_SIM_JITTER_EXPONENTIAL:
        return jitter_ns * mt_sim_exponential(&self->prng);
    case MT_SIM_JITTER_GAMMA:
        return jitter_ns * mt_sim_gamma(noise, &self->prng, shape > 0 ? shape : 1);
    case MT_SIM_JITTER_PARETO:
        shape = shape > 0 ? shape : PARETO_SHAPE;
        shape = shape > PARETO_LEAST_SHAPE ? shape : PARETO_LEAST_SHAPE;
        return jitter_ns * mt_sim_pareto(&self->prng, shape);
    case MT_SIM_JITTER_TRACE:
        return next_in_trace(self, config);
    case MT_SIM_JITTER_NONE:
        break;
    }
    return 0;
}

mt_real mt_sim_path_jitter_ns(struct mt_sim_path *self, const struct mt_sim_noise *noise,
                              const struct mt_sim_segment_config *config, bool is_forward,
                              bool is_in_burst)
{
    mt_real scale = is_forward ? config->jitter_scale_forward : config->jitter_scale_back;
    mt_real sum_ns = 0;

    if (scale >= 0) {
        sum_ns = (scale > 0 ? scale : 1) * draw_ns(self, noise, config);
    }
    if (is_in_burst && config->burst.jitter_ns > 0) {
        sum_ns += config->burst.jitter_ns * mt_sim_exponential(&self->prng);
    }
    return sum_ns;
}

bool mt_sim_path_loses(struct mt_sim_path *self, const struct mt_sim_segment_config *config,
                       bool is_in_burst)
{
    bool is_lost = mt_sim_chance(&self->prng, config->loss);

    return is_lost || (is_in_burst && mt_sim_chance(&self->prng, config->burst.loss));
}
