/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Stability curves: by hand for short series, against the definitions written out for longer
 * ones, and against the slopes that theory gives for the kinds of noise.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "apps/meantime/sim/stability.h"
#include "meantime/prng.h"

#define LONG 65536

static struct mt_stability computed(const double *values, size_t count, double interval_s)
{
    struct mt_stability stability;
    assert_true(mt_stability_compute(values, count, interval_s, &stability));
    return stability;
}

static void assert_near(double actual, double expected, double relative)
{
    double most = fabs(expected) * relative;
    if (!(fabs(actual - expected) <= most))
        fail_msg("%.17g is not within %g of %.17g", actual, relative, expected);
}

/** The sum of twelve uniform numbers: mean 0, standard deviation 1. */
static double normal(struct mt_prng *prng)
{
    double sum = -6;
    for (int i = 0; i < 12; i++)
        sum += (double)mt_prng_next_u32(prng) / 4294967296.0;
    return sum;
}

static void stability_computes_by_hand_when_series_is_short(void **state)
{
    const double values[] = {0, 1, 3, 2, 6, 5, 4};
    struct mt_stability stability = computed(values, 7, 0.5);
    assert_int_equal(stability.count, 3);
    assert_true(stability.measured_s == 3.0);
    assert_true(stability.points[0].tau_s == 0.5);
    assert_true(stability.points[1].tau_s == 1.0);
    assert_true(stability.points[2].tau_s == 2.0);
    assert_true(stability.points[0].mtie_ns == 4); /* 2 6 */
    assert_true(stability.points[1].mtie_ns == 4); /* 3 2 6 */
    assert_true(stability.points[2].mtie_ns == 6); /* 0 .. 6 */
    /* n = 1: 1, -3, 5, -5, 0: sum of squares 60 */
    assert_int_equal(stability.points[0].adev_terms, 5);
    assert_near(stability.points[0].adev, sqrt(60.0 / 10) / 0.5e9, 1e-15);
    assert_int_equal(stability.points[0].tdev_terms, 5);
    assert_near(stability.points[0].tdev_ns, sqrt(60.0 / 30), 1e-15);
    /* n = 2: 6-6+0 = 0, 5-4+1 = 2, 4-12+3 = -5 */
    assert_int_equal(stability.points[1].adev_terms, 3);
    assert_near(stability.points[1].adev, sqrt(29.0 / 6) / 1e9, 1e-15);
    /* inner sums 0+2 and 2-5 */
    assert_int_equal(stability.points[1].tdev_terms, 2);
    assert_near(stability.points[1].tdev_ns, sqrt((4.0 + 9.0) / (6 * 2)) / 2, 1e-15);
    assert_near(stability.points[1].mdev, sqrt(3.0) * stability.points[1].tdev_ns / 1e9, 1e-15);
    assert_int_equal(stability.points[2].adev_terms, 0);
    assert_int_equal(stability.points[2].tdev_terms, 0);
}

static void stability_has_no_points_when_series_is_too_short(void **state)
{
    double value = 3;
    struct mt_stability stability = computed(&value, 1, 1);
    assert_int_equal(stability.count, 0);
    stability = computed(NULL, 0, 1);
    assert_int_equal(stability.count, 0);
}

static double mtie_by_definition(const double *values, size_t count, size_t n)
{
    double largest = 0;
    for (size_t i = 0; i + n < count; i++) {
        for (size_t j = i; j <= i + n; j++) {
            for (size_t k = i; k <= i + n; k++)
                largest = fmax(largest, values[j] - values[k]);
        }
    }
    return largest;
}

static double tdev_by_definition(const double *x, size_t count, size_t n)
{
    double sum = 0;
    for (size_t j = 0; j + 3 * n <= count; j++) {
        double inner = 0;
        for (size_t i = j; i < j + n; i++)
            inner += x[i + 2 * n] - 2 * x[i + n] + x[i];
        sum += inner * inner;
    }
    double terms = (double)(count - 3 * n + 1);
    return sqrt(sum / (6 * terms * (double)n * (double)n));
}

static void stability_equals_definitions_when_series_is_random(void **state)
{
    enum { COUNT = 100 };
    double values[COUNT];
    struct mt_prng prng;
    mt_prng_init(&prng, 5);
    for (size_t i = 0; i < COUNT; i++)
        values[i] = normal(&prng) * 50 + (double)i * 3;
    struct mt_stability stability = computed(values, COUNT, 1);
    assert_int_equal(stability.count, 7);
    for (size_t i = 0; i < stability.count; i++) {
        size_t n = (size_t)1 << i;
        assert_true(stability.points[i].mtie_ns == mtie_by_definition(values, COUNT, n));
        if (3 * n <= COUNT)
            assert_near(stability.points[i].tdev_ns, tdev_by_definition(values, COUNT, n), 1e-9);
    }
    for (size_t n = 1; n < COUNT; n++) {
        double mtie_ns;
        assert_true(mt_stability_mtie(values, COUNT, n, &mtie_ns));
        assert_true(mtie_ns == mtie_by_definition(values, COUNT, n));
    }
}

