/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * gnuplot gets one script on its standard input, data included, so nothing is left behind but the
 * picture.  The script goes through a temporary file instead of a pipe: if gnuplot is missing or
 * gives up, a pipe would end this process by SIGPIPE.  It is started without a shell, so a path
 * means itself.
 *
 * The colours are those of Okabe and Ito, which people with any kind of colour vision can tell
 * apart, and then darker ones.
 */
#include "apps/meantime/sim/plots_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOT_FOUND 127 /* exit status of a child that could not become gnuplot */

static const char *const plot_names[MT_PLOTS] = {
    [MT_PLOT_TIME] = "time", [MT_PLOT_MTIE] = "mtie",           [MT_PLOT_TDEV] = "tdev",
    [MT_PLOT_ADEV] = "adev", [MT_PLOT_HISTOGRAM] = "histogram",
};

static const char *const colours[MT_PLOTS_NODES_MOST] = {
    "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9",
    "#6A3D9A", "#8C510A", "#01665E", "#B2182B", "#4D4D4D", "#B3A500",
};

/* ---- names ----------------------------------------------------------------------------------- */

const char *mt_plots_name(enum mt_plot plot)
{
    return plot_names[plot];
}

bool mt_plots_from_name(const char *name, enum mt_plot *ret_plot)
{
    for (int i = 0; i < MT_PLOTS; i++) {
        if (strcmp(name, plot_names[i]) == 0) {
            *ret_plot = (enum mt_plot)i;
            return true;
        }
    }
    return false;
}

static bool ends_in(const char *path, const char *ending)
{
    size_t length = strlen(path);
    size_t ending_length = strlen(ending);
    return length > ending_length && strcmp(path + length - ending_length, ending) == 0;
}

bool mt_plots_is_path(const char *path)
{
    return ends_in(path, ".svg") || ends_in(path, ".png");
}

/* ---- groups ---------------------------------------------------------------------------------- */

bool mt_plots_is_in(const struct mt_plots_group *group, const struct mt_figures *figures,
                    size_t node)
{
    const struct mt_figures_node *it = &figures->nodes[node];
    if (group->role == NULL)
        return node == group->first;
    return !it->is_reference && strcmp(it->role, group->role) == 0;
}

static struct mt_plots_group *group_of_role(struct mt_plots_groups *groups, const char *role)
{
    for (size_t i = 0; i < groups->count; i++) {
        if (strcmp(groups->groups[i].role, role) == 0)
            return &groups->groups[i];
    }
    return NULL;
}

static void add_group(struct mt_plots_groups *groups, const struct mt_figures *figures, size_t node,
                      bool is_role)
{
    if (groups->count == MT_PLOTS_NODES_MOST)
        return;
    const struct mt_figures_node *it = &figures->nodes[node];
    groups->groups[groups->count] = (struct mt_plots_group){
        .name = is_role ? it->role : it->name,
        .role = is_role ? it->role : NULL,
        .first = node,
        .count = 1,
        .worst = node,
        .colour = colours[groups->count],
    };
    groups->count++;
}

static void add_to_role(struct mt_plots_groups *groups, const struct mt_figures *figures,
                        size_t node)
{
    struct mt_plots_group *group = group_of_role(groups, figures->nodes[node].role);
    if (group == NULL) {
        add_group(groups, figures, node, true);
        return;
    }
    group->count++;
    if (figures->nodes[node].statistics->max_ns > figures->nodes[group->worst].statistics->max_ns)
        group->worst = node;
}

void mt_plots_group(const struct mt_figures *figures, struct mt_plots_groups *ret_groups)
{
    size_t judged = 0;
    for (size_t i = 0; i < figures->count; i++)
        judged += figures->nodes[i].is_reference ? 0 : 1;
    ret_groups->count = 0;
    for (size_t i = 0; i < figures->count; i++) {
        if (figures->nodes[i].is_reference)
            continue;
        if (judged > MT_PLOTS_NODES_MOST)
            add_to_role(ret_groups, figures, i);
        else
            add_group(ret_groups, figures, i, false);
    }
}

/* ---- pieces of scripts ----------------------------------------------------------------------- */

void mt_plots_write_quoted(FILE *out, const char *text)
{
    putc('\'', out);
    for (; *text != '\0'; text++) {
        if (*text == '\'')
            putc('\'', out);
        putc(*text == '\n' ? ' ' : *text, out);
    }
    putc('\'', out);
}

void mt_plots_write_title(FILE *out, const struct mt_plots_group *group)
{
    char text[128];
    if (group->role == NULL)
        snprintf(text, sizeof text, "%s", group->name);
    else
        snprintf(text, sizeof text, "%.100s (%zu)", group->name, group->count);
    mt_plots_write_quoted(out, text);
}

#define KEY_COLUMNS 84 /* characters beside each other, about */

void mt_plots_write_key(FILE *out, const struct mt_plots_groups *groups, size_t others)
{
    size_t longest = 0;
    for (size_t i = 0; i < groups->count; i++) {
        size_t length = strlen(groups->groups[i].name) + (groups->groups[i].role != NULL ? 6 : 0);
        longest = length > longest ? length : longest;
    }
    longest += others > 0 ? 15 : 8;
    size_t in_line = longest < KEY_COLUMNS ? KEY_COLUMNS / longest : 1;
    size_t lines = (groups->count + others + in_line - 1) / in_line;
    fprintf(out,
            "set key on bmargin center horizontal Left reverse samplen 1.5\nset bmargin %.1f\n",
            3.7 + 1.3 * (double)lines);
}

