/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The same circle as in runtime/node.c, cut down to one instance, one port, one clock and one
 * source, so that all indices are gone and nothing is left that only a daemon needs:
 *
 *     input -> instance -> frames to the link
 *                 '-> samples -> discipline -> correction -> clock
 *                                     '-> condition of the clock -> instance
 *
 * A correction is answered at once, a condition may change a state, and a state may ask for a
 * frame: so the circle is walked until nothing moves, and no more than a few times.
 */
#include "embed/ordinary.h"

#include "embed/instance_io.h"

#define SOURCE       0
#define DRAIN_ROUNDS 8 /* more than any input needs; a bound, not a plan */

void mt_ordinary_config_init(struct mt_ordinary_config *self,
                             const struct mt_ptp_features *features,
                             const struct mt_hal_clock *clock)
{
    mt_instance_config_init(&self->instance);
    mt_port_config_init(&self->port);
    mt_steer_config_init(&self->steer);
    self->instance.features = features;
    self->steer.granularity_ns = clock->granularity_ns;
    self->steer.adopts_scale = clock->adopts_scale;
    self->steer.estimates_only = !clock->is_adjustable;
    if (self->steer.max_rate > clock->max_rate) {
        self->steer.max_rate = clock->max_rate;
    }
    self->seed = 0;
    self->start_rate = 0;
    self->is_start_rate_known = false;
}

void mt_ordinary_init(struct mt_ordinary *self, const struct mt_ordinary_config *config,
                      const struct mt_ordinary_tables *tables)
{
    const struct mt_mono now = tables->wait->ops->now(tables->wait);
    struct mt_clock_reading reading;

    self->tables = *tables;
    self->needs_report = true;
    self->report_at = now;
    tables->clock->ops->read(tables->clock, &reading);
    mt_instance_init(&self->ptp, &config->instance, &self->port, &config->port, 1, config->seed,
                     now);
    mt_discipline_init(&self->discipline, &config->steer, &self->source, 1, tables->clock->scale,
                       reading.local.corrections, config->start_rate, config->is_start_rate_known);
}

/* ---- from the instance outwards ------------------------------------------------------------- */

static void change_parent(struct mt_ordinary *self, const struct mt_event *event,
                          struct mt_mono now)
{
    if (event->kind == MT_EVENT_PARENT) {
        mt_discipline_reset_source(&self->discipline, SOURCE);
        mt_discipline_select(&self->discipline, event->port != 0 ? SOURCE : MT_SOURCE_NONE, now);
    }
    if (event->port != 0 && !event->value.parent.is_same_grandmaster) {
        mt_discipline_new_reference(&self->discipline, event->value.parent.is_same_reference);
    }
}

static bool take_events(struct mt_ordinary *self, struct mt_mono now)
{
    struct mt_event event;
    bool any = false;
    while (mt_instance_next_event(&self->ptp, &event)) {
        if (event.kind == MT_EVENT_SAMPLE) {
            event.value.sample.source = SOURCE;
            mt_discipline_sample(&self->discipline, &event.value.sample, now);
        } else if (event.kind == MT_EVENT_PARENT || event.kind == MT_EVENT_REFERENCE) {
            change_parent(self, &event, now);
        }
        self->needs_report = true;
        any = true;
    }
    return any;
}

/* ---- the clock, and back to the instance ---------------------------------------------------- */

static bool correct(struct mt_ordinary *self)
{
    struct mt_hal_clock *clock = self->tables.clock;
    struct mt_correction correction;
    struct mt_applied applied;
    bool any = clock->ops->disturbed(clock, &applied);
    if (any) {
        mt_discipline_applied(&self->discipline, &applied);
    }
    while (mt_discipline_next_correction(&self->discipline, &correction)) {
        clock->ops->apply(clock, &correction, &applied);
        mt_discipline_applied(&self->discipline, &applied);
        any = true;
    }
    self->needs_report |= any;
    return any;
}

