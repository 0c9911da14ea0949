/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * How wrong the clock may be: the sum of named parts, each with its own assumption
 * (docs/design/estimator.md).  While the selected source has an estimate, it counts; otherwise
 * the anchor does, the last estimate of a locked clock, carried along by all corrections since.
 */
#include "steer/steer_private.h"

#define BOUND_SIGMA 5

/* the source's error against its grandmaster, and that one's against TAI or UTC */
static void add_source(const struct mt_steer_origin *origin, struct mt_clock_quality_report *report)
{
    struct mt_interval own = origin->bound;

    report->reference = MT_BOUND_SOURCE;
    if (mt_interval_is_too_large(own)) {
        return;
    }
    if (!mt_interval_is_too_large(origin->reference_bound) && origin->scale != MT_SCALE_ARB) {
        report->reference = MT_BOUND_TRACEABLE;
        report->reference_bound = origin->reference_bound;
        own = mt_interval_plus(own, origin->reference_bound);
    }
    report->parts.source_ns = mt_interval_to_ns(own);
}

/* age: s since the last sample */
/* too large if the sum cannot be told */
static struct mt_interval sum_of(const struct mt_bound_parts *parts)
{
    const int64_t terms[] = {parts->estimate_ns, parts->asymmetry_ns, parts->granularity_ns,
                             parts->steering_ns, parts->source_ns};
    struct mt_interval sum = {0};

    for (unsigned i = 0; i < sizeof terms / sizeof *terms; i++) {
        sum = mt_interval_plus(sum, mt_interval_from_ns(terms[i]));
    }
    return sum;
}

static void add_up(const struct mt_discipline *self, const struct mt_steer_origin *origin,
                   mt_real age, struct mt_clock_quality_report *report)
{
    const struct mt_estimate *estimate = &report->estimate;
    struct mt_bound_parts *parts = &report->parts;
    mt_real drift = self->config.max_drift;
    mt_real growth = BOUND_SIGMA * estimate->frequency_sigma + mt_real_abs(estimate->frequency);

    add_source(origin, report);
    parts->estimate_ns =
        mt_steer_ns(BOUND_SIGMA * estimate->offset_sigma + drift * mt_real_abs(age));
    parts->asymmetry_ns = mt_steer_ns(origin->asymmetry);
    if (self->config.max_asymmetry.q16 > 0) {
        parts->asymmetry_ns = mt_interval_to_ns(self->config.max_asymmetry);
    }
    parts->steering_ns = mt_steer_ns(mt_real_abs(mt_span_to_real(estimate->offset)));
    /* and 1 ns for each part that was rounded down */
    parts->granularity_ns = (int64_t)self->config.granularity_ns + 4;
    report->bound = sum_of(parts);
    report->bound_growth = growth > drift ? growth : drift;
}

void mt_discipline_report(const struct mt_discipline *self, struct mt_instant at,
                          struct mt_clock_quality_report *ret_report)
{
    static const uint8_t states[] = {
        [MT_STEER_IDLE] = MT_CLOCK_FREE_RUN,
        [MT_STEER_ACQUIRING] = MT_CLOCK_ACQUIRING,
        [MT_STEER_LOCKED] = MT_CLOCK_LOCKED,
        [MT_STEER_HOLDOVER] = MT_CLOCK_HOLDOVER,
    };
    const struct mt_discipline_source *source = mt_steer_selected(self);
    const struct mt_track *track = &self->anchor.track;
    struct mt_steer_origin origin = self->anchor.origin;

    *ret_report = (struct mt_clock_quality_report){
        .state = (enum mt_clock_state)states[self->phase],
        .bound = MT_INTERVAL_TOO_LARGE,
        .bound_growth = self->config.max_drift,
        .is_locked = self->phase == MT_STEER_LOCKED,
        .is_saturated = self->is_saturated,
    };
    if (source != 0 &&
        mt_estimator_predict(&source->estimator, &self->model, at, &ret_report->estimate) &&
        ret_report->estimate.is_complete) {
        ret_report->has_estimate = true;
        track = &source->estimator.track;
        origin = source->origin;
        origin.asymmetry = ret_report->estimate.half_round_trip;
    } else if (self->has_locked_once) {
        mt_track_estimate(track, self->model.wander, &at, 1, &ret_report->estimate);
    } else {
        return;
    }
    add_up(self, &origin, mt_seconds(&track->at, &at), ret_report);
}
