/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 *                 locked                  nobody is followed         bound within specification,
 *                                         or the lock is lost        and not too long ago
 *     rung        MT_QUALITY_LOCKED  -->  MT_QUALITY_HOLDOVER  <-->  as long as that is so,
 *                        ^                                           then MT_QUALITY_BEYOND
 *                        '------------------------------------------ until it is locked again
 *
 * A clock that acquires a source after holdover is worth what it was worth before: the bound of
 * what it knows still holds.  When nothing is known of the error any more (the source has stepped,
 * or is another one) it is worth nothing until it is locked.
 *
 * What was followed is remembered while the clock is locked, since a source that is lost cannot be
 * asked.  A clock that follows another one of this node has its time from where that one has it.
 */
#include "runtime/holdover_duty.h"

#include <math.h>

#include "runtime/events.h"
#include "runtime/node.h"

#define READING_SIZE      4
#define SILENT_READINGS   10
#define WATCH_NS          INT64_C(8000000000)
#define FRESH_S           16 /* since the last sample: as good as none */
#define LEAST_ACCURACY_NS 1000
#define ACCURACY_FACTOR   4
#define TAU_S             1 /* of the PTP variance: the default Sync interval */
#define LEADERS_MOST      8

/* ---- whom the clock follows ------------------------------------------------------------------ */

static const struct mt_node_instance *instance_of_source(const struct mt_node *node, uint16_t clock,
                                                         uint16_t source)
{
    for (uint16_t i = 0; i < node->instance_count; i++) {
        const struct mt_node_instance *instance = &node->instances[i];
        for (uint16_t port = 0; instance->clock == clock && port < instance->ptp.port_count;
             port++) {
            if (instance->ports[port].source == source) {
                return instance;
            }
        }
    }
    return NULL;
}

static void remember_ptp(struct mt_holdover *self, const struct mt_node_instance *instance)
{
    const struct mt_ptp_dataset *parent = mt_instance_parent(&instance->ptp);
    self->source = MT_QUALITY_FROM_PTP;
    self->is_primary =
        mt_quality_is_primary_class(&instance->foreign_time.ladder, parent->quality.clock_class);
    self->is_traceable |=
        (mt_instance_time_properties(&instance->ptp)->flags & MT_PTP_TIME_TRACEABLE) != 0;
    self->grandmaster = parent->grandmaster;
}

static void remember_leader(struct mt_holdover *self, const struct mt_node_clock *leader)
{
    self->source = leader->holdover.source;
    self->is_primary = leader->holdover.is_primary;
    self->is_traceable = leader->holdover.is_traceable;
    self->grandmaster = leader->holdover.grandmaster;
}

static void remember_source(struct mt_node *node, uint16_t index)
{
    struct mt_node_clock *clock = &node->clocks[index];
    struct mt_holdover *self = &clock->holdover;
    const struct mt_node_refclock *refclock = mt_refclock_duty_selected(node, index);
    uint16_t selected = clock->discipline.selected;
    const struct mt_node_instance *instance = instance_of_source(node, index, selected);
    if (instance != NULL && mt_instance_receiving_port(&instance->ptp) == 0) {
        return; /* it has just been lost, and cannot be asked any more */
    }
    self->is_traceable = clock->report.reference == MT_BOUND_TRACEABLE;
    if (instance != NULL) {
        remember_ptp(self, instance);
    } else if (mt_ntp_duty_followed(node, index) != NULL) {
        self->source = MT_QUALITY_FROM_NTP;
        self->is_primary = false;
    } else if (refclock != NULL) {
        struct mt_gnss_standing standing;
        bool is_gnss = mt_gnss_duty_standing(node, index, &standing);
        self->source = is_gnss ? MT_QUALITY_FROM_GNSS : MT_QUALITY_FROM_REFCLOCK;
        self->is_primary = self->is_traceable && refclock->config.stratum == 0;
    } else if (clock->follow.is_used && clock->follow.source == selected) {
        remember_leader(self, &node->clocks[clock->follow.leader]);
    }
}

