/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * libmeantime against pages written by hand, and against the daemon's own writer.
 */
#include "lib_page.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "meantime/prng.h"
#include "platform/linux/linux_platform.h"

#define PATIENCE_S 30

static enum mt_time_error error_of_opening(void)
{
    enum mt_time_error error = MT_TIME_OK;

    assert_null(mt_open(path, &error));
    assert_true(strlen(mt_strerror(error)) > 0);
    return error;
}

static struct timespec after_anchor(const struct mt_clock_page *page, int64_t by_ns)
{
    int64_t ns = page->base_at_anchor_ns + by_ns;

    return (struct timespec){.tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000};
}

static void lib_says_why_when_there_is_no_page(void **state)
{
    struct mt_clock_page page = good_page();

    (void)state;
    errno = 0;
    assert_int_equal(error_of_opening(), MT_TIME_NO_PAGE);
    assert_int_equal(errno, ENOENT);
    write_file("hello", 5);
    assert_int_equal(error_of_opening(), MT_TIME_NOT_PAGE);
    page.magic = 1;
    write_file(&page, sizeof page);
    assert_int_equal(error_of_opening(), MT_TIME_NOT_PAGE);
    page = good_page();
    page.version = 2;
    write_file(&page, sizeof page);
    assert_int_equal(error_of_opening(), MT_TIME_VERSION);
    assert_null(mt_open("/", NULL));
}

static void lib_extrapolates_exactly_when_asked_for_any_time(void **state)
{
    struct mt_prng prng;
    struct mt_clock_page page = good_page();

    (void)state;
    mt_prng_init(&prng, 7);
    for (int i = 0; i < 2000; i++) {
        int64_t by_ns = (int64_t)mt_prng_next_u32(&prng) << mt_prng_below(&prng, 24);
        struct mt_now_result result;
        struct mt_handle *handle;
        wide expected;

        by_ns = i % 2 ? by_ns : -by_ns;
        page.rate_q64 = ((int64_t)mt_prng_next_u32(&prng) - INT64_C(0x80000000)) *
                        (INT64_C(1) << mt_prng_below(&prng, 31));
        page.anchor_ns = mt_prng_below(&prng, 1000000000);
        handle = open_page(&page);
        assert_int_equal(mt_at(handle, after_anchor(&page, by_ns), &result), MT_TIME_OK);
        expected = (wide)page.anchor_s * 1000000000 + page.anchor_ns + by_ns +
                   ((wide)by_ns * page.rate_q64 >> 64);
        assert_true(total_ns(result.time) == expected);
        assert_true(result.time.tv_nsec >= 0 && result.time.tv_nsec < 1000000000);
        assert_true(total_ns(result.time) - total_ns(result.earliest) == result.bound_ns);
        assert_true(total_ns(result.latest) - total_ns(result.time) == result.bound_ns);
        mt_close(handle);
    }
}

static void lib_passes_on_what_the_page_says(void **state)
{
    struct mt_clock_page page = good_page();
    struct mt_handle *handle;
    struct mt_now_result result;

    (void)state;
    page.leap_s = -1;
    handle = open_page(&page);
    assert_int_equal(mt_at(handle, after_anchor(&page, 0), &result), MT_TIME_OK);
    assert_int_equal(result.time.tv_sec, 1700000037);
    assert_int_equal(result.scale, MT_SCALE_TAI);
    assert_int_equal(result.state, MT_CLOCK_LOCKED);
    assert_int_equal(result.bound_reference, MT_BOUND_SOURCE);
    assert_true(result.tai_utc_valid);
    assert_int_equal(result.tai_minus_utc_s, 37);
    assert_int_equal(result.leap_s, -1);
    mt_close(handle);
}

static void lib_grows_the_bound_when_the_page_is_old(void **state)
{
    struct mt_clock_page page = good_page();
    struct mt_handle *handle;
    struct mt_now_result result;

    (void)state;
    page.valid_until_base_ns = page.base_at_anchor_ns + 1000000000;
    handle = open_page(&page);
    assert_int_equal(mt_at(handle, after_anchor(&page, 1000000000), &result), MT_TIME_OK);
    assert_in_range(result.bound_ns, 2001, 2002);
    assert_int_equal(mt_at(handle, after_anchor(&page, 1000000001), &result), MT_TIME_STALE);
    assert_in_range(result.bound_ns, 2002, 2003);
    assert_int_equal(result.time.tv_sec, 1700000038);
    assert_int_equal(mt_at(handle, after_anchor(&page, -1000000000), &result), MT_TIME_OK);
    assert_in_range(result.bound_ns, 2001, 2002);
    mt_close(handle);
}

