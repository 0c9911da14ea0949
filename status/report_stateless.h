/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What the report says of stateless PTP: an instance that serves, a port that asks.
 */
#ifndef MEANTIME_STATUS_REPORT_STATELESS_H
#define MEANTIME_STATUS_REPORT_STATELESS_H

#include <cjson/cJSON.h>

#include "status/report.h"

/** off, sptp, csptp or both. */
const char *mt_report_stateless_serves(const struct mt_instance *instance);
/** Requests by what became of them, those of worker threads included. */
cJSON *mt_report_stateless_requests(const struct mt_instance *instance);
/** off, sptp or csptp. */
const char *mt_report_stateless_asks(const struct mt_port *port);
/** Exchanges by what became of them. */
cJSON *mt_report_stateless_exchanges(const struct mt_port *port);
/** Exchanges with each server, by its address or name, that were finished, and that were not. */
cJSON *mt_report_stateless_servers(const struct mt_report_port *port);
cJSON *mt_report_stateless_unanswered(const struct mt_report_port *port);
/** The address of the server that is followed; null: none is.  `text` has room for any. */
const char *mt_report_stateless_followed(const struct mt_report_port *port, char *text);

#endif
