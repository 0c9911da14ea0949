/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The page says what time it is now by the estimate, how fast that runs against the base, and how
 * wrong it may be.  The reading window is part of the bound: base and clock were not read at once.
 *
 * The time that the page before gives now is where a reader is.  What it differs from the new
 * mapping is the lag, which ends by itself: when the writer is gone, too, readers come to the
 * estimate.  A page that changes nothing leaves the end of the lag where it was.
 */
#include "runtime/page.h"

#include <string.h>

#define LARGEST_GROWTH 1e6 /* s/s: nobody can make use of more */
#define LARGEST_RATE   0.4375
#define LARGEST_LAG    65536.0 /* s: half of what an interval holds */
#define TWO_TO_64      18446744073709551616.0
#define SECOND_NS      INT64_C(1000000000)
#define NEAR_S         8192 /* twice that and a lag fit 63 bits of 2^-16 ns */
#define NOTHING_NEW    4096 /* 2^-16 ns: what rounding does to a lag */

__extension__ typedef __int128 wide;

static int64_t to_ppb_rounded_up(mt_real rate)
{
    return (int64_t)(mt_real_clamp(rate, 0, LARGEST_GROWTH) * 1e9) + 1;
}

static uint8_t state_of(const struct mt_page_facts *facts)
{
    enum mt_clock_state state = facts->report->state;
    return (uint8_t)(facts->is_serving && state == MT_CLOCK_FREE_RUN ? MT_CLOCK_SERVING : state);
}

/* ---- the time ------------------------------------------------------------------------------ */

static int64_t to_q64(mt_real rate)
{
    if (!(mt_real_abs(rate) < LARGEST_RATE)) {
        rate = rate > 0 ? LARGEST_RATE : rate < 0 ? -LARGEST_RATE : 0; /* not a number: 0 */
    }
    return (int64_t)(rate * TWO_TO_64);
}

static void set_time(const struct mt_page_facts *facts, struct mt_clock_page *page)
{
    const struct mt_clock_reading *reading = facts->reading;
    const struct mt_published *published = facts->published;
    const struct mt_span base_frac = {0, 0, reading->base.frac}; /* told in whole nanoseconds */
    struct mt_span now = {reading->local.at.s, reading->local.at.ns, reading->local.at.frac};
    mt_span_subtract(&now, &published->lead);
    mt_span_subtract(&now, &base_frac);
    page->anchor_s = now.s;
    page->anchor_ns = now.ns;
    page->anchor_frac = now.frac;
    page->base_at_anchor_ns = reading->base.ns;
    page->rate_q64 = reading->rate_q64;
    if (published->gain != 0) {
        mt_real rate = (mt_real)reading->rate_q64 / TWO_TO_64;
        page->rate_q64 = to_q64((rate - published->gain) / (1 + published->gain));
    }
    page->steered_q16 = mt_span_to_interval(published->is_estimate ? published->lead
                                                                   : facts->report->estimate.offset)
                            .q16;
}

/* ---- the lag ------------------------------------------------------------------------------- */

static bool goes_on(const struct mt_clock_page *before, const struct mt_clock_page *page)
{
    return before->magic == page->magic && before->base == page->base &&
           before->scale == page->scale && before->base_at_anchor_ns <= page->base_at_anchor_ns;
}

/* s in which it is to go */
static mt_real span_of(const struct mt_published *published, mt_real lag)
{
    mt_real least = mt_real_abs(lag) / published->max_slew;
    return least > published->follow ? least : published->follow;
}

/* What the time by the page before is ahead of the new page's anchor, which is now; beyond 39 h it
 * saturates.  Each change of a clock asks this, and mostly the two differ in few digits, so it is
 * put together from those; `left_q16` is what the page before has left of its lag. */
