/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Results as table, CSV and JSON.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <cjson/cJSON.h>

#include "apps/meantime/sim/figures_private.h"

#define SECOND     INT64_C(1000000000)
#define NODES_MOST 50

static const struct mt_statistics_plan plan_1s = {
    .interval_ns = SECOND,
    .from_ns = 10 * SECOND,
    .limit_ns = 1000,
    .series_limit = 1024,
};

static struct mt_statistics statistics[NODES_MOST];
static char names[NODES_MOST][16];
static struct mt_figures_node nodes[NODES_MOST];

/** A triangle of this height, with one second in 50 outside the bound if it is more than 100. */
static void run(struct mt_statistics *self, uint64_t seed, double height_ns, bool is_locked)
{
    assert_true(mt_statistics_init(self, &plan_1s, seed));
    for (int i = 0; i < 300; i++) {
        struct mt_statistics_reading reading = {
            .t_ns = i * SECOND,
            .error_ns = height_ns * (abs(i % 100 - 50) - 25) / 25,
            .bound_ns = 98,
            .has_bound = true,
            .is_synchronised = is_locked,
        };
        mt_statistics_feed(self, &reading);
    }
    mt_statistics_end(self, true, 299 * SECOND);
}

/** Nodes "gm", "n1", "n2" ... of seed 1, larger errors with larger numbers. */
static struct mt_figures made(size_t count)
{
    for (size_t i = 0; i < count; i++) {
        snprintf(names[i], sizeof names[i], i == 0 ? "gm" : "n%zu", i);
        run(&statistics[i], 1, (double)i * 100, i != 2);
        nodes[i].name = names[i];
        nodes[i].role = i == 0 ? "source" : i < count - 1 ? "leaf" : "edge, last";
        nodes[i].is_reference = i == 0;
        nodes[i].statistics = &statistics[i];
    }
    struct mt_figures figures = {
        .title = "Test \"net\"",
        .nodes = nodes,
        .count = count,
        .seeds = 1,
        .first_seed = 1,
        .duration_s = 300,
        .plan = plan_1s,
        .class_ = MT_MASK_CLASS_A,
    };
    return figures;
}

static void drop(const struct mt_figures *figures)
{
    for (size_t i = 0; i < figures->count; i++)
        mt_statistics_free(&statistics[i]);
}

enum form { TABLE, TABLE_OF_ALL, CSV, JSON, COURSE, SERIES };

/** What is written; the caller frees it. */
static char *written(const struct mt_figures *figures, enum form form)
{
    char *text = NULL;
    size_t length;
    FILE *out = open_memstream(&text, &length);
    assert_non_null(out);
    switch (form) {
    case TABLE:
        mt_figures_write_table(out, figures, false);
        break;
    case TABLE_OF_ALL:
        mt_figures_write_table(out, figures, true);
        break;
    case CSV:
        mt_figures_write_csv(out, figures);
        break;
    case JSON:
        assert_true(mt_figures_write_json(out, figures));
        break;
    case COURSE:
        mt_figures_write_course(out, figures);
        break;
    case SERIES:
        mt_figures_write_series(out, figures);
        break;
    }
    fclose(out);
    return text;
}

static void assert_contains(const char *text, const char *part)
{
    if (text == NULL || part == NULL)
        abort(); /* the sanitizers have gcc think that it goes on, to the message below */
    if (strstr(text, part) == NULL)
        fail_msg("no \"%s\" in:\n%s", part, text);
}

static void assert_lacks(const char *text, const char *part)
{
    if (text == NULL || part == NULL)
        abort();
    if (strstr(text, part) != NULL)
        fail_msg("there is \"%s\" in:\n%s", part, text);
}

/* gcc 12 takes what strstr() returns for a pointer to that in written() once all is inline */
__attribute__((noinline)) static size_t count_of(const char *text, const char *part)
{
    size_t count = 0;
    for (const char *at = strstr(text, part); at != NULL; at = strstr(at + 1, part))
        count++;
    return count;
}

static void assert_fits(const char *text)
{
    for (const char *line = text; *line != '\0'; line += strcspn(line, "\n") + 1) {
        if (strcspn(line, "\n") > 100)
            fail_msg("wider than 100 columns: %.120s", line);
    }
}

/* ---- numbers --------------------------------------------------------------------------------- */

