/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Unicast in the report: see report_unicast.h.  The names of the counters are those of the members.
 */
#include "status/report_unicast.h"

#include <arpa/inet.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>

#include "meantime/ptp_interface_rate.h"
#include "meantime/ptp_more.h"

static const struct mt_port_more *more_of(const struct mt_port *port)
{
    static const struct mt_port_more none = {0};
    return port->config.more != NULL ? port->config.more : &none;
}

static const char *const services[MT_SERVICE_COUNT] = {"announce", "sync", "delay_resp"};

const char *mt_report_unicast_mode(const struct mt_port *port)
{
    const struct mt_port_more *more = more_of(port);
    if (more->requester != NULL) {
        return more->requester->negotiates ? "negotiated" : "static";
    }
    return more->hybrid != NULL ? "hybrid" : "off";
}

/* ---- grantor --------------------------------------------------------------------------------- */

uint32_t mt_report_unicast_clients(const struct mt_port *port)
{
    const struct mt_grantor *grantor = more_of(port)->grantor;
    return grantor != NULL ? grantor->client_count : 0;
}

cJSON *mt_report_unicast_active(const struct mt_port *port)
{
    const struct mt_grantor *grantor = more_of(port)->grantor;
    cJSON *counts = cJSON_CreateObject();
    for (unsigned i = 0; i < MT_SERVICE_COUNT; i++) {
        cJSON_AddNumberToObject(counts, services[i],
                                grantor != NULL ? (double)grantor->books[i].active : 0);
    }
    return counts;
}

#define ENTRY(member)                                                                              \
    {                                                                                              \
#member, offsetof(struct mt_grant_book, member)                                            \
    }
static const struct entry {
    const char *name;
    size_t offset;
} grant_entries[] = {
    ENTRY(requested), ENTRY(granted), ENTRY(renewed), ENTRY(denied), ENTRY(cancelled),
    ENTRY(withdrawn), ENTRY(expired), ENTRY(sent),    ENTRY(missed),
};
#undef ENTRY

static double entry_of(const void *book, const struct entry *entry)
{
    return book == NULL
               ? 0
               : (double)*(const uint64_t *)(const void *)((const char *)book + entry->offset);
}

cJSON *mt_report_unicast_grants(const struct mt_port *port)
{
    const struct mt_grantor *grantor = more_of(port)->grantor;
    cJSON *counts = cJSON_CreateObject();
    for (unsigned i = 0; i < MT_SERVICE_COUNT; i++) {
        for (size_t e = 0; e < sizeof grant_entries / sizeof grant_entries[0]; e++) {
            char name[40];
            snprintf(name, sizeof name, "%s_%s", services[i], grant_entries[e].name);
            cJSON_AddNumberToObject(
                counts, name,
                entry_of(grantor != NULL ? &grantor->books[i] : NULL, &grant_entries[e]));
        }
    }
    cJSON_AddNumberToObject(counts, "delay_req_denied",
                            grantor != NULL ? (double)grantor->delay_req_denied : 0);
    return counts;
}

/* ---- requester ------------------------------------------------------------------------------- */

#define ENTRY(member)                                                                              \
    {                                                                                              \
#member, offsetof(struct mt_requester_book, member)                                        \
    }
static const struct entry request_entries[] = {
    ENTRY(asked),    ENTRY(granted), ENTRY(denied),        ENTRY(unanswered), ENTRY(cancelled),
    ENTRY(given_up), ENTRY(expired), ENTRY(fallen_silent), ENTRY(failovers),
};
#undef ENTRY

cJSON *mt_report_unicast_requests(const struct mt_port *port)
{
    const struct mt_requester *requester = more_of(port)->requester;
    cJSON *counts = cJSON_CreateObject();
    for (size_t e = 0; e < sizeof request_entries / sizeof request_entries[0]; e++) {
        cJSON_AddNumberToObject(
            counts, request_entries[e].name,
            entry_of(requester != NULL ? &requester->book : NULL, &request_entries[e]));
    }
    return counts;
}

const char *mt_report_station(const struct mt_address *address, unsigned index,
                              const struct mt_report_names *names,
                              char text[MT_REPORT_ADDRESS_SIZE])
{
    bool is_known = address->network != MT_NETWORK_NONE;
    const char *name = is_known || names->at == NULL ? NULL : names->at(names->context, index);
    mt_report_address(address, index, text);
    return name != NULL ? name : text;
}

void mt_report_address(const struct mt_address *address, unsigned index,
                       char text[MT_REPORT_ADDRESS_SIZE])
{
    const uint8_t *o = address->octets;
    switch (address->network) {
    case MT_NETWORK_UDP_IPV4:
        inet_ntop(AF_INET, o, text, MT_REPORT_ADDRESS_SIZE);
        return;
    case MT_NETWORK_UDP_IPV6:
        inet_ntop(AF_INET6, o, text, MT_REPORT_ADDRESS_SIZE);
        return;
    case MT_NETWORK_IEEE_802_3:
        snprintf(text, MT_REPORT_ADDRESS_SIZE, "%02x:%02x:%02x:%02x:%02x:%02x", o[0], o[1], o[2],
                 o[3], o[4], o[5]);
        return;
    }
    snprintf(text, MT_REPORT_ADDRESS_SIZE, "unknown %u", index + 1);
}

