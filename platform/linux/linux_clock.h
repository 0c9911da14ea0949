/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The clocks of this platform, each a table of hal/clock.h in memory that free() takes.  All
 * are published over CLOCK_BOOTTIME and convert stamps of CLOCK_REALTIME:
 *   system   the machine's clock itself, through clock_adjtime; what was there is not touched
 *            before the first correction
 *   phc      a hardware clock, which stamps packets itself
 *   overlay  a steered mapping over CLOCK_BOOTTIME: needs no privilege, disturbs nobody
 *   lab      a synthetic oscillator over CLOCK_BOOTTIME with an overlay on top
 * linux_platform.c opens them for the daemon; tests open them over an operating system of their
 * own (struct mt_os_time, which must outlive the clock).  Null only if there is no memory.
 * Thread rule: the loop's thread.
 */
#ifndef MEANTIME_LINUX_CLOCK_H
#define MEANTIME_LINUX_CLOCK_H

#include "hal/provider.h"
#include "platform/linux/linux_phc.h"
#include "platform/linux/linux_time.h"

struct mt_hal_clock *mt_clock_system_new(const struct mt_clock_request *request,
                                         const struct mt_os_time *os);
/** For MT_CLOCK_PHC: steers this device, which must outlive the clock. */
struct mt_hal_clock *mt_clock_phc_new(const struct mt_clock_request *request, struct mt_phc *device,
                                      const struct mt_os_time *os);
/** Steers another device from now on, of which nobody notices: it is set to what the clock reads
 * and made to run as it does, as far as both have been read; what that may be wrong by is in the
 * window of readings.  False with a refusal if it may not be adjusted; then all is as before. */
bool mt_clock_phc_move(struct mt_hal_clock *clock, struct mt_phc *device);
/** For MT_CLOCK_OVERLAY and MT_CLOCK_LAB. */
struct mt_hal_clock *mt_clock_overlay_new(const struct mt_clock_request *request,
                                          const struct mt_os_time *os);

#endif
