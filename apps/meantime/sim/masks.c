/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The limits are a table; 0 stands for "for further study" or none.  The recommendation wants the
 * time error seen through a first-order low-pass of 0.1 Hz (clause 7.1): made here by the bilinear
 * transform, whose coefficients need no function but division, and whose complement is the
 * first-order high-pass.  A filter of 0.1 Hz needs readings well above 0.2 Hz: with an interval of
 * more than a second the figures below and above 0.1 Hz are not given.  What the filter says in
 * its first ten time constants is left out.
 */
#include "apps/meantime/sim/masks.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define WINDOW_S       1000.0
#define PI_TIMES_HZ    0.31415926535897931 /* pi times 0.1 Hz */
#define SETTLE_S       16.0                /* ten times 1 / (2 pi 0.1 Hz) */
#define INTERVAL_MAX_S 1.0

/* [G.8273.2 7.1, 7.1.1, 7.1.2, 7.1.3] in ns */
static const double limits_ns[MT_MASK_LIMITS][MT_MASK_CLASSES] = {
    /*                       A    B   C   D */
    [MT_MASK_MAX_TE] = {100, 70, 30, 0}, [MT_MASK_MAX_TE_L] = {0, 0, 0, 5},
    [MT_MASK_CTE] = {50, 20, 10, 0},     [MT_MASK_DTE_L_MTIE] = {40, 40, 10, 0},
    [MT_MASK_DTE_L_TDEV] = {4, 4, 2, 0}, [MT_MASK_DTE_H] = {70, 70, 30, 0},
};

static const char *const limit_names[MT_MASK_LIMITS] = {
    [MT_MASK_MAX_TE] = "max_te",
    [MT_MASK_MAX_TE_L] = "max_te_l",
    [MT_MASK_CTE] = "cte",
    [MT_MASK_DTE_L_MTIE] = "dte_l_mtie",
    [MT_MASK_DTE_L_TDEV] = "dte_l_tdev",
    [MT_MASK_DTE_H] = "dte_h",
};

static const char *const class_names[MT_MASK_CLASSES] = {"A", "B", "C", "D"};

/* ---- measuring ------------------------------------------------------------------------------- */

static double largest_size(const double *values, size_t count)
{
    double largest = 0;
    for (size_t i = 0; i < count; i++)
        largest = fabs(values[i]) > largest ? fabs(values[i]) : largest;
    return largest;
}

/** The largest |mean| of `width` neighbours; of all if there are fewer. */
static double largest_mean(const double *values, size_t count, size_t width)
{
    if (width > count)
        width = count;
    double sum = 0;
    for (size_t i = 0; i < width; i++)
        sum += values[i];
    double largest = fabs(sum);
    for (size_t i = width; i < count; i++) {
        sum += values[i] - values[i - width];
        largest = fabs(sum) > largest ? fabs(sum) : largest;
    }
    return largest / (double)width;
}

static void set(struct mt_mask_figures *self, enum mt_mask_limit limit, double figure_ns)
{
    self->has[limit] = true;
    self->figures_ns[limit] = figure_ns;
}

/** Splits the error at 0.1 Hz; starts as if the first value had always been. */
static void split(const double *values, size_t count, double interval_s, double *low, double *high)
{
    double k = PI_TIMES_HZ * interval_s;
    double keep = (1 - k) / (1 + k);
    double gain = k / (1 + k);
    double state = values[0];
    for (size_t i = 0; i < count; i++) {
        double before = i == 0 ? values[0] : values[i - 1];
        state = keep * state + gain * (values[i] + before);
        low[i] = state;
        high[i] = values[i] - state;
    }
}

static double largest_tdev_ns(const struct mt_stability *curve)
{
    double largest = 0;
    for (uint32_t i = 0; i < curve->count; i++) {
        const struct mt_stability_point *point = &curve->points[i];
        if (point->tdev_terms > 0 && point->tau_s <= WINDOW_S &&
            point->tau_s * MT_MASK_TDEV_SHARE <= curve->measured_s && point->tdev_ns > largest)
            largest = point->tdev_ns;
    }
    return largest;
}

static bool measure_split(const double *low, const double *high, size_t count, double interval_s,
                          struct mt_mask_figures *self)
{
    size_t window = (size_t)(WINDOW_S / interval_s);
    double mtie_ns;
    double range_ns;
    if (!mt_stability_compute(low, count, interval_s, &self->dte_l) ||
        !mt_stability_mtie(low, count, window, &mtie_ns) ||
        !mt_stability_mtie(high, count, window, &range_ns))
        return false;
    set(self, MT_MASK_MAX_TE_L, largest_size(low, count));
    set(self, MT_MASK_DTE_L_MTIE, mtie_ns);
    set(self, MT_MASK_DTE_H, range_ns);
    if (self->dte_l.measured_s >= MT_MASK_TDEV_SHARE * interval_s)
        set(self, MT_MASK_DTE_L_TDEV, largest_tdev_ns(&self->dte_l));
    return true;
}

