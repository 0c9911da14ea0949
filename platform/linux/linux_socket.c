/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What the sockets of all transports have in common: timestamps, receiving, sending.  A link has
 * two sockets, for event and for general messages, whatever carries them; only the event socket
 * has timestamps.  What differs between transports (how a socket is bound, what an address is, how
 * a message becomes a packet) is behind struct mt_linux_transport.
 *
 * Transmit stamps come back through the error queue with the whole frame (OPT_TSONLY is never set),
 * because the frame is what names the message; see linux_tokens.c.  With hardware stamps the kernel
 * is not asked for its own besides: a stamp is of the link's counter, or there is none.
 */
#include "platform/linux/linux_ntp_card.h"
#include "platform/linux/linux_private.h"

#include <errno.h>
#include <linux/errqueue.h>
#include <linux/if_packet.h>
#include <linux/net_tstamp.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONTROL_SIZE   512
#define NS_PER_US      1000
#define RECEIVE_BUFFER (4 * 1024 * 1024)

uint16_t mt_linux_port_of(enum mt_socket_role role)
{
    return role == MT_SOCKET_EVENT ? MT_LINUX_EVENT_PORT : MT_LINUX_GENERAL_PORT;
}

bool mt_linux_set_int(int fd, int level, int option, int value)
{
    return setsockopt(fd, level, option, &value, sizeof value) == 0;
}

static const char *remedy_for(int error)
{
    switch (error) {
    case EADDRINUSE:
        return "another PTP daemon is running there; stop it (ptp4l, ptpd, or another meantimed)";
    case EACCES:
    case EPERM:
        return "run as root, or give the program CAP_NET_BIND_SERVICE and CAP_NET_RAW";
    case EMFILE:
    case ENFILE:
        return "raise the limit of open files";
    case ENODEV:
    case ENXIO:
        return "waiting for the interface";
    case EAFNOSUPPORT:
        return "this kernel does not have it; choose another transport";
    }
    return "check the interface's configuration";
}

/* ---- opening ---------------------------------------------------------------------------- */

/* A large buffer bridges the moments in which we do not run: the stamps tell when a frame came. */
static void set_queues(int fd, const struct mt_linux_link *link)
{
    if (!mt_linux_set_int(fd, SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_BUFFER)) {
        (void)mt_linux_set_int(fd, SOL_SOCKET, SO_RCVBUF, RECEIVE_BUFFER);
    }
    (void)mt_linux_set_int(fd, SOL_SOCKET, SO_RXQ_OVFL, 1);
    if (link->request.socket_priority > 0) {
        (void)mt_linux_set_int(fd, SOL_SOCKET, SO_PRIORITY, link->request.socket_priority);
    }
}

/* Has the kernel convert the card's stamps into those of the virtual clock that the link's clock
 * is, if it is one: it knows better than we.  Packet sockets must be told the interface again. */
static bool bind_clock(int fd, struct mt_linux_link *link, int flags)
{
    struct so_timestamping bound = {.flags = flags | SOF_TIMESTAMPING_BIND_PHC, .bind_phc = -1};
    struct mt_phc *phc = link->counter != 0 && link->request.clock
                             ? mt_linux_phc_of(link->platform, link->request.clock)
                             : 0;

    if (!phc || phc->index == link->hal.hardware_clock) {
        return false;
    }
    bound.bind_phc = phc->index;
    (void)setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, link->present,
                     (socklen_t)strlen(link->present) + 1);
    if (setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPING, &bound, sizeof bound) != 0) {
        return false;
    }
    link->bound_clock = phc->index;
    link->counter = mt_counter_of_phc(phc->index);
    link->hal.hardware_clock = phc->index;
    mt_linux_say(link->stamping, "hardware, by the virtual clock %s", phc->path);
    return true;
}

