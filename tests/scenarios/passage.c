/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * See passage.h.  The newest frames that came and left are remembered and compared as octets, by
 * the places of the standard's table of fields.
 */
#include "passage.h"

#include <string.h>

#include "meantime/ptp_more.h"
#include "meantime/ptp_transparent.h"

#define REMEMBERED   256
#define LENGTH       2
#define DOMAIN       4
#define FLAGS        6
#define TWO_STEP     0x02
#define CORRECTION   8
#define SOURCE       20
#define SEQUENCE     30
#define BODY         34
#define STEPS        61 /* stepsRemoved of an Announce */
#define OTHER        44 /* requester; the target of Signaling and Management is at BODY */
#define IDENTITY     10
#define TOLERANCE_NS 20 /* what link delays are known to */

struct passed {
    uint16_t port; /* 0: unused */
    struct frame frame;
};

struct log {
    struct passed items[REMEMBERED];
    unsigned next;
};

static struct log came;
static struct log left;

void passage_reset(void)
{
    memset(&came, 0, sizeof came);
    memset(&left, 0, sizeof left);
}

static enum mt_ptp_type type_of(const struct frame *frame)
{
    return (enum mt_ptp_type)(frame->octets[0] & 0x0F);
}

static void note(struct log *log, uint16_t port, const struct frame *frame)
{
    log->items[log->next++ % REMEMBERED] = (struct passed){port, *frame};
}

void passage_came(const struct world *world, uint16_t port, const struct frame *frame)
{
    (void)world;
    note(&came, port, frame);
}

bool passage_is_foreign(const struct world *world, const struct frame *frame)
{
    return memcmp(frame->octets + SOURCE, world->config.identity.octet, 8) != 0;
}

/* ---- who is who ------------------------------------------------------------------------------ */

static bool is_answer(enum mt_ptp_type type)
{
    return type == MT_PTP_DELAY_RESP || type == MT_PTP_PDELAY_RESP ||
           type == MT_PTP_PDELAY_RESP_FOLLOW_UP;
}

/* To whom, or null. */
static const uint8_t *other_of(const struct frame *frame)
{
    enum mt_ptp_type type = type_of(frame);
    if (is_answer(type)) {
        return frame->octets + OTHER;
    }
    return type == MT_PTP_SIGNALING || type == MT_PTP_MANAGEMENT ? frame->octets + BODY : NULL;
}

/* The same message but for its type: who, which, to whom, in which domain. */
static bool belongs(const struct frame *a, const struct frame *b)
{
    const uint8_t *other = other_of(a);
    return a->octets[DOMAIN] == b->octets[DOMAIN] &&
           (a->octets[0] & 0xF0) == (b->octets[0] & 0xF0) &&
           memcmp(a->octets + SOURCE, b->octets + SOURCE, IDENTITY) == 0 &&
           memcmp(a->octets + SEQUENCE, b->octets + SEQUENCE, 2) == 0 &&
           (other == NULL || other_of(b) == NULL || memcmp(other, other_of(b), IDENTITY) == 0);
}

/* The newest of that type which belongs to `frame`; port 0: any. */
static const struct passed *find(const struct log *log, uint16_t port, enum mt_ptp_type type,
                                 const struct frame *frame)
{
    for (unsigned i = 1; i <= REMEMBERED && i <= log->next; i++) {
        const struct passed *item = &log->items[(log->next - i) % REMEMBERED];
        if ((port == 0 || item->port == port) && type_of(&item->frame) == type &&
            belongs(frame, &item->frame)) {
            return item;
        }
    }
    return NULL;
}

