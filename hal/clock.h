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

/** A reading of a clock that we do not steer and others read too.  There are two: the base of
 * what is published (`base` of the clock; on Linux CLOCK_BOOTTIME, which nobody can set), and the
 * counter in which packets are stamped (the kernel's CLOCK_REALTIME, the NIC's).  The simulator
 * has one for both. */
struct mt_base_time {
    int64_t ns;
    uint16_t frac; /**< 2^-16 ns */
    /** A stamp: which counter it is of, as the platform numbers them; 0: of the usual one. */
    uint16_t counter;
};

/** A simultaneous reading of clock and base. */
struct mt_clock_reading {
    struct mt_stamp local;
    struct mt_base_time base; /**< of the clock that `base` of struct mt_hal_clock names */
    int64_t rate_q64;         /**< present rate of local against base, minus one, times 2^64 */
    int64_t window_ns;        /**< the two readings may be this far apart, and stamps from both */
};

/** How good a clock is, for an operating system that lives by it. */
struct mt_clock_standing {
    bool is_synchronised; /**< it has a bound; if not, the next four mean nothing */
    int64_t error_ns;     /**< to be expected, a standard deviation */
    int64_t bound_ns;     /**< now ... */
    int64_t growth_ppb;   /**< ... and this much more per second, in ns */
    bool is_tai_utc_known;
    int32_t tai_minus_utc_s;
};

struct mt_hal_clock;

struct mt_hal_clock_ops {
    /** Reads the clock now. */
    void (*read)(struct mt_hal_clock *self, struct mt_clock_reading *ret_reading);
    /** What the clock read when a packet was stamped `stamp` (the recent past), with the
     * correction count that was in force then. */
    void (*stamp)(struct mt_hal_clock *self, struct mt_base_time stamp, struct mt_stamp *ret_stamp);
    /** Applies a correction and says what came of it; `is_refused` if it could not. */
    void (*apply)(struct mt_hal_clock *self, const struct mt_correction *correction,
                  struct mt_applied *ret_applied);
    /** Takes a change that somebody else made to the clock since the last call, if there is one.
     * Until it is taken, readings and stamps are those of the clock without the change.  Clocks
     * that float above the machine's are not changed by what others do to that. */
    bool (*disturbed)(struct mt_hal_clock *self, struct mt_applied *ret_applied);
    /** A leap second at the end of this UTC day: -1, 0 (there is none) or +1.  For clocks beneath
     * which something counts UTC, and steers by ours; null: there is nothing. */
    void (*announce)(struct mt_hal_clock *self, int32_t leap_s);
    /** Told at least as often as pages are published, and at the end that it is not synchronised.
     * Clocks that nobody has corrected tell nothing on; null: there is nobody to tell. */
    void (*tell)(struct mt_hal_clock *self, const struct mt_clock_standing *standing);
};

struct mt_hal_clock {
    const struct mt_hal_clock_ops *ops;
    enum mt_base_clock base; /**< of the readings and the page */
    enum mt_timescale scale; /**< at start; steps may change it if adopts_scale */
    uint32_t granularity_ns; /**< of stamps and readings */
    mt_real max_rate;        /**< s/s: range of the rate correction */
    bool adopts_scale;
    bool is_adjustable;  /**< false: apply() always refuses */
    const char *refusal; /**< why, in words; null: nobody knows.  Lives as long as the clock */
    const char *device;  /**< of a hardware clock its file, for people; null: not known */
};

#endif
