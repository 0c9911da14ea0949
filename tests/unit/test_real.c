/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * mt_real against the host's mathematics library, and a digest of result bits that must be the
 * same for every compiler and optimisation.
 */
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "meantime/prng.h"
#include "meantime/real.h"

#define ROUNDS 200000

static uint64_t random_u64(struct mt_prng *prng)
{
    uint64_t high = mt_prng_next_u32(prng);

    return high << 32 | mt_prng_next_u32(prng);
}

static double from_bits(uint64_t bits)
{
    double value;

    memcpy(&value, &bits, sizeof value);
    return value;
}

static uint64_t to_bits(double value)
{
    uint64_t bits;

    memcpy(&bits, &value, sizeof bits);
    return bits;
}

/* uniform in [low, high) */
static double random_real(struct mt_prng *prng, double low, double high)
{
    return low + (high - low) * ((double)(random_u64(prng) >> 11) * 0x1p-53);
}

/* in units of the last place */
static long double root_error(double x)
{
    double root = mt_real_sqrt(x);
    long double unit = nextafter(root, INFINITY) - root;

    return fabsl(root - sqrtl(x)) / unit;
}

static void real_sqrt_errs_by_less_than_a_last_place_when_argument_is_any_double(void **state)
{
    struct mt_prng prng;

    (void)state;
    mt_prng_init(&prng, 1);
    for (int i = 0; i < ROUNDS; i++) {
        uint32_t shift = 1 + (i % 4 == 0 ? mt_prng_below(&prng, 63) : 0);
        double x = from_bits(random_u64(&prng) >> shift);

        if (isfinite(x)) {
            assert_true(root_error(x) < 1);
        }
    }
    for (double x = 1; x < 5000; x++) { /* squares and their neighbours */
        assert_true(to_bits(mt_real_sqrt(x * x)) == to_bits(x));
        assert_true(root_error(nextafter(x * x, 0)) < 1);
        assert_true(root_error(nextafter(x * x, INFINITY)) < 1);
    }
    assert_true(root_error(DBL_MAX) < 1);
    assert_true(mt_real_sqrt(DBL_TRUE_MIN) == sqrt(DBL_TRUE_MIN));
    assert_true(isinf(mt_real_sqrt(INFINITY)));
    assert_true(isnan(mt_real_sqrt(NAN)));
}

static void real_sqrt_is_zero_when_argument_is_not_positive(void **state)
{
    (void)state;
    assert_true(to_bits(mt_real_sqrt(0.0)) == 0);
    assert_true(to_bits(mt_real_sqrt(-0.0)) == 0);
    assert_true(to_bits(mt_real_sqrt(-4)) == 0);
    assert_true(to_bits(mt_real_sqrt(-INFINITY)) == 0);
}

static void real_exp_keeps_its_error_when_argument_is_any(void **state)
{
    struct mt_prng prng;

    (void)state;
    mt_prng_init(&prng, 2);
    for (int i = 0; i < ROUNDS; i++) {
        double x = random_real(&prng, -708, 709.7);
        long double exact = expl(x);

        assert_true(fabsl(mt_real_exp(x) - exact) < 1e-14L * exact);
        x /= 1000;
        exact = expl(x);
        assert_true(fabsl(mt_real_exp(x) - exact) < 1e-15L * exact);
    }
    assert_true(mt_real_exp(0) == 1);
    assert_true(mt_real_exp(-745) == DBL_TRUE_MIN);
    assert_true(mt_real_exp(-745.2) == 0);
    assert_true(mt_real_exp(-1e300) == 0);
    assert_true(isfinite(mt_real_exp(709.782712893384)));
    assert_true(mt_real_exp(709.79) == DBL_MAX);
    assert_true(mt_real_exp(INFINITY) == DBL_MAX);
    assert_true(mt_real_exp(-INFINITY) == 0);
    assert_true(isnan(mt_real_exp(NAN)));
}

