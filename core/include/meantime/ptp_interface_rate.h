/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * INTERFACE_RATE TLV [ITU-T G.8275.2 annex D]: how fast a port's link is.  Between links of
 * different speed stand bridges that know nothing of PTP and send a frame when they have all of it:
 * then Sync and Delay_Req are not equally long on their way, which looks like an asymmetry and can
 * be computed.  Told in Signaling with requests and grants of unicast service; a port that receives
 * corrects for what its transmitter has told.
 * The caller's storage: mt_interface_rate_init(), then `interface_rate` in struct mt_port_more.
 * Thread rule: that of the instance.
 */
#ifndef MEANTIME_PTP_INTERFACE_RATE_H
#define MEANTIME_PTP_INTERFACE_RATE_H

#include "meantime/ptp.h"
#include "meantime/ptp_tlv.h"

#define MT_INTERFACE_RATES_MAX 8 /**< transmitters whose rate is remembered; the oldest gives way */

struct mt_interface_rate {
    struct mt_tlv_interface_rate own;

    /* private from here on */
    struct mt_interface_rate_heard {
        struct mt_address from; /**< network NONE: unused */
        struct mt_tlv_interface_rate rate;
    } heard[MT_INTERFACE_RATES_MAX]; /**< newest first */
    bool is_known;                   /**< that of the transmitter that is followed, ... */
    struct mt_tlv_interface_rate peer;
    struct mt_interval applied; /**< ... which makes this part of the port's delay_asymmetry */
    uint64_t sent;
};

/** rate_mbit: of the link, in Mbit/s, 1 or more; network: what carries the messages, which makes
 * out their length. */
void mt_interface_rate_init(struct mt_interface_rate *self, uint32_t rate_mbit,
                            enum mt_network network);

extern const struct mt_extension mt_interface_rate_extension;

#endif
