/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The counter of 25 MHz, in which packets are stamped, and the oscillator that a clock has instead:
 * QEMU's time is the host's, so an error of frequency is put in here.  Monotonic time, for timers,
 * has none.
 */
#include "platform/mps2/mps2.h"
#include "platform/mps2/mps2_registers.h"

#define SLEEP_MAX_NS INT64_C(5000000) /* so that no lost interrupt lasts */
#define SLEEP_MIN_NS INT64_C(1000)

static uint64_t ticks;
static int64_t oscillator_error_ppb;

struct mt_base_time mps2_count_ns(void)
{
    ticks += (uint32_t)(FPGA_COUNTER - (uint32_t)ticks);
    return (struct mt_base_time){.ns = (int64_t)ticks * MPS2_TICK_NS};
}

void mps2_set_error(int64_t error_ppb)
{
    oscillator_error_ppb = error_ppb;
}

struct mt_base_time mps2_oscillator_ns(void)
{
    struct mt_base_time count = mps2_count_ns();
    const int64_t s = count.ns / MT_NS_PER_S;
    const int64_t rest_ns = count.ns % MT_NS_PER_S;
    const int64_t more = rest_ns * oscillator_error_ppb;
    count.ns += s * oscillator_error_ppb + more / MT_NS_PER_S;
    return count;
}

void mps2_wake_by(unsigned irq)
{
    NVIC_ENABLE = 1u << irq;
}

void mps2_sleep(int64_t for_ns)
{
    const int64_t most_ns = for_ns < SLEEP_MAX_NS ? for_ns : SLEEP_MAX_NS;
    if (most_ns < SLEEP_MIN_NS) {
        return;
    }
    TIMER1_CONTROL = 0;
    TIMER1_INTERRUPT = 1;
    TIMER1_RELOAD = (uint32_t)(most_ns / MPS2_TICK_NS);
    TIMER1_VALUE = (uint32_t)(most_ns / MPS2_TICK_NS);
    mps2_wake_by(TIMER1_IRQ);
    TIMER1_CONTROL = TIMER_ENABLED | TIMER_INTERRUPTS;
    __asm__ volatile("dsb\n wfi");
    TIMER1_CONTROL = 0;
    TIMER1_INTERRUPT = 1;
    NVIC_CLEAR_PENDING = 1u << TIMER1_IRQ | 1u << ETHERNET_IRQ;
}
