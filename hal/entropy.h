/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Where seeds come from: once for each instance at start, and for each NTP question.
 */
#ifndef MEANTIME_HAL_ENTROPY_H
#define MEANTIME_HAL_ENTROPY_H

#include <stdint.h>

struct mt_hal_entropy {
    /** A number that nobody can guess (simulators: that follows from the seed). */
    uint64_t (*seed)(struct mt_hal_entropy *self);
};

#endif
