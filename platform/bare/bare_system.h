/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The system calls of Linux, by number: what a C library would wrap.  Results are the kernel's,
 * negative for errors.
 * Thread rule: any thread.
 */
#ifndef MEANTIME_BARE_SYSTEM_H
#define MEANTIME_BARE_SYSTEM_H

#include <stddef.h>
#include <stdint.h>

long mt_bare_call(long number, long a, long b, long c, long d, long e, long f);

void *memcpy(void *restrict to, const void *restrict from, size_t length);
void *memmove(void *to, const void *from, size_t length);
void *memset(void *to, int value, size_t length);
int memcmp(const void *a, const void *b, size_t length);

#endif
