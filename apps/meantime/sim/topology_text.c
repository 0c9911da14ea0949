/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * A topology file as it was written: sections and entries in the order of their lines.  Sections
 * of the same heading are one.  Nothing is interpreted here but headings, so that --set can replace
 * any entry before anybody looks at it, and the order of sections means nothing.
 */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "apps/meantime/sim/topology_private.h"

enum naming { UNNAMED, NAMED, EITHER };
static const struct heading {
    const char *word;
    enum naming naming;
    const char *usage;
} headings[] = {
    {"sim", UNNAMED, "[sim]"},
    {"clock", UNNAMED, "[clock]"},
    {"ptp", UNNAMED, "[ptp]"},
    {"ntp", UNNAMED, "[ntp]"},
    {"oscillator", NAMED, "[oscillator NAME]"},
    {"kind", NAMED, "[kind NAME]"},
    {"node", NAMED, "[node NAME]"},
    {"link", NAMED, "[link NAME] or [link A - B]"},
    {"switch", NAMED, "[switch NAME]"},
    {"star", UNNAMED, "[star]"},
    {"chain", UNNAMED, "[chain]"},
    {"ring", UNNAMED, "[ring]"},
    {"leaf-spine", UNNAMED, "[leaf-spine]"},
    {"at", NAMED, "[at TIME]"},
    {"expect", EITHER, "[expect] or [expect PATTERN]"},
};
#define HEADING_COUNT (sizeof headings / sizeof headings[0])

void mt_topology_complain(const struct mt_topology_text *self, unsigned line, const char *format,
                          ...)
{
    char sentence[MT_CONFIG_PROBLEM_SIZE];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(sentence, sizeof sentence, format, arguments);
    va_end(arguments);
    for (size_t i = 0; i < self->problems->count; i++) {
        const struct mt_config_problem *known = &self->problems->problem[i];
        const char *end = known->text + strlen(known->text);
        if (known->line == line && strlen(known->text) >= strlen(sentence) &&
            strcmp(end - strlen(sentence), sentence) == 0) {
            return;
        }
    }
    mt_config_problem_add(self->problems, line != 0 ? self->path : "--set", line, "%s", sentence);
}

static void *grown(const struct mt_topology_text *self, void *array, size_t count, size_t size)
{
    bool is_full = (count & (count - 1)) == 0; /* capacities are powers of two */
    void *larger = is_full ? realloc(array, (count == 0 ? 1 : 2 * count) * size) : array;

    if (larger == NULL) {
        mt_config_problem_add(self->problems, self->path, 0, "out of memory");
    }
    return larger;
}

/* ---- sections -------------------------------------------------------------------------------- */

const struct mt_topology_section *mt_topology_text_find(const struct mt_topology_text *self,
                                                        const char *word, const char *name)
{
    for (size_t i = 0; i < self->section_count; i++) {
        if (strcmp(self->sections[i].word, word) == 0 &&
            strcmp(self->sections[i].name, name) == 0) {
            return &self->sections[i];
        }
    }
    return NULL;
}

static void open_section(struct mt_topology_text *self, const struct heading *heading,
                         const char *name, unsigned line)
{
    const struct mt_topology_section *known = mt_topology_text_find(self, heading->word, name);

    if (known != NULL) {
        self->current = (size_t)(known - self->sections);
        return;
    }
    struct mt_topology_section *sections =
        grown(self, self->sections, self->section_count, sizeof *sections);
    const char *copy = mt_topology_copy(self->pool, name);
    self->sections = sections != NULL ? sections : self->sections;
    if (sections != NULL && copy != NULL) {
        sections[self->section_count] = (struct mt_topology_section){heading->word, copy, line};
        self->current = self->section_count++;
    }
}

static const char *heading_word(const void *names, size_t n)
{
    (void)names;
    return headings[n].word;
}

