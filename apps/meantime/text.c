/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Styled text.  Styles are octets that no text of ours contains; plain output leaves them out, a
 * colour terminal gets ANSI sequences, the window of `meantime watch` its attributes. */
#include "apps/meantime/text.h"

#include <ctype.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static bool make_room(struct mt_text *self, size_t more)
{
    if (self->length + more + 1 <= self->capacity) {
        return true;
    }
    size_t capacity = 2 * (self->length + more + 1);
    char *grown = realloc(self->bytes, capacity);
    if (grown == NULL) {
        return false;
    }
    self->bytes = grown;
    self->capacity = capacity;
    return true;
}

void mt_text_say(struct mt_text *self, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    if (length < 0 || !make_room(self, (size_t)length)) {
        return;
    }
    va_start(arguments, format);
    vsnprintf(self->bytes + self->length, (size_t)length + 1, format, arguments);
    va_end(arguments);
    self->length += (size_t)length;
}

static bool is_style(char c)
{
    return c >= MT_PLAIN[0] && c <= MT_FAINT[0];
}

void mt_text_pad(struct mt_text *self, size_t column)
{
    size_t width = 0;
    for (size_t i = self->length; i > 0 && self->bytes[i - 1] != '\n'; i--) {
        width += !is_style(self->bytes[i - 1]);
    }
    mt_text_say(self, "%*s", width < column ? (int)(column - width) : 1, "");
}

/* A blank between a number and its unit, or what it counts: "5.00 ns", "1 step". */
static bool is_in_figure(const char *line, size_t length, size_t blank)
{
    return blank > 0 && isdigit((unsigned char)line[blank - 1]) && blank + 1 < length &&
           isalpha((unsigned char)line[blank + 1]);
}

/* Where to break a line of `length` octets: at the last blank within the width that has something
 * in front of it and is not that of a figure.  The length if it fits, or if there is no such
 * blank. */
static size_t break_of(const char *line, size_t length, size_t width)
{
    size_t column = 0;
    size_t at = length;
    bool has_word = false;
    for (size_t i = 0; i < length; i++) {
        if (line[i] == ' ' && has_word && column <= width && !is_in_figure(line, length, i)) {
            at = i;
        }
        has_word |= line[i] != ' ' && !is_style(line[i]);
        column += !is_style(line[i]);
    }
    return column <= width ? length : at;
}

void mt_text_wrap(struct mt_text *self, size_t width, size_t hang)
{
    struct mt_text wrapped = {0};
    size_t at = 0;
    size_t indent = 0;
    while (at < self->length) {
        const char *line = self->bytes + at;
        const char *newline = memchr(line, '\n', self->length - at);
        size_t length = newline != NULL ? (size_t)(newline - line) : self->length - at;
        size_t kept = break_of(line, length, width - indent);
        mt_text_say(&wrapped, "%*s%.*s", (int)indent, "", (int)kept, line);
        at += kept;
        indent = kept < length ? hang : 0;
        if (at < self->length) {
            mt_text_say(&wrapped, "\n");
            at++; /* the blank or the newline */
        }
    }
    mt_text_free(self);
    *self = wrapped;
}

size_t mt_text_lines(const struct mt_text *self)
{
    size_t lines = 0;
    for (size_t i = 0; i < self->length; i++) {
        lines += self->bytes[i] == '\n' || i + 1 == self->length;
    }
    return lines;
}

/* Spaces in front, styles not counted; `ret_rest` is what follows them. */
static size_t indent_of(const char *line, size_t length, const char **ret_rest)
{
    size_t column = 0;
    size_t i = 0;
    while (i < length && (line[i] == ' ' || is_style(line[i]))) {
        column += line[i++] == ' ';
    }
    *ret_rest = line + i;
    return column;
}