static bool ask_for_stamps(int fd, struct mt_linux_link *link)
{
    int flags = SOF_TIMESTAMPING_OPT_ID | SOF_TIMESTAMPING_OPT_CMSG;

    if (link->counter != 0) {
        flags |= SOF_TIMESTAMPING_RX_HARDWARE | SOF_TIMESTAMPING_TX_HARDWARE |
                 SOF_TIMESTAMPING_RAW_HARDWARE;
    } else {
        flags |=
            SOF_TIMESTAMPING_RX_SOFTWARE | SOF_TIMESTAMPING_TX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE;
    }

    (void)mt_linux_set_int(fd, SOL_SOCKET, SO_SELECT_ERR_QUEUE, 1);
    if (bind_clock(fd, link, flags)) {
        return true;
    }
    return mt_linux_set_int(fd, SOL_SOCKET, SO_TIMESTAMPING, flags);
}

static bool prepare(int fd, struct mt_linux_link *link, enum mt_socket_role role,
                    char reason[MT_HAL_REASON_SIZE])
{
    const char *failed = mt_linux_set_nonblocking(fd) ? 0 : "set up";

    failed = failed ? failed : link->transport->prepare(fd, link, role);
    if (!failed) {
        set_queues(fd, link);
    }
    if (!failed && role == MT_SOCKET_EVENT && !ask_for_stamps(fd, link)) {
        failed = "have timestamps on";
    }
    if (failed) {
        int error = errno;

        mt_linux_say(reason, "cannot %s %s on %s: %s; %s", failed, link->transport->names[role],
                     link->present, strerror(error), remedy_for(error));
    }
    return !failed;
}

static bool open_socket(struct mt_linux_link *link, enum mt_socket_role role,
                        char reason[MT_HAL_REASON_SIZE])
{
    int fd = socket(link->transport->family, SOCK_DGRAM, 0);

    if (fd < 0) {
        int error = errno;

        mt_linux_say(reason, "cannot make a socket for %s: %s; %s", link->present, strerror(error),
                     remedy_for(error));
        return false;
    }
    if (!prepare(fd, link, role, reason)) {
        close(fd);
        return false;
    }
    link->sockets[role] = (struct mt_linux_socket){fd, 0};
    link->platform->wait.is_set_old = true;
    return true;
}

bool mt_linux_sockets_open(struct mt_linux_link *link, char reason[MT_HAL_REASON_SIZE])
{
    link->next_id = 0;
    if (!mt_linux_card_open(link, reason)) {
        return false;
    }
    if (open_socket(link, MT_SOCKET_EVENT, reason) &&
        open_socket(link, MT_SOCKET_GENERAL, reason)) {
        return true;
    }
    mt_linux_sockets_close(link);
    return false;
}

void mt_linux_sockets_close(struct mt_linux_link *link)
{
    mt_linux_outbox_flush(link);
    for (int i = 0; i < MT_SOCKET_ROLE_COUNT; i++) {
        if (link->sockets[i].fd >= 0) {
            close(link->sockets[i].fd);
            link->sockets[i].fd = -1;
        }
    }
    mt_linux_card_close(link);
    link->platform->wait.is_set_old = true;
}

/* ---- receiving -------------------------------------------------------------------------- */

/* what came along with a frame */
struct control {
    struct sockaddr_storage from; /* family 0: unknown */
    bool has_stamp;
    struct mt_base_time stamp;
    bool has_id;
    uint32_t id;
    bool has_dropped;
    uint32_t dropped;
};

/* The kernel's own stamp is the first of three, the card's the last. */
static void take_stamp(const void *data, uint16_t counter, struct control *control)
{
    struct scm_timestamping stamps;
    const struct timespec *stamp = &stamps.ts[counter != 0 ? 2 : 0];

    memcpy(&stamps, data, sizeof stamps);
    control->has_stamp = stamp->tv_sec != 0 || stamp->tv_nsec != 0;
    control->stamp = (struct mt_base_time){.ns = stamp->tv_sec * MT_NS_PER_S + stamp->tv_nsec,
                                           .counter = counter};
}

static void take_id(const void *data, struct control *control)
{
    struct sock_extended_err error;

    memcpy(&error, data, sizeof error);
    if (error.ee_origin == SO_EE_ORIGIN_TIMESTAMPING && error.ee_info == SCM_TSTAMP_SND) {
        control->has_id = true;
        control->id = error.ee_data;
    }
}

