/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Pictures of results: what gnuplot is told, what is said when it cannot draw, and that it can.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "apps/meantime/sim/plots.h"

#define SECOND     INT64_C(1000000000)
#define NODES_MOST 20

static const struct mt_statistics_plan plan_1s = {
    .interval_ns = SECOND,
    .from_ns = 20 * SECOND,
    .limit_ns = 1000,
    .series_limit = 1024,
};

static struct mt_statistics statistics[NODES_MOST];
static char names[NODES_MOST][16];
static struct mt_figures_node nodes[NODES_MOST];
static const struct mt_figures_mark marks[] = {{100, "kill gm's cable"}};

static void run(struct mt_statistics *self, double height_ns, bool is_read)
{
    assert_true(mt_statistics_init(self, &plan_1s, 1));
    for (int i = 0; is_read && i < 200; i++) {
        struct mt_statistics_reading reading = {
            .t_ns = i * SECOND,
            .error_ns = height_ns * (i * 7919 % 101 - 50) / 50 + (i < 10 ? 1e6 : 0),
            .bound_ns = 98,
            .has_bound = i > 4,
            .is_synchronised = true,
        };
        mt_statistics_feed(self, &reading);
    }
    mt_statistics_end(self, false, 199 * SECOND);
}

/** Node 0 is the reference; every third of the others is a "hop". */
static struct mt_figures made(size_t count, bool is_read)
{
    for (size_t i = 0; i < count; i++) {
        snprintf(names[i], sizeof names[i], i == 0 ? "gm" : "n'%zu", i);
        run(&statistics[i], (double)i * 10, is_read);
        nodes[i].name = names[i];
        nodes[i].role = i == 0 ? "source" : i % 3 == 0 ? "hop" : "leaf";
        nodes[i].is_reference = i == 0;
        nodes[i].statistics = &statistics[i];
    }
    struct mt_figures figures = {
        .title = "It's a \"net\"\nunset key",
        .nodes = nodes,
        .count = count,
        .seeds = 1,
        .first_seed = 1,
        .duration_s = 200,
        .plan = plan_1s,
        .marks = marks,
        .mark_count = 1,
    };
    return figures;
}

static void drop(const struct mt_figures *figures)
{
    for (size_t i = 0; i < figures->count; i++)
        mt_statistics_free(&statistics[i]);
}

static char *script_of(enum mt_plot plot, const struct mt_figures *figures, const char *path)
{
    char *text = NULL;
    size_t length;
    FILE *out = open_memstream(&text, &length);
    assert_non_null(out);
    mt_plots_write_script(out, plot, figures, path);
    fclose(out);
    return text;
}

static void assert_contains(const char *text, const char *part)
{
    if (text == NULL || part == NULL)
        abort();
    if (strstr(text, part) == NULL)
        fail_msg("no \"%s\" in:\n%.3000s", part, text);
}

static void assert_lacks(const char *text, const char *part)
{
    if (text == NULL || part == NULL)
        abort();
    if (strstr(text, part) != NULL)
        fail_msg("there is \"%s\"", part);
}

/* gcc 12 takes what strstr() returns for a pointer to that in written() once all is inline */
__attribute__((noinline)) static size_t count_of(const char *text, const char *part)
{
    size_t count = 0;
    for (const char *at = strstr(text, part); at != NULL; at = strstr(at + 1, part))
        count++;
    return count;
}

/* ---- what gnuplot is told -------------------------------------------------------------------- */

static void plots_are_found_by_name_when_it_is_one(void **state)
{
    for (int i = 0; i < MT_PLOTS; i++) {
        enum mt_plot plot;
        assert_true(mt_plots_from_name(mt_plots_name((enum mt_plot)i), &plot));
        assert_int_equal(plot, i);
    }
    enum mt_plot plot;
    assert_false(mt_plots_from_name("pie", &plot));
    assert_true(mt_plots_is_path("a.svg"));
    assert_true(mt_plots_is_path("/b/c.png"));
    assert_false(mt_plots_is_path(".png"));
    assert_false(mt_plots_is_path("a.pdf"));
    assert_false(mt_plots_is_path("svg"));
}

static void plots_quote_names_when_they_have_quotes(void **state)
{
    struct mt_figures figures = made(3, true);
    for (int i = 0; i < MT_PLOTS; i++) {
        char *text = script_of((enum mt_plot)i, &figures, "/tmp/it's.svg");
        assert_contains(text, "set terminal svg ");
        assert_contains(text, "set output '/tmp/it''s.svg'\n");
        assert_contains(text, "'It''s a \"net\" unset key'");
        assert_contains(text, "title 'n''1'");
        assert_contains(text, "title 'n''2'");
        assert_lacks(text, "title 'gm'");
        free(text);
    }
    char *text = script_of(MT_PLOT_TIME, &figures, "a.png");
    assert_contains(text, "set terminal pngcairo ");
    assert_contains(text, "set label 'kill gm''s cable' at 100,");
    free(text);
    drop(&figures);
}

