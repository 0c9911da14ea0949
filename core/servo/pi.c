/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Proportional and integral: rate = -(kp offset + drift), drift += ki offset.
 *
 * The gains follow the interval, kp = 0.7 T^-0.3 and ki = 0.3 T^0.4, but kp T is at most 0.7 and
 * ki T at most 0.3, so long intervals do not make it swing.  Two offsets are collected first, far
 * enough from one another that their difference is a frequency; then the clock may be stepped,
 * and the law runs.  While the range is exceeded the drift stands still, so nothing winds up.  An
 * offset so large that it would be stepped away makes the law begin anew.
 */
#include "meantime/servo_laws.h"

#define KP_SCALE  MT_REAL(0.7)
#define KI_SCALE  MT_REAL(0.3)
#define KP_MOST   MT_REAL(0.7)
#define KI_MOST   MT_REAL(0.3)
#define FIRST_GAP MT_REAL(0.016) /* the first two are this / ki apart, in s, */
#define GAP_MOST  1000           /* at most this, */
#define GAP_SLACK MT_REAL(1.001) /* and a little less is enough */

static mt_real smaller(mt_real a, mt_real b)
{
    return a < b ? a : b;
}

static mt_real power(mt_real base, mt_real exponent)
{
    return mt_real_exp(exponent * mt_real_log(base));
}

mt_real mt_pi_kp(mt_real interval)
{
    return smaller(KP_SCALE * power(interval, MT_REAL(-0.3)), KP_MOST / interval);
}

mt_real mt_pi_ki(mt_real interval)
{
    return smaller(KI_SCALE * power(interval, MT_REAL(0.4)), KI_MOST / interval);
}

void mt_pi_init(struct mt_pi *self, mt_real rate)
{
    *self = (struct mt_pi){.drift = -rate};
}

void mt_pi_corrected(struct mt_pi *self)
{
    if (self->count < 2) {
        self->count = 0;
    }
}

static enum mt_law_answer collect(struct mt_pi *self, const struct mt_law_input *input,
                                  mt_real *ret_rate)
{
    mt_real gap = smaller(FIRST_GAP / mt_pi_ki(input->interval), GAP_MOST);

    if (self->count == 0) {
        self->count = 1;
        self->first = input->offset;
        self->elapsed = 0;
        return MT_LAW_WAITS;
    }
    self->elapsed += input->elapsed;
    if (self->elapsed <= 0) { /* the clock was set back, and nobody said so */
        self->count = 0;
        return MT_LAW_WAITS;
    }
    if (self->elapsed * GAP_SLACK < gap) {
        return MT_LAW_WAITS;
    }
    self->drift += (1 - self->drift) * (input->offset - self->first) / self->elapsed;
    self->drift = mt_real_clamp(self->drift, -input->max_rate, input->max_rate);
    self->count = 2;
    *ret_rate = -self->drift;
    return MT_LAW_JUMPS;
}

enum mt_law_answer mt_pi_update(struct mt_pi *self, const struct mt_law_input *input,
                                mt_real *ret_rate)
{
    mt_real growth = mt_pi_ki(input->interval) * input->offset;
    mt_real wanted;

    if (self->count < 2) {
        return collect(self, input, ret_rate);
    }
    if (input->is_large) {
        self->count = 0;
        return MT_LAW_WAITS;
    }
    wanted = mt_pi_kp(input->interval) * input->offset + self->drift + growth;
    *ret_rate = -mt_real_clamp(wanted, -input->max_rate, input->max_rate);
    if (wanted == -*ret_rate) {
        self->drift += growth;
    }
    return MT_LAW_RUNS;
}
