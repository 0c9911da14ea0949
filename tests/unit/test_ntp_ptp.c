/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * NTP in PTP messages: a vector, every truncation, every flipped bit, and corrections to 2^-32 s.
 */
#include "meantime/ntp_ptp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define NTP 48

/* Delay_Req of draft-ietf-ntp-over-ptp, before NTP's 48 octets */
static const uint8_t head[] = {
    0x01, 0x02, 0x00, 0x68, 0x7B, 0x00, 0x04, 0x00, /* version 2, 104 octets, domain 123, unicast */
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, /* correctionField */
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x12, 0x34, 0x01, 0x7F,             /* sequenceId, control */
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, /* originTimestamp */
    0x00, 0x03, 0x00, 0x38,                                     /* TLV of 56 octets */
    0x00, 0x00, 0x5E, 0x00, 0x00, 0x01, 0x00, 0x00,
};
_Static_assert(sizeof head == MT_NTP_PTP_HEAD, "as told");

static uint8_t message[MT_NTP_PTP_HEAD + NTP];

static int set_up(void **state)
{
    memset(message, 0xA5, sizeof message);
    memcpy(message, head, sizeof head);
    return 0;
}

static void ntp_ptp_is_the_vector_when_it_is_written(void **state)
{
    uint8_t written[sizeof message + 1];
    memset(written, 0xA5, sizeof written);
    assert_int_equal(mt_ntp_ptp_write(MT_NTP_PTP_DRAFT, 0x1234, NTP, written, sizeof message),
                     sizeof message);
    assert_memory_equal(written, message, sizeof message);
    assert_int_equal(written[sizeof message], 0xA5);
    assert_int_equal(mt_ntp_ptp_write(MT_NTP_PTP_DRAFT, 0x1234, NTP, written, sizeof message - 1),
                     0);
    assert_int_equal(mt_ntp_ptp_write(MT_NTP_PTP_DRAFT, 0x1234, SIZE_MAX, written, sizeof message),
                     0);
    assert_int_equal(mt_ntp_ptp_write(MT_NTP_PTP_DRAFT, 0x1234, 65480, written, SIZE_MAX), 0);
}

static void ntp_ptp_is_read_when_it_is_the_vector(void **state)
{
    struct mt_ntp_ptp read;
    memcpy(message + 8, "\x00\x00\x00\x00\x01\x23\x80\x00", 8);
    assert_true(mt_ntp_ptp_parse(message, sizeof message, &read));
    assert_ptr_equal(read.packet, message + MT_NTP_PTP_HEAD);
    assert_int_equal(read.length, NTP);
    assert_int_equal(read.form, MT_NTP_PTP_DRAFT);
    assert_int_equal(read.sequence_id, 0x1234);
    assert_int_equal(read.correction.q16, 0x1238000);
}

static void ntp_ptp_is_read_when_others_write_it_in_another_way(void **state)
{
    struct mt_ntp_ptp read;
    uint8_t padded[sizeof message + 6];
    message[0] = 0x00; /* Sync */
    assert_true(mt_ntp_ptp_parse(message, sizeof message, &read));
    message[1] = 0x12;
    assert_true(mt_ntp_ptp_parse(message, sizeof message, &read));
    message[5] = 1; /* minorSdoId */
    assert_false(mt_ntp_ptp_parse(message, sizeof message, &read));
    message[1] = 0x02; /* in which this octet says nothing */
    assert_true(mt_ntp_ptp_parse(message, sizeof message, &read));
    message[44] = 0x80, message[45] = 0x00;
    assert_true(mt_ntp_ptp_parse(message, sizeof message, &read));
    memset(padded, 0, sizeof padded);
    memcpy(padded, message, sizeof message);
    assert_true(mt_ntp_ptp_parse(padded, sizeof padded, &read));
    assert_int_equal(read.length, NTP);
}