static void lib_promises_nothing_when_the_bound_is_unknown(void **state)
{
    struct mt_clock_page page = good_page();
    struct mt_handle *handle;
    struct mt_now_result result;

    (void)state;
    page.bound_reference = MT_BOUND_NONE;
    handle = open_page(&page);
    assert_int_equal(mt_at(handle, after_anchor(&page, 0), &result), MT_TIME_OK);
    assert_true(result.bound_ns == MT_BOUND_UNKNOWN);
    mt_close(handle);
    page = good_page();
    page.bound_growth_ppb = INT64_MAX;
    handle = open_page(&page);
    assert_int_equal(mt_at(handle, after_anchor(&page, INT64_C(5000000000)), &result), MT_TIME_OK);
    assert_true(result.bound_ns == MT_BOUND_UNKNOWN);
    mt_close(handle);
}

static void lib_reads_the_base_that_the_page_names(void **state)
{
    struct mt_clock_page page = good_page();
    struct mt_handle *handle;
    struct mt_now_result result;
    struct timespec raw;

    (void)state;
    page.base = MT_BASE_MONOTONIC_RAW;
    page.base_at_anchor_ns = 0;
    page.anchor_s = 0;
    handle = open_page(&page);
    assert_int_equal(mt_now(handle, &result), MT_TIME_OK);
    clock_gettime(CLOCK_MONOTONIC_RAW, &raw);
    assert_in_range(total_ns(raw) - total_ns(result.time), 0, 1000000000);
    assert_int_equal(mt_at(handle, raw, &result), MT_TIME_NO_BASE);
    mt_close(handle);
    page.base = MT_BASE_VIRTUAL;
    handle = open_page(&page);
    assert_int_equal(mt_now(handle, &result), MT_TIME_NO_BASE);
    mt_close(handle);
}

static void lib_clears_the_rest_when_the_writer_knew_less(void **state)
{
    struct mt_clock_page page = good_page();
    struct mt_clock_page read;
    struct mt_handle *handle;

    (void)state;
    page.size = offsetof(struct mt_clock_page, parts);
    page.grandmaster[7] = 9;
    page.parts.asymmetry_ns = 5;
    handle = open_page(&page);
    assert_int_equal(mt_read_page(handle, &read), MT_TIME_OK);
    assert_int_equal(read.grandmaster[7], 9);
    assert_int_equal(read.parts.asymmetry_ns, 0);
    mt_close(handle);
    page.size = 8;
    write_file(&page, sizeof page);
    assert_int_equal(error_of_opening(), MT_TIME_NOT_PAGE);
}

static void lib_gives_up_when_the_page_stays_half_written(void **state)
{
    struct mt_clock_page page = good_page();
    struct mt_handle *handle;
    struct mt_now_result result;

    (void)state;
    page.sequence = 3;
    handle = open_page(&page);
    assert_int_equal(mt_now(handle, &result), MT_TIME_BUSY);
    mt_close(handle);
}

/* ---- with the daemon's writer ------------------------------------------------------------ */

static struct mt_linux *open_writer(void)
{
    struct mt_linux_options options = {.run_dir = folder};
    struct mt_clock_request request = {.kind = MT_CLOCK_OVERLAY, .name = "main"};
    char reason[MT_HAL_REASON_SIZE] = "";
    struct mt_linux *platform = mt_linux_open(&options, reason);
    struct mt_hal_provider *provider;

    assert_non_null(platform);
    provider = mt_linux_provider(platform);
    assert_non_null(provider->ops->open_clock(provider, &request, reason));
    mt_linux_keep(platform);
    return platform;
}

static void publish(struct mt_linux *platform, const struct mt_clock_page *page)
{
    struct mt_hal_store *store = mt_linux_provider(platform)->store;

    store->ops->publish(store, 0, page);
}

