/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What a composition tells about itself.
 */
#ifndef MEANTIME_COMPOSE_REPORT_H
#define MEANTIME_COMPOSE_REPORT_H

#include "compose/compose.h"
#include "status/report.h"

/** The status report as one line of JSON; the caller frees it.  `daemon` is the caller's part of
 * it; uptime, inputs and events_lost are filled in here.  Null when there is no memory left. */
char *mt_composition_json(struct mt_composition *self, const struct mt_report_daemon *daemon,
                          struct mt_mono now);

#endif
