/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Results for people.  First the lines are chosen: each node, or each role with its nodes pooled
 * and its worst node below it, and all judged nodes together.  Then each table is written from the
 * same lines: time errors, limits of G.8273.2, and three points of the curves.  What a table does
 * not show well is said in sentences at the end: the largest error, losses, broken bounds.
 */
#include "apps/meantime/sim/figures_private.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define LABEL_WIDTH 28
#define LABEL_LEAST 17  /* "limits of class A" */
#define TABLE_WIDTH 100 /* with all columns */
#define NS_PER_S    1e9
#define NOTES_MOST  5 /* nodes named for one reason */

struct line {
    char label[64];
    const char *role; /* null: is part of the label */
    bool is_reference;
    const struct mt_statistics *statistics;
};

struct lines {
    struct line *lines;
    size_t count;
    struct mt_statistics *pools; /* that some lines point to */
    size_t pool_count;
    bool has_curves;
    size_t name_width; /* 0: there are no roles beside names */
    size_t label_width;
    bool is_narrow; /* the terminal is too small for all columns */
};

/* ---- which lines ----------------------------------------------------------------------------- */

static struct line *add_line(struct lines *self, const struct mt_statistics *statistics,
                             bool is_reference)
{
    struct line *line = &self->lines[self->count++];
    line->statistics = statistics;
    line->is_reference = is_reference;
    line->role = NULL;
    line->label[0] = '\0';
    if (statistics->has_curves)
        self->has_curves = true;
    return line;
}

static void add_nodes(struct lines *self, const struct mt_figures *figures)
{
    size_t name_width = 4;
    size_t role_width = 4;
    for (size_t i = 0; i < figures->count; i++) {
        const struct mt_figures_node *node = &figures->nodes[i];
        struct line *line = add_line(self, node->statistics, node->is_reference);
        snprintf(line->label, sizeof line->label, "%s", node->name);
        line->role = node->role;
        name_width = strlen(node->name) > name_width ? strlen(node->name) : name_width;
        role_width = strlen(node->role) > role_width ? strlen(node->role) : role_width;
    }
    self->name_width = name_width + 1 + role_width <= LABEL_WIDTH ? name_width : 0;
}

static bool is_worse(const struct mt_figures_node *node, const struct mt_figures_node *than)
{
    if (node->is_reference || node->statistics->readings == 0)
        return false;
    return than == NULL || node->statistics->max_ns > than->statistics->max_ns;
}

static struct mt_statistics *new_pool(struct lines *self)
{
    struct mt_statistics *pool = &self->pools[self->pool_count++];
    memset(pool, 0, sizeof *pool);
    return pool;
}

/** A role; nodes[first] is the first of it. */
static void add_role(struct lines *self, const struct mt_figures *figures, size_t first)
{
    const char *role = figures->nodes[first].role;
    const struct mt_figures_node *worst = NULL;
    struct mt_statistics *pool = new_pool(self);
    bool is_reference = true;
    size_t count = 0;
    for (size_t i = first; i < figures->count; i++) {
        const struct mt_figures_node *node = &figures->nodes[i];
        if (strcmp(node->role, role) != 0)
            continue;
        mt_statistics_merge(pool, node->statistics);
        count++;
        is_reference = is_reference && node->is_reference;
        if (is_worse(node, worst))
            worst = node;
    }
    struct line *line = add_line(self, pool, is_reference);
    snprintf(line->label, sizeof line->label, "%.20s, %zu", role, count);
    if (worst == NULL || count == 1)
        return;
    line = add_line(self, worst->statistics, false);
    snprintf(line->label, sizeof line->label, "  worst: %s", worst->name);
}

static bool has_role_before(const struct mt_figures *figures, size_t at)
{
    for (size_t i = 0; i < at; i++) {
        if (strcmp(figures->nodes[i].role, figures->nodes[at].role) == 0)
            return true;
    }
    return false;
}

static void add_roles(struct lines *self, const struct mt_figures *figures)
{
    struct mt_statistics *all = new_pool(self);
    size_t count = 0;
    for (size_t i = 0; i < figures->count; i++) {
        const struct mt_figures_node *node = &figures->nodes[i];
        if (!has_role_before(figures, i))
            add_role(self, figures, i);
        if (node->is_reference)
            continue;
        mt_statistics_merge(all, node->statistics);
        count++;
    }
    struct line *line = add_line(self, all, false);
    snprintf(line->label, sizeof line->label, "all judged, %zu", count);
}

