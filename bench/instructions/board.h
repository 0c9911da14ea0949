/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The emulated board: start, a clock, and a way to say something.  QEMU runs with one nanosecond
 * of virtual time for each instruction, and SysTick counts 25 MHz of it: a tick is 40
 * instructions.
 */
#ifndef MEANTIME_BENCH_BOARD_H
#define MEANTIME_BENCH_BOARD_H

#include <stdint.h>

#define BOARD_INSTRUCTIONS_PER_TICK 40

/** Ticks since some moment, modulo 2^24. */
uint32_t board_ticks(void);
/** Executes 2 `rounds` + 2 instructions, and as few more as a call takes. */
void board_spin(uint32_t rounds);
/** Prints the name and the number as one line. */
void board_print(const char *name, uint32_t number);
/** Ends the emulation. */
_Noreturn void board_exit(void);
/** The program; called once. */
void board_main(void);

#endif
