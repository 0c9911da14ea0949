/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What a clock that stamps packets itself has been through: the reading at which each of its last
 * corrections took effect, so that a stamp of it can be told its correction count.
 * Thread rule: one thread at a time for each object.
 */
#ifndef MEANTIME_LINUX_PAST_H
#define MEANTIME_LINUX_PAST_H

#include <stdint.h>

#define MT_PAST_CORRECTIONS                                                                        \
    16 /**< a stamp from before the oldest of them counts as just after it */

struct mt_past {
    int64_t from_ns[MT_PAST_CORRECTIONS]; /**< private: ring by corrections */
    uint32_t corrections;                 /**< the clock has had so many; 0 to begin with */
};

/** One more correction, which took effect when the clock read `from_ns`. */
void mt_past_remember(struct mt_past *self, int64_t from_ns);
/** How many the clock had had when it read `at_ns`, if it was not among the last `skipped`. */
uint32_t mt_past_corrections_at(const struct mt_past *self, int64_t at_ns, uint32_t skipped);

#endif