/* where the kernel tells which frame was stamped */
static bool is_error_notice(const struct cmsghdr *c)
{
    return (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_RECVERR) ||
           (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_RECVERR) ||
           (c->cmsg_level == SOL_PACKET && c->cmsg_type == PACKET_TX_TIMESTAMP);
}

static void take_control(struct msghdr *message, uint16_t counter, struct control *control)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
        size_t size = c->cmsg_len - CMSG_LEN(0);

        if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPING &&
            size >= sizeof(struct scm_timestamping)) {
            take_stamp(CMSG_DATA(c), counter, control);
        } else if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SO_RXQ_OVFL &&
                   size >= sizeof control->dropped) {
            control->has_dropped = true;
            memcpy(&control->dropped, CMSG_DATA(c), sizeof control->dropped);
        } else if (is_error_notice(c) && size >= sizeof(struct sock_extended_err)) {
            take_id(CMSG_DATA(c), control);
        }
    }
}

/* One recvmsg; -1 if there is nothing.  An error is a reason to look at the interface. */
static ssize_t receive(struct mt_linux_link *link, int fd, int flags, uint8_t *buffer,
                       struct control *ret_control)
{
    union {
        struct cmsghdr aligned;
        uint8_t octets[CONTROL_SIZE];
    } control;
    struct iovec piece = {buffer, MT_LINUX_FRAME_SIZE};
    struct msghdr message = {.msg_name = &ret_control->from,
                             .msg_namelen = sizeof ret_control->from,
                             .msg_iov = &piece,
                             .msg_iovlen = 1,
                             .msg_control = control.octets,
                             .msg_controllen = sizeof control.octets};
    ssize_t length;

    memset(ret_control, 0, sizeof *ret_control);
    length = recvmsg(fd, &message, flags);
    if (length < 0) {
        if (errno != EAGAIN && errno != EINTR) {
            mt_linux_link_suspect(link);
        }
        return -1;
    }
    take_control(&message, link->counter, ret_control);
    return length;
}

void mt_linux_receive(struct mt_linux_link *link, enum mt_socket_role role, uint8_t *buffer,
                      struct mt_input *ret_input)
{
    struct mt_linux_socket *socket = &link->sockets[role];
    struct control control;
    ssize_t length = receive(link, socket->fd, 0, buffer, &control);

    if (length < 0) {
        return;
    }
    if (control.has_dropped) { /* the kernel's count runs from the socket's birth, modulo 2^32 */
        link->hal.counters.kernel_dropped += control.dropped - socket->dropped;
        socket->dropped = control.dropped;
    }
    link->hal.counters.received++;
    if (role == MT_SOCKET_EVENT) {
        mt_linux_card_received(link, buffer, (size_t)length, control.has_stamp);
    }
    ret_input->kind = MT_INPUT_FRAME;
    ret_input->bytes = buffer;
    ret_input->length = (size_t)length;
    ret_input->has_stamp = control.has_stamp;
    ret_input->stamp = control.stamp;
    ret_input->stamp.ns += mt_linux_ntp_in_ptp_ns(link, buffer, (size_t)length);
    link->transport->sender(&control.from, &ret_input->from);
}

/* Poll said "error", but there was no stamp: then the socket has an error to clear, or is dead. */
static void clear_error(struct mt_linux_link *link, int fd)
{
    int error = 0;
    socklen_t size = sizeof error;

    (void)getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
    mt_linux_link_suspect(link);
}

static void count_stamp(struct mt_linux_link *link)
{
    int64_t delay_us = (mt_linux_now().ns - link->tokens.sent.ns) / NS_PER_US;
    unsigned bucket = 0;

    while (bucket < MT_LINK_DELAYS - 1 && delay_us > INT64_C(1) << bucket) {
        bucket++;
    }
    link->unstamped = 0;
    link->has_stamped = true;
    link->hal.counters.stamps_taken++;
    link->hal.counters.stamp_delays[bucket]++;
}

