/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * A network to be simulated, read from a topology file (meantime-topology(5)): machines with
 * their oscillators and their own meantime.conf, links, switches, what happens to them when, and
 * what is expected of them.  Generators, profiles and ranges are resolved: what is here is what
 * will be built.
 * Called by the command before anything runs; not changed afterwards, so any number of seeds may
 * run with one topology.
 * Thread rule: one thread at a time for each object.
 */
#ifndef MEANTIME_SIM_TOPOLOGY_H
#define MEANTIME_SIM_TOPOLOGY_H

#include "apps/meantime/sim/masks.h"
#include "config/config.h"
#include "platform/sim/sim_world.h"

#define MT_TOPOLOGY_NODES_MAX 10000
#define MT_TOPOLOGY_NONE      UINT32_MAX

/** A value that may be different for each node: drawn evenly from centre +- half. */
struct mt_topology_spread {
    double centre;
    double half;
};

struct mt_topology_node {
    const char *name;
    const char *kind; /**< "grandmaster", "server" ...: nodes of one kind; never "" */
    struct mt_sim_node_config physics; /**< but for what is drawn */
    struct mt_topology_spread offset_s;
    struct mt_topology_spread frequency;
    struct mt_topology_spread temperature_coefficient;
    int64_t start_ns; /**< negative: some time in the first [sim] start_within */
    bool gives_time;  /**< is a source: it is listed, but not judged */
    bool knows_utc;
    const char *oscillator;   /**< name of its profile; "" */
    const char *asks;         /**< NTP servers, patterns of names; "" */
    bool is_ntp_only;         /**< it speaks no PTP */
    const char *config_file;  /**< "" */
    struct mt_config *config; /**< its meantime.conf */
    unsigned line;            /**< where it comes from; 0: --set */
    uint32_t link_count;      /**< its interfaces */
};

/** An end of a link: an interface of a node, or a switch. */
struct mt_topology_end {
    uint32_t node; /**< MT_TOPOLOGY_NONE: a switch */
    uint32_t switch_number;
    const char *interface;
};

struct mt_topology_link {
    struct mt_sim_segment_config physics;
    const char *profile; /**< "" */
    const char *trace_file;
    struct mt_topology_end *ends; /**< two, or more on a hub */
    uint32_t end_count;
    unsigned line;
};

struct mt_topology_switch {
    const char *name;
    struct mt_sim_switch_config physics;
    unsigned line;
};

enum mt_topology_verb {
    MT_TOPOLOGY_KILL,
    MT_TOPOLOGY_STOP,
    MT_TOPOLOGY_START,
    MT_TOPOLOGY_UNPLUG,
    MT_TOPOLOGY_PLUG,
    MT_TOPOLOGY_DOWN,
    MT_TOPOLOGY_UP,
    MT_TOPOLOGY_STEP,
    MT_TOPOLOGY_LIE,
    MT_TOPOLOGY_LOAD,
    MT_TOPOLOGY_TEMPERATURE,
    MT_TOPOLOGY_LEAP,
    MT_TOPOLOGY_SET,
};

enum mt_topology_target { MT_TOPOLOGY_NODE, MT_TOPOLOGY_LINK, MT_TOPOLOGY_SWITCH };

/** One thing that happens to one target; a line of the file may be many. */
struct mt_topology_event {
    int64_t t_ns;
    enum mt_topology_verb verb;
    enum mt_topology_target target;
    uint32_t index;        /**< of the target */
    const char *interface; /**< of a node, for UNPLUG and PLUG; null: all of them */
    double amount;         /**< s, a share or kelvin, as the verb counts */
    double rate;           /**< s/s, of LIE */
    int64_t within_ns;     /**< of TEMPERATURE */
    const char *key;       /**< of SET */
    const char *value;
    uint32_t happening; /**< which line it belongs to */
};

/** A line of the timeline, as it will be told. */
struct mt_topology_happening {
    int64_t t_ns;
    const char *sentence; /**< "kill gm1" */
    unsigned line;
};

/** What must hold of all judged nodes whose name or kind matches; a negative number: nothing. */
struct mt_topology_expectation {
    const char *pattern; /**< "*": all */
    double max_error_ns;
    double rms_ns;
    double mean_ns; /**< its magnitude */
    double p99_ns;
    double inside_bound; /**< at least this share */
    double synchronised_within_s;
    unsigned line;
};

struct mt_topology_run {
    const char *title;
    int64_t duration_ns;
    int64_t discard_ns; /**< not in the figures */
    int64_t reading_interval_ns;
    int64_t start_within_ns;
    uint64_t seed;
    double limit_ns;           /**< of a node that is synchronised */
    uint32_t reference;        /**< node whose clock errors are against; NONE: true time */
    enum mt_mask_class class_; /**< of G.8273.2, against which the table judges */
};

struct mt_topology {
    struct mt_topology_run run;
    struct mt_topology_node *nodes;
    uint32_t node_count;
    struct mt_topology_link *links;
    uint32_t link_count;
    struct mt_topology_switch *switches;
    uint32_t switch_count;
    struct mt_topology_event *events; /**< in the order of time */
    uint32_t event_count;
    struct mt_topology_happening *happenings; /**< in the order of time */
    uint32_t happening_count;
    struct mt_topology_expectation *expectations;
    uint32_t expectation_count;
    struct mt_config_pool pool; /**< private: names and texts */
};

/** Reads a topology.  `settings` are of the form "SECTION.KEY=VALUE" and replace what the file
 * says.  True and a new topology if there are no problems; else all of them are in `problems`. */
bool mt_topology_load(const char *path, const char *const *settings, size_t setting_count,
                      struct mt_topology **ret_topology, struct mt_config_problems *problems);
/** The same from memory; files that it names are looked for beside `path`. */
bool mt_topology_parse(const char *text, size_t length, const char *path,
                       const char *const *settings, size_t setting_count,
                       struct mt_topology **ret_topology, struct mt_config_problems *problems);
void mt_topology_free(struct mt_topology *self);

uint32_t mt_topology_find_node(const struct mt_topology *self, const char *name);
/** Changes a key of a node's, link's or switch's physics, as SET does; it was checked before. */
void mt_topology_change(const char *key, const char *value, enum mt_topology_target target,
                        void *physics);

/** One thing that a topology file may say. */
struct mt_topology_description {
    const char *heading;  /**< of the section: "[link NAME], [link A - B]" */
    const char *section;  /**< what the section is for */
    const char *name;     /**< of a key; or a verb and what it needs */
    const char *fallback; /**< "" if there is none */
    const char *example;  /**< of a verb; "" */
    const char *help;
};
/** The n-th one, section by section; false if there are no more. */
bool mt_topology_describe(size_t n, struct mt_topology_description *ret_description);
/** All of them for people. */
void mt_topology_print_keys(FILE *out);

#endif
