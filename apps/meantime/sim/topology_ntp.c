/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Which NTP servers a node of a topology asks, and where: addresses follow from the numbers of
 * nodes and of their interfaces, which are those of the world.
 */
#include <stdio.h>
#include <string.h>

#include "apps/meantime/sim/topology_private.h"

static uint32_t find_node(const struct mt_topology *topology, const char *name)
{
    uint32_t i = 0;

    while (i < topology->node_count && strcmp(topology->nodes[i].name, name) != 0) {
        i++;
    }
    return i < topology->node_count ? i : MT_TOPOLOGY_NONE;
}

/* ---- who is asked ---------------------------------------------------------------------------- */

static bool may_be_asked(const struct mt_topology_builder *self,
                         const struct mt_topology_node *node, const char *server)
{
    uint32_t number = find_node(self->topology, server);
    bool is_other = number != MT_TOPOLOGY_NONE && &self->topology->nodes[number] != node;

    if (!is_other) {
        mt_topology_complain(self->text, node->line, "%s.asks: %s is no other node", node->name,
                             server);
    }
    return is_other;
}

static bool add_names(const struct mt_topology_builder *self, const struct mt_topology_node *node,
                      const char *pattern, struct mt_topology_names *names)
{
    struct mt_topology_names more;

    if (!mt_topology_expand(self, pattern, node->line, &more)) {
        return false;
    }
    const char **all =
        mt_config_pool_take(self->text->pool, (names->count + more.count) * sizeof *all);
    if (all == NULL) {
        return false;
    }
    for (size_t i = 0; i < names->count; i++) {
        all[i] = names->name[i];
    }
    for (size_t i = 0; i < more.count; i++) {
        if (!may_be_asked(self, node, more.name[i])) {
            return false;
        }
        all[names->count + i] = more.name[i];
    }
    *names = (struct mt_topology_names){all, names->count + more.count};
    return true;
}

bool mt_topology_asked(const struct mt_topology_builder *self, const struct mt_topology_node *node,
                       struct mt_topology_names *ret_servers)
{
    char *rest = mt_topology_copy(self->text->pool, node->asks);

    *ret_servers = (struct mt_topology_names){NULL, 0};
    while (rest != NULL && rest[strspn(rest, " ,")] != '\0') {
        char *pattern = rest + strspn(rest, " ,");
        char *end = pattern + strcspn(pattern, " ,");
        rest = *end != '\0' ? end + 1 : end;
        *end = '\0';
        if (!add_names(self, node, pattern, ret_servers)) {
            return false;
        }
    }
    return rest != NULL;
}

/* ---- addresses ------------------------------------------------------------------------------- */

static bool is_end_of(const struct mt_topology_link *link, uint32_t node)
{
    for (uint32_t i = 0; i < link->end_count; i++) {
        if (link->ends[i].node == node) {
            return true;
        }
    }
    return false;
}

/* Interfaces are numbered as they are joined: link by link. */
static uint32_t interface_towards(const struct mt_topology *topology, uint32_t server,
                                  uint32_t asker)
{
    uint32_t interface = 0;

    for (uint32_t i = 0; i < topology->link_count; i++) {
        const struct mt_topology_link *link = &topology->links[i];
        if (is_end_of(link, server)) {
            if (is_end_of(link, asker)) {
                return interface;
            }
            interface++;
        }
    }
    return 0;
}

void mt_topology_ntp_address(const struct mt_topology *topology,
                             const struct mt_topology_node *asker, const char *server,
                             char ret_address[MT_TOPOLOGY_ADDRESS_SIZE])
{
    uint32_t node = find_node(topology, server);
    uint32_t interface = interface_towards(topology, node, (uint32_t)(asker - topology->nodes));

    snprintf(ret_address, MT_TOPOLOGY_ADDRESS_SIZE, "10.%u.%u.%u", (node >> 8) & 0xFF, node & 0xFF,
             interface & 0xFF);
}
