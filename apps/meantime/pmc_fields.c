/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What management data sets are made of: one table of fields, walked to read and to write.  Data
 * come from the network, so a walk ends where they end, whatever the table says.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "apps/meantime/pmc.h"

enum kind {
    KIND_SKIP,
    KIND_BIT,
    KIND_U8,
    KIND_I8,
    KIND_HEX8,
    KIND_U16,
    KIND_I16,
    KIND_HEX16,
    KIND_U32,
    KIND_I32,
    KIND_HEX32,
    KIND_U48,
    KIND_I64,
    KIND_INTERVAL,        /* 2^-16 ns */
    KIND_RATE,            /* 2^-41 */
    KIND_LITTLE,          /* 64 bits, lowest octet first */
    KIND_LITTLE_INTERVAL, /* the same in 2^-16 ns */
    KIND_VERSION,         /* minor and major */
    KIND_STATE,
    KIND_STAMPING,
    KIND_CLOCK,
    KIND_PORT,
    KIND_TIMESTAMP,
    KIND_TEXT,
    KIND_SIZED,   /* 16 bits of length, octets */
    KIND_ADDRESS, /* PortAddress */
    KIND_OCTETS,
    KIND_CLOCKS, /* lists, to the end */
    KIND_ACCEPTABLE,
    KIND_MASTERS,
    KIND_FAULTS,
    KIND_ADDRESSES, /* 16 bits of number, PortAddresses */
};

struct field {
    uint16_t id;
    uint8_t kind;
    uint8_t number;
    const char *name;
};

static const struct field fields[] = {
#define MT_PMC_FIELD(set, field, kind, number) {MT_ID_##set, KIND_##kind, number, #field},
#include "apps/meantime/pmc_fields.def"
#undef MT_PMC_FIELD
};
#define FIELD_COUNT (sizeof fields / sizeof fields[0])

static const char *const states[] = {"NONE",         "INITIALIZING", "FAULTY", "DISABLED",
                                     "LISTENING",    "PRE_MASTER",   "MASTER", "PASSIVE",
                                     "UNCALIBRATED", "SLAVE"};
static const char *const stampings[] = {"SOFTWARE", "HARDWARE", "LEGACY_HW", "ONESTEP", "P2P1STEP"};

/* ---- octets ---------------------------------------------------------------------------------- */

static size_t width_of(enum kind kind, unsigned number)
{
    static const uint8_t widths[] = {
        [KIND_U8] = 1,        [KIND_I8] = 1,     [KIND_HEX8] = 1,
        [KIND_U16] = 2,       [KIND_I16] = 2,    [KIND_HEX16] = 2,
        [KIND_U32] = 4,       [KIND_I32] = 4,    [KIND_HEX32] = 4,
        [KIND_U48] = 6,       [KIND_I64] = 8,    [KIND_INTERVAL] = 8,
        [KIND_RATE] = 4,      [KIND_LITTLE] = 8, [KIND_LITTLE_INTERVAL] = 8,
        [KIND_VERSION] = 1,   [KIND_STATE] = 1,  [KIND_STAMPING] = 1,
        [KIND_CLOCK] = 8,     [KIND_PORT] = 10,  [KIND_TIMESTAMP] = 10,
        [KIND_ADDRESSES] = 2,
    };
    if (kind == KIND_SKIP || kind == KIND_OCTETS) {
        return number;
    }
    return kind < sizeof widths ? widths[kind] : 0;
}

static uint64_t number_at(const uint8_t *octets, size_t width)
{
    uint64_t value = 0;
    for (size_t i = 0; i < width; i++) {
        value = value << 8 | octets[i];
    }
    return value;
}

static uint64_t little_at(const uint8_t *octets)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < 8; i++) {
        value |= (uint64_t)octets[i] << 8 * i;
    }
    return value;
}

static int64_t signed_at(const uint8_t *octets, size_t width)
{
    uint64_t value = number_at(octets, width);
    uint64_t sign = UINT64_C(1) << (8 * width - 1);
    return width == 8 ? (int64_t)value : (int64_t)((value ^ sign) - sign);
}

