/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The lists that name everything, in a file of their own: whoever does not use them does not link
 * what they name.
 */
#include "meantime/ptp_alternate.h"
#include "meantime/ptp_interface_rate.h"
#include "meantime/ptp_intervals.h"
#include "meantime/ptp_management.h"
#include "meantime/ptp_peer.h"
#include "meantime/ptp_profile.h"
#include "meantime/ptp_security.h"
#include "meantime/ptp_smpte.h"
#include "meantime/ptp_stateless.h"
#include "meantime/ptp_transparent.h"
#include "meantime/ptp_unicast.h"
#include "ptp/ptp_private.h"

/* Who comes first sees a frame first. */
const struct mt_extension *const mt_ptp_all_extensions[] = {
    &mt_security_extension,    &mt_message_counts,
    &mt_transparent_extension, &mt_alternate_extension,
    &mt_roles_extension,       &mt_gptp_extension,
    &mt_power_extension,       &mt_smpte_extension,
    &mt_one_step_extension,    &mt_peer_extension,
    &mt_stateless_extension,   &mt_interface_rate_extension,
    &mt_grantor_extension,     &mt_requester_extension,
    &mt_hybrid_extension,      &mt_intervals_extension,
    &mt_signaling_extension,   &mt_monitoring_extension,
    &mt_management_extension,  NULL,
};

const struct mt_ptp_features mt_ptp_all_features = {
    .compare = mt_dataset_compare,
    .decide = mt_decide,
    .states = &mt_states_full,
    .transmitter = &mt_transmitter,
    .delay = &mt_delay_any,
    .reference = mt_reference,
    .acceptable = mt_acceptable,
    .path_trace = &mt_path_trace,
    .accuracy = &mt_accuracy,
    .extend = &mt_extend,
    .boundary = &mt_boundary,
    .extensions = mt_ptp_all_extensions,
};

const struct mt_ptp_features mt_ptp_receiver_features = {
    .compare = mt_dataset_compare,
    .decide = mt_decide,
    .states = &mt_states_receiver_only,
    .delay = &mt_delay_any,
    .reference = mt_reference,
    .acceptable = mt_acceptable,
    .accuracy = &mt_accuracy,
    .extend = &mt_extend,
    .extensions = mt_ptp_all_extensions,
};

const struct mt_ptp_features mt_ptp_transparent_features = {
    .compare = mt_dataset_compare,
    .decide = mt_decide,
    .states = &mt_states_receiver_only,
    .delay = &mt_delay_any,
    .reference = mt_reference,
    .acceptable = mt_acceptable,
    .accuracy = &mt_accuracy,
    .extend = &mt_extend,
    .boundary = &mt_boundary,
    .extensions = mt_ptp_all_extensions,
};
