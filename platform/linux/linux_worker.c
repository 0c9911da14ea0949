/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * A worker takes what has come with one recvmmsg, makes the first frames of all answers, sends them
 * with one sendmmsg, takes the times of their departure off the error queue, and sends the second
 * frames.  Software timestamps are made while sendmmsg runs, so as a rule they are all there when
 * it returns; what is not waits and is looked for again after the next batch, or at the next turn.
 * Which times the kernel is asked for, and what the others are, is linux_departures.c's matter.
 *
 * With csptp_one_step the first frame is the only one.  Frames leave one after the other while
 * sendmmsg runs, and how long one takes is known of the groups before (linux_pace.h): so each says
 * when it is expected to leave.  Groups are small, for errors add up.
 *
 * Timestamps are the kernel's CLOCK_REALTIME; a reading of that clock and of the page's base,
 * together, translates those of a batch.
 */
#include "platform/linux/linux_worker.h"

#include <arpa/inet.h>
#include <linux/errqueue.h>
#include <linux/net_tstamp.h>
#include <string.h>

#define GENERAL_PORT 320
#define LOOPED_SIZE  256
#define EXTRA_OCTETS 2 /* behind an event message over IPv6 [1588-2019 annex D.1] */

/* ---- time ------------------------------------------------------------------------------------ */

static clockid_t clock_of(enum mt_base_clock base)
{
    switch (base) {
    case MT_BASE_REALTIME:
    case MT_BASE_VIRTUAL:
        break;
    case MT_BASE_MONOTONIC_RAW:
        return CLOCK_MONOTONIC_RAW;
    case MT_BASE_BOOTTIME:
        return CLOCK_BOOTTIME;
    case MT_BASE_MONOTONIC:
        return CLOCK_MONOTONIC;
    }
    return CLOCK_REALTIME;
}

int64_t mt_worker_compare(enum mt_base_clock base, int64_t *ret_base_minus_stamp_ns)
{
    int64_t before_ns = mt_worker_read_ns(CLOCK_REALTIME);
    int64_t base_ns = mt_worker_read_ns(clock_of(base));
    int64_t after_ns = mt_worker_read_ns(CLOCK_REALTIME);
    *ret_base_minus_stamp_ns = base_ns - before_ns - (after_ns - before_ns) / 2;
    return base_ns;
}

static void compare_clocks(struct mt_worker *self)
{
    int64_t base_ns =
        mt_worker_compare((enum mt_base_clock)self->snapshot.page.base, &self->base_minus_stamp_ns);
    if (base_ns > self->snapshot.page.valid_until_base_ns) {
        self->snapshot.served.is_serving = false;
    }
}

static struct mt_instant time_of(const struct mt_worker *self, int64_t stamp_ns)
{
    return mt_clock_page_time(&self->snapshot.page, stamp_ns + self->base_minus_stamp_ns);
}

/* ---- batches --------------------------------------------------------------------------------- */

static void count(struct mt_worker *self, enum mt_stateless_counter counter, uint64_t by)
{
    uint64_t was = atomic_load_explicit(&self->counters[counter], memory_order_relaxed);
    atomic_store_explicit(&self->counters[counter], was + by, memory_order_relaxed);
}

/* As the kernel wants it before it receives: the lengths are those of the room. */
static void empty(struct mt_worker_batch *batch, size_t room)
{
    for (unsigned i = 0; i < MT_WORKER_BATCH; i++) {
        batch->pieces[i] = (struct iovec){batch->octets[i], room};
        batch->messages[i].msg_hdr = (struct msghdr){
            .msg_name = &batch->addresses[i],
            .msg_namelen = sizeof batch->addresses[i],
            .msg_iov = &batch->pieces[i],
            .msg_iovlen = 1,
            .msg_control = batch->controls[i].octets,
            .msg_controllen = sizeof batch->controls[i],
        };
    }
}

/* An address of either family has its port at the same place. */
static uint16_t port_of(const union mt_socket_address *address)
{
    return ntohs(address->v4.sin_port);
}

static void append(struct mt_worker_batch *batch, const union mt_socket_address *to, uint16_t port,
                   size_t length)
{
    unsigned i = batch->count++;
    bool is_v6 = to->any.sa_family == AF_INET6;
    batch->addresses[i] = *to;
    batch->addresses[i].v4.sin_port = htons(port);
    batch->pieces[i] = (struct iovec){batch->octets[i], length};
    batch->messages[i].msg_hdr = (struct msghdr){
        .msg_name = &batch->addresses[i],
        .msg_namelen = is_v6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in),
        .msg_iov = &batch->pieces[i],
        .msg_iovlen = 1,
    };
}

