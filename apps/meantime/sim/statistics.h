/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * From readings of a simulated node's time to its results.  One object for each node and seed:
 * the runner of `meantime sim` feeds it a reading at each instant of a fixed grid, ends it when
 * the run is over, and merges the objects of one node over all seeds.
 *
 *     init   feed feed feed ...   end   (merge others into it)   figures   free
 *
 * Promises: memory does not grow with the length of a run (about 50 kB a node; with a series, 8
 * bytes a reading up to its limit); equal readings, fed and merged in the same order, give equal
 * bits with every compiler.
 * Thread rule: one thread at a time for each object; no globals.
 */
#ifndef MEANTIME_SIM_STATISTICS_H
#define MEANTIME_SIM_STATISTICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "apps/meantime/sim/masks.h"
#include "apps/meantime/sim/stability.h"

/** What a program would have read at t. */
struct mt_statistics_reading {
    int64_t t_ns;    /**< virtual time */
    double error_ns; /**< published time less true time */
    double bound_ns; /**< published; meaningful if has_bound */
    bool has_bound;
    bool is_synchronised; /**< the node says so: locked, holdover or serving, and not stale */
};

/** How readings are taken and judged; the same for all objects that are merged. */
struct mt_statistics_plan {
    int64_t interval_ns;   /**< between readings, above 0 */
    int64_t start_ns;      /**< when the node started: "time to synchronise" counts from here */
    int64_t from_ns;       /**< earlier readings count for the time to synchronise and are plotted,
                                but are not in the steady figures, curves and masks */
    double limit_ns;       /**< |error| of a synchronised node */
    int64_t hold_ns;       /**< for how long it must stay below the limit; 0: see below */
    uint32_t series_limit; /**< readings kept for curves and masks; 0: no curves.  When the series
                                is full, every second reading is dropped and the interval of what
                                is kept doubles. */
};
#define MT_STATISTICS_HOLD_NS      INT64_C(10000000000) /**< if hold_ns is 0 */
#define MT_STATISTICS_SERIES_LEAST 64

/** The run in few columns, for plots: each column is of 2^k readings. */
struct mt_statistics_column {
    float low_ns; /**< of the error; low > high: no reading */
    float high_ns;
    float bound_ns;   /**< the largest; negative: none */
    uint32_t outside; /**< readings outside their bound */
};
#define MT_STATISTICS_COLUMNS 1024

/** Counts by size of |error|: each octave in 256 steps, so a quantile is right within 0.4 %. */
#define MT_STATISTICS_STEPS   256
#define MT_STATISTICS_OCTAVES 80 /**< 2^-16 ns to 2^64 ns */

/** Members are read by figures and plots; everybody else uses the functions. */
struct mt_statistics {
    struct mt_statistics_plan plan;
    uint64_t seed;
    uint32_t seeds;       /**< merged into this one, itself included */
    bool is_short_memory; /**< something was left out for want of memory */
    /* steady readings */
    uint64_t instants; /**< at which there could have been a reading; after end */
    uint64_t readings;
    double mean_ns;
    double squares_ns2; /**< sum of (error - mean)^2 */
    double low_ns, high_ns;
    uint64_t *above[MT_STATISTICS_OCTAVES]; /**< counts of errors >= 0; null until needed */
    uint64_t *below[MT_STATISTICS_OCTAVES]; /**< of errors < 0 */
    uint64_t with_bound, outside;
    double bound_mean_ns, bound_max_ns;
    /* synchronisation; INT64_MIN: none */
    struct mt_statistics_synchronisation {
        int64_t good_since_ns; /**< good readings without a gap, before it counts */
        int64_t last_t_ns;
        int64_t bad_since_ns; /**< after having been synchronised */
    } state;
    uint32_t synchronised; /**< seeds in which it was reached */
    double after_sum_s, after_max_s;
    uint64_t losses;
    double lost_s, lost_max_s;
    /* worst seed, by RMS; after end */
    double worst_rms_ns;
    uint64_t worst_seed;
    double max_ns;
    uint64_t max_seed; /**< in which max |error| was */
    int64_t max_t_ns;  /**< and when */
    /* the run, of the first seed only */
    struct mt_statistics_column *columns;
    uint32_t column_count;
    uint32_t column_readings; /**< instants in each; the first begins at t = 0 */
    /* series since from_ns, until end */
    double *series_ns; /**< not a number: no reading */
    size_t series_count;
    size_t series_room;
    uint32_t series_every; /**< readings, one of which is kept */
    /* after end */
    bool has_curves;
    struct mt_stability stability;
    struct mt_mask_figures masks;
};

/** False if there is no memory. */
bool mt_statistics_init(struct mt_statistics *self, const struct mt_statistics_plan *plan,
                        uint64_t seed);
/** Times must rise.  Instants without a reading (the node is down, or does not know the time) are
 * left out: they break a run of good readings, and many of them are a loss. */
void mt_statistics_feed(struct mt_statistics *self, const struct mt_statistics_reading *reading);
/** The run is over at `t_ns`: computes curves and masks of the stretches without a gap since
 * from_ns, pooled, then forgets the series unless `keep_series`. */
void mt_statistics_end(struct mt_statistics *self, bool keep_series, int64_t t_ns);
/** Pools another ended object; `other` is not changed.  An object that is all zero is an empty
 * pool.  Merge in the order of the seeds: the last bits of means depend on it. */
void mt_statistics_merge(struct mt_statistics *self, const struct mt_statistics *other);
void mt_statistics_free(struct mt_statistics *self);

/** The results, of all readings since from_ns of all seeds unless said otherwise. */
struct mt_statistics_figures {
    uint64_t readings; /**< 0: the figures of errors mean nothing */
    double mean_ns;
    double deviation_ns; /**< standard deviation around the mean */
    double rms_ns;       /**< around zero */
    double p99_ns;       /**< 99 % of |error| are not larger; within 0.4 % */
    double max_ns;       /**< largest |error| */
    double low_ns, high_ns;
    /* From start_ns to the first reading of the first run of readings, without a gap and at least
     * hold_ns long, in each of which the node says that it is synchronised and |error| <= limit. */
    bool has_synchronised;       /**< in all seeds */
    uint32_t seeds_synchronised; /**< of `seeds` */
    double synchronise_mean_s;   /**< of the seeds in which it was reached */
    double synchronise_max_s;    /**< of those */
    /* After that: |error| > limit, or no reading for longer than hold_ns.  What the node says of
     * itself does not matter then: a gap that it bridges within the limit is none. */
    uint64_t losses;
    double lost_s;       /**< of all seeds together */
    double lost_max_s;   /**< the longest one */
    uint64_t instants;   /**< since from_ns and the node's start, with a reading or without */
    uint64_t with_bound; /**< readings that had a bound */
    uint64_t outside;    /**< of those, with |error| > bound */
    double inside_share; /**< of those: 1 - outside / with_bound; 0 if there are none */
    double bound_mean_ns;
    double bound_max_ns;
    uint32_t seeds;
    double worst_rms_ns; /**< of the worst seed */
    uint64_t worst_seed;
    uint64_t max_seed; /**< in which |error| was max_ns, and when */
    double max_at_s;
};
void mt_statistics_get(const struct mt_statistics *self, struct mt_statistics_figures *ret_figures);

/** A series_limit with which `nodes` objects stay below `bytes` together, for a run of `readings`;
 * a power of two, or 0 if that would be fewer than MT_STATISTICS_SERIES_LEAST. */
uint32_t mt_statistics_series_limit(uint64_t bytes, size_t nodes, uint64_t readings);

#endif
