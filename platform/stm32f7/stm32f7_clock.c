/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Corrections of the rate are told apart by the reading at which they were made: a stamp before it
 * had one correction less.  A step breaks that order, so a stamp that is taken from the hardware is
 * marked with the number of steps so far, and none is taken across one: frames that are under way
 * and those that wait are made to have none.  The frame that comes in during the
 * step is waited for.  Steps are rare, and what is lost is a sample or two of the old time.
 */
#include "platform/stm32f7/stm32f7_clock.h"

#define FRAME_US      1300 /* the longest, at 10 Mbit/s, with its preamble */
#define WAIT_READINGS 1000000
#define RATE_ONE      MT_REAL(0x1p40)
#define Q64_OF_Q40    (INT64_C(1) << 24)

static struct mt_stm32f7_correction *past(struct mt_stm32f7_clock *self, uint32_t corrections)
{
    return &self->past[corrections % MT_STM32F7_CLOCK_PAST];
}

static struct mt_instant now_of(struct mt_stm32f7_clock *self)
{
    struct mt_instant now = mt_stm32f7_ptp_read(self->ptp);
    now.scale = self->hal.scale;
    return now;
}

static void clock_read(struct mt_hal_clock *hal, struct mt_clock_reading *ret_reading)
{
    struct mt_stm32f7_clock *self = (struct mt_stm32f7_clock *)hal;
    const uint64_t now_us = mt_stm32f7_board_now_us(self->counter);
    *ret_reading = (struct mt_clock_reading){
        .local = {now_of(self), self->corrections},
        .base = {.ns = (int64_t)(now_us * 1000)},
        .rate_q64 = self->ptp->rate_q40 * Q64_OF_Q40,
        .window_ns = 1000,
    };
}

static bool is_remembered(const struct mt_stm32f7_clock *self, uint32_t correction)
{
    return correction > 0 && self->corrections - correction < MT_STM32F7_CLOCK_PAST - 1;
}

/* Before the steps that have been made since it was taken, and before what came after it. */
static void clock_stamp(struct mt_hal_clock *hal, struct mt_base_time stamp,
                        struct mt_stamp *ret_stamp)
{
    struct mt_stm32f7_clock *self = (struct mt_stm32f7_clock *)hal;
    const struct mt_instant at = mt_instant_from_ns(stamp.ns, hal->scale);
    uint32_t steps = (uint16_t)(self->steps - stamp.counter);
    uint32_t count = self->corrections;
    for (; steps > 0 && is_remembered(self, count); count--) {
        steps -= past(self, count)->is_step ? 1 : 0;
    }
    while (is_remembered(self, count) && mt_instant_compare(at, past(self, count)->at) < 0) {
        count--;
    }
    ret_stamp->at = at;
    ret_stamp->corrections = count;
}

struct mt_base_time mt_stm32f7_clock_base(const struct mt_stm32f7_clock *self,
                                          struct mt_stm32f7_raw_time raw)
{
    return (struct mt_base_time){.ns = mt_instant_to_ns(mt_stm32f7_ptp_extend(self->ptp, raw)),
                                 .counter = (uint16_t)self->steps};
}

static void let_frames_end(struct mt_stm32f7_clock *self)
{
    const uint64_t begin_us = mt_stm32f7_board_now_us(self->counter);
    for (uint32_t i = 0; i < WAIT_READINGS; i++) {
        if (mt_stm32f7_board_now_us(self->counter) - begin_us > FRAME_US) {
            return;
        }
    }
}

static bool step(struct mt_stm32f7_clock *self, const struct mt_correction *correction,
                 struct mt_applied *ret_applied)
{
    if (!mt_stm32f7_ptp_step(self->ptp, correction->step, &ret_applied->step)) {
        return false;
    }
    self->hal.scale = correction->scale;
    ret_applied->at = now_of(self);
    let_frames_end(self);
    mt_stm32f7_mac_void_stamps(self->mac);
    return true;
}

static bool run(struct mt_stm32f7_clock *self, const struct mt_correction *correction,
                struct mt_applied *ret_applied)
{
    const int64_t wanted_q40 =
        mt_real_round(mt_real_limit(correction->rate, self->hal.max_rate) * RATE_ONE);
    const uint64_t now_us = mt_stm32f7_board_now_us(self->counter);
    if (!mt_stm32f7_ptp_set_rate(self->ptp, wanted_q40, now_us)) {
        return false;
    }
    ret_applied->at = now_of(self);
    return true;
}

static void clock_apply(struct mt_hal_clock *hal, const struct mt_correction *correction,
                        struct mt_applied *ret_applied)
{
    struct mt_stm32f7_clock *self = (struct mt_stm32f7_clock *)hal;
    *ret_applied = (struct mt_applied){.kind = correction->kind};
    const bool is_done = correction->kind == MT_CORRECT_STEP ? step(self, correction, ret_applied)
                                                             : run(self, correction, ret_applied);
    if (is_done) {
        const bool is_step = correction->kind == MT_CORRECT_STEP;
        self->corrections++;
        self->steps += is_step ? 1 : 0;
        *past(self, self->corrections) = (struct mt_stm32f7_correction){ret_applied->at, is_step};
    } else {
        ret_applied->at = now_of(self);
        ret_applied->is_refused = true;
    }
    ret_applied->corrections = self->corrections;
    ret_applied->rate = (mt_real)self->ptp->rate_q40 / RATE_ONE;
}

/* Nobody else has a hand on it. */
static bool clock_disturbed(struct mt_hal_clock *hal, struct mt_applied *ret_applied)
{
    (void)hal;
    (void)ret_applied;
    return false;
}

static const struct mt_hal_clock_ops ops = {
    .read = clock_read,
    .stamp = clock_stamp,
    .apply = clock_apply,
    .disturbed = clock_disturbed,
};

void mt_stm32f7_clock_init(struct mt_stm32f7_clock *self, struct mt_stm32f7_ptp *ptp,
                           struct mt_stm32f7_mac *mac, struct mt_stm32f7_counter *counter)
{
    self->hal = (struct mt_hal_clock){
        .ops = &ops,
        .base = MT_BASE_MONOTONIC_RAW,
        .scale = MT_SCALE_ARB,
        .granularity_ns = MT_STM32F7_GRANULE_NS,
        .max_rate = MT_REAL(1e-3),
        .adopts_scale = true,
        .is_adjustable = true,
    };
    self->ptp = ptp;
    self->mac = mac;
    self->counter = counter;
    self->corrections = 0;
    self->steps = 0;
}
