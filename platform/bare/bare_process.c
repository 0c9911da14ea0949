/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What a program says and is told, without stdio.
 */
#include <asm/unistd.h>
#include <linux/time.h>

#include "platform/bare/bare.h"
#include "platform/bare/bare_system.h"

#define DIGITS 24

void mt_bare_print(const char *text)
{
    long length = 0;
    while (text[length] != '\0') {
        length++;
    }
    mt_bare_call(__NR_write, 1, (long)text, length, 0, 0, 0);
}

void mt_bare_print_number(int64_t number)
{
    char digits[DIGITS];
    unsigned at = DIGITS - 1;
    uint64_t left = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;
    digits[at] = '\0';
    do {
        digits[--at] = (char)('0' + left % 10);
        left /= 10;
    } while (left > 0);
    if (number < 0) {
        digits[--at] = '-';
    }
    mt_bare_print(&digits[at]);
}

int64_t mt_bare_number(const char *text)
{
    const bool is_negative = *text == '-';
    int64_t number = 0;
    for (text += is_negative; *text >= '0' && *text <= '9' && number < INT32_MAX; text++) {
        number = number * 10 + (*text - '0');
    }
    return is_negative ? -number : number;
}

int64_t mt_bare_utc_s(void)
{
    struct timespec time = {0};
    mt_bare_call(__NR_clock_gettime, CLOCK_REALTIME, (long)&time, 0, 0, 0, 0);
    return time.tv_sec;
}
