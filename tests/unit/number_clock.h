/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Test support: a clock made of numbers that the test moves along, step by step.
 */
#ifndef MEANTIME_TESTS_NUMBER_CLOCK_H
#define MEANTIME_TESTS_NUMBER_CLOCK_H

#include "hal/clock.h"

#define NUMBER_CLOCK_START_NS INT64_C(1700000000000000000)

struct number_clock {
    struct mt_hal_clock hal;
    const struct mt_mono *now; /**< of the test; the clock's base */
    int64_t ns;                /**< what it reads */
    mt_real error;             /**< s/s, of its oscillator */
    mt_real rate;
    mt_real part_ns;
    uint32_t corrections;
    uint32_t ours;        /**< of them */
    int64_t read_late_ns; /**< it is read so long after the base */
    bool has_change;      /**< by others, and untold yet */
    struct mt_applied change;
};

void number_clock_init(struct number_clock *self, const struct mt_mono *now,
                       enum mt_timescale scale);
/** So much time passes. */
void number_clock_pass(struct number_clock *self, int64_t ns);
/** Somebody else corrects it; it says so when asked the next time. */
void number_clock_meddle(struct number_clock *self, const struct mt_correction *correction);

#endif
