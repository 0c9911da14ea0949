/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The published clock: one page of shared memory that says what time it is, and how wrong that
 * may be, as a linear function of a base clock that any program can read without a system call.
 * Written by the daemon, read by libmeantime, by server threads, the tool and the tests.
 *
 *     elapsed     = base - base_at_anchor
 *     time(base)  = anchor + elapsed * (1 + rate_q64 / 2^64) + lag
 *     lag         = lag_q16 / 2^16 + elapsed * lag_rate_q64 / 2^64 for 0 <= elapsed < lag_span_ns
 *     error bound = bound_ns + bound_growth_ppb * |elapsed| / 1e9
 *
 * Without the lag it is the estimate, which changes with each sample; with it the published time
 * follows and never runs backwards.  A reader that does not know of the lag reads the estimate.
 *
 * Append-only ABI, native byte order: members are added at the end and `size` grows; `version`
 * changes only if an old reader would misread.  A reader takes `sequence`, copies, takes it
 * again, and starts over if it was odd or has changed.
 */
#ifndef MEANTIME_CLOCK_PAGE_H
#define MEANTIME_CLOCK_PAGE_H

#include "meantime/time.h"

#define MT_CLOCK_PAGE_MAGIC   0x6d656174u /* "meat" read as big-endian */
#define MT_CLOCK_PAGE_VERSION 1

/** The clock of the operating system that the mapping starts from. */
enum mt_base_clock {
    MT_BASE_REALTIME = 0,      /**< CLOCK_REALTIME */
    MT_BASE_MONOTONIC_RAW = 1, /**< CLOCK_MONOTONIC_RAW */
    MT_BASE_VIRTUAL = 2,       /**< the simulator's time: only the simulator can read it */
    MT_BASE_BOOTTIME = 3,      /**< CLOCK_BOOTTIME: nobody can set it, suspend counts */
    MT_BASE_MONOTONIC = 4,     /**< CLOCK_MONOTONIC, where there is no CLOCK_BOOTTIME */
};

/** How far the published time may be trusted. */
enum mt_clock_state {
    MT_CLOCK_FREE_RUN,  /**< never synchronised since start */
    MT_CLOCK_ACQUIRING, /**< a source is followed, the estimate has not settled */
    MT_CLOCK_LOCKED,    /**< synchronised */
    MT_CLOCK_HOLDOVER,  /**< was synchronised, no source now: the bound grows */
    MT_CLOCK_SERVING,   /**< this clock is itself the reference of its domain */
};
#define MT_CLOCK_STATE_COUNT 5

/** What the error bound is measured against. */
enum mt_bound_reference {
    MT_BOUND_NONE,      /**< there is no reference: bound_ns means nothing */
    MT_BOUND_SOURCE,    /**< error against the grandmaster, whose own error is not known */
    MT_BOUND_TRACEABLE, /**< error against TAI or UTC, the source's own bound included */
    MT_BOUND_PARENT,    /**< error against the clock that is followed, which does not say how wrong
                             it is against its grandmaster */
};

/** Of a clock that holds over: whether it is as good as it should be then. */
enum mt_holdover_state {
    MT_HOLDOVER_NONE, /**< it does not hold over */
    MT_HOLDOVER_IN_SPECIFICATION,
    MT_HOLDOVER_OUT_OF_SPECIFICATION,
};
#define MT_HOLDOVER_STATE_COUNT 3

/** The parts of the bound at the anchor, in nanoseconds; their sum is bound_ns.  On a page it is
 * the bound of the published time, elsewhere that of the steered clock. */
struct mt_bound_parts {
    int64_t estimate_ns;    /**< k sigma of the estimate, k = 5 */
    int64_t asymmetry_ns;   /**< allowance for path asymmetry, which two-way exchange cannot see */
    int64_t source_ns;      /**< the source's own bound as far as it said it */
    int64_t granularity_ns; /**< timestamp granularity and read window */
    int64_t steering_ns;    /**< what the published time (the steered clock) is off the estimate */
};

struct mt_clock_page {
    uint32_t magic;
    uint16_t version;
    uint16_t size;     /**< sizeof this struct, as the writer knew it */
    uint32_t sequence; /**< odd while being written */
    uint16_t base;     /**< enum mt_base_clock */
    uint8_t scale;     /**< enum mt_timescale of the published time */
    uint8_t state;     /**< enum mt_clock_state */

    int64_t base_at_anchor_ns;
    int64_t anchor_s;
    uint32_t anchor_ns;
    uint16_t anchor_frac;
    uint8_t bound_reference; /**< enum mt_bound_reference */
    uint8_t tai_utc_valid;   /**< 1: tai_minus_utc_s means something */
    int64_t rate_q64; /**< rate of the published time against the base, minus one, times 2^64 */

    int64_t bound_ns;
    int64_t bound_growth_ppb;    /**< ns per second of distance from the anchor */
    int64_t valid_until_base_ns; /**< after this the page is stale: the writer is gone */
    int32_t tai_minus_utc_s;
    int32_t leap_s;         /**< leap second at the end of this UTC day: -1, 0 or +1 */
    uint32_t corrections;   /**< corrections applied to the clock so far */
    uint32_t steps;         /**< how many of them were steps */
    uint8_t grandmaster[8]; /**< clockIdentity of the reference; zero if there is none */
    struct mt_bound_parts parts;
    /** The first 16 hexadecimal digits of /proc/sys/kernel/random/boot_id, for the base begins anew
     * with the machine: a reader that knows another number has a stale page.  0: not known. */
    uint64_t boot_id;
    int64_t lag_q16;      /**< what the published time is ahead of the estimate at the anchor */
    int64_t lag_rate_q64; /**< and how that changes, against the base */
    int64_t lag_span_ns;  /**< until it is gone, 0 or more */
    /** What the steered clock (the system clock, the one that is served) reads more than the
     * estimate at the anchor; |that| - |lag_q16| more is its bound. */
    int64_t steered_q16;
    int64_t
        state_since_base_ns; /**< since when it is in its state, `holdover` included; 0: unknown */
    uint32_t state_changes;  /**< since the writer began */
    uint32_t holdover;       /**< enum mt_holdover_state */
};

/** The published time when the base reads `base_ns`, within 10 hours of the anchor. */
struct mt_instant mt_clock_page_time(const struct mt_clock_page *page, int64_t base_ns);
/** What of it is lag. */
struct mt_interval mt_clock_page_lag(const struct mt_clock_page *page, int64_t base_ns);

#endif
