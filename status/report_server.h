/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What the report says of the NTP server.
 */
#ifndef MEANTIME_STATUS_REPORT_SERVER_H
#define MEANTIME_STATUS_REPORT_SERVER_H

#include <cjson/cJSON.h>

#include "meantime/nts_record.h"
#include "status/names.h"
#include "status/report.h"

mt_real mt_report_server_stratum(const struct mt_report_server *self);
const char *mt_report_server_reference(const struct mt_report_server *self,
                                       char text[MT_ADDRESS_TEXT_SIZE]);
int mt_report_server_leap_s(const struct mt_report_server *self);
cJSON *mt_report_server_requests(const struct mt_report_server *self);
cJSON *mt_report_server_key_exchanges(const struct mt_report_server *self);

#endif
