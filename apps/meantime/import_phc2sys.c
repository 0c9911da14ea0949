/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Clocks.  A ptp4l with hardware timestamps steers the clock of a card, and phc2sys is what takes
 * its time to the machine's clock, or the other way round: here that is `follow` of a [clock].
 * A ptp4l with software timestamps steers the machine's clock itself.
 *
 * Where chronyd is imported as well the machine's clock is the only one: what chronyd was given
 * through shared memory is now a source of that clock, for stamps of cards are converted to it. */
#include "apps/meantime/import_linuxptp.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "config/config.h"

#define PATH_SIZE 300

/* ---- what is configured ---------------------------------------------------------------------- */

static const char *global(const struct mt_linuxptp *program, const char *name,
                          const char *otherwise)
{
    const char *value = mt_linuxptp_value(program, MT_LINUXPTP_GLOBAL, name);
    return value != NULL ? value : otherwise;
}

static const struct mt_linuxptp *first_of(const struct mt_import *self, enum mt_linuxptp_kind kind)
{
    const struct mt_linuxptp_set *set = self->linuxptp;
    for (unsigned p = 0; p < set->count; p++) {
        if (set->programs[p]->kind == kind) {
            return set->programs[p];
        }
    }
    return NULL;
}

static bool gives_to_others(const struct mt_linuxptp *program)
{
    const char *servo = global(program, "clock_servo", "pi");
    return strcasecmp(servo, "ntpshm") == 0 || strcasecmp(servo, "refclock_sock") == 0;
}

static bool is_software(const struct mt_linuxptp *program)
{
    return strcasecmp(global(program, "time_stamping", "hardware"), "software") == 0;
}

static unsigned count_of(const struct mt_linuxptp *program, const char *option)
{
    unsigned count = 0;
    for (unsigned i = 0; i < program->setting_count; i++) {
        count += strcmp(program->settings[i].name, option) == 0;
    }
    return count;
}

static const char *source_of(const struct mt_linuxptp *program)
{
    return global(program, "-s", global(program, "-i", ""));
}

static bool is_machine(const char *clock)
{
    return strcmp(clock, "CLOCK_REALTIME") == 0;
}

/* Words of chrony.conf: refclock SHM 2:perm=0644, refclock SOCK PATH. */
bool mt_import_is_ptp_refclock(const struct mt_import *self, const char *driver, const char *which)
{
    const struct mt_linuxptp_set *set = self->linuxptp;
    for (unsigned p = 0; set != NULL && p < set->count; p++) {
        const struct mt_linuxptp *program = set->programs[p];
        const char *servo = global(program, "clock_servo", "pi");
        if (strcasecmp(driver, "SHM") == 0 && strcasecmp(servo, "ntpshm") == 0 &&
            atoi(which) == atoi(global(program, "ntpshm_segment", "0"))) {
            return true;
        }
        if (strcasecmp(driver, "SOCK") == 0 && strcasecmp(servo, "refclock_sock") == 0 &&
            strcmp(which, global(program, "refclock_sock_address", "/var/run/refclock.ptp.sock")) ==
                0) {
            return true;
        }
    }
    return false;
}

void mt_import_choose_ptp(struct mt_import *self, const char *option)
{
    static const char *const options[] = {"prefer", "trust", "require", "noselect"};
    const struct mt_linuxptp_set *set = self->linuxptp;
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++) {
        for (unsigned p = 0; strcasecmp(option, options[i]) == 0 && p < set->count; p++) {
            if (set->programs[p]->kind == MT_LINUXPTP_PTP4L) {
                mt_linuxptp_set(self, set->programs[p], MT_LINUXPTP_GLOBAL, options[i], "1");
            }
        }
    }
}

/* ---- devices --------------------------------------------------------------------------------- */

