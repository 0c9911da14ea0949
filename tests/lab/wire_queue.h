/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Frames on their way into a wire between two guests.  A datagram socket takes ten of them; a guest
 * that stands still would have the other one's qemu try again and again, at the cost of a whole
 * processor, and much later.  Here they wait in order, each with all that was decided when it was
 * sent.  Called by any thread of qemu; a thread for each wire sends them.
 */
#ifndef MEANTIME_LAB_WIRE_QUEUE_H
#define MEANTIME_LAB_WIRE_QUEUE_H

#include <stddef.h>
#include <sys/socket.h>

/** Never waits: a wire on which too many frames are waiting loses this one, as wires do.
 * `trailer` goes behind the frame. */
void wire_queue_put(const void *frame, size_t length, const void *trailer, size_t trailer_size,
                    const struct sockaddr *to, socklen_t to_size);

#endif
