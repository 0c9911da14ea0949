/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * GNSS receivers.  Each has a link for its octets, and one for its pulses if there are any; both
 * lie among those of the reference clocks.
 */
#include <string.h>

#include "compose/compose_private.h"
#include "status/events.h"
#include "status/report.h"

#define PRECISION_KERNEL_NS 1000
#define PRECISION_CARD_NS   50

static bool is_of_kernel(const char *pulse)
{
    return strncmp(pulse, "/dev/pps", 8) == 0;
}

static struct mt_interval precision_of(const struct mt_config_refclock *config)
{
    const char *pulse = config->pulse.device;
    bool is_card = pulse != NULL && !is_of_kernel(pulse);
    return config->precision_is_auto
               ? mt_interval_from_ns(is_card ? PRECISION_CARD_NS : PRECISION_KERNEL_NS)
               : config->precision;
}

static void fill(struct mt_node_gnss *self, const struct mt_config_refclock *config)
{
    const struct mt_config_gnss *gnss = &config->gnss;
    bool is_gpsd = strncmp(gnss->device, "gpsd", 4) == 0;
    const struct mt_gnss_label_config label = {
        .has_delay = !gnss->sentence_delay_is_auto,
        .delay_ns = mt_interval_to_ns(gnss->sentence_delay),
    };
    const struct mt_gnss_guard_config guard = {
        .policy = gnss->jump_policy,
        .limit_ns = mt_interval_to_ns(gnss->jump_limit),
        .wait_ns = mt_interval_to_ns(gnss->jump_wait),
    };
    self->pulses = MT_NODE_NO_LINK;
    self->config = (struct mt_gnss_duty_config){
        .cable_delay = gnss->cable_delay,
        .precision = precision_of(config),
        .max_error = config->max_error_is_unknown ? MT_INTERVAL_TOO_LARGE : config->max_error,
        .has_sentence_delay = label.has_delay,
        .sentence_delay_ns = label.delay_ns,
        .sentence_error_ns = mt_interval_to_ns(gnss->sentence_error),
    };
    mt_gnss_receiver_init(&self->receiver, is_gpsd ? MT_GNSS_GPSD : gnss->protocol,
                          MT_GNSS_NOT_BEFORE_S);
    mt_gnss_label_init(&self->label, &label);
    mt_gnss_guard_init(&self->guard, &guard);
}

bool mt_compose_gnss(struct mt_node *node, uint16_t refclock,
                     const struct mt_config_refclock *config, struct mt_hal_provider *provider,
                     char reason[MT_HAL_REASON_SIZE])
{
    struct mt_node_gnss *self = &node->gnss[node->gnss_count++];
    const char *pulse = config->pulse.device;
    const struct mt_link_request stream = {
        .interface = config->gnss.device,
        .transport = MT_TRANSPORT_GNSS,
        .baud = config->gnss.baud,
    };
    self->refclock = refclock;
    fill(self, config);
    if (!mt_compose_open_link(node, provider, &stream, &self->stream, reason)) {
        return false;
    }
    if (pulse == NULL) {
        return true;
    }
    const struct mt_link_request pulses = {
        .interface = pulse,
        .transport = is_of_kernel(pulse) ? MT_TRANSPORT_PPS : MT_TRANSPORT_EXTTS,
        .pulse = mt_compose_pulse(&config->pulse),
    };
    return mt_compose_open_link(node, provider, &pulses, &self->pulses, reason);
}

/* ---- what is told -------------------------------------------------------------------------- */

