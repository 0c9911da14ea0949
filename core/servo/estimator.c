/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The estimator of one source: a Kalman filter over [offset, frequency, delay], fed with single
 * one-way values, that finds its own noise and wander.  The maths is in docs/design/estimator.md.
 *
 * Start.  Nothing is known of the noise, so the first samples run through the filter with a
 * made-up noise and no opinion about the frequency; what is left of their innovations gives the
 * true scale, by which covariance and noise are then multiplied, and only then is the frequency
 * that the clock model remembers taken in, as one more measurement.  That is exact least squares
 * with an unknown variance, and it never has to guess whether jitter is 10 ns or 10 ms.
 *
 * With one direction only, offset and delay cannot be told apart: x[0] then holds offset + delay
 * (or offset - delay), and the first sample of the other direction splits it.
 *
 * Gate.  An innovation of more than GATE sigma is refused.  Refused samples that agree with one
 * another are a step: offset and delay begin anew, frequency and noise are kept.
 *
 * Noise is learned for each direction from the innovations, with outliers clipped.  Wander is
 * learned from their whiteness: if it is right, the innovations do not correlate with the past,
 * in particular not with d prediction / d ln(wander), which two more states follow.
 */
#include "servo/track_private.h"

#define START_NOISE     1e-12 /* s^2: arbitrary, the scale is found afterwards */
#define START_FREQUENCY 1e-2  /* (s/s)^2: no opinion */
#define GATE            5     /* sigma */
#define CLIP_SIGMA      3     /* larger innovations count as this */
#define CLIP_ENERGY     5     /* and for the noise, squared, as this */
#define CLIPPED_MEAN    0.955 /* of min(x^2, CLIP_ENERGY), x normal */
#define QUIET           0.25  /* innovations squared below this ... */
#define QUIET_LIMIT     8     /* ... so many in a row: the noise is overestimated */
#define BURST           3     /* refused samples in a row after which the noise is doubled */
#define RESTART_PROOF   4     /* samples after a step before the estimate is believed */
#define BACK_LIMIT_S    64    /* a sample this late is useless */
#define OLD_LIMIT       8     /* so many in a row: the local time was set back */
#define WANDER_MIN      1e-24 /* (1e-12 per sqrt(s))^2 */
#define WANDER_MAX      1e-6  /* (1e-3 per sqrt(s))^2 */
#define UNKNOWN_S       1e9

static mt_real square(mt_real x)
{
    return x * x;
}

/* how much wider than normal the tails are while the noise rests on few samples */
static mt_real tail_factor(uint16_t count)
{
    return 1 + (mt_real)4 / (count > 2 ? count - 2 : 1);
}

/* +1 if the sample grows with the offset, -1 if it falls */
static mt_real sign_of(enum mt_sample_kind kind)
{
    return kind == MT_SAMPLE_REVERSE ? -1 : 1;
}

static struct mt_span offset_of(const struct mt_sample *sample)
{
    return sample->kind == MT_SAMPLE_REVERSE ? mt_span_negate(sample->value) : sample->value;
}

void mt_clock_model_init(struct mt_clock_model *self)
{
    *self = (struct mt_clock_model){.frequency_variance = 1e-8, .wander = 1e-17};
}

void mt_estimator_init(struct mt_estimator *self, const struct mt_clock_model *clock,
                       uint32_t granularity_ns)
{
    mt_real granularity = 1e-9 * (granularity_ns > 0 ? granularity_ns : 1);

    (void)clock;
    *self = (struct mt_estimator){.granularity_variance = granularity * granularity / 12};
}

static void forget_round_trips(struct mt_estimator *self)
{
    self->minimum_delay = UNKNOWN_S;
    for (int kind = 0; kind < MT_SAMPLE_KIND_COUNT; kind++) {
        self->noise[kind].delay = UNKNOWN_S;
        self->noise[kind].refused_in_a_row = 0;
        self->noise[kind].consistent_in_a_row = 0;
    }
}

