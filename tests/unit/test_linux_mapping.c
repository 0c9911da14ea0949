/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Piecewise linear time.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "meantime/prng.h"
#include "platform/linux/linux_mapping.h"

#define NOON   INT64_C(1700049600000000000)
#define SECOND INT64_C(1000000000)

static void mapping_is_exact_when_evaluated_far_away(void **state)
{
    struct mt_mapping mapping;
    mt_q32 century = mt_q32_from_ns(INT64_C(3155760000) * SECOND);

    (void)state;
    mt_mapping_init(&mapping, 0, 0, INT64_C(1) << 54, MT_SCALE_TAI); /* 2^-10 */
    assert_true(mt_segment_value(mt_mapping_newest(&mapping), century) == century + century / 1024);
    assert_true(mt_segment_value(mt_mapping_newest(&mapping), -century) ==
                -century - century / 1024);
}

/* Turning at every step with one rate is the same as never turning. */
static void mapping_does_not_drift_when_it_turns_often(void **state)
{
    struct mt_mapping often;
    struct mt_mapping never;
    struct mt_prng prng;
    mt_q32 x = mt_q32_from_ns(NOON);
    mt_q32 difference;
    int64_t rate_q64 = mt_rate_to_q64(12.3456789e-6, 1);

    (void)state;
    mt_prng_init(&prng, 1);
    mt_mapping_init(&often, x, x, rate_q64, MT_SCALE_TAI);
    mt_mapping_init(&never, x, x, rate_q64, MT_SCALE_TAI);
    for (int i = 0; i < 1000000; i++) {
        x += mt_prng_next_u32(&prng);
        mt_mapping_turn(&often, x, 0, rate_q64, MT_SCALE_TAI);
    }
    difference = mt_segment_value(mt_mapping_newest(&never), x) -
                 mt_segment_value(mt_mapping_newest(&often), x);
    assert_true(difference >= 0 && difference <= 1000000); /* 2^-32 ns for each turn */
}

static void mapping_converts_spans_and_instants_both_ways(void **state)
{
    struct mt_span span = {-3, 999999999, 0x8001};
    struct mt_instant at = mt_q32_to_instant(mt_q32_from_span(span), MT_SCALE_UTC);

    (void)state;
    assert_int_equal(at.s, -3);
    assert_int_equal(at.ns, 999999999);
    assert_int_equal(at.frac, 0x8001);
    assert_int_equal(at.scale, MT_SCALE_UTC);
    at = mt_q32_to_instant(-1, MT_SCALE_TAI);
    assert_int_equal(at.s, -1);
    assert_int_equal(at.ns, 999999999);
    assert_int_equal(at.frac, 0xFFFF);
}

static void mapping_limits_rates_when_they_are_absurd(void **state)
{
    mt_real zero = 0;

    (void)state;
    assert_int_equal(mt_rate_to_q64(1e9, 0.1), mt_rate_to_q64(0.1, 0.1));
    assert_int_equal(mt_rate_to_q64(-1e9, 0.1), mt_rate_to_q64(-0.1, 0.1));
    assert_int_equal(mt_rate_to_q64(zero / zero, 0.1), 0);
    assert_true(mt_rate_from_q64(mt_rate_to_q64(0x1.8p-15, 0.1)) == 0x1.8p-15);
    assert_int_equal(mt_rate_compose_q64(INT64_C(1) << 60, INT64_C(1) << 60),
                     (INT64_C(1) << 61) + (INT64_C(1) << 56));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mapping_is_exact_when_evaluated_far_away),
        cmocka_unit_test(mapping_does_not_drift_when_it_turns_often),
        cmocka_unit_test(mapping_converts_spans_and_instants_both_ways),
        cmocka_unit_test(mapping_limits_rates_when_they_are_absurd),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