/* Frames from `first` on.  One that is refused (no route ...) is skipped, and `is_sent` told of
 * each. */
static void send_some(int fd, struct mt_worker_batch *batch, unsigned first, unsigned frames,
                      bool is_sent[MT_WORKER_BATCH])
{
    for (unsigned done = first; done < first + frames;) {
        int sent = sendmmsg(fd, batch->messages + done, first + frames - done, 0);
        for (int i = 0; i < sent; i++) {
            is_sent[done++] = true;
        }
        if (sent <= 0) {
            is_sent[done++] = false;
        }
    }
}

/* What came along with a frame; 0: there is no such thing. */
struct told {
    int64_t stamp_ns;
    bool has_id;
    uint32_t id;
};

static bool is_error_notice(const struct cmsghdr *c)
{
    return (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_RECVERR) ||
           (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_RECVERR);
}

static void read_control(struct msghdr *message, struct told *ret_told)
{
    *ret_told = (struct told){0};
    for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c != NULL; c = CMSG_NXTHDR(message, c)) {
        if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPING) {
            struct timespec stamp;
            memcpy(&stamp, CMSG_DATA(c), sizeof stamp);
            ret_told->stamp_ns = stamp.tv_sec * MT_NS_PER_S + stamp.tv_nsec;
        } else if (is_error_notice(c)) {
            struct sock_extended_err error;
            memcpy(&error, CMSG_DATA(c), sizeof error);
            ret_told->has_id = error.ee_origin == SO_EE_ORIGIN_TIMESTAMPING;
            ret_told->id = error.ee_data;
        }
    }
}

/* ---- requests -------------------------------------------------------------------------------- */

void mt_worker_sender(const union mt_socket_address *sender, struct mt_address *ret_from)
{
    *ret_from = (struct mt_address){.udp_port = port_of(sender)};
    if (sender->any.sa_family == AF_INET6) {
        ret_from->network = MT_NETWORK_UDP_IPV6;
        memcpy(ret_from->octets, &sender->v6.sin6_addr, sizeof sender->v6.sin6_addr);
    } else {
        ret_from->network = MT_NETWORK_UDP_IPV4;
        memcpy(ret_from->octets, &sender->v4.sin_addr, sizeof sender->v4.sin_addr);
    }
}

static void answer(struct mt_worker *self, unsigned i)
{
    const struct mt_workers_options *options = &self->all->options;
    const union mt_socket_address *sender = &self->in.addresses[i];
    struct mt_stateless_answer *made = &self->answers[self->out.count];
    struct mt_address from;
    struct mt_instant arrival;
    struct told told;
    mt_worker_sender(sender, &from);
    read_control(&self->in.messages[i].msg_hdr, &told);
    arrival = time_of(self, told.stamp_ns);
    enum mt_stateless_counter outcome = mt_stateless_answer(
        &options->server, &self->snapshot.served, self->in.octets[i], self->in.messages[i].msg_len,
        told.stamp_ns != 0 ? &arrival : NULL, &from, made);
    count(self, outcome, 1);
    if (outcome == MT_STATELESS_ANSWERED) {
        bool is_v6 = sender->any.sa_family == AF_INET6;
        append(&self->out, sender, from.udp_port, made->length + (is_v6 ? EXTRA_OCTETS : 0));
    }
}

/* ---- first frames ---------------------------------------------------------------------------- */

static void ask_for_stamp(struct mt_worker_batch *batch, unsigned i)
{
    const uint32_t flags = SOF_TIMESTAMPING_TX_SOFTWARE;
    struct msghdr *message = &batch->messages[i].msg_hdr;
    uint8_t *control = batch->controls[i].octets;
    const struct cmsghdr header = {
        .cmsg_len = CMSG_LEN(sizeof flags), .cmsg_level = SOL_SOCKET, .cmsg_type = SO_TIMESTAMPING};
    memset(control, 0, CMSG_SPACE(sizeof flags));
    memcpy(control, &header, sizeof header);
    memcpy(control + CMSG_LEN(0), &flags, sizeof flags);
    message->msg_control = control;
    message->msg_controllen = CMSG_SPACE(sizeof flags);
}

