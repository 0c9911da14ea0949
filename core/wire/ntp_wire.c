/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The NTP codec.
 *
 * What follows the header has no length of its own: in version 4 a remainder of 20 or 24 octets is
 * a message authentication code, of 4 zeros a refusal of one (crypto-NAK), and everything else must
 * begin with an extension field, which is why the last of these has 28 octets where no code follows
 * [RFC 7822 7.5].  In older versions all of it is a code.
 */
#include "meantime/ntp_wire.h"

#include "base/memory.h"
#include "wire/fields.h"

#define UNIX_EPOCH_S   INT64_C(2208988800) /* 1970-01-01, since 1900-01-01 */
#define ERA_S          (INT64_C(1) << 32)
#define MAC_128        20 /* key id and 16 octets */
#define MAC_160        24
#define CRYPTO_NAK     4
#define OLDEST_VERSION 1

/* ---- numbers --------------------------------------------------------------------------------- */

/* A server does this some hundred thousand times a second, and where NTP is spoken a few octets of
 * code do not matter: so the header is moved member by member and not by a table. */
static uint64_t get_u64(const uint8_t *octets)
{
    return (uint64_t)mt_octets_u32(octets) << 32 | mt_octets_u32(octets + 4);
}

static void put_u32(uint8_t *octets, uint32_t value)
{
    octets[0] = (uint8_t)(value >> 24);
    octets[1] = (uint8_t)(value >> 16);
    octets[2] = (uint8_t)(value >> 8);
    octets[3] = (uint8_t)value;
}

static void put_u64(uint8_t *octets, uint64_t value)
{
    put_u32(octets, (uint32_t)(value >> 32));
    put_u32(octets + 4, (uint32_t)value);
}

static void get_header(const uint8_t *octets, struct mt_ntp_header *header)
{
    header->stratum = octets[1];
    header->poll = (int8_t)octets[2];
    header->precision = (int8_t)octets[3];
    header->root_delay = mt_octets_u32(octets + 4);
    header->root_dispersion = mt_octets_u32(octets + 8);
    memcpy(header->reference_id, octets + 12, sizeof header->reference_id);
    header->reference = get_u64(octets + 16);
    header->origin = get_u64(octets + 24);
    header->receive = get_u64(octets + 32);
    header->transmit = get_u64(octets + 40);
}

/* ---- the packet ------------------------------------------------------------------------------ */

static bool is_crypto_nak(const uint8_t *octets, size_t length)
{
    return length == CRYPTO_NAK && (octets[0] | octets[1] | octets[2] | octets[3]) == 0;
}

static bool is_code(const uint8_t *octets, size_t length, uint8_t version)
{
    return length == MAC_128 || length == MAC_160 || is_crypto_nak(octets, length) ||
           (version < MT_NTP_VERSION && length > CRYPTO_NAK);
}

/* The octets of the extension field at `octets`; 0: there is none. */
static size_t field_size(const uint8_t *octets, size_t left)
{
    size_t size = left >= MT_NTP_EXTENSION_MIN ? mt_octets_u16(octets + 2) : 0;
    return size >= MT_NTP_EXTENSION_MIN && size % 4 == 0 && size <= left ? size : 0;
}

static bool split(const uint8_t *at, size_t left, struct mt_ntp_packet *packet)
{
    packet->extensions = at;
    packet->mac = NULL;
    packet->mac_length = 0;
    while (left > 0 && !is_code(at, left, packet->header.version)) {
        size_t size = field_size(at, left);
        if (size == 0) {
            return false;
        }
        at += size;
        left -= size;
    }
    packet->extensions_length = (size_t)(at - packet->extensions);
    if (left > 0) {
        packet->mac = at;
        packet->mac_length = left;
    }
    return true;
}

enum mt_ntp_form mt_ntp_parse(const uint8_t *octets, size_t length,
                              struct mt_ntp_packet *ret_packet)
{
    struct mt_ntp_header *header = &ret_packet->header;
    if (length < MT_NTP_HEADER_SIZE) {
        return MT_NTP_SHORT;
    }
    header->leap = octets[0] >> 6;
    header->version = octets[0] >> 3 & 7;
    header->mode = octets[0] & 7;
    if (header->version < OLDEST_VERSION || header->version > MT_NTP_VERSION ||
        header->mode >= MT_NTP_MODE_CONTROL) {
        return MT_NTP_VERSIONED;
    }
    get_header(octets, header);
    return split(octets + MT_NTP_HEADER_SIZE, length - MT_NTP_HEADER_SIZE, ret_packet)
               ? MT_NTP_WELL_FORMED
               : MT_NTP_EXTENSION;
}

