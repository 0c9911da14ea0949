/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Sentences of NMEA 0183.  Of use are RMC and ZDA, which have date and time, GGA and GSA, which
 * tell of the fix.  Of the satellite systems' talkers (GP, GN, GL, GA, GB ...) any will do.
 *
 * A time with a fraction of a second is that of a fix between two seconds: it says nothing of the
 * one that has just begun, and is passed over.  The year of RMC has two digits: of 80 to 99 those
 * of the last century are meant, which only a week counter that began again can have said.
 */
#include "base/memory.h"
#include "gnss/gnss_private.h"

#define FIELDS_MAX 24
#define ESTIMATED  6 /* quality of GGA */

struct sentence {
    struct mt_gnss_text fields[FIELDS_MAX]; /* the first: talker and kind */
    size_t count;
};

/* Fields beyond the last one are empty. */
static struct mt_gnss_text field(const struct sentence *self, size_t index)
{
    return index < self->count ? self->fields[index] : (struct mt_gnss_text){0};
}

static void split(const uint8_t *octets, size_t length, struct sentence *ret_sentence)
{
    size_t from = 0;
    ret_sentence->count = 0;
    for (size_t i = 0; i <= length && ret_sentence->count < FIELDS_MAX; i++) {
        if (i == length || octets[i] == ',') {
            ret_sentence->fields[ret_sentence->count++] =
                (struct mt_gnss_text){octets + from, i - from};
            from = i + 1;
        }
    }
}

static struct mt_gnss_text piece(struct mt_gnss_text text, size_t from, size_t length)
{
    return text.length >= from + length ? (struct mt_gnss_text){text.octets + from, length}
                                        : (struct mt_gnss_text){0};
}

/* Two digits; false if there are none. */
static bool pair(struct mt_gnss_text text, size_t at, uint8_t *ret_value)
{
    uint32_t value;
    if (!mt_gnss_number(piece(text, at, 2), &value)) {
        return false;
    }
    *ret_value = (uint8_t)value;
    return true;
}

/* hhmmss, or hhmmss.sss; `ret_is_whole`: there is no fraction, or zeros. */
static bool time_of_day(struct mt_gnss_text text, struct mt_gnss_date *date, bool *ret_is_whole)
{
    bool is_good = pair(text, 0, &date->hour) && pair(text, 2, &date->minute) &&
                   pair(text, 4, &date->second) && (text.length == 6 || text.octets[6] == '.');
    *ret_is_whole = true;
    for (size_t i = 7; is_good && i < text.length; i++) {
        is_good = text.octets[i] >= '0' && text.octets[i] <= '9';
        *ret_is_whole = *ret_is_whole && text.octets[i] == '0';
    }
    return is_good;
}

static enum mt_gnss_verdict take_time(const struct mt_gnss_date *date, bool is_whole,
                                      struct mt_gnss_report *report)
{
    int64_t utc_s;
    if (!mt_gnss_seconds_of(date, &utc_s)) {
        return MT_GNSS_VERDICT_MALFORMED;
    }
    report->has_time = is_whole;
    report->utc_s = utc_s;
    report->is_leap_second = date->second == 60;
    return MT_GNSS_VERDICT_USED;
}

/* ---- RMC: time, status, place, speed, course, date ... --------------------------------------- */

static enum mt_gnss_verdict parse_rmc(const struct sentence *self, struct mt_gnss_report *report)
{
    struct mt_gnss_text day = field(self, 9);
    struct mt_gnss_date date = {0};
    uint8_t year;
    bool is_whole;
    bool is_fixed = mt_gnss_text_is(field(self, 2), "A");
    report->has_fix = true;
    report->fix = is_fixed ? MT_GNSS_FIX_UNKNOWN : MT_GNSS_FIX_NONE;
    if (!is_fixed) {
        bool is_void = mt_gnss_text_is(field(self, 2), "V");
        return is_void ? MT_GNSS_VERDICT_NO_FIX : MT_GNSS_VERDICT_MALFORMED;
    }
    if (field(self, 1).length == 0 || day.length == 0) {
        return MT_GNSS_VERDICT_NO_TIME;
    }
    if (!time_of_day(field(self, 1), &date, &is_whole) || day.length != 6 ||
        !pair(day, 0, &date.day) || !pair(day, 2, &date.month) || !pair(day, 4, &year)) {
        return MT_GNSS_VERDICT_MALFORMED;
    }
    date.year = year >= 80 ? 1900 + year : 2000 + year;
    return take_time(&date, is_whole, report);
}

