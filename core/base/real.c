/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Square root, conversions and small helpers of mt_real, out of + - * / alone: equal bits with
 * and without a floating-point unit, no mathematics library to link, and of the compiler's own
 * only what the estimators need anyway.  exp, log and erf live in real_functions.c, so that an
 * image which does not need them does not carry them.
 */
#include "meantime/real.h"

#define PARTS_PER_S 65536e9  /* 2^-16 ns in a second */
#define EXACT       0x1p51   /* below, the sum with INTEGER stays in its binade */
#define INTEGER     0x1.8p52 /* numbers of this size are integers */
#define LARGEST     0x1p50   /* and plus this they are of this size */

union real_bits {
    mt_real real;
    uint64_t bits;
};

/* Heron's rule from above: half the exponent is never too small a guess, each step is better by
 * the square, and when the last digits do not fall any more they are right. */
mt_real mt_real_sqrt(mt_real x)
{
    union real_bits root = {x};
    mt_real guess;

    if (x <= 0) {
        return 0;
    }
    root.bits = root.bits / 2 + (UINT64_C(1023) << 51);
    do {
        guess = root.real;
        root.real = (guess + x / guess) / 2;
    } while (root.real < guess);
    return root.real;
}

mt_real mt_real_abs(mt_real x)
{
    return x < 0 ? -x : x;
}

mt_real mt_real_clamp(mt_real x, mt_real low, mt_real high)
{
    if (x < low) {
        return low;
    }
    return x > high ? high : x;
}

/* below 137 s all but the division is exact, and so are whole seconds */
mt_real mt_span_to_real(struct mt_span a)
{
    int64_t part = (int64_t)a.ns * 65536 + a.frac;

    return ((mt_real)a.s * PARTS_PER_S + (mt_real)part) / PARTS_PER_S;
}

/* adding INTEGER rounds, and leaves the integer in the low bits */
int64_t mt_real_round(mt_real x)
{
    static const union real_bits zero = {INTEGER};
    union real_bits sum = {mt_real_clamp(x, -LARGEST, LARGEST) + INTEGER};

    return x == x ? (int64_t)(sum.bits - zero.bits) : 0;
}

/* the seconds, and then what is left of them, of either sign */
struct mt_span mt_span_from_real(mt_real x)
{
    int64_t s = mt_real_round(x);
    int64_t part = mt_real_round((x - (mt_real)s) * PARTS_PER_S);
    struct mt_span span = mt_span_from_interval((struct mt_interval){part});

    span.s += s;
    return span;
}
