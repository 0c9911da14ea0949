/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Matching transmit timestamps.  The kernel numbers the frames of a socket (OPT_ID), but counts
 * some that never left and drops some that did, so the number cannot be trusted alone.  The frame
 * itself can: its PTP header says which message it is.  What lies before the PTP header depends
 * on the driver and on the interface (Ethernet, VLAN tags, tunnels, nothing), so the packet is
 * looked for: the first place where an IP header, its UDP header and a PTP version 2 header agree
 * about their lengths and the port, or where an Ethernet header, with or without VLAN tags, leads
 * to PTP.  A stamp that fits two frames is given to neither.
 * The number says where in the table to look first, so many may wait at little cost.
 */
#include "platform/linux/linux_tokens.h"

#include <string.h>

#define PTP_HEADER_SIZE  34
#define PDELAY_RESP      3
#define PDELAY_RESP_SIZE 54
#define IDENTITY_AT      20 /* sourcePortIdentity and sequenceId */
#define IDENTITY_SIZE    12
#define REQUESTER_AT     44
#define REQUESTER_SIZE   10
#define LINK_HEADER_MOST 64
#define IP4_HEADER_SIZE  20
#define IP4_TO_AT        16
#define IP4_ADDRESS_SIZE 4
#define IP6_HEADER_SIZE  40
#define IP6_TO_AT        24
#define UDP_HEADER_SIZE  8
#define PROTOCOL_UDP     17
#define MAC_SIZE         6
#define MACS_SIZE        12
#define TYPE_PTP         0x88F7
#define TYPE_TAG         0x8100
#define TYPE_OUTER_TAG   0x88A8
#define TAG_SIZE         4

static uint16_t u16(const uint8_t *at)
{
    return (uint16_t)(at[0] << 8 | at[1]);
}

bool mt_token_key_of(const uint8_t *message, size_t length, const struct mt_address *to,
                     struct mt_token_key *ret_key)
{
    struct mt_token_key key = {.to = *to};
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

/* ---- looped frames ----------------------------------------------------------------------- */

/* whether a PTP message begins here; padding and the two octets after it with IPv6 may follow */
static bool key_of_message(const uint8_t *ptp, size_t length, const struct mt_address *to,
                           struct mt_token_key *ret_key)
{
    if (length < PTP_HEADER_SIZE || (ptp[1] & 0xF) != 2 || u16(ptp + 2) > length) {
        return false;
    }
    return mt_token_key_of(ptp, length, to, ret_key);
}

/* whether a UDP datagram from `port` is what begins here and ends after `length` octets */
static bool key_of_datagram(const uint8_t *udp, size_t length, uint16_t port, struct mt_address *to,
                            struct mt_token_key *ret_key)
{
    if (length < UDP_HEADER_SIZE || u16(udp) != port || u16(udp + 4) != length) {
        return false;
    }
    to->udp_port = u16(udp + 2);
    return key_of_message(udp + UDP_HEADER_SIZE, length - UDP_HEADER_SIZE, to, ret_key);
}

/* whether such a packet begins here; it may be padded, as some drivers do */
static bool key_of_ip4(const uint8_t *ip, size_t length, uint16_t port,
                       struct mt_token_key *ret_key)
{
    struct mt_address to = {.network = MT_NETWORK_UDP_IPV4};
    size_t header = length < IP4_HEADER_SIZE ? 0 : (size_t)(ip[0] & 0xF) * 4;
    size_t total = header < IP4_HEADER_SIZE ? 0 : u16(ip + 2);

    if (total < header + UDP_HEADER_SIZE || total > length || ip[0] >> 4 != 4 ||
        ip[9] != PROTOCOL_UDP) {
        return false;
    }
    memcpy(to.octets, ip + IP4_TO_AT, IP4_ADDRESS_SIZE);
    return key_of_datagram(ip + header, total - header, port, &to, ret_key);
}

/* Ours have no extension headers. */
static bool key_of_ip6(const uint8_t *ip, size_t length, uint16_t port,
                       struct mt_token_key *ret_key)
{
    struct mt_address to = {.network = MT_NETWORK_UDP_IPV6};
    size_t payload = length < IP6_HEADER_SIZE ? 0 : u16(ip + 4);

