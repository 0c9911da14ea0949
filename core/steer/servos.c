/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Between the discipline and the servo laws (core/servo/pi.c, linreg.c), and the small discipline
 * that tunes itself (kalman_follower.c), which does all of it by itself.
 *
 * A law sees offsets of the clock as it is now.  What it remembers is brought there when a
 * correction has been applied, by what was really applied, and the last sample is kept as it was
 * measured, to be translated when it is needed.  A path that is longer than the history of
 * corrections gives no delays, and without a delay there is no offset.
 */
#include "meantime/steer_servos.h"

#include "base/memory.h"
#include "steer/steer_private.h"

#define SHORTEST MT_REAL(0x1p-10) /* s: intervals are powers of two from here */
#define LONGEST  MT_REAL(0x1p10)  /* to here */
#define HALFWAY  MT_REAL(1.4142)  /* between two of them */

/* ---- the path delay -------------------------------------------------------------------------- */

static void add_delay(struct mt_servo_storage *servo, mt_real delay)
{
    servo->delays[servo->delay_next] = delay;
    servo->delay_next = (uint8_t)((servo->delay_next + 1) % MT_SERVO_DELAYS);
    if (servo->delay_count < MT_SERVO_DELAYS) {
        servo->delay_count++;
    }
}

/* of an even number the mean of the two in the middle */
static mt_real median_delay(const struct mt_servo_storage *servo)
{
    mt_real sorted[MT_SERVO_DELAYS];
    unsigned count = servo->delay_count;

    for (unsigned i = 0; i < count; i++) {
        unsigned at = i;

        for (; at > 0 && sorted[at - 1] > servo->delays[i]; at--) {
            sorted[at] = sorted[at - 1];
        }
        sorted[at] = servo->delays[i];
    }
    return (sorted[(count - 1) / 2] + sorted[count / 2]) / 2;
}

/* the last Sync, and this Delay_Req after it */
static void measure_delay(struct mt_discipline *self, const struct mt_sample *reverse)
{
    struct mt_servo_storage *servo = self->config.servo_storage;
    struct mt_sample forward = servo->last;

    if (servo->has_last && mt_steer_translate(self, &forward)) {
        struct mt_span round_trip = mt_span_plus(forward.value, reverse->value);

        add_delay(servo, mt_span_to_real(round_trip) / 2);
    }
}

/* ---- the offset ------------------------------------------------------------------------------ */

static bool is_large(const struct mt_discipline *self, const struct mt_sample *sample,
                     mt_real offset)
{
    return sample->scale != self->scale || mt_real_abs(offset) > mt_steer_step_size(self);
}

/* the nominal interval: the power of two that is next to the mean */
static mt_real learn_interval(struct mt_servo_storage *servo, mt_real elapsed)
{
    mt_real nominal = SHORTEST;

    servo->interval += servo->interval > 0 ? (elapsed - servo->interval) / 8 : elapsed;
    while (nominal < LONGEST && nominal * HALFWAY < servo->interval) {
        nominal *= 2;
    }
    return nominal;
}

/* false: the sample comes before the last one */
static bool make_input(struct mt_discipline *self, const struct mt_sample *sample, mt_real offset,
                       struct mt_law_input *ret_input)
{
    struct mt_servo_storage *servo = self->config.servo_storage;
    struct mt_sample last = servo->last;

    *ret_input = (struct mt_law_input){
        .offset = offset,
        .interval = 1,
        .rate = self->rate,
        .max_rate = self->config.max_rate,
        .is_large = is_large(self, sample, offset),
    };
    if (!servo->has_offset) {
        return true;
    }
    if (!mt_steer_translate(self, &last)) {
        return false;
    }
    ret_input->elapsed = mt_seconds(&last.local.at, &sample->local.at);
    if (ret_input->elapsed <= 0) {
        return false;
    }
    ret_input->interval = learn_interval(servo, ret_input->elapsed);
    return true;
}

