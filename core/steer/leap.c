/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The list of the IERS is right by definition until the day that it names, so while it is in force
 * nobody else is asked.  After that the sources are believed in the order of enum mt_leap_by, but
 * none of them further than leap seconds can have happened since: whoever says 0 serves UTC and
 * calls it TAI, whoever says 18 or 19 has the offset of GPS.  Such a value would set clocks wrong
 * by half a minute, so it is never used, only named.
 *
 * Leap seconds are announced by flags for the present day; those of NTP servers come up to a month
 * ahead.  So they count on the last day of a month only.  Sources of the same kind vote: one
 * server with a forgotten flag decides nothing.
 */
#include "meantime/steer_leap.h"

#include <stddef.h>

#define S_PER_DAY     86400
#define DAYS_PER_ERA  146097
#define GPS_TAI_S     19
#define CONFUSED_BY_S MT_REAL(0.5)
#define LATE_S        3600   /* so long after a leap second it may still be announced */
#define SOON_S        21600  /* so long before it everybody announces it */
#define DAYS_TO_1970  719468 /* from 0000-03-01 */

const char *mt_leap_by_name(enum mt_leap_by by)
{
    static const char *const names[] = {"nobody", "configuration", "list",    "gnss",
                                        "clock",  "ptp",           "ntp",     "refclock",
                                        "memory", "kernel",        "old_list"};
    return names[by];
}

const char *mt_leap_quarrel_name(enum mt_leap_quarrel quarrel)
{
    static const char *const names[] = {"agreed",          "looks_like_utc", "looks_like_gps",
                                        "implausible",     "times_apart",    "differs",
                                        "leap_not_listed", "leap_not_heard", "leap_on_wrong_day"};
    return names[quarrel];
}

/* ---- the calendar ---------------------------------------------------------------------------- */

/* Months counted from March have their lengths in one formula. */
static int64_t month_of(int64_t day)
{
    int64_t shifted = day + DAYS_TO_1970;
    int64_t day_of_era = shifted % DAYS_PER_ERA;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    return (5 * day_of_year + 2) / 153;
}

bool mt_leap_is_last_day(int64_t utc_s)
{
    int64_t day = utc_s / S_PER_DAY;
    return utc_s >= 0 && month_of(day) != month_of(day + 1);
}

bool mt_leap_looks_confused(mt_real difference_s, int32_t tai_minus_utc_s)
{
    mt_real size_s = difference_s < 0 ? -difference_s : difference_s;
    mt_real off_s = size_s - (mt_real)tai_minus_utc_s;
    return tai_minus_utc_s != 0 && off_s < CONFUSED_BY_S && off_s > -CONFUSED_BY_S;
}

/* ---- TAI - UTC ------------------------------------------------------------------------------- */

static bool is_machine(enum mt_leap_by by)
{
    return by == MT_LEAP_BY_LIST || by == MT_LEAP_BY_OLD_LIST;
}

/* Nobody else says it. */
static bool is_own(enum mt_leap_by by)
{
    return is_machine(by) || by == MT_LEAP_BY_MEMORY;
}

static const struct mt_leap_claim *listed(const struct mt_leap_claim *claims, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        if (is_machine(claims[i].by) && claims[i].has_offset) {
            return &claims[i];
        }
    }
    return NULL;
}

static enum mt_leap_quarrel doubt(const struct mt_leap_claim *claim,
                                  const struct mt_leap_claim *list, int32_t slack_s)
{
    int32_t known_s = list != NULL ? list->tai_minus_utc_s : MT_LEAP_LEAST_S;
    int32_t off_s = claim->tai_minus_utc_s - known_s;
    int32_t most_s = list != NULL ? slack_s : 2 * MT_LEAP_SLACK_S;
    if (off_s <= most_s && off_s >= -most_s) {
        return MT_LEAP_AGREED;
    }
    bool is_gps =
        claim->tai_minus_utc_s == GPS_TAI_S || claim->tai_minus_utc_s == known_s - GPS_TAI_S;
    bool is_near = off_s <= MT_LEAP_SLACK_S && off_s >= -MT_LEAP_SLACK_S;
    return claim->tai_minus_utc_s == 0 ? MT_LEAP_IS_UTC
           : is_gps                    ? MT_LEAP_IS_GPS
           : is_near                   ? MT_LEAP_DIFFERS
                                       : MT_LEAP_IMPLAUSIBLE;
}

static void name_quarrel(struct mt_leap_choice *choice, enum mt_leap_quarrel quarrel,
                         const struct mt_leap_claim *with)
{
    if (choice->quarrel == MT_LEAP_AGREED || quarrel < choice->quarrel) {
        choice->quarrel = quarrel;
        choice->with = *with;
    }
}