static void plots_draw_by_role_when_nodes_are_many(void **state)
{
    struct mt_figures figures = made(14, true);
    for (int i = 0; i < MT_PLOTS; i++) {
        char *text = script_of((enum mt_plot)i, &figures, "a.svg");
        assert_contains(text, "title 'leaf (9)'");
        assert_contains(text, "title 'hop (4)'");
        assert_lacks(text, "title 'n''1'");
        free(text);
    }
    drop(&figures);
    figures = made(13, true);
    char *text = script_of(MT_PLOT_MTIE, &figures, "a.svg");
    assert_contains(text, "title 'n''1'");
    assert_contains(text, "title 'n''12'");
    free(text);
    drop(&figures);
}

static void time_plot_marks_columns_when_they_are_outside(void **state)
{
    struct mt_figures figures = made(12, true);
    char *text = script_of(MT_PLOT_TIME, &figures, "a.svg");
    assert_contains(text, "$outside0 using");
    assert_contains(text, "title 'outside its bound'");
    assert_contains(text, "title 'bound of n''11'");
    assert_contains(text, "$outside0 << EOD\n5.5 "); /* earlier ones have no bound */
    assert_contains(text, "$bound0 using ($1/1):(f(-$2)):(f($2)) with filledcurves ");
    free(text);
    drop(&figures);
    figures = made(2, true);
    text = script_of(MT_PLOT_TIME, &figures, "a.svg");
    assert_lacks(text, "title 'outside its bound'");     /* not since from_s */
    assert_lacks(text, "$bound0 using ($1/1):(f(-$2))"); /* much wider than the errors */
    free(text);
    drop(&figures);
}

static void time_plot_takes_another_bound_when_worst_has_none(void **state)
{
    struct mt_figures figures = made(7, true);
    statistics[6].with_bound = 0;
    char *text = script_of(MT_PLOT_TIME, &figures, "a.svg");
    assert_contains(text, "title 'bound of n''5'");
    assert_int_equal(count_of(text, "title 'bound of"), 1); /* six would be mud */
    free(text);
    statistics[5].with_bound = 0;
    statistics[4].with_bound = 0;
    text = script_of(MT_PLOT_TIME, &figures, "a.svg");
    assert_int_equal(count_of(text, "title 'bound of"), 3);
    free(text);
    for (int i = 1; i < 4; i++)
        statistics[i].with_bound = 0;
    text = script_of(MT_PLOT_TIME, &figures, "a.svg");
    assert_int_equal(count_of(text, "title 'bound of"), 0);
    free(text);
    drop(&figures);
}

static void curve_plots_have_limits_when_there_are_some(void **state)
{
    struct mt_figures figures = made(2, true);
    char *text = script_of(MT_PLOT_MTIE, &figures, "a.svg");
    assert_contains(text, ",40 to 1000,40 ");
    assert_contains(text, "'class A, B' at graph 1, first 40 ");
    assert_contains(text, "'class C' at graph 1, first 10 ");
    assert_int_equal(count_of(text, "set label 'class"), 2);
    free(text);
    text = script_of(MT_PLOT_TDEV, &figures, "a.svg");
    assert_contains(text, "'class A, B' at graph 1, first 4 ");
    assert_contains(text, "'class C' at graph 1, first 2 ");
    free(text);
    text = script_of(MT_PLOT_ADEV, &figures, "a.svg");
    assert_lacks(text, "class");
    /* 180 s / 5: to 32 s */
    assert_contains(text, "\n32 ");
    assert_lacks(text, "\n64 ");
    free(text);
    drop(&figures);
}

/** The percent column of the bars of the first group. */
__attribute__((noinline)) static double sum_of_bars(const char *text, double *ret_lowest_edge)
{
    const char *at = strstr(text, "$bars0 << EOD\n");
    assert_non_null(at);
    at += strlen("$bars0 << EOD\n");
    double sum = 0;
    double edge = 0;
    double percent = 0;
    *ret_lowest_edge = 0;
    for (; sscanf(at, "%lf %lf\n", &edge, &percent) == 2; at += strcspn(at, "\n") + 1) {
        *ret_lowest_edge = fmin(*ret_lowest_edge, edge);
        sum += percent;
    }
    return sum;
}

static void histogram_holds_all_readings_when_none_is_far(void **state)
{
    struct mt_figures figures = made(2, true);
    char *text = script_of(MT_PLOT_HISTOGRAM, &figures, "a.svg");
    double lowest;
    double sum = sum_of_bars(text, &lowest);
    assert_true(fabs(sum - 100) < 1e-3);
    assert_true(lowest == -60.5); /* 1 ns wide, centred on zero */
    assert_contains(text, "% in each 1 ns");
    free(text);
    drop(&figures);
}

/* ---- drawing --------------------------------------------------------------------------------- */

