/* SPDX-License-Identifier: Apache-2.0 OR MIT
 * What lwIP asks of a C library that is not there; see embed/memory.c. */
#ifndef MEANTIME_LWIP_STRING_H
#define MEANTIME_LWIP_STRING_H

#include <stddef.h>

void *memcpy(void *restrict to, const void *restrict from, size_t length);
void *memmove(void *to, const void *from, size_t length);
void *memset(void *to, int value, size_t length);
int memcmp(const void *a, const void *b, size_t length);
size_t strlen(const char *text);

#endif
