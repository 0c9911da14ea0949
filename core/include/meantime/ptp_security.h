/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * PTP's integrated security [1588-2019 16.14], immediate verification: what an instance sends ends
 * in an AUTHENTICATION TLV, what it hears without one, or with one that does not verify, is refused
 * and counted (UNAUTHENTICATED, FORGED), and what repeats an older message is STALE.
 * Ports whose `spp` is MT_SECURITY_OFF are left alone.
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

struct mt_security_key {
    uint32_t id; /**< keyID, 1.. */
    enum mt_mac mac;
    uint8_t length;
    uint8_t octets[MT_MAC_KEY_MAX];
};

/** A security association: who shares it shares its keys. */
struct mt_security_association {
    uint8_t spp; /**< security parameter pointer: names the association in messages */
    /** correctionField is left out of the code (taken as 0), for transparent clocks on the path
     * that know no key; then whoever is on the path can change it unseen. */
    bool allows_mutable;
    /** By how many messages a sequenceId may run ahead of the last one from the same sender;
     * 0: neither that nor repetition is looked at. */
    uint16_t sequence_window;
    const struct mt_security_key *keys;
    uint16_t key_count;
};

/** Somebody whose messages have verified: sequence numbers go up. */
struct mt_security_sender {
    bool is_used;
    uint8_t known; /**< bits of the types that have been heard */
    struct mt_port_identity source;
    struct mt_mono heard[MT_SECURITY_TYPES];
    uint16_t newest[MT_SECURITY_TYPES];
};

struct mt_security {
    const struct mt_crypto *crypto;
    const struct mt_security_association *associations;
    uint16_t association_count;
    /** Storage; when it is full the sender that has been silent for longest gives way. */
    struct mt_security_sender *senders;
    uint16_t sender_count;
};

/** Of a port. */
struct mt_port_security {
    int16_t spp;     /**< of its association, or MT_SECURITY_OFF */
    uint32_t key_id; /**< with which it sends; it verifies with every key of the association */
};

extern const struct mt_extension mt_security_extension;

#endif