/** Room for a line and a worst node for each role, and one for all. */
static bool choose_lines(struct lines *self, const struct mt_figures *figures, bool all)
{
    memset(self, 0, sizeof *self);
    size_t most = 2 * figures->count + 1;
    self->lines = calloc(most, sizeof *self->lines);
    if (self->lines == NULL)
        return false;
    if (all || figures->count <= MT_FIGURES_NODES_MANY) {
        add_nodes(self, figures);
        return true;
    }
    size_t roles = 1;
    for (size_t i = 0; i < figures->count; i++)
        roles += has_role_before(figures, i) ? 0 : 1;
    self->pools = calloc(roles, sizeof *self->pools);
    if (self->pools == NULL)
        return false;
    add_roles(self, figures);
    return true;
}

static void free_lines(struct lines *self)
{
    for (size_t i = 0; i < self->pool_count; i++)
        mt_statistics_free(&self->pools[i]);
    free(self->pools);
    free(self->lines);
}

/** Labels take no more room than they need. */
static void fit(struct lines *self, size_t width)
{
    self->label_width = LABEL_WIDTH;
    self->is_narrow = width > 0 && width < TABLE_WIDTH;
    if (!self->is_narrow)
        return;
    size_t most = LABEL_LEAST;
    for (size_t i = 0; i < self->count; i++) {
        const struct line *line = &self->lines[i];
        size_t length = strlen(line->label);
        if (self->name_width > 0)
            length = self->name_width + 1 + (line->role != NULL ? strlen(line->role) : 0);
        most = length > most ? length : most;
    }
    self->label_width = most < LABEL_WIDTH ? most : LABEL_WIDTH;
}

/* ---- cells ----------------------------------------------------------------------------------- */

static void write_label(FILE *out, const struct lines *lines, const char *name, const char *role)
{
    if (lines->name_width > 0 && role != NULL)
        fprintf(out, "%-*s %-*s", (int)lines->name_width, name,
                (int)(lines->label_width - 1 - lines->name_width), role);
    else if (strlen(name) > lines->label_width)
        fprintf(out, "%.*s..", (int)lines->label_width - 2, name);
    else
        fprintf(out, "%-*s", (int)lines->label_width, name);
}

static void write_line_label(FILE *out, const struct lines *lines, const struct line *line)
{
    write_label(out, lines, line->label, line->role);
}

static void write_cell(FILE *out, int width, const char *text)
{
    fprintf(out, " %*s", width - 1, text);
}

static void write_time(FILE *out, int width, bool has, double ns)
{
    char text[MT_FIGURES_TEXT_SIZE];
    write_cell(out, width, has ? mt_figures_time(ns, text) : "-");
}

static void write_synchronised(FILE *out, const struct line *line,
                               const struct mt_statistics_figures *figures)
{
    char text[MT_FIGURES_TEXT_SIZE];
    if (line->is_reference)
        snprintf(text, sizeof text, "-");
    else if (figures->has_synchronised && figures->synchronise_max_s > 0)
        mt_figures_time(figures->synchronise_max_s * NS_PER_S, text);
    else if (figures->has_synchronised)
        snprintf(text, sizeof text, "0 s");
    else if (figures->seeds_synchronised == 0)
        snprintf(text, sizeof text, "never");
    else
        snprintf(text, sizeof text, "%" PRIu32 "/%" PRIu32, figures->seeds_synchronised,
                 figures->seeds);
    write_cell(out, 9, text);
}

/** Never "100 %" if there is one outside. */
static void write_inside(FILE *out, const struct mt_statistics_figures *figures)
{
    char digits[MT_FIGURES_TEXT_SIZE];
    char text[MT_FIGURES_TEXT_SIZE];
    double percent = 100 * figures->inside_share;
    if (figures->with_bound == 0)
        snprintf(text, sizeof text, "-");
    else if (figures->outside == 0)
        snprintf(text, sizeof text, "100 %%");
    else if (percent > 99.999)
        snprintf(text, sizeof text, ">99.999 %%");
    else
        snprintf(text, sizeof text, "%.300s %%", mt_figures_decimal(percent, 3, digits));
    write_cell(out, 10, text);
}

/* ---- tables ---------------------------------------------------------------------------------- */

