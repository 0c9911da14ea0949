/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What is made of the octets of GNSS receivers: NMEA and UBX; whole, in pieces, cut off,
 * with any bit wrong, and in the middle of noise.
 */
#include "meantime/gnss.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "gnss/gnss_private.h"
#include "meantime/prng.h"

#define NOON INT64_C(1795348800) /* 2026-11-22 12:00:00 UTC */

static struct mt_gnss_receiver receiver;
static struct mt_gnss_report report;
static const struct mt_stamp arrival = {.at = {.s = 1000, .scale = MT_SCALE_TAI}};

static void begin(enum mt_gnss_protocol protocol)
{
    mt_gnss_receiver_init(&receiver, protocol, MT_GNSS_NOT_BEFORE_S);
}

static int set_up(void **state)
{
    (void)state;
    begin(MT_GNSS_ANY);
    return 0;
}

/* Hands over octets; how many reports came of them, the last one in `report`. */
static unsigned put(const void *octets, size_t length)
{
    unsigned count = 0;
    for (size_t at = 0; at < length; at += MT_GNSS_PIECE_MAX) {
        size_t piece = length - at < MT_GNSS_PIECE_MAX ? length - at : MT_GNSS_PIECE_MAX;
        mt_gnss_receiver_rx(&receiver, (const uint8_t *)octets + at, piece, &arrival);
        struct mt_gnss_report next;
        while (mt_gnss_receiver_next(&receiver, &next)) {
            report = next;
            count++;
        }
    }
    return count;
}

static unsigned put_text(const char *text)
{
    return put(text, strlen(text));
}

/* With '$', checksum and line end. */
static size_t make_nmea(const char *body, char *line, size_t size)
{
    unsigned sum = 0;
    for (const char *at = body; *at; at++) {
        sum ^= (unsigned char)*at;
    }
    return (size_t)snprintf(line, size, "$%s*%02X\r\n", body, sum);
}

static unsigned put_nmea(const char *body)
{
    char line[256];
    return put(line, make_nmea(body, line, sizeof line));
}

static uint64_t count_of(enum mt_gnss_verdict verdict)
{
    return receiver.counts[verdict];
}

/* ---- NMEA ------------------------------------------------------------------------------------ */

static void gnss_takes_a_time_when_rmc_has_a_fix(void **state)
{
    (void)state;
    assert_int_equal(put_text("$GNRMC,120000.00,A,4807.038,N,01131.000,E,0.0,,221126,,,A,V*11\r\n"),
                     1);
    assert_true(report.has_time);
    assert_int_equal(report.utc_s, NOON);
    assert_int_equal(report.arrival.at.s, 1000);
    assert_int_equal(count_of(MT_GNSS_VERDICT_USED), 1);
    assert_int_equal(receiver.rollovers, 0);
}

static void gnss_takes_a_time_when_zda_tells_it(void **state)
{
    (void)state;
    assert_int_equal(put_nmea("GPZDA,120000.00,22,11,2026,00,00"), 1);
    assert_true(report.has_time);
    assert_int_equal(report.utc_s, NOON);
}

static void gnss_takes_any_satellite_talker_when_it_speaks(void **state)
{
    static const char *const talkers[] = {"GP", "GN", "GL", "GA", "GB"};
    (void)state;
    for (size_t i = 0; i < 5; i++) {
        char body[64];
        snprintf(body, sizeof body, "%sZDA,120001,22,11,2026,00,00", talkers[i]);
        assert_int_equal(put_nmea(body), 1);
        assert_int_equal(report.utc_s, NOON + 1);
    }
    assert_int_equal(put_nmea("HEZDA,120000.00,22,11,2026,00,00"), 0);
    assert_int_equal(count_of(MT_GNSS_VERDICT_OTHER_TALKER), 1);
}

static void gnss_says_nothing_of_the_second_when_the_time_has_a_fraction(void **state)
{
    (void)state;
    assert_int_equal(put_nmea("GPZDA,120000.20,22,11,2026,00,00"), 1);
    assert_false(report.has_time);
}

