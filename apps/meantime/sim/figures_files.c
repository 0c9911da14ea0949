/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * CSV for spreadsheets and JSON for programs.  JSON is built with libcjson for its quoting, but
 * numbers go in as text: its own way of writing doubles shows all digits, and with them the last
 * bit of each.
 */
#include "apps/meantime/sim/figures_private.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

#define NS_PER_S 1e9

/* ---- CSV ------------------------------------------------------------------------------------- */

static void write_quoted(FILE *out, const char *text)
{
    if (strpbrk(text, ",\"\r\n") == NULL) {
        fputs(text, out);
        return;
    }
    putc('"', out);
    for (; *text != '\0'; text++) {
        if (*text == '"')
            putc('"', out);
        putc(*text, out);
    }
    putc('"', out);
}

static void write_csv_head(FILE *out)
{
    fputs("name,role", out);
    for (size_t i = 0; i < mt_figures_column_count; i++)
        fprintf(out, ",%s", mt_figures_columns[i].name);
    for (int i = 0; i < MT_MASK_LIMITS; i++)
        fprintf(out, ",%s_ns", mt_masks_limit_name((enum mt_mask_limit)i));
    for (int i = 0; i < MT_MASK_CLASSES; i++)
        fprintf(out, ",class_%c", 'a' + i);
    putc('\n', out);
}

static void write_csv_masks(FILE *out, const struct mt_figures_node *node)
{
    char text[MT_FIGURES_TEXT_SIZE];
    const struct mt_mask_figures *masks = &node->statistics->masks;
    bool is_judged = node->statistics->has_curves && !node->is_reference;
    for (int i = 0; i < MT_MASK_LIMITS; i++) {
        bool has = node->statistics->has_curves && masks->has[i];
        fprintf(out, ",%s", has ? mt_figures_decimal(masks->figures_ns[i], 4, text) : "");
    }
    for (int i = 0; i < MT_MASK_CLASSES; i++) {
        enum mt_mask_verdict verdict = mt_masks_judge_class(masks, (enum mt_mask_class)i);
        fprintf(out, ",%s", is_judged ? mt_masks_verdict_name(verdict) : "");
    }
}

void mt_figures_write_csv(FILE *out, const struct mt_figures *figures)
{
    write_csv_head(out);
    for (size_t i = 0; i < figures->count; i++) {
        const struct mt_figures_node *node = &figures->nodes[i];
        struct mt_statistics_figures got;
        char text[MT_FIGURES_TEXT_SIZE];
        mt_statistics_get(node->statistics, &got);
        write_quoted(out, node->name);
        putc(',', out);
        write_quoted(out, node->role);
        for (size_t k = 0; k < mt_figures_column_count; k++)
            fprintf(out, ",%s", mt_figures_value(&mt_figures_columns[k], &got, text));
        write_csv_masks(out, node);
        putc('\n', out);
    }
}

static void write_course_of(FILE *out, const struct mt_figures_node *node, double column_s)
{
    char text[MT_FIGURES_TEXT_SIZE];
    const struct mt_statistics *statistics = node->statistics;
    for (uint32_t i = 0; i < statistics->column_count; i++) {
        const struct mt_statistics_column *column = &statistics->columns[i];
        if (column->low_ns > column->high_ns)
            continue;
        fprintf(out, "%s,", mt_figures_decimal(i * column_s, 4, text));
        write_quoted(out, node->name);
        fprintf(out, ",%s", mt_figures_decimal((double)column->low_ns, 4, text));
        fprintf(out, ",%s", mt_figures_decimal((double)column->high_ns, 4, text));
        bool has_bound = column->bound_ns >= 0;
        fprintf(out, ",%s,%" PRIu32 "\n",
                has_bound ? mt_figures_decimal((double)column->bound_ns, 4, text) : "",
                column->outside);
    }
}

void mt_figures_write_course(FILE *out, const struct mt_figures *figures)
{
    fputs("t_s,node,low_ns,high_ns,bound_ns,outside\n", out);
    for (size_t i = 0; i < figures->count; i++) {
        const struct mt_statistics *statistics = figures->nodes[i].statistics;
        write_course_of(out, &figures->nodes[i],
                        (double)statistics->plan.interval_ns * statistics->column_readings /
                            NS_PER_S);
    }
}

static int64_t first_instant_ns(const struct mt_statistics_plan *plan)
{
    int64_t late = plan->from_ns % plan->interval_ns;
    return late == 0 ? plan->from_ns : plan->from_ns + plan->interval_ns - late;
}

void mt_figures_write_series(FILE *out, const struct mt_figures *figures)
{
    fputs("t_s,node,error_ns\n", out);
    for (size_t i = 0; i < figures->count; i++) {
        const struct mt_statistics *statistics = figures->nodes[i].statistics;
        int64_t first_ns = first_instant_ns(&statistics->plan);
        int64_t step_ns = statistics->plan.interval_ns * statistics->series_every;
        for (size_t k = 0; k < statistics->series_count; k++) {
            char text[MT_FIGURES_TEXT_SIZE];
            if (isnan(statistics->series_ns[k]))
                continue;
            double t_s = (double)(first_ns + (int64_t)k * step_ns) / NS_PER_S;
            fprintf(out, "%s,", mt_figures_decimal(t_s, 4, text));
            write_quoted(out, figures->nodes[i].name);
            fprintf(out, ",%s\n", mt_figures_decimal(statistics->series_ns[k], 4, text));
        }
    }
}

/* ---- JSON ------------------------------------------------------------------------------------ */

