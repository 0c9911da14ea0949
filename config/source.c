/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Reading a file into sections and settings.  Nothing is applied yet, so that the order of
 * sections in the file means nothing: a default may stand behind what it is a default for.
 * Each value is tried on a scratch object here, where its line is known; after that applying it
 * cannot fail. */
#include "config/source_private.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "config/value_private.h"

struct heading {
    const char *word;
    enum mt_config_section_kind bare; /* without name; NONE: a name is needed */
    enum mt_config_section_kind named;
    const char *usage;
};
static const struct heading headings[] = {
    {"daemon", MT_CONFIG_SECTION_DAEMON, MT_CONFIG_SECTION_NONE, "[daemon]"},
    {"clock", MT_CONFIG_SECTION_CLOCK_DEFAULTS, MT_CONFIG_SECTION_CLOCK, "[clock NAME]"},
    {"ptp", MT_CONFIG_SECTION_PTP, MT_CONFIG_SECTION_PTP_PORT, "[ptp INTERFACE]"},
    {"instance", MT_CONFIG_SECTION_NONE, MT_CONFIG_SECTION_INSTANCE, "[instance NAME]"},
    {"port", MT_CONFIG_SECTION_NONE, MT_CONFIG_SECTION_PORT, "[port NAME]"},
    {"server", MT_CONFIG_SECTION_SERVER, MT_CONFIG_SECTION_NONE, "[server]"},
    {"ntp", MT_CONFIG_SECTION_NTP_DEFAULTS, MT_CONFIG_SECTION_NTP, "[ntp SERVER]"},
    {"refclock", MT_CONFIG_SECTION_NONE, MT_CONFIG_SECTION_REFCLOCK, "[refclock NAME]"},
    {"gnss", MT_CONFIG_SECTION_NONE, MT_CONFIG_SECTION_GNSS, "[gnss NAME]"},
    {"export", MT_CONFIG_SECTION_NONE, MT_CONFIG_SECTION_EXPORT, "[export NAME]"},
};
#define HEADING_COUNT (sizeof headings / sizeof headings[0])

/* Which scopes' keys may stand in a section; MT_CONFIG_SCOPE_COUNT ends the list. */
#define SCOPES_MAX 3
static const enum mt_config_scope scopes_of[][SCOPES_MAX] = {
    [MT_CONFIG_SECTION_NONE] = {MT_CONFIG_SCOPE_COUNT},
    [MT_CONFIG_SECTION_DAEMON] = {MT_CONFIG_DAEMON, MT_CONFIG_SCOPE_COUNT},
    [MT_CONFIG_SECTION_CLOCK_DEFAULTS] = {MT_CONFIG_CLOCK, MT_CONFIG_SCOPE_COUNT},
    [MT_CONFIG_SECTION_CLOCK] = {MT_CONFIG_CLOCK, MT_CONFIG_SCOPE_COUNT},
    [MT_CONFIG_SECTION_PTP] = {MT_CONFIG_INSTANCE, MT_CONFIG_PORT, MT_CONFIG_SCOPE_COUNT},
    [MT_CONFIG_SECTION_INSTANCE] = {MT_CONFIG_INSTANCE, MT_CONFIG_PORT, MT_CONFIG_SCOPE_COUNT},
    [MT_CONFIG_SECTION_PORT] = {MT_CONFIG_PORT, MT_CONFIG_OWN_PORT, MT_CONFIG_SCOPE_COUNT},
    [MT_CONFIG_SECTION_PTP_PORT] = {MT_CONFIG_PORT, MT_CONFIG_SCOPE_COUNT},
    [MT_CONFIG_SECTION_SERVER] = {MT_CONFIG_SERVER, MT_CONFIG_SCOPE_COUNT},
    [MT_CONFIG_SECTION_NTP_DEFAULTS] = {MT_CONFIG_NTP, MT_CONFIG_SCOPE_COUNT},
    [MT_CONFIG_SECTION_NTP] = {MT_CONFIG_NTP, MT_CONFIG_SCOPE_COUNT},
    [MT_CONFIG_SECTION_REFCLOCK] = {MT_CONFIG_REFCLOCK, MT_CONFIG_SCOPE_COUNT},
    [MT_CONFIG_SECTION_GNSS] = {MT_CONFIG_GNSS, MT_CONFIG_SCOPE_COUNT},
    [MT_CONFIG_SECTION_EXPORT] = {MT_CONFIG_EXPORT, MT_CONFIG_SCOPE_COUNT},
};

