/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Watches at which rate others make the kernel's clocks run: an NTP daemon that disciplines the
 * machine's clock slews CLOCK_BOOTTIME, too, under a clock that floats above it.
 * Thread rule: the loop's thread.
 */
#ifndef MEANTIME_LINUX_TUNE_H
#define MEANTIME_LINUX_TUNE_H

#include "meantime/real.h"
#include "platform/linux/linux_time.h"

struct mt_tune_watch {
    const struct mt_os_time *os;
    mt_real rate;             /**< s/s against the oscillator, as the kernel was told */
    int64_t asked_ns;         /**< BOOTTIME of the last question */
    mt_real largest;          /**< change of the rate, not long ago */
    int64_t largest_until_ns; /**< BOOTTIME until which that counts */
};

void mt_tune_watch_init(struct mt_tune_watch *self, const struct mt_os_time *os,
                        int64_t boottime_ns);
/** Asks the kernel, at most every 10 ms.  True if `rate` has changed: at an unknown moment of the
 * last `ret_elapsed_ns`. */
bool mt_tune_watch_look(struct mt_tune_watch *self, int64_t boottime_ns, int64_t *ret_elapsed_ns);
/** How far a clock may be off because the rate has been changed, and may be again before the next
 * page is published: 0 if that has not happened in the last minute. */
int64_t mt_tune_watch_doubt_ns(const struct mt_tune_watch *self, int64_t boottime_ns);

#endif