/* The hardware clock of an interface, if it is one of this machine. */
static bool find_device(const char *interface, char *path)
{
    char folder[PATH_SIZE];
    bool is_found = false;
    snprintf(folder, sizeof folder, "/sys/class/net/%.64s/device/ptp", interface);
    DIR *entries = opendir(folder);
    for (struct dirent *entry = NULL;
         entries != NULL && !is_found && (entry = readdir(entries)) != NULL;) {
        is_found = strncmp(entry->d_name, "ptp", 3) == 0;
        if (is_found) {
            snprintf(path, PATH_SIZE, "/dev/%.64s", entry->d_name);
        }
    }
    if (entries != NULL) {
        closedir(entries);
    }
    return is_found;
}

void mt_linuxptp_put_card(struct mt_import *self, FILE *out, const char *clock)
{
    char path[PATH_SIZE];
    mt_import_put(self, out, MT_CONFIG_CLOCK, "clock", "phc");
    if (clock[0] == '/') {
        mt_import_put(self, out, MT_CONFIG_CLOCK, "device", "%s", clock);
        return;
    }
    if (!find_device(clock, path)) {
        snprintf(path, sizeof path, "/dev/ptp%u", self->unknown_cards++);
        mt_import_lose(self,
                       "which hardware clock %s has is not known here: look with ethtool -T "
                       "%s, and correct device = %s",
                       clock, clock, path);
    }
    mt_import_put(self, out, MT_CONFIG_CLOCK, "device", "%s", path);
}

/* ---- what phc2sys is told -------------------------------------------------------------------- */

static const struct mt_linuxptp_told told[] = {
    {"-a", NULL, MT_LINUXPTP_TAKEN, ""},
    {"-r", NULL, MT_LINUXPTP_TAKEN, ""},
    {"-s", NULL, MT_LINUXPTP_TAKEN, ""},
    {"-i", NULL, MT_LINUXPTP_TAKEN, ""},
    {"-c", NULL, MT_LINUXPTP_TAKEN, ""},
    {"-O", NULL, MT_LINUXPTP_TAKEN, ""},
    {"-w", NULL, MT_LINUXPTP_TAKEN, ""},
    {"-d", NULL, MT_LINUXPTP_TAKEN, ""},
    {"clock_servo", NULL, MT_LINUXPTP_TAKEN, ""},
    {"ntpshm_segment", NULL, MT_LINUXPTP_TAKEN, ""},
    {"refclock_sock_address", NULL, MT_LINUXPTP_TAKEN, ""},
    {"step_threshold", NULL, MT_LINUXPTP_TAKEN, ""},
    {"first_step_threshold", NULL, MT_LINUXPTP_TAKEN, ""},
    {"logging_level", NULL, MT_LINUXPTP_TAKEN, ""},
    {"-u", NULL, MT_LINUXPTP_NEEDLESS, "meantime watch shows these figures"},
    {"-R", "1", MT_LINUXPTP_NEEDLESS, "clocks are compared four times a second"},
    {"-N", "5", MT_LINUXPTP_NEEDLESS, "as many readings are made as the driver's noise is worth"},
    {"domainNumber", "0", MT_LINUXPTP_NEEDLESS, "there is no ptp4l to ask"},
    {"uds_address", "/var/run/ptp4l", MT_LINUXPTP_NEEDLESS, "there is no ptp4l to ask"},
    {"transportSpecific", "0", MT_LINUXPTP_NEEDLESS, "there is no ptp4l to ask"},
    {"sanity_freq_limit", "200000000", MT_LINUXPTP_NEEDLESS,
     "the estimator refuses what cannot be"},
    {"kernel_leap", "1", MT_LINUXPTP_LOST, "leap seconds are made by the kernel"},
    {"pi_proportional_const", "0.7", MT_LINUXPTP_LOST, "the estimator tunes itself"},
    {"pi_integral_const", "0.3", MT_LINUXPTP_LOST, "the estimator tunes itself"},
    {"use_syslog", NULL, MT_LINUXPTP_TAKEN, ""},
    {"verbose", NULL, MT_LINUXPTP_TAKEN, ""},
    {"message_tag", NULL, MT_LINUXPTP_TAKEN, ""},
};

