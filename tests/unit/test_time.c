/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Time arithmetic against a model in 128-bit integers: each type is a count of 2^-16 ns, each
 * operation is exact on the counts and then clamped to what the type can hold.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "meantime/prng.h"
#include "meantime/time.h"

#define ROUNDS 200000

__extension__ typedef __int128 wide;

static const wide one = (wide)65536 * MT_NS_PER_S;

static wide lowest_span(void)
{
    return (wide)INT64_MIN * one;
}

static wide highest_span(void)
{
    return (wide)INT64_MAX * one + one - 1;
}

static wide clamp(wide x, wide low, wide high)
{
    return x < low ? low : x > high ? high : x;
}

static int64_t clamp64(wide x)
{
    return (int64_t)clamp(x, INT64_MIN, INT64_MAX);
}

static wide floor_division(wide a, wide b)
{
    return a / b - (a % b < 0);
}

static wide span_value(struct mt_span a)
{
    assert_in_range(a.ns, 0, MT_NS_PER_S - 1);
    return (wide)a.s * one + (wide)a.ns * 65536 + a.frac;
}

static wide instant_value(struct mt_instant a)
{
    return span_value((struct mt_span){a.s, a.ns, a.frac});
}

static void assert_span(struct mt_span actual, wide expected)
{
    assert_true(span_value(actual) == clamp(expected, lowest_span(), highest_span()));
}

static uint64_t random_u64(struct mt_prng *prng)
{
    uint64_t high = mt_prng_next_u32(prng);

    return high << 32 | mt_prng_next_u32(prng);
}

/* all magnitudes equally often, and the edges of each type every few draws */
static int64_t random_i64(struct mt_prng *prng)
{
    static const int64_t edges[] = {
        INT64_MIN,
        INT64_MAX,
        INT64_MIN + 1,
        INT64_MAX - 1,
        INT64_MIN / 2,
        INT64_MAX / 2,
        -2,
        -1,
        0,
        1,
        2,
        854775807,
        1000000000,
        65536000000000,
        /* the ends of intervals and of nanoseconds, in seconds */
        140737,
        140738,
        -140737,
        -140738,
        -140739,
        9223372036,
        9223372037,
        -9223372036,
        -9223372037,
        -9223372038,
    };
    uint32_t shift = 1 + mt_prng_below(prng, 63);
    int64_t size = (int64_t)(random_u64(prng) >> shift);

    if (mt_prng_below(prng, 3) == 0) {
        return edges[mt_prng_below(prng, sizeof edges / sizeof edges[0])];
    }
    return mt_prng_below(prng, 2) == 0 ? size : -size - 1;
}

static struct mt_span random_span(struct mt_prng *prng)
{
    static const uint32_t ns_edges[] = {0,         1,        MT_NS_PER_S - 1, MT_NS_PER_S / 2,
                                        854775807, 145224192};
    static const uint16_t frac_edges[] = {0, 1, 65535, 32768};
    struct mt_span span;

    span.s = random_i64(prng);
    span.ns = mt_prng_below(prng, MT_NS_PER_S);
    span.frac = (uint16_t)(mt_prng_next_u32(prng) & 0xFFFF);
    if (mt_prng_below(prng, 2) == 0) {
        span.ns = ns_edges[mt_prng_below(prng, 6)];
        span.frac = frac_edges[mt_prng_below(prng, 4)];
    }
    return span;
}

static struct mt_instant random_instant(struct mt_prng *prng)
{
    struct mt_span since = random_span(prng);

    return (struct mt_instant){since.s, since.ns, since.frac, MT_SCALE_TAI};
}

static int sign(wide x)
{
    return (x > 0) - (x < 0);
}

