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
    assert_int_equal(r.left, 2);
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
    assert_int_equal(mt_reader_i32(&r), INT64_C(0x81828384) - INT64_C(0x100000000));
    for (int i = 0; i < 2; i++) {
        const uint8_t *octets = i == 0 ? lowest : highest;

        mt_reader_init(&r, octets, 8);
        assert_int_equal(mt_reader_i8(&r), i == 0 ? INT8_MIN : INT8_MAX);
        mt_reader_init(&r, octets, 8);
        assert_int_equal(mt_reader_i32(&r), i == 0 ? INT32_MIN : INT32_MAX);
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
    r = over(3);
    assert_int_equal(mt_reader_i32(&r), 0);
    assert_true(r.failed);
    r = over(5);
    assert_true(mt_reader_u48(&r) == 0);
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

    (void)state;
    mt_reader_init(&r, NULL, 0);
    (void)mt_reader_octets(&r, 0);
    assert_false(r.failed);
    (void)mt_reader_u8(&r);
    assert_true(r.failed);
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
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
