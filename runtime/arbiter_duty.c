/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What a source is worth is what the discipline would report if that source was selected, so bounds
 * have one home.  The steered clock's own distance from the estimate is not a part of it.
 *
 * A source that does not say how wrong its own time is (a PTP grandmaster of unknown accuracy) is
 * taken at its word: its interval is what the way to it may be wrong by.  So it is found out as
 * soon as it is off by more than the others allow, and cannot claim to be right whatever it shows.
 *
 * The published bound is that of the interval in which the true offset lies if a majority is right
 * (core/steer/arbiter.c).  It is kept as what it is more, or less, than the bound of the selected
 * source, which the discipline goes on to report and to let grow between two judgements.
 */
#include "runtime/arbiter_duty.h"

#include "meantime/steer_standby.h"
#include "runtime/clock_duty.h"
#include "runtime/events.h"
#include "runtime/follow.h"
#include "runtime/node.h"
#include "runtime/orphan.h"

#define PATIENCE      4                /* intervals without a sample */
#define LEAST_SILENCE 1953125          /* 2 s in units of 1024 ns */
#define INTERVAL_S    MT_REAL(1024e-9) /* units of the same */
#define LONG_S        2000 /* less than half of the 73 minutes after which arrivals count anew */
#define NEAR_S        1000
#define UNKNOWN_S     MT_REAL(1e9)

/* ---- the snapshot ---------------------------------------------------------------------------- */

static uint16_t source_of(const struct mt_node *node, const struct mt_arbiter_member *member,
                          uint16_t clock)
{
    switch (member->kind) {
    case MT_ARBITER_PTP:
        break;
    case MT_ARBITER_NTP:
        return node->ntp[member->index].source;
    case MT_ARBITER_REFCLOCK:
        return node->refclocks[member->index].source;
    case MT_ARBITER_CLOCK:
        return mt_follow_has_leader(node, clock) ? node->clocks[clock].follow.source
                                                 : MT_SOURCE_NONE;
    }
    const struct mt_node_instance *instance = &node->instances[member->index];
    uint16_t port = mt_instance_receiving_port(&instance->ptp);
    return port != 0 ? instance->ports[port - 1].source : MT_SOURCE_NONE;
}

/* Whether it answers at all, and with a time. */
static void observe_ntp(const struct mt_ntp_client *client, struct mt_arbiter_source *ret_source)
{
    bool says_nothing = client->verdicts[MT_NTP_VERDICT_NOT_SYNCHRONISED] > 0 ||
                        client->verdicts[MT_NTP_VERDICT_DISTANT] > 0;
    ret_source->is_reachable &= client->was_reachable || says_nothing;
    ret_source->is_synchronised = client->was_reachable;
}

static uint8_t rank_of(const struct mt_node *node, const struct mt_arbiter_member *member)
{
    uint16_t steps = 0;
    if (member->kind == MT_ARBITER_NTP) {
        steps = node->ntp[member->index].client.server.stratum;
    } else if (member->kind == MT_ARBITER_REFCLOCK) {
        steps = node->refclocks[member->index].config.stratum;
    } else if (member->kind == MT_ARBITER_PTP) {
        steps = node->instances[member->index].ptp.parent.steps_removed;
    }
    return (uint8_t)(steps > UINT8_MAX ? UINT8_MAX : steps);
}

/* all that the estimate may be wrong by, s */
static mt_real bound_of(const struct mt_clock_quality_report *report)
{
    const struct mt_bound_parts *parts = &report->parts;
    return MT_REAL(1e-9) * (mt_real)(parts->estimate_ns + parts->asymmetry_ns + parts->source_ns +
                                     parts->granularity_ns);
}

static bool is_silent(const struct mt_discipline_source *of, struct mt_mono now)
{
    uint32_t elapsed = (uint32_t)(now.ns >> 10) - of->last;
    return elapsed > LEAST_SILENCE && elapsed / PATIENCE > of->interval;
}

