/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What a receiver tells beside the time of its second: how wrong that is, how early its pulse will
 * be, leap seconds; and all of it by way of gpsd.
 */
#include "runtime/gnss_duty.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "gnss_bench.h"

#define GPS_S    INT64_C(315964800)
#define MIDNIGHT INT64_C(1798761600) /* 2027-01-01, UTC */

static int64_t reference_ns(void)
{
    return mt_interval_to_ns(bench->clock.report.reference_bound);
}

static void gnss_duty_is_as_wrong_as_the_receiver_says_when_it_does(void **state)
{
    seconds(60);
    assert_int_equal(reference_ns(), 1000); /* NMEA says nothing */
    tear_down(state);
    set_up(state);
    bench->is_ubx = true;
    seconds(60);
    assert_int_equal(reference_ns(), 5 * 30);
    bench->gnss[0].receiver.accuracy_ns = 7;
    bench->gnss[0].config.max_error = mt_interval_from_ns(400);
    seconds(10);
    assert_int_equal(reference_ns(), 400);
}

static void hear_announcement(int64_t utc_s, int32_t error_ps)
{
    uint8_t payload[16] = {0};
    int64_t gps_s = utc_s + bench->leap_s - GPS_S;
    put_le(payload, (uint64_t)(gps_s % MT_GNSS_WEEK_S) * 1000, 4);
    put_le(payload + 8, (uint64_t)error_ps, 4);
    put_le(payload + 12, (uint64_t)(gps_s / MT_GNSS_WEEK_S), 2);
    hear_ubx(0x0D, 0x01, payload, sizeof payload);
}

/* Each pulse is 5 us early, or late, and it says so. */
static void gnss_duty_takes_quantisation_out_when_it_was_announced(void **state)
{
    for (int sign = -1; sign <= 1; sign += 2) {
        for (unsigned i = 0; i < 120; i++) {
            int64_t s = bench->number.now_ns / S_NS + 1;
            pass_until(s * S_NS - 400000000);
            hear_announcement(s, sign * 5000000);
            pass_until(s * S_NS);
            hear_pulse(-sign * 5000);
            pass_until(s * S_NS + 100000000);
        }
        assert_true(is_locked());
        assert_near(off_ns(), 0, 500);
        tear_down(state);
        set_up(state);
    }
}

/* ---- leap seconds ---------------------------------------------------------------------------- */

static void hear_leap(int8_t change, int32_t in_s)
{
    uint8_t payload[24] = {0};
    payload[8] = 2; /* by GPS */
    payload[9] = (uint8_t)bench->leap_s;
    payload[10] = 2;
    payload[11] = (uint8_t)change;
    put_le(payload + 12, (uint64_t)in_s, 4);
    payload[23] = 3;
    hear_ubx(0x01, 0x26, payload, sizeof payload);
}

static void gnss_duty_brings_news_when_the_receiver_is_to_be_believed(void **state)
{
    const struct mt_leap_news *news = &bench->clock.leap.gnss;
    bench->is_ubx = true;
    hear_leap(1, 100000);
    assert_false(news->is_known);
    seconds(60);
    hear_leap(1, 100000);
    assert_true(news->is_known && news->knows_leap);
    assert_int_equal(news->tai_minus_utc_s, 37);
    assert_int_equal(news->change_s, 1);
    assert_int_equal(news->at_utc_s % 86400, 0);
    assert_near(news->at_utc_s - bench->number.now_ns / S_NS, 100000, 43200);
    bench->has_fix = false;
    seconds(1);
    assert_false(news->is_known);
    bench->has_fix = true;
    seconds(1);
    assert_true(news->is_known);
    bench->ahead_s = 5;
    seconds(10);
    assert_true(bench->gnss[0].guard.has_jumped);
    hear_leap(1, 100000);
    assert_false(news->is_known);
}

static void begin_before_midnight(void)
{
    bench->clock.leap_s = 1;
    mt_leap_duty_know(&bench->clock.leap, MT_LEAP_BY_LIST, 0, 0);
    bench->number.now_ns = (MIDNIGHT - 121) * S_NS;
    seconds(120);
    assert_true(is_locked());
    assert_int_equal(bench->number.now_ns / S_NS, MIDNIGHT - 1);
    assert_int_equal(bench->clock.leap.change_s, 1);
}

/* The base goes on, so from here on it is a second ahead of UTC. */
static void pass_the_leap_second(const char *sentence)
{
    pass_until(MIDNIGHT * S_NS);
    hear_pulse(0);
    pass_until(MIDNIGHT * S_NS + bench->delay_ns);
    if (sentence != NULL) {
        hear_nmea(sentence);
    }
    bench->ahead_s = -1;
    seconds(60);
}

