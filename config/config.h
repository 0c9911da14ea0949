/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The configuration: meantime.conf read, checked and resolved into what the daemon is made of:
 * clocks, PTP instances and ports, each with the core's own configuration structs filled in.
 * Called by compose/ at start and on reload, and by `meantime check`.
 * Every problem of a file is collected, told with file, line, key and what was expected, and
 * none is fatal to the caller: a file with problems gives no configuration, that is all.
 * The keys are in config.def; schema.h shows them to programs.
 * Thread rule: no globals are written; different objects may be used by different threads.
 */
#ifndef MEANTIME_CONFIG_CONFIG_H
#define MEANTIME_CONFIG_CONFIG_H

#include <stddef.h>
#include <stdio.h>

#include "config/ladder.h"
#include "config/pulses.h"
#include "config/schema.h"
#include "meantime/ntp_client.h"
#include "meantime/ptp_alternate.h"
#include "meantime/ptp_intervals.h"
#include "meantime/ptp_peer.h"
#include "meantime/ptp_smpte.h"
#include "meantime/steer.h"

#define MT_CONFIG_PROBLEMS_MAX 50     /**< kept; more are only counted */
#define MT_CONFIG_PROBLEM_SIZE 320    /**< of one line of text; longer ones are cut */
#define MT_CONFIG_NAME_MAX     31     /**< characters in the name of a clock, instance or port */
#define MT_CONFIG_MAIN         "main" /**< instance and clock of a port that names none */

struct mt_config_problem {
    unsigned line;                     /**< 0: of the file as a whole */
    char text[MT_CONFIG_PROBLEM_SIZE]; /**< the whole sentence, file and line included */
};

struct mt_config_problems {
    size_t count;
    size_t omitted; /**< found, but there was no room for them */
    struct mt_config_problem problem[MT_CONFIG_PROBLEMS_MAX];
};

enum mt_config_log_level {
    MT_CONFIG_LOG_ERROR,
    MT_CONFIG_LOG_WARNING,
    MT_CONFIG_LOG_INFO,
    MT_CONFIG_LOG_DEBUG,
};

struct mt_config_daemon {
    const char *run_directory;
    const char *state_directory;
    const char *control_socket; /**< never null: auto is resolved */
    bool management_sockets;
    const char *linuxptp_socket; /**< null: none */
    const char *user;            /**< null: do not change the user */
    bool sandbox;
    enum mt_config_log_level log_level;
    const char *record; /**< null: do not record */
};

enum mt_config_clock_kind {
    MT_CONFIG_CLOCK_OVERLAY,
    MT_CONFIG_CLOCK_SYSTEM,
    MT_CONFIG_CLOCK_LAB,
    MT_CONFIG_CLOCK_PHC,
    MT_CONFIG_CLOCK_VCLOCK, /**< a virtual one of it */
    MT_CONFIG_CLOCK_AUTO,   /**< PHC where there is one, or else OVERLAY */
};

enum mt_config_servo {
    MT_CONFIG_SERVO_ADAPTIVE,
    MT_CONFIG_SERVO_PI,
    MT_CONFIG_SERVO_LINREG,
    MT_CONFIG_SERVO_KALMAN
};

/** What to do when another program keeps changing a clock. */
enum mt_config_shared { MT_CONFIG_SHARED_WARN, MT_CONFIG_SHARED_YIELD, MT_CONFIG_SHARED_INSIST };

/** AUTO: where there is something to judge. */
enum mt_config_arbiter { MT_CONFIG_ARBITER_AUTO, MT_CONFIG_ARBITER_ALWAYS };

/** What the user thinks of a source. */
struct mt_config_choice {
    bool is_trusted;
    bool is_required;
    bool is_preferred;
    bool is_selectable;
};