static void *grow(struct mt_config_source *self, void *array, size_t count, size_t size)
{
    bool is_full = (count & (count - 1)) == 0; /* capacities are powers of two */
    void *grown = is_full ? realloc(array, (count == 0 ? 1 : 2 * count) * size) : array;
    if (grown == NULL) {
        mt_config_problem_add(self->problems, self->path, 0, "out of memory");
    }
    return grown;
}

/* ---- sections ----------------------------------------------------------------------------- */

const struct mt_config_section *mt_config_source_find_section(const struct mt_config_source *self,
                                                              enum mt_config_section_kind kind,
                                                              const char *name)
{
    for (size_t i = 0; i < self->section_count; i++) {
        if (self->sections[i].kind == kind && strcmp(self->sections[i].name, name) == 0) {
            return &self->sections[i];
        }
    }
    return NULL;
}

size_t mt_config_source_section(struct mt_config_source *self, enum mt_config_section_kind kind,
                                const char *name, unsigned line)
{
    const struct mt_config_section *known = mt_config_source_find_section(self, kind, name);
    if (known != NULL) {
        return (size_t)(known - self->sections);
    }
    struct mt_config_section *grown =
        grow(self, self->sections, self->section_count, sizeof *grown);
    const char *copy = mt_config_pool_text(&self->pool, name);
    if (grown != NULL) {
        self->sections = grown;
    }
    if (grown == NULL || copy == NULL) {
        return 0;
    }
    grown[self->section_count] = (struct mt_config_section){kind, copy, line};
    return self->section_count++;
}

static const char *heading_word(const void *names, size_t n)
{
    (void)names;
    return headings[n].word;
}

/* A port is called after its interface where nothing else is said, and a server after its host. */
static bool is_name_for(enum mt_config_section_kind kind, const char *name)
{
    bool is_interface = mt_config_is_interface(name);
    return kind == MT_CONFIG_SECTION_PTP_PORT
               ? is_interface
               : mt_config_is_name(name) || (kind == MT_CONFIG_SECTION_PORT && is_interface) ||
                     (kind == MT_CONFIG_SECTION_NTP && mt_config_is_host(name));
}

static bool is_good_name(struct mt_config_source *self, const struct heading *heading,
                         const char *name, unsigned line)
{
    if (name[0] == '\0' && heading->bare == MT_CONFIG_SECTION_NONE) {
        mt_config_problem_add(self->problems, self->path, line, "[%s]: expected a name: %s",
                              heading->word, heading->usage);
    } else if (name[0] == '\0') {
        return true;
    } else if (heading->named == MT_CONFIG_SECTION_NONE) {
        mt_config_problem_add(self->problems, self->path, line,
                              "[%s %s]: this section takes no name: %s", heading->word, name,
                              heading->usage);
    } else if (is_name_for(heading->named, name)) {
        return true;
    } else if (heading->named == MT_CONFIG_SECTION_PTP_PORT) {
        mt_config_problem_add(self->problems, self->path, line,
                              "[%s %s]: expected the name of an interface, at most %d characters",
                              heading->word, name, MT_CONFIG_INTERFACE_MAX);
    } else {
        bool is_host = heading->named == MT_CONFIG_SECTION_NTP;
        mt_config_problem_add(
            self->problems, self->path, line,
            "[%s %s]: expected %sa name of letters, digits, '.', '_' and '-', at most %d%s",
            heading->word, name, is_host ? "an address, or " : "", MT_CONFIG_NAME_MAX,
            is_host ? "; a longer one goes into address = NAME, its port into port = NUMBER" : "");
    }
    return false;
}

