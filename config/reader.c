/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Lines of an INI text, split by inih.
 * As Debian builds it, inih tells neither line numbers nor sections without keys, and it takes an
 * indented line for the continuation of the value before.  So it is fed through a reader of ours,
 * which counts lines, takes comments and indentation away, reports what is no INI line, and
 * puts a marker line behind each section heading, for which inih then calls its handler. */
#include "config/reader.h"

#include <ctype.h>
#include <ini.h>
#include <string.h>

#define MARKER "\001"

struct reader {
    const char *at;
    const char *end;
    unsigned line;
    bool marker_is_due;
    const char *path;
    const struct mt_config_reader_ops *ops;
    void *user;
    struct mt_config_problems *problems;
};

static void complain(struct reader *self, const char *sentence)
{
    mt_config_problem_add(self->problems, self->path, self->line, "%s", sentence);
}

/* A comment begins at the start of the line or behind a blank. */
static size_t length_without_comment(const char *line, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if ((line[i] == '#' || line[i] == ';') && (i == 0 || isspace((unsigned char)line[i - 1]))) {
            return i;
        }
    }
    return length;
}

static bool is_text(const char *line, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (iscntrl((unsigned char)line[i]) && !isspace((unsigned char)line[i])) {
            return false;
        }
    }
    return true;
}

/* Somebody writes as for another program, without '='. */
static void take_stray(struct reader *self, const char *line, size_t length)
{
    char text[256];
    snprintf(text, sizeof text, "%.*s", (int)length, line);
    char *rest = text + strcspn(text, " \t");
    if (*rest != '\0') {
        *rest++ = '\0';
        rest += strspn(rest, " \t");
    }
    self->ops->stray(self->user, text, rest, self->line);
}

/* "key = value" and "key: value"; the colons of "allow 2001:db8::/32" are the value's. */
static bool is_setting(const char *line, size_t length)
{
    size_t at = 0;
    if (memchr(line, '=', length) != NULL) {
        return true;
    }
    while (at < length && line[at] != ':' && !isspace((unsigned char)line[at])) {
        at++;
    }
    while (at < length && isspace((unsigned char)line[at])) {
        at++;
    }
    return at < length && line[at] == ':';
}

/* Sees to it that inih gets only what it can split; reports the rest.  False: leave it out. */
static bool is_acceptable(struct reader *self, const char *line, size_t length, size_t capacity)
{
    if (length + 3 > capacity) {
        complain(self, "the line is too long; at most 190 characters are read");
    } else if (!is_text(line, length)) {
        complain(self, "the line holds control characters; this is no text file");
    } else if (line[0] == '[' && line[length - 1] != ']') {
        complain(self, "expected ] at the end of the section heading");
    } else if (line[0] != '[' && !is_setting(line, length)) {
        take_stray(self, line, length);
    } else if (line[0] == '=' || line[0] == ':') {
        complain(self, "expected KEY = VALUE; there is no key");
    } else {
        return true;
    }
    return false;
}

static void take_line(struct reader *self, const char **ret_line, size_t *ret_length)
{
    const char *line = self->at;
    const char *newline = memchr(line, '\n', (size_t)(self->end - line));
    size_t length = (size_t)((newline != NULL ? newline : self->end) - line);
    self->at = newline != NULL ? newline + 1 : self->end;
    self->line++;
    while (length > 0 && isspace((unsigned char)line[0])) {
        line++;
        length--;
    }
    length = length_without_comment(line, length);
    while (length > 0 && isspace((unsigned char)line[length - 1])) {
        length--;
    }
    *ret_line = line;
    *ret_length = length;
}

static char *next_line(char *buffer, int capacity, void *user)
{
    struct reader *self = user;
    if (self->marker_is_due) {
        self->marker_is_due = false;
        strcpy(buffer, MARKER "=\n");
        return buffer;
    }
    while (self->at < self->end) {
        const char *line;
        size_t length;
        take_line(self, &line, &length);
        if (length == 0 || !is_acceptable(self, line, length, (size_t)capacity)) {
            continue;
        }
        memcpy(buffer, line, length);
        strcpy(buffer + length, "\n");
        self->marker_is_due = line[0] == '[';
        return buffer;
    }
    return NULL;
}

static int handle(void *user, const char *section, const char *name, const char *value)
{
    struct reader *self = user;
    if (name != NULL && strcmp(name, MARKER) == 0) {
        self->ops->section(self->user, section, self->line);
    } else {
        self->ops->value(self->user, name == NULL ? "" : name, value == NULL ? "" : value,
                         self->line);
    }
    return 1;
}

void mt_config_read(const char *text, size_t length, const char *path,
                    const struct mt_config_reader_ops *ops, void *user,
                    struct mt_config_problems *problems)
{
    static const char byte_order_mark[] = "\xEF\xBB\xBF";
    struct reader self = {.at = text,
                          .end = text + length,
                          .path = path,
                          .ops = ops,
                          .user = user,
                          .problems = problems};
    if (length >= 3 && memcmp(text, byte_order_mark, 3) == 0) {
        self.at += 3;
    }
    if (ini_parse_stream(next_line, &self, handle, &self) < 0) {
        mt_config_problem_add(problems, path, 0, "out of memory");
    }
}
