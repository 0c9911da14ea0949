/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Which second a pulse begins, and when that is not believed.  The local clock of these tests is
 * `ahead_s` ahead of UTC; a sentence comes `delay_ms` after its second.
 */
#include "meantime/gnss_timing.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define START INT64_C(1795348800)
#define MS    INT64_C(1000000)

static struct mt_gnss_label label;
static struct mt_gnss_second second;
static int64_t ahead_s;

static void begin(bool has_delay, int64_t delay_ns)
{
    ahead_s = 0;
    mt_gnss_label_init(&label, &(struct mt_gnss_label_config){has_delay, delay_ns});
}

static int set_up(void **state)
{
    (void)state;
    begin(false, 0);
    return 0;
}

static struct mt_stamp stamp_at(int64_t s, int64_t ms)
{
    return (struct mt_stamp){
        mt_instant_from_ns((s + ahead_s) * MT_NS_PER_S + ms * MS, MT_SCALE_TAI), 0};
}

static enum mt_gnss_pulse_verdict pulse(int64_t s, int64_t ms)
{
    struct mt_stamp at = stamp_at(s, ms);
    bool is_lost;
    return mt_gnss_label_pulse(&label, &at, &is_lost, &second);
}

static enum mt_gnss_pulse_verdict sentence(int64_t told_s, int64_t s, int64_t ms, bool knows)
{
    struct mt_stamp at = stamp_at(s, ms);
    struct mt_instant told = {.s = told_s, .scale = MT_SCALE_TAI};
    return mt_gnss_label_sentence(&label, &told, &at, knows, &second);
}

/* Seconds [from, until): a pulse each and a sentence `delay_ms` behind; the last verdict. */
static enum mt_gnss_pulse_verdict run(int64_t from, int64_t until, int64_t delay_ms, bool knows)
{
    enum mt_gnss_pulse_verdict verdict = MT_GNSS_PULSE_UNTOLD;
    for (int64_t s = from; s < until; s++) {
        pulse(s, 0);
        /* a late one comes behind later pulses */
        verdict = sentence(s - delay_ms / 1000, s, delay_ms % 1000, knows);
    }
    return verdict;
}

static void gnss_label_uses_the_third_second_when_they_go_on(void **state)
{
    (void)state;
    ahead_s = -1000000; /* cold start: nobody knows anything */
    assert_int_equal(run(START, START + 2, 150, false), MT_GNSS_PULSE_SETTLING);
    assert_int_equal(run(START + 2, START + 3, 150, false), MT_GNSS_PULSE_USED);
    assert_int_equal(second.second.s, START + 2);
    assert_int_equal(second.local.at.s, START + 2 - 1000000);
    run(START + 3, START + 20, 150, false);
    assert_int_equal(label.delay_ns, 150 * MS);
}

static void gnss_label_names_the_right_second_when_sentences_are_later_than_the_next_pulse(
    void **state)
{
    (void)state;
    /* the running clock knows that they are 1.1 s late */
    assert_int_equal(run(START, START + 20, 1100, true), MT_GNSS_PULSE_USED);
    assert_int_equal(second.second.s, START + 19);
    assert_int_equal(label.delay_ns, 1100 * MS);
    /* what was learned serves when the clock is lost */
    mt_gnss_label_forget(&label);
    assert_int_equal(run(START + 30, START + 40, 1100, false), MT_GNSS_PULSE_USED);
    assert_int_equal(second.second.s, START + 39);
    /* or what the configuration says */
    begin(true, 1100 * MS);
    assert_int_equal(run(START, START + 5, 1100, false), MT_GNSS_PULSE_USED);
    assert_int_equal(second.second.s, START + 4);
}

static void gnss_label_says_nothing_when_a_sentence_is_near_two_seconds(void **state)
{
    (void)state;
    assert_int_equal(run(START, START + 10, 950, false), MT_GNSS_PULSE_AMBIGUOUS);
    assert_int_equal(run(START + 10, START + 20, 10, false), MT_GNSS_PULSE_AMBIGUOUS);
    assert_int_equal(run(START + 20, START + 40, 200, false), MT_GNSS_PULSE_USED);
    pulse(START + 40, 0);
    assert_int_equal(sentence(START + 40, START + 40, 700, false), MT_GNSS_PULSE_AMBIGUOUS);
}

static void gnss_label_starts_again_when_the_seconds_do_not_go_on(void **state)
{
    (void)state;
    assert_int_equal(run(START, START + 10, 150, false), MT_GNSS_PULSE_USED);
    pulse(START + 10, 0);
    assert_int_equal(sentence(START + 15, START + 10, 150, false), MT_GNSS_PULSE_DISCONTINUOUS);
    assert_int_equal(run(START + 11, START + 13, 150, false), MT_GNSS_PULSE_SETTLING);
    assert_int_equal(run(START + 13, START + 14, 150, false), MT_GNSS_PULSE_USED);
}

