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
        .decide = mt_decide_receiver,
        .states = &mt_states_receiver_only,
        .delay = &mt_delay_e2e,
        .reference = mt_reference,
    };
    firmware_run(&features, NULL);
}
