/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * libmeantime while somebody sets the machine's clock, and while the machine sleeps: pages of the
 * daemon's own clocks, read under clocks that the test makes up.
 */
#include "lib_page.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/timex.h>

#include <cmocka.h>

#include "platform/linux/linux_clock.h"

#define SECOND INT64_C(1000000000)

/* ---- the machine's clocks ----------------------------------------------------------------- */

/* What the operating system says to the library and to the clocks of the platform, for the linker
 * puts these functions in the place of the real ones (see meson.build). */
static struct {
    int64_t realtime_ns;
    int64_t boottime_ns;
    int64_t monotonic_ns; /* 0: the machine's own */
    int64_t cost_ns;      /* of each reading */
    int questions;        /* for CLOCK_BOOTTIME */
} machine;

int __real_clock_gettime(clockid_t clock, struct timespec *time);
int __wrap_clock_gettime(clockid_t clock, struct timespec *time);

int __wrap_clock_adjtime(clockid_t clock, struct timex *change);

static void pass(int64_t ns)
{
    machine.realtime_ns += ns;
    machine.boottime_ns += ns;
}

int __wrap_clock_gettime(clockid_t clock, struct timespec *time)
{
    int64_t ns;

    if (clock == CLOCK_MONOTONIC && machine.monotonic_ns != 0) {
        ns = machine.monotonic_ns;
    } else if (clock == CLOCK_REALTIME || clock == CLOCK_BOOTTIME) {
        machine.questions += clock == CLOCK_BOOTTIME;
        pass(machine.cost_ns);
        ns = clock == CLOCK_REALTIME ? machine.realtime_ns : machine.boottime_ns;
    } else {
        return __real_clock_gettime(clock, time);
    }
    *time = (struct timespec){.tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000};
    return 0;
}

/* Nobody tunes it. */
int __wrap_clock_adjtime(clockid_t clock, struct timex *change)
{
    (void)clock;
    *change = (struct timex){.tick = 10000};
    return TIME_OK;
}

/* ---- pages under them --------------------------------------------------------------------- */

/* The page that the daemon would publish now of this clock. */
static struct mt_clock_page page_of(struct mt_hal_clock *clock)
{
    struct mt_clock_page page = good_page();
    struct mt_clock_reading reading;

    clock->ops->read(clock, &reading);
    page.base = (uint16_t)clock->base;
    page.base_at_anchor_ns = reading.base.ns;
    page.anchor_s = reading.local.at.s;
    page.anchor_ns = reading.local.at.ns;
    page.rate_q64 = reading.rate_q64;
    page.valid_until_base_ns = reading.base.ns + 10 * SECOND;
    return page;
}

static struct mt_handle *publish_clock(enum mt_clock_kind kind)
{
    struct mt_clock_request request = {
        .kind = kind, .name = "main", .tai_utc_known = true, .tai_minus_utc_s = 37};
    struct mt_hal_clock *clock;
    struct mt_clock_page page;

    machine.cost_ns = 0;
    machine.realtime_ns = 1700000000 * SECOND;
    machine.boottime_ns = 5000 * SECOND;
    clock = kind == MT_CLOCK_SYSTEM ? mt_clock_system_new(&request, mt_os_time_linux())
                                    : mt_clock_overlay_new(&request, mt_os_time_linux());
    assert_non_null(clock);
    page = page_of(clock);
    free(clock);
    return open_page(&page);
}

static void expect_time(const struct mt_handle *handle, enum mt_time_error error, int64_t ns)
{
    struct mt_now_result result;

    assert_int_equal(mt_now(handle, &result), error);
    assert_true(total_ns(result.time) == ns);
}

static void lib_does_not_notice_when_somebody_steps_realtime(void **state)
{
    static const enum mt_clock_kind kinds[] = {MT_CLOCK_SYSTEM, MT_CLOCK_OVERLAY, MT_CLOCK_LAB};
    static const int64_t steps_ns[] = {SECOND, -SECOND, 100000, -100000, 3600 * SECOND};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct mt_handle *handle = publish_clock(kinds[i]);

        for (size_t j = 0; j < 5; j++) {
            pass(SECOND / 10);
            machine.realtime_ns += steps_ns[j];
            expect_time(handle, MT_TIME_OK, 1700000037 * SECOND + ((int64_t)j + 1) * SECOND / 10);
        }
        mt_close(handle);
    }
}

static void lib_counts_the_time_that_the_machine_slept(void **state)
{
    struct mt_handle *handle = publish_clock(MT_CLOCK_OVERLAY);

    (void)state;
    pass(3600 * SECOND); /* CLOCK_MONOTONIC stands still, these do not */
    expect_time(handle, MT_TIME_STALE, 1700003637 * SECOND);
    mt_close(handle);
}

