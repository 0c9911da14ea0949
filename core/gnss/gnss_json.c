/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What gpsd tells its clients: objects of JSON, one on a line.  Their list of satellites may be of
 * any length, and nothing in it is of use, so no object is kept: each octet moves a state machine
 * that remembers the key and the value at hand, and those of the outermost level that matter.
 * Whatever lies deeper is passed over with its brackets counted.
 *
 *     TPV   time, mode (2: 2D, 3: 3D), ept (of the time, s), leapseconds
 *     SKY   uSat, nSat: satellites used, and seen
 *     PPS   real_sec, real_nsec when the machine's clock read clock_sec, clock_nsec; qErr in ps
 *     TOFF  the same of the arrival of the receiver's sentences
 */
#include "base/memory.h"
#include "gnss/gnss_private.h"

#define NS_PER_S  1000000000
#define DEPTH_MAX 16
#define FIX_2D    2
#define FIX_3D    3
#define TIME_TEXT 20 /* 2026-11-23T02:45:27 and one more */

enum state {
    STATE_OUTSIDE,
    STATE_KEY_OR_END, /* behind '{' or ',' */
    STATE_KEY,
    STATE_COLON,
    STATE_VALUE,
    STATE_TEXT,
    STATE_WORD, /* number, true, null */
    STATE_BEHIND,
    STATE_DEEP,
    STATE_LOST, /* until the line's end */
};

enum class { CLASS_OTHER, CLASS_TPV, CLASS_SKY, CLASS_PPS, CLASS_TOFF };

enum key {
    KEY_CLASS,
    KEY_TIME,
    KEY_MODE,
    KEY_EPT,
    KEY_LEAP,
    KEY_REAL_S,
    KEY_REAL_NS,
    KEY_CLOCK_S,
    KEY_CLOCK_NS,
    KEY_QUANTISATION,
    KEY_USED,
    KEY_VISIBLE,
    KEY_COUNT
};

static const char *const keys[KEY_COUNT] = {
    [KEY_CLASS] = "class",       [KEY_TIME] = "time",         [KEY_MODE] = "mode",
    [KEY_EPT] = "ept",           [KEY_LEAP] = "leapseconds",  [KEY_REAL_S] = "real_sec",
    [KEY_REAL_NS] = "real_nsec", [KEY_CLOCK_S] = "clock_sec", [KEY_CLOCK_NS] = "clock_nsec",
    [KEY_QUANTISATION] = "qErr", [KEY_USED] = "uSat",         [KEY_VISIBLE] = "nSat",
};

/* ---- values ---------------------------------------------------------------------------------- */

static bool has(const struct mt_gnss_scanner *self, enum key key)
{
    return (self->has >> key & 1) != 0;
}

static struct mt_gnss_text part(struct mt_gnss_text text, size_t from, size_t length)
{
    return text.length >= from + length ? (struct mt_gnss_text){text.octets + from, length}
                                        : (struct mt_gnss_text){0};
}

/* "2026-11-23T02:45:27.000Z"; of fractions only zeros mean a time that is of use. */
static bool read_time(struct mt_gnss_text text, int64_t *ret_s)
{
    static const uint8_t at[] = {0, 5, 8, 11, 14, 17};
    uint32_t values[6];
    for (size_t i = 0; i < 6; i++) {
        if (!mt_gnss_number(part(text, at[i], i == 0 ? 4 : 2), &values[i]) ||
            (i > 0 && values[i] > UINT8_MAX)) {
            return false;
        }
    }
    for (size_t i = TIME_TEXT - 1; i < text.length; i++) {
        if (text.octets[i] != '.' && text.octets[i] != '0' && text.octets[i] != 'Z') {
            return false;
        }
    }
    const struct mt_gnss_date date = {(int32_t)values[0], (uint8_t)values[1], (uint8_t)values[2],
                                      (uint8_t)values[3], (uint8_t)values[4], (uint8_t)values[5]};
    return date.second < 60 && mt_gnss_seconds_of(&date, ret_s);
}

static bool read_small(struct mt_gnss_text text, uint8_t *ret_value)
{
    uint32_t value;
    if (!mt_gnss_number(text, &value) || value > UINT8_MAX) {
        return false;
    }
    *ret_value = (uint8_t)value;
    return true;
}

static uint8_t class_of(struct mt_gnss_text text)
{
    static const char *const classes[] = {"", "TPV", "SKY", "PPS", "TOFF"};
    uint8_t class = CLASS_TOFF;
    while (class > CLASS_OTHER && !mt_gnss_text_is(text, classes[class])) {
        class --;
    }
    return class;
}

