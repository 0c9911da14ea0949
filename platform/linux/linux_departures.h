/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The first frames of a worker's answers whose time of departure is awaited: added in the order in
 * which they were sent, taken out when it is known.  The kernel is asked for the times of anchors
 * alone, and tells them by a number of its own, with the packet; what left between two of them has
 * the time of the one before, and what frames take.
 * Thread rule: the worker's.
 */
#ifndef MEANTIME_LINUX_DEPARTURES_H
#define MEANTIME_LINUX_DEPARTURES_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "meantime/ptp_stateless.h"

#define MT_DEPARTURES        1024 /**< that are awaited, at most; a power of two */
#define MT_DEPARTURES_STRIDE 8    /**< from anchor to anchor, in a batch of more than twice that */

/** Of either family; the rest is to whom its own `to` says. */
union mt_socket_address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

struct mt_departure {
    struct mt_stateless_rest rest;
    union mt_socket_address to;
    size_t length;    /**< of the frame; the packet has headers before it, and may have padding */
    int64_t stamp_ns; /**< when it left; 0: not known */
    /* private */
    bool is_used;
    bool is_anchor;
    unsigned after; /* an anchor: by how many frames it is behind the one before; 0: it is first */
    uint32_t id;    /* an anchor: the kernel's number of it, as far as we know */
};

/** All zero: there are none. */
struct mt_departures {
    uint64_t lost; /**< given up */
    /* private */
    struct mt_departure ring[MT_DEPARTURES];
    uint32_t anchors[MT_DEPARTURES]; /* by the kernel's number, modulo: which frame it is */
    uint32_t done[MT_DEPARTURES];    /* frames whose time is known, in that order */
    uint32_t added;
    uint32_t completed;
    uint32_t taken;
    unsigned awaited;
    unsigned since_anchor;
    uint32_t next_id;
    uint32_t shift; /* what the kernel's numbers are ahead of ours */
    int64_t pace_ns_q8;
};

/** Whether frame `i` of a batch of `count` is to be an anchor: all of them are in small batches. */
bool mt_departures_is_anchor(unsigned i, unsigned count);
/** A frame has been sent, in one call with those before unless it `is_first`.  Frames for which
 * there is no room push out the oldest. */
void mt_departures_add(struct mt_departures *self, const struct mt_departure *departure,
                       bool is_anchor, bool is_first);
/** The kernel says when the packet left to which it has given number `id`.  False: it is none of
 * those that are awaited. */
bool mt_departures_stamp(struct mt_departures *self, uint32_t id, const uint8_t *packet,
                         size_t length, int64_t stamp_ns);
/** The next frame whose time is known; null: no more.  Valid until the next mt_departures_add(). */
const struct mt_departure *mt_departures_take(struct mt_departures *self);
static inline bool mt_departures_are_awaited(const struct mt_departures *self)
{
    return self->awaited > 0;
}

#endif
