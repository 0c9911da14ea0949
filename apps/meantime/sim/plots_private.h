/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What the pictures share: which nodes are drawn together in one colour, and how to say things to
 * gnuplot.
 */
#ifndef MEANTIME_SIM_PLOTS_PRIVATE_H
#define MEANTIME_SIM_PLOTS_PRIVATE_H

#include "apps/meantime/sim/plots.h"

/** Nodes in one colour: one node, or all of a role. */
struct mt_plots_group {
    const char *name; /**< of the node or the role */
    const char *role; /**< null: one node */
    size_t first;     /**< the only node, or the first of the role */
    size_t count;     /**< of nodes */
    size_t worst;     /**< node with the largest |error| */
    const char *colour;
};

struct mt_plots_groups {
    struct mt_plots_group groups[MT_PLOTS_NODES_MOST];
    size_t count;
};

/** The judged nodes: each if they are few, else by role.  More than 12 roles are left out. */
void mt_plots_group(const struct mt_figures *figures, struct mt_plots_groups *ret_groups);
bool mt_plots_is_in(const struct mt_plots_group *group, const struct mt_figures *figures,
                    size_t node);

/** The key stands below, in as many lines as it is likely to need for the groups and `others`
 * (titles such as "bound of NODE"). */
void mt_plots_write_key(FILE *out, const struct mt_plots_groups *groups, size_t others);
/** 'text' as gnuplot quotes it. */
void mt_plots_write_quoted(FILE *out, const char *text);
/** The title of a group, quoted: "leaf (16)". */
void mt_plots_write_title(FILE *out, const struct mt_plots_group *group);
/** ('1 ns' 1, '10 ns' 10 ... '1 s' 1e9), for a logarithmic axis in ns. */
void mt_plots_write_decades(FILE *out);

struct mt_plots_unit {
    const char *name;
    double size; /**< in ns, or in s */
};
/** The unit in which `largest_ns` is at least 1. */
struct mt_plots_unit mt_plots_unit_of_ns(double largest_ns);
struct mt_plots_unit mt_plots_unit_of_run(double duration_s);

void mt_plots_write_time(FILE *out, const struct mt_figures *figures);
void mt_plots_write_curves(FILE *out, enum mt_plot plot, const struct mt_figures *figures);
void mt_plots_write_histogram(FILE *out, const struct mt_figures *figures);

#endif
