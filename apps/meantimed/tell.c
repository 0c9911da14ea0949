/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Events of the node become entries of the journal: translated into the one event schema
 * (status/events.def), which knows the sentences and how serious they are.
 */
#include "apps/meantimed/daemon.h"
#include "status/events.h"

static void tell(struct mt_daemon *self, const struct mt_status_event *event)
{
    char text[MT_STATUS_SENTENCE_SIZE];
    mt_status_sentence(event, text, sizeof text);
    mt_journal_write(&self->journal, (enum mt_journal_level)mt_status_event_level(event->kind),
                     (unsigned)event->kind + 1, "%s", text);
}

/* ---- PTP ------------------------------------------------------------------------------------- */

static const char *port_name(const struct mt_daemon *self, uint16_t instance, uint16_t port)
{
    const struct mt_config *config = self->config;
    return port == 0 ? NULL : config->ports[config->instances[instance].first_port + port - 1].name;
}

static void tell_ptp(struct mt_daemon *self, uint16_t index, const struct mt_event *event)
{
    const struct mt_instance *ptp = &self->composition->node.instances[index].ptp;
    struct mt_status_event told = {
        .instance = self->config->instances[index].name,
        .port = port_name(self, index, event->port),
    };
    switch (event->kind) {
    case MT_EVENT_STATE:
        told.kind = MT_STATUS_EVENT_PORT_STATE;
        told.value.state.from = event->value.state.from;
        told.value.state.to = event->value.state.to;
        break;
    case MT_EVENT_PARENT:
    case MT_EVENT_REFERENCE:
        told.kind = MT_STATUS_EVENT_PARENT;
        told.value.parent = mt_instance_parent(ptp);
        break;
    case MT_EVENT_TIME_PROPERTIES:
        told.kind = MT_STATUS_EVENT_TIME_PROPERTIES;
        told.value.time = mt_instance_time_properties(ptp);
        break;
    case MT_EVENT_SAMPLE:
        return;
    }
    tell(self, &told);
}

/* ---- clocks and links ------------------------------------------------------------------------ */

static void tell_clock(struct mt_daemon *self, const struct mt_node_event *event,
                       enum mt_status_event_kind kind)
{
    struct mt_status_event told = {.kind = kind, .clock = self->config->clocks[event->index].name};
    if (kind == MT_STATUS_EVENT_CLOCK_PHASE) {
        told.value.phase.from = event->value.phase.from;
        told.value.phase.to = event->value.phase.to;
    } else if (kind == MT_STATUS_EVENT_CLOCK_SCALE) {
        told.value.scale.source = event->value.scale;
        told.value.scale.clock = self->composition->node.clocks[event->index].discipline.scale;
    } else {
        told.value.step = event->value.step;
    }
    tell(self, &told);
}

/* Why a link is down is worth more than that it is. */
static void tell_link(struct mt_daemon *self, const struct mt_node_event *event)
{
    const char *name = self->config->ports[event->index].name;
    const char *reason = mt_linux_link_reason(self->platform, event->index);
    if (!event->value.is_on && *reason != '\0') {
        mt_journal_write(&self->journal, MT_JOURNAL_WARNING, MT_STATUS_EVENT_LINK_DOWN + 1,
                         "port %s: cannot be used: %s", name, reason);
        return;
    }
    tell(self, &(struct mt_status_event){.kind = event->value.is_on ? MT_STATUS_EVENT_LINK_UP
                                                                    : MT_STATUS_EVENT_LINK_DOWN,
                                         .port = name});
}

static void tell_event(struct mt_daemon *self, const struct mt_node_event *event)
{
    switch (event->kind) {
    case MT_NODE_PTP:
        tell_ptp(self, event->index, &event->value.ptp);
        break;
    case MT_NODE_LINK:
        tell_link(self, event);
        break;
    case MT_NODE_PHASE:
        tell_clock(self, event, MT_STATUS_EVENT_CLOCK_PHASE);
        break;
    case MT_NODE_STEP:
        tell_clock(self, event, MT_STATUS_EVENT_CLOCK_STEP);
        break;
    case MT_NODE_DISTURBED:
        tell_clock(self, event, MT_STATUS_EVENT_CLOCK_DISTURBED);
        break;
    case MT_NODE_REFUSED:
        tell_clock(self, event, MT_STATUS_EVENT_CLOCK_REFUSED);
        break;
    case MT_NODE_SATURATED:
        tell_clock(self, event,
                   event->value.is_on ? MT_STATUS_EVENT_CLOCK_SATURATED
                                      : MT_STATUS_EVENT_CLOCK_IN_RANGE);
        break;
    case MT_NODE_WRONG_SCALE:
        tell_clock(self, event, MT_STATUS_EVENT_CLOCK_SCALE);
        break;
    }
}

void mt_daemon_tell(struct mt_daemon *self)
{
    struct mt_node_event event;
    while (mt_node_next_event(&self->composition->node, &event)) {
        tell_event(self, &event);
    }
}
