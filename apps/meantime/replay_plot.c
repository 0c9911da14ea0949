/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The plot of a replay.  gnuplot reads its script and the data from a pipe, so that nothing but
 * the picture is written.  Above are the offset and its bound to the end of the log, with or
 * without samples; below is the offset alone, which the bound would flatten.  The scales are those
 * of the synchronised clock: what lies outside, when the clock is begun or stepped, is cut off.
 */
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "apps/meantime/replay.h"
#include "status/names.h"

#define POINTS_MOST  4000 /* as many as a picture can show */
#define MARKS_MOST   40
#define COMMAND_LOST 127 /* what the shell says of a program that it does not find */

static bool is_wanted(const struct mt_replay_plot *self, const char *clock)
{
    return self->path != NULL && clock != NULL && strcmp(clock, self->clock) == 0;
}

/* Room for a power of two. */
static void *grow(void *items, size_t count, size_t size)
{
    bool is_full = (count & (count - 1)) == 0;
    return is_full ? realloc(items, (count > 0 ? 2 * count : 1) * size) : items;
}

static void add_point(struct mt_replay_plot *self, const struct mt_replay_point *point)
{
    struct mt_replay_point *points = grow(self->points, self->count, sizeof *points);
    if (points != NULL) {
        self->points = points;
        self->points[self->count++] = *point;
    }
}

void mt_replay_plot_point(struct mt_replay_plot *self, const struct mt_replay_estimate *estimate)
{
    const struct mt_clock_quality_report *report = &estimate->node->report;
    enum mt_steer_phase phase = estimate->node->discipline.phase;
    bool has_bound = report->reference != MT_BOUND_NONE && !mt_interval_is_too_large(report->bound);
    if (!is_wanted(self, estimate->clock) || (!report->has_estimate && !has_bound)) {
        return;
    }
    const struct mt_replay_point point = {
        .t_ns = estimate->t_ns,
        .offset_ns = report->has_estimate ? (double)mt_span_to_real(report->estimate.offset) * 1e9
                                          : (double)NAN,
        .bound_ns = has_bound ? (double)report->bound.q16 / 65536 : (double)NAN,
        .is_scaled = phase == MT_STEER_LOCKED || phase == MT_STEER_HOLDOVER,
    };
    self->growth_ppb = (double)estimate->node->page.bound_growth_ppb;
    add_point(self, &point);
}

void mt_replay_plot_end(struct mt_replay_plot *self, int64_t t_ns)
{
    if (self->count == 0 || self->points[self->count - 1].t_ns >= t_ns) {
        return;
    }
    struct mt_replay_point point = self->points[self->count - 1];
    point.bound_ns += (double)(t_ns - point.t_ns) / 1e9 * self->growth_ppb;
    point.offset_ns = (double)NAN;
    point.t_ns = t_ns;
    add_point(self, &point);
}

void mt_replay_plot_event(struct mt_replay_plot *self, int64_t t_ns,
                          const struct mt_status_event *event)
{
    bool is_phase = event->kind == MT_STATUS_EVENT_CLOCK_PHASE;
    bool is_change = event->kind == MT_STATUS_EVENT_CLOCK_DISTURBED;
    bool is_step = event->kind == MT_STATUS_EVENT_CLOCK_STEP || is_change;
    if (!is_wanted(self, event->clock) || (!is_phase && !is_step) ||
        self->mark_count == MARKS_MOST) {
        return;
    }
    struct mt_replay_mark *marks = grow(self->marks, self->mark_count, sizeof *marks);
    if (marks == NULL) {
        return;
    }
    self->marks = marks;
    struct mt_replay_mark *mark = &self->marks[self->mark_count++];
    mark->t_ns = t_ns;
    if (is_phase) {
        snprintf(mark->text, sizeof mark->text, "%s", mt_steer_phase_name(event->value.phase.to));
    } else {
        snprintf(mark->text, sizeof mark->text, "%s %+.9g s", is_change ? "disturbed" : "step",
                 (double)mt_span_to_real(is_change ? event->value.change.step : event->value.step));
    }
}

/* ---- the script ------------------------------------------------------------------------------ */

/* In single quotes gnuplot knows one special character only. */
static void quote(FILE *out, const char *text)
{
    fputc('\'', out);
    for (; *text != '\0'; text++) {
        fputs(*text == '\'' ? "''" : (const char[]){*text, '\0'}, out);
    }
    fputc('\'', out);
}

static double size_of(const struct mt_replay_point *point, bool has_bound)
{
    double offset_ns = isnan(point->offset_ns) ? 0 : fabs(point->offset_ns);
    return has_bound && !isnan(point->bound_ns) ? fmax(offset_ns, point->bound_ns) : offset_ns;
}

static double scale_ns(const struct mt_replay_plot *self, bool has_bound)
{
    double most = 0;
    double most_of_all = 1;
    for (size_t i = 0; i < self->count; i++) {
        double size_ns = size_of(&self->points[i], has_bound);
        most_of_all = fmax(most_of_all, size_ns);
        most = self->points[i].is_scaled ? fmax(most, size_ns) : most;
    }
    return 1.2 * (most > 0 ? most : most_of_all);
}

