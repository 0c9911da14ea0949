/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Events of the node become sentences.
 */
#include <stdio.h>
#include <string.h>

#include "apps/meantimed/daemon.h"
#include "meantime/real.h"
#include "status/names.h"

/* ---- PTP ------------------------------------------------------------------------------------- */

static void instance_prefix(const struct mt_daemon *self, uint16_t index, char *buffer, size_t size)
{
    const struct mt_config *config = self->config;
    *buffer = '\0';
    if (config->instance_count > 1) {
        snprintf(buffer, size, "%s: ", config->instances[index].name);
    }
}

static const char *port_name(const struct mt_daemon *self, uint16_t instance, uint16_t port)
{
    const struct mt_config *config = self->config;
    return config->ports[config->instances[instance].first_port + port - 1].name;
}

static void tell_parent(struct mt_daemon *self, uint16_t index, uint16_t port)
{
    const struct mt_instance *ptp = &self->composition->node.instances[index].ptp;
    const struct mt_ptp_dataset *parent = mt_instance_parent(ptp);
    char prefix[64];
    char sender[MT_IDENTITY_TEXT_SIZE];
    char grandmaster[MT_IDENTITY_TEXT_SIZE];
    instance_prefix(self, index, prefix, sizeof prefix);
    if (port == 0) {
        mt_journal_write(&self->journal, MT_JOURNAL_INFO, 1,
                         "%sno better clock is heard: this clock is the grandmaster of domain %u",
                         prefix, ptp->config.domain);
        return;
    }
    mt_port_identity_text(parent->sender, sender);
    mt_clock_identity_text(parent->grandmaster, grandmaster);
    mt_journal_write(&self->journal, MT_JOURNAL_INFO, 1,
                     "%sport %s follows %s; grandmaster %s, %u step%s away", prefix,
                     port_name(self, index, port), sender, grandmaster, parent->steps_removed,
                     parent->steps_removed == 1 ? "" : "s");
}

static void tell_state(struct mt_daemon *self, uint16_t index, const struct mt_event *event,
                       const char *prefix)
{
    const struct mt_instance *ptp = &self->composition->node.instances[index].ptp;
    bool is_grandmaster =
        event->value.state.to == MT_STATE_TRANSMITTER && mt_instance_receiving_port(ptp) == 0;
    mt_journal_write(
        &self->journal, MT_JOURNAL_INFO, 2, "%sport %s: %s to %s%s", prefix,
        port_name(self, index, event->port), mt_port_state_name(event->value.state.from),
        mt_port_state_name(event->value.state.to), is_grandmaster ? ", as grandmaster" : "");
}

static void tell_ptp(struct mt_daemon *self, uint16_t index, const struct mt_event *event)
{
    char prefix[64];
    instance_prefix(self, index, prefix, sizeof prefix);
    switch (event->kind) {
    case MT_EVENT_STATE:
        tell_state(self, index, event, prefix);
        break;
    case MT_EVENT_PARENT:
        tell_parent(self, index, event->port);
        break;
    case MT_EVENT_TIME_PROPERTIES:
    case MT_EVENT_SAMPLE:
        break;
    }
}

/* ---- clocks and links ------------------------------------------------------------------------ */

static const char *phase_text(enum mt_steer_phase phase)
{
    switch (phase) {
    case MT_STEER_IDLE:
        return "runs free";
    case MT_STEER_ACQUIRING:
        return "is acquiring its source";
    case MT_STEER_LOCKED:
        return "is locked";
    case MT_STEER_HOLDOVER:
        return "is in holdover: no samples";
    }
    return "";
}

static void tell_phase(struct mt_daemon *self, const char *clock, const struct mt_node_event *event)
{
    enum mt_steer_phase to = event->value.phase.to;
    const struct mt_clock_page *page = &self->composition->node.clocks[event->index].page;
    enum mt_journal_level level = to == MT_STEER_HOLDOVER ? MT_JOURNAL_WARNING : MT_JOURNAL_INFO;
    if (to == MT_STEER_LOCKED) {
        mt_journal_write(&self->journal, level, 3, "clock %s is locked, error bound %.3f us", clock,
                         (double)page->bound_ns / 1e3);
    } else {
        mt_journal_write(&self->journal, level, 3, "clock %s %s", clock, phase_text(to));
    }
}

static void tell_clock(struct mt_daemon *self, const struct mt_node_event *event)
{
    const char *clock = self->config->clocks[event->index].name;
    switch (event->kind) {
    case MT_NODE_PHASE:
        tell_phase(self, clock, event);
        break;
    case MT_NODE_STEP:
        mt_journal_write(&self->journal, MT_JOURNAL_INFO, 4, "clock %s was stepped by %+.9f s",
                         clock, mt_span_to_real(event->value.step));
        break;
    case MT_NODE_DISTURBED:
        mt_journal_write(&self->journal, MT_JOURNAL_WARNING, 5,
                         "clock %s: another process changed its base by %+.9f s", clock,
                         mt_span_to_real(event->value.step));
        break;
    case MT_NODE_REFUSED:
        mt_journal_write(&self->journal, MT_JOURNAL_WARNING, 6,
                         "clock %s: the kernel refused a correction; tried again in 10 s", clock);
        break;
    case MT_NODE_SATURATED:
        mt_journal_write(&self->journal, MT_JOURNAL_WARNING, 7,
                         event->value.is_on ? "clock %s: its range of adjustment does not suffice"
                                            : "clock %s: its range of adjustment suffices again",
                         clock);
        break;
    case MT_NODE_WRONG_SCALE:
        mt_journal_write(&self->journal, MT_JOURNAL_WARNING, 8,
                         "clock %s: the grandmaster serves an arbitrary timescale, which cannot "
                         "set this clock; if it is UTC, configure arb_timescale = utc",
                         clock);
        break;
    case MT_NODE_PTP:
    case MT_NODE_LINK:
        break;
    }
}

static void tell_link(struct mt_daemon *self, const struct mt_node_event *event)
{
    const char *interface = self->config->ports[event->index].interface;
    if (event->value.is_on) {
        mt_journal_write(&self->journal, MT_JOURNAL_INFO, 9, "interface %s is up", interface);
        return;
    }
    const char *reason = mt_linux_link_reason(self->platform, event->index);
    mt_journal_write(&self->journal, MT_JOURNAL_WARNING, 9, "interface %s is down%s%s", interface,
                     *reason != '\0' ? ": " : "", reason);
}

void mt_daemon_tell(struct mt_daemon *self)
{
    struct mt_node_event event;
    while (mt_node_next_event(&self->composition->node, &event)) {
        switch (event.kind) {
        case MT_NODE_PTP:
            tell_ptp(self, event.index, &event.value.ptp);
            break;
        case MT_NODE_LINK:
            tell_link(self, &event);
            break;
        case MT_NODE_PHASE:
        case MT_NODE_STEP:
        case MT_NODE_DISTURBED:
        case MT_NODE_REFUSED:
        case MT_NODE_SATURATED:
        case MT_NODE_WRONG_SCALE:
            tell_clock(self, &event);
            break;
        }
    }
}