static void take_round_trip(struct mt_estimator *self, const struct mt_sample *sample)
{
    mt_real half =
        (self->noise[MT_SAMPLE_FORWARD].delay + self->noise[MT_SAMPLE_REVERSE].delay) / 2;

    if (sample->kind == MT_SAMPLE_OFFSET) {
        half = mt_span_to_real(mt_span_from_interval(sample->delay)) / 2;
        self->track.x[2] = half;
    }
    if (half < self->minimum_delay) {
        self->minimum_delay = half;
    }
}

/* offset and delay from this sample alone; frequency and its variance are the caller's */
static void begin(struct mt_estimator *self, const struct mt_sample *sample)
{
    struct mt_track *track = &self->track;
    mt_real frequency = track->x[1];
    mt_real frequency_variance = track->p[1][1];
    mt_real noise = self->noise[sample->kind].variance;

    *track = (struct mt_track){.at = sample->local.at, .base = offset_of(sample)};
    track->x[1] = frequency;
    track->p[1][1] = frequency_variance;
    track->p[0][0] = noise > 0 ? noise : START_NOISE;
    self->whiteness = (struct mt_servo_whiteness){0};
    self->first_kind = (uint8_t)sample->kind;
    self->is_complete = sample->kind == MT_SAMPLE_OFFSET;
    self->is_started = true;
    self->fresh = 1;
    forget_round_trips(self);
    take_round_trip(self, sample);
}

static void start(struct mt_estimator *self, const struct mt_sample *sample)
{
    self->is_scaled = false;
    self->start_energy = 0;
    self->track.x[1] = 0;
    self->track.p[1][1] = START_FREQUENCY;
    for (int kind = 0; kind < MT_SAMPLE_KIND_COUNT; kind++) {
        self->noise[kind] = (struct mt_servo_noise){.variance = START_NOISE};
    }
    begin(self, sample);
}

/* the first sample of the other direction splits x[0] into offset and delay */
static void complete(struct mt_estimator *self, mt_real sign, mt_real other, mt_real noise)
{
    struct mt_track *track = &self->track;
    mt_real(*p)[3] = track->p;
    mt_real sum = p[0][0];

    track->x[2] = sign * (other - track->x[0]) / 2;
    track->x[0] = (other + track->x[0]) / 2;
    p[0][0] = (sum + noise) / 4;
    p[2][2] = p[0][0];
    p[0][2] = p[2][0] = sign * (noise - sum) / 4;
    p[0][1] = p[1][0] = p[0][1] / 2;
    p[1][2] = p[2][1] = -sign * p[0][1];
    self->minimum_delay = track->x[2];
    self->is_complete = true;
}

/* the clock model's frequency is one more measurement */
static void take_frequency(struct mt_estimator *self, const struct mt_clock_model *clock)
{
    static const mt_real h[3] = {0, 1, 0};
    struct mt_track *track = &self->track;
    mt_real noise = clock->frequency_variance;
    mt_real gain[3];
    mt_real variance;

    if (clock->is_known) {
        noise +=
            clock->wander * mt_real_abs(mt_span_to_real(mt_instant_minus(track->at, clock->at)));
    }
    variance = mt_track_project(track, h, gain) + noise;
    for (int i = 0; i < 3; i++) {
        gain[i] /= variance;
    }
    mt_track_measure(track, h, gain, clock->frequency / (1 + clock->frequency) - track->x[1],
                     noise);
}

/* the first noise estimate, when MT_ESTIMATOR_START samples are in */
static void scale(struct mt_estimator *self, const struct mt_clock_model *clock)
{
    int unknowns = self->is_complete && self->first_kind != MT_SAMPLE_OFFSET ? 3 : 2;
    mt_real ratio = self->start_energy / (MT_ESTIMATOR_START - unknowns);

    if (ratio < self->granularity_variance / START_NOISE) {
        ratio = self->granularity_variance / START_NOISE;
    }
    for (int i = 0; i < 3; i++) {
        for (int j = 0; j < 3; j++) {
            self->track.p[i][j] *= ratio;
        }
        self->noise[i].variance *= ratio;
    }
    self->is_scaled = true;
    take_frequency(self, clock);
}

