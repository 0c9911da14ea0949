/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The firmware around a PTP clock, without a platform: the loop that any firmware has, over
 * functions that do nothing.  Each build in builds/ names the features that it is made of and
 * calls firmware_run(); what nothing reaches, the linker drops.
 * Objects whose names begin with instance_ are the memory that one clock needs.
 */
#ifndef MEANTIME_BENCH_FIRMWARE_H
#define MEANTIME_BENCH_FIRMWARE_H

#include "meantime/ptp.h"
#include "meantime/steer.h"

/** Runs one ordinary clock for ever.  `path`: storage for the path trace, or null. */
void firmware_run(const struct mt_ptp_features *features, struct mt_path *path);

/** The same with what extensions of the instance and of its port need. */
void firmware_run_with(const struct mt_ptp_features *features, struct mt_instance_more *more,
                       struct mt_port_more *port);

/** The same for a receiver that follows by proportion and integral, and knows no error bound. */
void firmware_follow(const struct mt_ptp_features *features);

/** The same as firmware_run_with() with the smallest discipline that tunes itself. */
void firmware_tune(const struct mt_ptp_features *features, struct mt_instance_more *more,
                   struct mt_port_more *port);

#endif
