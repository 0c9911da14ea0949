/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * A LAN8742A at address 0, behind the MAC's serial management interface.
 */
#include "model_private.h"

#define BUSY_READS  5
#define RESET_READS 4 /* of register 0 */

static uint16_t registers[32];
static uint32_t command;
static unsigned busy_reads;
static unsigned reset_reads;
static bool was_down; /* since register 1 was read */
static bool has_agreed;

void model_phy_reset(void)
{
    for (unsigned i = 0; i < 32; i++) {
        registers[i] = 0;
    }
    registers[0] = 0x3000;
    registers[1] = 0x7809;
    registers[2] = 0x0007;
    registers[3] = 0xC131;
    registers[4] = 0x01E1;
    command = 0;
    busy_reads = 0;
    was_down = true;
    has_agreed = false;
}

uint16_t model_phy(unsigned number)
{
    return registers[number];
}

static uint16_t status(void)
{
    const bool is_up = has_agreed && !model.is_link_down;
    const bool shows_up = is_up && !was_down;
    was_down = !is_up;
    return (uint16_t)(registers[1] | (is_up ? 0x0020 : 0) | (shows_up ? 0x0004 : 0));
}

static uint16_t read_register(unsigned number)
{
    if (number == 0 && (registers[0] & 0x8000) != 0 && ++reset_reads >= RESET_READS) {
        registers[0] = 0x3000;
    }
    if (number == 1) {
        return status();
    }
    if (number == 31) {
        return (uint16_t)(0x1040 | (model.is_10_mbit ? 0x0004 : 0x0008) |
                          (model.is_half_duplex ? 0 : 0x0010));
    }
    return registers[number];
}

static void write_register(unsigned number, uint16_t value)
{
    if (number == 0 && (registers[0] & 0x8000) != 0) {
        model_violate("the PHY was written to during its reset");
    }
    registers[number] = value;
    if (number == 0 && (value & 0x8000) != 0) {
        reset_reads = 0;
        has_agreed = false;
    } else if (number == 0 && (value & 0x1200) == 0x1200) {
        has_agreed = true;
        registers[0] = value & 0xFDFF;
    }
}

void model_phy_command(uint32_t value)
{
    const unsigned number = value >> 6 & 31;
    const bool is_there = !model.has_no_phy && value >> 11 == 0 && (value >> 2 & 7) == 4;
    if (busy_reads != 0) {
        model_violate("a command to the PHY before the last one ended");
    }
    if ((value & ETH_MACMIIAR_MB) == 0) {
        return;
    }
    command = value;
    busy_reads = BUSY_READS;
    if ((value & ETH_MACMIIAR_MW) == 0) {
        model_poke(ETH_MACMIIDR, is_there ? read_register(number) : 0xFFFF);
    } else if (is_there) {
        write_register(number, (uint16_t)model_peek(ETH_MACMIIDR));
    }
}

uint32_t model_phy_command_state(void)
{
    if (busy_reads > 0 && --busy_reads > 0) {
        return command;
    }
    return command & ~ETH_MACMIIAR_MB;
}
