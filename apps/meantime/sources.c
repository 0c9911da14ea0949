/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * meantime sources and meantime why: what the arbiter makes of the sources of each clock, as a
 * table, and as sentences with a plot of the intervals that it compared. */
#include <poll.h>
#include <stdlib.h>

#include "apps/meantime/client.h"
#include "apps/meantime/render_private.h"
#include "apps/meantime/tool.h"

#define NAME_MOST   24
#define PLOT        41 /* columns; odd, so that there is a middle */
#define PLOT_NARROW 31
#define NARROW      120 /* columns of a terminal: below, reasons have lines of their own */

struct order {
    const struct mt_tool *tool;
    const char *clock; /* null: all */
    bool as_json;
    bool is_watch;
    double interval_s;
    double count; /* 0: no end */
};

static bool is_asked_for(const struct order *order, const char *clock)
{
    return order->clock == NULL || strcmp(order->clock, clock) == 0;
}

/* ---- the table ---------------------------------------------------------------------------- */

static void add_source(struct mt_table *table, const cJSON *list, const cJSON *source)
{
    struct mt_table_row *row = mt_table_add(table);
    const char *verdict = text_of(source, "verdict");
    if (row == NULL) {
        return;
    }
    row->style = mt_verdict_style(verdict);
    mt_source_name(list, source, row->cell[0], MT_TABLE_CELL_SIZE);
    snprintf(row->cell[1], MT_TABLE_CELL_SIZE, "%s", verdict);
    snprintf(row->cell[2], MT_TABLE_CELL_SIZE, "%s%s", text_of(source, "kind"),
             strncmp(text_of(source, "transport"), "ptp", 3) == 0 ? " in PTP" : "");
    mt_put_time(row->cell[3], number_of(source, "offset_ns"), true);
    mt_put_time(row->cell[4], number_of(source, "bound_ns"), false);
    mt_put_time(row->cell[5], number_of(source, "delay_ns"), false);
    mt_put_time(row->cell[6], number_of(source, "interval_s") * 1e9, false);
    snprintf(row->cell[7], MT_TABLE_CELL_SIZE, "-");
    if (!isnan(number_of(source, "reach"))) {
        snprintf(row->cell[7], MT_TABLE_CELL_SIZE, "%o", code_of(source, "reach"));
    }
    snprintf(row->cell[8], MT_TABLE_CELL_SIZE, "%u", code_of(source, "rank"));
    snprintf(row->cell[9], MT_TABLE_CELL_SIZE, "%.0f%%", 100 * number_of(source, "weight"));
}

static void say_clock(struct mt_text *out, const char *clock, const cJSON *report)
{
    static const struct mt_column columns[] = {
        {"source", false, 0}, {"state", false, 0}, {"kind", false, 2},    {"offset", true, 0},
        {"bound", true, 0},   {"delay", true, 4},  {"interval", true, 5}, {"rch", true, 3},
        {"rank", true, 6},    {"share", true, 0},
    };
    struct mt_table table = {.columns = columns, .count = sizeof columns / sizeof columns[0]};
    const cJSON *source;
    cJSON_ArrayForEach(source, member(report, "sources"))
    {
        if (strcmp(text_of(source, "clock"), clock) == 0) {
            add_source(&table, member(report, "sources"), source);
        }
    }
    mt_text_say(out, MT_BOLD "clock %s" MT_PLAIN "\n", clock);
    mt_table_say(&table, out, 2, mt_tool_width());
    cJSON_ArrayForEach(source, member(report, "sources"))
    {
        if (strcmp(text_of(source, "clock"), clock) == 0) {
            mt_render_fault(out, 2, member(report, "sources"), source);
        }
    }
    mt_text_wrap(out, mt_tool_width(), 4);
}

