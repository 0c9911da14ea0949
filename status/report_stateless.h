/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What the report says of stateless PTP: an instance that serves, a port that asks.
 */
#ifndef MEANTIME_STATUS_REPORT_STATELESS_H
#define MEANTIME_STATUS_REPORT_STATELESS_H

#include <cjson/cJSON.h>

#include "meantime/ptp.h"

/** off, sptp, csptp or both. */
const char *mt_report_stateless_serves(const struct mt_instance *instance);
/** Requests by what became of them, those of worker threads included. */
cJSON *mt_report_stateless_requests(const struct mt_instance *instance);
/** off, sptp or csptp. */
const char *mt_report_stateless_asks(const struct mt_port *port);
/** Exchanges by what became of them. */
cJSON *mt_report_stateless_exchanges(const struct mt_port *port);
/** Exchanges with each server, by its address, that were finished. */
cJSON *mt_report_stateless_servers(const struct mt_port *port);

#endif
