/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What outlives an input: the published clock page, the drift that is kept over a restart, and
 * the input log.  Platforms implement the table; any member may be null.
 */
#ifndef MEANTIME_HAL_STORE_H
#define MEANTIME_HAL_STORE_H

#include <stddef.h>

#include "meantime/clock_page.h"
#include "meantime/real.h"

struct mt_hal_store;

struct mt_hal_store_ops {
    /** Publishes the page of clock `index`; `sequence` is the callee's to set. */
    void (*publish)(struct mt_hal_store *self, uint16_t index, const struct mt_clock_page *page);
    /** The rate correction saved by an earlier run, s/s; false if there is none. */
    bool (*load_drift)(struct mt_hal_store *self, uint16_t index, mt_real *ret_rate);
    void (*save_drift)(struct mt_hal_store *self, uint16_t index, mt_real rate);
    /** Appends to the input log. */
    void (*log)(struct mt_hal_store *self, const uint8_t *bytes, size_t length);
};

struct mt_hal_store {
    const struct mt_hal_store_ops *ops;
};

#endif
