/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The node counts instances, ports, clocks and links; people call them by the names of the
 * configuration.  What else a sentence needs (who is followed, why a link is down) is looked up
 * when it is told.
 */
#include "compose/tell.h"

#include <string.h>

#include "compose/compose_private.h"

static const char *port_name(const struct mt_composition *self, uint16_t instance, uint16_t port)
{
    const struct mt_config *config = self->config;
    return port == 0 ? NULL : config->ports[config->instances[instance].first_port + port - 1].name;
}

/* Null: this clock is better than all others that are heard. */
static const char *why_nobody(const struct mt_instance *ptp)
{
    bool is_in_use = false;
    for (uint16_t port = 1; port <= ptp->port_count; port++) {
        enum mt_port_state state = mt_port_state_of(ptp, port);
        is_in_use |= state != MT_STATE_FAULTY && state != MT_STATE_DISABLED &&
                     state != MT_STATE_INITIALIZING;
    }
    if (!is_in_use) {
        return "no port can be used";
    }
    return ptp->config.is_receiver_only ? "no transmitter is heard any more that it may follow"
                                        : NULL;
}

static bool tell_ptp(const struct mt_composition *self, uint16_t index,
                     const struct mt_event *event, struct mt_status_event *told)
{
    const struct mt_instance *ptp = &self->node.instances[index].ptp;
    told->instance = self->config->instances[index].name;
    told->port = port_name(self, index, event->port);
    switch (event->kind) {
    case MT_EVENT_STATE:
        told->kind = MT_STATUS_EVENT_PORT_STATE;
        told->value.state.from = event->value.state.from;
        told->value.state.to = event->value.state.to;
        return true;
    case MT_EVENT_PARENT:
    case MT_EVENT_REFERENCE:
        told->kind = MT_STATUS_EVENT_PARENT;
        told->value.parent = mt_instance_parent(ptp);
        told->reason = event->port == 0 ? why_nobody(ptp) : NULL;
        return true;
    case MT_EVENT_TIME_PROPERTIES:
        told->kind = MT_STATUS_EVENT_TIME_PROPERTIES;
        told->value.time = mt_instance_time_properties(ptp);
        return true;
    case MT_EVENT_SAMPLE:
        break;
    }
    return false;
}

/* Why a link is down; null: nobody knows. */
static const char *reason_of(const struct mt_composition *self, uint16_t link)
{
    const char *reason =
        self->link_reason != NULL ? self->link_reason(self->link_context, link) : "";
    return reason[0] != '\0' ? reason : NULL;
}

/* Null: it is called as in the configuration, or is no port's. */
static const char *renamed_to(const struct mt_composition *self, uint16_t link)
{
    for (unsigned i = 0; i < self->ptp_link_count; i++) {
        if (self->ptp_links[i].index == link) {
            return NULL;
        }
    }
    size_t port = mt_compose_first_port(self->config, link);
    const char *now = mt_compose_interface(self, link, port);
    return strcmp(now, self->config->ports[port].interface) != 0 ? now : NULL;
}

static void tell_pulses(const struct mt_composition *self, const struct mt_node_event *event,
                        const struct mt_config_refclock *of, struct mt_status_event *told)
{
    bool is_gnss = of->driver == MT_CONFIG_REFCLOCK_GNSS;
    told->kind = event->value.is_on ? MT_STATUS_EVENT_PULSES : MT_STATUS_EVENT_NO_PULSES;
    told->reason = reason_of(self, event->index);
    told->value.pulses.section = is_gnss ? "gnss" : "refclock";
    told->value.pulses.name = of->name;
}

static const struct mt_config_clock *whose_thermometer(const struct mt_composition *self,
                                                       uint16_t link)
{
    for (uint16_t i = 0; i < self->node.clock_count; i++) {
        const struct mt_holdover *holdover = &self->node.clocks[i].holdover;
        if (holdover->has_thermometer && holdover->thermometer == link) {
            return &self->config->clocks[i];
        }
    }
    return NULL;
}

/* Why a link is down is worth more than that it is. */
static bool tell_link(const struct mt_composition *self, const struct mt_node_event *event,
                      struct mt_status_event *told)
{
    const struct mt_config_refclock *of_pulses = mt_compose_pulses_of(self, event->index);
    if (of_pulses != NULL) {
        tell_pulses(self, event, of_pulses, told);
        return true;
    }
    const struct mt_config_clock *measured = whose_thermometer(self, event->index);
    if (measured != NULL) {
        told->kind =
            event->value.is_on ? MT_STATUS_EVENT_THERMOMETER : MT_STATUS_EVENT_NO_THERMOMETER;
        told->clock = measured->name;
        told->reason = reason_of(self, event->index);
        return true;
    }
    told->kind = event->value.is_on ? MT_STATUS_EVENT_LINK_UP : MT_STATUS_EVENT_LINK_DOWN;
    told->port = mt_compose_link_name(self, event->index);
    if (event->value.is_on) {
        told->reason = self->node.links[event->index]->stamping;
        told->value.interface = renamed_to(self, event->index);
    } else {
        told->reason = reason_of(self, event->index);
    }
    return !mt_compose_is_spare_link(self, event->index);
}

