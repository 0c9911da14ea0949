/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Composition: a configuration and a platform become a running node.  The daemon does it once at
 * start, the simulator for each of its nodes; neither runtime nor config know each other.
 * The configuration that it is made from must outlive the composition; what is in force may come
 * to differ from it, by reloads.
 * Thread rule: one thread at a time.
 */
#ifndef MEANTIME_COMPOSE_COMPOSE_H
#define MEANTIME_COMPOSE_COMPOSE_H

#include "config/config.h"
#include "hal/names.h"
#include "hal/provider.h"
#include "runtime/node.h"
#include "runtime/record.h"

#define MT_COMPOSE_NOTES_MAX   8
#define MT_COMPOSE_CHANGES_MAX 48 /**< told of one reload; more are only counted */
#define MT_COMPOSE_CHANGE_SIZE 160

/** What is known of the world. */
struct mt_compose_facts {
    bool tai_utc_known;
    int32_t tai_minus_utc_s;
    int32_t leap_s;     /**< leap second at the end of this UTC day: -1, 0 or +1 */
    enum mt_leap_by by; /**< whence that is known; NOBODY: nobody says */
    int32_t slack_s; /**< by how much others may differ from it, for it is that old; 0: not known */
    int32_t kernel_s; /**< TAI - UTC that another program has told the kernel; 0: none has */
};

/** What became of one key that a reload found changed. */
struct mt_compose_change {
    bool is_applied; /**< false: it needs a restart */
    char text[MT_COMPOSE_CHANGE_SIZE];
};

#define MT_COMPOSE_PTP_LINKS 8

/** A link of PTP that no port has: for NTP in PTP messages. */
struct mt_compose_ptp_link {
    const char *interface;
    enum mt_network network;
    uint16_t index;
    bool is_spare; /**< nobody is told whether it is up: another one may do */
};

struct mt_composition {
    const struct mt_config *config; /**< what is in force: `in_force` */
    struct mt_config
        in_force; /**< private: shares all but `instances` and `ports` with the first */
    struct mt_config_pool reload_pool; /**< private: lists that reloads have put in force */
    struct mt_node node;
    struct mt_compose_variant *variants; /**< private: of each instance */
    struct mt_profile *profiles;         /**< private: of each instance */
    struct mt_compose_facts facts;
    struct mt_mono started;
    /** Sentences that the user should read: what was done differently and why. */
    char notes[MT_COMPOSE_NOTES_MAX][MT_HAL_REASON_SIZE];
    size_t note_count;
    struct mt_compose_port *port_storage; /**< private: one for each port of the configuration */
    /** Of each clock: why it is an overlay and not the system's; "" if it is not so. */
    char (*fallback_reasons)[MT_HAL_REASON_SIZE];
    /** What the last reload found changed. */
    struct mt_compose_change changes[MT_COMPOSE_CHANGES_MAX];
    size_t change_count;
    struct mt_compose_change unseen_change; /**< private: of those for which there is no room */
    size_t applied_count;                   /**< with those that are not in `changes` */
    size_t refused_count;
    size_t unread_count; /**< of them: key files that cannot be used; no restart helps */
    bool is_unchanged;   /**< it was refused as a whole: nothing has changed */
    /** Why a link is down, as the platform says it ("" if it is up); null: nobody knows. */
    const char *(*link_reason)(const void *context, uint16_t link);
    const void *link_context;
    /** Set by the application: programs that run and may steer a clock of this machine, in words
     * ("chronyd (process 77)"), "": none is known; `device`: of a hardware clock, null: the
     * machine's clock.  Null: nobody knows. */
    const char *(*rivals)(void *context, const char *device);
    void *rivals_context;
    /** Set by the application: key exchange of NTS with clients; null: there is none. */
    const struct mt_nts_counts *key_exchanges;
    /** What is wrong with the files it is served with; null or "": nothing. */
    const char *key_fault;
    /** Set by the application: why an NTP server has given no keys, a sentence, "" if there is
     * nothing to tell; null: nobody knows. */
    const char *(*keys_reason)(const void *context, uint16_t ntp);
    const void *keys_context;
    /** Set by the application: who finds the addresses of names; null: they stay unknown. */
    struct mt_hal_names *names;
    /** Set by the application: told of what was found when; null: nothing is recorded.  Then only
     * NTP servers are looked up by name. */
    struct mt_recorder *recorder;
    struct mt_compose_ptp_link ptp_links[MT_COMPOSE_PTP_LINKS]; /**< private */
    unsigned ptp_link_count;
    struct mt_mono names_at; /**< private: when to ask it again */
    struct mt_mono own_at;   /**< private: when to look for addresses of this machine again */
    struct mt_hal_provider *provider;
    struct mt_compose_ntp **ntps;        /**< private: sections in force, as in_force.ntps */
    struct mt_config_ntp *ntp_configs;   /**< private: its storage */
    struct mt_compose_ntp **places;      /**< private: of each server of the node; null: none */
    uint32_t ntp_made;                   /**< private */
    size_t link_room;                    /**< private */
    uint32_t server_changes;             /**< of rules and keys of the NTP server, so far */
    bool speaks_nts;                     /**< private: a server did so at the start */
    struct mt_config_pool defaults_pool; /**< private: of in_force.ntp_defaults */
};

