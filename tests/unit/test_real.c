/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * mt_real against the host's mathematics library, and a digest of result bits that must be the
 * same for every compiler and optimisation.
 */
#include <float.h>
#include <limits.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/real_private.h"
#include "meantime/prng.h"

#define ROUNDS 200000

/* the limits that real.h promises, and the ends of the type */
#ifdef MT_REAL_SINGLE
#define NEXT            nextafterf
#define SMALLEST        FLT_TRUE_MIN
#define EXP_RANGE       -87, 88.7
#define EXP_NO_MORE     88.73
#define EXP_LAST        88.72283
#define EXP_FIRST       -103.97
#define EXP_NOTHING     -103.98
#define EXP_ERROR       4e-7L
#define LOG_ERROR       4e-7L
#define ERF_ERROR       2e-6L
#define TRUNCATED_ERROR 4e-6L
#define NEAREST_TO_S    0
#define WHOLE_TO_S      4
#define DIGEST          UINT64_C(0x79A8036C978E29CD)
#else
#define NEXT            nextafter
#define SMALLEST        DBL_TRUE_MIN
#define EXP_RANGE       -708, 709.7
#define EXP_NO_MORE     709.79
#define EXP_LAST        709.782712893384
#define EXP_FIRST       -745
#define EXP_NOTHING     -745.2
#define EXP_ERROR       1e-14L
#define LOG_ERROR       1e-14L
#define ERF_ERROR       1e-12L
#define TRUNCATED_ERROR 1e-8L
#define NEAREST_TO_S    137
#define WHOLE_TO_S      INT64_C(4600000000)
#define DIGEST          UINT64_C(0xF95324B9FAEA5FDF)
#endif

static uint64_t random_u64(struct mt_prng *prng)
{
    uint64_t high = mt_prng_next_u32(prng);

    return high << 32 | mt_prng_next_u32(prng);
}

static mt_real from_bits(uint64_t bits)
{
    return (union mt_real_parts){.bits = (mt_real_bits)bits}.real;
}

static uint64_t to_bits(mt_real value)
{
    return (union mt_real_parts){value}.bits;
}

/* any number that is not negative */
static mt_real random_bits(struct mt_prng *prng, uint32_t shift)
{
    return from_bits(random_u64(prng) >> (64 - CHAR_BIT * sizeof(mt_real)) >> shift);
}

/* uniform in [low, high) */
static mt_real random_real(struct mt_prng *prng, double low, double high)
{
    return (mt_real)(low + (high - low) * ((double)(random_u64(prng) >> 11) * 0x1p-53));
}

/* in units of the last place */
static long double root_error(mt_real x)
{
    mt_real root = mt_real_sqrt(x);
    long double unit = NEXT(root, INFINITY) - root;

    return fabsl(root - sqrtl(x)) / unit;
}

static void real_sqrt_errs_by_less_than_a_last_place_when_argument_is_any(void **state)
{
    struct mt_prng prng;

    (void)state;
    mt_prng_init(&prng, 1);
    for (int i = 0; i < ROUNDS; i++) {
        uint32_t shift =
            1 + (i % 4 == 0 ? mt_prng_below(&prng, CHAR_BIT * sizeof(mt_real) - 1) : 0);
        mt_real x = random_bits(&prng, shift);

        if (isfinite(x)) {
            assert_true(root_error(x) < 1);
        }
    }
    for (mt_real x = 1; x < 4096; x++) { /* squares and their neighbours */
        assert_true(to_bits(mt_real_sqrt(x * x)) == to_bits(x));
        assert_true(root_error(NEXT(x * x, 0)) < 1);
        assert_true(root_error(NEXT(x * x, INFINITY)) < 1);
    }
    assert_true(root_error(MT_REAL_MAX) < 1);
    assert_true(mt_real_sqrt(SMALLEST) == (mt_real)sqrt(SMALLEST));
    assert_true(isinf(mt_real_sqrt(INFINITY)));
    assert_true(isnan(mt_real_sqrt(NAN)));
}

static void real_sqrt_is_zero_when_argument_is_not_positive(void **state)
{
    (void)state;
    assert_true(to_bits(mt_real_sqrt(0)) == 0);
    assert_true(to_bits(mt_real_sqrt(from_bits(to_bits(-1) & ~to_bits(1)))) == 0);
    assert_true(to_bits(mt_real_sqrt(-4)) == 0);
    assert_true(to_bits(mt_real_sqrt(-INFINITY)) == 0);
}

