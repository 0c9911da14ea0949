/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What the writers of results share: which figures there are, and how numbers are written.
 */
#ifndef MEANTIME_SIM_FIGURES_PRIVATE_H
#define MEANTIME_SIM_FIGURES_PRIVATE_H

#include "apps/meantime/sim/figures.h"

#define MT_FIGURES_TEXT_SIZE 400 /**< a double with all its digits before the point */

/** A figure of struct mt_statistics_figures, in the order of JSON and CSV. */
struct mt_figures_column {
    const char *name;
    size_t offset;
    enum { MT_FIGURES_REAL, MT_FIGURES_COUNT, MT_FIGURES_SMALL_COUNT } kind;
    int decimals;
    enum {
        MT_FIGURES_ALWAYS,
        MT_FIGURES_WITH_READINGS,
        MT_FIGURES_WITH_SYNCHRONISED,
        MT_FIGURES_WITH_BOUND,
    } condition;
};
extern const struct mt_figures_column mt_figures_columns[];
extern const size_t mt_figures_column_count;

/** The value of a column as text; "" if it has none. */
const char *mt_figures_value(const struct mt_figures_column *column,
                             const struct mt_statistics_figures *figures,
                             char buffer[MT_FIGURES_TEXT_SIZE]);
/** With so many decimals, and never "-0". */
const char *mt_figures_decimal(double value, int decimals, char buffer[MT_FIGURES_TEXT_SIZE]);
/** Seven digits with an exponent. */
const char *mt_figures_exponent(double value, char buffer[MT_FIGURES_TEXT_SIZE]);
/** Three digits and a unit: "1.23 us". */
const char *mt_figures_time(double ns, char buffer[MT_FIGURES_TEXT_SIZE]);

#endif
