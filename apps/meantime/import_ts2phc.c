/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * ts2phc: pulses on the pins of cards, and who says which second they mean.  A receiver's sentences
 * with its pulse are a [gnss NAME]; pulses alone are a [refclock NAME], which needs another source
 * for the second.  Cards that one card gives pulses to follow that one here by
 * being read: no wire is needed. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "apps/meantime/import_linuxptp.h"
#include "config/config.h"

static const struct {
    const char *name;
    const char *needless; /* null: it is taken over */
} known[] = {
    {"-s", NULL},
    {"-c", NULL},
    {"ts2phc.channel", NULL},
    {"ts2phc.pin_index", NULL},
    {"ts2phc.extts_polarity", NULL},
    {"ts2phc.extts_correction", NULL},
    {"ts2phc.isSource", NULL},
    {"ts2phc.nmea_serialport", NULL},
    {"ts2phc.nmea_baudrate", NULL},
    {"ts2phc.nmea_remote_host", NULL},
    {"ts2phc.nmea_remote_port", NULL},
    {"ts2phc.tod_source", NULL},
    {"logging_level", NULL},
    {"use_syslog", NULL},
    {"verbose", NULL},
    {"message_tag", NULL},
    {"-a", "there is no ptp4l to ask"},
    {"ts2phc.pulsewidth", "each edge is judged by the second that it should be at"},
    {"ts2phc.nmea_delay", "how late sentences come is measured"},
    {"ts2phc.perout_phase", "no card gives pulses to another"},
    {"ts2phc.holdover", "a clock holds over as long as its bound allows"},
    {"leapfile", "leap-seconds.list of tzdata is read"},
    {"free_running", NULL},
    {"first_step_threshold", "step_at_start of [clock] says it"},
    {"step_threshold", "step_later of [clock] says it"},
    {"max_frequency", "max_rate of [clock] says it"},
    {"clock_servo", "the estimator tunes itself"},
};

bool mt_import_explain_ts2phc(const char *name, FILE *out)
{
    char text[300];
    size_t at = 0;
    while (at < sizeof known / sizeof known[0] && strcmp(known[at].name, name) != 0) {
        at++;
    }
    if (at == sizeof known / sizeof known[0] || name[0] == '-') {
        return false;
    }
    snprintf(text, sizeof text, "ts2phc calls this %s; %s%s", name,
             known[at].needless != NULL ? "not needed here: " : "meantime import takes it over: ",
             known[at].needless != NULL ? known[at].needless
                                        : "see [gnss NAME] and [refclock NAME]");
    fprintf(out, "%s\n", name);
    mt_config_print_wrapped(out, "    ", text);
    return true;
}

static void tell(struct mt_import *self, const struct mt_linuxptp *program)
{
    for (unsigned i = 0; i < program->setting_count; i++) {
        const struct mt_linuxptp_setting *setting = &program->settings[i];
        size_t at = 0;
        mt_linuxptp_stand_at(self, program, setting);
        while (at < sizeof known / sizeof known[0] && strcmp(known[at].name, setting->name) != 0) {
            at++;
        }
        if (at == sizeof known / sizeof known[0] && mt_ptp4l_has_alone(setting->name)) {
            mt_linuxptp_tell_passed_over(self, program);
        } else if (at == sizeof known / sizeof known[0]) {
            mt_import_lose(self, "%s %s: not known to this import", setting->name, setting->value);
        } else if (known[at].needless != NULL) {
            mt_import_note(self, "%s: not needed here: %s", setting->name, known[at].needless);
        }
    }
}

static const char *value_of(const struct mt_linuxptp *program, unsigned section, const char *name,
                            const char *otherwise)
{
    const char *value = mt_linuxptp_value(program, section, name);
    return value != NULL ? value : otherwise;
}

static bool is_source(const struct mt_linuxptp *program, unsigned section)
{
    return mt_linuxptp_is_on(value_of(program, section, "ts2phc.isSource", "0")) ||
           strcmp(program->sections[section].name, value_of(program, 0, "-s", "")) == 0;
}

/* A card of the command line has a section like the others. */
static void add_cards(struct mt_linuxptp *program)
{
    const char *source = value_of(program, 0, "-s", "generic");
    for (unsigned i = 0; i < program->setting_count; i++) {
        if (strcmp(program->settings[i].name, "-c") == 0) {
            mt_linuxptp_section(program, MT_LINUXPTP_IS_PORT, program->settings[i].value);
        }
    }
    if (strcmp(source, "generic") != 0 && strcmp(source, "nmea") != 0) {
        mt_linuxptp_section(program, MT_LINUXPTP_IS_PORT, source);
    }
}

/* ---- pulses ---------------------------------------------------------------------------------- */

static void put_unless(struct mt_import *self, enum mt_config_scope scope, const char *key,
                       const char *value, const char *usual)
{
    if (!mt_linuxptp_is_same(value, usual)) {
        mt_import_put(self, self->sources.file, scope, key, "%s", value);
    }
}

/* Both edges are stamped by some cards; the one at the second counts. */
static const char *edge_of(const struct mt_linuxptp *program, unsigned section)
{
    const char *edge = value_of(program, section, "ts2phc.extts_polarity", "rising");
    return strcasecmp(edge, "falling") == 0 ? "falling" : "rising";
}

static void put_lateness(struct mt_import *self, const struct mt_linuxptp *program,
                         unsigned section, enum mt_config_scope scope, const char *key)
{
    double late_ns = -strtod(value_of(program, section, "ts2phc.extts_correction", "0"), NULL);
    if (late_ns != 0) {
        mt_import_put(self, self->sources.file, scope, key, "%.12gns", late_ns);
    }
}

