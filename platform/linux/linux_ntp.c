/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The link to an NTP server: one UDP socket, connected to the server, so that the kernel passes on
 * its packets alone, and says at once if there is no way or nobody listens.  Each question gets a
 * new socket, and so a new port; the old one is closed, and with it goes what was still to come.
 * The stamp in a socket's error queue is that of its question.  Where a driver makes none, patience
 * ends soon: the node has another idea of when it was sent.
 */
#include "platform/linux/linux_ntp_card.h"
#include "platform/linux/linux_private.h"

#include <errno.h>
#include <linux/errqueue.h>
#include <linux/net_tstamp.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CONTROL_SIZE 512
#define PATIENCE_NS  INT64_C(200000000)

struct mt_linux_ntp {
    struct mt_hal_link hal;
    struct mt_linux *platform;
    char interface[IFNAMSIZ]; /* "": any */
    uint16_t index;
    int fd; /* -1: closed */
    struct mt_address to;
    struct mt_linux_ntp_card card;
    uint32_t token; /* of the question whose stamp is awaited; 0: none */
    struct mt_mono give_up_at;
    bool is_refused; /* nobody listens there, as the last that came from there says */
    char reason[MT_HAL_REASON_SIZE];
};

/* ---- the socket ------------------------------------------------------------------------------ */

static socklen_t name_of(const struct mt_address *to, struct sockaddr_storage *ret_name)
{
    struct sockaddr_in in4 = {.sin_family = AF_INET, .sin_port = htons(to->udp_port)};
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(to->udp_port)};

    memset(ret_name, 0, sizeof *ret_name);
    if (to->network == MT_NETWORK_UDP_IPV6) {
        memcpy(&in6.sin6_addr, to->octets, sizeof in6.sin6_addr);
        memcpy(ret_name, &in6, sizeof in6);
        return sizeof in6;
    }
    memcpy(&in4.sin_addr, to->octets, sizeof in4.sin_addr);
    memcpy(ret_name, &in4, sizeof in4);
    return sizeof in4;
}

static void close_socket(struct mt_linux_ntp *self)
{
    if (self->fd >= 0) {
        close(self->fd);
        self->fd = -1;
        self->platform->wait.is_set_old = true;
    }
}

static bool choose_card(struct mt_linux_ntp *self, char reason[MT_HAL_REASON_SIZE])
{
    bool is_good = mt_linux_ntp_card_choose(&self->card, self->platform, self->interface, reason);

    self->hal.has_hardware_clock = self->card.counter != 0;
    self->hal.hardware_clock = self->card.hardware_clock;
    return is_good;
}

/* What could not be done, with errno; null: all is well.  Without stamps it is a link as well. */
static const char *prepare(struct mt_linux_ntp *self)
{
    struct sockaddr_storage name;
    socklen_t size = name_of(&self->to, &name);

    if (!mt_linux_set_nonblocking(self->fd)) {
        return "set up a socket";
    }
    if (self->interface[0] && setsockopt(self->fd, SOL_SOCKET, SO_BINDTODEVICE, self->interface,
                                         (socklen_t)strlen(self->interface) + 1) != 0) {
        return "use the interface";
    }
    (void)mt_linux_set_int(self->fd, SOL_SOCKET, SO_SELECT_ERR_QUEUE, 1);
    (void)mt_linux_set_int(self->fd, SOL_SOCKET, SO_TIMESTAMPING,
                           mt_linux_ntp_card_flags(&self->card));
    return connect(self->fd, (const struct sockaddr *)&name, size) == 0 ? 0 : "reach the server";
}

static bool open_socket(struct mt_linux_ntp *self, const struct mt_address *to)
{
    const char *failed;
    int error;

    close_socket(self);
    self->is_refused = self->is_refused && mt_address_equal(to, &self->to);
    self->to = *to;
    if (!choose_card(self, self->reason)) {
        return false;
    }
    self->fd = socket(to->network == MT_NETWORK_UDP_IPV6 ? AF_INET6 : AF_INET, SOCK_DGRAM, 0);
    failed = self->fd >= 0 ? prepare(self) : "make a socket";
    error = errno;
    if (failed) {
        close_socket(self);
        mt_linux_say(self->reason, "cannot %s: %s", failed, strerror(error));
        return false;
    }
    self->platform->wait.is_set_old = true;
    return true;
}

/* ---- sending --------------------------------------------------------------------------------- */

