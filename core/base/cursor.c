/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Each cursor has one primitive that checks the bound, take() and room(); all else is shape.
 * Octets are assembled by shifts, which compilers turn into one load and a byte swap.
 */
#include "base/cursor.h"

#include "base/memory.h"

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

uint8_t mt_reader_u8(struct mt_reader *reader)
{
    const uint8_t *o = take(reader, 1);

    return o == NULL ? 0 : o[0];
}

uint16_t mt_reader_u16(struct mt_reader *reader)
{
    const uint8_t *o = take(reader, 2);

    return o == NULL ? 0 : (uint16_t)((unsigned)o[0] << 8 | o[1]);
}

uint32_t mt_reader_u24(struct mt_reader *reader)
{
    const uint8_t *o = take(reader, 3);

    return o == NULL ? 0 : (uint32_t)o[0] << 16 | (uint32_t)o[1] << 8 | o[2];
}

static uint32_t be32(const uint8_t *o)
{
    return (uint32_t)o[0] << 24 | (uint32_t)o[1] << 16 | (uint32_t)o[2] << 8 | o[3];
}

uint32_t mt_reader_u32(struct mt_reader *reader)
{
    const uint8_t *o = take(reader, 4);

    return o == NULL ? 0 : be32(o);
}

uint64_t mt_reader_u48(struct mt_reader *reader)
{
    const uint8_t *o = take(reader, 6);

    return o == NULL ? 0 : (uint64_t)be32(o) << 16 | (uint64_t)o[4] << 8 | o[5];
}

uint64_t mt_reader_u64(struct mt_reader *reader)
{
    const uint8_t *o = take(reader, 8);

    return o == NULL ? 0 : (uint64_t)be32(o) << 32 | be32(o + 4);
}

int8_t mt_reader_i8(struct mt_reader *reader)
{
    uint8_t value = mt_reader_u8(reader);

    return (int8_t)(value <= INT8_MAX ? value : -(UINT8_MAX - value) - 1);
}

int16_t mt_reader_i16(struct mt_reader *reader)
{
    uint16_t value = mt_reader_u16(reader);

    return (int16_t)(value <= INT16_MAX ? value : -(UINT16_MAX - value) - 1);
}

int32_t mt_reader_i32(struct mt_reader *reader)
{
    uint32_t value = mt_reader_u32(reader);

    return value <= INT32_MAX ? (int32_t)value : -(int32_t)~value - 1;
}

int64_t mt_reader_i64(struct mt_reader *reader)
{
    uint64_t value = mt_reader_u64(reader);

    return value <= INT64_MAX ? (int64_t)value : -(int64_t)~value - 1;
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

void mt_writer_init(struct mt_writer *writer, uint8_t *buffer, size_t capacity)
{
    *writer = (struct mt_writer){buffer, capacity, 0, false};
}

static uint8_t *room(struct mt_writer *writer, size_t length)
{
    uint8_t *octets = writer->at;

    if (writer->failed || length > writer->left) {
        writer->failed = true;
        writer->left = 0;
        return NULL;
    }
    if (length > 0) {
        writer->at += length;
        writer->left -= length;
        writer->length += length;
    }
    return octets;
}

static void put(struct mt_writer *writer, uint64_t value, size_t length)
{
    uint8_t *o = room(writer, length);

    while (o != NULL && length > 0) {
        length--;
        o[length] = (uint8_t)(value & 0xFF);
        value >>= 8;
    }
}

void mt_writer_u8(struct mt_writer *writer, uint8_t value)
{
    put(writer, value, 1);
}

void mt_writer_u16(struct mt_writer *writer, uint16_t value)
{
    put(writer, value, 2);
}

void mt_writer_u24(struct mt_writer *writer, uint32_t value)
{
    put(writer, value, 3);
}

void mt_writer_u32(struct mt_writer *writer, uint32_t value)
{
    put(writer, value, 4);
}

void mt_writer_u48(struct mt_writer *writer, uint64_t value)
{
    put(writer, value, 6);
}

void mt_writer_u64(struct mt_writer *writer, uint64_t value)
{
    put(writer, value, 8);
}

void mt_writer_i8(struct mt_writer *writer, int8_t value)
{
    put(writer, (uint64_t)value, 1);
}

void mt_writer_i16(struct mt_writer *writer, int16_t value)
{
    put(writer, (uint64_t)value, 2);
}

void mt_writer_i32(struct mt_writer *writer, int32_t value)
{
    put(writer, (uint64_t)value, 4);
}

void mt_writer_i64(struct mt_writer *writer, int64_t value)
{
    put(writer, (uint64_t)value, 8);
}

void mt_writer_octets(struct mt_writer *writer, const uint8_t *octets, size_t length)
{
    uint8_t *o = room(writer, length);

    if (o != NULL && length > 0 && o != octets) {
        memcpy(o, octets, length);
    }
}

void mt_writer_zeros(struct mt_writer *writer, size_t length)
{
    uint8_t *o = room(writer, length);

    if (o != NULL && length > 0) {
        memset(o, 0, length);
    }
}

size_t mt_writer_length(const struct mt_writer *writer)
{
    return writer->failed ? 0 : writer->length;
}