/* Pulses go to a card, whose clock may be that of a ptp4l. */
static void put_its_clock(struct mt_import *self, const struct mt_linuxptp *program,
                          unsigned section, enum mt_config_scope scope)
{
    const struct mt_linuxptp_clock *clock =
        mt_linuxptp_clock_at(self, program->sections[section].name);
    if (clock != NULL) {
        mt_linuxptp_put_clock_name(self, self->sources.file, scope, clock->name);
    }
}

static void put_receiver(struct mt_import *self, const struct mt_linuxptp *program,
                         unsigned section)
{
    const char *host = value_of(program, 0, "ts2phc.nmea_remote_host", "");
    fprintf(self->sources.file, "\n[gnss receiver]\n");
    if (host[0] != '\0') {
        mt_import_put(self, self->sources.file, MT_CONFIG_GNSS, "device", "tcp:%s:%s", host,
                      value_of(program, 0, "ts2phc.nmea_remote_port", "2947"));
    } else {
        mt_import_put(self, self->sources.file, MT_CONFIG_GNSS, "device", "%s",
                      value_of(program, 0, "ts2phc.nmea_serialport", "/dev/ttyS0"));
        put_unless(self, MT_CONFIG_GNSS, "baud",
                   value_of(program, 0, "ts2phc.nmea_baudrate", "9600"), "9600");
    }
    mt_import_put(self, self->sources.file, MT_CONFIG_GNSS, "pulse", "%s",
                  program->sections[section].name);
    put_unless(self, MT_CONFIG_GNSS, "pulse_pin",
               value_of(program, section, "ts2phc.pin_index", "0"), "");
    put_unless(self, MT_CONFIG_GNSS, "pulse_channel",
               value_of(program, section, "ts2phc.channel", "0"), "0");
    put_unless(self, MT_CONFIG_GNSS, "pulse_edge", edge_of(program, section), "rising");
    put_lateness(self, program, section, MT_CONFIG_GNSS, "cable_delay");
    put_its_clock(self, program, section, MT_CONFIG_GNSS);
}

static void put_pulses(struct mt_import *self, const struct mt_linuxptp *program, unsigned section)
{
    fprintf(self->sources.file, "\n[refclock pulses]\n");
    mt_import_put(self, self->sources.file, MT_CONFIG_REFCLOCK, "driver", "extts");
    mt_import_put(self, self->sources.file, MT_CONFIG_REFCLOCK, "device", "%s",
                  program->sections[section].name);
    put_unless(self, MT_CONFIG_REFCLOCK, "pin", value_of(program, section, "ts2phc.pin_index", "0"),
               "");
    put_unless(self, MT_CONFIG_REFCLOCK, "channel",
               value_of(program, section, "ts2phc.channel", "0"), "0");
    put_unless(self, MT_CONFIG_REFCLOCK, "edge", edge_of(program, section), "rising");
    put_lateness(self, program, section, MT_CONFIG_REFCLOCK, "offset");
    put_its_clock(self, program, section, MT_CONFIG_REFCLOCK);
    mt_import_put(self, self->sources.file, MT_CONFIG_REFCLOCK, "prefer", "yes");
}

/* ---- clocks ---------------------------------------------------------------------------------- */

/* The one that pulses come to, or that gives them; the others follow it. */
static void put_first(struct mt_import *self, const struct mt_linuxptp *program, unsigned section,
                      bool has_main)
{
    if (!has_main) {
        mt_linuxptp_put_card(self, self->clock.file, program->sections[section].name);
    }
    if (is_source(program, section)) {
        mt_linuxptp_stand_at(self, program, NULL);
        mt_import_note(self,
                       "%s gives no pulses here: the other cards are compared with it by "
                       "reading them, so the wires are not needed",
                       program->sections[section].name);
    } else if (strcmp(value_of(program, 0, "-s", "generic"), "nmea") == 0 ||
               mt_linuxptp_value(program, 0, "ts2phc.nmea_serialport") != NULL ||
               mt_linuxptp_value(program, 0, "ts2phc.nmea_remote_host") != NULL) {
        put_receiver(self, program, section);
    } else {
        put_pulses(self, program, section);
        mt_linuxptp_stand_at(self, program, NULL);
        mt_import_lose(self,
                       "pulses alone: the machine's clock, which others must keep, tells ts2phc "
                       "the second; here add [ntp SERVER], or [gnss NAME] for its receiver");
    }
}

static unsigned first_card(const struct mt_linuxptp *program)
{
    unsigned first = 0;
    for (unsigned i = program->section_count; i-- > 1;) {
        if (program->sections[i].kind == MT_LINUXPTP_IS_PORT) {
            first = first == 0 || !is_source(program, first) || is_source(program, i) ? i : first;
        }
    }
    return first;
}

void mt_import_ts2phc(struct mt_import *self, const struct mt_linuxptp *program, bool has_main)
{
    add_cards((struct mt_linuxptp *)program);
    tell(self, program);
    unsigned first = first_card(program);
    mt_linuxptp_stand_at(self, program, NULL);
    if (first == 0) {
        mt_import_lose(self, "it names no card: give it with -c, or as a section");
        return;
    }
    put_first(self, program, first, has_main);
    for (unsigned i = 1; i < program->section_count; i++) {
        if (i != first && program->sections[i].kind == MT_LINUXPTP_IS_PORT) {
            self->has_more_clocks = true;
            fprintf(self->sources.file, "\n[clock card%u]\n", ++self->cards);
            mt_linuxptp_put_card(self, self->sources.file, program->sections[i].name);
            mt_import_put(self, self->sources.file, MT_CONFIG_CLOCK, "follow", "main");
        }
    }
}
