/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What is made of the JSON that gpsd tells its clients: whole, in pieces, without end, and of
 * values that no receiver has.
 */
#include "meantime/gnss.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define NOON INT64_C(1795348800) /* 2026-11-22 12:00:00 UTC */

static struct mt_gnss_receiver receiver;
static struct mt_gnss_report report;

static void begin(void)
{
    mt_gnss_receiver_init(&receiver, MT_GNSS_GPSD, MT_GNSS_NOT_BEFORE_S);
}

static int set_up(void **state)
{
    (void)state;
    begin();
    return 0;
}

/* How many reports came of it, the last one in `report`. */
static unsigned put(const char *octets, size_t length)
{
    const struct mt_stamp arrival = {.at = {.s = 1000, .scale = MT_SCALE_TAI}};
    unsigned count = 0;
    struct mt_gnss_report next;
    mt_gnss_receiver_rx(&receiver, (const uint8_t *)octets, length, &arrival);
    while (mt_gnss_receiver_next(&receiver, &next)) {
        report = next;
        count++;
    }
    return count;
}

static unsigned put_text(const char *text)
{
    return put(text, strlen(text));
}

static uint64_t count_of(enum mt_gnss_verdict verdict)
{
    return receiver.counts[verdict];
}

static const char tpv[] =
    "{\"class\":\"TPV\",\"device\":\"/dev/ttyACM0\",\"mode\":3,\"leapseconds\":18,"
    "\"time\":\"2026-11-22T12:00:00.000Z\",\"ept\":0.005,\"lat\":48.1,\"lon\":-11.5}\r\n";
static const char sky[] =
    "{\"class\":\"SKY\",\"device\":\"/dev/ttyACM0\",\"nSat\":14,\"uSat\":9,\"satellites\":["
    "{\"PRN\":5,\"el\":10.0,\"used\":true,\"x\":\"}]\\\"\"},{\"PRN\":7,\"used\":false}]}\r\n";
static const char pps[] =
    "{\"class\":\"PPS\",\"device\":\"/dev/pps0\",\"real_sec\":1795348800,\"real_nsec\":0,"
    "\"clock_sec\":1795348799,\"clock_nsec\":999987654,\"precision\":-20,\"qErr\":-4000}\r\n";

static void gnss_takes_time_and_fix_when_gpsd_tells_them(void **state)
{
    (void)state;
    assert_int_equal(put_text(tpv), 1);
    assert_true(report.has_time);
    assert_int_equal(report.utc_s, NOON);
    assert_int_equal(report.accuracy_ns, 5000000);
    assert_true(report.has_leap);
    assert_int_equal(report.leap.gps_utc_s, 18);
    assert_int_equal(receiver.fix, MT_GNSS_FIX_3D);
    assert_int_equal(put_text(sky), 1);
    assert_int_equal(receiver.satellites, 9);
    assert_int_equal(receiver.visible, 14);
    assert_int_equal(put_text("{\"class\":\"TPV\",\"mode\":1}\n"), 1);
    assert_int_equal(receiver.fix, MT_GNSS_FIX_NONE);
    assert_int_equal(count_of(MT_GNSS_VERDICT_NO_FIX), 1);
}

static void gnss_takes_a_reading_when_gpsd_has_seen_a_pulse(void **state)
{
    (void)state;
    assert_int_equal(put_text(pps), 1);
    assert_true(report.has_reading);
    assert_true(report.is_of_pulse);
    assert_int_equal(report.real.s, NOON);
    assert_true(report.machine_ns == (NOON - 1) * MT_NS_PER_S + 999987654);
    assert_true(report.has_quantisation);
    assert_int_equal(report.quantisation_ps, -4000);
}

static void gnss_counts_an_object_when_it_is_of_no_use_or_none(void **state)
{
    (void)state;
    assert_int_equal(put_text("{\"class\":\"VERSION\",\"release\":\"3.25\"}\n"), 0);
    assert_int_equal(put_text("{\"class\":\"TPV\",\"mode\":3 \"time\"\n"), 0);
    assert_int_equal(put_text("garbage\n"), 0);
    assert_int_equal(count_of(MT_GNSS_VERDICT_OTHER_KIND), 1);
    assert_int_equal(count_of(MT_GNSS_VERDICT_MALFORMED), 2);
    assert_int_equal(put_text(tpv), 1);
}

