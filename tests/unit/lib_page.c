/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Pages for the tests of libmeantime.
 */
#include "lib_page.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

char folder[64];
char path[96];

int set_up(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/meantime-lib-XXXXXX");
    if (!mkdtemp(folder)) {
        return -1;
    }
    snprintf(path, sizeof path, "%s/clock.main", folder);
    return 0;
}

int tear_down(void **state)
{
    char lock[96];

    (void)state;
    snprintf(lock, sizeof lock, "%s/lock", folder);
    unlink(lock); /* of a writer that was killed */
    unlink(path);
    return rmdir(folder);
}

struct mt_clock_page good_page(void)
{
    return (struct mt_clock_page){
        .magic = MT_CLOCK_PAGE_MAGIC,
        .version = MT_CLOCK_PAGE_VERSION,
        .size = sizeof(struct mt_clock_page),
        .base = MT_BASE_REALTIME,
        .scale = MT_SCALE_TAI,
        .state = MT_CLOCK_LOCKED,
        .base_at_anchor_ns = INT64_C(1700000000000000000),
        .anchor_s = 1700000037,
        .bound_reference = MT_BOUND_SOURCE,
        .tai_utc_valid = 1,
        .tai_minus_utc_s = 37,
        .bound_ns = 1000,
        .bound_growth_ppb = 1000,
        .valid_until_base_ns = INT64_MAX,
    };
}

void write_file(const void *octets, size_t length)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, octets, length), (ssize_t)length);
    close(fd);
}

struct mt_handle *open_page(const struct mt_clock_page *page)
{
    enum mt_time_error error;
    struct mt_handle *handle;

    write_file(page, sizeof *page);
    handle = mt_open(path, &error);
    assert_int_equal(error, MT_TIME_OK);
    assert_non_null(handle);
    return handle;
}

wide total_ns(struct timespec t)
{
    return (wide)t.tv_sec * 1000000000 + t.tv_nsec;
}
