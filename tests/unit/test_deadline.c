/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The deadline set: order, ties, re-arming and the ends of time.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/deadline.h"

enum { COUNT = 4 };

struct fixture {
    struct mt_mono at[COUNT];
    struct mt_deadlines set;
};

static struct mt_mono at(int64_t ns)
{
    return (struct mt_mono){ns};
}

static void init(struct fixture *f)
{
    for (int i = 0; i < COUNT; i++) {
        f->at[i] = at(7);
    }
    mt_deadlines_init(&f->set, f->at, COUNT);
}

static void deadline_is_never_when_nothing_is_armed(void **state)
{
    struct fixture f;
    uint8_t index = 99;

    (void)state;
    init(&f);
    assert_true(mt_deadlines_earliest(&f.set).ns == MT_MONO_NEVER.ns);
    assert_false(mt_deadlines_next_due(&f.set, &index, at(INT64_MAX)));
    assert_int_equal(index, 99);
    for (uint8_t i = 0; i < COUNT; i++) {
        assert_false(mt_deadlines_is_armed(&f.set, i));
    }
}

static void deadline_gives_timers_in_order_when_several_are_due(void **state)
{
    static const uint8_t order[] = {2, 0, 3};
    struct fixture f;
    uint8_t index = 99;

    (void)state;
    init(&f);
    mt_deadlines_arm(&f.set, 0, at(20));
    mt_deadlines_arm(&f.set, 1, at(40));
    mt_deadlines_arm(&f.set, 2, at(-10));
    mt_deadlines_arm(&f.set, 3, at(30));
    assert_true(mt_deadlines_earliest(&f.set).ns == -10);
    for (int i = 0; i < 3; i++) {
        assert_true(mt_deadlines_next_due(&f.set, &index, at(39)));
        assert_int_equal(index, order[i]);
        assert_false(mt_deadlines_is_armed(&f.set, index));
    }
    assert_false(mt_deadlines_next_due(&f.set, &index, at(39)));
    assert_true(mt_deadlines_is_armed(&f.set, 1));
    assert_true(mt_deadlines_next_due(&f.set, &index, at(40))); /* at its very time */
    assert_int_equal(index, 1);
}

static void deadline_gives_lowest_index_when_times_are_equal(void **state)
{
    struct fixture f;
    uint8_t index = 99;

    (void)state;
    init(&f);
    for (uint8_t i = COUNT; i-- > 0;) {
        mt_deadlines_arm(&f.set, i, at(5));
    }
    for (uint8_t i = 0; i < COUNT; i++) {
        assert_true(mt_deadlines_next_due(&f.set, &index, at(5)));
        assert_int_equal(index, i);
    }
}

static void deadline_moves_when_armed_again(void **state)
{
    struct fixture f;
    uint8_t index = 99;

    (void)state;
    init(&f);
    mt_deadlines_arm(&f.set, 1, at(10));
    mt_deadlines_arm(&f.set, 1, at(30));
    assert_false(mt_deadlines_next_due(&f.set, &index, at(20)));
    mt_deadlines_arm(&f.set, 1, at(15));
    assert_true(mt_deadlines_next_due(&f.set, &index, at(20)));
    assert_false(mt_deadlines_next_due(&f.set, &index, at(20)));
}

static void deadline_is_gone_when_disarmed(void **state)
{
    struct fixture f;
    uint8_t index = 99;

    (void)state;
    init(&f);
    mt_deadlines_arm(&f.set, 0, at(10));
    mt_deadlines_arm(&f.set, 1, at(11));
    mt_deadlines_disarm(&f.set, 0);
    assert_true(mt_deadlines_earliest(&f.set).ns == 11);
    mt_deadlines_arm(&f.set, 1, MT_MONO_NEVER);
    assert_false(mt_deadlines_is_armed(&f.set, 1));
    assert_false(mt_deadlines_next_due(&f.set, &index, at(INT64_MAX)));
}

static void deadline_is_ignored_when_index_does_not_exist(void **state)
{
    struct fixture f;

    (void)state;
    init(&f);
    f.set.count = COUNT - 1;
    mt_deadlines_arm(&f.set, COUNT - 1, at(1));
    mt_deadlines_arm(&f.set, UINT8_MAX, at(1));
    mt_deadlines_disarm(&f.set, UINT8_MAX);
    assert_true(f.at[COUNT - 1].ns == MT_MONO_NEVER.ns);
    assert_false(mt_deadlines_is_armed(&f.set, UINT8_MAX));
    assert_true(mt_deadlines_earliest(&f.set).ns == MT_MONO_NEVER.ns);
}

static void deadline_is_never_when_set_is_empty(void **state)
{
    struct mt_deadlines set;
    uint8_t index = 99;

    (void)state;
    mt_deadlines_init(&set, NULL, 0);
    assert_true(mt_deadlines_earliest(&set).ns == MT_MONO_NEVER.ns);
    assert_false(mt_deadlines_next_due(&set, &index, at(0)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(deadline_is_never_when_nothing_is_armed),
        cmocka_unit_test(deadline_gives_timers_in_order_when_several_are_due),
        cmocka_unit_test(deadline_gives_lowest_index_when_times_are_equal),
        cmocka_unit_test(deadline_moves_when_armed_again),
        cmocka_unit_test(deadline_is_gone_when_disarmed),
        cmocka_unit_test(deadline_is_ignored_when_index_does_not_exist),
        cmocka_unit_test(deadline_is_never_when_set_is_empty),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
