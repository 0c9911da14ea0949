/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * One-sided noise: packets wait in queues, and never arrive early.
 *
 * The noise of each direction is a normal part (variance: that of mt_servo_noise) plus an
 * exponential one of mean `tail`.  A measurement is then an exponentially modified normal number
 * around its prediction; with sigma^2 = H P H' + variance, q = sigma / tail, v = residual / sigma,
 * u = v - q and g(u) = phi(u) / Phi(u), the derivatives of its log likelihood are
 *
 *     pull =  d / d prediction   = q - g        (times 1 / sigma)
 *     bite = -d / d prediction^2 = g (u + g)    (times 1 / sigma^2)
 *
 * and moving the state by them, x += P H' pull / sigma, P -= P H' H P bite / sigma^2, gives it
 * mean and covariance of the exact posterior of this one measurement (assumed-density
 * filtering).  A late packet pulls little and bites nothing; one that is earlier than what is
 * thought the floor pushes that.  For normal noise pull = v and bite = 1: the Kalman filter.
 *
 * The delay of the state is the floor of the path then, so no mean of skewed noise biases it.
 *
 * Tail and variance follow the derivatives of the same likelihood.  The variance matters only
 * near the floor, where few samples are, so it moves by blocks of information, in large steps while
 * they agree; it is held slightly low, which costs nothing where the noise has no normal part.
 *
 * As long as nothing speaks against it, both directions have one variance.  Alone, that of the
 * direction with fewer samples stays too large for longer, its floor is thought too high, and half
 * of that is an error of the offset.
 *
 * Where the oscillator outweighs normal noise, a large innovation is no outlier but what the
 * oscillator did, and few samples tell of the noise: see weigh and watch_quiet.
 *
 * Whether noise is skewed is a sequential test between no skewness and some, both ways, on the
 * third Hermite polynomial of the normalised residual.
 */
#include "base/memory.h"
#include "servo/estimator_private.h"

#define NARROW      8             /* sigma in tails beyond which the noise is as good as normal */
#define FAR         12            /* tails that a sample may be late, beyond ... */
#define RESTLESS    MT_REAL(0.25) /* share of the noise below which all else is the oscillator's */
#define USUAL       3             /* sigma of what such an oscillator does ... */
#define STRANGE     10            /* ... and those beyond which it is something else */
#define UNKNOWNS    3             /* offset, frequency, delay */
#define CHANCES     324           /* sigma that may be chance, by the square of samples beyond */
#define INFORMED    60            /* information on the tail that is remembered */
#define BLOCK       8             /* on the variance, for one step */
#define SIGNIFICANT 7
#define QUIET       16              /* as that, for normal noise that is thought too large */
#define ALIKE       4               /* ratio of variances, up to which both may be of one kind */
#define REMEMBERED  MT_REAL(0.9)    /* of what directions said of one common variance */
#define DIFFERENT   9               /* chi squared of what they said */
#define TRIAL       64              /* information, on each, before two are one again */
#define NEAR        MT_REAL(0.1)    /* normal parts that differ by so much of their sum are one */
#define LOW         MT_REAL(0.1)    /* by how much the variance is held low */
#define CLIP        MT_REAL(2.5)    /* residuals for the test, in sigma */
#define EFFECT      MT_REAL(0.5)    /* skewness that is looked for */
#define DECISIVE    16              /* log likelihood ratio */
#define YOUNG       16              /* samples of a direction before its noise is judged */
#define SCALED      24              /* samples in all, until when the first scale is refined */
#define LATEST      64              /* samples after a start, when that is over */
#define CHANCE      MT_REAL(0.0625) /* deviations that are equal are found so different */
#define SHAPE       MT_REAL(1.5)    /* by how much unequal normal parts may mislead */
#define FIRST_TAIL  MT_REAL(0.9)    /* of the standard deviation, when noise turns out skewed */
#define HIGH        MT_REAL(0.25)   /* tails: a quarter of the samples is below */
#define HIGH_LIMIT  64              /* samples above in a row: the floor has risen */