static void refuse_heading(struct mt_topology_text *self, const char *text, const char *word,
                           unsigned line)
{
    const char *nearest = mt_config_nearest(word, heading_word, NULL, HEADING_COUNT);

    mt_topology_complain(self, line, "[%s]: unknown section%s%s%s", text,
                         nearest != NULL ? "; did you mean [" : "", nearest != NULL ? nearest : "",
                         nearest != NULL ? "]?" : "");
}

static void begin_section(void *user, const char *text, unsigned line)
{
    struct mt_topology_text *self = user;
    char word[32];
    text += strspn(text, " \t");
    size_t length = strcspn(text, " \t");
    const char *name = text + length + strspn(text + length, " \t");

    self->has_heading = true;
    self->current = SIZE_MAX;
    snprintf(word, sizeof word, "%.*s", (int)length, text);
    for (size_t i = 0; i < HEADING_COUNT; i++) {
        const struct heading *heading = &headings[i];
        if (strcmp(heading->word, word) != 0) {
            continue;
        }
        if (name[0] == '\0' ? heading->naming == NAMED : heading->naming == UNNAMED) {
            mt_topology_complain(self, line, "[%s]: expected %s", text, heading->usage);
        } else {
            open_section(self, heading, name, line);
        }
        return;
    }
    refuse_heading(self, text, word, line);
}

/* ---- entries --------------------------------------------------------------------------------- */

static bool may_stand_often(const char *word, const char *key)
{
    return strcmp(word, "at") == 0 || strcmp(key, "joins") == 0 || strcmp(key, "hub") == 0;
}

static struct mt_topology_entry *find_entry(const struct mt_topology_text *self, const char *key)
{
    for (size_t i = 0; i < self->entry_count; i++) {
        if (self->entries[i].section == self->current && strcmp(self->entries[i].key, key) == 0) {
            return &self->entries[i];
        }
    }
    return NULL;
}

static void add_entry(struct mt_topology_text *self, const char *key, const char *value,
                      unsigned line)
{
    struct mt_topology_entry *entries =
        grown(self, self->entries, self->entry_count, sizeof *entries);
    const char *key_copy = mt_topology_copy(self->pool, key);
    const char *value_copy = mt_topology_copy(self->pool, value);

    self->entries = entries != NULL ? entries : self->entries;
    if (entries != NULL && key_copy != NULL && value_copy != NULL) {
        entries[self->entry_count++] =
            (struct mt_topology_entry){self->current, key_copy, value_copy, line};
    }
}

static void take_value(void *user, const char *key, const char *value, unsigned line)
{
    struct mt_topology_text *self = user;

    if (self->current == SIZE_MAX) {
        if (!self->has_heading) { /* else the heading itself has been complained of */
            mt_topology_complain(self, line, "%s: expected a section heading before the first key",
                                 key);
        }
        return;
    }
    const struct mt_topology_entry *first = find_entry(self, key);
    if (first != NULL && !may_stand_often(self->sections[self->current].word, key)) {
        mt_topology_complain(self, line, "%s: given twice in this section; the first is in line %u",
                             key, first->line);
        return;
    }
    add_entry(self, key, value, line);
}

static void take_stray(void *user, const char *word, const char *rest, unsigned line)
{
    struct mt_topology_text *self = user;

    if (self->current != SIZE_MAX && strcmp(self->sections[self->current].word, "at") == 0) {
        add_entry(self, word, rest, line);
        return;
    }
    mt_topology_complain(self, line, "%s: expected KEY = VALUE", word);
}

