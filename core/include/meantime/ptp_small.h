/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What an ordinary clock on a small machine takes in place of ptp_peer.h and ptp_management.h: peer
 * delay for one port and its link, and answers to GET of the data sets.  The objects are the
 * caller's, zeroed, and pointed to by `plain_peer` and `getter` of ptp_more.h before
 * mt_instance_init(); the features name mt_delay_e2e, mt_extend and the extensions.
 * Thread rule: that of the instance.
 */
#ifndef MEANTIME_PTP_SMALL_H
#define MEANTIME_PTP_SMALL_H

#include "meantime/ptp_more.h"

#define MT_PLAIN_DELAYS 5 /**< the median of so many exchanges is the delay of the link */

/** The delay of a link by Pdelay, with mt_port_more.delay_mechanism MT_DELAY_P2P: two-step, heeds
 * answers in one and two steps.  There is one station at the far end: whoever answers first is
 * heard.  It knows neither the neighbour's rate (which the turnaround time of the answer counts in)
 * nor asCapable; the median leaves out what is far off. */
struct mt_plain_peer {
    int8_t log_request_interval;
    /* private */
    uint16_t sequence;
    uint8_t have;  /**< parts of the exchange that are there */
    uint8_t lost;  /**< exchanges in a row that nobody has answered */
    uint8_t count; /**< of delays, at most all */
    uint8_t next;  /**< the oldest of them */
    bool is_running;
    bool wants_request;
    uint32_t request_token;
    struct mt_mono next_request;
    struct mt_port_identity responder;
    struct mt_instant departure; /**< t1 */
    struct mt_instant arrival;   /**< t4 less the Pdelay_Resp's correction */
    struct mt_instant received;  /**< t2 */
    struct mt_instant sent;      /**< t3 with the Follow_Up's correction */
    int64_t delays_q16[MT_PLAIN_DELAYS];
    struct mt_plain_answer {
        uint8_t state;
        uint16_t sequence;
        uint32_t token;
        struct mt_port_identity requester;
        struct mt_interval correction;
        struct mt_instant at; /**< t2, then t3 */
    } answer;
};

/** The median, and the largest, of the last exchanges; false while they are too few. */
bool mt_plain_peer_delay(const struct mt_plain_peer *self, struct mt_interval *ret_delay,
                         struct mt_interval *ret_most);

extern const struct mt_extension mt_plain_peer_extension;

/** GET of the data sets, one request at a time: DEFAULT, CURRENT, PARENT, TIME_PROPERTIES and
 * PORT_DATA_SET and NULL_PTP_MANAGEMENT.  All else is answered with an error. */
struct mt_getter {
    uint32_t requests; /**< answered or to be answered */
    uint32_t dropped;  /**< came while another one waited, or its answer did not fit */
    /* private */
    bool is_waiting;
    uint8_t action; /**< as asked */
    uint8_t hops;
    uint16_t id;
    uint16_t sequence;
    uint16_t port; /**< asked for */
    struct mt_port_identity requester;
    struct mt_address to;
};

extern const struct mt_extension mt_getter_extension;

#endif