/** Opens all that the configuration names.  Null with a reason in one sentence if that is
 * impossible. */
struct mt_composition *mt_compose(const struct mt_config *config, struct mt_hal_provider *provider,
                                  const struct mt_compose_facts *facts,
                                  char reason[MT_HAL_REASON_SIZE]);
/** Frees the node; clocks and links are the platform's. */
void mt_composition_free(struct mt_composition *self);

/** Takes over what a new configuration may change while running (what `meantime set` may change,
 * NTP servers to ask, rules and keys of the NTP server ...), and says in `changes` what became of
 * each key that differs from what is in force.  An applied key is in force from now on; one that
 * needs a restart is not, and will be told again.  False if anything needs a restart: `ret_reason`
 * names the first; or if something is wrong with it (a key that is missing): then nothing has
 * changed, and `is_unchanged` is set.  The caller keeps `config`, which is read during the call
 * only. */
bool mt_composition_reload(struct mt_composition *self, const struct mt_config *config,
                           struct mt_mono now, char ret_reason[MT_HAL_REASON_SIZE]);

/** What is known of the world has changed: instances announce it while they are grandmasters. */
bool mt_compose_are_same_facts(const struct mt_compose_facts *a, const struct mt_compose_facts *b);
/** The same as an input log has them. */
struct mt_compose_facts mt_compose_facts_of(const struct mt_log_facts *facts);
struct mt_log_facts mt_compose_log_facts(const struct mt_compose_facts *facts);
void mt_composition_set_facts(struct mt_composition *self, const struct mt_compose_facts *facts,
                              struct mt_mono now);

/** Instance `index` announces the UTC offset that the machine knows, as `auto` has it in the
 * configuration, whatever somebody has set. */
void mt_composition_make_utc_offset_auto(struct mt_composition *self, uint16_t index,
                                         struct mt_mono now);

/** Takes over what has become known of the addresses of names; call it once before privileges are
 * given up, and then whenever time has passed. */
void mt_composition_resolve(struct mt_composition *self, struct mt_mono now);

/** Who may ask the NTP server, by the configuration; the first rule that fits is the one with most
 * bits.  What is returned is the caller's to free; null: no memory. */
struct mt_ntp_rule *mt_compose_server_rules(const struct mt_config_server *config,
                                            struct mt_ntp_server *ret_server);

/** What the configuration says of an NTP server of the node, by its index there; null: it is not
 * asked any more. */
const struct mt_config_ntp *mt_composition_ntp(const struct mt_composition *self, uint16_t index);
/** Changes when another one takes its place; 0: there is none. */
uint32_t mt_composition_ntp_number(const struct mt_composition *self, uint16_t index);
/** Index of an instance by name, or -1. */
int mt_composition_find_instance(const struct mt_composition *self, const char *name);

/** False, with a sentence, if the profile of instance `index` does not allow a key this value. */
bool mt_composition_allows(const struct mt_composition *self, uint16_t index, const char *key,
                           int64_t value, char ret_reason[MT_HAL_REASON_SIZE]);

#endif