/* phi(u) / Phi(u) */
static mt_real hazard(mt_real u)
{
    return mt_real_truncated(u) - u;
}

/* ---- what a measurement does ----------------------------------------------------------------- */

/* residual in the direction of delay, in sigma */
static mt_real late(const struct mt_measurement *measured, enum mt_sample_kind kind)
{
    return mt_servo_sign(kind) * measured->residual;
}

static void weigh_skewed(enum mt_sample_kind kind, mt_real tail, struct mt_measurement *measured)
{
    mt_real v = late(measured, kind);
    mt_real q = measured->sigma / tail;
    mt_real spread = mt_real_sqrt(1 + 1 / (q * q));
    mt_real pull;

    measured->central = mt_servo_sign(kind) * (v - 1 / q) / spread;
    measured->spread = spread * measured->sigma;
    if (v > 0) {
        mt_real share = v / (MT_GATE + FAR / q);

        measured->energy = MT_GATE * MT_GATE * share * share;
    }
    if (q > NARROW) {
        measured->bite = 1 / (spread * spread);
        pull = (v - 1 / q) * measured->bite;
    } else {
        mt_real u = v - q;
        mt_real g = hazard(u);

        measured->bite = mt_real_clamp(g * (u + g), 0, 1);
        pull = q - g;
    }
    measured->innovation = mt_servo_sign(kind) * pull;
}

static void widen(struct mt_track *track, mt_real factor, struct mt_measurement *measured)
{
    for (int i = 0; i < 3; i++) {
        for (int j = 0; j < 3; j++) {
            track->p[i][j] *= factor;
        }
    }
    mt_track_weigh(track, measured);
}

/* The first scale was that of a few residuals, which may have agreed by chance: a surprise counts
 * as one of them, too.  No more than surprises: where the source stepped among the first samples,
 * what comes next fits well, to a state that is wrong. */
static void scale_again(struct mt_estimator *self, enum mt_sample_kind kind,
                        struct mt_measurement *measured)
{
    struct mt_servo_noise *noise = self->noise;
    int count = noise[0].count + noise[1].count + noise[2].count;
    mt_real freedom = (mt_real)(count - UNKNOWNS);
    mt_real reach = CHANCES / (freedom * freedom);
    mt_real likely = (mt_real)(400 / noise[kind].count);
    mt_real least = MT_GATE * MT_GATE;
    mt_real factor = (freedom + measured->energy) / (freedom + 1);

    if (count > SCALED || !(measured->energy > least &&
                            measured->energy < least + mt_real_larger(likely, reach * reach))) {
        return;
    }
    measured->noise += (factor - 1) * noise[kind].variance;
    for (int i = 0; i < MT_SAMPLE_KIND_COUNT; i++) {
        noise[i].variance *= factor;
    }
    widen(&self->track, factor, measured);
}

static void weigh_normal(struct mt_estimator *self, enum mt_sample_kind kind,
                         struct mt_measurement *measured)
{
    if (measured->share < RESTLESS && measured->energy > USUAL * USUAL &&
        measured->energy < STRANGE * STRANGE) {
        /* the oscillator did what its wander does not explain: the state is known worse by that */
        widen(&self->track, measured->energy / (USUAL * USUAL), measured);
    } else {
        mt_servo_yield(self, kind, measured);
    }
}

static void weigh(struct mt_estimator *self, enum mt_sample_kind kind,
                  struct mt_measurement *measured)
{
    mt_real tail = mt_servo_tail(self, kind);

    scale_again(self, kind, measured);
    if (tail <= 0) {
        mt_servo_note_side(self, kind, measured);
        weigh_normal(self, kind, measured);
        return;
    }
    weigh_skewed(kind, tail, measured);
    mt_servo_note_side(self, kind, measured);
    if (mt_servo_yield(self, kind, measured)) {
        weigh_skewed(kind, tail, measured);
    }
}

/* ---- what is learned ------------------------------------------------------------------------- */

