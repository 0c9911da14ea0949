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
        .decide = mt_decide,
        .states = &mt_states_full,
        .transmitter = &mt_transmitter,
        .delay = &mt_delay_e2e,
        .reference = mt_reference,
    };
    firmware_run(&features, NULL);
}
