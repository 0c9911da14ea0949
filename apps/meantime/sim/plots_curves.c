/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * MTIE and TDEV of the low-passed dynamic error, against the limits of G.8273.2, and ADEV of the
 * error as it is: double logarithmic, a line for each node, many nodes of a role in one colour.
 */
#include "apps/meantime/sim/plots_private.h"

#define WINDOW_S   1000.0 /* to which the limits apply */
#define ADEV_SHARE 5      /* of the series: the longest tau */
#define CROWD      20     /* so many lines are drawn transparent */

static const struct mt_stability *curve_of(const struct mt_figures_node *node, enum mt_plot plot)
{
    const struct mt_statistics *statistics = node->statistics;
    return plot == MT_PLOT_ADEV ? &statistics->stability : &statistics->masks.dte_l;
}

/** 0: none, or of so few terms that it means little; a logarithmic axis has no place for it. */
static double value_of(const struct mt_stability *curve, const struct mt_stability_point *point,
                       enum mt_plot plot)
{
    switch (plot) {
    case MT_PLOT_MTIE:
        return point->mtie_ns;
    case MT_PLOT_TDEV:
        return point->tau_s * MT_MASK_TDEV_SHARE <= curve->measured_s ? point->tdev_ns : 0;
    case MT_PLOT_ADEV:
        return point->tau_s * ADEV_SHARE <= curve->measured_s ? point->adev : 0;
    case MT_PLOT_TIME:
    case MT_PLOT_HISTOGRAM:
        break;
    }
    return 0;
}

struct extent {
    double tau_low, tau_high;
    double low, high;
};

static void widen(struct extent *extent, double tau_s, double value)
{
    if (extent->high == 0 || value < extent->low)
        extent->low = value;
    if (value > extent->high)
        extent->high = value;
    if (extent->tau_high == 0 || tau_s < extent->tau_low)
        extent->tau_low = tau_s;
    if (tau_s > extent->tau_high)
        extent->tau_high = tau_s;
}

/** $curve<k>: tau, value; the curves of a group's nodes, apart by blank lines. */
static void write_data(FILE *out, size_t k, const struct mt_plots_group *group, enum mt_plot plot,
                       const struct mt_figures *figures, struct extent *extent)
{
    fprintf(out, "$curve%zu << EOD\n", k);
    for (size_t i = 0; i < figures->count; i++) {
        if (!mt_plots_is_in(group, figures, i) || !figures->nodes[i].statistics->has_curves)
            continue;
        const struct mt_stability *curve = curve_of(&figures->nodes[i], plot);
        for (uint32_t at = 0; at < curve->count; at++) {
            double value = value_of(curve, &curve->points[at], plot);
            if (!(value > 0))
                continue;
            fprintf(out, "%.9g %.9g\n", curve->points[at].tau_s, value);
            widen(extent, curve->points[at].tau_s, value);
        }
        fputs("\n", out);
    }
    fputs("EOD\n", out);
}

/** The classes with one limit share a line. */
static void write_limits(FILE *out, enum mt_mask_limit limit, struct extent *extent)
{
    for (int i = 0; i < MT_MASK_CLASSES; i++) {
        double limit_ns = mt_masks_limit_ns((enum mt_mask_class)i, limit);
        bool is_shared = i > 0 && mt_masks_limit_ns((enum mt_mask_class)(i - 1), limit) == limit_ns;
        if (!(limit_ns > 0) || is_shared)
            continue;
        fprintf(out, "set arrow from %.9g,%g to %g,%g nohead lw 2 lc rgb '#c00000' dt 2\n",
                extent->tau_low, limit_ns, WINDOW_S, limit_ns);
        fputs("set label 'class ", out);
        for (int k = i; k < MT_MASK_CLASSES; k++) {
            if (mt_masks_limit_ns((enum mt_mask_class)k, limit) == limit_ns)
                fprintf(out, "%s%s", k > i ? ", " : "", mt_masks_class_name((enum mt_mask_class)k));
        }
        fprintf(out, "' at graph 1, first %g offset 0.7,0 textcolor rgb '#c00000' noenhanced\n",
                limit_ns);
        widen(extent, WINDOW_S, limit_ns);
    }
}

static void write_axes(FILE *out, enum mt_plot plot, const struct mt_figures *figures,
                       const struct extent *extent)
{
    fputs("set title ", out);
    mt_plots_write_quoted(out, figures->title);
    fputs(" noenhanced font ',15'\nset logscale xy\nset xlabel 'averaging time tau, s'\n"
          "set mxtics 10\nset mytics 10\n"
          "set grid xtics ytics mxtics mytics lt 1 lw 0.5 lc rgb '#e0e0e0', "
          "lt 1 lw 0.3 lc rgb '#f0f0f0'\n",
          out);
    fputs(plot == MT_PLOT_ADEV ? "" : "set rmargin 13\n", out);
    fprintf(out, "set xrange [%.9g:%.9g]\nset yrange [%.9g:%.9g]\n", extent->tau_low / 1.2,
            extent->tau_high * 1.2, extent->low / 2, extent->high * 2);
    if (plot == MT_PLOT_ADEV) {
        fputs("set ylabel 'ADEV of the time error'\nset format y '10^{%L}'\n", out);
        return;
    }
    fprintf(out, "set ylabel '%s of the time error below 0.1 Hz' noenhanced\nset ytics ",
            plot == MT_PLOT_MTIE ? "MTIE" : "TDEV");
    mt_plots_write_decades(out);
    fputs("\nset for [d=-3:10] for [k=2:9] ytics add ('' k*10**d 1)\n", out);
}

void mt_plots_write_curves(FILE *out, enum mt_plot plot, const struct mt_figures *figures)
{
    struct mt_plots_groups groups;
    struct extent extent = {0};
    mt_plots_group(figures, &groups);
    for (size_t i = 0; i < groups.count; i++)
        write_data(out, i, &groups.groups[i], plot, figures, &extent);
    if (plot == MT_PLOT_MTIE)
        write_limits(out, MT_MASK_DTE_L_MTIE, &extent);
    if (plot == MT_PLOT_TDEV)
        write_limits(out, MT_MASK_DTE_L_TDEV, &extent);
    write_axes(out, plot, figures, &extent);
    mt_plots_write_key(out, &groups, 0);
    for (size_t k = groups.count; k-- > 0;) {
        const struct mt_plots_group *group = &groups.groups[k];
        fprintf(out, "%s$curve%zu using 1:2 with lines lw %s lc rgb '#%s%s' notitle",
                k + 1 == groups.count ? "plot " : ", \\\n  ", k, group->count > 1 ? "0.8" : "1.8",
                group->count > CROWD ? "A8" : "00", group->colour + 1);
    }
    for (size_t k = 0; k < groups.count; k++) {
        fprintf(out, ", \\\n  NaN with lines lw 6 lc rgb '%s' title ", groups.groups[k].colour);
        mt_plots_write_title(out, &groups.groups[k]);
    }
    fputs("\n", out);
}
