/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The keys of a topology file as a table, and their values: text -> member, by the type of the
 * key.  Quantities carry their unit, as in meantime.conf; but here nothing is too large or too
 * small to be asked for, so there are hours and picoseconds, and a ratio may be written 1e-9.
 */
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "apps/meantime/sim/topology_private.h"

#define MT_TOPOLOGY_KEY(scope, name, type, object, member, min, max, fallback, help)               \
    {MT_TOPOLOGY_SCOPE_##scope,                                                                    \
     #name,                                                                                        \
     MT_TOPOLOGY_TYPE_##type,                                                                      \
     offsetof(struct object, member),                                                              \
     (double)(min),                                                                                \
     (double)(max),                                                                                \
     fallback,                                                                                     \
     help},
static const struct mt_topology_key keys[] = {
#include "apps/meantime/sim/topology_keys.def"
};
#define UNLIMITED 1e15 /* nobody needs to be told of this limit */
#define KEY_COUNT (sizeof keys / sizeof keys[0])

/* A factor and a divisor, so that 20 ppm is the number that is nearest to it. */
#define LETTERS "abcdefghijklmnopqrstuvwxyz"

struct unit {
    const char *name;
    double factor;
    double divisor;
};
static const struct unit times[] = {{"ps", 1, 1e3},  {"ns", 1, 1},     {"us", 1e3, 1},
                                    {"ms", 1e6, 1},  {"s", 1e9, 1},    {"min", 60e9, 1},
                                    {"h", 36e11, 1}, {"d", 864e11, 1}, {NULL, 0, 0}};
static const struct unit ratios[] = {{"%", 1, 1e2},    {"ppm", 1, 1e6}, {"ppb", 1, 1e9},
                                     {"ppt", 1, 1e12}, {"", 1, 1},      {NULL, 0, 0}};
static const struct unit shares[] = {{"%", 1, 1e2}, {"", 1, 1}, {NULL, 0, 0}};
static const struct unit bitrates[] = {
    {"bit/s", 1, 1}, {"kbit/s", 1e3, 1}, {"Mbit/s", 1e6, 1}, {"Gbit/s", 1e9, 1}, {NULL, 0, 0}};
static const struct unit no_units[] = {{"", 1, 1}, {NULL, 0, 0}};

const struct mt_topology_key *mt_topology_key(size_t n)
{
    return n < KEY_COUNT ? &keys[n] : NULL;
}

/* ---- which keys there are -------------------------------------------------------------------- */

static bool may_stand(enum mt_topology_scope scope, enum mt_topology_scope of_key)
{
    bool is_generator = scope >= MT_TOPOLOGY_SCOPE_STAR && scope <= MT_TOPOLOGY_SCOPE_LEAF_SPINE;

    return scope == of_key || (is_generator && of_key == MT_TOPOLOGY_SCOPE_GENERATOR) ||
           (scope == MT_TOPOLOGY_SCOPE_NODE && of_key == MT_TOPOLOGY_SCOPE_OSCILLATOR);
}

const struct mt_topology_key *mt_topology_key_find(enum mt_topology_scope scope, const char *name)
{
    for (size_t i = 0; i < KEY_COUNT; i++) {
        if (may_stand(scope, keys[i].scope) && strcmp(keys[i].name, name) == 0) {
            return &keys[i];
        }
    }
    return NULL;
}

static const char *key_name(const void *names, size_t n)
{
    const enum mt_topology_scope *scope = names;

    return may_stand(*scope, keys[n].scope) ? keys[n].name : NULL;
}

const char *mt_topology_key_nearest(enum mt_topology_scope scope, const char *name)
{
    return mt_config_nearest(name, key_name, &scope, KEY_COUNT);
}

/* ---- quantities ------------------------------------------------------------------------------ */

/* [+-]digits[.digits][e[+-]digits], and what stands behind it. */
static bool read_number(const char *text, double *ret_value, const char **ret_rest)
{
    const char *at = text + (text[0] == '-' || text[0] == '+');
    size_t whole = strspn(at, "0123456789");
    const char *rest = at + whole;

    if (rest[0] == '.') {
        rest += 1 + strspn(rest + 1, "0123456789");
    }
    if (rest[0] == 'e' || rest[0] == 'E') {
        const char *digits = rest + 1 + (rest[1] == '-' || rest[1] == '+');
        size_t count = strspn(digits, "0123456789");
        rest = count > 0 && count < 4 ? digits + count : rest;
    }
    if (whole == 0 || rest - text > 40) {
        return false;
    }
    *ret_value = strtod(text, NULL);
    *ret_rest = rest + strspn(rest, " \t");
    return true;
}

