/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Private to config/: a file as it was written, between reading and resolving.  Sections of the
 * same heading are one; each key is known to be one of its section and each value to be good.
 */
#ifndef MEANTIME_CONFIG_SOURCE_PRIVATE_H
#define MEANTIME_CONFIG_SOURCE_PRIVATE_H

#include "config/config.h"
#include "config/reader.h"

enum mt_config_section_kind {
    MT_CONFIG_SECTION_NONE, /**< what stands in it has nowhere to go */
    MT_CONFIG_SECTION_DAEMON,
    MT_CONFIG_SECTION_CLOCK_DEFAULTS, /**< [clock] */
    MT_CONFIG_SECTION_CLOCK,          /**< [clock NAME] */
    MT_CONFIG_SECTION_PTP,            /**< [ptp] */
    MT_CONFIG_SECTION_INSTANCE,       /**< [instance NAME] */
    MT_CONFIG_SECTION_PORT,           /**< [port NAME] */
    MT_CONFIG_SECTION_PTP_PORT,       /**< [ptp INTERFACE] */
    MT_CONFIG_SECTION_SERVER,         /**< [server] */
    MT_CONFIG_SECTION_NTP_DEFAULTS,   /**< [ntp] */
    MT_CONFIG_SECTION_NTP,            /**< [ntp SERVER] */
    MT_CONFIG_SECTION_REFCLOCK,       /**< [refclock NAME] */
    MT_CONFIG_SECTION_GNSS,           /**< [gnss NAME] */
    MT_CONFIG_SECTION_EXPORT,         /**< [export NAME] */
};

struct mt_config_section {
    enum mt_config_section_kind kind;
    const char *name; /**< "" if its kind has none */
    unsigned line;    /**< 0: it was not written, but follows from the command line */
};

struct mt_config_setting {
    size_t section;
    const struct mt_config_key *key;
    char *text;
    unsigned line;
    size_t length; /**< of a list that has been given in pieces, ... */
    size_t room;   /**< ... and what its text may grow to; 0: it is one piece */
};

struct mt_config_source {
    const char *path;
    struct mt_config_section *sections;
    size_t section_count;
    struct mt_config_setting *settings;
    size_t setting_count;
    size_t current;             /**< section being read; 0 is the one that is none */
    bool has_heading;           /**< a section heading has been seen */
    bool has_told_import;       /**< and that it is a file of another program */
    struct mt_config_pool pool; /**< of the names and texts */
    struct mt_config_problems *problems;
    bool reads_files; /**< what the configuration names is looked at, too */
    const struct mt_config_inspector *inspector; /**< null: certificates are not */
};

/** Reads the lines of a text; `self` has path and problems set, all else zero. */
void mt_config_source_read(struct mt_config_source *self, const char *text, size_t length);
/** The index of a section, which is added if there is none. */
size_t mt_config_source_section(struct mt_config_source *self, enum mt_config_section_kind kind,
                                const char *name, unsigned line);
void mt_config_source_free(struct mt_config_source *self);

const struct mt_config_section *mt_config_source_find_section(const struct mt_config_source *self,
                                                              enum mt_config_section_kind kind,
                                                              const char *name);
/** The setting of a key in that section, null if there is none. */
const struct mt_config_setting *mt_config_source_find(const struct mt_config_source *self,
                                                      enum mt_config_section_kind kind,
                                                      const char *name, const char *key);

/** Makes the objects and applies defaults and sections to them, most general first.
 * False if there was no memory left, which has been said. */
bool mt_config_resolve(struct mt_config *self, const struct mt_config_source *source);
/** Finds what leaves the profiles, where they are strict. */
/** It follows another clock or is followed by one, has a reference clock or is exported. */
bool mt_config_takes_part(const struct mt_config *self, const struct mt_config_clock *clock);
/** That clocks follow others without a circle. */
void mt_config_check_follow(const struct mt_config *self, const struct mt_config_source *source);
void mt_config_check_profiles(const struct mt_config *self, const struct mt_config_source *source);
/** Finds what is wrong with the NTP server. */
void mt_config_check_server(const struct mt_config *self, const struct mt_config_source *source);
/** That NTP servers can be asked. */
void mt_config_check_ntp(const struct mt_config *self, const struct mt_config_source *source);
/** That files of keys and certificates of NTP are good, where files are looked at. */
void mt_config_check_ntp_files(const struct mt_config *self, const struct mt_config_source *source);
/** That reference clocks and exports say where they are. */
void mt_config_check_refclocks(const struct mt_config *self, const struct mt_config_source *source);
/** That GNSS receivers are where they can be. */
void mt_config_check_gnss(const struct mt_config *self, const struct mt_config_source *source);
/** Of a section [refclock NAME] or [gnss NAME]. */
/** A device of pulses, or a hardware clock, without its folder: "pps0". */
bool mt_config_lacks_folder(const char *device);
enum mt_config_section_kind mt_config_refclock_section(const struct mt_config_refclock *self);
/** That sources that are only watched are not to be followed before others. */
void mt_config_check_choices(const struct mt_config *self, const struct mt_config_source *source);
/** Of what only UDP has. */
bool mt_config_is_ip_key(const struct mt_config_key *key);
/** Finds contradictions. */
void mt_config_check(const struct mt_config *self, const struct mt_config_source *source);

/** What is not said but follows: clocks of instances are known by then. */
void mt_config_settle(struct mt_config *config);

#endif
