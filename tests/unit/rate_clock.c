/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "rate_clock.h"

int64_t rate_clock_at(const struct rate_clock *self, int64_t base_ns)
{
    mt_real gained = (mt_real)(base_ns - self->since_ns) * (self->error + self->rate);
    return base_ns + self->ahead_ns + mt_real_round(gained);
}

void rate_clock_change(struct rate_clock *self, int64_t step_ns, mt_real rate)
{
    self->ahead_ns = rate_clock_at(self, self->now_ns) - self->now_ns + step_ns;
    self->since_ns = self->now_ns;
    self->rate = rate;
}

static void read_clock(struct mt_hal_clock *hal, struct mt_clock_reading *ret_reading)
{
    const struct rate_clock *self = (const struct rate_clock *)hal;
    int64_t ns = rate_clock_at(self, self->now_ns);
    *ret_reading = (struct mt_clock_reading){
        .local = {mt_instant_from_ns(ns, hal->scale), self->corrections},
        .base = {.ns = self->now_ns},
        .rate_q64 = (int64_t)((self->error + self->rate) * 18446744073709551616.0),
    };
}

static void stamp_clock(struct mt_hal_clock *hal, struct mt_base_time base,
                        struct mt_stamp *ret_stamp)
{
    const struct rate_clock *self = (const struct rate_clock *)hal;
    *ret_stamp = (struct mt_stamp){mt_instant_from_ns(rate_clock_at(self, base.ns), hal->scale),
                                   self->corrections};
}

static void apply_clock(struct mt_hal_clock *hal, const struct mt_correction *correction,
                        struct mt_applied *ret_applied)
{
    struct rate_clock *self = (struct rate_clock *)hal;
    bool is_step = correction->kind == MT_CORRECT_STEP;
    rate_clock_change(self, is_step ? mt_span_to_ns(correction->step) : 0,
                      is_step ? self->rate : correction->rate);
    hal->scale = is_step && hal->adopts_scale ? correction->scale : hal->scale;
    *ret_applied = (struct mt_applied){
        .kind = correction->kind,
        .step = correction->step,
        .rate = self->rate,
        .at = mt_instant_from_ns(rate_clock_at(self, self->now_ns), hal->scale),
        .corrections = ++self->corrections,
    };
}

static bool never_disturbed(struct mt_hal_clock *hal, struct mt_applied *ret_applied)
{
    return false;
}

void rate_clock_init(struct rate_clock *self, int64_t now_ns, int64_t ahead_ns, mt_real error)
{
    static const struct mt_hal_clock_ops ops = {.read = read_clock,
                                                .stamp = stamp_clock,
                                                .apply = apply_clock,
                                                .disturbed = never_disturbed};
    *self = (struct rate_clock){.now_ns = now_ns,
                                .ahead_ns = ahead_ns,
                                .since_ns = now_ns,
                                .error = error,
                                .hal = {.ops = &ops,
                                        .base = MT_BASE_BOOTTIME,
                                        .scale = MT_SCALE_TAI,
                                        .granularity_ns = 1,
                                        .max_rate = 5e-4,
                                        .is_adjustable = true}};
}
