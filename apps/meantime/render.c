/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The report for people.  It says first what matters (is the clock synchronised, how wrong may it
 * be, whom does it follow), then the figures behind it; zeros that mean "all is well" are left
 * out.  Members that an older or newer daemon does not send are shown as unknown. */
#include <math.h>
#include <string.h>

#include "apps/meantime/render_private.h"

#include "status/names.h"

#define NAME_SIZE 40

/* ---- clocks ------------------------------------------------------------------------------- */

static const char *clock_style(const char *state)
{
    if (strcmp(state, "locked") == 0 || strcmp(state, "serving") == 0) {
        return MT_GOOD;
    }
    return strcmp(state, "free_run") == 0 ? MT_BAD : MT_WARN;
}

static const char *state_words(const char *state)
{
    if (strcmp(state, "free_run") == 0) {
        return "free running, not synchronised";
    }
    if (strcmp(state, "acquiring") == 0) {
        return "acquiring";
    }
    if (strcmp(state, "holdover") == 0) {
        return "in holdover, its source is gone";
    }
    if (strcmp(state, "serving") == 0) {
        return "serving its own time";
    }
    return state;
}

/* In holdover the reference is one that is gone. */
static const char *against(const char *reference, const char *state, bool is_judged)
{
    bool is_gone = strcmp(state, "holdover") == 0;
    if (strcmp(reference, "source") == 0 && is_judged) {
        return is_gone ? "against the source followed last, whose own error nobody knows"
                       : "against its source, whose own error nobody knows";
    }
    if (strcmp(reference, "source") == 0) {
        return is_gone ? "against the grandmaster followed last" : "against its grandmaster";
    }
    if (strcmp(reference, "parent") == 0) {
        return is_gone ? "against the parent followed last, no further"
                       : "against its parent, not against its grandmaster";
    }
    if (strcmp(reference, "traceable") == 0) {
        return "against TAI and UTC";
    }
    return "";
}

static const char *why_no_bound(const char *state)
{
    if (strcmp(state, "serving") == 0) {
        return "none: this clock is itself the reference";
    }
    if (strcmp(state, "acquiring") == 0) {
        return "unknown so far";
    }
    return "unknown: there is nothing to compare it with";
}

/* What the bound is made of, as many in a line as have room: a line begins with "+". */
static void render_parts(struct mt_text *out, const cJSON *clock, size_t width)
{
    static const char *const parts[] = {"estimate", "asymmetry", "source", "granularity",
                                        "steering"};
    size_t column = 0; /* 0: nothing is shown yet */
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        char figure[MT_FIGURE_SIZE];
        char path[40];
        char term[MT_FIGURE_SIZE + 40];
        snprintf(path, sizeof path, "bound_parts.%s_ns", parts[i]);
        double part = number_of(clock, path);
        if (!(part > 0)) {
            continue;
        }
        size_t length = (size_t)snprintf(term, sizeof term, "%s %s %s", column == 0 ? "=" : "+",
                                         parts[i], mt_figure_time(part, false, figure));
        if (column > 0 && column + 1 + length <= width) {
            mt_text_say(out, " %s", term);
            column += 1 + length;
            continue;
        }
        mt_text_say(out, "%s", column == 0 ? "" : "\n");
        begin(out, "");
        mt_text_say(out, "%s", term);
        column = FIGURES_COLUMN + length;
    }
    mt_text_say(out, "%s", column > 0 ? "\n" : "");
}

static void render_bound(struct mt_text *out, const cJSON *clock, size_t width)
{
    char figure[MT_FIGURE_SIZE];
    double bound = number_of(clock, "bound_ns");
    begin(out, "error bound");
    if (isnan(bound)) {
        mt_text_say(out, "%s\n", why_no_bound(text_of(clock, "state")));
        return;
    }
    mt_text_say(out, MT_BOLD "%s" MT_PLAIN " %s\n", mt_figure_time(bound, false, figure),
                against(text_of(clock, "bound_reference"), text_of(clock, "state"),
                        !isnan(number_of(clock, "arbiter.voters"))));
    render_parts(out, clock, width);
}

