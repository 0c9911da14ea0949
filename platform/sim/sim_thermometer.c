/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * A thermometer on the oscillator of a node, in steps of an eighth of a degree as cheap ones have
 * them.  As of a reference clock one reading is under way at a time.
 */
#include "platform/sim/sim_private.h"

#define HOME_MILLI   25000
#define STEP_MILLI   125
#define READING_SIZE 4

void mt_sim_thermometer_next(struct mt_sim_node *node, uint16_t link)
{
    struct mt_world *world = node->world;
    int64_t interval_ns = node->links[link]->thermometer_ns;
    uint8_t bytes[READING_SIZE];

    if (interval_ns <= 0) {
        return;
    }
    int64_t t_ns = (world->t_ns / interval_ns + 1) * interval_ns;
    struct mt_base_time at = {.ns = mt_sim_base(world).ns + (t_ns - world->t_ns)};
    mt_real kelvin = mt_sim_drift_kelvin(&node->oscillator.drift, mt_sim_base(world).ns);
    int64_t milli = HOME_MILLI + mt_real_round(kelvin * (1000 / STEP_MILLI)) * STEP_MILLI;
    struct mt_sim_event *event = mt_sim_new_event(world, node->number, MT_INPUT_FRAME);

    for (int i = 0; i < READING_SIZE; i++) {
        bytes[i] = (uint8_t)((uint64_t)milli >> 8 * i);
    }
    struct mt_sim_frame *frame = mt_sim_queue_new_frame(&world->queue, bytes, sizeof bytes);
    if (event == NULL || frame == NULL) {
        mt_sim_complain(world, "out of memory for a thermometer");
        return;
    }
    event->link = link;
    event->frame = frame;
    event->has_stamp = true;
    event->stamp = at;
    mt_sim_queue_add(&world->queue, t_ns, event);
    mt_sim_queue_give_back(&world->queue, frame);
}
