/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What is judged is what the discipline knows of each source; the instances only say whom they
 * follow.  A change of parent of an instance never selects a source by itself here: between the
 * loss of one transmitter and the choice of the other the clock would be in holdover for an
 * instant, and tell everybody.
 *
 * Two clocks that differ cannot be told which of them is right.  So the one that is followed is
 * kept; that the other one has a better clockClass is the only thing that outweighs a difference.
 */
#include "runtime/standby.h"

#include "meantime/steer_standby.h"
#include "runtime/events.h"
#include "runtime/node.h"

#define PATIENCE          4 /* Sync intervals */
#define LEAST_PATIENCE_NS INT64_C(500000000)
#define LEARNING          8 /* the last interval's share of the mean: one of so many */
#define START_NS          INT64_C(5000000000)
#define SIGMAS            5

void mt_standby_init(struct mt_standby *self)
{
    *self = (struct mt_standby){
        .active = MT_STANDBY_NOBODY,
        .last = MT_STANDBY_NOBODY,
        .reason = MT_STANDBY_FOR_NOTHING,
        .at = MT_MONO_NEVER,
    };
}

static struct mt_standby *standby_of(struct mt_node *node, uint16_t instance)
{
    return &node->clocks[node->instances[instance].clock].standby;
}

static struct mt_standby_member *member_of(struct mt_standby *self, uint16_t instance)
{
    return &self->members[self->members[MT_STANDBY_PRIMARY].instance == instance
                              ? MT_STANDBY_PRIMARY
                              : MT_STANDBY_SECONDARY];
}

bool mt_standby_is_idle(const struct mt_node *node, uint16_t instance)
{
    const struct mt_standby *self = &node->clocks[node->instances[instance].clock].standby;
    return self->is_used &&
           (self->active == MT_STANDBY_NOBODY || self->members[self->active].instance != instance);
}

bool mt_standby_is_silent(const struct mt_node *node, uint16_t instance)
{
    const struct mt_standby *self = &node->clocks[node->instances[instance].clock].standby;
    bool is_primary = self->members[MT_STANDBY_PRIMARY].instance == instance;
    return self->is_used &&
           self->members[is_primary ? MT_STANDBY_PRIMARY : MT_STANDBY_SECONDARY].health <=
               MT_STANDBY_SILENT;
}

bool mt_standby_is_redundant(const struct mt_standby *self)
{
    return self->members[MT_STANDBY_PRIMARY].health == MT_STANDBY_GOOD &&
           self->members[MT_STANDBY_SECONDARY].health == MT_STANDBY_GOOD && self->agrees;
}

static uint16_t source_of(const struct mt_node *node, const struct mt_standby_member *member)
{
    const struct mt_node_instance *instance = &node->instances[member->instance];
    uint16_t port = mt_instance_receiving_port(&instance->ptp);
    return port != 0 ? instance->ports[port - 1].source : MT_SOURCE_NONE;
}

/* ---- what instances tell --------------------------------------------------------------------- */

void mt_standby_sampled(struct mt_node *node, uint16_t instance, struct mt_mono now)
{
    struct mt_standby_member *member = member_of(standby_of(node, instance), instance);
    int64_t interval_ns = now.ns - member->sampled.ns;
    int64_t mean_ns = member->interval_ns;
    if (member->sampled.ns == 0) { /* the first one */
        mean_ns = 0;
    } else if (mean_ns == 0) {
        mean_ns = interval_ns;
    } else { /* a gap is no interval, but several of them are */
        int64_t most_ns = LEARNING * mean_ns;
        mean_ns += ((interval_ns < most_ns ? interval_ns : most_ns) - mean_ns) / LEARNING;
    }
    member->interval_ns = mean_ns;
    member->sampled = now;
}

static void reference_changed(struct mt_discipline *discipline, uint16_t source, bool is_traceable)
{
    if (source == discipline->selected) {
        mt_discipline_new_reference(discipline, is_traceable);
    } else {
        mt_discipline_standby_reference(discipline, source, is_traceable);
    }
}

void mt_standby_changed(struct mt_node *node, uint16_t instance, const struct mt_event *event)
{
    struct mt_node_clock *clock = &node->clocks[node->instances[instance].clock];
    if (event->port == 0) {
        return;
    }
    uint16_t source = node->instances[instance].ports[event->port - 1].source;
    if (event->kind == MT_EVENT_PARENT) {
        struct mt_standby_member *member = member_of(&clock->standby, instance);
        member->sampled.ns = 0;
        member->interval_ns = 0;
        mt_discipline_reset_source(&clock->discipline, source);
        clock->told_wrong_scale = false;
    }
    if (!event->value.parent.is_same_grandmaster) {
        reference_changed(&clock->discipline, source, event->value.parent.is_same_reference);
    }
}

