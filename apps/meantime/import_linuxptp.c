/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Files and command lines of linuxptp's programs, read into lists of settings.  All of them share
 * one form: sections in brackets, in them lines of a name and a value; each name may stand on the
 * command line as a long option too, where it goes before the [global] section.  The letters of
 * their short options differ; those that stand for a name become that name here, and the others
 * stay what they are, "-s".
 */
#include "apps/meantime/import_linuxptp.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "apps/meantime/tool.h"

/* ---- lists of settings ----------------------------------------------------------------------- */

struct mt_linuxptp *mt_linuxptp_add(struct mt_import *self, enum mt_linuxptp_kind kind,
                                    const char *path)
{
    struct mt_linuxptp_set *set = self->linuxptp;
    struct mt_linuxptp *program = NULL;
    if (set == NULL) {
        set = self->linuxptp = calloc(1, sizeof *set);
    }
    if (set != NULL && set->count < MT_LINUXPTP_PROGRAMS) {
        program = calloc(1, sizeof *program);
    }
    if (program == NULL) {
        mt_tool_fail("%s: no room for more programs of linuxptp", path);
        return NULL;
    }
    program->kind = kind;
    program->path = path;
    program->section_count = 1; /* [global] */
    set->programs[set->count++] = program;
    return program;
}

bool mt_import_has_programs(const struct mt_import *self)
{
    const struct mt_linuxptp_set *set = self->linuxptp;
    for (unsigned p = 0; set != NULL && p < set->count; p++) {
        if (set->programs[p]->kind != MT_LINUXPTP_COMMON) {
            return true;
        }
    }
    return false;
}

void mt_import_linuxptp_free(struct mt_import *self)
{
    struct mt_linuxptp_set *set = self->linuxptp;
    for (unsigned p = 0; set != NULL && p < set->count; p++) {
        struct mt_linuxptp *program = set->programs[p];
        for (unsigned i = 0; i < program->setting_count; i++) {
            free(program->settings[i].name);
            free(program->settings[i].value);
        }
        free(program);
    }
    for (unsigned i = 0; set != NULL && i < set->text_count; i++) {
        free(set->texts[i]);
    }
    free(set);
    self->linuxptp = NULL;
}

unsigned mt_linuxptp_section(struct mt_linuxptp *program, enum mt_linuxptp_section_kind kind,
                             const char *name)
{
    for (unsigned i = 1; kind != MT_LINUXPTP_IS_TABLE && i < program->section_count; i++) {
        if (program->sections[i].kind == kind && strcmp(program->sections[i].name, name) == 0) {
            return i;
        }
    }
    if (program->section_count == MT_LINUXPTP_SECTIONS) {
        return MT_LINUXPTP_SECTIONS - 1;
    }
    struct mt_linuxptp_section *section = &program->sections[program->section_count];
    program->has_too_many = program->section_count == MT_LINUXPTP_SECTIONS - 1;
    section->kind = program->has_too_many ? MT_LINUXPTP_IS_OTHER : kind;
    snprintf(section->name, sizeof section->name, "%s", name);
    return program->section_count++;
}

/* Each table is a section of its own, with one line for each address. */
static bool may_repeat(const struct mt_linuxptp *program, unsigned section)
{
    return program->sections[section].kind == MT_LINUXPTP_IS_TABLE;
}

static struct mt_linuxptp_setting *settings_place(struct mt_linuxptp *program, unsigned section,
                                                  const char *name)
{
    struct mt_linuxptp_setting *found = NULL;
    if (!may_repeat(program, section) && name[0] != '-') {
        found = (struct mt_linuxptp_setting *)mt_linuxptp_find(program, section, name);
    }
    if (found == NULL && program->setting_count < MT_LINUXPTP_SETTINGS) {
        found = &program->settings[program->setting_count++];
    }
    return found;
}

void mt_linuxptp_set(struct mt_import *self, struct mt_linuxptp *program, unsigned section,
                     const char *name, const char *value)
{
    struct mt_linuxptp_setting *place = settings_place(program, section, name);
    if (place == NULL) {
        mt_import_lose(self, "%s: too many settings", name);
        return;
    }
    if (place->name != NULL && place->is_locked && program->is_in_file) {
        mt_import_note(self, "%s: the command line says %s, and goes before", name, place->value);
        return;
    }
    free(place->name);
    free(place->value);
    *place = (struct mt_linuxptp_setting){
        .name = strdup(name),
        .value = strdup(value),
        .path = self->path,
        .line = self->line,
        .section = section,
        .is_locked = !program->is_in_file,
    };
}

