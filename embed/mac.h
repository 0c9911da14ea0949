/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * An Ethernet controller, as the links above it see it (embed/ether_link.h, and lwIP in firmware/).
 * A board fills the table; it polls or is woken by interrupts, but never calls back.
 * Stamps are readings of the counter or clock that the board's hal clock turns into local time.
 * Thread rule: one thread at a time, never an interrupt.
 */
#ifndef MEANTIME_EMBED_MAC_H
#define MEANTIME_EMBED_MAC_H

#include <stddef.h>

#include "hal/clock.h"
#include "meantime/ptp_wire.h"

#define MT_MAC_OCTETS    6
#define MT_MAC_FRAME_MAX 1518 /**< from destination to the end of the data, one VLAN tag included */

struct mt_mac;

/** The fate of a frame that was sent with a token. */
struct mt_mac_sent {
    uint32_t token;
    bool has_stamp;
    struct mt_base_time stamp;
};

struct mt_mac_received {
    size_t length; /**< octets in the caller's buffer: without preamble and check sequence */
    bool has_stamp;
    struct mt_base_time stamp; /**< when its first octet passed, as near as the board knows */
};

struct mt_mac_ops {
    /** Sends one frame, from destination address to data; what is too short is padded.  A token
     * other than 0 asks for its stamp, which sent() gives in time.  False: no room, it is gone. */
    bool (*send)(struct mt_mac *self, const uint8_t *frame, size_t length, uint32_t token);
    /** Takes the oldest frame received; false if there is none.  Damaged ones and those that do
     * not fit are dropped. */
    bool (*receive)(struct mt_mac *self, uint8_t *buffer, size_t capacity,
                    struct mt_mac_received *ret_received);
    /** Takes the next transmit stamp; false if none has come since. */
    bool (*sent)(struct mt_mac *self, struct mt_mac_sent *ret_sent);
    bool (*is_up)(struct mt_mac *self);
    /** Monotonic time, which no correction of the clock moves. */
    struct mt_mono (*now)(struct mt_mac *self);
    /** Sleeps until something may have happened, at the latest until then; may return at once. */
    void (*idle)(struct mt_mac *self, struct mt_mono until);
};

struct mt_mac {
    const struct mt_mac_ops *ops;
    uint8_t address[MT_MAC_OCTETS];
};

/** EUI-64 made of the address [1588-2019 7.5.2.2.2]. */
struct mt_clock_identity mt_mac_identity(const struct mt_mac *self);

#endif
