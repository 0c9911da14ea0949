/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * A PTP instance [1588-2019]: an ordinary clock (one port) or a boundary clock (more) in one
 * domain.  Sans I/O: the caller hands in frames, transmit timestamps, commands and the passing
 * of time; after each of these calls it drains what there is to send and what has happened:
 *
 *     mt_instance_rx / _tx_done / _command / _tick (..., now)
 *     while (mt_instance_next_tx(...)) send it;       stamps come back later with the token
 *     while (mt_instance_next_event(...)) act on it;  samples go to the clock's discipline
 *     wait until input or mt_instance_deadline()
 *
 * It never reads a clock, allocates, calls back or keeps a global.  Equal inputs give equal
 * outputs; `now` never goes backwards.  A step of the local clock does not disturb it: stamps
 * carry the clock's correction count.
 * Thread rule: one thread at a time for each instance.
 */
#ifndef MEANTIME_PTP_H
#define MEANTIME_PTP_H

#include "meantime/ptp_address.h"
#include "meantime/ptp_wire.h"
#include "meantime/sample.h"

#define MT_FOREIGN_MAX          8   /**< foreign transmitters remembered by a port; then eviction */
#define MT_FOREIGN_THRESHOLD    2   /**< Announces within the window that qualify [9.3.2.4.4] */
#define MT_FOREIGN_WINDOW       4   /**< the window, in the shorter of both announce intervals */
#define MT_SYNC_OUTSTANDING     4   /**< Syncs sent whose timestamp is awaited; oldest given up */
#define MT_DELAY_OUTSTANDING    4   /**< Delay_Reqs whose answer is awaited; oldest given up */
#define MT_ANSWERS_MAX          4   /**< Delay_Resps waiting to be drained; more are QUEUE_FULL */
#define MT_PATH_MAX             179 /**< identities in a path trace */
#define MT_LOG_INTERVAL_LOWEST  (-7)      /**< shortest interval accepted from others: 2^-7 s */
#define MT_LOG_INTERVAL_HIGHEST 6         /**< longest */
#define MT_TOKEN_MAX            0xFFFFFFu /**< tokens of event frames: 1 to this */
#define MT_INSTANCE_PORTS_MAX   64

struct mt_port;
struct mt_instance;
struct mt_foreign;

/** Port states by 1588g-2022; the values are those of portState on the wire [Table 20]. */
enum mt_port_state {
    MT_STATE_INITIALIZING = 1,
    MT_STATE_FAULTY,
    MT_STATE_DISABLED,
    MT_STATE_LISTENING,
    MT_STATE_PRE_TRANSMITTER,
    MT_STATE_TRANSMITTER,
    MT_STATE_PASSIVE,
    MT_STATE_UNCALIBRATED,
    MT_STATE_RECEIVER,
};
#define MT_STATE_COUNT 10 /**< 0 is no state */

struct mt_time_properties {
    int16_t utc_offset; /**< TAI - UTC in s; meaningful if the flag says so */
    uint16_t flags;     /**< the low octet of enum mt_ptp_flag: leap, valid, timescale, traceable */
    uint8_t time_source; /**< 7.6.2.8: 0x20 GNSS, 0x60 handset, 0xA0 internal oscillator ... */
};

/** What an Announce says about a grandmaster and the way to it. */
struct mt_ptp_dataset {
    uint8_t priority1;
    uint8_t local_priority; /**< of G.8275: of the port it was heard on, or of this clock itself */
    struct mt_clock_quality quality;
    uint8_t priority2;
    struct mt_clock_identity grandmaster;
    uint16_t steps_removed;
    struct mt_port_identity sender;
    struct mt_port_identity receiver;
};

/** How two data sets compare. */
enum mt_comparison {
    MT_A_BETTER,
    MT_A_BETTER_BY_TOPOLOGY,
    MT_SAME,
    MT_B_BETTER_BY_TOPOLOGY,
    MT_B_BETTER,
};
typedef enum mt_comparison (*mt_dataset_comparison)(const struct mt_ptp_dataset *a,
                                                    const struct mt_ptp_dataset *b);

