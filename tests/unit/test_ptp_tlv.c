/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * TLVs: the iterator and its bounds, and each decoder of a TLV of the standard with a vector by
 * clause, with every shorter value and with every other type.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tlv_views.h"

static void ptp_tlv_steps_over_each_when_sequence_is_whole(void **state)
{
    static const uint8_t octets[] = {0, 1, 0, 2, 0xAA, 0xBB, 0x80, 8, 0, 0, 0xFF, 0xFF, 0, 0};
    const uint8_t *at = octets;
    size_t length = sizeof octets;
    struct mt_tlv tlv;

    (void)state;
    assert_true(mt_tlv_is_valid(octets, sizeof octets));
    assert_true(mt_tlv_next(&at, &length, &tlv));
    assert_int_equal(tlv.type, MT_TLV_MANAGEMENT);
    assert_int_equal(tlv.length, 2);
    assert_ptr_equal(tlv.value, octets + 4);
    assert_true(mt_tlv_next(&at, &length, &tlv));
    assert_int_equal(tlv.type, MT_TLV_PAD);
    assert_int_equal(tlv.length, 0);
    assert_true(mt_tlv_next(&at, &length, &tlv));
    assert_int_equal(tlv.type, 0xFFFF);
    assert_false(mt_tlv_next(&at, &length, &tlv));
    assert_int_equal(length, 0);
    assert_int_equal(tlv.type, 0xFFFF);
}

static void ptp_tlv_stops_when_the_next_does_not_fit(void **state)
{
    static const uint8_t octets[] = {0, 1, 0, 0, 0, 2, 0, 4, 1, 2};
    const uint8_t *at = octets;
    size_t length = sizeof octets;
    struct mt_tlv tlv;

    (void)state;
    assert_false(mt_tlv_is_valid(octets, sizeof octets));
    assert_true(mt_tlv_next(&at, &length, &tlv));
    for (int i = 0; i < 3; i++) { /* for good, and without moving */
        assert_false(mt_tlv_next(&at, &length, &tlv));
        assert_ptr_equal(at, octets + 4);
        assert_int_equal(length, 6);
    }
    assert_false(mt_tlv_is_valid((const uint8_t[]){0, 1, 0}, 3));
    assert_false(mt_tlv_is_valid((const uint8_t[]){0, 1, 0, 1, 0}, 5));
    assert_true(mt_tlv_is_valid(NULL, 0));
}

static void ptp_tlv_finds_the_first_when_there_are_two(void **state)
{
    static const uint8_t octets[] = {0, 8, 0, 0, 0, 1, 0, 2, 5, 6, 0, 1, 0, 0};
    struct mt_tlv tlv = {0};

    (void)state;
    assert_true(mt_tlv_find(octets, sizeof octets, MT_TLV_MANAGEMENT, &tlv));
    assert_ptr_equal(tlv.value, octets + 8);
    assert_int_equal(tlv.length, 2);
    assert_false(mt_tlv_find(octets, sizeof octets, MT_TLV_L1_SYNC, &tlv));
    assert_ptr_equal(tlv.value, octets + 8);
    assert_false(mt_tlv_find(NULL, 0, MT_TLV_MANAGEMENT, &tlv));
}

static void ptp_tlv_pads_when_written_value_is_odd(void **state)
{
    static const uint8_t expected[] = {0x80, 8, 0, 4, 1, 2, 3, 0};
    static uint8_t large[70000];
    uint8_t buffer[9] = {[8] = 0xA5};

    (void)state;
    assert_int_equal(mt_tlv_write(MT_TLV_PAD, (const uint8_t[]){1, 2, 3}, 3, buffer, 8), 8);
    assert_memory_equal(buffer, expected, 8);
    assert_int_equal(buffer[8], 0xA5);
    assert_int_equal(mt_tlv_write(MT_TLV_PAD, (const uint8_t[]){1, 2, 3}, 3, buffer, 7), 0);
    assert_int_equal(mt_tlv_write(MT_TLV_PAD, NULL, 0, buffer, 4), 4);
    assert_int_equal(mt_tlv_write(MT_TLV_PAD, large, 65535, large, sizeof large), 0);
    large[65537] = 0x77;
    assert_int_equal(mt_tlv_write(MT_TLV_PAD, large + 4, 65534, large, sizeof large), 65538);
    assert_true(mt_tlv_is_valid(large, 65538));
    assert_int_equal(large[65537], 0x77);
    assert_int_equal(mt_tlv_write(MT_TLV_PAD, large + 4, 65533, large, sizeof large), 65538);
    assert_int_equal(large[65537], 0);
}

