/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * exp, log, erf and truncated normals out of + - * / alone, each reduced to a short series that is
 * summed in a fixed order: equal bits everywhere.  They are written for smallness, not for speed.
 * A shorter type needs fewer terms.
 */
#include "base/real_private.h"

/* ln 2 in two pieces; the first has enough zero bits at its end that k * LN2_HIGH is exact */
#ifdef MT_REAL_SINGLE
#define LN2_HIGH     0x1.62e4p-1F
#define LN2_LOW      0x1.7f7d1cp-20F
#define EXP_HIGHEST  0x1.62e42ep6F    /* e^x is finite up to here */
#define EXP_LOWEST   (-0x1.9fe368p6F) /* and above zero from here */
#define EXP_TERMS    7
#define LOG_TERMS    9 /* the highest power, odd */
#define ERF_ONE_FROM 4
#define ERF_ENOUGH   1e-9F
#define SUBNORMAL    0x1p25F
#define SUBNORMAL_BY 25
#define TAIL_FROM    MT_REAL(1.25)
#define TAIL_DEPTH   14
#define BODY_TERMS   9
#else
#define LN2_HIGH     0x1.62e42fee00000p-1
#define LN2_LOW      0x1.a39ef35793c76p-33
#define EXP_HIGHEST  0x1.62e42fefa39efp9
#define EXP_LOWEST   (-0x1.74910d52d3051p9)
#define EXP_TERMS    13
#define LOG_TERMS    21
#define ERF_ONE_FROM 6
#define ERF_ENOUGH   1e-17
#define SUBNORMAL    0x1p54
#define SUBNORMAL_BY 54
#define TAIL_FROM    MT_REAL(1.75)
#define TAIL_DEPTH   24
#define BODY_TERMS   14
#endif
#define LOG2_E          MT_REAL(0x1.71547652b82fep0)
#define SQRT_HALF       MT_REAL(0x1.6a09e667f3bcdp-1)
#define TWO_BY_ROOT_PI  MT_REAL(0x1.20dd750429b6dp0)
#define ONE_BY_ROOT_2PI MT_REAL(0x1.9884533d43651p-2)
#define HALF            MT_REAL(0.5)

#define FRACTION_MASK (((mt_real_bits)1 << MT_REAL_FRACTION_BITS) - 1)
#define NOT_FINITE    (2 * MT_REAL_BIAS + 1) /* exponent of infinity and not-a-number */

/* 2^power for a normal result */
static mt_real power_of_two(int power)
{
    union mt_real_parts value;

    value.bits = (mt_real_bits)(power + MT_REAL_BIAS) << MT_REAL_FRACTION_BITS;
    return value.real;
}

mt_real mt_real_exp(mt_real x)
{
    mt_real sum = 1;

    if (x > EXP_HIGHEST) {
        return MT_REAL_MAX;
    }
    if (x < EXP_LOWEST) {
        return 0;
    }
    if (x != x) {
        return x;
    }
    int power = (int)(x * LOG2_E + (x < 0 ? -HALF : HALF));
    mt_real rest = x - (mt_real)power * LN2_HIGH - (mt_real)power * LN2_LOW;

    for (int term = EXP_TERMS; term > 0; term--) {
        sum = 1 + rest * sum / (mt_real)term;
    }
    /* in two factors, since 2^power itself may be out of range when the product is not */
    return sum * power_of_two(power / 2) * power_of_two(power - power / 2);
}

mt_real mt_real_log(mt_real x)
{
    union mt_real_parts value = {x};
    int power = 0;
    mt_real sum = 0;

    if (x <= 0) {
        return -MT_REAL_MAX;
    }
    if (value.bits >> MT_REAL_FRACTION_BITS == NOT_FINITE) {
        return x == x ? MT_REAL_MAX : x;
    }
    if (value.bits >> MT_REAL_FRACTION_BITS == 0) {
        value.real *= SUBNORMAL;
        power = -SUBNORMAL_BY;
    }
    power += (int)(value.bits >> MT_REAL_FRACTION_BITS) - (MT_REAL_BIAS - 1);
    value.bits = (value.bits & FRACTION_MASK) | (mt_real_bits)(MT_REAL_BIAS - 1)
                                                    << MT_REAL_FRACTION_BITS;
    if (value.real < SQRT_HALF) {
        value.real *= 2;
        power--;
    }
    mt_real ratio = (value.real - 1) / (value.real + 1);

    for (int term = LOG_TERMS; term > 1; term -= 2) {
        sum = (sum + 1 / (mt_real)term) * ratio * ratio;
    }
    return (mt_real)power * LN2_HIGH + (2 * (ratio + ratio * sum) + (mt_real)power * LN2_LOW);
}

/* e^(-x^2) times a series of positive terms: nothing cancels, so it holds up to where erf is 1 */
mt_real mt_real_erf(mt_real x)
{
    mt_real term = x;
    mt_real sum = x;

    if (x > ERF_ONE_FROM || x < -ERF_ONE_FROM) {
        return x < 0 ? -1 : 1;
    }
    for (int odd = 3; mt_real_abs(term) > mt_real_abs(sum) * ERF_ENOUGH; odd += 2) {
        term = term * 2 * x * x / (mt_real)odd;
        sum += term;
    }
    return TWO_BY_ROOT_PI * mt_real_exp(-x * x) * sum;
}

/* Mills' ratio of the normal tail beyond x is 1 / (x + 1 / (x + 2 / (x + 3 / ...))); here all but
 * the first x.  What is cut off is about the fixed point of its own rule. */
static mt_real tail(mt_real x)
{
    mt_real rest = (x + mt_real_sqrt(x * x + (4 * TAIL_DEPTH - MT_REAL(1.5)))) / 2;

    for (int depth = TAIL_DEPTH - 1; depth > 1; depth--) {
        rest = x + (mt_real)depth / rest;
    }
    return 1 / rest;
}

/* Phi(a) - 1/2 is phi(a) a (1 + a^2 / 3 (1 + a^2 / 5 (...))), as long as that does not cancel */
mt_real mt_real_truncated(mt_real a)
{
    mt_real size = mt_real_abs(a);
    mt_real density = ONE_BY_ROOT_2PI * mt_real_exp(-HALF * a * a);
    mt_real sum = 1;

    if (size < TAIL_FROM) {
        for (int odd = 2 * BODY_TERMS + 1; odd > 1; odd -= 2) {
            sum = 1 + a * a * sum / (mt_real)odd;
        }
        return a + density / (HALF + density * a * sum);
    }
    if (a < 0) {
        return tail(size);
    }
    return a + density / (1 - density / (a + tail(size)));
}
