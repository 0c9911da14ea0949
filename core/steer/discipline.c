/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The discipline of one clock: the way of a sample from its arrival to a correction.
 *
 * Each source has its own estimator; only the selected one teaches the clock's model (frequency
 * and wander), the others work on a copy.  A correction is planned after a sample of the selected
 * source, when a slew is done, and after a step (a step leaves the rate to a second correction).
 *
 * Phases.  ACQUIRING until the estimate has settled: LOCK_SAMPLES samples in a row in which the
 * sigma over noise did not fall by more than a tenth and no innovation exceeded three sigma, but
 * what the path explains.
 * LOCKED until samples stop (HOLDOVER), the gate recognises a step, or innovations stay large and
 * the path does not explain them.  While locked, each estimate is copied to the anchor, from which
 * holdover predicts, whatever becomes of the source and of its estimator; until the reference turns
 * out to be another.
 *
 * A source that seems to run as no oscillator does (it repeats a timestamp, it accelerates) teaches
 * the clock nothing: its estimate is thrown away before anybody has seen it, and begins anew.
 */
#include "steer/steer_private.h"

#define LOCK_SAMPLES 4
#define LOCK_SIGMA   3
#define ASTRAY_LIMIT 16
#define RETRY_NS     (INT64_C(10) * MT_NS_PER_S)
#define SILENCE_NS   (INT64_C(2) * MT_NS_PER_S)
#define KNOWN_RATE   0x1p-35         /* (s/s)^2: how far a stored rate may have aged, 5 ppm */
#define WILD_RATE    MT_REAL(0x1p-7) /* s/s, beyond the clock's range: no oscillator does */

void mt_steer_config_init(struct mt_steer_config *self)
{
    *self = (struct mt_steer_config){
        .step_at_start = {0, 10000, 0},
        .step_later = {0, 100000000, 0},
        .max_slew = MT_REAL(500e-6),
        .max_rate = MT_REAL(500e-6),
        .max_drift = MT_REAL(1e-6),
        .granularity_ns = 1,
    };
}

void mt_discipline_init(struct mt_discipline *self, const struct mt_steer_config *config,
                        struct mt_discipline_source *sources, uint16_t source_count,
                        enum mt_timescale scale, uint32_t corrections, mt_real start_rate,
                        bool start_rate_is_known)
{
    *self = (struct mt_discipline){
        .config = *config,
        .sources = sources,
        .source_count = source_count,
        .selected = MT_SOURCE_NONE,
        .scale = scale,
        .rate = start_rate,
        .corrections = corrections,
        .sets_rate = start_rate_is_known,
        .slew_end = MT_MONO_NEVER,
        .silence = MT_MONO_NEVER,
        .sharpness = MT_STEER_HUGE_S,
        .settled_sigma = MT_STEER_HUGE_S,
    };
    mt_clock_model_init(&self->model);
    for (unsigned i = 0; i < source_count; i++) {
        sources[i] = (struct mt_discipline_source){.is_used = false};
    }
}

int64_t mt_steer_ns(mt_real s)
{
    return mt_real_round(s * MT_REAL(1e9));
}

struct mt_discipline_source *mt_steer_selected(const struct mt_discipline *self)
{
    return self->selected < self->source_count ? &self->sources[self->selected] : 0;
}

/* what was measured against a parent alone means nothing of another */
static void leave_parent(struct mt_discipline *self)
{
    mt_steer_lose_lock(self, MT_STEER_ACQUIRING);
    if (mt_interval_is_too_large(self->anchor.origin.bound)) {
        self->has_anchor = false;
    }
    if (self->config.servo != 0) {
        self->config.servo->begin(self);
    }
}

/* it may have stepped, and nobody will see now whether it has */
static void leave_in_doubt(struct mt_discipline *self)
{
    const struct mt_discipline_source *source = mt_steer_selected(self);

    if (source != 0 && mt_estimator_doubt(&source->estimator) > 0) {
        self->has_anchor = false;
    }
}

void mt_discipline_reset_source(struct mt_discipline *self, uint16_t source)
{
    struct mt_discipline_source *reset;

    if (source >= self->source_count) {
        return;
    }
    if (source == self->selected) {
        leave_in_doubt(self);
    }
    reset = &self->sources[source];
    *reset = (struct mt_discipline_source){.is_used = true, .origin.scale = self->scale};
    mt_estimator_init(&reset->estimator, self->config.granularity_ns,
                      self->config.skewness != 0 ? &self->config.skewness[source] : 0);
    if (source == self->selected) {
        self->has_next = false;
        leave_parent(self);
    }
    if (!self->has_locked_once) {
        self->has_stepped = false; /* that was to the time of another, who may have been wrong */
    }
}

