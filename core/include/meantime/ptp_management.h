/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Management [1588-2019 clause 15] and linuxptp's additions to it: what an instance says of itself
 * to pmc, `meantime pmc`, phc2sys and management stations, and what it lets them change.
 * The caller owns a struct mt_management, fills in what the instance cannot know, and points
 * mt_instance_more.management to it before mt_instance_init().  Frames of the network reach it by
 * themselves; those of programs on the same machine through mt_management_local(), and their
 * replies leave through mt_instance_next_tx() with port 0.
 * Beside it: requests of neighbours for other message intervals, TLVs of Announces that boundary
 * clocks pass on, and alternate timescales.
 * What changes anything (SET, COMMAND) is obeyed from the local writable socket and from
 * authenticated peers; from all others it is refused and counted.
 * Thread rule: that of the instance.
 */
#ifndef MEANTIME_PTP_MANAGEMENT_H
#define MEANTIME_PTP_MANAGEMENT_H

#include "meantime/ptp_more.h"

#define MT_MANAGEMENT_TEXT_MAX    128 /**< octets of userDescription [15.5.3.1.3] */
#define MT_MANAGEMENT_REQUESTS    24  /**< waiting to be answered; more are dropped and counted */
#define MT_MANAGEMENT_SUBSCRIBERS 16  /**< of events; more are refused: GENERAL_ERROR */
#define MT_MANAGEMENT_CLIENTS     16  /**< local programs that answers of others are passed on to */
#define MT_MANAGEMENT_FAULTS      8   /**< records in FAULT_LOG; the oldest give way */
#define MT_MANAGEMENT_ACCEPTABLE  16  /**< acceptable transmitters in a table that was set */
#define MT_MANAGEMENT_BURST       16384 /**< octets of answers at once */
#define MT_RELAY_OCTETS           512 /**< of TLVs that are passed on; what is beyond is left out */

/** managementId [Table 59]. */
enum mt_management_id {
#define MT_MANAGEMENT_ID(name, id, scope, actions, length, get, set) MT_ID_##name = (id),
#include "meantime/management_id.def"
#undef MT_MANAGEMENT_ID
};

/** actionField [Table 57]. */
enum mt_management_action {
    MT_ACTION_GET,
    MT_ACTION_SET,
    MT_ACTION_RESPONSE,
    MT_ACTION_COMMAND,
    MT_ACTION_ACKNOWLEDGE,
};

/** managementErrorId [Table 109]. */
enum mt_management_error {
    MT_MANAGEMENT_OK = 0, /**< not on the wire */
    MT_MANAGEMENT_RESPONSE_TOO_BIG = 0x0001,
    MT_MANAGEMENT_NO_SUCH_ID = 0x0002,
    MT_MANAGEMENT_WRONG_LENGTH = 0x0003,
    MT_MANAGEMENT_WRONG_VALUE = 0x0004,
    MT_MANAGEMENT_NOT_SETABLE = 0x0005,
    MT_MANAGEMENT_NOT_SUPPORTED = 0x0006,
    MT_MANAGEMENT_UNPOPULATED = 0x0007,
    MT_MANAGEMENT_GENERAL_ERROR = 0xFFFE,
};

/** Bits of SUBSCRIBE_EVENTS_NP. */
enum mt_management_event {
    MT_NOTIFY_PORT_STATE,
    MT_NOTIFY_TIME_SYNC,
    MT_NOTIFY_PARENT_DATA_SET,
    MT_NOTIFY_CMLDS,
};
#define MT_NOTIFY_COUNT 4

/** How a port's frames are stamped, in linuxptp's numbers. */
enum mt_timestamping {
    MT_TIMESTAMPING_SOFTWARE,
    MT_TIMESTAMPING_HARDWARE,
    MT_TIMESTAMPING_LEGACY,
    MT_TIMESTAMPING_ONE_STEP,
    MT_TIMESTAMPING_P2P_ONE_STEP,
};

