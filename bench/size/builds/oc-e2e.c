/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * An ordinary clock, end-to-end delay, both roles; neither path trace nor accuracy
 * metrics, and nothing that only a boundary clock needs.
 */
#include "firmware.h"

int main(void);

int main(void)
{
    static const struct mt_ptp_features features = {
        .compare = mt_dataset_compare,
        .states = &mt_states_full,
        .transmitter = &mt_transmitter,
        .delay = &mt_delay_e2e,
    };
    firmware_run(&features, NULL);
}
