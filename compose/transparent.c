/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Storage of a transparent clock: the frames that are in passage, and a leg for each port of each.
 */
#include "compose/compose_private.h"

#include <stdlib.h>

#include "meantime/ptp_transparent.h"

static uint64_t inserting_ports(const struct mt_composition *self,
                                const struct mt_config_instance *config)
{
    uint64_t ports = 0;
    for (size_t i = 0; i < config->port_count; i++) {
        uint16_t link = mt_compose_link_of(self->config, config->first_port + i);
        if (self->node.links[link]->inserts_stamps) {
            ports |= UINT64_C(1) << i;
        }
    }
    return ports;
}

void mt_compose_free_transparent(struct mt_transparent *transparent)
{
    if (transparent != NULL) {
        free(transparent->storage.frames);
        free(transparent->storage.legs);
        free(transparent->storage.octets);
    }
    free(transparent);
}

struct mt_transparent *mt_compose_transparent(const struct mt_composition *self, uint16_t index)
{
    const struct mt_config_instance *config = &self->config->instances[index];
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
