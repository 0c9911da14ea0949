/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Contradictions: each key is good for itself, but together they cannot be meant.  Every rule is
 * a function of its own and says what to change.  The line told is that of the key that ought to
 * change, or of the section if the key was not written. */
#include <string.h>

#include "config/check_private.h"
#include "meantime/ptp_stateless.h"

/* ---- what names what ---------------------------------------------------------------------- */

static const char *instance_name(const void *names, size_t n)
{
    return ((const struct mt_config *)names)->instances[n].name;
}

static const char *clock_name(const void *names, size_t n)
{
    return ((const struct mt_config *)names)->clocks[n].name;
}

static void complain_of_missing(const struct checker *self, unsigned line, const char *kind,
                                const char *name, const char *nearest)
{
    COMPLAIN(self, line, "%s = %s: there is no section [%s %s]%s%s%s", kind, name, kind, name,
             nearest != NULL ? "; did you mean " : "", nearest != NULL ? nearest : "",
             nearest != NULL ? "?" : "");
}

static void check_references(const struct checker *self)
{
    const struct mt_config *config = self->config;
    size_t placed = 0;
    for (size_t i = 0; i < config->instance_count; i++) {
        const struct mt_config_instance *instance = &config->instances[i];
        placed += instance->port_count;
        bool is_known = instance->clock_index < config->clock_count &&
                        strcmp(config->clocks[instance->clock_index].name, instance->clock) == 0;
        if (!is_known) {
            complain_of_missing(
                self, mt_check_instance_line(self, instance->name, "clock"), "clock",
                instance->clock,
                mt_config_nearest(instance->clock, clock_name, config, config->clock_count));
        }
    }
    for (size_t p = placed; p < config->port_count; p++) { /* those that no instance took */
        complain_of_missing(self, mt_check_port_line(self, &config->ports[p], "instance"),
                            "instance", config->ports[p].instance,
                            mt_config_nearest(config->ports[p].instance, instance_name, config,
                                              config->instance_count));
    }
}

/* ---- ports -------------------------------------------------------------------------------- */

static void check_double_sections(const struct checker *self)
{
    for (size_t i = 0; i < self->source->section_count; i++) {
        const struct mt_config_section *section = &self->source->sections[i];
        if (section->kind == MT_CONFIG_SECTION_PTP_PORT &&
            mt_config_source_find_section(self->source, MT_CONFIG_SECTION_PORT, section->name)) {
            COMPLAIN(self, section->line,
                     "[ptp %s]: the same port has a section [port %s]; keep one of them",
                     section->name, section->name);
        }
    }
}

static unsigned vlan_of(const struct mt_config_port *port)
{
    return port->transport == MT_CONFIG_TRANSPORT_L2 && !port->is_untagged ? port->vlan : 0;
}

static bool is_same_network(const struct mt_config_port *a, const struct mt_config_port *b)
{
    return strcmp(a->interface, b->interface) == 0 && a->transport == b->transport &&
           vlan_of(a) == vlan_of(b);
}

bool mt_config_shares_link(const struct mt_config_port *a, const struct mt_config_port *b)
{
    return is_same_network(a, b) && a->vclock == b->vclock;
}

static bool is_same_wire(const struct mt_config *config, const struct mt_config_port *a,
                         const struct mt_config_port *b)
{
    const struct mt_instance_config *x = &config->instances[a->instance_index].ptp;
    const struct mt_instance_config *y = &config->instances[b->instance_index].ptp;
    return is_same_network(a, b) && x->domain == y->domain && x->sdo_id == y->sdo_id;
}

static void check_shared_interfaces(const struct checker *self)
{
    const struct mt_config *config = self->config;
    for (size_t b = 0; b < config->port_count; b++) {
        for (size_t a = 0; a < b; a++) {
            const struct mt_config_port *first = &config->ports[a];
            const struct mt_config_port *second = &config->ports[b];
            if (config->instance_count == 0 || strcmp(first->name, second->name) == 0 ||
                !is_same_wire(config, first, second)) {
                continue;
            }
            COMPLAIN(self, mt_check_port_line(self, second, "interface"),
                     "[port %s]: port %s already uses interface %s in domain %u; give their "
                     "instances different domains",
                     second->name, first->name, first->interface,
                     config->instances[first->instance_index].ptp.domain);
        }
    }
}