/* By the estimate: those who arrived long ago seem to have done so just now. */
static bool is_long_silent(const struct mt_discipline_source *of,
                           const struct mt_estimate *estimate)
{
    return estimate->age > LONG_S &&
           estimate->age > PATIENCE * INTERVAL_S * mt_real_from_int(of->interval);
}

/* what needs an estimate */
static void measure(const struct mt_node_clock *clock, struct mt_arbiter_member *member,
                    struct mt_instant at, struct mt_arbiter_source *ret_source)
{
    const struct mt_discipline *discipline = &clock->discipline;
    const struct mt_discipline_source *of = &discipline->sources[member->source];
    struct mt_clock_quality_report report;
    mt_discipline_standby_report(discipline, member->source, at, &report);
    mt_clock_duty_widen_one_way(clock, member->source, &report);
    member->delay = MT_INTERVAL_TOO_LARGE;
    if (!report.has_estimate) {
        return;
    }
    ret_source->is_measured = true;
    ret_source->is_silent |= is_long_silent(of, &report.estimate);
    ret_source->scale = of->origin.scale;
    ret_source->sigma = report.estimate.offset_sigma;
    ret_source->bound = bound_of(&report);
    ret_source->frequency = report.estimate.frequency;
    ret_source->frequency_sigma = report.estimate.frequency_sigma;
    member->offset = report.estimate.offset;
    member->delay = mt_span_to_interval(mt_span_from_real(2 * report.estimate.delay));
    member->reference = report.reference;
    mt_discipline_standby_report(discipline, member->source, of->estimator.track.at, &report);
    mt_clock_duty_widen_one_way(clock, member->source, &report);
    ret_source->distance = bound_of(&report);
}

/* as far as it is known before anything is measured */
static enum mt_timescale scale_of(const struct mt_node *node, const struct mt_node_clock *clock,
                                  const struct mt_arbiter_member *member)
{
    if (member->kind == MT_ARBITER_NTP) {
        return mt_leap_duty_scale(clock);
    }
    return member->kind == MT_ARBITER_REFCLOCK ? node->refclocks[member->index].config.scale
                                               : MT_SCALE_ARB;
}

static void observe(const struct mt_node *node, uint16_t index, uint16_t at,
                    const struct mt_clock_reading *reading, struct mt_mono now)
{
    const struct mt_node_clock *clock = &node->clocks[index];
    struct mt_arbiter_member *member = &clock->arbiter.members[at];
    struct mt_arbiter_source *source = &clock->arbiter.sources[at];
    member->source = source_of(node, member, index);
    *source = (struct mt_arbiter_source){
        .is_reachable = member->source != MT_SOURCE_NONE,
        .is_synchronised = true,
        .is_on_probation = now.ns < member->suspect.ns,
        .is_trusted = member->is_trusted,
        .is_required = member->is_required,
        .is_preferred = member->is_preferred,
        .is_watched = member->is_watched,
        .rank = rank_of(node, member),
        .scale = scale_of(node, clock, member),
        .bound = UNKNOWN_S,
    };
    if (member->kind == MT_ARBITER_NTP) {
        observe_ntp(&node->ntp[member->index].client, source);
        source->follows_us = mt_ntp_serve_is_ours(node, index, member->index);
    } else if (member->kind == MT_ARBITER_REFCLOCK) {
        source->is_reachable = node->refclocks[member->index].is_heard;
    }
    if (member->source == MT_SOURCE_NONE) {
        return;
    }
    const struct mt_discipline_source *of = &clock->discipline.sources[member->source];
    if (of->is_used) {
        source->is_silent = is_silent(of, now);
        measure(clock, member, reading->local.at, source);
    }
}

