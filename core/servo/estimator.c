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
 * Gate.  An innovation of more than MT_GATE sigma is refused.  Refused samples that agree with one
 * another are a step: offset and delay begin anew, frequency and noise are kept.  Many that do
 * not agree mean that nothing is as it was: noise and frequency are learned anew as well.  First
 * it is asked whether the path explains them (path.c).
 *
 * Noise is learned for each direction from the innovations, with outliers clipped.  Wander and
 * damping are in wander.c, steps and outliers in gate.c, one-sided noise in skew.c.
 */
#include "base/memory.h"
#include "servo/estimator_private.h"

#define START_NOISE     MT_REAL(0x1p-40) /* s^2: arbitrary, the scale is found afterwards */
#define START_FREQUENCY MT_REAL(0x1p-7)  /* (s/s)^2: no opinion */
#define LOST_FREQUENCY  MT_REAL(0x1p-27) /* (s/s)^2: after a change that was no mere step */
#define LEAST_TIME      MT_REAL(0x1p-10) /* s */
#define LOST_WANDER     8                /* and the wander is so much larger */
/* variances of the noise: a better prior would drown in rounding */
#define NOTHING_KNOWN (MT_REAL(0x1p-4) / MT_REAL_EPSILON)
#define IS_COARSE     (NOTHING_KNOWN < 0x1p40F) /* single precision */
#define STRANGE       10 /* sigma of a frequency after few samples: theirs is a guess */
#define CLIP_SIGMA    3  /* larger innovations count as this */
#define EXCEEDING     MT_REAL(0.3125) /* share of normal numbers beyond one sigma, nearly */
#define QUIET_LIMIT   12              /* ... so many in a row: the noise is overestimated */
#define WARY_RISE     32              /* more than one outlier among so many is frequent */
#define RUN_AWAY_MOST 4096            /* and so much at once */
#define LOST_SAMPLES  6               /* refused samples in a row: nothing is as it was */
#define FAR           64              /* sigma beyond which steps in a row are no wander */
#define RESTART_PROOF 4               /* samples after a step before the estimate is believed */
#define SETTLED       16              /* samples after which a second step is no surprise */
#define BACK_LIMIT_S  64              /* a sample this late is useless */
#define OLD_LIMIT     8               /* so many in a row: the local time was set back */

void mt_clock_model_init(struct mt_clock_model *self)
{
    memset(self, 0, sizeof *self);
    self->frequency_variance = MT_REAL(0x1p-27);
    self->wander = MT_REAL(0x1p-60);
    self->pace = 1;
}

void mt_estimator_init(struct mt_estimator *self, uint32_t granularity_ns,
                       struct mt_skewness *skewness)
{
    mt_real granularity = granularity_ns > 0 ? (mt_real)granularity_ns : MT_REAL(0x1p-4);

    memset(self, 0, sizeof *self);
    self->granularity_variance = granularity * granularity * MT_REAL(1e-18 / 12);
    self->skewness = skewness;
    if (skewness != 0) {
        *skewness = (struct mt_skewness){.ops = skewness->ops};
    }
}

mt_real mt_servo_sign(enum mt_sample_kind kind)
{
    return kind == MT_SAMPLE_REVERSE ? -1 : 1;
}

mt_real mt_servo_tail(const struct mt_estimator *self, enum mt_sample_kind kind)
{
    bool has_tail = self->skewness != 0 && self->skewness->is_skewed && kind != MT_SAMPLE_OFFSET;

    return has_tail ? self->skewness->side[kind].tail : 0;
}

mt_real mt_servo_variance(const struct mt_estimator *self, enum mt_sample_kind kind)
{
    mt_real tail = mt_servo_tail(self, kind);

    return self->noise[kind].variance + tail * tail;
}

/* what the sample says of the offset: offset + delay, offset - delay, or offset */
static void get_offset(const struct mt_sample *sample, struct mt_span *ret_offset)
{
    *ret_offset = sample->value;
    if (sample->kind == MT_SAMPLE_REVERSE) {
        *ret_offset = (struct mt_span){0, 0, 0};
        mt_span_subtract(ret_offset, &sample->value);
    }
}

