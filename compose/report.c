/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The report is a snapshot of pointers into the node, made and turned into text at once.  The
 * clocks are read for it: it says what is, not what was last published.
 */
#include "compose/report.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "compose/compose_private.h"
#include "compose/tell.h"
#include "config/profile.h"

struct snapshot {
    struct mt_report_clock *clocks;
    struct mt_clock_quality_report *qualities;
    struct mt_clock_page *published;
    struct mt_report_instance *instances;
    struct mt_report_port *ports;
    struct mt_report_ntp *ntp;
    struct mt_report_source *sources;
    struct mt_report_gnss *gnss;
    char (*pages)[256];
};

static bool allocate(struct snapshot *self, const struct mt_composition *of)
{
    const struct mt_config *config = of->config;
    self->ntp = calloc(of->node.ntp_count, sizeof *self->ntp);
    self->sources = calloc(mt_compose_member_count(of) + 1, sizeof *self->sources);
    self->gnss = calloc(of->node.gnss_count + 1u, sizeof *self->gnss);
    self->clocks = calloc(config->clock_count, sizeof *self->clocks);
    self->qualities = calloc(config->clock_count, sizeof *self->qualities);
    self->published = calloc(config->clock_count, sizeof *self->published);
    self->pages = calloc(config->clock_count, sizeof *self->pages);
    self->instances = calloc(config->instance_count, sizeof *self->instances);
    self->ports = calloc(config->port_count, sizeof *self->ports);
    return self->clocks != NULL && self->qualities != NULL && self->published != NULL &&
           self->pages != NULL && self->instances != NULL && self->ports != NULL &&
           self->ntp != NULL && self->sources != NULL && self->gnss != NULL;
}

static void release(struct snapshot *self)
{
    free(self->clocks);
    free(self->qualities);
    free(self->published);
    free(self->pages);
    free(self->instances);
    free(self->ports);
    free(self->ntp);
    free(self->sources);
    free(self->gnss);
}

static const char *kind_name(enum mt_config_clock_kind kind)
{
    static const char *const names[] = {
        [MT_CONFIG_CLOCK_OVERLAY] = "overlay",
        [MT_CONFIG_CLOCK_SYSTEM] = "system",
        [MT_CONFIG_CLOCK_LAB] = "lab",
        [MT_CONFIG_CLOCK_PHC] = "phc",
        [MT_CONFIG_CLOCK_VCLOCK] = "phc",
        [MT_CONFIG_CLOCK_AUTO] = "phc", /* or else the overlay that it fell back to */
    };
    return names[kind];
}

static const char *transport_name(enum mt_config_transport transport)
{
    static const char *const names[] = {
        [MT_CONFIG_TRANSPORT_UDP4] = "udp4",
        [MT_CONFIG_TRANSPORT_UDP6] = "udp6",
        [MT_CONFIG_TRANSPORT_L2] = "l2",
    };
    return names[transport];
}

static struct mt_report_standby standby_of(const struct mt_composition *self, uint16_t clock)
{
    const struct mt_standby *standby = &self->node.clocks[clock].standby;
    struct mt_report_standby report = {.difference = NAN};
    if (!standby->is_used) {
        return report;
    }
    if (standby->active != MT_STANDBY_NOBODY) {
        uint16_t instance = standby->members[standby->active].instance;
        report.active = self->config->instances[instance].name;
    }
    report.reason = standby->active == MT_STANDBY_NOBODY
                        ? "neither instance follows anybody"
                        : mt_compose_standby_reason(standby->reason);
    report.is_redundant = mt_standby_is_redundant(standby);
    report.switches = standby->switches;
    report.difference = standby->has_difference ? standby->difference : (mt_real)NAN;
    return report;
}

static struct mt_report_rivals rivals_of(const struct mt_composition *self, uint16_t clock)
{
    const struct mt_rivals *rivals = &self->node.clocks[clock].rivals;
    const char *names = mt_composition_rivals(self, clock);
    return (struct mt_report_rivals){
        .policy = mt_compose_rivals_policy(rivals->policy),
        .names = names[0] != '\0' ? names : NULL,
        .is_shared = rivals->is_shared,
        .changes = rivals->changes,
    };
}

