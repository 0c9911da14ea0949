/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The keys of meantime.conf as data: config.def compiled into a table, with the functions that
 * turn the text of a value into a member and back, and that explain a key to people.
 * Used by the parser, by `meantime explain` and `meantime set`, by the generator of the man page
 * and by the tests.
 * Thread rule: constant data and pure functions; any thread.
 */
#ifndef MEANTIME_CONFIG_SCHEMA_H
#define MEANTIME_CONFIG_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum mt_config_scope {
    MT_CONFIG_DAEMON,
    MT_CONFIG_CLOCK,
    MT_CONFIG_INSTANCE,
    MT_CONFIG_PORT,
    MT_CONFIG_OWN_PORT, /**< of struct mt_config_port too, but in [port NAME] only */
    MT_CONFIG_SERVER,
    MT_CONFIG_NTP,
    MT_CONFIG_REFCLOCK,
    MT_CONFIG_GNSS, /**< of struct mt_config_refclock, too */
    MT_CONFIG_EXPORT,
};
#define MT_CONFIG_SCOPE_COUNT 10

enum mt_config_type {
    MT_CONFIG_INTEGER,    /**< any integer member; decimal or 0x... */
    MT_CONFIG_BOOLEAN,    /**< bool */
    MT_CONFIG_CHOICE,     /**< enum */
    MT_CONFIG_CODE,       /**< uint8_t: a number or a word */
    MT_CONFIG_FLAG,       /**< one bit of a uint16_t */
    MT_CONFIG_INTERVAL,   /**< struct mt_interval */
    MT_CONFIG_SPAN,       /**< struct mt_span */
    MT_CONFIG_SECONDS,    /**< mt_real, s */
    MT_CONFIG_RATIO,      /**< mt_real, s/s */
    MT_CONFIG_NAME,       /**< const char *: letters, digits and ._- */
    MT_CONFIG_INTERFACE,  /**< const char * */
    MT_CONFIG_PATH,       /**< const char *: absolute */
    MT_CONFIG_DEVICE,     /**< const char *: a path, an interface, or PROTOCOL:HOST:PORT */
    MT_CONFIG_TEXT,       /**< const char *: for people */
    MT_CONFIG_IDENTITY,   /**< struct mt_clock_identity */
    MT_CONFIG_IDENTITIES, /**< struct mt_config_identities */
    MT_CONFIG_STATIONS,   /**< struct mt_config_stations; min and max of what follows a slash */
};

struct mt_config_word {
    const char *word; /**< null ends a list */
    int64_t value;
};

#define MT_CONFIG_NO_OFFSET  SIZE_MAX
#define MT_CONFIG_DEVICE_MAX 100 /**< characters of a DEVICE */
#define MT_CONFIG_TEXT_MAX   128 /**< octets of a TEXT */

struct mt_config_key {
    enum mt_config_scope scope;
    enum mt_config_type type;
    const char *name;
    const char *unit;
    int64_t min; /**< 1, ns or ppb, as the type counts */
    int64_t max;
    const struct mt_config_word *words; /**< of CHOICE, CODE and FLAG, else null */
    const char *word;                   /**< accepted in place of a number, or null */
    const char *fallback;               /**< the default as text; "" is zero or nothing */
    const char *help;
    size_t offset; /**< of the member in the scope's struct */
    size_t size;
    size_t flag_offset; /**< of the bool that `word` sets, or MT_CONFIG_NO_OFFSET */
};

extern const struct mt_config_word mt_config_log_level_words[];
/** Keys that only some kinds of clock have a use for. */
bool mt_config_is_lab_key(const struct mt_config_key *key);
bool mt_config_is_device_key(const struct mt_config_key *key);
/** Of the machine's own clock. */
bool mt_config_is_system_key(const struct mt_config_key *key);

