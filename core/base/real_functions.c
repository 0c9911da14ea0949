/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * exp, log and erf out of + - * / alone, each reduced to a short series that is summed in a
 * fixed order: equal bits everywhere.  They are written for smallness, not for speed: nothing
 * calls them once per packet.
 */
#include <float.h>

#include "meantime/real.h"

/* ln 2 in two pieces; the first has enough zero bits at its end that k * LN2_HIGH is exact */
#define LN2_HIGH       0x1.62e42fee00000p-1
#define LN2_LOW        0x1.a39ef35793c76p-33
#define LOG2_E         0x1.71547652b82fep0
#define SQRT_HALF      0x1.6a09e667f3bcdp-1
#define TWO_BY_ROOT_PI 0x1.20dd750429b6dp0
#define EXP_HIGHEST    0x1.62e42fefa39efp9    /* e^x is finite up to here */
#define EXP_LOWEST     (-0x1.74910d52d3051p9) /* and above zero from here */
#define EXP_TERMS      13
#define LOG_TERMS      21 /* the highest power, odd */
#define ERF_ONE_FROM   6

union real_bits {
    mt_real real;
    uint64_t bits;
};

/* 2^power for a normal result */
static mt_real power_of_two(int power)
{
    union real_bits value;

    value.bits = (uint64_t)(power + 1023) << 52;
    return value.real;
}

mt_real mt_real_exp(mt_real x)
{
    mt_real sum = 1;

    if (x > EXP_HIGHEST) {
        return DBL_MAX;
    }
    if (x < EXP_LOWEST) {
        return 0;
    }
    if (x != x) {
        return x;
    }
    int power = (int)(x * LOG2_E + (x < 0 ? -0.5 : 0.5));
    mt_real rest = x - power * LN2_HIGH - power * LN2_LOW;

    for (int term = EXP_TERMS; term > 0; term--) {
        sum = 1 + rest * sum / term;
    }
    /* in two factors, since 2^power itself may be out of range when the product is not */
    return sum * power_of_two(power / 2) * power_of_two(power - power / 2);
}

mt_real mt_real_log(mt_real x)
{
    union real_bits value = {x};
    int power = 0;
    mt_real sum = 0;

    if (x <= 0) {
        return -DBL_MAX;
    }
    if (value.bits >> 52 == 0x7FF) {
        return x == x ? DBL_MAX : x;
    }
    if (value.bits >> 52 == 0) {
        value.real *= 0x1p54;
        power = -54;
    }
    power += (int)(value.bits >> 52) - 1022;
    value.bits = (value.bits & UINT64_C(0x000FFFFFFFFFFFFF)) | UINT64_C(1022) << 52;
    if (value.real < SQRT_HALF) {
        value.real *= 2;
        power--;
    }
    mt_real ratio = (value.real - 1) / (value.real + 1);

    for (int term = LOG_TERMS; term > 1; term -= 2) {
        sum = (sum + (mt_real)1 / term) * ratio * ratio;
    }
    return power * LN2_HIGH + (2 * (ratio + ratio * sum) + power * LN2_LOW);
}

/* e^(-x^2) times a series of positive terms: nothing cancels, so it holds up to where erf is 1 */
mt_real mt_real_erf(mt_real x)
{
    mt_real term = x;
    mt_real sum = x;

    if (x > ERF_ONE_FROM || x < -ERF_ONE_FROM) {
        return x < 0 ? -1 : 1;
    }
    for (int odd = 3; mt_real_abs(term) > mt_real_abs(sum) * 1e-17; odd += 2) {
        term = term * 2 * x * x / odd;
        sum += term;
    }
    return TWO_BY_ROOT_PI * mt_real_exp(-x * x) * sum;
}
