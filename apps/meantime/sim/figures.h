/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The results of `meantime sim`, written for people (table), spreadsheets (CSV) and programs
 * (JSON).
 * Called once, when all seeds have run and each node's statistics are merged.
 * Promises: equal results give equal bytes; units are in all names.
 * Thread rule: functions of their arguments; any thread.
 *
 * JSON, one object; a member that has no value is left out:
 *     {"schema":"meantime-sim-1", "title":.., "seeds":.., "first_seed":.., "duration_s":..,
 *      "from_s":.., "interval_s":.., "limit_ns":.., "class":"A",
 *      "nodes":[{"name":.., "role":.., "readings":.., "mean_ns":.., "deviation_ns":..,
 *        "rms_ns":.., "p99_ns":.., "max_ns":.., "low_ns":.., "high_ns":.., "max_at_s":..,
 *        "max_seed":.., "worst_rms_ns":.., "worst_seed":..,
 *        "seeds_synchronised":.., "synchronise_mean_s":.., "synchronise_max_s":..,
 *        "losses":.., "lost_s":.., "lost_max_s":..,
 *        "with_bound":.., "outside":.., "inside_share":.., "bound_mean_ns":.., "bound_max_ns":..,
 *        "stability":[{"tau_s":.., "mtie_ns":.., "tdev_ns":.., "adev":.., "mdev":..}, ...],
 *        "g8273_2":{"measured_s":.., "classes":{"A":"pass", ...},
 *          "limits":[{"name":"max_te", "figure_ns":.., "limits_ns":{"A":..},
 *            "verdicts":{"A":"pass", "B":"fail", ...}}, ...]}}, ...]}
 * CSV: one line of column names (those of JSON), one line for each node in the order of the
 * topology; g8273_2 as columns max_te_ns ... and class_a .. class_d.
 */
#ifndef MEANTIME_SIM_FIGURES_H
#define MEANTIME_SIM_FIGURES_H

#include <stdio.h>

#include "apps/meantime/sim/statistics.h"

/** A node and what became of it; strings belong to the caller. */
struct mt_figures_node {
    const char *name;
    const char *role;  /**< "grandmaster", "spine", "server" ...: nodes of one kind; never null */
    bool is_reference; /**< gives time: it is listed, but not judged and never the worst */
    const struct mt_statistics *statistics; /**< ended and merged */
};

/** Something that happened in every seed, for plots. */
struct mt_figures_mark {
    double t_s;
    const char *sentence; /**< "kill gm1"; belongs to the caller */
};

struct mt_figures {
    const char *title;
    const struct mt_figures_node *nodes; /**< in the order of the topology */
    size_t count;
    uint32_t seeds;
    uint64_t first_seed;
    double duration_s;
    struct mt_statistics_plan plan;
    enum mt_mask_class class_; /**< against which the table judges */
    size_t machines;           /**< that `nodes` are of, if some are in it twice; 0: count */
    size_t width;              /**< of the terminal; 0: as wide as the table wants to be */
    const struct mt_figures_mark *marks;
    size_t mark_count;
};

#define MT_FIGURES_NODES_MANY 40 /**< more are summarised by role */

/** An aligned table of at most 100 columns; on a terminal with fewer, columns that say little more
 * are left out, and 80 are enough for usual names.  Up to 40 nodes, or with `all`: one line for
 * each, in the order of the topology.  Else one line for each role, in the order in which roles
 * first appear, with the nodes pooled and the worst one (by max |error|) named.  Then the
 * limits. */
void mt_figures_write_table(FILE *out, const struct mt_figures *figures, bool all);
void mt_figures_write_csv(FILE *out, const struct mt_figures *figures);
/** False if there is no memory. */
bool mt_figures_write_json(FILE *out, const struct mt_figures *figures);
/** The course of the first seed, of each node at most 1024 rows: "t_s,node,low_ns,high_ns,bound_ns,
 * outside", where t_s is where the column begins and a bound is missing if there was none. */
void mt_figures_write_course(FILE *out, const struct mt_figures *figures);
/** Each reading that was kept since from_s, of nodes that were ended with keep_series:
 * "t_s,node,error_ns". */
void mt_figures_write_series(FILE *out, const struct mt_figures *figures);

#endif
