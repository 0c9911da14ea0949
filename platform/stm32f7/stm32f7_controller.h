/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The whole chip as one Ethernet controller (embed/mac.h) and one clock (hal/clock.h): what an
 * application needs of it.  It follows the link, spreads the fractions of the rate over time, and
 * mends what can be mended.
 * Thread rule: one thread; never an interrupt.
 */
#ifndef MEANTIME_STM32F7_CONTROLLER_H
#define MEANTIME_STM32F7_CONTROLLER_H

#include "embed/mac.h"
#include "platform/stm32f7/stm32f7_clock.h"
#include "platform/stm32f7/stm32f7_phy.h"

struct mt_stm32f7_controller {
    struct mt_mac interface;
    struct mt_stm32f7_clock clock;
    struct mt_stm32f7_mac mac; /**< its counters may be read */
    struct mt_stm32f7_ptp ptp;
    struct mt_stm32f7_counter counter;
    uint32_t resyncs; /**< mt_stm32f7_board_resync() was called so often */
    /* private */
    struct mt_stm32f7_phy_state phy;
    uint64_t tick_us;
    uint32_t checksum_errors; /**< and frames received, at the last look */
    uint32_t received;
};

enum mt_stm32f7_start {
    MT_STM32F7_STARTED,
    MT_STM32F7_NO_PHY,             /**< it does not answer, or is another one */
    MT_STM32F7_NO_REFERENCE_CLOCK, /**< from the PHY to the MAC */
    MT_STM32F7_NO_CLOCK,           /**< the IEEE 1588 block does not answer */
};

/** The board has been initialised.  The clock begins at 0 s of `scale`; if that is arbitrary, it
 * adopts the scale of whom it follows. */
enum mt_stm32f7_start mt_stm32f7_controller_start(struct mt_stm32f7_controller *self,
                                                  struct mt_stm32f7_rings *rings,
                                                  enum mt_timescale scale);

#endif
