/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * A clock of a rerun: the raw clock of the log under the corrections of the new run.  Packets are
 * stamped exactly, since the log has the same stamps.  Readings at times that the log has none of
 * are interpolated between its nearest two; who reads the clock decides nothing but what is
 * published, and at which reading a correction takes effect, which is the same for all that follow
 * it.
 */
#include <string.h>

#include "runtime/rerun_private.h"

#define Q64 18446744073709551616.0

/* ---- the raw clock --------------------------------------------------------------------------- */

/* How many of them are not later than `now`. */
static size_t anchors_until(const struct mt_rerun_clock *self, struct mt_mono now)
{
    const struct mt_rerun_anchor *anchors = self->anchors.items;
    size_t low = 0;
    size_t high = self->anchors.count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (anchors[middle].now.ns <= now.ns) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static struct mt_base_time base_plus(struct mt_base_time base, int64_t ns)
{
    uint64_t sum = (uint64_t)base.ns + (uint64_t)ns;

    return (struct mt_base_time){(int64_t)sum, base.frac, base.counter};
}

/* Between two anchors both raw and base advance evenly; behind the last one by the time itself. */
static struct mt_rerun_anchor anchor_at(const struct mt_rerun_clock *self, struct mt_mono now)
{
    const struct mt_rerun_anchor *anchors = self->anchors.items;
    size_t until = anchors_until(self, now);
    struct mt_rerun_anchor found = anchors[until > 0 ? until - 1 : 0];
    int64_t since_ns = until > 0 ? now.ns - found.now.ns : 0;

    if (since_ns == 0) {
        return found;
    }
    struct mt_span raw = mt_span_from_ns(since_ns);
    mt_real base_ns = (mt_real)since_ns;
    if (until < self->anchors.count) {
        const struct mt_rerun_anchor *next = &anchors[until];
        mt_real share = (mt_real)since_ns / (mt_real)(next->now.ns - found.now.ns);
        raw = mt_span_from_real(mt_span_to_real(mt_span_minus(next->raw, found.raw)) * share);
        base_ns = (mt_real)(int64_t)((uint64_t)next->base.ns - (uint64_t)found.base.ns) * share;
    }
    found.raw = mt_span_plus(found.raw, raw);
    found.base = base_plus(found.base, mt_real_round(base_ns));
    return found;
}

/* The stamp in the log, or the distance from the next best. */
static struct mt_span raw_of_stamp(const struct mt_rerun_clock *self, struct mt_base_time base)
{
    const struct mt_rerun_stamp *stamps = self->stamps.items;
    size_t low = 0;
    size_t high = self->stamps.count;

    if (self->stamps.count == 0) {
        return anchor_at(self, self->rerun->now).raw;
    }
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        bool is_before = stamps[middle].base.ns < base.ns || (stamps[middle].base.ns == base.ns &&
                                                              stamps[middle].base.frac < base.frac);
        if (is_before) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    const struct mt_rerun_stamp *found = &stamps[low < self->stamps.count ? low : low - 1];
    int64_t by_ns = (int64_t)((uint64_t)base.ns - (uint64_t)found->base.ns);
    struct mt_span by =
        mt_span_minus(mt_span_from_ns(by_ns), (struct mt_span){.frac = found->base.frac});
    return mt_span_plus(found->raw, mt_span_plus(by, (struct mt_span){.frac = base.frac}));
}

/* ---- under the new corrections --------------------------------------------------------------- */

static const struct mt_rerun_segment *newest(const struct mt_rerun_clock *self)
{
    return (const struct mt_rerun_segment *)self->segments.items + self->segments.count - 1;
}

static const struct mt_rerun_segment *in_force_at(const struct mt_rerun_clock *self,
                                                  struct mt_span raw)
{
    const struct mt_rerun_segment *first = self->segments.items;
    const struct mt_rerun_segment *segment = newest(self);

    while (segment > first && mt_span_compare(segment->raw, raw) > 0) {
        segment--;
    }
    return segment;
}

static struct mt_stamp stamp_of(const struct mt_rerun_segment *segment, struct mt_span raw)
{
    struct mt_span local = mt_rerun_local_of(segment, raw);

    return (struct mt_stamp){{local.s, local.ns, local.frac, segment->scale}, segment->corrections};
}

static bool is_begun(const struct mt_rerun_clock *self)
{
    return self->anchors.count > 0 && self->segments.count > 0;
}

static int64_t to_q64(mt_real rate)
{
    mt_real limited = mt_real_clamp(rate, -0.4, 0.4); /* of what 64 bits hold */

    return (int64_t)(limited * Q64);
}

static void clock_read(struct mt_hal_clock *hal, struct mt_clock_reading *ret_reading)
{
    struct mt_rerun_clock *self = (struct mt_rerun_clock *)hal;

    *ret_reading = (struct mt_clock_reading){.local.at.scale = hal->scale};
    if (!is_begun(self)) {
        return;
    }
    struct mt_rerun_anchor anchor = anchor_at(self, self->rerun->now);
    const struct mt_rerun_segment *segment = newest(self);
    *ret_reading = (struct mt_clock_reading){
        .local = stamp_of(segment, anchor.raw),
        .base = anchor.base,
        .rate_q64 = to_q64((1 + anchor.raw_rate) * (1 + segment->rate) - 1),
        .window_ns = anchor.window_ns,
    };
}

static void clock_stamp(struct mt_hal_clock *hal, struct mt_base_time base,
                        struct mt_stamp *ret_stamp)
{
    struct mt_rerun_clock *self = (struct mt_rerun_clock *)hal;

    *ret_stamp = (struct mt_stamp){.at.scale = hal->scale};
    if (is_begun(self)) {
        struct mt_span raw = raw_of_stamp(self, base);

        *ret_stamp = stamp_of(in_force_at(self, raw), raw);
    }
}

/* What the raw clock reads when a correction takes effect now: as it was if the recorded node
 * corrected it at this time, too. */
static struct mt_span raw_now(struct mt_rerun_clock *self)
{
    const struct mt_rerun_moment *moments = self->moments.items;
    struct mt_mono now = self->rerun->now;

    while (self->moment_at < self->moments.count && moments[self->moment_at].now.ns < now.ns) {
        self->moment_at++;
    }
    if (self->moment_at < self->moments.count && moments[self->moment_at].now.ns == now.ns) {
        return moments[self->moment_at++].raw;
    }
    return anchor_at(self, now).raw;
}

/* Corrects the clock now and describes what came of it. */
static bool turn(struct mt_rerun_clock *self, struct mt_applied *applied)
{
    struct mt_span raw = raw_now(self);
    struct mt_stamp local = stamp_of(newest(self), raw);
    enum mt_timescale scale = applied->at.scale;

    applied->at =
        applied->kind == MT_CORRECT_STEP ? mt_instant_plus(local.at, applied->step) : local.at;
    applied->at.scale = scale;
    applied->corrections = local.corrections + 1;
    const struct mt_rerun_segment next = mt_rerun_turn(newest(self), raw, applied);
    struct mt_rerun_segment *place = mt_rerun_list_add(&self->segments, sizeof *place);
    if (place != NULL) {
        *place = next;
        self->hal.scale = scale;
    }
    return place != NULL;
}

static void clock_apply(struct mt_hal_clock *hal, const struct mt_correction *correction,
                        struct mt_applied *ret_applied)
{
    struct mt_rerun_clock *self = (struct mt_rerun_clock *)hal;
    bool is_step = correction->kind == MT_CORRECT_STEP;
    struct mt_rerun *rerun = self->rerun;

    *ret_applied = (struct mt_applied){
        .kind = correction->kind,
        .step = is_step ? correction->step : (struct mt_span){0},
        .rate = is_step ? 0 : mt_real_clamp(correction->rate, -hal->max_rate, hal->max_rate),
        .at.scale = is_step ? correction->scale : hal->scale,
    };
    ret_applied->is_refused = !hal->is_adjustable || !is_begun(self) || !turn(self, ret_applied);
    if (is_step && !ret_applied->is_refused) {
        ret_applied->rate = newest(self)->rate;
    }
    rerun->result.corrections++;
    if (rerun->hooks.observer.corrected != NULL) {
        rerun->hooks.observer.corrected(rerun->hooks.observer.context, hal, correction, ret_applied,
                                        rerun->now);
    }
}

/* What others did to the clock then, they do now. */
static bool clock_disturbed(struct mt_hal_clock *hal, struct mt_applied *ret_applied)
{
    struct mt_rerun_clock *self = (struct mt_rerun_clock *)hal;
    const struct mt_rerun_disturbance *disturbances = self->disturbances.items;

    if (self->disturbed >= self->disturbances.count ||
        disturbances[self->disturbed].now.ns > self->rerun->now.ns || !is_begun(self)) {
        return false;
    }
    *ret_applied = disturbances[self->disturbed++].applied;
    return turn(self, ret_applied);
}

const struct mt_hal_clock_ops mt_rerun_clock_ops = {
    .read = clock_read,
    .stamp = clock_stamp,
    .apply = clock_apply,
    .disturbed = clock_disturbed,
};
