/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The codec of PTP messages: the vectors of tests/vectors/ptp_wire.txt both ways, all their
 * truncations and bit flips, every way in which a frame can be refused, and the small functions
 * beside it.  Frames are parsed from heap blocks of exactly their size, so that the address
 * sanitizer sees a read over either end.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ptp_vectors.h"

#define PADDING_MAX 46

static struct ptp_vector vectors[VECTORS_MAX];
static size_t vector_count;

static int read_vectors(void **state)
{
    (void)state;
    vector_count = ptp_vectors_read(vectors);
    return 0;
}

static const struct ptp_vector *vector_of(enum mt_ptp_type type)
{
    for (size_t i = 0; i < vector_count; i++) {
        if ((vectors[i].octets[0] & 0x0F) == type) {
            return &vectors[i];
        }
    }
    fail_msg("no vector of type %d", (int)type);
    return NULL;
}

/* parses a copy that has no octet to spare; what was accepted must survive the round trip */
static enum mt_verdict parse_exactly(const uint8_t *octets, size_t length, char *ret_text)
{
    uint8_t *frame = malloc(length > 0 ? length : 1);
    uint8_t written[MT_PTP_MESSAGE_MAX];
    char again[VECTOR_TEXT_MAX];
    struct mt_ptp_message message;
    struct mt_ptp_message copy;
    enum mt_verdict verdict;

    assert_non_null(frame);
    if (length > 0) {
        memcpy(frame, octets, length);
    }
    verdict = mt_ptp_parse(frame, length, &message);
    if (verdict == MT_VERDICT_ACCEPTED) {
        size_t written_length = mt_ptp_write(&message, written, sizeof written);

        assert_int_equal(written_length, message.header.length);
        assert_int_equal(mt_ptp_parse(written, written_length, &copy), MT_VERDICT_ACCEPTED);
        ptp_message_describe(&message, ret_text);
        ptp_message_describe(&copy, again);
        assert_string_equal(again, ret_text);
    }
    free(frame);
    return verdict;
}

static enum mt_verdict verdict_of(const uint8_t *octets, size_t length)
{
    char text[VECTOR_TEXT_MAX];

    return parse_exactly(octets, length, text);
}

static void put_length(uint8_t *frame, size_t length)
{
    frame[2] = (uint8_t)(length >> 8);
    frame[3] = (uint8_t)(length & 0xFF);
}

static void ptp_wire_gives_the_values_when_vectors_are_parsed(void **state)
{
    uint32_t types = 0;
    char text[VECTOR_TEXT_MAX];

    (void)state;
    for (size_t i = 0; i < vector_count; i++) {
        print_message("%s\n", vectors[i].name);
        assert_int_equal(parse_exactly(vectors[i].octets, vectors[i].length, text),
                         MT_VERDICT_ACCEPTED);
        assert_string_equal(text, vectors[i].text);
        types |= UINT32_C(1) << (vectors[i].octets[0] & 0x0F);
    }
    assert_int_equal(types, 0x3F0F); /* all ten */
}

static void ptp_wire_gives_the_octets_when_values_are_written(void **state)
{
    uint8_t buffer[VECTOR_OCTETS_MAX + 1];
    struct mt_ptp_message message;

    (void)state;
    for (size_t i = 0; i < vector_count; i++) {
        const struct ptp_vector *v = &vectors[i];

        assert_int_equal(mt_ptp_parse(v->octets, v->length, &message), MT_VERDICT_ACCEPTED);
        message.header.length = 0; /* is the writer's business */
        memset(buffer, 0xA5, sizeof buffer);
        assert_int_equal(mt_ptp_write(&message, buffer, v->length), v->length);
        assert_memory_equal(buffer, v->octets, v->length);
        assert_int_equal(buffer[v->length], 0xA5);
    }
}

static void ptp_wire_refuses_when_frame_is_truncated(void **state)
{
    (void)state;
    for (size_t i = 0; i < vector_count; i++) {
        const struct ptp_vector *v = &vectors[i];

        for (size_t length = 0; length < v->length; length++) {
            enum mt_verdict verdict = verdict_of(v->octets, length);

            assert_true(verdict == MT_VERDICT_SHORT || verdict == MT_VERDICT_LENGTH);
            assert_true(length >= MT_PTP_HEADER_SIZE || verdict == MT_VERDICT_SHORT);
        }
    }
}

