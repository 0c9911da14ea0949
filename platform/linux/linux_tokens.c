/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Matching transmit timestamps.  The kernel numbers the frames of a socket (OPT_ID), but counts
 * some that never left and drops some that did, so the number cannot be trusted alone.  The frame
 * itself can: its PTP header says which message it is.  What lies before the PTP header depends
 * on the driver and on the interface (Ethernet, VLAN tags, tunnels, nothing), so the packet is
 * looked for: the first place where an IPv4 header, its UDP header and a PTP version 2 header
 * agree about their lengths and the port.  A stamp that fits two frames is given to neither.
 */
#include "platform/linux/linux_tokens.h"

#include <string.h>

#define PTP_HEADER_SIZE   34
#define PDELAY_RESP       3
#define PDELAY_RESP_SIZE  54
#define IDENTITY_AT       20 /* sourcePortIdentity and sequenceId */
#define IDENTITY_SIZE     12
#define REQUESTER_AT      44
#define REQUESTER_SIZE    10
#define LINK_HEADER_MOST  64
#define IP_HEADER_SIZE    20
#define UDP_HEADER_SIZE   8
#define PROTOCOL_UDP      17
#define IP_DESTINATION_AT 16

static uint16_t u16(const uint8_t *at)
{
    return (uint16_t)(at[0] << 8 | at[1]);
}

bool mt_token_key_of(const uint8_t *message, size_t length, uint32_t destination,
                     struct mt_token_key *ret_key)
{
    struct mt_token_key key = {.destination = destination};
    bool is_response = length > 0 && (message[0] & 0xF) == PDELAY_RESP;

    if (length < (is_response ? PDELAY_RESP_SIZE : PTP_HEADER_SIZE)) {
        return false;
    }
    key.octets[0] = message[0]; /* majorSdoId, messageType */
    key.octets[1] = message[4]; /* domainNumber */
    key.octets[2] = message[5]; /* minorSdoId */
    memcpy(key.octets + 3, message + IDENTITY_AT, IDENTITY_SIZE);
    if (is_response) {
        memcpy(key.octets + 3 + IDENTITY_SIZE, message + REQUESTER_AT, REQUESTER_SIZE);
    }
    *ret_key = key;
    return true;
}

/* whether a UDP datagram to `port` with a PTP message begins here; `length` is at least that of
 * the two headers */
static bool key_of_datagram(const uint8_t *udp, size_t length, uint16_t port, uint32_t destination,
                            struct mt_token_key *ret_key)
{
    const uint8_t *ptp = udp + UDP_HEADER_SIZE;
    size_t payload = length - UDP_HEADER_SIZE;

    if (u16(udp + 2) != port || u16(udp + 4) != length || (ptp[1] & 0xF) != 2 ||
        u16(ptp + 2) > payload) {
        return false;
    }
    return mt_token_key_of(ptp, payload, destination, ret_key);
}

/* whether such a packet begins here; it may be padded, as some drivers do */
static bool key_of_packet(const uint8_t *ip, size_t length, uint16_t port,
                          struct mt_token_key *ret_key)
{
    size_t header = (size_t)(ip[0] & 0xF) * 4;
    size_t total = u16(ip + 2);
    uint32_t destination;

    if (ip[0] >> 4 != 4 || header < IP_HEADER_SIZE || total > length ||
        total < header + UDP_HEADER_SIZE + PTP_HEADER_SIZE || ip[9] != PROTOCOL_UDP) {
        return false;
    }
    memcpy(&destination, ip + IP_DESTINATION_AT, sizeof destination);
    return key_of_datagram(ip + header, total - header, port, destination, ret_key);
}

bool mt_token_key_of_looped(const uint8_t *frame, size_t length, uint16_t port,
                            struct mt_token_key *ret_key)
{
    size_t least = IP_HEADER_SIZE + UDP_HEADER_SIZE + PTP_HEADER_SIZE;

    for (size_t at = 0; at <= LINK_HEADER_MOST && at + least <= length; at++) {
        if (key_of_packet(frame + at, length - at, port, ret_key)) {
            return true;
        }
    }
    return false;
}

static struct mt_token_entry *oldest_waiting(struct mt_tokens *self, unsigned *ret_count)
{
    struct mt_token_entry *oldest = 0;

