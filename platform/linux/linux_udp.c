/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * PTP over UDP [1588-2019 annexes C and D]: event messages on port 319, general ones on 320, both
 * sockets of a link bound to its interface before they hear anything.
 *
 * A port is first bound alone, so that a second PTP daemon on the same interface is noticed, and
 * only then shared (SO_REUSEADDR), so that one on another interface can still be started.
 *
 * Over IPv6 an event message is followed by two octets [annex D.1], in which hardware on its way
 * corrects the checksum; over IPv4 so is one into which our own card writes the time, since cards
 * correct it there, too.  Whoever receives it goes by messageLength.  The scope of the primary
 * group is a setting, that of the peer group is the link.  Link-local addresses are those of our
 * own interface, so the scope id is always its number.
 *
 * The time to live that is set is that of multicast, which is to end with the link unless somebody
 * says otherwise; what goes to one station, which may be beyond routers, has the kernel's own.
 */
#include "platform/linux/linux_private.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#define PEER_TTL      1
#define DEFAULT_SCOPE 14 /* global, within which routers and their hop limits decide */
#define EXTRA_OCTETS  2
#define TOS_SHIFT     2 /* DSCP in the octet that was the type of service */

static const uint8_t groups4[][4] = {{224, 0, 1, 129}, {224, 0, 0, 107}};
static const uint8_t primary6[16] = {0xFF, [14] = 0x01, 0x81};
static const uint8_t peer6[16] = {0xFF, 0x02, [15] = 0x6B};

/* ---- addresses --------------------------------------------------------------------------- */

static void groups_of_udp4(const struct mt_link_request *request, struct mt_address *ret_primary,
                           struct mt_address *ret_peer)
{
    (void)request;
    ret_primary->network = ret_peer->network = MT_NETWORK_UDP_IPV4;
    memcpy(ret_primary->octets, groups4[0], sizeof groups4[0]);
    memcpy(ret_peer->octets, groups4[1], sizeof groups4[1]);
}

static void groups_of_udp6(const struct mt_link_request *request, struct mt_address *ret_primary,
                           struct mt_address *ret_peer)
{
    ret_primary->network = ret_peer->network = MT_NETWORK_UDP_IPV6;
    memcpy(ret_primary->octets, primary6, sizeof primary6);
    ret_primary->octets[1] = request->udp6_scope ? request->udp6_scope : DEFAULT_SCOPE;
    memcpy(ret_peer->octets, peer6, sizeof peer6);
}

static void sender4(const struct sockaddr_storage *storage, struct mt_address *ret_address)
{
    struct sockaddr_in from;

    if (storage->ss_family == AF_INET) {
        memcpy(&from, storage, sizeof from);
        ret_address->network = MT_NETWORK_UDP_IPV4;
        memcpy(ret_address->octets, &from.sin_addr, sizeof from.sin_addr);
        ret_address->udp_port = ntohs(from.sin_port);
    }
}

static void sender6(const struct sockaddr_storage *storage, struct mt_address *ret_address)
{
    struct sockaddr_in6 from;

    if (storage->ss_family == AF_INET6) {
        memcpy(&from, storage, sizeof from);
        ret_address->network = MT_NETWORK_UDP_IPV6;
        memcpy(ret_address->octets, &from.sin6_addr, sizeof from.sin6_addr);
        ret_address->udp_port = ntohs(from.sin6_port);
    }
}

static struct sockaddr_in socket_address4(const struct mt_address *to)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(to->udp_port)};

    memcpy(&address.sin_addr, to->octets, sizeof address.sin_addr);
    return address;
}

static struct sockaddr_in6 socket_address6(const struct mt_linux_link *link,
                                           const struct mt_address *to)
{
    struct sockaddr_in6 address = {.sin6_family = AF_INET6,
                                   .sin6_port = htons(to->udp_port),
                                   .sin6_scope_id = (uint32_t)link->ifindex};

    memcpy(&address.sin6_addr, to->octets, sizeof address.sin6_addr);
    return address;
}

/* ---- opening ---------------------------------------------------------------------------- */

