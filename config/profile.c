/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The profile table and what it means.  Rows are text, read with the same functions as the file:
 * so a profile can only say what a user could have written, and a key that several profiles limit
 * needs no code of its own.  Values are compared in the form in which they would be written, which
 * is one for each meaning. */
#include "config/profile.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "config/value_private.h"

struct profile {
    const char *name;
    const char *title;
    const char *identity;
};

#define MT_CONFIG_PROFILE(symbol, name, title, identity)                                           \
    [MT_CONFIG_PROFILE_##symbol] = {name, title, identity},
#define MT_CONFIG_PROFILE_KEY(symbol, key, value, allowed)
static const struct profile profiles[] = {
    [MT_CONFIG_PROFILE_NONE] = {"none", "no profile: every key has its own default and range", ""},
#include "config/profiles.def"
};
#undef MT_CONFIG_PROFILE
#undef MT_CONFIG_PROFILE_KEY

#define MT_CONFIG_PROFILE(symbol, name, title, identity)
#define MT_CONFIG_PROFILE_KEY(symbol, key, value, allowed)                                         \
    {MT_CONFIG_PROFILE_##symbol, #key, value, allowed},
static const struct mt_config_profile_row rows[] = {
#include "config/profiles.def"
};
#undef MT_CONFIG_PROFILE
#undef MT_CONFIG_PROFILE_KEY
#define ROW_COUNT (sizeof rows / sizeof rows[0])

#define MT_CONFIG_PROFILE(symbol, name, title, identity) {name, MT_CONFIG_PROFILE_##symbol},
#define MT_CONFIG_PROFILE_KEY(symbol, key, value, allowed)
const struct mt_config_word mt_config_profile_words[] = {
    {"none", MT_CONFIG_PROFILE_NONE},
#include "config/profiles.def"
    {NULL, 0},
};

#define TEXT_SIZE 80
#define NAME_SIZE 40

const char *mt_config_profile_title(enum mt_config_profile profile)
{
    return profiles[profile].title;
}

const char *mt_config_profile_name(enum mt_config_profile profile)
{
    return profiles[profile].name;
}

/* ---- names -------------------------------------------------------------------------------- */

/* Letters in lower case and digits, all that people agree upon when they write such a name. */
static void bare_name(const char *text, char bare[NAME_SIZE])
{
    static const char *const bodies[] = {"itut", "iec", "ieee", "smpte"};
    size_t length = 0;
    for (; *text != '\0' && length < NAME_SIZE - 1; text++) {
        if (isalnum((unsigned char)*text)) {
            bare[length++] = (char)tolower((unsigned char)*text);
        }
    }
    bare[length] = '\0';
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        size_t prefix = strlen(bodies[i]);
        if (strncmp(bare, bodies[i], prefix) == 0) {
            memmove(bare, bare + prefix, length - prefix + 1);
            length -= prefix;
        }
    }
}

bool mt_config_profile_find(const char *text, enum mt_config_profile *ret_profile)
{
    static const struct {
        const char *name;
        enum mt_config_profile profile;
    } others[] = {
        {"default", MT_CONFIG_PROFILE_DEFAULT_E2E},     {"gptp", MT_CONFIG_PROFILE_IEEE_802_1AS},
        {"8021as2020", MT_CONFIG_PROFILE_IEEE_802_1AS}, {"power", MT_CONFIG_PROFILE_C37_238_2017},
        {"c37238", MT_CONFIG_PROFILE_C37_238_2017},     {"rfc9760", MT_CONFIG_PROFILE_ENTERPRISE},
    };
    char wanted[NAME_SIZE];
    char known[NAME_SIZE];
    bare_name(text, wanted);
    for (size_t i = 0; i < sizeof profiles / sizeof profiles[0]; i++) {
        bare_name(profiles[i].name, known);
        if (strcmp(wanted, known) == 0) {
            *ret_profile = (enum mt_config_profile)i;
            return true;
        }
    }
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        if (strcmp(wanted, others[i].name) == 0) {
            *ret_profile = others[i].profile;
            return true;
        }
    }
    return false;
}