/* Once, where it looks as if all of the file were another program's. */
static const char *advise_import(struct mt_config_source *self, char *buffer, size_t size)
{
    buffer[0] = '\0';
    if (!self->has_told_import) {
        self->has_told_import = true;
        snprintf(buffer, size, "; `meantime import %s` makes one of ours of such a file",
                 self->path != NULL ? self->path : "FILE");
    }
    return buffer;
}

/* Capitals are no reason not to know it. */
static const char *nearest_heading(const char *text, size_t length)
{
    char word[64];
    snprintf(word, sizeof word, "%.*s", (int)length, text);
    for (char *at = word; *at != '\0'; at++) {
        *at = (char)tolower((unsigned char)*at);
    }
    return mt_config_nearest(word, heading_word, NULL, HEADING_COUNT);
}

/* [global] and [eth0] of ptp4l: told once, and what stands in them is looked at all the same. */
static bool is_foreign_heading(struct mt_config_source *self, const char *text, size_t word_length,
                               unsigned line)
{
    bool is_global = strcmp(text, "global") == 0;
    bool is_interface = text[word_length] == '\0' && mt_config_is_interface(text) &&
                        nearest_heading(text, word_length) == NULL;
    if (is_global) {
        char advice[MT_CONFIG_PROBLEM_SIZE];
        mt_config_problem_add(self->problems, self->path, line,
                              "[global]: unknown section; ptp4l calls it so, here it is [ptp]%s",
                              advise_import(self, advice, sizeof advice));
        self->current = mt_config_source_section(self, MT_CONFIG_SECTION_PTP, "", line);
    } else if (is_interface) {
        mt_config_problem_add(self->problems, self->path, line,
                              "[%s]: unknown section; a port on the interface %s is [ptp %s]", text,
                              text, text);
        self->current = mt_config_source_section(self, MT_CONFIG_SECTION_PTP_PORT, text, line);
    }
    return is_global || is_interface;
}

static void complain_of_heading(struct mt_config_source *self, const char *text, size_t word_length,
                                unsigned line)
{
    const char *nearest = nearest_heading(text, word_length);
    if (strcmp(text, "security_association") == 0) {
        mt_config_problem_add(self->problems, self->path, line,
                              "[%s]: it stands in a file of its own, which security_file in [ptp] "
                              "names",
                              text);
        return;
    }
    mt_config_problem_add(self->problems, self->path, line, "[%s]: unknown section%s%s%s", text,
                          nearest != NULL ? "; did you mean [" : "", nearest != NULL ? nearest : "",
                          nearest != NULL ? "]?" : "");
}

static void begin_section(void *user, const char *text, unsigned line)
{
    struct mt_config_source *self = user;
    self->has_heading = true;
    text += strspn(text, " \t");
    size_t word_length = strcspn(text, " \t");
    const char *name = text + word_length + strspn(text + word_length, " \t");
    self->current = 0;
    for (size_t i = 0; i < HEADING_COUNT; i++) {
        const struct heading *heading = &headings[i];
        if (strlen(heading->word) != word_length ||
            strncmp(heading->word, text, word_length) != 0) {
            continue;
        }
        if (is_good_name(self, heading, name, line)) {
            self->current = mt_config_source_section(
                self, name[0] == '\0' ? heading->bare : heading->named, name, line);
        }
        return;
    }
    if (!is_foreign_heading(self, text, word_length, line)) {
        complain_of_heading(self, text, word_length, line);
    }
}

/* ---- keys --------------------------------------------------------------------------------- */

static const struct mt_config_key *find_key(enum mt_config_section_kind kind, const char *name)
{
    for (const enum mt_config_scope *scope = scopes_of[kind]; *scope != MT_CONFIG_SCOPE_COUNT;
         scope++) {
        const struct mt_config_key *key = mt_config_key_find(*scope, name);
        if (key != NULL) {
            return key;
        }
    }
    return NULL;
}

