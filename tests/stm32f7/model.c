/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The processor's side: which address is what, whether its block has a clock, and the parts of the
 * chip around the MAC (power, clock tree, timer, console).
 */
#include "model_private.h"

#include <string.h>

#define WORDS 512

struct model model;

static struct {
    uint32_t address;
    uint32_t value;
} words[WORDS];
static size_t word_count;
static uint64_t timer_from_cycles;
static uint32_t timer_divisor; /* in force */
static bool was_rmii_chosen_in_time;

/* Blocks: address, length, and the bit of a clock register without which nothing happens. */
static const struct {
    uint32_t from;
    uint32_t length;
    uint32_t enable;
    uint32_t bits;
} blocks[] = {
    {0x40023800, 0x98, 0, 0}, /* RCC */
    {0x40023C00, 0x1C, 0, 0}, /* FLASH */
    {0xE000E000, 0x1000, 0, 0},
    {0x40007000, 0x10, RCC_APB1ENR, RCC_APB1_PWR},
    {0x40013800, 0x24, RCC_APB2ENR, RCC_APB2_SYSCFG},
    {0x40020000, 0x400, RCC_AHB1ENR, RCC_AHB1_GPIOA},
    {0x40020400, 0x400, RCC_AHB1ENR, RCC_AHB1_GPIOB},
    {0x40020800, 0x400, RCC_AHB1ENR, RCC_AHB1_GPIOC},
    {0x40020C00, 0x400, RCC_AHB1ENR, RCC_AHB1_GPIOD},
    {0x40021800, 0x400, RCC_AHB1ENR, RCC_AHB1_GPIOG},
    {0x40000000, 0x60, RCC_APB1ENR, RCC_APB1_TIM2},
    {0x40004800, 0x30, RCC_APB1ENR, RCC_APB1_USART3},
    {0x40028000, 0x1060, RCC_AHB1ENR, RCC_AHB1_ETH_ALL},
};

uint32_t *model_word(uint32_t address)
{
    for (size_t i = 0; i < word_count; i++) {
        if (words[i].address == address) {
            return &words[i].value;
        }
    }
    if (word_count == WORDS) {
        return NULL;
    }
    words[word_count].address = address;
    words[word_count].value = 0;
    return &words[word_count++].value;
}

uint32_t model_peek(uint32_t address)
{
    return *model_word(address);
}

void model_poke(uint32_t address, uint32_t value)
{
    *model_word(address) = value;
}

void model_violate(const char *what)
{
    model.violations++;
    model.violation = what;
}

void model_reset(void)
{
    memset(&model, 0, sizeof model);
    memset(words, 0, sizeof words);
    word_count = 0;
    timer_from_cycles = 0;
    timer_divisor = 1;
    was_rmii_chosen_in_time = false;
    model.cycles_per_access = 2;
    model_poke(RCC_CR, 0x83); /* HSI */
    model_poke(RCC_PLLCFGR, 0x24003010);
    model_poke(RCC_AHB1ENR, 0x00100000);
    model_poke(PWR_CR1, 0x0000C000);
    model_poke(ETH_MACCR, ETH_MACCR_RESERVED);
    model_poke(ETH_PTPTSCR, 0x2000);
    model_poke(ETH_MACA0HR, 0x8000FFFF);
    model_poke(GPIO('A') + GPIO_MODER, 0xA8000000);
    model_poke(GPIO('B') + GPIO_MODER, 0x00000280);
    model_poke(USART3_ISR, USART3_ISR_TXE);
    model_poke(UNIQUE_ID, 0x00290041);
    model_poke(UNIQUE_ID + 4, 0x3438510A);
    model_poke(UNIQUE_ID + 8, 0x35313537);
    model_clock_reset();
    model_dma_reset();
    model_phy_reset();
}

void model_pass_cycles(uint64_t cycles)
{
    model.cycles += cycles;
    model_clock_run(cycles);
}

void model_pass_us(uint64_t us)
{
    model_pass_cycles(us * MODEL_CYCLES_PER_US);
}

/* ---- addresses ----------------------------------------------------------------------------- */

