/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What the operating system is told of a clock that it uses itself: whether it is synchronised,
 * and how wrong it may be.
 * Thread rule: the node's.
 */
#ifndef MEANTIME_RUNTIME_STANDING_H
#define MEANTIME_RUNTIME_STANDING_H

#include "hal/clock.h"

struct mt_node_clock;

/** How good the clock is, as last published. */
void mt_standing_of(const struct mt_node_clock *clock, struct mt_clock_standing *ret_standing);
/** Tells it, once a page was made. */
void mt_standing_tell(const struct mt_node_clock *clock);
/** Nobody looks after the clock any more. */
void mt_standing_end(const struct mt_node_clock *clock);

#endif
