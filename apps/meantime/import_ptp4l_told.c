/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What is said of a ptp4l.conf: options that are not needed here, those that have no equal, and
 * those that are taken over not quite as they were. */
#include <stdlib.h>
#include <string.h>

#include "apps/meantime/import_ptp4l_private.h"
#include "apps/meantime/tool.h"
#include "config/schema.h"

static const struct mt_linuxptp_told told[] = {
#define SET(name, normal, scope, key, how, words)
#define TOLD(name, normal, how, text) {name, normal, MT_LINUXPTP_##how, text},
#define OLD(old, name)
#include "apps/meantime/import_ptp4l.def"
#undef SET
#undef TOLD
#undef OLD
};
#define TOLD_COUNT (sizeof told / sizeof told[0])

const char *mt_ptp4l_normal_of_told(const char *name)
{
    const struct mt_linuxptp_told *found = mt_linuxptp_told_of(told, TOLD_COUNT, name);
    return found != NULL ? found->normal : NULL;
}

/* What steers a clock is told to each program. */
static bool is_of_clock(const char *name)
{
    static const char *const names[] = {"free_running", "max_frequency", "write_phase_mode"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(names[i], name) == 0) {
            return true;
        }
    }
    return strncmp(name, "pi_", 3) == 0 || strncmp(name, "servo_", 6) == 0;
}

bool mt_ptp4l_has_alone(const char *name)
{
    bool is_known = mt_linuxptp_told_of(told, TOLD_COUNT, name) != NULL || mt_ptp4l_is_taken(name);
    return is_known && !is_of_clock(name);
}

void mt_linuxptp_tell_passed_over(struct mt_import *self, const struct mt_linuxptp *program)
{
    const struct mt_linuxptp_set *set = self->linuxptp;
    for (unsigned p = 0; p < set->count; p++) {
        if (set->programs[p]->kind == MT_LINUXPTP_PTP4L) {
            return;
        }
    }
    mt_linuxptp_stand_at(self, program, NULL);
    mt_import_note(self, "settings of ptp4l are passed over; name its command line, too, to have "
                         "them taken over");
}

bool mt_import_explain(const char *name, FILE *out)
{
    static const char *const openings[] = {
        [MT_LINUXPTP_NEEDLESS] = "not needed here: ",
        [MT_LINUXPTP_LOST] = "it has no equal here: ",
        [MT_LINUXPTP_TAKEN] = "here it is ",
    };
    char text[400];
    const char *present = mt_linuxptp_present_name(name);
    const struct mt_linuxptp_told *found = mt_linuxptp_told_of(told, TOLD_COUNT, present);
    if (found == NULL) {
        return mt_ptp4l_explain_row(present, out) || mt_import_explain_ts2phc(present, out);
    }
    snprintf(text, sizeof text, "ptp4l calls this %s; %s%s", name, openings[found->how],
             found->text);
    fprintf(out, "%s\n", name);
    mt_config_print_wrapped(out, "    ", text);
    return true;
}

/* Nobody claims the table in which it stands. */
static bool is_idle(const struct mt_linuxptp *program, const struct mt_linuxptp_setting *setting)
{
    const struct mt_linuxptp_setting *number =
        mt_linuxptp_find(program, setting->section, "table_id");
    for (unsigned i = 0; number != NULL && i < program->setting_count; i++) {
        const struct mt_linuxptp_setting *claim = &program->settings[i];
        if (strcmp(claim->name, "unicast_master_table") == 0 &&
            mt_linuxptp_is_same(claim->value, number->value)) {
            return false;
        }
    }
    return true;
}