static void real_log_keeps_its_error_when_argument_is_positive(void **state)
{
    struct mt_prng prng;

    (void)state;
    mt_prng_init(&prng, 3);
    for (int i = 0; i < ROUNDS; i++) {
        double x = from_bits(random_u64(&prng) >> 1);
        double near_one = random_real(&prng, 0.5, 2);

        if (x > 0 && isfinite(x)) {
            long double exact = logl(x);
            long double allowed = fabsl(exact) < 32 ? 1e-14L : fabsl(exact) * 2.3e-16L;

            assert_true(fabsl(mt_real_log(x) - exact) < allowed);
        }
        assert_true(fabsl(mt_real_log(near_one) - logl(near_one)) < 2e-16L);
    }
    assert_true(mt_real_log(1) == 0);
    assert_true(mt_real_log(0) == -DBL_MAX);
    assert_true(mt_real_log(-1) == -DBL_MAX);
    assert_true(mt_real_log(INFINITY) == DBL_MAX);
    assert_true(isnan(mt_real_log(NAN)));
    assert_true(fabs(mt_real_log(DBL_TRUE_MIN) - log(DBL_TRUE_MIN)) < 2e-13);
}

static void real_erf_keeps_its_error_when_argument_is_any(void **state)
{
    struct mt_prng prng;

    (void)state;
    mt_prng_init(&prng, 4);
    for (int i = 0; i < ROUNDS / 10; i++) {
        double x = random_real(&prng, -7, 7);

        assert_true(fabsl(mt_real_erf(x) - erfl(x)) < 1e-12L);
        assert_true(mt_real_erf(-x) == -mt_real_erf(x));
        assert_true(fabs(mt_real_erf(x)) <= 1 + 1e-14);
    }
    assert_true(mt_real_erf(0) == 0);
    assert_true(mt_real_erf(INFINITY) == 1);
    assert_true(mt_real_erf(-INFINITY) == -1);
    assert_true(isnan(mt_real_erf(NAN)));
}

static void real_clamps_when_value_is_outside(void **state)
{
    (void)state;
    assert_true(mt_real_clamp(3, 1, 2) == 2);
    assert_true(mt_real_clamp(0, 1, 2) == 1);
    assert_true(mt_real_clamp(1.5, 1, 2) == 1.5);
    assert_true(mt_real_abs(-2) == 2);
    assert_true(mt_real_abs(2) == 2);
}

static void real_returns_the_same_span_when_converted_forth_and_back(void **state)
{
    struct mt_prng prng;

    (void)state;
    mt_prng_init(&prng, 5);
    for (int i = 0; i < ROUNDS; i++) {
        struct mt_span span;
        struct mt_span back;

        span.s = (int64_t)mt_prng_below(&prng, 128) - 64;
        span.ns = mt_prng_below(&prng, MT_NS_PER_S);
        span.frac = (uint16_t)(mt_prng_next_u32(&prng) & 0xFFFF);
        back = mt_span_from_real(mt_span_to_real(span));

        assert_int_equal(mt_span_compare(span, back), 0);
    }
}

static void real_is_nearest_when_a_span_is_converted(void **state)
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
        double real = mt_span_to_real(span);

        assert_true(fabsl(real - exact) <= fabsl(exact) * (s < 137 ? 0x1.01p-53L : 0x1p-51L));
        span.ns = 0;
        assert_true(s > INT64_C(4600000000) || mt_span_to_real(span) == (double)span.s);
    }
    assert_true(mt_span_to_real((struct mt_span){-1, 750000000, 0}) == -0.25);
    assert_true(mt_span_to_real((struct mt_span){0, 0, 1}) == 1 / 65536e9);
    assert_true(mt_span_to_real((struct mt_span){-1, 999999999, 65535}) == -1 / 65536e9);
}

