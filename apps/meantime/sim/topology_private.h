/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The inside of the topology reader: the file as it was written, the table of keys, and what the
 * files of the reader share while they build a topology.
 */
#ifndef MEANTIME_SIM_TOPOLOGY_PRIVATE_H
#define MEANTIME_SIM_TOPOLOGY_PRIVATE_H

#include "apps/meantime/sim/topology.h"
#include "config/reader.h"

/* ---- the file as it was written (topology_text.c) -------------------------------------------- */

struct mt_topology_section {
    const char *word; /**< "node" of [node A] */
    const char *name; /**< "A"; "" if there is none */
    unsigned line;    /**< 0: it comes from --set */
};

struct mt_topology_entry {
    size_t section;
    const char *key;
    const char *value;
    unsigned line;
};

struct mt_topology_text {
    const char *path;
    struct mt_topology_section *sections;
    size_t section_count;
    struct mt_topology_entry *entries;
    size_t entry_count;
    size_t current; /**< section being read; SIZE_MAX: none, or an unknown one */
    bool has_heading;
    struct mt_config_pool *pool;
    struct mt_config_problems *problems;
};

/** Reads all lines, then applies the settings. */
void mt_topology_text_read(struct mt_topology_text *self, const char *text, size_t length,
                           const char *const *settings, size_t setting_count);
void mt_topology_text_free(struct mt_topology_text *self);
/** Null if there is no such section. */
const struct mt_topology_section *mt_topology_text_find(const struct mt_topology_text *self,
                                                        const char *word, const char *name);
/** Adds a problem of a line, or of --set if that is 0; the same one is not said twice. */
void mt_topology_complain(const struct mt_topology_text *self, unsigned line, const char *format,
                          ...) __attribute__((format(printf, 3, 4)));

/* ---- keys and values (topology_keys.c) ------------------------------------------------------- */

enum mt_topology_scope {
    MT_TOPOLOGY_SCOPE_SIM,
    MT_TOPOLOGY_SCOPE_OSCILLATOR,
    MT_TOPOLOGY_SCOPE_NODE, /**< [node NAME] and [kind NAME]; keys of OSCILLATOR, too */
    MT_TOPOLOGY_SCOPE_LINK,
    MT_TOPOLOGY_SCOPE_SWITCH,
    MT_TOPOLOGY_SCOPE_STAR,
    MT_TOPOLOGY_SCOPE_CHAIN,
    MT_TOPOLOGY_SCOPE_RING,
    MT_TOPOLOGY_SCOPE_LEAF_SPINE,
    MT_TOPOLOGY_SCOPE_GENERATOR, /**< in all four of them */
    MT_TOPOLOGY_SCOPE_EXPECT,
};

enum mt_topology_type {
    MT_TOPOLOGY_TYPE_DURATION,     /**< int64_t, ns */
    MT_TOPOLOGY_TYPE_START,        /**< the same */
    MT_TOPOLOGY_TYPE_NOISE,        /**< mt_real, ns */
    MT_TOPOLOGY_TYPE_GRAIN,        /**< uint32_t, ns */
    MT_TOPOLOGY_TYPE_LIMIT_NS,     /**< double, ns */
    MT_TOPOLOGY_TYPE_LIMIT_S,      /**< double, s */
    MT_TOPOLOGY_TYPE_SPREAD_TIME,  /**< struct mt_topology_spread, s */
    MT_TOPOLOGY_TYPE_SPREAD_RATIO, /**< struct mt_topology_spread, s/s */
    MT_TOPOLOGY_TYPE_RATIO,        /**< mt_real, s/s */
    MT_TOPOLOGY_TYPE_SHARE,        /**< mt_real */
    MT_TOPOLOGY_TYPE_PART,         /**< double: a share, too */
    MT_TOPOLOGY_TYPE_NUMBER,       /**< mt_real */
    MT_TOPOLOGY_TYPE_FACTOR,       /**< mt_real; 0 is kept as -1 */
    MT_TOPOLOGY_TYPE_BITRATE,      /**< mt_real, bit/s */
    MT_TOPOLOGY_TYPE_COUNT,        /**< uint32_t */
    MT_TOPOLOGY_TYPE_SEED,         /**< uint64_t */
    MT_TOPOLOGY_TYPE_BOOLEAN,      /**< bool */
    MT_TOPOLOGY_TYPE_NAME,         /**< const char * */
    MT_TOPOLOGY_TYPE_TEXT,         /**< const char * */
    MT_TOPOLOGY_TYPE_WHEN,         /**< struct mt_topology_when */
    MT_TOPOLOGY_TYPE_JITTER,       /**< struct mt_sim_segment_config: jitter, jitter_ns */
    MT_TOPOLOGY_TYPE_CLASS,        /**< enum mt_mask_class */
    MT_TOPOLOGY_TYPE_LIST,         /**< nothing: topology.c reads it */
};

/** A time, or a share of the duration. */
struct mt_topology_when {
    double ns;
    double share;
};

struct mt_topology_sim {
    struct mt_topology_run run;
    struct mt_topology_when discard;
    const char *reference;
};

struct mt_topology_generator {
    uint32_t receivers, clocks, grandmasters, spines, leaves, servers;
    const char *centre;
    const char *link;
    const char *prefix;
    unsigned line;
};

