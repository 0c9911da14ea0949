/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * From the reset to frames: every write of the initialisation, in order, against a golden file, and
 * what happens when a part does not start.
 */
#include "bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define GOLDEN "tests/stm32f7/golden/init.txt"
#define TEXT   65536

#define NAMED(name)                                                                                \
    {                                                                                              \
        name, #name                                                                                \
    }

static const struct {
    uint32_t address;
    const char *name;
} names[] = {
    NAMED(PWR_CR1),      NAMED(FLASH_ACR),    NAMED(RCC_CR),       NAMED(RCC_PLLCFGR),
    NAMED(RCC_CFGR),     NAMED(RCC_AHB1RSTR), NAMED(RCC_AHB1ENR),  NAMED(RCC_APB1ENR),
    NAMED(RCC_APB2ENR),  NAMED(SYSCFG_PMC),   NAMED(TIM2_CR1),     NAMED(TIM2_EGR),
    NAMED(TIM2_PSC),     NAMED(TIM2_ARR),     NAMED(USART3_CR1),   NAMED(USART3_BRR),
    NAMED(SYST_CSR),     NAMED(SYST_RVR),     NAMED(SYST_CVR),     NAMED(NVIC_ISER_ETH),
    NAMED(ETH_MACCR),    NAMED(ETH_MACFFR),   NAMED(ETH_MACMIIAR), NAMED(ETH_MACMIIDR),
    NAMED(ETH_MACFCR),   NAMED(ETH_MACIMR),   NAMED(ETH_MACA0HR),  NAMED(ETH_MACA0LR),
    NAMED(ETH_MMCRIMR),  NAMED(ETH_MMCTIMR),  NAMED(ETH_PTPTSCR),  NAMED(ETH_PTPSSIR),
    NAMED(ETH_PTPTSHUR), NAMED(ETH_PTPTSLUR), NAMED(ETH_PTPTSAR),  NAMED(ETH_DMABMR),
    NAMED(ETH_DMARDLAR), NAMED(ETH_DMATDLAR), NAMED(ETH_DMAOMR),   NAMED(ETH_DMAIER),
};

static const char *name_of(uint32_t address)
{
    static const char *const ports[] = {"MODER", "", "OSPEEDR", "", "", "", "", "", "AFRL", "AFRH"};
    static char port[16];
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (names[i].address == address) {
            return names[i].name;
        }
    }
    assert_true(address >= GPIO('A') && address < GPIO('K') && (address & 0x3FF) <= 0x24);
    snprintf(port, sizeof port, "GPIO%c_%s", (char)('A' + (address - GPIO('A')) / 0x400),
             ports[(address & 0x3FF) / 4]);
    return port;
}

static char found[TEXT];
static char golden[TEXT];

static void print_writes(char *text)
{
    size_t at = 0;
    for (size_t i = 0; i < model.write_count; i++) {
        at += (size_t)sprintf(&text[at], "%-12s %08X\n", name_of(model.writes[i].address),
                              (unsigned)model.writes[i].value);
    }
}

static void stm32f7_board_writes_as_the_golden_file_when_started(void **state)
{
    (void)state;
    FILE *file = fopen(GOLDEN, "r");
    assert_non_null(file);
    golden[fread(golden, 1, TEXT - 1, file)] = '\0';
    fclose(file);
    print_writes(found);
    if (strcmp(found, golden) != 0) {
        file = fopen("build/stm32f7-init.txt", "w");
        if (file != NULL) {
            fputs(found, file);
            fclose(file);
        }
        fail_msg("see build/stm32f7-init.txt and %s", GOLDEN);
    }
}

static void stm32f7_board_runs_at_216_mhz_when_started(void **state)
{
    (void)state;
    assert_int_equal(model_peek(RCC_CFGR) & RCC_CFGR_SWS, RCC_CFGR_SWS_PLL);
    assert_int_equal(model_peek(FLASH_ACR), 7 | FLASH_ACR_PRFTEN | FLASH_ACR_ARTEN);
}

