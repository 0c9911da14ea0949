/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef MEANTIME_PTP_SECURITY_PRIVATE_H
#define MEANTIME_PTP_SECURITY_PRIVATE_H

#include "meantime/ptp_more.h"
#include "meantime/ptp_security.h"
#include "meantime/ptp_tlv.h"
#include "ptp/ptp_private.h"

#define MT_AUTHENTICATION_HEAD  10 /* type, length, SPP, secParamIndicator, keyID */
#define MT_AUTHENTICATION_OFFER 4  /* bit of secParamIndicator: disclosedKey is there */

/* ---- codes (security.c) ---------------------------------------------------------------------- */

const struct mt_security_association *mt_security_find(const struct mt_security *self, int16_t spp);
/** Over the first `length` octets of a message. */
bool mt_security_code(const struct mt_security *self, bool is_mutable,
                      const struct mt_security_key *key, const uint8_t *message, size_t length,
                      uint8_t ret_code[MT_MAC_SIZE]);
/** In constant time. */
bool mt_security_equal(const uint8_t *a, const uint8_t *b, size_t length);
/** Of a message that has verified on `port`: true if it is an older one's repetition. */
bool mt_security_is_repeated(struct mt_security *self, uint16_t window,
                             const struct mt_ptp_message *message, uint16_t port,
                             struct mt_mono now);
/** Counts what became of a message. */
void mt_security_tally(struct mt_port_security *self, enum mt_verdict verdict);
/** The head of a TLV whose value is `rest_length` octets behind it. */
void mt_security_write_head(uint8_t *at, uint8_t spp, uint8_t flags, uint32_t key_id,
                            size_t rest_length);

/* ---- chains (security_chain.c) --------------------------------------------------------------- */

/** The interval of a time; below 1 and above `length`: there is none. */
int64_t mt_chain_interval(const struct mt_chain *self, int64_t time_ns);
/** What a sender signs `interval` with, and the key that it discloses (null: none yet).  False if
 * it has no seed, if the interval is not of the chain, or if its key has been disclosed already. */
bool mt_chain_sign(struct mt_chain *self, const struct mt_crypto *crypto, int64_t interval,
                   struct mt_security_key *ret_key, const uint8_t **ret_disclosed);
enum mt_chain_news {
    MT_CHAIN_RIGHT, /**< or too old to matter */
    MT_CHAIN_WRONG,
    MT_CHAIN_PUT_OFF, /**< it would take too many steps just now */
};
/** A receiver is told the key of `interval`. */
enum mt_chain_news mt_chain_disclose(struct mt_chain *self, const struct mt_crypto *crypto,
                                     uint32_t interval, const uint8_t key[MT_CHAIN_KEY_SIZE],
                                     struct mt_mono now);
/** What `interval` was signed with; it is not after self->known. */
void mt_chain_verifies_with(struct mt_chain *self, const struct mt_crypto *crypto,
                            uint32_t interval, struct mt_security_key *ret_key);

/* ---- delayed verification (security_delayed.c) ----------------------------------------------- */

/** Messages of a transmitter to all. */
bool mt_delayed_covers(enum mt_ptp_type type);
/** The TLV of a chain among the last two of a message, if there is one. */
bool mt_delayed_find(const struct mt_security *self, const struct mt_tlv_authentication *tlvs,
                     unsigned count, struct mt_tlv_authentication *ret_tlv);
/** Keeps a message, or refuses it. */
enum mt_verdict mt_delayed_rx(struct mt_instance *self, const struct mt_port *port,
                              const struct mt_incoming *in, const struct mt_tlv_authentication *tlv,
                              bool is_verified);
/** A place for a message: an empty one, or, if is_used, one whose message gives way; null: none. */
struct mt_security_held *mt_delayed_place(struct mt_instance *self, const struct mt_incoming *in);
/** Gives up what has waited too long; when there will be more of that. */
struct mt_mono mt_delayed_settle(struct mt_instance *self);
/** Whether the port signs messages of this type with a chain. */
bool mt_delayed_signs(const struct mt_security *self, const struct mt_port_security *policy,
                      enum mt_ptp_type type);
/** Octets of the TLV that this port would append to the message now; 0: none.  The code comes last,
 * when everything else of the frame is written. */
size_t mt_delayed_write(struct mt_security *self, const struct mt_port_security *policy,
                        enum mt_ptp_type type, uint8_t *at, size_t capacity, struct mt_mono now,
                        struct mt_security_key *ret_key);

#endif
