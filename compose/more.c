/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The storage of what an instance can do beyond an ordinary clock, and what only the platform can
 * tell of it.
 */
#include "compose/compose_private.h"

#include <stdlib.h>
#include <string.h>

#include "meantime/ptp_management.h"

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

struct mt_instance_more *mt_compose_more(const struct mt_composition *self, uint16_t index,
                                         const struct mt_clock_identity *identity)
{
    struct mt_instance_more *more = calloc(1, sizeof *more);
    if (more == NULL) {
        return NULL;
    }
    more->management = make_management(self, &self->config->instances[index], identity);
    if (more->management == NULL) {
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
        free(more);
    }
}
