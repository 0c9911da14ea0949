/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * A source that does not steer has its own offset, delay and noise, and shares the clock's model of
 * frequency and wander.  So there is nothing to hand over when it takes the lead: the model stays,
 * its own estimate becomes the clock's, and what the two differ by is an offset to be slewed away.
 * That the clock stays locked is the point: whoever is served by it must not notice.
 *
 * The report from the point of view of such a source is made with a copy of the discipline that has
 * selected it.  The copy is small, short-lived, and spares the report a case of its own.
 */
#include "meantime/steer_standby.h"

#include "steer/steer_private.h"

static bool estimate_of(const struct mt_discipline *self, uint16_t source,
                        const struct mt_instant *at, struct mt_estimate *ret_estimate)
{
    return source < self->source_count && self->sources[source].is_used &&
           mt_estimator_predict(&self->sources[source].estimator, &self->model, *at,
                                ret_estimate) &&
           ret_estimate->is_complete;
}

bool mt_discipline_is_settled(const struct mt_discipline *self, uint16_t source)
{
    if (source >= self->source_count || !self->sources[source].is_used) {
        return false;
    }
    const struct mt_discipline_source *of = &self->sources[source];
    struct mt_estimate estimate;
    return of->origin.scale == self->scale && of->estimator.fresh >= MT_STANDBY_SAMPLES &&
           estimate_of(self, source, &of->estimator.track.at, &estimate);
}

bool mt_discipline_compare(const struct mt_discipline *self, uint16_t a, uint16_t b,
                           mt_real *ret_difference, mt_real *ret_sigma)
{
    struct mt_estimate of_a;
    struct mt_estimate of_b;
    if (a >= self->source_count || b >= self->source_count) {
        return false;
    }
    const struct mt_instant *at_a = &self->sources[a].estimator.track.at;
    const struct mt_instant *at_b = &self->sources[b].estimator.track.at;
    const struct mt_instant *at = mt_seconds(at_a, at_b) > 0 ? at_b : at_a;
    if (!estimate_of(self, a, at, &of_a) || !estimate_of(self, b, at, &of_b)) {
        return false;
    }
    mt_span_subtract(&of_a.offset, &of_b.offset);
    *ret_difference = mt_span_to_real(of_a.offset);
    *ret_sigma =
        mt_real_sqrt(of_a.offset_sigma * of_a.offset_sigma + of_b.offset_sigma * of_b.offset_sigma);
    return true;
}

void mt_discipline_take_over(struct mt_discipline *self, uint16_t source, struct mt_mono now)
{
    bool stays_locked = self->has_locked_once && mt_discipline_is_settled(self, source);
    struct mt_estimate estimate;
    if (source == self->selected) {
        return;
    }
    mt_discipline_select(self, source, now);
    if (stays_locked && mt_steer_estimate(self, 0, &estimate)) {
        const struct mt_discipline_source *of = &self->sources[source];
        self->phase = MT_STEER_LOCKED;
        self->anchor.track = of->estimator.track;
        self->anchor.origin = of->origin;
        self->anchor.unseen = of->estimator.unseen;
        self->has_anchor = true;
    }
}

void mt_discipline_act(struct mt_discipline *self)
{
    struct mt_estimate estimate;
    if (self->sets_rate) {
        mt_steer_plan(self, 0);
    } else if (mt_steer_estimate(self, 0, &estimate)) {
        mt_steer_plan(self, &estimate);
    }
}

void mt_discipline_set_shift(struct mt_discipline *self, uint16_t source, struct mt_span shift)
{
    if (source < self->source_count && self->config.skewness != 0) {
        self->config.skewness[source].shift = shift;
    }
}

void mt_discipline_forget_source(struct mt_discipline *self, uint16_t source)
{
    if (source >= self->source_count) {
        return;
    }
    self->sources[source] = (struct mt_discipline_source){.is_used = false};
    if (self->config.skewness != 0) {
        mt_skewness_init(&self->config.skewness[source]);
    }
}

void mt_discipline_set_storage(struct mt_discipline *self, struct mt_discipline_source *sources,
                               struct mt_skewness *skewness, uint16_t source_count)
{
    self->sources = sources;
    self->config.skewness = skewness;
    for (uint16_t i = 0; i < source_count && skewness != 0; i++) {
        if (i >= self->source_count) {
            mt_skewness_init(&skewness[i]);
        } else if (sources[i].is_used) {
            sources[i].estimator.skewness = &skewness[i];
        }
    }
    self->source_count = source_count;
}

void mt_discipline_standby_reference(struct mt_discipline *self, uint16_t source, bool is_traceable)
{
    if (source < self->source_count && !is_traceable) {
        self->sources[source].origin.bound = MT_INTERVAL_TOO_LARGE;
    }
}

void mt_discipline_standby_report(const struct mt_discipline *self, uint16_t source,
                                  struct mt_instant at, struct mt_clock_quality_report *ret_report)
{
    struct mt_discipline view = *self;
    bool is_settled = mt_discipline_is_settled(self, source);
    view.selected = source;
    view.has_anchor = false;
    view.phase = is_settled ? MT_STEER_LOCKED : MT_STEER_ACQUIRING;
    mt_discipline_report(&view, at, ret_report);
    ret_report->is_locked = is_settled;
}
