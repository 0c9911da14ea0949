/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The debugger on the board supplies 8 MHz from its own crystal: / 4 x 216 / 2 = 216 MHz, which
 * needs the regulator's scale 1 and over-drive, and seven wait states of the flash.  The timers of
 * APB1 run at 108 MHz.
 *
 * Nothing is done in interrupts.  They are enabled at the controller and disabled in the processor:
 * a pending one ends the sleep, is acknowledged here, and the loop looks for itself.
 */
#include "platform/stm32f7/stm32f7_board.h"

#include "platform/stm32f7/stm32f7_io.h"
#include "platform/stm32f7/stm32f7_registers.h"

#define READY_TRIES 1000000
#define WAIT_STATES 7
#define PLL_M       4
#define PLL_N       216
#define PLL_Q       9 /* 48 MHz, which nothing here uses */
#define PLL_R       2
#define TIMER_MHZ   108
#define APB1_HZ     54000000
#define BAUD        115200
#define HCLK_PER_MS 216000
#define ALTERNATE   2 /* modes of a pin */
#define OUTPUT      1
#define VERY_FAST   3
#define AF_ETHERNET 11
#define SRAM2_BITS  14
/* of the address space: code, memory, peripherals, and the processor's own, the last */
#define OWN_EIGHTHS UINT32_C(0x87)
#define AF_USART3   7

static bool is_set(uint32_t address, uint32_t mask, uint32_t wanted)
{
    for (uint32_t i = 0; i < READY_TRIES; i++) {
        if ((mt_stm32f7_read(address) & mask) == wanted) {
            return true;
        }
    }
    return false;
}

/* ---- clocks -------------------------------------------------------------------------------- */

static bool start_pll(void)
{
    mt_stm32f7_change(RCC_CR, 0, RCC_CR_HSEBYP);
    mt_stm32f7_change(RCC_CR, 0, RCC_CR_HSEON);
    if (!is_set(RCC_CR, RCC_CR_HSERDY, RCC_CR_HSERDY)) {
        return false;
    }
    mt_stm32f7_write(RCC_PLLCFGR,
                     PLL_M | PLL_N << 6 | RCC_PLLCFGR_HSE | PLL_Q << 24 | (uint32_t)PLL_R << 28);
    mt_stm32f7_change(RCC_CR, 0, RCC_CR_PLLON);
    return is_set(RCC_CR, RCC_CR_PLLRDY, RCC_CR_PLLRDY);
}

static bool start_over_drive(void)
{
    mt_stm32f7_change(PWR_CR1, 0, PWR_CR1_ODEN);
    if (!is_set(PWR_CSR1, PWR_CSR1_ODRDY, PWR_CSR1_ODRDY)) {
        return false;
    }
    mt_stm32f7_change(PWR_CR1, 0, PWR_CR1_ODSWEN);
    return is_set(PWR_CSR1, PWR_CSR1_ODSWRDY, PWR_CSR1_ODSWRDY);
}

static bool start_clocks(void)
{
    mt_stm32f7_change(RCC_APB1ENR, 0, RCC_APB1_PWR);
    mt_stm32f7_change(PWR_CR1, 0, PWR_CR1_VOS_1);
    if (!start_pll() || !start_over_drive()) {
        return false;
    }
    mt_stm32f7_write(FLASH_ACR, WAIT_STATES | FLASH_ACR_PRFTEN | FLASH_ACR_ARTEN);
    if (!is_set(FLASH_ACR, FLASH_ACR_WAIT, WAIT_STATES)) {
        return false;
    }
    mt_stm32f7_change(RCC_CFGR, RCC_CFGR_PPRE, RCC_CFGR_PPRE1_4 | RCC_CFGR_PPRE2_2);
    mt_stm32f7_change(RCC_CFGR, RCC_CFGR_SW, RCC_CFGR_SW_PLL);
    return is_set(RCC_CFGR, RCC_CFGR_SWS, RCC_CFGR_SWS_PLL);
}

/* ---- pins ---------------------------------------------------------------------------------- */

