/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * See special.h.  There is one world in the program, and so one set of storage; a world that is
 * made anew for the next run of the sweep starts with none of it.
 */
#include "special.h"

#include <string.h>

#include "meantime/ptp_alternate.h"
#include "meantime/ptp_more.h"
#include "meantime/ptp_transparent.h"
#include "secured.h"

#define FRAMES 64

static struct {
    struct mt_ptp_features features;
    struct mt_instance_more more;
    struct mt_profile profile;
    struct mt_port_profile ports[WORLD_PORTS];
    struct mt_transparent transparent;
    struct mt_transparent_frame frames[FRAMES];
    struct mt_transparent_leg legs[FRAMES * WORLD_PORTS];
    uint8_t octets[FRAMES][MT_PTP_MESSAGE_MAX];
    struct mt_alternate alternates[WORLD_PORTS];
} special;

static void be_special(struct world *world)
{
    if (world->config.more == &special.more) {
        return;
    }
    memset(&special, 0, sizeof special);
    special.features = *world->config.features;
    mt_profile_init(&special.profile);
    special.more.profile = &special.profile;
    world->config.features = &special.features;
    world->config.more = &special.more;
    world->more_instance = &special.more;
    for (unsigned i = 0; i < WORLD_PORTS; i++) {
        mt_port_profile_init(&special.ports[i]);
        world->more[i].profile = &special.ports[i];
    }
}

/* transparent=e2e|p2p [tree=yes] [own_domain=yes] [residence=100us] [inserting=6]; PORTS comes
 * before; inserting: 1 for port 1, 2 for port 2, 4 for port 3 */
static void be_transparent(struct world *world, const struct words *line)
{
    const char *kind = words_value(line, "transparent");
    const struct mt_transparent_storage storage = {
        .frames = special.frames,
        .legs = special.legs,
        .octets = special.octets[0],
        .frame_count = FRAMES,
        .frame_size = MT_PTP_MESSAGE_MAX,
        .port_count = world->port_count,
    };
    uint8_t inserting = 0;
    struct mt_transparent_config how = {.is_peer_to_peer = strcmp(kind, "p2p") == 0};
    words_store_switch(line, "tree", &how.follows_tree);
    words_store_switch(line, "own_domain", &how.keeps_to_domain);
    words_store_ns(line, "residence", &world->residence_ns);
    words_store_u8(line, "inserting", &inserting);
    how.inserting = inserting;
    mt_transparent_init(&special.transparent, &how, &storage);
    special.features = mt_ptp_transparent_features;
    special.more.transparent = &special.transparent;
    world->config.path = NULL;
}

void special_config(struct world *world, const struct words *line)
{
    const char *bmca = words_value(line, "bmca");
    words_store_u8(line, "local_priority", &world->config.local_priority);
    bool is_transparent = words_value(line, "transparent") != NULL;
    bool is_delayed = words_value(line, "delayed") != NULL;
    if (bmca == NULL && !is_transparent && !is_delayed &&
        words_value(line, "class_threshold") == NULL) {
        return;
    }
    be_special(world);
    if (is_transparent) {
        be_transparent(world, line);
    }
    if (is_delayed) {
        special.more.security = secured_config(world, line);
    }
    words_store_u8(line, "class_threshold", &special.profile.max_clock_class);
    if (bmca != NULL && strcmp(bmca, "itu") == 0) {
        special.features.compare = mt_dataset_compare_itu;
    } else if (bmca != NULL && strcmp(bmca, "gptp") == 0) {
        special.features.states = &mt_states_gptp;
        world->config.announces_to_skip = 0;
    } else if (bmca != NULL) {
        words_die(line, "bmca is itu or gptp");
    }
}

static void alternate(struct world *world, const struct words *line, uint16_t port)
{
    struct mt_alternate *self = &special.alternates[port - 1];
    if (words_value(line, "alternates") == NULL) {
        return;
    }
    be_special(world);
    world->more[port - 1].alternate = self;
    words_store_u8(line, "alternates", &self->count);
    words_store_switch(line, "alternate_sync", &self->sends_sync);
}

void special_port(struct world *world, const struct words *line, uint16_t port)
{
    static const char *const names[] = {"auto", "transmitter", "receiver", "passive"};
    const char *role = words_value(line, "role");
    words_store_u8(line, "local_priority", &world->port_configs[port - 1].local_priority);
    alternate(world, line, port);
    if (role == NULL && words_value(line, "sync_timeout") == NULL) {
        return;
    }
    be_special(world);
    words_store_u8(line, "sync_timeout", &special.ports[port - 1].sync_receipt_timeout);
    for (unsigned i = 0; role != NULL && i < sizeof names / sizeof *names; i++) {
        if (strcmp(names[i], role) == 0) {
            special.features.boundary = &mt_boundary_roles;
            special.ports[port - 1].role = (enum mt_port_role)i;
        }
    }
}