static void stability_mtie_is_of_everything_when_tau_is_longer(void **state)
{
    const double values[] = {4, -1, 2};
    double mtie_ns;
    assert_true(mt_stability_mtie(values, 3, 1000, &mtie_ns));
    assert_true(mtie_ns == 5);
    assert_true(mt_stability_mtie(values, 0, 5, &mtie_ns));
    assert_true(mtie_ns == 0);
}

static void stability_shows_slope_only_when_frequency_is_off(void **state)
{
    double *values = malloc(LONG * sizeof *values);
    assert_non_null(values);
    for (size_t i = 0; i < LONG; i++)
        values[i] = 1e6 + 0.25 * (double)i; /* 2 ns/s at 8 readings/s */
    struct mt_stability stability = computed(values, LONG, 0.125);
    assert_int_equal(stability.count, 16);
    for (uint32_t i = 0; i < stability.count; i++) {
        assert_true(stability.points[i].mtie_ns == 2 * stability.points[i].tau_s);
        assert_true(stability.points[i].tdev_ns == 0);
        assert_true(stability.points[i].adev == 0);
    }
    free(values);
}

static void stability_has_analytic_values_when_phase_noise_is_white(void **state)
{
    double *values = malloc(LONG * sizeof *values);
    assert_non_null(values);
    struct mt_prng prng;
    mt_prng_init(&prng, 1);
    for (size_t i = 0; i < LONG; i++)
        values[i] = 10 * normal(&prng);
    struct mt_stability stability = computed(values, LONG, 1);
    for (uint32_t i = 0; i <= 9; i++) {
        double n = (double)(1u << i);
        assert_near(stability.points[i].tdev_ns, 10 / sqrt(n), i < 6 ? 0.05 : 0.25);
        assert_near(stability.points[i].adev, sqrt(3.0) * 10e-9 / n, 0.03);
    }
    free(values);
}

static void stability_rises_by_root_when_frequency_walks(void **state)
{
    double *values = malloc(LONG * sizeof *values);
    assert_non_null(values);
    struct mt_prng prng;
    mt_prng_init(&prng, 2);
    double phase_ns = 0;
    double rate_ns = 0;
    for (size_t i = 0; i < LONG; i++) {
        values[i] = phase_ns;
        phase_ns += rate_ns;
        rate_ns += normal(&prng); /* 1e-9 per square root of a second */
    }
    struct mt_stability stability = computed(values, LONG, 1);
    for (uint32_t i = 3; i <= 9; i++)
        assert_near(stability.points[i].adev, 1e-9 * sqrt(stability.points[i].tau_s / 3), 0.15);
    free(values);
}

static void stability_pools_squares_when_runs_are_merged(void **state)
{
    const double first[] = {0, 1, 3, 2, 6, 5, 4};
    const double second[] = {0, 9, 0};
    struct mt_stability a = computed(first, 7, 1);
    struct mt_stability b = computed(second, 3, 1);
    struct mt_stability pool = {0};
    mt_stability_merge(&pool, &b);
    assert_memory_equal(&pool, &b, sizeof pool);
    mt_stability_merge(&pool, &a);
    assert_int_equal(pool.count, 3);
    assert_true(pool.measured_s == 6);
    assert_true(pool.points[0].mtie_ns == 9);
    assert_int_equal(pool.points[0].tdev_terms, 6);
    assert_near(pool.points[0].tdev_ns, sqrt((60.0 + 18 * 18) / (6 * 6)), 1e-12);
    assert_near(pool.points[0].adev, sqrt((60.0 + 18 * 18) / (2 * 6)) * 1e-9, 1e-12);
    assert_near(pool.points[1].tdev_ns, a.points[1].tdev_ns, 1e-15);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stability_computes_by_hand_when_series_is_short),
        cmocka_unit_test(stability_has_no_points_when_series_is_too_short),
        cmocka_unit_test(stability_equals_definitions_when_series_is_random),
        cmocka_unit_test(stability_mtie_is_of_everything_when_tau_is_longer),
        cmocka_unit_test(stability_shows_slope_only_when_frequency_is_off),
        cmocka_unit_test(stability_has_analytic_values_when_phase_noise_is_white),
        cmocka_unit_test(stability_rises_by_root_when_frequency_walks),
        cmocka_unit_test(stability_pools_squares_when_runs_are_merged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
