/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The functions of mt_real in double precision, under other names.
 */
#include "real_exact.h"

#include "base/real.c"
#include "base/real_functions.c"
