/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The circle of embed/ordinary.c with the follower in it: samples become corrections, and all that
 * the instance is told of the clock is whether it is locked.
 */
#include "embed/receiver.h"

#include "embed/instance_io.h"

#define DRAIN_ROUNDS 8 /* more than any input needs; a bound, not a plan */

void mt_receiver_config_init(struct mt_receiver_config *self,
                             const struct mt_ptp_features *features)
{
    mt_instance_config_init(&self->instance);
    mt_port_config_init(&self->port);
    self->instance.features = features;
    self->instance.is_receiver_only = true;
    self->seed = 0;
}

void mt_receiver_init(struct mt_receiver *self, const struct mt_receiver_config *config,
                      const struct mt_ordinary_tables *tables)
{
    const struct mt_mono now = tables->wait->ops->now(tables->wait);
    self->tables = *tables;
    self->told_locked = false;
    mt_instance_init(&self->ptp, &config->instance, &self->port, &config->port, 1, config->seed,
                     now);
    mt_follower_init(&self->follower);
    if (self->follower.max_rate > tables->clock->max_rate) {
        self->follower.max_rate = tables->clock->max_rate;
    }
}

static bool take_events(struct mt_receiver *self)
{
    struct mt_event event;
    bool any = false;
    while (mt_instance_next_event(&self->ptp, &event)) {
        if (event.kind == MT_EVENT_SAMPLE) {
            mt_follower_sample(&self->follower, &event.value.sample);
        } else if (event.kind == MT_EVENT_PARENT) {
            mt_follower_forget(&self->follower);
            self->told_locked = false; /* so the instance takes it, too */
        }
        any = true;
    }
    return any;
}

static bool correct(struct mt_receiver *self)
{
    struct mt_hal_clock *clock = self->tables.clock;
    struct mt_correction correction;
    struct mt_applied applied;
    bool any = clock->ops->disturbed(clock, &applied);
    if (any) {
        mt_follower_applied(&self->follower, &applied);
    }
    while (mt_follower_next_correction(&self->follower, &correction)) {
        clock->ops->apply(clock, &correction, &applied);
        mt_follower_applied(&self->follower, &applied);
        any = true;
    }
    return any;
}

static bool tell_condition(struct mt_receiver *self, struct mt_mono now)
{
    struct mt_clock_condition condition = {.is_locked = mt_receiver_is_locked(self)};
    if (condition.is_locked == self->told_locked) {
        return false;
    }
    self->told_locked = condition.is_locked;
    mt_instance_clock(&self->ptp, &condition, now);
    return true;
}

void mt_receiver_input(struct mt_receiver *self, const struct mt_input *input)
{
    const struct mt_mono now = input->now;
    bool any = true;
    mt_embed_input(&self->ptp, self->tables.clock, input);
    if (mt_instance_deadline(&self->ptp).ns <= now.ns) {
        mt_instance_tick(&self->ptp, now);
    }
    for (unsigned round = 0; any && round < DRAIN_ROUNDS; round++) {
        any = mt_embed_send(&self->ptp, self->tables.link, self->frame, sizeof self->frame, now);
        any |= take_events(self);
        any |= correct(self);
        any |= tell_condition(self, now);
    }
}

struct mt_mono mt_receiver_deadline(const struct mt_receiver *self)
{
    return mt_instance_deadline(&self->ptp);
}

void mt_receiver_once(struct mt_receiver *self)
{
    struct mt_hal_wait *wait = self->tables.wait;
    struct mt_input input;
    wait->ops->next(wait, mt_receiver_deadline(self), &input);
    mt_receiver_input(self, &input);
}

bool mt_receiver_is_locked(const struct mt_receiver *self)
{
    return mt_follower_is_locked(&self->follower);
}