/* Appends what was said, in lines that fit. */
static void append_wrapped(struct mt_text *out, struct mt_text *said)
{
    mt_text_wrap(said, mt_tool_width(), 4);
    mt_text_say(out, "%s", said->bytes != NULL ? said->bytes : "");
    mt_text_free(said);
}

static bool has_instance(const cJSON *report, const char *clock)
{
    const cJSON *instance;
    cJSON_ArrayForEach(instance, member(report, "instances"))
    {
        if (strcmp(text_of(instance, "clock"), clock) == 0) {
            return true;
        }
    }
    return false;
}

/* Of a clock that nobody judges the sources of. */
static void say_what_it_follows(struct mt_text *out, const cJSON *clock, const cJSON *report)
{
    const char *name = text_of(clock, "name");
    mt_text_say(out, MT_BOLD "clock %s" MT_PLAIN ": it has ", name);
    if (cJSON_IsString(member(clock, "follow"))) {
        mt_text_say(out, "no sources to choose from and follows clock %s\n",
                    text_of(clock, "follow"));
    } else if (has_instance(report, name)) {
        mt_text_say(out, "no sources to choose from and follows what its PTP instance follows "
                         "(arbiter = always has that judged, too)\n");
    } else {
        mt_text_say(out, "nothing in the file that it could follow%s\n",
                    cJSON_GetArraySize(member(report, "clocks")) == 1
                        ? ""
                        : " but another clock (key follow)");
    }
}

static bool has_sources(const cJSON *report, const char *clock)
{
    const cJSON *source;
    cJSON_ArrayForEach(source, member(report, "sources"))
    {
        if (strcmp(text_of(source, "clock"), clock) == 0) {
            return true;
        }
    }
    return false;
}

static void say_table(struct mt_text *out, const struct order *order, const cJSON *report)
{
    const cJSON *clock;
    cJSON_ArrayForEach(clock, member(report, "clocks"))
    {
        const char *name = text_of(clock, "name");
        if (!is_asked_for(order, name)) {
            continue;
        }
        if (has_sources(report, name)) {
            say_clock(out, name, report);
        } else {
            struct mt_text said = {0};
            say_what_it_follows(&said, clock, report);
            append_wrapped(out, &said);
        }
    }
}

/* ---- why ---------------------------------------------------------------------------------- */

struct plot {
    double low; /* ns, of its first and last column */
    double high;
    int columns;
    size_t name_width;
    bool is_narrow;
};

/* The interval of the majority in the middle third, or else what there is. */
static struct plot plot_of(const cJSON *clock, const cJSON *sources)
{
    const cJSON *source;
    struct plot plot = {.low = number_of(clock, "arbiter.low_ns"),
                        .high = number_of(clock, "arbiter.high_ns"),
                        .is_narrow = mt_tool_width() < NARROW};
    bool has_interval = !isnan(plot.low);
    cJSON_ArrayForEach(source, sources)
    {
        double offset = number_of(source, "offset_ns");
        double bound = number_of(source, "bound_ns");
        char name[MT_TABLE_CELL_SIZE];
        if (strcmp(text_of(source, "clock"), text_of(clock, "name")) != 0) {
            continue;
        }
        mt_source_name(sources, source, name, sizeof name);
        size_t length = strlen(name) < NAME_MOST ? strlen(name) : NAME_MOST;
        plot.name_width = length > plot.name_width ? length : plot.name_width;
        if (has_interval || isnan(offset)) {
            continue;
        }
        plot.low = isnan(plot.low) || offset - bound < plot.low ? offset - bound : plot.low;
        plot.high = isnan(plot.high) || offset + bound > plot.high ? offset + bound : plot.high;
    }
    double width = plot.high - plot.low;
    plot.columns = plot.is_narrow ? PLOT_NARROW : PLOT;
    plot.low -= width;
    plot.high += width;
    return plot;
}

static int column_of(const struct plot *plot, double ns)
{
    double at = (ns - plot->low) / (plot->high - plot->low) * (plot->columns - 1);
    return at < -1 ? -1 : at > plot->columns ? plot->columns : (int)lround(at);
}

