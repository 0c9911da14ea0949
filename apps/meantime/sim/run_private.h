/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * A run while it runs: what its files share.
 */
#ifndef MEANTIME_SIM_RUN_PRIVATE_H
#define MEANTIME_SIM_RUN_PRIVATE_H

#include "apps/meantime/sim/run.h"
#include "compose/compose.h"
#include "runtime/record.h"

struct run_node {
    struct mt_composition *composition; /**< null: does not run */
    struct mt_clock_identity identity;  /**< since it started first */
    struct mt_clock_identity follows;   /**< as read last */
    int64_t start_ns;                   /**< NEVER: has started */
};

struct run_recording {
    struct mt_recorder *recorder; /**< null: does not record now */
    FILE *out;
    bool has_begun;
    bool is_cut; /**< as the log of a program that was killed */
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
    struct run_recording recordings[MT_RUN_RECORDS_MOST];
};

/** Ends the run early; the first one counts.  what: may be "". */
void mt_run_complain(struct run *self, const char *what, const char *why);

void mt_run_start(struct run *self, uint32_t index);
/** As kill -9 does. */
void mt_run_kill(struct run *self, uint32_t index);
/** As SIGTERM does. */
void mt_run_stop(struct run *self, uint32_t index);
void mt_run_happen(struct run *self, const struct mt_topology_event *event);

/** The provider that the node is to be composed over: that of the recorder, if it is recorded. */
struct mt_hal_provider *mt_run_record(struct run *self, uint32_t node,
                                      struct mt_hal_provider *provider,
                                      const struct mt_compose_facts *facts);
/** After its composition has gone. */
void mt_run_record_end(struct run *self, uint32_t node, bool is_complete);
/** Null if it is not recorded. */
struct mt_recorder *mt_run_recorder(struct run *self, uint32_t node);
struct mt_log_facts mt_run_log_facts(const struct mt_compose_facts *facts);

#endif
