/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Time error over time, twice: above the size of the error in the whole run, on a logarithmic
 * scale on which both the seconds of the start and the nanoseconds of the end can be read, with
 * the bound dashed; below the settled clocks on a linear scale, with the bound as a band unless it
 * is so wide that the errors would be flat.
 * A column of readings is a stroke from its lowest to its highest, so no outlier is lost however
 * long the run is.  A group of many nodes is the area between the lowest and the highest of all of
 * them, with its worst node as a line; the bound is then that of the worst node of all.  Columns
 * with a reading outside its bound are marked.
 */
#include "apps/meantime/sim/plots_private.h"

#include <inttypes.h>
#include <math.h>

#define NS_PER_S   1e9
#define BANDS_MOST 3 /* more are not told apart */
#define BAND_MOST  3 /* times the errors; a wider one would only flatten them */
#define MARKS_MOST 12

struct range {
    double low_ns;
    double high_ns;
};

static double column_s(const struct mt_statistics *statistics)
{
    return (double)statistics->plan.interval_ns * statistics->column_readings / NS_PER_S;
}

static bool is_empty(const struct mt_statistics_column *column)
{
    return column->low_ns > column->high_ns;
}

static double size_of(const struct mt_statistics_column *column)
{
    return fmax(fabs((double)column->low_ns), fabs((double)column->high_ns));
}

/* ---- data ------------------------------------------------------------------------------------ */

/** $line<k>: t, error; two rows a column, blank where there is no reading. */
static void write_line_data(FILE *out, size_t k, const struct mt_statistics *statistics)
{
    double width_s = column_s(statistics);
    fprintf(out, "$line%zu << EOD\n", k);
    for (uint32_t i = 0; i < statistics->column_count; i++) {
        const struct mt_statistics_column *column = &statistics->columns[i];
        double t_s = (i + 0.5) * width_s;
        if (is_empty(column))
            fputs("\n", out);
        else if (column->low_ns < column->high_ns)
            fprintf(out, "%.9g %.9g\n%.9g %.9g\n", t_s, (double)column->low_ns, t_s,
                    (double)column->high_ns);
        else
            fprintf(out, "%.9g %.9g\n", t_s, (double)column->low_ns);
    }
    fputs("EOD\n", out);
}

/** $size<k>: t, lowest, highest. */
static void write_size_data(FILE *out, size_t k, const struct mt_statistics *statistics)
{
    double width_s = column_s(statistics);
    fprintf(out, "$size%zu << EOD\n", k);
    for (uint32_t i = 0; i < statistics->column_count; i++) {
        const struct mt_statistics_column *column = &statistics->columns[i];
        if (is_empty(column))
            fputs("\n", out);
        else
            fprintf(out, "%.9g %.9g %.9g\n", (i + 0.5) * width_s, (double)column->low_ns,
                    (double)column->high_ns);
    }
    fputs("EOD\n", out);
}

/** $bound<k>: t, bound; $outside<k>: t, error. */
static void write_bound_data(FILE *out, size_t k, const struct mt_statistics *statistics)
{
    double width_s = column_s(statistics);
    fprintf(out, "$bound%zu << EOD\n", k);
    for (uint32_t i = 0; i < statistics->column_count; i++) {
        const struct mt_statistics_column *column = &statistics->columns[i];
        if (is_empty(column) || column->bound_ns < 0)
            fputs("\n", out);
        else
            fprintf(out, "%.9g %.9g\n", (i + 0.5) * width_s, (double)column->bound_ns);
    }
    fprintf(out, "EOD\n$outside%zu << EOD\n", k);
    for (uint32_t i = 0; i < statistics->column_count; i++) {
        const struct mt_statistics_column *column = &statistics->columns[i];
        if (column->outside == 0)
            continue;
        bool is_high = fabs((double)column->high_ns) >= fabs((double)column->low_ns);
        fprintf(out, "%.9g %.9g\n", (i + 0.5) * width_s,
                (double)(is_high ? column->high_ns : column->low_ns));
    }
    fputs("EOD\n", out);
}

/** The range of a node's readings within the time of a column of the group; they nest, because
 * each column is of 2^k readings. */
static void widen(struct range *range, const struct mt_statistics *statistics, uint32_t at,
                  uint32_t readings)
{
    uint32_t own = statistics->column_readings;
    uint32_t first = own >= readings ? at / (own / readings) : at * (readings / own);
    uint32_t count = own >= readings ? 1 : readings / own;
    for (uint32_t i = first; i < first + count && i < statistics->column_count; i++) {
        const struct mt_statistics_column *column = &statistics->columns[i];
        if (is_empty(column))
            continue;
        range->low_ns = fmin(range->low_ns, (double)column->low_ns);
        range->high_ns = fmax(range->high_ns, (double)column->high_ns);
    }
}