static void stm32f7_board_says_so_when_there_is_no_external_clock(void **state)
{
    (void)state;
    model.has_no_hse = true;
    assert_false(mt_stm32f7_board_init());
    assert_int_equal(model_peek(RCC_CFGR), 0);
    assert_int_equal(model_peek(RCC_AHB1ENR) & RCC_AHB1_ETH_ALL, 0);
}

static void stm32f7_board_counts_microseconds_when_counter_wraps(void **state)
{
    (void)state;
    struct mt_stm32f7_counter counter = {0};
    const uint64_t begin_us = mt_stm32f7_board_now_us(&counter);
    uint64_t last_us = begin_us;
    for (unsigned i = 0; i < 10; i++) {
        model_pass_us(UINT64_C(2000000000));
        const uint64_t now_us = mt_stm32f7_board_now_us(&counter);
        assert_true(now_us - last_us >= 2000000000 && now_us - last_us < 2000000010);
        last_us = now_us;
    }
    assert_true(last_us > UINT64_C(4) << 32);
}

static void stm32f7_board_makes_local_addresses_when_asked(void **state)
{
    (void)state;
    uint32_t words[3];
    uint8_t a[6];
    uint8_t b[6];
    mt_stm32f7_board_identity(words);
    assert_int_equal(words[0], 0x00290041);
    assert_int_equal(words[1], 0x3438510A);
    assert_int_equal(words[2], 0x35313537);
    mt_stm32f7_board_address(words, a);
    assert_int_equal(a[0] & 3, 2);
    words[0] ^= 1; /* the neighbour on the wafer */
    mt_stm32f7_board_address(words, b);
    assert_int_equal(b[0] & 3, 2);
    assert_memory_not_equal(a, b, sizeof a);
    assert_true(a[5] != b[5] || a[4] != b[4] || a[3] != b[3]);
}

/* Region 1 is SRAM2, and stronger than region 0, which closes 0x60000000 to 0xDFFFFFFF. */
static void stm32f7_board_shares_uncached_memory_when_protected(void **state)
{
    (void)state;
    const size_t first = model.write_count;
    mt_stm32f7_board_protect(&model.rings);
    const struct model_write *writes = &model.writes[first];
    assert_int_equal(model.write_count - first, 7);
    assert_int_equal(writes[0].value, 0);
    assert_int_equal(writes[1].value, 0);
    assert_int_equal(writes[2].value, 0x1004873F);
    assert_int_equal(writes[3].value, 1);
    assert_int_equal(writes[4].value, 0x2007C000);
    assert_int_equal(writes[5].address, 0xE000EDA0);
    assert_int_equal(writes[5].value, 0x130C001B);
    assert_int_equal(writes[6].address, 0xE000ED94);
    assert_int_equal(writes[6].value, 5);
}

static void stm32f7_board_speaks_when_told(void **state)
{
    (void)state;
    for (const char *text = "state 9\n"; *text != '\0'; text++) {
        mt_stm32f7_board_put(*text);
    }
    assert_string_equal(model.console, "state 9\n");
    mt_stm32f7_board_lamp(true);
    assert_int_equal(model_peek(GPIO('B') + 0x14), BIT(7));
    assert_int_equal(model_peek(GPIO('B') + GPIO_MODER) >> 14 & 3, 1);
    mt_stm32f7_board_lamp(false);
    assert_int_equal(model_peek(GPIO('B') + 0x14), 0);
}

static void stm32f7_board_sleeps_until_an_interrupt_when_told(void **state)
{
    (void)state;
    mt_stm32f7_board_sleep();
    assert_int_equal(model.sleeps, 1);
    assert_int_equal(model_peek(NVIC_ISER_ETH), NVIC_ETH);
    assert_int_equal(model_peek(NVIC_ICPR_ETH), NVIC_ETH);
    assert_int_equal(model_peek(SCB_ICSR), SCB_ICSR_PENDSTCLR);
    assert_int_equal(model_peek(ETH_DMAIER), 0);
}

