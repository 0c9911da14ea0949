/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * A key counts where a word begins, and the first one counts.
 */
#include "firmware/arguments.h"

#include <stddef.h>

#include "embed/board.h"

#define DIGITS 24

/* Just behind "key=", or null. */
static const char *value_of(const char *arguments, const char *key)
{
    for (const char *at = arguments; *at != '\0'; at++) {
        size_t i = 0;
        while (key[i] != '\0' && at[i] == key[i]) {
            i++;
        }
        if ((at == arguments || at[-1] == ' ') && key[i] == '\0' && at[i] == '=') {
            return &at[i + 1];
        }
    }
    return NULL;
}

static const char *read_number(const char *text, int64_t *ret_number)
{
    const bool is_negative = *text == '-';
    int64_t number = 0;
    for (text += *text == '-' || *text == '+'; *text >= '0' && *text <= '9'; text++) {
        if (number <= INT64_MAX / 10 - 1) {
            number = number * 10 + (*text - '0');
        }
    }
    *ret_number = is_negative ? -number : number;
    return text;
}

int64_t firmware_number(const char *arguments, const char *key, int64_t otherwise)
{
    const char *value = value_of(arguments, key);
    if (value != NULL) {
        (void)read_number(value, &otherwise);
    }
    return otherwise;
}

bool firmware_is(const char *arguments, const char *key, const char *word)
{
    const char *value = value_of(arguments, key);
    if (value == NULL) {
        return false;
    }
    while (*word != '\0' && *value == *word) {
        value++;
        word++;
    }
    return *word == '\0' && (*value == '\0' || *value == ' ');
}

uint32_t firmware_ipv4(const char *arguments, const char *key)
{
    const char *value = value_of(arguments, key);
    uint32_t address = 0;
    for (int i = 0; value != NULL && i < 4; i++) {
        int64_t octet;
        value = read_number(value, &octet);
        value += *value == '.';
        address = address << 8 | (uint8_t)octet;
    }
    return address;
}

void firmware_say(const char *key, int64_t number)
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
    mt_board_print(" ");
    mt_board_print(key);
    mt_board_print("=");
    mt_board_print(&digits[at]);
}

void firmware_end_line(void)
{
    mt_board_print("\n");
}
