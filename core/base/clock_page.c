/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Reading a page, in integers: the same answer everywhere, to 2^-16 ns.
 */
#include "meantime/clock_page.h"

#define LONGEST_NS ((int64_t)1 << 45) /* 9.7 h: so long that 2^-16 ns fit 63 bits */

/* a * b / 2^64, rounded down; a product of halves is less than 2^63 in size */
static int64_t multiply_high(int64_t a, int64_t b)
{
    int64_t a_low = (int64_t)(a & UINT32_MAX);
    int64_t b_low = (int64_t)(b & UINT32_MAX);
    int64_t a_high = a >> 32;
    int64_t b_high = b >> 32;
    int64_t low = (int64_t)((uint64_t)a_low * (uint64_t)b_low >> 32);
    int64_t middle = a_high * b_low + low;
    int64_t carry = a_low * b_high + (middle & UINT32_MAX);

    return a_high * b_high + (middle >> 32) + (carry >> 32);
}

/* between the ends of what can be told */
static int64_t elapsed_ns(const struct mt_clock_page *page, int64_t base_ns)
{
    int64_t elapsed = base_ns - page->base_at_anchor_ns;

    if (elapsed < -LONGEST_NS) {
        return -LONGEST_NS;
    }
    return elapsed < LONGEST_NS ? elapsed : LONGEST_NS;
}

struct mt_interval mt_clock_page_lag(const struct mt_clock_page *page, int64_t base_ns)
{
    int64_t elapsed = elapsed_ns(page, base_ns);

    if (elapsed >= page->lag_span_ns) {
        return (struct mt_interval){0};
    }
    elapsed = elapsed < 0 ? 0 : elapsed;
    return (struct mt_interval){page->lag_q16 + multiply_high(elapsed * 65536, page->lag_rate_q64)};
}

struct mt_instant mt_clock_page_time(const struct mt_clock_page *page, int64_t base_ns)
{
    struct mt_instant anchor = {page->anchor_s, page->anchor_ns, page->anchor_frac,
                                (enum mt_timescale)page->scale};
    int64_t elapsed = elapsed_ns(page, base_ns);
    struct mt_interval more = mt_clock_page_lag(page, base_ns);

    more.q16 += multiply_high(elapsed * 65536, page->rate_q64);
    return mt_instant_plus(anchor,
                           mt_span_plus(mt_span_from_ns(elapsed), mt_span_from_interval(more)));
}
