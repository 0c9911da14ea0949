/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Square root, conversions and small helpers of mt_real, out of + - * / alone: equal bits with
 * and without a floating-point unit, no mathematics library to link, and of the compiler's own
 * only what the estimators need anyway.  In single precision nothing here goes by way of double,
 * which rules out the compiler's conversion to 64-bit integers.
 * exp, log and erf live in real_functions.c, so that an image which does not need them does not
 * carry them.
 */
#include "base/real_private.h"

#define PARTS_PER_S MT_REAL(65536e9) /* 2^-16 ns in a second; exact in both types */
#define LARGEST     MT_REAL(0x1p50)
#define LARGEST_BIT 50

/* numbers of this size are integers, and stay of this size with anything below a third added */
#define INTEGER    (MT_REAL(1.5) / MT_REAL_EPSILON)
#define WHOLE_BITS (MT_REAL_FRACTION_BITS - 1) /* of a number that may be added */
/* what is larger is taken off in units of 2^COARSE, then of 2^(COARSE - WHOLE_BITS) ... */
#define COARSE (LARGEST_BIT < WHOLE_BITS ? 0 : LARGEST_BIT - WHOLE_BITS)

/* Not below the root.  Half the exponent is enough; the processor's own, if it has one at hand, is
 * nearer, and Heron's rule comes to the same digits from either. */
static union mt_real_parts guess_root(mt_real x)
{
    union mt_real_parts root = {x};

#if defined __SSE2__ && defined __OPTIMIZE__ && !defined MT_REAL_SINGLE
    if (x < MT_REAL_MAX) {
        root.real = __builtin_sqrt(x);
        root.bits += 2;
        return root;
    }
#endif
    root.bits = root.bits / 2 + ((mt_real_bits)MT_REAL_BIAS << (MT_REAL_FRACTION_BITS - 1));
    return root;
}

/* Heron's rule from above: each step is better by the square, and when the last digits do not fall
 * any more they are right. */
mt_real mt_real_sqrt(mt_real x)
{
    union mt_real_parts root;
    mt_real guess;

    if (x <= 0) {
        return 0;
    }
    root = guess_root(x);
    do {
        guess = root.real;
        root.real = (guess + x / guess) / 2;
    } while (root.real < guess);
    return root.real;
}

mt_real mt_real_abs(mt_real x)
{
    union mt_real_parts size = {x};

    size.bits &= (mt_real_bits)-1 >> 1; /* all but the sign */
    return size.real;
}

mt_real mt_real_larger(mt_real a, mt_real b)
{
    return a > b ? a : b;
}

mt_real mt_real_limit(mt_real x, mt_real most)
{
    if (x > most) {
        return most;
    }
    return x < -most ? -most : x;
}

mt_real mt_real_clamp(mt_real x, mt_real low, mt_real high)
{
    if (x < low) {
        return low;
    }
    return x > high ? high : x;
}

#ifdef MT_REAL_FROM_HALVES
/* Both halves are exact and the sum is rounded once, as in the compiler's own conversion. */
mt_real mt_real_from_int(int64_t i)
{
    uint64_t size = (uint64_t)(i < 0 ? ~i : i) + (i < 0);
    mt_real sum = (mt_real)(uint32_t)(size >> 32) * 0x1p32 + (mt_real)(uint32_t)size;

    return i < 0 ? -sum : sum;
}
#endif

/* From the nearest second, so that little is left where little is meant.  In double, below 137 s
 * all but the division is exact, and so are whole seconds. */
mt_real mt_span_to_real(struct mt_span a)
{
    mt_real s = mt_real_from_int(a.s);
    int32_t ns = (int32_t)a.ns;

    if (ns >= MT_NS_PER_S / 2) {
        ns -= MT_NS_PER_S;
        s += 1;
    }
    return (s * PARTS_PER_S + mt_real_from_int((int64_t)ns * 65536 + a.frac)) / PARTS_PER_S;
}

/* adding INTEGER rounds, and leaves the integer in the low bits */
static int64_t nearest(mt_real x)
{
    static const union mt_real_parts zero = {INTEGER};
    union mt_real_parts sum = {x + INTEGER};

    return (int64_t)sum.bits - (int64_t)zero.bits;
}

int64_t mt_real_round(mt_real x)
{
    mt_real rest = mt_real_limit(x, LARGEST);
    int64_t sum = 0;

    if (x != x) {
        return 0;
    }
    for (int shift = COARSE; shift > 0; shift -= WHOLE_BITS) {
        const int64_t unit = (int64_t)1 << shift;
        const int64_t count = nearest(rest / mt_real_from_int(unit));

        sum += count * unit;
        rest -= mt_real_from_int(count) * mt_real_from_int(unit);
    }
    return sum + nearest(rest);
}

/* the seconds, and then what is left of them, of either sign */
struct mt_span mt_span_from_real(mt_real x)
{
    int64_t s = mt_real_round(x);
    int64_t part = mt_real_round((x - mt_real_from_int(s)) * PARTS_PER_S);
    struct mt_span span = mt_span_from_interval((struct mt_interval){part});

    span.s += s;
    return span;
}
