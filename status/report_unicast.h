/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What the report says of a port's unicast service; null where there is none.
 */
#ifndef MEANTIME_STATUS_REPORT_UNICAST_H
#define MEANTIME_STATUS_REPORT_UNICAST_H

#include <cjson/cJSON.h>

#include "status/report.h"

/** off, negotiated, static or hybrid. */
const char *mt_report_unicast_mode(const struct mt_port *port);
/** Clients of the grantor now. */
uint32_t mt_report_unicast_clients(const struct mt_port *port);
/** Grants that run now, by service. */
cJSON *mt_report_unicast_active(const struct mt_port *port);
/** The grantor's books, by service. */
cJSON *mt_report_unicast_grants(const struct mt_port *port);
/** The requester's book. */
cJSON *mt_report_unicast_requests(const struct mt_port *port);

/** What a transmitter of the table is good for now. */
enum mt_transmitter_state {
    MT_TRANSMITTER_UNRESOLVED, /**< its name has no address */
    MT_TRANSMITTER_NOT_HEARD,
    MT_TRANSMITTER_ANNOUNCES,
    MT_TRANSMITTER_ASKED, /**< chosen, but not granted all that it is asked for */
    MT_TRANSMITTER_FOLLOWED,
    MT_TRANSMITTER_HELD, /**< it did not serve, and is not listened to for a while */
    MT_TRANSMITTER_WAIT_TO_RESTORE,
};
#define MT_TRANSMITTER_STATE_COUNT 7

/** Why it is not followed. */
enum mt_transmitter_reason {
    MT_REASON_NONE,
    MT_REASON_NO_ADDRESS,
    MT_REASON_PORT_DOWN,
    MT_REASON_UNANSWERED,
    MT_REASON_DENIED,
    MT_REASON_CANCELLED,
    MT_REASON_EXPIRED,
    MT_REASON_LOSS_SYNC,      /**< PTSF-lossSync */
    MT_REASON_LOSS_ANNOUNCE,  /**< PTSF-lossAnnounce */
    MT_REASON_NOT_ACCEPTABLE, /**< of a bad clockClass, or not in the list */
    MT_REASON_NOT_BEST,
};
#define MT_REASON_COUNT 11

const char *mt_transmitter_state_name(enum mt_transmitter_state state);    /**< "followed" */
const char *mt_transmitter_reason_name(enum mt_transmitter_reason reason); /**< "loss_sync" */

/** By the address, or name, of each transmitter of the table: its state's name, its reason's, and
 * in how many seconds it is listened to again. */
cJSON *mt_report_unicast_transmitters(const struct mt_report_port *port);
cJSON *mt_report_unicast_reasons(const struct mt_report_port *port);
cJSON *mt_report_unicast_retry_s(const struct mt_report_port *port);

#define MT_REPORT_ADDRESS_SIZE 48
/** "192.0.2.1", or "unknown 3" of one that is not known and the third, whose index is 2. */
void mt_report_address(const struct mt_address *address, unsigned index,
                       char ret_text[MT_REPORT_ADDRESS_SIZE]);
/** The same, but the name of one whose address is not known; may be `text`. */
const char *mt_report_station(const struct mt_address *address, unsigned index,
                              const struct mt_report_names *names,
                              char text[MT_REPORT_ADDRESS_SIZE]);

/** What the transmitter tells of its link, and what that makes; NaN: nothing. */
mt_real mt_report_interface_rate_mbit(const struct mt_port *port);
mt_real mt_report_interface_asymmetry_ns(const struct mt_port *port);

#endif