static const char *differing_l2_key(const struct mt_config_port *a, const struct mt_config_port *b)
{
    if (a->is_untagged != b->is_untagged || a->vlan != b->vlan) {
        return "vlan";
    }
    if (a->vlan_priority != b->vlan_priority) {
        return "vlan_priority";
    }
    return a->l2_destination != b->l2_destination ? "l2_destination" : NULL;
}

static const char *differing_udp_key(const struct mt_config_port *a, const struct mt_config_port *b)
{
    if (a->ttl != b->ttl) {
        return "ttl";
    }
    if (a->dscp != b->dscp) {
        return "dscp";
    }
    return a->transport == MT_CONFIG_TRANSPORT_UDP6 && a->udp6_scope != b->udp6_scope ? "udp6_scope"
                                                                                      : NULL;
}

/* The first key in which two ports differ that cannot differ where sockets are shared. */
static const char *differing_key(const struct mt_config_port *a, const struct mt_config_port *b)
{
    const char *key =
        a->transport == MT_CONFIG_TRANSPORT_L2 ? differing_l2_key(a, b) : differing_udp_key(a, b);
    if (key == NULL && a->socket_priority != b->socket_priority) {
        key = "socket_priority";
    }
    if (key == NULL && a->timestamping != b->timestamping) {
        key = "timestamping";
    }
    return key;
}

static void check_shared_links(const struct checker *self)
{
    const struct mt_config *config = self->config;
    for (size_t b = 0; b < config->port_count; b++) {
        for (size_t a = 0; a < b; a++) {
            const struct mt_config_port *first = &config->ports[a];
            const struct mt_config_port *second = &config->ports[b];
            const char *key =
                mt_config_shares_link(first, second) ? differing_key(first, second) : NULL;
            if (key != NULL) {
                COMPLAIN(self, mt_check_port_line(self, second, key),
                         "[port %s]: it shares its sockets with port %s, so %s must be the same",
                         second->name, first->name, key);
            }
        }
    }
}

static void check_vlan(const struct checker *self, const struct mt_config_port *port)
{
    bool is_l2 = port->transport == MT_CONFIG_TRANSPORT_L2;
    if (!port->is_untagged && !is_l2) {
        COMPLAIN(self, mt_check_port_line(self, port, "vlan"),
                 "[port %s]: vlan = %u: only with transport = l2; over UDP the VLAN has an "
                 "interface of its own, such as %s.%u",
                 port->name, port->vlan, port->interface, port->vlan);
    }
    if (port->is_untagged && is_l2 && port->vlan_priority != 0) {
        COMPLAIN(self, mt_check_port_line(self, port, "vlan_priority"),
                 "[port %s]: vlan_priority = %u: there is no tag to hold it; add vlan = 0 for a "
                 "tag with a priority only",
                 port->name, port->vlan_priority);
    }
}

/* ---- unicast ------------------------------------------------------------------------------ */

static enum mt_network network_of(const struct mt_config_port *port)
{
    return port->transport == MT_CONFIG_TRANSPORT_UDP4   ? MT_NETWORK_UDP_IPV4
           : port->transport == MT_CONFIG_TRANSPORT_UDP6 ? MT_NETWORK_UDP_IPV6
                                                         : MT_NETWORK_IEEE_802_3;
}

/* An address of another network than the port's; a name where none can be looked up. */
static bool is_of_other_network(const struct mt_config_port *port,
                                const struct mt_config_station *station, bool may_name)
{
    bool is_name = station->address.network == MT_NETWORK_NONE;
    return is_name ? !may_name || port->transport == MT_CONFIG_TRANSPORT_L2
                   : station->address.network != network_of(port);
}

static void check_stations(const struct checker *self, const struct mt_config_port *port,
                           const char *key, const struct mt_config_stations *list, bool may_name)
{
    for (size_t i = 0; i < list->count; i++) {
        if (is_of_other_network(port, &list->station[i], may_name)) {
            COMPLAIN(self, mt_check_port_line(self, port, key),
                     "[port %s]: %s: %s is no address of the port's transport", port->name, key,
                     list->station[i].text);
        }
    }
}