static void tell_one(struct mt_import *self, const struct mt_linuxptp_setting *setting)
{
    const struct mt_linuxptp_told *found =
        mt_linuxptp_told_of(told, sizeof told / sizeof told[0], setting->name);
    if (found != NULL) {
        mt_linuxptp_tell(self, found, setting->value);
    } else {
        mt_import_lose(self, "%s: not known to this import", setting->name);
    }
}

/* TAI - UTC is known; anything else would be a clock that is wrong on purpose. */
static void tell_offset(struct mt_import *self, const struct mt_linuxptp *program)
{
    const struct mt_linuxptp_setting *setting = mt_linuxptp_find(program, MT_LINUXPTP_GLOBAL, "-O");
    double offset_s = setting != NULL ? strtod(setting->value, NULL) : 37;
    mt_linuxptp_stand_at(self, program, setting);
    if (setting != NULL && (offset_s == 37 || offset_s == -37)) {
        mt_import_note(self, "-O %s: not needed here: TAI - UTC is known, and changes by itself",
                       setting->value);
    } else if (setting != NULL) {
        mt_import_lose(self, "-O %s: a hardware clock counts TAI here, the machine's clock UTC",
                       setting->value);
    }
}

static void tell(struct mt_import *self, const struct mt_linuxptp *program)
{
    for (unsigned i = 0; i < program->setting_count; i++) {
        mt_linuxptp_stand_at(self, program, &program->settings[i]);
        tell_one(self, &program->settings[i]);
    }
    tell_offset(self, program);
    if (count_of(program, "-d") > 0) {
        mt_linuxptp_stand_at(self, program, mt_linuxptp_find(program, 0, "-d"));
        mt_import_lose(self,
                       "-d %s: the clock of the card is read instead; for the pulse of a "
                       "receiver write [refclock NAME]",
                       global(program, "-d", ""));
    }
}

/* ---- clocks ---------------------------------------------------------------------------------- */

static void put_steering(struct mt_import *self, const struct mt_linuxptp *program, FILE *out)
{
    static const char *const names[][2] = {{"first_step_threshold", "step_at_start"},
                                           {"step_threshold", "step_later"}};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const char *value = global(program, names[i][0], NULL);
        char text[32] = "never";
        if (value == NULL || mt_linuxptp_is_same(value, i == 0 ? "0.00002" : "0")) {
            continue;
        }
        if (strtod(value, NULL) != 0) {
            mt_import_seconds(value, text, sizeof text);
        }
        mt_import_put(self, out, MT_CONFIG_CLOCK, names[i][1], "%s", text);
    }
    if (strcasecmp(global(program, "clock_servo", "pi"), "linreg") == 0) {
        mt_import_put(self, out, MT_CONFIG_CLOCK, "servo", "linreg");
    }
}

static void put_export(struct mt_import *self, const struct mt_linuxptp *program)
{
    FILE *out = self->sources.file;
    bool is_shared = strcasecmp(global(program, "clock_servo", ""), "ntpshm") == 0;
    fprintf(out,
            "\n# for the NTP daemon beside; import its file as well to need none\n"
            "[export ptp%u]\n",
            ++self->exports);
    if (is_shared) {
        mt_import_put(self, out, MT_CONFIG_EXPORT, "driver", "shm");
        mt_import_put(self, out, MT_CONFIG_EXPORT, "unit", "%s",
                      global(program, "ntpshm_segment", "0"));
    } else {
        mt_import_put(self, out, MT_CONFIG_EXPORT, "driver", "sock");
        mt_import_put(self, out, MT_CONFIG_EXPORT, "path", "%s",
                      global(program, "refclock_sock_address", "/var/run/refclock.ptp.sock"));
    }
}

