/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What a profile makes of an instance beyond numbers: how transmitters are compared, and which
 * states a port has.
 */
#include "compose/compose_private.h"

const struct mt_ptp_features *mt_compose_variant(struct mt_composition *self, uint16_t index,
                                                 const struct mt_ptp_features *built_in,
                                                 struct mt_instance_config *config)
{
    struct mt_ptp_features *features = &self->features[index];
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
        config->qualifies_at_once = true;
        break;
    }
    return features;
}
