/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Fixed parts of messages and TLVs as tables.  A table says in the order of the wire where each
 * field lies in a struct, and one function walks it in either direction, so that a parser and its
 * writer cannot disagree.  For the codecs of the core, who know that the octets are there.
 * Thread rule: pure functions; any thread.
 */
#ifndef MEANTIME_WIRE_FIELDS_H
#define MEANTIME_WIRE_FIELDS_H

#include <stddef.h>
#include <stdint.h>

#define MT_IS_BIG_ENDIAN (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__)

/** Numbers of one width, side by side on the wire and in the struct. */
struct mt_field {
    uint8_t member; /**< where the first lies in the struct */
    uint8_t shape;  /**< count << 4 | reserved << 3 | width - 1; reserved: 1 octet before it */
};

#define MT_SHAPE(count, width) ((count) << 4 | ((width)-1))
#define MT_FIELD_AT(reserved, count, width, member)                                                \
    {                                                                                              \
        (uint8_t)(member), (uint8_t)(MT_SHAPE(count, width) | (reserved) << 3)                     \
    }

/** `count` (1..15) numbers of which `first` is the first. */
#define MT_FIELDS(count, type, first)                                                              \
    MT_FIELD_AT(0, count, sizeof((type *)0)->first, offsetof(type, first))
#define MT_FIELD(type, member) MT_FIELDS(1, type, member)
/** A number behind a reserved octet. */
#define MT_FIELD_RESERVED(type, member)                                                            \
    MT_FIELD_AT(1, 1, sizeof((type *)0)->member, offsetof(type, member))
/** An array of at most 15 octets. */
#define MT_FIELD_OCTETS(type, member)                                                              \
    MT_FIELD_AT(0, sizeof((type *)0)->member, 1, offsetof(type, member))
/** The low 48 bits of an uint64_t; the others are not touched. */
#define MT_FIELD_48(type, member)                                                                  \
    MT_FIELD_AT(0, 1, 2, offsetof(type, member) + (MT_IS_BIG_ENDIAN ? 2 : 4)),                     \
        MT_FIELD_AT(0, 1, 4, offsetof(type, member) + (MT_IS_BIG_ENDIAN ? 4 : 0))
/** A reserved octet. */
#define MT_RESERVED MT_FIELD_AT(1, 0, 1, 0)

enum mt_direction { MT_FROM_WIRE, MT_TO_WIRE };

/** Moves the fields that `length` octets of the wire have between there and the struct `value`.
 * Only the side that is moved to is written, and there neither reserved octets nor what no field
 * names. */
void mt_fields_move(enum mt_direction direction, const struct mt_field *fields, uint8_t *octets,
                    size_t length, void *value);

static inline uint16_t mt_octets_u16(const uint8_t *octets)
{
    return (uint16_t)((unsigned)octets[0] << 8 | octets[1]);
}

static inline uint32_t mt_octets_u32(const uint8_t *octets)
{
    return (uint32_t)mt_octets_u16(octets) << 16 | mt_octets_u16(octets + 2);
}

static inline void mt_octets_put_u16(uint8_t *octets, uint16_t value)
{
    octets[0] = (uint8_t)(value >> 8);
    octets[1] = (uint8_t)value;
}

#endif