static bool bind_to(int fd, const struct mt_linux_link *link, const void *address, socklen_t size)
{
    bool is_second = mt_linux_has_twin(link); /* then it is we who are there */

    return (!is_second || mt_linux_set_int(fd, SOL_SOCKET, SO_REUSEADDR, 1)) &&
           setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, link->present,
                      (socklen_t)strlen(link->present) + 1) == 0 &&
           bind(fd, address, size) == 0 && mt_linux_set_int(fd, SOL_SOCKET, SO_REUSEADDR, 1);
}

static bool join4(int fd, const struct mt_linux_link *link, const struct mt_address *group)
{
    struct ip_mreqn request = {.imr_ifindex = link->ifindex};

    memcpy(&request.imr_multiaddr, group->octets, sizeof request.imr_multiaddr);
    return setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &request, sizeof request) == 0;
}

static bool join6(int fd, const struct mt_linux_link *link, const struct mt_address *group)
{
    struct ipv6_mreq request = {.ipv6mr_interface = (unsigned)link->ifindex};

    memcpy(&request.ipv6mr_multiaddr, group->octets, sizeof request.ipv6mr_multiaddr);
    return setsockopt(fd, IPPROTO_IPV6, IPV6_JOIN_GROUP, &request, sizeof request) == 0;
}

/* Without the groups nothing works; what else is refused makes the link a little worse. */
static const char *prepare4(int fd, const struct mt_linux_link *link, enum mt_socket_role role)
{
    struct sockaddr_in any = {.sin_family = AF_INET, .sin_port = htons(mt_linux_port_of(role))};
    struct ip_mreqn out = {.imr_ifindex = link->ifindex};

    if (!bind_to(fd, link, &any, sizeof any)) {
        return "bind";
    }
    (void)mt_linux_set_int(fd, IPPROTO_IP, IP_MULTICAST_ALL, 0); /* only what we joined */
    (void)mt_linux_set_int(fd, IPPROTO_IP, IP_MULTICAST_LOOP, 0);
    (void)mt_linux_set_int(fd, IPPROTO_IP, IP_MULTICAST_TTL, link->request.ttl);
    (void)mt_linux_set_int(fd, IPPROTO_IP, IP_TOS, link->request.dscp << TOS_SHIFT);
    if (setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &out, sizeof out) != 0 ||
        !join4(fd, link, &link->primary) || !join4(fd, link, &link->peer)) {
        return "join the PTP multicast groups with";
    }
    return 0;
}

static const char *prepare6(int fd, const struct mt_linux_link *link, enum mt_socket_role role)
{
    struct sockaddr_in6 any = {.sin6_family = AF_INET6, .sin6_port = htons(mt_linux_port_of(role))};

    if (!mt_linux_set_int(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1) ||
        !bind_to(fd, link, &any, sizeof any)) {
        return "bind";
    }
    (void)mt_linux_set_int(fd, IPPROTO_IPV6, IPV6_MULTICAST_ALL, 0);
    (void)mt_linux_set_int(fd, IPPROTO_IPV6, IPV6_MULTICAST_LOOP, 0);
    (void)mt_linux_set_int(fd, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, link->request.ttl);
    (void)mt_linux_set_int(fd, IPPROTO_IPV6, IPV6_TCLASS, link->request.dscp << TOS_SHIFT);
    if (!mt_linux_set_int(fd, IPPROTO_IPV6, IPV6_MULTICAST_IF, link->ifindex) ||
        !join6(fd, link, &link->primary) || !join6(fd, link, &link->peer)) {
        return "join the PTP multicast groups with";
    }
    return 0;
}

/* ---- sending ---------------------------------------------------------------------------- */

union ttl_control {
    struct cmsghdr aligned;
    uint8_t octets[CMSG_SPACE(sizeof(int))];
};

/* The peer group is never forwarded, whatever the link's TTL is [annex C.3]. */
static void put_ttl(const struct mt_linux_link *link, const struct mt_link_frame *frame, int level,
                    int type, union ttl_control *control, struct msghdr *message)
{
    int ttl = PEER_TTL;
    struct cmsghdr header = {.cmsg_len = CMSG_LEN(sizeof ttl), .cmsg_level = level};

    if (frame->destination == MT_LINK_PEER && link->request.ttl != PEER_TTL) {
        header.cmsg_type = type;
        memset(control, 0, sizeof *control);
        memcpy(control->octets, &header, sizeof header);
        memcpy(control->octets + CMSG_LEN(0), &ttl, sizeof ttl);
        message->msg_control = control->octets;
        message->msg_controllen = sizeof control->octets;
    }
}

