/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What was learned of an oscillator, as a file: text, one number a line, under a version.  Read
 * when a clock is opened, written every ten minutes and at the end.  The time of day tells how long
 * ago it was written; if that has been set back, the file seems to be new.
 * Thread rule: any thread.
 */
#ifndef MEANTIME_LINUX_LEARNED_H
#define MEANTIME_LINUX_LEARNED_H

#include "hal/store.h"

/** False if there is no such file, or, with a reason, none that can be believed; what is returned
 * is sound, and as old as it is at `now_s` of UTC. */
bool mt_linux_learned_read(const char *path, int64_t now_s,
                           struct mt_steer_oscillator_memory *ret_memory,
                           char reason[MT_HAL_REASON_SIZE]);
/** Puts it in place of what was there, in one step by way of `fresh`; false with errno. */
bool mt_linux_learned_write(const char *path, const char *fresh, int64_t now_s,
                            const struct mt_steer_oscillator_memory *memory);

#endif
