/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * PTP straight over Ethernet [1588-2019 annex E]: EtherType 0x88F7 through packet sockets.  There
 * are no ports, so the two sockets of a link share the messages by their type: a filter in the
 * kernel gives event messages to one and general ones to the other.
 *
 * The sockets are of the kind that leaves the Ethernet header to the kernel (SOCK_DGRAM): it knows
 * the interface's own address, whatever a bond makes of it.  A VLAN tag is then the beginning of
 * what we send, with the tag's EtherType.  What comes in has lost its tag; for a link without VLAN
 * we listen to the EtherType and the kernel marks what was tagged for others as such.  With a VLAN
 * the tag's number counts, which the kernel shows only to those who listen to all frames, so the
 * filter does that.  Frames with tag 0 carry a priority only: they belong to the untagged network.
 *
 * Nothing stops two daemons from using one interface, where both would be the same clock to others.
 * The kernel's list of packet sockets tells of one that listens as we do; who listens to all frames
 * may be anything.
 */
#include "platform/linux/linux_private.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#define TAG_OCTETS      4
#define PRIORITY_SHIFT  13
#define VLAN_MASK       0xFFF
#define TYPE_MASK       0x0F
#define FIRST_GENERAL   8 /* messageType: those below are event messages [Table 36] */
#define WHOLE_FRAME     0xFFFF
#define AUXILIARY(what) ((uint32_t)(SKF_AD_OFF + (what)))

static const uint8_t forwarded[ETH_ALEN] = {0x01, 0x1B, 0x19, 0x00, 0x00, 0x00};
static const uint8_t not_forwarded[ETH_ALEN] = {0x01, 0x80, 0xC2, 0x00, 0x00, 0x0E};

/* ---- addresses --------------------------------------------------------------------------- */

static void groups_of_packet(const struct mt_link_request *request, struct mt_address *ret_primary,
                             struct mt_address *ret_peer)
{
    ret_primary->network = ret_peer->network = MT_NETWORK_IEEE_802_3;
    memcpy(ret_primary->octets, request->is_not_forwarded ? not_forwarded : forwarded, ETH_ALEN);
    memcpy(ret_peer->octets, not_forwarded, ETH_ALEN);
}

static void sender(const struct sockaddr_storage *storage, struct mt_address *ret_address)
{
    struct sockaddr_ll from;

    memcpy(&from, storage, sizeof from);
    if (from.sll_family == AF_PACKET && from.sll_halen == ETH_ALEN) {
        ret_address->network = MT_NETWORK_IEEE_802_3;
        memcpy(ret_address->octets, from.sll_addr, ETH_ALEN);
    }
}

/* ---- opening ---------------------------------------------------------------------------- */

static bool has_number(const struct mt_linux_link *link)
{
    return link->request.is_tagged && link->request.vlan != 0;
}

/* What does not fit jumps to the last instruction, which drops the frame. */
static bool set_filter(int fd, const struct mt_linux_link *link, enum mt_socket_role role)
{
    bool is_event = role == MT_SOCKET_EVENT;
    struct sock_filter by_number[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, AUXILIARY(SKF_AD_PKTTYPE)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PACKET_OUTGOING, 10, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PACKET_OTHERHOST, 9, 0),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, AUXILIARY(SKF_AD_PROTOCOL)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETH_P_1588, 0, 7),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, AUXILIARY(SKF_AD_VLAN_TAG)),
        BPF_STMT(BPF_ALU | BPF_AND | BPF_K, VLAN_MASK),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, link->request.vlan, 0, 4),
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 0),
        BPF_STMT(BPF_ALU | BPF_AND | BPF_K, TYPE_MASK),
        BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, FIRST_GENERAL, is_event ? 1 : 0, is_event ? 0 : 1),
        BPF_STMT(BPF_RET | BPF_K, WHOLE_FRAME),
        BPF_STMT(BPF_RET | BPF_K, 0),
    };
    struct sock_filter by_type[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, AUXILIARY(SKF_AD_PKTTYPE)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PACKET_OTHERHOST, 4, 0),
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 0),
        BPF_STMT(BPF_ALU | BPF_AND | BPF_K, TYPE_MASK),
        BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, FIRST_GENERAL, is_event ? 1 : 0, is_event ? 0 : 1),
        BPF_STMT(BPF_RET | BPF_K, WHOLE_FRAME),
        BPF_STMT(BPF_RET | BPF_K, 0),
    };
    struct sock_fprog program = {sizeof by_type / sizeof *by_type, by_type};

    if (has_number(link)) {
        program = (struct sock_fprog){sizeof by_number / sizeof *by_number, by_number};
    }
    return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) == 0;
}

