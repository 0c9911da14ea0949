/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Event frames that wait for their transmit timestamp, and the search for the one that a looped
 * frame belongs to.  The kernel returns a timestamp together with the frame as it left, link and
 * network headers included; linux_udp.c adds what it sends, finds what comes back, and takes out
 * what is given up.  Each token that was added leaves exactly once: matched or given up.
 * Thread rule: no system calls, no globals; one thread at a time for each object.
 */
#ifndef MEANTIME_LINUX_TOKENS_H
#define MEANTIME_LINUX_TOKENS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "meantime/ptp_address.h"
#include "meantime/time.h"

#define MT_TOKENS_WAITING    2048 /**< one more, and the oldest is given up */
#define MT_TOKENS_SIZE       2560 /**< waiting and given up, until they are taken out */
#define MT_TOKEN_PATIENCE_NS 1000000000
#define MT_TOKEN_KEY_SIZE    25

/** What names an event message: domain, sdoId, sourcePortIdentity, type, sequenceId; for
 * Pdelay_Resp requestingPortIdentity too; and where it was sent. */
struct mt_token_key {
    uint8_t octets[MT_TOKEN_KEY_SIZE];
    struct mt_address to; /**< with its UDP port */
};

enum mt_token_state { MT_TOKEN_FREE, MT_TOKEN_WAITING, MT_TOKEN_GIVEN_UP };

struct mt_token_entry {
    enum mt_token_state state;
    uint32_t token;
    uint32_t id; /**< the kernel's count of stamped frames: OPT_ID */
    struct mt_mono sent;
    struct mt_token_key key;
};

struct mt_tokens {
    struct mt_token_entry entries[MT_TOKENS_SIZE];
    size_t waiting;
    size_t given_up;
    struct mt_mono deadline; /**< nothing is given up before this */
    struct mt_mono sent;     /**< of the one that was taken out last */
};

enum mt_token_match { MT_TOKEN_MATCHED, MT_TOKEN_UNKNOWN, MT_TOKEN_AMBIGUOUS };

/** The key of a PTP message; false if it is too short to have one. */
bool mt_token_key_of(const uint8_t *message, size_t length, const struct mt_address *to,
                     struct mt_token_key *ret_key);
/** Finds the packet of this network (UDP: from our `port`) inside a looped frame, whatever lies
 * before it, and takes the key of the PTP message in it; false if there is none. */
bool mt_token_key_of_looped(const uint8_t *frame, size_t length, enum mt_network network,
                            uint16_t port, struct mt_token_key *ret_key);

void mt_tokens_init(struct mt_tokens *self);
/** False if the table is full of tokens that nobody takes out; then none may be added. */
bool mt_tokens_have_room(const struct mt_tokens *self);
void mt_tokens_add(struct mt_tokens *self, const struct mt_token_key *key, uint32_t token,
                   uint32_t id, struct mt_mono now);
/** Finds the token of a looped frame and takes it out.  The OPT_ID, where there is one, chooses
 * only among frames that are otherwise equal. */
enum mt_token_match mt_tokens_match(struct mt_tokens *self, const struct mt_token_key *key,
                                    bool has_id, uint32_t id, uint32_t *ret_token);
/** Takes out one token that has been given up by `now`. */
bool mt_tokens_next_given_up(struct mt_tokens *self, uint32_t *ret_token, struct mt_mono now);
/** When to ask for the next one that is given up; may be early, is never late. */
struct mt_mono mt_tokens_deadline(const struct mt_tokens *self);
/** Gives up all that wait: their socket is gone. */
void mt_tokens_give_up(struct mt_tokens *self);

#endif