/* the selected source is alive, or begins: until when it may keep silent */
static void listen(struct mt_discipline *self, uint32_t interval, struct mt_mono now)
{
    int64_t patience_ns = (int64_t)interval << 12;

    self->last_sample = now;
    if (self->has_locked_once) {
        self->silence.ns = now.ns + (patience_ns > SILENCE_NS ? patience_ns : SILENCE_NS);
    }
}

bool mt_steer_estimate(const struct mt_discipline *self, const struct mt_instant *at,
                       struct mt_estimate *ret_estimate)
{
    const struct mt_discipline_source *source = mt_steer_selected(self);

    if (source == 0) {
        return false;
    }
    if (at == 0) {
        at = &source->estimator.track.at;
    }
    return mt_estimator_predict(&source->estimator, &self->model, *at, ret_estimate) &&
           ret_estimate->is_complete;
}

void mt_discipline_new_reference(struct mt_discipline *self, bool is_traceable)
{
    struct mt_discipline_source *source = mt_steer_selected(self);

    if (is_traceable && !mt_interval_is_too_large(self->anchor.origin.reference_bound)) {
        return;
    }
    self->has_anchor = false;
    if (source != 0) {
        source->origin.bound = MT_INTERVAL_TOO_LARGE;
    }
}

void mt_discipline_select(struct mt_discipline *self, uint16_t source, struct mt_mono now)
{
    if (source == self->selected) {
        return;
    }
    leave_in_doubt(self);
    self->selected = source;
    self->has_next = false;
    if (mt_steer_selected(self) == 0) {
        mt_steer_lose_lock(self, self->has_locked_once ? MT_STEER_HOLDOVER : MT_STEER_IDLE);
        self->silence = MT_MONO_NEVER;
        if (self->slew_end.ns != MT_MONO_NEVER.ns) {
            mt_steer_level(self);
        }
        return;
    }
    leave_parent(self);
    listen(self, 0, now);
    if (self->sets_rate) {
        mt_steer_plan(self, 0);
    }
}

/* The lock criterion, once for each sample used.  While it is learned what one sample is off by,
 * sigma moves with it: so they are set against each other. */
static void judge_lock(struct mt_discipline *self, const struct mt_discipline_source *source,
                       const struct mt_estimate *estimate)
{
    const mt_real *noise = estimate->noise;
    mt_real sharpness = estimate->offset_sigma / (noise[0] + noise[1] + noise[2]);
    bool is_restless = self->astray > 0 || sharpness < MT_REAL(0.9) * self->sharpness;

    if (is_restless || ++self->settled == LOCK_SAMPLES) {
        self->settled = 0;
        self->sharpness = sharpness;
        if (!is_restless) {
            self->phase = MT_STEER_LOCKED;
            self->has_locked_once = true;
        }
    }
    mt_steer_settle(self, estimate);
    if (self->phase == MT_STEER_LOCKED) {
        self->anchor.track = source->estimator.track;
        self->anchor.origin = source->origin;
        self->anchor.unseen = source->estimator.unseen;
        self->has_anchor = true;
    }
}

static void follow(struct mt_discipline *self, const struct mt_discipline_source *source,
                   enum mt_sample_verdict verdict, struct mt_mono now)
{
    struct mt_estimate estimate;

    listen(self, source->interval, now);
    self->astray = (uint8_t)(self->astray + MT_ESTIMATOR_STRAY - source->estimator.path_share);
    if (verdict == MT_SAMPLE_USED && mt_real_abs(source->estimator.innovation) < LOCK_SIGMA) {
        self->astray = 0;
    }
    self->has_anchor &= verdict < MT_SAMPLE_STEP;
    if (verdict >= MT_SAMPLE_STEP || self->astray >= ASTRAY_LIMIT ||
        self->phase == MT_STEER_HOLDOVER) {
        mt_steer_lose_lock(self, MT_STEER_ACQUIRING);
    }
    if (verdict == MT_SAMPLE_USED && mt_steer_estimate(self, 0, &estimate)) {
        judge_lock(self, source, &estimate);
        mt_steer_plan(self, &estimate);
    }
}

/* mean distance of a source's samples */
static void learn_interval(struct mt_discipline_source *source, struct mt_mono now)
{
    uint32_t arrival = (uint32_t)(now.ns >> 10);
    uint32_t elapsed = arrival - source->last;

    if (source->estimator.is_started) {
        if (source->interval == 0) {
            source->interval = elapsed;
        } else if (elapsed / 8 > source->interval) { /* a gap is no interval */
            elapsed = 8 * source->interval;
        }
        source->interval += elapsed / 8 - source->interval / 8;
    }
    source->last = arrival;
}

