/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The limits of ITU-T G.8273.2 (10/2020 with amendments 1 and 2), clause 7.1, noise generation of
 * telecom boundary clocks (T-BC) and receivers (T-TSC) at constant temperature, as data, and the
 * figures that are held against them.
 * Called when a run has ended; by figures and plots for the results.
 * The recommendation means one clock behind an ideal input; here the time error against true time
 * is judged, so a clock behind others answers for them too.
 * Thread rule: functions of their arguments; any thread.
 */
#ifndef MEANTIME_SIM_MASKS_H
#define MEANTIME_SIM_MASKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "apps/meantime/sim/stability.h"

enum mt_mask_class {
    MT_MASK_CLASS_A,
    MT_MASK_CLASS_B,
    MT_MASK_CLASS_C,
    MT_MASK_CLASS_D,
};
#define MT_MASK_CLASSES 4

/** TE: time error; L and H: below and above 0.1 Hz. */
enum mt_mask_limit {
    MT_MASK_MAX_TE,     /**< max|TE| */
    MT_MASK_MAX_TE_L,   /**< max|TE_L| */
    MT_MASK_CTE,        /**< constant time error: largest |mean| over 1000 s */
    MT_MASK_DTE_L_MTIE, /**< of the dynamic time error up to tau = 1000 s */
    MT_MASK_DTE_L_TDEV, /**< up to tau = 1000 s, or a twelfth of the series */
    MT_MASK_DTE_H,      /**< peak to peak over 1000 s */
};
#define MT_MASK_LIMITS     6
#define MT_MASK_TDEV_SHARE 12 /**< of the series: the longest tau of TDEV [G.810 II.3] */

/** What was measured; all zero: nothing. */
struct mt_mask_figures {
    bool has[MT_MASK_LIMITS];
    double figures_ns[MT_MASK_LIMITS];
    double measured_s;         /**< less than 1000 s is less than the recommendation asks */
    struct mt_stability dte_l; /**< curves of the low-passed error, for plots */
};

enum mt_mask_verdict {
    MT_MASK_PASS,
    MT_MASK_FAIL,
    MT_MASK_NOT_MEASURED, /**< no series, or readings too rare for the 0.1 Hz filter */
    MT_MASK_NO_LIMIT,     /**< the recommendation has none for this class */
};

/** Measures a series without gaps.  False if there is no memory. */
bool mt_masks_measure(const double *errors_ns, size_t count, double interval_s,
                      struct mt_mask_figures *ret_figures);
/** Keeps the worse of two in everything; all zero is an empty pool. */
void mt_masks_merge(struct mt_mask_figures *self, const struct mt_mask_figures *other);
/** Joins another stretch of the same run: as merging does, but TDEV is that of both together, not
 * the worse, for a short stretch alone would say little. */
void mt_masks_join(struct mt_mask_figures *self, const struct mt_mask_figures *other);

/** The limit; 0: none for this class. */
double mt_masks_limit_ns(enum mt_mask_class class_, enum mt_mask_limit limit);
enum mt_mask_verdict mt_masks_judge(const struct mt_mask_figures *figures,
                                    enum mt_mask_class class_, enum mt_mask_limit limit);
/** All limits of a class together: fail, else not measured, else pass. */
enum mt_mask_verdict mt_masks_judge_class(const struct mt_mask_figures *figures,
                                          enum mt_mask_class class_);

/** "A" */
const char *mt_masks_class_name(enum mt_mask_class class_);
/** From "A", "b" ...; false for anything else. */
bool mt_masks_class_from_name(const char *name, enum mt_mask_class *ret_class);
/** "max_te", "dte_l_mtie" ...: as in JSON and CSV. */
const char *mt_masks_limit_name(enum mt_mask_limit limit);
/** "pass", "fail", "not measured", "no limit". */
const char *mt_masks_verdict_name(enum mt_mask_verdict verdict);

#endif
