/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * GNSS receivers as sources of a node's clock, with pulses and without: cold start, a fix that is
 * lost for an hour, dates of another era, wrong leap seconds, a spoofed step, noise on the line.
 */
#include "runtime/gnss_duty.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "gnss_bench.h"

static void gnss_duty_sets_and_locks_the_clock_when_it_starts_cold(void **state)
{
    (void)state;
    bench->has_fix = false;
    seconds(30);
    assert_int_equal(bench->clock.discipline.phase, MT_STEER_IDLE);
    assert_int_equal(bench->refclocks[0].counts[MT_REFCLOCK_READINGS], 0);
    bench->has_fix = true;
    seconds(60);
    assert_true(is_locked());
    assert_near(off_ns(), 0, 50);
    assert_int_equal(bench->clock.page.bound_reference, MT_BOUND_TRACEABLE);
    assert_true(bench->clock.page.bound_ns < 10000);
    assert_int_equal(bench->told[MT_GNSS_NODE_FIX], 1);
    assert_int_equal(counted(MT_GNSS_PULSE_JUMP), 0);
    assert_int_equal(counted(MT_GNSS_PULSE_DISCONTINUOUS), 0); /* a step is none of pulses */
    assert_near(bench->gnss[0].label.delay_ns, bench->delay_ns, 100000);
    struct mt_gnss_standing standing;
    assert_true(mt_gnss_duty_standing(&bench->node, 0, &standing));
    assert_true(standing.has_fix && standing.is_believed);
}

static void gnss_duty_stays_inside_its_bound_when_stamps_are_late_and_lost(void **state)
{
    (void)state;
    bench->pulse_ns = 4000;
    bench->lose_one_in = 7;
    seconds(300);
    assert_true(is_locked());
    assert_near(off_ns(), 0, bench->clock.page.bound_ns);
    assert_int_equal(counted(MT_GNSS_PULSE_JUMP), 0);
    assert_true(counted(MT_GNSS_PULSE_USED) > 240);
}

static void gnss_duty_holds_over_when_the_fix_is_lost_for_an_hour(void **state)
{
    (void)state;
    seconds(300);
    bench->has_fix = false;
    uint64_t used = counted(MT_GNSS_PULSE_USED);
    seconds(3600);
    struct mt_gnss_standing standing;
    assert_int_equal(counted(MT_GNSS_PULSE_USED), used);
    assert_true(counted(MT_GNSS_PULSE_NO_FIX) >= 3598);
    assert_int_equal(bench->clock.page.state, MT_CLOCK_HOLDOVER);
    assert_int_equal(bench->told[MT_GNSS_NODE_NO_FIX], 1);
    assert_false(mt_gnss_duty_standing(&bench->node, 0, &standing) && standing.has_fix);
    assert_near(off_ns(), 0, bench->clock.page.bound_ns);
    bench->has_fix = true;
    seconds(60);
    assert_true(is_locked());
    assert_near(off_ns(), 0, 100);
    assert_int_equal(bench->told[MT_GNSS_NODE_JUMP], 0);
}

/* A clock may be wrong by what its page says, which is more than max_drift where its oscillator has
 * done worse; a receiver that comes back and corrects that much has not jumped. */
static void gnss_duty_believes_its_return_when_the_clock_was_as_wrong_as_it_said(void **state)
{
    (void)state;
    struct mt_holdover *holdover = &bench->clock.holdover;
    seconds(300);
    mt_steer_oscillator_init(&holdover->oscillator);
    holdover->oscillator.known.observed_s = 7200;
    holdover->oscillator.known.wander = MT_REAL(1e-15);
    holdover->learns = true;
    bench->has_fix = false;
    seconds(1800);
    rate_clock_change(&bench->number, 6000000, bench->number.rate);
    seconds(2);
    assert_int_equal(bench->clock.page.state, MT_CLOCK_HOLDOVER);
    assert_true(off_ns() > 5000000);
    assert_near(off_ns(), 0, bench->clock.page.bound_ns);
    bench->has_fix = true;
    seconds(60);
    assert_int_equal(bench->told[MT_GNSS_NODE_JUMP], 0);
    assert_near(off_ns(), 0, bench->clock.page.bound_ns);
}

static void gnss_duty_puts_dates_right_and_tells_it_once_when_weeks_began_again(void **state)
{
    (void)state;
    bench->is_ubx = true;
    bench->ahead_s = -MT_GNSS_ROLLOVER_S;
    seconds(60);
    assert_true(is_locked());
    assert_near(off_ns(), 0, 50);
    assert_int_equal(bench->told[MT_GNSS_NODE_ROLLOVER], 1);
}