static bool join(int fd, const struct mt_linux_link *link, const uint8_t group[ETH_ALEN])
{
    struct packet_mreq request = {
        .mr_ifindex = link->ifindex, .mr_type = PACKET_MR_MULTICAST, .mr_alen = ETH_ALEN};

    memcpy(request.mr_address, group, ETH_ALEN);
    return setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &request, sizeof request) == 0;
}

/* Whether a socket listens to PTP on the interface.  Columns: address, references, type, protocol,
 * interface; where there is no such list, nobody does. */
static bool is_taken(int ifindex)
{
    FILE *file = fopen("/proc/net/packet", "re");
    char line[256];
    unsigned protocol;
    int interface;
    bool is_found = false;

    while (file && !is_found && fgets(line, sizeof line, file)) {
        is_found = sscanf(line, "%*s %*s %*s %x %d", &protocol, &interface) == 2 &&
                   protocol == ETH_P_1588 && interface == ifindex;
    }
    if (file) {
        fclose(file);
    }
    return is_found;
}

/* The filter is there before anything can come. */
static const char *prepare(int fd, const struct mt_linux_link *link, enum mt_socket_role role)
{
    struct sockaddr_ll address = {.sll_family = AF_PACKET,
                                  .sll_protocol = htons(has_number(link) ? ETH_P_ALL : ETH_P_1588),
                                  .sll_ifindex = link->ifindex};

    if (role == MT_SOCKET_EVENT && !has_number(link) && !mt_linux_has_twin(link) &&
        is_taken(link->ifindex)) {
        errno = EADDRINUSE;
        return "bind";
    }
    if (!set_filter(fd, link, role) || bind(fd, (struct sockaddr *)&address, sizeof address) != 0) {
        return "bind";
    }
    return join(fd, link, forwarded) && join(fd, link, not_forwarded)
               ? 0
               : "join the PTP multicast groups with";
}

/* ---- sending ---------------------------------------------------------------------------- */

static void put_u16(uint8_t *at, unsigned value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static bool transmit(const struct mt_linux_link *link, const struct mt_link_frame *frame,
                     const struct mt_address *to)
{
    const struct mt_link_request *request = &link->request;
    size_t tag = request->is_tagged ? TAG_OCTETS : 0;
    struct sockaddr_ll address = {.sll_family = AF_PACKET,
                                  .sll_protocol = htons(tag ? ETH_P_8021Q : ETH_P_1588),
                                  .sll_ifindex = link->ifindex,
                                  .sll_halen = ETH_ALEN};
    uint8_t octets[MT_LINUX_FRAME_SIZE];
    size_t length = tag + frame->length;
    int fd = link->sockets[frame->is_event ? MT_SOCKET_EVENT : MT_SOCKET_GENERAL].fd;

    if (length > sizeof octets) {
        return false;
    }
    if (tag) {
        put_u16(octets, (unsigned)request->vlan_priority << PRIORITY_SHIFT | request->vlan);
        put_u16(octets + 2, ETH_P_1588);
    }
    memcpy(octets + tag, frame->bytes, frame->length);
    memcpy(address.sll_addr, to->octets, ETH_ALEN);
    return sendto(fd, octets, length, 0, (struct sockaddr *)&address, sizeof address) ==
           (ssize_t)length;
}

const struct mt_linux_transport mt_linux_packet = {
    .network = MT_NETWORK_IEEE_802_3,
    .family = AF_PACKET,
    .names = {"event messages over Ethernet", "general messages over Ethernet"},
    .groups = groups_of_packet,
    .prepare = prepare,
    .sender = sender,
    .transmit = transmit,
};