static const char *unit_of(double ns, double *ret_divisor)
{
    static const struct {
        const char *name;
        double ns;
    } units[] = {{"s", 1e9}, {"ms", 1e6}, {"us", 1e3}};
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (ns >= 2 * units[i].ns) {
            *ret_divisor = units[i].ns;
            return units[i].name;
        }
    }
    *ret_divisor = 1;
    return "ns";
}

static void write_number(double number, const char *end, FILE *out)
{
    if (isnan(number)) {
        fprintf(out, "NaN%s", end);
    } else {
        fprintf(out, "%.6g%s", number, end);
    }
}

/* The last point is where the log ends. */
static void write_data(const struct mt_replay_plot *self, FILE *out)
{
    size_t stride = self->count / POINTS_MOST + 1;
    fputs("$data << END_OF_DATA\n", out);
    for (size_t i = 0; i < self->count; i++) {
        const struct mt_replay_point *point = &self->points[i];
        if (i % stride == 0 || i + 1 == self->count) {
            fprintf(out, "%.6f ", (double)point->t_ns / 1e9);
            write_number(point->offset_ns, " ", out);
            write_number(point->bound_ns, "\n", out);
        }
    }
    fputs("END_OF_DATA\n", out);
}

static void write_marks(const struct mt_replay_plot *self, FILE *out)
{
    for (size_t i = 0; i < self->mark_count; i++) {
        double t_s = (double)self->marks[i].t_ns / 1e9;
        fprintf(out,
                "set arrow from first %.6f, graph 0 to first %.6f, graph 1 nohead lc rgb "
                "'#999999' dt 2\n",
                t_s, t_s);
        fprintf(out, "set label ");
        quote(out, self->marks[i].text);
        fprintf(out, " at first %.6f, graph %.2f offset 0.5,0 font ',8' tc rgb '#444444' front\n",
                t_s, 0.97 - 0.05 * (double)(i % 6));
    }
}

/* One panel in the unit that fits it. */
static void write_panel(const struct mt_replay_plot *self, bool has_bound, FILE *out)
{
    double divisor = 1;
    double scale = scale_ns(self, has_bound);
    const char *unit = unit_of(scale, &divisor);
    fprintf(out, "set ylabel '%s, %s'\nset yrange [%g:%g]\nplot ",
            has_bound ? "offset and its bound" : "offset", unit, -scale / divisor, scale / divisor);
    if (has_bound) {
        fprintf(out,
                "$data using 1:(-$3/%g):($3/%g) with filledcurves fs transparent solid 0.2 "
                "noborder lc rgb '#1b9e77' notitle, $data using 1:($3/%g) with lines lw 1.2 lc "
                "rgb '#1b9e77' title 'error bound', $data using 1:(-$3/%g) with lines lw 1.2 lc "
                "rgb '#1b9e77' notitle, ",
                divisor, divisor, divisor, divisor);
    }
    fprintf(out,
            "$data using 1:($2/%g) with lines lw 1.5 lc rgb '#d95f02' title 'estimated "
            "offset'\n",
            divisor);
}

static void write_script(const struct mt_replay_plot *self, const char *log, FILE *out)
{
    bool is_svg = strcmp(self->path + strlen(self->path) - 4, ".svg") == 0;
    fprintf(out, "set terminal %s size 1000,800%s\nset output ", is_svg ? "svg" : "png",
            is_svg ? " background '#ffffff'" : "");
    quote(out, self->path);
    fputc('\n', out);
    write_data(self, out);
    fprintf(out, "set multiplot layout 2,1 title ");
    quote(out, log);
    fprintf(out, " noenhanced\nset grid\nset key top right opaque\nset lmargin 12\n");
    double start_s = (double)self->points[0].t_ns / 1e9;
    double end_s = (double)self->points[self->count - 1].t_ns / 1e9;
    fprintf(out, "set xrange [%.6f:%.6f]\n", start_s, end_s > start_s ? end_s : start_s + 1);
    write_marks(self, out);
    write_panel(self, true, out);
    fprintf(out,
            "unset label\nset xlabel 'clock %s: t since the daemon was started, s' noenhanced\n",
            self->clock);
    write_panel(self, false, out);
    fputs("unset multiplot\n", out);
}

bool mt_replay_plot_write(const struct mt_replay_plot *self, const char *log,
                          char ret_reason[MT_PLAYER_REASON_SIZE])
{
    if (self->count == 0) {
        snprintf(ret_reason, MT_PLAYER_REASON_SIZE,
                 "%s: there is nothing to plot: clock %s never had an estimate", self->path,
                 self->clock);
        return false;
    }
    signal(SIGPIPE, SIG_IGN); /* a gnuplot that is not there does not read */
    FILE *gnuplot = popen("gnuplot", "w");
    if (gnuplot != NULL) {
        write_script(self, log, gnuplot);
    }
    int status = gnuplot != NULL ? pclose(gnuplot) : -1;
    if (gnuplot == NULL || (WIFEXITED(status) && WEXITSTATUS(status) == COMMAND_LOST)) {
        snprintf(ret_reason, MT_PLAYER_REASON_SIZE,
                 "%s: cannot be plotted: gnuplot is not installed (Debian: gnuplot-nox)",
                 self->path);
    } else if (status != 0) {
        snprintf(ret_reason, MT_PLAYER_REASON_SIZE, "%s: gnuplot could not write it", self->path);
    }
    return status == 0;
}

void mt_replay_plot_free(struct mt_replay_plot *self)
{
    free(self->points);
    free(self->marks);
}
