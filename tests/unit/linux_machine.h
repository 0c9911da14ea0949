/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * An operating system made of numbers, for the tests of the Linux clocks: the machine's own clock
 * is never touched.  A test lets time pass, steps or retunes it, and looks at what the clock under
 * test did to it.
 */
#ifndef MEANTIME_TESTS_LINUX_MACHINE_H
#define MEANTIME_TESTS_LINUX_MACHINE_H

#include <sys/timex.h>

#include "platform/linux/linux_clock.h"

#define NOON     INT64_C(1700049600000000000) /* 2023-11-15 12:00 UTC */
#define MIDNIGHT INT64_C(1700092800000000000)
#define MS       INT64_C(1000000)
#define SECOND   INT64_C(1000000000)

#define LARGEST_ERROR_US 16000000

struct machine {
    struct mt_os_time os;
    int64_t realtime_ns;
    int64_t monotonic_ns;
    int64_t boottime_ns;
    int64_t cost_ns; /* each reading takes this long */
    struct timex kernel;
    long singleshot_us; /* what adjtime() has still to slew */
    bool is_forbidden;
    int refusal; /* errno then; 0: EPERM */
    int changes; /* calls that set something other than statistics */
};

/** It is noon, and nothing costs time. */
void machine_init(struct machine *self);
void machine_pass(struct machine *self, int64_t ns);
/** Suspended and resumed. */
void machine_sleep(struct machine *self, int64_t ns);

/** Shorthands for the clock's table. */
struct mt_clock_reading read_clock(struct mt_hal_clock *clock);
int64_t local_ns(struct mt_hal_clock *clock);
/** Of a packet that the kernel stamped so. */
struct mt_stamp stamp(struct mt_hal_clock *clock, int64_t realtime_ns);
/** Steps to TAI. */
struct mt_applied step(struct mt_hal_clock *clock, int64_t ns);
struct mt_applied set_rate(struct mt_hal_clock *clock, mt_real rate);

/** assert_in_range() of cmocka knows no negative numbers. */
#define assert_between(value, low, high) assert_true((value) >= (low) && (value) <= (high))

#endif
