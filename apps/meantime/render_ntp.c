/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * NTP servers: a table of all, and below it what is wrong with those that do not answer. */
#include "apps/meantime/render_private.h"

#include <stdlib.h>
#include <string.h>

#include "status/names.h"

const char *mt_verdict_style(const char *verdict)
{
    static const char *const good[] = {"selected", "combined"};
    static const char *const plain[] = {"agrees", "distant", "another_rate", "waiting", "watched"};
    static const char *const bad[] = {"falseticker", "no_majority", "follows_us"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        if (strcmp(verdict, good[i]) == 0) {
            return MT_GOOD;
        }
    }
    for (size_t i = 0; i < sizeof plain / sizeof plain[0]; i++) {
        if (strcmp(verdict, plain[i]) == 0) {
            return MT_PLAIN;
        }
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (strcmp(verdict, bad[i]) == 0) {
            return MT_BAD;
        }
    }
    return MT_WARN;
}

/* Members of a pool have one name. */
static bool is_shared(const cJSON *list, const char *name)
{
    const cJSON *other;
    unsigned count = 0;
    cJSON_ArrayForEach(other, list)
    {
        count += strcmp(text_of(other, "name"), name) == 0;
    }
    return count > 1;
}

void mt_source_name(const cJSON *list, const cJSON *source, char *buffer, size_t size)
{
    const char *name = text_of(source, "name");
    const char *address = cJSON_GetStringValue(member(source, "address"));
    bool is_plain = address == NULL || strcmp(address, name) == 0 || !is_shared(list, name);
    snprintf(buffer, size, "%s%s%s", name, is_plain ? "" : " ", is_plain ? "" : address);
}

void mt_put_time(char cell[MT_TABLE_CELL_SIZE], double ns, bool with_sign)
{
    char figure[MT_FIGURE_SIZE];
    bool is_whole = !with_sign && ns >= 1e9 && fmod(ns, 1e9) == 0; /* an interval */
    if (isnan(ns)) {
        snprintf(cell, MT_TABLE_CELL_SIZE, "-");
    } else if (is_whole) {
        snprintf(cell, MT_TABLE_CELL_SIZE, "%.0f s", ns / 1e9);
    } else {
        snprintf(cell, MT_TABLE_CELL_SIZE, "%s", mt_figure_time(ns, with_sign, figure));
    }
}

static void add_server(struct mt_table *table, const cJSON *list, const cJSON *server)
{
    struct mt_table_row *row = mt_table_add(table);
    const char *state = text_of(server, "state");
    bool has_answered = !isnan(number_of(server, "stratum"));
    if (row == NULL) {
        return;
    }
    row->style = mt_verdict_style(state);
    mt_source_name(list, server, row->cell[0], MT_TABLE_CELL_SIZE);
    if (strncmp(text_of(server, "transport"), "ptp", 3) == 0) {
        size_t length = strlen(row->cell[0]);
        snprintf(row->cell[0] + length, MT_TABLE_CELL_SIZE - length, " in PTP");
    }
    snprintf(row->cell[1], MT_TABLE_CELL_SIZE, "%s", state);
    snprintf(row->cell[2], MT_TABLE_CELL_SIZE, "-");
    if (has_answered) {
        snprintf(row->cell[2], MT_TABLE_CELL_SIZE, "%u", code_of(server, "stratum"));
    }
    snprintf(row->cell[3], MT_TABLE_CELL_SIZE, "%s",
             has_answered ? text_of(server, "reference_id") : "-");
    snprintf(row->cell[4], MT_TABLE_CELL_SIZE, "%o", code_of(server, "reach"));
    mt_put_time(row->cell[5], number_of(server, "offset_ns"), true);
    mt_put_time(row->cell[6], number_of(server, "bound_ns"), false);
    mt_put_time(row->cell[7], 2 * number_of(server, "mean_delay_ns"), false); /* there and back */
    mt_put_time(row->cell[8], number_of(server, "interval_s") * 1e9, false);
}

