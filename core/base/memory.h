/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The four functions that a freestanding compiler expects from its surroundings anyway.  They
 * are declared here because a bare cross compiler brings no <string.h>.  For the core only; a
 * hosted program may include <string.h> as well, the declarations agree.
 * Thread rule: pure functions; any thread.
 */
#ifndef MEANTIME_BASE_MEMORY_H
#define MEANTIME_BASE_MEMORY_H

#include <stddef.h>

void *memcpy(void *restrict to, const void *restrict from, size_t length);
void *memmove(void *to, const void *from, size_t length);
void *memset(void *to, int value, size_t length);
int memcmp(const void *a, const void *b, size_t length);

#endif
