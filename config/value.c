/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Values: text <-> member, by the type of the key.
 * Times and ratios carry their unit in the text, because a bare number is the classic way to be
 * wrong by a factor of a thousand; only 0 may stand without.  Times are read as a double number
 * of nanoseconds and rounded to 2^-16 ns, which is exact for everything below two minutes and
 * far better than needed above; they are written back exactly.  Numbers are read by our own
 * grammar (no exponent, no inf, no octal) before strtod sees them. */
#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "config/config.h"
#include "config/profile.h"
#include "config/schema.h"
#include "config/value_private.h"

struct unit {
    const char *name;
    double base; /* in ns or ppb */
};
static const struct unit long_units[] = {{"h", 3.6e12}, {"min", 6e10}, {"s", 1e9}, {"ms", 1e6},
                                         {"us", 1e3},   {"ns", 1},     {NULL, 0}};
static const struct unit *const time_units = long_units + 2; /* to write */
static const struct unit ratio_units[] = {{"ppm", 1e3}, {"ppb", 1}, {NULL, 0}};

/* ---- members of any integer type -------------------------------------------------------- */

static void store_integer(void *member, size_t size, int64_t value)
{
    int8_t i8 = (int8_t)value;
    int16_t i16 = (int16_t)value;
    int32_t i32 = (int32_t)value;
    if (size == sizeof i8) {
        memcpy(member, &i8, size);
    } else if (size == sizeof i16) {
        memcpy(member, &i16, size);
    } else if (size == sizeof i32) {
        memcpy(member, &i32, size);
    } else {
        memcpy(member, &value, size);
    }
}

static int64_t load_integer(const void *member, size_t size, bool is_signed)
{
    uint8_t u8;
    uint16_t u16;
    uint32_t u32;
    int64_t value;
    if (size == sizeof u8) {
        memcpy(&u8, member, size);
        return is_signed ? (int8_t)u8 : u8;
    }
    if (size == sizeof u16) {
        memcpy(&u16, member, size);
        return is_signed ? (int16_t)u16 : u16;
    }
    if (size == sizeof u32) {
        memcpy(&u32, member, size);
        return is_signed ? (int32_t)u32 : (int64_t)u32;
    }
    memcpy(&value, member, size);
    return value;
}

/* ---- numbers ------------------------------------------------------------------------------ */

static bool parse_integer(const char *text, int64_t min, int64_t max, int64_t *ret_value)
{
    const char *digits = text[0] == '-' || text[0] == '+' ? text + 1 : text;
    bool is_hex = digits[0] == '0' && (digits[1] == 'x' || digits[1] == 'X');
    if (is_hex) {
        digits += 2;
    }
    size_t length = strlen(digits);
    if (length == 0 || length > 18) {
        return false;
    }
    for (const char *c = digits; *c != '\0'; c++) {
        if (is_hex ? !isxdigit((unsigned char)*c) : !isdigit((unsigned char)*c)) {
            return false;
        }
    }
    int64_t value = strtoll(digits, NULL, is_hex ? 16 : 10) * (text[0] == '-' ? -1 : 1);
    if (value < min || value > max) {
        return false;
    }
    *ret_value = value;
    return true;
}

/* A decimal number with a unit, in the unit whose base is 1, and what stands behind it. */
static bool parse_part(const char *text, const struct unit *units, double *ret_value,
                       const struct unit **ret_unit, const char **ret_rest)
{
    size_t whole = strspn(text, "0123456789");
    size_t fraction = text[whole] == '.' ? 1 + strspn(text + whole + 1, "0123456789") : 0;
    if (whole == 0 || whole + fraction > 40 || fraction == 1) {
        return false;
    }
    double value = strtod(text, NULL);
    const char *unit = text + whole + fraction + strspn(text + whole + fraction, " ");
    size_t length = strspn(unit, "abcdefghijklmnopqrstuvwxyz");
    *ret_rest = unit + length + strspn(unit + length, " ");
    *ret_unit = NULL;
    *ret_value = 0;
    if (length == 0) {
        return value == 0;
    }
    for (; units->name != NULL; units++) {
        if (strlen(units->name) == length && strncmp(unit, units->name, length) == 0) {
            *ret_value = value * units->base;
            *ret_unit = units;
            return true;
        }
    }
    return false;
}

