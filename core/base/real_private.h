/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * mt_real bit by bit, for the files that build its functions: both types are IEEE 754 binary
 * formats, so one text serves both with these numbers.
 */
#ifndef MEANTIME_BASE_REAL_PRIVATE_H
#define MEANTIME_BASE_REAL_PRIVATE_H

#include <float.h>

#include "meantime/real.h"

#ifdef MT_REAL_SINGLE
typedef uint32_t mt_real_bits;
#define MT_REAL_FRACTION_BITS 23
#define MT_REAL_BIAS          127
#define MT_REAL_MAX           FLT_MAX
#else
typedef uint64_t mt_real_bits;
#define MT_REAL_FRACTION_BITS 52
#define MT_REAL_BIAS          1023
#define MT_REAL_MAX           DBL_MAX
#endif

union mt_real_parts {
    mt_real real;
    mt_real_bits bits;
};

#endif
