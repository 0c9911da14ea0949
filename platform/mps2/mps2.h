/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The MPS2 board with a Cortex-M7 (AN500), which QEMU emulates: processor start, the free-running
 * counter, a serial line, semihosting.  embed/board.h is what applications see of it; this is for
 * the platform itself and for tests that run on the bare board.
 * There are no interrupt routines: interrupts are masked, and only wake the processor.
 * Thread rule: one thread.
 */
#ifndef MEANTIME_MPS2_H
#define MEANTIME_MPS2_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "embed/board.h"

#define MPS2_TICK_NS 40 /**< of the counter */

/** The counter extended to 64 bits, in ns; to be called at least every 171 s. */
struct mt_base_time mps2_count_ns(void);
/** The same, worse by the error of the emulated oscillator. */
struct mt_base_time mps2_oscillator_ns(void);
void mps2_set_error(int64_t error_ppb);
/** Sleeps until an interrupt, at the latest for so long. */
void mps2_sleep(int64_t for_ns);
void mps2_wake_by(unsigned irq);

/** Ends the emulation with this exit status. */
_Noreturn void mps2_exit(int status);
/** Descriptor of a file of the host; < 0: cannot be opened. */
int mps2_open(const char *path, bool writes);
/** All octets, however long that takes; false at the end of the file. */
bool mps2_read(int file, void *octets, size_t length);
bool mps2_write(int file, const void *octets, size_t length);
/** CLOCK_REALTIME of the host, in seconds. */
int64_t mps2_utc_s(void);

/** The Ethernet controller; opens it with the first call. */
struct mt_mac *mps2_mac(void);

#endif
