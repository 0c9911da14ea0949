/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Between two corrections the clock is a straight line over the counter.  The line's slope is a
 * multiple of 2^-48, so what it gains in 2^44 ns (almost five hours) is exact in 2^-16 ns; the
 * rest of the time is multiplied in halves of 32 bits, whose sum is exact too and is cut once.  A
 * line that nobody corrects is good for four years.
 */
#include "embed/counter_clock.h"

#define CHUNK_BITS 44
#define CHUNKS_MAX (1 << 13)
#define LOW        UINT64_C(0xFFFFFFFF)

static const mt_real two_to_48 = MT_REAL(0x1p48);

static struct mt_counter_piece *piece_of(struct mt_counter_clock *self, uint32_t number)
{
    return &self->pieces[number % MT_COUNTER_CLOCK_PAST];
}

/* a b / 2^48 towards zero; a < 2^60, b < 2^39 */
static int64_t multiply(uint64_t a, uint64_t b)
{
    const uint64_t a_high = a >> 32;
    const uint64_t b_high = b >> 32;
    const uint64_t middle = a_high * (b & LOW) + (a & LOW) * b_high + ((a & LOW) * (b & LOW) >> 32);
    return (int64_t)((a_high * b_high << 16) + (middle >> 16));
}

/* What the line gains in this time, in 2^-16 ns. */
static int64_t gain_q16(int64_t elapsed_ns, int64_t rate_q48)
{
    const bool is_negative = (elapsed_ns < 0) != (rate_q48 < 0);
    const uint64_t time_ns = elapsed_ns < 0 ? 0 - (uint64_t)elapsed_ns : (uint64_t)elapsed_ns;
    const uint64_t rate = (uint64_t)(rate_q48 < 0 ? -rate_q48 : rate_q48);
    const uint64_t all_chunks = time_ns >> CHUNK_BITS;
    const uint64_t chunks = all_chunks < CHUNKS_MAX ? all_chunks : CHUNKS_MAX;
    const uint64_t rest_q16 = (time_ns & ((UINT64_C(1) << CHUNK_BITS) - 1)) << 16;
    const int64_t gain =
        (int64_t)(chunks * (rate << (CHUNK_BITS + 16 - 48))) + multiply(rest_q16, rate);
    return is_negative ? -gain : gain;
}

static struct mt_instant value_at(const struct mt_counter_piece *piece, struct mt_base_time base)
{
    const int64_t elapsed_ns = base.ns - piece->since.ns;
    const int64_t frac = (int64_t)base.frac - piece->since.frac;
    const struct mt_interval small = {gain_q16(elapsed_ns, piece->rate_q48) + frac};
    struct mt_instant at = mt_instant_plus(piece->local, mt_span_from_ns(elapsed_ns));
    return mt_instant_plus(at, mt_span_from_interval(small));
}

static bool is_before(struct mt_base_time a, struct mt_base_time b)
{
    return a.ns < b.ns || (a.ns == b.ns && a.frac < b.frac);
}

static void clock_stamp(struct mt_hal_clock *hal, struct mt_base_time base,
                        struct mt_stamp *ret_stamp)
{
    struct mt_counter_clock *self = (struct mt_counter_clock *)hal;
    uint32_t number = self->corrections;
    while (number > 0 && self->corrections - number < MT_COUNTER_CLOCK_PAST - 1 &&
           is_before(base, piece_of(self, number)->since)) {
        number--;
    }
    ret_stamp->at = value_at(piece_of(self, number), base);
    ret_stamp->corrections = number;
}

static void clock_read(struct mt_hal_clock *hal, struct mt_clock_reading *ret_reading)
{
    struct mt_counter_clock *self = (struct mt_counter_clock *)hal;
    const struct mt_counter_piece *piece = piece_of(self, self->corrections);
    ret_reading->base = self->counter();
    ret_reading->local.at = value_at(piece, ret_reading->base);
    ret_reading->local.corrections = self->corrections;
    ret_reading->rate_q64 = piece->rate_q48 * (1 << 16);
    ret_reading->window_ns = 0;
}

static int64_t to_q48(mt_real rate)
{
    return mt_real_round(mt_real_limit(rate, MT_COUNTER_CLOCK_MAX_RATE) * two_to_48);
}

static void clock_apply(struct mt_hal_clock *hal, const struct mt_correction *correction,
                        struct mt_applied *ret_applied)
{
    struct mt_counter_clock *self = (struct mt_counter_clock *)hal;
    const struct mt_counter_piece *before = piece_of(self, self->corrections);
    const bool is_step = correction->kind == MT_CORRECT_STEP;
    struct mt_counter_piece piece = {.since = self->counter(), .rate_q48 = before->rate_q48};
    piece.local = value_at(before, piece.since);
    if (is_step) {
        piece.local = mt_instant_plus(piece.local, correction->step);
        piece.local.scale = correction->scale;
        hal->scale = correction->scale;
    } else {
        piece.rate_q48 = to_q48(correction->rate);
    }
    self->corrections++;
    *piece_of(self, self->corrections) = piece;
    *ret_applied = (struct mt_applied){
        .kind = correction->kind,
        .rate = (mt_real)piece.rate_q48 / two_to_48,
        .at = piece.local,
        .corrections = self->corrections,
    };
    if (is_step) {
        ret_applied->step = correction->step;
    }
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

void mt_counter_clock_init(struct mt_counter_clock *self, mt_counter counter,
                           uint32_t granularity_ns, struct mt_instant local)
{
    self->hal = (struct mt_hal_clock){
        .ops = &ops,
        .base = MT_BASE_MONOTONIC_RAW,
        .scale = local.scale,
        .granularity_ns = granularity_ns,
        .max_rate = MT_COUNTER_CLOCK_MAX_RATE,
        .adopts_scale = local.scale == MT_SCALE_ARB,
        .is_adjustable = true,
    };
    self->counter = counter;
    self->corrections = 0;
    *piece_of(self, 0) = (struct mt_counter_piece){.since = counter(), .local = local};
}
