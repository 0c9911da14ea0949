/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The controller is polled, and a frame goes through lwIP within the same call: so the stamp of
 * what its callback is given is that of the frame being handed in, and the token of what it hands
 * out is that of the message being sent.  What waits for ARP leaves later and has no token any
 * more: its stamp is lost, which costs that exchange.
 */
#include "firmware/lwip_link.h"

#include <string.h>

#include "embed/ether_link.h"
#include "lwip/etharp.h"
#include "lwip/igmp.h"
#include "lwip/init.h"
#include "lwip/sys.h"
#include "lwip/timeouts.h"
#include "lwip/udp.h"
#include "netif/ethernet.h"

#define EVENT_PORT    319
#define GENERAL_PORT  320
#define PRIMARY_GROUP 0xE0000181u
#define PEER_GROUP    0xE000006Bu
#define MTU           1500
#define UDP_PORT_AT   36 /* destination, in a frame with a plain IPv4 header */
#define NS_PER_MS     1000000

static struct {
    struct mt_hal_link link;
    struct mt_hal_wait wait;
    struct mt_mac *mac;
    struct netif netif;
    struct udp_pcb *event;
    struct udp_pcb *general;
    bool is_up;
    bool has_told;
    struct mt_mono look_at;
    uint32_t token;      /**< of the message that is being sent; 0: none, or it has gone */
    uint32_t lost_token; /**< of one that has not gone at once */
    struct mt_mac_received received;
    size_t length; /**< of the message that lwIP has handed over; 0: none */
    bool is_event;
    struct mt_address from;
    uint8_t message[MT_ORDINARY_FRAME_SIZE * 2];
    uint8_t frame[MT_MAC_FRAME_MAX];
} self;

/* ---- what lwIP asks ------------------------------------------------------------------------- */

uint32_t mt_lwip_random(void)
{
    return (uint32_t)self.mac->ops->now(self.mac).ns * 2654435761u;
}

u32_t sys_now(void)
{
    return (u32_t)(self.mac->ops->now(self.mac).ns / NS_PER_MS);
}

size_t strlen(const char *text)
{
    size_t length = 0;
    while (text[length] != '\0') {
        length++;
    }
    return length;
}

/* ---- sending -------------------------------------------------------------------------------- */

static bool is_event_message(const uint8_t *frame, size_t length)
{
    return length > UDP_PORT_AT + 1 && frame[12] == 0x08 && frame[13] == 0x00 &&
           (frame[UDP_PORT_AT] << 8 | frame[UDP_PORT_AT + 1]) == EVENT_PORT;
}

static err_t frame_leaves(struct netif *netif, struct pbuf *buffer)
{
    static uint8_t frame[MT_MAC_FRAME_MAX];
    uint32_t token = 0;
    (void)netif;
    if (buffer->tot_len > sizeof frame) {
        return ERR_BUF;
    }
    const size_t length = pbuf_copy_partial(buffer, frame, buffer->tot_len, 0);
    if (is_event_message(frame, length)) {
        token = self.token;
        self.token = 0;
    }
    return self.mac->ops->send(self.mac, frame, length, token) ? ERR_OK : ERR_IF;
}

static ip_addr_t destination_of(const struct mt_link_frame *frame)
{
    const uint8_t *octets = frame->to.octets;
    ip_addr_t to;
    switch (frame->destination) {
    case MT_LINK_PRIMARY:
        break;
    case MT_LINK_PEER:
        to.addr = lwip_htonl(PEER_GROUP);
        return to;
    case MT_LINK_ADDRESS:
        memcpy(&to.addr, octets, sizeof to.addr);
        return to;
    }
    to.addr = lwip_htonl(PRIMARY_GROUP);
    return to;
}

static bool send_datagram(const struct mt_link_frame *frame)
{
    const ip_addr_t to = destination_of(frame);
    struct pbuf *buffer = pbuf_alloc(PBUF_TRANSPORT, (u16_t)frame->length, PBUF_RAM);
    err_t result = ERR_MEM;
    if (buffer != NULL) {
        pbuf_take(buffer, frame->bytes, (u16_t)frame->length);
        result = udp_sendto_if(frame->is_event ? self.event : self.general, buffer, &to,
                               frame->is_event ? EVENT_PORT : GENERAL_PORT, &self.netif);
        pbuf_free(buffer);
    }
    return result == ERR_OK;
}

static bool link_send(struct mt_hal_link *link, const struct mt_link_frame *frame)
{
    self.token = frame->token;
    const bool is_sent = send_datagram(frame);
    if (is_sent && self.token != 0) {
        self.lost_token = self.token;
    }
    self.token = 0;
    link->counters.sent += is_sent;
    link->counters.send_failed += !is_sent;
    return is_sent;
}

static const struct mt_hal_link_ops link_ops = {.send = link_send};

/* ---- receiving ------------------------------------------------------------------------------ */

static void datagram_arrives(void *context, struct udp_pcb *pcb, struct pbuf *buffer,
                             const ip_addr_t *from, u16_t port)
{
    (void)context;
    self.is_event = pcb == self.event;
    self.length = pbuf_copy_partial(buffer, self.message, sizeof self.message, 0);
    self.from = (struct mt_address){.network = MT_NETWORK_UDP_IPV4, .udp_port = port};
    memcpy(self.from.octets, &from->addr, sizeof from->addr);
    pbuf_free(buffer);
}

