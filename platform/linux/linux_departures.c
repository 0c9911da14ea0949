/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * To ask for a time, take it off the error queue and look at it costs nearly as much as to send a
 * datagram.  One thread sends a batch in one call, frame by frame, at a pace that hardly changes;
 * so where there are many, one in MT_DEPARTURES_STRIDE has to do, and the last.
 *
 * What can go wrong is that the thread is interrupted between two anchors.  The frames between
 * them get the time that the pace says, counted from the anchor before, and never a later one than
 * equal distances would give.  So one that left after the interruption has too early a time, which
 * its receiver takes for a longer way, as it would if the packet had waited: filters are made for
 * that.  A time too late would make the way look shorter than it can be, and be believed.  When
 * the interruption was long, nobody is told a time.
 *
 * The kernel numbers the packets that it was asked about, also those that a firewall then threw
 * away, of which we learn only that they failed.  So its number is a hint: the frame that comes
 * back must be the one that was sent, and if it is another's, the difference is what numbers are
 * corrected by from then on.
 */
#include "platform/linux/linux_departures.h"

#include <string.h>

#define SEQUENCE_AT      30 /* in a frame */
#define UDP_HEADER       8
#define EXTRA_OCTETS     2     /* behind an event message over IPv6 */
#define INTERRUPTION_NS  20000 /* between two anchors, beyond what the pace says */
#define PACE_FIRST_NS    2000
#define PACE_WEIGHT      16
#define PLACE_OF(number) ((number) % MT_DEPARTURES)

bool mt_departures_is_anchor(unsigned i, unsigned count)
{
    return count <= 2 * MT_DEPARTURES_STRIDE || i % MT_DEPARTURES_STRIDE == 0 || i == count - 1;
}

static void free_one(struct mt_departures *self, struct mt_departure *departure)
{
    if (departure->is_used) {
        departure->is_used = false;
        self->awaited--;
    }
}

void mt_departures_add(struct mt_departures *self, const struct mt_departure *departure,
                       bool is_anchor, bool is_first)
{
    struct mt_departure *place = &self->ring[PLACE_OF(self->added)];
    if (place->is_used) {
        self->lost++;
        free_one(self, place);
    }
    *place = *departure;
    place->is_used = true;
    place->is_anchor = is_anchor;
    place->stamp_ns = 0;
    self->since_anchor = is_first ? 0 : self->since_anchor + 1;
    if (is_anchor) {
        place->after = self->since_anchor;
        place->id = self->next_id++;
        self->anchors[PLACE_OF(place->id)] = self->added;
        self->since_anchor = 0;
    }
    self->added++;
    self->awaited++;
}

/* ---- which frame it was ---------------------------------------------------------------------- */

static bool is_at(const uint8_t *packet, size_t before_udp, const struct mt_departure *departure)
{
    const union mt_socket_address *to = &departure->to;
    bool is_v6 = to->any.sa_family == AF_INET6;
    const void *address = is_v6 ? (const void *)&to->v6.sin6_addr : (const void *)&to->v4.sin_addr;
    size_t size = is_v6 ? sizeof to->v6.sin6_addr : sizeof to->v4.sin_addr;
    const uint16_t *port = is_v6 ? &to->v6.sin6_port : &to->v4.sin_port;
    return before_udp >= size && memcmp(packet + before_udp - size, address, size) == 0 &&
           memcmp(packet + before_udp + 2, port, sizeof *port) == 0;
}

/* The packet ends in the frame, over IPv6 in two octets more; IP headers end in the receiver's
 * address, unless they have options, which we do not send. */
static bool is_same(const struct mt_departure *departure, const uint8_t *packet, size_t length)
{
    size_t tail = departure->length + (departure->to.any.sa_family == AF_INET6 ? EXTRA_OCTETS : 0);
    if (!departure->is_used || !departure->is_anchor || departure->stamp_ns != 0 ||
        length < tail + UDP_HEADER) {
        return false;
    }
    const uint8_t *frame = packet + length - tail;
    return (frame[SEQUENCE_AT] << 8 | frame[SEQUENCE_AT + 1]) == departure->rest.sequence &&
           is_at(packet, length - tail - UDP_HEADER, departure);
}

