/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The TLVs of other organisations: each decoder with a vector, with every shorter value, with
 * every other type, organisation or subtype; and the power profile that counts in its own way.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tlv_views.h"

static const uint16_t organization_types[] = {MT_TLV_ORGANIZATION_EXTENSION,
                                              MT_TLV_ORGANIZATION_EXTENSION_PROPAGATE,
                                              MT_TLV_ORGANIZATION_EXTENSION_DO_NOT_PROPAGATE};

static bool decode_organization(const struct mt_tlv *tlv)
{
    struct mt_tlv_organization value;

    return mt_tlv_parse_organization(tlv, &value);
}

static void ptp_tlv_organization_decodes_when_an_organization_extends(void **state)
{
    static const uint8_t octets[] = {0x68, 0x97, 0xE8, 0, 0, 1, 7, 8};
    struct mt_tlv tlv = view(MT_TLV_ORGANIZATION_EXTENSION, octets, sizeof octets);
    struct mt_tlv_organization value;

    (void)state;
    assert_true(mt_tlv_parse_organization(&tlv, &value));
    assert_int_equal(value.oui, MT_OUI_SMPTE);
    assert_int_equal(value.subtype, 1);
    assert_ptr_equal(value.data, octets + 6);
    assert_int_equal(value.length, 2);
    assert_takes(decode_organization, organization_types, 3, octets, sizeof octets, 6);
}

static bool decode_follow_up(const struct mt_tlv *tlv)
{
    struct mt_tlv_follow_up_information value;

    return mt_tlv_parse_follow_up_information(tlv, &value);
}

static void ptp_tlv_organization_decodes_when_it_is_follow_up_information(void **state)
{
    static const uint8_t octets[] = {0,    3,    0,    28, 0x00, 0x80, 0xC2, 0, 0, 1, 0xFF,
                                     0xFF, 0xFF, 0xF0, 0,  7,    1,    2,    3, 4, 5, 6,
                                     7,    8,    9,    10, 11,   12,   0,    0, 0, 16};
    struct mt_tlv tlv = view(MT_TLV_ORGANIZATION_EXTENSION, octets + 4, 28);
    struct mt_tlv_follow_up_information value;
    uint8_t written[sizeof octets];
    uint8_t other[28];

    (void)state;
    assert_true(mt_tlv_parse_follow_up_information(&tlv, &value));
    assert_int_equal(value.cumulative_scaled_rate_offset, -16);
    assert_int_equal(value.gm_time_base_indicator, 7);
    assert_memory_equal(value.last_gm_phase_change, octets + 16, 12);
    assert_int_equal(value.scaled_last_gm_freq_change, 16);
    assert_int_equal(mt_tlv_write_follow_up_information(&value, written, sizeof written), 32);
    assert_memory_equal(written, octets, sizeof octets);
    assert_int_equal(mt_tlv_write_follow_up_information(&value, written, 31), 0);
    assert_takes(decode_follow_up, organization_types, 3, octets + 4, 28, 28);
    for (size_t i = 0; i < 6; i++) { /* another organisation or subtype */
        memcpy(other, octets + 4, sizeof other);
        other[i] ^= 1;
        tlv.value = other;
        assert_false(mt_tlv_parse_follow_up_information(&tlv, &value));
    }
}

static bool decode_interval_request(const struct mt_tlv *tlv)
{
    struct mt_tlv_message_interval_request value;

    return mt_tlv_parse_message_interval_request(tlv, &value);
}

static void ptp_tlv_organization_decodes_when_it_is_an_interval_request(void **state)
{
    uint8_t octets[] = {0x00, 0x80, 0xC2, 0, 0, 2, 0x80, 0xFD, 127, 3, 0, 0};
    struct mt_tlv tlv = view(MT_TLV_ORGANIZATION_EXTENSION, octets, sizeof octets);
    struct mt_tlv_message_interval_request value;

    (void)state;
    assert_true(mt_tlv_parse_message_interval_request(&tlv, &value));
    assert_int_equal(value.log_link_delay, -128);
    assert_int_equal(value.log_time_sync, -3);
    assert_int_equal(value.log_announce, 127);
    assert_int_equal(value.flags, 3);
    assert_takes(decode_interval_request, organization_types, 3, octets, sizeof octets, 10);
    static const uint8_t others[] = {1, 3, 4, 5}; /* 5: of the interval of gPTP-capable TLVs */
    for (size_t i = 0; i < sizeof others; i++) {
        octets[5] = others[i];
        assert_false(mt_tlv_parse_message_interval_request(&tlv, &value));
    }
}

static bool decode_gptp_capable(const struct mt_tlv *tlv)
{
    struct mt_tlv_gptp_capable value;

    return mt_tlv_parse_gptp_capable(tlv, &value);
}

