/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * A kernel of numbers for a simulated node: CLOCK_REALTIME with leap seconds, over the node's own
 * oscillator, beneath the very clock that the daemon steers on Linux.  The world's clock counts on
 * without leap seconds, so who looks at that sees whether TAI was ever stepped.
 */
#ifndef MEANTIME_TESTS_SIM_KERNEL_H
#define MEANTIME_TESTS_SIM_KERNEL_H

#include <sys/timex.h>

#include "platform/linux/linux_clock.h"

struct sim_kernel {
    struct mt_os_time os;
    struct mt_hal_clock hal;         /**< what the node sees */
    struct mt_hal_clock *system;     /**< the clock under test */
    struct mt_hal_clock *counter;    /**< the world's, which counts TAI for us */
    struct mt_hal_provider provider; /**< the world's, with this clock */
    struct mt_hal_provider *world;
    int32_t hidden_s;   /**< counter - REALTIME ... */
    int32_t before_s;   /**< ... and what it was ... */
    int64_t leapt_ns;   /**< ... until the counter read so much */
    int64_t stepped_ns; /**< by all ADJ_SETOFFSET */
    unsigned steps;
    struct timex timex;
};

/** REALTIME begins with UTC, TAI - UTC being `tai_minus_utc_s`. */
void sim_kernel_init(struct sim_kernel *self, int32_t tai_minus_utc_s);
void sim_kernel_free(struct sim_kernel *self);
/** For lab.provide. */
struct mt_hal_provider *sim_kernel_provide(struct sim_kernel *self, struct mt_hal_provider *world);
int64_t sim_kernel_realtime_ns(struct sim_kernel *self);

#endif
