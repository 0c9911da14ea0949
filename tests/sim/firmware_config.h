/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What the small machine of sim_firmware.h is: in a file of its own, without a C library, for it
 * is built for that machine's own processor as well.
 */
#ifndef MEANTIME_TESTS_FIRMWARE_CONFIG_H
#define MEANTIME_TESTS_FIRMWARE_CONFIG_H

#include "embed/ordinary.h"

#define FIRMWARE_NUMBER 2 /**< among the nodes of the network */

/** An ordinary clock of the default profile, which would rather follow than serve. */
void firmware_configure(const struct mt_hal_clock *clock, struct mt_ordinary_config *ret_config);

#endif
