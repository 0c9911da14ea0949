/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What the programs of linuxptp are told, by files and on their command lines, as one list of
 * settings for each of them: read by import_linuxptp.c, turned into our keys by the others.
 */
#ifndef MEANTIME_APPS_IMPORT_LINUXPTP_H
#define MEANTIME_APPS_IMPORT_LINUXPTP_H

#include "apps/meantime/import.h"

#define MT_LINUXPTP_SETTINGS  512
#define MT_LINUXPTP_SECTIONS  64
#define MT_LINUXPTP_PROGRAMS  16
#define MT_LINUXPTP_GLOBAL    0 /**< index of the first section */
#define MT_LINUXPTP_PATH_SIZE 300

enum mt_linuxptp_kind {
    MT_LINUXPTP_PTP4L,
    MT_LINUXPTP_PHC2SYS,
    MT_LINUXPTP_TS2PHC,
    MT_LINUXPTP_KINDS,
    MT_LINUXPTP_COMMON = MT_LINUXPTP_KINDS, /**< no process: what holds for several */
};

enum mt_linuxptp_section_kind {
    MT_LINUXPTP_IS_GLOBAL,
    MT_LINUXPTP_IS_PORT,
    MT_LINUXPTP_IS_TABLE, /**< unicast_master_table */
    MT_LINUXPTP_IS_OTHER, /**< of a program that we do not take from */
};

struct mt_linuxptp_section {
    enum mt_linuxptp_section_kind kind;
    char name[64];
};

struct mt_linuxptp_setting {
    char *name; /**< as in a file, or an option of the command line: "-s" */
    char *value;
    const char *path; /**< of the file, or the name of the program */
    unsigned line;    /**< 0: on a command line */
    unsigned section;
    bool is_locked; /**< of the command line */
};

/** One process. */
struct mt_linuxptp {
    enum mt_linuxptp_kind kind;
    const char *path; /**< where it was found */
    struct mt_linuxptp_setting settings[MT_LINUXPTP_SETTINGS];
    unsigned setting_count;
    struct mt_linuxptp_section sections[MT_LINUXPTP_SECTIONS];
    unsigned section_count;
    bool is_in_file;   /**< is being read from one */
    bool has_too_many; /**< sections: the last one has the rest, and is not used */
    unsigned clock;    /**< of a ptp4l, in the set */
};

enum mt_linuxptp_clock_kind {
    MT_LINUXPTP_CARD,
    MT_LINUXPTP_MACHINE,
    MT_LINUXPTP_OVERLAY, /**< nothing is steered */
};

/** A clock that one ptp4l steers, or several. */
struct mt_linuxptp_clock {
    enum mt_linuxptp_clock_kind kind;
    char name[32];
    const struct mt_linuxptp *owner; /**< the first of them, whose settings of the clock count */
    const struct mt_linuxptp_clock *leader; /**< among them; null: none */
    unsigned instances;
    FILE *out; /**< its keys */
    char *text;
    size_t length;
};

/** All that were named, in their order. */
struct mt_linuxptp_set {
    struct mt_linuxptp *programs[MT_LINUXPTP_PROGRAMS];
    unsigned count;
    struct mt_linuxptp_clock clocks[MT_LINUXPTP_PROGRAMS];
    unsigned clock_count;
    char *texts[MT_LINUXPTP_PROGRAMS]; /**< paths of what was read */
    unsigned text_count;
};

/** A process more; null, and told: too many. */
struct mt_linuxptp *mt_linuxptp_add(struct mt_import *self, enum mt_linuxptp_kind kind,
                                    const char *path);
/** The section of that name, which is made if need be. */
unsigned mt_linuxptp_section(struct mt_linuxptp *program, enum mt_linuxptp_section_kind kind,
                             const char *name);
/** Where `self` is reading.  A later value of the same name goes before, but for one of a file
 * after one of the command line. */
void mt_linuxptp_set(struct mt_import *self, struct mt_linuxptp *program, unsigned section,
                     const char *name, const char *value);
/** Null: not set there. */
const struct mt_linuxptp_setting *mt_linuxptp_find(const struct mt_linuxptp *program,
                                                   unsigned section, const char *name);
/** The value that counts in a section: its own or the global one; null: neither. */
const char *mt_linuxptp_value(const struct mt_linuxptp *program, unsigned section,
                              const char *name);
/** Notes are of this setting from now on; null: of the program as a whole. */
void mt_linuxptp_stand_at(struct mt_import *self, const struct mt_linuxptp *program,
                          const struct mt_linuxptp_setting *setting);
