/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What the configuration says of holdover, and of what is announced in it.
 */
#include "compose/compose_private.h"

void mt_compose_ladder(const struct mt_config_instance *config,
                       struct mt_quality_ladder *ret_ladder)
{
    const struct mt_config_ladder *ladder = &config->ladder;
    *ret_ladder = (struct mt_quality_ladder){
        .class_is_auto = ladder->class_is_auto,
        .variance_is_auto = ladder->variance_is_auto,
        .is_silent_in_holdover = ladder->is_silent_in_holdover,
        .has_variance_by_class = ladder->has_variance_by_class,
        .primary_class = ladder->primary_class,
        .holdover_class = ladder->holdover_class,
        .degraded_class = ladder->degraded_class,
        .free_run_class = ladder->free_run_class,
        .relay_holdover_class = ladder->relay_holdover_class,
        .relay_degraded_class = ladder->relay_degraded_class,
    };
}

void mt_compose_holdover(const struct mt_config_clock *config, struct mt_holdover *holdover)
{
    holdover->limit_ns = mt_real_round(config->holdover_limit_s * 1e9);
    holdover->learns = config->max_drift_is_auto && config->servo == MT_CONFIG_SERVO_ADAPTIVE;
    mt_steer_oscillator_init(&holdover->oscillator);
    holdover->accuracy_ns = mt_interval_to_ns(config->holdover_accuracy);
}

void mt_compose_oscillator(struct mt_composition *self, uint16_t index,
                           struct mt_hal_provider *provider)
{
    struct mt_node_clock *clock = &self->node.clocks[index];
    struct mt_hal_store *store = provider->store;
    struct mt_steer_oscillator_memory memory;
    char reason[MT_HAL_REASON_SIZE] = "";
    if (!clock->keeps_drift || !clock->holdover.learns || store == NULL ||
        store->ops->load_oscillator == NULL) {
        return;
    }
    if (store->ops->load_oscillator(store, index, &memory, reason)) {
        mt_steer_oscillator_remember(&clock->holdover.oscillator, &memory,
                                     provider->wait->ops->now(provider->wait));
    } else if (reason[0] != '\0') {
        mt_compose_note(self, "clock %s: %s; its oscillator is learned anew",
                        self->config->clocks[index].name, reason);
    }
}

/* A clock keeps time without, too. */
void mt_compose_thermometers(struct mt_composition *self, struct mt_hal_provider *provider)
{
    struct mt_node *node = &self->node;
    for (uint16_t i = 0; i < node->clock_count; i++) {
        const struct mt_config_clock *config = &self->config->clocks[i];
        struct mt_holdover *holdover = &node->clocks[i].holdover;
        char reason[MT_HAL_REASON_SIZE] = "";
        if (config->temperature == NULL) {
            continue;
        }
        const struct mt_link_request request = {
            .interface = config->temperature,
            .transport = MT_TRANSPORT_TEMPERATURE,
            .poll_ns = mt_interval_to_ns(config->temperature_poll),
        };
        struct mt_hal_link *link =
            provider->ops->open_link(provider, node->link_count, &request, reason);
        if (link == NULL) {
            mt_compose_note(self, "clock %s: %s; its holdover goes without", config->name, reason);
            continue;
        }
        holdover->has_thermometer = true;
        holdover->read_every_ns = request.poll_ns;
        holdover->thermometer = node->link_count;
        node->links[node->link_count++] = link;
    }
}

const char *mt_compose_quality_source(enum mt_quality_source source)
{
    static const char *const names[] = {
        [MT_QUALITY_FROM_NOBODY] = "nobody", [MT_QUALITY_FROM_PTP] = "ptp",
        [MT_QUALITY_FROM_NTP] = "ntp",       [MT_QUALITY_FROM_REFCLOCK] = "refclock",
        [MT_QUALITY_FROM_GNSS] = "gnss",
    };
    return names[source];
}
