/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Initial and operational intervals, as cars have them [802.1AS-2020 10.6.4.3, Avnu automotive]:
 * while it acquires, a receiver wants many messages; once it is settled, few suffice.  So it asks
 * its transmitter by Signaling for the operational intervals when it has settled, for the initial
 * ones when it begins or is lost, and asks for Pdelay as often itself.
 * The caller's storage: mt_intervals_init(), then `intervals` in struct mt_port_more.
 * Thread rule: that of the instance.
 */
#ifndef MEANTIME_PTP_INTERVALS_H
#define MEANTIME_PTP_INTERVALS_H

#include "meantime/ptp.h"

#define MT_INTERVALS_SETTLED 10 /**< Syncs in a row within the threshold, of a locked clock */
#define MT_INTERVALS_LOST    4  /**< Syncs in a row of a clock that is not locked */
#define MT_INTERVALS_TRIES   5  /**< requests for one change, while it does not come */

struct mt_intervals {
    /* Operational intervals, log2 s, from MT_LOG_INTERVAL_LOWEST to _HIGHEST. */
    bool keeps_sync; /**< log_sync_interval is not asked for */
    int8_t log_sync_interval;
    bool keeps_announce;
    int8_t log_announce_interval;
    bool keeps_pdelay; /**< of the port's own requests */
    int8_t log_pdelay_interval;
    struct mt_interval threshold; /**< of the clock's offset; 0: that it is locked suffices */

    /* private from here on */
    bool is_following;
    bool is_operational;
    bool wants_request;
    uint8_t tries;
    unsigned settled;      /**< Syncs in a row */
    unsigned unlocked;     /**< Syncs in a row */
    int8_t log_sync_heard; /**< in the transmitter's Syncs */
    int8_t log_pdelay_initial;
    uint16_t newest_sync;
    struct mt_mono try_at;
    struct mt_port_identity parent;
    uint64_t requests; /**< sent */
};

/** Nothing is asked for. */
void mt_intervals_init(struct mt_intervals *self);
/** The transmitter is being asked for Syncs at this interval, log2 s, and does not name it yet. */
bool mt_intervals_awaits(const struct mt_intervals *self, int8_t *ret_log_interval);

extern const struct mt_extension mt_intervals_extension;

#endif