/* energy: innovation squared over its variance; share: of the noise in that variance */
static void learn_noise(struct mt_estimator *self, struct mt_servo_noise *noise, mt_real energy,
                        mt_real share)
{
    mt_real gain = share / (noise->count < 32 ? 8 : 64);

    noise->quiet_in_a_row = energy < QUIET && share > 0.3 ? noise->quiet_in_a_row + 1 : 0;
    if (noise->quiet_in_a_row > QUIET_LIMIT) { /* it came from an outlier, or traffic ceased */
        noise->quiet_in_a_row--;
        noise->variance /= 2;
    }
    noise->variance *= 1 + gain * ((energy < CLIP_ENERGY ? energy : CLIP_ENERGY) - CLIPPED_MEAN);
    if (noise->variance < self->granularity_variance) {
        noise->variance = self->granularity_variance;
    }
}

/* slope: what the measurement sees of d offset / d ln(wander) */
static void learn_wander(struct mt_estimator *self, struct mt_clock_model *clock, mt_real slope,
                         const mt_real gain[3], mt_real innovation, mt_real variance)
{
    struct mt_servo_whiteness *white = &self->whiteness;
    mt_real share = clock->wander * white->elapsed / self->track.p[1][1];
    mt_real step;

    if (share > 1) { /* of the frequency's variance that is due to the wander */
        share = 1;
    }

    white->score += innovation * slope / variance;
    white->information += slope * slope / variance;
    /* in the steady state the gains grow with about the 1/4 and 1/2 power of the wander */
    white->offset += gain[0] * (share * innovation / 4 - slope);
    white->frequency += gain[1] * (share * innovation / 2 - slope);
    if (white->information < 3) {
        return;
    }
    step = mt_real_clamp(white->score / white->information, -3, 3);
    clock->wander = step > 0 ? clock->wander * (1 + step) : clock->wander / (1 - step);
    clock->wander = mt_real_clamp(clock->wander, WANDER_MIN, WANDER_MAX);
    white->score = 0;
    white->information = 0;
}

static bool is_near(mt_real a, mt_real b, mt_real tolerance)
{
    return mt_real_abs(a - b) <= tolerance;
}

/* counts a refused sample; true if it and those before it are a step */
static bool is_step(struct mt_estimator *self, const struct mt_sample *sample, mt_real innovation,
                    mt_real tolerance)
{
    struct mt_servo_noise *noise = &self->noise[sample->kind];
    const struct mt_servo_noise *other = &self->noise[MT_SAMPLE_FORWARD];
    uint32_t usual = 8 + self->samples / 64;
    int needed = self->outliers < usual ? 3 : 5; /* more where outliers are frequent */
    int consistent;

    if (sample->kind == MT_SAMPLE_FORWARD) {
        other = &self->noise[MT_SAMPLE_REVERSE];
    }
    if (noise->refused_in_a_row > 0 && (noise->refused > 0) != (innovation > 0)) {
        noise->refused_in_a_row = 0;
    }
    if (noise->refused_in_a_row == 0) {
        noise->consistent_in_a_row = 0;
        noise->first = innovation;
        noise->first_at = sample->local.at;
    } else if (!is_near(noise->refused, innovation, tolerance)) {
        noise->consistent_in_a_row = 0;
    }
    noise->refused = innovation;
    noise->refused_in_a_row++;
    noise->consistent_in_a_row++;
    consistent = noise->consistent_in_a_row;
    if (other->refused_in_a_row > 0 && sample->kind != MT_SAMPLE_OFFSET &&
        is_near(-other->refused, innovation, tolerance)) {
        consistent += other->consistent_in_a_row;
    }
    if (consistent < needed && noise->refused_in_a_row < needed + 3) {
        return false;
    }
    self->outliers -= (uint32_t)noise->refused_in_a_row; /* they were none */
    return true;
}

