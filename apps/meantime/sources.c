/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * meantime sources and meantime why: what the arbiter makes of the sources of each clock, as a
 * table, and as sentences with a plot of the intervals that it compared. */
#include <poll.h>
#include <stdlib.h>

#include "apps/meantime/client.h"
#include "apps/meantime/render_private.h"
#include "apps/meantime/tool.h"

#define NAME_MOST 24
#define PLOT      41 /* columns; odd, so that there is a middle */

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

static const char *style_of(const char *verdict)
{
    bool is_chosen = strcmp(verdict, "selected") == 0 || strcmp(verdict, "combined") == 0;
    bool is_bad = strcmp(verdict, "falseticker") == 0 || strcmp(verdict, "no_majority") == 0;
    return is_chosen ? MT_GOOD : is_bad ? MT_BAD : MT_PLAIN;
}

/* "time.example.org", with the address behind it for a member of a pool */
static void name_text(const cJSON *source, char *buffer, size_t size)
{
    const char *address = cJSON_GetStringValue(member(source, "address"));
    bool is_plain = address == NULL || strcmp(address, text_of(source, "name")) == 0;
    snprintf(buffer, size, "%s%s%s", text_of(source, "name"), is_plain ? "" : " ",
             is_plain ? "" : address);
}

/* ---- the table ---------------------------------------------------------------------------- */

static void say_source(struct mt_text *out, const cJSON *source)
{
    char name[100];
    char figure[4][MT_FIGURE_SIZE];
    char reach[8] = "-";
    const char *verdict = text_of(source, "verdict");
    double interval_s = number_of(source, "interval_s");
    name_text(source, name, sizeof name);
    if (!isnan(number_of(source, "reach"))) {
        snprintf(reach, sizeof reach, "%o", code_of(source, "reach"));
    }
    mt_text_say(out, "%-*.*s  %-8s  %s%-16s" MT_PLAIN, NAME_MOST, NAME_MOST, name,
                text_of(source, "kind"), style_of(verdict), verdict);
    mt_text_say(out, "  %12s  %12s  %12s  %9s  %3s  %4u  %4.0f%%\n",
                mt_figure_time(number_of(source, "offset_ns"), true, figure[0]),
                mt_figure_time(number_of(source, "bound_ns"), false, figure[1]),
                mt_figure_time(number_of(source, "delay_ns"), false, figure[2]),
                isnan(interval_s) ? "-" : mt_figure_time(interval_s * 1e9, false, figure[3]), reach,
                code_of(source, "rank"), 100 * number_of(source, "weight"));
}

/* Only of those that tell nothing: who answers has had his faults. */
static void say_fault(struct mt_text *out, const cJSON *source)
{
    if (isnan(number_of(source, "offset_ns")) && cJSON_IsString(member(source, "fault_reason"))) {
        mt_text_say(out, "    " MT_WARN "%s" MT_PLAIN "\n", text_of(source, "fault_reason"));
    }
}

static void say_table(struct mt_text *out, const struct order *order, const cJSON *report)
{
    const cJSON *source;
    const char *clock = "";
    cJSON_ArrayForEach(source, member(report, "sources"))
    {
        if (!is_asked_for(order, text_of(source, "clock"))) {
            continue;
        }
        if (strcmp(clock, text_of(source, "clock")) != 0) {
            clock = text_of(source, "clock");
            mt_text_say(out, MT_BOLD "clock %s" MT_PLAIN "\n", clock);
            mt_text_say(out,
                        MT_FAINT "%-*s  %-8s  %-16s  %12s  %12s  %12s  %9s  %3s  %4s  %5s" MT_PLAIN
                                 "\n",
                        NAME_MOST, "source", "kind", "verdict", "offset", "bound", "delay",
                        "interval", "rch", "rank", "share");
        }
        say_source(out, source);
        say_fault(out, source);
    }
    if (clock[0] == '\0') {
        mt_text_say(out, "no clock has sources to choose from: each follows what its PTP instance "
                         "follows (arbiter = always has that judged, too)\n");
    }
}

/* ---- why ---------------------------------------------------------------------------------- */

struct plot {
    double low; /* ns, of its first and last column */
    double high;
};