    if (payload == 0 || payload > length - IP6_HEADER_SIZE || ip[0] >> 4 != 6 ||
        ip[6] != PROTOCOL_UDP) {
        return false;
    }
    memcpy(to.octets, ip + IP6_TO_AT, MT_ADDRESS_OCTETS);
    return key_of_datagram(ip + IP6_HEADER_SIZE, payload, port, &to, ret_key);
}

/* whether an Ethernet frame with PTP begins here */
static bool key_of_ethernet(const uint8_t *frame, size_t length, struct mt_token_key *ret_key)
{
    struct mt_address to = {.network = MT_NETWORK_IEEE_802_3};
    size_t at = MACS_SIZE;

    while (at + TAG_SIZE <= length &&
           (u16(frame + at) == TYPE_TAG || u16(frame + at) == TYPE_OUTER_TAG)) {
        at += TAG_SIZE;
    }
    if (at + 2 > length || u16(frame + at) != TYPE_PTP) {
        return false;
    }
    memcpy(to.octets, frame, MAC_SIZE);
    return key_of_message(frame + at + 2, length - at - 2, &to, ret_key);
}

bool mt_token_key_of_looped(const uint8_t *frame, size_t length, enum mt_network network,
                            uint16_t port, struct mt_token_key *ret_key)
{
    bool is_found = false;

    for (size_t at = 0; !is_found && at <= LINK_HEADER_MOST && at < length; at++) {
        switch (network) {
        case MT_NETWORK_NONE:
            break;
        case MT_NETWORK_UDP_IPV4:
            is_found = key_of_ip4(frame + at, length - at, port, ret_key);
            break;
        case MT_NETWORK_UDP_IPV6:
            is_found = key_of_ip6(frame + at, length - at, port, ret_key);
            break;
        case MT_NETWORK_IEEE_802_3:
            is_found = key_of_ethernet(frame + at, length - at, ret_key);
            break;
        }
    }
    return is_found;
}

/* ---- the table --------------------------------------------------------------------------- */

static struct mt_token_entry *oldest_waiting(struct mt_tokens *self)
{
    struct mt_token_entry *oldest = 0;

    for (size_t i = 0; i < MT_TOKENS_SIZE; i++) {
        struct mt_token_entry *entry = &self->entries[i];

        if (entry->state == MT_TOKEN_WAITING && (!oldest || entry->sent.ns < oldest->sent.ns)) {
            oldest = entry;
        }
    }
    return oldest;
}

/* Where it is looked for first.  There is room. */
static struct mt_token_entry *find_free(struct mt_tokens *self, uint32_t id)
{
    size_t i = id % MT_TOKENS_SIZE;

    while (self->entries[i].state != MT_TOKEN_FREE) {
        i = (i + 1) % MT_TOKENS_SIZE;
    }
    return &self->entries[i];
}

static void set_state(struct mt_tokens *self, struct mt_token_entry *entry,
                      enum mt_token_state state)
{
    self->waiting -= entry->state == MT_TOKEN_WAITING;
    self->given_up -= entry->state == MT_TOKEN_GIVEN_UP;
    entry->state = state;
    self->waiting += state == MT_TOKEN_WAITING;
    self->given_up += state == MT_TOKEN_GIVEN_UP;
}

bool mt_tokens_have_room(const struct mt_tokens *self)
{
    return self->waiting + self->given_up < MT_TOKENS_SIZE;
}

void mt_tokens_init(struct mt_tokens *self)
{
    memset(self, 0, sizeof *self);
    self->deadline = MT_MONO_NEVER;
}

void mt_tokens_add(struct mt_tokens *self, const struct mt_token_key *key, uint32_t token,
                   uint32_t id, struct mt_mono now)
{
    struct mt_token_entry *entry = find_free(self, id);

    if (self->waiting >= MT_TOKENS_WAITING) {
        set_state(self, oldest_waiting(self), MT_TOKEN_GIVEN_UP);
        self->deadline = now;
    }
    self->deadline = mt_mono_earlier(self->deadline, mt_mono_plus(now, MT_TOKEN_PATIENCE_NS));
    *entry = (struct mt_token_entry){MT_TOKEN_FREE, token, id, now, *key};
    set_state(self, entry, MT_TOKEN_WAITING);
}

static bool fits(const struct mt_token_entry *entry, const struct mt_token_key *key)
{
    return entry->state == MT_TOKEN_WAITING &&
           memcmp(entry->key.octets, key->octets, sizeof key->octets) == 0 &&
           mt_address_equal(&entry->key.to, &key->to) && entry->key.to.udp_port == key->to.udp_port;
}

static enum mt_token_match take(struct mt_tokens *self, struct mt_token_entry *entry,
                                uint32_t *ret_token)
{
    *ret_token = entry->token;
    self->sent = entry->sent;
    set_state(self, entry, MT_TOKEN_FREE);
    return MT_TOKEN_MATCHED;
}

static enum mt_token_match search(struct mt_tokens *self, const struct mt_token_key *key,
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
    return take(self, fitting > 1 ? by_id : only, ret_token);
}

/* Usually the frame with that number is this one. */
enum mt_token_match mt_tokens_match(struct mt_tokens *self, const struct mt_token_key *key,
                                    bool has_id, uint32_t id, uint32_t *ret_token)
{
    struct mt_token_entry *expected = &self->entries[id % MT_TOKENS_SIZE];

    if (has_id && expected->id == id && fits(expected, key)) {
        return take(self, expected, ret_token);
    }
    return search(self, key, has_id, id, ret_token);
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
            (void)take(self, entry, ret_token);
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
            set_state(self, &self->entries[i], MT_TOKEN_GIVEN_UP);
        }
    }
    self->deadline = (struct mt_mono){INT64_MIN};
}
