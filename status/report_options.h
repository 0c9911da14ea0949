/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Options of PTP in the status report.  Called by report.c for the fields of report.def.
 * Thread rule: that of the instance.
 */
#ifndef MEANTIME_STATUS_REPORT_OPTIONS_H
#define MEANTIME_STATUS_REPORT_OPTIONS_H

#include <cjson/cJSON.h>

#include "meantime/ptp.h"

/** initial or operational; null: nothing is asked for. */
const char *mt_report_intervals(const struct mt_port *port);
uint64_t mt_report_interval_requests(const struct mt_port *port);
bool mt_report_is_alternate(const struct mt_port *port);
/** The offset from each that is heard, by its identity. */
cJSON *mt_report_alternates(const struct mt_port *port);

#endif
