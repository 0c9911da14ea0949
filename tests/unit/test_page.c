/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The published time: what a page says, and that one page continues another.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "meantime/prng.h"
#include "runtime/page.h"

#define SECOND INT64_C(1000000000)

static struct mt_clock_reading reading;
static struct mt_clock_quality_report report;
static struct mt_published published;
static struct mt_clock_page before;
static struct mt_page_facts facts;

/* a clock 10 ppm fast against its base, locked, 1 us ahead of the estimate; no page before */
static int set_up(void **state)
{
    (void)state;
    reading = (struct mt_clock_reading){
        .local.at = {1700000000, 500, 0, MT_SCALE_TAI},
        .base = {.ns = 1000 * SECOND},
        .rate_q64 = 184467440737095,
    };
    memset(&report, 0, sizeof report);
    report.reference = MT_BOUND_SOURCE;
    report.parts = (struct mt_bound_parts){100, 200, 300, 5, 1000};
    report.bound = mt_interval_from_ns(1605);
    report.estimate.offset = mt_span_from_ns(1000);
    report.has_estimate = true;
    published = (struct mt_published){
        .lead = report.estimate.offset,
        .bound_growth = 1e-6,
        .follow = 0.0625,
        .max_slew = 500e-6,
        .most = 0.1,
    };
    memset(&before, 0, sizeof before);
    facts = (struct mt_page_facts){
        .reading = &reading,
        .report = &report,
        .published = &published,
        .before = &before,
        .base = MT_BASE_VIRTUAL,
        .valid_ns = 10 * SECOND,
    };
    return 0;
}

static struct mt_clock_page make(void)
{
    struct mt_clock_page page;
    mt_page_make(&facts, &page);
    return page;
}

/* 2^-16 ns since the reading's first second */
static int64_t time_q16(const struct mt_clock_page *page, int64_t base_ns)
{
    struct mt_instant time = mt_clock_page_time(page, base_ns);
    return ((time.s - 1700000000) * SECOND + time.ns) * 65536 + time.frac;
}

/* the clock and its base go on */
static void pass(int64_t ns)
{
    struct mt_span more =
        mt_span_plus(mt_span_from_ns(ns), mt_span_from_real(10e-6 * 1e-9 * (double)ns));
    reading.base.ns += ns;
    reading.local.at = mt_instant_plus(reading.local.at, more);
}

/* from now on the estimate is `ns` later than it was */
static void learn(int64_t ns)
{
    report.estimate.offset = mt_span_minus(report.estimate.offset, mt_span_from_ns(ns));
    published.lead = report.estimate.offset;
}

static void page_publishes_the_estimate_when_there_is_one(void **state)
{
    (void)state;
    published.gain = 2e-6; /* the estimate runs 8 ppm fast */
    struct mt_clock_page page = make();
    assert_int_equal(page.anchor_s, 1699999999);
    assert_int_equal(page.anchor_ns, 999999500);
    assert_in_range(time_q16(&page, reading.base.ns + SECOND), (SECOND + 8000 - 501) * 65536,
                    (SECOND + 8000 - 499) * 65536);
    assert_int_equal(page.lag_q16, 0);
    assert_int_equal(page.parts.steering_ns, 0);
    assert_int_equal(page.bound_ns, 606);
    assert_int_equal(page.steered_q16, 1000 * 65536);
}

static void page_counts_fractions_of_the_base_when_it_has_them(void **state)
{
    (void)state;
    reading.base.frac = 32768;
    struct mt_clock_page page = make();
    assert_int_equal(time_q16(&page, reading.base.ns), -500 * 65536 - 32768);
}

static void page_is_the_clock_when_that_is_published(void **state)
{
    (void)state;
    published.lead = (struct mt_span){0, 0, 0};
    published.off_estimate = 1e-6;
    struct mt_clock_page page = make();
    assert_int_equal(time_q16(&page, reading.base.ns), 500 * 65536);
    assert_in_range(page.parts.steering_ns, 1000, 1001);
    assert_in_range(page.bound_ns, 1606, 1607);
}

/* Each change is followed within `follow`, and meanwhile nobody sees time run backwards. */
static void page_continues_the_one_before_when_the_estimate_changes(void **state)
{
    static const int64_t changes_ns[] = {500, -500, -20000, 20000};
    (void)state;
    for (size_t i = 0; i < sizeof changes_ns / sizeof changes_ns[0]; i++) {
        set_up(state);
        before = make();
        pass(SECOND);
        learn(changes_ns[i]);
        struct mt_clock_page page = make();
        int64_t now_ns = reading.base.ns;
        int64_t last = time_q16(&before, now_ns);
        assert_in_range(time_q16(&page, now_ns) - last + 1, 0, 2);
        assert_in_range(page.lag_span_ns, SECOND / 16, SECOND / 16 + 2);
        for (int64_t at = 0; at <= SECOND / 10; at += SECOND / 10000) {
            int64_t now = time_q16(&page, now_ns + at);
            assert_true(at == 0 || now - last > (SECOND / 10000 - 51) * 65536);
            last = now;
        }
        struct mt_clock_page plain = page;
        plain.lag_span_ns = 0;
        assert_true(last == time_q16(&plain, now_ns + SECOND / 10));
        assert_in_range(page.parts.steering_ns,
                        (unsigned)(changes_ns[i] > 0 ? changes_ns[i] : -changes_ns[i]), 20002);
        assert_int_equal(page.bound_ns, 606 + page.parts.steering_ns);
    }
}