static void tell_table(struct mt_import *self, const struct mt_linuxptp *program,
                       const struct mt_linuxptp_setting *setting)
{
    static const char *const known[] = {"table_id", "UDPv4", "UDPv6", "L2"};
    if (is_idle(program, setting)) {
        if (strcmp(setting->name, "table_id") == 0) {
            mt_import_note(self, "table_id %s: no port uses this table, so nothing is lost",
                           setting->value);
        }
        return;
    }
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (strcmp(setting->name, known[i]) == 0) {
            return;
        }
    }
    if (strcmp(setting->name, "logQueryInterval") == 0) {
        mt_linuxptp_tell(self, mt_linuxptp_told_of(told, TOLD_COUNT, setting->name),
                         setting->value);
        return;
    }
    mt_import_lose(self, "%s: %s", setting->name,
                   strcmp(setting->name, "peer_address") == 0
                       ? "peer delay goes by multicast here"
                       : "not known in a unicast_master_table");
}

static void tell_text(struct mt_import *self, const struct mt_view *view,
                      const struct mt_linuxptp_setting *setting)
{
    const struct mt_linuxptp_told *found = mt_linuxptp_told_of(told, TOLD_COUNT, setting->name);
    bool is_same_dscp = strcmp(setting->name, "dscp_general") == 0 &&
                        mt_view_is(view, "dscp_event", setting->value);
    if (found == NULL) {
        mt_import_lose(self, "%s: not known to this import; `meantime explain` lists what there is",
                       setting->name);
    } else if (!is_same_dscp) {
        mt_linuxptp_tell(self, found, setting->value);
    }
}

static void tell_row(struct mt_import *self, const struct mt_view *view,
                     const struct mt_linuxptp_setting *setting)
{
    if (strcmp(setting->name, "step_threshold") == 0 && strtod(setting->value, NULL) == 0) {
        mt_import_note(self, "step_threshold: a later offset above 100 ms is stepped away here; "
                             "write step_later = never in [clock] to have it slewed");
    } else if (strcmp(setting->name, "unicast_req_duration") == 0 &&
               strtod(setting->value, NULL) > 1000) {
        mt_import_note(self, "unicast_req_duration: 1000 s are asked for at a time, at most");
    } else if (strcmp(setting->name, "inhibit_delay_req") == 0 &&
               mt_view_has(view, setting->name) && !mt_view_is(view, "delay_mechanism", "E2E")) {
        mt_import_note(self, "inhibit_delay_req: a port here measures its link all the same");
    } else if (strcmp(setting->name, "initial_delay") == 0 && mt_view_has(view, setting->name) &&
               !mt_view_is(view, "delay_mechanism", "P2P")) {
        mt_import_lose(self, "initial_delay: time is followed once the delay is measured");
    } else if (strcmp(setting->name, "userDescription") == 0 &&
               !mt_view_is(view, "userDescription", ";") &&
               mt_ptp4l_would_be_comment(setting->value)) {
        mt_import_lose(self,
                       "userDescription %s: in a file # and ; behind a blank begin a comment; give "
                       "it to the running daemon: meantime pmc SET USER_DESCRIPTION '%s'",
                       setting->value, setting->value);
    } else if (strcmp(setting->name, "clock_servo") == 0) {
        mt_linuxptp_tell_servo(self, setting->value);
    } else if (strcmp(setting->name, "time_stamping") == 0 &&
               mt_view_is(view, "time_stamping", "legacy")) {
        mt_import_note(self, "time_stamping legacy: drivers of that age are not served");
    }
}

void mt_ptp4l_tell(struct mt_import *self, const struct mt_linuxptp *program)
{
    for (unsigned i = 0; i < program->setting_count; i++) {
        const struct mt_linuxptp_setting *setting = &program->settings[i];
        const struct mt_view view = {self, program, setting->section};
        mt_linuxptp_stand_at(self, program, setting);
        if (program->sections[setting->section].kind == MT_LINUXPTP_IS_TABLE) {
            tell_table(self, program, setting);
        } else if (setting->name[0] == '-') { /* -p names the clock: import_phc2sys.c */
            continue;
        } else if (mt_ptp4l_is_taken(setting->name)) {
            tell_row(self, &view, setting);
        } else {
            tell_text(self, &view, setting);
        }
    }
}
