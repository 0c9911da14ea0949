/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * A worker takes what has come with one recvmmsg, makes the first frames of all answers, sends them
 * with one sendmmsg, takes the times of their departure off the error queue, and sends the second
 * frames.  Software timestamps are made while sendmmsg runs, so as a rule they are all there when
 * it returns; what is not waits, in a ring by the kernel's number of the frame, and is looked for
 * again after the next batch, or at the next turn.  A frame whose place in the ring is needed is
 * given up.  The kernel's number alone is not believed: the frame that comes back must have the
 * sequence number that was sent.
 *
 * With csptp_one_step the first frame is the only one.  Frames leave one after the other while
 * sendmmsg runs, and how long one takes is known of the batches before: so each says when it is
 * expected to leave.  A thread that is interrupted meanwhile makes that too early, which its
 * client cannot tell from a longer path.  The kernel's timestamp is asked for frame by frame, of
 * those only that need it.
 *
 * The snapshot is guarded by a sequence number, odd while it is written; a worker copies it once
 * for a batch.  Timestamps are the kernel's CLOCK_REALTIME; a reading of that clock and of the
 * page's base, together, translates those of a batch.
 */
#include "platform/linux/linux_workers.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/errqueue.h>
#include <linux/net_tstamp.h>
#include <net/if.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "platform/linux/linux_private.h"

#define EVENT_PORT     319
#define GENERAL_PORT   320
#define BATCH          64
#define REQUEST_SIZE   512
#define LOOPED_SIZE    256
#define CONTROL_SIZE   128
#define RING           1024 /* a power of two */
#define SEQUENCE_AT    30   /* in a frame */
#define TURN_US        200000
#define FRAME_MAX_NS   20000 /* longer ones are interruptions */
#define RECEIVE_BUFFER (4 * 1024 * 1024)

struct snapshot {
    struct mt_served served;
    struct mt_clock_page page;
};

/* A first frame whose departure is awaited. */
struct waiting {
    bool is_used;
    uint32_t id;
    size_t length;
    struct mt_stateless_rest rest;
};

struct control {
    _Alignas(struct cmsghdr) uint8_t octets[CONTROL_SIZE];
};

/* Storage of one batch, in one direction. */
struct batch {
    struct mmsghdr messages[BATCH];
    struct iovec pieces[BATCH];
    struct sockaddr_in addresses[BATCH];
    struct control controls[BATCH];
    uint8_t octets[BATCH][REQUEST_SIZE];
    unsigned count;
};

struct worker {
    struct mt_workers *all;
    pthread_t thread;
    bool is_running;
    int event_fd;
    int general_fd;
    uint32_t next_id;
    unsigned waiting_count;
    int64_t base_minus_stamp_ns;
    struct snapshot snapshot;
    struct waiting ring[RING];
    struct mt_stateless_answer answers[BATCH];
    int64_t frame_ns_q8; /* what sendmmsg takes for one, times 256 */
    struct batch in;
    struct batch out;
    _Atomic uint64_t counters[MT_STATELESS_COUNTER_COUNT];
};

struct mt_workers {
    struct mt_workers_options options;
    _Atomic bool is_stopping;
    _Atomic uint32_t sequence;
    struct snapshot snapshot;
    struct worker *workers[MT_WORKERS_MAX];
};

/* ---- snapshot -------------------------------------------------------------------------------- */

void mt_workers_publish(struct mt_workers *self, const struct mt_served *served,
                        const struct mt_clock_page *page)
{
    uint32_t sequence = atomic_load_explicit(&self->sequence, memory_order_relaxed);
    atomic_store_explicit(&self->sequence, sequence + 1, memory_order_relaxed);
    atomic_thread_fence(memory_order_release);
    self->snapshot.served = *served;
    self->snapshot.page = *page;
    atomic_store_explicit(&self->sequence, sequence + 2, memory_order_release);
}

static void take_snapshot(struct worker *self)
{
    struct mt_workers *all = self->all;
    uint32_t before;
    uint32_t after;
    do {
        before = atomic_load_explicit(&all->sequence, memory_order_acquire);
        memcpy(&self->snapshot, &all->snapshot, sizeof self->snapshot);
        atomic_thread_fence(memory_order_acquire);
        after = atomic_load_explicit(&all->sequence, memory_order_relaxed);
    } while (before != after || before % 2 != 0);
    if (before == 0) {
        self->snapshot.served.is_serving = false;
    }
}

static int64_t read_ns(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return now.tv_sec * MT_NS_PER_S + now.tv_nsec;
}

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