/* ---- how good it is -------------------------------------------------------------------------- */

static void remember_quality(struct mt_node_clock *clock)
{
    struct mt_holdover *self = &clock->holdover;
    const struct mt_clock_quality_report *report = &clock->report;
    mt_real grain = MT_REAL(1e-9) * (mt_real)clock->hal->granularity_ns;
    mt_real sigma = report->estimate.offset_sigma;
    self->locked_bound_ns = clock->page.bound_ns;
    self->variance = mt_quality_variance(mt_real_sqrt(sigma * sigma + grain * grain / 12),
                                         clock->discipline.model.wander, TAU_S);
}

int64_t mt_holdover_accuracy_ns(const struct mt_holdover *self)
{
    int64_t as_locked_ns = ACCURACY_FACTOR * self->locked_bound_ns;
    if (self->accuracy_ns > 0) {
        return self->accuracy_ns;
    }
    return as_locked_ns > LEAST_ACCURACY_NS ? as_locked_ns : LEAST_ACCURACY_NS;
}

static bool is_beyond(const struct mt_holdover *self, const struct mt_clock_page *page,
                      struct mt_mono now)
{
    return page->bound_ns > mt_holdover_accuracy_ns(self) ||
           (self->limit_ns > 0 && now.ns - self->lost_at.ns > self->limit_ns);
}

static enum mt_quality_rung judge_rung(struct mt_holdover *self, const struct mt_clock_page *page,
                                       struct mt_mono now)
{
    bool has_bound =
        page->bound_reference == MT_BOUND_SOURCE || page->bound_reference == MT_BOUND_TRACEABLE;
    if (page->state == MT_CLOCK_LOCKED) {
        self->is_beyond = false;
        return MT_QUALITY_LOCKED;
    }
    if (self->rung == MT_QUALITY_LOCKED) {
        self->lost_at = now;
    }
    if (self->rung == MT_QUALITY_FREE || !has_bound) {
        return MT_QUALITY_FREE;
    }
    self->is_beyond |= is_beyond(self, page, now);
    return self->is_beyond ? MT_QUALITY_BEYOND : MT_QUALITY_HOLDOVER;
}

/* ---- temperature ----------------------------------------------------------------------------- */

static bool is_thermometer(const struct mt_holdover *self, const struct mt_input *input)
{
    return self->has_thermometer && self->thermometer == input->link;
}

bool mt_holdover_rx(struct mt_node *node, const struct mt_input *input)
{
    bool is_any = false;
    for (uint16_t i = 0; i < node->clock_count; i++) {
        struct mt_holdover *self = &node->clocks[i].holdover;
        if (!is_thermometer(self, input)) {
            continue;
        }
        is_any = true;
        if (input->length == READING_SIZE) {
            const uint8_t *octets = input->bytes;
            uint32_t milli = (uint32_t)octets[0] | (uint32_t)octets[1] << 8 |
                             (uint32_t)octets[2] << 16 | (uint32_t)octets[3] << 24;
            self->kelvin = (mt_real)(int32_t)milli / 1000;
            self->has_kelvin = true;
            self->read_at = input->now;
        }
    }
    return is_any;
}

/* One that has fallen silent says nothing of the temperature now. */
static void notice_silence(struct mt_holdover *self, struct mt_mono now)
{
    if (now.ns - self->read_at.ns > SILENT_READINGS * self->read_every_ns) {
        self->has_kelvin = false;
    }
}

/* ---- the oscillator -------------------------------------------------------------------------- */

