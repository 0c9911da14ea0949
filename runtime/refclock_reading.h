/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * One reading of a reference clock that another program has (gpsd, a time code receiver), as it
 * comes to a node: the bytes of an input frame on a link of its own, whose stamp says when it was
 * taken.  Platforms write them from what such programs offer (shared memory, datagrams), the
 * node's refclock duty parses them; so readings are recorded and replayed as any other input.
 *
 *     s64 seconds since 1970 in the clock's own timescale, u32 ns, u16 2^-16 ns,
 *     s8 precision, u8 leap (0 none, 1 a second more, 2 one less, 3 not synchronised), u8 flags
 *
 * All numbers are little-endian.
 * Thread rule: values only; any thread.
 */
#ifndef MEANTIME_RUNTIME_REFCLOCK_READING_H
#define MEANTIME_RUNTIME_REFCLOCK_READING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MT_REFCLOCK_READING_SIZE 17

enum mt_refclock_leap {
    MT_REFCLOCK_NO_LEAP,
    MT_REFCLOCK_INSERT,
    MT_REFCLOCK_DELETE,
    MT_REFCLOCK_UNSYNCHRONISED,
};

struct mt_refclock_reading {
    int64_t s;
    uint32_t ns;
    uint16_t frac;
    int8_t precision_log2s; /**< 0: not told */
    enum mt_refclock_leap leap;
    bool is_pulse; /**< only the part of the second is meant: nobody knows of which one */
};

void mt_refclock_reading_write(const struct mt_refclock_reading *self,
                               uint8_t ret_bytes[MT_REFCLOCK_READING_SIZE]);
/** False if these are no octets that mt_refclock_reading_write() makes. */
bool mt_refclock_reading_parse(const uint8_t *bytes, size_t length,
                               struct mt_refclock_reading *ret_reading);

#endif