static void figures_write_three_digits_when_time_is_any(void **state)
{
    static const struct {
        double ns;
        const char *text;
    } cases[] = {
        {0, "0.00 ns"},     {-0.001, "0.00 ns"}, {1.234, "1.23 ns"},   {-12.34, "-12.3 ns"},
        {999.4, "999 ns"},  {999.5, "1.00 us"},  {-99949, "-99.9 us"}, {99951, "100 us"},
        {1.5e6, "1.50 ms"}, {1e9, "1.00 s"},     {3.6e12, "3600 s"},   {9.996, "10.0 ns"},
    };
    char text[MT_FIGURES_TEXT_SIZE];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_string_equal(mt_figures_time(cases[i].ns, text), cases[i].text);
}

static void figures_write_no_negative_zero_when_value_is_small(void **state)
{
    char text[MT_FIGURES_TEXT_SIZE];
    assert_string_equal(mt_figures_decimal(-0.00001, 4, text), "0.0000");
    assert_string_equal(mt_figures_decimal(-0.00006, 4, text), "-0.0001");
    assert_string_equal(mt_figures_decimal(-1e300, 0, text) + 302, "");
}

/* ---- table ----------------------------------------------------------------------------------- */

static void table_lists_each_node_when_nodes_are_few(void **state)
{
    struct mt_figures figures = made(4);
    statistics[1].losses = 1;
    statistics[1].lost_max_s = 1;
    statistics[3].with_bound = 280;
    char *text = written(&figures, TABLE);
    assert_fits(text);
    assert_contains(text, "Test \"net\"\n4 nodes, seed 1, 300 s; figures since 10 s, a reading "
                          "every 1 s.\nIn sync: |error| <= 1.00 us for 10 s");
    /* 290 readings of a triangle */
    assert_contains(text, "\nn1   leaf");
    assert_contains(text, "\nn3   edge, last");
    assert_contains(text, "\ngm   source                   0.00 ns  0.00 ns  0.00 ns  0.00 ns  "
                          "0.00 ns        -     100 % 98.0 ns\n");
    assert_contains(text, "limits of class A               100 ns          -    50.0 ns    40.0 "
                          "ns    4.00 ns    70.0 ns\n");
    assert_contains(text, " 300 ns!");
    assert_int_equal(count_of(text, "\ngm   "), 2); /* it is not judged */
    assert_int_equal(count_of(text, "\nn3   "), 3);
    assert_lacks(text, "worst:");
    assert_contains(text, "Largest error: n3, 300 ns at 50 s of seed 1.\n");
    assert_contains(text, "n2 synchronised in 0 of 1 seeds.\n");
    assert_contains(text, "n1 lost synchronisation 1 time, for 1.00 s at most.\n");
    assert_contains(text, "n1 was outside its bound in 5 of 290 readings.\n");
    assert_contains(text, "Judged by their bounds: 860 of 870 readings.\n");
    assert_contains(text, "n3: 280 of 290 readings judged; in the others no time, or no bound "
                          "against true time.\n");
    assert_int_equal(count_of(text, "readings judged"), 1);
    assert_contains(text, " never");
    assert_lacks(text, "gm lost");
    free(text);
    drop(&figures);
}

static void table_is_by_role_when_nodes_are_many(void **state)
{
    struct mt_figures figures = made(45);
    char *text = written(&figures, TABLE);
    assert_fits(text);
    assert_contains(text, "\nsource, 1 ");
    assert_contains(text, "\nleaf, 43 ");
    assert_contains(text, "\n  worst: n43 ");
    assert_contains(text, "\nedge, last, 1 ");
    assert_contains(text, "\nall judged, 44 ");
    assert_int_equal(count_of(text, "worst:"), 3); /* in each table */
    assert_contains(text, "Largest error: n44, 4.40 us at 50 s of seed 1.\n");
    assert_contains(text, "The same of 39 more.\n"); /* outside their bounds */
    assert_int_equal(count_of(text, " was outside its bound"), 5);
    free(text);
    text = written(&figures, TABLE_OF_ALL);
    assert_fits(text);
    assert_lacks(text, "worst:");
    assert_contains(text, "\nn17  leaf ");
    free(text);
    drop(&figures);
}

