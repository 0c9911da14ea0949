/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Virtual clocks, in a /sys/class/ptp of the test's own.
 */
#include "platform/linux/linux_vclock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char sys[40];

static int set_up(void **state)
{
    (void)state;
    strcpy(sys, "/tmp/vclock.XXXXXX");
    return mkdtemp(sys) != NULL ? 0 : -1;
}

static int tear_down(void **state)
{
    char command[60];

    (void)state;
    snprintf(command, sizeof command, "rm -r %s", sys);
    return system(command);
}

static void make(const char *path)
{
    char whole[80];

    snprintf(whole, sizeof whole, "%s/%s", sys, path);
    assert_int_equal(mkdir(whole, 0700), 0);
}

static void vclocks_are_those_beneath_the_device_when_there_are_some(void **state)
{
    int numbers[MT_VCLOCKS_MOST];

    (void)state;
    make("ptp0");
    make("ptp0/power");
    make("ptp0/ptp11");
    make("ptp0/ptp3");
    make("ptp0/ptp4x");
    make("ptp1");
    make("ptp3");
    make("ptp11");
    assert_int_equal(mt_vclock_list(sys, 0, numbers), 2);
    assert_int_equal(numbers[0], 3);
    assert_int_equal(numbers[1], 11);
    assert_int_equal(mt_vclock_list(sys, 1, numbers), 0);
    assert_int_equal(mt_vclock_list(sys, 9, numbers), 0);
    assert_int_equal(mt_vclock_physical(sys, 11), 0);
    assert_int_equal(mt_vclock_physical(sys, 0), 0);
    assert_int_equal(mt_vclock_physical(sys, 1), 1);
    assert_int_equal(mt_vclock_physical("/nowhere", 5), 5);
}

static void vclocks_are_counted_when_the_kernel_has_such_a_thing(void **state)
{
    char path[80];
    FILE *file;
    int fd;

    (void)state;
    make("ptp0");
    assert_int_equal(mt_vclock_count(sys, 0), -1);
    snprintf(path, sizeof path, "%s/ptp0/n_vclocks", sys);
    file = fopen(path, "w");
    assert_non_null(file);
    fputs("0\n", file);
    fclose(file);
    assert_int_equal(mt_vclock_count(sys, 0), 0);
    fd = mt_vclock_open(sys, 0);
    assert_true(fd >= 0);
    assert_true(mt_vclock_set_count(fd, 12));
    assert_int_equal(mt_vclock_count(sys, 0), 12);
    assert_true(mt_vclock_set_count(fd, 2));
    assert_int_equal(mt_vclock_count(sys, 0), 2);
    assert_int_equal(mt_vclock_open(sys, 7), -1);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(vclocks_are_those_beneath_the_device_when_there_are_some,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(vclocks_are_counted_when_the_kernel_has_such_a_thing,
                                        set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
