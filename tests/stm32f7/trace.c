/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The driver as the chip would run it, without the model: cross-compiled, on QEMU's netduinoplus2,
 * a chip of the same family whose Ethernet block QEMU does not know and therefore logs, access by
 * access.  It reads as 0, so everything that waits is done at once.  test_trace.py compares.
 */
#include "platform/stm32f7/stm32f7_board.h"
#include "platform/stm32f7/stm32f7_mac.h"

#define STACK_TOP     0x20020000
#define SYS_EXIT      0x18
#define EXIT_WELL     0x20026
#define EXIT_NOT_WELL 0x20024

struct mt_stm32f7_rings rings;
void start(void);

__attribute__((section(".vectors"), used)) static void *const vectors[16] = {(void *)STACK_TOP,
                                                                             (void *)start};

static void end(uint32_t how)
{
    register uint32_t r0 __asm__("r0") = SYS_EXIT;
    register uint32_t r1 __asm__("r1") = how;
    __asm__ volatile("bkpt 0xAB" : : "r"(r0), "r"(r1) : "memory");
}

static bool run(void)
{
    static struct mt_stm32f7_mac mac;
    static struct mt_stm32f7_ptp ptp;
    static const uint32_t identity[3] = {0x00290041, 0x3438510A, 0x35313537}; /* the model's */
    uint8_t address[6];
    mt_stm32f7_board_address(identity, address);
    if (!mt_stm32f7_mac_init(&mac, &rings, address) || !mt_stm32f7_ptp_init(&ptp, 0)) {
        return false;
    }
    mt_stm32f7_mac_start(true, true);
    return true;
}

void start(void)
{
    end(run() ? EXIT_WELL : EXIT_NOT_WELL);
    for (;;) {
    }
}