static void set_mode(char port, uint32_t pin, uint32_t mode)
{
    mt_stm32f7_change(GPIO(port) + GPIO_MODER, UINT32_C(3) << 2 * pin, mode << 2 * pin);
}

static void give(char port, uint32_t pin, uint32_t function)
{
    const uint32_t nibble = 4 * (pin % 8);
    mt_stm32f7_change(GPIO(port) + GPIO_AFR + pin / 8 * 4, UINT32_C(0xF) << nibble,
                      function << nibble);
    mt_stm32f7_change(GPIO(port) + GPIO_OSPEEDR, UINT32_C(3) << 2 * pin,
                      (uint32_t)VERY_FAST << 2 * pin);
    set_mode(port, pin, ALTERNATE);
}

static void start_ethernet_pins(void)
{
    static const struct {
        char port;
        uint8_t pin;
    } pins[] = {{'A', 1}, {'A', 2}, {'A', 7},  {'B', 13}, {'C', 1},
                {'C', 4}, {'C', 5}, {'G', 11}, {'G', 13}, {'B', 5}};
    for (uint32_t i = 0; i < sizeof pins / sizeof pins[0]; i++) {
        give(pins[i].port, pins[i].pin, AF_ETHERNET);
    }
}

/* RMII is chosen while the MAC is held in reset and has no clock. */
static void start_ethernet(void)
{
    mt_stm32f7_change(RCC_APB2ENR, 0, RCC_APB2_SYSCFG);
    (void)mt_stm32f7_read(RCC_APB2ENR); /* the clock is there when this has returned */
    mt_stm32f7_change(RCC_AHB1RSTR, 0, RCC_AHB1_ETHMAC);
    mt_stm32f7_change(SYSCFG_PMC, 0, SYSCFG_PMC_RMII);
    start_ethernet_pins();
    mt_stm32f7_change(RCC_AHB1RSTR, RCC_AHB1_ETHMAC, 0);
    mt_stm32f7_change(RCC_AHB1ENR, 0, RCC_AHB1_ETH_ALL);
    (void)mt_stm32f7_read(RCC_AHB1ENR);
}

void mt_stm32f7_board_resync(void)
{
    set_mode('A', 1, 0);
    (void)mt_stm32f7_read(GPIO('A') + GPIO_MODER);
    set_mode('A', 1, ALTERNATE);
}

/* ---- everything together ------------------------------------------------------------------- */

static void start_counter(void)
{
    mt_stm32f7_change(RCC_APB1ENR, 0, RCC_APB1_TIM2);
    (void)mt_stm32f7_read(RCC_APB1ENR);
    mt_stm32f7_write(TIM2_PSC, TIMER_MHZ - 1);
    mt_stm32f7_write(TIM2_ARR, UINT32_MAX);
    mt_stm32f7_write(TIM2_EGR, TIM2_EGR_UG); /* the divisor is in force from now on */
    mt_stm32f7_write(TIM2_CR1, TIM2_CR1_CEN);
}

static void start_console(void)
{
    mt_stm32f7_change(RCC_APB1ENR, 0, RCC_APB1_USART3);
    (void)mt_stm32f7_read(RCC_APB1ENR);
    give('D', 8, AF_USART3);
    mt_stm32f7_write(USART3_BRR, (APB1_HZ + BAUD / 2) / BAUD);
    mt_stm32f7_write(USART3_CR1, USART3_CR1_UE | USART3_CR1_TE);
}

static void start_alarms(void)
{
    mt_stm32f7_write(SYST_RVR, HCLK_PER_MS - 1);
    mt_stm32f7_write(SYST_CVR, 0);
    mt_stm32f7_write(SYST_CSR, SYST_CSR_START);
    mt_stm32f7_write(NVIC_ISER_ETH, NVIC_ETH);
}