static enum mt_sample_verdict refuse(struct mt_estimator *self, const struct mt_sample *sample,
                                     mt_real innovation, mt_real variance, mt_real gate)
{
    struct mt_servo_noise *noise = &self->noise[sample->kind];
    mt_real tolerance = gate * mt_real_sqrt(variance);
    mt_real elapsed;
    mt_real drift;

    learn_noise(self, noise, CLIP_ENERGY, noise->variance / variance);
    if (noise->strays_in_a_row < BURST) {
        noise->strays_in_a_row++;
    } else { /* no outliers, but much more noise than before */
        noise->variance *= 2;
    }
    self->outliers++;
    if (!is_step(self, sample, innovation, tolerance)) {
        return MT_SAMPLE_OUTLIER;
    }
    elapsed = mt_span_to_real(mt_instant_minus(sample->local.at, noise->first_at));
    drift = noise->refused - noise->first;
    if (elapsed > 0 && mt_real_abs(drift) > tolerance) { /* the frequency changed as well */
        self->track.p[1][1] += square(drift / elapsed);
    }
    begin(self, sample);
    return MT_SAMPLE_STEP;
}

static void remember(struct mt_estimator *self, struct mt_clock_model *clock)
{
    mt_real g = self->track.x[1];

    if (self->fresh < UINT16_MAX) {
        self->fresh++;
    }
    if (!self->is_scaled && self->fresh >= MT_ESTIMATOR_START) {
        scale(self, clock);
        g = self->track.x[1];
    }
    if (self->is_scaled) {
        clock->frequency = g / (1 - g);
        clock->frequency_variance = self->track.p[1][1];
        clock->at = self->track.at;
        clock->is_known = true;
    }
}

/* age: how much older the sample is than the state */
static enum mt_sample_verdict judge(struct mt_estimator *self, struct mt_clock_model *clock,
                                    const struct mt_sample *sample, mt_real value, mt_real age,
                                    mt_real noise)
{
    struct mt_servo_noise *learned = &self->noise[sample->kind];
    struct mt_track *track = &self->track;
    mt_real sign = sign_of(sample->kind);
    bool has_delay = self->is_complete && sample->kind != MT_SAMPLE_OFFSET;
    const mt_real h[3] = {sign, -sign * age, has_delay ? 1 : 0};
    mt_real gain[3];
    mt_real variance = mt_track_project(track, h, gain) + noise;
    mt_real innovation = value - h[0] * track->x[0] - h[1] * track->x[1] - h[2] * track->x[2];
    mt_real sigma = mt_real_sqrt(variance);
    mt_real gate = GATE * tail_factor(learned->count);
    mt_real energy = innovation * innovation / variance;

    if (self->is_scaled && energy > gate * gate) {
        return refuse(self, sample, innovation, variance, gate);
    }
    self->innovation = innovation / sigma;
    for (int i = 0; i < 3; i++) {
        gain[i] /= variance;
    }
    if (self->is_scaled) {
        innovation = mt_real_clamp(innovation, -CLIP_SIGMA * sigma, CLIP_SIGMA * sigma);
        learned->refused_in_a_row = 0;
        learned->strays_in_a_row = 0;
        learn_noise(self, learned, energy, learned->variance / variance);
        learn_wander(self, clock, h[0] * self->whiteness.offset + h[1] * self->whiteness.frequency,
                     gain, innovation, variance);
    } else {
        self->start_energy += energy;
    }
    mt_track_measure(track, h, gain, innovation, noise);
    if (has_delay) {
        learned->delay = value - h[0] * track->x[0] - h[1] * track->x[1];
    }
    if (self->is_complete) {
        take_round_trip(self, sample);
    }
    return MT_SAMPLE_USED;
}

/* noise of this sample, with what the oscillator may have done since it was taken */
static mt_real noise_of(struct mt_estimator *self, const struct mt_clock_model *clock,
                        const struct mt_sample *sample, mt_real age)
{
    struct mt_servo_noise *learned = &self->noise[sample->kind];
    mt_real told = (mt_real)sample->variance_q16 * (1e-18 / 65536);
    mt_real noise;

    if (learned->count == 0 && sample->kind != self->first_kind) {
        learned->variance = self->noise[self->first_kind].variance;
    }
    if (learned->count < UINT16_MAX) {
        learned->count++;
    }
    noise = learned->variance;
    if (!self->is_scaled) {
        return noise;
    }
    return (told > noise ? told : noise) + clock->wander * age * age * age / 3;
}