/* Offset and delay from this sample alone; frequency and noise are the caller's business. */
static void begin(struct mt_estimator *self, const struct mt_sample *sample)
{
    struct mt_track *track = &self->track;
    mt_real frequency = track->x[1];
    mt_real noise = mt_servo_variance(self, sample->kind);
    mt_real variance = mt_real_limit(track->p[1][1], START_FREQUENCY);

    if (!(variance >= 0)) { /* cannot be, but what is no number would stay for ever */
        variance = LOST_FREQUENCY;
        frequency = 0;
    }
    if (IS_COARSE) {
        variance = mt_real_limit(variance, NOTHING_KNOWN / 2 * noise);
    }
    memset(track->rows, 0, sizeof track->rows);
    track->p[0][0] = noise;
    track->p[1][1] = variance;
    track->x[0] = mt_servo_tail(self, sample->kind);
    if (sample->kind != MT_SAMPLE_REVERSE) {
        track->x[0] = -track->x[0];
    }
    track->x[1] = frequency;
    track->at = sample->local.at;
    get_offset(sample, &track->base);
    mt_servo_reset_wander(self);
    self->unseen = 0;
    self->first_kind = (uint8_t)sample->kind;
    self->is_complete = sample->kind == MT_SAMPLE_OFFSET;
    self->fresh = 1;
    for (int kind = 0; kind < MT_SAMPLE_KIND_COUNT; kind++) {
        self->noise[kind].refused_in_a_row = 0;
    }
}

static void start(struct mt_estimator *self, const struct mt_sample *sample)
{
    self->is_started = true;
    self->track.p[1][1] = START_FREQUENCY;
    for (int kind = 0; kind < MT_SAMPLE_KIND_COUNT; kind++) {
        self->noise[kind].variance = START_NOISE;
    }
    begin(self, sample);
}

/* The first sample of the other direction splits x[0] into offset and delay: the sample is put
 * where the delay will be and predicted to now, then offset = (x0 + x2) / 2 and
 * delay = +-(x2 - offset). */
static void complete(struct mt_estimator *self, enum mt_sample_kind kind,
                     const struct mt_measurement *measured)
{
    struct mt_track *track = &self->track;
    mt_real sign = mt_servo_sign(kind);
    mt_real tail = mt_servo_tail(self, kind);

    track->x[2] = measured->value - sign * tail;
    track->p[2][2] = measured->noise + tail * tail;
    mt_track_combine(track, 2, 1, 1, measured->h[1]);
    mt_track_combine(track, 0, 2, MT_REAL(0.5), MT_REAL(0.5));
    mt_track_combine(track, 2, 0, sign, -sign);
    self->is_complete = true;
}

/* the clock model's frequency is one more measurement, unless it was learned from a source that
 * ran at another */
static void take_frequency(struct mt_track *track, const struct mt_clock_model *clock)
{
    mt_real age = mt_real_abs(mt_seconds(&clock->at, &track->at));
    struct mt_measurement measured = {
        .h = {0, -1, 0},
        .value = clock->frequency,
        .noise = clock->frequency_variance + clock->wander * age,
    };

    mt_track_weigh(track, &measured);
    if (measured.energy < STRANGE * STRANGE) {
        mt_track_absorb(track, &measured);
    }
}

/* the first noise estimate, when MT_ESTIMATOR_START samples are in */
static void scale(struct mt_estimator *self, const struct mt_clock_model *clock)
{
    int unknowns = self->is_complete && self->first_kind != MT_SAMPLE_OFFSET ? 3 : 2;
    mt_real ratio = self->start_energy / (mt_real)(MT_ESTIMATOR_START - unknowns);

    ratio = mt_real_larger(ratio, self->granularity_variance / START_NOISE);
    for (int i = 0; i < 3; i++) {
        self->noise[i].variance *= ratio;
        for (int j = 0; j < 3; j++) {
            self->track.p[i][j] *= ratio;
        }
    }
    self->is_scaled = true;
    take_frequency(&self->track, clock);
}

/* The variance at which as many innovations exceed their sigma as do with normal noise: outliers
 * count no more than others. */
static void learn_normal(const struct mt_estimator *self, struct mt_servo_noise *noise,
                         const struct mt_measurement *measured)
{
    mt_real energy = measured->energy;
    mt_real gain = noise->count < 32 ? MT_REAL(0x1p-2) : MT_REAL(0x1p-5);

    noise->quiet_in_a_row = energy < MT_QUIET ? noise->quiet_in_a_row + 1 : 0;
    if (noise->quiet_in_a_row > QUIET_LIMIT) { /* it came from an outlier, or traffic ceased */
        noise->quiet_in_a_row--;
        gain = MT_REAL(1.5);
    }
    /* as far as the innovation is noise and not the state's uncertainty */
    gain *= measured->share * (energy > 1 ? 1 - EXCEEDING : -EXCEEDING);
    noise->variance =
        mt_real_larger(noise->variance + gain * noise->variance, self->granularity_variance);
}

static void learn_noise(struct mt_estimator *self, enum mt_sample_kind kind,
                        struct mt_measurement *measured, struct mt_clock_model *clock)
{
    if (mt_servo_tail(self, kind) <= 0) {
        learn_normal(self, &self->noise[kind], measured);
    }
    if (self->skewness != 0) {
        self->skewness->ops->learn(self, kind, measured, clock);
    }
}