struct mt_config_clock {
    const char *name;
    enum mt_config_clock_kind kind;
    const char *device; /**< PHC, AUTO: its file; null: the one of the first port's interface */
    const char *follow; /**< another clock that this one is kept at; null: none */
    enum mt_config_servo servo;
    /** What hangs on the opened clock, or on `servo`, compose fills in: granularity_ns,
     * adopts_scale, storage and tables. */
    struct mt_steer_config steer;
    bool max_drift_is_auto; /**< steer.max_drift holds until the oscillator is known */
    bool max_rate_is_auto; /**< steer.max_rate is the core's default; the clock's range is better */
    struct mt_span panic;  /**< after the first lock no larger offset is stepped ... */
    bool never_panics;     /**< ... but if this is set */
    enum mt_config_shared when_shared;
    enum mt_config_arbiter arbiter;
    uint16_t min_sources;
    struct mt_interval max_source_bound;
    bool keeps_drift;
    const char *temperature; /**< file of a thermometer; null: none */
    struct mt_interval temperature_poll;
    mt_real holdover_limit_s;             /**< 0: none */
    struct mt_interval holdover_accuracy; /**< 0: as the clock was when it was locked */
    bool sets_rtc;
    struct mt_interval standby_wait;
    struct mt_interval standby_max_difference;
    mt_real lab_offset_s;
    mt_real lab_frequency; /**< s/s */
    mt_real lab_wander;    /**< s/s per square root of a second */
    uint64_t lab_seed;
};

/** Which of the two instances over one clock it is. */
enum mt_config_standby {
    MT_CONFIG_STANDBY_NONE,
    MT_CONFIG_STANDBY_PRIMARY,
    MT_CONFIG_STANDBY_SECONDARY,
};

/** What a transmitter's time means if it does not claim the PTP timescale. */
enum mt_config_arb { MT_CONFIG_ARB_IS_ARB, MT_CONFIG_ARB_IS_UTC };

/** What an instance is; auto: ordinary with one port, boundary with more. */
enum mt_config_clock_type {
    MT_CONFIG_TYPE_AUTO,
    MT_CONFIG_TYPE_ORDINARY,
    MT_CONFIG_TYPE_BOUNDARY,
    MT_CONFIG_TYPE_E2E_TRANSPARENT,
    MT_CONFIG_TYPE_P2P_TRANSPARENT,
};

enum mt_config_syntonise { MT_CONFIG_SYNTONISE_YES, MT_CONFIG_SYNTONISE_RATIO, MT_CONFIG_FREE };

enum mt_config_forward { MT_CONFIG_FORWARD_ALL, MT_CONFIG_FORWARD_OWN };

/** Of a transparent clock. */
struct mt_config_transparent {
    enum mt_config_syntonise syntonise;
    enum mt_config_forward domains;
    bool spanning_tree;
    uint16_t frames;
};

/** An address or a name, and what follows it after a slash. */
struct mt_config_station {
    const char *text;          /**< as written */
    const char *name;          /**< without what follows */
    struct mt_address address; /**< network NONE: it is a name */
    bool has_number;
    uint16_t number;
};

#define MT_CONFIG_STATIONS_MAX 65535 /**< in one list; they are counted by uint16_t */

/** The value of a list key. */
struct mt_config_stations {
    const struct mt_config_station *station;
    size_t count;
};

enum mt_config_stateless_role {
    MT_CONFIG_STATELESS_OFF,
    MT_CONFIG_STATELESS_SERVER,
    MT_CONFIG_STATELESS_CLIENT,
};

enum mt_config_layout {
    MT_CONFIG_LAYOUT_COMPACT,
    MT_CONFIG_LAYOUT_PREFIXED,
    MT_CONFIG_LAYOUT_FULL
};

struct mt_config_stateless {
    enum mt_config_stateless_role sptp;
    enum mt_config_stateless_role csptp;
    enum mt_config_layout layout;
    struct mt_config_stations servers;
    int8_t log_interval;
    uint8_t workers;
    bool sptp_padded;
    bool csptp_one_step; /**< of the workers */
    bool csptp_per_message;
};

enum mt_config_profile {
    MT_CONFIG_PROFILE_NONE,
#define MT_CONFIG_PROFILE(symbol, name, title, identity) MT_CONFIG_PROFILE_##symbol,
#define MT_CONFIG_PROFILE_KEY(symbol, key, value, allowed)
#include "config/profiles.def"
#undef MT_CONFIG_PROFILE
#undef MT_CONFIG_PROFILE_KEY
};