static void lib_page_stays_stale_when_realtime_is_set_back(void **state)
{
    struct mt_handle *handle = publish_clock(MT_CLOCK_OVERLAY);
    struct mt_clock_page page = good_page();
    struct mt_now_result result;

    (void)state;
    pass(11 * SECOND);
    expect_time(handle, MT_TIME_STALE, 1700000048 * SECOND);
    machine.realtime_ns -= 8 * SECOND;
    expect_time(handle, MT_TIME_STALE, 1700000048 * SECOND);
    mt_close(handle);
    page.valid_until_base_ns = page.base_at_anchor_ns + SECOND; /* one that counts from REALTIME */
    machine.realtime_ns = page.base_at_anchor_ns - 1;
    handle = open_page(&page);
    assert_int_equal(mt_now(handle, &result), MT_TIME_STALE);
    machine.realtime_ns = page.base_at_anchor_ns;
    assert_int_equal(mt_now(handle, &result), MT_TIME_OK);
    mt_close(handle);
}

static void lib_page_is_stale_when_the_machine_was_started_since(void **state)
{
    struct mt_handle *handle = publish_clock(MT_CLOCK_OVERLAY);
    struct mt_now_result result;

    (void)state;
    machine.boottime_ns = 20 * SECOND;
    assert_int_equal(mt_now(handle, &result), MT_TIME_STALE);
    mt_close(handle);
}

static uint64_t boot_id_of_this_machine(void)
{
    FILE *file = fopen("/proc/sys/kernel/random/boot_id", "r");
    char digits[64] = "";
    size_t length = 0;
    int c;

    assert_non_null(file);
    while ((c = fgetc(file)) != EOF && length < 16) {
        if (c != '-') {
            digits[length++] = (char)c;
        }
    }
    fclose(file);
    return strtoull(digits, NULL, 16);
}

/* the machine lost its power, and its run folder is on a disk: at the same uptime as then */
static void lib_page_is_stale_when_it_is_of_an_earlier_boot(void **state)
{
    struct mt_clock_page page = good_page();
    struct mt_handle *handle;
    struct mt_now_result result;
    const struct {
        uint64_t boot_id;
        size_t size;
        enum mt_time_error error;
    } cases[] = {
        {boot_id_of_this_machine(), sizeof page, MT_TIME_OK},
        {boot_id_of_this_machine() ^ 1, sizeof page, MT_TIME_STALE},
        {boot_id_of_this_machine() ^ (UINT64_C(1) << 63), sizeof page, MT_TIME_STALE},
        {0, sizeof page, MT_TIME_OK},
        {1, offsetof(struct mt_clock_page, boot_id), MT_TIME_OK}, /* an old writer's page */
    };

    (void)state;
    machine.realtime_ns = page.base_at_anchor_ns;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        page.boot_id = cases[i].boot_id;
        page.size = (uint16_t)cases[i].size;
        handle = open_page(&page);
        assert_int_equal(mt_now(handle, &result), cases[i].error);
        assert_int_equal(mt_at(handle, (struct timespec){.tv_sec = 1700000000}, &result),
                         cases[i].error);
        mt_close(handle);
    }
}

/* a lag of 1 us that is gone in 1 ms */
static void lib_follows_the_estimate_when_the_page_says_that_it_lags(void **state)
{
    static const int64_t lags_ns[] = {1000, -1000};
    struct mt_clock_page page = good_page();

    (void)state;
    page.base = MT_BASE_BOOTTIME;
    page.base_at_anchor_ns = machine.boottime_ns = 5000 * SECOND;
    page.anchor_s = 1700000000;
    page.anchor_ns = 0;
    page.valid_until_base_ns = 6000 * SECOND;
    page.lag_span_ns = SECOND / 1000;
    machine.cost_ns = 0;
    for (size_t i = 0; i < 2; i++) {
        struct mt_handle *handle;

        page.lag_q16 = lags_ns[i] * 65536;
        page.lag_rate_q64 = -lags_ns[i] * 18446744073710; /* 1e-6 */
        page.size = sizeof page;
        handle = open_page(&page);
        expect_time(handle, MT_TIME_OK, 1700000000 * SECOND + lags_ns[i]);
        pass(SECOND / 2000);
        expect_time(handle, MT_TIME_OK,
                    1700000000 * SECOND + SECOND / 2000 + lags_ns[i] / 2 - (lags_ns[i] > 0));
        pass(SECOND / 2000);
        expect_time(handle, MT_TIME_OK, 1700000000 * SECOND + SECOND / 1000);
        machine.boottime_ns = 5000 * SECOND;
        mt_close(handle);
        page.size = offsetof(struct mt_clock_page, lag_q16); /* an old writer's */
        handle = open_page(&page);
        expect_time(handle, MT_TIME_OK, 1700000000 * SECOND);
        mt_close(handle);
    }
}