/* The octets of a field of variable length; 0 if they are cut off. */
static size_t variable_length(enum kind kind, const uint8_t *octets, size_t left)
{
    size_t length = left;
    if (kind == KIND_TEXT) {
        length = left >= 1 ? 1 + (size_t)octets[0] : 0;
    } else if (kind == KIND_SIZED) {
        length = left >= 2 ? 2 + (size_t)number_at(octets, 2) : 0;
    } else if (kind == KIND_ADDRESS) {
        length = left >= 4 ? 4 + (size_t)number_at(octets + 2, 2) : 0;
    } else if (kind == KIND_ADDRESSES) {
        length = left >= 2 ? left : 0;
    }
    return length <= left ? length : 0;
}

/* ---- reading --------------------------------------------------------------------------------- */

static void print_clock(const uint8_t *octets, char text[32])
{
    snprintf(text, 32, "%02x%02x%02x.%02x%02x.%02x%02x%02x", octets[0], octets[1], octets[2],
             octets[3], octets[4], octets[5], octets[6], octets[7]);
}

static void print_port(const uint8_t *octets, char text[40])
{
    char identity[32];
    print_clock(octets, identity);
    snprintf(text, 40, "%s-%u", identity, (unsigned)number_at(octets + 8, 2));
}

static void print_octets(const uint8_t *octets, size_t length, char *text, size_t size)
{
    text[0] = '\0';
    for (size_t i = 0; i < length && 3 * i + 3 < size; i++) {
        snprintf(text + 3 * i - (i > 0), size - 3 * i + (i > 0), i > 0 ? ":%02x" : "%02x",
                 octets[i]);
    }
}

/* Nothing that a terminal would obey. */
static cJSON *text_item(const uint8_t *octets, size_t length)
{
    char text[256];
    size_t used = 0;
    for (size_t i = 0; i < length && used + 1 < sizeof text; i++) {
        text[used++] = (char)(octets[i] >= 0x20 && octets[i] < 0x7F ? octets[i] : '?');
    }
    text[used] = '\0';
    return cJSON_CreateString(text);
}

static cJSON *address_item(const uint8_t *octets, size_t length)
{
    char text[128];
    mt_pmc_address_text(octets, length, text, sizeof text);
    return cJSON_CreateString(text);
}

static cJSON *word_item(const char *const *words, size_t count, unsigned number)
{
    return number < count ? cJSON_CreateString(words[number]) : cJSON_CreateNumber(number);
}

static cJSON *hex_item(const uint8_t *octets, size_t width)
{
    char text[24];
    snprintf(text, sizeof text, "0x%0*" PRIx64, (int)(2 * width), number_at(octets, width));
    return cJSON_CreateString(text);
}

/* Whole numbers of 64 bits that a double cannot hold stay exact. */
static cJSON *whole_item(int64_t value)
{
    char text[24];
    snprintf(text, sizeof text, "%" PRId64, value);
    return cJSON_CreateRaw(text);
}

static cJSON *clocks_item(const uint8_t *octets, size_t length)
{
    cJSON *list = cJSON_CreateArray();
    char text[32];
    for (size_t at = 0; at + 8 <= length; at += 8) {
        print_clock(octets + at, text);
        cJSON_AddItemToArray(list, cJSON_CreateString(text));
    }
    return list;
}

static cJSON *acceptable_item(const uint8_t *octets, size_t length)
{
    cJSON *list = cJSON_CreateArray();
    char text[40];
    for (size_t at = 0; at + 11 <= length; at += 11) {
        print_port(octets + at, text);
        cJSON_AddItemToArray(list, cJSON_CreateString(text));
    }
    return list;
}

static cJSON *masters_item(const uint8_t *octets, size_t length)
{
    cJSON *list = cJSON_CreateArray();
    char text[40];
    for (size_t at = 0; at + 22 <= length;) {
        size_t address = variable_length(KIND_ADDRESS, octets + at + 18, length - at - 18);
        cJSON *row = cJSON_CreateObject();
        if (address == 0) {
            cJSON_Delete(row);
            break;
        }
        print_port(octets + at, text);
        cJSON_AddStringToObject(row, "portIdentity", text);
        cJSON_AddNumberToObject(row, "clockClass", octets[at + 10]);
        cJSON_AddItemToObject(row, "clockAccuracy", hex_item(octets + at + 11, 1));
        cJSON_AddBoolToObject(row, "selected", octets[at + 14] != 0);
        cJSON_AddNumberToObject(row, "state", octets[at + 15]);
        cJSON_AddNumberToObject(row, "priority1", octets[at + 16]);
        cJSON_AddNumberToObject(row, "priority2", octets[at + 17]);
        cJSON_AddItemToObject(row, "address", address_item(octets + at + 18, address));
        cJSON_AddItemToArray(list, row);
        at += 18 + address;
    }
    return list;
}