/* "star.receivers=20": the section's name may hold blanks, but no dot; the key may. */
static void apply_setting(struct mt_topology_text *self, const char *setting)
{
    const char *dot = strchr(setting, '.');
    const char *equals = strchr(setting, '=');
    char part[3][192] = {"", "", ""};
    struct mt_topology_entry *entry;

    if (dot == NULL || equals == NULL || dot > equals || strlen(setting) >= sizeof part[0]) {
        mt_topology_complain(self, 0, "%s: expected SECTION.KEY=VALUE", setting);
        return;
    }
    snprintf(part[0], sizeof part[0], "%.*s", (int)(dot - setting), setting);
    snprintf(part[1], sizeof part[1], "%.*s", (int)(equals - dot - 1), dot + 1);
    snprintf(part[2], sizeof part[2], "%s", equals + 1 + strspn(equals + 1, " "));
    part[1][strcspn(part[1], " ")] = '\0';
    begin_section(self, part[0], 0);
    if (self->current == SIZE_MAX) {
        return;
    }
    entry = find_entry(self, part[1]);
    if (entry == NULL || may_stand_often(self->sections[self->current].word, part[1])) {
        add_entry(self, part[1], part[2], 0);
        return;
    }
    entry->value = mt_topology_copy(self->pool, part[2]);
    entry->line = 0;
    if (entry->value == NULL) {
        entry->value = "";
    }
}

void mt_topology_text_read(struct mt_topology_text *self, const char *text, size_t length,
                           const char *const *settings, size_t setting_count)
{
    static const struct mt_config_reader_ops ops = {begin_section, take_value, take_stray};

    self->current = SIZE_MAX;
    mt_config_read(text, length, self->path, &ops, self, self->problems);
    for (size_t i = 0; i < setting_count; i++) {
        apply_setting(self, settings[i]);
    }
}

void mt_topology_text_free(struct mt_topology_text *self)
{
    free(self->sections);
    free(self->entries);
}

/* ---- applying -------------------------------------------------------------------------------- */

static void heading_of(const struct mt_topology_section *section, char *buffer, size_t size)
{
    snprintf(buffer, size, "[%s%s%s]", section->word, section->name[0] != '\0' ? " " : "",
             section->name);
}

static void refuse_key(const struct mt_topology_text *self,
                       const struct mt_topology_section *section, enum mt_topology_scope scope,
                       const struct mt_topology_entry *entry)
{
    const char *nearest = mt_topology_key_nearest(scope, entry->key);
    const char *owner = mt_config_key_find(MT_CONFIG_CLOCK, entry->key) != NULL ? "clock" : "ptp";
    bool is_daemons = mt_config_key_find(MT_CONFIG_CLOCK, entry->key) != NULL ||
                      mt_config_key_find(MT_CONFIG_INSTANCE, entry->key) != NULL ||
                      mt_config_key_find(MT_CONFIG_PORT, entry->key) != NULL;
    char heading[80];

    heading_of(section, heading, sizeof heading);
    if (is_daemons && scope == MT_TOPOLOGY_SCOPE_NODE) {
        mt_topology_complain(self, entry->line,
                             "%s: unknown key in %s; as a key of meantime.conf it is %s.%s",
                             entry->key, heading, owner, entry->key);
        return;
    }
    mt_topology_complain(self, entry->line, "%s: unknown key in %s%s%s%s", entry->key, heading,
                         nearest != NULL ? "; did you mean " : "", nearest != NULL ? nearest : "",
                         nearest != NULL ? "?" : "");
}

void mt_topology_apply(const struct mt_topology_text *text,
                       const struct mt_topology_section *section, enum mt_topology_scope scope,
                       void *object)
{
    for (size_t i = 0; section != NULL && i < text->entry_count; i++) {
        const struct mt_topology_entry *entry = &text->entries[i];
        const struct mt_topology_key *key = mt_topology_key_find(scope, entry->key);
        char expected[200];

        if (entry->section != (size_t)(section - text->sections) ||
            (scope == MT_TOPOLOGY_SCOPE_NODE && strchr(entry->key, '.') != NULL)) {
            continue;
        }
        if (key == NULL) {
            refuse_key(text, section, scope, entry);
        } else if (!mt_topology_value(key, entry->value, object, text->pool)) {
            mt_topology_expected(key, expected, sizeof expected);
            mt_topology_complain(text, entry->line, "%s = %s: expected %s", entry->key,
                                 entry->value, expected);
        }
    }
}
