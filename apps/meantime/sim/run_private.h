/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * A run while it runs: what its files share.
 */
#ifndef MEANTIME_SIM_RUN_PRIVATE_H
#define MEANTIME_SIM_RUN_PRIVATE_H

#include "apps/meantime/sim/run.h"
#include "compose/compose.h"

struct run_node {
    struct mt_composition *composition; /**< null: does not run */
    struct mt_clock_identity identity;  /**< since it started first */
    struct mt_clock_identity follows;   /**< as read last */
    int64_t start_ns;                   /**< NEVER: has started */
};

struct run {
    const struct mt_topology *topology;
    const struct mt_run_options *options;
    struct mt_run_result *result;
    struct mt_world *world;
    struct run_node *nodes;
    uint32_t waiting; /**< nodes that have not started */
    uint32_t next_event;
    uint32_t phase;
    bool has_sources;    /**< some node gives time */
    double reference_ns; /**< offset of the reference from true time */
};

void mt_run_start(struct run *self, uint32_t index);
/** As kill -9 does. */
void mt_run_kill(struct run *self, uint32_t index);
/** As SIGTERM does. */
void mt_run_stop(struct run *self, uint32_t index);
void mt_run_happen(struct run *self, const struct mt_topology_event *event);

#endif