static enum mt_sample_verdict take_old(struct mt_estimator *self, const struct mt_sample *sample)
{
    if (++self->old_in_a_row < OLD_LIMIT) {
        return MT_SAMPLE_OLD;
    }
    self->old_in_a_row = 0;
    begin(self, sample);
    return MT_SAMPLE_STEP;
}

static mt_real measured(const struct mt_estimator *self, const struct mt_sample *sample)
{
    return sign_of(sample->kind) *
           mt_span_to_real(mt_span_minus(offset_of(sample), self->track.base));
}

enum mt_sample_verdict mt_estimator_update(struct mt_estimator *self, struct mt_clock_model *clock,
                                           const struct mt_sample *sample)
{
    enum mt_sample_verdict verdict = MT_SAMPLE_USED;
    mt_real age;
    mt_real noise;

    if (!self->is_started) {
        start(self, sample);
        return MT_SAMPLE_USED;
    }
    if ((sample->kind == MT_SAMPLE_OFFSET) != (self->first_kind == MT_SAMPLE_OFFSET)) {
        return MT_SAMPLE_REFUSED;
    }
    age = mt_span_to_real(mt_instant_minus(self->track.at, sample->local.at));
    if (age > BACK_LIMIT_S) {
        return take_old(self, sample);
    }
    self->old_in_a_row = 0;
    self->samples++;
    if (age < 0) {
        mt_track_predict(&self->track, self->is_scaled ? clock->wander : 0, sample->local.at);
        self->whiteness.offset -= age * self->whiteness.frequency;
        self->whiteness.elapsed -= age;
        age = 0;
    }
    noise = noise_of(self, clock, sample, age);
    if (!self->is_complete && sample->kind != self->first_kind) {
        mt_real sign = sign_of(sample->kind);

        complete(self, sign, sign * measured(self, sample) + self->track.x[1] * age,
                 noise + age * age * self->track.p[1][1]);
    } else {
        verdict = judge(self, clock, sample, measured(self, sample), age, noise);
    }
    if (verdict == MT_SAMPLE_USED) {
        remember(self, clock);
    }
    return verdict;
}

void mt_estimator_stepped(struct mt_estimator *self, struct mt_span by, struct mt_instant at)
{
    mt_track_stepped(&self->track, by, at.scale);
    for (int kind = 0; kind < MT_SAMPLE_KIND_COUNT; kind++) {
        self->noise[kind].first_at = mt_instant_plus(self->noise[kind].first_at, by);
    }
}

void mt_estimator_rate_changed(struct mt_estimator *self, mt_real delta, struct mt_instant at)
{
    mt_track_rate_changed(&self->track, delta, at);
}

bool mt_estimator_predict(const struct mt_estimator *self, const struct mt_clock_model *clock,
                          struct mt_instant at, struct mt_estimate *ret_estimate)
{
    struct mt_track track = self->track;
    mt_real factor = tail_factor(self->fresh);

    if (!self->is_scaled || self->fresh < RESTART_PROOF) {
        return false;
    }
    mt_track_predict(&track, clock->wander, at);
    *ret_estimate = (struct mt_estimate){
        .at = at,
        .offset = mt_span_plus(track.base, mt_span_from_real(track.x[0])),
        .offset_sigma = factor * mt_real_sqrt(track.p[0][0]),
        .frequency = track.x[1] / (1 - track.x[1]),
        .frequency_sigma = factor * mt_real_sqrt(track.p[1][1]),
        .delay = track.x[2],
        .delay_sigma = factor * mt_real_sqrt(track.p[2][2]),
        .half_round_trip = self->minimum_delay > 0 ? self->minimum_delay : 0,
        .innovation = self->innovation,
        .is_complete = self->is_complete,
    };
    for (int kind = 0; kind < MT_SAMPLE_KIND_COUNT; kind++) {
        if (self->noise[kind].count > 0) {
            ret_estimate->noise[kind] = mt_real_sqrt(self->noise[kind].variance);
        }
    }
    return true;
}
