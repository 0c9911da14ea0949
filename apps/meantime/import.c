/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * meantime import: another program's configuration becomes one of ours, on standard output.  What
 * has no equal here is told with its line and what to do instead, on standard error.  The result is
 * read again before it is printed, as the daemon will read it: nothing is handed out that it would
 * refuse. */
#include "apps/meantime/import.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "apps/meantime/tool.h"
#include "config/config.h"

#define VALUE_SIZE 8192
#define PIECE_MOST 140 /* of a list in one line */
#define SAID_SIZE  400

/* What a file says is shown to a terminal, which must not obey it. */
static void tame(char *text)
{
    for (; *text != '\0'; text++) {
        *text = iscntrl((unsigned char)*text) ? '?' : *text;
    }
}

static void say(const struct mt_import *self, const char *format, va_list arguments)
{
    char text[SAID_SIZE];
    vsnprintf(text, sizeof text, format, arguments);
    tame(text);
    if (self->line > 0) {
        fprintf(stderr, "%s:%u: ", self->path, self->line);
    } else { /* a command line, or a file as a whole */
        fprintf(stderr, "%s: ", self->path);
    }
    fprintf(stderr, "%s\n", text);
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

/* A long list goes into several lines. */
static void put_pieces(FILE *out, const char *key, const char *value)
{
    while (strlen(value) > PIECE_MOST) {
        size_t length = PIECE_MOST;
        while (length > 0 && strncmp(value + length, ", ", 2) != 0) {
            length--;
        }
        if (length == 0) {
            break;
        }
        fprintf(out, "%s = %.*s\n", key, (int)length, value);
        value += length + 2;
    }
    fprintf(out, "%s = %s\n", key, value);
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
    put_pieces(out, key, value);
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
    return open_part(&self->daemon) && open_part(&self->clock) && open_part(&self->ntp) &&
           open_part(&self->server) && open_part(&self->ptp) && open_part(&self->sources);
}

static void end(struct mt_import *self)
{
    close_part(&self->daemon);
    close_part(&self->clock);
    close_part(&self->ntp);
    close_part(&self->server);
    close_part(&self->ptp);
    close_part(&self->sources);
}

static void join(FILE *out, const char *heading, struct mt_import_part *part, bool is_wanted)
{
    fflush(part->file);
    if (is_wanted) {
        fprintf(out, "\n%s\n%s", heading, part->text);
    }
}

static void join_if_any(FILE *out, const char *heading, struct mt_import_part *part)
{
    fflush(part->file);
    join(out, heading, part, part->length > 0);
}

/* What is printed; null: no memory. */
static char *whole(struct mt_import *self, int count, char **arguments)
{
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    if (out == NULL) {
        return NULL;
    }
    fputs("# made by meantime import from", out);
    for (int i = 0; i < count; i++) {
        tame(arguments[i]);
        fprintf(out, "%s %s", i > 0 && self->is_each_by_itself ? "," : "", arguments[i]);
    }
    fputc('\n', out);
    join_if_any(out, "[daemon]", &self->daemon);
    join_if_any(out, self->has_more_clocks ? "[clock main]" : "[clock]", &self->clock);
    join_if_any(out, "[ntp]", &self->ntp);
    join(out, "[server]", &self->server, self->serves && !self->is_no_server);
    join_if_any(out, "[ptp]", &self->ptp);
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

/* ---- what is read ---------------------------------------------------------------------------- */

/* The programs of linuxptp first: chronyd may have been told to listen to them. */
static bool read_linuxptp(struct mt_import *self, char *argument, bool *ret_is_chrony)
{
    bool is_read;
    *ret_is_chrony = false;
    self->line = 0;
    if (strpbrk(argument, " \t") != NULL || strncmp(argument, "ExecStart=", 10) == 0) {
        return mt_import_command_line(self, argument);
    }
    self->path = argument;
    *ret_is_chrony = !mt_import_linuxptp_file(self, argument, &is_read);
    return *ret_is_chrony || is_read;
}

static bool read_all(struct mt_import *self, int count, char **arguments)
{
    bool is_chrony[MT_IMPORT_WORDS] = {false};
    bool is_good = true;
    for (int i = 0; i < count && is_good; i++) {
        is_good = read_linuxptp(self, arguments[i], &is_chrony[i]);
        self->is_of_chrony |= is_chrony[i];
    }
    for (int i = 0; i < count && is_good; i++) {
        is_good = !is_chrony[i] || mt_import_chrony(self, arguments[i]);
    }
    return is_good;
}

static bool read_arguments(struct mt_import *self, int count, char **arguments)
{
    self->is_each_by_itself = !mt_import_is_command(arguments[0]);
    return self->is_each_by_itself
               ? read_all(self, count, arguments)
               : mt_import_command(self, (const char *const *)arguments, (size_t)count);
}

enum mt_exit mt_tool_import(const struct mt_tool *tool, int count, char **arguments)
{
    struct mt_import import = {.line = 0};
    enum mt_exit status = MT_EXIT_BAD;
    if (count < 1 || count > MT_IMPORT_WORDS || arguments[0][0] == '-') {
        return mt_tool_misuse("import: expected files, such as /etc/chrony/chrony.conf, or command "
                              "lines, such as 'phc2sys -w -s eth0'");
    }
    char *text = NULL;
    if (begin(&import) && read_arguments(&import, count, arguments)) {
        if (import.is_of_chrony) {
            mt_import_chrony_end(&import);
        }
        if (import.linuxptp != NULL) {
            mt_import_linuxptp_end(&import);
        }
        text = whole(&import, count, arguments);
        status = text != NULL ? print_checked(text, import.lost) : mt_tool_fail("out of memory");
    }
    free(text);
    end(&import);
    mt_import_linuxptp_free(&import);
    return status;
}