static bool read_value(struct mt_gnss_scanner *self, enum key key, struct mt_gnss_text text)
{
    switch (key) {
    case KEY_CLASS:
        self->class = class_of(text);
        return true;
    case KEY_TIME:
        return read_time(text, &self->time_s);
    case KEY_MODE:
        return read_small(text, &self->mode);
    case KEY_EPT:
        return mt_gnss_decimal(text, 9, &self->ept_ns);
    case KEY_LEAP:
        return mt_gnss_decimal(text, 0, &self->leap_s);
    case KEY_REAL_S:
    case KEY_REAL_NS:
    case KEY_CLOCK_S:
    case KEY_CLOCK_NS:
        return mt_gnss_decimal(text, 0, &self->numbers[key - KEY_REAL_S]);
    case KEY_QUANTISATION:
        return mt_gnss_decimal(text, 0, &self->quantisation_ps);
    case KEY_USED:
        return read_small(text, &self->used);
    case KEY_VISIBLE:
        return read_small(text, &self->visible);
    case KEY_COUNT:
        break;
    }
    return false;
}

static void keep_value(struct mt_gnss_scanner *self)
{
    const struct mt_gnss_text key = {(const uint8_t *)self->key, self->key_length};
    const struct mt_gnss_text value = {(const uint8_t *)self->value, self->value_length};
    if (self->key_length >= MT_GNSS_KEY_SIZE || self->value_length >= MT_GNSS_VALUE_SIZE) {
        return;
    }
    for (int i = 0; i < KEY_COUNT; i++) {
        if (mt_gnss_text_is(key, keys[i]) && read_value(self, (enum key)i, value)) {
            self->has |= UINT32_C(1) << i;
        }
    }
}

/* ---- what an object says --------------------------------------------------------------------- */

static enum mt_gnss_verdict tell_tpv(const struct mt_gnss_scanner *self,
                                     struct mt_gnss_report *report)
{
    if (!has(self, KEY_MODE)) {
        return MT_GNSS_VERDICT_MALFORMED;
    }
    report->has_fix = true;
    report->fix = self->mode >= FIX_3D   ? MT_GNSS_FIX_3D
                  : self->mode == FIX_2D ? MT_GNSS_FIX_2D
                                         : MT_GNSS_FIX_NONE;
    if (report->fix == MT_GNSS_FIX_NONE) {
        return MT_GNSS_VERDICT_NO_FIX;
    }
    if (has(self, KEY_EPT) && self->ept_ns > 0 && self->ept_ns <= UINT32_MAX) {
        report->has_accuracy = true;
        report->accuracy_ns = (uint32_t)self->ept_ns;
    }
    if (has(self, KEY_LEAP) && self->leap_s > 0 && self->leap_s <= UINT8_MAX) {
        report->has_leap = true; /* its own guess, maybe */
        report->leap.gps_utc_s = (int32_t)self->leap_s;
    }
    report->has_time = has(self, KEY_TIME);
    report->utc_s = self->time_s;
    return report->has_time ? MT_GNSS_VERDICT_USED : MT_GNSS_VERDICT_NO_TIME;
}

static enum mt_gnss_verdict tell_sky(const struct mt_gnss_scanner *self,
                                     struct mt_gnss_report *report)
{
    report->has_satellites = has(self, KEY_USED);
    report->satellites = self->used;
    report->has_visible = has(self, KEY_VISIBLE);
    report->visible = self->visible;
    return report->has_satellites || report->has_visible ? MT_GNSS_VERDICT_USED
                                                         : MT_GNSS_VERDICT_OTHER_KIND;
}

static bool is_time(int64_t s, int64_t ns)
{
    return s >= 0 && s < INT64_MAX / NS_PER_S - 1 && ns >= 0 && ns < NS_PER_S;
}

static enum mt_gnss_verdict tell_reading(const struct mt_gnss_scanner *self,
                                         struct mt_gnss_report *report)
{
    const int64_t *numbers = self->numbers;
    if (!has(self, KEY_REAL_S) || !has(self, KEY_REAL_NS) || !has(self, KEY_CLOCK_S) ||
        !has(self, KEY_CLOCK_NS) || !is_time(numbers[0], numbers[1]) ||
        !is_time(numbers[2], numbers[3])) {
        return MT_GNSS_VERDICT_MALFORMED;
    }
    report->has_reading = true;
    report->is_of_pulse = self->class == CLASS_PPS;
    report->real =
        (struct mt_instant){.s = numbers[0], .ns = (uint32_t)numbers[1], .scale = MT_SCALE_UTC};
    report->machine_ns = numbers[2] * NS_PER_S + numbers[3];
    if (has(self, KEY_QUANTISATION) && self->quantisation_ps > -NS_PER_S &&
        self->quantisation_ps < NS_PER_S) {
        report->has_quantisation = true;
        report->quantisation_ps = (int32_t)self->quantisation_ps;
    }
    return MT_GNSS_VERDICT_USED;
}

static enum mt_gnss_verdict tell(const struct mt_gnss_scanner *self, struct mt_gnss_report *report)
{
    switch ((enum class)self->class) {
    case CLASS_TPV:
        return tell_tpv(self, report);
    case CLASS_SKY:
        return tell_sky(self, report);
    case CLASS_PPS:
    case CLASS_TOFF:
        return tell_reading(self, report);
    case CLASS_OTHER:
        break;
    }
    return has(self, KEY_CLASS) ? MT_GNSS_VERDICT_OTHER_KIND : MT_GNSS_VERDICT_MALFORMED;
}

