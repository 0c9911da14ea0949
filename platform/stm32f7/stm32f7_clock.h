/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * hal/clock.h over the MAC's own clock: what is steered is what stamps frames, so a stamp is a
 * reading as it stands, and the only question is how many corrections had been made by then.
 * Thread rule: one thread at a time; never an interrupt.
 */
#ifndef MEANTIME_STM32F7_CLOCK_H
#define MEANTIME_STM32F7_CLOCK_H

#include "hal/clock.h"
#include "platform/stm32f7/stm32f7_board.h"
#include "platform/stm32f7/stm32f7_mac.h"
#include "platform/stm32f7/stm32f7_ptp.h"

#define MT_STM32F7_CLOCK_PAST 8 /**< corrections that a stamp may lie before */

struct mt_stm32f7_clock {
    struct mt_hal_clock hal;
    /* private */
    struct mt_stm32f7_ptp *ptp;
    struct mt_stm32f7_mac *mac;
    struct mt_stm32f7_counter *counter;
    uint32_t corrections;
    uint32_t steps; /**< of these */
    struct mt_stm32f7_correction {
        struct mt_instant at; /**< the clock read this just after it */
        bool is_step;
    } past[MT_STM32F7_CLOCK_PAST]; /**< ring, by corrections */
};

/** The objects live as long as it, and have been started.  The clock's scale is arbitrary until it
 * adopts that of whom it follows. */
void mt_stm32f7_clock_init(struct mt_stm32f7_clock *self, struct mt_stm32f7_ptp *ptp,
                           struct mt_stm32f7_mac *mac, struct mt_stm32f7_counter *counter);

/** A stamp as inputs carry it (struct mt_input), with the number of steps that there were. */
struct mt_base_time mt_stm32f7_clock_base(const struct mt_stm32f7_clock *self,
                                          struct mt_stm32f7_raw_time raw);

#endif