/** How transmitters are compared, and what a port's states are. */
enum mt_config_bmca {
    MT_CONFIG_BMCA_DEFAULT,
    MT_CONFIG_BMCA_ITU,     /**< G.8275 */
    MT_CONFIG_BMCA_GPTP,    /**< 802.1AS */
    MT_CONFIG_BMCA_QUALITY, /**< G.8265.1 */
};

/** What an instance tells in the TLV of C37.238. */
struct mt_config_power {
    enum mt_power_version version;
    uint16_t grandmaster_id;
    struct mt_interval gm_inaccuracy;
    struct mt_interval network_inaccuracy;
    struct mt_interval total_inaccuracy;
};

/** A local time. */
struct mt_config_zone {
    const char *name; /**< null: none is announced */
    int32_t offset_s; /**< ahead of UTC */
    bool is_demanded;
};

/** ST 2059-2 Synchronization Metadata: see ptp_smpte.h. */
struct mt_config_smpte {
    bool is_used;
    int8_t log_interval;
    uint32_t rate_numerator;
    uint32_t rate_denominator;
    uint8_t locking;
    bool drop_frame;
    bool color_frame;
    bool daylight_saving;
    bool daylight_saving_next;
    int32_t jump_s;
    int64_t jump_at_s;
    bool has_no_jam;
    uint32_t jam_s;
};

struct mt_config_instance {
    const char *name;
    const char *user_description; /**< null: none */
    const char *clock;
    size_t clock_index; /**< in mt_config.clocks */
    enum mt_config_standby standby;
    struct mt_config_choice choice;
    enum mt_config_profile profile;
    bool profile_strict;
    enum mt_config_bmca bmca;
    bool gptp;
    uint8_t max_clock_class;
    struct mt_interval wait_to_restore;
    struct mt_config_power power;
    struct mt_config_zone zone;
    struct mt_config_smpte smpte;
    /** path and, if it is auto, identity are compose's to fill in; so are the flags
     * MT_PTP_TIMESCALE and MT_PTP_UTC_OFFSET_VALID of `time`. */
    struct mt_instance_config ptp;
    struct mt_config_ladder ladder;
    bool identity_is_auto;
    bool minor_is_auto; /**< ptp.minor_version is 1, and may be found not to be understood */
    bool utc_offset_is_auto;
    bool path_trace;
    const char *security_file; /**< null: none */
    bool network_management;
    uint32_t management_rate;
    bool event_monitoring;
    enum mt_config_arb arb_timescale;
    enum mt_config_clock_type clock_type;
    struct mt_config_transparent transparent;
    struct mt_config_stateless stateless;
    size_t first_port; /**< in mt_config.ports: they stand together, in the order of the file */
    size_t port_count; /**< at least 1 */
};

enum mt_config_transport {
    MT_CONFIG_TRANSPORT_UDP4,
    MT_CONFIG_TRANSPORT_UDP6,
    MT_CONFIG_TRANSPORT_L2,
};

/** Where messages go over Ethernet. */
enum mt_config_l2_destination { MT_CONFIG_L2_FORWARDABLE, MT_CONFIG_L2_NON_FORWARDABLE };

/** The value of a list key. */
struct mt_config_identities {
    const struct mt_port_identity *identity;
    size_t count;
};

/** How a port receives by unicast. */
enum mt_config_unicast_mode {
    MT_CONFIG_UNICAST_OFF,
    MT_CONFIG_UNICAST_NEGOTIATED,
    MT_CONFIG_UNICAST_STATIC,
    MT_CONFIG_UNICAST_HYBRID,
};

struct mt_config_unicast {
    enum mt_config_unicast_mode mode;
    struct mt_config_stations transmitters; /**< number: local priority */
    uint16_t duration_s;
    bool is_grantor;
    uint32_t max_clients;
    uint16_t max_clients_per_address;
    uint32_t max_duration_s;
    uint32_t first_duration_s;
    int8_t log_min_announce_interval;
    int8_t log_min_sync_interval;      /**< of Delay_Resp, too */
    struct mt_config_stations allowed; /**< number: bits of the prefix */
    struct mt_config_stations receivers;
    bool sends_multicast;
    uint32_t interface_rate_mbit; /**< 0: not told */
};

