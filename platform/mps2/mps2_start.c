/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * From reset to the program.  A fault ends the emulation with a status of its own.
 */
#include "platform/mps2/mps2.h"
#include "platform/mps2/mps2_registers.h"

#define FULL_ACCESS_TO_FPU (0xFu << 20)
#define FAULT_STATUS       99

extern char mps2_stack_top[];
extern uint32_t mps2_bss[];
extern uint32_t mps2_bss_end[];
_Noreturn void mps2_start(void);

static _Noreturn void fault(void)
{
    mt_board_print("fault\n");
    mps2_exit(FAULT_STATUS);
}

__attribute__((section(".vectors"), used)) static const struct vectors {
    const void *stack;
    void (*handlers[15])(void);
} vectors = {mps2_stack_top, {mps2_start, fault, fault, fault, fault, fault}};

static void start_uart(void)
{
    UART0_DIVIDER = UART_DIVIDER_MIN;
    UART0_CONTROL = UART_SENDS;
}

_Noreturn void mps2_start(void)
{
    COPROCESSOR_ACCESS |= FULL_ACCESS_TO_FPU;
    __asm__ volatile("dsb\n isb\n cpsid i");
    for (uint32_t *word = mps2_bss; word < mps2_bss_end; word++) {
        *word = 0;
    }
    start_uart();
    mps2_exit(mt_board_main());
}

void mt_board_print(const char *text)
{
    for (; *text != '\0'; text++) {
        while ((UART0_STATE & UART_IS_FULL) != 0) {
        }
        UART0_DATA = (uint8_t)*text;
    }
}