void mt_linux_take_stamp(struct mt_linux_link *link, enum mt_socket_role role, uint8_t *buffer,
                         struct mt_input *ret_input)
{
    int fd = link->sockets[role].fd;
    struct control control;
    struct mt_token_key key;
    ssize_t length = receive(link, fd, MSG_ERRQUEUE, buffer, &control);
    enum mt_token_match match = MT_TOKEN_UNKNOWN;

    if (length < 0) {
        clear_error(link, fd);
        return;
    }
    if (!control.has_stamp) {
        return;
    }
    if (mt_token_key_of_looped(buffer, (size_t)length, link->transport->network,
                               mt_linux_port_of(role), &key)) {
        match = mt_tokens_match(&link->tokens, &key, control.has_id, control.id, &ret_input->token);
    }
    if (match != MT_TOKEN_MATCHED) {
        link->hal.counters.stamps_ambiguous++;
        return;
    }
    count_stamp(link);
    if (ret_input->token == 0) { /* nobody wants it */
        return;
    }
    ret_input->kind = MT_INPUT_TX_STAMP;
    ret_input->has_stamp = true;
    ret_input->stamp = control.stamp;
}

/* ---- sending ---------------------------------------------------------------------------- */

/* False if it is no address of the link's network. */
static bool find_destination(const struct mt_linux_link *link, const struct mt_link_frame *frame,
                             struct mt_address *ret_to)
{
    switch (frame->destination) {
    case MT_LINK_PRIMARY:
        *ret_to = link->primary;
        break;
    case MT_LINK_PEER:
        *ret_to = link->peer;
        break;
    case MT_LINK_ADDRESS:
        *ret_to = frame->to;
        break;
    }
    if (link->transport->network == MT_NETWORK_IEEE_802_3) {
        ret_to->udp_port = 0;
    } else if (ret_to->udp_port == 0) {
        ret_to->udp_port = mt_linux_port_of(frame->is_event ? MT_SOCKET_EVENT : MT_SOCKET_GENERAL);
    }
    return ret_to->network == link->transport->network;
}

static bool can_insert(const struct mt_linux_link *link, const struct mt_link_frame *frame)
{
    bool is_origin = frame->insertion == MT_INSERT_ORIGIN;

    return link->hal.inserts_stamps ||
           (is_origin ? link->hal.inserts_origin : link->hal.inserts_turnaround);
}

/* An event frame that could not be given a token must not leave: its stamp would be nobody's.
 * The token may be added after the frame has left, for nobody reads the error queue in between. */
static bool send_event(struct mt_linux_link *link, const struct mt_link_frame *frame,
                       const struct mt_address *to)
{
    struct mt_token_key key;

    if (frame->insertion != MT_INSERT_NOTHING) { /* its time is in it: no stamp comes back */
        return can_insert(link, frame) && link->transport->transmit(link, frame, to);
    }
    if (!mt_tokens_have_room(&link->tokens) ||
        !mt_token_key_of(frame->bytes, frame->length, to, &key) ||
        !link->transport->transmit(link, frame, to)) {
        return false;
    }
    mt_tokens_add(&link->tokens, &key, frame->token, link->next_id++, mt_linux_now());
    return true;
}

static bool link_send(struct mt_hal_link *hal, const struct mt_link_frame *frame)
{
    struct mt_linux_link *link = (struct mt_linux_link *)hal;
    struct mt_address to;
    bool has_receiver = link->has_interface && find_destination(link, frame, &to);
    bool is_sent;

    if (has_receiver && mt_linux_outbox_put(link, frame, &to)) {
        return true;
    }
    is_sent = has_receiver && (frame->is_event ? send_event(link, frame, &to)
                                               : link->transport->transmit(link, frame, &to));
    if (is_sent) {
        hal->counters.sent++;
    } else {
        hal->counters.send_failed++;
        mt_linux_link_suspect(link);
    }
    return is_sent;
}

const struct mt_hal_link_ops mt_linux_link_ops = {.send = link_send};
