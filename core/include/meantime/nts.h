/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Network Time Security for NTP [RFC 8915 5]: the extension fields of questions and answers.  A
 * client has got two keys and some cookies from a key exchange, which is not in the core; a cookie
 * is those keys, sealed with a key that the server alone knows, so that it need not remember
 * anybody.  Each question spends a cookie, each answer brings fresh ones.
 *
 * Client and server of NTP reach this by one pointer each (mt_ntp_client_config.nts,
 * mt_ntp_server.nts); where it is null, nothing of this is linked.  Random octets are handed in.
 * Thread rule: a client belongs to one thread; a server and its ring are read only while they
 * serve, for any number of them.
 */
#ifndef MEANTIME_NTS_H
#define MEANTIME_NTS_H

#include "meantime/crypto.h"
#include "meantime/ntp_wire.h"
#include "meantime/prng.h"

#define MT_NTS_COOKIES       8 /**< that a client holds, at most */
#define MT_NTS_COOKIE_LEAST  12
#define MT_NTS_COOKIE_MAX    256
#define MT_NTS_UNIQUE_SIZE   32
#define MT_NTS_UNIQUE_MAX    128 /**< of others; longer ones are not answered */
#define MT_NTS_NONCE_SIZE    16
#define MT_NTS_CLIENT_RANDOM (MT_NTS_UNIQUE_SIZE + MT_NTS_NONCE_SIZE)
#define MT_NTS_PACKET_MAX    1232 /**< what IPv6 carries everywhere */

/** Of one association. */
struct mt_nts_keys {
    enum mt_aead aead;
    uint8_t c2s[MT_AEAD_KEY_MAX]; /**< of questions */
    uint8_t s2c[MT_AEAD_KEY_MAX]; /**< of answers */
};

enum mt_nts_verdict {
    MT_NTS_ABSENT,  /**< no such fields */
    MT_NTS_GENUINE, /**< by who has the keys, and unchanged */
    MT_NTS_REFUSED, /**< client: the server knows the cookie no more; server: so it is, tell him */
    MT_NTS_FORGED,
};

/* ---- client ---------------------------------------------------------------------------------- */

struct mt_nts_cookie {
    uint16_t length;
    uint8_t octets[MT_NTS_COOKIE_MAX];
};

struct mt_nts_client;
struct mt_nts_client_ops {
    /** Appends the fields to a question of `length` octets; returns the new length.  0: there is
     * no cookie, or no room. */
    size_t (*sign)(struct mt_nts_client *self, const uint8_t random[MT_NTS_CLIENT_RANDOM],
                   uint8_t *packet, size_t length, size_t capacity);
    /** Takes the cookies out of a genuine answer to the last question. */
    enum mt_nts_verdict (*verify)(struct mt_nts_client *self, const uint8_t *octets,
                                  const struct mt_ntp_packet *packet);
    /** The last question is not waited for any more. */
    void (*give_up)(struct mt_nts_client *self);
};

struct mt_nts_client {
    const struct mt_nts_client_ops *ops;
    const struct mt_crypto *crypto;
    bool has_keys;
    bool has_answered; /**< somebody who has the present keys, or had the last ones */
    bool is_refused;   /**< the last question was, by somebody; an answer may still come */
    uint8_t count;     /**< cookies in the jar */
    struct mt_nts_keys keys;
    uint8_t unique[MT_NTS_UNIQUE_SIZE]; /**< of the last question */
    struct mt_nts_cookie jar[MT_NTS_COOKIES];
    uint64_t refusals; /**< keys that were given up because the server did not know them */
};

void mt_nts_client_init(struct mt_nts_client *self, const struct mt_crypto *crypto);
/** Of a new key exchange: the jar is empty then. */
void mt_nts_client_set_keys(struct mt_nts_client *self, const struct mt_nts_keys *keys);
/** False: the jar is full, or this is no cookie that fits a field. */
bool mt_nts_client_add_cookie(struct mt_nts_client *self, const uint8_t *octets, size_t length);
/** Without another key exchange there are no more questions. */
bool mt_nts_client_needs_keys(const struct mt_nts_client *self);

/* ---- cookies: server ------------------------------------------------------------------------- */

#define MT_NTS_RING           4
#define MT_NTS_RING_KEY_SIZE  32
#define MT_NTS_RING_RANDOM    (4 + 2 * MT_NTS_RING_KEY_SIZE + 16)
#define MT_NTS_OWN_COOKIE_MAX (4 + MT_NTS_NONCE_SIZE + MT_AEAD_TAG + 4 + 2 * MT_AEAD_KEY_MAX)

struct mt_nts_ring_key {
    bool is_known;
    uint32_t id; /**< its place is the number's last two bits */
    uint8_t octets[MT_NTS_RING_KEY_SIZE];
};

/** The keys of cookies: `current` makes them; the one after it is known beforehand, so that who
 * exchanges keys and who answers need not change at the same moment; the two before are still
 * taken. */
struct mt_nts_ring {
    uint32_t current;
    struct mt_nts_ring_key keys[MT_NTS_RING];
    uint8_t secret[16]; /**< makes nonces that nobody can tell who got */
};

void mt_nts_ring_init(struct mt_nts_ring *self, const uint8_t random[MT_NTS_RING_RANDOM]);
/** The next key becomes the current one, `fresh` the one after it. */
void mt_nts_ring_rotate(struct mt_nts_ring *self, const uint8_t fresh[MT_NTS_RING_KEY_SIZE]);
/** Returns the octets of the cookie, a multiple of four; 0: there is no key to make it. */
size_t mt_nts_cookie_make(const struct mt_crypto *crypto, const struct mt_nts_ring *ring,
                          const struct mt_nts_keys *keys, struct mt_prng *random,
                          uint8_t ret_octets[MT_NTS_OWN_COOKIE_MAX]);
bool mt_nts_cookie_open(const struct mt_crypto *crypto, const struct mt_nts_ring *ring,
                        const uint8_t *octets, size_t length, struct mt_nts_keys *ret_keys);

/* ---- server ---------------------------------------------------------------------------------- */

/** What an answer needs of its question. */
struct mt_nts_reply {
    enum mt_nts_verdict verdict;
    struct mt_nts_keys keys;
    const uint8_t *unique; /**< a field, in the question */
    uint16_t unique_size;
    uint8_t wanted; /**< cookies */
    uint8_t nonce[MT_NTS_NONCE_SIZE];
    size_t plain_length; /**< of what lies ready to be sealed */
};

struct mt_nts_server;
struct mt_nts_server_ops {
    enum mt_nts_verdict (*judge)(const struct mt_nts_server *self, const uint8_t *octets,
                                 const struct mt_ntp_packet *packet,
                                 struct mt_nts_reply *ret_reply);
    /** Appends to an answer's header what does not depend on its departure, and lays out the
     * cookies behind it, for the answer not to become longer than `most` octets.  Returns the
     * length up to which the answer is finished. */
    size_t (*begin)(const struct mt_nts_server *self, struct mt_prng *random,
                    struct mt_nts_reply *reply, uint8_t *packet, size_t length, size_t most);
    /** Seals what lies ready.  Returns the length of the whole; 0: it cannot be. */
    size_t (*finish)(const struct mt_nts_server *self, const struct mt_nts_reply *reply,
                     uint8_t *packet, size_t length, size_t capacity);
};

struct mt_nts_server {
    const struct mt_nts_server_ops *ops;
    const struct mt_crypto *crypto;
    struct mt_nts_ring ring;
};

/** The caller fills the ring. */
void mt_nts_server_init(struct mt_nts_server *self, const struct mt_crypto *crypto);

#endif
