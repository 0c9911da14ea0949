/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * State: offset, rate (a random walk) and path delay; each measurement by itself is a scalar,
 *
 *     forward   t2 - t1    = offset + delay
 *     reverse   -(t4 - t3) = offset - delay        so `side` is 1, -1 or, without a delay, 0.
 *
 * Start: two forward samples and a reverse one between them give the state and its covariance in
 * units of the noise; the next START - 1 samples run through the filter with noise 1 and no wander,
 * and their mean normalised innovation is the true scale (least squares with unknown variance).  A
 * rate that was trusted before is kept, with the noise; then a pair suffices.
 *
 * After that, with sigma^2 the variance of an innovation v and e = v^2 / sigma^2,
 *
 *     d ln L / d ln noise  ~ (e - 1) noise / sigma^2 / 2
 *     d ln L / d ln wander = v slope / sigma^2 + (e - 1) (1 - noise / sigma^2) / 8,
 *
 * where the slope d prediction / d ln wander follows the same recursion as the state, with gains
 * that grow with about the 1/4 and 1/2 power of wander.  Noise follows its derivative with a memory
 * of MEMORY samples.  Wander moves by score / information when a block of information is full or
 * the score is significant; the pace falls with each block and is 1 again when one was significant.
 *
 * Beyond 3 sigma an innovation counts the less the larger it is, in what is learned from the start
 * and in the state once that is settled; beyond 5 it is left out of the state.  LOST_AFTER of those
 * in a row mean that the source is elsewhere; if that comes before the state is trusted, the rate
 * is not kept.
 */
#include "meantime/servo_kalman.h"

#include "base/memory.h"

#define START        8   /* samples until the noise is known, */
#define SETTLED      40  /* until it is so well that some are left out, */
#define TRUSTED      250 /* and until what is known outlives a new beginning */
#define MEMORY       64
#define LOST_AFTER   5
#define FIRST_GAP    MT_REAL(0x1p-6) /* s between the samples that tell the rate */
#define CLIPPED      9               /* sigma^2 */
#define OUTLIER      25
#define FARTHEST     100000         /* s: nothing is measured or waited for beyond that */
#define NOISE_LEAST  MT_REAL(1e-19) /* s^2 */
#define WANDER_FIRST MT_REAL(1e-18) /* (s/s)^2 per s */
#define WANDER_LEAST MT_REAL(1e-24)
#define WANDER_MOST  MT_REAL(1e-8)
#define BLOCK        4
#define VAST         MT_REAL(0x1p120)
#define SIGNIFICANT  5

void mt_kalman_init(struct mt_kalman *self)
{
    memset(self, 0, sizeof *self);
    self->wander = WANDER_FIRST;
    self->pace = 1;
}

void mt_kalman_begin(struct mt_kalman *self)
{
    if (self->count > 0) {
        self->knows_rate = self->count == TRUSTED;
        self->rate = self->count < START ? 0 : self->rate;
    }
    self->count = 0;
    self->outliers = 0;
    self->has_forward = self->has_reverse = false;
    self->offset_slope = self->rate_slope = self->energy = 0;
}

bool mt_kalman_is_settled(const struct mt_kalman *self)
{
    return self->count >= SETTLED;
}

mt_real mt_kalman_gain(const struct mt_kalman *self)
{
    return self->oo / (self->oo + self->noise);
}

/* ---- start ---- */

/* forward samples at 0 and T = since, a reverse one at a T */
static void place(struct mt_kalman *self, mt_real value, bool has_delay)
{
    mt_real t = self->since;
    mt_real a = self->reverse_at / t;
    mt_real gain = (value - self->offset) / t;

    self->noise = 1;
    self->rr = 2 / (t * t);
    self->dd = self->rd = self->od = self->oo = 0;
    if (has_delay) {
        self->delay = (self->offset + gain * self->reverse_at + self->delay) / 2;
        self->dd = (1 - a + a * a) / 2;
        self->rd = (a - MT_REAL(0.5)) / t;
        self->od = a / 2 - self->dd;
        self->oo = self->dd - a;
    }
    self->rate = gain;
    self->offset = value - self->delay;
    self->ro = 1 / t - self->rd;
    self->oo += 1;
    self->count = 1;
}

/* the rate is known: a pair suffices, or an offset */
static void place_again(struct mt_kalman *self, mt_real value, bool has_delay)
{
    mt_real forward = self->offset + self->rate * self->since;

    self->od = self->rd = self->ro = self->dd = 0;
    self->oo = self->noise;
    if (has_delay) {
        self->oo = self->dd = self->noise / 2;
        self->delay = (forward + value) / 2;
        value = (forward - value) / 2;
    }
    self->offset = value;
    self->count = START;
}

/* While there is no state, offset and delay are the first forward and the last reverse value. */
static void collect(struct mt_kalman *self, enum mt_sample_kind kind, mt_real value)
{
    if (self->knows_rate &&
        (kind == MT_SAMPLE_OFFSET || (kind == MT_SAMPLE_REVERSE && self->has_forward))) {
        place_again(self, value, kind == MT_SAMPLE_REVERSE);
    } else if (kind == MT_SAMPLE_REVERSE) {
        self->has_reverse = self->has_forward;
        self->delay = value;
        self->reverse_at = self->since;
    } else if (!self->has_forward) {
        self->has_forward = true;
        self->offset = value;
        self->since = self->delay = 0;
    } else if ((self->has_reverse || kind == MT_SAMPLE_OFFSET) && self->since >= FIRST_GAP) {
        place(self, value, self->has_reverse);
    }
}

