/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What follows from several sections together, once each is known. */
#include "config/source_private.h"

/* The sockets of a port are bound to the virtual clock that stamps for it. */
static void find_stampers(struct mt_config *config)
{
    for (size_t i = 0; i < config->port_count; i++) {
        struct mt_config_port *port = &config->ports[i];
        size_t clock = config->instances[port->instance_index].clock_index;
        port->vclock =
            config->clocks[clock].kind == MT_CONFIG_CLOCK_VCLOCK ? (uint16_t)(clock + 1) : 0;
    }
}

/* It is what is sent to begin with. */
static void settle_minor_versions(struct mt_config *config)
{
    for (size_t i = 0; i < config->instance_count; i++) {
        struct mt_config_instance *instance = &config->instances[i];
        instance->ptp.minor_version = instance->minor_is_auto ? 1 : instance->ptp.minor_version;
    }
}

void mt_config_settle(struct mt_config *config)
{
    find_stampers(config);
    settle_minor_versions(config);
}
