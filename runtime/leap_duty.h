/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * TAI - UTC of a clock that follows sources which count UTC, from before a leap second until the
 * machine has heard of it.
 * Thread rule: the node's.
 */
#ifndef MEANTIME_RUNTIME_LEAP_DUTY_H
#define MEANTIME_RUNTIME_LEAP_DUTY_H

#include "meantime/clock_page.h"
#include "meantime/sample.h"

struct mt_node_clock;

/** Zeros to begin with. */
struct mt_leap_duty {
    int32_t change_s; /**< of the leap second that is announced, or has just been; 0: none */
    int32_t before_s; /**< TAI - UTC until then */
    int64_t at_s;     /**< TAI: when it changes */
};

/** The page has been renewed: it may announce one. */
void mt_leap_duty_watch(struct mt_leap_duty *self, const struct mt_clock_page *page);
/** TAI - UTC at a TAI time, where it is known. */
int32_t mt_leap_duty_offset(const struct mt_node_clock *clock, const struct mt_instant *at);
/** True if nobody can say in which of two seconds a sample of UTC was taken. */
bool mt_leap_duty_is_doubtful(const struct mt_node_clock *clock, const struct mt_instant *at);
/** True if it is over and sources that still announce one mean the same. */
bool mt_leap_duty_is_over(const struct mt_leap_duty *self, const struct mt_instant *at);

#endif