/* Null unless it is one and no other. */
static struct mt_departure *search(struct mt_departures *self, const uint8_t *packet, size_t length)
{
    struct mt_departure *found = NULL;
    for (unsigned i = 0; i < MT_DEPARTURES; i++) {
        if (is_same(&self->ring[i], packet, length)) {
            if (found != NULL) {
                return NULL;
            }
            found = &self->ring[i];
        }
    }
    return found;
}

static struct mt_departure *identify(struct mt_departures *self, uint32_t id, const uint8_t *packet,
                                     size_t length)
{
    struct mt_departure *expected =
        &self->ring[PLACE_OF(self->anchors[PLACE_OF(id - self->shift)])];
    if (expected->id == id - self->shift && is_same(expected, packet, length)) {
        return expected;
    }
    struct mt_departure *found = search(self, packet, length);
    if (found != NULL) {
        self->shift = id - found->id;
    }
    return found;
}

/* ---- when the others left -------------------------------------------------------------------- */

static void complete(struct mt_departures *self, uint32_t number)
{
    self->done[PLACE_OF(self->completed++)] = number;
}

static void learn(struct mt_departures *self, int64_t each_ns)
{
    if (self->pace_ns_q8 == 0) {
        self->pace_ns_q8 = PACE_FIRST_NS * 256;
    }
    int64_t most_q8 = 2 * self->pace_ns_q8;
    int64_t each_q8 = each_ns < 1 ? 256 : each_ns > most_q8 / 256 ? most_q8 : each_ns * 256;
    self->pace_ns_q8 += (each_q8 - self->pace_ns_q8) / PACE_WEIGHT;
}

/* The frames between anchor `number` and the one before, if the time of both is known. */
static void fill(struct mt_departures *self, uint32_t number)
{
    const struct mt_departure *anchor = &self->ring[PLACE_OF(number)];
    const unsigned after = anchor->after;
    const struct mt_departure *before = &self->ring[PLACE_OF(number - after)];
    if (after == 0 || anchor->stamp_ns == 0 || !before->is_anchor || before->stamp_ns == 0) {
        return;
    }
    int64_t gap_ns = anchor->stamp_ns - before->stamp_ns;
    learn(self, gap_ns / after);
    bool is_known = gap_ns >= 0 && gap_ns - after * self->pace_ns_q8 / 256 <= INTERRUPTION_NS;
    for (unsigned i = 1; i < after; i++) {
        struct mt_departure *between = &self->ring[PLACE_OF(number - after + i)];
        int64_t even_ns = gap_ns * i / after;
        int64_t paced_ns = i * self->pace_ns_q8 / 256;
        if (between->is_used && is_known) {
            between->stamp_ns = before->stamp_ns + (paced_ns < even_ns ? paced_ns : even_ns);
            complete(self, number - after + i);
        } else if (between->is_used) {
            self->lost++;
        }
        free_one(self, between);
    }
}

/* The anchor after the one at `number`, which may have told its time first. */
static void fill_behind(struct mt_departures *self, uint32_t number)
{
    const struct mt_departure *anchor = &self->ring[PLACE_OF(number)];
    uint32_t next_id = anchor->id + 1;
    if (next_id == self->next_id) {
        return;
    }
    uint32_t next = self->anchors[PLACE_OF(next_id)];
    const struct mt_departure *behind = &self->ring[PLACE_OF(next)];
    if (behind->is_anchor && behind->id == next_id && next - behind->after == number) {
        fill(self, next);
    }
}

bool mt_departures_stamp(struct mt_departures *self, uint32_t id, const uint8_t *packet,
                         size_t length, int64_t stamp_ns)
{
    struct mt_departure *anchor = identify(self, id, packet, length);
    if (anchor == NULL || stamp_ns == 0) {
        return false;
    }
    uint32_t number = self->anchors[PLACE_OF(anchor->id)];
    anchor->stamp_ns = stamp_ns;
    free_one(self, anchor);
    fill(self, number);
    complete(self, number);
    fill_behind(self, number);
    return true;
}

const struct mt_departure *mt_departures_take(struct mt_departures *self)
{
    if (self->taken == self->completed) {
        return NULL;
    }
    return &self->ring[PLACE_OF(self->done[PLACE_OF(self->taken++)])];
}