/* The interval of the majority in the middle third, or else what there is. */
static struct plot plot_of(const cJSON *clock, const cJSON *sources)
{
    const cJSON *source;
    struct plot plot = {number_of(clock, "arbiter.low_ns"), number_of(clock, "arbiter.high_ns")};
    bool has_interval = !isnan(plot.low);
    cJSON_ArrayForEach(source, sources)
    {
        double offset = number_of(source, "offset_ns");
        double bound = number_of(source, "bound_ns");
        if (has_interval || isnan(offset) ||
            strcmp(text_of(source, "clock"), text_of(clock, "name")) != 0) {
            continue;
        }
        plot.low = isnan(plot.low) || offset - bound < plot.low ? offset - bound : plot.low;
        plot.high = isnan(plot.high) || offset + bound > plot.high ? offset + bound : plot.high;
    }
    double width = plot.high - plot.low;
    return (struct plot){plot.low - width, plot.high + width};
}

static int column_of(const struct plot *plot, double ns)
{
    double at = (ns - plot->low) / (plot->high - plot->low) * (PLOT - 1);
    return at < -1 ? -1 : at > PLOT ? PLOT : (int)lround(at);
}

static void say_interval(struct mt_text *out, const struct plot *plot, const cJSON *source)
{
    char line[PLOT + 1];
    double offset = number_of(source, "offset_ns");
    double bound = number_of(source, "bound_ns");
    int first = column_of(plot, offset - bound);
    int last = column_of(plot, offset + bound);
    memset(line, ' ', PLOT);
    line[PLOT] = '\0';
    for (int i = first < 0 ? 0 : first; i <= last && i < PLOT; i++) {
        line[i] = i == first ? '[' : i == last ? ']' : '-';
    }
    int at = column_of(plot, offset);
    if (at >= 0 && at < PLOT) {
        line[at] = '*';
    } else {
        line[at < 0 ? 0 : PLOT - 1] = at < 0 ? '<' : '>';
    }
    mt_text_say(out, "  |%s|", line);
}

static void explain_source(struct mt_text *out, const struct plot *plot, const cJSON *source)
{
    char name[100];
    char figure[MT_FIGURE_SIZE];
    const char *verdict = text_of(source, "verdict");
    double miss = number_of(source, "miss_ns");
    name_text(source, name, sizeof name);
    mt_text_say(out, "  %-*.*s", NAME_MOST, NAME_MOST, name);
    if (isnan(number_of(source, "offset_ns"))) {
        mt_text_say(out, "  |%*s|", PLOT, "");
    } else {
        say_interval(out, plot, source);
    }
    mt_text_say(out, "  %s%s" MT_PLAIN ": %s", style_of(verdict), verdict,
                text_of(source, "reason"));
    if (!isnan(miss)) {
        mt_text_say(out, "; it is %s by at least %s", miss > 0 ? "behind" : "ahead",
                    mt_figure_time(fabs(miss), false, figure));
    }
    if (strcmp(text_of(source, "bound_reference"), "source") == 0 ||
        strcmp(text_of(source, "bound_reference"), "parent") == 0) {
        mt_text_say(out, "; it does not say how wrong its own time is");
    }
    if (isnan(number_of(source, "offset_ns")) && cJSON_IsString(member(source, "fault_reason"))) {
        mt_text_say(out, "; %s", text_of(source, "fault_reason"));
    }
    mt_text_say(out, "\n");
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
        name_text(source, name, sizeof name);
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

static void explain_clock(struct mt_text *out, const cJSON *clock, const cJSON *sources)
{
    const cJSON *source;
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
    struct plot plot = plot_of(clock, sources);
    cJSON_ArrayForEach(source, sources)
    {
        if (strcmp(text_of(source, "clock"), text_of(clock, "name")) == 0) {
            explain_source(out, &plot, source);
        }
    }
    say_steering(out, clock, sources);
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
            mt_text_say(out,
                        MT_BOLD "clock %s" MT_PLAIN ": it has no sources to choose from and "
                                "follows what its PTP instance follows, see meantime status\n",
                        text_of(clock, "name"));
            say_steering(out, clock, NULL);
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