/** $area<k>: t, lowest, highest, of all nodes of a group. */
static void write_area_data(FILE *out, size_t k, const struct mt_plots_group *group,
                            const struct mt_figures *figures)
{
    const struct mt_statistics *longest = figures->nodes[group->first].statistics;
    for (size_t i = 0; i < figures->count; i++) {
        const struct mt_statistics *one = figures->nodes[i].statistics;
        if (mt_plots_is_in(group, figures, i) &&
            (uint64_t)one->column_count * one->column_readings >
                (uint64_t)longest->column_count * longest->column_readings)
            longest = one;
    }
    fprintf(out, "$area%zu << EOD\n", k);
    for (uint32_t at = 0; at < longest->column_count; at++) {
        struct range range = {(double)INFINITY, -(double)INFINITY};
        for (size_t i = 0; i < figures->count; i++) {
            if (mt_plots_is_in(group, figures, i))
                widen(&range, figures->nodes[i].statistics, at, longest->column_readings);
        }
        if (range.low_ns <= range.high_ns)
            fprintf(out, "%.9g %.9g %.9g\n", (at + 0.5) * column_s(longest), range.low_ns,
                    range.high_ns);
        else
            fputs("\n", out);
    }
    fputs("EOD\n", out);
}

/* ---- panels ---------------------------------------------------------------------------------- */

/** The group with the largest error would hide the others: it goes first, behind. */
static void sort_by_size(struct mt_plots_groups *groups, const struct mt_figures *figures)
{
    for (size_t i = 1; i < groups->count; i++) {
        struct mt_plots_group group = groups->groups[i];
        double size_ns = figures->nodes[group.worst].statistics->max_ns;
        size_t k = i;
        for (; k > 0 && figures->nodes[groups->groups[k - 1].worst].statistics->max_ns < size_ns;
             k--)
            groups->groups[k] = groups->groups[k - 1];
        groups->groups[k] = group;
    }
}

/** Groups whose bounds are drawn. */
struct bands {
    size_t groups[BANDS_MOST];
    size_t count;
    bool is_grey; /**< instead of each in the colour of its group */
};

/** All that have one, if they are few and each is one node; else that of the first, the worst. */
static void choose_bands(const struct mt_plots_groups *groups, const struct mt_figures *figures,
                         struct bands *ret_bands)
{
    size_t count = 0;
    ret_bands->is_grey = false;
    for (size_t i = 0; i < groups->count; i++) {
        const struct mt_plots_group *group = &groups->groups[i];
        ret_bands->is_grey = ret_bands->is_grey || group->count > 1;
        if (figures->nodes[group->worst].statistics->with_bound == 0)
            continue;
        if (count < BANDS_MOST)
            ret_bands->groups[count] = i;
        count++;
    }
    ret_bands->is_grey = ret_bands->is_grey || count > BANDS_MOST;
    ret_bands->count = ret_bands->is_grey && count > 1 ? 1 : count;
}

static const char *band_colour(const struct bands *bands, const struct mt_plots_groups *groups,
                               size_t band)
{
    return bands->is_grey ? "#777777" : groups->groups[bands->groups[band]].colour;
}

static void write_marks(FILE *out, const struct mt_figures *figures, double unit_s, bool has_labels)
{
    fputs("unset arrow\nunset label\n", out);
    for (size_t i = 0; i < figures->mark_count && i < MARKS_MOST; i++) {
        double t = figures->marks[i].t_s / unit_s;
        fprintf(out, "set arrow from %.9g, graph 0 to %.9g, graph 1 nohead lc rgb '#999999' dt 2\n",
                t, t);
        if (!has_labels)
            continue;
        fputs("set label ", out);
        mt_plots_write_quoted(out, figures->marks[i].sentence);
        fprintf(out,
                " at %.9g, graph %.2f offset 0.6,0 noenhanced textcolor rgb '#666666' "
                "font ',11'\n",
                t, 0.95 - 0.09 * (double)(i % 4));
    }
}

