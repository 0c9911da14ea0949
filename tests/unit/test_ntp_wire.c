/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The NTP codec: the header with a vector, what follows it in each combination, every truncation,
 * every flipped bit, and times across eras.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "meantime/ntp_wire.h"

/* A server's answer: RFC 5905 figure 8, each field another value. */
static const uint8_t answer[] = {
    0x24, 0x02, 0x06, 0xE9, /* no leap, version 4, server; poll 6; 2^-23 s */
    0x00, 0x01, 0x80, 0x00, 0x00, 0x00, 0x00, 0x41, /* 1.5 s, 65 units */
    0xC0, 0x00, 0x02, 0x01,                         /* 192.0.2.1 */
    0xEA, 0x00, 0x00, 0x01, 0x80, 0x00, 0x00, 0x00, /* reference */
    0xEA, 0x00, 0x00, 0x02, 0x40, 0x00, 0x00, 0x00, /* origin */
    0xEA, 0x00, 0x00, 0x03, 0x20, 0x00, 0x00, 0x00, /* receive */
    0xEA, 0x00, 0x00, 0x04, 0x10, 0x00, 0x00, 0x01, /* transmit */
};
_Static_assert(sizeof answer == MT_NTP_HEADER_SIZE, "a header");

static void ntp_wire_reads_each_field_when_packet_is_a_header(void **state)
{
    struct mt_ntp_packet packet;
    const struct mt_ntp_header *header = &packet.header;
    (void)state;
    assert_int_equal(mt_ntp_parse(answer, sizeof answer, &packet), MT_NTP_WELL_FORMED);
    assert_int_equal(header->leap, MT_NTP_LEAP_NONE);
    assert_int_equal(header->version, 4);
    assert_int_equal(header->mode, MT_NTP_MODE_SERVER);
    assert_int_equal(header->stratum, 2);
    assert_int_equal(header->poll, 6);
    assert_int_equal(header->precision, -23);
    assert_int_equal(header->root_delay, 0x18000);
    assert_int_equal(header->root_dispersion, 65);
    assert_memory_equal(header->reference_id, "\xC0\x00\x02\x01", 4);
    assert_int_equal(header->reference, UINT64_C(0xEA00000180000000));
    assert_int_equal(header->origin, UINT64_C(0xEA00000240000000));
    assert_int_equal(header->receive, UINT64_C(0xEA00000320000000));
    assert_int_equal(header->transmit, UINT64_C(0xEA00000410000001));
    assert_null(packet.mac);
    assert_int_equal(packet.extensions_length, 0);
}

static void ntp_wire_writes_what_it_has_read_when_any_bit_is_flipped(void **state)
{
    (void)state;
    for (unsigned bit = 0; bit < 8 * sizeof answer; bit++) {
        uint8_t flipped[sizeof answer];
        uint8_t again[sizeof answer];
        struct mt_ntp_packet packet;
        memcpy(flipped, answer, sizeof answer);
        flipped[bit / 8] ^= (uint8_t)(1u << bit % 8);
        unsigned version = flipped[0] >> 3 & 7;
        if (version < 1 || version > 4 || (flipped[0] & 7) >= 6) {
            assert_int_equal(mt_ntp_parse(flipped, sizeof flipped, &packet), MT_NTP_VERSIONED);
            continue;
        }
        assert_int_equal(mt_ntp_parse(flipped, sizeof flipped, &packet), MT_NTP_WELL_FORMED);
        mt_ntp_write(&packet.header, again);
        assert_memory_equal(again, flipped, sizeof again);
    }
}

static void ntp_wire_refuses_it_when_packet_is_truncated(void **state)
{
    struct mt_ntp_packet packet;
    (void)state;
    for (size_t length = 0; length < sizeof answer; length++) {
        assert_int_equal(mt_ntp_parse(answer, length, &packet), MT_NTP_SHORT);
    }
}

/* ---- behind the header ----------------------------------------------------------------------- */

/* A packet of a version with `count` octets of field 0x0104, then a code of `mac` octets. */
static size_t make(uint8_t *packet, unsigned version, size_t field, size_t mac)
{
    memcpy(packet, answer, sizeof answer);
    packet[0] = (uint8_t)(version << 3 | MT_NTP_MODE_CLIENT);
    if (field > 0) {
        memset(packet + sizeof answer, 0xAB, field);
        assert_int_equal(mt_ntp_extension_write(MT_NTP_EXT_UNIQUE_IDENTIFIER, NULL, 0, field,
                                                packet + sizeof answer, field),
                         field);
    }
    memset(packet + sizeof answer + field, 1, mac);
    return sizeof answer + field + mac;
}

