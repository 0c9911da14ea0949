/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * PTP TLVs [1588-2019 clause 14, 16 and 17]: an iterator over bounded views, and decoders for
 * those that meantime understands.  A view points into the frame and lives as long as it does.
 * Decoders check the length themselves and return false if the view is not theirs or too short.
 * Thread rule: pure functions; any thread.
 */
#ifndef MEANTIME_PTP_TLV_H
#define MEANTIME_PTP_TLV_H

#include "meantime/ptp_wire.h"

enum mt_tlv_type { /* Table 52 */
                   MT_TLV_MANAGEMENT = 0x0001,
                   MT_TLV_MANAGEMENT_ERROR_STATUS = 0x0002,
                   MT_TLV_ORGANIZATION_EXTENSION = 0x0003,
                   MT_TLV_REQUEST_UNICAST_TRANSMISSION = 0x0004,
                   MT_TLV_GRANT_UNICAST_TRANSMISSION = 0x0005,
                   MT_TLV_CANCEL_UNICAST_TRANSMISSION = 0x0006,
                   MT_TLV_ACKNOWLEDGE_CANCEL_UNICAST_TRANSMISSION = 0x0007,
                   MT_TLV_PATH_TRACE = 0x0008,
                   MT_TLV_ALTERNATE_TIME_OFFSET_INDICATOR = 0x0009,
                   MT_TLV_ORGANIZATION_EXTENSION_PROPAGATE = 0x4000,
                   MT_TLV_ENHANCED_ACCURACY_METRICS = 0x4001,
                   MT_TLV_ORGANIZATION_EXTENSION_DO_NOT_PROPAGATE = 0x8000,
                   MT_TLV_L1_SYNC = 0x8001,
                   MT_TLV_PORT_COMMUNICATION_AVAILABILITY = 0x8002,
                   MT_TLV_PROTOCOL_ADDRESS = 0x8003,
                   MT_TLV_SLAVE_RX_SYNC_TIMING_DATA = 0x8004,
                   MT_TLV_SLAVE_RX_SYNC_COMPUTED_DATA = 0x8005,
                   MT_TLV_SLAVE_TX_EVENT_TIMESTAMPS = 0x8006,
                   MT_TLV_CUMULATIVE_RATE_RATIO = 0x8007,
                   MT_TLV_PAD = 0x8008,
                   MT_TLV_AUTHENTICATION = 0x8009,
};

/** One TLV: its type as on the wire (any 16-bit value) and its value. */
struct mt_tlv {
    uint16_t type;
    uint16_t length;
    const uint8_t *value;
};

/** Takes the next TLV off the front of (*tlvs, *length).  False at the end and, for the rest of
 * the bytes, at a TLV that does not fit or has an odd length.  A C37.238-2011 TLV whose
 * lengthField says 12 is taken with the 18 octets that it has. */
bool mt_tlv_next(const uint8_t **tlvs, size_t *length, struct mt_tlv *ret_tlv);
/** True if (tlvs, length) is a sequence of whole TLVs. */
bool mt_tlv_is_valid(const uint8_t *tlvs, size_t length);
/** Finds the first TLV of `type`. */
bool mt_tlv_find(const uint8_t *tlvs, size_t length, enum mt_tlv_type type, struct mt_tlv *ret_tlv);
/** Writes type, length and value, and a zero octet if the value is odd.  0 if it does not fit. */
size_t mt_tlv_write(uint16_t type, const uint8_t *value, size_t value_length, uint8_t *buffer,
                    size_t capacity);
/** True if a boundary clock that does not know the TLV passes it on [14.2.2]. */
bool mt_tlv_is_propagated(uint16_t type);

/* ---- path trace [16.2] ----------------------------------------------------------------------- */

/** Number of identities; 0 if it is no path trace or its length is no multiple of 8. */
size_t mt_tlv_path_count(const struct mt_tlv *tlv);
/** A view of the i-th identity, i < mt_tlv_path_count(). */
const struct mt_clock_identity *mt_tlv_path_at(const struct mt_tlv *tlv, size_t i);

/* ---- organisation extensions [14.3] ---------------------------------------------------------- */

#define MT_OUI_IEEE_802_1   0x0080C2u
#define MT_OUI_IEEE_C37_238 0x1C129Du
#define MT_OUI_ITU_T        0x0019A7u
#define MT_OUI_SMPTE        0x6897E8u

struct mt_tlv_organization {
    uint32_t oui;     /**< 24 bits */
    uint32_t subtype; /**< 24 bits */
    const uint8_t *data;
    uint16_t length;
};
/** Any of the three ORGANIZATION_EXTENSION types. */
bool mt_tlv_parse_organization(const struct mt_tlv *tlv, struct mt_tlv_organization *ret_value);

