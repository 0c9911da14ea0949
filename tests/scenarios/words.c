/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * See words.h.  Names of verdicts and counters come from the lists that the program itself is made
 * from, so a new one can be used in scenarios at once.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "words.h"

struct name {
    const char *name;
    int value;
};

static const struct name types[] = {
    {"announce", MT_PTP_ANNOUNCE},
    {"sync", MT_PTP_SYNC},
    {"follow_up", MT_PTP_FOLLOW_UP},
    {"delay_req", MT_PTP_DELAY_REQ},
    {"delay_resp", MT_PTP_DELAY_RESP},
    {"pdelay_req", MT_PTP_PDELAY_REQ},
    {"pdelay_resp", MT_PTP_PDELAY_RESP},
    {"pdelay_resp_follow_up", MT_PTP_PDELAY_RESP_FOLLOW_UP},
    {"signaling", MT_PTP_SIGNALING},
    {"management", MT_PTP_MANAGEMENT},
    {NULL, 0},
};

static const struct name states[] = {
    {"initializing", MT_STATE_INITIALIZING},
    {"faulty", MT_STATE_FAULTY},
    {"disabled", MT_STATE_DISABLED},
    {"listening", MT_STATE_LISTENING},
    {"pre_transmitter", MT_STATE_PRE_TRANSMITTER},
    {"transmitter", MT_STATE_TRANSMITTER},
    {"passive", MT_STATE_PASSIVE},
    {"uncalibrated", MT_STATE_UNCALIBRATED},
    {"receiver", MT_STATE_RECEIVER},
    {NULL, 0},
};

static const struct name verdicts[] = {
#define MT_VERDICT(symbol, name, meaning) {name, MT_VERDICT_##symbol},
#include "meantime/verdict.def"
#undef MT_VERDICT
    {NULL, 0},
};

static const struct name counters[] = {
#define MT_PORT_COUNTER(symbol, name, meaning) {name, MT_COUNT_##symbol},
#include "meantime/port_counter.def"
#undef MT_PORT_COUNTER
    {NULL, 0},
};

static const struct name flags[] = {
    {"alternate", MT_PTP_ALTERNATE},
    {"two_step", MT_PTP_TWO_STEP},
    {"unicast", MT_PTP_UNICAST},
    {"leap61", MT_PTP_LEAP_61},
    {"leap59", MT_PTP_LEAP_59},
    {"utc_valid", MT_PTP_UTC_OFFSET_VALID},
    {"timescale", MT_PTP_TIMESCALE},
    {"time_traceable", MT_PTP_TIME_TRACEABLE},
    {"frequency_traceable", MT_PTP_FREQUENCY_TRACEABLE},
    {"uncertain", MT_PTP_UNCERTAIN},
    {"none", 0},
    {NULL, 0},
};

static const struct name switches[] = {
    {"on", 1}, {"off", 0}, {"up", 1}, {"down", 0}, {"yes", 1}, {"no", 0}, {NULL, 0},
};

static char context[160];

/* ---- lines ----------------------------------------------------------------------------------- */

void words_cut(struct words *self, char *text)
{
    self->count = 0;
    text[strcspn(text, "#\n")] = 0;
    for (char *word = strtok(text, " \t"); word != NULL; word = strtok(NULL, " \t")) {
        if (self->count == WORDS_MAX) {
            words_die(self, "too many words");
        }
        self->word[self->count++] = word;
    }
}

struct words words_from(const struct words *self, unsigned first)
{
    struct words rest = {.file = self->file, .line = self->line};
    for (unsigned i = first; i < self->count; i++) {
        rest.word[rest.count++] = self->word[i];
    }
    return rest;
}

void words_set_context(const char *text)
{
    snprintf(context, sizeof context, "%s", text);
}

void words_die(const struct words *self, const char *format, ...)
{
    va_list arguments;
    fprintf(stderr, "%s:%u: %s", self->file, self->line, context);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fprintf(stderr, "\n");
    exit(1);
}

const char *words_at(const struct words *self, unsigned i)
{
    if (i >= self->count) {
        words_die(self, "word %u is missing", i + 1);
    }
    return self->word[i];
}

bool words_is(const struct words *self, unsigned i, const char *word)
{
    return i < self->count && strcmp(self->word[i], word) == 0;
}

const char *words_value(const struct words *self, const char *key)
{
    size_t length = strlen(key);
    for (unsigned i = 0; i < self->count; i++) {
        if (strncmp(self->word[i], key, length) == 0 && self->word[i][length] == '=') {
            return self->word[i] + length + 1;
        }
    }
    return NULL;
}

/* ---- values ---------------------------------------------------------------------------------- */

int64_t words_number(const struct words *self, const char *text)
{
    char *end;
    long long value = strtoll(text, &end, 0);
    if (end == text || *end != 0) {
        words_die(self, "`%s` is no number", text);
    }
    return value;
}