/* False of a server that is not asked any more. */
static bool tell_ntp(const struct mt_composition *self, const struct mt_node_event *event,
                     struct mt_status_event *told)
{
    static const enum mt_status_event_kind kinds[] = {
        [MT_NTP_EVENT_SAMPLE] = MT_STATUS_EVENT_COUNT,
        [MT_NTP_EVENT_REACHABLE] = MT_STATUS_EVENT_NTP_REACHABLE,
        [MT_NTP_EVENT_UNREACHABLE] = MT_STATUS_EVENT_NTP_UNREACHABLE,
        [MT_NTP_EVENT_REFUSED] = MT_STATUS_EVENT_NTP_REFUSED,
    };
    const struct mt_node_ntp *ntp = &self->node.ntp[event->index];
    const struct mt_config_ntp *config = mt_composition_ntp(self, event->index);
    if (config == NULL) {
        return false;
    }
    told->kind = kinds[event->value.ntp];
    told->clock = self->config->clocks[ntp->clock].name;
    told->value.ntp.server = config->name;
    told->value.ntp.address = &ntp->server;
    told->value.ntp.answer = &ntp->client.server;
    if (event->value.ntp == MT_NTP_EVENT_UNREACHABLE) {
        told->reason = reason_of(self, ntp->link);
    }
    return true;
}

const char *mt_compose_rivals_policy(enum mt_rivals_policy policy)
{
    static const char *const names[] = {
        [MT_RIVALS_WARN] = "warn", [MT_RIVALS_YIELD] = "yield", [MT_RIVALS_INSIST] = "insist"};
    return names[policy];
}

/* Only what hangs on the machine has rivals: an overlay is nobody else's. */
const char *mt_composition_rivals(const struct mt_composition *self, uint16_t index)
{
    const struct mt_config_clock *config = &self->config->clocks[index];
    const struct mt_hal_clock *hal = self->node.clocks[index].hal;
    bool is_machine = config->kind == MT_CONFIG_CLOCK_SYSTEM &&
                      self->fallback_reasons[index][0] == '\0' && !config->steer.estimates_only;
    if (self->rivals == NULL || (!is_machine && hal->device == NULL)) {
        return "";
    }
    return self->rivals(self->rivals_context, hal->device);
}

static void tell_rivals(const struct mt_composition *self, const struct mt_node_event *event,
                        enum mt_status_event_kind kind, struct mt_status_event *told)
{
    const char *who = mt_composition_rivals(self, event->index);
    told->kind = kind;
    told->clock = self->config->clocks[event->index].name;
    told->reason = who[0] != '\0' ? who : NULL;
    if (kind == MT_STATUS_EVENT_CLOCK_DISTURBED) {
        told->value.change.step = event->value.change.step;
        told->value.change.rate = event->value.change.rate;
    } else {
        told->value.policy =
            mt_compose_rivals_policy(self->node.clocks[event->index].rivals.policy);
    }
}

static void tell_clock(const struct mt_composition *self, const struct mt_node_event *event,
                       enum mt_status_event_kind kind, struct mt_status_event *told)
{
    const struct mt_node_clock *clock = &self->node.clocks[event->index];
    told->kind = kind;
    told->clock = self->config->clocks[event->index].name;
    told->tai_minus_utc_s = clock->leap.choice.tai_minus_utc_s;
    if (kind == MT_STATUS_EVENT_CLOCK_PHASE) {
        told->value.phase.from = event->value.phase.from;
        told->value.phase.to = event->value.phase.to;
    } else if (kind == MT_STATUS_EVENT_CLOCK_SCALE) {
        told->value.scale.source = event->value.scale;
        told->value.scale.clock = clock->discipline.scale;
    } else if (kind == MT_STATUS_EVENT_CLOCK_STANDBY) {
        told->instance = self->config->instances[event->value.standby.to].name;
        told->value.standby.from = self->config->instances[event->value.standby.from].name;
        told->reason = mt_compose_standby_reason(event->value.standby.reason);
    } else if (kind == MT_STATUS_EVENT_CLOCK_REFUSED) {
        told->reason = clock->hal->refusal;
    } else {
        told->value.step = event->value.step;
    }
}