static void add_real(cJSON *object, const char *name, double value, int decimals)
{
    char text[MT_FIGURES_TEXT_SIZE];
    cJSON_AddRawToObject(object, name, mt_figures_decimal(value, decimals, text));
}

static void add_exponent(cJSON *object, const char *name, double value)
{
    char text[MT_FIGURES_TEXT_SIZE];
    cJSON_AddRawToObject(object, name, mt_figures_exponent(value, text));
}

static void add_count(cJSON *object, const char *name, uint64_t value)
{
    char text[MT_FIGURES_TEXT_SIZE];
    snprintf(text, sizeof text, "%" PRIu64, value);
    cJSON_AddRawToObject(object, name, text);
}

static void add_stability(cJSON *node, const struct mt_stability *stability)
{
    cJSON *points = cJSON_AddArrayToObject(node, "stability");
    for (uint32_t i = 0; i < stability->count; i++) {
        const struct mt_stability_point *point = &stability->points[i];
        cJSON *object = cJSON_CreateObject();
        add_real(object, "tau_s", point->tau_s, 6);
        add_real(object, "mtie_ns", point->mtie_ns, 4);
        if (point->tdev_terms > 0) {
            add_real(object, "tdev_ns", point->tdev_ns, 6);
            add_exponent(object, "mdev", point->mdev);
        }
        if (point->adev_terms > 0)
            add_exponent(object, "adev", point->adev);
        cJSON_AddItemToArray(points, object);
    }
}

static void add_limit(cJSON *limits, const struct mt_mask_figures *masks, enum mt_mask_limit limit)
{
    if (!masks->has[limit])
        return;
    cJSON *object = cJSON_CreateObject();
    cJSON_AddStringToObject(object, "name", mt_masks_limit_name(limit));
    add_real(object, "figure_ns", masks->figures_ns[limit], 4);
    cJSON *limits_ns = cJSON_AddObjectToObject(object, "limits_ns");
    cJSON *verdicts = cJSON_AddObjectToObject(object, "verdicts");
    for (int i = 0; i < MT_MASK_CLASSES; i++) {
        enum mt_mask_class class_ = (enum mt_mask_class)i;
        enum mt_mask_verdict verdict = mt_masks_judge(masks, class_, limit);
        if (verdict == MT_MASK_NO_LIMIT)
            continue;
        const char *name = mt_masks_class_name(class_);
        add_real(limits_ns, name, mt_masks_limit_ns(class_, limit), 0);
        cJSON_AddStringToObject(verdicts, name, mt_masks_verdict_name(verdict));
    }
    cJSON_AddItemToArray(limits, object);
}

static void add_masks(cJSON *node, const struct mt_mask_figures *masks)
{
    cJSON *object = cJSON_AddObjectToObject(node, "g8273_2");
    add_real(object, "measured_s", masks->measured_s, 4);
    cJSON *classes = cJSON_AddObjectToObject(object, "classes");
    for (int i = 0; i < MT_MASK_CLASSES; i++) {
        enum mt_mask_verdict verdict = mt_masks_judge_class(masks, (enum mt_mask_class)i);
        cJSON_AddStringToObject(classes, mt_masks_class_name((enum mt_mask_class)i),
                                mt_masks_verdict_name(verdict));
    }
    cJSON *limits = cJSON_AddArrayToObject(object, "limits");
    for (int i = 0; i < MT_MASK_LIMITS; i++)
        add_limit(limits, masks, (enum mt_mask_limit)i);
}

static cJSON *json_of(const struct mt_figures_node *node)
{
    cJSON *object = cJSON_CreateObject();
    struct mt_statistics_figures got;
    char text[MT_FIGURES_TEXT_SIZE];
    mt_statistics_get(node->statistics, &got);
    cJSON_AddStringToObject(object, "name", node->name);
    cJSON_AddStringToObject(object, "role", node->role);
    for (size_t i = 0; i < mt_figures_column_count; i++) {
        const char *value = mt_figures_value(&mt_figures_columns[i], &got, text);
        if (value[0] != '\0')
            cJSON_AddRawToObject(object, mt_figures_columns[i].name, value);
    }
    if (node->statistics->has_curves) {
        add_stability(object, &node->statistics->stability);
        if (!node->is_reference)
            add_masks(object, &node->statistics->masks);
    }
    return object;
}

static void add_head(cJSON *root, const struct mt_figures *figures)
{
    const struct mt_statistics_plan *plan = &figures->plan;
    cJSON_AddStringToObject(root, "schema", "meantime-sim-1");
    cJSON_AddStringToObject(root, "title", figures->title);
    add_count(root, "seeds", figures->seeds);
    add_count(root, "first_seed", figures->first_seed);
    add_real(root, "duration_s", figures->duration_s, 4);
    add_real(root, "from_s", (double)plan->from_ns / NS_PER_S, 4);
    add_real(root, "interval_s", (double)plan->interval_ns / NS_PER_S, 9);
    add_real(root, "limit_ns", plan->limit_ns, 4);
    cJSON_AddStringToObject(root, "class", mt_masks_class_name(figures->class_));
}

bool mt_figures_write_json(FILE *out, const struct mt_figures *figures)
{
    cJSON *root = cJSON_CreateObject();
    if (root == NULL)
        return false;
    add_head(root, figures);
    cJSON *nodes = cJSON_AddArrayToObject(root, "nodes");
    for (size_t i = 0; i < figures->count; i++)
        cJSON_AddItemToArray(nodes, json_of(&figures->nodes[i]));
    char *text = cJSON_PrintUnformatted(root);
    cJSON_Delete(root);
    if (text == NULL)
        return false;
    fputs(text, out);
    putc('\n', out);
    cJSON_free(text);
    return true;
}
