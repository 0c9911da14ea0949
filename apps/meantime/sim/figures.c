/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * CSV and JSON have the same figures under the same names: both follow one table of columns.
 * Numbers are written with a fixed count of decimals, far below what a reading resolves, so that
 * equal results are equal bytes and a difference in the last bit of a sum does not show.
 */
#include "apps/meantime/sim/figures_private.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define AT(member) offsetof(struct mt_statistics_figures, member)

const struct mt_figures_column mt_figures_columns[] = {
    {"readings", AT(readings), MT_FIGURES_COUNT, 0, MT_FIGURES_ALWAYS},
    {"mean_ns", AT(mean_ns), MT_FIGURES_REAL, 4, MT_FIGURES_WITH_READINGS},
    {"deviation_ns", AT(deviation_ns), MT_FIGURES_REAL, 4, MT_FIGURES_WITH_READINGS},
    {"rms_ns", AT(rms_ns), MT_FIGURES_REAL, 4, MT_FIGURES_WITH_READINGS},
    {"p99_ns", AT(p99_ns), MT_FIGURES_REAL, 4, MT_FIGURES_WITH_READINGS},
    {"max_ns", AT(max_ns), MT_FIGURES_REAL, 4, MT_FIGURES_WITH_READINGS},
    {"low_ns", AT(low_ns), MT_FIGURES_REAL, 4, MT_FIGURES_WITH_READINGS},
    {"high_ns", AT(high_ns), MT_FIGURES_REAL, 4, MT_FIGURES_WITH_READINGS},
    {"max_at_s", AT(max_at_s), MT_FIGURES_REAL, 4, MT_FIGURES_WITH_READINGS},
    {"max_seed", AT(max_seed), MT_FIGURES_COUNT, 0, MT_FIGURES_WITH_READINGS},
    {"worst_rms_ns", AT(worst_rms_ns), MT_FIGURES_REAL, 4, MT_FIGURES_WITH_READINGS},
    {"worst_seed", AT(worst_seed), MT_FIGURES_COUNT, 0, MT_FIGURES_WITH_READINGS},
    {"seeds_synchronised", AT(seeds_synchronised), MT_FIGURES_SMALL_COUNT, 0, MT_FIGURES_ALWAYS},
    {"synchronise_mean_s", AT(synchronise_mean_s), MT_FIGURES_REAL, 4,
     MT_FIGURES_WITH_SYNCHRONISED},
    {"synchronise_max_s", AT(synchronise_max_s), MT_FIGURES_REAL, 4, MT_FIGURES_WITH_SYNCHRONISED},
    {"losses", AT(losses), MT_FIGURES_COUNT, 0, MT_FIGURES_ALWAYS},
    {"lost_s", AT(lost_s), MT_FIGURES_REAL, 4, MT_FIGURES_ALWAYS},
    {"lost_max_s", AT(lost_max_s), MT_FIGURES_REAL, 4, MT_FIGURES_ALWAYS},
    {"instants", AT(instants), MT_FIGURES_COUNT, 0, MT_FIGURES_ALWAYS},
    {"with_bound", AT(with_bound), MT_FIGURES_COUNT, 0, MT_FIGURES_ALWAYS},
    {"outside", AT(outside), MT_FIGURES_COUNT, 0, MT_FIGURES_ALWAYS},
    {"inside_share", AT(inside_share), MT_FIGURES_REAL, 9, MT_FIGURES_WITH_BOUND},
    {"bound_mean_ns", AT(bound_mean_ns), MT_FIGURES_REAL, 4, MT_FIGURES_WITH_BOUND},
    {"bound_max_ns", AT(bound_max_ns), MT_FIGURES_REAL, 4, MT_FIGURES_WITH_BOUND},
};
const size_t mt_figures_column_count = sizeof mt_figures_columns / sizeof *mt_figures_columns;

static bool has_value(const struct mt_figures_column *column,
                      const struct mt_statistics_figures *figures)
{
    switch (column->condition) {
    case MT_FIGURES_ALWAYS:
        return true;
    case MT_FIGURES_WITH_READINGS:
        return figures->readings > 0;
    case MT_FIGURES_WITH_SYNCHRONISED:
        return figures->seeds_synchronised > 0;
    case MT_FIGURES_WITH_BOUND:
        return figures->with_bound > 0;
    }
    return false;
}

const char *mt_figures_value(const struct mt_figures_column *column,
                             const struct mt_statistics_figures *figures,
                             char buffer[MT_FIGURES_TEXT_SIZE])
{
    const char *member = (const char *)figures + column->offset;
    double real;
    uint64_t count;
    uint32_t small;
    buffer[0] = '\0';
    if (!has_value(column, figures))
        return buffer;
    switch (column->kind) {
    case MT_FIGURES_REAL:
        memcpy(&real, member, sizeof real);
        return mt_figures_decimal(real, column->decimals, buffer);
    case MT_FIGURES_COUNT:
        memcpy(&count, member, sizeof count);
        snprintf(buffer, MT_FIGURES_TEXT_SIZE, "%" PRIu64, count);
        break;
    case MT_FIGURES_SMALL_COUNT:
        memcpy(&small, member, sizeof small);
        snprintf(buffer, MT_FIGURES_TEXT_SIZE, "%" PRIu32, small);
        break;
    }
    return buffer;
}

/* ---- numbers --------------------------------------------------------------------------------- */

const char *mt_figures_decimal(double value, int decimals, char buffer[MT_FIGURES_TEXT_SIZE])
{
    snprintf(buffer, MT_FIGURES_TEXT_SIZE, "%.*f", decimals, value);
    return buffer[0] == '-' && strspn(buffer, "-0.") == strlen(buffer) ? buffer + 1 : buffer;
}

const char *mt_figures_exponent(double value, char buffer[MT_FIGURES_TEXT_SIZE])
{
    snprintf(buffer, MT_FIGURES_TEXT_SIZE, "%.6e", value);
    return buffer;
}

/** Three digits; 999.5 and more belong to the next unit. */
static int decimals_of(double size)
{
    return size < 9.995 ? 2 : size < 99.95 ? 1 : 0;
}

const char *mt_figures_time(double ns, char buffer[MT_FIGURES_TEXT_SIZE])
{
    static const struct {
        const char *unit;
        double ns;
    } units[] = {{"ns", 1}, {"us", 1e3}, {"ms", 1e6}, {"s", 1e9}};
    size_t i = 0;
    while (i < 3 && fabs(ns) / units[i].ns >= 999.5)
        i++;
    double value = ns / units[i].ns;
    char digits[MT_FIGURES_TEXT_SIZE];
    const char *text = mt_figures_decimal(value, decimals_of(fabs(value)), digits);
    snprintf(buffer, MT_FIGURES_TEXT_SIZE, "%.300s %s", text, units[i].unit);
    return buffer;
}
