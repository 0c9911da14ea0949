/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * A fixed layout, octet by octet: a log that was written on one machine is read on any other.
 */
#include "runtime/refclock_reading.h"

#define NS_PER_S   1000000000u
#define FLAG_PULSE 1u

static void put(uint8_t *bytes, uint64_t value, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        bytes[i] = (uint8_t)(value >> (8 * i));
    }
}

static uint64_t get(const uint8_t *bytes, size_t count)
{
    uint64_t value = 0;
    for (size_t i = 0; i < count; i++) {
        value |= (uint64_t)bytes[i] << (8 * i);
    }
    return value;
}

void mt_refclock_reading_write(const struct mt_refclock_reading *self,
                               uint8_t ret_bytes[MT_REFCLOCK_READING_SIZE])
{
    put(ret_bytes, (uint64_t)self->s, 8);
    put(ret_bytes + 8, self->ns, 4);
    put(ret_bytes + 12, self->frac, 2);
    ret_bytes[14] = (uint8_t)self->precision_log2s;
    ret_bytes[15] = (uint8_t)self->leap;
    ret_bytes[16] = self->is_pulse ? FLAG_PULSE : 0;
}

bool mt_refclock_reading_parse(const uint8_t *bytes, size_t length,
                               struct mt_refclock_reading *ret_reading)
{
    if (length != MT_REFCLOCK_READING_SIZE || get(bytes + 8, 4) >= NS_PER_S ||
        bytes[15] > MT_REFCLOCK_UNSYNCHRONISED || bytes[16] > FLAG_PULSE) {
        return false;
    }
    *ret_reading = (struct mt_refclock_reading){
        .s = (int64_t)get(bytes, 8),
        .ns = (uint32_t)get(bytes + 8, 4),
        .frac = (uint16_t)get(bytes + 12, 2),
        .precision_log2s = (int8_t)bytes[14],
        .leap = (enum mt_refclock_leap)bytes[15],
        .is_pulse = bytes[16] == FLAG_PULSE,
    };
    return true;
}
