/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The command line of images.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "embed/board.h"
#include "firmware/arguments.h"

static char said[256];

void mt_board_print(const char *text)
{
    strcat(said, text);
}

static const char *const line = "fw role=receiver ppb=-50000 xppb=7 sync=+3 address=10.9.0.2";

static void arguments_give_numbers_with_signs(void **state)
{
    assert_int_equal(firmware_number(line, "ppb", 1), -50000);
    assert_int_equal(firmware_number(line, "sync", 1), 3);
    assert_int_equal(firmware_number("a=99999999999999999999", "a", 1) > 0, 1);
}

static void arguments_give_something_else_when_a_key_is_not_there(void **state)
{
    assert_int_equal(firmware_number(line, "delay", -3), -3);
    assert_int_equal(firmware_number("", "delay", 8), 8);
    assert_int_equal(firmware_number("ppbx=1", "ppb", 8), 8);
    assert_int_equal(firmware_number("xppb=1", "ppb", 8), 8);
}

static void arguments_know_a_word_only_when_it_is_whole(void **state)
{
    assert_true(firmware_is(line, "role", "receiver"));
    assert_false(firmware_is(line, "role", "receive"));
    assert_false(firmware_is(line, "role", "receivers"));
    assert_false(firmware_is(line, "roles", "receiver"));
    assert_true(firmware_is("role=a", "role", "a"));
}

static void arguments_read_addresses(void **state)
{
    assert_int_equal(firmware_ipv4(line, "address"), 0x0A090002);
    assert_int_equal(firmware_ipv4(line, "netmask"), 0);
    assert_true(firmware_ipv4("a=255.255.255.0", "a") == 0xFFFFFF00u);
}

static void arguments_print_numbers(void **state)
{
    said[0] = '\0';
    firmware_say("a", 0);
    firmware_say("b", INT64_MIN);
    firmware_say("c", INT64_MAX);
    firmware_end_line();
    assert_string_equal(said, " a=0 b=-9223372036854775808 c=9223372036854775807\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arguments_give_numbers_with_signs),
        cmocka_unit_test(arguments_give_something_else_when_a_key_is_not_there),
        cmocka_unit_test(arguments_know_a_word_only_when_it_is_whole),
        cmocka_unit_test(arguments_read_addresses),
        cmocka_unit_test(arguments_print_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
