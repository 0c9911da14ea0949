/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * A clock that can be steered, over a counter that cannot: a timer that only runs, extended to
 * 64 bits, in which packets are stamped as well.  For platforms whose hardware has no adjustable
 * clock; whoever has one fills hal/clock.h himself.
 * Packets may be older than the last corrections: their stamps are read as the clock read then.
 * Integers only, none wider than 64 bits; exact to 2^-16 ns.
 * Thread rule: one thread at a time for each object.
 */
#ifndef MEANTIME_EMBED_COUNTER_CLOCK_H
#define MEANTIME_EMBED_COUNTER_CLOCK_H

#include "hal/clock.h"

#define MT_COUNTER_CLOCK_PAST     4             /**< corrections that a stamp may lie before */
#define MT_COUNTER_CLOCK_MAX_RATE MT_REAL(1e-3) /**< s/s */

/** The counter now, in ns since any moment; never goes backwards.  `frac`: if it knows it. */
typedef struct mt_base_time (*mt_counter)(void);

struct mt_counter_clock {
    struct mt_hal_clock hal;
    mt_counter counter;
    uint32_t corrections;     /**< = number of the newest piece */
    struct mt_counter_piece { /**< between two corrections */
        struct mt_base_time since;
        struct mt_instant local; /**< read then */
        int64_t rate_q48;
    } pieces[MT_COUNTER_CLOCK_PAST]; /**< ring */
};

/** Begins to read `local` now, at the counter's own rate.  ARB adopts the timescale of whom it
 * follows; TAI keeps it.  granularity_ns: the counter's, and that of stamps. */
void mt_counter_clock_init(struct mt_counter_clock *self, mt_counter counter,
                           uint32_t granularity_ns, struct mt_instant local);

#endif