/* At the start a majority is worth waiting for, but not for long. */
static void await(struct mt_node_clock *clock, struct mt_mono now)
{
    struct mt_arbiter *self = &clock->arbiter;
    unsigned measured = 0;
    unsigned voters = 0;
    for (uint16_t i = 0; i < self->count; i++) {
        bool may_vote = !self->sources[i].is_watched && !self->sources[i].follows_us &&
                        !self->sources[i].is_orphan;
        voters += may_vote;
        measured += self->sources[i].is_measured && may_vote;
    }
    for (uint16_t i = 0; i < self->count; i++) {
        self->sources[i].is_awaited = !clock->discipline.has_locked_once &&
                                      2 * measured <= voters && !self->sources[i].is_watched &&
                                      now.ns - self->started.ns < MT_ARBITER_START_NS;
    }
}

static bool are_near(struct mt_span a, struct mt_span b)
{
    return mt_span_abs(mt_span_minus(a, b)).s < NEAR_S;
}

/* Offsets may be decades, and are compared to parts of a nanosecond: what they are less is that of
 * one that most are near to, not that of a server whose clock is in another era. */
static void find_base(struct mt_arbiter *self)
{
    unsigned most = 0;
    for (uint16_t i = 0; i < self->count; i++) {
        unsigned near = 0;
        for (uint16_t j = 0; j < self->count && self->sources[i].is_measured; j++) {
            near += self->sources[j].is_measured &&
                    are_near(self->members[i].offset, self->members[j].offset);
        }
        if (near > most) {
            most = near;
            self->base = self->members[i].offset;
        }
    }
}

static void subtract_base(struct mt_arbiter *self)
{
    find_base(self);
    for (uint16_t i = 0; i < self->count; i++) {
        if (self->sources[i].is_measured) {
            self->sources[i].offset =
                mt_span_to_real(mt_span_minus(self->members[i].offset, self->base));
        }
    }
}

static void take_snapshot(struct mt_node *node, uint16_t index, struct mt_mono now)
{
    struct mt_node_clock *clock = &node->clocks[index];
    struct mt_arbiter *self = &clock->arbiter;
    struct mt_clock_reading reading;
    if (!self->has_started) {
        self->has_started = true;
        self->started = now;
    }
    clock->hal->ops->read(clock->hal, &reading);
    for (uint16_t i = 0; i < self->count; i++) {
        observe(node, index, i, &reading, now);
    }
    mt_orphan_mark(node, index, now);
    await(clock, now);
    subtract_base(self);
    self->config.scale = clock->discipline.scale;
    self->config.adopts_scale = clock->discipline.config.adopts_scale;
    self->config.max_drift = clock->discipline.config.max_drift;
}

/* ---- what is told ---------------------------------------------------------------------------- */

static void tell_verdict(struct mt_node *node, uint16_t clock, uint16_t member,
                         enum mt_arbiter_verdict verdict, struct mt_mono now)
{
    const struct mt_arbiter *self = &node->clocks[clock].arbiter;
    mt_node_tell(node, &(struct mt_node_event){
                           .kind = MT_NODE_SOURCE,
                           .at = now,
                           .index = clock,
                           .value.source = {.member = member,
                                            .kind = self->members[member].kind,
                                            .index = self->members[member].index,
                                            .verdict = verdict,
                                            .miss = self->opinions[member].miss},
                       });
}

static void note_verdict(struct mt_node *node, uint16_t clock, uint16_t at, struct mt_mono now)
{
    struct mt_arbiter *self = &node->clocks[clock].arbiter;
    struct mt_arbiter_member *member = &self->members[at];
    switch (self->opinions[at].verdict) {
    case MT_ARBITER_FALSETICKER:
        member->suspect = mt_mono_plus(now, MT_ARBITER_PROBATION_NS);
        if (!member->was_false) {
            member->was_false = true;
            tell_verdict(node, clock, at, MT_ARBITER_FALSETICKER, now);
        }
        break;
    case MT_ARBITER_SELECTED:
    case MT_ARBITER_COMBINED:
    case MT_ARBITER_AGREES:
    case MT_ARBITER_DISTANT:
    case MT_ARBITER_ANOTHER_RATE:
        if (member->was_false) {
            member->was_false = false;
            tell_verdict(node, clock, at, MT_ARBITER_AGREES, now);
        }
        break;
    case MT_ARBITER_SILENT:
    case MT_ARBITER_PROBATION:
    case MT_ARBITER_OUTSIDE:
    case MT_ARBITER_WAITING:
    case MT_ARBITER_TOO_FEW:
    case MT_ARBITER_REQUIRED_MISSING:
    case MT_ARBITER_NO_MAJORITY:
    case MT_ARBITER_TOO_WIDE:
    case MT_ARBITER_WATCHED:
    case MT_ARBITER_FOLLOWS_US:
    case MT_ARBITER_ORPHAN:
    case MT_ARBITER_WRONG_SCALE:
    case MT_ARBITER_MEASURING:
    case MT_ARBITER_NOT_SYNCHRONISED:
    case MT_ARBITER_UNREACHABLE:
    case MT_ARBITER_VERDICT_COUNT:
        break;
    }
}