/* ---- health ---------------------------------------------------------------------------------- */

static struct mt_mono silent_at(const struct mt_standby_member *member)
{
    int64_t patience_ns = PATIENCE * member->interval_ns;
    if (member->interval_ns == 0) {
        return MT_MONO_NEVER;
    }
    return mt_mono_plus(member->sampled,
                        patience_ns > LEAST_PATIENCE_NS ? patience_ns : LEAST_PATIENCE_NS);
}

static enum mt_standby_health health_of(const struct mt_node *node,
                                        const struct mt_node_clock *clock,
                                        const struct mt_standby_member *member, struct mt_mono now)
{
    uint16_t source = source_of(node, member);
    if (source == MT_SOURCE_NONE) {
        return MT_STANDBY_LOST;
    }
    if (silent_at(member).ns <= now.ns) {
        return MT_STANDBY_SILENT;
    }
    return mt_discipline_is_settled(&clock->discipline, source) ? MT_STANDBY_GOOD
                                                                : MT_STANDBY_UNSETTLED;
}

static void examine(struct mt_node *node, struct mt_node_clock *clock, struct mt_mono now)
{
    struct mt_standby *self = &clock->standby;
    mt_real sigma = 0;
    for (unsigned i = 0; i < 2; i++) {
        struct mt_standby_member *member = &self->members[i];
        enum mt_standby_health health = health_of(node, clock, member, now);
        if (health == MT_STANDBY_GOOD && member->health != MT_STANDBY_GOOD) {
            member->good_since = now;
        }
        member->health = health;
    }
    uint16_t primary = source_of(node, &self->members[MT_STANDBY_PRIMARY]);
    uint16_t secondary = source_of(node, &self->members[MT_STANDBY_SECONDARY]);
    /* what the clock is ahead of the secondary, less that of the primary */
    self->has_difference =
        mt_discipline_compare(&clock->discipline, secondary, primary, &self->difference, &sigma);
    self->agrees = self->has_difference &&
                   mt_real_abs(self->difference) <= self->max_difference + SIGMAS * sigma;
}

/* ---- the choice ------------------------------------------------------------------------------ */

static uint8_t class_of(const struct mt_node *node, const struct mt_standby *self, uint8_t member)
{
    const struct mt_instance *ptp = &node->instances[self->members[member].instance].ptp;
    return mt_instance_parent(ptp)->quality.clock_class;
}

static enum mt_standby_reason reason_of(enum mt_standby_health other)
{
    switch (other) {
    case MT_STANDBY_LOST:
        return MT_STANDBY_BY_LOSS;
    case MT_STANDBY_SILENT:
        return MT_STANDBY_BY_SILENCE;
    case MT_STANDBY_UNSETTLED:
    case MT_STANDBY_GOOD:
        break;
    }
    return MT_STANDBY_BY_DOUBT;
}

static uint8_t choose_among_good(const struct mt_node *node, struct mt_standby *self,
                                 struct mt_mono now)
{
    const struct mt_standby_member *primary = &self->members[MT_STANDBY_PRIMARY];
    uint8_t primary_class = class_of(node, self, MT_STANDBY_PRIMARY);
    uint8_t secondary_class = class_of(node, self, MT_STANDBY_SECONDARY);
    self->reason = MT_STANDBY_BY_RANK;
    if (secondary_class < primary_class) {
        self->reason = MT_STANDBY_BY_CLASS;
        return MT_STANDBY_SECONDARY;
    }
    if (self->active != MT_STANDBY_SECONDARY || primary_class < secondary_class) {
        return MT_STANDBY_PRIMARY;
    }
    if (!self->agrees) {
        self->reason = MT_STANDBY_BY_DIFFERENCE;
        return MT_STANDBY_SECONDARY;
    }
    if (self->was_left && now.ns - primary->good_since.ns < self->wait_ns) {
        self->reason = MT_STANDBY_BY_WAIT;
        return MT_STANDBY_SECONDARY;
    }
    return MT_STANDBY_PRIMARY;
}

/* Neither is good: no change for the sake of change, once there was time to keep, but whoever is
 * there goes before nobody. */
