/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * timemaster.conf: NTP servers and PTP domains for one clock, the machine's, which is what an
 * arbiter is for.  A [ptp_domain N] is a ptp4l that only receives, with its interfaces; sections
 * that are parts of other programs' files are read as those files are. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "apps/meantime/import_linuxptp.h"
#include "apps/meantime/tool.h"

enum part {
    NOTHING,
    NTP_SERVER,
    PTP_DOMAIN,
    OF_CHRONY,
    OF_PTP4L,
    OF_PHC2SYS,
    OF_TIMEMASTER,
    PATHS
};

struct reader {
    struct mt_import *import;
    enum part part;
    struct mt_linuxptp *domain;
    struct mt_linuxptp *common;  /* [ptp4l.conf], for all domains */
    unsigned section;            /* of that */
    char server[MT_IMPORT_LINE]; /* a directive of chrony's, as far as it is known */
    bool has_chrony;
};

static void end_part(struct reader *self)
{
    if (self->part == NTP_SERVER) {
        mt_import_chrony_line(self->import, self->server);
    }
    self->part = NOTHING;
}

static void begin_domain(struct reader *self, const char *number)
{
    self->domain = mt_linuxptp_add(self->import, MT_LINUXPTP_PTP4L, self->import->path);
    if (self->domain != NULL) {
        mt_linuxptp_set(self->import, self->domain, MT_LINUXPTP_GLOBAL, "domainNumber", number);
        mt_linuxptp_set(self->import, self->domain, MT_LINUXPTP_GLOBAL, "clientOnly", "1");
    }
}

static void begin_part(struct reader *self, char *heading)
{
    static const struct {
        const char *name;
        enum part part;
    } parts[] = {
        {"ntp_server", NTP_SERVER}, {"ptp_domain", PTP_DOMAIN},
        {"chrony.conf", OF_CHRONY}, {"ptp4l.conf", OF_PTP4L},
        {"phc2sys", OF_PHC2SYS},    {"timemaster", OF_TIMEMASTER},
        {"chronyd", PATHS},         {"ntpd", PATHS},
        {"ptp4l", PATHS},
    };
    char *rest = NULL;
    const char *name = strtok_r(heading + 1, " \t]\r\n", &rest);
    const char *argument = strtok_r(NULL, " \t]\r\n", &rest);
    end_part(self);
    for (size_t i = 0; name != NULL && i < sizeof parts / sizeof parts[0]; i++) {
        if (strcmp(name, parts[i].name) == 0) {
            self->part = parts[i].part;
        }
    }
    self->has_chrony |= self->part == OF_CHRONY;
    if (self->part == PTP_DOMAIN) {
        begin_domain(self, argument != NULL ? argument : "0");
    } else if (self->part == NTP_SERVER) {
        snprintf(self->server, sizeof self->server, "server %s", argument != NULL ? argument : "");
    } else if (self->part == NOTHING && name != NULL && strcmp(name, "ntp.conf") != 0) {
        mt_import_lose(self->import, "[%s]: not a section that is known to this import", name);
    }
}

static void take_server(struct reader *self, const char *name, const char *value)
{
    size_t length = strlen(self->server);
    if (strcmp(name, "iburst") == 0) {
        return; /* there is a burst at the start */
    }
    snprintf(self->server + length, sizeof self->server - length, " %s%s%s",
             strcmp(name, "ntp_options") == 0 ? "" : name,
             strcmp(name, "ntp_options") == 0 ? "" : " ", value);
}

static void take_choice(struct reader *self, char *options)
{
    char *rest = NULL;
    for (char *word = strtok_r(options, " \t", &rest); word != NULL;
         word = strtok_r(NULL, " \t", &rest)) {
        if (strcmp(word, "prefer") == 0 || strcmp(word, "trust") == 0 ||
            strcmp(word, "require") == 0 || strcmp(word, "noselect") == 0) {
            mt_linuxptp_set(self->import, self->domain, MT_LINUXPTP_GLOBAL, word, "1");
        } else {
            mt_import_lose(self->import, "ntp_options %s: has no equal for a PTP domain", word);
        }
    }
}

