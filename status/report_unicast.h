/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What the report says of a port's unicast service; null where there is none.
 */
#ifndef MEANTIME_STATUS_REPORT_UNICAST_H
#define MEANTIME_STATUS_REPORT_UNICAST_H

#include <cjson/cJSON.h>

#include "meantime/ptp.h"

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
/** Address of each transmitter of the table and the number of its state. */
cJSON *mt_report_unicast_transmitters(const struct mt_port *port);

#define MT_REPORT_ADDRESS_SIZE 48
/** "192.0.2.1", or "unknown 3" of one that is not known and the third, whose index is 2. */
void mt_report_address(const struct mt_address *address, unsigned index,
                       char ret_text[MT_REPORT_ADDRESS_SIZE]);

#endif
