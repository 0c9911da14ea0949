/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Dates and seconds.  A year is taken to begin in March, so that the day that may be missing is its
 * last one; days before a month then follow a line.
 *
 * GPS counts weeks from 1980-01-06 modulo 1024 over the air, and receivers guess the rest by the
 * date of their firmware: twenty years after that they are 1024 weeks too early.  Their time of
 * the week is right all the same.
 */
#include "gnss/gnss_private.h"

#define DAY_S          86400
#define GPS_EPOCH_S    INT64_C(315964800) /* 1980-01-06 */
#define DAYS_OF_400    146097
#define DAYS_TO_1970   719468 /* from 0000-03-01 */
#define ROLLOVERS_MOST 8

static bool is_leap_year(int32_t year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static uint8_t days_of(int32_t year, uint8_t month)
{
    static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return month == 2 && is_leap_year(year) ? 29 : days[month - 1];
}

static int64_t day_number(const struct mt_gnss_date *date)
{
    int32_t year = date->month > 2 ? date->year : date->year - 1;
    int32_t month = date->month > 2 ? date->month - 3 : date->month + 9;
    int32_t era = year / 400;
    int32_t of_era = year - era * 400;
    int32_t of_year = (153 * month + 2) / 5 + date->day - 1;
    return (int64_t)era * DAYS_OF_400 + of_era * 365 + of_era / 4 - of_era / 100 + of_year -
           DAYS_TO_1970;
}

bool mt_gnss_seconds_of(const struct mt_gnss_date *date, int64_t *ret_utc_s)
{
    if (date->year < 1970 || date->year > 9999 || date->month < 1 || date->month > 12 ||
        date->day < 1 || date->day > days_of(date->year, date->month) || date->hour > 23 ||
        date->minute > 59 || date->second > 60) {
        return false;
    }
    *ret_utc_s = day_number(date) * DAY_S + date->hour * 3600 + date->minute * 60 + date->second;
    return true;
}

int64_t mt_gnss_week_start(int64_t week)
{
    return GPS_EPOCH_S + week * MT_GNSS_WEEK_S;
}

uint8_t mt_gnss_rollovers(int64_t s, int64_t not_before_s)
{
    uint8_t count = 0;
    while (count < ROLLOVERS_MOST && s + count * MT_GNSS_ROLLOVER_S < not_before_s) {
        count++;
    }
    return count;
}

/* ---- text ------------------------------------------------------------------------------------ */

static bool is_digit(uint8_t octet)
{
    return octet >= '0' && octet <= '9';
}

bool mt_gnss_number(struct mt_gnss_text text, uint32_t *ret_number)
{
    uint32_t number = 0;
    if (text.length == 0 || text.length > 9) {
        return false;
    }
    for (size_t i = 0; i < text.length; i++) {
        if (!is_digit(text.octets[i])) {
            return false;
        }
        number = number * 10 + (uint32_t)(text.octets[i] - '0');
    }
    *ret_number = number;
    return true;
}

bool mt_gnss_decimal(struct mt_gnss_text text, unsigned places, int64_t *ret_value)
{
    bool is_negative = text.length > 0 && text.octets[0] == '-';
    bool has_point = false;
    unsigned behind = 0;
    unsigned digits = 0;
    int64_t value = 0;
    for (size_t i = is_negative; i < text.length; i++) {
        if (text.octets[i] == '.' && !has_point) {
            has_point = true;
        } else if (!is_digit(text.octets[i])) {
            return false;
        } else if (!has_point || behind < places) {
            value = value * 10 + (text.octets[i] - '0');
            behind += has_point;
            digits++;
        }
        if (value > INT64_MAX / 100) {
            return false;
        }
    }
    for (; behind < places; behind++) {
        if (value > INT64_MAX / 100) {
            return false;
        }
        value *= 10;
    }
    *ret_value = is_negative ? -value : value;
    return digits > 0;
}

bool mt_gnss_text_is(struct mt_gnss_text text, const char *wanted)
{
    size_t i = 0;
    while (i < text.length && wanted[i] != 0 && text.octets[i] == (uint8_t)wanted[i]) {
        i++;
    }
    return i == text.length && wanted[i] == 0;
}