static void write_errors(FILE *out, const struct lines *lines)
{
    int size = lines->is_narrow ? 8 : 9; /* of what has no sign */
    write_label(out, lines, "node", "role");
    fprintf(out, "%9s", "mean");
    if (!lines->is_narrow)
        fprintf(out, "%9s", "std dev");
    fprintf(out, "%*s%*s%*s%9s%10s%8s\n", size, "RMS", size, "p99", size, "max", "in sync",
            "inside", "bound");
    for (size_t i = 0; i < lines->count; i++) {
        const struct line *line = &lines->lines[i];
        struct mt_statistics_figures figures;
        mt_statistics_get(line->statistics, &figures);
        bool has = figures.readings > 0;
        write_line_label(out, lines, line);
        write_time(out, 9, has, figures.mean_ns);
        if (!lines->is_narrow)
            write_time(out, 9, has, figures.deviation_ns);
        write_time(out, size, has, figures.rms_ns);
        write_time(out, size, has, figures.p99_ns);
        write_time(out, size, has, figures.max_ns);
        write_synchronised(out, line, &figures);
        write_inside(out, &figures);
        write_time(out, 8, figures.with_bound > 0, figures.bound_mean_ns);
        putc('\n', out);
    }
}

/** Most classes have no limit for it. */
static bool shows_limit(const struct lines *lines, int limit)
{
    return !lines->is_narrow || limit != MT_MASK_MAX_TE_L;
}

static void write_limits(FILE *out, const struct lines *lines, enum mt_mask_class class_)
{
    char name[64];
    snprintf(name, sizeof name, "limits of class %s", mt_masks_class_name(class_));
    write_label(out, lines, name, NULL);
    for (int i = 0; i < MT_MASK_LIMITS; i++) {
        double limit_ns = mt_masks_limit_ns(class_, (enum mt_mask_limit)i);
        if (!shows_limit(lines, i))
            continue;
        if (i > 0)
            putc(' ', out);
        write_time(out, 10, limit_ns > 0, limit_ns);
    }
    putc('\n', out);
}

static void write_mask_line(FILE *out, const struct lines *lines,
                            const struct mt_mask_figures *masks, enum mt_mask_class class_)
{
    for (int i = 0; i < MT_MASK_LIMITS; i++) {
        enum mt_mask_limit limit = (enum mt_mask_limit)i;
        if (!shows_limit(lines, i))
            continue;
        write_time(out, 10, masks->has[i], masks->figures_ns[i]);
        putc(mt_masks_judge(masks, class_, limit) == MT_MASK_FAIL ? '!' : ' ', out);
    }
    bool is_any = false;
    putc(' ', out);
    for (int i = 0; i < MT_MASK_CLASSES; i++) {
        if (mt_masks_judge_class(masks, (enum mt_mask_class)i) != MT_MASK_PASS)
            continue;
        fputs(mt_masks_class_name((enum mt_mask_class)i), out);
        is_any = true;
    }
    fputs(is_any ? "\n" : "-\n", out);
}

static void write_masks(FILE *out, const struct lines *lines, enum mt_mask_class class_)
{
    fputs("\nITU-T G.8273.2, noise generation; ! fails; L, H: below and above 0.1 Hz\n", out);
    write_label(out, lines, "node", "role");
    fprintf(out, "%10s", "max|TE|");
    if (shows_limit(lines, MT_MASK_MAX_TE_L))
        fprintf(out, "%11s", "max|TE_L|");
    fprintf(out, "%11s%11s%11s%11s%5s\n", "cTE", "dTE_L MTIE", "dTE_L TDEV", "dTE_H", "met");
    write_limits(out, lines, class_);
    for (size_t i = 0; i < lines->count; i++) {
        const struct line *line = &lines->lines[i];
        if (line->is_reference || !line->statistics->has_curves)
            continue;
        write_line_label(out, lines, line);
        write_mask_line(out, lines, &line->statistics->masks, class_);
    }
}

#define TAUS 3
/** On a small terminal the one in the middle is left out. */
static bool shows_tau(const struct lines *lines, size_t tau)
{
    return !lines->is_narrow || tau != 1;
}

/** Points of a curve near 1, 30 and 1000 s. */
static void choose_taus(const struct mt_stability *curve, uint32_t ret_points[TAUS])
{
    static const double wanted_s[TAUS] = {1, 30, 1000};
    for (size_t k = 0; k < TAUS; k++) {
        ret_points[k] = 0;
        for (uint32_t i = 0; i < curve->count; i++) {
            if (curve->points[i].tau_s <= wanted_s[k] * 1.1)
                ret_points[k] = i;
        }
    }
}

