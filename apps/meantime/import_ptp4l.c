/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * ptp4l becomes an instance and its ports.  Each option of import_ptp4l.def is turned into the
 * value of one of our keys, for the program as a whole and for each of its ports; what a port has
 * besides the whole stands in its section.  ptp4l's defaults are not carried over where they are
 * told by nobody: its users mean "as it is fit".
 *
 * A ptp4l that only receives may have many ports of which it follows one; here an instance that
 * only receives has one port, so it becomes an instance for each, and the arbiter chooses. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "apps/meantime/import_ptp4l_private.h"
#include "config/config.h"

#define VALUE_SIZE 8192

typedef bool turn(const struct mt_view *view, const char *value, char *buffer);

struct row {
    const char *name;
    const char *normal;
    enum mt_config_scope scope;
    const char *key;
    turn *how; /* null: by `words` */
    const char *words;
};

static bool put(char *buffer, const char *value)
{
    snprintf(buffer, VALUE_SIZE, "%s", value);
    return true;
}

/* ---- how values are turned ------------------------------------------------------------------- */

static bool turn_plain(const struct mt_view *view, const char *value, char *buffer)
{
    return put(buffer, value);
}

static bool turn_flag(const struct mt_view *view, const char *value, char *buffer)
{
    return put(buffer, mt_linuxptp_is_on(value) ? "yes" : "no");
}

static bool turn_inverse(const struct mt_view *view, const char *value, char *buffer)
{
    return put(buffer, mt_linuxptp_is_on(value) ? "no" : "yes");
}

static bool turn_ns(const struct mt_view *view, const char *value, char *buffer)
{
    char *end;
    double ns = strtod(value, &end);
    snprintf(buffer, VALUE_SIZE, "%.12gns", ns);
    return end != value && *end == '\0';
}

static bool turn_ppb(const struct mt_view *view, const char *value, char *buffer)
{
    long ppb = strtol(value, NULL, 0);
    return put(buffer, "auto") &&
           (ppb <= 0 || ppb > 100000000 || snprintf(buffer, VALUE_SIZE, "%ldppb", ppb) > 0);
}

static bool turn_seconds(const struct mt_view *view, const char *value, char *buffer)
{
    if (strtod(value, NULL) == 0) {
        return put(buffer, "never");
    }
    mt_import_seconds(value, buffer, VALUE_SIZE);
    return true;
}

/* "UDPv4=udp4 UDPv6=udp6" */
static bool turn_by_words(const char *words, const char *value, char *buffer)
{
    size_t length = strlen(value);
    for (const char *word = words; *word != '\0'; word += strspn(word, " ")) {
        size_t size = strcspn(word, " ");
        if (strncasecmp(word, value, length) == 0 && word[length] == '=') {
            snprintf(buffer, VALUE_SIZE, "%.*s", (int)(size - length - 1), word + length + 1);
            return true;
        }
        word += size;
    }
    return false;
}

static bool has_static_roles(const struct mt_view *view)
{
    return mt_view_is(view, "BMCA", "noop") ||
           mt_view_has(view, "externalPortConfigurationEnabled");
}

static bool take_receiver_only(const struct mt_view *view, const char *value, char *buffer)
{
    bool is_only = mt_view_has(view, "clientOnly") || !mt_view_has(view, "gmCapable");
    return put(buffer, is_only && !has_static_roles(view) ? "yes" : "no");
}

static bool take_transmitter_only(const struct mt_view *view, const char *value, char *buffer)
{
    return put(buffer, mt_view_has(view, "serverOnly") && !has_static_roles(view) ? "yes" : "no");
}

static bool take_role(const struct mt_view *view, const char *value, char *buffer)
{
    if (mt_view_has(view, "externalPortConfigurationEnabled")) {
        return turn_by_words("master=transmitter slave=receiver passive=passive =passive",
                             mt_view_value(view, "desiredState"), buffer);
    }
    if (!has_static_roles(view)) {
        return put(buffer, "auto");
    }
    return put(buffer, mt_view_has(view, "serverOnly")   ? "transmitter"
                       : mt_view_has(view, "clientOnly") ? "receiver"
                                                         : "passive");
}

static bool take_sdo_id(const struct mt_view *view, const char *value, char *buffer)
{
    long major = strtol(value, NULL, 0);
    snprintf(buffer, VALUE_SIZE, major == 0 ? "0" : "0x%lX00", (unsigned long)major);
    return major >= 0 && major <= 15;
}

