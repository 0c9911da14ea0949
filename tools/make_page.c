/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * usage: make_page TEMPLATE PAGE
 *
 * Copies a manual page and puts what the schemas say in place of the lines @KEYS@ (keys of the
 * configuration), @PROFILES@, @FIELDS@ (members of the status report), @VERDICTS@, @COUNTERS@ and
 * @TOPOLOGY@ (keys and verbs of a topology), so that pages and programs cannot say different
 * things. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apps/meantime/sim/topology.h"
#include "config/profile.h"
#include "status/names.h"
#include "status/report.h"

/* Text that roff prints as it is. */
static void put(FILE *out, const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '\\') {
            fputs("\\e", out);
        } else if (*text == '-') {
            fputs("\\-", out);
        } else if (*text == '`' || *text == '\'') {
            fputs(*text == '`' ? "\\(ga" : "\\(aq", out);
        } else {
            fputc(*text, out);
        }
    }
}

/* Sentences begin on a new line, which is what roff wants for its spacing. */
static void put_sentences(FILE *out, const char *text)
{
    const char *end;
    while ((end = strstr(text, ".  ")) != NULL) {
        char sentence[400];
        snprintf(sentence, sizeof sentence, "%.*s", (int)(end - text + 1), text);
        put(out, sentence);
        fputc('\n', out);
        text = end + 3;
    }
    put(out, text);
    fputc('\n', out);
}

static void put_words(FILE *out, const struct mt_config_key *key)
{
    if (key->type != MT_CONFIG_CODE) {
        return;
    }
    fputs("Words:\n", out);
    for (size_t i = 0; key->words[i].word != NULL; i++) {
        bool is_last = key->words[i + 1].word == NULL;
        put(out, key->words[i].word);
        fprintf(out, " (0x%02x)%s\n", (unsigned)key->words[i].value, is_last ? "." : ",");
    }
}

static void put_aliases(FILE *out, const struct mt_config_key *key)
{
    size_t index = 0;
    const char *alias = mt_config_key_alias(key, &index);
    const char *separator = "Also accepted: ";
    for (; alias != NULL; alias = mt_config_key_alias(key, &index)) {
        fputs(separator, out);
        put(out, alias);
        separator = ", ";
    }
    fputs(index > 0 && strcmp(separator, ", ") == 0 ? ".\n" : "", out);
}

static void put_key(FILE *out, const struct mt_config_key *key)
{
    char expected[256];
    mt_config_expected(key, expected, sizeof expected);
    char *hint = strstr(expected, " (see `");
    if (hint != NULL) {
        *hint = '\0'; /* the words follow here */
    }
    fprintf(out, ".It Ic %s\n", key->name);
    put_sentences(out, key->help);
    fputs("Value: ", out);
    put(out, expected);
    if (key->type == MT_CONFIG_INTEGER && key->unit[0] != '\0') {
        fputs(", in ", out);
        put(out, key->unit);
    }
    fputs(".\n", out);
    if (key->fallback[0] != '\0') {
        fputs("Default: ", out);
        put(out, key->fallback);
        fputs(".\n", out);
    }
    put_words(out, key);
    put_aliases(out, key);
}

static void put_keys(FILE *out)
{
    size_t count;
    const struct mt_config_key *keys = mt_config_keys(&count);
    for (size_t i = 0; i < count; i++) {
        if (i == 0 || keys[i].scope != keys[i - 1].scope) {
            fputs(i == 0 ? "" : ".El\n", out);
            fputs(".Ss ", out);
            put(out, mt_config_scope_heading(keys[i].scope));
            fputs("\n.Bl -tag -width Ds\n", out);
        }
        put_key(out, &keys[i]);
    }
    fputs(".El\n", out);
}

static const char *scope_title(enum mt_report_scope scope)
{
    switch (scope) {
    case MT_REPORT_DAEMON:
        return "daemon";
    case MT_REPORT_CLOCK:
        return "clocks[]";
    case MT_REPORT_INSTANCE:
        return "instances[]";
    case MT_REPORT_PORT:
        return "instances[].ports[]";
    case MT_REPORT_NTP:
        return "ntp[]";
    case MT_REPORT_SOURCE:
        return "sources[]";
    case MT_REPORT_GNSS:
        return "gnss[]";
    case MT_REPORT_SERVER:
        return "server";
    }
    return "";
}