static void set_region(uint32_t number, uint32_t from, uint32_t log2_octets, uint32_t attributes)
{
    mt_stm32f7_write(MPU_RNR, number);
    mt_stm32f7_write(MPU_RBAR, from);
    mt_stm32f7_write(MPU_RASR, attributes | (log2_octets - 1) << MPU_RASR_SIZE_SHIFT |
                                   MPU_RASR_NO_CODE | MPU_RASR_SHAREABLE | MPU_RASR_ENABLE);
}

void mt_stm32f7_board_protect(const volatile void *shared)
{
    const uint32_t from = mt_stm32f7_bus_address(shared) & ~((UINT32_C(1) << SRAM2_BITS) - 1);
    set_region(0, 0, 32, OWN_EIGHTHS << MPU_RASR_SRD_SHIFT);
    set_region(1, from, SRAM2_BITS, MPU_RASR_FULL_ACCESS | MPU_RASR_NOT_CACHED);
    mt_stm32f7_write(MPU_CTRL, MPU_CTRL_ENABLE | MPU_CTRL_PRIVDEFENA);
    mt_stm32f7_barrier();
}

bool mt_stm32f7_board_init(void)
{
    if (!start_clocks()) {
        return false;
    }
    mt_stm32f7_change(RCC_AHB1ENR, 0,
                      RCC_AHB1_GPIOA | RCC_AHB1_GPIOB | RCC_AHB1_GPIOC | RCC_AHB1_GPIOD |
                          RCC_AHB1_GPIOG);
    (void)mt_stm32f7_read(RCC_AHB1ENR);
    start_counter();
    start_console();
    start_ethernet();
    set_mode('B', 7, OUTPUT);
    start_alarms();
    return true;
}

/* ---- afterwards ---------------------------------------------------------------------------- */

uint64_t mt_stm32f7_board_now_us(struct mt_stm32f7_counter *self)
{
    const uint32_t now = mt_stm32f7_read(TIM2_CNT);
    self->turns += now < self->last ? 1 : 0;
    self->last = now;
    return (uint64_t)self->turns << 32 | now;
}

void mt_stm32f7_board_identity(uint32_t ret_words[3])
{
    for (uint32_t i = 0; i < 3; i++) {
        ret_words[i] = mt_stm32f7_read(UNIQUE_ID + 4 * i);
    }
}

/* The words are a place on a wafer and the wafer's name: mostly equal between chips of one lot, so
 * all bits are stirred into all (FNV-1a). */
void mt_stm32f7_board_address(const uint32_t words[3], uint8_t ret_address[6])
{
    uint64_t sum = UINT64_C(0xCBF29CE484222325);
    for (uint32_t i = 0; i < 12; i++) {
        sum = (sum ^ (words[i / 4] >> 8 * (i % 4) & 0xFF)) * UINT64_C(0x100000001B3);
    }
    sum ^= sum >> 32;
    for (uint32_t i = 0; i < 6; i++) {
        ret_address[i] = (uint8_t)(sum >> 8 * i);
    }
    ret_address[0] = (uint8_t)((ret_address[0] & 0xFC) | 0x02);
}

void mt_stm32f7_board_lamp(bool is_on)
{
    mt_stm32f7_write(GPIO('B') + GPIO_BSRR, is_on ? BIT(7) : BIT(7 + 16));
}

void mt_stm32f7_board_restart(void)
{
    mt_stm32f7_barrier();
    mt_stm32f7_write(SCB_AIRCR, SCB_AIRCR_KEY | SCB_AIRCR_SYSRESETREQ);
    mt_stm32f7_barrier();
}

void mt_stm32f7_board_put(char character)
{
    (void)is_set(USART3_ISR, USART3_ISR_TXE, USART3_ISR_TXE);
    mt_stm32f7_write(USART3_TDR, (uint8_t)character);
}

void mt_stm32f7_board_sleep(void)
{
    mt_stm32f7_barrier();
    mt_stm32f7_wait_for_interrupt();
    mt_stm32f7_write(SCB_ICSR, SCB_ICSR_PENDSTCLR);
    mt_stm32f7_write(NVIC_ICPR_ETH, NVIC_ETH);
}
