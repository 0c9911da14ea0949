/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * An ordinary clock with every feature that an ordinary clock can use, and no extension.
 */
#include "firmware.h"

int main(void);

static struct mt_path instance_path;

int main(void)
{
    static const struct mt_ptp_features features = {
        .compare = mt_dataset_compare,
        .decide = mt_decide,
        .states = &mt_states_full,
        .transmitter = &mt_transmitter,
        .delay = &mt_delay_e2e,
        .reference = mt_reference,
        .acceptable = mt_acceptable,
        .path_trace = &mt_path_trace,
        .accuracy = &mt_accuracy,
        .extend = &mt_extend,
    };
    firmware_run(&features, &instance_path);
}