static void put_machine(struct mt_import *self, const struct mt_linuxptp *program, bool leads)
{
    FILE *out = self->sources.file;
    if (self->has_machine) {
        return;
    }
    self->has_machine = true;
    self->has_more_clocks = true;
    fprintf(out, "\n# in place of phc2sys\n[clock machine]\n");
    mt_import_put(self, out, MT_CONFIG_CLOCK, "clock", "system");
    if (leads) { /* somebody else looks after it */
        mt_import_put(self, out, MT_CONFIG_CLOCK, "estimates_only", "yes");
        return;
    }
    mt_import_put(self, out, MT_CONFIG_CLOCK, "follow", "main");
    put_steering(self, program, out);
}

static void follow_automatically(struct mt_import *self, const struct mt_linuxptp *program)
{
    unsigned count = count_of(program, "-r");
    mt_linuxptp_stand_at(self, program, NULL);
    if (count == 0) {
        mt_import_note(self, "-a: not needed here: stamps of all cards are converted to the clock "
                             "that is steered");
        return;
    }
    if (count > 1) { /* whoever has a source leads */
        mt_import_put(self, self->clock.file, MT_CONFIG_CLOCK, "follow", "machine");
    }
    put_machine(self, program, false);
}

/* Beside a ptp4l with hardware timestamps. */
static void follow_beside(struct mt_import *self, const struct mt_linuxptp *program)
{
    const char *source = source_of(program);
    const char *sink = global(program, "-c", "CLOCK_REALTIME");
    if (gives_to_others(program)) {
        put_export(self, program);
    } else if (count_of(program, "-a") > 0) {
        follow_automatically(self, program);
    } else if (is_machine(source)) {
        mt_import_put(self, self->clock.file, MT_CONFIG_CLOCK, "follow", "machine");
        put_machine(self, program, true);
    } else if (is_machine(sink)) {
        put_machine(self, program, false);
    } else {
        self->has_more_clocks = true;
        mt_linuxptp_stand_at(self, program, NULL);
        fprintf(self->sources.file, "\n# in place of phc2sys\n[clock card%u]\n", ++self->cards);
        mt_linuxptp_put_card(self, self->sources.file, sink);
        mt_import_put(self, self->sources.file, MT_CONFIG_CLOCK, "follow", "main");
    }
}

/* A phc2sys by itself: nothing speaks PTP. */
static void follow_alone(struct mt_import *self, const struct mt_linuxptp *program)
{
    const char *source = source_of(program);
    const char *sink = global(program, "-c", "CLOCK_REALTIME");
    mt_linuxptp_stand_at(self, program, NULL);
    if (self->has_more_clocks || count_of(program, "-a") > 0 || source[0] == '\0') {
        mt_import_lose(self, self->has_more_clocks
                                 ? "only one phc2sys can be imported without a ptp4l"
                                 : "name ptp4l's file as well, whose clocks it takes");
        return;
    }
    self->has_more_clocks = true;
    if (is_machine(sink)) {
        mt_import_put(self, self->clock.file, MT_CONFIG_CLOCK, "clock", "system");
    } else {
        mt_linuxptp_put_card(self, self->clock.file, sink);
    }
    mt_import_put(self, self->clock.file, MT_CONFIG_CLOCK, "follow", "source");
    put_steering(self, program, self->clock.file);
    fprintf(self->sources.file, "\n# others steer it\n[clock source]\n");
    if (is_machine(source)) {
        mt_import_put(self, self->sources.file, MT_CONFIG_CLOCK, "clock", "system");
    } else {
        mt_linuxptp_put_card(self, self->sources.file, source);
    }
    mt_import_put(self, self->sources.file, MT_CONFIG_CLOCK, "estimates_only", "yes");
}