static void gnss_loses_the_fix_when_a_sentence_says_so(void **state)
{
    (void)state;
    put_nmea("GPGSA,A,3,04,05,,09,12,,,24,,,,,2.5,1.3,2.1");
    assert_int_equal(receiver.fix, MT_GNSS_FIX_3D);
    put_nmea("GPGGA,120000,4807.038,N,01131.000,E,1,08,0.9,545.4,M,46.9,M,,");
    assert_int_equal(receiver.fix, MT_GNSS_FIX_3D);
    assert_int_equal(receiver.satellites, 8);
    put_nmea("GPRMC,120000.00,V,,,,,,,221126,,,N");
    assert_int_equal(receiver.fix, MT_GNSS_FIX_NONE);
    assert_false(report.has_time);
    assert_false(mt_gnss_receiver_is_fixed(&receiver));
    assert_int_equal(count_of(MT_GNSS_VERDICT_NO_FIX), 1);
    put_nmea("GPGSA,A,2,04,05,,09,12,,,24,,,,,2.5,1.3,2.1");
    assert_int_equal(receiver.fix, MT_GNSS_FIX_2D);
    put_nmea("GPGGA,120000,,,,,0,00,,,M,,M,,");
    assert_int_equal(receiver.fix, MT_GNSS_FIX_NONE);
}

/* Without a fix receivers tell the time of their own clock. */
static void gnss_has_no_fix_when_a_time_comes_without_one(void **state)
{
    (void)state;
    put_nmea("GPRMC,120000.00,V,,,,,,,221126,,,N");
    assert_int_equal(put_nmea("GPZDA,120000.00,22,11,2026,00,00"), 1);
    assert_true(report.has_time);
    assert_false(mt_gnss_receiver_is_fixed(&receiver));
    put_nmea("GPGGA,120000,4807.038,N,01131.000,E,6,08,0.9,545.4,M,46.9,M,,"); /* estimated */
    assert_false(mt_gnss_receiver_is_fixed(&receiver));
    put_nmea("GPGGA,120001,4807.038,N,01131.000,E,1,08,0.9,545.4,M,46.9,M,,");
    assert_int_equal(receiver.fix, MT_GNSS_FIX_UNKNOWN);
    put_nmea("GPGGA,120001,,,,,0,00,,,M,,M,,");
    assert_false(mt_gnss_receiver_is_fixed(&receiver));
    put_nmea("GPRMC,120002.00,A,4807.038,N,01131.000,E,0.0,,221126,,,A,V");
    assert_int_equal(receiver.fix, MT_GNSS_FIX_UNKNOWN);
    put_nmea("GPGSA,A,3,04,05,,09,12,,,24,,,,,2.5,1.3,2.1");
    put_nmea("GPRMC,120003.00,A,4807.038,N,01131.000,E,0.0,,221126,,,A,V");
    assert_int_equal(receiver.fix, MT_GNSS_FIX_3D); /* what is known stays */
}

static void gnss_counts_what_it_ignores_when_it_is_no_time(void **state)
{
    (void)state;
    assert_int_equal(put_nmea("PUBX,00,120000.00"), 0);
    assert_int_equal(put_nmea("GPGSV,1,1,00"), 0);
    assert_int_equal(put_nmea("GPRMC,,A,,,,,,,,,,A"), 1);
    assert_int_equal(put_nmea("GPRMC,120000,A,,,,,,,311126,,,A"), 0); /* no such day */
    assert_int_equal(put_text("$GPZDA,120000.00,22,11,2026,00,00*00\r\n"), 0);
    assert_int_equal(count_of(MT_GNSS_VERDICT_PROPRIETARY), 1);
    assert_int_equal(count_of(MT_GNSS_VERDICT_OTHER_KIND), 1);
    assert_int_equal(count_of(MT_GNSS_VERDICT_NO_TIME), 1);
    assert_int_equal(count_of(MT_GNSS_VERDICT_MALFORMED), 1);
    assert_int_equal(count_of(MT_GNSS_VERDICT_CHECKSUM), 1);
    assert_int_equal(count_of(MT_GNSS_VERDICT_USED), 0);
}

