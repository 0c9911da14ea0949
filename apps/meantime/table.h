/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * A table that fits the terminal: columns are as wide as what stands in them, those that matter
 * least are left out first, and a name that is too long for its column has a line of its own.
 * Thread rule: one thread at a time for each object.
 */
#ifndef MEANTIME_APPS_TABLE_H
#define MEANTIME_APPS_TABLE_H

#include <stdint.h>

#include "apps/meantime/text.h"

#define MT_TABLE_COLUMNS   12
#define MT_TABLE_CELL_SIZE 160

struct mt_column {
    const char *heading;
    bool is_right;       /**< figures */
    uint8_t is_optional; /**< the largest is left out first; 0: never */
};

struct mt_table_row {
    char cell[MT_TABLE_COLUMNS][MT_TABLE_CELL_SIZE];
    const char *style; /**< of the second column */
};

struct mt_table {
    const struct mt_column *columns; /**< the first one has the names */
    size_t count;
    struct mt_table_row *rows;
    size_t row_count;
};

/** A row of empty cells; null: no memory. */
struct mt_table_row *mt_table_add(struct mt_table *self);
/** Appends heading and rows, and frees them. */
void mt_table_say(struct mt_table *self, struct mt_text *out, size_t indent, size_t width);

#endif
