/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The clock between two corrections is linear in what its oscillator has counted since the first
 * of the two: whole nanoseconds are added exactly, and only the small products (rate times elapsed,
 * the oscillator's gain) go through floating point, rounded to 2^-16 ns.
 */
#include "platform/sim/sim_clock.h"

#include "platform/sim/sim_private.h"

#define NEAR_NS INT64_C(100000000000)

static const mt_real two_to_64 = 18446744073709551616.0;

static struct mt_sim_piece *place(struct mt_sim_clock *self, uint32_t number)
{
    return &self->pieces[number % MT_SIM_CLOCK_PAST];
}

static void begin_piece(struct mt_sim_clock *self, struct mt_instant local, mt_real rate)
{
    struct mt_base_time now = mt_sim_base(self->world);

    *place(self, self->corrections) = (struct mt_sim_piece){
        .start_ns = now.ns,
        .gain_at_start = mt_sim_oscillator_gain(self->oscillator, now),
        .local_at_start = local,
        .rate = rate,
    };
    self->hal.scale = local.scale;
}

void mt_sim_clock_init(struct mt_sim_clock *self, struct mt_instant local)
{
    self->corrections = 0;
    self->is_disturbed = false;
    begin_piece(self, local, 0);
}

/* ---- reading --------------------------------------------------------------------------------- */

/* base - start + rest + more, when that is too much for 64 bits of 2^-16 ns */
static struct mt_instant far_value(const struct mt_sim_piece *piece, int64_t elapsed_ns,
                                   int64_t rest_q16, mt_real more_ns)
{
    struct mt_span steered = mt_span_from_real(more_ns / 1e9);
    struct mt_span rest = mt_span_from_interval((struct mt_interval){rest_q16});
    struct mt_span counted = mt_span_plus(mt_span_from_ns(elapsed_ns), rest);

    return mt_instant_plus(piece->local_at_start, mt_span_plus(counted, steered));
}

static struct mt_instant piece_value(struct mt_sim_clock *self, const struct mt_sim_piece *piece,
                                     struct mt_base_time base)
{
    int64_t elapsed_ns = base.ns - piece->start_ns;
    struct mt_interval gain = mt_sim_oscillator_gain(self->oscillator, base);
    int64_t rest_q16 = gain.q16 - piece->gain_at_start.q16 + base.frac;
    mt_real more_ns = piece->rate * ((mt_real)elapsed_ns + (mt_real)rest_q16 / 65536);
    struct mt_instant value = piece->local_at_start;

    if (!(more_ns < NEAR_NS && more_ns > -NEAR_NS) || rest_q16 > NEAR_NS * INT64_C(65536) ||
        rest_q16 < -NEAR_NS * INT64_C(65536)) {
        return far_value(piece, elapsed_ns, rest_q16, more_ns);
    }
    int64_t sum_q16 = rest_q16 + mt_sim_q16(more_ns) + value.frac;
    int64_t whole_ns = mt_interval_to_ns((struct mt_interval){sum_q16});
    int64_t ns = value.ns + elapsed_ns + whole_ns;
    int64_t s = ns / MT_NS_PER_S - (ns % MT_NS_PER_S < 0);
    value.s += s;
    value.ns = (uint32_t)(ns - s * MT_NS_PER_S);
    value.frac = (uint16_t)(sum_q16 - whole_ns * 65536);
    return value;
}

struct mt_stamp mt_sim_clock_stamp(struct mt_sim_clock *self, struct mt_base_time base)
{
    uint32_t number = self->corrections;

    while (number > 0 && self->corrections - number < MT_SIM_CLOCK_PAST - 1 &&
           base.ns < place(self, number)->start_ns) {
        number--;
    }
    return (struct mt_stamp){piece_value(self, place(self, number), base), number};
}

static void clock_read(struct mt_hal_clock *hal, struct mt_clock_reading *ret_reading)
{
    struct mt_sim_clock *self = (struct mt_sim_clock *)hal;
    struct mt_base_time now = mt_sim_base(self->world);
    mt_real nominal = mt_sim_oscillator_rate(self->oscillator, now);
    mt_real rate = place(self, self->corrections)->rate;

    ret_reading->local = mt_sim_clock_stamp(self, now);
    ret_reading->base = now;
    ret_reading->rate_q64 = (int64_t)((nominal + rate + nominal * rate) * two_to_64);
    ret_reading->window_ns = 0;
}

static void clock_stamp(struct mt_hal_clock *hal, struct mt_base_time base,
                        struct mt_stamp *ret_stamp)
{
    *ret_stamp = mt_sim_clock_stamp((struct mt_sim_clock *)hal, base);
}

/* ---- corrections ----------------------------------------------------------------------------- */

static void turn(struct mt_sim_clock *self, struct mt_span step, enum mt_timescale scale,
                 mt_real rate)
{
    struct mt_stamp now = mt_sim_clock_stamp(self, mt_sim_base(self->world));

    now.at = mt_instant_plus(now.at, step);
    now.at.scale = scale;
    self->corrections++;
    begin_piece(self, now.at, rate);
}

static void describe(const struct mt_sim_clock *self, enum mt_correction_kind kind,
                     struct mt_span step, struct mt_applied *ret_applied)
{
    const struct mt_sim_piece *newest = &self->pieces[self->corrections % MT_SIM_CLOCK_PAST];

    *ret_applied = (struct mt_applied){
        .kind = kind,
        .step = step,
        .rate = newest->rate,
        .at = newest->local_at_start,
        .corrections = self->corrections,
    };
}

static void clock_apply(struct mt_hal_clock *hal, const struct mt_correction *correction,
                        struct mt_applied *ret_applied)
{
    struct mt_sim_clock *self = (struct mt_sim_clock *)hal;
    const struct mt_world_observer *observer = &self->world->observer;
    bool is_step = correction->kind == MT_CORRECT_STEP;
    struct mt_span step = is_step ? correction->step : (struct mt_span){0, 0, 0};
    mt_real rate = is_step ? place(self, self->corrections)->rate
                           : mt_real_clamp(correction->rate, -hal->max_rate, hal->max_rate);

    turn(self, step, is_step ? correction->scale : hal->scale, rate);
    describe(self, correction->kind, step, ret_applied);
    if (observer->correction != NULL) {
        const struct mt_world_correction told = {self->world->t_ns, self->node, self->index,
                                                 correction, ret_applied};
        observer->correction(observer->context, &told);
    }
}

/* Several that have not been told yet are told as one: only the last is in the count, so the
 * discipline knows that it has missed some. */
void mt_sim_clock_disturb(struct mt_sim_clock *self, struct mt_span by)
{
    turn(self, by, self->hal.scale, place(self, self->corrections)->rate);
    if (self->is_disturbed) {
        by = mt_span_plus(self->disturbance.step, by);
    }
    describe(self, MT_CORRECT_STEP, by, &self->disturbance);
    self->is_disturbed = true;
}

static bool clock_disturbed(struct mt_hal_clock *hal, struct mt_applied *ret_applied)
{
    struct mt_sim_clock *self = (struct mt_sim_clock *)hal;

    if (!self->is_disturbed) {
        return false;
    }
    *ret_applied = self->disturbance;
    self->is_disturbed = false;
    return true;
}

const struct mt_hal_clock_ops mt_sim_clock_ops = {
    .read = clock_read,
    .stamp = clock_stamp,
    .apply = clock_apply,
    .disturbed = clock_disturbed,
};
