/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * A link and its interface.  What an administrator can do to an interface must not end the daemon:
 * it may not exist yet, go down and up, lose its address, be deleted and made again under another
 * number, or be renamed.  The sockets are bound to the interface's number, so as long as that
 * lives the interface is followed, whatever its name; when it is gone, the configured name is
 * waited for.  rtnetlink tells of changes at once where it can be had; besides, the interface is
 * asked for twice a second while the link is down or after an error, and every few seconds while
 * all is well.
 */
#include "platform/linux/linux_private.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CHECK_WELL_NS 5000000000
#define CHECK_DOWN_NS 500000000
#define LINK_SCOPE    2 /* of IPv6: within the link */

static void forget_interface(struct mt_linux_link *self)
{
    self->is_card_useless = false; /* the next one may be another */
    mt_linux_sockets_close(self);
    mt_tokens_give_up(&self->tokens);
    self->has_interface = false;
}

static void find_interface(struct mt_linux_link *self)
{
    self->is_missing = !mt_netdev_find(self->platform->ioctl_fd, self->interface, &self->ifindex);
    if (self->is_missing) {
        mt_linux_say(self->reason, "there is no interface %s; waiting for it", self->interface);
        return;
    }
    memcpy(self->present, self->interface, IFNAMSIZ);
    self->has_interface = mt_linux_sockets_open(self, self->reason);
}

static bool is_interface_up(struct mt_linux_link *self)
{
    bool is_udp6 = self->transport->network == MT_NETWORK_UDP_IPV6;

    switch (mt_netdev_state(self->platform->ioctl_fd, self->present, self->transport->network)) {
    case MT_NETDEV_MISSING:
        mt_linux_say(self->reason, "the interface %s is gone; waiting for it", self->present);
        return false;
    case MT_NETDEV_DOWN:
        mt_linux_say(self->reason, "the interface %s is down; waiting for it", self->present);
        return false;
    case MT_NETDEV_NO_ADDRESS:
        mt_linux_say(self->reason, "the interface %s has no IPv%d address; give it one",
                     self->present, is_udp6 ? 6 : 4);
        return false;
    case MT_NETDEV_UP:
        break;
    }
    self->reason[0] = 0;
    return true;
}

void mt_linux_link_check(struct mt_linux_link *self, struct mt_mono now)
{
    int fd = self->platform->ioctl_fd;

    if (self->has_interface && !mt_netdev_name(fd, self->ifindex, self->present)) {
        forget_interface(self);
    }
    if (self->has_interface && mt_linux_card_has_changed(self)) { /* their stamps are of another */
        mt_linux_sockets_close(self);
        mt_tokens_give_up(&self->tokens);
        self->has_interface = false;
    }
    if (!self->has_interface) {
        find_interface(self);
    }
    self->is_up = self->has_interface && is_interface_up(self);
    if (self->is_up) {
        self->speed_mbit =
            mt_netdev_speed_mbit(fd, self->stamped_by[0] ? self->stamped_by : self->present);
        mt_netdev_addresses(fd, self->present, self->transport->network,
                            self->request.udp6_scope == LINK_SCOPE, &self->own);
    }
    self->checked = now;
    self->check_at = mt_mono_plus(now, self->is_up ? CHECK_WELL_NS : CHECK_DOWN_NS);
}

bool mt_linux_has_twin(const struct mt_linux_link *self)
{
    for (uint16_t i = 0; i < self->platform->link_count; i++) {
        const struct mt_linux_link *other = self->platform->links[i];

        if (other && other != self && other->has_interface && other->ifindex == self->ifindex &&
            other->transport == self->transport) {
            return true;
        }
    }
    return false;
}

void mt_linux_link_suspect(struct mt_linux_link *self)
{
    self->check_at = mt_mono_earlier(self->check_at, mt_mono_plus(self->checked, CHECK_DOWN_NS));
}

/* An interface that is deleted and made again under the same number looks unharmed, but our
 * sockets have lost their multicast groups. */
static void note_deleted(struct mt_linux *self, int ifindex)
{
    for (uint16_t i = 0; i < self->link_count; i++) {
        struct mt_linux_link *link = self->links[i];

        if (link && link->has_interface && link->ifindex == ifindex) {
            forget_interface(link);
        }
    }
}