/* The request of which this is an answer. */
static const struct passed *find_request(const struct log *log, uint16_t port,
                                         const struct frame *answer)
{
    enum mt_ptp_type type =
        type_of(answer) == MT_PTP_DELAY_RESP ? MT_PTP_DELAY_REQ : MT_PTP_PDELAY_REQ;
    for (unsigned i = 1; i <= REMEMBERED && i <= log->next; i++) {
        const struct passed *item = &log->items[(log->next - i) % REMEMBERED];
        const uint8_t *octets = item->frame.octets;
        if ((port == 0 || item->port == port) && type_of(&item->frame) == type &&
            octets[DOMAIN] == answer->octets[DOMAIN] &&
            memcmp(octets + SOURCE, answer->octets + OTHER, IDENTITY) == 0 &&
            memcmp(octets + SEQUENCE, answer->octets + SEQUENCE, 2) == 0) {
            return item;
        }
    }
    return NULL;
}

/* ---- what is added --------------------------------------------------------------------------- */

static int64_t correction_of(const struct passed *item)
{
    uint64_t value = 0;
    for (unsigned i = 0; item != NULL && i < 8; i++) {
        value = value << 8 | item->frame.octets[CORRECTION + i];
    }
    return (int64_t)value / 65536;
}

static int64_t link_delay_ns(const struct world *world, uint16_t port)
{
    struct mt_peer_report link;
    mt_peer_get(&world->links[port - 1], &link);
    return mt_interval_to_ns(link.delay);
}

static void expect_added(const struct world *world, const struct frame *frame, int64_t added_ns,
                         int64_t expected_ns)
{
    if (added_ns > expected_ns + TOLERANCE_NS || added_ns < expected_ns - TOLERANCE_NS) {
        world_die(world, "%s leaves with %lld ns more than it came with, not %lld",
                  type_name(type_of(frame)), (long long)added_ns, (long long)expected_ns);
    }
}

/* What a link has written into the request, which comes back with its answer. */
static int64_t added_to_request_ns(uint16_t port, const struct frame *answer)
{
    return correction_of(find_request(&left, port, answer)) -
           correction_of(find_request(&came, 0, answer));
}

/* A one-step message that stays one carries it itself. */
static void check_one_step(const struct world *world, uint16_t port, const struct frame *frame)
{
    const struct passed *in = find(&came, 0, type_of(frame), frame);
    const struct passed leaving = {port, *frame};
    bool is_answer = type_of(frame) == MT_PTP_PDELAY_RESP;
    int64_t expected_ns = world->residence_ns;
    expected_ns += is_answer ? expected_ns - added_to_request_ns(in->port, frame) : 0;
    if (world->more_instance->transparent->config.is_peer_to_peer) {
        expected_ns += link_delay_ns(world, in->port);
    }
    expect_added(world, frame, correction_of(&leaving) - correction_of(in), expected_ns);
}

/* An event message and its result, together: more than came by so much. */
static void check_added(const struct world *world, uint16_t port, const struct frame *result,
                        enum mt_ptp_type event, int64_t expected_ns)
{
    const struct passed *in = find(&came, 0, event, result);
    const struct passed *out = find(&left, port, event, result);
    int64_t added_ns = correction_of(out) - correction_of(in) -
                       correction_of(find(&came, 0, type_of(result), result));
    const struct passed leaving = {port, *result};
    added_ns += correction_of(&leaving);
    if (in == NULL || out == NULL) {
        world_die(world, "%s passes port %u without its event message", type_name(type_of(result)),
                  port);
    }
    if (world->more_instance->transparent->config.is_peer_to_peer) {
        expected_ns += link_delay_ns(world, in->port);
    }
    expect_added(world, result, added_ns, expected_ns);
}

static void check_answer(const struct world *world, uint16_t port, const struct frame *frame)
{
    const struct passed *request = find_request(&came, 0, frame);
    const struct passed leaving = {port, *frame};
    if (request == NULL) {
        world_die(world, "%s passes, and nobody has asked", type_name(type_of(frame)));
    }
    if (request->port != port) {
        world_die(world, "%s passes port %u, asked was by port %u", type_name(type_of(frame)), port,
                  request->port);
    }
    if (type_of(frame) == MT_PTP_DELAY_RESP) {
        const struct passed *in = find(&came, 0, MT_PTP_DELAY_RESP, frame);
        expect_added(world, frame, correction_of(&leaving) - correction_of(in),
                     world->residence_ns - added_to_request_ns(in->port, frame));
    } else if (type_of(frame) == MT_PTP_PDELAY_RESP_FOLLOW_UP) {
        const struct passed *in = find(&came, 0, MT_PTP_PDELAY_RESP, frame);
        int64_t told_ns = in != NULL ? added_to_request_ns(in->port, frame) : 0;
        check_added(world, port, frame, MT_PTP_PDELAY_RESP, 2 * world->residence_ns - told_ns);
    }
}

