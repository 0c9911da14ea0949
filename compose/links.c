/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Links.  Ports on the same network of the same interface share one, whatever their domains and
 * instances: it is numbered and opened at the first of them.
 */
#include "compose/compose_private.h"

/* The first of the ports that share a link with `port`: itself, if there is none before. */
static size_t first_sharing(const struct mt_config *config, size_t port)
{
    size_t first = 0;
    while (first < port && !mt_config_shares_link(&config->ports[first], &config->ports[port])) {
        first++;
    }
    return first;
}

uint16_t mt_compose_link_of(const struct mt_config *config, size_t port)
{
    size_t first = first_sharing(config, port);
    uint16_t link = 0;
    for (size_t i = 0; i < first; i++) {
        if (first_sharing(config, i) == i) {
            link++;
        }
    }
    return link;
}

size_t mt_compose_first_port(const struct mt_config *config, uint16_t link)
{
    size_t port = 0;
    uint16_t found = 0;
    for (size_t i = 0; i < config->port_count && found <= link; i++) {
        if (first_sharing(config, i) == i) {
            port = i;
            found++;
        }
    }
    return port;
}

const char *mt_compose_interface(const struct mt_composition *self, uint16_t link, size_t port)
{
    const char *now = self->node.links[link]->interface;
    return now != NULL ? now : self->config->ports[port].interface;
}

static enum mt_transport transport_of(enum mt_config_transport transport)
{
    switch (transport) {
    case MT_CONFIG_TRANSPORT_UDP4:
        break;
    case MT_CONFIG_TRANSPORT_UDP6:
        return MT_TRANSPORT_UDP_IPV6;
    case MT_CONFIG_TRANSPORT_L2:
        return MT_TRANSPORT_IEEE_802_3;
    }
    return MT_TRANSPORT_UDP_IPV4;
}

enum mt_stamper mt_compose_stamper(enum mt_config_timestamping timestamping)
{
    switch (timestamping) {
    case MT_CONFIG_TIMESTAMPING_AUTO:
        break;
    case MT_CONFIG_TIMESTAMPING_HARDWARE:
        return MT_STAMPER_CARD;
    case MT_CONFIG_TIMESTAMPING_SOFTWARE:
        return MT_STAMPER_KERNEL;
    case MT_CONFIG_TIMESTAMPING_ONE_STEP:
        return MT_STAMPER_ONE_STEP;
    }
    return MT_STAMPER_AUTO;
}

/* One of those on the link may have many receivers. */
static bool is_for_many(const struct mt_config *config, const struct mt_config_port *port)
{
    for (size_t i = 0; i < config->port_count; i++) {
        const struct mt_config_unicast *unicast = &config->ports[i].unicast;
        if ((unicast->is_grantor || unicast->receivers.count > 1) &&
            mt_config_shares_link(port, &config->ports[i])) {
            return true;
        }
    }
    return false;
}

static bool open_link(struct mt_node *node, const struct mt_config *config,
                      const struct mt_config_port *port, struct mt_hal_provider *provider,
                      char reason[MT_HAL_REASON_SIZE])
{
    const struct mt_link_request request = {
        .is_for_many = is_for_many(config, port),
        .interface = port->interface,
        .transport = transport_of(port->transport),
        .stamper = mt_compose_stamper(port->timestamping),
        .clock = node->clocks[config->instances[port->instance_index].clock_index].hal->device,
        .is_tagged = !port->is_untagged,
        .vlan = port->vlan,
        .vlan_priority = port->vlan_priority,
        .is_not_forwarded = port->l2_destination == MT_CONFIG_L2_NON_FORWARDABLE,
        .ttl = port->ttl,
        .dscp = port->dscp,
        .udp6_scope = port->udp6_scope,
        .socket_priority = port->socket_priority,
    };
    struct mt_hal_link *link =
        provider->ops->open_link(provider, node->link_count, &request, reason);
    if (link != NULL) {
        node->links[node->link_count++] = link;
    }
    return link != NULL;
}

bool mt_compose_links(struct mt_node *node, const struct mt_config *config,
                      struct mt_hal_provider *provider, char reason[MT_HAL_REASON_SIZE])
{
    for (size_t i = 0; i < config->port_count; i++) {
        if (first_sharing(config, i) == i &&
            !open_link(node, config, &config->ports[i], provider, reason)) {
            return false;
        }
    }
    return true;
}