bool mt_ptp4l_would_be_comment(const char *text)
{
    return text[strspn(text, " \t")] == '#' || text[strspn(text, " \t")] == ';' ||
           strstr(text, " #") != NULL || strstr(text, " ;") != NULL ||
           strstr(text, "\t#") != NULL || strstr(text, "\t;") != NULL;
}

static bool take_description(const struct mt_view *view, const char *value, char *buffer)
{
    return put(buffer, value[0] == '\0' || mt_ptp4l_would_be_comment(value) ? "none" : value);
}

static bool is_transparent(const struct mt_view *view)
{
    return mt_view_is(view, "clock_type", "E2E_TC") || mt_view_is(view, "clock_type", "P2P_TC");
}

static bool take_syntonise(const struct mt_view *view, const char *value, char *buffer)
{
    return put(buffer, is_transparent(view) && mt_view_has(view, "free_running") ? "ratio" : "yes");
}

/* Without requests nothing is measured; a port that measures by peer delay only answers then,
 * which costs us nothing to do better. */
static bool take_delay_mechanism(const struct mt_view *view, const char *value, char *buffer)
{
    bool is_silent = mt_view_has(view, "inhibit_delay_req") &&
                     mt_view_is(view, "delay_mechanism", "E2E") && !mt_view_has(view, "serverOnly");
    return is_silent ? put(buffer, "none")
                     : turn_by_words("E2E=e2e P2P=p2p Auto=auto COMMON_P2P=common_p2p NONE=none",
                                     mt_view_value(view, "delay_mechanism"), buffer);
}

static bool take_stored_delay(const struct mt_view *view, const char *value, char *buffer)
{
    return mt_view_is(view, "delay_mechanism", "P2P") && strtod(value, NULL) > 0
               ? turn_ns(view, value, buffer)
               : put(buffer, "none");
}

static bool take_when_asked(const struct mt_view *view, const char *value, char *buffer)
{
    return put(buffer, mt_view_has(view, "msg_interval_request") ? value : "none");
}

static bool take_operational_sync(const struct mt_view *view, const char *value, char *buffer)
{
    return take_when_asked(view, value, buffer);
}

static bool take_operational_pdelay(const struct mt_view *view, const char *value, char *buffer)
{
    bool is_p2p =
        mt_view_is(view, "delay_mechanism", "P2P") || mt_view_is(view, "delay_mechanism", "Auto");
    return take_when_asked(view, is_p2p ? value : "none", buffer);
}

static bool take_threshold(const struct mt_view *view, const char *value, char *buffer)
{
    return mt_view_has(view, "msg_interval_request") ? turn_ns(view, value, buffer)
                                                     : put(buffer, "0");
}

static bool take_one_step(const struct mt_view *view, const char *value, char *buffer)
{
    return put(buffer, !mt_view_has(view, "twoStepFlag") ||
                               mt_view_is(view, "time_stamping", "onestep") ||
                               mt_view_is(view, "time_stamping", "p2p1step")
                           ? "yes"
                           : "no");
}

static bool take_one_step_pdelay(const struct mt_view *view, const char *value, char *buffer)
{
    return put(buffer, mt_view_is(view, "time_stamping", "p2p1step") ? "yes" : "no");
}

/* Who negotiates sends Delay_Req by unicast anyway. */
static bool take_unicast(const struct mt_view *view, const char *value, char *buffer)
{
    bool negotiates =
        mt_view_has(view, "unicast_master_table") || mt_view_has(view, "unicast_listen");
    return put(buffer,
               mt_linuxptp_is_on(value) && !negotiates && mt_view_is(view, "delay_mechanism", "E2E")
                   ? "hybrid"
                   : "off");
}

static bool take_duration(const struct mt_view *view, const char *value, char *buffer)
{
    long duration_s = strtol(value, NULL, 0);
    duration_s = duration_s < 10 ? 10 : duration_s > 1000 ? 1000 : duration_s;
    return snprintf(buffer, VALUE_SIZE, "%ld", duration_s) > 0;
}

