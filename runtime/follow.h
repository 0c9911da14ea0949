/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * A clock of the node that follows another one of it: the system's clock a hardware clock that PTP
 * steers, or the hardware clock of a grandmaster the system's.  Both are read again and again, and
 * each pair of readings is a sample for the discipline of the one that follows.  It waits until
 * the other one has the time, and gives way to PTP while an instance on it follows somebody.
 * Two clocks may follow each other: then the one leads that has the time by sources of its own.
 * Thread rule: that of the node.
 */
#ifndef MEANTIME_RUNTIME_FOLLOW_H
#define MEANTIME_RUNTIME_FOLLOW_H

#include <stdbool.h>
#include <stdint.h>

#include "meantime/time.h"

#define MT_FOLLOW_EVERY_NS INT64_C(250000000)

struct mt_node;

struct mt_follow {
    bool is_used;
    uint16_t leader;   /**< index of the clock */
    uint16_t source;   /**< index among the sources of the clock that follows */
    struct mt_mono at; /**< of the next pair of readings */
    bool was_led;      /**< what the clock followed last was the leader */
};

/** Makes a sample if it is time. */
void mt_follow_tick(struct mt_node *node, uint16_t clock, struct mt_mono now);

/** The clock follows another one, which has the time. */
bool mt_follow_has_leader(const struct mt_node *node, uint16_t clock);

#endif