static void ptp_tlv_organization_decodes_when_it_is_gptp_capable(void **state)
{
    uint8_t octets[] = {0x00, 0x80, 0xC2, 0, 0, 4, 0xFE, 1, 0, 0, 0, 0};
    struct mt_tlv tlv = view(MT_TLV_ORGANIZATION_EXTENSION_DO_NOT_PROPAGATE, octets, sizeof octets);
    struct mt_tlv_gptp_capable value;

    (void)state;
    assert_true(mt_tlv_parse_gptp_capable(&tlv, &value));
    assert_int_equal(value.log_message_interval, -2);
    assert_int_equal(value.flags, 1);
    assert_takes(decode_gptp_capable, organization_types, 3, octets, sizeof octets, 8);
    octets[5] = 2;
    assert_false(mt_tlv_parse_gptp_capable(&tlv, &value));
}

static const uint8_t power_2011[] = {0, 3, 0, 18, 0x1C, 0x12, 0x9D, 0, 0,    1, 0,
                                     9, 0, 0, 0,  50,   0,    0,    0, 0xC8, 0, 0};

static bool decode_power(const struct mt_tlv *tlv)
{
    struct mt_tlv_power value;

    return mt_tlv_parse_power(tlv, &value);
}

static void ptp_tlv_organization_decodes_when_it_is_power_profile_2011(void **state)
{
    uint8_t octets[18] = {0};
    struct mt_tlv tlv = view(MT_TLV_ORGANIZATION_EXTENSION, octets, sizeof octets);
    struct mt_tlv_power value;

    (void)state;
    memcpy(octets, power_2011 + 4, sizeof octets);
    assert_true(mt_tlv_parse_power(&tlv, &value));
    assert_int_equal(value.year_2017, 0);
    assert_int_equal(value.grandmaster_id, 9);
    assert_int_equal(value.gm_inaccuracy_ns, 50);
    assert_int_equal(value.network_inaccuracy_ns, 200);
    assert_int_equal(value.total_inaccuracy_ns, 250);
    memset(octets + 12, 0xFF, 4); /* 200 more than the largest */
    octets[8] = 0xFF;
    assert_true(mt_tlv_parse_power(&tlv, &value));
    assert_int_equal(value.total_inaccuracy_ns, UINT32_MAX);
    tlv.length = 12; /* cut behind the grandmaster's share */
    assert_true(mt_tlv_parse_power(&tlv, &value));
    assert_int_equal(value.network_inaccuracy_ns, UINT32_MAX);
    assert_int_equal(value.total_inaccuracy_ns, UINT32_MAX);
    for (uint16_t length = 0; length < sizeof octets; length++) {
        tlv.length = length;
        assert_int_equal(decode_power(&tlv), length == 12 || length >= 16);
    }
}

static void ptp_tlv_organization_takes_18_octets_when_power_profile_says_12(void **state)
{
    uint8_t octets[sizeof power_2011 + 4] = {[sizeof power_2011 + 1] = 8};
    const uint8_t *at = octets;
    size_t length = sizeof octets;
    struct mt_tlv tlv;
    struct mt_tlv_power value;

    (void)state;
    memcpy(octets, power_2011, sizeof power_2011);
    octets[3] = 12;
    assert_true(mt_tlv_is_valid(octets, sizeof octets));
    assert_true(mt_tlv_next(&at, &length, &tlv));
    assert_int_equal(tlv.length, 18);
    assert_true(mt_tlv_parse_power(&tlv, &value));
    assert_int_equal(value.total_inaccuracy_ns, 250);
    assert_true(mt_tlv_next(&at, &length, &tlv));
    assert_int_equal(tlv.type, MT_TLV_PATH_TRACE);
    assert_true(mt_tlv_is_valid(octets, 16)); /* where 12 octets are all there is */
    octets[3] = 20;                           /* any other length is believed */
    at = octets;
    length = 24;
    assert_true(mt_tlv_next(&at, &length, &tlv));
    assert_int_equal(tlv.length, 20);
    octets[3] = 12;
    octets[9] = 2; /* the 2017 form counts rightly */
    assert_false(mt_tlv_is_valid(octets, sizeof octets));
    octets[9] = 1;
    octets[0] = 0x80;
    assert_false(mt_tlv_is_valid(octets, sizeof octets));
}

static void ptp_tlv_organization_decodes_when_it_is_power_profile_2017(void **state)
{
    uint8_t octets[] = {0x1C, 0x12, 0x9D, 0, 0, 2, 0, 0xFE, 9, 9, 9, 9, 0, 0, 1, 2, 0, 0};
    struct mt_tlv tlv = view(MT_TLV_ORGANIZATION_EXTENSION, octets, sizeof octets);
    struct mt_tlv_power value;

    (void)state;
    assert_true(mt_tlv_parse_power(&tlv, &value));
    assert_int_equal(value.year_2017, 1);
    assert_int_equal(value.grandmaster_id, 254);
    assert_int_equal(value.gm_inaccuracy_ns, 0);
    assert_int_equal(value.network_inaccuracy_ns, 0);
    assert_int_equal(value.total_inaccuracy_ns, 258);
    assert_takes(decode_power, organization_types, 3, octets, sizeof octets, 16);
    octets[5] = 3;
    assert_false(mt_tlv_parse_power(&tlv, &value));
    octets[5] = 2;
    octets[0] = 0;
    assert_false(mt_tlv_parse_power(&tlv, &value));
}

