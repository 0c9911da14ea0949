/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "steer/seconds.h"

#define SECONDS_MOST 10000

/* A little less than 0 has few digits, not all of a second's. */
mt_real mt_steer_seconds(const struct mt_span *span)
{
    int32_t s = span->s > SECONDS_MOST ? SECONDS_MOST : (int32_t)span->s;
    int32_t ns = (int32_t)span->ns;

    if (span->s < -SECONDS_MOST) {
        s = -SECONDS_MOST;
    }
    if (s < 0) {
        s++;
        ns -= 1000000000;
    }
    return (mt_real)s + ((mt_real)ns + (mt_real)span->frac * MT_REAL(0x1p-16)) * MT_REAL(1e-9);
}
