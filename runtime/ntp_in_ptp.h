/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * NTP in PTP messages through a node: over the links of PTP ports, or such as are opened for it.
 * A link has one event socket, whoever uses it; what comes is told apart by what is in it.
 * Thread rule: the node's.
 */
#ifndef MEANTIME_RUNTIME_NTP_IN_PTP_H
#define MEANTIME_RUNTIME_NTP_IN_PTP_H

#include "hal/link.h"
#include "meantime/ntp_ptp.h"
#include "meantime/ntp_server.h"
#include "runtime/ntp_duty.h"

#define MT_NTP_IN_PTP_CLIENTS    120 /**< their number travels in a frame's token */
#define MT_NTP_IN_PTP_LINKS      2   /**< of the server: of IPv4 and IPv6 */
#define MT_NTP_IN_PTP_DEPARTURES 256
#define MT_NTP_IN_PTP_LIMITED    1024
#define MT_NTP_IN_PTP_AWAITED    64

/** An answer, the time of whose departure is awaited. */
struct mt_ntp_in_ptp_awaited {
    uint32_t number; /**< 0: none */
    mt_ntp_time receive;
};

/** The server's: it answers in the loop. */
struct mt_node_ntp_in_ptp {
    uint16_t links[MT_NTP_IN_PTP_LINKS];
    unsigned link_count;
    struct mt_ntp_worker worker; /**< with the storage below */
    struct mt_ntp_departure departures[MT_NTP_IN_PTP_DEPARTURES];
    struct mt_ntp_limited limited[MT_NTP_IN_PTP_LIMITED];
    struct mt_ntp_in_ptp_awaited awaited[MT_NTP_IN_PTP_AWAITED];
    uint32_t last_number; /**< of an awaited one; they begin again at 1 */
};

/** Sends a client's question. */
bool mt_ntp_in_ptp_ask(struct mt_node *node, struct mt_node_ntp *ntp, const uint8_t *packet,
                       const struct mt_ntp_tx *tx);
/** Takes what belongs to a client or the server; false: it does not, or does to others too. */
bool mt_ntp_in_ptp_take(struct mt_node *node, const struct mt_input *input);

#endif
