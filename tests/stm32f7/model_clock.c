/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The IEEE 1588 block, one accumulator and one clock.
 */
#include "model_private.h"

#define CLEARS_AFTER 3 /* reads of the control register */

static uint32_t accumulator;
static uint32_t addend;   /* in force */
static uint64_t total_ns; /* beyond 32 bits of seconds, for the tests' own reckoning */
static uint32_t s;
static uint32_t ns;
static uint32_t pending;
static unsigned pending_reads;

void model_clock_reset(void)
{
    accumulator = 0;
    addend = 0;
    total_ns = 0;
    s = 0;
    ns = 0;
    pending = 0;
    model_poke(ETH_PTPTSCR, 0x2000);
    model_poke(ETH_PTPTSAR, 0);
    model_poke(ETH_PTPSSIR, 0);
}

bool model_clock_is(uint32_t address)
{
    return address >= ETH_PTPTSCR && address <= ETH_PTPTSAR;
}

static uint32_t rollover(void)
{
    return (model_peek(ETH_PTPTSCR) & ETH_PTPTSCR_TSSSR) != 0 ? 1000000000 : UINT32_C(1) << 31;
}

static void advance(uint64_t by)
{
    const uint64_t sum = ns + by;
    total_ns += by;
    s += (uint32_t)(sum / rollover());
    ns = (uint32_t)(sum % rollover());
}

void model_clock_run(uint64_t cycles)
{
    const uint32_t control = model_peek(ETH_PTPTSCR);
    const uint32_t granule = model_peek(ETH_PTPSSIR);
    if ((control & ETH_PTPTSCR_TSE) == 0) {
        return;
    }
    if ((control & ETH_PTPTSCR_TSFCU) == 0) {
        advance(cycles * granule);
        return;
    }
    while (cycles > 0) {
        const uint64_t some = cycles < UINT32_MAX ? cycles : UINT32_MAX;
        const uint64_t sum = accumulator + addend * some;
        accumulator = (uint32_t)sum;
        advance((sum >> 32) * granule);
        cycles -= some;
    }
}

static void update(void)
{
    const uint32_t low = model_peek(ETH_PTPTSLUR);
    const int64_t by_ns = low & 0x7FFFFFFF;
    const bool is_back = (low & ETH_PTPTSLUR_TSUPNS) != 0;
    const int64_t sum = is_back ? (int64_t)ns - by_ns : (int64_t)ns + by_ns;
    if (by_ns >= (int64_t)rollover()) {
        model_violate("a step whose sub-second part is a second or more");
    }
    s = is_back ? s - model_peek(ETH_PTPTSHUR) : s + model_peek(ETH_PTPTSHUR);
    s += sum >= (int64_t)rollover() ? 1 : 0;
    s -= sum < 0 ? 1 : 0;
    ns = (uint32_t)((sum + (int64_t)rollover()) % (int64_t)rollover());
}

static void begin(uint32_t bits)
{
    if (bits == 0) {
        return;
    }
    if ((bits & (bits - 1)) != 0 || pending != 0) {
        model_violate("two updates of the clock at once");
    }
    pending = bits;
    pending_reads = 0;
    if ((bits & ETH_PTPTSCR_TTSARU) != 0) {
        addend = model_peek(ETH_PTPTSAR);
    } else if ((bits & ETH_PTPTSCR_TSSTI) != 0) {
        s = model_peek(ETH_PTPTSHUR);
        ns = model_peek(ETH_PTPTSLUR);
    } else if ((bits & ETH_PTPTSCR_TSSTU) != 0) {
        update();
    }
}

void model_clock_write(uint32_t address, uint32_t value)
{
    const uint32_t loads = ETH_PTPTSCR_TSSTI | ETH_PTPTSCR_TSSTU | ETH_PTPTSCR_TTSARU;
    if (address == ETH_PTPTSHR || address == ETH_PTPTSLR) {
        model_violate("the clock cannot be written");
        return;
    }
    if (address != ETH_PTPTSCR) {
        model_poke(address, value);
        return;
    }
    if ((value & ETH_PTPTSCR_TSE) == 0 && (value & loads) != 0) {
        model_violate("the clock was loaded while it was off");
    }
    model_poke(ETH_PTPTSCR, value & ~loads);
    begin(value & loads);
}

uint32_t model_clock_read(uint32_t address)
{
    if (address == ETH_PTPTSHR) {
        return s;
    }
    if (address == ETH_PTPTSLR) {
        return ns;
    }
    if (address == ETH_PTPTSCR && pending != 0) {
        if (++pending_reads >= CLEARS_AFTER && !model.is_clock_stuck) {
            pending = 0;
        }
        return model_peek(address) | pending;
    }
    return model_peek(address);
}

uint64_t model_clock_ns(void)
{
    return (uint64_t)s * 1000000000 + ns;
}

void model_set_clock(uint32_t to_s, uint32_t to_ns)
{
    s = to_s;
    ns = to_ns;
}