void mt_ntp_write(const struct mt_ntp_header *header, uint8_t *octets)
{
    octets[0] =
        (uint8_t)((header->leap & 3u) << 6 | (header->version & 7u) << 3 | (header->mode & 7u));
    octets[1] = header->stratum;
    octets[2] = (uint8_t)header->poll;
    octets[3] = (uint8_t)header->precision;
    put_u32(octets + 4, header->root_delay);
    put_u32(octets + 8, header->root_dispersion);
    memcpy(octets + 12, header->reference_id, sizeof header->reference_id);
    put_u64(octets + 16, header->reference);
    put_u64(octets + 24, header->origin);
    put_u64(octets + 32, header->receive);
    put_u64(octets + 40, header->transmit);
}

/* ---- extension fields ------------------------------------------------------------------------ */

bool mt_ntp_extension_next(const uint8_t **at, size_t *length,
                           struct mt_ntp_extension *ret_extension)
{
    size_t size = field_size(*at, *length);
    if (size == 0) {
        return false;
    }
    ret_extension->type = mt_octets_u16(*at);
    ret_extension->value = *at + MT_NTP_EXTENSION_HEAD;
    ret_extension->length = (uint16_t)(size - MT_NTP_EXTENSION_HEAD);
    *at += size;
    *length -= size;
    return true;
}

size_t mt_ntp_extension_size(size_t length, size_t least)
{
    size_t size = (MT_NTP_EXTENSION_HEAD + length + 3) & ~(size_t)3;
    return size > least ? size : least;
}

size_t mt_ntp_extension_write(uint16_t type, const uint8_t *value, size_t length, size_t size,
                              uint8_t *octets, size_t capacity)
{
    if (size > capacity || size > UINT16_MAX || size % 4 != 0 || size < MT_NTP_EXTENSION_MIN ||
        length > size - MT_NTP_EXTENSION_HEAD) {
        return 0;
    }
    mt_octets_put_u16(octets, type);
    mt_octets_put_u16(octets + 2, (uint16_t)size);
    octets += MT_NTP_EXTENSION_HEAD;
    if (length > 0 && value != octets) {
        memmove(octets, value, length);
    }
    memset(octets + length, 0, size - MT_NTP_EXTENSION_HEAD - length);
    return size;
}

/* ---- time ------------------------------------------------------------------------------------ */

struct mt_instant mt_ntp_to_instant(mt_ntp_time time, const struct mt_instant *near)
{
    int64_t in_era_s = (int64_t)(time >> 32) - UNIX_EPOCH_S;
    uint64_t ns_q32 = (time & UINT32_MAX) * MT_NS_PER_S;
    /* the distance, modulo an era, from -2^31 to 2^31 - 1 */
    int64_t distance_s = (int32_t)(uint32_t)((uint64_t)in_era_s - (uint64_t)near->s);
    return (struct mt_instant){
        .s = near->s + distance_s,
        .ns = (uint32_t)(ns_q32 >> 32),
        .frac = (uint16_t)(ns_q32 >> 16),
        .scale = near->scale,
    };
}

mt_ntp_time mt_ntp_from_instant(const struct mt_instant *at)
{
    uint64_t ns_q32 = ((uint64_t)at->ns << 16 | at->frac) << 16;
    uint64_t fraction = (ns_q32 + MT_NS_PER_S / 2) / MT_NS_PER_S;
    mt_ntp_time time = ((uint64_t)(at->s + UNIX_EPOCH_S) << 32) + fraction;
    return time != 0 ? time : 1;
}

struct mt_interval mt_ntp_short_to_interval(uint32_t value)
{
    return (struct mt_interval){(int64_t)value * MT_NS_PER_S}; /* 2^-16 s, in 2^-16 ns */
}

uint32_t mt_ntp_short_from_interval(struct mt_interval interval)
{
    if (interval.q16 <= 0) {
        return 0;
    }
    uint64_t value = ((uint64_t)interval.q16 + MT_NS_PER_S - 1) / MT_NS_PER_S;
    return value > UINT32_MAX ? UINT32_MAX : (uint32_t)value;
}

/* 127.127.1.x is the local clock among ntpd's drivers, and chronyd's `local` and our local_stratum
 * say so, too; those of 127.127.t.u with another t are receivers.  Any other loopback address is an
 * orphan's. */
bool mt_ntp_is_own_clock(const struct mt_ntp_header *answer)
{
    static const uint8_t local[4] = {'L', 'O', 'C', 'L'};
    const uint8_t *id = answer->reference_id;

    if (answer->stratum <= 1) {
        return memcmp(id, local, sizeof local) == 0 || (id[0] == 127 && id[1] == 127 && id[2] == 1);
    }
    return id[0] == 127 && (id[1] != 127 || id[2] == 1);
}