static void write_curve_head(FILE *out, const struct lines *lines,
                             const struct mt_stability *longest, const uint32_t points[TAUS])
{
    static const char *const names[] = {"MTIE", "TDEV", "ADEV"};
    fputs("\nStability of the time error, at averaging times tau\n", out);
    write_label(out, lines, "node", "role");
    for (size_t name = 0; name < 3; name++)
        fprintf(out, "%*s", name == 0 ? 8 : lines->is_narrow ? 16 : 24, names[name]);
    putc('\n', out);
    write_label(out, lines, "tau", NULL);
    for (size_t name = 0; name < 3; name++) {
        for (size_t k = 0; k < TAUS; k++) {
            if (shows_tau(lines, k))
                write_time(out, 8, true, longest->points[points[k]].tau_s * NS_PER_S);
        }
    }
    putc('\n', out);
}

static void write_adev(FILE *out, const struct mt_stability_point *point)
{
    char text[MT_FIGURES_TEXT_SIZE] = "-";
    if (point->adev_terms > 0)
        snprintf(text, sizeof text, "%.1e", point->adev);
    write_cell(out, 8, text);
}

static void write_curves(FILE *out, const struct lines *lines)
{
    const struct mt_stability *longest = NULL;
    for (size_t i = 0; i < lines->count; i++) {
        const struct mt_statistics *statistics = lines->lines[i].statistics;
        if (statistics->has_curves &&
            (longest == NULL || statistics->stability.count > longest->count))
            longest = &statistics->stability;
    }
    uint32_t points[TAUS];
    choose_taus(longest, points);
    write_curve_head(out, lines, longest, points);
    for (size_t i = 0; i < lines->count; i++) {
        const struct mt_stability *curve = &lines->lines[i].statistics->stability;
        if (!lines->lines[i].statistics->has_curves)
            continue;
        write_line_label(out, lines, &lines->lines[i]);
        for (size_t k = 0; k < TAUS; k++) {
            if (shows_tau(lines, k))
                write_time(out, 8, points[k] < curve->count, curve->points[points[k]].mtie_ns);
        }
        for (size_t k = 0; k < TAUS; k++) {
            if (shows_tau(lines, k))
                write_time(out, 8, curve->points[points[k]].tdev_terms > 0,
                           curve->points[points[k]].tdev_ns);
        }
        for (size_t k = 0; k < TAUS; k++) {
            if (shows_tau(lines, k))
                write_adev(out, &curve->points[points[k]]);
        }
        putc('\n', out);
    }
}

/* ---- sentences ------------------------------------------------------------------------------- */

enum reason { NEVER, LOSSES, OUTSIDE, UNJUDGED, MEMORY };
#define REASONS 5

static bool is_so(enum reason reason, const struct mt_figures_node *node,
                  const struct mt_statistics_figures *figures)
{
    switch (reason) {
    case NEVER:
        return !node->is_reference && !figures->has_synchronised;
    case LOSSES:
        return !node->is_reference && figures->losses > 0;
    case OUTSIDE:
        return figures->outside > 0;
    case UNJUDGED: /* without any, the table has no share either */
        return !node->is_reference && figures->with_bound > 0 &&
               figures->with_bound < figures->instants;
    case MEMORY:
        return node->statistics->is_short_memory;
    }
    return false;
}

static void say(FILE *out, enum reason reason, const char *name,
                const struct mt_statistics_figures *figures)
{
    char text[MT_FIGURES_TEXT_SIZE];
    switch (reason) {
    case NEVER:
        fprintf(out, "%s synchronised in %" PRIu32 " of %" PRIu32 " seeds.\n", name,
                figures->seeds_synchronised, figures->seeds);
        break;
    case LOSSES:
        fprintf(out, "%s lost synchronisation %" PRIu64 " %s, for %s at most.\n", name,
                figures->losses, figures->losses == 1 ? "time" : "times",
                mt_figures_time(figures->lost_max_s * NS_PER_S, text));
        break;
    case OUTSIDE:
        fprintf(out, "%s was outside its bound in %" PRIu64 " of %" PRIu64 " readings.\n", name,
                figures->outside, figures->with_bound);
        break;
    case UNJUDGED:
        fprintf(out,
                "%s: %" PRIu64 " of %" PRIu64
                " readings judged; in the others no time, or no bound against true time.\n",
                name, figures->with_bound, figures->instants);
        break;
    case MEMORY:
        fprintf(out, "%s: memory ran short, its figures are not complete.\n", name);
        break;
    }
}

