/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Which clock each ptp4l steers: with hardware timestamps that of its card, with software
 * timestamps the machine's, and none if it hands its time to another daemon.  Programs over the
 * same clock become sources of it, of which the arbiter chooses one; clocks that differ stay apart,
 * for two networks may have times of their own.  Beside chronyd there is the machine's clock alone.
 */
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "apps/meantime/import_linuxptp.h"
#include "config/config.h"

/* ---- programs -------------------------------------------------------------------------------- */

const char *mt_linuxptp_global(const struct mt_linuxptp *program, const char *name,
                               const char *otherwise)
{
    const char *value = mt_linuxptp_value(program, MT_LINUXPTP_GLOBAL, name);
    return value != NULL ? value : otherwise;
}

bool mt_linuxptp_gives_to_others(const struct mt_linuxptp *program)
{
    const char *servo = mt_linuxptp_global(program, "clock_servo", "pi");
    return strcasecmp(servo, "ntpshm") == 0 || strcasecmp(servo, "refclock_sock") == 0;
}

bool mt_linuxptp_is_software(const struct mt_linuxptp *program)
{
    return strcasecmp(mt_linuxptp_global(program, "time_stamping", "hardware"), "software") == 0;
}

static bool is_free(const struct mt_linuxptp *program)
{
    return mt_linuxptp_is_on(mt_linuxptp_global(program, "free_running", "0")) &&
           strstr(mt_linuxptp_global(program, "clock_type", "OC"), "_TC") == NULL;
}

static const char *first_port(const struct mt_linuxptp *program)
{
    for (unsigned i = 1; i < program->section_count; i++) {
        if (program->sections[i].kind == MT_LINUXPTP_IS_PORT) {
            return program->sections[i].name;
        }
    }
    return "";
}

/* ---- devices --------------------------------------------------------------------------------- */

bool mt_linuxptp_find_device(const char *interface, char path[MT_LINUXPTP_PATH_SIZE])
{
    char folder[MT_LINUXPTP_PATH_SIZE];
    bool is_found = false;
    snprintf(folder, sizeof folder, "/sys/class/net/%.64s/device/ptp", interface);
    DIR *entries = opendir(folder);
    for (struct dirent *entry = NULL;
         entries != NULL && !is_found && (entry = readdir(entries)) != NULL;) {
        is_found = strncmp(entry->d_name, "ptp", 3) == 0;
        if (is_found) {
            snprintf(path, MT_LINUXPTP_PATH_SIZE, "/dev/%.64s", entry->d_name);
        }
    }
    if (entries != NULL) {
        closedir(entries);
    }
    return is_found;
}

/* False: what it has is known on its own machine only. */
static bool find_own_device(const struct mt_linuxptp *program, char path[MT_LINUXPTP_PATH_SIZE])
{
    const char *told = mt_linuxptp_global(program, "-p", NULL);
    if (told != NULL) {
        snprintf(path, MT_LINUXPTP_PATH_SIZE, "%.250s", told);
    }
    return told != NULL || mt_linuxptp_find_device(first_port(program), path);
}

static bool shares_port(const struct mt_linuxptp *a, const struct mt_linuxptp *b)
{
    for (unsigned i = 1; i < a->section_count; i++) {
        if (a->sections[i].kind == MT_LINUXPTP_IS_PORT &&
            mt_import_ptp4l_has_port(b, a->sections[i].name)) {
            return true;
        }
    }
    return false;
}

static bool are_known(const struct mt_linuxptp *a, const struct mt_linuxptp *b, bool *ret_are_same)
{
    char one[MT_LINUXPTP_PATH_SIZE];
    char other[MT_LINUXPTP_PATH_SIZE];
    bool are = find_own_device(a, one) && find_own_device(b, other);
    *ret_are_same = are && strcmp(one, other) == 0;
    return are;
}

/* ---- clocks ---------------------------------------------------------------------------------- */

static enum mt_linuxptp_clock_kind kind_of(const struct mt_linuxptp *program)
{
    bool is_software = mt_linuxptp_is_software(program);
    return mt_linuxptp_gives_to_others(program) || (is_software && is_free(program))
               ? MT_LINUXPTP_OVERLAY
           : is_software ? MT_LINUXPTP_MACHINE
                         : MT_LINUXPTP_CARD;
}

