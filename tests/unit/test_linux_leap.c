/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * TAI-UTC from a list and from the kernel, and when it is looked up.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timex.h>
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

static void leap_list_says_how_long_it_is_good(void **state)
{
    const int64_t ends = INT64_C(4000000000) - INT64_C(2208988800);
    struct mt_linux_leap leap;

    (void)state;
    assert_true(read_list(list_text, ends - 61 * 86400, &leap));
    assert_int_equal(mt_leap_list_of(&leap, ends - 61 * 86400), MT_LEAP_LIST_GOOD);
    assert_int_equal(mt_leap_list_of(&leap, ends - 59 * 86400), MT_LEAP_LIST_ENDS);
    assert_int_equal(mt_leap_list_of(&leap, ends), MT_LEAP_LIST_EXPIRED);
    assert_int_equal(leap.slack_s, 0);
    assert_true(read_list(list_text, ends, &leap));
    assert_int_equal(leap.slack_s, 1);
    assert_true(read_list(list_text, ends + 366 * 86400, &leap));
    assert_int_equal(leap.slack_s, 3); /* two a year are the most */
    assert_false(mt_leap_from_list("/nowhere", 0, &leap));
    assert_int_equal(mt_leap_list_of(&leap, ends), MT_LEAP_LIST_ABSENT);
}

/* What another program has told it may be the offset of GPS. */
static void leap_of_the_kernel_is_not_believed_when_it_cannot_be(void **state)
{
    const struct timex gps = {.tai = 18};
    const struct timex later = {.tai = 38};
    struct mt_linux_leap leap = {.origin = MT_LEAP_LIST, .tai_minus_utc_s = 37, .slack_s = 2};

    (void)state;
    mt_leap_from_kernel(&gps, TIME_OK, 0, false, &leap);
    assert_int_equal(leap.origin, MT_LEAP_LIST);
    assert_int_equal(leap.tai_minus_utc_s, 37);
    assert_int_equal(leap.kernel_s, 18);
    mt_leap_from_kernel(&later, TIME_OK, 0, false, &leap);
    assert_int_equal(leap.origin, MT_LEAP_KERNEL);
    assert_int_equal(leap.tai_minus_utc_s, 38);
}

#define DAY INT64_C(86400)

static int32_t change_in_state(int status, int state, int64_t kernel_utc_s, int32_t listed)
{
    const struct timex kernel = {.tai = 37, .status = status, .time.tv_sec = kernel_utc_s};
    struct mt_linux_leap leap = {.origin = MT_LEAP_LIST, .tai_minus_utc_s = 35};

    leap.next_change = listed;
    mt_leap_from_kernel(&kernel, state, 20000 * DAY + 5, false, &leap);
    assert_int_equal(leap.origin, MT_LEAP_KERNEL);
    assert_int_equal(leap.tai_minus_utc_s, 37);
    return leap.next_change;
}

static void leap_of_the_kernel_counts_by_its_state(void **state)
{
    const int64_t now_s = 20000 * DAY + 7;

    (void)state;
    assert_int_equal(change_in_state(STA_INS, TIME_INS, now_s, 0), 1);
    assert_int_equal(change_in_state(STA_INS, TIME_OK, now_s, 0), 1);
    assert_int_equal(change_in_state(STA_DEL, TIME_DEL, now_s, 0), -1);
    assert_int_equal(change_in_state(0, TIME_OK, now_s, 1), 1);
    assert_int_equal(change_in_state(STA_INS, TIME_OOP, now_s, 1), 0);  /* just now */
    assert_int_equal(change_in_state(STA_INS, TIME_WAIT, now_s, 0), 0); /* it is over */
    assert_int_equal(change_in_state(STA_INS | STA_UNSYNC, TIME_ERROR, now_s, 0), 0);
    assert_int_equal(change_in_state(STA_INS, TIME_INS, now_s - 3000 * DAY, 0), 0);
}

static void leap_of_the_kernel_is_nothing_when_it_was_not_told(void **state)
{
    const struct timex kernel = {.tai = 0, .status = STA_INS};
    struct mt_linux_leap leap = {.origin = MT_LEAP_LIST, .tai_minus_utc_s = 37};

    (void)state;
    mt_leap_from_kernel(&kernel, TIME_INS, 0, false, &leap);
    assert_int_equal(leap.origin, MT_LEAP_LIST);
    assert_int_equal(leap.next_change, 0);
    mt_leap_from_kernel(&(struct timex){.tai = 3}, -1, 0, false, &leap);
    assert_int_equal(leap.tai_minus_utc_s, 37);
}

/* Else a leap second that was taken back would come back. */
static void leap_of_the_kernel_is_no_news_when_it_has_it_of_us(void **state)
{
    const struct timex kernel = {.tai = 36, .status = STA_INS, .time.tv_sec = 20000 * DAY + 7};
    struct mt_linux_leap leap = {.origin = MT_LEAP_UNKNOWN};

    (void)state;
    mt_leap_from_kernel(&kernel, TIME_INS, 20000 * DAY + 5, true, &leap);
    assert_int_equal(leap.origin, MT_LEAP_KERNEL);
    assert_int_equal(leap.tai_minus_utc_s, 36);
    assert_int_equal(leap.next_change, 0);
}

