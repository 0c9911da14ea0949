/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * A set of deadlines over an array of the caller, one element for each timer, so that an object
 * with many timers shows a single deadline at its boundary.  The owner arms and disarms, reports
 * mt_deadlines_earliest(), and when time has passed drains mt_deadlines_next_due() until it
 * returns false.  Linear in the number of timers, which is a dozen.  An index that does not
 * exist is ignored and never armed.
 * Thread rule: one set, one thread.
 */
#ifndef MEANTIME_BASE_DEADLINE_H
#define MEANTIME_BASE_DEADLINE_H

#include "meantime/time.h"

struct mt_deadlines {
    struct mt_mono *at; /**< MT_MONO_NEVER: not armed */
    uint8_t count;
};

/** Takes `at[0..count-1]` into use, all disarmed; the array must outlive the set. */
void mt_deadlines_init(struct mt_deadlines *set, struct mt_mono *at, uint8_t count);
/** Arms or re-arms one timer; MT_MONO_NEVER disarms it. */
void mt_deadlines_arm(struct mt_deadlines *set, uint8_t index, struct mt_mono at);
void mt_deadlines_disarm(struct mt_deadlines *set, uint8_t index);
bool mt_deadlines_is_armed(const struct mt_deadlines *set, uint8_t index);
/** The earliest armed deadline, MT_MONO_NEVER if there is none. */
struct mt_mono mt_deadlines_earliest(const struct mt_deadlines *set);
/** Disarms and names the earliest timer whose deadline is at or before `now`; of equal ones the
 * lowest index.  False when none is due. */
bool mt_deadlines_next_due(struct mt_deadlines *set, uint8_t *ret_index, struct mt_mono now);

#endif