/* A number and its unit; what stands behind them is told. */
static bool read_part(const char *text, const struct unit *units, double *ret_value,
                      const struct unit **ret_unit, const char **ret_rest)
{
    double value;
    const char *unit;

    if (!read_number(text, &value, &unit)) {
        return false;
    }
    size_t length = units == times ? strspn(unit, LETTERS) : strlen(unit);
    for (; units->name != NULL; units++) {
        if (strlen(units->name) == length && strncmp(unit, units->name, length) == 0) {
            *ret_value = value * units->factor / units->divisor;
            *ret_unit = units;
            *ret_rest = unit + length + strspn(unit + length, " \t");
            return true;
        }
    }
    *ret_value = 0;
    *ret_unit = NULL;
    *ret_rest = unit + length;
    return value == 0 && length == 0;
}

/* "5 ppm", or for times "2 min 20 s", too: each unit smaller than the one before. */
static bool read_quantity(const char *text, const struct unit *units, double *ret_value)
{
    const struct unit *before;
    double sum;

    if (!read_part(text, units, &sum, &before, &text)) {
        return false;
    }
    double sign = signbit(sum) ? -1 : 1;
    while (text[0] != '\0') {
        const struct unit *unit;
        double value;
        if (!isdigit((unsigned char)text[0]) || !read_part(text, units, &value, &unit, &text) ||
            before == NULL || unit == NULL ||
            unit->factor / unit->divisor >= before->factor / before->divisor) {
            return false;
        }
        sum += sign * value;
        before = unit;
    }
    *ret_value = sum;
    return true;
}

bool mt_topology_time(const char *text, double *ret_ns)
{
    return read_quantity(text, times, ret_ns);
}

bool mt_topology_ratio(const char *text, double *ret_ratio)
{
    return read_quantity(text, ratios, ret_ratio);
}

bool mt_topology_share(const char *text, double *ret_share)
{
    return read_quantity(text, shares, ret_share);
}

bool mt_topology_when(const char *text, struct mt_topology_when *ret_when)
{
    struct mt_topology_when when = {0, 0};
    bool is_share = strchr(text, '%') != NULL;
    bool is_good = is_share ? mt_topology_share(text, &when.share) && when.share <= 1
                            : mt_topology_time(text, &when.ns);

    if (is_good && when.ns >= 0 && when.share >= 0) {
        *ret_when = when;
        return true;
    }
    return false;
}

static bool read_spread(const struct mt_topology_key *key, const char *text,
                        const struct unit *units, double divisor, void *member)
{
    bool is_spread = strncmp(text, "+-", 2) == 0;
    double value;

    if (is_spread) {
        text += 2 + strspn(text + 2, " ");
    }
    if (!read_quantity(text, units, &value) || value < key->min || value > key->max ||
        (is_spread && value < 0)) {
        return false;
    }
    struct mt_topology_spread spread = {is_spread ? 0 : value / divisor,
                                        is_spread ? value / divisor : 0};
    memcpy(member, &spread, sizeof spread);
    return true;
}

/* ---- words ----------------------------------------------------------------------------------- */

char *mt_topology_copy(struct mt_config_pool *pool, const char *text)
{
    char *copy = mt_config_pool_take(pool, strlen(text) + 1);

    if (copy != NULL) {
        strcpy(copy, text);
    }
    return copy;
}

bool mt_topology_is_name(const char *text)
{
    size_t length = strlen(text);

    for (size_t i = 0; i < length; i++) {
        if (!isalnum((unsigned char)text[i]) && text[i] != '_') {
            return false;
        }
    }
    return length > 0 && length <= MT_CONFIG_NAME_MAX;
}

static bool read_boolean(const char *text, bool *ret_value)
{
    bool is_yes = strcmp(text, "yes") == 0 || strcmp(text, "true") == 0 || strcmp(text, "1") == 0;
    bool is_no = strcmp(text, "no") == 0 || strcmp(text, "false") == 0 || strcmp(text, "0") == 0;

    *ret_value = is_yes;
    return is_yes || is_no;
}

static bool read_jitter(const struct mt_topology_key *key, const char *text, void *member)
{
    static const char *const words[] = {
        [MT_SIM_JITTER_NONE] = "none",
        [MT_SIM_JITTER_NORMAL] = "normal",
        [MT_SIM_JITTER_EXPONENTIAL] = "exponential",
        [MT_SIM_JITTER_GAMMA] = "gamma",
        [MT_SIM_JITTER_PARETO] = "pareto",
        [MT_SIM_JITTER_TRACE] = "trace",
    };
    struct mt_sim_segment_config *physics = member;
    size_t length = strcspn(text, " \t");
    const char *rest = text + length + strspn(text + length, " \t");
    double jitter_ns = 0;

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        bool has_amount = i != MT_SIM_JITTER_NONE && i != MT_SIM_JITTER_TRACE;
        if (strlen(words[i]) != length || strncmp(words[i], text, length) != 0) {
            continue;
        }
        if (has_amount ? !mt_topology_time(rest, &jitter_ns) || jitter_ns < key->min ||
                             jitter_ns > key->max
                       : rest[0] != '\0') {
            return false;
        }
        physics->jitter = (enum mt_sim_jitter)i;
        physics->jitter_ns = (mt_real)jitter_ns;
        return true;
    }
    return false;
}