static void render_estimate(struct mt_text *out, const cJSON *clock)
{
    char a[MT_FIGURE_SIZE];
    char b[MT_FIGURE_SIZE];
    if (!isnan(number_of(clock, "offset_ns"))) {
        begin(out, "offset");
        mt_text_say(out, "%s, sigma %s\n", mt_figure_time(number_of(clock, "offset_ns"), true, a),
                    mt_figure_time(number_of(clock, "sigma_ns"), false, b));
        if (!isnan(number_of(clock, "steered_bound_ns"))) {
            begin(out, "steered clock");
            mt_text_say(out, "error bound %s\n",
                        mt_figure_time(number_of(clock, "steered_bound_ns"), false, a));
        }
        begin(out, "path delay");
        mt_text_say(out, "%s", mt_figure_time(number_of(clock, "mean_delay_ns"), false, a));
        mt_text_say(out, ", noise %s here, %s back\n",
                    mt_figure_time(number_of(clock, "noise_forward_ns"), false, a),
                    mt_figure_time(number_of(clock, "noise_reverse_ns"), false, b));
    }
    begin(out, "frequency");
    mt_text_say(out, "%s applied", mt_figure_ratio(number_of(clock, "rate_ppb"), a));
    if (!isnan(number_of(clock, "frequency_ppb"))) {
        mt_text_say(out, ", %s left", mt_figure_ratio(number_of(clock, "frequency_ppb"), a));
    }
    mt_text_say(out, "%s\n",
                is_true(clock, "saturated") ? ", " MT_BAD "out of its range" MT_PLAIN : "");
}

/* "1200 used, 3 outliers": those that are not zero, the first one always. */
static void render_samples(struct mt_text *out, const cJSON *counts)
{
    const cJSON *count;
    cJSON_ArrayForEach(count, counts)
    {
        bool is_first = count == counts->child;
        if (is_first || count->valuedouble != 0) {
            bool is_many = strcmp(count->string, "outlier") == 0 && count->valuedouble != 1;
            mt_text_say(out, "%s%.0f %s%s", is_first ? "" : ", ", count->valuedouble, count->string,
                        is_many ? "s" : "");
        }
    }
}

/* A name of the report, as a person would write it. */
static const char *spaced(const char *name, char buffer[NAME_SIZE])
{
    snprintf(buffer, NAME_SIZE, "%s", name);
    for (char *c = buffer; *c != '\0'; c++) {
        *c = *c == '_' ? ' ' : *c;
    }
    return buffer;
}

/* Only what is wrong, or comes. */
static void render_utc(struct mt_text *out, const cJSON *clock)
{
    char name[NAME_SIZE];
    double leap_s = number_of(clock, "utc.leap_s");
    double said_s = number_of(clock, "utc.contradicted_s");
    if (is_true(clock, "utc.contradicted")) {
        begin(out, "UTC");
        mt_text_say(out, MT_BAD "%s" MT_PLAIN, spaced(text_of(clock, "utc.quarrel"), name));
        if (!isnan(said_s)) {
            mt_text_say(out, ": %s says %.0f s",
                        spaced(text_of(clock, "utc.contradicted_by"), name), said_s);
        }
        mt_text_say(out, "; TAI - UTC is %.0f s (%s)\n", number_of(clock, "tai_minus_utc_s"),
                    spaced(text_of(clock, "utc.known_by"), name));
    }
    if (leap_s == 1 || leap_s == -1) {
        begin(out, "leap second");
        mt_text_say(out, "%s at the end of this day, UTC (%s)\n",
                    leap_s > 0 ? "inserted" : "left out",
                    spaced(text_of(clock, "utc.leap_known_by"), name));
    }
}

static void render_clock(struct mt_text *out, const cJSON *clock, size_t width)
{
    const char *state = text_of(clock, "state");
    mt_text_say(out, "\n" MT_BOLD "clock %s" MT_PLAIN "  %s%s" MT_PLAIN "  (%s, %s%s)\n",
                text_of(clock, "name"), clock_style(state), state_words(state),
                text_of(clock, "kind"), text_of(clock, "scale"),
                is_true(clock, "adjustable") ? "" : ", may not be adjusted");
    if (cJSON_IsString(member(clock, "fallback_reason"))) {
        begin(out, "note");
        mt_text_say(out, MT_WARN "%s" MT_PLAIN "\n", text_of(clock, "fallback_reason"));
    }
    render_bound(out, clock, width);
    render_estimate(out, clock);
    mt_render_holdover(out, clock);
    mt_render_oscillator(out, clock);
    mt_render_standby(out, clock);
    mt_render_rivals(out, clock);
    render_utc(out, clock);
    begin(out, "samples");
    render_samples(out, member(clock, "samples"));
    double steps = number_of(clock, "steps");
    double corrections = number_of(clock, "corrections");
    mt_text_say(out, "; %.0f %s, %.0f %s\n", corrections,
                corrections == 1 ? "correction" : "corrections", steps,
                steps == 1 ? "step" : "steps");
}

/* ---- instances ---------------------------------------------------------------------------- */

/* The order in which the BTCA looks at them. */
static void render_rank(struct mt_text *out, const char *title, const cJSON *rank)
{
    begin(out, title);
    mt_text_say(out, "priority1 %u, class %u, accuracy %s, priority2 %u\n",
                code_of(rank, "priority1"), code_of(rank, "clock_class"),
                mt_clock_accuracy_name((uint8_t)code_of(rank, "clock_accuracy")),
                code_of(rank, "priority2"));
}

