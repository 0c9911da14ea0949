/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The PHY on the Nucleo board, a LAN8742A, over the MAC's serial management interface (MDIO).
 * Thread rule: one thread at a time; never an interrupt.  Each access takes 30 us.
 */
#ifndef MEANTIME_STM32F7_PHY_H
#define MEANTIME_STM32F7_PHY_H

#include <stdbool.h>
#include <stdint.h>

struct mt_stm32f7_phy_state {
    bool is_up; /**< if not, the next two mean nothing */
    bool is_100_mbit;
    bool is_full_duplex;
};

/** One register of the PHY; false if the MAC does not answer.  A PHY that is not there reads as
 * all ones. */
bool mt_stm32f7_phy_read(uint32_t number, uint16_t *ret_value);
bool mt_stm32f7_phy_write(uint32_t number, uint16_t value);

/** Resets it and lets it agree with its partner.  False if it is no LAN8742A or its reset does not
 * end. */
bool mt_stm32f7_phy_init(void);
/** False if it does not answer. */
bool mt_stm32f7_phy_look(struct mt_stm32f7_phy_state *ret_state);

#endif
