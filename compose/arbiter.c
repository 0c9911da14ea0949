/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Who is judged by the arbiter of a clock: each instance on it, its NTP servers and
 * reference clocks, and the clock that it follows.
 */
#include <stdlib.h>

#include "compose/compose_private.h"

struct list {
    struct mt_arbiter_member *members;
    uint16_t count;
};

static void add(struct list *list, enum mt_arbiter_kind kind, uint16_t index,
                const struct mt_config_choice *choice)
{
    list->members[list->count++] = (struct mt_arbiter_member){
        .kind = kind,
        .index = index,
        .source = MT_SOURCE_NONE,
        .is_trusted = choice->is_trusted,
        .is_required = choice->is_required,
        .is_preferred = choice->is_preferred,
        .is_watched = !choice->is_selectable,
    };
}

static void add_members(const struct mt_composition *self, uint16_t index, struct list *list)
{
    static const struct mt_config_choice none = {.is_selectable = true};
    const struct mt_config *config = self->config;
    const struct mt_follow *follow = &self->node.clocks[index].follow;
    for (uint16_t i = 0; i < config->instance_count; i++) {
        if (config->instances[i].clock_index == index) {
            add(list, MT_ARBITER_PTP, i, &config->instances[i].choice);
        }
    }
    for (uint16_t i = 0; i < self->node.ntp_count; i++) {
        const struct mt_node_ntp *ntp = &self->node.ntp[i];
        if (!ntp->is_free && ntp->clock == index) {
            add(list, MT_ARBITER_NTP, i, &mt_composition_ntp(self, i)->choice);
        }
    }
    for (uint16_t i = 0; i < self->node.refclock_count; i++) {
        const struct mt_refclock_config *refclock = &self->node.refclocks[i].config;
        const struct mt_config_choice choice = {refclock->trust, refclock->require,
                                                refclock->prefer, refclock->select};
        if (self->node.refclocks[i].clock == index) {
            add(list, MT_ARBITER_REFCLOCK, i, &choice);
        }
    }
    if (follow->is_used) {
        add(list, MT_ARBITER_CLOCK, follow->leader, &none);
    }
}

/* Room for all that may ever be judged, and one more. */
static bool reserve(struct mt_arbiter *arbiter, size_t room)
{
    struct mt_arbiter_member *members = realloc(arbiter->members, room * sizeof *members);
    arbiter->members = members != NULL ? members : arbiter->members;
    struct mt_arbiter_source *sources = realloc(arbiter->sources, room * sizeof *sources);
    arbiter->sources = sources != NULL ? sources : arbiter->sources;
    struct mt_arbiter_opinion *opinions = realloc(arbiter->opinions, room * sizeof *opinions);
    arbiter->opinions = opinions != NULL ? opinions : arbiter->opinions;
    return members != NULL && sources != NULL && opinions != NULL;
}

static void begin(struct mt_arbiter *arbiter, const struct mt_config_clock *clock)
{
    if (!arbiter->is_used) {
        arbiter->is_used = true;
        arbiter->config.min_sources = clock->min_sources;
        arbiter->config.max_bound = mt_span_to_real(mt_span_from_interval(clock->max_source_bound));
        arbiter->result.selected = MT_ARBITER_NOBODY;
        arbiter->steering = MT_ARBITER_NOBODY;
    }
}

bool mt_compose_arbiter(struct mt_composition *self, uint16_t index)
{
    const struct mt_config_clock *clock = &self->config->clocks[index];
    struct mt_arbiter *arbiter = &self->node.clocks[index].arbiter;
    size_t room =
        self->config->instance_count + self->node.ntp_count + self->node.refclock_count + 1;
    struct list list = {calloc(room, sizeof *list.members), 0};
    if (!arbiter->is_used && !mt_config_is_arbitrated(self->config, clock)) {
        free(list.members);
        return true;
    }
    bool is_good = list.members != NULL && reserve(arbiter, room);
    if (is_good) {
        begin(arbiter, clock);
        add_members(self, index, &list);
        mt_arbiter_set_members(arbiter, list.members, list.count);
    }
    free(list.members);
    return is_good;
}

void mt_compose_free_arbiter(struct mt_arbiter *arbiter)
{
    free(arbiter->members);
    free(arbiter->sources);
    free(arbiter->opinions);
}

const struct mt_address *mt_compose_member_address(const struct mt_composition *self,
                                                   enum mt_arbiter_kind kind, uint16_t index)
{
    const struct mt_config_ntp *config =
        kind == MT_ARBITER_NTP ? mt_composition_ntp(self, index) : NULL;
    return config != NULL && mt_config_is_pool(config) ? &self->node.ntp[index].server : NULL;
}

const char *mt_compose_member_name(const struct mt_composition *self, enum mt_arbiter_kind kind,
                                   uint16_t index)
{
    switch (kind) {
    case MT_ARBITER_PTP:
        break;
    case MT_ARBITER_NTP:
        return self->places[index] != NULL ? mt_composition_ntp(self, index)->name : NULL;
    case MT_ARBITER_REFCLOCK:
        return self->node.refclocks[index].config.name;
    case MT_ARBITER_CLOCK:
        return self->config->clocks[index].name;
    }
    return self->config->instances[index].name;
}
