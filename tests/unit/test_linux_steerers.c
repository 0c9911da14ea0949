/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Who else steers a clock, over a /proc of the test's own.
 */
#include "platform/linux/linux_steerers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define WITH_TIME    "Name:\tx\nCapEff:\t0000000002000000\n"
#define WITHOUT_TIME "Name:\tx\nCapEff:\t0000000001000400\n"

static char proc[] = "/tmp/steerers.XXXXXX";

static int set_up(void **state)
{
    strcpy(proc, "/tmp/steerers.XXXXXX");
    return mkdtemp(proc) != NULL ? 0 : -1;
}

static int tear_down(void **state)
{
    char command[80];
    snprintf(command, sizeof command, "rm -r %s", proc);
    return system(command);
}

static void put(int process, const char *name, const char *content, size_t length)
{
    char path[80];
    snprintf(path, sizeof path, "%s/%d", proc, process);
    (void)mkdir(path, 0700);
    snprintf(path, sizeof path, "%s/%d/%s", proc, process, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(content, 1, length, file), length);
    fclose(file);
}

/* `arguments` separated by blanks; `status` may be null */
static void run(int process, const char *comm, const char *arguments, const char *status)
{
    char text[200];
    size_t length = strlen(arguments);
    snprintf(text, sizeof text, "%s\n", comm);
    put(process, "comm", text, strlen(text));
    memcpy(text, arguments, length + 1);
    for (size_t i = 0; i < length; i++) {
        text[i] = text[i] == ' ' ? '\0' : text[i];
    }
    put(process, "cmdline", text, length + 1);
    if (status != NULL) {
        put(process, "status", status, strlen(status));
    }
}

static void open_device(int process, const char *device)
{
    char path[80];
    snprintf(path, sizeof path, "%s/%d/fd", proc, process);
    assert_int_equal(mkdir(path, 0700), 0);
    strcat(path, "/3");
    assert_int_equal(symlink(device, path), 0);
}

static const char *of(const char *device)
{
    static char text[MT_STEERERS_TEXT];
    mt_linux_steerers(proc, device, 999, text);
    return text;
}

static void steerers_are_nobody_when_none_is_known(void **state)
{
    run(1, "systemd", "/sbin/init", WITH_TIME);
    run(999, "meantimed", "meantimed", WITH_TIME);
    put(12, "status", WITH_TIME, strlen(WITH_TIME)); /* it ends while we look */
    assert_string_equal(of(NULL), "");
    assert_string_equal(of("/dev/ptp0"), "");
    mt_linux_steerers("/nowhere", NULL, 1, (char[MT_STEERERS_TEXT]){""});
}

static void steerers_are_named_when_they_steer_the_machines_clock(void **state)
{
    static const char *const names[][2] = {
        {"chronyd", "chronyd"},
        {"ntpd", "ntpd"},
        {"systemd-timesyn", "systemd-timesyncd"},
        {"adjtimex", "adjtimex"},
        {"meantimed", "meantimed"},
    };
    char wanted[80];
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        run(77, names[i][0], names[i][0], WITH_TIME);
        snprintf(wanted, sizeof wanted, "%s (process 77)", names[i][1]);
        assert_string_equal(of(NULL), wanted);
        run(77, names[i][0], names[i][0], WITHOUT_TIME);
        assert_string_equal(of(NULL), "");
    }
    run(77, "chronyd", "/usr/sbin/chronyd -d -x", WITH_TIME);
    assert_string_equal(of(NULL), "");
    run(77, "chronyd", "/usr/sbin/chronyd -F 1", WITH_TIME);
    run(78, "chronyd", "/usr/sbin/chronyd -F 1", WITH_TIME);
    assert_non_null(strstr(of(NULL), "chronyd (process 7"));
    assert_null(strstr(of(NULL), ","));
}

static void steerers_are_told_by_their_arguments_when_they_have_targets(void **state)
{
    run(80, "phc2sys", "phc2sys -s eth0 -w", WITH_TIME);
    assert_string_equal(of(NULL), "phc2sys (process 80)");
    assert_string_equal(of("/dev/ptp0"), "");
    run(80, "phc2sys", "phc2sys -s CLOCK_REALTIME -c eth0 -O 37", WITH_TIME);
    assert_string_equal(of(NULL), "");
    assert_string_equal(of("/dev/ptp0"), "phc2sys (process 80)");
    run(80, "phc2sys", "phc2sys -a -r", WITH_TIME);
    assert_string_equal(of(NULL), "phc2sys (process 80)");
    run(80, "phc2sys", "phc2sys -a", WITH_TIME);
    assert_string_equal(of(NULL), "");
    run(80, "ptp4l", "ptp4l -i eth0 -m", WITH_TIME);
    assert_string_equal(of(NULL), "");
    assert_string_equal(of("/dev/ptp0"), "ptp4l (process 80)");
    run(80, "ptp4l", "ptp4l -i eth0 -mS", WITH_TIME);
    assert_string_equal(of(NULL), "ptp4l (process 80)");
}

static void steerers_of_a_hardware_clock_have_it_open_when_that_can_be_seen(void **state)
{
    run(80, "ptp4l", "ptp4l -i eth0", NULL);
    open_device(80, "/dev/ptp1");
    run(81, "ts2phc", "ts2phc", NULL);
    open_device(81, "/dev/ptp10");
    assert_string_equal(of("/dev/ptp1"), "ptp4l (process 80)");
    assert_string_equal(of("/dev/ptp0"), "");
}

static void steerers_are_as_many_as_have_room_when_there_are_many(void **state)
{
    static const char *const names[] = {"chronyd", "ntpd",    "ptpd",   "ptpd2",  "sntp",
                                        "rdate",   "ntpdate", "sfptpd", "statime"};
    for (int i = 0; i < 9; i++) {
        run(1000000 + i, names[i], names[i], WITH_TIME);
    }
    assert_true(strlen(of(NULL)) > 80);
    assert_true(strlen(of(NULL)) < MT_STEERERS_TEXT);
    assert_int_equal(of(NULL)[strlen(of(NULL)) - 1], ')');
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(steerers_are_nobody_when_none_is_known),
        TEST(steerers_are_named_when_they_steer_the_machines_clock),
        TEST(steerers_are_told_by_their_arguments_when_they_have_targets),
        TEST(steerers_of_a_hardware_clock_have_it_open_when_that_can_be_seen),
        TEST(steerers_are_as_many_as_have_room_when_there_are_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
