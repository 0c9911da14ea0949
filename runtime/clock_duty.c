/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The clock's side of a node.  The page is renewed with every sample and at least every half
 * second, always from a fresh reading, so that what is published is what the clock says.
 */
#include "runtime/clock_duty.h"

#include "meantime/steer_standby.h"
#include "runtime/events.h"
#include "runtime/page.h"
#include "runtime/rivals.h"
#include "runtime/standing.h"

#define RATE_SCALE  2199023255552.0 /* 2^41, as in cumulativeScaledRateOffset */
#define RATE_SIGMA  1e-6
#define NEAR_GRAINS 8

/* ---- corrections ----------------------------------------------------------------------------- */

static void tell(struct mt_node *node, uint16_t index, enum mt_node_event_kind kind,
                 struct mt_span step, struct mt_mono now)
{
    mt_node_tell(
        node, &(struct mt_node_event){.kind = kind, .at = now, .index = index, .value.step = step});
}

static void note_step(struct mt_node_clock *clock, const struct mt_applied *applied)
{
    if (!applied->is_refused && applied->kind == MT_CORRECT_STEP) {
        clock->stepped_at = applied->corrections;
    }
}

/* More likely the source is wrong than a clock that was locked. */
static bool is_panic(const struct mt_node_clock *clock, const struct mt_correction *correction)
{
    return clock->panics && clock->discipline.has_locked_once &&
           correction->kind == MT_CORRECT_STEP &&
           mt_span_compare(mt_span_abs(correction->step), clock->panic) > 0;
}

static bool refuses(struct mt_node *node, uint16_t index, const struct mt_correction *correction,
                    struct mt_mono now)
{
    struct mt_node_clock *clock = &node->clocks[index];
    bool was_in_panic = clock->is_in_panic;
    clock->is_in_panic = is_panic(clock, correction);
    if (!clock->is_in_panic) {
        return false;
    }
    mt_discipline_applied(&clock->discipline,
                          &(struct mt_applied){.kind = MT_CORRECT_STEP, .is_refused = true});
    clock->needs_report = true;
    if (!was_in_panic) {
        tell(node, index, MT_NODE_PANIC, correction->step, now);
    }
    return true;
}

static void apply(struct mt_node *node, uint16_t index, const struct mt_correction *correction,
                  struct mt_mono now)
{
    struct mt_node_clock *clock = &node->clocks[index];
    struct mt_applied applied;
    if (refuses(node, index, correction, now)) {
        return;
    }
    clock->hal->ops->apply(clock->hal, correction, &applied);
    mt_discipline_applied(&clock->discipline, &applied);
    note_step(clock, &applied);
    clock->needs_report = true;
    if (applied.is_refused) {
        tell(node, index, MT_NODE_REFUSED, correction->step, now);
    } else if (applied.kind == MT_CORRECT_STEP) {
        tell(node, index, MT_NODE_STEP, applied.step, now);
    }
}

/* One that others made. */
static void follow_disturbance(struct mt_node *node, uint16_t index,
                               const struct mt_applied *applied, struct mt_mono now)
{
    struct mt_node_clock *clock = &node->clocks[index];
    bool is_rate = applied->kind == MT_CORRECT_RATE;
    mt_real rate = is_rate ? applied->rate - clock->discipline.rate : 0;
    struct mt_correction undo;
    mt_discipline_applied(&clock->discipline, applied);
    note_step(clock, applied);
    clock->needs_report = true;
    if (mt_rivals_note(node, index, applied, rate, now) &&
        mt_rivals_undo(clock, applied, rate, &undo)) {
        apply(node, index, &undo, now);
    }
}

static bool take_disturbance(struct mt_node *node, uint16_t index, struct mt_mono now)
{
    struct mt_node_clock *clock = &node->clocks[index];
    struct mt_applied applied;
    bool is_disturbed = clock->hal->ops->disturbed(clock->hal, &applied);
    if (is_disturbed) {
        follow_disturbance(node, index, &applied, now);
    }
    clock->rivals.has_looked = true;
    return is_disturbed;
}

/* It is planned again when a sample comes. */
static void withhold(struct mt_node_clock *clock)
{
    mt_discipline_applied(&clock->discipline, &(struct mt_applied){.is_refused = true});
}

bool mt_clock_duty_correct(struct mt_node *node, uint16_t index, struct mt_mono now)
{
    struct mt_node_clock *clock = &node->clocks[index];
    struct mt_correction correction;
    bool any = take_disturbance(node, index, now);
    while (mt_discipline_next_correction(&clock->discipline, &correction)) {
        if (mt_rivals_yields(clock)) {
            withhold(clock);
            continue;
        }
        apply(node, index, &correction, now);
        any = true;
    }
    return any;
}