static void say_interval(struct mt_text *out, const struct plot *plot, const cJSON *source)
{
    char line[PLOT + 1];
    double offset = number_of(source, "offset_ns");
    double bound = number_of(source, "bound_ns");
    memset(line, ' ', (size_t)plot->columns);
    line[plot->columns] = '\0';
    if (!isnan(offset)) {
        int first = column_of(plot, offset - bound);
        int last = column_of(plot, offset + bound);
        int at = column_of(plot, offset);
        for (int i = first < 0 ? 0 : first; i <= last && i < plot->columns; i++) {
            line[i] = i == first ? '[' : i == last ? ']' : '-';
        }
        if (at >= 0 && at < plot->columns) {
            line[at] = '*';
        } else {
            line[at < 0 ? 0 : plot->columns - 1] = at < 0 ? '<' : '>';
        }
    }
    mt_text_say(out, "  |%s|", line);
}

static void say_reason(struct mt_text *out, const cJSON *source)
{
    char figure[MT_FIGURE_SIZE];
    double miss = number_of(source, "miss_ns");
    const char *reference = text_of(source, "bound_reference");
    mt_text_say(out, "%s", text_of(source, "reason"));
    if (!isnan(miss)) {
        mt_text_say(out, "; it is %s by at least %s", miss > 0 ? "behind" : "ahead",
                    mt_figure_time(fabs(miss), false, figure));
    }
    if (strcmp(reference, "source") == 0 || strcmp(reference, "parent") == 0) {
        mt_text_say(out, "; %s",
                    strcmp(text_of(source, "kind"), "ntp") == 0
                        ? "it follows nothing itself, but serves its own clock"
                        : "it does not say how wrong its own time is");
    }
    if (strcmp(text_of(source, "verdict"), "unreachable") != 0 && mt_source_fault(source) != NULL) {
        mt_text_say(out, "; %s", mt_source_fault(source));
    }
    mt_text_say(out, "\n");
}

/* A wide terminal has the reason beside the plot, others below it. */
static void explain_source(struct mt_text *out, const struct plot *plot, const cJSON *list,
                           const cJSON *source)
{
    char name[MT_TABLE_CELL_SIZE];
    struct mt_text block = {0};
    const char *verdict = text_of(source, "verdict");
    mt_source_name(list, source, name, sizeof name);
    bool is_long = strlen(name) > plot->name_width;
    if (is_long) {
        mt_text_say(out, "  %s\n", name);
    }
    mt_text_say(&block, "  %-*s", (int)plot->name_width, is_long ? "" : name);
    say_interval(&block, plot, source);
    mt_text_say(&block, "  %s%s" MT_PLAIN "%s", mt_verdict_style(verdict), verdict,
                plot->is_narrow ? "\n        " : ": ");
    say_reason(&block, source);
    size_t beside = 2 + plot->name_width + 2 + (size_t)plot->columns + 2 + 4;
    mt_text_wrap(&block, mt_tool_width(), plot->is_narrow ? 8 : beside);
    mt_text_say(out, "%s", block.bytes != NULL ? block.bytes : "");
    mt_text_free(&block);
}

/* In words, as meantime status has it. */
static const char *state_of(const cJSON *clock)
{
    const char *state = text_of(clock, "state");
    return strcmp(state, "free_run") == 0   ? "free running"
           : strcmp(state, "holdover") == 0 ? "in holdover"
                                            : state;
}

