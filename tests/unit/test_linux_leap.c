/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * TAI-UTC from a list.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "platform/linux/linux_leap.h"

static const char list_text[] = "#\tcomment 5 6\n"
                                "#$\t 3960835200\n"
                                "#@\t4000000000\n"
                                "2272060800\t10\t# 1 Jan 1972\n"
                                "not a line\n"
                                "3692217600\t37\t# 1 Jan 2017\n"
                                "3900009600\t36\t# 2023-08-03\n";

static bool read_list(const char *text, int64_t now_utc_s, struct mt_linux_leap *ret_leap)
{
    char path[] = "/tmp/meantime-leap-XXXXXX";
    int fd = mkstemp(path);
    bool is_known;

    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
    is_known = mt_leap_from_list(path, now_utc_s, ret_leap);
    unlink(path);
    return is_known;
}

static void leap_list_gives_the_value_of_the_day(void **state)
{
    const int64_t change = INT64_C(3900009600) - INT64_C(2208988800);
    struct mt_linux_leap leap;

    (void)state;
    assert_false(read_list(list_text, 0, &leap)); /* before 1972 */
    assert_true(read_list(list_text, change - 2 * 86400, &leap));
    assert_int_equal(leap.origin, MT_LEAP_LIST);
    assert_int_equal(leap.tai_minus_utc_s, 37);
    assert_int_equal(leap.next_change, 0);
    assert_true(read_list(list_text, change - 1, &leap));
    assert_int_equal(leap.tai_minus_utc_s, 37);
    assert_int_equal(leap.next_change, -1);
    assert_false(leap.list_has_expired);
    assert_true(read_list(list_text, change, &leap));
    assert_int_equal(leap.tai_minus_utc_s, 36);
    assert_int_equal(leap.next_change, 0);
}

static void leap_list_is_used_when_it_has_expired(void **state)
{
    struct mt_linux_leap leap;

    (void)state;
    assert_true(read_list(list_text, INT64_C(4000000000) - INT64_C(2208988800), &leap));
    assert_true(leap.list_has_expired);
    assert_int_equal(leap.list_expires_s, INT64_C(4000000000) - INT64_C(2208988800));
    assert_int_equal(leap.tai_minus_utc_s, 36);
    assert_false(mt_leap_from_list("/nowhere", 0, &leap));
    assert_int_equal(leap.origin, MT_LEAP_UNKNOWN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(leap_list_gives_the_value_of_the_day),
        cmocka_unit_test(leap_list_is_used_when_it_has_expired),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
