/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "platform/linux/linux_pace.h"

#define FINISHING_NS INT64_C(500)
#define USUAL_NS     INT64_C(10000)
#define HELD_UP_NS   INT64_C(3000000)
#define DEPARTURE_NS INT64_C(4000)

static void learn(struct mt_pace *pace, int64_t took_ns, unsigned times)
{
    for (unsigned i = 0; i < times; i++) {
        mt_pace_learn(pace, 0, took_ns, 1);
    }
}

static void depart(struct mt_pace *pace, int64_t after_ns, unsigned times)
{
    for (unsigned i = 0; i < times; i++) {
        mt_pace_departed(pace, after_ns);
    }
}

static void pace_expects_nothing_when_few_answers_have_left(void **state)
{
    struct mt_pace pace = {0};
    learn(&pace, HELD_UP_NS, 1);
    assert_int_equal(mt_pace_after_ns(&pace, 0, 1), 0);
    learn(&pace, USUAL_NS, MT_PACE_FIRST - 2);
    depart(&pace, HELD_UP_NS, MT_PACE_DEPARTED - 1);
    assert_int_equal(mt_pace_after_ns(&pace, 0, 1), 0);
}

static void pace_is_that_of_the_quickest_when_first_answers_are_held_up(void **state)
{
    struct mt_pace pace = {0};
    learn(&pace, HELD_UP_NS, MT_PACE_FIRST - 1);
    learn(&pace, USUAL_NS, 1);
    assert_int_equal(mt_pace_after_ns(&pace, 0, 1), USUAL_NS / 2);
    assert_int_equal(mt_pace_after_ns(&pace, 3, 4), USUAL_NS / 2 + 3 * USUAL_NS);
}

static void pace_is_known_at_once_when_many_leave_together(void **state)
{
    struct mt_pace pace = {0};
    mt_pace_learn(&pace, 16 * FINISHING_NS, 16 * USUAL_NS, 16);
    assert_int_equal(mt_pace_after_ns(&pace, 0, 1), FINISHING_NS + USUAL_NS / 2);
    assert_int_equal(mt_pace_after_ns(&pace, 2, 16), 16 * FINISHING_NS + 5 * USUAL_NS / 2);
}

static void pace_hardly_rises_when_one_answer_is_held_up(void **state)
{
    struct mt_pace pace = {0};
    learn(&pace, USUAL_NS, 100);
    learn(&pace, HELD_UP_NS, 1);
    assert_in_range(mt_pace_after_ns(&pace, 0, 1), USUAL_NS / 2, USUAL_NS / 2 * 65 / 64);
}

static void pace_falls_quickly_and_rises_slowly_when_it_changes(void **state)
{
    struct mt_pace pace = {0};
    learn(&pace, 4 * USUAL_NS, 100);
    learn(&pace, USUAL_NS, 4);
    assert_in_range(mt_pace_after_ns(&pace, 0, 1), USUAL_NS / 2, USUAL_NS / 2 * 102 / 100);
    learn(&pace, 4 * USUAL_NS, 4);
    assert_in_range(mt_pace_after_ns(&pace, 0, 1), USUAL_NS / 2, USUAL_NS / 2 * 120 / 100);
    learn(&pace, 4 * USUAL_NS, 1000);
    assert_in_range(mt_pace_after_ns(&pace, 0, 1), USUAL_NS * 19 / 10, 2 * USUAL_NS);
}

/* What the daemon itself does to CLOCK_REALTIME while answers leave. */
static void pace_is_kept_when_the_clock_is_set_back_meanwhile(void **state)
{
    struct mt_pace pace = {0};
    mt_pace_learn(&pace, -HELD_UP_NS, -HELD_UP_NS, MT_PACE_FIRST);
    assert_int_equal(mt_pace_after_ns(&pace, 0, 1), 0);
    mt_pace_learn(&pace, 16 * FINISHING_NS, 16 * USUAL_NS, 16);
    mt_pace_learn(&pace, -HELD_UP_NS, 16 * USUAL_NS, 16);
    mt_pace_learn(&pace, 16 * FINISHING_NS, -HELD_UP_NS, 16);
    assert_int_equal(mt_pace_after_ns(&pace, 0, 1), FINISHING_NS + USUAL_NS / 2);
}

/* A clock that counts in coarse steps shows that now and then. */
static void pace_rises_when_answers_took_no_time(void **state)
{
    struct mt_pace pace = {0};
    learn(&pace, 0, MT_PACE_FIRST);
    learn(&pace, USUAL_NS, 2000);
    assert_in_range(mt_pace_after_ns(&pace, 0, 1), USUAL_NS / 2 * 9 / 10, USUAL_NS / 2);
}

static void departure_is_that_of_the_quickest_of_the_first_ones(void **state)
{
    struct mt_pace pace = {0};
    depart(&pace, DEPARTURE_NS, 1);
    depart(&pace, HELD_UP_NS / 4, MT_PACE_DEPARTED - 1);
    assert_int_equal(mt_pace_after_ns(&pace, 0, 1), DEPARTURE_NS);
    learn(&pace, USUAL_NS, MT_PACE_FIRST);
    assert_int_equal(mt_pace_after_ns(&pace, 0, 1), DEPARTURE_NS);
    assert_int_equal(mt_pace_after_ns(&pace, 2, 3), DEPARTURE_NS + 2 * USUAL_NS);
}

static void departure_is_later_than_one_in_four(void **state)
{
    static const int64_t after_ns[] = {9000, 3000, 5000, 12000, 4000, 8000, 20000, 6000};
    struct mt_pace pace = {0};
    depart(&pace, after_ns[0], MT_PACE_DEPARTED);
    for (unsigned i = 0; i < 800; i++) {
        depart(&pace, after_ns[i % 8], 1);
    }
    assert_in_range(mt_pace_after_ns(&pace, 0, 1), 3500, 5500);
}

static void departure_is_no_measure_when_it_is_impossible_or_held_up(void **state)
{
    struct mt_pace pace = {0};
    depart(&pace, -DEPARTURE_NS, 100);
    depart(&pace, 0, 100);
    depart(&pace, HELD_UP_NS, 100);
    assert_int_equal(mt_pace_after_ns(&pace, 0, 1), 0);
    depart(&pace, DEPARTURE_NS, MT_PACE_DEPARTED);
    depart(&pace, -DEPARTURE_NS, 100);
    depart(&pace, HELD_UP_NS, 100);
    assert_int_equal(mt_pace_after_ns(&pace, 0, 1), DEPARTURE_NS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pace_expects_nothing_when_few_answers_have_left),
        cmocka_unit_test(pace_is_that_of_the_quickest_when_first_answers_are_held_up),
        cmocka_unit_test(pace_is_known_at_once_when_many_leave_together),
        cmocka_unit_test(pace_hardly_rises_when_one_answer_is_held_up),
        cmocka_unit_test(pace_falls_quickly_and_rises_slowly_when_it_changes),
        cmocka_unit_test(pace_is_kept_when_the_clock_is_set_back_meanwhile),
        cmocka_unit_test(pace_rises_when_answers_took_no_time),
        cmocka_unit_test(departure_is_that_of_the_quickest_of_the_first_ones),
        cmocka_unit_test(departure_is_later_than_one_in_four),
        cmocka_unit_test(departure_is_no_measure_when_it_is_impossible_or_held_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
