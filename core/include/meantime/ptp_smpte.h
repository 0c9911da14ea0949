/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * SMPTE ST 2059-2: the Synchronization Metadata that a grandmaster sends beside the time, once a
 * second as a rule, for cameras, mixers and players: the frame rate of the house, its local time,
 * the next change of that, and the daily jam at which time codes are set again.
 * The caller's storage: mt_smpte_init(), then `smpte` in struct mt_instance_more.
 * Thread rule: that of the instance.
 */
#ifndef MEANTIME_PTP_SMPTE_H
#define MEANTIME_PTP_SMPTE_H

#include "meantime/ptp.h"
#include "meantime/ptp_tlv.h"

#define MT_SMPTE_AUTO_LOCKING 0xFF
/** startingBoundaryHops: enough for any house, and what goes round while a tree forms ends soon. */
#define MT_SMPTE_HOPS 16
/** What was heard is forgotten after so many intervals of our own. */
#define MT_SMPTE_TIMEOUT 10

struct mt_smpte {
    bool is_sent; /**< while this clock is grandmaster; what others send is heard anyway */
    int8_t log_interval;
    uint32_t rate_numerator;
    uint32_t rate_denominator;
    uint8_t locking; /**< enum mt_smpte_locking; MT_SMPTE_AUTO_LOCKING: by clockClass */
    uint8_t time_address_flags;
    int32_t offset_s;   /**< local time - UTC */
    int32_t jump_s;     /**< its next change */
    uint64_t jump_at_s; /**< PTP time of that */
    bool daylight_saving;
    bool daylight_saving_next;
    bool has_jam;
    uint32_t jam_s; /**< local time of day of the daily jam */

    /* private from here on */
    bool has_time;
    bool has_jumped;              /**< jump_s is a part of the offset since jump_at_s */
    struct mt_ptp_timestamp time; /**< of this clock, when `time_at` was now */
    struct mt_mono time_at;
    struct mt_mono next;
    uint64_t pending; /**< bits of the ports by which it still has to leave */
    uint16_t sequence;
    bool has_heard;
    struct mt_mono heard_until;
    struct mt_tlv_smpte heard; /**< from the grandmaster that is followed */
    uint64_t sent;
    uint64_t received;
};

/** Nothing is sent; 30000/1001 frames a second, once a second. */
void mt_smpte_init(struct mt_smpte *self);
/** What is sent now, or what was heard of the grandmaster; false: neither. */
bool mt_smpte_metadata(const struct mt_instance *self, struct mt_tlv_smpte *ret_value);

extern const struct mt_extension mt_smpte_extension;

#endif
