/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Frames in passage: a ring in which the serial number of a frame is its place, so the newest takes
 * the place of the oldest without a search, and a reference to a frame is its serial: one that is
 * no longer there is noticed.  A search goes from the newest back and ends at the first that is
 * outdated, for all that are older are, too.
 *
 * The legs of one port lie side by side: that is the order in which a timestamp looks for its own.
 */
#include "ptp/transparent_private.h"

void mt_transparent_init(struct mt_transparent *self, const struct mt_transparent_config *config,
                         const struct mt_transparent_storage *storage)
{
    memset(self, 0, sizeof *self);
    self->config = *config;
    self->storage = *storage;
    self->first = 1;
    memset(storage->frames, 0, storage->frame_count * sizeof *storage->frames);
    memset(storage->legs, 0,
           (size_t)storage->frame_count * storage->port_count * sizeof *storage->legs);
}

void mt_transparent_set_clock(struct mt_transparent *self, const struct mt_transparent_clock *clock)
{
    self->clock = *clock;
}

int64_t mt_transparent_mean_ns(const struct mt_transparent *self)
{
    const struct mt_transparent_residence *residence = &self->residence;
    return residence->count > 0 ? residence->sum_ns / (int64_t)residence->count : 0;
}

/* ---- who is who ------------------------------------------------------------------------------ */

void mt_transparent_identify(const struct mt_ptp_message *message,
                             struct mt_transparent_key *ret_key)
{
    const struct mt_ptp_header *header = &message->header;
    memset(ret_key, 0, sizeof *ret_key);
    ret_key->sequence = header->sequence;
    ret_key->type = (uint8_t)header->type;
    ret_key->domain = header->domain;
    ret_key->sdo_id = header->sdo_id;
    ret_key->source = header->source;
    if (header->type == MT_PTP_DELAY_RESP || header->type == MT_PTP_PDELAY_RESP ||
        header->type == MT_PTP_PDELAY_RESP_FOLLOW_UP) {
        ret_key->other = message->body.response.requester;
    } else if (header->type == MT_PTP_SIGNALING) {
        ret_key->other = message->body.target;
    } else if (header->type == MT_PTP_MANAGEMENT) {
        ret_key->other = message->body.management.target;
    }
}

static bool is_same(const struct mt_transparent_key *a, const struct mt_transparent_key *b)
{
    return a->sequence == b->sequence && a->type == b->type && a->domain == b->domain &&
           a->sdo_id == b->sdo_id && mt_port_identity_equal(&a->source, &b->source) &&
           mt_port_identity_equal(&a->other, &b->other);
}

/* ---- the ring -------------------------------------------------------------------------------- */

static struct mt_transparent_frame *place(const struct mt_transparent *self, uint64_t serial)
{
    return &self->storage.frames[serial % self->storage.frame_count];
}

struct mt_transparent_frame *mt_transparent_at(const struct mt_transparent *self, uint64_t serial,
                                               struct mt_mono now)
{
    struct mt_transparent_frame *frame = place(self, serial);
    return serial != 0 && frame->serial == serial && frame->until.ns > now.ns ? frame : NULL;
}

struct mt_transparent_frame *mt_transparent_find(const struct mt_transparent *self,
                                                 const struct mt_transparent_key *key,
                                                 uint16_t ingress, struct mt_mono now)
{
    for (uint64_t serial = self->newest; serial != 0; serial--) {
        struct mt_transparent_frame *frame = mt_transparent_at(self, serial, now);
        if (frame == NULL) {
            break;
        }
        if (is_same(&frame->key, key) && (ingress == 0 || frame->ingress == ingress)) {
            return frame;
        }
    }
    return NULL;
}

uint8_t *mt_transparent_octets(const struct mt_transparent *self,
                               const struct mt_transparent_frame *frame)
{
    size_t index = (size_t)(frame - self->storage.frames);
    return self->storage.octets + index * self->storage.frame_size;
}

struct mt_transparent_leg *mt_transparent_leg(const struct mt_transparent *self,
                                              const struct mt_transparent_frame *frame,
                                              uint16_t port)
{
    size_t index = (size_t)(frame - self->storage.frames);
    return &self->storage.legs[(size_t)(port - 1) * self->storage.frame_count + index];
}

/* What a leg in this state is counted among. */
static uint32_t *count_of(struct mt_transparent *self, enum mt_leg_state state)
{
    switch (state) {
    case MT_LEG_HELD:
        return &self->held;
    case MT_LEG_QUEUED:
        return &self->queued;
    case MT_LEG_SENT:
        return &self->awaited;
    case MT_LEG_NONE:
    case MT_LEG_STAMPED:
    case MT_LEG_LOST:
    case MT_LEG_DONE:
        break;
    }
    return NULL;
}

void mt_transparent_set(struct mt_transparent *self, struct mt_transparent_frame *frame,
                        struct mt_transparent_leg *leg, enum mt_leg_state state)
{
    uint32_t *before = count_of(self, (enum mt_leg_state)leg->state);
    uint32_t *after = count_of(self, state);
    leg->state = (uint8_t)state;
    if (before != NULL) {
        --*before;
        frame->open_legs--;
    }
    if (after != NULL) {
        ++*after;
        frame->open_legs++;
    }
    if (state == MT_LEG_QUEUED && frame->serial < self->first) {
        self->first = frame->serial;
    }
}

static void clear(struct mt_transparent *self, struct mt_transparent_frame *frame,
                  struct mt_mono now)
{
    bool is_open = frame->open_legs > 0;
    if (frame->serial == 0) {
        return;
    }
    if (is_open && mt_transparent_is_result(frame->key.type) && frame->event == 0) {
        mt_transparent_count(self, MT_TRANSPARENT_UNMATCHED);
    }
    if ((is_open || frame->awaits_result) && frame->until.ns > now.ns) {
        mt_transparent_count(self, MT_TRANSPARENT_GIVEN_UP);
    }
    for (uint16_t port = 1; port <= self->storage.port_count; port++) {
        mt_transparent_set(self, frame, mt_transparent_leg(self, frame, port), MT_LEG_NONE);
    }
}

struct mt_transparent_frame *mt_transparent_add(struct mt_transparent *self,
                                                const struct mt_transparent_key *key,
                                                const uint8_t *octets, uint16_t length,
                                                uint16_t ingress, struct mt_mono now)
{
    struct mt_transparent_frame *frame = place(self, self->newest + 1);
    clear(self, frame, now);
    memset(frame, 0, sizeof *frame);
    frame->key = *key;
    frame->serial = ++self->newest;
    frame->length = length;
    frame->ingress = ingress;
    frame->until = mt_mono_plus(now, MT_TRANSPARENT_HOLD_NS);
    memcpy(mt_transparent_octets(self, frame), octets, length);
    return frame;
}
