/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * A reference clock that a node hears: right, at even intervals of true time, but each reading is
 * stamped a little early or late.  One event is under way at a time; when it takes place the next
 * one is made, so a node that is not running costs nothing.
 */
#include "platform/sim/sim_private.h"
#include "runtime/refclock_reading.h"

static void write_reading(const struct mt_sim_node *node, struct mt_base_time at,
                          uint8_t bytes[MT_REFCLOCK_READING_SIZE])
{
    int64_t utc_ns = at.ns - mt_world_utc(node->world).tai_minus_utc_s * INT64_C(1000000000);

    mt_refclock_reading_write(&(struct mt_refclock_reading){.s = utc_ns / MT_NS_PER_S,
                                                            .ns = (uint32_t)(utc_ns % MT_NS_PER_S)},
                              bytes);
}

void mt_sim_refclock_next(struct mt_sim_node *node, uint16_t link)
{
    struct mt_world *world = node->world;
    int64_t interval_ns = node->config.refclock_interval_ns;
    uint8_t bytes[MT_REFCLOCK_READING_SIZE];

    if (interval_ns <= 0) {
        return;
    }
    int64_t t_ns = (world->t_ns / interval_ns + 1) * interval_ns;
    struct mt_base_time at = {.ns = mt_sim_base(world).ns + (t_ns - world->t_ns)};
    struct mt_base_time stamp = mt_sim_base_plus_ns(
        at, node->config.refclock_jitter_ns * mt_sim_normal(&world->noise, &node->refclock_prng));
    struct mt_sim_event *event = mt_sim_new_event(world, node->number, MT_INPUT_FRAME);

    write_reading(node, at, bytes);
    struct mt_sim_frame *frame = mt_sim_queue_new_frame(&world->queue, bytes, sizeof bytes);
    if (event == NULL || frame == NULL) {
        mt_sim_complain(world, "out of memory for a reference clock");
        return;
    }
    event->link = link;
    event->frame = frame;
    event->has_stamp = true;
    event->stamp = stamp;
    mt_sim_queue_add(&world->queue, stamp.ns > at.ns ? mt_sim_t_of(stamp) : t_ns, event);
    mt_sim_queue_give_back(&world->queue, frame);
}
