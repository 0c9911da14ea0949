/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Frequency-only steering.  Let c be the estimated error of the steered clock.  A message makes it
 * jump; then it runs in a straight line to c + s at the next one, h later, and s is ours.  That
 * costs h (c^2 + c s + s^2 / 3); the cost of all that follows is p' (c + s)^2.  The best s is
 * proportional to c, so the cost is p c^2 again, and p follows backwards from message to message.
 * Jumps are independent of one another, so the sum of p jump^2 over the time is what is lost,
 * on top of the variance of the estimate.  With equal distances p = h / (2 sqrt 3).
 */
#include "kalman.h"

#include <stdlib.h>

#include "line.h"

#define START_OFFSET_NS    1e6
#define START_FREQUENCY_NS 1e5 /* per s */

void kalman_init(struct kalman *self, double wander, double jitter_ns, double delay_ns)
{
    *self = (struct kalman){
        .wander_ns = wander * 1e9,
        .noise_ns2 = jitter_ns * jitter_ns,
        .delay_ns = delay_ns,
    };
}

static void start(struct kalman *self, double at_s, double offset_ns)
{
    self->is_started = true;
    self->at_s = at_s;
    self->x[0] = offset_ns;
    self->x[1] = 0;
    self->p[0] = START_OFFSET_NS * START_OFFSET_NS;
    self->p[1] = 0;
    self->p[2] = START_FREQUENCY_NS * START_FREQUENCY_NS;
}

double kalman_offset_ns(const struct kalman *self, double at_s)
{
    return self->x[0] + self->x[1] * (at_s - self->at_s);
}

double kalman_variance_ns2(const struct kalman *self, double at_s)
{
    double dt = at_s - self->at_s;
    double w2 = self->wander_ns * self->wander_ns;

    return self->p[0] + 2 * dt * self->p[1] + dt * dt * self->p[2] + w2 * dt * dt * dt / 3;
}

static void predict(struct kalman *self, double at_s)
{
    double dt = at_s - self->at_s;
    double w2 = self->wander_ns * self->wander_ns;

    if (dt <= 0) {
        return;
    }
    self->x[0] = kalman_offset_ns(self, at_s);
    self->p[0] = kalman_variance_ns2(self, at_s);
    self->p[1] += dt * self->p[2] + w2 * dt * dt / 2;
    self->p[2] += w2 * dt;
    self->at_s = at_s;
}

double kalman_update(struct kalman *self, double at_s, double value_ns, bool is_forward)
{
    double offset_ns = is_forward ? value_ns - self->delay_ns : self->delay_ns - value_ns;

    if (!self->is_started) {
        start(self, at_s, offset_ns);
        return 0;
    }
    predict(self, at_s);
    double s = self->p[0] + self->noise_ns2;
    double gain[2] = {self->p[0] / s, self->p[1] / s};
    double innovation = offset_ns - self->x[0];
    double lowered = gain[0] * self->p[0];
    self->x[0] += gain[0] * innovation;
    self->x[1] += gain[1] * innovation;
    self->p[2] -= gain[1] * self->p[1];
    self->p[1] -= gain[0] * self->p[1];
    self->p[0] -= lowered;
    return lowered;
}

/* ---- steering -------------------------------------------------------------------------------- */

void ramp_add(struct ramp *self, double at_s, double jump_ns2)
{
    if (self->count == self->capacity) {
        self->capacity = self->capacity > 0 ? 2 * self->capacity : 4096;
        self->messages = realloc(self->messages, self->capacity * sizeof *self->messages);
        if (self->messages == NULL) {
            line_give_up("messages", "out of memory");
        }
    }
    self->messages[self->count++] = (struct ramp_message){at_s, jump_ns2};
}

/* the cost of being 1 ns off when a message has come, if it is p 1 ns^2 at the next, h later */
static double cost_before(double p, double h)
{
    double s = h + p > 0 ? -(h + 2 * p) / (2 * h / 3 + 2 * p) : 0;

    return h * (1 + s + s * s / 3) + p * (1 + s) * (1 + s);
}

double ramp_mean_square_ns2(const struct ramp *self)
{
    double sum = 0;
    double p = 0;

    for (size_t i = self->count; i-- > 1;) {
        double h = self->messages[i].at_s - self->messages[i - 1].at_s;

        p = cost_before(p, h > 0 ? h : 0);
        sum += p * self->messages[i - 1].jump_ns2;
    }
    return self->count > 1 ? sum / (self->messages[self->count - 1].at_s - self->messages[0].at_s)
                           : 0;
}

void ramp_free(struct ramp *self)
{
    free(self->messages);
    *self = (struct ramp){0};
}
