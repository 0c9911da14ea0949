/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Octet i of a number on the wire is octet i of it on a big-endian machine, and on a little-endian
 * one it is where the low bits of i are turned over.  Turning over is its own inverse, so it may be
 * done on either side and both directions are the same loop.  Octets may be read and written in any
 * object.
 *
 * Where size counts, numbers are moved octet by octet, which needs no case for each width.  Else
 * each width has its own, in words that compilers know: reading octets of which the first is the
 * lowest and writing them with the first as the highest is two instructions on many machines.
 * A simulated network moves a thousand octets in a microsecond.
 */
#include "wire/fields.h"

/* All numbers of a field; returns how many octets they have. */
static size_t turn(unsigned shape, uint8_t *to, const uint8_t *from)
{
    unsigned last = shape & 7; /* of the octets of a number */
    unsigned flip = MT_IS_BIG_ENDIAN ? 0 : last;
    unsigned count = (shape >> 4) * (last + 1);

    for (unsigned i = count; i-- > 0;) {
        to[i] = from[i ^ flip];
    }
    return count;
}

#ifdef __OPTIMIZE_SIZE__
#define move turn
#else

static void turn_2(uint8_t *to, const uint8_t *from)
{
    uint8_t first = from[0];

    to[0] = from[1];
    to[1] = first;
}

static uint32_t lowest_first(const uint8_t *from)
{
    return (uint32_t)from[3] << 24 | (uint32_t)from[2] << 16 | (uint32_t)from[1] << 8 | from[0];
}

static void highest_first(uint8_t *to, uint32_t number)
{
    to[0] = (uint8_t)(number >> 24);
    to[1] = (uint8_t)(number >> 16);
    to[2] = (uint8_t)(number >> 8);
    to[3] = (uint8_t)number;
}

static void turn_8(uint8_t *to, const uint8_t *from)
{
    uint32_t low = lowest_first(from);

    highest_first(to, lowest_first(from + 4));
    highest_first(to + 4, low);
}

static void move_8(uint8_t *to, const uint8_t *from)
{
    uint64_t octets = lowest_first(from) | (uint64_t)lowest_first(from + 4) << 32;

    for (int i = 0; i < 8; i++) {
        to[i] = (uint8_t)(octets >> 8 * i);
    }
}

static size_t move(unsigned shape, uint8_t *to, const uint8_t *from)
{
    switch (MT_IS_BIG_ENDIAN ? 0 : shape) {
    case MT_SHAPE(1, 1):
        *to = *from;
        return 1;
    case MT_SHAPE(8, 1): /* an identity */
        move_8(to, from);
        return 8;
    case MT_SHAPE(1, 2):
        turn_2(to, from);
        return 2;
    case MT_SHAPE(1, 4):
        highest_first(to, lowest_first(from));
        return 4;
    case MT_SHAPE(1, 8):
        turn_8(to, from);
        return 8;
    }
    return turn(shape, to, from);
}

#endif

void mt_fields_move(enum mt_direction direction, const struct mt_field *fields, uint8_t *octets,
                    size_t length, void *value)
{
    const uint8_t *end = octets + length;

    while (octets < end) {
        unsigned shape = fields->shape & ~8u;
        uint8_t *to = (uint8_t *)value + fields->member;
        uint8_t *from;

        octets += fields->shape >> 3 & 1;
        fields++;
        from = octets;
        if (direction == MT_TO_WIRE) {
            from = to;
            to = octets;
        }
        octets += move(shape, to, from);
    }
}
