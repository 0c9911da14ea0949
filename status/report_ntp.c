/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What is told of NTP servers. */
#include "status/report_ntp.h"

#include <math.h>
#include <string.h>

static bool has_answered(const struct mt_report_ntp *o)
{
    return o->client->server.version != 0;
}

const char *mt_report_ntp_state(const struct mt_report_ntp *o)
{
    return mt_arbiter_verdict_name(o->opinion);
}

bool mt_report_ntp_is_authenticated(const struct mt_report_ntp *o)
{
    return has_answered(o) && (o->client->config.key != 0 || o->client->config.nts != NULL);
}

const char *mt_report_ntp_address(const struct mt_report_ntp *o, char text[MT_ADDRESS_TEXT_SIZE])
{
    mt_address_text(o->address, text);
    return text[0] != '\0' ? text : NULL;
}

const char *mt_report_ntp_reference(const struct mt_report_ntp *o, char text[MT_ADDRESS_TEXT_SIZE])
{
    mt_ntp_reference_text(&o->client->server, text);
    return has_answered(o) ? text : NULL;
}

const char *mt_report_ntp_kiss(const struct mt_report_ntp *o, char text[MT_ADDRESS_TEXT_SIZE])
{
    struct mt_ntp_header kiss = {.stratum = 0};
    memcpy(kiss.reference_id, o->client->kiss, sizeof kiss.reference_id);
    mt_ntp_reference_text(&kiss, text);
    return text[0] != '\0' ? text : NULL;
}

bool mt_report_ntp_is_interleaved(const struct mt_report_ntp *o)
{
    const struct mt_ntp_client *client = o->client;
    return client->config.is_interleaved && has_answered(o) && client->before.has_arrival &&
           !client->before.is_measured_back;
}

mt_real mt_report_ntp_distance_ns(const struct mt_report_ntp *o)
{
    const struct mt_ntp_header *server = &o->client->server;
    struct mt_interval delay = mt_ntp_short_to_interval(server->root_delay);
    struct mt_interval dispersion = mt_ntp_short_to_interval(server->root_dispersion);
    return has_answered(o)
               ? (mt_real)mt_interval_to_ns(delay) / 2 + (mt_real)mt_interval_to_ns(dispersion)
               : (mt_real)NAN;
}

cJSON *mt_report_ntp_answers(const struct mt_report_ntp *o)
{
    static const char *const names[] = {
#define MT_NTP_VERDICT(symbol, name, meaning) name,
#include "meantime/ntp_client_verdict.def"
#undef MT_NTP_VERDICT
    };
    cJSON *counts = cJSON_CreateObject();
    for (unsigned i = 0; i < MT_NTP_VERDICT_COUNT; i++) {
        cJSON_AddNumberToObject(counts, names[i], (double)o->client->verdicts[i]);
    }
    return counts;
}
