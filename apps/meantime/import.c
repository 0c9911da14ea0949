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

#define VALUE_SIZE  8192
#define PIECE_MOST  140 /* of a list in one line */
#define SAID_SIZE   400
#define ORIGIN_SIZE 1200

void mt_import_tame(char *text)
{
    for (; *text != '\0'; text++) {
        *text = iscntrl((unsigned char)*text) ? '?' : *text;
    }
}

static void write_origin(const struct mt_import *self, char text[ORIGIN_SIZE])
{
    int length = snprintf(text, ORIGIN_SIZE, "%.1100s", self->path);
    if (self->line > 0) { /* else a command line, or a file as a whole */
        snprintf(text + length, ORIGIN_SIZE - (size_t)length, ":%u", self->line);
    }
    mt_import_tame(text);
}

/* One line of a file may become several keys, of which the same is to be said. */
static bool was_told(struct mt_import *self, const char *line)
{
    char needle[ORIGIN_SIZE + SAID_SIZE + 4];
    snprintf(needle, sizeof needle, "\n%s\n", line);
    fflush(self->told.file);
    if (strstr(self->told.text, needle) != NULL) {
        return true;
    }
    fprintf(self->told.file, "%s%s\n", self->told.length == 0 ? "\n" : "", line);
    return false;
}

static void say(struct mt_import *self, const char *origin, bool is_lost, const char *format,
                va_list arguments)
{
    char text[SAID_SIZE];
    char line[ORIGIN_SIZE + SAID_SIZE];
    vsnprintf(text, sizeof text, format, arguments);
    snprintf(line, sizeof line, "%s: %s", origin, text);
    mt_import_tame(line);
    if (was_told(self, line)) {
        return;
    }
    if (is_lost) {
        self->lost++;
        fprintf(self->losses.file, "  %s\n", line);
    } else {
        fprintf(stderr, "%s\n", line);
    }
}

void mt_import_note(struct mt_import *self, const char *format, ...)
{
    char origin[ORIGIN_SIZE];
    va_list arguments;
    write_origin(self, origin);
    va_start(arguments, format);
    say(self, origin, false, format, arguments);
    va_end(arguments);
}

void mt_import_lose(struct mt_import *self, const char *format, ...)
{
    char origin[ORIGIN_SIZE];
    va_list arguments;
    write_origin(self, origin);
    va_start(arguments, format);
    say(self, origin, true, format, arguments);
    va_end(arguments);
}

void mt_import_say_of(struct mt_import *self, const char *origin, bool is_lost, const char *format,
                      ...)
{
    va_list arguments;
    va_start(arguments, format);
    say(self, origin, is_lost, format, arguments);
    va_end(arguments);
}

/* A long list goes into several lines.  Behind each line stands what it comes from, which
 * import_judge.c takes off again. */
static void put_pieces(FILE *out, const char *key, const char *value, const char *origin)
{
    while (strlen(value) > PIECE_MOST) {
        size_t length = PIECE_MOST;
        while (length > 0 && strncmp(value + length, ", ", 2) != 0) {
            length--;
        }
        if (length == 0) {
            break;
        }
        fprintf(out, "%s = %.*s%c%s\n", key, (int)length, value, MT_IMPORT_ORIGIN, origin);
        value += length + 2;
    }
    fprintf(out, "%s = %s%c%s\n", key, value, MT_IMPORT_ORIGIN, origin);
}

static bool has_control_characters(const char *text)
{
    while (*text != '\0' && !iscntrl((unsigned char)*text)) {
        text++;
    }
    return *text != '\0';
}

/* One process takes the place of all, so what one of them said counts. */
static bool was_said_of_daemon(struct mt_import *self, const char *key, const char *value)
{
    size_t length = strlen(key);
    fflush(self->daemon.file);
    for (const char *at = self->daemon.text; *at != '\0'; at = strchr(at, '\n') + 1) {
        if (strncmp(at, key, length) != 0 || strncmp(at + length, " = ", 3) != 0) {
            continue;
        }
        const char *said = at + length + 3;
        size_t said_length = strcspn(said, (const char[]){MT_IMPORT_ORIGIN, '\0'});
        if (said_length != strlen(value) || strncmp(said, value, said_length) != 0) {
            mt_import_lose(self, "%s = %s: one process takes the place of all, and has %.*s", key,
                           value, (int)said_length, said);
        }
        return true;
    }
    return false;
}

