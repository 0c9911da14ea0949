/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Addresses of the board, as Arm's AN500 and the architecture's manual give them.
 * Thread rule: constants only.
 */
#ifndef MEANTIME_MPS2_REGISTERS_H
#define MEANTIME_MPS2_REGISTERS_H

#include <stdint.h>

#define REGISTER(address) (*(volatile uint32_t *)(uintptr_t)(address))

#define NVIC_ENABLE        REGISTER(0xE000E100)
#define NVIC_CLEAR_PENDING REGISTER(0xE000E280)
#define COPROCESSOR_ACCESS REGISTER(0xE000ED88)

#define TIMER1_CONTROL   REGISTER(0x40001000)
#define TIMER1_VALUE     REGISTER(0x40001004)
#define TIMER1_RELOAD    REGISTER(0x40001008)
#define TIMER1_INTERRUPT REGISTER(0x4000100C)
#define TIMER1_IRQ       9
#define TIMER_ENABLED    1u
#define TIMER_INTERRUPTS 8u

#define UART0_DATA       REGISTER(0x40004000)
#define UART0_STATE      REGISTER(0x40004004)
#define UART0_CONTROL    REGISTER(0x40004008)
#define UART0_DIVIDER    REGISTER(0x40004010)
#define UART_IS_FULL     1u
#define UART_SENDS       1u
#define UART_DIVIDER_MIN 16u

#define FPGA_COUNTER REGISTER(0x40028018) /* free-running, 25 MHz */

#define ETHERNET_BASE 0xA0000000u
#define ETHERNET_IRQ  13

#endif