static struct mt_report_holdover holdover_of(const struct mt_holdover *holdover, struct mt_mono now)
{
    bool is_lost = holdover->lost_at.ns != 0 && holdover->rung != MT_QUALITY_LOCKED;
    return (struct mt_report_holdover){
        .source = mt_compose_quality_source(holdover->source),
        .is_primary = holdover->is_primary,
        .state_age_s = (mt_real)(now.ns - holdover->since.ns) / 1e9,
        .age_s = is_lost ? (mt_real)(now.ns - holdover->lost_at.ns) / 1e9 : (mt_real)NAN,
        .limit_s = holdover->limit_ns > 0 ? (mt_real)holdover->limit_ns / 1e9 : (mt_real)NAN,
        .accuracy_ns = mt_holdover_accuracy_ns(holdover),
        .entered = holdover->entered,
    };
}

static struct mt_report_thermometer thermometer_of(const struct mt_composition *self,
                                                   uint16_t index)
{
    const struct mt_holdover *holdover = &self->node.clocks[index].holdover;
    const char *reason = "";
    if (!holdover->has_thermometer) {
        return (struct mt_report_thermometer){.celsius = (mt_real)NAN};
    }
    if (self->link_reason != NULL) {
        reason = self->link_reason(self->link_context, holdover->thermometer);
    }
    return (struct mt_report_thermometer){
        .file = self->config->clocks[index].temperature,
        .fault_reason = reason[0] != '\0' ? reason : NULL,
        .celsius = holdover->has_kelvin ? holdover->kelvin : (mt_real)NAN,
    };
}

static void fill_clock(struct mt_composition *composition, struct snapshot *snapshot,
                       uint16_t index, struct mt_mono now)
{
    const struct mt_config *config = composition->config;
    struct mt_node_clock *clock = &composition->node.clocks[index];
    const char *why = composition->fallback_reasons[index];
    struct mt_clock_page *page = &snapshot->published[index];
    mt_node_report(&composition->node, index, page, &snapshot->qualities[index]);
    snprintf(snapshot->pages[index], sizeof snapshot->pages[index], "%s/clock.%s",
             config->daemon.run_directory, config->clocks[index].name);
    snapshot->qualities[index].state = (enum mt_clock_state)page->state;
    snapshot->clocks[index] = (struct mt_report_clock){
        .name = config->clocks[index].name,
        .kind = why[0] != '\0' ? "overlay" : kind_name(config->clocks[index].kind),
        .fallback_reason = why[0] != '\0' ? why : NULL,
        .page = snapshot->pages[index],
        .follow = config->clocks[index].follow,
        .is_adjustable = clock->hal->is_adjustable,
        .tai_utc_known = page->tai_utc_valid != 0,
        .tai_minus_utc_s = page->tai_minus_utc_s,
        .utc = &clock->leap.choice,
        .leap_s = page->leap_s,
        .quality = &snapshot->qualities[index],
        .published = page,
        .discipline = &clock->discipline,
        .standby = standby_of(composition, index),
        .holdover = holdover_of(&clock->holdover, now),
        .oscillator = clock->holdover.learns ? &clock->holdover.oscillator : NULL,
        .thermometer = thermometer_of(composition, index),
        .arbiter = clock->arbiter.is_used ? &clock->arbiter.result : NULL,
        .arbiter_base = clock->arbiter.base,
        .arbiter_changes = clock->arbiter.changes,
        .is_in_panic = clock->is_in_panic,
        .device = clock->hal->device,
        .rivals = rivals_of(composition, index),
    };
}

/* Why a port does nothing, if it should do something. */
static const char *fault_reason(const struct mt_composition *self,
                                const struct mt_node_instance *instance, size_t index)
{
    const struct mt_port *port = &instance->ptp.ports[index];
    if (!port->is_enabled || (port->is_link_up && !port->is_faulty)) {
        return NULL;
    }
    const char *reason = self->link_reason != NULL
                             ? self->link_reason(self->link_context, instance->ports[index].link)
                             : "";
    if (reason[0] != '\0') {
        return reason;
    }
    return port->is_link_up ? "its network has failed" : "the link is down";
}

static struct mt_report_heard heard_of(const struct mt_composition *self, size_t instance,
                                       size_t port)
{
    const struct mt_heard *heard = &self->node.instances[instance].ports[port].heard;
    return (struct mt_report_heard){
        .is_unanswered = heard->is_unanswered,
        .unanswered = mt_heard_unanswered(&self->node, (uint16_t)instance, (uint16_t)(port + 1)),
        .of_siblings = heard->of_siblings,
        .has_other_domain = heard->has_other_domain,
        .other_domain = heard->other_domain,
        .other_sdo_id = heard->other_sdo_id,
    };
}

