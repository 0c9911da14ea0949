/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The clock over a counter, against the same line in 128 bits.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "embed/counter_clock.h"
#include "meantime/prng.h"

__extension__ typedef __int128 wide;

#define S_NS INT64_C(1000000000)

static struct mt_base_time counter;

static struct mt_base_time count(void)
{
    return counter;
}

static struct mt_counter_clock begin(int64_t at_ns)
{
    struct mt_counter_clock clock;
    counter = (struct mt_base_time){.ns = at_ns};
    mt_counter_clock_init(&clock, count, 40, (struct mt_instant){.s = 0, .scale = MT_SCALE_ARB});
    return clock;
}

static struct mt_applied run_at(struct mt_counter_clock *clock, mt_real rate)
{
    const struct mt_correction correction = {.kind = MT_CORRECT_RATE, .rate = rate};
    struct mt_applied applied;
    clock->hal.ops->apply(&clock->hal, &correction, &applied);
    return applied;
}

static struct mt_applied step_by(struct mt_counter_clock *clock, int64_t ns)
{
    const struct mt_correction correction = {
        .kind = MT_CORRECT_STEP, .step = mt_span_from_ns(ns), .scale = MT_SCALE_TAI};
    struct mt_applied applied;
    clock->hal.ops->apply(&clock->hal, &correction, &applied);
    return applied;
}

static struct mt_stamp stamp_at(struct mt_counter_clock *clock, int64_t ns, uint16_t frac)
{
    struct mt_stamp stamp;
    clock->hal.ops->stamp(&clock->hal, (struct mt_base_time){.ns = ns, .frac = frac}, &stamp);
    return stamp;
}

static wide q16_of(struct mt_instant at)
{
    return ((wide)at.s * S_NS + at.ns) * 65536 + at.frac;
}

/* a b / 2^48 towards zero */
static wide scaled(wide a_q16, int64_t rate_q48)
{
    return a_q16 * rate_q48 / ((wide)1 << 48);
}

static void assert_line(struct mt_counter_clock *clock, int64_t elapsed_ns, uint16_t frac,
                        int64_t rate_q48)
{
    const wide exact = (wide)elapsed_ns * 65536 + frac + scaled((wide)elapsed_ns * 65536, rate_q48);
    const wide found = q16_of(stamp_at(clock, elapsed_ns, frac).at);
    assert_true(found == exact);
}

static void counter_clock_is_exact_when_rates_and_times_are_any(void **state)
{
    struct mt_prng prng;
    mt_prng_init(&prng, 1);
    for (int i = 0; i < 20000; i++) {
        struct mt_counter_clock clock = begin(0);
        const mt_real rate = ((mt_real)mt_prng_next_u32(&prng) / 0x1p31 - 1) * 1e-3;
        const struct mt_applied applied = run_at(&clock, rate);
        const int64_t rate_q48 = (int64_t)(applied.rate * 0x1p48);
        const uint64_t bits = (uint64_t)mt_prng_next_u32(&prng) << 32 | mt_prng_next_u32(&prng);
        const int64_t elapsed_ns = (int64_t)(bits >> (8 + mt_prng_below(&prng, 56)));
        assert_true(mt_real_abs(applied.rate - rate) <= 0x1p-49);
        assert_line(&clock, elapsed_ns, (uint16_t)bits, rate_q48);
    }
}

static void counter_clock_limits_the_rate_when_it_is_too_large(void **state)
{
    struct mt_counter_clock clock = begin(5);
    assert_true(mt_real_abs(run_at(&clock, 0.5).rate - 1e-3) < 1e-14);
    assert_true(mt_real_abs(run_at(&clock, -0.5).rate + 1e-3) < 1e-14);
    assert_int_equal(clock.corrections, 2);
}

static void counter_clock_jumps_and_takes_the_scale_when_stepped(void **state)
{
    struct mt_counter_clock clock = begin(77);
    counter.ns = 77 + 3 * S_NS;
    const struct mt_applied applied = step_by(&clock, -5 * S_NS + 1);
    assert_int_equal(applied.at.s, -2);
    assert_int_equal(applied.at.ns, 1);
    assert_int_equal(applied.at.scale, MT_SCALE_TAI);
    assert_int_equal(applied.corrections, 1);
    assert_int_equal(clock.hal.scale, MT_SCALE_TAI);
    assert_true(q16_of(stamp_at(&clock, counter.ns, 0).at) == q16_of(applied.at));
}

/* A packet came, then the clock was corrected, then the packet is looked at. */
static void counter_clock_reads_as_it_was_when_a_stamp_is_older_than_corrections(void **state)
{
    struct mt_counter_clock clock = begin(0);
    counter.ns = S_NS;
    step_by(&clock, 100 * S_NS);
    counter.ns = 2 * S_NS;
    run_at(&clock, 0x1p-10);
    counter.ns = 3 * S_NS;
    const struct mt_stamp first = stamp_at(&clock, S_NS - 1, 65535);
    assert_int_equal(first.corrections, 0);
    assert_int_equal(first.at.scale, MT_SCALE_ARB);
    assert_int_equal(first.at.ns, S_NS - 1);
    assert_int_equal(stamp_at(&clock, S_NS, 0).corrections, 1);
    assert_int_equal(stamp_at(&clock, S_NS, 0).at.s, 101);
    assert_int_equal(stamp_at(&clock, 2 * S_NS - 1, 0).corrections, 1);
    assert_int_equal(stamp_at(&clock, 3 * S_NS, 0).at.ns, 976562); /* and a half: cut */
}

/* What is older than all that is remembered belongs to the oldest. */
static void counter_clock_gives_the_oldest_count_when_a_stamp_is_older_than_its_past(void **state)
{
    struct mt_counter_clock clock = begin(0);
    for (int i = 1; i <= 10; i++) {
        counter.ns = i * S_NS;
        run_at(&clock, i * 1e-6);
    }
    assert_int_equal(stamp_at(&clock, 1, 0).corrections, 10 - (MT_COUNTER_CLOCK_PAST - 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counter_clock_is_exact_when_rates_and_times_are_any),
        cmocka_unit_test(counter_clock_limits_the_rate_when_it_is_too_large),
        cmocka_unit_test(counter_clock_jumps_and_takes_the_scale_when_stepped),
        cmocka_unit_test(counter_clock_reads_as_it_was_when_a_stamp_is_older_than_corrections),
        cmocka_unit_test(counter_clock_gives_the_oldest_count_when_a_stamp_is_older_than_its_past),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
