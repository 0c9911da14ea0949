/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What the report says of a port's signatures.  Called by report.c for the fields of report.def.
 * Thread rule: that of the instance.
 */
#ifndef MEANTIME_STATUS_REPORT_SECURITY_H
#define MEANTIME_STATUS_REPORT_SECURITY_H

#include <cjson/cJSON.h>

#include "status/report.h"

/** How messages are signed, or verified. */
enum mt_report_signatures {
    MT_SIGNATURES_OFF,
    MT_SIGNATURES_IMMEDIATE,
    MT_SIGNATURES_DELAYED,
    MT_SIGNATURES_BOTH,
};
#define MT_SIGNATURES_COUNT 4

const char *mt_report_signatures_name(enum mt_report_signatures of); /**< "immediate" */

enum mt_report_signatures mt_report_signs(const struct mt_report_port *port);
enum mt_report_signatures mt_report_verifies(const struct mt_report_port *port);
/** Numbers are NaN where there are none. */
mt_real mt_report_spp(const struct mt_report_port *port);
/** With which it signs. */
mt_real mt_report_key_id(const struct mt_report_port *port);
mt_real mt_report_delayed_spp(const struct mt_report_port *port);
/** Of the interval that was signed last. */
mt_real mt_report_delayed_key_id(const struct mt_report_port *port);
/** Of the newest key that was disclosed to it. */
mt_real mt_report_disclosed_key_id(const struct mt_report_port *port);
cJSON *mt_report_security_counters(const struct mt_report_port *port);

#endif