/* no faster than the clock may be slewed */
static void page_takes_longer_when_the_change_is_large(void **state)
{
    (void)state;
    before = make();
    learn(-5000000);
    struct mt_clock_page page = make();
    assert_in_range(page.lag_span_ns, 10 * SECOND - 2, 10 * SECOND + 2);
    assert_int_equal(page.lag_q16, INT64_C(5000000) * 65536);
}

static void page_keeps_the_end_of_a_lag_when_nothing_is_new(void **state)
{
    (void)state;
    before = make();
    learn(-500);
    before = make();
    for (int i = 0; i < 5; i++) {
        pass(SECOND / 100);
        before = make();
    }
    assert_in_range(before.lag_span_ns, SECOND / 80 - 10, SECOND / 80 + 10);
    assert_in_range(before.lag_q16, 99 * 65536, 101 * 65536);
    pass(SECOND / 80 + 100);
    before = make();
    assert_int_equal(before.lag_q16, 0);
}

static void page_jumps_when_the_change_is_larger_than_may_be_slewed(void **state)
{
    (void)state;
    before = make();
    learn(-100000001);
    struct mt_clock_page page = make();
    assert_int_equal(page.lag_q16, 0);
    assert_int_equal(page.lag_span_ns, 0);
}

static void page_begins_anew_when_the_one_before_is_another_time(void **state)
{
    (void)state;
    before = make();
    learn(-500);
    before.scale = MT_SCALE_UTC;
    assert_int_equal(make().lag_span_ns, 0);
    before.scale = MT_SCALE_TAI;
    before.base = MT_BASE_MONOTONIC;
    assert_int_equal(make().lag_span_ns, 0);
    before.base = MT_BASE_VIRTUAL;
    before.base_at_anchor_ns = reading.base.ns + 1;
    assert_int_equal(make().lag_span_ns, 0);
    before.base_at_anchor_ns = reading.base.ns;
    assert_int_not_equal(make().lag_span_ns, 0);
}

static void page_says_nothing_of_the_bound_when_there_is_none(void **state)
{
    (void)state;
    report.reference = MT_BOUND_NONE;
    report.bound = MT_INTERVAL_TOO_LARGE;
    report.parts = (struct mt_bound_parts){0};
    struct mt_clock_page page = make();
    assert_int_equal(page.bound_reference, MT_BOUND_NONE);
    assert_int_equal(page.parts.steering_ns, 0);
}

static int64_t within(struct mt_prng *prng, int64_t most)
{
    return mt_prng_interval_ns(prng, 2 * most) - most;
}

/* Near or far, the lag is the difference of what readers of the two pages see. */
static void page_lags_by_the_difference_when_pages_differ_in_anything(void **state)
{
    struct mt_prng prng;
    unsigned lagging = 0;
    mt_prng_init(&prng, 1);
    published.most = 1e6;
    for (int i = 0; i < 20000; i++) {
        int64_t far_ns = (int64_t)1 << mt_prng_below(&prng, 46); /* 19 h */
        before = make();
        before.base_at_anchor_ns -= mt_prng_interval_ns(&prng, far_ns);
        before.anchor_s += within(&prng, far_ns / SECOND);
        before.anchor_ns = mt_prng_below(&prng, SECOND);
        before.anchor_frac = (uint16_t)mt_prng_below(&prng, 65536);
        before.rate_q64 = within(&prng, (int64_t)1 << (20 + mt_prng_below(&prng, 42)));
        before.lag_q16 = within(&prng, far_ns);
        before.lag_rate_q64 = within(&prng, (int64_t)1 << 50);
        before.lag_span_ns = mt_prng_interval_ns(&prng, far_ns);
        reading.local.at.ns = mt_prng_below(&prng, SECOND);
        reading.base.frac = (uint16_t)mt_prng_below(&prng, 65536);
        struct mt_clock_page page = make();
        struct mt_clock_page plain = page;
        plain.lag_q16 = plain.lag_span_ns = 0;
        struct mt_span lag = mt_instant_minus(mt_clock_page_time(&before, reading.base.ns),
                                              mt_clock_page_time(&plain, reading.base.ns));
        if (page.lag_span_ns > 0) {
            assert_int_equal(page.lag_q16, mt_span_to_interval(lag).q16);
            lagging++;
        } else {
            assert_true(mt_real_abs(mt_span_to_real(lag)) > 65535);
        }
    }
    assert_true(lagging > 15000);
    set_up(state);
}

int main(void)
{
#define PAGE_TEST(name) cmocka_unit_test_setup(name, set_up)
    const struct CMUnitTest tests[] = {
        PAGE_TEST(page_publishes_the_estimate_when_there_is_one),
        PAGE_TEST(page_counts_fractions_of_the_base_when_it_has_them),
        PAGE_TEST(page_is_the_clock_when_that_is_published),
        PAGE_TEST(page_continues_the_one_before_when_the_estimate_changes),
        PAGE_TEST(page_takes_longer_when_the_change_is_large),
        PAGE_TEST(page_keeps_the_end_of_a_lag_when_nothing_is_new),
        PAGE_TEST(page_jumps_when_the_change_is_larger_than_may_be_slewed),
        PAGE_TEST(page_begins_anew_when_the_one_before_is_another_time),
        PAGE_TEST(page_lags_by_the_difference_when_pages_differ_in_anything),
        PAGE_TEST(page_says_nothing_of_the_bound_when_there_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