/* "10us", or "1 min 30 s": each unit smaller than the one before. */
static bool parse_quantity(const char *text, const struct unit *units, double *ret_value)
{
    bool is_negative = text[0] == '-';
    const char *at = is_negative || text[0] == '+' ? text + 1 : text;
    const struct unit *before;
    double sum;
    if (!parse_part(at, units, &sum, &before, &at)) {
        return false;
    }
    while (at[0] != '\0') {
        const struct unit *unit;
        double value;
        if (!parse_part(at, units, &value, &unit, &at) || before == NULL || unit == NULL ||
            unit->base >= before->base) {
            return false;
        }
        sum += value;
        before = unit;
    }
    *ret_value = is_negative ? -sum : sum;
    return true;
}

static bool is_within(double value, const struct mt_config_key *key)
{
    return value >= (double)key->min && value <= (double)key->max;
}

static bool parse_interval(const struct mt_config_key *key, const char *text,
                           struct mt_interval *ret_value)
{
    double ns;
    if (!parse_quantity(text, long_units, &ns) || !is_within(ns, key)) {
        return false;
    }
    ret_value->q16 = (int64_t)(ns * 65536 + (ns < 0 ? -0.5 : 0.5));
    return true;
}

static bool parse_real(const struct mt_config_key *key, const char *text, mt_real *ret_value)
{
    bool is_time = key->type == MT_CONFIG_SECONDS;
    double base;
    if (!parse_quantity(text, is_time ? long_units : ratio_units, &base) || !is_within(base, key)) {
        return false;
    }
    *ret_value = base / 1e9;
    return true;
}

/* ---- words -------------------------------------------------------------------------------- */

static bool parse_boolean(const char *text, bool *ret_value)
{
    static const struct mt_config_word words[] = {
        {"yes", 1}, {"no", 0}, {"true", 1}, {"false", 0}, {"on", 1},
        {"off", 0}, {"1", 1},  {"0", 0},    {NULL, 0},
    };
    for (const struct mt_config_word *word = words; word->word != NULL; word++) {
        if (strcmp(word->word, text) == 0) {
            *ret_value = word->value != 0;
            return true;
        }
    }
    return false;
}

static bool parse_word(const struct mt_config_key *key, const char *text, int64_t *ret_value)
{
    for (const struct mt_config_word *word = key->words; word->word != NULL; word++) {
        if (strcasecmp(word->word, text) == 0) {
            *ret_value = word->value;
            return true;
        }
    }
    enum mt_config_profile profile;
    if (key->words == mt_config_profile_words && mt_config_profile_find(text, &profile)) {
        *ret_value = profile;
        return true;
    }
    return key->type == MT_CONFIG_CODE && parse_integer(text, 0, UINT8_MAX, ret_value);
}

static bool parse_flag(const struct mt_config_key *key, const char *text, void *member)
{
    bool is_set;
    if (!parse_boolean(text, &is_set)) {
        return false;
    }
    uint16_t mask = (uint16_t)key->words[0].value;
    uint16_t flags;
    memcpy(&flags, member, sizeof flags);
    flags = (uint16_t)(is_set ? flags | mask : flags & ~mask);
    memcpy(member, &flags, sizeof flags);
    return true;
}

/* ---- strings ------------------------------------------------------------------------------ */

bool mt_config_is_name(const char *text)
{
    size_t length = strlen(text);
    for (size_t i = 0; i < length; i++) {
        if (!isalnum((unsigned char)text[i]) && strchr("._-", text[i]) == NULL) {
            return false;
        }
    }
    return length > 0 && length <= MT_CONFIG_NAME_MAX && text[0] != '.' && text[0] != '-';
}

