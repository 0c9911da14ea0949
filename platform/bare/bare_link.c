/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Two sockets, one for event and one for general messages [1588-2019 annex C], and a poll.  Stamps
 * are the counter as soon as the kernel has handed a frame over, in either direction: they contain
 * what the kernel needs, tens of microseconds, which a MAC's stamps would not.
 */
#include <asm/ioctls.h>
#include <asm/unistd.h>
#include <linux/in.h>
#include <linux/poll.h>
#include <linux/sockios.h>
#include <linux/time.h>

#include "platform/bare/bare.h"
#include "platform/bare/bare_system.h"

#define IPV4             2 /* AF_INET, SOCK_DGRAM ... are the C library's names, the kernel's ABI */
#define DATAGRAM         2
#define CLOSE_AND_NOWAIT 02004000
#define SOCKET_LEVEL     1
#define REUSE_ADDRESS    2
#define BIND_TO_DEVICE   25
#define EVENT_PORT       319
#define GENERAL_PORT     320
#define PRIMARY_GROUP    0xE0000181u /* 224.0.1.129 */
#define PEER_GROUP       0xE000006Bu /* 224.0.0.107 */
#define IS_RUNNING       0x40        /* of an interface, IFF_RUNNING */
#define LOOK_NS          INT64_C(200000000)
#define GRANULARITY_NS   1

/* struct ifreq: the kernel's header wants the C library's */
struct interface_request {
    char name[16];
    union {
        int32_t index;
        int16_t flags;
        struct {
            uint16_t family;
            uint8_t octets[14];
        } address;
        uint64_t room[3];
    } value;
};

static uint16_t network16(uint16_t x)
{
    const uint8_t octets[2] = {(uint8_t)(x >> 8), (uint8_t)x};
    uint16_t result;
    memcpy(&result, octets, sizeof result);
    return result;
}

static uint32_t network32(uint32_t x)
{
    const uint8_t octets[4] = {(uint8_t)(x >> 24), (uint8_t)(x >> 16), (uint8_t)(x >> 8),
                               (uint8_t)x};
    uint32_t result;
    memcpy(&result, octets, sizeof result);
    return result;
}

static struct mt_base_time count_ns(void)
{
    struct timespec time = {0};
    mt_bare_call(__NR_clock_gettime, CLOCK_MONOTONIC_RAW, (long)&time, 0, 0, 0, 0);
    return (struct mt_base_time){.ns = time.tv_sec * INT64_C(1000000000) + time.tv_nsec};
}

/* ---- sending -------------------------------------------------------------------------------- */

static void keep_stamp(struct mt_bare *self, uint32_t token, struct mt_base_time at)
{
    if (self->stamp_count < MT_BARE_STAMPS) {
        self->stamps[self->stamp_count++] = (struct mt_bare_stamp){token, at};
    }
}

static struct sockaddr_in address_for(const struct mt_link_frame *frame)
{
    const uint32_t group = frame->destination == MT_LINK_PEER ? PEER_GROUP : PRIMARY_GROUP;
    struct sockaddr_in to = {.sin_family = IPV4};
    to.sin_port = network16(frame->is_event ? EVENT_PORT : GENERAL_PORT);
    to.sin_addr.s_addr = network32(group);
    if (frame->destination == MT_LINK_ADDRESS) {
        memcpy(&to.sin_addr, frame->to.octets, sizeof to.sin_addr);
        if (frame->to.udp_port != 0) {
            to.sin_port = network16(frame->to.udp_port);
        }
    }
    return to;
}

static bool link_send(struct mt_hal_link *link, const struct mt_link_frame *frame)
{
    struct mt_bare *self = (struct mt_bare *)((char *)link - offsetof(struct mt_bare, link));
    const struct sockaddr_in to = address_for(frame);
    const long sent =
        mt_bare_call(__NR_sendto, frame->is_event ? self->event_fd : self->general_fd,
                     (long)frame->bytes, (long)frame->length, 0, (long)&to, (long)sizeof to);
    if (sent != (long)frame->length) {
        link->counters.send_failed++;
        return false;
    }
    link->counters.sent++;
    if (frame->token != 0) {
        keep_stamp(self, frame->token, count_ns());
    }
    return true;
}

