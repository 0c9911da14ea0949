/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Unicast through a transparent clock: Delay_Req to the transmitter alone, and its answer (hybrid
 * end-to-end), and answers to management requests that have passed.
 *
 * Announce and Sync leave here with an address of this clock, so that is where those behind it send
 * their requests, and a Delay_Req does not say who is meant.  But only one can be: whose Syncs
 * have passed, in this domain the parent.  So the request goes on to where the newest of them came
 * from, which may be another transparent clock, and the answer to where the request came from.
 * What else is sent to one station alone does not pass: over UDP it reaches this machine only if
 * it is the receiver, and nothing tells who else is.
 */
#include "ptp/transparent_private.h"

static bool is_upstream(const struct mt_instance *self, const struct mt_transparent_frame *frame,
                        const struct mt_transparent_key *request)
{
    const struct mt_transparent_key *key = &frame->key;
    bool is_own_domain = key->domain == self->config.domain && key->sdo_id == self->config.sdo_id;
    return key->type == MT_PTP_SYNC && key->domain == request->domain &&
           key->sdo_id == request->sdo_id && frame->from.network != 0 &&
           (!is_own_domain || self->receiving_port == 0 || mt_is_parent(self, &key->source));
}

/* A Sync tells where its transmitter is for longer than it is in passage: while it is there. */
static const struct mt_transparent_frame *find_upstream(const struct mt_instance *self,
                                                        const struct mt_transparent_key *request)
{
    const struct mt_transparent *tc = mt_transparent_of(self);
    uint64_t serial = tc->newest;
    for (uint32_t i = 0; i < tc->storage.frame_count && serial != 0; i++, serial--) {
        const struct mt_transparent_frame *frame =
            &tc->storage.frames[serial % tc->storage.frame_count];
        if (frame->serial == serial && is_upstream(self, frame, request)) {
            return frame;
        }
    }
    return NULL;
}

/* Answers go to whoever is named in them, with the sequence number of what he asked. */
static const struct mt_transparent_frame *find_asked(const struct mt_instance *self,
                                                     const struct mt_transparent_key *answer)
{
    const struct mt_transparent *tc = mt_transparent_of(self);
    for (uint64_t serial = tc->newest; serial != 0; serial--) {
        const struct mt_transparent_frame *frame = mt_transparent_at(tc, serial, self->now);
        if (frame == NULL) {
            break;
        }
        const struct mt_transparent_key *key = &frame->key;
        if (key->type == answer->type && key->sequence == answer->sequence &&
            key->domain == answer->domain && key->sdo_id == answer->sdo_id &&
            mt_port_identity_equal(&key->source, &answer->other)) {
            return frame;
        }
    }
    return NULL;
}

bool mt_transparent_find_receiver(const struct mt_instance *self,
                                  const struct mt_transparent_key *key,
                                  struct mt_transparent_receiver *ret_receiver)
{
    const struct mt_transparent *tc = mt_transparent_of(self);
    const struct mt_transparent_frame *frame = NULL;
    if (key->type == MT_PTP_DELAY_REQ) {
        frame = find_upstream(self, key);
    } else if (key->type == MT_PTP_MANAGEMENT) {
        frame = find_asked(self, key);
    } else if (key->type == MT_PTP_DELAY_RESP) {
        const struct mt_transparent_frame answer = {.key = *key};
        frame = mt_transparent_request(tc, &answer, self->now);
    }
    if (frame == NULL || frame->from.network == 0) {
        return false;
    }
    ret_receiver->port = frame->ingress;
    ret_receiver->address = frame->from;
    ret_receiver->address.udp_port = 0;
    return true;
}
