/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * From readings to results: by hand for few readings, and against plain sums for many.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "apps/meantime/sim/statistics.h"
#include "meantime/prng.h"

#define SECOND INT64_C(1000000000)

static const struct mt_statistics_plan plan_1s = {
    .interval_ns = SECOND,
    .limit_ns = 1000,
    .hold_ns = 3 * SECOND,
};

static void assert_near(double actual, double expected, double relative)
{
    double most = fabs(expected) * relative;
    if (!(fabs(actual - expected) <= most))
        fail_msg("%.17g is not within %g of %.17g", actual, relative, expected);
}

static struct mt_statistics started(const struct mt_statistics_plan *plan, uint64_t seed)
{
    struct mt_statistics self;
    assert_true(mt_statistics_init(&self, plan, seed));
    return self;
}

static void feed(struct mt_statistics *self, int64_t t_s, double error_ns, bool is_synchronised)
{
    struct mt_statistics_reading reading = {
        .t_ns = t_s * SECOND, .error_ns = error_ns, .is_synchronised = is_synchronised};
    mt_statistics_feed(self, &reading);
}

static void feed_bound(struct mt_statistics *self, int64_t t_s, double error_ns, double bound_ns)
{
    struct mt_statistics_reading reading = {.t_ns = t_s * SECOND,
                                            .error_ns = error_ns,
                                            .bound_ns = bound_ns,
                                            .has_bound = true,
                                            .is_synchronised = true};
    mt_statistics_feed(self, &reading);
}

static struct mt_statistics_figures ended(struct mt_statistics *self, int64_t t_s)
{
    struct mt_statistics_figures figures;
    mt_statistics_end(self, false, t_s * SECOND);
    mt_statistics_get(self, &figures);
    return figures;
}

/* ---- steady figures -------------------------------------------------------------------------- */

static void statistics_gives_figures_by_hand_when_readings_are_few(void **state)
{
    struct mt_statistics self = started(&plan_1s, 4);
    const double errors_ns[] = {3, -1, 5, 1};
    for (int i = 0; i < 4; i++)
        feed(&self, i, errors_ns[i], true);
    struct mt_statistics_figures figures = ended(&self, 3);
    assert_int_equal(figures.readings, 4);
    assert_near(figures.mean_ns, 2, 1e-15);
    assert_near(figures.deviation_ns, sqrt(5), 1e-15);
    assert_near(figures.rms_ns, 3, 1e-15);
    assert_true(figures.max_ns == 5);
    assert_true(figures.p99_ns == 5);
    assert_true(figures.low_ns == -1);
    assert_true(figures.high_ns == 5);
    assert_true(figures.max_at_s == 2);
    assert_int_equal(figures.max_seed, 4);
    assert_int_equal(figures.worst_seed, 4);
    assert_near(figures.worst_rms_ns, 3, 1e-15);
    mt_statistics_free(&self);
}

static void statistics_gives_nothing_when_there_are_no_readings(void **state)
{
    struct mt_statistics self = started(&plan_1s, 1);
    struct mt_statistics_figures figures = ended(&self, 10);
    assert_int_equal(figures.readings, 0);
    assert_false(figures.has_synchronised);
    assert_int_equal(figures.seeds, 1);
    assert_int_equal(figures.losses, 0);
    mt_statistics_free(&self);
}

static void statistics_discards_start_when_from_is_later(void **state)
{
    struct mt_statistics_plan plan = plan_1s;
    plan.from_ns = 10 * SECOND;
    plan.series_limit = 64;
    struct mt_statistics self = started(&plan, 1);
    for (int i = 0; i < 30; i++)
        feed_bound(&self, i, i < 10 ? 1e6 : 2, 1);
    struct mt_statistics_figures figures = ended(&self, 29);
    assert_int_equal(figures.readings, 20);
    assert_int_equal(figures.with_bound, 20);
    assert_true(figures.max_ns == 2);
    assert_true(self.has_curves);
    assert_true(self.stability.points[0].mtie_ns == 0);
    assert_true(self.stability.measured_s == 19);
    assert_true(figures.synchronise_mean_s == 10);
    assert_true(self.columns[0].high_ns == 1e6F);
    mt_statistics_free(&self);
}

static void statistics_keeps_precision_when_mean_is_large(void **state)
{
    struct mt_statistics self = started(&plan_1s, 1);
    for (int i = 0; i < 100000; i++)
        feed(&self, i, 1e9 + (i % 2 == 0 ? 1 : -1), true);
    struct mt_statistics_figures figures = ended(&self, 100000);
    assert_near(figures.mean_ns, 1e9, 1e-12);
    assert_near(figures.deviation_ns, 1, 1e-6);
    mt_statistics_free(&self);
}

