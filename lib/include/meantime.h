/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * libmeantime: what time it is, and how wrong that may be.  For programs on a machine where
 * meantimed runs: open a clock's page once, then ask as often as you like; an answer costs about
 * 0.1 us and no system call.
 *
 *     struct mt_handle *clock = mt_open(NULL, NULL);
 *     struct mt_now_result now;
 *     if (clock && mt_now(clock, &now) == MT_TIME_OK &&
 *         now.bound_reference == MT_BOUND_TRACEABLE)
 *         ... the true time lies between now.earliest and now.latest
 *
 * What lies between them depends on what the bound is measured against (bound_reference): the true
 * time with MT_BOUND_TRACEABLE only; with MT_BOUND_SOURCE the time of the grandmaster, which may
 * itself be wrong; with MT_BOUND_PARENT that of the clock that is followed, which may be wrong
 * against its grandmaster; with MT_BOUND_NONE nothing is promised.  The bound holds with the path
 * asymmetry that was allowed for.  Setting the machine's clock (CLOCK_REALTIME) does not change an
 * answer, and suspend counts: pages count from CLOCK_BOOTTIME.  A reader must therefore live in the
 * time namespace of the daemon.  Link with -lmeantime.
 * Thread rule: mt_now(), mt_at() and mt_read_page() may be called by any number of threads on
 * one handle; mt_open() and mt_close() belong to its owner.
 */
#ifndef MEANTIME_H
#define MEANTIME_H

#include <time.h>

#include "meantime/clock_page.h"

#ifdef __cplusplus
extern "C" {
#endif

#define MT_DEFAULT_PAGE  "/run/meantime/clock.main"
#define MT_BOUND_UNKNOWN INT64_MAX

enum mt_time_error {
    MT_TIME_OK = 0,
    /** The page is out of date: the daemon has ended or hangs, or the page is from before the
     * machine was started.  The result is filled all the
     * same, from the last page, with a bound that has grown since.  A daemon that is started
     * again goes on in the same page, unless its folder was removed: then open it anew. */
    MT_TIME_STALE,
    MT_TIME_NO_PAGE,  /**< cannot open the file: errno says why */
    MT_TIME_NOT_PAGE, /**< the file is no clock page */
    MT_TIME_VERSION,  /**< a version that this library does not understand */
    MT_TIME_BUSY,     /**< the page did not hold still: the daemon died while writing it */
    MT_TIME_NO_BASE,  /**< its base clock cannot be read here (a simulator's page), or not by
                        * mt_at(), which cannot carry a reading of CLOCK_REALTIME over to it */
    MT_TIME_NO_MEMORY,
};

struct mt_handle;

/** The time at one moment. */
struct mt_now_result {
    struct timespec time;      /**< best estimate, in `scale`; rounded down to 1 ns */
    struct timespec earliest;  /**< time - bound_ns: of the clock that bound_reference names */
    struct timespec latest;    /**< time + bound_ns */
    int64_t bound_ns;          /**< the error against bound_reference is at most this;
                                * MT_BOUND_UNKNOWN: no promise */
    enum mt_timescale scale;   /**< which seconds `time` counts */
    enum mt_clock_state state; /**< how far the clock is synchronised */
    enum mt_bound_reference bound_reference; /**< what the bound is measured against */
    bool tai_utc_valid;
    int32_t tai_minus_utc_s; /**< UTC = TAI - this, if tai_utc_valid */
    int32_t leap_s;          /**< leap second at the end of this UTC day: -1, 0 or +1 */
};

/** Opens the page at `path`, null: MT_DEFAULT_PAGE.  Null if that fails; `ret_error` may be
 * null. */
struct mt_handle *mt_open(const char *path, enum mt_time_error *ret_error);
void mt_close(struct mt_handle *handle);

/** The time now. */
enum mt_time_error mt_now(const struct mt_handle *handle, struct mt_now_result *ret_result);
/** The time at which CLOCK_REALTIME read `realtime`, for stamps that the kernel or a program
 * took.  Ask soon: the stamp is carried over with the difference between CLOCK_REALTIME and the
 * page's base as it is now, so if somebody has stepped CLOCK_REALTIME since the stamp was taken,
 * the answer is wrong by that step, which neither the bound nor the error code can say.  How long
 * the two clocks took to read (some 0.1 us) is counted into the bound. */
enum mt_time_error mt_at(const struct mt_handle *handle, struct timespec realtime,
                         struct mt_now_result *ret_result);
/** A consistent copy of the page; members that the writer did not know are 0. */
enum mt_time_error mt_read_page(const struct mt_handle *handle, struct mt_clock_page *ret_page);

/** One English phrase, never null; static. */
const char *mt_strerror(enum mt_time_error error);

#ifdef __cplusplus
}
#endif

#endif
