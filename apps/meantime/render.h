/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The status report, as JSON, rendered for people.
 */
#ifndef MEANTIME_APPS_RENDER_H
#define MEANTIME_APPS_RENDER_H

#include <cjson/cJSON.h>

#include "apps/meantime/text.h"

/** Everything worth knowing, some lines for each clock and instance. */
void mt_render_report(struct mt_text *out, const cJSON *report);
/** One line with the essence, without newline: for logs. */
void mt_render_line(struct mt_text *out, const cJSON *report);

#endif
