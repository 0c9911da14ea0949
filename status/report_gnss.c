/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * A GNSS receiver in the report.
 */
#include "status/report_gnss.h"

#include <math.h>

const char *mt_report_gnss_reason(const struct mt_report_gnss *self)
{
    return self->has_verdict ? mt_gnss_pulse_verdict_words(self->verdict) : NULL;
}

mt_real mt_report_gnss_satellites(const struct mt_report_gnss *self)
{
    return self->receiver->has_satellites ? (mt_real)self->receiver->satellites : (mt_real)NAN;
}

mt_real mt_report_gnss_visible(const struct mt_report_gnss *self)
{
    return self->receiver->has_visible ? (mt_real)self->receiver->visible : (mt_real)NAN;
}

mt_real mt_report_gnss_tai_utc_s(const struct mt_report_gnss *self)
{
    const struct mt_gnss_receiver *receiver = self->receiver;
    if (receiver->has_gps_utc) {
        return (mt_real)(receiver->gps_utc_s + MT_GNSS_TAI_GPS_S);
    }
    return receiver->has_leap ? (mt_real)(receiver->leap.gps_utc_s + MT_GNSS_TAI_GPS_S)
                              : (mt_real)NAN;
}

cJSON *mt_report_gnss_sentences(const struct mt_report_gnss *self)
{
    cJSON *counts = cJSON_CreateObject();
    for (unsigned i = 0; i < MT_GNSS_VERDICT_COUNT; i++) {
        cJSON_AddNumberToObject(counts, mt_gnss_verdict_name((enum mt_gnss_verdict)i),
                                (double)self->receiver->counts[i]);
    }
    return counts;
}

cJSON *mt_report_gnss_pulses(const struct mt_report_gnss *self)
{
    cJSON *counts = cJSON_CreateObject();
    for (unsigned i = 0; i < MT_GNSS_PULSE_VERDICT_COUNT; i++) {
        cJSON_AddNumberToObject(counts, mt_gnss_pulse_verdict_name((enum mt_gnss_pulse_verdict)i),
                                (double)self->counts[i]);
    }
    return counts;
}