static void gnss_duty_has_the_right_tai_and_names_it_when_leap_seconds_are_wrong(void **state)
{
    (void)state;
    bench->is_ubx = true;
    bench->leap_s = 16; /* its firmware's guess: its UTC is two seconds ahead */
    bench->ahead_s = 2;
    seconds(60);
    assert_true(is_locked());
    assert_near(off_ns(), 0, 50);
    assert_int_equal(bench->told[MT_GNSS_NODE_LEAP_WRONG], 1);
    bench->leap_s = 18;
    bench->ahead_s = 0;
    seconds(60);
    assert_near(off_ns(), 0, 50);
    assert_int_equal(bench->told[MT_GNSS_NODE_LEAP_RIGHT], 1);
    assert_int_equal(bench->told[MT_GNSS_NODE_JUMP], 0);
}

static void gnss_duty_is_not_moved_when_the_time_is_spoofed(void **state)
{
    (void)state;
    seconds(120);
    unsigned steps = bench->steps;
    bench->ahead_s = 5;
    seconds(600);
    struct mt_gnss_standing standing;
    assert_int_equal(bench->told[MT_GNSS_NODE_JUMP], 1);
    assert_true(bench->gnss[0].guard.has_jumped);
    assert_near(mt_span_to_ns(bench->gnss[0].guard.jump), -5 * S_NS, 100000);
    assert_int_equal(bench->steps, steps);
    assert_near(off_ns(), 0, bench->clock.page.bound_ns);
    assert_true(bench->clock.page.bound_ns < S_NS);
    assert_false(mt_gnss_duty_standing(&bench->node, 0, &standing) && standing.is_believed);
    bench->ahead_s = 0;
    seconds(30);
    assert_int_equal(bench->told[MT_GNSS_NODE_RETURNED], 0);
    seconds(60);
    assert_int_equal(bench->told[MT_GNSS_NODE_RETURNED], 1);
    seconds(30);
    assert_true(is_locked());
    assert_near(off_ns(), 0, 100);
}

/* The machine's battery clock counts seconds, and for no clock of the machine is that a step. */
static void gnss_duty_is_followed_when_the_machine_did_not_know_how_long_it_slept(void **state)
{
    (void)state;
    seconds(300);
    assert_true(is_locked());
    bench->number.now_ns += 600 * S_NS;
    rate_clock_change(&bench->number, -620000000, bench->number.rate);
    give((struct mt_input){.kind = MT_INPUT_RESUMED, .stamp = {.ns = 600 * S_NS}});
    assert_int_equal(bench->clock.page.bound_reference, MT_BOUND_NONE);
    for (int i = 0; i < 30; i++) {
        seconds(1);
        if (bench->clock.page.bound_reference != MT_BOUND_NONE) {
            assert_near(off_ns() - bench->clock.page.steered_q16 / 65536, 0,
                        bench->clock.page.bound_ns);
        }
    }
    assert_int_equal(bench->told[MT_GNSS_NODE_JUMP], 0);
    assert_true(is_locked());
    assert_near(off_ns(), 0, 100);
}

static void gnss_duty_does_not_follow_pulses_when_they_are_at_another_place(void **state)
{
    (void)state;
    seconds(120);
    for (unsigned i = 0; i < 60; i++) {
        int64_t s = bench->number.now_ns / S_NS + 1;
        pass_until(s * S_NS + 40000000);
        hear_pulse(0);
        pass_until(s * S_NS + bench->delay_ns);
        speak(s);
    }
    assert_int_equal(bench->told[MT_GNSS_NODE_JUMP], 1);
    assert_near(off_ns(), 0, bench->clock.page.bound_ns);
}

static void gnss_duty_hears_through_noise_when_the_line_is_bad(void **state)
{
    uint8_t noise[500];
    (void)state;
    for (unsigned i = 0; i < 120; i++) {
        seconds(1);
        for (unsigned piece = 0; piece < 23; piece++) { /* 115200 baud without a pause */
            for (size_t at = 0; at < sizeof noise; at++) {
                noise[at] = (uint8_t)mt_prng_next_u32(&bench->noise);
            }
            pass_until(bench->number.now_ns + 30000000);
            hear(noise, sizeof noise);
        }
    }
    assert_true(is_locked());
    assert_near(off_ns(), 0, 100);
    assert_true(bench->gnss[0].receiver.counts[MT_GNSS_VERDICT_GARBAGE] > 100);
    assert_int_equal(bench->told[MT_GNSS_NODE_JUMP], 0);
}

static void expect_sentences(int64_t error_ns)
{
    bench->gnss[0].config.has_sentence_delay = true;
    bench->gnss[0].config.sentence_delay_ns = 150000000;
    bench->gnss[0].config.sentence_error_ns = error_ns;
}