static cJSON *faults_item(const uint8_t *octets, size_t length)
{
    cJSON *list = cJSON_CreateArray();
    size_t at = 0;
    while (at + 13 <= length) {
        size_t record = 2 + (size_t)number_at(octets + at, 2);
        cJSON *row = cJSON_CreateObject();
        size_t inside = at + 13;
        cJSON_AddNumberToObject(row, "faultTime", (double)number_at(octets + at + 2, 6));
        cJSON_AddNumberToObject(row, "severityCode", octets[at + 12]);
        static const char *const names[] = {"faultName", "faultValue", "faultDescription"};
        for (unsigned i = 0; i < 3 && inside < length; i++) {
            size_t text = variable_length(KIND_TEXT, octets + inside, length - inside);
            if (text > 0) {
                cJSON_AddItemToObject(row, names[i], text_item(octets + inside + 1, text - 1));
            }
            inside += text > 0 ? text : length;
        }
        cJSON_AddItemToArray(list, row);
        at += record;
    }
    return list;
}

static cJSON *plain_item(const struct field *field, const uint8_t *octets, size_t length)
{
    char text[64];
    double seconds;
    switch ((enum kind)field->kind) {
    case KIND_BIT:
        return cJSON_CreateNumber(octets[0] >> field->number & 1);
    case KIND_U8:
    case KIND_U16:
    case KIND_U32:
    case KIND_U48:
        return cJSON_CreateNumber((double)number_at(octets, length));
    case KIND_I8:
    case KIND_I16:
    case KIND_I32:
    case KIND_I64:
        return whole_item(signed_at(octets, length));
    case KIND_HEX8:
    case KIND_HEX16:
    case KIND_HEX32:
        return hex_item(octets, length);
    case KIND_INTERVAL:
        return cJSON_CreateNumber((double)signed_at(octets, 8) / 65536);
    case KIND_LITTLE:
        return whole_item((int64_t)little_at(octets));
    case KIND_LITTLE_INTERVAL:
        return cJSON_CreateNumber((double)(int64_t)little_at(octets) / 65536);
    case KIND_RATE:
        return cJSON_CreateNumber((double)signed_at(octets, 4) / 2199023255552.0);
    case KIND_VERSION:
        snprintf(text, sizeof text, "%u.%u", octets[0] & 0xFu, octets[0] >> 4);
        return cJSON_CreateString(text);
    case KIND_TIMESTAMP:
        seconds = (double)number_at(octets, 6);
        snprintf(text, sizeof text, "%.0f.%09u", seconds, (unsigned)number_at(octets + 6, 4));
        return cJSON_CreateString(text);
    case KIND_SKIP:
    case KIND_STATE:
    case KIND_STAMPING:
    case KIND_CLOCK:
    case KIND_PORT:
    case KIND_TEXT:
    case KIND_SIZED:
    case KIND_ADDRESS:
    case KIND_OCTETS:
    case KIND_CLOCKS:
    case KIND_ACCEPTABLE:
    case KIND_MASTERS:
    case KIND_FAULTS:
    case KIND_ADDRESSES:
        break;
    }
    return NULL;
}

static cJSON *item_of(const struct field *field, const uint8_t *octets, size_t length)
{
    char text[128];
    enum kind kind = (enum kind)field->kind;
    if (kind == KIND_STATE) {
        return word_item(states, sizeof states / sizeof states[0], octets[0]);
    }
    if (kind == KIND_STAMPING) {
        return word_item(stampings, sizeof stampings / sizeof stampings[0], octets[0]);
    }
    if (kind == KIND_CLOCK || kind == KIND_PORT) {
        if (kind == KIND_PORT) {
            print_port(octets, text);
        } else {
            print_clock(octets, text);
        }
        return cJSON_CreateString(text);
    }
    if (kind == KIND_TEXT) {
        return text_item(octets + 1, length - 1);
    }
    if (kind == KIND_SIZED || kind == KIND_OCTETS) {
        size_t head = kind == KIND_SIZED ? 2 : 0;
        print_octets(octets + head, length - head, text, sizeof text);
        return cJSON_CreateString(text);
    }
    if (kind == KIND_ADDRESS) {
        return address_item(octets, length);
    }
    if (kind == KIND_CLOCKS) {
        return clocks_item(octets, length);
    }
    if (kind == KIND_ACCEPTABLE) {
        return acceptable_item(octets, length);
    }
    if (kind == KIND_MASTERS) {
        return masters_item(octets, length);
    }
    if (kind == KIND_ADDRESSES) {
        return mt_pmc_addresses_read(octets, length);
    }
    return kind == KIND_FAULTS ? faults_item(octets, length) : plain_item(field, octets, length);
}