static void ptp_tlv_is_propagated_when_type_is_in_the_middle_range(void **state)
{
    (void)state;
    for (uint32_t type = 0; type <= UINT16_MAX; type++) {
        assert_int_equal(mt_tlv_is_propagated((uint16_t)type), type >= 0x4000 && type < 0x8000);
    }
}

static void ptp_tlv_gives_identities_when_it_is_a_path_trace(void **state)
{
    uint8_t value[24] = {0};
    struct mt_tlv tlv = view(MT_TLV_PATH_TRACE, value, sizeof value);

    (void)state;
    for (uint8_t i = 0; i < sizeof value; i++) {
        value[i] = i;
    }
    assert_int_equal(mt_tlv_path_count(&tlv), 3);
    for (size_t i = 0; i < 3; i++) {
        struct mt_clock_identity clock = *mt_tlv_path_at(&tlv, i);

        assert_memory_equal(clock.octet, value + 8 * i, 8);
    }
    tlv.length = 22; /* no whole number of identities: no path */
    assert_int_equal(mt_tlv_path_count(&tlv), 0);
    tlv.length = 0;
    assert_int_equal(mt_tlv_path_count(&tlv), 0);
    tlv = view(MT_TLV_PAD, value, sizeof value);
    assert_int_equal(mt_tlv_path_count(&tlv), 0);
}

static bool decode_alternate(const struct mt_tlv *tlv)
{
    struct mt_tlv_alternate_time_offset value;

    return mt_tlv_parse_alternate_time_offset(tlv, &value);
}

static void ptp_tlv_decodes_when_it_is_an_alternate_time_offset(void **state)
{
    static const uint16_t type[] = {MT_TLV_ALTERNATE_TIME_OFFSET_INDICATOR};
    uint8_t octets[28] = {2, 0xFF, 0xFF, 0xB9, 0xB0, 0, 0,   0x0E, 0x10, 0,
                          0, 0x65, 0x53, 0xF1, 0,    3, 'E', 'S',  'T',  0};
    struct mt_tlv tlv = view(type[0], octets, 20);
    struct mt_tlv_alternate_time_offset value;

    (void)state;
    assert_true(mt_tlv_parse_alternate_time_offset(&tlv, &value));
    assert_int_equal(value.key, 2);
    assert_int_equal(value.current_offset_s, -18000);
    assert_int_equal(value.jump_seconds, 3600);
    assert_true(value.time_of_next_jump_s == 1700000000);
    assert_int_equal(value.name_length, 3);
    assert_memory_equal(value.name, "EST", 3);
    assert_takes(decode_alternate, type, 1, octets, 20, 19);
    tlv.length = 28;
    octets[15] = 10;
    assert_true(mt_tlv_parse_alternate_time_offset(&tlv, &value));
    octets[15] = 11; /* longer than a name may be, though there is room */
    assert_false(mt_tlv_parse_alternate_time_offset(&tlv, &value));
}

static bool decode_metrics(const struct mt_tlv *tlv)
{
    struct mt_tlv_accuracy_metrics value;

    return mt_tlv_parse_accuracy_metrics(tlv, &value);
}

static void ptp_tlv_decodes_when_it_is_accuracy_metrics(void **state)
{
    static const uint16_t type[] = {MT_TLV_ENHANCED_ACCURACY_METRICS};
    uint8_t octets[88] = {0x40, 0x01, 0, 84, 3, 2};
    struct mt_tlv tlv = view(type[0], octets + 4, 84);
    struct mt_tlv_accuracy_metrics value;
    uint8_t written[88];

    (void)state;
    for (uint8_t i = 0; i < 10; i++) { /* field i is i * 2^56 + i + 1, the sixth negative */
        octets[8 + 8 * i] = i == 6 ? 0x80 : i;
        octets[15 + 8 * i] = (uint8_t)(i + 1);
    }
    assert_true(mt_tlv_parse_accuracy_metrics(&tlv, &value));
    assert_int_equal(value.boundary_hops, 3);
    assert_int_equal(value.transparent_hops, 2);
    assert_true(value.max_gm.q16 == 1);
    assert_true(value.var_gm == (UINT64_C(1) << 56) + 2);
    assert_true(value.max_transient.q16 == (INT64_C(2) << 56) + 3);
    assert_true(value.var_transient == (UINT64_C(3) << 56) + 4);
    assert_true(value.max_dynamic.q16 == (INT64_C(4) << 56) + 5);
    assert_true(value.var_dynamic == (UINT64_C(5) << 56) + 6);
    assert_true(value.max_static_instance.q16 == INT64_MIN + 7);
    assert_true(value.var_static_instance == (UINT64_C(7) << 56) + 8);
    assert_true(value.max_static_medium.q16 == (INT64_C(8) << 56) + 9);
    assert_true(value.var_static_medium == (UINT64_C(9) << 56) + 10);
    memset(written, 0xEE, sizeof written);
    assert_int_equal(mt_tlv_write_accuracy_metrics(&value, written, sizeof written), 88);
    assert_memory_equal(written, octets, sizeof octets);
    assert_int_equal(mt_tlv_write_accuracy_metrics(&value, written, 87), 0);
    assert_takes(decode_metrics, type, 1, octets + 4, 84, 84);
}