static void statistics_gives_p99_within_resolution_when_readings_are_many(void **state)
{
    enum { COUNT = 20000 };
    for (int scale = -4; scale <= 9; scale++) {
        struct mt_statistics self = started(&plan_1s, 1);
        double unit = pow(10, scale);
        for (int i = 1; i <= COUNT; i++)
            feed(&self, i, (i % 2 == 0 ? unit : -unit) * i, true);
        struct mt_statistics_figures figures = ended(&self, COUNT);
        assert_near(figures.p99_ns, unit * COUNT * 0.99, 0.004);
        mt_statistics_free(&self);
    }
}

static void statistics_counts_sizes_when_they_are_extreme(void **state)
{
    struct mt_statistics self = started(&plan_1s, 1);
    feed(&self, 0, 5, true);
    for (int i = 1; i < 200; i++)
        feed(&self, i, 0, true);
    struct mt_statistics_figures figures = ended(&self, 200);
    assert_true(figures.p99_ns < 2e-5);
    mt_statistics_free(&self);
    self = started(&plan_1s, 1);
    feed(&self, 0, 1e-9, true);
    feed(&self, 1, -1e30, true);
    feed(&self, 2, (double)NAN, true);
    feed(&self, 3, (double)INFINITY, true);
    figures = ended(&self, 3);
    assert_int_equal(figures.readings, 2);
    assert_true(figures.p99_ns > 1e19);
    assert_true(figures.low_ns == -1e30);
    mt_statistics_free(&self);
}

static void statistics_counts_outside_when_bound_is_too_small(void **state)
{
    struct mt_statistics self = started(&plan_1s, 1);
    feed_bound(&self, 0, 5, 10);
    feed_bound(&self, 1, -10, 10); /* the edge is inside */
    feed_bound(&self, 2, -11, 10);
    feed_bound(&self, 3, 19, 20);
    feed(&self, 4, 1000, true);
    struct mt_statistics_figures figures = ended(&self, 4);
    assert_int_equal(figures.with_bound, 4);
    assert_int_equal(figures.outside, 1);
    assert_near(figures.inside_share, 0.75, 1e-15);
    assert_near(figures.bound_mean_ns, 12.5, 1e-15);
    assert_true(figures.bound_max_ns == 20);
    mt_statistics_free(&self);
}

/* ---- synchronisation ------------------------------------------------------------------------- */

static void statistics_counts_from_first_lasting_run_when_synchronising(void **state)
{
    struct mt_statistics_plan plan = plan_1s;
    plan.start_ns = 2 * SECOND;
    struct mt_statistics self = started(&plan, 1);
    feed(&self, 2, 5000, true); /* too far off */
    feed(&self, 3, 5, false);   /* the node does not say so */
    feed(&self, 4, 5, true);    /* good, but not for long */
    feed(&self, 5, -5, true);
    feed(&self, 6, -1001, true);
    feed(&self, 7, -1000, true);
    feed(&self, 8, 5, true);
    feed(&self, 9, 5, true);
    struct mt_statistics early = self;
    assert_int_equal(early.synchronised, 0);
    feed(&self, 10, 5, true);
    struct mt_statistics_figures figures = ended(&self, 10);
    assert_true(figures.has_synchronised);
    assert_true(figures.synchronise_mean_s == 5);
    assert_true(figures.synchronise_max_s == 5);
    assert_int_equal(figures.losses, 0);
    mt_statistics_free(&self);
}

static void statistics_begins_run_anew_when_there_is_a_gap(void **state)
{
    struct mt_statistics self = started(&plan_1s, 1);
    for (int i = 0; i < 3; i++)
        feed(&self, i, 1, true);
    for (int i = 4; i < 10; i++)
        feed(&self, i, 1, true);
    struct mt_statistics_figures figures = ended(&self, 9);
    assert_true(figures.synchronise_mean_s == 4);
    assert_int_equal(figures.losses, 0);
    mt_statistics_free(&self);
}

static void statistics_counts_losses_when_synchronisation_is_lost(void **state)
{
    struct mt_statistics self = started(&plan_1s, 1);
    for (int i = 0; i < 40; i++) {
        if (i < 20 || i >= 23) /* a gap: lost from 20 to 23 */
            feed(&self, i, i >= 10 && i < 15 ? 2000 : 1, true);
    }
    struct mt_statistics_figures figures = ended(&self, 45); /* none since 39 */
    assert_true(figures.synchronise_mean_s == 0);
    assert_int_equal(figures.losses, 3);
    assert_true(figures.lost_s == 5 + 3 + 5);
    assert_true(figures.lost_max_s == 5);
    mt_statistics_free(&self);
}

