/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Service and client of stateless PTP, in one piece of memory: who has a client can serve, too.
 */
#include "compose/compose_private.h"

#include <stdlib.h>

#include "meantime/ptp_stateless.h"

struct stateless {
    struct mt_stateless_service service; /* the first: by it the whole is freed */
    struct mt_stateless_client client;
    struct mt_address_range allowed[]; /* as unicast_allow of the first port has them */
};

static const struct mt_csptp_layout *layout_of(enum mt_config_layout layout)
{
    switch (layout) {
    case MT_CONFIG_LAYOUT_COMPACT:
        break;
    case MT_CONFIG_LAYOUT_PREFIXED:
        return &mt_csptp_layouts[1];
    case MT_CONFIG_LAYOUT_FULL:
        return &mt_csptp_layouts[2];
    }
    return &mt_csptp_layouts[0];
}

static void make_client(const struct mt_config_stateless *config, struct stateless *storage,
                        struct mt_port_config *port)
{
    struct mt_address addresses[MT_STATELESS_SERVERS];
    size_t count = config->servers.count;
    count = count < MT_STATELESS_SERVERS ? count : MT_STATELESS_SERVERS;
    for (size_t i = 0; i < count; i++) {
        addresses[i] = config->servers.station[i].address;
    }
    mt_stateless_client_init(&storage->client,
                             config->sptp == MT_CONFIG_STATELESS_CLIENT ? MT_STATELESS_SPTP
                                                                        : MT_STATELESS_CSPTP,
                             layout_of(config->layout), config->log_interval, addresses, count);
    storage->client.pads_requests = config->sptp_padded;
    port->more->stateless = &storage->client;
}

static void set_ranges(const struct mt_config_stations *list, struct mt_address_range *ranges)
{
    for (size_t i = 0; i < list->count; i++) {
        const struct mt_config_station *station = &list->station[i];
        size_t bits = 8 * mt_address_length(&station->address);
        ranges[i].address = station->address;
        ranges[i].prefix_bits =
            (uint8_t)(station->has_number && station->number < bits ? station->number : bits);
    }
}

bool mt_compose_stateless(const struct mt_config_instance *instance,
                          const struct mt_config_stations *allowed, struct mt_instance_more *more,
                          struct mt_port_config *first_port)
{
    const struct mt_config_stateless *config = &instance->stateless;
    struct mt_stateless_server server = {
        .serves_sptp = config->sptp == MT_CONFIG_STATELESS_SERVER,
        .serves_csptp = config->csptp == MT_CONFIG_STATELESS_SERVER,
        .sptp_padded_only = config->sptp_padded,
        .csptp_per_message = config->csptp_per_message,
        .layout = layout_of(config->layout),
        .allowed_count = (uint16_t)allowed->count,
    };
    if (config->sptp == MT_CONFIG_STATELESS_OFF && config->csptp == MT_CONFIG_STATELESS_OFF) {
        return true;
    }
    struct stateless *storage =
        calloc(1, sizeof *storage + allowed->count * sizeof *storage->allowed);
    if (storage == NULL) {
        return false;
    }
    set_ranges(allowed, storage->allowed);
    server.allowed = storage->allowed;
    mt_stateless_service_init(&storage->service, &server);
    more->stateless = &storage->service;
    if (mt_config_is_stateless_client(instance)) {
        make_client(config, storage, first_port);
    }
    return true;
}
