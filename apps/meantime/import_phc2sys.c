/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Clocks that follow others.  A ptp4l with hardware timestamps steers the clock of a card, and
 * phc2sys is what takes its time to the machine's clock, or the other way round: here that is
 * `follow` of a [clock].
 * A ptp4l with software timestamps steers the machine's clock itself.
 *
 * Where chronyd is imported as well the machine's clock is the only one: what chronyd was given
 * through shared memory is now a source of that clock, for stamps of cards are converted to it. */
#include "apps/meantime/import_linuxptp.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "config/config.h"

/* ---- what is configured ---------------------------------------------------------------------- */

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
    return mt_linuxptp_global(program, "-s", mt_linuxptp_global(program, "-i", ""));
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
        const char *servo = mt_linuxptp_global(program, "clock_servo", "pi");
        if (strcasecmp(driver, "SHM") == 0 && strcasecmp(servo, "ntpshm") == 0 &&
            atoi(which) == atoi(mt_linuxptp_global(program, "ntpshm_segment", "0"))) {
            return true;
        }
        if (strcasecmp(driver, "SOCK") == 0 && strcasecmp(servo, "refclock_sock") == 0 &&
            strcmp(which, mt_linuxptp_global(program, "refclock_sock_address",
                                             "/var/run/refclock.ptp.sock")) == 0) {
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

void mt_linuxptp_put_card(struct mt_import *self, FILE *out, const char *clock)
{
    char path[MT_LINUXPTP_PATH_SIZE];
    mt_import_put(self, out, MT_CONFIG_CLOCK, "clock", "phc");
    if (clock[0] == '/') {
        mt_import_put(self, out, MT_CONFIG_CLOCK, "device", "%s", clock);
        return;
    }
    if (!mt_linuxptp_find_device(clock, path)) {
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

static void tell_one(struct mt_import *self, const struct mt_linuxptp *program,
                     const struct mt_linuxptp_setting *setting)
{
    const struct mt_linuxptp_told *found =
        mt_linuxptp_told_of(told, sizeof told / sizeof told[0], setting->name);
    const char *normal = mt_ptp4l_normal_of(setting->name);
    if (normal != NULL && mt_linuxptp_is_same(setting->value, normal)) {
        return;
    }
    if (found != NULL) {
        mt_linuxptp_tell(self, found, setting->value);
    } else if (mt_ptp4l_has_alone(setting->name)) {
        mt_linuxptp_tell_passed_over(self, program);
    } else {
        mt_import_lose(self, "%s: not known to this import", setting->name);
    }
}

/* TAI - UTC is known; anything else would be a clock that is wrong on purpose. */
static void tell_offset(struct mt_import *self, const struct mt_linuxptp *program)
{
    const struct mt_linuxptp_setting *setting = mt_linuxptp_find(program, MT_LINUXPTP_GLOBAL, "-O");
    bool is_between_cards = count_of(program, "-a") == 0 && !is_machine(source_of(program)) &&
                            !is_machine(mt_linuxptp_global(program, "-c", "CLOCK_REALTIME"));
    double offset_s = setting != NULL ? strtod(setting->value, NULL) : 0;
    if (setting == NULL || (is_between_cards && offset_s == 0)) {
        return;
    }
    mt_linuxptp_stand_at(self, program, setting);
    if (!is_between_cards && (offset_s == 37 || offset_s == -37)) {
        mt_import_note(self, "-O %s: not needed here: TAI - UTC is known, and changes by itself",
                       setting->value);
    } else {
        mt_import_lose(self, "-O %s: %s", setting->value,
                       is_between_cards ? "all hardware clocks count TAI here"
                                        : "a hardware clock counts TAI here, the machine's clock "
                                          "UTC");
    }
}

/* Who writes what he would get anyway need not mean it. */
void mt_linuxptp_tell_servo(struct mt_import *self, const char *value)
{
    if (strcasecmp(value, "pi") == 0) {
        mt_import_note(self, "clock_servo pi: here the estimator steers, which tunes itself; for "
                             "linuxptp's default servo write servo = pi in [clock]");
    }
}

static void tell(struct mt_import *self, const struct mt_linuxptp *program)
{
    for (unsigned i = 0; i < program->setting_count; i++) {
        mt_linuxptp_stand_at(self, program, &program->settings[i]);
        tell_one(self, program, &program->settings[i]);
        if (strcmp(program->settings[i].name, "clock_servo") == 0) {
            mt_linuxptp_tell_servo(self, program->settings[i].value);
        }
    }
    tell_offset(self, program);
    if (count_of(program, "-d") > 0) {
        mt_linuxptp_stand_at(self, program, mt_linuxptp_find(program, 0, "-d"));
        mt_import_lose(self,
                       "-d %s: the clock of the card is read instead; for the pulse of a "
                       "receiver write [refclock NAME]",
                       mt_linuxptp_global(program, "-d", ""));
    }
}

/* ---- clocks ---------------------------------------------------------------------------------- */

static void put_steering(struct mt_import *self, const struct mt_linuxptp *program, FILE *out)
{
    static const char *const names[][2] = {{"first_step_threshold", "step_at_start"},
                                           {"step_threshold", "step_later"}};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const char *value = mt_linuxptp_global(program, names[i][0], NULL);
        char text[32] = "never";
        if (value == NULL || mt_linuxptp_is_same(value, i == 0 ? "0.00002" : "0")) {
            continue;
        }
        if (strtod(value, NULL) != 0) {
            mt_import_seconds(value, text, sizeof text);
        }
        mt_import_put(self, out, MT_CONFIG_CLOCK, names[i][1], "%s", text);
    }
    if (strcasecmp(mt_linuxptp_global(program, "clock_servo", "pi"), "linreg") == 0) {
        mt_import_put(self, out, MT_CONFIG_CLOCK, "servo", "linreg");
    }
}

static const char *machine_name(const struct mt_import *self)
{
    const struct mt_linuxptp_clock *machine = mt_linuxptp_machine(self);
    return machine != NULL ? machine->name : "machine";
}

/* `leader`: what it follows; null: somebody else looks after it. */
static void put_machine(struct mt_import *self, const struct mt_linuxptp *program,
                        const char *leader)
{
    FILE *out = self->sources.file;
    if (leader != NULL && mt_linuxptp_machine(self) != NULL) {
        mt_import_lose(self, "CLOCK_REALTIME: a ptp4l with software timestamps steers the "
                             "machine's clock already");
    }
    if (self->has_machine) {
        return;
    }
    self->has_machine = true;
    self->has_more_clocks = true;
    fprintf(out, "\n# in place of phc2sys\n[clock machine]\n");
    mt_import_put(self, out, MT_CONFIG_CLOCK, "clock", "system");
    if (leader == NULL) {
        mt_import_put(self, out, MT_CONFIG_CLOCK, "estimates_only", "yes");
        return;
    }
    mt_import_put(self, out, MT_CONFIG_CLOCK, "follow", "%s", leader);
    put_steering(self, program, out);
}

static void follow_automatically(struct mt_import *self, const struct mt_linuxptp *program,
                                 const struct mt_linuxptp_clock *leader)
{
    unsigned count = count_of(program, "-r");
    if (count == 0) {
        mt_import_note(self, "-a: not needed here: stamps of all cards are converted to the clock "
                             "that is steered");
        return;
    }
    if (count > 1) { /* whoever has a source leads */
        mt_import_put(self, leader->out, MT_CONFIG_CLOCK, "follow", "%s", machine_name(self));
    }
    put_machine(self, program, leader->name);
}

/* A card follows: that of another ptp4l, or one that none steers. */
static void follow_with_card(struct mt_import *self, const char *sink, const char *leader)
{
    const struct mt_linuxptp_clock *own = mt_linuxptp_clock_at(self, sink);
    if (own != NULL && strcmp(own->name, leader) != 0) {
        mt_import_put(self, own->out, MT_CONFIG_CLOCK, "follow", "%s", leader);
        return;
    }
    self->has_more_clocks = true;
    fprintf(self->sources.file, "\n# in place of phc2sys\n[clock card%u]\n", ++self->cards);
    mt_linuxptp_put_card(self, self->sources.file, sink);
    mt_import_put(self, self->sources.file, MT_CONFIG_CLOCK, "follow", "%s", leader);
}

static void follow_machine(struct mt_import *self, const struct mt_linuxptp *program,
                           const char *sink)
{
    const struct mt_linuxptp_set *set = self->linuxptp;
    if (set->clock_count == 1) { /* which other card should it be? */
        mt_import_put(self, set->clocks[0].out, MT_CONFIG_CLOCK, "follow", "%s",
                      machine_name(self));
    } else {
        follow_with_card(self, sink, machine_name(self));
    }
    put_machine(self, program, NULL);
}

/* -a asks a ptp4l by its socket. */
static const struct mt_linuxptp_clock *find_asked(const struct mt_import *self,
                                                  const struct mt_linuxptp *program)
{
    const struct mt_linuxptp_set *set = self->linuxptp;
    const char *asked = mt_linuxptp_global(program, "uds_address", "/var/run/ptp4l");
    const struct mt_linuxptp_clock *first = NULL;
    for (unsigned p = 0; p < set->count; p++) {
        const struct mt_linuxptp *ptp4l = set->programs[p];
        const struct mt_linuxptp_clock *clock = &set->clocks[ptp4l->clock];
        if (ptp4l->kind != MT_LINUXPTP_PTP4L || clock->kind == MT_LINUXPTP_MACHINE) {
            continue;
        }
        first = first == NULL ? clock : first;
        if (strcmp(mt_linuxptp_global(ptp4l, "uds_address", "/var/run/ptp4l"), asked) == 0) {
            return clock;
        }
    }
    return first;
}

/* Null: it is not that of a ptp4l.  Where there is one clock only, what it is called is no news. */
static const struct mt_linuxptp_clock *find_leader(const struct mt_import *self,
                                                   const struct mt_linuxptp *program)
{
    const struct mt_linuxptp_set *set = self->linuxptp;
    const struct mt_linuxptp_clock *leader = count_of(program, "-a") > 0 ? find_asked(self, program)
                                             : set->clock_count == 1
                                                 ? &set->clocks[0]
                                                 : mt_linuxptp_clock_at(self, source_of(program));
    return leader != NULL && leader->leader != NULL ? leader->leader : leader; /* no chains here */
}

/* Beside a ptp4l with hardware timestamps. */
static void follow_beside(struct mt_import *self, const struct mt_linuxptp *program)
{
    const char *source = source_of(program);
    const char *sink = mt_linuxptp_global(program, "-c", "CLOCK_REALTIME");
    const struct mt_linuxptp_clock *leader = find_leader(self, program);
    mt_linuxptp_stand_at(self, program, NULL);
    if (is_machine(source) && !mt_linuxptp_gives_to_others(program)) {
        follow_machine(self, program, sink);
    } else if (leader == NULL) {
        mt_import_lose(self, "%s: no ptp4l that is imported with it has this clock",
                       source[0] != '\0' ? source : "its source");
    } else if (mt_linuxptp_gives_to_others(program)) {
        mt_linuxptp_put_export(self, program, leader->name);
    } else if (count_of(program, "-a") > 0) {
        follow_automatically(self, program, leader);
    } else if (is_machine(sink)) {
        put_machine(self, program, leader->name);
    } else {
        struct mt_linuxptp_clock *own = mt_linuxptp_clock_at(self, sink);
        follow_with_card(self, sink, leader->name);
        if (own != NULL && own != leader) {
            own->leader = leader;
        }
    }
}

/* A phc2sys by itself: nothing speaks PTP. */
static void follow_alone(struct mt_import *self, const struct mt_linuxptp *program)
{
    const char *source = source_of(program);
    const char *sink = mt_linuxptp_global(program, "-c", "CLOCK_REALTIME");
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

/* Whether a ptp4l steers something else than the machine's clock. */
static bool has_other_clocks(const struct mt_import *self)
{
    const struct mt_linuxptp_set *set = self->linuxptp;
    for (unsigned p = 0; p < set->count; p++) {
        if (set->programs[p]->kind == MT_LINUXPTP_PTP4L &&
            !mt_linuxptp_is_software(set->programs[p])) {
            return true;
        }
    }
    return false;
}

void mt_import_linuxptp_clocks(struct mt_import *self)
{
    const struct mt_linuxptp *ptp4l = first_of(self, MT_LINUXPTP_PTP4L);
    mt_linuxptp_find_clocks(self);
    mt_linuxptp_put_clocks(self);
    for (unsigned p = 0; p < self->linuxptp->count; p++) {
        const struct mt_linuxptp *program = self->linuxptp->programs[p];
        if (program->kind != MT_LINUXPTP_PHC2SYS) {
            continue;
        }
        tell(self, program);
        if (self->is_of_chrony || (ptp4l != NULL && !has_other_clocks(self))) {
            tell_of_one_clock(self, program);
        } else if (ptp4l != NULL) {
            follow_beside(self, program);
        } else {
            follow_alone(self, program);
        }
    }
}

/* A clock of a card that nobody takes to UTC shows what its transmitter sends. */
static bool needs_utc(const struct mt_import *self, const struct mt_linuxptp *ptp4l)
{
    return self->is_of_chrony || first_of(self, MT_LINUXPTP_PHC2SYS) != NULL ||
           mt_linuxptp_is_software(ptp4l);
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
    mt_import_linuxptp_clocks(self);
    for (unsigned p = 0; p < set->count; p++) {
        if (set->programs[p]->kind == MT_LINUXPTP_PTP4L) {
            self->needs_utc = needs_utc(self, set->programs[p]);
            mt_import_ptp4l(self, set->programs[p], instances == 1);
        } else if (set->programs[p]->kind == MT_LINUXPTP_TS2PHC) {
            mt_import_ts2phc(self, set->programs[p], instances > 0);
        }
    }
    mt_linuxptp_join_clocks(self);
}