/** What the platform knows of a port. */
struct mt_management_port {
    const char *interface;      /**< name, null: unknown */
    const char *physical_layer; /**< physicalLayerProtocol, null: unknown */
    struct mt_address physical; /**< network 802.3: the MAC address */
    struct mt_address protocol; /**< of its transport; network 0: unknown */
    enum mt_timestamping timestamping;
    int32_t hardware_clock; /**< number of the hardware clock; -1: none */
    bool hardware_clock_is_virtual;
    /** Message interval requests of 802.1AS are obeyed, from 2^-7 s to 2^6 s; never those that
     * would stop messages. */
    bool obeys_intervals;
    /* private */
    int8_t initial_log_announce; /**< what a request for the initial interval goes back to */
    int8_t initial_log_sync;
    int8_t initial_log_pdelay;
    bool has_initial;
    uint8_t told_state;    /**< enum mt_port_state, as of the last notification */
    uint64_t told_samples; /**< MT_COUNT_SAMPLES, as of the last notification */
    uint64_t received[16]; /**< by messageType */
    uint64_t sent[16];
};

/** An alternate timescale that this clock announces [16.3]. */
#define MT_ZONES_MAX     4
#define MT_ZONE_NAME_MAX 10
struct mt_zone {
    uint8_t key; /**< as announced; of this clock's own ones the index in the table */
    bool is_enabled;
    int32_t offset_s;     /**< currentOffset */
    int32_t jump_s;       /**< jumpSeconds */
    uint64_t next_jump_s; /**< timeOfNextJump, 48 bits */
    uint8_t name_length;
    char name[MT_ZONE_NAME_MAX]; /**< displayName, not terminated */
};

/** What a profile may limit. */
enum mt_management_limited {
    MT_LIMITED_PRIORITY1,
    MT_LIMITED_PRIORITY2,
    MT_LIMITED_LOG_ANNOUNCE,
    MT_LIMITED_ANNOUNCE_TIMEOUT,
    MT_LIMITED_LOG_SYNC,
    MT_LIMITED_LOG_PDELAY,
    MT_LIMITED_ALTERNATES,
    MT_LIMITED_COUNT
};

/** A request whose answers have not been drained yet.  Private. */
struct mt_management_request {
    struct mt_port_identity requester;
    uint16_t sequence;
    uint16_t id;
    uint16_t error;      /**< enum mt_management_error of a request as a whole */
    uint16_t port_error; /**< of those of `failed` */
    uint64_t ports;      /**< bits of the ports that still answer; clock scope: bit 0 */
    uint64_t failed;
    uint16_t in_port; /**< where it came from; 0: a local program */
    bool is_limited;  /**< who asks is not known */
    uint8_t starting_hops;
    uint8_t hops;
    uint8_t action;       /**< of the answer */
    uint8_t key;          /**< first octet of the request's data */
    struct mt_address to; /**< network 0: to all */
};

struct mt_management_subscriber {
    bool is_used;
    uint8_t events; /**< bits of enum mt_management_event */
    uint16_t port;  /**< where it is; 0: on this machine */
    uint16_t sequence;
    struct mt_port_identity identity;
    struct mt_address address;
    struct mt_mono until;
};

struct mt_management {
    /* filled in by the caller */
    struct mt_management_port *ports; /**< one for each port of the instance */
    uint8_t manufacturer[3];          /**< an OUI; 0: none */
    uint8_t profile[6];               /**< profileIdentity; 0: none */
    const char *product;              /**< "manufacturer;model;instance" [15.5.3.1.2.7] */
    const char *revision;             /**< "hardware;firmware;software" */
    char user_description[MT_MANAGEMENT_TEXT_MAX + 1];
    /** A SET to anything else is answered WRONG_VALUE, or NOT_SETABLE where only one is left;
     * requests for message intervals are bound by it, too. */
    struct mt_management_limit {
        bool is_set;
        int16_t lowest;
        int16_t highest;
    } limits[MT_LIMITED_COUNT];
    bool ignores_network; /**< management messages of the network are neither answered nor
                                  passed on */
    /** What it measures on the port that receives goes out in Signaling [16.11]. */
    bool monitors;
    bool refuses_silently; /**< what may not be changed from the network is not even answered */
    /** Octets of answers in a second to stations of the network that are not authenticated, after
     * a first MT_MANAGEMENT_BURST, and as many of their requests that are passed on; what is beyond
     * is dropped and counted.  Such a station may be
     * somebody else than it says, and its answers be meant to drown that one.  0: no limit. */
    uint32_t answer_octets_per_s;
    /** The time, renewed by the caller before it hands in a management frame. */
    struct mt_instant time;
    struct mt_zone zones[MT_ZONES_MAX]; /**< of this clock; announced while it is grandmaster */