static bool decode_management(const struct mt_tlv *tlv)
{
    struct mt_tlv_management value;

    return mt_tlv_parse_management(tlv, &value);
}

static void ptp_tlv_decodes_when_it_is_management(void **state)
{
    static const uint16_t types[] = {MT_TLV_MANAGEMENT, MT_TLV_MANAGEMENT_ERROR_STATUS};
    static const uint8_t octets[] = {0, 2, 0x20, 0, 0, 0, 0, 0, 3, 'n', 'o', '!'};
    struct mt_tlv tlv = view(MT_TLV_MANAGEMENT, octets + 2, 10);
    struct mt_tlv_management value;

    (void)state;
    assert_true(mt_tlv_parse_management(&tlv, &value));
    assert_int_equal(value.id, 0x2000);
    assert_int_equal(value.error, 0);
    assert_ptr_equal(value.data, octets + 4);
    assert_int_equal(value.length, 8);
    tlv = view(MT_TLV_MANAGEMENT_ERROR_STATUS, octets, sizeof octets);
    assert_true(mt_tlv_parse_management(&tlv, &value));
    assert_int_equal(value.id, 0x2000);
    assert_int_equal(value.error, 2);
    assert_ptr_equal(value.data, octets + 8);
    assert_int_equal(value.length, 4);
    assert_takes(decode_management, types, 2, octets, sizeof octets, 2);
    tlv.length = 7;
    assert_false(mt_tlv_parse_management(&tlv, &value));
    tlv.length = 8;
    assert_true(mt_tlv_parse_management(&tlv, &value));
}

static bool decode_unicast(const struct mt_tlv *tlv)
{
    struct mt_tlv_unicast value;

    return mt_tlv_parse_unicast(tlv, &value);
}

static void ptp_tlv_decodes_when_it_is_unicast_negotiation(void **state)
{
    static const uint16_t types[] = {4, 5, 6, 7};
    static const uint8_t octets[] = {0xB3, 0xFC, 0, 0, 1, 0x2C, 0, 0xFF};
    struct mt_tlv tlv = view(MT_TLV_REQUEST_UNICAST_TRANSMISSION, octets, 6);
    struct mt_tlv_unicast value;

    (void)state;
    assert_true(mt_tlv_parse_unicast(&tlv, &value));
    assert_int_equal(value.message, MT_PTP_ANNOUNCE);
    assert_int_equal(value.log_interval, -4);
    assert_int_equal(value.duration_s, 300);
    assert_int_equal(value.flags, 0);
    tlv = view(MT_TLV_GRANT_UNICAST_TRANSMISSION, octets, 8);
    assert_true(mt_tlv_parse_unicast(&tlv, &value));
    assert_int_equal(value.message, MT_PTP_ANNOUNCE);
    assert_int_equal(value.log_interval, -4);
    assert_int_equal(value.duration_s, 300);
    assert_int_equal(value.flags, 1); /* the renewal bit, not its reserved neighbours */
    tlv = view(MT_TLV_CANCEL_UNICAST_TRANSMISSION, octets, 2);
    assert_true(mt_tlv_parse_unicast(&tlv, &value));
    assert_int_equal(value.message, MT_PTP_ANNOUNCE);
    assert_int_equal(value.log_interval, MT_PTP_LOG_INTERVAL_NONE);
    assert_int_equal(value.duration_s, 0);
    assert_int_equal(value.flags, 3);
    assert_takes(decode_unicast, types, 4, octets, 8, 6);
    assert_takes(decode_unicast, (const uint16_t[]){5, 4, 6, 7}, 4, octets, 8, 8);
    assert_takes(decode_unicast, (const uint16_t[]){7, 4, 5, 6}, 4, octets, 8, 2);
}