static void learn_scale(struct mt_kalman *self)
{
    mt_real scale = mt_real_larger(self->energy / (START - 1), NOISE_LEAST);

    self->noise = scale;
    self->oo *= scale;
    self->ro *= scale;
    self->od *= scale;
    self->rr *= scale;
    self->rd *= scale;
    self->dd *= scale;
}

/* ---- noise and wander ---- */

static void learn_wander(struct mt_kalman *self)
{
    mt_real doubt = self->score * self->score;
    bool is_significant = doubt > SIGNIFICANT * (self->information + MT_REAL(0.5));
    mt_real move;

    if (!is_significant && self->information < BLOCK) {
        return;
    }
    if (is_significant) {
        self->pace = 1;
    }
    move = self->pace * mt_real_limit(self->score / self->information, 1);
    self->wander = move > 0 ? self->wander * (1 + move) : self->wander / (1 - move);
    self->wander = mt_real_clamp(self->wander, WANDER_LEAST, WANDER_MOST);
    self->pace = mt_real_larger(self->pace * MT_REAL(0.8), MT_REAL(0.05));
    self->score = self->information = 0;
}

static void learn(struct mt_kalman *self, mt_real v, mt_real variance, mt_real excess)
{
    mt_real share = self->noise / variance;
    mt_real known = 1 - share;
    mt_real slope = self->offset_slope / variance;

    self->noise *= 1 + share * excess / (self->count < MEMORY ? self->count : MEMORY);
    self->noise = mt_real_larger(self->noise, NOISE_LEAST);
    self->score += v * slope + excess * known / 8;
    self->information += self->offset_slope * slope + known * known / 32;
    learn_wander(self);
}

/* ---- the filter ---- */

static void predict(struct mt_kalman *self, mt_real t)
{
    mt_real walk = self->count < START ? 0 : self->wander * t;
    mt_real turn = self->rr * t;

    self->offset += self->rate * t;
    self->offset_slope += self->rate_slope * t;
    self->oo += t * (2 * self->ro + turn + walk * t / 3);
    self->ro += turn + walk * t / 2;
    self->od += self->rd * t;
    self->rr += walk;
}

/* covariance of the state with what is measured */
struct column {
    mt_real offset, rate, delay;
};

static void correct(struct mt_kalman *self, const struct column *c, mt_real variance, mt_real v)
{
    mt_real offset = c->offset / variance;
    mt_real rate = c->rate / variance;
    mt_real delay = c->delay / variance;

    self->offset += offset * v;
    self->rate += rate * v;
    self->delay += delay * v;
    self->rate_slope += rate * (v / 2 - self->offset_slope);
    self->offset_slope += offset * (v / 4 - self->offset_slope);
    self->oo = mt_real_larger(self->oo - offset * c->offset, 0);
    self->ro -= offset * c->rate;
    self->od -= offset * c->delay;
    self->rr = mt_real_larger(self->rr - rate * c->rate, 0);
    self->rd -= rate * c->delay;
    self->dd = mt_real_larger(self->dd - delay * c->delay, 0);
}

enum mt_kalman_verdict mt_kalman_update(struct mt_kalman *self, enum mt_sample_kind kind,
                                        mt_real value, mt_real elapsed)
{
    mt_real side = kind == MT_SAMPLE_OFFSET ? 0 : kind == MT_SAMPLE_FORWARD ? 1 : -1;
    struct column c;
    mt_real v = side < 0 ? -value : value;
    mt_real variance;
    mt_real e;

    if (!(mt_real_abs(value) <= FARTHEST && mt_real_abs(elapsed) <= FARTHEST)) {
        return MT_KALMAN_OUTLIER;
    }
    if (self->count == 0) {
        self->since += elapsed;
        collect(self, kind, value);
        return MT_KALMAN_LEARNS;
    }
    if (elapsed > 0) {
        predict(self, elapsed);
    } else {
        v -= self->rate * elapsed;
    }
    c.offset = self->oo + side * self->od;
    c.rate = self->ro + side * self->rd;
    c.delay = self->od + side * self->dd;
    variance = mt_real_larger(c.offset + side * c.delay, 0) + self->noise;
    v -= self->offset + side * self->delay;
    e = v * v / variance;
    if (!(e < VAST && variance < VAST)) { /* what is no number would stay for ever */
        mt_kalman_init(self);
        return MT_KALMAN_LOST;
    }
    if (self->count < START) {
        self->energy += e;
    } else {
        mt_real clip = e > CLIPPED ? CLIPPED / e : 1;

        learn(self, v * clip, variance, e * clip - 1);
        self->outliers = (uint8_t)(e > OUTLIER ? self->outliers + 1 : 0);
        if (self->outliers == LOST_AFTER) {
            mt_kalman_begin(self);
            return MT_KALMAN_LOST;
        }
        if (self->count >= SETTLED) {
            if (e > OUTLIER) {
                return MT_KALMAN_OUTLIER;
            }
            v *= clip;
        }
    }
    correct(self, &c, variance, v);
    if (self->count < TRUSTED && ++self->count == START) {
        learn_scale(self);
    }
    return self->count < START ? MT_KALMAN_LEARNS : MT_KALMAN_USED;
}

void mt_kalman_rate_changed(struct mt_kalman *self, mt_real ratio, mt_real since)
{
    self->rate = (self->rate + ratio) / (1 + ratio);
    self->offset -= ratio * since;
    self->has_forward = self->has_reverse = false;
}