static void tell_change(struct mt_node *node, uint16_t clock, struct mt_mono now)
{
    struct mt_arbiter *self = &node->clocks[clock].arbiter;
    uint16_t selected = self->result.selected;
    for (uint16_t i = 0; i < self->count; i++) {
        note_verdict(node, clock, i, now);
    }
    if (selected != MT_ARBITER_NOBODY && selected != self->steering) {
        self->changes += self->steering != MT_ARBITER_NOBODY;
        self->steering = selected;
        tell_verdict(node, clock, selected, MT_ARBITER_SELECTED, now);
    }
}

/* ---- the choice ------------------------------------------------------------------------------ */

static void share(struct mt_node_clock *clock, uint16_t source)
{
    struct mt_arbiter *self = &clock->arbiter;
    const struct mt_arbiter_result *result = &self->result;
    if (result->selected == MT_ARBITER_NOBODY) { /* what was known of the bound remains */
        self->extra = mt_real_larger(self->extra, 0) + mt_real_abs(self->shift);
        self->shift = 0;
        return;
    }
    const struct mt_arbiter_source *selected = &self->sources[result->selected];
    bool is_alone = result->voters == 1 && selected->is_trusted == result->has_trusted;
    self->extra = is_alone && result->shift == 0 ? 0 : result->bound - selected->bound;
    self->shift = result->shift;
    mt_discipline_set_shift(&clock->discipline, source, mt_span_from_real(self->shift));
}

/* The member whose source the discipline follows. */
static uint16_t steering_member(const struct mt_node_clock *clock)
{
    uint16_t selected = clock->discipline.selected;
    for (uint16_t i = 0; i < clock->arbiter.count && selected != MT_SOURCE_NONE; i++) {
        if (clock->arbiter.members[i].source == selected) {
            return i;
        }
    }
    return MT_ARBITER_NOBODY;
}

bool mt_arbiter_duty_judge(struct mt_node *node, uint16_t index, struct mt_mono now)
{
    struct mt_node_clock *clock = &node->clocks[index];
    struct mt_arbiter *self = &clock->arbiter;
    uint16_t was_selected = clock->discipline.selected;
    if (!self->is_used) {
        return false;
    }
    mt_discipline_set_shift(&clock->discipline, was_selected, (struct mt_span){0});
    take_snapshot(node, index, now);
    mt_arbiter_judge(&self->config, self->sources, self->count, steering_member(clock),
                     self->opinions, &self->result);
    uint16_t source = self->result.selected != MT_ARBITER_NOBODY
                          ? self->members[self->result.selected].source
                          : MT_SOURCE_NONE;
    mt_discipline_take_over(&clock->discipline, source, now);
    share(clock, source);
    if (was_selected != source && !clock->discipline.has_locked_once) {
        mt_discipline_act(&clock->discipline); /* who sets the clock does not wait for a poll */
    }
    tell_change(node, index, now);
    clock->needs_report |= was_selected != source;
    return was_selected != source;
}

/* ---- the bound ------------------------------------------------------------------------------- */

/* Takes `ns` away from a part, as far as it reaches; returns what is left to take. */
static int64_t take_from(int64_t *part_ns, int64_t ns)
{
    int64_t taken_ns = ns < *part_ns ? ns : *part_ns;
    *part_ns -= taken_ns;
    return ns - taken_ns;
}

