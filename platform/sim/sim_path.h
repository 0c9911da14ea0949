/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The way of one frame to one receiver: whether it is lost, and how long it takes.
 * Private to platform/sim.
 * Thread rule: one thread at a time for each object.
 */
#ifndef MEANTIME_SIM_PATH_H
#define MEANTIME_SIM_PATH_H

#include "platform/sim/sim_config.h"
#include "platform/sim/sim_noise.h"

/** Whether there is a burst now; its times are drawn apart from what happens to frames. */
struct mt_sim_burst_state {
    struct mt_prng prng;
    bool is_begun;
    bool is_on;
    int64_t until_t_ns;
};

/** What belongs to one receiver of a segment. */
struct mt_sim_path {
    struct mt_prng prng;
    size_t next_in_trace;
    bool has_trace; /**< next_in_trace has been drawn */
};

/** Where a burst of this kind stands at t, which never goes back. */
bool mt_sim_burst_is_on(struct mt_sim_burst_state *self, const struct mt_sim_burst *burst,
                        int64_t t_ns);
/** How much longer than the segment's delay a frame takes. */
mt_real mt_sim_path_jitter_ns(struct mt_sim_path *self, const struct mt_sim_noise *noise,
                              const struct mt_sim_segment_config *config, bool is_forward,
                              bool is_in_burst);
bool mt_sim_path_loses(struct mt_sim_path *self, const struct mt_sim_segment_config *config,
                       bool is_in_burst);

#endif
