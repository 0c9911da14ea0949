/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * A link that serves many receivers by unicast does not send their frames one by one: they wait
 * here until the loop goes to sleep, or there are MT_LINUX_OUTBOX of them, or another frame is
 * sent, which must not overtake them; then they leave in one sendmmsg for each socket.  A single
 * one leaves as it would without this, so that nothing changes where there are few.
 *
 * Who hands a frame over has been told that it was sent, so an event frame has its token from then
 * on: of one that the kernel refuses in the end the timestamp is given up like any other that does
 * not come.
 */
#include "platform/linux/linux_private.h"

#include <stdlib.h>
#include <string.h>

#define FRAME_SIZE 256 /* longer ones do not wait */
#define TAIL       2   /* octets behind an event message over IPv6, at most; zeros */

struct waiting {
    struct mt_address to;
    bool is_event;
    size_t length;
    uint8_t octets[FRAME_SIZE + TAIL];
};

struct mt_linux_outbox {
    unsigned count;
    struct waiting frames[MT_LINUX_OUTBOX];
    struct mmsghdr messages[MT_LINUX_OUTBOX]; /* for one socket */
    struct iovec pieces[MT_LINUX_OUTBOX];
    struct sockaddr_storage addresses[MT_LINUX_OUTBOX];
};

struct mt_linux_outbox *mt_linux_outbox_new(const struct mt_linux_link *link)
{
    bool is_wanted = link->request.is_for_many && link->transport->name != NULL;
    return is_wanted ? calloc(1, sizeof(struct mt_linux_outbox)) : NULL;
}

static void note(struct mt_linux_link *link, bool is_sent)
{
    if (is_sent) {
        link->hal.counters.sent++;
    } else {
        link->hal.counters.send_failed++;
        mt_linux_link_suspect(link);
    }
}

static bool add_token(struct mt_linux_link *link, const struct mt_link_frame *frame,
                      const struct mt_address *to)
{
    struct mt_token_key key;
    if (!mt_tokens_have_room(&link->tokens) ||
        !mt_token_key_of(frame->bytes, frame->length, to, &key)) {
        return false;
    }
    mt_tokens_add(&link->tokens, &key, frame->token, link->next_id++, mt_linux_now());
    return true;
}

bool mt_linux_outbox_put(struct mt_linux_link *link, const struct mt_link_frame *frame,
                         const struct mt_address *to)
{
    struct mt_linux_outbox *self = link->outbox;
    if (self == NULL || frame->destination != MT_LINK_ADDRESS || frame->length > FRAME_SIZE ||
        frame->insertion != MT_INSERT_NOTHING || (frame->is_event && !add_token(link, frame, to))) {
        mt_linux_outbox_flush(link);
        return false;
    }
    struct waiting *waiting = &self->frames[self->count++];
    *waiting = (struct waiting){.to = *to, .is_event = frame->is_event, .length = frame->length};
    memcpy(waiting->octets, frame->bytes, frame->length);
    if (self->count == MT_LINUX_OUTBOX) {
        mt_linux_outbox_flush(link);
    }
    return true;
}

static unsigned choose(const struct mt_linux_link *link, bool is_event)
{
    struct mt_linux_outbox *self = link->outbox;
    const size_t tail = is_event ? link->transport->tail : 0;
    unsigned count = 0;
    for (unsigned i = 0; i < self->count; i++) {
        struct waiting *waiting = &self->frames[i];
        if (waiting->is_event == is_event) {
            self->pieces[count] = (struct iovec){waiting->octets, waiting->length + tail};
            self->messages[count].msg_hdr = (struct msghdr){
                .msg_name = &self->addresses[count],
                .msg_namelen = link->transport->name(link, &waiting->to, &self->addresses[count]),
                .msg_iov = &self->pieces[count],
                .msg_iovlen = 1,
            };
            count++;
        }
    }
    return count;
}

static void send_chosen(struct mt_linux_link *link, unsigned count, bool is_event)
{
    const int fd = link->sockets[is_event ? MT_SOCKET_EVENT : MT_SOCKET_GENERAL].fd;
    for (unsigned done = 0; done < count;) {
        int sent = sendmmsg(fd, link->outbox->messages + done, count - done, 0);
        for (int i = 0; i < sent; i++, done++) {
            note(link, true);
        }
        if (sent <= 0) { /* this one; perhaps not the next */
            note(link, false);
            done++;
        }
    }
}

static void send_single(struct mt_linux_link *link)
{
    const struct waiting *waiting = &link->outbox->frames[0];
    const struct mt_link_frame frame = {.bytes = waiting->octets,
                                        .length = waiting->length,
                                        .is_event = waiting->is_event,
                                        .destination = MT_LINK_ADDRESS,
                                        .to = waiting->to};
    note(link, link->transport->transmit(link, &frame, &waiting->to));
}

void mt_linux_outbox_flush(struct mt_linux_link *link)
{
    struct mt_linux_outbox *self = link->outbox;
    if (self == NULL || self->count == 0) {
        return;
    }
    if (self->count == 1) {
        send_single(link);
    } else {
        send_chosen(link, choose(link, true), true);
        send_chosen(link, choose(link, false), false);
    }
    self->count = 0;
}
