/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * A configuration of another program on its way into ours: what has been written so far, and where
 * the reader is.
 */
#ifndef MEANTIME_APPS_IMPORT_H
#define MEANTIME_APPS_IMPORT_H

#include <stdbool.h>
#include <stdio.h>

#include "config/schema.h"

#define MT_IMPORT_WORDS 64
#define MT_IMPORT_LINE  1024 /**< octets with the zero behind them */

/** One section, or all sections of a kind. */
struct mt_import_part {
    char *text;
    size_t length;
    FILE *file;
};

struct mt_linuxptp_set;

/** Whom chrony believes of those who sign and those who do not: its authselectmode. */
enum mt_import_authentication {
    MT_IMPORT_MIX,
    MT_IMPORT_REQUIRE,
    MT_IMPORT_PREFER,
    MT_IMPORT_IGNORE,
};

/** Ends a line that has been written; behind it stands what it comes from, "FILE:LINE". */
#define MT_IMPORT_ORIGIN '\001'

struct mt_import {
    struct mt_import_part daemon;
    struct mt_import_part clock;  /**< the main one, or all */
    struct mt_import_part clocks; /**< sections of others, with their headings */
    struct mt_import_part ntp;    /**< defaults */
    struct mt_import_part server; /**< of NTP */
    struct mt_import_part ptp;    /**< defaults */
    struct mt_import_part sources;
    struct mt_import_part told;   /**< every line so far */
    struct mt_import_part losses; /**< those of settings that are lost */
    struct mt_linuxptp_set *linuxptp;
    const char *path; /**< being read */
    unsigned line;
    unsigned depth; /**< of files that include files */
    unsigned lost;  /**< settings that have no equal here */
    unsigned sources_count;
    unsigned refclocks;
    unsigned instances; /**< of PTP, that have been written */
    unsigned exports;
    unsigned cards;
    unsigned unknown_cards; /**< whose hardware clock was guessed */
    bool is_of_chrony;      /**< a file of chrony's is among them */
    bool has_more_clocks;   /**< the main one is not alone */
    bool has_machine;       /**< [clock machine] is written */
    bool needs_utc;         /**< a clock that shows UTC takes part */
    bool is_each_by_itself; /**< arguments; else they are words of one command line */
    bool serves;            /**< somebody may ask */
    bool is_no_server;      /**< port 0 */
    bool steps;             /**< makestep was seen */
    bool has_local;
    bool sets_rtc; /**< rtcsync was seen */
    bool has_keys; /**< a source is asked with one */
    bool has_ptp;  /**< as a refclock of chrony's */
    enum mt_import_authentication authentication;
    char key_file[256];
};

/** "FILE:LINE: " and a sentence on standard error: what to know. */
void mt_import_note(struct mt_import *self, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/** The same for a setting that is lost: counted, and kept until the end.  Nothing is said twice. */
void mt_import_lose(struct mt_import *self, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/** Either of them, of what `origin` names: "FILE:LINE". */
void mt_import_say_of(struct mt_import *self, const char *origin, bool is_lost, const char *format,
                      ...) __attribute__((format(printf, 4, 5)));
/** Takes control characters away: a terminal must not obey what a file says. */
void mt_import_tame(char *text);
/** Reads the result as the daemon will, with the files that it names.  A line that is refused is
 * told as lost, with where it comes from, and becomes a comment.  Null: nothing is left that could
 * be used, which has been told; else it is to be freed.  `*ret_lacks_files`: it is good but for
 * files that are not there or not good, which has been told, too. */
char *mt_import_judge(struct mt_import *self, const char *marked, bool *ret_lacks_files);
/** Writes KEY = VALUE; a key that this program does not know is told instead. */
void mt_import_put(struct mt_import *self, FILE *out, enum mt_config_scope scope, const char *key,
                   const char *format, ...) __attribute__((format(printf, 5, 6)));
/** Reads a file of chrony's; false: it cannot be read, which has been told. */
bool mt_import_chrony(struct mt_import *self, const char *path);
/** One directive of it, which is taken apart. */
void mt_import_chrony_line(struct mt_import *self, char *line);
/** Once all has been read. */
void mt_import_chrony_end(struct mt_import *self);

/** Programs of linuxptp: a file, whichever it is of (false: none of theirs), a command line, one
 * of timemaster; once all has been read. */
bool mt_import_linuxptp_file(struct mt_import *self, const char *path, bool *ret_is_read);
bool mt_import_is_command(const char *word);
bool mt_import_command(struct mt_import *self, const char *const *words, size_t count);
bool mt_import_command_line(struct mt_import *self, const char *line);
bool mt_import_timemaster(struct mt_import *self, const char *path);
void mt_import_linuxptp_end(struct mt_import *self);
void mt_import_linuxptp_free(struct mt_import *self);
/** True if a process of theirs is imported. */
bool mt_import_has_programs(const struct mt_import *self);
/** An option of such a refclock: how PTP is chosen among others. */
void mt_import_choose_ptp(struct mt_import *self, const char *option);
/** A file for reading; null: told why not. */
FILE *mt_import_open(const char *path);
/** The next line without its end, and its number; false: there is none.  One that is too long, or
 * no text, is told and empty. */
bool mt_import_line(struct mt_import *self, FILE *file, char line[MT_IMPORT_LINE]);

/** A refclock SHM or SOCK of chrony's that is given PTP, which is a source by itself here. */
bool mt_import_is_ptp_refclock(const struct mt_import *self, const char *driver, const char *which);

/** Options of server, pool and refclock, in import_chrony_sources.c: words[0] is the directive. */
void mt_import_chrony_source(struct mt_import *self, char **words, size_t count);
void mt_import_chrony_refclock(struct mt_import *self, char **words, size_t count);
/** Once all are written: adds what authselectmode makes of those who sign, and of the others. */
void mt_import_chrony_choose(struct mt_import *self);
/** A number of seconds as our files have it: "250ms". */
void mt_import_seconds(const char *text, char *buffer, size_t size);

#endif
