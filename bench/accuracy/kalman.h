/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The Kalman filter that knows everything: wander, jitter, path delay; and what is lost when only
 * the frequency of a clock may be steered.  The yardstick for normal jitter.
 */
#ifndef MEANTIME_BENCH_ACCURACY_KALMAN_H
#define MEANTIME_BENCH_ACCURACY_KALMAN_H

#include <stdbool.h>
#include <stddef.h>

/** Offset in ns, frequency in ns/s, with their covariance. */
struct kalman {
    double wander_ns; /**< ns/s per sqrt(s) */
    double noise_ns2; /**< variance of a measurement */
    double delay_ns;  /**< mean of the path */
    bool is_started;
    double at_s;
    double x[2];
    double p[3]; /**< oo, of, ff */
};

void kalman_init(struct kalman *self, double wander, double jitter_ns, double delay_ns);
/** Takes a one-way value; returns by how much it has lowered the offset's variance. */
double kalman_update(struct kalman *self, double at_s, double value_ns, bool is_forward);
/** Offset and its variance at a later time. */
double kalman_offset_ns(const struct kalman *self, double at_s);
double kalman_variance_ns2(const struct kalman *self, double at_s);

/** What the best steering adds to the mean square of a clock whose rate changes only when a
 * message comes: each one moves the estimate by `jumps_ns2` (mean square) at a known time. */
struct ramp {
    struct ramp_message {
        double at_s;
        double jump_ns2;
    } * messages;
    size_t count;
    size_t capacity;
};
void ramp_add(struct ramp *self, double at_s, double jump_ns2);
double ramp_mean_square_ns2(const struct ramp *self);
void ramp_free(struct ramp *self);

#endif