/** What the instance is made of beyond a receiver; what is left null the linker drops. */
struct mt_ptp_features {
    mt_dataset_comparison compare; /**< &mt_dataset_compare, or that of another profile */
    /** The state decision: &mt_decide, or &mt_decide_receiver for one port that only receives. */
    void (*decide)(struct mt_instance *self);
    const struct mt_state_table *states;           /**< &mt_states_full, &mt_states_receiver_only */
    const struct mt_transmitter_part *transmitter; /**< &mt_transmitter, or null */
    const struct mt_delay_part *delay;             /**< &mt_delay_e2e, or &mt_delay_any */
    /** &mt_acceptable, or null: the table of acceptable transmitters is not looked at. */
    bool (*acceptable)(const struct mt_port *port, const struct mt_port_identity *source);
    const struct mt_path_part *path_trace; /**< &mt_path_trace, or null: loops are not noticed */
    /** &mt_accuracy, or null: ENHANCED_ACCURACY_METRICS are neither read nor sent, clockAccuracy
     * is not looked at; so only a grandmaster's bound against itself is known. */
    const struct mt_accuracy_part *accuracy;
    /** &mt_reference, or null: nothing is known of the parent's error, so there is no bound of this
     * clock's; for receivers that tell nobody. */
    void (*reference)(struct mt_instance *self, const struct mt_foreign *parent, bool is_new);
    /** &mt_boundary: for clocks with several ports that may serve; else null. */
    const struct mt_boundary_part *boundary;
    /** What is beyond ordinary and boundary clocks, in the order in which it sees a frame, then
     * null; needs extend = &mt_extend.  Each does nothing without its storage in the `more` of
     * instance and ports. */
    const struct mt_extension *const *extensions;
    const struct mt_extend_part *extend;
};
extern const struct mt_state_table mt_states_full;
extern const struct mt_state_table mt_states_receiver_only;
/** 802.1AS: neither PRE_TRANSMITTER nor UNCALIBRATED; goes with announces_to_skip 0. */
extern const struct mt_state_table mt_states_gptp;
extern const struct mt_state_table mt_states_gptp_receiver_only;
extern const struct mt_transmitter_part mt_transmitter;
extern const struct mt_delay_part mt_delay_e2e;
extern const struct mt_delay_part mt_delay_any; /**< as `more` says; with mt_peer_extension */
extern const struct mt_path_part mt_path_trace;
extern const struct mt_accuracy_part mt_accuracy;
extern const struct mt_boundary_part mt_boundary;
extern const struct mt_extend_part mt_extend;
void mt_decide(struct mt_instance *self);
void mt_decide_receiver(struct mt_instance *self);
/** The default algorithm's comparison [Figures 34 and 35]. */
enum mt_comparison mt_dataset_compare(const struct mt_ptp_dataset *a,
                                      const struct mt_ptp_dataset *b);
/** That of G.8275.1 and G.8275.2: with local_priority, without priority1. */
enum mt_comparison mt_dataset_compare_itu(const struct mt_ptp_dataset *a,
                                          const struct mt_ptp_dataset *b);
/** That of G.8265.1: the quality level in clockClass, then local_priority. */
enum mt_comparison mt_dataset_compare_quality(const struct mt_ptp_dataset *a,
                                              const struct mt_ptp_dataset *b);
/** acceptable_transmitters of the port's configuration [17.5]. */
bool mt_acceptable(const struct mt_port *port, const struct mt_port_identity *source);
/** What the parent says of its error; is_new: of another one than before. */
void mt_reference(struct mt_instance *self, const struct mt_foreign *parent, bool is_new);
/** Every extension, in order. */
extern const struct mt_extension *const mt_ptp_all_extensions[];
/** All of the above. */
extern const struct mt_ptp_features mt_ptp_all_features;
/** All that a clock can use which only receives. */
extern const struct mt_ptp_features mt_ptp_receiver_features;

/** The path of Announces behind the parent; storage is the caller's, needed with path_trace. */
struct mt_path {
    uint16_t count;
    struct mt_clock_identity identity[MT_PATH_MAX];
};

struct mt_instance_config {
    const struct mt_ptp_features *features;
    struct mt_clock_identity identity;
    uint8_t domain;
    uint16_t sdo_id;
    uint8_t minor_version; /**< sent in headers: 1, or 0 for old equipment */
    uint8_t priority1;
    uint8_t priority2;
    uint8_t max_steps_removed; /**< Announces at or over this are refused; 255 [9.3.2.5] */
    uint8_t local_priority;    /**< G.8275: of this clock against others; 128 */
    /** Announces of a transmitter before the one with which it qualifies: MT_FOREIGN_THRESHOLD - 1;
     * 802.1AS: 0. */
    uint8_t announces_to_skip;
    struct mt_clock_quality quality;
    struct mt_time_properties time; /**< announced while this clock is the grandmaster */
    bool is_receiver_only;  /**< with mt_states_receiver_only; implied without a transmitter part */
    bool accepts_alternate; /**< alternateMasterFlag does not exclude a transmitter */
    bool announces_accuracy; /**< adds ENHANCED_ACCURACY_METRICS to Announce */
    /** A boundary clock serves nothing before its first calibration, and later not while its own
     * bound is larger than this and its receiving port is not calibrated ... */
    struct mt_interval serve_bound;
    bool serves_uncertain;         /**< ... or serves all the same, announcing uncertainty */
    struct mt_path *path;          /**< storage for the path trace; null: not relayed */
    struct mt_instance_more *more; /**< ptp_more.h: what the extensions work with; may be null */
};

