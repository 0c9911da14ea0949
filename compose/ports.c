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
    const struct mt_hal_link *link = self->node.links[mt_compose_link_of(self->config, index)];
    bool can = link->inserts_stamps || link->inserts_turnaround;
    peer.is_one_step |= can && port->timestamping == MT_CONFIG_TIMESTAMPING_ONE_STEP;
    if (peer.is_one_step && !can) {
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
    const struct mt_hal_link *link = self->node.links[mt_compose_link_of(self->config, index)];
    bool is_wanted = port->one_step || port->timestamping == MT_CONFIG_TIMESTAMPING_ONE_STEP;
    if (!is_wanted || link->inserts_stamps || link->inserts_origin) {
        return is_wanted;
    }
    mt_compose_note(self,
                    "%s: %s cannot write the time into a message as it leaves; port %s "
                    "sends Follow_Up",
                    port->one_step ? "one_step_sync" : "timestamping = one-step", port->interface,
                    port->name);
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

void mt_compose_latencies(const struct mt_config_port *config, struct mt_latencies *ret_table)
{
    static const uint32_t speeds[MT_CONFIG_SPEEDS] = {10, 100, 1000, 2500, 10000, 25000, 100000};
    struct mt_interval ingress = config->ptp.ingress_latency;
    struct mt_interval egress = config->ptp.egress_latency;
    unsigned count = 0;
    *ret_table = (struct mt_latencies){.otherwise = {0, ingress, egress}};
    for (unsigned i = 0; i < MT_CONFIG_SPEEDS; i++) {
        const struct mt_config_latency *at = &config->latencies[i];
        if (!at->ingress_is_auto || !at->egress_is_auto) {
            ret_table->rows[count++] =
                (struct mt_latency){speeds[i], at->ingress_is_auto ? ingress : at->ingress,
                                    at->egress_is_auto ? egress : at->egress};
        }
    }
}