static bool may_stand(enum mt_config_section_kind kind, enum mt_config_scope scope)
{
    const enum mt_config_scope *allowed = scopes_of[kind];
    while (*allowed != MT_CONFIG_SCOPE_COUNT && *allowed != scope) {
        allowed++;
    }
    return *allowed == scope && scope != MT_CONFIG_SCOPE_COUNT;
}

/* All keys twice: first those of the section alone, so that of two that are as near the one that
 * may stand there is found. */
static const char *key_name(const void *names, size_t n)
{
    size_t count;
    const struct mt_config_key *keys = mt_config_keys(&count);
    const struct mt_config_key *key = &keys[n % count];
    const enum mt_config_section_kind *kind = names;
    return n >= count || may_stand(*kind, key->scope) ? key->name : NULL;
}

/* The first section that has a key of that name; null if none has. */
static const char *owner_of(const char *name)
{
    for (unsigned scope = 0; scope < MT_CONFIG_SCOPE_COUNT; scope++) {
        if (mt_config_key_find((enum mt_config_scope)scope, name) != NULL) {
            return mt_config_scope_heading((enum mt_config_scope)scope);
        }
    }
    return NULL;
}

/* "[instance main]" */
static void heading_of(const struct mt_config_section *section, char *buffer, size_t size)
{
    const char *word = "";
    for (size_t i = 0; i < HEADING_COUNT; i++) {
        if (headings[i].bare == section->kind || headings[i].named == section->kind) {
            word = headings[i].word;
        }
    }
    snprintf(buffer, size, "[%s%s%s]", word, section->name[0] != '\0' ? " " : "", section->name);
}

static void complain_of_key(struct mt_config_source *self, const struct mt_config_section *section,
                            const char *name, unsigned line)
{
    char heading[64];
    size_t count;
    heading_of(section, heading, sizeof heading);
    mt_config_keys(&count);
    const char *owner = owner_of(name);
    if (owner != NULL) {
        mt_config_problem_add(self->problems, self->path, line,
                              "%s: no key of %s; it belongs in %s", name, heading, owner);
        return;
    }
    const struct mt_config_foreign *foreign = mt_config_foreign_find(name, 0);
    if (foreign != NULL) {
        char text[MT_CONFIG_PROBLEM_SIZE];
        mt_config_foreign_say(foreign, text, sizeof text);
        mt_config_problem_add(self->problems, self->path, line, "%s: unknown key in %s; %s", name,
                              heading, text);
        return;
    }
    const char *nearest = mt_config_nearest(name, key_name, &section->kind, 2 * count);
    bool is_elsewhere = nearest != NULL && find_key(section->kind, nearest) == NULL;
    mt_config_problem_add(self->problems, self->path, line, "%s: unknown key in %s%s%s%s%s%s", name,
                          heading, nearest != NULL ? "; did you mean " : "",
                          nearest != NULL ? nearest : "", nearest != NULL ? "?" : "",
                          is_elsewhere ? " it belongs in " : "",
                          is_elsewhere ? owner_of(nearest) : "");
}

/* ---- values ------------------------------------------------------------------------------- */

static bool is_good_value(const struct mt_config_key *key, const char *value)
{
    union {
        struct mt_config_daemon daemon;
        struct mt_config_clock clock;
        struct mt_config_instance instance;
        struct mt_config_port port;
        struct mt_config_server server;
        struct mt_config_ntp ntp;
        struct mt_config_refclock refclock;
        struct mt_config_export export;
    } scratch;
    struct mt_config_pool pool = {NULL};
    memset(&scratch, 0, sizeof scratch);
    bool is_good = mt_config_value_parse(key, value, &scratch, &pool);
    mt_config_pool_free(&pool);
    return is_good;
}

