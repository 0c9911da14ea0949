/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Text that the tool shows: lines with styles in them, made once and then printed plain, in
 * colour, or into a terminal window.  A style is one control character and lasts until the next.
 * Thread rule: one thread at a time for each object.
 */
#ifndef MEANTIME_APPS_TEXT_H
#define MEANTIME_APPS_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define MT_PLAIN "\001"
#define MT_BOLD  "\002"
#define MT_GOOD  "\003"
#define MT_WARN  "\004"
#define MT_BAD   "\005"
#define MT_FAINT "\006"

struct mt_text {
    char *bytes; /**< null while empty */
    size_t length;
    size_t capacity;
};

/** Appends; what does not fit into memory is left out. */
void mt_text_say(struct mt_text *self, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/** Spaces up to `column` of the line, at least one; styles have no width. */
void mt_text_pad(struct mt_text *self, size_t column);
/** Breaks lines that are wider than `width` at blanks; what follows begins in column `hang`. */
void mt_text_wrap(struct mt_text *self, size_t width, size_t hang);
/** How many lines it has; the last one need not be ended. */
size_t mt_text_lines(const struct mt_text *self);
/** Leaves out the lines that begin with `title` behind spaces, and those that go on with them: they
 * begin in column `hang` or behind it.  "": the empty lines. */
void mt_text_leave_out(struct mt_text *self, const char *title, size_t hang);
void mt_text_print(const struct mt_text *self, FILE *out, bool in_colour);
void mt_text_free(struct mt_text *self);

#define MT_FIGURE_SIZE 32
/** A time with the unit that suits it: "+1.234 us"; "unknown" for NAN.  Returns `buffer`. */
const char *mt_figure_time(double ns, bool with_sign, char buffer[MT_FIGURE_SIZE]);
/** A ratio: "-12.345 ppm", "0.123 ppb". */
const char *mt_figure_ratio(double ppb, char buffer[MT_FIGURE_SIZE]);
/** A duration: "3 d 4 h", "5 min 6 s". */
const char *mt_figure_duration(double s, char buffer[MT_FIGURE_SIZE]);

#endif
