/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * One-step hardware: the network interface knows where in a PTP message its time and its
 * correctionField stand, and writes into them while the frame leaves.  It reads the clock with the
 * noise that a transmit stamp would have.
 */
#include "platform/sim/sim_private.h"

#define CORRECTION 8
#define ORIGIN     34

static void put(uint8_t *octets, unsigned width, uint64_t value)
{
    for (unsigned i = 0; i < width; i++) {
        octets[i] = (uint8_t)(value >> 8 * (width - 1 - i));
    }
}

static void correct(uint8_t *bytes, struct mt_interval by)
{
    uint64_t correction = 0;

    for (unsigned i = 0; i < 8; i++) {
        correction = correction << 8 | bytes[CORRECTION + i];
    }
    struct mt_interval sum = mt_interval_plus((struct mt_interval){(int64_t)correction}, by);
    put(bytes + CORRECTION, 8, (uint64_t)sum.q16);
}

void mt_sim_insert(struct mt_sim_node *node, const struct mt_link_frame *frame,
                   struct mt_base_time departure, uint8_t *bytes)
{
    if (node->clock_count == 0) {
        return;
    }
    struct mt_stamp stamp = mt_sim_clock_stamp(node->clocks[0], mt_sim_node_stamp(node, departure));

    switch (frame->insertion) {
    case MT_INSERT_NOTHING:
        break;
    case MT_INSERT_ORIGIN:
        put(bytes + ORIGIN, 6, (uint64_t)stamp.at.s);
        put(bytes + ORIGIN + 6, 4, stamp.at.ns);
        correct(bytes, (struct mt_interval){stamp.at.frac});
        break;
    case MT_INSERT_RESIDENCE:
        correct(bytes, mt_span_to_interval(mt_instant_minus(stamp.at, frame->arrival)));
        break;
    }
}