static void assert_undisturbed(void)
{
    assert_near(off_ns(), 0, 100);
    assert_int_equal(counted(MT_GNSS_PULSE_DISCONTINUOUS), 0);
    assert_int_equal(counted(MT_GNSS_PULSE_JUMP), 0);
    assert_int_equal(bench->told[MT_GNSS_NODE_LEAP_WRONG], 0);
    assert_true(counted(MT_GNSS_PULSE_USED) > 170);
}

static void gnss_duty_goes_on_when_a_leap_second_passes(void **state)
{
    begin_before_midnight();
    pass_the_leap_second("GNRMC,235960.00,A,,,,,0.0,,311226,,,A");
    assert_undisturbed();
    tear_down(state);
    set_up(state);
    bench->is_ubx = true;
    begin_before_midnight();
    bench->leap_s = 19; /* it knows at once, and this machine later */
    pass_the_leap_second(NULL);
    assert_undisturbed();
}

/* ---- gpsd ------------------------------------------------------------------------------------ */

static void begin_with_gpsd(void)
{
    configure(false);
    mt_gnss_receiver_init(&bench->gnss[0].receiver, MT_GNSS_GPSD, MT_GNSS_NOT_BEFORE_S);
}

/* `late_ns`: what the machine's clock read more than at that second. */
static void hear_reading(const char *class, int64_t utc_s, int64_t late_ns)
{
    char text[200];
    int64_t clock_ns = utc_s * S_NS + late_ns;
    hear(text, (size_t)snprintf(text, sizeof text,
                                "{\"class\":\"%s\",\"real_sec\":%lld,\"real_nsec\":0,"
                                "\"clock_sec\":%lld,\"clock_nsec\":%lld}\n",
                                class, (long long)utc_s, (long long)(clock_ns / S_NS),
                                (long long)(clock_ns % S_NS)));
}

static void hear_time(int64_t utc_s)
{
    char text[200];
    char when[40];
    time_t at = (time_t)utc_s;
    strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%S.000Z", gmtime(&at));
    hear(text,
         (size_t)snprintf(text, sizeof text,
                          "{\"class\":\"TPV\",\"mode\":3,\"time\":\"%s\",\"ept\":0.005}\n", when));
}

static void gpsd_seconds(unsigned count, bool has_pulses)
{
    for (unsigned i = 0; i < count; i++) {
        int64_t s = bench->number.now_ns / S_NS + 1;
        pass_until(s * S_NS + 200000000);
        if (has_pulses) {
            hear_reading("PPS", s, 0);
        }
        hear_reading("TOFF", s, 120000000);
        hear_time(s);
    }
}

static void gnss_duty_follows_gpsds_pulses_and_nothing_else_when_there_are_some(void **state)
{
    (void)state;
    begin_with_gpsd();
    gpsd_seconds(60, true);
    assert_true(is_locked());
    assert_near(off_ns(), 0, 50);
    assert_int_equal(reference_ns(), 1000); /* `ept` is that of sentences */
    assert_int_equal(bench->gnss[0].pulse_count, 60);
    /* but for the first, before which nobody had a fix by way of a sentence */
    assert_int_equal(counted(MT_GNSS_PULSE_USED), 60);
    gpsd_seconds(4, false); /* they may come again */
    assert_int_equal(counted(MT_GNSS_PULSE_USED), 60);
    gpsd_seconds(10, false);
    assert_true(counted(MT_GNSS_PULSE_USED) > 67);
}

static void gnss_duty_doubts_gpsds_readings_when_they_are_old(void **state)
{
    (void)state;
    begin_with_gpsd();
    gpsd_seconds(60, true);
    hear_reading("PPS", bench->number.now_ns / S_NS - 7, 0);
    assert_int_equal(counted(MT_GNSS_PULSE_DOUBTFUL), 1);
    assert_int_equal(counted(MT_GNSS_PULSE_USED), 60);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(gnss_duty_is_as_wrong_as_the_receiver_says_when_it_does),
        TEST(gnss_duty_takes_quantisation_out_when_it_was_announced),
        TEST(gnss_duty_brings_news_when_the_receiver_is_to_be_believed),
        TEST(gnss_duty_goes_on_when_a_leap_second_passes),
        TEST(gnss_duty_follows_gpsds_pulses_and_nothing_else_when_there_are_some),
        TEST(gnss_duty_doubts_gpsds_readings_when_they_are_old),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