static void compare_clocks(struct worker *self)
{
    clockid_t base = clock_of((enum mt_base_clock)self->snapshot.page.base);
    int64_t before_ns = read_ns(CLOCK_REALTIME);
    int64_t base_ns = read_ns(base);
    int64_t after_ns = read_ns(CLOCK_REALTIME);
    self->base_minus_stamp_ns = base_ns - before_ns - (after_ns - before_ns) / 2;
    if (base_ns > self->snapshot.page.valid_until_base_ns) {
        self->snapshot.served.is_serving = false;
    }
}

static struct mt_instant time_of(const struct worker *self, int64_t stamp_ns)
{
    return mt_clock_page_time(&self->snapshot.page, stamp_ns + self->base_minus_stamp_ns);
}

/* ---- batches --------------------------------------------------------------------------------- */

static void count(struct worker *self, enum mt_stateless_counter counter)
{
    uint64_t was = atomic_load_explicit(&self->counters[counter], memory_order_relaxed);
    atomic_store_explicit(&self->counters[counter], was + 1, memory_order_relaxed);
}

/* As the kernel wants it before it receives: the lengths are those of the room. */
static void empty(struct batch *batch, size_t room)
{
    for (unsigned i = 0; i < BATCH; i++) {
        batch->pieces[i] = (struct iovec){batch->octets[i], room};
        batch->messages[i].msg_hdr = (struct msghdr){
            .msg_name = &batch->addresses[i],
            .msg_namelen = sizeof batch->addresses[i],
            .msg_iov = &batch->pieces[i],
            .msg_iovlen = 1,
            .msg_control = batch->controls[i].octets,
            .msg_controllen = CONTROL_SIZE,
        };
    }
}

static void append(struct batch *batch, const struct mt_address *to, uint16_t udp_port,
                   size_t length)
{
    unsigned i = batch->count++;
    batch->addresses[i] = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(udp_port)};
    memcpy(&batch->addresses[i].sin_addr, to->octets, sizeof batch->addresses[i].sin_addr);
    batch->pieces[i] = (struct iovec){batch->octets[i], length};
    batch->messages[i].msg_hdr = (struct msghdr){
        .msg_name = &batch->addresses[i],
        .msg_namelen = sizeof batch->addresses[i],
        .msg_iov = &batch->pieces[i],
        .msg_iovlen = 1,
    };
}

/* One that is refused (no route ...) is skipped, and `is_sent` told of each. */
static void send_all(int fd, struct batch *batch, bool is_sent[BATCH])
{
    for (unsigned done = 0; done < batch->count;) {
        int sent = sendmmsg(fd, batch->messages + done, batch->count - done, 0);
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

static void read_control(struct msghdr *message, struct told *ret_told)
{
    *ret_told = (struct told){0};
    for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c != NULL; c = CMSG_NXTHDR(message, c)) {
        if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPING) {
            struct timespec stamp;
            memcpy(&stamp, CMSG_DATA(c), sizeof stamp);
            ret_told->stamp_ns = stamp.tv_sec * MT_NS_PER_S + stamp.tv_nsec;
        } else if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_RECVERR) {
            struct sock_extended_err error;
            memcpy(&error, CMSG_DATA(c), sizeof error);
            ret_told->has_id = error.ee_origin == SO_EE_ORIGIN_TIMESTAMPING;
            ret_told->id = error.ee_data;
        }
    }
}

/* ---- requests -------------------------------------------------------------------------------- */

/* Of the frame that was appended last. */
static void ask_for_stamp(struct batch *batch)
{
    const uint32_t flags = SOF_TIMESTAMPING_TX_SOFTWARE;
    struct msghdr *message = &batch->messages[batch->count - 1].msg_hdr;
    uint8_t *control = batch->controls[batch->count - 1].octets;
    const struct cmsghdr header = {
        .cmsg_len = CMSG_LEN(sizeof flags), .cmsg_level = SOL_SOCKET, .cmsg_type = SO_TIMESTAMPING};
    memset(control, 0, CMSG_SPACE(sizeof flags));
    memcpy(control, &header, sizeof header);
    memcpy(control + CMSG_LEN(0), &flags, sizeof flags);
    message->msg_control = control;
    message->msg_controllen = CMSG_SPACE(sizeof flags);
}

static void answer(struct worker *self, unsigned i)
{
    const struct mt_workers_options *options = &self->all->options;
    struct msghdr *message = &self->in.messages[i].msg_hdr;
    const struct sockaddr_in *sender = &self->in.addresses[i];
    struct mt_address from = {.network = MT_NETWORK_UDP_IPV4, .udp_port = ntohs(sender->sin_port)};
    struct mt_stateless_answer *made = &self->answers[self->out.count];
    struct mt_instant arrival;
    struct told told;
    memcpy(from.octets, &sender->sin_addr, sizeof sender->sin_addr);
    read_control(message, &told);
    arrival = time_of(self, told.stamp_ns);
    enum mt_stateless_counter outcome = mt_stateless_answer(
        &options->server, &self->snapshot.served, self->in.octets[i], self->in.messages[i].msg_len,
        told.stamp_ns != 0 ? &arrival : NULL, &from, made);
    count(self, outcome);
    if (outcome == MT_STATELESS_ANSWERED) {
        append(&self->out, &made->rest.to, made->rest.to.udp_port, made->length);
        if (!made->rest.is_one_step) {
            ask_for_stamp(&self->out);
        }
    }
}

