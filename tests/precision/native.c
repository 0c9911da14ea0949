/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What pil_firmware.c wants of its board, on this machine: so the loop of a small machine, in
 * single precision, is a process of its own beside a simulator that counts in double.
 */
#define _GNU_SOURCE

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "platform/mps2/mps2.h"

static char arguments[1024];

_Noreturn void mps2_exit(int status)
{
    exit(status);
}

int mps2_open(const char *path, bool writes)
{
    return open(path, writes ? O_WRONLY : O_RDONLY);
}

bool mps2_read(int file, void *octets, size_t length)
{
    char *at = octets;
    while (length > 0) {
        const ssize_t done = read(file, at, length);
        if (done <= 0) {
            return false;
        }
        at += done;
        length -= (size_t)done;
    }
    return true;
}

bool mps2_write(int file, const void *octets, size_t length)
{
    const char *at = octets;
    while (length > 0) {
        const ssize_t done = write(file, at, length);
        if (done <= 0) {
            return false;
        }
        at += done;
        length -= (size_t)done;
    }
    return true;
}

struct mt_base_time mps2_count_ns(void)
{
    return (struct mt_base_time){0};
}

const char *mt_board_arguments(void)
{
    return arguments;
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc && strlen(arguments) + strlen(argv[i]) + 2 < sizeof arguments; i++) {
        strcat(arguments, argv[i]);
        strcat(arguments, " ");
    }
    return mt_board_main();
}
