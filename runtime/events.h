/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The node's ring of events: written by runtime, drained with mt_node_next_event().
 */
#ifndef MEANTIME_RUNTIME_EVENTS_H
#define MEANTIME_RUNTIME_EVENTS_H

#include "runtime/node.h"

/** Keeps an event; the oldest gives way when the ring is full, and is counted. */
void mt_node_tell(struct mt_node *self, const struct mt_node_event *event);

#endif