static void lib_sees_a_stale_page_when_the_daemon_is_gone(void **state)
{
    struct mt_clock_page page = good_page();
    struct mt_linux *platform = open_writer();
    struct mt_handle *handle = mt_open(path, NULL);
    struct mt_now_result result;

    (void)state;
    assert_non_null(handle);
    assert_int_equal(mt_now(handle, &result), MT_TIME_STALE); /* nothing published yet */
    publish(platform, &page);
    assert_int_equal(mt_now(handle, &result), MT_TIME_OK);
    assert_int_equal(mt_read_page(handle, &page), MT_TIME_OK);
    assert_true(page.boot_id != 0); /* the writer's doing */
    mt_linux_close(platform);
    assert_int_equal(mt_now(handle, &result), MT_TIME_STALE);
    assert_true(result.bound_ns > 1000);
    platform = open_writer(); /* goes on in the same page */
    publish(platform, &page);
    assert_int_equal(mt_now(handle, &result), MT_TIME_OK);
    mt_linux_close(platform);
    mt_close(handle);
}

/* every member follows from one number, so that a torn page shows */
static struct mt_clock_page numbered_page(int64_t number)
{
    struct mt_clock_page page = good_page();

    page.base_at_anchor_ns = number;
    page.anchor_s = number;
    page.rate_q64 = number;
    page.bound_ns = number;
    page.corrections = (uint32_t)number;
    page.steps = (uint32_t)number;
    page.state = (uint8_t)(number % MT_CLOCK_STATE_COUNT);
    page.parts.estimate_ns = number;
    page.parts.steering_ns = number;
    return page;
}

static bool is_whole(const struct mt_clock_page *page)
{
    int64_t number = page->base_at_anchor_ns;

    return page->anchor_s == number && page->rate_q64 == number && page->bound_ns == number &&
           page->corrections == (uint32_t)number && page->steps == (uint32_t)number &&
           page->state == number % MT_CLOCK_STATE_COUNT && page->parts.estimate_ns == number &&
           page->parts.steering_ns == number;
}

static void write_for_ever(void)
{
    struct mt_linux *platform = open_writer();

    for (int64_t i = 0;; i++) {
        struct mt_clock_page page = numbered_page(i);

        publish(platform, &page);
        for (volatile int pause = 0; pause < 200; pause = pause + 1) {
        }
    }
}

static struct mt_handle *await_page(void)
{
    struct mt_handle *handle = NULL;

    for (int i = 0; i < 500 && !handle; i++) {
        usleep(10000);
        handle = mt_open(path, NULL);
    }
    assert_non_null(handle);
    return handle;
}

static void lib_reads_whole_pages_when_a_writer_hammers(void **state)
{
    pid_t child = fork();
    struct mt_handle *handle;
    struct mt_clock_page page = {.anchor_s = 0};
    time_t end = time(NULL) + PATIENCE_S;
    int64_t first = -1;
    int64_t last = -1;
    int whole = 0;

    (void)state;
    if (child == 0) {
        alarm(2 * PATIENCE_S); /* also if the parent fails */
        write_for_ever();
    }
    handle = await_page();
    /* on a busy machine the writer may have no turn for long, or stand still within a page */
    for (int i = 0; i < 200000 || ((whole <= 1000 || last <= first) && time(NULL) < end); i++) {
        enum mt_time_error error = mt_read_page(handle, &page);

        assert_true(error == MT_TIME_OK || error == MT_TIME_BUSY);
        if (error == MT_TIME_OK && page.anchor_s != 0) {
            assert_true(is_whole(&page));
            first = first < 0 ? page.anchor_s : first;
            last = page.anchor_s;
            whole++;
        }
    }
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    assert_true(whole > 1000);
    assert_true(last > first); /* there was a writer */
    mt_close(handle);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIB_TEST(lib_says_why_when_there_is_no_page),
        LIB_TEST(lib_extrapolates_exactly_when_asked_for_any_time),
        LIB_TEST(lib_passes_on_what_the_page_says),
        LIB_TEST(lib_grows_the_bound_when_the_page_is_old),
        LIB_TEST(lib_promises_nothing_when_the_bound_is_unknown),
        LIB_TEST(lib_reads_the_base_that_the_page_names),
        LIB_TEST(lib_clears_the_rest_when_the_writer_knew_less),
        LIB_TEST(lib_gives_up_when_the_page_stays_half_written),
        LIB_TEST(lib_sees_a_stale_page_when_the_daemon_is_gone),
        LIB_TEST(lib_reads_whole_pages_when_a_writer_hammers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