static void observe(struct mt_node_clock *clock, struct mt_mono now)
{
    struct mt_holdover *self = &clock->holdover;
    const mt_real(*p)[3] = (const mt_real(*)[3])clock->discipline.anchor.track.p;
    const struct mt_estimate *estimate = &clock->report.estimate;
    mt_real rate;
    mt_real coupling = mt_real_abs(p[0][1]);
    if (clock->report.is_saturated || estimate->age > FRESH_S || coupling <= 0 ||
        !mt_discipline_drift(&clock->discipline, &rate)) {
        return;
    }
    self->has_kelvin_then = self->has_kelvin;
    self->kelvin_then = self->kelvin;
    mt_steer_oscillator_observe(&self->oscillator, -rate, estimate->frequency_sigma,
                                p[0][0] / coupling, self->has_kelvin ? self->kelvin : (mt_real)NAN,
                                now);
}

/* Integrals of the time since it was looked at last. */
static void add_to_past(struct mt_holdover *self, mt_real elapsed)
{
    const struct mt_steer_oscillator_memory *known = &self->oscillator.known;
    struct mt_steer_oscillator_past *past = &self->past;
    if (!self->has_kelvin || !self->has_kelvin_then) { /* anything between what it ever was */
        past->beyond +=
            known->uses_temperature ? (known->kelvin_high - known->kelvin_low) * elapsed : 0;
        return;
    }
    past->kelvin = self->kelvin - self->kelvin_then;
    past->kelvin_s += past->kelvin * elapsed;
    if (self->kelvin > known->kelvin_high) {
        past->beyond += (self->kelvin - known->kelvin_high) * elapsed;
    } else if (self->kelvin < known->kelvin_low) {
        past->beyond += (known->kelvin_low - self->kelvin) * elapsed;
    }
}

static void hold_over(struct mt_node_clock *clock, struct mt_mono now)
{
    struct mt_holdover *self = &clock->holdover;
    struct mt_clock_reading reading;
    self->past.age_s = clock->report.estimate.age;
    mt_real wanted = mt_steer_oscillator_change(&self->oscillator, &self->past);
    if (wanted != self->applied) {
        clock->hal->ops->read(clock->hal, &reading);
        mt_discipline_shift_frequency(&clock->discipline, wanted - self->applied,
                                      &reading.local.at);
        self->applied = wanted;
    }
}

/* A clock that holds over and one that acquires anew are not measured as they should be. */
static void watch_oscillator(struct mt_node_clock *clock, struct mt_mono now)
{
    struct mt_holdover *self = &clock->holdover;
    if (!self->learns || now.ns < self->watch_at.ns) {
        return;
    }
    self->watch_at = mt_mono_plus(now, WATCH_NS);
    notice_silence(self, now);
    if (clock->discipline.phase == MT_STEER_LOCKED) {
        observe(clock, now);
        self->past = (struct mt_steer_oscillator_past){0};
        self->applied = 0;
    } else {
        mt_steer_oscillator_interrupt(&self->oscillator);
        add_to_past(self, (mt_real)(now.ns - self->watched_at.ns) * MT_REAL(1e-9));
    }
    if (clock->discipline.phase == MT_STEER_HOLDOVER) {
        hold_over(clock, now);
    }
    self->watched_at = now;
}

bool mt_holdover_widen(const struct mt_node_clock *clock, struct mt_clock_quality_report *report,
                       mt_real *ret_growth)
{
    const struct mt_holdover *self = &clock->holdover;
    struct mt_steer_oscillator_past past = self->past;
    bool is_held = clock->discipline.phase == MT_STEER_HOLDOVER || !report->has_estimate;
    if (!self->learns || !is_held || report->reference == MT_BOUND_NONE ||
        !mt_steer_oscillator_is_known(&self->oscillator)) {
        return false;
    }
    past.age_s = report->estimate.age;
    mt_steer_oscillator_report(&self->oscillator, &clock->discipline, &past, report, ret_growth);
    return true;
}

/* ---- states ---------------------------------------------------------------------------------- */

