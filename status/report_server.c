/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The NTP server in the report.
 */
#include "status/report_server.h"

#include <math.h>
#include <string.h>

static bool is_synchronised(const struct mt_report_server *self)
{
    return self->served->leap != MT_NTP_LEAP_UNKNOWN;
}

mt_real mt_report_server_stratum(const struct mt_report_server *self)
{
    return is_synchronised(self) ? (mt_real)self->served->stratum : (mt_real)NAN;
}

const char *mt_report_server_reference(const struct mt_report_server *self,
                                       char text[MT_ADDRESS_TEXT_SIZE])
{
    struct mt_ntp_header told = {.stratum = self->served->stratum};
    memcpy(told.reference_id, self->served->reference_id, sizeof told.reference_id);
    mt_ntp_reference_text(&told, text);
    return is_synchronised(self) ? text : NULL;
}

int mt_report_server_leap_s(const struct mt_report_server *self)
{
    return self->served->leap == MT_NTP_LEAP_61 ? 1 : self->served->leap == MT_NTP_LEAP_59 ? -1 : 0;
}

cJSON *mt_report_server_requests(const struct mt_report_server *self)
{
    cJSON *counts = cJSON_CreateObject();
    for (unsigned i = 0; i < MT_NTP_OUTCOME_COUNT; i++) {
        cJSON_AddNumberToObject(counts, mt_ntp_outcome_name((enum mt_ntp_outcome)i),
                                (double)self->outcomes[i]);
    }
    return counts;
}

cJSON *mt_report_server_key_exchanges(const struct mt_report_server *self)
{
    const struct mt_nts_counts *of = self->key_exchanges;
    cJSON *counts = cJSON_CreateObject();
    if (of == NULL) {
        return counts;
    }
    cJSON_AddNumberToObject(counts, "served", (double)of->served);
    cJSON_AddNumberToObject(counts, "failed", (double)of->failed);
    cJSON_AddNumberToObject(counts, "refused", (double)of->refused);
    cJSON_AddNumberToObject(counts, "limited", (double)of->limited);
    cJSON_AddNumberToObject(counts, "denied", (double)of->denied);
    return counts;
}