static void time_agrees_with_wide_integers_when_spans_are_random(void **state)
{
    struct mt_prng prng;

    (void)state;
    mt_prng_init(&prng, 1);
    for (int i = 0; i < ROUNDS; i++) {
        struct mt_span a = random_span(&prng);
        struct mt_span b = random_span(&prng);
        wide x = span_value(a);
        wide y = span_value(b);

        assert_span(mt_span_plus(a, b), x + y);
        assert_span(mt_span_minus(a, b), x - y);
        assert_span(mt_span_negate(a), -x);
        assert_span(mt_span_abs(a), x < 0 ? -x : x);
        assert_span(mt_span_half(a), floor_division(x, 2));
        assert_int_equal(mt_span_compare(a, b), sign(x - y));
        assert_int_equal(mt_span_compare(a, a), 0);
        assert_true(mt_span_to_interval(a).q16 == clamp64(x));
        assert_true(mt_span_to_ns(a) == clamp64(floor_division(x, 65536)));
    }
}

static void time_agrees_with_wide_integers_when_instants_are_random(void **state)
{
    struct mt_prng prng;

    (void)state;
    mt_prng_init(&prng, 2);
    for (int i = 0; i < ROUNDS; i++) {
        struct mt_instant a = random_instant(&prng);
        struct mt_instant b = random_instant(&prng);
        struct mt_span by = random_span(&prng);
        wide x = instant_value(a);
        wide y = instant_value(b);
        wide later = clamp(x + span_value(by), lowest_span(), highest_span());

        assert_span(mt_instant_minus(a, b), x - y);
        assert_true(instant_value(mt_instant_plus(a, by)) == later);
        assert_int_equal(mt_instant_plus(a, by).scale, MT_SCALE_TAI);
        assert_int_equal(mt_instant_compare(a, b), sign(x - y));
        assert_true(mt_instant_to_ns(a) == clamp64(floor_division(x, 65536)));
    }
}

static void time_agrees_with_wide_integers_when_counts_are_random(void **state)
{
    struct mt_prng prng;

    (void)state;
    mt_prng_init(&prng, 3);
    for (int i = 0; i < ROUNDS; i++) {
        int64_t x = random_i64(&prng);
        int64_t y = random_i64(&prng);
        bool large = x == INT64_MAX || y == INT64_MAX;
        struct mt_interval a = {x};
        struct mt_interval b = {y};

        assert_true(mt_interval_plus(a, b).q16 == (large ? INT64_MAX : clamp64((wide)x + y)));
        assert_true(mt_interval_minus(a, b).q16 == (large ? INT64_MAX : clamp64((wide)x - y)));
        assert_true(mt_interval_from_ns(x).q16 == clamp64((wide)x * 65536));
        assert_true(mt_interval_to_ns(a) == clamp64(floor_division(x, 65536)));
        assert_true(mt_mono_plus((struct mt_mono){x}, y).ns ==
                    (x == INT64_MAX ? x : clamp64((wide)x + y)));
        assert_true(mt_mono_earlier((struct mt_mono){x}, (struct mt_mono){y}).ns ==
                    (x < y ? x : y));
        assert_span(mt_span_from_ns(x), (wide)x * 65536);
        assert_span(mt_span_from_interval(a), x);
        assert_true(instant_value(mt_instant_from_ns(x, MT_SCALE_UTC)) == (wide)x * 65536);
        assert_int_equal(mt_instant_from_ns(x, MT_SCALE_UTC).scale, MT_SCALE_UTC);
        assert_true(mt_span_to_interval(mt_span_from_interval(a)).q16 == x);
        assert_true(mt_instant_to_ns(mt_instant_from_ns(x, MT_SCALE_ARB)) == x);
    }
}