const struct mt_linuxptp_setting *mt_linuxptp_find(const struct mt_linuxptp *program,
                                                   unsigned section, const char *name)
{
    for (unsigned i = 0; i < program->setting_count; i++) {
        const struct mt_linuxptp_setting *setting = &program->settings[i];
        if (setting->section == section && strcmp(setting->name, name) == 0) {
            return setting;
        }
    }
    return NULL;
}

const char *mt_linuxptp_value(const struct mt_linuxptp *program, unsigned section, const char *name)
{
    const struct mt_linuxptp_setting *setting = mt_linuxptp_find(program, section, name);
    if (setting == NULL) {
        setting = mt_linuxptp_find(program, MT_LINUXPTP_GLOBAL, name);
    }
    return setting != NULL ? setting->value : NULL;
}

void mt_linuxptp_stand_at(struct mt_import *self, const struct mt_linuxptp *program,
                          const struct mt_linuxptp_setting *setting)
{
    self->path = setting != NULL ? setting->path : program->path;
    self->line = setting != NULL ? setting->line : 0;
}

bool mt_linuxptp_is_same(const char *one, const char *other)
{
    char *end_of_one;
    char *end_of_other;
    double first = strtod(one, &end_of_one);
    double second = strtod(other, &end_of_other);
    bool are_numbers =
        end_of_one != one && *end_of_one == '\0' && end_of_other != other && *end_of_other == '\0';
    return are_numbers ? first == second : strcasecmp(one, other) == 0;
}

bool mt_linuxptp_is_on(const char *value)
{
    return value != NULL && !mt_linuxptp_is_same(value, "0");
}

const struct mt_linuxptp_told *mt_linuxptp_told_of(const struct mt_linuxptp_told *told,
                                                   size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(told[i].name, name) == 0) {
            return &told[i];
        }
    }
    return NULL;
}

void mt_linuxptp_tell(struct mt_import *self, const struct mt_linuxptp_told *told,
                      const char *value)
{
    bool is_usual = told->normal != NULL && mt_linuxptp_is_same(value, told->normal);
    if (told->how == MT_LINUXPTP_NEEDLESS && !is_usual) {
        mt_import_note(self, "%s: not needed here: %s", told->name, told->text);
    } else if (told->how == MT_LINUXPTP_LOST && !is_usual) {
        mt_import_lose(self, "%s %s: %s", told->name, value, told->text);
    }
}

/* ---- files ----------------------------------------------------------------------------------- */

char *mt_linuxptp_trimmed(char *text)
{
    text += strspn(text, " \t");
    size_t length = strlen(text);
    while (length > 0 && isspace((unsigned char)text[length - 1])) {
        text[--length] = '\0';
    }
    return text;
}

static unsigned begin_section(struct mt_linuxptp *program, char *heading)
{
    char *end = strchr(heading, ']');
    if (end != NULL) {
        *end = '\0';
    }
    char *name = mt_linuxptp_trimmed(heading + 1);
    if (strcmp(name, "global") == 0) {
        return MT_LINUXPTP_GLOBAL;
    }
    if (strcmp(name, "unicast_master_table") == 0) {
        return mt_linuxptp_section(program, MT_LINUXPTP_IS_TABLE, "");
    }
    if (strcmp(name, "nmea") == 0 || name[0] == '<' || name[0] == '{') {
        return mt_linuxptp_section(program, MT_LINUXPTP_IS_OTHER, name);
    }
    return mt_linuxptp_section(program, MT_LINUXPTP_IS_PORT, name);
}

const char *mt_linuxptp_present_name(const char *name)
{
    static const char *const names[][2] = {
#define SET(name, normal, scope, key, how, words)
#define TOLD(name, normal, how, text)
#define OLD(old, name) {old, name},
#include "apps/meantime/import_ptp4l.def"
#undef SET
#undef TOLD
#undef OLD
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(name, names[i][0]) == 0) {
            return names[i][1];
        }
    }
    return name;
}

void mt_linuxptp_take_line(struct mt_import *self, struct mt_linuxptp *program, char *line,
                           unsigned *section)
{
    char *text = mt_linuxptp_trimmed(line);
    if (text[0] == '\0' || text[0] == '#') {
        return;
    }
    if (text[0] == '[') {
        *section = begin_section(program, text);
        return;
    }
    size_t length = strcspn(text, " \t");
    char *value = text + length;
    if (*value != '\0') {
        *value++ = '\0';
        value = mt_linuxptp_trimmed(value);
    }
    mt_linuxptp_set(self, program, *section, mt_linuxptp_present_name(text), value);
}

/* Lives as long as the settings that were read there. */
static const char *kept(struct mt_import *self, const char *path)
{
    struct mt_linuxptp_set *set = self->linuxptp;
    if (set->text_count == MT_LINUXPTP_PROGRAMS) {
        return "a file";
    }
    return set->texts[set->text_count++] = strdup(path);
}