static void plots_say_why_when_they_cannot_be_drawn(void **state)
{
    char complaint[MT_PLOTS_COMPLAINT_SIZE];
    struct mt_figures figures = made(2, true);
    assert_false(mt_plots_draw(MT_PLOT_TIME, &figures, "a.pdf", complaint));
    assert_string_equal(complaint, "a.pdf ends neither in .svg nor in .png");
    assert_false(mt_plots_draw(MT_PLOT_TIME, &figures, "/nowhere/a.svg", complaint));
    assert_string_equal(complaint, "cannot write /nowhere/a.svg: No such file or directory");
    statistics[1].has_curves = false;
    assert_false(mt_plots_draw(MT_PLOT_ADEV, &figures, "a.svg", complaint));
    assert_string_equal(complaint, "no node has readings for the plot adev");
    drop(&figures);
    figures = made(2, false);
    assert_false(mt_plots_draw(MT_PLOT_TIME, &figures, "a.svg", complaint));
    assert_string_equal(complaint, "no node has readings for the plot time");
    drop(&figures);
}

static void make_path(char path[64], const char *ending)
{
    snprintf(path, 64, "/tmp/meantime-plot-%ld%s", (long)getpid(), ending);
}

static void plots_say_so_when_gnuplot_is_missing(void **state)
{
    char path[64];
    char complaint[MT_PLOTS_COMPLAINT_SIZE];
    char *old = strdup(getenv("PATH"));
    struct mt_figures figures = made(2, true);
    make_path(path, ".svg");
    setenv("PATH", "/nowhere", 1);
    bool is_drawn = mt_plots_draw(MT_PLOT_TIME, &figures, path, complaint);
    setenv("PATH", old, 1);
    free(old);
    assert_false(is_drawn);
    assert_contains(complaint, "gnuplot is not installed");
    assert_int_not_equal(access(path, F_OK), 0);
    drop(&figures);
}

static bool begins_with(const char *path, const char *bytes)
{
    char head[64] = "";
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    size_t length = fread(head, 1, sizeof head - 1, file);
    fclose(file);
    return length > strlen(bytes) && memcmp(head, bytes, strlen(bytes)) == 0;
}

static void plots_are_drawn_when_gnuplot_is_there(void **state)
{
    if (system("gnuplot --version >/dev/null 2>&1") != 0)
        skip();
    for (size_t count = 3; count < NODES_MOST; count += 14) {
        struct mt_figures figures = made(count, true);
        for (int i = 0; i < MT_PLOTS; i++) {
            char path[64];
            char complaint[MT_PLOTS_COMPLAINT_SIZE] = "";
            make_path(path, ".svg");
            if (!mt_plots_draw((enum mt_plot)i, &figures, path, complaint))
                fail_msg("%s: %s", mt_plots_name((enum mt_plot)i), complaint);
            assert_true(begins_with(path, "<?xml"));
            remove(path);
        }
        char path[64];
        char complaint[MT_PLOTS_COMPLAINT_SIZE] = "";
        make_path(path, ".png");
        assert_true(mt_plots_draw(MT_PLOT_TIME, &figures, path, complaint));
        assert_true(begins_with(path, "\x89PNG"));
        remove(path);
        drop(&figures);
    }
}

/** Errors on standard error are not seen by mt_plots_draw(), where gnuplot goes on after them. */
static void scripts_have_no_errors_when_gnuplot_reads_them(void **state)
{
    if (system("gnuplot --version >/dev/null 2>&1") != 0)
        skip();
    struct mt_figures figures = made(17, true);
    for (int i = 0; i < MT_PLOTS; i++) {
        FILE *gnuplot = popen("gnuplot 2>&1 | tee /dev/stderr | grep -qi -e warning -e error", "w");
        assert_non_null(gnuplot);
        mt_plots_write_script(gnuplot, (enum mt_plot)i, &figures, "/dev/null");
        assert_int_not_equal(pclose(gnuplot), 0); /* grep has found nothing */
    }
    char *text = script_of(MT_PLOT_TIME, &figures, "a.svg");
    assert_int_equal(count_of(text, "<< EOD\n"), count_of(text, "\nEOD\n"));
    free(text);
    drop(&figures);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plots_are_found_by_name_when_it_is_one),
        cmocka_unit_test(plots_quote_names_when_they_have_quotes),
        cmocka_unit_test(plots_draw_by_role_when_nodes_are_many),
        cmocka_unit_test(time_plot_marks_columns_when_they_are_outside),
        cmocka_unit_test(time_plot_takes_another_bound_when_worst_has_none),
        cmocka_unit_test(curve_plots_have_limits_when_there_are_some),
        cmocka_unit_test(histogram_holds_all_readings_when_none_is_far),
        cmocka_unit_test(plots_say_why_when_they_cannot_be_drawn),
        cmocka_unit_test(plots_say_so_when_gnuplot_is_missing),
        cmocka_unit_test(plots_are_drawn_when_gnuplot_is_there),
        cmocka_unit_test(scripts_have_no_errors_when_gnuplot_reads_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
