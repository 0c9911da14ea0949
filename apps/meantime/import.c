/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * meantime import: another program's configuration becomes one of ours, on standard output.  What
 * has no equal here is told with its line and what to do instead, on standard error.  The result is
 * read again before it is printed, as the daemon will read it: nothing is handed out that it would
 * refuse. */
#include "apps/meantime/import.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "apps/meantime/tool.h"
#include "config/config.h"

#define VALUE_SIZE 256

static void say(const struct mt_import *self, const char *format, va_list arguments)
{
    fprintf(stderr, "%s:%u: ", self->path, self->line);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
}

void mt_import_note(struct mt_import *self, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    say(self, format, arguments);
    va_end(arguments);
}

void mt_import_lose(struct mt_import *self, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    say(self, format, arguments);
    va_end(arguments);
    self->lost++;
}

void mt_import_put(struct mt_import *self, FILE *out, enum mt_config_scope scope, const char *key,
                   const char *format, ...)
{
    char value[VALUE_SIZE];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(value, sizeof value, format, arguments);
    va_end(arguments);
    if (mt_config_key_find(scope, key) == NULL) {
        mt_import_lose(self, "%s = %s: this version of meantime has no such key in %s", key, value,
                       mt_config_scope_heading(scope));
        return;
    }
    fprintf(out, "%s = %s\n", key, value);
}

/* ---- the whole ------------------------------------------------------------------------------- */

static bool open_part(struct mt_import_part *part)
{
    part->file = open_memstream(&part->text, &part->length);
    return part->file != NULL;
}

static void close_part(struct mt_import_part *part)
{
    if (part->file != NULL) {
        fclose(part->file);
    }
    free(part->text);
}

static bool begin(struct mt_import *self)
{
    return open_part(&self->clock) && open_part(&self->ntp) && open_part(&self->server) &&
           open_part(&self->sources);
}

static void end(struct mt_import *self)
{
    close_part(&self->clock);
    close_part(&self->ntp);
    close_part(&self->server);
    close_part(&self->sources);
}

static void join(FILE *out, const char *heading, struct mt_import_part *part, bool is_wanted)
{
    fflush(part->file);
    if (is_wanted) {
        fprintf(out, "\n%s\n%s", heading, part->text);
    }
}

/* What is printed; null: no memory. */
static char *whole(struct mt_import *self, const char *path)
{
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    if (out == NULL) {
        return NULL;
    }
    fprintf(out, "# made by meantime import from %s\n", path);
    join(out, "[clock]", &self->clock, true);
    fflush(self->ntp.file);
    join(out, "[ntp]", &self->ntp, self->ntp.length > 0);
    join(out, "[server]", &self->server, self->serves && !self->is_no_server);
    fflush(self->sources.file);
    fputs(self->sources.text, out);
    fclose(out);
    return text;
}

/* As the daemon will read it. */
static enum mt_exit print_checked(const char *text, unsigned lost)
{
    static struct mt_config_problems problems;
    struct mt_config *config;
    if (!mt_config_parse(text, strlen(text), "import", NULL, 0, &config, &problems)) {
        mt_config_problems_print(&problems, stderr);
        return mt_tool_fail("the result would not be accepted, so it is not printed");
    }
    mt_config_free(config);
    fputs(text, stdout);
    if (lost > 0) {
        return mt_tool_fail("%u setting%s could not be taken over", lost, lost == 1 ? "" : "s");
    }
    return MT_EXIT_GOOD;
}

enum mt_exit mt_tool_import(const struct mt_tool *tool, int count, char **arguments)
{
    struct mt_import import = {.line = 0};
    enum mt_exit status = MT_EXIT_BAD;
    if (count != 1 || arguments[0][0] == '-') {
        return mt_tool_misuse("import: expected one file, such as /etc/chrony/chrony.conf");
    }
    char *text = NULL;
    if (begin(&import) && mt_import_chrony(&import, arguments[0])) {
        mt_import_chrony_end(&import);
        text = whole(&import, arguments[0]);
        status = text != NULL ? print_checked(text, import.lost) : mt_tool_fail("out of memory");
    }
    free(text);
    end(&import);
    return status;
}
