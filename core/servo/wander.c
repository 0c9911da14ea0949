/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The oscillator's wander, and how much of it the estimate follows.
 *
 * Learning.  If the wander is right, innovations do not correlate with the past, in particular
 * not with d prediction / d ln(wander), which two states follow: the gains of offset and
 * frequency grow with about the 1/4 and 1/2 power of the wander.  Pull times slope is the
 * derivative of the log likelihood, its square summed up is the information.  When a block of
 * information is full, or when the sum alone is significant, ln(wander) moves by sum / information,
 * less and less (`pace`), but for when it is significant again and again: then something has
 * changed.
 *
 * Damping.  The optimal filter amplifies slow errors of its source by 2.1 dB, which ten boundary
 * clocks in a row make a factor of 7.  White noise of the frequency, q = c p01 per second,
 * added to the prediction, makes it overdamped: in the steady state zeta = sqrt(c + 2) / 2,
 * whatever noise, wander and interval are.  Behind boundary clocks the source's own error looks
 * like more white noise of the frequency, so c grows with the number of hops; as a side effect, the
 * wander that is learned stays the oscillator's.  While the frequency is still unknown, p01 is
 * large and says nothing of the steady state: q is held down to what p00 and the wander allow.
 */
#include "servo/estimator_private.h"

#define DAMPING     2 /* c at the grandmaster: zeta 1 */
#define DAMPING_HOP 3 /* more for each clock on the way */
#define HOPS_MOST   16
#define BLOCK       4            /* information that is enough for a step of ln(wander) */
#define SIGNIFICANT 5            /* sum squared, in units of its information */
#define HALF        MT_REAL(0.5) /* prior information */
#define YOUNG       16           /* samples after which gains tell of the wander */
#define CLIP_SCORE  3
#define PACE_LEAST  MT_REAL(0x3p-6) /* short in firmware */
#define PACE_SLOWER MT_REAL(0.8)
#define RUN_LIMIT   26 /* innovations to one side in a row: no chance */
#define RUN_REST    6  /* that more are needed before it counts again */
#define RUN_FACTOR  4
#define WANDER_MIN  MT_REAL(0x1p-80) /* (1e-12 per sqrt(s))^2 */
#define WANDER_MAX  MT_REAL(0x1p-20) /* (1e-3 per sqrt(s))^2 */

static mt_real damping(const struct mt_track *track, mt_real wander, unsigned hops)
{
    mt_real noise = track->p[0][1];
    mt_real time;
    mt_real most;

    if (noise <= 0) {
        return 0;
    }
    time = track->p[0][0] / noise;
    most = wander / 2 * time * time;
    hops = hops < HOPS_MOST ? hops : HOPS_MOST;
    return (mt_real)(DAMPING + DAMPING_HOP * hops) * mt_real_limit(noise, most);
}

void mt_servo_advance(struct mt_estimator *self, mt_real wander, mt_real elapsed,
                      const struct mt_sample *sample)
{
    mt_real more = damping(&self->track, wander, sample->hops) * elapsed;

    mt_track_predict(&self->track, wander, &sample->local.at);
    self->track.p[0][0] += more;
    self->slope[0] += elapsed * self->slope[1];
    self->unseen += elapsed;
}

void mt_servo_change_wander(struct mt_clock_model *clock, mt_real factor)
{
    clock->wander = mt_real_larger(mt_real_limit(clock->wander * factor, WANDER_MAX), WANDER_MIN);
}

void mt_servo_reset_wander(struct mt_estimator *self)
{
    self->slope[0] = 0;
    self->slope[1] = 0;
    self->score = 0;
    self->information = 0;
}

/* moves ln(wander) if there is enough to go by */
static void judge(struct mt_estimator *self, struct mt_clock_model *clock)
{
    mt_real step = self->score / (self->information + HALF);
    mt_real pace = clock->pace;

    if (self->score * step > SIGNIFICANT) {
        clock->pace = 1;
    } else if (self->information >= BLOCK) {
        clock->pace = mt_real_larger(PACE_SLOWER * pace, PACE_LEAST);
    } else {
        return;
    }
    step = mt_real_limit(pace * step, 1);
    mt_servo_change_wander(clock, (2 + step) / (2 - step)); /* nearly e^step */
    self->score = 0;
    self->information = 0;
}

/* the state's share of an innovation's variance grows with about the 1/4 power of the wander */
static mt_real energy_score(const struct mt_measurement *measured)
{
    mt_real pull = measured->innovation;

    return (pull * pull - measured->bite) * (1 - measured->share) / 8;
}

void mt_servo_learn_wander(struct mt_estimator *self, struct mt_clock_model *clock,
                           const struct mt_measurement *measured)
{
    mt_real seen = self->slope[0] / measured->sigma;
    mt_real pull = measured->innovation / 4;
    mt_real central = self->innovation;
    bool is_ahead = central > 0;
    mt_real score;

    if (central * central > MT_QUIET) {
        self->run = is_ahead == self->is_ahead ? self->run + 1 : 0;
        self->is_ahead = is_ahead;
    }
    if (self->run > RUN_LIMIT) { /* far too stiff */
        self->run -= RUN_REST;
        mt_servo_change_wander(clock, RUN_FACTOR);
    }
    if (self->fresh < YOUNG) {
        return;
    }
    for (int i = 0; i < 2; i++) {
        self->slope[i] -= measured->gain[i] * (pull - measured->bite * seen);
        pull += pull;
    }
    score = measured->innovation * seen + energy_score(measured);
    score = mt_real_limit(score, CLIP_SCORE);
    self->score += score;
    self->information += score * score;
    judge(self, clock);
}