/* all that was refused lately is on this side, in both directions */
static bool is_same_side(const struct mt_estimator *self, mt_real innovation)
{
    int seen = 0;

    for (int kind = 0; kind < MT_SAMPLE_KIND_COUNT; kind++) {
        if (self->noise[kind].refused_in_a_row > 0) {
            seen++;
            if (self->noise[kind].refused * innovation < 0) {
                return false;
            }
        }
    }
    return seen > (self->is_complete && self->first_kind != MT_SAMPLE_OFFSET);
}

/* The clock ran away: its frequency has jumped, or wanders more than was thought.  The error of a
 * wander W grows as W t^3 / 3; half of what that says, in powers of the wander, is believed. */
static void run_away(struct mt_estimator *self, struct mt_clock_model *clock, mt_real innovation)
{
    mt_real time = mt_real_larger(self->unseen, LEAST_TIME);
    mt_real speed = innovation / time;
    mt_real variance = speed * speed;
    mt_real ratio = 3 * variance / (time * clock->wander);

    self->track.p[1][1] += variance;
    mt_servo_change_wander(
        clock, mt_real_limit(mt_real_larger(mt_real_sqrt(ratio), LOST_WANDER), RUN_AWAY_MOST));
}

/* nothing is as it was: noise has become much larger, and who knows what else */
static void lose_track(struct mt_estimator *self, struct mt_clock_model *clock, mt_real innovation)
{
    for (int kind = 0; kind < MT_SAMPLE_KIND_COUNT; kind++) {
        self->noise[kind].variance += 4 * innovation * innovation;
    }
    self->track.p[1][1] += LOST_FREQUENCY;
    mt_servo_change_wander(clock, LOST_WANDER);
}

static enum mt_sample_verdict refuse(struct mt_estimator *self, struct mt_clock_model *clock,
                                     const struct mt_sample *sample,
                                     const struct mt_measurement *measured)
{
    struct mt_servo_noise *noise = &self->noise[sample->kind];
    mt_real innovation = measured->residual * measured->sigma;
    bool is_runaway = is_same_side(self, innovation);
    bool is_step;

    learn_normal(self, noise, measured);
    if (self->wary <= UINT8_MAX - WARY_RISE) {
        self->wary += WARY_RISE;
    }
    is_step = mt_servo_is_step(self, sample->kind, innovation, measured->spread);
    if (!is_step && noise->refused_in_a_row < LOST_SAMPLES) {
        return MT_SAMPLE_OUTLIER;
    }
    if (self->skewness != 0 && self->skewness->ops->explain(self, sample->kind, is_step)) {
        return MT_SAMPLE_OUTLIER;
    }
    if (!is_step && !is_runaway) {
        lose_track(self, clock, innovation);
    } else if (!is_step || (self->fresh < SETTLED && measured->energy < FAR * FAR)) {
        run_away(self, clock, innovation);
    }
    clock->pace = 1;
    begin(self, sample);
    return MT_SAMPLE_STEP;
}

static enum mt_sample_verdict take(struct mt_estimator *self, struct mt_clock_model *clock,
                                   const struct mt_sample *sample, struct mt_measurement *measured)
{
    struct mt_servo_noise *noise = &self->noise[sample->kind];

    if (self->is_scaled) {
        if (self->skewness != 0) {
            self->skewness->ops->weigh(self, sample->kind, measured);
        }
        /* wide while the noise itself rests on few samples */
        if (!(measured->energy <= (mt_real)(MT_GATE * MT_GATE + 400 / noise->count))) {
            return refuse(self, clock, sample, measured);
        }
        learn_noise(self, sample->kind, measured, clock);
        self->innovation = measured->central;
        measured->innovation = mt_real_limit(measured->innovation, CLIP_SIGMA);
        mt_servo_learn_wander(self, clock, measured);
    }
    noise->refused_in_a_row = 0;
    self->start_energy += measured->energy;
    mt_track_absorb(&self->track, measured);
    return MT_SAMPLE_USED;
}

static void remember(struct mt_estimator *self, struct mt_clock_model *clock)
{
    if (self->fresh < UINT16_MAX) {
        self->fresh++;
    }
    if (self->wary > 0) {
        self->wary--;
    }
    if (!self->is_scaled && self->fresh >= MT_ESTIMATOR_START) {
        scale(self, clock);
    }
    if (self->is_scaled) {
        clock->frequency = self->track.x[1];
        clock->frequency_variance = self->track.p[1][1];
        clock->at = self->track.at;
        clock->is_known = true;
    }
}

