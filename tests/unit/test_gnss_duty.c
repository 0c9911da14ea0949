/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * GNSS receivers as sources of a node's clock, with pulses and without, over a clock made of
 * numbers whose base shows true UTC: cold start, a fix that is lost for an hour, dates of another
 * era, wrong leap seconds, a spoofed step, noise on the line.
 */
#include "runtime/gnss_duty.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "meantime/prng.h"
#include "runtime/node.h"

#define STREAM  0
#define PULSES  1
#define S_NS    INT64_C(1000000000)
#define START_S INT64_C(1795348800)
#define TAI_UTC 37

struct bench {
    struct mt_node node;
    struct mt_node_clock clock;
    struct mt_discipline_source sources[1];
    struct mt_node_refclock refclocks[1];
    struct mt_node_gnss gnss[1];
    struct mt_prng noise;
    struct mt_hal_link link;
    struct mt_hal_link *links[2];
    /* the clock */
    struct mt_hal_clock hal;
    int64_t ahead_ns; /* of the base, when that read `since_ns` */
    int64_t since_ns;
    mt_real error;
    mt_real rate;
    uint32_t corrections;
    int64_t now_ns; /* true UTC; the monotonic time, too */
    struct mt_arbiter_member members[1];
    struct mt_arbiter_source judged[1];
    struct mt_arbiter_opinion opinions[1];
    unsigned told[16]; /* events, by enum mt_gnss_node_event */
    unsigned steps;
    /* the receiver */
    bool is_ubx;
    bool has_fix;
    int64_t ahead_s; /* of UTC, in what it says */
    int32_t leap_s;  /* GPS - UTC that it reckons with */
    int64_t delay_ns;
    int64_t pulse_ns;  /* noise of pulses */
    int64_t uneven_ns; /* of sentences, on a busy machine */
    unsigned lose_one_in;
};
static struct bench *bench;

static int64_t clock_at(int64_t base_ns)
{
    mt_real gained = (mt_real)(base_ns - bench->since_ns) * (bench->error + bench->rate);
    return base_ns + bench->ahead_ns + mt_real_round(gained);
}

static void begin_again(int64_t step_ns, mt_real rate)
{
    bench->ahead_ns = clock_at(bench->now_ns) - bench->now_ns + step_ns;
    bench->since_ns = bench->now_ns;
    bench->rate = rate;
}

static void read_clock(struct mt_hal_clock *hal, struct mt_clock_reading *ret_reading)
{
    *ret_reading = (struct mt_clock_reading){
        .local = {mt_instant_from_ns(clock_at(bench->now_ns), hal->scale), bench->corrections},
        .base = {.ns = bench->now_ns},
        .rate_q64 = (int64_t)((bench->error + bench->rate) * 18446744073709551616.0),
    };
}

static void stamp_clock(struct mt_hal_clock *hal, struct mt_base_time base,
                        struct mt_stamp *ret_stamp)
{
    *ret_stamp =
        (struct mt_stamp){mt_instant_from_ns(clock_at(base.ns), hal->scale), bench->corrections};
}

static void apply_clock(struct mt_hal_clock *hal, const struct mt_correction *correction,
                        struct mt_applied *ret_applied)
{
    bool is_step = correction->kind == MT_CORRECT_STEP;
    begin_again(is_step ? mt_span_to_ns(correction->step) : 0,
                is_step ? bench->rate : correction->rate);
    hal->scale = is_step && hal->adopts_scale ? correction->scale : hal->scale;
    *ret_applied =
        (struct mt_applied){.kind = correction->kind,
                            .step = correction->step,
                            .rate = bench->rate,
                            .at = mt_instant_from_ns(clock_at(bench->now_ns), hal->scale),
                            .corrections = ++bench->corrections};
}

static bool never_disturbed(struct mt_hal_clock *hal, struct mt_applied *ret_applied)
{
    return false;
}

static const struct mt_hal_clock_ops clock_ops = {
    .read = read_clock, .stamp = stamp_clock, .apply = apply_clock, .disturbed = never_disturbed};

static void configure(bool has_pulses)
{
    const struct mt_gnss_label_config label = {0};
    const struct mt_gnss_guard_config guard = {MT_GNSS_JUMP_HOLD, 1000000, 60 * S_NS};
    struct mt_node_gnss *gnss = &bench->gnss[0];
    *gnss = (struct mt_node_gnss){
        .stream = STREAM, .pulses = has_pulses ? PULSES : MT_NODE_NO_LINK, .is_up = true};
    gnss->config = (struct mt_gnss_duty_config){.precision = mt_interval_from_ns(1000),
                                                .max_error = MT_INTERVAL_TOO_LARGE};
    mt_gnss_receiver_init(&gnss->receiver, MT_GNSS_ANY, MT_GNSS_NOT_BEFORE_S);
    mt_gnss_label_init(&gnss->label, &label);
    mt_gnss_guard_init(&gnss->guard, &guard);
}

