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

/** Rates in s/s against the oscillator. */
struct mt_tune_rate {
    mt_real told;  /**< frequency and tick: from the moment on at which they are set */
    mt_real slews; /**< the kernel's own loop and adjtime(): from its next second on */
};

struct mt_tune_watch {
    const struct mt_os_time *os;
    struct mt_tune_rate rate;
    int64_t asked_ns;         /**< BOOTTIME of the last question */
    mt_real largest;          /**< change of the rate, not long ago */
    int64_t largest_until_ns; /**< BOOTTIME until which that counts */
    int64_t guessed_ns;       /**< by how much all the guessed moments of changes may be wrong */
};

/** The rate of slews that others began in the kernel and that are not over; 0: it does not say. */
mt_real mt_tune_slews(const struct mt_os_time *os);
/** Whether the kernel answers at all; with errno.  If not, its clock counts as never slewed. */
bool mt_tune_can_ask(const struct mt_os_time *os);
void mt_tune_watch_init(struct mt_tune_watch *self, const struct mt_os_time *os,
                        int64_t boottime_ns);
/** The sum. */
mt_real mt_tune_watch_rate(const struct mt_tune_watch *self);
/** Asks the kernel, at most every 10 ms.  True if the rate has changed: at an unknown moment of the
 * last `ret_elapsed_ns`. */
bool mt_tune_watch_look(struct mt_tune_watch *self, int64_t boottime_ns, int64_t *ret_elapsed_ns);
/** The clock was corrected by samples, which know what was guessed wrong. */
void mt_tune_watch_corrected(struct mt_tune_watch *self);
/** How far a clock may be off because the rate has been changed: by what was guessed until now,
 * which stays until corrections have taken it away; and, for a minute after a change, by what the
 * next one may make before the next page is published. */
int64_t mt_tune_watch_doubt_ns(const struct mt_tune_watch *self, int64_t boottime_ns);

#endif
