/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The overlay clock and the lab clock.  Layers:
 *
 *     CLOCK_BOOTTIME --calm--> raw time --(oscillator, lab only)--> --mapping--> the clock
 *
 * What others slew the kernel's clocks by (an NTP daemon) is taken away again by `calm`, as soon
 * as the kernel tells of it.  What others step CLOCK_REALTIME by does not reach the clock, nor
 * those who read its page.
 * Packets are stamped in CLOCK_REALTIME, so a stamp is turned into BOOTTIME with the difference
 * of the two that was in force; each look at the clocks compares them.  A packet may have been
 * stamped before a step and be converted after it, so the difference before the last step is
 * kept too.
 * Corrections are turns of the mapping; its past converts the stamps of packets that arrived
 * before the last few corrections, with the count that was in force then.
 */
#include "platform/linux/linux_clock.h"

#include <stdlib.h>

#include "platform/linux/linux_oscillator.h"
#include "platform/linux/linux_tune.h"

#define MAX_RATE 0.1

struct overlay {
    struct mt_hal_clock hal;
    struct mt_step_watch watch;
    int64_t previous_ahead_ns; /**< REALTIME - BOOTTIME before the last step */
    int64_t boundary_ns;       /**< see struct mt_step_found */
    struct mt_tune_watch tune;
    struct mt_mapping calm;
    struct mt_oscillator oscillator;
    bool has_oscillator;
    struct mt_mapping mapping;
};

/* the rate that undoes the kernel's */
static int64_t calm_rate_q64(const struct overlay *self)
{
    mt_real rate = mt_tune_watch_rate(&self->tune);

    return mt_rate_to_q64(-rate / (1 + rate), MAX_RATE);
}

/* The change came at an unknown moment: take the middle.  The watch keeps the doubt. */
static void calm_down(struct overlay *self, int64_t boottime_ns)
{
    int64_t before_q64 = mt_mapping_newest(&self->calm)->rate_q64;
    int64_t elapsed_ns;
    mt_q32 missed;

    if (mt_tune_watch_look(&self->tune, boottime_ns, &elapsed_ns)) {
        missed = (mt_q32)elapsed_ns * (calm_rate_q64(self) - before_q64) >> 33;
        mt_mapping_turn(&self->calm, mt_q32_from_ns(boottime_ns), missed, calm_rate_q64(self),
                        MT_SCALE_ARB);
    }
}

static struct mt_step_found look(struct overlay *self)
{
    struct mt_step_found now = mt_step_watch_look(&self->watch);

    calm_down(self, now.boottime_ns);

    if (now.step_ns != 0) {
        self->previous_ahead_ns = now.ahead_ns - now.step_ns;
        self->boundary_ns = now.boundary_ns;
    }
    return now;
}

static bool is_before_step(const struct overlay *self, int64_t realtime_ns,
                           const struct mt_step_found *now)
{
    return self->boundary_ns != INT64_MIN &&
           (realtime_ns < self->boundary_ns ||
            realtime_ns > now->boottime_ns + now->ahead_ns + now->window_ns);
}

/* what the mapping starts from: the oscillator's reading, or raw time itself */
static mt_q32 start_of(struct overlay *self, mt_q32 boottime)
{
    mt_q32 raw = mt_segment_value(mt_mapping_at(&self->calm, boottime), boottime);

    return self->has_oscillator ? mt_oscillator_value(&self->oscillator, raw) : raw;
}

static struct mt_stamp stamp_at(const struct overlay *self, mt_q32 x)
{
    const struct mt_segment *segment = mt_mapping_at(&self->mapping, x);

    return (struct mt_stamp){mt_q32_to_instant(mt_segment_value(segment, x), segment->scale),
                             segment->count};
}

static void overlay_read(struct mt_hal_clock *clock, struct mt_clock_reading *ret_reading)
{
    struct overlay *self = (struct overlay *)clock;
    struct mt_step_found now = look(self);
    int64_t rate_q64;

    ret_reading->local = stamp_at(self, start_of(self, mt_q32_from_ns(now.boottime_ns)));
    ret_reading->base = (struct mt_base_time){.ns = now.boottime_ns};
    rate_q64 = mt_rate_compose_q64(mt_mapping_newest(&self->mapping)->rate_q64,
                                   mt_mapping_newest(&self->calm)->rate_q64);
    ret_reading->rate_q64 =
        self->has_oscillator
            ? mt_rate_compose_q64(rate_q64, mt_oscillator_rate_q64(&self->oscillator))
            : rate_q64;
    /* stamps may be wrong against the page by the first, a reader of the page by the second */
    ret_reading->window_ns = now.window_ns + mt_tune_watch_doubt_ns(&self->tune, now.boottime_ns);
}