static void learn_tail(struct mt_skew_side *side, const struct mt_measurement *measured, mt_real v)
{
    mt_real q = measured->sigma / side->tail;
    mt_real score;

    if (q > NARROW) {
        return;
    }
    v = mt_real_clamp(v, -MT_GATE, MT_GATE + NARROW / q);
    score = mt_real_clamp((v - q + hazard(v - q)) * q - 1, -MT_GATE, MT_GATE);
    side->information = mt_real_clamp(side->information + 1 / (1 + q * q), 0, INFORMED);
    side->tail *= 1 + score / (side->information + 2 + MT_GATE);
}

static void set_apart(struct mt_skewness *skewness, bool is_apart)
{
    skewness->is_apart = is_apart;
    for (int i = 0; i < 2; i++) {
        skewness->side[i].sum = 0;
        skewness->side[i].sum_information = 0;
    }
}

/* Noise of one size may be of one kind. */
static bool is_alike(const struct mt_estimator *self)
{
    mt_real forward = mt_servo_variance(self, MT_SAMPLE_FORWARD);
    mt_real reverse = mt_servo_variance(self, MT_SAMPLE_REVERSE);

    return forward < ALIKE * reverse && reverse < ALIKE * forward;
}

/* Adds what both scores of this block say; true: with those before it they ask for different
 * variances. */
static bool add_block(struct mt_skew_side *side)
{
    mt_real information[2];
    mt_real apart;

    for (int i = 0; i < 2; i++) {
        side[i].sum = REMEMBERED * side[i].sum + side[i].score;
        side[i].sum_information = REMEMBERED * side[i].sum_information + side[i].score_information;
        information[i] = side[i].sum_information;
    }
    apart = side[0].sum * information[1] - side[1].sum * information[0];
    return apart * apart >
           DIFFERENT * (information[0] + information[1]) * information[0] * information[1];
}

static void share(struct mt_estimator *self)
{
    mt_real forward = mt_real_sqrt(self->noise[0].variance);
    mt_real reverse = mt_real_sqrt(self->noise[1].variance);

    self->noise[0].variance = forward * reverse;
    self->noise[1].variance = forward * reverse;
    set_apart(self->skewness, false);
}

/* Normal parts that are too small to matter are one again, and so are nearly equal ones, when they
 * had the time to move away from where they were parted. */
static void join(struct mt_estimator *self)
{
    const struct mt_skew_side *side = self->skewness->side;
    mt_real forward = mt_real_sqrt(self->noise[0].variance);
    mt_real reverse = mt_real_sqrt(self->noise[1].variance);
    bool is_small = 2 * mt_real_larger(forward, reverse) < mt_real_sqrt(self->track.p[0][0]);
    bool is_near = side[0].sum_information > TRIAL && side[1].sum_information > TRIAL &&
                   mt_real_abs(forward - reverse) < NEAR * (forward + reverse);

    if ((is_small || is_near) && is_alike(self)) {
        share(self);
    }
}

static void change_variance(struct mt_estimator *self, int kind, mt_real step)
{
    struct mt_servo_noise *noise = &self->noise[kind];
    struct mt_skew_side *side = &self->skewness->side[kind];

    noise->variance =
        mt_real_larger(noise->variance * (2 + step) / (2 - step), self->granularity_variance);
    side->score = 0;
    side->score_information = 0;
}

/* The block of one direction, or of both, is full. */
static void change_variances(struct mt_estimator *self, enum mt_sample_kind kind, mt_real step)
{
    struct mt_skewness *skewness = self->skewness;

    if (skewness->is_apart) {
        skewness->side[kind].sum_information += skewness->side[kind].score_information;
        change_variance(self, (int)kind, step);
        join(self);
        return;
    }
    if (add_block(skewness->side) || !is_alike(self)) {
        set_apart(skewness, true);
    }
    for (int i = 0; i < 2; i++) {
        skewness->side[i].pace = skewness->side[kind].pace;
        change_variance(self, i, step);
    }
}

