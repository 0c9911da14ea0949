/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The selection of G.8265.1: a table by hand, and the laws of an order.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ptp/ptp_private.h"

static struct mt_ptp_dataset set_of(uint8_t clock_class, uint8_t local_priority, uint8_t sender)
{
    return (struct mt_ptp_dataset){
        .local_priority = local_priority,
        .quality = {.clock_class = clock_class},
        .sender = {{{0, 0, 0, 0, 0, 0, 0, sender}}, 1},
    };
}

static void ptp_bmca_quality_prefers_the_better_level_when_priorities_differ(void **state)
{
    struct mt_ptp_dataset a = set_of(84, 200, 9);
    struct mt_ptp_dataset b = set_of(90, 1, 1);
    a.priority1 = 255; /* none of which counts */
    a.quality.accuracy = 0xFE;
    a.priority2 = 255;
    a.steps_removed = 100;
    assert_int_equal(mt_dataset_compare_quality(&a, &b), MT_A_BETTER);
    assert_int_equal(mt_dataset_compare_quality(&b, &a), MT_B_BETTER);
}

static void ptp_bmca_quality_prefers_the_local_priority_when_levels_are_equal(void **state)
{
    const struct mt_ptp_dataset a = set_of(84, 1, 9);
    const struct mt_ptp_dataset b = set_of(84, 2, 1);
    assert_int_equal(mt_dataset_compare_quality(&a, &b), MT_A_BETTER);
}

static void ptp_bmca_quality_is_an_order_when_sets_are_random(void **state)
{
    struct mt_prng random;
    mt_prng_init(&random, 36);
    for (unsigned i = 0; i < 50000; i++) {
        struct mt_ptp_dataset sets[3];
        for (unsigned k = 0; k < 3; k++) {
            sets[k] =
                set_of((uint8_t)(80 + mt_prng_below(&random, 3)),
                       (uint8_t)mt_prng_below(&random, 3), (uint8_t)mt_prng_below(&random, 4));
        }
        enum mt_comparison ab = mt_dataset_compare_quality(&sets[0], &sets[1]);
        assert_int_equal(ab, MT_B_BETTER - mt_dataset_compare_quality(&sets[1], &sets[0]));
        assert_int_equal(mt_dataset_compare_quality(&sets[0], &sets[0]), MT_SAME);
        if (ab <= MT_SAME && mt_dataset_compare_quality(&sets[1], &sets[2]) <= MT_SAME) {
            assert_true(mt_dataset_compare_quality(&sets[0], &sets[2]) <= MT_SAME);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ptp_bmca_quality_prefers_the_better_level_when_priorities_differ),
        cmocka_unit_test(ptp_bmca_quality_prefers_the_local_priority_when_levels_are_equal),
        cmocka_unit_test(ptp_bmca_quality_is_an_order_when_sets_are_random),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
