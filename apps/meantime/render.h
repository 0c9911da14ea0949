/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The status report, as JSON, rendered for people.
 */
#ifndef MEANTIME_APPS_RENDER_H
#define MEANTIME_APPS_RENDER_H

#include <cjson/cJSON.h>

#include "apps/meantime/text.h"

#define MT_RENDER_WIDTH 80 /**< where nobody knows better */
#define MT_RENDER_LEAST 40 /**< narrower is not tried */

/** Everything worth knowing, some lines for each clock and instance; columns that have no room in
 * `width` are left out, the less important first. */
void mt_render_report(struct mt_text *out, const cJSON *report, size_t width);
/** One line with the essence, without newline: for logs. */
void mt_render_line(struct mt_text *out, const cJSON *report);

#endif