/* Brackets end the heading that it may stand in; quotes are those of somebody's habit. */
bool mt_config_is_interface(const char *text)
{
    size_t length = strlen(text);
    for (size_t i = 0; i < length; i++) {
        if (!isgraph((unsigned char)text[i]) || strchr("/[]\"'", text[i]) != NULL) {
            return false;
        }
    }
    return length > 0 && length <= MT_CONFIG_INTERFACE_MAX && strcmp(text, ".") != 0 &&
           strcmp(text, "..") != 0;
}

static bool is_path(const char *text)
{
    return text[0] == '/' && strlen(text) <= MT_CONFIG_PATH_MAX;
}

char *mt_config_pool_text(struct mt_config_pool *pool, const char *text)
{
    char *copy = mt_config_pool_take(pool, strlen(text) + 1);
    if (copy != NULL) {
        strcpy(copy, text);
    }
    return copy;
}

static bool parse_text(const struct mt_config_key *key, const char *text, void *member,
                       struct mt_config_pool *pool)
{
    bool is_good = key->type == MT_CONFIG_NAME     ? mt_config_is_name(text)
                   : key->type == MT_CONFIG_PATH   ? is_path(text)
                   : key->type == MT_CONFIG_DEVICE ? mt_config_is_device(text)
                   : key->type == MT_CONFIG_TEXT   ? mt_config_is_for_people(text)
                                                   : mt_config_is_interface(text);
    const char *copy = is_good ? mt_config_pool_text(pool, text) : NULL;
    if (copy == NULL) {
        return false;
    }
    memcpy(member, &copy, sizeof copy);
    return true;
}

/* ---- identities --------------------------------------------------------------------------- */

static int hex_digit(char c)
{
    const char *digits = "0123456789abcdef";
    const char *found = c == '\0' ? NULL : strchr(digits, tolower((unsigned char)c));
    return found == NULL ? -1 : (int)(found - digits);
}

/* Sixteen hexadecimal digits; dots and colons between them mean nothing.  Returns what follows
 * them, null if there are not as many. */
const char *mt_config_identity_parse(const char *text, struct mt_clock_identity *ret_identity)
{
    struct mt_clock_identity identity = {{0}};
    unsigned digits = 0;
    for (; digits < 16; text++) {
        int digit = hex_digit(*text);
        if (digit < 0 && (digits == 0 || (*text != '.' && *text != ':'))) {
            return NULL;
        }
        if (digit < 0) {
            continue;
        }
        identity.octet[digits / 2] = (uint8_t)(identity.octet[digits / 2] << 4 | digit);
        digits++;
    }
    *ret_identity = identity;
    return text;
}

static bool parse_port_identity(const char *text, struct mt_port_identity *ret_identity)
{
    int64_t port = 0;
    const char *rest = mt_config_identity_parse(text, &ret_identity->clock);
    if (rest == NULL) {
        return false;
    }
    if (rest[0] == '-') {
        if (!isdigit((unsigned char)rest[1]) || !parse_integer(rest + 1, 1, 0xFFFE, &port)) {
            return false;
        }
    } else if (rest[0] != '\0') {
        return false;
    }
    ret_identity->port = (uint16_t)port;
    return true;
}

static bool parse_identities(const char *text, void *member, struct mt_config_pool *pool)
{
    const char *separators = ", \t";
    struct mt_port_identity *list =
        mt_config_pool_take(pool, (strlen(text) / 16 + 1) * sizeof *list);
    size_t count = 0;
    while (list != NULL && *(text += strspn(text, separators)) != '\0') {
        char one[32];
        size_t length = strcspn(text, separators);
        if (length >= sizeof one) {
            return false;
        }
        memcpy(one, text, length);
        one[length] = '\0';
        if (!parse_port_identity(one, &list[count++])) {
            return false;
        }
        text += length;
    }
    if (count == 0 || count > UINT16_MAX) {
        return false;
    }
    struct mt_config_identities identities = {list, count};
    memcpy(member, &identities, sizeof identities);
    return true;
}

/* ---- parse -------------------------------------------------------------------------------- */