/* messageLength agrees with what is there: only the ends of TLVs are left as right places */
static void ptp_wire_refuses_when_message_is_truncated(void **state)
{
    (void)state;
    for (size_t i = 0; i < vector_count; i++) {
        struct ptp_vector v = vectors[i];
        int accepted = 0;

        for (size_t length = 0; length < v.length; length++) {
            enum mt_verdict verdict;

            put_length(v.octets, length);
            verdict = verdict_of(v.octets, length);
            accepted += verdict == MT_VERDICT_ACCEPTED;
            assert_true(verdict == MT_VERDICT_ACCEPTED || verdict == MT_VERDICT_SHORT ||
                        verdict == MT_VERDICT_TLV);
        }
        assert_in_range(accepted, 0, 3);
    }
}

static void ptp_wire_refuses_or_survives_round_trip_when_a_bit_is_flipped(void **state)
{
    int accepted = 0;

    (void)state;
    for (size_t i = 0; i < vector_count; i++) {
        struct ptp_vector v = vectors[i];

        for (size_t bit = 0; bit < 8 * v.length; bit++) {
            v.octets[bit / 8] ^= (uint8_t)(1u << bit % 8);
            accepted += verdict_of(v.octets, v.length) == MT_VERDICT_ACCEPTED;
            v.octets[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
    }
    assert_true(accepted > 5000);
}

static void ptp_wire_ignores_padding_when_frame_is_longer_than_message(void **state)
{
    uint8_t frame[VECTOR_OCTETS_MAX + PADDING_MAX];
    char text[VECTOR_TEXT_MAX];

    (void)state;
    for (size_t i = 0; i < vector_count; i++) {
        const struct ptp_vector *v = &vectors[i];

        for (size_t padding = 1; padding <= PADDING_MAX; padding++) {
            memcpy(frame, v->octets, v->length);
            memset(frame + v->length, padding % 2 == 0 ? 0 : 0xFF, padding);
            assert_int_equal(parse_exactly(frame, v->length + padding, text), MT_VERDICT_ACCEPTED);
            assert_string_equal(text, v->text);
        }
    }
}

static void ptp_wire_accepts_any_minor_version_when_version_is_2(void **state)
{
    struct ptp_vector v = *vector_of(MT_PTP_DELAY_REQ);
    struct mt_ptp_message message;

    (void)state;
    for (unsigned octet = 0; octet < 256; octet++) {
        bool is_version_2 = (octet & 0x0F) == 2;

        v.octets[1] = (uint8_t)octet;
        assert_int_equal(verdict_of(v.octets, v.length),
                         is_version_2 ? MT_VERDICT_ACCEPTED : MT_VERDICT_VERSION);
        if (is_version_2) {
            (void)mt_ptp_parse(v.octets, v.length, &message);
            assert_int_equal(message.header.minor_version, octet >> 4);
        }
    }
}

static void ptp_wire_refuses_the_type_when_it_is_reserved(void **state)
{
    static const size_t sizes[16] = {44, 44, 54, 54, 0, 0, 0, 0, 44, 54, 54, 64, 44, 48, 0, 0};
    uint8_t frame[64] = {0, 0x12};

    (void)state;
    for (uint8_t type = 0; type < 16; type++) {
        frame[0] = type;
        if (sizes[type] == 0) {
            put_length(frame, sizeof frame);
            assert_int_equal(verdict_of(frame, sizeof frame), MT_VERDICT_TYPE);
            assert_int_equal(verdict_of(frame, MT_PTP_HEADER_SIZE), MT_VERDICT_TYPE);
            continue;
        }
        put_length(frame, sizes[type]);
        assert_int_equal(verdict_of(frame, sizes[type]), MT_VERDICT_ACCEPTED);
        assert_int_equal(verdict_of(frame, sizes[type] - 1), MT_VERDICT_SHORT);
        put_length(frame, sizes[type] - 1);
        assert_int_equal(verdict_of(frame, sizes[type]), MT_VERDICT_LENGTH);
        put_length(frame, sizes[type] + 1);
        assert_int_equal(verdict_of(frame, sizes[type]), MT_VERDICT_LENGTH);
        put_length(frame, 0);
        assert_int_equal(verdict_of(frame, sizes[type]), MT_VERDICT_LENGTH);
        put_length(frame, 0xFFFF);
        assert_int_equal(verdict_of(frame, sizes[type]), MT_VERDICT_LENGTH);
    }
}

static void ptp_wire_refuses_the_field_when_nanoseconds_make_a_second(void **state)
{
    static const uint8_t largest[] = {0x3B, 0x9A, 0xC9, 0xFF};
    static const uint8_t too_large[] = {0x3B, 0x9A, 0xCA, 0x00};

    (void)state;
    for (size_t i = 0; i < vector_count; i++) {
        struct ptp_vector v = vectors[i];
        bool has_timestamp = (v.octets[0] & 0x0F) < MT_PTP_SIGNALING;

        memcpy(v.octets + 40, largest, sizeof largest);
        assert_int_equal(verdict_of(v.octets, v.length), MT_VERDICT_ACCEPTED);
        memcpy(v.octets + 40, too_large, sizeof too_large);
        assert_int_equal(verdict_of(v.octets, v.length),
                         has_timestamp ? MT_VERDICT_FIELD : MT_VERDICT_ACCEPTED);
    }
}

static void ptp_wire_refuses_the_tlv_when_it_is_not_whole(void **state)
{
    struct ptp_vector v = *vector_of(MT_PTP_DELAY_REQ);
    uint8_t *tlv = v.octets + v.length;

    (void)state;
    memset(tlv, 0, 12);
    for (size_t rest = 1; rest <= 12; rest++) { /* empty TLVs of type 0 */
        put_length(v.octets, 44 + rest);
        assert_int_equal(verdict_of(v.octets, 44 + rest),
                         rest % 4 == 0 ? MT_VERDICT_ACCEPTED : MT_VERDICT_TLV);
    }
    for (uint8_t length = 0; length <= 8; length++) {
        tlv[3] = length;
        put_length(v.octets, 44 + 4u + length);
        assert_int_equal(verdict_of(v.octets, 44 + 4u + length),
                         length % 2 == 0 ? MT_VERDICT_ACCEPTED : MT_VERDICT_TLV);
        put_length(v.octets, 44 + 4u + length - 1);
        assert_int_equal(verdict_of(v.octets, 44 + 4u + length), MT_VERDICT_TLV);
    }
    tlv[2] = 0xFF; /* far over the end */
    tlv[3] = 0xFE;
    put_length(v.octets, 44 + 8);
    assert_int_equal(verdict_of(v.octets, 44 + 8), MT_VERDICT_TLV);
}

static void ptp_wire_ignores_reserved_fields_when_parsing(void **state)
{
    char text[VECTOR_TEXT_MAX];

    (void)state;
    for (size_t i = 0; i < vector_count; i++) {
        struct ptp_vector v = vectors[i];
        uint8_t type = v.octets[0] & 0x0F;

        v.octets[32] = 0xFF; /* controlField */
        if (type == MT_PTP_PDELAY_REQ) {
            memset(v.octets + 44, 0xFF, 10);
        } else if (type == MT_PTP_ANNOUNCE) {
            v.octets[46] = 0xFF;
        } else if (type == MT_PTP_MANAGEMENT) {
            v.octets[46] |= 0xF0;
            v.octets[47] = 0xFF;
        }
        assert_int_equal(parse_exactly(v.octets, v.length, text), MT_VERDICT_ACCEPTED);
        assert_string_equal(text, v.text);
    }
}

static void ptp_wire_leaves_the_result_alone_when_refusing(void **state)
{
    struct ptp_vector v = *vector_of(MT_PTP_ANNOUNCE);
    struct mt_ptp_message message;
    struct mt_ptp_message before;

    (void)state;
    memset(&message, 0x5A, sizeof message);
    memcpy(&before, &message, sizeof message);
    assert_int_equal(mt_ptp_parse(NULL, 0, &message), MT_VERDICT_SHORT);
    assert_int_equal(mt_ptp_parse(v.octets, v.length - 1, &message), MT_VERDICT_LENGTH);
    v.octets[40] = 0xFF;
    assert_int_equal(mt_ptp_parse(v.octets, v.length, &message), MT_VERDICT_FIELD);
    assert_memory_equal(&message, &before, sizeof message);
}

static void ptp_wire_writes_nothing_when_room_is_short(void **state)
{
    uint8_t buffer[VECTOR_OCTETS_MAX];
    struct mt_ptp_message message;

    (void)state;
    for (size_t i = 0; i < vector_count; i++) {
        assert_int_equal(mt_ptp_parse(vectors[i].octets, vectors[i].length, &message), 0);
        for (size_t capacity = 0; capacity < vectors[i].length; capacity++) {
            buffer[0] = 0xA5;
            assert_int_equal(mt_ptp_write(&message, buffer, capacity), 0);
            assert_int_equal(buffer[0], 0xA5);
        }
    }
}

static void ptp_wire_writes_nothing_when_message_is_impossible(void **state)
{
    static uint8_t tlvs[MT_PTP_MESSAGE_MAX];
    static uint8_t buffer[MT_PTP_MESSAGE_MAX + 100];
    struct mt_ptp_message message = {.header = {.type = MT_PTP_SYNC}, .tlvs = tlvs};

    (void)state;
    message.tlvs_length = MT_PTP_MESSAGE_MAX - 44;
    assert_int_equal(mt_ptp_write(&message, buffer, sizeof buffer), MT_PTP_MESSAGE_MAX);
    message.tlvs_length += 2;
    assert_int_equal(mt_ptp_write(&message, buffer, sizeof buffer), 0);
    message.tlvs_length = SIZE_MAX; /* no wrap-around */
    assert_int_equal(mt_ptp_write(&message, buffer, sizeof buffer), 0);
    message.tlvs_length = 0;
    for (int type = 4; type <= 16; type++) {
        message.header.type = (enum mt_ptp_type)type;
        assert_int_equal(mt_ptp_write(&message, buffer, sizeof buffer) > 0, type >= 8 && type < 14);
    }
}

static void ptp_wire_writes_in_place_when_tlvs_stand_there_already(void **state)
{
    const struct ptp_vector *v = vector_of(MT_PTP_ANNOUNCE);
    struct mt_ptp_message message;
    uint8_t buffer[VECTOR_OCTETS_MAX];

    (void)state;
    assert_int_equal(mt_ptp_parse(v->octets, v->length, &message), MT_VERDICT_ACCEPTED);
    memset(buffer, 0, sizeof buffer);
    memcpy(buffer + MT_PTP_ANNOUNCE_SIZE, message.tlvs, message.tlvs_length);
    message.tlvs = buffer + MT_PTP_ANNOUNCE_SIZE;
    assert_int_equal(mt_ptp_write(&message, buffer, sizeof buffer), v->length);
    assert_memory_equal(buffer, v->octets, v->length);
}

static void ptp_wire_writes_control_fields_when_version_1_would_read_them(void **state)
{
    static const int control[16] = {0, 1, 5, 5, -1, -1, -1, -1, 2, 3, 5, 5, 5, 4, -1, -1};
    uint8_t buffer[64];

    (void)state;
    for (int type = 0; type < 16; type++) {
        struct mt_ptp_message message = {.header = {.type = (enum mt_ptp_type)type}};

        if (control[type] >= 0) {
            assert_true(mt_ptp_write(&message, buffer, sizeof buffer) > 0);
            assert_int_equal(buffer[32], control[type]);
        }
    }
}

static void ptp_wire_writes_zeros_when_octets_are_reserved(void **state)
{
    struct mt_ptp_message message = {.header = {.type = MT_PTP_PDELAY_REQ}};
    uint8_t buffer[64];

    (void)state;
    memset(buffer, 0xEE, sizeof buffer);
    memset(&message.body, 0xA5, sizeof message.body);
    assert_int_equal(mt_ptp_write(&message, buffer, sizeof buffer), 54);
    assert_int_equal(buffer[43], 0xA5);
    for (size_t i = 44; i < 54; i++) {
        assert_int_equal(buffer[i], 0);
    }
    message.header.type = MT_PTP_MANAGEMENT;
    message.body.management.action = 0xF3;
    assert_int_equal(mt_ptp_write(&message, buffer, sizeof buffer), 48);
    assert_int_equal(buffer[46], 3);
    assert_int_equal(buffer[47], 0);
    message.header.type = MT_PTP_ANNOUNCE;
    assert_int_equal(mt_ptp_write(&message, buffer, sizeof buffer), 64);
    assert_int_equal(buffer[46], 0);
}

static void ptp_wire_orders_by_octets_when_identities_are_compared(void **state)
{
    struct mt_port_identity a = {{{1, 2, 3, 4, 5, 6, 7, 8}}, 0x0100};
    struct mt_port_identity b = a;

    (void)state;
    assert_true(mt_port_identity_equal(&a, &b));
    assert_int_equal(mt_port_identity_compare(&a, &b), 0);
    b.port = 0x00FF;
    assert_false(mt_port_identity_equal(&a, &b));
    assert_true(mt_clock_identity_equal(&a.clock, &b.clock));
    assert_int_equal(mt_port_identity_compare(&a, &b), 1);
    assert_int_equal(mt_port_identity_compare(&b, &a), -1);
    b.clock.octet[7] = 0xFF; /* the clock goes first, and octets have no sign */
    assert_int_equal(mt_port_identity_compare(&a, &b), -1);
    assert_int_equal(mt_clock_identity_compare(&b.clock, &a.clock), 1);
    assert_false(mt_clock_identity_equal(&a.clock, &b.clock));
    b.clock = a.clock;
    b.clock.octet[0] = 0;
    assert_int_equal(mt_clock_identity_compare(&b.clock, &a.clock), -1);
}

static void ptp_wire_calls_it_an_event_when_it_is_timestamped(void **state)
{
    (void)state;
    for (int type = 0; type < 16; type++) {
        assert_int_equal(mt_ptp_is_event((enum mt_ptp_type)type), type <= 3);
    }
}

static void ptp_wire_splits_instants_when_they_have_fractions(void **state)
{
    struct mt_instant at = {1700000000, 999999999, 65535, MT_SCALE_TAI};
    struct mt_interval fraction;
    struct mt_ptp_timestamp stamp;
    struct mt_instant back;

    (void)state;
    mt_ptp_timestamp_from_instant(&at, &stamp, &fraction);
    back = mt_ptp_timestamp_to_instant(&stamp, MT_SCALE_TAI);
    assert_true(stamp.s == 1700000000 && stamp.ns == 999999999);
    assert_true(fraction.q16 == 65535);
    assert_int_equal(back.scale, MT_SCALE_TAI);
    assert_int_equal(mt_instant_compare(mt_instant_plus(back, mt_span_from_interval(fraction)), at),
                     0);
}

static void ptp_wire_clamps_instants_when_48_bits_cannot_hold_them(void **state)
{
    struct mt_instant at = {-1, 5, 6, MT_SCALE_ARB};
    struct mt_interval fraction = {99};
    struct mt_ptp_timestamp stamp;

    (void)state;
    mt_ptp_timestamp_from_instant(&at, &stamp, &fraction);
    assert_true(stamp.s == 0 && stamp.ns == 0 && fraction.q16 == 0);
    fraction.q16 = 99;
    at.s = INT64_C(1) << 48;
    mt_ptp_timestamp_from_instant(&at, &stamp, &fraction);
    assert_true(stamp.s == (UINT64_C(1) << 48) - 1 && stamp.ns == 999999999 && fraction.q16 == 0);
    at.s--;
    mt_ptp_timestamp_from_instant(&at, &stamp, &fraction);
    assert_true(stamp.s == (UINT64_C(1) << 48) - 1 && stamp.ns == 5 && fraction.q16 == 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ptp_wire_gives_the_values_when_vectors_are_parsed),
        cmocka_unit_test(ptp_wire_gives_the_octets_when_values_are_written),
        cmocka_unit_test(ptp_wire_refuses_when_frame_is_truncated),
        cmocka_unit_test(ptp_wire_refuses_when_message_is_truncated),
        cmocka_unit_test(ptp_wire_refuses_or_survives_round_trip_when_a_bit_is_flipped),
        cmocka_unit_test(ptp_wire_ignores_padding_when_frame_is_longer_than_message),
        cmocka_unit_test(ptp_wire_accepts_any_minor_version_when_version_is_2),
        cmocka_unit_test(ptp_wire_refuses_the_type_when_it_is_reserved),
        cmocka_unit_test(ptp_wire_refuses_the_field_when_nanoseconds_make_a_second),
        cmocka_unit_test(ptp_wire_refuses_the_tlv_when_it_is_not_whole),
        cmocka_unit_test(ptp_wire_ignores_reserved_fields_when_parsing),
        cmocka_unit_test(ptp_wire_leaves_the_result_alone_when_refusing),
        cmocka_unit_test(ptp_wire_writes_nothing_when_room_is_short),
        cmocka_unit_test(ptp_wire_writes_nothing_when_message_is_impossible),
        cmocka_unit_test(ptp_wire_writes_in_place_when_tlvs_stand_there_already),
        cmocka_unit_test(ptp_wire_writes_control_fields_when_version_1_would_read_them),
        cmocka_unit_test(ptp_wire_writes_zeros_when_octets_are_reserved),
        cmocka_unit_test(ptp_wire_orders_by_octets_when_identities_are_compared),
        cmocka_unit_test(ptp_wire_calls_it_an_event_when_it_is_timestamped),
        cmocka_unit_test(ptp_wire_splits_instants_when_they_have_fractions),
        cmocka_unit_test(ptp_wire_clamps_instants_when_48_bits_cannot_hold_them),
    };
    return cmocka_run_group_tests(tests, read_vectors, NULL);
}