/* Frames that say themselves when they leave, with others among them. */
static void send_group(struct mt_worker *self, unsigned first, unsigned frames,
                       bool is_sent[MT_WORKER_BATCH])
{
    int64_t begin_ns = mt_worker_read_ns(CLOCK_REALTIME);
    for (unsigned i = 0; i < frames; i++) {
        struct mt_stateless_answer *made = &self->answers[first + i];
        if (made->rest.is_one_step) {
            int64_t after_ns = mt_pace_after_ns(&self->pace, i, frames);
            struct mt_instant departure = time_of(self, begin_ns + after_ns);
            mt_stateless_insert(made, &departure);
            memcpy(self->out.octets[first + i], made->frame, made->length);
        }
    }
    int64_t ready_ns = mt_worker_read_ns(CLOCK_REALTIME);
    send_some(self->event_fd, &self->out, first, frames, is_sent);
    mt_pace_learn(&self->pace, ready_ns - begin_ns, mt_worker_read_ns(CLOCK_REALTIME) - ready_ns,
                  frames);
}

static void await(struct mt_worker *self, const bool is_sent[MT_WORKER_BATCH])
{
    bool is_first = true;
    for (unsigned i = 0; i < self->out.count; i++) {
        const struct mt_stateless_answer *made = &self->answers[i];
        struct mt_departure departure = {
            .rest = made->rest, .to = self->out.addresses[i], .length = made->length};
        if (!is_sent[i]) {
            count(self, MT_STATELESS_STAMP_LOST, 1);
        } else if (!made->rest.is_one_step) {
            mt_departures_add(&self->departures, &departure,
                              mt_departures_is_anchor(i, self->out.count), is_first);
            is_first = false;
        }
    }
}

static void send_first(struct mt_worker *self)
{
    const unsigned frames = self->out.count;
    const unsigned group =
        self->all->options.server.csptp_one_step ? MT_DEPARTURES_STRIDE : MT_WORKER_BATCH;
    bool is_sent[MT_WORKER_BATCH];
    for (unsigned i = 0; i < frames; i++) {
        const struct mt_stateless_answer *made = &self->answers[i];
        if (!made->rest.is_one_step && mt_departures_is_anchor(i, frames)) {
            ask_for_stamp(&self->out, i);
        }
        memcpy(self->out.octets[i], made->frame, made->length);
        memset(self->out.octets[i] + made->length, 0, EXTRA_OCTETS);
    }
    for (unsigned i = 0; i < frames; i += group) {
        send_group(self, i, frames - i < group ? frames - i : group, is_sent);
    }
    await(self, is_sent);
}

/* ---- second frames --------------------------------------------------------------------------- */

static void send_second(struct mt_worker *self)
{
    bool is_sent[MT_WORKER_BATCH];
    const struct mt_departure *departure;
    self->out.count = 0;
    while (self->out.count < MT_WORKER_BATCH &&
           (departure = mt_departures_take(&self->departures)) != NULL) {
        const struct mt_stateless_rest *rest = &departure->rest;
        struct mt_instant left = time_of(self, departure->stamp_ns);
        size_t written =
            mt_stateless_finish(&self->snapshot.served, rest, &left,
                                self->out.octets[self->out.count], MT_WORKER_REQUEST_SIZE);
        uint16_t port = mt_stateless_general_port(rest);
        append(&self->out, &departure->to, port != 0 ? port : GENERAL_PORT, written);
    }
    send_some(self->general_fd, &self->out, 0, self->out.count, is_sent);
}

static void take_departures(struct mt_worker *self)
{
    int received = MT_WORKER_BATCH;
    while (mt_departures_are_awaited(&self->departures) && received == MT_WORKER_BATCH) {
        empty(&self->in, LOOPED_SIZE);
        received = recvmmsg(self->event_fd, self->in.messages, MT_WORKER_BATCH,
                            MSG_ERRQUEUE | MSG_DONTWAIT, NULL);
        for (int i = 0; i < received; i++) {
            struct told told;
            size_t length = self->in.messages[i].msg_len;
            read_control(&self->in.messages[i].msg_hdr, &told);
            if (told.has_id && length < LOOPED_SIZE) {
                (void)mt_departures_stamp(&self->departures, told.id, self->in.octets[i], length,
                                          told.stamp_ns);
            }
        }
        do {
            send_second(self);
        } while (self->out.count == MT_WORKER_BATCH);
    }
}

void mt_worker_turn(struct mt_worker *self)
{
    uint64_t lost = self->departures.lost;
    empty(&self->in, MT_WORKER_REQUEST_SIZE);
    int received =
        recvmmsg(self->event_fd, self->in.messages, MT_WORKER_BATCH, MSG_WAITFORONE, NULL);
    mt_worker_take_snapshot(self);
    compare_clocks(self);
    self->out.count = 0;
    for (int i = 0; i < received; i++) {
        answer(self, (unsigned)i);
    }
    send_first(self);
    take_departures(self);
    count(self, MT_STATELESS_STAMP_LOST, self->departures.lost - lost);
}