static void learn_variance(struct mt_estimator *self, enum mt_sample_kind kind,
                           const struct mt_measurement *measured)
{
    struct mt_skew_side *side = &self->skewness->side[kind];
    const struct mt_skew_side *other = &self->skewness->side[1 - kind];
    mt_real pull = measured->innovation;
    mt_real noise_share = measured->share;
    mt_real bite = measured->bite * noise_share;
    mt_real score = (pull * pull * noise_share - (1 + 2 * LOW) * bite) / 2;
    mt_real information;
    mt_real step;
    bool is_significant;

    side->score += mt_real_clamp(score, -MT_GATE, MT_GATE);
    side->score_information += bite * bite / 2;
    score = side->score + (self->skewness->is_apart ? 0 : other->score);
    information =
        side->score_information + (self->skewness->is_apart ? 0 : other->score_information);
    step = score / (information + MT_REAL(0.5));
    is_significant = score * step > SIGNIFICANT;
    if (!is_significant && information < BLOCK) {
        return;
    }
    side->pace = is_significant ? 2 * side->pace + MT_REAL(0.2) : MT_REAL(0.8) * side->pace;
    side->pace = mt_real_clamp(side->pace, MT_REAL(0.05), 1);
    change_variances(self, kind, mt_real_clamp(side->pace * step, -1, 1));
}

/* a path that has become longer: nothing comes near the floor any more */
static void watch_floor(struct mt_estimator *self, enum mt_sample_kind kind,
                        struct mt_skew_side *side, mt_real v, const struct mt_measurement *measured)
{
    mt_real variance = side->tail * side->tail;
    mt_real(*p)[3] = self->track.p;

    side->high_in_a_row++;
    if ((v - 3) * measured->sigma < HIGH * side->tail) {
        side->high_in_a_row = 0;
    }
    if (side->high_in_a_row >= HIGH_LIMIT) {
        side->high_in_a_row = 0;
        p[0][0] += variance;
        if (!self->is_complete) { /* there is no delay yet, but offset and delay in one */
            return;
        }
        p[2][2] += variance;
        p[0][2] += mt_servo_sign(kind) * variance;
        p[2][0] = p[0][2];
    }
}

/* ---- normal or skewed ------------------------------------------------------------------------ */

void mt_servo_set_skewed(struct mt_estimator *self, bool is_skewed)
{
    struct mt_skewness *skewness = self->skewness;
    struct mt_track *track = &self->track;
    mt_real tails[2];

    set_apart(skewness, true);
    for (int i = 0; i < 2; i++) {
        struct mt_servo_noise *noise = &self->noise[i];
        struct mt_skew_side *side = &skewness->side[i];

        if (is_skewed) {
            *side = (struct mt_skew_side){.pace = 1};
            side->tail = FIRST_TAIL * mt_real_sqrt(noise->variance);
            noise->variance *= 1 - FIRST_TAIL * FIRST_TAIL;
            tails[i] = side->tail;
        } else {
            noise->variance += side->tail * side->tail;
            tails[i] = -side->tail;
        }
    }
    if (is_skewed && is_alike(self)) {
        share(self);
    }
    track->x[0] -= (tails[0] - tails[1]) / 2;
    track->x[2] -= (tails[0] + tails[1]) / 2;
    track->p[2][2] += (tails[0] + tails[1]) * (tails[0] + tails[1]) / 16;
    skewness->is_skewed = is_skewed;
    skewness->evidence = 0;
}

static void judge(struct mt_estimator *self, enum mt_sample_kind kind,
                  const struct mt_measurement *measured)
{
    struct mt_skewness *skewness = self->skewness;
    mt_real v = mt_real_clamp(mt_servo_sign(kind) * measured->central, -CLIP, CLIP);
    mt_real tail = mt_servo_tail(self, kind);
    mt_real spread = measured->spread * measured->spread;
    mt_real share = (measured->noise + tail * tail) / spread;
    mt_real effect = EFFECT * share * mt_real_sqrt(share);
    mt_real ratio = effect * ((v * v - 3) * v / 6 - effect / 12);

    if (!self->is_complete || self->noise[0].count < YOUNG || self->noise[1].count < YOUNG) {
        return;
    }
    skewness->evidence += skewness->is_skewed ? -ratio : ratio;
    if (skewness->evidence < 0) {
        skewness->evidence = 0;
    }
    if (skewness->evidence > DECISIVE) {
        mt_servo_set_skewed(self, !skewness->is_skewed);
    }
}

