/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * All that the core has of PTP: every feature of the instance and every TLV.
 */
#include "firmware.h"
#include "meantime/ptp_tlv.h"

int main(void);

typedef void (*any_function)(void);

/* an application that looks into TLVs calls these; volatile keeps them in the image */
static const any_function volatile tlv_functions[] = {
    (any_function)mt_tlv_next,
    (any_function)mt_tlv_is_valid,
    (any_function)mt_tlv_find,
    (any_function)mt_tlv_write,
    (any_function)mt_tlv_is_propagated,
    (any_function)mt_tlv_path_count,
    (any_function)mt_tlv_path_at,
    (any_function)mt_tlv_parse_organization,
    (any_function)mt_tlv_parse_follow_up_information,
    (any_function)mt_tlv_write_follow_up_information,
    (any_function)mt_tlv_parse_message_interval_request,
    (any_function)mt_tlv_parse_gptp_capable,
    (any_function)mt_tlv_parse_power,
    (any_function)mt_tlv_parse_alternate_time_offset,
    (any_function)mt_tlv_parse_accuracy_metrics,
    (any_function)mt_tlv_write_accuracy_metrics,
    (any_function)mt_tlv_parse_management,
    (any_function)mt_tlv_parse_unicast,
    (any_function)mt_tlv_parse_l1_sync,
    (any_function)mt_tlv_parse_cumulative_rate_ratio,
    (any_function)mt_tlv_parse_authentication,
    (any_function)mt_tlv_parse_protocol_address,
};

static struct mt_path instance_path;

int main(void)
{
    for (size_t i = 0; i < sizeof tlv_functions / sizeof tlv_functions[0]; i++) {
        if (tlv_functions[i] != NULL) {
            tlv_functions[i]();
        }
    }
    firmware_run(&mt_ptp_all_features, &instance_path);
}