static bool is_out_of_use(const cJSON *instance)
{
    const cJSON *port;
    cJSON_ArrayForEach(port, member(instance, "ports"))
    {
        const char *state = text_of(port, "state");
        if (strcmp(state, "FAULTY") != 0 && strcmp(state, "DISABLED") != 0) {
            return false;
        }
    }
    return true;
}

/* Something comes, and nothing of it is of use. */
static bool is_all_refused(const cJSON *instance)
{
    const cJSON *port;
    const cJSON *count;
    double refused = 0;
    cJSON_ArrayForEach(port, member(instance, "ports"))
    {
        const cJSON *verdicts = member(port, "verdicts");
        if (verdicts == NULL || verdicts->child == NULL || verdicts->child->valuedouble > 0) {
            return false;
        }
        cJSON_ArrayForEach(count, verdicts)
        {
            refused += count->valuedouble;
        }
    }
    return refused > 0;
}

static void render_nobody(struct mt_text *out, const cJSON *instance)
{
    if (is_out_of_use(instance)) {
        mt_text_say(out, MT_WARN "none: no port can be used" MT_PLAIN "\n");
    } else if (cJSON_IsString(member(instance, "last_followed"))) {
        mt_text_say(out, MT_WARN "none is heard any more" MT_PLAIN ", followed last: %s\n",
                    text_of(instance, "last_followed"));
    } else if (is_all_refused(instance)) {
        mt_text_say(out, MT_WARN "none: all that is heard is refused, see below" MT_PLAIN "\n");
    } else {
        mt_text_say(out, MT_WARN "no transmitter heard yet" MT_PLAIN "\n");
    }
}

/* That one is followed which CSPTP does not tell the identity of; null: it is none of those. */
static const char *stateless_server(const cJSON *instance)
{
    const cJSON *port = member(instance, "ports") != NULL ? member(instance, "ports")->child : NULL;
    bool is_csptp = strcmp(text_of(port, "stateless.asks"), "csptp") == 0;
    return is_csptp ? cJSON_GetStringValue(member(port, "stateless.followed")) : NULL;
}

static void render_grandmaster(struct mt_text *out, const cJSON *instance)
{
    double removed = number_of(instance, "steps_removed");
    begin(out, "grandmaster");
    if (strcmp(text_of(instance, "role"), "grandmaster") == 0) {
        mt_text_say(out, "this clock is the grandmaster\n");
        return;
    }
    bool follows = code_of(instance, "receiving_port") != 0;
    if (strcmp(text_of(instance, "role"), "listening") == 0 ||
        (strcmp(text_of(instance, "role"), "transparent") == 0 && !follows)) {
        render_nobody(out, instance);
        return;
    }
    mt_text_say(out, "%s, %.0f %s away", text_of(instance, "grandmaster.clock_identity"), removed,
                removed == 1 ? "step" : "steps");
    if (follows && stateless_server(instance) != NULL) {
        mt_text_say(out, " via %s", stateless_server(instance));
    } else if (follows) {
        mt_text_say(out, " via %s-%u", text_of(instance, "parent.clock_identity"),
                    code_of(instance, "parent.port_number"));
    }
    mt_text_say(out, "\n");
    render_rank(out, "its rank", member(instance, "grandmaster"));
}

static void render_time(struct mt_text *out, const cJSON *instance)
{
    bool is_known = is_true(instance, "time_properties.utc_offset_valid");
    begin(out, "time");
    mt_text_say(out, "%s timescale, ",
                is_true(instance, "time_properties.ptp_timescale") ? "PTP" : "arbitrary");
    if (is_known) {
        mt_text_say(out, "UTC offset %.0f s", number_of(instance, "time_properties.utc_offset_s"));
    } else {
        mt_text_say(out, "UTC offset unknown");
    }
    const cJSON *source = member(instance, "time_properties.time_source");
    mt_text_say(
        out, "%s%s%s\n", is_true(instance, "time_properties.time_traceable") ? ", traceable" : "",
        cJSON_IsString(source) ? ", from " : "", cJSON_IsString(source) ? source->valuestring : "");
    bool inserts = is_true(instance, "time_properties.leap61");
    if (inserts || is_true(instance, "time_properties.leap59")) {
        begin(out, "leap second");
        mt_text_say(out, MT_WARN "%s at the end of this UTC day" MT_PLAIN "\n",
                    inserts ? "to be inserted" : "to be left out");
    }
}

