/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Byte cursors: each width big-endian, signs, bounds, and that a failure sticks.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/cursor.h"

static const uint8_t counting[] = {0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88};

static struct mt_reader over(size_t length)
{
    struct mt_reader reader;

    mt_reader_init(&reader, counting, length);
    return reader;
}

static void cursor_reads_big_endian_when_fields_are_unsigned(void **state)
{
    struct mt_reader r;

    (void)state;
    r = over(8);
    assert_int_equal(mt_reader_u8(&r), 0x81);
    assert_int_equal(r.left, 7);
    r = over(8);
    assert_int_equal(mt_reader_u16(&r), 0x8182);
    r = over(8);
    assert_int_equal(mt_reader_u24(&r), 0x818283);
    r = over(8);
    assert_int_equal(mt_reader_u32(&r), 0x81828384);
    r = over(8);
    assert_true(mt_reader_u48(&r) == UINT64_C(0x818283848586));
    r = over(8);
    assert_true(mt_reader_u64(&r) == UINT64_C(0x8182838485868788));
    assert_int_equal(r.left, 0);
    assert_false(r.failed);
}

static void cursor_keeps_the_sign_when_fields_are_signed(void **state)
{
    static const uint8_t lowest[8] = {0x80};
    static const uint8_t highest[8] = {0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};
    struct mt_reader r;

    (void)state;
    r = over(8);
    assert_int_equal(mt_reader_i8(&r), -0x7F);
    r = over(8);
    assert_int_equal(mt_reader_i16(&r), 0x8182 - 0x10000);
    r = over(8);
    assert_int_equal(mt_reader_i32(&r), INT64_C(0x81828384) - INT64_C(0x100000000));
    r = over(8);
    assert_true(mt_reader_i64(&r) == -INT64_C(0x7E7D7C7B7A797878));
    for (int i = 0; i < 2; i++) {
        const uint8_t *octets = i == 0 ? lowest : highest;

        mt_reader_init(&r, octets, 8);
        assert_int_equal(mt_reader_i8(&r), i == 0 ? INT8_MIN : INT8_MAX);
        mt_reader_init(&r, octets, 8);
        assert_int_equal(mt_reader_i16(&r), i == 0 ? INT16_MIN : INT16_MAX);
        mt_reader_init(&r, octets, 8);
        assert_int_equal(mt_reader_i32(&r), i == 0 ? INT32_MIN : INT32_MAX);
        mt_reader_init(&r, octets, 8);
        assert_true(mt_reader_i64(&r) == (i == 0 ? INT64_MIN : INT64_MAX));
    }
}

static void cursor_fails_for_good_when_read_over_the_end(void **state)
{
    struct mt_reader r = over(3);
    size_t length = 99;

    (void)state;
    assert_int_equal(mt_reader_u32(&r), 0);
    assert_true(r.failed);
    assert_int_equal(mt_reader_u8(&r), 0); /* the three octets are not to be had any more */
    assert_null(mt_reader_octets(&r, 0));
    assert_null(mt_reader_octets(&r, 1));
    assert_null(mt_reader_rest(&r, &length));
    assert_int_equal(length, 0);
    assert_true(r.failed);
}

static void cursor_fails_when_each_width_is_one_octet_short(void **state)
{
    struct mt_reader r;

    (void)state;
    r = over(0);
    assert_int_equal(mt_reader_u8(&r), 0);
    assert_true(r.failed);
    r = over(1);
    assert_int_equal(mt_reader_u16(&r), 0);
    assert_true(r.failed);
    r = over(2);
    assert_int_equal(mt_reader_u24(&r), 0);
    assert_true(r.failed);
    r = over(5);
    assert_true(mt_reader_u48(&r) == 0);
    assert_true(r.failed);
    r = over(7);
    assert_true(mt_reader_u64(&r) == 0);
    assert_true(r.failed);
    r = over(8);
    assert_null(mt_reader_octets(&r, 9));
    assert_true(r.failed);
    r = over(8);
    (void)mt_reader_u8(&r);
    assert_null(mt_reader_octets(&r, SIZE_MAX)); /* no wrap-around */
    assert_true(r.failed);
}

static void cursor_gives_views_when_octets_are_asked_for(void **state)
{
    struct mt_reader r = over(8);
    size_t length = 0;

    (void)state;
    assert_ptr_equal(mt_reader_octets(&r, 3), counting);
    assert_ptr_equal(mt_reader_rest(&r, &length), counting + 3);
    assert_int_equal(length, 5);
    assert_int_equal(r.left, 0);
    assert_false(r.failed);
}

