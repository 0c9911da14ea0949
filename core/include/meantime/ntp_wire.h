/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * NTP packets as values [RFC 5905, RFC 7822], in both directions: the header, the extension fields
 * behind it, and what authenticates them at the end.  For core/ntp, for servers' worker threads and
 * for tools.
 * Nothing here is kept or allocated; views point into the caller's octets.
 * Thread rule: pure functions; any thread.
 */
#ifndef MEANTIME_NTP_WIRE_H
#define MEANTIME_NTP_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "meantime/time.h"

#define MT_NTP_PORT        123
#define MT_NTP_VERSION     4
#define MT_NTP_HEADER_SIZE 48
#define MT_NTP_PACKET_MAX  1472 /**< what fits an Ethernet frame over IPv4 */
#define MT_NTP_STRATUM_MAX 15   /**< beyond it nothing is synchronised; 0 is a kiss of death */

enum mt_ntp_leap {
    MT_NTP_LEAP_NONE,
    MT_NTP_LEAP_61,
    MT_NTP_LEAP_59,
    MT_NTP_LEAP_UNKNOWN, /**< not synchronised */
};

enum mt_ntp_mode {
    MT_NTP_MODE_RESERVED,
    MT_NTP_MODE_SYMMETRIC_ACTIVE,
    MT_NTP_MODE_SYMMETRIC_PASSIVE,
    MT_NTP_MODE_CLIENT,
    MT_NTP_MODE_SERVER,
    MT_NTP_MODE_BROADCAST,
    MT_NTP_MODE_CONTROL,
    MT_NTP_MODE_PRIVATE,
};

/** Seconds since 1900-01-01 in units of 2^-32 s, modulo 2^32 s: the era is not told.  0: none. */
typedef uint64_t mt_ntp_time;

struct mt_ntp_header {
    uint8_t leap;    /**< enum mt_ntp_leap */
    uint8_t version; /**< 1..4 */
    uint8_t mode;    /**< enum mt_ntp_mode */
    uint8_t stratum;
    int8_t poll;              /**< log2 s */
    int8_t precision;         /**< log2 s */
    uint32_t root_delay;      /**< 2^-16 s */
    uint32_t root_dispersion; /**< 2^-16 s */
    uint8_t reference_id[4];  /**< stratum 0 and 1: letters; above: of the server's source */
    mt_ntp_time reference;
    mt_ntp_time origin;
    mt_ntp_time receive;
    mt_ntp_time transmit;
};

/** A well-formed packet: header, extension fields, message authentication code. */
struct mt_ntp_packet {
    struct mt_ntp_header header;
    const uint8_t *extensions; /**< what mt_ntp_extension_next() walks over */
    size_t extensions_length;
    const uint8_t *mac; /**< key id and digest, right behind the extension fields; null: none */
    size_t mac_length;  /**< 4: a crypto-NAK */
};

enum mt_ntp_form {
    MT_NTP_WELL_FORMED,
    MT_NTP_SHORT,     /**< shorter than its header */
    MT_NTP_VERSIONED, /**< of a version that is not spoken, or its header is another one */
    MT_NTP_EXTENSION, /**< an extension field has a length that is not allowed, or runs over */
};

/** `octets` are whole UDP payloads of any length.  Sets all of *ret_packet if it is well-formed. */
enum mt_ntp_form mt_ntp_parse(const uint8_t *octets, size_t length,
                              struct mt_ntp_packet *ret_packet);
/** Writes MT_NTP_HEADER_SIZE octets. */
void mt_ntp_write(const struct mt_ntp_header *header, uint8_t *octets);

/* ---- extension fields ------------------------------------------------------------------------ */

enum mt_ntp_extension_type {
    MT_NTP_EXT_NETWORK_CORRECTION = 0x010A,
    MT_NTP_EXT_UNIQUE_IDENTIFIER = 0x0104,
    MT_NTP_EXT_NTS_COOKIE = 0x0204,
    MT_NTP_EXT_NTS_PLACEHOLDER = 0x0304,
    MT_NTP_EXT_NTS_AUTHENTICATOR = 0x0404,
    MT_NTP_EXT_CHECKSUM_COMPLEMENT = 0x2005,
};

#define MT_NTP_EXTENSION_HEAD 4
#define MT_NTP_EXTENSION_MIN  16 /**< octets, its head and padding included ... */
#define MT_NTP_EXTENSION_LAST 28 /**< ... and of the last one where no code follows */

struct mt_ntp_extension {
    uint16_t type;
    uint16_t length;      /**< of the value, padding included */
    const uint8_t *value; /**< its head is MT_NTP_EXTENSION_HEAD octets before */
};

/** Steps over one of a packet's extension fields; false at the end. */
bool mt_ntp_extension_next(const uint8_t **at, size_t *length,
                           struct mt_ntp_extension *ret_extension);
/** The octets that a value of `length` takes as a field, padded to four and to `least`. */
size_t mt_ntp_extension_size(size_t length, size_t least);
/** Writes a field of `size` octets, the value first, zeros behind it; `value` may be null if
 * `length` is 0, or lie in its place already.  Returns `size`; 0 if it does not fit. */
size_t mt_ntp_extension_write(uint16_t type, const uint8_t *value, size_t length, size_t size,
                              uint8_t *octets, size_t capacity);

/** It says itself that it follows nothing: it serves its own clock, as it happens to be.  Who
 * follows such a server says no more of it than of others. */
bool mt_ntp_is_own_clock(const struct mt_ntp_header *answer);

/* ---- time ------------------------------------------------------------------------------------ */

/** In POSIX seconds and `scale`, in the era that brings it nearest to `near`, within 68 years. */
struct mt_instant mt_ntp_to_instant(mt_ntp_time time, const struct mt_instant *near);
/** To the nearest 2^-32 s; never 0, which means none. */
mt_ntp_time mt_ntp_from_instant(const struct mt_instant *at);
/** root_delay and root_dispersion. */
struct mt_interval mt_ntp_short_to_interval(uint32_t value);
/** Rounded up; negative: 0; too large: the largest there is. */
uint32_t mt_ntp_short_from_interval(struct mt_interval interval);

#endif
