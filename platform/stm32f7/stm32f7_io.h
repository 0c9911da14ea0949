/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The one way to the chip's registers and to memory that its DMA shares.  On the chip a register
 * is an address; compiled with MT_STM32F7_MODEL the same driver talks to a model of the chip
 * (tests/unit/stm32f7_model.h), which supplies these five functions.
 */
#ifndef MEANTIME_STM32F7_IO_H
#define MEANTIME_STM32F7_IO_H

#include <stdint.h>

#ifdef MT_STM32F7_MODEL

uint32_t mt_stm32f7_read(uint32_t address);
void mt_stm32f7_write(uint32_t address, uint32_t value);
/** The address of shared memory as the DMA sees it. */
uint32_t mt_stm32f7_bus_address(const volatile void *memory);
/** What was written before it is in memory, and seen by the DMA, before what is written after. */
void mt_stm32f7_barrier(void);
/** Until an interrupt is pending; it need not be enabled in the processor. */
void mt_stm32f7_wait_for_interrupt(void);

#else

static inline uint32_t mt_stm32f7_read(uint32_t address)
{
    return *(const volatile uint32_t *)(uintptr_t)address;
}

static inline void mt_stm32f7_write(uint32_t address, uint32_t value)
{
    *(volatile uint32_t *)(uintptr_t)address = value;
}

static inline uint32_t mt_stm32f7_bus_address(const volatile void *memory)
{
    return (uint32_t)(uintptr_t)memory;
}

static inline void mt_stm32f7_barrier(void)
{
    __asm__ volatile("dsb" ::: "memory");
}

static inline void mt_stm32f7_wait_for_interrupt(void)
{
    __asm__ volatile("wfi" ::: "memory");
}

#endif

/** Sets and clears bits of a register. */
static inline void mt_stm32f7_change(uint32_t address, uint32_t clear, uint32_t set)
{
    mt_stm32f7_write(address, (mt_stm32f7_read(address) & ~clear) | set);
}

#endif