static bool is_same_clock(const struct mt_linuxptp *a, const struct mt_linuxptp *b)
{
    bool are_same;
    if (kind_of(a) != kind_of(b) || kind_of(a) == MT_LINUXPTP_OVERLAY) {
        return false;
    }
    return kind_of(a) == MT_LINUXPTP_MACHINE ||
           (are_known(a, b, &are_same) ? are_same : shares_port(a, b));
}

static void write_name(struct mt_import *self, struct mt_linuxptp_clock *clock, bool is_first)
{
    if (is_first) {
        snprintf(clock->name, sizeof clock->name, MT_CONFIG_MAIN);
    } else if (clock->kind == MT_LINUXPTP_MACHINE) {
        snprintf(clock->name, sizeof clock->name, "machine");
    } else {
        snprintf(clock->name, sizeof clock->name, "%s%u",
                 clock->kind == MT_LINUXPTP_CARD ? "card" : "overlay", ++self->cards);
    }
}

/* Of two cards that are not here nobody can say whether they share a clock. */
static void tell_of_cards(struct mt_import *self, const struct mt_linuxptp *program)
{
    const struct mt_linuxptp_set *set = self->linuxptp;
    for (unsigned c = 0; c + 1 < set->clock_count; c++) {
        const struct mt_linuxptp *other = set->clocks[c].owner;
        bool are_same;
        if (kind_of(program) == MT_LINUXPTP_CARD && kind_of(other) == MT_LINUXPTP_CARD &&
            !are_known(program, other, &are_same)) {
            mt_linuxptp_stand_at(self, program, NULL);
            mt_import_note(self,
                           "%s and %s are taken to have a hardware clock each: look with ethtool "
                           "-T, and if it is one, write clock = vclock in both [clock NAME]",
                           first_port(other), first_port(program));
        }
    }
}

static struct mt_linuxptp_clock *add_clock(struct mt_import *self,
                                           const struct mt_linuxptp *program)
{
    struct mt_linuxptp_set *set = self->linuxptp;
    bool is_first = set->clock_count == 0;
    struct mt_linuxptp_clock *clock = &set->clocks[set->clock_count++];
    clock->kind = kind_of(program);
    clock->owner = program;
    write_name(self, clock, is_first);
    clock->out = is_first ? self->clock.file : open_memstream(&clock->text, &clock->length);
    if (clock->out == NULL) {
        clock->out = self->clock.file;
    }
    self->has_more_clocks |= !is_first;
    self->has_machine |= clock->kind == MT_LINUXPTP_MACHINE;
    tell_of_cards(self, program);
    return clock;
}

static struct mt_linuxptp_clock *clock_for(struct mt_import *self,
                                           const struct mt_linuxptp *program)
{
    struct mt_linuxptp_set *set = self->linuxptp;
    for (unsigned c = 0; c < set->clock_count; c++) {
        if (self->is_of_chrony || is_same_clock(set->clocks[c].owner, program)) {
            return &set->clocks[c];
        }
    }
    return add_clock(self, program);
}

void mt_linuxptp_find_clocks(struct mt_import *self)
{
    struct mt_linuxptp_set *set = self->linuxptp;
    for (unsigned p = 0; p < set->count; p++) {
        struct mt_linuxptp *program = set->programs[p];
        if (program->kind != MT_LINUXPTP_PTP4L) {
            continue;
        }
        struct mt_linuxptp_clock *clock = clock_for(self, program);
        program->clock = (unsigned)(clock - set->clocks);
        clock->instances += mt_import_ptp4l_instances(program);
        if (clock->owner != program && !self->is_of_chrony) {
            mt_linuxptp_stand_at(self, program, NULL);
            mt_import_note(self,
                           "%s: it steers the same clock as %s: the arbiter chooses one of the two "
                           "here",
                           first_port(program), first_port(clock->owner));
        }
    }
}

struct mt_linuxptp_clock *mt_linuxptp_machine(const struct mt_import *self)
{
    struct mt_linuxptp_set *set = self->linuxptp;
    for (unsigned c = 0; c < set->clock_count; c++) {
        if (set->clocks[c].kind == MT_LINUXPTP_MACHINE) {
            return &set->clocks[c];
        }
    }
    return NULL;
}

