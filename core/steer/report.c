/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * How wrong the clock may be: the sum of named parts, each with its own assumption
 * (docs/design/estimator.md).  While the selected source has an estimate, it counts; otherwise
 * the anchor does, the last estimate of a locked clock, carried along by all corrections since.
 * There is no bound without either: after a change of reference the anchor means nothing.
 */
#include "base/memory.h"
#include "steer/steer_private.h"

#define BOUND_SIGMA MT_STEER_BOUND_SIGMA
#define LAG_LIMIT   8 /* deviations of what the clock is off the estimate now and then */

/* the source's error against its grandmaster, and that one's against TAI or UTC, in ns */
static int64_t source_ns(const struct mt_steer_origin *origin,
                         struct mt_clock_quality_report *report)
{
    if (mt_interval_is_too_large(origin->bound)) {
        report->reference = MT_BOUND_PARENT;
        return 0;
    }
    report->reference = MT_BOUND_SOURCE;
    if (!mt_interval_is_too_large(origin->reference_bound) && origin->scale != MT_SCALE_ARB) {
        report->reference = MT_BOUND_TRACEABLE;
        report->reference_bound = origin->reference_bound;
    }
    return mt_interval_to_ns(mt_interval_plus(origin->bound, report->reference_bound));
}

/* Half the round trip is all that one direction can be longer than the mean.  A measured one
 * that is below 0 was made so by latencies that are configured wrongly, by at least as much.
 * Where one direction alone tells the offset, what packets wait in it is not in the round trip:
 * their mean wait is their noise, if all of it is waiting. */
static int64_t asymmetry_ns(const struct mt_discipline *self, const struct mt_estimate *estimate)
{
    if (self->config.max_asymmetry.q16 > 0) {
        return mt_interval_to_ns(self->config.max_asymmetry);
    }
    return mt_steer_ns(mt_real_abs(estimate->delay) + BOUND_SIGMA * estimate->delay_sigma +
                       estimate->noise[MT_SAMPLE_OFFSET]);
}

static void add_up(const struct mt_discipline *self, const struct mt_steer_origin *origin,
                   struct mt_clock_quality_report *report)
{
    const struct mt_estimate *estimate = &report->estimate;
    struct mt_bound_parts *parts = &report->parts;
    mt_real drift = self->config.max_drift;
    mt_real growth = BOUND_SIGMA * estimate->frequency_sigma + mt_real_abs(estimate->frequency);

    growth = mt_real_larger(growth, drift);
    if (origin->bound.q16 > 0) { /* a clock on the way, which drifts, too */
        growth += drift;
        drift += drift;
    }
    parts->source_ns = source_ns(origin, report);
    parts->estimate_ns =
        mt_steer_ns(BOUND_SIGMA * estimate->offset_sigma + estimate->doubt + drift * estimate->age);
    parts->asymmetry_ns = asymmetry_ns(self, estimate);
    parts->steering_ns = mt_steer_ns(mt_real_abs(mt_span_to_real(estimate->offset)));
    /* and 1 ns for each part that is rounded */
    parts->granularity_ns = (int64_t)self->config.granularity_ns + 4;
    report->bound =
        mt_interval_from_ns(parts->source_ns + parts->estimate_ns + parts->asymmetry_ns +
                            parts->steering_ns + parts->granularity_ns);
    report->bound_growth = growth;
    if (mt_interval_is_too_large(report->bound)) { /* days off: not yet set */
        report->reference = MT_BOUND_NONE;
        report->reference_bound.q16 = 0;
    }
}

/* the clock is where the estimate says that it should be; not so while a large offset is slewed
 * away, and what is served then would be wrong by it */
static bool is_there(const struct mt_discipline *self, const struct mt_clock_quality_report *report)
{
    const struct mt_estimate *estimate = &report->estimate;
    mt_real usual = estimate->offset_sigma + mt_steer_noise(estimate);

    return self->config.estimates_only || !mt_steer_is_off(estimate, LAG_LIMIT * usual);
}

void mt_discipline_report(const struct mt_discipline *self, struct mt_instant at,
                          struct mt_clock_quality_report *ret_report)
{
    const struct mt_discipline_source *source = mt_steer_selected(self);

    memset(ret_report, 0, sizeof *ret_report);
    ret_report->state = (enum mt_clock_state)self->phase;
    ret_report->is_saturated = self->is_saturated;
    ret_report->bound = MT_INTERVAL_TOO_LARGE;
    ret_report->bound_growth = self->config.max_drift;
    if (mt_steer_estimate(self, &at, &ret_report->estimate)) {
        ret_report->has_estimate = true;
        ret_report->is_locked = self->phase == MT_STEER_LOCKED && is_there(self, ret_report);
        add_up(self, &source->origin, ret_report);
    } else if (self->has_anchor) {
        mt_track_estimate(&self->anchor.track, self->model.wander, &at, 1, &ret_report->estimate);
        ret_report->estimate.age += self->anchor.unseen;
        add_up(self, &self->anchor.origin, ret_report);
    }
}
