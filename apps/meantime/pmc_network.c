/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * How meantime pmc reaches the nodes behind an interface, over each transport of PTP [1588-2019
 * annexes C, D and E]: to all of them by the group's address, or to one address.
 *
 * Over UDP it has the port for general messages, to which answers come.  Over Ethernet it listens
 * to frames of every type and has the kernel leave out what is no general message of PTP: a socket
 * for the EtherType alone is how a daemon that starts finds another one on its interface, and this
 * one is no daemon.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "apps/meantime/pmc.h"

#define GENERAL_PORT  320
#define FIRST_GENERAL 8 /* messageType [Table 36] */
#define TYPE_MASK     0x0F
#define WHOLE_FRAME   0xFFFF

#define AUXILIARY(what) ((uint32_t)(SKF_AD_OFF + (what)))

static bool set_int(int fd, int level, int option, int value)
{
    return setsockopt(fd, level, option, &value, sizeof value) == 0;
}

/* ---- UDP/IPv4 -------------------------------------------------------------------------------- */

static bool set_udp4(struct mt_pmc_link *self, const char *address)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(GENERAL_PORT)};
    int done = inet_pton(AF_INET, address, &to.sin_addr);
    memcpy(&self->to, &to, sizeof to);
    self->to_length = sizeof to;
    return done == 1;
}

static bool join_udp4(struct mt_pmc_link *self)
{
    const struct sockaddr_in any = {.sin_family = AF_INET, .sin_port = htons(GENERAL_PORT)};
    struct ip_mreqn group = {.imr_ifindex = self->ifindex};
    struct sockaddr_in to;
    memcpy(&to, &self->to, sizeof to);
    group.imr_multiaddr = to.sin_addr;
    if (bind(self->fd, (const struct sockaddr *)&any, sizeof any) != 0) {
        return false;
    }
    return !IN_MULTICAST(ntohl(to.sin_addr.s_addr)) ||
           (setsockopt(self->fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &group, sizeof group) == 0 &&
            setsockopt(self->fd, IPPROTO_IP, IP_MULTICAST_IF, &group, sizeof group) == 0 &&
            set_int(self->fd, IPPROTO_IP, IP_MULTICAST_TTL, 1) &&
            set_int(self->fd, IPPROTO_IP, IP_MULTICAST_LOOP, 0));
}

/* ---- UDP/IPv6 -------------------------------------------------------------------------------- */

static bool set_udp6(struct mt_pmc_link *self, const char *address)
{
    struct sockaddr_in6 to = {.sin6_family = AF_INET6,
                              .sin6_port = htons(GENERAL_PORT),
                              .sin6_scope_id = (uint32_t)self->ifindex};
    int done = inet_pton(AF_INET6, address, &to.sin6_addr);
    memcpy(&self->to, &to, sizeof to);
    self->to_length = sizeof to;
    return done == 1;
}

static bool join_udp6(struct mt_pmc_link *self)
{
    const struct sockaddr_in6 any = {.sin6_family = AF_INET6, .sin6_port = htons(GENERAL_PORT)};
    struct ipv6_mreq group = {.ipv6mr_interface = (unsigned)self->ifindex};
    struct sockaddr_in6 to;
    memcpy(&to, &self->to, sizeof to);
    group.ipv6mr_multiaddr = to.sin6_addr;
    if (!set_int(self->fd, IPPROTO_IPV6, IPV6_V6ONLY, 1) ||
        bind(self->fd, (const struct sockaddr *)&any, sizeof any) != 0) {
        return false;
    }
    return !IN6_IS_ADDR_MULTICAST(&to.sin6_addr) ||
           (setsockopt(self->fd, IPPROTO_IPV6, IPV6_JOIN_GROUP, &group, sizeof group) == 0 &&
            set_int(self->fd, IPPROTO_IPV6, IPV6_MULTICAST_IF, self->ifindex) &&
            set_int(self->fd, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, 1) &&
            set_int(self->fd, IPPROTO_IPV6, IPV6_MULTICAST_LOOP, 0));
}

/* ---- Ethernet -------------------------------------------------------------------------------- */

static bool set_packet(struct mt_pmc_link *self, const char *address)
{
    struct sockaddr_ll to = {.sll_family = AF_PACKET,
                             .sll_protocol = htons(ETH_P_1588),
                             .sll_ifindex = self->ifindex,
                             .sll_halen = ETH_ALEN};
    uint8_t *octet = to.sll_addr;
    int used = 0;
    int found = sscanf(address, "%2hhx:%2hhx:%2hhx:%2hhx:%2hhx:%2hhx%n", &octet[0], &octet[1],
                       &octet[2], &octet[3], &octet[4], &octet[5], &used);
    memcpy(&self->to, &to, sizeof to);
    self->to_length = sizeof to;
    return found == ETH_ALEN && address[used] == '\0';
}

