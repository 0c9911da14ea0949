/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The report as JSON.  report.def is expanded once for each scope into a function that puts all
 * fields of that scope into an object, and once into the table of the schema; there is no other
 * list of fields.  A number that is not known is NAN here and null in JSON, so that nobody takes
 * a zero for a measurement. */
#include "status/report.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "meantime/ptp_more.h"
#include "status/names.h"
#include "status/report_gnss.h"
#include "status/report_heard.h"
#include "status/report_ntp.h"
#include "status/report_options.h"
#include "status/report_profile.h"
#include "status/report_security.h"
#include "status/report_server.h"
#include "status/report_stateless.h"
#include "status/report_unicast.h"

#define HOUR_S 3600
#define DAY_S  86400

const struct mt_report_field *mt_report_fields(size_t *ret_count)
{
    static const struct mt_report_field fields[] = {
#define MT_REPORT(scope_, path_, type_, metric_, help_, value_)                                    \
    {MT_REPORT_##scope_, MT_REPORT_##type_, MT_REPORT_##metric_, path_, help_},
#include "status/report.def"
#undef MT_REPORT
    };
    *ret_count = sizeof fields / sizeof fields[0];
    return fields;
}

/* ---- values ------------------------------------------------------------------------------- */

/* Picoseconds and 10^-12 are finer than anything measured here. */
static mt_real ns(mt_real s)
{
    return round(s * 1e12) / 1e3;
}

static mt_real ppb(mt_real ratio)
{
    return round(ratio * 1e12) / 1e3;
}

static mt_real interval_ns(struct mt_interval interval)
{
    return mt_interval_is_too_large(interval) ? NAN : round((mt_real)interval.q16 / 65.536) / 1e3;
}

/* Of those that are unreachable more is known than that. */
static const char *source_reason(const struct mt_report_source *o)
{
    bool is_told = o->opinion->verdict == MT_ARBITER_UNREACHABLE && o->fault_reason != NULL;
    return is_told ? o->fault_reason : mt_arbiter_verdict_reason(o->opinion->verdict);
}

static const struct mt_estimate *estimate_of(const struct mt_report_clock *o)
{
    return o->quality->has_estimate ? &o->quality->estimate : NULL;
}

/* the bound of the published time, if there is one */
static const struct mt_clock_page *bounded(const struct mt_report_clock *o)
{
    return o->quality->reference == MT_BOUND_NONE || mt_interval_is_too_large(o->quality->bound)
               ? NULL
               : o->published;
}

enum known {
    MT_REPORT_OBSERVED,
    MT_REPORT_WALK,
    MT_REPORT_AGEING,
    MT_REPORT_AGEING_SIGMA,
    MT_REPORT_PER_KELVIN
};

/* Of what is not known yet there are numbers, too, but they say nothing. */
static mt_real known_of(const struct mt_report_clock *o, enum known which)
{
    if (o->oscillator == NULL) {
        return NAN;
    }
    const struct mt_steer_oscillator_memory *known = &o->oscillator->known;
    bool is_known = mt_steer_oscillator_is_known(o->oscillator);
    switch (which) {
    case MT_REPORT_OBSERVED:
        return round(known->observed_s);
    case MT_REPORT_WALK:
        return is_known ? ppb(mt_real_sqrt(known->wander * HOUR_S)) : NAN;
    case MT_REPORT_AGEING:
        return is_known ? ppb(known->ageing * DAY_S) : NAN;
    case MT_REPORT_AGEING_SIGMA:
        return is_known ? ppb(known->ageing_sigma * DAY_S) : NAN;
    case MT_REPORT_PER_KELVIN:
        return is_known && known->uses_temperature ? ppb(known->coefficient) : NAN;
    }
    return NAN;
}

static bool has_flag(const struct mt_report_instance *o, enum mt_ptp_flag flag)
{
    return (o->ptp->time.flags & flag) != 0;
}

static const char *identity_text(struct mt_clock_identity identity, char *text)
{
    mt_clock_identity_text(identity, text);
    return text;
}

static const char *followed_text(const struct mt_instance *ptp, char *text)
{
    static const struct mt_clock_identity nobody;
    const struct mt_clock_identity *followed = mt_instance_last_followed(ptp);
    return mt_clock_identity_equal(followed, &nobody) ? NULL : identity_text(*followed, text);
}

static void add_count(cJSON *counts, const char *name, uint64_t count)
{
    cJSON_AddNumberToObject(counts, name, (double)count);
}

static cJSON *count_samples(const struct mt_report_clock *o)
{
    cJSON *counts = cJSON_CreateObject();
    for (unsigned verdict = 0; verdict < MT_SAMPLE_VERDICT_COUNT; verdict++) {
        uint64_t sum = 0;
        for (uint16_t source = 0; source < o->discipline->source_count; source++) {
            sum += o->discipline->sources[source].verdicts[verdict];
        }
        add_count(counts, mt_sample_verdict_name((enum mt_sample_verdict)verdict), sum);
    }
    return counts;
}

static cJSON *count_states(const struct mt_report_clock *o)
{
    static const char *const names[] = {"free_run", "acquiring", "locked",
                                        "holdover_in_specification",
                                        "holdover_out_of_specification"};
    cJSON *counts = cJSON_CreateObject();
    for (unsigned i = 0; o->holdover.entered != NULL && i < sizeof names / sizeof names[0]; i++) {
        add_count(counts, names[i], o->holdover.entered[i]);
    }
    return counts;
}

static cJSON *count_verdicts(const struct mt_report_port *o)
{
    cJSON *counts = cJSON_CreateObject();
    for (unsigned verdict = 0; verdict < MT_VERDICT_COUNT; verdict++) {
        uint64_t expected = verdict == MT_VERDICT_DOMAIN ? o->heard.of_siblings : 0;
        add_count(counts, mt_verdict_name((enum mt_verdict)verdict),
                  o->ptp->verdicts[verdict] - expected);
    }
    return counts;
}

static cJSON *count_counters(const struct mt_report_port *o)
{
    cJSON *counts = cJSON_CreateObject();
    for (unsigned counter = 0; counter < MT_PORT_COUNTER_COUNT; counter++) {
        add_count(counts, mt_port_counter_name((enum mt_port_counter)counter),
                  o->ptp->counters[counter]);
    }
    return counts;
}

static cJSON *count_delays(const struct mt_report_port *o)
{
    cJSON *counts = cJSON_CreateObject();
    for (unsigned i = 0; i < o->link.delay_count; i++) {
        char name[24] = "more";
        if (i + 1 < o->link.delay_count) {
            snprintf(name, sizeof name, "%lu", 1ul << i);
        }
        if (o->link.stamp_delays[i] > 0) {
            add_count(counts, name, o->link.stamp_delays[i]);
        }
    }
    return counts;
}

static const struct mt_transparent *transparent_of(const struct mt_report_instance *o)
{
    return o->ptp->config.more != NULL ? o->ptp->config.more->transparent : NULL;
}

static const char *transparent_kind(const struct mt_report_instance *o)
{
    const struct mt_transparent *transparent = transparent_of(o);
    return transparent == NULL ? NULL : transparent->config.is_peer_to_peer ? "p2p" : "e2e";
}

enum residence { RESIDENCE_LEAST, RESIDENCE_MEAN, RESIDENCE_MOST };

static mt_real residence_ns(const struct mt_report_instance *o, enum residence which)
{
    const struct mt_transparent *transparent = transparent_of(o);
    if (transparent == NULL || transparent->residence.count == 0) {
        return NAN;
    }
    if (which == RESIDENCE_MEAN) {
        return (mt_real)mt_transparent_mean_ns(transparent);
    }
    return interval_ns(which == RESIDENCE_LEAST ? transparent->residence.least
                                                : transparent->residence.most);
}

static cJSON *count_transparent(const struct mt_report_instance *o)
{
    const struct mt_transparent *transparent = transparent_of(o);
    cJSON *counts = cJSON_CreateObject();
    for (unsigned i = 0; i < MT_TRANSPARENT_COUNTER_COUNT; i++) {
        add_count(counts, mt_transparent_counter_name((enum mt_transparent_counter)i),
                  transparent != NULL ? transparent->counters[i] : 0);
    }
    return counts;
}

static cJSON *count_delayed(const struct mt_report_instance *o)
{
    static const struct mt_security none;
    const struct mt_instance_more *more = o->ptp->config.more;
    const struct mt_security *of = more != NULL && more->security != NULL ? more->security : &none;
    cJSON *counts = cJSON_CreateObject();
    add_count(counts, "kept", of->held_total);
    add_count(counts, "verified", of->verified);
    add_count(counts, "expired", of->expired);
    add_count(counts, "unsafe", of->unsafe);
    add_count(counts, "no_room", of->full);
    add_count(counts, "wrong_keys", of->wrong_keys);
    add_count(counts, "not_signed", of->not_signed);
    return counts;
}

static const struct mt_peer *peer_of(const struct mt_report_port *o)
{
    return mt_port_delay_mechanism(o->ptp) == MT_DELAY_E2E || o->ptp->config.more == NULL
               ? NULL
               : o->ptp->config.more->peer;
}

static struct mt_peer_report link_of(const struct mt_report_port *o)
{
    struct mt_peer_report link = {.has_delay = false};
    if (peer_of(o) != NULL) {
        mt_peer_get(peer_of(o), &link);
    }
    return link;
}

static mt_real link_delay_ns(const struct mt_report_port *o, struct mt_interval delay)
{
    return link_of(o).has_delay ? interval_ns(delay) : NAN;
}

static const char *neighbour_text(const struct mt_report_port *o, char *text)
{
    struct mt_peer_report link = link_of(o);
    if (!link.has_identity) {
        return NULL;
    }
    mt_port_identity_text(link.identity, text);
    return text;
}

static const char *time_source_of(const struct mt_report_instance *o)
{
    const char *name = mt_time_source_name(o->ptp->time.time_source);
    return strcmp(name, "?") == 0 ? NULL : name;
}

/* In the order in which they have to come about [802.1AS-2020 11.2.2]. */
static const char *why_not_capable(const struct mt_report_port *o)
{
    struct mt_peer_report link = link_of(o);
    if (peer_of(o) == NULL || link.is_as_capable) {
        return NULL;
    }
    if (link.has_several) {
        return "several stations answer";
    }
    if (!link.has_identity || link.exchanges == 0) {
        return "nobody answers";
    }
    if (link.delay.q16 > peer_of(o)->config.mean_link_delay_thresh.q16) {
        return "its delay is above mean_link_delay_thresh";
    }
    return link.has_rate_ratio ? "too many requests were not answered"
                               : "the rate of the neighbour's clock is not known yet";
}

static cJSON *count_peer(const struct mt_report_port *o)
{
    cJSON *counts = cJSON_CreateObject();
    for (unsigned counter = 0; counter < MT_PEER_COUNTER_COUNT; counter++) {
        add_count(counts, mt_peer_counter_name((enum mt_peer_counter)counter),
                  peer_of(o) != NULL ? peer_of(o)->counters[counter] : 0);
    }
    return counts;
}

/* of the interval that a majority agrees upon, less what the clock is off by now */
static mt_real agreed_ns(const struct mt_report_clock *o, bool is_high)
{
    if (o->arbiter == NULL || !o->arbiter->has_interval) {
        return NAN;
    }
    mt_real end = is_high ? o->arbiter->high : o->arbiter->low;
    return ns(mt_span_to_real(o->arbiter_base) + end);
}

static const char *source_address(const struct mt_report_source *o, char *text)
{
    if (o->address == NULL || o->address->network == MT_NETWORK_NONE) {
        return NULL;
    }
    mt_address_text(o->address, text);
    return text;
}

/* ---- objects ------------------------------------------------------------------------------ */

/* The object that a path's last word belongs into; inner objects are made on the way. */
static cJSON *descend(cJSON *object, const char **path)
{
    const char *dot;
    while ((dot = strchr(*path, '.')) != NULL) {
        char name[40] = "";
        memcpy(name, *path, (size_t)(dot - *path));
        cJSON *inner = cJSON_GetObjectItemCaseSensitive(object, name);
        object = inner != NULL ? inner : cJSON_AddObjectToObject(object, name);
        *path = dot + 1;
    }
    return object;
}

static void put(cJSON *object, const char *path, cJSON *value)
{
    object = descend(object, &path);
    if (!cJSON_AddItemToObject(object, path, value)) {
        cJSON_Delete(value);
    }
}

static cJSON *make_STRING(const char *value)
{
    return value == NULL ? cJSON_CreateNull() : cJSON_CreateString(value);
}

static cJSON *make_NUMBER(mt_real value)
{
    return isnan(value) ? cJSON_CreateNull() : cJSON_CreateNumber(value);
}

static cJSON *make_COUNTS(cJSON *value)
{
    return value;
}

#define make_INTEGER(value) cJSON_CreateNumber((double)(value))
#define make_BOOLEAN(value) cJSON_CreateBool(value)

/* A preprocessor cannot filter by scope: each function expands all lines, and those of another
 * scope to nothing. */
#define PUT(path, type, value) put(object, path, make_##type(value));

static void put_daemon(cJSON *object, const struct mt_report_daemon *o)
{
#define ONLY_DAEMON(path, type, value) PUT(path, type, value)
#define ONLY_CLOCK(path, type, value)
#define ONLY_INSTANCE(path, type, value)
#define ONLY_PORT(path, type, value)
#define ONLY_NTP(path, type, value)
#define ONLY_SOURCE(path, type, value)
#define ONLY_GNSS(path, type, value)
#define ONLY_SERVER(path, type, value)
#define MT_REPORT(scope, path, type, metric, help, value) ONLY_##scope(path, type, value)
#include "status/report.def"
#undef ONLY_DAEMON
#undef ONLY_CLOCK
}

static void put_clock(cJSON *object, const struct mt_report_clock *o)
{
#define ONLY_DAEMON(path, type, value)
#define ONLY_CLOCK(path, type, value) PUT(path, type, value)
#include "status/report.def"
#undef ONLY_CLOCK
#undef ONLY_INSTANCE
}

static void put_instance(cJSON *object, const struct mt_report_instance *o)
{
    char text[MT_IDENTITY_TEXT_SIZE];
#define ONLY_CLOCK(path, type, value)
#define ONLY_INSTANCE(path, type, value) PUT(path, type, value)
#include "status/report.def"
#undef ONLY_INSTANCE
#undef ONLY_PORT
}

static void put_port(cJSON *object, const struct mt_report_port *o)
{
    char text[MT_REPORT_ADDRESS_SIZE]; /* of identities, too, which are shorter */
#define ONLY_INSTANCE(path, type, value)
#define ONLY_PORT(path, type, value) PUT(path, type, value)
#include "status/report.def"
#undef ONLY_PORT
#undef ONLY_NTP
}

#define answered(o, member)                                                                        \
    ((o)->client->server.version != 0 ? (mt_real)(o)->client->server.member : NAN)

static void put_ntp(cJSON *object, const struct mt_report_ntp *o)
{
    char text[MT_ADDRESS_TEXT_SIZE];
#define ONLY_PORT(path, type, value)
#define ONLY_NTP(path, type, value) PUT(path, type, value)
#include "status/report.def"
#undef ONLY_NTP
#undef ONLY_SOURCE
}

/* NAN unless it is known */
static mt_real measured(const struct mt_report_source *o, mt_real s)
{
    return o->facts->is_measured ? ns(s) : (mt_real)NAN;
}

static void put_source(cJSON *object, const struct mt_report_source *o)
{
    char text[MT_ADDRESS_TEXT_SIZE];
#define ONLY_NTP(path, type, value)
#define ONLY_SOURCE(path, type, value) PUT(path, type, value)
#include "status/report.def"
#undef ONLY_SOURCE
#undef ONLY_GNSS
}

static void put_gnss(cJSON *object, const struct mt_report_gnss *o)
{
#define ONLY_SOURCE(path, type, value)
#define ONLY_GNSS(path, type, value) PUT(path, type, value)
#include "status/report.def"
#undef ONLY_GNSS
#undef ONLY_SERVER
}

static void put_server(cJSON *object, const struct mt_report_server *o)
{
    char text[MT_ADDRESS_TEXT_SIZE];
#define ONLY_GNSS(path, type, value)
#define ONLY_SERVER(path, type, value) PUT(path, type, value)
#include "status/report.def"
#undef MT_REPORT
}

static cJSON *add_to(cJSON *array)
{
    cJSON *object = cJSON_CreateObject();
    cJSON_AddItemToArray(array, object);
    return object;
}

static void put_all(cJSON *root, const struct mt_report *self)
{
    put_daemon(cJSON_AddObjectToObject(root, "daemon"), &self->daemon);
    cJSON *clocks = cJSON_AddArrayToObject(root, "clocks");
    for (size_t i = 0; i < self->clock_count; i++) {
        put_clock(add_to(clocks), &self->clocks[i]);
    }
    cJSON *instances = cJSON_AddArrayToObject(root, "instances");
    for (size_t i = 0; i < self->instance_count; i++) {
        const struct mt_report_instance *instance = &self->instances[i];
        cJSON *object = add_to(instances);
        put_instance(object, instance);
        cJSON *ports = cJSON_AddArrayToObject(object, "ports");
        for (uint16_t p = 0; p < instance->ptp->port_count; p++) {
            put_port(add_to(ports), &instance->ports[p]);
        }
    }
    cJSON *ntp = cJSON_AddArrayToObject(root, "ntp");
    for (size_t i = 0; i < self->ntp_count; i++) {
        put_ntp(add_to(ntp), &self->ntp[i]);
    }
    cJSON *sources = cJSON_AddArrayToObject(root, "sources");
    for (size_t i = 0; i < self->source_count; i++) {
        put_source(add_to(sources), &self->sources[i]);
    }
    cJSON *gnss = cJSON_AddArrayToObject(root, "gnss");
    for (size_t i = 0; i < self->gnss_count; i++) {
        put_gnss(add_to(gnss), &self->gnss[i]);
    }
    if (self->server != NULL) {
        put_server(cJSON_AddObjectToObject(root, "server"), self->server);
    } else {
        cJSON_AddNullToObject(root, "server");
    }
}

char *mt_report_json(const struct mt_report *self)
{
    cJSON *root = cJSON_CreateObject();
    put_all(root, self);
    char *text = cJSON_PrintUnformatted(root);
    cJSON_Delete(root);
    return text;
}