/** Bounds that dwarf the errors are only in the upper panel, but named here. */
static void write_bounds(FILE *out, const struct mt_plots_groups *groups, const struct bands *bands,
                         const struct mt_figures *figures, double unit_s, bool has_bands)
{
    fputs("plot NaN notitle", out);
    for (size_t i = 0; i < bands->count; i++) {
        char title[128];
        size_t k = bands->groups[i];
        const char *colour = band_colour(bands, groups, i);
        if (has_bands)
            fprintf(out,
                    ", \\\n  $bound%zu using ($1/%g):(f(-$2)):(f($2)) with filledcurves "
                    "fs transparent solid 0.15 noborder lc rgb '%s' title ",
                    k, unit_s, colour);
        else
            fprintf(out, ", \\\n  NaN with lines lw 1.2 dt '-' lc rgb '%s' title ", colour);
        snprintf(title, sizeof title, "bound of %.100s",
                 figures->nodes[groups->groups[k].worst].name);
        mt_plots_write_quoted(out, title);
    }
}

/** In the order of the topology, whatever is drawn first. */
static void write_titles(FILE *out, const struct mt_plots_groups *groups,
                         const struct mt_figures *figures)
{
    for (size_t node = 0; node < figures->count; node++) {
        for (size_t i = 0; i < groups->count; i++) {
            if (groups->groups[i].first != node)
                continue;
            fprintf(out, ", \\\n  NaN with lines lw 6 lc rgb '%s' title ",
                    groups->groups[i].colour);
            mt_plots_write_title(out, &groups->groups[i]);
        }
    }
}

static void write_errors(FILE *out, const struct mt_plots_groups *groups,
                         const struct mt_figures *figures, double unit_s)
{
    for (size_t i = 0; i < groups->count; i++) {
        const struct mt_plots_group *group = &groups->groups[i];
        if (group->count > 1)
            fprintf(out,
                    ", \\\n  $area%zu using ($1/%g):(f($2)):(f($3)) with filledcurves "
                    "fs transparent solid 0.35 noborder lc rgb '%s' notitle",
                    i, unit_s, group->colour);
    }
    for (size_t i = 0; i < groups->count; i++) {
        const struct mt_plots_group *group = &groups->groups[i];
        fprintf(out, ", \\\n  $line%zu using ($1/%g):(f($2)) with lines lw %s lc rgb '%s' notitle",
                i, unit_s, group->count > 1 ? "0.7" : "1", group->colour);
    }
    write_titles(out, groups, figures);
    bool has_title = false;
    for (size_t i = 0; i < groups->count; i++) {
        if (figures->nodes[groups->groups[i].worst].statistics->outside == 0)
            continue;
        fprintf(out,
                ", \\\n  $outside%zu using ($1/%g):(f($2)) with points pt 6 ps 0.9 lw 1.5 "
                "lc rgb '#e00000' %s",
                i, unit_s, has_title ? "notitle" : "title 'outside its bound'");
        has_title = true;
    }
    fputs("\n", out);
}

static void write_sizes(FILE *out, const struct mt_plots_groups *groups, const struct bands *bands,
                        double unit_s)
{
    for (size_t i = 0; i < groups->count; i++) {
        const struct mt_plots_group *group = &groups->groups[i];
        fprintf(out, "%s$%s%zu using ($1/%g):(size($2,$3)) with lines lw 1 lc rgb '%s' notitle",
                i == 0 ? "plot " : ", \\\n  ", group->count > 1 ? "area" : "size", i, unit_s,
                group->colour);
    }
    for (size_t i = 0; i < bands->count; i++)
        fprintf(out,
                ", \\\n  $bound%zu using ($1/%g):2 with lines lw 1.2 dt '-' lc rgb '%s' notitle",
                bands->groups[i], unit_s, band_colour(bands, groups, i));
    fputs("\n", out);
}

/** Of those that are drawn, once they are steady. */
static double largest_bound_ns(const struct mt_plots_groups *groups, const struct bands *bands,
                               const struct mt_figures *figures)
{
    double largest_ns = 0;
    for (size_t i = 0; i < bands->count; i++) {
        size_t worst = groups->groups[bands->groups[i]].worst;
        largest_ns = fmax(largest_ns, figures->nodes[worst].statistics->bound_max_ns);
    }
    return largest_ns;
}

static void write_whole(FILE *out, const struct mt_plots_groups *groups, const struct bands *bands,
                        const struct mt_figures *figures, double largest_ns)
{
    struct mt_plots_unit unit = mt_plots_unit_of_run(figures->duration_s);
    fputs("max(x, y) = x > y ? x : y\nsize(x, y) = max(1, max(abs(x), abs(y)))\n"
          "set logscale y\nset ylabel '|time error|'\nset ytics ",
          out);
    mt_plots_write_decades(out);
    fprintf(out, "\nset xrange [0:%.9g]\n", figures->duration_s / unit.size);
    fprintf(out, "set yrange [0.9:%.4g]\n",
            2 * fmax(largest_ns, largest_bound_ns(groups, bands, figures)));
    write_marks(out, figures, unit.size, true);
    write_sizes(out, groups, bands, unit.size);
}

