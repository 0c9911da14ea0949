/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The circle of embed/ordinary.c with the smallest discipline in it that tunes itself: samples
 * become corrections, and what the instance is told of the clock is whether it is locked, what was
 * measured, and which time it shows.
 */
#include "embed/small_ordinary.h"

#include "embed/instance_io.h"

#define DRAIN_ROUNDS 8 /* more than any input needs; a bound, not a plan */

void mt_small_ordinary_config_init(struct mt_small_ordinary_config *self,
                                   const struct mt_ptp_features *features)
{
    mt_instance_config_init(&self->instance);
    mt_port_config_init(&self->port);
    self->instance.features = features;
    self->seed = 0;
    self->start_rate = 0;
}

void mt_small_ordinary_init(struct mt_small_ordinary *self,
                            const struct mt_small_ordinary_config *config,
                            const struct mt_ordinary_tables *tables)
{
    const struct mt_mono now = tables->wait->ops->now(tables->wait);
    struct mt_clock_reading reading;
    self->tables = *tables;
    self->needs_report = true;
    tables->clock->ops->read(tables->clock, &reading);
    mt_instance_init(&self->ptp, &config->instance, &self->port, &config->port, 1, config->seed,
                     now);
    mt_kalman_follower_init(&self->follower, tables->clock->scale, reading.local.corrections,
                            config->start_rate);
    if (self->follower.max_rate > tables->clock->max_rate) {
        self->follower.max_rate = tables->clock->max_rate;
    }
}

static bool take_events(struct mt_small_ordinary *self, struct mt_mono now)
{
    struct mt_event event;
    bool any = false;
    while (mt_instance_next_event(&self->ptp, &event)) {
        if (event.kind == MT_EVENT_SAMPLE) {
            mt_kalman_follower_sample(&self->follower, &event.value.sample, now);
        } else if (event.kind == MT_EVENT_PARENT) {
            mt_kalman_follower_forget(&self->follower);
        }
        any = true;
    }
    self->needs_report |= any;
    return any;
}

static bool correct(struct mt_small_ordinary *self)
{
    struct mt_hal_clock *clock = self->tables.clock;
    struct mt_correction correction;
    struct mt_applied applied;
    bool any = clock->ops->disturbed(clock, &applied);
    if (any) {
        mt_kalman_follower_applied(&self->follower, &applied);
    }
    while (mt_kalman_follower_next_correction(&self->follower, &correction)) {
        clock->ops->apply(clock, &correction, &applied);
        mt_kalman_follower_applied(&self->follower, &applied);
        any = true;
    }
    self->needs_report |= any;
    return any;
}

static void tell_condition(struct mt_small_ordinary *self, struct mt_mono now)
{
    struct mt_clock_condition condition = {
        .is_locked = mt_small_ordinary_is_locked(self),
        .shows =
            self->follower.scale == MT_SCALE_TAI ? MT_CLOCK_SHOWS_PTP : MT_CLOCK_SHOWS_ARBITRARY,
    };
    (void)mt_kalman_follower_measured(&self->follower, &condition.offset, &condition.mean_delay);
    self->needs_report = false;
    mt_instance_clock(&self->ptp, &condition, now);
}

void mt_small_ordinary_input(struct mt_small_ordinary *self, const struct mt_input *input)
{
    const struct mt_mono now = input->now;
    bool any = true;
    mt_embed_input(&self->ptp, self->tables.clock, input);
    if (mt_instance_deadline(&self->ptp).ns <= now.ns) {
        mt_instance_tick(&self->ptp, now);
    }
    mt_kalman_follower_tick(&self->follower, now);
    for (unsigned round = 0; any && round < DRAIN_ROUNDS; round++) {
        any = mt_embed_send(&self->ptp, self->tables.link, self->frame, sizeof self->frame, now);
        any |= take_events(self, now);
        any |= correct(self);
        if (self->needs_report) {
            tell_condition(self, now);
            any = true;
        }
    }
}

struct mt_mono mt_small_ordinary_deadline(const struct mt_small_ordinary *self)
{
    return mt_mono_earlier(mt_instance_deadline(&self->ptp),
                           mt_kalman_follower_deadline(&self->follower));
}

void mt_small_ordinary_once(struct mt_small_ordinary *self)
{
    struct mt_hal_wait *wait = self->tables.wait;
    struct mt_input input;
    wait->ops->next(wait, mt_small_ordinary_deadline(self), &input);
    mt_small_ordinary_input(self, &input);
}

bool mt_small_ordinary_is_locked(const struct mt_small_ordinary *self)
{
    return mt_kalman_follower_is_locked(&self->follower);
}

bool mt_small_ordinary_drift(const struct mt_small_ordinary *self, mt_real *ret_rate)
{
    return mt_kalman_follower_drift(&self->follower, ret_rate);
}
