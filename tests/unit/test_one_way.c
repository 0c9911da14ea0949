/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What the bound gains where a Sync may take longer than Pdelay says.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "runtime/clock_duty.h"

#define FOLLOWED 1
#define ROUND_NS 1500

static struct mt_node_clock clock_of(void)
{
    return (struct mt_node_clock){
        .one_way = {FOLLOWED, mt_interval_from_ns(ROUND_NS)},
    };
}

static struct mt_clock_quality_report report_of(enum mt_bound_reference reference)
{
    return (struct mt_clock_quality_report){
        .reference = reference,
        .bound = mt_interval_from_ns(1000),
        .parts = {.asymmetry_ns = 800},
    };
}

static void assert_widened(const struct mt_node_clock *clock, uint16_t source,
                           enum mt_bound_reference reference, int64_t by_ns)
{
    struct mt_clock_quality_report report = report_of(reference);
    mt_clock_duty_widen_one_way(clock, source, &report);
    assert_int_equal(report.parts.asymmetry_ns, 800 + by_ns);
    assert_int_equal(mt_interval_to_ns(report.bound), 1000 + by_ns);
}

static void one_way_widens_the_bound_when_the_kernel_stamps(void **state)
{
    struct mt_node_clock clock = clock_of();
    (void)state;
    assert_widened(&clock, FOLLOWED, MT_BOUND_PARENT, ROUND_NS);
    assert_widened(&clock, FOLLOWED, MT_BOUND_TRACEABLE, ROUND_NS);
    assert_widened(&clock, FOLLOWED + 1, MT_BOUND_TRACEABLE, 0);
}

static void one_way_leaves_the_bound_alone_when_there_is_none_or_the_user_knows(void **state)
{
    struct mt_node_clock clock = clock_of();
    (void)state;
    assert_widened(&clock, FOLLOWED, MT_BOUND_NONE, 0);
    clock.discipline.config.max_asymmetry = mt_interval_from_ns(100);
    assert_widened(&clock, FOLLOWED, MT_BOUND_TRACEABLE, 0);
    clock = clock_of();
    clock.one_way.most = mt_interval_from_ns(-20); /* latencies that are configured wrongly */
    assert_widened(&clock, FOLLOWED, MT_BOUND_TRACEABLE, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_way_widens_the_bound_when_the_kernel_stamps),
        cmocka_unit_test(one_way_leaves_the_bound_alone_when_there_is_none_or_the_user_knows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