void mt_text_leave_out(struct mt_text *self, const char *title, size_t hang)
{
    size_t kept = 0;
    size_t at = 0;
    bool is_left_out = false;
    while (at < self->length) {
        char *line = self->bytes + at;
        const char *newline = memchr(line, '\n', self->length - at);
        size_t length = newline != NULL ? (size_t)(newline - line) + 1 : self->length - at;
        const char *rest;
        size_t indent = indent_of(line, length, &rest);
        bool is_empty = *rest == '\n';
        bool goes_on = is_left_out && !is_empty && indent >= hang;
        is_left_out =
            goes_on || (title[0] == '\0' ? is_empty : strncmp(rest, title, strlen(title)) == 0);
        at += length;
        if (!is_left_out) {
            memmove(self->bytes + kept, line, length);
            kept += length;
        }
    }
    self->length = kept;
}

static const char *ansi(char style)
{
    if (style == MT_BOLD[0]) {
        return "\033[1m";
    }
    if (style == MT_GOOD[0]) {
        return "\033[32m";
    }
    if (style == MT_WARN[0]) {
        return "\033[33m";
    }
    if (style == MT_BAD[0]) {
        return "\033[31m";
    }
    if (style == MT_FAINT[0]) {
        return "\033[2m";
    }
    return "\033[0m";
}

void mt_text_print(const struct mt_text *self, FILE *out, bool in_colour)
{
    for (size_t i = 0; i < self->length; i++) {
        char c = self->bytes[i];
        if (!is_style(c)) {
            fputc(c, out);
        } else if (in_colour) {
            fputs(ansi(c), out);
        }
    }
}

void mt_text_free(struct mt_text *self)
{
    free(self->bytes);
    *self = (struct mt_text){0};
}

const char *mt_figure_time(double ns, bool with_sign, char buffer[MT_FIGURE_SIZE])
{
    double size = fabs(ns);
    const char *format = with_sign ? "%+.*f %s" : "%.*f %s";
    if (isnan(ns)) {
        snprintf(buffer, MT_FIGURE_SIZE, "unknown");
    } else if (size < 0.005) { /* or there would be a "-0.00" */
        snprintf(buffer, MT_FIGURE_SIZE, format, 2, 0.0, "ns");
    } else if (size < 1e3) {
        snprintf(buffer, MT_FIGURE_SIZE, format, size < 10 ? 2 : size < 100 ? 1 : 0, ns, "ns");
    } else if (size < 1e6) {
        snprintf(buffer, MT_FIGURE_SIZE, format, size < 1e5 ? 3 : 1, ns / 1e3, "us");
    } else if (size < 1e9) {
        snprintf(buffer, MT_FIGURE_SIZE, format, 3, ns / 1e6, "ms");
    } else {
        snprintf(buffer, MT_FIGURE_SIZE, format, size < 1e12 ? 3 : 0, ns / 1e9, "s");
    }
    return buffer;
}

const char *mt_figure_ratio(double ppb, char buffer[MT_FIGURE_SIZE])
{
    if (isnan(ppb)) {
        snprintf(buffer, MT_FIGURE_SIZE, "unknown");
    } else if (fabs(ppb) < 1e3) {
        snprintf(buffer, MT_FIGURE_SIZE, "%+.1f ppb", fabs(ppb) < 0.05 ? 0.0 : ppb);
    } else {
        snprintf(buffer, MT_FIGURE_SIZE, "%+.3f ppm", ppb / 1e3);
    }
    return buffer;
}

const char *mt_figure_duration(double s, char buffer[MT_FIGURE_SIZE])
{
    long whole = s > 0 && s < 1e12 ? (long)s : 0;
    if (whole < 60) {
        snprintf(buffer, MT_FIGURE_SIZE, "%ld s", whole);
    } else if (whole < 3600) {
        snprintf(buffer, MT_FIGURE_SIZE, "%ld min %ld s", whole / 60, whole % 60);
    } else if (whole < 86400) {
        snprintf(buffer, MT_FIGURE_SIZE, "%ld h %ld min", whole / 3600, whole / 60 % 60);
    } else {
        snprintf(buffer, MT_FIGURE_SIZE, "%ld d %ld h", whole / 86400, whole / 3600 % 24);
    }
    return buffer;
}