/* Room is doubled, so that a list of many lines is not copied once for each. */
static void join(struct mt_config_source *self, struct mt_config_setting *setting,
                 const char *value)
{
    size_t length = setting->room > 0 ? setting->length : strlen(setting->text);
    size_t needed = length + strlen(value) + 2;
    if (needed > setting->room) {
        char *text = mt_config_pool_take(&self->pool, 2 * needed);
        if (text == NULL) {
            return;
        }
        memcpy(text, setting->text, length);
        mt_config_pool_give_back(&self->pool, setting->text);
        setting->text = text;
        setting->room = 2 * needed;
    }
    snprintf(setting->text + length, setting->room - length, " %s", value);
    setting->length = needed - 1;
}

/* A list may be given in pieces, everything else once. */
static void add_again(struct mt_config_source *self, struct mt_config_setting *first,
                      const char *name, const char *value, unsigned line)
{
    bool is_list =
        (first->key->type == MT_CONFIG_IDENTITIES || first->key->type == MT_CONFIG_STATIONS) &&
        strcmp(value, first->key->word) != 0 && strcmp(first->text, first->key->word) != 0;
    if (is_list) {
        join(self, first, value);
    } else {
        mt_config_problem_add(self->problems, self->path, line,
                              "%s: given twice in this section; the first is in line %u", name,
                              first->line);
    }
}

static void add_setting(struct mt_config_source *self, const struct mt_config_key *key,
                        const char *name, const char *value, unsigned line)
{
    for (size_t i = 0; i < self->setting_count; i++) {
        if (self->settings[i].section == self->current && self->settings[i].key == key) {
            add_again(self, &self->settings[i], name, value, line);
            return;
        }
    }
    struct mt_config_setting *grown =
        grow(self, self->settings, self->setting_count, sizeof *grown);
    char *copy = mt_config_pool_text(&self->pool, value);
    if (grown != NULL) {
        self->settings = grown;
    }
    if (grown != NULL && copy != NULL) {
        grown[self->setting_count++] = (struct mt_config_setting){
            .section = self->current, .key = key, .text = copy, .line = line};
    }
}

static const char *word_of(const void *words, size_t n)
{
    return ((const struct mt_config_word *)words)[n].word;
}

/* Only where the list of words is too long to look it through. */
static const char *nearest_word(const struct mt_config_key *key, const char *value)
{
    size_t count = 0;
    while (key->words != NULL && key->words[count].word != NULL) {
        count++;
    }
    return count < 6 ? NULL : mt_config_nearest(value, word_of, key->words, count);
}

/* Of a list the piece that is wrong, else the whole. */
static const char *find_fault(const struct mt_config_key *key, const char *value, char *piece,
                              size_t size)
{
    static const char separators[] = ", \t";
    bool is_list = key->type == MT_CONFIG_IDENTITIES || key->type == MT_CONFIG_STATIONS;
    for (const char *at = value; is_list && *(at += strspn(at, separators)) != '\0';) {
        size_t length = strcspn(at, separators);
        snprintf(piece, size, "%.*s", (int)length, at);
        if (!is_good_value(key, piece)) {
            return piece;
        }
        at += length;
    }
    return value;
}

static void take_value(void *user, const char *name, const char *value, unsigned line)
{
    struct mt_config_source *self = user;
    if (self->section_count == 0) { /* out of memory, which has been said */
        return;
    }
    const struct mt_config_section *section = &self->sections[self->current];
    if (section->kind == MT_CONFIG_SECTION_NONE) {
        if (!self->has_heading) { /* else the heading itself has been complained of */
            mt_config_problem_add(self->problems, self->path, line,
                                  "%s: expected a section heading before the first key", name);
        }
        return;
    }
    const struct mt_config_key *key = find_key(section->kind, name);
    if (key == NULL) {
        complain_of_key(self, section, name, line);
        return;
    }
    if (!is_good_value(key, value)) {
        char expected[MT_CONFIG_PROBLEM_SIZE];
        char piece[MT_CONFIG_PROBLEM_SIZE];
        mt_config_expected(key, expected, sizeof expected);
        const char *nearest = nearest_word(key, value);
        mt_config_problem_add(self->problems, self->path, line, "%s = %s: expected %s%s%s%s", name,
                              find_fault(key, value, piece, sizeof piece), expected,
                              nearest != NULL ? "; did you mean " : "",
                              nearest != NULL ? nearest : "", nearest != NULL ? "?" : "");
        return;
    }
    add_setting(self, key, name, value, line);
}