void mt_arbiter_duty_widen(const struct mt_node_clock *clock,
                           struct mt_clock_quality_report *report)
{
    int64_t extra_ns = mt_real_round(clock->arbiter.extra * MT_REAL(1e9));
    struct mt_bound_parts *parts = &report->parts;
    if (!clock->arbiter.is_used || extra_ns == 0 || report->reference == MT_BOUND_NONE) {
        return;
    }
    int64_t before_ns = parts->source_ns + parts->asymmetry_ns + parts->estimate_ns;
    if (extra_ns > 0) {
        parts->source_ns += extra_ns;
    } else {
        int64_t left_ns = take_from(&parts->source_ns, -extra_ns);
        left_ns = take_from(&parts->asymmetry_ns, left_ns);
        take_from(&parts->estimate_ns, left_ns);
    }
    int64_t after_ns = parts->source_ns + parts->asymmetry_ns + parts->estimate_ns;
    report->bound = mt_interval_plus(report->bound, mt_interval_from_ns(after_ns - before_ns));
}

/* ---- instances ------------------------------------------------------------------------------- */

static const struct mt_arbiter *arbiter_of(const struct mt_node *node, uint16_t instance)
{
    return &node->clocks[node->instances[instance].clock].arbiter;
}

static uint16_t member_of(const struct mt_arbiter *self, uint16_t instance)
{
    uint16_t i = 0;
    while (i < self->count &&
           !(self->members[i].kind == MT_ARBITER_PTP && self->members[i].index == instance)) {
        i++;
    }
    return i < self->count ? i : MT_ARBITER_NOBODY;
}

bool mt_arbiter_duty_is_idle(const struct mt_node *node, uint16_t instance)
{
    const struct mt_node_instance *of = &node->instances[instance];
    uint16_t port = mt_instance_receiving_port(&of->ptp);
    return arbiter_of(node, instance)->is_used && port != 0 &&
           of->ports[port - 1].source != node->clocks[of->clock].discipline.selected;
}

bool mt_arbiter_duty_is_false(const struct mt_node *node, uint16_t instance)
{
    const struct mt_arbiter *self = arbiter_of(node, instance);
    uint16_t member = self->is_used ? member_of(self, instance) : MT_ARBITER_NOBODY;
    return member != MT_ARBITER_NOBODY && mt_arbiter_duty_is_idle(node, instance) &&
           self->opinions[member].verdict > MT_ARBITER_SILENT;
}

int mt_arbiter_duty_instance(const struct mt_node *node, uint16_t clock)
{
    const struct mt_arbiter *self = &node->clocks[clock].arbiter;
    uint16_t selected = self->result.selected;
    if (selected != MT_ARBITER_NOBODY && self->members[selected].kind == MT_ARBITER_PTP) {
        return self->members[selected].index;
    }
    for (uint16_t i = 0; i < node->instance_count; i++) {
        if (node->instances[i].clock == clock &&
            mt_instance_receiving_port(&node->instances[i].ptp) == 0) {
            return i;
        }
    }
    return -1;
}

void mt_arbiter_duty_changed(struct mt_node *node, uint16_t instance, const struct mt_event *event)
{
    struct mt_node_clock *clock = &node->clocks[node->instances[instance].clock];
    if (event->port == 0) {
        return;
    }
    uint16_t source = node->instances[instance].ports[event->port - 1].source;
    if (event->kind == MT_EVENT_PARENT) {
        mt_discipline_reset_source(&clock->discipline, source);
        clock->told_wrong_scale = false;
    }
    if (event->value.parent.is_same_grandmaster) {
        return;
    }
    if (source == clock->discipline.selected) {
        mt_discipline_new_reference(&clock->discipline, event->value.parent.is_same_reference);
    } else {
        mt_discipline_standby_reference(&clock->discipline, source,
                                        event->value.parent.is_same_reference);
    }
}
