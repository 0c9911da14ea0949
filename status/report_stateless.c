/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Stateless PTP in the report: see report_stateless.h.  Where there is none, everything is 0.
 */
#include "status/report_stateless.h"

#include <stddef.h>

#include "meantime/ptp_more.h"
#include "status/names.h"
#include "status/report_unicast.h"

static const struct mt_stateless_service *service_of(const struct mt_instance *instance)
{
    return instance->config.more != NULL ? instance->config.more->stateless : NULL;
}

static const struct mt_stateless_client *client_of(const struct mt_port *port)
{
    return port->config.more != NULL ? port->config.more->stateless : NULL;
}

const char *mt_report_stateless_serves(const struct mt_instance *instance)
{
    const struct mt_stateless_service *service = service_of(instance);
    if (service == NULL || (!service->server.serves_sptp && !service->server.serves_csptp)) {
        return "off";
    }
    return !service->server.serves_csptp ? "sptp" : service->server.serves_sptp ? "both" : "csptp";
}

cJSON *mt_report_stateless_requests(const struct mt_instance *instance)
{
    const struct mt_stateless_service *service = service_of(instance);
    cJSON *counts = cJSON_CreateObject();
    for (unsigned i = 0; i < MT_STATELESS_COUNTER_COUNT; i++) {
        uint64_t count = service != NULL ? service->counters[i] + service->by_workers[i] : 0;
        cJSON_AddNumberToObject(counts, mt_stateless_counter_name((enum mt_stateless_counter)i),
                                (double)count);
    }
    return counts;
}

const char *mt_report_stateless_asks(const struct mt_port *port)
{
    const struct mt_stateless_client *client = client_of(port);
    if (client == NULL) {
        return "off";
    }
    return client->form == MT_STATELESS_SPTP ? "sptp" : "csptp";
}

cJSON *mt_report_stateless_exchanges(const struct mt_port *port)
{
    const struct mt_stateless_client *client = client_of(port);
    uint64_t asked = 0;
    uint64_t measured = 0;
    uint64_t timeouts = 0;
    cJSON *counts = cJSON_CreateObject();
    for (unsigned i = 0; client != NULL && i < client->peer_count; i++) {
        asked += client->peers[i].asked;
        measured += client->peers[i].measured;
        timeouts += client->peers[i].timeouts;
    }
    cJSON_AddNumberToObject(counts, "asked", (double)asked);
    cJSON_AddNumberToObject(counts, "measured", (double)measured);
    cJSON_AddNumberToObject(counts, "timeouts", (double)timeouts);
    cJSON_AddNumberToObject(counts, "bogus", client != NULL ? (double)client->bogus : 0);
    return counts;
}

static cJSON *by_server(const struct mt_report_port *port,
                        uint64_t (*count)(const struct mt_stateless_peer *peer))
{
    const struct mt_stateless_client *client = client_of(port->ptp);
    cJSON *counts = cJSON_CreateObject();
    for (unsigned i = 0; client != NULL && i < client->peer_count; i++) {
        const struct mt_stateless_peer *peer = &client->peers[i];
        char text[MT_REPORT_ADDRESS_SIZE];
        cJSON_AddNumberToObject(counts, mt_report_station(&peer->address, i, &port->servers, text),
                                (double)count(peer));
    }
    return counts;
}

static uint64_t finished_with(const struct mt_stateless_peer *peer)
{
    return peer->finished;
}

static uint64_t unanswered_by(const struct mt_stateless_peer *peer)
{
    return peer->timeouts;
}

cJSON *mt_report_stateless_servers(const struct mt_report_port *port)
{
    return by_server(port, finished_with);
}

cJSON *mt_report_stateless_unanswered(const struct mt_report_port *port)
{
    return by_server(port, unanswered_by);
}

const char *mt_report_stateless_followed(const struct mt_report_port *port, char *text)
{
    const struct mt_stateless_client *client = client_of(port->ptp);
    bool follows = port->instance != NULL && port->ptp->identity.port != 0 &&
                   port->instance->receiving_port == port->ptp->identity.port;
    for (unsigned i = 0; follows && client != NULL && i < client->peer_count; i++) {
        const struct mt_stateless_peer *peer = &client->peers[i];
        if (peer->finished > 0 &&
            mt_port_identity_equal(&peer->status.header.source, &port->instance->parent.sender)) {
            mt_report_address(&peer->address, i, text);
            return text;
        }
    }
    return NULL;
}
