/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * A radix heap (Ahuja, Mehlhorn, Orlin and Tarjan, "Faster algorithms for the shortest path
 * problem", 1990): since time never goes back, an event is ranked by the highest bit in which its
 * time differs from that of the last event taken; rank 0 is the same time.  All of a rank come
 * before all of a higher one.  When rank 0 is empty, the lowest rank that is not gives its earliest
 * time, and its events are ranked anew against that: each sinks, and seldom more than a few times.
 * A frame that arrives in a microsecond starts in a low rank and never meets the timers of the next
 * second.
 *
 * Events of one time are always in one rank, whose list keeps the order in which they were added,
 * so equal times need no luck.  Nothing is ever removed from the middle: what has become void is
 * dropped when it comes up.
 */
#include "platform/sim/sim_queue.h"

#include <stdlib.h>
#include <string.h>

#define EVENTS_PER_BLOCK 64
#define FRAMES_PER_BLOCK 16

struct mt_sim_block {
    struct mt_sim_block *next;
    union {
        struct mt_sim_event events[EVENTS_PER_BLOCK];
        struct mt_sim_frame frames[FRAMES_PER_BLOCK];
    } of;
};

/* ---- pools ----------------------------------------------------------------------------------- */

static struct mt_sim_block *new_block(struct mt_sim_queue *self)
{
    struct mt_sim_block *block = malloc(sizeof *block);

    if (block != NULL) {
        block->next = self->blocks;
        self->blocks = block;
    }
    return block;
}

struct mt_sim_event *mt_sim_queue_new_event(struct mt_sim_queue *self)
{
    if (self->free_events == NULL) {
        struct mt_sim_block *block = new_block(self);

        for (size_t i = 0; block != NULL && i < EVENTS_PER_BLOCK; i++) {
            block->of.events[i].next = self->free_events;
            self->free_events = &block->of.events[i];
        }
    }
    struct mt_sim_event *event = self->free_events;
    if (event != NULL) {
        self->free_events = event->next;
        *event = (struct mt_sim_event){0};
    }
    return event;
}

void mt_sim_queue_end_event(struct mt_sim_queue *self, struct mt_sim_event *event)
{
    mt_sim_queue_give_back(self, event->frame);
    event->next = self->free_events;
    self->free_events = event;
}

struct mt_sim_frame *mt_sim_queue_new_frame(struct mt_sim_queue *self, const uint8_t *bytes,
                                            size_t length)
{
    if (self->free_frames == NULL) {
        struct mt_sim_block *block = new_block(self);

        for (size_t i = 0; block != NULL && i < FRAMES_PER_BLOCK; i++) {
            block->of.frames[i].next = self->free_frames;
            self->free_frames = &block->of.frames[i];
        }
    }
    struct mt_sim_frame *frame = self->free_frames;
    if (frame == NULL || length > MT_SIM_FRAME_SIZE) {
        return NULL;
    }
    self->free_frames = frame->next;
    frame->users = 1;
    frame->length = (uint16_t)length;
    frame->vlan = 0;
    frame->udp_port = 0;
    memcpy(frame->bytes, bytes, length);
    return frame;
}

void mt_sim_queue_give_back(struct mt_sim_queue *self, struct mt_sim_frame *frame)
{
    if (frame != NULL && --frame->users == 0) {
        frame->next = self->free_frames;
        self->free_frames = frame;
    }
}

void mt_sim_queue_free(struct mt_sim_queue *self)
{
    while (self->blocks != NULL) {
        struct mt_sim_block *block = self->blocks;

        self->blocks = block->next;
        free(block);
    }
}

/* ---- ranks ----------------------------------------------------------------------------------- */

/* The number of the highest bit that is set, plus 1; 0 for 0. */
static unsigned bit_length(uint64_t x)
{
    return x != 0 ? 64 - (unsigned)__builtin_clzll(x) : 0;
}

static unsigned lowest_bit(uint64_t x)
{
    return (unsigned)__builtin_ctzll(x);
}

static void rank(struct mt_sim_queue *self, struct mt_sim_event *event)
{
    unsigned number = bit_length((uint64_t)event->t_ns ^ (uint64_t)self->past_t_ns);
    struct mt_sim_rank *of = &self->ranks[number];

    event->next = NULL;
    if ((self->ranks_used >> number & 1) == 0) {
        self->ranks_used |= UINT64_C(1) << number;
        of->earliest_t_ns = event->t_ns;
        of->earliest = event;
        of->first = event;
    } else {
        if (event->t_ns < of->earliest_t_ns) {
            of->earliest_t_ns = event->t_ns;
            of->earliest = event;
        }
        of->last->next = event;
    }
    of->last = event;
}

void mt_sim_queue_add(struct mt_sim_queue *self, int64_t t_ns, struct mt_sim_event *event)
{
    event->t_ns = t_ns;
    if (event->frame != NULL) {
        event->frame->users++;
    }
    rank(self, event);
}

int64_t mt_sim_queue_next_t(const struct mt_sim_queue *self)
{
    if (self->ranks_used == 0) {
        return INT64_MAX;
    }
    return self->ranks[lowest_bit(self->ranks_used)].earliest_t_ns;
}

const struct mt_sim_event *mt_sim_queue_next(const struct mt_sim_queue *self)
{
    if (self->ranks_used == 0) {
        return NULL;
    }
    const struct mt_sim_rank *rank = &self->ranks[lowest_bit(self->ranks_used)];
    return rank == self->ranks ? rank->first : rank->earliest;
}

/* Moves time to the earliest event, which ranks its companions lower. */
static void sink(struct mt_sim_queue *self, unsigned number)
{
    struct mt_sim_event *event = self->ranks[number].first;

    self->past_t_ns = self->ranks[number].earliest_t_ns;
    self->ranks_used &= ~(UINT64_C(1) << number);
    while (event != NULL) {
        struct mt_sim_event *next = event->next;

        rank(self, event);
        event = next;
    }
}

struct mt_sim_event *mt_sim_queue_take(struct mt_sim_queue *self)
{
    if (self->ranks_used == 0) {
        return NULL;
    }
    if ((self->ranks_used & 1) == 0) {
        sink(self, lowest_bit(self->ranks_used));
    }
    struct mt_sim_rank *now = &self->ranks[0];
    struct mt_sim_event *event = now->first;
    now->first = event->next;
    if (now->first == NULL) {
        self->ranks_used &= ~UINT64_C(1);
    }
    return event;
}
