/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What a profile makes of an instance beyond numbers: how transmitters are compared, and which
 * states a port has.
 */
#include "compose/compose_private.h"

#include <inttypes.h>
#include <stdio.h>

#include "config/profile.h"

static bool has_roles(const struct mt_config *config, const struct mt_config_instance *instance)
{
    return config->ports[instance->first_port].profile.role != MT_PORT_ROLE_AUTO;
}

const struct mt_ptp_features *mt_compose_variant(struct mt_composition *self, uint16_t index,
                                                 const struct mt_ptp_features *built_in,
                                                 struct mt_instance_config *config)
{
    struct mt_ptp_features *features = &self->variants[index].features;
    *features = *built_in;
    switch (self->config->instances[index].bmca) {
    case MT_CONFIG_BMCA_DEFAULT:
        break;
    case MT_CONFIG_BMCA_ITU:
        features->compare = mt_dataset_compare_itu;
        break;
    case MT_CONFIG_BMCA_GPTP:
        features->states =
            config->is_receiver_only ? &mt_states_gptp_receiver_only : &mt_states_gptp;
        config->announces_to_skip = 0;
        break;
    case MT_CONFIG_BMCA_QUALITY:
        features->compare = mt_dataset_compare_quality;
        break;
    }
    if (features->boundary != NULL && has_roles(self->config, &self->config->instances[index])) {
        features->boundary = &mt_boundary_roles;
    }
    return features;
}

void mt_compose_choose(struct mt_composition *self, uint16_t index,
                       const struct mt_instance_config *config, const struct mt_port_config *ports)
{
    struct mt_compose_variant *variant = &self->variants[index];
    mt_ptp_choose_extensions(config, ports, (uint16_t)self->config->instances[index].port_count,
                             variant->extensions);
    variant->features.extensions = variant->extensions;
}

static uint32_t whole_ns(struct mt_interval inaccuracy)
{
    return (uint32_t)mt_interval_to_ns(inaccuracy); /* at most 4 s */
}

struct mt_profile *mt_compose_profile(const struct mt_composition *self, uint16_t index)
{
    const struct mt_config_instance *config = &self->config->instances[index];
    struct mt_profile *profile = &self->profiles[index];
    mt_profile_init(profile);
    profile->max_clock_class = config->max_clock_class;
    profile->wait_to_restore_ns = mt_interval_to_ns(config->wait_to_restore);
    profile->is_gptp = config->gptp;
    profile->demands_zone = config->zone.is_demanded;
    profile->power = (struct mt_power_profile){
        .version = config->power.version,
        .grandmaster_id = config->power.grandmaster_id,
        .gm_inaccuracy_ns = whole_ns(config->power.gm_inaccuracy),
        .network_inaccuracy_ns = whole_ns(config->power.network_inaccuracy),
        .total_inaccuracy_ns = whole_ns(config->power.total_inaccuracy),
    };
    return profile;
}

bool mt_composition_allows(const struct mt_composition *self, uint16_t index, const char *key,
                           int64_t value, char ret_reason[MT_HAL_REASON_SIZE])
{
    const struct mt_config_instance *config = &self->config->instances[index];
    int16_t lowest;
    int16_t highest;
    if (!config->profile_strict ||
        !mt_config_profile_range(config->profile, key, &lowest, &highest) ||
        (value >= lowest && value <= highest)) {
        return true;
    }
    const char *profile = mt_config_profile_name(config->profile);
    if (lowest == highest) {
        snprintf(ret_reason, MT_HAL_REASON_SIZE, "%s = %" PRId64 ": profile %s allows %d only", key,
                 value, profile, lowest);
    } else {
        snprintf(ret_reason, MT_HAL_REASON_SIZE,
                 "%s = %" PRId64 ": profile %s allows from %d to %d", key, value, profile, lowest,
                 highest);
    }
    return false;
}