static void gnss_adds_1024_weeks_when_a_date_is_long_past(void **state)
{
    (void)state;
    /* 1024 weeks before 2026-11-22 it was 2007-04-08 */
    assert_int_equal(put_nmea("GPRMC,120000.00,A,,,,,,,080407,,,A"), 1);
    assert_int_equal(report.utc_s, NOON);
    assert_int_equal(receiver.rollovers, 1);
    /* and 1024 more before, 1987-08-23 */
    assert_int_equal(put_nmea("GPRMC,120000.00,A,,,,,,,230887,,,A"), 1);
    assert_int_equal(report.utc_s, NOON);
    assert_int_equal(receiver.rollovers, 2);
}

static void gnss_marks_the_leap_second_when_there_is_one(void **state)
{
    (void)state;
    assert_int_equal(put_nmea("GPZDA,235960.00,31,12,2026,00,00"), 1);
    assert_true(report.is_leap_second);
    assert_int_equal(put_nmea("GPZDA,000000.00,01,01,2027,00,00"), 1);
    assert_false(report.is_leap_second);
}

/* ---- UBX ------------------------------------------------------------------------------------- */

static void put_le(uint8_t *at, uint64_t value, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        at[i] = (uint8_t)(value >> (8 * i));
    }
}

static size_t make_ubx(uint8_t class, uint8_t id, const uint8_t *payload, size_t length,
                       uint8_t *frame)
{
    uint8_t a = 0;
    uint8_t b = 0;
    frame[0] = 0xB5;
    frame[1] = 0x62;
    frame[2] = class;
    frame[3] = id;
    put_le(frame + 4, length, 2);
    memcpy(frame + 6, payload, length);
    for (size_t i = 2; i < length + 6; i++) {
        a = (uint8_t)(a + frame[i]);
        b = (uint8_t)(b + a);
    }
    frame[length + 6] = a;
    frame[length + 7] = b;
    return length + 8;
}

/* 2026-11-22, a Sunday, 12:00:00 UTC: 43218 s of the GPS week. */
static size_t make_pvt(uint8_t *frame)
{
    uint8_t payload[92] = {0};
    put_le(payload, 43218000, 4);
    put_le(payload + 4, 2026, 2);
    payload[6] = 11;
    payload[7] = 22;
    payload[8] = 12;
    payload[11] = 0x37;
    put_le(payload + 12, 25, 4);
    put_le(payload + 16, (uint32_t)-1234, 4);
    payload[20] = 3;
    payload[21] = 1;
    payload[23] = 11;
    return make_ubx(0x01, 0x07, payload, sizeof payload, frame);
}

static void gnss_takes_time_fix_and_leap_count_when_ubx_nav_pvt_comes(void **state)
{
    uint8_t frame[100];
    (void)state;
    assert_int_equal(put(frame, make_pvt(frame)), 1);
    assert_true(report.has_time);
    assert_int_equal(report.utc_s, NOON);
    assert_true(report.has_accuracy);
    assert_int_equal(report.accuracy_ns, 25);
    assert_true(report.has_gps_utc);
    assert_int_equal(report.gps_utc_s, 18);
    assert_int_equal(receiver.fix, MT_GNSS_FIX_3D);
    assert_int_equal(receiver.satellites, 11);
    assert_int_equal(receiver.gps_utc_s, 18);
    assert_int_equal(receiver.protocols[MT_GNSS_UBX], 1);
}

static void gnss_has_no_time_when_ubx_is_not_sure_of_it(void **state)
{
    uint8_t frame[100];
    uint8_t again[100];
    (void)state;
    make_pvt(frame);
    frame[6 + 11] = 0x33; /* not fully resolved */
    assert_int_equal(put(again, make_ubx(1, 7, frame + 6, 92, again)), 1);
    assert_false(report.has_time);
    frame[6 + 11] = 0x37;
    frame[6 + 21] = 0; /* no fix within limits */
    assert_int_equal(put(again, make_ubx(1, 7, frame + 6, 92, again)), 1);
    assert_false(report.has_time);
    assert_int_equal(receiver.fix, MT_GNSS_FIX_NONE);
    assert_int_equal(count_of(MT_GNSS_VERDICT_NO_TIME), 1);
    assert_int_equal(count_of(MT_GNSS_VERDICT_NO_FIX), 1);
}