static void miss_stamp(struct mt_linux_ntp *self)
{
    self->hal.counters.stamps_missing++;
    self->token = 0;
    mt_linux_ntp_card_note(&self->card, false);
}

static bool link_send(struct mt_hal_link *hal, const struct mt_link_frame *frame)
{
    struct mt_linux_ntp *self = (struct mt_linux_ntp *)hal;

    if (self->token != 0) { /* nobody waits for it any more */
        miss_stamp(self);
    }
    if (open_socket(self, &frame->to)) {
        if (send(self->fd, frame->bytes, frame->length, 0) == (ssize_t)frame->length) {
            hal->counters.sent++;
            self->token = frame->token;
            self->give_up_at = mt_mono_plus(mt_linux_now(), PATIENCE_NS);
            self->reason[0] = self->is_refused ? self->reason[0] : 0;
            return true;
        }
        mt_linux_say(self->reason, "cannot send to the server: %s", strerror(errno));
    }
    hal->counters.send_failed++;
    return false;
}

static const struct mt_hal_link_ops link_ops = {.send = link_send};

/* ---- receiving ------------------------------------------------------------------------------- */

struct arrival {
    bool has_stamp;
    struct mt_base_time stamp;
    bool is_departure;
};

/* The kernel's own stamp is the first of three, the card's the last. */
static void take_control(struct msghdr *message, uint16_t counter, struct arrival *arrival)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
        size_t size = c->cmsg_len - CMSG_LEN(0);
        bool is_notice = (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_RECVERR) ||
                         (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_RECVERR);

        if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPING &&
            size >= sizeof(struct scm_timestamping)) {
            struct scm_timestamping stamps;
            const struct timespec *stamp = &stamps.ts[counter != 0 ? 2 : 0];

            memcpy(&stamps, CMSG_DATA(c), sizeof stamps);
            arrival->has_stamp = stamp->tv_sec != 0 || stamp->tv_nsec != 0;
            arrival->stamp = (struct mt_base_time){
                .ns = stamp->tv_sec * MT_NS_PER_S + stamp->tv_nsec, .counter = counter};
        } else if (is_notice && size >= sizeof(struct sock_extended_err)) {
            struct sock_extended_err error;

            memcpy(&error, CMSG_DATA(c), sizeof error);
            arrival->is_departure = error.ee_origin == SO_EE_ORIGIN_TIMESTAMPING;
        }
    }
}

static void note_refusal(struct mt_linux_ntp *self, int error)
{
    if (error == ECONNREFUSED) {
        self->is_refused = true;
        mt_linux_say(self->reason, "nobody answers NTP there: %s", strerror(error));
    }
}

/* One recvmsg; -1 if there is nothing. */
static ssize_t receive(struct mt_linux_ntp *self, int flags, uint8_t *buffer,
                       struct arrival *ret_arrival)
{
    union {
        struct cmsghdr aligned;
        uint8_t octets[CONTROL_SIZE];
    } control;
    struct iovec piece = {buffer, MT_LINUX_FRAME_SIZE};
    struct msghdr message = {.msg_iov = &piece,
                             .msg_iovlen = 1,
                             .msg_control = control.octets,
                             .msg_controllen = sizeof control.octets};
    ssize_t length = recvmsg(self->fd, &message, flags);

    memset(ret_arrival, 0, sizeof *ret_arrival);
    if (length < 0) {
        note_refusal(self, errno);
        return -1;
    }
    take_control(&message, self->card.counter, ret_arrival);
    return length;
}

void mt_linux_ntp_receive(struct mt_linux_ntp *self, uint8_t *buffer, struct mt_input *ret_input)
{
    struct arrival arrival;
    ssize_t length = receive(self, 0, buffer, &arrival);

    if (length < 0) {
        return;
    }
    self->is_refused = false;
    self->reason[0] = 0;
    self->hal.counters.received++;
    mt_linux_ntp_card_note(&self->card, arrival.has_stamp);
    arrival.stamp.ns += mt_linux_ntp_card_reception_ns(
        self->card.speed_mbit, self->to.network == MT_NETWORK_UDP_IPV6, (size_t)length);
    ret_input->kind = MT_INPUT_FRAME;
    ret_input->bytes = buffer;
    ret_input->length = (size_t)length;
    ret_input->has_stamp = arrival.has_stamp;
    ret_input->stamp = arrival.stamp;
    ret_input->from = self->to;
}