static void overlay_stamp(struct mt_hal_clock *clock, struct mt_base_time realtime,
                          struct mt_stamp *ret_stamp)
{
    struct overlay *self = (struct overlay *)clock;
    struct mt_step_found now;
    int64_t ahead_ns;
    mt_q32 boottime;

    realtime = mt_os_time_realtime_of(self->watch.os, realtime);
    now = look(self);
    ahead_ns = is_before_step(self, realtime.ns, &now) ? self->previous_ahead_ns : now.ahead_ns;
    boottime = mt_q32_from_base(realtime) - mt_q32_from_ns(ahead_ns);
    *ret_stamp = stamp_at(self, start_of(self, boottime));
}

static void overlay_apply(struct mt_hal_clock *clock, const struct mt_correction *correction,
                          struct mt_applied *ret_applied)
{
    struct overlay *self = (struct overlay *)clock;
    mt_q32 x = start_of(self, mt_q32_from_ns(look(self).boottime_ns));
    const struct mt_segment *segment = mt_mapping_newest(&self->mapping);
    bool is_step = correction->kind == MT_CORRECT_STEP;
    struct mt_span step = is_step ? correction->step : (struct mt_span){0, 0, 0};

    mt_tune_watch_corrected(&self->tune);
    mt_mapping_turn(&self->mapping, x, mt_q32_from_span(step),
                    is_step ? segment->rate_q64 : mt_rate_to_q64(correction->rate, MAX_RATE),
                    is_step ? correction->scale : segment->scale);
    segment = mt_mapping_newest(&self->mapping);
    clock->scale = segment->scale;
    *ret_applied = (struct mt_applied){
        .kind = correction->kind,
        .step = step,
        .rate = mt_rate_from_q64(segment->rate_q64),
        .at = mt_q32_to_instant(segment->y, segment->scale),
        .corrections = segment->count,
    };
}

/* neither steps nor slews of REALTIME are left in it, so nobody but us ever changes this clock */
static bool overlay_disturbed(struct mt_hal_clock *clock, struct mt_applied *ret_applied)
{
    (void)ret_applied;
    (void)look((struct overlay *)clock);
    return false;
}

static const struct mt_hal_clock_ops overlay_ops = {
    .read = overlay_read,
    .stamp = overlay_stamp,
    .apply = overlay_apply,
    .disturbed = overlay_disturbed,
};

static void start(struct overlay *self, const struct mt_clock_request *request)
{
    struct mt_step_found now = mt_step_watch_look(&self->watch);
    mt_q32 x = mt_q32_from_ns(now.boottime_ns);
    mt_q32 y = x + mt_q32_from_ns(now.ahead_ns);

    mt_tune_watch_init(&self->tune, self->watch.os, now.boottime_ns);
    mt_mapping_init(&self->calm, x, x, calm_rate_q64(self), MT_SCALE_ARB);
    if (request->tai_utc_known) {
        y += mt_q32_from_ns(request->tai_minus_utc_s * INT64_C(1000000000));
    }
    self->has_oscillator = request->kind == MT_CLOCK_LAB;
    if (self->has_oscillator) {
        y += mt_q32_from_span(mt_span_from_real(request->lab_offset_s));
        mt_oscillator_init(&self->oscillator, x, y, request->lab_frequency, request->lab_wander,
                           request->lab_seed);
        x = y;
    }
    mt_mapping_init(&self->mapping, x, y, 0, self->hal.scale);
}

struct mt_hal_clock *mt_clock_overlay_new(const struct mt_clock_request *request,
                                          const struct mt_os_time *os)
{
    struct overlay *self = calloc(1, sizeof *self);

    if (!self) {
        return 0;
    }
    self->hal = (struct mt_hal_clock){
        .ops = &overlay_ops,
        .base = os->runs_apart ? MT_BASE_MONOTONIC : MT_BASE_BOOTTIME,
        .scale = request->tai_utc_known ? MT_SCALE_TAI : MT_SCALE_ARB,
        .granularity_ns = 1,
        .max_rate = MAX_RATE,
        .adopts_scale = true,
        .is_adjustable = true,
    };
    self->boundary_ns = INT64_MIN;
    mt_step_watch_init(&self->watch, os);
    start(self, request);
    return &self->hal;
}