const char *mt_config_profile_identity(enum mt_config_profile profile)
{
    return profiles[profile].identity;
}

const struct mt_config_profile_row *mt_config_profile_next(enum mt_config_profile profile,
                                                           size_t *index)
{
    while (*index < ROW_COUNT) {
        const struct mt_config_profile_row *row = &rows[(*index)++];
        if (row->profile == profile) {
            return row;
        }
    }
    return NULL;
}

const struct mt_config_key *mt_config_profile_key(const struct mt_config_profile_row *row,
                                                  enum mt_config_scope scope)
{
    const struct mt_config_key *key = mt_config_key_find(scope, row->key);
    return key != NULL && strcmp(key->name, row->key) == 0 ? key : NULL;
}

/* ---- values ------------------------------------------------------------------------------- */

union object {
    struct mt_config_instance instance;
    struct mt_config_port port;
};

/* Reads a text into an object that is all zero but for that; words that it has are the pool's. */
static bool read_into(const struct mt_config_key *key, const char *text, union object *object,
                      struct mt_config_pool *pool)
{
    memset(object, 0, sizeof *object);
    return mt_config_value_parse(key, text, object, pool);
}

/* The one way in which a value is written; false if it is none of the key's. */
static bool canonical(const struct mt_config_key *key, const char *text, char *buffer, size_t size)
{
    struct mt_config_pool pool = {NULL};
    union object object;
    bool is_good = read_into(key, text, &object, &pool);
    if (is_good) {
        mt_config_value_write(key, &object, buffer, size);
    }
    mt_config_pool_free(&pool);
    return is_good;
}

static int64_t number_of(const struct mt_config_key *key, const void *object)
{
    char text[TEXT_SIZE];
    struct mt_interval interval;
    if (key->type == MT_CONFIG_INTERVAL) {
        memcpy(&interval, (const char *)object + key->offset, sizeof interval);
        return interval.q16;
    }
    mt_config_value_write(key, object, text, sizeof text);
    return strtoll(text, NULL, 0);
}

/* Splits "A..B"; false if there are no dots. */
static bool split_range(const char *text, char low[TEXT_SIZE], const char **ret_high)
{
    const char *dots = strstr(text, "..");
    if (dots == NULL) {
        return false;
    }
    snprintf(low, TEXT_SIZE, "%.*s", (int)(dots - text), text);
    *ret_high = dots + 2;
    return true;
}

static bool is_within(const struct mt_config_key *key, const char *low, const char *high,
                      const void *object)
{
    struct mt_config_pool pool = {NULL};
    union object lowest;
    union object highest;
    bool is_good = read_into(key, low, &lowest, &pool) && read_into(key, high, &highest, &pool) &&
                   number_of(key, object) >= number_of(key, &lowest) &&
                   number_of(key, object) <= number_of(key, &highest);
    mt_config_pool_free(&pool);
    return is_good;
}

/* Takes the next of the values with | between them; false at the end. */
static bool next_value(const char **allowed, char value[TEXT_SIZE])
{
    if (**allowed == '\0') {
        return false;
    }
    size_t length = strcspn(*allowed, "|");
    snprintf(value, TEXT_SIZE, "%.*s", (int)length, *allowed);
    *allowed += length + ((*allowed)[length] == '|' ? 1 : 0);
    return true;
}

static bool is_value(const struct mt_config_key *key, const char *value, const void *object)
{
    char low[TEXT_SIZE];
    char one[TEXT_SIZE];
    char other[TEXT_SIZE];
    const char *high;
    if (split_range(value, low, &high)) {
        return is_within(key, low, high, object);
    }
    mt_config_value_write(key, object, other, sizeof other);
    return canonical(key, value, one, sizeof one) && strcmp(one, other) == 0;
}

bool mt_config_profile_allows(const struct mt_config_profile_row *row,
                              const struct mt_config_key *key, const void *object)
{
    const char *allowed = row->allowed;
    char value[TEXT_SIZE];
    while (next_value(&allowed, value)) {
        if (is_value(key, value, object)) {
            return true;
        }
    }
    return row->allowed[0] == '\0';
}

