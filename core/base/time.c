/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Time arithmetic.  Instants and spans are both s + part, where part is a non-negative count of
 * 2^-16 ns smaller than a second: the floor form.  One addition with carry serves all of them,
 * because in floor form  -(s + part) = ~s + (ONE - part), just as in two's complement; so a
 * difference is a sum too and there is one place where a carry or an overflow can go wrong.
 * Signed overflow is avoided, never provoked: sums run in uint64_t and their sign is inspected.
 * No 128-bit type and no floating point: a Cortex-M has neither.
 */
#include "meantime/time.h"

#define PARTS_PER_NS     65536
#define PARTS_PER_S      ((int64_t)MT_NS_PER_S * PARTS_PER_NS)
#define LOG2S_NS_LOWEST  (-30)
#define LOG2S_NS_HIGHEST 33

/* a count of 1/one seconds, and the largest number of seconds and of its parts in an int64_t */
struct unit {
    int64_t one;
    int64_t most_s;
    int64_t most_part;
};

static const struct unit unit_ns = {MT_NS_PER_S, INT64_MAX / MT_NS_PER_S, INT64_MAX % MT_NS_PER_S};
static const struct unit unit_q16 = {PARTS_PER_S, INT64_MAX / PARTS_PER_S, INT64_MAX % PARTS_PER_S};

/* without the implementation-defined conversion; compilers make it nothing */
static int64_t to_signed(uint64_t u)
{
    return u <= INT64_MAX ? (int64_t)u : -(int64_t)~u - 1;
}

static uint64_t part_of(uint32_t ns, uint16_t frac)
{
    return (uint64_t)ns * PARTS_PER_NS + frac;
}

static struct mt_span make_span(int64_t s, uint64_t part)
{
    return (struct mt_span){s, (uint32_t)(part / PARTS_PER_NS), (uint16_t)(part % PARTS_PER_NS)};
}

/* Operands of one sign can overflow, and then the sum has the other sign: adding a carry of 1
 * cannot hide it, and operands of different signs cannot overflow even with the carry. */
static struct mt_span add(int64_t a_s, uint64_t a_part, int64_t b_s, uint64_t b_part)
{
    uint64_t part = a_part + b_part;
    uint64_t carry = part >= (uint64_t)PARTS_PER_S;
    int64_t s = to_signed((uint64_t)a_s + (uint64_t)b_s + carry);

    if ((a_s < 0) == (b_s < 0) && (s < 0) != (a_s < 0)) {
        return a_s < 0 ? make_span(INT64_MIN, 0) : make_span(INT64_MAX, PARTS_PER_S - 1);
    }
    return make_span(s, carry ? part - (uint64_t)PARTS_PER_S : part);
}

static struct mt_span subtract(int64_t a_s, uint64_t a_part, int64_t b_s, uint64_t b_part)
{
    return add(a_s, a_part, ~b_s, (uint64_t)PARTS_PER_S - b_part);
}

static int compare(int64_t a_s, uint64_t a_part, int64_t b_s, uint64_t b_part)
{
    if (a_s != b_s) {
        return a_s < b_s ? -1 : 1;
    }
    return (a_part > b_part) - (a_part < b_part);
}

/* s + part / one seconds as a count of parts, saturating.  A negative one is taken as
 * (s + 1) seconds less what is missing to the full second, so that no step overflows. */
static int64_t count(int64_t s, int64_t part, const struct unit *unit)
{
    int64_t up = s + (s < 0);
    int64_t missing = unit->one - part;

    if (s >= 0) {
        if (s > unit->most_s || (s == unit->most_s && part > unit->most_part)) {
            return INT64_MAX;
        }
        return s * unit->one + part;
    }
    if (up < -unit->most_s || (up == -unit->most_s && missing > unit->most_part + 1)) {
        return INT64_MIN;
    }
    return up * unit->one - missing;
}

static int64_t add_saturating(int64_t a, int64_t b)
{
    int64_t sum = to_signed((uint64_t)a + (uint64_t)b);

    if ((a < 0) == (b < 0) && (sum < 0) != (a < 0)) {
        return a < 0 ? INT64_MIN : INT64_MAX;
    }
    return sum;
}