struct mt_port_config {
    int8_t log_announce_interval;
    uint8_t announce_receipt_timeout; /**< in announce intervals, 2..255 */
    uint8_t local_priority;           /**< G.8275: of transmitters heard on this port; 128 */
    int8_t log_sync_interval;
    int8_t log_min_delay_req_interval;
    bool is_transmitter_only;
    struct mt_interval egress_latency;  /**< stamp point to wire, added to transmit stamps */
    struct mt_interval ingress_latency; /**< wire to stamp point, subtracted from receive stamps */
    struct mt_interval delay_asymmetry; /**< positive: transmitter to receiver is longer [7.4.2] */
    const struct mt_port_identity *acceptable; /**< acceptable transmitters; port 0: any port */
    uint16_t acceptable_count;                 /**< 0: all are acceptable */
    struct mt_port_more *more; /**< ptp_more.h: what the extensions work with; may be null */
};

/** The default profile's values.  `features` is left null: the application names them. */
void mt_instance_config_init(struct mt_instance_config *self);
/** The default profile: announce 2 s, sync 1 s, delay request 1 s, timeout 3. */
void mt_port_config_init(struct mt_port_config *self);

/** What an instance needs to know about the clock that it serves. */
struct mt_clock_condition {
    bool is_locked;
    bool has_bound;
    struct mt_interval bound;        /**< against the grandmaster, until the next command */
    struct mt_interval bound_static; /**< the part of it from asymmetry allowances */
    struct mt_interval offset;       /**< for currentDS */
    struct mt_interval mean_delay;
    /** What the clock shows: a grandmaster announces the PTP timescale if it is that, and neither
     * timescale nor UTC offset if it is an arbitrary one, whatever the configuration says. */
    enum mt_clock_shows {
        MT_CLOCK_SHOWS_CONFIGURED,
        MT_CLOCK_SHOWS_PTP,
        MT_CLOCK_SHOWS_ARBITRARY,
    } shows;
};

/** Counters of a port besides the verdicts. */
enum mt_port_counter {
#define MT_PORT_COUNTER(symbol, name, meaning) MT_COUNT_##symbol,
#include "meantime/port_counter.def"
#undef MT_PORT_COUNTER
    MT_PORT_COUNTER_COUNT
};

#include "meantime/ptp_objects.h" /* their members: for storage, read-only outside core/ptp */

/** Makes an instance over `port_count` ports (1..MT_INSTANCE_PORTS_MAX) in the caller's storage;
 * port numbers start at 1, so ports[i] is port i + 1; without the boundary part only the first one
 * is used.  `configs` has one element for each.  All
 * ports start INITIALIZING and begin when MT_COMMAND_LINK says that their link is up.
 * seed: of the random parts of timers; any value. */
void mt_instance_init(struct mt_instance *self, const struct mt_instance_config *config,
                      struct mt_port *ports, const struct mt_port_config *configs,
                      uint16_t port_count, uint64_t seed, struct mt_mono now);

/** A frame was received on `port`.  `stamp`: when it passed the stamp point; null if there is no
 * timestamp (event messages are then refused).  `from`: its sender's address; null if nothing that
 * needs one is in use.  Nothing is kept of what is pointed to.  Returns the verdict, which has been
 * counted. */
enum mt_verdict mt_instance_rx(struct mt_instance *self, uint16_t port, const uint8_t *frame,
                               size_t length, const struct mt_stamp *stamp,
                               const struct mt_address *from, struct mt_mono now);

/** The transmit timestamp of the event frame with `token`, or null: it was lost.  Unknown and
 * outdated tokens are counted and ignored. */
void mt_instance_tx_done(struct mt_instance *self, uint32_t token, const struct mt_stamp *stamp,
                         struct mt_mono now);

/** Time has passed. */
void mt_instance_tick(struct mt_instance *self, struct mt_mono now);

/** When mt_instance_tick() must be called at the latest; MT_MONO_NEVER: never. */
struct mt_mono mt_instance_deadline(const struct mt_instance *self);