/* what the source said of itself, as it may be by now */
static struct mt_interval aged_bound(const struct mt_discipline *self,
                                     const struct mt_sample *sample, struct mt_mono now)
{
    bool ages = sample->bound_since.ns != 0;
    mt_real age_ns = mt_real_from_int(ages ? now.ns - sample->bound_since.ns : 0);

    return mt_interval_plus(sample->bound,
                            mt_interval_from_ns(mt_real_round(self->config.max_drift * age_ns)));
}

enum mt_sample_verdict mt_discipline_sample(struct mt_discipline *self,
                                            const struct mt_sample *sample, struct mt_mono now)
{
    struct mt_sample present = *sample;
    struct mt_clock_model model = self->model;
    struct mt_discipline_source *source;
    bool is_selected = sample->source == self->selected;
    enum mt_sample_verdict verdict = MT_SAMPLE_OLD;

    if (sample->source >= self->source_count) {
        return MT_SAMPLE_REFUSED;
    }
    source = &self->sources[sample->source];
    if (!source->is_used) {
        mt_discipline_reset_source(self, sample->source);
    }
    if (sample->scale != self->scale && !self->config.adopts_scale) {
        verdict = MT_SAMPLE_REFUSED;
    } else if (mt_steer_translate(self, &present)) {
        learn_interval(source, now);
        verdict = mt_estimator_update(&source->estimator, &model, &present);
        if (!(mt_real_abs(model.frequency) - self->config.max_rate <= WILD_RATE)) {
            mt_estimator_init(&source->estimator, self->config.granularity_ns,
                              source->estimator.skewness);
            verdict = MT_SAMPLE_RUNAWAY;
        } else if (is_selected) {
            self->model = model;
        }
    }
    if (verdict == MT_SAMPLE_USED || verdict == MT_SAMPLE_STEP) {
        source->origin.bound = aged_bound(self, sample, now);
        source->origin.reference_bound = sample->reference_bound;
        source->origin.scale = sample->scale;
    }
    source->verdicts[verdict]++;
    if (is_selected && verdict != MT_SAMPLE_OLD && verdict != MT_SAMPLE_REFUSED) {
        follow(self, source, verdict, now);
        if (self->config.servo != 0) {
            self->config.servo->sample(self, &present, sample);
        }
    }
    return verdict;
}

void mt_discipline_tick(struct mt_discipline *self, struct mt_mono now)
{
    if (now.ns >= self->silence.ns) {
        mt_steer_lose_lock(self, MT_STEER_HOLDOVER);
        self->silence = MT_MONO_NEVER;
    }
    if (now.ns >= self->slew_end.ns) {
        mt_steer_level(self);
    }
}

struct mt_mono mt_discipline_deadline(const struct mt_discipline *self)
{
    return mt_mono_earlier(self->silence, self->slew_end);
}

bool mt_discipline_next_correction(struct mt_discipline *self, struct mt_correction *ret_correction)
{
    if (!self->has_next || self->awaits_applied) {
        return false;
    }
    *ret_correction = self->next;
    self->has_next = false;
    self->awaits_applied = true;
    return true;
}

/* the clock now runs at the stored rate, whatever it did before: what was measured is void */
static void begin_at_rate(struct mt_discipline *self, const struct mt_applied *applied)
{
    self->sets_rate = false;
    self->rate = applied->rate;
    self->corrections = applied->corrections;
    self->model.frequency_variance = KNOWN_RATE;
    self->model.at = applied->at;
    mt_steer_forget_all(self);
}

void mt_discipline_applied(struct mt_discipline *self, const struct mt_applied *applied)
{
    bool sets_rate = self->sets_rate && self->awaits_applied && applied->kind == MT_CORRECT_RATE;

    self->awaits_applied = false;
    self->has_next = false; /* planned before this one took effect */
    if (applied->is_refused) {
        self->next_correction_at.ns = self->last_sample.ns + RETRY_NS;
        self->slew_end = MT_MONO_NEVER;
        return;
    }
    if (sets_rate) {
        begin_at_rate(self, applied);
        return;
    }
    mt_steer_record(self, applied);
    if (applied->kind == MT_CORRECT_STEP) {
        struct mt_estimate estimate;

        self->has_stepped = true;
        self->next_correction_at = self->last_sample;
        if (mt_steer_estimate(self, 0, &estimate)) {
            mt_steer_plan(self, &estimate);
        }
    }
}

bool mt_discipline_drift(const struct mt_discipline *self, mt_real *ret_rate)
{
    if (!self->has_locked_once || self->sets_rate) {
        return false;
    }
    *ret_rate = mt_steer_even_rate(self);
    return true;
}