/* as chronyd 4.3 asks */
static void ntp_ptp_is_understood_when_it_is_of_the_early_form(void **state)
{
    static const uint8_t early[] = {0x01, 0x02, 0x00, 0x60, 0x7B, 0x00, 0x04, 0x00, 0,   0, 0, 0, 0,
                                    0,    0,    0,    0,    0,    0,    0,    0,    0,   0, 0, 0, 0,
                                    0,    0,    0,    0,    0,    0,    0,    0,    0,   0, 0, 0, 0,
                                    0,    0,    0,    0,    0,    0x20, 0x23, 0x00, 0x30};
    uint8_t written[sizeof early + NTP] = {0};
    struct mt_ntp_ptp read;
    memcpy(written, early, sizeof early);
    assert_true(mt_ntp_ptp_parse(written, sizeof written, &read));
    assert_int_equal(read.form, MT_NTP_PTP_EARLY);
    assert_ptr_equal(read.packet, written + sizeof early);
    assert_int_equal(read.length, NTP);
    assert_false(mt_ntp_ptp_parse(written, sizeof written - 1, &read));
    assert_int_equal(mt_ntp_ptp_write(MT_NTP_PTP_EARLY, 0, NTP, written, sizeof written),
                     sizeof written);
    written[32] = written[33] = 0; /* what is said there has no meaning */
    assert_memory_equal(written, early, sizeof early);
    assert_int_equal(mt_ntp_ptp_write(MT_NTP_PTP_EARLY, 0, NTP, written, sizeof written - 1), 0);
}

static void ntp_ptp_is_refused_when_it_is_cut_off(void **state)
{
    struct mt_ntp_ptp read;
    for (size_t length = 0; length < sizeof message; length++) {
        assert_false(mt_ntp_ptp_parse(message, length, &read));
    }
    message[3]--;
    assert_false(mt_ntp_ptp_parse(message, sizeof message, &read));
    message[3] = (uint8_t)sizeof message;
    message[47] = 7; /* of the TLV */
    assert_false(mt_ntp_ptp_parse(message, sizeof message, &read));
    message[47] = NTP + 9;
    assert_false(mt_ntp_ptp_parse(message, sizeof message, &read));
}