static const struct mt_hal_link_ops link_ops = {.send = link_send};

/* ---- waiting -------------------------------------------------------------------------------- */

static struct mt_mono wait_now(struct mt_hal_wait *wait)
{
    (void)wait;
    return (struct mt_mono){count_ns().ns};
}

static bool is_up_now(const struct mt_bare *self)
{
    struct interface_request request = {.name = ""};
    memcpy(request.name, self->name, sizeof self->name);
    return mt_bare_call(__NR_ioctl, self->event_fd, SIOCGIFFLAGS, (long)&request, 0, 0, 0) == 0 &&
           (request.value.flags & IS_RUNNING) != 0;
}

static bool take_link(struct mt_bare *self, struct mt_input *ret_input)
{
    if (ret_input->now.ns < self->look_at.ns) {
        return false;
    }
    const bool is_up = is_up_now(self);
    self->look_at = mt_mono_plus(ret_input->now, LOOK_NS);
    if (self->has_told && is_up == self->is_up) {
        return false;
    }
    self->has_told = true;
    self->is_up = is_up;
    ret_input->kind = MT_INPUT_LINK;
    ret_input->is_up = is_up;
    return true;
}

static bool take_stamp(struct mt_bare *self, struct mt_input *ret_input)
{
    if (self->stamp_count == 0) {
        return false;
    }
    ret_input->kind = MT_INPUT_TX_STAMP;
    ret_input->token = self->stamps[0].token;
    ret_input->has_stamp = true;
    ret_input->stamp = self->stamps[0].at;
    self->stamp_count--;
    memmove(&self->stamps[0], &self->stamps[1], self->stamp_count * sizeof self->stamps[0]);
    return true;
}

static bool take_frame(struct mt_bare *self, int fd, struct mt_input *ret_input)
{
    struct sockaddr_in from = {0};
    int size = (int)sizeof from;
    const long length = mt_bare_call(__NR_recvfrom, fd, (long)self->frame, MT_BARE_FRAME_MAX, 0,
                                     (long)&from, (long)&size);
    if (length <= 0) {
        return false;
    }
    ret_input->stamp = count_ns();
    ret_input->has_stamp = fd == self->event_fd;
    ret_input->kind = MT_INPUT_FRAME;
    ret_input->bytes = self->frame;
    ret_input->length = (size_t)length;
    ret_input->from.network = MT_NETWORK_UDP_IPV4;
    ret_input->from.udp_port = network16(from.sin_port);
    memcpy(ret_input->from.octets, &from.sin_addr, sizeof from.sin_addr);
    self->link.counters.received++;
    return true;
}

/* Event messages first: their stamp is taken here. */
static bool poll_sockets(struct mt_bare *self, int64_t for_ns, struct mt_input *ret_input)
{
    struct pollfd fds[2] = {{.fd = self->event_fd, .events = POLLIN},
                            {.fd = self->general_fd, .events = POLLIN}};
    const struct timespec time = {for_ns / MT_NS_PER_S, for_ns % MT_NS_PER_S};
    mt_bare_call(__NR_ppoll, (long)fds, 2, (long)&time, 0, 0, 0);
    for (int i = 0; i < 2; i++) {
        if ((fds[i].revents & POLLIN) != 0 && take_frame(self, fds[i].fd, ret_input)) {
            return true;
        }
    }
    return false;
}

static void wait_next(struct mt_hal_wait *wait, struct mt_mono deadline, struct mt_input *ret_input)
{
    struct mt_bare *self = (struct mt_bare *)((char *)wait - offsetof(struct mt_bare, wait));
    memset(ret_input, 0, sizeof *ret_input);
    ret_input->now = wait_now(wait);
    if (take_link(self, ret_input) || take_stamp(self, ret_input)) {
        return;
    }
    const int64_t until_ns = mt_mono_earlier(deadline, self->look_at).ns;
    const int64_t left_ns = until_ns > ret_input->now.ns ? until_ns - ret_input->now.ns : 0;
    (void)poll_sockets(self, left_ns, ret_input);
    ret_input->now = wait_now(wait);
}

