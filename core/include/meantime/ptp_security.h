/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * PTP's integrated security [1588-2019 16.14]: what an instance sends ends in AUTHENTICATION TLVs,
 * what it hears without one, or with one that does not verify, is refused and counted
 * (UNAUTHENTICATED, FORGED), and what repeats an older message is STALE.
 * Immediate verification: sender and receiver share a key.  Ports whose `spp` is MT_SECURITY_OFF
 * have none.  Delayed verification, as TESLA [RFC 4082]: only the sender knows the key with which
 * it signs; it discloses it some intervals later, and until then the receiver keeps the message.
 * After each call that hands something in, call mt_security_next() until it is false.
 * Keys may be exchanged at any time between two calls of the instance: associations and keys are
 * the caller's, looked at anew for each frame.
 * Thread rule: that of the instance.
 */
#ifndef MEANTIME_PTP_SECURITY_H
#define MEANTIME_PTP_SECURITY_H

#include "meantime/crypto.h"
#include "meantime/ptp.h"

#define MT_SECURITY_OFF        (-1)
#define MT_SECURITY_TYPES      7 /**< message types with a sequence of their own */
#define MT_SECURITY_SILENCE_NS INT64_C(10000000000) /**< after this a sender may begin anew */
#define MT_SECURITY_OCTETS     384 /**< of the longest message that can wait for its key */
#define MT_SECURITY_WAIT_NS    INT64_C(4000000000) /**< for it, beyond the time of its disclosure */
#define MT_CHAIN_KEY_SIZE      32
#define MT_CHAIN_LENGTH_MAX    65536
#define MT_CHAIN_ERROR_MAX_NS  INT64_C(3600000000000)
/** Steps along a chain that are made for any frame, each the work of one code, and those that are
 * made in MT_CHAIN_REST_NS for all frames that ask for more than that; a frame that asks for still
 * more is heard once in that time.  So keys that nobody has disclosed cannot keep a receiver
 * busy. */
#define MT_CHAIN_STEPS_EACH 4
#define MT_CHAIN_STEPS      256
#define MT_CHAIN_REST_NS    INT64_C(1000000000)

struct mt_security_key {
    uint32_t id; /**< keyID, 1.. */
    enum mt_mac_kind mac;
    uint8_t length;
    uint8_t octets[MT_MAC_KEY_MAX];
};

/** One-way chain of keys, one for each interval of time, used from 1 to `length` and each derived
 * from the one after it: with f = HMAC-SHA256, key i = f(key i+1, 0), and what interval i is signed
 * with is f(key i, 1) [RFC 4082 3.2, 3.3].  keyID is the number of the interval; disclosedKey is
 * the key of `disclosure_delay` intervals before.  Storage is the caller's; mt_chain_init(). */
struct mt_chain {
    /* filled in by the caller */
    enum mt_mac_kind mac;
    uint32_t length;          /**< 1 to MT_CHAIN_LENGTH_MAX */
    uint32_t interval_ms;     /**< 1.. */
    uint8_t disclosure_delay; /**< 1.. intervals */
    int64_t start_s;          /**< of interval 1, in seconds of the timescale that is announced */
    /** How wrong the local clock may be against the sender's for as long as it has no bound of its
     * own (mt_clock_condition): up to MT_CHAIN_ERROR_MAX_NS. */
    int64_t max_error_ns;
    bool has_seed;   /**< this clock sends with it */
    bool has_anchor; /**< may be left out with a seed, which leads to it */
    bool has_sender; /**< only this clock's messages are of the chain */
    struct mt_clock_identity sender;
    uint8_t seed[MT_CHAIN_KEY_SIZE];   /**< the last key, known to the sender alone */
    uint8_t anchor[MT_CHAIN_KEY_SIZE]; /**< key 0, known to everybody */
    /** With a seed: keys on the way, at least one; the more, the fewer steps from one interval to
     * the next: length / checkpoint_count. */
    uint8_t (*checkpoints)[MT_CHAIN_KEY_SIZE];
    uint16_t checkpoint_count;

    /* private */
    uint32_t known; /**< the newest key that has been disclosed to this receiver */
    uint8_t known_key[MT_CHAIN_KEY_SIZE];
    struct mt_mono rests_until;
    uint32_t steps_left; /**< before that */
    uint32_t derived;    /**< interval of `derived_key`, not after `known`; 0: none */
    uint8_t derived_key[MT_CHAIN_KEY_SIZE];
    uint32_t signs;     /**< interval of `signs_with`; 0: none */
    uint32_t disclosed; /**< by this sender, at the most */
    uint8_t disclosed_key[MT_CHAIN_KEY_SIZE];
    uint8_t signs_with[MT_CHAIN_KEY_SIZE];
};

/** False if the seed does not lead to the anchor.  Takes `length` codes with a seed. */
bool mt_chain_init(struct mt_chain *self, const struct mt_crypto *crypto);