/* "forwarded 120, held 31; inside for 105 us on average, from 28 us to 155 us" */
static void render_transparent(struct mt_text *out, const cJSON *instance)
{
    const cJSON *transparent = member(instance, "transparent");
    const cJSON *count;
    const char *separator = "";
    char text[3][MT_FIGURE_SIZE];
    if (strcmp(text_of(instance, "role"), "transparent") != 0) {
        return;
    }
    begin(out, "passage");
    cJSON_ArrayForEach(count, member(transparent, "counters"))
    {
        if (count->valuedouble > 0) {
            mt_text_say(out, "%s%s %.0f", separator, count->string, count->valuedouble);
            separator = ", ";
        }
    }
    if (!isnan(number_of(transparent, "residence_mean_ns"))) {
        mt_text_say(out, "; inside for %s on average, from %s to %s",
                    mt_figure_time(number_of(transparent, "residence_mean_ns"), false, text[0]),
                    mt_figure_time(number_of(transparent, "residence_min_ns"), false, text[1]),
                    mt_figure_time(number_of(transparent, "residence_max_ns"), false, text[2]));
    }
    mt_text_say(out, "%s\n", separator[0] != '\0' ? "" : "nothing yet");
}

static void render_instance(struct mt_text *out, const cJSON *instance, size_t width)
{
    const cJSON *port;
    const cJSON *profile = member(instance, "profile");
    mt_text_say(out, "\n" MT_BOLD "instance %s" MT_PLAIN "  %s in domain %u%s%s, on clock %s\n",
                text_of(instance, "name"), text_of(instance, "role"), code_of(instance, "domain"),
                cJSON_IsString(profile) ? ", profile " : "",
                cJSON_IsString(profile) ? profile->valuestring : "", text_of(instance, "clock"));
    begin(out, "identity");
    mt_text_say(out, "%s\n", text_of(instance, "clock_identity"));
    render_rank(out, "own rank", instance);
    render_grandmaster(out, instance);
    render_time(out, instance);
    mt_render_smpte(out, instance);
    render_transparent(out, instance);
    mt_render_service(out, instance);
    mt_render_heading(out, width);
    cJSON_ArrayForEach(port, member(instance, "ports"))
    {
        mt_render_port(out, instance, port, width);
    }
}

void mt_render_report(struct mt_text *out, const cJSON *report, size_t width)
{
    char uptime[MT_FIGURE_SIZE];
    const cJSON *item;
    const cJSON *config = member(report, "daemon.config_path");
    mt_text_say(out, "meantimed %s, pid %.0f, up %s, %s\n", text_of(report, "daemon.version"),
                number_of(report, "daemon.pid"),
                mt_figure_duration(number_of(report, "daemon.uptime_s"), uptime),
                cJSON_IsString(config) ? config->valuestring : "without a configuration file");
    if (strcmp(text_of(report, "daemon.recording"), "failed") == 0) {
        mt_text_say(out, MT_WARN "the input log cannot be written any more" MT_PLAIN "\n");
    }
    cJSON_ArrayForEach(item, member(report, "clocks"))
    {
        render_clock(out, item, width);
    }
    cJSON_ArrayForEach(item, member(report, "instances"))
    {
        render_instance(out, item, width);
    }
    mt_render_ntp(out, report, width);
    mt_render_gnss(out, report);
    mt_render_server(out, report);
    mt_text_wrap(out, width < MT_RENDER_LEAST ? MT_RENDER_LEAST : width,
                 width < 60 ? 8 : FIGURES_COLUMN);
}

void mt_render_line(struct mt_text *out, const cJSON *report)
{
    char offset[MT_FIGURE_SIZE];
    char bound[MT_FIGURE_SIZE];
    const cJSON *clock;
    const cJSON *instance;
    const cJSON *port;
    cJSON_ArrayForEach(clock, member(report, "clocks"))
    {
        const char *state = text_of(clock, "state");
        mt_text_say(out, "%s %s", text_of(clock, "name"),
                    strcmp(state, "free_run") == 0 ? "free running" : state);
        if (!isnan(number_of(clock, "offset_ns"))) {
            mt_text_say(out, " %s", mt_figure_time(number_of(clock, "offset_ns"), true, offset));
        }
        mt_text_say(out, ", bound %s; ",
                    mt_figure_time(number_of(clock, "bound_ns"), false, bound));
    }
    cJSON_ArrayForEach(instance, member(report, "instances"))
    {
        const char *separator = "";
        cJSON_ArrayForEach(port, member(instance, "ports"))
        {
            mt_text_say(out, "%s%s %s", separator, text_of(port, "name"), text_of(port, "state"));
            separator = ", ";
        }
        mt_text_say(out, "%s", instance->next == NULL ? "" : "; ");
    }
}