static void check_unicast(const struct checker *self, const struct mt_config_port *port)
{
    const struct mt_config_unicast *unicast = &port->unicast;
    bool has_table = unicast->transmitters.count != 0;
    bool needs_table =
        unicast->mode == MT_CONFIG_UNICAST_NEGOTIATED || unicast->mode == MT_CONFIG_UNICAST_STATIC;
    check_stations(self, port, "unicast_transmitters", &unicast->transmitters, true);
    check_stations(self, port, "unicast_allow", &unicast->allowed, false);
    check_stations(self, port, "unicast_receivers", &unicast->receivers, false);
    if (needs_table && !has_table) {
        COMPLAIN(self, mt_check_port_line(self, port, "unicast"),
                 "[port %s]: unicast: nobody to receive from; add unicast_transmitters",
                 port->name);
    }
    if (has_table && !needs_table) {
        COMPLAIN(self, mt_check_port_line(self, port, "unicast_transmitters"),
                 "[port %s]: unicast_transmitters: only with unicast = negotiated or static",
                 port->name);
    }
}

static void check_stateless(const struct checker *self, const struct mt_config_instance *instance)
{
    const struct mt_config_stateless *stateless = &instance->stateless;
    const struct mt_config_stations *servers = &stateless->servers;
    unsigned line = mt_check_instance_line(self, instance->name, "stateless_servers");
    bool is_client = mt_config_is_stateless_client(instance);
    if (is_client && stateless->sptp == stateless->csptp) {
        COMPLAIN(self, mt_check_instance_line(self, instance->name, "csptp"),
                 "[instance %s]: csptp = client: it is a client of SPTP already", instance->name);
    }
    if (is_client != (servers->count != 0)) {
        const char *key = stateless->sptp == MT_CONFIG_STATELESS_CLIENT ? "sptp" : "csptp";
        line = servers->count != 0 ? line : mt_check_instance_line(self, instance->name, key);
        COMPLAIN(self, line, "[instance %s]: stateless_servers: %s", instance->name,
                 is_client ? "nobody to ask; name the servers"
                           : "only with sptp = client or csptp = client");
    }
    if (servers->count > MT_STATELESS_SERVERS) {
        COMPLAIN(self, line, "[instance %s]: stateless_servers: at most %d", instance->name,
                 MT_STATELESS_SERVERS);
    }
    for (size_t i = 0; i < servers->count && instance->port_count != 0; i++) {
        const struct mt_config_port *port = &self->config->ports[instance->first_port];
        if (is_of_other_network(port, &servers->station[i], true)) {
            COMPLAIN(self, line,
                     "[instance %s]: stateless_servers: %s is no address of the port's transport",
                     instance->name, servers->station[i].text);
        }
    }
}

/* ---- instances ---------------------------------------------------------------------------- */

static void check_port_count(const struct checker *self, const struct mt_config_instance *instance)
{
    unsigned line = mt_check_instance_line(self, instance->name, "");
    if (instance->port_count == 0) {
        COMPLAIN(self, line,
                 "[instance %s]: no port belongs to it; add [port NAME] with "
                 "instance = %s",
                 instance->name, instance->name);
    }
    if (instance->port_count > MT_INSTANCE_PORTS_MAX) {
        COMPLAIN(self, line, "[instance %s]: it has %zu ports, at most %d are possible",
                 instance->name, instance->port_count, MT_INSTANCE_PORTS_MAX);
    }
}