static void table_never_says_all_when_one_is_outside(void **state)
{
    struct mt_figures figures = made(2);
    statistics[1].with_bound = 10000000;
    statistics[1].outside = 1;
    char *text = written(&figures, TABLE);
    assert_contains(text, " >99.999 % ");
    free(text);
    drop(&figures);
}

static void table_fits_when_names_are_long(void **state)
{
    struct mt_figures figures = made(3);
    nodes[1].name = "a.very.long.name.of.a.server.in.a.rack.example.org";
    char *text = written(&figures, TABLE);
    assert_fits(text);
    assert_contains(text, "\na.very.long.name.of.a.serv.. ");
    assert_lacks(text, " leaf ");
    free(text);
    drop(&figures);
}

static void table_says_nothing_of_curves_when_there_are_none(void **state)
{
    struct mt_figures figures = made(2);
    statistics[0].has_curves = false;
    statistics[1].has_curves = false;
    char *text = written(&figures, TABLE);
    assert_lacks(text, "G.8273.2");
    assert_lacks(text, "Stability");
    free(text);
    drop(&figures);
}

static void table_tells_share_of_seeds_when_some_did_not_synchronise(void **state)
{
    struct mt_figures figures = made(3);
    struct mt_statistics other;
    run(&other, 2, 50, true);
    mt_statistics_merge(&statistics[2], &other);
    mt_statistics_free(&other);
    figures.seeds = 2;
    char *text = written(&figures, TABLE);
    assert_contains(text, "seeds 1 to 2, ");
    assert_contains(text, "     1/2 ");
    assert_contains(text, "n2 synchronised in 1 of 2 seeds.\n");
    free(text);
    drop(&figures);
}

/* ---- CSV ------------------------------------------------------------------------------------- */

static size_t commas(const char *line)
{
    size_t count = 0;
    bool is_quoted = false;
    for (; *line != '\n'; line++) {
        is_quoted ^= *line == '"';
        count += *line == ',' && !is_quoted ? 1 : 0;
    }
    return count;
}

static void csv_has_equal_columns_when_values_are_missing(void **state)
{
    struct mt_figures figures = made(3);
    mt_statistics_free(&statistics[1]);
    assert_true(mt_statistics_init(&statistics[1], &plan_1s, 1));
    mt_statistics_end(&statistics[1], false, 300 * SECOND);
    char *text = written(&figures, CSV);
    size_t expected = commas(text);
    assert_int_equal(expected, 2 + 24 + 6 + 4 - 1);
    size_t lines = 0;
    for (const char *line = text; *line != '\0'; line += strcspn(line, "\n") + 1) {
        assert_int_equal(commas(line), expected);
        lines++;
    }
    assert_int_equal(lines, 4);
    assert_contains(text, "\ngm,source,290,0.0000,0.0000,");
    assert_contains(text, "\nn1,leaf,0,,,,,");
    assert_contains(text, "\nn2,\"edge, last\",290,");
    assert_contains(text, ",fail,fail,fail,fail\n");
    assert_contains(text, ",,,,\nn1"); /* a reference is not judged */
    free(text);
    drop(&figures);
}

static void course_has_row_for_each_column_when_written(void **state)
{
    struct mt_figures figures = made(2);
    char *text = written(&figures, COURSE);
    assert_int_equal(count_of(text, "\n"), 601);
    assert_contains(text, "t_s,node,low_ns,high_ns,bound_ns,outside\n0.0000,gm,0.0000,");
    assert_contains(text, "\n50.0000,n1,-100.0000,-100.0000,98.0000,1\n");
    free(text);
    drop(&figures);
}

static void series_has_row_for_each_reading_when_kept(void **state)
{
    struct mt_figures figures = made(2);
    char *text = written(&figures, SERIES);
    assert_int_equal(count_of(text, "\n"), 1 + 2 * 290);
    assert_contains(text, "t_s,node,error_ns\n10.0000,gm,0.0000\n");
    assert_contains(text, "\n50.0000,n1,-100.0000\n");
    free(text);
    statistics[1].plan.from_ns -= SECOND / 2;
    text = written(&figures, SERIES);
    assert_contains(text, "\n10.0000,n1,60.0000\n");
    free(text);
    drop(&figures);
}

/* ---- JSON ------------------------------------------------------------------------------------ */