void mt_linux_ntp_take_stamp(struct mt_linux_ntp *self, uint8_t *buffer, struct mt_input *ret_input)
{
    struct arrival arrival;
    int error = 0;
    socklen_t size = sizeof error;

    if (receive(self, MSG_ERRQUEUE, buffer, &arrival) < 0) {
        (void)getsockopt(self->fd, SOL_SOCKET, SO_ERROR, &error, &size);
        note_refusal(self, error);
        return;
    }
    if (arrival.has_stamp && arrival.is_departure && self->token != 0) {
        ret_input->kind = MT_INPUT_TX_STAMP;
        ret_input->token = self->token;
        ret_input->has_stamp = true;
        ret_input->stamp = arrival.stamp;
        self->token = 0;
    }
}

bool mt_linux_ntp_take_due(struct mt_linux_ntp *self, struct mt_input *ret_input,
                           struct mt_mono *deadline)
{
    if (self->token == 0) {
        return false;
    }
    if (ret_input->now.ns < self->give_up_at.ns) {
        *deadline = mt_mono_earlier(*deadline, self->give_up_at);
        return false;
    }
    ret_input->kind = MT_INPUT_TX_STAMP;
    ret_input->link = self->index;
    ret_input->token = self->token;
    ret_input->has_stamp = false;
    miss_stamp(self);
    return true;
}

/* ---- the whole ------------------------------------------------------------------------------- */

int mt_linux_ntp_descriptor(const struct mt_linux_ntp *self)
{
    return self->fd;
}

uint16_t mt_linux_ntp_index(const struct mt_linux_ntp *self)
{
    return self->index;
}

const char *mt_linux_ntp_reason(const struct mt_linux *platform, uint16_t index)
{
    for (size_t i = 0; i < platform->ntp_count; i++) {
        if (platform->ntp[i]->index == index) {
            return platform->ntp[i]->reason;
        }
    }
    return "";
}

struct mt_hal_link *mt_linux_ntp_open(struct mt_linux *platform, uint16_t index,
                                      const struct mt_link_request *request,
                                      char reason[MT_HAL_REASON_SIZE])
{
    struct mt_linux_ntp *self;

    if (platform->ntp_count >= MT_LINUX_NTP) {
        mt_linux_say(reason, "cannot ask so many NTP servers: the limit is %d", MT_LINUX_NTP);
        return 0;
    }
    if (strlen(request->interface) >= IFNAMSIZ) {
        mt_linux_say(reason, "\"%.40s\" is no interface name", request->interface);
        return 0;
    }
    self = calloc(1, sizeof *self);
    if (!self) {
        mt_linux_say(reason, "out of memory");
        return 0;
    }
    self->hal.ops = &link_ops;
    self->hal.stamping = self->card.stamping;
    self->platform = platform;
    mt_linux_ntp_card_init(&self->card, request->stamper);
    memcpy(self->interface, request->interface, strlen(request->interface));
    self->index = index;
    self->fd = -1;
    if (!choose_card(self, reason)) {
        free(self);
        return 0;
    }
    platform->ntp[platform->ntp_count++] = self;
    return &self->hal;
}

bool mt_linux_ntp_may_set_cards(const struct mt_linux *platform)
{
    for (size_t i = 0; i < platform->ntp_count; i++) {
        const struct mt_linux_ntp *self = platform->ntp[i];
        bool is_missing = self->interface[0] != 0 && self->card.ifindex == 0 &&
                          self->card.stamper != MT_STAMPER_KERNEL;

        if (is_missing || self->card.counter != 0) {
            return true;
        }
    }
    return false;
}

void mt_linux_ntp_close(struct mt_linux *platform, uint16_t index)
{
    size_t kept = 0;

    for (size_t i = 0; i < platform->ntp_count; i++) {
        struct mt_linux_ntp *self = platform->ntp[i];

        platform->ntp[kept] = self;
        if (self->index != index) {
            kept++;
            continue;
        }
        close_socket(self);
        mt_linux_ntp_card_end(&self->card, platform);
        free(self);
    }
    platform->ntp_count = kept;
    platform->wait.is_set_old = true; /* it counts them */
}

void mt_linux_ntp_close_all(struct mt_linux *platform)
{
    for (size_t i = 0; i < platform->ntp_count; i++) {
        close_socket(platform->ntp[i]);
        mt_linux_ntp_card_end(&platform->ntp[i]->card, platform);
        free(platform->ntp[i]);
    }
    platform->ntp_count = 0;
}