/* how the sample sees the state; age: s by which it is older than the state */
static void measure(struct mt_estimator *self, const struct mt_sample *sample, mt_real age,
                    struct mt_measurement *ret)
{
    struct mt_servo_noise *noise = &self->noise[sample->kind];
    struct mt_span value;

    if (noise->count < UINT16_MAX) {
        noise->count++;
    }
    ret->h[0] = -1;
    ret->h[1] = age;
    ret->h[2] = 0;
    if (self->is_complete && sample->kind != MT_SAMPLE_OFFSET) {
        ret->h[2] = sample->kind == MT_SAMPLE_REVERSE ? 1 : -1;
    }
    get_offset(sample, &value);
    mt_span_subtract(&value, &self->track.base);
    ret->value = mt_span_to_real(value);
    /* learned and told */
    ret->noise = noise->variance + mt_real_from_int(sample->variance_q16) * MT_REAL(1e-18 / 65536);
    mt_track_weigh(&self->track, ret);
}

/* No opinion about the frequency, but no less than covariances can hold beside the noise: what is
 * wider is narrowed, as one more measurement of the frequency would do it. */
static void narrow(struct mt_estimator *self, mt_real noise, mt_real elapsed)
{
    struct mt_track *track = &self->track;
    mt_real frequency = track->x[1];
    mt_real most = NOTHING_KNOWN / 2 * noise;
    mt_real width = track->p[1][1] * elapsed * elapsed;

    if (width > most) {
        mt_track_combine(track, 1, 1, mt_real_sqrt(most / width), 0);
        track->x[1] = frequency;
    }
}

enum mt_sample_verdict mt_estimator_update(struct mt_estimator *self, struct mt_clock_model *clock,
                                           const struct mt_sample *sample)
{
    struct mt_measurement measured;
    mt_real age;
    bool is_late;

    if (!self->is_started) {
        start(self, sample);
        return MT_SAMPLE_USED;
    }
    if ((sample->kind == MT_SAMPLE_OFFSET) != (self->first_kind == MT_SAMPLE_OFFSET)) {
        return MT_SAMPLE_REFUSED;
    }
    age = mt_seconds(&sample->local.at, &self->track.at);
    is_late = age > BACK_LIMIT_S;
    if (is_late && ++self->old_in_a_row < OLD_LIMIT) {
        return MT_SAMPLE_OLD;
    }
    self->old_in_a_row = 0;
    if (age < 0) {
        if (IS_COARSE) {
            narrow(self, mt_servo_variance(self, sample->kind), age);
        }
        mt_servo_advance(self, self->is_scaled ? clock->wander : 0, -age, sample);
        age = 0;
    }
    if (is_late || self->track.p[0][0] > NOTHING_KNOWN * mt_servo_variance(self, sample->kind)) {
        begin(self, sample);
        return MT_SAMPLE_STEP;
    }
    measure(self, sample, age, &measured);
    if (!self->is_complete && sample->kind != self->first_kind) {
        complete(self, sample->kind, &measured);
    } else {
        enum mt_sample_verdict verdict = take(self, clock, sample, &measured);

        if (verdict != MT_SAMPLE_USED) {
            return verdict;
        }
    }
    if (sample->kind == MT_SAMPLE_OFFSET) {
        self->track.x[2] = mt_real_from_int(sample->delay.q16) * MT_REAL(0.5e-9 / 65536);
    }
    self->unseen = mt_real_limit(self->unseen, age);
    remember(self, clock);
    return MT_SAMPLE_USED;
}

bool mt_estimator_predict(const struct mt_estimator *self, const struct mt_clock_model *clock,
                          struct mt_instant at, struct mt_estimate *ret_estimate)
{
    if (!self->is_scaled || self->fresh < RESTART_PROOF) {
        return false;
    }
    /* tails are wider than normal while all rests on few samples */
    mt_track_estimate(&self->track, clock->wander, &at,
                      (mt_real)(self->fresh + 2) / (self->fresh - 2), ret_estimate);
    for (int kind = 0; kind < MT_SAMPLE_KIND_COUNT; kind++) {
        mt_real variance = mt_servo_variance(self, (enum mt_sample_kind)kind);

        if (self->noise[kind].count > 0) {
            ret_estimate->noise[kind] = mt_real_sqrt(variance);
        }
    }
    ret_estimate->age += self->unseen;
    ret_estimate->doubt = mt_estimator_doubt(self);
    if (self->skewness != 0) {
        self->skewness->ops->tell(self, ret_estimate);
    }
    ret_estimate->innovation = self->innovation;
    ret_estimate->is_complete = self->is_complete;
    return true;
}