static bool parse_member(const struct mt_config_key *key, const char *text, void *member,
                         struct mt_config_pool *pool)
{
    int64_t integer;
    bool boolean;
    mt_real real;
    struct mt_interval interval;
    struct mt_span span;
    struct mt_clock_identity identity;
    switch (key->type) {
    case MT_CONFIG_INTEGER:
        if (!parse_integer(text, key->min, key->max, &integer)) {
            return false;
        }
        store_integer(member, key->size, integer);
        return true;
    case MT_CONFIG_CHOICE:
    case MT_CONFIG_CODE:
        if (!parse_word(key, text, &integer)) {
            return false;
        }
        store_integer(member, key->size, integer);
        return true;
    case MT_CONFIG_BOOLEAN:
        if (!parse_boolean(text, &boolean)) {
            return false;
        }
        memcpy(member, &boolean, sizeof boolean);
        return true;
    case MT_CONFIG_FLAG:
        return parse_flag(key, text, member);
    case MT_CONFIG_INTERVAL:
        if (!parse_interval(key, text, &interval)) {
            return false;
        }
        memcpy(member, &interval, sizeof interval);
        return true;
    case MT_CONFIG_SPAN:
        if (!parse_interval(key, text, &interval)) {
            return false;
        }
        span = mt_span_from_interval(interval);
        memcpy(member, &span, sizeof span);
        return true;
    case MT_CONFIG_SECONDS:
    case MT_CONFIG_RATIO:
        if (!parse_real(key, text, &real)) {
            return false;
        }
        memcpy(member, &real, sizeof real);
        return true;
    case MT_CONFIG_NAME:
    case MT_CONFIG_INTERFACE:
    case MT_CONFIG_PATH:
    case MT_CONFIG_DEVICE:
    case MT_CONFIG_TEXT:
        return parse_text(key, text, member, pool);
    case MT_CONFIG_IDENTITY: {
        const char *rest = mt_config_identity_parse(text, &identity);
        if (rest == NULL || *rest != '\0') {
            return false;
        }
        memcpy(member, &identity, sizeof identity);
        return true;
    }
    case MT_CONFIG_IDENTITIES:
        return parse_identities(text, member, pool);
    case MT_CONFIG_STATIONS:
        return mt_config_stations_parse(key, text, member, pool);
    }
    return false;
}

bool mt_config_value_parse(const struct mt_config_key *key, const char *text, void *object,
                           struct mt_config_pool *pool)
{
    bool is_word = key->word != NULL && strcmp(text, key->word) == 0;
    char *member = (char *)object + key->offset;
    if (is_word) {
        memset(member, 0, key->size);
    } else if (!parse_member(key, text, member, pool)) {
        return false;
    }
    if (key->flag_offset != MT_CONFIG_NO_OFFSET) {
        memcpy((char *)object + key->flag_offset, &is_word, sizeof is_word);
    }
    return true;
}

/* ---- write -------------------------------------------------------------------------------- */

/* The largest unit in which the value is a whole number; if there is none, nanoseconds with all
 * the binary digits, each of which is a decimal one. */
static void write_interval(struct mt_interval value, char *buffer, size_t size)
{
    static const int64_t units_ns[] = {1000000000, 1000000, 1000, 1};
    int64_t ns = value.q16 / 65536;
    int64_t fraction = value.q16 % 65536;
    if (value.q16 == 0) {
        snprintf(buffer, size, "0");
        return;
    }
    for (size_t i = 0; i < 4 && fraction == 0; i++) {
        if (ns % units_ns[i] == 0) {
            snprintf(buffer, size, "%" PRId64 "%s", ns / units_ns[i], time_units[i].name);
            return;
        }
    }
    char digits[20];
    snprintf(digits, sizeof digits, "%016" PRId64,
             (fraction < 0 ? -fraction : fraction) * 152587890625);
    digits[strspn(digits, "0123456789")] = '\0';
    for (size_t end = strlen(digits); end > 1 && digits[end - 1] == '0'; end--) {
        digits[end - 1] = '\0';
    }
    snprintf(buffer, size, "%s%" PRId64 ".%sns", value.q16 < 0 ? "-" : "", ns < 0 ? -ns : ns,
             digits);
}

