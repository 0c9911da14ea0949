/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * An image's command line, "key=value" separated by spaces, and what it says, line by line.
 * Thread rule: one thread.
 */
#ifndef MEANTIME_FIRMWARE_ARGUMENTS_H
#define MEANTIME_FIRMWARE_ARGUMENTS_H

#include <stdbool.h>
#include <stdint.h>

/** The number of a key, decimal, with or without sign; `otherwise` if the key is not there. */
int64_t firmware_number(const char *arguments, const char *key, int64_t otherwise);
/** Whether the value of a key is this word. */
bool firmware_is(const char *arguments, const char *key, const char *word);
/** Four numbers with points between them; 0 if the key is not there. */
uint32_t firmware_ipv4(const char *arguments, const char *key);

/** " key=number"; without key a new line. */
void firmware_say(const char *key, int64_t number);
void firmware_end_line(void);

#endif