static void cursor_accepts_null_when_nothing_is_there(void **state)
{
    struct mt_reader r;
    struct mt_writer w;

    (void)state;
    mt_reader_init(&r, NULL, 0);
    (void)mt_reader_octets(&r, 0);
    assert_false(r.failed);
    mt_writer_init(&w, NULL, 0);
    mt_writer_octets(&w, NULL, 0);
    mt_writer_zeros(&w, 0);
    assert_false(w.failed);
    mt_writer_u8(&w, 1);
    assert_true(w.failed);
}

static void cursor_writes_what_it_reads_when_fields_are_mixed(void **state)
{
    static const uint8_t expected[] = {1, 2, 3,    0xA1, 0xA2, 0xA3, 0xDE, 0xAD, 0xBE, 0xEF, 6,
                                       7, 8, 9,    10,   11,   0x80, 0,    0,    0,    0,    0,
                                       0, 1, 0xFF, 0xFF, 0xFE, 0xFF, 0xFF, 0xFF, 0xFD, 0x80, 0,
                                       0, 0, 0,    0,    0,    0,    0x82, 0x83, 0,    0};
    uint8_t buffer[sizeof expected];
    struct mt_writer w;
    struct mt_reader r;

    (void)state;
    mt_writer_init(&w, buffer, sizeof buffer);
    mt_writer_u8(&w, 1);
    mt_writer_u16(&w, 0x0203);
    mt_writer_u24(&w, 0xA1A2A3);
    mt_writer_u32(&w, 0xDEADBEEF);
    mt_writer_u48(&w, UINT64_C(0x060708090A0B));
    mt_writer_u64(&w, UINT64_C(0x8000000000000001));
    mt_writer_i8(&w, -1);
    mt_writer_i16(&w, -2);
    mt_writer_i32(&w, -3);
    mt_writer_i64(&w, INT64_MIN);
    mt_writer_octets(&w, counting + 1, 2);
    mt_writer_zeros(&w, 2);
    assert_int_equal(mt_writer_length(&w), sizeof expected);
    assert_memory_equal(buffer, expected, sizeof expected);

    mt_reader_init(&r, buffer, sizeof buffer);
    (void)mt_reader_octets(&r, 24);
    assert_int_equal(mt_reader_i8(&r), -1);
    assert_int_equal(mt_reader_i16(&r), -2);
    assert_int_equal(mt_reader_i32(&r), -3);
    assert_true(mt_reader_i64(&r) == INT64_MIN);
    assert_false(r.failed);
}

static void cursor_writes_low_bits_only_when_value_is_too_wide(void **state)
{
    uint8_t buffer[9];
    struct mt_writer w;

    (void)state;
    mt_writer_init(&w, buffer, sizeof buffer);
    mt_writer_u24(&w, 0xFF010203);
    mt_writer_u48(&w, UINT64_C(0xFFFF040506070809));
    for (uint8_t i = 0; i < 9; i++) {
        assert_int_equal(buffer[i], i + 1);
    }
}

static void cursor_touches_nothing_when_room_is_short(void **state)
{
    uint8_t buffer[4] = {9, 9, 9, 9};
    struct mt_writer w;

    (void)state;
    mt_writer_init(&w, buffer, 3);
    mt_writer_u8(&w, 1);
    mt_writer_u24(&w, 0x020304);
    assert_true(w.failed);
    mt_writer_u8(&w, 5);
    mt_writer_octets(&w, counting, 1);
    mt_writer_zeros(&w, 1);
    assert_int_equal(mt_writer_length(&w), 0);
    assert_int_equal(buffer[0], 1);
    assert_int_equal(buffer[1], 9);
    assert_int_equal(buffer[3], 9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cursor_reads_big_endian_when_fields_are_unsigned),
        cmocka_unit_test(cursor_keeps_the_sign_when_fields_are_signed),
        cmocka_unit_test(cursor_fails_for_good_when_read_over_the_end),
        cmocka_unit_test(cursor_fails_when_each_width_is_one_octet_short),
        cmocka_unit_test(cursor_gives_views_when_octets_are_asked_for),
        cmocka_unit_test(cursor_accepts_null_when_nothing_is_there),
        cmocka_unit_test(cursor_writes_what_it_reads_when_fields_are_mixed),
        cmocka_unit_test(cursor_writes_low_bits_only_when_value_is_too_wide),
        cmocka_unit_test(cursor_touches_nothing_when_room_is_short),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
