/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Delayed verification in a scenario: sources that sign with a chain of keys, and an instance that
 * acts on their messages when the keys are disclosed.
 */
#ifndef MEANTIME_TESTS_SCENARIO_SECURED_H
#define MEANTIME_TESTS_SCENARIO_SECURED_H

#include "meantime/ptp_security.h"
#include "world.h"

/** delayed=500ms of a CONFIG line: the interval of the chain. */
struct mt_security *secured_config(struct world *world, const struct words *line);
/** What the instance's clock reads now. */
void secured_tell(struct world *world, struct mt_instant reading);
/** The messages whose keys are known reach their ports. */
void secured_release(struct world *world);
/** Signs a message of a source whose clock reads `clock_ns`. */
void secured_sign(struct world *world, enum mt_ptp_type type, int64_t clock_ns,
                  struct frame *frame);

#endif
