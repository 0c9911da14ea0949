/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * A key in words: what a value must look like, and the whole story for `meantime explain`. */
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>
#include <strings.h>

#include "config/config.h"
#include "config/profile.h"

#define LINE_LENGTH   76
#define SIMILAR_LEAST 3 /* characters */

struct sentence {
    char *at;
    size_t room;
};

static void say(struct sentence *self, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void say(struct sentence *self, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(self->at, self->room, format, arguments);
    va_end(arguments);
    if (length < 0 || (size_t)length >= self->room) {
        length = self->room == 0 ? 0 : (int)self->room - 1;
    }
    self->at += length;
    self->room -= (size_t)length;
}

/* A limit as it would be written in the file. */
static void say_limit(struct sentence *self, const struct mt_config_key *key, int64_t value)
{
    char text[40];
    union {
        struct mt_interval interval;
        mt_real real;
    } object;
    struct mt_config_key limit = *key;
    limit.word = NULL;
    limit.offset = 0;
    if (key->type == MT_CONFIG_SPAN || key->type == MT_CONFIG_INTERVAL) {
        limit.type = MT_CONFIG_INTERVAL;
        object.interval = mt_interval_from_ns(value);
    } else {
        object.real = (mt_real)value / 1e9;
    }
    mt_config_value_write(&limit, &object, text, sizeof text);
    say(self, "%s", text);
}

static void say_range(struct sentence *self, const struct mt_config_key *key, const char *what,
                      const char *units)
{
    say(self, "%s from ", what);
    say_limit(self, key, key->min);
    say(self, " to ");
    say_limit(self, key, key->max);
    say(self, " with its unit (%s)", units);
}

static void say_words(struct sentence *self, const struct mt_config_key *key)
{
    const struct mt_config_word *word = key->words;
    for (size_t i = 0; word[i].word != NULL; i++) {
        const char *separator = i == 0 ? "" : word[i + 1].word == NULL ? " or " : ", ";
        say(self, "%s%s", separator, word[i].word);
    }
}

static void say_code(struct sentence *self, const struct mt_config_key *key)
{
    size_t count = 0;
    while (key->words[count].word != NULL) {
        count++;
    }
    say(self, "a number from 0 to 255, or a word such as %s (see `meantime explain %s`)",
        key->words[count / 2].word, key->name);
}

void mt_config_expected(const struct mt_config_key *key, char *buffer, size_t size)
{
    struct sentence sentence = {buffer, size};
    char number[64];
    snprintf(number, sizeof number,
             ", or names, each with /PRIORITY, %" PRId64 " to %" PRId64 ", if need be", key->min,
             key->max);
    switch (key->type) {
    case MT_CONFIG_INTEGER:
        say(&sentence, "an integer from %" PRId64 " to %" PRId64, key->min, key->max);
        break;
    case MT_CONFIG_BOOLEAN:
    case MT_CONFIG_FLAG:
        say(&sentence, "yes or no");
        break;
    case MT_CONFIG_CHOICE:
        say_words(&sentence, key);
        break;
    case MT_CONFIG_CODE:
        say_code(&sentence, key);
        break;
    case MT_CONFIG_INTERVAL:
    case MT_CONFIG_SPAN:
    case MT_CONFIG_SECONDS:
        say_range(&sentence, key, "a time", "ns, us, ms, s, min, h");
        break;
    case MT_CONFIG_RATIO:
        say_range(&sentence, key, "a ratio", "ppb, ppm");
        break;
    case MT_CONFIG_NAME:
        say(&sentence, "a name of letters, digits, '.', '_' and '-', at most %d",
            MT_CONFIG_NAME_MAX);
        break;
    case MT_CONFIG_INTERFACE:
        say(&sentence, "the name of an interface, at most 15 characters");
        break;
    case MT_CONFIG_PATH:
        say(&sentence, "a path that begins with /");
        break;
    case MT_CONFIG_DEVICE:
        say(&sentence, "a device, at most %d characters without spaces", MT_CONFIG_DEVICE_MAX);
        break;
    case MT_CONFIG_TEXT:
        say(&sentence, "a text of at most %d octets, without quotes", MT_CONFIG_TEXT_MAX);
        break;
    case MT_CONFIG_IDENTITY:
        say(&sentence, "a clock identity such as aabbcc.fffe.ddeeff");
        break;
    case MT_CONFIG_IDENTITIES:
        say(&sentence, "clock identities such as aabbcc.fffe.ddeeff, or aabbcc.fffe.ddeeff-1 for "
                       "one port");
        break;
    case MT_CONFIG_STATIONS:
        say(&sentence, "addresses such as 192.0.2.1%s%s",
            key->scope == MT_CONFIG_SERVER || key->scope == MT_CONFIG_NTP
                ? " or 2001:db8::1"
                : ", 2001:db8::1 or 00:11:22:33:44:55",
            key->max == 255   ? number
            : key->max == 128 ? ", each with /BITS for all that begin like it"
                              : "");
        break;
    }
    if (key->word != NULL) {
        say(&sentence, ", or %s", key->word);
    }
}

/* Text broken into lines of at most LINE_LENGTH characters, the first one behind `head`. */
void mt_config_print_wrapped(FILE *out, const char *head, const char *text)
{
    int indent = (int)strlen(head);
    size_t room = LINE_LENGTH - strlen(head);
    size_t column = 0;
    fputs(head, out);
    while (*(text += strspn(text, " ")) != '\0') {
        size_t length = strcspn(text, " ");
        if (column > 0 && column + 1 + length > room) {
            fprintf(out, "\n%*s", indent, "");
            column = 0;
        }
        fprintf(out, "%s%.*s", column == 0 ? "" : " ", (int)length, text);
        column += length + (column == 0 ? 0 : 1);
        text += length;
    }
    fputc('\n', out);
}

static void print_words(FILE *out, const struct mt_config_key *key)
{
    if (key->type != MT_CONFIG_CODE) {
        return;
    }
    fprintf(out, "    words:   ");
    for (size_t i = 0; key->words[i].word != NULL; i++) {
        fprintf(out, "%s%s 0x%02x",
                i == 0       ? ""
                : i % 3 == 0 ? ",\n             "
                             : ", ",
                key->words[i].word, (unsigned)key->words[i].value);
    }
    fputc('\n', out);
}

static void print_aliases(FILE *out, const struct mt_config_key *key)
{
    size_t index = 0;
    const char *alias = mt_config_key_alias(key, &index);
    if (alias == NULL) {
        return;
    }
    fprintf(out, "    also:    %s", alias);
    while ((alias = mt_config_key_alias(key, &index)) != NULL) {
        fprintf(out, ", %s", alias);
    }
    fputc('\n', out);
}

static void explain_key(FILE *out, const struct mt_config_key *key)
{
    char expected[256];
    mt_config_expected(key, expected, sizeof expected);
    fprintf(out, "%s\n", key->name);
    mt_config_print_wrapped(out, "    ", key->help);
    mt_config_print_wrapped(out, "    value:   ", expected);
    if (key->unit[0] != '\0' && key->type == MT_CONFIG_INTEGER) {
        fprintf(out, "    unit:    %s\n", key->unit);
    }
    if (key->fallback[0] != '\0') {
        fprintf(out, "    default: %s\n", key->fallback);
    }
    fprintf(out, "    in:      %s\n", mt_config_scope_heading(key->scope));
    print_words(out, key);
    print_aliases(out, key);
    if (key->words == mt_config_profile_words) {
        fprintf(out, "    profiles, each told by `meantime explain NAME`:\n");
        mt_config_profile_list(out);
    }
}

static void list_keys(FILE *out)
{
    size_t count;
    const struct mt_config_key *keys = mt_config_keys(&count);
    for (size_t i = 0; i < count; i++) {
        if (i == 0 || keys[i].scope != keys[i - 1].scope) {
            fprintf(out, "%s%s\n", i == 0 ? "" : "\n", mt_config_scope_heading(keys[i].scope));
        }
        fprintf(out, "    %-28s %s\n", keys[i].name, keys[i].fallback);
    }
}

static bool is_heading_of(const char *heading, const char *word, size_t length)
{
    for (const char *at = strchr(heading, '['); at != NULL; at = strchr(at + 1, '[')) {
        if (strncmp(at + 1, word, length) == 0 && strchr(" ]", at[1 + length]) != NULL) {
            return true;
        }
    }
    return false;
}

/* "gnss", "[gnss]" or "[gnss hat]": what may stand there. */
static bool explain_section(FILE *out, const char *name, bool is_first)
{
    size_t count;
    const struct mt_config_key *keys = mt_config_keys(&count);
    const char *word = name + (name[0] == '[');
    size_t length = strcspn(word, " ]");
    bool is_found = false;
    for (size_t i = 0; length > 0 && i < count; i++) {
        const char *heading = mt_config_scope_heading(keys[i].scope);
        bool is_new = i == 0 || keys[i].scope != keys[i - 1].scope;
        if (!is_heading_of(heading, word, length)) {
            continue;
        }
        if (is_new) {
            fprintf(out, "%skeys of %s, and their defaults:\n", is_first ? "" : "\n", heading);
            is_first = false;
        }
        fprintf(out, "    %-28s %s\n", keys[i].name, keys[i].fallback);
        is_found = true;
    }
    return is_found;
}

/* Whoever knows half of a name. */
static void list_similar(FILE *out, const char *name)
{
    size_t count;
    const struct mt_config_key *keys = mt_config_keys(&count);
    bool is_first = true;
    for (size_t i = 0; strlen(name) >= SIMILAR_LEAST && i < count; i++) {
        if (strstr(keys[i].name, name) != NULL) {
            fprintf(out, "%s    %-28s %s\n", is_first ? "these have it in their name:\n" : "",
                    keys[i].name, mt_config_scope_heading(keys[i].scope));
            is_first = false;
        }
    }
}

static const char *name_of(const void *names, size_t n)
{
    return ((const struct mt_config_key *)names)[n].name;
}

/* All keys of that name, in any section.  How many there were. */
static unsigned explain_name(FILE *out, const char *name)
{
    unsigned found = 0;
    for (unsigned scope = 0; scope < MT_CONFIG_SCOPE_COUNT; scope++) {
        const struct mt_config_key *key = mt_config_key_find((enum mt_config_scope)scope, name);
        if (key == NULL) {
            continue;
        }
        if (found++ > 0) {
            fputc('\n', out);
        }
        explain_key(out, key);
    }
    return found;
}

static bool explain_foreign(FILE *out, const char *name)
{
    const struct mt_config_foreign *foreign;
    size_t n = 0;
    for (; (foreign = mt_config_foreign_find(name, n)) != NULL; n++) {
        char text[400];
        mt_config_foreign_say(foreign, text, sizeof text);
        fprintf(out, "%s%s\n", n > 0 ? "\n" : "", name);
        mt_config_print_wrapped(out, "    ", text);
        for (size_t i = 0; i < 2 && foreign->keys[i][0] != '\0'; i++) {
            fputc('\n', out);
            explain_name(out, foreign->keys[i]);
        }
    }
    return n > 0;
}

static bool has_word(const struct mt_config_key *key, const char *name)
{
    const struct mt_config_word *word = key->words;
    if (word == mt_config_profile_words) { /* a profile has a table of its own */
        return false;
    }
    while (word != NULL && word->word != NULL && strcasecmp(word->word, name) != 0) {
        word++;
    }
    return word != NULL && word->word != NULL;
}

/* A value instead of a key, such as `pi`. */
static bool explain_word(FILE *out, const char *name)
{
    size_t count;
    const struct mt_config_key *keys = mt_config_keys(&count);
    bool is_found = false;
    for (size_t i = 0; i < count; i++) {
        if (has_word(&keys[i], name)) {
            fprintf(out, "%s%s is a value of %s:\n\n", is_found ? "\n" : "", name, keys[i].name);
            explain_key(out, &keys[i]);
            is_found = true;
        }
    }
    return is_found;
}

static bool explain_profile(FILE *out, const char *name)
{
    enum mt_config_profile profile;
    if (!mt_config_profile_find(name, &profile) || profile == MT_CONFIG_PROFILE_NONE) {
        return false;
    }
    mt_config_profile_print(profile, out);
    return true;
}

bool mt_config_explain(const char *name, FILE *out)
{
    size_t count;
    const struct mt_config_key *keys = mt_config_keys(&count);
    if (name == NULL) {
        list_keys(out);
        return true;
    }
    if (explain_name(out, name) > 0) {
        return true;
    }
    bool is_known =
        explain_foreign(out, name) || explain_word(out, name) || explain_profile(out, name);
    if (explain_section(out, name, !is_known) || is_known) {
        return true;
    }
    const char *nearest = mt_config_nearest(name, name_of, keys, count);
    fprintf(out, "%s: there is no such key%s%s%s\n", name, nearest != NULL ? "; did you mean " : "",
            nearest != NULL ? nearest : "", nearest != NULL ? "?" : "");
    list_similar(out, name);
    return false;
}
