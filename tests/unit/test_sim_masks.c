/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The limits of G.8273.2 and the figures that are held against them.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "apps/meantime/sim/masks.h"

#define COUNT  16384 /* 2048 s at 8 readings/s */
#define TWO_PI 6.283185307179586

static double values[COUNT];

static void assert_near(double actual, double expected, double relative)
{
    double most = fabs(expected) * relative;
    if (!(fabs(actual - expected) <= most))
        fail_msg("%.17g is not within %g of %.17g", actual, relative, expected);
}

static void fill_sine(double mean_ns, double amplitude_ns, double hz)
{
    for (size_t i = 0; i < COUNT; i++)
        values[i] = mean_ns + amplitude_ns * sin(TWO_PI * hz * (double)i / 8);
}

static struct mt_mask_figures measured(size_t count, double interval_s)
{
    struct mt_mask_figures figures;
    assert_true(mt_masks_measure(values, count, interval_s, &figures));
    return figures;
}

static void masks_split_at_a_tenth_of_a_hertz_when_error_is_sine(void **state)
{
    fill_sine(7, 10, 0.1);
    struct mt_mask_figures figures = measured(COUNT, 0.125);
    assert_near(figures.measured_s, 2047.875, 1e-12);
    assert_near(figures.figures_ns[MT_MASK_MAX_TE], 17, 1e-3);
    assert_near(figures.figures_ns[MT_MASK_CTE], 7, 1e-2);
    assert_near(figures.figures_ns[MT_MASK_MAX_TE_L], 7 + 10 / sqrt(2.0), 3e-3);
    assert_near(figures.figures_ns[MT_MASK_DTE_L_MTIE], 20 / sqrt(2.0), 3e-3);
    assert_near(figures.figures_ns[MT_MASK_DTE_H], 20 / sqrt(2.0), 3e-3);
    fill_sine(7, 10, 1);
    figures = measured(COUNT, 0.125);
    /* at ten times the corner; the bilinear transform is a little steeper */
    assert_near(figures.figures_ns[MT_MASK_DTE_L_MTIE], 20 / sqrt(101.0), 0.06);
    assert_near(figures.figures_ns[MT_MASK_DTE_H], 20, 0.01);
    fill_sine(7, 10, 0.01);
    figures = measured(COUNT, 0.125);
    assert_near(figures.figures_ns[MT_MASK_DTE_L_MTIE], 20 / sqrt(1.01), 0.001);
    assert_near(figures.figures_ns[MT_MASK_DTE_H], 20 / sqrt(101.0), 0.01);
}

static void masks_take_worst_thousand_seconds_when_mean_moves(void **state)
{
    for (size_t i = 0; i < COUNT; i++)
        values[i] = i < COUNT / 2 ? -30 : 10;
    struct mt_mask_figures figures = measured(COUNT, 0.125);
    assert_near(figures.figures_ns[MT_MASK_CTE], 30, 1e-12);
    assert_near(figures.figures_ns[MT_MASK_DTE_L_MTIE], 40, 1e-9);
    figures = measured(COUNT / 2 + 4096, 0.125); /* 2/3 of 1536 s: a window is 1000 s */
    assert_near(figures.figures_ns[MT_MASK_CTE], 30, 1e-12);
    figures = measured(4, 0.125);
    assert_near(figures.figures_ns[MT_MASK_CTE], 30, 1e-12);
}

static void masks_leave_out_filter_start_when_measuring(void **state)
{
    for (size_t i = 0; i < COUNT; i++)
        values[i] = i == 0 ? 1000 : 0;
    struct mt_mask_figures figures = measured(COUNT, 0.125);
    assert_near(figures.figures_ns[MT_MASK_MAX_TE], 1000, 1e-12);
    assert_true(figures.figures_ns[MT_MASK_MAX_TE_L] < 0.1);
    assert_true(figures.figures_ns[MT_MASK_DTE_H] < 0.1);
}

static void masks_do_not_filter_when_readings_are_rare(void **state)
{
    fill_sine(7, 10, 0.01);
    struct mt_mask_figures figures = measured(1000, 2);
    assert_true(figures.has[MT_MASK_MAX_TE]);
    assert_true(figures.has[MT_MASK_CTE]);
    assert_false(figures.has[MT_MASK_MAX_TE_L]);
    assert_false(figures.has[MT_MASK_DTE_L_MTIE]);
    assert_false(figures.has[MT_MASK_DTE_L_TDEV]);
    assert_false(figures.has[MT_MASK_DTE_H]);
    assert_int_equal(mt_masks_judge_class(&figures, MT_MASK_CLASS_A), MT_MASK_NOT_MEASURED);
    figures = measured(100, 0.125); /* all of it is start of the filter */
    assert_false(figures.has[MT_MASK_MAX_TE_L]);
    figures = measured(0, 0.125);
    assert_false(figures.has[MT_MASK_MAX_TE]);
}

static void masks_have_limits_of_recommendation_when_asked(void **state)
{
    static const double expected[MT_MASK_CLASSES][MT_MASK_LIMITS] = {
        {100, 0, 50, 40, 4, 70},
        {70, 0, 20, 40, 4, 70},
        {30, 0, 10, 10, 2, 30},
        {0, 5, 0, 0, 0, 0},
    };
    for (int class_ = 0; class_ < MT_MASK_CLASSES; class_++) {
        for (int limit = 0; limit < MT_MASK_LIMITS; limit++)
            assert_true(mt_masks_limit_ns((enum mt_mask_class)class_, (enum mt_mask_limit)limit) ==
                        expected[class_][limit]);
    }
}

