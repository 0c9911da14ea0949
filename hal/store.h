/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What outlives an input: the published clock page, the drift and what was learned of an
 * oscillator, which are kept over a restart, and the input log.  Platforms implement the table; any
 * member may be null.
 */
#ifndef MEANTIME_HAL_STORE_H
#define MEANTIME_HAL_STORE_H

#include <stddef.h>

#include "meantime/clock_page.h"
#include "meantime/real.h"
#include "meantime/steer_oscillator.h"

#define MT_HAL_REASON_SIZE 256 /**< of a sentence that says why not */

struct mt_hal_store;

struct mt_hal_store_ops {
    /** Publishes the page of clock `index`; `sequence` is the callee's to set. */
    void (*publish)(struct mt_hal_store *self, uint16_t index, const struct mt_clock_page *page);
    /** The rate correction saved by an earlier run, s/s; false if there is none. */
    bool (*load_drift)(struct mt_hal_store *self, uint16_t index, mt_real *ret_rate);
    void (*save_drift)(struct mt_hal_store *self, uint16_t index, mt_real rate);
    /** What an earlier run has learned of the oscillator of clock `index`, sound, its age that of
     * now.  False if there is nothing, or, with a reason, nothing that can be read. */
    bool (*load_oscillator)(struct mt_hal_store *self, uint16_t index,
                            struct mt_steer_oscillator_memory *ret_memory,
                            char reason[MT_HAL_REASON_SIZE]);
    void (*save_oscillator)(struct mt_hal_store *self, uint16_t index,
                            const struct mt_steer_oscillator_memory *memory);
    /** Appends to the input log. */
    void (*log)(struct mt_hal_store *self, const uint8_t *bytes, size_t length);
};

struct mt_hal_store {
    const struct mt_hal_store_ops *ops;
};

#endif
