/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * A state [offset, frequency, delay] with its covariance, carried along one clock.
 *
 * The offset is kept as a coarse span plus a small real, so that a clock in 1970 loses no bits.
 * The frequency is counted per second of *local* time: then o(L + dt) = o(L) + g dt holds
 * exactly, whatever the size of g, and a correction of the clock is an exact change of
 * coordinates: a step moves reading and offset alike; a change of rate by the factor 1 + delta at
 * reading T is, for a reading t, a shift by (t - T) delta, after which the clock looks as if it
 * had always run at the new rate.  Late samples are translated by the same shift (core/steer), so
 * the estimate is that of a clock which was never corrected, seen through one linear map.
 *
 * Process noise: the frequency does a random walk of `wander`, which the offset integrates; the
 * delay does a very slow one, in proportion to itself.  The measurement update has Joseph's form,
 * (I - KH) P (I - KH)' + K R K', which keeps the covariance positive in spite of rounding.
 */
#include "servo/track_private.h"

#define DELAY_WANDER_FLOOR 1e-22 /* s^2 per s */
#define DELAY_WANDER_SHARE 1e-12 /* of delay^2, per s */

static void predict_by(struct mt_track *track, mt_real wander, mt_real dt)
{
    mt_real(*p)[3] = track->p;
    mt_real size = mt_real_abs(dt);
    mt_real grown = wander * size;

    track->x[0] += dt * track->x[1];
    p[0][0] += dt * (2 * p[0][1] + dt * p[1][1]) + grown * dt * dt / 3;
    p[0][1] += dt * p[1][1] + grown * dt / 2;
    p[0][2] += dt * p[1][2];
    p[1][1] += grown;
    p[2][2] += size * (DELAY_WANDER_FLOOR + DELAY_WANDER_SHARE * track->x[2] * track->x[2]);
    p[1][0] = p[0][1];
    p[2][0] = p[0][2];
}

void mt_track_predict(struct mt_track *track, mt_real wander, struct mt_instant at)
{
    predict_by(track, wander, mt_span_to_real(mt_instant_minus(at, track->at)));
    track->at = at;
}

void mt_track_stepped(struct mt_track *track, struct mt_span by, enum mt_timescale scale)
{
    track->at = mt_instant_plus(track->at, by);
    track->at.scale = scale;
    track->base = mt_span_plus(track->base, by);
}

struct mt_span mt_rate_shift(mt_real delta, struct mt_instant at, struct mt_instant then)
{
    return mt_span_from_real(mt_span_to_real(mt_instant_minus(then, at)) * delta);
}

void mt_track_rate_changed(struct mt_track *track, mt_real delta, struct mt_instant at)
{
    mt_track_stepped(track, mt_rate_shift(delta, at, track->at), track->at.scale);
    track->x[1] = (track->x[1] + delta) / (1 + delta);
}

mt_real mt_track_project(const struct mt_track *track, const mt_real h[3], mt_real ret_ph[3])
{
    mt_real variance = 0;

    for (int i = 0; i < 3; i++) {
        ret_ph[i] = 0;
        for (int j = 0; j < 3; j++) {
            ret_ph[i] += track->p[i][j] * h[j];
        }
        variance += h[i] * ret_ph[i];
    }
    return variance;
}

void mt_track_measure(struct mt_track *track, const mt_real h[3], const mt_real gain[3],
                      mt_real innovation, mt_real noise)
{
    mt_real half[3][3]; /* (I - KH) P */
    mt_real ph[3];

    mt_track_project(track, h, ph);
    for (int i = 0; i < 3; i++) {
        track->x[i] += gain[i] * innovation;
        for (int j = 0; j < 3; j++) {
            half[i][j] = track->p[i][j] - gain[i] * ph[j];
        }
    }
    for (int i = 0; i < 3; i++) {
        mt_real hh = half[i][0] * h[0] + half[i][1] * h[1] + half[i][2] * h[2];

        for (int j = i; j < 3; j++) {
            track->p[i][j] = half[i][j] + (gain[i] * noise - hh) * gain[j];
            track->p[j][i] = track->p[i][j];
        }
    }
}