static struct timespec realtime(int64_t ns)
{
    return (struct timespec){.tv_sec = ns / SECOND, .tv_nsec = ns % SECOND};
}

static void lib_carries_stamps_over_when_the_page_counts_from_boottime(void **state)
{
    struct mt_handle *handle = publish_clock(MT_CLOCK_OVERLAY);
    struct timespec before = realtime(machine.realtime_ns - SECOND);
    struct mt_now_result result;
    int64_t error_ns;

    (void)state;
    pass(SECOND);
    assert_int_equal(mt_at(handle, before, &result), MT_TIME_OK);
    assert_true(total_ns(result.time) == 1700000036 * SECOND);
    assert_in_range(result.bound_ns, 2001, 2002);
    assert_int_equal(mt_at(handle, realtime(machine.realtime_ns + 10 * SECOND), &result),
                     MT_TIME_STALE);
    machine.cost_ns = 500; /* reading the clocks takes time, which the bound has to cover */
    assert_int_equal(mt_at(handle, before, &result), MT_TIME_OK);
    error_ns = (int64_t)(total_ns(result.time) - 1700000036 * SECOND);
    assert_true(error_ns >= -500 && error_ns <= 500);
    assert_in_range(result.bound_ns, 2501, 2502);
    machine.realtime_ns += SECOND; /* as documented: the stamp is taken to be of today's REALTIME */
    machine.cost_ns = 0;
    assert_int_equal(mt_at(handle, before, &result), MT_TIME_OK);
    assert_true(total_ns(result.time) == 1700000035 * SECOND);
    mt_close(handle);
}

static void lib_counts_from_monotonic_when_the_page_says_so(void **state)
{
    struct mt_clock_page page = good_page();
    struct mt_handle *handle;
    struct mt_now_result result;

    (void)state;
    machine.cost_ns = 0;
    machine.realtime_ns = 1700000000 * SECOND;
    machine.monotonic_ns = 77 * SECOND;
    page.base = MT_BASE_MONOTONIC;
    page.base_at_anchor_ns = 76 * SECOND;
    handle = open_page(&page);
    expect_time(handle, MT_TIME_OK, 1700000038 * SECOND);
    assert_int_equal(mt_at(handle, realtime(machine.realtime_ns - SECOND / 2), &result),
                     MT_TIME_OK);
    assert_true(total_ns(result.time) == 1700000037 * SECOND + SECOND / 2);
    machine.monotonic_ns = 0;
    mt_close(handle);
}

static void linux_time_asks_once_whether_there_is_boottime(void **state)
{
    const struct mt_os_time *os = mt_os_time_linux();

    (void)state;
    machine.questions = 0;
    assert_ptr_equal(mt_os_time_linux(), os);
    (void)os->monotonic_ns(0);
    assert_int_equal(machine.questions, 0);
}

static void lib_carries_no_nonsense_over_when_stamps_are_extreme(void **state)
{
    struct mt_handle *handle = publish_clock(MT_CLOCK_OVERLAY);
    struct timespec far = {.tv_sec = INT64_MAX, .tv_nsec = 999999999};
    struct mt_now_result result;

    (void)state;
    assert_int_equal(mt_at(handle, far, &result), MT_TIME_STALE);
    far = (struct timespec){.tv_sec = INT64_MIN, .tv_nsec = 0};
    assert_int_not_equal(mt_at(handle, far, &result), MT_TIME_OK);
    mt_close(handle);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIB_TEST(lib_does_not_notice_when_somebody_steps_realtime),
        LIB_TEST(lib_counts_the_time_that_the_machine_slept),
        LIB_TEST(lib_page_stays_stale_when_realtime_is_set_back),
        LIB_TEST(lib_page_is_stale_when_the_machine_was_started_since),
        LIB_TEST(lib_page_is_stale_when_it_is_of_an_earlier_boot),
        LIB_TEST(lib_follows_the_estimate_when_the_page_says_that_it_lags),
        LIB_TEST(lib_carries_stamps_over_when_the_page_counts_from_boottime),
        LIB_TEST(lib_counts_from_monotonic_when_the_page_says_so),
        LIB_TEST(linux_time_asks_once_whether_there_is_boottime),
        LIB_TEST(lib_carries_no_nonsense_over_when_stamps_are_extreme),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
