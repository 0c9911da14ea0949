/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * PTP messages: bytes <-> values [1588-2019 clause 13 and 14].
 * A parser reads from the caller's frame and never copies TLVs: views point into the frame and
 * live as long as it does.  It accepts versionPTP 2 with any minorVersionPTP, messageLength
 * smaller than the frame (what follows is link padding and is ignored), and nothing that
 * reaches over either end.  A writer fills the caller's buffer and returns the length, 0 if it
 * does not fit.  For every accepted frame, writing what was parsed and parsing that again
 * gives the same values.
 * Thread rule: pure functions; any thread.
 */
#ifndef MEANTIME_PTP_WIRE_H
#define MEANTIME_PTP_WIRE_H

#include <stddef.h>

#include "meantime/time.h"
#include "meantime/verdict.h"

#define MT_PTP_HEADER_SIZE       34
#define MT_PTP_ANNOUNCE_SIZE     64
#define MT_PTP_MESSAGE_MAX       1500 /**< nothing longer is written, but longer frames parse */
#define MT_PTP_LOG_INTERVAL_NONE 0x7F

struct mt_clock_identity {
    uint8_t octet[8];
};

struct mt_port_identity {
    struct mt_clock_identity clock;
    uint16_t port;
};

/** memcmp order: -1, 0, 1. */
int mt_clock_identity_compare(const struct mt_clock_identity *a, const struct mt_clock_identity *b);
/** Clock identity first, then port number: -1, 0, 1. */
int mt_port_identity_compare(const struct mt_port_identity *a, const struct mt_port_identity *b);

static inline bool mt_clock_identity_equal(const struct mt_clock_identity *a,
                                           const struct mt_clock_identity *b)
{
    return mt_clock_identity_compare(a, b) == 0;
}

static inline bool mt_port_identity_equal(const struct mt_port_identity *a,
                                          const struct mt_port_identity *b)
{
    return mt_port_identity_compare(a, b) == 0;
}

enum mt_ptp_type {
    MT_PTP_SYNC = 0x0,
    MT_PTP_DELAY_REQ = 0x1,
    MT_PTP_PDELAY_REQ = 0x2,
    MT_PTP_PDELAY_RESP = 0x3,
    MT_PTP_FOLLOW_UP = 0x8,
    MT_PTP_DELAY_RESP = 0x9,
    MT_PTP_PDELAY_RESP_FOLLOW_UP = 0xA,
    MT_PTP_ANNOUNCE = 0xB,
    MT_PTP_SIGNALING = 0xC,
    MT_PTP_MANAGEMENT = 0xD,
};

/** flagField as one number: octet 0 in the high byte, octet 1 in the low one [13.3.2.8]. */
enum mt_ptp_flag {
    MT_PTP_ALTERNATE = 0x0100,
    MT_PTP_TWO_STEP = 0x0200,
    MT_PTP_UNICAST = 0x0400,
    MT_PTP_PROFILE_SPECIFIC_1 = 0x2000,
    MT_PTP_PROFILE_SPECIFIC_2 = 0x4000,
    MT_PTP_LEAP_61 = 0x0001,
    MT_PTP_LEAP_59 = 0x0002,
    MT_PTP_UTC_OFFSET_VALID = 0x0004,
    MT_PTP_TIMESCALE = 0x0008,
    MT_PTP_TIME_TRACEABLE = 0x0010,
    MT_PTP_FREQUENCY_TRACEABLE = 0x0020,
    MT_PTP_UNCERTAIN = 0x0040,
};

struct mt_ptp_header {
    enum mt_ptp_type type;
    uint16_t sdo_id;       /**< 12 bits: majorSdoId << 8 | minorSdoId */
    uint8_t minor_version; /**< 0..15; ours is 1 */
    uint8_t domain;
    uint16_t length; /**< messageLength; set by the writers */
    uint16_t flags;  /**< enum mt_ptp_flag */
    struct mt_interval correction;
    uint32_t type_specific;
    struct mt_port_identity source;
    uint16_t sequence;
    int8_t log_interval; /**< logMessageInterval; 0x7F: not given */
};

/** A 48-bit second and a nanosecond below 1e9 [5.3.3]. */
struct mt_ptp_timestamp {
    uint64_t s;
    uint32_t ns;
};

struct mt_clock_quality {
    uint8_t clock_class;
    uint8_t accuracy;  /**< enumeration of 7.6.2.6: 0x20 25 ns ... 0xFE unknown */
    uint16_t variance; /**< offsetScaledLogVariance */
};

struct mt_ptp_announce {
    struct mt_ptp_timestamp origin;
    int16_t utc_offset;
    uint8_t priority1;
    struct mt_clock_quality quality;
    uint8_t priority2;
    struct mt_clock_identity grandmaster;
    uint16_t steps_removed;
    uint8_t time_source;
};

/** Delay_Resp, Pdelay_Resp and Pdelay_Resp_Follow_Up: a timestamp and whose request it answers. */
struct mt_ptp_response {
    struct mt_ptp_timestamp at;
    struct mt_port_identity requester;
};

struct mt_ptp_management {
    struct mt_port_identity target;
    uint8_t starting_hops;
    uint8_t hops;
    uint8_t action; /**< 0 GET, 1 SET, 2 RESPONSE, 3 COMMAND, 4 ACKNOWLEDGE */
};

struct mt_ptp_message {
    struct mt_ptp_header header;
    union {
        struct mt_ptp_timestamp origin;  /**< Sync, Delay_Req, Pdelay_Req, Follow_Up */
        struct mt_ptp_response response; /**< Delay_Resp, Pdelay_Resp, Pdelay_Resp_Follow_Up */
        struct mt_ptp_announce announce;
        struct mt_port_identity target; /**< Signaling */
        struct mt_ptp_management management;
    } body;
    const uint8_t *tlvs; /**< the TLVs, all of them well formed; inside the caller's frame */
    size_t tlvs_length;  /**< octets up to messageLength */
};

/** Parses one message.  Returns MT_VERDICT_ACCEPTED and writes `ret_message`, or says why not:
 * SHORT, VERSION, TYPE, LENGTH, TLV or FIELD (nanoseconds of 1e9 or more). */
enum mt_verdict mt_ptp_parse(const uint8_t *frame, size_t length,
                             struct mt_ptp_message *ret_message);

/** Writes header and body, then `message->tlvs` if there are any (they may already stand in their
 * place in `buffer`); sets messageLength and the version-2 controlField.  Returns the octets
 * written, 0 if `capacity` or MT_PTP_MESSAGE_MAX is too small or the type is reserved. */
size_t mt_ptp_write(const struct mt_ptp_message *message, uint8_t *buffer, size_t capacity);

/** True for Sync, Delay_Req, Pdelay_Req and Pdelay_Resp: those that are timestamped. */
static inline bool mt_ptp_is_event(enum mt_ptp_type type)
{
    return type <= MT_PTP_PDELAY_RESP;
}

/** The instant that a timestamp names; a correction is added to it as a span. */
struct mt_instant mt_ptp_timestamp_to_instant(const struct mt_ptp_timestamp *at,
                                              enum mt_timescale scale);
/** Splits an instant into the timestamp and the fraction that belongs into a correctionField.
 * Instants before the epoch or past 48 bits of seconds are clamped. */
void mt_ptp_timestamp_from_instant(const struct mt_instant *at,
                                   struct mt_ptp_timestamp *ret_timestamp,
                                   struct mt_interval *ret_fraction);

#endif
