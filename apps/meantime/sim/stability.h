/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * How stable a clock is: MTIE, TDEV, overlapping ADEV and MDEV of an evenly spaced series of time
 * errors, at averaging times that double.  Definitions: ITU-T G.810 appendix II.
 * Called when a run has ended; by masks, figures and plots for the results.
 * Promises: only + - * / and sqrt, in a fixed order, so equal series give equal bits with every
 * compiler; O(n log n) time, 16 bytes of memory for each value while it computes.
 * Thread rule: functions of their arguments; any thread.
 */
#ifndef MEANTIME_SIM_STABILITY_H
#define MEANTIME_SIM_STABILITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MT_STABILITY_TAUS 40 /**< 2^39 intervals: longer than any series */

/** At one averaging time tau = 2^i intervals. */
struct mt_stability_point {
    double tau_s;
    double mtie_ns;
    double tdev_ns;      /**< meaningful if tdev_terms > 0; so is mdev */
    double adev;         /**< overlapping, s/s; meaningful if adev_terms > 0 */
    double mdev;         /**< s/s */
    uint64_t tdev_terms; /**< squares that the mean is of; several series: of all */
    uint64_t adev_terms;
};

struct mt_stability {
    uint32_t count;    /**< of points; 0: fewer than two values */
    double measured_s; /**< length of the series; of several: of the longest */
    struct mt_stability_point points[MT_STABILITY_TAUS];
};

/** The curves of a series without gaps.  False if there is no memory. */
bool mt_stability_compute(const double *errors_ns, size_t count, double interval_s,
                          struct mt_stability *ret_stability);
/** Pools the curves of another run with the same interval: root mean squares of all terms, and
 * the largest MTIE, which does not fall with tau: only the longest of several runs has windows of
 * that length, but what moved within a shorter one has moved within a longer one.
 * An object that is all zero is an empty pool. */
void mt_stability_merge(struct mt_stability *self, const struct mt_stability *other);

/** MTIE at tau = `intervals`, any number; the whole range if the series is shorter; 0 for an empty
 * one.  False if there is no memory. */
bool mt_stability_mtie(const double *errors_ns, size_t count, size_t intervals,
                       double *ret_mtie_ns);

#endif