void mt_import_put(struct mt_import *self, FILE *out, enum mt_config_scope scope, const char *key,
                   const char *format, ...)
{
    char value[VALUE_SIZE];
    char origin[ORIGIN_SIZE];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(value, sizeof value, format, arguments);
    va_end(arguments);
    write_origin(self, origin);
    if (mt_config_key_find(scope, key) == NULL) {
        mt_import_lose(self, "%s = %s: this version of meantime has no such key in %s", key, value,
                       mt_config_scope_heading(scope));
    } else if (has_control_characters(value)) {
        mt_import_lose(self, "%s = %s: the value holds control characters", key, value);
    } else if (out != self->daemon.file || !was_said_of_daemon(self, key, value)) {
        put_pieces(out, key, value, origin);
    }
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
    return open_part(&self->told) && open_part(&self->losses) && open_part(&self->daemon) &&
           open_part(&self->clock) && open_part(&self->clocks) && open_part(&self->ntp) &&
           open_part(&self->server) && open_part(&self->ptp) && open_part(&self->sources);
}

static void end(struct mt_import *self)
{
    close_part(&self->daemon);
    close_part(&self->clock);
    close_part(&self->clocks);
    close_part(&self->ntp);
    close_part(&self->server);
    close_part(&self->ptp);
    close_part(&self->sources);
    close_part(&self->told);
    close_part(&self->losses);
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

/* What is judged; null: no memory. */
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
        mt_import_tame(arguments[i]);
        fprintf(out, "%s %s", i > 0 && self->is_each_by_itself ? "," : "", arguments[i]);
    }
    fputc('\n', out);
    join_if_any(out, "[daemon]", &self->daemon);
    join_if_any(out, self->has_more_clocks ? "[clock main]" : "[clock]", &self->clock);
    fflush(self->clocks.file);
    fputs(self->clocks.text, out);
    join_if_any(out, "[ntp]", &self->ntp);
    join(out, "[server]", &self->server, self->serves && !self->is_no_server);
    join_if_any(out, "[ptp]", &self->ptp);
    fflush(self->sources.file);
    fputs(self->sources.text, out);
    fclose(out);
    return text;
}

static void print_losses(struct mt_import *self)
{
    if (self->losses.file != NULL && self->lost > 0) {
        fflush(self->losses.file);
        fprintf(stderr, "not taken over:\n%s", self->losses.text);
    }
}

static enum mt_exit print_judged(struct mt_import *self, const char *marked)
{
    bool lacks_files = false;
    char *text = mt_import_judge(self, marked, &lacks_files);
    print_losses(self);
    if (text == NULL) {
        return mt_tool_fail("the result would not be accepted, so it is not printed");
    }
    fputs(text, stdout);
    free(text);
    if (lacks_files) {
        mt_tool_fail("meantimed refuses this until the files that it names are as they should be");
    }
    if (self->lost > 0) {
        mt_tool_fail("%u setting%s could not be taken over", self->lost,
                     self->lost == 1 ? "" : "s");
    }
    return lacks_files || self->lost > 0 ? MT_EXIT_BAD : MT_EXIT_GOOD;
}

static enum mt_exit finish(struct mt_import *self, int count, char **arguments)
{
    if (self->is_of_chrony) {
        self->line = 0; /* what all of it comes to */
        mt_import_chrony_end(self);
    }
    if (self->linuxptp != NULL) {
        mt_import_linuxptp_end(self);
    }
    char *text = whole(self, count, arguments);
    enum mt_exit status = text != NULL ? print_judged(self, text) : mt_tool_fail("out of memory");
    free(text);
    return status;
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
    if (begin(&import)) {
        if (read_arguments(&import, count, arguments)) {
            status = finish(&import, count, arguments);
        } else {
            print_losses(&import);
        }
    }
    end(&import);
    mt_import_linuxptp_free(&import);
    return status;
}
