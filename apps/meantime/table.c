/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Names come from people and may be an IPv6 address or longer; figures are ours and short.  So
 * columns go as long as names would not have room for a usual one, and what is left over is the
 * names'. */
#include "apps/meantime/table.h"

#include <stdlib.h>
#include <string.h>

#define NAME_LEAST 20 /* columns that no figure takes away from names */
#define GAP        2

struct layout {
    size_t width[MT_TABLE_COLUMNS];
    bool is_shown[MT_TABLE_COLUMNS];
};

struct mt_table_row *mt_table_add(struct mt_table *self)
{
    struct mt_table_row *grown = realloc(self->rows, (self->row_count + 1) * sizeof *self->rows);
    if (grown == NULL) {
        return NULL;
    }
    self->rows = grown;
    struct mt_table_row *row = &self->rows[self->row_count++];
    memset(row, 0, sizeof *row);
    row->style = MT_PLAIN;
    return row;
}

static size_t widest(const struct mt_table *self, size_t column)
{
    size_t width = strlen(self->columns[column].heading);
    for (size_t i = 0; i < self->row_count; i++) {
        size_t length = strlen(self->rows[i].cell[column]);
        width = length > width ? length : width;
    }
    return width;
}

/* Of all columns behind the names. */
static size_t figures_width(const struct mt_table *self, const struct layout *layout)
{
    size_t width = 0;
    for (size_t c = 1; c < self->count; c++) {
        width += layout->is_shown[c] ? GAP + layout->width[c] : 0;
    }
    return width;
}

/* 0: all that are left are needed. */
static size_t least_needed(const struct mt_table *self, const struct layout *layout)
{
    size_t least = 0;
    for (size_t c = 1; c < self->count; c++) {
        if (layout->is_shown[c] &&
            self->columns[c].is_optional > (least == 0 ? 0 : self->columns[least].is_optional)) {
            least = c;
        }
    }
    return least;
}

static struct layout lay_out(const struct mt_table *self, size_t room)
{
    struct layout layout = {{0}, {0}};
    size_t least;
    for (size_t c = 0; c < self->count; c++) {
        layout.width[c] = widest(self, c);
        layout.is_shown[c] = true;
    }
    size_t names = layout.width[0] < NAME_LEAST ? layout.width[0] : NAME_LEAST;
    while (names + figures_width(self, &layout) > room &&
           (least = least_needed(self, &layout)) != 0) {
        layout.is_shown[least] = false;
    }
    size_t left = room - figures_width(self, &layout);
    if (figures_width(self, &layout) + names > room) {
        left = names;
    }
    layout.width[0] = layout.width[0] < left ? layout.width[0] : left;
    return layout;
}

static void say_cells(const struct mt_table *self, const struct layout *layout,
                      const char *const *cells, const char *style, struct mt_text *out)
{
    for (size_t c = 1; c < self->count; c++) {
        int width = (int)layout->width[c];
        if (!layout->is_shown[c]) {
            continue;
        }
        mt_text_say(out, "%*s%s%*s%s", GAP, "", c == 1 ? style : "",
                    self->columns[c].is_right ? width : -width, cells[c],
                    c == 1 && style[0] != '\0' ? MT_PLAIN : "");
    }
}

static void end_line(struct mt_text *out)
{
    while (out->length > 0 && out->bytes[out->length - 1] == ' ') {
        out->length--;
    }
    mt_text_say(out, "\n");
}

static void say_row(const struct mt_table *self, const struct layout *layout,
                    const struct mt_table_row *row, size_t indent, struct mt_text *out)
{
    const char *cells[MT_TABLE_COLUMNS];
    int width = (int)layout->width[0];
    for (size_t c = 0; c < self->count; c++) {
        cells[c] = row->cell[c];
    }
    bool is_long = strlen(cells[0]) > layout->width[0];
    if (is_long) {
        mt_text_say(out, "%*s%s\n", (int)indent, "", cells[0]);
    }
    mt_text_say(out, "%*s%-*s", (int)indent, "", width, is_long ? "" : cells[0]);
    say_cells(self, layout, cells, row->style, out);
    end_line(out);
}

void mt_table_say(struct mt_table *self, struct mt_text *out, size_t indent, size_t width)
{
    const struct layout layout = lay_out(self, width > indent ? width - indent : 0);
    const char *headings[MT_TABLE_COLUMNS];
    for (size_t c = 0; c < self->count; c++) {
        headings[c] = self->columns[c].heading;
    }
    mt_text_say(out, "%*s" MT_FAINT "%-*s", (int)indent, "", (int)layout.width[0], headings[0]);
    say_cells(self, &layout, headings, "", out);
    mt_text_say(out, MT_PLAIN);
    end_line(out);
    for (size_t i = 0; i < self->row_count; i++) {
        say_row(self, &layout, &self->rows[i], indent, out);
    }
    free(self->rows);
    self->rows = NULL;
    self->row_count = 0;
}