static bool decode_l1_sync(const struct mt_tlv *tlv)
{
    uint16_t flags;

    return mt_tlv_parse_l1_sync(tlv, &flags);
}

static bool decode_rate_ratio(const struct mt_tlv *tlv)
{
    int32_t scaled;

    return mt_tlv_parse_cumulative_rate_ratio(tlv, &scaled);
}

static void ptp_tlv_decodes_when_it_is_l1_sync_or_rate_ratio(void **state)
{
    static const uint16_t l1_type[] = {MT_TLV_L1_SYNC};
    static const uint16_t ratio_type[] = {MT_TLV_CUMULATIVE_RATE_RATIO};
    static const uint8_t octets[] = {0xFF, 0xFE, 0xFD, 0xFC};
    struct mt_tlv tlv = view(MT_TLV_L1_SYNC, octets, 2);
    uint16_t flags;
    int32_t scaled;

    (void)state;
    assert_true(mt_tlv_parse_l1_sync(&tlv, &flags));
    assert_int_equal(flags, 0xFFFE);
    assert_takes(decode_l1_sync, l1_type, 1, octets, 4, 2);
    tlv = view(MT_TLV_CUMULATIVE_RATE_RATIO, octets, 4);
    assert_true(mt_tlv_parse_cumulative_rate_ratio(&tlv, &scaled));
    assert_int_equal(scaled, -66052);
    assert_takes(decode_rate_ratio, ratio_type, 1, octets, 4, 4);
}

static bool decode_authentication(const struct mt_tlv *tlv)
{
    struct mt_tlv_authentication value;

    return mt_tlv_parse_authentication(tlv, &value);
}

static void ptp_tlv_decodes_when_it_is_authentication(void **state)
{
    static const uint16_t type[] = {MT_TLV_AUTHENTICATION};
    static const uint8_t octets[] = {7, 0x80, 1, 2, 3, 4, 0xAA, 0xBB};
    struct mt_tlv tlv = view(type[0], octets, sizeof octets);
    struct mt_tlv_authentication value;

    (void)state;
    assert_true(mt_tlv_parse_authentication(&tlv, &value));
    assert_int_equal(value.spp, 7);
    assert_int_equal(value.flags, 0x80);
    assert_int_equal(value.key_id, 0x01020304);
    assert_ptr_equal(value.rest, octets + 6);
    assert_int_equal(value.rest_length, 2);
    assert_takes(decode_authentication, type, 1, octets, sizeof octets, 6);
}

static bool decode_address(const struct mt_tlv *tlv)
{
    struct mt_tlv_port_address value;

    return mt_tlv_parse_protocol_address(tlv, &value);
}

static void ptp_tlv_decodes_when_it_is_a_protocol_address(void **state)
{
    static const uint16_t type[] = {MT_TLV_PROTOCOL_ADDRESS};
    static const uint8_t octets[] = {0, 1, 0, 4, 192, 0, 2, 1};
    struct mt_tlv tlv = view(type[0], octets, sizeof octets);
    struct mt_tlv_port_address value;

    (void)state;
    assert_true(mt_tlv_parse_protocol_address(&tlv, &value));
    assert_int_equal(value.protocol, 1);
    assert_int_equal(value.length, 4);
    assert_ptr_equal(value.address, octets + 4);
    assert_takes(decode_address, type, 1, octets, sizeof octets, 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ptp_tlv_steps_over_each_when_sequence_is_whole),
        cmocka_unit_test(ptp_tlv_stops_when_the_next_does_not_fit),
        cmocka_unit_test(ptp_tlv_finds_the_first_when_there_are_two),
        cmocka_unit_test(ptp_tlv_pads_when_written_value_is_odd),
        cmocka_unit_test(ptp_tlv_is_propagated_when_type_is_in_the_middle_range),
        cmocka_unit_test(ptp_tlv_gives_identities_when_it_is_a_path_trace),
        cmocka_unit_test(ptp_tlv_decodes_when_it_is_an_alternate_time_offset),
        cmocka_unit_test(ptp_tlv_decodes_when_it_is_accuracy_metrics),
        cmocka_unit_test(ptp_tlv_decodes_when_it_is_management),
        cmocka_unit_test(ptp_tlv_decodes_when_it_is_unicast_negotiation),
        cmocka_unit_test(ptp_tlv_decodes_when_it_is_l1_sync_or_rate_ratio),
        cmocka_unit_test(ptp_tlv_decodes_when_it_is_authentication),
        cmocka_unit_test(ptp_tlv_decodes_when_it_is_a_protocol_address),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