static double number(const cJSON *object, const char *name)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
    if (!cJSON_IsNumber(item))
        fail_msg("no number \"%s\"", name);
    return item->valuedouble;
}

static const char *string(const cJSON *object, const char *name)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
    if (!cJSON_IsString(item))
        fail_msg("no string \"%s\"", name);
    return item->valuestring;
}

static void json_has_figures_when_parsed(void **state)
{
    struct mt_figures figures = made(4);
    char *text = written(&figures, JSON);
    cJSON *root = cJSON_Parse(text);
    assert_non_null(root);
    assert_string_equal(string(root, "schema"), "meantime-sim-1");
    assert_string_equal(string(root, "title"), "Test \"net\"");
    assert_true(number(root, "from_s") == 10);
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(root, "nodes");
    assert_int_equal(cJSON_GetArraySize(list), 4);
    const cJSON *node = cJSON_GetArrayItem(list, 3);
    struct mt_statistics_figures got;
    mt_statistics_get(&statistics[3], &got);
    assert_string_equal(string(node, "name"), "n3");
    assert_true(fabs(number(node, "rms_ns") - got.rms_ns) < 1e-4);
    assert_true(number(node, "max_ns") == 300);
    assert_true(number(node, "outside") == (double)got.outside);
    assert_true(fabs(number(node, "inside_share") - got.inside_share) < 1e-9);
    const cJSON *points = cJSON_GetObjectItemCaseSensitive(node, "stability");
    assert_int_equal(cJSON_GetArraySize(points), 9);
    assert_true(number(cJSON_GetArrayItem(points, 0), "mtie_ns") == 12);
    const cJSON *masks = cJSON_GetObjectItemCaseSensitive(node, "g8273_2");
    assert_true(number(masks, "measured_s") == 289);
    const cJSON *limits = cJSON_GetObjectItemCaseSensitive(masks, "limits");
    assert_int_equal(cJSON_GetArraySize(limits), MT_MASK_LIMITS);
    assert_string_equal(string(cJSON_GetArrayItem(limits, 0), "name"), "max_te");
    const cJSON *verdicts =
        cJSON_GetObjectItemCaseSensitive(cJSON_GetArrayItem(limits, 0), "verdicts");
    assert_int_equal(cJSON_GetArraySize(verdicts), 3); /* class D has another limit */
    assert_string_equal(string(verdicts, "A"), "fail");
    const cJSON *classes = cJSON_GetObjectItemCaseSensitive(masks, "classes");
    assert_string_equal(string(classes, "A"), "fail");
    assert_null(cJSON_GetObjectItemCaseSensitive(cJSON_GetArrayItem(list, 0), "g8273_2"));
    cJSON_Delete(root);
    free(text);
    drop(&figures);
}

static void json_leaves_out_values_when_there_are_none(void **state)
{
    struct mt_figures figures = made(3);
    char *text = written(&figures, JSON);
    cJSON *root = cJSON_Parse(text);
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(root, "nodes");
    const cJSON *never = cJSON_GetArrayItem(list, 2);
    assert_true(number(never, "seeds_synchronised") == 0);
    assert_null(cJSON_GetObjectItemCaseSensitive(never, "synchronise_max_s"));
    assert_true(number(cJSON_GetArrayItem(list, 1), "synchronise_max_s") == 0);
    cJSON_Delete(root);
    free(text);
    drop(&figures);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(figures_write_three_digits_when_time_is_any),
        cmocka_unit_test(figures_write_no_negative_zero_when_value_is_small),
        cmocka_unit_test(table_lists_each_node_when_nodes_are_few),
        cmocka_unit_test(table_is_by_role_when_nodes_are_many),
        cmocka_unit_test(table_never_says_all_when_one_is_outside),
        cmocka_unit_test(table_fits_when_names_are_long),
        cmocka_unit_test(table_says_nothing_of_curves_when_there_are_none),
        cmocka_unit_test(table_tells_share_of_seeds_when_some_did_not_synchronise),
        cmocka_unit_test(csv_has_equal_columns_when_values_are_missing),
        cmocka_unit_test(course_has_row_for_each_column_when_written),
        cmocka_unit_test(series_has_row_for_each_reading_when_kept),
        cmocka_unit_test(json_has_figures_when_parsed),
        cmocka_unit_test(json_leaves_out_values_when_there_are_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