static void write_steady(FILE *out, const struct mt_plots_groups *groups, const struct bands *bands,
                         const struct mt_figures *figures, double steady_ns, bool has_bands)
{
    struct mt_plots_unit run = mt_plots_unit_of_run(figures->duration_s);
    struct mt_plots_unit unit = mt_plots_unit_of_ns(steady_ns);
    double from_s = (double)figures->plan.from_ns / NS_PER_S;
    fprintf(out, "f(x) = x/%g\nset ylabel 'time error, %s'\nset xlabel 'time, %s'\n", unit.size,
            unit.name, run.name);
    fprintf(out, "set xrange [%.9g:%.9g]\n", from_s / run.size, figures->duration_s / run.size);
    fprintf(out, "unset logscale y\nset yrange [-%.4g:%.4g]\nset ytics auto\n",
            1.15 * steady_ns / unit.size, 1.15 * steady_ns / unit.size);
    fputs("set tmargin 1\n", out);
    mt_plots_write_key(out, groups, bands->count + 1);
    write_marks(out, figures, run.size, false);
    write_bounds(out, groups, bands, figures, run.size, has_bands);
    write_errors(out, groups, figures, run.size);
}

/* ---- the whole picture ----------------------------------------------------------------------- */

static double largest_of(const struct mt_figures *figures, double from_s)
{
    double largest_ns = 1;
    for (size_t i = 0; i < figures->count; i++) {
        const struct mt_statistics *statistics = figures->nodes[i].statistics;
        for (uint32_t k = 0; k < statistics->column_count; k++) {
            const struct mt_statistics_column *column = &statistics->columns[k];
            if (k * column_s(statistics) >= from_s && !is_empty(column) &&
                !figures->nodes[i].is_reference)
                largest_ns = fmax(largest_ns, size_of(column));
        }
    }
    return largest_ns;
}

/** How far the widest band reaches. */
static double widest_band_ns(const struct mt_plots_groups *groups, const struct bands *bands,
                             const struct mt_figures *figures)
{
    double widest_ns = 0;
    for (size_t i = 0; i < bands->count; i++) {
        size_t worst = groups->groups[bands->groups[i]].worst;
        widest_ns = fmax(widest_ns, 1.2 * figures->nodes[worst].statistics->bound_mean_ns);
    }
    return widest_ns;
}

static void write_title(FILE *out, const struct mt_figures *figures)
{
    char title[256];
    if (figures->seeds > 1)
        snprintf(title, sizeof title, "%.200s, seed %" PRIu64, figures->title, figures->first_seed);
    else
        snprintf(title, sizeof title, "%.200s", figures->title);
    mt_plots_write_quoted(out, title);
}

void mt_plots_write_time(FILE *out, const struct mt_figures *figures)
{
    struct mt_plots_groups groups;
    struct bands bands;
    mt_plots_group(figures, &groups);
    sort_by_size(&groups, figures);
    choose_bands(&groups, figures, &bands);
    for (size_t i = 0; i < groups.count; i++) {
        const struct mt_plots_group *group = &groups.groups[i];
        write_line_data(out, i, figures->nodes[group->worst].statistics);
        write_bound_data(out, i, figures->nodes[group->worst].statistics);
        if (group->count > 1)
            write_area_data(out, i, group, figures);
        else
            write_size_data(out, i, figures->nodes[group->worst].statistics);
    }
    double from_s = (double)figures->plan.from_ns / NS_PER_S;
    double steady_ns = largest_of(figures, from_s);
    fputs("set multiplot layout 2,1 title ", out);
    write_title(out, figures);
    fputs(" noenhanced font ',15'\nset key off\nset lmargin 11\nset rmargin 3\nset bmargin 2\nset "
          "tmargin 1.5\n",
          out);
    write_whole(out, &groups, &bands, figures, largest_of(figures, 0));
    double band_ns = widest_band_ns(&groups, &bands, figures);
    bool has_bands = band_ns < BAND_MOST * steady_ns;
    write_steady(out, &groups, &bands, figures, has_bands ? fmax(steady_ns, band_ns) : steady_ns,
                 has_bands);
    fputs("unset multiplot\n", out);
}
