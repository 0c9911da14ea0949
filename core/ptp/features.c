/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The list that names everything, in a file of its own: whoever does not use it does not link what
 * it names.
 */
#include "ptp/ptp_private.h"

const struct mt_ptp_features mt_ptp_all_features = {
    .states = &mt_states_full,
    .transmitter = &mt_transmitter,
    .delay = &mt_delay_e2e,
    .path_trace = &mt_path_trace,
    .accuracy = &mt_accuracy,
    .boundary = &mt_boundary,
};