static void wait_for(struct worker *self, const struct mt_stateless_rest *rest, size_t length)
{
    struct waiting *waiting = &self->ring[self->next_id % RING];
    if (waiting->is_used) {
        count(self, MT_STATELESS_STAMP_LOST);
        self->waiting_count--;
    }
    *waiting = (struct waiting){true, self->next_id++, length, *rest};
    self->waiting_count++;
}

/* ---- departures ------------------------------------------------------------------------------ */

/* The frame that came back, behind the headers of its packet, is the one that was sent. */
static bool is_same(const struct worker *self, unsigned i, const struct waiting *waiting)
{
    size_t length = self->in.messages[i].msg_len;
    const uint8_t *frame = self->in.octets[i] + length - waiting->length;
    return length >= waiting->length && length <= LOOPED_SIZE &&
           (frame[SEQUENCE_AT] << 8 | frame[SEQUENCE_AT + 1]) == waiting->rest.sequence;
}

/* Makes the second frame of an answer out of a first one that came back. */
static void finish(struct worker *self, unsigned i)
{
    struct told told;
    read_control(&self->in.messages[i].msg_hdr, &told);
    struct waiting *waiting = &self->ring[told.id % RING];
    if (!told.has_id || told.stamp_ns == 0 || !waiting->is_used || waiting->id != told.id ||
        !is_same(self, i, waiting)) {
        return;
    }
    waiting->is_used = false;
    self->waiting_count--;
    struct mt_instant departure = time_of(self, told.stamp_ns);
    const struct mt_stateless_rest *rest = &waiting->rest;
    size_t written = mt_stateless_finish(&self->snapshot.served, rest, &departure,
                                         self->out.octets[self->out.count], REQUEST_SIZE);
    uint16_t udp_port = mt_stateless_general_port(rest);
    append(&self->out, &rest->to, udp_port != 0 ? udp_port : GENERAL_PORT, written);
}

static void take_departures(struct worker *self)
{
    bool is_sent[BATCH];
    int received = BATCH;
    while (self->waiting_count > 0 && received == BATCH) {
        empty(&self->in, LOOPED_SIZE);
        received =
            recvmmsg(self->event_fd, self->in.messages, BATCH, MSG_ERRQUEUE | MSG_DONTWAIT, NULL);
        self->out.count = 0;
        for (int i = 0; i < received; i++) {
            finish(self, (unsigned)i);
        }
        send_all(self->general_fd, &self->out, is_sent);
    }
}

/* ---- the thread ------------------------------------------------------------------------------ */

/* The first frames, with their times of departure in those that say it themselves. */
static void send_first(struct worker *self, bool is_sent[BATCH])
{
    unsigned frames = self->out.count;
    int64_t begin_ns = read_ns(CLOCK_REALTIME);
    for (unsigned i = 0; i < frames; i++) {
        struct mt_stateless_answer *made = &self->answers[i];
        if (made->rest.is_one_step) {
            int64_t after_ns = (2 * (int64_t)i + 1) * self->frame_ns_q8 / 512;
            struct mt_instant departure = time_of(self, begin_ns + after_ns);
            mt_stateless_insert(made, &departure);
        }
        memcpy(self->out.octets[i], made->frame, made->length);
    }
    send_all(self->event_fd, &self->out, is_sent);
    if (frames > 0) {
        int64_t each_ns = (read_ns(CLOCK_REALTIME) - begin_ns) / frames;
        each_ns = each_ns < 0 ? 0 : each_ns < FRAME_MAX_NS ? each_ns : FRAME_MAX_NS;
        self->frame_ns_q8 += (each_ns * 256 - self->frame_ns_q8) / 16;
    }
}

static void turn(struct worker *self)
{
    bool is_sent[BATCH];
    empty(&self->in, REQUEST_SIZE);
    int received = recvmmsg(self->event_fd, self->in.messages, BATCH, MSG_WAITFORONE, NULL);
    take_snapshot(self);
    compare_clocks(self);
    self->out.count = 0;
    for (int i = 0; i < received; i++) {
        answer(self, (unsigned)i);
    }
    send_first(self, is_sent);
    for (unsigned i = 0; i < self->out.count; i++) {
        const struct mt_stateless_answer *made = &self->answers[i];
        if (!is_sent[i]) {
            count(self, MT_STATELESS_STAMP_LOST);
        } else if (!made->rest.is_one_step) {
            wait_for(self, &made->rest, made->length);
        }
    }
    take_departures(self);
}

