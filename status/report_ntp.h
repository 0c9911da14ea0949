/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Values of the report about NTP servers.  Texts are written into the caller's, or null.
 */
#ifndef MEANTIME_STATUS_REPORT_NTP_H
#define MEANTIME_STATUS_REPORT_NTP_H

#include <cjson/cJSON.h>

#include "status/names.h"
#include "status/report.h"

const char *mt_report_ntp_state(const struct mt_report_ntp *o);
const char *mt_report_ntp_address(const struct mt_report_ntp *o, char text[MT_ADDRESS_TEXT_SIZE]);
const char *mt_report_ntp_reference(const struct mt_report_ntp *o, char text[MT_ADDRESS_TEXT_SIZE]);
const char *mt_report_ntp_kiss(const struct mt_report_ntp *o, char text[MT_ADDRESS_TEXT_SIZE]);
/** It has answered, and what it said was verified. */
bool mt_report_ntp_is_authenticated(const struct mt_report_ntp *o);
bool mt_report_ntp_is_interleaved(const struct mt_report_ntp *o);
/** NAN: it has not answered. */
mt_real mt_report_ntp_distance_ns(const struct mt_report_ntp *o);
cJSON *mt_report_ntp_answers(const struct mt_report_ntp *o);

#endif