static void answer(struct mt_discipline *self, const struct mt_sample *sample,
                   const struct mt_span *offset, enum mt_law_answer found, mt_real rate)
{
    struct mt_servo_storage *servo = self->config.servo_storage;

    if (found == MT_LAW_WAITS || self->awaits_applied) {
        return;
    }
    if (found == MT_LAW_JUMPS && is_large(self, sample, mt_span_to_real(*offset))) {
        self->next.kind = MT_CORRECT_STEP;
        self->next.step = mt_span_negate(*offset);
        self->next.scale = sample->scale;
        self->has_next = true;
        servo->has_rate = true;
        servo->rate = rate;
        return;
    }
    self->has_stepped = true; /* the first offset has been dealt with */
    mt_steer_hand_out(self, mt_steer_even_rate(self) - rate);
}

typedef enum mt_law_answer law_update(struct mt_servo_storage *servo,
                                      const struct mt_law_input *input, mt_real *ret_rate);

static void take_offset(struct mt_discipline *self, const struct mt_sample *sample,
                        const struct mt_span *offset, law_update *update)
{
    struct mt_servo_storage *servo = self->config.servo_storage;
    struct mt_law_input input;
    enum mt_law_answer found;
    mt_real rate = 0;

    if (!make_input(self, sample, mt_span_to_real(*offset), &input)) {
        self->config.servo->begin(self);
        return;
    }
    servo->has_offset = true;
    found = update(servo, &input, &rate);
    answer(self, sample, offset, found, rate);
}

static void take(struct mt_discipline *self, const struct mt_sample *present,
                 const struct mt_sample *measured, law_update *update)
{
    struct mt_servo_storage *servo = self->config.servo_storage;
    struct mt_span offset = present->value;

    if (self->config.estimates_only || self->sets_rate || present->is_extra ||
        self->last_sample.ns < self->next_correction_at.ns) {
        return;
    }
    if (present->kind == MT_SAMPLE_REVERSE) {
        measure_delay(self, present);
        return;
    }
    if (present->kind == MT_SAMPLE_FORWARD && servo->delay_count > 0) {
        offset = mt_span_minus(offset, mt_span_from_real(median_delay(servo)));
    }
    if (present->kind == MT_SAMPLE_OFFSET || servo->delay_count > 0) {
        take_offset(self, present, &offset, update);
    }
    servo->last = *measured;
    servo->has_last = true;
}

/* ---- corrections ----------------------------------------------------------------------------- */

static void begin(struct mt_discipline *self)
{
    memset(self->config.servo_storage, 0, sizeof *self->config.servo_storage);
}

/* after a step the clock is to run at the rate that was found with it */
static void follow_step(struct mt_discipline *self, const struct mt_steer_change *change)
{
    struct mt_servo_storage *servo = self->config.servo_storage;

    if (change->kind == MT_CORRECT_STEP && servo->has_rate) {
        mt_steer_hand_out(self, mt_steer_even_rate(self) - servo->rate);
        servo->has_rate = false;
    }
}

/* ---- PI -------------------------------------------------------------------------------------- */

static void begin_pi(struct mt_discipline *self)
{
    begin(self);
    mt_pi_init(&self->config.servo_storage->law.pi, self->rate);
}

static enum mt_law_answer update_pi(struct mt_servo_storage *servo,
                                    const struct mt_law_input *input, mt_real *ret_rate)
{
    return mt_pi_update(&servo->law.pi, input, ret_rate);
}

static void sample_pi(struct mt_discipline *self, const struct mt_sample *present,
                      const struct mt_sample *measured)
{
    take(self, present, measured, update_pi);
}

static void corrected_pi(struct mt_discipline *self, const struct mt_steer_change *change)
{
    mt_pi_corrected(&self->config.servo_storage->law.pi);
    follow_step(self, change);
}

const struct mt_steer_servo mt_steer_servo_pi = {begin_pi, sample_pi, corrected_pi};

/* ---- linear regression ----------------------------------------------------------------------- */

static void begin_linreg(struct mt_discipline *self)
{
    begin(self);
    mt_linreg_init(&self->config.servo_storage->law.linreg);
}

static enum mt_law_answer update_linreg(struct mt_servo_storage *servo,
                                        const struct mt_law_input *input, mt_real *ret_rate)
{
    return mt_linreg_update(&servo->law.linreg, input, ret_rate);
}