/* ---- what is told ---------------------------------------------------------------------------- */

static void tell_changes(struct mt_node *node, uint16_t index, struct mt_mono now)
{
    struct mt_node_clock *clock = &node->clocks[index];
    enum mt_steer_phase phase = clock->discipline.phase;
    if (phase != clock->told_phase) {
        mt_node_tell(node, &(struct mt_node_event){.kind = MT_NODE_PHASE,
                                                   .at = now,
                                                   .index = index,
                                                   .value.phase = {clock->told_phase, phase}});
        clock->told_phase = phase;
    }
    if (clock->report.is_saturated != clock->told_saturated) {
        clock->told_saturated = clock->report.is_saturated;
        mt_node_tell(node, &(struct mt_node_event){.kind = MT_NODE_SATURATED,
                                                   .at = now,
                                                   .index = index,
                                                   .value.is_on = clock->told_saturated});
    }
}

const struct mt_node_instance *mt_clock_duty_instance(const struct mt_node *node, uint16_t index)
{
    const struct mt_standby *standby = &node->clocks[index].standby;
    if (standby->is_used) {
        return &node->instances[standby->members[standby->last % 2].instance];
    }
    if (node->clocks[index].arbiter.is_used) {
        int instance = mt_arbiter_duty_instance(node, index);
        return instance >= 0 ? &node->instances[instance] : NULL;
    }
    for (uint16_t i = 0; i < node->instance_count; i++) {
        if (node->instances[i].clock == index) {
            return &node->instances[i];
        }
    }
    return NULL;
}

static bool is_serving(const struct mt_node_instance *instance)
{
    for (uint16_t port = 1; port <= instance->ptp.port_count; port++) {
        if (mt_port_state_of(&instance->ptp, port) == MT_STATE_TRANSMITTER) {
            return true;
        }
    }
    return false;
}

/* A clock in holdover is its own grandmaster, but its bound is against the one it followed. */
static const struct mt_clock_identity *reference_of(const struct mt_instance *ptp,
                                                    const struct mt_clock_quality_report *report)
{
    bool holds_over = mt_instance_receiving_port(ptp) == 0 && report->reference != MT_BOUND_NONE;
    return holds_over ? mt_instance_last_followed(ptp) : &mt_instance_parent(ptp)->grandmaster;
}

static void add_ptp_facts(const struct mt_node *node, uint16_t index, struct mt_page_facts *facts)
{
    const struct mt_node_instance *instance = mt_clock_duty_instance(node, index);
    if (instance != NULL) {
        facts->is_serving = is_serving(instance);
        facts->grandmaster = reference_of(&instance->ptp, facts->report);
    }
}

void mt_clock_duty_widen_one_way(const struct mt_node_clock *clock, uint16_t source,
                                 struct mt_clock_quality_report *report)
{
    const struct mt_one_way *self = &clock->one_way;
    bool is_bounded = report->reference != MT_BOUND_NONE &&
                      clock->discipline.config.max_asymmetry.q16 == 0 && self->most.q16 > 0;
    if (is_bounded && self->source == source) {
        report->parts.asymmetry_ns += mt_interval_to_ns(self->most);
        report->bound = mt_interval_plus(report->bound, self->most);
    }
}

bool mt_clock_duty_assess(const struct mt_node_clock *clock, const struct mt_instant *at,
                          struct mt_clock_quality_report *ret_report, mt_real *ret_growth)
{
    *ret_growth = 0;
    mt_discipline_report(&clock->discipline, *at, ret_report);
    uint16_t followed = clock->discipline.selected;
    mt_clock_duty_widen_one_way(
        clock, followed == MT_SOURCE_NONE ? clock->one_way.source : followed, ret_report);
    mt_arbiter_duty_widen(clock, ret_report);
    return mt_holdover_widen(clock, ret_report, ret_growth);
}