static void real_exp_keeps_its_error_when_argument_is_any(void **state)
{
    struct mt_prng prng;

    (void)state;
    mt_prng_init(&prng, 2);
    for (int i = 0; i < ROUNDS; i++) {
        mt_real x = random_real(&prng, EXP_RANGE);
        long double exact = expl(x);

        assert_true(fabsl(mt_real_exp(x) - exact) < EXP_ERROR * exact);
        x /= 1000;
        exact = expl(x);
        assert_true(fabsl(mt_real_exp(x) - exact) < 2 * MT_REAL_EPSILON * exact);
    }
    assert_true(mt_real_exp(0) == 1);
    assert_true(mt_real_exp(MT_REAL(EXP_FIRST)) == SMALLEST);
    assert_true(mt_real_exp(MT_REAL(EXP_NOTHING)) == 0);
    assert_true(mt_real_exp(-MT_REAL_MAX) == 0);
    assert_true(isfinite(mt_real_exp(MT_REAL(EXP_LAST))));
    assert_true(mt_real_exp(MT_REAL(EXP_NO_MORE)) == MT_REAL_MAX);
    assert_true(mt_real_exp(INFINITY) == MT_REAL_MAX);
    assert_true(mt_real_exp(-INFINITY) == 0);
    assert_true(isnan(mt_real_exp(NAN)));
}

static void real_log_keeps_its_error_when_argument_is_positive(void **state)
{
    struct mt_prng prng;

    (void)state;
    mt_prng_init(&prng, 3);
    for (int i = 0; i < ROUNDS; i++) {
        mt_real x = random_bits(&prng, 1);
        mt_real near_one = random_real(&prng, 0.5, 2);

        if (x > 0 && isfinite(x)) {
            long double exact = logl(x);
            long double allowed = 1.04L * fabsl(exact) * MT_REAL_EPSILON;

            allowed = allowed > LOG_ERROR ? allowed : LOG_ERROR;
            assert_true(fabsl(mt_real_log(x) - exact) < allowed);
        }
        assert_true(fabsl(mt_real_log(near_one) - logl(near_one)) < MT_REAL_EPSILON);
    }
    assert_true(mt_real_log(1) == 0);
    assert_true(mt_real_log(0) == -MT_REAL_MAX);
    assert_true(mt_real_log(-1) == -MT_REAL_MAX);
    assert_true(mt_real_log(INFINITY) == MT_REAL_MAX);
    assert_true(isnan(mt_real_log(NAN)));
    assert_true(fabs(mt_real_log(SMALLEST) / log(SMALLEST) - 1) < MT_REAL_EPSILON);
}

static void real_erf_keeps_its_error_when_argument_is_any(void **state)
{
    struct mt_prng prng;

    (void)state;
    mt_prng_init(&prng, 4);
    for (int i = 0; i < ROUNDS / 10; i++) {
        mt_real x = random_real(&prng, -7, 7);

        assert_true(fabsl(mt_real_erf(x) - erfl(x)) < ERF_ERROR);
        assert_true(mt_real_erf(-x) == -mt_real_erf(x));
        assert_true(fabs(mt_real_erf(x)) <= 1 + ERF_ERROR);
    }
    assert_true(mt_real_erf(0) == 0);
    assert_true(mt_real_erf(INFINITY) == 1);
    assert_true(mt_real_erf(-INFINITY) == -1);
    assert_true(isnan(mt_real_erf(NAN)));
}

/* Phi by erfc, which keeps its digits in the lower tail */
static long double truncated(long double a)
{
    const long double density = expl(-a * a / 2) / sqrtl(2 * acosl(-1));

    return a + density / (erfcl(-a / sqrtl(2)) / 2);
}

static void real_truncated_keeps_its_error_when_argument_is_any(void **state)
{
    struct mt_prng prng;

    (void)state;
    mt_prng_init(&prng, 9);
    for (int i = 0; i < ROUNDS / 4; i++) {
        mt_real a = random_real(&prng, i % 2 == 0 ? -4 : -40, i % 2 == 0 ? 4 : 40);
        long double exact = truncated(a);
        /* in the formula itself a is taken off what is about as large */
        long double lost = a < -10 ? LDBL_EPSILON * a * a : 0;

        assert_true(fabsl(mt_real_truncated(a) / exact - 1) < TRUNCATED_ERROR + lost);
    }
    assert_true(mt_real_truncated(MT_REAL(1e6)) == MT_REAL(1e6));
    assert_true(fabs(mt_real_truncated(MT_REAL(-1e6)) - 1e-6) < 1e-12);
    assert_true(isinf(mt_real_truncated(INFINITY)));
    assert_true(isnan(mt_real_truncated(NAN)));
}

