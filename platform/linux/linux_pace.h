/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * When the answers of a group will leave, of which each is told beforehand.  All of them are
 * finished, then one after the other is sent.  What one takes to be finished and to be sent is
 * known of those before, and when the first left of those for which the kernel was asked.
 *
 * Whatever is said is rather too early than too late: who hears that an answer left after it came
 * does not believe the server, and an answer that is held up only seems to have had a longer way.
 * So one in four leaves before it is expected to, and nothing is expected until several have left,
 * for one alone may have been held up for longer than the next takes for its whole way.
 *
 * A worker thread's own; nothing is shared.
 */
#ifndef MEANTIME_LINUX_PACE_H
#define MEANTIME_LINUX_PACE_H

#include <stdint.h>

#define MT_PACE_FIRST    8 /**< answers, after which it is known what one takes */
#define MT_PACE_DEPARTED 3 /**< departures, after which they are known */

/** What one of many takes that are done in a row; all zero: not known. */
struct mt_pace_part {
    int64_t each_ns_q8;  /**< times 256; 0: not known yet */
    int64_t least_ns_q8; /**< of the first ones */
    unsigned seen;       /**< of them */
};

struct mt_pace {
    struct mt_pace_part finishing;
    struct mt_pace_part sending;
    int64_t departure_ns_q8; /**< of the first of a group, since all are finished; times 256 */
    unsigned departures;     /**< that are known, of the first ones */
};

/** `answers` of them, at least one, were finished in so long, and sent in so long. */
void mt_pace_learn(struct mt_pace *self, int64_t finished_ns, int64_t sent_ns, unsigned answers);
/** The first of a group left so long after all were finished. */
void mt_pace_departed(struct mt_pace *self, int64_t after_ns);

/** From when a group of `answers` begins to be finished until its number `place`, from 0, leaves.
 */
int64_t mt_pace_after_ns(const struct mt_pace *self, unsigned place, unsigned answers);

#endif
