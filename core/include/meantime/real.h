/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * mt_real: the one floating-point type of the estimators, and the few functions they need.
 * It is double, or float where the core is built with MT_REAL_SINGLE (meson: -Dreal=single), for
 * processors whose floating-point unit knows no other.  All that is compiled against one library
 * must agree.
 * Only core/servo, core/steer and what lies above may use it; core/wire and core/ptp count in
 * scaled integers.  Everything here is built from + - * / and sqrt, compiled without
 * contraction, so that equal inputs give equal bits under gcc and clang, at any optimisation,
 * on the host and in firmware.
 * Thread rule: values only; any thread.
 */
#ifndef MEANTIME_REAL_H
#define MEANTIME_REAL_H

#include "meantime/time.h"

#ifdef MT_REAL_SINGLE
typedef float mt_real;
#define MT_REAL_EPSILON 0x1p-23F
#else
typedef double mt_real;
/** Distance from 1 to the next number. */
#define MT_REAL_EPSILON 0x1p-52
#endif
/** A constant of this type.  Every literal with a point or a fraction needs it: without, it is a
 * double, and so is what it is multiplied with. */
#define MT_REAL(literal) ((mt_real)(literal))

/** Square root; error below one unit in the last place, exact where the root is a number of half
 * the digits; 0 for x <= 0; infinity and not-a-number stay what they are. */
mt_real mt_real_sqrt(mt_real x);
/** e^x; relative error below 1e-14 (single: 4e-7); saturates to 0 and to the largest finite
 * number. */
mt_real mt_real_exp(mt_real x);
/** Natural logarithm of x > 0; error below 1e-14 (single: 4e-7), or below the spacing of mt_real
 * where that is more (|log x| > 64, in single > 4); x <= 0 gives the lowest number. */
mt_real mt_real_log(mt_real x);
/** Error function; absolute error below 1e-12 (single: 2e-6). */
mt_real mt_real_erf(mt_real x);
/** Mean of a normal number of mean a and deviation 1, given that it is positive:
 * a + phi(a) / Phi(a), always positive; relative error below 1e-8 (single: 4e-6).  With h for the
 * result and l = h - a, that number has the variance 1 - l h, and d h / d a is the same. */
mt_real mt_real_truncated(mt_real a);
/** |x|. */
mt_real mt_real_abs(mt_real x);
/** The larger of the two. */
mt_real mt_real_larger(mt_real a, mt_real b);
/** x limited to [-most, most]. */
mt_real mt_real_limit(mt_real x, mt_real most);
/** x limited to [low, high]. */
mt_real mt_real_clamp(mt_real x, mt_real low, mt_real high);

/** The nearest integer, of two the even one; |x| above 2^50 counts as that; not-a-number: 0. */
int64_t mt_real_round(mt_real x);

/** The nearest number.  Where size counts, floating-point units that take no more than 32 bits are
 * spared the compiler's own routine. */
#if defined __OPTIMIZE_SIZE__ && !defined __SOFTFP__ && !defined MT_REAL_SINGLE
#define MT_REAL_FROM_HALVES
mt_real mt_real_from_int(int64_t i);
#else
static inline mt_real mt_real_from_int(int64_t i)
{
    return (mt_real)i;
}
#endif

/** Seconds, with a relative error below 2 MT_REAL_EPSILON.  In double it is the nearest number
 * below 137 s (exact to 2^-16 ns below about 16 ms), and whole seconds are exact for 140 years. */
mt_real mt_span_to_real(struct mt_span a);
/** Seconds to span, rounded to nearest 2^-16 ns; |x| above 2^50 s (36 million years) becomes
 * about that; not-a-number: 0. */
struct mt_span mt_span_from_real(mt_real x);

#endif