static void masks_judge_each_limit_when_figures_are_at_the_edge(void **state)
{
    struct mt_mask_figures figures = {0};
    for (int i = 0; i < MT_MASK_LIMITS; i++) {
        figures.has[i] = true;
        figures.figures_ns[i] = mt_masks_limit_ns(MT_MASK_CLASS_B, (enum mt_mask_limit)i);
    }
    figures.figures_ns[MT_MASK_MAX_TE_L] = 6;
    assert_int_equal(mt_masks_judge_class(&figures, MT_MASK_CLASS_A), MT_MASK_PASS);
    assert_int_equal(mt_masks_judge_class(&figures, MT_MASK_CLASS_B), MT_MASK_PASS);
    assert_int_equal(mt_masks_judge_class(&figures, MT_MASK_CLASS_C), MT_MASK_FAIL);
    assert_int_equal(mt_masks_judge_class(&figures, MT_MASK_CLASS_D), MT_MASK_FAIL);
    assert_int_equal(mt_masks_judge(&figures, MT_MASK_CLASS_D, MT_MASK_CTE), MT_MASK_NO_LIMIT);
    for (int i = 0; i < MT_MASK_LIMITS; i++) {
        struct mt_mask_figures worse = figures;
        worse.figures_ns[i] += 0.5;
        bool has_limit = mt_masks_limit_ns(MT_MASK_CLASS_B, (enum mt_mask_limit)i) > 0;
        assert_int_equal(mt_masks_judge_class(&worse, MT_MASK_CLASS_B),
                         has_limit ? MT_MASK_FAIL : MT_MASK_PASS);
    }
}

static void masks_keep_the_worse_when_merged(void **state)
{
    fill_sine(7, 10, 0.01);
    struct mt_mask_figures a = measured(COUNT, 0.125);
    fill_sine(-9, 1, 1);
    struct mt_mask_figures b = measured(COUNT / 2, 0.125);
    struct mt_mask_figures pool = {0};
    mt_masks_merge(&pool, &b);
    mt_masks_merge(&pool, &a);
    for (int i = 0; i < MT_MASK_LIMITS; i++) {
        assert_true(pool.has[i]);
        assert_true(pool.figures_ns[i] == fmax(a.figures_ns[i], b.figures_ns[i]));
    }
    assert_true(pool.figures_ns[MT_MASK_CTE] > 8.9);
    assert_true(pool.measured_s == a.measured_s);
    assert_int_equal(pool.dte_l.count, a.dte_l.count);
}

static void masks_pool_tdev_when_stretches_are_joined(void **state)
{
    fill_sine(0, 10, 0.02);
    struct mt_mask_figures a = measured(COUNT, 0.125);
    fill_sine(0, 20, 0.02);
    struct mt_mask_figures b = measured(COUNT / 4, 0.125);
    struct mt_mask_figures pool = {0};
    mt_masks_join(&pool, &a);
    assert_memory_equal(&pool, &a, sizeof pool);
    mt_masks_join(&pool, &b);
    double a_ns = a.figures_ns[MT_MASK_DTE_L_TDEV];
    double b_ns = b.figures_ns[MT_MASK_DTE_L_TDEV];
    assert_true(pool.figures_ns[MT_MASK_DTE_L_TDEV] > a_ns * 1.1);
    assert_true(pool.figures_ns[MT_MASK_DTE_L_TDEV] < b_ns * 0.9);
    assert_true(pool.figures_ns[MT_MASK_MAX_TE] == b.figures_ns[MT_MASK_MAX_TE]);
}

static void masks_are_found_by_name_when_it_is_one(void **state)
{
    enum mt_mask_class class_ = MT_MASK_CLASS_A;
    assert_true(mt_masks_class_from_name("C", &class_));
    assert_int_equal(class_, MT_MASK_CLASS_C);
    assert_true(mt_masks_class_from_name("d", &class_));
    assert_int_equal(class_, MT_MASK_CLASS_D);
    assert_false(mt_masks_class_from_name("", &class_));
    assert_false(mt_masks_class_from_name("AB", &class_));
    assert_false(mt_masks_class_from_name("E", &class_));
    assert_int_equal(class_, MT_MASK_CLASS_D);
    assert_string_equal(mt_masks_class_name(MT_MASK_CLASS_B), "B");
    assert_string_equal(mt_masks_limit_name(MT_MASK_DTE_L_TDEV), "dte_l_tdev");
    assert_string_equal(mt_masks_verdict_name(MT_MASK_NO_LIMIT), "no limit");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(masks_split_at_a_tenth_of_a_hertz_when_error_is_sine),
        cmocka_unit_test(masks_take_worst_thousand_seconds_when_mean_moves),
        cmocka_unit_test(masks_leave_out_filter_start_when_measuring),
        cmocka_unit_test(masks_do_not_filter_when_readings_are_rare),
        cmocka_unit_test(masks_have_limits_of_recommendation_when_asked),
        cmocka_unit_test(masks_judge_each_limit_when_figures_are_at_the_edge),
        cmocka_unit_test(masks_keep_the_worse_when_merged),
        cmocka_unit_test(masks_pool_tdev_when_stretches_are_joined),
        cmocka_unit_test(masks_are_found_by_name_when_it_is_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
