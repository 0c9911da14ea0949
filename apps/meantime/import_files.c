/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Which program a file is for it does not say; a few words that only one of them knows tell.  In a
 * unit of systemd the command lines count. */
#include <string.h>

#include "apps/meantime/import_linuxptp.h"
#include "apps/meantime/tool.h"

enum form { CHRONY, CONFIG, TS2PHC, TIMEMASTER, UNIT, SYNCE4L, OURS };

/* By what only one of them has. */
static enum form form_of_line(const char *line, enum form before)
{
    static const struct {
        const char *text;
        enum form form;
    } marks[] = {
        {"ExecStart=", UNIT},
        {"ExecStartPre=", UNIT},
        {"[Service]", UNIT},
        {"[timemaster]", TIMEMASTER},
        {"[ntp_server", TIMEMASTER},
        {"[ptp_domain", TIMEMASTER},
        {"[chrony.conf]", TIMEMASTER},
        {"[ptp4l.conf]", TIMEMASTER},
        {"ts2phc.", TS2PHC},
        {"[nmea]", TS2PHC},
        {"[<", SYNCE4L},
        {"[{", SYNCE4L},
        {"[clock]", OURS},
        {"[clock ", OURS},
        {"[ptp]", OURS},
        {"[ptp ", OURS},
        {"[ntp ", OURS},
        {"[gnss ", OURS},
        {"[", CONFIG},
    };
    for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++) {
        if (strncmp(line, marks[i].text, strlen(marks[i].text)) == 0) {
            return before > CONFIG ? before : marks[i].form;
        }
    }
    return before;
}

/* Of a file without any of them, such as an empty one. */
static enum form form_of_name(const char *path)
{
    static const struct {
        const char *text;
        enum form form;
    } names[] = {{"ptp4l", CONFIG}, {"ts2phc", TS2PHC}, {"timemaster", TIMEMASTER}};
    const char *slash = strrchr(path, '/');
    const char *name = slash != NULL ? slash + 1 : path;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strncmp(name, names[i].text, strlen(names[i].text)) == 0) {
            return names[i].form;
        }
    }
    return CHRONY;
}

static bool find_form(const char *path, enum form *ret_form)
{
    char line[MT_IMPORT_LINE];
    FILE *file = mt_import_open(path);
    if (file == NULL) {
        return false;
    }
    *ret_form = form_of_name(path);
    while (fgets(line, sizeof line, file) != NULL) {
        *ret_form = form_of_line(line + strspn(line, " \t"), *ret_form);
    }
    fclose(file);
    return true;
}

/* %i and %I of phc2sys@eth0.service are "eth0"; where a template is read nobody says what. */
static void put_instance(struct mt_import *self, const char *path, const char *from, char *to)
{
    const char *at = strrchr(path, '@');
    const char *dot = at != NULL ? strrchr(at, '.') : NULL;
    bool is_named = dot != NULL && dot > at + 1;
    const char *end = to + MT_IMPORT_LINE - 1;
    while (*from != '\0' && to < end) {
        if (from[0] != '%' || (from[1] != 'i' && from[1] != 'I')) {
            *to++ = *from++;
            continue;
        }
        from += 2;
        if (!is_named) {
            mt_import_note(self, "%%i: eth0 is written for it; name the file of an instance, such "
                                 "as phc2sys@eth1.service");
        }
        for (const char *name = is_named ? at + 1 : "eth0";
             to < end && *name != '\0' && name != dot;) {
            *to++ = *name++;
        }
    }
    *to = '\0';
}

/* A line that ends with a backslash goes on in the next one. */
static bool next_setting(struct mt_import *self, FILE *file, char text[MT_IMPORT_LINE])
{
    char more[MT_IMPORT_LINE];
    bool is_there = mt_import_line(self, file, text);
    size_t length = is_there ? strlen(text) : 0;
    while (length > 0 && text[length - 1] == '\\' && mt_import_line(self, file, more)) {
        text[length - 1] = ' ';
        if (length + strlen(more) >= MT_IMPORT_LINE) {
            mt_import_lose(self, "with those before it the line is longer than %d characters",
                           MT_IMPORT_LINE - 1);
            more[0] = '\0';
        }
        strcpy(text + length, more);
        length = strlen(text);
    }
    return is_there;
}

static bool take_unit(struct mt_import *self, const char *path)
{
    char line[MT_IMPORT_LINE];
    char command[MT_IMPORT_LINE];
    FILE *file = mt_import_open(path);
    bool is_good = file != NULL;
    self->path = path;
    while (is_good && next_setting(self, file, line)) {
        if (strncmp(line, "ExecStart=", 10) == 0 && line[10 + strspn(line + 10, " ")] != '\0') {
            put_instance(self, path, mt_linuxptp_trimmed(line), command);
            is_good = mt_import_command_line(self, command);
        }
    }
    if (file != NULL) {
        fclose(file);
    }
    return is_good;
}

bool mt_import_linuxptp_file(struct mt_import *self, const char *path, bool *ret_is_read)
{
    enum form form;
    struct mt_linuxptp *program;
    *ret_is_read = false;
    if (!find_form(path, &form)) {
        return true;
    }
    switch (form) {
    case CHRONY:
        return false;
    case CONFIG:
    case TS2PHC:
        program =
            mt_linuxptp_add(self, form == CONFIG ? MT_LINUXPTP_PTP4L : MT_LINUXPTP_TS2PHC, path);
        *ret_is_read = program != NULL && mt_linuxptp_read(self, program, path);
        break;
    case TIMEMASTER:
        *ret_is_read = mt_import_timemaster(self, path);
        break;
    case UNIT:
        *ret_is_read = take_unit(self, path);
        break;
    case OURS:
        mt_tool_fail("%s: is a configuration of meantime already; meantime check judges it", path);
        break;
    case SYNCE4L:
        mt_tool_fail("%s: synce4l is not there yet; keep it running beside", path);
        break;
    }
    return true;
}
