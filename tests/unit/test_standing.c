/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What a clock's operating system is told, from pages and reports made of numbers.
 */
#include "runtime/standing.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "runtime/node.h"

static struct mt_node_clock clock;
static struct mt_hal_clock hal;
static struct mt_clock_standing told;
static int times_told;

static void keep(struct mt_hal_clock *self, const struct mt_clock_standing *standing)
{
    (void)self;
    told = *standing;
    times_told++;
}

static const struct mt_hal_clock_ops ops = {.tell = keep};
static const struct mt_hal_clock_ops deaf = {.tell = NULL};

static int set_up(void **state)
{
    (void)state;
    memset(&clock, 0, sizeof clock);
    hal = (struct mt_hal_clock){.ops = &ops};
    times_told = 0;
    clock.hal = &hal;
    clock.page = (struct mt_clock_page){.state = MT_CLOCK_LOCKED,
                                        .scale = MT_SCALE_TAI,
                                        .bound_reference = MT_BOUND_TRACEABLE,
                                        .bound_ns = 100, /* the published time is better */
                                        .bound_growth_ppb = 1,
                                        .tai_utc_valid = 1,
                                        .tai_minus_utc_s = 37,
                                        .parts = {.granularity_ns = 8}};
    clock.report = (struct mt_clock_quality_report){
        .state = MT_CLOCK_LOCKED,
        .reference = MT_BOUND_TRACEABLE,
        .bound = mt_interval_from_ns(5000),
        .bound_growth = MT_REAL(2e-6),
        .parts = {.estimate_ns = 500, .steering_ns = 70, .granularity_ns = 1}};
    return 0;
}

static bool is_synchronised(void)
{
    mt_standing_tell(&clock);
    return told.is_synchronised;
}

static void standing_is_of_the_steered_clock(void **state)
{
    (void)state;
    assert_true(is_synchronised());
    assert_int_equal(told.bound_ns, 5000 + 7 + 1); /* with the reading window */
    assert_int_equal(told.error_ns, 100 + 70);
    assert_int_equal(told.growth_ppb, 2001);
    assert_true(told.is_tai_utc_known);
    assert_int_equal(told.tai_minus_utc_s, 37);
}

static void standing_is_synchronised_in_holdover_when_there_is_a_bound(void **state)
{
    (void)state;
    clock.page.state = MT_CLOCK_HOLDOVER;
    assert_true(is_synchronised());
    clock.report.reference = MT_BOUND_NONE;
    assert_false(is_synchronised());
    clock.report.reference = MT_BOUND_SOURCE;
    assert_true(is_synchronised());
    clock.report.bound = (struct mt_interval){INT64_MAX};
    assert_false(is_synchronised());
}

static void standing_is_not_synchronised_when_nothing_is_followed(void **state)
{
    static const enum mt_clock_state states[] = {MT_CLOCK_FREE_RUN, MT_CLOCK_ACQUIRING,
                                                 MT_CLOCK_SERVING};
    (void)state;
    for (size_t i = 0; i < sizeof states / sizeof states[0]; i++) {
        clock.page.state = (uint8_t)states[i];
        assert_false(is_synchronised());
    }
}

static void standing_is_not_synchronised_when_the_clock_is_not_what_is_believed(void **state)
{
    (void)state;
    clock.is_in_panic = true;
    assert_false(is_synchronised());
    clock.is_in_panic = false;
    clock.page.scale = MT_SCALE_ARB;
    assert_false(is_synchronised());
}

static void standing_is_lost_when_the_daemon_ends(void **state)
{
    (void)state;
    assert_true(is_synchronised());
    mt_standing_end(&clock);
    assert_false(told.is_synchronised);
    assert_int_equal(times_told, 2);
    hal.ops = &deaf;
    mt_standing_tell(&clock);
    mt_standing_end(&clock);
    assert_int_equal(times_told, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(standing_is_of_the_steered_clock, set_up),
        cmocka_unit_test_setup(standing_is_synchronised_in_holdover_when_there_is_a_bound, set_up),
        cmocka_unit_test_setup(standing_is_not_synchronised_when_nothing_is_followed, set_up),
        cmocka_unit_test_setup(standing_is_not_synchronised_when_the_clock_is_not_what_is_believed,
                               set_up),
        cmocka_unit_test_setup(standing_is_lost_when_the_daemon_ends, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