void mt_node_report(struct mt_node *node, uint16_t index, struct mt_clock_page *ret_page,
                    struct mt_clock_quality_report *ret_report)
{
    struct mt_node_clock *clock = &node->clocks[index];
    struct mt_clock_reading reading;
    struct mt_published published;
    clock->hal->ops->read(clock->hal, &reading);
    mt_real growth;
    bool holds_over = mt_clock_duty_assess(clock, &reading.local.at, ret_report, &growth);
    mt_discipline_published(&clock->discipline, ret_report, &published);
    if (holds_over && published.is_estimate) {
        published.bound_growth = growth;
    }
    if (clock->is_in_panic) { /* nor is it published */
        published.is_estimate = false;
        published.off_estimate = mt_real_abs(mt_span_to_real(ret_report->estimate.offset));
    }
    if (!published.is_estimate) {
        mt_discipline_go_on(&clock->discipline, &clock->published, &clock->published_at,
                            &reading.local, &published);
    }
    clock->published = published;
    clock->published_at = reading.local;
    struct mt_page_facts facts = {
        .reading = &reading,
        .report = ret_report,
        .published = &clock->published,
        .before = &clock->page,
        .base = clock->hal->base,
        .tai_utc_known = clock->leap.choice.is_known,
        .tai_minus_utc_s = mt_leap_duty_offset(clock, &reading.local.at),
        .leap_s = clock->leap.choice.leap_s,
        .steps = clock->discipline.steps,
        .valid_ns = MT_NODE_PAGE_VALID_NS,
    };
    add_ptp_facts(node, index, &facts);
    if (mt_leap_duty_is_over(&clock->leap, &reading.local.at)) {
        facts.leap_s = 0;
    }
    mt_page_make(&facts, ret_page);
    mt_holdover_mark(&clock->holdover, ret_page);
}

/* Who has no time to give does not tell the machine of leap seconds. */
static void announce(const struct mt_node_clock *clock)
{
    const struct mt_clock_page *page = &clock->page;
    bool is_right = page->state == MT_CLOCK_LOCKED || page->state == MT_CLOCK_HOLDOVER;
    is_right = is_right && !mt_rivals_yields(clock);
    if (is_right && clock->hal->ops->announce != NULL) {
        clock->hal->ops->announce(clock->hal, page->leap_s);
    }
}

void mt_clock_duty_publish(struct mt_node *node, uint16_t index, struct mt_mono now)
{
    struct mt_node_clock *clock = &node->clocks[index];
    mt_leap_duty_choose(node, index);
    mt_node_report(node, index, &clock->page, &clock->report);
    mt_holdover_judge(node, index, now);
    mt_holdover_mark(&clock->holdover, &clock->page);
    mt_leap_duty_watch(&clock->leap, &clock->page);
    mt_leap_duty_tell(node, index, now);
    announce(clock);
    mt_standing_tell(clock);
    clock->needs_report = false;
    clock->publish_at = mt_mono_plus(now, MT_NODE_PUBLISH_NS);
    if (node->store != NULL && node->store->ops->publish != NULL) {
        node->store->ops->publish(node->store, index, &clock->page);
    }
    mt_ntp_serve_renew(node, index);
    tell_changes(node, index, now);
}

/* The bound against the grandmaster that is followed now, until this is asked again.  Its own error
 * is announced apart, so it is no part.  But a clock in holdover, whose bound is against TAI, is
 * compared with a grandmaster that it has not measured yet: then it is one. */
static struct mt_interval bound_to_grandmaster(const struct mt_clock_quality_report *report,
                                               const struct mt_instance *ptp)
{
    mt_real growth_ns = report->bound_growth * MT_NODE_PUBLISH_NS;
    struct mt_interval bound =
        mt_interval_plus(report->bound, mt_interval_from_ns(mt_real_round(growth_ns) + 1));
    if (report->reference != MT_BOUND_TRACEABLE) {
        return bound;
    }
    return report->has_estimate ? mt_interval_minus(bound, report->reference_bound)
                                : mt_interval_plus(bound, ptp->reference_bound);
}

/* seconds; those of which none are whole are near at hand */
static struct mt_interval interval_of(mt_real s)
{
    if (mt_real_abs(s) < MT_REAL(0.5)) {
        return (struct mt_interval){mt_real_round(s * MT_REAL(65536e9))};
    }
    return mt_span_to_interval(mt_span_from_real(s));
}

/* The frequency of a card's clock has steps that nobody tells, and moves the clock by some of its
 * grains between two corrections: within those it is where it should be. */
static bool is_locked(const struct mt_node_clock *clock,
                      const struct mt_clock_quality_report *report)
{
    mt_real near = NEAR_GRAINS * MT_REAL(1e-9) * (mt_real)clock->hal->granularity_ns;
    return report->is_locked ||
           (report->has_estimate && clock->discipline.phase == MT_STEER_LOCKED &&
            mt_real_abs(mt_span_to_real(report->estimate.offset)) < near);
}

