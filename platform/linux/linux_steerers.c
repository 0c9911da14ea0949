/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * That a program runs does not mean that it steers this clock.  chronyd -x only watches, phc2sys
 * has its target on the command line, ptp4l steers the machine's clock with software timestamps
 * only.  Who has no CAP_SYS_TIME cannot set the machine's clock, whatever its name; who has the
 * device of a hardware clock not open cannot adjust that one, if its files may be looked at.  In
 * doubt a program is named: the sentence says "may".
 */
#include "platform/linux/linux_steerers.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define PATH_SIZE    320
#define CONTENT_SIZE 2048
#define SYS_TIME_BIT 25 /* of the capabilities */
#define AGAIN_NS     INT64_C(10000000000)
#define NOBODY_NS    INT64_C(1000000000) /* somebody may just have begun */
#define NS_PER_S     INT64_C(1000000000)

#define OF_MACHINE 1u
#define OF_CARD    2u

static const struct known {
    const char *comm; /* the kernel keeps 15 characters */
    const char *name;
    unsigned steers;
} known[] = {
    {"chronyd", "chronyd", OF_MACHINE},
    {"ntpd", "ntpd", OF_MACHINE}, /* of NTP, ntpsec, OpenNTPD and busybox */
    {"openntpd", "openntpd", OF_MACHINE},
    {"systemd-timesyn", "systemd-timesyncd", OF_MACHINE},
    {"ptp4l", "ptp4l", OF_MACHINE | OF_CARD},
    {"phc2sys", "phc2sys", OF_MACHINE | OF_CARD},
    {"ts2phc", "ts2phc", OF_CARD},
    {"phc_ctl", "phc_ctl", OF_CARD},
    {"ptpd", "ptpd", OF_MACHINE},
    {"ptpd2", "ptpd2", OF_MACHINE},
    {"sfptpd", "sfptpd", OF_MACHINE | OF_CARD},
    {"statime", "statime", OF_MACHINE | OF_CARD},
    {"ntpdate", "ntpdate", OF_MACHINE},
    {"ntpdig", "ntpdig", OF_MACHINE},
    {"sntp", "sntp", OF_MACHINE},
    {"rdate", "rdate", OF_MACHINE},
    {"htpdate", "htpdate", OF_MACHINE},
    {"adjtimexconfig", "adjtimexconfig", OF_MACHINE},
    {"adjtimex", "adjtimex", OF_MACHINE},
    {"meantimed", "meantimed", OF_MACHINE | OF_CARD},
};

/* What is being looked at. */
struct process {
    const char *proc;
    long id;
    char arguments[CONTENT_SIZE]; /* each ends with a zero, the last with two */
};

/* False if it cannot be read; the content ends with two zeros. */
static bool read_file(const struct process *self, const char *name, char content[CONTENT_SIZE])
{
    char path[PATH_SIZE];
    ssize_t length;
    int fd;

    snprintf(path, sizeof path, "%s/%ld/%s", self->proc, self->id, name);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    length = fd >= 0 ? read(fd, content, CONTENT_SIZE - 2) : -1;
    if (fd >= 0) {
        close(fd);
    }
    if (length < 0) {
        return false;
    }
    memset(content + length, 0, 2);
    return true;
}

/* ---- arguments ----------------------------------------------------------------------------- */

static const char *next_argument(const char *argument)
{
    argument += strlen(argument) + 1;
    return *argument ? argument : 0;
}

/* "-x" alone or among others, as in "-dx"; long options are none of these. */
static bool has_flag(const struct process *self, char flag)
{
    const char *argument = self->arguments[0] ? next_argument(self->arguments) : 0;

    for (; argument; argument = next_argument(argument)) {
        if (argument[0] == '-' && argument[1] != '-' && strchr(argument + 1, flag)) {
            return true;
        }
    }
    return false;
}

/* Of "-c NAME" or "-cNAME"; null: there is none. */
static const char *value_of(const struct process *self, char flag)
{
    const char *argument = self->arguments[0] ? next_argument(self->arguments) : 0;

    for (; argument; argument = next_argument(argument)) {
        if (argument[0] == '-' && argument[1] == flag) {
            return argument[2] ? argument + 2 : next_argument(argument);
        }
    }
    return 0;
}

/* -a finds the clocks by itself, with -r the machine's is one of them; otherwise -c is the target,
 * the machine's clock if it is not there. */
static unsigned targets_of_phc2sys(const struct process *self)
{
    const char *target = value_of(self, 'c');

    if (has_flag(self, 'a')) {
        return has_flag(self, 'r') ? OF_MACHINE | OF_CARD : OF_CARD;
    }
    return !target || strcmp(target, "CLOCK_REALTIME") == 0 ? OF_MACHINE : OF_CARD;
}

