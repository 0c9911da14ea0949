/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Who is judged by the arbiter of a clock: each instance on it, its NTP servers and
 * reference clocks, and the clock that it follows.
 */
#include <stdlib.h>

#include "compose/compose_private.h"

static void add(struct mt_arbiter *arbiter, enum mt_arbiter_kind kind, uint16_t index,
                const struct mt_config_choice *choice)
{
    arbiter->members[arbiter->count++] = (struct mt_arbiter_member){
        .kind = kind,
        .index = index,
        .source = MT_SOURCE_NONE,
        .is_trusted = choice->is_trusted,
        .is_required = choice->is_required,
        .is_preferred = choice->is_preferred,
        .is_watched = !choice->is_selectable,
    };
}

static void add_members(const struct mt_composition *self, uint16_t index,
                        struct mt_arbiter *arbiter)
{
    static const struct mt_config_choice none = {.is_selectable = true};
    const struct mt_config *config = self->config;
    const struct mt_follow *follow = &self->node.clocks[index].follow;
    for (uint16_t i = 0; i < config->instance_count; i++) {
        if (config->instances[i].clock_index == index) {
            add(arbiter, MT_ARBITER_PTP, i, &config->instances[i].choice);
        }
    }
    for (uint16_t i = 0; i < self->node.ntp_count; i++) {
        if (self->node.ntp[i].clock == index) {
            add(arbiter, MT_ARBITER_NTP, i, &mt_compose_ntp_of(config, i)->choice);
        }
    }
    for (uint16_t i = 0; i < self->node.refclock_count; i++) {
        const struct mt_refclock_config *refclock = &self->node.refclocks[i].config;
        const struct mt_config_choice choice = {refclock->trust, refclock->require,
                                                refclock->prefer, refclock->select};
        if (self->node.refclocks[i].clock == index) {
            add(arbiter, MT_ARBITER_REFCLOCK, i, &choice);
        }
    }
    if (follow->is_used) {
        add(arbiter, MT_ARBITER_CLOCK, follow->leader, &none);
    }
}

bool mt_compose_arbiter(struct mt_composition *self, uint16_t index)
{
    const struct mt_config_clock *clock = &self->config->clocks[index];
    struct mt_arbiter *arbiter = &self->node.clocks[index].arbiter;
    size_t room =
        self->config->instance_count + self->node.ntp_count + self->node.refclock_count + 1;
    if (!mt_config_is_arbitrated(self->config, clock)) {
        return true;
    }
    *arbiter = (struct mt_arbiter){
        .is_used = true,
        .members = calloc(room, sizeof *arbiter->members),
        .sources = calloc(room, sizeof *arbiter->sources),
        .opinions = calloc(room, sizeof *arbiter->opinions),
        .config = {.min_sources = clock->min_sources,
                   .max_bound = mt_span_to_real(mt_span_from_interval(clock->max_source_bound))},
        .result = {.selected = MT_ARBITER_NOBODY},
        .steering = MT_ARBITER_NOBODY,
    };
    if (arbiter->members == NULL || arbiter->sources == NULL || arbiter->opinions == NULL) {
        return false;
    }
    add_members(self, index, arbiter);
    for (uint16_t i = 0; i < arbiter->count; i++) { /* until they are judged */
        arbiter->opinions[i].verdict = MT_ARBITER_UNREACHABLE;
    }
    return true;
}

void mt_compose_free_arbiter(struct mt_arbiter *arbiter)
{
    free(arbiter->members);
    free(arbiter->sources);
    free(arbiter->opinions);
}

const char *mt_compose_member_name(const struct mt_composition *self, uint16_t clock,
                                   uint16_t member)
{
    const struct mt_arbiter_member *of = &self->node.clocks[clock].arbiter.members[member];
    switch (of->kind) {
    case MT_ARBITER_PTP:
        break;
    case MT_ARBITER_NTP:
        return mt_compose_ntp_of(self->config, of->index)->name;
    case MT_ARBITER_REFCLOCK:
        return self->node.refclocks[of->index].config.name;
    case MT_ARBITER_CLOCK:
        return self->config->clocks[of->index].name;
    }
    return self->config->instances[of->index].name;
}
