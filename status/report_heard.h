/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What the report says of the transmitters that a port hears.
 */
#ifndef MEANTIME_STATUS_REPORT_HEARD_H
#define MEANTIME_STATUS_REPORT_HEARD_H

#include <cjson/cJSON.h>

#include "status/report.h"

/** By the identity of each port whose Announces are heard: "followed", or why it is not, as the end
 * of a sentence. */
cJSON *mt_report_transmitters_heard(const struct mt_report_port *port);

#endif