static void gnss_duty_says_how_wrong_it_may_be_when_there_are_no_pulses(void **state)
{
    (void)state;
    configure(false);
    seconds(120);
    assert_true(is_locked());
    assert_near(off_ns(), -50000000, 1000000); /* 150 ms late, and 100 ms are usual */
    assert_true(bench->clock.page.bound_ns > 900000000);
    expect_sentences(20000000);
    seconds(300);
    assert_near(off_ns(), 0, 5000000);
    assert_near(bench->clock.page.bound_ns, 20000000, 5000000);
}

static void gnss_duty_tells_of_a_spoofed_step_when_sentences_come_unevenly(void **state)
{
    (void)state;
    configure(false);
    expect_sentences(350000000);
    bench->uneven_ns = 300000000;
    seconds(300);
    assert_true(is_locked());
    assert_int_equal(bench->told[MT_GNSS_NODE_JUMP], 0);
    bench->ahead_s = 5;
    seconds(3);
    assert_int_equal(bench->told[MT_GNSS_NODE_JUMP], 1);
    seconds(60);
    assert_near(off_ns(), 0, bench->clock.page.bound_ns);
    bench->ahead_s = 0;
    seconds(62);
    assert_int_equal(bench->told[MT_GNSS_NODE_RETURNED], 1);
}

static void gnss_duty_takes_the_cable_out_when_pulses_are_late(void **state)
{
    (void)state;
    bench->gnss[0].config.cable_delay = mt_interval_from_ns(500);
    seconds(120);
    /* pulses are at the second, as if they had left 500 ns before */
    assert_near(off_ns(), 500, 50);
}

static void gnss_duty_is_silent_to_the_arbiter_when_its_last_second_is_73_minutes_ago(void **state)
{
    (void)state;
    seconds(120);
    bench->refclocks[0].config.silence_ns = 10000 * S_NS;
    int64_t last_ns = bench->number.now_ns;
    for (int64_t s = 10; s < 4420; s++) { /* 2^32 times 1024 ns are 4398 s */
        pass_until(last_ns + s * S_NS);
        assert_true(bench->refclocks[0].is_heard);
        assert_true(bench->judged[0].is_silent);
    }
}

static void gnss_duty_has_no_fix_when_nothing_is_heard_any_more(void **state)
{
    (void)state;
    seconds(60);
    pass_until(bench->number.now_ns + 10 * S_NS);
    assert_int_equal(bench->told[MT_GNSS_NODE_NO_FIX], 1);
    assert_false(mt_gnss_duty_has_fix(&bench->gnss[0]));
    seconds(3);
    assert_int_equal(bench->told[MT_GNSS_NODE_FIX], 2);
    give((struct mt_input){.kind = MT_INPUT_LINK, .link = STREAM, .is_up = false});
    assert_int_equal(bench->told[MT_GNSS_NODE_NO_LINE], 1);
    assert_false(mt_gnss_duty_has_fix(&bench->gnss[0]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(gnss_duty_sets_and_locks_the_clock_when_it_starts_cold,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            gnss_duty_stays_inside_its_bound_when_stamps_are_late_and_lost, set_up, tear_down),
        cmocka_unit_test_setup_teardown(gnss_duty_holds_over_when_the_fix_is_lost_for_an_hour,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            gnss_duty_believes_its_return_when_the_clock_was_as_wrong_as_it_said, set_up,
            tear_down),
        cmocka_unit_test_setup_teardown(
            gnss_duty_puts_dates_right_and_tells_it_once_when_weeks_began_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            gnss_duty_has_the_right_tai_and_names_it_when_leap_seconds_are_wrong, set_up,
            tear_down),
        cmocka_unit_test_setup_teardown(
            gnss_duty_is_silent_to_the_arbiter_when_its_last_second_is_73_minutes_ago, set_up,
            tear_down),
        cmocka_unit_test_setup_teardown(
            gnss_duty_is_followed_when_the_machine_did_not_know_how_long_it_slept, set_up,
            tear_down),
        cmocka_unit_test_setup_teardown(gnss_duty_is_not_moved_when_the_time_is_spoofed, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(
            gnss_duty_does_not_follow_pulses_when_they_are_at_another_place, set_up, tear_down),
        cmocka_unit_test_setup_teardown(gnss_duty_hears_through_noise_when_the_line_is_bad, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(gnss_duty_says_how_wrong_it_may_be_when_there_are_no_pulses,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            gnss_duty_tells_of_a_spoofed_step_when_sentences_come_unevenly, set_up, tear_down),
        cmocka_unit_test_setup_teardown(gnss_duty_takes_the_cable_out_when_pulses_are_late, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(gnss_duty_has_no_fix_when_nothing_is_heard_any_more, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