static void lay_out_node(void)
{
    bench->clock.hal = &bench->hal;
    bench->clock.tai_utc_known = true;
    bench->clock.tai_minus_utc_s = TAI_UTC;
    bench->node.clocks = &bench->clock;
    bench->node.clock_count = 1;
    bench->node.local_link = MT_NODE_NO_LINK;
    bench->node.links = bench->links;
    bench->links[STREAM] = &bench->link;
    bench->links[PULSES] = &bench->link;
    bench->node.refclocks = bench->refclocks;
    bench->node.refclock_count = 1;
    bench->node.gnss = bench->gnss;
    bench->node.gnss_count = 1;
    bench->refclocks[0].link = MT_NODE_NO_LINK;
    bench->refclocks[0].config =
        (struct mt_refclock_config){.scale = MT_SCALE_UTC, .silence_ns = 10 * S_NS};
    bench->members[0] =
        (struct mt_arbiter_member){.kind = MT_ARBITER_REFCLOCK, .source = MT_SOURCE_NONE};
    bench->clock.arbiter = (struct mt_arbiter){
        .is_used = true,
        .count = 1,
        .members = bench->members,
        .sources = bench->judged,
        .opinions = bench->opinions,
        .config = {.min_sources = 1, .max_bound = 3},
        .result = {.selected = MT_ARBITER_NOBODY},
        .steering = MT_ARBITER_NOBODY,
    };
}

static int set_up(void **state)
{
    struct mt_steer_config steer;
    (void)state;
    bench = calloc(1, sizeof *bench);
    mt_steer_config_init(&steer);
    mt_prng_init(&bench->noise, 5);
    bench->now_ns = START_S * S_NS + 1000;
    bench->since_ns = bench->now_ns;
    bench->error = 5e-6;
    bench->has_fix = true;
    bench->leap_s = 18;
    bench->delay_ns = 150000000;
    bench->hal = (struct mt_hal_clock){.ops = &clock_ops,
                                       .base = MT_BASE_BOOTTIME,
                                       .scale = MT_SCALE_TAI,
                                       .granularity_ns = 1,
                                       .max_rate = 5e-4,
                                       .is_adjustable = true};
    lay_out_node();
    mt_discipline_init(&bench->clock.discipline, &steer, bench->sources, 1, MT_SCALE_TAI, 0, 0,
                       false);
    configure(true);
    /* a clock that was never set: 1970 */
    bench->ahead_ns = 1000 * S_NS - bench->now_ns;
    mt_node_start(&bench->node, (struct mt_mono){bench->now_ns});
    mt_node_input(&bench->node, &(struct mt_input){.kind = MT_INPUT_LINK,
                                                   .link = STREAM,
                                                   .is_up = true,
                                                   .now = {bench->now_ns}});
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    free(bench);
    return 0;
}

/* ---- time passes ----------------------------------------------------------------------------- */

static void drain(void)
{
    struct mt_node_event event;
    while (mt_node_next_event(&bench->node, &event)) {
        if (event.kind == MT_NODE_GNSS) {
            bench->told[event.value.gnss.event]++;
        }
        bench->steps += event.kind == MT_NODE_STEP;
    }
}

static void give(struct mt_input input)
{
    input.now.ns = bench->now_ns;
    mt_node_input(&bench->node, &input);
    drain();
}

static void pass_until(int64_t until_ns)
{
    while (mt_node_deadline(&bench->node).ns < until_ns) {
        int64_t due_ns = mt_node_deadline(&bench->node).ns;
        bench->now_ns = due_ns > bench->now_ns ? due_ns : bench->now_ns + 1;
        give((struct mt_input){.kind = MT_INPUT_NONE});
    }
    bench->now_ns = until_ns;
}

static void hear(const uint8_t *bytes, size_t length)
{
    give((struct mt_input){.kind = MT_INPUT_FRAME,
                           .link = STREAM,
                           .bytes = bytes,
                           .length = length,
                           .has_stamp = true,
                           .stamp = {.ns = bench->now_ns}});
}

static void hear_pulse(int64_t late_ns)
{
    uint8_t bytes[MT_REFCLOCK_READING_SIZE];
    mt_refclock_reading_write(&(struct mt_refclock_reading){.is_pulse = true}, bytes);
    give((struct mt_input){.kind = MT_INPUT_FRAME,
                           .link = PULSES,
                           .bytes = bytes,
                           .length = sizeof bytes,
                           .has_stamp = true,
                           .stamp = {.ns = bench->now_ns + late_ns}});
}

/* ---- the receiver ---------------------------------------------------------------------------- */

static size_t make_nmea(int64_t utc_s, char line[128])
{
    time_t at = (time_t)utc_s;
    const struct tm *tm = gmtime(&at);
    char body[100];
    unsigned sum = 0;
    snprintf(body, sizeof body, "GNRMC,%02d%02d%02d.00,%c,,,,,0.0,,%02d%02d%02d,,,A", tm->tm_hour,
             tm->tm_min, tm->tm_sec, bench->has_fix ? 'A' : 'V', tm->tm_mday, tm->tm_mon + 1,
             tm->tm_year % 100);
    for (const char *c = body; *c; c++) {
        sum ^= (unsigned char)*c;
    }
    return (size_t)snprintf(line, 128, "$%s*%02X\r\n", body, sum);
}

