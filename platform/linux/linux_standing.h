/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What the kernel is told of the machine's clock by whoever steers it: STA_UNSYNC, esterror,
 * maxerror, TAI - UTC.  timedatectl, adjtimex(8) and the kernel itself, which then sets the
 * real-time clock every 11 minutes, go by that.
 * Thread rule: the loop's thread.
 */
#ifndef MEANTIME_LINUX_STANDING_H
#define MEANTIME_LINUX_STANDING_H

#include "platform/linux/linux_time.h"

#define MT_STANDING_UNKNOWN_US 16000000 /**< the largest error that the kernel knows */

struct mt_linux_standing {
    const struct mt_os_time *os;
    bool sets_rtc;        /**< the kernel may set the real-time clock */
    bool is_synchronised; /**< as last told */
    int64_t told_ns;      /**< MONOTONIC of that */
    int64_t bound_us;     /**< and what was told */
};

/** The kernel knows nothing, which the caller has seen to. */
void mt_linux_standing_init(struct mt_linux_standing *self, const struct mt_os_time *os,
                            bool sets_rtc);
/** The kernel has forgotten what it was told, for its clock was stepped. */
void mt_linux_standing_forget(struct mt_linux_standing *self);
/** `standing`: of the clock that counts TAI_MINUS_UTC_S more than the kernel's, 0: that is not
 * known; TAI - UTC is left alone then, and while `is_midnight`, when the kernel may be changing it
 * for a leap second. */
void mt_linux_standing_tell(struct mt_linux_standing *self,
                            const struct mt_clock_standing *standing, int32_t tai_minus_utc_s,
                            bool is_midnight);

#endif
