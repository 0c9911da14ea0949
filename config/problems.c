/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The collected problems.  They are found in two passes (lines, then contradictions) but read
 * by somebody with an editor open, so they are kept in the order of lines; those of the file as
 * a whole come last. */
#include <stdarg.h>
#include <string.h>

#include "config/reader.h"

static bool comes_after(const struct mt_config_problem *a, unsigned line)
{
    return line != 0 && (a->line == 0 || a->line > line);
}

/* The room of the new problem, with those that belong behind it moved away. */
static struct mt_config_problem *insert(struct mt_config_problems *self, unsigned line)
{
    size_t at = self->count;
    while (at > 0 && comes_after(&self->problem[at - 1], line)) {
        at--;
    }
    memmove(&self->problem[at + 1], &self->problem[at],
            (self->count - at) * sizeof self->problem[0]);
    self->count++;
    return &self->problem[at];
}

void mt_config_problem_add(struct mt_config_problems *self, const char *path, unsigned line,
                           const char *format, ...)
{
    if (self->count == MT_CONFIG_PROBLEMS_MAX) {
        self->omitted++;
        return;
    }
    struct mt_config_problem *problem = insert(self, line);
    problem->line = line;
    int length = 0;
    if (path != NULL && line != 0) {
        length = snprintf(problem->text, sizeof problem->text, "%s:%u: ", path, line);
    } else if (path != NULL) {
        length = snprintf(problem->text, sizeof problem->text, "%s: ", path);
    }
    if (length < 0 || (size_t)length >= sizeof problem->text) {
        return;
    }
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(problem->text + length, sizeof problem->text - (size_t)length, format, arguments);
    va_end(arguments);
}

void mt_config_problems_sum_up(const struct mt_config_problems *self, char *buffer, size_t size)
{
    size_t count = self->count + self->omitted;
    char others[40] = "";
    if (count > 1) {
        snprintf(others, sizeof others, " (and %zu more)", count - 1);
    }
    const char *first = count > 0 ? self->problem[0].text : "it was refused, but not told why";
    int room = size > strlen(others) ? (int)(size - strlen(others) - 1) : 0;
    snprintf(buffer, size, "%.*s%s", room, first, others);
}

void mt_config_problems_print(const struct mt_config_problems *self, FILE *out)
{
    for (size_t i = 0; i < self->count; i++) {
        fprintf(out, "%s\n", self->problem[i].text);
    }
    if (self->omitted > 0) {
        fprintf(out, "and %zu more\n", self->omitted);
    }
}