static void hand_in(size_t length)
{
    struct pbuf *buffer = pbuf_alloc(PBUF_RAW, (u16_t)length, PBUF_POOL);
    if (buffer == NULL) {
        return;
    }
    pbuf_take(buffer, self.frame, (u16_t)length);
    if (self.netif.input(buffer, &self.netif) != ERR_OK) {
        pbuf_free(buffer);
    }
}

static bool take_frame(struct mt_input *ret_input)
{
    self.length = 0;
    while (self.length == 0) {
        if (!self.mac->ops->receive(self.mac, self.frame, sizeof self.frame, &self.received)) {
            return false;
        }
        hand_in(self.received.length);
    }
    ret_input->kind = MT_INPUT_FRAME;
    ret_input->bytes = self.message;
    ret_input->length = self.length;
    ret_input->has_stamp = self.is_event && self.received.has_stamp;
    ret_input->stamp = self.received.stamp;
    ret_input->from = self.from;
    self.link.counters.received++;
    return true;
}

static bool take_lost_token(struct mt_input *ret_input)
{
    if (self.lost_token == 0) {
        return false;
    }
    ret_input->kind = MT_INPUT_TX_STAMP;
    ret_input->token = self.lost_token;
    self.lost_token = 0;
    self.link.counters.stamps_missing++;
    return true;
}

static bool take_link(struct mt_input *ret_input)
{
    if (!mt_ether_look(self.mac, &self.look_at, &self.has_told, &self.is_up, ret_input)) {
        return false;
    }
    if (self.is_up) {
        netif_set_link_up(&self.netif); /* groups are announced anew */
    } else {
        netif_set_link_down(&self.netif);
    }
    return true;
}

static struct mt_mono wait_now(struct mt_hal_wait *wait)
{
    (void)wait;
    return self.mac->ops->now(self.mac);
}

static struct mt_mono next_timeout(struct mt_mono now)
{
    const u32_t sleep_ms = sys_timeouts_sleeptime();
    return sleep_ms == SYS_TIMEOUTS_SLEEPTIME_INFINITE
               ? MT_MONO_NEVER
               : mt_mono_plus(now, (int64_t)sleep_ms * NS_PER_MS);
}

static void wait_next(struct mt_hal_wait *wait, struct mt_mono deadline, struct mt_input *ret_input)
{
    memset(ret_input, 0, sizeof *ret_input);
    ret_input->now = wait_now(wait);
    sys_check_timeouts();
    if (take_link(ret_input) || mt_ether_take_stamp(self.mac, ret_input) ||
        take_lost_token(ret_input) || take_frame(ret_input)) {
        return;
    }
    const struct mt_mono until = mt_mono_earlier(deadline, self.look_at);
    self.mac->ops->idle(self.mac, mt_mono_earlier(until, next_timeout(ret_input->now)));
    (void)take_frame(ret_input);
    ret_input->now = wait_now(wait);
}

static const struct mt_hal_wait_ops wait_ops = {.next = wait_next, .now = wait_now};

/* ---- opening -------------------------------------------------------------------------------- */

static err_t begin_interface(struct netif *netif)
{
    netif->name[0] = 'e';
    netif->name[1] = 'n';
    netif->mtu = MTU;
    netif->hwaddr_len = MT_MAC_OCTETS;
    memcpy(netif->hwaddr, self.mac->address, MT_MAC_OCTETS);
    netif->flags = NETIF_FLAG_BROADCAST | NETIF_FLAG_ETHARP | NETIF_FLAG_ETHERNET | NETIF_FLAG_IGMP;
    netif->output = etharp_output;
    netif->linkoutput = frame_leaves;
    return ERR_OK;
}

static struct udp_pcb *open_port(u16_t port)
{
    struct udp_pcb *pcb = udp_new();
    if (pcb != NULL && udp_bind(pcb, IP4_ADDR_ANY, port) == ERR_OK) {
        udp_set_multicast_ttl(pcb, 1);
        udp_recv(pcb, datagram_arrives, NULL);
        return pcb;
    }
    return NULL;
}

static bool join(uint32_t group)
{
    const ip4_addr_t address = {lwip_htonl(group)};
    return igmp_joingroup_netif(&self.netif, &address) == ERR_OK;
}

bool mt_lwip_link_open(struct mt_mac *mac, uint32_t address, uint32_t netmask,
                       struct mt_hal_link **ret_link, struct mt_hal_wait **ret_wait)
{
    const ip4_addr_t own = {lwip_htonl(address)};
    const ip4_addr_t mask = {lwip_htonl(netmask)};
    const ip4_addr_t gateway = {0};
    self.mac = mac;
    self.link.ops = &link_ops;
    self.wait.ops = &wait_ops;
    lwip_init();
    if (netif_add(&self.netif, &own, &mask, &gateway, NULL, begin_interface, ethernet_input) ==
        NULL) {
        return false;
    }
    netif_set_default(&self.netif);
    netif_set_up(&self.netif);
    self.event = open_port(EVENT_PORT);
    self.general = open_port(GENERAL_PORT);
    *ret_link = &self.link;
    *ret_wait = &self.wait;
    return self.event != NULL && self.general != NULL && join(PRIMARY_GROUP) && join(PEER_GROUP);
}