static void write_reason(FILE *out, const struct mt_figures *figures, enum reason reason)
{
    size_t count = 0;
    for (size_t i = 0; i < figures->count; i++) {
        struct mt_statistics_figures got;
        mt_statistics_get(figures->nodes[i].statistics, &got);
        if (!is_so(reason, &figures->nodes[i], &got))
            continue;
        if (count++ < NOTES_MOST)
            say(out, reason, figures->nodes[i].name, &got);
    }
    if (count > NOTES_MOST)
        fprintf(out, "The same of %zu more.\n", count - NOTES_MOST);
}

/** "100 %" inside says little of readings that have no bound. */
static void write_judged(FILE *out, const struct mt_figures *figures)
{
    uint64_t judged = 0;
    uint64_t instants = 0;
    size_t count = figures->machines > 0 ? figures->machines : figures->count;
    for (size_t i = 0; i < count; i++) {
        struct mt_statistics_figures got;
        if (figures->nodes[i].is_reference)
            continue;
        mt_statistics_get(figures->nodes[i].statistics, &got);
        judged += got.with_bound;
        instants += got.instants;
    }
    if (judged == instants)
        fprintf(out, "Judged by their bounds: all %" PRIu64 " readings.\n", instants);
    else
        fprintf(out, "Judged by their bounds: %" PRIu64 " of %" PRIu64 " readings.\n", judged,
                instants);
}

static void write_notes(FILE *out, const struct mt_figures *figures)
{
    const struct mt_figures_node *worst = NULL;
    for (size_t i = 0; i < figures->count; i++) {
        if (is_worse(&figures->nodes[i], worst))
            worst = &figures->nodes[i];
    }
    putc('\n', out);
    if (worst != NULL) {
        char text[MT_FIGURES_TEXT_SIZE];
        struct mt_statistics_figures got;
        mt_statistics_get(worst->statistics, &got);
        fprintf(out, "Largest error: %s, %s at %.10g s of seed %" PRIu64 ".\n", worst->name,
                mt_figures_time(got.max_ns, text), got.max_at_s, got.max_seed);
    }
    write_judged(out, figures);
    for (int reason = 0; reason < REASONS; reason++)
        write_reason(out, figures, (enum reason)reason);
}

static void write_head(FILE *out, const struct mt_figures *figures)
{
    const struct mt_statistics_plan *plan = &figures->plan;
    char text[MT_FIGURES_TEXT_SIZE];
    fprintf(out, "%s\n", figures->title);
    size_t machines = figures->machines > 0 ? figures->machines : figures->count;
    fprintf(out, "%zu %s, ", machines, machines == 1 ? "node" : "nodes");
    if (figures->seeds == 1)
        fprintf(out, "seed %" PRIu64, figures->first_seed);
    else
        fprintf(out, "seeds %" PRIu64 " to %" PRIu64, figures->first_seed,
                figures->first_seed + figures->seeds - 1);
    fprintf(out, ", %.10g s; figures since %.10g s, a reading every %.10g s.\n",
            figures->duration_s, (double)plan->from_ns / NS_PER_S,
            (double)plan->interval_ns / NS_PER_S);
    int64_t hold_ns = plan->hold_ns == 0 ? MT_STATISTICS_HOLD_NS : plan->hold_ns;
    fprintf(out, "In sync: |error| <= %s for %.10g s, slowest seed.\n",
            mt_figures_time(plan->limit_ns, text), (double)hold_ns / NS_PER_S);
    fputs("Inside: of the readings that have a bound, those inside it.\n\n", out);
}

void mt_figures_write_table(FILE *out, const struct mt_figures *figures, bool all)
{
    struct lines lines;
    write_head(out, figures);
    if (choose_lines(&lines, figures, all)) {
        fit(&lines, figures->width);
        write_errors(out, &lines);
        if (lines.has_curves) {
            write_masks(out, &lines, figures->class_);
            write_curves(out, &lines);
        }
    } else {
        fputs("There is no memory for the table.\n", out);
    }
    free_lines(&lines);
    write_notes(out, figures);
}
