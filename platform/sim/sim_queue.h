/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What will happen in the simulated world, in the order of time; what happens at one time happens
 * in the order in which it was added.  Events and frames come from pools that only grow.
 * Thread rule: one thread at a time for each object.
 */
#ifndef MEANTIME_SIM_QUEUE_H
#define MEANTIME_SIM_QUEUE_H

#include "hal/wait.h"

#define MT_SIM_FRAME_SIZE 1500
#define MT_SIM_RANKS      64

struct mt_sim_port;

/** A frame under way to several receivers. */
struct mt_sim_frame {
    struct mt_sim_frame *next; /**< in the pool */
    uint32_t users;
    uint16_t length;
    bool is_event;
    const struct mt_sim_port *from;
    const struct mt_sim_port *to; /**< the only receiver; null: a group */
    struct mt_address sender;
    uint16_t udp_port; /**< of NTP: where it goes to; 0: it is PTP */
    uint16_t vlan;
    struct mt_base_time departure;
    uint8_t bytes[MT_SIM_FRAME_SIZE];
};

/** An input for a node (MT_INPUT_NONE wakes it at its deadline), or a frame for a switch. */
struct mt_sim_event {
    int64_t t_ns;
    struct mt_sim_event *next; /**< in its rank, or in the pool */
    uint32_t node;
    uint32_t life; /**< of the node; an input for an earlier life is dropped */
    uint32_t token;
    uint16_t link;
    uint8_t kind; /**< enum mt_input_kind */
    uint8_t hops; /**< switches that the frame has passed */
    bool has_stamp;
    bool is_up;
    struct mt_sim_frame *frame;
    struct mt_base_time stamp;
    struct mt_base_time arrival; /**< of the frame, in truth */
    struct mt_sim_port *port;    /**< of a switch that the frame reaches; null: it is a node's */
};

struct mt_sim_block;

struct mt_sim_queue {
    int64_t past_t_ns;   /**< of the last event taken */
    uint64_t ranks_used; /**< bit n: rank n is not empty */
    struct mt_sim_rank {
        struct mt_sim_event *first;
        struct mt_sim_event *last;
        int64_t earliest_t_ns;
        const struct mt_sim_event *earliest; /**< the first added of those at earliest_t_ns */
    } ranks[MT_SIM_RANKS];
    struct mt_sim_event *free_events;
    struct mt_sim_frame *free_frames;
    struct mt_sim_block *blocks;
};

void mt_sim_queue_free(struct mt_sim_queue *self);
/** An event to fill in, all zero; or null. */
struct mt_sim_event *mt_sim_queue_new_event(struct mt_sim_queue *self);
/** `event` takes place at t, which is not before the time of the last one taken.  Its frame, if it
 * has one, is in use once more. */
void mt_sim_queue_add(struct mt_sim_queue *self, int64_t t_ns, struct mt_sim_event *event);
/** When the next event takes place; INT64_MAX: never. */
int64_t mt_sim_queue_next_t(const struct mt_sim_queue *self);
/** The next event, which stays where it is; null: there is none. */
const struct mt_sim_event *mt_sim_queue_next(const struct mt_sim_queue *self);
/** Takes out the next event, or null; the caller gives it back. */
struct mt_sim_event *mt_sim_queue_take(struct mt_sim_queue *self);
/** The event is over; its frame has one user less. */
void mt_sim_queue_end_event(struct mt_sim_queue *self, struct mt_sim_event *event);
/** A frame with one user, or null.  Longer ones do not exist. */
struct mt_sim_frame *mt_sim_queue_new_frame(struct mt_sim_queue *self, const uint8_t *bytes,
                                            size_t length);
/** One user less; null is allowed. */
void mt_sim_queue_give_back(struct mt_sim_queue *self, struct mt_sim_frame *frame);

#endif