static void check_receiver_only(const struct checker *self,
                                const struct mt_config_instance *instance)
{
    if (!instance->ptp.is_receiver_only) {
        return;
    }
    const char *key = instance->stateless.sptp == MT_CONFIG_STATELESS_CLIENT    ? "sptp"
                      : instance->stateless.csptp == MT_CONFIG_STATELESS_CLIENT ? "csptp"
                                                                                : "receiver_only";
    bool is_client = mt_config_is_stateless_client(instance);
    unsigned line = mt_check_instance_line(self, instance->name, key);
    if (instance->port_count > 1 && !mt_config_is_transparent(instance)) {
        COMPLAIN(self, line,
                 "%s%s: instance %s has %zu ports; only one with a single port can be %s", key,
                 is_client ? " = client" : "", instance->name, instance->port_count,
                 is_client ? "a client" : "receiver only");
    }
    if (instance->ptp.quality.clock_class != 255) {
        COMPLAIN(self, mt_check_instance_line(self, instance->name, "clock_class"),
                 "clock_class = %u: with receiver_only it is 255; leave it out",
                 instance->ptp.quality.clock_class);
    }
    for (size_t p = 0; p < instance->port_count; p++) {
        const struct mt_config_port *port = &self->config->ports[instance->first_port + p];
        if (port->ptp.is_transmitter_only) {
            COMPLAIN(self, line,
                     "%s%s: port %s of instance %s is transmitter_only; it would do nothing", key,
                     is_client ? " = client" : "", port->name, instance->name);
        }
    }
}

static void check_clock_type(const struct checker *self, const struct mt_config_instance *instance)
{
    unsigned line = mt_check_instance_line(self, instance->name, "clock_type");
    if (instance->clock_type == MT_CONFIG_TYPE_ORDINARY && instance->port_count > 1) {
        COMPLAIN(self, line,
                 "clock_type = ordinary: instance %s has %zu ports; an ordinary clock has one",
                 instance->name, instance->port_count);
    }
    if (instance->clock_type > MT_CONFIG_TYPE_ORDINARY && instance->port_count == 1) {
        COMPLAIN(self, line, "clock_type: instance %s has one port; such a clock needs two or more",
                 instance->name);
    }
}

static void check_domain(const struct checker *self, const struct mt_config_instance *instance)
{
    unsigned domain = instance->ptp.domain;
    unsigned line = mt_check_instance_line(self, instance->name, "domain");
    bool is_power_profile = domain == 254;
    if (instance->ptp.sdo_id == 0 && domain > 127 && !is_power_profile) {
        COMPLAIN(self, line,
                 "domain = %u: reserved for sdo_id 0; use 0 to 127, or 254 of the "
                 "power profile",
                 domain);
    }
    if (instance->ptp.sdo_id != 0 && domain > 239) {
        COMPLAIN(self, line, "domain = %u: reserved; use 0 to 239", domain);
    }
}

static void check_leap(const struct checker *self, const struct mt_config_instance *instance)
{
    uint16_t both = MT_PTP_LEAP_59 | MT_PTP_LEAP_61;
    if ((instance->ptp.time.flags & both) == both) {
        COMPLAIN(self, mt_check_instance_line(self, instance->name, "leap59"),
                 "leap59: leap61 is set too; a minute is only one of them");
    }
}

/* ---- clocks ------------------------------------------------------------------------------- */

static bool is_alone_on_its_clock(const struct mt_config *config, size_t index)
{
    for (size_t i = 0; i < config->instance_count; i++) {
        if (i != index && strcmp(config->instances[i].clock, config->instances[index].clock) == 0) {
            return false;
        }
    }
    return true;
}

/* By its name: indices are not there yet. */
static bool is_arbitrated(const struct checker *self, const struct mt_config_instance *instance)
{
    const struct mt_config *config = self->config;
    for (size_t i = 0; i < config->clock_count; i++) {
        if (strcmp(config->clocks[i].name, instance->clock) == 0) {
            return mt_config_is_arbitrated(config, &config->clocks[i]);
        }
    }
    return false;
}

/* Two instances share a clock as primary and secondary, or not at all. */
static void check_shared_clocks(const struct checker *self)
{
    const struct mt_config *config = self->config;
    for (size_t b = 0; b < config->instance_count; b++) {
        for (size_t a = 0; a < b; a++) {
            const struct mt_config_instance *first = &config->instances[a];
            const struct mt_config_instance *second = &config->instances[b];
            if (strcmp(first->clock, second->clock) == 0 && !is_arbitrated(self, first) &&
                (first->standby == MT_CONFIG_STANDBY_NONE || first->standby == second->standby ||
                 second->standby == MT_CONFIG_STANDBY_NONE)) {
                COMPLAIN(self, mt_check_instance_line(self, second->name, "clock"),
                         "[instance %s]: clock %s is already steered by instance %s; write "
                         "[clock %s] and clock = %s, or hot_standby = primary in one of them and "
                         "secondary in the other",
                         second->name, first->clock, first->name, second->name, second->name);
            }
        }
    }
}