static void gnss_reads_nothing_beyond_a_frame_when_it_is_too_short_for_its_kind(void **state)
{
    static const uint8_t payload[92];
    uint8_t frame[100];
    (void)state;
    for (size_t length = 0; length < 84; length++) {
        begin(MT_GNSS_ANY);
        assert_int_equal(put(frame, make_ubx(0x01, 0x07, payload, length, frame)), 0);
        assert_int_equal(count_of(MT_GNSS_VERDICT_MALFORMED), 1);
    }
}

static size_t make_timels(uint8_t source, int8_t change, int32_t in_s, uint8_t *frame)
{
    uint8_t payload[24] = {0};
    payload[8] = source;
    payload[9] = 18;
    payload[10] = 2;
    payload[11] = (uint8_t)change;
    put_le(payload + 12, (uint32_t)in_s, 4);
    payload[23] = 3;
    return make_ubx(0x01, 0x26, payload, sizeof payload, frame);
}

static void gnss_knows_a_leap_second_when_ubx_nav_timels_tells_it(void **state)
{
    uint8_t frame[40];
    (void)state;
    assert_int_equal(put(frame, make_timels(2, 1, 3600, frame)), 1);
    assert_true(receiver.has_leap);
    assert_true(receiver.leap.is_known);
    assert_int_equal(receiver.leap.gps_utc_s, 18);
    assert_int_equal(receiver.leap.change_s, 1);
    assert_int_equal(receiver.leap.change_in_s, 3600);
    put(frame, make_timels(2, 1, -5, frame)); /* it is over */
    assert_int_equal(receiver.leap.change_s, 0);
    put(frame, make_timels(0, 0, 0, frame)); /* the firmware's own number */
    assert_false(receiver.leap.is_known);
}

static size_t make_tp(uint8_t flags, uint8_t reference, uint16_t week, int32_t error_ps,
                      uint8_t *frame)
{
    uint8_t payload[16] = {0};
    put_le(payload, 43219000, 4);
    put_le(payload + 8, (uint32_t)error_ps, 4);
    put_le(payload + 12, week, 2);
    payload[14] = flags;
    payload[15] = reference;
    return make_ubx(0x0D, 0x01, payload, sizeof payload, frame);
}

static void gnss_tells_of_the_next_pulse_when_ubx_tim_tp_comes(void **state)
{
    uint8_t frame[40];
    (void)state;
    /* 2446 weeks after 1980-01-06 it is 2026-11-22 */
    assert_int_equal(put(frame, make_tp(0, 0, 2446, -7321, frame)), 1);
    assert_true(report.has_pulse);
    assert_true(report.has_second);
    assert_int_equal(report.second.scale, MT_SCALE_TAI);
    assert_int_equal(report.second.s, NOON + 1 + 37);
    assert_true(report.has_quantisation);
    assert_int_equal(report.quantisation_ps, -7321);
    /* Galileo counts from week 1024 of GPS */
    assert_int_equal(put(frame, make_tp(0, 3, 2446 - 1024, 0, frame)), 1);
    assert_int_equal(report.second.s, NOON + 1 + 37);
    /* BeiDou from week 1356, and 14 s less */
    assert_int_equal(put(frame, make_tp(0, 2, 2446 - 1356, 0, frame)), 1);
    assert_int_equal(report.second.s, NOON + 1 + 37 + 14);
    assert_int_equal(put(frame, make_tp(3, 0, 2446, 0, frame)), 1);
    assert_int_equal(report.second.scale, MT_SCALE_UTC);
    assert_int_equal(report.second.s, NOON + 19);
    assert_int_equal(put(frame, make_tp(1, 0, 2446, 0, frame)), 1); /* UTC is not known yet */
    assert_false(report.has_second);
    assert_int_equal(put(frame, make_tp(0x10, 15, 2446, 5, frame)), 1);
    assert_false(report.has_second);
    assert_false(report.has_quantisation);
}

/* ---- damage ---------------------------------------------------------------------------------- */

static const char good_rmc[] = "$GNRMC,120000.00,A,4807.038,N,01131.000,E,0.0,,221126,,,A,V*11\r\n";

