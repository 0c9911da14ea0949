/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * How often which time error was read, of all seeds.  The counts by size are made into bars of
 * equal width: a step of an octave is shared out among the bars that it touches.  Published times
 * are whole nanoseconds, so bars are an odd number of nanoseconds wide and centred on zero: each
 * then holds equally many possible readings, and no comb appears.
 */
#include "apps/meantime/sim/plots_private.h"

#include <math.h>
#include <string.h>

#define SIDE        60 /* bars on each side of zero */
#define FILLED_MOST 4  /* groups; more would be mud */
#define BARS        (2 * SIDE + 1)

struct bars {
    double width_ns;
    double counts[BARS];
};

static double low_edge_ns(const struct bars *bars, size_t at)
{
    return ((double)at - SIDE - 0.5) * bars->width_ns;
}

/** Shares `count` out evenly from low to high. */
static void share_out(struct bars *bars, double low_ns, double high_ns, double count)
{
    for (size_t at = 0; at < BARS; at++) {
        double from_ns = fmax(low_ns, low_edge_ns(bars, at));
        double to_ns = fmin(high_ns, low_edge_ns(bars, at + 1));
        if (from_ns < to_ns)
            bars->counts[at] += count * (to_ns - from_ns) / (high_ns - low_ns);
    }
}

static void add_octave(struct bars *bars, size_t octave, const uint64_t *counts, double sign)
{
    double unit_ns = ldexp(1, (int)octave - 16);
    for (size_t step = 0; counts != NULL && step < MT_STATISTICS_STEPS; step++) {
        if (counts[step] == 0)
            continue;
        double low_ns = unit_ns * (1 + (double)step / MT_STATISTICS_STEPS);
        double high_ns = unit_ns * (1 + (double)(step + 1) / MT_STATISTICS_STEPS);
        share_out(bars, sign > 0 ? low_ns : -high_ns, sign > 0 ? high_ns : -low_ns,
                  (double)counts[step]);
    }
}

static void write_data(FILE *out, size_t k, const struct mt_statistics *statistics, double width_ns,
                       double unit_ns)
{
    struct bars bars = {.width_ns = width_ns};
    for (size_t octave = 0; octave < MT_STATISTICS_OCTAVES; octave++) {
        add_octave(&bars, octave, statistics->above[octave], 1);
        add_octave(&bars, octave, statistics->below[octave], -1);
    }
    fprintf(out, "$bars%zu << EOD\n", k);
    for (size_t at = 0; at < BARS; at++) {
        double share = bars.counts[at] / fmax(1, (double)statistics->readings);
        fprintf(out, "%.9g %.6g\n", low_edge_ns(&bars, at) / unit_ns, 100 * share);
    }
    fputs("EOD\n", out);
}

static void pool_group(const struct mt_plots_group *group, const struct mt_figures *figures,
                       struct mt_statistics *ret_pool)
{
    memset(ret_pool, 0, sizeof *ret_pool);
    for (size_t i = 0; i < figures->count; i++) {
        if (mt_plots_is_in(group, figures, i))
            mt_statistics_merge(ret_pool, figures->nodes[i].statistics);
    }
}

/** All that matters lies within the largest p99 and a half of it. */
static double range_of(const struct mt_statistics *pools, size_t count)
{
    double range_ns = 1;
    for (size_t i = 0; i < count; i++) {
        struct mt_statistics_figures got;
        mt_statistics_get(&pools[i], &got);
        range_ns = fmax(range_ns, fmin(1.5 * got.p99_ns, 1.05 * got.max_ns));
    }
    return range_ns;
}

void mt_plots_write_histogram(FILE *out, const struct mt_figures *figures)
{
    struct mt_plots_groups groups;
    mt_plots_group(figures, &groups);
    struct mt_statistics pools[MT_PLOTS_NODES_MOST];
    for (size_t i = 0; i < groups.count; i++)
        pool_group(&groups.groups[i], figures, &pools[i]);
    double range_ns = range_of(pools, groups.count);
    double width_ns = 2 * ceil((range_ns / SIDE - 1) / 2) + 1;
    if (width_ns < 1)
        width_ns = 1;
    struct mt_plots_unit unit = mt_plots_unit_of_ns(range_ns);
    for (size_t i = 0; i < groups.count; i++) {
        write_data(out, i, &pools[i], width_ns, unit.size);
        mt_statistics_free(&pools[i]);
    }
    fputs("set title ", out);
    mt_plots_write_quoted(out, figures->title);
    fputs(" noenhanced font ',15'\n", out);
    mt_plots_write_key(out, &groups, 0);
    fprintf(out, "set xlabel 'time error, %s'\n", unit.name);
    fprintf(out, "set ylabel 'readings, %% in each %g ns'\n", width_ns);
    fprintf(out, "set xrange [-%.9g:%.9g]\nset yrange [0:*]\n", range_ns / unit.size,
            range_ns / unit.size);
    for (size_t i = 0; i < groups.count; i++) {
        const struct mt_plots_group *group = &groups.groups[i];
        fputs(i == 0 ? "plot " : ", \\\n  ", out);
        if (groups.count <= FILLED_MOST)
            fprintf(out,
                    "$bars%zu using 1:2 with fillsteps fs transparent solid 0.2 lc rgb '%s' "
                    "notitle, \\\n  ",
                    i, group->colour);
        fprintf(out,
                "$bars%zu using 1:2 with steps lw 1.5 lc rgb '%s' notitle, "
                "\\\n  NaN with lines lw 6 lc rgb '%s' title ",
                i, group->colour, group->colour);
        mt_plots_write_title(out, group);
    }
    fputs("\n", out);
}
