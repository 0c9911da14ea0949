/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What a configuration says of pulses and of GNSS receivers.
 * Thread rule: values only; any thread.
 */
#ifndef MEANTIME_CONFIG_PULSES_H
#define MEANTIME_CONFIG_PULSES_H

#include "meantime/gnss_timing.h"

enum mt_config_edge { MT_CONFIG_EDGE_RISING, MT_CONFIG_EDGE_FALLING };

/** Where pulses come in or go out. */
struct mt_config_pulse {
    const char *device; /**< null: none */
    bool pin_is_auto;
    uint8_t pin;
    uint8_t channel;
    enum mt_config_edge edge;
};

/** Of [gnss NAME] only. */
struct mt_config_gnss {
    const char *device; /**< of the receiver: a path, tcp:HOST:PORT, gpsd, gpsd:HOST:PORT */
    uint32_t baud;
    enum mt_gnss_protocol protocol;
    struct mt_interval cable_delay;
    bool sentence_delay_is_auto;
    struct mt_interval sentence_delay;
    struct mt_interval sentence_error;
    enum mt_gnss_jump_policy jump_policy;
    struct mt_interval jump_limit;
    struct mt_interval jump_wait;
};

#endif