    /* counters */
    uint64_t requests;  /**< GET, SET and COMMAND for this clock */
    uint64_t changes;   /**< SET and COMMAND that were carried out */
    uint64_t refused;   /**< SET and COMMAND of those who may not */
    uint64_t forwarded; /**< messages passed on */
    uint64_t dropped;   /**< requests that found the queue full, answers that did not fit */
    uint64_t limited;   /**< answers and passed requests beyond answer_octets_per_s */
    uint64_t notifications;
    uint64_t relayed;     /**< TLVs of the parent's Announces put into our own */
    uint64_t not_relayed; /**< those for which there was no room */

    /* private */
    bool has_acceptable; /**< the table of the clock has been set; it is that of its ports then */
    uint16_t acceptable_count;
    struct mt_port_identity acceptable[MT_MANAGEMENT_ACCEPTABLE];
    struct mt_management_allowance {
        int64_t spent; /**< octets of MT_MANAGEMENT_BURST that have not come back yet */
        struct mt_mono at;
    } answered, passed;
    struct mt_management_request requests_waiting[MT_MANAGEMENT_REQUESTS];
    uint8_t request_first;
    uint8_t request_count;
    uint8_t wanted; /**< bits of the events that anybody has subscribed to */
    struct mt_management_subscriber subscribers[MT_MANAGEMENT_SUBSCRIBERS];
    struct mt_management_client {
        struct mt_port_identity identity;
        struct mt_address address;
    } clients[MT_MANAGEMENT_CLIENTS]; /**< newest first; network 0: none */
    struct {
        struct mt_mono at;
        uint16_t port;
    } faults[MT_MANAGEMENT_FAULTS]; /**< newest first */
    uint8_t fault_count;
    uint64_t told_parent;               /**< digest of the parent data set */
    struct mt_port_identity relay_from; /**< whose TLVs `relay` holds */
    uint16_t relay_length;
    uint16_t monitored_sync; /**< sequence of the Sync, of the Delay_Req that were told last */
    uint16_t monitored_delay_req;
    uint16_t monitoring_sequence;          /**< where the port has none */
    uint8_t monitoring;                    /**< what is to be told: bits of monitoring.c */
    struct mt_instant monitored_departure; /**< of the Delay_Req */
    uint8_t relay[MT_RELAY_OCTETS];
    struct mt_zone zones_heard[MT_ZONES_MAX]; /**< the parent's; is_enabled: there is one */
    uint8_t uncertainty;                      /**< SYNCHRONIZATION_UNCERTAIN_NP: 0, 1, 0xFF */
    uint64_t forward_ports; /**< bits of the ports that `forward` still leaves by */
    bool forward_to_local;
    struct mt_address forward_address;
    uint16_t forward_length;
    uint8_t forward[MT_PTP_MESSAGE_MAX];
};

/** Empties it and sets the defaults; `ports` is one for each port of the instance. */
void mt_management_init(struct mt_management *self, struct mt_management_port *ports,
                        uint16_t port_count);

/** A frame from a program on this machine.  `from` is its address, of one of the MT_NETWORK_LOCAL
 * networks, to which the replies go: mt_tx.port 0, MT_TO_ADDRESS.  Ignored without storage. */
enum mt_verdict mt_management_local(struct mt_instance *self, const uint8_t *frame, size_t length,
                                    const struct mt_address *from, struct mt_mono now);

extern const struct mt_extension mt_management_extension;

#endif
