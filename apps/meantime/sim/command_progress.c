/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * How far a run is.  All of it goes to standard error, because it is different each time, while
 * what goes to standard output is the same for the same seed.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "apps/meantime/sim/command.h"

#define BAR_EVERY_S      0.1
#define SENTENCE_EVERY_S 10.0
#define BAR_MOST         40
#define LINE_MOST        70 /* columns of all but the bar */
#define LINE_SIZE        256
#define FACE_SIZE        48

static double elapsed_s(const struct mt_sim_progress *self)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)(now.tv_sec - self->started.tv_sec) +
           (double)(now.tv_nsec - self->started.tv_nsec) / 1e9;
}

void mt_sim_progress_begin(struct mt_sim_progress *self, const struct mt_topology *topology,
                           uint32_t seeds, bool is_quiet)
{
    const char *terminal = getenv("TERM");

    *self = (struct mt_sim_progress){
        .is_quiet = is_quiet,
        .is_terminal =
            isatty(STDERR_FILENO) != 0 && terminal != NULL && strcmp(terminal, "dumb") != 0,
        .duration_s = (double)topology->run.duration_ns / 1e9,
        .seeds = seeds,
    };
    clock_gettime(CLOCK_MONOTONIC, &self->started);
}

static size_t columns(void)
{
    struct winsize size;

    return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

/* "612 k", "1.42 M" */
static const char *amount(double value, char buffer[16])
{
    if (value >= 1e6) {
        snprintf(buffer, 16, "%.2f M", value / 1e6);
    } else if (value >= 1e4) {
        snprintf(buffer, 16, "%.0f k", value / 1e3);
    } else {
        snprintf(buffer, 16, "%.0f", value);
    }
    return buffer;
}

/* Whole seconds, and minutes and hours where there are any. */
static const char *clock_face(double s, char buffer[FACE_SIZE])
{
    unsigned long whole = s < 0 || s > 1e9 ? 0 : (unsigned long)lround(s);

    if (whole >= 3600) {
        snprintf(buffer, FACE_SIZE, "%lu h %02lu min", whole / 3600, whole / 60 % 60);
    } else if (whole >= 60) {
        snprintf(buffer, FACE_SIZE, "%lu min %02lu s", whole / 60, whole % 60);
    } else {
        snprintf(buffer, FACE_SIZE, "%lu s", whole);
    }
    return buffer;
}

static void describe(const struct mt_sim_progress *self, const struct mt_seeds_progress *progress,
                     char line[LINE_SIZE])
{
    char texts[3][FACE_SIZE];
    char rate[16];
    double elapsed = elapsed_s(self);
    double left_s = progress->share > 0 ? elapsed * (1 - progress->share) / progress->share : 0;

    if (self->seeds > 1) {
        snprintf(line, LINE_SIZE, "%u of %u seeds", progress->done, self->seeds);
    } else {
        snprintf(line, LINE_SIZE, "%s of %s",
                 clock_face(progress->share * self->duration_s, texts[0]),
                 clock_face(self->duration_s, texts[1]));
    }
    size_t length = strlen(line);
    snprintf(line + length, LINE_SIZE - length, "  %s msg/s  %s left",
             amount((double)progress->messages / (elapsed > 0 ? elapsed : 1), rate),
             clock_face(left_s, texts[2]));
}

static void draw_bar(struct mt_sim_progress *self, const struct mt_seeds_progress *progress,
                     const char *line)
{
    size_t width = columns();
    size_t room = width > LINE_MOST ? width - LINE_MOST : 0; /* the bar keeps its length */
    size_t cells = room < BAR_MOST ? room : BAR_MOST;
    size_t full = (size_t)(progress->share * (double)cells);

    fprintf(stderr, "\r%3d %% ", (int)(progress->share * 100));
    if (cells >= 4) {
        fputc('[', stderr);
        for (size_t i = 0; i < cells; i++) {
            fputc(i < full ? '#' : '-', stderr);
        }
        fputs("] ", stderr);
    }
    size_t used = 6 + (cells >= 4 ? cells + 3 : 0);
    fprintf(stderr, "%.*s\033[K", (int)(width > used ? width - used : 0), line);
    self->has_line = true;
}

void mt_sim_progress_tell(void *context, const struct mt_seeds_progress *progress)
{
    struct mt_sim_progress *self = context;
    double now_s = elapsed_s(self);
    double every_s = self->is_terminal ? BAR_EVERY_S : SENTENCE_EVERY_S;
    char line[LINE_SIZE];

    if (self->is_quiet || now_s - self->told_s < every_s) {
        return;
    }
    self->told_s = now_s;
    describe(self, progress, line);
    if (self->is_terminal) {
        draw_bar(self, progress, line);
    } else {
        fprintf(stderr, "%3d %%  %s\n", (int)(progress->share * 100), line);
    }
    fflush(stderr);
}

void mt_sim_progress_end(struct mt_sim_progress *self)
{
    self->took_s = elapsed_s(self);
    if (self->has_line) {
        fputs("\r\033[K", stderr);
        fflush(stderr);
    }
}

void mt_sim_progress_say_speed(const struct mt_sim_progress *self, double simulated_s,
                               uint64_t messages)
{
    char texts[2][FACE_SIZE];
    char amounts[2][16];
    double took_s = self->took_s > 0.001 ? self->took_s : 0.001;

    if (self->is_quiet) {
        return;
    }
    fflush(stdout);
    snprintf(texts[1], FACE_SIZE, took_s < 100 ? "%.1f s" : "%.0f s", took_s);
    fprintf(stderr, "\n%s simulated in %s, %.0f x real time; %s messages, %s a second\n",
            clock_face(simulated_s, texts[0]), texts[1], simulated_s / took_s,
            amount((double)messages, amounts[0]), amount((double)messages / took_s, amounts[1]));
}

const char *mt_sim_moment(int64_t ns, char buffer[MT_SIM_MOMENT_SIZE])
{
    int64_t ms = (ns + 500000) / 1000000;
    int64_t hours = ms / 3600000;
    int64_t minutes = ms / 60000 % 60;
    int length = 0;

    if (hours > 0) {
        length += snprintf(buffer, MT_SIM_MOMENT_SIZE, "%lld h ", (long long)hours);
    }
    if (minutes > 0) {
        length += snprintf(buffer + length, MT_SIM_MOMENT_SIZE - (size_t)length, "%lld min ",
                           (long long)minutes);
    }
    if (ms % 60000 != 0 || length == 0) {
        length += snprintf(buffer + length, MT_SIM_MOMENT_SIZE - (size_t)length, "%.15g s ",
                           (double)(ms % 60000) / 1000);
    }
    buffer[length - 1] = '\0';
    return buffer;
}
