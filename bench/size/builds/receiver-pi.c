/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The smallest receiver: end-to-end delay, proportional and integral steering, no error bound.
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
    };
    firmware_follow(&features);
}