static void real_clamps_when_value_is_outside(void **state)
{
    (void)state;
    assert_true(mt_real_clamp(3, 1, 2) == 2);
    assert_true(mt_real_clamp(0, 1, 2) == 1);
    assert_true(mt_real_clamp(MT_REAL(1.5), 1, 2) == MT_REAL(1.5));
    assert_true(mt_real_limit(3, 2) == 2);
    assert_true(mt_real_limit(-3, 2) == -2);
    assert_true(mt_real_limit(MT_REAL(-1.5), 2) == MT_REAL(-1.5));
    assert_true(mt_real_larger(1, 2) == 2);
    assert_true(mt_real_larger(-1, -2) == -1);
    assert_true(mt_real_abs(-2) == 2);
    assert_true(mt_real_abs(2) == 2);
    assert_true(mt_real_abs(-INFINITY) == INFINITY);
}

static long double seconds_of(struct mt_span span)
{
    return (long double)span.s + ((long double)span.ns + span.frac / 65536.0L) / 1e9L;
}

static void real_returns_about_the_same_span_when_converted_forth_and_back(void **state)
{
    struct mt_prng prng;

    (void)state;
    mt_prng_init(&prng, 5);
    for (int i = 0; i < ROUNDS; i++) {
        struct mt_span span;
        struct mt_span back;
        long double moved;

        span.s = (int64_t)mt_prng_below(&prng, 128) - 64;
        span.ns = mt_prng_below(&prng, MT_NS_PER_S) >> mt_prng_below(&prng, 30);
        span.frac = (uint16_t)(mt_prng_next_u32(&prng) & 0xFFFF);
        span.s = mt_prng_below(&prng, 2) ? span.s : (int64_t)mt_prng_below(&prng, 2) - 1;
        back = mt_span_from_real(mt_span_to_real(span));
        moved = fabsl(seconds_of(mt_span_minus(back, span)));

        assert_true(sizeof(mt_real) < 8 || moved == 0);
        assert_true(moved <= fabsl(seconds_of(span)) * 2 * MT_REAL_EPSILON + 0.51L / 65536e9L);
    }
}

static void real_is_near_when_a_span_is_converted(void **state)
{
    struct mt_prng prng;

    (void)state;
    mt_prng_init(&prng, 6);
    for (int i = 0; i < ROUNDS; i++) {
        uint32_t shift = 12 + mt_prng_below(&prng, 52);
        int64_t s = (int64_t)(random_u64(&prng) >> shift);
        struct mt_span span = {i % 2 == 0 ? s : -s, mt_prng_below(&prng, MT_NS_PER_S), 0};
        long double exact = s < MT_NS_PER_S ? (long double)(span.s * MT_NS_PER_S + span.ns) / 1e9L
                                            : (long double)span.s + (long double)span.ns / 1e9L;
        mt_real real = mt_span_to_real(span);

        assert_true(fabsl(real - exact) <=
                    fabsl(exact) * MT_REAL_EPSILON * (s < NEAREST_TO_S ? 0x1.01p-1L : 2));
        span.ns = 0;
        assert_true(s > WHOLE_TO_S || mt_span_to_real(span) == (mt_real)span.s);
    }
    assert_true(mt_span_to_real((struct mt_span){-1, 750000000, 0}) == MT_REAL(-0.25));
    assert_true(mt_span_to_real((struct mt_span){0, 0, 1}) == MT_REAL(1 / 65536e9));
    assert_true(mt_span_to_real((struct mt_span){-1, 999999999, 65535}) == MT_REAL(-1 / 65536e9));
    assert_true(mt_span_to_real((struct mt_span){INT64_MAX, 999999999, 0}) == MT_REAL(0x1p63));
}

static void real_stays_at_the_limit_when_seconds_are_beyond(void **state)
{
    const int64_t most = INT64_C(1) << 50;
    const mt_real limit = (mt_real)most;
    const int64_t sharp = INT64_C(1) << (MT_REAL_FRACTION_BITS - 2);

    (void)state;
    assert_in_range(mt_span_from_real(limit * MT_REAL(1.01)).s, most, 1.02 * (double)most);
    assert_in_range(-mt_span_from_real(limit * MT_REAL(-1.01)).s, most, 1.02 * (double)most);
    assert_in_range(mt_span_from_real(INFINITY).s, most, most + 20);
    assert_in_range(-mt_span_from_real(-INFINITY).s, most, most + 20);
    assert_int_equal(mt_span_from_real(NEXT(limit, 0)).s, (int64_t)NEXT(limit, 0));
    assert_int_equal(mt_span_from_real(MT_REAL(-0.25) - (mt_real)sharp).s, -sharp - 1);
    assert_int_equal(mt_span_from_real(MT_REAL(-0.25) - (mt_real)sharp).ns, 750000000);
    assert_int_equal(mt_span_compare(mt_span_from_real(NAN), (struct mt_span){0, 0, 0}), 0);
}