/* ---- what may be changed --------------------------------------------------------------------- */

static bool may_be_made(const struct frame *frame)
{
    const struct passed *event = NULL;
    if (type_of(frame) == MT_PTP_FOLLOW_UP) {
        event = find(&came, 0, MT_PTP_SYNC, frame);
    } else if (type_of(frame) == MT_PTP_PDELAY_RESP_FOLLOW_UP) {
        event = find(&came, 0, MT_PTP_PDELAY_RESP, frame);
    }
    return event != NULL && (event->frame.octets[FLAGS] & TWO_STEP) == 0;
}

static size_t told_length(const struct frame *frame)
{
    return (size_t)frame->octets[LENGTH] << 8 | frame->octets[LENGTH + 1];
}

/* With spanning_tree, an Announce counts the transparent clock as well. */
static void raise_steps(const struct world *world, struct frame *frame)
{
    if (type_of(frame) == MT_PTP_ANNOUNCE &&
        world->more_instance->transparent->config.follows_tree) {
        unsigned steps = (unsigned)frame->octets[STEPS] << 8 | frame->octets[STEPS + 1];
        frame->octets[STEPS] = (uint8_t)((steps + 1) >> 8);
        frame->octets[STEPS + 1] = (uint8_t)(steps + 1);
    }
}

static bool is_as_it_came(const struct world *world, const struct frame *frame,
                          const struct frame *in)
{
    struct frame expected = *in;
    memcpy(expected.octets + CORRECTION, frame->octets + CORRECTION, 8);
    if (mt_ptp_is_event(type_of(frame))) {
        expected.octets[FLAGS] |= frame->octets[FLAGS] & TWO_STEP;
    }
    raise_steps(world, &expected);
    return told_length(in) == frame->length &&
           memcmp(expected.octets, frame->octets, frame->length) == 0;
}

/* A request that was doubled is answered twice: any of what came will do. */
static void check_octets(const struct world *world, uint16_t port, const struct frame *frame)
{
    const struct passed *in = find(&came, 0, type_of(frame), frame);
    bool is_equal = false;
    if (in == NULL && may_be_made(frame)) {
        return;
    }
    if (in == NULL) {
        world_die(world, "%s leaves port %u and never came", type_name(type_of(frame)), port);
    }
    if (in->port == port) {
        world_die(world, "%s leaves by the port that it came by", type_name(type_of(frame)));
    }
    for (unsigned i = 0; i < REMEMBERED && !is_equal; i++) {
        const struct passed *item = &came.items[i];
        is_equal = item->port == in->port && type_of(&item->frame) == type_of(frame) &&
                   is_as_it_came(world, frame, &item->frame);
    }
    if (!is_equal) {
        world_die(world, "%s is changed as it passes", type_name(type_of(frame)));
    }
}

void passage_left(const struct world *world, uint16_t port, const struct frame *frame)
{
    enum mt_ptp_type type = type_of(frame);
    if (find(&left, port, type, frame) != NULL) {
        world_die(world, "%s passes port %u twice", type_name(type), port);
    }
    check_octets(world, port, frame);
    if ((type == MT_PTP_SYNC || type == MT_PTP_PDELAY_RESP) &&
        (frame->octets[FLAGS] & TWO_STEP) == 0) {
        check_one_step(world, port, frame);
    }
    if (type == MT_PTP_FOLLOW_UP) {
        check_added(world, port, frame, MT_PTP_SYNC, world->residence_ns);
    } else if (is_answer(type)) {
        check_answer(world, port, frame);
    }
    note(&left, port, frame);
}
