/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * TAI - UTC and the next leap second, by all who say something of them: this machine, a GNSS
 * receiver, PTP grandmasters, NTP servers and reference clocks.  They are put into one choice by a
 * rule that docs/guide/leap-seconds.md states, and who contradicts it is named.
 * Thread rule: pure functions; any thread.
 */
#ifndef MEANTIME_STEER_LEAP_H
#define MEANTIME_STEER_LEAP_H

#include <stdbool.h>
#include <stdint.h>

#include "meantime/real.h"

#define MT_LEAP_CLAIMS_MAX 40
#define MT_LEAP_NO_TIME    INT64_MIN
#define MT_LEAP_LEAST_S    37 /**< TAI - UTC since 2017; without a list ... */
#define MT_LEAP_SLACK_S    3  /**< ... and with one whose age is not known, it may be off by this */

/** In the order in which they are believed. */
enum mt_leap_by {
    MT_LEAP_BY_NOBODY,
    MT_LEAP_BY_USER,   /**< leap61 or leap59 of an instance that follows nobody */
    MT_LEAP_BY_LIST,   /**< leap-seconds.list that is in force */
    MT_LEAP_BY_GNSS,   /**< a receiver with a valid almanac */
    MT_LEAP_BY_LEADER, /**< the clock that this one follows */
    MT_LEAP_BY_PTP,    /**< the grandmaster that is followed */
    MT_LEAP_BY_NTP,
    MT_LEAP_BY_REFCLOCK,
    MT_LEAP_BY_MEMORY,   /**< one of those before, which is gone */
    MT_LEAP_BY_KERNEL,   /**< told by another program */
    MT_LEAP_BY_OLD_LIST, /**< one that has expired */
};

struct mt_leap_claim {
    enum mt_leap_by by;
    uint16_t index; /**< of the instance, server, reference clock, or receiver */
    bool has_offset;
    int32_t tai_minus_utc_s;
    bool has_leap;      /**< knows whether there is one */
    int32_t leap_s;     /**< at the end of this UTC day: -1, 0 or +1 */
    bool may_come_soon; /**< it may mean a later day: told as long as a month ahead */
};

/** What is wrong, the worst first; the rest is not looked at. */
enum mt_leap_quarrel {
    MT_LEAP_AGREED,
    MT_LEAP_IS_UTC,      /**< TAI - UTC is said to be 0: UTC taken for TAI */
    MT_LEAP_IS_GPS,      /**< ... to be 18 or 19: GPS time is taken for TAI or UTC */
    MT_LEAP_IMPLAUSIBLE, /**< ... to be what it cannot be */
    MT_LEAP_TIMES_APART, /**< two sources differ by TAI - UTC; not of mt_leap_choose() */
    MT_LEAP_DIFFERS,     /**< ... to be another than is believed */
    MT_LEAP_NOT_LISTED,  /**< a leap second of which a better source knows nothing */
    MT_LEAP_NOT_HEARD,   /**< a listed leap second that is not announced */
    MT_LEAP_WRONG_DAY,   /**< a leap second today, which is not the last day of a month */
    MT_LEAP_QUARRELS,
};

struct mt_leap_choice {
    bool is_known;
    int32_t tai_minus_utc_s;
    enum mt_leap_by by; /**< whose that is */
    int32_t leap_s;
    enum mt_leap_by leap_by;
    enum mt_leap_quarrel quarrel;
    struct mt_leap_claim with; /**< of a quarrel: the one that is not believed */
};

/** `slack_s`: by how much TAI - UTC may differ from what the machine's list says, for the list is
 * that old; 0 while it is in force.  `utc_s`: now; MT_LEAP_NO_TIME: nobody knows. */
void mt_leap_choose(const struct mt_leap_claim *claims, unsigned count, int32_t slack_s,
                    int64_t utc_s, struct mt_leap_choice *ret_choice);

/** "list", "gnss", "ptp" ... */
const char *mt_leap_by_name(enum mt_leap_by by);
/** "agreed", "looks_like_utc" ... */
const char *mt_leap_quarrel_name(enum mt_leap_quarrel quarrel);
/** True on the last day of a month of UTC, the only one that may end with a leap second
 * [ITU-R TF.460-6 D.2]. */
bool mt_leap_is_last_day(int64_t utc_s);
/** True if two clocks that differ by this are one of UTC and one of TAI, for all that seems. */
bool mt_leap_looks_confused(mt_real difference_s, int32_t tai_minus_utc_s);

#endif