static void statistics_counts_no_loss_when_the_node_bridges_a_gap(void **state)
{
    struct mt_statistics self = started(&plan_1s, 1);
    for (int i = 0; i < 40; i++) {
        if (i < 20 || i >= 22)
            feed(&self, i, 1000, i < 10 || i >= 25);
    }
    struct mt_statistics_figures figures = ended(&self, 42); /* less than hold_ns */
    assert_int_equal(figures.losses, 0);
    assert_true(figures.lost_s == 0);
    assert_int_equal(figures.readings, 38);
    assert_int_equal(figures.instants, 42); /* the start is none */
    mt_statistics_free(&self);
}

/* ---- series and columns ---------------------------------------------------------------------- */

static void statistics_pools_stretches_when_series_has_gaps(void **state)
{
    struct mt_statistics_plan plan = plan_1s;
    plan.series_limit = 1024;
    struct mt_statistics self = started(&plan, 1);
    for (int i = 0; i < 100; i++) {
        if (i != 30 && i != 80 && i != 81 && i != 83)
            feed(&self, i, i < 30 ? 5 * i : i == 82 ? 1000 : i, true);
    }
    ended(&self, 99);
    assert_true(self.has_curves);
    assert_true(self.stability.measured_s == 48); /* 31 .. 79, the longest */
    assert_true(self.stability.points[0].mtie_ns == 5);
    assert_true(self.stability.points[4].mtie_ns == 5 * 16);
    /* 30, 49 and 16 readings; one alone says nothing */
    assert_int_equal(self.stability.points[0].adev_terms, 28 + 47 + 14);
    assert_true(self.masks.figures_ns[MT_MASK_MAX_TE] == 5 * 29);
    assert_null(self.series_ns);
    mt_statistics_free(&self);
}

static void statistics_halves_series_when_it_is_full(void **state)
{
    struct mt_statistics_plan plan = plan_1s;
    plan.series_limit = 64;
    plan.from_ns = 5 * SECOND;
    struct mt_statistics self = started(&plan, 1);
    for (int i = 0; i < 1005; i++)
        feed(&self, i, i - 5, true);
    mt_statistics_end(&self, true, 1004 * SECOND);
    assert_int_equal(self.series_every, 16);
    assert_int_equal(self.series_count, 63);
    for (size_t i = 0; i < self.series_count; i++)
        assert_true(self.series_ns[i] == 16.0 * (double)i);
    assert_true(self.stability.points[0].tau_s == 16);
    assert_true(self.stability.points[0].mtie_ns == 16);
    assert_true(self.stability.points[0].tdev_ns == 0);
    mt_statistics_free(&self);
}

static void statistics_halves_columns_when_run_is_long(void **state)
{
    struct mt_statistics self = started(&plan_1s, 1);
    for (int i = 0; i < 5000; i++)
        feed_bound(&self, i, i % 7 == 0 ? -i : i, i == 4999 ? 1 : 1e5);
    assert_int_equal(self.column_readings, 8);
    assert_int_equal(self.column_count, 625);
    assert_true(self.columns[0].low_ns == -7);
    assert_true(self.columns[0].high_ns == 6);
    assert_true(self.columns[1].low_ns == -14);
    assert_true(self.columns[1].high_ns == 15);
    assert_true(self.columns[624].high_ns == 4999);
    assert_int_equal(self.columns[624].outside, 1);
    assert_int_equal(self.columns[623].outside, 0);
    assert_true(self.columns[623].bound_ns == 1e5F);
    mt_statistics_free(&self);
}

static void statistics_leaves_columns_empty_when_there_are_no_readings(void **state)
{
    struct mt_statistics self = started(&plan_1s, 1);
    feed(&self, 2, 1, true);
    feed(&self, 2050, 2, true);
    assert_int_equal(self.column_readings, 4);
    assert_int_equal(self.column_count, 513);
    assert_true(self.columns[0].low_ns == 1);
    for (int i = 1; i < 512; i++)
        assert_true(self.columns[i].low_ns > self.columns[i].high_ns);
    assert_true(self.columns[512].bound_ns < 0);
    mt_statistics_free(&self);
}

static void statistics_limits_series_when_memory_is_shared(void **state)
{
    assert_int_equal(mt_statistics_series_limit(1 << 20, 4, 1000000), 32768);
    assert_int_equal(mt_statistics_series_limit(1 << 20, 1, 1000), 1024);
    assert_int_equal(mt_statistics_series_limit(1 << 20, 4096, 1000), 0);
    assert_int_equal(mt_statistics_series_limit(1 << 20, 0, 1000), 0);
}

/* ---- merging --------------------------------------------------------------------------------- */

static double pseudo(struct mt_prng *prng)
{
    return (double)mt_prng_next_u32(prng) / 4294967296.0 - 0.3;
}