static void ntp_wire_splits_it_when_fields_and_code_follow(void **state)
{
    static const struct {
        unsigned version;
        size_t field, mac;
    } cases[] = {{4, 0, 20}, {4, 0, 24}, {4, 28, 0}, {4, 36, 20}, {4, 16, 24},
                 {3, 0, 20}, {3, 0, 68}, {1, 0, 12}, {4, 1424, 0}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t octets[MT_NTP_PACKET_MAX];
        struct mt_ntp_packet packet;
        size_t length = make(octets, cases[i].version, cases[i].field, cases[i].mac);
        assert_int_equal(mt_ntp_parse(octets, length, &packet), MT_NTP_WELL_FORMED);
        assert_int_equal(packet.extensions_length, cases[i].field);
        assert_ptr_equal(packet.extensions, octets + sizeof answer);
        assert_int_equal(packet.mac_length, cases[i].mac);
        if (cases[i].mac > 0) {
            assert_ptr_equal(packet.mac, octets + length - cases[i].mac);
        }
    }
}

static void ntp_wire_tells_a_refused_code_when_it_is_four_zeros(void **state)
{
    uint8_t octets[MT_NTP_PACKET_MAX];
    struct mt_ntp_packet packet;
    size_t length = make(octets, 4, 0, 4);
    (void)state;
    assert_int_equal(mt_ntp_parse(octets, length, &packet), MT_NTP_EXTENSION);
    memset(octets + sizeof answer, 0, 4);
    assert_int_equal(mt_ntp_parse(octets, length, &packet), MT_NTP_WELL_FORMED);
    assert_int_equal(packet.mac_length, 4);
}

static void ntp_wire_refuses_it_when_a_field_has_a_wrong_length(void **state)
{
    static const uint16_t lengths[] = {0, 3, 4, 12, 15, 17, 30, 36, 64, 0xFFFC, 0xFFFF};
    (void)state;
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        uint8_t octets[MT_NTP_PACKET_MAX];
        struct mt_ntp_packet packet;
        size_t length = make(octets, 4, 32, 0);
        octets[sizeof answer + 2] = (uint8_t)(lengths[i] >> 8);
        octets[sizeof answer + 3] = (uint8_t)lengths[i];
        assert_int_equal(mt_ntp_parse(octets, length, &packet), MT_NTP_EXTENSION);
    }
}

/* At every length of the packet either all fields are whole or it is refused. */
static void ntp_wire_keeps_its_bounds_when_fields_are_cut(void **state)
{
    uint8_t octets[MT_NTP_PACKET_MAX];
    size_t whole = make(octets, 4, 48, 0);
    (void)state;
    whole += mt_ntp_extension_write(MT_NTP_EXT_NTS_COOKIE, NULL, 0, 100, octets + whole,
                                    sizeof octets - whole);
    for (size_t length = sizeof answer; length <= whole; length++) {
        struct mt_ntp_packet packet;
        struct mt_ntp_extension field;
        if (mt_ntp_parse(octets, length, &packet) != MT_NTP_WELL_FORMED) {
            continue;
        }
        const uint8_t *at = packet.extensions;
        size_t left = packet.extensions_length;
        while (mt_ntp_extension_next(&at, &left, &field)) {
            assert_true(field.value + field.length <= octets + length);
        }
        assert_int_equal(left, 0);
    }
}

static void ntp_wire_walks_over_fields_when_there_are_several(void **state)
{
    uint8_t octets[128];
    struct mt_ntp_extension field;
    const uint8_t *at = octets;
    (void)state;
    assert_int_equal(mt_ntp_extension_size(1, 16), 16);
    assert_int_equal(mt_ntp_extension_size(13, 16), 20);
    assert_int_equal(mt_ntp_extension_size(32, 28), 36);
    size_t length = mt_ntp_extension_write(0x0104, (const uint8_t *)"abcde", 5, 16, octets, 128);
    length += mt_ntp_extension_write(0x0204, NULL, 0, 28, octets + length, 128 - length);
    assert_int_equal(length, 44);
    assert_true(mt_ntp_extension_next(&at, &length, &field));
    assert_int_equal(field.type, 0x0104);
    assert_int_equal(field.length, 12);
    assert_memory_equal(field.value, "abcde\0\0\0\0\0\0\0", 12);
    assert_true(mt_ntp_extension_next(&at, &length, &field));
    assert_int_equal(field.type, 0x0204);
    assert_false(mt_ntp_extension_next(&at, &length, &field));
}

static void ntp_wire_writes_no_field_when_it_would_not_be_one(void **state)
{
    uint8_t octets[64] = {0};
    (void)state;
    assert_int_equal(mt_ntp_extension_write(1, octets, 32, 32, octets, 64), 0); /* too long */
    assert_int_equal(mt_ntp_extension_write(1, NULL, 0, 12, octets, 64), 0);    /* too short */
    assert_int_equal(mt_ntp_extension_write(1, NULL, 0, 18, octets, 64), 0);    /* not by four */
    assert_int_equal(mt_ntp_extension_write(1, NULL, 0, 32, octets, 31), 0);    /* no room */
}

/* ---- time ------------------------------------------------------------------------------------ */

