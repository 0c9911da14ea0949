/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The Nucleo-F767ZI board: clocks, pins, a microsecond counter, a serial line, an identity.
 *
 *     RMII      PA1 reference clock, PA2 MDIO, PA7 carrier, PB13 TXD1, PC1 MDC, PC4 RXD0, PC5 RXD1,
 *               PG11 transmit enable, PG13 TXD0
 *     PPS       PB5
 *     console   PD8 out, 115200 8N1, to the virtual serial port of the debugger on the board
 *     lamp      PB7, blue: the link is up
 *
 * Thread rule: one thread at a time; never an interrupt.
 */
#ifndef MEANTIME_STM32F7_BOARD_H
#define MEANTIME_STM32F7_BOARD_H

#include <stdbool.h>
#include <stdint.h>

/** A 32-bit counter, extended.  Objects are zero to begin with. */
struct mt_stm32f7_counter {
    uint32_t last;
    uint32_t turns;
};

/** From the reset: processor and MAC at 216 MHz, everything above ready.  False if the external
 * clock does not start; then all else is as it was. */
bool mt_stm32f7_board_init(void);

/** Marks the 16 KiB around what the DMA shares (SRAM2) as not cacheable, and closes the external
 * memories that this board does not have, so that the processor does not read them in advance.  An
 * ISB follows. */
void mt_stm32f7_board_protect(const volatile void *shared);

/** Microseconds since then; to be called at least every 70 minutes. */
uint64_t mt_stm32f7_board_now_us(struct mt_stm32f7_counter *self);

/** Takes the reference clock's pin away from the MAC and gives it back.  Chips of revision A may
 * start with their receiver out of step with that clock, and then hear nothing but damaged frames;
 * every second time this helps. */
void mt_stm32f7_board_resync(void);

/** 96 bits, of which no other chip has the same. */
void mt_stm32f7_board_identity(uint32_t ret_words[3]);
/** A locally administered MAC address made of them. */
void mt_stm32f7_board_address(const uint32_t words[3], uint8_t ret_address[6]);

void mt_stm32f7_board_lamp(bool is_on);
/** Starts the chip anew; returns before it does. */
void mt_stm32f7_board_restart(void);
/** Waits while the line is busy: 87 us for each character. */
void mt_stm32f7_board_put(char character);

/** Sleeps until a frame has come or gone, at most 1 ms.  Interrupts stay disabled throughout, they
 * only end the sleep. */
void mt_stm32f7_board_sleep(void);

#endif
