/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Virtual clocks of a hardware clock: the kernel derives any number of them from one counter, each
 * steered by itself, and converts the card's timestamps into each without loss.  They are made and
 * found in /sys/class/ptp.  While there are any, nobody can steer the counter itself.
 * Thread rule: the loop's thread.
 */
#ifndef MEANTIME_LINUX_VCLOCK_H
#define MEANTIME_LINUX_VCLOCK_H

#include <stdbool.h>
#include <stddef.h>

#include "hal/provider.h"

#define MT_VCLOCKS_MOST 20 /**< the kernel makes no more by itself */

/** Numbers of the virtual clocks of /dev/ptpN, ascending; how many there are. */
size_t mt_vclock_list(const char *sys, int physical, int ret_numbers[MT_VCLOCKS_MOST]);
/** The clock that a virtual clock is one of; `index` itself if it is none. */
int mt_vclock_physical(const char *sys, int index);
/** How many the kernel keeps; -1: it has no such thing for this clock. */
int mt_vclock_count(const char *sys, int physical);
/** A descriptor for the next one; -1 with errno. */
int mt_vclock_open(const char *sys, int physical);
/** Has the kernel keep so many.  False with errno. */
bool mt_vclock_set_count(int fd, int count);

struct mt_linux;
/** A virtual clock of the device that nobody of us has yet, made if need be: its number; -1 with a
 * reason.  What was made is taken back by mt_linux_vclocks_free(). */
int mt_linux_vclock_take(struct mt_linux *self, int index, char reason[MT_HAL_REASON_SIZE]);
/** Makes those of /dev/ptpN again if its driver has been loaded anew. */
void mt_linux_vclocks_make_again(struct mt_linux *self, int physical);
void mt_linux_vclocks_free(struct mt_linux *self);

#endif