static void ntp_wire_knows_the_era_when_a_time_is_near(void **state)
{
    const struct mt_instant first = {.s = -INT64_C(2208988800), .scale = MT_SCALE_UTC};
    const struct mt_instant today = {.s = 1800000000, .scale = MT_SCALE_UTC};
    const struct mt_instant after_2036 = {.s = INT64_C(2085978497), .scale = MT_SCALE_UTC};
    (void)state;
    assert_int_equal(mt_ntp_to_instant(UINT64_C(1) << 32, &first).s, first.s + 1);
    assert_int_equal(mt_ntp_to_instant(UINT64_C(2208988800) << 32, &today).s, 0);
    assert_int_equal(mt_ntp_to_instant(0, &today).s, INT64_C(2085978496)); /* 2036-02-07 */
    assert_int_equal(mt_ntp_to_instant(UINT64_C(0xFFFFFFFF) << 32, &after_2036).s,
                     INT64_C(2085978495));
    assert_int_equal(mt_ntp_to_instant(5, &today).scale, MT_SCALE_UTC);
}

static void ntp_wire_rounds_to_the_nearest_when_times_are_turned(void **state)
{
    const struct mt_instant instants[] = {
        {.s = 1800000000, .ns = 999999999, .frac = 65535, .scale = MT_SCALE_UTC},
        {.s = 1800000000, .ns = 0, .frac = 0, .scale = MT_SCALE_UTC},
        {.s = 1800000000, .ns = 123456789, .frac = 12345, .scale = MT_SCALE_UTC},
        {.s = 2085978496, .ns = 1, .frac = 0, .scale = MT_SCALE_UTC},
    };
    (void)state;
    for (size_t i = 0; i < sizeof instants / sizeof instants[0]; i++) {
        mt_ntp_time time = mt_ntp_from_instant(&instants[i]);
        struct mt_instant back = mt_ntp_to_instant(time, &instants[i]);
        struct mt_span error = mt_instant_minus(back, instants[i]);
        int64_t error_q16 = mt_span_to_interval(error).q16;
        assert_true(error_q16 <= 7630 && error_q16 >= -7631); /* half of 2^-32 s */
    }
    const struct mt_instant nothing = {.s = 2085978496, .scale = MT_SCALE_UTC};
    assert_int_equal(mt_ntp_from_instant(&nothing), 1); /* 0 means that there is none */
}

static void ntp_wire_turns_short_times_when_they_are_intervals(void **state)
{
    (void)state;
    assert_int_equal(mt_ntp_short_to_interval(0x10000).q16, INT64_C(65536000000000));
    assert_int_equal(mt_ntp_short_from_interval(mt_interval_from_ns(1000000000)), 0x10000);
    assert_int_equal(mt_ntp_short_from_interval(mt_interval_from_ns(1)), 1); /* upwards */
    assert_int_equal(mt_ntp_short_from_interval(mt_interval_from_ns(-1)), 0);
    assert_int_equal(mt_ntp_short_from_interval(MT_INTERVAL_TOO_LARGE), UINT32_MAX);
    assert_int_equal(mt_ntp_short_from_interval(mt_ntp_short_to_interval(UINT32_MAX)), UINT32_MAX);
}

static void ntp_wire_knows_a_server_that_follows_nothing(void **state)
{
    static const struct {
        uint8_t stratum;
        uint8_t id[4];
        bool is_own_clock;
    } cases[] = {
        {10, {127, 127, 1, 1}, true}, /* chronyd's and ours */
        {1, {127, 127, 1, 1}, true},     {4, {127, 127, 1, 0}, true},
        {1, {'L', 'O', 'C', 'L'}, true}, {6, {127, 0, 0, 1}, true},        /* an orphan */
        {3, {127, 127, 20, 0}, false},                                     /* a receiver */
        {1, {'G', 'P', 'S', 0}, false},  {2, {'L', 'O', 'C', 'L'}, false}, /* 76.79.67.76 */
        {2, {10, 0, 0, 1}, false},       {2, {128, 127, 1, 1}, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct mt_ntp_header header = {.stratum = cases[i].stratum};
        memcpy(header.reference_id, cases[i].id, sizeof header.reference_id);
        assert_int_equal(mt_ntp_is_own_clock(&header), cases[i].is_own_clock);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ntp_wire_knows_a_server_that_follows_nothing),
        cmocka_unit_test(ntp_wire_reads_each_field_when_packet_is_a_header),
        cmocka_unit_test(ntp_wire_writes_what_it_has_read_when_any_bit_is_flipped),
        cmocka_unit_test(ntp_wire_refuses_it_when_packet_is_truncated),
        cmocka_unit_test(ntp_wire_splits_it_when_fields_and_code_follow),
        cmocka_unit_test(ntp_wire_tells_a_refused_code_when_it_is_four_zeros),
        cmocka_unit_test(ntp_wire_refuses_it_when_a_field_has_a_wrong_length),
        cmocka_unit_test(ntp_wire_keeps_its_bounds_when_fields_are_cut),
        cmocka_unit_test(ntp_wire_walks_over_fields_when_there_are_several),
        cmocka_unit_test(ntp_wire_writes_no_field_when_it_would_not_be_one),
        cmocka_unit_test(ntp_wire_knows_the_era_when_a_time_is_near),
        cmocka_unit_test(ntp_wire_rounds_to_the_nearest_when_times_are_turned),
        cmocka_unit_test(ntp_wire_turns_short_times_when_they_are_intervals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