static void statistics_equals_one_run_when_seeds_are_merged(void **state)
{
    struct mt_statistics all = started(&plan_1s, 0);
    struct mt_statistics pool = {0};
    struct mt_prng prng;
    mt_prng_init(&prng, 3);
    for (uint64_t seed = 1; seed <= 3; seed++) {
        struct mt_statistics one = started(&plan_1s, seed);
        for (int i = 0; i < 500; i++) {
            double error_ns = pseudo(&prng) * 100 * (seed == 2 ? 3 : 1);
            feed_bound(&one, i, error_ns, 150);
            feed_bound(&all, ((int64_t)seed - 1) * 500 + i, error_ns, 150);
        }
        ended(&one, 500);
        mt_statistics_merge(&pool, &one);
        mt_statistics_free(&one);
    }
    struct mt_statistics_figures a;
    struct mt_statistics_figures b = ended(&all, 2000);
    mt_statistics_get(&pool, &a);
    assert_int_equal(a.readings, 1500);
    assert_near(a.mean_ns, b.mean_ns, 1e-12);
    assert_near(a.deviation_ns, b.deviation_ns, 1e-12);
    assert_near(a.rms_ns, b.rms_ns, 1e-12);
    assert_true(a.p99_ns == b.p99_ns);
    assert_true(a.max_ns == b.max_ns);
    assert_true(a.low_ns == b.low_ns);
    assert_true(a.high_ns == b.high_ns);
    assert_int_equal(a.outside, b.outside);
    assert_true(a.outside > 0);
    assert_near(a.bound_mean_ns, 150, 1e-12);
    assert_int_equal(a.max_seed, 2);
    assert_int_equal(a.worst_seed, 2);
    assert_true(a.worst_rms_ns > a.rms_ns);
    assert_int_equal(a.seeds, 3);
    assert_int_equal(a.seeds_synchronised, 3);
    assert_int_equal(pool.column_count, 500); /* of the first seed */
    assert_true(pool.columns[0].low_ns >= all.columns[0].low_ns);
    assert_true(pool.columns[0].high_ns <= all.columns[0].high_ns);
    mt_statistics_free(&pool);
    mt_statistics_free(&all);
}

static void statistics_says_so_when_a_seed_did_not_synchronise(void **state)
{
    struct mt_statistics first = started(&plan_1s, 1);
    struct mt_statistics second = started(&plan_1s, 2);
    struct mt_statistics third = started(&plan_1s, 3);
    for (int i = 0; i < 20; i++) {
        feed(&first, i, i < 4 ? 5000 : 1, true);
        feed(&second, i, 1, false);
        feed(&third, i, i < 8 || i == 15 ? 5000 : 1, true);
    }
    ended(&first, 19);
    ended(&second, 19);
    ended(&third, 19);
    mt_statistics_merge(&first, &second);
    mt_statistics_merge(&first, &third);
    struct mt_statistics_figures figures;
    mt_statistics_get(&first, &figures);
    assert_false(figures.has_synchronised);
    assert_int_equal(figures.seeds_synchronised, 2);
    assert_true(figures.synchronise_mean_s == 6);
    assert_true(figures.synchronise_max_s == 8);
    assert_int_equal(figures.losses, 1);
    assert_true(figures.lost_max_s == 1);
    mt_statistics_free(&first);
    mt_statistics_free(&second);
    mt_statistics_free(&third);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(statistics_gives_figures_by_hand_when_readings_are_few),
        cmocka_unit_test(statistics_gives_nothing_when_there_are_no_readings),
        cmocka_unit_test(statistics_discards_start_when_from_is_later),
        cmocka_unit_test(statistics_keeps_precision_when_mean_is_large),
        cmocka_unit_test(statistics_gives_p99_within_resolution_when_readings_are_many),
        cmocka_unit_test(statistics_counts_sizes_when_they_are_extreme),
        cmocka_unit_test(statistics_counts_outside_when_bound_is_too_small),
        cmocka_unit_test(statistics_counts_from_first_lasting_run_when_synchronising),
        cmocka_unit_test(statistics_begins_run_anew_when_there_is_a_gap),
        cmocka_unit_test(statistics_counts_losses_when_synchronisation_is_lost),
        cmocka_unit_test(statistics_counts_no_loss_when_the_node_bridges_a_gap),
        cmocka_unit_test(statistics_pools_stretches_when_series_has_gaps),
        cmocka_unit_test(statistics_halves_series_when_it_is_full),
        cmocka_unit_test(statistics_halves_columns_when_run_is_long),
        cmocka_unit_test(statistics_leaves_columns_empty_when_there_are_no_readings),
        cmocka_unit_test(statistics_limits_series_when_memory_is_shared),
        cmocka_unit_test(statistics_equals_one_run_when_seeds_are_merged),
        cmocka_unit_test(statistics_says_so_when_a_seed_did_not_synchronise),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
