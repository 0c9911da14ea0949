/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Whose clock it is.  A first change is told at once, with its size.  A second one within the
 * window is told as what it is, another program that steers; from then on changes are only
 * counted, since a fight would fill the log, until there has been none for as long as the window.
 *
 * Giving way means to apply nothing more: samples are taken as before, the published time follows
 * the sources, and the other's corrections are followed as disturbances.  Insisting means to undo
 * each change in the moment in which it is found, before samples could tell of it.
 */
#include "runtime/rivals.h"

#include "runtime/events.h"
#include "runtime/node.h"

#define RESUMED_NS INT64_C(5000000000)

static void tell_shared(struct mt_node *node, uint16_t index, bool is_shared, struct mt_mono now)
{
    node->clocks[index].rivals.is_shared = is_shared;
    node->clocks[index].needs_report = true;
    mt_node_tell(node,
                 &(struct mt_node_event){
                     .kind = MT_NODE_SHARED, .at = now, .index = index, .value.is_on = is_shared});
}

bool mt_rivals_note(struct mt_node *node, uint16_t index, const struct mt_applied *applied,
                    mt_real rate, struct mt_mono now)
{
    struct mt_rivals *self = &node->clocks[index].rivals;
    bool is_left_behind = !self->has_looked && applied->kind == MT_CORRECT_RATE;
    bool is_again = self->changes > 0 && now.ns - self->last.ns < MT_RIVALS_WINDOW_NS;
    if (is_left_behind || now.ns < self->quiet_to.ns) {
        return false;
    }
    self->changes++;
    self->last = now;
    if (!self->is_shared) {
        mt_node_tell(node, &(struct mt_node_event){.kind = MT_NODE_DISTURBED,
                                                   .at = now,
                                                   .index = index,
                                                   .value.change = {applied->step, rate}});
    }
    if (!self->is_shared && is_again) {
        tell_shared(node, index, true, now);
    }
    return true;
}

/* It may have been found right before, too: that one makes no second one. */
void mt_rivals_resumed(struct mt_rivals *self, struct mt_mono now)
{
    if (!self->is_shared) {
        self->last.ns = now.ns - MT_RIVALS_WINDOW_NS;
    }
    self->quiet_to = mt_mono_plus(now, RESUMED_NS);
}

void mt_rivals_tick(struct mt_node *node, uint16_t index, struct mt_mono now)
{
    struct mt_rivals *self = &node->clocks[index].rivals;
    if (self->is_shared && now.ns - self->last.ns >= MT_RIVALS_WINDOW_NS) {
        tell_shared(node, index, false, now);
    }
}

bool mt_rivals_yields(const struct mt_node_clock *clock)
{
    return clock->rivals.is_shared && clock->rivals.policy == MT_RIVALS_YIELD;
}

bool mt_rivals_undo(const struct mt_node_clock *clock, const struct mt_applied *applied,
                    mt_real rate, struct mt_correction *ret_correction)
{
    const struct mt_discipline *discipline = &clock->discipline;
    if (clock->rivals.policy != MT_RIVALS_INSIST || !clock->hal->is_adjustable ||
        discipline->config.estimates_only) {
        return false;
    }
    *ret_correction = (struct mt_correction){
        .kind = applied->kind,
        .step = mt_span_minus((struct mt_span){0, 0, 0}, applied->step),
        .rate = applied->rate - rate,
        .scale = discipline->scale,
    };
    return true;
}