static bool is_variable(enum kind kind)
{
    return kind == KIND_TEXT || kind == KIND_SIZED || kind == KIND_ADDRESS || kind >= KIND_CLOCKS;
}

/* Where a field begins; false if it is not there. `length` is that of the field. */
static bool place_of(const struct field *field, const uint8_t *data, size_t data_length, size_t *at,
                     size_t *ret_length)
{
    enum kind kind = (enum kind)field->kind;
    size_t left = data_length - *at;
    if (is_variable(kind)) {
        *ret_length = variable_length(kind, data + *at, left);
        return *ret_length > 0;
    }
    *ret_length = kind == KIND_BIT ? 1 : width_of(kind, field->number);
    return *ret_length <= left;
}

cJSON *mt_pmc_read(uint16_t id, const uint8_t *data, size_t length)
{
    cJSON *object = cJSON_CreateObject();
    size_t at = 0;
    for (size_t i = 0; i < FIELD_COUNT; i++) {
        size_t width;
        if (fields[i].id != id) {
            continue;
        }
        if (!place_of(&fields[i], data, length, &at, &width)) {
            break;
        }
        if (fields[i].kind != KIND_SKIP) {
            cJSON_AddItemToObject(object, fields[i].name, item_of(&fields[i], data + at, width));
        }
        at += fields[i].kind == KIND_BIT ? 0 : width;
    }
    return object;
}

/* ---- writing --------------------------------------------------------------------------------- */

size_t mt_pmc_size(uint16_t id)
{
    size_t size = 0;
    for (size_t i = 0; i < FIELD_COUNT; i++) {
        if (fields[i].id == id && fields[i].kind != KIND_BIT) {
            enum kind kind = (enum kind)fields[i].kind;
            size += kind == KIND_TEXT ? 1 : width_of(kind, fields[i].number);
        }
    }
    return size;
}

size_t mt_pmc_field_count(uint16_t id)
{
    size_t count = 0;
    for (size_t i = 0; i < FIELD_COUNT; i++) {
        count += fields[i].id == id && fields[i].kind != KIND_SKIP;
    }
    return count;
}

const char *mt_pmc_field_name(uint16_t id, size_t n)
{
    for (size_t i = 0; i < FIELD_COUNT; i++) {
        if (fields[i].id == id && fields[i].kind != KIND_SKIP && n-- == 0) {
            return fields[i].name;
        }
    }
    return NULL;
}

static bool parse_whole(const char *value, int64_t min, int64_t max, int64_t *ret_number)
{
    char *end;
    long long number = strtoll(value, &end, 0);
    if (*value == '\0' || *end != '\0' || number < min || number > max) {
        return false;
    }
    *ret_number = number;
    return true;
}

static void put_number(uint8_t *octets, size_t width, uint64_t value)
{
    for (size_t i = 0; i < width; i++) {
        octets[i] = (uint8_t)(value >> 8 * (width - 1 - i));
    }
}

static bool refuse(char problem[128], const char *field, const char *expected)
{
    snprintf(problem, 128, "%s: expected %s", field, expected);
    return false;
}

static bool write_interval(const struct field *field, const char *value, uint8_t *octets,
                           char problem[128])
{
    double ns;
    if (!mt_tool_number(value, -1e14, 1e14, &ns)) {
        return refuse(problem, field->name, "a number of nanoseconds");
    }
    uint64_t q16 = (uint64_t)(int64_t)(ns * 65536);
    if (field->kind == KIND_INTERVAL) {
        put_number(octets, 8, q16);
        return true;
    }
    for (unsigned i = 0; i < 8; i++) {
        octets[i] = (uint8_t)(q16 >> 8 * i);
    }
    return true;
}

