/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Where inputs come from: the platform's one place to wait.  Each call returns one input, or
 * none when the deadline has come.  The runtime's loop is the only caller.
 */
#ifndef MEANTIME_HAL_WAIT_H
#define MEANTIME_HAL_WAIT_H

#include <stddef.h>

#include "hal/clock.h"
#include "meantime/ptp_address.h"

enum mt_input_kind {
    MT_INPUT_NONE,     /**< the deadline has come, or something that the platform dealt with;
                            once the deadline is over: nothing lies in wait, as far as it knows */
    MT_INPUT_FRAME,    /**< a frame was received */
    MT_INPUT_TX_STAMP, /**< the fate of an event frame that was sent */
    MT_INPUT_LINK,     /**< a link went up or down, or has other addresses */
    MT_INPUT_RESUMED,  /**< the machine was suspended, for so long as `stamp` says */
};

struct mt_input {
    enum mt_input_kind kind;
    uint16_t link;        /**< index of the link */
    struct mt_mono now;   /**< when the input was taken */
    const uint8_t *bytes; /**< frame, link: MAC address, if known; valid until the next call */
    size_t length;
    union {
        uint32_t token;      /**< transmit stamp */
        uint32_t speed_mbit; /**< link; 0: not known */
    };
    bool has_stamp;            /**< of a link: its card stamps what it carries, not the kernel */
    bool is_up;                /**< link */
    struct mt_base_time stamp; /**< in the base clock of the link */
    /** Frame: its sender.  Link: its own address.  Network NONE: not known. */
    struct mt_address from;
};

struct mt_hal_wait;

struct mt_hal_wait_ops {
    /** Waits for the next input, at the latest until `deadline`; sets ret_input->now always. */
    void (*next)(struct mt_hal_wait *self, struct mt_mono deadline, struct mt_input *ret_input);
    struct mt_mono (*now)(struct mt_hal_wait *self);
};

struct mt_hal_wait {
    const struct mt_hal_wait_ops *ops;
};

#endif
