/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Test support: a clock made of numbers, over a base that shows true UTC, and is the monotonic
 * time, too.  It runs as it was told to at any moment between: nobody needs to move it along.
 */
#ifndef MEANTIME_TESTS_RATE_CLOCK_H
#define MEANTIME_TESTS_RATE_CLOCK_H

#include "hal/clock.h"

struct rate_clock {
    struct mt_hal_clock hal;
    int64_t now_ns;   /**< true UTC: the test's to move */
    int64_t ahead_ns; /**< of the base, when that read `since_ns` */
    int64_t since_ns;
    mt_real error; /**< s/s, of its oscillator */
    mt_real rate;
    uint32_t corrections;
};

/** It counts TAI, and reads `ahead_ns` more than the base. */
void rate_clock_init(struct rate_clock *self, int64_t now_ns, int64_t ahead_ns, mt_real error);
/** What it reads when the base reads that. */
int64_t rate_clock_at(const struct rate_clock *self, int64_t base_ns);
/** Changed now, without telling anybody. */
void rate_clock_change(struct rate_clock *self, int64_t step_ns, mt_real rate);

#endif