/* Where the oscillator outweighs the noise, few samples tell of that, and the estimator's own rule
 * takes hours to come down.  Here many of them that agree are enough. */
static void watch_quiet(struct mt_estimator *self, enum mt_sample_kind kind,
                        const struct mt_measurement *measured)
{
    struct mt_skew_side *side = &self->skewness->side[kind];
    mt_real score;

    side->score += mt_real_limit((measured->energy - 1) * measured->share / 2, MT_GATE);
    side->score_information += measured->share * measured->share / 2;
    score = side->score;
    if (score < 0 && score * score > QUIET * (side->score_information + MT_REAL(0.5))) {
        change_variance(self, (int)kind, mt_real_larger(score / side->score_information, -1));
    } else if (side->score_information > BLOCK) {
        change_variance(self, (int)kind, 0);
    }
}

static void learn(struct mt_estimator *self, enum mt_sample_kind kind,
                  struct mt_measurement *measured, struct mt_clock_model *clock)
{
    bool is_new = self->fresh <= 2; /* what was gathered belongs to another state */

    if (kind == MT_SAMPLE_OFFSET) {
        return;
    }
    if (is_new) {
        mt_servo_stand(self->skewness);
    }
    if (self->skewness->is_skewed) {
        struct mt_skew_side *side = &self->skewness->side[kind];
        mt_real v = late(measured, kind);

        if (is_new) {
            side->score = 0;
            side->score_information = 0;
            side->pace = 1;
            side->high_in_a_row = 0;
        }
        self->skewness->late = v;
        self->skewness->width = measured->sigma / side->tail;
        learn_variance(self, kind, measured);
        learn_tail(side, measured, v);
        watch_floor(self, kind, side, v, measured);
    }
    mt_servo_excuse(self, kind);
    mt_servo_follow_move(self, measured);
    judge(self, kind, measured);
    if (!self->skewness->is_skewed) {
        watch_quiet(self, kind, measured);
    }
    if (!self->skewness->is_skewed && self->is_complete && self->fresh <= LATEST) {
        mt_servo_compare(self, kind, measured, clock);
    }
}

void mt_servo_forget_skew(struct mt_estimator *self)
{
    if (self->skewness->is_skewed) {
        mt_servo_set_skewed(self, false);
    }
    self->skewness->evidence = 0;
}

/* Noise that is neither normal nor exponential, or only on one side, is fitted with a normal part,
 * and where the floor is below that is a guess.  What both directions have in common cancels. */
static void tell(const struct mt_estimator *self, struct mt_estimate *estimate)
{
    mt_real normal[2];

    for (int kind = 0; kind < 2; kind++) {
        normal[kind] = mt_real_sqrt(self->noise[kind].variance);
        estimate->tail[kind] = mt_servo_tail(self, (enum mt_sample_kind)kind);
    }
    if (self->is_complete && self->first_kind != MT_SAMPLE_OFFSET) {
        mt_real apart = mt_real_abs(normal[0] - normal[1]) - CHANCE * (normal[0] + normal[1]);

        estimate->doubt += SHAPE * mt_real_larger(apart, 0);
    }
    estimate->doubt = mt_real_larger(estimate->doubt, mt_servo_unseen_doubt(self));
    mt_servo_tell_move(self, estimate);
    mt_span_add(&estimate->offset, &self->skewness->shift);
}

static const struct mt_skew_ops ops = {
    .weigh = weigh,
    .learn = learn,
    .explain = mt_servo_explain,
    .tell = tell,
};

void mt_skewness_init(struct mt_skewness *self)
{
    *self = (struct mt_skewness){.ops = &ops};
}
