/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Questions about network interfaces, by the SIOCGIF* calls that every kernel, container and
 * library-interposing simulator answers, and by getifaddrs for IPv6, which has no such call.  Only
 * "no such device" means that an interface is missing; a question that is not understood counts as
 * good news, because a link that is taken for up by mistake loses frames, and one taken for down
 * never works.
 */
#include "platform/linux/linux_private.h"

#include <errno.h>
#include <ifaddrs.h>
#include <linux/ethtool.h>
#include <linux/if_ether.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <net/if_arp.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

static bool ask(int fd, unsigned long question, const char *name, struct ifreq *ret_answer)
{
    memset(ret_answer, 0, sizeof *ret_answer);
    snprintf(ret_answer->ifr_name, IFNAMSIZ, "%s", name);
    return ioctl(fd, question, ret_answer) == 0;
}

static bool means_missing(int error)
{
    return error == ENODEV || error == ENXIO;
}

bool mt_netdev_find(int ioctl_fd, const char *name, int *ret_ifindex)
{
    struct ifreq answer;
    bool is_answered = ask(ioctl_fd, SIOCGIFINDEX, name, &answer);

    if (!is_answered && means_missing(errno)) {
        return false;
    }
    *ret_ifindex = is_answered ? answer.ifr_ifindex : 0;
    return true;
}

bool mt_netdev_name(int ioctl_fd, int ifindex, char ret_name[IFNAMSIZ])
{
    struct ifreq answer;

    if (ifindex <= 0) {
        return true;
    }
    memset(&answer, 0, sizeof answer);
    answer.ifr_ifindex = ifindex;
    if (ioctl(ioctl_fd, SIOCGIFNAME, &answer) != 0) {
        return !means_missing(errno);
    }
    snprintf(ret_name, IFNAMSIZ, "%.*s", IFNAMSIZ - 1, answer.ifr_name);
    return true;
}

static bool has_ip6_address(const char *name)
{
    struct ifaddrs *list;
    bool is_found = false;

    if (getifaddrs(&list) != 0) {
        return true;
    }
    for (const struct ifaddrs *i = list; i && !is_found; i = i->ifa_next) {
        is_found =
            i->ifa_addr && i->ifa_addr->sa_family == AF_INET6 && strcmp(i->ifa_name, name) == 0;
    }
    freeifaddrs(list);
    return is_found;
}

static bool has_address(int ioctl_fd, const char *name, enum mt_network network)
{
    struct ifreq answer;

    switch (network) {
    case MT_NETWORK_UDP_IPV4:
        return ask(ioctl_fd, SIOCGIFADDR, name, &answer) || errno != EADDRNOTAVAIL;
    case MT_NETWORK_UDP_IPV6:
        return has_ip6_address(name);
    case MT_NETWORK_NONE:
    case MT_NETWORK_IEEE_802_3:
        break;
    }
    return true;
}

enum mt_netdev_state mt_netdev_state(int ioctl_fd, const char *name, enum mt_network network)
{
    struct ifreq answer;

    if (!ask(ioctl_fd, SIOCGIFFLAGS, name, &answer)) {
        return means_missing(errno) ? MT_NETDEV_MISSING : MT_NETDEV_UP;
    }
    if (!(answer.ifr_flags & IFF_UP) || !(answer.ifr_flags & IFF_RUNNING)) {
        return MT_NETDEV_DOWN;
    }
    return has_address(ioctl_fd, name, network) ? MT_NETDEV_UP : MT_NETDEV_NO_ADDRESS;
}

/* ---- addresses --------------------------------------------------------------------------- */