static int socket_for(const struct mt_linux_link *link, const struct mt_link_frame *frame)
{
    return link->sockets[frame->is_event ? MT_SOCKET_EVENT : MT_SOCKET_GENERAL].fd;
}

/* The frame and what follows it; false if that is too long. */
static bool extend(const struct mt_link_frame *frame, size_t extra,
                   uint8_t octets[MT_LINUX_FRAME_SIZE], struct iovec *ret_piece)
{
    if (frame->length + extra > MT_LINUX_FRAME_SIZE) {
        return false;
    }
    memcpy(octets, frame->bytes, frame->length);
    memset(octets + frame->length, 0, extra);
    *ret_piece = (struct iovec){octets, frame->length + extra};
    return true;
}

static bool transmit4(const struct mt_linux_link *link, const struct mt_link_frame *frame,
                      const struct mt_address *to)
{
    struct sockaddr_in address = socket_address4(to);
    uint8_t octets[MT_LINUX_FRAME_SIZE];
    struct iovec piece;
    union ttl_control control;
    struct msghdr message = {
        .msg_name = &address, .msg_namelen = sizeof address, .msg_iov = &piece, .msg_iovlen = 1};

    if (!extend(frame, frame->insertion != MT_INSERT_NOTHING ? EXTRA_OCTETS : 0, octets, &piece)) {
        return false;
    }
    put_ttl(link, frame, IPPROTO_IP, IP_TTL, &control, &message);
    return sendmsg(socket_for(link, frame), &message, 0) == (ssize_t)piece.iov_len;
}

static bool transmit6(const struct mt_linux_link *link, const struct mt_link_frame *frame,
                      const struct mt_address *to)
{
    struct sockaddr_in6 address = socket_address6(link, to);
    uint8_t octets[MT_LINUX_FRAME_SIZE];
    struct iovec piece;
    union ttl_control control;
    struct msghdr message = {
        .msg_name = &address, .msg_namelen = sizeof address, .msg_iov = &piece, .msg_iovlen = 1};

    if (!extend(frame, frame->is_event ? EXTRA_OCTETS : 0, octets, &piece)) {
        return false;
    }
    put_ttl(link, frame, IPPROTO_IPV6, IPV6_HOPLIMIT, &control, &message);
    return sendmsg(socket_for(link, frame), &message, 0) == (ssize_t)piece.iov_len;
}

/* ---- many receivers ---------------------------------------------------------------------- */

static socklen_t name4(const struct mt_linux_link *link, const struct mt_address *to,
                       struct sockaddr_storage *ret_name)
{
    struct sockaddr_in address = socket_address4(to);

    (void)link;
    memcpy(ret_name, &address, sizeof address);
    return sizeof address;
}

static socklen_t name6(const struct mt_linux_link *link, const struct mt_address *to,
                       struct sockaddr_storage *ret_name)
{
    struct sockaddr_in6 address = socket_address6(link, to);

    memcpy(ret_name, &address, sizeof address);
    return sizeof address;
}

const struct mt_linux_transport mt_linux_udp4 = {
    .network = MT_NETWORK_UDP_IPV4,
    .family = AF_INET,
    .names = {"UDP port 319", "UDP port 320"},
    .groups = groups_of_udp4,
    .prepare = prepare4,
    .sender = sender4,
    .transmit = transmit4,
    .name = name4,
};

const struct mt_linux_transport mt_linux_udp6 = {
    .network = MT_NETWORK_UDP_IPV6,
    .family = AF_INET6,
    .names = {"UDP/IPv6 port 319", "UDP/IPv6 port 320"},
    .groups = groups_of_udp6,
    .prepare = prepare6,
    .sender = sender6,
    .transmit = transmit6,
    .name = name6,
    .tail = EXTRA_OCTETS,
};