static int64_t ahead_q16(const struct mt_clock_page *before, const struct mt_clock_page *page,
                         int64_t left_q16)
{
    int64_t elapsed_ns = page->base_at_anchor_ns - before->base_at_anchor_ns;
    if (elapsed_ns < NEAR_S * SECOND_NS &&
        ((uint64_t)before->anchor_s ^ (uint64_t)page->anchor_s) < NEAR_S) {
        int64_t ns = (before->anchor_s - page->anchor_s) * SECOND_NS + before->anchor_ns -
                     page->anchor_ns + elapsed_ns;
        int64_t gained_q16 = (int64_t)((wide)(elapsed_ns * 65536) * before->rate_q64 >> 64);
        return ns * 65536 + before->anchor_frac - page->anchor_frac + gained_q16 + left_q16;
    }
    struct mt_instant then = mt_clock_page_time(before, page->base_at_anchor_ns);
    struct mt_instant now = mt_clock_page_time(page, page->base_at_anchor_ns);
    return mt_span_to_interval(mt_instant_minus(then, now)).q16;
}

static void set_lag(const struct mt_page_facts *facts, struct mt_clock_page *page)
{
    const struct mt_clock_page *before = facts->before;
    const struct mt_published *published = facts->published;
    int64_t now_ns = page->base_at_anchor_ns;
    if (!goes_on(before, page)) {
        return;
    }
    int64_t left_q16 = mt_clock_page_lag(before, now_ns).q16;
    int64_t lag_q16 = ahead_q16(before, page, left_q16);
    mt_real lag = (mt_real)lag_q16 / 65536e9;
    if (!(mt_real_abs(lag) <= mt_real_clamp(published->most, 0, LARGEST_LAG))) {
        return;
    }
    int64_t news_q16 = lag_q16 - left_q16;
    mt_real span = (mt_real)(before->base_at_anchor_ns + before->lag_span_ns - now_ns) / 1e9;
    if (news_q16 > NOTHING_NEW || news_q16 < -NOTHING_NEW) {
        span = span_of(published, lag);
    }
    if (span <= 0) {
        return;
    }
    page->lag_q16 = lag_q16;
    page->lag_span_ns = mt_real_round(span * 1e9) + 1;
    page->lag_rate_q64 = to_q64(-lag * 1e9 / (mt_real)page->lag_span_ns);
}

/* ---- the bound ----------------------------------------------------------------------------- */

static int64_t to_ns_rounded_up(mt_real s)
{
    return s > 0 ? mt_real_round(s * 1e9) + 1 : 0;
}

/* of the published time instead of the steered clock's */
static void set_bound(const struct mt_page_facts *facts, struct mt_clock_page *page)
{
    const struct mt_clock_quality_report *report = facts->report;
    int64_t window_ns = facts->reading->window_ns;
    page->parts = report->parts;
    page->bound_ns = mt_interval_to_ns(report->bound);
    page->bound_growth_ppb = to_ppb_rounded_up(facts->published->bound_growth);
    if (report->reference != MT_BOUND_NONE) {
        mt_real lag = (mt_real)page->lag_q16 / 65536e9;
        page->parts.steering_ns =
            to_ns_rounded_up(facts->published->off_estimate + mt_real_abs(lag));
        page->bound_ns += page->parts.steering_ns - report->parts.steering_ns;
    }
    page->parts.granularity_ns += window_ns + 1;
    page->bound_ns += window_ns + 1;
}

void mt_page_make(const struct mt_page_facts *facts, struct mt_clock_page *ret_page)
{
    const struct mt_clock_reading *reading = facts->reading;
    const struct mt_clock_quality_report *report = facts->report;
    struct mt_clock_page page = {
        .magic = MT_CLOCK_PAGE_MAGIC,
        .version = MT_CLOCK_PAGE_VERSION,
        .size = sizeof *ret_page,
        .base = (uint16_t)facts->base,
        .scale = (uint8_t)reading->local.at.scale,
        .state = state_of(facts),
        .bound_reference = (uint8_t)report->reference,
        .tai_utc_valid = facts->tai_utc_known && reading->local.at.scale != MT_SCALE_ARB,
        .valid_until_base_ns = reading->base.ns + facts->valid_ns,
        .tai_minus_utc_s = facts->tai_minus_utc_s,
        .leap_s = facts->leap_s,
        .corrections = reading->local.corrections,
        .steps = facts->steps,
    };
    set_time(facts, &page);
    set_lag(facts, &page);
    set_bound(facts, &page);
    if (facts->grandmaster != NULL) {
        memcpy(page.grandmaster, facts->grandmaster->octet, sizeof page.grandmaster);
    }
    *ret_page = page; /* which may be the one before */
}