/** 802.1AS Follow_Up information (0x0080C2, subtype 1). */
struct mt_tlv_follow_up_information {
    int32_t cumulative_scaled_rate_offset; /**< (ratio - 1) * 2^41 */
    uint16_t gm_time_base_indicator;
    uint8_t last_gm_phase_change[12]; /**< ScaledNs */
    int32_t scaled_last_gm_freq_change;
};
bool mt_tlv_parse_follow_up_information(const struct mt_tlv *tlv,
                                        struct mt_tlv_follow_up_information *ret_value);
size_t mt_tlv_write_follow_up_information(const struct mt_tlv_follow_up_information *value,
                                          uint8_t *buffer, size_t capacity);

/** 802.1AS message interval request (0x0080C2, subtype 2; subtype 5 asks for another interval, that
 * of the gPTP-capable TLV, and is none). */
struct mt_tlv_message_interval_request {
    int8_t log_link_delay; /**< 127 stop, 126 initial, -128 keep */
    int8_t log_time_sync;
    int8_t log_announce;
    uint8_t flags;
};
bool mt_tlv_parse_message_interval_request(const struct mt_tlv *tlv,
                                           struct mt_tlv_message_interval_request *ret_value);

/** 802.1AS gPTP-capable (0x0080C2, subtype 4). */
struct mt_tlv_gptp_capable {
    int8_t log_message_interval;
    uint8_t flags;
};
bool mt_tlv_parse_gptp_capable(const struct mt_tlv *tlv, struct mt_tlv_gptp_capable *ret_value);

/** C37.238 (0x1C129D): subtype 1 of 2011, accepted with 12 octets or 18 (what is cut off is
 * unknown: UINT32_MAX); subtype 2 of 2017. */
struct mt_tlv_power {
    uint8_t year_2017; /**< 1: the 2017 form */
    uint16_t grandmaster_id;
    uint32_t gm_inaccuracy_ns;      /**< 2011 only */
    uint32_t network_inaccuracy_ns; /**< 2011 only */
    uint32_t total_inaccuracy_ns;   /**< 2017; the saturated sum of the two in 2011 */
};
bool mt_tlv_parse_power(const struct mt_tlv *tlv, struct mt_tlv_power *ret_value);

/** SMPTE ST 2059-2 Synchronization Metadata (0x6897E8, subtype 1), in Management messages: what
 * equipment for pictures needs beside the time.  Times are whole seconds of PTP, 48 bits. */
struct mt_tlv_smpte {
    uint32_t rate_numerator; /**< defaultSystemFrameRate, in frames per second */
    uint32_t rate_denominator;
    uint8_t locking;            /**< masterLockingStatus: enum mt_smpte_locking */
    uint8_t time_address_flags; /**< bit 0: drop frame, bit 1: colour frame identification */
    int32_t local_offset_s;     /**< local time - PTP time */
    int32_t jump_s;             /**< the next change of it; 0: none is known ... */
    uint64_t next_jump_s;       /**< ... and when it comes */
    uint64_t next_jam_s;        /**< of the daily jam; 0: there is none */
    uint64_t previous_jam_s;
    int32_t previous_jam_offset_s; /**< local_offset_s of then */
    uint8_t daylight_saving;       /**< bit 0: now, 1: after the next jump, 2: at the last jam */
    uint8_t leap_second_jump;      /**< bit 0: the next jump is that of a leap second */
};
enum mt_smpte_locking {
    MT_SMPTE_NOT_IN_USE,
    MT_SMPTE_FREE_RUN,
    MT_SMPTE_COLD_LOCKING, /**< its time may step */
    MT_SMPTE_WARM_LOCKING, /**< its time is being slewed */
    MT_SMPTE_LOCKED,
};
#define MT_TLV_SMPTE_SIZE 52 /**< with the TLV header */
bool mt_tlv_parse_smpte(const struct mt_tlv *tlv, struct mt_tlv_smpte *ret_value);
size_t mt_tlv_write_smpte(const struct mt_tlv_smpte *value, uint8_t *buffer, size_t capacity);

/** ITU-T G.8275.2 interface rate (0x0019A7, subtype 2), in Signaling. */
struct mt_tlv_interface_rate {
    uint64_t bit_period_as; /**< interfaceBitPeriod, without the line's code, in 10^-18 s */
    uint16_t bits_before;   /**< of a Sync or Delay_Req: before its stamp, and after it */
    uint16_t bits_after;
};
bool mt_tlv_parse_interface_rate(const struct mt_tlv *tlv, struct mt_tlv_interface_rate *ret_value);
size_t mt_tlv_write_interface_rate(const struct mt_tlv_interface_rate *value, uint8_t *buffer,
                                   size_t capacity);