static void find_ip6(const char *name, bool is_local, struct mt_address *ret_address)
{
    struct ifaddrs *list;
    struct sockaddr_in6 own;

    if (getifaddrs(&list) != 0) {
        return;
    }
    for (const struct ifaddrs *i = list; i; i = i->ifa_next) {
        if (!i->ifa_addr || i->ifa_addr->sa_family != AF_INET6 || strcmp(i->ifa_name, name) != 0) {
            continue;
        }
        memcpy(&own, i->ifa_addr, sizeof own);
        if (ret_address->network == MT_NETWORK_NONE ||
            !IN6_IS_ADDR_LINKLOCAL(&own.sin6_addr) == !is_local) {
            ret_address->network = MT_NETWORK_UDP_IPV6;
            memcpy(ret_address->octets, &own.sin6_addr, sizeof own.sin6_addr);
        }
    }
    freeifaddrs(list);
}

static void find_ip4(int ioctl_fd, const char *name, struct mt_address *ret_address)
{
    struct ifreq answer;
    struct sockaddr_in own;

    if (ask(ioctl_fd, SIOCGIFADDR, name, &answer)) {
        memcpy(&own, &answer.ifr_addr, sizeof own);
        ret_address->network = MT_NETWORK_UDP_IPV4;
        memcpy(ret_address->octets, &own.sin_addr, sizeof own.sin_addr);
    }
}

static void find_mac(int ioctl_fd, const char *name, struct mt_address *ret_address)
{
    struct ifreq answer;

    if (ask(ioctl_fd, SIOCGIFHWADDR, name, &answer) &&
        answer.ifr_hwaddr.sa_family == ARPHRD_ETHER) {
        ret_address->network = MT_NETWORK_IEEE_802_3;
        memcpy(ret_address->octets, answer.ifr_hwaddr.sa_data, ETH_ALEN);
    }
}

void mt_netdev_addresses(int ioctl_fd, const char *name, enum mt_network network, bool is_local,
                         struct mt_netdev_addresses *ret_addresses)
{
    struct mt_netdev_addresses found = {.protocol = {.network = MT_NETWORK_NONE}};

    find_mac(ioctl_fd, name, &found.physical);
    switch (network) {
    case MT_NETWORK_UDP_IPV4:
        find_ip4(ioctl_fd, name, &found.protocol);
        break;
    case MT_NETWORK_UDP_IPV6:
        find_ip6(name, is_local, &found.protocol);
        break;
    case MT_NETWORK_IEEE_802_3:
        found.protocol = found.physical;
        break;
    case MT_NETWORK_NONE:
        break;
    }
    *ret_addresses = found;
}

/* The older of two calls, which all kernels answer for all drivers. */
uint32_t mt_netdev_speed_mbit(int ioctl_fd, const char *name)
{
    struct ethtool_cmd command = {.cmd = ETHTOOL_GSET};
    struct ifreq request;
    uint32_t speed;

    memset(&request, 0, sizeof request);
    snprintf(request.ifr_name, IFNAMSIZ, "%s", name);
    request.ifr_data = (void *)&command;
    if (ioctl(ioctl_fd, SIOCETHTOOL, &request) != 0) {
        return 0;
    }
    speed = ethtool_cmd_speed(&command);
    return speed == (uint32_t)SPEED_UNKNOWN ? 0 : speed;
}

/* EUI-48 to EUI-64 with FF FE in the middle [1588-2019 7.5.2.2.2] */
bool mt_netdev_identity(int ioctl_fd, const char *name, struct mt_clock_identity *ret_identity)
{
    static const uint8_t none[6];
    struct ifreq answer;
    uint8_t mac[6];

    if (!ask(ioctl_fd, SIOCGIFHWADDR, name, &answer) ||
        answer.ifr_hwaddr.sa_family != ARPHRD_ETHER) {
        return false;
    }
    memcpy(mac, answer.ifr_hwaddr.sa_data, sizeof mac);
    if (memcmp(mac, none, sizeof mac) == 0) {
        return false;
    }
    *ret_identity =
        (struct mt_clock_identity){{mac[0], mac[1], mac[2], 0xFF, 0xFE, mac[3], mac[4], mac[5]}};
    return true;
}

