/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * A link: where frames go out.  What comes in (frames, transmit timestamps, link state) arrives
 * through hal/wait.h.  Platforms implement the table; runtime calls it from the loop's thread.
 */
#ifndef MEANTIME_HAL_LINK_H
#define MEANTIME_HAL_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "meantime/ptp.h"

enum mt_link_destination { MT_LINK_PRIMARY, MT_LINK_PEER, MT_LINK_ADDRESS };

struct mt_link_frame {
    const uint8_t *bytes; /**< a PTP or NTP message without transport headers */
    size_t length;
    enum mt_link_destination destination;
    bool is_event;        /**< to the event port; its transmit timestamp is wanted */
    uint32_t token;       /**< returned with the timestamp; 0: none is wanted */
    struct mt_address to; /**< with MT_LINK_ADDRESS: one station, of the link's own network */
    /** One-step: asked for only of links that say insert_stamps. */
    enum mt_insertion insertion;
    struct mt_instant arrival; /**< with MT_INSERT_RESIDENCE: in the clock that stamps */
};

#define MT_LINK_DELAYS 20 /**< in steps of two: up to 1, 2, 4 ... us, and the last for all above */

struct mt_hal_link;

struct mt_hal_link_ops {
    /** Sends one frame.  False if the network refused it; the frame is gone, nothing else has
     * happened.  If the frame is an event and is sent, a MT_INPUT_TX_STAMP follows in time,
     * with or without a stamp. */
    bool (*send)(struct mt_hal_link *self, const struct mt_link_frame *frame);
};

/** Counted by the platform, read by status. */
struct mt_link_counters {
    uint64_t received;       /**< frames handed to the runtime */
    uint64_t kernel_dropped; /**< frames that the kernel dropped for want of buffer space */
    uint64_t sent;
    uint64_t send_failed;
    uint64_t stamps_taken;                 /**< transmit timestamps that came ... */
    uint64_t stamp_delays[MT_LINK_DELAYS]; /**< ... by how long after sending */
    uint64_t stamps_missing;               /**< transmit timestamps given up */
    uint64_t stamps_ambiguous; /**< transmit timestamps that matched no single frame: discarded */
};

struct mt_hal_link {
    const struct mt_hal_link_ops *ops;
    bool inserts_stamps;     /**< one-step: it can write the time of departure into a frame ... */
    bool inserts_origin;     /**< ... into Sync only, ... */
    bool inserts_turnaround; /**< ... into Pdelay_Resp only */
    bool carries_ntp;        /**< set by who asks or answers NTP in PTP messages over it: these are
                                stamped at their end, as NTP wants it */
    bool has_hardware_clock; /**< a card stamps its packets, when it is up, ... */
    int hardware_clock;      /**< ... with this one: N of /dev/ptpN */
    const char *interface;   /**< its name now, which may change; null: as it was asked for */
    const char *stamping; /**< who stamps its packets, in words that may change; null: not told */
    struct mt_link_counters counters;
};

#endif