/* ---- values ---------------------------------------------------------------------------------- */

static bool read_within(const struct mt_topology_key *key, const char *text,
                        const struct unit *units, double *ret_value)
{
    return read_quantity(text, units, ret_value) && *ret_value >= key->min &&
           *ret_value <= key->max;
}

static void store_real(void *member, double value)
{
    mt_real real = (mt_real)value;
    memcpy(member, &real, sizeof real);
}

static bool store_whole(void *member, double value, size_t size)
{
    uint32_t u32 = value <= UINT32_MAX ? (uint32_t)value : 0;
    int64_t i64 = (int64_t)value;

    if (size == sizeof u32 && (double)u32 != value) {
        return false;
    }
    memcpy(member, size == sizeof u32 ? (const void *)&u32 : (const void *)&i64, size);
    return true;
}

static bool store_seed(void *member, const char *text)
{
    char *end;
    uint64_t seed = strtoull(text, &end, 10);

    if (!isdigit((unsigned char)text[0]) || *end != '\0' || strlen(text) > 19) {
        return false;
    }
    memcpy(member, &seed, sizeof seed);
    return true;
}

static bool store_text(void *member, const char *text, bool is_name, struct mt_config_pool *pool)
{
    const char *copy = NULL;

    if (text[0] != '\0' && (!is_name || mt_topology_is_name(text))) {
        copy = mt_topology_copy(pool, text);
    }
    if (copy == NULL) {
        return false;
    }
    memcpy(member, &copy, sizeof copy);
    return true;
}

static bool store_double(void *member, double value)
{
    memcpy(member, &value, sizeof value);
    return true;
}

bool mt_topology_value(const struct mt_topology_key *key, const char *text, void *object,
                       struct mt_config_pool *pool)
{
    void *member = (char *)object + key->offset;
    double value = 0;

    switch (key->type) {
    case MT_TOPOLOGY_TYPE_DURATION:
    case MT_TOPOLOGY_TYPE_START:
        return read_within(key, text, times, &value) && store_whole(member, round(value), 8);
    case MT_TOPOLOGY_TYPE_GRAIN:
        return read_within(key, text, times, &value) && store_whole(member, value, 4);
    case MT_TOPOLOGY_TYPE_LIMIT_NS:
        return read_within(key, text, times, &value) && store_double(member, value);
    case MT_TOPOLOGY_TYPE_LIMIT_S:
        return read_quantity(text, times, &value) && value >= 0 &&
               store_double(member, value / 1e9);
    case MT_TOPOLOGY_TYPE_PART:
        return read_within(key, text, shares, &value) && store_double(member, value);
    case MT_TOPOLOGY_TYPE_SPREAD_TIME:
        return read_spread(key, text, times, 1e9, member);
    case MT_TOPOLOGY_TYPE_SPREAD_RATIO:
        return read_spread(key, text, ratios, 1, member);
    case MT_TOPOLOGY_TYPE_NOISE:
    case MT_TOPOLOGY_TYPE_RATIO:
    case MT_TOPOLOGY_TYPE_SHARE:
    case MT_TOPOLOGY_TYPE_NUMBER:
    case MT_TOPOLOGY_TYPE_FACTOR:
    case MT_TOPOLOGY_TYPE_BITRATE: {
        const struct unit *units = key->type == MT_TOPOLOGY_TYPE_NOISE     ? times
                                   : key->type == MT_TOPOLOGY_TYPE_RATIO   ? ratios
                                   : key->type == MT_TOPOLOGY_TYPE_SHARE   ? shares
                                   : key->type == MT_TOPOLOGY_TYPE_BITRATE ? bitrates
                                                                           : no_units;
        if (!read_within(key, text, units, &value)) {
            return false;
        }
        store_real(member, key->type == MT_TOPOLOGY_TYPE_FACTOR && value == 0 ? -1 : value);
        return true;
    }
    case MT_TOPOLOGY_TYPE_COUNT:
        return read_within(key, text, no_units, &value) && store_whole(member, value, 4);
    case MT_TOPOLOGY_TYPE_SEED:
        return store_seed(member, text);
    case MT_TOPOLOGY_TYPE_BOOLEAN:
        return read_boolean(text, member);
    case MT_TOPOLOGY_TYPE_NAME:
        return store_text(member, text, true, pool);
    case MT_TOPOLOGY_TYPE_TEXT:
        return store_text(member, text, false, pool);
    case MT_TOPOLOGY_TYPE_WHEN:
        return mt_topology_when(text, member);
    case MT_TOPOLOGY_TYPE_JITTER:
        return read_jitter(key, text, member);
    case MT_TOPOLOGY_TYPE_CLASS:
        return mt_masks_class_from_name(text, member);
    case MT_TOPOLOGY_TYPE_LIST:
        return true;
    }
    return false;
}