bool mt_masks_measure(const double *errors_ns, size_t count, double interval_s,
                      struct mt_mask_figures *ret_figures)
{
    struct mt_mask_figures figures = {0};
    size_t settle = (size_t)(SETTLE_S / interval_s);
    bool is_good = true;
    if (count > 0) {
        figures.measured_s = (double)(count - 1) * interval_s;
        set(&figures, MT_MASK_MAX_TE, largest_size(errors_ns, count));
        set(&figures, MT_MASK_CTE,
            largest_mean(errors_ns, count, (size_t)(WINDOW_S / interval_s) + 1));
    }
    if (interval_s <= INTERVAL_MAX_S && count > settle + 1) {
        double *low = malloc(2 * count * sizeof *low);
        if (low == NULL)
            return false;
        split(errors_ns, count, interval_s, low, low + count);
        is_good =
            measure_split(low + settle, low + count + settle, count - settle, interval_s, &figures);
        free(low);
    }
    if (is_good)
        *ret_figures = figures;
    return is_good;
}

void mt_masks_merge(struct mt_mask_figures *self, const struct mt_mask_figures *other)
{
    for (size_t i = 0; i < MT_MASK_LIMITS; i++) {
        if (!other->has[i])
            continue;
        self->has[i] = true;
        if (other->figures_ns[i] > self->figures_ns[i])
            self->figures_ns[i] = other->figures_ns[i];
    }
    if (other->measured_s > self->measured_s)
        self->measured_s = other->measured_s;
    mt_stability_merge(&self->dte_l, &other->dte_l);
}

void mt_masks_join(struct mt_mask_figures *self, const struct mt_mask_figures *other)
{
    mt_masks_merge(self, other);
    if (self->has[MT_MASK_DTE_L_TDEV])
        self->figures_ns[MT_MASK_DTE_L_TDEV] = largest_tdev_ns(&self->dte_l);
}

/* ---- judging --------------------------------------------------------------------------------- */

double mt_masks_limit_ns(enum mt_mask_class class_, enum mt_mask_limit limit)
{
    return limits_ns[limit][class_];
}

enum mt_mask_verdict mt_masks_judge(const struct mt_mask_figures *figures,
                                    enum mt_mask_class class_, enum mt_mask_limit limit)
{
    double limit_ns = mt_masks_limit_ns(class_, limit);
    if (!(limit_ns > 0))
        return MT_MASK_NO_LIMIT;
    if (!figures->has[limit])
        return MT_MASK_NOT_MEASURED;
    return figures->figures_ns[limit] <= limit_ns ? MT_MASK_PASS : MT_MASK_FAIL;
}

enum mt_mask_verdict mt_masks_judge_class(const struct mt_mask_figures *figures,
                                          enum mt_mask_class class_)
{
    enum mt_mask_verdict all = MT_MASK_PASS;
    for (int i = 0; i < MT_MASK_LIMITS; i++) {
        enum mt_mask_verdict one = mt_masks_judge(figures, class_, (enum mt_mask_limit)i);
        if (one == MT_MASK_FAIL)
            return MT_MASK_FAIL;
        if (one == MT_MASK_NOT_MEASURED)
            all = MT_MASK_NOT_MEASURED;
    }
    return all;
}

/* ---- names ----------------------------------------------------------------------------------- */

const char *mt_masks_class_name(enum mt_mask_class class_)
{
    return class_names[class_];
}

bool mt_masks_class_from_name(const char *name, enum mt_mask_class *ret_class)
{
    for (int i = 0; i < MT_MASK_CLASSES; i++) {
        char lower = (char)(class_names[i][0] - 'A' + 'a');
        if ((name[0] == class_names[i][0] || name[0] == lower) && name[1] == '\0') {
            *ret_class = (enum mt_mask_class)i;
            return true;
        }
    }
    return false;
}

const char *mt_masks_limit_name(enum mt_mask_limit limit)
{
    return limit_names[limit];
}

const char *mt_masks_verdict_name(enum mt_mask_verdict verdict)
{
    static const char *const names[] = {
        [MT_MASK_PASS] = "pass",
        [MT_MASK_FAIL] = "fail",
        [MT_MASK_NOT_MEASURED] = "not measured",
        [MT_MASK_NO_LIMIT] = "no limit",
    };
    return names[verdict];
}