static void check_standby(const struct checker *self, size_t index)
{
    const struct mt_config_instance *instance = &self->config->instances[index];
    if (instance->standby == MT_CONFIG_STANDBY_NONE) {
        return;
    }
    unsigned line = mt_check_instance_line(self, instance->name, "hot_standby");
    bool is_primary = instance->standby == MT_CONFIG_STANDBY_PRIMARY;
    if (is_alone_on_its_clock(self->config, index)) {
        COMPLAIN(self, line,
                 "[instance %s]: hot_standby = %s: no %s follows clock %s; write clock = %s and "
                 "hot_standby = %s in another instance",
                 instance->name, is_primary ? "primary" : "secondary",
                 is_primary ? "secondary" : "primary", instance->clock, instance->clock,
                 is_primary ? "secondary" : "primary");
    }
    if (is_arbitrated(self, instance)) {
        COMPLAIN(self, line,
                 "[instance %s]: hot_standby: the arbiter chooses among the sources of clock %s; "
                 "write prefer = yes in the better one instead",
                 instance->name, instance->clock);
    }
    if (mt_config_is_transparent(instance)) {
        COMPLAIN(self, line, "[instance %s]: hot_standby: not for a transparent clock",
                 instance->name);
    }
}

static unsigned clock_line(const struct checker *self, const char *name)
{
    const struct mt_config_section *section =
        mt_config_source_find_section(self->source, MT_CONFIG_SECTION_CLOCK, name);
    return section == NULL ? 0 : section->line;
}

static void check_unused_clocks(const struct checker *self)
{
    const struct mt_config *config = self->config;
    for (size_t c = 0; c < config->clock_count; c++) {
        bool is_used = mt_config_takes_part(config, &config->clocks[c]);
        for (size_t i = 0; i < config->instance_count; i++) {
            is_used |= strcmp(config->instances[i].clock, config->clocks[c].name) == 0;
        }
        is_used |= config->has_server && config->server.clock_index == c;
        for (size_t i = 0; i < config->ntp_count; i++) {
            is_used |= strcmp(config->ntps[i].clock, config->clocks[c].name) == 0;
        }
        if (!is_used) {
            COMPLAIN(self, clock_line(self, config->clocks[c].name),
                     "[clock %s]: nothing uses it; write clock = %s in [instance NAME] or "
                     "[ntp SERVER]",
                     config->clocks[c].name, config->clocks[c].name);
        }
    }
}

static void check_system_clock(const struct checker *self)
{
    const struct mt_config *config = self->config;
    const char *first = NULL;
    for (size_t c = 0; c < config->clock_count; c++) {
        const struct mt_config_clock *clock = &config->clocks[c];
        if (clock->kind != MT_CONFIG_CLOCK_SYSTEM) {
            continue;
        }
        if (first != NULL) {
            COMPLAIN(self, clock_line(self, clock->name),
                     "[clock %s]: clock %s is the system clock already; a machine has only one",
                     clock->name, first);
        }
        first = first == NULL ? clock->name : first;
    }
}

/* What a clock of this kind has a use for. */
static bool suits(const struct mt_config_key *key, const struct mt_config_clock *clock)
{
    return mt_config_is_lab_key(key)      ? clock->kind == MT_CONFIG_CLOCK_LAB
           : mt_config_is_system_key(key) ? clock->kind == MT_CONFIG_CLOCK_SYSTEM
                                          : mt_config_is_phc(clock);
}

static bool is_of_one_kind(const struct mt_config_key *key)
{
    return mt_config_is_lab_key(key) || mt_config_is_system_key(key) ||
           mt_config_is_device_key(key);
}

