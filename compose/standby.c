/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Hot standby of two instances over one clock; the check has made sure that one is the primary and
 * the other the secondary.
 */
#include "compose/compose_private.h"

void mt_compose_standby(struct mt_composition *self, uint16_t index)
{
    const struct mt_config *config = self->config;
    const struct mt_config_clock *clock = &config->clocks[index];
    struct mt_standby *standby = &self->node.clocks[index].standby;
    mt_standby_init(standby);
    for (size_t i = 0; i < config->instance_count; i++) {
        const struct mt_config_instance *instance = &config->instances[i];
        if (instance->clock_index != index || instance->standby == MT_CONFIG_STANDBY_NONE) {
            continue;
        }
        bool is_primary = instance->standby == MT_CONFIG_STANDBY_PRIMARY;
        standby->members[is_primary ? MT_STANDBY_PRIMARY : MT_STANDBY_SECONDARY].instance =
            (uint16_t)i;
        standby->is_used = true;
    }
    standby->wait_ns = mt_interval_to_ns(clock->standby_wait);
    standby->max_difference = mt_span_to_real(mt_span_from_interval(clock->standby_max_difference));
}

const char *mt_compose_standby_reason(enum mt_standby_reason reason)
{
    switch (reason) {
    case MT_STANDBY_BY_RANK:
        return "it is the primary";
    case MT_STANDBY_BY_LOSS:
        return "the other one follows nobody";
    case MT_STANDBY_BY_SILENCE:
        return "the other one has no time messages";
    case MT_STANDBY_BY_DOUBT:
        return "the other one's time has not settled";
    case MT_STANDBY_BY_CLASS:
        return "the other one's grandmaster is of a worse clockClass";
    case MT_STANDBY_BY_WAIT:
        return "the primary is good again, but not for standby_wait";
    case MT_STANDBY_BY_DIFFERENCE:
        return "the primary is good again, but differs by more than standby_max_difference";
    case MT_STANDBY_FOR_NOTHING:
        break;
    }
    return "there is nobody better";
}