static void put_main(struct mt_import *self, const struct mt_linuxptp *ptp4l)
{
    FILE *out = self->clock.file;
    bool is_free = mt_linuxptp_is_on(global(ptp4l, "free_running", "0")) &&
                   strstr(global(ptp4l, "clock_type", "OC"), "_TC") == NULL;
    const char *device = global(ptp4l, "-p", NULL);
    if (gives_to_others(ptp4l) || (is_software(ptp4l) && is_free)) {
        mt_import_put(self, out, MT_CONFIG_CLOCK, "clock", "overlay");
    } else {
        mt_import_put(self, out, MT_CONFIG_CLOCK, "clock", is_software(ptp4l) ? "system" : "phc");
    }
    if (device != NULL && !is_software(ptp4l)) {
        mt_import_put(self, out, MT_CONFIG_CLOCK, "device", "%s", device);
    }
    if (is_free) {
        mt_import_put(self, out, MT_CONFIG_CLOCK, "estimates_only", "yes");
    }
    if (gives_to_others(ptp4l)) {
        put_export(self, ptp4l);
    }
}

/* chronyd's file has said what is done with the machine's clock. */
static void tell_of_one_clock(struct mt_import *self, const struct mt_linuxptp *program)
{
    mt_linuxptp_stand_at(self, program, NULL);
    mt_import_note(self,
                   "%s here: the machine's clock is steered by all sources together, and "
                   "stamps of cards are converted to it",
                   program->kind == MT_LINUXPTP_PHC2SYS ? "phc2sys: not needed"
                                                        : "hardware clocks: run free");
}

void mt_import_linuxptp_clocks(struct mt_import *self)
{
    const struct mt_linuxptp *ptp4l = first_of(self, MT_LINUXPTP_PTP4L);
    if (ptp4l != NULL && !self->is_of_chrony) {
        put_main(self, ptp4l);
    }
    for (unsigned p = 0; p < self->linuxptp->count; p++) {
        const struct mt_linuxptp *program = self->linuxptp->programs[p];
        if (program->kind != MT_LINUXPTP_PHC2SYS) {
            continue;
        }
        tell(self, program);
        if (self->is_of_chrony || (ptp4l != NULL && is_software(ptp4l))) {
            tell_of_one_clock(self, program);
        } else if (ptp4l != NULL) {
            follow_beside(self, program);
        } else {
            follow_alone(self, program);
        }
    }
}

/* A clock of a card that nobody takes to UTC shows what its transmitter sends. */
static bool needs_utc(const struct mt_import *self)
{
    const struct mt_linuxptp *ptp4l = first_of(self, MT_LINUXPTP_PTP4L);
    return self->is_of_chrony || first_of(self, MT_LINUXPTP_PHC2SYS) != NULL ||
           (ptp4l != NULL && is_software(ptp4l));
}

static void tell_of_too_many(struct mt_import *self)
{
    for (unsigned p = 0; p < self->linuxptp->count; p++) {
        const struct mt_linuxptp *program = self->linuxptp->programs[p];
        if (program->has_too_many) {
            mt_linuxptp_stand_at(self, program, NULL);
            mt_import_lose(self, "it has more than %d sections; those behind [%s] are left out",
                           MT_LINUXPTP_SECTIONS - 1,
                           program->sections[MT_LINUXPTP_SECTIONS - 2].name);
        }
    }
}

void mt_import_linuxptp_end(struct mt_import *self)
{
    const struct mt_linuxptp_set *set = self->linuxptp;
    unsigned instances = 0;
    for (unsigned p = 0; p < set->count; p++) {
        instances += set->programs[p]->kind == MT_LINUXPTP_PTP4L
                         ? mt_import_ptp4l_instances(set->programs[p])
                         : 0;
    }
    tell_of_too_many(self);
    self->needs_utc = needs_utc(self);
    mt_import_linuxptp_clocks(self);
    for (unsigned p = 0; p < set->count; p++) {
        if (set->programs[p]->kind == MT_LINUXPTP_PTP4L) {
            mt_import_ptp4l(self, set->programs[p], instances == 1);
        } else if (set->programs[p]->kind == MT_LINUXPTP_TS2PHC) {
            mt_import_ts2phc(self, set->programs[p], instances > 0);
        }
    }
    if (instances > 1 && !self->is_of_chrony) {
        mt_import_put(self, self->clock.file, MT_CONFIG_CLOCK, "arbiter", "always");
    }
}