static const char *station_name(const void *context, unsigned index)
{
    const struct mt_config_stations *stations = context;
    return index < stations->count ? stations->station[index].name : NULL;
}

/* A table that was set by management has no names. */
static struct mt_report_names transmitters_of(const struct mt_composition *self, size_t port)
{
    const struct mt_requester *requester = self->port_storage[port].more.requester;
    return (struct mt_report_names){
        &self->config->ports[port].unicast.transmitters,
        requester != NULL && !requester->is_set ? station_name : NULL,
    };
}

static void fill_port(const struct mt_composition *composition, struct snapshot *snapshot,
                      size_t instance, size_t port)
{
    const struct mt_config *config = composition->config;
    const struct mt_node_instance *node = &composition->node.instances[instance];
    size_t index = config->instances[instance].first_port + port;
    const struct mt_link_counters *link =
        &composition->node.links[node->ports[port].link]->counters;
    unsigned of = 0;
    unsigned lost = mt_stamps_lost(&composition->node.stamps[node->ports[port].link], &of);
    snapshot->ports[index] = (struct mt_report_port){
        .fault_reason = fault_reason(composition, node, port),
        .name = config->ports[index].name,
        .interface = mt_compose_interface(composition, node->ports[port].link, index),
        .transport = transport_name(config->ports[index].transport),
        .stamping = composition->node.links[node->ports[port].link]->stamping,
        .is_tagged = !config->ports[index].is_untagged,
        .vlan = config->ports[index].vlan,
        .ptp = &node->ptp.ports[port],
        .instance = &node->ptp,
        .heard = heard_of(composition, instance, port),
        .transmitters = transmitters_of(composition, index),
        .servers = {&config->instances[instance].stateless.servers, station_name},
        .link = {link->received, link->kernel_dropped, link->sent, link->send_failed,
                 link->stamps_missing, link->stamps_ambiguous, link->stamps_taken,
                 link->stamp_delays, MT_LINK_DELAYS, lost, of, node->ports[port].speed_mbit},
    };
}

static void fill_instance(const struct mt_composition *composition, struct snapshot *snapshot,
                          size_t index)
{
    const struct mt_config_instance *config = &composition->config->instances[index];
    for (size_t port = 0; port < config->port_count; port++) {
        fill_port(composition, snapshot, index, port);
    }
    snapshot->instances[index] = (struct mt_report_instance){
        .name = config->name,
        .clock = composition->config->clocks[config->clock_index].name,
        .ptp = &composition->node.instances[index].ptp,
        .ports = &snapshot->ports[config->first_port],
        .profile = config->profile != MT_CONFIG_PROFILE_NONE
                       ? mt_config_profile_name(config->profile)
                       : NULL,
    };
}

char *mt_composition_json(struct mt_composition *self, const struct mt_report_daemon *daemon,
                          struct mt_mono now)
{
    struct snapshot snapshot = {0};
    char *json = NULL;
    if (allocate(&snapshot, self)) {
        for (uint16_t i = 0; i < self->node.clock_count; i++) {
            fill_clock(self, &snapshot, i, now);
        }
        for (size_t i = 0; i < self->node.instance_count; i++) {
            fill_instance(self, &snapshot, i);
        }
        size_t asked = 0;
        for (uint16_t i = 0; i < self->node.ntp_count; i++) {
            if (!self->node.ntp[i].is_free) {
                mt_compose_report_ntp(self, i, &snapshot.ntp[asked++]);
            }
        }
        struct mt_report_server server;
        bool has_server = mt_compose_report_server(self, &server);
        struct mt_report report = {
            .server = has_server ? &server : NULL,
            .daemon = *daemon,
            .clocks = snapshot.clocks,
            .clock_count = self->node.clock_count,
            .instances = snapshot.instances,
            .instance_count = self->node.instance_count,
            .ntp = snapshot.ntp,
            .ntp_count = asked,
            .sources = snapshot.sources,
            .source_count = mt_compose_report_sources(self, snapshot.sources),
            .gnss = snapshot.gnss,
            .gnss_count = self->node.gnss_count,
        };
        for (uint16_t i = 0; i < self->node.gnss_count; i++) {
            mt_compose_report_gnss(self, i, &snapshot.gnss[i]);
        }
        report.daemon.uptime_s = (mt_real)(now.ns - self->started.ns) / 1e9;
        report.daemon.inputs = self->node.inputs;
        report.daemon.events_lost = self->node.events_lost;
        json = mt_report_json(&report);
    }
    release(&snapshot);
    return json;
}
