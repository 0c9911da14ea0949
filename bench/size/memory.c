/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The four functions that any image must supply to compiled C.  They belong to the platform and
 * are not counted in its size; where instructions are counted, they are: they work by words, as
 * those of usual libraries do.
 */
#include <stddef.h>
#include <stdint.h>

typedef uint32_t __attribute__((may_alias)) word;
#define ALIGNED(a, b, length) ((((uintptr_t)(a) | (uintptr_t)(b) | (length)) & 3) == 0)

void *memcpy(void *restrict to, const void *restrict from, size_t length);
void *memmove(void *to, const void *from, size_t length);
void *memset(void *to, int value, size_t length);
int memcmp(const void *a, const void *b, size_t length);

void *memcpy(void *restrict to, const void *restrict from, size_t length)
{
    if (ALIGNED(to, from, length)) {
        for (size_t i = 0; i < length / 4; i++) {
            ((word *)to)[i] = ((const word *)from)[i];
        }
        return to;
    }
    for (size_t i = 0; i < length; i++) {
        ((unsigned char *)to)[i] = ((const unsigned char *)from)[i];
    }
    return to;
}

void *memmove(void *to, const void *from, size_t length)
{
    if ((const char *)to <= (const char *)from) {
        return memcpy(to, from, length);
    }
    while (length-- > 0) {
        ((unsigned char *)to)[length] = ((const unsigned char *)from)[length];
    }
    return to;
}

void *memset(void *to, int value, size_t length)
{
    if (ALIGNED(to, 0, length)) {
        const uint32_t all = 0x01010101u * (unsigned char)value;
        for (size_t i = 0; i < length / 4; i++) {
            ((word *)to)[i] = all;
        }
        return to;
    }
    for (size_t i = 0; i < length; i++) {
        ((unsigned char *)to)[i] = (unsigned char)value;
    }
    return to;
}

int memcmp(const void *a, const void *b, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        const int difference = ((const unsigned char *)a)[i] - ((const unsigned char *)b)[i];
        if (difference != 0) {
            return difference;
        }
    }
    return 0;
}
