/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Vectors, floating-point unit on, SysTick free-running; output and exit by ARM semihosting.
 */
#include "board.h"

#define REGISTER(address)  (*(volatile uint32_t *)(address))
#define SYSTICK_CONTROL    REGISTER(0xE000E010)
#define SYSTICK_RELOAD     REGISTER(0xE000E014)
#define SYSTICK_CURRENT    REGISTER(0xE000E018)
#define COPROCESSOR_ACCESS REGISTER(0xE000ED88)
#define FULL_ACCESS_TO_FPU (0xFu << 20)
#define ENABLED_BY_CPU     5u
#define TICKS_MASK         0xFFFFFFu
#define SEMIHOSTING_WRITE0 4
#define SEMIHOSTING_EXIT   0x18
#define APPLICATION_EXIT   0x20026u

extern char board_stack_top[];
_Noreturn void board_start(void);

static _Noreturn void fault(void)
{
    board_print("fault", 0);
    board_exit();
}

typedef void (*vector)(void);
__attribute__((section(".vectors"), used)) static const vector vectors[16] = {
    (vector)board_stack_top, board_start, fault, fault, fault, fault, fault,
};

static void semihosting(uint32_t operation, uint32_t argument)
{
    register uint32_t r0 __asm__("r0") = operation;
    register uint32_t r1 __asm__("r1") = argument;

    __asm__ volatile("bkpt 0xAB" : "+r"(r0) : "r"(r1) : "memory");
}

_Noreturn void board_start(void)
{
    COPROCESSOR_ACCESS |= FULL_ACCESS_TO_FPU;
    __asm__ volatile("dsb\n isb");
    SYSTICK_RELOAD = TICKS_MASK;
    SYSTICK_CURRENT = 0;
    SYSTICK_CONTROL = ENABLED_BY_CPU;
    board_main();
    board_exit();
}

_Noreturn void board_exit(void)
{
    for (;;) {
        semihosting(SEMIHOSTING_EXIT, APPLICATION_EXIT);
    }
}

uint32_t board_ticks(void)
{
    return TICKS_MASK - SYSTICK_CURRENT;
}

void board_spin(uint32_t rounds)
{
    __asm__ volatile("1: subs %0, #1\n bne 1b" : "+r"(rounds) : : "cc");
}

void board_print(const char *name, uint32_t number)
{
    char line[64];
    unsigned at = sizeof line - 1;
    unsigned length = 0;

    line[at] = 0;
    line[--at] = '\n';
    do {
        line[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    line[--at] = ' ';
    while (name[length] != 0) {
        length++;
    }
    while (length > 0 && at > 0) {
        line[--at] = name[--length];
    }
    semihosting(SEMIHOSTING_WRITE0, (uint32_t)&line[at]);
}
