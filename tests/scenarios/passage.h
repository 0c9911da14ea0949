/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Watches what passes through a transparent clock, in every run of the sweep: nothing passes twice,
 * nothing leaves that has not come, nothing but correctionField and twoStepFlag is changed, answers
 * go where the request came from, and what is added is the time inside (peer to peer: and the delay
 * of the link).  It knows nothing of how that is done.
 */
#ifndef MEANTIME_TESTS_SCENARIO_PASSAGE_H
#define MEANTIME_TESTS_SCENARIO_PASSAGE_H

#include "world.h"

/** A new world. */
void passage_reset(void);
/** A frame reaches a port of the instance. */
void passage_came(const struct world *world, uint16_t port, const struct frame *frame);
/** A frame that is not the instance's own leaves it. */
void passage_left(const struct world *world, uint16_t port, const struct frame *frame);
/** True if the instance is not its source. */
bool passage_is_foreign(const struct world *world, const struct frame *frame);

#endif
