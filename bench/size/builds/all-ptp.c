/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * An ordinary, boundary or transparent clock, end-to-end and peer-to-peer, multicast and unicast.
 * Management, profiles of their own kind and authentication are beyond it.
 */
#include "firmware.h"
#include "meantime/ptp_peer.h"
#include "meantime/ptp_transparent.h"
#include "meantime/ptp_unicast.h"

int main(void);

static struct mt_path instance_path;

int main(void)
{
    static const struct mt_extension *const extensions[] = {
        &mt_transparent_extension, &mt_peer_extension,   &mt_grantor_extension,
        &mt_requester_extension,   &mt_hybrid_extension, NULL,
    };
    static const struct mt_ptp_features features = {
        .compare = mt_dataset_compare,
        .decide = mt_decide,
        .states = &mt_states_full,
        .transmitter = &mt_transmitter,
        .delay = &mt_delay_any,
        .reference = mt_reference,
        .acceptable = mt_acceptable,
        .path_trace = &mt_path_trace,
        .accuracy = &mt_accuracy,
        .boundary = &mt_boundary,
        .extend = &mt_extend,
        .extensions = extensions,
    };
    firmware_run(&features, &instance_path);
}
