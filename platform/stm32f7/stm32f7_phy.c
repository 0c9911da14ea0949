/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Registers 0 to 4 are those of every PHY [802.3 clause 22]; what was agreed on stands in the
 * LAN8742A's register 31.  The link bit of register 1 remembers that the link was down until it is
 * read: read once, a short interruption is seen, and the next look tells that it is over.
 *
 * Full duplex is all that is offered: on a shared medium stamps mean little.
 */
#include "platform/stm32f7/stm32f7_phy.h"

#include "platform/stm32f7/stm32f7_io.h"
#include "platform/stm32f7/stm32f7_registers.h"

#define PHY_ADDRESS 0
#define BUSY_TRIES  100000 /* an access takes 64 cycles of MDC, 6528 of HCLK */
#define RESET_TRIES 20000  /* accesses: the reset takes 0.5 s at most */

#define BMCR                0
#define BMCR_RESET          0x8000
#define BMCR_NEGOTIATE_ANEW 0x1200
#define BMSR                1
#define BMSR_LINK           0x0004
#define BMSR_AGREED         0x0020
#define ID1                 2
#define ID2                 3
#define ID1_SMSC            0x0007
#define ID2_LAN8742         0xC130 /* the last four bits are the revision */
#define OFFER               4
#define OFFER_FULL          0x0141 /* 10 and 100 Mbit/s, both full duplex; 802.3 */
#define SPECIAL             31
#define SPECIAL_100         0x0008
#define SPECIAL_FULL        0x0010

static bool is_free(void)
{
    uint32_t tries = BUSY_TRIES;
    while ((mt_stm32f7_read(ETH_MACMIIAR) & ETH_MACMIIAR_MB) != 0) {
        if (--tries == 0) {
            return false;
        }
    }
    return true;
}

static bool ask(uint32_t number, uint32_t direction)
{
    mt_stm32f7_write(ETH_MACMIIAR, PHY_ADDRESS << 11 | number << 6 | ETH_MACMIIAR_CR | direction |
                                       ETH_MACMIIAR_MB);
    return is_free();
}

bool mt_stm32f7_phy_read(uint32_t number, uint16_t *ret_value)
{
    if (!is_free() || !ask(number, 0)) {
        return false;
    }
    *ret_value = (uint16_t)mt_stm32f7_read(ETH_MACMIIDR);
    return true;
}

bool mt_stm32f7_phy_write(uint32_t number, uint16_t value)
{
    if (!is_free()) {
        return false;
    }
    mt_stm32f7_write(ETH_MACMIIDR, value);
    return ask(number, ETH_MACMIIAR_MW);
}

static bool is_ours(void)
{
    uint16_t id1;
    uint16_t id2;
    return mt_stm32f7_phy_read(ID1, &id1) && mt_stm32f7_phy_read(ID2, &id2) && id1 == ID1_SMSC &&
           (id2 & 0xFFF0) == ID2_LAN8742;
}

static bool reset(void)
{
    uint16_t control = BMCR_RESET;
    if (!mt_stm32f7_phy_write(BMCR, BMCR_RESET)) {
        return false;
    }
    for (uint32_t i = 0; i < RESET_TRIES && (control & BMCR_RESET) != 0; i++) {
        if (!mt_stm32f7_phy_read(BMCR, &control)) {
            return false;
        }
    }
    return (control & BMCR_RESET) == 0;
}

bool mt_stm32f7_phy_init(void)
{
    return reset() && is_ours() && mt_stm32f7_phy_write(OFFER, OFFER_FULL) &&
           mt_stm32f7_phy_write(BMCR, BMCR_NEGOTIATE_ANEW);
}

bool mt_stm32f7_phy_look(struct mt_stm32f7_phy_state *ret_state)
{
    const uint16_t wanted = BMSR_LINK | BMSR_AGREED;
    uint16_t status;
    uint16_t special;
    if (!mt_stm32f7_phy_read(BMSR, &status) || !mt_stm32f7_phy_read(SPECIAL, &special)) {
        return false;
    }
    ret_state->is_up = (status & wanted) == wanted;
    ret_state->is_100_mbit = (special & SPECIAL_100) != 0;
    ret_state->is_full_duplex = (special & SPECIAL_FULL) != 0;
    return true;
}