static void real_rounds_to_the_next_second_when_fraction_is_nearly_one(void **state)
{
    const mt_real nearly = sizeof(mt_real) < 8 ? 1 : NEXT(1, 0);
    struct mt_span up = mt_span_from_real(nearly);
    struct mt_span down = mt_span_from_real(-nearly);

    (void)state;
    assert_int_equal(mt_span_compare(up, (struct mt_span){1, 0, 0}), 0);
    assert_int_equal(mt_span_compare(down, (struct mt_span){-1, 0, 0}), 0);
    assert_int_equal(mt_span_compare(mt_span_from_real(MT_REAL(-1e-30)), (struct mt_span){0, 0, 0}),
                     0);
    assert_int_equal(mt_span_from_real(MT_REAL(0.4 / 65536e9)).frac, 0);
    assert_int_equal(mt_span_from_real(MT_REAL(0.6 / 65536e9)).frac, 1);
}

static void real_rounds_to_nearest_when_asked_for_an_integer(void **state)
{
    const int64_t most = INT64_C(1) << 50;
    struct mt_prng prng;

    (void)state;
    mt_prng_init(&prng, 8);
    for (int i = 0; i < ROUNDS; i++) {
        double size = (double)(INT64_C(1) << mt_prng_below(&prng, 51));
        mt_real x = random_real(&prng, -size, size);

        assert_true(mt_real_round(x) == llrint(x));
    }
    assert_true(mt_real_round(MT_REAL(2.5)) == 2);
    assert_true(mt_real_round(MT_REAL(-2.5)) == -2);
    assert_true(mt_real_round(MT_REAL(4194303.5)) == 4194304);
    assert_true(mt_real_round(MT_REAL(-2097152.5)) == -2097152);
    assert_true(mt_real_round(NEXT((mt_real)most, INFINITY)) == most);
    assert_true(mt_real_round(-INFINITY) == -most);
    assert_true(mt_real_round(NAN) == 0);
    assert_true(mt_real_round(-NAN) == 0);
}

/* FNV-1a over the bits of 40 000 results: gcc, clang, -O0 to -O3 and soft float must agree */
static void real_has_equal_bits_when_built_otherwise(void **state)
{
    struct mt_prng prng;
    uint64_t digest = UINT64_C(0xCBF29CE484222325);

    (void)state;
    mt_prng_init(&prng, 7);
    for (int i = 0; i < 10000; i++) {
        mt_real x = (mt_real)((double)mt_prng_next_u32(&prng) * 0x1p-28 - 8);
        const mt_real results[] = {mt_real_exp(x), mt_real_log(mt_real_abs(x)), mt_real_erf(x),
                                   mt_real_sqrt(mt_real_abs(x))};

        for (size_t k = 0; k < 4; k++) {
            digest = (digest ^ to_bits(results[k])) * UINT64_C(0x100000001B3);
        }
    }
    assert_true(digest == DIGEST);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(real_sqrt_errs_by_less_than_a_last_place_when_argument_is_any),
        cmocka_unit_test(real_sqrt_is_zero_when_argument_is_not_positive),
        cmocka_unit_test(real_exp_keeps_its_error_when_argument_is_any),
        cmocka_unit_test(real_log_keeps_its_error_when_argument_is_positive),
        cmocka_unit_test(real_erf_keeps_its_error_when_argument_is_any),
        cmocka_unit_test(real_truncated_keeps_its_error_when_argument_is_any),
        cmocka_unit_test(real_clamps_when_value_is_outside),
        cmocka_unit_test(real_returns_about_the_same_span_when_converted_forth_and_back),
        cmocka_unit_test(real_is_near_when_a_span_is_converted),
        cmocka_unit_test(real_stays_at_the_limit_when_seconds_are_beyond),
        cmocka_unit_test(real_rounds_to_the_next_second_when_fraction_is_nearly_one),
        cmocka_unit_test(real_rounds_to_nearest_when_asked_for_an_integer),
        cmocka_unit_test(real_has_equal_bits_when_built_otherwise),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
