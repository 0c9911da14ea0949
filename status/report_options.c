/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Options of PTP in the report: see report_options.h.
 */
#include "status/report_options.h"

#include <math.h>

#include "meantime/ptp_alternate.h"
#include "meantime/ptp_intervals.h"
#include "meantime/ptp_more.h"
#include "status/names.h"

/* ---- intervals ------------------------------------------------------------------------------- */

static const struct mt_intervals *intervals_of(const struct mt_port *port)
{
    return port->config.more != NULL ? port->config.more->intervals : NULL;
}

const char *mt_report_intervals(const struct mt_port *port)
{
    const struct mt_intervals *intervals = intervals_of(port);
    if (intervals == NULL || !intervals->is_following) { /* which it is not without a key */
        return NULL;
    }
    return intervals->is_operational ? "operational" : "initial";
}

uint64_t mt_report_interval_requests(const struct mt_port *port)
{
    const struct mt_intervals *intervals = intervals_of(port);
    return intervals != NULL ? intervals->requests : 0;
}

/* ---- alternate transmitters ------------------------------------------------------------------ */

static const struct mt_alternate *alternate_of(const struct mt_port *port)
{
    return port->config.more != NULL ? port->config.more->alternate : NULL;
}

bool mt_report_is_alternate(const struct mt_port *port)
{
    const struct mt_alternate *alternate = alternate_of(port);
    return alternate != NULL && alternate->is_sending;
}

cJSON *mt_report_alternates(const struct mt_port *port)
{
    const struct mt_alternate *alternate = alternate_of(port);
    cJSON *offsets = cJSON_CreateObject();
    for (unsigned i = 0; alternate != NULL && i < MT_ALTERNATES_HEARD; i++) {
        const struct mt_alternate_heard *heard = &alternate->heard[i];
        char text[MT_IDENTITY_TEXT_SIZE];
        if (!heard->is_used) {
            continue;
        }
        mt_port_identity_text(heard->dataset.sender, text);
        if (heard->has_offset && !mt_interval_is_too_large(heard->offset)) {
            cJSON_AddNumberToObject(offsets, text, round((double)heard->offset.q16 / 65.536) / 1e3);
        } else {
            cJSON_AddNullToObject(offsets, text);
        }
    }
    return offsets;
}
