/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The operating system's clocks, as the clocks of this folder use them: behind a table, so that
 * tests put their own base clock underneath; and the watch that notices when somebody steps
 * CLOCK_REALTIME, the base in which the kernel stamps packets.
 * Thread rule: the loop's thread.
 */
#ifndef MEANTIME_LINUX_TIME_H
#define MEANTIME_LINUX_TIME_H

#include <stdbool.h>
#include <stdint.h>

struct timex;

struct mt_os_time {
    int64_t (*realtime_ns)(void *context);
    int64_t (*monotonic_ns)(void *context);
    /** clock_adjtime(CLOCK_REALTIME, change): the clock's state, or -1 with errno. */
    int (*adjust)(void *context, struct timex *change);
    void *context;
};

extern const struct mt_os_time mt_os_time_linux;

/** Compares CLOCK_REALTIME with CLOCK_MONOTONIC, which is slewed like it but never stepped. */
struct mt_step_watch {
    const struct mt_os_time *os;
    int64_t ahead_ns;     /**< REALTIME - MONOTONIC */
    int64_t monotonic_ns; /**< when that was measured */
};

struct mt_step_found {
    int64_t realtime_ns; /**< now */
    int64_t step_ns;     /**< 0: none */
    int64_t boundary_ns; /**< readings below this, and those that lie in the future now, were made
                          * before the step */
};

void mt_step_watch_init(struct mt_step_watch *self, const struct mt_os_time *os);
/** Looks whether the base was stepped by more than 1 ms since the last look. */
struct mt_step_found mt_step_watch_look(struct mt_step_watch *self);
/** Tells the watch of a step that we made ourselves. */
void mt_step_watch_expect(struct mt_step_watch *self, int64_t step_ns);

#endif