enum mt_config_timestamping {
    MT_CONFIG_TIMESTAMPING_AUTO,
    MT_CONFIG_TIMESTAMPING_HARDWARE,
    MT_CONFIG_TIMESTAMPING_SOFTWARE,
    MT_CONFIG_TIMESTAMPING_ONE_STEP, /**< of ports only */
};

/** The NTP server. */
struct mt_config_server {
    const char *clock;
    size_t clock_index; /**< in mt_config.clocks */
    struct mt_config_stations listen;
    uint16_t port;
    const char *ptp_interface; /**< null: PTP messages are not answered */
    uint8_t workers;
    bool pin_workers;
    struct mt_config_stations allowed; /**< number: bits of the prefix */
    struct mt_config_stations denied;
    bool has_no_limit;
    int8_t log_rate_limit;
    uint8_t rate_burst;
    bool interleaved;
    const char *key_file; /**< null: none */
    bool require_key;
    const char *nts_certificate; /**< null: NTS is not spoken */
    const char *nts_key;
    uint16_t nts_port;
    uint32_t nts_rate; /**< exchanges in a second */
    uint16_t nts_rotate_h;
    bool require_nts;
    bool stratum_is_auto;
    uint8_t stratum;
    bool local_stratum_is_auto;
    bool is_orphan;
    uint8_t local_stratum;    /**< auto is resolved */
    const char *reference_id; /**< null: auto */
    struct mt_interval smear;
    struct mt_interval max_error;
};

#define MT_CONFIG_SPEEDS 7 /**< 10, 100, 1000, 2500, 10000, 25000, 100000 Mbit/s */

/** Of a port while its link runs at one of these. */
struct mt_config_latency {
    bool ingress_is_auto; /**< as at all others */
    bool egress_is_auto;
    struct mt_interval ingress;
    struct mt_interval egress;
};

struct mt_config_port {
    const char *name;
    const char *interface;
    const char *instance;
    size_t instance_index;
    enum mt_config_transport transport;
    enum mt_config_timestamping timestamping;
    struct mt_config_latency latencies[MT_CONFIG_SPEEDS];
    uint16_t vclock; /**< one more than the index of the clock that stamps; 0: no virtual one */
    bool obey_interval_requests;
    uint8_t ttl;
    uint8_t dscp;
    uint8_t udp6_scope;
    bool is_untagged; /**< else `vlan` is the tag's number, 0: a priority only */
    uint16_t vlan;
    uint8_t vlan_priority;
    enum mt_config_l2_destination l2_destination;
    uint8_t socket_priority;
    bool has_no_spp;
    uint8_t spp;
    uint32_t active_key_id;
    bool has_no_delayed_spp;
    uint8_t delayed_spp;
    struct mt_config_identities acceptable; /**< `ptp` points to the same */
    struct mt_config_unicast unicast;
    enum mt_delay_mechanism delay_mechanism;
    bool has_no_stored_delay;
    bool one_step;
    struct mt_peer_config peer;     /**< domain, sdo_id and is_gptp are compose's to fill in */
    struct mt_port_profile profile; /**< what is private in it is zero */
    struct mt_alternate alternate;  /**< likewise */
    struct mt_intervals intervals;  /**< likewise */
    struct mt_port_config ptp;
};

/** Whether a name stands for many servers; AUTO: if it has a label `pool`. */
enum mt_config_pool_choice { MT_CONFIG_POOL_AUTO, MT_CONFIG_POOL_YES, MT_CONFIG_POOL_NO };

/** When the dates of certificates count. */
enum mt_config_time_check { MT_CONFIG_TIME_CHECK_ALWAYS, MT_CONFIG_TIME_CHECK_SYNCHRONISED };

/** What carries questions and answers of NTP. */
enum mt_config_ntp_transport {
    MT_CONFIG_NTP_UDP,
    MT_CONFIG_NTP_PTP,
    MT_CONFIG_NTP_PTP_EARLY,
};