static bool is_clocked(uint32_t address)
{
    for (size_t i = 0; i < sizeof blocks / sizeof blocks[0]; i++) {
        if (address - blocks[i].from < blocks[i].length) {
            return blocks[i].enable == 0 ||
                   (model_peek(blocks[i].enable) & blocks[i].bits) == blocks[i].bits;
        }
    }
    if (address - UNIQUE_ID >= 12) {
        model.lost_accesses++;
    }
    return true;
}

uint32_t mt_stm32f7_bus_address(const volatile void *memory)
{
    const uintptr_t offset = (uintptr_t)memory - (uintptr_t)&model.rings;
    if (offset >= sizeof model.rings) {
        model.bad_addresses++;
        return 0;
    }
    return MODEL_RINGS_AT + (uint32_t)offset;
}

static bool is_interrupt_pending(void)
{
    const uint32_t enabled = model_peek(ETH_DMAIER);
    return (model_peek(NVIC_ISER_ETH) & NVIC_ETH) != 0 && (enabled & ETH_DMAIER_NISE) != 0 &&
           (model_peek(ETH_DMASR) & enabled & (ETH_DMASR_TS | ETH_DMASR_RS)) != 0;
}

/* The tick of the processor comes once in a millisecond. */
void mt_stm32f7_wait_for_interrupt(void)
{
    const uint64_t most = 1000 * MODEL_CYCLES_PER_US;
    const uint64_t until = model.wake_at_cycles;
    model.sleeps++;
    if (is_interrupt_pending() || (until != 0 && until <= model.cycles)) {
        return;
    }
    model_pass_cycles(until != 0 && until - model.cycles < most ? until - model.cycles : most);
}

/* ---- power and clocks ---------------------------------------------------------------------- */

static bool is_216_mhz(void)
{
    const uint32_t pll = model_peek(RCC_PLLCFGR);
    const uint32_t m = pll & 63;
    const uint32_t n = pll >> 6 & 511;
    const uint32_t p = 2 * ((pll >> 16 & 3) + 1);
    return (pll & RCC_PLLCFGR_HSE) != 0 && m != 0 && 8 / m >= 1 && 8 / m <= 2 &&
           8 * n / m / p == 216;
}

static void write_clock_tree(uint32_t address, uint32_t value)
{
    uint32_t *control = model_word(RCC_CR);
    if (address == RCC_CR) {
        const bool is_bypassed = (value & RCC_CR_HSEBYP) != 0;
        const bool has_hse = (value & RCC_CR_HSEON) != 0 && is_bypassed && !model.has_no_hse;
        const bool has_pll = (value & RCC_CR_PLLON) != 0 && has_hse;
        *control = (value & ~(RCC_CR_HSERDY | RCC_CR_PLLRDY)) | (has_hse ? RCC_CR_HSERDY : 0) |
                   (has_pll ? RCC_CR_PLLRDY : 0);
    } else if (address == RCC_PLLCFGR && (*control & RCC_CR_PLLON) != 0) {
        model_violate("the PLL was changed while it ran");
    } else if (address == RCC_CFGR && (value & RCC_CFGR_SW) == RCC_CFGR_SW_PLL) {
        if ((model_peek(FLASH_ACR) & 0xF) != 7) {
            model_violate("216 MHz without seven wait states");
        }
        if ((model_peek(PWR_CSR1) & PWR_CSR1_ODSWRDY) == 0) {
            model_violate("216 MHz without over-drive");
        }
        if (!is_216_mhz()) {
            model_violate("the PLL does not make 216 MHz");
        }
        if ((value & RCC_CFGR_PPRE) != (RCC_CFGR_PPRE1_4 | RCC_CFGR_PPRE2_2)) {
            model_violate("the peripherals' clocks are too fast");
        }
        model_poke(RCC_CFGR, value | RCC_CFGR_SWS_PLL);
    }
}

static void write_power(uint32_t value)
{
    uint32_t ready = 0;
    if ((value & PWR_CR1_VOS_1) != PWR_CR1_VOS_1) {
        model_violate("not the regulator's scale 1");
    }
    if ((value & PWR_CR1_ODEN) != 0 && (model_peek(RCC_CR) & RCC_CR_PLLRDY) != 0) {
        ready |= PWR_CSR1_ODRDY;
    }
    if ((value & PWR_CR1_ODSWEN) != 0) {
        if ((model_peek(PWR_CSR1) & PWR_CSR1_ODRDY) == 0) {
            model_violate("over-drive was switched to before it was ready");
        }
        ready |= PWR_CSR1_ODSWRDY;
    }
    model_poke(PWR_CSR1, ready);
}