struct mt_topology_key {
    enum mt_topology_scope scope;
    const char *name;
    enum mt_topology_type type;
    size_t offset;
    double min, max;
    const char *fallback;
    const char *help;
};

/** The n-th of all keys; null if there are no more. */
const struct mt_topology_key *mt_topology_key(size_t n);
/** Null if a section of this scope has no such key. */
const struct mt_topology_key *mt_topology_key_find(enum mt_topology_scope scope, const char *name);
/** Turns text into the member of `object`; false, and nothing has changed, if it is not what
 * mt_topology_expected() says. */
bool mt_topology_value(const struct mt_topology_key *key, const char *text, void *object,
                       struct mt_config_pool *pool);
void mt_topology_expected(const struct mt_topology_key *key, char *buffer, size_t size);
/** The key most like `name`; null if none is. */
const char *mt_topology_key_nearest(enum mt_topology_scope scope, const char *name);
/** "10 us" in ns, "10 %" as a share, and so on; false if it is none. */
bool mt_topology_time(const char *text, double *ret_ns);
bool mt_topology_ratio(const char *text, double *ret_ratio);
bool mt_topology_share(const char *text, double *ret_share);
bool mt_topology_when(const char *text, struct mt_topology_when *ret_when);
bool mt_topology_is_name(const char *text);
char *mt_topology_copy(struct mt_config_pool *pool, const char *text);

/** Applies the entries of a section to an object and complains of those that are none; keys with
 * a dot, and LIST keys, are left to others. */
void mt_topology_apply(const struct mt_topology_text *text,
                       const struct mt_topology_section *section, enum mt_topology_scope scope,
                       void *object);

#define MT_TOPOLOGY_ADDRESS_SIZE 16

/* ---- building (topology.c, topology_*.c, generate.c, timeline.c) ----------------------- */

struct mt_topology_builder {
    struct mt_topology *topology;
    const struct mt_topology_text *text;
};

/** An array with room for one more; null, having complained, if there is no memory. */
void *mt_topology_grown(const struct mt_topology_builder *self, void *array, size_t count,
                        size_t size);
/** Adds a node of a kind ("" is "node"), with all that its sections say. */
bool mt_topology_add_node(struct mt_topology_builder *self, const char *name, const char *kind,
                          unsigned line);
/** Joins two ends, "A", "A.eth3" or "SWITCH", by a link like the profile; "" is a perfect one. */
bool mt_topology_join(struct mt_topology_builder *self, const char *profile, const char *a,
                      const char *b, unsigned line);
/** "host1..8": "host", 1 and 8. */
bool mt_topology_is_range(const char *text, char prefix[MT_CONFIG_NAME_MAX + 1],
                          unsigned *ret_first, unsigned *ret_last);
/** Whether there is such a node, its interface left aside, or such a switch. */
bool mt_topology_is_known(const struct mt_topology *topology, const char *name);
/** The names that a pattern means, "A", "A.eth3", "host1..8" or "spine*", one after the other;
 * false, having complained, if it means nothing. */
struct mt_topology_names {
    const char **name;
    size_t count;
};
bool mt_topology_expand(const struct mt_topology_builder *self, const char *pattern, unsigned line,
                        struct mt_topology_names *ret_names);
/** Which links join two ends, or all links of one end: "A - B", "A.eth3 - B"; -1 if there are no
 * more.  Starts at index 0. */
int64_t mt_topology_next_link(const struct mt_topology_builder *self, const char *a, const char *b,
                              uint32_t from);
/** The section of a profile; null, having complained, if there is none. */
const struct mt_topology_section *mt_topology_find_profile(const struct mt_topology_builder *self,
                                                           const char *word, const char *name,
                                                           unsigned line);
uint32_t mt_topology_find_switch(const struct mt_topology *self, const char *name);

/** Whether a [node NAME], "A" or "host1..8", is of this node. */
bool mt_topology_names_node(const char *name, const char *node);
/** The path of a file that lies beside the topology. */
const char *mt_topology_beside(const struct mt_topology_builder *self, const char *file);

void mt_topology_generate(struct mt_topology_builder *self);
/** The links of all [link ...] sections, and what [link A - B] changes. */
void mt_topology_add_links(struct mt_topology_builder *self);
/** Composes and reads each node's meantime.conf. */
void mt_topology_configure(struct mt_topology_builder *self);
/** The NTP servers that a node asks; false, having complained, if there is one that cannot be. */
bool mt_topology_asked(const struct mt_topology_builder *self, const struct mt_topology_node *node,
                       struct mt_topology_names *ret_servers);
/** The address of a server, as a node asks it: of the interface on a link of both, or the first. */
void mt_topology_ntp_address(const struct mt_topology *topology,
                             const struct mt_topology_node *asker, const char *server,
                             char ret_address[MT_TOPOLOGY_ADDRESS_SIZE]);
void mt_topology_read_timeline(struct mt_topology_builder *self);
void mt_topology_order_timeline(struct mt_topology *topology);
/** Name, example and help of the n-th verb; false if there are no more. */
bool mt_topology_describe_verb(size_t n, struct mt_topology_description *ret_description);

#endif