static void say_steering(struct mt_text *out, const cJSON *clock, const cJSON *sources)
{
    const cJSON *source;
    bool is_steered = false;
    char figure[2][MT_FIGURE_SIZE];
    cJSON_ArrayForEach(source, sources)
    {
        char name[100];
        double share = 100 * number_of(source, "weight");
        if (strcmp(text_of(source, "clock"), text_of(clock, "name")) != 0 || !(share > 0)) {
            continue;
        }
        mt_source_name(sources, source, name, sizeof name);
        mt_text_say(out, "%s%s (%.0f%%)", is_steered ? ", " : "  the time is that of ", name,
                    share);
        is_steered = true;
    }
    if (sources == NULL) {
        mt_text_say(out, "  the clock is %s\n", state_of(clock));
    } else if (!is_steered) {
        mt_text_say(out, MT_BAD "  nobody is followed" MT_PLAIN "; the clock is %s\n",
                    state_of(clock));
    } else {
        mt_text_say(out, "; the clock is %s, at %s, and the published time is within %s\n",
                    state_of(clock), mt_figure_time(number_of(clock, "offset_ns"), true, figure[0]),
                    mt_figure_time(number_of(clock, "bound_ns"), false, figure[1]));
    }
    if (is_true(clock, "panic")) {
        mt_text_say(out, MT_BAD "  the clock is left as it is" MT_PLAIN
                                ": it is off by more than panic allows to be stepped; if its "
                                "source is right, restart the daemon\n");
    }
}

static void say_agreement(struct mt_text *out, const cJSON *clock)
{
    char figure[2][MT_FIGURE_SIZE];
    double voters = number_of(clock, "arbiter.voters");
    double low = number_of(clock, "arbiter.low_ns");
    mt_text_say(out, MT_BOLD "clock %s" MT_PLAIN ": ", text_of(clock, "name"));
    if (voters > 0) {
        mt_text_say(out, "%.0f of %.0f %s that could be asked %s",
                    number_of(clock, "arbiter.agreeing"), voters,
                    voters == 1 ? "source" : "sources", voters == 1 ? "agrees" : "agree");
    }
    if (voters == 0) {
        mt_text_say(out, "no source could be asked\n");
    } else if (isnan(low)) {
        mt_text_say(out, ", which is no majority\n");
    } else {
        mt_text_say(out, "; if most are right, it is off by %s to %s\n",
                    mt_figure_time(low, true, figure[0]),
                    mt_figure_time(number_of(clock, "arbiter.high_ns"), true, figure[1]));
    }
}

static void explain_clock(struct mt_text *out, const cJSON *clock, const cJSON *sources)
{
    const cJSON *source;
    struct mt_text said = {0};
    const struct plot plot = plot_of(clock, sources);
    say_agreement(&said, clock);
    append_wrapped(out, &said);
    cJSON_ArrayForEach(source, sources)
    {
        if (strcmp(text_of(source, "clock"), text_of(clock, "name")) == 0) {
            explain_source(out, &plot, sources, source);
        }
    }
    say_steering(&said, clock, sources);
    append_wrapped(out, &said);
}

static void say_reasons(struct mt_text *out, const struct order *order, const cJSON *report)
{
    const cJSON *clock;
    cJSON_ArrayForEach(clock, member(report, "clocks"))
    {
        if (!is_asked_for(order, text_of(clock, "name"))) {
            continue;
        }
        if (isnan(number_of(clock, "arbiter.voters"))) {
            struct mt_text said = {0};
            say_what_it_follows(&said, clock, report);
            mt_why_ptp(&said, clock, report);
            say_steering(&said, clock, NULL);
            append_wrapped(out, &said);
        } else {
            explain_clock(out, clock, member(report, "sources"));
        }
    }
}

/* ---- for programs ------------------------------------------------------------------------- */

