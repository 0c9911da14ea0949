/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * How wrong the clock may be: the sum of named parts, each with its own assumption
 * (docs/design/estimator.md).  While the selected source has an estimate, it counts; otherwise
 * the anchor does, the last estimate of a locked clock, carried along by all corrections since.
 */
#include "steer/steer_private.h"

#define BOUND_SIGMA 5
#define LARGEST_S   9e9

/* ns, rounded up */
static int64_t ns_above(mt_real s)
{
    return mt_span_to_ns(mt_span_from_real(mt_real_clamp(s, 0, LARGEST_S))) + (s > 0);
}

static int64_t ns_of(struct mt_interval a)
{
    return mt_interval_to_ns(a) + ((a.q16 & 0xFFFF) != 0);
}

struct basis {
    mt_real offset;
    mt_real sigma_then; /* at the last sample */
    mt_real sigma;      /* at the time asked for */
    mt_real age;        /* s between them */
    mt_real frequency;
    mt_real frequency_sigma;
    mt_real asymmetry;
    struct mt_interval bound;
    struct mt_interval reference_bound;
    enum mt_timescale scale;
};

static enum mt_clock_state state_of(enum mt_steer_phase phase)
{
    static const uint8_t states[] = {
        [MT_STEER_IDLE] = MT_CLOCK_FREE_RUN,
        [MT_STEER_ACQUIRING] = MT_CLOCK_ACQUIRING,
        [MT_STEER_LOCKED] = MT_CLOCK_LOCKED,
        [MT_STEER_HOLDOVER] = MT_CLOCK_HOLDOVER,
    };

    return (enum mt_clock_state)states[phase];
}

static bool basis_of_source(const struct mt_discipline *self, struct mt_instant at,
                            struct basis *basis, struct mt_estimate *estimate)
{
    const struct mt_discipline_source *source = mt_steer_selected(self);
    struct mt_instant then;

    if (source == 0) {
        return false;
    }
    then = source->estimator.track.at;
    if (!mt_estimator_predict(&source->estimator, &self->model, then, estimate)) {
        return false;
    }
    basis->sigma_then = estimate->offset_sigma;
    basis->age = mt_span_to_real(mt_instant_minus(at, then));
    mt_estimator_predict(&source->estimator, &self->model, at, estimate);
    basis->offset = mt_span_to_real(estimate->offset);
    basis->sigma = estimate->offset_sigma;
    basis->frequency = estimate->frequency;
    basis->frequency_sigma = estimate->frequency_sigma;
    basis->asymmetry = estimate->half_round_trip;
    basis->bound = source->bound;
    basis->reference_bound = source->reference_bound;
    basis->scale = source->scale;
    return estimate->is_complete;
}

static void basis_of_anchor(const struct mt_discipline *self, struct mt_instant at,
                            struct basis *basis)
{
    struct mt_track track = self->anchor.track;

    basis->sigma_then = mt_real_sqrt(track.p[0][0]);
    basis->age = mt_span_to_real(mt_instant_minus(at, track.at));
    mt_track_predict(&track, self->model.wander, at);
    basis->offset = mt_span_to_real(track.base) + track.x[0];
    basis->sigma = mt_real_sqrt(track.p[0][0]);
    basis->frequency = track.x[1];
    basis->frequency_sigma = mt_real_sqrt(track.p[1][1]);
    basis->asymmetry = self->anchor.asymmetry;
    basis->bound = self->anchor.bound;
    basis->reference_bound = self->anchor.reference_bound;
    basis->scale = self->anchor.scale;
}

/* the source's error against its grandmaster, and that one's against TAI or UTC */
static void add_source(const struct basis *basis, struct mt_clock_quality_report *report)
{
    struct mt_interval own = basis->bound;

    report->reference = MT_BOUND_SOURCE;
    if (mt_interval_is_too_large(own)) {
        return;
    }
    if (!mt_interval_is_too_large(basis->reference_bound) && basis->scale != MT_SCALE_ARB) {
        report->reference = MT_BOUND_TRACEABLE;
        report->reference_bound = basis->reference_bound;
        own = mt_interval_plus(own, basis->reference_bound);
    }
    report->parts.source_ns = ns_of(own);
}

static void add_up(const struct mt_discipline *self, const struct basis *basis,
                   struct mt_clock_quality_report *report)
{
    struct mt_bound_parts *parts = &report->parts;
    mt_real age = basis->age > 0 ? basis->age : 0;
    mt_real drifted = BOUND_SIGMA * basis->sigma_then + self->config.max_drift * age;
    mt_real predicted = BOUND_SIGMA * basis->sigma;
    mt_real growth =
        BOUND_SIGMA * (basis->frequency_sigma + mt_real_sqrt(self->model.wander * (age + 1)));

    parts->estimate_ns = ns_above(predicted > drifted ? predicted : drifted);
    parts->asymmetry_ns = self->config.max_asymmetry.q16 > 0 ? ns_of(self->config.max_asymmetry)
                                                             : ns_above(basis->asymmetry);
    parts->granularity_ns = self->config.granularity_ns;
    parts->steering_ns = ns_above(mt_real_abs(basis->offset));
    add_source(basis, report);
    report->bound =
        mt_interval_from_ns(parts->estimate_ns + parts->asymmetry_ns + parts->granularity_ns +
                            parts->steering_ns + parts->source_ns);
    if (basis->frequency * basis->offset > 0) { /* running away from the reference */
        growth += mt_real_abs(basis->frequency);
    }
    report->bound_growth = growth > self->config.max_drift ? growth : self->config.max_drift;
}

void mt_discipline_report(const struct mt_discipline *self, struct mt_instant at,
                          struct mt_clock_quality_report *ret_report)
{
    struct basis basis;

    *ret_report = (struct mt_clock_quality_report){
        .state = state_of(self->phase),
        .reference = MT_BOUND_NONE,
        .bound = MT_INTERVAL_TOO_LARGE,
        .bound_growth = self->config.max_drift,
        .is_locked = self->phase == MT_STEER_LOCKED,
        .is_saturated = self->is_saturated,
    };
    ret_report->has_estimate = basis_of_source(self, at, &basis, &ret_report->estimate);
    if (!ret_report->has_estimate) {
        if (!self->has_locked_once) {
            return;
        }
        basis_of_anchor(self, at, &basis);
    }
    add_up(self, &basis, ret_report);
}