void mt_ordinary_report(const struct mt_ordinary *self, struct mt_clock_quality_report *ret_report)
{
    struct mt_clock_reading reading;
    self->tables.clock->ops->read(self->tables.clock, &reading);
    mt_discipline_report(&self->discipline, reading.local.at, ret_report);
}

/* The grandmaster's own error is announced apart, so it is no part of the bound; that holds until
 * the next report. */
static struct mt_interval bound_until_next(const struct mt_clock_quality_report *report)
{
    const mt_real growth_ns = report->bound_growth * (mt_real)MT_ORDINARY_REPORT_NS;
    const struct mt_interval bound =
        mt_interval_plus(report->bound, mt_interval_from_ns(mt_real_round(growth_ns) + 1));
    return report->reference == MT_BOUND_TRACEABLE
               ? mt_interval_minus(bound, report->reference_bound)
               : bound;
}

static void tell_condition(struct mt_ordinary *self, struct mt_mono now)
{
    struct mt_clock_condition condition = {0};
    struct mt_clock_quality_report report;
    mt_ordinary_report(self, &report);
    condition.is_locked = report.is_locked;
    condition.has_bound = report.has_estimate && (report.reference == MT_BOUND_SOURCE ||
                                                  report.reference == MT_BOUND_TRACEABLE);
    condition.shows =
        self->discipline.scale == MT_SCALE_TAI ? MT_CLOCK_SHOWS_PTP : MT_CLOCK_SHOWS_ARBITRARY;
    if (condition.has_bound) {
        condition.bound = bound_until_next(&report);
        condition.bound_static = mt_interval_from_ns(report.parts.asymmetry_ns);
    }
    if (report.has_estimate) {
        condition.offset = mt_span_to_interval(report.estimate.offset);
        condition.mean_delay = mt_span_to_interval(mt_span_from_real(report.estimate.delay));
    }
    self->needs_report = false;
    self->report_at = mt_mono_plus(now, MT_ORDINARY_REPORT_NS);
    mt_instance_clock(&self->ptp, &condition, now);
}

static void drain(struct mt_ordinary *self, struct mt_mono now)
{
    bool any = true;
    for (unsigned round = 0; any && round < DRAIN_ROUNDS; round++) {
        any = mt_embed_send(&self->ptp, self->tables.link, self->frame, sizeof self->frame, now);
        any |= take_events(self, now);
        any |= correct(self);
        if (self->needs_report || now.ns >= self->report_at.ns) {
            tell_condition(self, now);
            any = true;
        }
    }
}

/* ---- inputs --------------------------------------------------------------------------------- */

void mt_ordinary_input(struct mt_ordinary *self, const struct mt_input *input)
{
    const struct mt_mono now = input->now;
    mt_embed_input(&self->ptp, self->tables.clock, input);
    if (mt_instance_deadline(&self->ptp).ns <= now.ns) {
        mt_instance_tick(&self->ptp, now);
    }
    if (mt_discipline_deadline(&self->discipline).ns <= now.ns) {
        mt_discipline_tick(&self->discipline, now);
        self->needs_report = true;
    }
    drain(self, now);
}

struct mt_mono mt_ordinary_deadline(const struct mt_ordinary *self)
{
    const struct mt_mono earlier = mt_mono_earlier(mt_instance_deadline(&self->ptp),
                                                   mt_discipline_deadline(&self->discipline));
    return mt_mono_earlier(earlier, self->report_at);
}

void mt_ordinary_once(struct mt_ordinary *self)
{
    struct mt_hal_wait *wait = self->tables.wait;
    struct mt_input input;
    wait->ops->next(wait, mt_ordinary_deadline(self), &input);
    mt_ordinary_input(self, &input);
}

bool mt_ordinary_drift(const struct mt_ordinary *self, mt_real *ret_rate)
{
    return mt_discipline_drift(&self->discipline, ret_rate);
}
