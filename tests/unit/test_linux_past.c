/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Which correction count belongs to a reading of the past.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "platform/linux/linux_past.h"

static void linux_past_counts_none_when_nothing_was_corrected(void **state)
{
    struct mt_past past = {.corrections = 0};
    (void)state;
    assert_int_equal(mt_past_corrections_at(&past, 5, 0), 0);
    assert_int_equal(mt_past_corrections_at(&past, 5, 1), 0);
}

static void linux_past_finds_each_count_when_asked_for_its_time(void **state)
{
    struct mt_past past = {.corrections = 0};
    (void)state;
    for (int i = 1; i <= 40; i++) {
        mt_past_remember(&past, 100 * i);
    }
    for (uint32_t i = 26; i <= 40; i++) {
        assert_int_equal(mt_past_corrections_at(&past, 100 * (int64_t)i, 0), i);
        assert_int_equal(mt_past_corrections_at(&past, 100 * (int64_t)i - 1, 0), i - 1);
    }
}

static void linux_past_counts_the_oldest_it_knows_when_the_time_is_before_it(void **state)
{
    struct mt_past past = {.corrections = 0};
    (void)state;
    for (int i = 1; i <= 40; i++) {
        mt_past_remember(&past, 100 * i);
    }
    assert_int_equal(mt_past_corrections_at(&past, 1, 0), 40 - (MT_PAST_CORRECTIONS - 1));
}

static void linux_past_skips_a_step_back_when_told_to(void **state)
{
    struct mt_past past = {.corrections = 0};
    (void)state;
    mt_past_remember(&past, 100);
    mt_past_remember(&past, 50); /* stepped back from beyond 150 */
    assert_int_equal(mt_past_corrections_at(&past, 150, 0), 2);
    assert_int_equal(mt_past_corrections_at(&past, 150, 1), 1);
    assert_int_equal(mt_past_corrections_at(&past, 60, 1), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(linux_past_counts_none_when_nothing_was_corrected),
        cmocka_unit_test(linux_past_finds_each_count_when_asked_for_its_time),
        cmocka_unit_test(linux_past_counts_the_oldest_it_knows_when_the_time_is_before_it),
        cmocka_unit_test(linux_past_skips_a_step_back_when_told_to),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
