/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * A state [offset, frequency, delay] with its covariance, carried along one clock.
 *
 * The offset is kept as a coarse span plus a small real, so that a clock in 1970 loses no bits.
 * In single precision the span follows when the offset grows: at 20 ppm it does so every 400 ms.
 * The delay has no such span: it is known to 2^-25 of itself, 0.3 ns in 10 ms.
 * The frequency is counted per second of *local* time: then o(L + dt) = o(L) + g dt holds
 * exactly, whatever the size of g, and a correction of the clock is an exact change of
 * coordinates: a step moves reading and offset alike; a change of rate by the factor 1 + delta at
 * reading T is, for a reading t, a shift by (t - T) delta, after which the clock looks as if it
 * had always run at the new rate.  Late samples are translated by the same shift (core/steer), so
 * the estimate is that of a clock which was never corrected, seen through one linear map.
 *
 * Process noise: the frequency does a random walk of `wander`, which the offset integrates; the
 * delay does a very slow one.
 *
 * Everything is counted in standard deviations of the measurement, so the update is one outer
 * product, P - g g', and with the innovation below g also x - v g.  Its entries are rounded by
 * less than 2 MT_REAL_EPSILON sqrt(Pii Pjj) each; ROUNDING adds 8 MT_REAL_EPSILON Pii to the
 * diagonal, which outweighs any such error matrix, so P stays positive.
 */
#include "base/memory.h"
#include "servo/track_private.h"

#define ROUNDING     (8 * MT_REAL_EPSILON)
#define DELAY_WANDER MT_REAL(0x1p-66) /* s^2 per s */
/* s: a larger x[0] would be rounded by more than 2^-41 s */
#define BASE_LIMIT (MT_REAL(0x1p-40) / MT_REAL_EPSILON)

mt_real mt_seconds(const struct mt_instant *from, const struct mt_instant *to)
{
    struct mt_span span;

    mt_span_between(from, to, &span);
    return mt_span_to_real(span);
}

void mt_track_combine(struct mt_track *track, int i, int j, mt_real a, mt_real b)
{
    mt_real(*rows)[3] = track->rows;

    for (int k = 0; k < 7; k++) { /* row i, then what stands in column i */
        mt_real *to = k < 3 ? &rows[i][k] : &rows[k - 3][i];
        const mt_real *other = k < 3 ? &rows[j][k] : &rows[k - 3][j];

        *to = a * *to + b * *other;
    }
}

static void move_base(struct mt_track *track)
{
    struct mt_span moved = mt_span_from_real(track->x[0]);

    mt_span_add(&track->base, &moved);
    track->x[0] -= mt_span_to_real(moved);
}

void mt_track_predict(struct mt_track *track, mt_real wander, const struct mt_instant *at)
{
    mt_real(*p)[3] = track->p;
    mt_real dt = mt_seconds(&track->at, at);
    mt_real size = mt_real_abs(dt);
    mt_real half = wander * size / 2;

    /* half of the noise before, half after: that gives q dt^2 / 2 between, q dt^3 / 2 on top */
    p[1][1] += half;
    mt_track_combine(track, 0, 1, 1, dt);
    p[1][1] += half;
    p[0][0] -= half * dt * dt / 3; /* leaves q dt^3 / 3 */
    p[2][2] += DELAY_WANDER * size;
    track->at = *at;
    if (BASE_LIMIT < 1 && mt_real_abs(track->x[0]) > BASE_LIMIT) {
        move_base(track);
    }
}

void mt_track_stepped(struct mt_track *track, const struct mt_span *by)
{
    mt_instant_move(&track->at, by);
    mt_span_add(&track->base, by);
}

void mt_track_rate_changed(struct mt_track *track, mt_real delta, const struct mt_instant *at)
{
    struct mt_span shift = mt_span_from_real(mt_seconds(at, &track->at) * delta);

    mt_track_stepped(track, &shift);
    track->x[1] = (track->x[1] + delta) / (1 + delta);
}

void mt_track_estimate(const struct mt_track *track, mt_real wander, const struct mt_instant *at,
                       mt_real tail, struct mt_estimate *ret_estimate)
{
    struct mt_track then = *track;
    mt_real sigma[3];

    memset(ret_estimate, 0, sizeof *ret_estimate);
    mt_track_predict(&then, wander, at);
    for (int i = 0; i < 3; i++) {
        sigma[i] = tail * mt_real_sqrt(then.p[i][i]);
    }
    ret_estimate->at = *at;
    ret_estimate->offset = mt_span_from_real(then.x[0]);
    mt_span_add(&ret_estimate->offset, &then.base);
    ret_estimate->frequency = then.x[1] / (1 - then.x[1]);
    ret_estimate->delay = then.x[2];
    ret_estimate->age = mt_real_abs(mt_seconds(&track->at, at));
    ret_estimate->offset_sigma = sigma[0];
    ret_estimate->frequency_sigma = sigma[1];
    ret_estimate->delay_sigma = sigma[2];
}

/* The row of x gives the prediction where those of p give the covariance with it. */
void mt_track_weigh(const struct mt_track *track, struct mt_measurement *measurement)
{
    const mt_real *h = measurement->h;
    mt_real *column = measurement->column;
    mt_real variance = measurement->noise;

    for (int i = 0; i < 4; i++) {
        column[i] = 0;
        for (int j = 0; j < 3; j++) {
            column[i] += track->rows[i][j] * h[j];
        }
        if (i < 3) {
            variance += h[i] * column[i];
        }
    }
    column[3] += measurement->value;
    measurement->sigma = mt_real_sqrt(variance);
    measurement->share = measurement->noise / variance;
    for (int i = 0; i < 4; i++) {
        column[i] /= measurement->sigma;
    }
    measurement->energy = column[3] * column[3];
    measurement->residual = column[3];
    measurement->central = column[3];
    measurement->spread = measurement->sigma;
    measurement->bite = 1;
}

void mt_track_absorb(struct mt_track *track, const struct mt_measurement *measurement)
{
    const mt_real *column = measurement->column;

    for (int i = 0; i < 4; i++) {
        mt_real share = i < 3 ? measurement->bite : 1;

        for (int j = 0; j < 3; j++) {
            mt_real *entry = &track->rows[i][j];

            if (i == j) {
                *entry += ROUNDING * *entry;
            }
            *entry -= column[i] * column[j] * share;
        }
    }
}
