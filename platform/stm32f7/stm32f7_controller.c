/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Everything is polled by the loop above: it asks for the link five times a second, for frames and
 * stamps all the time, and sleeps when there are none.  What has to be done regularly is done when
 * it asks for frames.
 *
 * A MAC that cannot follow its reference clock (revision A) takes every frame for damaged.  A link
 * on which many came and not one was whole is therefore brought into step again.  An error on the
 * bus stops the DMA for good, and would be a fault of ours or of the chip: the chip starts anew.
 */
#include "platform/stm32f7/stm32f7_controller.h"

#include "base/memory.h"
#include "platform/stm32f7/stm32f7_io.h"

#define TICK_US     100000
#define DAMAGED_MAX 10
#define NS_PER_US   1000

static struct mt_stm32f7_controller *of(struct mt_mac *interface)
{
    return (struct mt_stm32f7_controller *)interface;
}

static uint64_t now_us(struct mt_stm32f7_controller *self)
{
    return mt_stm32f7_board_now_us(&self->counter);
}

static struct mt_mono now(struct mt_mac *interface)
{
    return (struct mt_mono){(int64_t)(now_us(of(interface)) * NS_PER_US)};
}

static void serve(struct mt_stm32f7_controller *self)
{
    const uint64_t at_us = now_us(self);
    if (mt_stm32f7_mac_attend(&self->mac)) {
        mt_stm32f7_board_restart();
    }
    if (at_us >= self->tick_us) {
        self->tick_us = at_us + TICK_US;
        (void)mt_stm32f7_ptp_tick(&self->ptp, at_us);
        (void)mt_stm32f7_ptp_read(&self->ptp);
    }
}

/* ---- frames ---------------------------------------------------------------------------------- */

static bool send(struct mt_mac *interface, const uint8_t *frame, size_t length, uint32_t token)
{
    struct mt_stm32f7_mac *mac = &of(interface)->mac;
    uint8_t *buffer = length <= MT_STM32F7_FRAME_MAX ? mt_stm32f7_mac_buffer(mac) : NULL;
    if (buffer == NULL) {
        return false;
    }
    memcpy(buffer, frame, length);
    mt_stm32f7_mac_send(mac, length, token);
    return true;
}

static bool receive(struct mt_mac *interface, uint8_t *buffer, size_t capacity,
                    struct mt_mac_received *ret_received)
{
    struct mt_stm32f7_controller *self = of(interface);
    struct mt_stm32f7_arrival arrival;
    serve(self);
    for (uint32_t i = 0; i < MT_STM32F7_RECEIVING; i++) {
        if (!mt_stm32f7_mac_next_arrival(&self->mac, &arrival)) {
            return false;
        }
        const bool fits = arrival.length <= capacity;
        if (fits) {
            memcpy(buffer, arrival.bytes, arrival.length);
            ret_received->length = arrival.length;
            ret_received->has_stamp = arrival.has_stamp;
            ret_received->stamp = mt_stm32f7_clock_base(&self->clock, arrival.stamp);
        }
        mt_stm32f7_mac_release(&self->mac);
        if (fits) {
            return true;
        }
    }
    return false;
}

static bool sent(struct mt_mac *interface, struct mt_mac_sent *ret_sent)
{
    struct mt_stm32f7_controller *self = of(interface);
    struct mt_stm32f7_departure departure;
    if (!mt_stm32f7_mac_next_departure(&self->mac, &departure)) {
        return false;
    }
    ret_sent->token = departure.token;
    ret_sent->has_stamp = departure.has_stamp;
    ret_sent->stamp = mt_stm32f7_clock_base(&self->clock, departure.stamp);
    return true;
}

/* The loop has found nothing before it calls this, but a frame may have come since; its interrupt
 * is pending then, and ends the sleep at once. */
static void idle(struct mt_mac *interface, struct mt_mono until)
{
    if (now(interface).ns < until.ns) {
        mt_stm32f7_board_sleep();
    }
}

/* ---- the link -------------------------------------------------------------------------------- */

static void follow_reference_clock(struct mt_stm32f7_controller *self)
{
    const uint32_t errors = mt_stm32f7_mac_checksum_errors();
    const uint32_t received = self->mac.counters.received;
    if (received != self->received) {
        self->received = received;
        self->checksum_errors = errors;
    } else if (errors - self->checksum_errors >= DAMAGED_MAX) {
        self->checksum_errors = errors;
        self->resyncs++;
        mt_stm32f7_board_resync();
    }
}

static bool is_same(const struct mt_stm32f7_phy_state *a, const struct mt_stm32f7_phy_state *b)
{
    return a->is_up == b->is_up && a->is_100_mbit == b->is_100_mbit &&
           a->is_full_duplex == b->is_full_duplex;
}

static bool is_up(struct mt_mac *interface)
{
    struct mt_stm32f7_controller *self = of(interface);
    struct mt_stm32f7_phy_state found = {.is_up = false};
    if (!mt_stm32f7_phy_look(&found)) {
        found.is_up = false;
    }
    if (found.is_up && !is_same(&found, &self->phy)) {
        mt_stm32f7_mac_start(found.is_100_mbit, found.is_full_duplex);
    }
    self->phy = found;
    mt_stm32f7_board_lamp(found.is_up);
    follow_reference_clock(self);
    return found.is_up;
}

static const struct mt_mac_ops ops = {
    .send = send, .receive = receive, .sent = sent, .is_up = is_up, .now = now, .idle = idle};

enum mt_stm32f7_start mt_stm32f7_controller_start(struct mt_stm32f7_controller *self,
                                                  struct mt_stm32f7_rings *rings,
                                                  enum mt_timescale scale)
{
    uint32_t identity[3];
    memset(self, 0, sizeof *self);
    self->interface.ops = &ops;
    mt_stm32f7_board_identity(identity);
    mt_stm32f7_board_address(identity, self->interface.address);
    if (!mt_stm32f7_phy_init()) {
        return MT_STM32F7_NO_PHY;
    }
    if (!mt_stm32f7_mac_init(&self->mac, rings, self->interface.address)) {
        return MT_STM32F7_NO_REFERENCE_CLOCK;
    }
    if (!mt_stm32f7_ptp_init(&self->ptp, now_us(self))) {
        return MT_STM32F7_NO_CLOCK;
    }
    mt_stm32f7_ptp_start_pps();
    mt_stm32f7_clock_init(&self->clock, &self->ptp, &self->mac, &self->counter);
    self->clock.hal.scale = scale;
    self->clock.hal.adopts_scale = scale == MT_SCALE_ARB;
    return MT_STM32F7_STARTED;
}
