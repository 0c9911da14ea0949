/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Numbers are moved octet by octet, which needs no case for each width: octet i of the wire is
 * octet i of a number on a big-endian machine, and on a little-endian one it is where the low bits
 * of i are turned over.  Turning over is its own inverse, so it may be done on either side and
 * both directions are the same loop.  Octets may be read and written in any object.
 */
#include "wire/fields.h"

void mt_fields_move(enum mt_direction direction, const struct mt_field *fields, uint8_t *octets,
                    size_t length, void *value)
{
    const uint8_t *end = octets + length;

    while (octets < end) {
        unsigned last = fields->shape & 7; /* of the octets of a number */
        unsigned turn = MT_IS_BIG_ENDIAN ? 0 : last;
        unsigned count = fields->shape >> 4;
        uint8_t *to = (uint8_t *)value + fields->member;
        uint8_t *from;

        octets += fields->shape >> 3 & 1;
        from = octets;
        count += count * last;
        octets += count;
        fields++;
        if (direction == MT_TO_WIRE) {
            from = to;
            to = octets - count;
        }
        while (count > 0) {
            count--;
            to[count] = from[count ^ turn];
        }
    }
}