int64_t words_ns(const struct words *self, const char *text)
{
    static const struct {
        const char *unit;
        double ns;
    } units[] = {{"ns", 1}, {"us", 1e3}, {"ms", 1e6}, {"s", 1e9}};
    char *end;
    double value = strtod(text, &end);
    for (unsigned i = 0; end != text && i < sizeof units / sizeof *units; i++) {
        if (strcmp(end, units[i].unit) == 0) {
            return (int64_t)(value * units[i].ns + (value < 0 ? -0.5 : 0.5));
        }
    }
    if (strcmp(text, "0") != 0) {
        words_die(self, "`%s` is no duration", text);
    }
    return 0;
}

int64_t words_ns_at(const struct words *self, unsigned *i)
{
    char both[64];
    const char *first = words_at(self, *i);
    size_t digits = strspn(first, "-.0123456789");
    ++*i;
    if (first[digits] != 0 || strcmp(first, "0") == 0) {
        return words_ns(self, first);
    }
    snprintf(both, sizeof both, "%s%s", first, words_at(self, *i));
    ++*i;
    return words_ns(self, both);
}

static int find(const struct words *self, const struct name *names, const char *text,
                const char *what)
{
    for (; names->name != NULL; names++) {
        if (strcmp(names->name, text) == 0) {
            return names->value;
        }
    }
    words_die(self, "`%s` is no %s", text, what);
}

bool words_switch(const struct words *self, const char *text)
{
    return find(self, switches, text, "switch (on, off)") != 0;
}

enum mt_ptp_type words_type(const struct words *self, const char *text)
{
    return (enum mt_ptp_type)find(self, types, text, "message type");
}

enum mt_port_state words_state(const struct words *self, const char *text)
{
    return (enum mt_port_state)find(self, states, text, "port state");
}

enum mt_verdict words_verdict(const struct words *self, const char *text)
{
    return (enum mt_verdict)find(self, verdicts, text, "verdict");
}

enum mt_port_counter words_counter(const struct words *self, const char *text)
{
    return (enum mt_port_counter)find(self, counters, text, "counter");
}

uint16_t words_flags(const struct words *self, const char *text)
{
    char copy[128];
    unsigned value = 0;
    char *rest = copy;
    snprintf(copy, sizeof copy, "%s", text);
    while (rest != NULL) {
        char *flag = rest;
        rest = strchr(rest, ',');
        if (rest != NULL) {
            *rest++ = 0;
        }
        value |= (unsigned)find(self, flags, flag, "flag");
    }
    return (uint16_t)value;
}

bool words_compare(const struct words *self, unsigned i, int64_t actual)
{
    static const char *const operators[] = {"==", ">=", "<=", ">", "<", "!="};
    const char *text = words_at(self, i);
    for (unsigned op = 0; op < sizeof operators / sizeof *operators; op++) {
        if (strcmp(text, operators[op]) == 0) {
            int64_t value = words_number(self, words_at(self, i + 1));
            const bool results[] = {actual == value, actual >= value, actual <= value,
                                    actual > value,  actual < value,  actual != value};
            return results[op];
        }
    }
    return actual == words_number(self, text);
}

static int64_t in_range(const struct words *self, const char *key, int64_t least, int64_t most)
{
    int64_t value = words_number(self, words_value(self, key));
    if (value < least || value > most) {
        words_die(self, "%s=%lld is out of range", key, (long long)value);
    }
    return value;
}

void words_store_u8(const struct words *self, const char *key, uint8_t *ret_value)
{
    if (words_value(self, key) != NULL) {
        *ret_value = (uint8_t)in_range(self, key, 0, UINT8_MAX);
    }
}

void words_store_u16(const struct words *self, const char *key, uint16_t *ret_value)
{
    if (words_value(self, key) != NULL) {
        *ret_value = (uint16_t)in_range(self, key, 0, UINT16_MAX);
    }
}

void words_store_i8(const struct words *self, const char *key, int8_t *ret_value)
{
    if (words_value(self, key) != NULL) {
        *ret_value = (int8_t)in_range(self, key, INT8_MIN, INT8_MAX);
    }
}

void words_store_ns(const struct words *self, const char *key, int64_t *ret_value)
{
    if (words_value(self, key) != NULL) {
        *ret_value = words_ns(self, words_value(self, key));
    }
}

void words_store_switch(const struct words *self, const char *key, bool *ret_value)
{
    if (words_value(self, key) != NULL) {
        *ret_value = words_switch(self, words_value(self, key));
    }
}

/* ---- names ----------------------------------------------------------------------------------- */

static const char *name_of(const struct name *names, int value)
{
    for (; names->name != NULL; names++) {
        if (names->value == value) {
            return names->name;
        }
    }
    return "?";
}

const char *type_name(enum mt_ptp_type type)
{
    return name_of(types, (int)type);
}

const char *state_name(enum mt_port_state state)
{
    return name_of(states, (int)state);
}

const char *verdict_name(enum mt_verdict verdict)
{
    return name_of(verdicts, (int)verdict);
}
