/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Unicast PTP [1588-2019 16.1, 17.4]: the grantor, which serves clients one by one for as long as
 * it has granted; the requester, which asks a table of transmitters for service and follows the
 * best; and hybrid operation, where only Delay_Req and its answer are unicast.  Each belongs to
 * one port and is named in its struct mt_port_more.  Storage is the caller's and sized by him: a
 * grantor with 100 000 clients finds each by a hash and what is due next by a wheel of time slots,
 * so that a message costs the same however many there are.
 * A table that is full denies; nobody who has a grant loses it to a newcomer.
 * Thread rule: that of the instance.
 */
#ifndef MEANTIME_PTP_UNICAST_H
#define MEANTIME_PTP_UNICAST_H

#include "meantime/ptp.h"
#include "meantime/ptp_tlv.h"

/** What can be granted. */
enum mt_service { MT_SERVICE_ANNOUNCE, MT_SERVICE_SYNC, MT_SERVICE_DELAY_RESP };
#define MT_SERVICE_COUNT 3

#define MT_UNICAST_TLVS    8 /**< looked at in one Signaling message; more are ignored */
#define MT_UNICAST_REPLIES 4 /**< Signaling messages waiting to be drained; more are QUEUE_FULL */
#define MT_UNICAST_ANSWERS 8 /**< the same for Delay_Resps */

/* ---- grantor --------------------------------------------------------------------------------- */

struct mt_grantor_policy {
    bool negotiates;          /**< grants what is asked for, within the following */
    bool answers_all;         /**< answers unicast Delay_Req of clients without a grant (hybrid) */
    bool is_multicast_off;    /**< sends nothing to the multicast address */
    uint32_t max_per_address; /**< clients behind one address; 0 is 1 */
    uint32_t max_duration_s;  /**< longer requests are granted this long */
    /** The same for clients of whom nothing has been heard a second after their first grant; 0: as
     * others.  Whoever asks under a false address gets no more than this served there. */
    uint32_t first_duration_s;
    /** The same for those who do not send Delay_Req, as long as first_duration_s is not 0. */
    uint32_t one_way_duration_s;
    /** Requests for shorter intervals are denied. */
    int8_t shortest_log_interval[MT_SERVICE_COUNT];
    const struct mt_address_range *allowed; /**< who may ask; others are denied */
    uint16_t allowed_count;                 /**< 0: everybody may */
};

/** One service to one client. */
struct mt_grant {
    struct mt_mono due;     /**< the next message, or the expiry */
    struct mt_mono expires; /**< MT_MONO_NEVER: of a static client */
    uint32_t previous;      /**< in its time slot or in the list of those that are due */
    uint32_t next;
    uint16_t sequence;
    int8_t log_interval;
    uint8_t place; /**< 0: not granted */
};

struct mt_client {
    struct mt_address address;
    struct mt_port_identity identity; /**< of a static client: zero, any */
    uint16_t generation;              /**< tells one holder of this record from the next */
    uint16_t delay_sequence;          /**< of the newest Delay_Req */
    bool is_used;
    bool is_static;
    bool has_asked;       /**< a Delay_Req has come */
    bool is_proven;       /**< something has come since it was first granted something */
    struct mt_mono since; /**< when that was */
    struct mt_mono asked; /**< when the newest Delay_Req came */
    uint32_t next;        /**< in its bucket, or among the unused */
    uint32_t sent[MT_SERVICE_COUNT];
    struct mt_grant grants[MT_SERVICE_COUNT];
};

/** A Sync that was sent; its timestamp makes a Follow_Up. */
struct mt_grantor_token {
    uint32_t token; /**< 0: unused */
    uint32_t client;
    uint32_t next; /**< among those that have their stamp */
    uint16_t generation;
    uint16_t sequence;
    struct mt_instant departure;
};

/** Counts since the start.  Always: granted == active + cancelled + withdrawn + expired. */
struct mt_grant_book {
    uint64_t requested;
    uint64_t granted; /**< first grants */
    uint64_t renewed;
    uint64_t denied;    /**< requested == granted + renewed + denied */
    uint64_t cancelled; /**< by the client */
    uint64_t withdrawn; /**< by the grantor, which has no time to serve any more */
    uint64_t expired;
    uint64_t active;
    uint64_t sent;   /**< messages: Announce, Sync, Delay_Resp */
    uint64_t missed; /**< messages left out because nobody came in time to take them */
};

