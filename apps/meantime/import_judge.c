/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The result of an import, read as the daemon will read it.  Nobody has seen its lines, so what is
 * wrong with one is told with the line of the file that it was made of.  That line is then left
 * out, for one bad setting is no reason to keep the others back; but not where it says what is
 * signed, who is spoken to or which clock is steered: a result without that would do harm.  Files
 * that are missing or not good are told only, since the import may be made on another machine. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "apps/meantime/import.h"
#include "apps/meantime/tool.h"
#include "config/config.h"

#define NAME     "import"
#define LEFT_OUT "# not accepted: "

struct line {
    char *text;
    char *origin; /* null: ours alone */
    bool is_out;
};

struct result {
    struct mt_import *import;
    struct line *lines;
    size_t count;
};

/* The lines are parts of `text` from now on. */
static bool split(struct result *self, char *text)
{
    size_t count = 0;
    for (const char *at = text; (at = strchr(at, '\n')) != NULL; at++) {
        count++;
    }
    self->lines = calloc(count + 1, sizeof *self->lines);
    for (char *at = text; self->lines != NULL && self->count < count;) {
        struct line *line = &self->lines[self->count++];
        char *end = strchr(at, '\n');
        *end = '\0';
        line->text = at;
        line->origin = strrchr(at, MT_IMPORT_ORIGIN);
        if (line->origin != NULL) {
            *line->origin++ = '\0';
        }
        at = end + 1;
    }
    return self->lines != NULL;
}

/* As it is to be printed; a line of it is one of `self`. */
static char *join(const struct result *self)
{
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    for (size_t i = 0; out != NULL && i < self->count; i++) {
        const struct line *line = &self->lines[i];
        fprintf(out, "%s%s\n", line->is_out ? LEFT_OUT : "", line->text);
    }
    if (out != NULL) {
        fclose(out);
    }
    return text;
}

/* ---- problems -------------------------------------------------------------------------------- */

/* Without the name and the lines of a text that nobody sees. */
static void write_sentence(const struct mt_config_problem *problem,
                           char sentence[MT_CONFIG_PROBLEM_SIZE])
{
    const char *space = strchr(problem->text, ' ');
    snprintf(sentence, MT_CONFIG_PROBLEM_SIZE, "%s", space != NULL ? space + 1 : problem->text);
    char *line = strstr(sentence, "; the first is in line ");
    if (line != NULL) {
        *line = '\0';
    }
}

static bool is_key(const struct line *line, const char *key, size_t length)
{
    return strncmp(line->text, key, length) == 0 && strncmp(line->text + length, " = ", 3) == 0;
}

/* Without it the rest would be less safe, or speak to others, or steer another clock. */
static bool must_stay(const struct line *line)
{
    static const char *const keys[] = {
        "security_file", "spp",       "active_key_id",  "key",   "key_file",
        "nts",           "interface", "instance",       "clock", "device",
        "domain",        "sdo_id",    "estimates_only",
    };
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        if (is_key(line, keys[i], strlen(keys[i]))) {
            return true;
        }
    }
    return strncmp(line->text, "nts_", 4) == 0;
}

static bool leave_out(struct result *self, size_t n, const char *sentence)
{
    struct line *line = n < self->count ? &self->lines[n] : NULL;
    if (line == NULL || line->origin == NULL || line->is_out || must_stay(line)) {
        return false;
    }
    mt_import_say_of(self->import, line->origin, true, "%s", sentence);
    line->is_out = true;
    return true;
}

/* "[port eth0]: role: ...": all lines of the key, where none has been blamed. */
static bool leave_out_key(struct result *self, const char *sentence)
{
    bool is_changed = false;
    const char *key = sentence[0] == '[' ? strstr(sentence, "]: ") : NULL;
    key = key != NULL ? key + 3 : sentence;
    size_t length = strcspn(key, " :");
    bool is_named = key[length] == ':' || strncmp(key + length, " = ", 3) == 0;
    for (size_t i = 0; is_named && i < self->count; i++) {
        if (is_key(&self->lines[i], key, length)) {
            is_changed |= leave_out(self, i, sentence);
        }
    }
    return is_changed;
}

static bool repair(struct result *self, const struct mt_config_problems *problems)
{
    bool is_changed = false;
    for (size_t i = 0; i < problems->count; i++) {
        char sentence[MT_CONFIG_PROBLEM_SIZE];
        unsigned line = problems->problem[i].line;
        write_sentence(&problems->problem[i], sentence);
        is_changed |=
            (line > 0 && leave_out(self, line - 1, sentence)) || leave_out_key(self, sentence);
    }
    return is_changed;
}

/* Of the line, or else of its section. */
static void write_place(const struct result *self, unsigned number, char place[100])
{
    size_t at = number > 0 && number <= self->count ? number - 1 : 0;
    while (at > 0 && self->lines[at].text[0] != '[') {
        at--;
    }
    snprintf(place, 100, "the result%s%.80s", at > 0 ? ", " : "",
             at > 0 ? self->lines[at].text : "");
}

static void tell_all(struct result *self, const struct mt_config_problems *problems, bool is_lost)
{
    for (size_t i = 0; i < problems->count; i++) {
        char sentence[MT_CONFIG_PROBLEM_SIZE];
        char place[100];
        unsigned number = problems->problem[i].line;
        const struct line *line =
            number > 0 && number <= self->count ? &self->lines[number - 1] : NULL;
        write_sentence(&problems->problem[i], sentence);
        write_place(self, number, place);
        mt_import_say_of(self->import, line != NULL && line->origin != NULL ? line->origin : place,
                         is_lost, "%s", sentence);
    }
}

/* ---- the whole ------------------------------------------------------------------------------- */

/* Null: not accepted, whatever is left out. */
static char *judge(struct result *self)
{
    static struct mt_config_problems problems;
    struct mt_config *config;
    for (;;) {
        char *text = join(self);
        if (text == NULL ||
            mt_config_parse(text, strlen(text), NAME, NULL, 0, &config, &problems)) {
            mt_config_free(text != NULL ? config : NULL);
            return text;
        }
        free(text);
        if (!repair(self, &problems)) {
            tell_all(self, &problems, true);
            return NULL;
        }
    }
}

static bool lacks_files(struct result *self, const char *text)
{
    static struct mt_config_problems problems;
    struct mt_config *config;
    if (mt_config_parse_all(text, strlen(text), NAME, mt_tool_certificates, &config, &problems)) {
        mt_config_free(config);
        return false;
    }
    tell_all(self, &problems, false);
    return true;
}

char *mt_import_judge(struct mt_import *self, const char *marked, bool *ret_lacks_files)
{
    struct result result = {.import = self};
    char *copy = strdup(marked);
    char *text = copy != NULL && split(&result, copy) ? judge(&result) : NULL;
    *ret_lacks_files = text != NULL && lacks_files(&result, text);
    free(result.lines);
    free(copy);
    return text;
}
