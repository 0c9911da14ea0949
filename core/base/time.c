/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Time arithmetic.  Spans are in floor form, so turning every digit over, seconds in binary and
 * the rest against all nines, gives -1 - a in units of 2^-16 ns, as it does in two's complement.
 * Then a - b = ~(~a + b): one addition serves all, there is one place where a carry or an
 * overflow can go wrong, and the two saturated values are each other's reverse.
 * Signed overflow is avoided, never provoked: sums run in uint64_t and their sign is inspected.
 * No division of 64 bits, no 128-bit type and no floating point: a Cortex-M has none of them.
 */
#include "meantime/time.h"

#define PARTS_PER_NS     65536
#define PARTS_PER_S      ((int64_t)MT_NS_PER_S * PARTS_PER_NS)
#define MOST_S           (INT64_MAX / MT_NS_PER_S) /* whole seconds in an int64_t of nanoseconds */
#define SECONDS_Q61      2305843009                /* 2^61 / 1e9, rounded down */
#define LOG2S_NS_LOWEST  (-30)
#define LOG2S_NS_HIGHEST 33

/* without the implementation-defined conversion; compilers make it nothing */
static int64_t to_signed(uint64_t u)
{
    return u <= INT64_MAX ? (int64_t)u : -(int64_t)~u - 1;
}

static int64_t add_saturating(int64_t a, int64_t b)
{
    int64_t sum = to_signed((uint64_t)a + (uint64_t)b);

    if (((a ^ sum) & (b ^ sum)) < 0) { /* two of one sign made one of the other */
        return a < 0 ? INT64_MIN : INT64_MAX;
    }
    return sum;
}

static void turn_over(struct mt_span *a)
{
    a->s = ~a->s;
    a->ns = MT_NS_PER_S - 1 - a->ns;
    a->frac = UINT16_MAX - a->frac;
}

/* Operands of one sign can overflow, and then the sum has the other sign: adding a carry of 1
 * cannot hide it, and operands of different signs cannot overflow even with the carry. */
void mt_span_add(struct mt_span *to, const struct mt_span *by)
{
    uint32_t frac = (uint32_t)to->frac + by->frac;
    uint32_t ns = to->ns + by->ns + frac / PARTS_PER_NS;
    uint64_t s = (uint64_t)to->s + (uint64_t)by->s;
    int64_t sum;

    if (ns >= MT_NS_PER_S) {
        ns -= MT_NS_PER_S;
        s++;
    }
    sum = to_signed(s);
    if (((to->s ^ sum) & (by->s ^ sum)) < 0) {
        *to = (struct mt_span){INT64_MAX, MT_NS_PER_S - 1, UINT16_MAX};
        if (by->s < 0) {
            turn_over(to);
        }
        return;
    }
    *to = (struct mt_span){sum, ns, (uint16_t)(frac % PARTS_PER_NS)};
}

void mt_span_subtract(struct mt_span *from, const struct mt_span *by)
{
    turn_over(from);
    mt_span_add(from, by);
    turn_over(from);
}

static struct mt_span since_epoch(const struct mt_instant *a)
{
    return (struct mt_span){a->s, a->ns, a->frac};
}

/* The seconds are estimated from the upper bits by the reciprocal, too few by 4 at most, and made
 * good one by one. */
static struct mt_span split(uint64_t ns)
{
    uint64_t s = (ns >> 31) * SECONDS_Q61 >> 30;
    uint64_t rest = ns - s * MT_NS_PER_S;

    while (rest >= MT_NS_PER_S) {
        rest -= MT_NS_PER_S;
        s++;
    }
    return (struct mt_span){(int64_t)s, (uint32_t)rest, 0};
}

void mt_span_between(const struct mt_instant *from, const struct mt_instant *to,
                     struct mt_span *ret)
{
    struct mt_span by = since_epoch(from);

    *ret = since_epoch(to);
    mt_span_subtract(ret, &by);
}

struct mt_span mt_instant_minus(struct mt_instant a, struct mt_instant b)
{
    struct mt_span difference;

    mt_span_between(&b, &a, &difference);
    return difference;
}

void mt_instant_move(struct mt_instant *at, const struct mt_span *by)
{
    struct mt_span since = since_epoch(at);

    mt_span_add(&since, by);
    at->s = since.s;
    at->ns = since.ns;
    at->frac = since.frac;
}

struct mt_instant mt_instant_plus(struct mt_instant a, struct mt_span by)
{
    mt_instant_move(&a, &by);
    return a;
}

static int64_t part_of(const struct mt_span *a)
{
    return (int64_t)a->ns * PARTS_PER_NS + a->frac;
}

