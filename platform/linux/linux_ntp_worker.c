/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * A turn takes what has come with one recvmmsg, copies what is served, makes each answer in the
 * place from which it leaves, and sends them in groups.  Arrivals are the kernel's timestamps; one
 * reading of its clock and of the page's base, together, translates those of a batch.
 *
 * Within a group answers leave one after the other while sendmmsg runs, and how long one takes is
 * known of those before (linux_pace.h): so each says when it is expected to leave.
 *
 * Of answers for which interleaved mode wants better, and now and then of the first of a group, to
 * learn the pace, the kernel is asked for the time of departure.  It hands it out with the packet,
 * in which is what the answer is remembered by, so that nothing needs to be numbered.  The
 * loopback interface and most cards have stamped when sendmmsg returns; what is not there yet is
 * looked for at the next turns, some times.
 */
#include "platform/linux/linux_ntp_worker.h"

#include <arpa/inet.h>
#include <linux/errqueue.h>
#include <linux/net_tstamp.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "platform/linux/linux_worker.h"

#define GROUP          16
#define PATIENCE       8
#define LOOPED_ROOM    256
#define UDP_HEAD       8
#define LINE_NS        (INT64_C(1) << 26)
#define GAIN_MAX_Q16   (LINE_NS * 65536 / 64)
#define SECOND_Q16     (INT64_C(65536) * MT_NS_PER_S)
#define RECEIVE_OFFSET 32                 /* of the receive timestamp */
#define PROBE_EVERY_NS (MT_NS_PER_S / 50) /* at most */

/* ---- time ------------------------------------------------------------------------------------ */

/* The served time at a timestamp. */
static struct mt_instant exact_time(const struct mt_ntp_thread *self, int64_t stamp_ns)
{
    const struct mt_instant at =
        mt_clock_page_time(&self->snapshot.page, stamp_ns + self->base_minus_stamp_ns);
    return mt_ntp_scale_time(&self->snapshot.serving.scale, &at);
}

static bool is_steady(int64_t gain_q16)
{
    return gain_q16 < GAIN_MAX_Q16 && gain_q16 > -GAIN_MAX_Q16;
}

/* A packet that came right before the leap second is answered right after it. */
static bool has_just_leapt(const struct mt_ntp_thread *self, int64_t stamp_ns)
{
    const struct mt_instant before = exact_time(self, stamp_ns - LINE_NS);
    int64_t ran_q16 = mt_span_to_interval(mt_instant_minus(self->line.at, before)).q16;
    return !is_steady(ran_q16 - LINE_NS * 65536);
}

/* For those of a batch a line through two points will do, unless a leap second is near. */
static void draw_line(struct mt_ntp_thread *self, int64_t stamp_ns)
{
    struct mt_ntp_line *line = &self->line;
    const struct mt_instant end = exact_time(self, stamp_ns + LINE_NS);
    line->stamp_ns = stamp_ns;
    line->at = exact_time(self, stamp_ns);
    line->gain_q16 = mt_span_to_interval(mt_instant_minus(end, line->at)).q16 - LINE_NS * 65536;
    line->is_good = is_steady(line->gain_q16) &&
                    (self->snapshot.serving.scale.leap_s == 0 || !has_just_leapt(self, stamp_ns));
}

static struct mt_instant time_of(const struct mt_ntp_thread *self, int64_t stamp_ns)
{
    const struct mt_ntp_line *line = &self->line;
    int64_t after_ns = stamp_ns - line->stamp_ns;
    if (!line->is_good || after_ns > LINE_NS || after_ns < -LINE_NS) {
        return exact_time(self, stamp_ns);
    }
    struct mt_instant at = line->at;
    int64_t q16 =
        ((int64_t)at.ns + after_ns) * 65536 + at.frac + after_ns * line->gain_q16 / LINE_NS;
    while (q16 < 0) {
        q16 += SECOND_Q16;
        at.s--;
    }
    while (q16 >= SECOND_Q16) {
        q16 -= SECOND_Q16;
        at.s++;
    }
    at.ns = (uint32_t)(q16 >> 16);
    at.frac = (uint16_t)q16;
    return at;
}