/* ---- the table ------------------------------------------------------------------------------- */

const char *mt_transmitter_state_name(enum mt_transmitter_state state)
{
    static const char *const names[MT_TRANSMITTER_STATE_COUNT] = {
        [MT_TRANSMITTER_UNRESOLVED] = "unresolved",
        [MT_TRANSMITTER_NOT_HEARD] = "not_heard",
        [MT_TRANSMITTER_ANNOUNCES] = "announces",
        [MT_TRANSMITTER_ASKED] = "asked",
        [MT_TRANSMITTER_FOLLOWED] = "followed",
        [MT_TRANSMITTER_HELD] = "held",
        [MT_TRANSMITTER_WAIT_TO_RESTORE] = "wait_to_restore",
    };
    return (unsigned)state < MT_TRANSMITTER_STATE_COUNT ? names[state] : "?";
}

const char *mt_transmitter_reason_name(enum mt_transmitter_reason reason)
{
    static const char *const names[MT_REASON_COUNT] = {
        [MT_REASON_NONE] = "none",
        [MT_REASON_NO_ADDRESS] = "no_address",
        [MT_REASON_PORT_DOWN] = "port_down",
        [MT_REASON_UNANSWERED] = "unanswered",
        [MT_REASON_DENIED] = "denied",
        [MT_REASON_CANCELLED] = "cancelled",
        [MT_REASON_EXPIRED] = "expired",
        [MT_REASON_LOSS_SYNC] = "loss_sync",
        [MT_REASON_LOSS_ANNOUNCE] = "loss_announce",
        [MT_REASON_NOT_ACCEPTABLE] = "not_acceptable",
        [MT_REASON_NOT_BEST] = "not_best",
    };
    return (unsigned)reason < MT_REASON_COUNT ? names[reason] : "?";
}

/* What of it is told. */
struct standing {
    enum mt_transmitter_state state;
    enum mt_transmitter_reason reason;
    mt_real retry_s; /* NaN: it is listened to */
};

/* Null: it does not wait to restore. */
static const struct mt_barred *barred_of(const struct mt_report_port *port,
                                         const struct mt_unicast_transmitter *transmitter)
{
    const struct mt_instance_more *more =
        port->instance != NULL ? port->instance->config.more : NULL;
    const struct mt_profile *profile = more != NULL ? more->profile : NULL;
    for (unsigned i = 0; profile != NULL && i < MT_PROFILE_BARRED_MAX; i++) {
        const struct mt_barred *barred = &profile->barred[i];
        if (transmitter->is_identity_known && barred->until.ns > port->instance->now.ns &&
            mt_port_identity_equal(&barred->sender, &transmitter->identity)) {
            return barred;
        }
    }
    return NULL;
}

/* Its Announces are heard and compared. */
static bool is_candidate(const struct mt_port *port,
                         const struct mt_unicast_transmitter *transmitter)
{
    for (unsigned i = 0; transmitter->is_identity_known && i < MT_FOREIGN_MAX; i++) {
        if (port->foreign[i].is_used &&
            mt_port_identity_equal(&port->foreign[i].dataset.sender, &transmitter->identity)) {
            return true;
        }
    }
    return false;
}

static enum mt_transmitter_reason trouble_with(const struct mt_unicast_transmitter *transmitter,
                                               enum mt_service kind)
{
    switch ((enum mt_requester_trouble)transmitter->services[kind].trouble) {
    case MT_TROUBLE_NONE:
        break;
    case MT_TROUBLE_UNANSWERED:
        return MT_REASON_UNANSWERED;
    case MT_TROUBLE_DENIED:
        return MT_REASON_DENIED;
    case MT_TROUBLE_CANCELLED:
        return MT_REASON_CANCELLED;
    case MT_TROUBLE_EXPIRED:
        return MT_REASON_EXPIRED;
    case MT_TROUBLE_SILENT:
        return kind == MT_SERVICE_ANNOUNCE ? MT_REASON_LOSS_ANNOUNCE : MT_REASON_LOSS_SYNC;
    }
    return MT_REASON_NONE;
}

/* Of the service that matters most: without Sync, others help nothing.  But what is asked for at
 * the moment goes before what it was left for some time ago. */
static enum mt_transmitter_reason trouble_of(const struct mt_unicast_transmitter *transmitter)
{
    static const enum mt_service order[] = {MT_SERVICE_SYNC, MT_SERVICE_DELAY_RESP,
                                            MT_SERVICE_ANNOUNCE};
    for (unsigned i = 0; i < 2 * MT_SERVICE_COUNT; i++) {
        enum mt_service kind = order[i % MT_SERVICE_COUNT];
        bool is_turn = transmitter->services[kind].is_wanted == (i < MT_SERVICE_COUNT);
        if (is_turn && trouble_with(transmitter, kind) != MT_REASON_NONE) {
            return trouble_with(transmitter, kind);
        }
    }
    return MT_REASON_NONE;
}

