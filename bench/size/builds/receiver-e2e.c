/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * A clock that only ever receives, end-to-end delay.
 */
#include "firmware.h"

int main(void);

int main(void)
{
    static const struct mt_ptp_features features = {
        .compare = mt_dataset_compare,
        .states = &mt_states_receiver_only,
        .delay = &mt_delay_e2e,
    };
    firmware_run(&features, NULL);
}
