/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The two stateless forms of PTP, in which a receiver asks and a server remembers nothing:
 *
 *     SPTP    Delay_Req ->   <- Sync with t4   <- Announce with t1, all that is announced, CF2
 *     CSPTP   Sync with CSPTP_REQUEST ->   <- Sync with t4, CF2 and status   <- Follow_Up with t1
 *
 * Called by platforms with worker threads (the pure functions), and through the extension by an
 * instance whose `more` has a service, or whose port has a client.
 * The server is two pure functions.  One makes the first frame of an answer out of a request and a
 * snapshot of what is announced; when the time of its departure is known, the other makes the
 * second one.  Nothing between them is kept but struct mt_stateless_rest, which the caller hands
 * from the one to the other, or forgets.  To a CSPTP request the frames together are never longer
 * than it was, unless `csptp_per_message`: then neither is.
 * Thread rule: the pure functions: any thread; service and client: that of the instance.
 */
#ifndef MEANTIME_PTP_STATELESS_H
#define MEANTIME_PTP_STATELESS_H

#include "meantime/ptp.h"
#include "meantime/ptp_unicast.h"

#define MT_STATELESS_FRAME_MAX    128 /**< no frame of an answer is longer */
#define MT_STATELESS_REQUEST_SIZE 176 /**< padded requests; both frames of any answer fit */
#define MT_STATELESS_SLOTS        32  /**< answers of an instance that wait for their timestamp */
#define MT_STATELESS_SERVERS      8   /**< that a client asks */
#define MT_STATELESS_TIMEOUT_NS   100000000
#define MT_CSPTP_SDO_ID           0x300

enum mt_stateless_form { MT_STATELESS_SPTP, MT_STATELESS_CSPTP };

/** Where CSPTP's TLVs differ between what is published of it; types 0xFF00 and 0xFF01 do not. */
struct mt_csptp_layout {
    const char *name;
    uint16_t status_type;
    uint8_t flags_octet; /**< which octet of CSPTP_REQUEST has the flags in its low bits */
    uint8_t prefix;      /**< octets before the values of CSPTP_RESPONSE and CSPTP_STATUS */
    bool has_parent;     /**< CSPTP_STATUS ends in the parent's address */
};
#define MT_CSPTP_LAYOUT_COUNT 3
/** "compact": CSPTP_STATUS is 0xF002 and has 18 octets; "prefixed": 0xF002, organisation id and
 * subtype before the values, parent's address; "full": 0xFF02, parent's address. */
extern const struct mt_csptp_layout mt_csptp_layouts[MT_CSPTP_LAYOUT_COUNT];

/* ---- server: pure functions ------------------------------------------------------------------ */

/** How it serves. */
struct mt_stateless_server {
    bool serves_sptp;
    bool serves_csptp;
    bool sptp_padded_only; /**< SPTP requests, too, must be as long as both frames together */
    /** The caller puts the time of departure into CSPTP's Sync, by mt_stateless_insert(): there is
     * no second frame. */
    bool csptp_one_step;
    bool csptp_per_message; /**< a CSPTP request must be as long as the longer of both frames */
    const struct mt_csptp_layout *layout;
    const struct mt_address_range *allowed; /**< who may ask; lives as long as this */
    uint16_t allowed_count;                 /**< 0: everybody */
};

/** What is announced: a snapshot. */
struct mt_served {
    bool is_serving; /**< there is a time that may be served */
    uint8_t domain;
    uint16_t sdo_id; /**< of SPTP */
    uint8_t minor_version;
    uint16_t flags; /**< octet 1 of flagField: leap, valid, timescale, traceable, uncertain */
    int16_t utc_offset;
    uint8_t time_source;
    struct mt_ptp_dataset dataset;
    struct mt_port_identity identity; /**< sourcePortIdentity of SPTP */
    struct mt_address parent;         /**< for layouts that have it; network 0: of length 0 */
};
void mt_served_take(const struct mt_instance *instance, const struct mt_port *port,
                    struct mt_served *ret_served);

enum mt_stateless_counter {
#define MT_STATELESS_COUNTER(symbol, name, meaning) MT_STATELESS_##symbol,
#include "meantime/stateless_counter.def"
#undef MT_STATELESS_COUNTER
    MT_STATELESS_COUNTER_COUNT
};

/** What the second frame needs of the request. */
struct mt_stateless_rest {
    enum mt_stateless_form form;
    uint8_t domain;
    bool is_one_step; /**< there is no second frame */
    uint16_t sequence;
    uint16_t path; /**< SPTP: ALTERNATE_RESPONSE_PORT; the answer takes another way for each */
    struct mt_interval correction; /**< of the request, less the fraction of t4 */
    struct mt_address to;          /**< for both frames */
};

struct mt_stateless_answer {
    size_t length; /**< of the first frame, an event message */
    uint8_t frame[MT_STATELESS_FRAME_MAX];
    struct mt_stateless_rest rest;
};

/** Answers a request, or says why not.  `arrival`: t4, null: none; `from`: its sender, null: not
 * known.  Writes nothing but the answer, and that only with MT_STATELESS_ANSWERED. */
