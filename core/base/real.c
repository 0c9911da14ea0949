/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Square root, conversions and small helpers of mt_real.  The square root is worked out in
 * integers, digit by digit: correctly rounded with and without a floating-point unit, and
 * without a mathematics library to link.  exp, log and erf live in real_functions.c, so that an
 * image which does not need them does not carry them.
 */
#include "meantime/real.h"

#define PARTS_PER_S    65536e9 /* 2^-16 ns in a second */
#define FRACTION_BITS  52
#define EXPONENT_BIAS  1075 /* of a significand read as an integer */
#define EXPONENT_LIMIT 0x7FF
#define EXACT_S        137 /* below, a count of 2^-16 ns fits the 53 bits of the significand */

union real_bits {
    mt_real real;
    uint64_t bits;
};

/* floor(sqrt(significand * 2^54)) of a significand in [2^52, 2^54): 54 digits, two bits each */
static uint64_t root_of(uint64_t significand)
{
    uint64_t root = 0;
    uint64_t rest = 0;

    significand <<= 10; /* its 54 bits to the top */
    for (int digit = 0; digit < 54; digit++) {
        uint64_t trial = root << 2 | 1;
        uint64_t fits;

        rest = rest << 2 | significand >> 62;
        significand <<= 2;
        fits = rest >= trial; /* no branch: the digits of a root are as good as random */
        rest -= trial & (0 - fits);
        root = root << 1 | fits;
    }
    return root;
}

mt_real mt_real_sqrt(mt_real x)
{
    union real_bits value = {x};
    uint64_t significand = value.bits & ((UINT64_C(1) << FRACTION_BITS) - 1);
    int exponent = (int)(value.bits >> FRACTION_BITS) & EXPONENT_LIMIT;

    if (x <= 0) {
        return 0;
    }
    if (exponent == EXPONENT_LIMIT) { /* infinity, or not a number */
        return x;
    }
    if (exponent != 0) {
        significand |= UINT64_C(1) << FRACTION_BITS;
    } else {
        for (exponent = 1; significand >> FRACTION_BITS == 0; exponent--) {
            significand <<= 1;
        }
    }
    exponent -= EXPONENT_BIAS;
    if (exponent % 2 != 0) {
        significand <<= 1;
        exponent--;
    }
    /* the last digit decides the rounding: the root of an even number is never half way */
    significand = (root_of(significand) + 1) >> 1;
    exponent = (exponent - FRACTION_BITS) / 2 + EXPONENT_BIAS;
    /* the leading bit of the significand adds the missing 1 to the exponent field */
    value.bits = ((uint64_t)(exponent - 1) << FRACTION_BITS) + significand;
    return value.real;
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

mt_real mt_span_to_real(struct mt_span a)
{
    int64_t part = (int64_t)a.ns * 65536 + a.frac;

    if (-EXACT_S <= a.s && a.s < EXACT_S) {
        return (mt_real)(a.s * (MT_NS_PER_S * INT64_C(65536)) + part) / PARTS_PER_S;
    }
    return (mt_real)a.s + (mt_real)part / PARTS_PER_S;
}

struct mt_span mt_span_from_real(mt_real x)
{
    mt_real size = mt_real_abs(x);
    struct mt_span span = {INT64_MAX, MT_NS_PER_S - 1, UINT16_MAX};

    if (x != x) {
        return (struct mt_span){0, 0, 0};
    }
    if (x < -9e18) {
        return (struct mt_span){INT64_MIN, 0, 0};
    }
    if (size <= 9e18) {
        int64_t s = (int64_t)size;
        uint64_t part = (uint64_t)((size - (mt_real)s) * PARTS_PER_S + 0.5);
        uint64_t ns = part >> 16;
        bool carry = ns == MT_NS_PER_S;

        span = (struct mt_span){s + carry, carry ? 0 : (uint32_t)ns, (uint16_t)(part & 0xFFFF)};
    }
    return x < 0 ? mt_span_negate(span) : span;
}