/* What to write instead of a key and its value without "=". */
static void advise_line(struct mt_config_source *self, const struct mt_config_key *key,
                        const char *word, const char *rest, unsigned line)
{
    char expected[MT_CONFIG_PROBLEM_SIZE];
    mt_config_expected(key, expected, sizeof expected);
    bool is_good = is_good_value(key, rest);
    bool has_one = key->type == MT_CONFIG_CHOICE && key->words[1].word == NULL;
    mt_config_problem_add(self->problems, self->path, line,
                          "%s: expected KEY = VALUE; write %s = %s%s", word, word,
                          is_good   ? rest
                          : has_one ? key->words[0].word
                                    : "VALUE, where VALUE is ",
                          is_good || has_one ? "" : expected);
}

/* "priority1 128" as in ptp4l, "makestep 1 3" as in chrony; or a word that nobody knows. */
static void take_stray(void *user, const char *word, const char *rest, unsigned line)
{
    struct mt_config_source *self = user;
    const struct mt_config_foreign *foreign = mt_config_foreign_find(word, 0);
    enum mt_config_section_kind kind =
        self->section_count == 0 ? MT_CONFIG_SECTION_NONE : self->sections[self->current].kind;
    if (kind == MT_CONFIG_SECTION_NONE && self->has_heading) {
        return; /* the heading itself has been complained of */
    }
    const struct mt_config_key *key = find_key(kind, word);
    for (unsigned scope = 0; key == NULL && foreign == NULL && scope < MT_CONFIG_SCOPE_COUNT;
         scope++) {
        key = mt_config_key_find((enum mt_config_scope)scope, word);
    }
    if (key != NULL && rest[0] != '\0') {
        advise_line(self, key, word, rest, line);
    } else if (key == NULL && foreign != NULL) {
        char text[MT_CONFIG_PROBLEM_SIZE];
        char advice[MT_CONFIG_PROBLEM_SIZE] = "";
        mt_config_foreign_say(foreign, text, sizeof text);
        mt_config_problem_add(self->problems, self->path, line,
                              "%s: expected [SECTION] or KEY = VALUE; %s%s", word, text,
                              self->has_heading ? "" : advise_import(self, advice, sizeof advice));
    } else {
        mt_config_problem_add(self->problems, self->path, line,
                              "expected [SECTION] or KEY = VALUE");
    }
}

const struct mt_config_setting *mt_config_source_find(const struct mt_config_source *self,
                                                      enum mt_config_section_kind kind,
                                                      const char *name, const char *key)
{
    for (size_t i = 0; i < self->setting_count; i++) {
        const struct mt_config_setting *setting = &self->settings[i];
        const struct mt_config_section *section = &self->sections[setting->section];
        if (section->kind == kind && strcmp(section->name, name) == 0 &&
            strcmp(setting->key->name, key) == 0) {
            return setting;
        }
    }
    return NULL;
}

void mt_config_source_read(struct mt_config_source *self, const char *text, size_t length)
{
    static const struct mt_config_reader_ops ops = {begin_section, take_value, take_stray};
    self->current = mt_config_source_section(self, MT_CONFIG_SECTION_NONE, "", 0);
    mt_config_read(text, length, self->path, &ops, self, self->problems);
}

void mt_config_source_free(struct mt_config_source *self)
{
    free(self->sections);
    free(self->settings);
    mt_config_pool_free(&self->pool);
}
