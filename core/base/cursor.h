/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Byte cursors: a bounded reader and a bounded writer of big-endian fields.  For the codecs of
 * the core only.  Failure is sticky: the first access that does not fit sets `failed`, moves
 * nothing, and all later ones fail too (reads give 0 or null, writes do nothing), so that a
 * codec reads a whole structure and asks once.  Views point into the caller's bytes.
 * Thread rule: one cursor, one thread.
 */
#ifndef MEANTIME_BASE_CURSOR_H
#define MEANTIME_BASE_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mt_reader {
    const uint8_t *at;
    size_t left; /**< octets not read yet; 0 after a failure */
    bool failed;
};

/** `octets` may be null if `length` is 0. */
void mt_reader_init(struct mt_reader *reader, const uint8_t *octets, size_t length);
uint8_t mt_reader_u8(struct mt_reader *reader);
uint16_t mt_reader_u16(struct mt_reader *reader);
uint32_t mt_reader_u24(struct mt_reader *reader);
uint32_t mt_reader_u32(struct mt_reader *reader);
uint64_t mt_reader_u48(struct mt_reader *reader);
uint64_t mt_reader_u64(struct mt_reader *reader);
int8_t mt_reader_i8(struct mt_reader *reader);
int16_t mt_reader_i16(struct mt_reader *reader);
int32_t mt_reader_i32(struct mt_reader *reader);
int64_t mt_reader_i64(struct mt_reader *reader);
/** Steps over `length` octets and returns a view of them; null if there are fewer. */
const uint8_t *mt_reader_octets(struct mt_reader *reader, size_t length);
/** Steps over all that is left and returns a view of it; *ret_length is 0 after a failure. */
const uint8_t *mt_reader_rest(struct mt_reader *reader, size_t *ret_length);

struct mt_writer {
    uint8_t *at;
    size_t left;   /**< room; 0 after a failure */
    size_t length; /**< octets written */
    bool failed;
};

/** `buffer` may be null if `capacity` is 0. */
void mt_writer_init(struct mt_writer *writer, uint8_t *buffer, size_t capacity);
void mt_writer_u8(struct mt_writer *writer, uint8_t value);
void mt_writer_u16(struct mt_writer *writer, uint16_t value);
void mt_writer_u24(struct mt_writer *writer, uint32_t value); /**< the low 24 bits */
void mt_writer_u32(struct mt_writer *writer, uint32_t value);
void mt_writer_u48(struct mt_writer *writer, uint64_t value); /**< the low 48 bits */
void mt_writer_u64(struct mt_writer *writer, uint64_t value);
void mt_writer_i8(struct mt_writer *writer, int8_t value);
void mt_writer_i16(struct mt_writer *writer, int16_t value);
void mt_writer_i32(struct mt_writer *writer, int32_t value);
void mt_writer_i64(struct mt_writer *writer, int64_t value);
/** `octets` may be null if `length` is 0.  They may already stand in their place, otherwise they
 * must not overlap it. */
void mt_writer_octets(struct mt_writer *writer, const uint8_t *octets, size_t length);
void mt_writer_zeros(struct mt_writer *writer, size_t length);
/** Octets written, 0 after a failure: what a writer function of the codecs returns. */
size_t mt_writer_length(const struct mt_writer *writer);

#endif