bool mt_config_profile_is_there(const struct mt_config_profile_row *row)
{
    static const enum mt_config_scope scopes[] = {MT_CONFIG_INSTANCE, MT_CONFIG_PORT};
    char text[TEXT_SIZE];
    bool is_there = false;
    for (size_t i = 0; i < sizeof scopes / sizeof scopes[0]; i++) {
        const struct mt_config_key *key = mt_config_profile_key(row, scopes[i]);
        if (key == NULL) {
            continue;
        }
        is_there = row->value[0] == '\0' || canonical(key, row->value, text, sizeof text);
    }
    return is_there;
}

static bool is_whole_range(const char *text, int16_t *ret_lowest, int16_t *ret_highest)
{
    char *end;
    long lowest = strtol(text, &end, 10);
    if (end == text || lowest < INT16_MIN || lowest > INT16_MAX) {
        return false;
    }
    long highest = strncmp(end, "..", 2) == 0 ? strtol(end + 2, &end, 10) : lowest;
    if (*end != '\0' || highest < lowest || highest > INT16_MAX) {
        return false;
    }
    *ret_lowest = (int16_t)lowest;
    *ret_highest = (int16_t)highest;
    return true;
}

bool mt_config_profile_range(enum mt_config_profile profile, const char *key, int16_t *ret_lowest,
                             int16_t *ret_highest)
{
    const struct mt_config_profile_row *row;
    size_t index = 0;
    while ((row = mt_config_profile_next(profile, &index)) != NULL) {
        if (strcmp(row->key, key) == 0) {
            return is_whole_range(row->allowed, ret_lowest, ret_highest);
        }
    }
    return false;
}

bool mt_config_profile_octets(enum mt_config_profile profile, uint8_t ret_octets[6])
{
    const char *text = profiles[profile].identity;
    uint8_t octets[6];
    for (unsigned i = 0; i < 6; i++) {
        char *end;
        octets[i] = (uint8_t)strtoul(text, &end, 16);
        if (end != text + 2 || *end != (i < 5 ? '-' : '\0')) {
            return false;
        }
        text = end + 1;
    }
    memcpy(ret_octets, octets, sizeof octets);
    return true;
}

/* ---- words -------------------------------------------------------------------------------- */

void mt_config_profile_expected(const struct mt_config_profile_row *row, char *buffer, size_t size)
{
    const char *allowed = row->allowed;
    char value[TEXT_SIZE];
    size_t length = 0;
    snprintf(buffer, size, "all that the key takes");
    while (next_value(&allowed, value) && length < size) {
        const char *separator = length == 0 ? "" : *allowed == '\0' ? " or " : ", ";
        char low[TEXT_SIZE];
        const char *high = NULL;
        bool is_range = split_range(value, low, &high);
        int added = is_range ? snprintf(buffer + length, size - length, "%sfrom %s to %s",
                                        separator, low, high)
                             : snprintf(buffer + length, size - length, "%s%s", separator, value);
        length += added > 0 ? (size_t)added : 0;
    }
}

void mt_config_profile_list(FILE *out)
{
    for (size_t i = 0; i < sizeof profiles / sizeof profiles[0]; i++) {
        fprintf(out, "    %-14s %s\n", profiles[i].name, profiles[i].title);
    }
}

void mt_config_profile_print(enum mt_config_profile profile, FILE *out)
{
    const struct mt_config_profile_row *row;
    size_t index = 0;
    fprintf(out, "profile = %s\n    %s", profiles[profile].name, profiles[profile].title);
    if (profiles[profile].identity[0] != '\0') {
        fprintf(out, " (profileIdentity %s)", profiles[profile].identity);
    }
    fprintf(out, "\n    %-28s %-18s %s\n", "key", "value", "allowed");
    while ((row = mt_config_profile_next(profile, &index)) != NULL) {
        char expected[160];
        mt_config_profile_expected(row, expected, sizeof expected);
        fprintf(out, "    %-28s %-18s %s%s\n", row->key, row->value, expected,
                mt_config_profile_is_there(row) ? "" : " [not there yet]");
    }
}