const char *mt_source_fault(const cJSON *source)
{
    return isnan(number_of(source, "offset_ns"))
               ? cJSON_GetStringValue(member(source, "fault_reason"))
               : NULL;
}

void mt_render_fault(struct mt_text *out, int indent, const cJSON *list, const cJSON *source)
{
    char name[MT_TABLE_CELL_SIZE];
    const char *reason = mt_source_fault(source);
    const char *kiss = cJSON_GetStringValue(member(source, "kiss"));
    mt_source_name(list, source, name, sizeof name);
    if (reason != NULL) {
        mt_text_say(out, "%*s" MT_WARN "%s: %s" MT_PLAIN "\n", indent, "", name, reason);
    }
    if (kiss != NULL) {
        mt_text_say(out, "%*s" MT_WARN "%s: it said %s%s" MT_PLAIN "\n", indent, "", name, kiss,
                    strcmp(kiss, "RATE") == 0 ? ": it wants to be asked less often, and is" : "");
    }
}

void mt_render_ntp(struct mt_text *out, const cJSON *report, size_t width)
{
    static const struct mt_column columns[] = {
        {"server", false, 0},    {"state", false, 0}, {"st", true, 0},
        {"reference", false, 2}, {"rch", true, 1},    {"offset", true, 0},
        {"bound", true, 0},      {"delay", true, 3},  {"interval", true, 4},
    };
    const cJSON *servers = member(report, "ntp");
    const cJSON *server;
    struct mt_table table = {.columns = columns, .count = sizeof columns / sizeof columns[0]};
    if (cJSON_GetArraySize(servers) == 0) {
        return;
    }
    mt_text_say(out, "\n" MT_BOLD "NTP servers" MT_PLAIN "\n");
    cJSON_ArrayForEach(server, servers)
    {
        add_server(&table, servers, server);
    }
    mt_table_say(&table, out, 4, width);
    cJSON_ArrayForEach(server, servers)
    {
        mt_render_fault(out, 4, servers, server);
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
    double served = number_of(counts, "served");
    mt_text_say(out, "    NTS keys exchanged %.0f time%s", served, served == 1 ? "" : "s");
    for (unsigned i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        double count = number_of(counts, parts[i].name);
        if (count > 0) {
            mt_text_say(out, "%s%.0f %s", separator, count, parts[i].words);
            separator = ", ";
        }
    }
    mt_text_say(out, "\n");
}

/* "3 requests of clients that ...", "1 request of clients that ..." */
static void say_outcome(struct mt_text *out, double count, const char *words)
{
    static const char *const plurals[] = {"requests", "packets"};
    for (unsigned i = 0; count == 1 && i < sizeof plurals / sizeof plurals[0]; i++) {
        size_t length = strlen(plurals[i]);
        if (strncmp(words, plurals[i], length) == 0) {
            mt_text_say(out, "1 %.*s%s", (int)length - 1, words, words + length);
            return;
        }
    }
    mt_text_say(out, "%.0f %s", count, words);
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
    double interleaved = number_of(counts, "interleaved");
    double answered = number_of(counts, "answered") + interleaved;
    mt_text_say(out, ", %.0f request%s answered", answered, answered == 1 ? "" : "s");
    if (interleaved > 0) {
        mt_text_say(out, " (%.0f interleaved)", interleaved);
    }
    cJSON_ArrayForEach(count, counts)
    {
        bool is_answered =
            strcmp(count->string, "answered") == 0 || strcmp(count->string, "interleaved") == 0;
        if (!is_answered && count->valuedouble > 0) {
            mt_text_say(out, "%s", separator);
            say_outcome(out, count->valuedouble, mt_ntp_outcome_words(count->string));
            separator = ", ";
        }
    }
    mt_text_say(out, "\n");
    render_key_exchanges(out, member(server, "key_exchanges"));
    if (cJSON_IsString(member(server, "key_fault"))) {
        mt_text_say(out, "    NTS: " MT_WARN "%s" MT_PLAIN "\n", text_of(server, "key_fault"));
    }
}