static struct standing by_state(const struct mt_port *port,
                                const struct mt_unicast_transmitter *transmitter)
{
    const enum mt_transmitter_reason trouble = trouble_of(transmitter);
    struct standing standing = {.reason = trouble, .retry_s = (mt_real)NAN};
    switch (transmitter->state) {
    case MT_REQUESTER_WAIT:
        standing.state = MT_TRANSMITTER_NOT_HEARD;
        break;
    case MT_REQUESTER_HAVE_ANNOUNCE:
        standing.state = MT_TRANSMITTER_ANNOUNCES;
        if (trouble == MT_REASON_NONE) {
            standing.reason =
                is_candidate(port, transmitter) ? MT_REASON_NOT_BEST : MT_REASON_NOT_ACCEPTABLE;
        }
        break;
    case MT_REQUESTER_NEED_SYNC:
        standing.state = MT_TRANSMITTER_ASKED;
        break;
    case MT_REQUESTER_HAVE_SYNC:
        standing.state = MT_TRANSMITTER_FOLLOWED;
        break;
    }
    return standing;
}

static mt_real until_s(const struct mt_report_port *port, struct mt_mono until)
{
    int64_t now_ns = port->instance != NULL ? port->instance->now.ns : 0;
    return (mt_real)((until.ns - now_ns) / 1000000) / 1e3;
}

static struct standing standing_of(const struct mt_report_port *port,
                                   const struct mt_requester *requester,
                                   const struct mt_unicast_transmitter *transmitter)
{
    const struct mt_barred *barred = barred_of(port, transmitter);
    if (transmitter->address.network == MT_NETWORK_NONE) {
        return (struct standing){MT_TRANSMITTER_UNRESOLVED, MT_REASON_NO_ADDRESS, (mt_real)NAN};
    }
    if (!requester->is_running) {
        return (struct standing){MT_TRANSMITTER_NOT_HEARD, MT_REASON_PORT_DOWN, (mt_real)NAN};
    }
    if (barred != NULL) {
        enum mt_transmitter_reason loss =
            barred->for_sync ? MT_REASON_LOSS_SYNC : MT_REASON_LOSS_ANNOUNCE;
        bool is_denied = trouble_of(transmitter) == MT_REASON_DENIED; /* which is newer */
        return (struct standing){MT_TRANSMITTER_WAIT_TO_RESTORE,
                                 is_denied ? MT_REASON_DENIED : loss, until_s(port, barred->until)};
    }
    if (transmitter->held_until.ns != 0) {
        return (struct standing){MT_TRANSMITTER_HELD, trouble_of(transmitter),
                                 until_s(port, transmitter->held_until)};
    }
    return by_state(port->ptp, transmitter);
}

static cJSON *name_of_state(const struct standing *standing)
{
    return cJSON_CreateString(mt_transmitter_state_name(standing->state));
}

static cJSON *name_of_reason(const struct standing *standing)
{
    return cJSON_CreateString(mt_transmitter_reason_name(standing->reason));
}

static cJSON *retry_of(const struct standing *standing)
{
    return isnan(standing->retry_s) ? cJSON_CreateNull() : cJSON_CreateNumber(standing->retry_s);
}

static cJSON *list(const struct mt_report_port *port,
                   cJSON *(*item_of)(const struct standing *standing))
{
    const struct mt_requester *requester = more_of(port->ptp)->requester;
    cJSON *items = cJSON_CreateObject();
    for (unsigned i = 0; requester != NULL && i < requester->count; i++) {
        char text[MT_REPORT_ADDRESS_SIZE];
        const struct standing standing = standing_of(port, requester, &requester->table[i]);
        cJSON_AddItemToObject(
            items, mt_report_station(&requester->table[i].address, i, &port->transmitters, text),
            item_of(&standing));
    }
    return items;
}

cJSON *mt_report_unicast_transmitters(const struct mt_report_port *port)
{
    return list(port, name_of_state);
}

cJSON *mt_report_unicast_reasons(const struct mt_report_port *port)
{
    return list(port, name_of_reason);
}

cJSON *mt_report_unicast_retry_s(const struct mt_report_port *port)
{
    return list(port, retry_of);
}

/* ---- the rate of links ----------------------------------------------------------------------- */

static const struct mt_interface_rate *rate_of(const struct mt_port *port)
{
    const struct mt_interface_rate *rate =
        port->config.more != NULL ? port->config.more->interface_rate : NULL;
    return rate != NULL && rate->is_known ? rate : NULL;
}

mt_real mt_report_interface_rate_mbit(const struct mt_port *port)
{
    const struct mt_interface_rate *rate = rate_of(port);
    return rate != NULL ? (mt_real)1e12 / (mt_real)rate->peer.bit_period_as : (mt_real)NAN;
}

mt_real mt_report_interface_asymmetry_ns(const struct mt_port *port)
{
    const struct mt_interface_rate *rate = rate_of(port);
    return rate != NULL ? (mt_real)rate->applied.q16 / 65536 : (mt_real)NAN;
}