bool mt_linuxptp_read(struct mt_import *self, struct mt_linuxptp *program, const char *path)
{
    char line[MT_IMPORT_LINE];
    unsigned section = MT_LINUXPTP_GLOBAL;
    FILE *file = mt_import_open(path);
    if (file == NULL) {
        return false;
    }
    self->path = kept(self, path);
    self->line = 0;
    program->is_in_file = true;
    while (mt_import_line(self, file, line)) {
        mt_linuxptp_take_line(self, program, line, &section);
    }
    program->is_in_file = false;
    fclose(file);
    return true;
}

/* ---- command lines --------------------------------------------------------------------------- */

static const char *const program_names[MT_LINUXPTP_KINDS] = {"ptp4l", "phc2sys", "ts2phc"};

static int kind_of(const char *word)
{
    const char *slash = strrchr(word, '/');
    const char *name = slash != NULL ? slash + 1 : word;
    for (int kind = 0; kind < MT_LINUXPTP_KINDS; kind++) {
        if (strcmp(name, program_names[kind]) == 0) {
            return kind;
        }
    }
    return -1;
}

bool mt_import_is_command(const char *word)
{
    return kind_of(word) >= 0;
}

/* Letters that take a value, those that do not, and those that have a name. */
static const char *const with_value[MT_LINUXPTP_KINDS] = {"fiplt", "cdfsEPISFRNOLMiunzlt", "cfslt"};
static const char *const without_value[MT_LINUXPTP_KINDS] = {"AEP246HSLsmqvh", "arwxmqvh", "amqvh"};

static const struct {
    enum mt_linuxptp_kind kind;
    char letter;
    const char *name;
    const char *value; /* null: what follows it */
} letters[] = {
    {MT_LINUXPTP_PTP4L, 'A', "delay_mechanism", "Auto"},
    {MT_LINUXPTP_PTP4L, 'E', "delay_mechanism", "E2E"},
    {MT_LINUXPTP_PTP4L, 'P', "delay_mechanism", "P2P"},
    {MT_LINUXPTP_PTP4L, '2', "network_transport", "L2"},
    {MT_LINUXPTP_PTP4L, '4', "network_transport", "UDPv4"},
    {MT_LINUXPTP_PTP4L, '6', "network_transport", "UDPv6"},
    {MT_LINUXPTP_PTP4L, 'H', "time_stamping", "hardware"},
    {MT_LINUXPTP_PTP4L, 'S', "time_stamping", "software"},
    {MT_LINUXPTP_PTP4L, 'L', "time_stamping", "legacy"},
    {MT_LINUXPTP_PTP4L, 's', "clientOnly", "1"},
    {MT_LINUXPTP_PTP4L, 'l', "logging_level", NULL},
    {MT_LINUXPTP_PHC2SYS, 'l', "logging_level", NULL},
    {MT_LINUXPTP_TS2PHC, 'l', "logging_level", NULL},
    {MT_LINUXPTP_PHC2SYS, 'E', "clock_servo", NULL},
    {MT_LINUXPTP_PHC2SYS, 'P', "pi_proportional_const", NULL},
    {MT_LINUXPTP_PHC2SYS, 'I', "pi_integral_const", NULL},
    {MT_LINUXPTP_PHC2SYS, 'S', "step_threshold", NULL},
    {MT_LINUXPTP_PHC2SYS, 'F', "first_step_threshold", NULL},
    {MT_LINUXPTP_PHC2SYS, 'L', "sanity_freq_limit", NULL},
    {MT_LINUXPTP_PHC2SYS, 'M', "ntpshm_segment", NULL},
    {MT_LINUXPTP_PHC2SYS, 'n', "domainNumber", NULL},
    {MT_LINUXPTP_PHC2SYS, 'x', "kernel_leap", "0"},
    {MT_LINUXPTP_PHC2SYS, 'z', "uds_address", NULL},
};

static bool read_named_file(struct mt_import *self, struct mt_linuxptp *program, const char *path)
{
    const char *old_path = self->path;
    unsigned old_line = self->line;
    bool is_read = mt_linuxptp_read(self, program, path);
    self->path = old_path;
    self->line = old_line;
    return is_read;
}

static bool take_letter(struct mt_import *self, struct mt_linuxptp *program, char letter,
                        const char *value)
{
    char option[] = {'-', letter, '\0'};
    if (strchr("mqvht", letter) != NULL) { /* of its messages */
        return true;
    }
    if (letter == 'f') {
        return read_named_file(self, program, value);
    }
    if (program->kind == MT_LINUXPTP_PTP4L && letter == 'i') {
        mt_linuxptp_section(program, MT_LINUXPTP_IS_PORT, value);
        return true;
    }
    for (size_t i = 0; i < sizeof letters / sizeof letters[0]; i++) {
        if (letters[i].kind == program->kind && letters[i].letter == letter) {
            mt_linuxptp_set(self, program, MT_LINUXPTP_GLOBAL, letters[i].name,
                            letters[i].value != NULL ? letters[i].value : value);
            return true;
        }
    }
    mt_linuxptp_set(self, program, MT_LINUXPTP_GLOBAL, option, value);
    return true;
}

