/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * A clock that can be steered, as the runtime sees it: system clock, hardware clock, overlay,
 * lab or simulated.  Platforms implement the table; runtime calls it from the loop's thread.
 * A clock counts its corrections; each stamp it makes says how many it had had by then.
 */
#ifndef MEANTIME_HAL_CLOCK_H
#define MEANTIME_HAL_CLOCK_H

#include "meantime/clock_page.h"
#include "meantime/steer.h"

/** A reading of the base clock: the kernel's, the NIC's or the simulator's counter in which
 * packets are stamped. */
struct mt_base_time {
    int64_t ns;
    uint16_t frac; /**< 2^-16 ns */
};

/** A simultaneous reading of clock and base. */
struct mt_clock_reading {
    struct mt_stamp local;
    struct mt_base_time base;
    int64_t rate_q64;  /**< present rate of local against base, minus one, times 2^64 */
    int64_t window_ns; /**< the two readings may be this far apart */
};

struct mt_hal_clock;

struct mt_hal_clock_ops {
    /** Reads the clock now. */
    void (*read)(struct mt_hal_clock *self, struct mt_clock_reading *ret_reading);
    /** What the clock read when the base read `base` (the recent past): converts packet stamps,
     * with the correction count that was in force then. */
    void (*stamp)(struct mt_hal_clock *self, struct mt_base_time base, struct mt_stamp *ret_stamp);
    /** Applies a correction and says what came of it; `is_refused` if it could not. */
    void (*apply)(struct mt_hal_clock *self, const struct mt_correction *correction,
                  struct mt_applied *ret_applied);
    /** Takes a change that somebody else made to the clock since the last call, if there is one
     * (a step of the base is undone for clocks that float above it). */
    bool (*disturbed)(struct mt_hal_clock *self, struct mt_applied *ret_applied);
};

struct mt_hal_clock {
    const struct mt_hal_clock_ops *ops;
    enum mt_base_clock base;
    enum mt_timescale scale; /**< at start; steps may change it if adopts_scale */
    uint32_t granularity_ns; /**< of stamps and readings */
    mt_real max_rate;        /**< s/s: range of the rate correction */
    bool adopts_scale;
    bool is_adjustable; /**< false: apply() always refuses */
};

#endif
