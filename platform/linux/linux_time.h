/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The operating system's clocks, as the clocks of this folder use them: behind a table, so that
 * tests put their own underneath; and the watch over the difference of the two that matter.
 * Packets are stamped in CLOCK_REALTIME, which anybody with the right may set; what we publish is
 * a function of CLOCK_BOOTTIME, which nobody can set and which goes on during suspend.
 * Thread rule: the loop's thread.
 */
#ifndef MEANTIME_LINUX_TIME_H
#define MEANTIME_LINUX_TIME_H

#include "hal/clock.h"

struct timex;

struct mt_os_time {
    int64_t (*realtime_ns)(void *context);
    int64_t (*monotonic_ns)(void *context);
    int64_t (*boottime_ns)(void *context);
    /** clock_adjtime(CLOCK_REALTIME, change): the clock's state, or -1 with errno. */
    int (*adjust)(void *context, struct timex *change);
    /** CLOCK_REALTIME when that counter read so much; null: the kernel stamps alone. */
    int64_t (*realtime_of)(void *context, uint16_t counter, int64_t ns);
    void *context;
    /** There is no BOOTTIME (on no Linux kernel, but in simulators): MONOTONIC stands in, against
     * which REALTIME may be slewed, so that small changes of the difference are no steps. */
    bool runs_apart;
};

/** The kernel's clocks. */
const struct mt_os_time *mt_os_time_linux(void);

/** A stamp of any counter as one of CLOCK_REALTIME. */
struct mt_base_time mt_os_time_realtime_of(const struct mt_os_time *os, struct mt_base_time stamp);
/** Stamps of /dev/ptpN are of this counter. */
uint16_t mt_counter_of_phc(int index);

/** Watches REALTIME - BOOTTIME, which changes by steps of REALTIME only. */
struct mt_step_watch {
    const struct mt_os_time *os;
    int64_t least_ns;    /**< REALTIME - BOOTTIME is at least this ... */
    int64_t most_ns;     /**< ... and at most this, by all readings since the last step */
    int64_t since_ns;    /**< BOOTTIME of the last look that was good enough */
    int64_t tightest_ns; /**< the tightest reading so far */
};

/** What a look has found. */
struct mt_step_found {
    int64_t boottime_ns; /**< now */
    int64_t ahead_ns;    /**< REALTIME - BOOTTIME now ... */
    int64_t window_ns;   /**< ... which may be wrong by this: smaller steps can go unseen */
    int64_t step_ns;     /**< by which REALTIME was stepped since the last look; 0: it was not */
    int64_t boundary_ns; /**< of a step: readings of REALTIME below this, and those that lie in
                          * the future now, were made before it */
};

void mt_step_watch_init(struct mt_step_watch *self, const struct mt_os_time *os);
/** Looks whether REALTIME was stepped since the last look.  A step of more than twice the reading
 * window (some 0.1 us in all) is never missed, however slow the reading; its size is known within
 * `window_ns`. */
struct mt_step_found mt_step_watch_look(struct mt_step_watch *self);
/** Tells the watch of a step that we made ourselves. */
void mt_step_watch_expect(struct mt_step_watch *self, int64_t step_ns);

/** Watches BOOTTIME - MONOTONIC, which changes by suspend only. */
struct mt_sleep_watch {
    const struct mt_os_time *os;
    int64_t most_ns; /**< it was at most this */
};

void mt_sleep_watch_init(struct mt_sleep_watch *self, const struct mt_os_time *os);
/** How long the machine has slept since the last look, for `monotonic_ns` was read just now; 0: not
 * at all, or for less than a few milliseconds. */
int64_t mt_sleep_watch_look(struct mt_sleep_watch *self, int64_t monotonic_ns);

/** What is left after a correction of a doubt that only samples can take away: each correction says
 * that some have come in, and takes a sixteenth. */
int64_t mt_doubt_corrected(int64_t doubt_ns);

#endif