/* floor form of a count of 1/one seconds; the remainder goes to *ret_part */
static int64_t split(int64_t value, int64_t one, int64_t *ret_part)
{
    int64_t s = value / one;
    int64_t part = value % one;

    *ret_part = part < 0 ? part + one : part;
    return s - (part < 0);
}

struct mt_span mt_instant_minus(struct mt_instant a, struct mt_instant b)
{
    return subtract(a.s, part_of(a.ns, a.frac), b.s, part_of(b.ns, b.frac));
}

struct mt_instant mt_instant_plus(struct mt_instant a, struct mt_span by)
{
    struct mt_span sum = add(a.s, part_of(a.ns, a.frac), by.s, part_of(by.ns, by.frac));

    return (struct mt_instant){sum.s, sum.ns, sum.frac, a.scale};
}

int mt_instant_compare(struct mt_instant a, struct mt_instant b)
{
    return compare(a.s, part_of(a.ns, a.frac), b.s, part_of(b.ns, b.frac));
}

struct mt_span mt_span_plus(struct mt_span a, struct mt_span b)
{
    return add(a.s, part_of(a.ns, a.frac), b.s, part_of(b.ns, b.frac));
}

struct mt_span mt_span_minus(struct mt_span a, struct mt_span b)
{
    return subtract(a.s, part_of(a.ns, a.frac), b.s, part_of(b.ns, b.frac));
}

struct mt_span mt_span_negate(struct mt_span a)
{
    return subtract(0, 0, a.s, part_of(a.ns, a.frac));
}

int mt_span_compare(struct mt_span a, struct mt_span b)
{
    return compare(a.s, part_of(a.ns, a.frac), b.s, part_of(b.ns, b.frac));
}

struct mt_span mt_span_abs(struct mt_span a)
{
    return a.s < 0 ? mt_span_negate(a) : a;
}

struct mt_span mt_span_from_ns(int64_t ns)
{
    int64_t part;
    int64_t s = split(ns, MT_NS_PER_S, &part);

    return (struct mt_span){s, (uint32_t)part, 0};
}

struct mt_span mt_span_from_interval(struct mt_interval a)
{
    int64_t part;
    int64_t s = split(a.q16, PARTS_PER_S, &part);

    return make_span(s, (uint64_t)part);
}

struct mt_interval mt_span_to_interval(struct mt_span a)
{
    return (struct mt_interval){count(a.s, (int64_t)part_of(a.ns, a.frac), &unit_q16)};
}

int64_t mt_span_to_ns(struct mt_span a)
{
    return count(a.s, a.ns, &unit_ns);
}

struct mt_span mt_span_half(struct mt_span a)
{
    bool odd = (a.s & 1) != 0;
    uint64_t part = part_of(a.ns, a.frac) + (odd ? (uint64_t)PARTS_PER_S : 0);

    return make_span(a.s / 2 - (odd && a.s < 0), part / 2);
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
    if (b.q16 == INT64_MIN) { /* has no negative: a + 1 + INT64_MAX */
        return (struct mt_interval){a.q16 < 0 ? add_saturating(a.q16 + 1, INT64_MAX) : INT64_MAX};
    }
    return (struct mt_interval){add_saturating(a.q16, -b.q16)};
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
    }
    if (shift < LOG2S_NS_LOWEST) {
        shift = LOG2S_NS_LOWEST;
    }
    if (shift >= 0) {
        return (int64_t)MT_NS_PER_S << shift;
    }
    return (MT_NS_PER_S + (INT64_C(1) << (-shift - 1))) >> -shift;
}

struct mt_instant mt_instant_from_ns(int64_t ns, enum mt_timescale scale)
{
    struct mt_span since_epoch = mt_span_from_ns(ns);

    return (struct mt_instant){since_epoch.s, since_epoch.ns, 0, scale};
}

int64_t mt_instant_to_ns(struct mt_instant a)
{
    return count(a.s, a.ns, &unit_ns);
}