static void gnss_label_learns_anew_when_sentences_come_a_second_later(void **state)
{
    (void)state;
    run(START, START + 20, 150, true);
    assert_int_equal(run(START + 20, START + 40, 1150, true), MT_GNSS_PULSE_USED);
    assert_int_equal(second.second.s, START + 39);
}

/* A receiver that was told to say more, or at another speed. */
static void gnss_label_learns_anew_when_no_sentence_fits_the_delay_any_more(void **state)
{
    (void)state;
    run(START, START + 20, 150, false);
    assert_int_equal(run(START + 20, START + 29, 650, false), MT_GNSS_PULSE_AMBIGUOUS);
    assert_int_equal(run(START + 29, START + 30, 150, false), MT_GNSS_PULSE_USED);
    assert_int_equal(run(START + 30, START + 40, 650, false), MT_GNSS_PULSE_AMBIGUOUS);
    assert_int_equal(run(START + 40, START + 45, 650, false), MT_GNSS_PULSE_USED);
    assert_int_equal(second.second.s, START + 44);
    assert_int_equal(label.delay_ns, 650 * MS);
}

static void gnss_label_bridges_lost_pulses_when_the_clock_counts_on(void **state)
{
    (void)state;
    run(START, START + 10, 150, false);
    assert_int_equal(run(START + 60, START + 61, 150, false), MT_GNSS_PULSE_USED);
    assert_int_equal(second.second.s, START + 60);
}

static void gnss_label_ignores_a_pulse_when_it_comes_between(void **state)
{
    (void)state;
    run(START, START + 10, 150, false);
    pulse(START + 10, 0);
    assert_int_equal(pulse(START + 10, 120), MT_GNSS_PULSE_STRAY);
    assert_int_equal(sentence(START + 10, START + 10, 150, false), MT_GNSS_PULSE_USED);
    assert_int_equal(second.local.at.ns, 0);
    /* a receiver that was started anew pulses elsewhere */
    assert_int_equal(pulse(START + 11, 0), MT_GNSS_PULSE_UNTOLD);
    for (int64_t s = 12; s < 17; s++) {
        assert_int_equal(pulse(START + s, 400), MT_GNSS_PULSE_STRAY);
    }
    assert_int_equal(pulse(START + 17, 400), MT_GNSS_PULSE_UNTOLD);
}

static void gnss_label_needs_a_pulse_when_a_sentence_comes(void **state)
{
    (void)state;
    assert_int_equal(sentence(START, START, 150, false), MT_GNSS_PULSE_UNTOLD);
    pulse(START, 0);
    assert_int_equal(sentence(START + 1, START + 1, 550, false), MT_GNSS_PULSE_UNTOLD);
}

static void announce(int64_t told_s, int64_t s, int64_t ms, int32_t quantisation_ps)
{
    struct mt_gnss_report report = {
        .arrival = stamp_at(s, ms),
        .has_pulse = true,
        .has_second = true,
        .second = {.s = told_s, .scale = MT_SCALE_TAI},
        .has_quantisation = true,
        .quantisation_ps = quantisation_ps,
    };
    mt_gnss_label_announce(&label, &report);
}

static void gnss_label_knows_the_second_at_once_when_it_was_announced(void **state)
{
    (void)state;
    for (int64_t s = START; s < START + 3; s++) {
        announce(s, s, -300, 5000);
        assert_int_equal(pulse(s, 0), s < START + 2 ? MT_GNSS_PULSE_SETTLING : MT_GNSS_PULSE_USED);
        assert_int_equal(sentence(s, s, 150, true), MT_GNSS_PULSE_UNTOLD);
    }
    assert_true(second.has_quantisation);
    assert_int_equal(second.quantisation_ps, 5000);
    /* an announcement serves once, and not for long */
    assert_int_equal(pulse(START + 3, 0), MT_GNSS_PULSE_UNTOLD);
    announce(START + 4, START + 3, 500, 0);
    assert_int_equal(pulse(START + 6, 0), MT_GNSS_PULSE_UNTOLD);
    /* sentence and announcement contradict each other */
    announce(START + 7, START + 6, 500, 0);
    assert_int_equal(pulse(START + 7, 0), MT_GNSS_PULSE_USED);
    assert_int_equal(sentence(START + 8, START + 7, 150, true), MT_GNSS_PULSE_DISAGREES);
    announce(START + 8, START + 7, 500, 0);
    assert_int_equal(pulse(START + 8, 0), MT_GNSS_PULSE_SETTLING);
}