static void put_le(uint8_t *at, uint64_t value, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        at[i] = (uint8_t)(value >> (8 * i));
    }
}

static size_t make_pvt(int64_t utc_s, uint8_t frame[100])
{
    time_t at = (time_t)utc_s;
    const struct tm *tm = gmtime(&at);
    const uint8_t header[] = {0xB5, 0x62, 0x01, 0x07, 92, 0};
    uint8_t *payload = frame + sizeof header;
    memset(frame, 0, 100);
    memcpy(frame, header, sizeof header);
    put_le(payload, (uint64_t)(utc_s + bench->leap_s - 315964800) % 604800 * 1000, 4);
    put_le(payload + 4, (uint64_t)tm->tm_year + 1900, 2);
    payload[6] = (uint8_t)(tm->tm_mon + 1);
    payload[7] = (uint8_t)tm->tm_mday;
    payload[8] = (uint8_t)tm->tm_hour;
    payload[9] = (uint8_t)tm->tm_min;
    payload[10] = (uint8_t)tm->tm_sec;
    payload[11] = 7;
    put_le(payload + 12, 30, 4);
    payload[20] = bench->has_fix ? 3 : 0;
    payload[21] = bench->has_fix;
    for (size_t i = 2; i < 98; i++) {
        frame[98] = (uint8_t)(frame[98] + frame[i]);
        frame[99] = (uint8_t)(frame[99] + frame[98]);
    }
    return 100;
}

static void speak(int64_t utc_s)
{
    uint8_t frame[100];
    char line[128];
    if (bench->is_ubx) {
        hear(frame, make_pvt(utc_s, frame));
    } else {
        size_t length = make_nmea(utc_s, line);
        hear((const uint8_t *)line, length);
    }
}

static int64_t at_random(int64_t most_ns)
{
    return most_ns > 0 ? (int64_t)mt_prng_below(&bench->noise, (uint32_t)most_ns) : 0;
}

static void one_second(void)
{
    int64_t s = bench->now_ns / S_NS + 1;
    bool is_lost = bench->lose_one_in > 0 && s % bench->lose_one_in == 0;
    int64_t late_ns = at_random(bench->pulse_ns);
    pass_until(s * S_NS);
    if (!is_lost && bench->gnss[0].pulses == PULSES) {
        hear_pulse(late_ns);
    }
    pass_until(s * S_NS + bench->delay_ns + at_random(bench->uneven_ns));
    speak(s + bench->ahead_s);
}

static void seconds(unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        one_second();
    }
}

static int64_t off_ns(void)
{
    return clock_at(bench->now_ns) - bench->now_ns - TAI_UTC * S_NS;
}

static void assert_near(int64_t value, int64_t wanted, int64_t within)
{
    if (value < wanted - within || value > wanted + within) {
        fail_msg("%lld ns instead of %lld", (long long)value, (long long)wanted);
    }
}

static uint64_t counted(enum mt_gnss_pulse_verdict verdict)
{
    return bench->gnss[0].counts[verdict];
}

static bool is_locked(void)
{
    return bench->clock.discipline.phase == MT_STEER_LOCKED;
}

/* ---- tests ----------------------------------------------------------------------------------- */

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
    begin_again(6000000, bench->rate);
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

static void gnss_duty_does_not_follow_pulses_when_they_are_at_another_place(void **state)
{
    (void)state;
    seconds(120);
    for (unsigned i = 0; i < 60; i++) {
        int64_t s = bench->now_ns / S_NS + 1;
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
        one_second();
        for (unsigned piece = 0; piece < 23; piece++) { /* 115200 baud without a pause */
            for (size_t at = 0; at < sizeof noise; at++) {
                noise[at] = (uint8_t)mt_prng_next_u32(&bench->noise);
            }
            pass_until(bench->now_ns + 30000000);
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

static void gnss_duty_takes_cable_and_quantisation_out_when_pulses_are_late(void **state)
{
    (void)state;
    bench->gnss[0].config.cable_delay = mt_interval_from_ns(500);
    seconds(120);
    /* pulses are at the second, as if they had left 500 ns before */
    assert_near(off_ns(), 500, 50);
}

static void gnss_duty_has_no_fix_when_nothing_is_heard_any_more(void **state)
{
    (void)state;
    seconds(60);
    pass_until(bench->now_ns + 10 * S_NS);
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
        cmocka_unit_test_setup_teardown(
            gnss_duty_takes_cable_and_quantisation_out_when_pulses_are_late, set_up, tear_down),
        cmocka_unit_test_setup_teardown(gnss_duty_has_no_fix_when_nothing_is_heard_any_more, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
