/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * A binary heap of small entries that point to the events, so that sifting moves 24 octets.  The
 * running number makes the order total: equal times need no luck.  Nothing is ever removed from
 * the middle: what has become void is dropped when it comes up.
 */
#include "platform/sim/sim_queue.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_CAPACITY   64
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

static struct mt_sim_event *new_event(struct mt_sim_queue *self)
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
    }
    return event;
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
    free(self->heap);
}

/* ---- heap ------------------------------------------------------------------------------------ */

static bool is_before(const struct mt_sim_entry *a, const struct mt_sim_entry *b)
{
    return a->t_ns != b->t_ns ? a->t_ns < b->t_ns : a->number < b->number;
}

static bool make_room(struct mt_sim_queue *self)
{
    if (self->count < self->capacity) {
        return true;
    }
    size_t capacity = self->capacity != 0 ? 2 * self->capacity : FIRST_CAPACITY;
    struct mt_sim_entry *heap = realloc(self->heap, capacity * sizeof *heap);
    if (heap == NULL) {
        return false;
    }
    self->heap = heap;
    self->capacity = capacity;
    return true;
}

bool mt_sim_queue_add(struct mt_sim_queue *self, int64_t t_ns, const struct mt_sim_event *event)
{
    struct mt_sim_event *kept = make_room(self) ? new_event(self) : NULL;

    if (kept == NULL) {
        return false;
    }
    *kept = *event;
    if (kept->frame != NULL) {
        kept->frame->users++;
    }
    const struct mt_sim_entry entry = {t_ns, self->next_number++, kept};
    size_t at = self->count++;
    for (; at > 0 && is_before(&entry, &self->heap[(at - 1) / 2]); at = (at - 1) / 2) {
        self->heap[at] = self->heap[(at - 1) / 2];
    }
    self->heap[at] = entry;
    return true;
}

int64_t mt_sim_queue_next_t(const struct mt_sim_queue *self)
{
    return self->count > 0 ? self->heap[0].t_ns : INT64_MAX;
}

static void sift_down(struct mt_sim_queue *self, struct mt_sim_entry entry)
{
    size_t at = 0;

    for (;;) {
        size_t child = 2 * at + 1;

        if (child + 1 < self->count && is_before(&self->heap[child + 1], &self->heap[child])) {
            child++;
        }
        if (child >= self->count || is_before(&entry, &self->heap[child])) {
            break;
        }
        self->heap[at] = self->heap[child];
        at = child;
    }
    self->heap[at] = entry;
}

bool mt_sim_queue_take(struct mt_sim_queue *self, struct mt_sim_event *ret_event)
{
    if (self->count == 0) {
        return false;
    }
    struct mt_sim_event *event = self->heap[0].event;
    self->count--;
    if (self->count > 0) {
        sift_down(self, self->heap[self->count]);
    }
    *ret_event = *event;
    event->next = self->free_events;
    self->free_events = event;
    return true;
}
