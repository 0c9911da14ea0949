/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * From reset to the application, which sees embed/board.h.
 *
 * Memory needs no cache, so none is turned on, and none has to be kept in step with the DMA: code
 * runs from flash on the ITCM bus, which the flash's own accelerator serves; data and stack are in
 * DTCM; what the DMA shares is in SRAM2.  It is not in DTCM, which some chips of the family cannot
 * read for the DMA while the processor sleeps.  SRAM2 is marked as not cacheable all the same, for
 * whoever turns the cache on for something else, and what is not there is closed, so that
 * the processor does not read it in advance.
 *
 * The stack grows down to the beginning of DTCM, below which there is nothing: one that overflows
 * ends in a fault and not in somebody's data.  A fault says so and starts the chip anew.
 */
#include "embed/board.h"
#include "platform/stm32f7/stm32f7_controller.h"
#include "platform/stm32f7/stm32f7_io.h"

#define PAUSE     50000000 /* a second, about */
#define VTOR      UINT32_C(0xE000ED08)
#define CPACR     UINT32_C(0xE000ED88)
#define CPACR_FPU (UINT32_C(0xF) << 20)

extern uint32_t stm32f7_stack_top[];
extern uint32_t stm32f7_data_from[];
extern uint32_t stm32f7_data[];
extern uint32_t stm32f7_data_end[];
extern uint32_t stm32f7_bss[];
extern uint32_t stm32f7_bss_end[];
_Noreturn void stm32f7_start(void);
_Noreturn void stm32f7_fault(void);

__attribute__((section(".shared"))) static struct mt_stm32f7_rings rings;

void mt_board_print(const char *text)
{
    for (; *text != '\0'; text++) {
        mt_stm32f7_board_put(*text);
    }
}

static _Noreturn void fail(const char *why)
{
    mt_board_print(why);
    for (uint32_t i = 0; i < PAUSE; i++) {
        mt_stm32f7_barrier(); /* no timer: it may not run yet */
    }
    mt_stm32f7_board_restart();
    for (;;) {
    }
}

_Noreturn void stm32f7_fault(void)
{
    fail("fault\n");
}

/* The stack may be what is at fault: begin it anew before anything is put there. */
__attribute__((naked)) static void fault(void)
{
    __asm__ volatile("ldr r0, =stm32f7_stack_top\n mov sp, r0\n b stm32f7_fault");
}

__attribute__((section(".vectors"), used)) static const struct vectors {
    const void *stack;
    void (*handlers[15])(void);
} vectors = {stm32f7_stack_top, {stm32f7_start, fault, fault, fault, fault, fault}};

static void fill_memory(void)
{
    const uint32_t *from = stm32f7_data_from;
    for (uint32_t *to = stm32f7_data; to < stm32f7_data_end; to++) {
        *to = *from++;
    }
    for (uint32_t *word = stm32f7_bss; word < stm32f7_bss_end; word++) {
        *word = 0;
    }
}

_Noreturn void stm32f7_start(void)
{
    __asm__ volatile("cpsid i");
    mt_stm32f7_write(VTOR, (uint32_t)(uintptr_t)&vectors);
    mt_stm32f7_change(CPACR, 0, CPACR_FPU);
    __asm__ volatile("dsb\n isb" ::: "memory");
    fill_memory();
    mt_stm32f7_board_protect(&rings);
    __asm__ volatile("isb");
    if (!mt_stm32f7_board_init()) {
        mt_stm32f7_board_restart(); /* no clock, no serial line to say so */
    }
    (void)mt_board_main();
    fail("ended\n");
}

/* ---- the board as the application sees it ---------------------------------------------------- */

/* There is no command line.  The address is one of those that nobody assigns [RFC 3927], made of
 * the chip's identity. */
const char *mt_board_arguments(void)
{
    static char text[] = "address=169.254.100.100 netmask=255.255.0.0";
    uint32_t identity[3];
    uint8_t octets[6];
    mt_stm32f7_board_identity(identity);
    mt_stm32f7_board_address(identity, octets);
    for (uint32_t i = 0; i < 2; i++) {
        char *number = &text[sizeof "address=169.254." - 1 + 4 * i];
        number[0] = '1';
        number[1] = (char)('0' + octets[4 + i] / 10 % 10);
        number[2] = (char)('0' + octets[4 + i] % 10);
    }
    return text;
}

static const char *word_for(enum mt_stm32f7_start outcome)
{
    switch (outcome) {
    case MT_STM32F7_STARTED:
        break;
    case MT_STM32F7_NO_PHY:
        return "no PHY\n";
    case MT_STM32F7_NO_REFERENCE_CLOCK:
        return "no reference clock\n";
    case MT_STM32F7_NO_CLOCK:
        return "no IEEE 1588 clock\n";
    }
    return NULL;
}

void mt_board_open(struct mt_board *ret_board, enum mt_timescale scale, int64_t error_ppb)
{
    static struct mt_stm32f7_controller controller;
    const char *trouble = word_for(mt_stm32f7_controller_start(&controller, &rings, scale));
    (void)error_ppb; /* the oscillator is a real one */
    if (trouble != NULL) {
        fail(trouble);
    }
    ret_board->mac = &controller.interface;
    ret_board->clock = &controller.clock.hal;
    ret_board->utc_s = 0;
    ret_board->seed = 0;
    for (uint32_t i = 0; i < MT_MAC_OCTETS; i++) {
        ret_board->seed = ret_board->seed << 8 | controller.interface.address[i];
    }
}
