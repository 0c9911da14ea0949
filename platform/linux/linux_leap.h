/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * TAI-UTC as this machine knows it: from the kernel, if somebody has told it, else from a
 * leap-seconds.list.  Asked once for each clock at start, and by whoever serves time.
 * Thread rule: no state; any thread.
 */
#ifndef MEANTIME_LINUX_LEAP_H
#define MEANTIME_LINUX_LEAP_H

#include <stdbool.h>
#include <stdint.h>

struct timex;

#define MT_LEAP_FILE "/usr/share/zoneinfo/leap-seconds.list"

enum mt_leap_origin { MT_LEAP_UNKNOWN, MT_LEAP_KERNEL, MT_LEAP_LIST };

struct mt_linux_leap {
    enum mt_leap_origin origin;
    int32_t tai_minus_utc_s; /**< 0 if unknown */
    int32_t next_change;     /**< -1 or +1: a leap second at the end of this UTC day; else 0 */
    bool list_has_expired;   /**< the list's end of validity lies before the time asked for */
    int64_t list_expires_s;  /**< UTC; 0: no list, or it does not say */
    int64_t list_made_s;     /**< likewise: it is not earlier than that */
    int32_t slack_s;         /**< by how much others may differ from this; 0: it is certain */
    int32_t kernel_s;        /**< TAI - UTC that others have told the kernel; 0: nobody has */
};

/** What there is to say of the list. */
enum mt_leap_list {
    MT_LEAP_LIST_ABSENT,
    MT_LEAP_LIST_GOOD,
    MT_LEAP_LIST_ENDS,
    MT_LEAP_LIST_EXPIRED
};
#define MT_LEAP_LIST_ENDS_S (60 * 86400) /**< a list that ends so soon should be renewed */
enum mt_leap_list mt_leap_list_of(const struct mt_linux_leap *leap, int64_t now_utc_s);
/** "absent", "good", "ends_soon", "expired" */
const char *mt_leap_list_name(enum mt_leap_list list);

/** `now_utc_s`: POSIX seconds.  `is_ours`: what the kernel knows it has of us.  False if nothing is
 * known. */
bool mt_linux_tai_utc(int64_t now_utc_s, bool is_ours, struct mt_linux_leap *ret_leap);
/** The same from one list only. */
bool mt_leap_from_list(const char *path, int64_t now_utc_s, struct mt_linux_leap *ret_leap);
/** What clock_adjtime() returned and filled in, besides what a list said before.  Nothing if nobody
 * has told the kernel.  TAI - UTC of a list that says that it is still good is not replaced. */
void mt_leap_from_kernel(const struct timex *kernel, int state, int64_t now_utc_s, bool is_ours,
                         struct mt_linux_leap *leap);

/** When to look it up again. */
struct mt_leap_watch {
    int64_t utc_s; /**< that the last look was for */
    int64_t at_ns; /**< when that was, MONOTONIC */
    /** As in struct mt_linux_leap, of the last look: the caller's to set. */
    int64_t list_made_s;
};

/** To be asked at each wake-up: a UTC day has begun, or an hour has gone by (tzdata may have been
 * updated).  `is_own`: the time is that of a clock which we publish; else it is the machine's,
 * which anybody may set: what was known later is not forgotten for a time before the list was
 * made, but a time that was far ahead may come back. */
bool mt_leap_watch_is_due(struct mt_leap_watch *self, int64_t utc_s, bool is_own, int64_t now_ns);

#endif
