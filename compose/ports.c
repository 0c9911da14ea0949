/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What ports have beyond ordinary ones.  Ports of several instances that measure the delay of
 * their interface in common share the peer of the first of them, which drives it for all.
 */
#include "compose/compose_private.h"

#include <string.h>

#define SDO_COMMON_DELAY 0x200 /* majorSdoId of Pdelay in common [1588-2019 16.6.3] */
#define MAJOR_SDO_GPTP   1

/* Transparent clocks have the mechanism that their kind says. */
static enum mt_delay_mechanism mechanism_of(const struct mt_config *config, size_t port)
{
    const struct mt_config_instance *instance =
        &config->instances[config->ports[port].instance_index];
    enum mt_delay_mechanism mechanism = config->ports[port].delay_mechanism;
    if (instance->clock_type == MT_CONFIG_TYPE_E2E_TRANSPARENT) {
        return MT_DELAY_E2E;
    }
    if (instance->clock_type == MT_CONFIG_TYPE_P2P_TRANSPARENT && mechanism == MT_DELAY_E2E) {
        return MT_DELAY_P2P;
    }
    return mechanism;
}

static bool measures_in_common(const struct mt_config_port *a, const struct mt_config_port *b)
{
    return a->delay_mechanism == MT_DELAY_COMMON_P2P && b->delay_mechanism == MT_DELAY_COMMON_P2P &&
           a->transport == b->transport && strcmp(a->interface, b->interface) == 0;
}

/* The first port that measures for this one: itself, if there is none before it. */
static size_t driver_of(const struct mt_config *config, size_t port)
{
    for (size_t i = 0; i < port; i++) {
        if (measures_in_common(&config->ports[i], &config->ports[port])) {
            return i;
        }
    }
    return port;
}

static void init_peer(struct mt_composition *self, size_t index)
{
    const struct mt_config_port *port = &self->config->ports[index];
    const struct mt_instance_config *instance = &self->config->instances[port->instance_index].ptp;
    bool is_common = port->delay_mechanism == MT_DELAY_COMMON_P2P;
    struct mt_peer_config peer = port->peer;
    peer.domain = is_common ? 0 : instance->domain;
    peer.sdo_id = is_common ? SDO_COMMON_DELAY : instance->sdo_id;
    peer.minor_version = instance->minor_version;
    peer.is_gptp = instance->sdo_id >> 8 == MAJOR_SDO_GPTP;
    if (port->has_no_stored_delay) {
        peer.stored_delay = MT_INTERVAL_TOO_LARGE;
    }
    if (peer.is_one_step &&
        !self->node.links[mt_compose_link_of(self->config, index)]->inserts_stamps) {
        peer.is_one_step = false;
        mt_compose_note(self,
                        "one_step_pdelay: %s cannot write the time into a message as it leaves; "
                        "port %s answers in two",
                        port->interface, port->name);
    }
    mt_peer_init(&self->port_storage[index].peer, &peer);
}

static bool sends_one_step(struct mt_composition *self, size_t index)
{
    const struct mt_config_port *port = &self->config->ports[index];
    if (!port->one_step ||
        self->node.links[mt_compose_link_of(self->config, index)]->inserts_stamps) {
        return port->one_step;
    }
    mt_compose_note(self,
                    "one_step_sync: %s cannot write the time into a message as it leaves; port %s "
                    "sends Follow_Up",
                    port->interface, port->name);
    return false;
}

struct mt_port_more *mt_compose_port_more(struct mt_composition *self, size_t port)
{
    const struct mt_config_port *config = &self->config->ports[port];
    struct mt_compose_port *storage = &self->port_storage[port];
    size_t driver = driver_of(self->config, port);
    enum mt_delay_mechanism mechanism = mechanism_of(self->config, port);
    storage->profile = config->profile;
    storage->more.profile = &storage->profile;
    storage->alternate = config->alternate;
    storage->more.alternate = &storage->alternate;
    storage->intervals = config->intervals;
    storage->more.intervals = &storage->intervals;
    storage->more.security.spp = MT_SECURITY_OFF;
    storage->more.delay_mechanism = mechanism;
    storage->more.sends_one_step = sends_one_step(self, port);
    storage->more.max_delay = config->peer.mean_link_delay_thresh;
    if (mechanism == MT_DELAY_E2E || mechanism == MT_DELAY_NONE) {
        return &storage->more;
    }
    storage->more.peer = &self->port_storage[driver].peer;
    storage->more.shares_peer = driver != port;
    if (driver == port) {
        init_peer(self, port);
    }
    return &storage->more;
}