/* The kernel may have it of an older list. */
static void leap_of_the_kernel_gives_way_when_the_list_is_good(void **state)
{
    const struct timex kernel = {.tai = 36, .status = STA_INS, .time.tv_sec = 20000 * DAY + 7};
    struct mt_linux_leap leap = {
        .origin = MT_LEAP_LIST, .tai_minus_utc_s = 37, .list_expires_s = 20001 * DAY};

    (void)state;
    mt_leap_from_kernel(&kernel, TIME_INS, 20000 * DAY + 5, false, &leap);
    assert_int_equal(leap.origin, MT_LEAP_LIST);
    assert_int_equal(leap.tai_minus_utc_s, 37);
    assert_int_equal(leap.next_change, 1);
    leap.list_has_expired = true;
    mt_leap_from_kernel(&kernel, TIME_INS, 20000 * DAY + 5, false, &leap);
    assert_int_equal(leap.tai_minus_utc_s, 36);
}

static void leap_watch_is_due_when_a_day_begins_or_an_hour_has_passed(void **state)
{
    const int64_t hour_ns = INT64_C(3600000000000);
    struct mt_leap_watch watch = {20000 * DAY - 10, 0, 0};

    (void)state;
    assert_false(mt_leap_watch_is_due(&watch, 20000 * DAY - 1, true, 9));
    assert_true(mt_leap_watch_is_due(&watch, 20000 * DAY, true, 10)); /* it may have slept */
    assert_false(mt_leap_watch_is_due(&watch, 20000 * DAY + 1, true, 11));
    assert_true(mt_leap_watch_is_due(&watch, 20000 * DAY + 3601, true, 11 + hour_ns));
    assert_false(mt_leap_watch_is_due(&watch, 20000 * DAY + 3602, true, 12 + hour_ns));
}

/* the new TAI-UTC makes UTC one second less */
static void leap_watch_does_not_go_back_when_a_second_is_repeated(void **state)
{
    struct mt_leap_watch watch = {20000 * DAY - 10, 0, 0};

    (void)state;
    assert_true(mt_leap_watch_is_due(&watch, 20000 * DAY, true, 10));
    for (int64_t hours = 0; hours < 5; hours++) {
        assert_false(
            mt_leap_watch_is_due(&watch, 20000 * DAY - 1, true, hours * INT64_C(3600000000000)));
    }
    assert_false(mt_leap_watch_is_due(&watch, 20000 * DAY, true, 5 * INT64_C(3600000000000) - 1));
}

static void leap_watch_does_not_go_back_when_the_machine_is_set(void **state)
{
    const int64_t hour_ns = INT64_C(3600000000000);
    struct mt_leap_watch watch = {20000 * DAY - 10, 0, 0};

    (void)state;
    assert_false(mt_leap_watch_is_due(&watch, 15000 * DAY, false, hour_ns));
    assert_true(mt_leap_watch_is_due(&watch, 20000 * DAY, false, hour_ns + 1));
    assert_false(mt_leap_watch_is_due(&watch, 15000 * DAY, false, 2 * hour_ns + 1));
    /* but when our own clock was wrong, it was */
    assert_true(mt_leap_watch_is_due(&watch, 15000 * DAY, true, 3 * hour_ns + 1));
}

/* Before the list was made it cannot be; but a time that was far ahead may come back. */
static void leap_watch_goes_back_when_the_machine_was_far_ahead(void **state)
{
    const int64_t hour_ns = INT64_C(3600000000000);
    struct mt_leap_watch watch = {24855 * DAY, 0, 20000 * DAY};

    (void)state;
    assert_false(mt_leap_watch_is_due(&watch, 20000 * DAY - 1, false, hour_ns));
    assert_true(mt_leap_watch_is_due(&watch, 20400 * DAY, false, 2 * hour_ns));
    assert_int_equal(watch.utc_s, 20400 * DAY);
    assert_true(mt_leap_watch_is_due(&watch, 20401 * DAY, false, 2 * hour_ns + 1));
    assert_false(mt_leap_watch_is_due(&watch, 20401 * DAY - 1, false, 4 * hour_ns));
}

static void leap_list_says_when_it_was_made(void **state)
{
    struct mt_linux_leap leap;

    (void)state;
    assert_true(read_list("#$ 3800000000\n3692217600 37\n", DAY * 20000, &leap));
    assert_int_equal(leap.list_made_s, INT64_C(3800000000) - INT64_C(2208988800));
    assert_true(read_list("3692217600 37\n", DAY * 20000, &leap));
    assert_int_equal(leap.list_made_s, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(leap_list_gives_the_value_of_the_day),
        cmocka_unit_test(leap_list_is_used_when_it_has_expired),
        cmocka_unit_test(leap_list_says_how_long_it_is_good),
        cmocka_unit_test(leap_of_the_kernel_is_not_believed_when_it_cannot_be),
        cmocka_unit_test(leap_of_the_kernel_counts_by_its_state),
        cmocka_unit_test(leap_of_the_kernel_is_nothing_when_it_was_not_told),
        cmocka_unit_test(leap_of_the_kernel_is_no_news_when_it_has_it_of_us),
        cmocka_unit_test(leap_of_the_kernel_gives_way_when_the_list_is_good),
        cmocka_unit_test(leap_watch_is_due_when_a_day_begins_or_an_hour_has_passed),
        cmocka_unit_test(leap_watch_does_not_go_back_when_a_second_is_repeated),
        cmocka_unit_test(leap_watch_does_not_go_back_when_the_machine_is_set),
        cmocka_unit_test(leap_watch_goes_back_when_the_machine_was_far_ahead),
        cmocka_unit_test(leap_list_says_when_it_was_made),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
