/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What CONFIG and PORT lines say beyond the default algorithm: other comparisons and states, ports
 * with a role, transmitters that are not followed.
 */
#ifndef MEANTIME_TESTS_SCENARIO_SPECIAL_H
#define MEANTIME_TESTS_SCENARIO_SPECIAL_H

#include "world.h"

/** bmca=, local_priority=, class_threshold=, delayed= of a CONFIG line; after the features are
 * chosen. */
void special_config(struct world *world, const struct words *line);
/** role=, local_priority=, sync_timeout= of a PORT line. */
void special_port(struct world *world, const struct words *line, uint16_t port);

#endif
