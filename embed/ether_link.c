/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * One input at a time, stamps before frames: an answer that is being waited for is told first.
 */
#include "embed/ether_link.h"

#include "base/memory.h"

#define HEADER     14
#define TAG        4
#define TYPE_PTP   0x88F7
#define TYPE_VLAN  0x8100
#define FRAME_SIZE (HEADER + MT_ORDINARY_FRAME_SIZE)

static const uint8_t primary[MT_MAC_OCTETS] = {0x01, 0x1B, 0x19, 0, 0, 0};
static const uint8_t peer[MT_MAC_OCTETS] = {0x01, 0x80, 0xC2, 0, 0, 0x0E};

struct mt_clock_identity mt_mac_identity(const struct mt_mac *self)
{
    const uint8_t *mac = self->address;
    return (struct mt_clock_identity){{mac[0], mac[1], mac[2], 0xFF, 0xFE, mac[3], mac[4], mac[5]}};
}

static const uint8_t *address_of(const struct mt_link_frame *frame)
{
    switch (frame->destination) {
    case MT_LINK_PRIMARY:
        break;
    case MT_LINK_PEER:
        return peer;
    case MT_LINK_ADDRESS:
        return frame->to.octets;
    }
    return primary;
}

static bool link_send(struct mt_hal_link *link, const struct mt_link_frame *frame)
{
    struct mt_ether_link *self = (struct mt_ether_link *)link;
    uint8_t octets[FRAME_SIZE];
    if (frame->length > MT_ORDINARY_FRAME_SIZE) {
        link->counters.send_failed++;
        return false;
    }
    memcpy(octets, address_of(frame), MT_MAC_OCTETS);
    memcpy(&octets[MT_MAC_OCTETS], self->mac->address, MT_MAC_OCTETS);
    octets[HEADER - 2] = TYPE_PTP >> 8;
    octets[HEADER - 1] = TYPE_PTP & 0xFF;
    memcpy(&octets[HEADER], frame->bytes, frame->length);
    const bool is_sent =
        self->mac->ops->send(self->mac, octets, HEADER + frame->length, frame->token);
    link->counters.sent += is_sent;
    link->counters.send_failed += !is_sent;
    return is_sent;
}

static const struct mt_hal_link_ops link_ops = {.send = link_send};

/* ---- waiting -------------------------------------------------------------------------------- */

bool mt_ether_look(struct mt_mac *mac, struct mt_mono *look_at, bool *has_told, bool *is_up,
                   struct mt_input *ret_input)
{
    if (ret_input->now.ns < look_at->ns) {
        return false;
    }
    const bool is_up_now = mac->ops->is_up(mac);
    *look_at = mt_mono_plus(ret_input->now, MT_ETHER_LOOK_NS);
    if (*has_told && is_up_now == *is_up) {
        return false;
    }
    *has_told = true;
    *is_up = is_up_now;
    ret_input->kind = MT_INPUT_LINK;
    ret_input->is_up = is_up_now;
    ret_input->bytes = mac->address;
    ret_input->length = MT_MAC_OCTETS;
    return true;
}

bool mt_ether_take_stamp(struct mt_mac *mac, struct mt_input *ret_input)
{
    struct mt_mac_sent sent;
    if (!mac->ops->sent(mac, &sent)) {
        return false;
    }
    ret_input->kind = MT_INPUT_TX_STAMP;
    ret_input->token = sent.token;
    ret_input->has_stamp = sent.has_stamp;
    ret_input->stamp = sent.stamp;
    return true;
}

static uint16_t type_at(const uint8_t *octets)
{
    return (uint16_t)(octets[0] << 8 | octets[1]);
}

/* Where the message begins; 0: it is none. */
static size_t message_in(const uint8_t *frame, size_t length)
{
    size_t at = HEADER;
    if (length > HEADER + TAG && type_at(&frame[HEADER - 2]) == TYPE_VLAN) {
        at += TAG;
    }
    return length > at && type_at(&frame[at - 2]) == TYPE_PTP ? at : 0;
}

static bool take_frame(struct mt_ether_link *self, struct mt_input *ret_input)
{
    struct mt_mac_received received;
    if (!self->mac->ops->receive(self->mac, self->frame, sizeof self->frame, &received)) {
        return false;
    }
    const size_t at = message_in(self->frame, received.length);
    if (at == 0) {
        return false;
    }
    ret_input->kind = MT_INPUT_FRAME;
    ret_input->bytes = &self->frame[at];
    ret_input->length = received.length - at;
    ret_input->has_stamp = received.has_stamp;
    ret_input->stamp = received.stamp;
    ret_input->from.network = MT_NETWORK_IEEE_802_3;
    memcpy(ret_input->from.octets, &self->frame[MT_MAC_OCTETS], MT_MAC_OCTETS);
    self->link.counters.received++;
    return true;
}

static struct mt_ether_link *of_wait(struct mt_hal_wait *wait)
{
    return (struct mt_ether_link *)(void *)((char *)wait - offsetof(struct mt_ether_link, wait));
}

static struct mt_mono wait_now(struct mt_hal_wait *wait)
{
    struct mt_mac *mac = of_wait(wait)->mac;
    return mac->ops->now(mac);
}

/* Returns with nothing now and then, which is allowed and harmless. */
static void wait_next(struct mt_hal_wait *wait, struct mt_mono deadline, struct mt_input *ret_input)
{
    struct mt_ether_link *self = of_wait(wait);
    struct mt_mac *mac = self->mac;
    memset(ret_input, 0, sizeof *ret_input);
    ret_input->now = mac->ops->now(mac);
    if (mt_ether_look(mac, &self->look_at, &self->has_told, &self->is_up, ret_input) ||
        mt_ether_take_stamp(mac, ret_input) || take_frame(self, ret_input)) {
        return;
    }
    mac->ops->idle(mac, mt_mono_earlier(deadline, self->look_at));
    (void)take_frame(self, ret_input);
    ret_input->now = mac->ops->now(mac);
}

static const struct mt_hal_wait_ops wait_ops = {.next = wait_next, .now = wait_now};

void mt_ether_link_init(struct mt_ether_link *self, struct mt_mac *mac)
{
    memset(self, 0, sizeof *self);
    self->link.ops = &link_ops;
    self->wait.ops = &wait_ops;
    self->mac = mac;
}