static void take_snapshot(struct mt_ntp_thread *self)
{
    struct mt_ntp_served *served = &self->snapshot.serving.served;
    const struct mt_clock_page *page = &self->snapshot.page;
    bool is_told = mt_snapshot_read(&self->all->snapshot, &self->snapshot, sizeof self->snapshot);
    int64_t base_ns = mt_worker_compare((enum mt_base_clock)page->base, &self->base_minus_stamp_ns);
    draw_line(self, base_ns - self->base_minus_stamp_ns);
    self->nts.ring = self->snapshot.ring;
    self->server.nts = self->snapshot.has_ring ? &self->nts : NULL;
    if (!is_told || base_ns > page->valid_until_base_ns) {
        served->leap = MT_NTP_LEAP_UNKNOWN;
    } else {
        const struct mt_instant at = mt_clock_page_time(page, base_ns);
        mt_ntp_serving_pass(&self->snapshot.serving, &at);
    }
}

/* ---- requests -------------------------------------------------------------------------------- */

/* What came along with a packet. */
struct told {
    int64_t stamp_ns; /* 0: none */
    bool has_v4;
    bool has_v6;
    struct in_addr v4; /* where it was sent to */
    struct in6_pktinfo v6;
};

static void read_control(struct msghdr *message, struct told *ret_told)
{
    ret_told->stamp_ns = 0;
    ret_told->has_v4 = ret_told->has_v6 = false;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c != NULL; c = CMSG_NXTHDR(message, c)) {
        if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPING) {
            struct timespec stamp;
            memcpy(&stamp, CMSG_DATA(c), sizeof stamp);
            ret_told->stamp_ns = stamp.tv_sec * MT_NS_PER_S + stamp.tv_nsec;
        } else if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
            struct in_pktinfo info;
            memcpy(&info, CMSG_DATA(c), sizeof info);
            ret_told->has_v4 = true;
            ret_told->v4 = info.ipi_spec_dst;
        } else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
            ret_told->has_v6 = true;
            memcpy(&ret_told->v6, CMSG_DATA(c), sizeof ret_told->v6);
        }
    }
}

static void add_control(struct mt_ntp_control *control, struct msghdr *message, int level, int type,
                        const void *value, size_t length)
{
    uint8_t *at = control->octets + message->msg_controllen;
    const struct cmsghdr header = {
        .cmsg_len = CMSG_LEN(length), .cmsg_level = level, .cmsg_type = type};
    memcpy(at, &header, sizeof header);
    memcpy(at + CMSG_LEN(0), value, length);
    message->msg_control = control->octets;
    message->msg_controllen += CMSG_SPACE(length);
}

/* An answer leaves from the address that was asked, by whatever way leads to the client; within
 * the link there is but one. */
static void leave_from(const struct told *told, struct mt_ntp_control *control,
                       struct msghdr *message)
{
    if (told->has_v4) {
        const struct in_pktinfo info = {.ipi_spec_dst = told->v4};
        add_control(control, message, IPPROTO_IP, IP_PKTINFO, &info, sizeof info);
    } else if (told->has_v6) {
        struct in6_pktinfo info = told->v6;
        info.ipi6_ifindex = IN6_IS_ADDR_LINKLOCAL(&info.ipi6_addr) ? told->v6.ipi6_ifindex : 0;
        add_control(control, message, IPPROTO_IPV6, IPV6_PKTINFO, &info, sizeof info);
    }
}

static void ask_for_departure(struct mt_ntp_thread *self, unsigned i)
{
    static const uint32_t asks_for_stamp = SOF_TIMESTAMPING_TX_SOFTWARE;
    add_control(&self->out.controls[i], &self->out.messages[i].msg_hdr, SOL_SOCKET, SO_TIMESTAMPING,
                &asks_for_stamp, sizeof asks_for_stamp);
    self->awaited++;
    self->patience = PATIENCE;
}

static void send_later(struct mt_ntp_thread *self, unsigned request, const struct told *told)
{
    unsigned i = self->out.count++;
    struct msghdr *message = &self->out.messages[i].msg_hdr;
    message->msg_name = &self->in.addresses[request];
    message->msg_namelen = self->in.messages[request].msg_hdr.msg_namelen;
    message->msg_control = NULL;
    message->msg_controllen = 0;
    leave_from(told, &self->out.controls[i], message);
    if (self->out.made[i].receive != 0) {
        ask_for_departure(self, i);
    }
}