static const struct mt_hal_wait_ops wait_ops = {.next = wait_next, .now = wait_now};

/* ---- opening -------------------------------------------------------------------------------- */

static bool set(int fd, int level, int option, const void *value, size_t size)
{
    return mt_bare_call(__NR_setsockopt, fd, level, option, (long)value, (long)size, 0) == 0;
}

static bool join(int fd, int interface, uint32_t group)
{
    struct ip_mreqn request = {.imr_ifindex = interface};
    request.imr_multiaddr.s_addr = network32(group);
    return set(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &request, sizeof request);
}

/* Bound to a device, so that groups are reached through it, too. */
static int open_socket(const struct mt_bare *self, uint16_t port)
{
    const int yes = 1;
    const int no = 0;
    struct sockaddr_in at = {.sin_family = IPV4};
    at.sin_port = network16(port);
    const int fd = (int)mt_bare_call(__NR_socket, IPV4, DATAGRAM | CLOSE_AND_NOWAIT, 0, 0, 0, 0);
    const bool is_ready = fd >= 0 && set(fd, SOCKET_LEVEL, REUSE_ADDRESS, &yes, sizeof yes) &&
                          set(fd, SOCKET_LEVEL, BIND_TO_DEVICE, self->name, sizeof self->name) &&
                          mt_bare_call(__NR_bind, fd, (long)&at, (long)sizeof at, 0, 0, 0) == 0 &&
                          set(fd, IPPROTO_IP, IP_MULTICAST_LOOP, &no, sizeof no) &&
                          join(fd, self->interface, PRIMARY_GROUP) &&
                          join(fd, self->interface, PEER_GROUP);
    return is_ready ? fd : -1;
}

/* EUI-64 of a MAC address [1588-2019 7.5.2.2.2]. */
static struct mt_clock_identity identity_of(const uint8_t mac[6])
{
    return (struct mt_clock_identity){{mac[0], mac[1], mac[2], 0xFF, 0xFE, mac[3], mac[4], mac[5]}};
}

static bool ask_interface(struct mt_bare *self, int fd)
{
    struct interface_request request = {.name = ""};
    memcpy(request.name, self->name, sizeof self->name);
    if (mt_bare_call(__NR_ioctl, fd, SIOCGIFINDEX, (long)&request, 0, 0, 0) != 0) {
        return false;
    }
    self->interface = request.value.index;
    if (mt_bare_call(__NR_ioctl, fd, SIOCGIFHWADDR, (long)&request, 0, 0, 0) != 0) {
        return false;
    }
    self->identity = identity_of(request.value.address.octets);
    return true;
}

bool mt_bare_open(struct mt_bare *self, const char *interface)
{
    memset(self, 0, sizeof *self);
    for (size_t i = 0; i + 1 < sizeof self->name && interface[i] != '\0'; i++) {
        self->name[i] = interface[i];
    }
    const int fd = (int)mt_bare_call(__NR_socket, IPV4, DATAGRAM, 0, 0, 0, 0);
    const bool is_there = fd >= 0 && ask_interface(self, fd);
    mt_bare_call(__NR_close, fd, 0, 0, 0, 0, 0);
    if (!is_there) {
        return false;
    }
    self->event_fd = open_socket(self, EVENT_PORT);
    self->general_fd = open_socket(self, GENERAL_PORT);
    self->link.ops = &link_ops;
    self->wait.ops = &wait_ops;
    mt_bare_call(__NR_getrandom, (long)&self->seed, (long)sizeof self->seed, 0, 0, 0, 0);
    mt_counter_clock_init(&self->clock, count_ns, GRANULARITY_NS,
                          (struct mt_instant){.scale = MT_SCALE_ARB});
    return self->event_fd >= 0 && self->general_fd >= 0;
}

struct mt_ordinary_tables mt_bare_tables(struct mt_bare *self)
{
    return (struct mt_ordinary_tables){&self->clock.hal, &self->link, &self->wait};
}