/* What does not fit jumps to the last instruction, which drops the frame. */
static bool set_filter(int fd)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, AUXILIARY(SKF_AD_PKTTYPE)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PACKET_OUTGOING, 7, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PACKET_OTHERHOST, 6, 0),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, AUXILIARY(SKF_AD_PROTOCOL)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETH_P_1588, 0, 4),
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 0),
        BPF_STMT(BPF_ALU | BPF_AND | BPF_K, TYPE_MASK),
        BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, FIRST_GENERAL, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, WHOLE_FRAME),
        BPF_STMT(BPF_RET | BPF_K, 0),
    };
    const struct sock_fprog program = {sizeof code / sizeof *code, code};
    return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) == 0;
}

static bool join_packet(struct mt_pmc_link *self)
{
    const struct sockaddr_ll own = {
        .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = self->ifindex};
    struct packet_mreq group = {
        .mr_ifindex = self->ifindex, .mr_type = PACKET_MR_MULTICAST, .mr_alen = ETH_ALEN};
    struct sockaddr_ll to;
    memcpy(&to, &self->to, sizeof to);
    memcpy(group.mr_address, to.sll_addr, ETH_ALEN);
    return set_filter(self->fd) && bind(self->fd, (const struct sockaddr *)&own, sizeof own) == 0 &&
           ((to.sll_addr[0] & 1) == 0 ||
            setsockopt(self->fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &group, sizeof group) == 0);
}

/* ---- one of them ----------------------------------------------------------------------------- */

static const struct transport {
    const char *name;
    const char *words;
    const char *group;
    int family;
    bool (*set)(struct mt_pmc_link *self, const char *address);
    bool (*join)(struct mt_pmc_link *self);
} transports[] = {
    {"udp4", "UDP port 320", "224.0.1.129", AF_INET, set_udp4, join_udp4},
    {"udp6", "UDP port 320 over IPv6", "ff0e::181", AF_INET6, set_udp6, join_udp6},
    {"l2", "PTP over Ethernet", "01:1b:19:00:00:00", AF_PACKET, set_packet, join_packet},
};

static const struct transport *find_transport(const char *name)
{
    for (size_t i = 0; name != NULL && i < sizeof transports / sizeof *transports; i++) {
        if (strcasecmp(name, transports[i].name) == 0) {
            return &transports[i];
        }
    }
    return name == NULL ? &transports[0] : NULL;
}

bool mt_pmc_is_transport(const char *name)
{
    return find_transport(name) != NULL;
}

bool mt_pmc_is_address(const char *transport, const char *address)
{
    struct mt_pmc_link link = {.fd = -1};
    return find_transport(transport)->set(&link, address);
}

/* Bound to the interface where that is allowed: then answers come here even if a daemon of this
 * machine has bound its socket so. */
static bool open_socket(struct mt_pmc_link *self, const struct transport *transport,
                        const char *interface)
{
    /* a packet socket hears nothing before it has its filter */
    self->fd = socket(transport->family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (self->fd < 0) {
        return false;
    }
    if (transport->family != AF_PACKET) {
        (void)setsockopt(self->fd, SOL_SOCKET, SO_BINDTODEVICE, interface,
                         (socklen_t)strlen(interface));
    }
    return set_int(self->fd, SOL_SOCKET, SO_REUSEADDR, 1) && transport->join(self);
}

bool mt_pmc_open_network(struct mt_pmc_link *self, const char *interface, const char *name,
                         const char *address)
{
    const struct transport *transport = find_transport(name);
    mt_pmc_make_identity(self);
    self->is_local = false;
    self->own[0] = '\0';
    self->ifindex = (int)if_nametoindex(interface);
    self->fd = -1;
    if (self->ifindex == 0) {
        mt_tool_fail("pmc: there is no interface %s", interface);
        return false;
    }
    if (transport->set(self, address != NULL ? address : transport->group) &&
        open_socket(self, transport, interface)) {
        return true;
    }
    mt_tool_fail("pmc: cannot use %s on %s: %s%s", transport->words, interface, strerror(errno),
                 errno == EACCES || errno == EPERM ? "; run as root" : "");
    mt_pmc_close(self);
    return false;
}