static bool is_at(const struct mt_linuxptp *program, const char *place)
{
    char own[MT_LINUXPTP_PATH_SIZE];
    char there[MT_LINUXPTP_PATH_SIZE];
    if (kind_of(program) == MT_LINUXPTP_MACHINE) {
        return false;
    }
    if (mt_import_ptp4l_has_port(program, place)) {
        return true;
    }
    return find_own_device(program, own) &&
           (strcmp(own, place) == 0 ||
            (mt_linuxptp_find_device(place, there) && strcmp(own, there) == 0));
}

struct mt_linuxptp_clock *mt_linuxptp_clock_at(const struct mt_import *self, const char *place)
{
    struct mt_linuxptp_set *set = self->linuxptp;
    for (unsigned p = 0; p < set->count; p++) {
        if (set->programs[p]->kind == MT_LINUXPTP_PTP4L && is_at(set->programs[p], place)) {
            return &set->clocks[set->programs[p]->clock];
        }
    }
    return NULL;
}

/* ---- what is written ------------------------------------------------------------------------- */

void mt_linuxptp_put_export(struct mt_import *self, const struct mt_linuxptp *program,
                            const char *clock)
{
    FILE *out = self->sources.file;
    bool is_shared = strcasecmp(mt_linuxptp_global(program, "clock_servo", ""), "ntpshm") == 0;
    fprintf(out,
            "\n# for the NTP daemon beside; import its file as well to need none\n"
            "[export ptp%u]\n",
            ++self->exports);
    if (is_shared) {
        mt_import_put(self, out, MT_CONFIG_EXPORT, "driver", "shm");
        mt_import_put(self, out, MT_CONFIG_EXPORT, "unit", "%s",
                      mt_linuxptp_global(program, "ntpshm_segment", "0"));
    } else {
        mt_import_put(self, out, MT_CONFIG_EXPORT, "driver", "sock");
        mt_import_put(
            self, out, MT_CONFIG_EXPORT, "path", "%s",
            mt_linuxptp_global(program, "refclock_sock_address", "/var/run/refclock.ptp.sock"));
    }
    mt_linuxptp_put_clock_name(self, out, MT_CONFIG_EXPORT, clock);
}

void mt_linuxptp_put_clock_name(struct mt_import *self, FILE *out, enum mt_config_scope scope,
                                const char *clock)
{
    if (strcmp(clock, MT_CONFIG_MAIN) != 0) {
        mt_import_put(self, out, scope, "clock", "%s", clock);
    }
}

static void put_clock(struct mt_import *self, const struct mt_linuxptp_clock *clock)
{
    static const char *const words[] = {
        [MT_LINUXPTP_CARD] = "phc",
        [MT_LINUXPTP_MACHINE] = "system",
        [MT_LINUXPTP_OVERLAY] = "overlay",
    };
    const struct mt_linuxptp *owner = clock->owner;
    const char *device = mt_linuxptp_global(owner, "-p", NULL);
    mt_linuxptp_stand_at(self, owner, NULL);
    mt_import_put(self, clock->out, MT_CONFIG_CLOCK, "clock", "%s", words[clock->kind]);
    if (device != NULL && clock->kind == MT_LINUXPTP_CARD) {
        mt_import_put(self, clock->out, MT_CONFIG_CLOCK, "device", "%s", device);
    }
    if (is_free(owner)) {
        mt_import_put(self, clock->out, MT_CONFIG_CLOCK, "estimates_only", "yes");
    }
    if (mt_linuxptp_gives_to_others(owner)) {
        mt_linuxptp_put_export(self, owner, clock->name);
    }
}

void mt_linuxptp_put_clocks(struct mt_import *self)
{
    const struct mt_linuxptp_set *set = self->linuxptp;
    for (unsigned c = 0; c < set->clock_count && !self->is_of_chrony; c++) {
        put_clock(self, &set->clocks[c]);
    }
}

void mt_linuxptp_join_clocks(struct mt_import *self)
{
    struct mt_linuxptp_set *set = self->linuxptp;
    for (unsigned c = 0; c < set->clock_count; c++) {
        struct mt_linuxptp_clock *clock = &set->clocks[c];
        if (clock->instances > 1 && !self->is_of_chrony) {
            mt_linuxptp_stand_at(self, clock->owner, NULL);
            mt_import_put(self, clock->out, MT_CONFIG_CLOCK, "arbiter", "always");
        }
        if (clock->out != self->clock.file) {
            fclose(clock->out);
            fprintf(self->clocks.file, "\n[clock %s]\n%s", clock->name, clock->text);
            free(clock->text);
        }
    }
}
