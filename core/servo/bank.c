/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Noise or wander: which of them made the first innovations large.
 *
 * The start explains all that it sees with noise.  An oscillator that wanders by more than the
 * noise within one sample distance then looks like enormous noise on a quiet oscillator, and
 * climbing out of that by derivatives takes hundreds of samples.  So the same samples are run
 * through a few more filters, which differ from the estimate's in nothing but wander / noise.  The
 * scale of each is what its innovations say (the mean square), and so is its likelihood,
 *
 *     -2 ln L = n ln(mean square) + sum of ln(variance),
 *
 * and when LENGTH samples are in, the best one takes over with state, covariance, noise and wander,
 * if it is better than the present ratio beyond doubt.
 *
 * Each filter keeps its difference to the estimate, to which no correction of the clock matters.
 */
#include "base/memory.h"
#include "servo/estimator_private.h"

#define PATIENCE   2  /* samples that tell how far apart they are */
#define LENGTH     12 /* samples that are judged first ... */
#define LONGEST    24 /* ... and then, since more tell more precisely */
#define DOUBT      16 /* 2 ln(likelihood ratio) that is asked for */
#define CLIP       3
#define LEAST_TIME MT_REAL(0x1p-10) /* s */

/* where the entries of a packed covariance stand */
static const uint8_t ROW[6] = {0, 0, 0, 1, 1, 2};
static const uint8_t COLUMN[6] = {0, 1, 2, 1, 2, 2};
/* wander over one sample distance / noise; the first filter has the present ratio */
static const mt_real RATIOS[MT_BANK_SIZE - 1] = {MT_REAL(0.01), 1, 100};

static void predict(struct mt_bank_filter *filter, mt_real elapsed)
{
    mt_real *p = filter->p;
    mt_real more = filter->wander * elapsed;
    mt_real twice = elapsed * more / 2;

    p[0] += elapsed * (2 * p[1] + elapsed * p[3] + twice * MT_REAL(2.0 / 3));
    p[1] += elapsed * p[3] + twice;
    p[2] += elapsed * p[4];
    p[3] += more;
    filter->x[0] += elapsed * filter->x[1];
}

static void begin(const struct mt_estimator *self, const struct mt_clock_model *clock,
                  struct mt_bank *bank)
{
    mt_real noise = self->noise[0].variance;
    mt_real time = mt_real_larger(bank->time / PATIENCE, LEAST_TIME);

    memset(bank->filters, 0, sizeof bank->filters);
    for (int i = 0; i < MT_BANK_SIZE; i++) {
        struct mt_bank_filter *filter = &bank->filters[i];

        for (int j = 0; j < 6; j++) {
            filter->p[j] = self->track.p[ROW[j]][COLUMN[j]];
        }
        filter->wander = clock->wander;
        if (i > 0) { /* so far it has wandered as well */
            filter->wander = RATIOS[i - 1] * noise / (time * time * time);
            predict(filter, bank->time);
        }
    }
    bank->noise = noise;
}

static void follow(mt_real noise, struct mt_bank_filter *filter,
                   const struct mt_measurement *of_estimate)
{
    const mt_real *h = of_estimate->h;
    mt_real *p = filter->p;
    mt_real *x = filter->x;
    mt_real pull = mt_real_limit(of_estimate->innovation, CLIP);
    mt_real column[3] = {
        h[0] * p[0] + h[1] * p[1] + h[2] * p[2],
        h[0] * p[1] + h[1] * p[3] + h[2] * p[4],
        h[0] * p[2] + h[1] * p[4] + h[2] * p[5],
    };
    mt_real variance = h[0] * column[0] + h[1] * column[1] + h[2] * column[2] + noise;
    mt_real innovation =
        of_estimate->residual * of_estimate->sigma + h[0] * x[0] + h[1] * x[1] + h[2] * x[2];
    mt_real weighed = innovation / variance;

    filter->energy += innovation * weighed;
    filter->spread += mt_real_log(variance / noise);
    for (int j = 0; j < 6; j++) {
        p[j] -= column[ROW[j]] * column[COLUMN[j]] / variance;
    }
    for (int i = 0; i < 3; i++) { /* and what the estimate will do */
        x[i] += of_estimate->gain[i] * pull - column[i] * weighed;
    }
}

/* the filter's state, noise and wander become the estimate's */
static void take_over(struct mt_estimator *self, struct mt_clock_model *clock,
                      const struct mt_bank *bank, const struct mt_bank_filter *filter)
{
    mt_real scale = filter->energy / bank->length;

    for (int j = 0; j < 6; j++) {
        self->track.p[ROW[j]][COLUMN[j]] = scale * filter->p[j];
        self->track.p[COLUMN[j]][ROW[j]] = scale * filter->p[j];
    }
    for (int i = 0; i < 3; i++) {
        self->track.x[i] += filter->x[i];
    }
    for (int kind = 0; kind < MT_SAMPLE_KIND_COUNT; kind++) {
        self->noise[kind].variance =
            mt_real_larger(scale * bank->noise, self->granularity_variance);
    }
    mt_servo_change_wander(clock, scale * filter->wander / clock->wander);
    clock->pace = 1;
    mt_servo_reset_wander(self);
}

static const struct mt_bank_filter *find_best(const struct mt_bank *bank)
{
    const struct mt_bank_filter *best = bank->filters;
    mt_real count = bank->length;
    mt_real least = 0;

    for (int i = 0; i < MT_BANK_SIZE; i++) {
        const struct mt_bank_filter *filter = &bank->filters[i];
        mt_real unlikely = count * mt_real_log(filter->energy / count) + filter->spread;

        if (i == 0) {
            least = unlikely - DOUBT;
        } else if (unlikely < least) {
            least = unlikely;
            best = filter;
        }
    }
    return best;
}

/* the filters are where the estimate is; true: another one than the present one took over */
static bool conclude(struct mt_estimator *self, struct mt_clock_model *clock, struct mt_bank *bank)
{
    const struct mt_bank_filter *best = find_best(bank);
    bool is_another = best != bank->filters;

    if (is_another) {
        take_over(self, clock, bank, best);
    }
    if (bank->length < LONGEST) {
        bank->length *= 2;
        bank->count = PATIENCE;
    }
    return is_another;
}

void mt_servo_compare(struct mt_estimator *self, enum mt_sample_kind kind,
                      struct mt_measurement *measured, struct mt_clock_model *clock)
{
    struct mt_bank *bank = &self->skewness->bank;
    bool is_first;

    if (bank->length == 0 || self->fresh <= bank->fresh) { /* begun anew */
        bank->count = 0;
        bank->time = 0;
        bank->length = LENGTH;
    }
    bank->fresh = self->fresh;
    if (bank->count > PATIENCE + bank->length) {
        return;
    }
    if (++bank->count <= PATIENCE) {
        bank->time += self->unseen;
        return;
    }
    is_first = bank->count == PATIENCE + 1;
    if (is_first) {
        begin(self, clock, bank);
    }
    for (int i = 0; i < MT_BANK_SIZE; i++) {
        if (!is_first) {
            predict(&bank->filters[i], self->unseen);
        }
        if (bank->count <= PATIENCE + bank->length) {
            follow(bank->noise, &bank->filters[i], measured);
        }
    }
    if (bank->count > PATIENCE + bank->length && conclude(self, clock, bank)) {
        measured->noise = self->noise[kind].variance;
        mt_track_weigh(&self->track, measured);
    }
}