static bool tell_source(const struct mt_composition *self, const struct mt_node_event *event,
                        struct mt_status_event *told)
{
    enum mt_arbiter_verdict verdict = event->value.source.verdict;
    told->kind = verdict == MT_ARBITER_SELECTED      ? MT_STATUS_EVENT_SOURCE_SELECTED
                 : verdict == MT_ARBITER_FALSETICKER ? MT_STATUS_EVENT_SOURCE_FALSE
                                                     : MT_STATUS_EVENT_SOURCE_TRUE;
    told->clock = self->config->clocks[event->index].name;
    told->value.member.name =
        mt_compose_member_name(self, event->value.source.kind, event->value.source.index);
    told->value.member.address =
        mt_compose_member_address(self, event->value.source.kind, event->value.source.index);
    told->value.member.miss = event->value.source.miss;
    return told->value.member.name != NULL;
}

static void tell_heard(const struct mt_composition *self, const struct mt_node_event *event,
                       struct mt_status_event *told)
{
    static const enum mt_status_event_kind kinds[] = {
        [MT_HEARD_NO_DELAY] = MT_STATUS_EVENT_DELAY_UNANSWERED,
        [MT_HEARD_DELAY] = MT_STATUS_EVENT_DELAY_ANSWERED,
        [MT_HEARD_FORGED] = MT_STATUS_EVENT_FORGED,
        [MT_HEARD_UNSIGNED] = MT_STATUS_EVENT_UNSIGNED,
        [MT_HEARD_OTHER_DOMAIN] = MT_STATUS_EVENT_OTHER_DOMAIN,
        [MT_HEARD_DENIED] = MT_STATUS_EVENT_UNICAST_DENIED,
    };
    const struct mt_heard_told *heard = &event->value.heard;
    const struct mt_instance_config *own = &self->node.instances[event->index].ptp.config;
    told->kind = kinds[heard->event];
    told->instance = self->config->instances[event->index].name;
    told->port = port_name(self, event->index, heard->port);
    told->value.heard.count = heard->count;
    told->value.heard.sender = heard->sender;
    told->value.heard.domain = heard->domain;
    told->value.heard.sdo_id = heard->sdo_id;
    told->value.heard.own_domain = own->domain;
    told->value.heard.own_sdo_id = own->sdo_id;
    told->value.heard.address = &heard->address;
}

static const char *minor_reason(enum mt_minor_reason reason)
{
    static const char *const reasons[] = {
        [MT_MINOR_NO_STAMPS] = "no transmit timestamp has come for what is of version 2.1",
        [MT_MINOR_NO_ANSWERS] = "nobody has answered what is of version 2.1",
        [MT_MINOR_NO_USE] = "transmit timestamps do not come for version 2.0 either",
    };
    return reasons[reason];
}

static const char *who_says(const struct mt_composition *self, const struct mt_leap_claim *claim)
{
    const struct mt_config *config = self->config;
    const char *name = NULL;
    if (claim->by == MT_LEAP_BY_PTP) {
        name = mt_compose_member_name(self, MT_ARBITER_PTP, claim->index);
    } else if (claim->by == MT_LEAP_BY_NTP) {
        name = mt_compose_member_name(self, MT_ARBITER_NTP, claim->index);
    } else if (claim->by == MT_LEAP_BY_LEADER && claim->index < config->clock_count) {
        name = config->clocks[claim->index].name;
    }
    return name != NULL ? name : mt_leap_by_name(claim->by);
}

static void tell_utc(const struct mt_composition *self, const struct mt_node_event *event,
                     struct mt_status_event *told)
{
    enum mt_leap_quarrel quarrel = event->value.utc.quarrel;
    bool is_confused = quarrel == MT_LEAP_IS_UTC || quarrel == MT_LEAP_IS_GPS ||
                       quarrel == MT_LEAP_IMPLAUSIBLE || quarrel == MT_LEAP_TIMES_APART;
    told->kind = event->value.utc.before_s != event->value.utc.tai_minus_utc_s
                     ? MT_STATUS_EVENT_UTC_CHANGED
                 : is_confused               ? MT_STATUS_EVENT_UTC_CONFUSED
                 : quarrel != MT_LEAP_AGREED ? MT_STATUS_EVENT_UTC_CONTRADICTED
                                             : MT_STATUS_EVENT_UTC_AGREED;
    told->clock = self->config->clocks[event->index].name;
    told->value.utc.who = who_says(self, &event->value.utc.with);
    told->value.utc.claim = &event->value.utc.with;
    told->value.utc.quarrel = quarrel;
    told->value.utc.tai_minus_utc_s = event->value.utc.tai_minus_utc_s;
    told->value.utc.before_s = event->value.utc.before_s;
    told->value.utc.by = event->value.utc.by;
}