enum mt_command_kind {
    MT_COMMAND_LINK,        /**< the port's link went up or down */
    MT_COMMAND_PORT_ENABLE, /**< DESIGNATED_ENABLED and _DISABLED */
    MT_COMMAND_FAULT,       /**< the port's network failed or has recovered */
    MT_COMMAND_CLOCK,       /**< what the discipline says of the local clock */
    MT_COMMAND_PRIORITIES,
    MT_COMMAND_QUALITY,
    MT_COMMAND_TIME_PROPERTIES,
};

struct mt_command {
    enum mt_command_kind kind;
    uint16_t port; /**< 1.., for the port commands */
    union {
        bool is_on; /**< link up, port enabled, fault present */
        struct mt_clock_condition clock;
        struct {
            uint8_t priority1;
            uint8_t priority2;
        } priorities;
        struct mt_clock_quality quality;
        struct mt_time_properties time;
    } value;
};

/** Carries out one command.  False if the port does not exist or a value is not allowed; nothing
 * has changed then. */
bool mt_instance_command(struct mt_instance *self, const struct mt_command *command,
                         struct mt_mono now);

/** MT_COMMAND_LINK and MT_COMMAND_CLOCK alone, for programs that give no other command; `port` is
 * one that there is. */
void mt_instance_link(struct mt_instance *self, uint16_t port, bool is_up, struct mt_mono now);
void mt_instance_clock(struct mt_instance *self, const struct mt_clock_condition *clock,
                       struct mt_mono now);

enum mt_destination {
    MT_TO_ALL,     /**< the PTP-primary multicast address */
    MT_TO_PEER,    /**< the PTP-pdelay multicast address */
    MT_TO_ADDRESS, /**< `to` alone */
};

/** What the hardware is asked to do to an event frame as it leaves (one-step). */
enum mt_insertion {
    MT_INSERT_NOTHING,
    MT_INSERT_ORIGIN, /**< originTimestamp := time of departure, its fraction += correctionField */
    MT_INSERT_RESIDENCE, /**< correctionField += time of departure - `arrival` */
};

struct mt_tx {
    uint16_t port;
    enum mt_destination destination;
    bool is_event;  /**< send on the event port and report the timestamp with the token */
    uint32_t token; /**< 1..2^24 - 1 for event frames, else 0 */
    size_t length;
    enum mt_insertion insertion;
    struct mt_instant arrival; /**< with MT_INSERT_RESIDENCE only */
    struct mt_address to;      /**< with MT_TO_ADDRESS only */
};

/** Takes the next frame to send and writes it into `buffer` (MT_PTP_MESSAGE_MAX octets always
 * suffice).  False if there is none.  A frame that does not fit is dropped and counted. */
bool mt_instance_next_tx(struct mt_instance *self, uint8_t *buffer, size_t capacity,
                         struct mt_tx *ret_tx);

enum mt_event_kind {
    MT_EVENT_STATE,           /**< a port changed its state */
    MT_EVENT_SAMPLE,          /**< a measurement of the local clock against the parent */
    MT_EVENT_PARENT,          /**< another parent, or none: parent_ds has changed its identity */
    MT_EVENT_REFERENCE,       /**< the same parent, but it follows another grandmaster */
    MT_EVENT_TIME_PROPERTIES, /**< time_properties_ds has changed */
};

struct mt_event {
    enum mt_event_kind kind;
    uint16_t port; /**< state, sample; for parent: the receiving port, 0 if this is grandmaster */
    union {
        struct {
            enum mt_port_state from;
            enum mt_port_state to;
        } state;
        struct mt_sample sample; /**< `source` is not set */
        /** Parent, reference: what was known of the clock's error still means something ... */
        struct {
            /** ... against the grandmaster: it is the one that was followed last, or ... */
            bool is_same_grandmaster;
            /** ... against TAI: that, or (for a new parent) both are traceable to it. */
            bool is_same_reference;
        } parent;
    } value;
};

/** Takes the next event.  State changes of one port between two drains are merged to one, and
 * an older undrained sample of a port gives way to the newer. */
bool mt_instance_next_event(struct mt_instance *self, struct mt_event *ret_event);

/* ---- data sets, read-only [clause 8] --------------------------------------------------------- */

enum mt_port_state mt_port_state_of(const struct mt_instance *self, uint16_t port);
/** The parent data set as announced; grandmaster == own identity while this clock is it. */
const struct mt_ptp_dataset *mt_instance_parent(const struct mt_instance *self);
/** The grandmaster that is followed, or was before this clock became its own; zero: never any. */
const struct mt_clock_identity *mt_instance_last_followed(const struct mt_instance *self);
const struct mt_time_properties *mt_instance_time_properties(const struct mt_instance *self);
/** The port in UNCALIBRATED or RECEIVER, 0 if there is none. */
uint16_t mt_instance_receiving_port(const struct mt_instance *self);

#endif