static void stm32f7_board_gives_the_clock_pin_back_when_resynchronised(void **state)
{
    (void)state;
    const size_t before = model.write_count;
    const uint32_t mode = model_peek(GPIO('A') + GPIO_MODER);
    mt_stm32f7_board_resync();
    assert_int_equal(model.write_count - before, 2);
    assert_int_equal(model.writes[before].value, mode & ~UINT32_C(0xC));
    assert_int_equal(model.writes[before + 1].value, mode);
}

/* ---- the PHY ------------------------------------------------------------------------------- */

static void stm32f7_phy_agrees_on_full_duplex_when_started(void **state)
{
    (void)state;
    struct mt_stm32f7_phy_state now = {0};
    assert_int_equal(model_phy(4), 0x0141);
    assert_true(mt_stm32f7_phy_look(&now));
    assert_false(now.is_up); /* it was down since it was last asked */
    assert_true(mt_stm32f7_phy_look(&now));
    assert_true(now.is_up && now.is_100_mbit && now.is_full_duplex);
    model.is_10_mbit = true;
    model.is_half_duplex = true;
    assert_true(mt_stm32f7_phy_look(&now));
    assert_true(now.is_up && !now.is_100_mbit && !now.is_full_duplex);
}

static void stm32f7_phy_sees_interruptions_when_they_are_over(void **state)
{
    (void)state;
    struct mt_stm32f7_phy_state now = {0};
    assert_true(mt_stm32f7_phy_look(&now) && mt_stm32f7_phy_look(&now));
    assert_true(now.is_up);
    model.is_link_down = true;
    assert_true(mt_stm32f7_phy_look(&now));
    assert_false(now.is_up);
    model.is_link_down = false;
    assert_true(mt_stm32f7_phy_look(&now));
    assert_false(now.is_up);
    assert_true(mt_stm32f7_phy_look(&now));
    assert_true(now.is_up);
}

static void stm32f7_phy_says_so_when_it_is_not_there(void **state)
{
    (void)state;
    struct mt_stm32f7_phy_state now = {.is_up = true};
    model.has_no_phy = true;
    assert_false(mt_stm32f7_phy_init());
    assert_true(mt_stm32f7_phy_look(&now)); /* all ones; whoever looks has initialised it */
}

#define ON_BENCH(test) cmocka_unit_test_setup_teardown(test, bench_start, bench_end)
#define ON_BOARD(test) cmocka_unit_test_setup_teardown(test, bench_board, bench_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_BENCH(stm32f7_board_writes_as_the_golden_file_when_started),
        ON_BOARD(stm32f7_board_runs_at_216_mhz_when_started),
        cmocka_unit_test_setup_teardown(stm32f7_board_says_so_when_there_is_no_external_clock,
                                        bench_reset, bench_end),
        ON_BOARD(stm32f7_board_counts_microseconds_when_counter_wraps),
        ON_BOARD(stm32f7_board_makes_local_addresses_when_asked),
        ON_BOARD(stm32f7_board_shares_uncached_memory_when_protected),
        ON_BOARD(stm32f7_board_speaks_when_told),
        ON_BOARD(stm32f7_board_sleeps_until_an_interrupt_when_told),
        ON_BOARD(stm32f7_board_gives_the_clock_pin_back_when_resynchronised),
        ON_BENCH(stm32f7_phy_agrees_on_full_duplex_when_started),
        ON_BENCH(stm32f7_phy_sees_interruptions_when_they_are_over),
        ON_BOARD(stm32f7_phy_says_so_when_it_is_not_there),
    };
    return cmocka_run_group_tests_name("stm32f7_board", tests, NULL, NULL);
}