static void tell_beyond(const struct mt_composition *self, const struct mt_node_event *event,
                        struct mt_status_event *told)
{
    told->kind = MT_STATUS_EVENT_CLOCK_BEYOND;
    told->clock = self->config->clocks[event->index].name;
    told->value.beyond.bound_ns = event->value.beyond.has_bound ? event->value.beyond.bound_ns : -1;
    told->value.beyond.accuracy_ns = event->value.beyond.accuracy_ns;
    told->value.beyond.age_ns = event->value.beyond.age_ns;
}

static void tell_quality(const struct mt_composition *self, const struct mt_node_event *event,
                         struct mt_status_event *told)
{
    told->kind = MT_STATUS_EVENT_QUALITY;
    told->instance = self->config->instances[event->index].name;
    told->value.quality.from = event->value.quality.from;
    told->value.quality.to = event->value.quality.to;
}

static void tell_stamps(const struct mt_composition *self, const struct mt_node_event *event,
                        struct mt_status_event *told)
{
    told->kind =
        event->value.stamps.is_losing ? MT_STATUS_EVENT_STAMPS_LOST : MT_STATUS_EVENT_STAMPS_COME;
    told->port = mt_compose_link_name(self, event->index);
    told->value.stamps.lost = event->value.stamps.lost;
    told->value.stamps.of = event->value.stamps.of;
}

bool mt_composition_tell(const struct mt_composition *self, const struct mt_node_event *event,
                         struct mt_status_event *ret_told)
{
    struct mt_status_event told = {0};
    bool is_told = true;
    switch (event->kind) {
    case MT_NODE_PTP:
        is_told = tell_ptp(self, event->index, &event->value.ptp, &told);
        break;
    case MT_NODE_LINK:
        is_told = tell_link(self, event, &told);
        break;
    case MT_NODE_PHASE:
        tell_clock(self, event, MT_STATUS_EVENT_CLOCK_PHASE, &told);
        break;
    case MT_NODE_STEP:
        tell_clock(self, event, MT_STATUS_EVENT_CLOCK_STEP, &told);
        break;
    case MT_NODE_DISTURBED:
        tell_rivals(self, event, MT_STATUS_EVENT_CLOCK_DISTURBED, &told);
        break;
    case MT_NODE_SHARED:
        tell_rivals(self, event,
                    event->value.is_on ? MT_STATUS_EVENT_CLOCK_SHARED : MT_STATUS_EVENT_CLOCK_ALONE,
                    &told);
        break;
    case MT_NODE_REFUSED:
        tell_clock(self, event, MT_STATUS_EVENT_CLOCK_REFUSED, &told);
        break;
    case MT_NODE_SATURATED:
        tell_clock(self, event,
                   event->value.is_on ? MT_STATUS_EVENT_CLOCK_SATURATED
                                      : MT_STATUS_EVENT_CLOCK_IN_RANGE,
                   &told);
        break;
    case MT_NODE_WRONG_SCALE:
        tell_clock(self, event, MT_STATUS_EVENT_CLOCK_SCALE, &told);
        break;
    case MT_NODE_NTP:
        is_told = tell_ntp(self, event, &told);
        break;
    case MT_NODE_PANIC:
        tell_clock(self, event, MT_STATUS_EVENT_CLOCK_PANIC, &told);
        break;
    case MT_NODE_SOURCE:
        is_told = tell_source(self, event, &told);
        break;
    case MT_NODE_STAMPS:
        tell_stamps(self, event, &told);
        break;
    case MT_NODE_MINOR:
        told.kind = MT_STATUS_EVENT_MINOR_VERSION;
        told.instance = self->config->instances[event->index].name;
        told.reason = minor_reason(event->value.minor);
        told.value.minor_version = event->value.minor == MT_MINOR_NO_USE ? 1 : 0;
        break;
    case MT_NODE_BEYOND:
        tell_beyond(self, event, &told);
        break;
    case MT_NODE_QUALITY:
        tell_quality(self, event, &told);
        break;
    case MT_NODE_UTC:
        tell_utc(self, event, &told);
        break;
    case MT_NODE_HEARD:
        tell_heard(self, event, &told);
        break;
    case MT_NODE_GNSS:
        mt_compose_tell_gnss(self, event, &told);
        break;
    case MT_NODE_RESUMED:
        told.kind = MT_STATUS_EVENT_RESUMED;
        told.value.slept_ns = event->value.slept_ns;
        break;
    case MT_NODE_STANDBY:
        tell_clock(self, event, MT_STATUS_EVENT_CLOCK_STANDBY, &told);
        break;
    }
    *ret_told = told;
    return is_told;
}