enum mt_stateless_counter mt_stateless_answer(const struct mt_stateless_server *self,
                                              const struct mt_served *served,
                                              const uint8_t *request, size_t length,
                                              const struct mt_instant *arrival,
                                              const struct mt_address *from,
                                              struct mt_stateless_answer *ret_answer);
/** Of an answer whose rest says is_one_step: it leaves at `departure`. */
void mt_stateless_insert(struct mt_stateless_answer *answer, const struct mt_instant *departure);
/** The second frame, a general message, for a first one that left at `departure`.  Its octets, at
 * most MT_STATELESS_FRAME_MAX; 0 if `capacity` is too small. */
size_t mt_stateless_finish(const struct mt_served *served, const struct mt_stateless_rest *rest,
                           const struct mt_instant *departure, uint8_t *buffer, size_t capacity);

/** The UDP port for the second frame: 0 (the standard's, 320), or that of a requester which does
 * not ask from 319.  The first one goes to rest->to as it is. */
uint16_t mt_stateless_general_port(const struct mt_stateless_rest *rest);

/* ---- service of an instance ------------------------------------------------------------------ */

/** One answer under way. */
struct mt_stateless_slot {
    enum mt_stateless_stage {
        MT_SLOT_FREE,
        MT_SLOT_FIRST,    /**< the first frame waits to be drained */
        MT_SLOT_DEPARTED, /**< its timestamp is awaited */
        MT_SLOT_SECOND,   /**< the second frame waits to be drained */
    } stage;
    uint16_t port;
    uint32_t token;
    struct mt_mono since;
    struct mt_instant departure;
    struct mt_stateless_answer answer;
};

/** Answers requests that come to the ports of an instance, in its own thread. */
struct mt_stateless_service {
    struct mt_stateless_server server;
    uint64_t counters[MT_STATELESS_COUNTER_COUNT];
    uint64_t by_workers[MT_STATELESS_COUNTER_COUNT]; /**< the same of a platform's threads */
    struct mt_stateless_slot slots[MT_STATELESS_SLOTS];
};
void mt_stateless_service_init(struct mt_stateless_service *self,
                               const struct mt_stateless_server *server);

/* ---- client ---------------------------------------------------------------------------------- */

/** One server that is asked, one exchange at a time. */
struct mt_stateless_peer {
    struct mt_address address; /**< network NONE: not known yet */
    /* private */
    bool is_asking; /**< an exchange is under way */
    bool is_due;    /**< the request waits to be drained */
    bool has_departure;
    bool has_sync;
    bool has_rest; /**< Announce or Follow_Up, or a one-step Sync */
    bool has_status;
    uint16_t sequence;
    uint32_t token;
    struct mt_mono ask_at;     /**< when to ask next */
    struct mt_mono void_at;    /**< when the exchange is given up */
    struct mt_stamp departure; /**< t3 */
    struct mt_stamp arrival;   /**< t2 */
    struct mt_instant t1;
    struct mt_instant t4;
    struct mt_interval forward;   /**< CF1 */
    struct mt_interval reverse;   /**< CF2 */
    struct mt_ptp_message status; /**< what it announces, as an Announce */
    uint64_t asked;
    uint64_t finished; /**< answered in full */
    uint64_t measured; /**< and used, since it is the parent */
    uint64_t timeouts; /**< unanswered, or not wholly, or without transmit timestamp */
};

/** Follows the best of some servers on a port of a receiver-only instance with one port.  It owns
 * the port: messages of ordinary transmitters are refused there (NOT_REQUESTED), Delay_Req are not
 * sent.  Each finished exchange counts as an Announce of its server, so the instance's own
 * algorithm chooses and fails over; it sets log_announce_interval of the port.
 * Exchanges with the parent become one forward and one reverse sample each. */
struct mt_stateless_client {
    enum mt_stateless_form form;
    const struct mt_csptp_layout *layout;
    int8_t log_interval; /**< -7..4 */
    bool pads_requests;  /**< SPTP; CSPTP's always are */
    uint16_t path;       /**< SPTP: to go in ALTERNATE_RESPONSE_PORT */
    uint16_t peer_count;
    struct mt_stateless_peer peers[MT_STATELESS_SERVERS];
    uint64_t bogus; /**< answers, so they say, that nobody had asked for */
    /* private */
    bool has_reverse; /**< the second sample of an exchange, until the first is drained */
    struct mt_stamp reverse_local;
    struct mt_span reverse_value;
};
/** `addresses`: the servers; more than MT_STATELESS_SERVERS are left out. */
void mt_stateless_client_init(struct mt_stateless_client *self, enum mt_stateless_form form,
                              const struct mt_csptp_layout *layout, int8_t log_interval,
                              const struct mt_address *addresses, size_t count);

/** From now on that server is at another address; an exchange that is under way is given up.
 * Until a first one is known (network NONE) nobody is asked. */
void mt_stateless_client_set_address(struct mt_stateless_client *self, uint16_t index,
                                     const struct mt_address *address);

/** Serves as instance->config.more->stateless says, asks as its port's more->stateless does. */
extern const struct mt_extension mt_stateless_extension;

#endif
