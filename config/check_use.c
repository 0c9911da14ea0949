/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Keys of a port that nothing of what they apply to has a use for. */
#include "config/check_private.h"

#include <string.h>

static bool applies(const struct mt_config_section *section, const struct mt_config_port *port)
{
    const bool is_own =
        section->kind == MT_CONFIG_SECTION_PORT || section->kind == MT_CONFIG_SECTION_PTP_PORT;
    return section->kind == MT_CONFIG_SECTION_PTP ||
           (section->kind == MT_CONFIG_SECTION_INSTANCE && port->instance != NULL &&
            strcmp(port->instance, section->name) == 0) ||
           (is_own && strcmp(port->name, section->name) == 0);
}

bool mt_config_is_ip_key(const struct mt_config_key *key)
{
    return key->scope == MT_CONFIG_PORT &&
           (strcmp(key->name, "ttl") == 0 || strcmp(key->name, "dscp") == 0);
}

/* One line may be for many ports; it is of use if it is to one of them. */
static void check_ip_keys(const struct checker *self)
{
    for (size_t i = 0; i < self->source->setting_count; i++) {
        const struct mt_config_setting *setting = &self->source->settings[i];
        const struct mt_config_section *section = &self->source->sections[setting->section];
        size_t ports = 0;
        size_t over_ip = 0;
        if (!mt_config_is_ip_key(setting->key)) {
            continue;
        }
        for (size_t p = 0; p < self->config->port_count; p++) {
            const struct mt_config_port *port = &self->config->ports[p];
            const bool is_port = applies(section, port);
            ports += is_port;
            over_ip += is_port && port->transport != MT_CONFIG_TRANSPORT_L2;
        }
        if (ports > 0 && over_ip == 0) {
            COMPLAIN(self, setting->line,
                     "%s = %s: only over UDP, but here transport = l2; Ethernet has vlan_priority",
                     setting->key->name, setting->text);
        }
    }
}

static bool measures_links(const struct mt_config_port *port)
{
    return port->delay_mechanism == MT_DELAY_P2P || port->delay_mechanism == MT_DELAY_COMMON_P2P;
}

static void check_port(const struct checker *self, const struct mt_config_port *port)
{
    const struct mt_config_instance *instance = &self->config->instances[port->instance_index];
    if (!measures_links(port)) {
        return;
    }
    if (port->unicast.mode == MT_CONFIG_UNICAST_HYBRID) {
        COMPLAIN(
            self, mt_check_port_line(self, port, "unicast"),
            "[port %s]: unicast = hybrid: it is how Delay_Req is sent, and with delay_mechanism "
            "= p2p there is none; leave one of them out",
            port->name);
    }
    if (instance->clock_type == MT_CONFIG_TYPE_E2E_TRANSPARENT) {
        COMPLAIN(self, mt_check_port_line(self, port, "delay_mechanism"),
                 "[port %s]: delay_mechanism = p2p: not of an end-to-end transparent clock; write "
                 "clock_type = p2p_transparent",
                 port->name);
    }
}

void mt_check_use(const struct checker *self)
{
    check_ip_keys(self);
    for (size_t p = 0; p < self->config->port_count; p++) {
        if (self->config->ports[p].instance_index < self->config->instance_count) {
            check_port(self, &self->config->ports[p]);
        }
    }
}