static int compare(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

int mt_instant_compare(struct mt_instant a, struct mt_instant b)
{
    return mt_span_compare(since_epoch(&a), since_epoch(&b));
}

struct mt_span mt_span_plus(struct mt_span a, struct mt_span b)
{
    mt_span_add(&a, &b);
    return a;
}

struct mt_span mt_span_minus(struct mt_span a, struct mt_span b)
{
    mt_span_subtract(&a, &b);
    return a;
}

struct mt_span mt_span_negate(struct mt_span a)
{
    return mt_span_minus((struct mt_span){0, 0, 0}, a);
}

int mt_span_compare(struct mt_span a, struct mt_span b)
{
    return a.s != b.s ? compare(a.s, b.s) : compare(part_of(&a), part_of(&b));
}

struct mt_span mt_span_abs(struct mt_span a)
{
    return a.s < 0 ? mt_span_negate(a) : a;
}

struct mt_span mt_span_from_ns(int64_t ns)
{
    struct mt_span span = split((uint64_t)(ns < 0 ? ~ns : ns));

    if (ns < 0) {
        turn_over(&span);
        span.frac = 0;
    }
    return span;
}

struct mt_span mt_span_from_interval(struct mt_interval a)
{
    uint64_t size = (uint64_t)(a.q16 < 0 ? ~a.q16 : a.q16);
    struct mt_span span = split(size / PARTS_PER_NS);

    span.frac = (uint16_t)(size % PARTS_PER_NS);
    if (a.q16 < 0) {
        turn_over(&span);
    }
    return span;
}

struct mt_interval mt_span_to_interval(struct mt_span a)
{
    int64_t ns = mt_span_to_ns(a);
    struct mt_interval interval = mt_interval_from_ns(ns);

    if (mt_interval_to_ns(interval) == ns) { /* not saturated */
        interval.q16 += a.frac;
    }
    return interval;
}

/* Just beyond the ends, the sum in 64 bits wraps to the other sign. */
int64_t mt_span_to_ns(struct mt_span a)
{
    int64_t ns = to_signed((uint64_t)a.s * MT_NS_PER_S + a.ns);

    if (a.s > MOST_S || a.s < -MOST_S - 1 || (ns ^ a.s) < 0) {
        return a.s < 0 ? INT64_MIN : INT64_MAX;
    }
    return ns;
}

struct mt_span mt_span_half(struct mt_span a)
{
    bool odd = (a.s & 1) != 0;
    int64_t part = part_of(&a) + (odd ? PARTS_PER_S : 0);
    struct mt_span half = mt_span_from_interval((struct mt_interval){part / 2});

    half.s = a.s / 2 - (odd && a.s < 0);
    return half;
}

/* A correction that was too large once stays so: nothing can be subtracted from it to make it
 * known again. */
struct mt_interval mt_interval_plus(struct mt_interval a, struct mt_interval b)
{
    if (mt_interval_is_too_large(a) || mt_interval_is_too_large(b)) {
        return MT_INTERVAL_TOO_LARGE;
    }
    return (struct mt_interval){add_saturating(a.q16, b.q16)};
}

struct mt_interval mt_interval_minus(struct mt_interval a, struct mt_interval b)
{
    if (mt_interval_is_too_large(a) || mt_interval_is_too_large(b)) {
        return MT_INTERVAL_TOO_LARGE;
    }
    return (struct mt_interval){~add_saturating(~a.q16, b.q16)};
}

struct mt_interval mt_interval_from_ns(int64_t ns)
{
    if (ns > INT64_MAX / PARTS_PER_NS) {
        return (struct mt_interval){INT64_MAX};
    }
    if (ns < INT64_MIN / PARTS_PER_NS) {
        return (struct mt_interval){INT64_MIN};
    }
    return (struct mt_interval){ns * PARTS_PER_NS};
}

int64_t mt_interval_to_ns(struct mt_interval a)
{
    return a.q16 >= 0 ? a.q16 / PARTS_PER_NS : ~(~a.q16 / PARTS_PER_NS);
}

bool mt_interval_is_too_large(struct mt_interval a)
{
    return a.q16 == INT64_MAX;
}

/* "never" is not a number: a margin taken off it leaves it what it is */
struct mt_mono mt_mono_plus(struct mt_mono a, int64_t by_ns)
{
    if (a.ns == INT64_MAX) {
        return a;
    }
    return (struct mt_mono){add_saturating(a.ns, by_ns)};
}

struct mt_mono mt_mono_earlier(struct mt_mono a, struct mt_mono b)
{
    return a.ns <= b.ns ? a : b;
}

/* Rounded to nearest, so that the shortest is 1 ns: a timer of 0 ns would fire for ever. */
int64_t mt_log2s_to_ns(int8_t log2s)
{
    int shift = log2s;

    if (shift > LOG2S_NS_HIGHEST) {
        shift = LOG2S_NS_HIGHEST;
    } else if (shift < LOG2S_NS_LOWEST) {
        shift = LOG2S_NS_LOWEST;
    }
    /* the highest, with one more bit that is rounded away, shifted down */
    return (
        int64_t)((((uint64_t)MT_NS_PER_S << (LOG2S_NS_HIGHEST + 1) >> (LOG2S_NS_HIGHEST - shift)) +
                  1) /
                 2);
}

struct mt_instant mt_instant_from_ns(int64_t ns, enum mt_timescale scale)
{
    struct mt_span span = mt_span_from_ns(ns);

    return (struct mt_instant){span.s, span.ns, 0, scale};
}

int64_t mt_instant_to_ns(struct mt_instant a)
{
    return mt_span_to_ns(since_epoch(&a));
}