static void choose_offset(const struct mt_leap_claim *claims, unsigned count, int32_t slack_s,
                          struct mt_leap_choice *choice)
{
    const struct mt_leap_claim *list = listed(claims, count);
    for (unsigned i = 0; i < count; i++) {
        bool is_better = !choice->is_known || claims[i].by < choice->by;
        if (claims[i].has_offset && is_better &&
            doubt(&claims[i], list, slack_s) == MT_LEAP_AGREED) {
            choice->is_known = true;
            choice->tai_minus_utc_s = claims[i].tai_minus_utc_s;
            choice->by = claims[i].by;
        }
    }
    for (unsigned i = 0; i < count; i++) {
        enum mt_leap_quarrel quarrel =
            claims[i].has_offset ? doubt(&claims[i], list, slack_s) : MT_LEAP_AGREED;
        bool differs = claims[i].has_offset && choice->is_known && !is_own(claims[i].by) &&
                       claims[i].tai_minus_utc_s != choice->tai_minus_utc_s;
        if (!is_own(claims[i].by) && (quarrel != MT_LEAP_AGREED || differs)) {
            name_quarrel(choice, quarrel != MT_LEAP_AGREED ? quarrel : MT_LEAP_DIFFERS, &claims[i]);
        }
    }
}

/* ---- the leap second ------------------------------------------------------------------------- */

/* More than half of those of a kind; with two, both. */
static int32_t vote(const struct mt_leap_claim *claims, unsigned count, enum mt_leap_by by,
                    bool *ret_has_voted)
{
    int up = 0;
    int down = 0;
    int voters = 0;
    for (unsigned i = 0; i < count; i++) {
        if (claims[i].by == by && claims[i].has_leap) {
            voters++;
            up += claims[i].leap_s > 0;
            down += claims[i].leap_s < 0;
        }
    }
    *ret_has_voted = voters > 0;
    return 2 * up > voters ? 1 : 2 * down > voters ? -1 : 0;
}

static bool is_certain(enum mt_leap_by by)
{
    return by == MT_LEAP_BY_LIST || by == MT_LEAP_BY_GNSS;
}

static void note_leap(const struct mt_leap_claim *claim, int64_t utc_s, bool is_last_day,
                      struct mt_leap_choice *choice)
{
    if (!claim->has_leap || claim->leap_s == choice->leap_s) {
        return;
    }
    if (claim->leap_s != 0 && !is_last_day) {
        if (!claim->may_come_soon && utc_s % S_PER_DAY >= LATE_S) {
            name_quarrel(choice, MT_LEAP_WRONG_DAY, claim);
        }
    } else if (claim->leap_s != 0) {
        name_quarrel(choice, MT_LEAP_NOT_LISTED, claim);
    } else if (is_certain(choice->leap_by) && !is_own(claim->by) &&
               claim->by != MT_LEAP_BY_KERNEL && utc_s % S_PER_DAY >= S_PER_DAY - SOON_S) {
        name_quarrel(choice, MT_LEAP_NOT_HEARD, claim);
    }
}

/* Of those who know most the first who say anything; the machine's own knowledge of an old list or
 * of the kernel stands only for a leap second, for of none it may not have heard. */
static void choose_leap(const struct mt_leap_claim *claims, unsigned count, int64_t utc_s,
                        struct mt_leap_choice *choice)
{
    bool is_last_day = utc_s == MT_LEAP_NO_TIME || mt_leap_is_last_day(utc_s);
    bool has_voted = false;
    for (unsigned by = MT_LEAP_BY_USER; !has_voted && by <= MT_LEAP_BY_OLD_LIST; by++) {
        int32_t leap_s = vote(claims, count, (enum mt_leap_by)by, &has_voted);
        if (has_voted) {
            choice->leap_s = is_last_day || by == MT_LEAP_BY_USER ? leap_s : 0;
            choice->leap_by = (enum mt_leap_by)by;
        }
    }
    for (unsigned i = 0; i < count; i++) {
        note_leap(&claims[i], utc_s, is_last_day, choice);
    }
}

void mt_leap_choose(const struct mt_leap_claim *claims, unsigned count, int32_t slack_s,
                    int64_t utc_s, struct mt_leap_choice *ret_choice)
{
    struct mt_leap_choice choice = {.by = MT_LEAP_BY_NOBODY};
    choose_offset(claims, count, slack_s, &choice);
    choose_leap(claims, count, utc_s, &choice);
    *ret_choice = choice;
}
