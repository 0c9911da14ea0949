/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * A ring, because whoever listens may be slow and must not hold up the clock.
 */
#include "runtime/events.h"

void mt_node_tell(struct mt_node *self, const struct mt_node_event *event)
{
    if (self->event_count == MT_NODE_EVENTS) {
        self->event_first = (uint16_t)((self->event_first + 1) % MT_NODE_EVENTS);
        self->event_count--;
        self->events_lost++;
    }
    self->events[(self->event_first + self->event_count) % MT_NODE_EVENTS] = *event;
    self->event_count++;
}

bool mt_node_next_event(struct mt_node *self, struct mt_node_event *ret_event)
{
    if (self->event_count == 0) {
        return false;
    }
    *ret_event = self->events[self->event_first];
    self->event_first = (uint16_t)((self->event_first + 1) % MT_NODE_EVENTS);
    self->event_count--;
    return true;
}