/* ---- others ---------------------------------------------------------------------------------- */

/** Alternate time offset indicator [16.3]. */
struct mt_tlv_alternate_time_offset {
    uint8_t key;
    int32_t current_offset_s;
    int32_t jump_seconds;
    uint64_t time_of_next_jump_s; /**< 48 bits */
    uint8_t name_length;          /**< 0..10 octets */
    const uint8_t *name;          /**< PTPText, not terminated */
};
bool mt_tlv_parse_alternate_time_offset(const struct mt_tlv *tlv,
                                        struct mt_tlv_alternate_time_offset *ret_value);

/** Enhanced accuracy metrics [16.12]: how wrong the announced time may be, by its parts.  The
 * maxima are TimeIntervals; too large means unknown. */
struct mt_tlv_accuracy_metrics {
    uint8_t boundary_hops;
    uint8_t transparent_hops;
    struct mt_interval max_gm;
    uint64_t var_gm;
    struct mt_interval max_transient;
    uint64_t var_transient;
    struct mt_interval max_dynamic;
    uint64_t var_dynamic;
    struct mt_interval max_static_instance;
    uint64_t var_static_instance;
    struct mt_interval max_static_medium;
    uint64_t var_static_medium;
};
#define MT_TLV_ACCURACY_METRICS_SIZE 88 /**< with the TLV header */
bool mt_tlv_parse_accuracy_metrics(const struct mt_tlv *tlv,
                                   struct mt_tlv_accuracy_metrics *ret_value);
size_t mt_tlv_write_accuracy_metrics(const struct mt_tlv_accuracy_metrics *value, uint8_t *buffer,
                                     size_t capacity);

/** MANAGEMENT: the id and its data; MANAGEMENT_ERROR_STATUS: the error, then id and text. */
struct mt_tlv_management {
    uint16_t id;
    uint16_t error; /**< MANAGEMENT_ERROR_STATUS only, else 0 */
    const uint8_t *data;
    uint16_t length;
};
bool mt_tlv_parse_management(const struct mt_tlv *tlv, struct mt_tlv_management *ret_value);

/** REQUEST, GRANT, CANCEL and ACKNOWLEDGE_CANCEL unicast transmission [16.1]. */
struct mt_tlv_unicast {
    enum mt_ptp_type message; /**< upper nibble of the first octet; any of 0..15 */
    uint8_t flags;            /**< lower nibble (cancel) or renewal flag (grant) */
    int8_t log_interval;      /**< REQUEST and GRANT */
    uint32_t duration_s;      /**< REQUEST and GRANT; 0 in a grant: denied */
};
bool mt_tlv_parse_unicast(const struct mt_tlv *tlv, struct mt_tlv_unicast *ret_value);
/** Writes a TLV of one of the four types, with what it has of the value. */
size_t mt_tlv_write_unicast(enum mt_tlv_type type, const struct mt_tlv_unicast *value,
                            uint8_t *buffer, size_t capacity);

/** L1_SYNC [L.8.5]: the two flag octets; CUMULATIVE_RATE_RATIO [16.10]: (ratio - 1) * 2^41. */
bool mt_tlv_parse_l1_sync(const struct mt_tlv *tlv, uint16_t *ret_flags);
bool mt_tlv_parse_cumulative_rate_ratio(const struct mt_tlv *tlv, int32_t *ret_scaled);

/** AUTHENTICATION [16.14.3]: the fixed head and where key id and ICV lie. */
struct mt_tlv_authentication {
    uint8_t spp;
    uint8_t flags; /**< secParamIndicator: bit 0 RES, 1 sequenceNo, 2 disclosedKey are there */
    uint32_t key_id;
    const uint8_t *rest; /**< optional fields and the ICV */
    uint16_t rest_length;
};
bool mt_tlv_parse_authentication(const struct mt_tlv *tlv, struct mt_tlv_authentication *ret_value);

/** PROTOCOL_ADDRESS and the address inside others: PortAddress [5.3.6]. */
struct mt_tlv_port_address {
    uint16_t protocol; /**< 1 UDP/IPv4, 2 UDP/IPv6, 3 IEEE 802.3 */
    uint16_t length;
    const uint8_t *address;
};
bool mt_tlv_parse_protocol_address(const struct mt_tlv *tlv, struct mt_tlv_port_address *ret_value);

#endif