/* The kernel sends each notice on its own; the attributes at its end may be cut off. */
void mt_linux_netlink_ready(struct mt_linux *self)
{
    struct {
        struct nlmsghdr header;
        struct ifinfomsg info;
    } notice;
    ssize_t received = recv(self->netlink_fd, self->wait.frame, MT_LINUX_FRAME_SIZE, 0);

    if (received < 0 && (errno == EAGAIN || errno == EINTR)) {
        return;
    }
    if (received >= (ssize_t)sizeof notice) {
        memcpy(&notice, self->wait.frame, sizeof notice);
        if (notice.header.nlmsg_type == RTM_DELLINK && notice.info.ifi_family == AF_UNSPEC) {
            note_deleted(self, notice.info.ifi_index);
        }
    }
    for (uint16_t i = 0; i < self->link_count; i++) {
        if (self->links[i]) {
            self->links[i]->check_at = (struct mt_mono){0};
        }
    }
}

static const struct mt_linux_transport *transport_of(enum mt_transport transport)
{
    switch (transport) {
    case MT_TRANSPORT_UDP_IPV4:
    case MT_TRANSPORT_LOCAL:
    case MT_TRANSPORT_NTP:
    case MT_TRANSPORT_REFCLOCK_SHM:
    case MT_TRANSPORT_REFCLOCK_SOCK:
    case MT_TRANSPORT_EXPORT_SHM:
    case MT_TRANSPORT_EXPORT_SOCK:
    case MT_TRANSPORT_PPS:
    case MT_TRANSPORT_EXTTS:
    case MT_TRANSPORT_GNSS:
    case MT_TRANSPORT_PEROUT:
    case MT_TRANSPORT_TEMPERATURE:
        break;
    case MT_TRANSPORT_UDP_IPV6:
        return &mt_linux_udp6;
    case MT_TRANSPORT_IEEE_802_3:
        return &mt_linux_packet;
    }
    return &mt_linux_udp4;
}

static struct mt_linux_link *make_link(struct mt_linux *self, const struct mt_link_request *request)
{
    struct mt_linux_link *link = calloc(1, sizeof *link);

    if (link) {
        link->hal.ops = &mt_linux_link_ops;
        link->hal.stamping = link->stamping;
        link->hal.interface = link->present;
        link->platform = self;
        link->transport = transport_of(request->transport);
        link->request = *request;
        link->request.interface = link->interface;
        link->request.ttl = request->ttl ? request->ttl : 1;
        link->transport->groups(request, &link->primary, &link->peer);
        memcpy(link->interface, request->interface, strlen(request->interface));
        memcpy(link->present, link->interface, IFNAMSIZ);
        mt_tokens_init(&link->tokens);
        link->outbox = mt_linux_outbox_new(link);
        link->bound_clock = -1;
        for (int i = 0; i < MT_SOCKET_ROLE_COUNT; i++) {
            link->sockets[i].fd = -1;
        }
    }
    return link;
}

/* True if waiting may help: the sockets are open, or there was no interface when it was looked for,
 * or there is none any more. */
static bool may_work(struct mt_linux_link *link)
{
    int ifindex;

    return link->has_interface || link->is_missing ||
           !mt_netdev_find(link->platform->ioctl_fd, link->interface, &ifindex);
}

struct mt_hal_link *mt_linux_link_open(struct mt_linux *self, uint16_t index,
                                       const struct mt_link_request *request,
                                       char reason[MT_HAL_REASON_SIZE])
{
    struct mt_linux_link *link;

    if (strlen(request->interface) == 0 || strlen(request->interface) >= IFNAMSIZ) {
        mt_linux_say(reason, "\"%.40s\" is no interface name: it must have 1 to %d characters",
                     request->interface, IFNAMSIZ - 1);
        return 0;
    }
    if (index >= MT_LINUX_LINKS || self->links[index]) {
        mt_linux_say(reason, "cannot open another link on %s: the limit is %d", request->interface,
                     MT_LINUX_LINKS);
        return 0;
    }
    link = make_link(self, request);
    if (!link) {
        mt_linux_say(reason, "out of memory");
        return 0;
    }
    mt_linux_link_check(link, mt_linux_now());
    if (!may_work(link)) {
        memcpy(reason, link->reason, MT_HAL_REASON_SIZE);
        mt_linux_link_close(link);
        return 0;
    }
    self->links[index] = link;
    self->link_count = index >= self->link_count ? (uint16_t)(index + 1) : self->link_count;
    self->wait.is_set_old = true;
    return &link->hal;
}

void mt_linux_link_close(struct mt_linux_link *self)
{
    if (self) {
        mt_linux_sockets_close(self);
        free(self->outbox);
        free(self);
    }
}
