/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Unicast in the report: see report_unicast.h.  The names of the counters are those of the members.
 */
#include "status/report_unicast.h"

#include <arpa/inet.h>
#include <stddef.h>
#include <stdio.h>

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

cJSON *mt_report_unicast_transmitters(const struct mt_port *port)
{
    const struct mt_requester *requester = more_of(port)->requester;
    cJSON *counts = cJSON_CreateObject();
    for (unsigned i = 0; requester != NULL && i < requester->count; i++) {
        char text[MT_REPORT_ADDRESS_SIZE];
        mt_report_address(&requester->table[i].address, i, text);
        cJSON_AddNumberToObject(counts, text, requester->table[i].state);
    }
    return counts;
}