/* ---- ZDA: time, day, month, year ------------------------------------------------------------- */

static enum mt_gnss_verdict parse_zda(const struct sentence *self, struct mt_gnss_report *report)
{
    struct mt_gnss_date date = {0};
    uint32_t year;
    bool is_whole;
    if (field(self, 1).length == 0 || field(self, 4).length == 0) {
        return MT_GNSS_VERDICT_NO_TIME;
    }
    if (!time_of_day(field(self, 1), &date, &is_whole) || !pair(field(self, 2), 0, &date.day) ||
        !pair(field(self, 3), 0, &date.month) || field(self, 4).length != 4 ||
        !mt_gnss_number(field(self, 4), &year)) {
        return MT_GNSS_VERDICT_MALFORMED;
    }
    date.year = (int32_t)year;
    return take_time(&date, is_whole, report);
}

/* ---- the fix --------------------------------------------------------------------------------- */

/* GGA: time, place, quality (0: none; from 6: estimated, typed in, simulated), satellites ... */
static enum mt_gnss_verdict parse_gga(const struct sentence *self, struct mt_gnss_report *report)
{
    uint32_t quality;
    uint32_t satellites;
    if (!mt_gnss_number(field(self, 6), &quality)) {
        return MT_GNSS_VERDICT_MALFORMED;
    }
    report->has_fix = quality < ESTIMATED;
    report->fix = quality == 0 ? MT_GNSS_FIX_NONE : MT_GNSS_FIX_UNKNOWN;
    if (mt_gnss_number(field(self, 7), &satellites) && satellites <= UINT8_MAX) {
        report->has_satellites = true;
        report->satellites = (uint8_t)satellites;
    }
    return MT_GNSS_VERDICT_USED;
}

/* GSA: how it is chosen, fix (1 none, 2 2D, 3 3D), satellites ... */
static enum mt_gnss_verdict parse_gsa(const struct sentence *self, struct mt_gnss_report *report)
{
    static const enum mt_gnss_fix fixes[] = {MT_GNSS_FIX_NONE, MT_GNSS_FIX_2D, MT_GNSS_FIX_3D};
    uint32_t fix;
    if (!mt_gnss_number(field(self, 2), &fix) || fix < 1 || fix > 3) {
        return MT_GNSS_VERDICT_MALFORMED;
    }
    report->has_fix = true;
    report->fix = fixes[fix - 1];
    return MT_GNSS_VERDICT_USED;
}

/* ---- all of them ----------------------------------------------------------------------------- */

typedef enum mt_gnss_verdict parse_kind(const struct sentence *self, struct mt_gnss_report *report);

static const struct {
    char kind[4];
    parse_kind *parse;
} kinds[] = {{"RMC", parse_rmc}, {"ZDA", parse_zda}, {"GGA", parse_gga}, {"GSA", parse_gsa}};

static bool is_of_satellites(const uint8_t talker[2])
{
    static const char talkers[][3] = {"GP", "GN", "GL", "GA", "GB", "BD", "GQ", "GI", "QZ"};
    for (size_t i = 0; i < sizeof talkers / sizeof talkers[0]; i++) {
        if (memcmp(talkers[i], talker, 2) == 0) {
            return true;
        }
    }
    return false;
}

enum mt_gnss_verdict mt_gnss_nmea_parse(const uint8_t *octets, size_t length,
                                        struct mt_gnss_report *ret_report)
{
    struct sentence sentence;
    split(octets, length, &sentence);
    struct mt_gnss_text address = sentence.fields[0];
    if (address.length > 0 && address.octets[0] == 'P') {
        return MT_GNSS_VERDICT_PROPRIETARY;
    }
    if (address.length != 5) {
        return MT_GNSS_VERDICT_MALFORMED;
    }
    if (!is_of_satellites(address.octets)) {
        return MT_GNSS_VERDICT_OTHER_TALKER;
    }
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (mt_gnss_text_is(piece(address, 2, 3), kinds[i].kind)) {
            return kinds[i].parse(&sentence, ret_report);
        }
    }
    return MT_GNSS_VERDICT_OTHER_KIND;
}