static void take_domain(struct reader *self, const char *name, char *value)
{
    char *rest = NULL;
    if (self->domain == NULL) {
        return;
    }
    if (strcmp(name, "interfaces") == 0) {
        for (char *word = strtok_r(value, " \t", &rest); word != NULL;
             word = strtok_r(NULL, " \t", &rest)) {
            mt_linuxptp_section(self->domain, MT_LINUXPTP_IS_PORT, word);
        }
    } else if (strcmp(name, "ptp4l_option") == 0) {
        unsigned section = MT_LINUXPTP_GLOBAL;
        mt_linuxptp_take_line(self->import, self->domain, value, &section);
    } else if (strcmp(name, "ntp_options") == 0) {
        take_choice(self, value);
    } else if (strcmp(name, "delay") == 0) {
        mt_import_note(self->import, "delay: not needed here: the round trip is measured; "
                                     "max_asymmetry in [clock] bounds what cannot be");
    } else if (strcmp(name, "ntp_poll") == 0 || strcmp(name, "phc2sys_poll") == 0) {
        mt_import_note(self->import, "%s: not needed here: each message counts", name);
    } else {
        mt_import_lose(self->import, "%s: not known in a [ptp_domain]", name);
    }
}

static void take_program(struct reader *self, const char *name, const char *value)
{
    if (strcmp(name, "ntp_program") == 0 && strcmp(value, "chronyd") != 0) {
        mt_import_lose(self->import, "ntp_program %s: [ntp.conf] is not read", value);
    } else if (strcmp(name, "options") == 0 && value[0] != '\0' && self->part == PATHS) {
        mt_import_note(self->import, "options %s: not needed here: there is one process", value);
    }
}

static void take_line(struct reader *self, char *line)
{
    char *text = line + strspn(line, " \t");
    text[strcspn(text, "\r\n")] = '\0';
    if (text[0] == '[') {
        begin_part(self, text);
    } else if (self->part == OF_CHRONY) {
        mt_import_chrony_line(self->import, text);
    } else if (self->part == OF_PTP4L && self->common != NULL) {
        mt_linuxptp_take_line(self->import, self->common, text + (text[0] == '>'), &self->section);
    } else if (text[0] != '\0' && text[0] != '#') {
        char *value = text + strcspn(text, " \t");
        if (*value != '\0') {
            *value++ = '\0';
            value += strspn(value, " \t");
        }
        if (self->part == NTP_SERVER) {
            take_server(self, text, value);
        } else if (self->part == PTP_DOMAIN) {
            take_domain(self, text, value);
        } else {
            take_program(self, text, value);
        }
    }
}

/* Settings of all domains count below those of a domain. */
static void spread_to(struct reader *self, struct mt_linuxptp *domain)
{
    unsigned sections[MT_LINUXPTP_SECTIONS] = {MT_LINUXPTP_GLOBAL};
    for (unsigned i = 1; i < self->common->section_count; i++) {
        sections[i] = mt_linuxptp_section(domain, self->common->sections[i].kind,
                                          self->common->sections[i].name);
    }
    for (unsigned i = 0; i < self->common->setting_count; i++) {
        const struct mt_linuxptp_setting *setting = &self->common->settings[i];
        bool is_table = self->common->sections[setting->section].kind == MT_LINUXPTP_IS_TABLE;
        unsigned section = sections[setting->section];
        if (is_table || mt_linuxptp_find(domain, section, setting->name) == NULL) {
            mt_linuxptp_stand_at(self->import, self->common, setting);
            mt_linuxptp_set(self->import, domain, section, setting->name, setting->value);
        }
    }
}

static void spread_common(struct reader *self)
{
    struct mt_linuxptp_set *set = self->import->linuxptp;
    for (unsigned p = 0; p < set->count; p++) {
        struct mt_linuxptp *program = set->programs[p];
        if (program->kind == MT_LINUXPTP_PTP4L && program->path == self->common->path) {
            spread_to(self, program);
        }
    }
}

bool mt_import_timemaster(struct mt_import *import, const char *path)
{
    struct reader self = {.import = import};
    char line[MT_IMPORT_LINE];
    FILE *file = mt_import_open(path);
    if (file == NULL) {
        return false;
    }
    import->is_of_chrony = true;
    import->path = path;
    import->line = 0;
    self.common = mt_linuxptp_add(import, MT_LINUXPTP_COMMON, path);
    while (mt_import_line(import, file, line)) {
        take_line(&self, line);
    }
    fclose(file);
    end_part(&self);
    if (self.common != NULL) {
        spread_common(&self);
    }
    if (!self.has_chrony) { /* what timemaster adds itself */
        char step[] = "makestep 1 3";
        mt_import_chrony_line(import, step);
    }
    import->line = 0;
    return true;
}