static enum mt_quality_state state_of(enum mt_quality_rung rung, enum mt_steer_phase phase)
{
    switch (phase) {
    case MT_STEER_IDLE:
        break;
    case MT_STEER_ACQUIRING:
        return MT_QUALITY_STATE_ACQUIRING;
    case MT_STEER_LOCKED:
        return MT_QUALITY_STATE_LOCKED;
    case MT_STEER_HOLDOVER:
        return rung == MT_QUALITY_HOLDOVER ? MT_QUALITY_STATE_HOLDOVER : MT_QUALITY_STATE_BEYOND;
    }
    return MT_QUALITY_STATE_FREE_RUN;
}

static void enter(struct mt_node *node, uint16_t index, enum mt_quality_state state,
                  struct mt_mono now)
{
    struct mt_node_clock *clock = &node->clocks[index];
    struct mt_holdover *self = &clock->holdover;
    self->state = state;
    self->since = now;
    self->since_base_ns = clock->page.base_at_anchor_ns;
    self->entered[state]++;
    self->changes++;
    if (state == MT_QUALITY_STATE_BEYOND) {
        mt_node_tell(node, &(struct mt_node_event){.kind = MT_NODE_BEYOND,
                                                   .at = now,
                                                   .index = index,
                                                   .value.beyond = {
                                                       .bound_ns = clock->page.bound_ns,
                                                       .accuracy_ns = mt_holdover_accuracy_ns(self),
                                                       .age_ns = now.ns - self->lost_at.ns,
                                                       .has_bound = self->rung != MT_QUALITY_FREE,
                                                   }});
    }
}

void mt_holdover_judge(struct mt_node *node, uint16_t index, struct mt_mono now)
{
    struct mt_node_clock *clock = &node->clocks[index];
    struct mt_holdover *self = &clock->holdover;
    self->rung = judge_rung(self, &clock->page, now);
    if (self->rung == MT_QUALITY_LOCKED) {
        remember_source(node, index);
        remember_quality(clock);
    } else if (self->rung == MT_QUALITY_FREE && clock->page.state == MT_CLOCK_ACQUIRING) {
        remember_source(node, index);
    }
    watch_oscillator(clock, now);
    enum mt_quality_state state = state_of(self->rung, clock->discipline.phase);
    if (state != self->state || self->changes == 0) {
        enter(node, index, state, now);
    }
}

void mt_holdover_mark(const struct mt_holdover *self, struct mt_clock_page *page)
{
    page->state_since_base_ns = self->since_base_ns;
    page->state_changes = self->changes;
    page->holdover = MT_HOLDOVER_NONE;
    if (self->state == MT_QUALITY_STATE_HOLDOVER) {
        page->holdover = MT_HOLDOVER_IN_SPECIFICATION;
    } else if (self->state == MT_QUALITY_STATE_BEYOND) {
        page->holdover = MT_HOLDOVER_OUT_OF_SPECIFICATION;
    }
}

/* ---- what others make of it ------------------------------------------------------------------ */

/* A bound against a source that does not know the time itself is none for others, but where the
 * user has said by a reference clock what the time is. */
void mt_holdover_facts(const struct mt_node_clock *clock, struct mt_quality_facts *ret_facts)
{
    const struct mt_holdover *self = &clock->holdover;
    const struct mt_clock_page *page = &clock->page;
    bool is_traceable = page->bound_reference == MT_BOUND_TRACEABLE;
    bool is_known =
        is_traceable || (page->bound_reference == MT_BOUND_SOURCE &&
                         (self->is_primary || self->source == MT_QUALITY_FROM_REFCLOCK ||
                          self->source == MT_QUALITY_FROM_GNSS));
    *ret_facts = (struct mt_quality_facts){
        .rung = self->rung,
        .source = self->source,
        .is_primary = self->is_primary,
        .has_bound = is_known,
        .is_traceable = is_traceable,
        .bound_ns = page->bound_ns,
        .variance = self->variance,
    };
}