    *ret_count = 0;
    for (size_t i = 0; i < MT_TOKENS_SIZE; i++) {
        struct mt_token_entry *entry = &self->entries[i];

        if (entry->state == MT_TOKEN_WAITING) {
            ++*ret_count;
            oldest = !oldest || entry->sent.ns < oldest->sent.ns ? entry : oldest;
        }
    }
    return oldest;
}

static size_t find_free(const struct mt_tokens *self)
{
    size_t i = 0;

    while (i < MT_TOKENS_SIZE && self->entries[i].state != MT_TOKEN_FREE) {
        i++;
    }
    return i;
}

bool mt_tokens_have_room(const struct mt_tokens *self)
{
    return find_free(self) < MT_TOKENS_SIZE;
}

void mt_tokens_init(struct mt_tokens *self)
{
    memset(self, 0, sizeof *self);
    self->deadline = MT_MONO_NEVER;
}

void mt_tokens_add(struct mt_tokens *self, const struct mt_token_key *key, uint32_t token,
                   uint32_t id, struct mt_mono now)
{
    unsigned count;
    struct mt_token_entry *oldest = oldest_waiting(self, &count);

    if (count >= MT_TOKENS_WAITING) {
        oldest->state = MT_TOKEN_GIVEN_UP;
        self->deadline = now;
    }
    self->deadline = mt_mono_earlier(self->deadline, mt_mono_plus(now, MT_TOKEN_PATIENCE_NS));
    self->entries[find_free(self)] =
        (struct mt_token_entry){MT_TOKEN_WAITING, token, id, now, *key};
}

static bool fits(const struct mt_token_entry *entry, const struct mt_token_key *key)
{
    return entry->state == MT_TOKEN_WAITING && entry->key.destination == key->destination &&
           memcmp(entry->key.octets, key->octets, sizeof key->octets) == 0;
}

enum mt_token_match mt_tokens_match(struct mt_tokens *self, const struct mt_token_key *key,
                                    bool has_id, uint32_t id, uint32_t *ret_token)
{
    struct mt_token_entry *only = 0;
    struct mt_token_entry *by_id = 0;
    unsigned fitting = 0;
    unsigned fitting_by_id = 0;

    for (size_t i = 0; i < MT_TOKENS_SIZE; i++) {
        if (fits(&self->entries[i], key)) {
            only = &self->entries[i];
            fitting++;
            if (has_id && only->id == id) {
                by_id = only;
                fitting_by_id++;
            }
        }
    }
    if (fitting == 0) {
        return MT_TOKEN_UNKNOWN;
    }
    if (fitting > 1 && fitting_by_id != 1) {
        return MT_TOKEN_AMBIGUOUS;
    }
    only = fitting > 1 ? by_id : only;
    only->state = MT_TOKEN_FREE;
    *ret_token = only->token;
    return MT_TOKEN_MATCHED;
}

static struct mt_mono given_up_at(const struct mt_token_entry *entry)
{
    switch (entry->state) {
    case MT_TOKEN_FREE:
        break;
    case MT_TOKEN_WAITING:
        return mt_mono_plus(entry->sent, MT_TOKEN_PATIENCE_NS);
    case MT_TOKEN_GIVEN_UP:
        return (struct mt_mono){INT64_MIN};
    }
    return MT_MONO_NEVER;
}

bool mt_tokens_next_given_up(struct mt_tokens *self, uint32_t *ret_token, struct mt_mono now)
{
    struct mt_mono deadline = MT_MONO_NEVER;

    if (now.ns < self->deadline.ns) {
        return false;
    }
    for (size_t i = 0; i < MT_TOKENS_SIZE; i++) {
        struct mt_token_entry *entry = &self->entries[i];
        struct mt_mono at = given_up_at(entry);

        if (at.ns <= now.ns) {
            entry->state = MT_TOKEN_FREE;
            *ret_token = entry->token;
            return true;
        }
        deadline = mt_mono_earlier(deadline, at);
    }
    self->deadline = deadline;
    return false;
}

struct mt_mono mt_tokens_deadline(const struct mt_tokens *self)
{
    return self->deadline;
}

void mt_tokens_give_up(struct mt_tokens *self)
{
    for (size_t i = 0; i < MT_TOKENS_SIZE; i++) {
        if (self->entries[i].state == MT_TOKEN_WAITING) {
            self->entries[i].state = MT_TOKEN_GIVEN_UP;
        }
    }
    self->deadline = (struct mt_mono){INT64_MIN};
}