/* ---- octet by octet -------------------------------------------------------------------------- */

static bool is_space(uint8_t octet)
{
    return octet == ' ' || octet == '\t' || octet == '\r' || octet == '\n';
}

/* One more than there is room for is remembered as that. */
static void add(char *text, uint8_t *length, uint8_t size, uint8_t octet)
{
    if (*length < size) {
        text[*length] = (char)octet;
        (*length)++;
    }
}

static void begin_text(struct mt_gnss_scanner *self, enum state state)
{
    self->state = (uint8_t)state;
    self->is_escaped = false;
}

static void in_text(struct mt_gnss_scanner *self, uint8_t octet, bool is_key)
{
    if (octet == '"' && !self->is_escaped) {
        self->state = is_key ? STATE_COLON : STATE_BEHIND;
        if (!is_key) {
            keep_value(self);
        }
        return;
    }
    self->is_escaped = octet == '\\' && !self->is_escaped;
    if (is_key) {
        add(self->key, &self->key_length, MT_GNSS_KEY_SIZE, octet);
    } else {
        add(self->value, &self->value_length, MT_GNSS_VALUE_SIZE, octet);
    }
}

static void begin_value(struct mt_gnss_scanner *self, uint8_t octet)
{
    self->value_length = 0;
    if (octet == '"') {
        begin_text(self, STATE_TEXT);
    } else if (octet == '{' || octet == '[') {
        self->state = STATE_DEEP;
        self->depth = 1;
        self->in_string = false;
        self->is_escaped = false;
    } else if (octet == ',' || octet == '}' || octet == ':') {
        self->state = STATE_LOST;
    } else {
        self->state = STATE_WORD;
        add(self->value, &self->value_length, MT_GNSS_VALUE_SIZE, octet);
    }
}

static void in_deep(struct mt_gnss_scanner *self, uint8_t octet)
{
    if (self->in_string) {
        self->in_string = octet != '"' || self->is_escaped;
        self->is_escaped = octet == '\\' && !self->is_escaped;
    } else if (octet == '"') {
        self->in_string = true;
        self->is_escaped = false;
    } else if (octet == '{' || octet == '[') {
        self->depth++;
    } else if (octet == '}' || octet == ']') {
        self->depth--;
    }
    if (self->depth == 0) {
        self->state = STATE_BEHIND;
    } else if (self->depth > DEPTH_MAX) {
        self->state = STATE_LOST;
    }
}

static void begin_object(struct mt_gnss_scanner *self)
{
    memset(self, 0, sizeof *self);
    self->state = STATE_KEY_OR_END;
}

/* Behind a value: true at the end of the object. */
static bool behind(struct mt_gnss_scanner *self, uint8_t octet)
{
    if (octet == ',') {
        self->state = STATE_KEY_OR_END;
    } else if (octet == '}') {
        self->state = STATE_OUTSIDE;
        return true;
    } else if (!is_space(octet)) {
        self->state = STATE_LOST;
    }
    return false;
}

/* True at the end of an object. */
static bool move(struct mt_gnss_scanner *self, uint8_t octet)
{
    switch ((enum state)self->state) {
    case STATE_OUTSIDE:
        if (octet == '{') {
            begin_object(self);
        } else if (!is_space(octet)) {
            self->state = STATE_LOST;
        }
        break;
    case STATE_KEY_OR_END:
        if (octet == '"') {
            self->key_length = 0;
            begin_text(self, STATE_KEY);
        } else if (octet == '}') {
            self->state = STATE_OUTSIDE;
            return true;
        } else if (!is_space(octet)) {
            self->state = STATE_LOST;
        }
        break;
    case STATE_KEY:
        in_text(self, octet, true);
        break;
    case STATE_COLON:
        self->state = octet == ':' ? STATE_VALUE : is_space(octet) ? STATE_COLON : STATE_LOST;
        break;
    case STATE_VALUE:
        if (!is_space(octet)) {
            begin_value(self, octet);
        }
        break;
    case STATE_TEXT:
        in_text(self, octet, false);
        break;
    case STATE_WORD:
        if (octet == ',' || octet == '}' || is_space(octet)) {
            keep_value(self);
            self->state = STATE_BEHIND;
            return behind(self, octet);
        }
        add(self->value, &self->value_length, MT_GNSS_VALUE_SIZE, octet);
        break;
    case STATE_BEHIND:
        return behind(self, octet);
    case STATE_DEEP:
        in_deep(self, octet);
        break;
    case STATE_LOST:
        break;
    }
    return false;
}

bool mt_gnss_scanner_put(struct mt_gnss_scanner *self, uint8_t octet,
                         struct mt_gnss_report *ret_report, enum mt_gnss_verdict *ret_verdict)
{
    if (move(self, octet)) {
        *ret_verdict = tell(self, ret_report);
        return true;
    }
    if (octet == '\n' && self->state != STATE_OUTSIDE) {
        self->state = STATE_OUTSIDE;
        *ret_verdict = MT_GNSS_VERDICT_MALFORMED;
        return true;
    }
    return false;
}