static void answer(struct mt_ntp_thread *self, unsigned i, struct mt_mono now)
{
    struct mt_address from;
    struct told told;
    mt_worker_sender(&self->in.addresses[i], &from);
    read_control(&self->in.messages[i].msg_hdr, &told);
    const struct mt_instant arrival = time_of(self, told.stamp_ns);
    const struct mt_ntp_request request = {
        .octets = self->in.octets[i],
        .length = self->in.messages[i].msg_len,
        .arrival = told.stamp_ns != 0 ? &arrival : NULL,
        .from = &from,
        .now = now,
    };
    struct mt_ntp_answer *made = &self->out.made[self->out.count];
    mt_ntp_answer(&self->server, &self->snapshot.serving.served, &self->worker, &request, made);
    if (made->length > 0) {
        send_later(self, i, &told);
    }
}

/* ---- answers --------------------------------------------------------------------------------- */

/* What an answer is remembered by: when its request came, which it says. */
static mt_ntp_time remembered_by(const uint8_t *octets)
{
    mt_ntp_time receive = 0;
    for (unsigned k = 0; k < sizeof receive; k++) {
        receive = receive << 8 | octets[RECEIVE_OFFSET + k];
    }
    return receive;
}

/* The pace wants to know when this one leaves, which is the first of its group. */
static void probe(struct mt_ntp_thread *self, unsigned i, int64_t begin_ns)
{
    struct mt_ntp_probe *probe = &self->probe;
    if (begin_ns - probe->begin_ns >= 0 && begin_ns - probe->begin_ns < PROBE_EVERY_NS) {
        return;
    }
    if (self->out.made[i].receive == 0) {
        ask_for_departure(self, i);
    }
    probe->receive = remembered_by(self->out.made[i].octets);
    probe->begin_ns = begin_ns;
    probe->is_awaited = true;
}

static void send_group(struct mt_ntp_thread *self, unsigned first, unsigned answers)
{
    int64_t begin_ns = mt_worker_read_ns(CLOCK_REALTIME);
    probe(self, first, begin_ns);
    for (unsigned i = first; i < first + answers; i++) {
        int64_t after_ns = mt_pace_after_ns(&self->pace, i - first, answers);
        const struct mt_instant departure = time_of(self, begin_ns + after_ns);
        mt_ntp_answer_finish(&self->server, &self->out.made[i], &departure);
        self->out.pieces[i].iov_len = self->out.made[i].length;
    }
    int64_t ready_ns = mt_worker_read_ns(CLOCK_REALTIME);
    for (unsigned done = first; done < first + answers;) {
        int sent = sendmmsg(self->fd, self->out.messages + done, first + answers - done, 0);
        done += sent > 0 ? (unsigned)sent : 1; /* one that is refused is skipped */
    }
    mt_pace_learn(&self->pace, ready_ns - begin_ns, mt_worker_read_ns(CLOCK_REALTIME) - ready_ns,
                  answers);
    if (self->probe.begin_ns == begin_ns) {
        self->probe.ready_ns = ready_ns;
    }
}

/* ---- departures ------------------------------------------------------------------------------ */

/* Where the IP header of a looped packet begins, with headers of the link before it or without. */
static const uint8_t *find_udp(const uint8_t *packet, size_t length, size_t *ret_length)
{
    static const size_t heads[] = {14, 0, 18};
    for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++) {
        const uint8_t *ip = packet + heads[i];
        size_t size = heads[i] + 40 <= length ? (ip[0] >> 4 == 4 ? 4u * (ip[0] & 15u) : 40u) : 0;
        bool is_udp = size >= 20 && heads[i] + size + UDP_HEAD <= length &&
                      ((ip[0] >> 4 == 4 && ip[9] == IPPROTO_UDP) ||
                       (ip[0] >> 4 == 6 && ip[6] == IPPROTO_UDP));
        if (is_udp) {
            *ret_length = length - heads[i] - size;
            return ip + size;
        }
    }
    return NULL;
}

static void take_departure(struct mt_ntp_thread *self, unsigned i)
{
    struct told told;
    size_t length = self->in.messages[i].msg_len;
    read_control(&self->in.messages[i].msg_hdr, &told);
    const uint8_t *udp = find_udp(self->in.octets[i], length, &length);
    if (udp == NULL || length < UDP_HEAD + MT_NTP_HEADER_SIZE || told.stamp_ns == 0) {
        return;
    }
    mt_ntp_time receive = remembered_by(udp + UDP_HEAD);
    if (self->probe.is_awaited && receive == self->probe.receive) {
        self->probe.is_awaited = false;
        mt_pace_departed(&self->pace, told.stamp_ns - self->probe.ready_ns);
    }
    const struct mt_instant left = time_of(self, told.stamp_ns);
    mt_ntp_departures_tell(&self->worker.departures, receive, &left);
}

