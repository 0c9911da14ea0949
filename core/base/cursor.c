/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * One primitive checks the bound, take(), and one puts octets together, number(); all else is
 * shape.
 */
#include "base/cursor.h"

void mt_reader_init(struct mt_reader *reader, const uint8_t *octets, size_t length)
{
    *reader = (struct mt_reader){octets, length, false};
}

static const uint8_t *take(struct mt_reader *reader, size_t length)
{
    const uint8_t *octets = reader->at;

    if (reader->failed || length > reader->left) {
        reader->failed = true;
        reader->left = 0;
        return NULL;
    }
    if (length > 0) { /* nothing may be added to a null pointer, not even 0 */
        reader->at += length;
        reader->left -= length;
    }
    return octets;
}

static uint64_t number(struct mt_reader *reader, size_t length)
{
    const uint8_t *octets = take(reader, length);
    uint64_t value = 0;

    for (size_t i = 0; octets != NULL && i < length; i++) {
        value = value << 8 | octets[i];
    }
    return value;
}

uint8_t mt_reader_u8(struct mt_reader *reader)
{
    return (uint8_t)number(reader, 1);
}

uint16_t mt_reader_u16(struct mt_reader *reader)
{
    return (uint16_t)number(reader, 2);
}

uint32_t mt_reader_u24(struct mt_reader *reader)
{
    return (uint32_t)number(reader, 3);
}

uint32_t mt_reader_u32(struct mt_reader *reader)
{
    return (uint32_t)number(reader, 4);
}

uint64_t mt_reader_u48(struct mt_reader *reader)
{
    return number(reader, 6);
}

int8_t mt_reader_i8(struct mt_reader *reader)
{
    uint8_t value = mt_reader_u8(reader);

    return (int8_t)(value <= INT8_MAX ? value : -(UINT8_MAX - value) - 1);
}

int32_t mt_reader_i32(struct mt_reader *reader)
{
    uint32_t value = mt_reader_u32(reader);

    return value <= INT32_MAX ? (int32_t)value : -(int32_t)~value - 1;
}

const uint8_t *mt_reader_octets(struct mt_reader *reader, size_t length)
{
    return take(reader, length);
}

const uint8_t *mt_reader_rest(struct mt_reader *reader, size_t *ret_length)
{
    *ret_length = reader->left;
    return take(reader, reader->left);
}