/* ---- telling --------------------------------------------------------------------------------- */

static void write_within(const struct mt_topology_key *key, const struct unit *units,
                         const char *example, char *buffer, size_t size)
{
    char limits[2][24];
    const double values[] = {key->min, key->max};

    for (int i = 0; i < 2; i++) {
        const struct unit *best = units;
        for (const struct unit *unit = units; unit->name != NULL; unit++) {
            double one = unit->factor / unit->divisor;
            double best_one = best->factor / best->divisor;
            bool is_fit = fabs(values[i]) >= one;
            bool is_nearer = fabs(values[i]) < best_one || one > best_one;
            best = is_fit && is_nearer ? unit : best;
        }
        snprintf(limits[i], sizeof limits[i], "%.12g%s%s", values[i] * best->divisor / best->factor,
                 values[i] != 0 && best->name[0] != '\0' ? " " : "",
                 values[i] != 0 ? best->name : "");
    }
    if (key->max >= UNLIMITED) {
        snprintf(buffer, size, "%s", example);
        return;
    }
    snprintf(buffer, size, "%s, from %s to %s", example, limits[0], limits[1]);
}

void mt_topology_expected(const struct mt_topology_key *key, char *buffer, size_t size)
{
    switch (key->type) {
    case MT_TOPOLOGY_TYPE_DURATION:
    case MT_TOPOLOGY_TYPE_START:
    case MT_TOPOLOGY_TYPE_NOISE:
    case MT_TOPOLOGY_TYPE_GRAIN:
    case MT_TOPOLOGY_TYPE_LIMIT_NS:
        write_within(key, times, "a time with its unit, such as 10 us", buffer, size);
        return;
    case MT_TOPOLOGY_TYPE_LIMIT_S:
        snprintf(buffer, size, "a time with its unit, such as 10 s");
        return;
    case MT_TOPOLOGY_TYPE_SPREAD_TIME:
        write_within(key, times, "a time with its unit, such as 10 us, or +-10 us", buffer, size);
        return;
    case MT_TOPOLOGY_TYPE_SPREAD_RATIO:
        write_within(key, ratios, "a ratio, such as 5 ppm, or +-5 ppm", buffer, size);
        return;
    case MT_TOPOLOGY_TYPE_RATIO:
        write_within(key, ratios, "a ratio, such as 5 ppb or 5e-9", buffer, size);
        return;
    case MT_TOPOLOGY_TYPE_SHARE:
    case MT_TOPOLOGY_TYPE_PART:
        write_within(key, shares, "a share, such as 1 % or 0.01", buffer, size);
        return;
    case MT_TOPOLOGY_TYPE_NUMBER:
    case MT_TOPOLOGY_TYPE_FACTOR:
        write_within(key, no_units, "a number", buffer, size);
        return;
    case MT_TOPOLOGY_TYPE_BITRATE:
        write_within(key, bitrates, "a rate, such as 1 Gbit/s", buffer, size);
        return;
    case MT_TOPOLOGY_TYPE_COUNT:
        write_within(key, no_units, "a whole number", buffer, size);
        return;
    case MT_TOPOLOGY_TYPE_SEED:
        snprintf(buffer, size, "a whole number, not negative");
        return;
    case MT_TOPOLOGY_TYPE_BOOLEAN:
        snprintf(buffer, size, "yes or no");
        return;
    case MT_TOPOLOGY_TYPE_NAME:
        snprintf(buffer, size, "a name of letters, digits and '_', at most %d", MT_CONFIG_NAME_MAX);
        return;
    case MT_TOPOLOGY_TYPE_TEXT:
    case MT_TOPOLOGY_TYPE_LIST:
        snprintf(buffer, size, "some text");
        return;
    case MT_TOPOLOGY_TYPE_WHEN:
        snprintf(buffer, size,
                 "a time with its unit, such as 10 s, or a percentage of the duration");
        return;
    case MT_TOPOLOGY_TYPE_JITTER:
        snprintf(buffer, size,
                 "none, trace, or one of normal, exponential, gamma and pareto with a time, such "
                 "as normal 50 ns");
        return;
    case MT_TOPOLOGY_TYPE_CLASS:
        snprintf(buffer, size, "A, B, C or D");
        return;
    }
}