static void add_address(const struct mt_view *view, const struct mt_linuxptp_setting *setting,
                        char *buffer)
{
    size_t length = strlen(buffer);
    if (!mt_linuxptp_is_same(setting->name, mt_view_value(view, "network_transport"))) {
        mt_linuxptp_stand_at(view->import, view->program, setting);
        mt_import_lose(view->import, "%s %s: the port has network_transport %s", setting->name,
                       setting->value, mt_view_value(view, "network_transport"));
        return;
    }
    if (length + strlen(setting->value) + strlen(", ") >= VALUE_SIZE) {
        mt_linuxptp_stand_at(view->import, view->program, setting);
        mt_import_lose(view->import, "%s %s: no room for it in the table", setting->name,
                       setting->value);
        return;
    }
    snprintf(buffer + length, VALUE_SIZE - length, "%s%s", length > 0 ? ", " : "", setting->value);
}

/* The addresses of the table of that number. */
static bool take_table(const struct mt_view *view, const char *value, char *buffer)
{
    static const char *const kinds[] = {"UDPv4", "UDPv6", "L2"};
    const struct mt_linuxptp *program = view->program;
    buffer[0] = '\0';
    for (unsigned i = 0; mt_linuxptp_is_on(value) && i < program->setting_count; i++) {
        const struct mt_linuxptp_setting *setting = &program->settings[i];
        const struct mt_linuxptp_setting *number =
            mt_linuxptp_find(program, setting->section, "table_id");
        bool is_mine = program->sections[setting->section].kind == MT_LINUXPTP_IS_TABLE &&
                       number != NULL && mt_linuxptp_is_same(number->value, value);
        for (size_t kind = 0; is_mine && kind < sizeof kinds / sizeof kinds[0]; kind++) {
            if (strcmp(setting->name, kinds[kind]) == 0) {
                add_address(view, setting, buffer);
            }
        }
    }
    return buffer[0] != '\0' || put(buffer, "none");
}

/* ---- all options ----------------------------------------------------------------------------- */

#define PLAIN   turn_plain
#define FLAG    turn_flag
#define INVERSE turn_inverse
#define NS      turn_ns
#define PPB     turn_ppb
#define SECONDS turn_seconds
#define WORDS   NULL

