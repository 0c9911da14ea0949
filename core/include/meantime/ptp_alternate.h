/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Alternate transmitters [1588-2019 17.3]: on a path with a best transmitter the next best ones
 * tell of themselves, too, marked with alternateMasterFlag.  Nobody follows them, but whoever might
 * have to one day knows who they are and how their time compares.
 * A port that does not transmit sends such Announces, and Sync and Follow_Up if it is told to,
 * while fewer than `count` alternates that it hears are better; and it remembers whom it hears.
 * The caller's storage: mt_alternate_init(), then `alternate` in struct mt_port_more.
 * Thread rule: that of the instance.
 */
#ifndef MEANTIME_PTP_ALTERNATE_H
#define MEANTIME_PTP_ALTERNATE_H

#include "meantime/ptp.h"

#define MT_ALTERNATES_HEARD      8 /**< remembered by a port; the worst gives way to a better one */
#define MT_ALTERNATE_OUTSTANDING 4 /**< Syncs whose timestamp is awaited; the oldest is given up */

/** One that is heard. */
struct mt_alternate_heard {
    bool is_used;
    bool has_offset;
    struct mt_ptp_dataset dataset; /**< `sender` is its key */
    struct mt_interval offset; /**< what this clock was ahead of it at its last Sync, over a path
                                        as long as that to the parent */
    struct mt_mono until;      /**< it is forgotten then */
    struct mt_sync_receipt sync;
};

struct mt_alternate {
    uint8_t count; /**< numberOfAlternateMasters, this clock included; 0: never sends */
    bool sends_sync;
    int8_t log_sync_interval;

    /* private from here on */
    bool is_sending;
    uint8_t pending; /**< bits of enum mt_port_frame */
    uint8_t next_sent;
    uint16_t follow_up_sequence;
    struct mt_instant follow_up;
    struct mt_mono next_announce;
    struct mt_mono next_sync;
    struct mt_sync_sent sent[MT_ALTERNATE_OUTSTANDING];
    struct mt_alternate_heard heard[MT_ALTERNATES_HEARD];
    uint64_t announced; /**< Announces sent as an alternate */
};

/** Sends nothing. */
void mt_alternate_init(struct mt_alternate *self);

extern const struct mt_extension mt_alternate_extension;

#endif
