/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Entry and system calls, the two things that only assembly can say.  The kernel starts a process
 * with argc and argv on the stack and nothing else prepared; the stack is aligned for the call.
 */
#include <asm/unistd.h>

#include "platform/bare/bare.h"
#include "platform/bare/bare_system.h"

__attribute__((noreturn, used)) void mt_bare_enter(const long *stack);

#if defined __x86_64__

__asm__(".globl _start\n"
        ".type _start, @function\n"
        "_start:\n"
        "    xorl %ebp, %ebp\n"
        "    movq %rsp, %rdi\n"
        "    andq $-16, %rsp\n"
        "    call mt_bare_enter\n");

long mt_bare_call(long number, long a, long b, long c, long d, long e, long f)
{
    long result;
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    register long r9 __asm__("r9") = f;

    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
}

#elif defined __aarch64__

__asm__(".globl _start\n"
        ".type _start, %function\n"
        "_start:\n"
        "    mov x29, #0\n"
        "    mov x30, #0\n"
        "    mov x0, sp\n"
        "    bl mt_bare_enter\n");

long mt_bare_call(long number, long a, long b, long c, long d, long e, long f)
{
    register long x8 __asm__("x8") = number;
    register long x0 __asm__("x0") = a;
    register long x1 __asm__("x1") = b;
    register long x2 __asm__("x2") = c;
    register long x3 __asm__("x3") = d;
    register long x4 __asm__("x4") = e;
    register long x5 __asm__("x5") = f;

    __asm__ volatile("svc #0"
                     : "+r"(x0)
                     : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
                     : "memory");
    return x0;
}

#else
#error "no entry point for this processor"
#endif

void mt_bare_enter(const long *stack)
{
    const long status = main((int)stack[0], (char **)(uintptr_t)&stack[1]);

    for (;;) {
        mt_bare_call(__NR_exit_group, status, 0, 0, 0, 0, 0);
    }
}