/* A sentence came when its first octet did, however many pieces it is read in. */
static void gnss_knows_when_a_sentence_began_when_it_comes_octet_by_octet(void **state)
{
    struct mt_stamp at = arrival;
    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        unsigned count = 0;
        int64_t begun_s = at.at.s;
        for (size_t k = 0; k < sizeof good_rmc - 1; k++, at.at.s++) {
            mt_gnss_receiver_rx(&receiver, (const uint8_t *)good_rmc + k, 1, &at);
            while (mt_gnss_receiver_next(&receiver, &report)) {
                count++;
            }
        }
        assert_int_equal(count, 1);
        assert_int_equal(report.arrival.at.s, begun_s);
    }
}

static void gnss_waits_when_a_sentence_is_cut_off(void **state)
{
    uint8_t frame[100];
    size_t length = make_pvt(frame);
    (void)state;
    for (size_t cut = 0; cut < length; cut++) {
        begin(MT_GNSS_ANY);
        assert_int_equal(put(frame, cut), 0);
        assert_int_equal(put(frame + cut, length - cut), 1);
        assert_int_equal(report.utc_s, NOON);
    }
    for (size_t cut = 0; cut < strlen(good_rmc) - 1; cut++) {
        begin(MT_GNSS_ANY);
        assert_int_equal(put(good_rmc, cut), cut == strlen(good_rmc) - 1);
        /* the rest never comes, the next one does */
        assert_int_equal(put_text(good_rmc), 1);
        assert_int_equal(report.utc_s, NOON);
    }
}