static void gnss_reads_the_same_object_when_it_comes_in_pieces(void **state)
{
    (void)state;
    for (size_t cut = 0; cut < sizeof tpv - 1; cut++) {
        begin();
        unsigned first = put(tpv, cut);
        unsigned second = put(tpv + cut, sizeof tpv - 1 - cut);
        assert_int_equal(first + second, 1);
        assert_int_equal(report.utc_s, NOON);
    }
}

static void gnss_passes_over_an_object_when_it_is_without_end(void **state)
{
    (void)state;
    put_text("{\"class\":\"SKY\",\"satellites\":[");
    for (unsigned i = 0; i < 2000; i++) {
        assert_int_equal(put_text("{\"PRN\":1,\"used\":true},"), 0);
    }
    assert_int_equal(put_text("{}],\"uSat\":3}\n"), 1);
    assert_int_equal(receiver.satellites, 3);
}

/* A leap second's number stands for two, and a fix between two seconds for none. */
static void gnss_takes_no_time_from_gpsd_when_it_is_of_no_certain_second(void **state)
{
    static const char *const times[] = {
        "2026-12-31T23:59:60.000Z",
        "2026-11-22T12:00:00.200Z",
        "2026-11-31T12:00:00.000Z",
        "2026-11-22T12:00",
        "yesterday",
    };
    (void)state;
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
        put_text("{\"class\":\"TPV\",\"mode\":3,\"time\":\"");
        put_text(times[i]);
        assert_int_equal(put_text("\"}\n"), 1);
        assert_false(report.has_time);
    }
    assert_int_equal(count_of(MT_GNSS_VERDICT_NO_TIME), sizeof times / sizeof times[0]);
}

static void gnss_takes_no_accuracy_from_gpsd_when_it_cannot_be(void **state)
{
    static const char *const values[] = {"0",    "-0.005", "4.3",
                                         "1e-3", "null",   "123456789012345678"};
    (void)state;
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        put_text("{\"class\":\"TPV\",\"mode\":3,\"ept\":");
        put_text(values[i]);
        assert_int_equal(put_text("}\n"), 1);
        assert_false(report.has_accuracy);
    }
    put_text(tpv);
    assert_true(receiver.has_accuracy);
    put_text("{\"class\":\"TPV\",\"mode\":1}\n");
    assert_false(receiver.has_accuracy); /* it was that of a fix */
}

static void gnss_gives_an_object_up_when_it_is_too_deep(void **state)
{
    (void)state;
    put_text("{\"class\":\"SKY\",\"satellites\":");
    for (unsigned i = 0; i < 256; i++) {
        put_text("[");
    }
    assert_int_equal(put_text(",\"uSat\":3}\n"), 0);
    assert_int_equal(count_of(MT_GNSS_VERDICT_MALFORMED), 1);
    assert_int_equal(put_text(tpv), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(gnss_takes_time_and_fix_when_gpsd_tells_them, set_up),
        cmocka_unit_test_setup(gnss_takes_a_reading_when_gpsd_has_seen_a_pulse, set_up),
        cmocka_unit_test_setup(gnss_counts_an_object_when_it_is_of_no_use_or_none, set_up),
        cmocka_unit_test_setup(gnss_reads_the_same_object_when_it_comes_in_pieces, set_up),
        cmocka_unit_test_setup(gnss_passes_over_an_object_when_it_is_without_end, set_up),
        cmocka_unit_test_setup(gnss_takes_no_time_from_gpsd_when_it_is_of_no_certain_second,
                               set_up),
        cmocka_unit_test_setup(gnss_takes_no_accuracy_from_gpsd_when_it_cannot_be, set_up),
        cmocka_unit_test_setup(gnss_gives_an_object_up_when_it_is_too_deep, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
