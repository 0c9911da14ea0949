/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Byte cursors: a bounded reader of big-endian fields, where the length says what is there (the
 * fixed parts are wire/fields.h's).  For the codecs of the core only.  Failure is sticky: the first
 * access that does not fit sets `failed`, moves nothing, and all later ones fail too and give 0 or
 * null, so that a codec reads a whole structure and asks once.  Views point into the caller's
 * bytes.
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
int8_t mt_reader_i8(struct mt_reader *reader);
int32_t mt_reader_i32(struct mt_reader *reader);
/** Steps over `length` octets and returns a view of them; null if there are fewer. */
const uint8_t *mt_reader_octets(struct mt_reader *reader, size_t length);
/** Steps over all that is left and returns a view of it; *ret_length is 0 after a failure. */
const uint8_t *mt_reader_rest(struct mt_reader *reader, size_t *ret_length);

#endif