static void make_condition(const struct mt_node_clock *clock, const struct mt_instance *ptp,
                           const struct mt_clock_quality_report *report,
                           struct mt_clock_condition *ret_condition)
{
    bool reaches_grandmaster =
        report->reference == MT_BOUND_SOURCE || report->reference == MT_BOUND_TRACEABLE;
    struct mt_interval bound = bound_to_grandmaster(report, ptp);
    *ret_condition = (struct mt_clock_condition){
        .is_locked = is_locked(clock, report),
        .has_bound = reaches_grandmaster && !mt_interval_is_too_large(bound),
        .shows =
            clock->discipline.scale == MT_SCALE_TAI ? MT_CLOCK_SHOWS_PTP : MT_CLOCK_SHOWS_ARBITRARY,
    };
    if (ret_condition->has_bound) {
        ret_condition->bound = bound;
        ret_condition->bound_static = mt_interval_from_ns(report->parts.asymmetry_ns);
    }
    if (report->has_estimate) {
        ret_condition->offset = mt_span_to_interval(report->estimate.offset);
        ret_condition->mean_delay = interval_of(report->estimate.delay);
    }
}

void mt_clock_duty_condition(const struct mt_node *node, uint16_t instance,
                             struct mt_clock_condition *ret_condition)
{
    const struct mt_node_clock *clock = &node->clocks[node->instances[instance].clock];
    const struct mt_instance *ptp = &node->instances[instance].ptp;
    struct mt_clock_quality_report report;
    if (!mt_standby_is_idle(node, instance) && !mt_arbiter_duty_is_idle(node, instance)) {
        make_condition(clock, ptp, &clock->report, ret_condition);
        ret_condition->offset.q16 = /* of the same report */
            clock->report.has_estimate ? clock->page.steered_q16 : 0;
        return;
    }
    uint16_t port = mt_instance_receiving_port(ptp);
    uint16_t source = port != 0 ? node->instances[instance].ports[port - 1].source : MT_SOURCE_NONE;
    mt_discipline_standby_report(&clock->discipline, source, clock->published_at.at, &report);
    make_condition(clock, ptp, &report, ret_condition);
    if (mt_standby_is_silent(node, instance)) { /* its estimate is of what was */
        ret_condition->is_locked = false;
    }
    if (mt_arbiter_duty_is_false(node, instance)) { /* nothing of it may be served */
        ret_condition->is_locked = false;
        ret_condition->has_bound = false;
    }
}

/* A rate that is hardly known yet would be worse than none. */
void mt_clock_duty_rate(const struct mt_node_clock *clock, struct mt_transparent_clock *ret_clock)
{
    const struct mt_estimate *estimate = &clock->report.estimate;
    mt_real scaled = estimate->frequency * RATE_SCALE;
    bool is_known = clock->report.has_estimate && estimate->frequency_sigma < RATE_SIGMA &&
                    scaled < INT32_MAX && scaled > -INT32_MAX;
    ret_clock->stepped_at = clock->stepped_at;
    ret_clock->scaled_rate = is_known ? (int32_t)mt_real_round(scaled) : 0;
}

/* ---- time passes ----------------------------------------------------------------------------- */

static void save_drift(struct mt_node *node, uint16_t index)
{
    struct mt_node_clock *clock = &node->clocks[index];
    mt_real rate;
    if (clock->keeps_drift && node->store != NULL && node->store->ops->save_drift != NULL &&
        mt_discipline_drift(&clock->discipline, &rate)) {
        node->store->ops->save_drift(node->store, index, rate);
    }
}

static void save_oscillator(struct mt_node *node, uint16_t index, struct mt_mono now)
{
    struct mt_node_clock *clock = &node->clocks[index];
    struct mt_steer_oscillator_memory memory;
    if (clock->keeps_drift && clock->holdover.learns && node->store != NULL &&
        node->store->ops->save_oscillator != NULL &&
        mt_steer_oscillator_recall(&clock->holdover.oscillator, &memory, now)) {
        node->store->ops->save_oscillator(node->store, index, &memory);
    }
}

void mt_clock_duty_tick(struct mt_node *node, uint16_t index, struct mt_mono now)
{
    struct mt_node_clock *clock = &node->clocks[index];
    if (mt_discipline_deadline(&clock->discipline).ns <= now.ns) {
        mt_discipline_tick(&clock->discipline, now);
        clock->needs_report = true;
    }
    mt_rivals_tick(node, index, now);
    if (now.ns >= clock->save_at.ns) {
        clock->save_at = mt_mono_plus(now, MT_NODE_DRIFT_SAVE_NS);
        save_drift(node, index);
        save_oscillator(node, index, now);
    }
}

void mt_clock_duty_stop(struct mt_node *node, uint16_t index, struct mt_mono now)
{
    struct mt_node_clock *clock = &node->clocks[index];
    save_drift(node, index);
    save_oscillator(node, index, now);
    mt_clock_duty_publish(node, index, now);
    mt_standing_end(clock);
    clock->page.valid_until_base_ns = clock->page.base_at_anchor_ns;
    if (node->store != NULL && node->store->ops->publish != NULL) {
        node->store->ops->publish(node->store, index, &clock->page);
    }
}