static const struct row rows[] = {
#define SET(name, normal, scope, key, how, words)                                                  \
    {name, normal, MT_CONFIG_##scope, key, how, words},
#define TOLD(name, normal, how, text)
#define OLD(old, name)
#include "apps/meantime/import_ptp4l.def"
#undef SET
#undef TOLD
#undef OLD
};
#define ROW_COUNT (sizeof rows / sizeof rows[0])

bool mt_ptp4l_is_taken(const char *name)
{
    for (size_t i = 0; i < ROW_COUNT; i++) {
        if (strcmp(rows[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

bool mt_ptp4l_explain_row(const char *name, FILE *out)
{
    for (size_t i = 0; i < ROW_COUNT; i++) {
        if (strcmp(rows[i].name, name) == 0) {
            fprintf(out, "%s\n    ptp4l calls this %s; meantime import makes %s of it\n\n", name,
                    name, rows[i].key);
            return mt_config_explain(rows[i].key, out);
        }
    }
    return false;
}

const char *mt_ptp4l_normal_of(const char *name)
{
    for (size_t i = 0; i < ROW_COUNT; i++) {
        if (strcmp(rows[i].name, name) == 0) {
            return rows[i].normal;
        }
    }
    return mt_ptp4l_normal_of_told(name);
}

const char *mt_view_value(const struct mt_view *view, const char *name)
{
    const char *value = mt_linuxptp_value(view->program, view->section, name);
    return value != NULL ? value : mt_ptp4l_normal_of(name);
}

bool mt_view_has(const struct mt_view *view, const char *name)
{
    return mt_linuxptp_is_on(mt_view_value(view, name));
}

bool mt_view_is(const struct mt_view *view, const char *name, const char *value)
{
    return mt_linuxptp_is_same(mt_view_value(view, name), value);
}

/* Which line of the file to blame. */
static const struct mt_linuxptp_setting *setting_of(const struct mt_view *view, const char *name)
{
    const struct mt_linuxptp_setting *own = mt_linuxptp_find(view->program, view->section, name);
    return own != NULL ? own : mt_linuxptp_find(view->program, MT_LINUXPTP_GLOBAL, name);
}

static bool turned(const struct row *row, const struct mt_view *view, char *buffer)
{
    const char *value = mt_view_value(view, row->name);
    return row->how != NULL ? row->how(view, value, buffer)
                            : turn_by_words(row->words, value, buffer);
}

/* Several options may make one key: the first of them writes it. */
static bool is_written(const struct row *row)
{
    for (const struct row *other = rows; other < row; other++) {
        if (other->scope == row->scope && strcmp(other->key, row->key) == 0) {
            return true;
        }
    }
    return false;
}

static void put_if_other(const struct row *row, const struct mt_view *view, const char *usual,
                         FILE *out)
{
    char value[VALUE_SIZE];
    if (!turned(row, view, value)) {
        mt_linuxptp_stand_at(view->import, view->program, setting_of(view, row->name));
        mt_import_lose(view->import, "%s %s: not a value that is known to this import", row->name,
                       mt_view_value(view, row->name));
    } else if (!mt_linuxptp_is_same(value, usual)) {
        const char *name = row->key;
        mt_linuxptp_stand_at(view->import, view->program, setting_of(view, row->name));
        mt_import_put(view->import, out, row->scope, name, "%s", value);
    }
}

/* Nobody has said anything, and nothing but it counts. */
static bool is_left_alone(const struct row *row, const struct mt_view *view)
{
    turn *const simple[] = {PLAIN, FLAG, INVERSE, NS, PPB, SECONDS, WORDS, take_duration};
    for (size_t i = 0; i < sizeof simple / sizeof simple[0]; i++) {
        if (row->how == simple[i]) {
            return mt_linuxptp_is_same(mt_view_value(view, row->name), row->normal);
        }
    }
    return false;
}

/* What the program as a whole has that our defaults have not. */
static void put_whole(struct mt_import *self, const struct mt_linuxptp *program,
                      enum mt_config_scope scope, FILE *out)
{
    const struct mt_view view = {self, program, MT_LINUXPTP_GLOBAL};
    for (const struct row *row = rows; row < rows + ROW_COUNT; row++) {
        if (row->scope != scope || is_written(row) || is_left_alone(row, &view)) {
            continue;
        }
        const struct mt_config_key *key = mt_config_key_find(scope, row->key);
        put_if_other(row, &view, key != NULL ? key->fallback : "", out);
    }
}

/* What a port has that the whole has not. */
static void put_port(struct mt_import *self, const struct mt_linuxptp *program, unsigned section,
                     FILE *out)
{
    const struct mt_view whole = {self, program, MT_LINUXPTP_GLOBAL};
    const struct mt_view own = {self, program, section};
    char usual[VALUE_SIZE];
    for (const struct row *row = rows; row < rows + ROW_COUNT; row++) {
        if (row->scope == MT_CONFIG_PORT && !is_written(row) && turned(row, &whole, usual)) {
            put_if_other(row, &own, usual, out);
        }
    }
    if (!mt_view_is(&own, "G.8275.portDS.localPriority", "128")) {
        mt_import_put(self, out, MT_CONFIG_PORT, "local_priority", "%s",
                      mt_view_value(&own, "G.8275.portDS.localPriority"));
    }
}

/* ---- sections -------------------------------------------------------------------------------- */

static unsigned port_count(const struct mt_linuxptp *program)
{
    unsigned count = 0;
    for (unsigned i = 1; i < program->section_count; i++) {
        count += program->sections[i].kind == MT_LINUXPTP_IS_PORT;
    }
    return count;
}

static bool is_split(const struct mt_linuxptp *program)
{
    const struct mt_view view = {NULL, program, MT_LINUXPTP_GLOBAL};
    char value[VALUE_SIZE];
    return port_count(program) > 1 && take_receiver_only(&view, "", value) &&
           strcmp(value, "yes") == 0;
}

unsigned mt_import_ptp4l_instances(const struct mt_linuxptp *program)
{
    return is_split(program) ? port_count(program) : 1;
}

bool mt_import_ptp4l_has_port(const struct mt_linuxptp *program, const char *interface)
{
    for (unsigned i = 1; i < program->section_count; i++) {
        if (program->sections[i].kind == MT_LINUXPTP_IS_PORT &&
            strcmp(program->sections[i].name, interface) == 0) {
            return true;
        }
    }
    return false;
}

/* What timemaster says of a domain. */
static void put_choice(struct mt_import *self, const struct mt_linuxptp *program, FILE *out)
{
    static const char *const words[][3] = {{"prefer", "prefer", "yes"},
                                           {"trust", "trust", "yes"},
                                           {"require", "require", "yes"},
                                           {"noselect", "select", "no"}};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (mt_linuxptp_find(program, MT_LINUXPTP_GLOBAL, words[i][0]) != NULL) {
            mt_import_put(self, out, MT_CONFIG_INSTANCE, words[i][1], "%s", words[i][2]);
        }
    }
}

/* The name says more than ten keys do. */
static void suggest_profile(const struct mt_view *view, FILE *out)
{
    bool is_itu = !mt_view_is(view, "dataset_comparison", "ieee1588");
    bool is_l2 = mt_view_is(view, "network_transport", "L2");
    const char *name = mt_view_has(view, "follow_up_info") && mt_view_is(view, "BMCA", "noop")
                           ? "automotive"
                       : mt_view_has(view, "follow_up_info") ? "802.1as"
                       : is_itu && is_l2                     ? "g8275.1"
                       : is_itu                              ? "g8275.2"
                                                             : NULL;
    if (name != NULL) {
        fprintf(out, "# profile = %s sets most of this, and refuses what it does not allow\n",
                name);
    }
}

/* Its clock counts UTC unless it says otherwise, and takes others for the same. */
static void put_instance_keys(struct mt_import *self, const struct mt_linuxptp *program, FILE *out)
{
    suggest_profile(&(struct mt_view){self, program, MT_LINUXPTP_GLOBAL}, out);
    mt_linuxptp_put_clock_name(self, out, MT_CONFIG_INSTANCE,
                               self->linuxptp->clocks[program->clock].name);
    put_whole(self, program, MT_CONFIG_INSTANCE, out);
    if (self->needs_utc) {
        mt_import_put(self, out, MT_CONFIG_INSTANCE, "arb_timescale", "utc");
    }
    put_choice(self, program, out);
    put_whole(self, program, MT_CONFIG_PORT, out);
}

static void put_only(struct mt_import *self, const struct mt_linuxptp *program)
{
    put_instance_keys(self, program, self->ptp.file);
    for (unsigned i = 1; i < program->section_count; i++) {
        if (program->sections[i].kind == MT_LINUXPTP_IS_PORT) {
            fprintf(self->sources.file, "\n[ptp %s]\n", program->sections[i].name);
            put_port(self, program, i, self->sources.file);
        }
    }
}

static void put_port_of(struct mt_import *self, const struct mt_linuxptp *program, unsigned section,
                        const char *instance)
{
    const char *interface = program->sections[section].name;
    fprintf(self->sources.file, "\n[port %.15s-%.14s]\n", instance, interface);
    mt_import_put(self, self->sources.file, MT_CONFIG_OWN_PORT, "interface", "%s", interface);
    mt_import_put(self, self->sources.file, MT_CONFIG_OWN_PORT, "instance", "%s", instance);
    put_port(self, program, section, self->sources.file);
}

static void put_among_others(struct mt_import *self, const struct mt_linuxptp *program)
{
    bool has_instance = false;
    char name[MT_CONFIG_NAME_MAX + 1];
    for (unsigned i = 1; i < program->section_count; i++) {
        if (program->sections[i].kind != MT_LINUXPTP_IS_PORT) {
            continue;
        }
        if (!has_instance || is_split(program)) {
            snprintf(name, sizeof name, "ptp%u", ++self->instances);
            fprintf(self->sources.file, "\n[instance %s]\n", name);
            put_instance_keys(self, program, self->sources.file);
            has_instance = true;
        }
        put_port_of(self, program, i, name);
    }
}

void mt_import_ptp4l(struct mt_import *self, const struct mt_linuxptp *program, bool is_only)
{
    const struct mt_linuxptp_clock *clock = &self->linuxptp->clocks[program->clock];
    mt_ptp4l_tell(self, program);
    put_whole(self, program, MT_CONFIG_DAEMON, self->daemon.file);
    if (port_count(program) == 0) {
        mt_linuxptp_stand_at(self, program, NULL);
        mt_import_note(self, "it names no interface, which ptp4l is given by -i: eth0 is written");
        fprintf(self->sources.file, "\n# of this machine: change it\n[ptp eth0]\n%s",
                is_transparent(&(struct mt_view){self, program, MT_LINUXPTP_GLOBAL})
                    ? "[ptp eth1]\n"
                    : "");
        put_instance_keys(self, program, self->ptp.file);
    } else if (is_only) {
        put_only(self, program);
    } else {
        put_among_others(self, program);
    }
    if (!self->is_of_chrony && clock->owner == program) {
        put_whole(self, program, MT_CONFIG_CLOCK, clock->out);
    }
}