static void gnss_believes_no_sentence_when_any_bit_is_wrong(void **state)
{
    uint8_t frame[100];
    char line[sizeof good_rmc];
    size_t length = make_pvt(frame);
    (void)state;
    for (size_t bit = 0; bit < 8 * length; bit++) {
        begin(MT_GNSS_ANY);
        make_pvt(frame);
        frame[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_int_equal(put(frame, length), 0);
    }
    for (size_t bit = 0; bit < 8 * (strlen(good_rmc) - 2); bit++) {
        begin(MT_GNSS_ANY);
        memcpy(line, good_rmc, sizeof line);
        line[bit / 8] = (char)(line[bit / 8] ^ (1 << bit % 8));
        bool is_case_of_sum = bit / 8 >= strlen(good_rmc) - 4; /* hexadecimal a is A */
        assert_true(put(line, strlen(good_rmc)) == 0 || is_case_of_sum);
    }
}

/* A receiver that speaks after `length` octets of noise, of which any may look like a beginning,
 * is understood at once, or after no more than a frame could be long. */
static void gnss_finds_the_next_sentence_when_there_was_noise(void **state)
{
    struct mt_prng prng;
    uint8_t noise[3000];
    (void)state;
    mt_prng_init(&prng, 7);
    for (unsigned round = 0; round < 200; round++) {
        begin(MT_GNSS_ANY);
        for (size_t i = 0; i < sizeof noise; i++) {
            noise[i] = (uint8_t)mt_prng_next_u32(&prng);
        }
        assert_int_equal(put(noise, sizeof noise), 0);
        unsigned found = 0;
        unsigned tries = 0;
        while (found == 0) {
            found = put_text(good_rmc);
            tries++;
        }
        assert_true(tries <= 1 + MT_GNSS_FRAME_MAX / (sizeof good_rmc - 1) + 1);
        assert_true(count_of(MT_GNSS_VERDICT_GARBAGE) > 0);
    }
}

static void gnss_keeps_the_right_frame_when_a_false_one_begins_before_it(void **state)
{
    static const uint8_t false_start[] = {0xB5, 0x62, 0x01, 0x07, 92, 0};
    uint8_t frame[100];
    size_t length = make_pvt(frame);
    (void)state;
    assert_int_equal(put(false_start, sizeof false_start), 0);
    assert_int_equal(put(frame, length), 1);
    assert_int_equal(report.utc_s, NOON);
    assert_int_equal(count_of(MT_GNSS_VERDICT_CHECKSUM), 1);
}

static void gnss_refuses_a_frame_when_it_is_longer_than_any_of_use(void **state)
{
    static const uint8_t header[] = {0xB5, 0x62, 0x02, 0x15, 0xFF, 0xFF};
    (void)state;
    put(header, sizeof header);
    assert_int_equal(count_of(MT_GNSS_VERDICT_TOO_LONG), 1);
    assert_int_equal(put_text(good_rmc), 1);
}

/* ---- others ---------------------------------------------------------------------------------- */

static void gnss_remembers_nothing_when_the_line_is_opened_anew(void **state)
{
    (void)state;
    put_nmea("GPGSA,A,3,04,05,,09,12,,,24,,,,,2.5,1.3,2.1");
    put_text("$GNRMC,1200");
    mt_gnss_receiver_reset(&receiver);
    assert_int_equal(receiver.fix, MT_GNSS_FIX_UNKNOWN);
    assert_int_equal(count_of(MT_GNSS_VERDICT_USED), 1);
    assert_int_equal(put_text(good_rmc), 1);
    assert_int_equal(count_of(MT_GNSS_VERDICT_GARBAGE), 0);
}

static void gnss_knows_every_day_when_it_reckons(void **state)
{
    int64_t before;
    (void)state;
    assert_true(mt_gnss_seconds_of(&(struct mt_gnss_date){1970, 1, 1, 0, 0, 0}, &before));
    assert_int_equal(before, 0);
    for (int32_t year = 1970; year < 2110; year++) {
        for (uint8_t month = 1; month <= 12; month++) {
            for (uint8_t day = 1; day <= 31; day++) {
                int64_t s;
                struct mt_gnss_date date = {year, month, day, 0, 0, 0};
                if (mt_gnss_seconds_of(&date, &s) && s != 0) {
                    assert_int_equal(s - before, 86400);
                    before = s;
                }
            }
        }
    }
    assert_int_equal(before, INT64_C(4417891200)); /* 2109-12-31 */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(gnss_takes_a_time_when_rmc_has_a_fix, set_up),
        cmocka_unit_test_setup(gnss_takes_a_time_when_zda_tells_it, set_up),
        cmocka_unit_test_setup(gnss_takes_any_satellite_talker_when_it_speaks, set_up),
        cmocka_unit_test_setup(gnss_says_nothing_of_the_second_when_the_time_has_a_fraction,
                               set_up),
        cmocka_unit_test_setup(gnss_loses_the_fix_when_a_sentence_says_so, set_up),
        cmocka_unit_test_setup(gnss_has_no_fix_when_a_time_comes_without_one, set_up),
        cmocka_unit_test_setup(gnss_counts_what_it_ignores_when_it_is_no_time, set_up),
        cmocka_unit_test_setup(gnss_adds_1024_weeks_when_a_date_is_long_past, set_up),
        cmocka_unit_test_setup(gnss_marks_the_leap_second_when_there_is_one, set_up),
        cmocka_unit_test_setup(gnss_takes_time_fix_and_leap_count_when_ubx_nav_pvt_comes, set_up),
        cmocka_unit_test_setup(gnss_has_no_time_when_ubx_is_not_sure_of_it, set_up),
        cmocka_unit_test_setup(gnss_reads_nothing_beyond_a_frame_when_it_is_too_short_for_its_kind,
                               set_up),
        cmocka_unit_test_setup(gnss_knows_a_leap_second_when_ubx_nav_timels_tells_it, set_up),
        cmocka_unit_test_setup(gnss_tells_of_the_next_pulse_when_ubx_tim_tp_comes, set_up),
        cmocka_unit_test_setup(gnss_knows_when_a_sentence_began_when_it_comes_octet_by_octet,
                               set_up),
        cmocka_unit_test_setup(gnss_waits_when_a_sentence_is_cut_off, set_up),
        cmocka_unit_test_setup(gnss_believes_no_sentence_when_any_bit_is_wrong, set_up),
        cmocka_unit_test_setup(gnss_finds_the_next_sentence_when_there_was_noise, set_up),
        cmocka_unit_test_setup(gnss_keeps_the_right_frame_when_a_false_one_begins_before_it,
                               set_up),
        cmocka_unit_test_setup(gnss_refuses_a_frame_when_it_is_longer_than_any_of_use, set_up),
        cmocka_unit_test_setup(gnss_remembers_nothing_when_the_line_is_opened_anew, set_up),
        cmocka_unit_test_setup(gnss_knows_every_day_when_it_reckons, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
