/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The plot of a replay.  gnuplot reads its script and the data from a pipe, so that nothing but
 * the picture is written.  The scale is that of the synchronised clock: what lies outside it, when
 * the clock is begun or stepped, is cut off.
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

void mt_replay_plot_point(struct mt_replay_plot *self, const struct mt_replay_estimate *estimate)
{
    const struct mt_clock_quality_report *report = &estimate->node->report;
    bool has_bound = report->reference != MT_BOUND_NONE && !mt_interval_is_too_large(report->bound);
    if (!is_wanted(self, estimate->clock) || !report->has_estimate) {
        return;
    }
    struct mt_replay_point *points = grow(self->points, self->count, sizeof *points);
    if (points == NULL) {
        return;
    }
    self->points = points;
    self->points[self->count++] = (struct mt_replay_point){
        .t_ns = estimate->t_ns,
        .offset_ns = (double)mt_span_to_real(report->estimate.offset) * 1e9,
        .bound_ns = has_bound ? (double)report->bound.q16 / 65536 : NAN,
        .is_locked = estimate->node->discipline.phase == MT_STEER_LOCKED,
    };
}

void mt_replay_plot_event(struct mt_replay_plot *self, int64_t t_ns,
                          const struct mt_status_event *event)
{
    bool is_phase = event->kind == MT_STATUS_EVENT_CLOCK_PHASE;
    bool is_step =
        event->kind == MT_STATUS_EVENT_CLOCK_STEP || event->kind == MT_STATUS_EVENT_CLOCK_DISTURBED;
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
        snprintf(mark->text, sizeof mark->text, "%s %+.9g s",
                 event->kind == MT_STATUS_EVENT_CLOCK_STEP ? "step" : "disturbed",
                 (double)mt_span_to_real(event->value.step));
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

static double scale_ns(const struct mt_replay_plot *self)
{
    double most = 0;
    double most_of_all = 1;
    for (size_t i = 0; i < self->count; i++) {
        const struct mt_replay_point *point = &self->points[i];
        double size = fmax(fabs(point->offset_ns), isnan(point->bound_ns) ? 0 : point->bound_ns);
        most_of_all = fmax(most_of_all, size);
        most = point->is_locked ? fmax(most, size) : most;
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

static void write_data(const struct mt_replay_plot *self, double divisor, FILE *out)
{
    size_t stride = self->count / POINTS_MOST + 1;
    fputs("$data << END_OF_DATA\n", out);
    for (size_t i = 0; i < self->count; i += stride) {
        const struct mt_replay_point *point = &self->points[i];
        fprintf(out, "%.6f %.6g ", (double)point->t_ns / 1e9, point->offset_ns / divisor);
        if (isnan(point->bound_ns)) {
            fputs("NaN\n", out);
        } else {
            fprintf(out, "%.6g\n", point->bound_ns / divisor);
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

static void write_script(const struct mt_replay_plot *self, const char *log, FILE *out)
{
    double divisor = 1;
    double scale = scale_ns(self);
    const char *unit = unit_of(scale, &divisor);
    bool is_svg = strcmp(self->path + strlen(self->path) - 4, ".svg") == 0;
    fprintf(out, "set terminal %s size 1000,600%s\nset output ", is_svg ? "svg" : "png",
            is_svg ? " background '#ffffff'" : "");
    quote(out, self->path);
    fprintf(out, "\nset title ");
    quote(out, log);
    fprintf(out,
            " noenhanced\nset grid\nset key top right\nset xlabel 't since the daemon was "
            "started, s'\nset ylabel 'estimated offset of clock %s, %s' noenhanced\n"
            "set yrange [%g:%g]\n",
            self->clock, unit, -scale / divisor, scale / divisor);
    write_data(self, divisor, out);
    write_marks(self, out);
    fputs(
        "plot $data using 1:(-$3):3 with filledcurves fs transparent solid 0.2 lc rgb '#1b9e77' "
        "title 'error bound', $data using 1:2 with lines lw 1.5 lc rgb '#d95f02' title 'offset'\n",
        out);
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
