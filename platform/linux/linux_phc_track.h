/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What a hardware clock reads at any time, from readings now and then: a straight line through the
 * latest ones, each weighed by how tight it was.  Known changes of either clock (a correction, a
 * slew) move the readings before them to where they would have been.
 * Thread rule: no system calls, no globals; one thread at a time for each object.
 */
#ifndef MEANTIME_LINUX_PHC_TRACK_H
#define MEANTIME_LINUX_PHC_TRACK_H

#include <stdbool.h>
#include <stdint.h>

#define MT_PHC_POINTS 32

struct mt_phc_point {
    int64_t base_ns;
    int64_t device_ns;
    int64_t window_ns; /**< the two may be apart by this */
};

struct mt_phc_track {
    struct mt_phc_point points[MT_PHC_POINTS]; /**< ring; the newest is at (count - 1) */
    unsigned count;                            /**< of all that were ever added since a reset */
    double rate; /**< of the device against the base, minus one: what the line says */
    /** The line goes through here. */
    int64_t base_ns;
    int64_t device_ns;
    double frac_ns;
    int64_t window_ns; /**< and may be wrong by this there */
};

void mt_phc_track_init(struct mt_phc_track *self);
/** How far a new reading is off the line beyond what reading and line may be wrong by: a step of
 * the device, unless it is 0. */
int64_t mt_phc_track_surprise(const struct mt_phc_track *self, const struct mt_phc_point *point);
void mt_phc_track_add(struct mt_phc_track *self, const struct mt_phc_point *point);
/** The device was stepped, or runs faster by `ratio` (s/s) from `base_ns` on. */
void mt_phc_track_corrected(struct mt_phc_track *self, int64_t base_ns, int64_t step_ns,
                            double ratio);

bool mt_phc_track_is_ready(const struct mt_phc_track *self);
/** The rate is one that readings have shown. */
bool mt_phc_track_knows_rate(const struct mt_phc_track *self);
int64_t mt_phc_track_device(const struct mt_phc_track *self, int64_t base_ns);
int64_t mt_phc_track_base(const struct mt_phc_track *self, int64_t device_ns);
/** By how much device and base may be apart at this moment. */
int64_t mt_phc_track_window(const struct mt_phc_track *self, int64_t base_ns);

#endif