static unsigned targets_of(const struct process *self, const struct known *program)
{
    if (strcmp(program->comm, "chronyd") == 0) {
        return has_flag(self, 'x') ? 0 : OF_MACHINE;
    }
    if (strcmp(program->comm, "phc2sys") == 0) {
        return targets_of_phc2sys(self);
    }
    if (strcmp(program->comm, "ptp4l") == 0) {
        return has_flag(self, 'S') ? OF_MACHINE : OF_CARD;
    }
    return program->steers;
}

/* ---- what it is able to do ------------------------------------------------------------------- */

/* In doubt it may. */
static bool may_set_machine(const struct process *self)
{
    char status[CONTENT_SIZE];
    const char *line = read_file(self, "status", status) ? strstr(status, "CapEff:") : 0;

    return !line || (strtoull(line + strlen("CapEff:"), 0, 16) >> SYS_TIME_BIT & 1) != 0;
}

static bool has_open(const struct process *self, const char *device)
{
    char path[PATH_SIZE];
    char target[PATH_SIZE];
    const struct dirent *entry;
    bool is_found = false;
    DIR *folder;

    snprintf(path, sizeof path, "%s/%ld/fd", self->proc, self->id);
    folder = opendir(path);
    if (!folder) { /* another user's */
        return true;
    }
    while (!is_found && (entry = readdir(folder))) {
        ssize_t length = readlinkat(dirfd(folder), entry->d_name, target, sizeof target - 1);

        target[length > 0 ? length : 0] = 0;
        is_found = strcmp(target, device) == 0;
    }
    closedir(folder);
    return is_found;
}

static const struct known *recognise(struct process *self)
{
    char comm[CONTENT_SIZE];

    if (!read_file(self, "comm", comm)) {
        return 0;
    }
    comm[strcspn(comm, "\n")] = 0;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (strcmp(known[i].comm, comm) == 0) {
            if (!read_file(self, "cmdline", self->arguments)) {
                memset(self->arguments, 0, 2);
            }
            return &known[i];
        }
    }
    return 0;
}

static bool may_steer(const struct process *self, const struct known *program, const char *device)
{
    if (device) {
        return (targets_of(self, program) & OF_CARD) != 0 && has_open(self, device);
    }
    return (targets_of(self, program) & OF_MACHINE) != 0 && may_set_machine(self);
}

/* ---- all of them ----------------------------------------------------------------------------- */

/* A daemon may consist of several processes: the first is enough. */
static void name_it(const struct process *self, const char *name, char text[MT_STEERERS_TEXT])
{
    char entry[MT_STEERERS_TEXT];
    size_t length = strlen(text);

    snprintf(entry, sizeof entry, "%s (process %ld)", name, self->id);
    if (strstr(text, name) || length + strlen(entry) + strlen(", ") >= MT_STEERERS_TEXT) {
        return;
    }
    snprintf(text + length, MT_STEERERS_TEXT - length, "%s%s", length > 0 ? ", " : "", entry);
}

void mt_linux_steerers(const char *proc, const char *device, long self,
                       char ret_text[MT_STEERERS_TEXT])
{
    struct process process = {.proc = proc};
    const struct known *program;
    const struct dirent *entry;
    DIR *folder = opendir(proc);
    char *end;

    ret_text[0] = 0;
    while (folder && (entry = readdir(folder))) {
        process.id = strtol(entry->d_name, &end, 10);
        if (*end || process.id <= 0 || process.id == self) {
            continue;
        }
        program = recognise(&process);
        if (program && strcmp(program->name, "meantimed") == 0 && self == 0) {
            continue;
        }
        if (program && may_steer(&process, program, device)) {
            name_it(&process, program->name, ret_text);
        }
    }
    if (folder) {
        closedir(folder);
    }
}

static int64_t monotonic_ns(void)
{
    struct timespec now = {0, 0};

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * NS_PER_S + now.tv_nsec;
}

static bool is_of(const struct mt_steerers_found *found, const char *device)
{
    return found->is_used &&
           (found->device && device ? strcmp(found->device, device) == 0 : found->device == device);
}

const char *mt_linux_steerers_now(struct mt_linux_steerers *self, const char *device)
{
    struct mt_steerers_found *place = self->found;
    int64_t now_ns = monotonic_ns();

    for (size_t i = 0; i < sizeof self->found / sizeof *self->found; i++) {
        if (is_of(&self->found[i], device)) {
            place = &self->found[i];
            break;
        }
        place = place->is_used && !self->found[i].is_used ? &self->found[i] : place;
    }
    if (!is_of(place, device) || now_ns - place->at_ns >= (place->text[0] ? AGAIN_NS : NOBODY_NS)) {
        *place = (struct mt_steerers_found){.device = device, .is_used = true, .at_ns = now_ns};
        mt_linux_steerers("/proc", device, getpid(), place->text);
    }
    return place->text;
}