/* The shortest decimal that reads back as the same number. */
static void write_real(const struct mt_config_key *key, mt_real value, char *buffer, size_t size)
{
    const struct unit *units = key->type == MT_CONFIG_SECONDS ? time_units : ratio_units;
    if (value == 0) {
        snprintf(buffer, size, "0");
        return;
    }
    while (units[1].name != NULL && mt_real_abs(value * 1e9) < units->base) {
        units++;
    }
    for (int digits = 0; digits < 25; digits++) {
        mt_real back;
        snprintf(buffer, size, "%.*f%s", digits, value * 1e9 / units->base, units->name);
        if (parse_real(key, buffer, &back) && back == value) {
            return;
        }
    }
}

static void write_word(const struct mt_config_key *key, int64_t value, char *buffer, size_t size)
{
    for (const struct mt_config_word *word = key->words; word->word != NULL; word++) {
        if (word->value == value) {
            snprintf(buffer, size, "%s", word->word);
            return;
        }
    }
    snprintf(buffer, size, "0x%02" PRIx64, (uint64_t)value);
}

static bool is_word_set(const struct mt_config_key *key, const void *object)
{
    const char *bytes = object;
    bool flag = false;
    if (key->word == NULL) {
        return false;
    }
    if (key->flag_offset != MT_CONFIG_NO_OFFSET) {
        memcpy(&flag, bytes + key->flag_offset, sizeof flag);
        return flag;
    }
    for (size_t i = 0; i < key->size; i++) {
        if (bytes[key->offset + i] != 0) {
            return false;
        }
    }
    return true;
}

static void write_member(const struct mt_config_key *key, const void *member, char *buffer,
                         size_t size)
{
    struct mt_interval interval;
    struct mt_port_identity identity = {{{0}}, 0};
    struct mt_config_identities identities;
    struct mt_span span;
    mt_real real;
    const char *text;
    int64_t integer;
    switch (key->type) {
    case MT_CONFIG_INTEGER:
        integer = load_integer(member, key->size, key->min < 0);
        snprintf(buffer, size, "%" PRId64, integer);
        return;
    case MT_CONFIG_CHOICE:
    case MT_CONFIG_CODE:
        write_word(key, load_integer(member, key->size, false), buffer, size);
        return;
    case MT_CONFIG_BOOLEAN:
        snprintf(buffer, size, "%s", *(const bool *)member ? "yes" : "no");
        return;
    case MT_CONFIG_FLAG:
        integer = load_integer(member, key->size, false) & key->words[0].value;
        snprintf(buffer, size, "%s", integer != 0 ? "yes" : "no");
        return;
    case MT_CONFIG_INTERVAL:
        memcpy(&interval, member, sizeof interval);
        write_interval(interval, buffer, size);
        return;
    case MT_CONFIG_SPAN:
        memcpy(&span, member, sizeof span);
        write_interval(mt_span_to_interval(span), buffer, size);
        return;
    case MT_CONFIG_SECONDS:
    case MT_CONFIG_RATIO:
        memcpy(&real, member, sizeof real);
        write_real(key, real, buffer, size);
        return;
    case MT_CONFIG_NAME:
    case MT_CONFIG_INTERFACE:
    case MT_CONFIG_PATH:
    case MT_CONFIG_DEVICE:
    case MT_CONFIG_TEXT:
        memcpy(&text, member, sizeof text);
        snprintf(buffer, size, "%s", text == NULL ? "" : text);
        return;
    case MT_CONFIG_IDENTITY:
        memcpy(&identity.clock, member, sizeof identity.clock);
        mt_config_identity_write(&identity, buffer, size);
        return;
    case MT_CONFIG_IDENTITIES:
        memcpy(&identities, member, sizeof identities);
        mt_config_identities_write(&identities, buffer, size);
        return;
    case MT_CONFIG_STATIONS:
        mt_config_stations_write(member, buffer, size);
        return;
    }
}

void mt_config_value_write(const struct mt_config_key *key, const void *object, char *buffer,
                           size_t size)
{
    if (is_word_set(key, object)) {
        snprintf(buffer, size, "%s", key->word);
    } else {
        write_member(key, (const char *)object + key->offset, buffer, size);
    }
}