/** Arrays of the caller.  Their counts but that of the clients are powers of two. */
struct mt_grantor_storage {
    struct mt_client *clients;
    uint32_t client_count; /**< 0: no grants; then the other arrays may be null */
    uint32_t *buckets;
    uint32_t bucket_count; /**< about client_count */
    uint32_t *slots;
    uint32_t slot_count; /**< of about 1 ms each: 4096 for many clients, 16 for few */
    struct mt_grantor_token *tokens;
    uint32_t token_count; /**< Syncs whose stamp is awaited; the oldest is given up for a new one */
};

/** What one Signaling message says. */
struct mt_unicast_reply {
    struct mt_address to;
    struct mt_port_identity target;
    uint8_t count;
    struct mt_unicast_word {
        uint16_t type; /**< enum mt_tlv_type */
        struct mt_tlv_unicast value;
    } words[MT_UNICAST_TLVS];
};

struct mt_unicast_answer {
    struct mt_address to;
    struct mt_port_identity requester;
    uint16_t sequence;
    struct mt_instant arrival; /**< t4 */
    struct mt_interval correction;
};

struct mt_grantor {
    struct mt_grantor_policy policy;
    struct mt_grantor_storage storage;
    uint32_t secret; /**< of the hash: nobody can aim at one bucket */
    uint32_t unused; /**< first free client */
    uint32_t client_count;
    uint32_t due_first; /**< grants that are due, in the order in which they are served */
    uint32_t due_last;
    uint32_t stamped_first; /**< tokens whose Follow_Up is to be sent */
    uint32_t stamped_last;
    int64_t turned_to;  /**< the last time slot that has been looked at */
    int64_t first_slot; /**< none before this one holds anything */
    uint16_t signaling_sequence;
    uint8_t first_reply, reply_count;
    uint8_t first_answer, answer_count;
    struct mt_unicast_reply replies[MT_UNICAST_REPLIES];
    struct mt_unicast_answer answers[MT_UNICAST_ANSWERS];
    struct mt_grant_book books[MT_SERVICE_COUNT];
    uint64_t acknowledged;     /**< cancellations that clients have acknowledged */
    uint64_t delay_req_denied; /**< Delay_Reqs of clients that have no grant for them */
};

/** Grants everything to everybody: 1000 s at most, announce 1/8 s, others 1/128 s at least, 8
 * clients an address. */
void mt_grantor_policy_init(struct mt_grantor_policy *self);
/** seed: of the hash; from the system's entropy where clients may be hostile. */
void mt_grantor_init(struct mt_grantor *self, const struct mt_grantor_policy *policy,
                     const struct mt_grantor_storage *storage, uint32_t seed);
/** Unicast without negotiation: this address is sent Announce and Sync for ever and its Delay_Reqs
 * are answered.  Before mt_instance_init().  False if there is no room. */
bool mt_grantor_add_static(struct mt_grantor *self, const struct mt_address *address,
                           int8_t log_announce_interval, int8_t log_sync_interval);

/* ---- requester ------------------------------------------------------------------------------- */

/** What a transmitter of the table is good for now [linuxptp's numbers]. */
enum mt_requester_state {
    MT_REQUESTER_WAIT,          /**< nothing heard of it */
    MT_REQUESTER_HAVE_ANNOUNCE, /**< a candidate */
    MT_REQUESTER_NEED_SYNC,     /**< chosen; Sync and Delay_Resp are asked for */
    MT_REQUESTER_HAVE_SYNC,     /**< chosen and granted */
};
#define MT_REQUESTER_STATE_COUNT 4

/** Why a service is not had. */
enum mt_requester_trouble {
    MT_TROUBLE_NONE,
    MT_TROUBLE_UNANSWERED, /**< requests are */
    MT_TROUBLE_DENIED,
    MT_TROUBLE_CANCELLED, /**< by the transmitter */
    MT_TROUBLE_EXPIRED,   /**< without a renewal */
    MT_TROUBLE_SILENT,    /**< granted, but nothing comes: PTSF-lossAnnounce, PTSF-lossSync */
};
#define MT_TROUBLE_COUNT 6