int mt_netdev_listen(void)
{
    struct sockaddr_nl address = {.nl_family = AF_NETLINK,
                                  .nl_groups =
                                      RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR};
    int fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);

    if (fd < 0) {
        return -1;
    }
    if (!mt_linux_set_nonblocking(fd) ||
        bind(fd, (struct sockaddr *)&address, sizeof address) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

/* False of loopback, which is nobody else's way to us. */
static bool take_own(const struct sockaddr *name, struct mt_address *ret_address)
{
    struct sockaddr_in in4;
    struct sockaddr_in6 in6;

    *ret_address = (struct mt_address){.network = MT_NETWORK_NONE};
    if (name != NULL && name->sa_family == AF_INET) {
        memcpy(&in4, name, sizeof in4);
        ret_address->network = MT_NETWORK_UDP_IPV4;
        memcpy(ret_address->octets, &in4.sin_addr, sizeof in4.sin_addr);
        return ret_address->octets[0] != IN_LOOPBACKNET;
    }
    if (name != NULL && name->sa_family == AF_INET6) {
        memcpy(&in6, name, sizeof in6);
        ret_address->network = MT_NETWORK_UDP_IPV6;
        memcpy(ret_address->octets, &in6.sin6_addr, sizeof in6.sin6_addr);
        return !IN6_IS_ADDR_LOOPBACK(&in6.sin6_addr);
    }
    return false;
}

static bool connect_to(int fd, const char *interface, const struct mt_address *other)
{
    struct sockaddr_in in4 = {.sin_family = AF_INET, .sin_port = htons(other->udp_port)};
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(other->udp_port)};
    bool is_v6 = other->network == MT_NETWORK_UDP_IPV6;

    memcpy(&in4.sin_addr, other->octets, sizeof in4.sin_addr);
    memcpy(&in6.sin6_addr, other->octets, sizeof in6.sin6_addr);
    if (interface[0] != '\0' && setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, interface,
                                           (socklen_t)strlen(interface) + 1) != 0) {
        return false;
    }
    return connect(fd, is_v6 ? (struct sockaddr *)&in6 : (struct sockaddr *)&in4,
                   is_v6 ? sizeof in6 : sizeof in4) == 0;
}

/* The routing table knows from which address we would speak to it; nothing is sent. */
static bool find_towards(const char *interface, const struct mt_address *other,
                         struct mt_address *ret_address)
{
    struct sockaddr_storage name;
    socklen_t size = sizeof name;
    int fd = socket(other->network == MT_NETWORK_UDP_IPV6 ? AF_INET6 : AF_INET, SOCK_DGRAM, 0);
    bool is_found = fd >= 0 && connect_to(fd, interface, other) &&
                    getsockname(fd, (struct sockaddr *)&name, &size) == 0 &&
                    take_own((struct sockaddr *)&name, ret_address);

    if (fd >= 0) {
        close(fd);
    }
    return is_found;
}

static const char *name_of_interface(const struct ifaddrs *list, const struct mt_address *address)
{
    struct mt_address own;

    for (const struct ifaddrs *i = list; i != NULL; i = i->ifa_next) {
        if (take_own(i->ifa_addr, &own) && mt_address_equal(&own, address)) {
            return i->ifa_name;
        }
    }
    return "";
}

size_t mt_netdev_own_addresses(const char *interface, const struct mt_address *other,
                               struct mt_address *ret_addresses, size_t max)
{
    struct ifaddrs *list;
    size_t count = 1;

    if (max == 0 || !find_towards(interface, other, &ret_addresses[0])) {
        return 0;
    }
    if (getifaddrs(&list) != 0) {
        return count;
    }
    const char *name = name_of_interface(list, &ret_addresses[0]);
    for (const struct ifaddrs *i = list; i != NULL && count < max; i = i->ifa_next) {
        count += strcmp(i->ifa_name, name) == 0 && take_own(i->ifa_addr, &ret_addresses[count]) &&
                 !mt_address_equal(&ret_addresses[count], &ret_addresses[0]);
    }
    freeifaddrs(list);
    return count;
}