static void sample_linreg(struct mt_discipline *self, const struct mt_sample *present,
                          const struct mt_sample *measured)
{
    take(self, present, measured, update_linreg);
}

static void corrected_linreg(struct mt_discipline *self, const struct mt_steer_change *change)
{
    struct mt_servo_storage *servo = self->config.servo_storage;
    struct mt_sample last = servo->last;

    if (change->kind == MT_CORRECT_STEP) {
        mt_linreg_stepped(&servo->law.linreg, mt_span_to_real(change->by.step));
    } else if (servo->has_offset && mt_steer_translate(self, &last)) {
        /* `last` has been moved by this change, too */
        mt_real since = mt_seconds(&last.local.at, &change->at) / (1 + change->by.ratio);

        mt_linreg_rate_changed(&servo->law.linreg, change->by.ratio, since);
    }
    follow_step(self, change);
}

const struct mt_steer_servo mt_steer_servo_linreg = {begin_linreg, sample_linreg, corrected_linreg};

/* ---- Kalman filter --------------------------------------------------------------------------- */

static struct mt_kalman_follower *kalman_of(const struct mt_discipline *self)
{
    return &self->config.servo_storage->kalman;
}

static void hand_on(struct mt_discipline *self)
{
    struct mt_kalman_follower *follower = kalman_of(self);

    self->slew_end = follower->slew_end;
    if (follower->has_next && !self->awaits_applied && !self->config.estimates_only) {
        if (follower->next.kind == MT_CORRECT_STEP) {
            self->next = follower->next;
            self->has_next = true;
        } else {
            mt_steer_hand_out(self, mt_steer_even_rate(self) - follower->next.rate);
        }
    }
    follower->has_next = false;
}

/* The clock is as the discipline knows it, whatever was missed. */
static void meet(const struct mt_discipline *self, struct mt_kalman_follower *follower)
{
    follower->rate = self->rate;
    follower->scale = self->scale;
    follower->corrections = self->corrections;
}

/* What was learned of the clock outlives a change of source. */
static void begin_kalman(struct mt_discipline *self)
{
    struct mt_kalman_follower *follower = kalman_of(self);

    if (follower->max_rate == 0) {
        mt_kalman_follower_init(follower, self->scale, self->corrections, 0);
    }
    follower->max_rate = self->config.max_rate;
    follower->max_slew = self->config.max_slew;
    meet(self, follower);
    mt_kalman_follower_forget(follower);
    hand_on(self);
}

static void sample_kalman(struct mt_discipline *self, const struct mt_sample *present,
                          const struct mt_sample *measured)
{
    struct mt_kalman_follower *follower = kalman_of(self);
    struct mt_sample now = *present;

    (void)measured;
    if (self->sets_rate) {
        return;
    }
    if (follower->corrections != self->corrections) {
        mt_kalman_follower_forget(follower);
        meet(self, follower);
    }
    now.local.corrections = self->corrections;
    follower->step_at_start = follower->step_later = mt_steer_step_size(self);
    mt_kalman_follower_sample(follower, &now, self->last_sample);
    self->has_stepped = follower->has_stepped;
    hand_on(self);
}

/* At the end of a slew the discipline goes to the rate that the estimator finds even, from where
 * it is made that of the filter. */
static void corrected_kalman(struct mt_discipline *self, const struct mt_steer_change *change)
{
    struct mt_kalman_follower *follower = kalman_of(self);
    struct mt_applied applied = {
        .kind = change->kind,
        .rate = self->rate,
        .at = change->at,
        .corrections = self->corrections,
    };

    mt_kalman_follower_applied(follower, &applied);
    if (self->slew_end.ns == MT_MONO_NEVER.ns && follower->slew_end.ns != MT_MONO_NEVER.ns) {
        mt_kalman_follower_tick(follower, MT_MONO_NEVER);
    }
    hand_on(self);
}

const struct mt_steer_servo mt_steer_servo_kalman = {begin_kalman, sample_kalman, corrected_kalman};
