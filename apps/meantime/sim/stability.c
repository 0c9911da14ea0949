/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * All curves are of tau = n intervals with n = 1, 2, 4 ...
 *
 * MTIE is the largest range of n + 1 neighbouring values.  Two arrays hold the largest and the
 * smallest of the n values from each place on; one more value gives the n + 1, and joining with
 * the place n further on gives the arrays for 2 n.  So each octave costs one pass.
 *
 * ADEV and TDEV are of second differences.  The inner sum of TDEV over n second differences is
 * not summed anew for each place: it moves on by a third difference of four values.  Readings are
 * multiples of 2^-16 ns at most, so this sum is exact in double, and does not drift.
 */
#include "apps/meantime/sim/stability.h"

#include <math.h>
#include <stdlib.h>

#define NS_PER_S 1e9
#define SQRT_3   1.7320508075688772

struct extremes {
    double *high;
    double *low;
};

static bool new_extremes(struct extremes *self, const double *values, size_t count)
{
    self->high = malloc(2 * count * sizeof *self->high);
    if (self->high == NULL)
        return false;
    self->low = self->high + count;
    for (size_t i = 0; i < count; i++) {
        self->high[i] = values[i];
        self->low[i] = values[i];
    }
    return true;
}

/** From windows of `width` values to windows of width + step, step <= width. */
static void widen(struct extremes *self, size_t count, size_t width, size_t step)
{
    for (size_t i = 0; i + width + step <= count; i++) {
        if (self->high[i + step] > self->high[i])
            self->high[i] = self->high[i + step];
        if (self->low[i + step] < self->low[i])
            self->low[i] = self->low[i + step];
    }
}

/** The largest range of n + 1 values, where the arrays are of n. */
static double largest_range(const struct extremes *self, const double *values, size_t count,
                            size_t n)
{
    double largest = 0;
    for (size_t i = 0; i + n < count; i++) {
        double high = values[i + n] > self->high[i] ? values[i + n] : self->high[i];
        double low = values[i + n] < self->low[i] ? values[i + n] : self->low[i];
        if (high - low > largest)
            largest = high - low;
    }
    return largest;
}

static void allan(const double *values, size_t count, size_t n, struct mt_stability_point *point)
{
    if (count <= 2 * n)
        return;
    double sum = 0;
    for (size_t i = 0; i + 2 * n < count; i++) {
        double second = values[i + 2 * n] - 2 * values[i + n] + values[i];
        sum += second * second;
    }
    point->adev_terms = count - 2 * n;
    point->adev = sqrt(sum / (2 * (double)point->adev_terms)) / (point->tau_s * NS_PER_S);
}

static void time_deviation(const double *values, size_t count, size_t n,
                           struct mt_stability_point *point)
{
    if (count < 3 * n)
        return;
    double inner = 0;
    for (size_t i = 0; i < n; i++)
        inner += values[i + 2 * n] - 2 * values[i + n] + values[i];
    double sum = inner * inner;
    for (size_t i = 0; i + 3 * n < count; i++) {
        inner += (values[i + 3 * n] - values[i]) - 3 * (values[i + 2 * n] - values[i + n]);
        sum += inner * inner;
    }
    point->tdev_terms = count - 3 * n + 1;
    point->tdev_ns = sqrt(sum / (6 * (double)point->tdev_terms)) / (double)n;
    point->mdev = point->tdev_ns * SQRT_3 / (point->tau_s * NS_PER_S);
}

bool mt_stability_compute(const double *errors_ns, size_t count, double interval_s,
                          struct mt_stability *ret_stability)
{
    struct mt_stability stability = {0};
    if (count < 2) {
        *ret_stability = stability;
        return true;
    }
    struct extremes extremes;
    if (!new_extremes(&extremes, errors_ns, count))
        return false;
    stability.measured_s = (double)(count - 1) * interval_s;
    for (size_t n = 1; n < count && stability.count < MT_STABILITY_TAUS; n *= 2) {
        struct mt_stability_point *point = &stability.points[stability.count++];
        point->tau_s = (double)n * interval_s;
        point->mtie_ns = largest_range(&extremes, errors_ns, count, n);
        widen(&extremes, count, n, n);
        allan(errors_ns, count, n, point);
        time_deviation(errors_ns, count, n, point);
    }
    free(extremes.high);
    *ret_stability = stability;
    return true;
}

bool mt_stability_mtie(const double *errors_ns, size_t count, size_t intervals, double *ret_mtie_ns)
{
    if (count < 2 || intervals == 0) {
        *ret_mtie_ns = 0;
        return true;
    }
    if (intervals > count - 1)
        intervals = count - 1;
    struct extremes extremes;
    if (!new_extremes(&extremes, errors_ns, count))
        return false;
    size_t width = 1;
    for (; 2 * width <= intervals; width *= 2)
        widen(&extremes, count, width, width);
    /* two windows that overlap make one of any width between theirs and its double */
    widen(&extremes, count, width, intervals - width);
    *ret_mtie_ns = largest_range(&extremes, errors_ns, count, intervals);
    free(extremes.high);
    return true;
}

static double pooled(double a, uint64_t a_terms, double b, uint64_t b_terms)
{
    if (a_terms + b_terms == 0)
        return 0;
    double sum = a * a * (double)a_terms + b * b * (double)b_terms;
    return sqrt(sum / (double)(a_terms + b_terms));
}

static void merge_point(struct mt_stability_point *self, const struct mt_stability_point *other)
{
    self->tau_s = other->tau_s;
    if (other->mtie_ns > self->mtie_ns)
        self->mtie_ns = other->mtie_ns;
    self->tdev_ns = pooled(self->tdev_ns, self->tdev_terms, other->tdev_ns, other->tdev_terms);
    self->mdev = pooled(self->mdev, self->tdev_terms, other->mdev, other->tdev_terms);
    self->adev = pooled(self->adev, self->adev_terms, other->adev, other->adev_terms);
    self->tdev_terms += other->tdev_terms;
    self->adev_terms += other->adev_terms;
}

void mt_stability_merge(struct mt_stability *self, const struct mt_stability *other)
{
    for (uint32_t i = 0; i < other->count; i++)
        merge_point(&self->points[i], &other->points[i]);
    if (other->count > self->count)
        self->count = other->count;
    if (other->measured_s > self->measured_s)
        self->measured_s = other->measured_s;
    for (uint32_t i = 1; i < self->count; i++)
        self->points[i].mtie_ns = fmax(self->points[i].mtie_ns, self->points[i - 1].mtie_ns);
}