static bool write_whole(const struct field *field, const char *value, uint8_t *octets,
                        char problem[128])
{
    enum kind kind = (enum kind)field->kind;
    size_t width = width_of(kind, field->number);
    bool is_signed = kind == KIND_I8 || kind == KIND_I16 || kind == KIND_I32 || kind == KIND_I64;
    int64_t max = width >= 8 ? INT64_MAX : (INT64_C(1) << (8 * width - (is_signed ? 1u : 0u))) - 1;
    int64_t min = is_signed ? -max - 1 : 0;
    int64_t number;
    if (!parse_whole(value, min, max, &number)) {
        char expected[80];
        snprintf(expected, sizeof expected, "a whole number from %" PRId64 " to %" PRId64, min,
                 max);
        return refuse(problem, field->name, expected);
    }
    put_number(octets, width, (uint64_t)number);
    return true;
}

static bool write_plain(const struct field *field, const char *value, uint8_t *octets,
                        char problem[128])
{
    int64_t number;
    enum kind kind = (enum kind)field->kind;
    if (kind == KIND_BIT) {
        if (!parse_whole(value, 0, 1, &number)) {
            return refuse(problem, field->name, "0 or 1");
        }
        unsigned bit = 1u << field->number;
        octets[0] = (uint8_t)(number != 0 ? octets[0] | bit : octets[0] & ~bit);
        return true;
    }
    if (kind == KIND_INTERVAL || kind == KIND_LITTLE_INTERVAL) {
        return write_interval(field, value, octets, problem);
    }
    if (kind == KIND_VERSION || kind == KIND_STATE) {
        return parse_whole(value, 0, 255, &number) ? (octets[0] = (uint8_t)number, true)
                                                   : refuse(problem, field->name, "a number");
    }
    if (kind >= KIND_U8 && kind <= KIND_I64) {
        return write_whole(field, value, octets, problem);
    }
    snprintf(problem, 128, "%s: cannot be set", field->name);
    return false;
}

/* Texts are the last field of their data set, so what was behind them goes. */
static bool write_text(const struct field *field, const char *value, uint8_t *data, size_t at,
                       size_t *length, char problem[128])
{
    size_t text = strlen(value);
    if (text > 255) {
        return refuse(problem, field->name, "a text of at most 255 octets");
    }
    data[at] = (uint8_t)text;
    memcpy(data + at + 1, value, text);
    *length = at + 1 + text;
    return true;
}

/* The last field, too. */
static bool write_addresses(const struct field *field, const char *value, uint8_t *data, size_t at,
                            size_t *length, char problem[128])
{
    size_t used = mt_pmc_addresses_write(value, data + at, MT_PMC_DATA_MAX - at);
    if (used == 0) {
        return refuse(problem, field->name, "addresses with commas between them, or none");
    }
    *length = at + used;
    return true;
}

/* The number of its entries stands in a field before it. */
static bool write_acceptable(const struct field *field, const char *value, uint8_t *data, size_t at,
                             size_t *length, char problem[128])
{
    size_t begin = at - 2;
    size_t used = mt_pmc_acceptable_write(value, data + begin, MT_PMC_DATA_MAX - begin);
    if (used == 0) {
        return refuse(problem, field->name, "port identities with commas between them, or none");
    }
    *length = begin + used;
    return true;
}

bool mt_pmc_write(uint16_t id, const char *name, const char *value, uint8_t *data, size_t *length,
                  char problem[128])
{
    size_t at = 0;
    size_t size = mt_pmc_size(id);
    if (*length < size) {
        memset(data + *length, 0, size - *length);
        *length = size;
    }
    for (size_t i = 0; i < FIELD_COUNT; i++) {
        size_t width;
        if (fields[i].id != id) {
            continue;
        }
        if (!place_of(&fields[i], data, *length, &at, &width) &&
            fields[i].kind != KIND_ACCEPTABLE) { /* which may be empty */
            break;
        }
        if (fields[i].kind != KIND_SKIP && strcasecmp(fields[i].name, name) == 0) {
            return fields[i].kind == KIND_ADDRESSES
                       ? write_addresses(&fields[i], value, data, at, length, problem)
                   : fields[i].kind == KIND_ACCEPTABLE
                       ? write_acceptable(&fields[i], value, data, at, length, problem)
                   : fields[i].kind == KIND_TEXT
                       ? write_text(&fields[i], value, data, at, length, problem)
                       : write_plain(&fields[i], value, data + at, problem);
        }
        at += fields[i].kind == KIND_BIT ? 0 : width;
    }
    snprintf(problem, 128, "%.60s: there is no such field", name);
    return false;
}