static void time_keeps_floor_form_when_span_is_negative(void **state)
{
    struct mt_span quarter = {-1, 750000000, 0};
    struct mt_span tiny = mt_span_from_interval((struct mt_interval){-1});

    (void)state;
    assert_int_equal(mt_span_compare(mt_span_from_ns(-250000000), quarter), 0);
    assert_int_equal(mt_span_to_ns(quarter), -250000000);
    assert_int_equal(tiny.s, -1);
    assert_int_equal(tiny.ns, 999999999);
    assert_int_equal(tiny.frac, 65535);
    assert_int_equal(mt_span_to_ns(tiny), -1);
    assert_int_equal(mt_interval_to_ns((struct mt_interval){-1}), -1);
    assert_int_equal(mt_span_compare(mt_span_half(tiny), tiny), 0);
}

static void time_is_greater_than_all_others_when_saturated(void **state)
{
    struct mt_span top = mt_span_plus((struct mt_span){INT64_MAX, 1, 0}, (struct mt_span){1, 0, 0});
    struct mt_span second = {INT64_MAX, 999999999, 65534};
    struct mt_span bottom =
        mt_span_minus((struct mt_span){INT64_MIN, 1, 0}, (struct mt_span){1, 0, 0});

    (void)state;
    assert_int_equal(mt_span_compare(top, second), 1);
    assert_int_equal(mt_span_compare(mt_span_plus(top, top), top), 0);
    assert_int_equal(mt_span_compare(mt_span_plus(bottom, bottom), bottom), 0);
    assert_int_equal(mt_span_compare(bottom, (struct mt_span){INT64_MIN, 0, 1}), -1);
    assert_int_equal(mt_span_compare(mt_span_negate(bottom), top), 0);
    assert_true(mt_interval_is_too_large(mt_span_to_interval(top)));
}

static void time_stays_too_large_when_something_is_subtracted(void **state)
{
    struct mt_interval hour = mt_interval_from_ns(INT64_C(3600000000000));

    (void)state;
    assert_true(mt_interval_is_too_large(mt_interval_minus(MT_INTERVAL_TOO_LARGE, hour)));
    assert_true(mt_interval_is_too_large(mt_interval_minus(hour, MT_INTERVAL_TOO_LARGE)));
    assert_true(mt_interval_is_too_large(
        mt_interval_plus(MT_INTERVAL_TOO_LARGE, (struct mt_interval){INT64_MIN})));
    assert_false(mt_interval_is_too_large((struct mt_interval){INT64_MAX - 1}));
    assert_false(mt_interval_is_too_large((struct mt_interval){INT64_MIN}));
    assert_true(mt_mono_plus(MT_MONO_NEVER, -1000).ns == MT_MONO_NEVER.ns);
}

static void time_rounds_powers_of_two_when_shorter_than_a_nanosecond(void **state)
{
    (void)state;
    assert_true(mt_log2s_to_ns(0) == 1000000000);
    assert_true(mt_log2s_to_ns(-3) == 125000000);
    assert_true(mt_log2s_to_ns(-9) == 1953125);
    assert_true(mt_log2s_to_ns(-10) == 976563);
    assert_true(mt_log2s_to_ns(1) == 2000000000);
    assert_true(mt_log2s_to_ns(33) == INT64_C(8589934592000000000));
    assert_true(mt_log2s_to_ns(34) == mt_log2s_to_ns(33));
    assert_true(mt_log2s_to_ns(INT8_MAX) == mt_log2s_to_ns(33));
    assert_true(mt_log2s_to_ns(-29) == 2);
    assert_true(mt_log2s_to_ns(-30) == 1);
    assert_true(mt_log2s_to_ns(INT8_MIN) == 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(time_agrees_with_wide_integers_when_spans_are_random),
        cmocka_unit_test(time_agrees_with_wide_integers_when_instants_are_random),
        cmocka_unit_test(time_agrees_with_wide_integers_when_counts_are_random),
        cmocka_unit_test(time_keeps_floor_form_when_span_is_negative),
        cmocka_unit_test(time_is_greater_than_all_others_when_saturated),
        cmocka_unit_test(time_stays_too_large_when_something_is_subtracted),
        cmocka_unit_test(time_rounds_powers_of_two_when_shorter_than_a_nanosecond),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