/* What decides that it is one: type and version, domain, TLV and organization. */
static void ntp_ptp_stays_within_its_octets_when_any_bit_is_flipped(void **state)
{
    unsigned refused = 0;
    for (unsigned bit = 0; bit < 8 * MT_NTP_PTP_HEAD; bit++) {
        struct mt_ntp_ptp read;
        message[bit / 8] ^= (uint8_t)(1u << bit % 8);
        if (!mt_ntp_ptp_parse(message, sizeof message, &read)) {
            refused++;
        } else {
            assert_true(read.length <= NTP);
        }
        message[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    assert_true(refused >= 8 * 8 && refused < 16 * 8);
}

/* ---- the extension field --------------------------------------------------------------------- */

static bool pass(int64_t q16, int64_t *ret_q16)
{
    uint8_t octets[MT_NTP_HEADER_SIZE + MT_NTP_EXTENSION_LAST];
    struct mt_ntp_packet packet;
    struct mt_interval back = {0};
    mt_ntp_write(&(struct mt_ntp_header){.version = 4, .mode = MT_NTP_MODE_SERVER}, octets);
    if (mt_ntp_correction_write((struct mt_interval){q16}, octets + MT_NTP_HEADER_SIZE,
                                MT_NTP_EXTENSION_LAST) == 0) {
        return false;
    }
    assert_int_equal(mt_ntp_parse(octets, sizeof octets, &packet), MT_NTP_WELL_FORMED);
    assert_true(mt_ntp_correction_read(&packet, &back));
    *ret_q16 = back.q16;
    return true;
}

static void ntp_correction_is_what_was_written_when_it_is_read(void **state)
{
    static const int64_t values[] = {0,       1,       -1,
                                     65536,   -65536,  INT64_C(65536000000000),
                                     1234567, -987654, INT64_C(-65536000000000) * 3600};
    for (unsigned i = 0; i < sizeof values / sizeof values[0]; i++) {
        int64_t back;
        assert_true(pass(values[i], &back));
        assert_true(back - values[i] <= 15260 && values[i] - back <= 15260); /* 2^-32 s */
    }
    int64_t none;
    assert_false(pass(INT64_MAX, &none));
    assert_false(pass(INT64_MIN, &none));
}

static void ntp_correction_is_the_vector_when_it_is_written(void **state)
{
    static const uint8_t expected[MT_NTP_EXTENSION_LAST] = {0x01, 0x0A, 0x00, 0x1C, 0, 0,
                                                            0,    1,    0x80, 0x00, 0, 0};
    uint8_t octets[MT_NTP_EXTENSION_LAST];
    const struct mt_interval correction = {INT64_C(98304000000000)}; /* 1.5 s */
    assert_int_equal(mt_ntp_correction_write(correction, octets, sizeof octets), sizeof octets);
    assert_memory_equal(octets, expected, sizeof octets);
    assert_int_equal(mt_ntp_correction_write(correction, octets, sizeof octets - 1), 0);
}

static void ntp_correction_is_not_there_when_fields_are_others_or_wrong(void **state)
{
    uint8_t octets[MT_NTP_HEADER_SIZE + MT_NTP_EXTENSION_LAST] = {0x24};
    struct mt_ntp_packet packet;
    struct mt_interval back;
    assert_int_equal(mt_ntp_parse(octets, MT_NTP_HEADER_SIZE, &packet), MT_NTP_WELL_FORMED);
    assert_false(mt_ntp_correction_read(&packet, &back));
    mt_ntp_correction_write((struct mt_interval){0}, octets + MT_NTP_HEADER_SIZE,
                            MT_NTP_EXTENSION_LAST);
    octets[MT_NTP_HEADER_SIZE + 1] = 0x0B;
    assert_int_equal(mt_ntp_parse(octets, sizeof octets, &packet), MT_NTP_WELL_FORMED);
    assert_false(mt_ntp_correction_read(&packet, &back));
    octets[MT_NTP_HEADER_SIZE + 1] = 0x0A;
    octets[MT_NTP_HEADER_SIZE + 4] = 0x7F;
    assert_int_equal(mt_ntp_parse(octets, sizeof octets, &packet), MT_NTP_WELL_FORMED);
    assert_false(mt_ntp_correction_read(&packet, &back));
}

/* There anybody may have put it. */
static void ntp_correction_is_not_there_when_it_follows_the_authenticator_of_nts(void **state)
{
    enum { AUTHENTICATOR = 32 };
    uint8_t octets[MT_NTP_HEADER_SIZE + AUTHENTICATOR + MT_NTP_EXTENSION_LAST] = {0x24};
    const uint8_t value[AUTHENTICATOR - MT_NTP_EXTENSION_HEAD] = {0};
    uint8_t *at = octets + MT_NTP_HEADER_SIZE;
    struct mt_ntp_packet packet;
    struct mt_interval back;
    (void)state;
    mt_ntp_extension_write(MT_NTP_EXT_NTS_AUTHENTICATOR, value, sizeof value, AUTHENTICATOR, at,
                           AUTHENTICATOR);
    mt_ntp_correction_write((struct mt_interval){1}, at + AUTHENTICATOR, MT_NTP_EXTENSION_LAST);
    assert_int_equal(mt_ntp_parse(octets, sizeof octets, &packet), MT_NTP_WELL_FORMED);
    assert_false(mt_ntp_correction_read(&packet, &back));
    at[0] = 0x01; /* another field is no matter */
    assert_int_equal(mt_ntp_parse(octets, sizeof octets, &packet), MT_NTP_WELL_FORMED);
    assert_true(mt_ntp_correction_read(&packet, &back));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(ntp_ptp_is_the_vector_when_it_is_written, set_up),
        cmocka_unit_test_setup(ntp_ptp_is_read_when_it_is_the_vector, set_up),
        cmocka_unit_test_setup(ntp_ptp_is_read_when_others_write_it_in_another_way, set_up),
        cmocka_unit_test(ntp_ptp_is_understood_when_it_is_of_the_early_form),
        cmocka_unit_test_setup(ntp_ptp_is_refused_when_it_is_cut_off, set_up),
        cmocka_unit_test_setup(ntp_ptp_stays_within_its_octets_when_any_bit_is_flipped, set_up),
        cmocka_unit_test(ntp_correction_is_what_was_written_when_it_is_read),
        cmocka_unit_test(ntp_correction_is_the_vector_when_it_is_written),
        cmocka_unit_test(ntp_correction_is_not_there_when_it_follows_the_authenticator_of_nts),
        cmocka_unit_test(ntp_correction_is_not_there_when_fields_are_others_or_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