static void put_fields(FILE *out)
{
    size_t count;
    const struct mt_report_field *fields = mt_report_fields(&count);
    for (size_t i = 0; i < count; i++) {
        if (i == 0 || fields[i].scope != fields[i - 1].scope) {
            fprintf(out, "%s.Ss %s\n.Bl -tag -width Ds -compact\n", i == 0 ? "" : ".El\n",
                    scope_title(fields[i].scope));
        }
        fprintf(out, ".It Li %s\n", fields[i].path);
        put(out, fields[i].help);
        fputs(fields[i].type == MT_REPORT_COUNTS ? "; an object of counters\n" : "\n", out);
    }
    fputs(".El\n", out);
}

static void put_verdicts(FILE *out)
{
    for (unsigned i = 0; i < MT_VERDICT_COUNT; i++) {
        fprintf(out, ".It Li %s\n", mt_verdict_name((enum mt_verdict)i));
        put_sentences(out, mt_verdict_meaning((enum mt_verdict)i));
    }
}

static void put_counters(FILE *out)
{
    for (unsigned i = 0; i < MT_PORT_COUNTER_COUNT; i++) {
        fprintf(out, ".It Li %s\n", mt_port_counter_name((enum mt_port_counter)i));
        put_sentences(out, mt_port_counter_meaning((enum mt_port_counter)i));
    }
}

static void put_topology(FILE *out)
{
    struct mt_topology_description one;
    const char *heading = "";
    for (size_t n = 0; mt_topology_describe(n, &one); n++) {
        if (strcmp(one.heading, heading) != 0) {
            fputs(n == 0 ? ".Ss " : ".El\n.Ss ", out);
            put(out, one.heading);
            fputc('\n', out);
            put_sentences(out, one.section);
            fputs(".Bl -tag -width Ds\n", out);
            heading = one.heading;
        }
        fputs(".It Ic ", out);
        put(out, one.name);
        fputc('\n', out);
        put_sentences(out, one.help);
        if (one.example[0] != '\0') {
            fputs("Example: ", out);
            put(out, one.example);
            fputc('\n', out);
        }
        if (one.fallback[0] != '\0') {
            fputs("Default: ", out);
            put(out, one.fallback);
            fputs(".\n", out);
        }
    }
    fputs(".El\n", out);
}

static void put_profile_row(FILE *out, const struct mt_config_profile_row *row)
{
    char expected[160];
    mt_config_profile_expected(row, expected, sizeof expected);
    fprintf(out, ".It Ic %s Ta ", row->key);
    put(out, row->value);
    fputs(" Ta ", out);
    put(out, row->allowed[0] != '\0' ? expected : "any");
    fputc('\n', out);
}

static void put_profiles(FILE *out)
{
    const struct mt_config_word *word = mt_config_profile_words;
    for (; word->word != NULL; word++) {
        enum mt_config_profile profile = (enum mt_config_profile)word->value;
        const struct mt_config_profile_row *row;
        size_t index = 0;
        if (profile == MT_CONFIG_PROFILE_NONE) {
            continue;
        }
        fputs(".Ss profile = ", out);
        put(out, word->word);
        fputc('\n', out);
        put(out, mt_config_profile_title(profile));
        fputs(".\n.Bl -column \"log_min_pdelay_req_interval\" \"01-80-C2-00-00-0Exxx\" \"any\" "
              "-compact\n",
              out);
        fputs(".It Sy key Ta Sy value Ta Sy allowed\n", out);
        while ((row = mt_config_profile_next(profile, &index)) != NULL) {
            put_profile_row(out, row);
        }
        fputs(".El\n", out);
    }
}

static void put_line(FILE *out, const char *line)
{
    if (strcmp(line, "@KEYS@\n") == 0) {
        put_keys(out);
    } else if (strcmp(line, "@PROFILES@\n") == 0) {
        put_profiles(out);
    } else if (strcmp(line, "@FIELDS@\n") == 0) {
        put_fields(out);
    } else if (strcmp(line, "@VERDICTS@\n") == 0) {
        put_verdicts(out);
    } else if (strcmp(line, "@COUNTERS@\n") == 0) {
        put_counters(out);
    } else if (strcmp(line, "@TOPOLOGY@\n") == 0) {
        put_topology(out);
    } else {
        fputs(line, out);
    }
}

int main(int argc, char **argv)
{
    char line[1024];
    FILE *in = argc == 3 ? fopen(argv[1], "r") : NULL;
    FILE *out = in == NULL ? NULL : fopen(argv[2], "w");
    if (out == NULL) {
        fprintf(stderr, "usage: make_page TEMPLATE PAGE\n");
        return EXIT_FAILURE;
    }
    while (fgets(line, sizeof line, in) != NULL) {
        put_line(out, line);
    }
    fclose(in);
    return fclose(out) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
