/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Pictures of the results of `meantime sim`, drawn by gnuplot, which is started for each.
 * Called once, when all seeds have run and each node's statistics are merged.
 * Promises: nothing but the picture is written; equal results give equal input to gnuplot.
 * Thread rule: functions of their arguments; one at a time, because a child process is waited for.
 */
#ifndef MEANTIME_SIM_PLOTS_H
#define MEANTIME_SIM_PLOTS_H

#include "apps/meantime/sim/figures.h"

enum mt_plot {
    MT_PLOT_TIME,      /**< time error over time, with the published bound as a band */
    MT_PLOT_MTIE,      /**< of the low-passed error, with the limits of the classes */
    MT_PLOT_TDEV,      /**< the same */
    MT_PLOT_ADEV,      /**< of the time error */
    MT_PLOT_HISTOGRAM, /**< of |error| */
};
#define MT_PLOTS 5

#define MT_PLOTS_COMPLAINT_SIZE 256
#define MT_PLOTS_NODES_MOST     12 /**< curves in a picture; more are drawn by role */

/** "time", "mtie" ...: for option names and file names. */
const char *mt_plots_name(enum mt_plot plot);
bool mt_plots_from_name(const char *name, enum mt_plot *ret_plot);
/** Whether a path ends in .svg or .png. */
bool mt_plots_is_path(const char *path);

/** Draws `plot` into the file; its name's ending chooses SVG or PNG.  Up to 12 nodes: each; more:
 * each role in one colour (the range over its nodes, and the worst node as a line).  False with a
 * sentence if it could not: gnuplot is not installed, no node has curves, the file cannot be
 * written. */
bool mt_plots_draw(enum mt_plot plot, const struct mt_figures *figures, const char *path,
                   char complaint[MT_PLOTS_COMPLAINT_SIZE]);
/** The input that gnuplot is given. */
void mt_plots_write_script(FILE *out, enum mt_plot plot, const struct mt_figures *figures,
                           const char *path);

#endif