/* Keys of one kind of clock, where no clock that they apply to is one. */
static void check_clock_keys(const struct checker *self)
{
    /* Without any clock that is what is wrong, not what is said of one. */
    size_t count = self->config->clock_count > 0 ? self->source->setting_count : 0;
    for (size_t i = 0; i < count; i++) {
        const struct mt_config_setting *setting = &self->source->settings[i];
        const struct mt_config_section *section = &self->source->sections[setting->section];
        bool is_used = false;
        if (!is_of_one_kind(setting->key)) {
            continue;
        }
        for (size_t c = 0; c < self->config->clock_count; c++) {
            if (section->kind == MT_CONFIG_SECTION_CLOCK_DEFAULTS ||
                strcmp(self->config->clocks[c].name, section->name) == 0) {
                is_used |= suits(setting->key, &self->config->clocks[c]);
            }
        }
        bool is_lab = mt_config_is_lab_key(setting->key);
        bool is_system = mt_config_is_system_key(setting->key);
        if (!is_used) {
            COMPLAIN(self, setting->line, "%s: only for a %s clock; add clock = %s",
                     setting->key->name,
                     is_lab      ? "lab"
                     : is_system ? "system"
                                 : "hardware",
                     is_lab      ? "lab"
                     : is_system ? "system"
                                 : "phc");
        }
    }
}

/* Virtual clocks of one device are several. */
static bool is_same_device(const struct mt_config_clock *a, const struct mt_config_clock *b)
{
    bool are_virtual = a->kind == MT_CONFIG_CLOCK_VCLOCK && b->kind == MT_CONFIG_CLOCK_VCLOCK;
    return mt_config_is_phc(a) && mt_config_is_phc(b) && !are_virtual && a->device != NULL &&
           b->device != NULL && strcmp(a->device, b->device) == 0;
}

static void check_clock_devices(const struct checker *self)
{
    for (size_t b = 0; b < self->config->clock_count; b++) {
        const struct mt_config_clock *second = &self->config->clocks[b];
        for (size_t a = 0; a < b; a++) {
            if (is_same_device(&self->config->clocks[a], second)) {
                COMPLAIN(self, clock_line(self, second->name),
                         "[clock %s]: clock %s is %s already; for two clocks of one card write "
                         "clock = vclock in both",
                         second->name, self->config->clocks[a].name, second->device);
            }
        }
    }
}

/* Clocks that are kept at others are enough to do. */
static bool has_follower(const struct mt_config *self)
{
    for (size_t i = 0; i < self->clock_count; i++) {
        if (self->clocks[i].follow != NULL) {
            return true;
        }
    }
    return false;
}

void mt_config_check(const struct mt_config *self, const struct mt_config_source *source)
{
    struct checker checker = {self, source};
    if (self->port_count == 0 && self->ntp_count == 0 && self->refclock_count == 0 &&
        !self->has_server && !has_follower(self)) {
        COMPLAIN(&checker, 0,
                 "no port and no server is configured; add a section such as [ptp eth0] or "
                 "[ntp time.example.org]");
    }
    check_references(&checker);
    check_double_sections(&checker);
    check_shared_interfaces(&checker);
    check_shared_links(&checker);
    for (size_t p = 0; p < self->port_count; p++) {
        check_vlan(&checker, &self->ports[p]);
        check_unicast(&checker, &self->ports[p]);
    }
    for (size_t i = 0; i < self->instance_count; i++) {
        check_port_count(&checker, &self->instances[i]);
        check_receiver_only(&checker, &self->instances[i]);
        check_clock_type(&checker, &self->instances[i]);
        check_stateless(&checker, &self->instances[i]);
        check_domain(&checker, &self->instances[i]);
        check_leap(&checker, &self->instances[i]);
        mt_check_security(&checker, i);
        check_standby(&checker, i);
    }
    mt_check_use(&checker);
    mt_config_check_profiles(self, source);
    check_shared_clocks(&checker);
    check_unused_clocks(&checker);
    mt_config_check_follow(self, source);
    mt_config_check_server(self, source);
    mt_config_check_ntp(self, source);
    mt_config_check_ntp_files(self, source);
    mt_config_check_refclocks(self, source);
    mt_config_check_gnss(self, source);
    mt_config_check_choices(self, source);
    check_system_clock(&checker);
    check_clock_keys(&checker);
    check_clock_devices(&checker);
}