/** An NTP server, or a pool of them. */
struct mt_config_ntp {
    const char *name;
    struct mt_config_stations address; /**< one; the name, if it is not written */
    uint16_t port;
    enum mt_config_pool_choice pool;
    uint8_t count; /**< of servers at a time, of a pool */
    const char *clock;
    size_t clock_index;    /**< in mt_config.clocks */
    const char *interface; /**< null: as routes say */
    enum mt_config_timestamping timestamping;
    enum mt_config_ntp_transport transport;
    const char *key_file; /**< null: none */
    struct mt_config_choice choice;
    bool nts;
    uint16_t nts_port;
    const char *nts_ca; /**< null: the system's */
    enum mt_config_time_check nts_time_check;
    struct mt_ntp_client_config client; /**< keys and NTS are compose's to fill in */
};

/** A name that stands for many servers. */
bool mt_config_is_pool(const struct mt_config_ntp *self);
/** How readings of a reference clock pass from one program to another. */
enum mt_config_refclock_driver {
    MT_CONFIG_REFCLOCK_SHM,
    MT_CONFIG_REFCLOCK_SOCK,
    MT_CONFIG_REFCLOCK_PPS,    /**< the kernel's pulses */
    MT_CONFIG_REFCLOCK_EXTTS,  /**< pulses that a hardware clock stamps */
    MT_CONFIG_REFCLOCK_PEROUT, /**< exports only: pulses that it makes */
    MT_CONFIG_REFCLOCK_GNSS,   /**< [gnss NAME] */
};

/** Another program's clock as a source: gpsd's ...; pulses; or a GNSS receiver. */
struct mt_config_refclock {
    const char *name;
    enum mt_config_refclock_driver driver;
    uint8_t unit;                 /**< SHM */
    const char *path;             /**< SOCK */
    struct mt_config_pulse pulse; /**< PPS, EXTTS, GNSS */
    struct mt_config_gnss gnss;
    bool precision_is_auto; /**< GNSS */
    const char *clock;
    size_t clock_index;
    struct mt_interval poll;        /**< SHM */
    struct mt_interval median_over; /**< 0: each reading counts by itself */
    struct mt_interval offset;      /**< added to what it reads */
    struct mt_interval delay;
    struct mt_interval precision;
    struct mt_interval max_error;
    bool max_error_is_unknown;
    enum mt_timescale scale;
    const char *reference_id; /**< null: from its driver */
    uint8_t stratum;
    bool prefer;
    bool trust;
    bool require;
    bool select;
};

/** A clock of ours as another program's reference clock. */
struct mt_config_export {
    const char *name;
    enum mt_config_refclock_driver driver;
    uint8_t unit;                 /**< SHM */
    const char *path;             /**< SOCK */
    struct mt_config_pulse pulse; /**< PEROUT */
    struct mt_interval period;
    struct mt_interval width;
    const char *clock;
    size_t clock_index;
    struct mt_interval interval;
};

/** A hardware clock, or one that may be. */
bool mt_config_is_phc(const struct mt_config_clock *self);
/** End-to-end or peer-to-peer transparent clock. */
bool mt_config_is_transparent(const struct mt_config_instance *self);
/** Puts in what the clock announces while it follows nothing, where the file says "auto". */
void mt_config_settle_quality(struct mt_config_instance *instance);
/** One that follows servers of SPTP or CSPTP. */
bool mt_config_is_stateless_client(const struct mt_config_instance *self);

struct mt_config {
    const char *path; /**< of the file; null: there was none */
    struct mt_config_daemon daemon;
    /** Each is followed by one instance, or by a primary and a secondary, or is served only. */
    struct mt_config_clock *clocks;
    size_t clock_count;
    struct mt_config_instance *instances;
    size_t instance_count;
    struct mt_config_port *ports;
    size_t port_count;
    bool has_server;
    struct mt_config_server server; /**< its defaults if there is none */
    struct mt_config_ntp *ntps;
    size_t ntp_count;
    bool has_ntp_defaults;
    struct mt_config_ntp ntp_defaults; /**< what [ntp] says: for those that come at run time */
    struct mt_config_refclock *refclocks;
    size_t refclock_count;
    struct mt_config_export *exports;
    size_t export_count;
    struct mt_config_pool pool; /**< private: the memory of all of the above */
};

