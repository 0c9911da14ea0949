/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * NTP in PTP messages [draft-ietf-ntp-over-ptp]: interfaces that stamp nothing but PTP stamp it,
 * and transparent clocks say how long they have held it.  The codec, and the extension field in
 * which a server hands a client the correction of the way there.
 * Thread rule: pure functions; any thread.
 */
#ifndef MEANTIME_NTP_PTP_H
#define MEANTIME_NTP_PTP_H

#include "meantime/ntp_wire.h"

#define MT_NTP_PTP_PORT   319 /**< UDP */
#define MT_NTP_PTP_DOMAIN 123
#define MT_NTP_PTP_HEAD   56 /**< octets before the NTP packet, at most */

/** EARLY is that of chrony 4.2 to 4.8, which knows no other. */
enum mt_ntp_ptp_form { MT_NTP_PTP_DRAFT, MT_NTP_PTP_EARLY };

struct mt_ntp_ptp {
    enum mt_ntp_ptp_form form;
    const uint8_t *packet; /**< of NTP, not looked into; a view into the message */
    size_t length;
    uint16_t sequence_id;
    struct mt_interval correction; /**< what transparent clocks have added; anybody may have */
};

/** False: it is no PTP message with NTP in it. */
bool mt_ntp_ptp_parse(const uint8_t *octets, size_t length, struct mt_ntp_ptp *ret_message);
/** Octets before the NTP packet. */
size_t mt_ntp_ptp_head(enum mt_ntp_ptp_form form);
/** Writes what comes before a packet of `length` octets, which lies behind it or will.  Returns the
 * length of the whole; 0: it does not fit `capacity`. */
size_t mt_ntp_ptp_write(enum mt_ntp_ptp_form form, uint16_t sequence_id, size_t length,
                        uint8_t *octets, size_t capacity);

/** A field of MT_NTP_EXTENSION_LAST octets; a client asks with 0.  Returns its size; 0: it does not
 * fit, or the correction is beyond a day. */
size_t mt_ntp_correction_write(struct mt_interval correction, uint8_t *octets, size_t capacity);
/** The first one of a packet; false: there is none, or it is beyond a day. */
bool mt_ntp_correction_read(const struct mt_ntp_packet *packet, struct mt_interval *ret_correction);

#endif
