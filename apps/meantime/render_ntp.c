/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * NTP servers: a table of all, and below it what is wrong with those that do not answer. */
#include "apps/meantime/render_private.h"

#include <stdlib.h>
#include <string.h>

#include "status/names.h"

#define NARROW 92 /* columns: below it delay and poll are left out */

static size_t name_width(const cJSON *servers)
{
    const cJSON *server;
    size_t width = strlen("server");
    cJSON_ArrayForEach(server, servers)
    {
        size_t length = strlen(text_of(server, "name"));
        width = length > width ? length : width;
    }
    return width < 30 ? width : 30;
}

static const char *style_of(const char *state)
{
    return strcmp(state, "followed") == 0    ? MT_GOOD
           : strcmp(state, "reachable") == 0 ? MT_PLAIN
                                             : MT_WARN;
}

/* "377": as NTP's programs show it. */
static unsigned reach_of(const cJSON *server)
{
    return code_of(server, "reach");
}

static void render_server(struct mt_text *out, const cJSON *server, int width, bool is_narrow)
{
    char offset[MT_FIGURE_SIZE];
    char bound[MT_FIGURE_SIZE];
    char delay[MT_FIGURE_SIZE];
    char poll[MT_FIGURE_SIZE] = "";
    char stratum[8] = "-";
    const char *state = text_of(server, "state");
    if (!isnan(number_of(server, "stratum"))) {
        snprintf(stratum, sizeof stratum, "%u", code_of(server, "stratum"));
    }
    mt_figure_time(exp2(number_of(server, "poll_log2s")) * 1e9, false, poll);
    mt_text_say(out, "    %-*.*s  %s%-9s" MT_PLAIN "  %2s  %-15s  %3o", width, width,
                text_of(server, "name"), style_of(state), state, stratum,
                strcmp(stratum, "-") == 0 ? "-" : text_of(server, "reference_id"),
                reach_of(server));
    mt_text_say(out, "  %12s  %12s", mt_figure_time(number_of(server, "offset_ns"), true, offset),
                mt_figure_time(number_of(server, "bound_ns"), false, bound));
    if (!is_narrow) {
        mt_text_say(out, "  %12s  %9s",
                    mt_figure_time(number_of(server, "mean_delay_ns"), false, delay), poll);
    }
    mt_text_say(out, "\n");
}

static void render_stamping(struct mt_text *out, const cJSON *server)
{
    const char *stamping = text_of(server, "timestamping");
    if (strncmp(stamping, "hardware", 8) == 0) {
        mt_text_say(out, "    " MT_FAINT "%s: timestamps " MT_PLAIN "%s\n", text_of(server, "name"),
                    stamping);
    }
}

static void render_faults(struct mt_text *out, const cJSON *server)
{
    const char *state = text_of(server, "state");
    bool is_good = strcmp(state, "followed") == 0 || strcmp(state, "reachable") == 0;
    const cJSON *reason = member(server, "fault_reason");
    const cJSON *kiss = member(server, "kiss");
    if (!is_good && cJSON_IsString(reason)) {
        mt_text_say(out, "    " MT_WARN "%s: %s" MT_PLAIN "\n", text_of(server, "name"),
                    reason->valuestring);
    }
    if (cJSON_IsString(kiss)) {
        mt_text_say(out, "    " MT_WARN "%s: it said %s" MT_PLAIN "\n", text_of(server, "name"),
                    kiss->valuestring);
    }
}

void mt_render_ntp(struct mt_text *out, const cJSON *report, size_t width)
{
    const cJSON *servers = member(report, "ntp");
    const cJSON *server;
    bool is_narrow = width < NARROW;
    int column = (int)name_width(servers);
    if (cJSON_GetArraySize(servers) == 0) {
        return;
    }
    mt_text_say(out,
                "\n" MT_BOLD "NTP servers" MT_PLAIN "\n    " MT_FAINT
                "%-*s  %-9s  %2s  %-15s  %3s  %12s  %12s",
                column, "server", "state", "st", "reference", "rch", "offset", "bound");
    mt_text_say(out, "%s" MT_PLAIN "\n", is_narrow ? "" : "         delay       poll");
    cJSON_ArrayForEach(server, servers)
    {
        render_server(out, server, column, is_narrow);
    }
    cJSON_ArrayForEach(server, servers)
    {
        render_stamping(out, server);
        render_faults(out, server);
    }
}

static void render_key_exchanges(struct mt_text *out, const cJSON *counts)
{
    static const struct {
        const char *name;
        const char *words;
    } parts[] = {
        {"failed", "broken off"},
        {"refused", "turned away, too many at a time"},
        {"limited", "turned away, too many in a second"},
        {"denied", "from addresses that are not served"},
    };
    const char *separator = "; ";
    if (cJSON_GetArraySize(counts) == 0) {
        return;
    }
    mt_text_say(out, "    NTS keys exchanged %.0f times", number_of(counts, "served"));
    for (unsigned i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        double count = number_of(counts, parts[i].name);
        if (count > 0) {
            mt_text_say(out, "%s%.0f %s", separator, count, parts[i].words);
            separator = ", ";
        }
    }
    mt_text_say(out, "\n");
}

/* "main at stratum 1 (PTP), 1201 requests answered; 3 not an NTP packet" */
void mt_render_server(struct mt_text *out, const cJSON *report)
{
    const cJSON *server = member(report, "server");
    const cJSON *counts = member(server, "requests");
    const cJSON *count;
    const char *separator = "; ";
    if (!cJSON_IsObject(server)) {
        return;
    }
    mt_text_say(out, "\n" MT_BOLD "NTP server" MT_PLAIN "\n    clock %s, ",
                text_of(server, "clock"));
    if (is_true(server, "synchronised")) {
        mt_text_say(out, "stratum %u (%s)%s", code_of(server, "stratum"),
                    text_of(server, "reference_id"),
                    is_true(server, "smeared") ? ", leap seconds smeared" : "");
    } else {
        mt_text_say(out, MT_WARN "told not to be synchronised" MT_PLAIN);
    }
    mt_text_say(out, ", %.0f requests answered",
                number_of(counts, "answered") + number_of(counts, "interleaved"));
    cJSON_ArrayForEach(count, counts)
    {
        bool is_answered = strcmp(count->string, "answered") == 0;
        if (!is_answered && count->valuedouble > 0) {
            mt_text_say(out, "%s%.0f %s", separator, count->valuedouble,
                        mt_ntp_outcome_words(count->string));
            separator = ", ";
        }
    }
    mt_text_say(out, "\n");
    render_key_exchanges(out, member(server, "key_exchanges"));
}
