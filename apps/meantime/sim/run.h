/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * One seed of a topology, from the first node's start to the end of the duration: builds the
 * world, composes each node as the daemon does, applies the timeline, and reads every node's time
 * again and again.
 * Promises: equal topology, options and seed give equal results, bit for bit, with every compiler.
 * Thread rule: one thread at a time for each object; no globals.
 */
#ifndef MEANTIME_SIM_RUN_H
#define MEANTIME_SIM_RUN_H

#include <stdio.h>

#include "apps/meantime/sim/statistics.h"
#include "apps/meantime/sim/topology.h"

#define MT_RUN_COMPLAINT_SIZE 320

/** A node whose first life is recorded as meantimed --record does; of the first seed only. */
struct mt_run_record {
    uint32_t node;
    FILE *out;         /**< open until the run is over */
    const char *about; /**< the program that records */
};
#define MT_RUN_RECORDS_MOST 8

struct mt_run_options {
    bool judges_clocks;    /**< the steered clocks, too, beside the published time */
    uint32_t series_limit; /**< readings kept for curves, of each node; 0: none */
    bool keeps_series;     /**< those of the published time after the end, too */
    const struct mt_run_record *records;
    uint32_t record_count; /**< each of another node */
};

/** Whom the judged nodes follow, by what they publish.  Pooled, that of the seed in which the
 * fewest follow. */
struct mt_run_standing {
    uint32_t judged;      /**< nodes; the sum of all below */
    uint32_t grandmaster; /**< that most follow; MT_TOPOLOGY_NONE: no node */
    uint32_t followers;   /**< of it */
    uint32_t others;      /**< follow another one */
    uint32_t holdover;    /**< followed one, and go on without it */
    uint32_t free;        /**< go by their own clocks, or do not know the time yet */
    uint32_t down;        /**< do not run */
};

/** What the judged nodes did from one happening to the next; number 0 is before the first. */
struct mt_run_phase {
    int64_t start_ns;
    int64_t end_ns;
    double worst_ns;        /**< largest |error| of the published time; negative: no reading */
    uint32_t worst_node;    /**< whose it was */
    uint64_t outside;       /**< readings outside their bound */
    uint32_t changes;       /**< of the grandmaster that a node follows */
    int64_t last_change_ns; /**< after the start */
    struct mt_run_standing standing;
};

struct mt_run_result {
    uint64_t seed;
    int64_t t_ns; /**< how far it came */
    uint32_t node_count;
    struct mt_statistics *published; /**< of each node */
    struct mt_statistics *steered;   /**< of each node; null unless asked for */
    uint32_t phase_count;            /**< happenings and one */
    struct mt_run_phase *phases;
    uint64_t messages;                     /**< handed to nodes */
    char complaint[MT_RUN_COMPLAINT_SIZE]; /**< why it ended early; "" */
};

/** Told now and then; false: end here, with what there is. */
typedef bool mt_run_tell(void *context, int64_t t_ns, uint64_t messages);

/** False if there was no memory to begin; nothing is to be freed then. */
bool mt_run_seed(const struct mt_topology *topology, const struct mt_run_options *options,
                 uint64_t seed, mt_run_tell *tell, void *context, struct mt_run_result *ret_result);
void mt_run_result_free(struct mt_run_result *self);
/** Pools the result of the next seed; `other` is not changed. */
void mt_run_result_merge(struct mt_run_result *self, const struct mt_run_result *other);

/** How readings are judged. */
struct mt_statistics_plan mt_run_plan(const struct mt_topology *topology, uint32_t node,
                                      uint32_t series_limit);

#endif
