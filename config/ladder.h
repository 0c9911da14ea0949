/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What an instance announces as its clock gets worse: a part of config/config.h, filled by the
 * keys of config.def, to which profiles give their defaults.
 * Thread rule: values only.
 */
#ifndef MEANTIME_CONFIG_LADDER_H
#define MEANTIME_CONFIG_LADDER_H

#include <stdbool.h>
#include <stdint.h>

/** clockClass of a clock that follows something, as runtime/quality.h has it. */
struct mt_config_ladder {
    bool class_is_auto;    /**< ptp.quality.clock_class is that of a clock without time */
    bool variance_is_auto; /**< likewise */
    bool is_silent_in_holdover;
    bool has_variance_by_class;
    uint8_t primary_class;
    uint8_t holdover_class;
    uint8_t degraded_class;
    uint8_t free_run_class;
    uint8_t relay_holdover_class;
    uint8_t relay_degraded_class;
};

#endif