/** A transmitter that may be followed. */
struct mt_unicast_transmitter {
    struct mt_address address; /**< network NONE: not known yet (a name that was not found) */
    uint8_t local_priority;    /**< takes the place of the port's */
    bool is_identity_known;
    struct mt_port_identity identity; /**< learned from its grant or Announce */
    enum mt_requester_state state;
    uint8_t failures;          /**< in a row */
    struct mt_mono held_until; /**< not listened to before: it could not serve; 0: it is */
    uint16_t signaling_sequence;
    uint8_t requests;         /**< bits of services to ask for */
    uint8_t cancels;          /**< ... to cancel */
    uint8_t acknowledgements; /**< bits of cancellations to acknowledge */
    struct mt_unicast_service {
        bool is_wanted;
        bool is_asked; /**< an answer is awaited */
        bool is_granted;
        int8_t log_interval;    /**< as granted */
        uint8_t tries;          /**< since it was last granted */
        uint8_t trouble;        /**< enum mt_requester_trouble, until it has been overcome */
        uint8_t silences;       /**< times that it was granted and did not come, in a row */
        struct mt_mono ask_at;  /**< for the first time, again, or for renewal */
        struct mt_mono expires; /**< if granted */
        struct mt_mono heard;   /**< the newest message of this service, or the grant */
    } services[MT_SERVICE_COUNT];
};

struct mt_requester_book {
    uint64_t asked;
    uint64_t granted;
    uint64_t denied;
    uint64_t unanswered;
    uint64_t cancelled;     /**< by the transmitter */
    uint64_t given_up;      /**< cancelled by us */
    uint64_t expired;       /**< without a renewal in time */
    uint64_t fallen_silent; /**< granted, but nothing comes */
    uint64_t failovers;     /**< transmitters that were left because they did not serve */
};

struct mt_requester {
    bool negotiates;     /**< false: transmitters send unasked (unicast without negotiation) */
    uint32_t duration_s; /**< to ask for */
    struct mt_unicast_transmitter *table;
    uint16_t count;
    uint16_t capacity; /**< of `table`; the caller may make it more than `count` */
    uint16_t leaving;  /**< behind `count`: those that are still to be told that they may stop */
    uint16_t selected; /**< index of the one that is followed, or `count` */
    bool is_running;   /**< the port is active */
    bool is_set;       /**< the table was set by management, until the next start */
    uint8_t local_priority;    /**< of whom management sets, since it says none; 128 */
    int8_t log_query_interval; /**< from one request without an answer to the next, at first */
    struct mt_requester_book book;
};

/** duration_s: 10..1000, 300 is usual.  The table's addresses and priorities are set by the caller;
 * the rest is cleared.  The capacity is `count` then. */
void mt_requester_init(struct mt_requester *self, struct mt_unicast_transmitter *table,
                       uint16_t count, bool negotiates, uint32_t duration_s);
/** The name of transmitter `index` has (another) address.  What was granted there is void.  Call
 * mt_instance_tick() after it. */
void mt_requester_set_address(struct mt_requester *self, uint16_t index,
                              const struct mt_address *address);

/** A table to be: `at` tells its entries, each address once; network NONE: not known yet. */
struct mt_requester_list {
    const void *context;
    uint16_t count;
    void (*at)(const void *context, uint16_t index, struct mt_address *ret_address,
               uint8_t *ret_local_priority);
};
/** Another table while the port runs: whoever stands in both keeps what it has granted, whoever is
 * left is told.  False, and nothing has changed, if there is no capacity for it.  Call
 * mt_instance_tick() after it. */
bool mt_requester_set_table(struct mt_instance *instance, struct mt_port *port,
                            const struct mt_requester_list *list);

/* ---- hybrid ---------------------------------------------------------------------------------- */

/** Sync comes by multicast; Delay_Req goes to the parent's address alone, once that is known. */
struct mt_hybrid {
    bool is_known;
    struct mt_port_identity parent;
    struct mt_address address;
};

extern const struct mt_extension mt_grantor_extension;
extern const struct mt_extension mt_requester_extension;
extern const struct mt_extension mt_hybrid_extension;

#endif