/* A number of UTC is not the next one of TAI. */
static void gnss_label_starts_again_when_the_scale_is_another_one(void **state)
{
    (void)state;
    assert_int_equal(run(START, START + 10, 150, false), MT_GNSS_PULSE_USED);
    pulse(START + 10, 0);
    struct mt_stamp at = stamp_at(START + 10, 150);
    struct mt_instant told = {.s = START + 10, .scale = MT_SCALE_UTC};
    assert_int_equal(mt_gnss_label_sentence(&label, &told, &at, false, &second),
                     MT_GNSS_PULSE_DISCONTINUOUS);
}

/* ---- guard ----------------------------------------------------------------------------------- */

static struct mt_gnss_guard guard;
static struct mt_interval error; /* of what it tells */

static void protect(enum mt_gnss_jump_policy policy)
{
    error = (struct mt_interval){0};
    mt_gnss_guard_init(&guard,
                       &(struct mt_gnss_guard_config){policy, MS, 60 * INT64_C(1000000000)});
}

static enum mt_gnss_guard_verdict judge(int64_t ahead_ms, int64_t bound_ms, int64_t at_s)
{
    struct mt_interval bound =
        bound_ms < 0 ? MT_INTERVAL_TOO_LARGE : mt_interval_from_ns(bound_ms * MS);
    return mt_gnss_guard_judge(&guard, mt_span_from_ns(ahead_ms * MS), error, bound,
                               (struct mt_mono){at_s * MT_NS_PER_S});
}

static void gnss_guard_follows_when_the_clock_knows_nothing(void **state)
{
    (void)state;
    protect(MT_GNSS_JUMP_HOLD);
    assert_int_equal(judge(-5000000, -1, 0), MT_GNSS_GUARD_AGREES);
}

static void gnss_guard_costs_one_pulse_when_one_is_far_off(void **state)
{
    (void)state;
    protect(MT_GNSS_JUMP_HOLD);
    assert_int_equal(judge(1, 0, 0), MT_GNSS_GUARD_AGREES);
    assert_int_equal(judge(300, 1, 1), MT_GNSS_GUARD_DOUBTS);
    assert_int_equal(judge(0, 1, 2), MT_GNSS_GUARD_AGREES);
    for (int64_t s = 3; s < 20; s += 2) { /* nor are they if the same one comes again and again */
        assert_int_equal(judge(300, 1, s), MT_GNSS_GUARD_DOUBTS);
        assert_int_equal(judge(0, 1, s + 1), MT_GNSS_GUARD_AGREES);
    }
    /* accidents of different sizes are no jump */
    for (int64_t s = 23; s < 40; s++) {
        assert_int_equal(judge(s % 2 == 0 ? 300 : -300, 1, s), MT_GNSS_GUARD_DOUBTS);
    }
    assert_false(guard.has_jumped);
}

static void jump_to_5_s(void)
{
    assert_int_equal(judge(-5000, 1, 0), MT_GNSS_GUARD_DOUBTS);
    assert_int_equal(judge(-5000, 1, 1), MT_GNSS_GUARD_DOUBTS);
}

static void gnss_guard_holds_when_the_time_has_jumped(void **state)
{
    (void)state;
    protect(MT_GNSS_JUMP_HOLD);
    jump_to_5_s();
    assert_int_equal(judge(-5000, 1, 2), MT_GNSS_GUARD_JUMPED);
    assert_true(guard.has_jumped);
    for (int64_t s = 3; s < 100000; s += 7) {
        assert_int_equal(judge(-5000, 1, s), MT_GNSS_GUARD_DOUBTS);
    }
    /* it must agree for long, without interruption */
    assert_int_equal(judge(0, 1, 100000), MT_GNSS_GUARD_DOUBTS);
    assert_int_equal(judge(0, 1, 100050), MT_GNSS_GUARD_DOUBTS);
    assert_int_equal(judge(-5000, 1, 100055), MT_GNSS_GUARD_DOUBTS);
    assert_int_equal(judge(0, 1, 100058), MT_GNSS_GUARD_DOUBTS);
    assert_int_equal(judge(0, 1, 100117), MT_GNSS_GUARD_DOUBTS);
    assert_int_equal(judge(0, 1, 100118), MT_GNSS_GUARD_RETURNED);
    assert_int_equal(judge(0, 1, 100119), MT_GNSS_GUARD_AGREES);
}

static void gnss_guard_agrees_in_the_end_when_the_bound_has_grown(void **state)
{
    (void)state;
    protect(MT_GNSS_JUMP_HOLD);
    jump_to_5_s();
    assert_int_equal(judge(-5000, 1, 2), MT_GNSS_GUARD_JUMPED);
    assert_int_equal(judge(-5000, 5000, 3), MT_GNSS_GUARD_DOUBTS);
    assert_int_equal(judge(-5000, 5000, 63), MT_GNSS_GUARD_RETURNED);
}

