/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What profiles ask of an instance beyond other numbers, in two extensions:
 *   roles    ports whose role is given and not decided, transmitters that are not followed for
 *            their clockClass or because they failed a moment ago, the sync receipt timeout
 *   gptp     802.1AS: end station and relay with accumulated rate ratio, asCapable
 * and, as a third, the TLVs of power and telecom profiles (power).
 * The caller's storage: mt_profile_init() and mt_port_profile_init(), then `profile` in struct
 * mt_instance_more and, for ports that need it, in struct mt_port_more.
 * Thread rule: that of the instance.
 */
#ifndef MEANTIME_PTP_PROFILE_H
#define MEANTIME_PTP_PROFILE_H

#include "meantime/ptp.h"
#include "meantime/ptp_tlv.h"

#define MT_PROFILE_BARRED_MAX                                                                      \
    8 /**< transmitters that failed; the one that failed first gives way */

/** What a port is, whatever it hears: external port configuration [1588-2019 17.6].  All ports of
 * an instance are AUTO or none is; at most one is RECEIVER. */
enum mt_port_role {
    MT_PORT_ROLE_AUTO,
    MT_PORT_ROLE_TRANSMITTER,
    MT_PORT_ROLE_RECEIVER,
    MT_PORT_ROLE_PASSIVE,
};

struct mt_port_profile {
    enum mt_port_role role;
    /** No Announce is sent, and a fixed receiver follows whoever's Sync it hears. */
    bool inhibits_announce;
    /** Of a fixed receiver: time from anybody is that of the transmitter that is followed. */
    bool ignores_source;
    uint8_t sync_receipt_timeout; /**< in sync intervals, then it is given up; 0: never */
    bool is_always_capable;       /**< gPTP: asCapable is not asked for */

    /* private from here on */
    bool is_following;        /**< the sync receipt timeout runs */
    bool has_pair;            /**< `pair` means something */
    uint16_t pair;            /**< sequence of the newest complete Sync */
    int8_t log_sync_interval; /**< as the transmitter says */
    struct mt_mono sync_heard;
    uint32_t sync_timeouts;           /**< counted */
    uint64_t announce_timeouts;       /**< of the port, at the last look */
    struct mt_port_identity followed; /**< at the last look; port 0: nobody */
    bool is_capable;
    bool wants_capable;           /**< a gPTP-capable TLV is to be sent */
    bool has_capable;             /**< one has been heard */
    struct mt_mono capable_until; /**< what was heard holds that long */
    struct mt_mono next_capable;
    struct mt_mono relayed; /**< when the last Sync was sent on */
};

/** C37.238: what a power profile clock tells of its error; the TLV that is sent in Announce. */
enum mt_power_version { MT_POWER_NONE, MT_POWER_2011, MT_POWER_2017 };

struct mt_power_profile {
    enum mt_power_version version;
    uint16_t grandmaster_id;
    uint32_t gm_inaccuracy_ns;
    uint32_t network_inaccuracy_ns;
    uint32_t total_inaccuracy_ns;
};

/** What a relay knows of its grandmaster's time, from the newest complete Sync. */
struct mt_gptp_relay {
    bool has_time;
    bool has_information; /**< `information` is of the Sync with `sequence` */
    uint16_t sequence;
    int8_t log_sync_interval;       /**< upstream */
    int32_t rate_ratio;             /**< grandmaster to local clock: (ratio - 1) 2^41 */
    struct mt_ptp_timestamp origin; /**< preciseOriginTimestamp, passed on as it is */
    struct mt_mono heard;           /**< when the Sync was complete */
    struct mt_instant arrival;      /**< local time of the Sync ... */
    uint32_t corrections;           /**< of the local clock, by then */
    struct mt_instant grandmaster;  /**< ... when the grandmaster's was that */
    struct mt_tlv_follow_up_information information;
};

struct mt_profile {
    uint8_t max_clock_class;    /**< transmitters of a worse clockClass are not followed; 255 */
    int64_t wait_to_restore_ns; /**< one that failed (PTSF) is not followed for this long */
    bool is_gptp;
    bool demands_zone; /**< an Announce without an alternate timescale is refused: C37.238-2011 */
    struct mt_power_profile power;
    /** gPTP: correction count of the local clock at its last step, 0: never stepped; renewed by
     * whoever steers it, before the next input. */
    uint32_t stepped_at;

    /* private from here on */
    struct mt_barred {
        struct mt_port_identity sender;
        struct mt_mono until; /**< 0: unused */
        bool for_sync;        /**< its Sync failed, else its Announce */
    } barred[MT_PROFILE_BARRED_MAX];
    struct mt_gptp_relay relay;
    uint16_t relay_port; /**< as it was at the last look */
    bool has_parent_power;
    struct mt_tlv_power parent_power; /**< the TLV of the parent's Announce */
};

/** Nothing asked for: max_clock_class 255, no time to wait, no gPTP, no power profile. */
void mt_profile_init(struct mt_profile *self);
/** MT_PORT_ROLE_AUTO and no timeout. */
void mt_port_profile_init(struct mt_port_profile *self);

extern const struct mt_extension mt_roles_extension;
extern const struct mt_extension mt_gptp_extension;
extern const struct mt_extension mt_power_extension;
/** In place of mt_boundary, for an instance whose ports have a role. */
extern const struct mt_boundary_part mt_boundary_roles;

#endif