/** True if both are the same word or number. */
bool mt_linuxptp_is_same(const char *one, const char *other);
/** True if the value of a switch is on. */
bool mt_linuxptp_is_on(const char *value);

/** An option may have a name of before as well: that of today. */
const char *mt_linuxptp_present_name(const char *name);
/** Explains an option of ts2phc. */
bool mt_import_explain_ts2phc(const char *name, FILE *out);
/** Without blanks at either end. */
char *mt_linuxptp_trimmed(char *text);
/** What is said of a setting that becomes no key here. */
enum mt_linuxptp_how { MT_LINUXPTP_NEEDLESS, MT_LINUXPTP_LOST, MT_LINUXPTP_TAKEN };
struct mt_linuxptp_told {
    const char *name;
    const char *normal; /**< nothing is said of this value; null: of none */
    enum mt_linuxptp_how how;
    const char *text;
};
/** Null: it is not among them. */
const struct mt_linuxptp_told *mt_linuxptp_told_of(const struct mt_linuxptp_told *told,
                                                   size_t count, const char *name);
void mt_linuxptp_tell(struct mt_import *self, const struct mt_linuxptp_told *told,
                      const char *value);
/** True if it is an option of ptp4l which the others pass over if they are given its file. */
bool mt_ptp4l_has_alone(const char *name);
/** The default of an option of ptp4l; null: there is no such option, or it has none. */
const char *mt_ptp4l_normal_of(const char *name);
/** Tells once of those of ptp4l, unless a ptp4l is taken over, too. */
void mt_linuxptp_tell_passed_over(struct mt_import *self, const struct mt_linuxptp *program);
/** Of a `clock_servo` that is set. */
void mt_linuxptp_tell_servo(struct mt_import *self, const char *value);

/** Its files: sections, and lines of a name and a value. */
bool mt_linuxptp_read(struct mt_import *self, struct mt_linuxptp *program, const char *path);
/** One line of such a file. */
void mt_linuxptp_take_line(struct mt_import *self, struct mt_linuxptp *program, char *line,
                           unsigned *section);

/** The global value of an option, or what it is `otherwise`. */
const char *mt_linuxptp_global(const struct mt_linuxptp *program, const char *name,
                               const char *otherwise);
/** True if its time is handed to an NTP daemon. */
bool mt_linuxptp_gives_to_others(const struct mt_linuxptp *program);
bool mt_linuxptp_is_software(const struct mt_linuxptp *program);
/** The hardware clock of an interface, if it is one of this machine. */
bool mt_linuxptp_find_device(const char *interface, char path[MT_LINUXPTP_PATH_SIZE]);

/** Clocks, in import_clocks.c: which there are; */
void mt_linuxptp_find_clocks(struct mt_import *self);
/** the machine's, if a ptp4l steers it; and that of an interface or a device; null: neither; */
struct mt_linuxptp_clock *mt_linuxptp_machine(const struct mt_import *self);
struct mt_linuxptp_clock *mt_linuxptp_clock_at(const struct mt_import *self, const char *place);
/** their keys; and, at the end, their sections. */
void mt_linuxptp_put_clocks(struct mt_import *self);
void mt_linuxptp_join_clocks(struct mt_import *self);
/** `clock = NAME` where it is not the main one. */
void mt_linuxptp_put_clock_name(struct mt_import *self, FILE *out, enum mt_config_scope scope,
                                const char *clock);
/** A clock for the NTP daemon that `program` gave its time to. */
void mt_linuxptp_put_export(struct mt_import *self, const struct mt_linuxptp *program,
                            const char *clock);

/** An instance for each ptp4l, in import_ptp4l.c; and who follows whom, in import_phc2sys.c. */
void mt_import_ptp4l(struct mt_import *self, const struct mt_linuxptp *program, bool is_only);
/** How many instances it needs here. */
unsigned mt_import_ptp4l_instances(const struct mt_linuxptp *program);
bool mt_import_ptp4l_has_port(const struct mt_linuxptp *program, const char *interface);
void mt_import_linuxptp_clocks(struct mt_import *self);
/** Keys of a [clock] that is the hardware clock of `clock`, an interface or a device. */
void mt_linuxptp_put_card(struct mt_import *self, FILE *out, const char *clock);
/** `has_main`: the main clock is that of a ptp4l. */
void mt_import_ts2phc(struct mt_import *self, const struct mt_linuxptp *program, bool has_main);

#endif