static void write_system(uint32_t value)
{
    const bool is_held = (model_peek(RCC_AHB1RSTR) & RCC_AHB1_ETHMAC) != 0 &&
                         (model_peek(RCC_AHB1ENR) & RCC_AHB1_ETHMAC) == 0;
    was_rmii_chosen_in_time = (value & SYSCFG_PMC_RMII) != 0 && is_held;
}

static bool is_given(char port, uint32_t pin, uint32_t function)
{
    return (model_peek(GPIO(port) + GPIO_MODER) >> 2 * pin & 3) == 2 &&
           (model_peek(GPIO(port) + GPIO_AFR + 4 * (pin / 8)) >> 4 * (pin % 8) & 15) == function;
}

/* The MAC's reset ends when RMII was chosen and its clock comes in at PA1. */
static bool is_mac_alive(void)
{
    return was_rmii_chosen_in_time && is_given('A', 1, 11) && !model.has_no_reference_clock &&
           (model_peek(RCC_AHB1RSTR) & RCC_AHB1_ETHMAC) == 0;
}

/* ---- timer and console --------------------------------------------------------------------- */

static void write_timer(uint32_t address, uint32_t value)
{
    if (address == TIM2_EGR && (value & TIM2_EGR_UG) != 0) {
        timer_divisor = model_peek(TIM2_PSC) + 1;
        timer_from_cycles = model.cycles;
    }
}

static uint32_t timer_count(void)
{
    const uint64_t ticks = (model.cycles - timer_from_cycles) / 2 / timer_divisor;
    return (model_peek(TIM2_CR1) & TIM2_CR1_CEN) != 0 ? (uint32_t)ticks : 0;
}

static void write_console(uint32_t value)
{
    const bool is_on = model_peek(USART3_CR1) == (USART3_CR1_UE | USART3_CR1_TE) &&
                       model_peek(USART3_BRR) == 469 && is_given('D', 8, 7);
    if (is_on && model.console_length < sizeof model.console - 1) {
        model.console[model.console_length++] = (char)value;
    }
}

/* ---- accesses ------------------------------------------------------------------------------ */

static void keep_write(uint32_t address, uint32_t value)
{
    if (model.write_count < MODEL_WRITES) {
        model.writes[model.write_count++] = (struct model_write){address, value};
    }
}

void mt_stm32f7_write(uint32_t address, uint32_t value)
{
    keep_write(address, value);
    model_pass_cycles(model.cycles_per_access);
    if (!is_clocked(address)) {
        model.lost_writes++;
        return;
    }
    if (address == ETH_MACMIIAR) {
        model_phy_command(value);
        return;
    }
    if (address == ETH_DMABMR && (value & ETH_DMABMR_SR) != 0) {
        model_dma_reset();
        model_clock_reset();
        model_poke(ETH_DMABMR, is_mac_alive() ? 0 : ETH_DMABMR_SR);
        return;
    }
    if (model_clock_is(address)) {
        model_clock_write(address, value);
        return;
    }
    if (model_dma_write(address, value)) {
        return;
    }
    if (address == SYSCFG_PMC) {
        write_system(value);
    } else if (address == PWR_CR1) {
        write_power(value);
    } else if (address == USART3_TDR) {
        write_console(value);
    }
    if (address == GPIO('B') + GPIO_BSRR) {
        uint32_t *out = model_word(GPIO('B') + 0x14);
        *out = (*out | (value & 0xFFFF)) & ~(value >> 16);
    }
    write_timer(address, value);
    model_poke(address, value);
    write_clock_tree(address, value);
}

uint32_t mt_stm32f7_read(uint32_t address)
{
    model_pass_cycles(model.cycles_per_access);
    if (!is_clocked(address)) {
        model.lost_writes++;
        return 0;
    }
    if (address == TIM2_CNT) {
        return timer_count();
    }
    if (address == ETH_MACMIIAR) {
        return model_phy_command_state();
    }
    if (model_clock_is(address)) {
        return model_clock_read(address);
    }
    return model_dma_read(address);
}