static void gnss_guard_follows_after_a_while_when_the_policy_is_to_wait(void **state)
{
    (void)state;
    protect(MT_GNSS_JUMP_WAIT);
    jump_to_5_s();
    assert_int_equal(judge(-5000, 1, 2), MT_GNSS_GUARD_JUMPED);
    assert_int_equal(judge(-5000, 1, 61), MT_GNSS_GUARD_DOUBTS);
    assert_int_equal(judge(-7000, 1, 62), MT_GNSS_GUARD_DOUBTS); /* elsewhere again */
    assert_int_equal(judge(-7000, 1, 121), MT_GNSS_GUARD_DOUBTS);
    assert_int_equal(judge(-7000, 1, 122), MT_GNSS_GUARD_FOLLOWS);
    assert_false(guard.has_jumped);
}

static void gnss_guard_follows_at_once_when_the_policy_says_so(void **state)
{
    (void)state;
    protect(MT_GNSS_JUMP_FOLLOW);
    jump_to_5_s();
    assert_int_equal(judge(-5000, 1, 2), MT_GNSS_GUARD_FOLLOWS);
}

static void gnss_guard_names_a_jump_when_what_it_tells_comes_unevenly(void **state)
{
    (void)state;
    protect(MT_GNSS_JUMP_HOLD);
    error = mt_interval_from_ns(40 * MS);
    assert_int_equal(judge(-5000, 60, 0), MT_GNSS_GUARD_DOUBTS);
    assert_int_equal(judge(-4930, 60, 1), MT_GNSS_GUARD_DOUBTS);
    assert_int_equal(judge(-5050, 60, 2), MT_GNSS_GUARD_JUMPED);
    /* what its error does not explain is no jump, but disorder */
    protect(MT_GNSS_JUMP_HOLD);
    error = mt_interval_from_ns(40 * MS);
    for (int64_t s = 0; s < 20; s++) {
        assert_int_equal(judge(s % 2 == 0 ? -5000 : -4860, 60, s), MT_GNSS_GUARD_DOUBTS);
    }
}

static void gnss_guard_follows_when_its_error_explains_the_difference(void **state)
{
    (void)state;
    protect(MT_GNSS_JUMP_HOLD);
    error = mt_interval_from_ns(40 * MS);
    assert_int_equal(judge(41, 1, 0), MT_GNSS_GUARD_AGREES);
    assert_int_equal(judge(43, 1, 1), MT_GNSS_GUARD_DOUBTS);
    assert_int_equal(judge(-41, 1, 2), MT_GNSS_GUARD_AGREES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(gnss_label_uses_the_third_second_when_they_go_on, set_up),
        cmocka_unit_test_setup(
            gnss_label_names_the_right_second_when_sentences_are_later_than_the_next_pulse, set_up),
        cmocka_unit_test_setup(gnss_label_says_nothing_when_a_sentence_is_near_two_seconds, set_up),
        cmocka_unit_test_setup(gnss_label_starts_again_when_the_seconds_do_not_go_on, set_up),
        cmocka_unit_test_setup(gnss_label_learns_anew_when_sentences_come_a_second_later, set_up),
        cmocka_unit_test_setup(gnss_label_learns_anew_when_no_sentence_fits_the_delay_any_more,
                               set_up),
        cmocka_unit_test_setup(gnss_label_bridges_lost_pulses_when_the_clock_counts_on, set_up),
        cmocka_unit_test_setup(gnss_label_ignores_a_pulse_when_it_comes_between, set_up),
        cmocka_unit_test_setup(gnss_label_needs_a_pulse_when_a_sentence_comes, set_up),
        cmocka_unit_test_setup(gnss_label_knows_the_second_at_once_when_it_was_announced, set_up),
        cmocka_unit_test_setup(gnss_label_starts_again_when_the_scale_is_another_one, set_up),
        cmocka_unit_test(gnss_guard_follows_when_the_clock_knows_nothing),
        cmocka_unit_test(gnss_guard_costs_one_pulse_when_one_is_far_off),
        cmocka_unit_test(gnss_guard_holds_when_the_time_has_jumped),
        cmocka_unit_test(gnss_guard_agrees_in_the_end_when_the_bound_has_grown),
        cmocka_unit_test(gnss_guard_follows_after_a_while_when_the_policy_is_to_wait),
        cmocka_unit_test(gnss_guard_follows_at_once_when_the_policy_says_so),
        cmocka_unit_test(gnss_guard_names_a_jump_when_what_it_tells_comes_unevenly),
        cmocka_unit_test(gnss_guard_follows_when_its_error_explains_the_difference),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
