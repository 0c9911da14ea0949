/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The storage of what an instance can do beyond an ordinary clock, and what only the platform can
 * tell of it.
 */
#include "compose/compose_private.h"

#include <stdlib.h>
#include <string.h>

#include "meantime/ptp_management.h"
#include "meantime/ptp_transparent.h"

/* A clock identity made of a MAC address has FF:FE in its middle [7.5.2.2.2]. */
static void find_mac(const struct mt_clock_identity *identity, struct mt_address *ret_address)
{
    if (identity->octet[3] == 0xFF && identity->octet[4] == 0xFE) {
        ret_address->network = MT_NETWORK_IEEE_802_3;
        memcpy(ret_address->octets, identity->octet, 3);
        memcpy(ret_address->octets + 3, identity->octet + 5, 3);
    }
}

static void describe_port(const struct mt_config_port *config, struct mt_management_port *port)
{
    port->interface = config->interface;
    port->physical_layer = "IEEE 802.3";
    port->timestamping = MT_TIMESTAMPING_SOFTWARE;
}

static struct mt_management *make_management(const struct mt_composition *self,
                                             const struct mt_config_instance *config,
                                             const struct mt_clock_identity *identity)
{
    struct mt_management *management = calloc(1, sizeof *management);
    struct mt_management_port *ports = calloc(config->port_count, sizeof *ports);
    if (management == NULL || ports == NULL) {
        free(management);
        free(ports);
        return NULL;
    }
    mt_management_init(management, ports, (uint16_t)config->port_count);
    management->product = "meantime;meantimed;";
    management->revision = ";;" MT_COMPOSE_VERSION;
    for (size_t i = 0; i < config->port_count; i++) {
        describe_port(&self->config->ports[config->first_port + i], &ports[i]);
    }
    find_mac(identity, &ports[0].physical);
    return management;
}

/* ---- transparent clocks ---------------------------------------------------------------------- */

static uint64_t inserting_ports(const struct mt_composition *self,
                                const struct mt_config_instance *config)
{
    uint64_t ports = 0;
    for (size_t i = 0; i < config->port_count; i++) {
        if (self->node.links[config->first_port + i]->inserts_stamps) {
            ports |= UINT64_C(1) << i;
        }
    }
    return ports;
}

static void free_transparent(struct mt_transparent *transparent)
{
    if (transparent != NULL) {
        free(transparent->storage.frames);
        free(transparent->storage.legs);
        free(transparent->storage.octets);
    }
    free(transparent);
}

static struct mt_transparent *make_transparent(const struct mt_composition *self,
                                               const struct mt_config_instance *config)
{
    size_t frames = config->transparent.frames;
    struct mt_transparent *transparent = calloc(1, sizeof *transparent);
    const struct mt_transparent_config how = {
        .is_peer_to_peer = config->clock_type == MT_CONFIG_TYPE_P2P_TRANSPARENT,
        .follows_tree = config->transparent.spanning_tree,
        .is_free_running = config->transparent.syntonise == MT_CONFIG_FREE,
        .keeps_to_domain = config->transparent.domains == MT_CONFIG_FORWARD_OWN,
        .inserting = inserting_ports(self, config),
    };
    struct mt_transparent_storage storage = {
        .frames = calloc(frames, sizeof *storage.frames),
        .legs = calloc(frames * config->port_count, sizeof *storage.legs),
        .octets = calloc(frames, MT_PTP_MESSAGE_MAX),
        .frame_count = (uint32_t)frames,
        .frame_size = MT_PTP_MESSAGE_MAX,
        .port_count = (uint16_t)config->port_count,
    };
    if (transparent == NULL || storage.frames == NULL || storage.legs == NULL ||
        storage.octets == NULL) {
        free(storage.frames);
        free(storage.legs);
        free(storage.octets);
        free(transparent);
        return NULL;
    }
    mt_transparent_init(transparent, &how, &storage);
    return transparent;
}

/* ---- the whole ------------------------------------------------------------------------------- */

struct mt_instance_more *mt_compose_more(const struct mt_composition *self, uint16_t index,
                                         const struct mt_clock_identity *identity)
{
    struct mt_instance_more *more = calloc(1, sizeof *more);
    if (more == NULL) {
        return NULL;
    }
    const struct mt_config_instance *config = &self->config->instances[index];
    bool is_transparent = mt_config_is_transparent(config);
    more->management = make_management(self, config, identity);
    more->transparent = is_transparent ? make_transparent(self, config) : NULL;
    if (more->management == NULL || (is_transparent && more->transparent == NULL)) {
        mt_compose_free_more(more);
        return NULL;
    }
    return more;
}

void mt_compose_free_more(struct mt_instance_more *more)
{
    if (more != NULL) {
        if (more->management != NULL) {
            free(more->management->ports);
        }
        free(more->management);
        free_transparent(more->transparent);
        free(more);
    }
}
