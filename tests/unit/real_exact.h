/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * For test worlds that are linked with a core in single precision: included before all else
 * (-include), it lets them count in double nevertheless.  Truth must not be rounded.
 */
#ifndef MEANTIME_TESTS_REAL_EXACT_H
#define MEANTIME_TESTS_REAL_EXACT_H

#include "meantime/real.h"

double exact_sqrt(double x);
double exact_exp(double x);
double exact_log(double x);
double exact_erf(double x);
double exact_truncated(double a);
double exact_abs(double x);
double exact_larger(double a, double b);
double exact_limit(double x, double most);
double exact_clamp(double x, double low, double high);
int64_t exact_round(double x);
double exact_span_to_real(struct mt_span a);
struct mt_span exact_span_from_real(double x);

#define mt_real_sqrt      exact_sqrt
#define mt_real_exp       exact_exp
#define mt_real_log       exact_log
#define mt_real_erf       exact_erf
#define mt_real_truncated exact_truncated
#define mt_real_abs       exact_abs
#define mt_real_larger    exact_larger
#define mt_real_limit     exact_limit
#define mt_real_clamp     exact_clamp
#define mt_real_round     exact_round
#define mt_span_to_real   exact_span_to_real
#define mt_span_from_real exact_span_from_real

#endif
