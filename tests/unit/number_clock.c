/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "number_clock.h"

#define WINDOW_NS 100

void number_clock_pass(struct number_clock *self, int64_t ns)
{
    mt_real gained = self->part_ns + (mt_real)ns * (self->error + self->rate);
    self->ns += ns + (int64_t)gained;
    self->part_ns = gained - (mt_real)(int64_t)gained;
}

static void read_number(struct mt_hal_clock *hal, struct mt_clock_reading *ret_reading)
{
    struct number_clock *self = (struct number_clock *)hal;
    mt_real rate = self->error + self->rate;
    int64_t late_ns = self->read_late_ns + (int64_t)((mt_real)self->read_late_ns * rate);
    *ret_reading = (struct mt_clock_reading){
        .local = {mt_instant_from_ns(self->ns + late_ns, hal->scale), self->corrections},
        .base = {.ns = self->now->ns + self->read_late_ns},
        .rate_q64 = (int64_t)(rate * 18446744073709551616.0),
        .window_ns = WINDOW_NS,
    };
}

static void change(struct number_clock *self, const struct mt_correction *correction,
                   struct mt_applied *ret_applied)
{
    struct mt_hal_clock *hal = &self->hal;
    if (correction->kind == MT_CORRECT_STEP) {
        self->ns += mt_span_to_ns(correction->step);
        hal->scale = hal->adopts_scale ? correction->scale : hal->scale;
    } else {
        self->rate = correction->rate;
    }
    *ret_applied = (struct mt_applied){.kind = correction->kind,
                                       .step = correction->step,
                                       .rate = self->rate,
                                       .at = mt_instant_from_ns(self->ns, hal->scale),
                                       .corrections = ++self->corrections};
}

static void apply_number(struct mt_hal_clock *hal, const struct mt_correction *correction,
                         struct mt_applied *ret_applied)
{
    struct number_clock *self = (struct number_clock *)hal;
    self->ours++;
    change(self, correction, ret_applied);
}

void number_clock_meddle(struct number_clock *self, const struct mt_correction *correction)
{
    change(self, correction, &self->change);
    self->has_change = true;
}

static bool was_changed(struct mt_hal_clock *hal, struct mt_applied *ret_applied)
{
    struct number_clock *self = (struct number_clock *)hal;
    bool has_change = self->has_change;
    *ret_applied = self->change;
    self->has_change = false;
    return has_change;
}

void number_clock_init(struct number_clock *self, const struct mt_mono *now,
                       enum mt_timescale scale)
{
    static const struct mt_hal_clock_ops ops = {
        .read = read_number, .apply = apply_number, .disturbed = was_changed};
    *self = (struct number_clock){.now = now,
                                  .ns = NUMBER_CLOCK_START_NS,
                                  .hal = {.ops = &ops,
                                          .base = MT_BASE_BOOTTIME,
                                          .scale = scale,
                                          .granularity_ns = 1,
                                          .max_rate = 5e-4,
                                          .is_adjustable = true}};
}
