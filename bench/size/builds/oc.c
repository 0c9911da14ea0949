/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The ordinary clock that small machines are asked for: both roles, end-to-end or peer delay as the
 * port is configured, a Kalman filter that tunes itself, GET of the data sets.
 */
#include "firmware.h"
#include "meantime/ptp_small.h"

int main(void);

int main(void)
{
    static struct mt_plain_peer instance_peer;
    static struct mt_getter instance_getter;
    static const struct mt_extension *const extensions[] = {
        &mt_plain_peer_extension,
        &mt_getter_extension,
        NULL,
    };
    static const struct mt_ptp_features features = {
        .compare = mt_dataset_compare,
        .decide = mt_decide,
        .states = &mt_states_full,
        .transmitter = &mt_transmitter,
        .delay = &mt_delay_e2e,
        .extend = &mt_extend,
        .extensions = extensions,
    };
    static struct mt_port_more instance_port_more = {.delay_mechanism = MT_DELAY_P2P,
                                                     .plain_peer = &instance_peer};
    static struct mt_instance_more instance_more = {.getter = &instance_getter};
    firmware_tune(&features, &instance_more, &instance_port_more);
}
