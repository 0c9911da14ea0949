/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * When the answers of a group leave, of which each is told beforehand: how long one takes is known
 * of those before.  The pace that is learnt is that of answers which nothing held up: it falls
 * quickly and rises slowly.  The first answers tell the pace, but nothing is expected of it until
 * there are some: one alone may have been held up for longer than the next takes for its whole
 * way, and who hears that an answer left after it came does not believe the server.  So what is
 * said is rather too early than too late.
 *
 * A worker thread's own; nothing is shared.
 */
#ifndef MT_LINUX_NTP_PACE_H
#define MT_LINUX_NTP_PACE_H

#include <stdint.h>

#define MT_NTP_PACE_FIRST 8 /**< answers, after which the pace is known */

struct mt_ntp_pace {
    int64_t each_ns_q8;  /**< what one answer takes, times 256; 0: not known yet */
    int64_t least_ns_q8; /**< of the first ones */
    unsigned seen;       /**< of them */
};

/** `answers` of them, at least one, took so long. */
void mt_ntp_pace_learn(struct mt_ntp_pace *self, int64_t took_ns, unsigned answers);

/** From when a group begins to leave until its answer number `place`, from 0, leaves. */
int64_t mt_ntp_pace_after_ns(const struct mt_ntp_pace *self, unsigned place);

#endif