void mt_plots_write_decades(FILE *out)
{
    static const char *const units[] = {"ps", "ns", "us", "ms", "s"};
    putc('(', out);
    for (int i = -3; i <= 11; i++) {
        static const char *const numbers[] = {"1", "10", "100"};
        fprintf(out, "%s'%s %s' 1e%d", i > -3 ? ", " : "", numbers[(i + 3) % 3], units[(i + 3) / 3],
                i);
    }
    putc(')', out);
}

struct mt_plots_unit mt_plots_unit_of_ns(double largest_ns)
{
    static const struct mt_plots_unit units[] = {{"s", 1e9}, {"ms", 1e6}, {"us", 1e3}};
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (largest_ns >= units[i].size)
            return units[i];
    }
    return (struct mt_plots_unit){"ns", 1};
}

struct mt_plots_unit mt_plots_unit_of_run(double duration_s)
{
    if (duration_s > 5 * 3600)
        return (struct mt_plots_unit){"h", 3600};
    if (duration_s > 1000)
        return (struct mt_plots_unit){"min", 60};
    return (struct mt_plots_unit){"s", 1};
}

/* ---- drawing --------------------------------------------------------------------------------- */

void mt_plots_write_script(FILE *out, enum mt_plot plot, const struct mt_figures *figures,
                           const char *path)
{
    if (ends_in(path, ".svg"))
        fputs("set terminal svg size 1000,640 font 'sans-serif,13' background '#ffffff'\n", out);
    else
        fputs("set terminal pngcairo size 1500,960 font 'sans,13' fontscale 1.15 linewidth 1.4\n",
              out);
    fputs("set output ", out);
    mt_plots_write_quoted(out, path);
    fputs("\nset encoding utf8\nset key noenhanced\nset border 3 lc rgb '#666666'\n"
          "set tics nomirror textcolor rgb '#333333'\n"
          "set grid xtics ytics lt 1 lw 0.5 lc rgb '#e0e0e0'\n",
          out);
    switch (plot) {
    case MT_PLOT_TIME:
        mt_plots_write_time(out, figures);
        break;
    case MT_PLOT_MTIE:
    case MT_PLOT_TDEV:
    case MT_PLOT_ADEV:
        mt_plots_write_curves(out, plot, figures);
        break;
    case MT_PLOT_HISTOGRAM:
        mt_plots_write_histogram(out, figures);
        break;
    }
}

/** Its exit status, or -1. */
static int run_gnuplot(FILE *script)
{
    pid_t child = fork();
    if (child == 0) {
        int null = open("/dev/null", O_WRONLY);
        if (null < 0 || dup2(fileno(script), 0) < 0 || dup2(null, 1) < 0 || dup2(null, 2) < 0)
            _exit(1);
        execlp("gnuplot", "gnuplot", (char *)NULL);
        _exit(NOT_FOUND);
    }
    int status;
    pid_t ended;
    do {
        ended = child < 0 ? child : waitpid(child, &status, 0);
    } while (ended < 0 && child > 0 && errno == EINTR);
    return ended > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static bool is_drawable(enum mt_plot plot, const struct mt_figures *figures)
{
    bool wants_curves = plot == MT_PLOT_MTIE || plot == MT_PLOT_TDEV || plot == MT_PLOT_ADEV;
    for (size_t i = 0; i < figures->count; i++) {
        const struct mt_figures_node *node = &figures->nodes[i];
        if (!node->is_reference && node->statistics->readings > 0 &&
            (!wants_curves || node->statistics->has_curves))
            return true;
    }
    return false;
}

/** So that a folder that does not exist is told from a gnuplot that fails. */
static bool is_writable(const char *path)
{
    FILE *file = fopen(path, "wb");
    return file != NULL && fclose(file) == 0;
}

static bool is_drawn(const char *path)
{
    struct stat file;
    return stat(path, &file) == 0 && file.st_size > 0;
}

static bool draw(enum mt_plot plot, const struct mt_figures *figures, const char *path,
                 char complaint[MT_PLOTS_COMPLAINT_SIZE])
{
    FILE *script = tmpfile();
    if (script == NULL) {
        snprintf(complaint, MT_PLOTS_COMPLAINT_SIZE, "no temporary file: %s", strerror(errno));
        return false;
    }
    mt_plots_write_script(script, plot, figures, path);
    int status = fflush(script) == 0 && fseek(script, 0, SEEK_SET) == 0 ? run_gnuplot(script) : -1;
    fclose(script);
    if (status == NOT_FOUND)
        snprintf(complaint, MT_PLOTS_COMPLAINT_SIZE,
                 "gnuplot is not installed, which draws the plots (Debian: gnuplot-nox)");
    else if (status != 0 || !is_drawn(path))
        snprintf(complaint, MT_PLOTS_COMPLAINT_SIZE, "gnuplot could not draw %.180s", path);
    else
        return true;
    remove(path);
    return false;
}

bool mt_plots_draw(enum mt_plot plot, const struct mt_figures *figures, const char *path,
                   char complaint[MT_PLOTS_COMPLAINT_SIZE])
{
    if (!mt_plots_is_path(path)) {
        snprintf(complaint, MT_PLOTS_COMPLAINT_SIZE, "%.180s ends neither in .svg nor in .png",
                 path);
        return false;
    }
    if (!is_drawable(plot, figures)) {
        snprintf(complaint, MT_PLOTS_COMPLAINT_SIZE, "no node has readings for the plot %s",
                 mt_plots_name(plot));
        return false;
    }
    if (!is_writable(path)) {
        snprintf(complaint, MT_PLOTS_COMPLAINT_SIZE, "cannot write %.180s: %s", path,
                 strerror(errno));
        return false;
    }
    return draw(plot, figures, path, complaint);
}
