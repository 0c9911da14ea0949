/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Arm semihosting: the debugger, or the emulator, does what a word in memory describes.
 */
#include "base/memory.h"
#include "platform/mps2/mps2.h"

#define SYS_OPEN          0x01
#define SYS_WRITE         0x05
#define SYS_READ          0x06
#define SYS_TIME          0x11
#define SYS_GET_CMDLINE   0x15
#define SYS_EXIT_EXTENDED 0x20
#define APPLICATION_EXIT  0x20026u
#define MODE_READ         1 /* "rb" */
#define MODE_WRITE        5 /* "wb" */
#define ARGUMENTS_SIZE    512

static int32_t call(uint32_t operation, const uint32_t *block)
{
    register uint32_t r0 __asm__("r0") = operation;
    register uintptr_t r1 __asm__("r1") = (uintptr_t)block;

    __asm__ volatile("bkpt 0xAB" : "+r"(r0) : "r"(r1) : "memory");
    return (int32_t)r0;
}

_Noreturn void mps2_exit(int status)
{
    const uint32_t block[2] = {APPLICATION_EXIT, (uint32_t)status};
    for (;;) {
        (void)call(SYS_EXIT_EXTENDED, block);
    }
}

int mps2_open(const char *path, bool writes)
{
    uint32_t length = 0;
    while (path[length] != '\0') {
        length++;
    }
    const uint32_t block[3] = {(uint32_t)(uintptr_t)path, writes ? MODE_WRITE : MODE_READ, length};
    return call(SYS_OPEN, block);
}

/* The host says how much it has not read. */
bool mps2_read(int file, void *octets, size_t length)
{
    uint8_t *at = octets;
    while (length > 0) {
        const uint32_t block[3] = {(uint32_t)file, (uint32_t)(uintptr_t)at, length};
        const int32_t left = call(SYS_READ, block);
        if (left < 0 || (size_t)left >= length) {
            return false;
        }
        at += length - (size_t)left;
        length = (size_t)left;
    }
    return true;
}

bool mps2_write(int file, const void *octets, size_t length)
{
    const uint32_t block[3] = {(uint32_t)file, (uint32_t)(uintptr_t)octets, length};
    return call(SYS_WRITE, block) == 0;
}

int64_t mps2_utc_s(void)
{
    return (uint32_t)call(SYS_TIME, NULL);
}

const char *mt_board_arguments(void)
{
    static char text[ARGUMENTS_SIZE];
    const uint32_t block[2] = {(uint32_t)(uintptr_t)text, sizeof text};
    return call(SYS_GET_CMDLINE, block) == 0 ? text : "";
}