/* As the kernel wants it before it receives. */
static void empty(struct mt_ntp_requests *in)
{
    for (unsigned i = 0; i < in->used; i++) {
        struct msghdr *message = &in->messages[i].msg_hdr;
        message->msg_namelen = sizeof in->addresses[i];
        message->msg_controllen = sizeof in->controls[i];
    }
    in->used = 0;
}

static unsigned receive(struct mt_ntp_thread *self, int flags)
{
    empty(&self->in);
    int received = recvmmsg(self->fd, self->in.messages, MT_NTP_BATCH, flags, NULL);
    self->in.used = received > 0 ? (unsigned)received : 0;
    return self->in.used;
}

static void take_departures(struct mt_ntp_thread *self)
{
    unsigned received = MT_NTP_BATCH;
    if (self->awaited == 0) {
        return;
    }
    while (received == MT_NTP_BATCH) {
        received = receive(self, MSG_ERRQUEUE | MSG_DONTWAIT);
        for (unsigned i = 0; i < received; i++) {
            take_departure(self, i);
        }
        self->awaited -= received < self->awaited ? received : self->awaited;
    }
    self->patience--;
    self->awaited = self->patience > 0 ? self->awaited : 0;
}

/* ---- rules ----------------------------------------------------------------------------------- */

/* Without memory nobody is limited. */
static void set_limit(struct mt_ntp_thread *self, const struct mt_ntp_ruling *ruling)
{
    struct mt_ntp_limit *limit = &self->worker.limit;
    if (ruling->is_limited && self->limited == 0) {
        struct mt_ntp_limited *places = calloc(self->all->clients, sizeof *places);
        self->limited = places != NULL ? self->all->clients : 0;
        mt_ntp_limit_init(limit, places, self->limited, ruling->log_interval, ruling->burst,
                          mt_prng_next_u32(&self->worker.random));
    }
    limit->count = ruling->is_limited ? self->limited : 0;
    limit->log_interval = ruling->log_interval;
    limit->burst = ruling->burst;
}

/* Between two turns nothing is in use of those before. */
static void take_rules(struct mt_ntp_thread *self)
{
    const struct mt_ntp_ruling *ruling = mt_ntp_rules_take(&self->all->rules, &self->user);
    if (ruling != NULL) {
        self->server = ruling->server;
        set_limit(self, ruling);
    }
}

/* ---- a turn ---------------------------------------------------------------------------------- */

void mt_ntp_thread_init(struct mt_ntp_thread *self)
{
    for (unsigned i = 0; i < MT_NTP_BATCH; i++) {
        self->in.pieces[i] = (struct iovec){self->in.octets[i], sizeof self->in.octets[i]};
        self->in.messages[i].msg_hdr = (struct msghdr){
            .msg_name = &self->in.addresses[i],
            .msg_iov = &self->in.pieces[i],
            .msg_iovlen = 1,
            .msg_control = self->in.controls[i].octets,
        };
        self->out.pieces[i].iov_base = self->out.made[i].octets;
        self->out.messages[i].msg_hdr =
            (struct msghdr){.msg_iov = &self->out.pieces[i], .msg_iovlen = 1};
    }
    self->in.used = MT_NTP_BATCH;
    mt_nts_server_init(&self->nts, self->all->crypto);
}

static struct mt_mono mono_now(void)
{
    return (struct mt_mono){mt_worker_read_ns(CLOCK_MONOTONIC_COARSE)};
}

static void tell_outcomes(struct mt_ntp_thread *self)
{
    for (unsigned i = 0; i < MT_NTP_OUTCOME_COUNT; i++) {
        atomic_store_explicit(&self->outcomes[i], self->worker.outcomes[i], memory_order_relaxed);
    }
}

void mt_ntp_thread_turn(struct mt_ntp_thread *self)
{
    unsigned received = receive(self, MSG_WAITFORONE);
    take_rules(self);
    if (received > 0) {
        const struct mt_mono now = mono_now();
        take_snapshot(self);
        self->out.count = 0;
        for (unsigned i = 0; i < received; i++) {
            answer(self, i, now);
        }
        for (unsigned i = 0; i < self->out.count; i += GROUP) {
            unsigned left = self->out.count - i;
            send_group(self, i, left < GROUP ? left : GROUP);
        }
        tell_outcomes(self);
    }
    take_departures(self);
}