static void real_stays_at_the_limit_when_seconds_are_beyond(void **state)
{
    const int64_t most = INT64_C(1) << 50;

    (void)state;
    assert_in_range(mt_span_from_real(1.01 * (double)most).s, most, most + 20);
    assert_in_range(-mt_span_from_real(-1.01 * (double)most).s, most, most + 20);
    assert_in_range(mt_span_from_real(INFINITY).s, most, most + 20);
    assert_in_range(-mt_span_from_real(-INFINITY).s, most, most + 20);
    assert_int_equal(mt_span_from_real((double)most - 1).s, most - 1);
    assert_int_equal(mt_span_from_real(-0.125 - (double)(most / 2)).s, -most / 2 - 1);
    assert_int_equal(mt_span_from_real(-0.125 - (double)(most / 2)).ns, 875000000);
    assert_int_equal(mt_span_compare(mt_span_from_real(NAN), (struct mt_span){0, 0, 0}), 0);
}

static void real_rounds_to_the_next_second_when_fraction_is_nearly_one(void **state)
{
    struct mt_span up = mt_span_from_real(nextafter(1, 0));
    struct mt_span down = mt_span_from_real(-nextafter(1, 0));

    (void)state;
    assert_int_equal(mt_span_compare(up, (struct mt_span){1, 0, 0}), 0);
    assert_int_equal(mt_span_compare(down, (struct mt_span){-1, 0, 0}), 0);
    assert_int_equal(mt_span_compare(mt_span_from_real(-1e-30), (struct mt_span){0, 0, 0}), 0);
    assert_int_equal(mt_span_from_real(0.4 / 65536e9).frac, 0);
    assert_int_equal(mt_span_from_real(0.6 / 65536e9).frac, 1);
}

static void real_rounds_to_nearest_when_asked_for_an_integer(void **state)
{
    const int64_t most = INT64_C(1) << 50;
    struct mt_prng prng;

    (void)state;
    mt_prng_init(&prng, 8);
    for (int i = 0; i < ROUNDS; i++) {
        double x = random_real(&prng, -1, 1) * (double)(INT64_C(1) << mt_prng_below(&prng, 51));

        assert_true(mt_real_round(x) == llrint(x));
    }
    assert_true(mt_real_round(2.5) == 2);
    assert_true(mt_real_round(-2.5) == -2);
    assert_true(mt_real_round((double)most + 1) == most);
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
        double x = (double)mt_prng_next_u32(&prng) * 0x1p-28 - 8;
        const double results[] = {mt_real_exp(x), mt_real_log(mt_real_abs(x)), mt_real_erf(x),
                                  mt_real_sqrt(mt_real_abs(x))};

        for (size_t k = 0; k < 4; k++) {
            digest = (digest ^ to_bits(results[k])) * UINT64_C(0x100000001B3);
        }
    }
    assert_true(digest == UINT64_C(0xF95324B9FAEA5FDF));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(real_sqrt_errs_by_less_than_a_last_place_when_argument_is_any_double),
        cmocka_unit_test(real_sqrt_is_zero_when_argument_is_not_positive),
        cmocka_unit_test(real_exp_keeps_its_error_when_argument_is_any),
        cmocka_unit_test(real_log_keeps_its_error_when_argument_is_positive),
        cmocka_unit_test(real_erf_keeps_its_error_when_argument_is_any),
        cmocka_unit_test(real_clamps_when_value_is_outside),
        cmocka_unit_test(real_returns_the_same_span_when_converted_forth_and_back),
        cmocka_unit_test(real_is_nearest_when_a_span_is_converted),
        cmocka_unit_test(real_stays_at_the_limit_when_seconds_are_beyond),
        cmocka_unit_test(real_rounds_to_the_next_second_when_fraction_is_nearly_one),
        cmocka_unit_test(real_rounds_to_nearest_when_asked_for_an_integer),
        cmocka_unit_test(real_has_equal_bits_when_built_otherwise),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