void mt_compose_tell_gnss(const struct mt_composition *self, const struct mt_node_event *event,
                          struct mt_status_event *told)
{
    static const enum mt_status_event_kind kinds[] = {
        [MT_GNSS_NODE_FIX] = MT_STATUS_EVENT_GNSS_FIX,
        [MT_GNSS_NODE_NO_FIX] = MT_STATUS_EVENT_GNSS_NO_FIX,
        [MT_GNSS_NODE_LINE] = MT_STATUS_EVENT_GNSS_LINE,
        [MT_GNSS_NODE_NO_LINE] = MT_STATUS_EVENT_GNSS_NO_LINE,
        [MT_GNSS_NODE_ROLLOVER] = MT_STATUS_EVENT_GNSS_ROLLOVER,
        [MT_GNSS_NODE_JUMP] = MT_STATUS_EVENT_GNSS_JUMP,
        [MT_GNSS_NODE_FOLLOWED] = MT_STATUS_EVENT_GNSS_FOLLOWED,
        [MT_GNSS_NODE_RETURNED] = MT_STATUS_EVENT_GNSS_RETURNED,
        [MT_GNSS_NODE_LEAP_WRONG] = MT_STATUS_EVENT_GNSS_LEAP,
        [MT_GNSS_NODE_LEAP_RIGHT] = MT_STATUS_EVENT_GNSS_LEAP_AGREES,
    };
    const struct mt_node_gnss *gnss = &self->node.gnss[event->index];
    const struct mt_node_refclock *refclock = &self->node.refclocks[gnss->refclock];
    const char *reason =
        self->link_reason != NULL ? self->link_reason(self->link_context, gnss->stream) : "";
    told->kind = kinds[event->value.gnss.event];
    told->clock = self->config->clocks[refclock->clock].name;
    told->reason = reason[0] != '\0' ? reason : NULL;
    told->value.gnss.name = refclock->config.name;
    told->value.gnss.jump = event->value.gnss.jump;
    told->value.gnss.rollovers = event->value.gnss.rollovers;
    told->value.gnss.tai_utc_s = event->value.gnss.gps_utc_s + MT_GNSS_TAI_GPS_S;
    told->value.gnss.known_tai_utc_s = self->node.clocks[refclock->clock].tai_minus_utc_s;
}

static const char *reason_of(const struct mt_composition *self, uint16_t link)
{
    return self->link_reason != NULL && link != MT_NODE_NO_LINK
               ? self->link_reason(self->link_context, link)
               : "";
}

/* Why it is not heard, or not its pulses; "": nothing is known of that. */
static const char *fault_of(const struct mt_composition *self, const struct mt_node_gnss *gnss)
{
    const char *reason = reason_of(self, gnss->stream);
    return reason[0] != '\0' ? reason : reason_of(self, gnss->pulses);
}

const struct mt_config_refclock *mt_compose_pulses_of(const struct mt_composition *self,
                                                      uint16_t link)
{
    const struct mt_node *node = &self->node;
    for (uint16_t i = 0; i < node->refclock_count; i++) {
        if (node->refclocks[i].link == link) {
            return &self->config->refclocks[i];
        }
    }
    for (uint16_t i = 0; i < node->gnss_count; i++) {
        if (node->gnss[i].pulses == link) {
            return &self->config->refclocks[node->gnss[i].refclock];
        }
    }
    return NULL;
}

void mt_compose_report_gnss(const struct mt_composition *self, uint16_t index,
                            struct mt_report_gnss *ret_report)
{
    const struct mt_node_gnss *gnss = &self->node.gnss[index];
    const struct mt_node_refclock *refclock = &self->node.refclocks[gnss->refclock];
    const char *reason = fault_of(self, gnss);
    *ret_report = (struct mt_report_gnss){
        .name = refclock->config.name,
        .clock = self->config->clocks[refclock->clock].name,
        .receiver = &gnss->receiver,
        .label = &gnss->label,
        .guard = &gnss->guard,
        .has_fix = mt_gnss_duty_has_fix(gnss),
        .has_verdict = gnss->has_verdict,
        .verdict = gnss->verdict,
        .counts = gnss->counts,
        .pulse_count = gnss->pulse_count,
        .fault_reason = reason[0] != '\0' ? reason : NULL,
    };
}

const char *mt_compose_refclock_fault(const struct mt_composition *self, uint16_t index,
                                      bool is_unreachable)
{
    const struct mt_node_gnss *gnss = mt_gnss_duty_of(&self->node, index);
    const char *reason =
        gnss != NULL ? fault_of(self, gnss) : reason_of(self, self->node.refclocks[index].link);
    if (reason[0] != '\0') {
        return reason;
    }
    if (gnss == NULL) {
        return is_unreachable ? "nothing is heard of it" : NULL;
    }
    if (gnss->guard.has_jumped) {
        return "its time has jumped, and is not followed until it agrees again";
    }
    if (!mt_gnss_duty_has_fix(gnss)) {
        return "it has no fix";
    }
    return is_unreachable && gnss->pulses != MT_NODE_NO_LINK && gnss->pulse_count == 0
               ? "its pulses do not come"
           : is_unreachable && gnss->has_verdict ? mt_gnss_pulse_verdict_words(gnss->verdict)
                                                 : NULL;
}