static bool decode_smpte(const struct mt_tlv *tlv)
{
    struct mt_tlv_smpte value;

    return mt_tlv_parse_smpte(tlv, &value);
}

static void ptp_tlv_organization_decodes_when_it_is_synchronization_metadata(void **state)
{
    static const uint8_t octets[] = {
        0, 3, 0,    48,   0x68, 0x97, 0xE8, 0,    0,    1,          /* head */
        0, 0, 0x75, 0x30, 0,    0,    0x03, 0xE9,                   /* 30000/1001 */
        4, 1, 0,    0,    0x0D, 0xEB, 0xFF, 0xFF, 0xF1, 0xF0,       /* 3563 s, -3600 s */
        0, 1, 2,    3,    4,    5,    0,    0,    0x61, 0,    0, 1, /* jump, next jam */
        0, 0, 0x60, 0xFE, 0xAE, 0x81, 0xFF, 0xFF, 0xFF, 0xDB, 5, 1};
    struct mt_tlv tlv = view(MT_TLV_ORGANIZATION_EXTENSION, octets + 4, 48);
    struct mt_tlv_smpte value;
    uint8_t written[sizeof octets];

    (void)state;
    assert_int_equal(sizeof octets, MT_TLV_SMPTE_SIZE);
    assert_true(mt_tlv_parse_smpte(&tlv, &value));
    assert_int_equal(value.rate_numerator, 30000);
    assert_int_equal(value.rate_denominator, 1001);
    assert_int_equal(value.locking, MT_SMPTE_LOCKED);
    assert_int_equal(value.time_address_flags, 1);
    assert_int_equal(value.local_offset_s, 3563);
    assert_int_equal(value.jump_s, -3600);
    assert_int_equal(value.next_jump_s, 0x0102030405);
    assert_int_equal(value.next_jam_s, 0x61000001);
    assert_int_equal(value.previous_jam_s, 0x60FEAE81);
    assert_int_equal(value.previous_jam_offset_s, -37);
    assert_int_equal(value.daylight_saving, 5);
    assert_int_equal(value.leap_second_jump, 1);
    assert_int_equal(mt_tlv_write_smpte(&value, written, sizeof written), sizeof written);
    assert_memory_equal(written, octets, sizeof octets);
    assert_int_equal(mt_tlv_write_smpte(&value, written, sizeof written - 1), 0);
    assert_takes(decode_smpte, organization_types, 3, octets + 4, 48, 48);
}

static bool decode_interface_rate(const struct mt_tlv *tlv)
{
    struct mt_tlv_interface_rate value;

    return mt_tlv_parse_interface_rate(tlv, &value);
}

static void ptp_tlv_organization_decodes_when_it_is_an_interface_rate(void **state)
{
    static const uint8_t octets[] = {0, 3, 0, 18,   0x00, 0x19, 0xA7, 0, 0,    2,    0,
                                     0, 0, 0, 0x3B, 0x9A, 0xCA, 0x00, 0, 0x40, 0x02, 0xD0};
    struct mt_tlv tlv = view(MT_TLV_ORGANIZATION_EXTENSION, octets + 4, 18);
    struct mt_tlv_interface_rate value;
    uint8_t written[sizeof octets];

    (void)state;
    assert_true(mt_tlv_parse_interface_rate(&tlv, &value));
    assert_int_equal(value.bit_period_as, 1000000000); /* 1 Gbit/s */
    assert_int_equal(value.bits_before, 64);
    assert_int_equal(value.bits_after, 720);
    assert_int_equal(mt_tlv_write_interface_rate(&value, written, sizeof written), sizeof written);
    assert_memory_equal(written, octets, sizeof octets);
    assert_int_equal(mt_tlv_write_interface_rate(&value, written, sizeof written - 1), 0);
    assert_takes(decode_interface_rate, organization_types, 3, octets + 4, 18, 18);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ptp_tlv_organization_decodes_when_an_organization_extends),
        cmocka_unit_test(ptp_tlv_organization_decodes_when_it_is_an_interface_rate),
        cmocka_unit_test(ptp_tlv_organization_decodes_when_it_is_synchronization_metadata),
        cmocka_unit_test(ptp_tlv_organization_decodes_when_it_is_follow_up_information),
        cmocka_unit_test(ptp_tlv_organization_decodes_when_it_is_an_interval_request),
        cmocka_unit_test(ptp_tlv_organization_decodes_when_it_is_gptp_capable),
        cmocka_unit_test(ptp_tlv_organization_decodes_when_it_is_power_profile_2011),
        cmocka_unit_test(ptp_tlv_organization_takes_18_octets_when_power_profile_says_12),
        cmocka_unit_test(ptp_tlv_organization_decodes_when_it_is_power_profile_2017),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