static void *run(void *context)
{
    struct worker *self = context;
    while (!atomic_load_explicit(&self->all->is_stopping, memory_order_relaxed)) {
        turn(self);
    }
    return NULL;
}

static bool set_int(int fd, int level, int option, int value)
{
    return setsockopt(fd, level, option, &value, sizeof value) == 0;
}

static int open_socket(const struct mt_workers_options *options, uint16_t port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    const struct timeval patience = {.tv_usec = TURN_US};
    int stamps = SOF_TIMESTAMPING_RX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE |
                 SOF_TIMESTAMPING_OPT_ID | SOF_TIMESTAMPING_OPT_CMSG;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    const char *interface = options->interface;
    memcpy(&address.sin_addr, options->address.octets, sizeof address.sin_addr);
    if (fd < 0) {
        return -1;
    }
    if ((interface != NULL && setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, interface,
                                         (socklen_t)strlen(interface) + 1) != 0) ||
        !set_int(fd, SOL_SOCKET, SO_REUSEADDR, 1) || !set_int(fd, SOL_SOCKET, SO_REUSEPORT, 1) ||
        bind(fd, (struct sockaddr *)&address, sizeof address) != 0 ||
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) != 0 ||
        (port == EVENT_PORT && !set_int(fd, SOL_SOCKET, SO_TIMESTAMPING, stamps))) {
        int error = errno;
        close(fd);
        errno = error;
        return -1;
    }
    /* nobody reads what comes to the general port */
    (void)set_int(fd, SOL_SOCKET, SO_RCVBUF, port == EVENT_PORT ? RECEIVE_BUFFER : 1);
    return fd;
}

static bool start(struct mt_workers *self, unsigned i, char reason[MT_HAL_REASON_SIZE])
{
    struct worker *worker = calloc(1, sizeof *worker);
    self->workers[i] = worker;
    if (worker == NULL) {
        mt_linux_say(reason, "out of memory");
        return false;
    }
    worker->all = self;
    worker->event_fd = open_socket(&self->options, EVENT_PORT);
    worker->general_fd = worker->event_fd >= 0 ? open_socket(&self->options, GENERAL_PORT) : -1;
    int error = errno;
    if (worker->general_fd >= 0) {
        error = pthread_create(&worker->thread, NULL, run, worker);
        worker->is_running = error == 0;
    }
    if (!worker->is_running) {
        mt_linux_say(reason, "cannot start a worker that answers requests: %s", strerror(error));
    }
    return worker->is_running;
}

struct mt_workers *mt_workers_start(const struct mt_workers_options *options,
                                    char reason[MT_HAL_REASON_SIZE])
{
    struct mt_workers *self = calloc(1, sizeof *self);
    sigset_t all;
    sigset_t before;
    if (self == NULL || options->count > MT_WORKERS_MAX) {
        mt_linux_say(reason, "out of memory");
        free(self);
        return NULL;
    }
    self->options = *options;
    sigfillset(&all); /* signals are the loop's */
    pthread_sigmask(SIG_SETMASK, &all, &before);
    bool is_good = true;
    for (unsigned i = 0; is_good && i < options->count; i++) {
        is_good = start(self, i, reason);
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!is_good) {
        mt_workers_stop(self);
        return NULL;
    }
    return self;
}

void mt_workers_count(const struct mt_workers *self,
                      uint64_t ret_counters[MT_STATELESS_COUNTER_COUNT])
{
    memset(ret_counters, 0, MT_STATELESS_COUNTER_COUNT * sizeof *ret_counters);
    for (unsigned i = 0; i < self->options.count; i++) {
        for (unsigned counter = 0; counter < MT_STATELESS_COUNTER_COUNT; counter++) {
            ret_counters[counter] +=
                atomic_load_explicit(&self->workers[i]->counters[counter], memory_order_relaxed);
        }
    }
}

int64_t mt_workers_cpu_ns(const struct mt_workers *self)
{
    int64_t sum_ns = 0;
    for (unsigned i = 0; i < self->options.count; i++) {
        clockid_t clock;
        if (pthread_getcpuclockid(self->workers[i]->thread, &clock) == 0) {
            sum_ns += read_ns(clock);
        }
    }
    return sum_ns;
}

void mt_workers_stop(struct mt_workers *self)
{
    if (self == NULL) {
        return;
    }
    atomic_store(&self->is_stopping, true);
    for (unsigned i = 0; i < self->options.count && self->workers[i] != NULL; i++) {
        struct worker *worker = self->workers[i];
        if (worker->is_running) {
            pthread_join(worker->thread, NULL);
        }
        if (worker->event_fd >= 0) {
            close(worker->event_fd);
        }
        if (worker->general_fd >= 0) {
            close(worker->general_fd);
        }
        free(worker);
    }
    free(self);
}
