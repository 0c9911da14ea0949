/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Events of a composition's node in the one event schema (status/events.def), which knows the
 * sentences and how serious they are: the daemon's log, a replay and a simulation tell the same.
 * Thread rule: the thread that owns the composition.
 */
#ifndef MEANTIME_COMPOSE_TELL_H
#define MEANTIME_COMPOSE_TELL_H

#include "compose/compose.h"
#include "status/events.h"

/** Translates an event that mt_node_next_event() has just given; what `ret_told` points to lives
 * until the node's next input.  False: it is not worth telling. */
bool mt_composition_tell(const struct mt_composition *self, const struct mt_node_event *event,
                         struct mt_status_event *ret_told);

/** Programs that run and may steer a clock besides us, in words; "": none is known. */
const char *mt_composition_rivals(const struct mt_composition *self, uint16_t clock);

#endif
