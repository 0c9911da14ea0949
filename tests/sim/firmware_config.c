/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "firmware_config.h"

void firmware_configure(const struct mt_hal_clock *clock, struct mt_ordinary_config *ret_config)
{
    static const struct mt_ptp_features features = {
        .compare = mt_dataset_compare,
        .decide = mt_decide,
        .states = &mt_states_full,
        .transmitter = &mt_transmitter,
        .delay = &mt_delay_e2e,
        .reference = mt_reference,
    };
    mt_ordinary_config_init(ret_config, &features, clock);
    ret_config->instance.identity =
        (struct mt_clock_identity){{0x02, 0, 0x5E, 0xFF, 0xFE, 0, FIRMWARE_NUMBER, 1}};
    ret_config->seed = 7;
}