static void print_json(const struct order *order, const cJSON *report, bool with_clocks)
{
    static const char *const parts[] = {"sources", "clocks"};
    cJSON *root = cJSON_CreateObject();
    for (unsigned i = 0; i < (with_clocks ? 2 : 1); i++) {
        const cJSON *object;
        cJSON *array = cJSON_AddArrayToObject(root, parts[i]);
        cJSON_ArrayForEach(object, member(report, parts[i]))
        {
            if (is_asked_for(order, text_of(object, i == 0 ? "clock" : "name"))) {
                cJSON_AddItemToArray(array, cJSON_Duplicate(object, true));
            }
        }
    }
    char *text = order->is_watch ? cJSON_PrintUnformatted(root) : cJSON_Print(root);
    puts(text != NULL ? text : "{}");
    free(text);
    cJSON_Delete(root);
}

/* ---- commands ----------------------------------------------------------------------------- */

typedef void say(struct mt_text *out, const struct order *order, const cJSON *report);

static bool has_clock(const cJSON *report, const char *name)
{
    const cJSON *clock;
    cJSON_ArrayForEach(clock, member(report, "clocks"))
    {
        if (name == NULL || strcmp(text_of(clock, "name"), name) == 0) {
            return true;
        }
    }
    return false;
}

static enum mt_exit tell_once(const struct order *order, say *say_it, bool with_clocks)
{
    char reason[MT_CLIENT_REASON_SIZE];
    cJSON *reply = mt_client_ask(order->tool, "{\"command\":\"status\"}", reason);
    const cJSON *report = cJSON_GetObjectItemCaseSensitive(reply, "status");
    if (reply == NULL) {
        return mt_tool_fail("%s", reason);
    }
    if (!has_clock(report, order->clock)) {
        cJSON_Delete(reply);
        return mt_tool_fail("%s: the daemon has no such clock", order->clock);
    }
    if (order->as_json) {
        print_json(order, report, with_clocks);
    } else {
        struct mt_text text = {0};
        say_it(&text, order, report);
        mt_text_print(&text, stdout, order->tool->in_colour);
        mt_text_free(&text);
    }
    cJSON_Delete(reply);
    return MT_EXIT_GOOD;
}

static enum mt_exit take_argument(struct order *order, int count, char **arguments, int *at)
{
    const char *value;
    if (strcmp(arguments[*at], "--json") == 0) {
        order->as_json = true;
    } else if (strcmp(arguments[*at], "--watch") == 0) {
        order->is_watch = true;
    } else if ((value = mt_tool_option("--interval", count, arguments, at)) != NULL) {
        if (!mt_tool_number(value, 0.05, 3600, &order->interval_s)) {
            return mt_tool_misuse("--interval: expected seconds from 0.05 to 3600");
        }
    } else if ((value = mt_tool_option("--count", count, arguments, at)) != NULL) {
        if (!mt_tool_number(value, 1, 1e9, &order->count)) {
            return mt_tool_misuse("--count: expected a number of at least 1");
        }
    } else if (arguments[*at][0] == '-' || order->clock != NULL) {
        return mt_tool_misuse("unexpected %s", arguments[*at]);
    } else {
        order->clock = arguments[*at];
    }
    return MT_EXIT_GOOD;
}

static enum mt_exit tell(const struct mt_tool *tool, int count, char **arguments, say *say_it,
                         bool with_clocks)
{
    struct order order = {.tool = tool, .interval_s = 1};
    enum mt_exit status = MT_EXIT_GOOD;
    for (int i = 0; i < count && status == MT_EXIT_GOOD; i++) {
        status = take_argument(&order, count, arguments, &i);
    }
    for (double n = 1; status == MT_EXIT_GOOD; n++) {
        status = tell_once(&order, say_it, with_clocks);
        if (!order.is_watch || n == order.count || fflush(stdout) != 0) {
            break;
        }
        poll(NULL, 0, (int)(order.interval_s * 1000));
    }
    return status;
}

enum mt_exit mt_tool_sources(const struct mt_tool *tool, int count, char **arguments)
{
    return tell(tool, count, arguments, say_table, false);
}

enum mt_exit mt_tool_why(const struct mt_tool *tool, int count, char **arguments)
{
    return tell(tool, count, arguments, say_reasons, true);
}