extern const struct mt_config_word mt_config_clock_kind_words[];
extern const struct mt_config_word mt_config_timestamping_words[];
extern const struct mt_config_word mt_config_port_timestamping_words[];
extern const struct mt_config_word mt_config_ntp_transport_words[];
extern const struct mt_config_word mt_config_servo_words[];
extern const struct mt_config_word mt_config_shared_words[];
extern const struct mt_config_word mt_config_refclock_words[];
extern const struct mt_config_word mt_config_refclock_scale_words[];
extern const struct mt_config_word mt_config_export_words[];
extern const struct mt_config_word mt_config_edge_words[];
extern const struct mt_config_word mt_config_gnss_protocol_words[];
extern const struct mt_config_word mt_config_jump_words[];
extern const struct mt_config_word mt_config_accuracy_words[];
extern const struct mt_config_word mt_config_time_source_words[];
extern const struct mt_config_word mt_config_arb_words[];
extern const struct mt_config_word mt_config_stateless_words[];
extern const struct mt_config_word mt_config_layout_words[];
extern const struct mt_config_word mt_config_clock_type_words[];
extern const struct mt_config_word mt_config_syntonise_words[];
extern const struct mt_config_word mt_config_forward_words[];
extern const struct mt_config_word mt_config_profile_words[];
extern const struct mt_config_word mt_config_bmca_words[];
extern const struct mt_config_word mt_config_power_words[];
extern const struct mt_config_word mt_config_smpte_words[];
extern const struct mt_config_word mt_config_role_words[];
extern const struct mt_config_word mt_config_standby_words[];
extern const struct mt_config_word mt_config_arbiter_words[];
extern const struct mt_config_word mt_config_as_capable_words[];
extern const struct mt_config_word mt_config_transport_words[];
extern const struct mt_config_word mt_config_pool_words[];
extern const struct mt_config_word mt_config_time_check_words[];
extern const struct mt_config_word mt_config_unicast_words[];
extern const struct mt_config_word mt_config_l2_destination_words[];
extern const struct mt_config_word mt_config_delay_words[];
extern const struct mt_config_word mt_config_leap61_words[];
extern const struct mt_config_word mt_config_leap59_words[];
extern const struct mt_config_word mt_config_time_traceable_words[];
extern const struct mt_config_word mt_config_frequency_traceable_words[];

/** All keys in the order of config.def. */
const struct mt_config_key *mt_config_keys(size_t *ret_count);
/** The key of a scope, also by an old or IEEE name; null if there is none. */
const struct mt_config_key *mt_config_key_find(enum mt_config_scope scope, const char *name);
/** The heading under which the keys of a scope stand: "[clock]", "[instance NAME]" ... */
const char *mt_config_scope_heading(enum mt_config_scope scope);
/** Old names of a key, one at a time: `*index` starts at 0.  Null when there are no more. */
const char *mt_config_key_alias(const struct mt_config_key *key, size_t *index);

/** A setting of another program that is no key here: what to write instead, and why. */
struct mt_config_foreign {
    const char *program;
    const char *name;
    const char *keys[2]; /**< ours; "" where there is none */
    const char *advice;
    bool is_planned; /**< `advice` is what is not there yet */
};
/** The n-th program's setting of that name, from 0; null when there are no more. */
const struct mt_config_foreign *mt_config_foreign_find(const char *name, size_t n);
/** "ptp4l calls this step_threshold; here it is step_later in [clock], ... (with a unit)". */
void mt_config_foreign_say(const struct mt_config_foreign *foreign, char *buffer, size_t size);

/** What a value of this key must look like: "an integer from -7 to 4". */
void mt_config_expected(const struct mt_config_key *key, char *buffer, size_t size);

/** Memory for strings and lists, mostly given back all at once; starts as zeros. */
struct mt_config_block;
struct mt_config_pool {
    struct mt_config_block *first;
};
/** Zeroed and aligned for anything; null when there is none left. */
void *mt_config_pool_take(struct mt_config_pool *self, size_t size);
/** Frees one block before the others; null, or one of another pool: nothing happens. */
void mt_config_pool_give_back(struct mt_config_pool *self, const void *content);
void mt_config_pool_free(struct mt_config_pool *self);

/** Turns text into the member of `object`, the struct of the key's scope; strings and lists are
 * put into `pool`.  False, and nothing has changed, if the text is not what mt_config_expected()
 * says. */
bool mt_config_value_parse(const struct mt_config_key *key, const char *text, void *object,
                           struct mt_config_pool *pool);
/** The member as text that parses to the same value; cut if `size` is too small. */
void mt_config_value_write(const struct mt_config_key *key, const void *object, char *buffer,
                           size_t size);

/** Of `count` names the one most like `name`, null if none is much like it.  The n-th name is
 * what `name_of` returns for n. */
const char *mt_config_nearest(const char *name, const char *(*name_of)(const void *names, size_t n),
                              const void *names, size_t count);

/** Text broken into lines of 76 characters, the first one behind `head`. */
void mt_config_print_wrapped(FILE *out, const char *head, const char *text);
/** Explains one key to people (all keys of that name, old names accepted); with null, lists them
 * all by section.  False if there is no such key; the nearest one is then suggested on `out`. */
bool mt_config_explain(const char *name, FILE *out);

#endif