static uint8_t choose_among_others(struct mt_standby *self, bool has_time)
{
    enum mt_standby_health primary = self->members[MT_STANDBY_PRIMARY].health;
    enum mt_standby_health secondary = self->members[MT_STANDBY_SECONDARY].health;
    self->reason = MT_STANDBY_FOR_NOTHING;
    if (primary == MT_STANDBY_LOST && secondary == MT_STANDBY_LOST) {
        return MT_STANDBY_NOBODY;
    }
    if (primary == secondary) {
        return has_time && self->active != MT_STANDBY_NOBODY ? self->active : MT_STANDBY_PRIMARY;
    }
    self->reason = reason_of(primary < secondary ? primary : secondary);
    return primary > secondary ? MT_STANDBY_PRIMARY : MT_STANDBY_SECONDARY;
}

/* A secondary that settles a moment before the primary does not lead for that, though the clock may
 * have locked to the primary by then. */
static bool is_beginning(const struct mt_standby *self, bool has_time, struct mt_mono now)
{
    const struct mt_standby_member *primary = &self->members[MT_STANDBY_PRIMARY];
    const struct mt_standby_member *secondary = &self->members[MT_STANDBY_SECONDARY];
    return self->active != MT_STANDBY_SECONDARY && primary->health == MT_STANDBY_UNSETTLED &&
           (!has_time || primary->good_since.ns == 0) &&
           now.ns - secondary->good_since.ns < START_NS;
}

static uint8_t choose(const struct mt_node *node, const struct mt_node_clock *clock,
                      struct mt_standby *self, struct mt_mono now)
{
    bool has_time = clock->discipline.has_locked_once;
    enum mt_standby_health primary = self->members[MT_STANDBY_PRIMARY].health;
    enum mt_standby_health secondary = self->members[MT_STANDBY_SECONDARY].health;
    if (primary == MT_STANDBY_GOOD && secondary == MT_STANDBY_GOOD) {
        return choose_among_good(node, self, now);
    }
    if (primary != MT_STANDBY_GOOD && secondary != MT_STANDBY_GOOD) {
        return choose_among_others(self, has_time);
    }
    if (is_beginning(self, has_time, now)) {
        self->reason = MT_STANDBY_BY_RANK;
        return MT_STANDBY_PRIMARY;
    }
    self->reason = primary == MT_STANDBY_GOOD ? MT_STANDBY_BY_RANK : reason_of(primary);
    return primary == MT_STANDBY_GOOD ? MT_STANDBY_PRIMARY : MT_STANDBY_SECONDARY;
}

static struct mt_mono find_deadline(const struct mt_standby *self)
{
    struct mt_mono earliest = MT_MONO_NEVER;
    for (unsigned i = 0; i < 2; i++) {
        const struct mt_standby_member *member = &self->members[i];
        if (member->health > MT_STANDBY_SILENT) {
            earliest = mt_mono_earlier(earliest, silent_at(member));
        }
    }
    if (self->reason == MT_STANDBY_BY_WAIT) {
        earliest = mt_mono_earlier(
            earliest, mt_mono_plus(self->members[MT_STANDBY_PRIMARY].good_since, self->wait_ns));
    }
    return earliest;
}

static void tell(struct mt_node *node, uint16_t clock, uint8_t from, struct mt_mono now)
{
    const struct mt_standby *self = &node->clocks[clock].standby;
    mt_node_tell(node, &(struct mt_node_event){
                           .kind = MT_NODE_STANDBY,
                           .at = now,
                           .index = clock,
                           .value.standby = {.from = self->members[from].instance,
                                             .to = self->members[self->active].instance,
                                             .reason = self->reason},
                       });
}

bool mt_standby_judge(struct mt_node *node, uint16_t index, struct mt_mono now)
{
    struct mt_node_clock *clock = &node->clocks[index];
    struct mt_standby *self = &clock->standby;
    if (!self->is_used) {
        return false;
    }
    uint16_t was_selected = clock->discipline.selected;
    examine(node, clock, now);
    self->active = choose(node, clock, self, now);
    uint16_t source = self->active != MT_STANDBY_NOBODY
                          ? source_of(node, &self->members[self->active])
                          : MT_SOURCE_NONE;
    mt_discipline_take_over(&clock->discipline, source, now);
    if (self->active != MT_STANDBY_NOBODY && self->active != self->last) {
        if (self->last != MT_STANDBY_NOBODY && clock->discipline.has_locked_once) {
            self->switches++;
            self->was_left |= self->last == MT_STANDBY_PRIMARY;
            tell(node, index, self->last, now);
        }
        self->last = self->active;
    }
    self->at = find_deadline(self);
    clock->needs_report |= was_selected != clock->discipline.selected;
    return was_selected != clock->discipline.selected;
}
