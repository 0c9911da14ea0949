/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What the report says of a GNSS receiver.
 */
#ifndef MEANTIME_STATUS_REPORT_GNSS_H
#define MEANTIME_STATUS_REPORT_GNSS_H

#include <cjson/cJSON.h>

#include "status/report.h"

/** The last pulse's fate in words; null: there was none. */
const char *mt_report_gnss_reason(const struct mt_report_gnss *self);
mt_real mt_report_gnss_satellites(const struct mt_report_gnss *self);
mt_real mt_report_gnss_visible(const struct mt_report_gnss *self);
/** TAI - UTC that it reckons with; NAN: it does not say. */
mt_real mt_report_gnss_tai_utc_s(const struct mt_report_gnss *self);
cJSON *mt_report_gnss_sentences(const struct mt_report_gnss *self);
cJSON *mt_report_gnss_pulses(const struct mt_report_gnss *self);

#endif