/** A security association: who shares it shares its keys. */
struct mt_security_association {
    uint8_t spp; /**< security parameter pointer: names the association in messages */
    /** correctionField is left out of the code (taken as 0), for transparent clocks on the path
     * that know no key; then whoever is on the path can change it unseen. */
    bool allows_mutable;
    /** By how many messages a sequenceId may run ahead of the last one from the same sender, beyond
     * those that can have been sent since and were lost; 0: neither that nor repetition is looked
     * at.  That of Signaling and management may by any number: many count those to all stations
     * together. */
    uint16_t sequence_window;
    const struct mt_security_key *keys;
    uint16_t key_count;
    struct mt_chain *chain; /**< instead of keys: delayed verification */
};

/** A message that waits for its key.  Private. */
struct mt_security_held {
    bool is_used;
    bool has_stamp;
    bool has_from;
    bool is_verified; /**< immediately, by the other TLV */
    uint8_t spp;
    uint16_t port;
    uint16_t length;
    uint16_t covered; /**< octets before the code */
    uint32_t interval;
    uint64_t order;
    struct mt_mono until;
    struct mt_stamp stamp;             /**< its own, with which it is acted on */
    struct mt_delay_exchange question; /**< that it answers; token 0: none */
    struct mt_address from;
    uint8_t frame[MT_SECURITY_OCTETS];
};

/** Somebody whose messages have verified: sequence numbers go up, apart for those to everybody and
 * those to one station [7.3.7]. */
struct mt_security_sender {
    bool is_used;
    bool is_unicast;
    uint8_t known; /**< bits of the types that have been heard */
    struct mt_port_identity source;
    struct mt_mono heard[MT_SECURITY_TYPES];
    uint16_t newest[MT_SECURITY_TYPES];
    uint64_t ways[MT_SECURITY_TYPES]; /**< bits of the ports that have heard the newest */
};

struct mt_security {
    const struct mt_crypto *crypto;
    const struct mt_security_association *associations;
    uint16_t association_count;
    /** Storage; when it is full the sender that has been silent for longest gives way. */
    struct mt_security_sender *senders;
    uint16_t sender_count;
    /** Storage for delayed verification; when it is full a message of whoever has most of it, or
     * any, gives way to a new one and is QUEUE_FULL. */
    struct mt_security_held *held;
    uint16_t held_max;

    /* counters of delayed verification */
    uint64_t held_total; /**< messages that waited for their key */
    uint64_t verified;   /**< of those: their code was right */
    uint64_t expired;    /**< of those: no key came; their verdict is UNAUTHENTICATED */
    uint64_t unsafe;     /**< refused: their key may have been known already; FORGED */
    uint64_t full;       /**< gave way to newer ones, or were too long; QUEUE_FULL */
    uint64_t wrong_keys; /**< disclosed keys that are not of the chain; FORGED */
    uint64_t not_signed; /**< frames sent before the chain begins, after its end, without time */
    uint16_t held_count; /**< that wait now */

    /* private */
    uint64_t held_order;
    bool is_releasing; /**< the frame that comes in now has waited */
    bool has_time;
    int64_t time_ns; /**< the local clock's reading at `time_told` */
    struct mt_mono time_told;
};

/** Of a port. */
struct mt_port_security {
    int16_t spp;     /**< of its association, or MT_SECURITY_OFF */
    uint32_t key_id; /**< with which it sends; it verifies with every key of the association */
    /** Delayed verification: Announce, Sync, Follow_Up and Delay_Resp are signed with the chain of
     * this association, if it has a seed, and refused without a code of any chain of the instance.
     * Together with `spp` both codes are there, and both must be right: the delayed one says who
     * sent the message, the immediate one, the last TLV, protects its correctionField, too. */
    bool is_delayed;
    uint8_t delayed_spp;

    /* counters */
    uint64_t sent_signed;   /**< frames that left with each code that they ought to have */
    uint64_t sent_unsigned; /**< frames that lack one: no such key, no room, no time in the chain */
    uint64_t verified;      /**< frames heard that were right, and new */
    uint64_t missing;       /**< frames heard without a code that they ought to have */
    uint64_t forged;        /**< frames whose code was wrong, or whose key was known to others */
    uint64_t repeated;      /**< frames that were right once */
};

/** Delayed verification lives in intervals of time: what the clock reads at `now`.  To be told at
 * the start, whenever the clock has been stepped, and every few seconds besides. */
void mt_security_tell_time(struct mt_security *self, struct mt_instant reading, struct mt_mono now);

/** Hands the oldest message whose key has been disclosed to its port, with its own receive stamp;
 * it is counted as received only now.  False if there is none. */
bool mt_security_next(struct mt_instance *self, struct mt_mono now);

extern const struct mt_extension mt_security_extension;

#endif