/** The sources of a clock are judged against each other. */
bool mt_config_is_arbitrated(const struct mt_config *config, const struct mt_config_clock *self);

/** The clock that this one follows; null: none. */
const struct mt_config_clock *mt_config_leader(const struct mt_config *self,
                                               const struct mt_config_clock *clock);

/** Reads a file.  True if it is free of problems; otherwise all are in `problems`, by line. */
bool mt_config_load(const char *path, struct mt_config **ret_config,
                    struct mt_config_problems *problems);
/** Looks into files of certificates, which takes more than config/ has.  Each is true if something
 * is wrong, with a sentence. */
struct mt_config_inspector {
    /** Of a server of NTS; `*ret_is_key`: it is the key's file. */
    bool (*find_fault_of_pair)(const char *certificate, const char *key, bool *ret_is_key,
                               char ret_text[MT_CONFIG_PROBLEM_SIZE]);
    /** Of those that a client trusts. */
    bool (*find_fault_of_authorities)(const char *path, char ret_text[MT_CONFIG_PROBLEM_SIZE]);
};

/** The same, and the files that it names are looked at: the keys that are used must be in them, and
 * certificates be good, if there is an inspector. */
bool mt_config_load_all(const char *path, const struct mt_config_inspector *inspector,
                        struct mt_config **ret_config, struct mt_config_problems *problems);
/** The same from memory. */
bool mt_config_parse_all(const char *text, size_t length, const char *path,
                         const struct mt_config_inspector *inspector, struct mt_config **ret_config,
                         struct mt_config_problems *problems);
/** As mt_config_load(), with ports of the instance `main` on `interfaces` added (`meantimed -c FILE
 * -i eth0`); an interface that already is a port of the file is not added again. */
bool mt_config_load_with(const char *path, const char *const *interfaces, size_t count,
                         struct mt_config **ret_config, struct mt_config_problems *problems);
/** The same from memory; `path` is the name used in problems, `interfaces` as above. */
bool mt_config_parse(const char *text, size_t length, const char *path,
                     const char *const *interfaces, size_t count, struct mt_config **ret_config,
                     struct mt_config_problems *problems);
/** Without a file: one instance `main` of the default profile on these interfaces, above an overlay
 * clock.  It follows whoever else is there (priority1 254) and serves only if nobody does. */
bool mt_config_for_interfaces(const char *const *interfaces, size_t count,
                              struct mt_config **ret_config, struct mt_config_problems *problems);
void mt_config_free(struct mt_config *self);

/** A copy whose texts are in `pool`.  False: no memory. */
bool mt_config_ntp_copy(const struct mt_config_ntp *self, struct mt_config_pool *pool,
                        struct mt_config_ntp *ret_copy);

/** Whether two ports are on the same network of the same interface: they share sockets. */
bool mt_config_shares_link(const struct mt_config_port *a, const struct mt_config_port *b);

/** Writes the configuration as a file that says every key: read again it gives the same. */
void mt_config_write(const struct mt_config *self, FILE *out);

enum mt_config_change_kind { MT_CONFIG_CHANGED, MT_CONFIG_ADDED, MT_CONFIG_REMOVED };

struct mt_config_change {
    enum mt_config_change_kind kind; /**< of a key's value; or a whole section */
    const char *section;             /**< "daemon", "clock", "instance", "port", "server", "ntp" */
    const char *name;                /**< of the object; "" for the daemon and the server */
    size_t index;                    /**< of the object, in the configuration that has it */
    const struct mt_config_key *key; /**< null for a whole section */
    const char *before;              /**< its value, as text */
    const char *after;
};

/** Told of each difference; the texts are valid during the call. */
typedef void mt_config_difference(void *context, const struct mt_config_change *change);
/** Compares key by key, sections by name; what follows from another key is not told. */
void mt_config_compare(const struct mt_config *before, const struct mt_config *after,
                       mt_config_difference *tell, void *context);

/** Prints all problems, one a line, and how many more there were. */
void mt_config_problems_print(const struct mt_config_problems *self, FILE *out);
/** The first one, and how many more there are, in one line. */
void mt_config_problems_sum_up(const struct mt_config_problems *self, char *buffer, size_t size);

#endif