struct words {
    const char *const *word;
    size_t count;
    size_t at;
};

static const char *next_word(struct words *words)
{
    return words->at < words->count ? words->word[words->at++] : NULL;
}

static bool take_long(struct mt_import *self, struct mt_linuxptp *program, const char *option,
                      struct words *words)
{
    char name[64];
    const char *equals = strchr(option, '=');
    int length = equals != NULL ? (int)(equals - option) : (int)strlen(option);
    const char *value = equals != NULL ? equals + 1 : next_word(words);
    snprintf(name, sizeof name, "%.*s", length, option);
    if (value == NULL) {
        mt_import_lose(self, "--%s: something is missing behind it", name);
        return true;
    }
    mt_linuxptp_set(self, program, MT_LINUXPTP_GLOBAL, mt_linuxptp_present_name(name), value);
    return true;
}

/* Letters may stand together, the last one with its value: -2smi eth0. */
static bool take_short(struct mt_import *self, struct mt_linuxptp *program, const char *option,
                       struct words *words)
{
    for (; *option != '\0'; option++) {
        if (strchr(with_value[program->kind], *option) != NULL) {
            const char *value = option[1] != '\0' ? option + 1 : next_word(words);
            if (value != NULL) {
                return take_letter(self, program, *option, value);
            }
            mt_import_lose(self, "-%c: something is missing behind it", *option);
            return true;
        }
        if (strchr(without_value[program->kind], *option) == NULL) {
            mt_import_lose(self, "-%c: %s has no such option", *option,
                           program_names[program->kind]);
        } else if (!take_letter(self, program, *option, "")) {
            return false;
        }
    }
    return true;
}

bool mt_import_command(struct mt_import *self, const char *const *arguments, size_t count)
{
    struct words words = {arguments, count, 1};
    int kind = kind_of(arguments[0]);
    if (self->line == 0) { /* else it stands in a file */
        self->path = program_names[kind];
    }
    struct mt_linuxptp *program = mt_linuxptp_add(self, (enum mt_linuxptp_kind)kind, self->path);
    bool is_good = program != NULL;
    while (is_good && words.at < words.count) {
        const char *word = next_word(&words);
        if (strncmp(word, "--", 2) == 0) {
            is_good = take_long(self, program, word + 2, &words);
        } else if (word[0] == '-' && word[1] != '\0') {
            is_good = take_short(self, program, word + 1, &words);
        } else if (word[0] == '$') {
            mt_import_lose(self, "%s: write what it stands for", word);
        } else {
            mt_import_lose(self, "%s: not an option", word);
        }
    }
    return is_good;
}

/* Words with their quotes taken off. */
static size_t split_words(char *text, const char **words, size_t most)
{
    size_t count = 0;
    char *to = text;
    for (char *from = text; count < most;) {
        from += strspn(from, " \t\r\n");
        if (*from == '\0') {
            break;
        }
        char quote = '\0';
        words[count++] = to;
        for (; *from != '\0' && (quote != '\0' || !isspace((unsigned char)*from)); from++) {
            if (quote == '\0' ? *from == '"' || *from == '\'' : *from == quote) {
                quote = quote == '\0' ? *from : '\0';
            } else {
                *to++ = *from;
            }
        }
        from += *from != '\0';
        *to++ = '\0';
    }
    return count;
}

bool mt_import_command_line(struct mt_import *self, const char *line)
{
    char text[MT_IMPORT_LINE];
    const char *words[MT_IMPORT_WORDS];
    if (strncmp(line, "ExecStart=", 10) == 0) {
        line += 10;
        line += strspn(line, "@-:+!");
    }
    int length = snprintf(text, sizeof text, "%s", line);
    size_t count = split_words(text, words, MT_IMPORT_WORDS);
    if (self->line == 0) {
        self->path = "command line";
    }
    if (length >= MT_IMPORT_LINE || count == MT_IMPORT_WORDS) {
        mt_import_lose(self, "the command line is longer than %d words or %d characters",
                       MT_IMPORT_WORDS - 1, MT_IMPORT_LINE - 1);
        return true;
    }
    if (count == 0 || !mt_import_is_command(words[0])) {
        mt_import_lose(self, "%s: not a program that is known to this import", line);
        return true;
    }
    return mt_import_command(self, words, count);
}
