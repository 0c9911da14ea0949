/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The choice of the interval: with the steady state of an estimator that knows noise and wander,
 * which the interval itself changes. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "meantime/steer_poll.h"

#define LEAST 6
#define MOST  10

/* Of a Kalman filter with many samples in its memory. */
static struct mt_poll_facts settled_at(double noise, double wander, int8_t poll)
{
    double density = noise * noise * exp2(poll);
    double q = wander * wander;
    struct mt_poll_facts facts = {.wander = q, .is_settled = true};
    facts.offset_sigma = sqrt(sqrt(2) * pow(density, 0.75) * pow(q, 0.25));
    facts.frequency_sigma = sqrt(sqrt(2) * pow(density, 0.25) * pow(q, 0.75));
    return facts;
}

static int8_t final_poll(double noise, double wander, int8_t least, int8_t most, int8_t start)
{
    int8_t poll = start;
    for (int i = 0; i < 60; i++) {
        struct mt_poll_facts facts = settled_at(noise, wander, poll);
        poll = mt_poll_choose(&facts, poll, least, most);
    }
    return poll;
}

static void poll_is_long_when_noise_is_large_and_the_clock_is_quiet(void **state)
{
    assert_int_equal(final_poll(5e-2, 1e-9, LEAST, MOST, LEAST), MOST);
    assert_in_range(final_poll(1e-3, 1e-9, LEAST, MOST, LEAST), 7, 8);
    assert_int_equal(final_poll(1e-4, 1e-9, LEAST, MOST, LEAST), LEAST);
    assert_in_range(final_poll(1e-5, 1e-9, 0, MOST, LEAST), 2, 3);
    assert_in_range(final_poll(1e-5, 1e-8, 0, MOST, LEAST), 0, 2);
    assert_int_equal(final_poll(1e-8, 1e-10, -7, 17, 0), final_poll(1e-5, 1e-7, -7, 17, 0));
}

static void poll_comes_to_the_same_when_it_comes_from_above_or_below(void **state)
{
    for (double noise = 1e-8; noise < 1e-2; noise *= 3) {
        int8_t below = final_poll(noise, 1e-9, -7, 17, -7);
        int8_t above = final_poll(noise, 1e-9, -7, 17, 17);
        assert_in_range(above - below, 0, 1); /* hysteresis */
    }
}

/* What is left of an answer after T s is e^-(T / memory), so the error rests on memory / T. */
static void poll_leaves_many_answers_in_the_memory_when_nothing_limits_it(void **state)
{
    for (double noise = 1e-6; noise < 1e-2; noise *= 3) {
        int8_t poll = final_poll(noise, 1e-9, -7, 17, 0);
        struct mt_poll_facts facts = settled_at(noise, 1e-9, poll);
        double memory = facts.offset_sigma / facts.frequency_sigma;
        assert_true(memory / exp2(poll) > 12 && memory / exp2(poll) < 40);
    }
}

static void poll_stays_when_it_has_come_to_rest(void **state)
{
    int8_t poll = final_poll(5e-5, 1e-9, -7, 17, 6);
    struct mt_poll_facts facts = settled_at(5e-5, 1e-9, poll);
    assert_int_equal(mt_poll_choose(&facts, poll, -7, 17), poll);
    facts.offset_sigma *= 1.2; /* as estimates vary */
    assert_int_equal(mt_poll_choose(&facts, poll, -7, 17), poll);
}

static void poll_is_shortest_when_little_is_known(void **state)
{
    struct mt_poll_facts unknown = {
        .offset_sigma = 1e-4, .frequency_sigma = 1e-4, .is_settled = true};
    struct mt_poll_facts unsettled = settled_at(1e-3, 1e-9, MOST);
    assert_int_equal(mt_poll_choose(&unknown, LEAST, LEAST, MOST), LEAST);
    assert_int_equal(mt_poll_choose(&unknown, 8, LEAST, MOST), 7);
    unsettled.is_settled = false;
    assert_int_equal(mt_poll_choose(&unsettled, MOST, LEAST, MOST), LEAST);
}

static void poll_stays_within_its_limits(void **state)
{
    struct mt_poll_facts quiet = {.offset_sigma = 1, .is_settled = true};
    struct mt_poll_facts wild = {.offset_sigma = 1e-9, .frequency_sigma = 1, .is_settled = true};
    assert_int_equal(mt_poll_choose(&quiet, MOST, LEAST, MOST), MOST);
    assert_int_equal(mt_poll_choose(&quiet, MOST + 3, LEAST, MOST), MOST);
    assert_int_equal(mt_poll_choose(&wild, LEAST, LEAST, MOST), LEAST);
    assert_int_equal(mt_poll_choose(&wild, LEAST - 3, LEAST, MOST), LEAST);
    assert_int_equal(mt_poll_choose(&quiet, 4, 4, 4), 4);
}

static void poll_growth_is_that_of_a_random_walk(void **state)
{
    const struct mt_poll_facts facts = {.frequency_sigma = 1e-9, .wander = 1e-18};
    assert_float_equal(mt_poll_growth(&facts, 3), sqrt(9e-18 + 9e-18), 1e-15);
    assert_float_equal(mt_poll_growth(&facts, 0), 0, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(poll_is_long_when_noise_is_large_and_the_clock_is_quiet),
        cmocka_unit_test(poll_comes_to_the_same_when_it_comes_from_above_or_below),
        cmocka_unit_test(poll_leaves_many_answers_in_the_memory_when_nothing_limits_it),
        cmocka_unit_test(poll_stays_when_it_has_come_to_rest),
        cmocka_unit_test(poll_is_shortest_when_little_is_known),
        cmocka_unit_test(poll_stays_within_its_limits),
        cmocka_unit_test(poll_growth_is_that_of_a_random_walk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
