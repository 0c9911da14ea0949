/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * How wrong the clock may be: the sum of named parts, each with its own assumption
 * (docs/design/estimator.md).  While the selected source has an estimate, it counts; otherwise
 * the anchor does, the last estimate of a locked clock, carried along by all corrections since.
 * There is no bound without either: after a change of reference the anchor means nothing.
 */
#include "steer/steer_private.h"

#define BOUND_SIGMA 5

/* Half the round trip is all that one direction can be longer than the mean.  A measured one
 * that is below 0 was made so by latencies that are configured wrongly, by at least as much. */
mt_real mt_steer_asymmetry(const struct mt_estimate *estimate)
{
    return mt_real_abs(estimate->delay) + BOUND_SIGMA * estimate->delay_sigma;
}

/* the source's error against its grandmaster, and that one's against TAI or UTC */
static struct mt_interval source_bound(const struct mt_steer_origin *origin,
                                       struct mt_clock_quality_report *report)
{
    struct mt_interval own = origin->bound;

    report->reference = MT_BOUND_SOURCE;
    if (mt_interval_is_too_large(own)) {
        report->reference = MT_BOUND_PARENT;
        return (struct mt_interval){0};
    }
    if (!mt_interval_is_too_large(origin->reference_bound) && origin->scale != MT_SCALE_ARB) {
        report->reference = MT_BOUND_TRACEABLE;
        report->reference_bound = origin->reference_bound;
        own = mt_interval_plus(own, origin->reference_bound);
    }
    return own;
}

/* age: s since the last sample */
static void add_up(const struct mt_discipline *self, const struct mt_steer_origin *origin,
                   mt_real age, struct mt_clock_quality_report *report)
{
    const struct mt_estimate *estimate = &report->estimate;
    struct mt_bound_parts *parts = &report->parts;
    struct mt_interval source = source_bound(origin, report);
    mt_real drift = self->config.max_drift;
    mt_real growth = BOUND_SIGMA * estimate->frequency_sigma + mt_real_abs(estimate->frequency);
    /* a source that is itself a clock on the way drifts, too */
    mt_real away = source.q16 > report->reference_bound.q16 ? drift : 0;
    const mt_real seconds[] = {
        BOUND_SIGMA * estimate->offset_sigma + estimate->doubt + (drift + away) * mt_real_abs(age),
        origin->asymmetry,
        mt_real_abs(mt_span_to_real(estimate->offset)),
    };
    int64_t *const ns[] = {&parts->estimate_ns, &parts->asymmetry_ns, &parts->steering_ns};

    /* and 1 ns for each part that is rounded down */
    parts->granularity_ns = (int64_t)self->config.granularity_ns + 4;
    parts->source_ns = mt_interval_to_ns(source);
    report->bound = mt_interval_plus(source, mt_interval_from_ns(parts->granularity_ns));
    for (unsigned i = 0; i < sizeof seconds / sizeof *seconds; i++) {
        *ns[i] = mt_steer_ns(seconds[i]);
        report->bound = mt_interval_plus(report->bound, mt_interval_from_ns(*ns[i]));
    }
    report->bound_growth = (growth > drift ? growth : drift) + away;
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
        origin.asymmetry = mt_steer_asymmetry(&ret_report->estimate);
    } else if (self->has_anchor) {
        mt_track_estimate(track, self->model.wander, &at, 1, &ret_report->estimate);
    } else {
        return;
    }
    if (self->config.max_asymmetry.q16 > 0) {
        origin.asymmetry = mt_span_to_real(mt_span_from_interval(self->config.max_asymmetry));
    }
    add_up(self, &origin, mt_seconds(&track->at, &at), ret_report);
}
